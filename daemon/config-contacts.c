/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The address book: every file is read for itself, and what is wrong in one costs no other. */

#include "config-private.h"

#define MAX_FILE (32 * 1024 * 1024)     /* octets: pictures are in it */

static void
load_file (PhoneContacts *contacts, const char *path, GPtrArray *problems)
{
  g_autoptr (GError) error = NULL;
  gsize length;
  g_autofree char *text = phone_config_read (path, MAX_FILE, &length, &error);

  if (text && length > MAX_FILE)
    phone_config_add_problem (problems, "%s: larger than %d MiB", path, MAX_FILE / 1024 / 1024);
  else if (text && length > 0 && !phone_contacts_add (contacts, text, length, &error))
    phone_config_add_problem (problems, "%s: %s", path, error->message);
  else if (error)
    phone_config_add_problem (problems, "%s", error->message);
}

PhoneContacts *
phone_config_load_contacts (const PhoneConfigDirs *dirs, GPtrArray *problems)
{
  const char *const places[] = { dirs->system, dirs->user };
  PhoneContacts *contacts = phone_contacts_new ();

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *directory = g_build_filename (places[i], "contacts.d", NULL);
      g_autoptr (GPtrArray) names = phone_config_list (directory, ".vcf", PHONE_CONTACTS_MAX, problems);

      for (guint k = 0; k < names->len; k++)
        {
          g_autofree char *path = g_build_filename (directory, names->pdata[k], NULL);

          load_file (contacts, path, problems);
        }
    }
  return contacts;
}
