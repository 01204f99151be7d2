/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With ICE (media-ice) the datagrams come on that session's thread, from validated pairs only: the source filter has nothing to do. For a
 * short while there are two sessions, when the network has changed: what either hears is taken, and the one in `ice` speaks. A peer that
 * turns out to have no ICE gets the sockets of the default candidates as plain ones. */

#include "media/media-transport-private.h"

#include <string.h>

static void
on_ice_received (gpointer data, guint component, guint8 *octets, gsize length, gint64 arrival)
{
  MediaTransport *self = data;

  if (length > sizeof self->in.octets)
    return;
  pthread_mutex_lock (&self->in_lock);
  if (g_atomic_int_get (&self->flowing))
    {
      memcpy (self->in.octets, octets, length);
      media_transport_hear (self, component == 2, NULL, length, arrival);
    }
  pthread_mutex_unlock (&self->in_lock);
}

static void
on_ice_changed (gpointer data)
{
  MediaTransport *self = data;

  MediaTransportCallback changed = (MediaTransportCallback) g_atomic_pointer_get (&self->ice_changed);

  media_transport_wake (self);          /* a handshake may wait for a way */
  if (changed != NULL)
    changed (self->callback_data);
}

const MediaIceCallbacks media_transport_ice_callbacks = { .received = on_ice_received, .changed = on_ice_changed };

void
media_transport_guard_ice (MediaTransport *self)
{
  MediaIce *ice;

  pthread_mutex_lock (&self->lock);
  ice = self->ice != NULL ? media_ice_ref (self->ice) : NULL;
  pthread_mutex_unlock (&self->lock);
  if (ice == NULL)
    return;
  media_ice_guard (ice);
  media_ice_unref (ice);
}

/* The peer has ICE no more, or never had: the sockets that our side of the description names carry plain RTP from now on. */
gboolean
media_transport_leave_ice (MediaTransport *self, GError **error)
{
  MediaIce *ice = self->ice;
  MediaSockets sockets;

  if (!media_ice_detach (ice, &sockets, error))
    return FALSE;
  pthread_mutex_lock (&self->lock);
  self->ice = NULL;
  self->sockets.family = sockets.family;
  self->sockets.rtp_port = sockets.rtp_port;
  self->sockets.rtcp_port = sockets.rtcp_port;
  pthread_mutex_unlock (&self->lock);
  /* Nothing of it is heard any more when the I/O thread begins to read. */
  media_ice_free (ice);
  media_transport_drop_ice (self);
  g_atomic_int_set (&self->sockets.rtp, sockets.rtp);
  g_atomic_int_set (&self->sockets.rtcp, sockets.rtcp);
  media_transport_wake (self);
  return TRUE;
}

void
media_transport_set_ice_callback (MediaTransport *self, MediaTransportCallback changed)
{
  g_atomic_pointer_set (&self->ice_changed, changed);
}

gboolean
media_transport_get_ice (MediaTransport *self, PhoneIceDesc *ret_local, MediaAddress *ret_default)
{
  MediaIce *ice = self->next_ice != NULL ? self->next_ice : self->ice;
  MediaAddress defaults[MEDIA_ICE_COMPONENTS] = { 0 };

  memset (ret_local, 0, sizeof *ret_local);
  if (ice != NULL)
    {
      media_ice_get_local (ice, ret_local);
      media_ice_get_defaults (ice, defaults);
    }
  *ret_default = defaults[0];
  return ice != NULL;
}

gboolean
media_transport_get_ice_path (MediaTransport *self, MediaIcePath *ret_path)
{
  MediaIcePath next;

  if (self->ice == NULL)
    return FALSE;
  media_ice_get_path (self->ice, ret_path);
  if (self->next_ice == NULL)
    return TRUE;
  /* What is coming decides what is to be waited for; while the old way carries the call it counts. */
  media_ice_get_path (self->next_ice, &next);
  if (next.state == PHONE_ICE_GATHERING || next.state == PHONE_ICE_WAITING || ret_path->state != PHONE_ICE_CONNECTED)
    ret_path->state = next.state;
  return TRUE;
}

void
media_transport_restart_ice (MediaTransport *self)
{
  MediaIce *ice = self->next_ice != NULL ? self->next_ice : self->ice;

  if (ice != NULL)
    media_ice_restart (ice);
}

gboolean
media_transport_trickle_ice (MediaTransport *self, const PhoneMediaPlan *plan, GError **error)
{
  guint n = plan->rtcp_mux ? 1 : 2;

  return (self->ice == NULL || media_ice_trickle (self->ice, &plan->ice, n, error))
         && (self->next_ice == NULL || media_ice_trickle (self->next_ice, &plan->ice, n, error));
}

gboolean
media_transport_renew_ice (MediaTransport *self, const MediaIceParams *params, GError **error)
{
  MediaIce *ice = media_ice_new (params, &media_transport_ice_callbacks, self, error);

  if (ice == NULL)
    return FALSE;
  media_transport_drop_ice (self);
  pthread_mutex_lock (&self->lock);
  self->next_ice = ice;
  pthread_mutex_unlock (&self->lock);
  return TRUE;
}

void
media_transport_drop_ice (MediaTransport *self)
{
  pthread_mutex_lock (&self->lock);
  MediaIce *ice = g_steal_pointer (&self->next_ice);
  pthread_mutex_unlock (&self->lock);
  media_ice_free (ice);
}

void
media_transport_settle_ice (MediaTransport *self)
{
  MediaIcePath next;

  if (self->next_ice == NULL)
    return;
  media_ice_get_path (self->next_ice, &next);
  if (next.state != PHONE_ICE_CONNECTED)
    return;
  pthread_mutex_lock (&self->lock);
  MediaIce *old = self->ice;
  self->ice = g_steal_pointer (&self->next_ice);
  pthread_mutex_unlock (&self->lock);
  media_ice_free (old);
}
