/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "name-server.h"

#include <gio/gio.h>
#include <string.h>

static const NameRecord *zone;
static guint n_records, n_queries;

static void
put16 (GByteArray *out, guint value)
{
  guint8 octets[2] = { (guint8) (value >> 8), (guint8) value };

  g_byte_array_append (out, octets, 2);
}

static void
put_string (GByteArray *out, const char *text)
{
  guint8 length = (guint8) strlen (text);

  g_byte_array_append (out, &length, 1);
  g_byte_array_append (out, (const guint8 *) text, length);
}

static void
put_name (GByteArray *out, const char *name)
{
  g_auto (GStrv) labels = g_strsplit (name, ".", -1);

  for (gsize i = 0; labels[i]; i++)
    if (*labels[i])
      put_string (out, labels[i]);
  g_byte_array_append (out, (const guint8 *) "", 1);
}

static void
put_data (GByteArray *out, const NameRecord *record)
{
  g_auto (GStrv) words = g_strsplit (record->data, " ", -1);
  g_autoptr (GInetAddress) address = NULL;

  switch (record->type)
    {
    case NAME_A:
    case NAME_AAAA:
      address = g_inet_address_new_from_string (record->data);
      g_byte_array_append (out, g_inet_address_to_bytes (address), (guint) g_inet_address_get_native_size (address));
      break;
    case NAME_SRV:
      for (int i = 0; i < 3; i++)
        put16 (out, (guint) g_ascii_strtoull (words[i], NULL, 10));
      put_name (out, words[3]);
      break;
    case NAME_NAPTR:
      put16 (out, (guint) g_ascii_strtoull (words[0], NULL, 10));
      put16 (out, (guint) g_ascii_strtoull (words[1], NULL, 10));
      put_string (out, "s");
      put_string (out, words[2]);
      put_string (out, "");
      put_name (out, words[3]);
      break;
    default:
      g_assert_not_reached ();
    }
}

static gboolean
on_query (GSocket *socket, GIOCondition condition, gpointer data)
{
  guint8 query[512];
  g_autoptr (GSocketAddress) from = NULL;
  gssize length = g_socket_receive_from (socket, &from, (char *) query, sizeof query, NULL, NULL);
  g_autoptr (GString) name = g_string_new (NULL);
  g_autoptr (GByteArray) reply = g_byte_array_new ();
  g_autoptr (GByteArray) answers = g_byte_array_new ();
  guint n_answers = 0;
  gboolean known = FALSE;
  gsize at = 12;
  guint16 type;

  g_assert_cmpint (length, >, 16);
  n_queries++;
  while (query[at])
    {
      g_string_append_printf (name, "%s%.*s", name->len ? "." : "", query[at], (const char *) &query[at + 1]);
      at += query[at] + 1u;
    }
  type = (guint16) (query[at + 1] << 8 | query[at + 2]);
  at += 5;
  for (gsize i = 0; i < n_records; i++)
    {
      g_autoptr (GByteArray) rdata = g_byte_array_new ();

      if (g_ascii_strcasecmp (zone[i].name, name->str) != 0)
        continue;
      known = TRUE;
      if (zone[i].type != type)
        continue;
      n_answers++;
      put_data (rdata, &zone[i]);
      put_name (answers, name->str);
      put16 (answers, type);
      put16 (answers, 1);
      put16 (answers, 0);
      put16 (answers, 60);
      put16 (answers, rdata->len);
      g_byte_array_append (answers, rdata->data, rdata->len);
    }
  g_byte_array_append (reply, query, 2);
  put16 (reply, known ? 0x8580 : 0x8583);
  put16 (reply, 1);
  put16 (reply, n_answers);
  put16 (reply, 0);
  put16 (reply, 0);
  g_byte_array_append (reply, &query[12], (guint) at - 12);
  g_byte_array_append (reply, answers->data, answers->len);
  g_socket_send_to (socket, from, (const char *) reply->data, reply->len, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

void
name_server_start (const char *address, const NameRecord *records, guint n)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string (address, 53);
  GSource *source;

  zone = records;
  n_records = n;
  g_assert_no_error (error);
  g_socket_bind (socket, where, TRUE, &error);
  g_assert_no_error (error);
  source = g_socket_create_source (socket, G_IO_IN, NULL);
  g_source_set_callback (source, (GSourceFunc) (gpointer) on_query, NULL, NULL);
  g_source_attach (source, NULL);
  g_source_unref (source);
  g_object_unref (socket);
}

guint
name_server_count (void)
{
  return n_queries;
}
