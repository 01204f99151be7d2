/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When do-not-disturb is due: a list of windows, each a text.
 *
 *   Mon-Fri 18:00-08:00 [ZONE]                  weekly; an end before the start is on the next day; daily, Sat,Sun, Mon-Wed,Fri
 *   2026-12-24 14:00-18:00 [ZONE]               once
 *   2026-12-24 [14:00] to 2026-12-27 [08:00] [ZONE]     once; without times from midnight to the end of the last day
 *   BEGIN:VCALENDAR ...                         iCalendar (RFC 5545): its events with all their repetitions, unless they are free time
 *                                               (TRANSP:TRANSPARENT) or cancelled; and the time of a VAVAILABILITY (RFC 7953) that is not
 *                                               AVAILABLE
 *
 * ZONE is a name like Europe/Berlin; without it times are local, wherever the user is. A time that a change of the clock skips or repeats
 * widens the window. Pure: time and local zone are parameters. */

#include "util/phone-error.h"

#define PHONE_DND_MAX_WINDOWS 64
#define PHONE_DND_MAX_WINDOW 65536      /* octets of one */

typedef struct _PhoneDndSchedule PhoneDndSchedule;

/* items NULL or empty: never. INVALID_OPTION names the item and what is wrong with it. */
PhoneDndSchedule *phone_dnd_schedule_new (const char *const *items, GError **error);
void phone_dnd_schedule_free (PhoneDndSchedule *schedule);      /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneDndSchedule, phone_dnd_schedule_free)

/* Whether a window is open at now (Unix s). *ret_next: when that changes, 0: not within the next two months. */
gboolean phone_dnd_schedule_is_open (const PhoneDndSchedule *schedule, gint64 now, GTimeZone *local, gint64 *ret_next);
