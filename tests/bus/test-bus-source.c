/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The GSource around sd-bus, on a socket pair: the subject runs in the main loop, its peer in a thread that
 * blocks. What is counted is how often the loop polls: a source that modifies its descriptor in every prepare
 * works, and burns a whole core. */

#include "bus/bus-source.h"

#include <sys/socket.h>
#include <unistd.h>

static guint n_polls;

static int
counting_poll (GPollFD *fds, guint n, int timeout)
{
  n_polls++;
  return g_poll (fds, n, timeout);
}

typedef struct
{
  GMainLoop *loop;
  sd_bus *subject;
  GSource *source;
  int peer_fd;
  guint n_messages, n_closed;
  guint other, most_between;            /* messages since another source ran, and the most of them */
  gboolean destroy_in_handler;
} Fixture;

static void
on_closed (int error, gpointer data)
{
  Fixture *f = data;

  g_assert_cmpint (error, <, 0);
  f->n_closed++;
  g_main_loop_quit (f->loop);
}

static int
on_ping (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fixture *f = data;
  const char *text;

  g_assert_cmpint (sd_bus_message_read (m, "s", &text), >, 0);
  f->n_messages++;
  f->other++;
  f->most_between = MAX (f->most_between, f->other);
  if (f->destroy_in_handler)
    g_source_destroy (f->source);
  return sd_bus_reply_method_return (m, "s", text);
}

static const sd_bus_vtable vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD ("Ping", "s", "s", on_ping, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_VTABLE_END,
};

static sd_bus *
bus_on_fd (int fd, gboolean server)
{
  sd_bus *bus = NULL;
  sd_id128_t id = SD_ID128_MAKE (01, 02, 03, 04, 05, 06, 07, 08, 09, 0a, 0b, 0c, 0d, 0e, 0f, 10);

  g_assert_cmpint (sd_bus_new (&bus), >=, 0);
  g_assert_cmpint (sd_bus_set_fd (bus, fd, fd), >=, 0);
  if (server)
    g_assert_cmpint (sd_bus_set_server (bus, 1, id), >=, 0);
  g_assert_cmpint (sd_bus_set_anonymous (bus, 1), >=, 0);
  g_assert_cmpint (sd_bus_start (bus), >=, 0);
  return bus;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
  f->loop = g_main_loop_new (NULL, FALSE);
  f->subject = bus_on_fd (fds[0], TRUE);
  f->peer_fd = fds[1];
  g_assert_cmpint (sd_bus_add_object_vtable (f->subject, NULL, "/t", "org.phoned.T", vtable, f), >=, 0);
  f->source = bus_source_new (f->subject, on_closed, f);
  g_source_attach (f->source, NULL);
  n_polls = 0;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_source_destroy (f->source);
  g_source_unref (f->source);
  sd_bus_close_unref (f->subject);
  g_main_loop_unref (f->loop);
}

static gboolean
on_quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

/* ---- peers ---- */

typedef struct
{
  Fixture *f;
  guint n;
} Peer;

/* Calls Ping n times, one after the other, then ends the loop. */
static gpointer
peer_calls (gpointer data)
{
  Peer *peer = data;
  sd_bus *bus = bus_on_fd (peer->f->peer_fd, FALSE);

  for (guint i = 0; i < peer->n; i++)
    {
      sd_bus_message *reply = NULL;

      g_assert_cmpint (sd_bus_call_method (bus, NULL, "/t", "org.phoned.T", "Ping", NULL, &reply, "s", "x"),
                       >=, 0);
      sd_bus_message_unref (reply);
    }
  g_idle_add (on_quit, peer->f->loop);
  return bus;
}

/* Sends n calls without waiting for a reply, as fast as it can, then hangs up. */
static gpointer
peer_floods (gpointer data)
{
  Peer *peer = data;
  sd_bus *bus = bus_on_fd (peer->f->peer_fd, FALSE);

  for (guint i = 0; i < peer->n; i++)
    {
      sd_bus_message *m = NULL;

      g_assert_cmpint (sd_bus_message_new_method_call (bus, &m, NULL, "/t", "org.phoned.T", "Ping"), >=, 0);
      g_assert_cmpint (sd_bus_message_set_expect_reply (m, 0), >=, 0);
      g_assert_cmpint (sd_bus_message_append (m, "s", "x"), >=, 0);
      g_assert_cmpint (sd_bus_send (bus, m, NULL), >=, 0);
      sd_bus_message_unref (m);
    }
  g_assert_cmpint (sd_bus_flush (bus), >=, 0);
  sd_bus_close (bus);
  return bus;
}

static void
run_with_peer (Fixture *f, GThreadFunc func, guint n)
{
  Peer peer = { f, n };
  g_autoptr (GThread) thread = g_thread_new ("peer", func, &peer);

  g_main_loop_run (f->loop);
  sd_bus_close_unref (g_thread_join (g_steal_pointer (&thread)));
}

/* ---- tests ---- */

#define N_CALLS 1000

static void
test_calls (Fixture *f, gconstpointer data)
{
  run_with_peer (f, peer_calls, N_CALLS);
  g_assert_cmpuint (f->n_messages, ==, N_CALLS);
  /* sd-bus reads a message in two steps, header and rest; a reply may have to wait for POLLOUT; and the
   * set-up. */
  g_test_message ("%u polls for %d calls", n_polls, N_CALLS);
  g_assert_cmpuint (n_polls, <=, 3 * N_CALLS + 50);
}

static void
test_idle (Fixture *f, gconstpointer data)
{
  Peer peer = { f, 1 };
  GThread *thread = g_thread_new ("peer", peer_calls, &peer);

  g_main_loop_run (f->loop);
  g_assert_cmpuint (f->n_messages, ==, 1);
  n_polls = 0;
  g_timeout_add (300, on_quit, f->loop);
  g_main_loop_run (f->loop);
  g_assert_cmpuint (f->n_closed, ==, 0);
  g_test_message ("%u polls while idle", n_polls);
  g_assert_cmpuint (n_polls, <=, 4);    /* the timer, and GLib waking itself up for it */
  sd_bus_close_unref (g_thread_join (thread));
}

static gboolean
on_other (gpointer data)
{
  ((Fixture *) data)->other = 0;
  return G_SOURCE_CONTINUE;
}

static void
test_flood_is_bounded (Fixture *f, gconstpointer data)
{
  guint other = g_idle_add_full (G_PRIORITY_DEFAULT, on_other, f, NULL);

  run_with_peer (f, peer_floods, N_CALLS);
  g_source_remove (other);
  g_assert_cmpuint (f->n_messages, ==, N_CALLS);
  g_assert_cmpuint (f->most_between, <=, 64);
}

static void
test_closed_once (Fixture *f, gconstpointer data)
{
  run_with_peer (f, peer_floods, 3);
  g_assert_cmpuint (f->n_closed, ==, 1);
  g_timeout_add (50, on_quit, f->loop);
  g_main_loop_run (f->loop);
  g_assert_cmpuint (f->n_closed, ==, 1);
}

static int
on_timed_out (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fixture *f = data;

  g_assert_true (sd_bus_message_is_method_error (m, NULL));
  f->n_messages++;
  g_main_loop_quit (f->loop);
  return 0;
}

static int
swallow (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return 1;
}

/* Sends five Pings before its reply. */
static int
on_get (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  sd_bus *bus = sd_bus_message_get_bus (m);

  for (guint i = 0; i < 5; i++)
    {
      sd_bus_message *ping = NULL;

      g_assert_cmpint (sd_bus_message_new_method_call (bus, &ping, NULL, "/t", "org.phoned.T", "Ping"), >=,
                       0);
      g_assert_cmpint (sd_bus_message_set_expect_reply (ping, 0), >=, 0);
      g_assert_cmpint (sd_bus_message_append (ping, "s", "x"), >=, 0);
      g_assert_cmpint (sd_bus_send (bus, ping, NULL), >=, 0);
      sd_bus_message_unref (ping);
    }
  return sd_bus_reply_method_return (m, NULL);
}

static const sd_bus_vtable peer_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD ("Get", NULL, NULL, on_get, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_VTABLE_END,
};

static void
serve_until_closed (sd_bus *bus)
{
  int r;

  while ((r = sd_bus_process (bus, NULL)) >= 0)
    if (r == 0 && sd_bus_wait (bus, UINT64_MAX) < 0)
      return;
}

static gpointer
peer_never_answers (gpointer data)
{
  sd_bus *bus = bus_on_fd (((Peer *) data)->f->peer_fd, FALSE);

  g_assert_cmpint (sd_bus_add_filter (bus, NULL, swallow, NULL), >=, 0);
  serve_until_closed (bus);
  return bus;
}

static gpointer
peer_serves (gpointer data)
{
  sd_bus *bus = bus_on_fd (((Peer *) data)->f->peer_fd, FALSE);

  g_assert_cmpint (sd_bus_add_object_vtable (bus, NULL, "/p", "org.phoned.P", peer_vtable, NULL), >=, 0);
  serve_until_closed (bus);
  return bus;
}

static void
end_with_peer (Fixture *f, GThread *thread)
{
  g_source_destroy (f->source);
  sd_bus_close (f->subject);
  sd_bus_close_unref (g_thread_join (thread));
}

/* Nothing happens on the descriptor: only sd_bus_get_timeout() knows. */
static void
test_timeout (Fixture *f, gconstpointer data)
{
  Peer peer = { f, 0 };
  GThread *thread = g_thread_new ("peer", peer_never_answers, &peer);
  sd_bus_message *m = NULL;

  g_assert_cmpint (sd_bus_message_new_method_call (f->subject, &m, NULL, "/t", "org.phoned.T", "Wait"), >=,
                   0);
  g_assert_cmpint (sd_bus_call_async (f->subject, NULL, m, on_timed_out, f, 50 * G_TIME_SPAN_MILLISECOND), >=,
                   0);
  sd_bus_message_unref (m);
  g_main_loop_run (f->loop);
  g_assert_cmpuint (f->n_messages, ==, 1);
  g_test_message ("%u polls for a call that timed out", n_polls);
  g_assert_cmpuint (n_polls, <=, 30);
  end_with_peer (f, thread);
}

/* A blocking call reads past what came before its reply: that waits in memory and the descriptor stays
 * silent. */
static void
test_queued_without_pollin (Fixture *f, gconstpointer data)
{
  Peer peer = { f, 0 };
  GThread *thread = g_thread_new ("peer", peer_serves, &peer);

  g_assert_cmpint (sd_bus_call_method (f->subject, NULL, "/p", "org.phoned.P", "Get", NULL, NULL, NULL), >=,
                   0);
  g_assert_cmpuint (f->n_messages, ==, 0);
  while (f->n_messages < 5)
    g_main_context_iteration (NULL, TRUE);
  end_with_peer (f, thread);
}

static void
test_destroyed_in_handler (Fixture *f, gconstpointer data)
{
  f->destroy_in_handler = TRUE;
  g_timeout_add (300, on_quit, f->loop);
  run_with_peer (f, peer_floods, 10);
  g_assert_cmpuint (f->n_messages, ==, 1);
  g_assert_cmpuint (f->n_closed, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_main_context_set_poll_func (NULL, counting_poll);
#define ADD(path, func) g_test_add ("/bus-source/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("calls", test_calls);
  ADD ("idle", test_idle);
  ADD ("flood-is-bounded", test_flood_is_bounded);
  ADD ("closed-once", test_closed_once);
  ADD ("timeout", test_timeout);
  ADD ("queued-without-pollin", test_queued_without_pollin);
  ADD ("destroyed-in-handler", test_destroyed_in_handler);
  return g_test_run ();
}
