/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a MESSAGE carries, by its type, through at most one envelope. */

#include "sip/instant-message.h"

#include <string.h>

#include "util/text.h"

#define MAX_XML (16 * 1024)             /* reports and is-composing: nobody needs more */

/* ---- types ---- */

static gboolean
is_type (const char *type, const char *wanted)
{
  gsize length = strlen (wanted);

  return g_ascii_strncasecmp (type, wanted, length) == 0 && (type[length] == '\0' || strchr ("; \t", type[length]));
}

/* The charset parameter in capitals, without quotes; NULL: none. */
static char *
dup_charset (const char *type)
{
  g_auto (GStrv) params = g_strsplit (type, ";", 16);

  for (gsize i = 1; params[0] && params[i]; i++)
    {
      char *equals = strchr (params[i], '=');

      if (!equals)
        continue;
      *equals = '\0';
      if (g_ascii_strcasecmp (g_strstrip (params[i]), "charset") != 0)
        continue;
      g_strdelimit (equals + 1, "\"", ' ');
      return g_ascii_strup (g_strstrip (equals + 1), -1);
    }
  return NULL;
}

/* ---- text ---- */

static const char *const charsets[] = { "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252" };

/* RFC 3428 wants UTF-8 from everybody, and some old gateways have Latin alphabets all the same. */
static guint
read_text (const char *type, const char *data, gsize length, gsize max, char **ret_text, const char **ret_why)
{
  g_autofree char *charset = dup_charset (type);
  g_autofree char *converted = NULL;
  gsize written = 0;

  if (length > max)
    {
      *ret_why = "longer than a message may be";
      return 413;
    }
  if (!charset || g_str_equal (charset, "UTF-8") || g_str_equal (charset, "UTF8") || g_str_equal (charset, "US-ASCII"))
    {
      *ret_text = phone_text_clean_lines (data, length, max);
      return 0;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (charsets) && !converted; i++)
    if (g_str_equal (charset, charsets[i]))
      converted = g_convert (data, (gssize) length, "UTF-8", charsets[i], NULL, &written, NULL);
  if (!converted)
    {
      *ret_why = "a charset that is not known here";
      return 415;
    }
  *ret_text = phone_text_clean_lines (converted, written, max);
  return 0;
}

/* ---- by type ---- */

static guint
read_content (const char *type, const char *data, gsize length, gsize max, UaIm *im, const char **ret_why)
{
  if (is_type (type, "text/plain"))
    {
      im->kind = UA_IM_TEXT;
      return read_text (type, data, length, max, &im->text, ret_why);
    }
  if (length > MAX_XML)
    {
      *ret_why = "longer than its type may be";
      return 413;
    }
  *ret_why = "a body that cannot be read";
  if (is_type (type, "message/imdn+xml"))
    {
      im->kind = UA_IM_REPORT;
      return ua_imdn_read (data, length, &im->report, NULL) ? 0 : 400;
    }
  if (is_type (type, "application/im-iscomposing+xml"))
    {
      im->kind = UA_IM_COMPOSING;
      return ua_is_composing_read (data, length, &im->active, &im->refresh, NULL) ? 0 : 400;
    }
  *ret_why = "a type that is not known here";
  return 415;
}

guint
ua_im_read (const char *content_type, const char *data, gsize length, gsize max, UaIm *ret_im, const char **ret_why)
{
  const char *type = content_type ? content_type : "text/plain";
  g_autoptr (GError) error = NULL;
  UaIm im = { 0 };
  UaCpim cpim = { 0 };
  guint status;

  *ret_why = "";
  if (is_type (type, "message/cpim"))
    {
      if (length > UA_CPIM_MAX)
        {
          *ret_why = "longer than a message may be";
          return 413;
        }
      if (!ua_cpim_read (data, length, &cpim, &error))
        {
          *ret_why = "an envelope (CPIM) that cannot be read";
          return g_error_matches (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED) ? 415 : 400;
        }
      status = read_content (cpim.content_type, cpim.body, cpim.length, max, &im, ret_why);
      im.in_cpim = TRUE;
      im.message_id = g_steal_pointer (&cpim.message_id);
      im.asks = cpim.asks;
      ua_cpim_clear (&cpim);
    }
  else
    status = read_content (type, data, length, max, &im, ret_why);
  if (status)
    ua_im_clear (&im);
  else
    *ret_im = im;
  return status;
}

void
ua_im_clear (UaIm *im)
{
  g_clear_pointer (&im->text, g_free);
  g_clear_pointer (&im->message_id, g_free);
  ua_imdn_clear (&im->report);
}
