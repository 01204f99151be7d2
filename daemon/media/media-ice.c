/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libnice owns the sockets and reads them on its context, which has a thread here. Its reading loop ends only when a socket is empty, so
 * that thread does nothing else: under a flood what we hear may suffer, what we say does not. Sending goes past libnice where it can: once
 * a pair is selected whose local end is a UDP socket (all but relays), packets are written to that socket by whoever sends, without the
 * agent's lock. Arrival times are the kernel's (SIOCGSTAMPNS): libnice reads no control messages.
 *
 * Two locks: `lock` guards the paths and is held over a non-blocking send; `gate` is held over the callbacks, so that free() returns when
 * the last one has. The agent's lock is libnice's, and is never taken under ours (its signals come with that one released). */

#include "media/media-ice-private.h"

#include <debug.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <string.h>
#include <unistd.h>

#include "media/media-ice-policy.h"

#define EF 0xb8                         /* DSCP 46, as the plain sockets */
#define RECEIVE_BUFFER (256 * 1024)
#define CLOSE_MS 500                    /* for the TURN server to hear that we are gone */
#define IDLE_MS 3000                    /* checks that have no pair left wait this long for the peer's */
#define GUARD_INTERVAL (100 * 1000)     /* us */
#define BUSY_SHARE 0.5                  /* of a core: nothing that a call sends takes that */

PhoneLogFields
media_ice_log_fields (MediaIce *ice)
{
  return (PhoneLogFields) { .call = ice->call_id };
}

MediaIce *
media_ice_ref (MediaIce *ice)
{
  g_atomic_int_inc (&ice->references);
  return ice;
}

void
media_ice_unref (MediaIce *ice)
{
  if (!g_atomic_int_dec_and_test (&ice->references))
    return;
  g_clear_object (&ice->agent);
  media_tunnel_free (ice->tunnel);
  g_source_unref (ice->trickle_end);
  for (guint i = 0; i < MEDIA_ICE_COMPONENTS; i++)
    if (ice->paths[i].fd >= 0)
      close (ice->paths[i].fd);
  g_main_loop_unref (ice->loop);
  g_main_context_unref (ice->context);
  pthread_mutex_destroy (&ice->gate);
  pthread_mutex_destroy (&ice->lock);
  g_free (ice->remote_ufrag);
  g_free (ice->remote_pwd);
  g_free (ice->call_id);
  g_free (ice);
}

/* ---- the thread ---- */

static void
run (gpointer data)
{
  MediaIce *ice = data;

  media_thread_prepare ("media-ice", TRUE);
  g_main_context_push_thread_default (ice->context);
  pthread_mutex_lock (&ice->lock);
  ice->worker = pthread_self ();
  ice->has_worker = TRUE;
  pthread_mutex_unlock (&ice->lock);
  g_main_loop_run (ice->loop);
  pthread_mutex_lock (&ice->lock);
  ice->has_worker = FALSE;
  pthread_mutex_unlock (&ice->lock);
  nice_agent_remove_stream (ice->agent, ice->stream);
  while (g_main_context_iteration (ice->context, FALSE))
    ;
  g_main_context_pop_thread_default (ice->context);
  media_ice_unref (ice);
}

static void
on_agent_closed (GObject *agent, GAsyncResult *result, gpointer data)
{
  MediaIce *ice = data;
  g_main_loop_quit (ice->loop);
  media_ice_unref (ice);
}

static gboolean
on_close_late (gpointer data)
{
  g_main_loop_quit (((MediaIce *) data)->loop);
  return G_SOURCE_REMOVE;
}

static void
attach_timeout (MediaIce *ice, guint ms, GSourceFunc function)
{
  g_autoptr (GSource) source = g_timeout_source_new (ms);
  g_source_set_callback (source, function, ice, NULL);
  g_source_attach (source, ice->context);
}

static gboolean
on_close (gpointer data)
{
  MediaIce *ice = data;

  attach_timeout (ice, CLOSE_MS, on_close_late);
  nice_agent_close_async (ice->agent, on_agent_closed, media_ice_ref (ice));
  return G_SOURCE_REMOVE;
}

void
media_ice_free (MediaIce *ice)
{
  if (ice == NULL)
    return;
  pthread_mutex_lock (&ice->gate);
  ice->closed = TRUE;
  pthread_mutex_unlock (&ice->gate);
  pthread_mutex_lock (&ice->lock);
  for (guint i = 0; i < MEDIA_ICE_COMPONENTS; i++)
    ice->paths[i].open = FALSE;
  pthread_mutex_unlock (&ice->lock);

  GSource *source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, on_close, ice, NULL);
  g_source_attach (source, ice->context);
  /* Before our reference goes: with the last one the context does, and a source is let go under the context's lock. */
  g_source_unref (source);
  media_thread_release (ice->thread);
  media_ice_unref (ice);
}

void
media_ice_guard (MediaIce *ice)
{
  gint64 now = g_get_monotonic_time ();
  struct sched_param ordinary = { 0 };
  clockid_t clock;
  struct timespec cpu;

  pthread_mutex_lock (&ice->lock);
  if (ice->has_worker && !ice->restored && now - ice->guard_at >= GUARD_INTERVAL
      && pthread_getcpuclockid (ice->worker, &clock) == 0 && clock_gettime (clock, &cpu) == 0)
    {
      gint64 used = cpu.tv_sec * G_USEC_PER_SEC + cpu.tv_nsec / 1000;
      if (ice->guard_at != 0 && (double) (used - ice->guard_cpu) > BUSY_SHARE * (double) (now - ice->guard_at))
        ice->restored = pthread_setschedparam (ice->worker, SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary) == 0;       /* see media_thread_restore() */
      ice->guard_at = now;
      ice->guard_cpu = used;
    }
  pthread_mutex_unlock (&ice->lock);
}

/* ---- beginning ---- */

static void
add_addresses (MediaIce *ice, const MediaIceParams *params)
{
  char *list[MEDIA_ICE_MAX_ADDRESSES + 1];
  guint n = media_ice_choose_addresses (params->bind_address, params->local_address, list);

  for (guint i = 0; i < n; i++)
    {
      NiceAddress address;
      nice_address_init (&address);
      if (nice_address_set_from_string (&address, list[i]))
        nice_agent_add_local_address (ice->agent, &address);
      g_free (list[i]);
    }
}

static gboolean
add_servers (MediaIce *ice, const MediaIceParams *params, GError **error)
{
  const PhoneIceServer *turn = params->turn;

  /* libnice takes every answer from the address of a UDP relay for the relay's, and would wait in vain for that to a binding request; the
   * allocation brings the reflexive address along. */
  gboolean one = params->stun != NULL && turn != NULL && turn->transport == PHONE_ICE_SERVER_UDP && params->turn_secret != NULL
                 && g_str_equal (params->stun->host, turn->host) && params->stun->port == turn->port;

  if (params->stun != NULL && !one)
    g_object_set (ice->agent, "stun-server", params->stun->host, "stun-server-port", (guint) params->stun->port, NULL);
  if (turn == NULL || params->turn_user == NULL || params->turn_secret == NULL)
    return TRUE;
  const char *host = turn->host;
  guint port = turn->port;
  if (turn->transport == PHONE_ICE_SERVER_TLS)
    {
      /* libnice has no TLS: its connection ends in the tunnel, which has one to the server. */
      ice->tunnel = media_tunnel_new (turn->host, turn->port, params->tls_ca, params->tls_verify, error);
      if (ice->tunnel == NULL)
        return FALSE;
      host = MEDIA_TUNNEL_ADDRESS;
      port = media_tunnel_get_port (ice->tunnel);
    }
  for (guint c = 1; c <= ice->n_components; c++)
    nice_agent_set_relay_info (ice->agent, ice->stream, c, host, port, params->turn_user, phone_secret_peek (params->turn_secret),
                               turn->transport == PHONE_ICE_SERVER_UDP ? NICE_RELAY_TYPE_TURN_UDP : NICE_RELAY_TYPE_TURN_TCP);
  return TRUE;
}

static void
tune_sockets (MediaIce *ice)
{
  int size = RECEIVE_BUFFER;

  for (guint c = 1; c <= ice->n_components; c++)
    {
      g_autoptr (GPtrArray) sockets = nice_agent_get_sockets (ice->agent, ice->stream, c);
      for (guint i = 0; sockets != NULL && i < sockets->len; i++)
        setsockopt (g_socket_get_fd (g_ptr_array_index (sockets, i)), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
}

static gboolean
start (MediaIce *ice, const MediaIceParams *params, GError **error)
{
  ice->agent = nice_agent_new_full (ice->context, NICE_COMPATIBILITY_RFC5245,
                                    NICE_AGENT_OPTION_REGULAR_NOMINATION | NICE_AGENT_OPTION_CONSENT_FRESHNESS);
  /* What it would print in answer to an environment variable holds passwords. */
  nice_debug_disable (TRUE);
  g_object_set (ice->agent, "ice-tcp", FALSE, "upnp", FALSE, "controlling-mode", params->controlling, "idle-timeout", IDLE_MS, NULL);
  ice->stream = nice_agent_add_stream (ice->agent, ice->n_components);
  nice_agent_set_stream_tos (ice->agent, ice->stream, EF);
  add_addresses (ice, params);
  if (!add_servers (ice, params, error))
    return FALSE;
  for (guint c = 1; c <= ice->n_components; c++)
    nice_agent_set_port_range (ice->agent, ice->stream, c, params->port_first, params->port_last);
  media_ice_listen (ice);
  if (nice_agent_gather_candidates (ice->agent, ice->stream))
    {
      /* Sockets exist now; libnice marks them when they are made, and this reaches those that it does not. */
      nice_agent_set_stream_tos (ice->agent, ice->stream, EF);
      tune_sockets (ice);
      return TRUE;
    }
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no socket for ICE in ports %u-%u at %s", params->port_first,
               params->port_last, params->bind_address != NULL ? params->bind_address : "any address");
  return FALSE;
}

MediaIce *
media_ice_new (const MediaIceParams *params, const MediaIceCallbacks *callbacks, gpointer data, GError **error)
{
  g_return_val_if_fail (params->n_components >= 1 && params->n_components <= MEDIA_ICE_COMPONENTS, NULL);
  MediaIce *ice = g_new0 (MediaIce, 1);

  ice->references = 1;
  ice->callbacks = *callbacks;
  ice->data = data;
  media_mutex_init (&ice->gate);
  media_mutex_init (&ice->lock);
  ice->n_components = ice->in_use = params->n_components;
  ice->call_id = g_strdup (params->call_id);
  for (guint i = 0; i < MEDIA_ICE_COMPONENTS; i++)
    ice->paths[i].fd = -1;
  ice->context = g_main_context_new ();
  ice->loop = g_main_loop_new (ice->context, FALSE);
  ice->trickle_end = media_ice_trickle_end_new (ice);
  ice->trickle_ms = params->trickle_ms != 0 ? params->trickle_ms : MEDIA_ICE_TRICKLE_MS;
  if (params->local_address != NULL)
    media_address_parse (params->local_address, 0, strchr (params->local_address, ':') != NULL ? AF_INET6 : AF_INET,
                         &ice->wanted_default);
  ice->any_loopback = media_ice_is_loopback (params->bind_address != NULL ? params->bind_address : params->local_address);
  if (!start (ice, params, error))
    {
      media_ice_unref (ice);
      return NULL;
    }
  if (!media_ice_is_gathered (ice))
    attach_timeout (ice, MEDIA_ICE_GATHER_MS, media_ice_on_gathering_late);
  ice->thread = media_thread_start ("media-ice", run, media_ice_ref (ice));
  if (ice->thread == NULL)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no thread is left for ICE");
      media_ice_unref (ice);
      media_ice_unref (ice);
      return NULL;
    }
  return ice;
}

gboolean
media_ice_is_gathered (MediaIce *ice)
{
  pthread_mutex_lock (&ice->lock);
  gboolean gathered = ice->gathered;
  pthread_mutex_unlock (&ice->lock);
  return gathered;
}

/* ---- packets and facts ---- */

gboolean
media_ice_send (MediaIce *ice, guint component, const guint8 *data, gsize length)
{
  Path *path = &ice->paths[component - 1];
  gboolean sent = FALSE;

  pthread_mutex_lock (&ice->lock);
  gboolean open = path->open, direct = open && path->fd >= 0;
  if (direct)
    sent = media_socket_send (path->fd, data, length, &path->to);
  pthread_mutex_unlock (&ice->lock);
  /* The agent lives as long as we do; after the end of the session no path is open. */
  if (open && !direct)
    sent = nice_agent_send (ice->agent, ice->stream, component, (guint) length, (const char *) data) == (gint) length;
  return sent;
}

void
media_ice_get_path (MediaIce *ice, MediaIcePath *ret)
{
  gboolean failed = FALSE, connected = TRUE;

  memset (ret, 0, sizeof *ret);
  pthread_mutex_lock (&ice->lock);
  for (guint i = 0; i < ice->in_use; i++)
    {
      failed |= ice->paths[i].state == NICE_COMPONENT_STATE_FAILED;
      connected &= ice->paths[i].open;
    }
  ret->state = !ice->have_remote ? (ice->gathered ? PHONE_ICE_WAITING : PHONE_ICE_GATHERING)
               : failed          ? PHONE_ICE_FAILED
               : connected       ? PHONE_ICE_CONNECTED
                                 : PHONE_ICE_CHECKING;
  memcpy (ret->local, ice->paths[0].local, sizeof ret->local);
  memcpy (ret->remote, ice->paths[0].remote, sizeof ret->remote);
  ret->to = ice->paths[0].to;
  ret->relayed = ice->paths[0].relayed;
  pthread_mutex_unlock (&ice->lock);
}

/* ---- without ICE ---- */

static int
take_socket (MediaIce *ice, guint component, const MediaAddress *address)
{
  g_autoptr (GPtrArray) sockets = nice_agent_get_sockets (ice->agent, ice->stream, component);

  for (guint i = 0; sockets != NULL && i < sockets->len; i++)
    {
      int fd = g_socket_get_fd (g_ptr_array_index (sockets, i));
      MediaAddress bound = { 0 };
      socklen_t length = sizeof bound;
      if (getsockname (fd, &bound.any, &length) == 0 && media_address_equal (&bound, address))
        return fcntl (fd, F_DUPFD_CLOEXEC, 3);
    }
  return -1;
}

gboolean
media_ice_detach (MediaIce *ice, MediaSockets *ret_sockets, GError **error)
{
  MediaAddress defaults[MEDIA_ICE_COMPONENTS];
  MediaSockets sockets = { .rtp = -1, .rtcp = -1 };

  media_ice_get_defaults (ice, defaults);
  sockets.family = defaults[0].any.sa_family;
  sockets.rtp = take_socket (ice, 1, &defaults[0]);
  sockets.rtp_port = media_address_port (&defaults[0]);
  if (ice->n_components > 1)
    {
      sockets.rtcp = take_socket (ice, 2, &defaults[1]);
      sockets.rtcp_port = media_address_port (&defaults[1]);
    }
  if (sockets.rtp < 0)
    {
      media_sockets_close (&sockets);
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "ICE has no socket that plain RTP could use");
      return FALSE;
    }
  media_socket_adopt (sockets.rtp);
  if (sockets.rtcp >= 0)
    media_socket_adopt (sockets.rtcp);
  *ret_sockets = sockets;
  return TRUE;
}
