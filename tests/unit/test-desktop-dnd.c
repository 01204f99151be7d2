/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The desktop's switch as GNOME and as KDE have it: a setting, and a property of the notification server on a bus of the test's own. */

#include <gio/gio.h>
#include <glib/gstdio.h>

#include "desktop-dnd.h"

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"

static const char schema[]
    = "<schemalist><schema id='org.gnome.desktop.notifications' path='/org/gnome/desktop/notifications/'>"
      "<key name='show-banners' type='b'><default>true</default></key></schema></schemalist>";

static gboolean active, inhibited;
static guint told;

static void
on_changed (gboolean now, gpointer data)
{
  active = now;
  told++;
}

static void
wait_until (gboolean wanted)
{
  while (active != wanted || told == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_gnome (void)
{
  g_autoptr (GSettings) settings = g_settings_new ("org.gnome.desktop.notifications");
  DesktopDnd *desktop;

  told = 0;
  desktop = desktop_dnd_new (on_changed, NULL);
  wait_until (FALSE);
  g_settings_set_boolean (settings, "show-banners", FALSE);
  wait_until (TRUE);
  g_settings_set_boolean (settings, "show-banners", TRUE);
  wait_until (FALSE);
  desktop_dnd_free (desktop);
}

static GVariant *
get_property (GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *name, GError **error, gpointer data)
{
  return g_variant_new_boolean (inhibited);
}

static const GDBusInterfaceVTable vtable = { .get_property = get_property };

static void
set_inhibited (GDBusConnection *bus, gboolean now)
{
  GVariantBuilder changed;

  inhibited = now;
  g_variant_builder_init (&changed, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&changed, "{sv}", "Inhibited", g_variant_new_boolean (now));
  g_dbus_connection_emit_signal (bus, NULL, PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                 g_variant_new ("(sa{sv}as)", NAME, &changed, NULL), NULL);
}

/* The server comes after us, tells, and goes. */
static void
test_kde (void)
{
  g_autoptr (GDBusNodeInfo) info = g_dbus_node_info_new_for_xml (
      "<node><interface name='" NAME "'><property name='Inhibited' type='b' access='read'/></interface></node>", NULL);
  g_autoptr (GDBusConnection) bus = g_dbus_connection_new_for_address_sync (
      g_getenv ("DBUS_SESSION_BUS_ADDRESS"), G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, NULL);
  DesktopDnd *desktop;
  guint object, owner;

  told = 0;
  desktop = desktop_dnd_new (on_changed, NULL);
  wait_until (FALSE);
  inhibited = TRUE;
  object = g_dbus_connection_register_object (bus, PATH, info->interfaces[0], &vtable, NULL, NULL, NULL);
  owner = g_bus_own_name_on_connection (bus, NAME, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
  wait_until (TRUE);
  set_inhibited (bus, FALSE);
  wait_until (FALSE);
  set_inhibited (bus, TRUE);
  wait_until (TRUE);
  g_bus_unown_name (owner);
  wait_until (FALSE);
  desktop_dnd_free (desktop);
  g_dbus_connection_unregister_object (bus, object);
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = g_dir_make_tmp ("phoned-schema-XXXXXX", NULL);
  g_autofree char *source = g_build_filename (folder, "t.gschema.xml", NULL), *compiled = g_build_filename (folder, "gschemas.compiled", NULL);
  const char *compile[] = { "glib-compile-schemas", folder, NULL };
  GTestDBus *bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  int status;

  g_assert_true (g_file_set_contents (source, schema, -1, NULL));
  g_assert_true (g_spawn_sync (NULL, (char **) compile, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL) && status == 0);
  g_setenv ("GSETTINGS_SCHEMA_DIR", folder, TRUE);
  g_setenv ("GSETTINGS_BACKEND", "memory", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_dbus_up (bus);
  g_test_add_func ("/desktop-dnd/gnome", test_gnome);
  g_test_add_func ("/desktop-dnd/kde", test_kde);
  status = g_test_run ();
  g_test_dbus_stop (bus);
  g_object_unref (bus);
  g_unlink (source);
  g_unlink (compiled);
  g_rmdir (folder);
  return status;
}
