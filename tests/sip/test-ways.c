/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An account without a server calls each target the way that leads to it: by TLS, where the DNS says so (RFC 3263 section 4.1). */

#include <glib/gstdio.h>
#include <string.h>

#include "bed.h"
#include "bench-certs.h"
#include "core/call-private.h"
#include "name-server.h"

#define ALICE "127.64.1.1"
#define ONE "127.64.1.2"
#define TWO "127.64.1.3"

static const NameRecord zone[] = {
  { "one.test", NAME_A, ONE },
  { "secure.test", NAME_A, ONE },      /* of the Contact that the certificate names */
  { "two.test", NAME_A, TWO },
  { "secure.test", NAME_NAPTR, "10 1 SIPS+D2T _sips._tcp.secure.test" },
  { "secure.test", NAME_NAPTR, "10 2 SIP+D2U _sip._udp.secure.test" },
  { "_sips._tcp.secure.test", NAME_SRV, "1 1 5061 one.test" },
  { "_sip._udp.secure.test", NAME_SRV, "1 1 5060 two.test" },
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
  if (message->method && !g_str_equal (message->method, "INVITE"))
    bed_on_farewell (peer, message, data);
}

static char *
write_cert (const char *who, const char *san)
{
  g_autofree char *file = g_strconcat (who, ".pem", NULL);
  g_autoptr (BenchCert) cert = bench_cert_new (&(BenchCertSpec){ .name = who, .san = san }, bench_authorities.ca);

  return bench_authorities_write (cert, TRUE, file);
}

static void
pair_open (Pair *pair, const char *bob_san, gboolean alice_has_cert)
{
  pair->two = peer_new (TWO, 5060, on_farewell, NULL);
  pair->alice_cert = alice_has_cert ? write_cert ("alice", "IP:" ALICE) : NULL;
  pair->alice = agent_new (ALICE ":5060", NULL);
  agent_add_account (pair->alice, "alice", "aor", "sip:alice@" ALICE, "register", "false", "keying", "sdes", "tls-ca", bench_authorities.ca_path,
                     alice_has_cert ? "tls-cert" : NULL, pair->alice_cert, NULL);
  if (!bob_san)
    return;
  pair->bob_cert = write_cert ("bob", bob_san);
  pair->bob = agent_new (ONE, NULL);
  agent_add_account (pair->bob, "bob", "aor", "sip:bob@secure.test", "register", "false", "transport", "tls", "keying", "sdes", "tls-ca",
                     bench_authorities.ca_path, "tls-cert", pair->bob_cert, NULL);
  pair->bob->script.answer = TRUE;
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
      g_test_add_func ("/sip/ways/no-certificate", test_no_certificate);
      g_test_add_func ("/sip/ways/message", test_message);
    }
  status = g_test_run ();
  bench_authorities_remove ();
  return status;
}
