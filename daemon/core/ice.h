/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one side of a session says about ICE (RFC 8839), as a value, and the state of a session's paths. */

#include "util/phone-enum.h"

#define PHONE_CANDIDATE_TYPE_LIST(X) \
  X (PHONE_CANDIDATE_HOST, "host") X (PHONE_CANDIDATE_SRFLX, "srflx") X (PHONE_CANDIDATE_PRFLX, "prflx") \
  X (PHONE_CANDIDATE_RELAY, "relay")
PHONE_DECLARE_ENUM (PhoneCandidateType, phone_candidate_type, PHONE_CANDIDATE_TYPE_LIST)

#define PHONE_ICE_MAX_CANDIDATES 32     /* of both components; more of a peer's are not looked at */
#define PHONE_ICE_MAX_SECRET 256        /* characters of ufrag and pwd, RFC 8839 section 5.4 */
#define PHONE_ICE_MAX_FOUNDATION 32

/* Over UDP; others are not for us. */
typedef struct
{
  char foundation[PHONE_ICE_MAX_FOUNDATION + 1];
  guint component;                      /* 1: RTP, 2: RTCP */
  guint32 priority;
  char address[46];                     /* numeric */
  guint16 port;
  PhoneCandidateType type;
  char related_address[46];             /* raddr, "" when not stated */
  guint16 related_port;
} PhoneCandidate;

typedef struct
{
  char ufrag[PHONE_ICE_MAX_SECRET + 1], pwd[PHONE_ICE_MAX_SECRET + 1];
  gboolean lite;                        /* a=ice-lite */
  gboolean trickle;                     /* a=ice-options:trickle, and no end-of-candidates: more may come (RFC 8840) */
  guint n_candidates;
  PhoneCandidate candidates[PHONE_ICE_MAX_CANDIDATES];
} PhoneIceDesc;

/* off: plain RTP, by choice or because the peer has no ICE. waiting: our candidates are known, the peer's are not. */
#define PHONE_ICE_STATE_LIST(X) \
  X (PHONE_ICE_OFF, "off") X (PHONE_ICE_GATHERING, "gathering") X (PHONE_ICE_WAITING, "waiting") \
  X (PHONE_ICE_CHECKING, "checking") X (PHONE_ICE_CONNECTED, "connected") X (PHONE_ICE_FAILED, "failed")
PHONE_DECLARE_ENUM (PhoneIceState, phone_ice_state, PHONE_ICE_STATE_LIST)
