/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* watcherinfo: who watches our presence at the server. A full document is the whole truth, a partial one changes single watchers and counts only right
 * after its predecessor (RFC 3858 section 3), as with dialog-info. */

#include "sip/event-doc.h"

#include <string.h>

#include "sip/info-version.h"

#define NS "urn:ietf:params:xml:ns:watcherinfo"
#define MAX_ID 256
#define MAX_URI 512
#define MAX_NAME 128

UaInfo *
ua_watcher_info_new (void)
{
  return ua_info_new ((GDestroyNotify) phone_watcher_free);
}

/* NULL: nothing that could be shown. */
static PhoneWatcher *
read_watcher (const UaXml *node)
{
  g_autoptr (PhoneWatcher) watcher = g_new0 (PhoneWatcher, 1);
  const char *status = ua_xml_attribute (node, "status");

  watcher->id = ua_xml_dup_attribute (node, "id", MAX_ID);
  watcher->uri = ua_xml_dup_text (node, MAX_URI);
  watcher->name = ua_xml_dup_attribute (node, "display-name", MAX_NAME);
  if (!watcher->id || !watcher->uri || !status || !phone_watcher_state_from_string (status, &watcher->state))
    return NULL;
  return g_steal_pointer (&watcher);
}

static void
put (GPtrArray *watchers, PhoneWatcher *watcher)
{
  for (guint i = 0; i < watchers->len; i++)
    if (g_str_equal (((PhoneWatcher *) g_ptr_array_index (watchers, i))->id, watcher->id))
      {
        g_ptr_array_remove_index (watchers, i);
        break;
      }
  if (watcher->state == PHONE_WATCHER_TERMINATED || watchers->len >= UA_MAX_WATCHERS)
    phone_watcher_free (watcher);
  else
    g_ptr_array_add (watchers, watcher);
}

static void
read_list (UaInfo *info, const UaXml *list)
{
  for (guint i = 0; list->children && i < list->children->len; i++)
    {
      const UaXml *node = g_ptr_array_index (list->children, i);
      PhoneWatcher *watcher = ua_xml_is (node, NS, "watcher") ? read_watcher (node) : NULL;

      if (watcher)
        put (info->entries, watcher);
    }
}

UaInfoResult
ua_watcher_info_apply (UaInfo *info, const char *data, gsize length, GError **error)
{
  g_autoptr (UaXml) root = ua_xml_parse (data, length, NS, "watcherinfo", error);
  gboolean partial;
  UaInfoResult result;

  if (!root)
    return UA_INFO_BAD;
  result = ua_info_advance (&info->version, root, "watcherinfo", &partial, error);
  if (result != UA_INFO_APPLIED)
    return result;
  if (!partial)
    g_ptr_array_set_size (info->entries, 0);
  for (guint i = 0; root->children && i < root->children->len; i++)
    {
      const UaXml *list = g_ptr_array_index (root->children, i);
      const char *package = ua_xml_attribute (list, "package");

      if (ua_xml_is (list, NS, "watcher-list") && package && g_str_equal (package, "presence"))
        read_list (info, list);
    }
  return UA_INFO_APPLIED;
}
