/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cards come, change and go while it runs, in folders that are there, come later, or are links. */

#include "address-book.h"

#include <unistd.h>

#include <glib/gstdio.h>

#define PATIENCE_S 30
#define CARD(name) "BEGIN:VCARD\nFN:" name "\nTEL:+49301234567\nEND:VCARD\n"

typedef struct
{
  char *root;
  PhoneConfigDirs *dirs;
  AddressBook *book;
  PhoneContacts *contacts;
  GPtrArray *problems;
  guint reads;
  gboolean late;
} Fixture;

static char *
path_of (Fixture *f, const char *name)
{
  return g_build_filename (f->root, name, NULL);
}

static void
on_contacts (PhoneContacts *contacts, GPtrArray *problems, gpointer data)
{
  Fixture *f = data;

  phone_contacts_unref (f->contacts);
  g_clear_pointer (&f->problems, g_ptr_array_unref);
  f->contacts = contacts;
  f->problems = problems;
  f->reads++;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *user = NULL, *system = NULL;

  f->root = g_dir_make_tmp ("phoned-book-XXXXXX", NULL);
  user = path_of (f, "home/config/phoned");
  system = path_of (f, "etc");
  f->dirs = phone_config_dirs_new_for (user, system, user, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  const char *argv[] = { "rm", "-r", f->root, NULL };

  address_book_free (f->book);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  phone_contacts_unref (f->contacts);
  g_clear_pointer (&f->problems, g_ptr_array_unref);
  phone_config_dirs_free (f->dirs);
  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  g_free (f->root);
}

static void
start (Fixture *f)
{
  f->book = address_book_new (f->dirs, on_contacts, f);
  address_book_read (f->book);
  g_assert_cmpuint (f->reads, ==, 1);
}

static void
make_folder (Fixture *f, const char *name)
{
  g_autofree char *path = path_of (f, name);

  g_assert_cmpint (g_mkdir_with_parents (path, 0755), ==, 0);
}

/* As an editor does: beside it, then over it. */
static void
put (Fixture *f, const char *name, const char *content)
{
  g_autofree char *path = path_of (f, name);

  g_assert_true (g_file_set_contents (path, content, -1, NULL));
}

static gboolean
on_late (gpointer data)
{
  ((Fixture *) data)->late = TRUE;
  return G_SOURCE_REMOVE;
}

static void
wait_name (Fixture *f, const char *name)
{
  guint patience = g_timeout_add_seconds (PATIENCE_S, on_late, f);

  while (!f->late && g_strcmp0 (phone_contacts_name (f->contacts, "tel:+49301234567"), name) != 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (phone_contacts_name (f->contacts, "tel:+49301234567"), ==, name);
  g_source_remove (patience);
}

static void
test_life (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, "home/config/phoned/contacts.d/a.vcf"), *other = path_of (f, "home/config/phoned/contacts.d/a.old");
  FILE *file;

  make_folder (f, "home/config/phoned/contacts.d");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("First"));
  start (f);
  wait_name (f, "First");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Second"));
  wait_name (f, "Second");
  /* in place */
  file = g_fopen (path, "w");
  fputs (CARD ("Third"), file);
  fclose (file);
  wait_name (f, "Third");
  g_assert_cmpint (g_rename (path, other), ==, 0);
  wait_name (f, "");
  g_assert_cmpint (g_rename (other, path), ==, 0);
  wait_name (f, "Third");
  put (f, "home/config/phoned/contacts.d/b.vcf", "BEGIN:VCARD\nFN:Half\n");
  while (f->problems->len == 0)
    g_main_context_iteration (NULL, TRUE);
  wait_name (f, "Third");
  g_assert_cmpint (g_unlink (path), ==, 0);
  wait_name (f, "");
}

/* None of its parents is there; it goes away with everything and comes back. */
static void
test_awaited (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, "home/config/phoned/contacts.d/a.vcf"), *folder = path_of (f, "home/config/phoned/contacts.d");

  start (f);
  make_folder (f, "home");
  make_folder (f, "home/config/phoned/contacts.d");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Late"));
  wait_name (f, "Late");
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  wait_name (f, "");
  make_folder (f, "home/config/phoned/contacts.d");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Again"));
  wait_name (f, "Again");
  /* the administrator's comes later still, and the user's goes before it */
  make_folder (f, "etc/contacts.d");
  put (f, "etc/contacts.d/office.vcf", CARD ("Office"));
  while (phone_contacts_count (f->contacts) < 2)
    g_main_context_iteration (NULL, TRUE);
  wait_name (f, "Again");
}

static void
test_link (Fixture *f, gconstpointer data)
{
  g_autofree char *target = path_of (f, "elsewhere"), *link = path_of (f, "home/config/phoned/contacts.d");

  make_folder (f, "elsewhere");
  make_folder (f, "home/config/phoned");
  g_assert_cmpint (symlink (target, link), ==, 0);
  start (f);
  wait_name (f, "");
  put (f, "elsewhere/a.vcf", CARD ("Linked"));
  wait_name (f, "Linked");
}

/* It may be freed or asked again in the middle; what was read for the older question is not heard of any more. */
static void
test_cut_off (Fixture *f, gconstpointer data)
{
  guint reads;

  make_folder (f, "home/config/phoned/contacts.d");
  start (f);
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Soon"));
  wait_name (f, "Soon");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Sooner"));
  address_book_read (f->book);
  g_assert_cmpstr (phone_contacts_name (f->contacts, "tel:+49301234567"), ==, "Sooner");
  reads = f->reads;
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Never"));
  g_main_context_iteration (NULL, FALSE);
  g_clear_pointer (&f->book, address_book_free);
  g_assert_cmpuint (f->reads, ==, reads);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/address-book/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("life", test_life);
  ADD ("awaited", test_awaited);
  ADD ("link", test_link);
  ADD ("cut-off", test_cut_off);
  return g_test_run ();
}
