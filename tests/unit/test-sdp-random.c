/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Random pairs of phones negotiate and re-negotiate through text: the two plans must mirror each other, and what nobody asked to change
 * must not. */

#include "sdp-kit.h"

#include <string.h>

static PhoneMediaCaps
random_caps (const char *address, guint16 port)
{
  PhoneMediaCaps caps = { 0 };
  PhoneCodecId order[phone_codec_id_n_values];

  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    order[i] = (PhoneCodecId) i;
  for (guint i = G_N_ELEMENTS (order) - 1; i > 0; i--)
    {
      guint j = (guint) g_test_rand_int_range (0, (gint32) i + 1);
      PhoneCodecId swap = order[i];
      order[i] = order[j];
      order[j] = swap;
    }
  caps.n_codecs = (guint) g_test_rand_int_range (1, G_N_ELEMENTS (order) + 1);
  memcpy (caps.codecs, order, caps.n_codecs * sizeof order[0]);
  caps.srtp = (PhoneSrtpPolicy) g_test_rand_int_range (0, phone_srtp_policy_n_values);
  caps.sdes_allowed = g_test_rand_int_range (0, 4) != 0;
  caps.ptime = (guint) g_test_rand_int_range (0, 7) * 10;
  caps.direction = (PhoneDirection) g_test_rand_int_range (0, phone_direction_n_values);
  caps.address = address;
  caps.port = port;
  caps.rtcp_port = g_test_rand_bit () ? port + 1 : port + 7;
  caps.rtcp_mux = g_test_rand_bit ();
  caps.opus_max_bitrate = g_test_rand_bit () ? 0 : (guint32) g_test_rand_int_range (6000, 510001);
  return caps;
}

static gboolean
receives (const PhoneMediaPlan *plan, const PhoneCodec *codec)
{
  for (guint i = 0; i < plan->n_receive; i++)
    if (plan->receive[i].payload_type == codec->payload_type)
      return plan->receive[i].id == codec->id;
  return FALSE;
}

static void
assert_half (const KitSide *a, const KitSide *b)
{
  g_assert_true (receives (b->plan, &a->plan->send));
  g_assert_cmpint (a->plan->direction, ==, phone_direction_reverse (b->plan->direction));
  g_assert_cmpint (a->plan->direction & ~a->caps.direction, ==, 0);
  g_assert_cmpint (a->plan->encrypted, ==, b->plan->encrypted);
  if (a->plan->encrypted)
    g_assert_true (phone_srtp_key_equal (&a->plan->send_key, &b->plan->receive_key));
  g_assert_cmpstr (a->plan->remote_address, ==, b->caps.address);
  g_assert_cmpuint (a->plan->remote_port, ==, b->caps.port);
  g_assert_cmpint (a->plan->rtcp_mux, ==, b->plan->rtcp_mux);
  g_assert_cmpuint (a->plan->remote_rtcp_port, ==, a->plan->rtcp_mux ? b->caps.port : b->caps.rtcp_port);
  if (a->plan->send.id == PHONE_CODEC_OPUS)
    g_assert_cmpuint (a->plan->send.max_average_bitrate, ==, b->caps.opus_max_bitrate);
  if (a->plan->send_dtmf >= 0)
    g_assert_cmpint (a->plan->send_dtmf, ==,
                     a->plan->send_dtmf_rate == 48000 ? b->plan->receive_dtmf_48000 : b->plan->receive_dtmf_8000);
  g_assert_cmpuint (a->plan->send_red, ==, a->plan->send.id == PHONE_CODEC_OPUS ? b->plan->receive_red : 0);
  /* All of ours have the same numbers for codecs and events apart. */
  for (guint i = 0; i < a->plan->n_receive; i++)
    {
      g_assert_cmpint (a->plan->receive[i].payload_type, !=, a->plan->receive_dtmf_8000);
      g_assert_cmpint (a->plan->receive[i].payload_type, !=, a->plan->receive_dtmf_48000);
      for (guint j = 0; j < i; j++)
        g_assert_cmpint (a->plan->receive[i].payload_type, !=, a->plan->receive[j].payload_type);
    }
}

/* One exchange from `from` to `to`. FALSE: refused, and both stand where they stood. */
static gboolean
exchange (KitSide *from, KitSide *to, gboolean new_keys)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) offer = phone_offer_create (&from->caps, from->local, new_keys, &error);
  g_autoptr (PhoneMediaDesc) seen = NULL, answer = NULL, answer_seen = NULL;
  g_autoptr (PhoneMediaPlan) there = NULL;
  PhoneMediaPlan *here;
  char *text;

  if (offer == NULL)
    {
      g_assert_cmpint (from->caps.srtp, ==, PHONE_SRTP_REQUIRED);
      g_assert_false (from->caps.sdes_allowed);
      return FALSE;
    }
  text = ua_sdp_write_offer (from->sdp, offer);
  seen = kit_read_with (to->sdp, text);
  ua_sdp_free_text (text);
  g_assert_true (phone_media_desc_equal (offer, seen));
  answer = phone_answer_create (&to->caps, seen, to->local, &there, &error);
  if (answer == NULL)
    {
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
      return FALSE;
    }
  g_clear_error (&error);
  text = ua_sdp_write_answer (to->sdp, answer);
  answer_seen = kit_read_with (from->sdp, text);
  ua_sdp_free_text (text);
  here = phone_offer_complete (&from->caps, offer, answer_seen, &error);
  g_assert_no_error (error);
  kit_side_set (from, g_steal_pointer (&offer), here);
  kit_side_set (to, g_steal_pointer (&answer), g_steal_pointer (&there));
  assert_half (from, to);
  assert_half (to, from);
  return TRUE;
}

static void
test_random (void)
{
  guint agreed = 0, encrypted = 0;

  for (guint round = 0; round < 3000; round++)
    {
      /* One family: from IPv4 there is no way to the other. */
      gboolean ip6 = g_test_rand_bit ();
      KitSide a = { .sdp = ua_sdp_new (), .caps = random_caps (ip6 ? "2001:db8::1" : "192.0.2.1", 4000) };
      KitSide b = { .sdp = ua_sdp_new (), .caps = random_caps (ip6 ? "2001:db8::2" : "192.0.2.2", 6000) };

      if (exchange (&a, &b, FALSE))
        {
          agreed++;
          encrypted += a.plan->encrypted ? 1 : 0;
          for (guint step = 0; step < 6; step++)
            {
              g_autoptr (PhoneMediaPlan) before_a = phone_media_plan_copy (a.plan), before_b = phone_media_plan_copy (b.plan);
              gboolean from_a = g_test_rand_bit (), new_keys = g_test_rand_int_range (0, 4) == 0;
              gboolean done;

              a.caps.running = a.plan;
              b.caps.running = b.plan;
              if (g_test_rand_bit ())
                a.caps.direction = (PhoneDirection) g_test_rand_int_range (0, phone_direction_n_values);
              if (g_test_rand_bit ())
                b.caps.direction = (PhoneDirection) g_test_rand_int_range (0, phone_direction_n_values);
              done = from_a ? exchange (&a, &b, new_keys) : exchange (&b, &a, new_keys);
              g_assert_true (done);
              /* What nobody asked to change has not: protection, keys, what may arrive. */
              g_assert_cmpint (a.plan->encrypted, ==, before_a->encrypted);
              if (a.plan->encrypted)
                {
                  g_assert_cmpint (phone_srtp_key_same (&a.plan->send_key, &before_a->send_key), ==, !new_keys);
                  g_assert_cmpint (phone_srtp_key_same (&b.plan->send_key, &before_b->send_key), ==, !new_keys);
                  g_assert_cmpint (a.plan->send_key.suite, ==, before_a->send_key.suite);
                }
              g_assert_true (receives (a.plan, &before_b->send));
              g_assert_true (receives (b.plan, &before_a->send));
            }
        }
      kit_side_clear (&a);
      kit_side_clear (&b);
    }
  /* The generator must reach both. */
  g_assert_cmpuint (agreed, >, 500);
  g_assert_cmpuint (encrypted, >, 100);
}

/* A re-offer that changes nothing is the same text, and its answer is. */
static void
test_stable (void)
{
  KitSide a = { .sdp = ua_sdp_new (), .caps = kit_caps ("192.0.2.1", 4000, PHONE_SRTP_REQUIRED) };
  KitSide b = { .sdp = ua_sdp_new (), .caps = kit_caps ("192.0.2.2", 6000, PHONE_SRTP_REQUIRED) };
  char *texts[2][2];

  for (guint i = 0; i < 2; i++)
    {
      g_assert_true (exchange (&a, &b, FALSE));
      texts[i][0] = ua_sdp_write_offer (a.sdp, a.local);
      texts[i][1] = ua_sdp_write_answer (b.sdp, b.local);
    }
  g_assert_cmpstr (texts[0][0], ==, texts[1][0]);
  g_assert_cmpstr (texts[0][1], ==, texts[1][1]);
  for (guint i = 0; i < 4; i++)
    ua_sdp_free_text (texts[i / 2][i % 2]);
  kit_side_clear (&a);
  kit_side_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/random", test_random);
  g_test_add_func ("/sdp/stable", test_stable);
  return g_test_run ();
}
