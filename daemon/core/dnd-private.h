/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the schedule share. */

#include <glib.h>

typedef struct
{
  gint64 from, to;              /* Unix s, [from, to) */
} DndInterval;

/* A local time (s since 1970-01-01 00:00 on the clock of the zone) as Unix s. A time that does not exist is moved forward; of one that
 * exists twice, late says which. */
gint64 dnd_zone_to_unix (GTimeZone *zone, gint64 local, gboolean late);

/* ---- dnd-calendar.c ---- */
typedef struct _DndCalendar DndCalendar;

DndCalendar *dnd_calendar_new (const char *text, GError **error);
void dnd_calendar_free (DndCalendar *calendar);                 /* accepts NULL */
/* Appends what touches [from, to]. */
void dnd_calendar_expand (const DndCalendar *calendar, gint64 from, gint64 to, GTimeZone *local, GArray *intervals);
