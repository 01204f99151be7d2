/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* iCalendar for the schedule, on libical. Repetitions are counted on the clock of the event's zone and each is turned into Unix time by itself:
 * an event from 22:00 to 06:00 ends at 06:00 also in the night in which the clock changes. Zones by name are the system's; one that only the
 * calendar knows (VTIMEZONE) is the calendar's.
 *
 * A calendar is a file from somewhere: what may be in it is bounded, and rules that repeat within a day are refused. */

#include <libical/ical.h>
#include <string.h>

#include "core/dnd-private.h"
#include "util/phone-error.h"

#define MAX_EVENTS 1000
#define MAX_TURNS 30000                 /* repetitions looked at of one rule: a day each for 80 years */
#define MAX_FOUND 2000
#define LONGEST_S (400 * G_GINT64_CONSTANT (86400))

struct _DndCalendar
{
  icalcomponent *root;
  GPtrArray *events;            /* icalcomponent, in root */
  GPtrArray *moved;             /* those with a RECURRENCE-ID, cancelled ones too */
};

void
dnd_calendar_free (DndCalendar *calendar)
{
  if (!calendar)
    return;
  g_ptr_array_unref (calendar->events);
  g_ptr_array_unref (calendar->moved);
  g_clear_pointer (&calendar->root, icalcomponent_free);
  g_free (calendar);
}

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "iCalendar: %s", why);
  return FALSE;
}

static gboolean
is_busy (icalcomponent *event)
{
  icalproperty *transparent = icalcomponent_get_first_property (event, ICAL_TRANSP_PROPERTY);

  return icalcomponent_get_status (event) != ICAL_STATUS_CANCELLED
         && !(transparent && icalproperty_get_transp (transparent) == ICAL_TRANSP_TRANSPARENT);
}

static gboolean
check_event (icalcomponent *event, GError **error)
{
  icaltimetype start = icalcomponent_get_dtstart (event);
  icalproperty *p;

  if (icaltime_is_null_time (start) || !icaltime_is_valid_time (start))
    return refuse (error, "an event has no start");
  for (p = icalcomponent_get_first_property (event, ICAL_RRULE_PROPERTY); p; p = icalcomponent_get_next_property (event, ICAL_RRULE_PROPERTY))
    {
      struct icalrecurrencetype rule = icalproperty_get_rrule (p);

      if (rule.freq != ICAL_DAILY_RECURRENCE && rule.freq != ICAL_WEEKLY_RECURRENCE && rule.freq != ICAL_MONTHLY_RECURRENCE
          && rule.freq != ICAL_YEARLY_RECURRENCE)
        return refuse (error, "an event repeats more often than daily");
      if (rule.by_hour[0] != ICAL_RECURRENCE_ARRAY_MAX || rule.by_minute[0] != ICAL_RECURRENCE_ARRAY_MAX
          || rule.by_second[0] != ICAL_RECURRENCE_ARRAY_MAX)
        return refuse (error, "an event repeats within a day");
    }
  return TRUE;
}

/* Events may stand at the top or in one or more VCALENDARs. */
static gboolean
collect (DndCalendar *calendar, icalcomponent *in, GError **error)
{
  icalcomponent *c;

  if (icalcomponent_isa (in) == ICAL_VEVENT_COMPONENT)
    {
      if (calendar->events->len + calendar->moved->len >= MAX_EVENTS)
        return refuse (error, "too many events");
      if (icalcomponent_get_first_property (in, ICAL_RECURRENCEID_PROPERTY))
        g_ptr_array_add (calendar->moved, in);
      if (!is_busy (in))
        return TRUE;
      g_ptr_array_add (calendar->events, in);
      return check_event (in, error);
    }
  for (c = icalcomponent_get_first_component (in, ICAL_VEVENT_COMPONENT); c; c = icalcomponent_get_next_component (in, ICAL_VEVENT_COMPONENT))
    if (!collect (calendar, c, error))
      return FALSE;
  if (icalcomponent_isa (in) == ICAL_XROOT_COMPONENT)
    for (c = icalcomponent_get_first_component (in, ICAL_VCALENDAR_COMPONENT); c;
         c = icalcomponent_get_next_component (in, ICAL_VCALENDAR_COMPONENT))
      if (!collect (calendar, c, error))
        return FALSE;
  return TRUE;
}

DndCalendar *
dnd_calendar_new (const char *text, GError **error)
{
  DndCalendar *calendar = g_new0 (DndCalendar, 1);

  icalerror_set_errors_are_fatal (0);
  calendar->events = g_ptr_array_new ();
  calendar->moved = g_ptr_array_new ();
  calendar->root = g_utf8_validate (text, -1, NULL) ? icalparser_parse_string (text) : NULL;
  if (!calendar->root)
    {
      refuse (error, "it cannot be read");
      dnd_calendar_free (calendar);
      return NULL;
    }
  if (collect (calendar, calendar->root, error) && (calendar->events->len > 0 || refuse (error, "there is no event in it")))
    return calendar;
  dnd_calendar_free (calendar);
  return NULL;
}

/* ---- times ---- */

/* On whose clock an event runs: one of these, or local. */
typedef struct
{
  gboolean utc;
  GTimeZone *system;            /* owned */
  const icaltimezone *own;      /* of the calendar */
  GTimeZone *local;
} Clock;

static void
find_clock (icalcomponent *event, icaltimetype start, GTimeZone *local, Clock *ret_clock)
{
  icalproperty *p = icalcomponent_get_first_property (event, ICAL_DTSTART_PROPERTY);
  icalparameter *tzid = p ? icalproperty_get_first_parameter (p, ICAL_TZID_PARAMETER) : NULL;
  const char *name = tzid ? icalparameter_get_tzid (tzid) : NULL;

  *ret_clock = (Clock){ .utc = icaltime_is_utc (start), .local = local };
  if (name)
    ret_clock->system = g_time_zone_new_identifier (name);
  if (name && !ret_clock->system)
    ret_clock->own = icaltime_get_timezone (start);
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

/* ---- repetitions ---- */

typedef struct
{
  Clock clock;
  gint64 length;                /* s on the clock */
  GArray *excluded;             /* gint64: Unix s of starts */
  gint64 from, to;
  GArray *intervals;
  const DndCalendar *calendar;
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

/* Single repetitions that were moved or cancelled stand as events of their own with the same UID (RFC 5545 section 3.8.4.4). */
static void
exclude_moved (Expansion *x, icalcomponent *event)
{
  const char *uid = icalcomponent_get_uid (event);

  if (!uid || icalcomponent_get_first_property (event, ICAL_RECURRENCEID_PROPERTY))
    return;
  for (guint i = 0; i < x->calendar->moved->len; i++)
    {
      icalcomponent *other = x->calendar->moved->pdata[i];
      gint64 at = to_unix (&x->clock, icalcomponent_get_recurrenceid (other), 0, FALSE);

      if (g_strcmp0 (icalcomponent_get_uid (other), uid) == 0)
        g_array_append_val (x->excluded, at);
    }
}

static void
exclude (Expansion *x, icalcomponent *event)
{
  icalproperty *p;

  exclude_moved (x, event);

  for (p = icalcomponent_get_first_property (event, ICAL_EXDATE_PROPERTY); p; p = icalcomponent_get_next_property (event, ICAL_EXDATE_PROPERTY))
    {
      icaltimetype t = icalproperty_get_exdate (p);
      gint64 at = to_unix (&x->clock, t, 0, FALSE);

      g_array_append_val (x->excluded, at);
    }
}

static void
repeat (Expansion *x, struct icalrecurrencetype rule, icaltimetype start)
{
  icalrecur_iterator *iterator = icalrecur_iterator_new (rule, start);
  guint turns = 0;

  if (!iterator)
    return;
  for (icaltimetype t = icalrecur_iterator_next (iterator); !icaltime_is_null_time (t) && ++turns < MAX_TURNS;
       t = icalrecur_iterator_next (iterator))
    {
      if (to_unix (&x->clock, t, 0, FALSE) > x->to)
        break;
      add (x, t);
    }
  icalrecur_iterator_free (iterator);
}

static void
expand_event (icalcomponent *event, Expansion *x, GTimeZone *local)
{
  icaltimetype start = icalcomponent_get_dtstart (event), end = icalcomponent_get_dtend (event);
  icalproperty *p;
  gboolean repeats = FALSE;

  find_clock (event, start, local, &x->clock);
  x->length = icaltime_is_null_time (end) ? (start.is_date ? 86400 : 0) : local_seconds (end) - local_seconds (start);
  x->length = CLAMP (x->length, 0, LONGEST_S);
  g_array_set_size (x->excluded, 0);
  exclude (x, event);
  for (p = icalcomponent_get_first_property (event, ICAL_RRULE_PROPERTY); p; p = icalcomponent_get_next_property (event, ICAL_RRULE_PROPERTY))
    {
      repeat (x, icalproperty_get_rrule (p), start);
      repeats = TRUE;
    }
  if (!repeats)
    add (x, start);
  for (p = icalcomponent_get_first_property (event, ICAL_RDATE_PROPERTY); p; p = icalcomponent_get_next_property (event, ICAL_RDATE_PROPERTY))
    {
      struct icaldatetimeperiodtype date = icalproperty_get_rdate (p);

      if (!icaltime_is_null_time (date.time))
        add (x, date.time);
    }
  g_clear_pointer (&x->clock.system, g_time_zone_unref);
}

void
dnd_calendar_expand (const DndCalendar *calendar, gint64 from, gint64 to, GTimeZone *local, GArray *intervals)
{
  g_autoptr (GArray) excluded = g_array_new (FALSE, FALSE, sizeof (gint64));
  Expansion x = { .calendar = calendar, .excluded = excluded, .from = from, .to = to, .intervals = intervals };

  for (guint i = 0; i < calendar->events->len; i++)
    expand_event (calendar->events->pdata[i], &x, local);
}
