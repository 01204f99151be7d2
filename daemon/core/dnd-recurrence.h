/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A component of a calendar that has a start, an end and repetitions (VEVENT, AVAILABLE) as intervals of Unix time, on libical.
 *
 * Repetitions are counted on the clock of the component's zone and each is turned into Unix time by itself: an event from 22:00 to 06:00 ends
 * at 06:00 also in the night in which the clock changes. Zones by name are the system's; one that only the calendar knows (VTIMEZONE) is the
 * calendar's. */

#include <libical/ical.h>

#include "core/dnd-private.h"
#include "util/phone-error.h"

/* FALSE: INVALID_OPTION, it has no start or repeats within a day. */
gboolean dnd_recurrence_check (icalcomponent *component, GError **error);
/* The turns that its rules count, each of which has to be gone through. */
guint dnd_recurrence_count (icalcomponent *component);
/* Appends what touches [from, to]. moved: the components of the calendar that have a RECURRENCE-ID. */
void dnd_recurrence_expand (icalcomponent *component, const GPtrArray *moved, gint64 from, gint64 to, GTimeZone *local, GArray *intervals);
/* From its start to its end, without repetitions; G_MININT64 and G_MAXINT64 where it has none. */
DndInterval dnd_recurrence_span (icalcomponent *component, GTimeZone *local);
