/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is in a conference, told and heard change by change (RFC 4575): what a party of ours gets, and what we do with gaps in what a focus tells. */

#include "harness.h"
#include "peer.h"
#include "sip/event-doc.h"

#include <stdlib.h>
#include <string.h>

#define PHONE "127.81.1.1"
#define BOB "127.81.1.2"
#define CAROL "127.81.1.3"
#define PORT 5060

typedef struct
{
  Agent *agent;
  PhoneAccount *account;
  Peer *bob, *carol;
  gboolean focus;               /* bob is a conference */
  guint16 port;                 /* the phone's */
  guint update_status;          /* what carol says to UPDATE, once; 0: 200 */
} Bed;

static void
on_request (Peer *peer, const PeerMessage *message, gpointer data)
{
  Bed *bed = data;
  gboolean is_bob = peer == bed->bob;
  g_autofree char *contact = g_strdup_printf ("Contact: <sip:them@%s:5060>%s\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n", is_bob ? BOB : CAROL, is_bob && bed->focus ? ";isfocus" : "");

  if (!message->method || g_str_equal (message->method, "ACK"))
    return;
  if (g_str_equal (message->method, "INVITE"))
    {
      g_autofree char *sdp = g_strdup (peer_sdp (is_bob ? BOB : CAROL, 4000, "sendrecv"));

      peer_reply (peer, message, 200, "OK", "pt", contact, sdp);
    }
  else if (g_str_equal (message->method, "SUBSCRIBE"))
    {
      g_autofree char *headers = g_strconcat (contact, "Expires: 600\r\n", NULL);

      peer_reply (peer, message, 200, "OK", "ft", headers, NULL);
    }
  else if (g_str_equal (message->method, "UPDATE") && !is_bob && bed->update_status)
    {
      peer_reply (peer, message, bed->update_status, "Scripted", NULL, bed->update_status == 491 ? NULL : "Retry-After: 1\r\n", NULL);
      bed->update_status = 0;
    }
  else
    peer_reply (peer, message, 200, "OK", NULL, NULL, NULL);
}

static void
bed_open_at (Bed *bed, gboolean focus, const char *host, guint16 port, const char *session_expires)
{
  g_autofree char *bind = g_strdup_printf ("%s:%u", host, port);

  *bed = (Bed){ .focus = focus, .port = port };
  bed->bob = peer_new (BOB, PORT, on_request, bed);
  bed->carol = peer_new (CAROL, PORT, on_request, bed);
  bed->agent = agent_new (bind, "sip.session-expires", session_expires, NULL);
  bed->account = agent_add_account (bed->agent, "alice", "aor", "sip:alice@" PHONE, "register", "false", "transport", "udp", "focus", "true",
                                    "max-calls", "4", NULL);
}

static void
bed_open (Bed *bed, gboolean focus)
{
  bed_open_at (bed, focus, PHONE, PORT, "1800");
}

static void
bed_close (Bed *bed)
{
  agent_free (bed->agent);
  peer_free (bed->bob);
  peer_free (bed->carol);
}

static PhoneCall *
dial (Bed *bed, const char *target)
{
  PhoneCall *call = agent_dial (bed->agent, target);

  g_assert_nonnull (call);
  wait_for (phone_call_get_state (call) == PHONE_CALL_ACTIVE);
  return call;
}

/* ---- told ---- */

static void
subscribe (Bed *bed, const char *to_tag, guint cseq)
{
  peer_send (bed->bob, PHONE, bed->port,
             "SUBSCRIBE sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " BOB ":5060;branch=z9hG4bKs%u\r\nMax-Forwards: 70\r\n"
             "From: <sip:bob@" BOB ">;tag=b\r\nTo: <sip:alice@" PHONE ">%s%s\r\nCall-ID: sub@bob\r\nCSeq: %u SUBSCRIBE\r\n"
             "Contact: <sip:bob@" BOB ":5060>\r\nEvent: conference\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n",
             cseq, to_tag ? ";tag=" : "", to_tag ? to_tag : "", cseq);
}

static UaInfoResult
apply_last (Bed *bed, UaInfo *info, guint n)
{
  const char *body;

  wait_for (peer_count (bed->bob, "NOTIFY") == n);
  body = peer_body (peer_last (bed->bob, "NOTIFY"));
  return ua_conference_info_apply (info, body, strlen (body), NULL);
}

static const PhoneParticipant *
participant (UaInfo *info, const char *uri)
{
  for (guint i = 0; i < info->entries->len; i++)
    if (g_str_equal (((PhoneParticipant *) info->entries->pdata[i])->uri, uri))
      return info->entries->pdata[i];
  return NULL;
}

static PhoneConference *
confer (Bed *bed, PhoneCall **ret_calls)
{
  g_autoptr (GError) error = NULL;
  PhoneConference *conference;

  ret_calls[0] = dial (bed, "sip:bob@" BOB);
  ret_calls[1] = dial (bed, "sip:carol@" CAROL);
  wait_for (phone_call_get_state (ret_calls[0]) == PHONE_CALL_HELD);
  conference = phone_registry_add_conference (bed->agent->registry, ret_calls, 2, TRUE, &error);
  g_assert_no_error (error);
  wait_for (phone_call_get_state (ret_calls[0]) == PHONE_CALL_ACTIVE);
  return conference;
}

/* All of it at first, then what is another, and all of it again when it is asked for, after what was told last, which does no harm. */
static void
test_told (void)
{
  Bed bed;
  g_autoptr (UaInfo) info = ua_conference_info_new ();
  g_autofree char *to = NULL, *state = NULL;
  PhoneConference *conference;
  PhoneCall *calls[2];

  bed_open (&bed, FALSE);
  conference = confer (&bed, calls);
  subscribe (&bed, NULL, 1);
  g_assert_cmpint (apply_last (&bed, info, 1), ==, UA_INFO_APPLIED);
  g_assert_nonnull (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "state=\"full\" version=\"0\""));
  g_assert_cmpuint (info->entries->len, ==, 3);
  g_assert_cmpint (participant (info, "sip:carol@" CAROL)->status, ==, PHONE_PARTICIPANT_CONNECTED);

  g_assert_true (phone_conference_mute (conference, calls[1], TRUE, NULL));
  g_assert_cmpint (apply_last (&bed, info, 2), ==, UA_INFO_APPLIED);
  g_assert_nonnull (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "state=\"partial\" version=\"1\""));
  g_assert_null (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "sip:bob@"));
  g_assert_cmpuint (info->entries->len, ==, 3);
  g_assert_cmpint (participant (info, "sip:carol@" CAROL)->status, ==, PHONE_PARTICIPANT_MUTED);

  to = peer_header (peer_response (bed.bob, 200, "SUBSCRIBE"), "To");
  subscribe (&bed, strstr (to, "tag=") + 4, 2);
  g_assert_cmpint (apply_last (&bed, info, 3), ==, UA_INFO_OLD);
  g_assert_cmpint (apply_last (&bed, info, 4), ==, UA_INFO_APPLIED);
  g_assert_nonnull (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "state=\"full\" version=\"2\""));
  state = peer_header (peer_last (bed.bob, "NOTIFY"), "Subscription-State");
  g_assert_true (g_str_has_prefix (state, "active;expires=") && atoi (strchr (state, '=') + 1) <= 600);
  bed_close (&bed);
}

/* Our address is the name of the conference: with another one all of it is told anew. */
static void
test_moved (void)
{
  Bed bed;
  g_autoptr (UaInfo) info = ua_conference_info_new ();
  PhoneCall *calls[2];

  if (!harness_ip ("addr add 10.81.0.1/32 dev lo") || !harness_ip ("addr add 10.81.0.2/32 dev lo")
      || !harness_ip ("route replace local " BOB " dev lo table local src 10.81.0.1"))
    {
      g_test_skip ("cannot make networks here");
      return;
    }
  bed_open_at (&bed, FALSE, "0.0.0.0", 5062, "1800");
  confer (&bed, calls);
  subscribe (&bed, NULL, 1);
  g_assert_cmpint (apply_last (&bed, info, 1), ==, UA_INFO_APPLIED);
  g_assert_nonnull (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "entity=\"sip:alice@10.81.0.1:5062\" state=\"full\" version=\"0\""));

  g_assert_true (harness_ip ("route replace local " BOB " dev lo table local src 10.81.0.2"));
  ua_engine_network_changed (bed.agent->ua);
  g_assert_cmpint (apply_last (&bed, info, 2), ==, UA_INFO_APPLIED);
  g_assert_nonnull (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "entity=\"sip:alice@10.81.0.2:5062\" state=\"full\" version=\"1\""));
  g_assert_cmpuint (info->entries->len, ==, 3);
  bed_close (&bed);
}

/* In carol's dialog; body: NULL: none. */
static void
send_from_carol (Bed *bed, const char *method, guint cseq, const char *body)
{
  const PeerMessage *invite = peer_request (bed->carol, "INVITE", 0);
  g_autofree char *from = peer_header (invite, "From"), *to = peer_header (invite, "To"), *call_id = peer_header (invite, "Call-ID");

  peer_send (bed->carol, PHONE, bed->port,
             "%s sip:alice@" PHONE ":5060 SIP/2.0\r\nVia: SIP/2.0/UDP " CAROL ":5060;branch=z9hG4bK%s%u\r\nMax-Forwards: 70\r\n"
             "From: %s;tag=pt\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:them@" CAROL ":5060>\r\n%sContent-Length: %zu\r\n\r\n%s",
             method, method, cseq, to, from, call_id, cseq, method, body ? "Content-Type: application/sdp\r\n" : "", body ? strlen (body) : 0,
             body ? body : "");
}

static gboolean
carol_knows (Bed *bed)
{
  const PeerMessage *update = peer_last (bed->carol, "UPDATE");
  g_autofree char *contact = update ? peer_header (update, "Contact") : NULL;

  return contact && strstr (contact, "isfocus");
}

/* While an offer of hers is open nothing can be said; when it is closed, and when she was busy: without refreshes, which would say it too. */
static void
test_told_later (gconstpointer data)
{
  Bed bed;
  PhoneCall *calls[2];
  g_autoptr (GError) error = NULL;

  bed_open_at (&bed, FALSE, PHONE, PORT, "0");
  bed.update_status = GPOINTER_TO_UINT (data);
  calls[0] = dial (&bed, "sip:bob@" BOB);
  calls[1] = dial (&bed, "sip:carol@" CAROL);
  wait_for (phone_call_get_state (calls[0]) == PHONE_CALL_HELD);
  send_from_carol (&bed, "INVITE", 1, NULL);
  wait_for (peer_count_status (bed.carol, 200, "INVITE") == 1);
  g_assert_nonnull (phone_registry_add_conference (bed.agent->registry, calls, 2, TRUE, &error));
  wait_for (phone_call_get_state (calls[0]) == PHONE_CALL_ACTIVE);
  g_assert_cmpuint (peer_count (bed.carol, "UPDATE"), ==, 0);
  send_from_carol (&bed, "ACK", 1, peer_sdp (CAROL, 4000, "sendrecv"));
  wait_for (peer_count (bed.carol, "UPDATE") == 1);
  g_assert_true (carol_knows (&bed));
  wait_for (peer_count (bed.carol, "UPDATE") == 2);
  g_assert_true (carol_knows (&bed));
  bed_close (&bed);
}

/* ---- heard ---- */

#define INFO(version, state, users) \
  "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:room@h\" state=\"" state "\" version=\"" version "\">" \
  "<users state=\"" state "\">" users "</users></conference-info>"

static void
tell_as (Bed *bed, guint cseq, const char *state, const char *body)
{
  const PeerMessage *subscribe = peer_request (bed->bob, "SUBSCRIBE", 0);
  g_autofree char *from = peer_header (subscribe, "From"), *to = peer_header (subscribe, "To"), *call_id = peer_header (subscribe, "Call-ID");

  peer_send (bed->bob, PHONE, PORT,
             "NOTIFY sip:alice@" PHONE ":5060 SIP/2.0\r\nVia: SIP/2.0/UDP " BOB ":5060;branch=z9hG4bKn%u\r\nMax-Forwards: 70\r\n"
             "From: %s;tag=ft\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u NOTIFY\r\nContact: <sip:them@" BOB ":5060>\r\nEvent: conference\r\n"
             "Subscription-State: %s\r\nContent-Type: application/conference-info+xml\r\nContent-Length: %zu\r\n\r\n%s",
             cseq, to, from, call_id, cseq, state, strlen (body), body);
  wait_for (peer_count_status (bed->bob, 200, "NOTIFY") == cseq);
}

static void
tell (Bed *bed, guint cseq, const char *body)
{
  tell_as (bed, cseq, "active;expires=600", body);
}

static gboolean
knows (PhoneCall *call, const char *uris)
{
  const GPtrArray *roster = phone_call_get_roster (call);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; roster && i < roster->len; i++)
    g_string_append_printf (text, "%s%s", i ? " " : "", ((PhoneParticipant *) roster->pdata[i])->uri);
  return g_str_equal (text->str, uris);
}

/* What is missing is asked for: at once, and of a focus that never adds up not more often than is good for both. */
static void
test_gap (void)
{
  Bed bed;
  PhoneCall *call;

  bed_open (&bed, TRUE);
  call = dial (&bed, "sip:room@" BOB);
  wait_for (peer_count (bed.bob, "SUBSCRIBE") == 1);
  tell (&bed, 1, INFO ("5", "full", "<user entity=\"sip:a@h\"/><user entity=\"sip:b@h\"/>"));
  g_assert_true (knows (call, "sip:a@h sip:b@h"));
  tell (&bed, 2, INFO ("6", "partial", "<user entity=\"sip:a@h\" state=\"deleted\"/><user entity=\"sip:c@h\"/>"));
  g_assert_true (knows (call, "sip:b@h sip:c@h"));
  g_assert_cmpuint (peer_count (bed.bob, "SUBSCRIBE"), ==, 1);

  tell (&bed, 3, INFO ("8", "partial", "<user entity=\"sip:e@h\"/>"));
  g_assert_true (knows (call, "sip:b@h sip:c@h"));
  wait_for (peer_count (bed.bob, "SUBSCRIBE") == 2);
  for (guint i = 4; i < 20; i++)
    tell (&bed, i, INFO ("9", "partial", "<user entity=\"sip:f@h\"/>"));
  g_assert_cmpuint (peer_count (bed.bob, "SUBSCRIBE"), ==, 2);
  wait_for (peer_count (bed.bob, "SUBSCRIBE") == 3);
  tell (&bed, 20, INFO ("10", "full", "<user entity=\"sip:f@h\"/>"));
  g_assert_true (knows (call, "sip:f@h"));
  tell (&bed, 21, INFO ("11", "partial", "<user entity=\"sip:g@h\"/>"));
  g_assert_true (knows (call, "sip:f@h sip:g@h"));
  g_assert_cmpuint (peer_count (bed.bob, "SUBSCRIBE"), ==, 3);
  bed_close (&bed);
}

/* What the focus tells no longer is no longer known, while the call goes on; and after the call nobody is in it. */
static void
test_untold (void)
{
  Bed bed;
  PhoneCall *call;

  bed_open (&bed, TRUE);
  call = dial (&bed, "sip:room@" BOB);
  wait_for (peer_count (bed.bob, "SUBSCRIBE") == 1);
  tell (&bed, 1, INFO ("1", "full", "<user entity=\"sip:a@h\"/><user entity=\"sip:b@h\"/>"));
  g_assert_true (knows (call, "sip:a@h sip:b@h"));
  tell_as (&bed, 2, "terminated;reason=probation;retry-after=600", "");
  wait_for (knows (call, ""));
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  bed_close (&bed);

  bed_open (&bed, TRUE);
  call = g_object_ref (dial (&bed, "sip:room@" BOB));
  wait_for (peer_count (bed.bob, "SUBSCRIBE") == 1);
  tell (&bed, 1, INFO ("1", "full", "<user entity=\"sip:a@h\"/>"));
  phone_call_hangup (call, NULL);
  wait_for (phone_call_get_state (call) == PHONE_CALL_DISCONNECTED);
  g_assert_true (knows (call, ""));
  g_object_unref (call);
  bed_close (&bed);
}

/* Who does not want to know does not ask. The end of the call is behind anything that would have been asked. */
static void
test_unasked (void)
{
  Bed bed;
  PhoneCall *call;

  bed_open (&bed, TRUE);
  g_assert_true (phone_account_update (bed.account, (const char *[]){ "roster", "false", NULL }, NULL));
  call = dial (&bed, "sip:room@" BOB);
  g_assert_cmpstr (phone_call_get_focus (call), !=, "");
  phone_call_hangup (call, NULL);
  wait_for (peer_count (bed.bob, "BYE") == 1);
  g_assert_cmpuint (peer_count (bed.bob, "SUBSCRIBE"), ==, 0);
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/conference/told", test_told);
  g_test_add_data_func ("/sip/conference/told-later/glare", GUINT_TO_POINTER (491), test_told_later);
  g_test_add_data_func ("/sip/conference/told-later/error", GUINT_TO_POINTER (500), test_told_later);
  g_test_add_data_func ("/sip/conference/told-later/unavailable", GUINT_TO_POINTER (503), test_told_later);
  g_test_add_func ("/sip/conference/moved", test_moved);
  g_test_add_func ("/sip/conference/gap", test_gap);
  g_test_add_func ("/sip/conference/untold", test_untold);
  g_test_add_func ("/sip/conference/unasked", test_unasked);
  return g_test_run ();
}
