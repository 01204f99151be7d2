/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Those who watch us: subscriptions of others to our presence (RFC 3856) or to our calls (RFC 4235), which come to the phone itself, from a peer or
 * through a proxy that does not answer for us. Who may is a matter of the account's settings: subscribers, subscribers-allow, subscribers-block.
 *
 * An account that registers listens to its server alone: what anybody else puts into From is worth nothing there. One without a server has to take
 * peers at their word. Who is on the list sees whom we talk to; who is let in by "accept" sees that we do.
 *
 * The parties of a conference that we hold may ask who is in it (conference-roster.c), whatever those settings say: focus does.
 *
 * They are held by their account, and shown with its "changed": PHONE_ACCOUNT_SUBSCRIBERS. */

#include "core/account.h"
#include "core/allowance.h"
#include "core/watch.h"

#define PHONE_MAX_SUBSCRIBERS 64        /* of an account */
#define PHONE_SUBSCRIBER_EXPIRES 3600   /* s, at most */
#define PHONE_SUBSCRIBER_MIN_EXPIRES 60

typedef enum
{
  PHONE_RIGHT_NONE,
  PHONE_RIGHT_PENDING,                  /* the user has not decided yet: nothing is told */
  PHONE_RIGHT_STATE,                    /* that we talk */
  PHONE_RIGHT_FULL,                     /* and with whom: enough to pick a call up */
} PhoneRight;

struct _PhoneSubscriber
{
  guint number;                         /* in the account; never used again */
  PhoneWatchKind kind;
  char *uri, *name, *source;            /* owned; name NULL: none; source: numeric address that the request came from */
  gboolean vouched;                     /* uri comes from the server that we are registered with */
  PhoneRight right;                     /* never NONE */
  gint64 expires;                       /* Unix s */
  guint call;                           /* number of the call that he is in a conference with; 0: of another kind */
  gpointer engine_data;
};

typedef struct
{
  PhoneWatchKind kind;
  const char *uri, *name, *source;
  gboolean vouched;
  guint expires;                        /* s; 0: asked once, and not again */
  PhoneCall *call;                      /* whose dialog the request names (RFC 4538); NULL: none */
} PhoneSubscribeRequest;

void phone_subscriber_free (PhoneSubscriber *subscriber);
const GPtrArray *phone_account_get_subscribers (PhoneAccount *account);
PhoneSubscriber *phone_account_find_subscriber (PhoneAccount *account, guint number);
/* Puts the party on the list of those who may, or may not, and deals with its subscriptions accordingly. uri: as of a subscriber. */
gboolean phone_account_allow_subscriber (PhoneAccount *account, const char *uri, gboolean allow, GError **error);
/* Ends this one. The peer may come again. */
void phone_account_end_subscriber (PhoneAccount *account, PhoneSubscriber *subscriber);

/* ---- for account.c, account-presence.c ---- */
PhoneAllowance *phone_subscriber_allowance_new (void);
void phone_account_judge_subscribers (PhoneAccount *account);           /* the settings are others */

void phone_account_rosters_changed (PhoneAccount *account);             /* a conference is another */

/* ---- events from the engine ---- */
/* NULL: refused with *ret_status, *ret_retry_after (s; 0: none). Borrowed until phone_account_on_unsubscribed () or subscriber_end. */
PhoneSubscriber *phone_account_on_subscribe (PhoneAccount *account, const PhoneSubscribeRequest *request, gpointer engine_data, guint *ret_status,
                                             guint *ret_retry_after);
void phone_account_on_resubscribed (PhoneAccount *account, PhoneSubscriber *subscriber, guint expires);
void phone_account_on_unsubscribed (PhoneAccount *account, PhoneSubscriber *subscriber, const char *why);      /* frees it; why: for the log */
