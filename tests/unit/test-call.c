/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The call's state machine and the policies that span calls, driven through fake ports: the test is the network. */

#include <string.h>

#include "core/call-private.h"
#include "core/call-state.h"
#include "core/emergency.h"
#include "fake/fake-ports.h"
#include "util/log.h"

typedef struct
{
  FakePorts *fake;
  PhoneRegistry *registry;
  PhoneAccount *alice;
  GString *states;              /* "dialing alerting ..." of all calls in order of change */
  guint removed;
  GPtrArray *digits;
} Fixture;

static void
on_call_changed (PhoneCall *call, guint mask, Fixture *f)
{
  if (mask & PHONE_CALL_FIELD_STATE)
    {
      const char *state = phone_call_state_to_string (phone_call_get_state (call));

      if (!g_str_has_suffix (f->states->str, state))
        g_string_append_printf (f->states, "%s%s", f->states->len ? " " : "", state);
    }
}

static void
on_call_added (PhoneRegistry *registry, PhoneCall *call, Fixture *f)
{
  g_string_append_printf (f->states, "%s%s", f->states->len ? " " : "", phone_call_state_to_string (phone_call_get_state (call)));
  g_signal_connect (call, "changed", G_CALLBACK (on_call_changed), f);
}

static void
on_call_removed (PhoneRegistry *registry, PhoneCall *call, Fixture *f)
{
  f->removed++;
  g_signal_handlers_disconnect_by_data (call, f);
}

static PhoneAccount *
add_account (Fixture *f, const char *id, const char *aor, const char *extra_key, const char *extra_value)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneAccountSettings) settings = phone_account_settings_new (id, &error);
  PhoneAccount *account;

  g_assert_no_error (error);
  g_assert_true (phone_account_settings_set (settings, "aor", aor, &error));
  if (extra_key)
    g_assert_true (phone_account_settings_set (settings, extra_key, extra_value, &error));
  account = phone_registry_add_account (f->registry, settings, FALSE, &error);
  g_assert_no_error (error);
  return account;
}

static void
set_registered (PhoneAccount *account)
{
  PhoneRegistrationDetail detail = { .code = 200, .phrase = (char *) "OK", .reason = (char *) "ok", .expires = 600 };

  phone_account_on_registration (account, PHONE_REGISTRATION_REGISTERED, &detail);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();
  PhonePorts ports;

  settings->linger = 0;
  f->fake = fake_ports_new ();
  fake_ports_fill (f->fake, &ports);
  f->registry = phone_registry_new (settings);
  phone_registry_set_ports (f->registry, &ports);
  f->states = g_string_new (NULL);
  g_signal_connect (f->registry, "call-added", G_CALLBACK (on_call_added), f);
  g_signal_connect (f->registry, "call-removed", G_CALLBACK (on_call_removed), f);
  f->alice = add_account (f, "alice", "sip:alice@example.org", NULL, NULL);
  set_registered (f->alice);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  while (phone_registry_get_calls (f->registry)->len)
    {
      PhoneCall *call = g_ptr_array_index (phone_registry_get_calls (f->registry), 0);
      g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_HANGUP, 0, NULL);

      phone_call_on_ended (call, reason);
      g_main_context_iteration (NULL, TRUE);
    }
  g_signal_handlers_disconnect_by_data (f->registry, f);
  g_object_unref (f->registry);
  g_assert_cmpuint (f->fake->media_open, ==, 0);
  fake_ports_free (f->fake);
  g_string_free (f->states, TRUE);
}

static PhoneCall *
dial (Fixture *f, const char *target)
{
  PhoneDialOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  PhoneCall *call = phone_registry_dial (f->registry, target, &options, &error);

  g_assert_no_error (error);
  return call;
}

/* The peer's description: everything in clear, PCMA, towards `address`. */
static PhoneMediaDesc *
peer_desc (PhoneDirection direction)
{
  PhoneMediaDesc *desc = phone_media_desc_new ();

  desc->address = g_strdup ("192.0.2.9");
  desc->port = 30000;
  desc->rtcp_port = 30001;
  desc->direction = direction;
  desc->n_codecs = 1;
  desc->codecs[0] = (PhoneCodec){ .id = PHONE_CODEC_PCMA, .payload_type = 8 };
  return desc;
}

static PhoneCall *
receive_call (Fixture *f, guint *ret_status)
{
  PhoneIncoming incoming = { .remote_uri = "sip:bob@example.org", .remote_name = "Bob", .request_uri = "sip:alice@example.org" };
  g_autoptr (PhoneMediaDesc) offer = peer_desc (PHONE_DIRECTION_SENDRECV);

  PhoneRefusal refusal = { 0 };
  PhoneCall *call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);

  *ret_status = refusal.status;
  return call;
}

static void
end_remotely (PhoneCall *call, PhoneCause cause, guint status)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_REMOTE, cause, status, NULL);

  phone_call_on_ended (call, reason);
}

static PhoneCall *
establish_outgoing (Fixture *f, const char *target)
{
  PhoneCall *call = dial (f, target);
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);

  phone_call_on_answered (call, answer);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  return call;
}

static void
set_true (gpointer data)
{
  *(gboolean *) data = TRUE;
}

/* ---- outcomes of parked requests ---- */

typedef struct
{
  guint fired;
  GError *error;
} Outcome;

static void
on_done (PhoneCall *call, const GError *error, gpointer data)
{
  Outcome *outcome = data;

  outcome->fired++;
  outcome->error = error ? g_error_copy (error) : NULL;
}

/* ---- tests ---- */

static void
test_outgoing (Fixture *f, gconstpointer data)
{
  PhoneCall *call = dial (f, "bob");
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);

  g_assert_true (fake_ports_took (f->fake, "invite sip:bob@example.org"));
  g_assert_cmpint (f->fake->last_desc->port, ==, 20000);
  g_assert_cmpint (phone_registry_get_state (f->registry), ==, PHONE_DAEMON_IN_CALL);
  phone_call_on_progress (call, 180, NULL);
  g_assert_cmpint (f->fake->tone, ==, PHONE_TONE_RINGBACK);
  phone_call_on_answered (call, answer);
  g_assert_cmpint (f->fake->tone, ==, PHONE_TONE_NONE);
  g_assert_true (f->fake->attached);
  g_assert_cmpint (phone_call_get_plan (call)->send.id, ==, PHONE_CODEC_PCMA);
  g_assert_cmpint (phone_call_get_answered (call), >, 0);
  end_remotely (call, PHONE_CAUSE_HANGUP, 0);
  g_assert_cmpstr (f->states->str, ==, "dialing alerting active disconnected");
  g_assert_cmpint (phone_call_get_reason (call)->cause, ==, PHONE_CAUSE_HANGUP);
  g_assert_cmpint (phone_registry_get_state (f->registry), ==, PHONE_DAEMON_IDLE);
  while (f->removed == 0)
    g_main_context_iteration (NULL, TRUE);
}

/* An offer that the peer asks for may go on to another device, which does not know our roll-over counter: it has new keys. */
static void
test_new_keys (Fixture *f, gconstpointer data)
{
  const char *updates[] = { "srtp", "required", "sdes-in-clear", "true", "keying", "sdes", NULL };
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);
  g_autoptr (PhoneMediaDesc) first = NULL;
  g_autoptr (PhoneMediaDesc) wanted = NULL;
  PhoneCall *call;

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  call = dial (f, "bob");
  first = phone_media_desc_copy (f->fake->last_desc);
  g_assert_cmpuint (first->n_cryptos, >, 0);
  answer->profile = first->profile;
  answer->cryptos[0] = first->cryptos[0];
  answer->n_cryptos = 1;
  phone_call_on_answered (call, answer);
  wanted = phone_call_on_offer_wanted (call, NULL);
  g_assert_nonnull (wanted);
  g_assert_cmpuint (wanted->n_cryptos, ==, first->n_cryptos);
  for (guint i = 0; i < first->n_cryptos; i++)
    g_assert_false (phone_srtp_key_same (&wanted->cryptos[i], &first->cryptos[i]));
}

/* The tones of home: the account's country, else the daemon's. */
static void
test_country (Fixture *f, gconstpointer data)
{
  const char *updates[] = { "country", "gb", NULL };
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();

  phone_daemon_settings_set (settings, "daemon", "country", "it", NULL);
  phone_registry_set_settings (f->registry, settings);
  dial (f, "bob");
  g_assert_cmpstr (f->fake->country, ==, "IT");
  g_assert_true (phone_account_update (f->alice, updates, NULL));
  dial (f, "carol");
  g_assert_cmpstr (f->fake->country, ==, "GB");
}

static void
test_early_media (Fixture *f, gconstpointer data)
{
  PhoneCall *call = dial (f, "bob");
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);

  phone_call_on_progress (call, 180, NULL);
  phone_call_on_progress (call, 183, answer);
  g_assert_cmpint (f->fake->tone, ==, PHONE_TONE_NONE);
  g_assert_true (f->fake->attached);
  /* A reliable provisional response had the answer: the 200 may come without (RFC 3262 section 5). */
  phone_call_on_answered (call, NULL);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
}

static void
test_answer_without_sdp (Fixture *f, gconstpointer data)
{
  PhoneCall *call = dial (f, "bob");

  phone_call_on_answered (call, NULL);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DISCONNECTING);
  g_assert_true (fake_ports_took (f->fake, "hangup"));
  g_assert_cmpint (phone_call_get_reason (call)->cause, ==, PHONE_CAUSE_MEDIA_FAILED);
}

static void
test_busy (Fixture *f, gconstpointer data)
{
  PhoneCall *call = dial (f, "bob");

  end_remotely (call, PHONE_CAUSE_BUSY, 486);
  g_assert_cmpstr (f->states->str, ==, "dialing disconnected");
  g_assert_cmpuint (phone_call_get_reason (call)->q850, ==, 17);
  g_assert_cmpint (f->fake->tone, ==, PHONE_TONE_BUSY);
}

static void
test_cancel_keeps_our_reason (Fixture *f, gconstpointer data)
{
  PhoneCall *call = dial (f, "bob");

  g_assert_true (phone_call_hangup (call, NULL));
  g_assert_true (fake_ports_took (f->fake, "hangup"));
  g_assert_false (phone_call_hangup (call, NULL));
  /* A 200 crosses the CANCEL: nothing comes to life again. */
  phone_call_on_answered (call, NULL);
  end_remotely (call, PHONE_CAUSE_CANCELLED, 487);
  g_assert_cmpstr (f->states->str, ==, "dialing disconnecting disconnected");
  g_assert_cmpint (phone_call_get_reason (call)->actor, ==, PHONE_ACTOR_LOCAL);
  g_assert_cmpint (phone_call_get_reason (call)->cause, ==, PHONE_CAUSE_CANCELLED);
}

static void
test_incoming (Fixture *f, gconstpointer data)
{
  Outcome outcome = { 0 };
  guint status;
  PhoneCall *call = receive_call (f, &status);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (call);
  g_assert_true (fake_ports_took (f->fake, "ring-tone ring"));
  g_assert_true (fake_ports_took (f->fake, "ring 180"));
  g_assert_true (phone_call_answer (call, FALSE, on_done, &outcome, NULL));
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_NONE);
  g_assert_true (fake_ports_took (f->fake, "answer"));
  /* Not active before the ACK, and the request is still parked; a second one is told so. */
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_INCOMING);
  g_assert_cmpuint (outcome.fired, ==, 0);
  g_assert_false (phone_call_answer (call, FALSE, on_done, &outcome, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS);
  phone_call_on_confirmed (call, NULL);
  g_assert_cmpuint (outcome.fired, ==, 1);
  g_assert_no_error (outcome.error);
  g_assert_cmpstr (f->states->str, ==, "incoming active");
}

static void
test_answer_fails_with_the_call (Fixture *f, gconstpointer data)
{
  Outcome outcome = { 0 };
  guint status;
  PhoneCall *call = receive_call (f, &status);

  phone_call_answer (call, FALSE, on_done, &outcome, NULL);
  end_remotely (call, PHONE_CAUSE_ACK_TIMEOUT, 0);
  g_assert_cmpuint (outcome.fired, ==, 1);
  g_assert_error (outcome.error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED);
  g_clear_error (&outcome.error);
}

/* The address book names who the network vouches for, and not who the caller says he is. */
static void
test_contact_of_whom (Fixture *f, gconstpointer data)
{
  static const char cards[] = "BEGIN:VCARD\nFN:Aunt Mary\nTEL:+49301234567\nEND:VCARD\nBEGIN:VCARD\nFN:Mallory\nTEL:+4940666666\nEND:VCARD\n";
  PhoneIncoming incoming = { .remote_uri = "sip:+49301234567@example.org", .asserted_id = "sip:+4940666666@example.org" };
  g_autoptr (PhoneMediaDesc) offer = peer_desc (PHONE_DIRECTION_SENDRECV);
  PhoneContacts *contacts = phone_contacts_new ();
  PhoneRefusal refusal = { 0 };
  PhoneCall *call;

  g_assert_true (phone_contacts_add (contacts, cards, strlen (cards), NULL));
  phone_registry_set_contacts (f->registry, contacts);
  call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);
  g_assert_cmpstr (phone_call_get_contact_name (call), ==, "Mallory");
  incoming.asserted_id = "";
  call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);
  g_assert_cmpstr (phone_call_get_contact_name (call), ==, "Aunt Mary");
}

static void
test_refused_offers (Fixture *f, gconstpointer data)
{
  PhoneIncoming incoming = { .remote_uri = "sip:bob@example.org" };
  g_autoptr (PhoneMediaDesc) offer = peer_desc (PHONE_DIRECTION_SENDRECV);
  PhoneRefusal refusal = { 0 };

  offer->n_codecs = 0;
  g_assert_null (phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal));
  g_assert_cmpuint (refusal.status, ==, 488);
  g_assert_cmpuint (phone_registry_get_calls (f->registry)->len, ==, 0);
  g_assert_cmpuint (f->fake->media_open, ==, 0);
  offer->n_codecs = 1;
  offer->port = 0;
  g_assert_null (phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal));
  g_assert_cmpuint (refusal.status, ==, 488);
}

static void
test_reject (Fixture *f, gconstpointer data)
{
  const struct { PhoneCause cause; const char *word; } rows[] = {
    { PHONE_CAUSE_BUSY, "reject 486" }, { PHONE_CAUSE_DECLINED, "reject 603" }, { PHONE_CAUSE_UNAVAILABLE, "reject 480" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      guint status;
      PhoneCall *call = receive_call (f, &status);

      g_assert_true (phone_call_reject (call, rows[i].cause, NULL));
      g_assert_true (fake_ports_took (f->fake, rows[i].word));
      end_remotely (call, rows[i].cause, 0);
      g_assert_cmpint (phone_call_get_reason (call)->actor, ==, PHONE_ACTOR_LOCAL);
    }
}

static void
test_hold_and_resume (Fixture *f, gconstpointer data)
{
  Outcome outcome = { 0 };
  PhoneCall *call = establish_outgoing (f, "bob");
  g_autoptr (PhoneMediaDesc) held = peer_desc (PHONE_DIRECTION_RECVONLY);
  g_autoptr (PhoneMediaDesc) back = peer_desc (PHONE_DIRECTION_SENDRECV);
  g_autoptr (GError) error = NULL;

  g_assert_true (phone_call_hold (call, on_done, &outcome, NULL));
  g_assert_true (fake_ports_took (f->fake, "reoffer sendonly"));
  g_assert_false (f->fake->attached);
  g_assert_false (phone_call_hold (call, NULL, NULL, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS);
  phone_call_on_reoffer_answered (call, held);
  g_assert_cmpuint (outcome.fired, ==, 1);
  g_assert_true (phone_call_get_local_hold (call));
  g_assert_false (phone_call_get_remote_hold (call));
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_HELD);
  g_assert_true (phone_call_resume (call, on_done, &outcome, NULL));
  g_assert_true (fake_ports_took (f->fake, "reoffer sendrecv"));
  phone_call_on_reoffer_answered (call, back);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  g_assert_true (f->fake->attached);
}

static void
test_refused_hold (Fixture *f, gconstpointer data)
{
  Outcome outcome = { 0 };
  PhoneCall *call = establish_outgoing (f, "bob");

  phone_call_hold (call, on_done, &outcome, NULL);
  phone_call_on_reoffer_failed (call, 488, "Not Acceptable Here");
  g_assert_cmpuint (outcome.fired, ==, 1);
  g_assert_error (outcome.error, PHONE_ERROR, PHONE_ERROR_REJECTED);
  g_clear_error (&outcome.error);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  g_assert_true (f->fake->attached);
}

static void
test_remote_hold (Fixture *f, gconstpointer data)
{
  PhoneCall *call = establish_outgoing (f, "bob");
  g_autoptr (PhoneMediaDesc) hold = peer_desc (PHONE_DIRECTION_SENDONLY);
  g_autoptr (PhoneMediaDesc) back = peer_desc (PHONE_DIRECTION_SENDRECV);
  g_autoptr (PhoneMediaDesc) answer = phone_call_on_offer (call, hold, NULL);
  g_autoptr (PhoneMediaDesc) second = NULL;

  g_assert_cmpint (answer->direction, ==, PHONE_DIRECTION_RECVONLY);
  g_assert_true (phone_call_get_remote_hold (call));
  second = phone_call_on_offer (call, back, NULL);
  g_assert_cmpint (second->direction, ==, PHONE_DIRECTION_SENDRECV);
  g_assert_false (phone_call_get_remote_hold (call));
}

static void
test_bad_reoffer_leaves_the_session (Fixture *f, gconstpointer data)
{
  PhoneCall *call = establish_outgoing (f, "bob");
  g_autoptr (PhoneMediaDesc) bad = peer_desc (PHONE_DIRECTION_SENDRECV);
  g_autoptr (GError) error = NULL;

  bad->n_codecs = 0;
  g_assert_null (phone_call_on_offer (call, bad, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  g_assert_cmpint (phone_call_get_plan (call)->send.id, ==, PHONE_CODEC_PCMA);
}

static void
test_call_waiting (Fixture *f, gconstpointer data)
{
  PhoneCall *first = establish_outgoing (f, "bob");
  guint status;
  PhoneCall *second = receive_call (f, &status);
  g_autoptr (PhoneMediaDesc) held = peer_desc (PHONE_DIRECTION_RECVONLY);

  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_WAITING);
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_CALL_WAITING);
  g_assert_true (phone_call_answer (second, FALSE, NULL, NULL, NULL));
  g_assert_true (fake_ports_took (f->fake, "reoffer sendonly"));
  phone_call_on_reoffer_answered (first, held);
  phone_call_on_confirmed (second, NULL);
  g_assert_cmpint (phone_call_get_state (first), ==, PHONE_CALL_HELD);
  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_ACTIVE);
}

static void
test_waiting_becomes_incoming (Fixture *f, gconstpointer data)
{
  PhoneCall *first = establish_outgoing (f, "bob");
  guint status;
  PhoneCall *second = receive_call (f, &status);

  end_remotely (first, PHONE_CAUSE_HANGUP, 0);
  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_INCOMING);
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_RING);
  g_assert_true (phone_call_silence_ring (second, NULL));
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_NONE);
}

/* An outgoing call that is answered late does not join the one that was answered meanwhile. */
static void
test_answered_late (Fixture *f, gconstpointer data)
{
  PhoneCall *first = dial (f, "bob");
  guint status;
  PhoneCall *second = receive_call (f, &status);
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);

  g_assert_true (phone_call_answer (second, FALSE, NULL, NULL, NULL));
  phone_call_on_confirmed (second, NULL);
  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_ACTIVE);
  phone_call_on_answered (first, answer);
  g_assert_cmpint (phone_call_get_state (first), ==, PHONE_CALL_ACTIVE);
  g_assert_true (fake_ports_took (f->fake, "reoffer sendonly"));
  g_assert_cmpint (f->fake->last_desc->port, ==, 20002);
}

/* Two answers before the first ACK: the later one has the ear, the first goes on hold as soon as it is up. */
static void
test_answered_together (Fixture *f, gconstpointer data)
{
  guint status;
  PhoneCall *first = receive_call (f, &status);
  PhoneCall *second = receive_call (f, &status);
  g_autoptr (PhoneMediaDesc) held = peer_desc (PHONE_DIRECTION_RECVONLY);

  g_assert_true (phone_call_answer (first, FALSE, NULL, NULL, NULL));
  g_assert_true (phone_call_answer (second, FALSE, NULL, NULL, NULL));
  g_assert_false (fake_ports_took (f->fake, "reoffer"));
  phone_call_on_confirmed (second, NULL);
  phone_call_on_confirmed (first, NULL);
  g_assert_true (fake_ports_took (f->fake, "reoffer sendonly"));
  g_assert_cmpint (f->fake->last_desc->port, ==, 20000);
  phone_call_on_reoffer_answered (first, held);
  g_assert_cmpint (phone_call_get_state (first), ==, PHONE_CALL_HELD);
  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_ACTIVE);
}

/* A call that is about to be resumed when another is answered ends on hold as well. */
static void
test_answered_while_resuming (Fixture *f, gconstpointer data)
{
  PhoneCall *first = establish_outgoing (f, "bob");
  g_autoptr (PhoneMediaDesc) held = peer_desc (PHONE_DIRECTION_RECVONLY);
  g_autoptr (PhoneMediaDesc) back = peer_desc (PHONE_DIRECTION_SENDRECV);
  PhoneCall *second;
  guint status;

  phone_call_hold (first, NULL, NULL, NULL);
  phone_call_on_reoffer_answered (first, held);
  second = receive_call (f, &status);
  g_assert_true (phone_call_resume (first, NULL, NULL, NULL));
  g_assert_true (phone_call_answer (second, FALSE, NULL, NULL, NULL));
  fake_ports_took (f->fake, "reoffer");
  phone_call_on_reoffer_answered (first, back);
  g_assert_true (fake_ports_took (f->fake, "reoffer sendonly"));
  phone_call_on_reoffer_answered (first, held);
  g_assert_cmpint (phone_call_get_state (first), ==, PHONE_CALL_HELD);
}

/* ---- conferences ---- */

static PhoneConference *
make_conference (Fixture *f, PhoneCall *first, PhoneCall *second)
{
  PhoneCall *calls[] = { first, second };
  g_autoptr (GError) error = NULL;
  PhoneConference *conference = phone_registry_add_conference (f->registry, calls, 2, FALSE, &error);

  g_assert_no_error (error);
  return conference;
}

/* A hold that is still under way when the conference is made is turned round as soon as the peer has agreed. */
static void
test_conference_takes_from_hold (Fixture *f, gconstpointer data)
{
  PhoneCall *first = establish_outgoing (f, "bob"), *second = establish_outgoing (f, "carol");
  g_autoptr (PhoneMediaDesc) held = peer_desc (PHONE_DIRECTION_RECVONLY);
  g_autoptr (PhoneMediaDesc) back = peer_desc (PHONE_DIRECTION_SENDRECV);
  PhoneConference *conference = make_conference (f, first, second);

  g_assert_true (fake_ports_took (f->fake, "room"));
  g_assert_true (fake_ports_took (f->fake, "enter 20000"));
  phone_call_on_reoffer_answered (first, held);
  g_assert_true (fake_ports_took (f->fake, "reoffer sendrecv"));
  phone_call_on_reoffer_answered (first, back);
  g_assert_cmpint (phone_call_get_state (first), ==, PHONE_CALL_ACTIVE);
  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_ACTIVE);
  g_assert_true (phone_call_get_conference (first) == conference);

  /* Who puts us on hold is not heard: no music. */
  g_ptr_array_set_size (f->fake->journal, 0);
  {
    g_autoptr (PhoneMediaDesc) offer = peer_desc (PHONE_DIRECTION_SENDONLY);
    g_autoptr (PhoneMediaDesc) answer = phone_call_on_offer (first, offer, NULL);
    g_assert_nonnull (answer);
  }
  g_assert_true (fake_ports_took (f->fake, "no-voice 20000"));
  end_remotely (first, PHONE_CAUSE_HANGUP, 0);
  g_assert_true (fake_ports_took (f->fake, "no-room"));
  g_assert_null (phone_call_get_conference (second));
  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_ACTIVE);
}

/* While we talk to somebody else the members go on; the one that is left then does not come back by itself. */
static void
test_conference_away (Fixture *f, gconstpointer data)
{
  PhoneCall *first = establish_outgoing (f, "bob"), *second = establish_outgoing (f, "carol"), *third;
  g_autoptr (PhoneMediaDesc) held = peer_desc (PHONE_DIRECTION_RECVONLY);
  g_autoptr (PhoneMediaDesc) back = peer_desc (PHONE_DIRECTION_SENDRECV);
  PhoneConference *conference = make_conference (f, first, second);

  phone_call_on_reoffer_answered (first, held);
  phone_call_on_reoffer_answered (first, back);
  g_ptr_array_set_size (f->fake->journal, 0);
  third = establish_outgoing (f, "dave");
  g_assert_true (phone_conference_get_local_hold (conference));
  g_assert_true (fake_ports_took (f->fake, "room-set away"));
  g_assert_false (fake_ports_took (f->fake, "reoffer"));
  end_remotely (first, PHONE_CAUSE_HANGUP, 0);
  g_assert_true (fake_ports_took (f->fake, "reoffer sendonly"));
  phone_call_on_reoffer_answered (second, held);
  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_HELD);
  g_assert_cmpint (phone_call_get_state (third), ==, PHONE_CALL_ACTIVE);
}

/* Ended while it is still being dialled, by us or by all: the room goes with it. */
static void
test_conference_unanswered (Fixture *f, gconstpointer data)
{
  PhoneCall *first = establish_outgoing (f, "bob"), *second;
  PhoneDialOptions options = { .keep_others = TRUE };
  PhoneConference *conference;

  second = phone_registry_dial (f->registry, "carol", &options, NULL);
  conference = make_conference (f, first, second);
  g_assert_cmpuint (phone_conference_get_calls (conference)->len, ==, 2);
  g_assert_false (fake_ports_took (f->fake, "enter 20002"));
  end_remotely (second, PHONE_CAUSE_BUSY, 486);
  g_assert_null (phone_registry_find_conference (f->registry, 1));
  g_assert_cmpint (phone_call_get_state (first), ==, PHONE_CALL_ACTIVE);

  second = phone_registry_dial (f->registry, "carol", &options, NULL);
  make_conference (f, first, second);
  phone_registry_hangup_all (f->registry);
  g_assert_null (phone_registry_find_conference (f->registry, 2));
  g_assert_true (fake_ports_took (f->fake, "no-room"));
  end_remotely (first, PHONE_CAUSE_HANGUP, 0);
  end_remotely (second, PHONE_CAUSE_CANCELLED, 487);
}

/* What the engine offers on its own (a refresh) and what the user wants do not get mixed up. */
static void
test_hold_behind_refresh (Fixture *f, gconstpointer data)
{
  Outcome outcome = { 0 };
  PhoneCall *call = establish_outgoing (f, "bob");
  g_autoptr (PhoneMediaDesc) refresh = phone_call_on_offer_wanted (call, NULL);
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);
  g_autoptr (PhoneMediaDesc) held = peer_desc (PHONE_DIRECTION_RECVONLY);

  g_assert_nonnull (refresh);
  g_assert_true (phone_call_hold (call, on_done, &outcome, NULL));
  g_assert_false (fake_ports_took (f->fake, "reoffer"));
  g_assert_false (f->fake->attached);
  phone_call_on_confirmed (call, answer);
  g_assert_cmpuint (outcome.fired, ==, 0);
  g_assert_true (fake_ports_took (f->fake, "reoffer sendonly"));
  phone_call_on_reoffer_answered (call, held);
  g_assert_cmpuint (outcome.fired, ==, 1);
  g_assert_no_error (outcome.error);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_HELD);
}

static void
spin (guint ms)
{
  gboolean over = FALSE;

  g_timeout_add_once (ms, (GSourceOnceFunc) (gpointer) set_true, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

/* A caller cannot take the user out of a conversation. */
static void
test_auto_answer (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "auto-answer", "0", NULL };
  PhoneCall *first, *second;
  guint status;

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  first = receive_call (f, &status);
  while (!fake_ports_took (f->fake, "answer"))
    g_main_context_iteration (NULL, TRUE);
  phone_call_on_confirmed (first, NULL);
  second = receive_call (f, &status);
  spin (1);
  g_assert_false (fake_ports_took (f->fake, "answer"));
  g_assert_false (fake_ports_took (f->fake, "reoffer sendonly"));
  g_assert_cmpint (phone_call_get_state (second), ==, PHONE_CALL_WAITING);
  g_assert_true (phone_call_answer (second, FALSE, NULL, NULL, NULL));
}

/* What the model asks the media for when the phone answers by itself at the caller's wish: a beep, once the line is open. */
static void
test_intercom (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "intercom", "bob@example.org", NULL };
  const PhoneIncoming incoming = { .remote_uri = "sip:bob@example.org", .from_server = TRUE, .wish = { .ms = 1 } };
  g_autoptr (PhoneMediaDesc) offer = peer_desc (PHONE_DIRECTION_SENDRECV);
  PhoneRefusal refusal;
  PhoneCall *call;

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);
  g_assert_nonnull (call);
  g_assert_true (phone_call_get_intercom (call) && !phone_call_is_self_answered (call));
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_NONE);
  while (!fake_ports_took (f->fake, "answer"))
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (phone_call_is_self_answered (call));
  g_assert_false (fake_ports_took (f->fake, "beep"));
  phone_call_on_confirmed (call, NULL);
  g_assert_true (fake_ports_took (f->fake, "beep"));
}

static void
test_alert (Fixture *f, gconstpointer data)
{
  PhoneIncoming incoming = { .remote_uri = "sip:bob@example.org", .from_server = TRUE, .alert = "urn:alert:source:internal" };
  g_autoptr (PhoneMediaDesc) offer = peer_desc (PHONE_DIRECTION_SENDRECV);
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_copy (phone_registry_get_settings (f->registry));
  PhoneRefusal refusal;
  PhoneCall *call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);

  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_RING_DOUBLE);
  g_assert_cmpstr (phone_call_get_alert (call), ==, "urn:alert:source:internal");
  g_assert_true (phone_call_hangup (call, NULL));
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_NONE);

  g_free (settings->rings);
  settings->rings = g_strdup ("urn:*=/a.wav");
  phone_registry_set_settings (f->registry, settings);
  call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);
  g_assert_true (fake_ports_took (f->fake, "ring-tone ring /a.wav"));
  g_assert_true (phone_call_hangup (call, NULL));

  incoming.from_server = FALSE;
  call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);
  g_assert_true (fake_ports_took (f->fake, "ring-tone ring"));
  g_assert_cmpstr (phone_call_get_alert (call), ==, "");
}

/* RFC 7866: a peer that understands it is told when we begin and end to record, and we hear what it does. */
static void
test_record_mark (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_copy (phone_registry_get_settings (f->registry));
  PhoneCall *call = establish_outgoing (f, "bob");
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);

  g_assert_cmpint (f->fake->last_desc->record, ==, PHONE_RECORD_MARK_NONE);
  g_assert_cmpint (settings->record_signal, ==, PHONE_RECORD_SIGNAL_ALWAYS);
  settings->record_signal = PHONE_RECORD_SIGNAL_OFFERS;
  phone_registry_set_settings (f->registry, settings);
  call->tape.state = PHONE_CALL_RECORDING_RUNNING;
  phone_call_on_record_aware (call);
  phone_call_tell_recording (call);
  g_assert_false (fake_ports_took (f->fake, "reoffer sendrecv"));       /* the setting: only in what is negotiated anyway */
  settings->record_signal = PHONE_RECORD_SIGNAL_ALWAYS;
  phone_registry_set_settings (f->registry, settings);
  phone_call_tell_recording (call);
  g_assert_true (fake_ports_took (f->fake, "reoffer sendrecv"));
  g_assert_cmpint (f->fake->last_desc->record, ==, PHONE_RECORD_MARK_ON);
  answer->record = PHONE_RECORD_MARK_PAUSED;
  phone_call_on_reoffer_answered (call, answer);
  g_assert_cmpint (phone_call_get_remote_recording (call), ==, PHONE_RECORD_MARK_PAUSED);
  phone_call_tell_recording (call);
  g_assert_false (fake_ports_took (f->fake, "reoffer sendrecv"));       /* nothing new */
  call->tape.state = PHONE_CALL_RECORDING_OFF;
  phone_call_tell_recording (call);
  g_assert_true (fake_ports_took (f->fake, "reoffer sendrecv"));
  g_assert_cmpint (f->fake->last_desc->record, ==, PHONE_RECORD_MARK_OFF);
}

/* Somebody else was faster: it waits, and is heard. */
static void
test_intercom_too_late (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "intercom", "bob@example.org", NULL };
  const PhoneIncoming incoming = { .remote_uri = "sip:bob@example.org", .from_server = TRUE, .wish = { .ms = 50 } };
  g_autoptr (PhoneMediaDesc) offer = peer_desc (PHONE_DIRECTION_SENDRECV);
  PhoneRefusal refusal;
  PhoneCall *call;

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);
  establish_outgoing (f, "carol");
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_NONE);
  while (f->fake->ring == PHONE_TONE_NONE)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_CALL_WAITING);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_WAITING);
  g_assert_false (fake_ports_took (f->fake, "answer"));
}

static void
test_limits (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_copy (phone_registry_get_settings (f->registry));
  PhoneDialOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  guint status;

  settings->max_calls = 1;
  phone_registry_set_settings (f->registry, settings);
  establish_outgoing (f, "bob");
  g_assert_null (receive_call (f, &status));
  g_assert_cmpuint (status, ==, 486);
  g_assert_null (phone_registry_dial (f->registry, "carol", &options, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY);
  /* Help is called for whatever the limit says. */
  g_assert_nonnull (phone_registry_dial (f->registry, "112", &options, NULL));
}

static void
test_not_registered (Fixture *f, gconstpointer data)
{
  PhoneDialOptions options = { 0 };
  PhoneRegistrationDetail detail = { .code = 403, .reason = (char *) "auth-failed" };
  g_autoptr (GError) error = NULL;
  PhoneCall *call;

  phone_account_on_registration (f->alice, PHONE_REGISTRATION_FAILED, &detail);
  g_assert_null (phone_registry_dial (f->registry, "bob", &options, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NOT_REGISTERED);
  g_assert_nonnull (strstr (error->message, "auth-failed"));
  options.when_registered = TRUE;
  call = phone_registry_dial (f->registry, "bob", &options, NULL);
  g_assert_nonnull (call);
  g_assert_false (fake_ports_took (f->fake, "invite"));
  set_registered (f->alice);
  g_assert_true (fake_ports_took (f->fake, "invite"));
}

/* Whoever meets an account while it takes up new settings waits for it; only what comes of that decides. */
static void
test_dial_into_restart (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "display-name", "Alice", NULL }, *const others[] = { "display-name", "Al", NULL };
  PhoneRegistrationDetail again = { 0 }, refused = { .code = 403, .reason = (char *) "auth-failed" };
  PhoneDialOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  PhoneCall *call, *help;

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  g_assert_true (fake_ports_took (f->fake, "remove alice"));
  call = dial (f, "bob");
  help = dial (f, "112");
  phone_account_on_stopped (f->alice);
  g_assert_true (fake_ports_took (f->fake, "add alice"));
  g_assert_true (fake_ports_took (f->fake, "invite sip:112@example.org;user=phone"));
  phone_account_on_registration (f->alice, PHONE_REGISTRATION_REGISTERING, &again);
  g_assert_false (fake_ports_took (f->fake, "invite sip:bob@example.org"));
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DIALING);
  set_registered (f->alice);
  g_assert_true (fake_ports_took (f->fake, "invite sip:bob@example.org"));
  end_remotely (call, PHONE_CAUSE_HANGUP, 0);
  end_remotely (help, PHONE_CAUSE_HANGUP, 0);

  /* it comes to nothing: the call ends, and says why */
  g_assert_true (phone_account_update (f->alice, others, NULL));
  call = dial (f, "bob");
  phone_account_on_stopped (f->alice);
  phone_account_on_registration (f->alice, PHONE_REGISTRATION_FAILED, &refused);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DISCONNECTED);
  g_assert_cmpint (phone_call_get_reason (call)->cause, ==, PHONE_CAUSE_UNREACHABLE);
  g_assert_nonnull (strstr (phone_call_get_reason (call)->phrase, "auth-failed"));
  /* and after that nobody waits for the next attempt unless he says so */
  phone_account_on_registration (f->alice, PHONE_REGISTRATION_REGISTERING, &again);
  g_assert_null (phone_registry_dial (f->registry, "bob", &options, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NOT_REGISTERED);
}

/* Nothing tells that an account without a registrar is up again, but that it is. */
static void
test_dial_into_restart_without_registrar (Fixture *f, gconstpointer data)
{
  PhoneAccount *direct = add_account (f, "direct", "sip:alice@192.0.2.7", "register", "false");
  const char *const updates[] = { "display-name", "Alice", NULL };
  PhoneDialOptions options = { .account = direct };

  g_assert_true (phone_account_update (direct, updates, NULL));
  g_assert_nonnull (phone_registry_dial (f->registry, "sip:bob@192.0.2.8", &options, NULL));
  g_assert_false (fake_ports_took (f->fake, "invite"));
  phone_account_on_stopped (direct);
  g_assert_true (fake_ports_took (f->fake, "invite sip:bob@192.0.2.8"));
}

static void
test_requests_into_restart (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "display-name", "Alice", NULL }, *const others[] = { "display-name", "Al", NULL };

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  g_assert_true (phone_account_register (f->alice, NULL));
  g_assert_true (phone_account_unregister (f->alice, NULL));
  g_assert_false (fake_ports_took (f->fake, "unregister alice"));
  phone_account_on_stopped (f->alice);
  g_assert_true (fake_ports_took (f->fake, "add alice"));
  g_assert_true (fake_ports_took (f->fake, "unregister alice"));

  /* the last word counts */
  g_assert_true (phone_account_update (f->alice, others, NULL));
  g_assert_true (phone_account_unregister (f->alice, NULL));
  g_assert_true (phone_account_register (f->alice, NULL));
  phone_account_on_stopped (f->alice);
  g_assert_true (fake_ports_took (f->fake, "add alice"));
  g_assert_false (fake_ports_took (f->fake, "unregister alice"));
}

/* Help is called without waiting for anything, and with any account that works. */
static void
test_emergency_accounts (Fixture *f, gconstpointer data)
{
  PhoneDialOptions options = { .when_registered = TRUE };
  PhoneRegistrationDetail detail = { .code = 503, .reason = (char *) "unavailable" };
  PhoneAccount *work = add_account (f, "work", "sip:a.lice@work.example", NULL, NULL);
  PhoneCall *call;

  phone_account_on_registration (f->alice, PHONE_REGISTRATION_FAILED, &detail);
  call = phone_registry_dial (f->registry, "112", &options, NULL);
  g_assert_true (phone_call_get_account (call) == f->alice);
  g_assert_true (fake_ports_took (f->fake, "invite sip:112@example.org;user=phone"));
  set_registered (work);
  call = phone_registry_dial (f->registry, "112", &options, NULL);
  g_assert_true (phone_call_get_account (call) == work);
  g_assert_true (phone_account_set_enabled (work, FALSE, NULL));
  g_assert_true (phone_registry_set_default_account (f->registry, work, NULL));
  end_remotely (call, PHONE_CAUSE_HANGUP, 0);
  phone_account_on_stopped (work);
  call = phone_registry_dial (f->registry, "112", &options, NULL);
  g_assert_true (phone_call_get_account (call) == f->alice);
}

/* There is nothing to wait for at an account that never registers. */
static void
test_when_registered_without_registrar (Fixture *f, gconstpointer data)
{
  PhoneAccount *direct = add_account (f, "direct", "sip:alice@192.0.2.7", "register", "false");
  PhoneDialOptions options = { .account = direct, .when_registered = TRUE };

  g_assert_nonnull (phone_registry_dial (f->registry, "sip:bob@192.0.2.8", &options, NULL));
  g_assert_true (fake_ports_took (f->fake, "invite sip:bob@192.0.2.8"));
}

static void
test_dial_options (Fixture *f, gconstpointer data)
{
  const char *const bad[][3] = {
    { "From", "x" }, { "X-A", "line\r\nbreak" }, { "X A", "x" }, { "Via", "x" }, { "X-\xff", "x" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      PhoneDialOptions options = { .headers = bad[i] };
      g_autoptr (GError) error = NULL;

      g_assert_null (phone_registry_dial (f->registry, "bob", &options, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
    }
  g_assert_false (fake_ports_took (f->fake, "invite"));
}

static void
test_account_by_domain (Fixture *f, gconstpointer data)
{
  PhoneAccount *work = add_account (f, "work", "sip:a.lice@work.example", NULL, NULL);
  PhoneCall *call;

  set_registered (work);
  call = dial (f, "sip:boss@work.example");
  g_assert_true (phone_call_get_account (call) == work);
  call = dial (f, "sip:someone@elsewhere.example");
  g_assert_true (phone_call_get_account (call) == f->alice);
}

static void
test_clear_retry (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "srtp", "preferred", "sdes-in-clear", "true", NULL };
  PhoneCall *call;
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  /* How a call is encrypted does not concern the registration. */
  g_assert_false (fake_ports_took (f->fake, "remove alice"));
  call = dial (f, "bob");
  g_assert_true (fake_ports_took (f->fake, "invite"));
  g_assert_cmpint (f->fake->last_desc->profile, ==, PHONE_PROFILE_SAVP);
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
  g_assert_true (fake_ports_took (f->fake, "invite"));
  g_assert_cmpint (f->fake->last_desc->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  g_assert_cmpuint (f->fake->last_desc->n_cryptos, ==, 0);
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
  g_assert_true (fake_ports_took (f->fake, "invite"));
  g_assert_cmpint (f->fake->last_desc->profile, ==, PHONE_PROFILE_AVP);
  /* Only once. */
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DISCONNECTED);

  /* Required: the other keying, and then never in clear. */
  const char *const required[] = { "srtp", "required", NULL };
  g_assert_true (phone_account_update (f->alice, required, NULL));
  call = dial (f, "bob");
  g_assert_true (fake_ports_took (f->fake, "invite"));
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
  g_assert_true (fake_ports_took (f->fake, "invite"));
  g_assert_cmpint (f->fake->last_desc->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DISCONNECTED);

  /* One keying only: one attempt with it. */
  const char *const sdes[] = { "srtp", "preferred", "keying", "sdes", NULL };
  g_assert_true (phone_account_update (f->alice, sdes, NULL));
  call = dial (f, "bob");
  g_assert_true (fake_ports_took (f->fake, "invite"));
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
  g_assert_true (fake_ports_took (f->fake, "invite"));
  g_assert_cmpint (f->fake->last_desc->profile, ==, PHONE_PROFILE_AVP);
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
}

static void
end_unreachable (PhoneCall *call)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_UNREACHABLE, 0, NULL);

  phone_call_on_ended (call, reason);
}

/* A retry that meets nobody was not refused: that is no reason for one that asks less. What the peer said says more of the end. */
static void
test_retry_meets_nobody (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "srtp", "preferred", "sdes-in-clear", "true", NULL };
  PhoneCall *call;

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  call = dial (f, "bob");
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
  g_assert_cmpint (f->fake->last_desc->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  end_unreachable (call);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DISCONNECTED);
  g_assert_cmpint (f->fake->last_desc->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  g_assert_cmpuint (phone_call_get_reason (call)->sip, ==, 488);
}

/* Refused by whom it was sent on to, of the other address family: the next attempt begins with who was dialled. */
static void
test_retry_after_redirect (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "srtp", "preferred", "sdes-in-clear", "true", NULL };
  g_autofree PhoneIceDesc *overtaken = g_new0 (PhoneIceDesc, 1);
  PhoneCall *call;

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  call = dial (f, "bob");
  phone_call_on_trickle (call, overtaken);
  g_assert_cmpstr (f->fake->last_desc->address, ==, "192.0.2.1");
  phone_call_on_redirected (call, 302, "sip:bob@example.org", "sip:carol@[2001:db8::9]");
  phone_call_on_party (call, "sip:carol@example.net", NULL, NULL);      /* who that is does not say where */
  phone_call_on_rerouted (call, NULL);
  g_assert_null (call->ice_early);
  g_assert_cmpstr (f->fake->last_desc->address, ==, "2001:db8::1");
  phone_call_on_party (call, "sip:carol@[2001:db8::9]", "Carol", NULL);
  end_remotely (call, PHONE_CAUSE_NOT_ACCEPTABLE, 488);
  g_assert_cmpint (f->fake->last_desc->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  g_assert_cmpstr (f->fake->last_desc->address, ==, "192.0.2.1");
  g_assert_cmpstr (phone_call_get_remote_uri (call), ==, "sip:bob@example.org");
  g_assert_cmpstr (phone_call_get_remote_name (call), ==, "");
  g_assert_cmpstr (phone_call_get_diverter (call), ==, "");
  end_remotely (call, PHONE_CAUSE_BUSY, 486);
}

static void
test_dtmf (Fixture *f, gconstpointer data)
{
  PhoneCall *call = establish_outgoing (f, "bob");
  g_autoptr (GError) error = NULL;

  g_assert_false (phone_call_send_dtmf (call, "12x", 0, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  /* The peer's answer has no telephone-event: INFO, one after the other. */
  g_assert_true (phone_call_send_dtmf (call, "1a", 40, NULL));
  g_assert_true (fake_ports_took (f->fake, "info 1 40"));
  g_assert_false (fake_ports_took (f->fake, "info A 40"));
  while (!fake_ports_took (f->fake, "info A 40"))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_media_events_end_the_call (Fixture *f, gconstpointer data)
{
  PhoneCall *call = establish_outgoing (f, "bob");

  f->fake->media_events->rtp_timeout (call, 60);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DISCONNECTING);
  g_assert_true (fake_ports_took (f->fake, "hangup"));
  g_assert_cmpint (phone_call_get_reason (call)->cause, ==, PHONE_CAUSE_RTP_TIMEOUT);
}

/* Gateways describe early media and send none; only in the conversation it must not be missing. */
static void
test_silent_early_media (Fixture *f, gconstpointer data)
{
  PhoneCall *call = dial (f, "bob");
  g_autoptr (PhoneMediaDesc) answer = peer_desc (PHONE_DIRECTION_SENDRECV);

  phone_call_on_progress (call, 183, answer);
  g_assert_true (fake_ports_took (f->fake, "apply sendrecv"));
  f->fake->media_events->rtp_timeout (call, 60);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ALERTING);
  phone_call_on_answered (call, answer);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  /* the watch begins anew, though the plan is the same */
  g_assert_true (fake_ports_took (f->fake, "apply sendrecv"));
  f->fake->media_events->rtp_timeout (call, 60);
  g_assert_cmpint (phone_call_get_reason (call)->cause, ==, PHONE_CAUSE_RTP_TIMEOUT);
}

static void
test_flood_of_ended_calls (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_copy (phone_registry_get_settings (f->registry));

  settings->linger = 3600;
  phone_registry_set_settings (f->registry, settings);
  for (guint i = 0; i < 500; i++)
    {
      guint status;
      PhoneCall *call = receive_call (f, &status);

      end_remotely (call, PHONE_CAUSE_CANCELLED, 487);
    }
  g_assert_cmpuint (phone_registry_get_calls (f->registry)->len, <=, 65);
  g_assert_cmpuint (f->fake->media_open, ==, 0);
  while (phone_registry_get_calls (f->registry)->len)
    g_ptr_array_remove_index (phone_registry_get_calls (f->registry), 0);
}

static void
test_update_waits_for_calls (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "display-name", "Alice", NULL };
  PhoneCall *call = establish_outgoing (f, "bob");

  g_assert_true (phone_account_update (f->alice, updates, NULL));
  g_assert_true (fake_ports_took (f->fake, "save alice"));
  g_assert_false (fake_ports_took (f->fake, "remove alice"));
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  end_remotely (call, PHONE_CAUSE_HANGUP, 0);
  g_assert_true (fake_ports_took (f->fake, "remove alice"));
  phone_account_on_stopped (f->alice);
  g_assert_true (fake_ports_took (f->fake, "add alice"));
}

static void
test_password_is_read_again (Fixture *f, gconstpointer data)
{
  g_assert_true (phone_account_register (f->alice, NULL));
  g_assert_true (fake_ports_took (f->fake, "register alice"));
  f->fake->password = "another";
  g_assert_true (phone_account_register (f->alice, NULL));
  g_assert_true (fake_ports_took (f->fake, "remove alice"));
  phone_account_on_stopped (f->alice);
  g_assert_true (fake_ports_took (f->fake, "add alice"));
  g_assert_cmpstr (phone_secret_peek (phone_account_get_password (f->alice)), ==, "another");
  g_assert_false (phone_account_check_password (f->alice));
}

/* A dial that waits for the registration waits for the new password too, rather than the other way round. */
static void
test_password_before_waiting_dial (Fixture *f, gconstpointer data)
{
  PhoneDialOptions options = { .when_registered = TRUE };
  PhoneRegistrationDetail detail = { .code = 401, .reason = (char *) "auth-failed" };
  const char *const disabled[] = { "enabled", "false", NULL };
  PhoneCall *call;

  phone_account_on_registration (f->alice, PHONE_REGISTRATION_FAILED, &detail);
  call = phone_registry_dial (f->registry, "bob", &options, NULL);
  g_assert_nonnull (call);
  f->fake->password = "another";
  g_assert_true (phone_account_check_password (f->alice));
  g_assert_true (fake_ports_took (f->fake, "remove alice"));
  phone_account_on_stopped (f->alice);
  g_assert_true (fake_ports_took (f->fake, "add alice"));
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DIALING);
  set_registered (f->alice);
  g_assert_true (fake_ports_took (f->fake, "invite"));
  end_remotely (call, PHONE_CAUSE_HANGUP, 0);
  /* and an account that is switched off lets nobody wait in vain */
  phone_account_on_registration (f->alice, PHONE_REGISTRATION_FAILED, &detail);
  call = phone_registry_dial (f->registry, "bob", &options, NULL);
  g_assert_true (phone_account_update (f->alice, disabled, NULL));
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_DISCONNECTED);
}

static void
test_reload_selects_devices (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_copy (phone_registry_get_settings (f->registry));

  g_free (settings->output);
  settings->output = g_strdup ("silence");
  phone_registry_set_settings (f->registry, settings);
  g_assert_true (fake_ports_took (f->fake, "select output silence"));
  phone_registry_set_settings (f->registry, settings);
  g_assert_false (fake_ports_took (f->fake, "select output silence"));
}

static void
test_update_is_all_or_nothing (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "display-name", "Alice", "expires", "never", NULL };
  const char *const good[] = { "display-name", "Alice", NULL };
  g_autoptr (GError) error = NULL;

  g_assert_false (phone_account_update (f->alice, updates, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_assert_null (phone_account_get_settings (f->alice)->display_name);
  /* What could not be saved does not take effect either. */
  f->fake->fail_next = g_strdup ("save");
  g_assert_false (phone_account_update (f->alice, good, NULL));
  g_assert_null (phone_account_get_settings (f->alice)->display_name);
}

static void
on_stop_done (gpointer data)
{
  *(gboolean *) data = TRUE;
}

static void
test_stop (Fixture *f, gconstpointer data)
{
  const char *const updates[] = { "display-name", "Alice", NULL };
  PhoneCall *call = establish_outgoing (f, "bob");
  gboolean done = FALSE;

  phone_registry_stop (f->registry, 60000, on_stop_done, &done);
  g_assert_true (fake_ports_took (f->fake, "hangup"));
  g_assert_true (fake_ports_took (f->fake, "remove alice"));
  g_assert_false (done);
  end_remotely (call, PHONE_CAUSE_SHUTDOWN, 0);
  /* A change that comes on the way out is kept, and does not bring the account back. */
  g_assert_true (phone_account_update (f->alice, updates, NULL));
  phone_account_on_stopped (f->alice);
  g_assert_true (done);
  g_assert_false (fake_ports_took (f->fake, "add alice"));
}

/* ---- pure parts ---- */

static void
test_transitions (void)
{
  for (guint from = 0; from < phone_call_state_n_values; from++)
    {
      g_assert_false (phone_call_transition_allowed (from, from));
      g_assert_false (phone_call_transition_allowed (PHONE_CALL_DISCONNECTED, from));
      if (from != PHONE_CALL_DISCONNECTED)
        g_assert_true (phone_call_transition_allowed (from, PHONE_CALL_DISCONNECTED));
      if (from != PHONE_CALL_DISCONNECTED && from != PHONE_CALL_DISCONNECTING)
        g_assert_true (phone_call_transition_allowed (from, PHONE_CALL_DISCONNECTING));
    }
  g_assert_false (phone_call_transition_allowed (PHONE_CALL_DISCONNECTING, PHONE_CALL_ACTIVE));
  g_assert_false (phone_call_transition_allowed (PHONE_CALL_ACTIVE, PHONE_CALL_INCOMING));
}

static void
test_emergency (void)
{
  g_assert_true (phone_is_emergency_number ("112", NULL));
  g_assert_true (phone_is_emergency_number ("911", "DE"));
  g_assert_true (phone_is_emergency_number ("tel:1-1-2", NULL));
  g_assert_true (phone_is_emergency_number ("sip:110@example.org", "DE"));
  g_assert_true (phone_is_emergency_number ("urn:service:sos.fire", NULL));
  g_assert_true (phone_is_emergency_number ("999", "GB"));
  g_assert_false (phone_is_emergency_number ("999", "DE"));
  g_assert_false (phone_is_emergency_number ("1122", NULL));
  g_assert_false (phone_is_emergency_number ("+49112", "DE"));
  g_assert_false (phone_is_emergency_number ("bob", "DE"));
  g_assert_false (phone_is_emergency_number ("", NULL));
}

static void
test_reasons (void)
{
  g_autoptr (PhoneReason) busy = phone_reason_from_status (486, "Busy\r\nInjected: yes");
  g_autoptr (PhoneReason) unknown_6xx = phone_reason_from_status (699, NULL);
  g_autoptr (PhoneReason) unknown_4xx = phone_reason_from_status (499, "");
  g_autoptr (PhoneReason) broken = phone_reason_from_status (404, "\xff\xfe");

  g_assert_cmpint (busy->cause, ==, PHONE_CAUSE_BUSY);
  g_assert_null (strpbrk (busy->phrase, "\r\n"));
  g_assert_cmpint (unknown_6xx->cause, ==, PHONE_CAUSE_DECLINED);
  g_assert_cmpint (unknown_4xx->cause, ==, PHONE_CAUSE_FAILED);
  g_assert_null (unknown_4xx->phrase);
  g_assert_true (g_utf8_validate (broken->phrase, -1, NULL));
}

/* What the user is told, and what a gateway would say (RFC 3398 section 8.2.6.1, read backwards; ITU-T Q.850). */
static void
test_reason_of_status (void)
{
  static const struct { guint sip; const char *cause; guint q850; } rows[] = {
    { 400, "failed", 41 },        { 401, "auth-failed", 21 },     { 402, "forbidden", 21 },      { 403, "forbidden", 21 },
    { 404, "not-found", 1 },      { 405, "failed", 63 },          { 406, "not-acceptable", 79 }, { 407, "auth-failed", 21 },
    { 408, "no-answer", 102 },    { 410, "not-found", 22 },       { 413, "failed", 127 },        { 414, "failed", 127 },
    { 415, "not-acceptable", 79 }, { 416, "not-found", 127 },     { 420, "failed", 127 },        { 421, "failed", 127 },
    { 423, "failed", 127 },       { 480, "unavailable", 18 },     { 481, "failed", 41 },         { 482, "server-error", 25 },
    { 483, "server-error", 25 },  { 484, "not-found", 28 },       { 485, "not-found", 1 },       { 486, "busy", 17 },
    { 487, "cancelled", 127 },    { 488, "not-acceptable", 127 }, { 491, "failed", 41 },         { 500, "server-error", 41 },
    { 501, "server-error", 79 },  { 502, "server-error", 38 },    { 503, "server-error", 41 },   { 504, "server-error", 102 },
    { 505, "server-error", 127 }, { 513, "server-error", 0 },     { 600, "busy", 17 },           { 603, "declined", 21 },
    { 604, "not-found", 1 },      { 606, "not-acceptable", 88 },  { 302, "redirected", 0 },      { 699, "declined", 0 },
  };
  g_autoptr (PhoneReason) hangup = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_HANGUP, 0, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (PhoneReason) reason = phone_reason_from_status (rows[i].sip, NULL);

      g_test_message ("%u", rows[i].sip);
      g_assert_cmpstr (phone_cause_to_string (reason->cause), ==, rows[i].cause);
      g_assert_cmpuint (reason->q850, ==, rows[i].q850);
      g_assert_cmpuint (reason->sip, ==, rows[i].sip);
    }
  g_assert_cmpuint (hangup->q850, ==, 16);
}

static void
test_redaction (void)
{
  const struct { const char *text, *secret; } rows[] = {
    { "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20", "WVNf" },
    { "Authorization: Digest username=\"a\", response=\"0123456789abcdef\"", "0123456789abcdef" },
    { "a=ice-pwd:topsecretpassword\r\n", "topsecret" },
    { "\r\nSignal=5\r\nDuration=160", "=5" },
    { "Authorization: Bearer abc.def.ghi", "abc.def" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *clean = phone_log_redact (rows[i].text);

      g_assert_null (strstr (clean, rows[i].secret));
      g_assert_nonnull (strstr (clean, "[redacted]"));
    }
}

#define CASE(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Warnings about a peer's faults are part of what is tested. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  CASE ("/call/outgoing", test_outgoing);
  CASE ("/call/early-media", test_early_media);
  CASE ("/call/country", test_country);
  CASE ("/call/new-keys", test_new_keys);
  CASE ("/call/answer-without-sdp", test_answer_without_sdp);
  CASE ("/call/busy", test_busy);
  CASE ("/call/cancel-keeps-our-reason", test_cancel_keeps_our_reason);
  CASE ("/call/incoming", test_incoming);
  CASE ("/call/answer-fails-with-the-call", test_answer_fails_with_the_call);
  CASE ("/call/contact-of-whom", test_contact_of_whom);
  CASE ("/call/refused-offers", test_refused_offers);
  CASE ("/call/reject", test_reject);
  CASE ("/call/hold-and-resume", test_hold_and_resume);
  CASE ("/call/refused-hold", test_refused_hold);
  CASE ("/call/remote-hold", test_remote_hold);
  CASE ("/call/bad-reoffer", test_bad_reoffer_leaves_the_session);
  CASE ("/call/waiting", test_call_waiting);
  CASE ("/call/waiting-becomes-incoming", test_waiting_becomes_incoming);
  CASE ("/call/answered-late", test_answered_late);
  CASE ("/call/answered-together", test_answered_together);
  CASE ("/call/answered-while-resuming", test_answered_while_resuming);
  CASE ("/call/hold-behind-refresh", test_hold_behind_refresh);
  CASE ("/call/password-before-waiting-dial", test_password_before_waiting_dial);
  CASE ("/call/auto-answer", test_auto_answer);
  CASE ("/call/intercom", test_intercom);
  CASE ("/call/alert", test_alert);
  CASE ("/call/record-mark", test_record_mark);
  CASE ("/call/intercom-too-late", test_intercom_too_late);
  CASE ("/call/limits", test_limits);
  CASE ("/call/not-registered", test_not_registered);
  CASE ("/call/into-restart", test_dial_into_restart);
  CASE ("/call/into-restart-without-registrar", test_dial_into_restart_without_registrar);
  CASE ("/account/requests-into-restart", test_requests_into_restart);
  CASE ("/call/emergency-accounts", test_emergency_accounts);
  CASE ("/call/when-registered-without-registrar", test_when_registered_without_registrar);
  CASE ("/call/dial-options", test_dial_options);
  CASE ("/call/account-by-domain", test_account_by_domain);
  CASE ("/call/clear-retry", test_clear_retry);
  CASE ("/call/retry-meets-nobody", test_retry_meets_nobody);
  CASE ("/call/retry-after-redirect", test_retry_after_redirect);
  CASE ("/call/dtmf", test_dtmf);
  CASE ("/call/media-events", test_media_events_end_the_call);
  CASE ("/call/silent-early-media", test_silent_early_media);
  CASE ("/call/flood-of-ended-calls", test_flood_of_ended_calls);
  CASE ("/account/update-waits-for-calls", test_update_waits_for_calls);
  CASE ("/account/password-is-read-again", test_password_is_read_again);
  CASE ("/registry/reload-selects-devices", test_reload_selects_devices);
  CASE ("/account/update-is-all-or-nothing", test_update_is_all_or_nothing);
  CASE ("/registry/stop", test_stop);
  CASE ("/conference/from-hold", test_conference_takes_from_hold);
  CASE ("/conference/away", test_conference_away);
  CASE ("/conference/unanswered", test_conference_unanswered);
  g_test_add_func ("/call-state/transitions", test_transitions);
  g_test_add_func ("/emergency/numbers", test_emergency);
  g_test_add_func ("/reason/status", test_reasons);
  g_test_add_func ("/reason/of-status", test_reason_of_status);
  g_test_add_func ("/log/redaction", test_redaction);
  return g_test_run ();
}
