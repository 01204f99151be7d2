/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finding the server: NAPTR, SRV, A, AAAA (RFC 3263) against a name server in the test, and /etc/hosts. */

#include "harness.h"
#include "peer.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sip/ua-private.h"

/* ---- a name server ---- */

enum { A = 1, AAAA = 28, SRV = 33, NAPTR = 35 };

typedef struct
{
  const char *name;
  guint16 type;
  const char *data;             /* address; "priority weight port target"; "order preference service replacement" */
} Record;

static const Record zone[] = {
  { "host.test", A, "127.20.6.2" },
  { "naptr.test", NAPTR, "10 10 SIP+D2T _sip._tcp.naptr.test" },
  { "naptr.test", NAPTR, "10 20 SIP+D2U _sip._udp.naptr.test" },
  { "_sip._tcp.naptr.test", SRV, "1 1 5071 host.test" },
  { "_sip._udp.naptr.test", SRV, "1 1 5072 host.test" },
  { "_sip._tcp.spare.test", SRV, "1 1 5079 host.test" },
  { "_sip._tcp.spare.test", SRV, "2 1 5071 host.test" },
  { "six.test", AAAA, "::1" },
};

static guint n_queries;

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
put_data (GByteArray *out, const Record *record)
{
  g_auto (GStrv) words = g_strsplit (record->data, " ", -1);
  g_autoptr (GInetAddress) address = NULL;

  switch (record->type)
    {
    case A:
    case AAAA:
      address = g_inet_address_new_from_string (record->data);
      g_byte_array_append (out, g_inet_address_to_bytes (address), (guint) g_inet_address_get_native_size (address));
      break;
    case SRV:
      for (int i = 0; i < 3; i++)
        put16 (out, (guint) g_ascii_strtoull (words[i], NULL, 10));
      put_name (out, words[3]);
      break;
    case NAPTR:
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
  for (gsize i = 0; i < G_N_ELEMENTS (zone); i++)
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

static void
start_name_server (const char *address)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string (address, 53);
  GSource *source;

  g_assert_no_error (error);
  g_socket_bind (socket, where, TRUE, &error);
  g_assert_no_error (error);
  source = g_socket_create_source (socket, G_IO_IN, NULL);
  g_source_set_callback (source, (GSourceFunc) (gpointer) on_query, NULL, NULL);
  g_source_attach (source, NULL);
  g_source_unref (source);
  g_object_unref (socket);
}

/* ---- tests ---- */

static void
on_register (Peer *peer, const PeerMessage *message, gpointer data)
{
  g_autofree char *contact = NULL;
  g_autofree char *extra = NULL;

  if (!message->method || !g_str_equal (message->method, "REGISTER"))
    return;
  contact = peer_header (message, "Contact");
  extra = g_strdup_printf ("Contact: %s;expires=600\r\n", contact);
  peer_reply (peer, message, 200, "OK", NULL, extra, NULL);
}

static PhoneAccount *
open_account (Agent *agent, const char *aor, const char *transport)
{
  return agent_add_account (agent, "alice", "aor", aor, "transport", transport, NULL);
}

static gboolean
is_registered (PhoneAccount *account)
{
  return phone_account_get_registration (account) == PHONE_REGISTRATION_REGISTERED;
}

/* NAPTR prefers TCP; the SRV record has the port. */
static void
test_naptr (void)
{
  Peer *tcp = peer_new_tcp ("127.20.6.2", 5071, on_register, NULL);
  Agent *agent = agent_new ("127.20.6.1:5060", NULL);
  PhoneAccount *account = open_account (agent, "sip:alice@naptr.test", "auto");
  g_autofree char *contact = NULL;

  wait_for (is_registered (account));
  wait_for (peer_count (tcp, "REGISTER") == 2);
  contact = peer_header (peer_last (tcp, "REGISTER"), "Contact");
  g_assert_nonnull (strstr (contact, ";transport=tcp"));
  agent_free (agent);
  peer_free (tcp);
}

/* With UDP set, the SRV record of UDP counts. */
static void
test_srv_udp (void)
{
  Peer *udp = peer_new ("127.20.6.2", 5072, on_register, NULL);
  Agent *agent = agent_new ("127.20.6.1:5060", NULL);
  PhoneAccount *account = open_account (agent, "sip:alice@naptr.test", "udp");

  wait_for (is_registered (account));
  g_assert_cmpuint (peer_count (udp, "REGISTER"), ==, 1);
  agent_free (agent);
  peer_free (udp);
}

/* The first target refuses the connection: the second is tried within the same attempt. */
static void
test_failover (void)
{
  Peer *tcp = peer_new_tcp ("127.20.6.2", 5071, on_register, NULL);
  Agent *agent = agent_new ("127.20.6.1:5060", NULL);
  PhoneAccount *account = open_account (agent, "sip:alice@spare.test", "tcp");

  wait_for (is_registered (account));
  agent_free (agent);
  peer_free (tcp);
}

/* A name with AAAA only. */
static void
test_six (void)
{
  Peer *six = peer_new ("::1", 5060, on_register, NULL);
  Agent *agent = agent_new ("", NULL);
  PhoneAccount *account;
  g_autofree char *contact = NULL;

  account = open_account (agent, "sip:alice@six.test", "udp");
  wait_for (is_registered (account));
  wait_for (ua_engine_count_stacks (agent->ua) == 1);
  contact = peer_header (peer_last (six, "REGISTER"), "Contact");
  g_assert_nonnull (strchr (contact, '['));
  agent_free (agent);
  peer_free (six);
}

static void
test_nothing (void)
{
  Agent *agent = agent_new ("127.20.6.1:5060", NULL);
  PhoneAccount *account = open_account (agent, "sip:alice@nothing.test", "udp");

  wait_for (phone_account_get_registration (account) == PHONE_REGISTRATION_FAILED);
  g_assert_cmpstr (phone_account_get_registration_detail (account)->reason, ==, "dns");
  agent_free (agent);
}

/* No network, as at a start before the wireless is up: the name server has no route. Nothing spins (the resolver would never return), and
 * with the network the account is back by itself. */
static void
test_offline (void)
{
  gboolean moved = harness_set_resolver ("192.0.2.53");
  Peer *udp = peer_new ("127.20.6.2", 5072, on_register, NULL);
  Agent *agent = agent_new ("127.20.6.1:5060", NULL);
  PhoneAccount *account = open_account (agent, "sip:alice@naptr.test", "udp");

  g_assert_true (moved);
  harness_settle ();
  g_assert_cmpint (phone_account_get_registration (account), ==, PHONE_REGISTRATION_REGISTERING);
  n_queries = 0;
  g_assert_true (harness_ip ("addr add 192.0.2.53/32 dev lo"));
  start_name_server ("192.0.2.53");
  wait_for (is_registered (account));
  g_assert_cmpuint (n_queries, >, 0);
  agent_free (agent);
  peer_free (udp);
}

/* A literal IPv6 server. */
static void
test_literal_six (void)
{
  Peer *six = peer_new ("::1", 5060, on_register, NULL);
  Agent *agent = agent_new ("", NULL);
  PhoneAccount *account = agent_add_account (agent, "alice", "aor", "sip:alice@example.org", "registrar", "[::1]", "transport", "udp", NULL);
  g_autofree char *contact = NULL;

  wait_for (is_registered (account));
  contact = peer_header (peer_last (six, "REGISTER"), "Contact");
  g_assert_nonnull (strstr (contact, "@[::1]:"));
  agent_free (agent);
  peer_free (six);
}

static void
check_hosts (const char *host, int family, const char *wanted)
{
  static const char text[] = "# comment\n127.0.0.1 localhost\n::1\tlocalhost ip6-localhost # more\n192.0.2.9 pbx.local PBX\nnonsense pbx2\n\n192.0.2.10\n";
  g_autofree char *found = ua_route_find_in_hosts (text, host, family);

  g_assert_cmpstr (found, ==, wanted);
}

static void
test_hosts (void)
{
  check_hosts ("localhost", AF_UNSPEC, "127.0.0.1");
  check_hosts ("localhost", AF_INET6, "::1");
  check_hosts ("pbx", AF_UNSPEC, "192.0.2.9");
  check_hosts ("pbx.LOCAL", AF_INET, "192.0.2.9");
  check_hosts ("pbx", AF_INET6, NULL);
  check_hosts ("pbx2", AF_UNSPEC, NULL);
  check_hosts ("192.0.2.10", AF_UNSPEC, NULL);
  check_hosts ("comment", AF_UNSPEC, NULL);
}

int
main (int argc, char **argv)
{
  gboolean resolver;

  harness_init (&argc, &argv);
  resolver = harness_set_resolver ("127.0.0.53");
  g_test_add_func ("/sip/dns/hosts", test_hosts);
  g_test_add_func ("/sip/dns/literal-six", test_literal_six);
  if (resolver)
    {
      start_name_server ("127.0.0.53");
      g_test_add_func ("/sip/dns/naptr", test_naptr);
      g_test_add_func ("/sip/dns/srv-udp", test_srv_udp);
      g_test_add_func ("/sip/dns/failover", test_failover);
      /* a way into the world, or an address with AAAA would not be tried */
      if (harness_ip ("-6 addr add 2001:db8:6::1/128 dev lo") && harness_ip ("-6 route add default dev lo src 2001:db8:6::1"))
        g_test_add_func ("/sip/dns/six", test_six);
      g_test_add_func ("/sip/dns/nothing", test_nothing);
      g_test_add_func ("/sip/dns/offline", test_offline);
    }
  return g_test_run ();
}
