/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Signalling, media and storage without a network, for the real model and the real bus above them. What the
 * far end does is written in the user part of the dialled (or calling) URI:
 *
 *   sip:echo@      180, then 200              sip:ring@     180 and no more         sip:silent@    nothing
 *   sip:busy@      486                        sip:decline@  603                     sip:notfound@  404
 *   sip:early@     183 with media             sip:burst@    180, 200 and BYE in one go
 *   sip:down@      the engine cannot send     sip:noack@    (incoming) our 200 is not confirmed until told
 *   sip:stuck@     never answers a re-INVITE            sip:nohold@    refuses a re-INVITE with 488
 *
 * A watch is active at once and says: presence away, "at lunch"; sip:busy@ on the phone, sip:ring@ a call from sip:echo@ that rings,
 * sip:notfound@ is refused with 404, sip:silent@ stays pending.
 *
 * An account whose AoR has the user part "fail" is refused with 403, "strict" as long as it has no password; "slow" stays in registering. An account
 * or a password whose id is "diskfull" cannot be saved. Everything that a network would say comes from an
 * idle source, never inside a call. */

#include "core/registry.h"

typedef struct _FakeEngine FakeEngine;

/* state: folder of the recordings, which are kept by the real storage; credentials: where it finds its key, or NULL. */
FakeEngine *fake_engine_new (const char *state, const char *credentials);
void fake_engine_free (FakeEngine *engine);
void fake_engine_get_ports (FakeEngine *engine, PhonePorts *ret_ports);

const char *fake_engine_get_secret (FakeEngine *engine, const char *account_id); /* NULL: none was saved */
/* Digits that were sent on all calls, by RTP or INFO. */
const char *fake_engine_get_digits (FakeEngine *engine);

/* A REFER of the peer; what we say about it afterwards: "180 200 ". */
guint fake_engine_refer (FakeEngine *engine, PhoneCall *call, const char *target, const char *replaces);
const char *fake_engine_get_news (FakeEngine *engine);

/* An INVITE arrives. offer FALSE: without SDP. Returns the call's number, 0: refused with *ret_status. */
guint fake_engine_incoming (FakeEngine *engine, PhoneRegistry *registry, PhoneAccount *account,
                            const char *uri, const char *name, gboolean offer, guint *ret_status);
/* The far end's ACK, BYE and re-INVITE. */
void fake_engine_confirm (PhoneCall *call);
void fake_engine_end (PhoneCall *call, guint sip_status);       /* 0: BYE */
gboolean fake_engine_reoffer (PhoneCall *call, PhoneDirection direction, GError **error);
void fake_engine_reoffer_answered (PhoneCall *call);
/* A digit by RFC 4733. FALSE: the call has no media. */
gboolean fake_engine_digit (PhoneCall *call, char digit, guint ms);
