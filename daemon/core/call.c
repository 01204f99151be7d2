/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The call as an object: its state (one choke point, phone_call_set_state), what clients may do with it, and the
 * requests that wait for an outcome. What the wire says comes in through call-events.c. */

#include "core/call-private.h"
#include "core/call-state.h"
#include "core/conference-private.h"

#include <string.h>

#define MAX_DTMF_DIGITS 128
#define DTMF_DEFAULT_MS 100
#define DTMF_MIN_MS 40
#define DTMF_MAX_MS 6000
#define DTMF_PAUSE_MS 50

enum
{
  SIGNAL_CHANGED,
  SIGNAL_DTMF,
  SIGNAL_PLAYED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (PhoneCall, phone_call, G_TYPE_OBJECT)

/* Whoever still waits when the daemon lets go of its calls is told, as ever, once. */
static void
phone_call_dispose (GObject *object)
{
  PhoneCall *call = PHONE_CALL (object);
  g_autoptr (GError) gone = g_error_new (PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Call %u is gone", call->number);

  phone_call_collect_ended (call);
  phone_call_fire (call, &call->answer_waiter, gone);
  phone_call_fire (call, &call->hold_waiter, gone);
  phone_call_fire (call, &call->record_waiter, gone);
  phone_call_fire (call, &call->park_waiter, gone);
  G_OBJECT_CLASS (phone_call_parent_class)->dispose (object);
}

static void
phone_call_finalize (GObject *object)
{
  PhoneCall *call = PHONE_CALL (object);

  phone_call_clear_timers (call);
  phone_call_dispose_media (call);
  g_clear_object (&call->account);
  g_free (call->id);
  g_free ((char *) call->log.call);
  g_free ((char *) call->log.account);
  g_free ((char *) call->log.sip_call_id);
  phone_reason_free (call->reason);
  g_free (call->remote_uri);
  g_free (call->remote_name);
  g_free (call->asserted_id);
  g_free (call->diverter);
  g_free (call->alert);
  g_free (call->focus);
  g_ptr_array_unref (call->roster);
  g_free (call->target);
  g_free (call->sent_to);
  phone_reason_free (call->setback);
  g_free (call->local_address);
  phone_tape_clear (&call->tape);
  g_free (call->machine_sound);
  g_free (call->ice_address);
  if (call->ice_local)
    explicit_bzero (call->ice_local, sizeof *call->ice_local);
  g_free (call->ice_local);
  phone_call_forget_early_ice (call);
  g_free (call->display_name);
  g_free (call->replaces);
  g_strfreev (call->headers);
  phone_call_transfer_dispose (call);
  phone_quality_watch_free (call->quality);
  phone_media_desc_free (call->remote_offer);
  phone_media_desc_free (call->local);
  phone_media_desc_free (call->pending_offer);
  phone_media_plan_free (call->plan);
  if (call->info_digits)
    g_string_free (call->info_digits, TRUE);
  G_OBJECT_CLASS (phone_call_parent_class)->finalize (object);
}

static void
phone_call_class_init (PhoneCallClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = phone_call_dispose;
  G_OBJECT_CLASS (klass)->finalize = phone_call_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new (PHONE_SIGNAL_CHANGED, PHONE_TYPE_CALL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_UINT);
  signals[SIGNAL_PLAYED] = g_signal_new ("played", PHONE_TYPE_CALL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SIGNAL_DTMF] = g_signal_new ("dtmf", PHONE_TYPE_CALL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3,
                                       G_TYPE_UINT, G_TYPE_UINT, G_TYPE_STRING);
}

static void
phone_call_init (PhoneCall *call)
{
  call->id = g_uuid_string_random ();
  call->roster = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_participant_free);
  call->start = g_get_real_time () / G_USEC_PER_SEC;
  call->reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_NONE, 0, NULL);
}

static PhoneCall *
call_new (PhoneRegistry *registry, PhoneAccount *account, guint number, PhoneCallDirection direction, PhoneCallState state)
{
  PhoneCall *call = g_object_new (PHONE_TYPE_CALL, NULL);

  call->registry = registry;
  call->account = g_object_ref (account);
  call->number = number;
  call->log.call = g_strdup_printf ("%u", number);
  call->log.account = g_strdup (phone_account_get_id (account));
  call->direction = direction;
  call->state = state;
  call->answer_after = -1;
  phone_call_recording_init (call);
  return call;
}

/* RFC 5373, and what most desk phones know instead. The URI of Call-Info has to be there and means nothing. */
static char **
add_intercom (const char *const *headers)
{
  GStrvBuilder *builder = g_strv_builder_new ();
  char **all;

  if (headers)
    g_strv_builder_addv (builder, (const char **) headers);
  g_strv_builder_add_many (builder, "Answer-Mode", "Auto", "Call-Info", "<sip:intercom.invalid>;answer-after=0", NULL);
  all = g_strv_builder_end (builder);
  g_strv_builder_unref (builder);
  return all;
}

PhoneCall *
phone_call_new_outgoing (PhoneRegistry *registry, PhoneAccount *account, guint number, const char *target,
                         const PhoneDialOptions *options)
{
  PhoneCall *call = call_new (registry, account, number, PHONE_CALL_OUTGOING, PHONE_CALL_DIALING);

  call->target = g_strdup (target);
  call->remote_uri = g_strdup (target);
  call->remote_name = g_strdup (options->display_name ? options->display_name : "");
  call->asserted_id = g_strdup ("");
  call->diverter = g_strdup ("");
  call->verstat = "";
  call->alert = g_strdup ("");
  call->display_name = g_strdup (options->display_name);
  call->replaces = g_strdup (options->replaces);
  call->headers = options->intercom ? add_intercom (options->headers) : g_strdupv ((char **) options->headers);
  call->privacy = options->privacy;
  call->when_registered = options->when_registered;
  call->keep_others = options->keep_others;
  call->referred_by = g_strdup (options->referred_by);
  return call;
}

PhoneCall *
phone_call_new_incoming (PhoneRegistry *registry, PhoneAccount *account, guint number, const PhoneIncoming *incoming,
                         const PhoneMediaDesc *offer, gpointer engine_data)
{
  PhoneCall *call = call_new (registry, account, number, PHONE_CALL_INBOUND, PHONE_CALL_INCOMING);

  call->remote_uri = g_strdup (incoming->remote_uri ? incoming->remote_uri : "");
  call->remote_name = g_strdup (incoming->remote_name ? incoming->remote_name : "");
  call->asserted_id = g_strdup (incoming->asserted_id ? incoming->asserted_id : "");
  call->diverter = g_strdup (incoming->diverter ? incoming->diverter : "");
  call->verstat = incoming->verstat ? incoming->verstat : "";
  /* As with the identity: a server that we registered with, or a phone that has none. */
  call->over_tls = incoming->over_tls;
  if (incoming->alert && (incoming->from_server || !phone_account_get_settings (account)->do_register))
    call->alert = g_strdup (incoming->alert);
  else
    call->alert = g_strdup ("");
  call->in_a_circle = incoming->diversions >= PHONE_MAX_DIVERSIONS || incoming->diverted_by_us;
  call->remote_offer = offer ? phone_media_desc_copy (offer) : NULL;
  call->engine_data = engine_data;
  return call;
}

/* ---- state ---- */

void
phone_call_emit_changed (PhoneCall *call, guint mask)
{
  g_signal_emit (call, signals[SIGNAL_CHANGED], 0, mask);
  if (call->conference && mask & (PHONE_CALL_FIELD_STATE | PHONE_CALL_FIELD_HOLD | PHONE_CALL_FIELD_TRANSFER))
    phone_conference_emit_changed (call->conference, PHONE_CONFERENCE_CAN);
}

void
phone_call_emit_dtmf (PhoneCall *call, char digit, guint ms, const char *method)
{
  g_signal_emit (call, signals[SIGNAL_DTMF], 0, (guint) (guchar) digit, ms, method);
  phone_call_machine_digit (call, digit);
  phone_call_collect_digit (call, digit);
}

void
phone_call_emit_played (PhoneCall *call, const char *path)
{
  g_signal_emit (call, signals[SIGNAL_PLAYED], 0, path);
  phone_call_machine_played (call, path);
  phone_call_file_played (call);
}

void
phone_call_fire (PhoneCall *call, CallWaiter *waiter, const GError *error)
{
  CallWaiter once = *waiter;

  *waiter = (CallWaiter){ 0 };
  if (once.done)
    once.done (call, error, once.data);
}

void
phone_call_clear_timers (PhoneCall *call)
{
  g_clear_handle_id (&call->account_timeout, g_source_remove);
  g_clear_handle_id (&call->ring_timeout, g_source_remove);
  g_clear_handle_id (&call->auto_answer_timer, g_source_remove);
  g_clear_handle_id (&call->info_timer, g_source_remove);
  g_clear_handle_id (&call->linger_timer, g_source_remove);
  g_clear_handle_id (&call->ice_timer, g_source_remove);
  g_clear_handle_id (&call->transfer_timer, g_source_remove);
  g_clear_handle_id (&call->forward_timer, g_source_remove);
  g_clear_handle_id (&call->machine_timer, g_source_remove);
  g_clear_handle_id (&call->machine_limit, g_source_remove);
  g_clear_handle_id (&call->transfer_resume, g_source_remove);
}

/* Entry actions of the two final states: a client that waits learns that the call is over, and the microphone is closed before
 * anything else happens. */
static void
enter_ending (PhoneCall *call)
{
  g_autoptr (GError) ended = NULL;

  phone_call_clear_timers (call);
  call->answering = FALSE;
  call->due = REOFFER_NONE;
  phone_call_machine_ended (call);
  phone_call_collect_ended (call);
  phone_call_recording_ended (call);
  phone_call_update_attachment (call);
  ended = g_error_new (PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "The call ended: %s%s%s", phone_cause_to_string (call->reason->cause),
                       call->reason->phrase ? ", " : "", call->reason->phrase ? call->reason->phrase : "");
  phone_call_fire (call, &call->answer_waiter, ended);
  phone_call_fire (call, &call->hold_waiter, ended);
}

void
phone_call_set_state (PhoneCall *call, PhoneCallState state, const char *why)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  guint mask = PHONE_CALL_FIELD_STATE;
  gboolean answered = FALSE;

  if (call->state == state)
    return;
  if (!phone_call_transition_allowed (call->state, state))
    {
      phone_log_warning (&call->log, "Call %u: refused transition %s -> %s (%s)", call->number,
                         phone_call_state_to_string (call->state), phone_call_state_to_string (state), why);
      return;
    }
  phone_log_notice (&call->log, "Call %u: %s -> %s (%s)", call->number, phone_call_state_to_string (call->state),
                    phone_call_state_to_string (state), why);
  call->state = state;
  if (state == PHONE_CALL_ACTIVE && call->answered == 0)
    {
      call->answered = g_get_real_time () / G_USEC_PER_SEC;
      mask |= PHONE_CALL_FIELD_TIMES;
      answered = TRUE;
    }
  if (phone_call_is_ended (call))
    {
      mask |= PHONE_CALL_FIELD_REASON;
      enter_ending (call);
    }
  else
    phone_call_update_attachment (call);
  phone_call_emit_changed (call, mask);
  phone_registry_call_changed (call->registry, call);
  if (answered)
    phone_call_recording_answered (call);
  phone_call_transfer_state_changed (call);
  if (phone_call_is_ended (call))
    phone_conference_call_ended (call);
}

void
phone_call_set_reason (PhoneCall *call, const PhoneReason *reason)
{
  if (call->reason->cause != PHONE_CAUSE_NONE)
    return;
  phone_reason_free (call->reason);
  call->reason = phone_reason_copy (reason);
}

/* ---- getters ---- */

guint phone_call_get_number (PhoneCall *call) { return call->number; }
const char *phone_call_get_id (PhoneCall *call) { return call->id; }
PhoneAccount *phone_call_get_account (PhoneCall *call) { return call->account; }
PhoneCallDirection phone_call_get_direction (PhoneCall *call) { return call->direction; }
PhoneCallState phone_call_get_state (PhoneCall *call) { return call->state; }
const PhoneReason *phone_call_get_reason (PhoneCall *call) { return call->reason; }
const char *phone_call_get_remote_uri (PhoneCall *call) { return call->remote_uri; }
const char *phone_call_get_remote_name (PhoneCall *call) { return call->remote_name; }
const char *phone_call_get_party (PhoneCall *call) { return *call->asserted_id ? call->asserted_id : call->remote_uri; }
const char *phone_call_get_contact_name (PhoneCall *call) { return phone_registry_name_party (call->registry, call->asserted_id, call->remote_uri); }
const char *phone_call_get_verstat (PhoneCall *call) { return call->verstat; }
const char *phone_call_get_alert (PhoneCall *call) { return call->alert; }
const char *phone_call_get_asserted_id (PhoneCall *call) { return call->asserted_id; }
const char *phone_call_get_diverter (PhoneCall *call) { return call->diverter; }
PhoneRecordMark phone_call_get_remote_recording (PhoneCall *call) { return call->remote_record; }
const char *phone_call_get_focus (PhoneCall *call) { return call->focus ? call->focus : ""; }
const GPtrArray *phone_call_get_roster (PhoneCall *call) { return call->roster; }
gboolean phone_call_get_intercom (PhoneCall *call) { return call->intercom; }
gboolean phone_call_is_self_answered (PhoneCall *call) { return call->self_answered; }
gboolean phone_call_get_local_hold (PhoneCall *call) { return call->local_hold; }
gboolean phone_call_get_remote_hold (PhoneCall *call) { return call->remote_hold; }
gboolean phone_call_get_muted (PhoneCall *call) { return call->muted; }
gint64 phone_call_get_start (PhoneCall *call) { return call->start; }
gint64 phone_call_get_answered (PhoneCall *call) { return call->answered; }
const PhoneMediaPlan *phone_call_get_plan (PhoneCall *call) { return call->plan; }

gboolean
phone_call_get_suite (PhoneCall *call, PhoneSrtpSuite *ret_suite)
{
  if (!call->plan || !call->plan->encrypted || (call->plan->dtls && !call->secured))
    return FALSE;
  *ret_suite = call->plan->dtls ? call->suite : call->plan->send_key.suite;
  return TRUE;
}

gpointer phone_call_get_engine_data (PhoneCall *call) { return call->engine_data; }
void phone_call_set_engine_data (PhoneCall *call, gpointer data) { call->engine_data = data; }

void
phone_call_note_signalling_id (PhoneCall *call, const char *id)
{
  g_free ((char *) call->log.sip_call_id);
  call->log.sip_call_id = g_strdup (id);
}

gboolean
phone_call_needs_stack (PhoneCall *call)
{
  return call->state != PHONE_CALL_DISCONNECTED && (call->direction == PHONE_CALL_INBOUND || call->invited);
}

gboolean
phone_call_is_ended (PhoneCall *call)
{
  return call->state == PHONE_CALL_DISCONNECTING || call->state == PHONE_CALL_DISCONNECTED;
}

gboolean
phone_call_get_report (PhoneCall *call, PhoneMediaReport *ret_report)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  return call->media && ports->media->media_report (call->media, ret_report);
}

gboolean
phone_call_get_last_report (PhoneCall *call, PhoneMediaReport *ret_report)
{
  if (phone_call_get_report (call, ret_report))
    return TRUE;
  if (call->has_last_report)
    *ret_report = call->last_report;
  return call->has_last_report;
}

gboolean
phone_call_take_record (PhoneCall *call)
{
  gboolean first = !call->recorded;

  call->recorded = TRUE;
  return first;
}

static gboolean
is_unanswered_incoming (PhoneCall *call)
{
  return call->state == PHONE_CALL_INCOMING || call->state == PHONE_CALL_WAITING;
}

gboolean
phone_call_is_established (PhoneCall *call)
{
  return call->state == PHONE_CALL_ACTIVE || call->state == PHONE_CALL_HELD;
}

static gboolean
can_send_dtmf (PhoneCall *call)
{
  return call->state == PHONE_CALL_ACTIVE || (call->state == PHONE_CALL_ALERTING && call->plan != NULL);
}

/* One list for Can and for the checks of the actions: they cannot disagree. */
typedef struct
{
  const char *action;
  gboolean (*allowed) (PhoneCall *call);
} ActionRow;

static gboolean can_pick_up (PhoneCall *call) { return is_unanswered_incoming (call) && !call->answering; }
static gboolean
can_answer (PhoneCall *call)
{
  return can_pick_up (call) || (phone_call_is_machines (call) && !phone_call_is_ended (call));
}
static gboolean can_reject (PhoneCall *call) { return is_unanswered_incoming (call) && !call->answering; }
static gboolean can_hangup (PhoneCall *call) { return !phone_call_is_ended (call); }
static gboolean
can_hold (PhoneCall *call)
{
  return call->state == PHONE_CALL_ACTIVE && call->reoffer == REOFFER_NONE && !phone_call_is_machines (call);
}

static gboolean can_resume (PhoneCall *call) { return call->state == PHONE_CALL_HELD && call->reoffer == REOFFER_NONE; }
static gboolean can_mute (PhoneCall *call) { return !phone_call_is_ended (call); }
static gboolean can_silence (PhoneCall *call) { return is_unanswered_incoming (call) && !call->answering && !call->silenced; }

static gboolean
can_join (PhoneCall *call)
{
  return phone_registry_get_ports (call->registry)->media->room_new && phone_conference_check (NULL, call, NULL);
}

static const ActionRow actions[] = {
  { "answer", can_answer }, { "reject", can_reject }, { "hangup", can_hangup }, { "hold", can_hold },
  { "resume", can_resume }, { "dtmf", can_send_dtmf }, { "mute", can_mute }, { "silence", can_silence },
  { "play", phone_call_can_play }, { "record", phone_call_can_record },
  { "transfer", phone_call_can_transfer }, { "accept-transfer", phone_call_can_accept_transfer },
  { "park", phone_call_can_park }, { "conference", can_join }, { "deflect", can_reject },
};

const char **
phone_call_get_can (PhoneCall *call)
{
  const char **list = g_new0 (const char *, G_N_ELEMENTS (actions) + 1);
  gsize n = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    if (actions[i].allowed (call))
      list[n++] = actions[i].action;
  return list;
}

static gboolean
require (PhoneCall *call, const char *action, gboolean allowed, GError **error)
{
  if (allowed)
    return TRUE;
  if (phone_call_is_ended (call))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Call %u has ended", call->number);
  else if (phone_call_is_machines (call))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u: cannot %s, the answering machine has it", call->number, action);
  else if (call->answering || call->reoffer != REOFFER_NONE || phone_call_is_transferring (call))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "Call %u: cannot %s, %s is under way", call->number, action,
                 call->answering                    ? "answering"
                 : phone_call_is_transferring (call) ? "a transfer"
                 : call->reoffer == REOFFER_HOLD  ? "holding"
                 : call->reoffer == REOFFER_PATHS ? "finding another way for the media"
                                                  : "resuming");
  else
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is %s: cannot %s", call->number,
                 phone_call_state_to_string (call->state), action);
  return FALSE;
}

gboolean
phone_call_require (PhoneCall *call, const char *action, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    if (g_str_equal (actions[i].action, action))
      return require (call, action, actions[i].allowed (call), error);
  g_assert_not_reached ();
}

/* ---- incoming ---- */

static gboolean
on_ring_timeout (gpointer data)
{
  PhoneCall *call = data;
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_NO_ANSWER, 480, "No answer");

  call->ring_timeout = 0;
  phone_call_end (call, reason);
  return G_SOURCE_REMOVE;
}

/* It was quiet because it would be answered at once. */
static void
ring_after_all (PhoneCall *call)
{
  if (!call->intercom || !call->silenced || !can_pick_up (call))
    return;
  call->silenced = FALSE;
  phone_registry_call_changed (call->registry, call);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_STATE);
}

static gboolean
on_auto_answer (gpointer data)
{
  PhoneCall *call = data;
  g_autoptr (GError) error = NULL;

  call->auto_answer_timer = 0;
  if (!can_pick_up (call))
    return G_SOURCE_REMOVE;
  /* Whoever calls must not be able to put a conversation on hold: this one waits for the user. */
  if (phone_registry_is_talking (call->registry, call))
    {
      ring_after_all (call);
      return G_SOURCE_REMOVE;
    }
  if (call->intercom)
    phone_log_notice (&call->log, "Call %u: answered by itself, as the caller wished", call->number);
  call->self_answered = TRUE;
  call->beep_due = call->intercom;
  if (phone_call_answer (call, FALSE, NULL, NULL, &error))
    return G_SOURCE_REMOVE;
  call->self_answered = call->beep_due = FALSE;
  phone_log_warning (&call->log, "Call %u: automatic answer failed: %s", call->number, error->message);
  ring_after_all (call);
  return G_SOURCE_REMOVE;
}

void
phone_call_beep_if_due (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (!call->beep_due || call->state != PHONE_CALL_ACTIVE || !call->media || !call->plan || (call->plan->dtls && !call->secured))
    return;
  call->beep_due = FALSE;
  if (ports->media->media_beep)
    ports->media->media_beep (call->media);
}

void
phone_call_ring (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  guint ring_timeout = phone_registry_get_settings (call->registry)->ring_timeout;
  g_autoptr (GError) error = NULL;

  ports->sig->call_ring (ports->ua, call, 180, NULL);
  if (phone_call_is_ended (call))
    return;
  /* Candidates are gathered while it rings. */
  if (phone_account_get_settings (call->account)->ice && !phone_call_open_media (call, &error))
    {
      phone_log_warning (&call->log, "Call %u: %s", call->number, error->message);
      g_clear_error (&error);
    }
  if (ring_timeout)
    call->ring_timeout = g_timeout_add_seconds (ring_timeout, on_ring_timeout, call);
  phone_call_await_forward (call);
  phone_call_await_machine (call);
  if (call->answer_after >= 0)
    call->auto_answer_timer = g_timeout_add ((guint) call->answer_after, on_auto_answer, call);
}

void
phone_call_set_silenced (PhoneCall *call)
{
  call->silenced = TRUE;
}

#define AT_ONCE_MS 1000         /* before that nothing need ring */

void
phone_call_set_answer (PhoneCall *call, int after, gboolean intercom)
{
  call->answer_after = after;
  call->intercom = intercom;
  if (intercom && after < AT_ONCE_MS)
    call->silenced = TRUE;
}

void
phone_call_set_for_help (PhoneCall *call)
{
  call->for_help = TRUE;
}

gboolean
phone_call_wants_ring (PhoneCall *call)
{
  return is_unanswered_incoming (call) && !call->answering && !call->silenced;
}

void
phone_call_set_waiting (PhoneCall *call, gboolean waiting)
{
  if (is_unanswered_incoming (call) && !call->answering)
    phone_call_set_state (call, waiting ? PHONE_CALL_WAITING : PHONE_CALL_INCOMING,
                          waiting ? "another call is under way" : "no other call any more");
}

/* What goes out as the answer, or as the offer to an INVITE that had none. */
static gboolean
make_answer (PhoneCall *call, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (PhoneMediaDesc) desc = NULL;

  if (call->remote_offer)
    desc = phone_call_make_answer (call, call->remote_offer, error);
  else
    desc = phone_call_make_offer (call, phone_call_wanted_direction (call), FALSE, error);
  if (!desc)
    return FALSE;
  phone_call_update_attachment (call);
  ports->sig->call_answer (ports->ua, call, desc);
  return TRUE;
}

static void
fail_answer (PhoneCall *call, const GError *error)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_MEDIA_FAILED, 488, error->message);

  call->answering = FALSE;
  phone_call_end (call, reason);
}

void
phone_call_continue_answer (PhoneCall *call)
{
  g_autoptr (GError) error = NULL;

  if (!call->answering || !is_unanswered_incoming (call))
    return;
  if (make_answer (call, &error))
    return;
  phone_call_fire (call, &call->answer_waiter, error);
  fail_answer (call, error);
}

gboolean
phone_call_pick_up (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (!phone_call_open_media (call, error))
    return FALSE;
  call->answering = TRUE;
  if (!phone_call_await_ice (call, ICE_WAIT_ANSWER) && !make_answer (call, &local))
    {
      fail_answer (call, local);
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  if (!keep_others)
    phone_registry_hold_others (call->registry, call);
  g_clear_handle_id (&call->ring_timeout, g_source_remove);
  g_clear_handle_id (&call->forward_timer, g_source_remove);
  g_clear_handle_id (&call->machine_timer, g_source_remove);
  g_clear_handle_id (&call->auto_answer_timer, g_source_remove);
  call->answer_waiter = (CallWaiter){ done, data };
  phone_registry_call_changed (call->registry, call);
  if (!phone_call_is_ended (call))
    phone_call_emit_changed (call, PHONE_CALL_FIELD_STATE);
  return TRUE;
}

gboolean
phone_call_answer (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data, GError **error)
{
  if (!require (call, "answer", can_answer (call), error))
    return FALSE;
  if (phone_call_is_machines (call))
    return phone_call_take_from_machine (call, keep_others, done, data);
  return phone_call_pick_up (call, keep_others, done, data, error);
}

gboolean
phone_call_reject (PhoneCall *call, PhoneCause cause, GError **error)
{
  guint status = cause == PHONE_CAUSE_BUSY ? 486 : cause == PHONE_CAUSE_DECLINED ? 603 : 480;
  g_autoptr (PhoneReason) reason = NULL;

  if (cause != PHONE_CAUSE_BUSY && cause != PHONE_CAUSE_DECLINED && cause != PHONE_CAUSE_UNAVAILABLE)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Cannot reject with %s: busy, decline or unavailable",
                   phone_cause_to_string (cause));
      return FALSE;
    }
  if (!require (call, "reject", can_reject (call), error))
    return FALSE;
  reason = phone_reason_new (PHONE_ACTOR_LOCAL, cause, status, NULL);
  phone_call_end (call, reason);
  return TRUE;
}

/* ---- ending ---- */

void
phone_call_end (PhoneCall *call, const PhoneReason *reason)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  gboolean unanswered = is_unanswered_incoming (call) && !call->answering;
  g_autoptr (PhoneReason) copy = phone_reason_copy (reason);

  if (phone_call_is_ended (call))
    return;
  phone_call_set_reason (call, copy);
  phone_call_set_state (call, PHONE_CALL_DISCONNECTING, phone_cause_to_string (copy->cause));
  if (call->direction == PHONE_CALL_OUTGOING && !call->invited)
    phone_call_on_ended (call, copy);
  else if (unanswered)
    ports->sig->call_reject (ports->ua, call, copy->sip ? copy->sip : 480, NULL);
  else
    ports->sig->call_hangup (ports->ua, call, copy);
}

gboolean
phone_call_hangup (PhoneCall *call, GError **error)
{
  g_autoptr (PhoneReason) reason = NULL;

  if (!require (call, "hang up", can_hangup (call), error))
    return FALSE;
  if (is_unanswered_incoming (call) && !call->answering)
    reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_DECLINED, 603, NULL);
  else if (phone_call_is_established (call) || call->answering)
    reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_HANGUP, 0, NULL);
  else
    reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_CANCELLED, 487, NULL);
  phone_call_end (call, reason);
  return TRUE;
}

static gboolean
on_linger_over (gpointer data)
{
  PhoneCall *call = data;

  call->linger_timer = 0;
  phone_registry_call_lingered (call->registry, call);
  return G_SOURCE_REMOVE;
}

void
phone_call_start_linger (PhoneCall *call, guint seconds)
{
  g_clear_handle_id (&call->linger_timer, g_source_remove);
  call->linger_timer = g_timeout_add_seconds (seconds, on_linger_over, call);
}

/* ---- during the call ---- */

static gboolean
send_reoffer (PhoneCall *call, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (PhoneMediaDesc) offer = phone_call_make_reoffer (call, error);

  if (offer && ports->sig->call_reoffer (ports->ua, call, offer, error))
    return TRUE;
  call->reoffer = REOFFER_NONE;
  call->reoffer_open = FALSE;
  g_clear_pointer (&call->pending_offer, phone_media_desc_free);
  phone_call_update_attachment (call);
  return FALSE;
}

/* An offer of ours may be open already, in the 200 to an offerless re-INVITE or in a refresh of the session. Then this one waits for the answer
 * to that (RFC 3264 section 4); the microphone does not wait. */
static gboolean
start_reoffer (PhoneCall *call, Reoffer purpose, PhoneCallDone done, gpointer data, GError **error)
{
  call->reoffer = purpose;
  call->hold_waiter = (CallWaiter){ done, data };
  phone_call_update_attachment (call);
  if (call->pending_offer)
    call->due = purpose;
  else if (!send_reoffer (call, error))
    {
      call->hold_waiter = (CallWaiter){ 0 };
      return FALSE;
    }
  phone_call_emit_changed (call, PHONE_CALL_FIELD_STATE);
  return TRUE;
}

void
phone_call_send_due (PhoneCall *call)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  Reoffer due = call->due;
  g_autoptr (GError) error = NULL;

  if (due == REOFFER_NONE || phone_call_is_ended (call) || call->pending_offer || call->reoffer_open || !phone_call_is_established (call))
    return;
  call->due = REOFFER_NONE;
  if (call->reoffer == REOFFER_NONE && call->state == (due == REOFFER_HOLD ? PHONE_CALL_HELD : PHONE_CALL_ACTIVE))
    return;
  call->reoffer = due;
  phone_call_update_attachment (call);
  if (!send_reoffer (call, &error))
    {
      phone_log_warning (&call->log, "Call %u: %s", call->number, error->message);
      phone_call_fire (call, &call->hold_waiter, error);
    }
  phone_call_emit_changed (call, PHONE_CALL_FIELD_STATE);
}

gboolean
phone_call_offer_paths (PhoneCall *call, GError **error)
{
  /* What is under way carries the candidates too, or comes before the media have any. */
  if (!phone_call_is_established (call) || call->reoffer != REOFFER_NONE)
    return TRUE;
  return start_reoffer (call, REOFFER_PATHS, NULL, NULL, error);
}

/* Another call takes the user's ear, whatever this one is just doing: an answer that still waits for its ACK and a call that is about to be
 * resumed are put on hold as soon as they are there. */
void
phone_call_step_aside (PhoneCall *call)
{
  g_autoptr (GError) error = NULL;

  if (phone_call_is_machines (call))
    return;
  if (call->answering || call->reoffer == REOFFER_RESUME || call->reoffer == REOFFER_PATHS)
    {
      call->due = REOFFER_HOLD;
      phone_call_update_attachment (call);
    }
  else if (can_hold (call) && !phone_call_hold (call, NULL, NULL, &error))
    phone_log_warning (&call->log, "Call %u could not be put on hold: %s", call->number, error->message);
}

void
phone_call_come_back (PhoneCall *call)
{
  g_autoptr (GError) error = NULL;

  if (call->reoffer == REOFFER_HOLD)
    call->due = REOFFER_RESUME;
  else if (call->due == REOFFER_HOLD)
    call->due = REOFFER_NONE;
  else if (can_resume (call) && !start_reoffer (call, REOFFER_RESUME, NULL, NULL, &error))
    phone_log_warning (&call->log, "Call %u could not be taken from hold: %s", call->number, error->message);
  phone_call_update_attachment (call);
}

gboolean
phone_call_hold (PhoneCall *call, PhoneCallDone done, gpointer data, GError **error)
{
  if (!require (call, "hold", can_hold (call), error))
    return FALSE;
  return start_reoffer (call, REOFFER_HOLD, done, data, error);
}

gboolean
phone_call_resume (PhoneCall *call, PhoneCallDone done, gpointer data, GError **error)
{
  if (!require (call, "resume", can_resume (call), error))
    return FALSE;
  if (!start_reoffer (call, REOFFER_RESUME, done, data, error))
    return FALSE;
  /* A member that is heard again by the others does not call us back to them. */
  if (!call->conference || !phone_conference_get_local_hold (call->conference))
    phone_registry_hold_others (call->registry, call);
  return TRUE;
}

gboolean
phone_call_set_muted (PhoneCall *call, gboolean muted, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (!require (call, "mute", can_mute (call), error))
    return FALSE;
  if (call->muted == !!muted)
    return TRUE;
  call->muted = !!muted;
  if (call->media)
    ports->media->media_set_muted (call->media, call->muted);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_MUTED);
  return TRUE;
}

gboolean
phone_call_silence_ring (PhoneCall *call, GError **error)
{
  if (!require (call, "silence", can_silence (call), error))
    return FALSE;
  call->silenced = TRUE;
  phone_registry_call_changed (call->registry, call);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_STATE);
  return TRUE;
}

/* INFO requests go out one after the other: two at once could be reordered by the network. */
static gboolean
on_next_info_digit (gpointer data)
{
  PhoneCall *call = data;
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (GError) error = NULL;

  call->info_timer = 0;
  if (call->info_digits->len == 0 || phone_call_is_ended (call))
    return G_SOURCE_REMOVE;
  if (!ports->sig->call_dtmf_info (ports->ua, call, call->info_digits->str[0], call->info_ms, &error))
    {
      phone_log_warning (&call->log, "Call %u: DTMF by INFO failed: %s", call->number, error->message);
      g_string_truncate (call->info_digits, 0);
      return G_SOURCE_REMOVE;
    }
  g_string_erase (call->info_digits, 0, 1);
  if (call->info_digits->len)
    call->info_timer = g_timeout_add (call->info_ms + DTMF_PAUSE_MS, on_next_info_digit, call);
  return G_SOURCE_REMOVE;
}

static gboolean
queue_info_digits (PhoneCall *call, const char *digits, guint ms, GError **error)
{
  if (!call->info_digits)
    call->info_digits = g_string_new (NULL);
  if (call->info_digits->len + strlen (digits) > MAX_DTMF_DIGITS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "More than %d digits are waiting", MAX_DTMF_DIGITS);
      return FALSE;
    }
  g_string_append (call->info_digits, digits);
  call->info_ms = ms;
  if (!call->info_timer)
    on_next_info_digit (call);
  return TRUE;
}

gboolean
phone_call_send_dtmf (PhoneCall *call, const char *digits, guint ms, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  PhoneDtmfMode mode = phone_account_get_settings (call->account)->dtmf;
  g_autofree char *upper = g_ascii_strup (digits, -1);
  gsize length = strlen (upper);

  if (!require (call, "send DTMF", can_send_dtmf (call), error))
    return FALSE;
  if (length == 0 || length > MAX_DTMF_DIGITS || strspn (upper, "0123456789*#ABCD") != length)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "DTMF wants 1 to %d of 0-9 * # A-D", MAX_DTMF_DIGITS);
      return FALSE;
    }
  if (ms == 0)
    ms = DTMF_DEFAULT_MS;
  if (ms < DTMF_MIN_MS || ms > DTMF_MAX_MS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "A DTMF digit lasts %d to %d ms, not %u", DTMF_MIN_MS,
                   DTMF_MAX_MS, ms);
      return FALSE;
    }
  if (mode == PHONE_DTMF_INFO || (mode == PHONE_DTMF_AUTO && (!call->plan || call->plan->send_dtmf < 0)))
    return queue_info_digits (call, upper, ms, error);
  if (!call->media)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "Call %u has no media yet", call->number);
      return FALSE;
    }
  return ports->media->media_send_dtmf (call->media, upper, ms, error);
}
