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
  static const gsize hashes[] = { 20, 28, 32, 48, 64 };
  g_assert_cmpuint (G_N_ELEMENTS (hashes), ==, phone_hash_n_values);
  for (gsize i = 0; i < G_N_ELEMENTS (hashes); i++)
    g_assert_cmpuint (phone_hash_length ((PhoneHash) i), ==, hashes[i]);
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
  desc->dtls = (PhoneDtlsDesc) { .n_fingerprints = 1, .has_setup = TRUE, .setup = PHONE_SETUP_ACTPASS, .tls_id = "abcdefghijklmnopqrst" };
  desc->dtls.fingerprints[0] = (PhoneFingerprint) { .hash = PHONE_HASH_SHA256, .octets = { 1, 2, 3 } };
  desc->ice = (PhoneIceDesc) { .ufrag = "abcd", .pwd = "abcdefghijklmnopqrstuv", .n_candidates = 1, .n_remote = 1 };
  desc->ice.candidates[0] = (PhoneCandidate) { .foundation = "1", .component = 1, .priority = 1, .address = "192.0.2.1", .port = 4000,
                                               .type = PHONE_CANDIDATE_SRFLX, .related_address = "10.0.0.1", .related_port = 1 };
  desc->ice.remote[0] = (PhoneRemoteCandidate) { .component = 1, .address = "192.0.2.2", .port = 1 };
  desc->n_feedback = desc->n_extensions = 1;
  desc->feedback[0] = (PhoneFeedback) { .payload_type = -1, .type = PHONE_FEEDBACK_TRR_INT, .value = 1000 };
  desc->extensions[0] = (PhoneExtension) { .type = PHONE_EXTENSION_AUDIO_LEVEL, .id = 1, .direction = PHONE_DIRECTION_SENDRECV };
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
  DIFFERS (copy->red++, copy->red--)
  DIFFERS (copy->cryptos[0].key[27] ^= 1, copy->cryptos[0].key[27] ^= 1)
  DIFFERS (copy->cryptos[0].tag++, copy->cryptos[0].tag--)
  DIFFERS (copy->cryptos[0].lifetime++, copy->cryptos[0].lifetime--)
  DIFFERS (copy->cryptos[0].mki_length++, copy->cryptos[0].mki_length--)
  DIFFERS (copy->rtcp_mux_only = TRUE, copy->rtcp_mux_only = FALSE)
  DIFFERS (copy->mixed_extensions = TRUE, copy->mixed_extensions = FALSE)
  DIFFERS (copy->n_feedback--, copy->n_feedback++)
  DIFFERS (copy->feedback[0].payload_type++, copy->feedback[0].payload_type--)
  DIFFERS (copy->feedback[0].type++, copy->feedback[0].type--)
  DIFFERS (copy->feedback[0].value++, copy->feedback[0].value--)
  DIFFERS (copy->n_extensions--, copy->n_extensions++)
  DIFFERS (copy->extensions[0].type++, copy->extensions[0].type--)
  DIFFERS (copy->extensions[0].id++, copy->extensions[0].id--)
  DIFFERS (copy->extensions[0].direction--, copy->extensions[0].direction++)
  DIFFERS (copy->dtls.n_fingerprints--, copy->dtls.n_fingerprints++)
  DIFFERS (copy->dtls.fingerprints[0].hash++, copy->dtls.fingerprints[0].hash--)
  DIFFERS (copy->dtls.fingerprints[0].octets[31] ^= 1, copy->dtls.fingerprints[0].octets[31] ^= 1)
  DIFFERS (copy->dtls.has_setup = FALSE, copy->dtls.has_setup = TRUE)
  DIFFERS (copy->dtls.setup++, copy->dtls.setup--)
  DIFFERS (copy->dtls.tls_id[19]++, copy->dtls.tls_id[19]--)
  DIFFERS (copy->ice.ufrag[0]++, copy->ice.ufrag[0]--)
  DIFFERS (copy->ice.pwd[0]++, copy->ice.pwd[0]--)
  DIFFERS (copy->ice.lite = TRUE, copy->ice.lite = FALSE)
  DIFFERS (copy->ice.trickle = TRUE, copy->ice.trickle = FALSE)
  DIFFERS (copy->ice.ice2 = TRUE, copy->ice.ice2 = FALSE)
  DIFFERS (copy->ice.end_of_candidates = TRUE, copy->ice.end_of_candidates = FALSE)
  DIFFERS (copy->ice.mismatch = TRUE, copy->ice.mismatch = FALSE)
  DIFFERS (copy->ice.pacing++, copy->ice.pacing--)
  DIFFERS (copy->ice.n_candidates--, copy->ice.n_candidates++)
  DIFFERS (copy->ice.candidates[0].foundation[0]++, copy->ice.candidates[0].foundation[0]--)
  DIFFERS (copy->ice.candidates[0].component++, copy->ice.candidates[0].component--)
  DIFFERS (copy->ice.candidates[0].transport++, copy->ice.candidates[0].transport--)
  DIFFERS (copy->ice.candidates[0].priority++, copy->ice.candidates[0].priority--)
  DIFFERS (copy->ice.candidates[0].address[0]++, copy->ice.candidates[0].address[0]--)
  DIFFERS (copy->ice.candidates[0].port++, copy->ice.candidates[0].port--)
  DIFFERS (copy->ice.candidates[0].type++, copy->ice.candidates[0].type--)
  DIFFERS (copy->ice.candidates[0].related_address[0]++, copy->ice.candidates[0].related_address[0]--)
  DIFFERS (copy->ice.candidates[0].related_port++, copy->ice.candidates[0].related_port--)
  DIFFERS (copy->ice.n_remote--, copy->ice.n_remote++)
  DIFFERS (copy->ice.remote[0].component++, copy->ice.remote[0].component--)
  DIFFERS (copy->ice.remote[0].address[0]++, copy->ice.remote[0].address[0]--)
  DIFFERS (copy->ice.remote[0].port++, copy->ice.remote[0].port--)
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
