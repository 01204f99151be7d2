/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Until an association is connected nothing of it is authentic, and anybody may write to our port. What somebody else can do is to cost us
 * an attempt; the call stays:
 *
 *   who            validated pairs of ICE, and the address of the SDP, are the peer. A server without ICE also hears a stranger who begins
 *                  with a ClientHello, since the peer may sit behind a NAT: one at a time, for STRANGER_TIME, at most STRANGERS per second.
 *                  The address of the SDP takes the place from him whenever it speaks; a client listens to nobody else.
 *   alerts         in clear can be forged. One is remembered, not obeyed: it ends the attempt ALERT_TIME later, unless that has gone well.
 *   broken shakes  are begun anew, ATTEMPTS times. A certificate with the wrong fingerprint, from where the peer must be, is the end at once.
 *   floods         BUDGET datagrams per second are looked at.
 *
 * A stranger with the right certificate is the peer. */

#include "media/media-handshake.h"

#include <string.h>

#define ATTEMPTS 4
#define ALERT_TIME (2 * G_USEC_PER_SEC)
#define STRANGER_TIME (3 * G_USEC_PER_SEC)
#define STRANGERS 4
#define BUDGET 200

#define RECORD_HEADER 13
#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22
#define CLIENT_HELLO 1

typedef struct
{
  MediaDtls *dtls;
  gboolean ready, done, dead;
  gboolean has_peer;
  MediaAddress peer;                    /* of the SDP; valid with has_peer */
  gboolean has_source, stranger;
  MediaAddress source;                  /* whom the association is with */
  gint64 source_since, silent_at, alert_at;     /* us; alert_at 0: none */
  guint attempts;
  guint alert;
  gint64 second;
  guint count, strangers;               /* in that second */
  char last[160];                       /* why the last attempt failed */
} Leg;

struct _MediaHandshake
{
  MediaDtlsParams params;
  PhoneFingerprint fingerprints[PHONE_MAX_FINGERPRINTS];
  guint n_components;
  Leg legs[MEDIA_HANDSHAKE_COMPONENTS];
  GQueue events;                        /* of MediaHandshakeEvent */
  MediaHandshakeStats stats;
};

MediaHandshake *
media_handshake_new (const MediaHandshakeParams *params, GError **error)
{
  g_autoptr (MediaHandshake) self = g_new0 (MediaHandshake, 1);

  g_return_val_if_fail (params->n_components >= 1 && params->n_components <= MEDIA_HANDSHAKE_COMPONENTS, NULL);
  self->params = params->dtls;
  memcpy (self->fingerprints, params->dtls.fingerprints, params->dtls.n_fingerprints * sizeof self->fingerprints[0]);
  self->params.fingerprints = self->fingerprints;
  self->n_components = params->n_components;
  for (guint i = 0; i < self->n_components; i++)
    if ((self->legs[i].dtls = media_dtls_new (&self->params, error)) == NULL)
      return NULL;
  return g_steal_pointer (&self);
}

void
media_handshake_event_clear (MediaHandshakeEvent *event)
{
  explicit_bzero (event, sizeof *event);
}

static void
event_free (gpointer data)
{
  media_handshake_event_clear (data);
  g_free (data);
}

void
media_handshake_free (MediaHandshake *self)
{
  if (self == NULL)
    return;
  for (guint i = 0; i < MEDIA_HANDSHAKE_COMPONENTS; i++)
    media_dtls_free (self->legs[i].dtls);
  g_queue_clear_full (&self->events, event_free);
  g_free (self);
}

static MediaHandshakeEvent *
add_event (MediaHandshake *self, Leg *leg, MediaHandshakeEventType type)
{
  MediaHandshakeEvent *event = g_new0 (MediaHandshakeEvent, 1);

  event->type = type;
  event->component = (guint) (leg - self->legs);
  event->has_from = leg->has_source;
  event->from = leg->source;
  g_queue_push_tail (&self->events, event);
  return event;
}

static void
fail (MediaHandshake *self, Leg *leg, const char *reason)
{
  leg->dead = TRUE;
  g_snprintf (add_event (self, leg, MEDIA_HANDSHAKE_FAILED)->reason, sizeof ((MediaHandshakeEvent *) NULL)->reason,
              "the DTLS handshake failed: %s", reason);
}

/* A fresh association in the place of the old one. */
static void
restart (MediaHandshake *self, Leg *leg)
{
  g_autoptr (GError) error = NULL;
  MediaDtls *dtls = media_dtls_new (&self->params, &error);

  if (dtls == NULL)
    {
      fail (self, leg, error->message);
      return;
    }
  self->stats.restarts++;
  media_dtls_free (leg->dtls);
  leg->dtls = dtls;
  leg->has_source = leg->stranger = FALSE;
  leg->alert_at = 0;
  if (leg->ready)
    media_dtls_start (leg->dtls);
}

static void
settle (MediaHandshake *self, Leg *leg)
{
  g_autoptr (GError) error = NULL;

  if (leg->done || leg->dead)
    return;
  switch (media_dtls_get_state (leg->dtls))
    {
    case MEDIA_DTLS_HANDSHAKE:
      return;
    case MEDIA_DTLS_CONNECTED:
    case MEDIA_DTLS_CLOSED:
      {
        MediaHandshakeEvent *event = add_event (self, leg, MEDIA_HANDSHAKE_KEYS);

        leg->done = TRUE;
        if (media_dtls_get_keys (leg->dtls, &event->send, &event->receive, &error))
          return;
        event->type = MEDIA_HANDSHAKE_FAILED;
        g_strlcpy (event->reason, error->message, sizeof event->reason);
        return;
      }
    case MEDIA_DTLS_FAILED:
      g_strlcpy (leg->last, media_dtls_get_reason (leg->dtls), sizeof leg->last);
      if (leg->stranger)
        restart (self, leg);
      else if (media_dtls_is_final (leg->dtls) || ++leg->attempts >= ATTEMPTS)
        fail (self, leg, leg->last);
      else
        restart (self, leg);
      return;
    }
}

/* ---- who may speak ---- */

static gboolean
begins (const guint8 *data, gsize length)
{
  return length > RECORD_HEADER && data[0] == RECORD_HANDSHAKE && data[3] == 0 && data[4] == 0 && data[RECORD_HEADER] == CLIENT_HELLO;
}

static void
take_place (MediaHandshake *self, Leg *leg, const MediaAddress *from, gboolean stranger, gint64 now)
{
  if (leg->has_source)
    restart (self, leg);
  leg->has_source = TRUE;
  leg->source = *from;
  leg->stranger = stranger;
  leg->source_since = now;
}

static gboolean
may_enter (MediaHandshake *self, Leg *leg, const MediaAddress *from, const guint8 *data, gsize length, gint64 now)
{
  if (leg->has_source && media_address_equal (from, &leg->source))
    return TRUE;
  if (leg->done)
    return FALSE;
  if (leg->has_peer && media_address_equal (from, &leg->peer))
    {
      if (!self->params.client && !begins (data, length))
        return FALSE;
      take_place (self, leg, from, FALSE, now);
      return TRUE;
    }
  if (self->params.client || !begins (data, length) || leg->strangers >= STRANGERS
      || (leg->has_source && (!leg->stranger || now - leg->source_since < STRANGER_TIME)))
    return FALSE;
  leg->strangers++;
  take_place (self, leg, from, TRUE, now);
  return TRUE;
}

/* An alert in clear, before anything is authentic. TRUE: it was one, and OpenSSL does not see it. */
static gboolean
note_alert (Leg *leg, const guint8 *data, gsize length, gint64 now)
{
  if (leg->done || length < RECORD_HEADER + 2 || data[0] != RECORD_ALERT || data[3] != 0 || data[4] != 0)
    return FALSE;
  if (leg->alert_at == 0 && data[RECORD_HEADER] == 2 /* fatal */)
    {
      leg->alert = data[RECORD_HEADER + 1];
      leg->alert_at = now + ALERT_TIME;
    }
  return TRUE;
}

void
media_handshake_receive (MediaHandshake *self, guint component, const MediaAddress *from, const guint8 *data, gsize length, gint64 now)
{
  g_return_if_fail (component < MEDIA_HANDSHAKE_COMPONENTS);
  Leg *leg = &self->legs[component];
  gint64 second = now / G_USEC_PER_SEC;

  if (leg->dtls == NULL || leg->dead)
    return;
  if (second != leg->second)
    {
      leg->second = second;
      leg->count = leg->strangers = 0;
    }
  if (leg->count >= BUDGET || (from != NULL && !may_enter (self, leg, from, data, length, now)) || leg->dead)
    {
      self->stats.filtered++;
      return;
    }
  leg->count++;
  if (note_alert (leg, data, length, now))
    return;
  media_dtls_receive (leg->dtls, data, length);
  settle (self, leg);
}

/* ---- time ---- */

void
media_handshake_set_ready (MediaHandshake *self, guint component, const MediaAddress *peer, gint64 now)
{
  g_return_if_fail (component < MEDIA_HANDSHAKE_COMPONENTS);
  Leg *leg = &self->legs[component];

  leg->has_peer = peer != NULL;
  if (peer != NULL)
    leg->peer = *peer;
  if (leg->dtls == NULL)
    return;
  if (leg->has_peer && self->params.client && leg->has_source && !leg->done && !media_address_equal (&leg->source, &leg->peer))
    restart (self, leg);
  if (leg->ready)
    return;
  leg->ready = TRUE;
  leg->silent_at = now + MEDIA_HANDSHAKE_PATIENCE;
  media_dtls_start (leg->dtls);
}

gboolean
media_handshake_is_ready (const MediaHandshake *self, guint component)
{
  return self->legs[component].dtls == NULL || self->legs[component].ready;
}

gint64
media_handshake_next (MediaHandshake *self, gint64 now)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < self->n_components; i++)
    {
      Leg *leg = &self->legs[i];
      gint64 wait;

      if (leg->done || leg->dead || !leg->ready)
        continue;
      next = MIN (next, leg->silent_at);
      if (leg->alert_at != 0)
        next = MIN (next, leg->alert_at);
      wait = media_dtls_timeout (leg->dtls);
      if (wait >= 0)
        next = MIN (next, now + wait);
    }
  return next;
}

void
media_handshake_tick (MediaHandshake *self, gint64 now)
{
  for (guint i = 0; i < self->n_components; i++)
    {
      Leg *leg = &self->legs[i];

      if (leg->done || leg->dead || !leg->ready)
        continue;
      if (leg->alert_at != 0 && now >= leg->alert_at)
        {
          const char *name = SSL_alert_desc_string_long ((int) leg->alert);

          g_snprintf (leg->last, sizeof leg->last, "the peer refuses with the alert “%s”", name);
          if (leg->stranger)
            restart (self, leg);
          else
            fail (self, leg, leg->last);
          continue;
        }
      if (now >= leg->silent_at)
        {
          leg->silent_at = now + MEDIA_HANDSHAKE_PATIENCE;
          leg->attempts = 0;
          g_snprintf (add_event (self, leg, MEDIA_HANDSHAKE_SILENT)->reason, sizeof ((MediaHandshakeEvent *) NULL)->reason,
                      "no DTLS handshake within %d s%s%s", (int) (MEDIA_HANDSHAKE_PATIENCE / G_USEC_PER_SEC),
                      leg->last[0] != '\0' ? ": " : "", leg->last);
        }
      media_dtls_tick (leg->dtls);
      if (media_dtls_get_state (leg->dtls) == MEDIA_DTLS_FAILED)
        restart (self, leg);            /* nobody answers: no fault of an attempt */
    }
}

/* ---- what comes out ---- */

gboolean
media_handshake_take_output (MediaHandshake *self, guint *ret_component, MediaAddress *ret_to, GBytes **ret_datagram)
{
  for (guint i = 0; i < self->n_components; i++)
    {
      Leg *leg = &self->legs[i];
      GBytes *datagram = media_dtls_take_output (leg->dtls);

      if (datagram == NULL)
        continue;
      *ret_component = i;
      *ret_datagram = datagram;
      memset (ret_to, 0, sizeof *ret_to);
      if (leg->has_source)
        *ret_to = leg->source;
      else if (leg->has_peer)
        *ret_to = leg->peer;
      return TRUE;
    }
  return FALSE;
}

MediaHandshakeEventType
media_handshake_take_event (MediaHandshake *self, MediaHandshakeEvent *ret_event)
{
  MediaHandshakeEvent *event = g_queue_pop_head (&self->events);

  if (event == NULL)
    {
      memset (ret_event, 0, sizeof *ret_event);
      return MEDIA_HANDSHAKE_NOTHING;
    }
  *ret_event = *event;
  event_free (event);
  return ret_event->type;
}

void
media_handshake_close (MediaHandshake *self)
{
  for (guint i = 0; i < self->n_components; i++)
    media_dtls_close (self->legs[i].dtls);
}

void
media_handshake_get_stats (const MediaHandshake *self, MediaHandshakeStats *ret_stats)
{
  *ret_stats = self->stats;
}
