/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads of the transport and the hub call in; whatever they have to tell core/ waits in a short queue for the main loop, which is woken by one
 * source that holds a reference, and falls on the floor there if the session has been closed meanwhile. */

#include "media/media-session-private.h"

#define MAX_HOPS 64

typedef enum
{
  HOP_DTMF,
  HOP_FIRST_RTP,
  HOP_SECURED,
  HOP_SILENT,
  HOP_FAILED,
  HOP_RECORDING_FAILED,
  HOP_QUIET,
  HOP_ICE,
  HOP_PLAYED,
  HOP_STREAM_GONE,
  HOP_TOLD,
} HopKind;

typedef struct
{
  HopKind kind;
  char digit;
  guint ms;                             /* of a digit; the suite */
  char *message;
} Hop;

static void
hop_free (gpointer data)
{
  Hop *hop = data;

  g_free (hop->message);
  g_free (hop);
}

void
media_session_clear_events (PhoneMedia *media)
{
  g_queue_clear_full (&media->hops, hop_free);
}

static void
tell_played (PhoneMedia *media)
{
  char *path;

  while (!media->closed && (path = media_player_take_ended (media->player)) != NULL)
    {
      if (media->events.played != NULL)
        media->events.played (media->call, path);
      g_free (path);
    }
}

void
media_session_drop_streams (PhoneMedia *media)
{
  for (guint i = media->streams->len; i-- > 0;)
    if (media_stream_is_gone (g_ptr_array_index (media->streams, i)))
      g_ptr_array_remove_index (media->streams, i);
}

static void
deliver (PhoneMedia *media, const Hop *hop)
{
  switch (hop->kind)
    {
    case HOP_DTMF:
      if (media->events.dtmf != NULL)
        media->events.dtmf (media->call, hop->digit, hop->ms);
      break;
    case HOP_FIRST_RTP:
      if (media->events.first_rtp != NULL)
        media->events.first_rtp (media->call);
      break;
    case HOP_SECURED:
      if (media->events.secured != NULL)
        media->events.secured (media->call, (PhoneSrtpSuite) hop->ms);
      break;
    case HOP_SILENT:
      if (media->events.failed != NULL)
        {
          g_autoptr (GError) error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN, hop->message);
          media->events.failed (media->call, error);
        }
      break;
    case HOP_FAILED:
      if (media->events.failed != NULL)
        {
          g_autoptr (GError) error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, hop->message);
          media->events.failed (media->call, error);
        }
      break;
    case HOP_ICE:
      media_transport_settle_ice (media->transport);
      if (media->events.ice != NULL)
        media->events.ice (media->call);
      break;
    case HOP_PLAYED:
      tell_played (media);
      break;
    case HOP_STREAM_GONE:
      media_session_drop_streams (media);
      break;
    case HOP_TOLD:
      media_session_take_feedback (media);
      break;
    case HOP_QUIET:
      if (media->events.quiet != NULL)
        media->events.quiet (media->call);
      break;
    case HOP_RECORDING_FAILED:
      if (media->events.recording_failed != NULL)
        {
          g_autoptr (GError) error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_STORAGE, hop->message);
          media->events.recording_failed (media->call, error);
        }
      break;
    }
}

static gboolean
on_hops (gpointer data)
{
  PhoneMedia *media = data;

  pthread_mutex_lock (&media->lock);
  GQueue hops = media->hops;
  g_queue_init (&media->hops);
  media->hop_due = FALSE;
  pthread_mutex_unlock (&media->lock);

  for (GList *l = hops.head; l != NULL && !media->closed; l = l->next)
    deliver (media, l->data);
  g_queue_clear_full (&hops, hop_free);
  return G_SOURCE_REMOVE;
}

static void
hop_post (PhoneMedia *media, HopKind kind, char digit, guint ms, const char *message)
{
  pthread_mutex_lock (&media->lock);
  gboolean wake = !media->hop_due && media_session_ref_live (media);
  if (media->hops.length < MAX_HOPS)
    {
      Hop *hop = g_new (Hop, 1);
      *hop = (Hop) { .kind = kind, .digit = digit, .ms = ms, .message = g_strdup (message) };
      g_queue_push_tail (&media->hops, hop);
      media->hop_due = TRUE;
    }
  pthread_mutex_unlock (&media->lock);

  if (wake)
    {
      g_autoptr (GSource) source = g_idle_source_new ();
      g_source_set_priority (source, G_PRIORITY_DEFAULT);
      g_source_set_callback (source, on_hops, media, (GDestroyNotify) media_session_unref);
      g_source_attach (source, media->host.context);
    }
}

void
media_session_on_dtmf (char digit, guint ms, gpointer data)
{
  hop_post (data, HOP_DTMF, digit, ms, NULL);
}

void
media_session_on_first_rtp (gpointer data)
{
  hop_post (data, HOP_FIRST_RTP, 0, 0, NULL);
}

void
media_session_on_secured (PhoneSrtpSuite suite, gpointer data)
{
  hop_post (data, HOP_SECURED, 0, (guint) suite, NULL);
}

void
media_session_on_unsecured (const char *why, gboolean silent, gpointer data)
{
  hop_post (data, silent ? HOP_SILENT : HOP_FAILED, 0, 0, why);
}

void
media_session_on_ice_changed (gpointer data)
{
  hop_post (data, HOP_ICE, 0, 0, NULL);
}

void
media_session_on_played (gpointer data)
{
  hop_post (data, HOP_PLAYED, 0, 0, NULL);
}

void
media_session_on_stream_gone (gpointer data)
{
  hop_post (data, HOP_STREAM_GONE, 0, 0, NULL);
}

void
media_session_on_told (gpointer data)
{
  hop_post (data, HOP_TOLD, 0, 0, NULL);
}

static void
on_recording_failed (const char *message, gpointer data)
{
  hop_post (data, HOP_RECORDING_FAILED, 0, 0, message);
}

static void
on_quiet (gpointer data)
{
  hop_post (data, HOP_QUIET, 0, 0, NULL);
}

const MediaRecorderEvents media_session_recorder_events = { .failed = on_recording_failed, .quiet = on_quiet };
