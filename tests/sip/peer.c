/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "peer.h"

#include <string.h>

#define MAX_MESSAGE 65536

struct _Peer
{
  GSocket *socket;
  GSource *source;
  GSocketService *service;
  GPtrArray *connections;       /* Connection */
  char *address;
  guint16 port;
  GPtrArray *messages;          /* PeerMessage */
  PeerHandler handler;
  gpointer data;
};

typedef struct
{
  Peer *peer;
  GSocketConnection *connection;
  GSource *source;
  GString *buffer;
} Connection;

static void
message_free (gpointer data)
{
  PeerMessage *message = data;

  g_free (message->text);
  g_free (message->method);
  g_clear_object (&message->from);
  g_free (message);
}

static void
take_message (Peer *peer, const char *text, gsize length, GSocketAddress *from, GSocketConnection *connection)
{
  PeerMessage *message = g_new0 (PeerMessage, 1);

  message->text = g_strndup (text, length);
  message->from = g_object_ref (from);
  message->connection = connection;
  if (g_str_has_prefix (message->text, "SIP/2.0 "))
    message->status = (guint) g_ascii_strtoull (message->text + 8, NULL, 10);
  else
    message->method = g_strndup (message->text, strcspn (message->text, " \r\n"));
  if (g_getenv ("PEER_TRACE"))
    g_printerr ("--- %s:%u got\n%s\n", peer->address, peer->port, message->text);
  g_ptr_array_add (peer->messages, message);
  if (peer->handler)
    peer->handler (peer, message, peer->data);
}

static gboolean
on_datagram (GSocket *socket, GIOCondition condition, gpointer data)
{
  Peer *peer = data;
  g_autofree char *buffer = g_malloc (MAX_MESSAGE);
  g_autoptr (GSocketAddress) from = NULL;
  gssize length = g_socket_receive_from (socket, &from, buffer, MAX_MESSAGE, NULL, NULL);

  if (length > 4)
    take_message (peer, buffer, (gsize) length, from, NULL);
  return G_SOURCE_CONTINUE;
}

static Peer *
peer_alloc (const char *address, guint16 port, PeerHandler handler, gpointer data)
{
  Peer *peer = g_new0 (Peer, 1);

  peer->address = g_strdup (address);
  peer->port = port;
  peer->handler = handler;
  peer->data = data;
  peer->messages = g_ptr_array_new_with_free_func (message_free);
  return peer;
}

Peer *
peer_new (const char *address, guint16 port, PeerHandler handler, gpointer data)
{
  Peer *peer = peer_alloc (address, port, handler, data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string (address, port);

  peer->socket = g_socket_new (g_socket_address_get_family (where), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);
  g_assert_no_error (error);
  g_socket_bind (peer->socket, where, TRUE, &error);
  g_assert_no_error (error);
  peer->source = g_socket_create_source (peer->socket, G_IO_IN, NULL);
  g_source_set_callback (peer->source, (GSourceFunc) (gpointer) on_datagram, peer, NULL);
  g_source_attach (peer->source, NULL);
  return peer;
}

/* ---- TCP ---- */

static void
connection_free (gpointer data)
{
  Connection *connection = data;

  g_source_destroy (connection->source);
  g_source_unref (connection->source);
  g_io_stream_close (G_IO_STREAM (connection->connection), NULL, NULL);
  g_object_unref (connection->connection);
  g_string_free (connection->buffer, TRUE);
  g_free (connection);
}

static gboolean
on_stream (GSocket *socket, GIOCondition condition, gpointer data)
{
  Connection *connection = data;
  g_autofree char *buffer = g_malloc (MAX_MESSAGE);
  g_autoptr (GSocketAddress) from = g_socket_connection_get_remote_address (connection->connection, NULL);
  gssize length = g_socket_receive (socket, buffer, MAX_MESSAGE, NULL, NULL);

  if (length <= 0 || !from)
    {
      g_ptr_array_remove_fast (connection->peer->connections, connection);
      return G_SOURCE_REMOVE;
    }
  g_string_append_len (connection->buffer, buffer, length);
  for (;;)
    {
      const char *end;
      const char *header;
      gsize total;

      while (g_str_has_prefix (connection->buffer->str, "\r\n"))
        g_string_erase (connection->buffer, 0, 2);
      end = strstr (connection->buffer->str, "\r\n\r\n");
      if (!end)
        break;
      total = (gsize) (end - connection->buffer->str) + 4;
      header = strstr (connection->buffer->str, "\r\nContent-Length:");
      if (header && header < end)
        total += (gsize) g_ascii_strtoull (header + 17, NULL, 10);
      if (total > connection->buffer->len)
        break;
      take_message (connection->peer, connection->buffer->str, total, from, connection->connection);
      g_string_erase (connection->buffer, 0, (gssize) total);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *stream, GObject *source, gpointer data)
{
  Peer *peer = data;
  Connection *connection = g_new0 (Connection, 1);

  connection->peer = peer;
  connection->connection = g_object_ref (stream);
  connection->buffer = g_string_new (NULL);
  connection->source = g_socket_create_source (g_socket_connection_get_socket (stream), G_IO_IN, NULL);
  g_source_set_callback (connection->source, (GSourceFunc) (gpointer) on_stream, connection, NULL);
  g_source_attach (connection->source, NULL);
  g_ptr_array_add (peer->connections, connection);
  return TRUE;
}

Peer *
peer_new_tcp (const char *address, guint16 port, PeerHandler handler, gpointer data)
{
  Peer *peer = peer_alloc (address, port, handler, data);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string (address, port);

  peer->connections = g_ptr_array_new_with_free_func (connection_free);
  peer->service = g_socket_service_new ();
  g_socket_listener_add_address (G_SOCKET_LISTENER (peer->service), where, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, NULL,
                                 &error);
  g_assert_no_error (error);
  g_signal_connect (peer->service, "incoming", G_CALLBACK (on_incoming), peer);
  g_socket_service_start (peer->service);
  return peer;
}

void
peer_close_connections (Peer *peer)
{
  g_ptr_array_set_size (peer->connections, 0);
}

void
peer_free (Peer *peer)
{
  if (peer->service)
    {
      g_socket_service_stop (peer->service);
      g_socket_listener_close (G_SOCKET_LISTENER (peer->service));
      g_object_unref (peer->service);
      g_ptr_array_unref (peer->connections);
    }
  if (peer->source)
    {
      g_source_destroy (peer->source);
      g_source_unref (peer->source);
      g_socket_close (peer->socket, NULL);
      g_object_unref (peer->socket);
    }
  g_ptr_array_unref (peer->messages);
  g_free (peer->address);
  g_free (peer);
}

void
peer_set_handler (Peer *peer, PeerHandler handler, gpointer data)
{
  peer->handler = handler;
  peer->data = data;
}

guint16
peer_port (Peer *peer)
{
  return peer->port;
}

/* ---- reading ---- */

/* All lines of a header, as they stand, or NULL. */
static char *
header_lines (const PeerMessage *message, const char *name)
{
  const char *end = strstr (message->text, "\r\n\r\n");
  g_autofree char *head = end ? g_strndup (message->text, (gsize) (end - message->text)) : g_strdup (message->text);
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  GString *found = g_string_new (NULL);
  gsize length = strlen (name);

  for (gsize i = 1; lines[0] && lines[i]; i++)
    if (g_ascii_strncasecmp (lines[i], name, length) == 0 && lines[i][length] == ':')
      g_string_append_printf (found, "%s\r\n", lines[i]);
  return g_string_free (found, FALSE);
}

char *
peer_header (const PeerMessage *message, const char *name)
{
  g_autofree char *lines = header_lines (message, name);
  const char *value;

  if (!*lines)
    return NULL;
  value = strchr (lines, ':') + 1;
  return g_strstrip (g_strndup (value, strcspn (value, "\r")));
}

const char *
peer_body (const PeerMessage *message)
{
  const char *end = strstr (message->text, "\r\n\r\n");

  return end ? end + 4 : "";
}

const PeerMessage *
peer_request (Peer *peer, const char *method, guint n)
{
  for (guint i = 0; i < peer->messages->len; i++)
    {
      PeerMessage *message = g_ptr_array_index (peer->messages, i);

      if (message->method && g_str_equal (message->method, method) && n-- == 0)
        return message;
    }
  return NULL;
}

const PeerMessage *
peer_last (Peer *peer, const char *method)
{
  guint n = peer_count (peer, method);

  return n ? peer_request (peer, method, n - 1) : NULL;
}

guint
peer_count (Peer *peer, const char *method)
{
  guint n = 0;

  while (peer_request (peer, method, n))
    n++;
  return n;
}

static const PeerMessage *
find_response (Peer *peer, guint status, const char *method, guint *ret_count)
{
  const PeerMessage *found = NULL;

  *ret_count = 0;
  for (guint i = 0; i < peer->messages->len; i++)
    {
      PeerMessage *message = g_ptr_array_index (peer->messages, i);
      g_autofree char *cseq = message->status == status ? peer_header (message, "CSeq") : NULL;

      if (cseq && g_str_has_suffix (cseq, method))
        {
          found = message;
          (*ret_count)++;
        }
    }
  return found;
}

guint
peer_count_status (Peer *peer, guint status, const char *method)
{
  guint count;

  find_response (peer, status, method, &count);
  return count;
}

const PeerMessage *
peer_response (Peer *peer, guint status, const char *method)
{
  guint count;

  return find_response (peer, status, method, &count);
}

/* ---- sending ---- */

static void
send_bytes (Peer *peer, GSocketConnection *connection, GSocketAddress *to, const char *data, gsize length)
{
  g_autoptr (GError) error = NULL;

  if (g_getenv ("PEER_TRACE"))
    g_printerr ("--- %s:%u sends\n%.*s\n", peer->address, peer->port, (int) length, data);
  if (connection)
    g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), data, length, NULL, NULL, &error);
  else
    g_socket_send_to (peer->socket, to, data, length, NULL, &error);
  g_assert_no_error (error);
}

/* The top Via with what RFC 3261 section 18.2.1 and RFC 3581 add. */
static char *
filled_via (const PeerMessage *message, const char *seen_as)
{
  g_autofree char *lines = header_lines (message, "Via");
  GInetSocketAddress *from = G_INET_SOCKET_ADDRESS (message->from);
  g_autofree char *host = g_inet_address_to_string (g_inet_socket_address_get_address (from));
  g_auto (GStrv) claim = seen_as ? g_strsplit (seen_as, ":", 2) : NULL;
  g_autofree char *rport = claim ? g_strdup_printf (";rport=%s;received=%s", claim[1], claim[0])
                                 : g_strdup_printf (";rport=%u;received=%s", g_inet_socket_address_get_port (from), host);
  const char *end = strchr (lines, '\r');
  g_autofree char *first = g_strndup (lines, (gsize) (end - lines));
  char *at = strstr (first, ";rport");

  if (at && at[6] != '=')
    {
      *at = '\0';
      return g_strdup_printf ("%s%s%s%s", first, rport, at + 6, end);
    }
  return g_strdup_printf ("%s;received=%s%s", first, host, end);
}

void
peer_reply_seen_as (Peer *peer, const PeerMessage *message, const char *seen_as, guint status, const char *phrase, const char *to_tag,
                    const char *extra, const char *body)
{
  g_autofree char *via = filled_via (message, seen_as);
  g_autofree char *from = header_lines (message, "From");
  g_autofree char *to = peer_header (message, "To");
  g_autofree char *call_id = header_lines (message, "Call-ID");
  g_autofree char *cseq = header_lines (message, "CSeq");
  g_autofree char *routes = header_lines (message, "Record-Route");
  g_autofree char *tag = status == 100 || strstr (to, ";tag=") ? g_strdup ("") : g_strdup_printf (";tag=%s", to_tag ? to_tag : "peer");
  g_autofree char *text
      = g_strdup_printf ("SIP/2.0 %u %s\r\n%s%s%sTo: %s%s\r\n%s%s%s%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s", status, phrase, via,
                         routes, from, to, tag, call_id, cseq, extra ? extra : "",
                         body ? "Content-Type: application/sdp\r\n" : "", body ? strlen (body) : 0, body ? body : "");

  send_bytes (peer, message->connection, message->from, text, strlen (text));
}

void
peer_reply (Peer *peer, const PeerMessage *message, guint status, const char *phrase, const char *to_tag, const char *extra,
            const char *body)
{
  peer_reply_seen_as (peer, message, NULL, status, phrase, to_tag, extra, body);
}

void
peer_send_raw (Peer *peer, const char *address, guint16 port, const char *data, gsize length)
{
  g_autoptr (GSocketAddress) to = g_inet_socket_address_new_from_string (address, port);

  send_bytes (peer, NULL, to, data, length);
}

void
peer_send (Peer *peer, const char *address, guint16 port, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  peer_send_raw (peer, address, port, text, strlen (text));
}

const char *
peer_sdp (const char *address, guint16 port, const char *direction)
{
  static char *text;
  static guint version;

  g_free (text);
  text = g_strdup_printf ("v=0\r\no=- 1 %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0 8\r\n"
                          "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=%s\r\n",
                          ++version, address, address, port, direction);
  return text;
}
