/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls between two whole phones on loopback. */

#include "harness.h"

typedef struct
{
  Agent *alice, *bob;
  const char *transport;
} Pair;

static void
pair_open (Pair *pair, const char *transport)
{
  pair->transport = transport;
  pair->alice = agent_new ("127.20.1.1:5060", NULL);
  pair->bob = agent_new ("127.20.1.2:5060", NULL);
  agent_add_account (pair->alice, "alice", "aor", "sip:alice@127.20.1.1", "register", "false", "transport", transport, NULL);
  agent_add_account (pair->bob, "bob", "aor", "sip:bob@127.20.1.2", "register", "false", "transport", transport, NULL);
}

static void
pair_close (Pair *pair)
{
  agent_free (pair->alice);
  agent_free (pair->bob);
}

static const char *
target (const Pair *pair)
{
  return g_str_equal (pair->transport, "tcp") ? "sip:bob@127.20.1.2;transport=tcp" : "sip:bob@127.20.1.2";
}

static void
test_basic (gconstpointer transport)
{
  Pair pair;
  PhoneCall *out, *in;

  pair_open (&pair, transport);
  pair.bob->script.answer = TRUE;
  out = agent_dial (pair.alice, target (&pair));
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  in = agent_call (pair.bob, 0);
  g_assert_cmpstr (phone_call_get_remote_uri (in), ==, "sip:alice@127.20.1.1");
  g_assert_cmpuint (pair.alice->n_applied, >, 0);
  phone_call_hangup (out, NULL);
  wait_for (pair.alice->n_ended == 1 && pair.bob->n_ended == 1);
  assert_cause (out, PHONE_CAUSE_HANGUP);
  assert_actor (out, PHONE_ACTOR_LOCAL);
  assert_cause (in, PHONE_CAUSE_HANGUP);
  assert_actor (in, PHONE_ACTOR_REMOTE);
  pair_close (&pair);
}

static PhoneCall *
place (Pair *pair)
{
  return agent_dial (pair->alice, target (pair));
}

static void
establish (Pair *pair, PhoneCall **ret_out, PhoneCall **ret_in)
{
  pair->bob->script.answer = TRUE;
  *ret_out = place (pair);
  wait_for (pair->alice->n_active == 1 && pair->bob->n_active == 1);
  *ret_in = agent_call (pair->bob, 0);
}

static void
test_reject (gconstpointer cause)
{
  Pair pair;
  PhoneCall *out;
  PhoneCause wanted = GPOINTER_TO_INT (cause);
  guint sip = wanted == PHONE_CAUSE_BUSY ? 486 : wanted == PHONE_CAUSE_DECLINED ? 603 : 480;

  pair_open (&pair, "udp");
  pair.bob->script.reject = wanted;
  out = place (&pair);
  wait_for (pair.alice->n_ended == 1 && pair.bob->n_ended == 1);
  assert_cause (out, wanted);
  assert_actor (out, PHONE_ACTOR_REMOTE);
  g_assert_cmpuint (phone_call_get_reason (out)->sip, ==, sip);
  assert_cause (agent_call (pair.bob, 0), wanted);
  assert_actor (agent_call (pair.bob, 0), PHONE_ACTOR_LOCAL);
  pair_close (&pair);
}

static void
test_cancel (void)
{
  Pair pair;
  PhoneCall *out;

  pair_open (&pair, "udp");
  out = place (&pair);
  wait_for (pair.alice->n_alerting == 1);
  phone_call_hangup (out, NULL);
  wait_for (pair.alice->n_ended == 1 && pair.bob->n_ended == 1);
  assert_cause (out, PHONE_CAUSE_CANCELLED);
  assert_cause (agent_call (pair.bob, 0), PHONE_CAUSE_CANCELLED);
  assert_actor (agent_call (pair.bob, 0), PHONE_ACTOR_REMOTE);
  pair_close (&pair);
}

/* CANCEL before any response: it must wait for one. */
static void
test_cancel_at_once (void)
{
  Pair pair;
  PhoneCall *out;

  pair_open (&pair, "udp");
  out = place (&pair);
  phone_call_hangup (out, NULL);
  wait_for (pair.alice->n_ended == 1);
  assert_cause (out, PHONE_CAUSE_CANCELLED);
  wait_for (pair.bob->n_ended == pair.bob->n_incoming);
  pair_close (&pair);
}

static void
test_no_answer (void)
{
  Pair pair = { .transport = "udp" };
  PhoneCall *out;

  pair.alice = agent_new ("127.20.1.1:5060", NULL);
  pair.bob = agent_new ("127.20.1.2:5060", "daemon.ring-timeout", "5", NULL);
  agent_add_account (pair.alice, "alice", "aor", "sip:alice@127.20.1.1", "register", "false", "transport", "udp", NULL);
  agent_add_account (pair.bob, "bob", "aor", "sip:bob@127.20.1.2", "register", "false", "transport", "udp", NULL);
  out = place (&pair);
  wait_for (pair.alice->n_ended == 1 && pair.bob->n_ended == 1);
  g_assert_cmpuint (phone_call_get_reason (out)->sip, ==, 480);
  assert_cause (agent_call (pair.bob, 0), PHONE_CAUSE_NO_ANSWER);
  pair_close (&pair);
}

static void
on_done (PhoneCall *call, const GError *error, gpointer data)
{
  guint *counter = data;

  g_assert_no_error (error);
  (*counter)++;
}

static void
test_hold (gconstpointer transport)
{
  Pair pair;
  PhoneCall *out, *in, *first, *second;
  guint done = 0;
  g_autoptr (GError) error = NULL;

  pair_open (&pair, transport);
  establish (&pair, &out, &in);
  for (int side = 0; side < 2; side++)
    {
      first = side == 0 ? out : in;
      second = side == 0 ? in : out;
      phone_call_hold (first, on_done, &done, &error);
      g_assert_no_error (error);
      wait_for (done == 1);
      assert_state (first, PHONE_CALL_HELD);
      g_assert_true (phone_call_get_local_hold (first));
      g_assert_true (phone_call_get_remote_hold (second));
      assert_state (second, PHONE_CALL_ACTIVE);
      phone_call_resume (first, on_done, &done, &error);
      g_assert_no_error (error);
      wait_for (done == 2);
      assert_state (first, PHONE_CALL_ACTIVE);
      g_assert_false (phone_call_get_remote_hold (second));
      done = 0;
    }
  pair_close (&pair);
}

/* Both at once: both get 491, both come through in the end (RFC 3261 section 14.1). */
static void
test_glare (void)
{
  Pair pair;
  PhoneCall *out, *in;
  guint done_out = 0, done_in = 0;
  g_autoptr (GError) error = NULL;

  pair_open (&pair, "udp");
  establish (&pair, &out, &in);
  phone_call_hold (out, on_done, &done_out, &error);
  g_assert_no_error (error);
  phone_call_hold (in, on_done, &done_in, &error);
  g_assert_no_error (error);
  wait_for (done_out == 1 && done_in == 1);
  assert_state (out, PHONE_CALL_HELD);
  assert_state (in, PHONE_CALL_HELD);
  g_assert_true (phone_call_get_remote_hold (out));
  g_assert_true (phone_call_get_remote_hold (in));
  pair_close (&pair);
}

static void
test_dtmf_info (void)
{
  Pair pair = { .transport = "udp" };
  PhoneCall *out, *in;
  g_autoptr (GError) error = NULL;

  pair.alice = agent_new ("127.20.1.1:5060", NULL);
  pair.bob = agent_new ("127.20.1.2:5060", NULL);
  agent_add_account (pair.alice, "alice", "aor", "sip:alice@127.20.1.1", "register", "false", "transport", "udp", "dtmf", "info", NULL);
  agent_add_account (pair.bob, "bob", "aor", "sip:bob@127.20.1.2", "register", "false", "transport", "udp", NULL);
  establish (&pair, &out, &in);
  phone_call_send_dtmf (out, "12#*D", 40, &error);
  g_assert_no_error (error);
  wait_for (pair.bob->digits->len == 5);
  g_assert_cmpstr (pair.bob->digits->str, ==, "12#*D");
  pair_close (&pair);
}

/* A second phone at the callee's limit; stopping with calls up says BYE. */
static void
test_stop_with_calls (void)
{
  Pair pair;
  PhoneCall *out, *in;

  pair_open (&pair, "udp");
  establish (&pair, &out, &in);
  agent_free (pair.bob);
  wait_for (pair.alice->n_ended == 1);
  assert_actor (out, PHONE_ACTOR_REMOTE);
  agent_free (pair.alice);
}

static void
test_unknown_user (void)
{
  Pair pair;
  PhoneCall *out;

  pair_open (&pair, "udp");
  out = agent_dial (pair.alice, "sip:nobody@127.20.1.2");
  wait_for (pair.alice->n_ended == 1);
  assert_cause (out, PHONE_CAUSE_NOT_FOUND);
  g_assert_cmpuint (pair.bob->n_incoming, ==, 0);
  pair_close (&pair);
}

static void
test_nobody_there (void)
{
  Pair pair;
  PhoneCall *out;

  pair_open (&pair, "tcp");
  out = agent_dial (pair.alice, "sip:bob@127.20.1.77;transport=tcp");
  wait_for (pair.alice->n_ended == 1);
  assert_cause (out, PHONE_CAUSE_UNREACHABLE);
  assert_actor (out, PHONE_ACTOR_NETWORK);
  pair_close (&pair);
}

static void
test_many (void)
{
  Pair pair;

  pair_open (&pair, "udp");
  pair.bob->script.answer = TRUE;
  pair.alice->script.hangup_on_active = TRUE;
  for (guint i = 1; i <= 20; i++)
    {
      place (&pair);
      wait_for (pair.alice->n_ended == i && pair.bob->n_ended == i);
    }
  g_assert_cmpuint (pair.alice->n_active, ==, 20);
  pair_close (&pair);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/sip/call/basic/udp", "udp", test_basic);
  g_test_add_data_func ("/sip/call/basic/tcp", "tcp", test_basic);
  g_test_add_data_func ("/sip/call/busy", GINT_TO_POINTER (PHONE_CAUSE_BUSY), test_reject);
  g_test_add_data_func ("/sip/call/decline", GINT_TO_POINTER (PHONE_CAUSE_DECLINED), test_reject);
  g_test_add_data_func ("/sip/call/unavailable", GINT_TO_POINTER (PHONE_CAUSE_UNAVAILABLE), test_reject);
  g_test_add_func ("/sip/call/cancel", test_cancel);
  g_test_add_func ("/sip/call/cancel-at-once", test_cancel_at_once);
  g_test_add_func ("/sip/call/no-answer", test_no_answer);
  g_test_add_data_func ("/sip/call/hold/udp", "udp", test_hold);
  g_test_add_data_func ("/sip/call/hold/tcp", "tcp", test_hold);
  g_test_add_func ("/sip/call/glare", test_glare);
  g_test_add_func ("/sip/call/dtmf-info", test_dtmf_info);
  g_test_add_func ("/sip/call/stop", test_stop_with_calls);
  g_test_add_func ("/sip/call/unknown-user", test_unknown_user);
  g_test_add_func ("/sip/call/nobody-there", test_nobody_there);
  g_test_add_func ("/sip/call/many", test_many);
  return g_test_run ();
}
