/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What peers with DTLS and ICE say beside the codecs: fingerprints, roles, candidates, feedback, header extensions. */

#include "sdp-kit.h"
#include "sip/sdp-audio.h"

#include <string.h>

#define HEX32 "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"
#define HEX20 "a0:a1:a2:a3:a4:a5:a6:a7:a8:a9:aa:ab:ac:ad:ae:af:b0:b1:b2:b3"
#define AUDIO "m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\n"
#define SECRETS "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n"

/* In the manner of Chromium: no address yet, and all that it sends along. */
static void
test_browser (void)
{
  g_autoptr (PhoneMediaDesc) desc = kit_read (
      "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\n"
      "a=msid-semantic: WMS\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
      "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\na=fingerprint:sha-256 " HEX32 "\r\n"
      "a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
      "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n"
      "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
      "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendrecv\r\na=msid:- 6b3ad9ee\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
      "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n"
      "a=fmtp:63 111/111\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n"
      "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:1466312543 cname:eZ3kU\r\n"
      "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:other\r\na=mid:1\r\na=rtcp-fb:96 nack pli\r\na=bundle-only\r\n");

  g_assert_cmpint (desc->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  g_assert_cmpint (desc->direction, ==, PHONE_DIRECTION_SENDRECV);
  g_assert_cmpint (phone_media_desc_stated_direction (desc), ==, PHONE_DIRECTION_SENDRECV);
  g_assert_true (phone_media_desc_has_ice (desc));
  g_assert_cmpstr (desc->ice.ufrag, ==, "EsAw");
  g_assert_cmpstr (desc->ice.pwd, ==, "P2uYro0UCOQ4zxjKXaWCBui1");
  g_assert_true (desc->ice.trickle && !desc->ice.ice2 && !desc->ice.lite && !desc->ice.end_of_candidates);
  g_assert_cmpuint (desc->ice.n_candidates, ==, 0);
  g_assert_cmpuint (desc->dtls.n_fingerprints, ==, 1);
  g_assert_cmpint (desc->dtls.fingerprints[0].hash, ==, PHONE_HASH_SHA256);
  for (guint i = 0; i < 32; i++)
    g_assert_cmpuint (desc->dtls.fingerprints[0].octets[i], ==, i);
  g_assert_true (desc->dtls.has_setup);
  g_assert_cmpint (desc->dtls.setup, ==, PHONE_SETUP_ACTPASS);
  g_assert_true (desc->rtcp_mux && !desc->rtcp_mux_only && desc->mixed_extensions);
  g_assert_cmpuint (desc->n_feedback, ==, 1);
  g_assert_cmpint (desc->feedback[0].type, ==, PHONE_FEEDBACK_TRANSPORT_CC);
  g_assert_cmpint (desc->feedback[0].payload_type, ==, 111);
  g_assert_cmpuint (desc->n_extensions, ==, 4);
  g_assert_cmpint (desc->extensions[3].type, ==, PHONE_EXTENSION_MID);
  g_assert_cmpuint (desc->extensions[3].id, ==, 4);
}

/* An address of 0.0.0.0 is hold only without ICE; half of the credentials are none. */
static void
test_nowhere (void)
{
  static const struct { const char *attributes; gboolean ice; } cases[] = {
    { SECRETS, TRUE }, { "", FALSE }, { "a=ice-ufrag:abcd\r\n", FALSE }, { "a=ice-pwd:abcdefghijklmnopqrstuv\r\n", FALSE },
    { "a=ice-ufrag:abc\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n", FALSE },       /* too short to be secret */
    { "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstu\r\n", FALSE },
    { "a=ice-ufrag:ab cd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat (HEAD AUDIO "c=IN IP4 0.0.0.0\r\na=candidate:1 1 UDP 5 192.0.2.1 4000 typ host\r\n",
                                           cases[i].attributes, NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpint (phone_media_desc_has_ice (desc), ==, cases[i].ice);
      g_assert_cmpuint (desc->ice.n_candidates, ==, cases[i].ice ? 1 : 0);
      g_assert_cmpint (phone_media_desc_stated_direction (desc), ==, cases[i].ice ? PHONE_DIRECTION_SENDRECV : PHONE_DIRECTION_SENDONLY);
    }
}

static void
test_candidates (void)
{
#define CANDIDATE(a, p, t, ...) { .foundation = "1", .component = 1, .priority = 5, .address = a, .port = p, .type = PHONE_CANDIDATE_##t, ##__VA_ARGS__ }
  static const struct { const char *text; PhoneCandidate candidate; } good[] = {
    { "1 1 UDP 5 192.0.2.1 4000 typ host", CANDIDATE ("192.0.2.1", 4000, HOST) },
    { "1 1 udp 5 2001:DB8:0::1 65535 TYP HOST", CANDIDATE ("2001:db8::1", 65535, HOST) },
    { " 1  1 UDP 5 192.0.2.1 1 typ srflx raddr 10.0.0.1 rport 9", CANDIDATE ("192.0.2.1", 1, SRFLX, .related_address = "10.0.0.1",
                                                                            .related_port = 9) },
    { "1 1 UDP 5 192.0.2.1 1 typ srflx raddr 0.0.0.0 rport 0", CANDIDATE ("192.0.2.1", 1, SRFLX, .related_address = "0.0.0.0") },
    { "1 1 UDP 5 192.0.2.1 1 typ prflx raddr hidden.local rport 9", CANDIDATE ("192.0.2.1", 1, PRFLX) },
    { "1 1 UDP 5 192.0.2.1 1 typ relay generation 0 ufrag x network-id 2 raddr ::1 rport 2 network-cost 10",
      CANDIDATE ("192.0.2.1", 1, RELAY, .related_address = "::1", .related_port = 2) },
    { "1 1 TCP 5 192.0.2.1 9 typ host tcptype active generation 0", CANDIDATE ("192.0.2.1", 9, HOST, .transport = PHONE_CANDIDATE_TCP_ACTIVE) },
    { "1 1 tcp 5 192.0.2.1 9 typ host tcptype so", CANDIDATE ("192.0.2.1", 9, HOST, .transport = PHONE_CANDIDATE_TCP_SO) },
    { "1 1 UDP 5 192.0.2.1 9 typ host tcptype so", CANDIDATE ("192.0.2.1", 9, HOST) },
  };
  static const char *const bad[] = {
    "", "1", "1 1 UDP 5 192.0.2.1 4000", "1 1 UDP 5 192.0.2.1 4000 type host", "1 1 UDP 5 192.0.2.1 4000 typ",
    "1 0 UDP 5 192.0.2.1 4000 typ host", "1 257 UDP 5 192.0.2.1 4000 typ host", "1 -1 UDP 5 192.0.2.1 4000 typ host",
    "1 1 SCTP 5 192.0.2.1 4000 typ host", "1 1 UDP 0 192.0.2.1 4000 typ host", "1 1 UDP 4294967296 192.0.2.1 4000 typ host",
    "1 1 UDP 5 192.0.2.1 0 typ host", "1 1 UDP 5 192.0.2.1 65536 typ host", "1 1 UDP 5 192.0.2.1 4000 typ guest",
    "1 1 UDP 5 6a1f5a3c-0d5e.local 4000 typ host", "1 1 UDP 5 192.0.2 4000 typ host", "1 1 UDP 5 fe80::1%eth0 4000 typ host",
    "1 1 UDP 5 0.0.0.0 4000 typ host", "1 1 UDP 5 255.255.255.255 4000 typ host", "1 1 UDP 5 224.0.0.1 4000 typ host",
    "1 1 UDP 5 :: 4000 typ host", "1 1 UDP 5 ff02::1 4000 typ host", "1 1 TCP 5 192.0.2.1 9 typ host",
    "1 1 TCP 5 192.0.2.1 9 typ host tcptype", "1 1 TCP 5 192.0.2.1 9 typ host tcptype udp",
    "123456789012345678901234567890123 1 UDP 5 192.0.2.1 4000 typ host", "\001 1 UDP 5 192.0.2.1 4000 typ host",
  };
  PhoneCandidate candidate;
  const char *why;

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      if (!ua_sdp_candidate_parse ((UaSlice) { good[i].text, strlen (good[i].text) }, &candidate, &why))
        g_error ("%s: %s", good[i].text, why);
      if (!phone_candidate_equal (&candidate, &good[i].candidate))
        g_error ("misread: %s", good[i].text);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      why = NULL;
      if (ua_sdp_candidate_parse ((UaSlice) { bad[i], strlen (bad[i]) }, &candidate, &why))
        g_error ("taken: %s", bad[i]);
      g_assert_nonnull (why);
    }
}

static void
test_fingerprints (void)
{
  g_autoptr (PhoneMediaDesc) desc = kit_read (HEAD "a=fingerprint:sha-1 " HEX20 "\r\na=setup:passive\r\na=tls-id:sessionsessionsession\r\n"
      AUDIO "a=fingerprint:md5 00:11\r\na=fingerprint:sha-256 00:01\r\na=fingerprint:sha-256 " HEX32 ":20\r\n"
      "a=fingerprint:sha-256 0:001:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
      "a=fingerprint:SHA-256  " HEX32 " \r\na=fingerprint:sha-256 " HEX32 "\r\na=setup:nonsense\r\na=setup:active\r\n"
      "a=setup:passive\r\na=tls-id:short\r\na=tls-id:abc def abcdefghijklmnopqrst\r\n");
  g_autoptr (PhoneMediaDesc) heir = kit_read (HEAD "a=fingerprint:sha-1 " HEX20 "\r\na=setup:passive\r\na=tls-id:sessionsessionsession\r\n"
                                               "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=ice-lite\r\n" AUDIO
                                               "a=ice-ufrag:section\r\na=ice-pwd:sectionsectionsectionsection\r\n");
  GString *many = g_string_new (HEAD AUDIO);

  /* The section speaks for itself; of what it says the first counts. */
  g_assert_cmpuint (desc->dtls.n_fingerprints, ==, 1);
  g_assert_cmpint (desc->dtls.fingerprints[0].hash, ==, PHONE_HASH_SHA256);
  g_assert_cmpint (desc->dtls.setup, ==, PHONE_SETUP_ACTIVE);
  g_assert_cmpstr (desc->dtls.tls_id, ==, "sessionsessionsession");
  g_assert_cmpuint (heir->dtls.n_fingerprints, ==, 1);
  g_assert_cmpint (heir->dtls.fingerprints[0].hash, ==, PHONE_HASH_SHA1);
  g_assert_cmpuint (heir->dtls.fingerprints[0].octets[19], ==, 0xb3);
  g_assert_cmpint (heir->dtls.setup, ==, PHONE_SETUP_PASSIVE);
  g_assert_cmpstr (heir->ice.ufrag, ==, "section");
  g_assert_true (heir->ice.lite);

  for (guint i = 0; i < 100; i++)
    g_string_append_printf (many, "a=fingerprint:sha-1 %02x:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\r\n", i);
  for (guint i = 1; i < 100; i++)
    g_string_append_printf (many, "a=candidate:%u 1 UDP %u 192.0.2.1 4000 typ host\r\na=rtcp-fb:%u nack\r\n", i, i, i);
  g_string_append (many, SECRETS "a=remote-candidates:1 192.0.2.1 1 2 192.0.2.1 2 3 192.0.2.1 3\r\n");
  g_autoptr (PhoneMediaDesc) full = kit_read (many->str);
  g_assert_cmpuint (full->dtls.n_fingerprints, ==, PHONE_MAX_FINGERPRINTS);
  g_assert_cmpuint (full->ice.n_candidates, ==, PHONE_ICE_MAX_CANDIDATES);
  g_assert_cmpuint (full->ice.n_remote, ==, PHONE_ICE_MAX_REMOTE);
  g_assert_cmpuint (full->n_feedback, ==, PHONE_MAX_FEEDBACK);
  g_string_free (many, TRUE);
}

static void
test_feedback (void)
{
  g_autoptr (PhoneMediaDesc) desc = kit_read (HEAD "a=rtcp-fb:* nack\r\na=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" AUDIO
      "a=rtcp-mux-only\r\na=rtcp-fb:* trr-int 1000\r\na=rtcp-fb:* trr-int 2000\r\na=rtcp-fb:8 trr-int x\r\na=rtcp-fb:8 nack\r\n"
      "a=rtcp-fb:8 nack pli\r\na=rtcp-fb:8 ccm fir\r\na=rtcp-fb:8 ccm tmmbr smaxpr=120\r\na=rtcp-fb:* ccm tmmbr\r\n"
      "a=rtcp-fb:* ack ccfb\r\na=rtcp-fb:128 nack\r\na=rtcp-fb:8\r\na=rtcp-fb:\r\na=rtcp-fb:8 goog-remb\r\n"
      "a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on\r\na=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
      "a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:256 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
      "a=extmap:2/both urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:3 urn:ietf:params:rtp-hdrext:SDES:mid\r\n"
      "a=extmap:5 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=extmap:4096 urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
  g_autoptr (PhoneMediaDesc) heir = kit_read (HEAD "a=rtcp-fb:* nack\r\na=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid\r\n" AUDIO);
  static const PhoneFeedback feedback[] = {
    { -1, PHONE_FEEDBACK_TRR_INT, 1000 }, { 8, PHONE_FEEDBACK_NACK, 0 }, { 8, PHONE_FEEDBACK_TMMBR, 120 },
    { -1, PHONE_FEEDBACK_TMMBR, 0 }, { -1, PHONE_FEEDBACK_CCFB, 0 },
  };

  g_assert_true (desc->rtcp_mux_only && desc->rtcp_mux);
  g_assert_cmpuint (desc->n_feedback, ==, G_N_ELEMENTS (feedback));
  for (gsize i = 0; i < G_N_ELEMENTS (feedback); i++)
    {
      g_assert_cmpint (desc->feedback[i].payload_type, ==, feedback[i].payload_type);
      g_assert_cmpint (desc->feedback[i].type, ==, feedback[i].type);
      g_assert_cmpuint (desc->feedback[i].value, ==, feedback[i].value);
    }
  g_assert_cmpuint (desc->n_extensions, ==, 2);
  g_assert_cmpint (desc->extensions[0].direction, ==, PHONE_DIRECTION_SENDONLY);
  g_assert_cmpint (desc->extensions[1].type, ==, PHONE_EXTENSION_MID);
  g_assert_cmpuint (desc->extensions[1].id, ==, 4096);
  g_assert_cmpuint (heir->n_feedback, ==, 0);   /* RFC 4585 section 4.2: of a section only */
  g_assert_cmpuint (heir->n_extensions, ==, 1);
}

/* a=rtcp-xr (RFC 3611 section 5.1): of the session or of a section, any number of formats, in any number of lines. */
static void
test_extended_reports (void)
{
  static const struct
  {
    const char *session, *media;
    gboolean metrics;
    PhoneRcvrRtt rtt;
  } cases[] = {
    { "", "", FALSE, PHONE_RCVR_RTT_NONE },
    { "", "a=rtcp-xr:\r\n", FALSE, PHONE_RCVR_RTT_NONE },
    { "", "a=rtcp-xr:voip-metrics\r\n", TRUE, PHONE_RCVR_RTT_NONE },
    { "", "a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics\r\n", TRUE, PHONE_RCVR_RTT_ALL },      /* linphone's */
    { "", "a=rtcp-xr:rcvr-rtt=sender\r\na=rtcp-xr:voip-metrics\r\n", TRUE, PHONE_RCVR_RTT_SENDER },
    { "", "a=rtcp-xr:pkt-loss-rle voip-metrics=1 voip-metric\r\n", FALSE, PHONE_RCVR_RTT_NONE },
    { "", "a=rtcp-xr:rcvr-rtt=all:16\r\n", FALSE, PHONE_RCVR_RTT_ALL },
    { "", "a=rtcp-xr:rcvr-rtt=all:15\r\n", FALSE, PHONE_RCVR_RTT_NONE },        /* no room for an answer */
    { "", "a=rtcp-xr:rcvr-rtt=sender:many\r\n", FALSE, PHONE_RCVR_RTT_NONE },
    { "", "a=rtcp-xr:rcvr-rtt rcvr-rtt= rcvr-rtt=some rcvr-rtts=all\r\n", FALSE, PHONE_RCVR_RTT_NONE },
    { "a=rtcp-xr:voip-metrics rcvr-rtt=all\r\n", "", TRUE, PHONE_RCVR_RTT_ALL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat (HEAD, cases[i].session, AUDIO, cases[i].media, NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpint (desc->voip_metrics, ==, cases[i].metrics);
      g_assert_cmpint (desc->rcvr_rtt, ==, cases[i].rtt);
    }
}

static guint
below (guint n)
{
  return (guint) g_test_rand_int_range (0, (gint32) n);
}

static void
random_token (char *text, guint min, guint max)
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  guint n = min + below (max - min + 1);

  for (guint i = 0; i < n; i++)
    text[i] = letters[below (sizeof letters - 1)];
  text[n] = '\0';
}

static void
random_address (char *text)
{
  if (g_test_rand_bit ())
    g_snprintf (text, PHONE_ICE_MAX_ADDRESS, "192.0.2.%u", 1 + below (254));
  else
    g_snprintf (text, PHONE_ICE_MAX_ADDRESS, "2001:db8::%x", 1 + below (65535));
}

static void
random_candidate (PhoneCandidate *candidate)
{
  *candidate = (PhoneCandidate) {
    .component = 1 + below (256), .priority = 1 + below (G_MAXINT32 - 1), .port = (guint16) (1 + below (65535)),
    .transport = (PhoneCandidateTransport) below (phone_candidate_transport_n_values),
    .type = (PhoneCandidateType) below (phone_candidate_type_n_values),
  };
  random_token (candidate->foundation, 1, PHONE_ICE_MAX_FOUNDATION);
  random_address (candidate->address);
  if (g_test_rand_bit ())
    {
      random_address (candidate->related_address);
      candidate->related_port = (guint16) below (65536);
    }
}

static PhoneMediaDesc *
random_desc (void)
{
  PhoneMediaDesc *desc = phone_media_desc_new ();

  desc->address = g_strdup (g_test_rand_bit () ? "192.0.2.1" : "2001:db8::1");
  desc->port = (guint16) (1 + below (65534));
  desc->rtcp_port = desc->port + 1;
  desc->rtcp_mux = g_test_rand_bit ();
  desc->rtcp_mux_only = desc->rtcp_mux && g_test_rand_bit ();
  desc->profile = (PhoneProfile) below (phone_profile_n_values);
  desc->direction = (PhoneDirection) below (phone_direction_n_values);
  desc->codecs[desc->n_codecs++] = (PhoneCodec) { .id = PHONE_CODEC_OPUS, .payload_type = 96, .use_inband_fec = TRUE };
  desc->dtls.n_fingerprints = below (PHONE_MAX_FINGERPRINTS + 1);
  for (guint i = 0; i < desc->dtls.n_fingerprints; i++)
    {
      PhoneFingerprint *fingerprint = &desc->dtls.fingerprints[i];

      fingerprint->hash = (PhoneHash) below (phone_hash_n_values);
      for (gsize j = 0; j < phone_hash_length (fingerprint->hash); j++)
        fingerprint->octets[j] = (guint8) below (256);
    }
  if (g_test_rand_bit ())
    {
      desc->dtls.has_setup = TRUE;
      desc->dtls.setup = (PhoneSetup) below (phone_setup_n_values);
    }
  if (g_test_rand_bit ())
    random_token (desc->dtls.tls_id, 20, PHONE_MAX_TLS_ID);
  if (g_test_rand_bit ())
    {
      PhoneIceDesc *ice = &desc->ice;

      random_token (ice->ufrag, 4, PHONE_ICE_MAX_SECRET);
      random_token (ice->pwd, 22, PHONE_ICE_MAX_SECRET);
      ice->lite = g_test_rand_bit ();
      ice->trickle = g_test_rand_bit ();
      ice->ice2 = g_test_rand_bit ();
      ice->mismatch = g_test_rand_bit ();
      ice->end_of_candidates = g_test_rand_bit ();
      ice->pacing = below (10001);
      ice->n_candidates = below (PHONE_ICE_MAX_CANDIDATES + 1);
      for (guint i = 0; i < ice->n_candidates; i++)
        random_candidate (&ice->candidates[i]);
      ice->n_remote = below (PHONE_ICE_MAX_REMOTE + 1);
      for (guint i = 0; i < ice->n_remote; i++)
        {
          ice->remote[i].component = 1 + below (256);
          ice->remote[i].port = (guint16) (1 + below (65535));
          random_address (ice->remote[i].address);
        }
    }
  desc->n_feedback = below (PHONE_MAX_FEEDBACK + 1);
  for (guint i = 0; i < desc->n_feedback; i++)
    {
      PhoneFeedback *feedback = &desc->feedback[i];

      *feedback = (PhoneFeedback) { .payload_type = i == 0 ? -1 : (int) i, .type = (PhoneFeedbackType) below (phone_feedback_type_n_values) };
      if (feedback->type == PHONE_FEEDBACK_TRR_INT || feedback->type == PHONE_FEEDBACK_TMMBR)
        feedback->value = below (10000);
    }
  for (int i = 0; i < phone_extension_type_n_values; i++)
    if (g_test_rand_bit ())
      desc->extensions[desc->n_extensions++] = (PhoneExtension) {
        .type = (PhoneExtensionType) i, .id = (guint16) (i + 1 + 4095 * g_test_rand_bit ()),
        .direction = (PhoneDirection) below (phone_direction_n_values),
      };
  desc->mixed_extensions = g_test_rand_bit ();
  return desc;
}

/* Written and read again, everything is what it was, within the length that is promised. */
static void
test_round_trip (void)
{
  for (guint round = 0; round < 2000; round++)
    {
      g_autoptr (UaSdp) sdp = ua_sdp_new ();
      g_autoptr (PhoneMediaDesc) desc = random_desc ();
      char *text = ua_sdp_write_offer (sdp, desc);
      g_autoptr (PhoneMediaDesc) seen = kit_read (text);

      g_assert_cmpuint (strlen (text), <=, UA_SDP_AUDIO_MAX_TEXT);
      if (!phone_media_desc_equal (desc, seen))
        g_error ("not what was written:\n%s", text);
      ua_sdp_free_text (text);
    }
}

/* The longest that there can be: the string must not grow, or it would leave keys behind. */
static void
test_longest (void)
{
  g_autoptr (PhoneMediaDesc) desc = phone_media_desc_new ();
  GString *text = g_string_sized_new (UA_SDP_AUDIO_MAX_TEXT);
  const char *start = text->str;

  desc->address = g_strdup ("2001:db8::1");
  desc->port = 65534;
  desc->n_codecs = PHONE_MAX_CODECS;
  for (guint i = 0; i < PHONE_MAX_CODECS; i++)
    desc->codecs[i] = (PhoneCodec) { .id = PHONE_CODEC_OPUS, .payload_type = (guint8) (100 + i), .max_playback_rate = G_MAXUINT32,
                                     .max_average_bitrate = G_MAXUINT32, .use_inband_fec = TRUE, .use_dtx = TRUE, .stereo = TRUE,
                                     .cbr = TRUE };
  desc->n_cryptos = PHONE_MAX_CRYPTOS;
  for (guint i = 0; i < PHONE_MAX_CRYPTOS; i++)
    desc->cryptos[i] = (PhoneSrtpKey) { .tag = 999999999, .suite = PHONE_SRTP_AES_256_CM_HMAC_SHA1_80,
                                        .lifetime = G_GUINT64_CONSTANT (1) << 47 | 1, .mki_length = 4, .mki = G_MAXUINT32 };
  desc->dtls.n_fingerprints = PHONE_MAX_FINGERPRINTS;
  for (guint i = 0; i < PHONE_MAX_FINGERPRINTS; i++)
    desc->dtls.fingerprints[i].hash = PHONE_HASH_SHA512;
  desc->dtls.has_setup = TRUE;
  memset (desc->dtls.tls_id, 'x', PHONE_MAX_TLS_ID);
  memset (desc->ice.ufrag, 'x', PHONE_ICE_MAX_SECRET);
  memset (desc->ice.pwd, 'x', PHONE_ICE_MAX_SECRET);
  desc->ice.trickle = desc->ice.ice2 = desc->ice.mismatch = desc->ice.end_of_candidates = TRUE;
  desc->ice.n_candidates = PHONE_ICE_MAX_CANDIDATES;
  for (guint i = 0; i < PHONE_ICE_MAX_CANDIDATES; i++)
    {
      PhoneCandidate *candidate = &desc->ice.candidates[i];

      memset (candidate->foundation, 'x', PHONE_ICE_MAX_FOUNDATION);
      memset (candidate->address, 'x', PHONE_ICE_MAX_ADDRESS - 1);
      memset (candidate->related_address, 'x', PHONE_ICE_MAX_ADDRESS - 1);
      candidate->component = 256;
      candidate->priority = G_MAXUINT32;
      candidate->port = candidate->related_port = G_MAXUINT16;
      candidate->type = PHONE_CANDIDATE_SRFLX;
      candidate->transport = PHONE_CANDIDATE_TCP_PASSIVE;
    }
  desc->ice.n_remote = PHONE_ICE_MAX_REMOTE;
  for (guint i = 0; i < PHONE_ICE_MAX_REMOTE; i++)
    memset (desc->ice.remote[i].address, 'x', PHONE_ICE_MAX_ADDRESS - 1);
  desc->n_feedback = PHONE_MAX_FEEDBACK;
  for (guint i = 0; i < PHONE_MAX_FEEDBACK; i++)
    desc->feedback[i] = (PhoneFeedback) { .payload_type = 127, .type = PHONE_FEEDBACK_TMMBR, .value = G_MAXUINT32 };
  desc->n_extensions = PHONE_MAX_EXTENSIONS;
  for (guint i = 0; i < PHONE_MAX_EXTENSIONS; i++)
    desc->extensions[i] = (PhoneExtension) { .type = PHONE_EXTENSION_TRANSPORT_CC, .id = 4096 };

  ua_sdp_audio_write (desc, NULL, text);
  g_assert_cmpuint (text->len, <, UA_SDP_AUDIO_MAX_TEXT);
  g_assert_true (text->str == start);
  g_string_free (text, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/webrtc/browser", test_browser);
  g_test_add_func ("/sdp/webrtc/nowhere", test_nowhere);
  g_test_add_func ("/sdp/webrtc/candidates", test_candidates);
  g_test_add_func ("/sdp/webrtc/fingerprints", test_fingerprints);
  g_test_add_func ("/sdp/webrtc/feedback", test_feedback);
  g_test_add_func ("/sdp/extended-reports", test_extended_reports);
  g_test_add_func ("/sdp/webrtc/round-trip", test_round_trip);
  g_test_add_func ("/sdp/webrtc/longest", test_longest);
  return g_test_run ();
}
