/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A subscription that we end is not over with its un-SUBSCRIBE: the notifier owes a last NOTIFY (RFC 6665 section 4.4.1), and whoever has forgotten
 * the dialog by then answers 481 to it, which servers log as a fault of ours, and some send it again. So the handle stays until that has come, for
 * timer N at most (section 4.1.2.4). */

#include "sip/ua-private.h"

/* Takes the handle of an established subscription over and un-SUBSCRIBEs. */
void ua_parting_begin (UaStack *stack, nua_handle_t *nh, const char *event);

/* ---- for the stack ---- */
void ua_parting_on_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_parting_on_notify (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_parting_abandon (gpointer owner, gpointer data);        /* the handle is about to go */
