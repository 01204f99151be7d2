/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What REFER and its NOTIFYs carry, as pure functions: no sofia types, no I/O; what comes in is hostile. */

#include "util/phone-error.h"

#define UA_MAX_DIALOG_ID 512            /* octets of a Replaces or Target-Dialog value */

/* A dialog as this side of it sees it. */
typedef struct
{
  char *call_id, *local_tag, *remote_tag;
  gboolean early_only;
} UaDialogId;

/* The URI of the Contact in such a body: where a transferred peer has arrived, if whoever reports it tells (clean). NULL: it does not. Caller frees. */
char *ua_sipfrag_contact (const char *content_type, const char *body, gsize length);
/* The status in a body of message/sipfrag, 100-699 (RFC 3420); 0: there is none. */
guint ua_sipfrag_status (const char *content_type, const char *body, gsize length);
/* Caller frees. */
char *ua_sipfrag_write (guint status, const char *phrase);

/* Refer-To (RFC 3515): the URI without headers and method, and the Replaces header that it asks for, or NULL. INVALID_TARGET for what is not a
 * URI, NOT_SUPPORTED for a method other than INVITE. Headers other than Replaces are dropped: nobody else writes ours. */
gboolean ua_refer_to_parse (const char *value, char **ret_target, char **ret_replaces, GError **error);
/* Caller frees. replaces: a header value, or NULL. */
char *ua_refer_to_write (const char *target, const char *replaces, GError **error);

/* Target-Dialog (RFC 4538) in a request that came to us, and Replaces (RFC 3891) likewise: call-id;PARAMS. Both tags must be there. */
gboolean ua_target_dialog_parse (const char *value, UaDialogId *ret_id);
gboolean ua_replaces_parse (const char *value, UaDialogId *ret_id);
void ua_dialog_id_clear (UaDialogId *id);
