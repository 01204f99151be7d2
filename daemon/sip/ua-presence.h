/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Presence of an account: its watches, its mailbox, and what it publishes. */

#include "sip/ua-subscription.h"

/* ---- ua-watch.c ---- */
void ua_watch_start (gpointer ua, PhoneWatch *watch);
void ua_watch_stop (gpointer ua, PhoneWatch *watch);
void ua_mailbox_on_unsolicited (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_presence_open (UaAccount *account);     /* once the engine data of the account are set */
void ua_presence_close (UaAccount *account);
void ua_presence_ready (UaAccount *account, gboolean fresh);    /* registered, again or (fresh) anew; or there is no registrar */

/* ---- ua-notifier.c ---- */
void ua_notifier_on_subscribe (UaStack *stack, const UaEvent *event, gpointer owner);  /* owner: NULL, or the one that it renews */
typedef enum
{
  UA_MOVE_NONE,
  UA_MOVE_TAKEN,
  UA_MOVE_REFUSED,              /* we would write to somebody who has not asked */
} UaMove;
/* Before sofia sees a SUBSCRIBE on that handle, from peer: whether its Contact is another than before. */
UaMove ua_notifier_judge_move (nua_handle_t *nh, const sip_t *sip, const struct sockaddr *peer);
void ua_notifier_on_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_notifier_changed (gpointer ua, PhoneSubscriber *subscriber);
void ua_notifier_end (gpointer ua, PhoneSubscriber *subscriber, const char *reason);
void ua_notifiers_update (UaAccount *account);          /* what is told may be another */
void ua_notifiers_close (UaStack *stack);               /* tells them */
void ua_notifiers_abandon (UaStack *stack);             /* their handles are about to go */

/* ---- ua-hosting.c ---- */
/* Who is in the conference that the call is in; entity: its URI, as the reader knows it; before: what the reader knows of it, NULL: nothing. Caller
 * frees. */
char *ua_hosting_document (PhoneCall *call, const char *entity, guint version, const GPtrArray *before);

/* ---- ua-dialog-document.c ---- */
char *ua_dialog_document (UaStack *stack, guint version, gboolean detailed);    /* dialog-info of the calls of the account; caller frees */

/* ---- ua-publication.c ---- */
char *ua_presence_document (UaAccount *account);        /* PIDF of the present status; caller frees */
UaPublication *ua_publication_new (UaAccount *account);
void ua_publication_free (UaPublication *publication);
/* The status is another, or the account can publish now. */
void ua_publication_update (UaPublication *publication);
void ua_publication_stop (UaPublication *publication);          /* un-PUBLISH; busy until it is answered */
gboolean ua_publication_is_busy (UaPublication *publication);   /* on its way out */
void ua_publication_abandon (UaPublication *publication);
void ua_publication_on_response (UaStack *stack, const UaEvent *event, gpointer owner);
