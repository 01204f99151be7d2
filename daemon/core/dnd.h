/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Do-not-disturb: whether it is on, who switched it on, and what it does to a call that comes in. Its settings are choices: kept at once and
 * in force at once. Emits "changed" (guint mask of PhoneDndField).
 *
 * It is on when any of these says so: the user (Enabled, perhaps until a time), the schedule, the desktop (if it is to be followed).
 *
 * It never stops: a call from a number that one calls for help, any call for an hour after a call for help, whom the allow list names, and,
 * when told so, who calls a second time within some minutes. */

#include <glib-object.h>
#include "core/contacts.h"
#include "core/dnd-schedule.h"
#include "util/phone-enum.h"

/* silent     the call is shown and rings nowhere
 * busy       486; 480 with Retry-After when the user said until when
 * voicemail  the answering machine of the account; without one 302 to the mailbox; as busy where there is neither */
#define PHONE_DND_MODE_LIST(X) X (PHONE_DND_SILENT, "silent") X (PHONE_DND_BUSY, "busy") X (PHONE_DND_VOICEMAIL, "voicemail")
PHONE_DECLARE_ENUM (PhoneDndMode, phone_dnd_mode, PHONE_DND_MODE_LIST)

typedef enum
{
  PHONE_DND_SETTINGS = 1 << 0,  /* all that can be set */
  PHONE_DND_ACTIVE = 1 << 1,    /* active, cause, next change */
} PhoneDndField;

/* What a test replaces. */
typedef struct
{
  gint64 (*now) (gpointer data);                        /* Unix s */
  GTimeZone *(*local_zone) (gpointer data);             /* caller unrefs */
} PhoneDndClock;

#define PHONE_TYPE_DND (phone_dnd_get_type ())
G_DECLARE_FINAL_TYPE (PhoneDnd, phone_dnd, PHONE, DND, GObject)

gboolean phone_dnd_is_active (PhoneDnd *dnd);
const char *phone_dnd_get_cause (PhoneDnd *dnd);        /* user, schedule, desktop; "" if it is off */
gint64 phone_dnd_get_next_change (PhoneDnd *dnd);       /* of active, Unix s; 0: none that is known */

gboolean phone_dnd_get_enabled (PhoneDnd *dnd);
PhoneDndMode phone_dnd_get_mode (PhoneDnd *dnd);
gint64 phone_dnd_get_until (PhoneDnd *dnd);
gboolean phone_dnd_get_follow_desktop (PhoneDnd *dnd);
guint phone_dnd_get_repeat (PhoneDnd *dnd);
const char *phone_dnd_get_mailbox (PhoneDnd *dnd);
const char *const *phone_dnd_get_schedule (PhoneDnd *dnd);      /* never NULL, as the two below */
const char *const *phone_dnd_get_allow_list (PhoneDnd *dnd);
const char *const *phone_dnd_get_accounts (PhoneDnd *dnd);

/* FALSE: INVALID_OPTION or STORAGE, and nothing has changed. Switching off also ends until. */
gboolean phone_dnd_set_enabled (PhoneDnd *dnd, gboolean enabled, GError **error);
gboolean phone_dnd_set_mode (PhoneDnd *dnd, PhoneDndMode mode, GError **error);
/* Unix s, in the future; 0: until it is switched off. Does not switch on. */
gboolean phone_dnd_set_until (PhoneDnd *dnd, gint64 until, GError **error);
gboolean phone_dnd_set_follow_desktop (PhoneDnd *dnd, gboolean follow, GError **error);
gboolean phone_dnd_set_repeat (PhoneDnd *dnd, guint minutes, GError **error);                  /* 0: nobody; at most 60 */
gboolean phone_dnd_set_mailbox (PhoneDnd *dnd, const char *uri, GError **error);               /* sip: or tel: URI, "": none */
gboolean phone_dnd_set_schedule (PhoneDnd *dnd, const char *const *items, GError **error);
/* As in core/number-list.h and core/contacts.h. */
gboolean phone_dnd_set_allow_list (PhoneDnd *dnd, const char *const *items, GError **error);
gboolean phone_dnd_set_accounts (PhoneDnd *dnd, const char *const *ids, GError **error);       /* none: all */

/* Who is in the address book: the registry does it. Borrowed. */
void phone_dnd_set_contacts (PhoneDnd *dnd, const PhoneContacts *contacts);
/* The desktop switched its own on or off. */
void phone_dnd_on_desktop (PhoneDnd *dnd, gboolean active);
/* The machine woke up, or is in another time zone. */
void phone_dnd_on_time_changed (PhoneDnd *dnd);
