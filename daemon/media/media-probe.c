/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GStreamer's device providers block while they talk to a sound server. They get a thread, and the caller
 * waits for it for a moment only: a server that hangs costs the main loop that moment once, and one thread,
 * not one more with each question. */

#include "media/media-probe.h"
#include "media/media-thread.h"

#include <gst/gst.h>
#include <stdatomic.h>

#define PATIENCE_MS 300
#define MAX_DEVICES 256

typedef struct
{
  atomic_int references;
  MediaDeviceKind kind;
  pthread_mutex_t lock;
  pthread_cond_t done;
  GPtrArray *found;             /* NULL: not yet */
} Probe;

/* One probe of a kind at a time; others wait for their turn. */
static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_over;
static gboolean busy[media_device_kind_n_values];

static gboolean
take_turn (MediaDeviceKind kind, gint64 until)
{
  static gboolean ready;
  gboolean taken;

  pthread_mutex_lock (&turn_lock);
  if (!ready)
    media_cond_init (&turn_over);
  ready = TRUE;
  while (busy[kind] && media_cond_wait_until (&turn_over, &turn_lock, until))
    ;
  taken = !busy[kind];
  busy[kind] = TRUE;
  pthread_mutex_unlock (&turn_lock);
  return taken;
}

static void
end_turn (MediaDeviceKind kind)
{
  pthread_mutex_lock (&turn_lock);
  busy[kind] = FALSE;
  pthread_cond_broadcast (&turn_over);
  pthread_mutex_unlock (&turn_lock);
}

static void
probed_free (gpointer data)
{
  MediaProbed *probed = data;

  g_free (probed->name);
  g_free (probed->description);
  g_free (probed);
}

static void
probe_unref (Probe *probe)
{
  if (atomic_fetch_sub (&probe->references, 1) > 1)
    return;
  pthread_mutex_destroy (&probe->lock);
  pthread_cond_destroy (&probe->done);
  g_clear_pointer (&probe->found, g_ptr_array_unref);
  g_free (probe);
}

/* The name by which an element finds the device again: that of the node, or what GStreamer would give the
 * element. */
static char *
find_name (GstDevice *device, const GstStructure *properties, MediaDeviceKind kind)
{
  const char *node = properties != NULL && kind == MEDIA_DEVICE_PIPEWIRE
                         ? gst_structure_get_string (properties, "node.name")
                         : NULL;
  GstElement *element;
  char *name = NULL;

  if (node != NULL)
    return g_strdup (node);
  element = gst_device_create_element (device, NULL);
  if (element == NULL)
    return NULL;
  gst_object_ref_sink (element);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (element), "device") != NULL)
    g_object_get (element, "device", &name, NULL);
  gst_object_unref (element);
  return name;
}

static void
add_device (GPtrArray *found, GstDevice *device, MediaDeviceKind kind)
{
  g_autoptr (GstStructure) properties = gst_device_get_properties (device);
  g_autofree char *description = gst_device_get_display_name (device),
                  *name = find_name (device, properties, kind);
  MediaProbed *probed;

  if (name == NULL || found->len >= MAX_DEVICES)
    return;
  probed = g_new0 (MediaProbed, 1);
  probed->driver = kind;
  probed->role = gst_device_has_classes (device, "Audio/Source") ? MEDIA_ROLE_INPUT : MEDIA_ROLE_OUTPUT;
  probed->name = g_steal_pointer (&name);
  probed->description = g_utf8_make_valid (description, -1);
  if (properties != NULL)
    {
      gst_structure_get_boolean (properties, "is-default", &probed->is_default);
      probed->is_monitor = g_strcmp0 (gst_structure_get_string (properties, "device.class"), "monitor") == 0;
    }
  g_ptr_array_add (found, probed);
}

static void
probe_run (gpointer data)
{
  static const char *const factories[media_device_kind_n_values] = {
    [MEDIA_DEVICE_PIPEWIRE] = "pipewiredeviceprovider",
    [MEDIA_DEVICE_PULSE] = "pulsedeviceprovider",
    [MEDIA_DEVICE_ALSA] = "alsadeviceprovider",
  };
  Probe *probe = data;
  GPtrArray *found = g_ptr_array_new_with_free_func (probed_free);
  GstDeviceProvider *provider = gst_device_provider_factory_get_by_name (factories[probe->kind]);

  if (provider != NULL)
    {
      /* Only a started provider knows which device is the default. One that cannot be started may still be
       * asked. */
      gboolean started = gst_device_provider_start (provider);
      GList *devices = gst_device_provider_get_devices (provider);

      for (GList *l = devices; l != NULL; l = l->next)
        if (gst_device_has_classes (l->data, "Audio/Source")
            || gst_device_has_classes (l->data, "Audio/Sink"))
          add_device (found, l->data, probe->kind);
      g_list_free_full (devices, gst_object_unref);
      if (started)
        gst_device_provider_stop (provider);
      gst_object_unref (provider);
    }
  end_turn (probe->kind);
  pthread_mutex_lock (&probe->lock);
  probe->found = found;
  pthread_cond_signal (&probe->done);
  pthread_mutex_unlock (&probe->lock);
  probe_unref (probe);
}

GPtrArray *
media_probe (MediaDeviceKind kind, guint ms)
{
  gint64 until = g_get_monotonic_time () + ms * 1000;
  GPtrArray *found = NULL;
  MediaThread *thread;
  Probe *probe;

  g_return_val_if_fail (
      kind == MEDIA_DEVICE_PIPEWIRE || kind == MEDIA_DEVICE_PULSE || kind == MEDIA_DEVICE_ALSA, NULL);
  if (!take_turn (kind, until))
    return NULL;

  probe = g_new0 (Probe, 1);
  atomic_init (&probe->references, 2);
  probe->kind = kind;
  pthread_mutex_init (&probe->lock, NULL);
  media_cond_init (&probe->done);
  thread = media_thread_start ("phoned-probe", probe_run, probe);
  if (thread != NULL)
    {
      media_thread_release (thread);
      pthread_mutex_lock (&probe->lock);
      while (probe->found == NULL && media_cond_wait_until (&probe->done, &probe->lock, until))
        ;
      found = g_steal_pointer (&probe->found);
      pthread_mutex_unlock (&probe->lock);
    }
  else
    {
      end_turn (kind);
      probe_unref (probe);
    }
  if (found == NULL)
    g_message ("%s does not say which devices it has", media_device_kind_to_string (kind));
  probe_unref (probe);
  return found;
}

/* The sound system that answers for a kind: PipeWire's nodes are those of its PulseAudio server. */
static MediaDeviceKind
asked_kind (MediaDeviceKind kind)
{
  return kind == MEDIA_DEVICE_PIPEWIRE && media_device_pulse_is_pipewire () ? MEDIA_DEVICE_PULSE : kind;
}

gboolean
media_probe_check (MediaRole role, const MediaDevice *device, GError **error)
{
  MediaRole wanted = role == MEDIA_ROLE_RING ? MEDIA_ROLE_OUTPUT : role;
  const char *kind = media_device_kind_to_string (device->kind);
  g_autoptr (GPtrArray) found = NULL;

  if (!media_device_is_present (role, device->kind))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "no %s %s here", kind,
                   device->kind == MEDIA_DEVICE_ALSA ? "device" : "server");
      return FALSE;
    }
  /* ALSA's names are open: plugins, aliases, arguments. Only opening one shows whether it works. */
  if (device->name == NULL || device->kind == MEDIA_DEVICE_ALSA)
    return TRUE;
  found = media_probe (asked_kind (device->kind), PATIENCE_MS);
  if (found == NULL)
    return TRUE;
  for (guint i = 0; i < found->len; i++)
    {
      MediaProbed *probed = g_ptr_array_index (found, i);
      if (probed->role == wanted && g_str_equal (probed->name, device->name))
        return TRUE;
    }
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "no %s device %s:%s", media_role_to_string (wanted),
               kind, device->name);
  return FALSE;
}

static void
put (GHashTable *to, const char *key, const char *value)
{
  g_hash_table_insert (to, g_strdup (key), g_strdup (value));
}

static void
list_kind (GPtrArray *list, MediaDeviceKind asked, MediaDeviceKind driver)
{
  g_autoptr (GPtrArray) found = media_probe (asked, PATIENCE_MS);

  for (guint i = 0; found != NULL && i < found->len; i++)
    {
      MediaProbed *probed = g_ptr_array_index (found, i);
      g_autofree char *id = g_strconcat (media_device_kind_to_string (driver), ":", probed->name, NULL);
      GHashTable *entry;

      if (probed->is_monitor)
        continue;
      entry = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
      put (entry, "id", id);
      put (entry, "name", probed->description);
      put (entry, "role", media_role_to_string (probed->role));
      put (entry, "driver", media_device_kind_to_string (driver));
      put (entry, "default", probed->is_default ? "true" : "false");
      g_ptr_array_add (list, entry);
    }
}

GPtrArray *
media_probe_list (void)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);

  if (media_device_is_present (MEDIA_ROLE_OUTPUT, MEDIA_DEVICE_PULSE))
    list_kind (list, MEDIA_DEVICE_PULSE,
               media_device_pulse_is_pipewire () ? MEDIA_DEVICE_PIPEWIRE : MEDIA_DEVICE_PULSE);
  else if (media_device_is_present (MEDIA_ROLE_OUTPUT, MEDIA_DEVICE_PIPEWIRE))
    list_kind (list, MEDIA_DEVICE_PIPEWIRE, MEDIA_DEVICE_PIPEWIRE);
  if (media_device_is_present (MEDIA_ROLE_OUTPUT, MEDIA_DEVICE_ALSA)
      || media_device_is_present (MEDIA_ROLE_INPUT, MEDIA_DEVICE_ALSA))
    list_kind (list, MEDIA_DEVICE_ALSA, MEDIA_DEVICE_ALSA);
  return list;
}
