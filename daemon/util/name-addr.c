/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/name-addr.h"

#include <string.h>

#include "util/text.h"

#define TOKEN_MARK "-.!%*_+`'~"

/* What is being read. Never moves behind the NUL. */
typedef struct
{
  const char *p;
} Cursor;

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "not a usable address: %s", what);
  return FALSE;
}

static void
skip_space (Cursor *c)
{
  c->p += strspn (c->p, " \t");
}

static void
param_free (gpointer data)
{
  PhoneUriParam *param = data;
  g_free (param->name);
  g_free (param->value);
  g_free (param);
}

void
phone_name_addr_free (PhoneNameAddr *addr)
{
  if (addr == NULL)
    return;
  g_free (addr->display);
  phone_uri_free (addr->uri);
  g_ptr_array_unref (addr->params);
  g_free (addr);
}

/* At an opening quote. Returns the raw text without quotes and backslashes. */
static char *
read_quoted (Cursor *c, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (c->p++; *c->p != '"'; c->p++)
    {
      if (*c->p == '\\' && c->p[1] != '\0')
        c->p++;
      if (*c->p == '\0')
        {
          fail (error, "a quoted string does not end");
          return NULL;
        }
      g_string_append_c (out, *c->p);
    }
  c->p++;
  return g_strdup (out->str);
}

/* How many characters of text are alphanumeric or one of marks. */
static gsize
span (const char *text, const char *marks)
{
  gsize n = 0;
  while (g_ascii_isalnum (text[n]) || (text[n] != '\0' && strchr (marks, text[n]) != NULL))
    n++;
  return n;
}

/* *( ";" name [ "=" value ] ) up to the end. */
static gboolean
read_params (Cursor *c, PhoneNameAddr *addr, GError **error)
{
  for (skip_space (c); *c->p == ';'; skip_space (c))
    {
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;
      PhoneUriParam *param;
      gsize n;

      c->p++;
      skip_space (c);
      n = span (c->p, TOKEN_MARK);
      if (n == 0)
        return fail (error, "a parameter has no name");
      name = g_ascii_strdown (c->p, (gssize) n);
      c->p += n;
      skip_space (c);
      if (*c->p == '=')
        {
          c->p++;
          skip_space (c);
          if (*c->p == '"')
            {
              g_autofree char *raw = read_quoted (c, error);
              if (raw == NULL)
                return FALSE;
              value = phone_text_clean (raw, -1, PHONE_NAME_ADDR_MAX);
            }
          else
            {
              /* A token or a host, which may be an IPv6 address in brackets. */
              n = span (c->p, TOKEN_MARK "[]:");
              if (n == 0)
                return fail (error, "a parameter has an empty value");
              value = g_strndup (c->p, n);
              c->p += n;
            }
        }
      for (guint i = 0; i < addr->params->len; i++)
        if (g_str_equal (((PhoneUriParam *) g_ptr_array_index (addr->params, i))->name, name))
          return fail (error, "a parameter stands twice");
      if (addr->params->len == PHONE_URI_MAX_PARAMS)
        return fail (error, "too many parameters");
      param = g_new (PhoneUriParam, 1);
      param->name = g_steal_pointer (&name);
      param->value = g_steal_pointer (&value);
      g_ptr_array_add (addr->params, param);
    }
  if (*c->p != '\0')
    return fail (error, "something that is not a parameter follows");
  return TRUE;
}

/* The part in front of '<' when it is not quoted. RFC 3261 allows tokens only; devices also send UTF-8 and addresses. */
static gboolean
read_bare_display (Cursor *c, const char *open, PhoneNameAddr *addr, GError **error)
{
  for (const char *p = c->p; p < open; p++)
    if (strchr (",>", *p) != NULL)
      return fail (error, "the name in front of '<' must be quoted");
  addr->display = phone_text_clean (c->p, open - c->p, PHONE_DISPLAY_MAX);
  c->p = open;
  return TRUE;
}

static gboolean
read_bracketed (Cursor *c, PhoneNameAddr *addr, GError **error)
{
  const char *close;
  g_autofree char *text = NULL;

  if (*c->p != '<')
    return fail (error, "a name without an address in angle brackets");
  close = strchr (c->p, '>');
  if (close == NULL)
    return fail (error, "'<' without '>'");
  text = g_strndup (c->p + 1, (gsize) (close - c->p - 1));
  c->p = close + 1;
  addr->uri = phone_uri_parse (text, error);
  return addr->uri != NULL;
}

static gboolean
read_addr_spec (Cursor *c, PhoneNameAddr *addr, GError **error)
{
  gsize n = strcspn (c->p, "; \t");
  g_autofree char *text = g_strndup (c->p, n);

  if (strpbrk (text, ",?") != NULL)
    return fail (error, "an address with ',' or '?' must be in angle brackets");
  c->p += n;
  addr->uri = phone_uri_parse (text, error);
  return addr->uri != NULL;
}

PhoneNameAddr *
phone_name_addr_parse (const char *text, GError **error)
{
  g_autoptr (PhoneNameAddr) addr = NULL;
  Cursor c = { text };
  const char *open;
  gboolean ok;

  g_return_val_if_fail (text != NULL, NULL);

  if (strnlen (text, PHONE_NAME_ADDR_MAX + 1) > PHONE_NAME_ADDR_MAX)
    {
      fail (error, "too long");
      return NULL;
    }
  addr = g_new0 (PhoneNameAddr, 1);
  addr->params = g_ptr_array_new_with_free_func (param_free);

  skip_space (&c);
  if (*c.p == '"')
    {
      g_autofree char *raw = read_quoted (&c, error);
      if (raw == NULL)
        return NULL;
      addr->display = phone_text_clean (raw, -1, PHONE_DISPLAY_MAX);
      skip_space (&c);
      ok = read_bracketed (&c, addr, error);
    }
  else if ((open = strpbrk (c.p, "<;\"")) != NULL && *open == '<')
    ok = read_bare_display (&c, open, addr, error) && read_bracketed (&c, addr, error);
  else
    ok = read_addr_spec (&c, addr, error);

  return ok && read_params (&c, addr, error) ? g_steal_pointer (&addr) : NULL;
}

const char *
phone_name_addr_get_param (const PhoneNameAddr *addr, const char *name)
{
  g_return_val_if_fail (addr != NULL && name != NULL, NULL);

  for (guint i = 0; i < addr->params->len; i++)
    {
      const PhoneUriParam *param = g_ptr_array_index (addr->params, i);
      if (g_ascii_strcasecmp (param->name, name) == 0)
        return param->value;
    }
  return NULL;
}

char *
phone_name_addr_build (const char *display, const PhoneUri *uri)
{
  g_autofree char *clean = phone_text_clean (display, -1, PHONE_DISPLAY_MAX);
  g_autofree char *address = NULL;
  GString *out;

  g_return_val_if_fail (uri != NULL, NULL);

  out = g_string_new (NULL);
  if (clean != NULL)
    {
      g_string_append_c (out, '"');
      for (const char *p = clean; *p != '\0'; p++)
        {
          if (*p == '"' || *p == '\\')
            g_string_append_c (out, '\\');
          g_string_append_c (out, *p);
        }
      g_string_append (out, "\" ");
    }
  address = phone_uri_to_string (uri);
  g_string_append_printf (out, "<%s>", address);
  return g_string_free (out, FALSE);
}
