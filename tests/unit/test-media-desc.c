/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/offer-answer.h"

#include <string.h>

static void
test_direction (void)
{
  g_assert_cmpint (phone_direction_reverse (PHONE_DIRECTION_INACTIVE), ==, PHONE_DIRECTION_INACTIVE);
  g_assert_cmpint (phone_direction_reverse (PHONE_DIRECTION_SENDONLY), ==, PHONE_DIRECTION_RECVONLY);
  g_assert_cmpint (phone_direction_reverse (PHONE_DIRECTION_RECVONLY), ==, PHONE_DIRECTION_SENDONLY);
  g_assert_cmpint (phone_direction_reverse (PHONE_DIRECTION_SENDRECV), ==, PHONE_DIRECTION_SENDRECV);
}

static void
test_tables (void)
{
  static const gsize lengths[] = { 44, 28, 46, 46, 30, 30 };

  g_assert_cmpuint (G_N_ELEMENTS (lengths), ==, phone_srtp_suite_n_values);
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_assert_cmpuint (phone_srtp_suite_key_length ((PhoneSrtpSuite) i), ==, lengths[i]);
      g_assert_cmpuint (lengths[i], <=, PHONE_SRTP_MAX_KEY);
    }
  g_assert_cmpuint (phone_codec_clock_rate (PHONE_CODEC_OPUS), ==, 48000);
  g_assert_cmpuint (phone_codec_clock_rate (PHONE_CODEC_G722), ==, 8000);
  g_assert_false (phone_profile_is_secure (PHONE_PROFILE_AVPF));
  g_assert_true (phone_profile_is_secure (PHONE_PROFILE_SAVP));
  g_assert_true (phone_profile_is_secure (PHONE_PROFILE_DTLS_SAVPF));
}

static void
test_keys (void)
{
  PhoneSrtpKey a, b;
  static const guint8 zero[PHONE_SRTP_MAX_KEY];

  for (int suite = 0; suite < phone_srtp_suite_n_values; suite++)
    {
      gsize length = phone_srtp_suite_key_length ((PhoneSrtpSuite) suite);

      g_assert_true (phone_srtp_key_generate (&a, (PhoneSrtpSuite) suite, 1, NULL));
      g_assert_true (phone_srtp_key_generate (&b, (PhoneSrtpSuite) suite, 2, NULL));
      g_assert_cmpuint (a.tag, ==, 1);
      g_assert_cmpuint (a.lifetime, ==, 0);
      g_assert_false (phone_srtp_key_same (&a, &b));
      /* All of it is random: no run of four zero octets (by chance once in some ten million runs), nothing
       * past the end. */
      for (gsize i = 0; i + 4 <= length; i++)
        g_assert_cmpint (memcmp (a.key + i, zero, 4), !=, 0);
      g_assert_cmpint (memcmp (a.key + length, zero, sizeof a.key - length), ==, 0);

      b = a;
      b.tag = 7;
      g_assert_true (phone_srtp_key_same (&a, &b));
      g_assert_false (phone_srtp_key_equal (&a, &b));
      b.key[length - 1] ^= 1;
      g_assert_false (phone_srtp_key_same (&a, &b));
    }
  phone_srtp_key_clear (&a);
  g_assert_cmpint (memcmp (a.key, zero, sizeof zero), ==, 0);
}

static PhoneMediaDesc *
full_desc (void)
{
  PhoneMediaDesc *desc = phone_media_desc_new ();

  desc->address = g_strdup ("192.0.2.1");
  desc->port = 4000;
  desc->rtcp_port = 4001;
  desc->n_codecs = 2;
  desc->codecs[0] = (PhoneCodec) { .id = PHONE_CODEC_OPUS, .payload_type = 96, .use_inband_fec = TRUE };
  desc->codecs[1] = (PhoneCodec) { .id = PHONE_CODEC_PCMA, .payload_type = 8 };
  desc->dtmf_8000 = 101;
  desc->n_cryptos = 1;
  g_assert_true (phone_srtp_key_generate (&desc->cryptos[0], PHONE_SRTP_AEAD_AES_128_GCM, 1, NULL));
  return desc;
}

static void
test_desc (void)
{
  g_autoptr (PhoneMediaDesc) empty = phone_media_desc_new ();
  g_autoptr (PhoneMediaDesc) desc = full_desc ();
  g_autoptr (PhoneMediaDesc) copy = phone_media_desc_copy (desc);

  g_assert_cmpint (empty->direction, ==, PHONE_DIRECTION_SENDRECV);
  g_assert_cmpint (empty->dtmf_8000, ==, -1);
  g_assert_cmpint (empty->dtmf_48000, ==, -1);
  g_assert_true (phone_media_desc_equal (desc, copy));
  g_assert_true (copy->address != desc->address);
  g_assert_false (phone_media_desc_equal (desc, empty));
  g_assert_false (phone_media_desc_equal (desc, NULL));
  g_assert_true (phone_media_desc_equal (NULL, NULL));

#define DIFFERS(change, restore)                                                                             \
  change;                                                                                                    \
  g_assert_false (phone_media_desc_equal (desc, copy));                                                      \
  restore;                                                                                                   \
  g_assert_true (phone_media_desc_equal (desc, copy));
  DIFFERS (copy->port++, copy->port--)
  DIFFERS (copy->rtcp_port++, copy->rtcp_port--)
  DIFFERS (copy->rtcp_mux = TRUE, copy->rtcp_mux = FALSE)
  DIFFERS (copy->profile = PHONE_PROFILE_SAVP, copy->profile = PHONE_PROFILE_AVP)
  DIFFERS (copy->direction = PHONE_DIRECTION_SENDONLY, copy->direction = PHONE_DIRECTION_SENDRECV)
  DIFFERS (copy->ptime = 20, copy->ptime = 0)
  DIFFERS (copy->maxptime = 20, copy->maxptime = 0)
  DIFFERS (copy->n_codecs--, copy->n_codecs++)
  DIFFERS (copy->codecs[0].use_inband_fec = FALSE, copy->codecs[0].use_inband_fec = TRUE)
  DIFFERS (copy->codecs[1].payload_type++, copy->codecs[1].payload_type--)
  DIFFERS (copy->dtmf_8000++, copy->dtmf_8000--)
  DIFFERS (copy->dtmf_48000++, copy->dtmf_48000--)
  DIFFERS (copy->cryptos[0].key[27] ^= 1, copy->cryptos[0].key[27] ^= 1)
  DIFFERS (copy->cryptos[0].tag++, copy->cryptos[0].tag--)
  DIFFERS (copy->cryptos[0].lifetime++, copy->cryptos[0].lifetime--)
  DIFFERS (copy->cryptos[0].mki_length++, copy->cryptos[0].mki_length--)
  phone_media_desc_free (NULL);
}

static void
test_plan (void)
{
  g_autoptr (PhoneMediaPlan) plan = g_new0 (PhoneMediaPlan, 1);
  g_autoptr (PhoneMediaPlan) copy = NULL;

  plan->remote_address = g_strdup ("2001:db8::1");
  plan->n_receive = 1;
  plan->encrypted = TRUE;
  g_assert_true (phone_srtp_key_generate (&plan->send_key, PHONE_SRTP_AEAD_AES_256_GCM, 1, NULL));
  g_assert_true (phone_srtp_key_generate (&plan->receive_key, PHONE_SRTP_AEAD_AES_256_GCM, 1, NULL));
  copy = phone_media_plan_copy (plan);
  g_assert_true (phone_media_plan_equal (plan, copy));
  g_assert_false (phone_media_plan_equal (plan, NULL));
  copy->receive_key.key[0] ^= 1;
  g_assert_false (phone_media_plan_equal (plan, copy));
  copy->receive_key.key[0] ^= 1;
  copy->remote_hold = TRUE;
  g_assert_false (phone_media_plan_equal (plan, copy));
  copy->remote_hold = FALSE;
  copy->receive[0].payload_type = 3;
  g_assert_false (phone_media_plan_equal (plan, copy));
  phone_media_plan_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/media-desc/direction", test_direction);
  g_test_add_func ("/media-desc/tables", test_tables);
  g_test_add_func ("/media-desc/keys", test_keys);
  g_test_add_func ("/media-desc/desc", test_desc);
  g_test_add_func ("/media-desc/plan", test_plan);
  return g_test_run ();
}
