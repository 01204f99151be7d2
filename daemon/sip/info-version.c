/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/info-version.h"

UaInfo *
ua_info_new (GDestroyNotify free_entry)
{
  UaInfo *info = g_new0 (UaInfo, 1);

  info->entries = g_ptr_array_new_with_free_func (free_entry);
  info->version = -1;
  return info;
}

void
ua_info_free (UaInfo *info)
{
  if (!info)
    return;
  g_ptr_array_unref (info->entries);
  g_free (info);
}

void
ua_info_reset (UaInfo *info)
{
  info->version = -1;
}

UaInfoResult
ua_info_advance (gint64 *version, const UaXml *root, const char *what, gboolean *ret_partial, GError **error)
{
  const char *state = ua_xml_attribute (root, "state");

  *ret_partial = state && g_str_equal (state, "partial");
  return ua_info_step (version, ua_xml_attribute (root, "version"), *ret_partial, what, error);
}

UaInfoResult
ua_info_step (gint64 *version, const char *number, gboolean partial, const char *what, GError **error)
{
  guint64 next = 0;

  if (!number || !g_ascii_string_to_unsigned (number, 10, 0, G_MAXUINT32, &next, NULL))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "%s: no version", what);
      return UA_INFO_BAD;
    }
  if (*version >= 0 && ((gint64) next < *version || (partial && (gint64) next == *version)))
    return UA_INFO_OLD;
  if (partial && (*version < 0 || (gint64) next != *version + 1))
    return UA_INFO_GAP;
  *version = (gint64) next;
  return UA_INFO_APPLIED;
}
