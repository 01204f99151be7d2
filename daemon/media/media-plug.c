/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GStreamer's providers tell what a sound server has as long as they are started, which may block: a thread starts the provider, waits until
 * it is let go of, and stops it. ALSA's provider does not listen; the kernel's device nodes do for it. */

#include "media/media-plug.h"
#include "media/media-notify.h"
#include "media/media-thread.h"

#include <gio/gio.h>
#include <gst/gst.h>
#include <stdatomic.h>

struct _MediaPlug
{
  MediaPlugFunc func;
  gpointer data;
  MediaNotify *notify;
  GFileMonitor *nodes;          /* ALSA */
  struct _Listener *listener;   /* the others */
  MediaThread *thread;
};

typedef struct _Listener
{
  atomic_int references;
  MediaDeviceKind kind;
  MediaNotify *notify;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  gboolean over;
  atomic_bool listed;           /* what was there before has been told */
} Listener;

static void
listener_unref (gpointer data)
{
  Listener *listener = data;

  if (atomic_fetch_sub (&listener->references, 1) > 1)
    return;
  pthread_mutex_destroy (&listener->lock);
  pthread_cond_destroy (&listener->changed);
  media_notify_unref (listener->notify);
  g_free (listener);
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Listener *listener = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_DEVICE_ADDED && atomic_load (&listener->listed))
    media_notify_post (listener->notify, 0, NULL);
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static void
listen_run (gpointer data)
{
  Listener *listener = data;
  const char *factory = listener->kind == MEDIA_DEVICE_PIPEWIRE ? "pipewiredeviceprovider" : "pulsedeviceprovider";
  GstDeviceProvider *provider = gst_device_provider_factory_get_by_name (factory);
  gboolean started = FALSE;

  if (provider != NULL)
    {
      GstBus *bus = gst_device_provider_get_bus (provider);

      atomic_fetch_add (&listener->references, 1);
      gst_bus_set_sync_handler (bus, on_message, listener, listener_unref);
      gst_object_unref (bus);
      started = gst_device_provider_start (provider);
      atomic_store (&listener->listed, TRUE);
    }
  pthread_mutex_lock (&listener->lock);
  while (!listener->over)
    pthread_cond_wait (&listener->changed, &listener->lock);
  pthread_mutex_unlock (&listener->lock);
  if (started)
    gst_device_provider_stop (provider);
  if (provider != NULL)
    gst_object_unref (provider);
  listener_unref (listener);
}

static void
on_nodes_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, gpointer data)
{
  MediaPlug *plug = data;

  if (event == G_FILE_MONITOR_EVENT_CREATED)
    media_notify_post (plug->notify, 0, NULL);
}

static void
on_notify (gpointer data, guint code, const char *text)
{
  MediaPlug *plug = data;

  plug->func (plug->data);
}

static void
start_listener (MediaPlug *plug, MediaDeviceKind kind)
{
  Listener *listener = g_new0 (Listener, 1);

  atomic_init (&listener->references, 2);
  listener->kind = kind;
  listener->notify = media_notify_ref (plug->notify);
  pthread_mutex_init (&listener->lock, NULL);
  media_cond_init (&listener->changed);
  plug->listener = listener;
  plug->thread = media_thread_start ("phoned-plug", listen_run, listener);
  if (plug->thread == NULL)
    listener_unref (listener);
}

MediaPlug *
media_plug_new (MediaDeviceKind kind, MediaPlugFunc func, gpointer data)
{
  MediaPlug *plug = g_new0 (MediaPlug, 1);

  g_return_val_if_fail (kind == MEDIA_DEVICE_PIPEWIRE || kind == MEDIA_DEVICE_PULSE || kind == MEDIA_DEVICE_ALSA, plug);
  plug->func = func;
  plug->data = data;
  plug->notify = media_notify_new (on_notify, plug);
  if (kind == MEDIA_DEVICE_ALSA)
    {
      g_autoptr (GFile) folder = g_file_new_for_path ("/dev/snd");

      plug->nodes = g_file_monitor_directory (folder, G_FILE_MONITOR_NONE, NULL, NULL);
      if (plug->nodes != NULL)
        g_signal_connect (plug->nodes, "changed", G_CALLBACK (on_nodes_changed), plug);
    }
  else
    /* The nodes of PipeWire are those of its PulseAudio server. */
    start_listener (plug, kind == MEDIA_DEVICE_PIPEWIRE && media_device_pulse_is_pipewire () ? MEDIA_DEVICE_PULSE : kind);
  return plug;
}

void
media_plug_free (MediaPlug *plug)
{
  if (plug == NULL)
    return;
  if (plug->nodes != NULL)
    g_file_monitor_cancel (plug->nodes);
  g_clear_object (&plug->nodes);
  media_notify_close (plug->notify);
  if (plug->listener != NULL)
    {
      pthread_mutex_lock (&plug->listener->lock);
      plug->listener->over = TRUE;
      pthread_cond_signal (&plug->listener->changed);
      pthread_mutex_unlock (&plug->listener->lock);
      media_thread_release (plug->thread);
      listener_unref (plug->listener);
    }
  g_free (plug);
}
