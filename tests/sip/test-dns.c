/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Finding the server: NAPTR, SRV, A, AAAA (RFC 3263) against a name server in the test, and /etc/hosts. */

#include "bed.h"
#include "name-server.h"

#include <string.h>
#include <sys/socket.h>

#include "sip/ua-private.h"
#include "sip/ua-resolve.h"

static const NameRecord zone[] = {
  { "host.test", NAME_A, "127.20.6.2" },
  { "naptr.test", NAME_NAPTR, "10 10 SIP+D2T _sip._tcp.naptr.test" },
  { "naptr.test", NAME_NAPTR, "10 20 SIP+D2U _sip._udp.naptr.test" },
  { "_sip._tcp.naptr.test", NAME_SRV, "1 1 5071 host.test" },
  { "_sip._udp.naptr.test", NAME_SRV, "1 1 5072 host.test" },
  { "_sip._tcp.spare.test", NAME_SRV, "1 1 5079 host.test" },
  { "_sip._tcp.spare.test", NAME_SRV, "2 1 5071 host.test" },
  { "six.test", NAME_AAAA, "::1" },
  { "half.test", NAME_NAPTR, "10 1 SIP+D2T _sip._tcp.half.test" },
  { "half.test", NAME_NAPTR, "10 2 SIP+D2U _sip._udp.half.test" },
  { "_sip._tcp.half.test", NAME_SRV, "1 1 5060 half.test" },
  { "_sip._udp.half.test", NAME_SRV, "1 1 5060 half.test" },
  { "half.test", NAME_A, "127.20.6.2" },
  { "_sip._udp.served.test", NAME_SRV, "1 1 5073 six.test" },
};

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

static const char *
sdp_at (gboolean six)
{
  return six ? "v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 0\r\n" : peer_sdp ("127.20.6.2", 30000, "sendrecv");
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
on_farewell (Peer *peer, const PeerMessage *message, gpointer data)
{
  if (message->method && !g_str_equal (message->method, "INVITE"))
    bed_on_farewell (peer, message, data);
}

/* Called without a registrar: a name with AAAA only, by itself and behind SRV, an address, and then one over IPv4. Each call makes its offer from
 * an address of that family, and takes the answer. */
static void
test_six_direct (void)
{
  static const struct
  {
    const char *target, *line;
    guint peer;
  } calls[] = {
    { "sip:bob@six.test:5070", "c=IN IP6 ", 0 },
    { "sip:bob@served.test", "c=IN IP6 ", 1 },
    { "sip:bob@[::1]:5070", "c=IN IP6 ", 0 },
    { "sip:bob@host.test:5070", "c=IN IP4 ", 2 },
  };
  Peer *peers[] = { peer_new ("::1", 5070, on_farewell, NULL), peer_new ("::1", 5073, on_farewell, NULL),
                    peer_new ("127.20.6.2", 5070, on_farewell, NULL) };
  Agent *agent = agent_new ("", NULL);

  agent_add_account (agent, "alice", "aor", "sip:alice@example.org", "register", "false", "transport", "udp", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      Peer *peer = peers[calls[i].peer];
      gboolean six = calls[i].peer < 2;
      guint n = peer_count (peer, "INVITE");
      PhoneCall *call = agent_dial (agent, calls[i].target);
      const PeerMessage *invite;
      g_autofree char *contact = NULL, *ours = NULL;

      wait_for (peer_count (peer, "INVITE") > n);
      invite = peer_last (peer, "INVITE");
      g_assert_nonnull (strstr (peer_body (invite), calls[i].line));
      contact = peer_header (invite, "Contact");
      g_assert_cmpint (strchr (contact, '[') != NULL, ==, six);
      ours = g_strdup_printf ("Contact: <sip:bob@%s:%u>\r\n", six ? "[::1]" : "127.20.6.2", peer_port (peer));
      peer_reply (peer, invite, 200, "OK", "one", ours, sdp_at (six));
      wait_for (agent->n_active == i + 1);
      phone_call_hangup (call, NULL);
      wait_for (agent->n_ended == i + 1);
    }
  g_assert_cmpuint (ua_engine_count_stacks (agent->ua), ==, 2);
  agent_free (agent);
  for (guint i = 0; i < G_N_ELEMENTS (peers); i++)
    peer_free (peers[i]);
}

/* A message finds its family by itself. */
static void
test_six_message (void)
{
  Peer *six = peer_new ("::1", 5073, bed_on_farewell, NULL), *four = peer_new ("127.20.6.2", 5070, bed_on_farewell, NULL);
  Agent *agent = agent_new ("", NULL);
  PhoneAccount *account
      = agent_add_account (agent, "alice", "aor", "sip:alice@example.org", "register", "false", "transport", "udp", NULL);
  PhoneMessageParams params = { .target = "sip:bob@served.test", .content = PHONE_MESSAGE_TEXT, .text = "hello", .message_id = "m1" };

  g_assert_true (agent->ports.sig->message_send (agent->ua, account, &params, NULL));
  wait_for (peer_count (six, "MESSAGE") == 1);
  params.target = "sip:bob@host.test:5070";
  g_assert_true (agent->ports.sig->message_send (agent->ua, account, &params, NULL));
  wait_for (peer_count (four, "MESSAGE") == 1);
  harness_settle ();
  agent_free (agent);
  peer_free (six);
  peer_free (four);
}

/* An account that is told to speak IPv4 alone says what is wrong with the name. */
static void
test_six_refused (void)
{
  Agent *agent = agent_new ("127.20.6.1:5060", NULL);
  PhoneCall *call;

  agent_add_account (agent, "alice", "aor", "sip:alice@example.org", "register", "false", "transport", "udp", NULL);
  call = agent_dial (agent, "sip:bob@six.test");
  wait_for (agent->n_ended == 1);
  g_assert_cmpstr (phone_call_get_reason (call)->phrase, ==, "six.test has only IPv6 addresses, and account alice speaks IPv4");
  agent_free (agent);
}

static void
on_found (GPtrArray *targets, gpointer data)
{
  *(GPtrArray **) data = g_ptr_array_ref (targets);
}

static GPtrArray *
resolve (Agent *agent, const char *host, PhoneTransport transport)
{
  const UaQuestion question = { .host = host, .transport = transport, .family = AF_INET };
  GPtrArray *found = NULL;

  ua_resolve_start (agent->ua, &question, on_found, &found);
  wait_for (found != NULL);
  return found;
}

/* What is remembered of one service does not pass for all of them. */
static void
test_half_remembered (void)
{
  Agent *agent = agent_new ("127.20.6.1:5060", NULL);
  g_autoptr (GPtrArray) one = resolve (agent, "half.test", PHONE_TRANSPORT_TCP);
  g_autoptr (GPtrArray) both = resolve (agent, "half.test", PHONE_TRANSPORT_AUTO);

  g_assert_cmpuint (one->len, ==, 1);
  g_assert_cmpuint (both->len, ==, 2);
  agent_free (agent);
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
  guint n_before;

  g_assert_true (moved);
  harness_settle ();
  g_assert_cmpint (phone_account_get_registration (account), ==, PHONE_REGISTRATION_REGISTERING);
  n_before = name_server_count ();
  g_assert_true (harness_ip ("addr add 192.0.2.53/32 dev lo"));
  name_server_start ("192.0.2.53", zone, G_N_ELEMENTS (zone));
  wait_for (is_registered (account));
  g_assert_cmpuint (name_server_count (), >, n_before);
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
      name_server_start ("127.0.0.53", zone, G_N_ELEMENTS (zone));
      g_test_add_func ("/sip/dns/naptr", test_naptr);
      g_test_add_func ("/sip/dns/srv-udp", test_srv_udp);
      g_test_add_func ("/sip/dns/failover", test_failover);
      /* a way into the world, or an address with AAAA would not be tried */
      if (harness_ip ("-6 addr add 2001:db8:6::1/128 dev lo nodad") && harness_ip ("-6 route add default dev lo src 2001:db8:6::1"))
        {
          g_test_add_func ("/sip/dns/six", test_six);
          g_test_add_func ("/sip/dns/six-direct", test_six_direct);
          g_test_add_func ("/sip/dns/six-message", test_six_message);
        }
      g_test_add_func ("/sip/dns/six-refused", test_six_refused);
      g_test_add_func ("/sip/dns/half-remembered", test_half_remembered);
      g_test_add_func ("/sip/dns/nothing", test_nothing);
      g_test_add_func ("/sip/dns/offline", test_offline);
    }
  return g_test_run ();
}
