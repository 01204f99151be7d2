/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Instant Message Disposition Notification, RFC 5438 section 11:
 *
 *   <imdn xmlns="urn:ietf:params:xml:ns:imdn">
 *     <message-id>34jk324j</message-id>
 *     <datetime>2008-04-04T12:16:49-05:00</datetime>
 *     <delivery-notification><status><delivered/></status></delivery-notification>
 *   </imdn> */

#include "sip/instant-message.h"

#include <string.h>

#include "sip/xml-tree.h"

#define NS "urn:ietf:params:xml:ns:imdn"

static const struct
{
  const char *element, *good;
  PhoneReport kind;
} kinds[] = {
  { "delivery-notification", "delivered", PHONE_REPORT_DELIVERED },
  { "display-notification", "displayed", PHONE_REPORT_DISPLAYED },
};

/* "forbidden" and "error" say that nothing will be said (RFC 5438 section 5): the message may well have arrived. */
static PhoneReported
read_word (const char *word, const char *good)
{
  return g_str_equal (word, good) ? PHONE_REPORTED_YES : g_str_equal (word, "failed") ? PHONE_REPORTED_NO : PHONE_REPORTED_NOTHING;
}

gboolean
ua_imdn_read (const char *data, gsize length, UaImdn *ret_imdn, GError **error)
{
  g_autoptr (UaXml) root = ua_xml_parse (data, length, NS, "imdn", error);
  g_autofree char *id = NULL;

  if (!root)
    return FALSE;
  id = ua_xml_dup_text (ua_xml_child (root, NS, "message-id"), UA_IM_MAX_ID);
  for (gsize i = 0; id && i < G_N_ELEMENTS (kinds); i++)
    {
      const UaXml *status = ua_xml_child (ua_xml_child (root, NS, kinds[i].element), NS, "status");
      const UaXml *word = status && status->children && status->children->len ? g_ptr_array_index (status->children, 0) : NULL;

      if (!word)
        continue;
      *ret_imdn = (UaImdn){ .message_id = g_steal_pointer (&id), .kind = kinds[i].kind, .what = read_word (word->name, kinds[i].good),
                            .status = g_strndup (word->name, UA_IM_MAX_ID) };
      return TRUE;
    }
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "IMDN: says nothing about a message");
  return FALSE;
}

void
ua_imdn_clear (UaImdn *imdn)
{
  g_clear_pointer (&imdn->message_id, g_free);
  g_clear_pointer (&imdn->status, g_free);
}

char *
ua_imdn_write (const char *message_id, gint64 time, PhoneReport kind)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_utc (time);
  g_autofree char *stamp = when ? g_date_time_format (when, "%Y-%m-%dT%H:%M:%SZ") : g_strdup ("");
  const char *element = kinds[0].element, *word = kinds[0].good;

  if (kind == PHONE_REPORT_DISPLAYED)
    {
      element = kinds[1].element;
      word = kinds[1].good;
    }
  return g_markup_printf_escaped ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"" NS "\"><message-id>%s</message-id>"
                                  "<datetime>%s</datetime><%s><status><%s/></status></%s></imdn>\r\n",
                                  message_id, stamp, element, word, element);
}
