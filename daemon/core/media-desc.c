/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The value that signalling and media exchange, and the one place that makes and wipes SDES keys. A key
 * exists in a PhoneMediaDesc, in a PhoneMediaPlan and in the SDP text on its way to the wire; every copy is
 * wiped where it ends. */

#include "core/media-desc.h"
#include "util/phone-error.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

PhoneDirection
phone_direction_reverse (PhoneDirection direction)
{
  return (PhoneDirection) (((direction & 1) << 1) | ((direction >> 1) & 1));
}

gboolean
phone_profile_is_secure (PhoneProfile profile)
{
  switch (profile)
    {
    case PHONE_PROFILE_AVP:
    case PHONE_PROFILE_AVPF:
      return FALSE;
    case PHONE_PROFILE_SAVP:
    case PHONE_PROFILE_SAVPF:
    case PHONE_PROFILE_DTLS_SAVP:
    case PHONE_PROFILE_DTLS_SAVPF:
      return TRUE;
    }
  g_assert_not_reached ();
}

guint
phone_codec_clock_rate (PhoneCodecId id)
{
  switch (id)
    {
    case PHONE_CODEC_OPUS:
      return 48000;
    case PHONE_CODEC_G722:
    case PHONE_CODEC_PCMU:
    case PHONE_CODEC_PCMA:
      return 8000;
    }
  g_assert_not_reached ();
}

gsize
phone_srtp_suite_key_length (PhoneSrtpSuite suite)
{
  switch (suite)
    {
    case PHONE_SRTP_AEAD_AES_256_GCM:
      return 32 + 12;           /* RFC 7714 section 12 */
    case PHONE_SRTP_AEAD_AES_128_GCM:
      return 16 + 12;
    case PHONE_SRTP_AES_256_CM_HMAC_SHA1_80:
    case PHONE_SRTP_AES_256_CM_HMAC_SHA1_32:
      return 32 + 14;           /* RFC 6188 section 7 */
    case PHONE_SRTP_AES_CM_128_HMAC_SHA1_80:
    case PHONE_SRTP_AES_CM_128_HMAC_SHA1_32:
      return 16 + 14;           /* RFC 4568 section 6.2 */
    }
  g_assert_not_reached ();
}

gboolean
phone_srtp_key_same (const PhoneSrtpKey *a, const PhoneSrtpKey *b)
{
  return a->suite == b->suite && memcmp (a->key, b->key, phone_srtp_suite_key_length (a->suite)) == 0
         && a->mki_length == b->mki_length && a->mki == b->mki;
}

gboolean
phone_srtp_key_equal (const PhoneSrtpKey *a, const PhoneSrtpKey *b)
{
  return a->tag == b->tag && a->lifetime == b->lifetime && phone_srtp_key_same (a, b);
}

gboolean
phone_srtp_key_generate (PhoneSrtpKey *ret_key, PhoneSrtpSuite suite, guint tag, GError **error)
{
  gsize length = phone_srtp_suite_key_length (suite);
  ssize_t n;

  memset (ret_key, 0, sizeof *ret_key);
  /* Up to 256 octets come whole or not at all; only the wait for the pool at boot can be interrupted. */
  do
    n = getrandom (ret_key->key, length, 0);
  while (n < 0 && errno == EINTR);
  if (n != (ssize_t) length)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no random octets for an SRTP key: %s",
                   g_strerror (errno));
      phone_srtp_key_clear (ret_key);
      return FALSE;
    }
  ret_key->suite = suite;
  ret_key->tag = tag;
  return TRUE;
}

void
phone_srtp_key_clear (PhoneSrtpKey *key)
{
  explicit_bzero (key, sizeof *key);
}

PhoneMediaDesc *
phone_media_desc_new (void)
{
  PhoneMediaDesc *desc = g_new0 (PhoneMediaDesc, 1);

  desc->profile = PHONE_PROFILE_AVP;
  desc->direction = PHONE_DIRECTION_SENDRECV;
  desc->dtmf_8000 = desc->dtmf_48000 = -1;
  return desc;
}

PhoneMediaDesc *
phone_media_desc_copy (const PhoneMediaDesc *desc)
{
  g_return_val_if_fail (desc != NULL, NULL);
  PhoneMediaDesc *copy = g_memdup2 (desc, sizeof *desc);

  copy->address = g_strdup (desc->address);
  return copy;
}

gboolean
phone_codec_equal (const PhoneCodec *a, const PhoneCodec *b)
{
  return a->id == b->id && a->payload_type == b->payload_type && a->max_playback_rate == b->max_playback_rate
         && a->max_average_bitrate == b->max_average_bitrate && a->min_ptime == b->min_ptime && !a->use_inband_fec == !b->use_inband_fec
         && !a->use_dtx == !b->use_dtx && !a->stereo == !b->stereo && !a->cbr == !b->cbr;
}

gboolean
phone_media_desc_has_ice (const PhoneMediaDesc *desc)
{
  return desc->ice.ufrag[0] != '\0';
}

PhoneDirection
phone_media_desc_stated_direction (const PhoneMediaDesc *desc)
{
  if (!phone_media_desc_has_ice (desc)
      && (g_strcmp0 (desc->address, "0.0.0.0") == 0 || g_strcmp0 (desc->address, "::") == 0))
    return (PhoneDirection) (desc->direction & ~PHONE_DIRECTION_RECVONLY);
  return desc->direction;
}

static gboolean
feedback_equal (const PhoneFeedback *a, const PhoneFeedback *b)
{
  return a->payload_type == b->payload_type && a->type == b->type && a->value == b->value;
}

static gboolean
extension_equal (const PhoneExtension *a, const PhoneExtension *b)
{
  return a->type == b->type && a->id == b->id && a->direction == b->direction;
}

gboolean
phone_media_desc_equal (const PhoneMediaDesc *a, const PhoneMediaDesc *b)
{
  if (a == b)
    return TRUE;
  if (a == NULL || b == NULL)
    return FALSE;
  if (g_strcmp0 (a->address, b->address) != 0 || a->port != b->port || a->rtcp_port != b->rtcp_port
      || !a->rtcp_mux != !b->rtcp_mux || !a->rtcp_mux_only != !b->rtcp_mux_only || a->profile != b->profile
      || !a->rtcp_rsize != !b->rtcp_rsize || !a->voip_metrics != !b->voip_metrics || a->rcvr_rtt != b->rcvr_rtt || a->record != b->record
      || a->direction != b->direction || a->ptime != b->ptime || a->maxptime != b->maxptime || a->n_codecs != b->n_codecs
      || a->dtmf_8000 != b->dtmf_8000 || a->dtmf_48000 != b->dtmf_48000 || a->red != b->red || a->n_cryptos != b->n_cryptos
      || a->n_feedback != b->n_feedback || a->n_extensions != b->n_extensions
      || !a->mixed_extensions != !b->mixed_extensions)
    return FALSE;
  for (guint i = 0; i < a->n_codecs; i++)
    if (!phone_codec_equal (&a->codecs[i], &b->codecs[i]))
      return FALSE;
  for (guint i = 0; i < a->n_cryptos; i++)
    if (!phone_srtp_key_equal (&a->cryptos[i], &b->cryptos[i]))
      return FALSE;
  for (guint i = 0; i < a->n_feedback; i++)
    if (!feedback_equal (&a->feedback[i], &b->feedback[i]))
      return FALSE;
  for (guint i = 0; i < a->n_extensions; i++)
    if (!extension_equal (&a->extensions[i], &b->extensions[i]))
      return FALSE;
  return phone_dtls_desc_equal (&a->dtls, &b->dtls) && phone_ice_desc_equal (&a->ice, &b->ice);
}

void
phone_media_desc_free (PhoneMediaDesc *desc)
{
  if (desc == NULL)
    return;
  g_free (desc->address);
  explicit_bzero (desc, sizeof *desc);
  g_free (desc);
}
