/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request and the targets that it may go to (RFC 3263 section 4.3).
 *
 *   start --DNS--> send (1st) --answer, or the last target--> RFC 3261's timers hold
 *                    |  ^
 *                    |  +--- send (2nd) ...
 *                    +--- refused, 503, or PATIENCE_MS without any answer, and another target is left (or there may be one without TLS)
 *
 * A target found dead is remembered for a while, by all accounts, and comes last in the next walk. */

#include "sip/ua-private.h"

typedef struct _UaWalk UaWalk;

/* Send the request to route (for NUTAG_PROXY; NULL: sofia finds the way). silent: the one before is still open, unanswered, and to be abandoned. */
typedef void (*UaWalkFunc) (gpointer owner, const char *route, gboolean silent);
/* The last target, by TLS, has not said anything either. The request ends as if it had timed out: ua_walk_next () buries the target. */
typedef void (*UaWalkLostFunc) (gpointer owner);
/* The target insists on TLS, which cannot be had: nothing was sent. event: a failure of the stack's own, of no handle. */
typedef void (*UaWalkBarredFunc) (UaStack *stack, const UaEvent *event, gpointer owner);

/* stack: NULL: whichever the account has for the target; send asks for it, and is sent on by another when nobody is reached by TLS. */
UaWalk *ua_walk_new (UaAccount *account, UaStack *stack, UaWalkFunc send, gpointer owner);
void ua_walk_set_lost (UaWalk *walk, UaWalkLostFunc lost);      /* NULL: RFC 3261's timers hold there */
/* For whoever is sent to URIs of others; never called before ua_walk_start () returns. */
void ua_walk_set_barred (UaWalk *walk, UaWalkBarredFunc barred);
void ua_walk_free (UaWalk *walk);       /* accepts NULL */
/* Begins anew. target: a URI, for accounts without a server; else NULL. stay: begin at the target that the account uses if it is not dead. May
 * call send before it returns. */
void ua_walk_start (UaWalk *walk, const char *target, gboolean stay);
void ua_walk_set_leads (UaWalk *walk);  /* it is the registration's: the account's stack follows where the walk goes */
UaStack *ua_walk_get_stack (UaWalk *walk);
void ua_walk_stop (UaWalk *walk);       /* no send after this */
gboolean ua_walk_is_asking (UaWalk *walk);      /* started, nothing sent or said yet */
/* An answer came: of whatever kind, if it is the far end's. */
void ua_walk_heard (UaWalk *walk, const UaEvent *event);
/* A 100, to whichever walk it is for. */
void ua_walk_on_trying (const sip_t *sip);
/* A final answer to the request, or the stack's own failure: FALSE if that is the result. TRUE: send was called for the next target. */
gboolean ua_walk_next (UaWalk *walk, const UaEvent *event);

/* The account's present target does not answer. TRUE: it has others. */
gboolean ua_account_flow_failed (UaAccount *account);

/* ---- what the engine remembers ---- */
typedef struct _UaDeadList UaDeadList;
UaDeadList *ua_dead_list_new (void);
void ua_dead_list_free (UaDeadList *list);
void ua_dead_list_clear (UaDeadList *list);
/* seconds: 0: as long as its failures in a row suggest. now: monotonic us. */
void ua_dead_list_add (UaDeadList *list, const char *key, guint seconds, gint64 now);
void ua_dead_list_remove (UaDeadList *list, const char *key);
gboolean ua_dead_list_contains (UaDeadList *list, const char *key, gint64 now);
