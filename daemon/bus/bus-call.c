/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Call. Answer, Hold and Resume reply when the peer has agreed: their message is parked
 * (bus-client.c) and the model's callback, which comes exactly once, sends the reply. What may be done when
 * is the model's business alone. */

#include "bus/bus-options.h"
#include "bus/bus-private.h"
#include "util/log.h"

static int
finish (sd_bus_message *m, const GError *error, sd_bus_error *ret_error)
{
  return error ? bus_error_set (ret_error, error) : sd_bus_reply_method_return (m, NULL);
}

/* ---- methods that reply later ---- */

static void
on_done (PhoneCall *call, const GError *error, gpointer data)
{
  bus_request_finish (data, error);
}

typedef gboolean (*Starter) (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data,
                             GError **error);

static gboolean
start_hold (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data, GError **error)
{
  return phone_call_hold (call, done, data, error);
}

static gboolean
start_resume (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data, GError **error)
{
  return phone_call_resume (call, done, data, error);
}

/* The callback may come before the starter returns, whatever it returns then; the second reference tells. */
static int
park (BusCall *self, sd_bus_message *m, Starter start, gboolean keep_others, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneCall) call = g_object_ref (self->call);
  BusRequest *request = bus_request_new (self->bus->clients, m, &error);
  g_autoptr (BusRequest) keep = NULL;

  if (!request)
    return bus_error_set (ret_error, error);
  keep = bus_request_ref (request);
  if (!start (call, keep_others, on_done, request, &error) && bus_request_is_open (keep))
    bus_request_finish (request, error);
  return 1;
}

static int
on_answer (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  int keep_others = FALSE;
  const BusOption known[] = { { "keep-others", "b", &keep_others } };

  if (!bus_options_read (m, known, G_N_ELEMENTS (known), &error))
    return bus_error_set (ret_error, error);
  return park (data, m, phone_call_answer, keep_others, ret_error);
}

static int
on_hold (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return park (data, m, start_hold, FALSE, ret_error);
}

static int
on_resume (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return park (data, m, start_resume, FALSE, ret_error);
}

/* ---- methods that reply at once ---- */

static const struct
{
  const char *word;
  PhoneCause cause;
} reject_reasons[] = {
  { "busy", PHONE_CAUSE_BUSY },
  { "decline", PHONE_CAUSE_DECLINED },
  { "unavailable", PHONE_CAUSE_UNAVAILABLE },
};

static int
on_reject (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *shown = NULL;
  const char *reason;
  int r = sd_bus_message_read (m, "s", &reason);

  if (r < 0)
    return r;
  for (gsize i = 0; i < G_N_ELEMENTS (reject_reasons); i++)
    if (g_str_equal (reason, reject_reasons[i].word))
      {
        phone_call_reject (self->call, reject_reasons[i].cause, &error);
        return finish (m, error, ret_error);
      }
  shown = g_strndup (reason, 64);
  g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
               "The reason must be busy, decline or unavailable, not '%s'", shown);
  return bus_error_set (ret_error, error);
}

static int
on_hangup (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;

  phone_call_hangup (self->call, &error);
  return finish (m, error, ret_error);
}

static int
on_silence_ring (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;

  phone_call_silence_ring (self->call, &error);
  return finish (m, error, ret_error);
}

static int
on_send_dtmf (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  guint32 duration = 100;
  const BusOption known[] = { { "duration", "u", &duration } };
  const char *digits;
  int r = sd_bus_message_read (m, "s", &digits);

  if (r < 0)
    return r;
  if (!bus_options_read (m, known, G_N_ELEMENTS (known), &error))
    return bus_error_set (ret_error, error);
  if (duration == 0)            /* the model takes 0 for its default */
    g_set_error_literal (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Option 'duration' must not be 0");
  else
    phone_call_send_dtmf (self->call, digits, duration, &error);
  return finish (m, error, ret_error);
}

/* ---- sending on ---- */

static int
on_deflect (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  const char *target;
  int r = sd_bus_message_read (m, "s", &target);

  if (r < 0)
    return r;
  phone_call_deflect (self->call, target, &error);
  return finish (m, error, ret_error);
}

/* ---- transfer ---- */

static int
on_transfer (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  const char *target;
  int r = sd_bus_message_read (m, "s", &target);

  if (r < 0)
    return r;
  phone_call_transfer (self->call, target, &error);
  return finish (m, error, ret_error);
}

static int
on_transfer_to (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data, *other;
  g_autoptr (GError) error = NULL;
  const char *path;
  int r = sd_bus_message_read (m, "o", &path);

  if (r < 0)
    return r;
  other = bus_find_call (self->bus, path);
  if (!other)
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "There is no call %s", path);
  else
    phone_call_transfer_to (self->call, other->call, &error);
  return finish (m, error, ret_error);
}

static int
on_accept_transfer (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  PhoneCall *fresh = phone_call_accept_transfer (self->call, &error);

  if (!fresh)
    return bus_error_set (ret_error, error);
  return sd_bus_reply_method_return (m, "o", bus_call_path (self->bus, fresh));
}

static int
on_decline_transfer (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;

  phone_call_decline_transfer (self->call, &error);
  return finish (m, error, ret_error);
}

/* ---- parking ---- */

static void
on_parked (PhoneCall *call, const GError *error, gpointer data)
{
  bus_request_finish_with (data, error, "s", phone_call_get_parked (call));
}

static int
on_park (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneCall) call = g_object_ref (self->call);
  const char *slot = NULL;
  const BusOption known[] = { { "slot", "s", &slot } };
  g_autoptr (BusRequest) keep = NULL;
  BusRequest *request;

  if (!bus_options_read (m, known, G_N_ELEMENTS (known), &error) || !(request = bus_request_new (self->bus->clients, m, &error)))
    return bus_error_set (ret_error, error);
  keep = bus_request_ref (request);
  if (!phone_call_park (call, slot, on_parked, request, &error) && bus_request_is_open (keep))
    bus_request_finish (request, error);
  return 1;
}

/* ---- signals ---- */

void
bus_call_emit_dtmf (BusCall *self, char digit, guint ms, const char *method)
{
  sd_bus_message *m = NULL;
  const char text[] = { digit, '\0' };
  int r = sd_bus_message_new_signal (self->bus->bus, &m, self->path, PHONE_DBUS_CALL, "DtmfReceived");

  if (r >= 0)
    r = sd_bus_message_sensitive (m);
  if (r >= 0)
    r = sd_bus_message_append (m, "sus", text, (guint32) ms, method);
  if (r >= 0)
    r = sd_bus_send (self->bus->bus, m, NULL);
  sd_bus_message_unref (m);
  if (r < 0 && !self->bus->lost)
    phone_log_warning (NULL, "Cannot send DtmfReceived of %s: %s", self->path, g_strerror (-r));
}

/* ---- properties ---- */

static int
append_reason (sd_bus_message *reply, const PhoneReason *reason)
{
  int r = bus_dict_begin (reply);

  if (r >= 0 && reason->cause != PHONE_CAUSE_NONE)
    {
      r = bus_dict_text (reply, "actor", phone_actor_to_string (reason->actor));
      if (r >= 0)
        r = bus_dict_text (reply, "reason", phone_cause_to_string (reason->cause));
      if (r >= 0 && reason->sip)
        r = bus_dict_u32 (reply, "sip", reason->sip);
      if (r >= 0)
        r = bus_dict_text (reply, "phrase", reason->phrase);
      if (r >= 0 && reason->q850)
        r = bus_dict_u32 (reply, "q850", reason->q850);
      if (r >= 0 && reason->answered_elsewhere)
        r = bus_dict_bool (reply, "answered-elsewhere", TRUE);
    }
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_can (sd_bus_message *reply, PhoneCall *call)
{
  g_autofree const char **can = phone_call_get_can (call);

  return bus_append_texts (reply, can);
}

static int
append_transfer (sd_bus_message *reply, PhoneCall *call)
{
  guint sip;
  PhoneTransferState state = phone_call_get_transfer (call, &sip);
  int r = bus_dict_begin (reply);

  if (r >= 0)
    r = bus_dict_text (reply, "state", phone_transfer_state_to_string (state));
  if (r >= 0 && sip)
    r = bus_dict_u32 (reply, "sip", sip);
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_referral (sd_bus_message *reply, PhoneCall *call)
{
  PhoneReferralView view;
  gboolean waits = phone_call_get_referral (call, &view);
  int r = bus_dict_begin (reply);

  if (r >= 0 && waits)
    {
      r = bus_dict_text (reply, "target", view.target);
      if (r >= 0)
        r = bus_dict_text (reply, "referred-by", view.referred_by);
      if (r >= 0 && view.replaces)
        r = bus_dict_bool (reply, "replaces", TRUE);
    }
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_roster (sd_bus_message *reply, PhoneCall *call)
{
  const GPtrArray *roster = phone_call_get_roster (call);
  int r = sd_bus_message_open_container (reply, 'a', "a{sv}");

  for (guint i = 0; r >= 0 && i < roster->len; i++)
    {
      const PhoneParticipant *one = g_ptr_array_index (roster, i);

      r = bus_dict_begin (reply);
      if (r >= 0)
        r = bus_dict_text (reply, "uri", one->uri);
      if (r >= 0)
        r = bus_dict_text (reply, "name", one->name);
      if (r >= 0)
        r = bus_dict_text (reply, "status", phone_participant_status_to_string (one->status));
      if (r >= 0)
        r = bus_dict_end (reply);
    }
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

/* Paths are never reused, so one may be named after its object has gone. */
static int
append_call (sd_bus_message *reply, guint number)
{
  char path[sizeof PHONE_DBUS_CALL_PATH + 16];

  g_snprintf (path, sizeof path, PHONE_DBUS_CALL_PATH "/%u", number);
  return sd_bus_message_append (reply, "o", number ? path : PHONE_DBUS_NO_OBJECT);
}

static guint64
unsigned_time (gint64 seconds)
{
  return seconds > 0 ? (guint64) seconds : 0;
}

BUS_GETTER (get_id, BusCall, bus_append_text (reply, phone_call_get_id (self->call)))
BUS_GETTER (get_account, BusCall, sd_bus_message_append (reply, "o", self->account_path))
BUS_GETTER (get_direction, BusCall,
            sd_bus_message_append (reply, "s",
                                   phone_call_direction_to_string (phone_call_get_direction (self->call))))
BUS_GETTER (get_state, BusCall,
            sd_bus_message_append (reply, "s",
                                   phone_call_state_to_string (phone_call_get_state (self->call))))
BUS_GETTER (get_reason, BusCall, append_reason (reply, phone_call_get_reason (self->call)))
BUS_GETTER (get_can, BusCall, append_can (reply, self->call))
BUS_GETTER (get_remote_uri, BusCall, bus_append_text (reply, phone_call_get_remote_uri (self->call)))
BUS_GETTER (get_remote_name, BusCall, bus_append_text (reply, phone_call_get_remote_name (self->call)))
BUS_GETTER (get_contact_name, BusCall, bus_append_text (reply, phone_call_get_contact_name (self->call)))
BUS_GETTER (get_verstat, BusCall, bus_append_text (reply, phone_call_get_verstat (self->call)))
BUS_GETTER (get_alert, BusCall, bus_append_text (reply, phone_call_get_alert (self->call)))
BUS_GETTER (get_asserted_id, BusCall, bus_append_text (reply, phone_call_get_asserted_id (self->call)))
BUS_GETTER (get_diverter, BusCall, bus_append_text (reply, phone_call_get_diverter (self->call)))
BUS_GETTER (get_local_hold, BusCall,
            sd_bus_message_append (reply, "b", (int) !!phone_call_get_local_hold (self->call)))
BUS_GETTER (get_remote_hold, BusCall,
            sd_bus_message_append (reply, "b", (int) !!phone_call_get_remote_hold (self->call)))
BUS_GETTER (get_muted, BusCall, sd_bus_message_append (reply, "b", (int) !!phone_call_get_muted (self->call)))
BUS_GETTER (get_conference, BusCall,
            sd_bus_message_append (reply, "o", bus_conference_path (self->bus, phone_call_get_conference (self->call))))
BUS_GETTER (get_start, BusCall,
            sd_bus_message_append (reply, "t", unsigned_time (phone_call_get_start (self->call))))
BUS_GETTER (get_answered, BusCall,
            sd_bus_message_append (reply, "t", unsigned_time (phone_call_get_answered (self->call))))

BUS_GETTER (get_machine, BusCall, sd_bus_message_append (reply, "s", phone_machine_to_string (phone_call_get_machine (self->call))))
BUS_GETTER (get_intercom, BusCall, sd_bus_message_append (reply, "b", (int) !!phone_call_get_intercom (self->call)))
BUS_GETTER (get_transfer, BusCall, append_transfer (reply, self->call))
BUS_GETTER (get_remote_recording, BusCall,
            sd_bus_message_append (reply, "s", phone_record_mark_to_string (phone_call_get_remote_recording (self->call))))
BUS_GETTER (get_focus, BusCall, bus_append_text (reply, phone_call_get_focus (self->call)))
BUS_GETTER (get_roster, BusCall, append_roster (reply, self->call))
BUS_GETTER (get_parked, BusCall, bus_append_text (reply, phone_call_get_parked (self->call)))
BUS_GETTER (get_transfer_request, BusCall, append_referral (reply, self->call))
BUS_GETTER (get_replaces, BusCall, append_call (reply, phone_call_get_replaces (self->call)))
BUS_GETTER (get_replaced_by, BusCall, append_call (reply, phone_call_get_replaced_by (self->call)))

static int
set_muted (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value,
           void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  int muted;
  int r = sd_bus_message_read (value, "b", &muted);

  if (r < 0)
    return r;
  return phone_call_set_muted (self->call, muted, &error) ? 0 : bus_error_set (ret_error, error);
}

void
bus_call_changed_properties (guint mask, GPtrArray *ret_names)
{
  /* What may be done depends on more than the state. */
  const guint can = BUS_CALL_CAN | PHONE_CALL_FIELD_STATE | PHONE_CALL_FIELD_HOLD | PHONE_CALL_FIELD_MEDIA
                    | PHONE_CALL_FIELD_TRANSFER | PHONE_CALL_FIELD_CONFERENCE;
  const struct
  {
    guint fields;
    const char *name;
  } table[] = {
    { PHONE_CALL_FIELD_STATE, "State" },       { can, "Can" },
    { PHONE_CALL_FIELD_REASON, "Reason" },     { PHONE_CALL_FIELD_PARTY, "RemoteUri" },
    { PHONE_CALL_FIELD_PARTY, "RemoteName" },  { PHONE_CALL_FIELD_PARTY, "AssertedId" },
    { PHONE_CALL_FIELD_PARTY, "ContactName" },
    { PHONE_CALL_FIELD_PARTY, "Diverter" },    { PHONE_CALL_FIELD_HOLD, "LocalHold" },
    { PHONE_CALL_FIELD_HOLD, "RemoteHold" },   { PHONE_CALL_FIELD_MUTED, "Muted" },
    { PHONE_CALL_FIELD_TIMES, "Start" },       { PHONE_CALL_FIELD_TIMES, "Answered" },
    { PHONE_CALL_FIELD_CONFERENCE, "Conference" },
    { PHONE_CALL_FIELD_MACHINE, "Machine" },
    { PHONE_CALL_FIELD_TRANSFER, "Transfer" }, { PHONE_CALL_FIELD_TRANSFER, "TransferRequest" },
    { PHONE_CALL_FIELD_TRANSFER, "Parked" },
    { PHONE_CALL_FIELD_REMOTE_RECORDING, "RemoteRecording" },
    { PHONE_CALL_FIELD_ROSTER, "Focus" },      { PHONE_CALL_FIELD_ROSTER, "Roster" },
    { PHONE_CALL_FIELD_TRANSFER, "Replaces" }, { PHONE_CALL_FIELD_TRANSFER, "ReplacedBy" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (mask & table[i].fields)
      g_ptr_array_add (ret_names, (char *) table[i].name);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_call_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Answer", SD_BUS_ARGS ("a{sv}", options), SD_BUS_NO_RESULT, on_answer,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Reject", SD_BUS_ARGS ("s", reason), SD_BUS_NO_RESULT, on_reject,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Hangup", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_hangup, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Hold", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_hold, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Resume", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_resume, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("SendDtmf", SD_BUS_ARGS ("s", digits, "a{sv}", options), SD_BUS_NO_RESULT,
                           on_send_dtmf, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
  SD_BUS_METHOD_WITH_ARGS ("SilenceRing", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_silence_ring,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Deflect", SD_BUS_ARGS ("s", target), SD_BUS_NO_RESULT, on_deflect, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Transfer", SD_BUS_ARGS ("s", target), SD_BUS_NO_RESULT, on_transfer, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("TransferTo", SD_BUS_ARGS ("o", call), SD_BUS_NO_RESULT, on_transfer_to,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Park", SD_BUS_ARGS ("a{sv}", options), SD_BUS_RESULT ("s", slot), on_park, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("AcceptTransfer", SD_BUS_NO_ARGS, SD_BUS_RESULT ("o", call), on_accept_transfer,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("DeclineTransfer", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_decline_transfer,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL_WITH_ARGS ("DtmfReceived", SD_BUS_ARGS ("s", digit, "u", ms, "s", method), 0),
  SD_BUS_PROPERTY ("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Account", "o", get_account, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Direction", "s", get_direction, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("State", "s", get_state, 0, CHANGES),
  SD_BUS_PROPERTY ("Reason", "a{sv}", get_reason, 0, CHANGES),
  SD_BUS_PROPERTY ("Can", "as", get_can, 0, CHANGES),
  SD_BUS_PROPERTY ("RemoteUri", "s", get_remote_uri, 0, CHANGES),
  SD_BUS_PROPERTY ("RemoteName", "s", get_remote_name, 0, CHANGES),
  SD_BUS_PROPERTY ("AssertedId", "s", get_asserted_id, 0, CHANGES),
  SD_BUS_PROPERTY ("ContactName", "s", get_contact_name, 0, CHANGES),
  SD_BUS_PROPERTY ("Verstat", "s", get_verstat, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Alert", "s", get_alert, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Diverter", "s", get_diverter, 0, CHANGES),
  SD_BUS_PROPERTY ("LocalHold", "b", get_local_hold, 0, CHANGES),
  SD_BUS_PROPERTY ("RemoteHold", "b", get_remote_hold, 0, CHANGES),
  SD_BUS_PROPERTY ("Conference", "o", get_conference, 0, CHANGES),
  SD_BUS_WRITABLE_PROPERTY ("Muted", "b", get_muted, set_muted, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Start", "t", get_start, 0, CHANGES),
  SD_BUS_PROPERTY ("Answered", "t", get_answered, 0, CHANGES),
  SD_BUS_PROPERTY ("Machine", "s", get_machine, 0, CHANGES),
  SD_BUS_PROPERTY ("Intercom", "b", get_intercom, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Transfer", "a{sv}", get_transfer, 0, CHANGES),
  SD_BUS_PROPERTY ("RemoteRecording", "s", get_remote_recording, 0, CHANGES),
  SD_BUS_PROPERTY ("Focus", "s", get_focus, 0, CHANGES),
  SD_BUS_PROPERTY ("Roster", "aa{sv}", get_roster, 0, CHANGES),
  SD_BUS_PROPERTY ("Parked", "s", get_parked, 0, CHANGES),
  SD_BUS_PROPERTY ("TransferRequest", "a{sv}", get_transfer_request, 0, CHANGES),
  SD_BUS_PROPERTY ("Replaces", "o", get_replaces, 0, CHANGES),
  SD_BUS_PROPERTY ("ReplacedBy", "o", get_replaced_by, 0, CHANGES),
  SD_BUS_VTABLE_END,
};
