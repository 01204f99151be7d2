/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The numbers of a call: one report, or a stream of them. */

#include "ctl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS 1000
#define FIRST_REPORT_US (5 * 1000000ULL)

typedef struct
{
  Ctl *ctl;
  bool follow, done, ended;
  unsigned lines;
} Follower;

typedef struct
{
  const char *key, *label;
  double scale;
  const char *unit;
  int digits;
} Number;

static char *
number_text (const CtlValue *stats, const Number *number)
{
  double value = ctl_value_double (stats, number->key, NAN);

  return isnan (value) ? ctl_format ("-") : ctl_format ("%.*f", number->digits, value * number->scale);
}

/* ---- one report ---- */

static void
add_number (CtlTable *table, const CtlValue *stats, const Number *number)
{
  char *text = number_text (stats, number);

  ctl_table_add (table, CTL_DIM, "%s", number->label);
  ctl_table_add (table, CTL_PLAIN, "%s", text);
  ctl_table_add (table, CTL_DIM, "%s", strcmp (text, "-") == 0 ? "" : number->unit);
  free (text);
}

/* How each end hears the other since the call began (RFC 3611); nothing if the peer does not tell. */
static void
print_ears (Ctl *ctl, const CtlValue *stats)
{
  static const struct
  {
    Number here, peer;
  } numbers[] = {
    { { "here-loss", "lost", 100, "%", 2 }, { "peer-loss", "", 100, "%", 2 } },
    { { "here-discard", "too late", 100, "%", 2 }, { "peer-discard", "", 100, "%", 2 } },
    { { "here-burst-density", "missing in bursts", 100, "%", 1 }, { "peer-burst-density", "", 100, "%", 1 } },
    { { "here-burst-length", "length of bursts", 1, "ms", 0 }, { "peer-burst-length", "", 1, "ms", 0 } },
    { { "here-gap-density", "missing between", 100, "%", 2 }, { "peer-gap-density", "", 100, "%", 2 } },
    { { "here-end-delay", "delay of the end", 1, "ms", 0 }, { "peer-end-delay", "", 1, "ms", 0 } },
    { { "here-signal", "voice", 1, "dBm0", 0 }, { "peer-signal", "", 1, "dBm0", 0 } },
    { { "here-noise", "noise", 1, "dBm0", 0 }, { "peer-noise", "", 1, "dBm0", 0 } },
    { { "here-rating", "R factor", 1, "", 0 }, { "peer-rating", "", 1, "", 0 } },
    { { "here-mos-listening", "MOS listening", 1, "", 1 }, { "peer-mos-listening", "", 1, "", 1 } },
    { { "here-mos-conversation", "MOS conversation", 1, "", 1 }, { "peer-mos-conversation", "", 1, "", 1 } },
  };
  CtlTable *table;

  if (!ctl_value_get (stats, "peer-loss"))
    return;
  table = ctl_table_new (ctl, 4);
  ctl_table_right (table, 1);
  ctl_table_right (table, 2);
  ctl_table_add (table, CTL_DIM, "%s", "as heard");
  ctl_table_add (table, CTL_DIM, "%s", "here");
  ctl_table_add (table, CTL_DIM, "%s", "by the peer");
  ctl_table_add (table, CTL_DIM, "%s", "");
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    {
      char *here = number_text (stats, &numbers[i].here), *peer = number_text (stats, &numbers[i].peer);

      ctl_table_add (table, CTL_DIM, "%s", numbers[i].here.label);
      ctl_table_add (table, CTL_PLAIN, "%s", here);
      ctl_table_add (table, CTL_PLAIN, "%s", peer);
      ctl_table_add (table, CTL_DIM, "%s", numbers[i].here.unit);
      free (here);
      free (peer);
    }
  ctl_table_print (table);
}

/* Two columns: what comes in, and what goes out. */
static void
print_report (Ctl *ctl, const CtlValue *stats)
{
  static const Number numbers[] = {
    { "packets-received", "packets received", 1, "", 0 },   { "packets-sent", "packets sent", 1, "", 0 },
    { "loss-local", "loss to here", 100, "%", 1 },          { "loss-remote", "loss to the peer", 100, "%", 1 },
    { "jitter-local", "jitter here", 1, "ms", 1 },          { "jitter-remote", "jitter at the peer", 1, "ms", 1 },
    { "playout-delay", "playout delay", 1, "ms", 0 },       { "round-trip", "round trip", 1, "ms", 1 },
    { "playout-target", "playout wanted", 1, "ms", 0 },     { "capture-delay", "capture buffer", 1, "ms", 0 },
    { "concealed", "concealed", 100, "%", 2 },              { "output-delay", "output buffer", 1, "ms", 0 },
    { "accelerated", "played faster", 100, "%", 2 },        { "bitrate", "bit rate", 0.001, "kbit/s", 1 },
    { "expanded", "played slower", 100, "%", 2 },           { "bitrate-target", "bit rate wanted", 0.001, "kbit/s", 1 },
    { "fec-used", "repaired by FEC", 1, "", 0 },            { "level-in", "microphone", 1, "dBFS", 0 },
    { "copies-used", "repaired by copies", 1, "", 0 },      { "copies-sent", "copies sent", 1, "", 0 },
    { "late-packets", "too late", 1, "", 0 },               { "level-out", "loudspeaker", 1, "dBFS", 0 },
    { "auth-failures", "refused by SRTP", 1, "", 0 },       { "send-queue", "queue to the peer", 1, "ms", 0 },
    { "breaks", "sending stopped", 1, "times", 0 },         { "mos", "quality (MOS)", 1, "", 2 },
  };
  CtlTable *table = ctl_table_new (ctl, 6);

  ctl_table_right (table, 1);
  ctl_table_right (table, 4);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    add_number (table, stats, &numbers[i]);
  ctl_table_print (table);
  print_ears (ctl, stats);
  if (*ctl_value_string (stats, "codec"))
    ctl_print (ctl, CTL_PLAIN, "%s%s%s%s%s", ctl_value_string (stats, "codec"), *ctl_value_string (stats, "rate-reason") ? ", rate: " : "",
               ctl_value_string (stats, "rate-reason"), *ctl_value_string (stats, "feedback") ? ", feedback: " : "",
               ctl_value_string (stats, "feedback"));
}

/* ---- many ---- */

/* One line a report, so that a person sees a column move. Why the bit rate is what it is comes last: it is as long as it is. */
static void
print_line (Follower *self, const CtlValue *stats)
{
  static const Number columns[] = {
    { "loss-local", "loss %", 100, "", 1 },    { "loss-remote", "there %", 100, "", 1 },  { "jitter-local", "jitter", 1, "", 1 },
    { "round-trip", "rtt ms", 1, "", 0 },      { "playout-delay", "playout", 1, "", 0 },  { "playout-target", "wanted", 1, "", 0 },
    { "concealed", "conc. %", 100, "", 2 },    { "accelerated", "fast %", 100, "", 2 },   { "expanded", "slow %", 100, "", 2 },
    { "fec-used", "FEC", 1, "", 0 },           { "level-in", "mic dB", 1, "", 0 },        { "level-out", "spk dB", 1, "", 0 },
    { "mos", "MOS", 1, "", 2 },                { "bitrate", "kbit/s", 0.001, "", 1 },     { "bitrate-target", "wanted", 0.001, "", 1 },
  };

  if (self->lines++ % 20 == 0)
    {
      for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        printf ("%8s", columns[i].label);
      puts ("  why");
    }
  for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
    {
      char *text = number_text (stats, &columns[i]);

      printf ("%8s", text);
      free (text);
    }
  printf ("  %s\n", ctl_value_string (stats, "rate-reason"));
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
on_owner_changed (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  ((Follower *) data)->ended = true;
  return 0;
}

static int
listen_to (Follower *self, const char *path)
{
  sd_bus *bus = self->ctl->bus;
  int r = sd_bus_match_signal (bus, NULL, PHONE_DBUS_NAME, path, PHONE_DBUS_MEDIA, "Stats", on_stats, self);

  if (r >= 0)
    r = sd_bus_match_signal (bus, NULL, PHONE_DBUS_NAME, path, "org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed, self);
  if (r >= 0)
    r = sd_bus_add_match (bus, NULL,
                          "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" PHONE_DBUS_NAME "'",
                          on_owner_changed, self);
  return r;
}

/* The bus drops a subscription when its client leaves, so nothing is to be taken back. */
static int
follow (Ctl *ctl, const char *path, uint32_t ms, bool forever)
{
  Follower self = { .ctl = ctl, .follow = forever };
  int r = listen_to (&self, path), status;

  if (r < 0)
    return ctl_report (ctl, NULL, NULL, r);
  status = ctl_call_method (ctl, path, PHONE_DBUS_MEDIA, "Subscribe", NULL, "u", ms);
  while (status == CTL_EXIT_OK && r >= 0 && !self.ended && (forever || !self.done))
    {
      r = sd_bus_process (ctl->bus, NULL);
      if (r != 0)
        continue;
      r = sd_bus_wait (ctl->bus, forever ? UINT64_MAX : FIRST_REPORT_US);
      if (r == 0)
        {
          ctl_error ("the call tells no numbers yet; --follow waits for them");
          return CTL_EXIT_STATE;
        }
    }
  if (r < 0)
    return ctl_report (ctl, NULL, NULL, r);
  if (status == CTL_EXIT_OK && !forever && !self.done)
    {
      ctl_error ("the call ended");
      return CTL_EXIT_STATE;
    }
  return status;
}

static int
run_stats (Ctl *ctl, const CtlArgs *args)
{
  const char *interval = ctl_args_value (args, "interval");
  bool forever = ctl_args_flag (args, "follow");
  unsigned long ms = INTERVAL_MS;
  CtlValue *call = NULL;
  int status;

  if (interval && !ctl_parse_number (interval, 100, 60000, &ms))
    {
      ctl_error ("--interval wants 100 to 60000 milliseconds, not '%s'", interval);
      return CTL_EXIT_USAGE;
    }
  status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, NULL, &call);
  if (status != CTL_EXIT_OK)
    return status;
  if (!forever && strcmp (ctl_value_string (call, "State"), "disconnected") != 0 && !*ctl_value_string (call, "Codec"))
    {
      ctl_error ("call %lu has no media yet; --follow waits for it", (unsigned long) ctl_value_uint (call, "number"));
      status = CTL_EXIT_STATE;
    }
  else
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
  { "stats", "[N]", "the numbers of a call: loss, jitter, delay, levels, quality", stats_options, run_stats },
  { 0 },
};
