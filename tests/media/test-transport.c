/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transport with a raw socket as its peer. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "media/media-octets.h"
#include "media/media-socket.h"
#include "media/media-transport.h"

#define OURS "127.30.20.1"
#define PEER "127.30.20.2"
#define PAYLOAD 8
#define OUR_SSRC 0x01020304

typedef struct
{
  const char *ours, *theirs;
  int family, rtp, rtcp;                /* the peer's sockets */
  guint16 rtp_port, rtcp_port;
  guint16 our_rtp, our_rtcp;
  MediaTransport *transport;
  PhoneMediaPlan *plan;
  pthread_mutex_t lock;
  GArray *got;                          /* Got */
  gint work, first;
} Fixture;

typedef struct
{
  guint8 type;
  guint32 ssrc;
  guint16 seq;
  gsize length;
  gint64 arrival;
} Got;

static int
open_socket (int family, const char *host, guint16 *ret_port)
{
  struct sockaddr_storage storage = { .ss_family = (sa_family_t) family };
  struct sockaddr_in *v4 = (struct sockaddr_in *) (void *) &storage;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) (void *) &storage;
  socklen_t length = family == AF_INET ? sizeof *v4 : sizeof *v6;
  int fd = socket (family, SOCK_DGRAM | SOCK_CLOEXEC, 0), yes = 1;

  g_assert_cmpint (inet_pton (family, host, family == AF_INET ? (void *) &v4->sin_addr : (void *) &v6->sin6_addr), ==, 1);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &storage, length), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &storage, &length), ==, 0);
  *ret_port = g_ntohs (family == AF_INET ? v4->sin_port : v6->sin6_port);
  if (family == AF_INET)
    setsockopt (fd, IPPROTO_IP, IP_RECVTOS, &yes, sizeof yes);
  else
    setsockopt (fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &yes, sizeof yes);
  struct timeval limit = { .tv_sec = 10 };
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return fd;
}

static void
send_to (const Fixture *f, int fd, guint16 port, const guint8 *data, gsize length)
{
  struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = g_htons (port) };
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = g_htons (port) };
  if (f->family == AF_INET)
    inet_pton (AF_INET, f->ours, &v4.sin_addr);
  else
    inet_pton (AF_INET6, f->ours, &v6.sin6_addr);
  gssize n = f->family == AF_INET ? sendto (fd, data, length, 0, (struct sockaddr *) &v4, sizeof v4)
                                  : sendto (fd, data, length, 0, (struct sockaddr *) &v6, sizeof v6);
  g_assert_cmpint (n, ==, length);
}

static void
put32 (guint8 *p, guint32 value)
{
  for (int i = 3; i >= 0; i--, value >>= 8)
    p[i] = value & 0xff;
}

static gsize
make_rtp (guint8 *packet, guint8 type, guint32 ssrc, guint16 seq)
{
  memset (packet, 0, 40);
  packet[0] = 0x80;
  packet[1] = type;
  packet[2] = seq >> 8;
  packet[3] = seq & 0xff;
  put32 (packet + 4, seq * 160u);
  put32 (packet + 8, ssrc);
  return 12 + 20;
}

static void
send_rtp (const Fixture *f, guint32 ssrc, guint16 seq)
{
  guint8 packet[64];
  gsize n = make_rtp (packet, PAYLOAD, ssrc, seq);
  send_to (f, f->rtp, f->our_rtp, packet, n);
}

static void
on_work (gpointer data)
{
  g_atomic_int_inc (&((Fixture *) data)->work);
}

static void
on_first (gpointer data)
{
  g_atomic_int_inc (&((Fixture *) data)->first);
}

static void
on_packet (const guint8 *packet, gsize length, gint64 arrival, gpointer data)
{
  Fixture *f = data;
  Got got = { .type = packet[1] & 0x7f, .seq = (guint16) media_read16 (packet + 2), .length = length, .ssrc = media_read32 (packet + 8),
              .arrival = arrival };

  pthread_mutex_lock (&f->lock);
  g_array_append_val (f->got, got);
  pthread_mutex_unlock (&f->lock);
}

static void
apply (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  media_transport_apply (f->transport, f->plan, &error);
  g_assert_no_error (error);
}

static void
fixture_init (Fixture *f, int family)
{
  static const PhoneMediaPlan nothing = { .send_dtmf = -1, .receive_dtmf_8000 = -1, .receive_dtmf_48000 = -1 };
  MediaTransportParams params = { .port_first = 24000, .port_last = 24999 };
  g_autoptr (GError) error = NULL;

  memset (f, 0, sizeof *f);
  f->family = family;
  f->ours = family == AF_INET ? OURS : "::1";
  f->theirs = family == AF_INET ? PEER : "::1";
  f->rtp = open_socket (family, f->theirs, &f->rtp_port);
  f->rtcp = open_socket (family, f->theirs, &f->rtcp_port);
  pthread_mutex_init (&f->lock, NULL);
  f->got = g_array_new (FALSE, FALSE, sizeof (Got));

  params.bind_address = f->ours;
  f->transport = media_transport_new (&params, &error);
  g_assert_no_error (error);
  media_transport_get_ports (f->transport, &f->our_rtp, &f->our_rtcp);
  media_transport_set_local_ssrc (f->transport, OUR_SSRC);
  media_transport_set_callbacks (f->transport, on_packet, on_work, on_first, f);

  f->plan = phone_media_plan_copy (&nothing);
  f->plan->remote_address = g_strdup (f->theirs);
  f->plan->remote_port = f->rtp_port;
  f->plan->remote_rtcp_port = f->rtcp_port;
  f->plan->direction = PHONE_DIRECTION_SENDRECV;
  f->plan->n_receive = 1;
  f->plan->receive[0] = (PhoneCodec) { .id = PHONE_CODEC_PCMA, .payload_type = PAYLOAD };
  f->plan->send = f->plan->receive[0];
}

static void
fixture_start (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  media_transport_start (f->transport, &error);
  g_assert_no_error (error);
}

static void
fixture_clear (Fixture *f)
{
  media_transport_free (f->transport);
  phone_media_plan_free (f->plan);
  g_array_unref (f->got);
  pthread_mutex_destroy (&f->lock);
  close (f->rtp);
  close (f->rtcp);
}

static guint
n_got (Fixture *f)
{
  pthread_mutex_lock (&f->lock);
  guint n = f->got->len;
  pthread_mutex_unlock (&f->lock);
  return n;
}

static void
wait_got (Fixture *f, guint n)
{
  gint64 until = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
  while (n_got (f) < n)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (1000);
    }
}

/* Everything sent before is through when this packet is: one thread, one queue per socket. Returns how many came with it. */
static guint
flush (Fixture *f, guint32 ssrc, guint16 seq)
{
  guint before = n_got (f);
  send_rtp (f, ssrc, seq);
  for (;;)
    {
      wait_got (f, before + 1);
      pthread_mutex_lock (&f->lock);
      Got last = g_array_index (f->got, Got, f->got->len - 1);
      pthread_mutex_unlock (&f->lock);
      if (last.ssrc == ssrc && last.seq == seq)
        return n_got (f) - before;
      before = n_got (f);
    }
}

static int
receive (int fd, guint8 *buffer, gsize capacity, gssize *ret_length)
{
  union
  {
    struct cmsghdr align;
    char octets[128];
  } control;
  struct iovec iov = { buffer, capacity };
  struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
  int tos = -1;

  *ret_length = recvmsg (fd, &message, 0);
  for (struct cmsghdr *c = CMSG_FIRSTHDR (&message); c != NULL; c = CMSG_NXTHDR (&message, c))
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
      tos = *(guint8 *) CMSG_DATA (c);
    else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)
      memcpy (&tos, CMSG_DATA (c), sizeof tos);
  return tos;
}

/* Ports, marking, and which socket reports go out by. */
static void
test_sending (gconstpointer data)
{
  Fixture f;
  guint8 rtp[64], buffer[256];
  gssize n;

  fixture_init (&f, GPOINTER_TO_INT (data));
  g_assert_cmpuint (f.our_rtp % 2, ==, 0);
  g_assert_cmpuint (f.our_rtcp, ==, f.our_rtp + 1);
  g_assert_cmpuint (f.our_rtp, >=, 24000);
  g_assert_cmpuint (f.our_rtcp, <=, 24999);
  fixture_start (&f);

  gsize length = make_rtp (rtp, PAYLOAD, OUR_SSRC, 1);
  media_transport_send (f.transport, rtp, length);      /* nowhere to send to yet: dropped */
  apply (&f);
  media_transport_send (f.transport, rtp, length);
  g_assert_cmpint (receive (f.rtp, buffer, sizeof buffer, &n), ==, 0xb8);
  g_assert_cmpmem (buffer, n, rtp, length);
  do                                                    /* on a busy machine one goes out before the packet */
    g_assert_cmpint (receive (f.rtcp, buffer, sizeof buffer, &n), ==, 0xb8);
  while (buffer[1] == 201);
  g_assert_cmpmem (buffer, 8, ((const guint8[]) { 0x80, 200, 0, 6, 1, 2, 3, 4 }), 8);   /* SR, nobody has been heard */
  g_assert_cmpuint (media_read32 (buffer + 20), ==, 1);
  g_assert_cmpuint (media_read32 (buffer + 24), ==, 20);
  g_assert_cmpmem (buffer + 28, 4, ((const guint8[]) { 0x81, 202, 0, 6 }), 4);
  g_assert_cmpint (n, ==, 28 + 28);
  f.plan->rtcp_mux = TRUE;
  f.plan->remote_rtcp_port = f.plan->remote_port;
  apply (&f);
  receive (f.rtp, buffer, sizeof buffer, &n);           /* who has sent is a sender for two reports: SR once more, or that was it already */
  if (buffer[1] == 200)
    receive (f.rtp, buffer, sizeof buffer, &n);
  g_assert_cmpuint (buffer[1], ==, 201);                /* RR: nothing more has gone out */

  MediaTransportStats stats;
  media_transport_get_stats (f.transport, &stats);
  g_assert_cmpuint (stats.rtp_sent, ==, 1);
  g_assert_cmpuint (stats.rtcp_sent, >=, 2);
  g_assert_cmpuint (stats.send_errors, ==, 1);

  /* Nobody listens at the other end: the ICMP answers do no harm. */
  close (f.rtp);
  for (guint i = 0; i < 20; i++)
    media_transport_send (f.transport, rtp, length);
  f.rtp = open_socket (f.family, f.theirs, &f.rtp_port);
  f.plan->remote_port = f.plan->remote_rtcp_port = f.rtp_port;
  apply (&f);
  g_assert_cmpuint (flush (&f, 5, 1), ==, 1);

  /* The last word, with what it has heard. */
  media_transport_stop (f.transport);
  do
    {
      receive (f.rtp, buffer, sizeof buffer, &n);
      g_assert_cmpint (n, >=, 8);
    }
  while (buffer[n - 7] != 203);
  g_assert_cmpmem (buffer + n - 8, 8, ((const guint8[]) { 0x81, 203, 0, 1, 1, 2, 3, 4 }), 8);
  g_assert_cmpuint (buffer[0], ==, 0x81);
  fixture_clear (&f);
}

static void
test_receiving (gconstpointer data)
{
  Fixture f;
  guint8 packet[4096] = { 0 };

  fixture_init (&f, GPOINTER_TO_INT (data));
  fixture_start (&f);
  send_rtp (&f, 5, 1);                                  /* before there is a plan */
  while (g_atomic_int_get (&f.work) == 0)
    {
      media_transport_wake (f.transport);
      g_usleep (1000);
    }
  apply (&f);
  g_assert_cmpuint (flush (&f, 5, 2), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&f.first), ==, 1);

  /* Other classes, other payload types, RTP by the RTCP socket, nonsense, too long, nothing at all. */
  memset (packet, 1, 100);
  send_to (&f, f.rtp, f.our_rtp, packet, 100);
  packet[0] = 22;
  send_to (&f, f.rtp, f.our_rtp, packet, 100);
  gsize n = make_rtp (packet, PAYLOAD + 1, 5, 3);
  send_to (&f, f.rtp, f.our_rtp, packet, n);
  n = make_rtp (packet, PAYLOAD, 5, 3);
  send_to (&f, f.rtcp, f.our_rtcp, packet, n);
  send_to (&f, f.rtp, f.our_rtp, packet, 12);
  send_to (&f, f.rtp, f.our_rtp, packet, 2049);
  send_to (&f, f.rtp, f.our_rtp, packet, 0);
  packet[0] = 0x9f;
  send_to (&f, f.rtp, f.our_rtp, packet, n);
  g_assert_cmpuint (flush (&f, 5, 4), ==, 1);
  MediaTransportStats stats;
  media_transport_get_stats (f.transport, &stats);
  g_assert_cmpuint (stats.rtp_received, ==, 2);
  g_assert_cmpuint (stats.unknown, ==, 3);
  g_assert_cmpuint (stats.malformed, ==, 2);

  /* CSRCs, extension and padding do not get past; the payload does. */
  n = make_rtp (packet, PAYLOAD, 5, 5);
  memmove (packet + 12 + 60, packet + 12, 20);
  packet[0] = 0x8f;
  send_to (&f, f.rtp, f.our_rtp, packet, n + 60);
  g_assert_cmpuint (flush (&f, 5, 6), <=, 2);
  pthread_mutex_lock (&f.lock);
  for (guint i = 0; i < f.got->len; i++)
    g_assert_cmpuint (g_array_index (f.got, Got, i).length, ==, 32);
  pthread_mutex_unlock (&f.lock);

  /* Our own packets, echoed (SIPp does that): another source, and no loop. */
  send_rtp (&f, OUR_SSRC, 7);
  flush (&f, 5, 8);
  pthread_mutex_lock (&f.lock);
  g_assert_cmphex (g_array_index (f.got, Got, f.got->len - 2).ssrc, ==, 0xfefdfcfb);
  pthread_mutex_unlock (&f.lock);

  /* Held: nothing comes through, and it is known that they are there. */
  f.plan->direction = PHONE_DIRECTION_SENDONLY;
  apply (&f);
  guint before = n_got (&f);
  media_transport_get_stats (f.transport, &stats);
  guint64 received = stats.rtp_received;
  send_rtp (&f, 5, 9);
  for (guint i = 0; i < 5000 && stats.rtp_received == received; i++)
    {
      g_usleep (1000);
      media_transport_get_stats (f.transport, &stats);
    }
  g_assert_cmpuint (stats.rtp_received, ==, received + 1);
  g_assert_cmpuint (n_got (&f), ==, before);
  fixture_clear (&f);
}

/* A kernel where nobody asked for stamps begins to write them some time after it was asked; until then a packet is stamped when it is read. */
static void
await_stamps (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, size), ==, 0);
  g_assert_cmpint (getsockname (fd, (struct sockaddr *) &address, &size), ==, 0);
  media_socket_adopt (fd);
  for (guint i = 0;; i++)
    {
      guint8 octet = 0;
      MediaAddress from;
      gint64 arrival, sent = g_get_monotonic_time ();
      g_assert_cmpint (i, <, 1000);
      g_assert_cmpint (sendto (fd, &octet, 1, 0, (struct sockaddr *) &address, size), ==, 1);
      g_usleep (10 * 1000);
      g_assert_cmpint (media_socket_receive (fd, &octet, 1, &from, &arrival), ==, 1);
      if (arrival < sent + 9 * 1000)
        break;
    }
  close (fd);
}

/* The time of a packet is when the kernel had it, not when we came to read it. */
static void
test_arrival (void)
{
  Fixture f;

  fixture_init (&f, AF_INET);
  await_stamps ();
  apply (&f);
  send_rtp (&f, 5, 0);
  g_usleep (300 * 1000);                /* that one is of no use any more */
  send_rtp (&f, 5, 1);
  gint64 sent = g_get_monotonic_time ();
  g_usleep (50 * 1000);
  fixture_start (&f);
  wait_got (&f, 1);
  pthread_mutex_lock (&f.lock);
  g_assert_cmpuint (g_array_index (f.got, Got, 0).seq, ==, 1);
  gint64 arrival = g_array_index (f.got, Got, 0).arrival;
  pthread_mutex_unlock (&f.lock);
  /* The wall clock of the stamp is only read to a part of a millisecond. */
  g_assert_cmpint (arrival, <, sent + 20 * 1000);
  fixture_clear (&f);
}

/* A peer in clear that invents sources as fast as it can. */
static void
test_source_flood (void)
{
  Fixture f;
  guint8 packet[256];
  gssize length;
  guint blocks = 0;

  fixture_init (&f, AF_INET);
  apply (&f);
  fixture_start (&f);
  g_assert_cmpuint (flush (&f, 5, 1), ==, 1);
  for (guint i = 0; i < 5000; i++)
    {
      gsize n = make_rtp (packet, PAYLOAD, 1000 + i, 1);
      send_to (&f, f.rtp, f.our_rtp, packet, n);
      /* the same with CSRCs */
      memmove (packet + 72, packet + 12, 20);
      packet[0] = 0x8f;
      for (guint c = 0; c < 15; c++)
        put32 (packet + 12 + 4 * c, i * 16 + c);
      send_to (&f, f.rtp, f.our_rtp, packet, n + 60);
      /* RR of a new sender, with an SDES of many chunks */
      guint8 compound[8 + 4 + 31 * 8] = { 0x80, 201, 0, 1, 0, 0, 0, 0, 0x80 | 31, 202, 0, 62 };
      put32 (compound + 4, 0x40000000 + i);
      for (guint c = 0; c < 31; c++)
        put32 (compound + 12 + 8 * c, i * 32 + c);
      send_to (&f, f.rtcp, f.our_rtcp, compound, sizeof compound);
      if (i % 50 == 0)
        flush (&f, 5, (guint16) (2 + i));
    }
  flush (&f, 5, 6000);
  for (guint i = 0; i < 3; i++)
    {
      receive (f.rtcp, packet, sizeof packet, &length);
      g_assert_cmpint (length, <=, RTCP_COMPOUND);
      blocks = MAX (blocks, packet[0] & 0x1fu);
    }
  g_assert_cmpuint (blocks, >=, 1);
  g_assert_cmpuint (blocks, <=, RTCP_SOURCES);
  fixture_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/transport/sending/ipv4", GINT_TO_POINTER (AF_INET), test_sending);
  g_test_add_data_func ("/transport/sending/ipv6", GINT_TO_POINTER (AF_INET6), test_sending);
  g_test_add_data_func ("/transport/receiving/ipv4", GINT_TO_POINTER (AF_INET), test_receiving);
  g_test_add_data_func ("/transport/receiving/ipv6", GINT_TO_POINTER (AF_INET6), test_receiving);
  g_test_add_func ("/transport/arrival", test_arrival);
  g_test_add_func ("/transport/source-flood", test_source_flood);
  return g_test_run ();
}
