/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Offer/answer for one audio stream (RFC 3264), SDES key agreement (RFC 4568) and the codec order, on values
 * only: no sockets, no text, no clock. The three functions cover all roles:
 *
 *   offerer:   phone_offer_create -> (peer) -> phone_offer_complete (our offer, their answer) -> plan
 *   answerer:  phone_answer_create (their offer) -> our answer and the plan
 *
 * The same functions serve re-INVITE and UPDATE: the previous local description is passed, so that payload
 * types, ports and (unless a new key is asked for) SDES keys stay as they were. */

#include "core/ice.h"
#include "core/media-desc.h"
#include "util/phone-error.h"

#define PHONE_SRTP_POLICY_LIST(X) \
  X (PHONE_SRTP_OFF, "off") X (PHONE_SRTP_PREFERRED, "preferred") X (PHONE_SRTP_REQUIRED, "required")
PHONE_DECLARE_ENUM (PhoneSrtpPolicy, phone_srtp_policy, PHONE_SRTP_POLICY_LIST)

/* any: SDES where its keys may travel, DTLS where the peer wants it or nothing else is left. */
#define PHONE_KEYING_LIST(X) X (PHONE_KEYING_ANY, "any") X (PHONE_KEYING_SDES, "sdes") X (PHONE_KEYING_DTLS, "dtls")
PHONE_DECLARE_ENUM (PhoneKeying, phone_keying, PHONE_KEYING_LIST)

typedef struct _PhoneMediaPlan PhoneMediaPlan;

/* What we are able and willing to do on this call. Built from account settings and the state of the call. */
typedef struct
{
  guint n_codecs;
  PhoneCodecId codecs[PHONE_MAX_CODECS];        /* allowed, preferred first */
  PhoneSrtpPolicy srtp;                         /* on the wire: see media-security.c */
  gboolean sdes_allowed;                        /* FALSE: keys may not travel (signalling in clear text) */
  PhoneKeying keying;
  gboolean dtls_first;                          /* with keying any: the peer has refused SDES */
  const PhoneDtlsDesc *dtls;                    /* our fingerprint and tls-id; borrowed; NULL: no DTLS */
  guint ptime;                                  /* ms */
  PhoneDirection direction;                     /* what we want: RECVONLY/INACTIVE/SENDONLY while we hold */
  const char *address;                          /* ours, numeric; borrowed */
  guint16 port, rtcp_port;                      /* bound already */
  gboolean rtcp_mux;
  const PhoneIceDesc *ice;                      /* ours; borrowed; NULL: plain RTP */
  guint32 opus_max_bitrate;                     /* bit/s, what we ask the peer not to exceed; 0: no limit */
  /* The plan in force in this dialog, NULL: none yet; borrowed. Shows whether a re-offer brings other keys:
   * then we change ours too. */
  const PhoneMediaPlan *running;
} PhoneMediaCaps;

/* What both sides agreed on: everything that the media engine needs to run the stream. */
struct _PhoneMediaPlan
{
  gboolean refused;                             /* port 0 in the answer: no audio at all */
  char *remote_address;                         /* owned */
  guint16 remote_port, remote_rtcp_port;        /* equal with rtcp_mux; remote_rtcp_port 0: send no RTCP */
  gboolean rtcp_mux;
  PhoneDirection direction;                     /* ours: SEND bit = we may send, RECV bit = we listen */
  PhoneCodec send;                              /* with the peer's payload type and the peer's fmtp limits */
  guint n_receive;
  PhoneCodec receive[PHONE_MAX_CODECS];         /* with our payload types: any of them may arrive */
  guint ptime;                                  /* ms that we send: 10, 20, 40 or 60 */
  guint least_ptime;                            /* ms; may be less where that is of use: 10, or as ptime */
  int send_dtmf, receive_dtmf_8000, receive_dtmf_48000;  /* payload types, -1: none */
  guint8 send_red, receive_red;                 /* payload types of RFC 2198 redundancy for Opus, 0: none */
  guint send_dtmf_rate;                         /* Hz: the send codec's, else 8000; 0: send_dtmf is -1 */
  gboolean remote_hold;                         /* the peer does not take what we would send */
  gboolean encrypted;
  gboolean answered;                            /* the answer is ours: the peer learns our key some time after we have the plan */
  gboolean dtls;                                /* encrypted, with keys that come out of this handshake: */
  PhoneDtlsPlan handshake;
  PhoneSrtpKey send_key, receive_key;           /* valid when encrypted otherwise (SDES) */
  PhoneIceDesc ice;                             /* the peer's; all zero: plain RTP to remote_address */
  /* How each side tells the other when its packets came, in RTCP of reduced size; at most one of the two */
  gboolean ccfb;                                /* RFC 8888 */
  guint8 transport_cc;                          /* WebRTC's; identifier of its header extension, 1..14, 0: no */
  gboolean voip_metrics;                        /* the peer wants to be told how we hear it (RFC 3611 section 4.7) */
  PhoneRcvrRtt rcvr_rtt;                        /* both sides ask and answer for the round trip (sections 4.4, 4.5) */
};

PhoneMediaPlan *phone_media_plan_copy (const PhoneMediaPlan *plan);
gboolean phone_media_plan_has_ice (const PhoneMediaPlan *plan);
gboolean phone_media_plan_equal (const PhoneMediaPlan *a, const PhoneMediaPlan *b);
void phone_media_plan_clear_keys (PhoneMediaPlan *plan);         /* which suite it was stays to be told */
void phone_media_plan_free (PhoneMediaPlan *plan);              /* wipes keys; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneMediaPlan, phone_media_plan_free)

/* New offer. previous: our last description in this dialog, or NULL. new_keys: take fresh SDES keys (RFC 4568
 * section 7.1.4) even if previous has some. Fails with PHONE_ERROR_MEDIA_FAILED when the policy leaves
 * nothing to offer (srtp required but keys may not travel). */
PhoneMediaDesc *phone_offer_create (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous,
                                    gboolean new_keys, GError **error);

/* Answer to a peer's offer. Keeps our send key of previous unless the peer's keys changed or the suite did.
 * On failure (no codec in common, encryption required and not offered, all suites unknown)
 * PHONE_ERROR_MEDIA_FAILED: the caller answers 488. */
PhoneMediaDesc *phone_answer_create (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer,
                                     const PhoneMediaDesc *previous, PhoneMediaPlan **ret_plan, GError **error);

/* The peer's answer to our offer. Fails with PHONE_ERROR_MEDIA_FAILED when the answer is not a valid one for
 * that offer (unknown crypto tag, codec that was not offered, clear text where encryption is required). */
PhoneMediaPlan *phone_offer_complete (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer,
                                      const PhoneMediaDesc *answer, GError **error);
