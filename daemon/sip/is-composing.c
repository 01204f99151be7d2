/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* RFC 3994 section 4:
 *
 *   <isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>active</state><refresh>90</refresh></isComposing> */

#include "sip/instant-message.h"

#include "core/composing.h"
#include "sip/xml-tree.h"

#define NS "urn:ietf:params:xml:ns:im-iscomposing"

gboolean
ua_is_composing_read (const char *data, gsize length, gboolean *ret_active, guint *ret_refresh, GError **error)
{
  g_autoptr (UaXml) root = ua_xml_parse (data, length, NS, "isComposing", error);
  g_autofree char *state = root ? ua_xml_dup_text (ua_xml_child (root, NS, "state"), 32) : NULL;
  g_autofree char *refresh = root ? ua_xml_dup_text (ua_xml_child (root, NS, "refresh"), 16) : NULL;

  if (!root)
    return FALSE;
  if (!state)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "is-composing: without a state");
      return FALSE;
    }
  /* section 3.3.2: a state that is not known is idle */
  *ret_active = g_str_equal (state, "active");
  *ret_refresh = refresh ? (guint) MIN (g_ascii_strtoull (refresh, NULL, 10), PHONE_COMPOSING_MAX_REFRESH_S) : 0;
  return TRUE;
}

char *
ua_is_composing_write (gboolean active, guint refresh)
{
  g_autofree char *again = refresh ? g_strdup_printf ("<refresh>%u</refresh>", refresh) : g_strdup ("");

  return g_strdup_printf ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<isComposing xmlns=\"" NS "\"><state>%s</state>"
                          "<contenttype>text/plain</contenttype>%s</isComposing>\r\n",
                          active ? "active" : "idle", again);
}
