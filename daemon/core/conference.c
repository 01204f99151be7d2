/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/conference-private.h"

static guint changed_signal;

G_DEFINE_FINAL_TYPE (PhoneConference, phone_conference, G_TYPE_OBJECT)

static void
leave (PhoneConference *conference, PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  call->conference = NULL;
  call->voice_muted = FALSE;
  if (call->media)
    {
      ports->media->media_set_room (call->media, NULL);
      ports->media->media_set_voice (call->media, TRUE);
    }
}

static void
close_room (PhoneConference *conference)
{
  const PhonePorts *ports;

  if (!conference->registry)
    return;
  ports = phone_registry_get_ports (conference->registry);
  for (guint i = 0; i < conference->calls->len; i++)
    leave (conference, conference->calls->pdata[i]);
  phone_tape_end (&conference->tape, "the conference is over");
  ports->media->room_free (g_steal_pointer (&conference->room));
  conference->registry = NULL;
}

static void
phone_conference_finalize (GObject *object)
{
  PhoneConference *conference = PHONE_CONFERENCE (object);

  close_room (conference);
  phone_tape_clear (&conference->tape);
  g_ptr_array_unref (conference->calls);
  g_free (conference->id);
  G_OBJECT_CLASS (phone_conference_parent_class)->finalize (object);
}

static void
phone_conference_class_init (PhoneConferenceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = phone_conference_finalize;
  changed_signal = g_signal_new (PHONE_SIGNAL_CHANGED, PHONE_TYPE_CONFERENCE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                 G_TYPE_UINT);
}

static void
phone_conference_init (PhoneConference *conference)
{
  conference->id = g_uuid_string_random ();
  conference->calls = g_ptr_array_new_with_free_func (g_object_unref);
}

void
phone_conference_emit_changed (PhoneConference *conference, guint mask)
{
  g_signal_emit (conference, changed_signal, 0, mask);
  if (conference->registry && mask & (PHONE_CONFERENCE_CALLS | PHONE_CONFERENCE_MEMBERS | PHONE_CONFERENCE_HOLD | PHONE_CONFERENCE_CAN))
    phone_registry_rosters_changed (conference->registry);
}

PhoneConference *
phone_conference_new (PhoneRegistry *registry, guint number, gboolean keep)
{
  const PhonePorts *ports = phone_registry_get_ports (registry);
  PhoneConference *conference = g_object_new (PHONE_TYPE_CONFERENCE, NULL);

  conference->registry = registry;
  conference->number = number;
  conference->keep = keep;
  conference->room = ports->media->room_new (ports->engine, phone_conference_on_recording_failed, conference);
  phone_conference_recording_init (conference);
  return conference;
}

/* ---- getters ---- */

guint phone_conference_get_number (PhoneConference *conference) { return conference->number; }
const char *phone_conference_get_id (PhoneConference *conference) { return conference->id; }
GPtrArray *phone_conference_get_calls (PhoneConference *conference) { return conference->calls; }
gboolean phone_conference_get_muted (PhoneConference *conference) { return conference->muted; }
gboolean phone_conference_get_local_hold (PhoneConference *conference) { return conference->away; }
gboolean phone_conference_get_keep (PhoneConference *conference) { return conference->keep; }
gboolean phone_conference_is_over (PhoneConference *conference) { return conference->registry == NULL; }
PhoneConference *phone_call_get_conference (PhoneCall *call) { return call->conference; }

gboolean
phone_conference_is_call_muted (PhoneConference *conference, PhoneCall *call)
{
  return call->conference == conference && call->voice_muted;
}

double
phone_conference_get_level (PhoneConference *conference)
{
  return conference->room ? phone_registry_get_ports (conference->registry)->media->room_level (conference->room) : -127;
}

double
phone_call_get_level (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  return call->media && ports->media->media_level ? ports->media->media_level (call->media) : -127;
}

/* ---- who is in ---- */

static void
update_room (PhoneConference *conference)
{
  const PhonePorts *ports = phone_registry_get_ports (conference->registry);

  ports->media->room_set (conference->room, conference->muted, conference->away);
}

/* A peer that put us on hold plays music, or nothing: not to the others. */
void
phone_call_update_room (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  gboolean answered = phone_call_is_established (call);

  if (!call->media || !call->conference)
    return;
  ports->media->media_set_voice (call->media, !call->remote_hold && !call->voice_muted);
  if (answered)
    ports->media->media_set_room (call->media, call->conference->room);
}

/* The calls that are left go on, or are about to end. */
static void
close_conference (PhoneConference *conference, gboolean go_on, const char *why)
{
  g_autoptr (PhoneConference) keep = g_object_ref (conference);
  g_autoptr (GPtrArray) left = NULL;
  PhoneRegistry *registry = conference->registry;

  if (!registry)
    return;
  phone_log_notice (NULL, "Conference %u: over (%s)", conference->number, why);
  left = g_ptr_array_copy (conference->calls, (GCopyFunc) (gpointer) g_object_ref, NULL);
  g_ptr_array_set_free_func (left, g_object_unref);
  close_room (conference);
  g_ptr_array_set_size (conference->calls, 0);
  for (guint i = 0; i < left->len; i++)
    {
      PhoneCall *call = left->pdata[i];

      /* Nobody who was not to be heard is heard by surprise, nor does a call that we were away from come back by itself. */
      if (go_on && conference->muted)
        phone_call_set_muted (call, TRUE, NULL);
      if (go_on && conference->away)
        phone_call_step_aside (call);
      phone_call_emit_changed (call, PHONE_CALL_FIELD_CONFERENCE);
      if (go_on)
        phone_conference_tell_party (call);
    }
  phone_conference_emit_changed (conference, PHONE_CONFERENCE_CALLS);
  phone_registry_rosters_changed (registry);
  phone_registry_conference_over (registry, conference);
}

static void
drop (PhoneConference *conference, PhoneCall *call, const char *why)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);

  phone_log_notice (&call->log, "Call %u: leaves conference %u (%s)", call->number, conference->number, why);
  leave (conference, call);
  g_ptr_array_remove (conference->calls, call);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_CONFERENCE);
  phone_conference_emit_changed (conference, PHONE_CONFERENCE_CALLS | PHONE_CONFERENCE_MEMBERS);
  phone_conference_tell_party (call);
}

static void
dissolve_if_alone (PhoneConference *conference)
{
  if (conference->registry && conference->calls->len < 2 && !conference->keep)
    close_conference (conference, TRUE, conference->calls->len ? "one call is left" : "no call is left");
}

void
phone_conference_call_ended (PhoneCall *call)
{
  g_autoptr (PhoneConference) conference = call->conference ? g_object_ref (call->conference) : NULL;

  if (!conference)
    return;
  drop (conference, call, "it ended");
  dissolve_if_alone (conference);
}

gboolean
phone_conference_check (PhoneConference *conference, PhoneCall *call, GError **error)
{
  switch (call->state)
    {
    case PHONE_CALL_DIALING:
    case PHONE_CALL_ALERTING:
    case PHONE_CALL_ACTIVE:
    case PHONE_CALL_HELD:
      break;
    case PHONE_CALL_INCOMING:
    case PHONE_CALL_WAITING:
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u must be answered first", call->number);
      return FALSE;
    case PHONE_CALL_DISCONNECTING:
    case PHONE_CALL_DISCONNECTED:
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Call %u has ended", call->number);
      return FALSE;
    }
  if (phone_call_is_machines (call))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The answering machine has call %u", call->number);
      return FALSE;
    }
  if (call->conference)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is in conference %u already", call->number,
                 call->conference->number);
  else if (phone_call_is_transferring (call) || phone_call_gives_way (call))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "Call %u is being transferred", call->number);
  else if (conference && conference->calls->len >= PHONE_CONFERENCE_MAX)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "Conference %u has %d calls already", conference->number,
                 PHONE_CONFERENCE_MAX);
  else
    return TRUE;
  return FALSE;
}

void
phone_conference_join (PhoneConference *conference, PhoneCall *call)
{
  phone_log_notice (&call->log, "Call %u: joins conference %u", call->number, conference->number);
  g_ptr_array_add (conference->calls, g_object_ref (call));
  call->conference = conference;
  phone_call_update_room (call);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_CONFERENCE);
  phone_conference_emit_changed (conference, PHONE_CONFERENCE_CALLS);
  phone_conference_tell_party (call);
}

static gboolean
require (PhoneConference *conference, GError **error)
{
  if (conference->registry)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Conference %u is over", conference->number);
  return FALSE;
}

static gboolean
require_member (PhoneConference *conference, PhoneCall *call, GError **error)
{
  if (!require (conference, error))
    return FALSE;
  if (call->conference == conference)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is not in conference %u", call->number, conference->number);
  return FALSE;
}

gboolean
phone_conference_add (PhoneConference *conference, PhoneCall *call, GError **error)
{
  if (!require (conference, error) || !phone_conference_check (conference, call, error))
    return FALSE;
  phone_conference_join (conference, call);
  phone_call_come_back (call);
  phone_conference_resume (conference);
  return TRUE;
}

static void
take_mute (PhoneConference *conference, PhoneCall *call)
{
  if (conference->muted)
    phone_call_set_muted (call, TRUE, NULL);
}

gboolean
phone_conference_remove (PhoneConference *conference, PhoneCall *call, GError **error)
{
  g_autoptr (PhoneConference) keep = g_object_ref (conference);

  if (!require_member (conference, call, error))
    return FALSE;
  take_mute (conference, call);
  drop (conference, call, "asked for");
  phone_call_step_aside (call);
  dissolve_if_alone (conference);
  return TRUE;
}

gboolean
phone_conference_split (PhoneConference *conference, PhoneCall *call, GError **error)
{
  g_autoptr (PhoneConference) keep = g_object_ref (conference);

  if (!require_member (conference, call, error))
    return FALSE;
  if (call->state != PHONE_CALL_ACTIVE && call->state != PHONE_CALL_HELD)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is %s: there is nobody to talk to", call->number,
                   phone_call_state_to_string (call->state));
      return FALSE;
    }
  take_mute (conference, call);
  phone_conference_hold (conference);
  drop (conference, call, "to talk in private");
  phone_call_come_back (call);
  dissolve_if_alone (conference);
  phone_registry_hold_others (call->registry, call);
  return TRUE;
}

const char **
phone_conference_get_can (PhoneConference *conference)
{
  const GPtrArray *calls = conference->calls;
  gboolean open = conference->registry != NULL;
  const struct { const char *action; gboolean possible; } actions[] = {
    { "add", open && calls->len < PHONE_CONFERENCE_MAX },
    { "hold", open && !conference->away },
    { "resume", open && conference->away },
    { "mute", open },
    { "record", open && phone_registry_get_ports (conference->registry)->vault },
    { "connect", open && calls->len == 2 && phone_call_can_transfer (calls->pdata[0]) && phone_call_can_transfer (calls->pdata[1]) },
    { "end", open },
  };
  const char **list = g_new0 (const char *, G_N_ELEMENTS (actions) + 1);
  gsize n = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    if (actions[i].possible)
      list[n++] = actions[i].action;
  return list;
}

/* ---- what is heard ---- */

gboolean
phone_conference_mute (PhoneConference *conference, PhoneCall *call, gboolean muted, GError **error)
{
  if (!require_member (conference, call, error))
    return FALSE;
  if (call->voice_muted == !!muted)
    return TRUE;
  call->voice_muted = !!muted;
  phone_log_notice (&call->log, "Call %u: %s in conference %u", call->number, muted ? "muted" : "heard again", conference->number);
  phone_call_update_room (call);
  phone_conference_emit_changed (conference, PHONE_CONFERENCE_MEMBERS);
  return TRUE;
}

void
phone_conference_set_muted (PhoneConference *conference, gboolean muted)
{
  if (!conference->registry || conference->muted == !!muted)
    return;
  conference->muted = !!muted;
  update_room (conference);
  phone_conference_emit_changed (conference, PHONE_CONFERENCE_MUTED);
}

void
phone_conference_set_keep (PhoneConference *conference, gboolean keep)
{
  if (!conference->registry || conference->keep == !!keep)
    return;
  conference->keep = !!keep;
  phone_conference_emit_changed (conference, PHONE_CONFERENCE_KEEP);
  dissolve_if_alone (conference);
}

static void
set_away (PhoneConference *conference, gboolean away)
{
  if (!conference->registry || conference->away == away)
    return;
  conference->away = away;
  phone_log_notice (NULL, "Conference %u: %s", conference->number, away ? "we are away" : "we are back");
  update_room (conference);
  phone_conference_emit_changed (conference, PHONE_CONFERENCE_HOLD);
}

void
phone_conference_hold (PhoneConference *conference)
{
  set_away (conference, TRUE);
}

void
phone_conference_resume (PhoneConference *conference)
{
  if (!conference->registry)
    return;
  set_away (conference, FALSE);
  phone_registry_hold_for_conference (conference->registry, conference);
}

gboolean
phone_conference_open_stream (PhoneConference *conference, const PhoneStreamParams *params, int *ret_fd, GError **error)
{
  return require (conference, error)
         && phone_registry_get_ports (conference->registry)->media->room_open_stream (conference->room, params, ret_fd, error);
}

/* ---- the end ---- */

void
phone_conference_close (PhoneConference *conference)
{
  close_conference (conference, FALSE, "all calls end");
}

void
phone_conference_end (PhoneConference *conference)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_copy (conference->calls, (GCopyFunc) (gpointer) g_object_ref, NULL);

  g_ptr_array_set_free_func (calls, g_object_unref);
  close_conference (conference, FALSE, "asked for");
  for (guint i = 0; i < calls->len; i++)
    phone_call_hangup (calls->pdata[i], NULL);
}

gboolean
phone_conference_connect (PhoneConference *conference, GError **error)
{
  if (!require (conference, error))
    return FALSE;
  if (conference->calls->len == 2)
    return phone_call_transfer_to (conference->calls->pdata[0], conference->calls->pdata[1], error);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Conference %u has %u calls: two can be connected", conference->number,
               conference->calls->len);
  return FALSE;
}
