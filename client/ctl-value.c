/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl-value.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ctl-text.h"

#define MAX_DEPTH 32

static void *
must (void *memory)
{
  if (!memory)
    abort ();
  return memory;
}

static CtlValue *
value_new (CtlKind kind)
{
  CtlValue *value = must (calloc (1, sizeof *value));

  value->kind = kind;
  return value;
}

CtlValue *
ctl_value_new_string (const char *text)
{
  CtlValue *value = value_new (CTL_STRING);

  value->s = must (strdup (text));
  return value;
}

CtlValue *
ctl_value_new_uint (uint64_t number)
{
  CtlValue *value = value_new (CTL_UINT);

  value->u = number;
  return value;
}

CtlValue *
ctl_value_new_bool (bool truth)
{
  CtlValue *value = value_new (CTL_BOOL);

  value->b = truth;
  return value;
}

CtlValue *
ctl_value_new_array (void)
{
  return value_new (CTL_ARRAY);
}

CtlValue *
ctl_value_new_dict (void)
{
  return value_new (CTL_DICT);
}

void
ctl_value_free (CtlValue *value)
{
  if (!value)
    return;
  for (size_t i = 0; i < value->n; i++)
    {
      if (value->keys)
        free (value->keys[i]);
      ctl_value_free (value->items[i]);
    }
  free (value->keys);
  free (value->items);
  if (value->kind == CTL_STRING)
    free (value->s);
  free (value);
}

static void
grow (CtlValue *value, const char *key, CtlValue *item)
{
  value->items = must (reallocarray (value->items, value->n + 1, sizeof *value->items));
  value->items[value->n] = item;
  if (key)
    {
      value->keys = must (reallocarray (value->keys, value->n + 1, sizeof *value->keys));
      value->keys[value->n] = must (strdup (key));
    }
  value->n++;
}

void
ctl_value_append (CtlValue *array, CtlValue *item)
{
  grow (array, NULL, item);
}

void
ctl_value_set (CtlValue *dict, const char *key, CtlValue *item)
{
  for (size_t i = 0; i < dict->n; i++)
    if (strcmp (dict->keys[i], key) == 0)
      {
        ctl_value_free (dict->items[i]);
        dict->items[i] = item;
        return;
      }
  grow (dict, key, item);
}

void
ctl_value_merge (CtlValue *dict, const CtlValue *from)
{
  for (size_t i = 0; from && i < from->n; i++)
    ctl_value_set (dict, from->keys[i], ctl_value_copy (from->items[i]));
}

CtlValue *
ctl_value_copy (const CtlValue *value)
{
  CtlValue *copy = value_new (value->kind);

  if (value->kind == CTL_STRING)
    copy->s = must (strdup (value->s));
  else if (value->kind != CTL_ARRAY && value->kind != CTL_DICT)
    copy->u = value->u;
  if (value->kind == CTL_DOUBLE)
    copy->d = value->d;
  for (size_t i = 0; i < value->n; i++)
    grow (copy, value->keys ? value->keys[i] : NULL, ctl_value_copy (value->items[i]));
  return copy;
}

/* ---- from D-Bus ---- */

static int read_value (sd_bus_message *message, unsigned depth, CtlValue **ret_value);

static int
read_basic (sd_bus_message *message, char type, CtlValue **ret_value)
{
  union
  {
    uint8_t y;
    int b;
    int16_t n;
    uint16_t q;
    int32_t i;
    uint32_t u;
    int64_t x;
    uint64_t t;
    double d;
    const char *s;
  } raw;
  CtlValue *value;
  int r = sd_bus_message_read_basic (message, type, &raw);

  if (r < 0)
    return r;
  switch (type)
    {
    case SD_BUS_TYPE_BOOLEAN:
      value = ctl_value_new_bool (raw.b);
      break;
    case SD_BUS_TYPE_BYTE:
      value = ctl_value_new_uint (raw.y);
      break;
    case SD_BUS_TYPE_UINT16:
      value = ctl_value_new_uint (raw.q);
      break;
    case SD_BUS_TYPE_UINT32:
      value = ctl_value_new_uint (raw.u);
      break;
    case SD_BUS_TYPE_UINT64:
      value = ctl_value_new_uint (raw.t);
      break;
    case SD_BUS_TYPE_INT16:
    case SD_BUS_TYPE_INT32:
    case SD_BUS_TYPE_INT64:
      value = value_new (CTL_INT);
      value->i = type == SD_BUS_TYPE_INT16 ? raw.n : type == SD_BUS_TYPE_INT32 ? raw.i : raw.x;
      break;
    case SD_BUS_TYPE_DOUBLE:
      value = value_new (CTL_DOUBLE);
      value->d = raw.d;
      break;
    case SD_BUS_TYPE_STRING:
    case SD_BUS_TYPE_OBJECT_PATH:
    case SD_BUS_TYPE_SIGNATURE:
      value = ctl_value_new_string (raw.s);
      break;
    default:
      return -EBADMSG;
    }
  *ret_value = value;
  return 0;
}

static int
read_dict (sd_bus_message *message, const char *contents, unsigned depth, CtlValue **ret_value)
{
  CtlValue *dict = ctl_value_new_dict ();
  size_t length = strlen (contents);
  char entry[256];
  int r;

  /* contents is "{sv}" or the like: the entries' signature is what stands between the braces. */

  if (length < 2 || length - 2 >= sizeof entry)
    {
      ctl_value_free (dict);
      return -EBADMSG;
    }
  memcpy (entry, contents + 1, length - 2);
  entry[length - 2] = '\0';
  while ((r = sd_bus_message_enter_container (message, SD_BUS_TYPE_DICT_ENTRY, entry)) > 0)
    {
      CtlValue *key = NULL, *item = NULL;

      r = read_value (message, depth, &key);
      if (r >= 0)
        r = read_value (message, depth, &item);
      if (r >= 0 && key->kind == CTL_STRING)
        ctl_value_set (dict, key->s, item);
      else
        ctl_value_free (item);
      ctl_value_free (key);
      if (r >= 0)
        r = sd_bus_message_exit_container (message);
      if (r < 0)
        break;
    }
  if (r < 0)
    {
      ctl_value_free (dict);
      return r;
    }
  *ret_value = dict;
  return 0;
}

static int
read_items (sd_bus_message *message, unsigned depth, CtlValue **ret_value)
{
  CtlValue *array = ctl_value_new_array ();
  int r;

  while ((r = sd_bus_message_at_end (message, 0)) == 0)
    {
      CtlValue *item = NULL;

      r = read_value (message, depth, &item);
      if (r < 0)
        break;
      ctl_value_append (array, item);
    }
  if (r < 0)
    {
      ctl_value_free (array);
      return r;
    }
  *ret_value = array;
  return 0;
}

static int
read_value (sd_bus_message *message, unsigned depth, CtlValue **ret_value)
{
  const char *contents;
  char type;
  int r = sd_bus_message_peek_type (message, &type, &contents);

  if (r < 0)
    return r;
  if (r == 0)
    return -ENXIO;
  if (depth >= MAX_DEPTH)
    return -EBADMSG;
  if (type == SD_BUS_TYPE_UNIX_FD)
    {
      r = sd_bus_message_skip (message, "h");
      *ret_value = ctl_value_new_string ("(file descriptor)");
      return r < 0 ? r : 0;
    }
  if (type != SD_BUS_TYPE_ARRAY && type != SD_BUS_TYPE_VARIANT && type != SD_BUS_TYPE_STRUCT)
    return read_basic (message, type, ret_value);

  r = sd_bus_message_enter_container (message, type, contents);
  if (r < 0)
    return r;
  if (type == SD_BUS_TYPE_VARIANT)
    r = read_value (message, depth + 1, ret_value);
  else if (type == SD_BUS_TYPE_ARRAY && contents[0] == '{')
    r = read_dict (message, contents, depth + 1, ret_value);
  else
    r = read_items (message, depth + 1, ret_value);
  if (r < 0)
    return r;
  r = sd_bus_message_exit_container (message);
  if (r < 0)
    {
      ctl_value_free (*ret_value);
      *ret_value = NULL;
      return r;
    }
  return 0;
}

int
ctl_value_read (sd_bus_message *message, CtlValue **ret_value)
{
  *ret_value = NULL;
  return read_value (message, 0, ret_value);
}

/* ---- reading ---- */

const CtlValue *
ctl_value_get (const CtlValue *dict, const char *key)
{
  for (size_t i = 0; dict && dict->kind == CTL_DICT && i < dict->n; i++)
    if (strcmp (dict->keys[i], key) == 0)
      return dict->items[i];
  return NULL;
}

const char *
ctl_value_string (const CtlValue *dict, const char *key)
{
  const CtlValue *value = ctl_value_get (dict, key);

  return value && value->kind == CTL_STRING ? value->s : "";
}

uint64_t
ctl_value_uint (const CtlValue *dict, const char *key)
{
  const CtlValue *value = ctl_value_get (dict, key);

  if (value && value->kind == CTL_UINT)
    return value->u;
  if (value && value->kind == CTL_INT && value->i > 0)
    return (uint64_t) value->i;
  return 0;
}

bool
ctl_value_bool (const CtlValue *dict, const char *key)
{
  const CtlValue *value = ctl_value_get (dict, key);

  return value && value->kind == CTL_BOOL && value->b;
}

double
ctl_value_double (const CtlValue *dict, const char *key, double fallback)
{
  const CtlValue *value = ctl_value_get (dict, key);

  if (!value)
    return fallback;
  return value->kind == CTL_DOUBLE ? value->d
         : value->kind == CTL_UINT ? (double) value->u
         : value->kind == CTL_INT  ? (double) value->i
                                   : fallback;
}

bool
ctl_value_has (const CtlValue *array, const char *text)
{
  for (size_t i = 0; array && array->kind == CTL_ARRAY && i < array->n; i++)
    if (array->items[i]->kind == CTL_STRING && strcmp (array->items[i]->s, text) == 0)
      return true;
  return false;
}

/* ---- JSON (RFC 8259) ---- */

/* Everything that a terminal might obey goes out as an escape: people read JSON too. */
static void
json_string (FILE *out, const char *text)
{
  size_t length;

  fputc ('"', out);
  for (const char *p = text; *p; p += length)
    {
      int32_t character = ctl_text_next (p, &length);

      if (character < 0)
        fputs ("\\ufffd", out);
      else if (character == '"' || character == '\\')
        fprintf (out, "\\%c", (int) character);
      else if (!ctl_text_is_unsafe (character))
        fwrite (p, 1, length, out);
      else if (character > 0xffff)
        fprintf (out, "\\u%04x\\u%04x", (unsigned) (0xd7c0 + (character >> 10)), (unsigned) (0xdc00 + (character & 0x3ff)));
      else
        fprintf (out, "\\u%04x", (unsigned) character);
    }
  fputc ('"', out);
}

/* The shortest decimal that reads back as the same number, with a point whatever the locale says. JSON knows no NaN and no infinity. */
static void
json_double (FILE *out, double number)
{
  char text[40];
  char *comma;

  if (!isfinite (number))
    {
      fputs ("null", out);
      return;
    }
  for (int digits = DBL_DIG; digits <= DBL_DECIMAL_DIG; digits++)
    {
      snprintf (text, sizeof text, "%.*g", digits, number);
      if (strtod (text, NULL) == number)
        break;
    }
  comma = text + strspn (text, "-0123456789");
  if (*comma && *comma != 'e' && *comma != '.')
    {
      size_t length = strcspn (comma, "e0123456789");

      *comma = '.';
      memmove (comma + 1, comma + length, strlen (comma + length) + 1);
    }
  fputs (text, out);
}

void
ctl_value_json (FILE *out, const CtlValue *value)
{
  switch (value->kind)
    {
    case CTL_BOOL:
      fputs (value->b ? "true" : "false", out);
      break;
    case CTL_INT:
      fprintf (out, "%" PRIi64, value->i);
      break;
    case CTL_UINT:
      fprintf (out, "%" PRIu64, value->u);
      break;
    case CTL_DOUBLE:
      json_double (out, value->d);
      break;
    case CTL_STRING:
      json_string (out, value->s);
      break;
    case CTL_ARRAY:
    case CTL_DICT:
      fputc (value->kind == CTL_ARRAY ? '[' : '{', out);
      for (size_t i = 0; i < value->n; i++)
        {
          if (i)
            fputs (", ", out);
          if (value->kind == CTL_DICT)
            {
              json_string (out, value->keys[i]);
              fputs (": ", out);
            }
          ctl_value_json (out, value->items[i]);
        }
      fputc (value->kind == CTL_ARRAY ? ']' : '}', out);
      break;
    }
}

void
ctl_value_text (FILE *out, const CtlValue *value)
{
  if (value->kind == CTL_STRING)
    fputs (value->s, out);
  else
    ctl_value_json (out, value);
}
