/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-peer ADDRESS SPEECH
 *
 * The SIP peer of tests/bench/run. Takes commands on standard input, one line each, and answers every one with one line of JSON:
 *
 *   bus ADDRESS        watch that bus for calls of org.phoned.Phone1, accept them there
 *   control HOST PORT  accept calls by baresip's control socket
 *   auto               calls are accepted by the phone itself
 *   register           wait for a registration that begins after this command: when it came
 *   count              datagrams that the phone sent of its own accord since the last count
 *   ring               INVITE, wait for 180 (and for the call on the bus), CANCEL
 *   answer SUITE       INVITE, wait for 180, accept, wait for the first RTP packet, BYE. SUITE: none, aes-cm, aead
 *   calls N SUITE      N more calls that stay up, talking
 *   traffic            packets sent, received, received and not authentic, since the last time
 *   end                BYE to all
 *
 * Times in microseconds, from peer_now(). */

#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TIMEOUT_MS 10000

typedef gboolean (*Condition) (Peer *self, PeerCall *call);

/* ---- loop ---- */

static int
on_added (sd_bus_message *m, void *data, sd_bus_error *error)
{
  Peer *self = data;
  gint64 now = peer_now ();
  const char *path;

  if (sd_bus_message_read (m, "o", &path) >= 0 && strstr (path, "/call/"))
    {
      g_free (self->last_path);
      self->last_path = g_strdup (path);
      self->last_added = now;
    }
  return 0;
}

static void
turn (Peer *self, int timeout)
{
  struct pollfd fds[5 + 2 * PEER_MAX_CALLS];
  PeerCall *calls[PEER_MAX_CALLS];
  nfds_t n = 0;
  guint n_calls = 0;
  nfds_t bus_at = 0, media_at;

  fds[n++] = (struct pollfd){ self->sip, POLLIN, 0 };
  fds[n++] = (struct pollfd){ self->timer, POLLIN, 0 };
  fds[n++] = (struct pollfd){ self->control, POLLIN, 0 };
  fds[n++] = (struct pollfd){ STDIN_FILENO, POLLIN, 0 };        /* ends the turn; main() reads it */
  if (self->bus)
    {
      guint64 until = 0;

      bus_at = n;
      fds[n++] = (struct pollfd){ sd_bus_get_fd (self->bus), (short) sd_bus_get_events (self->bus), 0 };
      if (sd_bus_get_timeout (self->bus, &until) >= 0 && until == 0)
        timeout = 0;
    }
  media_at = n;
  for (guint i = 0; i < PEER_MAX_CALLS; i++)
    if (self->calls[i].used && self->calls[i].rtp >= 0)
      {
        calls[n_calls++] = &self->calls[i];
        fds[n++] = (struct pollfd){ self->calls[i].rtp, POLLIN, 0 };
        fds[n++] = (struct pollfd){ self->calls[i].rtcp, POLLIN, 0 };
      }
  if (poll (fds, n, timeout) < 0)
    return;
  if (bus_at)
    while (sd_bus_process (self->bus, NULL) > 0)
      ;
  if (fds[0].revents)
    peer_sip_read (self);
  if (fds[1].revents)
    {
      guint64 ticks;

      if (read (self->timer, &ticks, sizeof ticks) == sizeof ticks)
        for (; ticks > 0; ticks--)
          peer_media_tick (self);
    }
  if (fds[2].revents)
    {
      char waste[4096];

      if (recv (self->control, waste, sizeof waste, MSG_DONTWAIT) == 0)
        {
          close (self->control);
          self->control = -1;
        }
    }
  for (guint i = 0; i < n_calls; i++)
    if ((fds[media_at + 2 * i].revents || fds[media_at + 2 * i + 1].revents) && calls[i]->used)
      peer_media_read (self, calls[i]);
}

static gboolean
run_until (Peer *self, Condition condition, PeerCall *call)
{
  gint64 deadline = g_get_monotonic_time () + TIMEOUT_MS * 1000;

  while (!condition (self, call))
    {
      gint64 left = (deadline - g_get_monotonic_time ()) / 1000;

      if (left <= 0)
        return FALSE;
      peer_media_pace (self);
      turn (self, (int) left);
    }
  return TRUE;
}

static gboolean
is_registered (Peer *self, PeerCall *call)
{
  return self->registered != 0;
}

static gboolean
is_ringing (Peer *self, PeerCall *call)
{
  if (self->bus && self->last_added && !call->added)
    {
      call->added = self->last_added;
      call->path = g_strdup (self->last_path);
    }
  return call->status >= 200 || (call->ringing && (!self->bus || call->path));
}

static gboolean
is_up (Peer *self, PeerCall *call)
{
  return call->status >= 200;
}

static gboolean
is_heard (Peer *self, PeerCall *call)
{
  return call->status >= 300 || (call->accepted && call->first_rtp);
}

static gboolean
is_over (Peer *self, PeerCall *call)
{
  return call->ended;
}

/* ---- the phone's user ---- */

static int
on_answered (sd_bus_message *m, void *data, sd_bus_error *error)
{
  const sd_bus_error *reply = sd_bus_message_get_error (m);

  if (reply)
    fprintf (stderr, "bench-peer: Answer: %s: %s\n", reply->name, reply->message);
  return 0;
}

static gboolean
accept_call (Peer *self, PeerCall *call)
{
  static const char accept[] = "{\"command\":\"accept\"}";
  char text[64];
  int n, r;

  call->accept_sent = peer_now ();
  if (self->bus)
    {
      r = sd_bus_call_method_async (self->bus, NULL, "org.phoned.Phone1", call->path, "org.phoned.Phone1.Call", "Answer", on_answered,
                                    self, "a{sv}", 1, "keep-others", "b", 1);
      return r >= 0 && sd_bus_flush (self->bus) >= 0;
    }
  if (self->control < 0)
    return TRUE;
  n = snprintf (text, sizeof text, "%zu:%s,", strlen (accept), accept);
  return send (self->control, text, (gsize) n, MSG_NOSIGNAL) == n;
}

/* ---- commands ---- */

G_GNUC_PRINTF (1, 2) static void
say (const char *format, ...)
{
  va_list args;

  va_start (args, format);
  vprintf (format, args);
  va_end (args);
  putchar ('\n');
  fflush (stdout);
}

static void
fail (Peer *self, PeerCall *call, const char *what)
{
  say ("{\"error\": \"%s\", \"status\": %u}", what, call ? call->status : 0);
  if (call)
    peer_call_clear (call);
}

static double
us (gint64 from, gint64 to)
{
  return from && to ? (double) (to - from) / 1000.0 : -1;
}

static void
command_bus (Peer *self, const char *address)
{
  if (sd_bus_new (&self->bus) < 0 || sd_bus_set_address (self->bus, address) < 0 || sd_bus_set_bus_client (self->bus, 1) < 0
      || sd_bus_start (self->bus) < 0
      || sd_bus_match_signal (self->bus, NULL, NULL, "/org/phoned/Phone1", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", on_added,
                              self) < 0)
    fail (self, NULL, "cannot connect to the bus");
  else
    say ("{}");
}

static void
command_control (Peer *self, const char *host, guint port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons ((guint16) port) };

  inet_pton (AF_INET, host, &address.sin_addr);
  self->control = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect (self->control, (struct sockaddr *) &address, sizeof address) < 0)
    fail (self, NULL, g_strerror (errno));
  else
    say ("{}");
}

static void
leave (Peer *self)
{
  g_clear_pointer (&self->bus, sd_bus_flush_close_unref);
  if (self->control >= 0)
    close (self->control);
  self->control = -1;
}

static void
command_ring (Peer *self)
{
  PeerCall *call = peer_sip_invite (self, PEER_SRTP_AEAD_256, TRUE);

  if (!call || !run_until (self, is_ringing, call) || call->status >= 200)
    {
      fail (self, call, "does not ring");
      return;
    }
  peer_sip_cancel (self, call);
  if (!run_until (self, is_over, call))
    {
      fail (self, call, "CANCEL does not end it");
      return;
    }
  say ("{\"ringing\": %.1f, \"added\": %.1f}", us (call->invited, call->ringing), us (call->invited, call->added));
  peer_call_clear (call);
}

static PeerCall *
set_up (Peer *self, PeerSuite suite, Condition condition)
{
  PeerCall *call = peer_sip_invite (self, suite, TRUE);

  if (!call)
    return NULL;
  if (self->bus || self->control >= 0)
    {
      if (!run_until (self, is_ringing, call) || call->status >= 200 || !accept_call (self, call))
        return call;
    }
  run_until (self, condition, call);
  return call;
}

static void
command_answer (Peer *self, PeerSuite suite)
{
  PeerCall *call = set_up (self, suite, is_heard);

  if (!call || !call->talking || !call->first_rtp)
    {
      fail (self, call, "no sound");
      return;
    }
  peer_sip_bye (self, call);
  if (!run_until (self, is_over, call))
    {
      fail (self, call, "BYE does not end it");
      return;
    }
  say ("{\"accepted\": %.1f, \"heard\": %.1f, \"heard_after_200\": %.1f}", us (call->accept_sent, call->accepted),
       us (call->accept_sent, call->first_rtp), us (call->accepted, call->first_rtp));
  peer_call_clear (call);
}

static void
command_calls (Peer *self, guint n, PeerSuite suite)
{
  for (guint i = 0; i < n; i++)
    {
      PeerCall *call = set_up (self, suite, is_up);

      if (!call || !call->talking)
        {
          fail (self, call, "call is not answered");
          return;
        }
    }
  say ("{\"calls\": %u}", n);
}

static void
command_end (Peer *self)
{
  guint n = 0, ended = 0;

  for (guint i = 0; i < PEER_MAX_CALLS; i++)
    {
      PeerCall *call = &self->calls[i];

      if (!call->used)
        continue;
      n++;
      if (!call->ended)
        peer_sip_bye (self, call);
      ended += run_until (self, is_over, call);
      peer_call_clear (call);
    }
  say ("{\"calls\": %u, \"ended\": %u}", n, ended);
}

static PeerSuite
suite_from (const char *word)
{
  return g_str_equal (word, "aead") ? PEER_SRTP_AEAD_256 : g_str_equal (word, "aes-cm") ? PEER_SRTP_AES_CM_128 : PEER_SRTP_NONE;
}

static void
obey (Peer *self, char *line)
{
  g_auto (GStrv) words = g_strsplit (g_strstrip (line), " ", -1);
  guint n = g_strv_length (words);

  if (n == 2 && g_str_equal (words[0], "bus"))
    {
      leave (self);
      command_bus (self, words[1]);
    }
  else if (n == 3 && g_str_equal (words[0], "control"))
    {
      leave (self);
      command_control (self, words[1], (guint) atoi (words[2]));
    }
  else if (n == 1 && g_str_equal (words[0], "auto"))
    {
      leave (self);
      say ("{}");
    }
  else if (n == 1 && g_str_equal (words[0], "register"))
    {
      self->registered = 0;
      if (run_until (self, is_registered, NULL))
        say ("{\"at\": %.1f}", (double) self->registered / 1000.0);
      else
        fail (self, NULL, "does not register");
    }
  else if (n == 1 && g_str_equal (words[0], "count"))
    {
      say ("{\"register\": %u, \"options\": %u, \"crlf\": %u, \"other\": %u}", self->seen_register, self->seen_options,
           self->seen_keepalive, self->seen_other);
      self->seen_register = self->seen_options = self->seen_keepalive = self->seen_other = 0;
    }
  else if (n == 1 && g_str_equal (words[0], "ring"))
    command_ring (self);
  else if (n == 2 && g_str_equal (words[0], "answer"))
    command_answer (self, suite_from (words[1]));
  else if (n == 3 && g_str_equal (words[0], "calls"))
    command_calls (self, (guint) atoi (words[1]), suite_from (words[2]));
  else if (n == 1 && g_str_equal (words[0], "traffic"))
    {
      say ("{\"sent\": %" G_GUINT64_FORMAT ", \"received\": %" G_GUINT64_FORMAT ", \"bad\": %" G_GUINT64_FORMAT "}", self->sent,
           self->received, self->bad);
      self->sent = self->received = self->bad = 0;
    }
  else if (n == 1 && g_str_equal (words[0], "end"))
    command_end (self);
  else
    fail (self, NULL, "no such command");
}

int
main (int argc, char **argv)
{
  static Peer self = { .control = -1 };
  struct sched_param priority = { .sched_priority = 1 };
  char line[512];
  gsize have = 0;

  if (argc != 3)
    {
      fprintf (stderr, "usage: bench-peer ADDRESS SPEECH\n");
      return 2;
    }
  self.address = argv[1];
  /* Where that is allowed: other work on the machine delays the phone, not the one who measures it. */
  sched_setscheduler (0, SCHED_RR, &priority);
  if (!peer_sip_open (&self, 5060) || !peer_media_init (&self, argv[2]))
    {
      fprintf (stderr, "bench-peer: cannot start: %s\n", g_strerror (errno));
      return 1;
    }
  for (guint i = 0; i < PEER_MAX_CALLS; i++)
    self.calls[i] = (PeerCall){ .rtp = -1, .rtcp = -1 };
  self.timer = timerfd_create (CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  say ("{}");                   /* ready */
  for (;;)
    {
      struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
      gssize n;
      char *end;

      peer_media_pace (&self);
      if (poll (&input, 1, 0) == 0)
        {
          turn (&self, -1);
          continue;
        }
      n = read (STDIN_FILENO, line + have, sizeof line - 1 - have);
      if (n <= 0)
        return 0;
      have += (gsize) n;
      line[have] = '\0';
      end = strchr (line, '\n');
      if (!end)
        continue;
      *end = '\0';
      obey (&self, line);
      have = 0;
    }
}
