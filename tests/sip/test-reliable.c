/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reliable provisional responses (RFC 3262), as callee and as caller: PRACK lost, repeated, wrong, and what UPDATE (RFC 3311) may do then. */

#include "bed.h"
#include "core/offer-answer.h"

#include <string.h>

static guint
remote_port (PhoneCall *call)
{
  return phone_call_get_plan (call)->remote_port;
}

/* How many different requests of that method came. */
static guint
count_distinct (Peer *peer, const char *method)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; peer_request (peer, method, i); i++)
    g_hash_table_add (seen, peer_header (peer_request (peer, method, i), "CSeq"));
  return g_hash_table_size (seen);
}

/* ---- the phone calls ---- */

static void
send_reliable (Bed *bed, const PeerMessage *invite, guint status, guint rseq, const char *sdp)
{
  g_autofree char *extra = g_strdup_printf ("%sRequire: 100rel\r\nRSeq: %u\r\n", bed_contact, rseq);

  peer_reply (bed->peer, invite, status, "Progress", "one", extra, sdp);
}

/* Dials a callee who wants 100rel: the INVITE that offers it. */
static const PeerMessage *
dial_reliable (Bed *bed)
{
  bed_open (bed);
  peer_reply (bed->peer, bed_dial (bed), 421, "Extension Required", "one", "Require: 100rel\r\n", NULL);
  return bed_await_request (bed, "INVITE", 1);
}

static const PeerMessage *
await_prack (Bed *bed, guint n, guint rseq)
{
  const PeerMessage *prack = bed_await_request (bed, "PRACK", n);
  g_autofree char *rack = peer_header (prack, "RAck");
  g_autofree char *wanted = g_strdup_printf ("%u ", rseq);

  g_assert_true (g_str_has_prefix (rack, wanted));
  return prack;
}

/* The callee has not got the PRACK and repeats its 183: no other PRACK, but the same again. */
static void
test_prack_lost (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite = dial_reliable (&bed);

  send_reliable (&bed, invite, 183, 7, peer_sdp (PEER, 30000, "sendrecv"));
  await_prack (&bed, 0, 7);
  send_reliable (&bed, invite, 183, 7, peer_sdp (PEER, 30000, "sendrecv"));
  wait_for (peer_count (bed.peer, "PRACK") >= 3);
  g_assert_cmpuint (count_distinct (bed.peer, "PRACK"), ==, 1);
  peer_reply (bed.peer, peer_last (bed.peer, "PRACK"), 200, "OK", NULL, NULL, NULL);
  wait_for (bed.agent->n_alerting == 1);
  peer_reply (bed.peer, invite, 200, "OK", "one", bed_contact, NULL);
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (remote_port (bed.call), ==, 30000);
  bed_close (&bed);
}

/* One that is out of order is not acknowledged (RFC 3262 section 4): the missing one will come again. */
static void
test_gap (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite = dial_reliable (&bed);

  send_reliable (&bed, invite, 183, 7, peer_sdp (PEER, 30000, "sendrecv"));
  peer_reply (bed.peer, await_prack (&bed, 0, 7), 200, "OK", NULL, NULL, NULL);
  send_reliable (&bed, invite, 180, 9, NULL);
  send_reliable (&bed, invite, 180, 8, NULL);
  peer_reply (bed.peer, await_prack (&bed, 1, 8), 200, "OK", NULL, NULL, NULL);
  send_reliable (&bed, invite, 180, 9, NULL);
  peer_reply (bed.peer, await_prack (&bed, 2, 9), 200, "OK", NULL, NULL, NULL);
  bed_answer (&bed, invite, NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

/* After the answer in a reliable 183 the callee may change the session before anybody picks up; what a later response repeats is old. */
static void
test_update (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite = dial_reliable (&bed), *ok;
  BedDialog dialog = bed_dialog_from (invite);

  send_reliable (&bed, invite, 183, 7, peer_sdp (PEER, 30000, "sendrecv"));
  peer_reply (bed.peer, await_prack (&bed, 0, 7), 200, "OK", NULL, NULL, NULL);
  wait_for (bed.agent->n_alerting == 1);
  bed_send_in_dialog (&bed, &dialog, "UPDATE", 1, bed_contact, "application/sdp", peer_sdp (PEER, 30010, "sendrecv"));
  ok = bed_await_response (&bed, 200, "UPDATE");
  g_assert_nonnull (strstr (peer_body (ok), "m=audio"));
  g_assert_cmpuint (remote_port (bed.call), ==, 30010);
  g_assert_cmpuint (bed.agent->n_active, ==, 0);
  peer_reply (bed.peer, invite, 200, "OK", "one", bed_contact, peer_sdp (PEER, 30000, "sendrecv"));
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (remote_port (bed.call), ==, 30010);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* The answer in a plain 183 may still change: our offer is open. */
static void
test_update_unreliable (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;
  BedDialog dialog;

  bed_open (&bed);
  invite = bed_dial (&bed);
  dialog = bed_dialog_from (invite);
  peer_reply (bed.peer, invite, 183, "Session Progress", "one", bed_contact, peer_sdp (PEER, 30000, "sendrecv"));
  wait_for (bed.agent->n_alerting == 1);
  bed_send_in_dialog (&bed, &dialog, "UPDATE", 1, bed_contact, "application/sdp", peer_sdp (PEER, 30010, "sendrecv"));
  bed_await_response (&bed, 491, "UPDATE");
  peer_reply (bed.peer, invite, 200, "OK", "one", bed_contact, peer_sdp (PEER, 30020, "sendrecv"));
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (remote_port (bed.call), ==, 30020);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* The callee refuses the PRACK (it has lost the dialog): the call goes on until the INVITE itself is answered. */
static void
test_prack_refused (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite = dial_reliable (&bed);

  send_reliable (&bed, invite, 183, 7, peer_sdp (PEER, 30000, "sendrecv"));
  peer_reply (bed.peer, await_prack (&bed, 0, 7), 500, "Server Internal Error", NULL, NULL, NULL);
  peer_reply (bed.peer, invite, 486, "Busy Here", "one", NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  assert_cause (bed.call, PHONE_CAUSE_BUSY);
  bed_close (&bed);
}

/* ---- the phone is called ---- */

static void
send_in_early_dialog (Bed *bed, const char *tag, const char *method, guint cseq, const char *branch, const char *extra, const char *sdp)
{
  peer_send (bed->peer, PHONE, PORT,
             "%s sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-%s\r\nMax-Forwards: 70\r\n"
             "From: \"Bob B.\" <sip:bob@" PEER ">;tag=one\r\nTo: <sip:alice@" PHONE ">;tag=%s\r\nCall-ID: rel@" PEER "\r\nCSeq: %u %s\r\n"
             "Contact: <sip:bob@" PEER ">\r\n%s%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
             method, branch, tag, cseq, method, extra, sdp ? "Content-Type: application/sdp\r\n" : "", sdp ? strlen (sdp) : 0, sdp ? sdp : "");
}

static char *
rack_for (const PeerMessage *ringing, int off)
{
  g_autofree char *rseq = peer_header (ringing, "RSeq");

  g_assert_nonnull (rseq);
  return g_strdup_printf ("RAck: %" G_GUINT64_FORMAT " 1 INVITE\r\n", g_ascii_strtoull (rseq, NULL, 10) + (guint64) off);
}

/* The 180 is repeated until a PRACK comes; the PRACK, repeated as its answer was lost, gets the same answer; one for another response gets 481. */
static void
test_repeated (void)
{
  Bed bed = { 0 };
  const PeerMessage *ringing;
  g_autofree char *tag = NULL;
  g_autofree char *rack = NULL;
  g_autofree char *wrong = NULL;
  g_autofree char *first = NULL;
  g_autofree char *last = NULL;
  guint n_ringing;

  bed_open (&bed);
  bed_send_invite (&bed, "rel", "Require: 100rel\r\n", peer_sdp (PEER, 30000, "sendrecv"));
  ringing = bed_await_response (&bed, 180, "INVITE");
  first = peer_header (ringing, "RSeq");
  wait_for (peer_count_status (bed.peer, 180, "INVITE") == 3);
  last = peer_header (peer_response (bed.peer, 180, "INVITE"), "RSeq");
  g_assert_cmpstr (first, ==, last);
  tag = bed_tag_of (ringing, "To");
  rack = rack_for (ringing, 0);
  wrong = rack_for (ringing, 1);
  send_in_early_dialog (&bed, tag, "PRACK", 2, "p0", wrong, NULL);
  bed_await_response (&bed, 481, "PRACK");
  send_in_early_dialog (&bed, tag, "PRACK", 3, "p1", rack, NULL);
  bed_await_response (&bed, 200, "PRACK");
  n_ringing = peer_count_status (bed.peer, 180, "INVITE");
  send_in_early_dialog (&bed, tag, "PRACK", 3, "p1", rack, NULL);
  wait_for (peer_count_status (bed.peer, 200, "PRACK") == 2);
  phone_call_answer (bed_await_call (&bed), FALSE, NULL, NULL, NULL);
  bed_send_ack (&bed, bed_await_response (&bed, 200, "INVITE"), "rel", NULL);
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (peer_count_status (bed.peer, 180, "INVITE"), ==, n_ringing);
  bed_close (&bed);
}

/* Their offer is open until we answer: an UPDATE may refresh, but not offer again. */
static void
test_callee_update (void)
{
  Bed bed = { 0 };
  const PeerMessage *ringing, *refused;
  g_autofree char *tag = NULL;
  g_autofree char *rack = NULL;
  g_autofree char *retry_after = NULL;

  bed_open (&bed);
  bed_send_invite (&bed, "rel", "Require: 100rel\r\n", peer_sdp (PEER, 30000, "sendrecv"));
  ringing = bed_await_response (&bed, 180, "INVITE");
  tag = bed_tag_of (ringing, "To");
  rack = rack_for (ringing, 0);
  send_in_early_dialog (&bed, tag, "PRACK", 2, "p", rack, NULL);
  bed_await_response (&bed, 200, "PRACK");
  send_in_early_dialog (&bed, tag, "UPDATE", 3, "u1", "", NULL);
  bed_await_response (&bed, 200, "UPDATE");
  send_in_early_dialog (&bed, tag, "UPDATE", 4, "u2", "", peer_sdp (PEER, 30010, "sendrecv"));
  refused = bed_await_response (&bed, 500, "UPDATE");
  retry_after = peer_header (refused, "Retry-After");
  g_assert_nonnull (retry_after);
  phone_call_answer (bed_await_call (&bed), FALSE, NULL, NULL, NULL);
  bed_send_ack (&bed, bed_await_response (&bed, 200, "INVITE"), "rel", NULL);
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (remote_port (agent_call (bed.agent, 0)), ==, 30000);
  bed_close (&bed);
}

/* Who is able and does not insist gets a plain 180: nothing in it must arrive. */
static void
test_supported (void)
{
  Bed bed = { 0 };
  g_autofree char *rseq = NULL;

  bed_open (&bed);
  bed_send_invite (&bed, "rel", "Supported: 100rel\r\n", peer_sdp (PEER, 30000, "sendrecv"));
  rseq = peer_header (bed_await_response (&bed, 180, "INVITE"), "RSeq");
  g_assert_null (rseq);
  phone_call_answer (bed_await_call (&bed), FALSE, NULL, NULL, NULL);
  bed_send_ack (&bed, bed_await_response (&bed, 200, "INVITE"), "rel", NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

/* Without an offer from them the first reliable response must hold ours: that is the 200. */
static void
test_offerless (void)
{
  Bed bed = { 0 };
  const PeerMessage *ok;

  bed_open (&bed);
  bed_send_invite (&bed, "rel", "Require: 100rel\r\n", NULL);
  bed_await_call (&bed);
  harness_settle ();
  g_assert_cmpuint (peer_count_status (bed.peer, 180, "INVITE"), ==, 0);
  phone_call_answer (agent_call (bed.agent, 0), FALSE, NULL, NULL, NULL);
  ok = bed_await_response (&bed, 200, "INVITE");
  g_assert_nonnull (strstr (peer_body (ok), "m=audio"));
  bed_send_ack (&bed, ok, "rel", peer_sdp (PEER, 30000, "sendrecv"));
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (remote_port (agent_call (bed.agent, 0)), ==, 30000);
  bed_close (&bed);
}

/* CANCEL before the PRACK. */
static void
test_cancelled (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  bed_send_invite (&bed, "rel", "Require: 100rel\r\n", peer_sdp (PEER, 30000, "sendrecv"));
  bed_await_response (&bed, 180, "INVITE");
  peer_send (bed.peer, PHONE, PORT,
             "CANCEL sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-rel\r\nMax-Forwards: 70\r\n"
             "From: \"Bob B.\" <sip:bob@" PEER ">;tag=one\r\nTo: <sip:alice@" PHONE ">\r\nCall-ID: rel@" PEER "\r\nCSeq: 1 CANCEL\r\n"
             "Content-Length: 0\r\n\r\n");
  bed_await_response (&bed, 487, "INVITE");
  wait_for (bed.agent->n_ended == 1);
  assert_cause (agent_call (bed.agent, 0), PHONE_CAUSE_CANCELLED);
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/reliable/caller/prack-lost", test_prack_lost);
  g_test_add_func ("/sip/reliable/caller/gap", test_gap);
  g_test_add_func ("/sip/reliable/caller/update", test_update);
  g_test_add_func ("/sip/reliable/caller/update-unreliable", test_update_unreliable);
  g_test_add_func ("/sip/reliable/caller/prack-refused", test_prack_refused);
  g_test_add_func ("/sip/reliable/callee/repeated", test_repeated);
  g_test_add_func ("/sip/reliable/callee/update", test_callee_update);
  g_test_add_func ("/sip/reliable/callee/supported", test_supported);
  g_test_add_func ("/sip/reliable/callee/offerless", test_offerless);
  g_test_add_func ("/sip/reliable/callee/cancelled", test_cancelled);
  return g_test_run ();
}
