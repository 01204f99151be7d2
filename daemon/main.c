/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Builds configuration -> registry -> signalling, media -> bus, and wires them through PhonePorts. The only file that sees every
 * module; no policy stands here. */

#include <glib-unix.h>
#include <gio/gio.h>
#include <locale.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "address-book.h"
#include "bus/bus.h"
#include "config.h"
#include "desktop-dnd.h"
#include "core/registry.h"
#include "log.h"
#include "media/media.h"
#include "media/media-thread.h"
#include "notify.h"
#include "realtime.h"
#include "shutdown.h"
#include "sip/ua-clock.h"
#include "sip/ua-platform.h"
#include "sip/ua.h"
#include "store/vault.h"
#include "store/store.h"
#include "util/log.h"

#define ENGINE_STOP_MS 1500
#define TRIM_AFTER_S 40

typedef struct
{
  GMainLoop *loop;
  PhoneConfigDirs *dirs;
  PhoneConfig *config;
  PhoneConfigStore *store;
  AddressBook *book;
  GPtrArray *book_problems;
  StoreVault *vault;
  PhoneRegistry *registry;
  UaEngine *ua;
  MediaEngine *media;
  Store *archive;
  DesktopDnd *desktop;
  Realtime *realtime;
  GFileMonitor *zone;
  Bus *bus;
  Shutdown *shutdown;
  GStrv problems;
  GNetworkMonitor *monitor;
  guint network_settle;
  gboolean engine_stopped;
  guint trim;
  int exit_status;
} Daemon;

/* ---- configuration ---- */

static void
log_problems (const GPtrArray *problems)
{
  for (guint i = 0; i < problems->len; i++)
    phone_log_warning (NULL, "Configuration: %s", (const char *) problems->pdata[i]);
}

/* Those of the settings, then those of the contacts. */
static void
publish_problems (Daemon *self)
{
  const GPtrArray *const parts[] = { self->config->problems, self->book_problems };
  g_autoptr (GStrvBuilder) all = g_strv_builder_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    for (guint k = 0; k < parts[i]->len; k++)
      g_strv_builder_add (all, parts[i]->pdata[k]);
  g_strfreev (self->problems);
  self->problems = g_strv_builder_end (all);
  if (self->bus)
    bus_problems_changed (self->bus);
}

static void
on_contacts (PhoneContacts *contacts, GPtrArray *problems, gpointer data)
{
  Daemon *self = data;

  phone_log_info (NULL, "%u contacts", phone_contacts_count (contacts));
  phone_registry_set_contacts (self->registry, contacts);
  g_ptr_array_unref (self->book_problems);
  self->book_problems = problems;
  log_problems (problems);
  publish_problems (self);
}

static void
add_account (Daemon *self, const PhoneAccountSettings *settings)
{
  g_autoptr (GError) error = NULL;

  if (!phone_registry_add_account (self->registry, settings, FALSE, &error))
    phone_log_warning (NULL, "Account %s: %s", settings->id, error->message);
}

static void
apply_retention (Daemon *self)
{
  const PhoneDaemonSettings *settings = self->config->daemon;

  store_vault_set_limits (self->vault, PHONE_RECORDING_CALL, settings->record_days, (guint64) settings->record_megabytes * 1000000);
  /* A box that is full says so and deletes nothing. */
  store_vault_set_limits (self->vault, PHONE_RECORDING_VOICEMAIL, settings->voicemail_days, 0);
}

/* Running calls and accounts that did not change are left alone. What is wrong in a file shows in Problems and costs nothing else. */
static void
reload (Daemon *self)
{
  g_autoptr (PhoneConfigDiff) diff = NULL;
  g_autoptr (GPtrArray) running = g_ptr_array_new ();
  GPtrArray *accounts = phone_registry_get_accounts (self->registry);

  notify_reloading ();
  for (guint i = 0; i < accounts->len; i++)
    g_ptr_array_add (running, (gpointer) phone_account_get_settings (g_ptr_array_index (accounts, i)));
  phone_config_free (self->config);
  self->config = phone_config_load (self->dirs);
  diff = phone_config_diff (running, self->config);
  phone_registry_set_settings (self->registry, self->config->daemon);
  ua_engine_settings_changed (self->ua);
  media_engine_set_settings (self->media, self->config->daemon);
  apply_retention (self);
  for (gsize i = 0; diff->removed[i]; i++)
    {
      PhoneAccount *account = phone_registry_find_account (self->registry, diff->removed[i]);

      if (account)
        phone_registry_remove_account (self->registry, account, FALSE, NULL);
    }
  for (gsize i = 0; diff->changed[i]; i++)
    {
      PhoneAccount *account = phone_registry_find_account (self->registry, diff->changed[i]);

      if (account)
        phone_account_reload (account, phone_config_find_account (self->config, diff->changed[i]));
    }
  /* The files of passwords are no settings: they may have changed alone. */
  for (guint i = 0; i < accounts->len; i++)
    phone_account_check_password (g_ptr_array_index (accounts, i));
  for (gsize i = 0; diff->added[i]; i++)
    add_account (self, phone_config_find_account (self->config, diff->added[i]));
  log_problems (self->config->problems);
  address_book_read (self->book);
  notify_ready ();
}

/* ---- what the bus asks ---- */

static void
on_bus_ready (gpointer data)
{
  notify_ready ();
  phone_log_info (NULL, "Ready");
}

static void
on_bus_lost (const char *why, gpointer data)
{
  Daemon *self = data;

  self->exit_status = EXIT_FAILURE;
  shutdown_begin (self->shutdown, why);
}

static gboolean
on_bus_reload (gpointer data, GError **error)
{
  reload (data);
  return TRUE;
}

static const char *const *
on_bus_problems (gpointer data)
{
  Daemon *self = data;

  return (const char *const *) self->problems;
}

static const BusHooks bus_hooks = {
  .ready = on_bus_ready,
  .lost = on_bus_lost,
  .reload = on_bus_reload,
  .problems = on_bus_problems,
};

/* ---- signals and the outside world ---- */

static gboolean
on_terminate (gpointer data)
{
  Daemon *self = data;

  shutdown_begin (self->shutdown, "signal");
  return G_SOURCE_CONTINUE;
}

static gboolean
on_hangup (gpointer data)
{
  reload (data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_network_settled (gpointer data)
{
  Daemon *self = data;
  GNetworkConnectivity connectivity = g_network_monitor_get_connectivity (self->monitor);

  self->network_settle = 0;
  phone_registry_set_network (self->registry, !g_network_monitor_get_network_available (self->monitor)
                                                  ? PHONE_NETWORK_OFFLINE
                                              : connectivity == G_NETWORK_CONNECTIVITY_LOCAL ? PHONE_NETWORK_LOCAL
                                                                                             : PHONE_NETWORK_ONLINE);
  ua_engine_network_changed (self->ua);
  return G_SOURCE_REMOVE;
}

/* Addresses come and go in bursts (router advertisements, DHCP): one look when it is quiet. */
static void
on_network_changed (GNetworkMonitor *monitor, gboolean available, Daemon *self)
{
  if (!self->network_settle)
    self->network_settle = g_timeout_add (300, on_network_settled, self);
}

/* After suspend the server has forgotten us and the network may be another one; after a step of the wall clock alone nothing has happened. */
static void
on_wake (gint64 slept, gpointer data)
{
  Daemon *self = data;

  if (slept <= 0)
    return;
  phone_log_notice (NULL, "Awake after %" G_GINT64_FORMAT " s of suspend", slept / G_USEC_PER_SEC);
  ua_engine_network_changed (self->ua);
  phone_dnd_on_time_changed (phone_registry_get_dnd (self->registry));
}

static void
on_device_lost (const char *role, const char *device, gpointer data)
{
  Daemon *self = data;

  if (self->bus)
    bus_device_lost (self->bus, device);
  phone_registry_audio_changed (self->registry);
}

static void
on_fader (PhoneFader fader, guint value, gpointer data)
{
  Daemon *self = data;

  phone_registry_set_fader (self->registry, fader, value);
}

/* ---- do not disturb ---- */

static void
on_desktop (gboolean active, gpointer data)
{
  Daemon *self = data;

  phone_dnd_on_desktop (phone_registry_get_dnd (self->registry), active);
}

/* The desktop is only looked at while it is to be followed. */
static void
on_dnd_changed (PhoneDnd *dnd, guint mask, Daemon *self)
{
  gboolean follow = phone_dnd_get_follow_desktop (dnd);

  if (follow && !self->desktop)
    self->desktop = desktop_dnd_new (on_desktop, self);
  else if (!follow)
    g_clear_pointer (&self->desktop, desktop_dnd_free);
}

static void
on_zone_changed (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, Daemon *self)
{
  phone_dnd_on_time_changed (phone_registry_get_dnd (self->registry));
}

static void
watch_time (Daemon *self)
{
  g_autoptr (GFile) zone = g_file_new_for_path ("/etc/localtime");
  PhoneDnd *dnd = phone_registry_get_dnd (self->registry);

  self->zone = g_file_monitor_file (zone, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
  if (self->zone)
    g_signal_connect (self->zone, "changed", G_CALLBACK (on_zone_changed), self);
  g_signal_connect (dnd, "changed", G_CALLBACK (on_dnd_changed), self);
  on_dnd_changed (dnd, 0, self);
}

static void
on_archive_fault (const char *text, guint waiting, gpointer data)
{
  Daemon *self = data;

  phone_history_on_fault (phone_registry_get_history (self->registry), text, waiting);
}

static const StoreEvents archive_events = { .fault = on_archive_fault };

/* The transactions of the last call are over by now (64 * T1, RFC 3261 section 17): what they and the call used goes back to the system, once,
 * so that a phone that was busy in the morning is small in the afternoon. */
static gboolean
on_long_idle (gpointer data)
{
  Daemon *self = data;

  self->trim = 0;
  malloc_trim (0);
  return G_SOURCE_REMOVE;
}

static void
on_state_changed (PhoneRegistry *registry, guint mask, Daemon *self)
{
  if (!(mask & PHONE_REGISTRY_STATE))
    return;
  g_clear_handle_id (&self->trim, g_source_remove);
  if (phone_registry_get_state (registry) == PHONE_DAEMON_IDLE)
    self->trim = g_timeout_add_seconds (TRIM_AFTER_S, on_long_idle, self);
  notify_status ("%s", phone_daemon_state_to_string (phone_registry_get_state (registry)));
}

/* ---- life ---- */

static gboolean
build (Daemon *self, GError **error)
{
  PhonePorts ports = { 0 };
  g_autofree char *recordings = NULL;
  g_autofree char *archive_path = NULL;

  self->book_problems = g_ptr_array_new ();
  if (!ua_platform_init (error))
    return FALSE;
  self->dirs = phone_config_dirs_new ();
  self->config = phone_config_load (self->dirs);
  self->store = phone_config_store_new (self->dirs);
  recordings = g_build_filename (self->dirs->state, "recordings", NULL);
  self->vault = store_vault_new (recordings, self->dirs->credentials);
  apply_retention (self);
  self->registry = phone_registry_new (self->config->daemon);
  self->ua = ua_engine_new (self->registry, NULL, error);
  if (!self->ua)
    return FALSE;
  self->realtime = realtime_new ();
  media_thread_set_broker (realtime_want, self->realtime);
  self->media = media_engine_new (self->config->daemon, error);
  if (!self->media)
    return FALSE;
  media_engine_on_device_lost (self->media, on_device_lost, self);
  media_engine_on_fader (self->media, on_fader, self);
  archive_path = g_build_filename (self->dirs->state, "phone.db", NULL);
  self->archive = store_new (archive_path, &archive_events, self);
  ports = (PhonePorts){
    .sig = &ua_signalling_ops,
    .ua = self->ua,
    .media = &media_ops,
    .engine = self->media,
    .store = &phone_config_store_ops,
    .store_data = self->store,
    .vault = &store_vault_ops,
    .vault_data = self->vault,
    .archive = &store_archive_ops,
    .archive_data = self->archive,
  };
  phone_registry_set_ports (self->registry, &ports);
  self->book = address_book_new (self->dirs, on_contacts, self);
  address_book_read (self->book);
  phone_registry_restore_choices (self->registry);
  g_signal_connect (self->registry, "changed", G_CALLBACK (on_state_changed), self);
  self->shutdown = shutdown_new (self->loop, self->registry);
  self->bus = bus_new (self->registry, &bus_hooks, self, error);
  return self->bus != NULL;
}

static void
start (Daemon *self)
{
  log_problems (self->config->problems);
  publish_problems (self);
  for (guint i = 0; i < self->config->accounts->len; i++)
    add_account (self, g_ptr_array_index (self->config->accounts, i));
  watch_time (self);
  ua_clock_set_wake (on_wake, self);
  self->monitor = g_network_monitor_get_default ();
  g_signal_connect (self->monitor, "network-changed", G_CALLBACK (on_network_changed), self);
}

static void
on_engine_stopped (gpointer data)
{
  Daemon *self = data;

  self->engine_stopped = TRUE;
  g_main_loop_quit (self->loop);
}

static void
tear_down (Daemon *self)
{
  g_clear_handle_id (&self->network_settle, g_source_remove);
  g_clear_handle_id (&self->trim, g_source_remove);
  g_clear_pointer (&self->book, address_book_free);
  ua_clock_set_wake (NULL, NULL);
  if (self->monitor)
    g_signal_handlers_disconnect_by_data (self->monitor, self);
  g_clear_pointer (&self->bus, bus_free);
  if (self->ua)
    {
      ua_engine_stop (self->ua, ENGINE_STOP_MS, on_engine_stopped, self);
      /* A signal quits the loop too, but the engine cannot be freed earlier; ENGINE_STOP_MS is not long. */
      while (!self->engine_stopped)
        g_main_loop_run (self->loop);
    }
  g_clear_pointer (&self->desktop, desktop_dnd_free);
  if (self->zone)
    g_signal_handlers_disconnect_by_data (self->zone, self);
  g_clear_object (&self->zone);
  if (self->registry)
    {
      g_signal_handlers_disconnect_by_data (phone_registry_get_dnd (self->registry), self);
      g_signal_handlers_disconnect_by_data (self->registry, self);
    }
  /* The last calls have ended: what they leave is written, and every callback of the archive has fired. */
  if (self->archive)
    store_close (self->archive);
  /* The engine borrows the registry; the calls that linger in the registry hold media. */
  g_clear_pointer (&self->ua, ua_engine_free);
  g_clear_pointer (&self->shutdown, shutdown_free);
  g_clear_object (&self->registry);
  g_clear_pointer (&self->archive, store_free);
  g_clear_pointer (&self->media, media_engine_free);
  media_thread_set_broker (NULL, NULL);
  g_clear_pointer (&self->realtime, realtime_free);
  g_clear_pointer (&self->vault, store_vault_free);
  g_clear_pointer (&self->store, phone_config_store_free);
  g_clear_pointer (&self->config, phone_config_free);
  g_clear_pointer (&self->dirs, phone_config_dirs_free);
  g_strfreev (self->problems);
  g_ptr_array_unref (self->book_problems);
}

static gboolean
parse_arguments (int *argc, char ***argv, GLogLevelFlags *ret_level, int *ret_status)
{
  gboolean version = FALSE;
  g_autofree char *level = NULL;
  const GOptionEntry entries[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL },
    { "log-level", 0, 0, G_OPTION_ARG_STRING, &level, "error, warning, notice (default), info or debug", "LEVEL" },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context, "A headless SIP softphone; started by systemd (phoned.service), driven by phonectl.");
  g_option_context_add_main_entries (context, entries, NULL);
  *ret_status = EXIT_SUCCESS;
  if (!g_option_context_parse (context, argc, argv, &error))
    {
      g_printerr ("phoned: %s\n", error->message);
      *ret_status = 2;
      return FALSE;
    }
  if (*argc > 1)
    {
      g_printerr ("phoned: takes no arguments, found '%s'\n", (*argv)[1]);
      *ret_status = 2;
      return FALSE;
    }
  if (version)
    {
      g_print ("phoned %s\n", PHONED_VERSION);
      return FALSE;
    }
  if (level && !log_level_from_string (level, ret_level))
    {
      g_printerr ("phoned: --log-level=%s: error, warning, notice, info or debug\n", level);
      *ret_status = 2;
      return FALSE;
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  Daemon self = { .exit_status = EXIT_SUCCESS };
  GLogLevelFlags level = G_LOG_LEVEL_MESSAGE;
  g_autoptr (GError) error = NULL;
  guint sources[4] = { 0 };

  setlocale (LC_ALL, "");
  /* Keys and passwords are in memory: no core dumps, no ptrace by others of the same user. */
  prctl (PR_SET_DUMPABLE, 0);
  if (!parse_arguments (&argc, &argv, &level, &self.exit_status))
    return self.exit_status;
  log_init (level);
  self.loop = g_main_loop_new (NULL, FALSE);

  if (build (&self, &error))
    {
      sources[0] = g_unix_signal_add (SIGTERM, on_terminate, &self);
      sources[1] = g_unix_signal_add (SIGINT, on_terminate, &self);
      sources[2] = g_unix_signal_add (SIGHUP, on_hangup, &self);
      sources[3] = notify_start_watchdog ();
      start (&self);
      g_main_loop_run (self.loop);
    }
  else
    {
      g_log_structured ("phoned", G_LOG_LEVEL_CRITICAL, "MESSAGE", "Cannot start: %s", error->message);
      self.exit_status = EXIT_FAILURE;
    }
  tear_down (&self);
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    if (sources[i])
      g_source_remove (sources[i]);
  g_main_loop_unref (self.loop);
  return self.exit_status;
}
