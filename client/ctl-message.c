/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text messages: sends them, lists them, and prints what comes. */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEFAULT_LIMIT 50
#define MAX_LINE 100            /* characters of a message in a list */
#define MAX_INPUT 65536         /* octets from standard input; phoned has a limit of its own */

static const CtlOption send_options[] = {
  { "account", 'a', "ID", "by this account" },
  { "call", 'c', "N", "to the peer of this call, in its dialog; TARGET is left out" },
  { "wait", 'w', NULL, "until it is sent, or has failed" },
  { 0 },
};

static const CtlOption filter_options[] = {
  { "by-peer", 'b', NULL, "one row a peer, with what is unread; only --unread, --limit and --offset go with it" },
  { "account", 'a', "ID", "only messages of this account" },
  { "party", 'p', "ADDRESS", "only those from and to this number or address" },
  { "text", 't', "TEXT", "only where text, name or address has this in it" },
  { "status", 0, "STATUS", "queued, sending, sent, delivered, displayed, failed or received" },
  { "incoming", 0, NULL, "only those that came in" },
  { "outgoing", 0, NULL, "only those that go out" },
  { "unread", 'u', NULL, "only those that nobody has read" },
  { "since", 0, "TIME", "from YYYY-MM-DD[THH:MM] on, or 7d, 12h, 30m ago" },
  { "until", 0, "TIME", "before that time" },
  { "limit", 'n', "NUMBER", "at most so many (50)" },
  { "offset", 0, "NUMBER", "leave out so many (at most 100000)" },
  { "before", 0, "MESSAGE", "only those older than this one" },
  { 0 },
};

static const CtlOption delete_options[] = {
  { "all", 0, NULL, "every message" },
  { 0 },
};

static const CtlOption follow_options[] = {
  { "limit", 'n', "NUMBER", "begin with so many of those that are there (0)" },
  { 0 },
};

static const CtlOption composing_options[] = {
  { "account", 'a', "ID", "by this account" },
  { "stop", 0, NULL, "it is not being written any more" },
  { 0 },
};

static const CtlPages pages = {
  .interface = PHONE_DBUS_MESSAGES,
  .most = 500,
  .words = (const char *const[]){ "account", "party", "text", "status", NULL },
  .unseen = "unread",
  .seen = "read",
  .columns = (const char *const[]){ "id", "account", "direction", "status", "party", "remote-uri", "remote-name", "time", "changed", "sip", "phrase",
                                    "disposition", "uncertain", "attempts", "read", "body", "contact-name", NULL },
};

/* ---- for people ---- */

static CtlStyle
style_of (const CtlValue *message)
{
  const char *status = ctl_value_string (message, "status");

  if (strcmp (status, "failed") == 0)
    return CTL_BAD;
  if (strcmp (status, "queued") == 0 || strcmp (status, "sending") == 0 || !ctl_value_bool (message, "read"))
    return CTL_WARN;
  return CTL_PLAIN;
}

static char *
party_of (const CtlValue *message)
{
  return ctl_name_text (ctl_value_string (message, "contact-name"), ctl_value_string (message, "remote-name"), ctl_value_string (message, "party"));
}

/* What a report adds to the status; NULL: nothing. */
static const char *
report_of (const CtlValue *details)
{
  static const char *const words[][2] = {
    { "processed", "the server has passed it on" },
    { "stored", "the server keeps it until the peer is there" },
    { "failed", "it was reported as not delivered" },
    { "delivery-forbidden", "nobody may tell whether it arrives" },
    { "delivery-error", "nobody knows whether it arrived" },
    { "display-forbidden", "the peer does not tell whether it is read" },
    { "display-error", "nobody knows whether it is read" },
  };
  const char *disposition = ctl_value_string (details, "disposition");

  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp (words[i][0], disposition) == 0)
      return words[i][1];
  return NULL;
}

/* "sent", "sent: the server keeps it until the peer is there", "failed: 404 Not Found", "failed: 408 Request Timeout; it may have arrived" */
static char *
status_of (const char *status, const CtlValue *details)
{
  const char *phrase = ctl_value_string (details, "phrase"), *perhaps = ctl_value_bool (details, "uncertain") ? "; it may have arrived" : "";
  unsigned long sip = (unsigned long) ctl_value_uint (details, "sip");
  bool open = strcmp (status, "failed") == 0 || strcmp (status, "queued") == 0;
  const char *report = report_of (details);

  /* What a server on the way said does not tell why it went no further. */
  if (report && (!open || strcmp (ctl_value_string (details, "disposition"), "failed") == 0))
    return ctl_format ("%s: %s", status, report);
  if (!open)
    return ctl_format ("%s", status);
  if (sip)
    return ctl_format ("%s: %lu %s%s", status, sip, phrase, perhaps);
  return ctl_format ("%s%s%s%s", status, *phrase ? ": " : "", phrase, perhaps);
}

char *
ctl_one_line (const char *text)
{
  size_t n = 0, length, characters = 0;
  char *line;

  while (characters < MAX_LINE && ctl_text_next (text + n, &length) != 0)
    {
      n += length;
      characters++;
    }
  line = ctl_format ("%.*s%s", (int) n, text, text[n] ? " ..." : "");
  for (char *p = line; *p; p++)
    if (*p == '\n' || *p == '\t')
      *p = ' ';
  return line;
}

static void
print_messages (Ctl *ctl, const CtlValue *messages)
{
  CtlTable *table = ctl_table_new (ctl, 6);

  for (size_t i = 0; i < messages->n; i++)
    {
      const CtlValue *message = messages->items[i];
      bool incoming = strcmp (ctl_value_string (message, "direction"), "incoming") == 0;
      char *when = ctl_local_time (ctl_value_uint (message, "time")), *party = party_of (message), *line = ctl_one_line (ctl_value_string (message, "body"));
      char *status = incoming ? ctl_format ("%s", ctl_value_bool (message, "read") ? "" : "unread")
                              : status_of (ctl_value_string (message, "status"), message);

      ctl_table_add (table, CTL_DIM, "%s", when);
      ctl_table_add (table, CTL_DIM, "%s", incoming ? "from" : "to");
      ctl_table_add (table, CTL_BOLD, "%s", party);
      ctl_table_add (table, style_of (message), "%s", status);
      ctl_table_add (table, CTL_PLAIN, "%s", line);
      ctl_table_add (table, CTL_DIM, "%s", ctl_value_string (message, "id"));
      free (when);
      free (party);
      free (line);
      free (status);
    }
  ctl_table_print (table);
}

/* ---- send ---- */

typedef struct
{
  Ctl *ctl;
  const char *id;               /* NULL: not known yet */
  char *status;                 /* of the one that is waited for, once that is worth telling */
  CtlValue *details;
} Waiting;

static bool
is_final (const char *status)
{
  return strcmp (status, "queued") != 0 && strcmp (status, "sending") != 0;
}

static int
on_status (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Waiting *waiting = data;
  const char *id, *status;
  CtlValue *details = NULL;

  if (sd_bus_message_read (message, "ss", &id, &status) < 0 || ctl_value_read (message, &details) < 0)
    return 0;
  if (is_final (status) && waiting->id && strcmp (waiting->id, id) == 0 && !waiting->status)
    {
      waiting->status = ctl_format ("%s", status);
      waiting->details = details;
      return 0;
    }
  ctl_value_free (details);
  return 0;
}

/* All of standard input, without the end of its last line. NULL: it was said what is wrong. */
static char *
read_input (void)
{
  char *text = calloc (1, MAX_INPUT + 2);
  size_t n;

  if (!text)
    abort ();
  n = fread (text, 1, MAX_INPUT + 1, stdin);
  if (n <= MAX_INPUT && memchr (text, '\0', n) == NULL)
    {
      if (n && text[n - 1] == '\n')
        text[n - 1] = '\0';
      return text;
    }
  ctl_error (n > MAX_INPUT ? "a message has at most %d octets" : "a message has no NUL in it", MAX_INPUT);
  free (text);
  return NULL;
}

static char *
join_words (const CtlArgs *args, size_t from)
{
  char *text = ctl_format ("%s", args->words[from]);

  for (size_t i = from + 1; i < args->n_words; i++)
    {
      char *longer = ctl_format ("%s %s", text, args->words[i]);

      free (text);
      text = longer;
    }
  return text;
}

static int
append_options (Ctl *ctl, sd_bus_message *m, const CtlArgs *args, const char *call)
{
  const char *account = ctl_args_value (args, "account");
  int r = sd_bus_message_open_container (m, 'a', "{sv}");

  if (r >= 0 && account)
    {
      char *path = ctl_account_path (account);

      r = sd_bus_message_append (m, "{sv}", "account", "o", path);
      free (path);
    }
  if (r >= 0 && call)
    r = sd_bus_message_append (m, "{sv}", "call", "o", call);
  return r < 0 ? r : sd_bus_message_close_container (m);
}

static int
wait_for (Waiting *waiting)
{
  Ctl *ctl = waiting->ctl;
  CtlValue *message = NULL;
  sd_bus_message *reply = NULL;
  char *text;
  int r = 0, status;

  /* It may have gone out before we knew its id: as it is now, then what comes. */
  status = ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "Get", &reply, "s", waiting->id);
  if (status == CTL_EXIT_OK && (r = ctl_value_read (reply, &message)) >= 0 && !waiting->status && is_final (ctl_value_string (message, "status")))
    {
      waiting->status = ctl_format ("%s", ctl_value_string (message, "status"));
      waiting->details = message;
      message = NULL;
    }
  ctl_value_free (message);
  sd_bus_message_unref (reply);
  while (status == CTL_EXIT_OK && r >= 0 && !waiting->status)
    if ((r = sd_bus_process (ctl->bus, NULL)) == 0)
      r = sd_bus_wait (ctl->bus, UINT64_MAX);
  if (status != CTL_EXIT_OK || r < 0)
    return status != CTL_EXIT_OK ? status : ctl_report (ctl, NULL, NULL, r);
  text = status_of (waiting->status, waiting->details);
  if (ctl->json)
    {
      ctl_value_set (waiting->details, "id", ctl_value_new_string (waiting->id));
      ctl_value_set (waiting->details, "status", ctl_value_new_string (waiting->status));
      ctl_print_json (waiting->details);
    }
  else
    ctl_print (ctl, strcmp (waiting->status, "failed") == 0 ? CTL_BAD : CTL_GOOD, "%s", text);
  free (text);
  return strcmp (waiting->status, "failed") == 0 ? CTL_EXIT_DECLINED : CTL_EXIT_OK;
}

static int
send_text (Ctl *ctl, const CtlArgs *args, const char *call, const char *to, const char *text, sd_bus_message **ret_reply)
{
  sd_bus_message *m = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "Send");
  int r = sd_bus_message_append (m, "ss", to, text);

  if (r >= 0)
    r = append_options (ctl, m, args, call);
  if (r >= 0)
    return ctl_send (ctl, m, ret_reply);
  sd_bus_message_unref (m);
  if (r != -EINVAL)
    return ctl_report (ctl, NULL, NULL, r);
  ctl_error ("the message, its target, account or call is not one (UTF-8 is wanted)");
  return CTL_EXIT_USAGE;
}

static int
run_send (Ctl *ctl, const CtlArgs *args)
{
  const char *number = ctl_args_value (args, "call"), *path, *to;
  bool in_call = number, wait = ctl_args_flag (args, "wait");
  size_t first = in_call ? 1 : 2;
  Waiting waiting = { .ctl = ctl };
  sd_bus_message *reply = NULL;
  CtlValue *call = NULL;
  char *text;
  int status, r = 0;

  if (!in_call && args->n_words < 2)
    {
      ctl_error ("to whom? a target, or --call");
      return CTL_EXIT_USAGE;
    }
  if (in_call && (status = ctl_choose_call (ctl, number, NULL, &call)) != CTL_EXIT_OK)
    return status;
  text = args->n_words > first ? join_words (args, first) : read_input ();
  if (!text)
    {
      ctl_value_free (call);
      return CTL_EXIT_USAGE;
    }
  if (wait)
    r = sd_bus_match_signal (ctl->bus, NULL, PHONE_DBUS_NAME, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "StatusChanged", on_status, &waiting);
  path = in_call ? ctl_value_string (call, "object") : NULL;
  to = in_call ? "" : args->words[1];
  status = r < 0 ? ctl_report (ctl, NULL, NULL, r) : send_text (ctl, args, path, to, text, &reply);
  free (text);
  ctl_value_free (call);
  if (status == CTL_EXIT_OK && (r = sd_bus_message_read (reply, "s", &waiting.id)) < 0)
    status = ctl_report (ctl, NULL, NULL, r);
  if (status == CTL_EXIT_OK && wait)
    status = wait_for (&waiting);
  else if (status == CTL_EXIT_OK && ctl->json)
    {
      CtlValue *result = ctl_value_new_dict ();

      ctl_value_set (result, "id", ctl_value_new_string (waiting.id));
      ctl_print_json (result);
      ctl_value_free (result);
    }
  else if (status == CTL_EXIT_OK)
    ctl_print (ctl, CTL_PLAIN, "%s", waiting.id);
  ctl_value_free (waiting.details);
  free (waiting.status);
  sd_bus_message_unref (reply);
  return status;
}

/* ---- list ---- */

static int
list_by_peer (Ctl *ctl, const CtlArgs *args, uint32_t offset, uint32_t limit)
{
  for (const CtlOption *option = filter_options; option->name; option++)
    {
      static const char *const fitting[] = { "by-peer", "unread", "limit", "offset" };
      bool fits = !ctl_args_flag (args, option->name) && !ctl_args_value (args, option->name);

      for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++)
        fits = fits || strcmp (option->name, fitting[i]) == 0;
      if (fits)
        continue;
      ctl_error ("--%s does not go with --by-peer", option->name);
      return CTL_EXIT_USAGE;
    }
  return ctl_list_conversations (ctl, ctl_args_flag (args, "unread"), offset, limit);
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  unsigned long limit = DEFAULT_LIMIT, offset = 0;
  CtlValue *messages = NULL;
  int status;

  if (!ctl_read_number (args, "limit", 1, pages.most, &limit) || !ctl_read_number (args, "offset", 0, CTL_MAX_OFFSET, &offset))
    return CTL_EXIT_USAGE;
  if (ctl_args_flag (args, "by-peer"))
    return list_by_peer (ctl, args, (uint32_t) offset, (uint32_t) limit);
  status = ctl_get_page (ctl, &pages, args, ctl_args_value (args, "before"), offset, limit, &messages);
  if (status == CTL_EXIT_OK && ctl->json)
    ctl_print_json (messages);
  else if (status == CTL_EXIT_OK)
    print_messages (ctl, messages);
  ctl_value_free (messages);
  return status;
}

/* ---- show ---- */

static void
print_body (Ctl *ctl, const char *body)
{
  while (*body)
    {
      size_t length = strcspn (body, "\n");
      char *line = ctl_format ("%.*s", (int) length, body);

      for (char *p = line; *p; p++)
        if (*p == '\t')
          *p = ' ';
      ctl_print (ctl, CTL_PLAIN, "%s", line);
      free (line);
      body += length + (body[length] != '\0');
    }
}

int
ctl_show_message (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *reply = NULL;
  CtlValue *message = NULL;
  int status = ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "Get", &reply, "s", args->words[1]), r;

  if (status == CTL_EXIT_OK && (r = ctl_value_read (reply, &message)) < 0)
    status = ctl_report (ctl, NULL, NULL, r);
  if (status == CTL_EXIT_OK && ctl->json)
    ctl_print_json (message);
  else if (status == CTL_EXIT_OK)
    {
      CtlTable *table = ctl_table_new (ctl, 2);
      char *party = party_of (message), *text = status_of (ctl_value_string (message, "status"), message);
      char *when = ctl_text_time ((time_t) ctl_value_uint (message, "time"), time (NULL));

      ctl_table_pair (table, "id", CTL_PLAIN, "%s", ctl_value_string (message, "id"));
      ctl_table_pair (table, ctl_value_string (message, "direction"), CTL_BOLD, "%s", party);
      ctl_table_pair (table, "address", CTL_PLAIN, "%s", ctl_value_string (message, "remote-uri"));
      ctl_table_pair (table, "account", CTL_PLAIN, "%s", ctl_value_string (message, "account"));
      ctl_table_pair (table, "time", CTL_PLAIN, "%s", when);
      ctl_table_pair (table, "status", style_of (message), "%s", text);
      ctl_table_print (table);
      putchar ('\n');
      print_body (ctl, ctl_value_string (message, "body"));
      free (party);
      free (text);
      free (when);
    }
  ctl_value_free (message);
  sd_bus_message_unref (reply);
  return status;
}

/* ---- changes ---- */

static int
run_read (Ctl *ctl, const CtlArgs *args)
{
  return ctl_send_words (ctl, PHONE_DBUS_MESSAGES, "MarkRead", args);
}

static int
run_delete (Ctl *ctl, const CtlArgs *args)
{
  bool all = ctl_args_flag (args, "all");

  if (all == (args->n_words > 1))
    {
      ctl_error (all ? "either --all or ids" : "which messages? ids, or --all");
      return CTL_EXIT_USAGE;
    }
  return ctl_send_words (ctl, PHONE_DBUS_MESSAGES, "Delete", args);
}

static int
run_composing (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *m = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "Composing");
  int r = sd_bus_message_append (m, "sb", args->words[1], !ctl_args_flag (args, "stop"));

  if (r >= 0)
    r = append_options (ctl, m, args, NULL);
  if (r >= 0)
    return ctl_send (ctl, m, NULL);
  sd_bus_message_unref (m);
  return ctl_report (ctl, NULL, NULL, r);
}

static int run_export (Ctl *ctl, const CtlArgs *args) { return ctl_export_pages (ctl, &pages, args); }

/* ---- follow ---- */

/* {"event": what, ...} */
static void
print_event (const char *event, CtlValue *value)
{
  ctl_value_set (value, "event", ctl_value_new_string (event));
  ctl_print_json (value);
  fflush (stdout);
}

static void
print_one (Ctl *ctl, const char *event, const CtlValue *message)
{
  CtlValue *copy = ctl_value_copy (message), *list = ctl_value_new_array ();

  if (ctl->json)
    print_event (event, copy);
  ctl_value_append (list, copy);
  if (!ctl->json)
    print_messages (ctl, list);
  fflush (stdout);
  ctl_value_free (list);
}

static int
on_received (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  CtlValue *message = NULL;

  if (ctl_value_read (m, &message) >= 0)
    print_one (data, "received", message);
  ctl_value_free (message);
  return 0;
}

static int
on_state (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Ctl *ctl = data;
  const char *id, *status;
  CtlValue *details = NULL;

  if (sd_bus_message_read (m, "ss", &id, &status) < 0 || ctl_value_read (m, &details) < 0)
    return 0;
  if (ctl->json)
    {
      ctl_value_set (details, "id", ctl_value_new_string (id));
      ctl_value_set (details, "status", ctl_value_new_string (status));
      print_event ("status", details);
    }
  else
    {
      char *text = status_of (status, details);

      ctl_print (ctl, CTL_DIM, "%s %s", id, text);
      fflush (stdout);
      free (text);
    }
  ctl_value_free (details);
  return 0;
}

static int
on_composing (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Ctl *ctl = data;
  const char *account, *uri;
  int active;

  if (sd_bus_message_read (m, "ssb", &account, &uri, &active) < 0)
    return 0;
  if (ctl->json)
    {
      CtlValue *value = ctl_value_new_dict ();

      ctl_value_set (value, "account", ctl_value_new_string (account));
      ctl_value_set (value, "uri", ctl_value_new_string (uri));
      ctl_value_set (value, "active", ctl_value_new_bool (active));
      print_event ("composing", value);
      ctl_value_free (value);
    }
  else
    {
      ctl_print (ctl, CTL_DIM, active ? "%s is writing ..." : "%s is not writing any more", uri);
      fflush (stdout);
    }
  return 0;
}

static int
run_follow (Ctl *ctl, const CtlArgs *args)
{
  static const struct
  {
    const char *member;
    sd_bus_message_handler_t handler;
  } matches[] = { { "Received", on_received }, { "StatusChanged", on_state }, { "ComposingChanged", on_composing } };
  unsigned long limit = 0;
  CtlValue *messages = NULL;
  int r = 0, status = CTL_EXIT_OK;

  if (!ctl_read_number (args, "limit", 0, pages.most, &limit))
    return CTL_EXIT_USAGE;
  /* The matches are in place before the page is asked for: nothing falls between. */
  for (size_t i = 0; r >= 0 && i < sizeof matches / sizeof matches[0]; i++)
    r = sd_bus_match_signal (ctl->bus, NULL, PHONE_DBUS_NAME, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, matches[i].member, matches[i].handler, ctl);
  if (r >= 0 && limit)
    status = ctl_get_page (ctl, &pages, args, NULL, 0, limit, &messages);
  for (size_t i = messages ? messages->n : 0; i-- > 0;)
    print_one (ctl, "listed", messages->items[i]);
  ctl_value_free (messages);
  if (status != CTL_EXIT_OK)
    return status;
  return r < 0 ? ctl_report (ctl, NULL, NULL, r) : ctl_follow (ctl);
}

static const CtlVerb actions[] = {
  { "list", "", "messages, newest first", filter_options, run_list },
  { "send", "[TARGET] [TEXT...]", "send a message; without a text, what stands on standard input", send_options, run_send },
  { "show", "MESSAGE", "all of one of them", NULL, ctl_show_message },
  { "read", "[MESSAGE...]", "messages are read: these, or all", NULL, run_read },
  { "delete", "[MESSAGE...]", "delete messages for good", delete_options, run_delete },
  { "export", "", "all messages on standard output", ctl_export_options, run_export },
  { "composing", "TARGET", "tell that a message is being written", composing_options, run_composing },
  { "follow", "", "print messages as they come, and what becomes of ours", follow_options, run_follow },
  { 0 },
};

const CtlVerb ctl_message_verbs[] = {
  { "message", "[ACTION ...]", "text messages", .actions = actions },
  { 0 },
};
