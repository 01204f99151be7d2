/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/refer.h"

#include <string.h>

#include "sip/ua-header.h"
#include "util/name-addr.h"

#define MAX_SIPFRAG (16 * 1024)
#define MAX_LINES 64
#define VERSION "SIP/2.0 "
/* call-id of RFC 3261: words of these, with at most one @ */
#define WORD_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-.!%*_+`'~()<>:\\\"/[]?{}@"
#define TOKEN_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-.!%*_+`'~"

/* ---- sipfrag ---- */

guint
ua_sipfrag_status (const char *content_type, const char *body, gsize length)
{
  gsize type = strlen ("message/sipfrag");
  gsize version = strlen (VERSION);
  guint status = 0;

  if (!content_type || g_ascii_strncasecmp (content_type, "message/sipfrag", type) != 0
      || (content_type[type] && !strchr ("; \t", content_type[type])))
    return 0;
  if (length < version + 3 || length > MAX_SIPFRAG || g_ascii_strncasecmp (body, VERSION, version) != 0)
    return 0;
  for (gsize i = version; i < version + 3; i++)
    {
      if (!g_ascii_isdigit (body[i]))
        return 0;
      status = status * 10 + (guint) (body[i] - '0');
    }
  if (length > version + 3 && !strchr (" \r\n", body[version + 3]))
    return 0;
  return status >= 100 && status < 700 ? status : 0;
}

char *
ua_sipfrag_contact (const char *content_type, const char *body, gsize length)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!ua_sipfrag_status (content_type, body, length))
    return NULL;
  text = g_strndup (body, length);
  lines = g_strsplit_set (text, "\r\n", MAX_LINES);
  for (gsize i = 0; lines[i]; i++)
    {
      char *colon = strchr (lines[i], ':');
      g_autofree char *name = colon ? g_strndup (lines[i], (gsize) (colon - lines[i])) : NULL;
      g_autoptr (PhoneNameAddr) addr = NULL;

      if (!name || (g_ascii_strcasecmp (g_strstrip (name), "Contact") != 0 && g_ascii_strcasecmp (name, "m") != 0))
        continue;
      addr = phone_name_addr_parse (g_strstrip (colon + 1), NULL);
      return addr ? phone_uri_to_string (addr->uri) : NULL;
    }
  return NULL;
}

char *
ua_sipfrag_write (guint status, const char *phrase)
{
  return g_strdup_printf (VERSION "%u %s\r\n", status, phrase ? phrase : "");
}

/* ---- Refer-To ---- */

static char *
unescape (const char *value)
{
  g_autofree char *plain = value && strlen (value) <= UA_MAX_DIALOG_ID ? g_uri_unescape_string (value, NULL) : NULL;

  return plain && ua_header_is_safe (plain) && g_utf8_validate (plain, -1, NULL) ? g_steal_pointer (&plain) : NULL;
}

/* *ret_replaces NULL: none. FALSE: there is one, and it cannot be read. */
static gboolean
take_replaces (const PhoneUri *uri, char **ret_replaces, GError **error)
{
  UaDialogId id;

  *ret_replaces = NULL;
  for (guint i = 0; i < uri->headers->len; i++)
    {
      const PhoneUriParam *header = g_ptr_array_index (uri->headers, i);
      g_autofree char *value = NULL;

      if (g_ascii_strcasecmp (header->name, "Replaces") != 0)
        continue;
      value = unescape (header->value);
      if (*ret_replaces || !value || !ua_replaces_parse (value, &id))
        {
          g_clear_pointer (ret_replaces, g_free);
          g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "Refer-To: its Replaces names no dialog");
          return FALSE;
        }
      ua_dialog_id_clear (&id);
      *ret_replaces = g_steal_pointer (&value);
    }
  return TRUE;
}

gboolean
ua_refer_to_parse (const char *value, char **ret_target, char **ret_replaces, GError **error)
{
  g_autoptr (PhoneNameAddr) addr = phone_name_addr_parse (value, error);
  const char *method;

  if (!addr)
    return FALSE;
  method = phone_uri_get_param (addr->uri, "method");
  if (phone_uri_has_param (addr->uri, "method") && g_strcmp0 (method, "INVITE") != 0)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "Refer-To: only INVITE can be asked for");
      return FALSE;
    }
  if (!take_replaces (addr->uri, ret_replaces, error))
    return FALSE;
  phone_uri_remove_param (addr->uri, "method");
  g_ptr_array_set_size (addr->uri->headers, 0);
  *ret_target = phone_uri_to_string (addr->uri);
  return TRUE;
}

char *
ua_refer_to_write (const char *target, const char *replaces, GError **error)
{
  g_autoptr (PhoneUri) uri = phone_uri_parse (target, error);
  g_autofree char *plain = NULL;
  g_autofree char *escaped = NULL;

  if (!uri)
    return NULL;
  g_ptr_array_set_size (uri->headers, 0);
  plain = phone_uri_to_string (uri);
  if (!replaces)
    return g_strdup_printf ("<%s>", plain);
  escaped = g_uri_escape_string (replaces, NULL, FALSE);
  return g_strdup_printf ("<%s?Replaces=%s>", plain, escaped);
}

/* ---- the name of a dialog ---- */

void
ua_dialog_id_clear (UaDialogId *id)
{
  g_clear_pointer (&id->call_id, g_free);
  g_clear_pointer (&id->local_tag, g_free);
  g_clear_pointer (&id->remote_tag, g_free);
}

/* A parameter that stands twice could mean one thing to us and another to a server on the way: refused. */
static gboolean
take_tag (char **where, const char *value)
{
  if (*where || !value || !*value || value[strspn (value, TOKEN_CHARS)])
    return FALSE;
  *where = g_strdup (value);
  return TRUE;
}

static gboolean
parse_id (const char *value, const char *local, const char *remote, UaDialogId *ret_id)
{
  g_auto (GStrv) parts = NULL;
  gboolean ok = TRUE;

  *ret_id = (UaDialogId){ 0 };
  if (strlen (value) > UA_MAX_DIALOG_ID)
    return FALSE;
  parts = g_strsplit (value, ";", 16);
  if (!parts[0])
    return FALSE;
  g_strstrip (parts[0]);
  ok = *parts[0] && !parts[0][strspn (parts[0], WORD_CHARS)];
  if (ok)
    ret_id->call_id = g_strdup (parts[0]);
  for (gsize i = 1; ok && parts[i]; i++)
    {
      char *name = g_strstrip (parts[i]);
      char *equals = strchr (name, '=');
      const char *text = equals ? g_strstrip (equals + 1) : NULL;

      if (equals)
        {
          *equals = '\0';
          g_strchomp (name);
        }
      if (g_ascii_strcasecmp (name, local) == 0)
        ok = take_tag (&ret_id->local_tag, text);
      else if (g_ascii_strcasecmp (name, remote) == 0)
        ok = take_tag (&ret_id->remote_tag, text);
      else if (g_ascii_strcasecmp (name, "early-only") == 0)
        ret_id->early_only = TRUE;
    }
  if (ok && ret_id->local_tag && ret_id->remote_tag)
    return TRUE;
  ua_dialog_id_clear (ret_id);
  return FALSE;
}

/* Tags are named from the sender's side in Target-Dialog, and by direction in Replaces: To is the side of whoever gets it. */
gboolean
ua_target_dialog_parse (const char *value, UaDialogId *ret_id)
{
  return parse_id (value, "remote-tag", "local-tag", ret_id);
}

gboolean
ua_replaces_parse (const char *value, UaDialogId *ret_id)
{
  return parse_id (value, "to-tag", "from-tag", ret_id);
}
