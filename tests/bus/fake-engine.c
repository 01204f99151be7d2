/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-engine.h"

#include "core/account-presence.h"
#include "core/model-private.h"
#include "core/subscriber.h"
#include "store/vault.h"

#include <math.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* sip/ and media/ keep their own data of a call; here it hangs on the object. */
#define DATA_KEY "fake-call"

struct _FakeEngine
{
  GHashTable *secrets;          /* account id -> text */
  GHashTable *selected;         /* role -> device */
  GString *digits, *news;
  guint n_messages;
  StoreVault *vault;
};

struct _PhoneMedia
{
  FakeEngine *engine;
  PhoneCall *call;
  const PhoneMediaEvents *events;
  gboolean running;
  PhoneByteSink *sink;          /* of a recording */
};

typedef struct
{
  PhoneMediaDesc *ours, *theirs;        /* last descriptions: the phone's and the far end's */
  PhoneMedia *media;
  gboolean over;
} FakeCall;

static void
fake_call_free (FakeCall *fake)
{
  phone_media_desc_free (fake->ours);
  phone_media_desc_free (fake->theirs);
  g_free (fake);
}

static FakeCall *
fake_call (PhoneCall *call)
{
  FakeCall *fake = g_object_get_data (G_OBJECT (call), DATA_KEY);

  if (!fake)
    {
      fake = g_new0 (FakeCall, 1);
      g_object_set_data_full (G_OBJECT (call), DATA_KEY, fake, (GDestroyNotify) fake_call_free);
    }
  return fake;
}

static gboolean
user_is (const char *uri, const char *user)
{
  const char *colon = strchr (uri, ':');
  gsize length = strlen (user);

  return colon && strncmp (colon + 1, user, length) == 0 && colon[1 + length] == '@';
}

/* ---- the far end's media ---- */

static void
far_caps (PhoneDirection direction, PhoneMediaCaps *ret_caps)
{
  *ret_caps = (PhoneMediaCaps){
    .n_codecs = 3,
    .codecs = { PHONE_CODEC_OPUS, PHONE_CODEC_PCMU, PHONE_CODEC_PCMA },
    .srtp = PHONE_SRTP_PREFERRED,
    .sdes_allowed = TRUE,
    .ptime = 20,
    .direction = direction,
    .address = "192.0.2.7",
    .port = 4000,
    .rtcp_port = 4001,
    .rtcp_mux = TRUE,
  };
}

static void
remember (PhoneMediaDesc **where, const PhoneMediaDesc *desc)
{
  PhoneMediaDesc *copy = phone_media_desc_copy (desc);

  phone_media_desc_free (*where);
  *where = copy;
}

/* What the far end answers to the phone's last offer. */
static PhoneMediaDesc *
far_answer (PhoneCall *call)
{
  FakeCall *fake = fake_call (call);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (GError) error = NULL;
  PhoneMediaCaps caps;
  PhoneMediaDesc *answer;

  far_caps (PHONE_DIRECTION_SENDRECV, &caps);
  answer = phone_answer_create (&caps, fake->ours, fake->theirs, &plan, &error);
  if (!answer)
    g_error ("The far end cannot answer: %s", error->message);
  remember (&fake->theirs, answer);
  return answer;
}

static PhoneMediaDesc *
far_offer (PhoneDirection direction, const PhoneMediaDesc *previous, PhoneSrtpPolicy srtp)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaCaps caps;
  PhoneMediaDesc *offer;

  far_caps (direction, &caps);
  caps.srtp = srtp;
  offer = phone_offer_create (&caps, previous, FALSE, &error);
  if (!offer)
    g_error ("The far end cannot offer: %s", error->message);
  return offer;
}

/* ---- things that happen later ---- */

typedef void (*Step) (PhoneCall *call);

typedef struct
{
  PhoneCall *call;
  Step step;
} Later;

static gboolean
on_later (gpointer data)
{
  Later *later = data;

  if (!fake_call (later->call)->over)
    later->step (later->call);
  return G_SOURCE_REMOVE;
}

static void
later_free (gpointer data)
{
  g_object_unref (((Later *) data)->call);
  g_free (data);
}

static void
call_later (PhoneCall *call, Step step)
{
  Later *later = g_new (Later, 1);

  *later = (Later){ g_object_ref (call), step };
  g_idle_add_full (G_PRIORITY_DEFAULT, on_later, later, later_free);
}

static void
end_with (PhoneCall *call, guint status, const char *phrase)
{
  g_autoptr (PhoneReason) reason = status
                                       ? phone_reason_from_status (status, phrase)
                                       : phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_HANGUP, 0, NULL);

  fake_call (call)->over = TRUE;
  phone_call_on_ended (call, reason);
}

static void step_refer_done (PhoneCall *call) { phone_call_on_transfer (call, PHONE_TRANSFER_DONE, 200); }
static void
step_refer_parked (PhoneCall *call)
{
  phone_call_on_transfer_reached (call, "sip:701@example.org");
  phone_call_on_transfer (call, PHONE_TRANSFER_DONE, 200);
}
static void step_refer_busy (PhoneCall *call) { phone_call_on_transfer (call, PHONE_TRANSFER_FAILED, 486); }
static void step_refer_ringing (PhoneCall *call) { phone_call_on_transfer (call, PHONE_TRANSFER_ACCEPTED, 180); }
static void step_ring (PhoneCall *call) { phone_call_on_progress (call, 180, NULL); }
static void step_busy (PhoneCall *call) { end_with (call, 486, "Busy Here"); }
static void step_decline (PhoneCall *call) { end_with (call, 603, "Decline"); }
static void step_not_found (PhoneCall *call) { end_with (call, 404, "Not Found"); }
static void step_gone (PhoneCall *call) { end_with (call, 0, NULL); }
static void step_confirm (PhoneCall *call) { phone_call_on_confirmed (call, NULL); }
static void step_no_reoffer (PhoneCall *call) { phone_call_on_reoffer_failed (call, 488, "Not Acceptable Here"); }

static void
step_early (PhoneCall *call)
{
  g_autoptr (PhoneMediaDesc) answer = far_answer (call);

  phone_call_on_progress (call, 183, answer);
}

static void
step_answer (PhoneCall *call)
{
  g_autoptr (PhoneMediaDesc) answer = far_answer (call);

  phone_call_on_answered (call, answer);
}

static void
step_echo (PhoneCall *call)
{
  step_ring (call);
  call_later (call, step_answer);
}

static void
step_burst (PhoneCall *call)
{
  step_ring (call);
  step_answer (call);
  step_gone (call);
}

static void
step_reoffer_answered (PhoneCall *call)
{
  g_autoptr (PhoneMediaDesc) answer = far_answer (call);

  phone_call_on_reoffer_answered (call, answer);
}

/* The ACK carries the answer when the offer was in our 200. */
static void
step_confirm_with_answer (PhoneCall *call)
{
  g_autoptr (PhoneMediaDesc) answer = far_answer (call);

  phone_call_on_confirmed (call, answer);
}

/* ---- signalling ---- */

static void
registered (PhoneAccount *account)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);
  PhoneRegistrationDetail good
      = { .code = 200, .phrase = (char *) "OK", .reason = (char *) "ok", .expires = 600 };
  PhoneRegistrationDetail bad = { .code = 403,
                                  .phrase = (char *) "Forbidden",
                                  .reason = (char *) "auth-failed",
                                  .retry_at = g_get_real_time () / G_USEC_PER_SEC + 60 };
  const char *const capabilities[] = { "outbound", "path", NULL };
  PhoneTlsInfo tls = { (char *) "TLSv1.3", (char *) "TLS_AES_256_GCM_SHA384", (char *) "CN=sip.example.org",
                       (char *) "CN=Test CA", 2000000000 };

  if (user_is (settings->aor, "slow"))
    return;
  if (settings->transport == PHONE_TRANSPORT_TLS)
    phone_account_on_tls (account, &tls);
  if (user_is (settings->aor, "fail") || (user_is (settings->aor, "strict") && !phone_account_get_password (account)))
    phone_account_on_registration (account, PHONE_REGISTRATION_FAILED, &bad);
  else
    {
      phone_account_on_capabilities (account, capabilities);
      phone_account_on_registration (account, PHONE_REGISTRATION_REGISTERED, &good);
      if (user_is (settings->aor, "waiting"))           /* a server that does not count */
        phone_account_on_mailbox (account, &(PhoneMailboxState){ .known = TRUE, .waiting = TRUE });
    }
}

static gboolean
on_registered_later (gpointer data)
{
  if (phone_account_get_registration (data) == PHONE_REGISTRATION_REGISTERING)
    registered (data);
  return G_SOURCE_REMOVE;
}

static void
account_register (gpointer ua, PhoneAccount *account)
{
  PhoneRegistrationDetail none = { 0 };

  phone_account_on_registration (account, PHONE_REGISTRATION_REGISTERING, &none);
  g_idle_add_full (G_PRIORITY_DEFAULT, on_registered_later, g_object_ref (account), g_object_unref);
}

static gboolean
account_add (gpointer ua, PhoneAccount *account, GError **error)
{
  if (phone_account_get_settings (account)->do_register)
    account_register (ua, account);
  return TRUE;
}

static gboolean
on_stopped_later (gpointer data)
{
  phone_account_on_stopped (data);
  return G_SOURCE_REMOVE;
}

static void
account_remove (gpointer ua, PhoneAccount *account)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, on_stopped_later, g_object_ref (account), g_object_unref);
}

static void
account_unregister (gpointer ua, PhoneAccount *account)
{
  PhoneRegistrationDetail none = { 0 };

  phone_account_on_registration (account, PHONE_REGISTRATION_UNREGISTERED, &none);
}

static char *
local_address_towards (gpointer ua, const char *address)
{
  return NULL;
}

static char *
account_local_address (gpointer ua, PhoneAccount *account, const char *target)
{
  return g_strdup ("127.0.0.1");
}

/* The far end turns out to be a conference. */
static void
step_focus (PhoneCall *call)
{
  GPtrArray *participants = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_participant_free);

  step_echo (call);
  g_ptr_array_add (participants, phone_participant_new ("sip:ann@example.org", "Ann", PHONE_PARTICIPANT_CONNECTED));
  g_ptr_array_add (participants, phone_participant_new ("sip:bob@example.org", NULL, PHONE_PARTICIPANT_ON_HOLD));
  phone_call_on_focus (call, "sip:room@example.org");
  phone_call_on_roster (call, participants);
}

static const struct
{
  const char *user;
  Step step;
} far_ends[] = {
  { "*900301234", step_echo }, { "*91", step_echo },    /* the provider's codes */
  { "echo", step_echo },   { "ring", step_ring },        { "busy", step_busy },   { "decline", step_decline },
  { "early", step_early }, { "notfound", step_not_found }, { "burst", step_burst }, { "stuck", step_echo },
  { "nohold", step_echo }, { "room", step_focus },
};

static gboolean
call_invite (gpointer ua, PhoneCall *call, const PhoneInviteParams *params, const PhoneMediaDesc *offer,
             GError **error)
{
  if (user_is (params->target, "down"))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN, "No way to %s", params->target);
      return FALSE;
    }
  remember (&fake_call (call)->ours, offer);
  for (gsize i = 0; i < G_N_ELEMENTS (far_ends); i++)
    if (user_is (params->target, far_ends[i].user))
      call_later (call, far_ends[i].step);
  return TRUE;
}

static void
call_ring (gpointer ua, PhoneCall *call, guint status, const PhoneMediaDesc *early)
{
}

static void
call_answer (gpointer ua, PhoneCall *call, const PhoneMediaDesc *desc)
{
  FakeCall *fake = fake_call (call);

  remember (&fake->ours, desc);
  if (!user_is (phone_call_get_remote_uri (call), "noack"))
    call_later (call, fake->theirs ? step_confirm : step_confirm_with_answer);
}

static void
call_reject (gpointer ua, PhoneCall *call, guint status, const char *phrase)
{
  call_later (call, step_gone);
}

static void
call_hangup (gpointer ua, PhoneCall *call, const PhoneReason *reason)
{
  call_later (call, step_gone);
}

static gboolean
call_reoffer (gpointer ua, PhoneCall *call, const PhoneMediaDesc *offer, GError **error)
{
  const char *uri = phone_call_get_remote_uri (call);

  remember (&fake_call (call)->ours, offer);
  if (user_is (uri, "nohold"))
    call_later (call, step_no_reoffer);
  else if (!user_is (uri, "stuck"))
    call_later (call, step_reoffer_answered);
  return TRUE;
}

static gboolean
call_dtmf_info (gpointer ua, PhoneCall *call, char digit, guint ms, GError **error)
{
  g_string_append_c (((FakeEngine *) ua)->digits, digit);
  return TRUE;
}

static void
call_divert (gpointer ua, PhoneCall *call, const char *target, const char *reason)
{
  g_string_append_printf (((FakeEngine *) ua)->news, "%s %s ", reason, target);
  call_later (call, step_gone);
}

static gboolean
call_refer (gpointer ua, PhoneCall *call, const char *target, PhoneCall *replaced, GError **error)
{
  if (user_is (target, "down"))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN, "No way to %s", target);
      return FALSE;
    }
  call_later (call, user_is (target, "700") ? step_refer_parked : user_is (target, "busy") ? step_refer_busy : user_is (target, "ring") ? step_refer_ringing : step_refer_done);
  return TRUE;
}

static void
referral_progress (gpointer ua, gpointer referral, guint status)
{
  g_string_append_printf (((FakeEngine *) ua)->news, "%u ", status);
}

/* ---- presence ---- */

static void
report_active (PhoneWatch *watch)
{
  PhoneSubscriptionDetail detail = { .state = PHONE_SUBSCRIPTION_ACTIVE };

  phone_watch_on_subscription (watch, &detail);
}

/* What the server says of sip:USER@... */
static gboolean
step_watch (gpointer data)
{
  PhoneWatch *watch = data;
  const char *uri = phone_watch_get_uri (watch);

  if (user_is (uri, "idle"))
    ;                                                   /* as without a registration */
  else if (user_is (uri, "notfound"))
    {
      PhoneSubscriptionDetail detail = { PHONE_SUBSCRIPTION_WAITING, 404, (char *) "not-found", g_get_real_time () / G_USEC_PER_SEC + 60 };

      phone_watch_on_subscription (watch, &detail);
    }
  else if (user_is (uri, "silent"))
    {
      PhoneSubscriptionDetail detail = { .state = PHONE_SUBSCRIPTION_PENDING };

      phone_watch_on_subscription (watch, &detail);
    }
  else if (phone_watch_get_kind (watch) == PHONE_WATCH_DIALOG)
    {
      GPtrArray *dialogs = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_dialog_entry_free);

      report_active (watch);
      if (user_is (uri, "ring") || user_is (uri, "busy"))
        {
          PhoneDialogEntry *entry = g_new0 (PhoneDialogEntry, 1);

          entry->id = g_strdup ("d1");
          entry->state = user_is (uri, "ring") ? PHONE_DIALOG_EARLY : PHONE_DIALOG_CONFIRMED;
          entry->direction = PHONE_DIALOG_RECIPIENT;
          entry->call_id = g_strdup ("abc@192.0.2.1");
          entry->local_tag = g_strdup ("l1");
          entry->remote_tag = g_strdup ("r1");
          entry->remote_uri = g_strdup ("sip:echo@example.org");
          entry->remote_name = g_strdup ("Carol");
          g_ptr_array_add (dialogs, entry);
        }
      phone_watch_on_dialogs (watch, dialogs);
    }
  else
    {
      PhonePresenceInfo info = { user_is (uri, "busy") ? PHONE_STATUS_ON_THE_PHONE : PHONE_STATUS_AWAY, (char *) "at lunch" };

      report_active (watch);
      phone_watch_on_presence (watch, &info);
    }
  g_object_unref (watch);
  return G_SOURCE_REMOVE;
}

static void
watch_start (gpointer ua, PhoneWatch *watch)
{
  g_idle_add (step_watch, g_object_ref (watch));
}

static void
watch_stop (gpointer ua, PhoneWatch *watch)
{
}

static void
presence_changed (gpointer ua, PhoneAccount *account)
{
  PhoneSubscriptionDetail detail = { .state = PHONE_SUBSCRIPTION_ACTIVE };

  if (phone_account_wants_publication (account))
    phone_account_on_publication (account, &detail);
}

static void
subscriber_changed (gpointer ua, PhoneSubscriber *subscriber)
{
}

static void
subscriber_end (gpointer ua, PhoneSubscriber *subscriber, const char *reason)
{
}

static void
dialogs_changed (gpointer ua, PhoneAccount *account)
{
}

/* echo@ takes it, reports that it has arrived, and sends it back; later@ is not there; gone@ does not exist; deaf@ never answers. */
typedef struct
{
  FakeEngine *engine;
  PhoneAccount *account;
  char *id, *message_id, *target, *text;
} Sent;

static gboolean
step_message (gpointer data)
{
  Sent *sent = data;
  PhoneMessages *messages = phone_registry_get_messages (phone_account_get_registry (sent->account));
  gboolean echo = strstr (sent->target, "echo@") != NULL, later = strstr (sent->target, "later@") != NULL;
  PhoneMessageAnswer answer = { .status = echo ? 200 : later ? 480 : 404 };
  PhoneIncomingMessage incoming = { .content = PHONE_MESSAGE_REPORT, .remote_uri = sent->target, .transaction = "", .trusted = TRUE, .source = "",
                                    .message_id = sent->message_id, .disposition = PHONE_DISPOSITION_DELIVERED };
  g_autofree char *transaction = g_strdup_printf ("%u 1", ++sent->engine->n_messages);
  guint retry_after;

  /* sip:says-stored-echo@... has that reported. */
  for (int i = 0; i < phone_disposition_n_values; i++)
    {
      g_autofree char *user = g_strdup_printf ("says-%s-echo@", phone_disposition_to_string ((PhoneDisposition) i));

      if (strstr (sent->target, user))
        incoming.disposition = (PhoneDisposition) i;
    }

  phone_messages_on_answer (messages, sent->id, &answer, echo ? "OK" : later ? "Temporarily Unavailable" : "Not Found", echo);
  if (echo && sent->text)
    {
      phone_messages_on_incoming (messages, sent->account, &incoming, NULL, &retry_after);
      incoming.content = PHONE_MESSAGE_TEXT;
      incoming.text = sent->text;
      incoming.transaction = transaction;
      incoming.message_id = transaction;
      incoming.asks = PHONE_REPORT_DELIVERED | PHONE_REPORT_DISPLAYED;
      phone_messages_on_incoming (messages, sent->account, &incoming, NULL, &retry_after);
      /* and once more: the network had two of it */
      phone_messages_on_incoming (messages, sent->account, &incoming, NULL, &retry_after);
    }
  g_object_unref (sent->account);
  g_free (sent->id);
  g_free (sent->message_id);
  g_free (sent->target);
  g_free (sent->text);
  g_free (sent);
  return G_SOURCE_REMOVE;
}

static gboolean
message_send (gpointer ua, PhoneAccount *account, const PhoneMessageParams *params, GError **error)
{
  Sent *sent;

  if (strstr (params->target, "deaf@"))
    return TRUE;
  sent = g_new0 (Sent, 1);
  *sent = (Sent){ ua, g_object_ref (account), g_strdup (params->id), g_strdup (params->message_id), g_strdup (params->target),
                  params->content == PHONE_MESSAGE_TEXT ? g_strdup (params->text) : NULL };
  g_idle_add (step_message, sent);
  return TRUE;
}

static void
message_answer (gpointer ua, gpointer transaction, guint status, guint retry_after)
{
}

static const PhoneSignallingOps signalling_ops = {
  .account_add = account_add,
  .account_remove = account_remove,
  .account_register = account_register,
  .account_unregister = account_unregister,
  .account_local_address = account_local_address,
  .local_address_towards = local_address_towards,
  .call_invite = call_invite,
  .call_ring = call_ring,
  .call_answer = call_answer,
  .call_reject = call_reject,
  .call_hangup = call_hangup,
  .call_reoffer = call_reoffer,
  .call_dtmf_info = call_dtmf_info,
  .call_divert = call_divert,
  .call_refer = call_refer,
  .referral_progress = referral_progress,
  .watch_start = watch_start,
  .watch_stop = watch_stop,
  .presence_changed = presence_changed,
  .subscriber_changed = subscriber_changed,
  .subscriber_end = subscriber_end,
  .dialogs_changed = dialogs_changed,
  .message_send = message_send,
  .message_answer = message_answer,
};

/* ---- media ---- */

static PhoneMedia *
media_new (gpointer engine, PhoneCall *call, const PhoneMediaParams *params, const PhoneMediaEvents *events,
           GError **error)
{
  PhoneMedia *media = g_new0 (PhoneMedia, 1);

  *media = (PhoneMedia){ engine, call, events, FALSE };
  fake_call (call)->media = media;
  return media;
}

static void
media_ports (PhoneMedia *media, guint16 *ret_rtp, guint16 *ret_rtcp)
{
  *ret_rtp = 16384;
  *ret_rtcp = 16385;
}

static gboolean
media_apply (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error)
{
  media->running = TRUE;
  return TRUE;
}

static void media_set_muted (PhoneMedia *media, gboolean muted) {}
static void media_set_attached (PhoneMedia *media, gboolean attached) {}
static void media_set_tone (PhoneMedia *media, PhoneTone tone) {}

static gboolean
media_send_dtmf (PhoneMedia *media, const char *digits, guint ms, GError **error)
{
  g_string_append (media->engine->digits, digits);
  return TRUE;
}

/* One of each kind: known, unknown as NAN, unknown as -1, negative and right. */
static gboolean
media_report (PhoneMedia *media, PhoneMediaReport *ret_report)
{
  if (!media->running)
    return FALSE;
  *ret_report = (PhoneMediaReport){
    .at = g_get_monotonic_time (),
    .codec = "opus",
    .packets_sent = 500,
    .octets_sent = 40000,
    .packets_received = 490,
    .octets_received = 39000,
    .packets_lost = -2,
    .loss_local = 0.02,
    .loss_remote = -1,
    .jitter_local = 3.5,
    .jitter_remote = NAN,
    .round_trip = NAN,
    .playout_target = 20,
    .playout_delay = 22.5,
    .level_in = -30,
    .level_out = -20,
    .mos = 4.2,
    .metrics = { .loss = 0.01, .rating = 88, .mos_lq = 4.3, .mos_cq = 4.2, .echo_return = NAN },
    .have_peer_metrics = TRUE,
    .peer_metrics = { .loss = 0.03, .burst_density = 0.25, .burst_ms = 120, .gap_ms = 4000, .signal = -20, .round_trip = NAN, .rating = 80, .mos_lq = 4, .mos_cq = 3.9 },
    .bitrate = 24000,
    .bitrate_target = 28000,
    .rate_reason = "steady",
    .feedback = "ccfb",
    .send_queue = 1.5,
    .red = 1,
    .copies_sent = 20,
    .copies_used = 3,
    .breaks = 1,
    .input_origin = 12345,
    .key_changes = 1,
  };
  return TRUE;
}

/* The client finds a line in its socket. */
static gboolean
open_stream (PhoneMedia *media, const PhoneStreamParams *params, int *ret_fd, GError **error)
{
  g_autofree char *line = g_strdup_printf ("%d %d %u %u %d\n", params->listens, params->speaks, params->rate, params->channels, params->live);
  int ends[2];

  if (params->rate != 48000 && params->rate != 8000)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "rate: not %u", params->rate);
      return FALSE;
    }
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 || write (ends[0], line, strlen (line)) < 0)
    g_error ("no sockets");
  close (ends[0]);
  *ret_fd = ends[1];
  return TRUE;
}

/* What is recorded here is text, and no sound in any format: a mark in front of it. */
static int
export_sound (int sound, PhoneRecordingFormat format, GError **error)
{
  char octets[1024];
  gssize n = read (sound, octets, sizeof octets);
  int ends[2];

  close (sound);
  if (pipe (ends) < 0 || write (ends[1], format == PHONE_RECORDING_FORMAT_WAV ? "wav: " : "ogg: ", 5) != 5 || n < 0 || write (ends[1], octets, (gsize) n) != n)
    g_error ("no pipe");
  close (ends[1]);
  return ends[0];
}

/* Nothing takes any time here. */
static gboolean
play (PhoneMedia *media, const char *path, gboolean queue, GError **error)
{
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "%s: there is no such file", path);
      return FALSE;
    }
  media->events->played (media->call, path);
  return TRUE;
}

static void stop_playing (PhoneMedia *media) {}

/* What is recorded here is text. */
static gboolean
record_start (PhoneMedia *media, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error)
{
  media->sink = sink;
  return sink->write (sink, "sound", 5, error);
}

static void
record_pause (PhoneMedia *media, gboolean paused)
{
  media->sink->write (media->sink, paused ? ", pause" : ", more sound", paused ? 7 : 12, NULL);
}

static void
record_stop (PhoneMedia *media)
{
  PhoneByteSink *sink = g_steal_pointer (&media->sink);

  if (sink)
    sink->close (sink, TRUE, 1500);
}

static void
media_free (PhoneMedia *media)
{
  record_stop (media);
  fake_call (media->call)->media = NULL;
  g_free (media);
}

static void set_ring (gpointer engine, PhoneTone tone, const char *country, const char *sound) {}
static void audio_set_fader (gpointer engine, PhoneFader fader, guint value) {}

static gboolean
audio_select (gpointer engine, const char *role, const char *device, GError **error)
{
  static const char *const known[] = { "default", "silence", "tone", "alsa:headset", NULL };
  static const char *const modes[] = { "off", "on", "auto", NULL };

  if (g_str_equal (role, "follow-default") || g_strv_contains (g_str_equal (role, "echo-cancel") ? modes : known, device))
    {
      g_hash_table_replace (((FakeEngine *) engine)->selected, g_strdup (role), g_strdup (device));
      return TRUE;
    }
  if (g_str_has_prefix (device, "alsa:"))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "There is no device %s", device);
  else
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: '%s' is not a device", role, device);
  return FALSE;
}

static char *
audio_selected (gpointer engine, const char *role)
{
  const char *device = g_hash_table_lookup (((FakeEngine *) engine)->selected, role);

  return g_strdup (device ? device : g_str_equal (role, "echo-cancel") ? "auto" : "default");
}

static GHashTable *
device_new (const char *id, const char *name, const char *role, const char *is_default)
{
  GHashTable *device = g_hash_table_new (g_str_hash, g_str_equal);

  g_hash_table_insert (device, (char *) "id", (char *) id);
  g_hash_table_insert (device, (char *) "name", (char *) name);
  g_hash_table_insert (device, (char *) "role", (char *) role);
  g_hash_table_insert (device, (char *) "driver", (char *) "alsa");
  g_hash_table_insert (device, (char *) "default", (char *) is_default);
  return device;
}

static GPtrArray *
audio_devices (gpointer engine)
{
  GPtrArray *devices = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);

  g_ptr_array_add (devices, device_new ("alsa:headset", "Headset \xff", "input", "true"));
  g_ptr_array_add (devices, device_new ("alsa:headset", "Headset", "output", "false"));
  return devices;
}

static gboolean
audio_test_tone (gpointer engine, const char *role, GError **error)
{
  g_autofree char *device = audio_selected (engine, role);

  if (!g_str_equal (device, "silence"))
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "No device for %s", role);
  return FALSE;
}

struct _PhoneRoom
{
  PhoneByteSink *sink;
};

static PhoneRoom *
room_new (gpointer engine, PhoneRoomFailed failed, gpointer data)
{
  return g_new0 (PhoneRoom, 1);
}

static void
room_free (PhoneRoom *room)
{
  if (room->sink)
    room->sink->close (room->sink, TRUE, 1500);
  g_free (room);
}

static void room_set (PhoneRoom *room, gboolean muted, gboolean away) {}
static double room_level (PhoneRoom *room) { return -30; }

static gboolean
room_record_start (PhoneRoom *room, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error)
{
  room->sink = sink;
  return sink->write (sink, "sound of all", 12, error);
}

static void room_record_pause (PhoneRoom *room, gboolean paused) {}

static void
room_record_stop (PhoneRoom *room)
{
  PhoneByteSink *sink = g_steal_pointer (&room->sink);

  if (sink)
    sink->close (sink, TRUE, 1500);
}

static gboolean
room_open_stream (PhoneRoom *room, const PhoneStreamParams *params, int *ret_fd, GError **error)
{
  return open_stream (NULL, params, ret_fd, error);
}

static void media_set_room (PhoneMedia *media, PhoneRoom *room) {}
static void media_set_voice (PhoneMedia *media, gboolean voice) {}
static double media_level (PhoneMedia *media) { return -20; }

static const PhoneMediaOps media_ops = {
  .media_new = media_new,
  .media_ports = media_ports,
  .media_apply = media_apply,
  .media_set_muted = media_set_muted,
  .media_set_attached = media_set_attached,
  .media_set_tone = media_set_tone,
  .media_send_dtmf = media_send_dtmf,
  .media_report = media_report,
  .room_new = room_new,
  .room_free = room_free,
  .room_set = room_set,
  .room_level = room_level,
  .room_record_start = room_record_start,
  .room_record_pause = room_record_pause,
  .room_record_stop = room_record_stop,
  .room_open_stream = room_open_stream,
  .export_sound = export_sound,
  .media_set_room = media_set_room,
  .media_set_voice = media_set_voice,
  .media_level = media_level,
  .open_stream = open_stream,
  .play = play,
  .stop_playing = stop_playing,
  .record_start = record_start,
  .record_pause = record_pause,
  .record_stop = record_stop,
  .media_free = media_free,
  .set_ring = set_ring,
  .audio_select = audio_select,
  .audio_selected = audio_selected,
  .audio_devices = audio_devices,
  .audio_test_tone = audio_test_tone,
  .audio_set_fader = audio_set_fader,
};

/* ---- storage ---- */

static gboolean
check_disk (const char *id, GError **error)
{
  if (!g_str_equal (id, "diskfull"))
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "Cannot save %s: no space left", id);
  return FALSE;
}

static gboolean
account_save (gpointer store, const PhoneAccountSettings *settings, GError **error)
{
  return check_disk (settings->id, error);
}

static gboolean
account_delete (gpointer store, const char *id, GError **error)
{
  if (!g_str_equal (id, "locked"))
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED,
               "Account %s comes from a file that is not yours", id);
  return FALSE;
}

static PhoneSecret *
secret_load (gpointer store, const PhoneAccountSettings *settings, GError **error)
{
  const char *text = fake_engine_get_secret (store, settings->id);

  return text ? phone_secret_new (text, -1) : NULL;
}

static gboolean
secret_save (gpointer store, const char *account_id, PhoneSecret *secret, GError **error)
{
  if (strcmp (phone_secret_peek (secret), "diskfull") == 0)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_STORAGE,
                           "Cannot save the password: no space left");
      return FALSE;
    }
  g_hash_table_replace (((FakeEngine *) store)->secrets, g_strdup (account_id),
                        g_strdup (phone_secret_peek (secret)));
  return TRUE;
}

static gboolean
turn_secret_save (gpointer store, const char *account_id, PhoneSecret *secret, GError **error)
{
  g_autofree char *id = g_strconcat (account_id, "-turn", NULL);

  return secret_save (store, id, secret, error);
}

static const PhoneStoreOps store_ops = {
  .account_save = account_save,
  .account_delete = account_delete,
  .secret_load = secret_load,
  .secret_save = secret_save,
  .turn_secret_save = turn_secret_save,
};

/* ---- for the test ---- */

FakeEngine *
fake_engine_new (const char *state, const char *credentials)
{
  FakeEngine *engine = g_new0 (FakeEngine, 1);

  engine->vault = store_vault_new (state, credentials);

  engine->secrets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  engine->selected = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  engine->digits = g_string_new (NULL);
  engine->news = g_string_new (NULL);
  return engine;
}

void
fake_engine_free (FakeEngine *engine)
{
  g_hash_table_unref (engine->secrets);
  g_hash_table_unref (engine->selected);
  g_string_free (engine->digits, TRUE);
  store_vault_free (engine->vault);
  g_string_free (engine->news, TRUE);
  g_free (engine);
}

void
fake_engine_get_ports (FakeEngine *engine, PhonePorts *ret_ports)
{
  *ret_ports = (PhonePorts){
    .sig = &signalling_ops,
    .ua = engine,
    .media = &media_ops,
    .engine = engine,
    .store = &store_ops,
    .store_data = engine,
    .vault = &store_vault_ops,
    .vault_data = engine->vault,
  };
}

const char *
fake_engine_get_secret (FakeEngine *engine, const char *account_id)
{
  return g_hash_table_lookup (engine->secrets, account_id);
}

guint
fake_engine_refer (FakeEngine *engine, PhoneCall *call, const char *target, const char *replaces)
{
  PhoneReferralRequest request = { target, replaces, "sip:referrer@example.org" };

  return phone_call_on_refer (call, &request, engine);
}

const char *
fake_engine_get_news (FakeEngine *engine)
{
  return engine->news->str;
}

const char *
fake_engine_get_digits (FakeEngine *engine)
{
  return engine->digits->str;
}

guint
fake_engine_incoming (FakeEngine *engine, PhoneRegistry *registry, PhoneAccount *account, const char *uri,
                      const char *name, gboolean offer, guint *ret_status)
{
  PhoneSrtpPolicy srtp = phone_account_get_srtp (account);
  g_autoptr (PhoneMediaDesc) desc = offer ? far_offer (PHONE_DIRECTION_SENDRECV, NULL, srtp) : NULL;
  PhoneIncoming incoming = {
    .remote_uri = uri, .remote_name = name, .asserted_id = "", .diverter = "", .request_uri = "sip:me"
  };
  PhoneRefusal refusal = { 0 };
  PhoneCall *call = phone_registry_on_incoming (registry, account, &incoming, desc, engine, &refusal);

  *ret_status = refusal.status;
  if (!call)
    return 0;
  if (desc)
    remember (&fake_call (call)->theirs, desc);
  return phone_call_get_number (call);
}

void
fake_engine_confirm (PhoneCall *call)
{
  step_confirm (call);
}

void
fake_engine_end (PhoneCall *call, guint sip_status)
{
  end_with (call, sip_status, sip_status ? "As told" : NULL);
}

gboolean
fake_engine_reoffer (PhoneCall *call, PhoneDirection direction, GError **error)
{
  FakeCall *fake = fake_call (call);
  const PhoneMediaPlan *plan = phone_call_get_plan (call);
  PhoneSrtpPolicy srtp = plan && plan->encrypted ? PHONE_SRTP_REQUIRED : PHONE_SRTP_OFF;
  g_autoptr (PhoneMediaDesc) offer = far_offer (direction, fake->theirs, srtp);
  g_autoptr (PhoneMediaDesc) answer = phone_call_on_offer (call, offer, error);

  if (!answer)
    return FALSE;
  remember (&fake->theirs, offer);
  remember (&fake->ours, answer);
  return TRUE;
}

void
fake_engine_reoffer_answered (PhoneCall *call)
{
  step_reoffer_answered (call);
}

gboolean
fake_engine_digit (PhoneCall *call, char digit, guint ms)
{
  PhoneMedia *media = fake_call (call)->media;

  if (!media)
    return FALSE;
  media->events->dtmf (call, digit, ms);
  return TRUE;
}
