/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A phone that is registered, and the server that it registered with: which way requests go, what the server may say that
 * others may not, and what happens when connections and addresses change. */

#include "harness.h"
#include "peer.h"

#include <string.h>

#define SERVER "127.20.5.9"
#define PORT 5060

typedef struct
{
  Agent *agent;
  PhoneAccount *account;
  Peer *server;
  const char *seen_as;          /* host:port that the server claims to see */
  const char *more;             /* further headers of the 200 to REGISTER */
  gboolean silent;
} Bed;

static void
on_request (Peer *peer, const PeerMessage *message, gpointer data)
{
  Bed *bed = data;

  if (!message->method || bed->silent || g_str_equal (message->method, "ACK") || g_str_equal (message->method, "INVITE"))
    return;
  if (g_str_equal (message->method, "REGISTER"))
    {
      g_autofree char *contact = peer_header (message, "Contact");
      g_autofree char *extra = g_strdup_printf ("Contact: %.*s;expires=600\r\n%s", (int) strcspn (contact, ","), contact,
                                                bed->more ? bed->more : "");

      peer_reply_seen_as (peer, message, bed->seen_as, 200, "OK", "reg", extra, NULL);
    }
  else
    peer_reply (peer, message, 200, "OK", NULL, NULL, NULL);
}

static void
bed_open (Bed *bed, const char *bind, const char *transport)
{
  g_autofree char *server = g_strdup_printf ("%s:%u", SERVER, PORT);

  bed->server = g_str_equal (transport, "tcp") ? peer_new_tcp (SERVER, PORT, on_request, bed) : peer_new (SERVER, PORT, on_request, bed);
  bed->agent = agent_new (bind, NULL);
  bed->account = agent_add_account (bed->agent, "alice", "aor", "sip:alice@example.invalid", "outbound-proxy", server, "transport",
                                    transport, "did", "+49 30 1234", NULL);
}

static void
bed_register (Bed *bed, const char *transport)
{
  bed_open (bed, "127.20.5.1:5060", transport);
  wait_for (phone_account_get_registration (bed->account) == PHONE_REGISTRATION_REGISTERED);
}

static void
bed_close (Bed *bed)
{
  bed->silent = FALSE;
  agent_free (bed->agent);
  peer_free (bed->server);
}

static char *
last_contact (Bed *bed)
{
  return peer_header (peer_last (bed->server, "REGISTER"), "Contact");
}

/* ---- ways ---- */

/* The AoR's domain has no address: all goes to the outbound proxy, without a Route header; what follows in the dialog goes to the Contact. */
static void
test_proxy (void)
{
  Bed bed = { 0 };
  Peer *bob = peer_new ("127.20.5.8", PORT, on_request, &bed);
  const PeerMessage *invite;
  g_autofree char *route = NULL;
  PhoneCall *call;

  bed_register (&bed, "udp");
  g_assert_true (g_str_has_prefix (peer_last (bed.server, "REGISTER")->text, "REGISTER sip:example.invalid SIP/2.0"));
  call = agent_dial (bed.agent, "bob");
  wait_for (peer_count (bed.server, "INVITE") == 1);
  invite = peer_last (bed.server, "INVITE");
  route = peer_header (invite, "Route");
  g_assert_null (route);
  g_assert_true (g_str_has_prefix (invite->text, "INVITE sip:bob@example.invalid SIP/2.0"));
  peer_reply (bed.server, invite, 200, "OK", "b", "Contact: <sip:bob@127.20.5.8>\r\n", peer_sdp ("127.20.5.8", 30000, "sendrecv"));
  wait_for (bed.agent->n_active == 1 && peer_count (bob, "ACK") == 1);
  phone_call_hangup (call, NULL);
  wait_for (bed.agent->n_ended == 1);
  g_assert_cmpuint (peer_count (bob, "BYE"), ==, 1);
  g_assert_cmpuint (peer_count (bed.server, "BYE"), ==, 0);
  bed_close (&bed);
  peer_free (bob);
}

static void
test_service_route (void)
{
  Bed bed = { .more = "Service-Route: <sip:edge.example.invalid;lr>\r\nPath: <sip:127.20.5.9;lr>\r\nSupported: path, gruu\r\n" };
  g_autofree char *route = NULL;
  const char *const *capabilities;

  bed_register (&bed, "udp");
  capabilities = phone_account_get_capabilities (bed.account);
  g_assert_true (g_strv_contains (capabilities, "gruu"));
  g_assert_true (g_strv_contains (capabilities, "service-route"));
  agent_dial (bed.agent, "bob");
  wait_for (peer_count (bed.server, "INVITE") == 1);
  route = peer_header (peer_last (bed.server, "INVITE"), "Route");
  g_assert_cmpstr (route, ==, "<sip:edge.example.invalid;lr>");
  peer_reply (bed.server, peer_last (bed.server, "INVITE"), 486, "Busy Here", "b", NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_close (&bed);
}

/* ---- addresses ---- */

/* The server sees us elsewhere (NAT): a second REGISTER with that contact, which takes back the first. */
static void
test_behind_nat (void)
{
  Bed bed = { .seen_as = "203.0.113.7:41000" };
  g_autofree char *contact = NULL;
  g_autofree char *in_call = NULL;

  bed_register (&bed, "udp");
  wait_for (peer_count (bed.server, "REGISTER") == 2);
  contact = last_contact (&bed);
  g_assert_nonnull (strstr (contact, "<sip:alice@203.0.113.7:41000>"));
  g_assert_nonnull (strstr (peer_last (bed.server, "REGISTER")->text, "<sip:alice@127.20.5.1:5060>;expires=0"));
  harness_settle ();
  g_assert_cmpuint (peer_count (bed.server, "REGISTER"), ==, 2);
  agent_dial (bed.agent, "bob");
  wait_for (peer_count (bed.server, "INVITE") == 1);
  in_call = peer_header (peer_last (bed.server, "INVITE"), "Contact");
  g_assert_cmpstr (in_call, ==, "<sip:alice@203.0.113.7:41000>");
  peer_reply (bed.server, peer_last (bed.server, "INVITE"), 486, "Busy Here", "b", NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_close (&bed);
}

/* On a connection only its own address leads back to us. */
static void
test_connection_contact (void)
{
  Bed bed = { 0 };
  g_autofree char *contact = NULL;

  bed_register (&bed, "tcp");
  wait_for (peer_count (bed.server, "REGISTER") == 2);
  contact = last_contact (&bed);
  g_assert_nonnull (strstr (contact, ";transport=tcp>"));
  g_assert_null (strstr (contact, "<sip:alice@127.20.5.1:5060;transport=tcp>;+sip"));
  bed_close (&bed);
}

/* The server restarts: we are back without being asked, long before the refresh. */
static void
test_connection_lost (void)
{
  Bed bed = { 0 };
  guint n;

  bed_register (&bed, "tcp");
  wait_for (peer_count (bed.server, "REGISTER") == 2);
  harness_settle ();
  n = peer_count (bed.server, "REGISTER");
  peer_close_connections (bed.server);
  wait_for (peer_count (bed.server, "REGISTER") > n);
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_REGISTERED);
  bed_close (&bed);
}

/* A socket for any address: the contact follows the network, and a call survives. */
static void
test_network_changed (void)
{
  Bed bed = { 0 };
  Peer *bob = peer_new ("127.20.5.8", PORT, on_request, &bed);
  PhoneCall *call;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *told = NULL;
  g_autofree char *back = NULL;

  if (!harness_ip ("addr add 10.66.0.1/32 dev lo") || !harness_ip ("addr add 10.66.0.2/32 dev lo")
      || !harness_ip ("addr add 10.66.0.9/32 dev lo") || !harness_ip ("route change local 10.66.0.9 dev lo table local src 10.66.0.1"))
    {
      g_test_skip ("cannot make networks here");
      peer_free (bob);
      return;
    }
  bed.server = peer_new ("10.66.0.9", PORT, on_request, &bed);
  bed.agent = agent_new ("0.0.0.0:5062", NULL);
  bed.account = agent_add_account (bed.agent, "alice", "aor", "sip:alice@example.invalid", "outbound-proxy", "10.66.0.9", "transport", "udp", NULL);
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_REGISTERED);
  before = last_contact (&bed);
  g_assert_nonnull (strstr (before, "<sip:alice@10.66.0.1:5062>"));
  call = agent_dial (bed.agent, "bob");
  wait_for (peer_count (bed.server, "INVITE") == 1);
  peer_reply (bed.server, peer_last (bed.server, "INVITE"), 200, "OK", "b", "Contact: <sip:bob@127.20.5.8>\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n",
              peer_sdp ("127.20.5.8", 30000, "sendrecv"));
  wait_for (bed.agent->n_active == 1);

  g_assert_true (harness_ip ("route change local 10.66.0.9 dev lo table local src 10.66.0.2"));
  g_assert_true (harness_ip ("addr del 10.66.0.1/32 dev lo"));
  ua_engine_network_changed (bed.agent->ua);
  wait_for (peer_count (bed.server, "REGISTER") >= 2 && peer_count (bob, "INVITE") == 1);
  after = last_contact (&bed);
  told = peer_header (peer_last (bob, "INVITE"), "Contact");
  g_assert_nonnull (strstr (peer_body (peer_last (bob, "INVITE")), "c=IN IP4 10.66.0.2\r\n"));
  peer_reply (bob, peer_last (bob, "INVITE"), 200, "OK", "b", "Contact: <sip:bob@127.20.5.8>\r\n", peer_sdp ("127.20.5.8", 30002, "sendrecv"));
  wait_for (peer_count (bob, "ACK") == 2);
  g_assert_cmpuint (phone_call_get_plan (call)->remote_port, ==, 30002);
  g_assert_nonnull (strstr (after, "<sip:alice@10.66.0.2:5062>"));
  g_assert_nonnull (strstr (peer_last (bed.server, "REGISTER")->text, "<sip:alice@10.66.0.1:5062>;expires=0"));
  g_assert_cmpstr (told, ==, "<sip:alice@10.66.0.2:5062>");
  harness_settle ();
  g_assert_cmpint (phone_account_get_registration (bed.account), ==, PHONE_REGISTRATION_REGISTERED);
  assert_state (call, PHONE_CALL_ACTIVE);

  /* and back, while the call is just put on hold: that comes to its end first, and then the peer is told */
  phone_call_hold (call, NULL, NULL, NULL);
  wait_for (peer_count (bob, "INVITE") == 2);
  g_assert_true (harness_ip ("addr add 10.66.0.1/32 dev lo"));
  g_assert_true (harness_ip ("route change local 10.66.0.9 dev lo table local src 10.66.0.1"));
  ua_engine_network_changed (bed.agent->ua);
  wait_for (peer_count (bed.server, "REGISTER") >= 3);
  g_assert_cmpuint (peer_count (bob, "INVITE"), ==, 2);
  peer_reply (bob, peer_last (bob, "INVITE"), 200, "OK", "b", "Contact: <sip:bob@127.20.5.8>\r\n", peer_sdp ("127.20.5.8", 30002, "recvonly"));
  wait_for (peer_count (bob, "INVITE") == 3);
  back = peer_header (peer_last (bob, "INVITE"), "Contact");
  g_assert_cmpstr (back, ==, "<sip:alice@10.66.0.1:5062>");
  g_assert_nonnull (strstr (peer_body (peer_last (bob, "INVITE")), "c=IN IP4 10.66.0.1\r\n"));
  g_assert_nonnull (strstr (peer_body (peer_last (bob, "INVITE")), "a=sendonly\r\n"));
  peer_reply (bob, peer_last (bob, "INVITE"), 200, "OK", "b", "Contact: <sip:bob@127.20.5.8>\r\n", peer_sdp ("127.20.5.8", 30002, "recvonly"));
  wait_for (peer_count (bob, "ACK") == 4);
  assert_state (call, PHONE_CALL_HELD);
  phone_call_hangup (call, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_close (&bed);
  peer_free (bob);
}

/* ---- keep-alive ---- */

static void
test_keep_alive (void)
{
  Bed bed = { 0 };
  guint n;

  bed.server = peer_new (SERVER, PORT, on_request, &bed);
  bed.agent = agent_new ("127.20.5.1:5060", NULL);
  bed.account = agent_add_account (bed.agent, "alice", "aor", "sip:alice@" SERVER, "transport", "udp", "keep-alive", "10", NULL);
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_REGISTERED);
  n = peer_count (bed.server, "REGISTER");
  wait_for (peer_count (bed.server, "OPTIONS") == 1);
  harness_settle ();
  g_assert_cmpuint (peer_count (bed.server, "REGISTER"), ==, n);
  bed_close (&bed);
}

/* ---- calls in ---- */

static void
send_invite (Bed *bed, const char *from_address, Peer *from, const char *uri, const char *to, const char *branch)
{
  const char *sdp = peer_sdp (from_address, 30000, "sendrecv");

  peer_send (from, "127.20.5.1", PORT,
             "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK-%s\r\nMax-Forwards: 70\r\nFrom: <sip:carol@example.net>;tag=c\r\n"
             "To: <%s>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:carol@%s>\r\n"
             "P-Asserted-Identity: \"Carol C.\" <sip:+4930999;verstat=TN-Validation-Passed@example.net;user=phone>, <tel:+4930999>\r\n"
             "Content-Type: application/sdp\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
             uri, from_address, branch, to, branch, from_address, strlen (sdp), sdp);
}

static void
test_asserted (void)
{
  Bed bed = { 0 };
  PhoneCall *call;

  bed_register (&bed, "udp");
  send_invite (&bed, SERVER, bed.server, "sip:alice@127.20.5.1:5060", "sip:alice@example.invalid", "pai");
  wait_for (bed.agent->n_incoming == 1);
  call = agent_call (bed.agent, 0);
  g_assert_cmpstr (phone_call_get_asserted_id (call), ==, "sip:+4930999@example.net;user=phone");
  g_assert_cmpstr (phone_call_get_verstat (call), ==, "passed");
  g_assert_cmpstr (phone_call_get_remote_name (call), ==, "Carol C.");
  g_assert_cmpstr (phone_call_get_remote_uri (call), ==, "sip:carol@example.net");
  phone_call_reject (call, PHONE_CAUSE_BUSY, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_close (&bed);
}

/* The same from somebody else: a call, but no asserted identity. */
static void
test_not_asserted (void)
{
  Bed bed = { 0 };
  Peer *stranger = peer_new ("127.20.5.7", PORT, NULL, NULL);

  bed_register (&bed, "udp");
  send_invite (&bed, "127.20.5.7", stranger, "sip:alice@127.20.5.1:5060", "sip:alice@example.invalid", "no-pai");
  wait_for (bed.agent->n_incoming == 1);
  g_assert_cmpstr (phone_call_get_asserted_id (agent_call (bed.agent, 0)), ==, "");
  g_assert_cmpstr (phone_call_get_verstat (agent_call (bed.agent, 0)), ==, "");
  phone_call_reject (agent_call (bed.agent, 0), PHONE_CAUSE_BUSY, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_close (&bed);
  peer_free (stranger);
}

/* An account that is a number, however whoever calls writes it. */
static void
test_number (void)
{
  static const struct
  {
    const char *uri;
    gboolean ours;
  } rows[] = {
    { "sip:+4930999@127.20.5.1", TRUE },          { "sip:4930999@127.20.5.1", TRUE },
    { "sip:+49-30.9(9)9@127.20.5.1", TRUE },      { "sip:+4930999;phone-context=x@127.20.5.1", TRUE },
    { "tel:+49-30-999", TRUE },                   { "sip:+49309990@127.20.5.1", FALSE },
    { "sip:930999@127.20.5.1", FALSE },           { "sip:alice@127.20.5.1", FALSE },
  };
  Bed bed = { 0 };
  guint n_calls = 0;

  bed.server = peer_new (SERVER, PORT, on_request, &bed);
  bed.agent = agent_new ("127.20.5.1:5060", "daemon.max-calls", "20", NULL);
  bed.account = agent_add_account (bed.agent, "desk", "aor", "sip:+4930999@example.invalid", "outbound-proxy", SERVER, "transport", "udp", "max-calls", "20", NULL);
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_REGISTERED);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *branch = g_strdup_printf ("number-%u", i);
      guint n_refused = peer_count_status (bed.server, 404, "INVITE");

      g_test_message ("%s", rows[i].uri);
      send_invite (&bed, SERVER, bed.server, rows[i].uri, "sip:somebody@example.invalid", branch);
      if (rows[i].ours)
        {
          n_calls++;
          wait_for (bed.agent->n_incoming == n_calls);
        }
      else
        wait_for (peer_count_status (bed.server, 404, "INVITE") > n_refused);
    }
  g_assert_cmpuint (bed.agent->n_incoming, ==, n_calls);
  phone_registry_hangup_all (bed.agent->registry);
  wait_for (bed.agent->n_ended == n_calls);
  bed_close (&bed);
}

/* A number of the account, in the Request-URI or (from its own server only) in To. */
static void
test_did (void)
{
  Bed bed = { 0 };
  Peer *stranger = peer_new ("127.20.5.7", PORT, NULL, NULL);

  bed_register (&bed, "udp");
  send_invite (&bed, "127.20.5.7", stranger, "sip:s@127.20.5.1", "sip:+49301234@example.invalid", "did-0");
  wait_for (peer_count_status (stranger, 404, "INVITE") > 0);
  send_invite (&bed, SERVER, bed.server, "sip:s@127.20.5.1", "sip:+49301234@example.invalid", "did-1");
  wait_for (bed.agent->n_incoming == 1);
  send_invite (&bed, SERVER, bed.server, "tel:+49-30-1234", "sip:whoever@example.invalid", "did-2");
  wait_for (bed.agent->n_incoming == 2);
  send_invite (&bed, "127.20.5.7", stranger, "sip:49301234@127.20.5.1", "sip:x@example.invalid", "did-3");
  wait_for (bed.agent->n_incoming == 3);
  phone_registry_hangup_all (bed.agent->registry);
  wait_for (bed.agent->n_ended == 3);
  bed_close (&bed);
  peer_free (stranger);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/server/proxy", test_proxy);
  g_test_add_func ("/sip/server/service-route", test_service_route);
  g_test_add_func ("/sip/server/behind-nat", test_behind_nat);
  g_test_add_func ("/sip/server/connection-contact", test_connection_contact);
  g_test_add_func ("/sip/server/connection-lost", test_connection_lost);
  g_test_add_func ("/sip/server/network-changed", test_network_changed);
  g_test_add_func ("/sip/server/keep-alive", test_keep_alive);
  g_test_add_func ("/sip/server/asserted", test_asserted);
  g_test_add_func ("/sip/server/not-asserted", test_not_asserted);
  g_test_add_func ("/sip/server/did", test_did);
  g_test_add_func ("/sip/server/number", test_number);
  return g_test_run ();
}
