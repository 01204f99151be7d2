/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Do-not-disturb under a clock that the test owns: windows across changes of the clock and of the zone, calendars, and the verdict on calls. */

#include <string.h>

#include "core/dnd-model.h"
#include "fake/fake-ports.h"

/* ---- the schedule ---- */

static gint64
at (const char *zone, const char *text)
{
  g_autoptr (GTimeZone) tz = g_time_zone_new_identifier (zone);
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, tz);

  g_assert_nonnull (tz);
  g_assert_nonnull (time);
  return g_date_time_to_unix (time);
}

typedef struct
{
  const char *window;
  const char *local;            /* zone of the user */
  const char *now;              /* there */
  gboolean open;
  const char *next;             /* there, NULL: none */
} Case;

#define BERLIN "Europe/Berlin"
#define NEW_YORK "America/New_York"

#define EVENT(lines) "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n" lines "END:VEVENT\r\nEND:VCALENDAR\r\n"

#define AVAILABILITY(lines) "BEGIN:VAVAILABILITY\r\nUID:v\r\nDTSTAMP:20260101T000000Z\r\n" lines "END:VAVAILABILITY\r\n"
#define AVAILABLE(lines) "BEGIN:AVAILABLE\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n" lines "END:AVAILABLE\r\n"
#define CALENDAR(parts) "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n" parts "END:VCALENDAR\r\n"
#define WORKING_HOURS \
  AVAILABLE ("DTSTART;TZID=Europe/Berlin:20260105T090000\r\nDTEND;TZID=Europe/Berlin:20260105T170000\r\n" \
             "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR\r\n")

/* 2026 in Berlin: summer time from 29 March 02:00 to 25 October 03:00. 2026-11-28 is a Saturday. */
static const Case cases[] = {
  /* weekly, over midnight, over the weekend */
  { "Mon-Fri 18:00-08:00", BERLIN, "2026-11-27T17:59:59", FALSE, "2026-11-27T18:00:00" },
  { "Mon-Fri 18:00-08:00", BERLIN, "2026-11-27T18:00:00", TRUE, "2026-11-28T08:00:00" },
  { "Mon-Fri 18:00-08:00", BERLIN, "2026-11-28T07:59:59", TRUE, "2026-11-28T08:00:00" },
  { "Mon-Fri 18:00-08:00", BERLIN, "2026-11-28T08:00:00", FALSE, "2026-11-30T18:00:00" },
  { "mon-fri 18:00-08:00", BERLIN, "2026-11-30T07:00:00", FALSE, "2026-11-30T18:00:00" },
  { "Sat,Sun 00:00-24:00", BERLIN, "2026-11-28T12:00:00", TRUE, "2026-11-30T00:00:00" },
  { "Fri-Mon 09:00-10:00", BERLIN, "2026-11-30T09:30:00", TRUE, "2026-11-30T10:00:00" },
  { "daily 12:00-13:00", BERLIN, "2026-11-28T13:00:00", FALSE, "2026-11-29T12:00:00" },
  { "daily 00:00-24:00", BERLIN, "2026-11-28T13:00:00", TRUE, NULL },
  { "Monday 9:00-9:30", BERLIN, "2026-11-28T13:00:00", FALSE, "2026-11-30T09:00:00" },
  /* the night in which the clock goes forward ends at eight all the same, and so does the one in which it goes back */
  { "daily 22:00-08:00", BERLIN, "2026-03-29T06:30:00", TRUE, "2026-03-29T08:00:00" },
  { "daily 22:00-08:00", BERLIN, "2026-10-25T07:30:00", TRUE, "2026-10-25T08:00:00" },
  /* 02:30 does not exist on 29 March; on 25 October it is twice, and both count */
  { "Sun 02:30-05:00", BERLIN, "2026-03-29T01:59:00", FALSE, "2026-03-29T03:00:00" },
  { "Sun 02:30-05:00", BERLIN, "2026-10-25T02:30:00+02:00", TRUE, "2026-10-25T05:00:00" },
  { "Sat-Sun 22:00-02:30", BERLIN, "2026-10-25T02:15:00+01:00", TRUE, "2026-10-25T02:30:00+01:00" },
  /* another zone than the user's: 18:00 in Berlin is noon in New York, 13:00 in the three weeks between the two changes */
  { "Mon-Fri 18:00-08:00 Europe/Berlin", NEW_YORK, "2026-11-27T11:00:00", FALSE, "2026-11-27T12:00:00" },
  { "Mon-Fri 18:00-20:00 Europe/Berlin", NEW_YORK, "2026-03-16T13:30:00", TRUE, "2026-03-16T15:00:00" },
  { "Mon-Fri 18:00-20:00 Europe/Berlin", NEW_YORK, "2026-03-16T12:30:00", FALSE, "2026-03-16T13:00:00" },
  /* once */
  { "2026-12-24 14:00-18:00", BERLIN, "2026-12-24T13:00:00", FALSE, "2026-12-24T14:00:00" },
  { "2026-12-24 22:00-02:00", BERLIN, "2026-12-25T01:00:00", TRUE, "2026-12-25T02:00:00" },
  { "2026-12-24 14:00 to 2026-12-27 08:00", BERLIN, "2026-12-26T01:00:00", TRUE, "2026-12-27T08:00:00" },
  { "2026-12-24 to 2026-12-26", BERLIN, "2026-12-26T23:59:59", TRUE, "2026-12-27T00:00:00" },
  { "2026-12-24", BERLIN, "2026-12-24T23:59:59", TRUE, "2026-12-25T00:00:00" },
  { "2026-12-24", BERLIN, "2026-12-25T00:00:00", FALSE, NULL },
  { "2026-12-24 Asia/Tokyo", BERLIN, "2026-12-23T16:00:00", TRUE, "2026-12-24T16:00:00" },
  /* calendars */
  { EVENT ("DTSTART;TZID=Europe/Berlin:20260105T220000\r\nDTEND;TZID=Europe/Berlin:20260106T060000\r\nRRULE:FREQ=DAILY\r\n"), BERLIN,
    "2026-03-29T05:30:00", TRUE, "2026-03-29T06:00:00" },
  { EVENT ("DTSTART;TZID=Europe/Berlin:20260105T220000\r\nDTEND;TZID=Europe/Berlin:20260106T060000\r\nRRULE:FREQ=DAILY\r\n"), BERLIN,
    "2026-10-25T21:59:00", FALSE, "2026-10-25T22:00:00" },
  { EVENT ("DTSTART:20260105T120000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE\r\n"), BERLIN, "2026-07-01T14:30:00", TRUE,
    "2026-07-01T15:00:00" },
  { EVENT ("DTSTART:20261130T090000\r\nDTEND:20261130T100000\r\n"), NEW_YORK, "2026-11-30T08:00:00", FALSE, "2026-11-30T09:00:00" },
  { EVENT ("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\n"), BERLIN, "2026-12-26T23:00:00", TRUE, "2026-12-27T00:00:00" },
  { EVENT ("DTSTART;VALUE=DATE:20261224\r\n"), BERLIN, "2026-12-24T12:00:00", TRUE, "2026-12-25T00:00:00" },
  { EVENT ("DTSTART:20261128T090000\r\nDTEND:20261128T100000\r\nRRULE:FREQ=DAILY;COUNT=3\r\nEXDATE:20261129T090000\r\n"), BERLIN,
    "2026-11-28T10:00:00", FALSE, "2026-11-30T09:00:00" },
  { EVENT ("DTSTART:20261128T090000\r\nDTEND:20261128T100000\r\nRDATE:20261205T090000\r\n"), BERLIN, "2026-11-29T10:00:00", FALSE,
    "2026-12-05T09:00:00" },
  { EVENT ("DTSTART:20261128T090000\r\nDTEND:20261128T100000\r\nRRULE:FREQ=DAILY;UNTIL=20261129T235959Z\r\n"), BERLIN, "2026-11-29T10:00:00",
    FALSE, NULL },
  { EVENT ("DTSTART:20261128T090000\r\nDTEND:20261128T100000\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\n"
           "RECURRENCE-ID:20261129T090000\r\nDTSTART:20261129T150000\r\nDTEND:20261129T160000\r\n"),
    BERLIN, "2026-11-28T10:00:00", FALSE, "2026-11-29T15:00:00" },
  /* what has been repeating for long, counted and not; every third Monday since 1990, in step */
  { EVENT ("DTSTART:19900101T100000\r\nDTEND:19900101T110000\r\nRRULE:FREQ=WEEKLY;INTERVAL=3\r\n"), BERLIN, "2026-11-28T10:00:00", FALSE,
    "2026-11-30T10:00:00" },
  { EVENT ("DTSTART:19900101T100000\r\nDTEND:19900101T110000\r\nRRULE:FREQ=DAILY;COUNT=13483\r\n"), BERLIN, "2026-11-30T10:30:00", TRUE,
    "2026-11-30T11:00:00" },
  { EVENT ("DTSTART:19900101T100000\r\nDTEND:19900101T110000\r\nRRULE:FREQ=DAILY;COUNT=13482\r\n"), BERLIN, "2026-11-30T10:30:00", FALSE, NULL },
  { EVENT ("DTSTART:20251001T000000\r\nDTEND:20261129T000000\r\nRRULE:FREQ=YEARLY\r\n"), BERLIN, "2026-11-28T10:00:00", TRUE, NULL },
  { EVENT ("DTSTART:20200101T000000\r\nDTEND:20210101T120000\r\nRRULE:FREQ=YEARLY;UNTIL=20260101T000000Z\r\n"), BERLIN, "2026-12-01T10:00:00",
    TRUE, "2027-01-02T12:00:00" },
  /* an event may end in another zone than it begins in: eight hours of a flight */
  { EVENT ("DTSTART;TZID=Europe/Berlin:20261130T100000\r\nDTEND;TZID=America/New_York:20261130T120000\r\n"), BERLIN, "2026-11-30T17:30:00", TRUE,
    "2026-11-30T18:00:00" },
  /* availability: what it leaves over, over the weekend and over a change of the clock */
  { CALENDAR (AVAILABILITY (WORKING_HOURS)), BERLIN, "2026-11-27T16:00:00", FALSE, "2026-11-27T17:00:00" },
  { CALENDAR (AVAILABILITY (WORKING_HOURS)), BERLIN, "2026-11-27T17:00:00", TRUE, "2026-11-30T09:00:00" },
  { CALENDAR (AVAILABILITY (WORKING_HOURS)), BERLIN, "2026-10-24T12:00:00", TRUE, "2026-10-26T09:00:00" },
  { AVAILABILITY (WORKING_HOURS), BERLIN, "2026-11-27T17:00:00", TRUE, "2026-11-30T09:00:00" },
  /* outside its own time it says nothing, and what is available outside it counts for nothing */
  { CALENDAR (AVAILABILITY ("DTSTART:20261201T000000Z\r\n" WORKING_HOURS)), BERLIN, "2026-11-30T20:00:00", FALSE, "2026-12-01T01:00:00" },
  { CALENDAR (AVAILABILITY ("DTSTART:20261130T150000Z\r\nDURATION:PT4H\r\n" WORKING_HOURS)), BERLIN, "2026-11-30T17:30:00", TRUE,
    "2026-11-30T20:00:00" },
  { CALENDAR (AVAILABILITY ("PRIORITY:1\r\nDTSTART:20261130T090000Z\r\nDTEND:20261130T100000Z\r\n" AVAILABLE ("DTSTART:20261130T094500Z\r\nDURATION:PT2H\r\n"))
              AVAILABILITY ("DTSTART:20261130T103000Z\r\nDTEND:20261130T113000Z\r\nPRIORITY:9\r\n")), "Etc/UTC", "2026-11-30T10:45:00", TRUE,
    "2026-11-30T11:30:00" },
  { CALENDAR (AVAILABILITY ("")), BERLIN, "2026-11-30T20:00:00", TRUE, NULL },
  /* the week abroad goes before the ordinary one, whichever comes first in the file */
  { CALENDAR (AVAILABILITY ("PRIORITY:1\r\nDTSTART;TZID=Europe/Berlin:20261130T000000\r\nDTEND;TZID=Europe/Berlin:20261205T000000\r\n"
                            AVAILABLE ("DTSTART;TZID=Europe/Berlin:20261130T220000\r\nDURATION:PT1H\r\n"))
              AVAILABILITY ("PRIORITY:0\r\n" WORKING_HOURS)), BERLIN, "2026-11-30T10:00:00", TRUE, "2026-11-30T22:00:00" },
  { CALENDAR (AVAILABILITY ("PRIORITY:9\r\n" WORKING_HOURS)
              AVAILABILITY ("PRIORITY:2\r\nDTSTART;TZID=Europe/Berlin:20261130T000000\r\nDTEND;TZID=Europe/Berlin:20261205T000000\r\n")), BERLIN,
    "2026-11-30T10:00:00", TRUE, "2026-12-07T09:00:00" },
  /* single days of it are left out or moved */
  { CALENDAR (AVAILABILITY (AVAILABLE ("DTSTART:20261128T090000\r\nDTEND:20261128T100000\r\nRRULE:FREQ=DAILY\r\nEXDATE:20261129T090000\r\n")
                            AVAILABLE ("RECURRENCE-ID:20261130T090000\r\nDTSTART:20261130T150000\r\nDTEND:20261130T160000\r\n"))), BERLIN,
    "2026-11-28T10:00:00", TRUE, "2026-11-30T15:00:00" },
  /* a meeting within it */
  { CALENDAR (AVAILABILITY (WORKING_HOURS) "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261130T100000\r\nDTEND:20261130T110000\r\nEND:VEVENT\r\n"), BERLIN,
    "2026-11-30T10:30:00", TRUE, "2026-11-30T11:00:00" },
  /* the calendar's own zone, four hours east of Greenwich all year */
  { "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Four\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0400\r\n"
    "TZOFFSETTO:+0400\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Four:20261130T120000\r\n"
    "DTEND;TZID=Four:20261130T130000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", BERLIN, "2026-11-30T08:30:00", FALSE, "2026-11-30T09:00:00" },
};

static void
test_schedule (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const Case *c = &cases[i];
      const char *items[] = { c->window, NULL };
      g_autoptr (GError) error = NULL;
      g_autoptr (PhoneDndSchedule) schedule = phone_dnd_schedule_new (items, &error);
      g_autoptr (GTimeZone) local = g_time_zone_new_identifier (c->local);
      gint64 next = -1;
      gboolean open;

      g_test_message ("%s at %s", c->window, c->now);
      g_assert_no_error (error);
      open = phone_dnd_schedule_is_open (schedule, at (c->local, c->now), local, &next);
      g_assert_cmpint (open, ==, c->open);
      g_assert_cmpint (next, ==, c->next ? at (c->local, c->next) : 0);
    }
}

/* Windows that overlap or touch are one; the gap between others is a change. */
static void
test_several (void)
{
  const char *items[] = { "Sat 10:00-12:00", "Sat 11:00-14:00", "Sat 14:00-15:00", "Sat 15:01-16:00", NULL };
  g_autoptr (PhoneDndSchedule) schedule = phone_dnd_schedule_new (items, NULL);
  g_autoptr (GTimeZone) local = g_time_zone_new_identifier (BERLIN);
  gint64 next;

  g_assert_true (phone_dnd_schedule_is_open (schedule, at (BERLIN, "2026-11-28T10:30:00"), local, &next));
  g_assert_cmpint (next, ==, at (BERLIN, "2026-11-28T15:00:00"));
  g_assert_false (phone_dnd_schedule_is_open (schedule, at (BERLIN, "2026-11-28T15:00:30"), local, &next));
  g_assert_cmpint (next, ==, at (BERLIN, "2026-11-28T15:01:00"));
}

static void
test_refused (void)
{
  static const struct { const char *window, *why; } bad[] = {
    { "", "nothing in it" }, { "  ", "nothing in it" }, { "Mon-Fri", "not \"Mon-Fri" }, { "Mon-Foo 18:00-08:00", "not \"Mon-Fri" },
    { "Mon 18:00-25:00", "not \"Mon-Fri" }, { "Mon 18:00-24:01", "not \"Mon-Fri" }, { "Mon 18-20", "not \"Mon-Fri" },
    { "Mon 18:0-20:00", "not \"Mon-Fri" }, { "Mon 18:00-08:00 Europe/Nowhere", "no such time zone" },
    { "Mon 18:00-08:00 Europe/Berlin now", "behind the time zone" }, { "Mon 18:00-08:00 ../../etc/passwd", "no such time zone" },
    { "2026-02-29 10:00-11:00", "not \"Mon-Fri" }, { "2026-12-24 to", "not \"Mon-Fri" }, { "2026-12-24 14:00", "not \"Mon-Fri" },
    { "2026-12-24 to 2026-12-23", "ends before" }, { "BEGIN:", "iCalendar" }, { "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "no event" },
    { CALENDAR (AVAILABILITY (AVAILABLE ("DTEND:20261128T100000\r\n"))), "no start" },
    { CALENDAR (AVAILABILITY ("DTSTART:soon\r\n")), "not understood" },
    { CALENDAR (AVAILABILITY (AVAILABLE ("DTSTART:20261128T090000\r\nRRULE:FREQ=HOURLY\r\n"))), "more often than daily" },
    { EVENT ("DTSTART:20200201T090000\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n"), "never happens" },
    { EVENT ("DTSTART:19700101T090000\r\nRRULE:FREQ=DAILY;COUNT=25000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n"
             "DTSTART:19700101T090000\r\nRRULE:FREQ=DAILY;COUNT=25001\r\n"), "too many repetitions" },
    { EVENT ("DTEND:20261128T100000\r\n"), "no start" }, { EVENT ("DTSTART:20261128T090000\r\nRRULE:FREQ=SECONDLY\r\n"), "more often than daily" },
    { EVENT ("DTSTART:20261128T090000\r\nRRULE:FREQ=DAILY;BYHOUR=1,2,3\r\n"), "within a day" },
    { EVENT ("DTSTART:20261128T090000\r\nTRANSP:TRANSPARENT\r\n"), "no event" },
    { EVENT ("DTSTART:20261128T090000\r\nSTATUS:CANCELLED\r\n"), "no event" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      const char *items[] = { bad[i].window, NULL };
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", bad[i].window);
      g_assert_null (phone_dnd_schedule_new (items, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_assert_nonnull (strstr (error->message, bad[i].why));
    }
}

/* ---- the verdict ---- */

typedef struct
{
  FakePorts *fake;
  PhonePorts ports;
  PhoneStoreOps store;
  PhoneRegistry *registry;
  PhoneDnd *dnd;
  PhoneAccount *alice;
  gint64 now;
  const char *zone;
  guint changes;
} Fixture;

/* What outlives a daemon. */
static GHashTable *choices;
static gint64 emergency;

static gint64 fake_now (gpointer data) { return ((Fixture *) data)->now; }
static GTimeZone *fake_zone (gpointer data) { return g_time_zone_new_identifier (((Fixture *) data)->zone); }
static const PhoneDndClock clock_of_test = { fake_now, fake_zone };

static void
on_changed (PhoneDnd *dnd, guint mask, Fixture *f)
{
  f->changes |= mask;
}

static char *
choice_load (gpointer data, const char *key)
{
  return g_strdup (g_hash_table_lookup (choices, key));
}

static gint64 emergency_load (gpointer data) { return emergency; }

/* Before the call goes out: a crash may come with it. */
static gboolean
emergency_save (gpointer data, gint64 at, GError **error)
{
  g_assert_false (fake_ports_took (data, "invite"));
  emergency = at;
  return TRUE;
}

static gboolean
choice_save (gpointer data, const char *key, const char *value, GError **error)
{
  if (value)
    g_hash_table_insert (choices, g_strdup (key), g_strdup (value));
  else
    g_hash_table_remove (choices, key);
  return TRUE;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();
  g_autoptr (PhoneAccountSettings) account = phone_account_settings_new ("alice", NULL);
  g_autoptr (GError) error = NULL;

  f->fake = fake_ports_new ();
  fake_ports_fill (f->fake, &f->ports);
  f->store = *f->ports.store;
  f->store.choice_load = choice_load;
  f->store.choice_save = choice_save;
  f->store.emergency_load = emergency_load;
  f->store.emergency_save = emergency_save;
  emergency = 0;
  f->ports.store = &f->store;
  choices = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  settings->linger = 0;
  f->registry = phone_registry_new (settings);
  phone_registry_set_ports (f->registry, &f->ports);
  g_assert_true (phone_account_settings_set (account, "aor", "sip:alice@example.org", NULL));
  f->alice = phone_registry_add_account (f->registry, account, FALSE, &error);
  g_assert_no_error (error);
  f->now = at (BERLIN, "2026-11-28T12:00:00");
  f->zone = BERLIN;
  f->dnd = phone_registry_get_dnd (f->registry);
  phone_dnd_set_clock (f->dnd, &clock_of_test, f);
  g_signal_connect (f->dnd, "changed", G_CALLBACK (on_changed), f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_signal_handlers_disconnect_by_data (f->dnd, f);
  g_object_unref (f->registry);
  fake_ports_free (f->fake);
  g_clear_pointer (&choices, g_hash_table_unref);
}

static PhoneDndVerdict
judge (Fixture *f, const char *caller, PhoneRefusal *ret_refusal)
{
  PhoneRefusal refusal;
  const PhoneIncoming incoming = { .remote_uri = caller, .remote_name = "", .asserted_id = "", .diverter = "", .request_uri = "sip:alice@example.org" };

  return phone_dnd_judge (f->dnd, f->alice, &incoming, ret_refusal ? ret_refusal : &refusal);
}

#define BOB "sip:bob@example.org"

static void
test_modes (Fixture *f, gconstpointer data)
{
  PhoneRefusal refusal;

  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_PASS);
  g_assert_true (phone_dnd_set_enabled (f->dnd, TRUE, NULL));
  g_assert_true (phone_dnd_is_active (f->dnd));
  g_assert_cmpstr (phone_dnd_get_cause (f->dnd), ==, "user");
  g_assert_cmpuint (f->changes, ==, PHONE_DND_ACTIVE | PHONE_DND_SETTINGS);
  g_assert_cmpint (judge (f, BOB, &refusal), ==, DND_REFUSE);
  g_assert_cmpuint (refusal.status, ==, 486);
  g_assert_cmpuint (refusal.retry_after, ==, 0);
  g_assert_true (phone_dnd_set_mode (f->dnd, PHONE_DND_SILENT, NULL));
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_SILENCE);
  g_assert_true (phone_dnd_set_mode (f->dnd, PHONE_DND_VOICEMAIL, NULL));
  g_assert_cmpint (judge (f, BOB, &refusal), ==, DND_REFUSE);
  g_assert_cmpuint (refusal.status, ==, 486);
  g_assert_true (phone_dnd_set_mailbox (f->dnd, "sip:box@example.org", NULL));
  g_assert_cmpint (judge (f, BOB, &refusal), ==, DND_REFUSE);
  g_assert_cmpuint (refusal.status, ==, 302);
  g_assert_cmpstr (refusal.contact, ==, "sip:box@example.org");
  g_assert_false (phone_dnd_set_mailbox (f->dnd, "no uri", NULL));
}

static void
test_until (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  PhoneRefusal refusal;

  g_assert_false (phone_dnd_set_until (f->dnd, f->now, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_assert_true (phone_dnd_set_until (f->dnd, f->now + 600, NULL));
  g_assert_false (phone_dnd_is_active (f->dnd));
  g_assert_true (phone_dnd_set_enabled (f->dnd, TRUE, NULL));
  g_assert_cmpint (phone_dnd_get_next_change (f->dnd), ==, f->now + 600);
  f->now += 100;
  g_assert_cmpint (judge (f, BOB, &refusal), ==, DND_REFUSE);
  g_assert_cmpuint (refusal.status, ==, 480);
  g_assert_cmpuint (refusal.retry_after, ==, 500);
  /* asleep over the end: the first call is judged by the clock, whether or not the timer has fired */
  f->now += 500;
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_PASS);
  phone_dnd_on_time_changed (f->dnd);
  g_assert_false (phone_dnd_is_active (f->dnd));
  g_assert_false (phone_dnd_get_enabled (f->dnd));
  g_assert_cmpint (phone_dnd_get_until (f->dnd), ==, 0);
}

static void
test_by_schedule (Fixture *f, gconstpointer data)
{
  const char *items[] = { "Mon-Fri 18:00-08:00", NULL };
  PhoneRefusal refusal;

  g_assert_true (phone_dnd_set_schedule (f->dnd, items, NULL));
  g_assert_false (phone_dnd_is_active (f->dnd));
  g_assert_cmpint (phone_dnd_get_next_change (f->dnd), ==, at (BERLIN, "2026-11-30T18:00:00"));
  f->now = at (BERLIN, "2026-11-30T18:00:00");
  g_assert_cmpint (judge (f, BOB, &refusal), ==, DND_REFUSE);
  g_assert_cmpuint (refusal.status, ==, 486);
  phone_dnd_on_time_changed (f->dnd);
  g_assert_cmpstr (phone_dnd_get_cause (f->dnd), ==, "schedule");
  g_assert_cmpint (phone_dnd_get_next_change (f->dnd), ==, at (BERLIN, "2026-12-01T08:00:00"));
  /* a flight to New York: local time is noon there */
  f->zone = NEW_YORK;
  phone_dnd_on_time_changed (f->dnd);
  g_assert_false (phone_dnd_is_active (f->dnd));
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_PASS);
  /* a bad one changes nothing */
  items[0] = "whenever";
  g_assert_false (phone_dnd_set_schedule (f->dnd, items, NULL));
  g_assert_cmpstr (phone_dnd_get_schedule (f->dnd)[0], ==, "Mon-Fri 18:00-08:00");
}

static void
test_let_through (Fixture *f, gconstpointer data)
{
  const char *allow[] = { "+4930*", "mum@example.net", NULL };
  const char *others[] = { "alice", NULL };
  const PhoneIncoming spoofed = { .remote_uri = "sip:mum@example.net", .remote_name = "", .asserted_id = "sip:+4940123@example.org", .diverter = "" };
  PhoneRefusal refusal;

  g_assert_true (phone_dnd_set_enabled (f->dnd, TRUE, NULL));
  g_assert_true (phone_dnd_set_allow_list (f->dnd, allow, NULL));
  g_assert_cmpint (judge (f, "sip:+49-30-123@example.org;user=phone", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, "sip:mum@example.net", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, "sip:+4940123@example.org", NULL), ==, DND_REFUSE);
  /* what the provider asserts goes before what the caller says */
  g_assert_cmpint (phone_dnd_judge (f->dnd, f->alice, &spoofed, &refusal), ==, DND_REFUSE);
  g_assert_true (phone_dnd_set_accounts (f->dnd, others, NULL));
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_REFUSE);
  others[0] = "nobody";
  g_assert_false (phone_dnd_set_accounts (f->dnd, others, NULL));
}

static void
set_contacts (Fixture *f, const char *text)
{
  PhoneContacts *contacts = phone_contacts_new ();
  g_autoptr (GError) error = NULL;

  phone_contacts_add (contacts, text, strlen (text), &error);
  g_assert_no_error (error);
  phone_registry_set_contacts (f->registry, contacts);
}

#define PERSON(name, group, number) "BEGIN:VCARD\nFN:" name "\nCATEGORIES:" group "\nTEL:" number "\nEND:VCARD\n"

static void
test_contacts (Fixture *f, gconstpointer data)
{
  const char *allow[] = { "contact:Aunt Mary", "+4930*", "group:family", NULL }, *unknown[] = { "contact:Uncle Bob", NULL };
  g_autoptr (GError) error = NULL;

  set_contacts (f, PERSON ("Aunt Mary", "old", "0171 7654321") PERSON ("Kid", "family", "+44 20 79460000"));
  g_assert_true (phone_dnd_set_enabled (f->dnd, TRUE, NULL));
  g_assert_false (phone_dnd_set_allow_list (f->dnd, unknown, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_assert_cmpstr (error->message, ==, "\"contact:Uncle Bob\" is none of the 2 contacts");
  g_assert_true (phone_dnd_set_allow_list (f->dnd, allow, NULL));
  g_assert_cmpint (judge (f, "sip:+491717654321@example.org", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, "sip:+442079460000@example.org", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, "sip:+4930123@example.org", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, "sip:+4940123@example.org", NULL), ==, DND_REFUSE);
  /* What the network vouches for names, and nobody is named beside it who is only claimed. */
  g_assert_cmpstr (phone_registry_name_party (f->registry, NULL, "sip:+491717654321@example.org"), ==, "Aunt Mary");
  g_assert_cmpstr (phone_registry_name_party (f->registry, "", "sip:+491717654321@example.org"), ==, "Aunt Mary");
  g_assert_cmpstr (phone_registry_name_party (f->registry, "tel:+442079460000", "sip:+491717654321@example.org"), ==, "Kid");
  g_assert_cmpstr (phone_registry_name_party (f->registry, "sip:trunk@example.org", "sip:+491717654321@example.org"), ==, "");
  /* The book has changed: she has another number, nobody is family; what stands on the list may stay there. */
  set_contacts (f, PERSON ("Aunt Mary", "old", "+49 40 123456"));
  g_assert_cmpint (judge (f, "sip:+491717654321@example.org", NULL), ==, DND_REFUSE);
  g_assert_cmpint (judge (f, "sip:+4940123456@example.org", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, "sip:+442079460000@example.org", NULL), ==, DND_REFUSE);
  allow[1] = "+4989*";
  g_assert_true (phone_dnd_set_allow_list (f->dnd, allow, NULL));
  /* It outlives the daemon. */
  allow[0] = NULL;
  g_assert_true (phone_dnd_set_allow_list (f->dnd, allow, NULL));
  g_assert_cmpint (judge (f, "sip:+4940123456@example.org", NULL), ==, DND_REFUSE);
  g_hash_table_insert (choices, g_strdup ("dnd-allow-list"), g_strdup ("\"contact:Aunt Mary\" \"+4989*\""));
  phone_dnd_start (f->dnd);
  g_assert_cmpint (judge (f, "sip:+4940123456@example.org", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, "sip:+4989123@example.org", NULL), ==, DND_PASS);
}

static void
test_second_call (Fixture *f, gconstpointer data)
{
  g_assert_true (phone_dnd_set_enabled (f->dnd, TRUE, NULL));
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_REFUSE);
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_REFUSE);
  g_assert_false (phone_dnd_set_repeat (f->dnd, 61, NULL));
  g_assert_true (phone_dnd_set_repeat (f->dnd, 3, NULL));
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_REFUSE);
  g_assert_cmpint (judge (f, "sip:carol@example.org", NULL), ==, DND_REFUSE);
  f->now += 181;
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_REFUSE);
  f->now += 180;
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_PASS);
  /* Two who withhold their number may be two. */
  g_assert_cmpint (judge (f, "sip:anonymous@anonymous.invalid", NULL), ==, DND_REFUSE);
  g_assert_cmpint (judge (f, "sip:anonymous@anonymous.invalid", NULL), ==, DND_REFUSE);
  g_assert_cmpint (judge (f, "sip:Anonymous@example.org", NULL), ==, DND_REFUSE);
  g_assert_cmpint (judge (f, "sip:Anonymous@example.org", NULL), ==, DND_REFUSE);
  g_assert_cmpint (judge (f, "sip:anonymouse@example.org", NULL), ==, DND_REFUSE);
  g_assert_cmpint (judge (f, "sip:anonymouse@example.org", NULL), ==, DND_PASS);
}

static void
test_emergency (Fixture *f, gconstpointer data)
{
  PhoneDialOptions options = { 0 };

  g_assert_true (phone_dnd_set_enabled (f->dnd, TRUE, NULL));
  g_assert_cmpint (judge (f, "sip:112@example.org", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, "tel:112", NULL), ==, DND_PASS);
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_REFUSE);
  g_assert_nonnull (phone_registry_dial (f->registry, "112", &options, NULL));
  /* whoever it is: the call back comes from a number that nobody knows */
  g_assert_cmpint (judge (f, "sip:anonymous@anonymous.invalid", NULL), ==, DND_PASS);
}

/* The daemon, or the machine, goes down after a call for help: for the rest of the hour whoever calls back is let through all the same. */
static void
test_emergency_after_restart (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();
  g_autoptr (PhoneRegistry) registry = NULL;
  PhoneDialOptions options = { 0 };

  g_assert_nonnull (phone_registry_dial (f->registry, "112", &options, NULL));
  g_assert_true (fake_ports_took (f->fake, "invite"));
  g_assert_cmpint (emergency, ==, f->now);
  registry = phone_registry_new (settings);
  phone_registry_set_ports (registry, &f->ports);
  f->dnd = phone_registry_get_dnd (registry);
  phone_dnd_set_clock (f->dnd, &clock_of_test, f);
  g_assert_true (phone_dnd_set_enabled (f->dnd, TRUE, NULL));
  f->now += 3599;
  phone_dnd_start (f->dnd);
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_PASS);
  f->now += 1;
  phone_dnd_start (f->dnd);
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_REFUSE);
  /* The clock was set back. */
  f->now -= 2 * 3600 - 1;
  phone_dnd_start (f->dnd);
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_PASS);
  f->dnd = phone_registry_get_dnd (f->registry);
}

static void
test_desktop (Fixture *f, gconstpointer data)
{
  phone_dnd_on_desktop (f->dnd, TRUE);
  g_assert_false (phone_dnd_is_active (f->dnd));
  g_assert_true (phone_dnd_set_follow_desktop (f->dnd, TRUE, NULL));
  g_assert_cmpstr (phone_dnd_get_cause (f->dnd), ==, "desktop");
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_REFUSE);
  phone_dnd_on_desktop (f->dnd, FALSE);
  g_assert_cmpint (judge (f, BOB, NULL), ==, DND_PASS);
}

/* Through the registry: what is refused makes no call, what is silent makes one that does not ring. */
static void
test_calls (Fixture *f, gconstpointer data)
{
  const PhoneIncoming incoming = { .remote_uri = BOB, .remote_name = "", .asserted_id = "", .diverter = "", .request_uri = "sip:alice@example.org" };
  PhoneRefusal refusal = { 0 };
  PhoneCall *call;
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_CANCELLED, 487, NULL);

  g_assert_true (phone_dnd_set_enabled (f->dnd, TRUE, NULL));
  g_assert_null (phone_registry_on_incoming (f->registry, f->alice, &incoming, NULL, NULL, &refusal));
  g_assert_cmpuint (refusal.status, ==, 486);
  g_assert_true (phone_dnd_set_mode (f->dnd, PHONE_DND_SILENT, NULL));
  call = phone_registry_on_incoming (f->registry, f->alice, &incoming, NULL, NULL, &refusal);
  g_assert_nonnull (call);
  g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_NONE);
  g_assert_true (fake_ports_took (f->fake, "ring 180"));
  phone_call_on_ended (call, reason);
}

#define ADD(name, func) g_test_add ("/dnd/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dnd/schedule", test_schedule);
  g_test_add_func ("/dnd/several", test_several);
  g_test_add_func ("/dnd/refused", test_refused);
  ADD ("modes", test_modes);
  ADD ("until", test_until);
  ADD ("by-schedule", test_by_schedule);
  ADD ("let-through", test_let_through);
  ADD ("contacts", test_contacts);
  ADD ("second-call", test_second_call);
  ADD ("emergency", test_emergency);
  ADD ("emergency-after-restart", test_emergency_after_restart);
  ADD ("desktop", test_desktop);
  ADD ("calls", test_calls);
  return g_test_run ();
}
