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

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_data_func ("/sip/call/basic/udp", "udp", test_basic);
  g_test_add_data_func ("/sip/call/basic/tcp", "tcp", test_basic);
  return g_test_run ();
}
