/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The examples of RFC 3264, RFC 4317 and RFC 4568 as far as they are about audio, and texts in the manner of deployed peers. */

#include "sdp-kit.h"

#include <string.h>

/* ---- RFC 3264 section 10 ---- */

static void
test_rfc3264 (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 49920, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaPlan) plan = NULL, held = NULL;
  g_autofree char *answer = NULL, *lines = NULL, *again = NULL, *again_lines = NULL;

  answer = kit_answer (sdp, &caps,
      "v=0\r\no=alice 2890844526 2890844526 IN IP4 host.anywhere.com\r\ns=\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n"
      "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
      "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n", NULL, &plan);
  lines = kit_media_lines (answer);
  g_assert_cmpstr (lines, ==, "m=audio 49920 RTP/AVP 0\nm=video 0 RTP/AVP 31\nm=video 0 RTP/AVP 32\n");
  g_assert_cmpint (plan->send.id, ==, PHONE_CODEC_PCMU);
  g_assert_cmpuint (plan->remote_port, ==, 49170);

  /* Bob moves the audio port and adds a stream for telephone events. */
  again = kit_answer (sdp, &caps,
      "v=0\r\no=alice 2890844526 2890844527 IN IP4 host.anywhere.com\r\ns=\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n"
      "m=audio 65422 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 0 RTP/AVP 31\r\n"
      "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n"
      "m=audio 51434 RTP/AVP 110\r\na=rtpmap:110 telephone-event/8000\r\na=recvonly\r\n", NULL, &held);
  again_lines = kit_media_lines (again);
  g_assert_cmpstr (again_lines, ==, "m=audio 49920 RTP/AVP 0\nm=video 0 RTP/AVP 31\nm=video 0 RTP/AVP 32\nm=audio 0 RTP/AVP 110\n");
  g_assert_cmpuint (held->remote_port, ==, 65422);
}

/* RFC 3264 section 10.2: one of N codecs. */
static void
test_rfc3264_codecs (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 49920, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaPlan) plan = NULL, one = NULL;
  g_autofree char *answer = kit_answer (sdp, &caps, HEAD "m=audio 62986 RTP/AVP 0 4 18\r\na=rtpmap:0 PCMU/8000\r\n"
                                         "a=rtpmap:4 G723/8000\r\na=rtpmap:18 G729/8000\r\na=inactive\r\n", NULL, &plan);
  g_autofree char *again = kit_answer (sdp, &caps, HEAD "m=audio 62986 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", NULL, &one);

  kit_expect (answer, "m=audio 49920 RTP/AVP 0\r\n");
  kit_expect (answer, "a=inactive\r\n");
  g_assert_cmpint (plan->direction, ==, PHONE_DIRECTION_INACTIVE);
  kit_expect (again, "a=sendrecv\r\n");
  g_assert_cmpint (one->direction, ==, PHONE_DIRECTION_SENDRECV);
}

/* ---- RFC 4317 ---- */

/* The sections with audio, with addresses in place of the host names (c= takes no others here) and G.722 in place of iLBC under its
 * dynamic numbers. Video and second audio streams, which the RFC's parties accept, are refused by us. 5.1, an offer without any
 * stream, is an error. We are Bob where Alice offers first and the answer is of interest, else Alice. */

static KitSide
make_side (guint16 port, guint n, PhoneCodecId first, PhoneCodecId second)
{
  KitSide side = { .sdp = ua_sdp_new (), .caps = kit_caps ("192.0.2.1", port, PHONE_SRTP_OFF) };

  side.caps.n_codecs = n;
  side.caps.codecs[0] = first;
  side.caps.codecs[1] = second;
  return side;
}

static char *
party_text (const char *party, guint version, const char *address, const char *media)
{
  return g_strdup_printf ("v=0\r\no=%s 2890844526 %u IN IP4 host.example.com\r\ns= \r\nc=IN IP4 %s\r\nt=0 0\r\n%s", party,
                          2890844526u + version, address, media);
}

/* They offer, we answer; m-lines of the answer, and its text through ret_text if that is not NULL. */
static void
they_offer (KitSide *us, guint version, const char *address, const char *media, const char *lines, char **ret_text)
{
  g_autofree char *offer = party_text ("peer", version, address, media);
  g_autoptr (PhoneMediaDesc) theirs = NULL;
  g_autoptr (GError) error = NULL;
  PhoneMediaPlan *plan;
  PhoneMediaDesc *ours;
  g_autofree char *text = NULL, *seen = NULL;

  ua_sdp_set_policy (us->sdp, us->caps.codecs, us->caps.n_codecs, us->caps.srtp, us->caps.sdes_allowed, us->caps.keying);
  theirs = kit_read_with (us->sdp, offer);
  ours = phone_answer_create (&us->caps, theirs, us->local, &plan, &error);
  g_assert_no_error (error);
  kit_side_set (us, ours, plan);
  text = ua_sdp_write_answer (us->sdp, ours);
  seen = kit_media_lines (text);
  g_assert_cmpstr (seen, ==, lines);
  if (ret_text != NULL)
    *ret_text = g_steal_pointer (&text);
}

static void
we_offer (KitSide *us, const char *lines, guint version, const char *address, const char *media)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *ours = phone_offer_create (&us->caps, us->local, FALSE, &error);
  g_autofree char *text = ua_sdp_write_offer (us->sdp, ours), *seen = kit_media_lines (text);
  g_autofree char *answer = party_text ("peer", version, address, media);
  g_autoptr (PhoneMediaDesc) theirs = kit_read_with (us->sdp, answer);

  g_assert_cmpstr (seen, ==, lines);
  kit_side_set (us, ours, phone_offer_complete (&us->caps, ours, theirs, &error));
  g_assert_no_error (error);
}

#define ALICE "192.0.2.101"
#define BOB "192.0.2.201"
#define VIDEO "m=video 51372 RTP/AVP 31 32\r\na=rtpmap:31 H261/90000\r\na=rtpmap:32 MPV/90000\r\n"
#define THREE "m=audio 49170 RTP/AVP 0 8 97\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:97 G722/8000\r\n"
#define TWO "m=audio 49170 RTP/AVP 0 97\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:97 G722/8000\r\n"
#define TONES "m=audio 49172 RTP/AVP 98\r\na=rtpmap:98 telephone-event/8000\r\na=sendonly\r\n"

static void
test_rfc4317_selection (void)
{
  KitSide bob = make_side (49174, 1, PHONE_CODEC_PCMU, 0);
  char *first, *second;
  guint64 id;

  they_offer (&bob, 0, ALICE, THREE VIDEO, "m=audio 49174 RTP/AVP 0\nm=video 0 RTP/AVP 31\n", NULL);            /* 2.1 */
  g_assert_cmpint (bob.plan->send.id, ==, PHONE_CODEC_PCMU);
  kit_side_clear (&bob);

  bob = make_side (49172, 2, PHONE_CODEC_PCMU, PHONE_CODEC_PCMA);
  they_offer (&bob, 0, ALICE, THREE VIDEO, "m=audio 49172 RTP/AVP 0 8\nm=video 0 RTP/AVP 31\n", &first);        /* 2.2 */
  g_assert_cmpuint (bob.plan->n_receive, ==, 2);
  they_offer (&bob, 1, ALICE, "m=audio 51372 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 0 RTP/AVP 31\r\n",
              "m=audio 49172 RTP/AVP 0\nm=video 0 RTP/AVP 31\n", &second);
  g_assert_cmpuint (bob.plan->remote_port, ==, 51372);
  g_assert_cmpuint (kit_version (second, &id), ==, kit_version (first, &id) + 1);
  kit_side_clear (&bob);
  g_free (first);
  g_free (second);

  bob = make_side (49172, 1, PHONE_CODEC_G722, 0);
  they_offer (&bob, 0, ALICE, TWO TONES, "m=audio 49172 RTP/AVP 97\nm=audio 0 RTP/AVP 98\n", NULL);             /* 2.4 */
  kit_side_clear (&bob);

  bob = make_side (49170, 1, PHONE_CODEC_G722, 0);
  they_offer (&bob, 0, ALICE, "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=audio 51372 RTP/AVP 97 101\r\n"
              "a=rtpmap:97 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
              "m=audio 0 RTP/AVP 0\nm=audio 49170 RTP/AVP 97 101\n", NULL);                                     /* 2.6 */
  g_assert_cmpuint (bob.plan->remote_port, ==, 51372);
  g_assert_cmpint (bob.plan->send_dtmf, ==, 101);
  kit_side_clear (&bob);

  bob = make_side (49172, 1, PHONE_CODEC_G722, 0);
  they_offer (&bob, 0, ALICE, "m=audio 49170 RTP/AVP 99\r\na=rtpmap:99 G722/8000\r\nm=video 51372 RTP/AVP 31\r\n",
              "m=audio 49172 RTP/AVP 99\nm=video 0 RTP/AVP 31\n", &first);                                      /* 2.7 */
  they_offer (&bob, 1, ALICE, "m=audio 49170 RTP/AVP 99\r\na=rtpmap:99 G722/8000\r\nm=video 51372 RTP/AVP 31 32\r\n",
              "m=audio 49172 RTP/AVP 99\nm=video 0 RTP/AVP 31\n", &second);
  g_assert_cmpstr (first, ==, second);          /* for us nothing changed */
  kit_side_clear (&bob);
  g_free (first);
  g_free (second);
}

#define OURS "m=audio 49170 RTP/AVP 0 9 101\n"

static void
test_rfc4317_completion (void)
{
  KitSide alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);

  we_offer (&alice, OURS, 0, BOB, "m=audio 49172 RTP/AVP 99\r\na=rtpmap:99 G722/8000\r\n");                     /* 2.3 */
  g_assert_cmpint (alice.plan->send.id, ==, PHONE_CODEC_G722);
  g_assert_cmpuint (alice.plan->send.payload_type, ==, 99);
  g_assert_cmpuint (alice.plan->receive[0].payload_type, ==, 9);
  kit_side_clear (&alice);

  alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  we_offer (&alice, OURS, 0, BOB, "m=audio 49174 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n");                     /* 2.5 */
  they_offer (&alice, 1, "192.0.2.202", "m=audio 49178 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n", "m=audio 49170 RTP/AVP 97\n", NULL);
  g_assert_cmpstr (alice.plan->remote_address, ==, "192.0.2.202");
  g_assert_cmpuint (alice.plan->remote_port, ==, 49178);
  kit_side_clear (&alice);

  alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  we_offer (&alice, OURS, 0, BOB, "m=audio 49174 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 49172 RTP/AVP 32\r\n"
            "c=IN IP4 otherhost.biloxi.example.com\r\na=rtpmap:32 MPV/90000\r\n");                              /* 2.8 */
  g_assert_cmpstr (alice.plan->remote_address, ==, BOB);
  kit_side_clear (&alice);
}

static void
test_rfc4317_hold (void)
{
  KitSide alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  KitSide bob = make_side (49172, 1, PHONE_CODEC_G722, 0);
  char *text;

  we_offer (&alice, OURS, 0, BOB, "m=audio 49172 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\na=sendonly\r\n");       /* 3.1 */
  g_assert_cmpint (alice.plan->direction, ==, PHONE_DIRECTION_RECVONLY);
  g_assert_true (alice.plan->remote_hold);
  they_offer (&alice, 1, BOB, "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n", "m=audio 49170 RTP/AVP 97\n", &text);
  kit_expect (text, "a=sendrecv\r\n");
  g_free (text);
  g_assert_cmpint (alice.plan->direction, ==, PHONE_DIRECTION_SENDRECV);
  g_assert_false (alice.plan->remote_hold);
  kit_side_clear (&alice);

  /* 3.2: its last answer leaves out the direction that RFC 3264 asks for; we listen no more for that. */
  they_offer (&bob, 0, ALICE, TWO TONES, "m=audio 49172 RTP/AVP 97\nm=audio 0 RTP/AVP 98\n", NULL);
  bob.caps.direction = PHONE_DIRECTION_SENDONLY;
  we_offer (&bob, "m=audio 49172 RTP/AVP 97 101\nm=audio 0 RTP/AVP 98\n", 1, ALICE, TWO TONES);
  g_assert_cmpint (bob.plan->direction, ==, PHONE_DIRECTION_SENDONLY);
  g_assert_false (bob.plan->remote_hold);
  kit_side_clear (&bob);
}

static void
test_rfc4317_streams (void)
{
  KitSide alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  KitSide bob = make_side (49172, 1, PHONE_CODEC_PCMU, 0);

  we_offer (&alice, OURS, 0, BOB, "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n");                     /* 4.1 */
  they_offer (&alice, 1, BOB, "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\nm=audio 48282 RTP/AVP 98\r\n"
              "c=IN IP4 mediaserver.biloxi.example.com\r\na=rtpmap:98 telephone-event/8000\r\na=recvonly\r\n",
              "m=audio 49170 RTP/AVP 97\nm=audio 0 RTP/AVP 98\n", NULL);
  kit_side_clear (&alice);

  they_offer (&bob, 0, ALICE, "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", "m=audio 49172 RTP/AVP 0\n", NULL);
  they_offer (&bob, 1, ALICE, "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 49172 RTP/AVP 31\r\n",
              "m=audio 49172 RTP/AVP 0\nm=video 0 RTP/AVP 31\n", NULL);                                         /* 4.2 */
  kit_side_clear (&bob);

  bob = make_side (49174, 1, PHONE_CODEC_G722, 0);
  they_offer (&bob, 0, ALICE, "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n" VIDEO,
              "m=audio 49174 RTP/AVP 97\nm=video 0 RTP/AVP 31\n", NULL);                                        /* 4.3 */
  we_offer (&bob, "m=audio 49174 RTP/AVP 97 101\nm=video 0 RTP/AVP 31\n", 1, ALICE,
            "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\nm=video 0 RTP/AVP 31\r\n");
  kit_side_clear (&bob);
}

/* The "black hole" address of third party call control. */
static void
test_rfc4317_black_hole (void)
{
  KitSide bob = make_side (49170, 1, PHONE_CODEC_G722, 0);
  KitSide alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  static const char media[] = "m=audio 23442 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n";

  they_offer (&bob, 0, "0.0.0.0", media, "m=audio 49170 RTP/AVP 97\n", NULL);                                   /* 5.2 */
  g_assert_cmpint (bob.plan->direction, ==, PHONE_DIRECTION_RECVONLY);
  g_assert_true (bob.plan->remote_hold);
  they_offer (&bob, 1, ALICE, media, "m=audio 49170 RTP/AVP 97\n", NULL);
  g_assert_cmpint (bob.plan->direction, ==, PHONE_DIRECTION_SENDRECV);
  kit_side_clear (&bob);

  we_offer (&alice, OURS, 0, "0.0.0.0", media);                                                                 /* 5.3 */
  g_assert_cmpint (alice.plan->direction, ==, PHONE_DIRECTION_RECVONLY);
  they_offer (&alice, 1, BOB, media, "m=audio 49170 RTP/AVP 97\n", NULL);
  g_assert_cmpint (alice.plan->direction, ==, PHONE_DIRECTION_SENDRECV);
  kit_side_clear (&alice);
}

/* ---- RFC 4568 ---- */

#define RFC_OFFERED "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define RFC_ANSWERED "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"

static void
test_rfc4568 (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 32640, PHONE_SRTP_REQUIRED);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (PhoneMediaDesc) desc = NULL, answered = NULL;
  g_autofree char *answer = NULL;

  desc = kit_read ("v=0\r\no=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=SDP Seminar\r\n"
                    "i=A Seminar on the session description protocol\r\nu=http://www.example.com/seminars/sdp.pdf\r\n"
                    "e=j.doe@example.com (Jane Doe)\r\nc=IN IP4 161.44.17.12/127\r\nt=2873397496 2873404696\r\n"
                    "m=video 51372 RTP/SAVP 31\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^20|1:32\r\n"
                    "m=audio 49170 RTP/SAVP 0\r\nc=IN IP4 161.44.17.12\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 " OTHER30 "|2^20|1:32\r\n"
                    "m=application 32416 udp wb\r\na=orient:portrait\r\n");
  g_assert_cmpint (desc->profile, ==, PHONE_PROFILE_SAVP);
  g_assert_cmpuint (desc->n_cryptos, ==, 1);
  g_assert_cmpint (desc->cryptos[0].suite, ==, PHONE_SRTP_AES_CM_128_HMAC_SHA1_32);
  g_assert_cmpuint (desc->cryptos[0].mki_length, ==, 32);

  /* Two lines, one with a suite that we do not have and two keys; the answer has the other's tag and a key of ours. */
  answer = kit_answer (sdp, &caps,
      "v=0\r\no=sam 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=SRTP Discussion\r\ni=A discussion of Secure RTP\r\n"
      "u=http://www.example.com/seminars/srtp.pdf\r\ne=marge@example.com (Marge Simpson)\r\nc=IN IP4 168.2.17.12\r\n"
      "t=2873397496 2873404696\r\nm=audio 49170 RTP/SAVP 0\r\n"
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " RFC_OFFERED "|2^20|1:4 FEC_ORDER=FEC_SRTP\r\n"
      "a=crypto:2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;"
      "inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP\r\n", NULL, &plan);
  kit_expect (answer, "m=audio 32640 RTP/SAVP 0\r\n");
  kit_expect (answer, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:");
  kit_expect_not (answer, RFC_OFFERED);
  kit_expect_not (answer, "a=crypto:2");
  g_assert_true (plan->encrypted);
  g_assert_cmpuint (plan->receive_key.lifetime, ==, 1 << 20);
  g_assert_cmpuint (plan->receive_key.mki_length, ==, 4);
  g_assert_cmpuint (plan->receive_key.mki, ==, 1);
  g_assert_cmpuint (plan->send_key.mki_length, ==, 0);

  answered = kit_read ("v=0\r\no=jill 25690844 8070842634 IN IP4 10.47.16.5\r\ns=SRTP Discussion\r\nc=IN IP4 168.2.17.11\r\n"
                        "t=2873397526 2873405696\r\nm=audio 32640 RTP/SAVP 0\r\n"
                        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " RFC_ANSWERED "|2^20|1:4\r\n");
  g_assert_cmpuint (answered->n_cryptos, ==, 1);
}

/* ---- in the manner of deployed peers ---- */

static const char asterisk[] =
    "v=0\r\no=- 1404567890 1404567890 IN IP4 198.51.100.7\r\ns=Asterisk\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"
    "m=audio 17318 RTP/SAVP 107 9 8 0 101\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\na=rtpmap:107 opus/48000/2\r\n"
    "a=fmtp:107 useinbandfec=1\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:60\r\na=sendrecv\r\n";

static const char freeswitch[] =
    "v=0\r\no=FreeSWITCH 1700000001 1700000002 IN IP4 198.51.100.8\r\ns=FreeSWITCH\r\nc=IN IP4 198.51.100.8\r\nt=0 0\r\n"
    "m=audio 24680 RTP/SAVP 102 9 0 8 103 101\r\na=rtpmap:102 opus/48000/2\r\n"
    "a=fmtp:102 useinbandfec=1; maxaveragebitrate=30000; maxplaybackrate=48000; ptime=20; minptime=10; maxptime=40\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:103 telephone-event/48000\r\n"
    "a=fmtp:103 0-16\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    "a=crypto:1 AEAD_AES_256_GCM_8 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXI=\r\n"
    "a=crypto:2 AEAD_AES_256_GCM " KEY44 "\r\na=crypto:3 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\na=ptime:20\r\n"
    "a=rtcp-mux\r\na=rtcp:24680 IN IP4 198.51.100.8\r\n";

static const char rtpengine[] =
    "v=0\r\no=- 3891234567 3891234568 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\n"
    "m=audio 30012 RTP/SAVPF 96 8 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=sendrecv\r\na=rtcp:30013\r\na=rtcp-mux\r\na=crypto:1 AES_256_CM_HMAC_SHA1_80 "
    "inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdA==\r\n"
    "a=crypto:2 AES_192_CM_HMAC_SHA1_80 inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2w=\r\n"
    "a=crypto:3 AES_CM_128_HMAC_SHA1_80 " KEY30 " UNENCRYPTED_SRTCP\r\na=setup:actpass\r\na=fingerprint:sha-256 00:11\r\n"
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=candidate:1 1 UDP 2130706431 198.51.100.9 30012 typ host\r\n";

static const char linphone[] =
    "v=0\r\no=anna 1234 2345 IN IP4 192.0.2.44\r\ns=Talk\r\nc=IN IP4 192.0.2.44\r\nt=0 0\r\na=rtcp-xr:rcvr-rtt=all:10000 "
    "stat-summary=loss,dup,jitt,TTL voip-metrics\r\na=record:off\r\nm=audio 7078 RTP/SAVP 96 97 98 0 8 101 99 100\r\n"
    "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:97 speex/16000\r\na=fmtp:97 vbr=on\r\n"
    "a=rtpmap:98 speex/8000\r\na=fmtp:98 vbr=on\r\na=rtpmap:101 telephone-event/48000\r\na=rtpmap:99 telephone-event/16000\r\n"
    "a=rtpmap:100 telephone-event/8000\r\na=rtcp:7079\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n"
    "a=crypto:2 AES_CM_128_HMAC_SHA1_32 " OTHER30 "\r\na=rtcp-fb:* trr-int 1000\r\na=rtcp-fb:* ccm tmmbr\r\n"
    "m=video 0 RTP/AVPF 96\r\n";

static const char baresip[] =
    "v=0\r\no=- 1511929291 387654321 IN IP4 192.0.2.55\r\ns=-\r\nc=IN IP4 192.0.2.55\r\nt=0 0\r\na=tool:baresip 1.0.0\r\n"
    "m=audio 16384 RTP/SAVP 96 8 0 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 stereo=1;sprop-stereo=1;maxaveragebitrate=28000\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:16385\r\n"
    "a=sendrecv\r\na=label:1\r\na=rtcp-rsize\r\na=ssrc:12345 cname:sip:x@y\r\na=ptime:20\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n";

static const char cisco[] =
    "v=0\r\no=Cisco-SIPUA 12345 0 IN IP4 10.1.2.3\r\ns=SIP Call\r\nb=AS:4064\r\nt=0 0\r\nm=audio 20482 RTP/AVP 9 0 8 116 18 101\r\n"
    "c=IN IP4 10.1.2.3\r\nb=TIAS:64000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:116 iLBC/8000\r\na=fmtp:116 mode=20\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=fmtp:101 0-15\r\na=trafficclass:conversational.audio.aq:admitted\r\na=sendrecv\r\n";

static const char chrome[] =
    "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\na=fingerprint:sha-256 "
    "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\na=setup:actpass\r\na=mid:0\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\na=msid:- 1\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\na=rtpmap:110 telephone-event/48000\r\n"
    "a=rtpmap:126 telephone-event/8000\r\na=ssrc:1 cname:c\r\n";

static const char best_effort[] =
    "v=0\r\no=- 20518 0 IN IP4 203.0.113.1\r\ns=provider\r\nc=IN IP4 203.0.113.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\na=ptime:20\r\n";

static void
test_peers (void)
{
  static const struct
  {
    const char *text, *m_line, *crypto;
    PhoneCodecId codec;
    guint payload_type;
    int dtmf;
    guint dtmf_rate, rtcp_port, bitrate;
  } cases[] = {
    { asterisk, "m=audio 5000 RTP/SAVP 107 9 8 0 101\r\n", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", PHONE_CODEC_OPUS, 107,
      101, 8000, 17319, 0 },
    { freeswitch, "m=audio 5000 RTP/SAVP 102 9 8 0 103 101\r\n", "a=crypto:2 AEAD_AES_256_GCM inline:", PHONE_CODEC_OPUS, 102,
      103, 48000, 24680, 30000 },
    { rtpengine, "m=audio 5000 RTP/SAVPF 96 8 101\r\n", "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:", PHONE_CODEC_OPUS, 96,
      101, 8000, 30012, 0 },
    { linphone, "m=audio 5000 RTP/SAVP 96 8 0 101 100\r\n", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", PHONE_CODEC_OPUS, 96,
      101, 48000, 7079, 0 },
    { baresip, "m=audio 5000 RTP/SAVP 96 8 0 101\r\n", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", PHONE_CODEC_OPUS, 96,
      101, 8000, 16385, 28000 },
    { cisco, "m=audio 5000 RTP/AVP 9 8 0 101\r\n", NULL, PHONE_CODEC_G722, 9, 101, 8000, 20483, 0 },
    { best_effort, "m=audio 5000 RTP/AVP 8 0 101\r\n", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", PHONE_CODEC_PCMA, 8,
      101, 8000, 30001, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (UaSdp) sdp = ua_sdp_new ();
      PhoneMediaCaps caps = kit_caps ("192.0.2.1", 5000, PHONE_SRTP_PREFERRED);
      g_autoptr (PhoneMediaPlan) plan = NULL;
      g_autofree char *answer = kit_answer (sdp, &caps, cases[i].text, NULL, &plan);

      kit_expect (answer, cases[i].m_line);
      if (cases[i].crypto != NULL)
        kit_expect (answer, cases[i].crypto);
      g_assert_cmpint (plan->encrypted, ==, cases[i].crypto != NULL);
      g_assert_cmpint (plan->send.id, ==, cases[i].codec);
      g_assert_cmpuint (plan->send.payload_type, ==, cases[i].payload_type);
      g_assert_cmpuint (plan->send.max_average_bitrate, ==, cases[i].bitrate);
      g_assert_cmpint (plan->send_dtmf, ==, cases[i].dtmf);
      g_assert_cmpuint (plan->send_dtmf_rate, ==, cases[i].dtmf_rate);
      g_assert_cmpuint (plan->remote_rtcp_port, ==, cases[i].rtcp_port);
      g_assert_cmpint (plan->direction, ==, PHONE_DIRECTION_SENDRECV);
      g_assert_cmpuint (plan->ptime, ==, 20);
    }
}

static void
test_chrome (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  g_autoptr (PhoneMediaDesc) desc = kit_read (chrome);
  PhoneMediaCaps caps = kit_caps ("192.0.2.1", 5000, PHONE_SRTP_REQUIRED);
  PhoneDtlsDesc ours = { .n_fingerprints = 1, .fingerprints = { { .hash = PHONE_HASH_SHA256, .octets = { 0xab, 0xcd } } },
                         .tls_id = "abcdefghijklmnopqrst" };
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = NULL;

  g_assert_cmpint (desc->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  g_assert_cmpuint (desc->n_codecs, ==, 4);
  g_assert_null (phone_answer_create (&caps, desc, NULL, &plan, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  kit_expect (error->message, "this call cannot do DTLS");

  caps.dtls = &ours;
  answer = kit_answer (sdp, &caps, chrome, NULL, &plan);
  kit_expect (answer, "a=group:BUNDLE 0\r\n");
  kit_expect (answer, "m=audio 5000 UDP/TLS/RTP/SAVPF 111 9 8 0 63 110 126\r\na=mid:0\r\n");
  kit_expect (answer, "a=setup:active\r\na=fingerprint:sha-256 AB:CD:00:");
  kit_expect (answer, "a=rtcp-mux\r\n");
  kit_expect_not (answer, "a=tls-id");  /* it has none itself */
  kit_expect_not (answer, "a=crypto");
  g_assert_true (plan->encrypted && plan->dtls && plan->handshake.client && plan->rtcp_mux);
  g_assert_cmpuint (plan->handshake.association, ==, 1);
  g_assert_cmpuint (plan->handshake.n_fingerprints, ==, 1);
  g_assert_cmpuint (plan->handshake.fingerprints[0].octets[31], ==, 31);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/rfc3264/streams", test_rfc3264);
  g_test_add_func ("/sdp/rfc3264/codecs", test_rfc3264_codecs);
  g_test_add_func ("/sdp/rfc4317/selection", test_rfc4317_selection);
  g_test_add_func ("/sdp/rfc4317/completion", test_rfc4317_completion);
  g_test_add_func ("/sdp/rfc4317/hold", test_rfc4317_hold);
  g_test_add_func ("/sdp/rfc4317/streams", test_rfc4317_streams);
  g_test_add_func ("/sdp/rfc4317/black-hole", test_rfc4317_black_hole);
  g_test_add_func ("/sdp/rfc4568", test_rfc4568);
  g_test_add_func ("/sdp/peers", test_peers);
  g_test_add_func ("/sdp/chrome", test_chrome);
  return g_test_run ();
}
