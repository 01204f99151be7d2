/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The stack of an account that the way to a target begins at. */

#include "sip/ua-private.h"

GHashTable *ua_places_new (void);               /* of an account, for this file */
/* The way to target, a URI. FALSE: the DNS has been asked, and phone_account_on_located () follows. */
gboolean ua_locate_is_known (UaAccount *account, const char *target);
/* As it is known now, it is by TLS. */
gboolean ua_locate_is_tls (UaAccount *account, const char *target);
/* The URI wants TLS, which the account takes, and is reached by nothing else. */
gboolean ua_locate_needs_tls (UaAccount *account, const char *uri);
/* It is known, and requests to target go out by that stack. */
gboolean ua_locate_is_by (UaStack *stack, const char *target);
/* What the DNS said of target lately, as far as it is for that stack; owned. NULL: nothing. */
GPtrArray *ua_locate_targets (UaStack *stack, const char *target);
/* Our address towards target, as far as the stack speaks to it. NULL: no route. Caller frees. */
char *ua_locate_source (UaStack *stack, const char *target);
/* Of what the DNS said of the host of uri, those that the account reaches it by, and with which stack. NULL: that cannot be made, and error says why. */
GPtrArray *ua_locate_choose (UaAccount *account, const char *uri, GPtrArray *targets, UaStack **ret_stack, GError **error);
/* The stack that requests to target go out by; the usual one as long as it is not known. NULL: we have no address of its family. */
UaStack *ua_locate_stack (UaAccount *account, const char *target, GError **error);
