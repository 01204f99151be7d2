/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The numbers of a call: one report, or a stream of them. */

#include "ctl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ONE_SHOT_MS 1000
#define FOLLOW_MS 1000

typedef struct
{
  Ctl *ctl;
  const char *path;
  bool follow, done, ended, header;
} Follower;

static void
add_number (CtlTable *table, const CtlValue *stats, const char *key, const char *label, double scale, const char *unit, int digits)
{
  double value = ctl_value_double (stats, key, NAN);

  ctl_table_add (table, CTL_DIM, "%s", label);
  if (isnan (value))
    ctl_table_add (table, CTL_PLAIN, "-");
  else
    ctl_table_add (table, CTL_PLAIN, "%.*f%s", digits, value * scale, unit);
}

static void
print_report (Ctl *ctl, const CtlValue *stats)
{
  static const struct
  {
    const char *key, *label;
    double scale;
    const char *unit;
    int digits;
  } rows[] = {
    { "loss-local", "loss to us", 100, " %", 1 },       { "loss-remote", "loss to the peer", 100, " %", 1 },
    { "jitter-local", "jitter here", 1, " ms", 1 },     { "jitter-remote", "jitter at the peer", 1, " ms", 1 },
    { "round-trip", "round trip", 1, " ms", 1 },        { "playout-target", "playout target", 1, " ms", 0 },
    { "playout-delay", "playout delay", 1, " ms", 0 },  { "capture-delay", "capture buffer", 1, " ms", 0 },
    { "output-delay", "output buffer", 1, " ms", 0 },   { "concealed", "concealed", 100, " %", 2 },
    { "accelerated", "accelerated", 100, " %", 2 },     { "expanded", "expanded", 100, " %", 2 },
    { "fec-used", "repaired by FEC", 1, "", 0 },        { "late-packets", "too late", 1, "", 0 },
    { "bitrate", "bit rate", 0.001, " kbit/s", 1 },     { "bitrate-target", "wanted", 0.001, " kbit/s", 1 },
    { "level-in", "microphone", 1, " dBFS", 0 },        { "level-out", "loudspeaker", 1, " dBFS", 0 },
    { "auth-failures", "refused by SRTP", 1, "", 0 },   { "packets-received", "packets received", 1, "", 0 },
    { "packets-sent", "packets sent", 1, "", 0 },       { "mos", "MOS estimate", 1, "", 2 },
  };
  CtlTable *table = ctl_table_new (ctl, 4);

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    add_number (table, stats, rows[i].key, rows[i].label, rows[i].scale, rows[i].unit, rows[i].digits);
  ctl_table_print (table);
  if (*ctl_value_string (stats, "rate-reason"))
    printf ("%s, %s\n", ctl_value_string (stats, "codec"), ctl_value_string (stats, "rate-reason"));
}

/* One line a report, so that a person sees a column move. */
static void
print_line (Follower *self, const CtlValue *stats)
{
  if (!self->header)
    puts ("  loss%  jitter  rtt   playout  conceal%  kbit/s  in dB  out dB   MOS");
  self->header = true;
  printf ("%6.1f %7.1f %5.0f %5.0f/%-3.0f %8.2f %8.1f %6.0f %6.0f %6.2f\n", 100 * ctl_value_double (stats, "loss-local", 0),
          ctl_value_double (stats, "jitter-local", 0), ctl_value_double (stats, "round-trip", NAN),
          ctl_value_double (stats, "playout-delay", NAN), ctl_value_double (stats, "playout-target", NAN),
          100 * ctl_value_double (stats, "concealed", 0), ctl_value_double (stats, "bitrate", 0) / 1000,
          ctl_value_double (stats, "level-in", NAN), ctl_value_double (stats, "level-out", NAN), ctl_value_double (stats, "mos", NAN));
  fflush (stdout);
}

static int
on_stats (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Follower *self = data;
  CtlValue *stats = NULL;

  if (self->done && !self->follow)
    return 0;
  if (ctl_value_read (message, &stats) < 0)
    return 0;
  if (self->ctl->json)
    ctl_print_json (stats);
  else if (self->follow)
    print_line (self, stats);
  else
    print_report (self->ctl, stats);
  ctl_value_free (stats);
  self->done = true;
  return 0;
}

static int
on_changed (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Follower *self = data;
  const char *interface;
  CtlValue *values = NULL;

  if (sd_bus_message_read (message, "s", &interface) < 0 || ctl_value_read (message, &values) < 0)
    return 0;
  if (strcmp (ctl_value_string (values, "State"), "disconnected") == 0)
    self->ended = true;
  ctl_value_free (values);
  return 0;
}

static int
follow (Ctl *ctl, const char *path, uint32_t ms, bool forever)
{
  Follower self = { .ctl = ctl, .path = path, .follow = forever };
  int r, status;

  r = sd_bus_match_signal (ctl->bus, NULL, PHONE_DBUS_NAME, path, PHONE_DBUS_MEDIA, "Stats", on_stats, &self);
  if (r >= 0)
    r = sd_bus_match_signal (ctl->bus, NULL, PHONE_DBUS_NAME, path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                             on_changed, &self);
  if (r < 0)
    return ctl_report (NULL, r);
  status = ctl_call_method (ctl, path, PHONE_DBUS_MEDIA, "Subscribe", NULL, "u", ms);
  while (status == CTL_EXIT_OK && r >= 0 && !self.ended && (forever || !self.done))
    {
      r = sd_bus_process (ctl->bus, NULL);
      if (r == 0 && (forever || !self.done) && !self.ended)
        {
          r = sd_bus_wait (ctl->bus, forever ? UINT64_MAX : ctl->timeout_us);
          if (r == 0)
            {
              ctl_error ("the call has no media yet");
              return CTL_EXIT_STATE;
            }
        }
    }
  if (r < 0)
    return ctl_report (NULL, r);
  if (status == CTL_EXIT_OK && !self.ended)
    status = ctl_call_method (ctl, path, PHONE_DBUS_MEDIA, "Unsubscribe", NULL, NULL);
  return status;
}

static int
run_stats (Ctl *ctl, const CtlArgs *args)
{
  const char *interval = ctl_args_value (args, "interval");
  bool forever = ctl_args_flag (args, "follow");
  unsigned long ms = forever ? FOLLOW_MS : ONE_SHOT_MS;
  CtlValue *call = NULL;
  int status;

  if (args->n_words > 2 || (interval && !ctl_parse_number (interval, 100, 60000, &ms)))
    {
      ctl_error ("stats [N] [--follow] [--interval 100..60000]");
      return CTL_EXIT_USAGE;
    }
  status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, NULL, &call);
  if (status == CTL_EXIT_OK)
    status = follow (ctl, ctl_value_string (call, "object"), (uint32_t) ms, forever);
  ctl_value_free (call);
  return status;
}

static const CtlOption stats_options[] = {
  { "follow", 'f', NULL, "go on until the call ends" },
  { "interval", 0, "MS", "milliseconds between two reports (1000)" },
  { 0 },
};

const CtlVerb ctl_stats_verbs[] = {
  { "stats", "[N]", "the numbers of a call", stats_options, run_stats },
  { 0 },
};
