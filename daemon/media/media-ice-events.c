/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What libnice reports, on whatever thread made it think; what we report of it comes on ICE's. */

#include "media/media-ice-private.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define MAX_AGE G_USEC_PER_SEC

static void
media_ice_report_change (MediaIce *ice)
{
  pthread_mutex_lock (&ice->gate);
  if (!ice->closed)
    ice->callbacks.changed (ice->data);
  pthread_mutex_unlock (&ice->gate);
}

static gboolean
on_change (gpointer data)
{
  media_ice_report_change (data);
  return G_SOURCE_REMOVE;
}

/* No source holds a reference: they run on the thread, which has one, and one that is never due would keep itself, its context and us.
 *
 * Signals come on whatever thread made libnice think; what we report comes on one. */
void
media_ice_post_change (MediaIce *ice)
{
  g_autoptr (GSource) source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_change, ice, NULL);
  g_source_attach (source, ice->context);
}

static void
set_gathered (MediaIce *ice, const char *why)
{
  PhoneLogFields fields = media_ice_log_fields (ice);

  pthread_mutex_lock (&ice->lock);
  gboolean news = !ice->gathered;
  ice->gathered = TRUE;
  pthread_mutex_unlock (&ice->lock);
  if (!news)
    return;
  phone_log_debug (&fields, "ICE: candidates gathered%s", why);
  media_ice_post_change (ice);
}

static void
on_gathering_done (NiceAgent *agent, guint stream, gpointer data)
{
  set_gathered (data, "");
}

gboolean
media_ice_on_gathering_late (gpointer data)
{
  set_gathered (data, ", without servers that do not answer");
  return G_SOURCE_REMOVE;
}

/* ---- the end of the peer's candidates ---- */

void
media_ice_wait_for_end (MediaIce *ice, gboolean open)
{
  g_source_set_ready_time (ice->trickle_end, open ? g_get_monotonic_time () + ice->trickle_ms * (gint64) 1000 : -1);
}

static gboolean
on_trickle_end (gpointer data)
{
  MediaIce *ice = data;
  PhoneLogFields fields = media_ice_log_fields (ice);
  gboolean open = TRUE;

  g_source_set_ready_time (ice->trickle_end, -1);
  pthread_mutex_lock (&ice->lock);
  for (guint i = 0; i < ice->in_use; i++)
    open = open && ice->paths[i].open;
  pthread_mutex_unlock (&ice->lock);
  if (!open)
    phone_log_notice (&fields, "ICE: no candidate of the peer that leads to it for %u s: what there is is taken for all", ice->trickle_ms / 1000);
  nice_agent_peer_candidate_gathering_done (ice->agent, ice->stream);
  /* Of no candidates at all libnice says nothing: no check has failed. */
  pthread_mutex_lock (&ice->lock);
  for (guint i = 0; i < ice->in_use && !ice->have_candidates; i++)
    if (!ice->paths[i].open)
      ice->paths[i].state = NICE_COMPONENT_STATE_FAILED;
  pthread_mutex_unlock (&ice->lock);
  media_ice_report_change (ice);
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch_trickle_end (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

GSource *
media_ice_trickle_end_new (MediaIce *ice)
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
  PhoneLogFields fields = media_ice_log_fields (ice);
  phone_log_debug (&fields, "ICE: component %u is %s", component, nice_component_state_to_string ((NiceComponentState) state));
  media_ice_post_change (ice);
}

static void
describe (char *text, gsize size, const NiceCandidate *candidate)
{
  char host[NICE_ADDRESS_STRING_LEN];
  gboolean v6 = nice_address_ip_version (&candidate->addr) == 6;

  nice_address_to_string (&candidate->addr, host);
  g_snprintf (text, size, v6 ? "%s [%s]:%u" : "%s %s:%u",
              phone_candidate_type_to_string (media_ice_type_of (candidate->type)), host, nice_address_get_port (&candidate->addr));
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
  media_ice_to_address (&remote->addr, &path->to);
  describe (path->local, sizeof path->local, local);
  describe (path->remote, sizeof path->remote, remote);
  path->open = path->state != NICE_COMPONENT_STATE_FAILED;
  pthread_mutex_unlock (&ice->lock);
  if (old >= 0)
    close (old);
  PhoneLogFields fields = media_ice_log_fields (ice);
  phone_log_info (&fields, "ICE: component %u by %s to %s", component, path->local, path->remote);
  media_ice_post_change (ice);
}

/* ---- packets ---- */

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

void
media_ice_listen (MediaIce *ice)
{
  g_signal_connect (ice->agent, "candidate-gathering-done", G_CALLBACK (on_gathering_done), ice);
  g_signal_connect (ice->agent, "component-state-changed", G_CALLBACK (on_state), ice);
  g_signal_connect (ice->agent, "new-selected-pair-full", G_CALLBACK (on_selected_pair), ice);
  for (guint c = 1; c <= ice->n_components; c++)
    nice_agent_attach_recv (ice->agent, ice->stream, c, ice->context, on_received, ice);
}
