/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* dialog-info: the dialogs of a watched phone. A full document is the whole truth, a partial one changes single dialogs and counts only
 * right after its predecessor (RFC 4235 section 4.3). Full documents with the number of the last one are taken: widely used servers number
 * all of theirs 0. */

#include "sip/event-doc.h"

#include <string.h>

#include "sip/info-version.h"

#define NS "urn:ietf:params:xml:ns:dialog-info"
#define MAX_ID 256
#define MAX_URI 512
#define MAX_NAME 128

UaInfo *
ua_dialog_info_new (void)
{
  return ua_info_new ((GDestroyNotify) phone_dialog_entry_free);
}

static void
read_remote (PhoneDialogEntry *entry, const UaXml *remote)
{
  const UaXml *identity = ua_xml_child (remote, NS, "identity");

  entry->remote_uri = ua_xml_dup_text (identity, MAX_URI);
  entry->remote_name = ua_xml_dup_attribute (identity, "display", MAX_NAME);
  if (!entry->remote_name)      /* what several servers write */
    entry->remote_name = ua_xml_dup_attribute (identity, "display-name", MAX_NAME);
  entry->remote_target = ua_xml_dup_attribute (ua_xml_child (remote, NS, "target"), "uri", MAX_URI);
}

static PhoneDialogEntry *
read_dialog (const UaXml *node)
{
  g_autoptr (PhoneDialogEntry) entry = g_new0 (PhoneDialogEntry, 1);
  g_autofree char *state = ua_xml_dup_text (ua_xml_child (node, NS, "state"), 16);
  const char *direction = ua_xml_attribute (node, "direction");

  entry->id = ua_xml_dup_attribute (node, "id", MAX_ID);
  if (!entry->id || !state || !phone_dialog_state_from_string (state, &entry->state))
    return NULL;
  entry->direction = !direction                                ? PHONE_DIALOG_DIRECTION_UNKNOWN
                     : g_str_equal (direction, "initiator") ? PHONE_DIALOG_INITIATOR
                     : g_str_equal (direction, "recipient") ? PHONE_DIALOG_RECIPIENT
                                                               : PHONE_DIALOG_DIRECTION_UNKNOWN;
  entry->call_id = ua_xml_dup_attribute (node, "call-id", MAX_ID);
  entry->local_tag = ua_xml_dup_attribute (node, "local-tag", MAX_ID);
  entry->remote_tag = ua_xml_dup_attribute (node, "remote-tag", MAX_ID);
  read_remote (entry, ua_xml_child (node, NS, "remote"));
  return g_steal_pointer (&entry);
}

static void
put (GPtrArray *dialogs, PhoneDialogEntry *entry)
{
  for (guint i = 0; i < dialogs->len; i++)
    if (g_str_equal (((PhoneDialogEntry *) g_ptr_array_index (dialogs, i))->id, entry->id))
      {
        g_ptr_array_remove_index (dialogs, i);
        break;
      }
  if (entry->state == PHONE_DIALOG_TERMINATED || dialogs->len >= UA_MAX_DIALOGS)
    phone_dialog_entry_free (entry);
  else
    g_ptr_array_add (dialogs, entry);
}

UaInfoResult
ua_dialog_info_apply (UaInfo *info, const char *data, gsize length, GError **error)
{
  g_autoptr (UaXml) root = ua_xml_parse (data, length, NS, "dialog-info", error);
  gboolean partial;
  UaInfoResult result;

  if (!root)
    return UA_INFO_BAD;
  result = ua_info_advance (&info->version, root, "dialog-info", &partial, error);
  if (result != UA_INFO_APPLIED)
    return result;
  if (!partial)
    g_ptr_array_set_size (info->entries, 0);
  for (guint i = 0; root->children && i < root->children->len; i++)
    {
      const UaXml *node = g_ptr_array_index (root->children, i);
      PhoneDialogEntry *entry = ua_xml_is (node, NS, "dialog") ? read_dialog (node) : NULL;

      if (entry)
        put (info->entries, entry);
    }
  return UA_INFO_APPLIED;
}

/* ---- writing ---- */

static void
add_attribute (GString *out, const char *name, const char *value)
{
  g_autofree char *text = value ? g_markup_escape_text (value, -1) : NULL;

  if (text)
    g_string_append_printf (out, " %s=\"%s\"", name, text);
}

static void
add_dialog (GString *out, const PhoneDialogEntry *entry, gboolean detailed)
{
  g_autofree char *remote = entry->remote_uri ? g_markup_escape_text (entry->remote_uri, -1) : NULL;

  g_string_append (out, "<dialog");
  add_attribute (out, "id", entry->id);
  if (detailed)
    {
      add_attribute (out, "call-id", entry->call_id);
      add_attribute (out, "local-tag", entry->local_tag);
      add_attribute (out, "remote-tag", entry->remote_tag);
    }
  if (entry->direction != PHONE_DIALOG_DIRECTION_UNKNOWN)
    add_attribute (out, "direction", entry->direction == PHONE_DIALOG_INITIATOR ? "initiator" : "recipient");
  g_string_append_printf (out, "><state>%s</state>", phone_dialog_state_to_string (entry->state));
  if (detailed && remote)
    {
      g_string_append (out, "<remote><identity");
      add_attribute (out, "display", entry->remote_name && *entry->remote_name ? entry->remote_name : NULL);
      g_string_append_printf (out, ">%s</identity>", remote);
      g_string_append (out, "<target");
      add_attribute (out, "uri", entry->remote_target ? entry->remote_target : entry->remote_uri);
      g_string_append (out, "/></remote>");
    }
  g_string_append (out, "</dialog>\n");
}

char *
ua_dialog_info_write (const char *entity, guint version, const GPtrArray *dialogs, gboolean detailed)
{
  GString *out = g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

  g_string_append_printf (out, "<dialog-info xmlns=\"" NS "\" version=\"%u\" state=\"full\"", version);
  add_attribute (out, "entity", entity);
  g_string_append (out, ">\n");
  for (guint i = 0; i < dialogs->len; i++)
    {
      const PhoneDialogEntry *entry = g_ptr_array_index (dialogs, i);

      if (entry->state != PHONE_DIALOG_TERMINATED)
        add_dialog (out, entry, detailed);
    }
  g_string_append (out, "</dialog-info>\n");
  return g_string_free (out, FALSE);
}
