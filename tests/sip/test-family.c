/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* IPv6 media behind IPv4 signalling and the other way round (RFC 6157), and calls to an address of the family that the account does not
 * speak: they work, or end with an error that says why. */

#include "bed.h"
#include "core/offer-answer.h"
#include "sip/ua-private.h"

#include <string.h>
#include <sys/socket.h>

#define SIX "2001:db8:71::1"            /* ours: lo has it */
#define FAR_SIX "2001:db8:ffff::1"      /* no route to it */

static const char *
sdp_at (const char *type, const char *address)
{
  static char *text;

  g_free (text);
  text = g_strdup_printf ("v=0\r\no=- 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n", type,
                          address, type, address);
  return text;
}

/* The kernel takes a new address into service behind our back, a moment after it was added. */
static gboolean
is_in_service (const char *address)
{
  g_autofree char *source = ua_route_source (address, AF_INET6);

  return g_strcmp0 (source, address) == 0;
}

/* IPv6 in the INVITE: the answer has an address of ours that the peer's media can reach. */
static void
test_called (void)
{
  Bed bed = { 0 };
  const PeerMessage *ok;
  PhoneCall *call;

  wait_for (is_in_service (SIX));
  bed_open (&bed);
  bed_send_invite (&bed, "six", NULL, sdp_at ("IP6", SIX));
  call = bed_await_call (&bed);
  phone_call_answer (call, FALSE, NULL, NULL, NULL);
  ok = bed_await_response (&bed, 200, "INVITE");
  g_assert_nonnull (strstr (peer_body (ok), "c=IN IP6 " SIX "\r\n"));
  bed_send_ack (&bed, ok, "six", NULL);
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpstr (phone_call_get_plan (call)->remote_address, ==, SIX);
  bed_close (&bed);
}

static void
test_called_unreachable (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  bed_send_invite (&bed, "far", NULL, sdp_at ("IP6", FAR_SIX));
  bed_await_response (&bed, 488, "INVITE");
  g_assert_cmpuint (bed.agent->n_incoming, ==, 0);
  bed_close (&bed);
}

/* Our offer was IPv4: an answer that the media cannot go to ends the call, and says so. */
static void
test_answered (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;

  bed_open (&bed);
  invite = bed_dial (&bed);
  peer_reply (bed.peer, invite, 200, "OK", "one", bed_contact, sdp_at ("IP6", SIX));
  bed_await_request (&bed, "ACK", 0);
  peer_reply (bed.peer, bed_await_request (&bed, "BYE", 0), 200, "OK", NULL, NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  assert_cause (bed.call, PHONE_CAUSE_MEDIA_FAILED);
  g_assert_nonnull (strstr (phone_call_get_reason (bed.call)->phrase, "IPv6"));
  g_assert_cmpuint (bed.agent->n_active, ==, 0);
  bed_close (&bed);
}

/* A change of the session to where we cannot follow leaves it as it was. */
static void
test_reinvited (void)
{
  Bed bed = { 0 };
  BedDialog dialog;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  dialog = bed_dialog_from (peer_request (bed.peer, "INVITE", 0));
  bed_send_in_dialog (&bed, &dialog, "INVITE", 1, bed_contact, "application/sdp", sdp_at ("IP6", SIX));
  bed_await_response (&bed, 488, "INVITE");
  harness_settle ();
  assert_state (bed.call, PHONE_CALL_ACTIVE);
  g_assert_cmpstr (phone_call_get_plan (bed.call)->remote_address, ==, PEER);
  bed_dialog_clear (&dialog);
  bed_close (&bed);
}

static void
check_dial (const char *bind, const char *target, const char *wanted)
{
  Agent *agent = agent_new (bind, NULL);
  g_autoptr (GError) error = NULL;

  agent_add_account (agent, "alice", "aor", "sip:alice@example.org", "register", "false", "transport", "udp", NULL);
  g_assert_null (phone_registry_dial (agent->registry, target, &(PhoneDialOptions){ 0 }, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
  g_assert_cmpstr (error->message, ==, wanted);
  agent_free (agent);
}

static void
test_dialled (void)
{
  check_dial (PHONE ":5060", "sip:bob@[::1]", "::1 is an IPv6 address, and account alice speaks IPv4");
  check_dial ("[::1]:5060", "sip:bob@" PEER, PEER " is an IPv4 address, and account alice speaks IPv6");
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  if (harness_ip ("-6 addr add " SIX "/128 dev lo nodad"))
    g_test_add_func ("/sip/family/called", test_called);
  g_test_add_func ("/sip/family/called-unreachable", test_called_unreachable);
  g_test_add_func ("/sip/family/answered", test_answered);
  g_test_add_func ("/sip/family/reinvited", test_reinvited);
  g_test_add_func ("/sip/family/dialled", test_dialled);
  return g_test_run ();
}
