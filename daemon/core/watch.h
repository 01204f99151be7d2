/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One thing of somebody else that the user keeps an eye on: the presence of a person, the phone of a colleague, or a resource list. It belongs to
 * an account, outlives the daemon, and costs one subscription. Emits "changed" (guint mask of PhoneWatchField). */

#include <glib-object.h>
#include "core/account.h"
#include "core/presence.h"

#define PHONE_MAX_WATCHES 1000          /* of all accounts together */

#define PHONE_WATCH_KIND_LIST(X) X (PHONE_WATCH_PRESENCE, "presence") X (PHONE_WATCH_DIALOG, "dialog") \
  X (PHONE_WATCH_CONFERENCE, "conference")      /* of a subscriber only: a conference of ours that he is in */
PHONE_DECLARE_ENUM (PhoneWatchKind, phone_watch_kind, PHONE_WATCH_KIND_LIST)

typedef enum
{
  PHONE_WATCH_STATE = 1 << 0,           /* lamp */
  PHONE_WATCH_STATUS = 1 << 1,          /* status and note */
  PHONE_WATCH_DIALOGS = 1 << 2,
  PHONE_WATCH_RESOURCES = 1 << 3,
  PHONE_WATCH_SUBSCRIPTION = 1 << 4,
} PhoneWatchField;

#define PHONE_TYPE_WATCH (phone_watch_get_type ())
G_DECLARE_FINAL_TYPE (PhoneWatch, phone_watch, PHONE, WATCH, GObject)

guint phone_watch_get_number (PhoneWatch *watch);
PhoneAccount *phone_watch_get_account (PhoneWatch *watch);
const char *phone_watch_get_uri (PhoneWatch *watch);
PhoneWatchKind phone_watch_get_kind (PhoneWatch *watch);
PhoneLamp phone_watch_get_lamp (PhoneWatch *watch);
/* Of a watch on dialogs: unknown. */
const PhonePresenceInfo *phone_watch_get_presence (PhoneWatch *watch);
const GPtrArray *phone_watch_get_dialogs (PhoneWatch *watch);           /* PhoneDialogEntry */
const GPtrArray *phone_watch_get_resources (PhoneWatch *watch);         /* PhoneResource, by URI; empty when the URI is no list */
const PhoneSubscriptionDetail *phone_watch_get_subscription (PhoneWatch *watch);
gboolean phone_watch_can_pick_up (PhoneWatch *watch);
/* Dials, taking over the call that rings at the watched phone. INVALID_STATE: none rings, or the server does not tell enough of it. */
PhoneCall *phone_watch_pick_up (PhoneWatch *watch, GError **error);

/* Engine data, owned by sip/. */
gpointer phone_watch_get_engine_data (PhoneWatch *watch);
void phone_watch_set_engine_data (PhoneWatch *watch, gpointer data);

/* Events from the engine. What is passed is copied, but for dialogs and resources, which are taken over. */
void phone_watch_on_presence (PhoneWatch *watch, const PhonePresenceInfo *info);
void phone_watch_on_dialogs (PhoneWatch *watch, GPtrArray *dialogs);
void phone_watch_on_resources (PhoneWatch *watch, GPtrArray *resources);
void phone_watch_on_subscription (PhoneWatch *watch, const PhoneSubscriptionDetail *detail);
