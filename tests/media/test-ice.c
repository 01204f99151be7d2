/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two ICE sessions in one process on loopback, and raw sockets in between them where somebody hostile speaks. */

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "media/media-ice.h"
#include "media/media-ice-policy.h"
#include "media/media-thread.h"

#define OURS "127.64.1.1"
#define THEIRS "127.64.1.2"
#define PATIENCE (10 * G_USEC_PER_SEC)

typedef struct
{
  MediaIce *ice;
  guint trickle_ms;
  gboolean unbound;             /* whatever addresses there are */
  pthread_mutex_t lock;
  pthread_cond_t news;
  guint received[MEDIA_ICE_COMPONENTS];
  guint8 last[64];
  gsize last_length;
  gint64 arrival, at;
} Side;

static void
on_received (gpointer data, guint component, guint8 *octets, gsize length, gint64 arrival)
{
  Side *side = data;

  pthread_mutex_lock (&side->lock);
  side->received[component - 1]++;
  side->last_length = MIN (length, sizeof side->last);
  memcpy (side->last, octets, side->last_length);
  side->arrival = arrival;
  side->at = g_get_monotonic_time ();
  pthread_cond_broadcast (&side->news);
  pthread_mutex_unlock (&side->lock);
}

static void
on_changed (gpointer data)
{
  Side *side = data;

  pthread_mutex_lock (&side->lock);
  pthread_cond_broadcast (&side->news);
  pthread_mutex_unlock (&side->lock);
}

static const MediaIceCallbacks callbacks = { .received = on_received, .changed = on_changed };

static void
side_open (Side *side, const char *address, guint components, gboolean controlling)
{
  g_autoptr (GError) error = NULL;
  MediaIceParams params = { .bind_address = side->unbound ? NULL : address, .local_address = address, .n_components = components, .port_first = 20000,
                            .port_last = 30000, .controlling = controlling, .call_id = "test", .trickle_ms = side->trickle_ms };

  pthread_mutex_init (&side->lock, NULL);
  pthread_condattr_t attr;
  pthread_condattr_init (&attr);
  pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
  pthread_cond_init (&side->news, &attr);
  side->ice = media_ice_new (&params, &callbacks, side, &error);
  g_assert_no_error (error);
  g_assert_true (media_ice_is_gathered (side->ice));
}

static void
side_close (Side *side)
{
  media_ice_free (side->ice);
}

static gboolean
wait_once (Side *side, gint64 until)
{
  struct timespec at = { until / G_USEC_PER_SEC, until % G_USEC_PER_SEC * 1000 };
  return pthread_cond_timedwait (&side->news, &side->lock, &at) == 0;
}

static PhoneIceState
state_of (Side *side)
{
  MediaIcePath path;
  media_ice_get_path (side->ice, &path);
  return path.state;
}

static void
wait_state (Side *side, PhoneIceState state)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  pthread_mutex_lock (&side->lock);
  while (state_of (side) != state)
    if (!wait_once (side, until))
      g_error ("waited in vain for %s, it is %s", phone_ice_state_to_string (state), phone_ice_state_to_string (state_of (side)));
  pthread_mutex_unlock (&side->lock);
}

static void
wait_received (Side *side, guint component, guint n)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  pthread_mutex_lock (&side->lock);
  while (side->received[component - 1] < n)
    g_assert_true (wait_once (side, until));
  pthread_mutex_unlock (&side->lock);
}

static void
introduce (Side *to, Side *of, guint components)
{
  g_autoptr (GError) error = NULL;
  PhoneIceDesc desc;

  media_ice_get_local (of->ice, &desc);
  g_assert_cmpuint (desc.n_candidates, >, 0);
  media_ice_set_remote (to->ice, &desc, components, &error);
  g_assert_no_error (error);
}

static void
connect_both (Side *a, Side *b, guint components)
{
  introduce (a, b, components);
  introduce (b, a, components);
  wait_state (a, PHONE_ICE_CONNECTED);
  wait_state (b, PHONE_ICE_CONNECTED);
}

static void
exchange (Side *a, Side *b, guint component)
{
  guint before = a->received[component - 1];

  g_assert_true (media_ice_send (a->ice, component, (const guint8 *) "hello", 5));
  wait_received (b, component, 1);
  g_assert_cmpmem (b->last, b->last_length, "hello", 5);
  g_assert_true (media_ice_send (b->ice, component, (const guint8 *) "world", 5));
  wait_received (a, component, before + 1);
  g_assert_cmpmem (a->last, a->last_length, "world", 5);
}

static void
test_connect (gconstpointer data)
{
  guint components = GPOINTER_TO_UINT (data);
  Side a = { 0 }, b = { 0 };
  MediaIcePath path;

  side_open (&a, OURS, 2, TRUE);
  side_open (&b, THEIRS, components, FALSE);
  g_assert_cmpint (state_of (&a), ==, PHONE_ICE_WAITING);
  g_assert_false (media_ice_send (a.ice, 1, (const guint8 *) "early", 5));
  connect_both (&a, &b, components);
  for (guint c = 1; c <= components; c++)
    exchange (&a, &b, c);
  media_ice_get_path (a.ice, &path);
  g_assert_true (g_str_has_prefix (path.local, "host " OURS ":"));
  g_assert_true (g_str_has_prefix (path.remote, "host " THEIRS ":"));
  g_assert_false (path.relayed);
  side_close (&a);
  side_close (&b);
}

static gboolean
skip_without_ip6 (void)
{
  int fd = socket (AF_INET6, SOCK_DGRAM, 0);
  struct sockaddr_in6 here = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
  gboolean has_ip6 = fd >= 0 && bind (fd, (const struct sockaddr *) &here, sizeof here) == 0;

  if (fd >= 0)
    close (fd);
  if (!has_ip6)
    g_test_skip ("the machine has no IPv6");
  return !has_ip6;
}

/* The same over IPv6, with a peer that has a candidate of the other family, too, and likes it more. */
static void
test_ip6 (void)
{
  g_autoptr (GError) error = NULL;
  Side a = { 0 }, b = { 0 };
  PhoneIceDesc desc;
  MediaIcePath path;

  if (skip_without_ip6 ())
    return;
  side_open (&a, "::1", 1, TRUE);
  side_open (&b, "::1", 1, FALSE);
  media_ice_get_local (b.ice, &desc);
  g_assert_cmpuint (desc.n_candidates, ==, 1);
  g_assert_cmpstr (desc.candidates[0].address, ==, "::1");
  desc.candidates[1] = desc.candidates[0];
  g_strlcpy (desc.candidates[0].address, THEIRS, sizeof desc.candidates[0].address);
  desc.candidates[0].priority++;
  desc.n_candidates++;
  media_ice_set_remote (a.ice, &desc, 1, &error);
  g_assert_no_error (error);
  introduce (&b, &a, 1);
  wait_state (&a, PHONE_ICE_CONNECTED);
  wait_state (&b, PHONE_ICE_CONNECTED);
  exchange (&a, &b, 1);
  media_ice_get_path (a.ice, &path);
  g_assert_true (g_str_has_prefix (path.local, "host [::1]:"));
  g_assert_true (g_str_has_prefix (path.remote, "host [::1]:"));
  side_close (&a);
  side_close (&b);
}

/* The way to the server is IPv4, and the peer has none. */
static void
test_ip6_only_peer (void)
{
  Side a = { .unbound = TRUE }, b = { 0 };
  MediaIcePath path;
  MediaAddress defaults[MEDIA_ICE_COMPONENTS];

  if (skip_without_ip6 ())
    return;
  side_open (&a, OURS, 1, TRUE);
  side_open (&b, "::1", 1, FALSE);
  media_ice_get_defaults (a.ice, defaults);
  g_assert_cmpint (defaults[0].any.sa_family, ==, AF_INET);
  connect_both (&a, &b, 1);
  exchange (&a, &b, 1);
  media_ice_get_path (a.ice, &path);
  g_assert_true (g_str_has_prefix (path.local, "host [::1]:"));
  side_close (&a);
  side_close (&b);
}

/* The peer begins anew: both have other credentials then, on the same sockets, and what is sent meanwhile arrives. */
static void
test_restart (void)
{
  Side a = { 0 }, b = { 0 };
  PhoneIceDesc before, after;

  side_open (&a, OURS, 1, TRUE);
  side_open (&b, THEIRS, 1, FALSE);
  connect_both (&a, &b, 1);
  exchange (&a, &b, 1);
  media_ice_get_local (a.ice, &before);
  media_ice_restart (a.ice);
  media_ice_get_local (a.ice, &after);
  g_assert_cmpstr (before.ufrag, !=, after.ufrag);
  g_assert_cmpstr (before.pwd, !=, after.pwd);
  g_assert_cmpuint (before.candidates[0].port, ==, after.candidates[0].port);
  guint count = b.received[0];
  g_assert_true (media_ice_send (a.ice, 1, (const guint8 *) "meanwhile", 9));
  wait_received (&b, 1, count + 1);

  /* What b's INFO still says of the session that ends is nothing to the new one, and does not make its answer a surprise that cuts the sound. */
  media_ice_get_local (b.ice, &before);
  before.trickle = TRUE;
  g_assert_true (media_ice_trickle (a.ice, &before, 1, NULL));
  media_ice_restart (b.ice);
  introduce (&a, &b, 1);
  g_assert_cmpint (state_of (&a), ==, PHONE_ICE_CONNECTED);
  connect_both (&a, &b, 1);
  count = b.received[0];
  g_assert_true (media_ice_send (a.ice, 1, (const guint8 *) "again", 5));
  wait_received (&b, 1, count + 1);
  side_close (&a);
  side_close (&b);
}

/* Both take themselves for the controlling one: RFC 8445 section 7.3.1.1. */
static void
test_role_conflict (void)
{
  Side a = { 0 }, b = { 0 };

  side_open (&a, OURS, 1, TRUE);
  side_open (&b, THEIRS, 1, TRUE);
  introduce (&a, &b, 1);
  introduce (&b, &a, 1);
  wait_state (&a, PHONE_ICE_CONNECTED);
  wait_state (&b, PHONE_ICE_CONNECTED);
  exchange (&a, &b, 1);
  side_close (&a);
  side_close (&b);
}

/* An answer of another device than the one that answered first (forking): its candidates count, the first one's no more. */
static void
test_fork (void)
{
  Side a = { 0 }, b = { 0 }, c = { 0 };

  side_open (&a, OURS, 1, TRUE);
  side_open (&b, THEIRS, 1, FALSE);
  side_open (&c, "127.64.1.3", 1, FALSE);
  connect_both (&a, &b, 1);
  exchange (&a, &b, 1);
  introduce (&c, &a, 1);
  introduce (&a, &c, 1);
  wait_state (&c, PHONE_ICE_CONNECTED);
  wait_state (&a, PHONE_ICE_CONNECTED);
  exchange (&a, &c, 1);
  side_close (&a);
  side_close (&b);
  side_close (&c);
}

/* Candidates that are none, or that nobody should be made to knock at, beside one that works. */
static void
test_odd_candidates (void)
{
  static const char *const odd[] = { "0a1b2c3d-0000-4000-8000-0123456789ab.local", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "nonsense" };
  g_autoptr (GError) error = NULL;
  Side a = { 0 }, b = { 0 };
  PhoneIceDesc desc;

  side_open (&a, OURS, 1, TRUE);
  side_open (&b, THEIRS, 1, FALSE);
  media_ice_get_local (b.ice, &desc);
  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      PhoneCandidate *candidate = &desc.candidates[desc.n_candidates++];
      *candidate = desc.candidates[0];
      g_strlcpy (candidate->address, odd[i], sizeof candidate->address);
      candidate->priority += (guint32) i + 1;
    }
  desc.candidates[desc.n_candidates] = desc.candidates[0];
  desc.candidates[desc.n_candidates++].port = 0;
  media_ice_set_remote (a.ice, &desc, 1, &error);
  g_assert_no_error (error);
  introduce (&b, &a, 1);
  wait_state (&a, PHONE_ICE_CONNECTED);
  exchange (&a, &b, 1);
  side_close (&a);
  side_close (&b);
}

/* Candidates that come after the description (RFC 8838): until then nothing has failed. */
static void
test_trickle (void)
{
  g_autoptr (GError) error = NULL;
  Side a = { 0 }, b = { 0 };
  PhoneIceDesc whole, empty;

  side_open (&a, OURS, 1, TRUE);
  side_open (&b, THEIRS, 1, FALSE);
  media_ice_get_local (b.ice, &whole);
  empty = whole;
  empty.n_candidates = 0;
  empty.trickle = TRUE;
  media_ice_set_remote (a.ice, &empty, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (state_of (&a), ==, PHONE_ICE_CHECKING);
  whole.trickle = whole.end_of_candidates = TRUE;
  media_ice_set_remote (a.ice, &whole, 1, &error);
  introduce (&b, &a, 1);
  wait_state (&a, PHONE_ICE_CONNECTED);
  wait_state (&b, PHONE_ICE_CONNECTED);
  exchange (&a, &b, 1);
  side_close (&a);
  side_close (&b);
}

/* A peer that trickles and never says that it is done: what it has said is all then. Where nothing leads to it that is a failure at last; where
 * there is a pair nothing changes. */
static void
test_trickle_for_ever (void)
{
  g_autoptr (GError) error = NULL;
  Side a = { .trickle_ms = 300 }, b = { 0 }, alone = { .trickle_ms = 300 }, useless = { .trickle_ms = 300 };
  PhoneIceDesc desc, nowhere = { .ufrag = "dead", .pwd = "a password of nobody at all", .trickle = TRUE };

  side_open (&alone, "127.64.1.3", 1, TRUE);
  media_ice_set_remote (alone.ice, &nowhere, 1, &error);
  g_assert_no_error (error);

  /* All is said, and nothing of it can be tried. */
  side_open (&useless, "127.64.1.4", 1, TRUE);
  nowhere.trickle = FALSE;
  nowhere.n_candidates = 1;
  nowhere.candidates[0] = (PhoneCandidate) { .component = 1, .transport = PHONE_CANDIDATE_UDP, .port = 9, .foundation = "1" };
  g_strlcpy (nowhere.candidates[0].address, "0.0.0.0", sizeof nowhere.candidates[0].address);
  media_ice_set_remote (useless.ice, &nowhere, 1, &error);
  g_assert_no_error (error);

  side_open (&a, OURS, 1, TRUE);
  side_open (&b, THEIRS, 1, FALSE);
  introduce (&b, &a, 1);
  media_ice_get_local (b.ice, &desc);
  desc.trickle = TRUE;
  media_ice_set_remote (a.ice, &desc, 1, &error);
  g_assert_no_error (error);
  wait_state (&a, PHONE_ICE_CONNECTED);
  wait_state (&b, PHONE_ICE_CONNECTED);

  wait_state (&alone, PHONE_ICE_FAILED);
  wait_state (&useless, PHONE_ICE_FAILED);
  g_assert_cmpint (state_of (&a), ==, PHONE_ICE_CONNECTED);
  exchange (&a, &b, 1);
  side_close (&alone);
  side_close (&useless);
  side_close (&a);
  side_close (&b);
}

/* ---- a lite peer ---- */

static void
put16 (guint8 *p, guint value)
{
  p[0] = (guint8) (value >> 8);
  p[1] = (guint8) value;
}

/* RFC 8489 section 14.7: CRC-32 of ITU V.42. */
static guint32
crc32 (const guint8 *data, gsize length)
{
  guint32 crc = 0xffffffff;

  for (gsize i = 0; i < length; i++)
    {
      crc ^= data[i];
      for (guint bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
    }
  return ~crc;
}

/* The answer to a binding request: XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY, FINGERPRINT. */
static gsize
make_response (const guint8 *request, const MediaAddress *from, const char *password, guint8 *out)
{
  gsize length = 20;
  guint32 address = from->v4.sin_addr.s_addr, fingerprint;
  unsigned int digest_length = 20;

  memcpy (out, request, 20);
  put16 (out, 0x0101);
  put16 (out + length, 0x0020);
  put16 (out + length + 2, 8);
  put16 (out + length + 4, 1);
  put16 (out + length + 6, media_address_port (from) ^ 0x2112u);
  memcpy (out + length + 8, &address, 4);
  for (guint i = 0; i < 4; i++)
    out[length + 8 + i] ^= request[4 + i];
  length += 12;
  put16 (out + 2, (guint) length + 24 - 20);
  put16 (out + length, 0x0008);
  put16 (out + length + 2, 20);
  HMAC (EVP_sha1 (), password, (int) strlen (password), out, length, out + length + 4, &digest_length);
  length += 24;
  put16 (out + 2, (guint) length + 8 - 20);
  fingerprint = crc32 (out, length) ^ 0x5354554e;
  put16 (out + length, 0x8028);
  put16 (out + length + 2, 4);
  put16 (out + length + 4, fingerprint >> 16);
  put16 (out + length + 6, fingerprint & 0xffff);
  return length + 8;
}

static gboolean
has_attribute (const guint8 *message, gsize length, guint type)
{
  for (gsize at = 20; at + 4 <= length; at += 4 + ((((gsize) message[at + 2] << 8 | message[at + 3]) + 3) & ~(gsize) 3))
    if ((guint) (message[at] << 8 | message[at + 1]) == type)
      return TRUE;
  return FALSE;
}

/* A peer that only answers (RFC 8445 section 2.5): we control and nominate; its own candidate is all that it has. */
static void
test_lite_peer (void)
{
  g_autoptr (GError) error = NULL;
  PhoneIceDesc lite = { .ufrag = "lite", .pwd = "a password of the lite peer", .lite = TRUE, .n_candidates = 1 };
  MediaAddress own, from;
  socklen_t length = sizeof own;
  Side a = { 0 };
  gboolean nominated = FALSE, controlling = TRUE;
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct timeval limit = { .tv_sec = 10 };

  media_address_parse (THEIRS, 0, AF_INET, &own);
  g_assert_cmpint (bind (fd, &own.any, media_address_length (&own)), ==, 0);
  g_assert_cmpint (getsockname (fd, &own.any, &length), ==, 0);
  setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  lite.candidates[0] = (PhoneCandidate) { .foundation = "1", .component = 1, .priority = 2130706431, .address = THEIRS,
                                          .port = media_address_port (&own) };

  side_open (&a, OURS, 1, TRUE);
  media_ice_set_remote (a.ice, &lite, 1, &error);
  g_assert_no_error (error);
  while (!nominated || state_of (&a) != PHONE_ICE_CONNECTED)
    {
      guint8 in[2048], out[256];
      length = sizeof from;
      gssize n = recvfrom (fd, in, sizeof in, 0, &from.any, &length);
      g_assert_cmpint (n, >=, 20);
      controlling &= has_attribute (in, (gsize) n, 0x802a);
      nominated |= has_attribute (in, (gsize) n, 0x0025);
      gsize size = make_response (in, &from, lite.pwd, out);
      g_assert_cmpint (sendto (fd, out, size, 0, &from.any, length), ==, size);
      if (nominated)
        wait_state (&a, PHONE_ICE_CONNECTED);
    }
  g_assert_true (controlling);
  g_assert_cmpint (sendto (fd, "from a lite peer", 16, 0, &from.any, length), ==, 16);
  wait_received (&a, 1, 1);
  g_assert_cmpmem (a.last, a.last_length, "from a lite peer", 16);
  close (fd);
  side_close (&a);
}

/* ---- strangers ---- */

static int
stranger_open (const char *host, MediaAddress *ret_to, Side *victim)
{
  MediaAddress own;
  PhoneIceDesc desc;
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  media_address_parse (host, 0, AF_INET, &own);
  g_assert_cmpint (bind (fd, &own.any, media_address_length (&own)), ==, 0);
  media_ice_get_local (victim->ice, &desc);
  g_assert_true (media_address_parse (desc.candidates[0].address, desc.candidates[0].port, AF_INET, ret_to));
  return fd;
}

/* A binding request with the peer's user name and a wrong MESSAGE-INTEGRITY, and lengths that lie, by kind. */
static gsize
make_hostile (guint kind, const char *username, guint8 *out)
{
  gsize name = strlen (username), padded = (name + 3) & ~(gsize) 3, length = 0;

  memset (out, 0, 2000);
  out[1] = 1;
  memcpy (out + 4, "\x21\x12\xa4\x42", 4);
  for (guint i = 8; i < 20; i++)
    out[i] = (guint8) g_random_int ();
  length = 20;
  out[length + 1] = 6;
  out[length + 3] = (guint8) name;
  memcpy (out + length + 4, username, name);
  length += 4 + padded;
  switch (kind % 4)
    {
    case 0:             /* wrong integrity, USE-CANDIDATE */
      out[length + 1] = 0x25;
      length += 4;
      out[length + 1] = 8;
      out[length + 3] = 20;
      length += 24;
      break;
    case 1:             /* an attribute longer than the message */
      out[length] = 0x80;
      out[length + 2] = 0xff;
      length += 4;
      break;
    case 2:             /* oversized */
      out[length] = 0x80;
      out[length + 1] = 0x22;
      out[length + 2] = 0x05;
      length += 4 + 0x500;
      break;
    default:            /* a response that nobody asked for */
      out[0] = 1;
      break;
    }
  out[2] = (guint8) ((length - 20) >> 8);
  out[3] = (guint8) (length - 20);
  return length;
}

/* Whoever is not the peer changes nothing: neither with data, nor with STUN that lies, nor by its number. */
static void
test_hostile (void)
{
  Side a = { 0 }, b = { 0 };
  MediaAddress to;
  MediaIcePath before, after;
  PhoneIceDesc mine, theirs;

  side_open (&a, OURS, 1, TRUE);
  side_open (&b, THEIRS, 1, FALSE);
  connect_both (&a, &b, 1);
  exchange (&a, &b, 1);
  media_ice_get_path (a.ice, &before);
  media_ice_get_local (a.ice, &mine);
  media_ice_get_local (b.ice, &theirs);
  g_autofree char *username = g_strdup_printf ("%s:%s", mine.ufrag, theirs.ufrag);
  int fd = stranger_open ("127.64.1.66", &to, &a);
  guint received = a.received[0];
  for (guint i = 0; i < 20000; i++)
    {
      guint8 packet[2048] = "\x80\x00 plain data of a stranger";
      gsize length = i % 5 == 4 ? 40 : make_hostile (i, username, packet);
      sendto (fd, packet, length, 0, &to.any, media_address_length (&to));
      if (i % 100 == 0)
        {
          g_assert_true (media_ice_send (b.ice, 1, (const guint8 *) "still", 5));
          g_assert_true (media_ice_send (a.ice, 1, (const guint8 *) "here", 4));
          wait_received (&a, 1, ++received);
        }
    }
  media_ice_get_path (a.ice, &after);
  g_assert_cmpint (after.state, ==, PHONE_ICE_CONNECTED);
  g_assert_cmpstr (after.remote, ==, before.remote);
  g_assert_cmpuint (a.received[0], ==, received);
  g_assert_cmpmem (a.last, a.last_length, "still", 5);
  close (fd);
  side_close (&a);
  side_close (&b);
}

/* For a peer without ICE: the socket that the description names is a plain one, and marked as those are. */
static void
test_detach (void)
{
  g_autoptr (GError) error = NULL;
  Side a = { 0 };
  MediaSockets sockets;
  MediaAddress defaults[MEDIA_ICE_COMPONENTS], from, to;
  guint8 buffer[64];
  gint64 arrival;
  int tos = 0;
  socklen_t length = sizeof tos;

  side_open (&a, OURS, 2, TRUE);
  media_ice_get_defaults (a.ice, defaults);
  int fd = stranger_open (THEIRS, &to, &a);
  g_assert_true (media_ice_detach (a.ice, &sockets, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (sockets.rtp_port, ==, media_address_port (&defaults[0]));
  g_assert_cmpuint (sockets.rtcp_port, ==, media_address_port (&defaults[1]));
  media_ice_free (a.ice);
  g_assert_cmpint (getsockopt (sockets.rtp, IPPROTO_IP, IP_TOS, &tos, &length), ==, 0);
  g_assert_cmpint (tos, ==, 0xb8);
  /* libnice may still be about to let go; what it reads is nobody's. */
  for (gint64 until = g_get_monotonic_time () + PATIENCE;;)
    {
      g_assert_cmpint (sendto (fd, "plain", 5, 0, &defaults[0].any, media_address_length (&defaults[0])), ==, 5);
      if (media_socket_receive (sockets.rtp, buffer, sizeof buffer, &from, &arrival) == 5)
        break;
      g_assert_cmpint (g_get_monotonic_time (), <, until);
    }
  g_assert_cmpmem (buffer, 5, "plain", 5);
  close (fd);
  media_sockets_close (&sockets);
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

/* Sessions that ran, that never met a peer, and that were given up at once leave neither threads nor descriptors. */
static void
test_nothing_left (void)
{
  guint before = 0;

  /* GLib keeps what the first round brings. */
  for (guint i = 0; i < 9; i++)
    {
      Side a = { 0 }, b = { 0 }, c = { 0 };
      side_open (&a, OURS, 2, TRUE);
      side_open (&b, THEIRS, 2, FALSE);
      side_open (&c, "127.64.1.3", 2, FALSE);
      connect_both (&a, &b, 2);
      side_close (&c);
      side_close (&a);
      side_close (&b);
      g_assert_true (media_threads_wait (10000));
      if (i == 0)
        before = count_descriptors ();
    }
  g_assert_cmpuint (count_descriptors (), ==, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/ice/connect/mux", GUINT_TO_POINTER (1), test_connect);
  g_test_add_data_func ("/ice/connect/two", GUINT_TO_POINTER (2), test_connect);
  g_test_add_func ("/ice/ip6", test_ip6);
  g_test_add_func ("/ice/ip6-only-peer", test_ip6_only_peer);
  g_test_add_func ("/ice/restart", test_restart);
  g_test_add_func ("/ice/role-conflict", test_role_conflict);
  g_test_add_func ("/ice/fork", test_fork);
  g_test_add_func ("/ice/odd-candidates", test_odd_candidates);
  g_test_add_func ("/ice/trickle", test_trickle);
  g_test_add_func ("/ice/trickle-for-ever", test_trickle_for_ever);
  g_test_add_func ("/ice/lite-peer", test_lite_peer);
  g_test_add_func ("/ice/hostile", test_hostile);
  g_test_add_func ("/ice/detach", test_detach);
  g_test_add_func ("/ice/nothing-left", test_nothing_left);
  return g_test_run ();
}
