/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The wall clock is set, the machine is suspended: SIP timers do not care. Nobody may set a real clock in a
 * test, so the program defines clock_gettime() and gettimeofday() and lies to all libraries at once:
 * sofia-sip, GLib and our own code. The descriptor that tells of a step is a pipe here. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/su_time.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "sip-bench.h"
#include "sip/ua-clock.h"
#include "sip/ua-platform.h"

#define HOUR 3600
#define SERVER "127.10.1.1"
#define PHONE "sip:127.10.1.2:*"

static gint64 wall_step, boot_step;     /* s */
static int wake_pipe[2] = { -1, -1 };
static guint n_armed;

int
clock_gettime (clockid_t id, struct timespec *now)
{
  int result = syscall (SYS_clock_gettime, id, now);

  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
    now->tv_sec += wall_step;
  else if (id == CLOCK_BOOTTIME)
    now->tv_sec += boot_step;
  return result;
}

/* GLib's way */
int
gettimeofday (struct timeval *restrict now, void *restrict zone)
{
  int result = syscall (SYS_gettimeofday, now, zone);

  now->tv_sec += wall_step;
  return result;
}

int
timerfd_create (int id, int flags)
{
  g_assert_cmpint (id, ==, CLOCK_REALTIME);
  return pipe2 (wake_pipe, O_NONBLOCK | O_CLOEXEC) == 0 ? wake_pipe[0] : -1;
}

int
timerfd_settime (int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
  g_assert_cmpint (fd, ==, wake_pipe[0]);
  g_assert_true (flags & TFD_TIMER_CANCEL_ON_SET);
  n_armed++;
  return 0;
}

typedef struct
{
  BenchPhone phone;
  GSocket *socket;
  GSource *source;
  guint16 port;
  gint64 step;
  guint n_requests;
  gboolean done;
  guint n_wakes;
  gint64 slept;
  char *resolv_conf;
} Fixture;

static void
on_final (BenchPhone *phone, nua_event_t event, int status, nua_handle_t *nh, const sip_t *sip)
{
  ((Fixture *) phone->data)->done = TRUE;
}

static void
start (Fixture *f, GSocketSourceFunc on_datagram, tag_type_t tag, tag_value_t value)
{
  wall_step = boot_step = 0;
  f->phone.data = f;
  f->phone.on_final = on_final;
  if (on_datagram != NULL)
    f->socket = bench_udp_new (SERVER, on_datagram, f, &f->port, &f->source);
  bench_phone_start (&f->phone, PHONE, NTATAG_SIP_T1 (50), tag, value, TAG_END ());
}

static void
stop (Fixture *f)
{
  bench_phone_stop (&f->phone);
  if (f->source != NULL)
    g_source_destroy (f->source);
  g_clear_pointer (&f->source, g_source_unref);
  g_clear_object (&f->socket);
  g_clear_pointer (&f->resolv_conf, g_free);
}

/* The simulation bites, and sofia does not see it. */
static void
test_time (void)
{
  gint64 wall = g_get_real_time ();
  su_time_t before = su_now (), after;

  g_assert_cmpint (ABS ((gint64)before.tv_sec - G_GINT64_CONSTANT (2208988800) - wall / G_USEC_PER_SEC), <,
                   HOUR / 2);
  wall_step = HOUR;
  g_assert_cmpint (g_get_real_time () - wall, >=, (gint64) HOUR * G_USEC_PER_SEC);
  after = su_now ();
  g_assert_cmpfloat (su_time_diff (after, before), <, HOUR / 2);
  wall_step = 0;
}

/* Sets the clock after the first transmission of a request and answers the third. */
static gboolean
on_request (GSocket *socket, GIOCondition condition, gpointer data)
{
  Fixture *f = data;
  char request[8192];
  g_autoptr (GSocketAddress) from = NULL;
  gssize n = g_socket_receive_from (socket, &from, request, sizeof request - 1, NULL, NULL);
  g_autofree char *response = NULL;

  request[n] = '\0';
  if (++f->n_requests == 1)
    wall_step = f->step;
  if (f->n_requests < 3)
    return G_SOURCE_CONTINUE;
  response = bench_response (request, 200, NULL);
  g_socket_send_to (socket, from, response, strlen (response), NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static void
test_retransmission (gconstpointer data)
{
  Fixture f = { .step = GPOINTER_TO_INT (data) };
  g_autofree char *url = NULL;

  start (&f, on_request, TAG_END ());
  url = g_strdup_printf ("sip:" SERVER ":%u", f.port);
  f.phone.nh
      = nua_handle (f.phone.nua, NULL, NUTAG_URL (url), SIPTAG_TO_STR ("sip:a@example.org"), TAG_END ());
  nua_options (f.phone.nh, TAG_END ());
  bench_wait (&f.done);
  g_assert_cmpint (f.phone.status, ==, 200);
  g_assert_cmpuint (f.n_requests, >=, 3);
  stop (&f);
}

/* Drops the first question, sets the clock back, and says to the others that there is no such name. */
static gboolean
on_question (GSocket *socket, GIOCondition condition, gpointer data)
{
  Fixture *f = data;
  guchar packet[2048];
  g_autoptr (GSocketAddress) from = NULL;
  gssize n = g_socket_receive_from (socket, &from, (char *) packet, sizeof packet, NULL, NULL);

  g_assert_cmpint (n, >, 12);
  if (f->n_requests++ == 0)
    {
      wall_step = f->step;
      return G_SOURCE_CONTINUE;
    }
  packet[2] = 0x84;             /* response, authoritative */
  packet[3] = 0x03;             /* no such name */
  memset (packet + 6, 0, 6);
  g_socket_send_to (socket, from, (char *) packet, n, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static void
test_dns (gconstpointer data)
{
  Fixture f = { .step = GPOINTER_TO_INT (data) };
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("resolv-XXXXXX", &f.resolv_conf, &error);
  GSocket *socket = bench_udp_new (SERVER, on_question, &f, &f.port, &f.source);
  g_autofree char *path = g_strdup (f.resolv_conf);

  g_assert_no_error (error);
  close (fd);
  text = g_strdup_printf ("nameserver " SERVER "\nport %u\n", f.port);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);

  start (&f, NULL, SRESTAG_RESOLV_CONF (path));
  f.socket = socket;
  f.phone.nh = nua_handle (f.phone.nua, NULL, NUTAG_URL ("sip:phone.invalid"),
                           SIPTAG_TO_STR ("sip:a@phone.invalid"), TAG_END ());
  nua_options (f.phone.nh, TAG_END ());
  bench_wait (&f.done);
  g_assert_cmpuint (f.n_requests, >=, 2);
  stop (&f);
  g_unlink (path);
}

static void
on_wake (gint64 slept, gpointer data)
{
  Fixture *f = data;

  f->n_wakes++;
  f->slept = slept;
}

static void
on_timer (su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
  *(gboolean *) arg = TRUE;
}

static void
knock (void)
{
  g_assert_cmpint (write (wake_pipe[1], "12345678", 8), ==, 8);
}

/* A timer of half an hour, an hour of sleep: it fires at once, and whoever asked is told. */
static void
test_suspend (void)
{
  Fixture f = { 0 };
  su_timer_t *timer;
  gboolean fired = FALSE;
  guint armed = n_armed;

  start (&f, NULL, TAG_END ());
  ua_clock_set_wake (on_wake, &f);
  timer = su_timer_create (su_root_task (f.phone.root), HOUR / 2 * 1000);
  su_timer_set (timer, on_timer, (su_timer_arg_t *) &fired);
  boot_step = HOUR;
  knock ();
  bench_wait (&fired);
  bench_wait_count (&f.n_wakes, 1);
  g_assert_cmpint (ABS (f.slept - (gint64) HOUR * G_USEC_PER_SEC), <, G_USEC_PER_SEC);

  /* A step of the wall clock alone is no sleep. */
  wall_step = HOUR;
  knock ();
  bench_wait_count (&f.n_wakes, 2);
  g_assert_cmpint (f.slept, ==, 0);
  g_assert_cmpuint (n_armed, ==, armed + 2);
  ua_clock_set_wake (NULL, NULL);
  su_timer_destroy (timer);
  stop (&f);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  if (!ua_platform_init (&error))
    g_error ("%s", error->message);
  g_test_add_func ("/sip/clock/time", test_time);
  g_test_add_data_func ("/sip/clock/retransmission/hour-back", GINT_TO_POINTER (-HOUR), test_retransmission);
  g_test_add_data_func ("/sip/clock/retransmission/hour-ahead", GINT_TO_POINTER (HOUR), test_retransmission);
  g_test_add_data_func ("/sip/clock/dns/hour-back", GINT_TO_POINTER (-HOUR), test_dns);
  g_test_add_data_func ("/sip/clock/dns/hour-ahead", GINT_TO_POINTER (HOUR), test_dns);
  g_test_add_func ("/sip/clock/suspend", test_suspend);
  return g_test_run ();
}
