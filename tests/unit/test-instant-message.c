/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies of MESSAGE: examples of the RFCs, and what hostile ones try. */

#include <gio/gio.h>

#include "sip/content-coding.h"
#include "sip/instant-message.h"

#include <string.h>

/* RFC 5438 section 7.1.1.3, with a prefix of another name */
#define ENVELOPE \
  "From: Alice <im:alice@example.com>\r\nTo: Bob <im:bob@example.com>\r\nNS: i <urn:ietf:params:imdn>\r\ni.Message-ID: 34jk324j\r\n" \
  "DateTime: 2006-04-04T12:16:49-05:00\r\ni.Disposition-Notification: positive-delivery, negative-delivery, display\r\n\r\n"
#define TEXT "Content-type: text/plain; charset=utf-8\r\nContent-length: 12\r\n\r\nHello World\n"
#define IMDN(body) "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\"><message-id>34jk324j</message-id>" body "</imdn>"

static guint
read_im (const char *type, const char *body, UaIm *ret_im)
{
  const char *why;

  return ua_im_read (type, body, strlen (body), 1000, ret_im, &why);
}

static void
test_cpim (void)
{
  UaCpim cpim = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (ua_cpim_read (ENVELOPE TEXT, strlen (ENVELOPE TEXT), &cpim, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (cpim.from, ==, "im:alice@example.com");
  g_assert_cmpstr (cpim.to, ==, "im:bob@example.com");
  g_assert_cmpstr (cpim.message_id, ==, "34jk324j");
  g_assert_cmpuint (cpim.asks, ==, PHONE_REPORT_DELIVERED | PHONE_REPORT_DISPLAYED);
  g_assert_cmpstr (cpim.content_type, ==, "text/plain; charset=utf-8");
  g_assert_cmpmem (cpim.body, cpim.length, "Hello World\n", 12);
  ua_cpim_clear (&cpim);
}

/* Without the empty line between the headers of the message and those of the content. */
static void
test_cpim_one_block (void)
{
  static const char text[] = "From: <im:a@x>\r\nTo: <im:b@x>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 1\r\n"
                             "imdn.Disposition-Notification: display\r\nContent-type: text/plain;\r\n charset=utf-8\r\n\tformat=fixed\r\nContent-length: 12\r\n\r\nRe: yes\r\n\r\nHi";
  static const char encoded[] = "From: <im:a@x>\r\nContent-Transfer-Encoding: base64\r\nContent-type: text/plain\r\n\r\nSGk=";
  UaCpim cpim = { 0 };

  g_assert_true (ua_cpim_read (text, strlen (text), &cpim, NULL));
  g_assert_cmpstr (cpim.content_type, ==, "text/plain;");        /* as of a block of their own, without what is folded */
  g_assert_cmpstr (cpim.message_id, ==, "1");
  g_assert_cmpuint (cpim.asks, ==, PHONE_REPORT_DISPLAYED);
  g_assert_cmpmem (cpim.body, cpim.length, "Re: yes\r\n\r\nHi", 13);
  ua_cpim_clear (&cpim);
  g_assert_false (ua_cpim_read (encoded, strlen (encoded), &cpim, NULL));
}

static void
test_cpim_bad (void)
{
  static const char *const bad[] = {
    "", "\r\n", "From: <sip:a@b>\r\n", "From: <sip:a@b>\r\n\r\n", "From <sip:a@b>\r\n\r\n\r\nx", "From: \xff\r\n\r\n\r\nx",
    "Require: MyFeatures.VitalMessageOption\r\n\r\n\r\nx",
    "From: <sip:a@b>\r\n\r\nContent-Transfer-Encoding: base64\r\n\r\nSGk=",
  };
  UaCpim cpim = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (ua_cpim_read (bad[i], strlen (bad[i]), &cpim, &error));
      g_assert_nonnull (error);
    }
  /* without its NS a prefix means nothing; an id that would break a header is none */
  g_assert_true (ua_cpim_read ("imdn.Message-ID: x\r\n\r\n\r\n", 24, &cpim, NULL));
  g_assert_null (cpim.message_id);
  ua_cpim_clear (&cpim);
}

static void
test_cpim_round (void)
{
  UaCpimParams params = { .from = "sip:alice@example.org", .to = "sip:bob@example.org", .message_id = "m1", .asks = PHONE_REPORT_DISPLAYED,
                          .time = 1000000000, .content_type = "text/plain;charset=utf-8", .body = "\xd0\x9f\xd1\x80\n\n\xf0\x9f\x98\x80" };
  g_autofree char *text = ua_cpim_write (&params);
  UaCpim cpim = { 0 };

  g_assert_true (ua_cpim_read (text, strlen (text), &cpim, NULL));
  g_assert_cmpstr (cpim.to, ==, params.to);
  g_assert_cmpuint (cpim.asks, ==, PHONE_REPORT_DISPLAYED);
  g_assert_cmpmem (cpim.body, cpim.length, params.body, strlen (params.body));
  g_assert_nonnull (strstr (text, "DateTime: 2001-09-09T01:46:40Z\r\n"));
  ua_cpim_clear (&cpim);
}

static void
test_imdn (void)
{
#define SAYS(kind, word) IMDN ("<" kind "-notification><status><" word "/></status></" kind "-notification>")
  static const struct
  {
    const char *text;
    PhoneDisposition disposition;
  } good[] = {
    { SAYS ("delivery", "delivered"), PHONE_DISPOSITION_DELIVERED },
    { SAYS ("delivery", "failed"), PHONE_DISPOSITION_FAILED },
    { SAYS ("delivery", "forbidden"), PHONE_DISPOSITION_DELIVERY_FORBIDDEN },
    { SAYS ("delivery", "error"), PHONE_DISPOSITION_DELIVERY_ERROR },
    { SAYS ("delivery", "displayed"), PHONE_DISPOSITION_NONE },
    { SAYS ("display", "forbidden"), PHONE_DISPOSITION_DISPLAY_FORBIDDEN },
    { SAYS ("display", "error"), PHONE_DISPOSITION_DISPLAY_ERROR },
    { SAYS ("display", "failed"), PHONE_DISPOSITION_NONE },
    { SAYS ("processing", "processed"), PHONE_DISPOSITION_PROCESSED },
    { SAYS ("processing", "stored"), PHONE_DISPOSITION_STORED },
    { SAYS ("processing", "forbidden"), PHONE_DISPOSITION_NONE },
    { SAYS ("processing", "error"), PHONE_DISPOSITION_NONE },
    { IMDN ("<datetime>x</datetime><display-notification>\n<status>\n<displayed/></status></display-notification>"), PHONE_DISPOSITION_DISPLAYED },
  };
  static const char *const bad[] = {
    "", "<imdn/>", IMDN (""), IMDN ("<display-notification><status/></display-notification>"),
    IMDN ("<other-notification><status><displayed/></status></other-notification>"),
    "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\"><display-notification><status><displayed/></status></display-notification></imdn>",
  };
  UaImdn imdn;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (ua_imdn_read (good[i].text, strlen (good[i].text), &imdn, NULL));
      g_assert_cmpstr (imdn.message_id, ==, "34jk324j");
      g_assert_cmpint (imdn.disposition, ==, good[i].disposition);
      ua_imdn_clear (&imdn);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (ua_imdn_read (bad[i], strlen (bad[i]), &imdn, NULL));
}

static void
test_imdn_round (void)
{
  const PhoneReport kinds[] = { PHONE_REPORT_DELIVERED, PHONE_REPORT_DISPLAYED };
  const PhoneDisposition dispositions[] = { PHONE_DISPOSITION_DELIVERED, PHONE_DISPOSITION_DISPLAYED };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *text = ua_imdn_write ("a<&>b", 1000000000, kinds[i]);
      UaImdn imdn;

      g_assert_true (ua_imdn_read (text, strlen (text), &imdn, NULL));
      g_assert_cmpstr (imdn.message_id, ==, "a<&>b");
      g_assert_cmpint (imdn.disposition, ==, dispositions[i]);
      ua_imdn_clear (&imdn);
    }
}

static void
test_composing (void)
{
  g_autofree char *active = ua_is_composing_write (TRUE, 90), *idle = ua_is_composing_write (FALSE, 0);
  static const char other[] = "<isComposing xmlns=\"urn:ietf:params:xml:ns:im-iscomposing\"><state>dreaming</state>"
                              "<refresh>99999999999</refresh></isComposing>";
  gboolean is_active = FALSE;
  guint refresh = 0;

  g_assert_true (ua_is_composing_read (active, strlen (active), &is_active, &refresh, NULL));
  g_assert_true (is_active);
  g_assert_cmpuint (refresh, ==, 90);
  g_assert_true (ua_is_composing_read (idle, strlen (idle), &is_active, &refresh, NULL));
  g_assert_false (is_active);
  g_assert_cmpuint (refresh, ==, 0);
  g_assert_true (ua_is_composing_read (other, strlen (other), &is_active, &refresh, NULL));
  g_assert_false (is_active);
  g_assert_cmpuint (refresh, ==, 3600);
  g_assert_false (ua_is_composing_read ("<isComposing/>", 14, &is_active, &refresh, NULL));
}

static void
check_text (const char *type, const char *body, const char *text)
{
  UaIm im = { 0 };

  g_assert_cmpuint (read_im (type, body, &im), ==, 0);
  g_assert_cmpint (im.kind, ==, UA_IM_TEXT);
  g_assert_cmpstr (im.text, ==, text);
  ua_im_clear (&im);
}

static void
test_text (void)
{
  check_text (NULL, "hello", "hello");
  check_text ("text/plain", "a\r\n\tb\rc", "a\n\tb\nc");
  check_text ("TEXT/PLAIN ; charset=\"utf-8\"", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d");
  check_text ("text/plain; charset=ISO-8859-1", "Gr\xfc\xdf" "e", "Gr\xc3\xbc\xc3\x9f" "e");
  /* what a terminal would act on does not get as far as the store, and what is no UTF-8 is marked */
  check_text ("text/plain", "a\x1b[2Jb\x07\x7f", "a [2Jb  ");
  check_text ("text/plain", "a\xff\xc2\x9b", "a\xef\xbf\xbd ");
  check_text ("message/cpim", ENVELOPE TEXT, "Hello World\n");
}

static void
test_refused (void)
{
  g_autofree char *long_text = g_strnfill (1001, 'x');
  UaIm im = { 0 };

  g_assert_cmpuint (read_im ("text/plain", long_text, &im), ==, 413);
  g_assert_cmpuint (read_im ("text/plain; charset=utf-16", "x", &im), ==, 415);
  g_assert_cmpuint (read_im ("text/html", "<p>x", &im), ==, 415);
  g_assert_cmpuint (read_im ("text/plainer", "x", &im), ==, 415);
  g_assert_cmpuint (read_im ("message/cpim", "x", &im), ==, 400);
  g_assert_cmpuint (read_im ("message/cpim", ENVELOPE "Content-Type: image/png\r\n\r\nx", &im), ==, 415);
  /* one envelope is enough */
  g_assert_cmpuint (read_im ("message/cpim", ENVELOPE "Content-Type: message/cpim\r\n\r\n" ENVELOPE TEXT, &im), ==, 415);
  g_assert_cmpuint (read_im ("message/imdn+xml", "<!DOCTYPE x []><imdn/>", &im), ==, 400);
  g_assert_cmpuint (read_im ("application/im-iscomposing+xml", "", &im), ==, 400);
}

static void
test_report_in_cpim (void)
{
  UaIm im = { 0 };

  g_assert_cmpuint (read_im ("message/cpim", ENVELOPE "Content-Type: message/imdn+xml\r\nContent-Disposition: notification\r\n\r\n" IMDN (
                             "<display-notification><status><displayed/></status></display-notification>"), &im), ==, 0);
  g_assert_cmpint (im.kind, ==, UA_IM_REPORT);
  g_assert_true (im.in_cpim);
  g_assert_cmpstr (im.report.message_id, ==, "34jk324j");
  ua_im_clear (&im);
}

/* ---- codings ---- */

static char *
encode (GZlibCompressorFormat format, const char *text, gsize length, gsize *ret_length)
{
  g_autoptr (GConverter) converter = G_CONVERTER (g_zlib_compressor_new (format, 9));
  char *out = g_malloc (length + 100);
  gsize read;

  g_assert_cmpint (g_converter_convert (converter, text, length, out, length + 100, G_CONVERTER_INPUT_AT_END, &read, ret_length, NULL), ==,
                   G_CONVERTER_FINISHED);
  return out;
}

static void
test_codings (void)
{
  static const struct
  {
    const char *coding;
    GZlibCompressorFormat format;
  } good[] = { { "deflate", G_ZLIB_COMPRESSOR_FORMAT_ZLIB }, { "Deflate", G_ZLIB_COMPRESSOR_FORMAT_RAW }, { "gzip", G_ZLIB_COMPRESSOR_FORMAT_GZIP } };
  const char *text = IMDN ("<delivery-notification><status><delivered/></status></delivery-notification>");
  g_autofree char *zeros = g_malloc0 (1000000), *bomb = NULL, *none = NULL;
  gsize length, n;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *encoded = encode (good[i].format, text, strlen (text), &length), *decoded = NULL;

      g_assert_cmpuint (ua_content_decode (good[i].coding, encoded, length, 1000, &decoded, &n), ==, 0);
      g_assert_cmpmem (decoded, n, text, strlen (text));
      g_assert_cmpuint (ua_content_decode (good[i].coding, encoded, length, strlen (text) - 1, &none, &n), ==, 413);
      g_assert_cmpuint (ua_content_decode (good[i].coding, encoded, length - 9, 1000, &none, &n), ==, 400);
    }
  g_assert_cmpuint (ua_content_decode ("deflate", text, strlen (text), 1000, &none, &n), ==, 400);
  g_assert_cmpuint (ua_content_decode ("deflate", "", 0, 1000, &none, &n), ==, 400);
  g_assert_cmpuint (ua_content_decode ("br", text, strlen (text), 1000, &none, &n), ==, 415);
  bomb = encode (G_ZLIB_COMPRESSOR_FORMAT_GZIP, zeros, 1000000, &length);
  g_assert_cmpuint (length, <, 2000);
  g_assert_cmpuint (ua_content_decode ("gzip", bomb, length, 65536, &none, &n), ==, 413);
  g_assert_null (none);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/instant-message/cpim", test_cpim);
  g_test_add_func ("/instant-message/cpim-one-block", test_cpim_one_block);
  g_test_add_func ("/instant-message/cpim-bad", test_cpim_bad);
  g_test_add_func ("/instant-message/cpim-round", test_cpim_round);
  g_test_add_func ("/instant-message/imdn", test_imdn);
  g_test_add_func ("/instant-message/imdn-round", test_imdn_round);
  g_test_add_func ("/instant-message/composing", test_composing);
  g_test_add_func ("/instant-message/text", test_text);
  g_test_add_func ("/instant-message/refused", test_refused);
  g_test_add_func ("/instant-message/report-in-cpim", test_report_in_cpim);
  g_test_add_func ("/instant-message/codings", test_codings);
  return g_test_run ();
}
