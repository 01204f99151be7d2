/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One whole phone against a peer that sends what it is told to: orders and mistakes that no stack would produce. */

#include "bed.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the phone calls ---- */

static void
test_early_media (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;

  bed_open (&bed);
  invite = bed_dial (&bed);
  peer_reply (bed.peer, invite, 183, "Session Progress", "one", bed_contact, peer_sdp (PEER, 30000, "sendrecv"));
  wait_for (bed.agent->n_alerting == 1);
  g_assert_cmpuint (bed.agent->n_applied, ==, 1);
  g_assert_nonnull (phone_call_get_plan (bed.call));
  g_assert_cmpuint (peer_count (bed.peer, "PRACK"), ==, 0);
  bed_answer (&bed, invite, NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

/* A callee that insists on 100rel gets a second INVITE with it, and PRACK. */
static void
test_421_prack (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite, *prack;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_autofree char *rack = NULL;

  bed_open (&bed);
  invite = bed_dial (&bed);
  first = peer_header (invite, "Supported");
  g_assert_null (strstr (first, "100rel"));
  peer_reply (bed.peer, invite, 421, "Extension Required", "one", "Require: 100rel\r\n", NULL);
  invite = bed_await_request (&bed, "INVITE", 1);
  second = peer_header (invite, "Supported");
  g_assert_nonnull (strstr (second, "100rel"));
  {
    g_autofree char *extra = g_strconcat (bed_contact, "Require: 100rel\r\nRSeq: 7\r\n", NULL);

    peer_reply (bed.peer, invite, 183, "Session Progress", "one", extra, peer_sdp (PEER, 30000, "sendrecv"));
  }
  prack = bed_await_request (&bed, "PRACK", 0);
  rack = peer_header (prack, "RAck");
  g_assert_true (g_str_has_prefix (rack, "7 "));
  peer_reply (bed.peer, prack, 200, "OK", NULL, NULL, NULL);
  wait_for (bed.agent->n_alerting == 1);
  bed_answer (&bed, invite, NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

/* Two branches answer: the first has the call, the second gets ACK and BYE. */
static void
test_forked (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite, *bye;
  g_autofree char *to = NULL;

  bed_open (&bed);
  invite = bed_dial (&bed);
  peer_reply (bed.peer, invite, 180, "Ringing", "one", bed_contact, NULL);
  peer_reply (bed.peer, invite, 180, "Ringing", "two", bed_contact, NULL);
  peer_reply (bed.peer, invite, 200, "OK", "two", bed_contact, peer_sdp (PEER, 30000, "sendrecv"));
  wait_for (bed.agent->n_active == 1);
  peer_reply (bed.peer, invite, 200, "OK", "one", bed_contact, peer_sdp (PEER, 30002, "sendrecv"));
  bye = bed_await_request (&bed, "BYE", 0);
  to = peer_header (bye, "To");
  g_assert_nonnull (strstr (to, "tag=one"));
  g_assert_cmpuint (peer_count (bed.peer, "ACK"), >=, 2);
  peer_reply (bed.peer, bye, 200, "OK", NULL, NULL, NULL);
  harness_settle ();
  assert_state (bed.call, PHONE_CALL_ACTIVE);
  bed_close (&bed);
}

/* The 200 crosses our CANCEL: ACK, BYE, and the call is over. */
static void
test_cancel_race (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;

  bed_open (&bed);
  invite = bed_dial (&bed);
  peer_reply (bed.peer, invite, 180, "Ringing", "one", bed_contact, NULL);
  wait_for (bed.agent->n_alerting == 1);
  phone_call_hangup (bed.call, NULL);
  bed_await_request (&bed, "CANCEL", 0);
  bed_answer (&bed, invite, NULL);
  peer_reply (bed.peer, peer_last (bed.peer, "CANCEL"), 481, "Too late", "one", NULL, NULL);
  bed_await_request (&bed, "ACK", 0);
  peer_reply (bed.peer, bed_await_request (&bed, "BYE", 0), 200, "OK", NULL, NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  assert_cause (bed.call, PHONE_CAUSE_CANCELLED);
  g_assert_cmpuint (bed.agent->n_active, ==, 0);
  bed_close (&bed);
}

typedef struct
{
  guint status;
  const char *extra;
  PhoneCause cause;
  guint q850;
} Failure;

static void
test_failure (gconstpointer data)
{
  const Failure *failure = data;
  Bed bed = { 0 };
  const PhoneReason *reason;

  bed_open (&bed);
  peer_reply (bed.peer, bed_dial (&bed), failure->status, "Scripted", "one", failure->extra, NULL);
  wait_for (bed.agent->n_ended == 1);
  reason = phone_call_get_reason (bed.call);
  assert_cause (bed.call, failure->cause);
  g_assert_cmpuint (reason->sip, ==, failure->status);
  if (failure->q850)
    g_assert_cmpuint (reason->q850, ==, failure->q850);
  bed_await_request (&bed, "ACK", 0);
  bed_close (&bed);
}

static const Failure failures[] = {
  { 302, NULL, PHONE_CAUSE_REDIRECTED, 0 },
  { 305, "Contact: <sip:carol@" PEER ">\r\n", PHONE_CAUSE_REDIRECTED, 0 },
  { 404, NULL, PHONE_CAUSE_NOT_FOUND, 0 },
  { 480, "Reason: Q.850;cause=19;text=\"No answer\"\r\n", PHONE_CAUSE_UNAVAILABLE, 19 },
  { 486, "Reason: Q.850;cause=17\r\n", PHONE_CAUSE_BUSY, 17 },
  { 488, NULL, PHONE_CAUSE_NOT_ACCEPTABLE, 0 },
  { 503, "Retry-After: 10\r\n", PHONE_CAUSE_SERVER_ERROR, 0 },
  { 603, NULL, PHONE_CAUSE_DECLINED, 0 },
};

static void
test_challenged (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;
  g_autofree char *authorization = NULL;

  bed_open (&bed);
  peer_reply (bed.peer, bed_dial (&bed), 407, "Proxy Authentication Required", "one",
              "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\n", NULL);
  invite = bed_await_request (&bed, "INVITE", 1);
  authorization = peer_header (invite, "Proxy-Authorization");
  g_assert_nonnull (authorization);
  g_assert_nonnull (strstr (authorization, "username=\"alice\""));
  bed_answer (&bed, invite, NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

static void
send_options (Bed *bed)
{
  peer_send (bed->peer, PHONE, PORT,
             "OPTIONS sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-opt\r\nMax-Forwards: 70\r\n"
             "From: <sip:bob@" PEER ">;tag=one\r\nTo: <sip:alice@" PHONE ">\r\nCall-ID: opt@" PEER "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n");
}

/* Hung up before the challenge came: the call is not placed after all. */
static void
test_challenged_too_late (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;

  bed_open (&bed);
  invite = bed_dial (&bed);
  phone_call_hangup (bed.call, NULL);
  peer_reply (bed.peer, invite, 407, "Proxy Authentication Required", "one",
              "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\n", NULL);
  wait_for (bed.agent->n_ended == 1);
  assert_cause (bed.call, PHONE_CAUSE_CANCELLED);
  bed_await_request (&bed, "ACK", 0);
  /* What would have been sent would be here before the answer to this. */
  send_options (&bed);
  bed_await_response (&bed, 200, "OPTIONS");
  g_assert_cmpuint (peer_count (bed.peer, "INVITE"), ==, 1);
  bed_close (&bed);
}

/* A session interval that is too short for the callee's side is asked for again, longer: RFC 4028 section 7.4. */
static void
test_interval_too_small (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;
  g_autofree char *expires = NULL;

  bed_open (&bed);
  peer_reply (bed.peer, bed_dial (&bed), 422, "Session Interval Too Small", "one", "Min-SE: 7000\r\n", NULL);
  invite = bed_await_request (&bed, "INVITE", 1);
  expires = peer_header (invite, "Session-Expires");
  g_assert_true (g_str_has_prefix (expires, "7000"));
  bed_answer (&bed, invite, NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

/* A challenge to our BYE from a far end that called us is not answered. */
static void
test_challenge_inside (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  bed.agent->script.answer = TRUE;
  bed_send_invite (&bed, "collector", NULL, peer_sdp (PEER, 30000, "sendrecv"));
  bed_send_ack (&bed, bed_await_response (&bed, 200, "INVITE"), "collector", NULL);
  wait_for (bed.agent->n_active == 1);
  phone_call_hangup (agent_call (bed.agent, 0), NULL);
  peer_reply (bed.peer, bed_await_request (&bed, "BYE", 0), 401, "Unauthorized", NULL,
              "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n", NULL);
  wait_for (bed.agent->n_ended == 1);
  harness_settle ();
  g_assert_cmpuint (peer_count (bed.peer, "BYE"), ==, 1);
  bed_close (&bed);
}

static void
test_bad_answer (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  peer_reply (bed.peer, bed_dial (&bed), 200, "OK", "one", bed_contact, "v=0\r\nthis is no session\r\n");
  bed_await_request (&bed, "ACK", 0);
  peer_reply (bed.peer, bed_await_request (&bed, "BYE", 0), 200, "OK", NULL, NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  assert_cause (bed.call, PHONE_CAUSE_MEDIA_FAILED);
  bed_close (&bed);
}

/* What follows in the dialog goes where Record-Route says. */
static void
test_route (void)
{
  Bed bed = { 0 };
  Peer *proxy = peer_new ("127.20.3.8", PORT, bed_on_farewell, NULL);

  bed_open (&bed);
  bed_answer (&bed, bed_dial (&bed), "Record-Route: <sip:127.20.3.7;lr>\r\nRecord-Route: <sip:127.20.3.8;lr>\r\n");
  wait_for (peer_count (proxy, "ACK") == 1);
  wait_for (bed.agent->n_active == 1);
  phone_call_hangup (bed.call, NULL);
  wait_for (peer_count (proxy, "BYE") == 1);
  {
    g_autofree char *route = peer_header (peer_last (proxy, "BYE"), "Route");

    g_assert_cmpstr (route, ==, "<sip:127.20.3.8;lr>");
    g_assert_true (g_str_has_prefix (peer_last (proxy, "BYE")->text, "BYE sip:bob@" PEER ":5060 SIP/2.0"));
  }
  wait_for (bed.agent->n_ended == 1);
  g_assert_cmpuint (peer_count (bed.peer, "BYE"), ==, 0);
  bed_close (&bed);
  peer_free (proxy);
}

static void
test_headers (void)
{
  Bed bed = { 0 };
  const char *headers[] = { "X-Test", "one two", NULL };
  PhoneDialOptions options = { .privacy = TRUE, .headers = headers };
  g_autoptr (GError) error = NULL;
  const PeerMessage *invite;
  g_autofree char *from = NULL;
  g_autofree char *test = NULL;
  g_autofree char *privacy = NULL;

  bed_open (&bed);
  bed.call = phone_registry_dial (bed.agent->registry, "sip:bob@" PEER, &options, &error);
  g_assert_no_error (error);
  invite = bed_await_request (&bed, "INVITE", 0);
  from = peer_header (invite, "From");
  test = peer_header (invite, "X-Test");
  privacy = peer_header (invite, "Privacy");
  g_assert_cmpstr (test, ==, "one two");
  g_assert_cmpstr (privacy, ==, "id");
  g_assert_nonnull (strstr (from, "anonymous@anonymous.invalid"));
  peer_reply (bed.peer, invite, 486, "Busy Here", "one", NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_close (&bed);
}

/* ---- changes of the session ---- */

static void
on_failed (PhoneCall *call, const GError *error, gpointer data)
{
  g_assert_nonnull (error);
  (*(guint *) data)++;
}

/* Refusing a re-INVITE, with whatever failure, leaves the call as it was: RFC 3261 section 14.1. */
static void
test_reinvite_refused (gconstpointer status)
{
  Bed bed = { 0 };
  guint failed = 0;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  phone_call_hold (bed.call, on_failed, &failed, NULL);
  peer_reply (bed.peer, bed_await_request (&bed, "INVITE", 1), GPOINTER_TO_UINT (status), "Scripted", NULL, NULL, NULL);
  wait_for (failed == 1);
  harness_settle ();
  assert_state (bed.call, PHONE_CALL_ACTIVE);
  g_assert_cmpuint (peer_count (bed.peer, "BYE"), ==, 0);
  phone_call_hangup (bed.call, NULL);
  peer_reply (bed.peer, bed_await_request (&bed, "BYE", 0), 200, "OK", NULL, NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_close (&bed);
}

/* 481: the peer does not know the dialog any more, RFC 3261 section 12.2.1.2. */
static void
test_reinvite_dead (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  phone_call_hold (bed.call, NULL, NULL, NULL);
  peer_reply (bed.peer, bed_await_request (&bed, "INVITE", 1), 481, "Gone", NULL, NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  g_assert_cmpuint (phone_call_get_reason (bed.call)->sip, ==, 481);
  bed_close (&bed);
}

static void
test_update (void)
{
  Bed bed = { 0 };
  BedDialog dialog;
  const PeerMessage *response;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  bed_send_in_dialog (&bed, &dialog, "UPDATE", 10, bed_contact, "application/sdp", peer_sdp (PEER, 30000, "sendonly"));
  response = bed_await_response (&bed, 200, "UPDATE");
  g_assert_nonnull (strstr (peer_body (response), "a=recvonly"));
  wait_for (phone_call_get_remote_hold (bed.call));
  /* one without SDP refreshes and nothing else */
  bed_send_in_dialog (&bed, &dialog, "UPDATE", 11, bed_contact, NULL, NULL);
  wait_for (peer_count_status (bed.peer, 200, "UPDATE") == 2);
  g_assert_true (phone_call_get_remote_hold (bed.call));
  /* while our own offer is open it is refused */
  phone_call_hold (bed.call, NULL, NULL, NULL);
  bed_await_request (&bed, "INVITE", 1);
  bed_send_in_dialog (&bed, &dialog, "UPDATE", 12, bed_contact, "application/sdp", peer_sdp (PEER, 30000, "sendrecv"));
  bed_await_response (&bed, 491, "UPDATE");
  peer_reply (bed.peer, peer_request (bed.peer, "INVITE", 1), 200, "OK", NULL, bed_contact, peer_sdp (PEER, 30000, "recvonly"));
  wait_for (phone_call_get_state (bed.call) == PHONE_CALL_HELD);
  /* what is not SDP is not read */
  bed_send_in_dialog (&bed, &dialog, "UPDATE", 13, bed_contact, "text/plain", "hello");
  bed_await_response (&bed, 415, "UPDATE");
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

static void
test_bad_reinvite (void)
{
  Bed bed = { 0 };
  BedDialog dialog;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  bed_send_in_dialog (&bed, &dialog, "INVITE", 10, bed_contact, "application/sdp", "v=0\r\nnonsense\r\n");
  bed_await_response (&bed, 488, "INVITE");
  harness_settle ();
  assert_state (bed.call, PHONE_CALL_ACTIVE);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* A re-INVITE without SDP: our offer in the 200, their answer in the ACK. */
static void
test_offerless_reinvite (void)
{
  Bed bed = { 0 };
  BedDialog dialog;
  const PeerMessage *response;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  bed_send_in_dialog (&bed, &dialog, "INVITE", 10, bed_contact, NULL, NULL);
  response = bed_await_response (&bed, 200, "INVITE");
  g_assert_nonnull (strstr (peer_body (response), "m=audio"));
  bed_send_in_dialog (&bed, &dialog, "ACK", 10, bed_contact, "application/sdp", peer_sdp (PEER, 30004, "sendonly"));
  wait_for (phone_call_get_remote_hold (bed.call));
  assert_state (bed.call, PHONE_CALL_ACTIVE);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* A digit by INFO is on the way when the user presses hold: the re-INVITE follows its answer. */
static void
test_hold_behind_info (void)
{
  Bed bed = { 0 };
  const char *const updates[] = { "dtmf", "info", NULL };
  const PeerMessage *info;

  bed_open (&bed);
  phone_account_update (g_ptr_array_index (phone_registry_get_accounts (bed.agent->registry), 0), updates, NULL);
  bed_dial_and_answer (&bed, NULL);
  g_assert_true (phone_call_send_dtmf (bed.call, "5", 0, NULL));
  info = bed_await_request (&bed, "INFO", 0);
  g_assert_true (phone_call_hold (bed.call, NULL, NULL, NULL));
  harness_settle ();
  peer_reply (bed.peer, info, 200, "OK", NULL, NULL, NULL);
  peer_reply (bed.peer, bed_await_request (&bed, "INVITE", 1), 200, "OK", NULL, bed_contact, peer_sdp (PEER, 30000, "recvonly"));
  wait_for (phone_call_get_state (bed.call) == PHONE_CALL_HELD);
  bed_close (&bed);
}

/* A change of ours while our offer in a 200 waits for its ACK: RFC 3264 section 4 allows one at a time. */
static void
test_hold_before_ack (void)
{
  Bed bed = { 0 };
  BedDialog dialog;
  const PeerMessage *invite;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  bed_send_in_dialog (&bed, &dialog, "INVITE", 10, bed_contact, NULL, NULL);
  bed_await_response (&bed, 200, "INVITE");
  g_assert_true (phone_call_hold (bed.call, NULL, NULL, NULL));
  harness_settle ();
  g_assert_cmpuint (peer_count (bed.peer, "INVITE"), ==, 1);
  bed_send_in_dialog (&bed, &dialog, "ACK", 10, bed_contact, "application/sdp", peer_sdp (PEER, 30004, "sendrecv"));
  invite = bed_await_request (&bed, "INVITE", 1);
  g_assert_nonnull (strstr (peer_body (invite), "a=sendonly"));
  peer_reply (bed.peer, invite, 200, "OK", NULL, bed_contact, peer_sdp (PEER, 30004, "recvonly"));
  wait_for (phone_call_get_state (bed.call) == PHONE_CALL_HELD);
  g_assert_cmpint (phone_call_get_plan (bed.call)->remote_port, ==, 30004);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

#define OPUS_SDP(direction) \
  "v=0\r\no=- 1 2 IN IP4 " PEER "\r\ns=-\r\nc=IN IP4 " PEER "\r\nt=0 0\r\nm=audio 30004 RTP/AVP 111\r\n" \
  "a=rtpmap:111 opus/48000/2\r\na=" direction "\r\n"

static char *
media_line (const PeerMessage *message)
{
  const char *line = strstr (peer_body (message), "m=audio");

  return line ? g_strndup (line, strcspn (line, "\r\n")) : NULL;
}

/* After a glare the offer that goes out again knows what the peer changed in between. */
static void
test_glare_renews_the_offer (void)
{
  Bed bed = { 0 };
  BedDialog dialog;
  const PeerMessage *invite;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  phone_call_hold (bed.call, NULL, NULL, NULL);
  invite = bed_await_request (&bed, "INVITE", 1);
  before = media_line (invite);
  peer_reply (bed.peer, invite, 491, "Request Pending", NULL, NULL, NULL);
  bed_await_request (&bed, "ACK", 1);
  g_assert_null (strstr (before, "111"));
  /* the peer turns to Opus under a number of its own, which is the number of Opus in this session from then on (RFC 3264 section 8.3.2) */
  bed_send_in_dialog (&bed, &dialog, "INVITE", 10, bed_contact, "application/sdp", OPUS_SDP ("sendrecv"));
  bed_await_response (&bed, 200, "INVITE");
  bed_send_in_dialog (&bed, &dialog, "ACK", 10, bed_contact, NULL, NULL);
  invite = bed_await_request (&bed, "INVITE", 2);
  after = media_line (invite);
  g_assert_nonnull (strstr (after, " 111"));
  g_assert_nonnull (strstr (peer_body (invite), "a=sendonly"));
  peer_reply (bed.peer, invite, 200, "OK", NULL, bed_contact, OPUS_SDP ("recvonly"));
  wait_for (phone_call_get_state (bed.call) == PHONE_CALL_HELD);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* ---- the phone is called ---- */

static void
test_offerless (void)
{
  Bed bed = { 0 };
  const PeerMessage *ok;

  bed_open (&bed);
  bed.agent->script.answer = TRUE;
  bed_send_invite (&bed, "offerless", NULL, NULL);
  ok = bed_await_response (&bed, 200, "INVITE");
  g_assert_nonnull (strstr (peer_body (ok), "m=audio"));
  g_assert_cmpuint (bed.agent->n_active, ==, 0);
  bed_send_ack (&bed, ok, "offerless", peer_sdp (PEER, 30000, "sendrecv"));
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (bed.agent->n_applied, ==, 1);
  bed_close (&bed);
}

/* The callee must not say BYE before the ACK: RFC 3261 section 15. */
static void
test_hangup_before_ack (void)
{
  Bed bed = { 0 };
  PhoneCall *call;
  const PeerMessage *ok;

  bed_open (&bed);
  bed.agent->script.answer = TRUE;
  bed_send_invite (&bed, "early-bye", NULL, peer_sdp (PEER, 30000, "sendrecv"));
  call = bed_await_call (&bed);
  ok = bed_await_response (&bed, 200, "INVITE");
  phone_call_hangup (call, NULL);
  harness_settle ();
  g_assert_cmpuint (peer_count (bed.peer, "BYE"), ==, 0);
  bed_send_ack (&bed, ok, "early-bye", NULL);
  peer_reply (bed.peer, bed_await_request (&bed, "BYE", 0), 200, "OK", NULL, NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  assert_cause (call, PHONE_CAUSE_HANGUP);
  bed_close (&bed);
}

/* A caller with 100rel gets its 180 unreliably, as it carries nothing that must arrive; one that requires it gets it reliably. */
static void
test_reliable_ringing (void)
{
  Bed bed = { 0 };
  const PeerMessage *ringing;
  g_autofree char *rseq = NULL;
  g_autofree char *tag = NULL;
  g_autofree char *rack = NULL;

  bed_open (&bed);
  bed_send_invite (&bed, "rel", "Require: 100rel\r\nSupported: 100rel\r\n", peer_sdp (PEER, 30000, "sendrecv"));
  ringing = bed_await_response (&bed, 180, "INVITE");
  rseq = peer_header (ringing, "RSeq");
  g_assert_nonnull (rseq);
  tag = bed_tag_of (ringing, "To");
  rack = g_strdup_printf ("RAck: %s 1 INVITE\r\n", rseq);
  phone_call_answer (bed_await_call (&bed), FALSE, NULL, NULL, NULL);
  harness_settle ();
  g_assert_cmpuint (peer_count_status (bed.peer, 200, "INVITE"), ==, 0);
  peer_send (bed.peer, PHONE, PORT,
             "PRACK sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-prack\r\nMax-Forwards: 70\r\n"
             "From: \"Bob B.\" <sip:bob@" PEER ">;tag=one\r\nTo: <sip:alice@" PHONE ">;tag=%s\r\nCall-ID: rel@" PEER "\r\nCSeq: 2 PRACK\r\n"
             "%sContent-Length: 0\r\n\r\n",
             tag, rack);
  bed_await_response (&bed, 200, "PRACK");
  bed_send_ack (&bed, bed_await_response (&bed, 200, "INVITE"), "rel", NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

static void
test_cancelled_elsewhere (void)
{
  Bed bed = { 0 };
  PhoneCall *call;

  bed_open (&bed);
  bed_send_invite (&bed, "elsewhere", NULL, peer_sdp (PEER, 30000, "sendrecv"));
  call = bed_await_call (&bed);
  bed_await_response (&bed, 180, "INVITE");
  peer_send (bed.peer, PHONE, PORT,
             "CANCEL sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-elsewhere\r\nMax-Forwards: 70\r\n"
             "From: \"Bob B.\" <sip:bob@" PEER ">;tag=one\r\nTo: <sip:alice@" PHONE ">\r\nCall-ID: elsewhere@" PEER "\r\nCSeq: 1 CANCEL\r\n"
             "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\nReason: Q.850;cause=26\r\nContent-Length: 0\r\n\r\n");
  wait_for (bed.agent->n_ended == 1);
  assert_cause (call, PHONE_CAUSE_ANSWERED_ELSEWHERE);
  g_assert_true (phone_call_get_reason (call)->answered_elsewhere);
  g_assert_cmpuint (phone_call_get_reason (call)->q850, ==, 26);
  bed_await_response (&bed, 200, "CANCEL");
  bed_await_response (&bed, 487, "INVITE");
  bed_close (&bed);
}

static void
test_party (void)
{
  Bed bed = { 0 };
  PhoneCall *call;

  bed_open (&bed);
  bed_send_invite (&bed, "party", "P-Asserted-Identity: <sip:boss@" PEER ">\r\nDiversion: <sip:desk@example.org>;reason=no-answer\r\n",
               peer_sdp (PEER, 30000, "sendrecv"));
  call = bed_await_call (&bed);
  g_assert_cmpstr (phone_call_get_remote_uri (call), ==, "sip:bob@" PEER);
  g_assert_cmpstr (phone_call_get_remote_name (call), ==, "Bob B.");
  g_assert_cmpstr (phone_call_get_diverter (call), ==, "sip:desk@example.org");
  /* nobody whom we registered with says so */
  g_assert_cmpstr (phone_call_get_asserted_id (call), ==, "");
  bed_close (&bed);
}

/* History-Info on several lines (RFC 7044): who sent the call on is the entry before the last that has a cause. */
static void
test_history (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  bed_send_invite (&bed, "history", "History-Info: <sip:desk@example.org>;index=1\r\nHistory-Info: <sip:alice@" PHONE ";cause=302>;index=1.1\r\n",
                   peer_sdp (PEER, 30000, "sendrecv"));
  g_assert_cmpstr (phone_call_get_diverter (bed_await_call (&bed)), ==, "sip:desk@example.org");
  bed_close (&bed);
}

typedef struct
{
  const char *name, *uri, *to, *extra, *type, *body;
  guint status;
} Screened;

static const Screened screened[] = {
  { "user", "sip:nobody@" PHONE, "sip:nobody@" PHONE, NULL, "application/sdp", "v=0\r\n", 404 },
  { "to-only", "sip:nobody@" PHONE, "sip:alice@" PHONE, NULL, "application/sdp", "v=0\r\n", 404 },
  { "scheme", "http://www.example.org/", "sip:alice@" PHONE, NULL, NULL, NULL, 416 },
  { "require", "sip:alice@" PHONE, "sip:alice@" PHONE, "Require: nothing-known\r\n", NULL, NULL, 420 },
  { "body", "sip:alice@" PHONE, "sip:alice@" PHONE, NULL, "text/html", "<html/>", 415 },
  { "encoding", "sip:alice@" PHONE, "sip:alice@" PHONE, "Content-Encoding: gzip\r\n", "application/sdp", "v=0\r\n", 415 },
  { "sdp", "sip:alice@" PHONE, "sip:alice@" PHONE, NULL, "application/sdp", "v=0\r\nrubbish\r\n", 488 },
  { "timer", "sip:alice@" PHONE, "sip:alice@" PHONE, "Supported: timer\r\nSession-Expires: 20\r\n", NULL, NULL, 422 },
  { "replaces", "sip:alice@" PHONE, "sip:alice@" PHONE, "Replaces: a@b;to-tag=1;from-tag=2\r\n", NULL, NULL, 481 },
};

static void
test_screened (gconstpointer data)
{
  const Screened *row = data;
  Bed bed = { 0 };

  bed_open (&bed);
  bed_send_invite_full (&bed, row->uri, row->to, row->name, row->extra, row->type, row->body);
  bed_await_response (&bed, row->status, "INVITE");
  harness_settle ();
  g_assert_cmpuint (bed.agent->n_incoming, ==, 0);
  bed_close (&bed);
}

static void
test_options (void)
{
  Bed bed = { 0 };
  const PeerMessage *ok;
  g_autofree char *allow = NULL;
  g_autofree char *accept = NULL;
  g_autofree char *supported = NULL;

  bed_open (&bed);
  send_options (&bed);
  ok = bed_await_response (&bed, 200, "OPTIONS");
  allow = peer_header (ok, "Allow");
  accept = peer_header (ok, "Accept");
  supported = peer_header (ok, "Supported");
  g_assert_nonnull (strstr (allow, "UPDATE"));
  g_assert_nonnull (strstr (accept, "application/sdp"));
  g_assert_nonnull (strstr (supported, "100rel"));
  peer_send (bed.peer, PHONE, PORT,
             "REFER sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-ref\r\nMax-Forwards: 70\r\n"
             "From: <sip:bob@" PEER ">;tag=one\r\nTo: <sip:alice@" PHONE ">\r\nCall-ID: ref@" PEER "\r\nCSeq: 1 REFER\r\n"
             "Contact: <sip:bob@" PEER ">\r\nRefer-To: <sip:carol@" PEER ">\r\nContent-Length: 0\r\n\r\n");
  bed_await_response (&bed, 403, "REFER");
  harness_settle ();
  g_assert_cmpuint (peer_count (bed.peer, "NOTIFY"), ==, 0);    /* there is no subscription to tell anything of */
  peer_send (bed.peer, PHONE, PORT,
             "BYE sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-bye\r\nMax-Forwards: 70\r\n"
             "From: <sip:bob@" PEER ">;tag=one\r\nTo: <sip:alice@" PHONE ">;tag=x\r\nCall-ID: bye@" PEER "\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n");
  bed_await_response (&bed, 481, "BYE");
  bed_close (&bed);
}

/* Signalling is marked CS3 (RFC 4594 section 4.2), in both families of addresses. */
static void
test_dscp (gconstpointer where)
{
  gboolean six = strchr (where, ':') != NULL;
  g_autofree char *bind = g_strdup_printf (six ? "[%s]:26060" : "%s:26060", (const char *) where);
  g_autofree char *target = g_strdup_printf (six ? "sip:bob@[%s]:26061" : "sip:bob@%s:26061", (const char *) where);
  g_autoptr (GSocket) socket = g_socket_new (six ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP,
                                             NULL);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (where, 26061);
  char text[2048], control[64];
  struct iovec vector = { text, sizeof text };
  struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
  Agent *agent = agent_new (bind, NULL);
  struct cmsghdr *option;
  PhoneCall *call;
  int value = 0;

  agent_add_account (agent, "alice", "aor", "sip:alice@example.invalid", "register", "false", "transport", "udp", NULL);
  g_assert_true (g_socket_bind (socket, address, TRUE, NULL));
  g_assert_true (g_socket_set_option (socket, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVTCLASS : IP_RECVTOS, 1, NULL));
  call = agent_dial (agent, target);
  wait_for (g_socket_condition_check (socket, G_IO_IN) & G_IO_IN);
  g_assert_cmpint (recvmsg (g_socket_get_fd (socket), &header, 0), >, 0);
  option = CMSG_FIRSTHDR (&header);
  g_assert_nonnull (option);
  g_assert_cmpint (option->cmsg_type, ==, six ? IPV6_TCLASS : IP_TOS);
  memcpy (&value, CMSG_DATA (option), six ? sizeof value : 1);
  g_assert_cmpint (value, ==, 24 << 2);
  phone_call_hangup (call, NULL);
  agent_free (agent);
}

static void
add_table (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_autofree char *name = g_strdup_printf ("/sip/script/failure/%u", failures[i].status);

      g_test_add_data_func (name, &failures[i], test_failure);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (screened); i++)
    {
      g_autofree char *name = g_strdup_printf ("/sip/script/screened/%s", screened[i].name);

      g_test_add_data_func (name, &screened[i], test_screened);
    }
}

/* ---- the phone does not want to be disturbed ---- */

static const PeerMessage *
await_refusal (Bed *bed, const char *branch, guint status)
{
  const PeerMessage *refusal;

  bed_send_invite (bed, branch, NULL, peer_sdp (PEER, 30000, "sendrecv"));
  refusal = bed_await_response (bed, status, "INVITE");
  bed_send_ack (bed, refusal, branch, NULL);
  return refusal;
}

/* No 180 goes out before the refusal; until says when to try again; the mailbox is where to try instead. */
static void
test_dnd (void)
{
  Bed bed = { 0 };
  PhoneDnd *dnd;
  const PeerMessage *refusal;
  g_autofree char *retry = NULL;
  g_autofree char *contact = NULL;
  gint64 seconds;

  bed_open (&bed);
  dnd = phone_registry_get_dnd (bed.agent->registry);
  g_assert_true (phone_dnd_set_until (dnd, g_get_real_time () / G_USEC_PER_SEC + 600, NULL));
  g_assert_true (phone_dnd_set_enabled (dnd, TRUE, NULL));
  refusal = await_refusal (&bed, "until", 480);
  retry = peer_header (refusal, "Retry-After");
  g_assert_nonnull (retry);
  seconds = g_ascii_strtoll (retry, NULL, 10);
  g_assert_true (seconds > 0 && seconds <= 600);
  g_assert_true (phone_dnd_set_mode (dnd, PHONE_DND_VOICEMAIL, NULL));
  g_assert_true (phone_dnd_set_mailbox (dnd, "sip:box@example.org", NULL));
  refusal = await_refusal (&bed, "mailbox", 302);
  contact = peer_header (refusal, "Contact");
  g_assert_cmpstr (contact, ==, "<sip:box@example.org>");
  g_assert_null (peer_response (bed.peer, 180, "INVITE"));
  g_assert_cmpuint (phone_registry_get_calls (bed.agent->registry)->len, ==, 0);
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/script/early-media", test_early_media);
  g_test_add_func ("/sip/script/421-prack", test_421_prack);
  g_test_add_func ("/sip/script/forked", test_forked);
  g_test_add_func ("/sip/script/cancel-race", test_cancel_race);
  g_test_add_func ("/sip/script/challenged", test_challenged);
  g_test_add_func ("/sip/script/challenged-too-late", test_challenged_too_late);
  g_test_add_func ("/sip/script/interval-too-small", test_interval_too_small);
  g_test_add_func ("/sip/script/challenge-inside", test_challenge_inside);
  g_test_add_func ("/sip/script/bad-answer", test_bad_answer);
  g_test_add_func ("/sip/script/route", test_route);
  g_test_add_func ("/sip/script/headers", test_headers);
  g_test_add_data_func ("/sip/script/reinvite/488", GUINT_TO_POINTER (488), test_reinvite_refused);
  g_test_add_data_func ("/sip/script/reinvite/500", GUINT_TO_POINTER (500), test_reinvite_refused);
  g_test_add_data_func ("/sip/script/reinvite/503", GUINT_TO_POINTER (503), test_reinvite_refused);
  g_test_add_data_func ("/sip/script/reinvite/603", GUINT_TO_POINTER (603), test_reinvite_refused);
  g_test_add_func ("/sip/script/reinvite/481", test_reinvite_dead);
  g_test_add_func ("/sip/script/reinvite/bad", test_bad_reinvite);
  g_test_add_func ("/sip/script/reinvite/offerless", test_offerless_reinvite);
  g_test_add_func ("/sip/script/reinvite/behind-info", test_hold_behind_info);
  g_test_add_func ("/sip/script/reinvite/before-ack", test_hold_before_ack);
  g_test_add_func ("/sip/script/reinvite/glare", test_glare_renews_the_offer);
  g_test_add_func ("/sip/script/update", test_update);
  g_test_add_func ("/sip/script/offerless", test_offerless);
  g_test_add_func ("/sip/script/hangup-before-ack", test_hangup_before_ack);
  g_test_add_func ("/sip/script/reliable-ringing", test_reliable_ringing);
  g_test_add_func ("/sip/script/cancelled-elsewhere", test_cancelled_elsewhere);
  g_test_add_func ("/sip/script/party", test_party);
  g_test_add_func ("/sip/script/history", test_history);
  g_test_add_func ("/sip/script/dnd", test_dnd);
  g_test_add_func ("/sip/script/options", test_options);
  g_test_add_data_func ("/sip/script/dscp/ipv4", "127.20.3.10", test_dscp);
  g_test_add_data_func ("/sip/script/dscp/ipv6", "::1", test_dscp);
  add_table ();
  return g_test_run ();
}
