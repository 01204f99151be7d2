/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "harness.h"

#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip/ua-platform.h"
#include "sip/ua-tls.h"

#define WATCHDOG_US (40 * G_USEC_PER_SEC)       /* SIP's own time-outs are 32 s */

/* ---- waiting ---- */

gint64
harness_deadline (void)
{
  return g_get_monotonic_time () + WATCHDOG_US;
}

static gboolean
on_tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

void
harness_turn (gint64 deadline, const char *condition, const char *file, int line)
{
  static guint tick;

  /* The loop must wake up for the watchdog even when nothing happens. */
  if (!tick)
    tick = g_timeout_add (500, on_tick, NULL);
  if (g_get_monotonic_time () > deadline)
    g_error ("%s:%d: watchdog while waiting for %s", file, line, condition);
  g_main_context_iteration (NULL, TRUE);
}

void
harness_settle (void)
{
  for (int i = 0; i < 50; i++)
    while (g_main_context_iteration (NULL, FALSE))
      ;
}

/* ---- media ---- */

struct _PhoneMedia
{
  Agent *agent;
  guint16 port;
};

static PhoneMedia *
media_new (gpointer engine, PhoneCall *call, const PhoneMediaParams *params, const PhoneMediaEvents *events, GError **error)
{
  Agent *agent = engine;
  PhoneMedia *media = g_new0 (PhoneMedia, 1);

  media->agent = agent;
  media->port = agent->next_port;
  agent->next_port += 2;
  agent->n_media_open++;
  agent->media_ip6 = params->ipv6;
  return media;
}

static void
media_ports (PhoneMedia *media, guint16 *ret_rtp, guint16 *ret_rtcp)
{
  *ret_rtp = media->port;
  *ret_rtcp = media->port;
}

static gboolean
media_apply (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error)
{
  media->agent->n_applied++;
  media->agent->peer_ice = plan->ice;
  return TRUE;
}

/* One candidate, and no checks. */
static gboolean
media_ice (PhoneMedia *media, PhoneIceDesc *ret_local, char **ret_address)
{
  if (!media->agent->ice)
    return FALSE;
  *ret_local = (PhoneIceDesc) {
    .ufrag = "ours", .pwd = "0123456789abcdefghijkl", .n_candidates = 1,
    .candidates = { { .foundation = "1", .component = 1, .priority = 1, .address = "127.20.3.1", .port = media->port } },
  };
  *ret_address = g_strdup ("127.20.3.1");
  return TRUE;
}

static PhoneIceState
media_ice_state (PhoneMedia *media)
{
  return media->agent->ice ? PHONE_ICE_CHECKING : PHONE_ICE_OFF;
}

static void media_ice_nothing (PhoneMedia *media) { }
static gboolean media_ice_renew (PhoneMedia *media, const PhoneIceParams *params, GError **error) { return TRUE; }

static gboolean
media_ice_trickle (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error)
{
  media->agent->n_trickled++;
  media->agent->peer_ice = plan->ice;
  return TRUE;
}

static void media_set_flag (PhoneMedia *media, gboolean flag) { }
static void media_set_tone (PhoneMedia *media, PhoneTone tone) { }

static gboolean
media_send_dtmf (PhoneMedia *media, const char *digits, guint ms, GError **error)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no telephone events here");
  return FALSE;
}

static gboolean media_report (PhoneMedia *media, PhoneMediaReport *ret_report) { return FALSE; }

static void
media_free (PhoneMedia *media)
{
  if (media)
    media->agent->n_media_open--;
  g_free (media);
}

static PhoneRoom *room_new (gpointer engine, PhoneRoomFailed failed, gpointer data) { return g_malloc0 (1); }
static void room_free (PhoneRoom *room) { g_free (room); }
static void room_set (PhoneRoom *room, gboolean muted, gboolean away) { }
static void media_set_room (PhoneMedia *media, PhoneRoom *room) { }

static void set_ring (gpointer engine, PhoneTone tone, const char *country, const char *sound) { }

static const PhoneMediaOps media_ops = {
  .media_new = media_new,
  .media_ports = media_ports,
  .media_ice = media_ice,
  .media_ice_state = media_ice_state,
  .media_ice_restart = media_ice_nothing,
  .media_ice_trickle = media_ice_trickle,
  .media_ice_renew = media_ice_renew,
  .media_ice_drop = media_ice_nothing,
  .media_apply = media_apply,
  .media_set_muted = media_set_flag,
  .media_set_attached = media_set_flag,
  .media_set_tone = media_set_tone,
  .media_send_dtmf = media_send_dtmf,
  .media_report = media_report,
  .media_free = media_free,
  .media_set_room = media_set_room,
  .media_set_voice = media_set_flag,
  .room_new = room_new,
  .room_free = room_free,
  .room_set = room_set,
  .set_ring = set_ring,
};

/* ---- storage ---- */

static gboolean account_save (gpointer store, const PhoneAccountSettings *settings, GError **error) { return TRUE; }
static gboolean account_delete (gpointer store, const char *id, GError **error) { return TRUE; }

static PhoneSecret *
secret_load (gpointer store, const PhoneAccountSettings *settings, GError **error)
{
  Agent *agent = store;

  return agent->password ? phone_secret_new (agent->password, -1) : NULL;
}

static gboolean secret_save (gpointer store, const char *id, PhoneSecret *secret, GError **error) { return TRUE; }

static const PhoneStoreOps store_ops = {
  .account_save = account_save,
  .account_delete = account_delete,
  .secret_load = secret_load,
  .secret_save = secret_save,
};

/* ---- scripts ---- */

static void
on_dtmf (PhoneCall *call, guint digit, guint ms, const char *method, Agent *agent)
{
  g_string_append_c (agent->digits, (char) digit);
}

static void
on_changed (PhoneCall *call, guint mask, Agent *agent)
{
  if (mask & PHONE_CALL_FIELD_STATE)
    switch (phone_call_get_state (call))
      {
      case PHONE_CALL_ALERTING:
        agent->n_alerting++;
        break;
      case PHONE_CALL_ACTIVE:
        agent->n_active++;
        break;
      case PHONE_CALL_HELD:
        agent->n_held++;
        break;
      case PHONE_CALL_DISCONNECTED:
        agent->n_ended++;
        break;
      case PHONE_CALL_DIALING:
      case PHONE_CALL_INCOMING:
      case PHONE_CALL_WAITING:
      case PHONE_CALL_DISCONNECTING:
        break;
      }
  if (agent->script.hangup_on_active && (mask & PHONE_CALL_FIELD_STATE) && phone_call_get_state (call) == PHONE_CALL_ACTIVE)
    phone_call_hangup (call, NULL);
  if (agent->script.on_call_changed)
    agent->script.on_call_changed (agent, call, mask);
}

static gboolean
on_act (gpointer data)
{
  PhoneCall *call = data;
  Agent *agent = g_object_get_data (G_OBJECT (call), "agent");
  g_autoptr (GError) error = NULL;

  if (phone_call_get_state (call) != PHONE_CALL_INCOMING && phone_call_get_state (call) != PHONE_CALL_WAITING)
    return G_SOURCE_REMOVE;
  if (agent->script.answer)
    phone_call_answer (call, TRUE, NULL, NULL, &error);
  else if (agent->script.reject != PHONE_CAUSE_NONE)
    phone_call_reject (call, agent->script.reject, &error);
  g_assert_no_error (error);
  return G_SOURCE_REMOVE;
}

static void
on_call_added (PhoneRegistry *registry, PhoneCall *call, Agent *agent)
{
  g_ptr_array_add (agent->calls, g_object_ref (call));
  g_object_set_data (G_OBJECT (call), "agent", agent);
  g_signal_connect (call, "changed", G_CALLBACK (on_changed), agent);
  g_signal_connect (call, "dtmf", G_CALLBACK (on_dtmf), agent);
  if (phone_call_get_direction (call) != PHONE_CALL_INBOUND)
    return;
  agent->n_incoming++;
  g_idle_add_full (G_PRIORITY_DEFAULT, on_act, g_object_ref (call), g_object_unref);
}

/* ---- agents ---- */

Agent *
agent_new (const char *bind, ...)
{
  Agent *agent = g_new0 (Agent, 1);
  g_autoptr (GError) error = NULL;
  const char *key;
  va_list pairs;

  agent->settings = phone_daemon_settings_new ();
  phone_daemon_settings_set (agent->settings, "sip", "bind", bind, &error);
  g_assert_no_error (error);
  phone_daemon_settings_set (agent->settings, "sip", "trace", g_getenv ("SIP_TRACE") ? "true" : "false", &error);
  g_assert_no_error (error);
  va_start (pairs, bind);
  while ((key = va_arg (pairs, const char *)))
    {
      g_auto (GStrv) parts = g_strsplit (key, ".", 2);

      phone_daemon_settings_set (agent->settings, parts[0], parts[1], va_arg (pairs, const char *), &error);
      g_assert_no_error (error);
    }
  va_end (pairs);
  agent->calls = g_ptr_array_new_with_free_func (g_object_unref);
  agent->digits = g_string_new (NULL);
  agent->next_port = 20000;
  agent->registry = phone_registry_new (agent->settings);
  agent->ua = ua_engine_new (agent->registry, NULL, &error);
  g_assert_no_error (error);
  agent->ports = (PhonePorts){
    .sig = &ua_signalling_ops, .ua = agent->ua, .media = &media_ops, .engine = agent, .store = &store_ops, .store_data = agent,
  };
  phone_registry_set_ports (agent->registry, &agent->ports);
  g_signal_connect (agent->registry, "call-added", G_CALLBACK (on_call_added), agent);
  return agent;
}

static void
on_stopped (gpointer data)
{
  *(gboolean *) data = TRUE;
}

void
agent_free (Agent *agent)
{
  gboolean closed = FALSE;

  phone_registry_stop (agent->registry, 3000, on_stopped, &agent->stopped);
  wait_for (agent->stopped);
  ua_engine_stop (agent->ua, 1000, on_stopped, &closed);
  wait_for (closed);
  for (guint i = 0; i < agent->calls->len; i++)
    g_signal_handlers_disconnect_by_data (g_ptr_array_index (agent->calls, i), agent);
  g_ptr_array_unref (agent->calls);
  g_object_unref (agent->registry);
  ua_engine_free (agent->ua);
  phone_daemon_settings_free (agent->settings);
  g_string_free (agent->digits, TRUE);
  g_free (agent->password);
  g_free (agent);
  ua_tls_flush ();
}

PhoneAccount *
agent_add_account (Agent *agent, const char *id, ...)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneAccountSettings) settings = phone_account_settings_new (id, &error);
  PhoneAccount *account;
  const char *key;
  va_list pairs;

  g_assert_no_error (error);
  va_start (pairs, id);
  while ((key = va_arg (pairs, const char *)))
    {
      phone_account_settings_set (settings, key, va_arg (pairs, const char *), &error);
      g_assert_no_error (error);
    }
  va_end (pairs);
  account = phone_registry_add_account (agent->registry, settings, FALSE, &error);
  g_assert_no_error (error);
  return account;
}

PhoneCall *
agent_dial (Agent *agent, const char *target)
{
  g_autoptr (GError) error = NULL;
  PhoneDialOptions options = { 0 };
  PhoneCall *call = phone_registry_dial (agent->registry, target, &options, &error);

  g_assert_no_error (error);
  return call;
}

PhoneCall *
agent_call (Agent *agent, guint index)
{
  return index < agent->calls->len ? g_ptr_array_index (agent->calls, index) : NULL;
}

/* A loopback of our own, so that two runs at the same time (and a phone on port 5060) do not get in each other's way. Where the
 * kernel does not let us, the addresses of this machine's loopback must do. */
static gboolean isolated;

static void
isolate (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
  int fd;

  if (unshare (CLONE_NEWNET) < 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) < 0)
    return;
  fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ioctl (fd, SIOCSIFFLAGS, &request), ==, 0);
  close (fd);
  isolated = TRUE;
}

gboolean
harness_set_resolver (const char *address)
{
  g_autofree char *path = NULL;
  g_autofree char *text = g_strdup_printf ("nameserver %s\n", address);
  static gboolean mounted;
  gboolean ok;

  if (mounted)
    {
      /* in place: a mount is not replaced by renaming */
      FILE *file = fopen ("/etc/resolv.conf", "w");
      ok = file && fputs (text, file) >= 0;
      return file && fclose (file) == 0 && ok;
    }

  int fd = isolated ? g_file_open_tmp ("resolv-XXXXXX", &path, NULL) : -1;

  if (fd < 0)
    return FALSE;
  close (fd);
  ok = g_file_set_contents (path, text, -1, NULL) && unshare (CLONE_NEWNS) == 0
       && mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 && mount (path, "/etc/resolv.conf", "none", MS_BIND, NULL) == 0;
  unlink (path);
  mounted = ok;
  return ok;
}

gboolean
harness_ip (const char *arguments)
{
  g_autofree char *command = g_strconcat ("ip ", arguments, NULL);
  int status;

  return isolated && g_spawn_command_line_sync (command, NULL, NULL, &status, NULL) && g_spawn_check_wait_status (status, NULL);
}

void
harness_init (int *argc, char ***argv)
{
  g_autoptr (GError) error = NULL;

  isolate ();
  g_test_init (argc, argv, NULL);
  /* failures are what many tests are about, and they are logged as warnings */
  g_log_set_always_fatal ((GLogLevelFlags) (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
  ua_platform_init (&error);
  g_assert_no_error (error);
}
