/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What listens to a conference, and speaks into it, beside its members: a room of the hub with its taps. Threads of recorder and streams
 * call in; what they have to tell hops to the main loop. */

#include "media/media-conference.h"

#include "media/media-notify.h"
#include "media/media-recorder.h"
#include "media/media-stream.h"

#define MAX_STREAMS 4

typedef enum
{
  NEWS_RECORDING_FAILED,
  NEWS_STREAM_GONE,
} News;

struct _PhoneRoom
{
  MediaRoom *room;
  MediaRecorder *recorder;
  GPtrArray *streams;           /* MediaStream */
  MediaNotify *notify;
  PhoneRoomFailed recording_failed;
  gpointer data;
};

static void
drop_streams (PhoneRoom *self)
{
  for (guint i = self->streams->len; i-- > 0;)
    if (media_stream_is_gone (g_ptr_array_index (self->streams, i)))
      g_ptr_array_remove_index (self->streams, i);
}

static void
on_news (gpointer data, guint code, const char *text)
{
  PhoneRoom *self = data;
  g_autoptr (GError) error = NULL;

  switch ((News) code)
    {
    case NEWS_RECORDING_FAILED:
      error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_STORAGE, text);
      if (self->recorder != NULL)
        self->recording_failed (error, self->data);
      break;
    case NEWS_STREAM_GONE:
      drop_streams (self);
      break;
    }
}

static void
on_recording_failed (const char *message, gpointer data)
{
  media_notify_post (((PhoneRoom *) data)->notify, NEWS_RECORDING_FAILED, message);
}

static void
on_stream_gone (gpointer data)
{
  media_notify_post (((PhoneRoom *) data)->notify, NEWS_STREAM_GONE, NULL);
}

PhoneRoom *
media_conference_new (MediaHub *hub, PhoneRoomFailed recording_failed, gpointer data)
{
  PhoneRoom *self = g_new0 (PhoneRoom, 1);

  self->room = media_room_new (hub);
  self->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) media_stream_free);
  self->notify = media_notify_new (on_news, self);
  self->recording_failed = recording_failed;
  self->data = data;
  return self;
}

void
media_conference_free (PhoneRoom *self)
{
  if (self == NULL)
    return;
  media_recorder_stop (self->recorder);
  g_ptr_array_unref (self->streams);
  media_notify_close (self->notify);
  media_room_free (self->room);
  g_free (self);
}

MediaRoom *
media_conference_get_room (PhoneRoom *self)
{
  return self->room;
}

void
media_conference_set (PhoneRoom *self, gboolean muted, gboolean away)
{
  media_room_set (self->room, muted, away);
}

double
media_conference_get_level (PhoneRoom *self)
{
  return media_room_get_level (self->room);
}

gboolean
media_conference_record_start (PhoneRoom *self, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error)
{
  g_return_val_if_fail (self->recorder == NULL, FALSE);
  self->recorder = media_recorder_new (media_room_get_taps (self->room), sink, params,
                                       &(MediaRecorderEvents) { .failed = on_recording_failed }, self, error);
  return self->recorder != NULL;
}

void
media_conference_record_pause (PhoneRoom *self, gboolean paused)
{
  if (self->recorder != NULL)
    media_recorder_set_paused (self->recorder, paused);
}

void
media_conference_record_stop (PhoneRoom *self)
{
  media_recorder_stop (g_steal_pointer (&self->recorder));
}

gboolean
media_conference_open_stream (PhoneRoom *self, const PhoneStreamParams *params, int *ret_fd, GError **error)
{
  MediaStream *stream;

  drop_streams (self);
  if (self->streams->len >= MAX_STREAMS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "The conference has %d streams already", MAX_STREAMS);
      return FALSE;
    }
  stream = media_stream_new (media_room_get_taps (self->room), params, on_stream_gone, self, ret_fd, error);
  if (stream == NULL)
    return FALSE;
  g_ptr_array_add (self->streams, stream);
  return TRUE;
}
