/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "util/name-addr.h"
#include "util/phone-uri.h"
#include "util/text.h"

static void
test_canonical (void)
{
  static const struct { const char *text, *expected; } cases[] = {
    { "sip:alice@example.org", "sip:alice@example.org" },
    { "SIP:alice@EXAMPLE.Org.", "sip:alice@example.org" },
    { "sips:alice@example.org:5061", "sips:alice@example.org:5061" },
    { "sip:example.org", "sip:example.org" },
    { "sip:alice:secretword@atlanta.com;Transport=tcp", "sip:alice@atlanta.com;transport=tcp" },
    { "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@atlanta.com;transport=TCP" },
    { "sip:+1-212-555-1212:1234@gateway.com;user=phone", "sip:+1-212-555-1212@gateway.com;user=phone" },
    { "sip:alice;day=tuesday@atlanta.com", "sip:alice;day=tuesday@atlanta.com" },
    { "sip:a%2fb%3Ac@x.y", "sip:a%2Fb%3Ac@x.y" },
    { "sip:a@[2001:DB8:0:0::1]:5060;lr", "sip:a@[2001:db8::1]:5060;lr" },
    { "sip:a@[::ffff:192.0.2.1]", "sip:a@[::ffff:192.0.2.1]" },
    { "sip:a@192.0.2.1:1", "sip:a@192.0.2.1:1" },
    { "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com" },
    { "sip:a@b?x=&y=%20", "sip:a@b?x=&y=%20" },
    { "sip:*31#0301@pbx", "sip:*31%230301@pbx" },
    { "sip:j\xc3\xbcrgen@pbx_1.local", "sip:j%C3%BCrgen@pbx_1.local" },
    { "sip:null-%00-null@example.com", "sip:null-%00-null@example.com" },
    { "sip:%FF@example.com", "sip:%FF@example.com" },
    { "tel:+49(30)12-34.5", "tel:+493012345" },
    { "tel:112", "tel:112" },
    { "TEL:7042;phone-context=Example.com", "tel:7042;phone-context=Example.com" },
    { "tel:863-1234;phone-context=+1-914-555;ext=1-2", "tel:8631234;phone-context=+1914555;ext=12" },
    { "tel:*31%23110", "tel:*31%23110" },
    { "tel:*31#abc", "tel:*31%23ABC" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PhoneUri) uri = phone_uri_parse (cases[i].text, &error);
      g_autoptr (PhoneUri) again = NULL;
      g_autofree char *text = NULL;

      g_assert_no_error (error);
      text = phone_uri_to_string (uri);
      g_assert_cmpstr (text, ==, cases[i].expected);
      again = phone_uri_parse (text, &error);
      g_assert_no_error (error);
      g_assert_true (phone_uri_equal (uri, again));
    }
}

static void
test_parts (void)
{
  g_autoptr (PhoneUri) uri
      = phone_uri_parse ("sip:al%20ice@[::1]:5070;transport=tcp;lr;maddr=239.1.1.1?Subject=x%20y&Priority=urgent", NULL);
  g_autoptr (PhoneUri) copy = NULL;
  g_autofree char *user = NULL;
  const PhoneUriParam *header;

  g_assert_nonnull (uri);
  g_assert_cmpint (uri->scheme, ==, PHONE_URI_SIP);
  g_assert_cmpstr (uri->user, ==, "al%20ice");
  user = phone_uri_dup_user (uri);
  g_assert_cmpstr (user, ==, "al ice");
  g_assert_cmpstr (uri->host, ==, "::1");
  g_assert_true (uri->host_is_ipv6);
  g_assert_cmpuint (uri->port, ==, 5070);
  g_assert_cmpuint (uri->params->len, ==, 3);
  g_assert_cmpstr (phone_uri_get_param (uri, "Transport"), ==, "tcp");
  g_assert_true (phone_uri_has_param (uri, "lr"));
  g_assert_null (phone_uri_get_param (uri, "lr"));
  g_assert_false (phone_uri_has_param (uri, "user"));
  g_assert_cmpuint (uri->headers->len, ==, 2);
  header = g_ptr_array_index (uri->headers, 1);
  g_assert_cmpstr (header->name, ==, "Priority");
  g_assert_cmpstr (header->value, ==, "urgent");

  copy = phone_uri_copy (uri);
  g_assert_true (phone_uri_equal (uri, copy));
  phone_uri_set_param (copy, "transport", "tls");
  phone_uri_remove_param (copy, "maddr");
  phone_uri_set_param (copy, "X", "a;b@c");
  phone_uri_set_param (copy, "ob", NULL);
  g_assert_false (phone_uri_equal (uri, copy));
  g_free (user);
  user = phone_uri_to_string (copy);
  g_assert_cmpstr (user, ==, "sip:al%20ice@[::1]:5070;transport=tls;lr;x=a%3Bb%40c;ob?Subject=x%20y&Priority=urgent");
}

/* The user part has a text form only when that is clean. */
static void
test_user_text (void)
{
  static const struct { const char *uri, *expected; } cases[] = {
    { "sip:bob@x", "bob" }, { "sip:x", NULL }, { "sip:%00@x", NULL }, { "sip:a%0d%0ab@x", NULL }, { "sip:%ff@x", NULL },
    { "sip:%c3%bc@x", "\xc3\xbc" }, { "tel:+1-2", "+12" }, { "sip:a%40b@x", "a@b" }, { "sip:a%c2%85@x", NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneUri) uri = phone_uri_parse (cases[i].uri, NULL);
      g_autofree char *user = phone_uri_dup_user (uri);
      g_assert_cmpstr (user, ==, cases[i].expected);
    }
}

static void
test_errors (void)
{
  static const struct { const char *text, *offence; } cases[] = {
    { "", "begin with" },
    { "alice@example.org", "begin with" },
    { "mailto:alice@example.org", "begin with" },
    { "sip", "begin with" },
    { "sip:", "no host" },
    { "sip:@example.org", "no user" },
    { "sip::pw@example.org", "no user" },
    { "sip:bob@", "no host" },
    { "sip:bob@:5060", "no host" },
    { "sip:bob@host:", "port" },
    { "sip:bob@host:0", "port" },
    { "sip:bob@host:65536", "port" },
    { "sip:bob@host:123456", "port" },
    { "sip:bob@host:5x", "port" },
    { "sip:bob@host:+5", "port" },
    { "sip:bob@ho st", "host" },
    { "sip:bob@-host", "host" },
    { "sip:bob@a..b", "host" },
    { "sip:bob@.", "host" },
    { "sip:bob@1.2.3", "IPv4" },
    { "sip:bob@0177.0.0.1", "IPv4" },
    { "sip:bob@1.2.3.256", "IPv4" },
    { "sip:bob@[::1", "']'" },
    { "sip:bob@[::1]5060", "follows" },
    { "sip:bob@[fe80::1%25eth0]", "IPv6" },
    { "sip:bob@[]", "IPv6" },
    { "sip:b b@host", "' '" },
    { "sip:bob@host\r\nVia: x", "0x0d" },
    { "sip:bo\rb@host", "0x0d" },
    { "sip:b%4@host", "hexadecimal" },
    { "sip:b%zz@host", "hexadecimal" },
    { "sip:b%", "host" },
    { "sip:bob@host%41", "'%'" },
    { "sip:b\xff@host", "UTF-8" },
    { "sip:bob:p w@host", "password" },
    { "sip:bob@host;", "no name" },
    { "sip:bob@host;;lr", "no name" },
    { "sip:bob@host;=x", "no name" },
    { "sip:bob@host;a=", "empty value" },
    { "sip:bob@host;a=b;A=c", "twice" },
    { "sip:bob@host;a=<", "'<'" },
    { "sip:bob@host?", "header" },
    { "sip:bob@host?x", "header" },
    { "sip:bob@host?=x", "header" },
    { "sip:bob@host?x=1&", "header" },
    { "sip:bob@host@host2", "'@'" },
    { "tel:", "no digits" },
    { "tel:+", "no digits" },
    { "tel:-", "no digits" },
    { "tel:1+2", "'+'" },
    { "tel:+1a", "'a'" },
    { "tel:+1#", "'#'" },
    { "tel:12%41", "escape" },
    { "tel:12 34", "' '" },
    { "tel:12;ext", "ext" },
    { "tel:12;ext=x", "'x'" },
    { "tel:12@host", "'@'" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_test_message ("case %u", i);
      g_assert_null (phone_uri_parse (cases[i].text, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
      if (strstr (error->message, cases[i].offence) == NULL)
        g_error ("\"%s\": \"%s\" does not name %s", cases[i].text, error->message, cases[i].offence);
    }
}

/* An error message goes to logs: it must not hold what could be a password. */
static void
test_no_password_in_errors (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (phone_uri_parse ("sip:bob:hunter2 @host", &error));
  g_assert_null (strstr (error->message, "hunter2"));
}

static void
test_limits (void)
{
  g_autoptr (GString) text = g_string_new ("sip:");
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneUri) uri = NULL;

  while (text->len < PHONE_URI_MAX - 2)
    g_string_append_c (text, 'a');
  g_string_append (text, "@x");
  uri = phone_uri_parse (text->str, &error);
  g_assert_no_error (error);
  g_string_append_c (text, 'x');
  g_assert_null (phone_uri_parse (text->str, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
  g_clear_error (&error);

  /* '#' triples on the way out. */
  g_string_assign (text, "sip:");
  for (guint i = 0; i < PHONE_URI_MAX / 2; i++)
    g_string_append_c (text, '#');
  g_string_append (text, "@x");
  g_assert_null (phone_uri_parse (text->str, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
  g_clear_error (&error);

  g_string_assign (text, "sip:x");
  for (guint i = 0; i < PHONE_URI_MAX_PARAMS; i++)
    g_string_append_printf (text, ";p%u", i);
  g_clear_pointer (&uri, phone_uri_free);
  uri = phone_uri_parse (text->str, &error);
  g_assert_no_error (error);
  phone_uri_set_param (uri, "one-more", NULL);
  g_assert_false (phone_uri_has_param (uri, "one-more"));
  g_string_append (text, ";q");
  g_assert_null (phone_uri_parse (text->str, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
  g_clear_error (&error);

  g_string_assign (text, "tel:");
  for (guint i = 0; i < 129; i++)
    g_string_append_c (text, '1');
  g_assert_null (phone_uri_parse (text->str, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
}

/* RFC 3261 section 19.1.4 has these, and a few beside. */
static void
test_equal (void)
{
  static const struct { gboolean equal; const char *a, *b; } cases[] = {
    { TRUE, "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp" },
    { TRUE, "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5" },
    { TRUE, "sip:carol@chicago.com", "sip:carol@chicago.com;security=on" },
    { TRUE, "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on" },
    { TRUE, "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
      "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com" },
    { TRUE, "sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x" },
    { FALSE, "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP" },
    { FALSE, "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060" },
    { FALSE, "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp" },
    { FALSE, "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp" },
    { FALSE, "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting" },
    { FALSE, "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4" },
    { FALSE, "sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off" },
    { FALSE, "sip:bob@x", "sips:bob@x" },
    { FALSE, "sip:bob@x", "sip:x" },
    { FALSE, "sip:a+b@x", "sip:a%2Bb@x" },
    { TRUE, "sip:a%2bb@x", "sip:a%2Bb@x" },
    { FALSE, "sip:bob@x;user=phone", "sip:bob@x" },
    { FALSE, "sip:bob@x;maddr=1.2.3.4", "sip:bob@x" },
    { TRUE, "sip:bob@[::1]", "sip:bob@[0:0::0:1]" },
    { FALSE, "sip:bob@x?a=1&a=1", "sip:bob@x?a=1&a=2" },
    { TRUE, "sip:bob@x?a=2&A=1", "sip:bob@x?a=1&a=2" },
    { TRUE, "tel:+1-201-555-0123", "tel:+12015550123" },
    { FALSE, "tel:+12015550123", "tel:12015550123" },
    { FALSE, "tel:7042;phone-context=a.com", "tel:7042" },
    { TRUE, "tel:7042;phone-context=a.com;ext=1", "tel:7042;ext=1;phone-context=A.com" },
    { FALSE, "tel:7042", "sip:7042@x" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneUri) a = phone_uri_parse (cases[i].a, NULL);
      g_autoptr (PhoneUri) b = phone_uri_parse (cases[i].b, NULL);
      g_test_message ("%s | %s", cases[i].a, cases[i].b);
      g_assert_nonnull (a);
      g_assert_nonnull (b);
      g_assert_cmpint (phone_uri_equal (a, b), ==, cases[i].equal);
      g_assert_cmpint (phone_uri_equal (b, a), ==, cases[i].equal);
    }
}

static void
test_new (void)
{
  static const struct { const char *user, *host; guint16 port; const char *expected; } cases[] = {
    { "alice", "Example.org", 0, "sip:alice@example.org" },
    { NULL, "example.org", 5060, "sip:example.org:5060" },
    { "", "example.org:5070", 0, "sip:example.org:5070" },
    { "a@b:c d", "x", 0, "sip:a%40b%3Ac%20d@x" },
    { "50%", "x", 0, "sip:50%25@x" },
    { "*31#+1", "::1", 5060, "sip:*31%23+1@[::1]:5060" },
    { "a", "[::1]", 0, "sip:a@[::1]" },
    { "a\r\nb", "x", 0, "sip:a%0D%0Ab@x" },
    { "a", "x y", 0, NULL },
    { "a", "x;lr", 0, NULL },
    { "a", "", 0, NULL },
    { "a", "b@c", 0, NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PhoneUri) uri = phone_uri_new (PHONE_URI_SIP, cases[i].user, cases[i].host, cases[i].port, &error);
      g_autofree char *text = uri != NULL ? phone_uri_to_string (uri) : NULL;
      g_assert_cmpstr (text, ==, cases[i].expected);
      g_assert_cmpint (error != NULL, ==, text == NULL);
    }
}

static void
test_name_addr (void)
{
  static const struct { const char *text, *display, *uri, *tag; } cases[] = {
    { "sip:bob@x;tag=1", NULL, "sip:bob@x", "1" },
    { "<sip:bob@x;lr>;tag=1", NULL, "sip:bob@x;lr", "1" },
    { "\"Bob\" <sip:bob@x>", "Bob", "sip:bob@x", NULL },
    { "  \"B \\\"o\\\\b\\\" <x>, y\"<sip:bob@x?a=b> ; x ; TAG = \"q;\\\"\"", "B \"o\\b\" <x>, y", "sip:bob@x?a=b", "q;\"" },
    { "Bob the  Builder <sip:bob@x>;tag=abc", "Bob the  Builder", "sip:bob@x", "abc" },
    { "J\xc3\xbcrgen <sip:j@x>", "J\xc3\xbcrgen", "sip:j@x", NULL },
    { "alice@example.org <sip:alice@example.org>", "alice@example.org", "sip:alice@example.org", NULL },
    { "\"\" <sip:x>", NULL, "sip:x", NULL },
    { "\"a\xff\x01z\" <sip:x>", "a\xef\xbf\xbd z", "sip:x", NULL },
    { "<tel:+1-2;ext=3>", NULL, "tel:+12;ext=3", NULL },
    { "sip:bob@x;tag=1;p=\"<\"", NULL, "sip:bob@x", "1" },
    { "<sip:bob@x>;received=[::1];tag=2", NULL, "sip:bob@x", "2" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PhoneNameAddr) addr = phone_name_addr_parse (cases[i].text, &error);
      g_autoptr (PhoneNameAddr) again = NULL;
      g_autofree char *uri = NULL;
      g_autofree char *built = NULL;

      g_assert_no_error (error);
      g_assert_cmpstr (addr->display, ==, cases[i].display);
      uri = phone_uri_to_string (addr->uri);
      g_assert_cmpstr (uri, ==, cases[i].uri);
      g_assert_cmpstr (phone_name_addr_get_param (addr, "tag"), ==, cases[i].tag);

      built = phone_name_addr_build (addr->display, addr->uri);
      again = phone_name_addr_parse (built, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (again->display, ==, cases[i].display);
      g_assert_true (phone_uri_equal (again->uri, addr->uri));
    }
}

static void
test_name_addr_errors (void)
{
  static const char *const cases[] = {
    "", "\"", "\"Bob", "\"Bob\\", "\"Bob\"", "\"Bob\" sip:bob@x", "<sip:bob@x", "Bob <>", "Bob, Jr <sip:bob@x>", "sip:bob@x,sip:eve@x",
    "sip:bob@x?a=b", "<sip:bob@x> x", "<sip:bob@x>;", "<sip:bob@x>;=1", "<sip:bob@x>;tag=", "<sip:bob@x>;tag=1;Tag=2", "<sip:bob@x>;a=\"",
    "<http://x>", "<sip:bob@x>, <sip:eve@x>", "sip:bob@x\r\nVia: y",
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_test_message ("case %u", i);
      g_assert_null (phone_name_addr_parse (cases[i], &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET);
    }
}

static void
test_name_addr_limits (void)
{
  g_autoptr (GString) text = g_string_new ("\"");
  g_autoptr (PhoneNameAddr) addr = NULL;

  for (guint i = 0; i < 1000; i++)
    g_string_append_c (text, 'x');
  g_string_append (text, "\" <sip:x>");
  addr = phone_name_addr_parse (text->str, NULL);
  g_assert_nonnull (addr);
  g_assert_cmpuint (strlen (addr->display), ==, PHONE_DISPLAY_MAX);
  while (text->len <= PHONE_NAME_ADDR_MAX)
    g_string_append (text, ";a");
  g_assert_null (phone_name_addr_parse (text->str, NULL));
}

static void
test_build_cleans (void)
{
  g_autoptr (PhoneUri) uri = phone_uri_parse ("sip:x", NULL);
  g_autofree char *evil = phone_name_addr_build ("a\r\nVia: \"x\\", uri);
  g_autofree char *none = phone_name_addr_build (NULL, uri);
  g_assert_cmpstr (evil, ==, "\"a  Via: \\\"x\\\\\" <sip:x>");
  g_assert_cmpstr (none, ==, "<sip:x>");
}

static void
test_text (void)
{
  g_autofree char *cut = phone_text_clean ("\xc3\xa4\xc3\xb6\xc3\xbc", -1, 2);
  g_autofree char *partial = phone_text_clean ("abcdef", 3, 100);
  g_autofree char *c1 = phone_text_clean (" a\xc2\x85" "b\xe2\x80\xa8\x7f", -1, 100);

  g_assert_cmpstr (cut, ==, "\xc3\xa4\xc3\xb6");
  g_assert_cmpstr (partial, ==, "abc");
  g_assert_cmpstr (c1, ==, "a b");
  g_assert_null (phone_text_clean (NULL, -1, 10));
  g_assert_null (phone_text_clean ("\r\n\t", -1, 10));
  g_assert_true (phone_text_is_clean ("\xc3\xa4 b"));
  g_assert_false (phone_text_is_clean ("a\n"));
  g_assert_false (phone_text_is_clean ("\xff"));
  g_assert_cmpstr (phone_text_octet ('x'), ==, "'x'");
  g_assert_cmpstr (phone_text_octet (0xff), ==, "0xff");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/uri/canonical", test_canonical);
  g_test_add_func ("/uri/parts", test_parts);
  g_test_add_func ("/uri/user-text", test_user_text);
  g_test_add_func ("/uri/errors", test_errors);
  g_test_add_func ("/uri/no-password-in-errors", test_no_password_in_errors);
  g_test_add_func ("/uri/limits", test_limits);
  g_test_add_func ("/uri/equal", test_equal);
  g_test_add_func ("/uri/new", test_new);
  g_test_add_func ("/name-addr/parse", test_name_addr);
  g_test_add_func ("/name-addr/errors", test_name_addr_errors);
  g_test_add_func ("/name-addr/limits", test_name_addr_limits);
  g_test_add_func ("/name-addr/build-cleans", test_build_cleans);
  g_test_add_func ("/text/clean", test_text);
  return g_test_run ();
}
