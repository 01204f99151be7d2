/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "srtp-reference.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

SrtpReferenceSuite
srtp_reference_suite (PhoneSrtpSuite suite)
{
  switch (suite)
    {
    case PHONE_SRTP_AEAD_AES_256_GCM: return (SrtpReferenceSuite) { 32, 12, 16, 16, TRUE };
    case PHONE_SRTP_AEAD_AES_128_GCM: return (SrtpReferenceSuite) { 16, 12, 16, 16, TRUE };
    case PHONE_SRTP_AES_256_CM_HMAC_SHA1_80: return (SrtpReferenceSuite) { 32, 14, 10, 10, FALSE };
    case PHONE_SRTP_AES_256_CM_HMAC_SHA1_32: return (SrtpReferenceSuite) { 32, 14, 4, 10, FALSE };
    case PHONE_SRTP_AES_CM_128_HMAC_SHA1_80: return (SrtpReferenceSuite) { 16, 14, 10, 10, FALSE };
    case PHONE_SRTP_AES_CM_128_HMAC_SHA1_32: return (SrtpReferenceSuite) { 16, 14, 4, 10, FALSE };
    }
  g_assert_not_reached ();
}

static void
counter_mode (const guint8 *key, gsize key_length, const guint8 iv[16], const guint8 *in, gsize length, guint8 *ret)
{
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
  int n;
  g_assert_true (EVP_EncryptInit_ex (ctx, key_length == 16 ? EVP_aes_128_ctr () : EVP_aes_256_ctr (), NULL, key, iv));
  g_assert_true (EVP_EncryptUpdate (ctx, ret, &n, in, (int) length));
  EVP_CIPHER_CTX_free (ctx);
}

/* RFC 3711 section 4.3.1 with a key derivation rate of 0. */
static void
derive (const guint8 *key, gsize key_length, const guint8 *salt, gsize salt_length, guint8 label, gsize length, guint8 *ret)
{
  guint8 iv[16] = { 0 };
  guint8 zero[32] = { 0 };
  memcpy (iv, salt, salt_length);
  iv[7] ^= label;
  counter_mode (key, key_length, iv, zero, length, ret);
}

void
srtp_reference_derive (const guint8 *master_key, gsize key_length, const guint8 *master_salt, gsize salt_length, gboolean rtcp,
                       SrtpReferenceKeys *ret_keys)
{
  guint8 base = rtcp ? 3 : 0;
  derive (master_key, key_length, master_salt, salt_length, base, key_length, ret_keys->cipher_key);
  derive (master_key, key_length, master_salt, salt_length, base + 1, 20, ret_keys->auth_key);
  derive (master_key, key_length, master_salt, salt_length, base + 2, salt_length, ret_keys->salt);
}

static void
gcm (const guint8 *key, gsize key_length, const guint8 iv[12], const guint8 *aad, gsize aad_length, const guint8 *aad2,
     gsize aad2_length, const guint8 *in, gsize length, guint8 *ret)
{
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new ();
  int n;
  g_assert_true (EVP_EncryptInit_ex (ctx, key_length == 16 ? EVP_aes_128_gcm () : EVP_aes_256_gcm (), NULL, key, iv));
  g_assert_true (EVP_EncryptUpdate (ctx, NULL, &n, aad, (int) aad_length));
  if (aad2_length > 0)
    g_assert_true (EVP_EncryptUpdate (ctx, NULL, &n, aad2, (int) aad2_length));
  g_assert_true (EVP_EncryptUpdate (ctx, ret, &n, in, (int) length));
  g_assert_true (EVP_EncryptFinal_ex (ctx, ret + length, &n));
  g_assert_true (EVP_CIPHER_CTX_ctrl (ctx, EVP_CTRL_GCM_GET_TAG, 16, ret + length));
  EVP_CIPHER_CTX_free (ctx);
}

static void
put32 (guint8 *p, guint32 value)
{
  for (int i = 3; i >= 0; i--, value >>= 8)
    p[i] = value & 0xff;
}

gsize
srtp_reference_aead (const SrtpReferenceKeys *keys, gsize key_length, const guint8 *packet, gsize length, guint32 roc, guint8 *ret)
{
  guint8 iv[12] = { 0 };
  memcpy (iv + 2, packet + 8, 4);               /* RFC 7714 section 8.1 */
  put32 (iv + 6, roc);
  memcpy (iv + 10, packet + 2, 2);
  for (guint i = 0; i < 12; i++)
    iv[i] ^= keys->salt[i];
  memcpy (ret, packet, 12);
  gcm (keys->cipher_key, key_length, iv, packet, 12, NULL, 0, packet + 12, length - 12, ret + 12);
  return length + 16;
}

static void
authenticate (const SrtpReferenceKeys *keys, guint8 *packet, gsize length, const guint8 *extra, gsize tag)
{
  guint8 text[4096], mac[20];
  guint n;
  memcpy (text, packet, length);
  if (extra != NULL)
    memcpy (text + length, extra, 4);
  HMAC (EVP_sha1 (), keys->auth_key, 20, text, length + (extra != NULL ? 4 : 0), mac, &n);
  memcpy (packet + length, mac, tag);
}

/* RFC 3711 section 4.1.1: (salt * 2^16) XOR (SSRC * 2^64) XOR (index * 2^16). */
static void
cm_iv (const SrtpReferenceKeys *keys, const guint8 *ssrc, guint64 index, guint8 ret_iv[16])
{
  memset (ret_iv, 0, 16);
  memcpy (ret_iv, keys->salt, 14);
  for (guint i = 0; i < 4; i++)
    ret_iv[4 + i] ^= ssrc[i];
  for (guint i = 0; i < 6; i++)
    ret_iv[13 - i] ^= (guint8) (index >> (8 * i));
}

gsize
srtp_reference_rtp (const PhoneSrtpKey *key, const guint8 *packet, gsize length, guint32 roc, guint8 *ret)
{
  SrtpReferenceSuite suite = srtp_reference_suite (key->suite);
  SrtpReferenceKeys keys;
  guint8 iv[16], extra[4];

  srtp_reference_derive (key->key, suite.key, key->key + suite.key, suite.salt, FALSE, &keys);
  if (suite.aead)
    return srtp_reference_aead (&keys, suite.key, packet, length, roc, ret);
  cm_iv (&keys, packet + 8, (guint64) roc << 16 | (guint64) packet[2] << 8 | packet[3], iv);
  memcpy (ret, packet, 12);
  counter_mode (keys.cipher_key, suite.key, iv, packet + 12, length - 12, ret + 12);
  put32 (extra, roc);
  authenticate (&keys, ret, length, extra, suite.rtp_tag);
  return length + suite.rtp_tag;
}

gsize
srtp_reference_rtcp (const PhoneSrtpKey *key, const guint8 *packet, gsize length, guint32 index, guint8 *ret)
{
  SrtpReferenceSuite suite = srtp_reference_suite (key->suite);
  SrtpReferenceKeys keys;
  guint8 iv[16] = { 0 }, word[4];

  srtp_reference_derive (key->key, suite.key, key->key + suite.key, suite.salt, TRUE, &keys);
  put32 (word, index | 0x80000000u);
  memcpy (ret, packet, 8);
  if (suite.aead)
    {
      memcpy (iv + 2, packet + 4, 4);           /* RFC 7714 section 9.1 */
      put32 (iv + 8, index);
      for (guint i = 0; i < 12; i++)
        iv[i] ^= keys.salt[i];
      gcm (keys.cipher_key, suite.key, iv, packet, 8, word, 4, packet + 8, length - 8, ret + 8);
      memcpy (ret + length + 16, word, 4);
      return length + 20;
    }
  cm_iv (&keys, packet + 4, index, iv);
  counter_mode (keys.cipher_key, suite.key, iv, packet + 8, length - 8, ret + 8);
  memcpy (ret + length, word, 4);
  authenticate (&keys, ret, length + 4, NULL, suite.rtcp_tag);
  return length + 4 + suite.rtcp_tag;
}
