/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The calls that were: pages of them, one of them, all of them as a file, and new ones as they come. */

#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_LIMIT 50

static const CtlOption filter_options[] = {
  { "account", 'a', "ID", "only those of this account" },
  { "kind", 'k', "KIND", "call or message" },
  { "outcome", 0, "OUTCOME", "answered, missed, refused, elsewhere, cancelled, failed, voicemail; pending, sent, received" },
  { "incoming", 0, NULL, "only those that came in" },
  { "outgoing", 0, NULL, "only those that went out" },
  { "unseen", 'u', NULL, "only those that nobody here took or has looked at" },
  { "party", 'p', "ADDRESS", "only those with this number or address" },
  { "text", 't', "TEXT", "only where a name, address or message has this in it" },
  { "since", 0, "TIME", "from YYYY-MM-DD[THH:MM] on, or 7d, 12h, 30m ago" },
  { "until", 0, "TIME", "before that time" },
  { "limit", 'n', "NUMBER", "at most so many (50)" },
  { "offset", 0, "NUMBER", "leave out so many (at most 100000)" },
  { "before", 0, "ENTRY", "only those older than this entry" },
  { "follow", 'f', NULL, "go on and print new ones as they come" },
  { 0 },
};

static const CtlOption delete_options[] = {
  { "all", 0, NULL, "every entry" },
  { 0 },
};

static const CtlPages pages = {
  .interface = PHONE_DBUS_HISTORY,
  .most = 1000,
  .words = (const char *const[]){ "account", "kind", "outcome", "party", "text", NULL },
  .unseen = "unseen",
  .seen = "seen",
  .columns = (const char *const[]){ "kind", "id", "account", "direction", "outcome", "party", "remote-uri", "remote-name", "asserted-id", "diverter",
                                    "start", "answered", "ended", "actor", "reason", "sip", "q850", "phrase", "refused-by", "codec", "keying",
                                    "suite", "loss-local", "loss-remote", "jitter-local", "jitter-remote", "round-trip", "mos", "seen", "text",
                                    "playout-target", "playout-delay", "concealed", "accelerated", "expanded", "fec-used", "copies-used",
                                    "bitrate-target", "rate-reason", "here-signal", "here-noise", "here-rating", "peer-rating",
                                    "peer-mos-conversation", "contact-name", NULL },
};

/* ---- for people ---- */

static CtlStyle
style_of (const CtlValue *entry)
{
  const char *outcome = ctl_value_string (entry, "outcome");

  if (!ctl_value_bool (entry, "seen"))
    return CTL_WARN;
  return strcmp (outcome, "answered") == 0 ? CTL_GOOD : CTL_PLAIN;
}

static char *
party_of (const CtlValue *entry)
{
  return ctl_name_text (ctl_value_string (entry, "contact-name"), ctl_value_string (entry, "remote-name"), ctl_value_string (entry, "party"));
}

/* Sent on by us, as it was set or asked for: nothing failed. Whom it was sent on to is not kept. */
static bool
was_forwarded (const CtlValue *entry)
{
  return strcmp (ctl_value_string (entry, "direction"), "incoming") == 0 && strcmp (ctl_value_string (entry, "outcome"), "failed") == 0
         && strcmp (ctl_value_string (entry, "actor"), "local") == 0 && strcmp (ctl_value_string (entry, "reason"), "redirected") == 0;
}

/* What became of it, in a few words: "2:10", "voicemail 0:16", "missed", "refused (dnd)", "forwarded", "failed (not-found)"; of a message also what it
 * says. */
static char *
outcome_of (const CtlValue *entry)
{
  const char *outcome = ctl_value_string (entry, "outcome"), *by = ctl_value_string (entry, "refused-by");
  uint64_t answered = ctl_value_uint (entry, "answered"), ended = ctl_value_uint (entry, "ended");

  if (strcmp (ctl_value_string (entry, "kind"), "message") == 0)
    {
      char *line = ctl_one_line (ctl_value_string (entry, "text")), *text = ctl_format ("%s: %s", outcome, line);

      free (line);
      return text;
    }
  if (answered)
    {
      char *length = ctl_text_duration (ended > answered ? ended - answered : 0), *text;

      if (strcmp (outcome, "voicemail") != 0)
        return length;
      text = ctl_format ("voicemail %s", length);
      free (length);
      return text;
    }
  if (*by)
    return ctl_format ("%s (%s)", outcome, by);
  if (was_forwarded (entry))
    return ctl_format ("forwarded");
  return strcmp (outcome, "failed") == 0 ? ctl_format ("failed (%s)", ctl_value_string (entry, "reason")) : ctl_format ("%s", outcome);
}

char *
ctl_local_time (uint64_t when)
{
  time_t seconds = (time_t) when;
  char text[32] = "";
  struct tm local;

  if (when && localtime_r (&seconds, &local))
    strftime (text, sizeof text, "%Y-%m-%d %H:%M", &local);
  return ctl_format ("%s", text);
}

static void
add_entry (CtlTable *table, const CtlValue *entry)
{
  char *when = ctl_local_time (ctl_value_uint (entry, "start")), *party = party_of (entry), *outcome = outcome_of (entry);

  ctl_table_add (table, CTL_DIM, "%s", when);
  ctl_table_add (table, CTL_DIM, "%s", strcmp (ctl_value_string (entry, "direction"), "incoming") == 0 ? "from" : "to");
  ctl_table_add (table, style_of (entry), "%s", party);
  ctl_table_add (table, style_of (entry), "%s", outcome);
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (entry, "account"));
  ctl_table_add (table, CTL_DIM, "%s", ctl_value_string (entry, "id"));
  free (when);
  free (party);
  free (outcome);
}

static void
print_entries (Ctl *ctl, const CtlValue *entries)
{
  CtlTable *table = ctl_table_new (ctl, 6);

  for (size_t i = 0; i < entries->n; i++)
    add_entry (table, entries->items[i]);
  ctl_table_print (table);
}

/* ---- list ---- */

static int
on_added (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Ctl *ctl = data;
  const char *id;
  CtlValue *entry = NULL, *list;

  if (sd_bus_message_read (message, "s", &id) < 0 || ctl_value_read (message, &entry) < 0)
    return 0;
  list = ctl_value_new_array ();
  ctl_value_append (list, entry);
  if (ctl->json)
    ctl_print_json (entry);
  else
    print_entries (ctl, list);
  fflush (stdout);
  ctl_value_free (list);
  return 0;
}

int
ctl_follow (Ctl *ctl)
{
  int r = 0;

  while (r >= 0 && !ferror (stdout))
    {
      r = sd_bus_process (ctl->bus, NULL);
      if (r == 0)
        r = sd_bus_wait (ctl->bus, UINT64_MAX);
    }
  return r < 0 ? ctl_report (ctl, NULL, NULL, r) : CTL_EXIT_OTHER;
}

/* With --follow one object a line; oldest first, as the new ones come below. */
static void
print_page (Ctl *ctl, const CtlValue *entries, bool oldest_first)
{
  CtlValue *turned = ctl_value_new_array ();

  for (size_t i = entries->n; i-- > 0;)
    ctl_value_append (turned, ctl_value_copy (entries->items[i]));
  if (!ctl->json)
    print_entries (ctl, oldest_first ? turned : entries);
  else if (!oldest_first)
    ctl_print_json (entries);
  else
    for (size_t i = 0; i < turned->n; i++)
      ctl_print_json (turned->items[i]);
  fflush (stdout);
  ctl_value_free (turned);
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  bool forever = ctl_args_flag (args, "follow");
  unsigned long limit = DEFAULT_LIMIT, offset = 0;
  CtlValue *entries = NULL;
  int status, r;

  if (!ctl_read_number (args, "limit", 0, pages.most, &limit) || !ctl_read_number (args, "offset", 0, CTL_MAX_OFFSET, &offset))
    return CTL_EXIT_USAGE;
  /* The match is in place before the page is asked for: nothing falls between. */
  if (forever && (r = sd_bus_match_signal (ctl->bus, NULL, PHONE_DBUS_NAME, PHONE_DBUS_PATH, PHONE_DBUS_HISTORY, "Added", on_added, ctl)) < 0)
    return ctl_report (ctl, NULL, NULL, r);
  if (limit)
    {
      status = ctl_get_page (ctl, &pages, args, ctl_args_value (args, "before"), offset, limit, &entries);
      if (status != CTL_EXIT_OK)
        return status;
      print_page (ctl, entries, forever);
      ctl_value_free (entries);
    }
  return forever ? ctl_follow (ctl) : CTL_EXIT_OK;
}

/* ---- one ---- */

static void
print_quality (CtlTable *table, const CtlValue *entry)
{
  double mos = ctl_value_double (entry, "mos", 0), loss = ctl_value_double (entry, "loss-local", -1);
  double jitter = ctl_value_double (entry, "jitter-local", -1), round_trip = ctl_value_double (entry, "round-trip", -1);
  double peer = ctl_value_double (entry, "peer-mos-conversation", 0), concealed = ctl_value_double (entry, "concealed", -1);
  double playout = ctl_value_double (entry, "playout-delay", -1), rate = ctl_value_double (entry, "bitrate-target", 0);

  if (mos > 0 && peer > 0)
    ctl_table_pair (table, "quality", CTL_PLAIN, "MOS %.1f here, %.1f there", mos, peer);
  else if (mos > 0)
    ctl_table_pair (table, "quality", CTL_PLAIN, "MOS %.1f", mos);
  if (loss >= 0)
    ctl_table_pair (table, "loss", CTL_PLAIN, "%.1f %% here, %.1f %% there", 100 * loss, 100 * ctl_value_double (entry, "loss-remote", 0));
  if (jitter >= 0)
    ctl_table_pair (table, "jitter", CTL_PLAIN, "%.1f ms", jitter);
  if (round_trip >= 0)
    ctl_table_pair (table, "round trip", CTL_PLAIN, "%.0f ms", round_trip);
  if (playout >= 0)
    ctl_table_pair (table, "playout", CTL_PLAIN, "%.0f ms, %.0f wanted", playout, ctl_value_double (entry, "playout-target", 0));
  if (concealed >= 0)
    ctl_table_pair (table, "concealed", CTL_PLAIN, "%.2f %%, %.2f %% played faster, %.2f %% slower", 100 * concealed,
                    100 * ctl_value_double (entry, "accelerated", 0), 100 * ctl_value_double (entry, "expanded", 0));
  if (ctl_value_double (entry, "fec-used", 0) + ctl_value_double (entry, "copies-used", 0) > 0)
    ctl_table_pair (table, "repaired", CTL_PLAIN, "%.0f by FEC, %.0f by copies", ctl_value_double (entry, "fec-used", 0),
                    ctl_value_double (entry, "copies-used", 0));
  if (rate > 0)
    ctl_table_pair (table, "bit rate", CTL_PLAIN, "%.1f kbit/s%s%s", rate / 1000, *ctl_value_string (entry, "rate-reason") ? ", " : "",
                    ctl_value_string (entry, "rate-reason"));
}

static int
run_show (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *reply = NULL;
  CtlValue *entry = NULL;
  int status = ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_HISTORY, "Get", &reply, "s", args->words[1]), r;

  if (status == CTL_EXIT_OK && (r = ctl_value_read (reply, &entry)) < 0)
    status = ctl_report (ctl, NULL, NULL, r);
  if (status == CTL_EXIT_OK && ctl->json)
    ctl_print_json (entry);
  else if (status == CTL_EXIT_OK && strcmp (ctl_value_string (entry, "kind"), "message") == 0)
    status = ctl_show_message (ctl, args);      /* the entry has only the beginning of its text */
  else if (status == CTL_EXIT_OK)
    {
      CtlTable *table = ctl_table_new (ctl, 2);
      char *party = party_of (entry), *outcome = outcome_of (entry), *reason = ctl_reason_text (entry);
      char *when = ctl_text_time ((time_t) ctl_value_uint (entry, "start"), time (NULL));

      ctl_table_pair (table, "id", CTL_PLAIN, "%s", ctl_value_string (entry, "id"));
      ctl_table_pair (table, ctl_value_string (entry, "direction"), CTL_BOLD, "%s", party);
      ctl_table_pair (table, "address", CTL_PLAIN, "%s", ctl_value_string (entry, "remote-uri"));
      ctl_table_pair (table, "asserted", CTL_PLAIN, "%s", ctl_value_string (entry, "asserted-id"));
      ctl_table_pair (table, "diverted by", CTL_PLAIN, "%s", ctl_value_string (entry, "diverter"));
      ctl_table_pair (table, "account", CTL_PLAIN, "%s", ctl_value_string (entry, "account"));
      ctl_table_pair (table, "started", CTL_PLAIN, "%s", when);
      if (strcmp (ctl_value_string (entry, "outcome"), "answered") == 0)
        ctl_table_pair (table, "outcome", style_of (entry), "answered, %s", outcome);
      else
        ctl_table_pair (table, "outcome", style_of (entry), "%s", outcome);
      ctl_table_pair (table, "refused by", CTL_PLAIN, "%s", ctl_value_string (entry, "refused-by"));
      ctl_table_pair (table, "ended", CTL_PLAIN, "%s", reason);
      ctl_table_pair (table, "codec", CTL_PLAIN, "%s", ctl_value_string (entry, "codec"));
      if (*ctl_value_string (entry, "suite"))
        ctl_table_pair (table, "encryption", CTL_GOOD, "%s (%s)", ctl_value_string (entry, "suite"), ctl_value_string (entry, "keying"));
      else if (*ctl_value_string (entry, "codec"))
        ctl_table_pair (table, "encryption", CTL_WARN, "none");
      print_quality (table, entry);
      ctl_table_print (table);
      free (party);
      free (outcome);
      free (reason);
      free (when);
    }
  ctl_value_free (entry);
  sd_bus_message_unref (reply);
  return status;
}

/* ---- changes ---- */

static int
run_seen (Ctl *ctl, const CtlArgs *args)
{
  return ctl_send_words (ctl, PHONE_DBUS_HISTORY, "MarkSeen", args);
}

static int
run_delete (Ctl *ctl, const CtlArgs *args)
{
  bool all = ctl_args_flag (args, "all");

  if (all == (args->n_words > 1))
    {
      ctl_error (all ? "either --all or ids" : "which entries? ids, or --all");
      return CTL_EXIT_USAGE;
    }
  return ctl_send_words (ctl, PHONE_DBUS_HISTORY, "Delete", args);
}

static int run_export (Ctl *ctl, const CtlArgs *args) { return ctl_export_pages (ctl, &pages, args); }

static const CtlVerb actions[] = {
  { "list", "", "the calls and messages that were, newest first", filter_options, run_list },
  { "show", "ENTRY", "all about one of them", NULL, run_show },
  { "seen", "[ENTRY...]", "missed calls are noticed: these, or all", NULL, run_seen },
  { "delete", "[ENTRY...]", "delete entries for good", delete_options, run_delete },
  { "export", "", "all entries on standard output", ctl_export_options, run_export },
  { 0 },
};

const CtlVerb ctl_history_verbs[] = {
  { "history", "[ACTION ...]", "the calls and messages that were", .actions = actions },
  { 0 },
};
