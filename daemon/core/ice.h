/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one side of a session says about ICE (RFC 8839), as a value. No behaviour: compare, copy by assignment. */

#include "util/phone-enum.h"

#define PHONE_CANDIDATE_TYPE_LIST(X) \
  X (PHONE_CANDIDATE_HOST, "host") X (PHONE_CANDIDATE_SRFLX, "srflx") X (PHONE_CANDIDATE_PRFLX, "prflx") \
  X (PHONE_CANDIDATE_RELAY, "relay")
PHONE_DECLARE_ENUM (PhoneCandidateType, phone_candidate_type, PHONE_CANDIDATE_TYPE_LIST)

/* UDP, and the three roles of a TCP candidate (a=candidate ... tcptype, RFC 6544 section 4.5). */
#define PHONE_CANDIDATE_TRANSPORT_LIST(X) \
  X (PHONE_CANDIDATE_UDP, "udp") X (PHONE_CANDIDATE_TCP_ACTIVE, "active") \
  X (PHONE_CANDIDATE_TCP_PASSIVE, "passive") X (PHONE_CANDIDATE_TCP_SO, "so")
PHONE_DECLARE_ENUM (PhoneCandidateTransport, phone_candidate_transport, PHONE_CANDIDATE_TRANSPORT_LIST)

#define PHONE_ICE_MAX_CANDIDATES 32     /* of all components; more of a peer's are not looked at */
#define PHONE_ICE_MAX_REMOTE 2          /* a=remote-candidates: one for each component */
#define PHONE_ICE_MAX_SECRET 256        /* characters of ufrag and pwd, RFC 8839 section 5.4 */
#define PHONE_ICE_MAX_FOUNDATION 32
#define PHONE_ICE_MAX_ADDRESS 46        /* numeric, with its NUL */

typedef struct
{
  char foundation[PHONE_ICE_MAX_FOUNDATION + 1];
  guint component;                      /* 1..256; 1: RTP, 2: RTCP */
  PhoneCandidateTransport transport;
  guint32 priority;                     /* not 0 */
  char address[PHONE_ICE_MAX_ADDRESS];  /* numeric; names (mDNS of browsers) are not looked up */
  guint16 port;
  PhoneCandidateType type;
  char related_address[PHONE_ICE_MAX_ADDRESS];  /* raddr, "" when not stated */
  guint16 related_port;
} PhoneCandidate;

typedef struct
{
  guint component;
  char address[PHONE_ICE_MAX_ADDRESS];
  guint16 port;
} PhoneRemoteCandidate;

/* All zero: no ICE. Fixed arrays, so that assignment copies; pwd is a secret, never printed. */
typedef struct
{
  char ufrag[PHONE_ICE_MAX_SECRET + 1], pwd[PHONE_ICE_MAX_SECRET + 1];  /* both or neither */
  gboolean lite;                        /* a=ice-lite */
  gboolean trickle, ice2;               /* a=ice-options */
  gboolean end_of_candidates;           /* with trickle: no more will come (RFC 8840) */
  gboolean mismatch;                    /* a=ice-mismatch: in an answer, the default candidate was rewritten on the way */
  guint pacing;                         /* ms, a=ice-pacing; 0: not stated */
  guint n_candidates;
  PhoneCandidate candidates[PHONE_ICE_MAX_CANDIDATES];
  guint n_remote;                       /* a=remote-candidates of a controlling peer */
  PhoneRemoteCandidate remote[PHONE_ICE_MAX_REMOTE];
} PhoneIceDesc;

gboolean phone_candidate_equal (const PhoneCandidate *a, const PhoneCandidate *b);
gboolean phone_ice_desc_equal (const PhoneIceDesc *a, const PhoneIceDesc *b);
/* Takes what came after the description (RFC 8838): candidates that are not in it yet, as long as there is room, and that there will be no more.
 * FALSE: nothing new, or of other credentials, which is all that old news and another branch's have. */
gboolean phone_ice_desc_trickle (PhoneIceDesc *peer, const PhoneIceDesc *news);

/* Of a session's paths. off: plain RTP, by choice or because the peer has no ICE. waiting: our candidates are known, the peer's are not. */
#define PHONE_ICE_STATE_LIST(X) \
  X (PHONE_ICE_OFF, "off") X (PHONE_ICE_GATHERING, "gathering") X (PHONE_ICE_WAITING, "waiting") \
  X (PHONE_ICE_CHECKING, "checking") X (PHONE_ICE_CONNECTED, "connected") X (PHONE_ICE_FAILED, "failed")
PHONE_DECLARE_ENUM (PhoneIceState, phone_ice_state, PHONE_ICE_STATE_LIST)
