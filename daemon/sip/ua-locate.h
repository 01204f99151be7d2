/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The stack of an account that speaks the address family of a target. */

#include "sip/ua-private.h"

GHashTable *ua_places_new (void);               /* of an account, for this file */
/* Of the way to target, a URI. AF_UNSPEC: the DNS has been asked, and phone_account_on_located () follows. */
int ua_locate_family (UaAccount *account, const char *target);
/* What the DNS said of target lately, all of one family; borrowed. NULL: nothing. */
GPtrArray *ua_locate_targets (UaAccount *account, const char *target);
/* Our address towards target, as far as the stack speaks to it. NULL: no route. Caller frees. */
char *ua_locate_source (UaStack *stack, const char *target);
/* Of what the DNS said of host, those of the one family that the account reaches it by, and with which stack. */
GPtrArray *ua_locate_choose (UaAccount *account, const char *host, GPtrArray *targets, UaStack **ret_stack);
/* The stack that requests to target go out by; the usual one as long as it is not known. NULL: we have no address of its family. */
UaStack *ua_locate_stack (UaAccount *account, const char *target, GError **error);
