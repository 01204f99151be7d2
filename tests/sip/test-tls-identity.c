/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whom certificates speak for: RFC 5922 section 7, with wildcards. */

#include "bench-certs.h"
#include "sip/tls-identity.h"

typedef struct
{
  const char *name, *san, *domain;
  gboolean matches;
} Case;

static const Case cases[] = {
  { "x", "DNS:sip.example.org", "sip.example.org", TRUE },
  { "x", "DNS:sip.example.org", "SIP.Example.ORG.", TRUE },
  { "x", "DNS:sip.example.org", "example.org", FALSE },
  { "x", "DNS:sip.example.org", "sip.example.org.evil.net", FALSE },
  { "x", "DNS:sip.example.org", "", FALSE },
  { "x", "DNS:*.example.org", "sip.example.org", TRUE },
  { "x", "DNS:*.example.org", "a.sip.example.org", FALSE },
  { "x", "DNS:*.example.org", "example.org", FALSE },
  { "x", "DNS:s*.example.org", "sip.example.org", FALSE },
  { "x", "DNS:sip.*.org", "sip.example.org", FALSE },
  { "x", "DNS:*.org", "example.org", FALSE },
  { "x", "URI:sip:example.org", "example.org", TRUE },
  { "x", "URI:SIP:Example.Org", "example.org", TRUE },
  { "x", "URI:sip:example.org;transport=tls", "example.org", TRUE },
  { "x", "URI:sip:example.org:5061", "example.org", TRUE },
  { "x", "URI:sip:alice@example.org", "example.org", FALSE },
  { "x", "URI:https://example.org", "example.org", FALSE },
  { "x", "URI:sip:*.example.org", "sip.example.org", FALSE },
  { "x", "URI:sip:[2001:db8::1]", "[2001:db8::1]", TRUE },
  { "x", "DNS:sbc.example.net,URI:sip:example.org", "example.org", TRUE },
  { "x", "DNS:sbc.example.net,URI:sip:example.org", "sbc.example.net", TRUE },
  { "x", "DNS:sbc.example.net,URI:sip:example.org", "example.net", FALSE },
  { "x", "IP:192.0.2.1", "192.0.2.1", TRUE },
  { "x", "IP:192.0.2.1", "192.0.2.2", FALSE },
  { "x", "IP:2001:db8::1", "2001:db8::1", TRUE },
  { "x", "IP:2001:db8::1", "[2001:DB8:0::1]", TRUE },
  { "x", "IP:2001:db8::1", "2001:db8::2", FALSE },
  { "x", "DNS:192.0.2.1", "192.0.2.1", FALSE },
  { "192.0.2.1", NULL, "192.0.2.1", FALSE },
  { "sip.example.org", NULL, "sip.example.org", TRUE },
  { "sip.example.org", "DNS:other.example.org", "sip.example.org", FALSE },
  { "sip.example.org", "IP:192.0.2.1", "sip.example.org", FALSE },
  { "sip.example.org", "email:a@example.org", "sip.example.org", FALSE },
};

static void
test_matches (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const Case *c = &cases[i];
      g_autoptr (BenchCert) cert = bench_cert_new (&(BenchCertSpec) { .name = c->name, .san = c->san }, NULL);

      g_test_message ("%s / %s for %s", c->name, c->san, c->domain);
      g_assert_cmpint (tls_identity_matches (cert->certificate, c->domain), ==, c->matches);
    }
}

static void
test_usage (void)
{
  g_autoptr (BenchCert) none = bench_cert_new (&(BenchCertSpec) { .name = "x" }, NULL);
  g_autoptr (BenchCert) web = bench_cert_new (&(BenchCertSpec) { .name = "x", .usage = "serverAuth" }, NULL);
  g_autoptr (BenchCert) sip
      = bench_cert_new (&(BenchCertSpec){ .name = "x", .usage = "1.3.6.1.5.5.7.3.20" }, NULL);

  g_assert_false (tls_identity_is_for_sip (none->certificate));
  g_assert_false (tls_identity_is_for_sip (web->certificate));
  g_assert_true (tls_identity_is_for_sip (sip->certificate));
}

static void
assert_names (const char *name, const char *san, const char *expected)
{
  g_autoptr (BenchCert) cert = bench_cert_new (&(BenchCertSpec) { .name = name, .san = san }, NULL);
  g_autofree char *names = tls_identity_names (cert->certificate);

  g_assert_cmpstr (names, ==, expected);
}

static void
test_names (void)
{
  g_autofree char *long_name = g_strnfill (64, 'n'), *expected = g_strconcat ("CN=", long_name, NULL);

  assert_names ("x", "DNS:a.org,IP:192.0.2.1,IP:2001:db8::1,URI:sip:b.org",
                "a.org, 192.0.2.1, 2001:db8::1, sip:b.org");
  assert_names ("x", "DNS:1,DNS:2,DNS:3,DNS:4,DNS:5,DNS:6,DNS:7", "1, 2, 3, 4, 5, ...");
  assert_names ("M\xc3\xbcller", NULL, "CN=M\xc3\xbcller");
  assert_names ("a\033[2J\nb", NULL, "CN=a\\1B[2J\\0Ab");
  assert_names (long_name, "email:a@b.c", expected);
}

static void
test_address (void)
{
  g_autofree char *bracket = tls_identity_normalize ("[2001:DB8::1]"), *dot = tls_identity_normalize ("A.b.");

  g_assert_cmpstr (bracket, ==, "2001:db8::1");
  g_assert_cmpstr (dot, ==, "a.b");
  g_assert_true (tls_identity_is_address ("192.0.2.1"));
  g_assert_true (tls_identity_is_address ("[::1]"));
  g_assert_false (tls_identity_is_address ("example.org"));
  g_assert_false (tls_identity_is_address ("192.0.2"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tls-identity/matches", test_matches);
  g_test_add_func ("/tls-identity/usage", test_usage);
  g_test_add_func ("/tls-identity/names", test_names);
  g_test_add_func ("/tls-identity/address", test_address);
  return g_test_run ();
}
