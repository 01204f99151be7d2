/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The grammar of RFC 3261 section 25.1 (SIP-URI) leaves no choice that needs looking back: the first '@' ends the user
 * part because '@' may stand unescaped nowhere else, so the parser cuts the text at '@', '?' and ';' and looks at each
 * piece alone. Every piece passes canonicalize(), the only place that decides about octets. */

#include "util/phone-uri.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#include "util/text.h"

/* Beyond alphanumerics: RFC 3261 section 25.1. */
#define MARK "-_.!~*'()"
#define USER_UNRESERVED "&=+$,;?/"
#define PASSWORD_UNRESERVED "&=+$,"
#define PARAM_UNRESERVED "[]/:&+$"
#define HEADER_UNRESERVED "[]/?:+$"
#define VISUAL_SEPARATORS "-.()"

#define MAX_HOST 253
#define MAX_LABEL 63
#define MAX_NUMBER 128

PHONE_DEFINE_ENUM (PhoneUriScheme, phone_uri_scheme, PHONE_URI_SCHEME_LIST)

static gboolean G_GNUC_PRINTF (2, 3)
fail (GError **error, const char *format, ...)
{
  va_list args;
  g_autofree char *message = NULL;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "not a usable URI: %s", message);
  return FALSE;
}

static gboolean
is_unreserved (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr (MARK, c) != NULL);
}

static void
append_escaped (GString *out, guchar octet)
{
  g_string_append_printf (out, "%%%02X", octet);
}

/* The octet of the escape at p (which points at '%'), or -1. Never looks behind a NUL. */
static int
escape_value (const char *p, const char *end)
{
  if (end - p < 3 || !g_ascii_isxdigit (p[1]) || !g_ascii_isxdigit (p[2]))
    return -1;
  return g_ascii_xdigit_value (p[1]) * 16 + g_ascii_xdigit_value (p[2]);
}

/* allowed: may stand as they are beside the unreserved; escape_too: are not allowed but taken and escaped ("#"; NULL: none, else UTF-8 also). */
static char *
canonicalize (const char *text, gsize length, const char *allowed, const char *escape_too, const char *what, GError **error)
{
  g_autoptr (GString) out = g_string_sized_new (length);
  const char *end = text + length;

  if (escape_too != NULL && !g_utf8_validate (text, (gssize) length, NULL))
    {
      fail (error, "the %s is not valid UTF-8", what);
      return NULL;
    }

  for (const char *p = text; p < end; p++)
    {
      if (*p == '%')
        {
          int octet = escape_value (p, end);
          if (octet < 0)
            {
              fail (error, "'%%' without two hexadecimal digits in the %s", what);
              return NULL;
            }
          if (is_unreserved ((char) octet))
            g_string_append_c (out, (char) octet);
          else
            append_escaped (out, (guchar) octet);
          p += 2;
        }
      else if (is_unreserved (*p) || strchr (allowed, *p) != NULL)
        g_string_append_c (out, *p);
      else if (escape_too != NULL && ((guchar) *p >= 0x80 || strchr (escape_too, *p) != NULL))
        append_escaped (out, (guchar) *p);
      else
        {
          fail (error, "%s is not allowed in the %s", phone_text_octet ((guchar) *p), what);
          return NULL;
        }
    }
  return g_strdup (out->str);
}

/* Plain text into a part that may hold the allowed characters. */
static char *
escape (const char *text, const char *allowed)
{
  GString *out = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p++)
    if (is_unreserved (*p) || strchr (allowed, *p) != NULL)
      g_string_append_c (out, *p);
    else
      append_escaped (out, (guchar) *p);
  return g_string_free (out, FALSE);
}

static void
param_free (gpointer data)
{
  PhoneUriParam *param = data;
  g_free (param->name);
  g_free (param->value);
  g_free (param);
}

static PhoneUriParam *
params_find (const GPtrArray *params, const char *name)
{
  for (guint i = 0; i < params->len; i++)
    {
      PhoneUriParam *param = g_ptr_array_index (params, i);
      if (g_ascii_strcasecmp (param->name, name) == 0)
        return param;
    }
  return NULL;
}

static void
params_add (GPtrArray *params, char *name, char *value)
{
  PhoneUriParam *param = g_new (PhoneUriParam, 1);
  param->name = name;
  param->value = value;
  g_ptr_array_add (params, param);
}

/* What is taken unescaped leaves escaped: the limit holds for what leaves too. */
static gboolean
check_length (const PhoneUri *uri, GError **error)
{
  g_autofree char *text = phone_uri_to_string (uri);
  if (strlen (text) > PHONE_URI_MAX)
    return fail (error, "longer than %d octets", PHONE_URI_MAX);
  return TRUE;
}

static PhoneUri *
uri_alloc (PhoneUriScheme scheme)
{
  PhoneUri *uri = g_new0 (PhoneUri, 1);
  uri->scheme = scheme;
  uri->params = g_ptr_array_new_with_free_func (param_free);
  uri->headers = g_ptr_array_new_with_free_func (param_free);
  return uri;
}

void
phone_uri_free (PhoneUri *uri)
{
  if (uri == NULL)
    return;
  g_free (uri->user);
  g_free (uri->host);
  g_ptr_array_unref (uri->params);
  g_ptr_array_unref (uri->headers);
  g_free (uri);
}

static void
params_copy (const GPtrArray *from, GPtrArray *to)
{
  for (guint i = 0; i < from->len; i++)
    {
      const PhoneUriParam *param = g_ptr_array_index (from, i);
      params_add (to, g_strdup (param->name), g_strdup (param->value));
    }
}

PhoneUri *
phone_uri_copy (const PhoneUri *uri)
{
  PhoneUri *copy;

  g_return_val_if_fail (uri != NULL, NULL);
  copy = uri_alloc (uri->scheme);
  copy->user = g_strdup (uri->user);
  copy->host = g_strdup (uri->host);
  copy->host_is_ipv6 = uri->host_is_ipv6;
  copy->port = uri->port;
  params_copy (uri->params, copy->params);
  params_copy (uri->headers, copy->headers);
  return copy;
}

/* One text between separators, e.g. "transport=tcp". */
static gboolean
parse_param (GPtrArray *params, const char *text, gsize length, GError **error)
{
  const char *equals = memchr (text, '=', length);
  gsize name_length = equals != NULL ? (gsize) (equals - text) : length;
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;

  if (name_length == 0)
    return fail (error, "a parameter has no name");
  name = canonicalize (text, name_length, PARAM_UNRESERVED, NULL, "name of a parameter", error);
  if (name == NULL)
    return FALSE;
  if (equals != NULL)
    {
      gsize value_length = length - name_length - 1;
      if (value_length == 0)
        return fail (error, "the parameter \"%s\" has an empty value", name);
      value = canonicalize (equals + 1, value_length, PARAM_UNRESERVED, NULL, "value of a parameter", error);
      if (value == NULL)
        return FALSE;
    }
  if (params_find (params, name) != NULL)
    return fail (error, "the parameter \"%s\" stands twice", name);
  if (params->len == PHONE_URI_MAX_PARAMS)
    return fail (error, "more than %d parameters", PHONE_URI_MAX_PARAMS);
  params_add (params, g_ascii_strdown (name, -1), g_steal_pointer (&value));
  return TRUE;
}

static gboolean
parse_header (GPtrArray *headers, const char *text, gsize length, GError **error)
{
  const char *equals = memchr (text, '=', length);
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;

  if (equals == NULL || equals == text)
    return fail (error, "a header after '?' is not NAME=VALUE");
  name = canonicalize (text, (gsize) (equals - text), HEADER_UNRESERVED, NULL, "name of a header", error);
  if (name == NULL)
    return FALSE;
  value = canonicalize (equals + 1, length - (gsize) (equals + 1 - text), HEADER_UNRESERVED, NULL, "value of a header", error);
  if (value == NULL)
    return FALSE;
  if (headers->len == PHONE_URI_MAX_PARAMS)
    return fail (error, "more than %d headers", PHONE_URI_MAX_PARAMS);
  params_add (headers, g_steal_pointer (&name), g_steal_pointer (&value));
  return TRUE;
}

/* text begins behind the first separator. */
static gboolean
parse_list (GPtrArray *list, const char *text, const char *end, char separator,
            gboolean (*parse_one) (GPtrArray *, const char *, gsize, GError **), GError **error)
{
  for (;;)
    {
      const char *next = memchr (text, separator, (gsize) (end - text));
      if (!parse_one (list, text, (gsize) ((next != NULL ? next : end) - text), error))
        return FALSE;
      if (next == NULL)
        return TRUE;
      text = next + 1;
    }
}

static gboolean
check_hostname (const char *host, GError **error)
{
  g_auto (GStrv) labels = NULL;
  const char *last = NULL;

  if (strlen (host) > MAX_HOST)
    return fail (error, "the host is longer than %d characters", MAX_HOST);
  labels = g_strsplit (host, ".", -1);
  for (guint i = 0; labels[i] != NULL; i++)
    {
      gsize n = strlen (labels[i]);
      if (n == 0 || n > MAX_LABEL)
        return fail (error, "the host has a label that is empty or longer than %d characters", MAX_LABEL);
      for (gsize k = 0; k < n; k++)
        if (!g_ascii_isalnum (labels[i][k]) && labels[i][k] != '-' && labels[i][k] != '_')
          return fail (error, "%s is not allowed in the host", phone_text_octet ((guchar) labels[i][k]));
      if (labels[i][0] == '-' || labels[i][n - 1] == '-')
        return fail (error, "a label of the host begins or ends with '-'");
      last = labels[i];
    }

  /* What ends in a number is an IPv4 address or nothing: "127.1" and "0177.0.0.1" mean different hosts to different resolvers. */
  if (strspn (last, "0123456789") == strlen (last))
    {
      struct in_addr address;
      if (inet_pton (AF_INET, host, &address) != 1)
        return fail (error, "\"%s\" is neither a host name nor an IPv4 address", host);
    }
  return TRUE;
}

static gboolean
set_host (PhoneUri *uri, const char *text, gsize length, GError **error)
{
  if (length == 0)
    return fail (error, "there is no host");
  uri->host = g_ascii_strdown (text, (gssize) length);
  /* The name in the root zone is the same name. */
  if (length > 1 && uri->host[length - 1] == '.')
    uri->host[length - 1] = '\0';
  return check_hostname (uri->host, error);
}

static gboolean
set_ipv6 (PhoneUri *uri, const char *text, gsize length, GError **error)
{
  char buffer[INET6_ADDRSTRLEN] = "";
  struct in6_addr address;

  if (length < sizeof buffer)
    memcpy (buffer, text, length);
  if (inet_pton (AF_INET6, buffer, &address) != 1)
    return fail (error, "what stands in brackets is not an IPv6 address");
  uri->host = g_strdup (inet_ntop (AF_INET6, &address, buffer, sizeof buffer));
  uri->host_is_ipv6 = TRUE;
  return TRUE;
}

/* host [ ":" port ] */
static gboolean
parse_hostport (PhoneUri *uri, const char *text, const char *end, GError **error)
{
  const char *colon;

  if (text < end && *text == '[')
    {
      const char *close = memchr (text, ']', (gsize) (end - text));
      if (close == NULL)
        return fail (error, "'[' without ']' in the host");
      if (!set_ipv6 (uri, text + 1, (gsize) (close - text - 1), error))
        return FALSE;
      colon = close + 1;
      if (colon < end && *colon != ':')
        return fail (error, "%s follows the IPv6 address", phone_text_octet ((guchar) *colon));
    }
  else
    {
      colon = memchr (text, ':', (gsize) (end - text));
      if (colon == NULL)
        colon = end;
      if (!set_host (uri, text, (gsize) (colon - text), error))
        return FALSE;
    }

  if (colon < end)
    {
      guint port = 0;
      gsize digits = (gsize) (end - colon - 1);
      if (digits == 0 || digits > 5)
        return fail (error, "the port is not a number between 1 and 65535");
      for (const char *p = colon + 1; p < end; p++)
        {
          if (!g_ascii_isdigit (*p))
            return fail (error, "%s is not allowed in the port", phone_text_octet ((guchar) *p));
          port = port * 10 + (guint) g_ascii_digit_value (*p);
        }
      if (port == 0 || port > 65535)
        return fail (error, "the port %u is not between 1 and 65535", port);
      uri->port = (guint16) port;
    }
  return TRUE;
}

static gboolean
parse_sip (PhoneUri *uri, const char *text, GError **error)
{
  const char *end = text + strlen (text);
  const char *at = memchr (text, '@', (gsize) (end - text));
  const char *query, *semicolon, *host_end;

  if (at != NULL)
    {
      const char *colon = memchr (text, ':', (gsize) (at - text));
      gsize length = (gsize) ((colon != NULL ? colon : at) - text);
      if (length == 0)
        return fail (error, "there is no user before '@'");
      uri->user = canonicalize (text, length, USER_UNRESERVED, "#", "user part", error);
      if (uri->user == NULL)
        return FALSE;
      if (colon != NULL)
        {
          g_autofree char *password
              = canonicalize (colon + 1, (gsize) (at - colon - 1), PASSWORD_UNRESERVED, NULL, "password", error);
          if (password == NULL)
            return FALSE;
          explicit_bzero (password, strlen (password));
        }
      text = at + 1;
    }

  query = memchr (text, '?', (gsize) (end - text));
  if (query != NULL && !parse_list (uri->headers, query + 1, end, '&', parse_header, error))
    return FALSE;
  host_end = query != NULL ? query : end;
  semicolon = memchr (text, ';', (gsize) (host_end - text));
  if (semicolon != NULL && !parse_list (uri->params, semicolon + 1, host_end, ';', parse_param, error))
    return FALSE;
  return parse_hostport (uri, text, semicolon != NULL ? semicolon : host_end, error);
}

/* Digits without visual separators (RFC 3966 section 5.1.1). hex: a local number, which also has A-F, '*' and '#'. */
static char *
parse_number (const char *text, const char *end, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean global = FALSE;

  for (const char *p = text; p < end; p++)
    {
      char c = *p;

      if (c == '%')
        {
          int octet = escape_value (p, end);
          if (octet != '#' && octet != '*' && octet != '+')
            {
              fail (error, "an escape other than of '#', '*' or '+' in the number");
              return NULL;
            }
          c = (char) octet;
          p += 2;
        }
      if (c != '\0' && strchr (VISUAL_SEPARATORS, c) != NULL)
        continue;
      if (c == '+' && out->len == 0)
        global = TRUE;
      else if (!(g_ascii_isdigit (c) || (!global && (g_ascii_isxdigit (c) || c == '*' || c == '#'))))
        {
          fail (error, "%s is not allowed in the number", phone_text_octet ((guchar) c));
          return NULL;
        }
      g_string_append_c (out, g_ascii_toupper (c));
      if (out->len > MAX_NUMBER)
        {
          fail (error, "the number is longer than %d digits", MAX_NUMBER);
          return NULL;
        }
    }
  if (out->len == (global ? 1 : 0))
    {
      fail (error, "the number has no digits");
      return NULL;
    }
  return g_strdup (out->str);
}

static gboolean
parse_tel (PhoneUri *uri, const char *text, GError **error)
{
  const char *end = text + strlen (text);
  const char *semicolon = memchr (text, ';', (gsize) (end - text));

  uri->user = parse_number (text, semicolon != NULL ? semicolon : end, error);
  if (uri->user == NULL)
    return FALSE;
  if (semicolon != NULL && !parse_list (uri->params, semicolon + 1, end, ';', parse_param, error))
    return FALSE;

  /* Numbers in parameters lose their separators too: RFC 3966 section 4 compares them so. */
  for (guint i = 0; i < uri->params->len; i++)
    {
      PhoneUriParam *param = g_ptr_array_index (uri->params, i);
      gboolean is_number = g_str_equal (param->name, "ext")
                           || (g_str_equal (param->name, "phone-context") && param->value != NULL && param->value[0] == '+');
      if (is_number)
        {
          g_autofree char *number = NULL;
          if (param->value == NULL)
            return fail (error, "the parameter \"%s\" has no value", param->name);
          number = parse_number (param->value, param->value + strlen (param->value), error);
          if (number == NULL)
            return FALSE;
          g_free (param->value);
          param->value = escape (number, PARAM_UNRESERVED);
        }
    }
  return TRUE;
}

PhoneUri *
phone_uri_parse (const char *text, GError **error)
{
  g_autoptr (PhoneUri) uri = NULL;
  g_autofree char *word = NULL;
  const char *colon;
  PhoneUriScheme scheme;
  gboolean ok = FALSE;

  g_return_val_if_fail (text != NULL, NULL);

  if (strnlen (text, PHONE_URI_MAX + 1) > PHONE_URI_MAX)
    {
      fail (error, "longer than %d octets", PHONE_URI_MAX);
      return NULL;
    }
  colon = strchr (text, ':');
  word = colon != NULL ? g_ascii_strdown (text, colon - text) : NULL;
  if (word == NULL || !phone_uri_scheme_from_string (word, &scheme))
    {
      fail (error, "it does not begin with sip:, sips: or tel:");
      return NULL;
    }

  uri = uri_alloc (scheme);
  switch (scheme)
    {
    case PHONE_URI_SIP:
    case PHONE_URI_SIPS:
      ok = parse_sip (uri, colon + 1, error);
      break;
    case PHONE_URI_TEL:
      ok = parse_tel (uri, colon + 1, error);
      break;
    }
  return ok && check_length (uri, error) ? g_steal_pointer (&uri) : NULL;
}

PhoneUri *
phone_uri_new (PhoneUriScheme scheme, const char *user, const char *host, guint16 port, GError **error)
{
  g_autoptr (PhoneUri) uri = NULL;
  struct in6_addr address;

  g_return_val_if_fail (scheme == PHONE_URI_SIP || scheme == PHONE_URI_SIPS, NULL);
  g_return_val_if_fail (host != NULL, NULL);

  uri = uri_alloc (scheme);
  uri->user = user != NULL && user[0] != '\0' ? escape (user, USER_UNRESERVED) : NULL;
  uri->port = port;
  if (inet_pton (AF_INET6, host, &address) == 1)
    {
      if (!set_ipv6 (uri, host, strlen (host), error))
        return NULL;
    }
  else
    {
      if (!parse_hostport (uri, host, host + strlen (host), error))
        return NULL;
      uri->port = port != 0 ? port : uri->port;
    }
  return check_length (uri, error) ? g_steal_pointer (&uri) : NULL;
}

static void
append_list (GString *out, const GPtrArray *list, char first, char next)
{
  for (guint i = 0; i < list->len; i++)
    {
      const PhoneUriParam *param = g_ptr_array_index (list, i);
      g_string_append_c (out, i == 0 ? first : next);
      g_string_append (out, param->name);
      if (param->value != NULL)
        {
          g_string_append_c (out, '=');
          g_string_append (out, param->value);
        }
    }
}

char *
phone_uri_to_string (const PhoneUri *uri)
{
  GString *out;

  g_return_val_if_fail (uri != NULL, NULL);

  out = g_string_new (phone_uri_scheme_to_string (uri->scheme));
  g_string_append_c (out, ':');
  if (uri->scheme == PHONE_URI_TEL)
    {
      g_autofree char *number = escape (uri->user, "+");
      g_string_append (out, number);
    }
  else
    {
      if (uri->user != NULL)
        g_string_append_printf (out, "%s@", uri->user);
      g_string_append_printf (out, uri->host_is_ipv6 ? "[%s]" : "%s", uri->host);
      if (uri->port != 0)
        g_string_append_printf (out, ":%u", uri->port);
    }
  append_list (out, uri->params, ';', ';');
  append_list (out, uri->headers, '?', '&');
  return g_string_free (out, FALSE);
}

static gboolean
values_equal (const char *a, const char *b, gboolean case_matters)
{
  if (a == NULL || b == NULL)
    return a == b;
  return case_matters ? g_str_equal (a, b) : g_ascii_strcasecmp (a, b) == 0;
}

/* TRUE when every parameter of a is in b with the same value. optional: may be missing in b, except those that section 19.1.4 and its
 * examples name. */
static gboolean
params_match (const GPtrArray *a, const GPtrArray *b, gboolean optional)
{
  static const char *const decisive[] = { "user", "ttl", "method", "maddr", "transport", NULL };

  for (guint i = 0; i < a->len; i++)
    {
      const PhoneUriParam *param = g_ptr_array_index (a, i);
      const PhoneUriParam *other = params_find (b, param->name);
      if (other == NULL ? (!optional || g_strv_contains (decisive, param->name))
                        : !values_equal (param->value, other->value, FALSE))
        return FALSE;
    }
  return TRUE;
}

/* Headers may repeat (two Route headers): compared as multisets. */
static gboolean
headers_equal (const GPtrArray *a, const GPtrArray *b)
{
  gboolean used[PHONE_URI_MAX_PARAMS] = { FALSE };

  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    {
      const PhoneUriParam *header = g_ptr_array_index (a, i);
      gboolean found = FALSE;
      for (guint k = 0; k < b->len && !found; k++)
        {
          const PhoneUriParam *other = g_ptr_array_index (b, k);
          found = !used[k] && g_ascii_strcasecmp (header->name, other->name) == 0 && values_equal (header->value, other->value, TRUE);
          if (found)
            used[k] = TRUE;
        }
      if (!found)
        return FALSE;
    }
  return TRUE;
}

gboolean
phone_uri_equal (const PhoneUri *a, const PhoneUri *b)
{
  gboolean optional;

  g_return_val_if_fail (a != NULL && b != NULL, FALSE);

  optional = a->scheme != PHONE_URI_TEL;
  return a->scheme == b->scheme && values_equal (a->user, b->user, TRUE) && values_equal (a->host, b->host, TRUE)
         && a->host_is_ipv6 == b->host_is_ipv6 && a->port == b->port
         && params_match (a->params, b->params, optional) && params_match (b->params, a->params, optional)
         && headers_equal (a->headers, b->headers);
}

char *
phone_uri_dup_user (const PhoneUri *uri)
{
  g_autofree char *text = NULL;

  g_return_val_if_fail (uri != NULL, NULL);

  if (uri->user == NULL)
    return NULL;
  /* NULL for %00 too. */
  text = g_uri_unescape_string (uri->user, NULL);
  return text != NULL && phone_text_is_clean (text) ? g_steal_pointer (&text) : NULL;
}

gboolean
phone_uri_has_param (const PhoneUri *uri, const char *name)
{
  g_return_val_if_fail (uri != NULL && name != NULL, FALSE);
  return params_find (uri->params, name) != NULL;
}

const char *
phone_uri_get_param (const PhoneUri *uri, const char *name)
{
  const PhoneUriParam *param;

  g_return_val_if_fail (uri != NULL && name != NULL, NULL);
  param = params_find (uri->params, name);
  return param != NULL ? param->value : NULL;
}

void
phone_uri_set_param (PhoneUri *uri, const char *name, const char *value)
{
  PhoneUriParam *param;
  char *escaped;

  g_return_if_fail (uri != NULL && name != NULL && name[0] != '\0');
  for (const char *p = name; *p != '\0'; p++)
    g_return_if_fail (is_unreserved (*p));

  escaped = value != NULL && value[0] != '\0' ? escape (value, PARAM_UNRESERVED) : NULL;
  param = params_find (uri->params, name);
  if (param != NULL)
    {
      g_free (param->value);
      param->value = escaped;
    }
  else if (uri->params->len < PHONE_URI_MAX_PARAMS)
    params_add (uri->params, g_ascii_strdown (name, -1), escaped);
  else
    g_free (escaped);
}

void
phone_uri_remove_param (PhoneUri *uri, const char *name)
{
  PhoneUriParam *param;

  g_return_if_fail (uri != NULL && name != NULL);
  param = params_find (uri->params, name);
  if (param != NULL)
    g_ptr_array_remove (uri->params, param);
}
