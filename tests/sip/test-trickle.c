/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A peer whose candidates come one by one in INFO (RFC 8840): before the call is answered and after, of its own offer and of its answer; and
 * one who sends too many, or nonsense. */

#include "bed.h"

#include <string.h>

#include "core/call-private.h"

#define TYPE "application/trickle-ice-sdpfrag"
#define PACKAGE "Info-Package: trickle-ice\r\nContent-Disposition: Info-Package\r\n"
#define SECRETS "a=ice-ufrag:bobs\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"
#define OTHERS "a=ice-ufrag:bobs\r\na=ice-pwd:another-password-of-22-\r\n"
#define STREAM "m=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
#define CANDIDATE(port) "a=candidate:1 1 UDP 2130706431 127.20.3.9 " port " typ host\r\n"
#define SDP SDP_OF (SECRETS)
#define OTHER_SDP SDP_OF (OTHERS)
#define SDP_OF(secrets) \
  "v=0\r\no=- 1 1 IN IP4 127.20.3.9\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=ice-options:trickle\r\n" secrets \
  "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=mid:0\r\na=sendrecv\r\n"

static void
open_bed (Bed *bed)
{
  bed->phone = PHONE;
  bed->bob = PEER;
  bed->agent = agent_new (PHONE ":5060", NULL);
  bed->agent->ice = TRUE;
  bed->peer = peer_new (PEER, PORT, NULL, NULL);
  agent_add_account (bed->agent, "alice", "aor", "sip:alice@" PHONE, "register", "false", "transport", "udp", "ice", "on", NULL);
}

static void
info (Bed *bed, const BedDialog *dialog, guint cseq, guint status, const char *extra, const char *type, const char *body)
{
  guint before = peer_count_status (bed->peer, status, "INFO");

  bed_send_in_dialog (bed, dialog, "INFO", cseq, extra, type, body);
  wait_for (peer_count_status (bed->peer, status, "INFO") > before);
}

static gboolean
has_token (const PeerMessage *message, const char *name, const char *token)
{
  g_autofree char *value = peer_header (message, name);

  return value != NULL && strstr (value, token) != NULL;
}

/* Of two branches, each before its answer; the one that is answered with comes last. */
static void
test_branches (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;
  BedDialog dialog;

  open_bed (&bed);
  invite = bed_dial (&bed);
  dialog = bed_dialog_from (invite);
  info (&bed, &dialog, 10, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30000"));
  info (&bed, &dialog, 11, 200, PACKAGE, TYPE, OTHERS STREAM CANDIDATE ("30004"));
  info (&bed, &dialog, 12, 200, PACKAGE, TYPE, OTHERS STREAM CANDIDATE ("30004") CANDIDATE ("30006"));
  peer_reply (bed.peer, invite, 183, "Session Progress", "one", bed_contact, SDP);
  wait_for (bed.agent->n_applied == 1);
  g_assert_cmpuint (bed.agent->peer_ice.n_candidates, ==, 1);
  g_assert_cmpuint (bed.agent->peer_ice.candidates[0].port, ==, 30000);
  peer_reply (bed.peer, invite, 200, "OK", "two", bed_contact, OTHER_SDP);
  wait_for (bed.agent->n_applied == 2);
  g_assert_cmpuint (bed.agent->peer_ice.n_candidates, ==, 2);
  g_assert_cmpuint (bed.agent->peer_ice.candidates[1].port, ==, 30006);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* Another branch is heard between the two answers of the one that wins. */
static void
test_back (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;
  BedDialog dialog;

  open_bed (&bed);
  invite = bed_dial (&bed);
  dialog = bed_dialog_from (invite);
  peer_reply (bed.peer, invite, 183, "Session Progress", "one", bed_contact, SDP);
  wait_for (bed.agent->n_applied == 1);
  info (&bed, &dialog, 10, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30000"));
  g_assert_cmpuint (bed.agent->peer_ice.n_candidates, ==, 1);
  peer_reply (bed.peer, invite, 183, "Session Progress", "two", bed_contact, OTHER_SDP);
  wait_for (bed.agent->n_applied == 2);
  g_assert_cmpuint (bed.agent->peer_ice.n_candidates, ==, 0);
  peer_reply (bed.peer, invite, 200, "OK", "one", bed_contact, SDP);
  wait_for (bed.agent->n_applied == 3 && bed.agent->n_active == 1);
  g_assert_cmpuint (bed.agent->peer_ice.n_candidates, ==, 1);
  g_assert_cmpuint (bed.agent->peer_ice.candidates[0].port, ==, 30000);
  g_assert_null (bed.call->ice_early);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* The answer in a 183 has no candidates; the first comes before the 200, the rest after it. */
static void
test_answer (void)
{
  Bed bed = { 0 };
  const PhoneIceDesc *ice;
  const PeerMessage *invite;
  BedDialog dialog;

  open_bed (&bed);
  ice = &bed.agent->peer_ice;
  invite = bed_dial (&bed);
  g_assert_true (has_token (invite, "Supported", "trickle-ice"));
  g_assert_true (has_token (invite, "Recv-Info", "trickle-ice"));
  g_assert_nonnull (strstr (peer_body (invite), "a=ice-options:trickle ice2\r\n"));
  g_assert_nonnull (strstr (peer_body (invite), "a=end-of-candidates\r\n"));
  dialog = bed_dialog_from (invite);
  peer_reply (bed.peer, invite, 183, "Session Progress", "one", bed_contact, SDP);
  wait_for (bed.agent->n_applied > 0);
  g_assert_cmpuint (ice->n_candidates, ==, 0);
  g_assert_true (ice->trickle && !ice->end_of_candidates);

  info (&bed, &dialog, 10, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30000"));
  g_assert_cmpuint (ice->n_candidates, ==, 1);
  g_assert_cmpuint (ice->candidates[0].port, ==, 30000);
  peer_reply (bed.peer, invite, 200, "OK", "one", bed_contact, SDP);
  wait_for (bed.agent->n_active == 1);
  bed_await_request (&bed, "ACK", 0);
  g_assert_cmpuint (ice->n_candidates, ==, 1);
  g_assert_cmpuint (bed.agent->n_trickled, ==, 2);

  /* All so far and one more, as the RFC wants it; then the same again, and those of another branch. */
  info (&bed, &dialog, 11, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30000") CANDIDATE ("30002"));
  g_assert_cmpuint (ice->n_candidates, ==, 2);
  g_assert_cmpuint (bed.agent->n_trickled, ==, 3);
  info (&bed, &dialog, 12, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30002"));
  info (&bed, &dialog, 13, 200, PACKAGE, TYPE, OTHERS STREAM CANDIDATE ("30004"));
  g_assert_cmpuint (bed.agent->n_trickled, ==, 3);
  info (&bed, &dialog, 14, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30002") "a=end-of-candidates\r\n");
  g_assert_true (ice->end_of_candidates);
  g_assert_cmpuint (bed.agent->n_trickled, ==, 4);
  info (&bed, &dialog, 15, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30006"));
  g_assert_cmpuint (bed.agent->n_trickled, ==, 4);
  g_assert_cmpuint (ice->n_candidates, ==, 2);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* The 183 was lost, and comes again after the candidates. */
static void
test_overtaken (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;
  BedDialog dialog;

  open_bed (&bed);
  invite = bed_dial (&bed);
  dialog = bed_dialog_from (invite);
  info (&bed, &dialog, 10, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30000"));
  peer_reply (bed.peer, invite, 183, "Session Progress", "one", bed_contact, SDP);
  wait_for (bed.agent->n_applied > 0);
  g_assert_cmpuint (bed.agent->peer_ice.n_candidates, ==, 1);
  g_assert_cmpuint (bed.agent->peer_ice.candidates[0].port, ==, 30000);
  peer_reply (bed.peer, invite, 486, "Busy Here", "one", NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

/* The INVITE has no candidates; they come while it rings. */
static void
test_offer (void)
{
  Bed bed = { 0 };
  const PhoneIceDesc *ice;
  const PeerMessage *ringing, *ok;
  BedDialog dialog = { 0 };
  PhoneCall *call;

  open_bed (&bed);
  ice = &bed.agent->peer_ice;
  bed_send_invite (&bed, "trickle", "Supported: trickle-ice\r\nRecv-Info: trickle-ice\r\n", SDP);
  call = bed_await_call (&bed);
  ringing = bed_await_response (&bed, 180, "INVITE");
  g_assert_true (has_token (ringing, "Recv-Info", "trickle-ice"));
  dialog = (BedDialog) { g_strdup ("trickle@" PEER), bed_tag_of (ringing, "To"), g_strdup ("sip:alice@" PHONE) };
  info (&bed, &dialog, 2, 200, PACKAGE, TYPE, SECRETS STREAM CANDIDATE ("30000"));
  g_assert_cmpuint (bed.agent->n_applied, ==, 0);
  g_assert_true (phone_call_answer (call, FALSE, NULL, NULL, NULL));
  ok = bed_await_response (&bed, 200, "INVITE");
  g_assert_true (has_token (ok, "Recv-Info", "trickle-ice"));
  g_assert_nonnull (strstr (peer_body (ok), "a=ice-options:trickle ice2\r\n"));
  bed_send_ack (&bed, ok, "trickle", NULL);
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (ice->n_candidates, ==, 1);
  g_assert_false (ice->end_of_candidates);
  info (&bed, &dialog, 3, 200, PACKAGE, TYPE, SECRETS STREAM "a=end-of-candidates\r\n");
  g_assert_true (ice->end_of_candidates);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

static void
test_hostile (void)
{
  static const char *const nonsense[] = { "\xff\xfe", "m=audio\r\n", STREAM CANDIDATE ("30000"), "a=ice-ufrag:bobs\r\n" STREAM, "m=\r\n" };
  Bed bed = { 0 };
  const PeerMessage *invite;
  BedDialog dialog;
  guint cseq = 10;

  open_bed (&bed);
  invite = bed_dial (&bed);
  dialog = bed_dialog_from (invite);
  peer_reply (bed.peer, invite, 200, "OK", "one", bed_contact, SDP);
  wait_for (bed.agent->n_active == 1);
  for (gsize i = 0; i < G_N_ELEMENTS (nonsense); i++)
    info (&bed, &dialog, cseq++, 400, PACKAGE, TYPE, nonsense[i]);
  info (&bed, &dialog, cseq++, 469, "Info-Package: nonsense\r\n", "text/plain", "hello");
  g_assert_true (has_token (peer_response (bed.peer, 469, "INFO"), "Recv-Info", "trickle-ice"));
  info (&bed, &dialog, cseq++, 415, "", "text/plain", "hello");
  g_assert_true (has_token (peer_response (bed.peer, 415, "INFO"), "Accept", TYPE));
  g_assert_cmpuint (bed.agent->n_trickled, ==, 0);

  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *body = g_strdup_printf ("%s%sa=candidate:1 1 UDP 1 127.20.3.9 %u typ host\r\n", SECRETS, STREAM, 30000 + i);

      info (&bed, &dialog, cseq++, 200, PACKAGE, TYPE, body);
    }
  g_assert_cmpuint (bed.agent->peer_ice.n_candidates, ==, PHONE_ICE_MAX_CANDIDATES);
  g_assert_cmpuint (bed.agent->n_trickled, ==, PHONE_ICE_MAX_CANDIDATES);
  g_assert_cmpint (phone_call_get_state (bed.call), ==, PHONE_CALL_ACTIVE);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/trickle/overtaken", test_overtaken);
  g_test_add_func ("/sip/trickle/branches", test_branches);
  g_test_add_func ("/sip/trickle/back", test_back);
  g_test_add_func ("/sip/trickle/answer", test_answer);
  g_test_add_func ("/sip/trickle/offer", test_offer);
  g_test_add_func ("/sip/trickle/hostile", test_hostile);
  return g_test_run ();
}
