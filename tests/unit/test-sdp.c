/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a dialog remembers between two texts: which m-line is ours, the others, o=, and what a refused offer leaves. */

#include "sdp-kit.h"

#include <string.h>

/* ---- which m-line ---- */

static void
test_choice (void)
{
  static const struct { const char *media; guint port, n_cryptos; } cases[] = {
    /* port 0, unknown codec, a name as address, DTLS, no key: each passed over for one that works */
    { "m=audio 0 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 8\r\n", 4002, 0 },
    { "m=audio 4000 RTP/AVP 18\r\nm=audio 4002 RTP/AVP 8\r\n", 4002, 0 },
    { "m=audio 4000 RTP/AVP 8\r\nc=IN IP4 h.example\r\nm=audio 4002 RTP/AVP 8\r\n", 4002, 0 },
    { "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\nm=audio 4002 RTP/AVP 8\r\n", 4002, 0 },
    { "m=audio 4000 RTP/SAVP 8\r\nm=audio 4002 RTP/AVP 8\r\n", 4002, 0 },
    { "m=audio 4000 RTP/FOO 8\r\nm=audio 4002 RTP/AVP 8\r\n", 4002, 0 },
    { "m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\nm=audio 4002 RTP/AVP 8\r\n", 4000, 1 },
    { "m=video 4000 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 8\r\nm=audio 4004 RTP/AVP 8\r\n", 4002, 0 },
    /* nothing works: what is open, so that the negotiation can say why */
    { "m=audio 0 RTP/AVP 8\r\nm=audio 4002 RTP/AVP 18\r\nm=audio 4004 UDP/TLS/RTP/SAVPF 8\r\n", 4002, 0 },
    { "m=audio 0 RTP/FOO 8\r\n", 0, 0 },
    { "m=AUDIO 4000 rtp/avp 8\r\n", 4000, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat (HEAD, cases[i].media, NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpuint (desc->port, ==, cases[i].port);
      g_assert_cmpuint (desc->n_cryptos, ==, cases[i].n_cryptos);
    }
}

/* One line with RTP/AVP and one with RTP/SAVP, in either order: the policy decides. */
static void
test_choice_by_policy (void)
{
#define CLEAR "m=audio 4000 RTP/AVP 8\r\n"
#define KEYED "m=audio 4002 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n"
#define BOTH "m=audio 4004 RTP/AVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n"
#define OPUS "m=audio 4006 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"
  static const struct { const char *media; PhoneSrtpPolicy srtp; gboolean sdes; guint port; } cases[] = {
    { CLEAR KEYED, PHONE_SRTP_REQUIRED, TRUE, 4002 }, { KEYED CLEAR, PHONE_SRTP_REQUIRED, TRUE, 4002 },
    { CLEAR KEYED, PHONE_SRTP_PREFERRED, TRUE, 4002 }, { KEYED CLEAR, PHONE_SRTP_PREFERRED, TRUE, 4002 },
    { CLEAR KEYED, PHONE_SRTP_PREFERRED, FALSE, 4000 }, { KEYED CLEAR, PHONE_SRTP_PREFERRED, FALSE, 4000 },
    { CLEAR KEYED, PHONE_SRTP_OFF, TRUE, 4000 }, { KEYED CLEAR, PHONE_SRTP_OFF, TRUE, 4000 },
    { CLEAR BOTH KEYED, PHONE_SRTP_PREFERRED, TRUE, 4004 }, { CLEAR BOTH, PHONE_SRTP_REQUIRED, TRUE, 4000 },
    { OPUS CLEAR, PHONE_SRTP_OFF, TRUE, 4000 }, { CLEAR OPUS, PHONE_SRTP_OFF, TRUE, 4000 }, { OPUS, PHONE_SRTP_OFF, TRUE, 4006 },
  };
  static const PhoneCodecId codecs[] = { PHONE_CODEC_PCMA, PHONE_CODEC_G722 };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (UaSdp) sdp = ua_sdp_new ();
      g_autofree char *text = g_strconcat (HEAD, cases[i].media, NULL);
      g_autoptr (PhoneMediaDesc) desc = NULL;

      ua_sdp_set_policy (sdp, codecs, G_N_ELEMENTS (codecs), cases[i].srtp, cases[i].sdes, PHONE_KEYING_ANY);
      desc = kit_read_with (sdp, text);
      g_assert_cmpuint (desc->port, ==, cases[i].port);
    }
}

/* The stream in use is kept as long as it works, whatever comes before it. */
static void
test_favourite (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
  g_autofree char *first = kit_answer (sdp, &caps, HEAD "m=audio 0 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 8\r\n", NULL, NULL);
  g_autofree char *second = kit_answer (sdp, &caps, HEAD "m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 8\r\n", NULL, NULL);
  g_autofree char *third = kit_answer (sdp, &caps, HEAD "m=audio 4000 RTP/AVP 0\r\nm=audio 0 RTP/AVP 8\r\n", NULL, NULL);

  kit_expect (first, "m=audio 0 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 8\r\n");
  kit_expect (second, "m=audio 0 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 8\r\n");
  kit_expect (third, "m=audio 5000 RTP/AVP 0\r\n");
  g_assert_true (g_str_has_suffix (third, "m=audio 0 RTP/AVP 8\r\n"));
}

/* ---- what stays from text to text ---- */

static void
test_origin (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new (), other = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 5000, PHONE_SRTP_REQUIRED);
  g_autoptr (PhoneMediaDesc) offer = phone_offer_create (&caps, NULL, FALSE, NULL);
  g_autofree char *first = ua_sdp_write_offer (sdp, offer), *again = ua_sdp_write_offer (sdp, offer);
  g_autofree char *held = NULL, *moved = NULL, *elsewhere = ua_sdp_write_offer (other, offer);
  guint64 id, version, id2, other_id;

  version = kit_version (first, &id);
  g_assert_cmpuint (id, >, 0);
  g_assert_cmpstr (first, ==, again);
  kit_version (elsewhere, &other_id);
  g_assert_cmpuint (id, !=, other_id);

  offer->direction = PHONE_DIRECTION_SENDONLY;
  held = ua_sdp_write_offer (sdp, offer);
  g_assert_cmpuint (kit_version (held, &id2), ==, version + 1);
  g_assert_cmpuint (id2, ==, id);

  /* The address in o= is part of the session's name and stays. */
  g_free (offer->address);
  offer->address = g_strdup ("2001:db8::7");
  moved = ua_sdp_write_offer (sdp, offer);
  g_assert_cmpuint (kit_version (moved, &id2), ==, version + 2);
  kit_expect (moved, "c=IN IP6 2001:db8::7\r\n");
}

static void
test_written_offer (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("2001:db8::1", 5000, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaDesc) offer = NULL;
  g_autofree char *text = NULL;

  caps.opus_max_bitrate = 32000;
  caps.rtcp_port = 5007;
  offer = phone_offer_create (&caps, NULL, FALSE, NULL);
  text = ua_sdp_write_offer (sdp, offer);
  g_assert_cmpstr (strstr (text, "s=-"), ==,
                   "s=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 96 9 8 0 103 102 101\r\n"
                   "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 maxaveragebitrate=32000;minptime=10;useinbandfec=1\r\n"
                   "a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
                   "a=rtpmap:103 red/48000/2\r\na=fmtp:103 96/96\r\n"
                   "a=rtpmap:102 telephone-event/48000\r\na=fmtp:102 0-16\r\n"
                   "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
                   "a=ptime:20\r\na=rtcp:5007\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtcp-fb:* ack ccfb\r\na=rtcp-xr:rcvr-rtt=all voip-metrics\r\na=sendrecv\r\n");
}

/* RFC 3264 section 6: as many m-lines as the offer, in its order; RFC 5888 mids and RFC 9143 groups. */
static void
test_layout (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autofree char *answer = kit_answer (sdp, &caps,
      "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\na=group:LS v0 d\r\na=group:BUNDLE v0 a1 d\r\n"
      "m=video 6000 RTP/AVPF 97 98\r\na=mid:v0\r\na=rtpmap:97 VP8/90000\r\nm=audio 4000 RTP/AVPF 8\r\na=mid:a1\r\na=rtcp-mux\r\n"
      "m=application 9 UDP/BFCP *\r\nm=image 7000 udptl t38\r\na=mid:d\r\nm=message 7000/2 TCP/MSRP\r\n", NULL, &plan);
  g_autofree char *lines = kit_media_lines (answer);
  g_autoptr (PhoneMediaDesc) offer = NULL;
  g_autofree char *offer_text = NULL, *offer_lines = NULL;

  g_assert_cmpstr (lines, ==, "m=video 0 RTP/AVPF 97\nm=audio 5000 RTP/AVPF 8\nm=application 0 UDP/BFCP *\nm=image 0 udptl t38\n"
                   "m=message 0 TCP/MSRP 0\n");
  kit_expect (answer, "a=group:BUNDLE a1\r\n");
  kit_expect (answer, "m=video 0 RTP/AVPF 97\r\na=mid:v0\r\nm=audio 5000 RTP/AVPF 8\r\na=mid:a1\r\n");
  kit_expect (answer, "t38\r\na=mid:d\r\n");
  kit_expect_not (answer, "LS");

  /* Our own offer later keeps them all. */
  offer = phone_offer_create (&caps, NULL, FALSE, NULL);
  offer_text = ua_sdp_write_offer (sdp, offer);
  offer_lines = kit_media_lines (offer_text);
  g_assert_cmpstr (offer_lines, ==, "m=video 0 RTP/AVPF 97\nm=audio 5000 RTP/AVP 96 9 8 0 103 102 101\nm=application 0 UDP/BFCP *\n"
                   "m=image 0 udptl t38\nm=message 0 TCP/MSRP 0\n");
  kit_expect (offer_text, "a=mid:a1\r\n");
}

/* The group is not repeated where bundling would not hold: other members, no multiplexing, refused. */
static void
test_bundle (void)
{
  static const struct { const char *group, *mux; gboolean want_mux, repeated; } cases[] = {
    { "BUNDLE 0 1", "a=rtcp-mux\r\n", TRUE, TRUE },
    { "bundle 1 0", "a=rtcp-mux\r\n", TRUE, TRUE },
    { "BUNDLE 1 2 00", "a=rtcp-mux\r\n", TRUE, FALSE },
    { "BUNDLE 0", "", TRUE, FALSE },
    { "BUNDLE 0", "a=rtcp-mux\r\n", FALSE, FALSE },
    { "LS 0 1", "a=rtcp-mux\r\n", TRUE, FALSE },
    { "BUNDLE", "a=rtcp-mux\r\n", TRUE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (UaSdp) sdp = ua_sdp_new ();
      PhoneMediaCaps caps = kit_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
      g_autofree char *offer = g_strconcat (HEAD "a=group:", cases[i].group, "\r\nm=audio 4000 RTP/AVP 8\r\na=mid:0\r\n",
                                            cases[i].mux, NULL);
      g_autofree char *answer = NULL;

      caps.rtcp_mux = cases[i].want_mux;
      answer = kit_answer (sdp, &caps, offer, NULL, NULL);
      kit_expect (answer, "a=mid:0\r\n");
      if (cases[i].repeated)
        kit_expect (answer, "a=group:BUNDLE 0\r\n");
      else
        kit_expect_not (answer, "a=group");
    }
}

/* An offer that we refuse with 488, or one that cannot be read, leaves nothing behind. */
static void
test_refused_offer (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
  g_autofree char *first = kit_answer (sdp, &caps, HEAD "m=audio 4000 RTP/AVP 8\r\n", NULL, NULL);
  g_autoptr (PhoneMediaDesc) refused = kit_read_with (sdp, HEAD "m=video 4000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 18\r\n");
  g_autoptr (PhoneMediaDesc) offer = phone_offer_create (&caps, NULL, FALSE, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *ours = ua_sdp_write_offer (sdp, offer);
  g_autofree char *lines = kit_media_lines (ours);
  PhoneMediaDesc *none;

  g_assert_cmpuint (refused->n_codecs, ==, 0);
  g_assert_cmpstr (lines, ==, "m=audio 5000 RTP/AVP 96 9 8 0 103 102 101\n");
  g_assert_false (ua_sdp_read (sdp, "v=0\r\n", 5, &none, &error));
  kit_expect (first, "m=audio 5000");
}

static void
test_refused_audio (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autofree char *answer = kit_answer (sdp, &caps, HEAD "a=group:BUNDLE a\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:a\r\n"
                                         "a=rtcp-mux\r\n", NULL, &plan);

  g_assert_true (plan->refused);
  g_assert_true (g_str_has_suffix (answer, "t=0 0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/choice/usable", test_choice);
  g_test_add_func ("/sdp/choice/policy", test_choice_by_policy);
  g_test_add_func ("/sdp/favourite", test_favourite);
  g_test_add_func ("/sdp/origin", test_origin);
  g_test_add_func ("/sdp/written-offer", test_written_offer);
  g_test_add_func ("/sdp/layout", test_layout);
  g_test_add_func ("/sdp/bundle", test_bundle);
  g_test_add_func ("/sdp/refused/offer", test_refused_offer);
  g_test_add_func ("/sdp/refused/audio", test_refused_audio);
  return g_test_run ();
}
