/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is too old goes every hour, in a phone that nobody restarts: the linker gives the test the clock, and the timers of an hour. */

#include <string.h>

#include "core/history.h"
#include "core/messages.h"
#include "fake/fake-ports.h"

#define HOUR_S 3600
#define DAY_S 86400
#define NOW_S 1795392000

/* ---- the clock ---- */

static struct
{
  gint64 now_s;
  GSourceFunc functions[4];
  gpointer data[4];
  guint n;
} wall;

gint64 __wrap_g_get_real_time (void);
gint64 __wrap_g_get_real_time (void) { return wall.now_s * G_USEC_PER_SEC; }

guint __real_g_timeout_add_seconds (guint interval, GSourceFunc function, gpointer data);
guint __wrap_g_timeout_add_seconds (guint interval, GSourceFunc function, gpointer data);

guint
__wrap_g_timeout_add_seconds (guint interval, GSourceFunc function, gpointer data)
{
  if (interval == HOUR_S)
    {
      g_assert_cmpuint (wall.n, <, G_N_ELEMENTS (wall.functions));
      wall.functions[wall.n] = function;
      wall.data[wall.n++] = data;
    }
  return __real_g_timeout_add_seconds (interval, function, data);
}

static void
pass_an_hour (void)
{
  wall.now_s += HOUR_S;
  for (guint i = 0; i < wall.n; i++)
    g_assert_true (wall.functions[i] (wall.data[i]));
}

/* ---- an archive that is asked ---- */

static struct
{
  gint64 calls_before, messages_before;
  guint most, calls, messages, counted;
} asked;

static void
history_expire (gpointer archive, gint64 before, guint max, PhoneArchiveDone done, gpointer data)
{
  asked.calls++;
  asked.calls_before = before;
  asked.most = max;
}

static void
message_expire (gpointer archive, gint64 before, PhoneArchiveDone done, gpointer data)
{
  asked.messages++;
  asked.messages_before = before;
}

static void
count (gpointer archive, PhoneArchiveCounted done, gpointer data)
{
  asked.counted++;
  done (0, NULL, data);
}

static void
message_open (gpointer archive, PhoneMessagesListed done, gpointer data)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  done (none, NULL, data);
}

static void message_add (gpointer data, PhoneMessage *message, PhoneMessageAdded done, gpointer done_data) { g_assert_not_reached (); }

static gboolean
message_send (gpointer ua, PhoneAccount *account, const PhoneMessageParams *params, GError **error)
{
  g_assert_not_reached ();
}

static const PhoneArchiveOps archive = {
  .message_add = message_add,
  .history_expire = history_expire, .message_expire = message_expire, .history_count_unseen = count, .message_count_unread = count,
  .message_open = message_open,
};

static void
run (guint keep_calls, guint most, guint keep_messages, guint hours)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();
  FakePorts *fake = fake_ports_new ();
  PhonePorts ports;
  PhoneSignallingOps sig;
  PhoneRegistry *registry;

  settings->history_keep = keep_calls;
  settings->history_max = most;
  settings->message_keep = keep_messages;
  memset (&asked, 0, sizeof asked);
  wall.now_s = NOW_S;
  wall.n = 0;
  fake_ports_fill (fake, &ports);
  sig = *ports.sig;
  sig.message_send = message_send;
  ports.sig = &sig;
  ports.archive = &archive;
  registry = phone_registry_new (settings);
  phone_registry_set_ports (registry, &ports);
  g_assert_cmpuint (wall.n, ==, 2);
  for (guint i = 0; i < hours; i++)
    pass_an_hour ();
  g_object_unref (registry);
  fake_ports_free (fake);
}

/* ---- tests ---- */

static void
test_each_hour (void)
{
  run (7, 1000, 30, 5);
  g_assert_cmpuint (asked.calls, ==, 6);
  g_assert_cmpint (asked.calls_before, ==, NOW_S + 5 * HOUR_S - 7 * DAY_S);
  g_assert_cmpuint (asked.most, ==, 1000);
  g_assert_cmpuint (asked.messages, ==, 6);
  g_assert_cmpint (asked.messages_before, ==, NOW_S + 5 * HOUR_S - 30 * DAY_S);
  /* what went may have been unseen or unread: at the start once more each, for what is there at all */
  g_assert_cmpuint (asked.counted, ==, 2 * 6 + 2);
}

static void
test_number_alone (void)
{
  run (0, 1000, 0, 3);
  g_assert_cmpuint (asked.calls, ==, 4);
  g_assert_cmpint (asked.calls_before, ==, 0);
  g_assert_cmpuint (asked.messages, ==, 0);
}

static void
test_for_ever (void)
{
  run (0, 0, 0, 3);
  g_assert_cmpuint (asked.calls + asked.messages, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/retention/each-hour", test_each_hour);
  g_test_add_func ("/retention/number-alone", test_number_alone);
  g_test_add_func ("/retention/for-ever", test_for_ever);
  return g_test_run ();
}
