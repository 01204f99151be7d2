/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* More than one server behind a name (RFC 3263 section 4.3): dead ones, silent ones, those that say 503; and what is remembered of them. */

#include "archive.h"
#include "bed.h"
#include "bench-tls-server.h"
#include "core/call-private.h"
#include "name-server.h"
#include "sip/ua-walk.h"

#include <string.h>

#define ONE "127.71.1.1"
#define TWO "127.71.1.2"
#define THREE "127.71.1.3"
#define FOUR "127.71.1.4"
#define ALICE_ADDRESS "127.71.1.9"
#define ALICE ALICE_ADDRESS ":5060"

static const NameRecord zone[] = {
  { "one.test", NAME_A, ONE },
  { "two.test", NAME_A, TWO },
  { "gone.test", NAME_A, "192.0.2.66" },
  { "_sip._udp.pair.test", NAME_SRV, "2 1 5060 two.test" },
  { "_sip._udp.pair.test", NAME_SRV, "1 1 5060 one.test" },
  { "_sip._udp.lonely.test", NAME_SRV, "1 1 5062 one.test" },
  { "_sip._udp.refused.test", NAME_SRV, "1 1 5069 one.test" },
  { "_sip._udp.refused.test", NAME_SRV, "2 1 5060 two.test" },
  { "both.test", NAME_A, ONE },
  { "both.test", NAME_A, TWO },
  { "silent.test", NAME_A, THREE },
  { "silent.test", NAME_A, FOUR },
  { "_sip._tcp.hole.test", NAME_SRV, "1 1 5060 gone.test" },
  { "_sip._tcp.hole.test", NAME_SRV, "2 1 5060 two.test" },
  { "many.test", NAME_NAPTR, "20 1 SIP+D2U _sip._udp.pair.test" },
  { "many.test", NAME_NAPTR, "10 2 SIP+D2T _sip._tcp.many.test" },
  { "many.test", NAME_NAPTR, "10 1 SIPS+D2T _sips._tcp.many.test" },
  { "many.test", NAME_NAPTR, "10 3 SIP+D2U _sip._udp.many.test" },
  { "_sip._tcp.many.test", NAME_SRV, "1 1 5069 one.test" },
  { "_sip._udp.many.test", NAME_SRV, "1 1 5060 two.test" },
  { "secure.test", NAME_NAPTR, "10 2 SIP+D2U _sip._udp.secure.test" },
  { "secure.test", NAME_NAPTR, "10 1 SIPS+D2T _sips._tcp.secure.test" },
  { "_sips._tcp.secure.test", NAME_SRV, "1 1 5061 one.test" },
  { "_sip._udp.secure.test", NAME_SRV, "1 1 5060 two.test" },
};

static void
on_registrar (Peer *peer, const PeerMessage *message, gpointer data)
{
  g_autofree char *contact = NULL;
  g_autofree char *extra = NULL;

  if (!message->method || g_str_equal (message->method, "ACK") || g_str_equal (message->method, "INVITE"))
    return;
  contact = peer_header (message, "Contact");
  extra = contact ? g_strdup_printf ("Contact: %s;expires=600\r\n", contact) : NULL;
  peer_reply (peer, message, 200, "OK", NULL, extra, NULL);
}

static gboolean
is_registered (PhoneAccount *account)
{
  return phone_account_get_registration (account) == PHONE_REGISTRATION_REGISTERED;
}

static PhoneAccount *
open_account (Agent *agent, const char *id, const char *domain, const char *transport)
{
  g_autofree char *aor = g_strdup_printf ("sip:%s@%s", id, domain);

  return agent_add_account (agent, id, "aor", aor, "transport", transport, NULL);
}

static PhoneAccount *
open_direct (Agent *agent)
{
  return agent_add_account (agent, "alice", "aor", "sip:alice@" ONE, "register", "false", "transport", "udp", NULL);
}

static void
answer (Peer *peer, const PeerMessage *invite, const char *address)
{
  g_autofree char *contact = g_strdup_printf ("Contact: <sip:bob@%s:%u>\r\n", address, peer_port (peer));

  peer_reply (peer, invite, 200, "OK", "one", contact, peer_sdp (address, 30000, "sendrecv"));
}

/* A call to two silent servers that is hung up goes to the first of them only. */
typedef struct
{
  Agent *agent;
  Peer *three, *four;
} Cancelled;

static void
cancelled_open (Cancelled *cancelled)
{
  PhoneCall *call;

  cancelled->three = peer_new (THREE, 5060, NULL, NULL);
  cancelled->four = peer_new (FOUR, 5060, NULL, NULL);
  cancelled->agent = agent_new ("127.71.1.8:5060", NULL);
  open_direct (cancelled->agent);
  call = agent_dial (cancelled->agent, "sip:bob@silent.test");
  wait_for (peer_count (cancelled->three, "INVITE") + peer_count (cancelled->four, "INVITE") > 0);
  phone_call_hangup (call, NULL);
}

static void
cancelled_check (Cancelled *cancelled)
{
  Peer *asked = peer_count (cancelled->three, "INVITE") ? cancelled->three : cancelled->four;

  wait_for (peer_count (asked, "INVITE") > 4);
  g_assert_true (peer_count (cancelled->three, "INVITE") == 0 || peer_count (cancelled->four, "INVITE") == 0);
  peer_reply (asked, peer_last (asked, "INVITE"), 487, "Request Terminated", "late", NULL, NULL);
  wait_for (cancelled->agent->n_ended == 1);
  agent_free (cancelled->agent);
  peer_free (cancelled->three);
  peer_free (cancelled->four);
}

/* The first server never says anything. After four copies of the REGISTER it is the turn of the second. Where there is only one, it goes on. */
static void
test_silent_registrar (void)
{
  Peer *one = peer_new (ONE, 5060, NULL, NULL);
  Peer *lonely = peer_new (ONE, 5062, NULL, NULL);
  Peer *two = peer_new (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new ("127.71.1.9", NULL);
  PhoneAccount *alice = open_account (agent, "alice", "pair.test", "udp");
  PhoneAccount *carol = open_account (agent, "carol", "lonely.test", "udp");
  PhoneAccount *dave;
  Cancelled cancelled;
  guint n_heard;

  cancelled_open (&cancelled);
  wait_for (is_registered (alice));
  g_assert_cmpuint (peer_count (one, "REGISTER"), ==, 4);
  g_assert_cmpuint (peer_count (two, "REGISTER"), ==, 1);
  n_heard = peer_count (one, "REGISTER");

  /* what one account has found out, the others know: and the refresh of the first */
  dave = open_account (agent, "dave", "pair.test", "udp");
  wait_for (is_registered (dave));
  g_assert_cmpuint (peer_count (two, "REGISTER"), ==, 2);
  phone_account_register (alice, NULL);
  wait_for (peer_count (two, "REGISTER") == 3);
  g_assert_cmpuint (peer_count (one, "REGISTER"), ==, n_heard);

  wait_for (peer_count (lonely, "REGISTER") > 4);
  g_assert_cmpint (phone_account_get_registration (carol), ==, PHONE_REGISTRATION_REGISTERING);
  cancelled_check (&cancelled);
  agent_free (agent);
  peer_free (one);
  peer_free (lonely);
  peer_free (two);
}

/* A call without a registrar, to a name of two addresses. The first server is late and not dead: what it was asked is cancelled. */
static void
test_silent_callee (void)
{
  Peer *one = peer_new (ONE, 5060, NULL, NULL);
  Peer *two = peer_new (TWO, 5060, NULL, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  const PeerMessage *late;
  Peer *first, *second;

  open_direct (agent);
  agent_dial (agent, "sip:bob@both.test");
  wait_for (peer_count (one, "INVITE") > 0 && peer_count (two, "INVITE") > 0);
  first = peer_count (one, "INVITE") > 1 ? one : two;
  second = first == one ? two : one;
  late = peer_request (first, "INVITE", 0);
  peer_set_handler (first, bed_on_farewell, NULL);
  peer_set_handler (second, bed_on_farewell, NULL);
  peer_reply (first, late, 180, "Ringing", "late", NULL, NULL);
  wait_for (peer_count (first, "CANCEL") == 1);
  peer_reply (first, late, 487, "Request Terminated", "late", NULL, NULL);
  wait_for (peer_count (first, "ACK") == 1);

  answer (second, peer_last (second, "INVITE"), second == one ? ONE : TWO);
  wait_for (agent->n_active == 1);
  g_assert_cmpuint (agent->calls->len, ==, 1);
  agent_free (agent);
  peer_free (one);
  peer_free (two);
}

static void
on_trying (Peer *peer, const PeerMessage *message, gpointer data)
{
  if (message->method && g_str_equal (message->method, "INVITE"))
    peer_reply (peer, message, 100, "Trying", NULL, NULL, NULL);
}

/* A server that says 100 lives, and has all the time it wants: until a call that gets nothing has gone on to its second server. */
static void
test_trying (void)
{
  Peer *one = peer_new (ONE, 5060, on_trying, NULL);
  Peer *two = peer_new (TWO, 5060, on_trying, NULL);
  Peer *three = peer_new (THREE, 5060, NULL, NULL);
  Peer *four = peer_new (FOUR, 5060, NULL, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  Peer *first;

  open_direct (agent);
  agent_dial (agent, "sip:bob@both.test");
  wait_for (peer_count (one, "INVITE") + peer_count (two, "INVITE") == 1);
  agent_dial (agent, "sip:carol@silent.test");
  wait_for (peer_count (three, "INVITE") > 0 && peer_count (four, "INVITE") > 0);
  harness_settle ();
  g_assert_cmpuint (peer_count (one, "INVITE") + peer_count (two, "INVITE"), ==, 1);
  first = peer_count (one, "INVITE") ? one : two;
  answer (first, peer_last (first, "INVITE"), first == one ? ONE : TWO);
  wait_for (agent->n_active == 1);
  agent_free (agent);
  peer_free (one);
  peer_free (two);
  peer_free (three);
  peer_free (four);
}

/* The server where we are registered dies: a call tells, goes by the other, and the registration follows. A call after that starts there. */
static void
test_registered (void)
{
  Peer *one = peer_new (ONE, 5060, on_registrar, NULL);
  Peer *two = peer_new (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *alice = open_account (agent, "alice", "pair.test", "udp");
  guint n_heard;

  wait_for (is_registered (alice));
  g_assert_cmpuint (peer_count (two, "REGISTER"), ==, 0);
  peer_set_handler (one, NULL, NULL);
  agent_dial (agent, "sip:bob@pair.test");
  wait_for (peer_count (two, "INVITE") == 1);
  g_assert_cmpuint (peer_count (one, "INVITE"), ==, 4);
  wait_for (peer_count (two, "REGISTER") == 1);
  answer (two, peer_last (two, "INVITE"), TWO);
  wait_for (agent->n_active == 1);

  n_heard = peer_count (one, "INVITE");
  agent_dial (agent, "sip:carol@pair.test");
  wait_for (peer_count (two, "INVITE") == 2);
  g_assert_cmpuint (peer_count (one, "INVITE"), ==, n_heard);
  peer_reply (two, peer_last (two, "INVITE"), 486, "Busy Here", "two", NULL, NULL);
  wait_for (agent->n_ended == 1);
  agent_free (agent);
  peer_free (one);
  peer_free (two);
}

static void
on_unavailable (Peer *peer, const PeerMessage *message, gpointer data)
{
  if (message->method && !g_str_equal (message->method, "ACK"))
    peer_reply (peer, message, 503, "Service Unavailable", "one", data, NULL);
}

static void
send_message (Agent *agent, PhoneAccount *account, const char *target, const char *id)
{
  PhoneMessageParams params = { .target = target, .content = PHONE_MESSAGE_TEXT, .text = "hello", .message_id = id };
  g_autoptr (GError) error = NULL;

  agent->ports.sig->message_send (agent->ua, account, &params, &error);
  g_assert_no_error (error);
}

static void
on_registrar_alone (Peer *peer, const PeerMessage *message, gpointer data)
{
  if (message->method && g_str_equal (message->method, "REGISTER"))
    on_registrar (peer, message, data);
}

/* For whoever gets both by two ways (RFC 3261 sections 8.2.2.2 and 17.2.3). */
static void
assert_same_request (const PeerMessage *first, const PeerMessage *second)
{
  static const char *const names[] = { "Call-ID", "CSeq", "From", "Via" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *one = peer_header (first, names[i]);
      g_autofree char *two = peer_header (second, names[i]);

      if (g_str_equal (names[i], "Via"))
        g_assert_cmpstr (one, !=, two);
      else
        g_assert_cmpstr (one, ==, two);
    }
}

/* The server takes the registration and is deaf to all else: each request goes on to the other by itself, whatever its method. */
static void
test_other_methods (void)
{
  static const char *const methods[] = { "SUBSCRIBE", "PUBLISH", "MESSAGE" };
  Peer *one = peer_new (ONE, 5060, on_registrar_alone, NULL);
  Peer *two = peer_new (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *alice = agent_add_account (agent, "alice", "aor", "sip:alice@pair.test", "transport", "udp", "publish", "on", NULL);
  guint n_heard;

  wait_for (is_registered (alice));
  send_message (agent, alice, "sip:bob@pair.test", "m1");
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++)
    {
      wait_for (peer_count (two, methods[i]) > 0);
      g_assert_cmpuint (peer_count (one, methods[i]), >=, 4);
    }
  assert_same_request (peer_last (one, "MESSAGE"), peer_last (two, "MESSAGE"));
  wait_for (peer_count (two, "REGISTER") == 1);
  n_heard = peer_count (one, "MESSAGE");
  send_message (agent, alice, "sip:bob@pair.test", "m2");
  wait_for (peer_count (two, "MESSAGE") == 2);
  g_assert_cmpuint (peer_count (one, "MESSAGE"), ==, n_heard);
  agent_free (agent);
  peer_free (one);
  peer_free (two);
}

/* A message without a registrar: the first of two addresses cannot serve it. */
static void
test_unavailable_message (void)
{
  Peer *one = peer_new (ONE, 5060, on_unavailable, NULL);
  Peer *two = peer_new (TWO, 5060, on_unavailable, NULL);
  Agent *agent = agent_new (ALICE, NULL);

  send_message (agent, open_direct (agent), "sip:bob@both.test", "m1");
  wait_for (peer_count (one, "MESSAGE") == 1 && peer_count (two, "MESSAGE") == 1);
  agent_free (agent);
  peer_free (one);
  peer_free (two);
}

static const PeerMessage *
find_message (Peer *peer, const char *user)
{
  g_autofree char *start = g_strdup_printf ("MESSAGE sip:%s@", user);
  const PeerMessage *message;

  for (guint i = 0; (message = peer_request (peer, "MESSAGE", i)) != NULL; i++)
    if (g_str_has_prefix (message->text, start))
      return message;
  return NULL;
}

static guint
count_messages (Peer *peer, const char *user)
{
  g_autofree char *start = g_strdup_printf ("MESSAGE sip:%s@", user);
  const PeerMessage *message;
  guint n = 0;

  for (guint i = 0; (message = peer_request (peer, "MESSAGE", i)) != NULL; i++)
    n += g_str_has_prefix (message->text, start);
  return n;
}

static PhoneMessageState
message_state (Archive *archive, const char *text)
{
  return archive_find (archive, text)->state;
}

/* The first server is late and not dead: it has passed the messages on. Whatever the second one says to its copies, they have arrived. */
static void
test_late_message (void)
{
  static const char *const users[] = { "bob", "carol", "dave", "eve" };
  Peer *one = peer_new (ONE, 5060, NULL, NULL);
  Peer *two = peer_new (TWO, 5060, NULL, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  Archive *archive = archive_new (agent);
  PhoneAccount *alice = open_direct (agent);
  Peer *first, *second;

  for (guint i = 0; i < G_N_ELEMENTS (users); i++)
    {
      g_autofree char *target = g_strdup_printf ("sip:%s@both.test", users[i]);

      archive_send (archive, alice, target, users[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (users); i++)
    wait_for (find_message (one, users[i]) && find_message (two, users[i]));
  first = count_messages (one, "bob") > count_messages (two, "bob") ? one : two;
  second = first == one ? two : one;
  for (guint i = 0; i < G_N_ELEMENTS (users); i++)
    assert_same_request (find_message (one, users[i]), find_message (two, users[i]));

  /* the same phone behind both takes the second for a copy */
  peer_reply (second, find_message (second, "bob"), 482, "Request merged", "x", NULL, NULL);
  peer_reply (second, find_message (second, "carol"), 503, "Service Unavailable", "x", NULL, NULL);
  peer_reply (second, find_message (second, "eve"), 404, "Not Found", "x", NULL, NULL);
  wait_for (message_state (archive, "eve") == PHONE_MESSAGE_FAILED);
  g_assert_cmpint (message_state (archive, "bob"), ==, PHONE_MESSAGE_SENDING);
  g_assert_cmpint (message_state (archive, "carol"), ==, PHONE_MESSAGE_SENDING);
  for (guint i = 0; i < 3; i++)
    {
      peer_reply (first, find_message (first, users[i]), 200, "OK", "x", NULL, NULL);
      wait_for (message_state (archive, users[i]) == PHONE_MESSAGE_SENT);
    }
  g_assert_cmpuint (archive_find (archive, "eve")->sip, ==, 404);
  agent_free (agent);
  archive_free (archive);
  peer_free (one);
  peer_free (two);
}

/* Each challenge makes the next number due, and that is the same by every way; what is sent again after an answer has another. */
static void
test_challenged_message (void)
{
  static const char challenge[] = "WWW-Authenticate: Digest realm=\"x\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256\r\n";
  Peer *one = peer_new (ONE, 5060, NULL, NULL);
  Peer *two = peer_new (TWO, 5060, NULL, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  Archive *archive = archive_new (agent);
  PhoneAccount *alice;
  const PeerMessage *bare, *answered;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *credentials = NULL;
  Peer *peer;

  agent->password = g_strdup ("secret");
  alice = open_direct (agent);
  archive_send (archive, alice, "sip:bob@both.test", "hello");
  wait_for (find_message (one, "bob") || find_message (two, "bob"));
  peer = find_message (one, "bob") ? one : two;
  bare = peer_last (peer, "MESSAGE");
  peer_reply (peer, bare, 401, "Unauthorized", "x", challenge, NULL);
  wait_for ((credentials = peer_header (peer_last (peer, "MESSAGE"), "Authorization")) != NULL);
  answered = peer_last (peer, "MESSAGE");
  before = peer_header (peer_request (peer, "MESSAGE", 0), "CSeq");
  after = peer_header (answered, "CSeq");
  g_assert_cmpuint (g_ascii_strtoull (after, NULL, 10), ==, g_ascii_strtoull (before, NULL, 10) + 1);
  peer_reply (peer, answered, 200, "OK", "x", NULL, NULL);
  wait_for (message_state (archive, "hello") == PHONE_MESSAGE_SENT);
  agent_free (agent);
  archive_free (archive);
  peer_free (one);
  peer_free (two);
}

/* Hanging up before anything was sent: the DNS is still asked. */
static void
test_hangup (void)
{
  Peer *one = peer_new (ONE, 5060, NULL, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneCall *call;

  open_direct (agent);
  call = agent_dial (agent, "sip:bob@lonely.test");
  phone_call_hangup (call, NULL);
  wait_for (agent->n_ended == 1);
  assert_cause (call, PHONE_CAUSE_CANCELLED);
  g_assert_cmpuint (peer_count (one, "INVITE"), ==, 0);
  agent_free (agent);
  peer_free (one);
}

/* A packet that nobody takes, and nobody refuses: TCP's SYN. */
static void
test_black_hole (void)
{
  Peer *two = peer_new_tcp (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *account;

  g_assert_true (harness_ip ("route add 192.0.2.66/32 dev lo"));
  account = open_account (agent, "alice", "hole.test", "tcp");
  wait_for (is_registered (account));
  agent_free (agent);
  peer_free (two);
}

static void
check_unavailable (const char *retry_after, gboolean is_avoided)
{
  Peer *one = peer_new (ONE, 5060, on_unavailable, (gpointer) retry_after);
  Peer *two = peer_new (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *alice = open_account (agent, "alice", "pair.test", "udp");

  wait_for (is_registered (alice));
  g_assert_cmpuint (peer_count (one, "REGISTER"), ==, 1);
  phone_account_register (alice, NULL);
  wait_for (peer_count (two, "REGISTER") == 2);
  g_assert_cmpuint (peer_count (one, "REGISTER"), ==, is_avoided ? 1 : 2);
  agent_free (agent);
  peer_free (one);
  peer_free (two);
}

static void
test_unavailable (void)
{
  check_unavailable (NULL, FALSE);
  check_unavailable ("Retry-After: 60\r\n", TRUE);
}

static void
test_unavailable_call (void)
{
  Peer *one = peer_new (ONE, 5060, on_unavailable, NULL);
  Peer *two = peer_new (TWO, 5060, on_unavailable, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneCall *call;

  open_direct (agent);
  call = agent_dial (agent, "sip:bob@both.test");
  wait_for (agent->n_ended == 1);
  g_assert_cmpuint (phone_call_get_reason (call)->sip, ==, 503);
  g_assert_cmpuint (peer_count (one, "INVITE"), ==, 1);
  g_assert_cmpuint (peer_count (two, "INVITE"), ==, 1);
  agent_free (agent);
  peer_free (one);
  peer_free (two);
}

/* Refused by the kernel of the other machine: no waiting. */
static void
test_refused (void)
{
  Peer *two = peer_new (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *alice = open_account (agent, "alice", "refused.test", "udp");

  wait_for (is_registered (alice));
  agent_free (agent);
  peer_free (two);
}

static PhoneAccount *
open_secure (Agent *agent)
{
  return agent_add_account (agent, "alice", "aor", "sip:alice@secure.test", "transport", "auto", "tls-ca", bench_authorities.ca_path, "keying",
                            "sdes", NULL);
}

static void
on_busy_server (Peer *peer, const PeerMessage *message, gpointer data)
{
  if (message->method && g_str_equal (message->method, "INVITE"))
    peer_reply (peer, message, 486, "Busy Here", "busy", NULL, NULL);
  else
    on_registrar (peer, message, data);
}

/* What a call of the account would say of encryption. */
static PhoneMediaCaps
call_caps (Agent *agent)
{
  PhoneCall *call = agent_dial (agent, "sip:bob@secure.test");
  PhoneMediaCaps caps;

  phone_call_fill_caps (call, PHONE_DIRECTION_SENDRECV, &caps);
  wait_for (agent->n_ended == 1);
  return caps;
}

/* NAPTR prefers TLS: that is what an account without a transport of its own takes, for all that follows too, and keys may go by it. */
static void
test_naptr_tls (void)
{
  static const BenchServerSpec spec = { .cert = { .name = "x", .san = "DNS:secure.test" } };
  BenchServer one = { 0 };
  Peer *two = peer_new (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *alice;
  PhoneMediaCaps caps;
  int n;

  bench_server_start (&one, &spec, ONE, 5061);
  one.stays_open = TRUE;
  alice = open_secure (agent);
  wait_for (is_registered (alice));
  g_assert_cmpstr (phone_account_get_tls (alice)->subject, ==, "CN=x");
  wait_for (ua_engine_count_stacks (agent->ua) == 1);
  n = g_atomic_int_get (&one.n_requests);
  send_message (agent, alice, "sip:bob@secure.test", "m1");
  wait_for (g_atomic_int_get (&one.n_requests) > n);
  caps = call_caps (agent);
  g_assert_true (caps.sdes_allowed);
  g_assert_cmpint (caps.srtp, ==, PHONE_SRTP_REQUIRED);
  g_assert_cmpint (phone_account_get_srtp (alice), ==, PHONE_SRTP_REQUIRED);
  /* A connection that is lost for a moment makes no call an open one. */
  phone_account_on_tls (alice, NULL);
  g_assert_cmpint (phone_account_get_srtp (alice), ==, PHONE_SRTP_REQUIRED);
  phone_account_register (alice, NULL);
  n = g_atomic_int_get (&one.n_requests);
  wait_for (g_atomic_int_get (&one.n_requests) > n);
  g_assert_cmpuint (peer_count (two, "REGISTER") + peer_count (two, "MESSAGE") + peer_count (two, "INVITE"), ==, 0);
  agent_free (agent);
  bench_server_stop (&one);
  peer_free (two);
}

/* The server has somebody else's certificate: not there, and what comes next in the order is next. No keys in clear text then. */
static void
test_naptr_tls_fails (void)
{
  static const BenchServerSpec spec = { .cert = { .name = "x", .san = "DNS:other.test" } };
  BenchServer one = { 0 };
  Peer *two = peer_new (TWO, 5060, on_busy_server, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *alice;
  PhoneMediaCaps caps;

  bench_server_start (&one, &spec, ONE, 5061);
  alice = open_secure (agent);
  wait_for (is_registered (alice));
  g_assert_cmpuint (g_atomic_int_get (&one.n_requests), ==, 0);
  g_assert_cmpuint (peer_count (two, "REGISTER"), ==, 1);
  g_assert_null (phone_account_get_tls (alice));
  caps = call_caps (agent);
  g_assert_false (caps.sdes_allowed);
  g_assert_cmpint (caps.srtp, ==, PHONE_SRTP_OFF);
  g_assert_cmpint (phone_account_get_srtp (alice), ==, PHONE_SRTP_OFF);
  agent_free (agent);
  bench_server_stop (&one);
  peer_free (two);
}

static void
call_in (Peer *from, const char *address, const char *contact, const char *branch)
{
  const char *sdp = peer_sdp (address, 30000, "sendrecv");

  peer_send (from, ALICE_ADDRESS, 5060,
             "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK-%s\r\nMax-Forwards: 70\r\nFrom: <sip:carol@example.net>;tag=c\r\n"
             "To: <sip:alice@secure.test>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:carol@%s>\r\nContent-Type: application/sdp\r\n"
             "Content-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
             contact, address, branch, branch, address, strlen (sdp), sdp);
}

static GSocket *
listen_mute (const char *address, guint16 port)
{
  g_autoptr (GSocketAddress) at = g_inet_socket_address_new_from_string (address, port);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_no_error (error);
  g_socket_bind (socket, at, TRUE, &error);
  g_assert_no_error (error);
  g_socket_listen (socket, &error);
  g_assert_no_error (error);
  return socket;
}

/* TLS is out of order: the account stays registered and can be called while it looks whether that is over, as often as it looks, and goes there
 * when it is. */
static void
test_naptr_tls_later (void)
{
  static const BenchServerSpec wrong = { .cert = { .name = "x", .san = "DNS:other.test" } }, right = { .cert = { .name = "x", .san = "DNS:secure.test" } };
  BenchServer one = { 0 };
  Peer *two = peer_new (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *alice;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  GSocket *mute;

  bench_server_start (&one, &wrong, ONE, 5061);
  alice = open_secure (agent);
  wait_for (is_registered (alice));
  wait_for (ua_engine_count_stacks (agent->ua) == 1);
  bench_server_stop (&one);
  before = peer_header (peer_last (two, "REGISTER"), "Contact");

  /* somebody who listens and says nothing */
  mute = listen_mute (ONE, 5061);
  ua_dead_list_clear (((UaAccount *) phone_account_get_engine_data (alice))->engine->dead);
  phone_account_register (alice, NULL);
  wait_for (peer_count (two, "REGISTER") == 2);
  g_assert_cmpuint (ua_engine_count_stacks (agent->ua), ==, 2);
  call_in (two, TWO, "sip:alice@" ALICE, "meanwhile");
  wait_for (agent->n_incoming == 1);
  g_assert_true (is_registered (alice));
  g_assert_null (phone_account_get_tls (alice));
  phone_call_reject (agent_call (agent, 0), PHONE_CAUSE_BUSY, NULL);
  wait_for (agent->n_ended == 1);
  wait_for (ua_engine_count_stacks (agent->ua) == 1);           /* it has given up */
  g_object_unref (mute);

  /* the certificate is still wrong */
  bench_server_start (&one, &wrong, ONE, 5061);
  ua_dead_list_clear (((UaAccount *) phone_account_get_engine_data (alice))->engine->dead);
  phone_account_register (alice, NULL);
  wait_for (ua_engine_count_stacks (agent->ua) == 2);
  wait_for (ua_engine_count_stacks (agent->ua) == 1);
  bench_server_stop (&one);
  g_assert_true (is_registered (alice));
  g_assert_cmpuint (g_atomic_int_get (&one.n_requests), ==, 0);
  after = peer_header (peer_last (two, "REGISTER"), "Contact");
  g_assert_cmpstr (before, ==, after);

  /* now it is right */
  one = (BenchServer){ 0 };
  bench_server_start (&one, &right, ONE, 5061);
  one.stays_open = TRUE;
  ua_dead_list_clear (((UaAccount *) phone_account_get_engine_data (alice))->engine->dead);
  phone_account_register (alice, NULL);
  wait_for (phone_account_get_tls (alice) != NULL && is_registered (alice));
  wait_for (ua_engine_count_stacks (agent->ua) == 1);
  g_assert_cmpint (phone_account_get_srtp (alice), ==, PHONE_SRTP_REQUIRED);
  agent_free (agent);
  bench_server_stop (&one);
  peer_free (two);
}

/* There is no SRV of TLS, TCP is refused, UDP is next; a higher order counts only if there is nothing of a lower one. */
static void
test_naptr_order (void)
{
  Peer *one = peer_new (ONE, 5060, on_registrar, NULL);
  Peer *two = peer_new (TWO, 5060, on_registrar, NULL);
  Agent *agent = agent_new (ALICE, NULL);
  PhoneAccount *alice = open_account (agent, "alice", "many.test", "auto");

  wait_for (is_registered (alice));
  g_assert_cmpuint (peer_count (one, "REGISTER"), ==, 0);
  g_assert_cmpuint (peer_count (two, "REGISTER"), ==, 1);
  agent_free (agent);
  peer_free (one);
  peer_free (two);
}

int
main (int argc, char **argv)
{
  int status;

  harness_init (&argc, &argv);
  bench_authorities_make ();
  if (harness_set_resolver ("127.0.0.53"))
    {
      name_server_start ("127.0.0.53", zone, G_N_ELEMENTS (zone));
      g_test_add_func ("/sip/failover/silent-registrar", test_silent_registrar);
      g_test_add_func ("/sip/failover/silent-callee", test_silent_callee);
      g_test_add_func ("/sip/failover/trying", test_trying);
      g_test_add_func ("/sip/failover/registered", test_registered);
      g_test_add_func ("/sip/failover/other-methods", test_other_methods);
      g_test_add_func ("/sip/failover/unavailable-message", test_unavailable_message);
      g_test_add_func ("/sip/failover/late-message", test_late_message);
      g_test_add_func ("/sip/failover/challenged-message", test_challenged_message);
      g_test_add_func ("/sip/failover/hangup", test_hangup);
      g_test_add_func ("/sip/failover/black-hole", test_black_hole);
      g_test_add_func ("/sip/failover/unavailable", test_unavailable);
      g_test_add_func ("/sip/failover/unavailable-call", test_unavailable_call);
      g_test_add_func ("/sip/failover/refused", test_refused);
      g_test_add_func ("/sip/failover/naptr-order", test_naptr_order);
      g_test_add_func ("/sip/failover/naptr-tls", test_naptr_tls);
      g_test_add_func ("/sip/failover/naptr-tls-fails", test_naptr_tls_fails);
      g_test_add_func ("/sip/failover/naptr-tls-later", test_naptr_tls_later);
    }
  status = g_test_run ();
  bench_authorities_remove ();
  return status;
}
