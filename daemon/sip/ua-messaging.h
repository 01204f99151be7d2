/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* MESSAGE (RFC 3428), in and out of dialogs. */

#include "sip/ua-dialog.h"

#define UA_DATAGRAM_LIMIT 1300          /* octets; RFC 3261 section 18.1.1, RFC 3428 section 8 */

gboolean ua_messaging_send (gpointer ua, PhoneAccount *account, const PhoneMessageParams *params, GError **error);
void ua_messaging_answer (gpointer ua, gpointer transaction, guint status, guint retry_after);
void ua_messaging_on_request (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_messaging_on_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_messaging_on_dialog_response (UaStack *stack, const UaEvent *event, gpointer owner);
/* The stack goes without waiting: what is out is out, and nobody will know; what came in is not answered. */
void ua_messaging_abandon (UaStack *stack);
void ua_messaging_abandon_incoming (UaStack *stack);    /* part of it */
void ua_messaging_dialog_gone (UaDialog *dialog);
