/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <math.h>
#include <string.h>

#include "pcm-signal.h"

Room *
room_new (guint64 seed, guint delay, double gain_db, double reverberation)
{
  Room *room = g_new0 (Room, 1);
  SignalRandom random = { seed };
  guint tail = (guint) (MEDIA_RATE * reverberation * 0.75);      /* to -45 dB */
  double energy = 0, scale;

  room->length = delay + tail;
  room->response = g_new0 (float, room->length);
  room->played = g_new0 (float, room->length + MEDIA_FRAME);
  room->response[delay] = 1;
  /* The first reflection comes after 2 ms. */
  for (guint i = MEDIA_RATE / 500; i < tail; i++)
    {
      double noise = signal_uniform (&random) + signal_uniform (&random) + signal_uniform (&random) - 1.5;
      room->response[delay + i] = (float) (0.06 * noise * pow (10, -3.0 * i / (MEDIA_RATE * reverberation)));
    }
  for (guint i = 0; i < room->length; i++)
    energy += (double) room->response[i] * room->response[i];
  scale = pow (10, gain_db / 20) / sqrt (energy);
  for (guint i = 0; i < room->length; i++)
    room->response[i] *= (float) scale;
  return room;
}

void
room_free (Room *room)
{
  if (room == NULL)
    return;
  g_free (room->response);
  g_free (room->played);
  g_free (room);
}

void
room_add_echo (Room *room, const gint16 *far, float *near)
{
  memmove (room->played, room->played + MEDIA_FRAME, room->length * sizeof *room->played);
  for (guint i = 0; i < MEDIA_FRAME; i++)
    room->played[room->length + i]
        = room->rattle > 0 ? (float) (32768 / room->rattle * tanh (room->rattle * far[i] / 32768)) : far[i];
  /* This way round the compiler can do several samples at once. */
  for (guint k = 0; k < room->length; k++)
    {
      const float *played = room->played + room->length - k;
      const float factor = room->response[k];

      for (guint i = 0; i < MEDIA_FRAME; i++)
        near[i] += factor * played[i];
    }
}
