/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SDP text: the examples of RFC 3264, RFC 4317 and RFC 4568 as far as they are about audio, texts in the manner of deployed
 * peers, malformed ones, what must stay the same from one text to the next, and random negotiations through text. */

#include "core/offer-answer.h"
#include "sip/sdp.h"

#include <string.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
#define KEY30 "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define OTHER30 "inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
#define KEY44 "inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXI="

static PhoneMediaDesc *
read_with (UaSdp *sdp, const char *text)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *desc = NULL;

  if (!ua_sdp_read (sdp, text, strlen (text), &desc, &error))
    g_error ("%s\n%s", error->message, text);
  g_assert_no_error (error);
  g_assert_nonnull (desc);
  return desc;
}

static PhoneMediaDesc *
read_text (const char *text)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  return read_with (sdp, text);
}

static PhoneMediaCaps
make_caps (const char *address, guint16 port, PhoneSrtpPolicy srtp)
{
  return (PhoneMediaCaps) {
    .n_codecs = 4,
    .codecs = { PHONE_CODEC_OPUS, PHONE_CODEC_G722, PHONE_CODEC_PCMA, PHONE_CODEC_PCMU },
    .srtp = srtp, .sdes_allowed = TRUE, .ptime = 20, .direction = PHONE_DIRECTION_SENDRECV,
    .address = address, .port = port, .rtcp_port = port + 1, .rtcp_mux = TRUE,
  };
}

/* Reads the offer, answers it, returns the text of the answer. */
static char *
answer_text (UaSdp *sdp, const PhoneMediaCaps *caps, const char *offer, const PhoneMediaDesc *previous, PhoneMediaPlan **ret_plan)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) theirs = read_with (sdp, offer);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (PhoneMediaDesc) ours = phone_answer_create (caps, theirs, previous, &plan, &error);

  g_assert_no_error (error);
  if (ret_plan != NULL)
    *ret_plan = g_steal_pointer (&plan);
  return ua_sdp_write_answer (sdp, ours);
}

static void
expect (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no \"%s\" in:\n%s", part, text);
}

static void
expect_not (const char *text, const char *part)
{
  if (strstr (text, part) != NULL)
    g_error ("\"%s\" in:\n%s", part, text);
}

/* The m-lines of a text in order, one per line. */
static char *
media_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  GString *found = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "m="))
      g_string_append_printf (found, "%s\n", lines[i]);
  return g_string_free (found, FALSE);
}

/* ---- reading: values ---- */

static void
test_plain (void)
{
  g_autoptr (PhoneMediaDesc) desc = read_text (
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
      g_autoptr (PhoneMediaDesc) desc = read_text (text);

      g_assert_cmpuint (desc->ptime, ==, 40);
      g_assert_cmpint (desc->direction, ==, PHONE_DIRECTION_SENDONLY);
    }
}

static void
test_formats (void)
{
  g_autoptr (PhoneMediaDesc) desc = read_text (HEAD
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
  g_assert_cmpint (desc->codecs[1].id, ==, PHONE_CODEC_PCMU);
  g_assert_cmpint (desc->codecs[2].id, ==, PHONE_CODEC_PCMA);
  g_assert_cmpuint (desc->codecs[2].payload_type, ==, 8);
  g_assert_cmpint (desc->codecs[3].id, ==, PHONE_CODEC_PCMA);
  g_assert_cmpuint (desc->codecs[3].payload_type, ==, 77);
  g_assert_cmpint (desc->dtmf_48000, ==, 100);
  g_assert_cmpint (desc->dtmf_8000, ==, 101);
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
      g_autoptr (PhoneMediaDesc) desc = read_text (text);

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
      g_autoptr (PhoneMediaDesc) desc = read_text (text);

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
      g_autoptr (PhoneMediaDesc) desc = read_text (text);

      g_assert_cmpuint (desc->rtcp_port, ==, cases[i].port);
      g_assert_cmpint (desc->rtcp_mux, ==, cases[i].mux);
    }

  g_autoptr (PhoneMediaDesc) last = read_text (HEAD "m=audio 65535 RTP/AVP 8\r\n");
  g_assert_cmpuint (last->rtcp_port, ==, 0);
}

/* What the session part says counts where the section is silent. */
static void
test_inheritance (void)
{
  g_autoptr (PhoneMediaDesc) heir = read_text (HEAD "a=sendonly\r\na=ptime:30\r\na=maxptime:90\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 "
                                               KEY30 "\r\nm=audio 4000 RTP/SAVP 8\r\n");
  g_autoptr (PhoneMediaDesc) own = read_text (HEAD "a=sendonly\r\na=ptime:30\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 " KEY30
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
      g_autoptr (PhoneMediaDesc) desc = read_text (text);

      g_assert_cmpint (desc->profile, ==, i);
    }
}

static void
test_cryptos (void)
{
  g_autoptr (PhoneMediaDesc) desc = read_text (HEAD "m=audio 4000 RTP/SAVP 8\r\n"
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
      expect_not (error->message, "d0Rm");
      expect_not (error->message, "inline");
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
  last = read_with (sdp, text->str);
  g_assert_cmpuint (last->n_codecs, ==, 1);
  g_string_append (text, "m=video 4000 RTP/AVP 31\r\n");
  g_assert_false (ua_sdp_read (sdp, text->str, text->len, &desc, &error));
  expect (error->message, "more than 64 m-lines");
  g_clear_error (&error);

  g_string_assign (text, HEAD);
  while (text->len < UA_SDP_MAX_LENGTH - 200)
    g_string_append (text, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY30 "\r\n");
  g_string_append (text, "m=audio 4000 RTP/AVP 8\r\n");
  keys = read_with (sdp, text->str);
  g_assert_cmpuint (keys->n_cryptos, ==, 1);
  while (text->len <= UA_SDP_MAX_LENGTH)
    g_string_append (text, "a=x\r\n");
  g_assert_false (ua_sdp_read (sdp, text->str, text->len, &desc, &error));
  expect (error->message, "octets");
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
  many = read_with (sdp, text->str);
  g_assert_cmpuint (many->n_codecs, ==, PHONE_MAX_CODECS);
  g_assert_cmpuint (many->n_cryptos, ==, PHONE_MAX_CRYPTOS);
  g_string_free (text, TRUE);
}

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
      g_autoptr (PhoneMediaDesc) desc = read_text (text);

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

      ua_sdp_set_policy (sdp, codecs, G_N_ELEMENTS (codecs), cases[i].srtp, cases[i].sdes);
      desc = read_with (sdp, text);
      g_assert_cmpuint (desc->port, ==, cases[i].port);
    }
}

/* The stream in use is kept as long as it works, whatever comes before it. */
static void
test_favourite (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
  g_autofree char *first = answer_text (sdp, &caps, HEAD "m=audio 0 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 8\r\n", NULL, NULL);
  g_autofree char *second = answer_text (sdp, &caps, HEAD "m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 8\r\n", NULL, NULL);
  g_autofree char *third = answer_text (sdp, &caps, HEAD "m=audio 4000 RTP/AVP 0\r\nm=audio 0 RTP/AVP 8\r\n", NULL, NULL);

  expect (first, "m=audio 0 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 8\r\n");
  expect (second, "m=audio 0 RTP/AVP 0\r\nm=audio 5000 RTP/AVP 8\r\n");
  expect (third, "m=audio 5000 RTP/AVP 0\r\n");
  g_assert_true (g_str_has_suffix (third, "m=audio 0 RTP/AVP 8\r\n"));
}

/* ---- what stays from text to text ---- */

static guint64
version_of (const char *text, guint64 *ret_id)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", 3);
  g_auto (GStrv) fields = g_strsplit (lines[1], " ", -1);

  g_assert_cmpstr (lines[0], ==, "v=0");
  g_assert_cmpuint (g_strv_length (fields), ==, 6);
  g_assert_cmpstr (fields[0], ==, "o=-");
  g_assert_cmpstr (fields[5], ==, "192.0.2.1");
  *ret_id = g_ascii_strtoull (fields[1], NULL, 10);
  return g_ascii_strtoull (fields[2], NULL, 10);
}

static void
test_origin (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new (), other = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 5000, PHONE_SRTP_REQUIRED);
  g_autoptr (PhoneMediaDesc) offer = phone_offer_create (&caps, NULL, FALSE, NULL);
  g_autofree char *first = ua_sdp_write_offer (sdp, offer), *again = ua_sdp_write_offer (sdp, offer);
  g_autofree char *held = NULL, *moved = NULL, *elsewhere = ua_sdp_write_offer (other, offer);
  guint64 id, version, id2, other_id;

  version = version_of (first, &id);
  g_assert_cmpuint (id, >, 0);
  g_assert_cmpstr (first, ==, again);
  version_of (elsewhere, &other_id);
  g_assert_cmpuint (id, !=, other_id);

  offer->direction = PHONE_DIRECTION_SENDONLY;
  held = ua_sdp_write_offer (sdp, offer);
  g_assert_cmpuint (version_of (held, &id2), ==, version + 1);
  g_assert_cmpuint (id2, ==, id);

  /* The address in o= is part of the session's name and stays. */
  g_free (offer->address);
  offer->address = g_strdup ("2001:db8::7");
  moved = ua_sdp_write_offer (sdp, offer);
  g_assert_cmpuint (version_of (moved, &id2), ==, version + 2);
  expect (moved, "c=IN IP6 2001:db8::7\r\n");
}

static void
test_written_offer (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("2001:db8::1", 5000, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaDesc) offer = NULL;
  g_autofree char *text = NULL;

  caps.opus_max_bitrate = 32000;
  caps.rtcp_port = 5007;
  offer = phone_offer_create (&caps, NULL, FALSE, NULL);
  text = ua_sdp_write_offer (sdp, offer);
  g_assert_cmpstr (strstr (text, "s=-"), ==,
                   "s=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 96 9 8 0 102 101\r\n"
                   "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 maxaveragebitrate=32000;useinbandfec=1\r\n"
                   "a=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
                   "a=rtpmap:102 telephone-event/48000\r\na=fmtp:102 0-16\r\n"
                   "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
                   "a=ptime:20\r\na=rtcp:5007\r\na=rtcp-mux\r\na=sendrecv\r\n");
}

/* RFC 3264 section 6: as many m-lines as the offer, in its order; RFC 5888 mids and RFC 9143 groups. */
static void
test_layout (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autofree char *answer = answer_text (sdp, &caps,
      "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\na=group:LS v0 d\r\na=group:BUNDLE v0 a1 d\r\n"
      "m=video 6000 RTP/AVPF 97 98\r\na=mid:v0\r\na=rtpmap:97 VP8/90000\r\nm=audio 4000 RTP/AVPF 8\r\na=mid:a1\r\na=rtcp-mux\r\n"
      "m=application 9 UDP/BFCP *\r\nm=image 7000 udptl t38\r\na=mid:d\r\nm=message 7000/2 TCP/MSRP\r\n", NULL, &plan);
  g_autofree char *lines = media_lines (answer);
  g_autoptr (PhoneMediaDesc) offer = NULL;
  g_autofree char *offer_text = NULL, *offer_lines = NULL;

  g_assert_cmpstr (lines, ==, "m=video 0 RTP/AVPF 97\nm=audio 5000 RTP/AVPF 8\nm=application 0 UDP/BFCP *\nm=image 0 udptl t38\n"
                   "m=message 0 TCP/MSRP 0\n");
  expect (answer, "a=group:BUNDLE a1\r\n");
  expect (answer, "m=video 0 RTP/AVPF 97\r\na=mid:v0\r\nm=audio 5000 RTP/AVPF 8\r\na=mid:a1\r\n");
  expect (answer, "t38\r\na=mid:d\r\n");
  expect_not (answer, "LS");

  /* Our own offer later keeps them all. */
  offer = phone_offer_create (&caps, NULL, FALSE, NULL);
  offer_text = ua_sdp_write_offer (sdp, offer);
  offer_lines = media_lines (offer_text);
  g_assert_cmpstr (offer_lines, ==, "m=video 0 RTP/AVPF 97\nm=audio 5000 RTP/AVP 96 9 8 0 102 101\nm=application 0 UDP/BFCP *\n"
                   "m=image 0 udptl t38\nm=message 0 TCP/MSRP 0\n");
  expect (offer_text, "a=mid:a1\r\n");
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
      PhoneMediaCaps caps = make_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
      g_autofree char *offer = g_strconcat (HEAD "a=group:", cases[i].group, "\r\nm=audio 4000 RTP/AVP 8\r\na=mid:0\r\n",
                                            cases[i].mux, NULL);
      g_autofree char *answer = NULL;

      caps.rtcp_mux = cases[i].want_mux;
      answer = answer_text (sdp, &caps, offer, NULL, NULL);
      expect (answer, "a=mid:0\r\n");
      if (cases[i].repeated)
        expect (answer, "a=group:BUNDLE 0\r\n");
      else
        expect_not (answer, "a=group");
    }
}

/* An offer that we refuse with 488, or one that cannot be read, leaves nothing behind. */
static void
test_refused_offer (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
  g_autofree char *first = answer_text (sdp, &caps, HEAD "m=audio 4000 RTP/AVP 8\r\n", NULL, NULL);
  g_autoptr (PhoneMediaDesc) refused = read_with (sdp, HEAD "m=video 4000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 18\r\n");
  g_autoptr (PhoneMediaDesc) offer = phone_offer_create (&caps, NULL, FALSE, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *ours = ua_sdp_write_offer (sdp, offer);
  g_autofree char *lines = media_lines (ours);
  PhoneMediaDesc *none;

  g_assert_cmpuint (refused->n_codecs, ==, 0);
  g_assert_cmpstr (lines, ==, "m=audio 5000 RTP/AVP 96 9 8 0 102 101\n");
  g_assert_false (ua_sdp_read (sdp, "v=0\r\n", 5, &none, &error));
  expect (first, "m=audio 5000");
}

static void
test_refused_audio (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 5000, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autofree char *answer = answer_text (sdp, &caps, HEAD "a=group:BUNDLE a\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111 0\r\na=mid:a\r\n"
                                         "a=rtcp-mux\r\n", NULL, &plan);

  g_assert_true (plan->refused);
  g_assert_true (g_str_has_suffix (answer, "t=0 0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:a\r\n"));
}

/* ---- RFC 3264 section 10 ---- */

static void
test_rfc3264 (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 49920, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaPlan) plan = NULL, held = NULL;
  g_autofree char *answer = NULL, *lines = NULL, *again = NULL, *again_lines = NULL;

  answer = answer_text (sdp, &caps,
      "v=0\r\no=alice 2890844526 2890844526 IN IP4 host.anywhere.com\r\ns=\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n"
      "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
      "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n", NULL, &plan);
  lines = media_lines (answer);
  g_assert_cmpstr (lines, ==, "m=audio 49920 RTP/AVP 0\nm=video 0 RTP/AVP 31\nm=video 0 RTP/AVP 32\n");
  g_assert_cmpint (plan->send.id, ==, PHONE_CODEC_PCMU);
  g_assert_cmpuint (plan->remote_port, ==, 49170);

  /* Bob moves the audio port and adds a stream for telephone events. */
  again = answer_text (sdp, &caps,
      "v=0\r\no=alice 2890844526 2890844527 IN IP4 host.anywhere.com\r\ns=\r\nc=IN IP4 192.0.2.101\r\nt=0 0\r\n"
      "m=audio 65422 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 0 RTP/AVP 31\r\n"
      "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n"
      "m=audio 51434 RTP/AVP 110\r\na=rtpmap:110 telephone-event/8000\r\na=recvonly\r\n", NULL, &held);
  again_lines = media_lines (again);
  g_assert_cmpstr (again_lines, ==, "m=audio 49920 RTP/AVP 0\nm=video 0 RTP/AVP 31\nm=video 0 RTP/AVP 32\nm=audio 0 RTP/AVP 110\n");
  g_assert_cmpuint (held->remote_port, ==, 65422);
}

/* RFC 3264 section 10.2: one of N codecs. */
static void
test_rfc3264_codecs (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 49920, PHONE_SRTP_OFF);
  g_autoptr (PhoneMediaPlan) plan = NULL, one = NULL;
  g_autofree char *answer = answer_text (sdp, &caps, HEAD "m=audio 62986 RTP/AVP 0 4 18\r\na=rtpmap:0 PCMU/8000\r\n"
                                         "a=rtpmap:4 G723/8000\r\na=rtpmap:18 G729/8000\r\na=inactive\r\n", NULL, &plan);
  g_autofree char *again = answer_text (sdp, &caps, HEAD "m=audio 62986 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", NULL, &one);

  expect (answer, "m=audio 49920 RTP/AVP 0\r\n");
  expect (answer, "a=inactive\r\n");
  g_assert_cmpint (plan->direction, ==, PHONE_DIRECTION_INACTIVE);
  expect (again, "a=sendrecv\r\n");
  g_assert_cmpint (one->direction, ==, PHONE_DIRECTION_SENDRECV);
}

/* ---- RFC 4317 ---- */

/* The sections with audio, with addresses in place of the host names (c= takes no others here) and G.722 in place of iLBC under its
 * dynamic numbers. Video and second audio streams, which the RFC's parties accept, are refused by us. 5.1, an offer without any
 * stream, is an error. We are Bob where Alice offers first and the answer is of interest, else Alice. */

typedef struct
{
  UaSdp *sdp;
  PhoneMediaCaps caps;
  PhoneMediaDesc *local;
  PhoneMediaPlan *plan;
} Side;

static void
side_set (Side *side, PhoneMediaDesc *local, PhoneMediaPlan *plan)
{
  phone_media_desc_free (side->local);
  phone_media_plan_free (side->plan);
  side->local = local;
  side->plan = plan;
  side->caps.running = plan;
}

static void
side_clear (Side *side)
{
  side_set (side, NULL, NULL);
  ua_sdp_free (side->sdp);
}

static Side
make_side (guint16 port, guint n, PhoneCodecId first, PhoneCodecId second)
{
  Side side = { .sdp = ua_sdp_new (), .caps = make_caps ("192.0.2.1", port, PHONE_SRTP_OFF) };

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
they_offer (Side *us, guint version, const char *address, const char *media, const char *lines, char **ret_text)
{
  g_autofree char *offer = party_text ("peer", version, address, media);
  g_autoptr (PhoneMediaDesc) theirs = NULL;
  g_autoptr (GError) error = NULL;
  PhoneMediaPlan *plan;
  PhoneMediaDesc *ours;
  g_autofree char *text = NULL, *seen = NULL;

  ua_sdp_set_policy (us->sdp, us->caps.codecs, us->caps.n_codecs, us->caps.srtp, us->caps.sdes_allowed);
  theirs = read_with (us->sdp, offer);
  ours = phone_answer_create (&us->caps, theirs, us->local, &plan, &error);
  g_assert_no_error (error);
  side_set (us, ours, plan);
  text = ua_sdp_write_answer (us->sdp, ours);
  seen = media_lines (text);
  g_assert_cmpstr (seen, ==, lines);
  if (ret_text != NULL)
    *ret_text = g_steal_pointer (&text);
}

static void
we_offer (Side *us, const char *lines, guint version, const char *address, const char *media)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *ours = phone_offer_create (&us->caps, us->local, FALSE, &error);
  g_autofree char *text = ua_sdp_write_offer (us->sdp, ours), *seen = media_lines (text);
  g_autofree char *answer = party_text ("peer", version, address, media);
  g_autoptr (PhoneMediaDesc) theirs = read_with (us->sdp, answer);

  g_assert_cmpstr (seen, ==, lines);
  side_set (us, ours, phone_offer_complete (&us->caps, ours, theirs, &error));
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
  Side bob = make_side (49174, 1, PHONE_CODEC_PCMU, 0);
  char *first, *second;
  guint64 id;

  they_offer (&bob, 0, ALICE, THREE VIDEO, "m=audio 49174 RTP/AVP 0\nm=video 0 RTP/AVP 31\n", NULL);            /* 2.1 */
  g_assert_cmpint (bob.plan->send.id, ==, PHONE_CODEC_PCMU);
  side_clear (&bob);

  bob = make_side (49172, 2, PHONE_CODEC_PCMU, PHONE_CODEC_PCMA);
  they_offer (&bob, 0, ALICE, THREE VIDEO, "m=audio 49172 RTP/AVP 0 8\nm=video 0 RTP/AVP 31\n", &first);        /* 2.2 */
  g_assert_cmpuint (bob.plan->n_receive, ==, 2);
  they_offer (&bob, 1, ALICE, "m=audio 51372 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 0 RTP/AVP 31\r\n",
              "m=audio 49172 RTP/AVP 0\nm=video 0 RTP/AVP 31\n", &second);
  g_assert_cmpuint (bob.plan->remote_port, ==, 51372);
  g_assert_cmpuint (version_of (second, &id), ==, version_of (first, &id) + 1);
  side_clear (&bob);
  g_free (first);
  g_free (second);

  bob = make_side (49172, 1, PHONE_CODEC_G722, 0);
  they_offer (&bob, 0, ALICE, TWO TONES, "m=audio 49172 RTP/AVP 97\nm=audio 0 RTP/AVP 98\n", NULL);             /* 2.4 */
  side_clear (&bob);

  bob = make_side (49170, 1, PHONE_CODEC_G722, 0);
  they_offer (&bob, 0, ALICE, "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=audio 51372 RTP/AVP 97 101\r\n"
              "a=rtpmap:97 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
              "m=audio 0 RTP/AVP 0\nm=audio 49170 RTP/AVP 97 101\n", NULL);                                     /* 2.6 */
  g_assert_cmpuint (bob.plan->remote_port, ==, 51372);
  g_assert_cmpint (bob.plan->send_dtmf, ==, 101);
  side_clear (&bob);

  bob = make_side (49172, 1, PHONE_CODEC_G722, 0);
  they_offer (&bob, 0, ALICE, "m=audio 49170 RTP/AVP 99\r\na=rtpmap:99 G722/8000\r\nm=video 51372 RTP/AVP 31\r\n",
              "m=audio 49172 RTP/AVP 99\nm=video 0 RTP/AVP 31\n", &first);                                      /* 2.7 */
  they_offer (&bob, 1, ALICE, "m=audio 49170 RTP/AVP 99\r\na=rtpmap:99 G722/8000\r\nm=video 51372 RTP/AVP 31 32\r\n",
              "m=audio 49172 RTP/AVP 99\nm=video 0 RTP/AVP 31\n", &second);
  g_assert_cmpstr (first, ==, second);          /* for us nothing changed */
  side_clear (&bob);
  g_free (first);
  g_free (second);
}

#define OURS "m=audio 49170 RTP/AVP 0 9 101\n"

static void
test_rfc4317_completion (void)
{
  Side alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);

  we_offer (&alice, OURS, 0, BOB, "m=audio 49172 RTP/AVP 99\r\na=rtpmap:99 G722/8000\r\n");                     /* 2.3 */
  g_assert_cmpint (alice.plan->send.id, ==, PHONE_CODEC_G722);
  g_assert_cmpuint (alice.plan->send.payload_type, ==, 99);
  g_assert_cmpuint (alice.plan->receive[0].payload_type, ==, 9);
  side_clear (&alice);

  alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  we_offer (&alice, OURS, 0, BOB, "m=audio 49174 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n");                     /* 2.5 */
  they_offer (&alice, 1, "192.0.2.202", "m=audio 49178 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n", "m=audio 49170 RTP/AVP 97\n", NULL);
  g_assert_cmpstr (alice.plan->remote_address, ==, "192.0.2.202");
  g_assert_cmpuint (alice.plan->remote_port, ==, 49178);
  side_clear (&alice);

  alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  we_offer (&alice, OURS, 0, BOB, "m=audio 49174 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 49172 RTP/AVP 32\r\n"
            "c=IN IP4 otherhost.biloxi.example.com\r\na=rtpmap:32 MPV/90000\r\n");                              /* 2.8 */
  g_assert_cmpstr (alice.plan->remote_address, ==, BOB);
  side_clear (&alice);
}

static void
test_rfc4317_hold (void)
{
  Side alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  Side bob = make_side (49172, 1, PHONE_CODEC_G722, 0);
  char *text;

  we_offer (&alice, OURS, 0, BOB, "m=audio 49172 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\na=sendonly\r\n");       /* 3.1 */
  g_assert_cmpint (alice.plan->direction, ==, PHONE_DIRECTION_RECVONLY);
  g_assert_true (alice.plan->remote_hold);
  they_offer (&alice, 1, BOB, "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n", "m=audio 49170 RTP/AVP 97\n", &text);
  expect (text, "a=sendrecv\r\n");
  g_free (text);
  g_assert_cmpint (alice.plan->direction, ==, PHONE_DIRECTION_SENDRECV);
  g_assert_false (alice.plan->remote_hold);
  side_clear (&alice);

  /* 3.2: its last answer leaves out the direction that RFC 3264 asks for; we listen no more for that. */
  they_offer (&bob, 0, ALICE, TWO TONES, "m=audio 49172 RTP/AVP 97\nm=audio 0 RTP/AVP 98\n", NULL);
  bob.caps.direction = PHONE_DIRECTION_SENDONLY;
  we_offer (&bob, "m=audio 49172 RTP/AVP 97 101\nm=audio 0 RTP/AVP 98\n", 1, ALICE, TWO TONES);
  g_assert_cmpint (bob.plan->direction, ==, PHONE_DIRECTION_SENDONLY);
  g_assert_false (bob.plan->remote_hold);
  side_clear (&bob);
}

static void
test_rfc4317_streams (void)
{
  Side alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  Side bob = make_side (49172, 1, PHONE_CODEC_PCMU, 0);

  we_offer (&alice, OURS, 0, BOB, "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n");                     /* 4.1 */
  they_offer (&alice, 1, BOB, "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\nm=audio 48282 RTP/AVP 98\r\n"
              "c=IN IP4 mediaserver.biloxi.example.com\r\na=rtpmap:98 telephone-event/8000\r\na=recvonly\r\n",
              "m=audio 49170 RTP/AVP 97\nm=audio 0 RTP/AVP 98\n", NULL);
  side_clear (&alice);

  they_offer (&bob, 0, ALICE, "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", "m=audio 49172 RTP/AVP 0\n", NULL);
  they_offer (&bob, 1, ALICE, "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 49172 RTP/AVP 31\r\n",
              "m=audio 49172 RTP/AVP 0\nm=video 0 RTP/AVP 31\n", NULL);                                         /* 4.2 */
  side_clear (&bob);

  bob = make_side (49174, 1, PHONE_CODEC_G722, 0);
  they_offer (&bob, 0, ALICE, "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n" VIDEO,
              "m=audio 49174 RTP/AVP 97\nm=video 0 RTP/AVP 31\n", NULL);                                        /* 4.3 */
  we_offer (&bob, "m=audio 49174 RTP/AVP 97 101\nm=video 0 RTP/AVP 31\n", 1, ALICE,
            "m=audio 49170 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\nm=video 0 RTP/AVP 31\r\n");
  side_clear (&bob);
}

/* The "black hole" address of third party call control. */
static void
test_rfc4317_black_hole (void)
{
  Side bob = make_side (49170, 1, PHONE_CODEC_G722, 0);
  Side alice = make_side (49170, 2, PHONE_CODEC_PCMU, PHONE_CODEC_G722);
  static const char media[] = "m=audio 23442 RTP/AVP 97\r\na=rtpmap:97 G722/8000\r\n";

  they_offer (&bob, 0, "0.0.0.0", media, "m=audio 49170 RTP/AVP 97\n", NULL);                                   /* 5.2 */
  g_assert_cmpint (bob.plan->direction, ==, PHONE_DIRECTION_RECVONLY);
  g_assert_true (bob.plan->remote_hold);
  they_offer (&bob, 1, ALICE, media, "m=audio 49170 RTP/AVP 97\n", NULL);
  g_assert_cmpint (bob.plan->direction, ==, PHONE_DIRECTION_SENDRECV);
  side_clear (&bob);

  we_offer (&alice, OURS, 0, "0.0.0.0", media);                                                                 /* 5.3 */
  g_assert_cmpint (alice.plan->direction, ==, PHONE_DIRECTION_RECVONLY);
  they_offer (&alice, 1, BOB, media, "m=audio 49170 RTP/AVP 97\n", NULL);
  g_assert_cmpint (alice.plan->direction, ==, PHONE_DIRECTION_SENDRECV);
  side_clear (&alice);
}

/* ---- RFC 4568 ---- */

#define RFC_OFFERED "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define RFC_ANSWERED "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"

static void
test_rfc4568 (void)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 32640, PHONE_SRTP_REQUIRED);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (PhoneMediaDesc) desc = NULL, answered = NULL;
  g_autofree char *answer = NULL;

  desc = read_text ("v=0\r\no=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=SDP Seminar\r\n"
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
  answer = answer_text (sdp, &caps,
      "v=0\r\no=sam 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=SRTP Discussion\r\ni=A discussion of Secure RTP\r\n"
      "u=http://www.example.com/seminars/srtp.pdf\r\ne=marge@example.com (Marge Simpson)\r\nc=IN IP4 168.2.17.12\r\n"
      "t=2873397496 2873404696\r\nm=audio 49170 RTP/SAVP 0\r\n"
      "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " RFC_OFFERED "|2^20|1:4 FEC_ORDER=FEC_SRTP\r\n"
      "a=crypto:2 F8_128_HMAC_SHA1_80 inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;"
      "inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP\r\n", NULL, &plan);
  expect (answer, "m=audio 32640 RTP/SAVP 0\r\n");
  expect (answer, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:");
  expect_not (answer, RFC_OFFERED);
  expect_not (answer, "a=crypto:2");
  g_assert_true (plan->encrypted);
  g_assert_cmpuint (plan->receive_key.lifetime, ==, 1 << 20);
  g_assert_cmpuint (plan->receive_key.mki_length, ==, 4);
  g_assert_cmpuint (plan->receive_key.mki, ==, 1);
  g_assert_cmpuint (plan->send_key.mki_length, ==, 0);

  answered = read_text ("v=0\r\no=jill 25690844 8070842634 IN IP4 10.47.16.5\r\ns=SRTP Discussion\r\nc=IN IP4 168.2.17.11\r\n"
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
    "a=ice-ufrag:x\r\na=ice-pwd:y\r\na=ice-options:trickle\r\na=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\na=mid:0\r\n"
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
      PhoneMediaCaps caps = make_caps ("192.0.2.1", 5000, PHONE_SRTP_PREFERRED);
      g_autoptr (PhoneMediaPlan) plan = NULL;
      g_autofree char *answer = answer_text (sdp, &caps, cases[i].text, NULL, &plan);

      expect (answer, cases[i].m_line);
      if (cases[i].crypto != NULL)
        expect (answer, cases[i].crypto);
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
  g_autoptr (PhoneMediaDesc) desc = read_text (chrome);
  PhoneMediaCaps caps = make_caps ("192.0.2.1", 5000, PHONE_SRTP_PREFERRED);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (desc->profile, ==, PHONE_PROFILE_DTLS_SAVPF);
  g_assert_cmpuint (desc->n_codecs, ==, 4);
  g_assert_null (phone_answer_create (&caps, desc, NULL, &plan, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  expect (error->message, "DTLS-SRTP is not supported yet");
}

/* ---- random negotiations through text ---- */

static PhoneMediaCaps
random_caps (const char *v4, const char *v6, guint16 port)
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
  caps.address = g_test_rand_bit () ? v4 : v6;
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
assert_half (const Side *a, const Side *b)
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
exchange (Side *from, Side *to, gboolean new_keys)
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
  seen = read_with (to->sdp, text);
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
  answer_seen = read_with (from->sdp, text);
  ua_sdp_free_text (text);
  here = phone_offer_complete (&from->caps, offer, answer_seen, &error);
  g_assert_no_error (error);
  side_set (from, g_steal_pointer (&offer), here);
  side_set (to, g_steal_pointer (&answer), g_steal_pointer (&there));
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
      Side a = { .sdp = ua_sdp_new (), .caps = random_caps ("192.0.2.1", "2001:db8::1", 4000) };
      Side b = { .sdp = ua_sdp_new (), .caps = random_caps ("192.0.2.2", "2001:db8::2", 6000) };

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
      side_clear (&a);
      side_clear (&b);
    }
  /* The generator must reach both. */
  g_assert_cmpuint (agreed, >, 500);
  g_assert_cmpuint (encrypted, >, 100);
}

/* A re-offer that changes nothing is the same text, and its answer is. */
static void
test_stable (void)
{
  Side a = { .sdp = ua_sdp_new (), .caps = make_caps ("192.0.2.1", 4000, PHONE_SRTP_REQUIRED) };
  Side b = { .sdp = ua_sdp_new (), .caps = make_caps ("192.0.2.2", 6000, PHONE_SRTP_REQUIRED) };
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
  side_clear (&a);
  side_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/read/plain", test_plain);
  g_test_add_func ("/sdp/read/line-ends", test_line_ends);
  g_test_add_func ("/sdp/read/formats", test_formats);
  g_test_add_func ("/sdp/read/opus", test_opus_limits);
  g_test_add_func ("/sdp/read/addresses", test_addresses);
  g_test_add_func ("/sdp/read/rtcp", test_rtcp);
  g_test_add_func ("/sdp/read/inheritance", test_inheritance);
  g_test_add_func ("/sdp/read/profiles", test_profiles);
  g_test_add_func ("/sdp/read/cryptos", test_cryptos);
  g_test_add_func ("/sdp/read/errors", test_errors);
  g_test_add_func ("/sdp/read/nul", test_nul);
  g_test_add_func ("/sdp/read/no-key-in-errors", test_no_key_in_errors);
  g_test_add_func ("/sdp/read/limits", test_limits);
  g_test_add_func ("/sdp/choice/usable", test_choice);
  g_test_add_func ("/sdp/choice/policy", test_choice_by_policy);
  g_test_add_func ("/sdp/favourite", test_favourite);
  g_test_add_func ("/sdp/origin", test_origin);
  g_test_add_func ("/sdp/written-offer", test_written_offer);
  g_test_add_func ("/sdp/layout", test_layout);
  g_test_add_func ("/sdp/bundle", test_bundle);
  g_test_add_func ("/sdp/refused/offer", test_refused_offer);
  g_test_add_func ("/sdp/refused/audio", test_refused_audio);
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
  g_test_add_func ("/sdp/random", test_random);
  g_test_add_func ("/sdp/stable", test_stable);
  return g_test_run ();
}
