/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Subscriptions to events of the network (RFC 6665), whatever the package: kept up until they are freed.
 *
 *   IDLE --the account can--> TRYING --2xx--> PENDING --NOTIFY active--> ACTIVE
 *     ^                         |                 |                        |
 *     |                         +--- refused -----+---- ended -------------+--> WAITING --back-off, Retry-After--> TRYING
 *     +--- the account cannot any more (from any state)
 *
 * One timer each, and only while WAITING; sofia refreshes. At most a few SUBSCRIBE of an account are open at a time, so that hundreds of
 * watches do not flood the server (or our own socket) when the phone comes up. */

#include "core/presence.h"
#include "sip/ua-private.h"

typedef struct
{
  const char *event;
  const char *accept;
  guint expires;                /* s, asked for */
  const char *lists;            /* types that the state of a resource list comes in (RFC 4662), beside accept; NULL: none is understood */
  /* Body of a NOTIFY; never empty. type: value of Content-Type. */
  void (*notify) (gpointer owner, const char *type, const char *data, gsize length);
  void (*changed) (gpointer owner, const PhoneSubscriptionDetail *detail);
  void (*restarted) (gpointer owner);   /* another subscription begins: versions of its documents begin anew; may be NULL */
  char *(*headers) (gpointer owner);    /* lines that go along, without the last end of line; NULL: none. Caller frees. May be NULL */
} UaEventPackage;

/* package is borrowed for good, uri copied. Starts as soon as the account can. */
UaSubscription *ua_subscription_new (UaAccount *account, const UaEventPackage *package, const char *uri, gpointer owner);
/* Un-SUBSCRIBEs; nothing is called any more. Accepts NULL. */
void ua_subscription_free (UaSubscription *subscription);
/* Asks for the whole state again, inside the subscription. */
void ua_subscription_refresh (UaSubscription *subscription);

/* ---- for the account and the stack ---- */
/* The account can send requests. fresh: it could not before. Subscriptions whose Contact is not ours any more are made anew. */
void ua_subscriptions_resume (UaAccount *account, gboolean fresh);
void ua_subscriptions_suspend (UaAccount *account);      /* un-SUBSCRIBEs; until resume */
void ua_subscriptions_abandon (UaAccount *account);     /* their handles are about to go */
void ua_subscription_on_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_subscription_on_notify (UaStack *stack, const UaEvent *event, gpointer owner);
