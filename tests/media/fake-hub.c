/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-hub.h"

#include "media/media-mix.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define RECORDING_MAX (6 * MEDIA_RATE)

struct _MediaPort
{
  char *name;
  const MediaPortOps *ops;
  gpointer data;
  gboolean running, muted;
  float unmuted_gain;
  const gint16 *input;
  guint input_n, input_at, ticks;
  GArray *in, *out;
};

struct _MediaHub
{
  pthread_t thread;
  gint stopping;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *ports;

static void
tick (MediaPort *port, gint64 now)
{
  gint16 in[MEDIA_FRAME] = { 0 }, out[MEDIA_FRAME], heard[MEDIA_FRAME];

  if (!port->running)
    return;
  if (!port->ops->pull (port->data, out, now))
    memset (out, 0, sizeof out);
  for (guint i = 0; i < MEDIA_FRAME && port->input_n > 0; i++)
    {
      in[i] = port->input[port->input_at];
      port->input_at = (port->input_at + 1) % port->input_n;
    }
  memcpy (heard, in, sizeof heard);
  media_fade (heard, &port->unmuted_gain, port->muted ? 0 : 1);
  port->ops->push (port->data, heard, now);
  if (port->in->len < RECORDING_MAX)
    {
      g_array_append_vals (port->in, in, MEDIA_FRAME);
      g_array_append_vals (port->out, out, MEDIA_FRAME);
    }
  port->ticks++;
}

static gpointer
run (gpointer data)
{
  MediaHub *hub = data;
  gint64 next = g_get_monotonic_time ();

  while (!g_atomic_int_get (&hub->stopping))
    {
      pthread_mutex_lock (&lock);
      for (guint i = 0; i < ports->len; i++)
        tick (g_ptr_array_index (ports, i), next);
      pthread_mutex_unlock (&lock);
      next += MEDIA_FRAME_MS * 1000;
      struct timespec until = { .tv_sec = next / G_USEC_PER_SEC, .tv_nsec = next % G_USEC_PER_SEC * 1000 };
      clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
  return NULL;
}

MediaHub *
media_hub_new (const PhoneDaemonSettings *settings)
{
  MediaHub *hub = g_new0 (MediaHub, 1);
  pthread_mutex_lock (&lock);
  ports = g_ptr_array_new ();
  pthread_mutex_unlock (&lock);
  g_assert_cmpint (pthread_create (&hub->thread, NULL, run, hub), ==, 0);
  return hub;
}

void
media_hub_free (MediaHub *hub)
{
  g_atomic_int_set (&hub->stopping, TRUE);
  pthread_join (hub->thread, NULL);
  g_assert_cmpuint (ports->len, ==, 0);
  g_ptr_array_unref (ports);
  g_free (hub);
}

MediaPort *
media_hub_add_port (MediaHub *hub, const char *name, const MediaPortOps *ops, gpointer data)
{
  MediaPort *port = g_new0 (MediaPort, 1);
  port->name = g_strdup (name);
  port->ops = ops;
  port->data = data;
  port->in = g_array_new (FALSE, FALSE, sizeof (gint16));
  port->out = g_array_new (FALSE, FALSE, sizeof (gint16));
  pthread_mutex_lock (&lock);
  g_ptr_array_add (ports, port);
  pthread_mutex_unlock (&lock);
  return port;
}

void
media_hub_remove_port (MediaHub *hub, MediaPort *port)
{
  pthread_mutex_lock (&lock);
  g_ptr_array_remove (ports, port);
  pthread_mutex_unlock (&lock);
  g_array_unref (port->in);
  g_array_unref (port->out);
  g_free (port->name);
  g_free (port);
}

void
media_port_set_running (MediaPort *port, gboolean running)
{
  pthread_mutex_lock (&lock);
  port->running = running;
  port->unmuted_gain = port->muted ? 0 : 1;
  pthread_mutex_unlock (&lock);
}

void
media_port_set_muted (MediaPort *port, gboolean muted)
{
  pthread_mutex_lock (&lock);
  port->muted = muted;
  pthread_mutex_unlock (&lock);
}

void media_port_set_attached (MediaPort *port, gboolean attached) {}
void media_port_set_voice (MediaPort *port, gboolean voice) {}
void media_port_set_room (MediaPort *port, MediaRoom *room) {}
double media_port_get_level (MediaPort *port) { return -127; }
MediaRoom *media_room_new (MediaHub *hub) { return NULL; }
void media_room_free (MediaRoom *room) {}
void media_room_set (MediaRoom *room, gboolean muted, gboolean away) {}
MediaTaps *media_room_get_taps (MediaRoom *room) { return NULL; }
double media_room_get_level (MediaRoom *room) { return -127; }
void media_port_set_tone (MediaPort *port, PhoneTone tone, const char *country) {}
void media_port_beep (MediaPort *port) {}

void
media_hub_get_delays (MediaHub *hub, double *ret_capture, double *ret_output)
{
  *ret_capture = *ret_output = 0;
}

void
media_hub_get_origins (MediaHub *hub, gint64 *ret_input, gint64 *ret_output)
{
  *ret_input = *ret_output = 0;
}

void
media_hub_get_levels (MediaHub *hub, double *ret_in, double *ret_out)
{
  *ret_in = *ret_out = -127;
}

guint64 media_hub_get_ticks (MediaHub *hub) { return 0; }
void media_hub_set_ring (MediaHub *hub, PhoneTone tone, const char *country, const char *sound) {}
gboolean media_hub_select (MediaHub *hub, const char *role, const char *device, GError **error) { return TRUE; }
char *media_hub_selected (MediaHub *hub, const char *role) { return g_strdup ("silence"); }
GPtrArray *media_hub_devices (MediaHub *hub) { return g_ptr_array_new (); }
gboolean media_hub_test_tone (MediaHub *hub, const char *role, GError **error) { return TRUE; }
void media_hub_set_fader (MediaHub *hub, PhoneFader fader, guint value) {}
void media_hub_set_processing (MediaHub *hub, const PhoneDaemonSettings *settings) {}
void media_hub_on_device_lost (MediaHub *hub, MediaHubDeviceLost callback, gpointer data) {}

/* ---- for the tests ---- */

static MediaPort *
find (const char *name)
{
  for (guint i = 0; i < ports->len; i++)
    {
      MediaPort *port = g_ptr_array_index (ports, i);
      if (g_str_equal (port->name, name))
        return port;
    }
  g_error ("no port %s", name);
}

void
fake_hub_set_input (const char *name, const gint16 *pcm, guint n)
{
  pthread_mutex_lock (&lock);
  MediaPort *port = find (name);
  port->input = pcm;
  port->input_n = n;
  port->input_at = 0;
  pthread_mutex_unlock (&lock);
}

void
fake_hub_get (const char *name, gint16 **ret_in, gint16 **ret_out, guint *ret_n)
{
  pthread_mutex_lock (&lock);
  MediaPort *port = find (name);
  *ret_n = port->in->len;
  *ret_in = g_memdup2 (port->in->data, port->in->len * sizeof (gint16));
  *ret_out = g_memdup2 (port->out->data, port->out->len * sizeof (gint16));
  pthread_mutex_unlock (&lock);
}

void
media_hub_on_fader (MediaHub *hub, MediaHubFaded callback, gpointer data)
{
}

void
fake_hub_clear (const char *name)
{
  pthread_mutex_lock (&lock);
  MediaPort *port = find (name);
  g_array_set_size (port->in, 0);
  g_array_set_size (port->out, 0);
  pthread_mutex_unlock (&lock);
}

guint
fake_hub_ticks (const char *name)
{
  pthread_mutex_lock (&lock);
  guint ticks = find (name)->ticks;
  pthread_mutex_unlock (&lock);
  return ticks;
}

gboolean
fake_hub_is_running (const char *name)
{
  pthread_mutex_lock (&lock);
  gboolean running = find (name)->running;
  pthread_mutex_unlock (&lock);
  return running;
}

guint
fake_hub_n_ports (void)
{
  pthread_mutex_lock (&lock);
  guint n = ports->len;
  pthread_mutex_unlock (&lock);
  return n;
}
