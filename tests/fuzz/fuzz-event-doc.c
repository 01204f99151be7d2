/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies of NOTIFY. Every input goes through all of the readers; what they accept must be within its limits and fit for D-Bus. */

#include <stdint.h>
#include <string.h>

#include "sip/event-doc.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_text (const char *text)
{
  g_assert (text == NULL || (*text && phone_text_is_clean (text)));
}

static void
check_dialogs (const GPtrArray *dialogs)
{
  g_assert (dialogs->len <= UA_MAX_DIALOGS);
  phone_lamp_from_dialogs (dialogs);
  for (guint i = 0; i < dialogs->len; i++)
    {
      const PhoneDialogEntry *entry = g_ptr_array_index (dialogs, i);
      g_autofree char *target = NULL;
      g_autofree char *replaces = phone_dialog_entry_replaces (entry, &target);

      g_assert (entry->id != NULL && entry->state != PHONE_DIALOG_TERMINATED);
      g_assert (replaces == NULL || (target && !strpbrk (replaces, "\r\n,\"")));
      check_text (entry->remote_name);
      check_text (entry->remote_uri);
    }
}

/* What we write of them says the same. */
static void
check_written (const GPtrArray *dialogs)
{
  g_autofree char *full = ua_dialog_info_write ("sip:a@b", 7, dialogs, TRUE);
  g_autofree char *bare = ua_dialog_info_write ("sip:a@b", 8, dialogs, FALSE);
  g_autoptr (UaInfo) again = ua_dialog_info_new ();

  g_assert (ua_dialog_info_apply (again, full, strlen (full), NULL) == UA_INFO_APPLIED);
  g_assert (again->entries->len == dialogs->len);
  for (guint i = 0; i < dialogs->len; i++)
    g_assert_cmpstr (((PhoneDialogEntry *) again->entries->pdata[i])->remote_uri, ==, ((PhoneDialogEntry *) dialogs->pdata[i])->remote_uri);
  g_assert (ua_dialog_info_apply (again, bare, strlen (bare), NULL) == UA_INFO_APPLIED);
  g_assert (phone_lamp_from_dialogs (again->entries) == phone_lamp_from_dialogs (dialogs));
}

static void
check_participants (const GPtrArray *participants)
{
  g_assert (participants->len <= UA_MAX_PARTICIPANTS);
  for (guint i = 0; i < participants->len; i++)
    {
      const PhoneParticipant *one = g_ptr_array_index (participants, i);

      g_assert (one->uri != NULL && one->status != PHONE_PARTICIPANT_DISCONNECTED);
      check_text (one->uri);
      check_text (one->name);
    }
}

static void
check_written_participants (const GPtrArray *participants)
{
  g_autofree char *text = ua_conference_info_write ("sip:a@b", 7, participants, NULL);
  g_autoptr (UaInfo) again = ua_conference_info_new ();

  g_assert (ua_conference_info_apply (again, text, strlen (text), NULL) == UA_INFO_APPLIED);
  g_assert (again->entries->len == participants->len);
  for (guint i = 0; i < participants->len; i++)
    {
      const PhoneParticipant *one = g_ptr_array_index (participants, i), *other = g_ptr_array_index (again->entries, i);

      g_assert_cmpstr (one->uri, ==, other->uri);
      g_assert (one->status == other->status);
    }
}

static const PhoneParticipant *
find_participant (const GPtrArray *participants, const char *uri)
{
  for (guint i = 0; i < participants->len; i++)
    if (g_str_equal (((PhoneParticipant *) g_ptr_array_index (participants, i))->uri, uri))
      return g_ptr_array_index (participants, i);
  return NULL;
}

/* Some go, some change, one comes: whoever knew them, and is told that, knows as much as we do. */
static void
check_changes (const GPtrArray *participants)
{
  g_autoptr (GPtrArray) after = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_participant_free);
  g_autoptr (UaInfo) info = ua_conference_info_new ();
  g_autofree char *full = ua_conference_info_write ("sip:a@b", 7, participants, NULL), *changes = NULL;

  for (guint i = 0; i < participants->len; i++)
    {
      const PhoneParticipant *one = g_ptr_array_index (participants, i);
      PhoneParticipantStatus other = one->status == PHONE_PARTICIPANT_CONNECTED ? PHONE_PARTICIPANT_ON_HOLD : PHONE_PARTICIPANT_CONNECTED;

      if (i % 3)
        g_ptr_array_add (after, phone_participant_new (one->uri, i % 2 ? one->name : "N", i % 3 == 1 ? one->status : other));
    }
  if (!find_participant (participants, "sip:new@h") && after->len < UA_MAX_PARTICIPANTS)
    g_ptr_array_add (after, phone_participant_new ("sip:new@h", NULL, PHONE_PARTICIPANT_ALERTING));
  changes = ua_conference_info_write ("sip:a@b", 8, after, participants);
  g_assert (ua_conference_info_apply (info, full, strlen (full), NULL) == UA_INFO_APPLIED);
  g_assert (ua_conference_info_apply (info, changes, strlen (changes), NULL) == UA_INFO_APPLIED);
  g_assert (info->entries->len == after->len);
  for (guint i = 0; i < after->len; i++)
    {
      const PhoneParticipant *one = g_ptr_array_index (after, i), *other = find_participant (info->entries, one->uri);

      g_assert (other && other->status == one->status);
      g_assert_cmpstr (other->name, ==, one->name);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data;
  PhonePresenceInfo info = { PHONE_STATUS_UNKNOWN, NULL };
  PhoneMailboxState mailbox = { 0 };
  g_autoptr (UaInfo) dialogs = ua_dialog_info_new ();
  g_autoptr (UaInfo) watchers = ua_watcher_info_new ();
  g_autoptr (UaInfo) conference = ua_conference_info_new ();
  g_autoptr (UaRlmi) list = ua_rlmi_new ();
  GHashTable *resources = list->resources;
  GHashTableIter iter;
  gpointer value;

  if (ua_pidf_read (text, size, &info, NULL))
    {
      PhonePresenceInfo again = { PHONE_STATUS_UNKNOWN, NULL };
      g_autofree char *written = ua_pidf_write ("sip:a@b", "t", &info);

      check_text (info.note);
      g_assert (ua_pidf_read (written, strlen (written), &again, NULL));
      g_assert (again.status == (info.status == PHONE_STATUS_UNKNOWN ? PHONE_STATUS_OFFLINE : info.status));
      phone_presence_info_clear (&again);
    }
  phone_presence_info_clear (&info);
  ua_dialog_info_apply (dialogs, text, size, NULL);
  ua_dialog_info_apply (dialogs, text, size, NULL);
  ua_watcher_info_apply (watchers, text, size, NULL);
  ua_watcher_info_apply (watchers, text, size, NULL);
  g_assert (watchers->entries->len <= UA_MAX_WATCHERS);
  for (guint i = 0; i < watchers->entries->len; i++)
    {
      check_text (((PhoneWatcher *) watchers->entries->pdata[i])->uri);
      check_text (((PhoneWatcher *) watchers->entries->pdata[i])->name);
    }
  check_dialogs (dialogs->entries);
  check_written (dialogs->entries);
  ua_conference_info_apply (conference, text, size, NULL);
  ua_conference_info_apply (conference, text, size, NULL);
  check_participants (conference->entries);
  check_written_participants (conference->entries);
  check_changes (conference->entries);
  if (ua_message_summary_read (text, size, &mailbox, NULL))
    check_text (mailbox.account);
  phone_mailbox_state_clear (&mailbox);
  /* as the first, and as one behind another */
  ua_rlmi_apply (list, "multipart/related; boundary=b0", text, size, NULL);
  list->version = 1;
  if (ua_rlmi_apply (list, "multipart/related; boundary=b0", text, size, NULL) != UA_INFO_APPLIED)
    g_assert (list->version == 1);
  g_assert (g_hash_table_size (resources) <= UA_MAX_RESOURCES);
  g_hash_table_iter_init (&iter, resources);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    check_text (((PhoneResource *) value)->name);
  return 0;
}
