/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/quality-outbox.h"

#include "core/model-private.h"

static const PhonePorts *
ports_of (PhoneAccount *account)
{
  return phone_registry_get_ports (phone_account_get_registry (account));
}

static gboolean
is_kept (const PhonePorts *ports)
{
  return ports->archive != NULL && ports->archive->report_add != NULL;
}

void
phone_quality_send (PhoneAccount *account, const char *target, const char *body)
{
  const PhonePorts *ports = ports_of (account);
  g_autofree char *id = g_uuid_string_random ();
  PhoneStoredReport report = { .id = id, .account = (char *) phone_account_get_id (account), .target = (char *) target, .body = (char *) body };

  if (is_kept (ports))
    ports->archive->report_add (ports->archive_data, &report);
  ports->sig->quality_report (ports->ua, account, id, target, body);
}

static void
on_listed (GPtrArray *reports, const GError *error, gpointer data)
{
  g_autoptr (PhoneAccount) account = data;
  const PhonePorts *ports = ports_of (account);

  if (error != NULL)
    phone_log_warning (&(PhoneLogFields) { .account = phone_account_get_id (account) }, "Account %s: reports of voice quality that were not delivered cannot be read: %s",
                       phone_account_get_id (account), error->message);
  if (phone_registry_find_account (phone_account_get_registry (account), phone_account_get_id (account)) != account)
    return;
  for (guint i = 0; reports != NULL && i < reports->len; i++)
    {
      const PhoneStoredReport *report = g_ptr_array_index (reports, i);

      ports->sig->quality_report (ports->ua, account, report->id, report->target, report->body);
    }
}

void
phone_quality_resume (PhoneAccount *account)
{
  const PhonePorts *ports = ports_of (account);

  if (is_kept (ports) && ports->sig->quality_report != NULL)
    ports->archive->report_list (ports->archive_data, phone_account_get_id (account), on_listed, g_object_ref (account));
}

void
phone_quality_forget (PhoneAccount *account)
{
  const PhonePorts *ports = ports_of (account);

  if (is_kept (ports))
    ports->archive->report_remove (ports->archive_data, phone_account_get_id (account), NULL);
}

void
phone_quality_on_reported (PhoneAccount *account, const char *id)
{
  const PhonePorts *ports = ports_of (account);

  if (is_kept (ports))
    ports->archive->report_remove (ports->archive_data, phone_account_get_id (account), id);
}
