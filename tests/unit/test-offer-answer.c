/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Negotiation on values, without any text: the RFC 3264 tables, payload types, profiles, keys, re-offers. */

#include "core/offer-answer.h"

#include <string.h>

static PhoneMediaCaps
make_caps (const char *address, guint16 port, guint n, ...)
{
  PhoneMediaCaps caps = { .sdes_allowed = TRUE,
                          .ptime = 20,
                          .direction = PHONE_DIRECTION_SENDRECV,
                          .address = address,
                          .port = port,
                          .rtcp_port = port + 1,
                          .rtcp_mux = TRUE };
  va_list codecs;

  va_start (codecs, n);
  for (guint i = 0; i < n; i++)
    caps.codecs[caps.n_codecs++] = (PhoneCodecId) va_arg (codecs, int);
  va_end (codecs);
  return caps;
}

#define ALICE                                                                                                \
  make_caps ("192.0.2.1", 4000, 4, PHONE_CODEC_OPUS, PHONE_CODEC_G722, PHONE_CODEC_PCMU, PHONE_CODEC_PCMA)
#define BOB                                                                                                  \
  make_caps ("192.0.2.2", 5000, 4, PHONE_CODEC_OPUS, PHONE_CODEC_G722, PHONE_CODEC_PCMU, PHONE_CODEC_PCMA)

static PhoneMediaDesc *
offer_of (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *offer = phone_offer_create (caps, previous, FALSE, &error);

  g_assert_no_error (error);
  g_assert_nonnull (offer);
  return offer;
}

static PhoneMediaDesc *
answer_of (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *previous,
           PhoneMediaPlan **ret_plan)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *answer = phone_answer_create (caps, offer, previous, ret_plan, &error);

  g_assert_no_error (error);
  g_assert_nonnull (answer);
  g_assert_nonnull (*ret_plan);
  return answer;
}

static PhoneMediaPlan *
plan_of (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *answer)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaPlan *plan = phone_offer_complete (caps, offer, answer, &error);

  g_assert_no_error (error);
  g_assert_nonnull (plan);
  return plan;
}

static void
expect_488 (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const char *words)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaPlan *plan = (PhoneMediaPlan *) 1;

  g_assert_null (phone_answer_create (caps, offer, NULL, &plan, &error));
  g_assert_null (plan);
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  if (strstr (error->message, words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, words);
}

static void
expect_bad_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *answer,
                   const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (phone_offer_complete (caps, offer, answer, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  if (strstr (error->message, words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, words);
}

static gboolean
receives (const PhoneMediaPlan *plan, PhoneCodecId id, guint payload_type)
{
  for (guint i = 0; i < plan->n_receive; i++)
    if (plan->receive[i].id == id && plan->receive[i].payload_type == payload_type)
      return TRUE;
  return FALSE;
}

/* ---- formats ---- */

static void
test_offer (void)
{
  PhoneMediaCaps caps = ALICE;
  caps.opus_max_bitrate = 32000;
  g_autoptr (PhoneMediaDesc) offer = offer_of (&caps, NULL);

  g_assert_cmpstr (offer->address, ==, "192.0.2.1");
  g_assert_cmpuint (offer->port, ==, 4000);
  g_assert_cmpuint (offer->rtcp_port, ==, 4001);
  g_assert_true (offer->rtcp_mux);
  g_assert_cmpint (offer->profile, ==, PHONE_PROFILE_AVP);
  g_assert_cmpuint (offer->ptime, ==, 20);
  g_assert_cmpuint (offer->n_codecs, ==, 4);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpint (offer->codecs[i].id, ==, caps.codecs[i]);
  g_assert_cmpuint (offer->codecs[0].payload_type, >=, 96);
  g_assert_cmpuint (offer->codecs[0].max_average_bitrate, ==, 32000);
  g_assert_true (offer->codecs[0].use_inband_fec);
  g_assert_cmpuint (offer->codecs[1].payload_type, ==, 9);
  g_assert_cmpuint (offer->codecs[2].payload_type, ==, 0);
  g_assert_cmpuint (offer->codecs[3].payload_type, ==, 8);
  g_assert_cmpint (offer->dtmf_8000, >=, 96);
  g_assert_cmpint (offer->dtmf_48000, >=, 96);
  g_assert_cmpint (offer->dtmf_8000, !=, offer->dtmf_48000);
}

static void
test_offer_events (void)
{
  PhoneMediaCaps opus = make_caps ("192.0.2.1", 4000, 1, PHONE_CODEC_OPUS);
  PhoneMediaCaps g711 = make_caps ("192.0.2.1", 4000, 2, PHONE_CODEC_PCMA, PHONE_CODEC_PCMA);
  g_autoptr (PhoneMediaDesc) a = offer_of (&opus, NULL);
  g_autoptr (PhoneMediaDesc) b = offer_of (&g711, NULL);

  g_assert_cmpint (a->dtmf_48000, >=, 96);
  g_assert_cmpint (a->dtmf_8000, ==, -1);
  g_assert_cmpint (b->dtmf_48000, ==, -1);
  g_assert_cmpint (b->dtmf_8000, >=, 96);
  g_assert_cmpuint (b->n_codecs, ==, 1);        /* named twice, offered once */
}

static void
test_offer_errors (void)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaCaps none = make_caps ("192.0.2.1", 4000, 0);
  PhoneMediaCaps closed = make_caps ("192.0.2.1", 0, 1, PHONE_CODEC_OPUS);

  g_assert_null (phone_offer_create (&none, NULL, FALSE, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  g_clear_error (&error);
  g_assert_null (phone_offer_create (&closed, NULL, FALSE, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
}

/* The answerer's order decides; the offerer sends what the answer names first. */
static void
test_order (void)
{
  PhoneMediaCaps alice = ALICE;
  PhoneMediaCaps bob = make_caps ("192.0.2.2", 5000, 3, PHONE_CODEC_PCMA, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  g_autoptr (PhoneMediaPlan) at_bob = NULL;
  g_autoptr (PhoneMediaDesc) offer = offer_of (&alice, NULL);
  g_autoptr (PhoneMediaDesc) answer = answer_of (&bob, offer, NULL, &at_bob);
  g_autoptr (PhoneMediaPlan) at_alice = plan_of (&alice, offer, answer);

  g_assert_cmpuint (answer->n_codecs, ==, 3);
  g_assert_cmpint (answer->codecs[0].id, ==, PHONE_CODEC_PCMA);
  g_assert_cmpint (answer->codecs[1].id, ==, PHONE_CODEC_PCMU);
  g_assert_cmpint (answer->codecs[2].id, ==, PHONE_CODEC_G722);
  g_assert_cmpint (at_bob->send.id, ==, PHONE_CODEC_PCMA);
  g_assert_cmpint (at_alice->send.id, ==, PHONE_CODEC_PCMA);
  g_assert_true (receives (at_alice, PHONE_CODEC_PCMA, 8));
  g_assert_true (receives (at_alice, PHONE_CODEC_PCMU, 0));
  g_assert_cmpint (at_alice->receive[0].id, !=, PHONE_CODEC_OPUS);
  g_assert_true (receives (at_bob, PHONE_CODEC_G722, 9));
  g_assert_false (receives (at_bob, PHONE_CODEC_OPUS, 96));
  g_assert_cmpstr (at_alice->remote_address, ==, "192.0.2.2");
  g_assert_cmpuint (at_alice->remote_port, ==, 5000);
}

/* RFC 3264 section 5.1: the numbers of the two sides may differ. */
static void
test_asymmetric_numbers (void)
{
  PhoneMediaCaps alice = ALICE;
  g_autoptr (PhoneMediaDesc) offer = offer_of (&alice, NULL);
  g_autoptr (PhoneMediaDesc) answer = phone_media_desc_new ();
  g_autoptr (PhoneMediaPlan) plan = NULL;

  answer->address = g_strdup ("192.0.2.2");
  answer->port = 5000;
  answer->n_codecs = 1;
  answer->codecs[0] = (PhoneCodec){
    .id = PHONE_CODEC_OPUS, .payload_type = 120, .max_average_bitrate = 20000, .cbr = TRUE
  };
  answer->dtmf_48000 = 121;
  plan = plan_of (&alice, offer, answer);
  g_assert_cmpuint (plan->send.payload_type, ==, 120);
  g_assert_cmpuint (plan->send.max_average_bitrate, ==, 20000);
  g_assert_true (plan->send.cbr);
  g_assert_true (receives (plan, PHONE_CODEC_OPUS, offer->codecs[0].payload_type));
  g_assert_cmpuint (plan->receive[0].payload_type, ==, offer->codecs[0].payload_type);
  g_assert_true (receives (plan, PHONE_CODEC_OPUS, 120));       /* the peer may not know better */
  g_assert_cmpint (plan->send_dtmf, ==, 121);
  g_assert_cmpuint (plan->send_dtmf_rate, ==, 48000);
  g_assert_cmpint (plan->receive_dtmf_48000, ==, offer->dtmf_48000);

  /* The peer's number means something else with us: ours holds. */
  answer->codecs[0].payload_type = (guint8) offer->dtmf_8000;
  phone_media_plan_free (plan);
  plan = plan_of (&alice, offer, answer);
  g_assert_cmpint (plan->send.payload_type, ==, offer->dtmf_8000);
  g_assert_false (receives (plan, PHONE_CODEC_OPUS, (guint) offer->dtmf_8000));
}

static PhoneMediaDesc *
opus_peer (guint8 opus, int dtmf_8000, int dtmf_48000)
{
  PhoneMediaDesc *offer = phone_media_desc_new ();

  offer->address = g_strdup ("192.0.2.9");
  offer->port = 9000;
  offer->rtcp_port = 9001;
  offer->n_codecs = 2;
  offer->codecs[0] = (PhoneCodec) { .id = PHONE_CODEC_OPUS, .payload_type = opus };
  offer->codecs[1] = (PhoneCodec) { .id = PHONE_CODEC_PCMA, .payload_type = 8 };
  offer->dtmf_8000 = dtmf_8000;
  offer->dtmf_48000 = dtmf_48000;
  return offer;
}

static void
test_answer_takes_numbers_over (void)
{
  PhoneMediaCaps bob = BOB;
  g_autoptr (PhoneMediaDesc) offer = opus_peer (111, 126, 110);
  g_autoptr (PhoneMediaPlan) plan = NULL, again = NULL;
  g_autoptr (PhoneMediaDesc) answer = answer_of (&bob, offer, NULL, &plan);
  g_autoptr (PhoneMediaDesc) reoffer = NULL, other = NULL, second = NULL;

  g_assert_cmpuint (answer->codecs[0].payload_type, ==, 111);
  g_assert_cmpint (answer->dtmf_8000, ==, 126);
  g_assert_cmpint (answer->dtmf_48000, ==, 110);
  g_assert_cmpuint (plan->send.payload_type, ==, 111);

  /* Our own re-offer keeps them and adds the rest under numbers that are free. */
  reoffer = offer_of (&bob, answer);
  g_assert_cmpuint (reoffer->n_codecs, ==, 4);
  g_assert_cmpuint (reoffer->codecs[0].payload_type, ==, 111);
  g_assert_cmpint (reoffer->dtmf_8000, ==, 126);
  g_assert_cmpint (reoffer->dtmf_48000, ==, 110);

  /* Another device takes the far end over and numbers the other way round: 111 keeps its meaning with us
   * (section 8.3.2). */
  other = opus_peer (110, 126, 111);
  second = answer_of (&bob, other, answer, &again);
  g_assert_cmpuint (second->codecs[0].payload_type, ==, 111);
  g_assert_cmpint (second->dtmf_48000, ==, 110);
  g_assert_cmpuint (again->send.payload_type, ==, 110);
  g_assert_cmpint (again->send_dtmf, ==, 111);
  g_assert_true (receives (again, PHONE_CODEC_OPUS, 111));
  g_assert_cmpint (again->receive_dtmf_48000, ==, 110);

  /* A free number is taken over, and the old one is still understood. */
  g_clear_pointer (&other, phone_media_desc_free);
  g_clear_pointer (&second, phone_media_desc_free);
  g_clear_pointer (&again, phone_media_plan_free);
  other = opus_peer (99, 126, 110);
  second = answer_of (&bob, other, answer, &again);
  g_assert_cmpuint (second->codecs[0].payload_type, ==, 99);
  g_assert_true (receives (again, PHONE_CODEC_OPUS, 99));
  g_assert_true (receives (again, PHONE_CODEC_OPUS, 111));
}

/* RFC 5761 section 4: these would look like RTCP on the same port. */
static void
test_numbers_and_mux (void)
{
  PhoneMediaCaps bob = BOB;
  g_autoptr (PhoneMediaDesc) offer = opus_peer (72, -1, -1);
  g_autoptr (PhoneMediaPlan) plan = NULL, muxed = NULL;
  g_autoptr (PhoneMediaDesc) answer = answer_of (&bob, offer, NULL, &plan);
  g_autoptr (PhoneMediaDesc) second = NULL;

  g_assert_cmpuint (answer->codecs[0].payload_type, ==, 72);
  offer->rtcp_mux = TRUE;
  second = answer_of (&bob, offer, NULL, &muxed);
  g_assert_cmpuint (second->codecs[0].payload_type, >=, 96);
  g_assert_cmpuint (muxed->send.payload_type, ==, 72);
}

static void
test_events (void)
{
  PhoneMediaCaps bob = BOB, alice = ALICE;
  PhoneMediaCaps g711 = make_caps ("192.0.2.2", 5000, 1, PHONE_CODEC_PCMA);
  g_autoptr (PhoneMediaDesc) only_8000 = opus_peer (96, 101, -1);
  g_autoptr (PhoneMediaDesc) both = opus_peer (96, 101, 102);
  g_autoptr (PhoneMediaDesc) none = opus_peer (96, -1, -1);
  g_autoptr (PhoneMediaPlan) a = NULL, b = NULL, c = NULL, d = NULL;
  g_autoptr (PhoneMediaDesc) answer_a = answer_of (&bob, only_8000, NULL, &a);
  g_autoptr (PhoneMediaDesc) answer_b = answer_of (&bob, both, NULL, &b);
  g_autoptr (PhoneMediaDesc) answer_c = answer_of (&g711, both, NULL, &c);
  g_autoptr (PhoneMediaDesc) answer_d = answer_of (&bob, none, NULL, &d);
  g_autoptr (PhoneMediaDesc) offer = offer_of (&alice, NULL);
  g_autoptr (PhoneMediaPlan) e = NULL, f = NULL;
  g_autoptr (PhoneMediaDesc) answer_f = NULL;
  PhoneMediaCaps opus = make_caps ("192.0.2.2", 5000, 1, PHONE_CODEC_OPUS);

  g_assert_cmpint (a->send.id, ==, PHONE_CODEC_OPUS);
  g_assert_cmpint (a->send_dtmf, ==, 101);
  g_assert_cmpuint (a->send_dtmf_rate, ==, 8000);
  g_assert_cmpint (a->receive_dtmf_8000, ==, 101);
  g_assert_cmpint (a->receive_dtmf_48000, ==, -1);
  g_assert_cmpint (answer_a->dtmf_48000, ==, -1);

  /* The same with Opus alone in common. */
  answer_f = answer_of (&opus, only_8000, NULL, &f);
  g_assert_cmpuint (answer_f->n_codecs, ==, 1);
  g_assert_cmpint (answer_f->dtmf_8000, ==, 101);
  g_assert_cmpuint (f->send_dtmf_rate, ==, 8000);

  g_assert_cmpint (b->send_dtmf, ==, 102);
  g_assert_cmpuint (b->send_dtmf_rate, ==, 48000);
  g_assert_cmpint (b->receive_dtmf_8000, ==, 101);

  g_assert_cmpint (c->send_dtmf, ==, 101);
  g_assert_cmpuint (c->send_dtmf_rate, ==, 8000);
  g_assert_cmpint (answer_c->dtmf_48000, ==, -1);

  g_assert_cmpint (d->send_dtmf, ==, -1);
  g_assert_cmpuint (d->send_dtmf_rate, ==, 0);
  g_assert_cmpint (answer_d->dtmf_8000, ==, -1);

  e = plan_of (&alice, offer, none);
  g_assert_cmpint (e->send_dtmf, ==, -1);
}

static void
test_no_codec (void)
{
  PhoneMediaCaps alice = make_caps ("192.0.2.1", 4000, 1, PHONE_CODEC_OPUS);
  PhoneMediaCaps bob = make_caps ("192.0.2.2", 5000, 1, PHONE_CODEC_PCMA);
  g_autoptr (PhoneMediaDesc) offer = offer_of (&alice, NULL);
  g_autoptr (PhoneMediaDesc) other = offer_of (&bob, NULL);
  g_autoptr (PhoneMediaDesc) empty = phone_media_desc_new ();

  expect_488 (&bob, offer, "opus");
  expect_bad_answer (&alice, offer, other, "pcma");
  empty->address = g_strdup ("192.0.2.1");
  empty->port = 1;
  expect_488 (&bob, empty, "none that is known");
  expect_bad_answer (&alice, offer, empty, "none that is known");
}

static void
test_ptime (void)
{
  static const struct { guint ours, theirs, theirs_max, expected;
  } cases[] = {
    { 20, 0, 0, 20 },   { 20, 40, 0, 40 }, { 20, 30, 0, 20 }, { 20, 5, 0, 10 },
    { 20, 10, 0, 10 },  { 40, 0, 20, 20 }, { 20, 60, 0, 60 }, { 20, 240, 0, 60 },
    { 20, 60, 40, 40 }, { 0, 0, 0, 20 },   { 20, 20, 1, 10 }, { 20, G_MAXUINT, G_MAXUINT, 60 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PhoneMediaCaps bob = BOB;
      g_autoptr (PhoneMediaDesc) offer = opus_peer (96, -1, -1);
      g_autoptr (PhoneMediaPlan) plan = NULL;
      g_autoptr (PhoneMediaDesc) answer = NULL;

      bob.ptime = cases[i].ours;
      offer->ptime = cases[i].theirs;
      offer->maxptime = cases[i].theirs_max;
      answer = answer_of (&bob, offer, NULL, &plan);
      g_assert_cmpuint (plan->ptime, ==, cases[i].expected);
      g_assert_cmpuint (answer->ptime, ==, cases[i].ours);
    }
}

/* Shorter packets than agreed: only of Opus, if its receiver says that they may be, and neither side wants longer ones. */
static void
test_least_ptime (void)
{
  static const struct
  {
    guint ours, theirs, min_ptime, expected, stated;
  } cases[] = {
    { 20, 0, 10, 10, 10 },  { 20, 20, 10, 10, 10 }, { 20, 0, 3, 10, 10 },  { 0, 0, 10, 10, 10 },
    { 20, 0, 0, 20, 10 },   { 20, 0, 20, 20, 10 },  { 20, 40, 10, 40, 10 }, { 40, 20, 10, 20, 0 },
    { 40, 0, 10, 40, 0 },   { 10, 0, 10, 10, 10 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      PhoneMediaCaps bob = BOB;
      g_autoptr (PhoneMediaDesc) offer = opus_peer (96, -1, -1);
      g_autoptr (PhoneMediaPlan) plan = NULL;
      g_autoptr (PhoneMediaDesc) answer = NULL;

      bob.ptime = cases[i].ours;
      offer->ptime = cases[i].theirs;
      offer->codecs[0].min_ptime = cases[i].min_ptime;
      answer = answer_of (&bob, offer, NULL, &plan);
      g_assert_cmpuint (plan->least_ptime, ==, cases[i].expected);
      g_assert_cmpuint (answer->codecs[0].min_ptime, ==, cases[i].stated);
    }
}

static void
test_rtcp (void)
{
  PhoneMediaCaps alice = ALICE, bob = BOB, plain = BOB;
  g_autoptr (PhoneMediaDesc) offer = offer_of (&alice, NULL);
  g_autoptr (PhoneMediaPlan) a = NULL, b = NULL, c = NULL, d = NULL;
  g_autoptr (PhoneMediaDesc) muxed = NULL, apart = NULL;

  muxed = answer_of (&bob, offer, NULL, &b);
  g_assert_true (muxed->rtcp_mux);
  g_assert_true (b->rtcp_mux);
  g_assert_cmpuint (b->remote_rtcp_port, ==, 4000);
  a = plan_of (&alice, offer, muxed);
  g_assert_true (a->rtcp_mux);
  g_assert_cmpuint (a->remote_rtcp_port, ==, 5000);

  plain.rtcp_mux = FALSE;
  plain.rtcp_port = 6001;
  apart = answer_of (&plain, offer, NULL, &d);
  g_assert_false (apart->rtcp_mux);
  g_assert_cmpuint (d->remote_rtcp_port, ==, 4001);
  c = plan_of (&alice, offer, apart);
  g_assert_false (c->rtcp_mux);
  g_assert_cmpuint (c->remote_rtcp_port, ==, 6001);
}

/* ---- direction ---- */

/* RFC 3264 section 6.1, all sixteen. */
/* How arrivals are told: congestion feedback before transport-cc, in reduced size only, and only what both sides have said. */
static void
test_feedback (void)
{
  PhoneMediaCaps alice = ALICE, bob = BOB;
  PhoneMediaPlan *raw;
  PhoneDtlsDesc dtls = { .n_fingerprints = 1, .tls_id = "01234567890123456789" };

  g_autoptr (PhoneMediaDesc) offer = offer_of (&alice, NULL);
  g_assert_true (offer->rtcp_rsize);
  g_assert_cmpuint (offer->n_feedback, ==, 1);
  g_assert_cmpuint (offer->n_extensions, ==, 0);
  g_autoptr (PhoneMediaDesc) answer = answer_of (&bob, offer, NULL, &raw);
  g_autoptr (PhoneMediaPlan) bobs = raw;
  g_autoptr (PhoneMediaPlan) alices = plan_of (&alice, offer, answer);
  g_assert_true (bobs->ccfb && alices->ccfb && bobs->voip_metrics && alices->voip_metrics);
  g_assert_cmpint (alices->rcvr_rtt, ==, PHONE_RCVR_RTT_ALL);
  g_assert_cmpint (bobs->rcvr_rtt, ==, PHONE_RCVR_RTT_ALL);
  answer->rcvr_rtt = PHONE_RCVR_RTT_SENDER;     /* less than we have offered */
  g_autoptr (PhoneMediaPlan) less = plan_of (&alice, offer, answer);
  g_assert_cmpint (less->rcvr_rtt, ==, PHONE_RCVR_RTT_SENDER);
  g_assert_false (phone_media_plan_equal (alices, less));

  /* A peer that has never heard of it. */
  answer->n_feedback = 0;
  answer->voip_metrics = FALSE;
  answer->rcvr_rtt = PHONE_RCVR_RTT_NONE;
  g_autoptr (PhoneMediaPlan) without = plan_of (&alice, offer, answer);
  g_assert_false (without->ccfb || without->voip_metrics);
  g_assert_cmpint (without->rcvr_rtt, ==, PHONE_RCVR_RTT_NONE);
  g_assert_false (phone_media_plan_equal (alices, without));

  /* A browser. */
  g_autoptr (PhoneMediaDesc) browser = phone_media_desc_copy (offer);
  browser->n_feedback = browser->n_extensions = 1;
  browser->voip_metrics = FALSE;
  browser->rcvr_rtt = PHONE_RCVR_RTT_SENDER;
  browser->feedback[0] = (PhoneFeedback) { .payload_type = offer->codecs[0].payload_type, .type = PHONE_FEEDBACK_TRANSPORT_CC };
  browser->extensions[0] = (PhoneExtension) { .type = PHONE_EXTENSION_TRANSPORT_CC, .id = 5, .direction = PHONE_DIRECTION_SENDRECV };
  g_autoptr (PhoneMediaDesc) to_browser = answer_of (&bob, browser, NULL, &raw);
  g_autoptr (PhoneMediaPlan) with_browser = raw;
  g_assert_cmpuint (with_browser->transport_cc, ==, 5);
  g_assert_false (with_browser->ccfb || with_browser->voip_metrics || to_browser->voip_metrics);
  g_assert_cmpint (with_browser->rcvr_rtt, ==, PHONE_RCVR_RTT_SENDER);
  g_assert_cmpint (to_browser->rcvr_rtt, ==, PHONE_RCVR_RTT_SENDER);
  g_assert_cmpuint (to_browser->extensions[0].id, ==, 5);
  g_assert_cmpint (to_browser->feedback[0].payload_type, ==, browser->feedback[0].payload_type);
  g_autoptr (PhoneMediaPlan) browsers = plan_of (&alice, browser, to_browser);
  g_assert_cmpuint (browsers->transport_cc, ==, 5);

  /* For another format, with an identifier that does not fit, in one direction, or in compounds only: not at all. */
  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (PhoneMediaDesc) odd = phone_media_desc_copy (browser);

      if (i == 0)
        odd->feedback[0].payload_type = 126;
      if (i == 1)
        odd->extensions[0].id = 15;
      if (i == 2)
        odd->extensions[0].direction = PHONE_DIRECTION_SENDONLY;
      if (i == 3)
        odd->rtcp_rsize = FALSE;
      g_autoptr (PhoneMediaDesc) back = answer_of (&bob, odd, NULL, &raw);
      g_autoptr (PhoneMediaPlan) plan = raw;
      g_assert_cmpuint (plan->transport_cc, ==, 0);
      g_assert_cmpuint (back->n_feedback + back->n_extensions, ==, 0);
      g_assert_cmpint (back->rtcp_rsize, ==, odd->rtcp_rsize);
    }

  /* We offer it to browsers, and keep the number. */
  alice.keying = PHONE_KEYING_DTLS;
  alice.srtp = PHONE_SRTP_REQUIRED;
  alice.dtls = &dtls;
  g_autoptr (PhoneMediaDesc) to_any = offer_of (&alice, NULL);
  g_assert_cmpuint (to_any->n_feedback, ==, 2);
  g_assert_cmpuint (to_any->extensions[0].id, ==, 3);
  to_any->extensions[0].id = 7;
  g_autoptr (PhoneMediaDesc) again = offer_of (&alice, to_any);
  g_assert_cmpuint (again->extensions[0].id, ==, 7);
}

static void
test_direction_table (void)
{
  static const PhoneDirection S = PHONE_DIRECTION_SENDONLY, R = PHONE_DIRECTION_RECVONLY,
                              B = PHONE_DIRECTION_SENDRECV, I = PHONE_DIRECTION_INACTIVE;
  const struct { PhoneDirection offer, want, answer; } table[] = {
    { B, B, B }, { B, S, S }, { B, R, R }, { B, I, I }, { S, B, R }, { S, S, I }, { S, R, R }, { S, I, I },
    { R, B, S }, { R, S, S }, { R, R, I }, { R, I, I }, { I, B, I }, { I, S, I }, { I, R, I }, { I, I, I },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    {
      PhoneMediaCaps alice = ALICE, bob = BOB;
      g_autoptr (PhoneMediaPlan) at_bob = NULL, at_alice = NULL;
      g_autoptr (PhoneMediaDesc) offer = NULL, answer = NULL;

      alice.direction = table[i].offer;
      bob.direction = table[i].want;
      offer = offer_of (&alice, NULL);
      g_assert_cmpint (offer->direction, ==, table[i].offer);
      answer = answer_of (&bob, offer, NULL, &at_bob);
      g_assert_cmpint (answer->direction, ==, table[i].answer);
      g_assert_cmpint (at_bob->direction, ==, table[i].answer);
      at_alice = plan_of (&alice, offer, answer);
      g_assert_cmpint (at_alice->direction, ==, phone_direction_reverse (table[i].answer));
      g_assert_cmpint (at_bob->remote_hold, ==, table[i].offer == S || table[i].offer == I);
      g_assert_cmpint (at_alice->remote_hold, ==,
                       (table[i].offer & S) && (table[i].want == S || table[i].want == I));
    }
}

/* An answer that claims more than was offered gets no more. */
static void
test_greedy_answer (void)
{
  PhoneMediaCaps alice = ALICE;
  g_autoptr (PhoneMediaDesc) offer = NULL, answer = opus_peer (96, -1, -1);
  g_autoptr (PhoneMediaPlan) plan = NULL;

  alice.direction = PHONE_DIRECTION_SENDONLY;
  offer = offer_of (&alice, NULL);
  plan = plan_of (&alice, offer, answer);
  g_assert_cmpint (plan->direction, ==, PHONE_DIRECTION_SENDONLY);
}

static void
test_old_hold (void)
{
  static const char *const nowhere[] = { "0.0.0.0", "::" };
  static const struct { PhoneDirection stated, answer;
  } cases[] = {
    { PHONE_DIRECTION_SENDRECV, PHONE_DIRECTION_RECVONLY },
    { PHONE_DIRECTION_SENDONLY, PHONE_DIRECTION_RECVONLY },
    { PHONE_DIRECTION_RECVONLY, PHONE_DIRECTION_INACTIVE },
    { PHONE_DIRECTION_INACTIVE, PHONE_DIRECTION_INACTIVE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (nowhere); j++)
      {
        PhoneMediaCaps bob = BOB;
        g_autoptr (PhoneMediaDesc) offer = opus_peer (96, -1, -1);
        g_autoptr (PhoneMediaPlan) plan = NULL, mirrored = NULL;
        g_autoptr (PhoneMediaDesc) answer = NULL, ours = NULL;

        g_free (offer->address);
        offer->address = g_strdup (nowhere[j]);
        offer->direction = cases[i].stated;
        answer = answer_of (&bob, offer, NULL, &plan);
        g_assert_cmpint (answer->direction, ==, cases[i].answer);
        g_assert_cmpint (plan->direction & PHONE_DIRECTION_SENDONLY, ==, 0);
        g_assert_true (plan->remote_hold);

        ours = offer_of (&bob, NULL);
        mirrored = plan_of (&bob, ours, offer);
        g_assert_cmpint (mirrored->direction & PHONE_DIRECTION_SENDONLY, ==, 0);
        g_assert_true (mirrored->remote_hold);
      }
}

/* Both sides hold, then one after the other resumes (RFC 3264 section 8.4). */
static void
test_hold_and_resume (void)
{
  PhoneMediaCaps alice = ALICE, bob = BOB;
  g_autoptr (PhoneMediaPlan) a = NULL, b = NULL;
  g_autoptr (PhoneMediaDesc) alice_desc = offer_of (&alice, NULL);
  g_autoptr (PhoneMediaDesc) bob_desc = answer_of (&bob, alice_desc, NULL, &b);
  static const struct
  {
    gboolean alice_offers;
    PhoneDirection alice, bob, at_alice;
    gboolean held_by_bob, held_by_alice;
  } steps[] = {
    { TRUE, PHONE_DIRECTION_SENDONLY, PHONE_DIRECTION_SENDRECV, PHONE_DIRECTION_SENDONLY, FALSE, TRUE },
    { FALSE, PHONE_DIRECTION_SENDONLY, PHONE_DIRECTION_SENDONLY, PHONE_DIRECTION_INACTIVE, TRUE, TRUE },
    { TRUE, PHONE_DIRECTION_SENDRECV, PHONE_DIRECTION_SENDONLY, PHONE_DIRECTION_RECVONLY, TRUE, FALSE },
    { FALSE, PHONE_DIRECTION_SENDRECV, PHONE_DIRECTION_SENDRECV, PHONE_DIRECTION_SENDRECV, FALSE, FALSE },
  };

  a = plan_of (&alice, alice_desc, bob_desc);
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      PhoneMediaDesc *alice_next, *bob_next;
      PhoneMediaPlan *a_next, *b_next;

      alice.direction = steps[i].alice;
      bob.direction = steps[i].bob;
      alice.running = a;
      bob.running = b;
      if (steps[i].alice_offers)
        {
          alice_next = offer_of (&alice, alice_desc);
          bob_next = answer_of (&bob, alice_next, bob_desc, &b_next);
          a_next = plan_of (&alice, alice_next, bob_next);
        }
      else
        {
          bob_next = offer_of (&bob, bob_desc);
          alice_next = answer_of (&alice, bob_next, alice_desc, &a_next);
          b_next = plan_of (&bob, bob_next, alice_next);
        }
      g_assert_cmpint (a_next->direction, ==, steps[i].at_alice);
      g_assert_cmpint (b_next->direction, ==, phone_direction_reverse (steps[i].at_alice));
      g_assert_cmpint (a_next->remote_hold, ==, steps[i].held_by_bob);
      g_assert_cmpint (b_next->remote_hold, ==, steps[i].held_by_alice);
      g_assert_cmpint (a_next->send.payload_type, ==, a->send.payload_type);
      phone_media_desc_free (alice_desc);
      phone_media_desc_free (bob_desc);
      phone_media_plan_free (a);
      phone_media_plan_free (b);
      alice_desc = alice_next;
      bob_desc = bob_next;
      a = a_next;
      b = b_next;
    }
}

static void
test_refused (void)
{
  PhoneMediaCaps alice = ALICE, bob = BOB;
  PhoneMediaCaps g711 = make_caps ("192.0.2.2", 5000, 1, PHONE_CODEC_PCMU);
  g_autoptr (PhoneMediaDesc) offer = opus_peer (96, 101, -1);
  g_autoptr (PhoneMediaDesc) ours = offer_of (&alice, NULL);
  g_autoptr (PhoneMediaPlan) b = NULL, c = NULL, a = NULL;
  g_autoptr (PhoneMediaDesc) answer = NULL, other = NULL;

  offer->port = 0;
  offer->profile = PHONE_PROFILE_DTLS_SAVPF;    /* whatever it says, it is closed */
  answer = answer_of (&bob, offer, NULL, &b);
  g_assert_true (b->refused);
  g_assert_cmpuint (answer->port, ==, 0);
  g_assert_cmpint (answer->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  g_assert_cmpuint (answer->n_codecs, ==, 2);
  other = answer_of (&g711, offer, NULL, &c);
  g_assert_cmpuint (other->n_codecs, ==, 1);
  a = plan_of (&alice, ours, answer);
  g_assert_true (a->refused);
  g_assert_cmpint (a->direction, ==, PHONE_DIRECTION_INACTIVE);
}

/* ---- profiles and keys ---- */

static void
test_policies (void)
{
  enum { CLEAR, SECURE, BEST_EFFORT, N_OFFERS };
  static const struct { PhoneSrtpPolicy policy; gboolean sdes; const char *outcome[N_OFFERS]; } cases[] = {
    /* "clear", "keys", or words of the error */
    { PHONE_SRTP_OFF, TRUE, { "clear", "SRTP is off", "clear" } },
    { PHONE_SRTP_OFF, FALSE, { "clear", "SRTP is off", "clear" } },
    { PHONE_SRTP_PREFERRED, TRUE, { "clear", "keys", "keys" } },
    { PHONE_SRTP_PREFERRED, FALSE, { "clear", "not allowed", "clear" } },
    { PHONE_SRTP_REQUIRED, TRUE, { "SRTP is required", "keys", "keys" } },
    { PHONE_SRTP_REQUIRED, FALSE, { "SRTP is required", "not allowed", "SRTP is required" } },
  };
  static const gboolean feedback[] = { FALSE, TRUE };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (int kind = 0; kind < N_OFFERS; kind++)
      for (gsize f = 0; f < G_N_ELEMENTS (feedback); f++)
        {
          PhoneMediaCaps bob = BOB;
          g_autoptr (PhoneMediaDesc) offer = opus_peer (96, -1, -1);
          g_autoptr (PhoneMediaDesc) answer = NULL;
          g_autoptr (PhoneMediaPlan) plan = NULL;
          const char *outcome = cases[i].outcome[kind];

          bob.srtp = cases[i].policy;
          bob.sdes_allowed = cases[i].sdes;
          if (kind == SECURE)
            offer->profile = feedback[f] ? PHONE_PROFILE_SAVPF : PHONE_PROFILE_SAVP;
          else
            offer->profile = feedback[f] ? PHONE_PROFILE_AVPF : PHONE_PROFILE_AVP;
          if (kind != CLEAR)
            {
              offer->n_cryptos = 1;
              g_assert_true (
                  phone_srtp_key_generate (&offer->cryptos[0], PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 3, NULL));
            }

          if (!g_str_equal (outcome, "clear") && !g_str_equal (outcome, "keys"))
            {
              expect_488 (&bob, offer, outcome);
              continue;
            }
          answer = answer_of (&bob, offer, NULL, &plan);
          g_assert_cmpint (answer->profile, ==, offer->profile);
          g_assert_cmpint (plan->encrypted, ==, g_str_equal (outcome, "keys"));
          g_assert_cmpuint (answer->n_cryptos, ==, plan->encrypted ? 1 : 0);
          if (plan->encrypted)
            {
              g_assert_cmpuint (answer->cryptos[0].tag, ==, 3);
              g_assert_true (phone_srtp_key_equal (&plan->send_key, &answer->cryptos[0]));
              g_assert_true (phone_srtp_key_equal (&plan->receive_key, &offer->cryptos[0]));
              g_assert_false (phone_srtp_key_same (&plan->send_key, &plan->receive_key));
            }
        }
}

static void
test_offer_keys (void)
{
  PhoneMediaCaps alice = ALICE;
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) offer = NULL, clear = NULL;

  for (int policy = PHONE_SRTP_PREFERRED; policy <= PHONE_SRTP_REQUIRED; policy++)
    {
      g_autoptr (PhoneMediaDesc) o = NULL;

      alice.srtp = (PhoneSrtpPolicy) policy;
      o = offer_of (&alice, NULL);
      g_assert_cmpint (o->profile, ==, PHONE_PROFILE_SAVP);
      g_assert_cmpuint (o->n_cryptos, ==, phone_srtp_suite_n_values);
      for (guint i = 0; i < o->n_cryptos; i++)
        {
          g_assert_cmpint (o->cryptos[i].suite, ==, i);
          g_assert_cmpuint (o->cryptos[i].tag, ==, i + 1);
          for (guint j = 0; j < i; j++)
            g_assert_cmpint (memcmp (o->cryptos[i].key, o->cryptos[j].key, 28), !=, 0);
        }
    }

  alice.sdes_allowed = FALSE;
  g_assert_null (phone_offer_create (&alice, NULL, FALSE, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  alice.srtp = PHONE_SRTP_PREFERRED;
  clear = offer_of (&alice, NULL);
  g_assert_cmpint (clear->profile, ==, PHONE_PROFILE_AVP);
  g_assert_cmpuint (clear->n_cryptos, ==, 0);
}

static void
test_strongest (void)
{
  PhoneMediaCaps bob = BOB;
  g_autoptr (PhoneMediaDesc) offer = opus_peer (96, -1, -1);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (PhoneMediaDesc) answer = NULL;
  static const PhoneSrtpSuite offered[]
      = { PHONE_SRTP_AES_CM_128_HMAC_SHA1_32, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, PHONE_SRTP_AEAD_AES_128_GCM,
          PHONE_SRTP_AES_256_CM_HMAC_SHA1_80 };

  bob.srtp = PHONE_SRTP_REQUIRED;
  offer->profile = PHONE_PROFILE_SAVP;
  for (guint i = 0; i < G_N_ELEMENTS (offered); i++)
    g_assert_true (phone_srtp_key_generate (&offer->cryptos[offer->n_cryptos++], offered[i], 10 + i, NULL));
  answer = answer_of (&bob, offer, NULL, &plan);
  g_assert_cmpuint (answer->n_cryptos, ==, 1);
  g_assert_cmpuint (answer->cryptos[0].tag, ==, 12);
  g_assert_cmpint (answer->cryptos[0].suite, ==, PHONE_SRTP_AEAD_AES_128_GCM);

  offer->n_cryptos = 0;
  expect_488 (&bob, offer, "a=crypto");
  offer->profile = PHONE_PROFILE_DTLS_SAVPF;
  expect_488 (&bob, offer, "a=fingerprint");
}

static void
test_bad_answers (void)
{
  PhoneMediaCaps alice = ALICE, bob = BOB;
  g_autoptr (PhoneMediaDesc) offer = NULL, clear = NULL, answer = NULL;
  g_autoptr (PhoneMediaPlan) plan = NULL, best_effort = NULL, chosen = NULL;

  alice.srtp = PHONE_SRTP_OFF;
  clear = offer_of (&alice, NULL);
  alice.srtp = bob.srtp = PHONE_SRTP_PREFERRED;
  offer = offer_of (&alice, NULL);
  answer = answer_of (&bob, offer, NULL, &plan);

  answer->cryptos[0].tag = 77;
  expect_bad_answer (&alice, offer, answer, "a=crypto:77");
  answer->cryptos[0].tag = 2;           /* offered, with another suite */
  expect_bad_answer (&alice, offer, answer, "was not offered");
  answer->n_cryptos = 2;
  answer->cryptos[1] = answer->cryptos[0];
  answer->cryptos[1].tag = 1;
  chosen = plan_of (&alice, offer, answer);
  g_assert_true (phone_srtp_key_equal (&chosen->receive_key, &answer->cryptos[1]));
  answer->n_cryptos = 0;
  expect_bad_answer (&alice, offer, answer, "no usable a=crypto");
  answer->profile = PHONE_PROFILE_AVP;
  expect_bad_answer (&alice, offer, answer, "profile RTP/AVP");
  answer->profile = PHONE_PROFILE_DTLS_SAVP;
  expect_bad_answer (&alice, offer, answer, "profile UDP/TLS/RTP/SAVP");
  answer->profile = PHONE_PROFILE_SAVP;
  expect_bad_answer (&alice, clear, answer, "profile RTP/SAVP");

  /* Keys that nobody asked for change nothing. */
  answer->profile = PHONE_PROFILE_AVP;
  answer->n_cryptos = 1;
  best_effort = plan_of (&alice, clear, answer);
  g_assert_false (best_effort->encrypted);
}

/* ---- re-offers ---- */

typedef struct
{
  PhoneMediaCaps alice, bob;
  PhoneMediaDesc *alice_desc, *bob_desc;
  PhoneMediaPlan *a, *b;
} Session;

static void
session_start (Session *s)
{
  s->alice = ALICE;
  s->bob = BOB;
  s->alice.srtp = s->bob.srtp = PHONE_SRTP_REQUIRED;
  s->alice_desc = offer_of (&s->alice, NULL);
  s->bob_desc = answer_of (&s->bob, s->alice_desc, NULL, &s->b);
  s->a = plan_of (&s->alice, s->alice_desc, s->bob_desc);
  s->alice.running = s->a;
  s->bob.running = s->b;
}

static void
session_end (Session *s)
{
  phone_media_desc_free (s->alice_desc);
  phone_media_desc_free (s->bob_desc);
  phone_media_plan_free (s->a);
  phone_media_plan_free (s->b);
}

static void
test_reoffer_same (void)
{
  Session s;
  g_autoptr (PhoneMediaDesc) offer = NULL, answer = NULL, back = NULL, back_answer = NULL;
  g_autoptr (PhoneMediaPlan) a = NULL, b = NULL, a2 = NULL, b2 = NULL;

  session_start (&s);
  offer = offer_of (&s.alice, s.alice_desc);
  g_assert_true (phone_media_desc_equal (offer, s.alice_desc));
  answer = answer_of (&s.bob, offer, s.bob_desc, &b);
  g_assert_true (phone_media_desc_equal (answer, s.bob_desc));
  a = plan_of (&s.alice, offer, answer);
  g_assert_true (phone_media_plan_equal (a, s.a));
  g_assert_true (phone_media_plan_equal (b, s.b));

  /* The other way round: bob's key goes first under its tag, alice keeps hers. */
  back = offer_of (&s.bob, s.bob_desc);
  g_assert_true (phone_srtp_key_equal (&back->cryptos[0], &s.bob_desc->cryptos[0]));
  g_assert_cmpuint (back->n_cryptos, ==, phone_srtp_suite_n_values);
  for (guint i = 0; i < back->n_cryptos; i++)
    for (guint j = 0; j < i; j++)
      {
        g_assert_cmpuint (back->cryptos[i].tag, !=, back->cryptos[j].tag);
        g_assert_cmpint (back->cryptos[i].suite, !=, back->cryptos[j].suite);
      }
  back_answer = answer_of (&s.alice, back, s.alice_desc, &a2);
  b2 = plan_of (&s.bob, back, back_answer);
  g_assert_true (phone_srtp_key_equal (&a2->send_key, &s.a->send_key));
  g_assert_true (phone_srtp_key_equal (&a2->receive_key, &s.a->receive_key));
  g_assert_true (phone_srtp_key_equal (&b2->send_key, &s.b->send_key));
  session_end (&s);
}

static void
test_new_keys (void)
{
  Session s;
  g_autoptr (PhoneMediaDesc) offer = NULL, answer = NULL;
  g_autoptr (PhoneMediaPlan) a = NULL, b = NULL;

  session_start (&s);
  offer = phone_offer_create (&s.alice, s.alice_desc, TRUE, NULL);
  g_assert_nonnull (offer);
  for (guint i = 0; i < offer->n_cryptos; i++)
    {
      g_assert_cmpint (offer->cryptos[i].suite, ==, s.alice_desc->cryptos[i].suite);
      g_assert_false (phone_srtp_key_same (&offer->cryptos[i], &s.alice_desc->cryptos[i]));
    }
  /* The peer's key changed, so ours changes with it. */
  answer = answer_of (&s.bob, offer, s.bob_desc, &b);
  g_assert_false (phone_srtp_key_same (&answer->cryptos[0], &s.bob_desc->cryptos[0]));
  a = plan_of (&s.alice, offer, answer);
  g_assert_true (phone_srtp_key_same (&a->receive_key, &b->send_key));
  g_assert_true (phone_srtp_key_same (&a->send_key, &b->receive_key));
  session_end (&s);
}

/* The running context stays even if a stronger suite is offered beside it; another suite means another key.
 */
static void
test_reoffer_suites (void)
{
  PhoneMediaCaps bob = BOB;
  g_autoptr (PhoneMediaDesc) offer = opus_peer (96, -1, -1);
  g_autoptr (PhoneMediaPlan) first = NULL, second = NULL, third = NULL, blind = NULL;
  g_autoptr (PhoneMediaDesc) answer = NULL, same = NULL, changed = NULL, unaware = NULL;

  bob.srtp = PHONE_SRTP_PREFERRED;
  offer->profile = PHONE_PROFILE_SAVP;
  offer->n_cryptos = 1;
  g_assert_true (phone_srtp_key_generate (&offer->cryptos[0], PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1, NULL));
  answer = answer_of (&bob, offer, NULL, &first);

  offer->cryptos[1] = offer->cryptos[0];
  offer->cryptos[1].tag = 2;            /* renumbered: the same context all the same */
  g_assert_true (phone_srtp_key_generate (&offer->cryptos[0], PHONE_SRTP_AEAD_AES_256_GCM, 1, NULL));
  offer->n_cryptos = 2;
  bob.running = first;
  same = answer_of (&bob, offer, answer, &second);
  g_assert_cmpint (same->cryptos[0].suite, ==, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80);
  g_assert_cmpuint (same->cryptos[0].tag, ==, 2);
  g_assert_true (phone_srtp_key_same (&same->cryptos[0], &answer->cryptos[0]));

  offer->n_cryptos = 1;
  changed = answer_of (&bob, offer, answer, &third);
  g_assert_cmpint (changed->cryptos[0].suite, ==, PHONE_SRTP_AEAD_AES_256_GCM);
  g_assert_cmpint (memcmp (changed->cryptos[0].key, answer->cryptos[0].key, 30), !=, 0);

  /* Without knowledge of what runs, a key of the same suite is kept. */
  bob.running = NULL;
  unaware = answer_of (&bob, offer, changed, &blind);
  g_assert_true (phone_srtp_key_same (&unaware->cryptos[0], &changed->cryptos[0]));
}

/* The profile of a session stays, unless the policy forbids it by now. */
static void
test_reoffer_profile (void)
{
  PhoneMediaCaps bob = BOB, alice = ALICE;
  g_autoptr (PhoneMediaDesc) offer = opus_peer (96, -1, -1);
  g_autoptr (PhoneMediaPlan) plan = NULL, plan2 = NULL, a = NULL, plan3 = NULL;
  g_autoptr (PhoneMediaDesc) answer = NULL, reoffer = NULL, keyed = NULL, keyed_reoffer = NULL,
                             keyed_answer = NULL, strict = NULL;

  bob.srtp = alice.srtp = PHONE_SRTP_PREFERRED;
  offer->profile = PHONE_PROFILE_AVPF;
  answer = answer_of (&bob, offer, NULL, &plan);
  reoffer = offer_of (&bob, answer);
  g_assert_cmpint (reoffer->profile, ==, PHONE_PROFILE_AVPF);
  g_assert_cmpuint (reoffer->n_cryptos, ==, 0);

  offer->n_cryptos = 1;
  g_assert_true (phone_srtp_key_generate (&offer->cryptos[0], PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1, NULL));
  keyed = answer_of (&bob, offer, NULL, &plan2);
  keyed_reoffer = offer_of (&bob, keyed);
  g_assert_cmpint (keyed_reoffer->profile, ==, PHONE_PROFILE_AVPF);
  g_assert_true (phone_srtp_key_equal (&keyed_reoffer->cryptos[0], &keyed->cryptos[0]));
  keyed_answer = answer_of (&alice, keyed_reoffer, NULL, &a);
  plan3 = plan_of (&bob, keyed_reoffer, keyed_answer);
  g_assert_true (plan3->encrypted);

  bob.srtp = PHONE_SRTP_REQUIRED;
  strict = offer_of (&bob, answer);
  g_assert_cmpint (strict->profile, ==, PHONE_PROFILE_SAVPF);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/offer-answer/offer", test_offer);
  g_test_add_func ("/offer-answer/offer/events", test_offer_events);
  g_test_add_func ("/offer-answer/offer/errors", test_offer_errors);
  g_test_add_func ("/offer-answer/offer/keys", test_offer_keys);
  g_test_add_func ("/offer-answer/order", test_order);
  g_test_add_func ("/offer-answer/numbers/asymmetric", test_asymmetric_numbers);
  g_test_add_func ("/offer-answer/numbers/taken-over", test_answer_takes_numbers_over);
  g_test_add_func ("/offer-answer/numbers/mux", test_numbers_and_mux);
  g_test_add_func ("/offer-answer/events", test_events);
  g_test_add_func ("/offer-answer/no-codec", test_no_codec);
  g_test_add_func ("/offer-answer/ptime", test_ptime);
  g_test_add_func ("/offer-answer/least-ptime", test_least_ptime);
  g_test_add_func ("/offer-answer/rtcp", test_rtcp);
  g_test_add_func ("/offer-answer/feedback", test_feedback);
  g_test_add_func ("/offer-answer/direction/table", test_direction_table);
  g_test_add_func ("/offer-answer/direction/greedy", test_greedy_answer);
  g_test_add_func ("/offer-answer/direction/old-hold", test_old_hold);
  g_test_add_func ("/offer-answer/direction/hold-and-resume", test_hold_and_resume);
  g_test_add_func ("/offer-answer/refused", test_refused);
  g_test_add_func ("/offer-answer/keys/policies", test_policies);
  g_test_add_func ("/offer-answer/keys/strongest", test_strongest);
  g_test_add_func ("/offer-answer/keys/bad-answers", test_bad_answers);
  g_test_add_func ("/offer-answer/reoffer/same", test_reoffer_same);
  g_test_add_func ("/offer-answer/reoffer/new-keys", test_new_keys);
  g_test_add_func ("/offer-answer/reoffer/suites", test_reoffer_suites);
  g_test_add_func ("/offer-answer/reoffer/profile", test_reoffer_profile);
  return g_test_run ();
}
