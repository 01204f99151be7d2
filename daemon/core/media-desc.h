/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PhoneMediaDesc is the one value that signalling and media exchange: the audio stream of one side of a
 * session as RFC 8866 (SDP) describes it, without any text. sip/ converts it from and to SDP,
 * core/offer-answer negotiates on it (RFC 3264), media/ acts on the outcome (PhoneMediaPlan). Values, no
 * behaviour: compare, copy, free.
 *
 * Directions are always seen from the side that the description belongs to: in a description that we
 * received, SENDONLY means that the peer sends. phone_direction_reverse() turns it round. */

#include "core/dtls.h"
#include "core/ice.h"
#include "util/phone-enum.h"

#define PHONE_CODEC_LIST(X) \
  X (PHONE_CODEC_OPUS, "opus") X (PHONE_CODEC_G722, "g722") X (PHONE_CODEC_PCMU, "pcmu") X (PHONE_CODEC_PCMA, "pcma")
PHONE_DECLARE_ENUM (PhoneCodecId, phone_codec_id, PHONE_CODEC_LIST)

/* Bit 0: this side sends; bit 1: this side receives. */
#define PHONE_DIRECTION_LIST(X) \
  X (PHONE_DIRECTION_INACTIVE, "inactive") X (PHONE_DIRECTION_SENDONLY, "sendonly") \
  X (PHONE_DIRECTION_RECVONLY, "recvonly") X (PHONE_DIRECTION_SENDRECV, "sendrecv")
PHONE_DECLARE_ENUM (PhoneDirection, phone_direction, PHONE_DIRECTION_LIST)
PhoneDirection phone_direction_reverse (PhoneDirection direction);

#define PHONE_PROFILE_LIST(X) \
  X (PHONE_PROFILE_AVP, "RTP/AVP") X (PHONE_PROFILE_AVPF, "RTP/AVPF") \
  X (PHONE_PROFILE_SAVP, "RTP/SAVP") X (PHONE_PROFILE_SAVPF, "RTP/SAVPF") \
  X (PHONE_PROFILE_DTLS_SAVP, "UDP/TLS/RTP/SAVP") X (PHONE_PROFILE_DTLS_SAVPF, "UDP/TLS/RTP/SAVPF")
PHONE_DECLARE_ENUM (PhoneProfile, phone_profile, PHONE_PROFILE_LIST)
gboolean phone_profile_is_secure (PhoneProfile profile);

/* Names as registered for SDES (RFC 4568, 6188, 7714), strongest first: the order in which we offer. */
#define PHONE_SRTP_SUITE_LIST(X) \
  X (PHONE_SRTP_AEAD_AES_256_GCM, "AEAD_AES_256_GCM") \
  X (PHONE_SRTP_AEAD_AES_128_GCM, "AEAD_AES_128_GCM") \
  X (PHONE_SRTP_AES_256_CM_HMAC_SHA1_80, "AES_256_CM_HMAC_SHA1_80") \
  X (PHONE_SRTP_AES_256_CM_HMAC_SHA1_32, "AES_256_CM_HMAC_SHA1_32") \
  X (PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80") \
  X (PHONE_SRTP_AES_CM_128_HMAC_SHA1_32, "AES_CM_128_HMAC_SHA1_32")
PHONE_DECLARE_ENUM (PhoneSrtpSuite, phone_srtp_suite, PHONE_SRTP_SUITE_LIST)
/* Octets of master key plus master salt: 44, 28, 46, 46, 30, 30. */
gsize phone_srtp_suite_key_length (PhoneSrtpSuite suite);

#define PHONE_SRTP_MAX_KEY 46
#define PHONE_MAX_CODECS 16
#define PHONE_MAX_CRYPTOS 12

/* One master key and salt. Whoever holds one wipes it with phone_srtp_key_clear(); never printed. */
typedef struct
{
  guint tag;                            /* a=crypto tag, 1..999999999 */
  PhoneSrtpSuite suite;
  guint8 key[PHONE_SRTP_MAX_KEY];       /* master key followed by master salt */
  guint64 lifetime;                     /* packets, RFC 4568 section 9.1; 0: the suite's default */
  guint8 mki_length;                    /* octets, 0: no MKI; RFC 4568 section 6.1 */
  guint32 mki;
} PhoneSrtpKey;

/* Same suite, key material and MKI: the same SRTP context (RFC 4568 section 7.1.4). The tag is only a name
 * and does not count. */
gboolean phone_srtp_key_same (const PhoneSrtpKey *a, const PhoneSrtpKey *b);
gboolean phone_srtp_key_equal (const PhoneSrtpKey *a, const PhoneSrtpKey *b);   /* tag and lifetime too */
/* Fresh random key from getrandom(2), default lifetime, no MKI. FALSE (MEDIA_FAILED): the kernel gives no
 * random octets. */
gboolean phone_srtp_key_generate (PhoneSrtpKey *ret_key, PhoneSrtpSuite suite, guint tag, GError **error);
void phone_srtp_key_clear (PhoneSrtpKey *key);

/* One RTP payload format. Only the fmtp parameters that we act on are kept. */
typedef struct
{
  PhoneCodecId id;
  guint8 payload_type;                  /* 0..127 as numbered by the side that the description belongs to */
  /* Opus, RFC 7587 section 6.1; what this side wants to receive. 0: not stated. */
  guint32 max_playback_rate;            /* Hz */
  guint32 max_average_bitrate;          /* bit/s */
  guint min_ptime;                      /* ms: packets may be as short as that (minptime of older drafts, which WebRTC has kept) */
  gboolean use_inband_fec, use_dtx, stereo, cbr;
} PhoneCodec;

/* RTP clock rate in Hz as it stands in a=rtpmap: 48000 for Opus, 8000 for the others (G.722 too, RFC 3551
 * 4.5.2). */
guint phone_codec_clock_rate (PhoneCodecId id);
gboolean phone_codec_equal (const PhoneCodec *a, const PhoneCodec *b);

/* What the RTCP of RFC 4585, 5104, 8888 and of WebRTC may carry for an audio stream; the rest (pli, fir ...) is video's. */
#define PHONE_FEEDBACK_LIST(X) \
  X (PHONE_FEEDBACK_NACK, "nack") X (PHONE_FEEDBACK_TRR_INT, "trr-int") X (PHONE_FEEDBACK_TMMBR, "ccm tmmbr") \
  X (PHONE_FEEDBACK_CCFB, "ack ccfb") X (PHONE_FEEDBACK_TRANSPORT_CC, "transport-cc")
PHONE_DECLARE_ENUM (PhoneFeedbackType, phone_feedback_type, PHONE_FEEDBACK_LIST)

/* a=rtcp-fb */
typedef struct
{
  int payload_type;                     /* -1: any ("*") */
  PhoneFeedbackType type;
  guint32 value;                        /* of trr-int: ms; of tmmbr: packets per second at most, 0: not stated */
} PhoneFeedback;

/* RTP header extensions (RFC 8285) by their URI. */
#define PHONE_EXTENSION_LIST(X) \
  X (PHONE_EXTENSION_AUDIO_LEVEL, "urn:ietf:params:rtp-hdrext:ssrc-audio-level") \
  X (PHONE_EXTENSION_MID, "urn:ietf:params:rtp-hdrext:sdes:mid") \
  X (PHONE_EXTENSION_TRANSPORT_CC, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01") \
  X (PHONE_EXTENSION_ABS_SEND_TIME, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")
PHONE_DECLARE_ENUM (PhoneExtensionType, phone_extension_type, PHONE_EXTENSION_LIST)

/* a=extmap */
typedef struct
{
  PhoneExtensionType type;
  guint16 id;                           /* 1..255; 4096..4351: only proposed (RFC 8285 section 6) */
  PhoneDirection direction;
} PhoneExtension;

/* a=record (RFC 7866): whether this side records what it hears. */
#define PHONE_RECORD_MARK_LIST(X) \
  X (PHONE_RECORD_MARK_NONE, "none") X (PHONE_RECORD_MARK_OFF, "off") X (PHONE_RECORD_MARK_ON, "on") X (PHONE_RECORD_MARK_PAUSED, "paused")
PHONE_DECLARE_ENUM (PhoneRecordMark, phone_record_mark, PHONE_RECORD_MARK_LIST)

/* a=rtcp-xr:rcvr-rtt (RFC 3611 section 5.1): who answers one that only receives and asks for the round trip. In rising order. */
typedef enum
{
  PHONE_RCVR_RTT_NONE,
  PHONE_RCVR_RTT_SENDER,                /* only whoever sends RTP at the time */
  PHONE_RCVR_RTT_ALL,
} PhoneRcvrRtt;

#define PHONE_MAX_FEEDBACK 16
#define PHONE_MAX_EXTENSIONS 8

typedef struct
{
  /* Numeric IPv4 or IPv6 of c=; owned. Nothing may be sent to 0.0.0.0 and ::, which means hold (RFC 3264 section 8.4), or with
   * ICE only that no default candidate is known yet (RFC 8840 section 4.1.1). */
  char *address;
  guint16 port;                         /* RTP; 0: the stream is refused */
  /* a=rtcp (RFC 3605), else port + 1: where RTCP goes unless both sides multiplex; 0: nowhere. */
  guint16 rtcp_port;
  gboolean rtcp_mux;                    /* RFC 5761: in an offer only a proposal */
  gboolean rtcp_mux_only;               /* RFC 8858: there is no other way */
  gboolean rtcp_rsize;                  /* RFC 5506: RTCP that need not begin with a report */
  gboolean voip_metrics;                /* a=rtcp-xr (RFC 3611 section 5): this side wants to be told how it is heard */
  PhoneRcvrRtt rcvr_rtt;
  PhoneProfile profile;
  PhoneDirection direction;
  guint ptime;                          /* ms, 0: not stated */
  guint maxptime;                       /* ms, 0: not stated */
  guint n_codecs;
  PhoneCodec codecs[PHONE_MAX_CODECS];  /* in order of preference */
  /* telephone-event (RFC 4733), one per clock rate; payload type -1: absent */
  int dtmf_8000, dtmf_48000;
  guint8 red;                           /* payload type of redundancy for Opus (RFC 2198), 0: absent */
  guint n_cryptos;
  PhoneSrtpKey cryptos[PHONE_MAX_CRYPTOS];
  PhoneDtlsDesc dtls;
  PhoneIceDesc ice;
  guint n_feedback;
  PhoneFeedback feedback[PHONE_MAX_FEEDBACK];
  guint n_extensions;
  PhoneExtension extensions[PHONE_MAX_EXTENSIONS];
  gboolean mixed_extensions;            /* a=extmap-allow-mixed */
  PhoneRecordMark record;
} PhoneMediaDesc;

PhoneMediaDesc *phone_media_desc_new (void);                    /* no codecs, sendrecv, RTP/AVP, no events */
PhoneMediaDesc *phone_media_desc_copy (const PhoneMediaDesc *desc);
gboolean phone_media_desc_equal (const PhoneMediaDesc *a, const PhoneMediaDesc *b);
gboolean phone_media_desc_has_ice (const PhoneMediaDesc *desc);
/* The direction with the hold of old in it: an address of 0.0.0.0 takes nothing. */
PhoneDirection phone_media_desc_stated_direction (const PhoneMediaDesc *desc);
void phone_media_desc_free (PhoneMediaDesc *desc);              /* wipes keys; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneMediaDesc, phone_media_desc_free)
