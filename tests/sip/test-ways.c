/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An account without a server calls each target the way that leads to it: by TLS, where the DNS says so (RFC 3263 section 4.1). */

#include <glib/gstdio.h>
#include <string.h>

#include "archive.h"
#include "bed.h"
#include "bench-certs.h"
#include "core/call-private.h"
#include "core/watch.h"
#include "name-server.h"

#define ALICE "127.64.1.1"
#define ONE "127.64.1.2"
#define TWO "127.64.1.3"
#define NOBODY "127.64.1.4"
#define THREE "127.64.1.5"

static const NameRecord zone[] = {
  { "one.test", NAME_A, ONE },
  { "secure.test", NAME_A, ONE },      /* of the Contact that the certificate names */
  { "two.test", NAME_A, TWO },
  { "secure.test", NAME_NAPTR, "10 1 SIPS+D2T _sips._tcp.secure.test" },
  { "secure.test", NAME_NAPTR, "10 2 SIP+D2U _sip._udp.secure.test" },
  { "_sips._tcp.secure.test", NAME_SRV, "1 1 5061 one.test" },
  { "_sip._udp.secure.test", NAME_SRV, "1 1 5060 two.test" },
  /* TLS in an order of its own, as in RFC 3263 section 4.1 */
  { "ordered.test", NAME_A, ONE },
  { "ordered.test", NAME_NAPTR, "50 50 SIPS+D2T _sips._tcp.ordered.test" },
  { "ordered.test", NAME_NAPTR, "100 50 SIP+D2U _sip._udp.ordered.test" },
  { "_sips._tcp.ordered.test", NAME_SRV, "1 1 5061 one.test" },
  { "_sip._udp.ordered.test", NAME_SRV, "1 1 5060 two.test" },
  { "other.test", NAME_A, TWO },
  { "alone.test", NAME_A, NOBODY },
  { "alone.test", NAME_NAPTR, "10 1 SIPS+D2T _sips._tcp.alone.test" },
  { "_sips._tcp.alone.test", NAME_SRV, "1 1 5061 one.test" },
  /* says nothing of TLS */
  { "three.test", NAME_A, THREE },
  { "_sip._udp.three.test", NAME_SRV, "1 1 5060 two.test" },
};

typedef struct
{
  Agent *alice, *bob;           /* bob: NULL: not there */
  Peer *two;                    /* the same bob, by UDP */
  char *alice_cert, *bob_cert;
} Pair;

static void
on_farewell (Peer *peer, const PeerMessage *message, gpointer data)
{
  if (message->method && g_str_equal (message->method, "MESSAGE"))
    peer_reply (peer, message, 200, "OK", NULL, NULL, NULL);
  else if (message->method && !g_str_equal (message->method, "INVITE"))
    bed_on_farewell (peer, message, data);
}

/* until: days from now. */
static char *
write_cert (const char *who, const char *san, int until)
{
  g_autofree char *file = g_strconcat (who, ".pem", NULL);
  g_autoptr (BenchCert) cert
      = bench_cert_new (&(BenchCertSpec){ .name = who, .san = san, .from = -3, .until = until }, bench_authorities.ca);

  return bench_authorities_write (cert, TRUE, file);
}

static Agent *
open_tls_phone (const char *address, const char *aor, const char *cert)
{
  Agent *agent = agent_new (address, NULL);

  agent_add_account (agent, "tls", "aor", aor, "register", "false", "transport", "tls", "keying", "sdes", "tls-ca", bench_authorities.ca_path,
                     "tls-cert", cert, NULL);
  agent->script.answer = TRUE;
  return agent;
}

static void
pair_open (Pair *pair, const char *bob_san, gboolean alice_has_cert)
{
  pair->two = peer_new (TWO, 5060, on_farewell, NULL);
  if (alice_has_cert)
    pair->alice_cert = write_cert ("alice", "IP:" ALICE, 1);
  pair->alice = agent_new (ALICE ":5060", NULL);
  agent_add_account (pair->alice, "alice", "aor", "sip:alice@" ALICE, "register", "false", "keying", "sdes", "tls-ca", bench_authorities.ca_path,
                     pair->alice_cert ? "tls-cert" : NULL, pair->alice_cert, NULL);
  if (!bob_san)
    return;
  pair->bob_cert = write_cert ("bob", bob_san, 1);
  pair->bob = open_tls_phone (ONE, "sip:bob@secure.test", pair->bob_cert);
}

static void
pair_close (Pair *pair)
{
  agent_free (pair->alice);
  if (pair->bob)
    agent_free (pair->bob);
  peer_free (pair->two);
  if (pair->alice_cert)
    g_unlink (pair->alice_cert);
  if (pair->bob_cert)
    g_unlink (pair->bob_cert);
  g_free (pair->alice_cert);
  g_free (pair->bob_cert);
}

/* The call goes to two, in clear, and works. */
static void
expect_clear (Pair *pair, PhoneCall *call)
{
  const PeerMessage *invite;

  wait_for (peer_count (pair->two, "INVITE") == 1);
  invite = peer_last (pair->two, "INVITE");
  g_assert_null (strstr (invite->text, "transport=tls"));
  g_assert_null (strstr (peer_body (invite), "crypto"));
  g_assert_nonnull (strstr (peer_body (invite), "RTP/AVP "));
  peer_reply (pair->two, invite, 200, "OK", "two", "Contact: <sip:bob@" TWO ">\r\n", peer_sdp (TWO, 30000, "sendrecv"));
  wait_for (phone_call_get_state (call) == PHONE_CALL_ACTIVE);
  phone_call_hangup (call, NULL);
  wait_for (peer_count (pair->two, "BYE") == 1);
}

/* TLS, with keys, there; and back, for who was called hangs up. One stack beside serves all such calls. */
static void
test_tls (void)
{
  Pair pair = { 0 };
  PhoneCall *call;

  pair_open (&pair, "DNS:secure.test", TRUE);
  for (guint i = 1; i <= 2; i++)
    {
      call = agent_dial (pair.alice, "sip:bob@secure.test");
      wait_for (pair.alice->n_active == i && pair.bob->n_active == i);
      g_assert_true (phone_call_get_plan (call)->encrypted);
      phone_call_hangup (agent_call (pair.bob, i - 1), NULL);
      wait_for (pair.alice->n_ended == i && pair.bob->n_ended == i);
      assert_actor (call, PHONE_ACTOR_REMOTE);
    }
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 0);
  g_assert_cmpuint (ua_engine_count_stacks (pair.alice->ua), ==, 2);
  /* what the address itself says is first */
  call = agent_dial (pair.alice, "sip:bob@secure.test;transport=udp");
  expect_clear (&pair, call);
  pair_close (&pair);
}

/* Nobody is there, or somebody else: the same call goes on to what the DNS names next, with an offer of its own. */
static void
test_tls_fails (gconstpointer data)
{
  Pair pair = { 0 };
  PhoneCall *call;

  pair_open (&pair, data, TRUE);
  call = agent_dial (pair.alice, "sip:bob@secure.test");
  expect_clear (&pair, call);
  g_assert_cmpuint (pair.alice->calls->len, ==, 1);
  g_assert_cmpuint (pair.bob ? pair.bob->n_incoming : 0, ==, 0);
  pair_close (&pair);
}

static void
send_on (Pair *pair, const char *to)
{
  g_autofree char *contact = g_strdup_printf ("Contact: <%s>\r\n", to);

  wait_for (peer_count (pair->two, "INVITE") == 1);
  peer_reply (pair->two, peer_last (pair->two, "INVITE"), 302, "Moved", "sent-on", contact, NULL);
}

/* Sent on in clear to who is reached by TLS. */
static void
test_sent_on (void)
{
  Pair pair = { 0 };
  PhoneCall *call;

  pair_open (&pair, "DNS:secure.test", TRUE);
  call = agent_dial (pair.alice, "sip:bob@other.test");
  send_on (&pair, "sip:bob@secure.test");
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  g_assert_true (phone_call_get_plan (call)->encrypted);
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 1);
  pair_close (&pair);
}

/* And somebody else is there: in clear. */
static void
test_sent_on_fails (void)
{
  Pair pair = { 0 };
  PhoneCall *call;
  const PeerMessage *invite;

  pair_open (&pair, "DNS:other.test", TRUE);
  call = agent_dial (pair.alice, "sip:bob@other.test");
  send_on (&pair, "sip:carol@secure.test");
  wait_for (peer_count (pair.two, "INVITE") == 2);
  invite = peer_last (pair.two, "INVITE");
  g_assert_true (g_str_has_prefix (invite->text, "INVITE sip:carol@secure.test "));
  g_assert_null (strstr (peer_body (invite), "crypto"));
  peer_reply (pair.two, invite, 200, "OK", "two", "Contact: <sip:carol@" TWO ">\r\n", peer_sdp (TWO, 30000, "sendrecv"));
  wait_for (phone_call_get_state (call) == PHONE_CALL_ACTIVE);
  g_assert_cmpstr (phone_call_get_diverter (call), ==, "sip:bob@other.test");
  pair_close (&pair);
}

#define BY_ADDRESS "sip:carol@" THREE ":5061;transport=tls"
#define BY_NAME "sip:carol@three.test;transport=tls"
#define BY_SIPS "sips:carol@" THREE
#define BY_SIPS_NAME "sips:carol@three.test"
#define BY_SIPS_TCP BY_SIPS ";transport=tcp"

/* To an address that wants TLS itself, whatever the DNS says of it; by who was called by TLS. */
static void
test_sent_on_by_tls (gconstpointer data)
{
  Pair pair = { 0 };
  g_autofree char *cert = write_cert ("carol", "DNS:three.test,IP:" THREE, 1);
  Agent *carol = open_tls_phone (THREE, "sip:carol@" THREE, cert);
  PhoneCall *call;

  pair_open (&pair, "DNS:secure.test", TRUE);
  pair.bob->script.answer = FALSE;
  call = agent_dial (pair.alice, "sip:bob@secure.test");
  wait_for (pair.bob->n_incoming == 1);
  g_assert_true (phone_call_deflect (agent_call (pair.bob, 0), data, NULL));
  wait_for (pair.alice->n_ended == 1 || (pair.alice->n_active == 1 && carol->n_active == 1));
  assert_state (call, PHONE_CALL_ACTIVE);
  g_assert_true (phone_call_get_plan (call)->encrypted);
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 0);
  agent_free (carol);
  pair_close (&pair);
  g_unlink (cert);
}

/* And by who was called in clear. */
static void
test_sent_on_to_tls (gconstpointer data)
{
  Pair pair = { 0 };
  g_autofree char *cert = write_cert ("carol", "DNS:three.test,IP:" THREE, 1);
  Agent *carol = open_tls_phone (THREE, "sip:carol@" THREE, cert);
  PhoneCall *call;

  pair_open (&pair, NULL, TRUE);
  call = agent_dial (pair.alice, "sip:bob@other.test");
  send_on (&pair, data);
  wait_for (peer_count (pair.two, "INVITE") == 2 || pair.alice->n_ended == 1 || (pair.alice->n_active == 1 && carol->n_active == 1));
  assert_state (call, PHONE_CALL_ACTIVE);
  g_assert_true (phone_call_get_plan (call)->encrypted);
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 1);
  agent_free (carol);
  pair_close (&pair);
  g_unlink (cert);
}

/* It is not to be had there, and so the call ends. */
static void
test_sent_on_to_no_tls (void)
{
  Pair pair = { 0 };
  PhoneCall *call;

  pair_open (&pair, NULL, TRUE);
  call = agent_dial (pair.alice, "sip:bob@other.test");
  send_on (&pair, BY_NAME);
  wait_for (peer_count (pair.two, "INVITE") == 2 || pair.alice->n_ended == 1);
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 1);
  assert_cause (call, PHONE_CAUSE_UNREACHABLE);
  g_assert_cmpuint (ua_engine_count_stacks (pair.alice->ua), ==, 2);
  pair_close (&pair);
}

typedef struct
{
  const char *target;
  gboolean has_cert;            /* of our own: none is needed to call */
} Insisting;

/* Dialled so: by TLS, whatever the DNS says of it. */
static void
test_dialled (gconstpointer data)
{
  const Insisting *insisting = data;
  Pair pair = { 0 };
  g_autofree char *cert = write_cert ("carol", "DNS:three.test,IP:" THREE, 1);
  Agent *carol = open_tls_phone (THREE, "sip:carol@" THREE, cert);
  PhoneCall *call;

  pair_open (&pair, NULL, insisting->has_cert);
  call = agent_dial (pair.alice, insisting->target);
  wait_for (peer_count (pair.two, "INVITE") == 1 || pair.alice->n_ended == 1 || (pair.alice->n_active == 1 && carol->n_active == 1));
  assert_state (call, PHONE_CALL_ACTIVE);
  g_assert_true (phone_call_get_plan (call)->encrypted);
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 0);
  if (insisting->has_cert)
    phone_call_hangup (agent_call (carol, 0), NULL);
  else
    phone_call_hangup (call, NULL);
  wait_for (pair.alice->n_ended == 1 && carol->n_ended == 1);
  agent_free (carol);
  pair_close (&pair);
  g_unlink (cert);
}

/* What is not to be had by TLS is not called in clear, and nothing of the offer is sent there. */
static void
test_dialled_no_tls (gconstpointer data)
{
  Pair pair = { 0 };
  PhoneCall *call;

  pair_open (&pair, NULL, TRUE);
  call = agent_dial (pair.alice, data);
  wait_for (peer_count (pair.two, "INVITE") == 1 || pair.alice->n_ended == 1);
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 0);
  assert_cause (call, PHONE_CAUSE_UNREACHABLE);
  pair_close (&pair);
}

/* The certificate there is another's. */
static void
test_dialled_another (void)
{
  Pair pair = { 0 };
  g_autofree char *cert = write_cert ("carol", "DNS:other.test", 1);
  Agent *carol = open_tls_phone (THREE, "sip:carol@" THREE, cert);
  PhoneCall *call;

  pair_open (&pair, NULL, TRUE);
  call = agent_dial (pair.alice, BY_NAME);
  wait_for (peer_count (pair.two, "INVITE") == 1 || pair.alice->n_ended == 1 || carol->n_incoming == 1);
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 0);
  g_assert_cmpuint (carol->n_incoming, ==, 0);
  assert_cause (call, PHONE_CAUSE_TLS);
  agent_free (carol);
  pair_close (&pair);
  g_unlink (cert);
}

/* Messages go the same way. */
static void
test_message_by_tls (gconstpointer data)
{
  const Insisting *insisting = data;
  Pair pair = { 0 };
  g_autofree char *cert = write_cert ("carol", "DNS:three.test,IP:" THREE, 1);
  Agent *carol = open_tls_phone (THREE, "sip:carol@" THREE, cert);
  Archive *ours, *theirs;

  pair_open (&pair, NULL, insisting->has_cert);
  ours = archive_new (pair.alice);
  theirs = archive_new (carol);
  archive_send (ours, g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0), insisting->target, "hello");
  wait_for (archive_find (ours, "hello")->state != PHONE_MESSAGE_QUEUED && archive_find (ours, "hello")->state != PHONE_MESSAGE_SENDING);
  g_assert_cmpint (archive_find (ours, "hello")->state, ==, PHONE_MESSAGE_SENT);
  g_assert_nonnull (archive_find (theirs, "hello"));
  g_assert_cmpuint (peer_count (pair.two, "MESSAGE"), ==, 0);
  agent_free (carol);
  pair_close (&pair);
  archive_free (ours);
  archive_free (theirs);
  g_unlink (cert);
}

static const Insisting insisting[] = {
  { BY_ADDRESS, TRUE }, { BY_NAME, TRUE }, { BY_SIPS, TRUE }, { BY_SIPS_TCP, TRUE }, { BY_ADDRESS, FALSE }, { BY_NAME, FALSE }, { BY_SIPS, FALSE },
  { BY_SIPS_NAME, TRUE }, { BY_SIPS_NAME, FALSE },
};

static guint
n_in_clear (Peer *peer)
{
  return peer_count (peer, "SUBSCRIBE") + peer_count (peer, "MESSAGE");
}

/* The last two are in /etc/hosts. */
static const char *const barred[] = { BY_ADDRESS, BY_NAME, BY_SIPS, BY_SIPS_NAME, "sip:carol@localhost;transport=tls", "sips:carol@localhost" };

/* Not even the stack for it can be made: nothing is sent, by whatever way the name is found. */
static void
test_barred (gconstpointer data)
{
  Pair pair = { .alice_cert = g_strdup ("/nonexistent.pem") };
  Peer *three = peer_new (THREE, 5060, on_farewell, NULL), *here = peer_new ("127.0.0.1", 5060, on_farewell, NULL);
  PhoneAccount *account;
  PhoneWatch *watch;
  Archive *archive;

  pair_open (&pair, NULL, FALSE);
  account = g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0);
  archive = archive_new (pair.alice);
  watch = phone_registry_add_watch (pair.alice->registry, account, data, PHONE_WATCH_PRESENCE, NULL);
  g_assert_nonnull (watch);
  wait_for (phone_watch_get_subscription (watch)->state == PHONE_SUBSCRIPTION_WAITING
            || n_in_clear (pair.two) + n_in_clear (three) + n_in_clear (here) > 0);
  archive_send (archive, account, data, "hello");
  wait_for (archive_find (archive, "hello")->state != PHONE_MESSAGE_QUEUED && archive_find (archive, "hello")->state != PHONE_MESSAGE_SENDING);
  g_assert_cmpint (archive_find (archive, "hello")->state, ==, PHONE_MESSAGE_FAILED);
  g_assert_nonnull (strstr (archive_find (archive, "hello")->phrase, "/nonexistent.pem"));
  g_assert_cmpuint (n_in_clear (pair.two) + n_in_clear (three) + n_in_clear (here), ==, 0);
  pair_close (&pair);
  archive_free (archive);
  peer_free (three);
  peer_free (here);
}

/* Nobody at all in clear: what became of TLS says more. */
static void
test_tls_alone (void)
{
  Pair pair = { 0 };
  PhoneCall *call;

  pair_open (&pair, "DNS:other.test", TRUE);
  call = agent_dial (pair.alice, "sip:bob@alone.test");
  wait_for (pair.alice->n_ended == 1);
  assert_cause (call, PHONE_CAUSE_TLS);
  g_assert_nonnull (strstr (phone_call_get_reason (call)->phrase, "not for alone.test"));
  pair_close (&pair);
}

/* The far end could tell us nothing, so not by TLS. */
static void
test_no_certificate (void)
{
  Pair pair = { 0 };
  PhoneCall *call;

  pair_open (&pair, "DNS:secure.test", FALSE);
  call = agent_dial (pair.alice, "sip:bob@secure.test");
  expect_clear (&pair, call);
  g_assert_cmpuint (pair.bob->n_incoming, ==, 0);
  pair_close (&pair);
}

static void
test_message (void)
{
  Pair pair = { 0 };
  PhoneAccount *account;
  PhoneMessageParams params = { .target = "sip:bob@secure.test", .content = PHONE_MESSAGE_TEXT, .text = "hello", .message_id = "m1" };

  pair_open (&pair, NULL, TRUE);
  account = g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0);
  g_assert_true (pair.alice->ports.sig->message_send (pair.alice->ua, account, &params, NULL));
  wait_for (ua_engine_count_stacks (pair.alice->ua) == 2);
  pair_close (&pair);
}

/* One that is too long for UDP goes by TLS as it is. */
static void
test_long_message (void)
{
  Pair pair = { 0 };
  g_autofree char *text = g_strnfill (3000, 'x');
  Archive *ours, *theirs;

  pair_open (&pair, "DNS:secure.test", TRUE);
  ours = archive_new (pair.alice);
  theirs = archive_new (pair.bob);
  archive_send (ours, g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0), "sip:bob@secure.test", text);
  wait_for (archive_find (ours, text)->state != PHONE_MESSAGE_QUEUED && archive_find (ours, text)->state != PHONE_MESSAGE_SENDING);
  g_assert_cmpint (archive_find (ours, text)->state, ==, PHONE_MESSAGE_SENT);
  g_assert_cmpuint (archive_find (ours, text)->attempts, ==, 1);
  g_assert_cmpuint (peer_count (pair.two, "MESSAGE"), ==, 0);
  pair_close (&pair);
  archive_free (ours);
  archive_free (theirs);
}

/* A certificate that cannot be read is as good as none, and known before the first call. */
static void
test_bad_certificate (void)
{
  Pair pair = { .alice_cert = g_strdup ("/nonexistent.pem") };
  PhoneCall *call;

  pair_open (&pair, "DNS:secure.test", FALSE);
  call = agent_dial (pair.alice, "sip:bob@secure.test");
  expect_clear (&pair, call);
  pair_close (&pair);
}

/* The DNS names nothing beside TLS as long as one takes that. */
static void
test_own_order (void)
{
  Pair pair = { 0 };
  PhoneAccount *account;
  Archive *archive;

  pair_open (&pair, NULL, TRUE);
  account = g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0);
  expect_clear (&pair, agent_dial (pair.alice, "sip:bob@ordered.test"));
  wait_for (pair.alice->n_ended == 1);
  archive = archive_new (pair.alice);
  /* the target is dead now, for messages as well */
  archive_send (archive, account, "sip:bob@ordered.test", "hello");
  wait_for (peer_count (pair.two, "MESSAGE") == 1);
  wait_for (archive_find (archive, "hello")->state == PHONE_MESSAGE_SENT);
  pair_close (&pair);
  archive_free (archive);
}

/* Nobody is there: what has no offer goes on by itself. */
static void
test_others_fail (void)
{
  Pair pair = { 0 };
  PhoneAccount *account;
  Archive *archive;

  pair_open (&pair, "DNS:other.test", TRUE);
  account = g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0);
  archive = archive_new (pair.alice);
  archive_send (archive, account, "sip:bob@secure.test", "hello");
  wait_for (archive_find (archive, "hello")->state == PHONE_MESSAGE_SENT);
  g_assert_cmpuint (archive_find (archive, "hello")->attempts, ==, 1);
  g_assert_cmpuint (peer_count (pair.two, "MESSAGE"), ==, 1);
  pair_close (&pair);
  archive_free (archive);
}

/* The way of an account that has a proxy and does not register is that of the proxy, by TLS where the DNS says so. */
static void
test_proxy (gconstpointer data)
{
  Pair pair = { 0 };
  const char *proxy[] = { "outbound-proxy", "secure.test", NULL };
  PhoneCall *call;

  pair_open (&pair, data, TRUE);
  g_assert_true (phone_account_update (g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0), proxy, NULL));
  call = agent_dial (pair.alice, "sip:bob@elsewhere.invalid");
  if (!data)
    {
      expect_clear (&pair, call);
      g_assert_true (g_str_has_prefix (peer_last (pair.two, "INVITE")->text, "INVITE sip:bob@elsewhere.invalid "));
      pair_close (&pair);
      return;
    }
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  g_assert_true (phone_call_get_plan (call)->encrypted);
  phone_call_hangup (agent_call (pair.bob, 0), NULL);
  wait_for (pair.alice->n_ended == 1 && pair.bob->n_ended == 1);
  pair_close (&pair);
}

/* It takes connections, and says nothing. */
static void
test_silent (void)
{
  Pair pair = { 0 };
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) where = g_inet_socket_address_new_from_string (ONE, 5061);
  PhoneAccount *account;
  Archive *archive;
  PhoneCall *call;

  pair_open (&pair, NULL, TRUE);
  g_assert_true (g_socket_bind (socket, where, TRUE, NULL));
  g_assert_true (g_socket_listen (socket, NULL));
  call = agent_dial (pair.alice, "sip:bob@secure.test");
  account = g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0);
  archive = archive_new (pair.alice);
  archive_send (archive, account, "sip:bob@secure.test", "hello");
  g_assert_nonnull (phone_registry_add_watch (pair.alice->registry, account, "sip:bob@secure.test", PHONE_WATCH_PRESENCE, NULL));
  wait_for (ua_engine_count_stacks (pair.alice->ua) == 2);
  g_assert_cmpuint (peer_count (pair.two, "INVITE"), ==, 0);
  expect_clear (&pair, call);
  g_assert_cmpuint (pair.alice->calls->len, ==, 1);
  wait_for (archive_find (archive, "hello")->state == PHONE_MESSAGE_SENT);
  g_assert_cmpuint (archive_find (archive, "hello")->attempts, ==, 1);
  wait_for (peer_count (pair.two, "SUBSCRIBE") == 1);
  pair_close (&pair);
  archive_free (archive);
}

static gint64 clock_ahead;

gint64
g_get_monotonic_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + clock_ahead;
}

static void
expect_tls (Pair *pair)
{
  guint n = pair->bob->n_active;
  PhoneCall *call = agent_dial (pair->alice, "sip:bob@secure.test");

  wait_for (phone_call_get_state (call) == PHONE_CALL_ACTIVE && pair->bob->n_active == n + 1);
  g_assert_true (phone_call_get_plan (call)->encrypted);
  /* over a connection of its own, with his eyes on our certificate */
  phone_call_hangup (agent_call (pair->bob, n), NULL);
  wait_for (phone_call_get_state (call) == PHONE_CALL_DISCONNECTED);
}

/* The certificate of a phone that runs for long: it expires, and the call goes without TLS; its successor is found by itself. */
static void
test_certificate_changes (void)
{
  Pair pair = { 0 };

  pair_open (&pair, "DNS:secure.test", TRUE);
  expect_tls (&pair);
  g_free (write_cert ("alice", "IP:" ALICE, -1));
  clock_ahead += 3 * G_USEC_PER_SEC;
  expect_clear (&pair, agent_dial (pair.alice, "sip:bob@secure.test"));
  g_free (write_cert ("alice", "IP:" ALICE, 2));
  clock_ahead += 3 * G_USEC_PER_SEC;
  expect_tls (&pair);
  /* half of one is none: the last good one stays */
  g_assert_true (g_file_set_contents (pair.alice_cert, "-----BEGIN", -1, NULL));
  clock_ahead += 3 * G_USEC_PER_SEC;
  expect_tls (&pair);
  clock_ahead = 0;
  pair_close (&pair);
}

/* A call depends on what was found for longer than that is good for others. */
static void
test_kept (void)
{
  Pair pair = { 0 };
  PhoneAccount *account;
  const PhoneSignallingOps *sig;
  gpointer ua;

  pair_open (&pair, "DNS:secure.test", TRUE);
  account = g_ptr_array_index (phone_registry_get_accounts (pair.alice->registry), 0);
  sig = pair.alice->ports.sig;
  ua = pair.alice->ua;
  agent_dial (pair.alice, "sip:bob@secure.test");
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  clock_ahead = 61 * G_USEC_PER_SEC;
  g_assert_true (sig->call_is_over_tls (ua, account, "sip:bob@secure.test"));
  /* somebody else's question leaves it alone, and so does the next about this one until it is answered */
  g_assert_false (sig->call_is_located (ua, account, "sip:bob@other.test"));
  g_assert_true (sig->call_is_over_tls (ua, account, "sip:bob@secure.test"));
  g_assert_false (sig->call_is_located (ua, account, "sip:bob@secure.test"));
  g_assert_true (sig->call_is_over_tls (ua, account, "sip:bob@secure.test"));
  wait_for (sig->call_is_located (ua, account, "sip:bob@secure.test"));
  clock_ahead = 0;
  pair_close (&pair);
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
      g_test_add_func ("/sip/ways/tls", test_tls);
      g_test_add_data_func ("/sip/ways/tls-not-there", NULL, test_tls_fails);
      g_test_add_data_func ("/sip/ways/tls-of-another", "DNS:other.test", test_tls_fails);
      g_test_add_func ("/sip/ways/sent-on", test_sent_on);
      g_test_add_func ("/sip/ways/sent-on-tls-of-another", test_sent_on_fails);
      g_test_add_data_func ("/sip/ways/sent-on-by-tls/address", BY_ADDRESS, test_sent_on_by_tls);
      g_test_add_data_func ("/sip/ways/sent-on-by-tls/name", BY_NAME, test_sent_on_by_tls);
      g_test_add_data_func ("/sip/ways/sent-on-by-tls/sips", BY_SIPS, test_sent_on_by_tls);
      g_test_add_data_func ("/sip/ways/sent-on-to-tls/address", BY_ADDRESS, test_sent_on_to_tls);
      g_test_add_data_func ("/sip/ways/sent-on-to-tls/name", BY_NAME, test_sent_on_to_tls);
      g_test_add_func ("/sip/ways/sent-on-to-no-tls", test_sent_on_to_no_tls);
      g_test_add_data_func ("/sip/ways/sent-on-to-tls/sips", BY_SIPS, test_sent_on_to_tls);
      for (gsize i = 0; i < G_N_ELEMENTS (insisting); i++)
        {
          g_autofree char *call = g_strdup_printf ("/sip/ways/dialled/%" G_GSIZE_FORMAT, i);
          g_autofree char *message = g_strdup_printf ("/sip/ways/message-by-tls/%" G_GSIZE_FORMAT, i);

          g_test_add_data_func (call, &insisting[i], test_dialled);
          g_test_add_data_func (message, &insisting[i], test_message_by_tls);
        }
      g_test_add_data_func ("/sip/ways/dialled-no-tls/address", BY_ADDRESS, test_dialled_no_tls);
      g_test_add_data_func ("/sip/ways/dialled-no-tls/name", BY_NAME, test_dialled_no_tls);
      g_test_add_data_func ("/sip/ways/dialled-no-tls/sips", BY_SIPS, test_dialled_no_tls);
      for (gsize i = 0; i < G_N_ELEMENTS (barred); i++)
        {
          g_autofree char *name = g_strdup_printf ("/sip/ways/barred/%" G_GSIZE_FORMAT, i);

          g_test_add_data_func (name, barred[i], test_barred);
        }
      g_test_add_func ("/sip/ways/dialled-another", test_dialled_another);
      g_test_add_func ("/sip/ways/tls-alone", test_tls_alone);
      g_test_add_func ("/sip/ways/no-certificate", test_no_certificate);
      g_test_add_func ("/sip/ways/message", test_message);
      g_test_add_func ("/sip/ways/long-message", test_long_message);
      g_test_add_func ("/sip/ways/bad-certificate", test_bad_certificate);
      g_test_add_func ("/sip/ways/own-order", test_own_order);
      g_test_add_func ("/sip/ways/kept", test_kept);
      g_test_add_func ("/sip/ways/silent", test_silent);
      g_test_add_func ("/sip/ways/others-fail", test_others_fail);
      g_test_add_data_func ("/sip/ways/proxy", "DNS:secure.test", test_proxy);
      g_test_add_data_func ("/sip/ways/proxy-not-there", NULL, test_proxy);
      g_test_add_func ("/sip/ways/certificate-changes", test_certificate_changes);
    }
  status = g_test_run ();
  bench_authorities_remove ();
  return status;
}
