/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Why a call ended (or could not start): who ended it, the class, and what the wire said. Pure value. */

#include "util/phone-enum.h"
#include "util/phone-error.h"

#define PHONE_ACTOR_LIST(X) X (PHONE_ACTOR_LOCAL, "local") X (PHONE_ACTOR_REMOTE, "remote") X (PHONE_ACTOR_NETWORK, "network")
PHONE_DECLARE_ENUM (PhoneActor, phone_actor, PHONE_ACTOR_LIST)

#define PHONE_CAUSE_LIST(X) \
  X (PHONE_CAUSE_NONE, "none") \
  X (PHONE_CAUSE_HANGUP, "hangup") \
  X (PHONE_CAUSE_CANCELLED, "cancelled") \
  X (PHONE_CAUSE_BUSY, "busy") \
  X (PHONE_CAUSE_DECLINED, "declined") \
  X (PHONE_CAUSE_NO_ANSWER, "no-answer") \
  X (PHONE_CAUSE_UNAVAILABLE, "unavailable") \
  X (PHONE_CAUSE_NOT_FOUND, "not-found") \
  X (PHONE_CAUSE_FORBIDDEN, "forbidden") \
  X (PHONE_CAUSE_AUTH_FAILED, "auth-failed") \
  X (PHONE_CAUSE_NOT_ACCEPTABLE, "not-acceptable") \
  X (PHONE_CAUSE_UNREACHABLE, "unreachable") \
  X (PHONE_CAUSE_TLS, "tls") \
  X (PHONE_CAUSE_SERVER_ERROR, "server-error") \
  X (PHONE_CAUSE_REDIRECTED, "redirected") \
  X (PHONE_CAUSE_ANSWERED_ELSEWHERE, "answered-elsewhere") \
  X (PHONE_CAUSE_REPLACED, "replaced") \
  X (PHONE_CAUSE_TRANSFERRED, "transferred") \
  X (PHONE_CAUSE_ACK_TIMEOUT, "ack-timeout") \
  X (PHONE_CAUSE_SESSION_TIMEOUT, "session-timeout") \
  X (PHONE_CAUSE_RTP_TIMEOUT, "rtp-timeout") \
  X (PHONE_CAUSE_MEDIA_FAILED, "media-failed") \
  X (PHONE_CAUSE_SHUTDOWN, "shutdown") \
  X (PHONE_CAUSE_FAILED, "failed")
PHONE_DECLARE_ENUM (PhoneCause, phone_cause, PHONE_CAUSE_LIST)

typedef struct
{
  PhoneActor actor;
  PhoneCause cause;
  guint sip;                    /* status code, 0: none */
  guint q850;                   /* ITU-T Q.850 cause, 0: none */
  char *phrase;                 /* owned, may be NULL; from the wire: printable UTF-8, length-limited */
  gboolean answered_elsewhere;  /* RFC 3326: Reason: SIP;cause=200 in a CANCEL or BYE */
} PhoneReason;

/* phrase may be NULL. */
PhoneReason *phone_reason_new (PhoneActor actor, PhoneCause cause, guint sip, const char *phrase);
/* A final response to our request: maps the status to a cause (404 not-found, 486 busy, 603 declined, 408/480 ...). */
PhoneReason *phone_reason_from_status (guint sip_status, const char *phrase);
PhoneReason *phone_reason_copy (const PhoneReason *reason);
void phone_reason_free (PhoneReason *reason);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneReason, phone_reason_free)

/* Q.850 cause for a SIP status (RFC 3398 section 7.2.4.1), 0 if there is none. */
guint phone_q850_from_status (guint sip_status);
