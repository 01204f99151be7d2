/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the log shows: of SIP messages all but secrets, and with everything about a call the id that the provider knows it by. */

#include "bed.h"

#include <stdio.h>
#include <string.h>

#define SECRET "correct-horse"

static GString *logged;
static GString *of_calls;       /* "Call-ID message" of what has the number of a call */

static GLogWriterOutput
on_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  const char *message = "", *call = NULL, *id = "-";

  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      message = fields[i].value;
    else if (g_str_equal (fields[i].key, "CALL"))
      call = fields[i].value;
    else if (g_str_equal (fields[i].key, "SIP_CALL_ID"))
      id = fields[i].value;
  g_string_append_printf (logged, "%s\n", message);
  if (call)
    g_string_append_printf (of_calls, "%s %s\n", id, message);
  return G_LOG_WRITER_HANDLED;
}

static void
test_secrets (void)
{
  Bed bed = { 0 };
  g_autofree char *sent = NULL;
  const char *response, *key;

  bed_open (&bed);
  g_free (bed.agent->password);
  bed.agent->password = g_strdup (SECRET);
  phone_daemon_settings_set (bed.agent->settings, "sip", "trace", "true", NULL);
  phone_registry_set_settings (bed.agent->registry, bed.agent->settings);
  ua_engine_settings_changed (bed.agent->ua);
  harness_settle ();
  {
    g_autoptr (GError) error = NULL;
    const char *const updates[] = { "srtp", "required", "sdes-in-clear", "true", NULL };

    phone_account_update (phone_registry_find_account (bed.agent->registry, "alice"), updates, &error);
    g_assert_no_error (error);
    wait_for (ua_engine_count_stacks (bed.agent->ua) == 1);
    harness_settle ();
  }
  peer_reply (bed.peer, bed_dial (&bed), 401, "Unauthorized", "one",
              "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"\r\n", NULL);
  sent = g_strdup (bed_await_request (&bed, "INVITE", 1)->text);
  peer_reply (bed.peer, peer_request (bed.peer, "INVITE", 1), 486, "Busy Here", "one", NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  peer_send (bed.peer, PHONE, PORT,
             "INFO sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " PEER ":5060;branch=z9hG4bK-i\r\nMax-Forwards: 70\r\nFrom: <sip:b@" PEER ">;tag=1\r\n"
             "To: <sip:alice@" PHONE ">\r\nCall-ID: i\r\nCSeq: 1 INFO\r\nContent-Type: application/dtmf\r\nContent-Length: 9\r\n\r\n*digits*#");
  bed_await_response (&bed, 481, "INFO");

  /* what went over the wire had them */
  g_assert_nonnull (strstr (sent, "response=\""));
  g_assert_nonnull (strstr (sent, "inline:"));
  response = strstr (sent, "response=\"") + 10;
  key = strstr (sent, "inline:") + 7;
  /* the log has the messages, not the secrets */
  g_assert_nonnull (strstr (logged->str, "INVITE sip:bob@" PEER " SIP/2.0"));
  g_assert_nonnull (strstr (logged->str, "m=audio"));
  g_assert_nonnull (strstr (logged->str, "a=crypto"));
  {
    g_autofree char *response_text = g_strndup (response, 32);
    g_autofree char *key_text = g_strndup (key, 20);

    g_assert_null (strstr (logged->str, response_text));
    g_assert_null (strstr (logged->str, key_text));
  }
  g_assert_null (strstr (logged->str, SECRET));
  g_assert_null (strstr (logged->str, "*digits*"));
  bed_close (&bed);
}

static void
assert_logged (const char *id, const char *message)
{
  g_autofree char *line = g_strdup_printf ("%s %s", id, message);

  if (!strstr (of_calls->str, line))
    fprintf (stderr, "\"%s\" is missing in:\n%s", line, of_calls->str);
  g_assert_nonnull (strstr (of_calls->str, line));
}

static void
test_call_id (void)
{
  Bed bed = { 0 };
  g_autofree char *id = NULL;

  bed_open (&bed);
  g_string_truncate (of_calls, 0);
  id = peer_header (bed_dial (&bed), "Call-ID");
  peer_reply (bed.peer, peer_request (bed.peer, "INVITE", 0), 180, "Ringing", "one", NULL, NULL);
  wait_for (bed.agent->n_alerting == 1);
  peer_reply (bed.peer, peer_request (bed.peer, "INVITE", 0), 486, "Busy Here", "one", NULL, NULL);
  wait_for (bed.agent->n_ended == 1);
  assert_logged (id, "Call 1: dialing -> alerting");
  assert_logged (id, "Call 1: alerting -> disconnected");
  bed_send_invite (&bed, "log", NULL, peer_sdp (PEER, 30000, "sendrecv"));
  wait_for (bed.agent->calls->len == 2);
  g_clear_pointer (&id, g_free);
  id = peer_header (bed_await_response (&bed, 180, "INVITE"), "Call-ID");
  phone_call_reject (g_ptr_array_index (bed.agent->calls, 1), PHONE_CAUSE_BUSY, NULL);
  wait_for (bed.agent->n_ended == 2);
  assert_logged (id, "Call 2: disconnecting -> disconnected");
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  logged = g_string_new (NULL);
  of_calls = g_string_new (NULL);
  harness_init (&argc, &argv);
  g_log_set_writer_func (on_log, NULL, NULL);
  g_setenv ("G_MESSAGES_DEBUG", "all", TRUE);
  g_test_add_func ("/sip/trace/secrets", test_secrets);
  g_test_add_func ("/sip/trace/call-id", test_call_id);
  return g_test_run ();
}
