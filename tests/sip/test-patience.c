/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What takes SIP half a minute and more: all of it at once, each on its own pair of addresses. */

#include "archive.h"
#include "bed.h"
#include "name-server.h"
#include "sip/ua-dialog.h"

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

/* The phone is called. session: of the INVITE; agreed: what the 200 says of it. */
static void
begin_called (Bed *bed, const char *phone, const char *bob, const char *session, const char *agreed)
{
  g_autofree char *extra = g_strdup_printf ("Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n%s", session);
  g_autofree char *expires = NULL;
  const PeerMessage *ok;

  *bed = (Bed){ .phone = phone, .bob = bob };
  bed_open (bed);
  bed->agent->script.answer = TRUE;
  bed_send_invite (bed, "called", extra, peer_sdp (bob, 30000, "sendrecv"));
  bed->call = bed_await_call (bed);
  ok = bed_await_response (bed, 200, "INVITE");
  expires = peer_header (ok, "Session-Expires");
  g_assert_cmpstr (expires, ==, agreed);
  bed_send_ack (bed, ok, "called", NULL);
  wait_for (bed->agent->n_active == 1);
}

/* Who was called refreshes, as who calls: the roles of the refresh are its own. */
static void
end_called (Bed *bed)
{
  const PeerMessage *refresh = bed_await_request (bed, "UPDATE", 0);
  g_autofree char *expires = peer_header (refresh, "Session-Expires");

  g_assert_true (g_str_has_prefix (expires, "90"));
  peer_reply (bed->peer, refresh, 200, "OK", NULL, "Session-Expires: 90;refresher=uac\r\n", NULL);
  harness_settle ();
  assert_state (bed->call, PHONE_CALL_ACTIVE);
  bed_close (bed);
}

/* Our timer runs for what the other side was told. */
static void
test_agreed (void)
{
  static const struct
  {
    const char *session, *agreed;
    guint interval;
  } rows[] = {
    { "Supported: timer\r\nSession-Expires: 7200;refresher=uac\r\n", "1800;refresher=uac", 1800 },
    { "Supported: timer\r\nSession-Expires: 7200;refresher=uas\r\nMin-SE: 3600\r\n", "3600;refresher=uas", 3600 },
    { "Supported: timer\r\nSession-Expires: 300\r\n", "300;refresher=uac", 300 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      Bed bed;

      begin_called (&bed, "127.20.4.22", "127.20.4.23", rows[i].session, rows[i].agreed);
      g_assert_cmpuint (((UaDialog *) phone_call_get_engine_data (bed.call))->session_interval, ==, rows[i].interval);
      bed_close (&bed);
    }
}

/* RFC 4028 section 7.3: whom our interval is too short for, gets the call with a longer one. */
static void
test_too_small (void)
{
  Bed bed = { .phone = "127.20.4.22", .bob = "127.20.4.23" };
  const PeerMessage *invite;
  g_autofree char *expires = NULL;
  g_autofree char *min = NULL;

  bed_open (&bed);
  peer_reply (bed.peer, bed_dial (&bed), 422, "Session Interval Too Small", "one", "Min-SE: 4000\r\n", NULL);
  invite = bed_await_request (&bed, "INVITE", 1);
  expires = peer_header (invite, "Session-Expires");
  min = peer_header (invite, "Min-SE");
  g_assert_cmpuint (g_ascii_strtoull (expires, NULL, 10), >=, 4000);
  g_assert_cmpstr (min, ==, "4000");
  bed_answer (&bed, invite, "Session-Expires: 4000;refresher=uac\r\n");
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpuint (((UaDialog *) phone_call_get_engine_data (bed.call))->session_interval, ==, 4000);
  bed_close (&bed);
}

/* ---- the registrar has a bad minute: the phone is back by itself, and does not hold the minute against it later ---- */

typedef struct
{
  Agent *agent;
  PhoneAccount *account;
  Peer *registrar;
} Recovery;

static void
on_recovering (Peer *peer, const PeerMessage *message, gpointer data)
{
  g_autofree char *contact = peer_header (message, "Contact");
  g_autofree char *extra = g_strdup_printf ("Contact: %s;expires=11\r\n", contact);    /* so that the refresh comes at once */
  gboolean good = peer_count (peer, "REGISTER") == 2;

  peer_reply (peer, message, good ? 200 : 500, good ? "OK" : "Server Internal Error", NULL, good ? extra : NULL, NULL);
}

static void
begin_recovery (Recovery *recovery)
{
  recovery->registrar = peer_new ("127.20.4.21", PORT, on_recovering, NULL);
  recovery->agent = agent_new ("127.20.4.20:5060", NULL);
  recovery->account = agent_add_account (recovery->agent, "alice", "aor", "sip:alice@127.20.4.21", "transport", "udp", NULL);
  wait_for (phone_account_get_registration (recovery->account) == PHONE_REGISTRATION_FAILED);
}

static void
end_recovery (Recovery *recovery)
{
  wait_for (peer_count (recovery->registrar, "REGISTER") >= 3
            && phone_account_get_registration (recovery->account) == PHONE_REGISTRATION_FAILED);
  /* RFC 5626 section 4.5: 30 to 60 s after the first failure in a row, twice as long after the second */
  g_assert_cmpint (phone_account_get_registration_detail (recovery->account)->retry_at, <=, g_get_real_time () / G_USEC_PER_SEC + 60);
  agent_free (recovery->agent);
  peer_free (recovery->registrar);
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
  Bed ack_lost, update, invite, expiry, silence, called, called_by_old, called_expiry;
  Recovery recovery;
  Twins twins;

  if (has_names)
    {
      name_server_start ("127.0.0.53", zone, G_N_ELEMENTS (zone));
      begin_twins (&twins);
    }

  begin_recovery (&recovery);
  begin_called (&called, "127.20.4.17", "127.20.4.24", "Supported: timer\r\nSession-Expires: 90;refresher=uas\r\n", "90;refresher=uas");
  /* a proxy asks for it on behalf of a caller who does not know it */
  begin_called (&called_by_old, "127.20.4.18", "127.20.4.25", "Session-Expires: 90\r\n", "90;refresher=uas");
  begin_called (&called_expiry, "127.20.4.19", "127.20.4.26", "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n", "90;refresher=uac");
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
  end_called (&called);
  end_called (&called_by_old);
  end_expiry (&expiry);
  end_expiry (&called_expiry);
  end_recovery (&recovery);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/patience/agreed", test_agreed);
  g_test_add_func ("/sip/patience/too-small", test_too_small);
  g_test_add_func ("/sip/patience/all", test_all);
  g_test_add_func ("/sip/patience/dead-peer-bye", test_dead_peer_bye);
  return g_test_run ();
}
