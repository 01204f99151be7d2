/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "desktop-dnd.h"

#include <gio/gio.h>

#define SCHEMA "org.gnome.desktop.notifications"
#define KEY "show-banners"
#define NAME "org.freedesktop.Notifications"

struct _DesktopDnd
{
  GSettings *settings;          /* NULL: no GNOME here */
  GDBusProxy *proxy;            /* NULL: not yet, or no session bus */
  gboolean asking, gone;        /* for the proxy; freed when it has come */
  gboolean active, told;
  void (*changed) (gboolean active, gpointer data);
  gpointer data;
};

static void
tell (DesktopDnd *self)
{
  g_autoptr (GVariant) inhibited = self->proxy ? g_dbus_proxy_get_cached_property (self->proxy, "Inhibited") : NULL;
  gboolean active = (self->settings && !g_settings_get_boolean (self->settings, KEY))
                    || (inhibited && g_variant_is_of_type (inhibited, G_VARIANT_TYPE_BOOLEAN) && g_variant_get_boolean (inhibited));

  if (self->told && active == self->active)
    return;
  self->told = TRUE;
  self->active = active;
  self->changed (active, self->data);
}

static void
on_setting (GSettings *settings, const char *key, DesktopDnd *self)
{
  tell (self);
}

static void
on_property (GDBusProxy *proxy, GVariant *changed, const char *const *invalidated, DesktopDnd *self)
{
  tell (self);
}

static void
on_proxy (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  GDBusProxy *proxy = g_dbus_proxy_new_for_bus_finish (result, &error);
  DesktopDnd *self = data;

  self->asking = FALSE;
  if (self->gone)
    {
      g_clear_object (&proxy);
      g_free (self);
    }
  if (!proxy)                   /* there is no bus to hear of it from */
    return;
  self->proxy = proxy;
  g_signal_connect (proxy, "g-properties-changed", G_CALLBACK (on_property), self);
  tell (self);
}

DesktopDnd *
desktop_dnd_new (void (*changed) (gboolean active, gpointer data), gpointer data)
{
  DesktopDnd *self = g_new0 (DesktopDnd, 1);
  GSettingsSchemaSource *schemas = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema = schemas ? g_settings_schema_source_lookup (schemas, SCHEMA, TRUE) : NULL;

  self->changed = changed;
  self->data = data;
  if (schema && g_settings_schema_has_key (schema, KEY))
    {
      self->settings = g_settings_new (SCHEMA);
      g_signal_connect (self->settings, "changed::" KEY, G_CALLBACK (on_setting), self);
    }
  /* Looking must not start a notification server. Not to be cancelled: that would spoil the process's connection to the bus for the next one. */
  self->asking = TRUE;
  g_dbus_proxy_new_for_bus (G_BUS_TYPE_SESSION, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, NULL, NAME, "/org/freedesktop/Notifications", NAME,
                            NULL, on_proxy, self);
  tell (self);
  return self;
}

void
desktop_dnd_free (DesktopDnd *self)
{
  if (!self)
    return;
  if (self->settings)
    g_signal_handlers_disconnect_by_data (self->settings, self);
  g_clear_object (&self->settings);
  if (self->proxy)
    g_signal_handlers_disconnect_by_data (self->proxy, self);
  g_clear_object (&self->proxy);
  self->gone = TRUE;
  if (!self->asking)
    g_free (self);
}
