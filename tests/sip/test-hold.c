/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hold in every way that it is written (RFC 3264 section 8.4), theirs and ours; and what a call's end says of its reason (RFC 3326). */

#include "bed.h"
#include "core/offer-answer.h"

#include <string.h>

static void
send_reinvite (Bed *bed, const BedDialog *dialog, guint cseq, const char *address, const char *direction)
{
  guint n = peer_count_status (bed->peer, 200, "INVITE");

  bed_send_in_dialog (bed, dialog, "INVITE", cseq, bed_contact, "application/sdp", peer_sdp (address, 30000, direction));
  wait_for (peer_count_status (bed->peer, 200, "INVITE") > n);
  bed_send_in_dialog (bed, dialog, "ACK", cseq, NULL, NULL, NULL);
}

static void
assert_answer (Bed *bed, const char *direction)
{
  g_autofree char *line = g_strdup_printf ("a=%s\r\n", direction);

  g_assert_nonnull (strstr (peer_body (peer_response (bed->peer, 200, "INVITE")), line));
}

/* ---- theirs ---- */

static void
test_remote (void)
{
  static const struct
  {
    const char *address, *direction;
    gboolean hold;
    const char *answer;
    PhoneDirection plan;
  } rows[] = {
    { PEER, "sendonly", TRUE, "recvonly", PHONE_DIRECTION_RECVONLY },
    { PEER, "sendrecv", FALSE, "sendrecv", PHONE_DIRECTION_SENDRECV },
    { PEER, "inactive", TRUE, "inactive", PHONE_DIRECTION_INACTIVE },
    { PEER, "recvonly", FALSE, "sendonly", PHONE_DIRECTION_SENDONLY },
    { "0.0.0.0", "sendrecv", TRUE, "recvonly", PHONE_DIRECTION_RECVONLY },
    { PEER, "sendrecv", FALSE, "sendrecv", PHONE_DIRECTION_SENDRECV },
    { "0.0.0.0", "inactive", TRUE, "inactive", PHONE_DIRECTION_INACTIVE },
    { "0.0.0.0", "sendonly", TRUE, "recvonly", PHONE_DIRECTION_RECVONLY },
    { PEER, "sendrecv", FALSE, "sendrecv", PHONE_DIRECTION_SENDRECV },
  };
  Bed bed = { 0 };
  BedDialog dialog;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_test_message ("%s at %s", rows[i].direction, rows[i].address);
      send_reinvite (&bed, &dialog, 10 + i, rows[i].address, rows[i].direction);
      assert_answer (&bed, rows[i].answer);
      g_assert_cmpint (phone_call_get_remote_hold (bed.call), ==, rows[i].hold);
      g_assert_false (phone_call_get_local_hold (bed.call));
      g_assert_cmpint (phone_call_get_plan (bed.call)->direction, ==, rows[i].plan);
      assert_state (bed.call, PHONE_CALL_ACTIVE);
    }
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* ---- ours ---- */

static void
hold (Bed *bed, guint n, const char *address, const char *direction)
{
  g_autoptr (GError) error = NULL;
  const PeerMessage *invite;

  phone_call_hold (bed->call, NULL, NULL, &error);
  g_assert_no_error (error);
  invite = bed_await_request (bed, "INVITE", n);
  g_assert_nonnull (strstr (peer_body (invite), "a=sendonly\r\n"));
  peer_reply (bed->peer, invite, 200, "OK", "one", bed_contact, peer_sdp (address, 30000, direction));
  wait_for (phone_call_get_state (bed->call) == PHONE_CALL_HELD);
  g_assert_true (phone_call_get_local_hold (bed->call));
}

static void
resume (Bed *bed, guint n)
{
  g_autoptr (GError) error = NULL;
  const PeerMessage *invite;

  phone_call_resume (bed->call, NULL, NULL, &error);
  g_assert_no_error (error);
  invite = bed_await_request (bed, "INVITE", n);
  g_assert_nonnull (strstr (peer_body (invite), "a=sendrecv\r\n"));
  peer_reply (bed->peer, invite, 200, "OK", "one", bed_contact, peer_sdp (bed->bob, 30000, "sendrecv"));
  wait_for (phone_call_get_state (bed->call) == PHONE_CALL_ACTIVE);
  g_assert_false (phone_call_get_local_hold (bed->call));
  g_assert_false (phone_call_get_remote_hold (bed->call));
  g_assert_cmpint (phone_call_get_plan (bed->call)->direction, ==, PHONE_DIRECTION_SENDRECV);
}

/* The answer to ours says what the peer does meanwhile; none of it takes our hold away, and nobody hears us by an offer of theirs. */
static void
test_local (void)
{
  Bed bed = { 0 };
  BedDialog dialog;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));

  hold (&bed, 1, PEER, "recvonly");
  g_assert_false (phone_call_get_remote_hold (bed.call));
  send_reinvite (&bed, &dialog, 10, PEER, "sendrecv");
  assert_answer (&bed, "sendonly");
  assert_state (bed.call, PHONE_CALL_HELD);
  send_reinvite (&bed, &dialog, 11, PEER, "sendonly");
  assert_answer (&bed, "inactive");
  g_assert_true (phone_call_get_remote_hold (bed.call));
  g_assert_true (phone_call_get_local_hold (bed.call));
  resume (&bed, 2);

  hold (&bed, 3, PEER, "inactive");
  g_assert_true (phone_call_get_remote_hold (bed.call));
  resume (&bed, 4);
  hold (&bed, 5, "0.0.0.0", "recvonly");
  g_assert_true (phone_call_get_remote_hold (bed.call));
  resume (&bed, 6);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* Who says nothing about the direction has not changed his mind: it is sendrecv (RFC 8866 section 6.7). */
static void
test_silent_about_it (void)
{
  Bed bed = { 0 };
  BedDialog dialog;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  send_reinvite (&bed, &dialog, 10, PEER, "inactive");
  g_assert_true (phone_call_get_remote_hold (bed.call));
  send_reinvite (&bed, &dialog, 11, PEER, "x-nothing");
  g_assert_false (phone_call_get_remote_hold (bed.call));
  assert_answer (&bed, "sendrecv");
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

static void
on_bye (Peer *peer, const PeerMessage *message, gpointer data)
{
  if (message->method)
    peer_reply (peer, message, 200, "OK", NULL, NULL, NULL);
}

/* A peer that moves says so in the Contact of a re-INVITE or UPDATE: what we have to say goes there (RFC 3261 section 12.2.2). */
static void
test_moved (gconstpointer method)
{
  Bed bed = { 0 };
  BedDialog dialog;
  Peer *moved = peer_new (PEER, 5070, on_bye, NULL);
  gboolean invite = g_str_equal (method, "INVITE");

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  bed_send_in_dialog (&bed, &dialog, method, 10, "Contact: <sip:bob@" PEER ":5070>\r\n", "application/sdp",
                      invite ? peer_sdp (PEER, 30000, "sendrecv") : NULL);
  wait_for (peer_count_status (bed.peer, 200, method) == 1);
  if (invite)
    bed_send_in_dialog (&bed, &dialog, "ACK", 10, NULL, NULL, NULL);
  phone_call_hangup (bed.call, NULL);
  wait_for (peer_count (moved, "BYE") == 1 || peer_count (bed.peer, "BYE") == 1);
  g_assert_cmpuint (peer_count (moved, "BYE"), ==, 1);
  wait_for (bed.agent->n_ended == 1);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
  peer_free (moved);
}

/* ---- why it ended ---- */

static void
assert_reason_header (const PeerMessage *message, const char *wanted)
{
  g_autofree char *reason = peer_header (message, "Reason");

  g_assert_cmpstr (reason, ==, wanted);
}

static void
test_reason_sent (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  phone_call_hangup (bed.call, NULL);
  assert_reason_header (bed_await_request (&bed, "BYE", 0), "Q.850;cause=16");
  bed_close (&bed);

  bed = (Bed){ 0 };
  bed_open (&bed);
  peer_reply (bed.peer, bed_dial (&bed), 180, "Ringing", "one", bed_contact, NULL);
  wait_for (bed.agent->n_alerting == 1);
  phone_call_hangup (bed.call, NULL);
  assert_reason_header (bed_await_request (&bed, "CANCEL", 0), "SIP;cause=487");
  peer_reply (bed.peer, peer_request (bed.peer, "CANCEL", 0), 200, "OK", NULL, NULL, NULL);
  peer_reply (bed.peer, peer_request (bed.peer, "INVITE", 0), 487, "Request Terminated", "one", NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_close (&bed);
}

static void
test_reason_received (void)
{
  static const struct
  {
    const char *header;
    PhoneCause cause;
    guint sip, q850;
    const char *phrase;
    gboolean elsewhere;
  } rows[] = {
    { "", PHONE_CAUSE_HANGUP, 0, 16, NULL, FALSE },
    { "Reason: Q.850;cause=31;text=\"Normal unspecified\"\r\n", PHONE_CAUSE_HANGUP, 0, 31, "Normal unspecified", FALSE },
    { "Reason: SIP;cause=503;text=\"gone\", Q.850;cause=38\r\n", PHONE_CAUSE_HANGUP, 503, 38, "gone", FALSE },
    { "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n", PHONE_CAUSE_ANSWERED_ELSEWHERE, 0, 16, "Call completed elsewhere", TRUE },
    { "Reason: Q.850;cause=999, X;cause=1, SIP;cause=-4\r\n", PHONE_CAUSE_HANGUP, 0, 16, NULL, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      Bed bed = { 0 };
      BedDialog dialog;
      const PhoneReason *reason;

      bed_open (&bed);
      bed_dial_and_answer (&bed, NULL);
      dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
      bed_send_in_dialog (&bed, &dialog, "BYE", 10, rows[i].header, NULL, NULL);
      wait_for (bed.agent->n_ended == 1);
      reason = phone_call_get_reason (bed.call);
      assert_cause (bed.call, rows[i].cause);
      assert_actor (bed.call, PHONE_ACTOR_REMOTE);
      g_assert_cmpuint (reason->sip, ==, rows[i].sip);
      g_assert_cmpuint (reason->q850, ==, rows[i].q850);
      g_assert_cmpstr (reason->phrase, ==, rows[i].phrase);
      g_assert_cmpint (reason->answered_elsewhere, ==, rows[i].elsewhere);
      bed_dialog_clear (&dialog);
      bed_close (&bed);
    }
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/hold/remote", test_remote);
  g_test_add_func ("/sip/hold/local", test_local);
  g_test_add_func ("/sip/hold/silent-about-it", test_silent_about_it);
  g_test_add_data_func ("/sip/moved/invite", "INVITE", test_moved);
  g_test_add_data_func ("/sip/moved/update", "UPDATE", test_moved);
  g_test_add_func ("/sip/reason/sent", test_reason_sent);
  g_test_add_func ("/sip/reason/received", test_reason_received);
  return g_test_run ();
}
