/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reports of voice quality on their way to a collector (RFC 6035): one PUBLISH each, in turn, tried again a few times. */

#include "sip/ua-private.h"

UaQuality *ua_quality_new (UaAccount *account);
void ua_quality_free (UaQuality *quality);      /* accepts NULL */
void ua_quality_abandon (UaQuality *quality);   /* its handle is about to go; what waits is sent later */
void ua_quality_on_response (UaStack *stack, const UaEvent *event, gpointer owner);
/* Of PhoneSignallingOps. */
void ua_quality_report (gpointer ua, PhoneAccount *account, const char *id, const char *target, const char *body);
