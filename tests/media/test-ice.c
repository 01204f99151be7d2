/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two ICE sessions in one process on loopback, and raw sockets in between them where somebody hostile speaks. */

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "media/media-ice.h"
#include "media/media-ice-policy.h"

#define OURS "127.64.1.1"
#define THEIRS "127.64.1.2"
#define PATIENCE (10 * G_USEC_PER_SEC)

typedef struct
{
  MediaIce *ice;
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
  MediaIceParams params = { .bind_address = address, .local_address = address, .n_components = components, .port_first = 20000,
                            .port_last = 30000, .controlling = controlling, .call_id = "test" };

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
introduce (Side *to, Side *of, gboolean controlling, guint components)
{
  g_autoptr (GError) error = NULL;
  PhoneIceDesc desc;

  media_ice_get_local (of->ice, &desc);
  g_assert_cmpuint (desc.n_candidates, >, 0);
  media_ice_set_remote (to->ice, &desc, controlling, components, &error);
  g_assert_no_error (error);
}

static void
connect_both (Side *a, Side *b, guint components)
{
  introduce (a, b, TRUE, components);
  introduce (b, a, FALSE, components);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/ice/connect/mux", GUINT_TO_POINTER (1), test_connect);
  g_test_add_data_func ("/ice/connect/two", GUINT_TO_POINTER (2), test_connect);
  return g_test_run ();
}
