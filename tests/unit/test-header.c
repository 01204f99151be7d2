/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/ua-header.h"

#include <string.h>

static void
check_dtmf (const char *type, const char *body, char digit, guint ms)
{
  char got = 0;
  guint got_ms = 0;
  gboolean ok = ua_dtmf_info_parse (type, body, strlen (body), &got, &got_ms);

  g_assert_cmpint (ok, ==, digit != 0);
  if (!ok)
    return;
  g_assert_cmpint (got, ==, digit);
  g_assert_cmpuint (got_ms, ==, ms);
}

static void
test_dtmf (void)
{
  g_autofree char *written = ua_dtmf_info_write ('#', 120);

  check_dtmf ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5', 160);
  check_dtmf ("application/dtmf-relay", "Signal= *\nDuration= 250", '*', 250);
  check_dtmf ("application/dtmf-relay", "signal=11", '#', 0);
  check_dtmf ("application/dtmf-relay", "Signal=10\r\n", '*', 0);
  check_dtmf ("Application/DTMF-Relay;charset=x", "Signal=d\r\nDuration=99999\r\n", 'D', 6000);
  check_dtmf ("application/dtmf-relay", written, '#', 120);
  check_dtmf ("application/dtmf", "7", '7', 0);
  check_dtmf ("application/dtmf", " # \r\n", '#', 0);
  check_dtmf ("application/dtmf-relay", "Signal=E\r\n", 0, 0);
  check_dtmf ("application/dtmf-relay", "Signal=55\r\n", 0, 0);
  check_dtmf ("application/dtmf-relay", "Signal=\r\n", 0, 0);
  check_dtmf ("application/dtmf-relay", "Duration=100\r\n", 0, 0);
  check_dtmf ("application/dtmf-relay", "", 0, 0);
  check_dtmf ("application/dtmf", "hello", 0, 0);
  check_dtmf ("text/plain", "5", 0, 0);
  check_dtmf ("application/dtmf-relayed", "Signal=5\r\n", 0, 0);
}

static void
check_split (const char *value, const char *joined)
{
  g_auto (GStrv) entries = ua_header_split (value);
  g_autofree char *text = g_strjoinv ("|", entries);

  g_assert_cmpstr (text, ==, joined);
}

static void
test_split (void)
{
  check_split ("", "");
  check_split ("a", "a");
  check_split ("a, b ,c", "a|b|c");
  check_split ("\"x, y\" <sip:a@b>, <sip:c,d@e>;p=1", "\"x, y\" <sip:a@b>|<sip:c,d@e>;p=1");
  check_split ("\"a\\\",b\" <sip:x>, y", "\"a\\\",b\" <sip:x>|y");
  check_split (",,a,,", "a");
  check_split ("\"never closed, a", "\"never closed, a");
}

static guint
wish_ms (const char *call_info, const char *alert_info, const char *answer_mode)
{
  return ua_answer_wish (call_info, alert_info, answer_mode, NULL).ms;
}

static void
test_answer_wish (void)
{
  g_assert_cmpuint (wish_ms (NULL, NULL, NULL), ==, 0);
  g_assert_cmpuint (wish_ms ("<sip:x@y>;answer-after=0", NULL, NULL), ==, 1);
  g_assert_cmpuint (wish_ms ("<http://a/b,c>;purpose=icon, <sip:x@y>; Answer-After=3", NULL, NULL), ==, 3000);
  g_assert_cmpuint (wish_ms ("<sip:x@y>;answer-after=999999", NULL, NULL), ==, UA_MAX_AUTO_ANSWER_S * 1000);
  g_assert_cmpuint (wish_ms ("<sip:x@y;answer-after=0>", NULL, NULL), ==, 0);
  g_assert_cmpuint (wish_ms (NULL, "<http://www.notused.com>;info=alert-autoanswer;delay=0", NULL), ==, 1);
  g_assert_cmpuint (wish_ms (NULL, "info=RingAnswer", NULL), ==, 1);
  g_assert_cmpuint (wish_ms (NULL, "<x>;info=\"RingAnswer\"", NULL), ==, 1);
  g_assert_cmpuint (wish_ms (NULL, "<http://x/bellcore-dr2>", NULL), ==, 0);
  g_assert_cmpuint (wish_ms (NULL, NULL, "Auto"), ==, 1);
  g_assert_cmpuint (wish_ms (NULL, NULL, "Auto;require"), ==, 1);
  g_assert_cmpuint (wish_ms (NULL, NULL, "Manual"), ==, 0);
  g_assert_cmpuint (wish_ms (NULL, NULL, "Automatic"), ==, 0);
  g_assert_cmpuint (wish_ms ("<sip:x@y>;answer-after=2", NULL, "auto"), ==, 2000);
  g_assert_cmpuint (wish_ms ("<sip:x@y>;answer-after=2", NULL, "Manual"), ==, 0);
}

static void
test_alert_words (void)
{
  static const struct { const char *value, *words; } cases[] = {
    { "<http://127.0.0.1/Bellcore-dr2>", "http://127.0.0.1/bellcore-dr2" },
    { "Bellcore-dr4", "bellcore-dr4" },
    { "<urn:alert:source:internal>, <urn:alert:priority:high>;x=y", "urn:alert:source:internal urn:alert:priority:high" },
    { "<http://www.notused.com>;info=Alert-External;x-line-id=0", "http://www.notused.com alert-external" },
    { ";info=alert-group", "alert-group" },
    { "info=\"my ring\"", NULL },
    { "<a b>, <c", NULL },
    { "<urn:\"x>", NULL },
    { "", NULL },
  };
  g_autofree char *endless = g_strnfill (1000, 'a');
  g_autofree char *many = g_strjoin (",", "one", endless, "two", NULL);
  g_autofree char *some = ua_alert_words (many);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *words = ua_alert_words (cases[i].value);

      g_assert_cmpstr (words, ==, cases[i].words);
    }
  g_assert_cmpstr (some, ==, "one two");
}

static void
test_answer_mode (void)
{
  static const struct { const char *mode, *priv; PhoneAnswerWish wish; } cases[] = {
    { NULL, NULL, { 0 } },
    { "Auto", NULL, { .ms = 1 } },
    { "Auto ; x=y; Require", NULL, { .ms = 1, .required = TRUE } },
    { "Manual;require", NULL, { .manual = TRUE, .required = TRUE } },
    { "Manual", "Auto", { .ms = 1, .privileged = TRUE } },
    { "Auto;require", "Manual", { .manual = TRUE, .privileged = TRUE } },
    { "Auto;require", "whatever", { .ms = 1, .required = TRUE } },
    { "", ";require", { 0 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PhoneAnswerWish wish = ua_answer_wish (NULL, NULL, cases[i].mode, cases[i].priv);

      g_assert_cmpuint (wish.ms, ==, cases[i].wish.ms);
      g_assert_cmpint (wish.privileged, ==, cases[i].wish.privileged);
      g_assert_cmpint (wish.manual, ==, cases[i].wish.manual);
      g_assert_cmpint (wish.required, ==, cases[i].wish.required);
    }
}

static void
check_diverter (const char *diversion, const char *history, const char *wanted)
{
  g_autofree char *uri = ua_diverter (diversion, history);

  g_assert_cmpstr (uri, ==, wanted);
}

static void
test_diverter (void)
{
  check_diverter (NULL, NULL, NULL);
  check_diverter ("\"Desk\" <sip:1@example.org>;reason=busy, <sip:2@example.org>", NULL, "sip:1@example.org");
  check_diverter ("garbage", NULL, NULL);
  check_diverter (NULL, "<sip:a@x>;index=1, <sip:b@x;cause=302>;index=1.1", "sip:a@x");
  check_diverter (NULL, "<sip:a@x>;index=1, <sip:b@x;cause=302>;index=1.1, <sip:c@x;cause=486>;index=1.2", "sip:b@x;cause=302");
  check_diverter (NULL, "<sip:a@x>;index=1", NULL);
  check_diverter (NULL, "<sip:a@x>;index=1, <sip:b@x>;index=1.1", NULL);
  check_diverter ("bad", "<sip:a@x>;index=1, <sip:b@x;cause=302>;index=1.1", "sip:a@x");
}

static void
test_safe (void)
{
  g_assert_true (ua_header_is_safe ("one two"));
  g_assert_true (ua_header_is_safe ("\303\244"));
  g_assert_false (ua_header_is_safe ("one\r\nTwo: 2"));
  g_assert_false (ua_header_is_safe ("tab\there"));
  g_assert_false (ua_header_is_safe ("del\177"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/header/dtmf", test_dtmf);
  g_test_add_func ("/header/split", test_split);
  g_test_add_func ("/header/answer-wish", test_answer_wish);
  g_test_add_func ("/header/alert-words", test_alert_words);
  g_test_add_func ("/header/answer-mode", test_answer_mode);
  g_test_add_func ("/header/diverter", test_diverter);
  g_test_add_func ("/header/safe", test_safe);
  return g_test_run ();
}
