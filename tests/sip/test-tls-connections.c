/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TLS connections one after the other and side by side: recovery, SRV failover, whom a connection serves, and
 * what 400 of them leave behind. */

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <openssl/err.h>
#include <string.h>

#include "bench-tls-phone.h"
#include "sip/ua-platform.h"

#define NAME "sip.example.org"
#define OTHER_SERVER "127.10.2.3"

typedef struct
{
  BenchServerSpec server;
  BenchTlsPhoneSpec phone;
} Case;

/* One phone after another: each failure is told, and the next attempt begins anew. */
static void
test_recovery (void)
{
  static const Case bad = { .server.cert = { .name = "x" }, .phone.domain = NAME },
                    good = { .server.cert = { .name = NAME }, .phone.domain = NAME };
  BenchTlsPhone f = { 0 };
  BenchServer server;
  g_autofree char *url = NULL;
  guint16 port;

  bench_server_start (&server, &bad.server, BENCH_TLS_SERVER, 0);
  port = server.port;
  bench_tls_phone_start (&f, &bad.phone);
  url = bench_tls_url (bad.phone.host, port);
  for (guint i = 1; i <= 3; i++)
    {
      bench_tls_phone_send (&f, url);
      g_assert_cmpint (f.phone.status, ==, 503);
      g_assert_cmpuint (f.n_outcomes, ==, i);
      g_assert_cmpint (f.reason, ==, UA_TLS_NAME_MISMATCH);
    }
  bench_wait_count (&server.n_closed, 3);
  bench_server_stop (&server);

  bench_server_start (&server, &good.server, BENCH_TLS_SERVER, port);
  bench_tls_phone_send (&f, url);
  g_assert_cmpint (f.phone.status, ==, 200);
  g_assert_cmpint (f.reason, ==, UA_TLS_OK);
  bench_tls_phone_stop (&f);
  bench_server_stop (&server);
}

/* ---- two servers behind one name ---- */

typedef struct
{
  guint16 port[2];              /* of first.pool.invalid and second.pool.invalid */
  guint n_questions;
} Zone;

static void
put16 (GByteArray *packet, guint16 value)
{
  const guint8 octets[] = { value >> 8, value & 0xff };

  g_byte_array_append (packet, octets, 2);
}

/* Owner (the question's name), type, class, TTL, length. */
static void
put_record (GByteArray *packet, guint16 type, gsize length)
{
  put16 (packet, 0xc00c);
  put16 (packet, type);
  put16 (packet, 1);
  put16 (packet, 0);
  put16 (packet, 60);
  put16 (packet, length);
}

/* SRV: first, then second, by priority. A: their addresses. Everything else: nothing. */
static gboolean
on_question (GSocket *socket, GIOCondition condition, gpointer data)
{
  static const char *const targets[] = { "\5first\4pool\7invalid", "\6second\4pool\7invalid" };
  static const char *const addresses[] = { BENCH_TLS_SERVER, OTHER_SERVER };
  Zone *zone = data;
  guint8 question[512];
  g_autoptr (GSocketAddress) from = NULL;
  gssize n = g_socket_receive_from (socket, &from, (char *) question, sizeof question - 1, NULL, NULL);
  gsize name_end = 12 + strnlen ((char *) question + 12, 255) + 1;
  guint16 type = question[name_end] << 8 | question[name_end + 1];
  g_autoptr (GByteArray) packet = g_byte_array_new ();
  guint n_answers = 0;

  g_assert_cmpint (n, >, 16);
  zone->n_questions++;
  g_byte_array_append (packet, question, name_end + 4);
  for (guint i = 0; i < 2; i++)
    {
      if (type == 33)
        {
          put_record (packet, type, 6 + strlen (targets[i]) + 1);
          put16 (packet, i);
          put16 (packet, 0);
          put16 (packet, zone->port[i]);
          g_byte_array_append (packet, (const guint8 *) targets[i], strlen (targets[i]) + 1);
          n_answers++;
        }
      else if (type == 1 && question[13] == "fs"[i])
        {
          in_addr_t address = inet_addr (addresses[i]);
          put_record (packet, type, 4);
          g_byte_array_append (packet, (const guint8 *) &address, 4);
          n_answers++;
        }
    }
  packet->data[2] = 0x84;       /* a response, with authority */
  packet->data[3] = 0;
  memset (packet->data + 6, 0, 6);
  packet->data[7] = n_answers;
  g_socket_send_to (socket, from, (char *) packet->data, packet->len, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

/* The first of two SRV targets has a bad certificate: the request goes to the second, and both are told of.
 */
static void
test_failover (void)
{
  static const Case bad = { .server.cert = { .name = "x" }, .phone.domain = "pool.invalid" };
  static const Case good
      = { .server.cert = { .name = "x", .san = "DNS:pool.invalid" }, .phone.domain = "pool.invalid" };
  BenchTlsPhone f = { 0 };
  BenchTlsPhoneSpec spec = good.phone;
  BenchServer server, second;
  Zone zone = { 0 };
  GSource *source;
  guint16 port;
  g_autoptr (GSocket) socket = bench_udp_new (BENCH_TLS_SERVER, on_question, &zone, &port, &source);
  g_autofree char *path = g_build_filename (bench_authorities.directory, "resolv.conf", NULL);
  g_autofree char *text = g_strdup_printf ("nameserver " BENCH_TLS_SERVER "\nport %u\n", port);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  bench_server_start (&server, &bad.server, BENCH_TLS_SERVER, 0);
  bench_server_start (&second, &good.server, OTHER_SERVER, 0);
  zone.port[0] = server.port;
  zone.port[1] = second.port;
  spec.resolv_conf = path;
  bench_tls_phone_start (&f, &spec);
  bench_tls_phone_send (&f, "sip:pool.invalid;transport=tls");
  g_assert_cmpint (f.phone.status, ==, 200);
  g_assert_cmpuint (f.n_outcomes, ==, 2);
  g_assert_cmpint (f.reasons[0], ==, UA_TLS_NAME_MISMATCH);
  g_assert_cmpint (f.reasons[1], ==, UA_TLS_OK);
  g_assert_cmpuint (g_atomic_int_get (&server.n_requests), ==, 0);
  g_assert_cmpuint (g_atomic_int_get (&second.n_requests), ==, 1);
  bench_tls_phone_stop (&f);
  bench_server_stop (&server);
  bench_server_stop (&second);
  g_source_destroy (source);
  g_source_unref (source);
  g_unlink (path);
}

/* With a domain for all, a connection serves all hosts behind that address. Without, each host needs its own
 * name. */
static void
test_sharing (gconstpointer data)
{
  static const Case separate = { .server.cert = { .name = "x", .san = "DNS:" NAME }, .phone.host = NAME };
  static const Case common = { .server.cert = { .name = "x", .san = "DNS:" NAME }, .phone.domain = NAME };
  static const Case other = { .server.cert = { .name = "x" }, .phone.host = "sip.example.net" };
  gboolean shared = GPOINTER_TO_INT (data);
  const Case *what = shared ? &common : &separate;
  BenchTlsPhone f = { 0 };
  BenchServer server;
  g_autofree char *url = NULL, *other_url = NULL;

  bench_server_start (&server, &what->server, BENCH_TLS_SERVER, 0);
  server.stays_open = TRUE;
  bench_tls_phone_start (&f, &what->phone);
  url = bench_tls_url (separate.phone.host, server.port);
  other_url = bench_tls_url (other.phone.host, server.port);
  bench_tls_phone_send (&f, url);
  g_assert_cmpint (f.phone.status, ==, 200);

  bench_tls_phone_send (&f, other_url);
  g_assert_cmpint (f.phone.status, ==, shared ? 200 : 503);
  g_assert_cmpint (f.reason, ==, shared ? UA_TLS_OK : UA_TLS_NAME_MISMATCH);
  g_assert_cmpuint (f.n_outcomes, ==, shared ? 1 : 2);
  g_assert_cmpuint (g_atomic_int_get (&server.n_accepted), ==, shared ? 1 : 2);
  g_assert_cmpuint (g_atomic_int_get (&server.n_requests), ==, shared ? 2 : 1);
  bench_tls_phone_stop (&f);
  bench_server_stop (&server);
}

/* What another library left in OpenSSL's error queue is no error of ours, least of all when there is nothing
 * to read yet. */
static void
test_foreign_errors (void)
{
  static const Case good = { .server.cert = { .name = NAME }, .phone.domain = NAME };
  BenchTlsPhone f = { 0 };
  BenchServer server;
  g_autofree char *url = NULL;

  bench_server_start (&server, &good.server, BENCH_TLS_SERVER, 0);
  server.stays_open = TRUE;
  server.second_half = g_async_queue_new ();
  bench_tls_phone_start (&f, &good.phone);
  url = bench_tls_url (good.phone.host, server.port);
  f.phone.nh
      = nua_handle (f.phone.nua, NULL, NUTAG_URL (url), SIPTAG_TO_STR ("sip:a@example.org"), TAG_END ());
  for (guint i = 1; i <= 3; i++)
    {
      nua_options (f.phone.nh, TAG_END ());
      bench_wait_count (&server.n_halves, i);
      do
        ERR_raise (ERR_LIB_PEM, ERR_R_PASSED_INVALID_ARGUMENT);
      while (g_main_context_iteration (NULL, FALSE));
      g_async_queue_push (server.second_half, &f);
      bench_wait_count (&f.phone.n_finals, i);
      g_assert_cmpint (f.phone.status, ==, 200);
    }
  g_assert_cmpuint (g_atomic_int_get (&server.n_accepted), ==, 1);
  ERR_clear_error ();
  bench_tls_phone_stop (&f);
  bench_server_stop (&server);
  g_async_queue_unref (server.second_half);
}

/* ---- 400 connections, one after the other ---- */

/* Finished transactions stay with sofia for some seconds, 200 to 400 octets for each connection; the leak was
 * 54 kB. */
enum { N_WARM_UP = 50, N_CONNECTIONS = 400, MAX_GROWTH = 4096 };

static void
test_reconnects (void)
{
  static const Case good
      = { .server.cert = { .name = "x", .san = "DNS:" NAME ",DNS:b.example.org,URI:sip:" NAME },
          .phone.domain = NAME };
  BenchTlsPhone f = { 0 };
  BenchServer server;
  g_autofree char *url = NULL;
  gsize before = 0, after;

  bench_server_start (&server, &good.server, BENCH_TLS_SERVER, 0);
  bench_tls_phone_start (&f, &good.phone);
  url = bench_tls_url (good.phone.host, server.port);
  for (guint i = 1; i <= N_WARM_UP + N_CONNECTIONS; i++)
    {
      bench_tls_phone_send (&f, url);
      g_assert_cmpint (f.phone.status, ==, 200);
      bench_wait_count (&server.n_closed, i);
      g_assert_cmpuint (f.n_outcomes, ==, i);
      if (i == N_WARM_UP)
        {
          while (g_main_context_iteration (NULL, FALSE))
            ;
          before = mallinfo2 ().uordblks;
        }
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  after = mallinfo2 ().uordblks;
  g_test_message ("%" G_GSIZE_FORMAT " octets before, %" G_GSIZE_FORMAT " after %d connections", before,
                  after, N_CONNECTIONS);
  g_assert_cmpint ((gssize) (after - before) / N_CONNECTIONS, <, MAX_GROWTH);
  bench_tls_phone_stop (&f);
  bench_server_stop (&server);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  bench_log_init ();
  if (!ua_platform_init (&error))
    g_error ("%s", error->message);
  bench_authorities_make ();
  g_test_add_func ("/sip/tls/recovery", test_recovery);
  g_test_add_func ("/sip/tls/failover", test_failover);
  g_test_add_data_func ("/sip/tls/sharing/common-domain", GINT_TO_POINTER (TRUE), test_sharing);
  g_test_add_data_func ("/sip/tls/sharing/host-of-uri", GINT_TO_POINTER (FALSE), test_sharing);
  g_test_add_func ("/sip/tls/foreign-errors", test_foreign_errors);
  g_test_add_func ("/sip/tls/reconnects", test_reconnects);
  result = g_test_run ();
  bench_authorities_remove ();
  return result;
}
