/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* iCalendar for the schedule: when its owner is busy.
 *
 * That is during its events (VEVENT), and at all times of a VAVAILABILITY (RFC 7953) that none of its AVAILABLE covers: what an "available Mon-Fri
 * 9 to 17" leaves over is when calls are kept away. Where several overlap the one with the highest priority has the last word, and events come
 * on top.
 *
 * A calendar is a file from somewhere: what may be in it is bounded, and rules that repeat within a day are refused. */

#include "core/dnd-recurrence.h"

#define MAX_COMPONENTS 1000
#define MAX_DEPTH 3                     /* several VCALENDARs, VAVAILABILITY, AVAILABLE */
#define MAX_COUNTED 50000               /* repetitions of rules that count them, together: tens of ms */
#define LOWEST_PRIORITY 10              /* below 9, as 0 and none are (RFC 7953 section 3.2) */
#define MAX_BUSY 2000

struct _DndCalendar
{
  icalcomponent *root;
  GPtrArray *events;            /* icalcomponent, in root, as all here */
  GPtrArray *moved;             /* those with a RECURRENCE-ID, cancelled ones too */
  GPtrArray *availabilities;    /* VAVAILABILITY, the one with the last word last */
  guint n, counted;
};

void
dnd_calendar_free (DndCalendar *calendar)
{
  if (!calendar)
    return;
  g_ptr_array_unref (calendar->events);
  g_ptr_array_unref (calendar->moved);
  g_ptr_array_unref (calendar->availabilities);
  g_clear_pointer (&calendar->root, icalcomponent_free);
  g_free (calendar);
}

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "iCalendar: %s", why);
  return FALSE;
}

/* ---- what is in it ---- */

static gboolean
is_busy (icalcomponent *event)
{
  icalproperty *transparent = icalcomponent_get_first_property (event, ICAL_TRANSP_PROPERTY);

  return icalcomponent_get_status (event) != ICAL_STATUS_CANCELLED
         && !(transparent && icalproperty_get_transp (transparent) == ICAL_TRANSP_TRANSPARENT);
}

static int
priority_of (icalcomponent *availability)
{
  icalproperty *p = icalcomponent_get_first_property (availability, ICAL_PRIORITY_PROPERTY);
  int priority = p ? icalproperty_get_priority (p) : 0;

  return priority >= 1 && priority <= 9 ? priority : LOWEST_PRIORITY;
}

/* Of two with the same priority the later one has the last word. */
static void
collect_availability (DndCalendar *calendar, icalcomponent *availability)
{
  guint place = calendar->availabilities->len;

  while (place > 0 && priority_of (calendar->availabilities->pdata[place - 1]) < priority_of (availability))
    place--;
  g_ptr_array_insert (calendar->availabilities, (int) place, availability);
}

static gboolean
collect (DndCalendar *calendar, icalcomponent *c, GError **error)
{
  icalcomponent_kind kind = icalcomponent_isa (c);

  if (kind != ICAL_VEVENT_COMPONENT && kind != ICAL_XAVAILABLE_COMPONENT && kind != ICAL_VAVAILABILITY_COMPONENT)
    return TRUE;
  if (calendar->n++ >= MAX_COMPONENTS)
    return refuse (error, "too many events");
  if ((calendar->counted += dnd_recurrence_count (c)) > MAX_COUNTED)
    return refuse (error, "too many repetitions (COUNT)");
  if (icalcomponent_get_first_property (c, ICAL_RECURRENCEID_PROPERTY))
    g_ptr_array_add (calendar->moved, c);
  /* A start or an end that was dropped would mean for ever. */
  if (kind != ICAL_VEVENT_COMPONENT && icalcomponent_get_first_property (c, ICAL_XLICERROR_PROPERTY))
    return refuse (error, "there is something in an availability that is not understood");
  if (kind == ICAL_VAVAILABILITY_COMPONENT)
    {
      collect_availability (calendar, c);
      return TRUE;
    }
  if (kind == ICAL_VEVENT_COMPONENT && !is_busy (c))
    return TRUE;
  if (kind == ICAL_VEVENT_COMPONENT)
    g_ptr_array_add (calendar->events, c);
  return dnd_recurrence_check (c, error);
}

/* Components may stand at the top or in one or more VCALENDARs. */
static gboolean
collect_all (DndCalendar *calendar, icalcomponent *in, guint depth, GError **error)
{
  if (!collect (calendar, in, error))
    return FALSE;
  for (icalcompiter i = icalcomponent_begin_component (in, ICAL_ANY_COMPONENT); depth < MAX_DEPTH && icalcompiter_deref (&i);
       icalcompiter_next (&i))
    if (!collect_all (calendar, icalcompiter_deref (&i), depth + 1, error))
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
  calendar->availabilities = g_ptr_array_new ();
  calendar->root = g_utf8_validate (text, -1, NULL) ? icalparser_parse_string (text) : NULL;
  if (!calendar->root)
    {
      refuse (error, "it cannot be read");
      dnd_calendar_free (calendar);
      return NULL;
    }
  if (collect_all (calendar, calendar->root, 0, error)
      && (calendar->events->len > 0 || calendar->availabilities->len > 0 || refuse (error, "there is no event and no availability in it")))
    return calendar;
  dnd_calendar_free (calendar);
  return NULL;
}

/* ---- when ---- */

static gboolean
clip (DndInterval *interval, const DndInterval *to)
{
  interval->from = MAX (interval->from, to->from);
  interval->to = MIN (interval->to, to->to);
  return interval->from < interval->to;
}

/* What lies outside the hole stays. */
static void
cut (GArray *intervals, const DndInterval *hole)
{
  for (guint i = 0; i < intervals->len;)
    {
      DndInterval *interval = &g_array_index (intervals, DndInterval, i), behind = { hole->to, interval->to };
      gboolean left = interval->from < hole->from, right = interval->to > hole->to;

      if (interval->to <= hole->from || interval->from >= hole->to)
        i++;
      else if (left)
        {
          interval->to = hole->from;
          if (right && intervals->len < MAX_BUSY)
            g_array_append_val (intervals, behind);
          i++;
        }
      else if (right)
        {
          interval->from = hole->to;
          i++;
        }
      else
        g_array_remove_index_fast (intervals, i);
    }
}

static void
lay_over (const DndCalendar *calendar, icalcomponent *availability, const DndInterval *window, GTimeZone *local, GArray *busy)
{
  g_autoptr (GArray) available = g_array_new (FALSE, FALSE, sizeof (DndInterval));
  DndInterval span = dnd_recurrence_span (availability, local);

  if (!clip (&span, window))
    return;
  g_array_append_val (busy, span);
  for (icalcompiter i = icalcomponent_begin_component (availability, ICAL_XAVAILABLE_COMPONENT); icalcompiter_deref (&i); icalcompiter_next (&i))
    dnd_recurrence_expand (icalcompiter_deref (&i), calendar->moved, window->from, window->to, local, available);
  for (guint i = 0; i < available->len; i++)
    if (clip (&g_array_index (available, DndInterval, i), &span))
      cut (busy, &g_array_index (available, DndInterval, i));
}

void
dnd_calendar_expand (const DndCalendar *calendar, gint64 from, gint64 to, GTimeZone *local, GArray *intervals)
{
  g_autoptr (GArray) busy = g_array_new (FALSE, FALSE, sizeof (DndInterval));
  const DndInterval window = { from, to };

  for (guint i = 0; i < calendar->availabilities->len; i++)
    lay_over (calendar, calendar->availabilities->pdata[i], &window, local, busy);
  g_array_append_vals (intervals, busy->data, busy->len);
  for (guint i = 0; i < calendar->events->len; i++)
    dnd_recurrence_expand (calendar->events->pdata[i], calendar->moved, from, to, local, intervals);
}
