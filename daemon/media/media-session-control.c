/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rest of the table that core/ has of the media engine: ICE, keys, what is played, recorded and streamed beside the call. */

#include "media/media-session-private.h"

#define MAX_STREAMS 4

gboolean
media_session_get_ice (PhoneMedia *media, PhoneIceDesc *ret_local, char **ret_address)
{
  MediaAddress address;

  if (!media_transport_get_ice (media->transport, ret_local, &address))
    return FALSE;
  *ret_address = media_address_to_host (&address);
  return TRUE;
}

PhoneIceState
media_session_get_ice_state (PhoneMedia *media)
{
  MediaIcePath path;
  return media_transport_get_ice_path (media->transport, &path) ? path.state : PHONE_ICE_OFF;
}

void
media_session_restart_ice (PhoneMedia *media)
{
  media_transport_restart_ice (media->transport);
}

gboolean
media_session_trickle_ice (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error)
{
  return media_transport_trickle_ice (media->transport, plan, error);
}

void
media_session_drop_ice (PhoneMedia *media)
{
  media_transport_drop_ice (media->transport);
}

void
media_session_get_ports (PhoneMedia *media, guint16 *ret_rtp, guint16 *ret_rtcp)
{
  media_transport_get_ports (media->transport, ret_rtp, ret_rtcp);
}

gboolean
media_session_get_dtls (PhoneMedia *media, PhoneDtlsDesc *ret_local, GError **error)
{
  return media_transport_get_dtls (media->transport, ret_local, error);
}

void
media_session_set_dtls_suites (PhoneMedia *media, guint suites)
{
  media_transport_set_dtls_suites (media->transport, suites);
}

char *
media_session_get_destination (PhoneMedia *media)
{
  return media_transport_get_destination (media->transport);
}

void
media_session_set_muted (PhoneMedia *media, gboolean muted)
{
  media_port_set_muted (media->port, muted);
}

gboolean
media_session_open_stream (PhoneMedia *media, const PhoneStreamParams *params, int *ret_fd, GError **error)
{
  MediaStream *stream;

  media_session_drop_streams (media);
  if (media->streams->len >= MAX_STREAMS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "The call has %d streams already", MAX_STREAMS);
      return FALSE;
    }
  stream = media_stream_new (media->taps, params, media_session_on_stream_gone, media, ret_fd, error);
  if (stream == NULL)
    return FALSE;
  g_ptr_array_add (media->streams, stream);
  return TRUE;
}

gboolean
media_session_play (PhoneMedia *media, const char *path, gboolean queue, GError **error)
{
  if (!queue)
    media_player_clear (media->player);
  return media_player_add (media->player, path, error);
}

void
media_session_stop_playing (PhoneMedia *media)
{
  media_player_clear (media->player);
}

gboolean
media_session_record_start (PhoneMedia *media, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error)
{
  g_return_val_if_fail (media->recorder == NULL, FALSE);
  media->recorder = media_recorder_new (media->taps, sink, params, &media_session_recorder_events, media, error);
  return media->recorder != NULL;
}

void
media_session_record_pause (PhoneMedia *media, gboolean paused)
{
  if (media->recorder != NULL)
    media_recorder_set_paused (media->recorder, paused);
}

void
media_session_record_stop (PhoneMedia *media)
{
  media_recorder_stop (g_steal_pointer (&media->recorder));
}

void
media_session_set_attached (PhoneMedia *media, gboolean attached)
{
  media_port_set_attached (media->port, attached);
}

void
media_session_set_room (PhoneMedia *media, MediaRoom *room)
{
  media_port_set_room (media->port, room);
}

void
media_session_set_voice (PhoneMedia *media, gboolean voice)
{
  media_port_set_voice (media->port, voice);
}

double
media_session_get_level (PhoneMedia *media)
{
  return media_port_get_level (media->port);
}

void
media_session_set_tone (PhoneMedia *media, PhoneTone tone)
{
  media_port_set_tone (media->port, tone, media->country);
}

static gboolean
on_beep (gpointer data, gint16 *frame, gboolean *ret_only)
{
  return media_tone_render (data, frame, MEDIA_FRAME);
}

void
media_session_beep (PhoneMedia *media)
{
  media_taps_remove (media->taps, &media->beep);
  media_tone_set (&media->beep, PHONE_TONE_BEEP, NULL);
  media_taps_add_source (media->taps, on_beep, &media->beep);
  media_port_beep (media->port);
}

gboolean
media_session_send_dtmf (PhoneMedia *media, const char *digits, guint ms, GError **error)
{
  if (media->started)
    return media_send_dtmf (media->send, digits, ms, error);
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no media runs that could carry digits");
  return FALSE;
}
