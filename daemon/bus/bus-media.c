/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Media: what the two sides agreed on, as properties, and the numbers of the running stream for those who subscribed
 * (bus-subscription.c). */

#include "bus/bus-options.h"
#include "bus/bus-private.h"
#include "util/log.h"

#include <unistd.h>

#include <math.h>

/* ---- statistics ---- */

static int
append_counters (sd_bus_message *m, const PhoneMediaReport *report)
{
  const struct
  {
    const char *key;
    guint64 value;
  } counters[] = {
    { "packets-sent", report->packets_sent },
    { "octets-sent", report->octets_sent },
    { "packets-received", report->packets_received },
    { "octets-received", report->octets_received },
    { "fec-used", report->fec_used },
    { "copies-sent", report->copies_sent },
    { "copies-used", report->copies_used },
    { "late-packets", report->late_packets },
    { "duplicates", report->duplicates },
    { "auth-failures", report->auth_failures },
    { "replayed", report->replayed },
    { "key-changes", report->key_changes },
  };
  int r = 0;

  for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS (counters); i++)
    r = bus_dict_u64 (m, counters[i].key, counters[i].value);
  return r;
}

static int
append_measures (sd_bus_message *m, const PhoneMediaReport *report)
{
  /* Shares and durations are never negative: -1 means unknown, as NAN does. */
  const struct
  {
    const char *key;
    double value;
    gboolean is_signed;
  } measures[] = {
    { "loss-local", report->loss_local, FALSE },
    { "loss-remote", report->loss_remote, FALSE },
    { "jitter-local", report->jitter_local, FALSE },
    { "jitter-remote", report->jitter_remote, FALSE },
    { "round-trip", report->round_trip, FALSE },
    { "send-queue", report->send_queue, FALSE },
    { "playout-target", report->playout_target, FALSE },
    { "playout-delay", report->playout_delay, FALSE },
    { "capture-delay", report->capture_delay, FALSE },
    { "output-delay", report->output_delay, FALSE },
    { "concealed", report->concealed, FALSE },
    { "accelerated", report->accelerated, FALSE },
    { "expanded", report->expanded, FALSE },
    { "level-in", report->level_in, TRUE },
    { "level-out", report->level_out, TRUE },
    { "mos", report->mos, FALSE },
  };
  int r = 0;

  for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS (measures); i++)
    if (measures[i].is_signed || !(measures[i].value < 0))
      r = bus_dict_double (m, measures[i].key, measures[i].value);
  return r;
}

/* prefix: whose ear it is. */
static int
append_voice (sd_bus_message *m, const char *prefix, const PhoneVoiceMetrics *metrics)
{
  const struct
  {
    const char *key;
    double value;
  } values[] = {
    { "loss", metrics->loss },
    { "discard", metrics->discard },
    { "burst-density", metrics->burst_density },
    { "burst-length", metrics->burst_ms },
    { "gap-density", metrics->gap_density },
    { "gap-length", metrics->gap_ms },
    { "round-trip", metrics->round_trip },
    { "end-delay", metrics->end_delay },
    { "signal", metrics->signal },
    { "noise", metrics->noise },
    { "echo-return", metrics->echo_return },
    { "playout", metrics->playout_nominal },
    { "playout-max", metrics->playout_max },
    { "rating", metrics->rating },
    { "mos-listening", metrics->mos_lq },
    { "mos-conversation", metrics->mos_cq },
  };
  int r = 0;

  for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS (values); i++)
    {
      char key[32];

      g_snprintf (key, sizeof key, "%s-%s", prefix, values[i].key);
      r = bus_dict_double (m, key, values[i].value);
    }
  return r;
}

static int
append_report (sd_bus_message *m, const PhoneMediaReport *report)
{
  int r = bus_dict_begin (m);

  if (r >= 0)
    r = bus_dict_i64 (m, "at", report->at);
  if (r >= 0)
    r = bus_dict_text (m, "codec", report->codec);
  if (r >= 0)
    r = append_counters (m, report);
  if (r >= 0)
    r = bus_dict_i64 (m, "packets-lost", report->packets_lost);
  if (r >= 0)
    r = append_measures (m, report);
  if (r >= 0)
    r = append_voice (m, "here", &report->metrics);
  if (r >= 0 && report->have_peer_metrics)
    r = append_voice (m, "peer", &report->peer_metrics);
  if (r >= 0)
    r = bus_dict_u32 (m, "bitrate", report->bitrate);
  if (r >= 0)
    r = bus_dict_u32 (m, "bitrate-target", report->bitrate_target);
  if (r >= 0)
    r = bus_dict_text (m, "rate-reason", report->rate_reason);
  if (r >= 0)
    r = bus_dict_text (m, "feedback", report->feedback);
  if (r >= 0)
    r = bus_dict_u32 (m, "red", report->red);
  if (r >= 0)
    r = bus_dict_u32 (m, "breaks", report->breaks);
  if (r >= 0 && report->ice_remote[0] != '\0')
    r = bus_dict_text (m, "ice-local", report->ice_local);
  if (r >= 0 && report->ice_remote[0] != '\0')
    r = bus_dict_text (m, "ice-remote", report->ice_remote);
  if (r >= 0 && report->input_origin)
    r = bus_dict_i64 (m, "input-origin", report->input_origin);
  if (r >= 0 && report->output_origin)
    r = bus_dict_i64 (m, "output-origin", report->output_origin);
  return r < 0 ? r : bus_dict_end (m);
}

void
bus_media_send_stats (gpointer data, const char *client)
{
  BusCall *self = data;
  sd_bus *bus = self->bus->bus;
  PhoneMediaReport report = { 0 };
  sd_bus_message *m = NULL;
  int r;

  if (!phone_call_get_report (self->call, &report))
    return;
  r = sd_bus_message_new_signal (bus, &m, self->path, PHONE_DBUS_MEDIA, "Stats");
  if (r >= 0)
    r = append_report (m, &report);
  if (r >= 0)
    r = sd_bus_send_to (bus, m, client, NULL);
  sd_bus_message_unref (m);
  if (r < 0 && !self->bus->lost)
    phone_log_warning (NULL, "Cannot send Stats of %s: %s", self->path, g_strerror (-r));
}

static int
on_subscribe (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;

  if (!phone_call_is_ended (self->call))
    return bus_subscribers_add (self->subscribers, m, ret_error);
  g_set_error (&error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Call %u has ended", phone_call_get_number (self->call));
  return bus_error_set (ret_error, error);
}

static int
on_unsubscribe (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return bus_subscribers_remove (((BusCall *) data)->subscribers, m);
}

/* ---- sound for clients ---- */

/* Directions as the client sees them. */
gboolean
bus_media_read_stream (sd_bus_message *m, PhoneStreamParams *ret_params, GError **error)
{
  const char *direction = "both", *format = "s16";
  guint32 rate = 48000, channels = 1;
  int live = FALSE;
  const BusOption known[] = {
    { "direction", "s", &direction }, { "rate", "u", &rate },   { "channels", "u", &channels },
    { "format", "s", &format },       { "live", "b", &live },
  };

  if (!bus_options_read (m, known, G_N_ELEMENTS (known), error))
    return FALSE;
  *ret_params = (PhoneStreamParams){
    .listens = g_str_equal (direction, "both") || g_str_equal (direction, "listen"),
    .speaks = g_str_equal (direction, "both") || g_str_equal (direction, "speak"),
    .rate = rate,
    .channels = channels,
    .live = live,
  };
  if (!ret_params->listens && !ret_params->speaks)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Option 'direction' must be both, listen or speak");
  else if (!g_str_equal (format, "s16"))
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Option 'format' must be s16");
  else
    return TRUE;
  return FALSE;
}

static int
on_open_stream (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  PhoneStreamParams params;
  int fd = -1, r;

  if (!bus_media_read_stream (m, &params, &error) || !phone_call_open_stream (self->call, &params, &fd, &error))
    return bus_error_set (ret_error, error);
  r = sd_bus_reply_method_return (m, "h", fd);
  close (fd);                           /* sd-bus has its own copy */
  return r;
}

static int
on_play (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  int queue = FALSE, r;
  const BusOption known[] = { { "queue", "b", &queue } };
  const char *uri;

  if ((r = sd_bus_message_read (m, "s", &uri)) < 0)
    return r;
  if (!bus_options_read (m, known, G_N_ELEMENTS (known), &error) || !phone_call_play (self->call, uri, queue, &error))
    return bus_error_set (ret_error, error);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_stop_playing (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;

  if (!phone_call_stop_playing (self->call, &error))
    return bus_error_set (ret_error, error);
  return sd_bus_reply_method_return (m, NULL);
}

void
bus_media_emit_played (BusCall *self, const char *path)
{
  g_autofree char *copy = NULL;
  int r = sd_bus_emit_signal (self->bus->bus, self->path, PHONE_DBUS_MEDIA, "Played", "s", bus_text (path, &copy));

  if (r < 0 && !self->bus->lost)
    phone_log_warning (NULL, "Cannot send Played of %s: %s", self->path, g_strerror (-r));
}

/* ---- properties ---- */

/* NULL: nothing is agreed on, or no audio. */
static const PhoneMediaPlan *
running_plan (BusCall *self)
{
  const PhoneMediaPlan *plan = phone_call_get_plan (self->call);

  return plan && !plan->refused ? plan : NULL;
}

static guint32
wanted_bitrate (BusCall *self)
{
  PhoneMediaReport report = { 0 };

  return phone_call_get_report (self->call, &report) ? report.bitrate_target : 0;
}

static int
append_security (sd_bus_message *reply, PhoneCall *call, const PhoneMediaPlan *plan)
{
  PhoneSrtpSuite suite;
  int r = bus_dict_begin (reply);

  if (r >= 0 && plan && plan->encrypted)
    {
      gboolean known = phone_call_get_suite (call, &suite);

      r = bus_dict_text (reply, "keying", phone_keying_to_string (plan->dtls ? PHONE_KEYING_DTLS : PHONE_KEYING_SDES));
      if (r >= 0 && known)
        r = bus_dict_text (reply, "suite", phone_srtp_suite_to_string (suite));
      if (r >= 0 && plan->dtls)
        r = bus_dict_bool (reply, "verified", known);
    }
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_remote (sd_bus_message *reply, BusCall *self)
{
  const PhoneMediaPlan *plan = running_plan (self);
  PhoneMediaReport report = { 0 };
  g_autofree char *text = NULL;

  if (plan && phone_call_get_report (self->call, &report) && report.ice_remote[0] != '\0')
    return bus_append_text (reply, strchr (report.ice_remote, ' ') + 1);
  if (!plan || !plan->remote_address)
    return bus_append_text (reply, "");
  text = g_strdup_printf (strchr (plan->remote_address, ':') ? "[%s]:%u" : "%s:%u", plan->remote_address,
                          plan->remote_port);
  return bus_append_text (reply, text);
}

#define PLAN_GETTER(Name, signature, value, otherwise) \
  static int Name (sd_bus *bus_, const char *path, const char *interface, const char *property, \
                   sd_bus_message *reply, void *data, sd_bus_error *ret_error) \
  { \
    const PhoneMediaPlan *plan = running_plan (data); \
    return sd_bus_message_append (reply, signature, plan ? (value) : (otherwise)); \
  }

PLAN_GETTER (get_codec, "s", phone_codec_id_to_string (plan->send.id), "")
PLAN_GETTER (get_clock_rate, "u", (guint32) phone_codec_clock_rate (plan->send.id), (guint32) 0)
PLAN_GETTER (get_ptime, "u", (guint32) plan->ptime, (guint32) 0)
PLAN_GETTER (get_direction, "s", phone_direction_to_string (plan->direction), "")
BUS_GETTER (get_bitrate, BusCall, sd_bus_message_append (reply, "u", wanted_bitrate (self)))
BUS_GETTER (get_remote_address, BusCall, append_remote (reply, self))
BUS_GETTER (get_ice_state, BusCall, bus_append_text (reply, phone_ice_state_to_string (phone_call_get_ice_state (self->call))))
BUS_GETTER (get_security, BusCall, append_security (reply, self->call, running_plan (self)))

void
bus_media_changed_properties (guint mask, GPtrArray *ret_names)
{
  static const char *const names[]
      = { "Codec", "ClockRate", "Ptime", "Direction", "Security", "RemoteAddress", "IceState" };

  for (gsize i = 0; (mask & PHONE_CALL_FIELD_MEDIA) && i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (ret_names, (char *) names[i]);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_media_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Subscribe", SD_BUS_ARGS ("u", ms), SD_BUS_NO_RESULT, on_subscribe,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Unsubscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_unsubscribe,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("OpenStream", SD_BUS_ARGS ("a{sv}", options), SD_BUS_RESULT ("h", socket), on_open_stream,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Play", SD_BUS_ARGS ("s", uri, "a{sv}", options), SD_BUS_NO_RESULT, on_play, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("StopPlaying", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_stop_playing, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("CollectDigits", SD_BUS_ARGS ("a{sv}", options), SD_BUS_RESULT ("s", digits, "s", reason), bus_media_on_collect,
                           SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
  SD_BUS_METHOD_WITH_ARGS ("StopCollecting", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_media_on_stop_collecting, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL_WITH_ARGS ("Played", SD_BUS_ARGS ("s", path), 0),
  SD_BUS_SIGNAL_WITH_ARGS ("Stats", SD_BUS_ARGS ("a{sv}", values), 0),
  SD_BUS_PROPERTY ("Codec", "s", get_codec, 0, CHANGES),
  SD_BUS_PROPERTY ("ClockRate", "u", get_clock_rate, 0, CHANGES),
  SD_BUS_PROPERTY ("Ptime", "u", get_ptime, 0, CHANGES),
  SD_BUS_PROPERTY ("Bitrate", "u", get_bitrate, 0, 0),
  SD_BUS_PROPERTY ("Direction", "s", get_direction, 0, CHANGES),
  SD_BUS_PROPERTY ("Security", "a{sv}", get_security, 0, CHANGES),
  SD_BUS_PROPERTY ("RemoteAddress", "s", get_remote_address, 0, CHANGES),
  SD_BUS_PROPERTY ("IceState", "s", get_ice_state, 0, CHANGES),
  SD_BUS_VTABLE_END,
};
