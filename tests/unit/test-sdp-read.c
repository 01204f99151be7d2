/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a text says: values, what is inherited, what is let pass, what is an error, and the limits. */

#include "sdp-kit.h"

#include <string.h>

/* ---- reading: values ---- */

static void
test_plain (void)
{
  g_autoptr (PhoneMediaDesc) desc = kit_read (
      "v=0\no=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\ns=SDP Seminar\ni=A seminar\nu=http://www.example.com/s.ps\n"
      "e=j.doe@example.com (Jane Doe)\nc=IN IP4 192.0.2.12\nb=AS:64\nt=2873397496 2873404696\na=recvonly\n"
      "m=audio 49170 RTP/AVP 0 8 9 3 4 18\na=ptime:20\na=maxptime:60.5\na=x-unknown\n");

  g_assert_cmpstr (desc->address, ==, "192.0.2.12");
  g_assert_cmpuint (desc->port, ==, 49170);
  g_assert_cmpuint (desc->rtcp_port, ==, 49171);
  g_assert_false (desc->rtcp_mux);
  g_assert_cmpint (desc->profile, ==, PHONE_PROFILE_AVP);
  g_assert_cmpint (desc->direction, ==, PHONE_DIRECTION_RECVONLY);
  g_assert_cmpuint (desc->ptime, ==, 20);
  g_assert_cmpuint (desc->maxptime, ==, 60);
  g_assert_cmpuint (desc->n_codecs, ==, 3);     /* the static types need no rtpmap */
  g_assert_cmpint (desc->codecs[0].id, ==, PHONE_CODEC_PCMU);
  g_assert_cmpint (desc->codecs[1].id, ==, PHONE_CODEC_PCMA);
  g_assert_cmpint (desc->codecs[2].id, ==, PHONE_CODEC_G722);
  g_assert_cmpint (desc->dtmf_8000, ==, -1);
}

static void
test_line_ends (void)
{
  static const char *const ends[] = { "\r\n", "\n", "\r", "\r\n\r\n", "\n\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      g_autofree char *text = g_strjoin (ends[i], "v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0",
                                         "m=audio 4000 RTP/AVP 8", "a=ptime:40", "a=sendonly", NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpuint (desc->ptime, ==, 40);
      g_assert_cmpint (desc->direction, ==, PHONE_DIRECTION_SENDONLY);
    }
}

static void
test_formats (void)
{
  g_autoptr (PhoneMediaDesc) desc = kit_read (HEAD
      "m=audio 4000 RTP/AVP 111 0 100 101 126 9 111 8 300 abc 77\r\n"
      "a=rtpmap:111 OPUS/48000/2\r\na=fmtp:111 minptime=10; useinbandfec=1;MaxAverageBitrate=20000;maxplaybackrate=16000;stereo=1"
      ";usedtx=1;cbr=1;sprop-stereo=0\r\n"
      "a=rtpmap:100 telephone-event/48000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
      "a=rtpmap:126 telephone-event/8000\r\n"
      "a=rtpmap:9 G722/16000\r\n"                       /* not what RFC 3551 says: unknown */
      "a=rtpmap:77 PCMA/8000/1\r\n"
      "a=rtpmap:55 opus/48000/2\r\n"                    /* not in the m-line */
      "a=rtpmap:8 pcma/8000\r\na=rtpmap:8 G722/8000\r\na=fmtp:111 useinbandfec=0\r\n");      /* said once is enough */
  const PhoneCodec *opus = &desc->codecs[0];

  g_assert_cmpuint (desc->n_codecs, ==, 4);
  g_assert_cmpint (opus->id, ==, PHONE_CODEC_OPUS);
  g_assert_cmpuint (opus->payload_type, ==, 111);
  g_assert_true (opus->use_inband_fec && opus->use_dtx && opus->stereo && opus->cbr);
  g_assert_cmpuint (opus->max_average_bitrate, ==, 20000);
  g_assert_cmpuint (opus->max_playback_rate, ==, 16000);
  g_assert_cmpuint (opus->min_ptime, ==, 10);
  g_assert_cmpint (desc->codecs[1].id, ==, PHONE_CODEC_PCMU);
  g_assert_cmpint (desc->codecs[2].id, ==, PHONE_CODEC_PCMA);
  g_assert_cmpuint (desc->codecs[2].payload_type, ==, 8);
  g_assert_cmpint (desc->codecs[3].id, ==, PHONE_CODEC_PCMA);
  g_assert_cmpuint (desc->codecs[3].payload_type, ==, 77);
  g_assert_cmpint (desc->dtmf_48000, ==, 100);
  g_assert_cmpint (desc->dtmf_8000, ==, 101);
}

/* Redundancy (RFC 2198) of Opus and nothing else, wherever it stands. */
static void
test_redundancy (void)
{
  static const struct { const char *lines; guint red; } cases[] = {
    { "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n", 63 },
    { "a=fmtp:63 111/111/111\r\na=rtpmap:63 RED/48000/2\r\n", 63 },
    { "a=rtpmap:63 red/48000/2\r\n", 0 },
    { "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111\r\n", 0 },
    { "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/8\r\n", 0 },
    { "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/\r\n", 0 },
    { "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/500\r\n", 0 },
    { "a=rtpmap:63 red/8000\r\na=fmtp:63 111/111\r\n", 0 },
    { "a=rtpmap:64 red/48000/2\r\na=fmtp:64 111/111\r\n", 0 },        /* not in the m-line */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat (HEAD "m=audio 4000 RTP/AVP 63 111 8\r\na=rtpmap:111 opus/48000/2\r\n", cases[i].lines, NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpuint (desc->red, ==, cases[i].red);
      g_assert_cmpuint (desc->n_codecs, ==, 2);
    }
}

static void
test_opus_limits (void)
{
  static const struct { const char *fmtp; guint rate, bitrate; gboolean fec; } cases[] = {
    { "useinbandfec=0", 0, 0, FALSE },
    { "maxaveragebitrate=1;maxplaybackrate=1", 8000, 6000, FALSE },
    { "maxaveragebitrate=4000000000;maxplaybackrate=96000", 48000, 510000, FALSE },
    { "maxaveragebitrate=99999999999999999999;maxplaybackrate=-8000", 0, 0, FALSE },
    { "maxaveragebitrate=0;maxplaybackrate=", 0, 0, FALSE },
    { ";;=;useinbandfec;useinbandfec=1;=1;", 0, 0, TRUE },
    { "  UseInbandFec = 1 ", 0, 0, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat (HEAD "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 ",
                                           cases[i].fmtp, "\r\n", NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpuint (desc->n_codecs, ==, 1);
      g_assert_cmpuint (desc->codecs[0].max_playback_rate, ==, cases[i].rate);
      g_assert_cmpuint (desc->codecs[0].max_average_bitrate, ==, cases[i].bitrate);
      g_assert_cmpint (desc->codecs[0].use_inband_fec, ==, cases[i].fec);
    }
}

static void
test_addresses (void)
{
  static const struct { const char *session, *media, *address; PhoneDirection direction; } cases[] = {
    { "IP4 192.0.2.1", NULL, "192.0.2.1", PHONE_DIRECTION_SENDRECV },
    { "IP4 192.0.2.1", "IP4 192.0.2.2", "192.0.2.2", PHONE_DIRECTION_SENDRECV },
    { NULL, "IP4 192.0.2.2", "192.0.2.2", PHONE_DIRECTION_SENDRECV },
    { "IP4 example.org", "IP4 192.0.2.2", "192.0.2.2", PHONE_DIRECTION_SENDRECV },      /* not ours to mind */
    { NULL, "IP6 2001:DB8:0:0:0:0:0:1", "2001:db8::1", PHONE_DIRECTION_SENDRECV },
    { NULL, "ip6 ::ffff:192.0.2.1", "::ffff:192.0.2.1", PHONE_DIRECTION_SENDRECV },
    { NULL, "IP4 0.0.0.0", "0.0.0.0", PHONE_DIRECTION_SENDONLY },
    { "IP4 0.0.0.0", NULL, "0.0.0.0", PHONE_DIRECTION_SENDONLY },
    { "IP6 0:0:0:0:0:0:0:0", NULL, "::", PHONE_DIRECTION_SENDONLY },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat ("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\n", cases[i].session ? "c=IN " : "",
                                           cases[i].session ? cases[i].session : "", "\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n",
                                           cases[i].media ? "c=IN " : "", cases[i].media ? cases[i].media : "", "\r\n", NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpstr (desc->address, ==, cases[i].address);
      g_assert_cmpint (desc->direction, ==, cases[i].direction);
    }
}

static void
test_rtcp (void)
{
  static const struct { const char *attributes; guint port; gboolean mux; } cases[] = {
    { "", 4001, FALSE },
    { "a=rtcp:53020\r\n", 53020, FALSE },
    { "a=rtcp:53020 IN IP4 126.16.64.4\r\n", 53020, FALSE },
    { "a=rtcp:99999\r\n", 4001, FALSE },
    { "a=rtcp:0\r\n", 4001, FALSE },
    { "a=rtcp-mux\r\n", 4001, TRUE },
    { "a=rtcp:4000\r\na=rtcp-mux\r\n", 4000, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = g_strconcat (HEAD "m=audio 4000 RTP/AVP 8\r\n", cases[i].attributes, NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpuint (desc->rtcp_port, ==, cases[i].port);
      g_assert_cmpint (desc->rtcp_mux, ==, cases[i].mux);
    }

  g_autoptr (PhoneMediaDesc) last = kit_read (HEAD "m=audio 65535 RTP/AVP 8\r\n");
  g_assert_cmpuint (last->rtcp_port, ==, 0);
}

/* What the session part says counts where the section is silent. */
static void
test_inheritance (void)
{
  g_autoptr (PhoneMediaDesc) heir = kit_read (HEAD "a=sendonly\r\na=ptime:30\r\na=maxptime:90\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 "
                                               KEY30 "\r\nm=audio 4000 RTP/SAVP 8\r\n");
  g_autoptr (PhoneMediaDesc) own = kit_read (HEAD "a=sendonly\r\na=ptime:30\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 " KEY30
                                              "\r\nm=audio 4000 RTP/SAVP 8\r\na=inactive\r\na=ptime:10\r\na=crypto:5 AEAD_AES_256_GCM "
                                              KEY44 "\r\nm=video 4000 RTP/SAVP 31\r\na=recvonly\r\n");

  g_assert_cmpint (heir->direction, ==, PHONE_DIRECTION_SENDONLY);
  g_assert_cmpuint (heir->ptime, ==, 30);
  g_assert_cmpuint (heir->maxptime, ==, 90);
  g_assert_cmpuint (heir->n_cryptos, ==, 1);
  g_assert_cmpuint (heir->cryptos[0].tag, ==, 4);
  g_assert_cmpint (own->direction, ==, PHONE_DIRECTION_INACTIVE);
  g_assert_cmpuint (own->ptime, ==, 10);
  g_assert_cmpuint (own->n_cryptos, ==, 1);
  g_assert_cmpint (own->cryptos[0].suite, ==, PHONE_SRTP_AEAD_AES_256_GCM);
}

static void
test_profiles (void)
{
  for (int i = 0; i < phone_profile_n_values; i++)
    {
      const char *name = phone_profile_to_string ((PhoneProfile) i);
      g_autofree char *text = g_strconcat (HEAD "m=audio 4000 ", name, " 8\r\n", NULL);
      g_autoptr (PhoneMediaDesc) desc = kit_read (text);

      g_assert_cmpint (desc->profile, ==, i);
    }
}

static void
test_cryptos (void)
{
  g_autoptr (PhoneMediaDesc) desc = kit_read (HEAD "m=audio 4000 RTP/SAVP 8\r\n"
      "a=crypto:1 F8_128_HMAC_SHA1_80 " KEY30 "\r\n"                            /* unknown suite */
      "a=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY30 " UNENCRYPTED_SRTP\r\n"       /* not ours */
      "a=crypto:3 AES_CM_128_HMAC_SHA1_80 " KEY30 "|2^20|1:4\r\n"
      "a=crypto:3 AES_CM_128_HMAC_SHA1_32 " OTHER30 "\r\n"                      /* the tag is taken */
      "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:garbage\r\n"
      "a=crypto:5 AEAD_AES_256_GCM " KEY44 "|2^48\r\n");

  g_assert_cmpuint (desc->n_cryptos, ==, 2);
  g_assert_cmpuint (desc->cryptos[0].tag, ==, 3);
  g_assert_cmpint (desc->cryptos[0].suite, ==, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80);
  g_assert_cmpuint (desc->cryptos[0].mki_length, ==, 4);
  g_assert_cmpuint (desc->cryptos[1].tag, ==, 5);
  g_assert_cmpuint (desc->cryptos[1].lifetime, ==, G_GUINT64_CONSTANT (1) << 48);
}

/* ---- reading: errors and limits ---- */

static void
test_errors (void)
{
#define ORIGIN "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\n"
#define AUDIO "m=audio 4000 RTP/AVP 8\r\n"
  static const struct { const char *text, *message; } cases[] = {
    { "", "SDP of 0 octets" },
    { "\r\n\r\n", "without o=" },
    { "hello", "line 1: not of the form" },
    { "o=- 1 1 IN IP4 192.0.2.9\r\n", "line 1: v=0 must come first" },
    { "v=1\r\n", "line 1: v=0 must come first" },
    { "v=\r\n", "line 1: v=0 must come first" },
    { "v=0\r\nm=audio 4000 RTP/AVP 8\r\n", "without o=" },
    { "v=0\r\no=- 1 1 IN IP4\r\n", "line 2: o= has 5 fields" },
    { ORIGIN "o=- 1 1 IN IP4 192.0.2.9\r\n", "line 3: a second o=" },
    { ORIGIN "s=-\r\nt=0 0\r\n", "without an audio stream" },
    { HEAD "m=video 4000 RTP/AVP 31\r\n", "without an audio stream" },
    { HEAD "x\r\n", "line 6: not of the form" },
    { HEAD "xy\r\n" AUDIO, "line 6: not of the form" },
    { HEAD " a=x\r\n", "line 6: not of the form" },
    { HEAD "m=audio\r\n", "line 6: m= needs" },
    { HEAD "m=audio 4000\r\n", "line 6: m= needs" },
    { HEAD "m=\r\n", "line 6: m= needs" },
    { HEAD "m=\303\244udio 4000 RTP/AVP 0\r\n", "line 6: m= needs" },
    { HEAD "m=audio 65536 RTP/AVP 0\r\n", "line 6: \"65536\" in m= is not a port" },
    { HEAD "m=audio -1 RTP/AVP 0\r\n", "line 6: \"-1\" in m= is not a port" },
    { HEAD "m=audio $ RTP/AVP 0\r\n", "line 6: \"$\" in m= is not a port" },
    { HEAD "m=audio /2 RTP/AVP 0\r\n", "in m= is not a port" },
    { HEAD "\n\nm=audio 4000 TCP/RTP/AVP 0\r\n", "line 8: the profile TCP/RTP/AVP is not supported" },
    { HEAD AUDIO "c=IN IP4 sip.example.org\r\n", "line 7: \"sip.example.org\" in c= is not a numeric unicast IPv4 address" },
    { HEAD AUDIO "c=IN IP4 192.0.2\r\n", "line 7: \"192.0.2\"" },
    { HEAD AUDIO "c=IN IP4 2001:db8::1\r\n", "line 7: \"2001:db8::1\"" },
    { HEAD AUDIO "c=IN IP6 192.0.2.1\r\n", "line 7: \"192.0.2.1\"" },
    { HEAD AUDIO "c=IN IP6 fe80::1%eth0\r\n", "line 7: \"fe80::1%eth0\"" },
    { HEAD AUDIO "c=IN IP4 224.2.17.12/127\r\n", "line 7: \"224.2.17.12/127\"" },
    { HEAD AUDIO "c=IN IP4 224.2.17.12\r\n", "line 7: 224.2.17.12 in c= is not a unicast address" },
    { HEAD AUDIO "c=IN IP4 255.255.255.255\r\n", "is not a unicast address" },
    { HEAD AUDIO "c=IN IP6 ff15::101\r\n", "line 7: ff15::101 in c= is not a unicast address" },
    { HEAD AUDIO "c=IN IP4\r\n", "line 7: c= is not of the form" },
    { HEAD AUDIO "c=ATM NSAP 47.1\r\n", "line 7: c= is not of the form" },
    { HEAD AUDIO "c=IN IP4 \001\002\377aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", "\"???aaaa" },
    { ORIGIN "s=-\r\nt=0 0\r\n" AUDIO, "line 5: the audio stream has no c=" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (UaSdp) sdp = ua_sdp_new ();
      g_autoptr (GError) error = NULL;
      PhoneMediaDesc *desc = (PhoneMediaDesc *) 1;

      if (ua_sdp_read (sdp, cases[i].text, strlen (cases[i].text), &desc, &error))
        g_error ("taken: %s", cases[i].text);
      g_assert_null (desc);
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
      if (strstr (error->message, cases[i].message) == NULL)
        g_error ("\"%s\" does not say \"%s\"", error->message, cases[i].message);
    }
}

static void
test_nul (void)
{
  static const char text[] = HEAD "m=audio 4000 RTP/AVP 8\r\na=x\0y\r\n";
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *desc;

  g_assert_false (ua_sdp_read (sdp, text, sizeof text - 1, &desc, &error));
  g_assert_cmpstr (error->message, ==, "SDP line 7: not of the form x=...");
}

/* No message repeats a key, wherever it stands. */
static void
test_no_key_in_errors (void)
{
  static const char *const texts[] = {
    HEAD "m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\nc=IN IP4 x\r\n",
    HEAD "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n" KEY30 "\r\n",
    HEAD "m=audio 4000 RTP/FOO 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (UaSdp) sdp = ua_sdp_new ();
      g_autoptr (GError) error = NULL;
      PhoneMediaDesc *desc;

      g_assert_false (ua_sdp_read (sdp, texts[i], strlen (texts[i]), &desc, &error));
      kit_expect_not (error->message, "d0Rm");
      kit_expect_not (error->message, "inline");
    }
}

static void
test_limits (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) desc = NULL, many = NULL, keys = NULL, last = NULL;
  GString *text = g_string_new (HEAD);

  for (guint i = 0; i < UA_SDP_MAX_MEDIA; i++)
    g_string_append (text, i == UA_SDP_MAX_MEDIA - 1 ? "m=audio 4000 RTP/AVP 8\r\n" : "m=video 4000 RTP/AVP 31\r\n");
  last = kit_read_with (sdp, text->str);
  g_assert_cmpuint (last->n_codecs, ==, 1);
  g_string_append (text, "m=video 4000 RTP/AVP 31\r\n");
  g_assert_false (ua_sdp_read (sdp, text->str, text->len, &desc, &error));
  kit_expect (error->message, "more than 64 m-lines");
  g_clear_error (&error);

  g_string_assign (text, HEAD);
  while (text->len < UA_SDP_MAX_LENGTH - 200)
    g_string_append (text, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n");
  g_string_append (text, "m=audio 4000 RTP/AVP 8\r\n");
  keys = kit_read_with (sdp, text->str);
  g_assert_cmpuint (keys->n_cryptos, ==, 1);
  while (text->len <= UA_SDP_MAX_LENGTH)
    g_string_append (text, "a=x\r\n");
  g_assert_false (ua_sdp_read (sdp, text->str, text->len, &desc, &error));
  kit_expect (error->message, "octets");
  g_clear_error (&error);

  /* More formats than are looked at, then more codecs than a description holds, then more keys. */
  g_string_assign (text, HEAD "m=audio 4000 RTP/SAVP");
  for (guint i = 0; i < 128; i++)
    g_string_append_printf (text, " %u", i);
  g_string_append (text, "\r\n");
  for (guint i = 0; i < 128; i++)
    g_string_append_printf (text, "a=rtpmap:%u opus/48000/2\r\n", i);
  for (guint i = 1; i <= 20; i++)
    g_string_append_printf (text, "a=crypto:%u AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n", i);
  many = kit_read_with (sdp, text->str);
  g_assert_cmpuint (many->n_codecs, ==, PHONE_MAX_CODECS);
  g_assert_cmpuint (many->n_cryptos, ==, PHONE_MAX_CRYPTOS);
  g_string_free (text, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/read/plain", test_plain);
  g_test_add_func ("/sdp/read/line-ends", test_line_ends);
  g_test_add_func ("/sdp/read/formats", test_formats);
  g_test_add_func ("/sdp/read/opus", test_opus_limits);
  g_test_add_func ("/sdp-read/redundancy", test_redundancy);
  g_test_add_func ("/sdp/read/addresses", test_addresses);
  g_test_add_func ("/sdp/read/rtcp", test_rtcp);
  g_test_add_func ("/sdp/read/inheritance", test_inheritance);
  g_test_add_func ("/sdp/read/profiles", test_profiles);
  g_test_add_func ("/sdp/read/cryptos", test_cryptos);
  g_test_add_func ("/sdp/read/errors", test_errors);
  g_test_add_func ("/sdp/read/nul", test_nul);
  g_test_add_func ("/sdp/read/no-key-in-errors", test_no_key_in_errors);
  g_test_add_func ("/sdp/read/limits", test_limits);
  return g_test_run ();
}
