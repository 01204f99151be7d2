/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/diversion.h"

#include <string.h>

#include "sip/ua-header.h"
#include "util/name-addr.h"

#define MAX_COUNTER 100
#define MAX_KEPT 8              /* entries of others that we pass on */
#define MAX_INDEX 64            /* characters */
#define MAX_ENTRY 512           /* octets of one that we pass on as a caller */

static gboolean
is_same_party (const PhoneUri *a, const PhoneUri *b)
{
  return g_strcmp0 (a->user, b->user) == 0 && g_strcmp0 (a->host, b->host) == 0;
}

/* ---- what is there ---- */

static guint
counter_of (const char *entry)
{
  g_autoptr (PhoneNameAddr) addr = phone_name_addr_parse (entry, NULL);
  const char *counter = addr ? phone_name_addr_get_param (addr, "counter") : NULL;
  gint64 value = counter ? g_ascii_strtoll (counter, NULL, 10) : 1;

  return (guint) CLAMP (value, 1, MAX_COUNTER);
}

guint
ua_diversion_count (const char *diversion, const char *history)
{
  g_auto (GStrv) diversions = ua_header_split (diversion ? diversion : "");
  g_auto (GStrv) entries = ua_header_split (history ? history : "");
  guint by_diversion = 0, by_history = 0;

  for (gsize i = 0; diversions[i]; i++)
    by_diversion += counter_of (diversions[i]);
  for (gsize i = 0; entries[i]; i++)
    if (strstr (entries[i], ";cause="))
      by_history++;
  return MAX (by_diversion, by_history);
}

static gboolean
names (const char *value, const PhoneUri *who, gsize but_last)
{
  g_auto (GStrv) entries = ua_header_split (value ? value : "");
  gsize n = g_strv_length (entries);

  for (gsize i = 0; i + but_last < n; i++)
    {
      g_autoptr (PhoneNameAddr) addr = phone_name_addr_parse (entries[i], NULL);

      if (addr && is_same_party (addr->uri, who))
        return TRUE;
    }
  return FALSE;
}

/* In History-Info whoever stands before an entry with a cause has sent the call on; the last one is where it is now, perhaps we, and we
 * have done nothing yet. */
gboolean
ua_diversion_names (const char *diversion, const char *history, const char *aor)
{
  g_autoptr (PhoneUri) who = phone_uri_parse (aor, NULL);

  return who && (names (diversion, who, 0) || (history && strstr (history, ";cause=") && names (history, who, 1)));
}

/* ---- what we add ---- */

static void
append_entries (GString *out, char **entries)
{
  for (gsize i = 0; entries[i] && i < MAX_KEPT; i++)
    if (ua_header_is_safe (entries[i]))
      g_string_append_printf (out, "%s%s", out->len ? ", " : "", entries[i]);
}

char *
ua_diversion_keep (const char *value)
{
  g_auto (GStrv) entries = ua_header_split (value ? value : "");
  GString *out = g_string_new (NULL);
  guint kept = 0;

  for (gsize i = 0; entries[i] && kept < MAX_KEPT; i++)
    {
      g_autoptr (PhoneNameAddr) addr = strlen (entries[i]) <= MAX_ENTRY ? phone_name_addr_parse (entries[i], NULL) : NULL;

      if (!addr || !ua_header_is_safe (entries[i]))
        continue;
      g_string_append_printf (out, "%s%s", kept++ ? ", " : "", entries[i]);
    }
  return g_string_free (out, kept == 0);
}

char *
ua_diversion_add (const char *diversion, const char *aor, const char *reason)
{
  g_auto (GStrv) entries = ua_header_split (diversion ? diversion : "");
  GString *out = g_string_new (NULL);

  g_string_append_printf (out, "<%s>;reason=%s;counter=1", aor, reason);
  append_entries (out, entries);
  return g_string_free (out, FALSE);
}

/* RFC 4458 section 2 */
static guint
cause_of (const char *reason)
{
  return g_str_equal (reason, "user-busy") ? 486 : g_str_equal (reason, "no-answer") ? 408 : g_str_equal (reason, "deflection") ? 480 : 302;
}

/* "1.2" of the last entry, if it is that. */
static char *
last_index (char **entries)
{
  gsize n = g_strv_length (entries);
  g_autoptr (PhoneNameAddr) addr = n ? phone_name_addr_parse (entries[n - 1], NULL) : NULL;
  const char *index = addr ? phone_name_addr_get_param (addr, "index") : NULL;

  return index && *index && strlen (index) <= MAX_INDEX && strspn (index, "0123456789.") == strlen (index) ? g_strdup (index) : NULL;
}

char *
ua_history_add (const char *history, const char *request_uri, const char *target, const char *reason)
{
  g_auto (GStrv) entries = ua_header_split (history ? history : "");
  g_autoptr (PhoneUri) from = request_uri ? phone_uri_parse (request_uri, NULL) : NULL;
  g_autoptr (PhoneUri) to = phone_uri_parse (target, NULL);
  g_autofree char *index = last_index (entries);
  g_autofree char *us = NULL;
  g_autofree char *them = NULL;
  g_autofree char *cause = g_strdup_printf ("%u", cause_of (reason));
  GString *out;

  if (!from || !to || g_strv_length (entries) > MAX_KEPT)
    return NULL;
  g_ptr_array_set_size (from->headers, 0);
  g_ptr_array_set_size (to->headers, 0);
  us = phone_uri_to_string (from);
  if (to->scheme != PHONE_URI_TEL)
    phone_uri_set_param (to, "cause", cause);
  them = phone_uri_to_string (to);
  out = g_string_new (NULL);
  append_entries (out, entries);
  if (!index)
    {
      index = g_strdup ("1");
      g_string_truncate (out, 0);
      g_string_append_printf (out, "<%s>;index=1", us);
    }
  g_string_append_printf (out, ", <%s>;index=%s.1;mp=%s", them, index, index);
  return g_string_free (out, FALSE);
}
