/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/dial-plan.h"

#include <string.h>

/* settings: NULL-terminated pairs after the id. */
static PhoneAccountSettings *
make_settings (const char *const *pairs)
{
  PhoneAccountSettings *settings = phone_account_settings_new ("a", NULL);
  for (guint i = 0; pairs[i] != NULL; i += 2)
    {
      g_autoptr (GError) error = NULL;
      phone_account_settings_set (settings, pairs[i], pairs[i + 1], &error);
      g_assert_no_error (error);
    }
  return settings;
}

static const char *const plain[] = { "aor", "sip:alice@example.org", NULL };
static const char *const tls[] = { "aor", "sip:alice@example.org", "transport", "tls", NULL };
static const char *const sips[] = { "aor", "sips:alice@example.org:5071", "transport", "tls", NULL };
static const char *const direct[] = { "aor", "sip:alice@example.org", "register", "false", NULL };
static const char *const direct_udp[] = { "aor", "sip:alice@example.org", "register", "false", "transport", "udp", NULL };
static const char *const direct_tls[] = { "aor", "sip:alice@example.org", "register", "false", "transport", "tls", NULL };
static const char *const behind[] = {
  "aor", "sip:alice@example.org", "register", "false", "transport", "udp", "outbound-proxy", "sip:edge.example.org", NULL,
};
static const char *const proxied[] = { "aor", "sip:alice@example.org", "register", "false", "outbound-proxy", "sip:edge.example.org", NULL };
static const char *const zero[] = { "aor", "sip:alice@example.org", "prefix", "0", "default-domain", "PBX.example.net:5080", NULL };
static const char *const german[] = { "aor", "sip:alice@example.org", "prefix", "030", "country", "de", NULL };
static const char *const v6[] = { "aor", "sip:alice@[2001:db8::1]", NULL };
static const char *const american[] = { "aor", "sip:alice@example.org", "country", "us", NULL };

static void
test_resolve (void)
{
  static const struct { const char *const *settings; const char *target, *expected; } cases[] = {
    { plain, "sip:bob@example.net", "sip:bob@example.net" },
    { plain, "SIP:bob@Example.net:5070;transport=tcp", "sip:bob@example.net:5070;transport=tcp" },
    { plain, "sip:pbx.example.net", "sip:pbx.example.net" },
    { plain, "sip:bob:hunter2@example.net", "sip:bob@example.net" },
    { tls, "sips:bob@example.net", "sips:bob@example.net" },
    { plain, "bob@example.net", "sip:bob@example.net" },
    { direct, "sip:bob@b.example;transport=TCP", "sip:bob@b.example;transport=TCP" },
    { direct, "sip:bob@b.example;transport=tls", "sip:bob@b.example;transport=tls" },
    { direct, "sips:bob@b.example", "sips:bob@b.example" },
    { direct, "sips:bob@b.example;transport=tcp", "sips:bob@b.example;transport=tcp" },
    { direct_tls, "sips:bob@b.example;transport=tcp", "sips:bob@b.example;transport=tcp" },
    { direct_udp, "sip:bob@b.example;transport=udp", "sip:bob@b.example;transport=udp" },
    { direct_tls, "sip:bob@b.example;transport=tls", "sip:bob@b.example;transport=tls" },
    { behind, "sip:bob@b.example;transport=tls", "sip:bob@b.example;transport=tls" },
    { plain, "bob@[::1]:5062", "sip:bob@[::1]:5062" },
    { plain, "100@192.0.2.1", "sip:100@192.0.2.1" },
    { plain, "bob", "sip:bob@example.org" },
    { plain, "bob.b-c_d", "sip:bob.b-c_d@example.org" },
    { plain, "j\xc3\xbcrgen", "sip:j%C3%BCrgen@example.org" },
    { zero, "bob", "sip:bob@pbx.example.net:5080" },
    { sips, "bob", "sips:bob@example.org:5071" },
    { v6, "bob", "sip:bob@[2001:db8::1]" },
    { plain, "0301234", "sip:0301234@example.org;user=phone" },
    { plain, "(030)12-34.5", "sip:03012345@example.org;user=phone" },
    { plain, "+49(30)1234", "sip:+49301234@example.org;user=phone" },
    { plain, "7", "sip:7@example.org;user=phone" },
    /* prefix */
    { zero, "1234", "sip:01234@pbx.example.net:5080;user=phone" },
    { zero, "01234", "sip:01234@pbx.example.net:5080;user=phone" },
    { zero, "+491234", "sip:+491234@pbx.example.net:5080;user=phone" },
    { zero, "*97", "sip:*97@pbx.example.net:5080" },
    { zero, "*31#0301234", "sip:*31%230301234@pbx.example.net:5080" },
    { zero, "#12", "sip:%2312@pbx.example.net:5080" },
    { zero, "bob2", "sip:bob2@pbx.example.net:5080" },
    /* nothing stands between a person and help */
    { zero, "112", "sip:112@pbx.example.net:5080;user=phone" },
    { zero, "1-1-2", "sip:112@pbx.example.net:5080;user=phone" },
    { zero, "911", "sip:911@pbx.example.net:5080;user=phone" },
    { zero, "tel:112", "sip:112@pbx.example.net:5080;user=phone" },
    { german, "110", "sip:110@example.org;user=phone" },
    { german, "1105", "sip:0301105@example.org;user=phone" },
    { zero, "110", "sip:0110@pbx.example.net:5080;user=phone" },
    { zero, "urn:service:sos", "sip:112@pbx.example.net:5080;user=phone" },
    { german, "urn:service:sos.fire", "sip:112@example.org;user=phone" },
    { american, "URN:service:sos", "sip:911@example.org;user=phone" },
    /* tel */
    { plain, "tel:+49-30-1234", "sip:+49301234@example.org;user=phone" },
    { plain, "tel:+49-30-1234;zz=1;ext=5;isub=7;phone-context=a.b", "sip:+49301234;isub=7;ext=5;phone-context=a.b;zz=1@example.org;user=phone" },
    { zero, "tel:1234", "sip:01234@pbx.example.net:5080;user=phone" },
    { zero, "tel:*97", "sip:*97@pbx.example.net:5080" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneAccountSettings) settings = make_settings (cases[i].settings);
      g_autoptr (GError) error = NULL;
      g_autofree char *uri = phone_dial_plan_resolve (settings, cases[i].target, &error);
      g_test_message ("%s", cases[i].target);
      g_assert_no_error (error);
      g_assert_cmpstr (uri, ==, cases[i].expected);
    }
}

/* The daemon's country counts where the account has none. */
static void
test_country (void)
{
  static const struct { const char *const *settings; const char *country, *target, *expected; } cases[] = {
    { zero, "DE", "110", "sip:110@pbx.example.net:5080;user=phone" },
    { zero, "FR", "110", "sip:0110@pbx.example.net:5080;user=phone" },
    { zero, "US", "urn:service:sos", "sip:911@pbx.example.net:5080;user=phone" },
    { german, "US", "urn:service:sos", "sip:112@example.org;user=phone" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneAccountSettings) settings = make_settings (cases[i].settings);
      g_autofree char *uri = phone_dial_plan_resolve_in (settings, cases[i].target, cases[i].country, NULL);
      g_assert_cmpstr (uri, ==, cases[i].expected);
    }
}

static void
test_refuse (void)
{
  static const struct { const char *const *settings; const char *target, *offence; } cases[] = {
    { plain, "", "nothing" },
    { plain, "030 1234", "spaces" },
    { plain, " bob", "spaces" },
    { plain, "b\xc2\xa0" "b", "spaces" },
    { plain, "bob\r\nVia: x", "control" },
    { plain, "bob\n", "control" },
    { plain, "bob\t", "control" },
    { plain, "\x7f", "control" },
    { plain, "bob\xff", "UTF-8" },
    { plain, "sip:", "host" },
    { plain, "sip:bob@", "host" },
    { plain, "@example.org", "user" },
    { plain, "bob@", "host" },
    { plain, "bob@a@b", "'@'" },
    { plain, "sips:bob@example.net", "tls" },
    { plain, "sip:bob@example.net?Replaces=x", "headers" },
    { plain, "bob@example.net?Subject=x", "headers" },
    { plain, "sip:bob@example.net;method=BYE", "methods" },
    { direct, "sips:bob@b.example;transport=udp", "begins with sips:" },
    { direct_udp, "sips:bob@b.example", "transport=tls" },
    { direct_udp, "sip:bob@b.example;transport=tls", "has transport=udp" },
    { proxied, "sips:bob@b.example", "transport=tls" },
    { direct_udp, "sip:bob@b.example;transport=tcp", "has transport=udp" },
    { direct_tls, "sip:bob@b.example;transport=udp", "has transport=tls" },
    { direct, "sip:bob@b.example;transport=ws", "transport=ws" },
    { plain, "mailto:bob@example.org", "sip:" },
    { plain, "http://example.org", "':'" },
    { plain, "urn:service:sosx", "':'" },
    { plain, "bob;x=y", "';'" },
    { plain, "a/b", "'/'" },
    { plain, "+", "'+'" },
    { plain, "1+2", "'+'" },
    { plain, "++49", "'+'" },
    { plain, "*", "'*'" },
    { plain, "tel:", "digits" },
    { plain, "tel:12x", "'x'" },
    { plain, "tel:12;a=[", "parameter" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneAccountSettings) settings = make_settings (cases[i].settings);
      g_autoptr (GError) error = NULL;
      g_test_message ("case %u", i);
      g_assert_null (phone_dial_plan_resolve (settings, cases[i].target, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
      if (strstr (error->message, cases[i].offence) == NULL)
        g_error ("\"%s\": \"%s\" does not name %s", cases[i].target, error->message, cases[i].offence);
    }
}

static void
test_length (void)
{
  g_autoptr (PhoneAccountSettings) settings = make_settings (plain);
  g_autoptr (PhoneAccountSettings) empty = phone_account_settings_new ("b", NULL);
  g_autofree char *target = g_strnfill (PHONE_DIAL_MAX + 1, 'a');
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = NULL;

  g_assert_null (phone_dial_plan_resolve (settings, target, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
  g_clear_error (&error);
  target[PHONE_DIAL_MAX] = '\0';
  uri = phone_dial_plan_resolve (settings, target, &error);
  g_assert_no_error (error);

  g_assert_null (phone_dial_plan_resolve (empty, "bob", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dial-plan/resolve", test_resolve);
  g_test_add_func ("/dial-plan/country", test_country);
  g_test_add_func ("/dial-plan/refuse", test_refuse);
  g_test_add_func ("/dial-plan/length", test_length);
  return g_test_run ();
}
