/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bad network between two network namespaces:
 *
 *   link [--seed N] [--log FILE] NETNS-A ADDRESS-A NETNS-B ADDRESS-B [KEY=VALUE ...]
 *
 * makes a tun device `link0` in each of the namespaces (made before with `ip netns add`), gives them the addresses as peers of each other, and
 * carries packets between them, each direction by a model of its own (link-model.h). Prints "ready". Then it takes lines from its standard
 * input: KEY=VALUE changes both directions, `stats` prints one line of JSON; the end of the input is its end.
 * With --log, one line for each packet: time (s of CLOCK_MONOTONIC), > or <, octets, and the delay in ms, `lost` or `dropped`.
 *
 * Needs CAP_NET_ADMIN and CAP_SYS_ADMIN. Runs with real-time priority where that is allowed, since its own lateness is delay, too. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "link-model.h"

#define MTU 1500

typedef struct
{
  gint64 leaves;
  guint64 serial;
  guint length;
  guint8 data[];
} Packet;

typedef struct
{
  char name;                    /* for the log */
  int from, to;
  LinkModel model;
  GPtrArray *waiting;           /* of Packet; the one that leaves next is last */
  gint64 latest;                /* us that a packet left late at the most */
} Direction;

static FILE *packet_log;
static guint64 serial;

static G_GNUC_NORETURN void
die (const char *what)
{
  fprintf (stderr, "link: %s: %s\n", what, strerror (errno));
  exit (1);
}

static void
configure (int s, struct ifreq *request, unsigned long what, const char *address)
{
  struct sockaddr_in in = { .sin_family = AF_INET };

  if (inet_pton (AF_INET, address, &in.sin_addr) != 1)
    {
      errno = EINVAL;
      die (address);
    }
  memcpy (&request->ifr_addr, &in, sizeof in);
  if (ioctl (s, what, request) < 0)
    die (address);
}

static int
make_tun (const char *netns, const char *address, const char *peer)
{
  g_autofree char *path = g_build_filename ("/run/netns", netns, NULL);
  struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
  int ns = open (path, O_RDONLY | O_CLOEXEC), tun, s;

  if (ns < 0 || setns (ns, CLONE_NEWNET) < 0)
    die (path);
  close (ns);
  tun = open ("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  g_strlcpy (request.ifr_name, "link0", sizeof request.ifr_name);
  if (tun < 0 || ioctl (tun, TUNSETIFF, &request) < 0)
    die ("/dev/net/tun");
  s = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  configure (s, &request, SIOCSIFADDR, address);
  configure (s, &request, SIOCSIFDSTADDR, peer);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl (s, SIOCSIFFLAGS, &request) < 0)
    die ("link0");
  close (s);
  return tun;
}

static int
by_departure (gconstpointer a, gconstpointer b)
{
  const Packet *x = *(Packet *const *) a, *y = *(Packet *const *) b;

  if (x->leaves != y->leaves)
    return x->leaves < y->leaves ? 1 : -1;
  return x->serial < y->serial ? 1 : -1;
}

static void
take (Direction *d, gint64 now)
{
  guint8 data[MTU];
  gssize n;

  while ((n = read (d->from, data, sizeof data)) > 0)
    {
      gint64 leaves = link_model_offer (&d->model, now, (guint) n);
      Packet *packet;

      if (packet_log && leaves >= 0)
        fprintf (packet_log, "%.6f %c %zd %.3f\n", now / 1e6, d->name, n, (leaves - now) / 1e3);
      else if (packet_log)
        fprintf (packet_log, "%.6f %c %zd %s\n", now / 1e6, d->name, n, leaves == LINK_LOST ? "lost" : "dropped");
      if (leaves < 0)
        continue;
      packet = g_malloc (sizeof *packet + (gsize) n);
      *packet = (Packet) { .leaves = leaves, .serial = serial++, .length = (guint) n };
      memcpy (packet->data, data, (gsize) n);
      g_ptr_array_add (d->waiting, packet);
      g_ptr_array_sort (d->waiting, by_departure);
    }
}

/* Returns when the next is due, or G_MAXINT64. */
static gint64
deliver (Direction *d, gint64 now)
{
  while (d->waiting->len > 0)
    {
      Packet *packet = g_ptr_array_index (d->waiting, d->waiting->len - 1);

      if (packet->leaves > now)
        return packet->leaves;
      d->latest = MAX (d->latest, now - packet->leaves);
      if (write (d->to, packet->data, packet->length) < 0)
        d->model.dropped++;
      g_ptr_array_set_size (d->waiting, (int) d->waiting->len - 1);     /* frees it */
    }
  return G_MAXINT64;
}

static gboolean
obey (Direction *directions, char *line)
{
  if (g_str_equal (g_strstrip (line), "stats"))
    {
      for (guint i = 0; i < 2; i++)
        printf ("%s\"%c\": {\"passed\": %" G_GUINT64_FORMAT ", \"lost\": %" G_GUINT64_FORMAT ", \"dropped\": %" G_GUINT64_FORMAT
                ", \"late\": %.3f}%s", i ? ", " : "{", directions[i].name, directions[i].model.passed, directions[i].model.lost,
                directions[i].model.dropped, directions[i].latest / 1e3, i ? "}\n" : "");
      fflush (stdout);
      return TRUE;
    }
  return link_config_set (&directions[0].model.config, line) && link_config_set (&directions[1].model.config, line);
}

/* FALSE: the end. */
static gboolean
hear (Direction *directions)
{
  static char buffer[256];
  static gsize length;
  gssize n = read (STDIN_FILENO, buffer + length, sizeof buffer - 1 - length);
  char *end;

  if (n <= 0)
    return n < 0 && errno == EAGAIN;
  length += (gsize) n;
  buffer[length] = '\0';
  while ((end = strchr (buffer, '\n')))
    {
      *end = '\0';
      if (!obey (directions, buffer))
        {
          fprintf (stderr, "link: what is “%s”?\n", buffer);
          return FALSE;
        }
      length -= (gsize) (end + 1 - buffer);
      memmove (buffer, end + 1, length + 1);
    }
  return length < sizeof buffer - 1;
}

static void
run (Direction *directions)
{
  struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = directions[0].from, .events = POLLIN },
                          { .fd = directions[1].from, .events = POLLIN } };

  for (;;)
    {
      gint64 now = g_get_monotonic_time (), due = G_MAXINT64;
      struct timespec wait;

      for (guint i = 0; i < 2; i++)
        {
          gint64 next = deliver (&directions[i], now);

          due = MIN (due, next);
        }
      now = MAX (due - g_get_monotonic_time (), 0);
      wait = (struct timespec) { .tv_sec = (time_t) (now / G_USEC_PER_SEC), .tv_nsec = (long) (now % G_USEC_PER_SEC * 1000) };
      if (ppoll (fds, G_N_ELEMENTS (fds), due < G_MAXINT64 ? &wait : NULL, NULL) < 0 && errno != EINTR)
        die ("poll");
      now = g_get_monotonic_time ();
      for (guint i = 0; i < 2; i++)
        take (&directions[i], now);
      if (fds[0].revents && !hear (directions))
        return;
    }
}

int
main (int argc, char **argv)
{
  gint64 seed = 1;
  g_autofree char *log_path = NULL;
  const GOptionEntry options[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, NULL, "N" },
    { "log", 0, 0, G_OPTION_ARG_FILENAME, &log_path, "one line for each packet", "FILE" },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("NETNS-A ADDRESS-A NETNS-B ADDRESS-B [KEY=VALUE ...]");
  g_autoptr (GError) error = NULL;
  struct sched_param priority = { .sched_priority = 45 };
  Direction directions[2] = { { .name = '>' }, { .name = '<' } };
  LinkConfig config = { 0 };
  int a, b;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 5)
    {
      fprintf (stderr, "link: %s\n", error ? error->message : "two namespaces and their addresses are wanted");
      return 2;
    }
  for (int i = 5; i < argc; i++)
    if (!link_config_set (&config, argv[i]))
      {
        fprintf (stderr, "link: what is “%s”?\n", argv[i]);
        return 2;
      }
  prctl (PR_SET_PDEATHSIG, SIGTERM);
  prctl (PR_SET_TIMERSLACK, 1UL);
  if (log_path && !(packet_log = fopen (log_path, "w")))
    die (log_path);
  a = make_tun (argv[1], argv[2], argv[4]);
  b = make_tun (argv[3], argv[4], argv[2]);
  for (guint i = 0; i < 2; i++)
    {
      directions[i].from = i ? b : a;
      directions[i].to = i ? a : b;
      directions[i].waiting = g_ptr_array_new_with_free_func (g_free);
      link_model_init (&directions[i].model, &config, (guint64) seed * 2 + i);
    }
  sched_setscheduler (0, SCHED_RR, &priority);
  printf ("ready\n");
  fflush (stdout);
  run (directions);
  if (packet_log)
    fclose (packet_log);
  return 0;
}
