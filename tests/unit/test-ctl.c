/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pure parts of phonectl: text for terminals, JSON, usage texts, the command line against its real tables. */

#include <glib.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static void
test_clean (void)
{
  static const struct
  {
    const char *text, *clean;
  } rows[] = {
    { "", "" },
    { "Bob", "Bob" },
    { "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x93\x9e", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x93\x9e" },
    { "a\033[31mb", "a\xef\xbf\xbd[31mb" },
    { "a\nb\tc\x7f", "a\xef\xbf\xbd" "b\xef\xbf\xbd" "c\xef\xbf\xbd" },
    { "\xc2\x9b" "31m", "\xef\xbf\xbd" "31m" },                       /* C1: CSI */
    { "\x9b" "31m", "\xef\xbf\xbd" "31m" },                           /* the same as a raw octet */
    { "\xe2\x80\xae" "gnp", "\xef\xbf\xbdgnp" },                      /* right-to-left override */
    { "\xe2\x81\xa6x\xe2\x81\xa9", "\xef\xbf\xbdx\xef\xbf\xbd" },     /* isolates */
    { "\xe2\x80\xa8", "\xef\xbf\xbd" },                               /* line separator */
    { "\xef\xbb\xbf", "\xef\xbf\xbd" },
    { "\xf3\xa0\x81\x81", "\xef\xbf\xbd" },                           /* tag letters */
    { "\xc0\x9b", "\xef\xbf\xbd\xef\xbf\xbd" },                       /* overlong */
    { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },       /* surrogate */
    { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
    { "a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd" },                     /* cut short */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *clean = ctl_text_clean (rows[i].text);
      g_assert_cmpstr (clean, ==, rows[i].clean);
    }
}

static char *
json_of (const CtlValue *value)
{
  char *text = NULL;
  size_t size = 0;
  FILE *memory = open_memstream (&text, &size);

  ctl_value_json (memory, value);
  fclose (memory);
  return text;
}

static void
test_json_numbers (void)
{
  static const struct
  {
    double number;
    const char *text;
  } rows[] = {
    { 0, "0" },           { 0.1, "0.1" },   { 22.5, "22.5" },     { 123456789.25, "123456789.25" }, { 1e21, "1e+21" },
    { -2.5e-7, "-2.5e-07" }, { NAN, "null" }, { INFINITY, "null" }, { 1.0 / 3, "0.3333333333333333" },
    { 1795409149.123456, "1795409149.123456" },
  };
  CtlValue most = { .kind = CTL_UINT, .u = UINT64_MAX }, least = { .kind = CTL_INT, .i = INT64_MIN };
  g_autofree char *most_text = json_of (&most), *least_text = json_of (&least);

  g_assert_cmpstr (most_text, ==, "18446744073709551615");
  g_assert_cmpstr (least_text, ==, "-9223372036854775808");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      CtlValue value = { .kind = CTL_DOUBLE, .d = rows[i].number };
      g_autofree char *text = json_of (&value);
      g_assert_cmpstr (text, ==, rows[i].text);
    }
  /* Whatever the number, what is printed reads back as the same. */
  for (guint i = 0; i < 20000; i++)
    {
      CtlValue value = { .kind = CTL_DOUBLE, .d = ldexp (g_test_rand_double () - 0.5, g_test_rand_int_range (-300, 300)) };
      g_autofree char *text = json_of (&value);
      g_assert_true (g_ascii_strtod (text, NULL) == value.d);
    }
}

static void
test_json_strings (void)
{
  static const struct
  {
    const char *text, *json;
  } rows[] = {
    { "plain \xc3\xab", "\"plain \xc3\xab\"" },
    { "q\"b\\", "\"q\\\"b\\\\\"" },
    { "\033\n\x7f\xc2\x9b", "\"\\u001b\\u000a\\u007f\\u009b\"" },
    { "\xe2\x80\xae", "\"\\u202e\"" },
    { "\xf3\xa0\x81\x81", "\"\\udb40\\udc41\"" },
    { "\xff", "\"\\ufffd\"" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      CtlValue value = { .kind = CTL_STRING, .s = (char *) rows[i].text };
      g_autofree char *json = json_of (&value);
      g_assert_cmpstr (json, ==, rows[i].json);
    }
}

static void
check_taken (char *text, const char *expected)
{
  g_assert_cmpstr (text, ==, expected);
  free (text);
}

static void
test_times (void)
{
  check_taken (ctl_text_duration (0), "0:00");
  check_taken (ctl_text_duration (67), "1:07");
  check_taken (ctl_text_duration (3599), "59:59");
  check_taken (ctl_text_duration (3600), "1:00:00");
  check_taken (ctl_text_duration (UINT64_MAX), "5124095576030431:00:15");
  check_taken (ctl_text_relative (100, 100), "now");
  check_taken (ctl_text_relative (101, 100), "in 1 s");
  check_taken (ctl_text_relative (190, 100), "in 1 min 30 s");
  check_taken (ctl_text_relative (220, 100), "in 2 min");
  check_taken (ctl_text_relative (100, 7400), "2 h 1 min ago");
  check_taken (ctl_text_relative (0, 200000), "2 d ago");
  check_taken (ctl_text_relative (INT64_MAX, INT64_MIN), "in 213503982334601 d");
  check_taken (ctl_text_time (0, 60), "1970-01-01 00:00:00 (1 min ago)");
}

static void
test_usage (void)
{
  static const struct
  {
    const char *usage;
    size_t min, max;
    const char *second;
  } rows[] = {
    { "", 0, 0, NULL },
    { "[N]", 0, 1, NULL },
    { "[N] DIGITS", 1, 2, "DIGITS" },
    { "ID KEY=VALUE...", 2, CTL_MAX_WORDS, "KEY=VALUE" },
    { "ID [KEY=VALUE...]", 1, CTL_MAX_WORDS, "KEY=VALUE" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      size_t min, max, length = 0;
      const char *name;

      ctl_usage_count (rows[i].usage, &min, &max);
      g_assert_cmpuint (min, ==, rows[i].min);
      g_assert_cmpuint (max, ==, rows[i].max);
      name = ctl_usage_at (rows[i].usage, 1, &length);
      g_assert_true ((name == NULL) == (rows[i].second == NULL));
      if (name)
        g_assert_true (strlen (rows[i].second) == length && strncmp (name, rows[i].second, length) == 0);
    }
}

/* Words, options and an error in one line of text, for comparison. */
static char *
parse (const char *text)
{
  g_auto (GStrv) argv = g_strsplit (text, " ", -1);
  g_autoptr (GString) out = g_string_new (NULL);
  char error[256];
  CtlLine line;

  if (!ctl_line_parse (&line, (int) g_strv_length (argv), argv, error, sizeof error))
    return g_strdup (error);
  for (size_t i = 0; i < line.args.n_words; i++)
    g_string_append_printf (out, "%s ", line.args.words[i]);
  for (size_t i = 0; i < line.args.n_options; i++)
    g_string_append_printf (out, "%s=%s ", line.args.options[i].option->name,
                            line.args.options[i].value ? line.args.options[i].value : "");
  return g_strdup (g_strchomp (out->str));
}

static void
test_line (void)
{
  static const struct
  {
    const char *line, *result;
  } rows[] = {
    { "status", "status" },
    { "-j status", "status json=" },
    { "status -j", "status json=" },
    { "dial -wjabob 110", "dial 110 wait= json= account=bob" },
    { "dial -w -a bob 110", "dial 110 wait= account=bob" },
    { "dial --account=bob --account= 110", "dial 110 account=bob account=" },
    { "dial -- -x", "dial -x" },
    { "dial --header=X-A=b --header X-C=d=e 1", "dial 1 header=X-A=b header=X-C=d=e" },
    { "account", "list" },
    { "account --json", "list json=" },
    { "account --json show alice", "show alice json=" },
    { "account add alice aor=sip:a@b --password-stdin", "add alice aor=sip:a@b password-stdin=" },
    { "dtmf *1#", "dtmf *1#" },
    { "dtmf 2 *1#", "dtmf 2 *1#" },
    { "dial --help", "dial help=" },
    { "hangup 1 2", "'2' is one word too many: phonectl hangup [N]" },
    { "account show", "a word is missing: phonectl account show ID" },
    { "account set alice", "a word is missing: phonectl account set ID KEY=VALUE..." },
    { "account list --password-stdin", "unknown option --password-stdin" },
    { "audio play", "audio: there is no 'play', but list, input, output, ring, echo, follow, test, mute, unmute, volume" },
    { "ring", "there is no verb 'ring'; see phonectl --help" },
    { "dial --wait=1 2", "option --wait takes no value" },
    { "dial --account", "option --account wants ID" },
    { "dial -a", "option --account wants ID" },
    { "dial -x 1", "unknown option -x" },
    { "dial -wx 1", "unknown option -x" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *result = parse (rows[i].line);
      g_assert_cmpstr (result, ==, rows[i].result);
    }
}

static void
test_bounds (void)
{
  char *words[200];
  char error[256];
  CtlLine line;

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    words[i] = (char *) (i < 3 ? (const char *[]){ "account", "set", "x" }[i] : "k=v");
  g_assert_false (ctl_line_parse (&line, G_N_ELEMENTS (words), words, error, sizeof error));
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    words[i] = (char *) "-j";
  g_assert_false (ctl_line_parse (&line, G_N_ELEMENTS (words), words, error, sizeof error));
  g_assert_true (ctl_line_parse (&line, 0, NULL, error, sizeof error));
  g_assert_null (line.verb);
}

/* Two interfaces with a member of the same name; numbers in the order of numbers. */
static void
test_objects (void)
{
  CtlValue *objects = ctl_value_new_dict (), *list;
  static const char *const paths[] = { PHONE_DBUS_CALL_PATH "/10", PHONE_DBUS_CALL_PATH "/9", PHONE_DBUS_CALL_PATH "x/1", PHONE_DBUS_CALL_PATH };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      CtlValue *interfaces = ctl_value_new_dict (), *call = ctl_value_new_dict (), *media = ctl_value_new_dict ();

      ctl_value_set (media, "Direction", ctl_value_new_string ("sendrecv"));
      ctl_value_set (call, "Direction", ctl_value_new_string ("incoming"));
      ctl_value_set (interfaces, PHONE_DBUS_MEDIA, media);
      ctl_value_set (interfaces, PHONE_DBUS_CALL, call);
      ctl_value_set (interfaces, "org.freedesktop.DBus.Peer", ctl_value_new_dict ());
      ctl_value_set (objects, paths[i], interfaces);
    }
  list = ctl_collect (objects, PHONE_DBUS_CALL_PATH);
  g_assert_cmpuint (list->n, ==, 2);
  g_assert_cmpuint (ctl_value_uint (list->items[0], "number"), ==, 9);
  g_assert_cmpuint (ctl_value_uint (list->items[1], "number"), ==, 10);
  g_assert_cmpstr (ctl_value_string (list->items[0], "Direction"), ==, "incoming");
  g_assert_cmpstr (ctl_value_string (list->items[0], "MediaDirection"), ==, "sendrecv");
  ctl_value_free (list);
  ctl_value_free (objects);
}

/* Scripts rely on them: as in phonectl(1). */
static void
test_exit_codes (void)
{
  static const struct
  {
    const char *word;
    int status;
  } reasons[] = {
    { "hangup", 0 },          { "answered-elsewhere", 0 }, { "replaced", 0 },      { "transferred", 0 },    { "cancelled", 1 },
    { "shutdown", 1 },        { "redirected", 1 },         { "failed", 1 },        { "busy", 3 },           { "no-answer", 4 },
    { "unavailable", 4 },     { "declined", 5 },           { "forbidden", 5 },     { "unreachable", 6 },    { "tls", 6 },
    { "server-error", 6 },    { "ack-timeout", 6 },        { "session-timeout", 6 }, { "not-found", 7 },    { "rtp-timeout", 9 },
    { "media-failed", 9 },    { "not-acceptable", 9 },     { "auth-failed", 10 },  { "none", 1 },           { "of tomorrow", 1 },
  }, errors[] = {
    { "Failed", 1 },          { "NotSupported", 1 },       { "Storage", 1 },       { "InvalidTarget", 2 },  { "InvalidOption", 2 },
    { "Busy", 3 },            { "Rejected", 5 },           { "NotRegistered", 6 }, { "NetworkDown", 6 },    { "NoSuchAccount", 7 },
    { "NoSuchEntry", 7 },
    { "InvalidState", 8 },    { "InProgress", 8 },         { "TooMany", 8 },       { "PolicyDenied", 8 },   { "CallEnded", 8 },
    { "MediaFailed", 9 },     { "NoDevice", 9 },           { "AuthFailed", 10 },   { "OfTomorrow", 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    {
      CtlValue *reason = ctl_value_new_dict ();

      ctl_value_set (reason, "reason", ctl_value_new_string (reasons[i].word));
      g_test_message ("%s", reasons[i].word);
      g_assert_cmpint (ctl_exit_from_reason (reason), ==, reasons[i].status);
      ctl_value_free (reason);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_autofree char *name = g_strconcat (PHONE_DBUS_ERROR_PREFIX, errors[i].word, NULL);

      g_test_message ("%s", name);
      g_assert_cmpint (ctl_exit_from_name (name), ==, errors[i].status);
    }
  g_assert_cmpint (ctl_exit_from_name (NULL), ==, 1);
  g_assert_cmpint (ctl_exit_from_name ("org.freedesktop.DBus.Error.UnknownObject"), ==, 7);
  g_assert_cmpint (ctl_exit_from_name ("org.freedesktop.DBus.Error.AccessDenied"), ==, 1);
}

static void
test_read_times (void)
{
  g_assert_cmpint (ctl_read_span ("7d"), ==, 604800);
  g_assert_cmpint (ctl_read_span ("12h"), ==, 43200);
  g_assert_cmpint (ctl_read_span ("100000m"), ==, 6000000);
  g_assert_cmpint (ctl_read_span ("0m"), ==, 0);
  for (gsize i = 0; i < 9; i++)
    g_assert_cmpint (ctl_read_span (((const char *[]){ "", "7", "d", "7w", "7dd", "-7d", "100001m", "22:30", "2026-11-23" })[i]), ==, -1);
  g_assert_cmpint (ctl_read_date ("2026-11-23"), ==, 1795392000);
  g_assert_cmpint (ctl_read_date ("2026-11-23T04:29"), ==, 1795408140);
  g_assert_cmpint (ctl_read_date ("2026-11-23 04:29"), ==, 1795408140);
  g_assert_cmpint (ctl_read_date ("2026-11-23T04:29:01"), ==, 1795408141);
  /* what a clock on the wall shows, in summer too */
  g_setenv ("TZ", "Europe/Berlin", TRUE);
  tzset ();
  g_assert_cmpint (ctl_read_date ("2026-07-01T12:00"), ==, 1782900000);
  g_assert_cmpint (ctl_read_date ("2026-11-23"), ==, 1795388400);
  g_setenv ("TZ", "UTC", TRUE);
  tzset ();
  for (gsize i = 0; i < 5; i++)
    g_assert_cmpint (ctl_read_date (((const char *[]){ "", "22:30", "2026-11-23T", "2026-11-23T04:29:01Z", "2026-13-01" })[i]), ==, -1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* A decimal comma where there is such a locale. */
  if (!setlocale (LC_ALL, "de_DE.UTF-8"))
    setlocale (LC_ALL, "");
  g_setenv ("TZ", "UTC", TRUE);
  g_test_add_func ("/ctl/clean", test_clean);
  g_test_add_func ("/ctl/json-numbers", test_json_numbers);
  g_test_add_func ("/ctl/json-strings", test_json_strings);
  g_test_add_func ("/ctl/times", test_times);
  g_test_add_func ("/ctl/read-times", test_read_times);
  g_test_add_func ("/ctl/usage", test_usage);
  g_test_add_func ("/ctl/line", test_line);
  g_test_add_func ("/ctl/bounds", test_bounds);
  g_test_add_func ("/ctl/objects", test_objects);
  g_test_add_func ("/ctl/exit-codes", test_exit_codes);
  return g_test_run ();
}
