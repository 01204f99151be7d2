/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A room between a loudspeaker and a microphone: a direct path, then a tail that decays exponentially (Polack's model). */

#include "media/media-types.h"

typedef struct
{
  float *response;
  guint length;
  float *played;                /* the last length + MEDIA_FRAME samples, the newest last */
  double rattle;                /* 0: the loudspeaker is linear; else tanh () of so much more than full scale */
} Room;

/* delay: samples until the direct sound. gain: of the echo over the loudspeaker, in dB. reverberation: s until -60 dB. */
Room *room_new (guint64 seed, guint delay, double gain_db, double reverberation);
void room_free (Room *room);
/* Adds the echo of far to near, a frame each. */
void room_add_echo (Room *room, const gint16 *far, float *near);
