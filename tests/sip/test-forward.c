/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that go on to somebody else: alice calls bob, whose phone sends her to carol; and what a peer sees of it. */

#include "bed.h"

#include <string.h>

#define BOB "sip:bob@127.20.1.2"
#define CAROL "sip:carol@127.20.1.3"

static Agent *
phone (const char *name, const char *bind, const char *key, const char *value)
{
  g_autofree char *aor = g_strdup_printf ("sip:%s@%.*s", name, (int) strcspn (bind, ":"), bind);
  Agent *agent = agent_new (bind, NULL);

  agent_add_account (agent, name, "aor", aor, "register", "false", "transport", "udp", "forward-no-reply-timeout", "1", "max-calls", "1",
                     key, value, NULL);
  return agent;
}

typedef struct
{
  Agent *alice, *bob, *carol;
} Trio;

static void
trio_open (Trio *trio, const char *key, const char *value)
{
  trio->alice = phone ("alice", "127.20.1.1:5060", "max-calls", "4");
  trio->bob = phone ("bob", "127.20.1.2:5060", key, value);
  trio->carol = phone ("carol", "127.20.1.3:5060", "max-calls", "1");
  trio->carol->script.answer = TRUE;
}

static void
trio_close (Trio *trio)
{
  agent_free (trio->alice);
  agent_free (trio->bob);
  agent_free (trio->carol);
}

/* Alice talks to carol, who sees whom it comes from. */
static void
assert_sent_on (Trio *trio, guint of_bob)
{
  wait_for (trio->carol->n_active == 1 && trio->alice->n_active >= 1);
  wait_for (trio->bob->n_ended >= 1);
  assert_cause (agent_call (trio->bob, of_bob), PHONE_CAUSE_REDIRECTED);
  assert_actor (agent_call (trio->bob, of_bob), PHONE_ACTOR_LOCAL);
}

static void
test_unconditional (void)
{
  Trio trio;

  trio_open (&trio, "forward", CAROL);
  agent_dial (trio.alice, BOB);
  assert_sent_on (&trio, 0);
  trio_close (&trio);
}

static void
test_no_reply (void)
{
  Trio trio;

  trio_open (&trio, "forward-no-reply", CAROL);
  agent_dial (trio.alice, BOB);
  wait_for (trio.alice->n_alerting == 1);
  assert_sent_on (&trio, 0);
  trio_close (&trio);
}

static void
test_busy (void)
{
  Trio trio;

  trio_open (&trio, "forward-busy", CAROL);
  trio.bob->script.answer = TRUE;
  agent_dial (trio.alice, BOB);
  wait_for (trio.alice->n_active == 1 && trio.bob->n_active == 1);
  trio.bob->script.answer = FALSE;
  agent_dial (trio.alice, BOB);
  assert_sent_on (&trio, 1);
  assert_state (agent_call (trio.bob, 0), PHONE_CALL_ACTIVE);
  trio_close (&trio);
}

static void
test_answered_in_time (void)
{
  Trio trio;

  trio_open (&trio, "forward-no-reply", CAROL);
  trio.bob->script.answer = TRUE;
  agent_dial (trio.alice, BOB);
  wait_for (trio.alice->n_active == 1 && trio.bob->n_active == 1);
  assert_state (agent_call (trio.bob, 0), PHONE_CALL_ACTIVE);
  trio_close (&trio);
}

static void
test_deflect (void)
{
  Trio trio;
  g_autoptr (GError) error = NULL;

  trio_open (&trio, "max-calls", "1");
  agent_dial (trio.alice, BOB);
  wait_for (trio.bob->n_incoming == 1);
  g_assert_false (phone_call_deflect (agent_call (trio.bob, 0), BOB ";x=y", NULL));
  g_assert_false (phone_call_deflect (agent_call (trio.bob, 0), "112", NULL));
  phone_call_deflect (agent_call (trio.bob, 0), CAROL, &error);
  g_assert_no_error (error);
  assert_sent_on (&trio, 0);
  trio_close (&trio);
}

/* ---- what the 302 says, and when there is none ---- */

static void
bed_open_forwarding (Bed *bed)
{
  static const char *const updates[] = { "forward", "sip:carol@example.org", NULL };
  g_autoptr (GError) error = NULL;

  bed_open (bed);
  phone_account_update (g_ptr_array_index (phone_registry_get_accounts (bed->agent->registry), 0), updates, &error);
  g_assert_no_error (error);
}

static void
test_headers (void)
{
  Bed bed = { 0 };
  const PeerMessage *moved;
  g_autofree char *contact = NULL;
  g_autofree char *diversion = NULL;
  g_autofree char *history = NULL;

  bed_open_forwarding (&bed);
  bed_send_invite (&bed, "fwd", "Diversion: <sip:dave@example.org>;reason=no-answer;counter=2\r\n", peer_sdp (PEER, 30000, "sendrecv"));
  moved = bed_await_response (&bed, 302, "INVITE");
  contact = peer_header (moved, "Contact");
  diversion = peer_header (moved, "Diversion");
  history = peer_header (moved, "History-Info");
  g_assert_cmpstr (contact, ==, "<sip:carol@example.org>");
  g_assert_cmpstr (diversion, ==, "<sip:alice@" PHONE ">;reason=unconditional;counter=1, <sip:dave@example.org>;reason=no-answer;counter=2");
  g_assert_cmpstr (history, ==, "<sip:alice@" PHONE ">;index=1, <sip:carol@example.org;cause=302>;index=1.1;mp=1");
  bed_close (&bed);
}

/* A call that went round, or too far: it rings. */
static void
test_circle (gconstpointer extra)
{
  Bed bed = { 0 };

  bed_open_forwarding (&bed);
  bed_send_invite (&bed, "circle", extra, peer_sdp (PEER, 30000, "sendrecv"));
  bed_await_response (&bed, 180, "INVITE");
  assert_state (bed_await_call (&bed), PHONE_CALL_INCOMING);
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/forward/unconditional", test_unconditional);
  g_test_add_func ("/sip/forward/no-reply", test_no_reply);
  g_test_add_func ("/sip/forward/busy", test_busy);
  g_test_add_func ("/sip/forward/answered-in-time", test_answered_in_time);
  g_test_add_func ("/sip/forward/deflect", test_deflect);
  g_test_add_func ("/sip/forward/headers", test_headers);
  g_test_add_data_func ("/sip/forward/circle/diversion", "Diversion: <sip:x@y>;reason=unknown, <sip:alice@" PHONE ">;reason=user-busy\r\n",
                        test_circle);
  g_test_add_data_func ("/sip/forward/circle/counter", "Diversion: <sip:x@y>;reason=unknown;counter=5\r\n", test_circle);
  g_test_add_data_func ("/sip/forward/circle/history",
                        "History-Info: <sip:alice@" PHONE ">;index=1, <sip:x@y;cause=302>;index=1.1, <sip:alice@" PHONE ";cause=302>;index=1.2\r\n",
                        test_circle);
  return g_test_run ();
}
