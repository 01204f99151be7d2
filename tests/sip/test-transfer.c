/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Transfers between three whole phones on loopback: alice has a call with bob and gives it to carol. */

#include "harness.h"

#include <string.h>

#define BOB "sip:bob@127.20.1.2"
#define CAROL "sip:carol@127.20.1.3"

typedef struct
{
  Agent *alice, *bob, *carol;
  PhoneCall *call;              /* alice's, to bob */
  PhoneCall *theirs;            /* bob's end of it */
} Trio;

static Agent *
phone (const char *name, const char *bind, const char *transfers)
{
  g_autofree char *aor = g_strdup_printf ("sip:%s@%.*s", name, (int) strcspn (bind, ":"), bind);
  Agent *agent = agent_new (bind, "daemon.transfer-timeout", "20", NULL);

  agent_add_account (agent, name, "aor", aor, "register", "false", "transport", "udp", "transfers", transfers, NULL);
  return agent;
}

static void
trio_open (Trio *trio, const char *transfers)
{
  *trio = (Trio){ 0 };
  trio->alice = phone ("alice", "127.20.1.1:5060,127.20.1.1:5062", "ask");
  trio->bob = phone ("bob", "127.20.1.2:5060", transfers);
  trio->carol = phone ("carol", "127.20.1.3:5060", "ask");
  trio->bob->script.answer = TRUE;
  trio->carol->script.answer = TRUE;
  trio->call = agent_dial (trio->alice, BOB);
  wait_for (trio->alice->n_active == 1 && trio->bob->n_active == 1);
  trio->theirs = agent_call (trio->bob, 0);
}

static void
trio_close (Trio *trio)
{
  agent_free (trio->alice);
  agent_free (trio->bob);
  agent_free (trio->carol);
}

#define assert_transfer(call, state, wanted_sip) \
  G_STMT_START \
  { \
    guint sip_; \
    g_assert_cmpstr (phone_transfer_state_to_string (phone_call_get_transfer (call, &sip_)), ==, \
                     phone_transfer_state_to_string (state)); \
    g_assert_cmpuint (sip_, ==, wanted_sip); \
  } \
  G_STMT_END

static gboolean
is_over (PhoneCall *call)
{
  return phone_call_get_state (call) == PHONE_CALL_DISCONNECTED;
}

static gboolean
is_active (PhoneCall *call)
{
  return call && phone_call_get_state (call) == PHONE_CALL_ACTIVE;
}

static gboolean
has_failed (PhoneCall *call)
{
  return phone_call_get_transfer (call, NULL) == PHONE_TRANSFER_FAILED;
}

static gboolean
asks (PhoneCall *call)
{
  PhoneReferralView view;

  return phone_call_get_referral (call, &view);
}

static void
transfer (PhoneCall *call, const char *target)
{
  g_autoptr (GError) error = NULL;

  phone_call_transfer (call, target, &error);
  g_assert_no_error (error);
}

/* Bob and carol have a call of their own now, and alice has none. */
static void
assert_handed_over (Trio *trio)
{
  PhoneCall *fresh = agent_call (trio->bob, 1);

  wait_for (is_over (trio->call) && is_over (trio->theirs));
  assert_transfer (trio->call, PHONE_TRANSFER_DONE, 200);
  assert_cause (trio->call, PHONE_CAUSE_TRANSFERRED);
  assert_actor (trio->call, PHONE_ACTOR_LOCAL);
  assert_cause (trio->theirs, PHONE_CAUSE_REPLACED);
  assert_state (fresh, PHONE_CALL_ACTIVE);
  g_assert_cmpuint (phone_call_get_replaces (fresh), ==, phone_call_get_number (trio->theirs));
  g_assert_cmpuint (phone_call_get_replaced_by (trio->theirs), ==, phone_call_get_number (fresh));
  g_assert_cmpstr (phone_call_get_remote_uri (fresh), ==, CAROL);
}

/* ---- blind ---- */

static void
test_blind (void)
{
  Trio trio;

  trio_open (&trio, "accept");
  transfer (trio.call, CAROL);
  g_assert_false (phone_call_transfer (trio.call, CAROL, NULL));
  wait_for (is_active (agent_call (trio.bob, 1)) && trio.carol->n_active == 1);
  assert_handed_over (&trio);
  g_assert_cmpuint (trio.alice->n_held, ==, 1);
  g_assert_cmpstr (phone_call_get_remote_uri (agent_call (trio.carol, 0)), ==, BOB);
  trio_close (&trio);
}

/* RFC 4488 at both ends: bob tells nothing, and alice leaves as soon as he has taken it on. */
static void
test_without_news (void)
{
  const char *const updates[] = { "transfer-news", "false", NULL };
  Trio trio;

  trio_open (&trio, "accept");
  trio.carol->script.answer = FALSE;
  g_assert_true (phone_account_update (phone_call_get_account (trio.call), updates, NULL));
  transfer (trio.call, CAROL);
  wait_for (is_over (trio.call));
  assert_transfer (trio.call, PHONE_TRANSFER_DONE, 202);        /* with news that would be the 200 of carol, who has not answered */
  wait_for (agent_call (trio.carol, 0) != NULL);
  trio_close (&trio);
}

static void
test_ask (void)
{
  Trio trio;
  PhoneReferralView view;
  g_autoptr (GError) error = NULL;

  trio_open (&trio, "ask");
  transfer (trio.call, CAROL);
  wait_for (asks (trio.theirs));
  phone_call_get_referral (trio.theirs, &view);
  g_assert_cmpstr (view.target, ==, CAROL);
  g_assert_cmpstr (view.referred_by, ==, "sip:alice@127.20.1.1");
  g_assert_false (view.replaces);
  g_assert_cmpuint (trio.carol->n_incoming, ==, 0);
  phone_call_accept_transfer (trio.theirs, &error);
  g_assert_no_error (error);
  g_assert_false (asks (trio.theirs));
  wait_for (is_active (agent_call (trio.bob, 1)));
  assert_handed_over (&trio);
  trio_close (&trio);
}

/* The transferor gets its call back, as it was. */
static void
assert_given_back (Trio *trio, guint sip)
{
  wait_for (has_failed (trio->call));
  assert_transfer (trio->call, PHONE_TRANSFER_FAILED, sip);
  wait_for (is_active (trio->call) && !phone_call_get_remote_hold (trio->theirs));
  assert_state (trio->theirs, PHONE_CALL_ACTIVE);
  g_assert_cmpuint (phone_call_get_replaced_by (trio->theirs), ==, 0);
}

static void
test_decline (void)
{
  Trio trio;
  g_autoptr (GError) error = NULL;

  trio_open (&trio, "ask");
  transfer (trio.call, CAROL);
  wait_for (asks (trio.theirs));
  phone_call_decline_transfer (trio.theirs, &error);
  g_assert_no_error (error);
  assert_given_back (&trio, 603);
  /* and it can be tried again */
  transfer (trio.call, CAROL);
  wait_for (asks (trio.theirs));
  phone_call_accept_transfer (trio.theirs, &error);
  g_assert_no_error (error);
  wait_for (is_active (agent_call (trio.bob, 1)));
  assert_handed_over (&trio);
  trio_close (&trio);
}

static void
test_refuse (void)
{
  Trio trio;

  trio_open (&trio, "refuse");
  transfer (trio.call, CAROL);
  assert_given_back (&trio, 603);
  g_assert_cmpuint (trio.carol->n_incoming, ==, 0);
  trio_close (&trio);
}

static void
test_busy (void)
{
  Trio trio;

  trio_open (&trio, "accept");
  trio.carol->script.answer = FALSE;
  trio.carol->script.reject = PHONE_CAUSE_BUSY;
  transfer (trio.call, CAROL);
  assert_given_back (&trio, 486);
  assert_cause (agent_call (trio.bob, 1), PHONE_CAUSE_BUSY);
  trio_close (&trio);
}

/* A peer does not get us to call for help. */
static void
test_emergency (void)
{
  Trio trio;

  trio_open (&trio, "accept");
  transfer (trio.call, "112");
  assert_given_back (&trio, 603);
  g_assert_cmpuint (trio.bob->calls->len, ==, 1);
  trio_close (&trio);
}

/* What was on hold before stays so when the transfer fails. */
static void
test_held_before (void)
{
  Trio trio;
  g_autoptr (GError) error = NULL;

  trio_open (&trio, "refuse");
  phone_call_hold (trio.call, NULL, NULL, &error);
  g_assert_no_error (error);
  wait_for (phone_call_get_state (trio.call) == PHONE_CALL_HELD);
  transfer (trio.call, CAROL);
  wait_for (has_failed (trio.call));
  harness_settle ();
  assert_state (trio.call, PHONE_CALL_HELD);
  trio_close (&trio);
}

/* ---- attended ---- */

static PhoneCall *
consult (Trio *trio)
{
  PhoneCall *call = agent_dial (trio->alice, CAROL);

  wait_for (is_active (call) && trio->carol->n_active == 1);
  trio->carol->script.answer = FALSE;   /* a call that replaces another needs no answer */
  wait_for (phone_call_get_state (trio->call) == PHONE_CALL_HELD && phone_call_get_remote_hold (trio->theirs));
  return call;
}

static void
transfer_to (PhoneCall *call, PhoneCall *other)
{
  g_autoptr (GError) error = NULL;

  phone_call_transfer_to (call, other, &error);
  g_assert_no_error (error);
}

static void
assert_target_switched (Trio *trio)
{
  PhoneCall *before = agent_call (trio->carol, 0), *fresh = agent_call (trio->carol, 1);

  wait_for (is_over (before));
  assert_cause (before, PHONE_CAUSE_REPLACED);
  assert_state (fresh, PHONE_CALL_ACTIVE);
  g_assert_cmpuint (phone_call_get_replaces (fresh), ==, phone_call_get_number (before));
  g_assert_cmpuint (phone_call_get_replaced_by (before), ==, phone_call_get_number (fresh));
  g_assert_cmpstr (phone_call_get_remote_uri (fresh), ==, BOB);
}

static void
test_attended (void)
{
  Trio trio;
  PhoneCall *consultation;

  trio_open (&trio, "accept");
  consultation = consult (&trio);
  g_assert_false (phone_call_transfer_to (trio.call, trio.call, NULL));
  g_assert_true (phone_call_set_muted (agent_call (trio.carol, 0), TRUE, NULL));
  transfer_to (trio.call, consultation);
  wait_for (is_active (agent_call (trio.bob, 1)) && is_active (agent_call (trio.carol, 1)));
  assert_handed_over (&trio);
  wait_for (is_over (consultation));
  assert_target_switched (&trio);
  g_assert_true (phone_call_get_muted (agent_call (trio.carol, 1)));    /* whoever was not to be heard is not, after it either */
  trio_close (&trio);
}

/* The target is in another conversation, ours waits on hold: that is how it stays. */
static void
test_attended_held_target (void)
{
  Trio trio;
  PhoneCall *consultation;
  g_autoptr (GError) error = NULL;

  trio_open (&trio, "accept");
  consultation = consult (&trio);
  phone_call_hold (agent_call (trio.carol, 0), NULL, NULL, &error);
  g_assert_no_error (error);
  wait_for (phone_call_get_state (agent_call (trio.carol, 0)) == PHONE_CALL_HELD);
  transfer_to (trio.call, consultation);
  wait_for (is_active (agent_call (trio.bob, 1)) && is_over (agent_call (trio.carol, 0)));
  assert_state (agent_call (trio.carol, 1), PHONE_CALL_HELD);
  g_assert_true (phone_call_get_local_hold (agent_call (trio.carol, 1)));
  wait_for (phone_call_get_remote_hold (agent_call (trio.bob, 1)));
  trio_close (&trio);
}

/* From a second account of the transferor. */
static void
test_attended_cross_account (void)
{
  Trio trio;
  PhoneCall *consultation;
  PhoneDialOptions options = { 0 };
  g_autoptr (GError) error = NULL;

  trio_open (&trio, "accept");
  options.account = agent_add_account (trio.alice, "work", "aor", "sip:work@127.20.1.1", "register", "false", "transport", "udp", NULL);
  consultation = phone_registry_dial (trio.alice->registry, CAROL, &options, &error);
  g_assert_no_error (error);
  wait_for (is_active (consultation) && trio.carol->n_active == 1);
  trio.carol->script.answer = FALSE;
  wait_for (phone_call_get_state (trio.call) == PHONE_CALL_HELD);
  transfer_to (trio.call, consultation);
  wait_for (is_active (agent_call (trio.bob, 1)) && is_active (agent_call (trio.carol, 1)));
  assert_handed_over (&trio);
  assert_target_switched (&trio);
  wait_for (is_over (consultation));
  trio_close (&trio);
}

/* ---- races ---- */

/* The target hangs up while the peer is asked: nothing is left to replace (481). */
static void
test_target_hangs_up (void)
{
  Trio trio;
  PhoneCall *consultation;
  g_autoptr (GError) error = NULL;

  trio_open (&trio, "ask");
  consultation = consult (&trio);
  transfer_to (trio.call, consultation);
  wait_for (asks (trio.theirs));
  phone_call_hangup (agent_call (trio.carol, 0), NULL);
  wait_for (is_over (consultation));
  phone_call_accept_transfer (trio.theirs, &error);
  g_assert_no_error (error);
  wait_for (has_failed (trio.call));
  assert_transfer (trio.call, PHONE_TRANSFER_FAILED, 481);
  assert_state (trio.call, PHONE_CALL_HELD);    /* as it was before */
  assert_state (trio.theirs, PHONE_CALL_ACTIVE);
  g_assert_cmpuint (trio.carol->calls->len, ==, 1);
  trio_close (&trio);
}

/* The transferor hangs up right after it was promised: the new call comes about all the same. */
static void
test_transferor_leaves (void)
{
  Trio trio;

  trio_open (&trio, "accept");
  trio.carol->script.answer = FALSE;
  transfer (trio.call, CAROL);
  wait_for (trio.carol->n_incoming == 1 && trio.bob->n_alerting == 1);
  phone_call_hangup (trio.call, NULL);
  wait_for (is_over (trio.call) && is_over (trio.theirs));
  assert_cause (trio.call, PHONE_CAUSE_HANGUP);
  assert_cause (trio.theirs, PHONE_CAUSE_REPLACED);
  phone_call_answer (agent_call (trio.carol, 0), FALSE, NULL, NULL, NULL);
  wait_for (is_active (agent_call (trio.bob, 1)) && trio.carol->n_active == 1);
  trio_close (&trio);
}

/* The whole phone of the transferor goes while the peer decides. */
static void
test_transferor_stops (void)
{
  Trio trio;

  trio_open (&trio, "ask");
  transfer (trio.call, CAROL);
  wait_for (asks (trio.theirs));
  agent_free (trio.alice);
  wait_for (is_over (trio.theirs));
  g_assert_false (asks (trio.theirs));
  g_assert_null (phone_call_accept_transfer (trio.theirs, NULL));
  g_assert_cmpuint (trio.bob->calls->len, ==, 1);
  agent_free (trio.bob);
  agent_free (trio.carol);
}

/* The transferee's re-INVITE crosses the hold that comes before the REFER. */
static void
test_glare (void)
{
  Trio trio;
  g_autoptr (GError) error = NULL;

  trio_open (&trio, "accept");
  transfer (trio.call, CAROL);
  phone_call_hold (trio.theirs, NULL, NULL, &error);
  g_assert_no_error (error);
  wait_for (is_active (agent_call (trio.bob, 1)) && trio.carol->n_active == 1);
  assert_handed_over (&trio);
  trio_close (&trio);
}

/* The transferee changes its mind while it rings at the target. */
static void
test_cancelled (void)
{
  Trio trio;

  trio_open (&trio, "accept");
  trio.carol->script.answer = FALSE;
  transfer (trio.call, CAROL);
  wait_for (trio.bob->n_alerting == 1);
  phone_call_hangup (agent_call (trio.bob, 1), NULL);
  assert_given_back (&trio, 487);
  wait_for (is_over (agent_call (trio.carol, 0)));
  trio_close (&trio);
}

/* The transferee hangs up the call that is being transferred. */
static void
test_transferee_leaves (void)
{
  Trio trio;

  trio_open (&trio, "ask");
  transfer (trio.call, CAROL);
  wait_for (asks (trio.theirs));
  phone_call_hangup (trio.theirs, NULL);
  wait_for (is_over (trio.call));
  g_assert_false (asks (trio.theirs));
  g_assert_cmpuint (trio.carol->n_incoming, ==, 0);
  trio_close (&trio);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/transfer/blind", test_blind);
  g_test_add_func ("/sip/transfer/without-news", test_without_news);
  g_test_add_func ("/sip/transfer/ask", test_ask);
  g_test_add_func ("/sip/transfer/decline", test_decline);
  g_test_add_func ("/sip/transfer/refuse", test_refuse);
  g_test_add_func ("/sip/transfer/busy", test_busy);
  g_test_add_func ("/sip/transfer/emergency", test_emergency);
  g_test_add_func ("/sip/transfer/held-before", test_held_before);
  g_test_add_func ("/sip/transfer/attended", test_attended);
  g_test_add_func ("/sip/transfer/attended-held-target", test_attended_held_target);
  g_test_add_func ("/sip/transfer/attended-cross-account", test_attended_cross_account);
  g_test_add_func ("/sip/transfer/target-hangs-up", test_target_hangs_up);
  g_test_add_func ("/sip/transfer/transferor-leaves", test_transferor_leaves);
  g_test_add_func ("/sip/transfer/transferor-stops", test_transferor_stops);
  g_test_add_func ("/sip/transfer/transferee-leaves", test_transferee_leaves);
  g_test_add_func ("/sip/transfer/glare", test_glare);
  g_test_add_func ("/sip/transfer/cancelled", test_cancelled);
  return g_test_run ();
}
