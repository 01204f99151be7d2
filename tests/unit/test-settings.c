/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "core/account-settings.h"
#include "core/daemon-settings.h"

/* ---- account ---- */

static void
test_account_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneAccountSettings) s = phone_account_settings_new ("home-1", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (s->id, ==, "home-1");
  g_assert_true (s->enabled);
  g_assert_true (s->do_register);
  g_assert_true (s->tls_verify);
  g_assert_false (s->sdes_in_clear);
  g_assert_false (s->srtp_set);
  g_assert_null (s->aor);
  g_assert_null (s->country);
  g_assert_cmpint (s->transport, ==, PHONE_TRANSPORT_AUTO);
  g_assert_cmpint (s->dtmf, ==, PHONE_DTMF_AUTO);
  g_assert_cmpint (s->redirects, ==, PHONE_REDIRECTS_FOLLOW);
  g_assert_cmpint (s->keying, ==, PHONE_KEYING_ANY);
  g_assert_cmpuint (s->expires, ==, 3600);
  g_assert_cmpuint (s->reg_id, ==, 1);
  g_assert_cmpuint (s->ptime, ==, 20);
  g_assert_cmpint (s->auto_answer, ==, -1);
  g_assert_cmpuint (s->max_calls, >, 0);
  g_assert_cmpuint (s->n_codecs, ==, 4);
  g_assert_cmpint (s->codecs[0], ==, PHONE_CODEC_OPUS);
  g_assert_cmpint (s->codecs[1], ==, PHONE_CODEC_G722);
  g_assert_cmpint (s->codecs[2], ==, PHONE_CODEC_PCMA);
  g_assert_cmpint (s->codecs[3], ==, PHONE_CODEC_PCMU);

  /* What new() makes is what each default says: nothing differs from its default. */
  for (const char *const *key = phone_account_settings_keys (); *key != NULL; key++)
    {
      g_autofree char *value = phone_account_settings_get (s, *key);
      g_test_message ("%s", *key);
      g_assert_null (value);
      g_assert_nonnull (phone_account_settings_help (*key));
      /* A default is written as it is formatted: setting it leaves it at the default. */
      if (phone_account_settings_default (*key) != NULL)
        {
          g_assert_true (phone_account_settings_set (s, *key, phone_account_settings_default (*key), &error));
          g_assert_no_error (error);
          value = phone_account_settings_get (s, *key);
          if (!g_str_equal (*key, "aor"))
            g_assert_null (value);
        }
    }
}

static void
test_account_id (void)
{
  static const char *const bad[] = { "", "A", "a b", "a_b", "-a", "a/b", "..", "\xc3\xa4", "a\n",
                                     "a23456789012345678901234567890123" };
  g_autoptr (PhoneAccountSettings) longest = phone_account_settings_new ("a2345678901234567890123456789012", NULL);

  g_assert_nonnull (longest);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (phone_account_settings_new (bad[i], &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
    }
}

/* key, value, what get() then returns (NULL: refused). */
static const struct { const char *key, *value, *expected; } account_cases[] = {
  { "enabled", "no", "false" }, { "enabled", "OFF", "false" }, { "enabled", "0", "false" }, { "enabled", "maybe", NULL },
  { "name", "J\xc3\xbcrgen's \"phone\" #1", "J\xc3\xbcrgen's \"phone\" #1" }, { "name", "a\nb", NULL }, { "name", "\xff", NULL },
  { "aor", "sip:alice@Example.org", "sip:alice@example.org" }, { "aor", "alice@example.org", "sip:alice@example.org" },
  { "aor", "sips:alice@example.org:5061", "sips:alice@example.org:5061" }, { "aor", "sip:example.org", NULL },
  { "quality-collector", "collector.example.org", "sip:collector.example.org" }, { "quality-collector", "sip:vq@example.org:5070", "sip:vq@example.org:5070" },
  { "quality-interval", "60", "60" }, { "quality-interval", "4", NULL }, { "quality-interval", "3601", NULL },
  { "quality-alerts", "loss=3/10, mos=3.5/3", "loss=3/10, mos=3.5/3" }, { "quality-alerts", "loss=10/3", NULL },
  { "quality-collector", "tel:123", NULL }, { "quality-collector", "sip:vq@example.org?a=b", NULL },
  { "aor", "sip:alice@example.org;transport=tcp", NULL }, { "aor", "sip:alice@example.org?a=b", NULL }, { "aor", "tel:123", NULL },
  { "aor", "alice", NULL }, { "aor", "http://example.org", NULL },
  { "display-name", "Alice", "Alice" },
  { "auth-user", "alice-2", "alice-2" }, { "auth-user", "a:b", NULL },
  { "password-file", "/etc/secret", "/etc/secret" }, { "password-file", "secret", NULL }, { "password-file", "~/secret", NULL },
  { "registrar", "example.org", "example.org" }, { "registrar", "example.org:5070", "example.org:5070" },
  { "registrar", "sip:example.org;transport=tcp", "sip:example.org;transport=tcp" }, { "registrar", "[::1]:5060", "[::1]:5060" },
  { "registrar", "alice@example.org", NULL }, { "registrar", "example.org:99999", NULL }, { "registrar", "a b", NULL },
  { "registrar", "sip:example.org?a=b", NULL },
  { "outbound-proxy", "sip:proxy.example.org;lr", "sip:proxy.example.org;lr" },
  { "transport", "tls", "tls" }, { "transport", "udp", "udp" }, { "transport", "TLS", NULL }, { "transport", "ws", NULL },
  { "register", "false", "false" },
  { "expires", "60", "60" }, { "expires", "86400", "86400" }, { "expires", "59", NULL }, { "expires", "86401", NULL },
  { "expires", "0", NULL }, { "expires", "-1", NULL }, { "expires", "+60", NULL }, { "expires", "60s", NULL }, { "expires", " 60 ", "60" }, { "expires", "6 0", NULL },
  { "expires", "18446744073709551676", NULL },
  { "keep-alive", "0", "0" }, { "keep-alive", "9", NULL }, { "keep-alive", "10", "10" },
  { "reg-id", "2", "2" }, { "reg-id", "0", NULL },
  { "tls-ca", "/etc/ssl/ca.pem", "/etc/ssl/ca.pem" }, { "tls-ca", "ca.pem", NULL },
  { "tls-cert", "/etc/ssl/me.pem", "/etc/ssl/me.pem" },
  { "tls-verify", "no", "false" }, { "tls-verify-callers", "yes", "true" },
  { "codecs", "pcmu", "pcmu" }, { "codecs", "pcmu, opus", "pcmu,opus" }, { "codecs", "g729", NULL }, { "codecs", "opus,opus", NULL },
  { "codecs", "opus,", NULL }, { "codecs", ",", NULL },
  { "codecs", "opus,g722,pcma,pcmu,opus,g722,pcma,pcmu,opus,g722,pcma,pcmu,opus,g722,pcma,pcmu,opus", NULL },
  { "ptime", "40", "40" }, { "ptime", "30", NULL }, { "ptime", "0", NULL }, { "ptime", "020", NULL },
  { "srtp", "required", "required" }, { "srtp", "preferred", "preferred" }, { "srtp", "off", "off" }, { "srtp", "on", NULL },
  { "sdes-in-clear", "yes", "true" },
  { "keying", "sdes", "sdes" }, { "keying", "dtls", "dtls" }, { "keying", "zrtp", NULL },
  { "ice", "on", "on" }, { "ice", "maybe", NULL },
  { "stun-server", "stun:stun.example.org:3479", "stun:stun.example.org:3479" }, { "stun-server", "turn:example.org", NULL },
  { "turn-server", "turns:relay.example.org", "turns:relay.example.org" }, { "turn-server", "turn:example.org?transport=smoke", NULL },
  { "turn-user", "alice:s3cret", NULL }, { "turn-password-file", "turn", NULL }, { "turn-password-file", "/etc/turn", "/etc/turn" },
  { "dtmf", "info", "info" }, { "dtmf", "rfc4733", "rfc4733" }, { "dtmf", "inband", NULL },
  { "redirects", "refuse", "refuse" }, { "redirects", "always", NULL },
  { "auto-answer", "0", "0" }, { "auto-answer", "2000", "2000" }, { "auto-answer", "60001", NULL }, { "auto-answer", "on", NULL },
  { "forward-on", "*72{target}", "*72{target}" }, { "forward-on", "{slot}", NULL }, { "forward-off", "*73", "*73" },
  { "forward-busy-on", "*90{target}", "*90{target}" }, { "forward-busy-off", "*91", "*91" }, { "forward-no-reply-on", "*92", "*92" },
  { "forward-no-reply-off", "*93", "*93" }, { "forward-no-reply-off", "\001", NULL },
  { "focus", "yes", "true" }, { "focus", "all", NULL }, { "roster", "no", "false" }, { "roster", "perhaps", NULL }, { "transfer-news", "no", "false" }, { "transfer-news", "perhaps", NULL }, { "park", "700", "700" }, { "park", "*68{slot}", "*68{slot}" }, { "park", "{target}", NULL }, { "park", "{slot}{slot}", NULL },
  { "park", "sip:park+{slot}@pbx.example.org", "sip:park+{slot}@pbx.example.org" }, { "park", "a b", NULL }, { "park", "}x{", NULL },
  { "park-method", "dtmf", "dtmf" }, { "park-method", "loud", NULL }, { "retrieve", "*88{slot}", "*88{slot}" }, { "retrieve", "<x>", NULL },
  { "pickup", "**{target}", "**{target}" }, { "pickup", "**{slot}", NULL }, { "pickup-group", "*8", "*8" }, { "pickup-group", "\001", NULL },
  { "intercom", "*@example.org, 12", "*@example.org,12" }, { "intercom", "<sip:a@b>", NULL }, { "intercom-privileged", "boss@b", "boss@b" },
  { "intercom-privileged", "a;b", NULL },
  { "max-calls", "1", "1" }, { "max-calls", "0", NULL },
  { "record", "all", "all" }, { "record", "never", "never" }, { "record", "some", NULL },
  { "forward", "030 123", "030 123" }, { "forward", "a\001", NULL }, { "forward-busy", "sip:b@c", "sip:b@c" },
  { "forward-no-reply", "bob", "bob" }, { "forward-no-reply-timeout", "30", "30" }, { "forward-no-reply-timeout", "0", NULL },
  { "answering", "yes", "true" }, { "answering", "perhaps", NULL }, { "answering-after", "5", "5" }, { "answering-after", "0", NULL },
  { "answering-busy", "no", "false" }, { "answering-away", "no", "false" }, { "greeting", "/a/b.wav", "/a/b.wav" }, { "greeting", "b.wav", NULL },
  { "transfers", "accept", "accept" }, { "transfers", "refuse", "refuse" }, { "transfers", "yes", NULL },
  { "did", "+49 (30) 12-34, 5678", "+49301234,5678" }, { "did", "abc", NULL }, { "did", "1,,2", NULL }, { "did", "+", NULL },
  { "prefix", "0", "0" }, { "prefix", "+49", "+49" }, { "prefix", "*31#", "*31#" }, { "prefix", "x", NULL }, { "prefix", "0+", NULL },
  { "prefix", "01234567890123456", NULL },
  { "default-domain", "PBX.example.org:5080", "pbx.example.org:5080" }, { "default-domain", "sip:x", NULL },
  { "default-domain", "a@b", NULL }, { "default-domain", "a;b", NULL },
  { "publish", "on", "on" }, { "publish", "maybe", NULL },
  { "subscribers", "ask", "ask" }, { "subscribers", "yes", NULL }, { "subscribers-allow", " +49 30 1, bob@b.example ", "+49 30 1,bob@b.example" },
  { "subscribers-allow", "1,,2", NULL }, { "subscribers-block", "*@spam.example", "*@spam.example" }, { "subscribers-block", "<a>", NULL },
  { "winfo", "yes", "true" }, { "mwi", "no", "false" }, { "mailbox", "*98", "*98" },
  { "mailbox", "sip:vm@example.org", "sip:vm@example.org" }, { "mailbox", "9 8", NULL },
  { "message-reports", "on", "on" }, { "message-reports", "maybe", NULL },
  { "message-receipts", "displayed", "displayed" }, { "message-receipts", "yes", NULL },
  { "country", "de", "DE" }, { "country", "DEU", NULL }, { "country", "D1", NULL },
};

static void
test_account_set (void)
{
  g_autoptr (GHashTable) tried = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < G_N_ELEMENTS (account_cases); i++)
    {
      const char *key = account_cases[i].key;
      g_autoptr (PhoneAccountSettings) s = phone_account_settings_new ("a", NULL);
      g_autoptr (PhoneAccountSettings) before = phone_account_settings_copy (s);
      g_autoptr (GError) error = NULL;
      g_autofree char *value = NULL;
      gboolean ok = phone_account_settings_set (s, key, account_cases[i].value, &error);

      g_test_message ("case %u: %s", i, key);
      g_hash_table_add (tried, (gpointer) key);
      if (account_cases[i].expected == NULL)
        {
          g_assert_false (ok);
          g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
          g_assert_true (g_str_has_prefix (error->message, key));
          g_assert_true (g_utf8_validate (error->message, -1, NULL));
          /* Nothing changed. */
          g_assert_true (phone_account_settings_equal (s, before));
          continue;
        }
      g_assert_no_error (error);
      g_assert_true (ok);
      value = phone_account_settings_get (s, key);
      g_assert_cmpstr (value, ==, account_cases[i].expected);
      g_assert_false (phone_account_settings_equal (s, before));

      /* What get() returns can be set again, and "" and NULL bring the default back. */
      {
        g_autoptr (PhoneAccountSettings) again = phone_account_settings_new ("a", NULL);
        g_assert_true (phone_account_settings_set (again, key, value, &error));
        g_assert_true (phone_account_settings_equal (again, s));
        g_assert_true (phone_account_settings_set (again, key, i % 2 ? "" : NULL, &error));
        g_assert_true (phone_account_settings_equal (again, before));
      }
    }
  for (const char *const *key = phone_account_settings_keys (); *key != NULL; key++)
    if (!g_hash_table_contains (tried, *key))
      g_error ("the key %s is not tried here", *key);
}

static void
test_account_unknown (void)
{
  static const struct { const char *key, *message; } cases[] = {
    { "transprt", "transport" }, { "expire", "expires" }, { "outbound_proxy", "outbound-proxy" }, { "Codecs", "codecs" },
    { "turn-password", "turn-password-file" }, { "password", "password-file" },
    { "xyzzy", "no such key" }, { "", "no such key" }, { "a\nb\x1b", "a b" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneAccountSettings) s = phone_account_settings_new ("a", NULL);
      g_autoptr (GError) error = NULL;
      g_assert_false (phone_account_settings_set (s, cases[i].key, "hunter2", &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, cases[i].message));
      g_assert_null (strstr (error->message, "hunter2"));
      g_assert_null (phone_account_settings_get (s, cases[i].key));
      g_assert_null (phone_account_settings_help (cases[i].key));
    }
  {
    g_autoptr (PhoneAccountSettings) s = phone_account_settings_new ("a", NULL);
    g_autoptr (GError) error = NULL;
    g_assert_false (phone_account_settings_set (s, "xyzzy", "1", &error));
    g_assert_null (strstr (error->message, "did you mean"));
  }
}

/* A URI with a password in it must not get into an error message. */
static void
test_account_no_password_in_errors (void)
{
  static const char *const keys[] = { "aor", "registrar", "outbound-proxy", "default-domain" };
  static const char *const values[] = { "sip:alice:hunter2@example.org;x", "sip:alice:hunter2@exa mple.org", "sip:alice:hunter2@x:0",
                                        "alice:hunter2@example.org?a=b", "alice:hunter2@example.org" };
  for (guint k = 0; k < G_N_ELEMENTS (keys); k++)
    for (guint i = 0; i < G_N_ELEMENTS (values); i++)
      {
        g_autoptr (PhoneAccountSettings) s = phone_account_settings_new ("a", NULL);
        g_autoptr (GError) error = NULL;
        if (phone_account_settings_set (s, keys[k], values[i], &error))
          g_assert_null (strstr (s->aor, "hunter2"));
        else
          g_assert_null (strstr (error->message, "hunter2"));
      }
}

static void
test_account_copy (void)
{
  g_autoptr (PhoneAccountSettings) s = phone_account_settings_new ("a", NULL);
  g_autoptr (PhoneAccountSettings) copy = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (account_cases); i++)
    if (account_cases[i].expected != NULL)
      g_assert_true (phone_account_settings_set (s, account_cases[i].key, account_cases[i].value, NULL));
  copy = phone_account_settings_copy (s);
  g_assert_true (phone_account_settings_equal (s, copy));
  g_assert_cmpstr (copy->id, ==, "a");
  g_assert_true (copy->aor != s->aor);
  g_assert_true (phone_account_settings_set (copy, "codecs", "opus", NULL));
  g_assert_false (phone_account_settings_equal (s, copy));
  phone_account_settings_free (NULL);
}

static void
test_account_validate (void)
{
  static const struct { const char *pairs[9]; const char *offence; } cases[] = {
    { { NULL }, "aor" },
    { { "aor", "sip:a@b", NULL }, NULL },
    { { "aor", "sips:a@b", NULL }, "aor" },
    { { "aor", "sips:a@b", "transport", "tls", NULL }, NULL },
    { { "aor", "sip:a@b", "srtp", "required", "keying", "sdes", NULL }, "srtp" },
    { { "aor", "sip:a@b", "srtp", "required", NULL }, NULL },
    { { "aor", "sip:a@b", "srtp", "required", "keying", "dtls", NULL }, NULL },
    { { "aor", "sip:a@b", "srtp", "required", "transport", "tls", NULL }, NULL },
    { { "aor", "sip:a@b", "srtp", "required", "transport", "udp", "sdes-in-clear", "yes", NULL }, NULL },
    { { "aor", "sip:a@b", "srtp", "preferred", NULL }, NULL },
    { { "aor", "sip:a@b", "transport", "tls", "outbound-proxy", "sip:p;transport=udp", NULL }, "outbound-proxy" },
    { { "aor", "sip:a@b", "transport", "tls", "outbound-proxy", "sip:p;transport=TLS", NULL }, NULL },
    { { "aor", "sip:a@b", "transport", "tcp", "registrar", "sips:p", NULL }, "registrar" },
    { { "aor", "sip:a@b", "transport", "tls", "registrar", "sips:p", NULL }, NULL },
    { { "aor", "sip:a@b", "registrar", "sip:p;transport=tcp", NULL }, NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneAccountSettings) s = phone_account_settings_new ("a", NULL);
      g_autoptr (GError) error = NULL;
      for (guint k = 0; cases[i].pairs[k] != NULL; k += 2)
        g_assert_true (phone_account_settings_set (s, cases[i].pairs[k], cases[i].pairs[k + 1], NULL));
      g_test_message ("case %u", i);
      g_assert_cmpint (phone_account_settings_validate (s, &error), ==, cases[i].offence == NULL);
      if (cases[i].offence != NULL)
        {
          g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
          g_assert_true (g_str_has_prefix (error->message, cases[i].offence));
        }
    }
}

/* No media key leaves in clear text unless the account says so; on TLS encryption is the default. */
static void
test_account_policy (void)
{
  static const struct { const char *transport, *srtp, *in_clear; PhoneSrtpPolicy policy; gboolean sdes; } cases[] = {
    { "auto", "", "", PHONE_SRTP_OFF, FALSE },          { "udp", "", "", PHONE_SRTP_OFF, FALSE },
    { "tcp", "", "yes", PHONE_SRTP_OFF, TRUE },         { "tls", "", "", PHONE_SRTP_REQUIRED, TRUE },
    { "tls", "off", "", PHONE_SRTP_OFF, TRUE },         { "tls", "preferred", "", PHONE_SRTP_PREFERRED, TRUE },
    { "udp", "preferred", "", PHONE_SRTP_PREFERRED, FALSE }, { "udp", "required", "yes", PHONE_SRTP_REQUIRED, TRUE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneAccountSettings) s = phone_account_settings_new ("a", NULL);
      g_assert_true (phone_account_settings_set (s, "transport", cases[i].transport, NULL));
      g_assert_true (phone_account_settings_set (s, "srtp", cases[i].srtp, NULL));
      g_assert_true (phone_account_settings_set (s, "sdes-in-clear", cases[i].in_clear, NULL));
      g_assert_cmpint (phone_account_settings_srtp (s, FALSE), ==, cases[i].policy);
      g_assert_cmpint (phone_account_settings_sdes_allowed (s, FALSE), ==, cases[i].sdes);
      /* transport=auto has found TLS */
      g_assert_cmpint (phone_account_settings_srtp (s, TRUE), ==, *cases[i].srtp ? cases[i].policy : PHONE_SRTP_REQUIRED);
      g_assert_true (phone_account_settings_sdes_allowed (s, TRUE));
    }
}

/* ---- daemon ---- */

static const struct { const char *section, *key, *value, *expected; } daemon_cases[] = {
  { "daemon", "max-calls", "100", "100" }, { "daemon", "max-calls", "0", NULL }, { "daemon", "max-calls", "1001", NULL },
  { "daemon", "linger", "0", "0" }, { "daemon", "linger", "10", "10" },
  { "daemon", "ring-timeout", "30", "30" }, { "daemon", "ring-timeout", "0", NULL },
  { "daemon", "transfer-timeout", "1", "1" }, { "daemon", "transfer-timeout", "0", NULL },
  { "daemon", "call-waiting", "no", "false" },
  { "daemon", "country", "at", "AT" }, { "daemon", "country", "Austria", NULL },
  { "audio", "input", "pipewire:Headset 2", "pipewire:Headset 2" }, { "audio", "input", "tone:440", "tone:440" },
  { "audio", "input", "tone:5", NULL }, { "audio", "input", "file:/tmp/a.wav", "file:/tmp/a.wav" }, { "audio", "input", "file:a", NULL },
  { "audio", "input", "oss", NULL }, { "audio", "input", "alsa:", NULL }, { "audio", "input", "default:x", NULL },
  { "audio", "input", "file", NULL },
  { "audio", "output", "silence", "silence" }, { "audio", "output", "tone", NULL }, { "audio", "output", "alsa", "alsa" },
  { "audio", "ring", "pulse:x:y", "pulse:x:y" },
  { "audio", "echo-cancel", "off", "off" }, { "audio", "echo-cancel", "maybe", NULL },
  { "audio", "follow-default", "no", "false" }, { "audio", "follow-default", "maybe", NULL },
  { "audio", "noise-suppression", "no", "false" }, { "audio", "noise-suppression", "maybe", NULL },
  { "audio", "gain-control", "yes", "true" }, { "audio", "gain-control", "maybe", NULL },
  { "audio", "rings", "door=/a.wav, *dr2=long", "door=/a.wav,*dr2=long" }, { "audio", "rings", "door=loud", NULL },
  { "audio", "ring-tone", "/a.wav", "/a.wav" }, { "audio", "ring-tone", "a.wav", NULL },
  { "media", "ports", "20000-20100", "20000-20100" }, { "media", "ports", "20000", NULL }, { "media", "ports", "20100-20000", NULL },
  { "media", "ports", "100-20000", NULL }, { "media", "ports", "20000-70000", NULL }, { "media", "ports", "-", NULL },
  { "media", "ports", "20000-20000", NULL }, { "media", "ports", "20000-20100-3", NULL }, { "media", "ports", "65535-65535", NULL },
  { "media", "bind", "127.0.0.1", "127.0.0.1" }, { "media", "bind", "::1", "::1" }, { "media", "bind", "localhost", NULL },
  { "media", "rtp-timeout", "0", "0" }, { "media", "rtp-timeout", "4", NULL },
  { "media", "opus-bitrate", "64000", "64000" }, { "media", "opus-bitrate", "5999", NULL },
  { "media", "opus-complexity", "0", "0" }, { "media", "opus-complexity", "11", NULL },
  { "sip", "bind", "127.0.0.1:5060,[::1]:5070, ::1", "127.0.0.1:5060,[::1]:5070,::1" }, { "sip", "bind", "host:5060", NULL },
  { "sip", "bind", "127.0.0.1:0", NULL }, { "sip", "bind", "1.2.3.4,", NULL }, { "sip", "bind", "1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1,1.1.1.1", NULL },
  { "sip", "user-agent", "acme/1", "acme/1" }, { "sip", "user-agent", "\xc3\xa4", NULL },
  { "sip", "session-expires", "0", "0" }, { "sip", "session-expires", "89", NULL },
  { "sip", "trace", "yes", "true" },
  { "recording", "format", "wav", "wav" }, { "recording", "format", "mp3", NULL },
  { "recording", "signal", "offers", "offers" }, { "recording", "signal", "loud", NULL }, { "recording", "announce", "no", "false" },
  { "recording", "prompt", "/srv/recorded.wav", "/srv/recorded.wav" }, { "recording", "prompt", "recorded.wav", NULL },
  { "recording", "numbers", " +49 30* , Help@Example.org", "+49 30*,Help@Example.org" },
  { "recording", "numbers", "a,,b", NULL }, { "recording", "numbers", "<sip:a@b>", NULL },
  { "recording", "keep-days", "30", "30" }, { "recording", "keep-days", "36501", NULL },
  { "voicemail", "sounds", "/srv/sounds", "/srv/sounds" }, { "voicemail", "sounds", "sounds", NULL },
  { "voicemail", "max-seconds", "60", "60" }, { "voicemail", "max-seconds", "0", NULL }, { "voicemail", "silence-seconds", "0", "0" },
  { "voicemail", "silence-seconds", "1", NULL }, { "voicemail", "min-seconds", "0", "0" }, { "voicemail", "min-seconds", "61", NULL },
  { "voicemail", "max-messages", "7", "7" }, { "voicemail", "max-messages", "0", NULL }, { "voicemail", "max-megabytes", "5", "5" },
  { "voicemail", "keep-days", "9", "9" }, { "voicemail", "taken-over", "delete", "delete" }, { "voicemail", "taken-over", "lose", NULL },
  { "recording", "max-megabytes", "100", "100" }, { "recording", "max-megabytes", "-1", NULL },
  { "history", "keep", "365", "365" }, { "history", "keep", "36501", NULL }, { "history", "keep", "-1", NULL },
  { "messages", "keep", "30", "30" }, { "messages", "keep", "x", NULL }, { "messages", "max-size", "159", NULL },
  { "messages", "max-size", "65536", "65536" }, { "messages", "give-up", "0", NULL }, { "messages", "give-up", "1", "1" },
  { "history", "max-entries", "0", "0" }, { "history", "max-entries", "99", NULL }, { "history", "max-entries", "100", "100" },
};

static void
test_daemon_set (void)
{
  g_autoptr (GHashTable) tried = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (daemon_cases); i++)
    {
      const char *section = daemon_cases[i].section, *key = daemon_cases[i].key;
      g_autoptr (PhoneDaemonSettings) s = phone_daemon_settings_new ();
      g_autoptr (PhoneDaemonSettings) before = phone_daemon_settings_copy (s);
      g_autoptr (GError) error = NULL;
      g_autofree char *value = NULL;
      gboolean ok = phone_daemon_settings_set (s, section, key, daemon_cases[i].value, &error);

      g_test_message ("case %u: %s", i, key);
      g_hash_table_add (tried, g_strdup_printf ("%s.%s", section, key));
      if (daemon_cases[i].expected == NULL)
        {
          g_autofree char *start = g_strdup_printf ("[%s] %s: ", section, key);
          g_assert_false (ok);
          g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
          g_assert_true (g_str_has_prefix (error->message, start));
          g_assert_true (phone_daemon_settings_equal (s, before));
          continue;
        }
      g_assert_no_error (error);
      value = phone_daemon_settings_get (s, section, key);
      g_assert_cmpstr (value, ==, daemon_cases[i].expected);
      g_assert_true (phone_daemon_settings_set (s, section, key, "", &error));
      g_assert_true (phone_daemon_settings_equal (s, before));
    }
  for (const char *const *key = phone_daemon_settings_keys (); *key != NULL; key++)
    {
      g_auto (GStrv) parts = g_strsplit (*key, ".", 2);
      if (!g_hash_table_contains (tried, *key))
        g_error ("the key %s is not tried here", *key);
      g_assert_nonnull (phone_daemon_settings_help (parts[0], parts[1]));
    }
}

static void
test_daemon_defaults (void)
{
  g_autoptr (PhoneDaemonSettings) s = phone_daemon_settings_new ();

  g_assert_cmpuint (s->linger, ==, 5);
  g_assert_cmpuint (s->ring_timeout, ==, 120);
  g_assert_true (s->call_waiting);
  g_assert_cmpstr (s->input, ==, "default");
  g_assert_cmpstr (s->output, ==, "default");
  g_assert_cmpstr (s->ring, ==, "default");
  g_assert_null (s->ring_tone);
  g_assert_cmpuint (s->port_first, ==, 16384);
  g_assert_cmpuint (s->port_last, ==, 32767);
  g_assert_null (s->media_bind);
  g_assert_cmpuint (s->rtp_timeout, ==, 60);
  g_assert_cmpuint (s->opus_bitrate, ==, 28000);
  g_assert_cmpuint (s->opus_complexity, ==, 7);
  g_assert_null (s->sip_bind);
  g_assert_cmpstr (s->user_agent, ==, "phoned/" PHONED_VERSION);
  g_assert_cmpuint (s->session_expires, ==, 1800);
  g_assert_false (s->trace);
  for (const char *const *key = phone_daemon_settings_keys (); *key != NULL; key++)
    {
      g_auto (GStrv) parts = g_strsplit (*key, ".", 2);
      g_assert_null (phone_daemon_settings_get (s, parts[0], parts[1]));
    }
  phone_daemon_settings_free (NULL);
}

static void
test_daemon_unknown (void)
{
  g_autoptr (PhoneDaemonSettings) s = phone_daemon_settings_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (phone_daemon_settings_set (s, "media", "port", "1", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_assert_nonnull (strstr (error->message, "\"ports\""));
  g_clear_error (&error);
  /* The suggestion comes from the same section. */
  g_assert_false (phone_daemon_settings_set (s, "daemon", "ports", "1", &error));
  g_assert_null (strstr (error->message, "did you mean"));
  g_clear_error (&error);
  g_assert_false (phone_daemon_settings_set (s, "medai", "ports", "1", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_assert_nonnull (strstr (error->message, "[medai]"));
}

static void
test_daemon_country (void)
{
  static const struct { const char *all, *telephone, *lang, *expected; } cases[] = {
    { NULL, NULL, NULL, "US" }, { NULL, NULL, "C.UTF-8", "US" }, { NULL, NULL, "de_DE.UTF-8", "DE" }, { NULL, NULL, "de_AT@euro", "AT" },
    { NULL, "fr_CH", "en_US.UTF-8", "CH" }, { "C", "fr_CH", "de_DE", "US" }, { "pt_BR", "fr_CH", "de_DE", "BR" }, { "", "", "it_IT", "IT" },
    { NULL, NULL, "x_", "US" }, { NULL, NULL, "x_1234", "US" }, { NULL, NULL, "ca_ES_x", "ES" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneDaemonSettings) s = NULL;
#define SET(name, value) \
  if (value != NULL) \
    g_setenv (name, value, TRUE); \
  else \
    g_unsetenv (name)
      SET ("LC_ALL", cases[i].all);
      SET ("LC_TELEPHONE", cases[i].telephone);
      SET ("LANG", cases[i].lang);
      s = phone_daemon_settings_new ();
      g_assert_cmpstr (s->country, ==, cases[i].expected);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/account/defaults", test_account_defaults);
  g_test_add_func ("/settings/account/id", test_account_id);
  g_test_add_func ("/settings/account/set", test_account_set);
  g_test_add_func ("/settings/account/unknown", test_account_unknown);
  g_test_add_func ("/settings/account/no-password-in-errors", test_account_no_password_in_errors);
  g_test_add_func ("/settings/account/copy", test_account_copy);
  g_test_add_func ("/settings/account/validate", test_account_validate);
  g_test_add_func ("/settings/account/policy", test_account_policy);
  g_test_add_func ("/settings/daemon/set", test_daemon_set);
  g_test_add_func ("/settings/daemon/defaults", test_daemon_defaults);
  g_test_add_func ("/settings/daemon/unknown", test_daemon_unknown);
  g_test_add_func ("/settings/daemon/country", test_daemon_country);
  return g_test_run ();
}
