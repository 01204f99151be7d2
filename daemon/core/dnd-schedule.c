/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/dnd-schedule.h"

#include <stdio.h>
#include <string.h>

#include "core/dnd-private.h"
#include "util/text.h"

#define DAY_S G_GINT64_CONSTANT (86400)
#define HORIZON_S (62 * DAY_S)
#define UNIX_EPOCH_JULIAN 719163        /* GDate's number of 1970-01-01 */
#define SHOWN 80                        /* characters of an item in an error */

typedef struct
{
  guint days;                   /* weekly: bit 0 Monday ... bit 6 Sunday; 0: once, or a calendar */
  int from_minute, to_minute;   /* weekly; to <= from: on the next day */
  gint64 from, to;              /* once: local s since 1970-01-01 */
  GTimeZone *zone;              /* NULL: local */
  DndCalendar *calendar;
} Window;

struct _PhoneDndSchedule
{
  GPtrArray *windows;           /* Window */
};

static void
window_free (gpointer data)
{
  Window *window = data;

  g_clear_pointer (&window->zone, g_time_zone_unref);
  dnd_calendar_free (window->calendar);
  g_free (window);
}

void
phone_dnd_schedule_free (PhoneDndSchedule *schedule)
{
  if (!schedule)
    return;
  g_ptr_array_unref (schedule->windows);
  g_free (schedule);
}

/* ---- words ---- */

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static int
find_day (const char *word, gsize length)
{
  for (int i = 0; length >= 3 && i < 7; i++)
    if (g_ascii_strncasecmp (word, day_names[i], 3) == 0)
      {
        static const char *const full[] = { "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday" };

        return length <= strlen (full[i]) && g_ascii_strncasecmp (word, full[i], length) == 0 ? i : -1;
      }
  return -1;
}

/* "Mon-Wed,Fri", "daily"; 0: no such days. */
static guint
parse_days (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);
  guint days = 0;

  if (g_ascii_strcasecmp (text, "daily") == 0)
    return 0x7f;
  for (gsize i = 0; parts[i]; i++)
    {
      const char *dash = strchr (parts[i], '-');
      int first = find_day (parts[i], dash ? (gsize) (dash - parts[i]) : strlen (parts[i]));
      int last = dash ? find_day (dash + 1, strlen (dash + 1)) : first;

      if (first < 0 || last < 0)
        return 0;
      for (int day = first;; day = (day + 1) % 7)
        {
          days |= 1u << day;
          if (day == last)
            break;
        }
    }
  return days;
}

/* "HH:MM" up to 24:00; what follows it in *ret_rest. */
static gboolean
parse_minute (const char *text, int *ret_minute, const char **ret_rest)
{
  int hour, minute, length = 0;

  if (!g_ascii_isdigit (text[0]) || sscanf (text, "%2d:%2d%n", &hour, &minute, &length) != 2 || length < 4
      || !g_ascii_isdigit (text[length - 1]) || !g_ascii_isdigit (text[length - 2]) || minute < 0 || minute > 59 || hour > 24
      || (hour == 24 && minute > 0))
    return FALSE;
  *ret_minute = hour * 60 + minute;
  *ret_rest = text + length;
  return TRUE;
}

static gboolean
parse_span (const char *text, int *ret_from, int *ret_to)
{
  const char *rest;

  return text && parse_minute (text, ret_from, &rest) && *rest == '-' && parse_minute (rest + 1, ret_to, &rest) && *rest == '\0';
}

static gboolean
parse_time (const char *text, int *ret_minute)
{
  const char *rest;

  return text && parse_minute (text, ret_minute, &rest) && *rest == '\0';
}

/* Local s of the midnight that begins the day. */
static gboolean
parse_date (const char *text, gint64 *ret_local)
{
  int year, month, day, length = 0;

  if (!text || strlen (text) != 10 || sscanf (text, "%4d-%2d-%2d%n", &year, &month, &day, &length) != 3 || length != 10 || year < 1970
      || month < 1 || day < 1 || !g_date_valid_dmy ((GDateDay) day, (GDateMonth) month, (GDateYear) year))
    return FALSE;
  GDate date;
  g_date_clear (&date, 1);
  g_date_set_dmy (&date, (GDateDay) day, (GDateMonth) month, (GDateYear) year);
  *ret_local = ((gint64) g_date_get_julian (&date) - UNIX_EPOCH_JULIAN) * DAY_S;
  return TRUE;
}

static gboolean
refuse (GError **error, const char *item, const char *why)
{
  g_autofree char *shown = phone_text_clean (item, -1, SHOWN);

  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\": %s", shown ? shown : "", why);
  return FALSE;
}

/* DATE HH:MM-HH:MM, DATE [HH:MM] to DATE [HH:MM], DATE. Returns how many words were used, 0: none of these. */
static guint
parse_once (Window *window, char **words)
{
  int from, to;
  guint n = 1;
  gint64 last;

  if (!parse_date (words[0], &window->from))
    return 0;
  if (parse_span (words[1], &from, &to))
    {
      window->to = window->from + (to > from ? 0 : DAY_S) + to * 60;
      window->from += from * 60;
      return 2;
    }
  last = window->from;
  if (parse_time (words[n], &from))
    {
      window->from += from * 60;
      n++;
      if (g_strcmp0 (words[n], "to") != 0)
        return 0;
    }
  window->to = last + DAY_S;
  if (g_strcmp0 (words[n], "to") != 0)
    return n;
  if (!parse_date (words[n + 1], &last))
    return 0;
  n += 2;
  window->to = last + DAY_S;
  if (parse_time (words[n], &to))
    {
      window->to = last + to * 60;
      n++;
    }
  return n;
}

static gboolean
parse_words (Window *window, const char *item, GError **error)
{
  g_auto (GStrv) raw = g_strsplit_set (item, " \t", -1);
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  char **w;
  guint used;

  for (gsize i = 0; raw[i]; i++)
    if (*raw[i])
      g_ptr_array_add (words, raw[i]);
  /* So that three words may be looked at behind the last one. */
  for (gsize i = 0; i < 4; i++)
    g_ptr_array_add (words, NULL);
  w = (char **) words->pdata;
  if (!w[0])
    return refuse (error, item, "there is nothing in it");
  window->days = parse_days (w[0]);
  used = window->days ? (parse_span (w[1], &window->from_minute, &window->to_minute) ? 2 : 0) : parse_once (window, w);
  if (!used)
    return refuse (error, item, "not \"Mon-Fri 18:00-08:00\", \"2026-12-24 14:00-18:00\", \"2026-12-24 to 2026-12-27 08:00\" or iCalendar");
  if (!window->days && window->to <= window->from)
    return refuse (error, item, "it ends before it begins");
  if (w[used] && !(window->zone = g_time_zone_new_identifier (w[used])))
    return refuse (error, item, "there is no such time zone; a name like Europe/Berlin");
  if (w[used] && w[used + 1])
    return refuse (error, item, "there is something behind the time zone");
  return TRUE;
}

PhoneDndSchedule *
phone_dnd_schedule_new (const char *const *items, GError **error)
{
  g_autoptr (PhoneDndSchedule) schedule = g_new0 (PhoneDndSchedule, 1);

  schedule->windows = g_ptr_array_new_with_free_func (window_free);
  for (gsize i = 0; items && items[i]; i++)
    {
      Window *window = g_new0 (Window, 1);

      g_ptr_array_add (schedule->windows, window);
      if (i >= PHONE_DND_MAX_WINDOWS)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "More than %d windows", PHONE_DND_MAX_WINDOWS);
          return NULL;
        }
      if (strlen (items[i]) > PHONE_DND_MAX_WINDOW)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "A window is longer than %d octets", PHONE_DND_MAX_WINDOW);
          return NULL;
        }
      if (g_ascii_strncasecmp (items[i], "BEGIN:", 6) == 0 ? !(window->calendar = dnd_calendar_new (items[i], error))
                                                            : !parse_words (window, items[i], error))
        return NULL;
    }
  return g_steal_pointer (&schedule);
}

/* ---- when ---- */

gint64
dnd_zone_to_unix (GTimeZone *zone, gint64 local, gboolean late)
{
  int interval = g_time_zone_adjust_time (zone, late ? G_TIME_TYPE_STANDARD : G_TIME_TYPE_DAYLIGHT, &local);

  return local - g_time_zone_get_offset (zone, interval);
}

static gint64
local_of (GTimeZone *zone, gint64 now)
{
  return now + g_time_zone_get_offset (zone, g_time_zone_find_interval (zone, G_TIME_TYPE_UNIVERSAL, now));
}

static void
add (GArray *intervals, GTimeZone *zone, gint64 from, gint64 to)
{
  DndInterval interval = { dnd_zone_to_unix (zone, from, FALSE), dnd_zone_to_unix (zone, to, TRUE) };

  if (interval.to > interval.from)
    g_array_append_val (intervals, interval);
}

static void
expand (const Window *window, gint64 now, GTimeZone *local, GArray *intervals)
{
  GTimeZone *zone = window->zone ? window->zone : local;
  gint64 today;

  if (window->calendar)
    dnd_calendar_expand (window->calendar, now, now + HORIZON_S, local, intervals);
  else if (!window->days)
    add (intervals, zone, window->from, window->to);
  else
    {
      today = local_of (zone, now);
      today -= ((today % DAY_S) + DAY_S) % DAY_S;
      /* 1970-01-01 was a Thursday. */
      for (gint64 day = today - 2 * DAY_S; day <= today + HORIZON_S; day += DAY_S)
        if (window->days & (1u << (((day / DAY_S) % 7 + 7 + 3) % 7)))
          add (intervals, zone, day + window->from_minute * 60,
               day + (window->to_minute > window->from_minute ? 0 : DAY_S) + window->to_minute * 60);
    }
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const DndInterval *x = a, *y = b;

  return (x->from > y->from) - (x->from < y->from);
}

gboolean
phone_dnd_schedule_is_open (const PhoneDndSchedule *schedule, gint64 now, GTimeZone *local, gint64 *ret_next)
{
  g_autoptr (GArray) intervals = g_array_new (FALSE, FALSE, sizeof (DndInterval));
  gint64 end = now;
  gboolean open = FALSE;

  *ret_next = 0;
  for (guint i = 0; i < schedule->windows->len; i++)
    expand (schedule->windows->pdata[i], now, local, intervals);
  g_array_sort (intervals, compare);
  /* Windows that touch are one. */
  for (guint i = 0; i < intervals->len; i++)
    {
      const DndInterval *interval = &g_array_index (intervals, DndInterval, i);

      if (interval->from <= end && interval->to > end)
        {
          end = interval->to;
          open = TRUE;
        }
      else if (interval->from > end && *ret_next == 0)
        *ret_next = interval->from;
    }
  if (open)
    *ret_next = end < now + HORIZON_S - DAY_S ? end : 0;
  return open;
}
