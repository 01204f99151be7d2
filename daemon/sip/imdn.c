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
  const char *element, *word;
  PhoneDisposition disposition;
} dispositions[] = {
  { "delivery-notification", "delivered", PHONE_DISPOSITION_DELIVERED },
  { "display-notification", "displayed", PHONE_DISPOSITION_DISPLAYED },
  { "delivery-notification", "failed", PHONE_DISPOSITION_FAILED },
  { "delivery-notification", "forbidden", PHONE_DISPOSITION_DELIVERY_FORBIDDEN },
  { "delivery-notification", "error", PHONE_DISPOSITION_DELIVERY_ERROR },
  { "display-notification", "forbidden", PHONE_DISPOSITION_DISPLAY_FORBIDDEN },
  { "display-notification", "error", PHONE_DISPOSITION_DISPLAY_ERROR },
  { "processing-notification", "processed", PHONE_DISPOSITION_PROCESSED },
  { "processing-notification", "stored", PHONE_DISPOSITION_STORED },
  /* Of its own part the server does not tell: what comes of the message the peer may tell all the same. */
  { "processing-notification", "forbidden", PHONE_DISPOSITION_NONE },
  { "processing-notification", "error", PHONE_DISPOSITION_NONE },
};

gboolean
ua_imdn_read (const char *data, gsize length, UaImdn *ret_imdn, GError **error)
{
  g_autoptr (UaXml) root = ua_xml_parse (data, length, NS, "imdn", error);
  g_autofree char *id = NULL;
  gboolean said = FALSE;

  if (!root)
    return FALSE;
  id = ua_xml_dup_text (ua_xml_child (root, NS, "message-id"), UA_IM_MAX_ID);
  for (gsize i = 0; id && i < G_N_ELEMENTS (dispositions); i++)
    {
      const UaXml *status = ua_xml_child (ua_xml_child (root, NS, dispositions[i].element), NS, "status");
      const UaXml *word = status && status->children && status->children->len ? g_ptr_array_index (status->children, 0) : NULL;

      said |= word != NULL;
      if (!word || !g_str_equal (word->name, dispositions[i].word))
        continue;
      *ret_imdn = (UaImdn){ g_steal_pointer (&id), dispositions[i].disposition };
      return TRUE;
    }
  if (said)
    {
      *ret_imdn = (UaImdn){ g_steal_pointer (&id), PHONE_DISPOSITION_NONE };
      return TRUE;
    }
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "IMDN: says nothing about a message");
  return FALSE;
}

void
ua_imdn_clear (UaImdn *imdn)
{
  g_clear_pointer (&imdn->message_id, g_free);
}

char *
ua_imdn_write (const char *message_id, gint64 time, PhoneReport kind)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_utc (time);
  g_autofree char *stamp = when ? g_date_time_format (when, "%Y-%m-%dT%H:%M:%SZ") : g_strdup ("");
  gsize i = kind == PHONE_REPORT_DISPLAYED ? 1 : 0;

  return g_markup_printf_escaped ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"" NS "\"><message-id>%s</message-id>"
                                  "<datetime>%s</datetime><%s><status><%s/></status></%s></imdn>\r\n",
                                  message_id, stamp, dispositions[i].element, dispositions[i].word, dispositions[i].element);
}
