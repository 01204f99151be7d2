/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of a=crypto: the examples of RFC 4568, RFC 6188 and RFC 7714 style keys, and everything that must not be taken. */

#include "sip/sdes.h"

#include <string.h>

#define KEY30 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define KEY46 "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdA=="
#define KEY44 "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXI="
#define KEY28 "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYg=="
#define S80 "AES_CM_128_HMAC_SHA1_80"

static UaSlice
slice (const char *text)
{
  return (UaSlice) { text, strlen (text) };
}

static void
test_good (void)
{
  static const struct
  {
    const char *text;
    guint tag;
    PhoneSrtpSuite suite;
    guint64 lifetime;
    guint mki_length;
    guint32 mki;
    const char *canonical;      /* NULL: the same */
  } cases[] = {
    /* RFC 4568 sections 4 and 6.1, 7.1 and 9.1 */
    { "1 " S80 " inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:32", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1 << 20, 32, 1, NULL },
    { "1 " S80 " inline:" KEY30 "|2^20|1:4", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1 << 20, 4, 1, NULL },
    { "1 " S80 " inline:" KEY30 "|2^20|1:4 FEC_ORDER=FEC_SRTP", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1 << 20, 4, 1,
      "1 " S80 " inline:" KEY30 "|2^20|1:4" },
    { "2 AES_CM_128_HMAC_SHA1_32 inline:" KEY30 "|2^20", 2, PHONE_SRTP_AES_CM_128_HMAC_SHA1_32, 1 << 20, 0, 0, NULL },
    { "1 " S80 " inline:" KEY30 "|2^20|1:4;inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4", 1,
      PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1 << 20, 4, 1, "1 " S80 " inline:" KEY30 "|2^20|1:4" },
    /* the other suites, RFC 6188 and RFC 7714 */
    { "1 AES_CM_128_HMAC_SHA1_32 inline:" KEY30, 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_32, 0, 0, 0, NULL },
    { "4 AES_256_CM_HMAC_SHA1_80 inline:" KEY46, 4, PHONE_SRTP_AES_256_CM_HMAC_SHA1_80, 0, 0, 0, NULL },
    { "4 AES_256_CM_HMAC_SHA1_32 inline:" KEY46, 4, PHONE_SRTP_AES_256_CM_HMAC_SHA1_32, 0, 0, 0, NULL },
    { "9 AEAD_AES_256_GCM inline:" KEY44, 9, PHONE_SRTP_AEAD_AES_256_GCM, 0, 0, 0, NULL },
    { "9 AEAD_AES_128_GCM inline:" KEY28, 9, PHONE_SRTP_AEAD_AES_128_GCM, 0, 0, 0, NULL },
    /* lifetimes */
    { "1 " S80 " inline:" KEY30 "|2^48", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, G_GUINT64_CONSTANT (1) << 48, 0, 0, NULL },
    { "1 " S80 " inline:" KEY30 "|2^0", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1, 0, 0, NULL },
    { "1 " S80 " inline:" KEY30 "|1048575", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1048575, 0, 0, NULL },
    { "1 " S80 " inline:" KEY30 "|1048576", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1048576, 0, 0,
      "1 " S80 " inline:" KEY30 "|2^20" },
    { "1 " S80 " inline:" KEY30 "|281474976710656|4294967295:128", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80,
      G_GUINT64_CONSTANT (1) << 48, 128, G_MAXUINT32, "1 " S80 " inline:" KEY30 "|2^48|4294967295:128" },
    { "1 " S80 " inline:" KEY30 "|255:1", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 0, 1, 255, NULL },
    /* session parameters that may be there, blanks, letters of any case */
    { "999999999 " S80 " inline:" KEY30 " WSH=1024", 999999999, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 0, 0, 0,
      "999999999 " S80 " inline:" KEY30 },
    { "1 " S80 " inline:" KEY30 " -X=1 -UNENCRYPTED_SRTP FEC_KEY=inline:abc", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 0, 0, 0,
      "1 " S80 " inline:" KEY30 },
    { "1\t aes_cm_128_hmac_sha1_80   INLINE:" KEY30 "  ", 1, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 0, 0, 0, "1 " S80 " inline:" KEY30 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PhoneSrtpKey key;
      const char *why;
      g_autoptr (GString) text = g_string_new (NULL);

      if (!ua_sdes_parse (slice (cases[i].text), &key, &why))
        g_error ("%s: %s", cases[i].text, why);
      g_assert_null (why);
      g_assert_cmpuint (key.tag, ==, cases[i].tag);
      g_assert_cmpint (key.suite, ==, cases[i].suite);
      g_assert_cmpuint (key.lifetime, ==, cases[i].lifetime);
      g_assert_cmpuint (key.mki_length, ==, cases[i].mki_length);
      g_assert_cmpuint (key.mki, ==, cases[i].mki);
      ua_sdes_format (&key, text);
      g_assert_cmpstr (text->str, ==, cases[i].canonical != NULL ? cases[i].canonical : cases[i].text);
      g_assert_cmpuint (text->len, <=, UA_SDES_MAX_TEXT);
    }
}

static void
test_octets (void)
{
  PhoneSrtpKey key;
  const char *why;

  g_assert_true (ua_sdes_parse (slice ("1 AEAD_AES_128_GCM inline:" KEY28), &key, &why));
  g_assert_cmpmem (key.key, 28, "ABCDEFGHIJKLMNOPQRSTUVWXYZab", 28);
  g_assert_cmpuint (key.key[28], ==, 0);
  g_assert_true (ua_sdes_parse (slice ("1 AEAD_AES_256_GCM inline:" KEY44), &key, &why));
  g_assert_cmpmem (key.key, 44, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr", 44);
  g_assert_true (ua_sdes_parse (slice ("1 " S80 " inline:////////////////////////////////////////"), &key, &why));
  for (guint i = 0; i < 30; i++)
    g_assert_cmpuint (key.key[i], ==, 0xff);
  g_assert_true (ua_sdes_parse (slice ("1 " S80 " inline:++++++++++++++++++++++++++++++++++++++++"), &key, &why));
  for (guint i = 0; i < 30; i += 3)
    g_assert_cmpmem (key.key + i, 3, "\373\357\276", 3);
}

static void
test_bad (void)
{
  static const struct { const char *text, *why; } cases[] = {
    { "", "tag" },
    { "x " S80 " inline:" KEY30, "tag" },
    { "0 " S80 " inline:" KEY30, "tag" },
    { "-1 " S80 " inline:" KEY30, "tag" },
    { "1000000000 " S80 " inline:" KEY30, "tag" },
    { "99999999999999999999999 " S80 " inline:" KEY30, "tag" },
    { "1", "suite" },
    { "1 F8_128_HMAC_SHA1_80 inline:" KEY30, "suite" },
    { "1 AES_CM_128_HMAC_SHA1_8 inline:" KEY30, "suite" },
    { "1 " S80, "inline" },
    { "1 " S80 " " KEY30, "inline" },
    { "1 " S80 " uri:https://example.org/key", "inline" },
    { "1 " S80 " ;inline:" KEY30, "inline" },
    { "1 " S80 " inline:", "base64" },
    { "1 " S80 " inline:|2^20", "base64" },
    { "1 " S80 " inline:" KEY28, "base64" },
    { "1 " S80 " inline:" KEY30 "A", "base64" },
    { "1 " S80 " inline:" KEY30 "AAAA", "base64" },
    { "1 " S80 " inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo=", "base64" },
    { "1 " S80 " inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo-", "base64" },
    { "1 " S80 " inline:d0RmdmcmVCspeEc3QGZi\001WpVLFJhQX1cfHAwJSoj", "base64" },
    { "1 AEAD_AES_128_GCM inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYh==", "base64" },     /* stray bits */
    { "1 AEAD_AES_128_GCM inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYg=", "base64" },
    { "1 AEAD_AES_128_GCM inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYg", "base64" },
    { "1 AEAD_AES_128_GCM inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYg=A", "base64" },
    { "1 " S80 " inline:" KEY30 "|2^49", "lifetime" },
    { "1 " S80 " inline:" KEY30 "|2^", "lifetime" },
    { "1 " S80 " inline:" KEY30 "|2^x", "lifetime" },
    { "1 " S80 " inline:" KEY30 "|0", "lifetime" },
    { "1 " S80 " inline:" KEY30 "|281474976710657", "lifetime" },
    { "1 " S80 " inline:" KEY30 "||1:4", "lifetime" },
    { "1 " S80 " inline:" KEY30 "|2^20|", NULL },               /* nothing behind the bar */
    { "1 " S80 " inline:" KEY30 "|2^20|4", "MKI" },
    { "1 " S80 " inline:" KEY30 "|1:0", "MKI" },
    { "1 " S80 " inline:" KEY30 "|1:129", "MKI" },
    { "1 " S80 " inline:" KEY30 "|256:1", "MKI" },
    { "1 " S80 " inline:" KEY30 "|4294967296:8", "MKI" },
    { "1 " S80 " inline:" KEY30 "|:4", "MKI" },
    { "1 " S80 " inline:" KEY30 "|1:4|2^20", "MKI" },
    { "1 " S80 " inline:" KEY30 " KDR=1", "session parameter" },
    { "1 " S80 " inline:" KEY30 " UNENCRYPTED_SRTP", "session parameter" },
    { "1 " S80 " inline:" KEY30 " WSH=64 UNENCRYPTED_SRTCP", "session parameter" },
    { "1 " S80 " inline:" KEY30 " UNAUTHENTICATED_SRTP", "session parameter" },
    { "1 " S80 " inline:" KEY30 " X-NEW=2", "session parameter" },
  };
  static const PhoneSrtpKey nothing;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PhoneSrtpKey key;
      const char *why;

      if (ua_sdes_parse (slice (cases[i].text), &key, &why))
        {
          if (cases[i].why != NULL)
            g_error ("taken: %s", cases[i].text);
          continue;
        }
      g_assert_nonnull (cases[i].why);
      if (strstr (why, cases[i].why) == NULL)
        g_error ("%s: \"%s\" does not speak of \"%s\"", cases[i].text, why, cases[i].why);
      g_assert_cmpmem (&key, sizeof key, &nothing, sizeof nothing);     /* nothing of it stays behind */
    }
}

/* Every generated key survives its text. */
static void
test_round_trip (void)
{
  for (int suite = 0; suite < phone_srtp_suite_n_values; suite++)
    for (guint i = 0; i < 100; i++)
      {
        PhoneSrtpKey key, back;
        const char *why;
        g_autoptr (GString) text = g_string_new (NULL);

        g_assert_true (phone_srtp_key_generate (&key, (PhoneSrtpSuite) suite, 1 + i, NULL));
        key.lifetime = i % 3 == 0 ? 0 : (guint64) g_test_rand_int_range (1, G_MAXINT32);
        key.mki_length = (guint8) (i % 5);
        key.mki = key.mki_length > 0 ? i : 0;
        ua_sdes_format (&key, text);
        g_assert_true (ua_sdes_parse ((UaSlice) { text->str, text->len }, &back, &why));
        g_assert_true (phone_srtp_key_equal (&key, &back));
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdes/good", test_good);
  g_test_add_func ("/sdes/octets", test_octets);
  g_test_add_func ("/sdes/bad", test_bad);
  g_test_add_func ("/sdes/round-trip", test_round_trip);
  return g_test_run ();
}
