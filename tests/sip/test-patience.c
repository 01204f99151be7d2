/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What takes SIP half a minute and more: all of it at once, each on its own pair of addresses. */

#include "archive.h"
#include "bed.h"
#include "name-server.h"

#include <string.h>

#define TWIN_ONE "127.20.4.15"
#define TWIN_TWO "127.20.4.16"

static const NameRecord zone[] = { { "twins.test", NAME_A, TWIN_ONE }, { "twins.test", NAME_A, TWIN_TWO } };

/* ---- nobody acknowledges our answer: the call ends by itself, with a BYE ---- */

static void
begin_ack_lost (Bed *bed)
{
  *bed = (Bed){ .phone = "127.20.4.1", .bob = "127.20.4.9" };
  bed_open (bed);
  bed->agent->script.answer = TRUE;
  bed_send_invite (bed, "ackless", NULL, peer_sdp (bed->bob, 30000, "sendrecv"));
  bed->call = bed_await_call (bed);
  bed_await_response (bed, 200, "INVITE");
}

static void
end_ack_lost (Bed *bed)
{
  wait_for (bed->agent->n_ended == 1);
  assert_cause (bed->call, PHONE_CAUSE_ACK_TIMEOUT);
  assert_actor (bed->call, PHONE_ACTOR_NETWORK);
  g_assert_cmpuint (peer_count_status (bed->peer, 200, "INVITE"), >, 5);
  bed_await_request (bed, "BYE", 0);
  bed_close (bed);
}

/* ---- session timers ---- */

static void
begin_session (Bed *bed, const char *phone, const char *bob, const char *refresher, gboolean update)
{
  const PeerMessage *invite;
  g_autofree char *expires = NULL;
  g_autofree char *extra
      = g_strdup_printf ("Contact: <sip:bob@%s>\r\nSupported: timer\r\nRequire: timer\r\nSession-Expires: 90;refresher=%s\r\n"
                         "Allow: INVITE, ACK, BYE, CANCEL%s\r\n",
                         bob, refresher, update ? ", UPDATE" : "");

  *bed = (Bed){ .phone = phone, .bob = bob };
  bed_open (bed);
  invite = bed_dial (bed);
  expires = peer_header (invite, "Session-Expires");
  g_assert_nonnull (expires);
  peer_reply (bed->peer, invite, 200, "OK", "one", extra, peer_sdp (bob, 30000, "sendrecv"));
  wait_for (bed->agent->n_active == 1);
}

/* We are the refresher: an UPDATE comes, or a re-INVITE with the session as it is, before sofia would send its own. */
static void
end_refresh (Bed *bed, gboolean update)
{
  const PeerMessage *refresh = update ? bed_await_request (bed, "UPDATE", 0) : bed_await_request (bed, "INVITE", 1);
  g_autofree char *extra = g_strdup_printf ("Contact: <sip:bob@%s>\r\n", bed->bob);
  g_autofree char *expires = peer_header (refresh, "Session-Expires");

  g_assert_true (g_str_has_prefix (expires, "90"));
  if (update)
    g_assert_cmpstr (peer_body (refresh), ==, "");
  else
    g_assert_nonnull (strstr (peer_body (refresh), "m=audio"));
  peer_reply (bed->peer, refresh, 200, "OK", NULL, extra, update ? NULL : peer_sdp (bed->bob, 30000, "sendrecv"));
  harness_settle ();
  assert_state (bed->call, PHONE_CALL_ACTIVE);
  bed_close (bed);
}

/* The peer is, and does not: BYE before the interval is over. */
static void
end_expiry (Bed *bed)
{
  const PeerMessage *bye = bed_await_request (bed, "BYE", 0);

  peer_reply (bed->peer, bye, 200, "OK", NULL, NULL, NULL);
  wait_for (bed->agent->n_ended == 1);
  assert_cause (bed->call, PHONE_CAUSE_SESSION_TIMEOUT);
  assert_actor (bed->call, PHONE_ACTOR_NETWORK);
  bed_close (bed);
}

/* ---- nobody answers at all ---- */

static void
begin_silence (Bed *bed)
{
  *bed = (Bed){ .phone = "127.20.4.5", .bob = "127.20.4.13" };
  bed_open (bed);
  bed_dial (bed);
}

static void
end_silence (Bed *bed)
{
  wait_for (bed->agent->n_ended == 1);
  assert_cause (bed->call, PHONE_CAUSE_UNREACHABLE);
  assert_actor (bed->call, PHONE_ACTOR_NETWORK);
  g_assert_cmpuint (peer_count (bed->peer, "INVITE"), >=, 5);
  bed_close (bed);
}

/* ---- a BYE that nobody answers: the user does not wait for it ---- */

static void
test_dead_peer_bye (void)
{
  Bed bed = { .phone = "127.20.4.6", .bob = "127.20.4.14" };
  gint64 before;

  bed_open (&bed);
  bed_dial_and_answer (&bed, NULL);
  before = g_get_monotonic_time ();
  phone_call_hangup (bed.call, NULL);
  wait_for (bed.agent->n_ended == 1);
  g_assert_cmpint (g_get_monotonic_time () - before, <, 20 * G_USEC_PER_SEC);
  g_assert_cmpuint (peer_count (bed.peer, "BYE"), >, 1);
  bed_close (&bed);
}

/* ---- a message that one server has passed on without a word, so that it is a copy for the other: it has arrived ---- */

typedef struct
{
  Agent *agent;
  Archive *archive;
  Peer *one, *two;
} Twins;

static void
on_copy (Peer *peer, const PeerMessage *message, gpointer data)
{
  Twins *twins = data;

  /* who is asked first is silent */
  if (message->method && peer_count (peer == twins->one ? twins->two : twins->one, "MESSAGE") > 0)
    peer_reply (peer, message, 482, "Request merged", "copy", NULL, NULL);
}

static void
begin_twins (Twins *twins)
{
  twins->one = peer_new (TWIN_ONE, PORT, on_copy, twins);
  twins->two = peer_new (TWIN_TWO, PORT, on_copy, twins);
  twins->agent = agent_new ("127.20.4.7:5060", NULL);
  twins->archive = archive_new (twins->agent);
  archive_send (twins->archive, agent_add_account (twins->agent, "alice", "aor", "sip:alice@127.20.4.7", "register", "false", "transport", "udp", NULL),
                "sip:bob@twins.test", "hello");
}

static void
end_twins (Twins *twins)
{
  wait_for (archive_find (twins->archive, "hello")->state == PHONE_MESSAGE_SENT);
  g_assert_cmpuint (archive_find (twins->archive, "hello")->attempts, ==, 1);
  agent_free (twins->agent);
  archive_free (twins->archive);
  peer_free (twins->one);
  peer_free (twins->two);
}

static void
test_all (void)
{
  gboolean has_names = harness_set_resolver ("127.0.0.53");
  Bed ack_lost, update, invite, expiry, silence;
  Twins twins;

  if (has_names)
    {
      name_server_start ("127.0.0.53", zone, G_N_ELEMENTS (zone));
      begin_twins (&twins);
    }

  begin_session (&update, "127.20.4.2", "127.20.4.10", "uac", TRUE);
  begin_session (&invite, "127.20.4.3", "127.20.4.11", "uac", FALSE);
  begin_session (&expiry, "127.20.4.4", "127.20.4.12", "uas", TRUE);
  begin_ack_lost (&ack_lost);
  begin_silence (&silence);
  end_ack_lost (&ack_lost);
  end_silence (&silence);
  if (has_names)
    end_twins (&twins);
  end_refresh (&update, TRUE);
  end_refresh (&invite, FALSE);
  end_expiry (&expiry);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/patience/all", test_all);
  g_test_add_func ("/sip/patience/dead-peer-bye", test_dead_peer_bye);
  return g_test_run ();
}
