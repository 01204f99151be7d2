/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   a=crypto:TAG SUITE inline:KEY[|LIFETIME][|MKI:LENGTH][;inline:...] [SESSION-PARAM ...]
 *
 * KEY is the base64 of master key and salt, padding included, exactly as long as the suite says. Of several
 * keys the first is taken. LIFETIME is a number of packets, as decimal or as 2^N, at most 2^48 (section 6.1).
 *
 * Session parameters (section 6.3) that change what travels, UNENCRYPTED_SRTP, UNENCRYPTED_SRTCP,
 * UNAUTHENTICATED_SRTP and KDR, are not supported, and a parameter that is not understood makes the line
 * unusable unless its name begins with '-' (section 6.3.7). FEC_ORDER and FEC_KEY concern streams that we
 * never have; WSH is advice on the replay window. */

#include "sip/sdes.h"

#include <string.h>

#define MAX_LIFETIME_BITS 48
#define MAX_TAG 999999999
#define MAX_MKI_LENGTH 128

static int
base64_digit (char c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Strict: no other character, the right padding, no stray bits before it, exactly `length` octets. */
static gboolean
decode_base64 (UaSlice text, guint8 *ret_octets, gsize length)
{
  gsize digits = (length * 8 + 5) / 6;
  guint32 bits = 0;
  guint n_bits = 0;
  gsize n = 0;

  if (text.length != (length + 2) / 3 * 4)
    return FALSE;
  for (gsize i = digits; i < text.length; i++)
    if (text.at[i] != '=')
      return FALSE;
  for (gsize i = 0; i < digits; i++)
    {
      int digit = base64_digit (text.at[i]);

      if (digit < 0)
        return FALSE;
      bits = (bits << 6 | (guint32) digit) & 0xffff;
      n_bits += 6;
      if (n_bits >= 8)
        {
          n_bits -= 8;
          ret_octets[n++] = (guint8) (bits >> n_bits);
        }
    }
  return (bits & ((1u << n_bits) - 1)) == 0;
}

static gboolean
parse_lifetime (UaSlice text, guint64 *ret_lifetime)
{
  guint64 value;

  if (ua_slice_starts_with (text, "2^"))
    {
      if (!ua_slice_number ((UaSlice) { text.at + 2, text.length - 2 }, MAX_LIFETIME_BITS, &value))
        return FALSE;
      *ret_lifetime = G_GUINT64_CONSTANT (1) << value;
      return TRUE;
    }
  if (!ua_slice_number (text, G_GUINT64_CONSTANT (1) << MAX_LIFETIME_BITS, &value) || value == 0)
    return FALSE;
  *ret_lifetime = value;
  return TRUE;
}

static gboolean
parse_mki (UaSlice text, PhoneSrtpKey *key)
{
  UaSlice value;
  guint64 mki, length;

  if (!ua_slice_until (&text, ':', &value) || !ua_slice_number (value, G_MAXUINT32, &mki)
      || !ua_slice_number (text, MAX_MKI_LENGTH, &length) || length == 0
      || (length < 4 && mki >> (length * 8) != 0))
    return FALSE;
  key->mki = (guint32) mki;
  key->mki_length = (guint8) length;
  return TRUE;
}

/* NULL: fine. */
static const char *
parse_key (UaSlice params, PhoneSrtpKey *key)
{
  UaSlice info, part;

  if (!ua_slice_until (&params, ';', &info) || !ua_slice_starts_with (info, "inline:"))
    return "it has no inline key";
  info.at += strlen ("inline:");
  info.length -= strlen ("inline:");
  if (!ua_slice_until (&info, '|', &part)
      || !decode_base64 (part, key->key, phone_srtp_suite_key_length (key->suite)))
    return "its key is not the base64 of as many octets as the suite needs";

  if (!ua_slice_until (&info, '|', &part))
    return NULL;
  if (memchr (part.at, ':', part.length) == NULL)
    {
      if (!parse_lifetime (part, &key->lifetime))
        return "its lifetime is malformed or longer than 2^48";
      if (!ua_slice_until (&info, '|', &part))
        return NULL;
    }
  if (!parse_mki (part, key) || info.length > 0)
    return "its MKI is malformed or longer than 32 bits";
  return NULL;
}

static const char *
check_session_params (UaSlice params)
{
  static const char *const harmless[] = { "FEC_ORDER=", "FEC_KEY=", "WSH=" };
  UaSlice param;

  while (ua_slice_word (&params, &param))
    {
      gboolean known = param.at[0] == '-';

      for (gsize i = 0; i < G_N_ELEMENTS (harmless); i++)
        known = known || ua_slice_starts_with (param, harmless[i]);
      if (!known)
        return "it demands a session parameter that is not supported";
    }
  return NULL;
}

static const char *
parse (UaSlice value, PhoneSrtpKey *key)
{
  UaSlice tag, suite, params;
  guint64 number;
  const char *why;
  int i;

  if (!ua_slice_word (&value, &tag) || !ua_slice_number (tag, MAX_TAG, &number) || number == 0)
    return "its tag is not a number from 1 to 999999999";
  key->tag = (guint) number;
  if (!ua_slice_word (&value, &suite))
    return "it names no suite";
  for (i = 0; i < phone_srtp_suite_n_values; i++)
    if (ua_slice_is (suite, phone_srtp_suite_to_string ((PhoneSrtpSuite) i)))
      break;
  if (i == phone_srtp_suite_n_values)
    return "its suite is not supported";
  key->suite = (PhoneSrtpSuite) i;
  if (!ua_slice_word (&value, &params))
    return "it has no inline key";
  why = parse_key (params, key);
  return why != NULL ? why : check_session_params (value);
}

gboolean
ua_sdes_parse (UaSlice value, PhoneSrtpKey *ret_key, const char **ret_why)
{
  memset (ret_key, 0, sizeof *ret_key);
  *ret_why = parse (value, ret_key);
  if (*ret_why != NULL)
    phone_srtp_key_clear (ret_key);
  return *ret_why == NULL;
}

void
ua_sdes_format (const PhoneSrtpKey *key, GString *text)
{
  char base64[(PHONE_SRTP_MAX_KEY + 2) / 3 * 4 + 8];
  int state = 0, save = 0;
  gsize n = g_base64_encode_step (key->key, phone_srtp_suite_key_length (key->suite), FALSE, base64, &state,
                                  &save);

  n += g_base64_encode_close (FALSE, base64 + n, &state, &save);
  g_string_append_printf (text, "%u %s inline:", key->tag, phone_srtp_suite_to_string (key->suite));
  g_string_append_len (text, base64, (gssize) n);
  explicit_bzero (base64, sizeof base64);
  explicit_bzero (&save, sizeof save);

  if (key->lifetime != 0 && (key->lifetime & (key->lifetime - 1)) == 0)
    g_string_append_printf (text, "|2^%d", __builtin_ctzll (key->lifetime));
  else if (key->lifetime != 0)
    g_string_append_printf (text, "|%" G_GUINT64_FORMAT, key->lifetime);
  if (key->mki_length != 0)
    g_string_append_printf (text, "|%u:%u", key->mki, key->mki_length);
}
