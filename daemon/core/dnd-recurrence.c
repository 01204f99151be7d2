/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/dnd-recurrence.h"

#define MAX_TURNS 30000                 /* repetitions looked at of one rule: a day each for 80 years */
#define MAX_FOUND 2000
#define DAY_S G_GINT64_CONSTANT (86400)
#define LONGEST_S (400 * DAY_S)

/* 30 February: libical looks for it through thousands of years, every time. */
static gboolean
ever_happens (struct icalrecurrencetype rule, icaltimetype start)
{
  icalrecur_iterator *iterator;
  gboolean found;

  rule.until = icaltime_null_time ();
  iterator = icalrecur_iterator_new (rule, start);
  found = iterator && !icaltime_is_null_time (icalrecur_iterator_next (iterator));
  if (iterator)
    icalrecur_iterator_free (iterator);
  return found;
}

gboolean
dnd_recurrence_check (icalcomponent *component, GError **error)
{
  const char *name = icalcomponent_kind_to_string (icalcomponent_isa (component)), *why = NULL;
  icaltimetype start = icalcomponent_get_dtstart (component);

  if (icaltime_is_null_time (start) || !icaltime_is_valid_time (start))
    why = "has no start";
  for (icalproperty *p = icalcomponent_get_first_property (component, ICAL_RRULE_PROPERTY); p && !why;
       p = icalcomponent_get_next_property (component, ICAL_RRULE_PROPERTY))
    {
      struct icalrecurrencetype rule = icalproperty_get_rrule (p);

      if (rule.freq != ICAL_DAILY_RECURRENCE && rule.freq != ICAL_WEEKLY_RECURRENCE && rule.freq != ICAL_MONTHLY_RECURRENCE
          && rule.freq != ICAL_YEARLY_RECURRENCE)
        why = "repeats more often than daily";
      else if (rule.by_hour[0] != ICAL_RECURRENCE_ARRAY_MAX || rule.by_minute[0] != ICAL_RECURRENCE_ARRAY_MAX
               || rule.by_second[0] != ICAL_RECURRENCE_ARRAY_MAX)
        why = "repeats within a day";
      else if (!ever_happens (rule, start))
        why = "never happens";
    }
  if (why)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "iCalendar: %s %s", name, why);
  return !why;
}

guint
dnd_recurrence_count (icalcomponent *component)
{
  guint n = 0;

  for (icalproperty *p = icalcomponent_get_first_property (component, ICAL_RRULE_PROPERTY); p;
       p = icalcomponent_get_next_property (component, ICAL_RRULE_PROPERTY))
    n += (guint) CLAMP (icalproperty_get_rrule (p).count, 0, MAX_TURNS);
  return n;
}

/* ---- times ---- */

/* On whose clock a time runs: one of these, or local. */
typedef struct
{
  gboolean utc;
  GTimeZone *system;            /* owned */
  const icaltimezone *own;      /* of the calendar */
  GTimeZone *local;
} Clock;

static void
find_clock (icalcomponent *component, icalproperty_kind kind, icaltimetype t, GTimeZone *local, Clock *ret_clock)
{
  icalproperty *p = icalcomponent_get_first_property (component, kind);
  icalparameter *tzid = p ? icalproperty_get_first_parameter (p, ICAL_TZID_PARAMETER) : NULL;
  const char *name = tzid ? icalparameter_get_tzid (tzid) : NULL;

  *ret_clock = (Clock){ .utc = icaltime_is_utc (t), .local = local };
  if (name)
    ret_clock->system = g_time_zone_new_identifier (name);
  if (name && !ret_clock->system)
    ret_clock->own = icaltime_get_timezone (t);
}

static void
clock_clear (Clock *clock)
{
  g_clear_pointer (&clock->system, g_time_zone_unref);
}

static gint64
local_seconds (icaltimetype t)
{
  GDate date;

  g_date_clear (&date, 1);
  if (t.year < 1 || t.year > 9999 || !g_date_valid_dmy ((GDateDay) t.day, (GDateMonth) t.month, (GDateYear) t.year))
    return 0;
  g_date_set_dmy (&date, (GDateDay) t.day, (GDateMonth) t.month, (GDateYear) t.year);
  return ((gint64) g_date_get_julian (&date) - 719163) * 86400 + (t.is_date ? 0 : t.hour * 3600 + t.minute * 60 + t.second);
}

static gint64
to_unix (const Clock *clock, icaltimetype t, gint64 later, gboolean late)
{
  gint64 local = local_seconds (t) + later;

  if (clock->utc || icaltime_is_utc (t))
    return local;
  if (clock->own)
    {
      icaltimetype moved = t;

      icaltime_adjust (&moved, 0, 0, 0, (int) later);
      return (gint64) icaltime_as_timet_with_zone (moved, clock->own);
    }
  return dnd_zone_to_unix (clock->system ? clock->system : clock->local, local, late);
}

/* Where a DURATION or nothing stands instead, that is the clock of the start. */
static void
find_clock_of_end (icalcomponent *component, icaltimetype end, GTimeZone *local, Clock *ret_clock)
{
  gboolean own = icalcomponent_get_first_property (component, ICAL_DTEND_PROPERTY) != NULL;

  find_clock (component, own ? ICAL_DTEND_PROPERTY : ICAL_DTSTART_PROPERTY, end, local, ret_clock);
}

DndInterval
dnd_recurrence_span (icalcomponent *component, GTimeZone *local)
{
  icaltimetype start = icalcomponent_get_dtstart (component), end = icalcomponent_get_dtend (component);
  DndInterval span = { G_MININT64, G_MAXINT64 };
  Clock clock;

  if (!icaltime_is_null_time (start))
    {
      find_clock (component, ICAL_DTSTART_PROPERTY, start, local, &clock);
      span.from = to_unix (&clock, start, 0, FALSE);
      clock_clear (&clock);
    }
  if (!icaltime_is_null_time (end))
    {
      find_clock_of_end (component, end, local, &clock);
      span.to = to_unix (&clock, end, 0, TRUE);
      clock_clear (&clock);
    }
  return span;
}

/* ---- repetitions ---- */

typedef struct
{
  Clock clock;
  gint64 length;                /* s on the clock */
  GArray *excluded;             /* gint64: Unix s of starts */
  gint64 from, to;
  GArray *intervals;
} Expansion;

static void
add (Expansion *x, icaltimetype start)
{
  DndInterval interval = { to_unix (&x->clock, start, 0, FALSE), to_unix (&x->clock, start, x->length, TRUE) };

  for (guint i = 0; i < x->excluded->len; i++)
    if (g_array_index (x->excluded, gint64, i) == interval.from)
      return;
  if (interval.to > interval.from && interval.to >= x->from && interval.from <= x->to && x->intervals->len < MAX_FOUND)
    g_array_append_val (x->intervals, interval);
}

/* Single repetitions that were moved or cancelled stand as components of their own with the same UID (RFC 5545 section 3.8.4.4). */
static void
exclude_moved (Expansion *x, icalcomponent *component, const GPtrArray *moved)
{
  const char *uid = icalcomponent_get_uid (component);

  if (!uid || icalcomponent_get_first_property (component, ICAL_RECURRENCEID_PROPERTY))
    return;
  for (guint i = 0; i < moved->len; i++)
    {
      icalcomponent *other = moved->pdata[i];
      gint64 at = to_unix (&x->clock, icalcomponent_get_recurrenceid (other), 0, FALSE);

      if (g_strcmp0 (icalcomponent_get_uid (other), uid) == 0)
        g_array_append_val (x->excluded, at);
    }
}

static void
exclude (Expansion *x, icalcomponent *component, const GPtrArray *moved)
{
  exclude_moved (x, component, moved);
  for (icalproperty *p = icalcomponent_get_first_property (component, ICAL_EXDATE_PROPERTY); p;
       p = icalcomponent_get_next_property (component, ICAL_EXDATE_PROPERTY))
    {
      gint64 at = to_unix (&x->clock, icalproperty_get_exdate (p), 0, FALSE);

      g_array_append_val (x->excluded, at);
    }
}

/* The calls of a phone wait for this: a rule that has been repeating for years begins near what is asked for, and none looks beyond it. One that
 * counts its turns cannot begin there, but need not know to the hour when those were that are over. early: on its clock, and so long before
 * from that the zone does not matter. */
static void
repeat (Expansion *x, struct icalrecurrencetype rule, icaltimetype start)
{
  gint64 early = x->from - x->length - 2 * DAY_S, days = (early - local_seconds (start)) / DAY_S;
  icaltimetype until = icaltime_from_timet_with_zone ((time_t) (x->to + 2 * DAY_S), FALSE, NULL);
  icalrecur_iterator *iterator;
  guint turns = 0;

  if (icaltime_is_null_time (rule.until) || icaltime_compare (until, rule.until) < 0)
    rule.until = until;
  iterator = icalrecur_iterator_new (rule, start);
  if (!iterator)
    return;
  if (rule.count == 0 && days > 0)
    {
      icaltimetype there = start;

      icaltime_adjust (&there, (int) days, 0, 0, 0);
      icalrecur_iterator_set_start (iterator, there);
    }
  for (icaltimetype t = icalrecur_iterator_next (iterator); !icaltime_is_null_time (t) && ++turns < MAX_TURNS;
       t = icalrecur_iterator_next (iterator))
    {
      if (local_seconds (t) < early)
        continue;
      if (to_unix (&x->clock, t, 0, FALSE) > x->to)
        break;
      add (x, t);
    }
  icalrecur_iterator_free (iterator);
}

/* On the clock of the start; an end in another zone (a flight) counts as the time that passes. */
static gint64
find_length (icalcomponent *component, const Clock *clock, icaltimetype start, GTimeZone *local)
{
  icaltimetype end = icalcomponent_get_dtend (component);
  gint64 length;
  Clock other;

  if (icaltime_is_null_time (end))
    return start.is_date ? DAY_S : 0;
  find_clock_of_end (component, end, local, &other);
  if (other.utc == clock->utc && other.own == clock->own && !other.system == !clock->system
      && (!other.system || g_str_equal (g_time_zone_get_identifier (other.system), g_time_zone_get_identifier (clock->system))))
    length = local_seconds (end) - local_seconds (start);
  else
    length = to_unix (&other, end, 0, TRUE) - to_unix (clock, start, 0, FALSE);
  clock_clear (&other);
  return CLAMP (length, 0, LONGEST_S);
}

void
dnd_recurrence_expand (icalcomponent *component, const GPtrArray *moved, gint64 from, gint64 to, GTimeZone *local, GArray *intervals)
{
  g_autoptr (GArray) excluded = g_array_new (FALSE, FALSE, sizeof (gint64));
  icaltimetype start = icalcomponent_get_dtstart (component);
  Expansion x = { .excluded = excluded, .from = from, .to = to, .intervals = intervals };
  gboolean repeats = FALSE;
  icalproperty *p;

  find_clock (component, ICAL_DTSTART_PROPERTY, start, local, &x.clock);
  x.length = find_length (component, &x.clock, start, local);
  exclude (&x, component, moved);
  for (p = icalcomponent_get_first_property (component, ICAL_RRULE_PROPERTY); p;
       p = icalcomponent_get_next_property (component, ICAL_RRULE_PROPERTY))
    {
      repeat (&x, icalproperty_get_rrule (p), start);
      repeats = TRUE;
    }
  if (!repeats)
    add (&x, start);
  for (p = icalcomponent_get_first_property (component, ICAL_RDATE_PROPERTY); p;
       p = icalcomponent_get_next_property (component, ICAL_RDATE_PROPERTY))
    {
      struct icaldatetimeperiodtype date = icalproperty_get_rdate (p);

      if (!icaltime_is_null_time (date.time))
        add (&x, date.time);
    }
  clock_clear (&x.clock);
}
