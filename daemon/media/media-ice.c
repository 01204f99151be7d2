/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* libnice owns the sockets and reads them on its context, which has a thread here. Its reading loop ends only when a socket is empty, so
 * that thread does nothing else: under a flood what we hear may suffer, what we say does not. Sending goes past libnice where it can: once
 * a pair is selected whose local end is a UDP socket (all but relays), packets are written to that socket by whoever sends, without the
 * agent's lock. Arrival times are the kernel's (SIOCGSTAMPNS): libnice reads no control messages.
 *
 * Two locks: `lock` guards the paths and is held over a non-blocking send; `gate` is held over the callbacks, so that free() returns when
 * the last one has. The agent's lock is libnice's, and is never taken under ours (its signals come with that one released). */

#include "media/media-ice.h"

#include <agent.h>
#include <debug.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/ip.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "media/media-ice-policy.h"
#include "media/media-thread.h"
#include "media/media-tunnel.h"
#include "util/log.h"

#define EF 0xb8                         /* DSCP 46, as the plain sockets */
#define RECEIVE_BUFFER (256 * 1024)
#define MAX_AGE G_USEC_PER_SEC
#define CLOSE_MS 500                    /* for the TURN server to hear that we are gone */
#define IDLE_MS 3000                    /* checks that have no pair left wait this long for the peer's */
#define GUARD_INTERVAL (100 * 1000)     /* us */
#define BUSY_SHARE 0.5                  /* of a core: nothing that a call sends takes that */

typedef struct
{
  NiceComponentState state;
  gboolean open;                        /* there is a pair, and consent */
  int fd;                               /* ours (a duplicate), -1: by way of libnice */
  MediaAddress to;
  char local[64], remote[64];
  gboolean relayed;
} Path;

struct _MediaIce
{
  gint references;                      /* atomic: the owner's and the thread's */
  MediaIceCallbacks callbacks;
  gpointer data;
  pthread_mutex_t gate;
  gboolean closed;                      /* under gate */

  NiceAgent *agent;
  guint stream, n_components;
  GMainContext *context;
  GMainLoop *loop;
  MediaTunnel *tunnel;
  MediaThread *thread;
  GSource *trickle_end;                 /* due when the peer's candidates are taken for all, while it trickles */
  guint trickle_ms;
  char *call_id;
  MediaAddress wanted_default;          /* port 0 */
  gboolean any_loopback;                /* we stand on loopback, and so may the peer */

  pthread_mutex_t lock;
  gboolean gathered, have_remote, have_candidates;      /* of the peer */
  gboolean restarted;                   /* by us, and the peer's new credentials are still to come */
  guint in_use;                         /* components */
  Path paths[MEDIA_ICE_COMPONENTS];
  char *remote_ufrag, *remote_pwd;
  pthread_t worker;
  gboolean has_worker, restored;
  gint64 guard_at, guard_cpu;
};

static PhoneCandidateType
type_of (NiceCandidateType type)
{
  switch (type)
    {
    case NICE_CANDIDATE_TYPE_HOST: return PHONE_CANDIDATE_HOST;
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE: return PHONE_CANDIDATE_SRFLX;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE: return PHONE_CANDIDATE_PRFLX;
    case NICE_CANDIDATE_TYPE_RELAYED: return PHONE_CANDIDATE_RELAY;
    }
  g_assert_not_reached ();
}

static NiceCandidateType
nice_type_of (PhoneCandidateType type)
{
  switch (type)
    {
    case PHONE_CANDIDATE_HOST: return NICE_CANDIDATE_TYPE_HOST;
    case PHONE_CANDIDATE_SRFLX: return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
    case PHONE_CANDIDATE_PRFLX: return NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
    case PHONE_CANDIDATE_RELAY: return NICE_CANDIDATE_TYPE_RELAYED;
    }
  g_assert_not_reached ();
}

static PhoneLogFields
log_fields (MediaIce *ice)
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

/* ---- what libnice reports ---- */

static void
report_change (MediaIce *ice)
{
  pthread_mutex_lock (&ice->gate);
  if (!ice->closed)
    ice->callbacks.changed (ice->data);
  pthread_mutex_unlock (&ice->gate);
}

static gboolean
on_change (gpointer data)
{
  report_change (data);
  return G_SOURCE_REMOVE;
}

/* No source holds a reference: they run on the thread, which has one, and one that is never due would keep itself, its context and us.
 *
 * Signals come on whatever thread made libnice think; what we report comes on one. */
static void
post_change (MediaIce *ice)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_change, ice, NULL);
  g_source_attach (source, ice->context);
}

static void
set_gathered (MediaIce *ice, const char *why)
{
  PhoneLogFields fields = log_fields (ice);

  pthread_mutex_lock (&ice->lock);
  gboolean news = !ice->gathered;
  ice->gathered = TRUE;
  pthread_mutex_unlock (&ice->lock);
  if (!news)
    return;
  phone_log_debug (&fields, "ICE: candidates gathered%s", why);
  post_change (ice);
}

static void
on_gathering_done (NiceAgent *agent, guint stream, gpointer data)
{
  set_gathered (data, "");
}

static gboolean
on_gathering_late (gpointer data)
{
  set_gathered (data, ", without servers that do not answer");
  return G_SOURCE_REMOVE;
}

/* ---- the end of the peer's candidates ---- */

static void
wait_for_end (MediaIce *ice, gboolean trickles)
{
  g_source_set_ready_time (ice->trickle_end, trickles ? g_get_monotonic_time () + ice->trickle_ms * (gint64) 1000 : -1);
}

static gboolean
on_trickle_end (gpointer data)
{
  MediaIce *ice = data;
  PhoneLogFields fields = log_fields (ice);

  g_source_set_ready_time (ice->trickle_end, -1);
  phone_log_notice (&fields, "ICE: no candidate of the peer for %u s, and no word that there are no more: taken for all", ice->trickle_ms / 1000);
  nice_agent_peer_candidate_gathering_done (ice->agent, ice->stream);
  /* Of no candidates at all libnice says nothing: no check has failed. */
  pthread_mutex_lock (&ice->lock);
  for (guint i = 0; i < ice->in_use && !ice->have_candidates; i++)
    if (!ice->paths[i].open)
      ice->paths[i].state = NICE_COMPONENT_STATE_FAILED;
  pthread_mutex_unlock (&ice->lock);
  report_change (ice);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_trickle_end (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static GSource *
trickle_end_new (MediaIce *ice)
{
  static GSourceFuncs functions = { .dispatch = dispatch_trickle_end };
  GSource *source = g_source_new (&functions, sizeof *source);

  g_source_set_callback (source, on_trickle_end, ice, NULL);
  g_source_attach (source, ice->context);
  return source;
}

/* ---- pairs ---- */

static void
on_state (NiceAgent *agent, guint stream, guint component, guint state, gpointer data)
{
  MediaIce *ice = data;

  if (component == 0 || component > ice->n_components)
    return;
  Path *path = &ice->paths[component - 1];
  pthread_mutex_lock (&ice->lock);
  path->state = state;
  /* RFC 7675: without consent nothing goes out, at once. */
  if (state == NICE_COMPONENT_STATE_FAILED)
    path->open = FALSE;
  else if ((state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY) && path->remote[0] != '\0')
    path->open = TRUE;
  pthread_mutex_unlock (&ice->lock);
  PhoneLogFields fields = log_fields (ice);
  phone_log_debug (&fields, "ICE: component %u is %s", component, nice_component_state_to_string ((NiceComponentState) state));
  post_change (ice);
}

static void
describe (char *text, gsize size, const NiceCandidate *candidate)
{
  char host[NICE_ADDRESS_STRING_LEN];
  gboolean v6 = nice_address_ip_version (&candidate->addr) == 6;

  nice_address_to_string (&candidate->addr, host);
  g_snprintf (text, size, v6 ? "%s [%s]:%u" : "%s %s:%u",
              phone_candidate_type_to_string (type_of (candidate->type)), host, nice_address_get_port (&candidate->addr));
}

static void
to_media_address (const NiceAddress *address, MediaAddress *ret_address)
{
  memset (ret_address, 0, sizeof *ret_address);
  nice_address_copy_to_sockaddr (address, &ret_address->any);
}

static void
on_selected_pair (NiceAgent *agent, guint stream, guint component, NiceCandidate *local, NiceCandidate *remote, gpointer data)
{
  MediaIce *ice = data;

  if (component == 0 || component > ice->n_components)
    return;
  /* NULL for a relay. */
  g_autoptr (GSocket) socket = nice_agent_get_selected_socket (agent, stream, component);
  int fd = socket != NULL ? fcntl (g_socket_get_fd (socket), F_DUPFD_CLOEXEC, 3) : -1;
  Path *path = &ice->paths[component - 1];

  pthread_mutex_lock (&ice->lock);
  int old = path->fd;
  path->fd = fd;
  path->relayed = local->type == NICE_CANDIDATE_TYPE_RELAYED || remote->type == NICE_CANDIDATE_TYPE_RELAYED;
  to_media_address (&remote->addr, &path->to);
  describe (path->local, sizeof path->local, local);
  describe (path->remote, sizeof path->remote, remote);
  path->open = path->state != NICE_COMPONENT_STATE_FAILED;
  pthread_mutex_unlock (&ice->lock);
  if (old >= 0)
    close (old);
  PhoneLogFields fields = log_fields (ice);
  phone_log_info (&fields, "ICE: component %u by %s to %s", component, path->local, path->remote);
  post_change (ice);
}

static gint64
arrival_of (MediaIce *ice, guint component)
{
  gint64 now = g_get_monotonic_time ();
  struct timespec stamp, wall;

  pthread_mutex_lock (&ice->lock);
  int fd = ice->paths[component - 1].fd;
  gboolean known = fd >= 0 && ioctl (fd, SIOCGSTAMPNS, &stamp) == 0;
  pthread_mutex_unlock (&ice->lock);
  if (!known)
    return now;
  clock_gettime (CLOCK_REALTIME, &wall);
  gint64 age = (wall.tv_sec - stamp.tv_sec) * G_USEC_PER_SEC + (wall.tv_nsec - stamp.tv_nsec) / 1000;
  return age > 0 && age < MAX_AGE ? now - age : now;
}

static void
on_received (NiceAgent *agent, guint stream, guint component, guint length, gchar *octets, gpointer data)
{
  MediaIce *ice = data;
  gint64 arrival = arrival_of (ice, component);

  pthread_mutex_lock (&ice->gate);
  if (!ice->closed)
    ice->callbacks.received (ice->data, component, (guint8 *) octets, length, arrival);
  pthread_mutex_unlock (&ice->gate);
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
  g_signal_connect (ice->agent, "candidate-gathering-done", G_CALLBACK (on_gathering_done), ice);
  g_signal_connect (ice->agent, "component-state-changed", G_CALLBACK (on_state), ice);
  g_signal_connect (ice->agent, "new-selected-pair-full", G_CALLBACK (on_selected_pair), ice);
  ice->stream = nice_agent_add_stream (ice->agent, ice->n_components);
  nice_agent_set_stream_tos (ice->agent, ice->stream, EF);
  add_addresses (ice, params);
  if (!add_servers (ice, params, error))
    return FALSE;
  for (guint c = 1; c <= ice->n_components; c++)
    {
      nice_agent_set_port_range (ice->agent, ice->stream, c, params->port_first, params->port_last);
      nice_agent_attach_recv (ice->agent, ice->stream, c, ice->context, on_received, ice);
    }
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
  ice->trickle_end = trickle_end_new (ice);
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
    attach_timeout (ice, MEDIA_ICE_GATHER_MS, on_gathering_late);
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

/* ---- our side ---- */

static void
to_text (const NiceAddress *address, char *text, gsize size, guint16 *ret_port)
{
  char host[NICE_ADDRESS_STRING_LEN] = "";

  if (nice_address_is_valid (address))
    nice_address_to_string (address, host);
  g_strlcpy (text, host, size);
  *ret_port = (guint16) nice_address_get_port (address);
}

static void
add_local (PhoneIceDesc *local, const NiceCandidate *candidate)
{
  if (local->n_candidates == PHONE_ICE_MAX_CANDIDATES || candidate->transport != NICE_CANDIDATE_TRANSPORT_UDP)
    return;
  PhoneCandidate *entry = &local->candidates[local->n_candidates++];
  *entry = (PhoneCandidate) { .component = candidate->component_id, .priority = candidate->priority,
                              .type = type_of (candidate->type) };
  g_strlcpy (entry->foundation, candidate->foundation, sizeof entry->foundation);
  to_text (&candidate->addr, entry->address, sizeof entry->address, &entry->port);
  if (entry->type != PHONE_CANDIDATE_HOST)
    to_text (&candidate->base_addr, entry->related_address, sizeof entry->related_address, &entry->related_port);
}

void
media_ice_get_local (MediaIce *ice, PhoneIceDesc *ret_local)
{
  g_autofree char *ufrag = NULL;
  g_autofree char *pwd = NULL;

  memset (ret_local, 0, sizeof *ret_local);
  if (nice_agent_get_local_credentials (ice->agent, ice->stream, &ufrag, &pwd))
    {
      g_strlcpy (ret_local->ufrag, ufrag, sizeof ret_local->ufrag);
      g_strlcpy (ret_local->pwd, pwd, sizeof ret_local->pwd);
      explicit_bzero (pwd, strlen (pwd));
    }
  for (guint c = 1; c <= ice->n_components; c++)
    {
      GSList *candidates = nice_agent_get_local_candidates (ice->agent, ice->stream, c);
      /* Those that checks have found are the peer's business alone. */
      for (GSList *l = candidates; l != NULL; l = l->next)
        if (((const NiceCandidate *) l->data)->type != NICE_CANDIDATE_TYPE_PEER_REFLEXIVE)
          add_local (ret_local, l->data);
      g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
    }
}

void
media_ice_get_defaults (MediaIce *ice, MediaAddress ret_defaults[MEDIA_ICE_COMPONENTS])
{
  memset (ret_defaults, 0, MEDIA_ICE_COMPONENTS * sizeof ret_defaults[0]);
  for (guint c = 1; c <= ice->n_components; c++)
    {
      GSList *candidates = nice_agent_get_local_candidates (ice->agent, ice->stream, c);
      for (GSList *l = candidates; l != NULL; l = l->next)
        {
          const NiceCandidate *candidate = l->data;
          MediaAddress address;
          if (candidate->type != NICE_CANDIDATE_TYPE_HOST || candidate->transport != NICE_CANDIDATE_TRANSPORT_UDP)
            continue;
          to_media_address (&candidate->addr, &address);
          if (ret_defaults[c - 1].any.sa_family == 0 || media_address_same_host (&address, &ice->wanted_default))
            ret_defaults[c - 1] = address;
        }
      g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
    }
}

void
media_ice_restart (MediaIce *ice)
{
  pthread_mutex_lock (&ice->lock);
  ice->restarted = TRUE;
  pthread_mutex_unlock (&ice->lock);
  wait_for_end (ice, FALSE);
  nice_agent_restart_stream (ice->agent, ice->stream);
}

/* ---- the peer's side ---- */

static GSList *
remote_candidates (MediaIce *ice, const PhoneIceDesc *remote, guint component)
{
  GSList *list = NULL;

  for (guint i = 0; i < remote->n_candidates; i++)
    {
      const PhoneCandidate *entry = &remote->candidates[i];
      NiceAddress address;

      nice_address_init (&address);
      if (entry->component != component || entry->transport != PHONE_CANDIDATE_UDP || entry->port == 0
          || !media_ice_is_acceptable (entry->address, ice->any_loopback)
          || !nice_address_set_from_string (&address, entry->address))
        continue;
      nice_address_set_port (&address, entry->port);
      NiceCandidate *candidate = nice_candidate_new (nice_type_of (entry->type));
      candidate->transport = NICE_CANDIDATE_TRANSPORT_UDP;
      candidate->component_id = component;
      candidate->stream_id = ice->stream;
      candidate->priority = entry->priority;
      candidate->addr = address;
      candidate->base_addr = address;
      g_strlcpy (candidate->foundation, entry->foundation, NICE_CANDIDATE_MAX_FOUNDATION);
      list = g_slist_append (list, candidate);
    }
  return list;
}

/* Another device has answered than before (forking): ours stays as it was described, theirs is forgotten. */
static void
forget_peer (MediaIce *ice)
{
  g_autofree char *ufrag = NULL;
  g_autofree char *pwd = NULL;

  pthread_mutex_lock (&ice->lock);
  for (guint i = 0; i < MEDIA_ICE_COMPONENTS; i++)
    {
      ice->paths[i].open = FALSE;
      ice->paths[i].local[0] = ice->paths[i].remote[0] = '\0';
    }
  pthread_mutex_unlock (&ice->lock);
  if (!nice_agent_get_local_credentials (ice->agent, ice->stream, &ufrag, &pwd))
    return;
  nice_agent_restart_stream (ice->agent, ice->stream);
  nice_agent_set_local_credentials (ice->agent, ice->stream, ufrag, pwd);
  explicit_bzero (pwd, strlen (pwd));
}

gboolean
media_ice_set_remote (MediaIce *ice, const PhoneIceDesc *remote, guint n_components, GError **error)
{
  guint n = MIN (n_components, ice->n_components);
  gboolean trickles = remote->trickle && !remote->end_of_candidates;

  pthread_mutex_lock (&ice->lock);
  gboolean had = ice->have_remote, restarted = ice->restarted;
  gboolean news = g_strcmp0 (ice->remote_ufrag, remote->ufrag) != 0 || g_strcmp0 (ice->remote_pwd, remote->pwd) != 0;
  g_free (ice->remote_ufrag);
  g_free (ice->remote_pwd);
  ice->remote_ufrag = g_strdup (remote->ufrag);
  ice->remote_pwd = g_strdup (remote->pwd);
  ice->have_remote = TRUE;
  ice->have_candidates = remote->n_candidates > 0;
  ice->in_use = n;
  ice->restarted = FALSE;
  pthread_mutex_unlock (&ice->lock);
  if (news && had && !restarted)
    forget_peer (ice);

  if (news)
    g_object_set (ice->agent, "ice-trickle", trickles, NULL);
  if (news && !nice_agent_set_remote_credentials (ice->agent, ice->stream, remote->ufrag, remote->pwd))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the peer's ICE credentials cannot be used");
      return FALSE;
    }
  for (guint c = 1; c <= n; c++)
    {
      GSList *list = remote_candidates (ice, remote, c);
      if (list != NULL)
        nice_agent_set_remote_candidates (ice->agent, ice->stream, c, list);
      g_slist_free_full (list, (GDestroyNotify) nice_candidate_free);
    }
  wait_for_end (ice, trickles);
  if (!trickles)
    nice_agent_peer_candidate_gathering_done (ice->agent, ice->stream);
  post_change (ice);
  return TRUE;
}

gboolean
media_ice_trickle (MediaIce *ice, const PhoneIceDesc *remote, guint n_components, GError **error)
{
  pthread_mutex_lock (&ice->lock);
  gboolean ours = ice->have_remote && !ice->restarted && g_strcmp0 (ice->remote_ufrag, remote->ufrag) == 0
                  && g_strcmp0 (ice->remote_pwd, remote->pwd) == 0;
  pthread_mutex_unlock (&ice->lock);
  return !ours || media_ice_set_remote (ice, remote, n_components, error);
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
