/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What an account says about its user to others (RFC 3903), and what its server says about his mailbox (RFC 3842). Changes come with the
 * account's "changed": PHONE_ACCOUNT_PRESENCE, PHONE_ACCOUNT_MAILBOX. */

#include "core/account.h"
#include "core/allowance.h"
#include "core/presence.h"

#define PHONE_MAX_NOTE 256              /* characters */

typedef struct
{
  PhoneStatus chosen;
  char *note;                           /* owned; NULL: none */
  gboolean was_chosen;                  /* the user has ever set one: with publish=auto, what makes it be published */
  gboolean in_call;
  PhoneSubscriptionDetail publication;
  PhoneMailboxState mailbox;
  PhoneSubscriptionDetail mailbox_subscription;
  GPtrArray *watchers;                  /* PhoneWatcher: at the server */
  PhoneSubscriptionDetail watchers_subscription;
  GPtrArray *subscribers;               /* PhoneSubscriber */
  guint last_subscriber;
  PhoneAllowance *askers;               /* how often each may subscribe */
} PhoneAccountPresence;

const PhoneAccountPresence *phone_account_get_presence (PhoneAccount *account);
/* The chosen one, or on-the-phone while there is a call; who does not want to be disturbed, or seen, stays so. */
PhoneStatus phone_account_get_status (PhoneAccount *account);
gboolean phone_account_wants_publication (PhoneAccount *account);
/* available, away, busy, dnd, offline. Saved before it takes effect. */
gboolean phone_account_set_status (PhoneAccount *account, PhoneStatus status, GError **error);
gboolean phone_account_set_note (PhoneAccount *account, const char *note, GError **error);      /* NULL or "": none */

/* Whom to call to hear the messages: the setting, else what the server said. NULL: unknown. Caller frees. */
char *phone_account_dup_mailbox (PhoneAccount *account);
PhoneCall *phone_account_call_mailbox (PhoneAccount *account, GError **error);

/* Events from the engine; copied. */
void phone_account_on_publication (PhoneAccount *account, const PhoneSubscriptionDetail *detail);
/* watchers: PhoneWatcher, taken over. */
void phone_account_on_watchers (PhoneAccount *account, GPtrArray *watchers);
void phone_account_on_watchers_subscription (PhoneAccount *account, const PhoneSubscriptionDetail *detail);
void phone_account_on_mailbox (PhoneAccount *account, const PhoneMailboxState *state);
void phone_account_on_mailbox_subscription (PhoneAccount *account, const PhoneSubscriptionDetail *detail);
