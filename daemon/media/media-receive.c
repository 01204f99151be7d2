/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-receive.h"

#include <string.h>
#include "media/media-thread.h"
#include "media/playout-stream.h"

/* Between the network's thread and the hub's stands one small ring of packets under a lock that is held for a few pointer moves. All
 * else belongs to the hub thread. */

#define RING 128                /* packets: more than a second of them at 10 ms each; older ones go when nobody pulls */

typedef struct
{
  gint64 arrival;
  gsize length;
  guint8 data[];
} Packet;

struct _MediaReceive
{
  pthread_mutex_t lock;
  Packet *ring[RING];
  guint first, count;
  guint64 overflows;
  PlayoutFormat formats[128];
  gboolean formats_changed;
  MediaReceiveDtmf dtmf;
  gpointer dtmf_data;
  MediaReceiveStats stats;      /* as of the last pull */

  PlayoutStream *stream;        /* hub thread */
};

MediaReceive *
media_receive_new (void)
{
  MediaReceive *receive = g_new0 (MediaReceive, 1);

  media_mutex_init (&receive->lock);
  receive->stream = playout_stream_new ();
  receive->stats.level = -127;
  return receive;
}

void
media_receive_free (MediaReceive *receive)
{
  if (receive == NULL)
    return;
  while (receive->count-- > 0)
    {
      g_free (receive->ring[receive->first]);
      receive->first = (receive->first + 1) % RING;
    }
  playout_stream_free (receive->stream);
  pthread_mutex_destroy (&receive->lock);
  g_free (receive);
}

void
media_receive_put (MediaReceive *receive, const guint8 *data, gsize length, gint64 arrival)
{
  Packet *packet, *dropped = NULL;

  if (length > PLAYOUT_MAX_PACKET)
    return;
  packet = g_malloc (sizeof *packet + length);
  packet->arrival = arrival;
  packet->length = length;
  memcpy (packet->data, data, length);
  pthread_mutex_lock (&receive->lock);
  if (receive->count == RING)
    {
      dropped = receive->ring[receive->first];
      receive->first = (receive->first + 1) % RING;
      receive->count--;
      receive->overflows++;
    }
  receive->ring[(receive->first + receive->count++) % RING] = packet;
  pthread_mutex_unlock (&receive->lock);
  g_free (dropped);
}

void
media_receive_set_formats (MediaReceive *receive, const PhoneMediaPlan *plan)
{
  pthread_mutex_lock (&receive->lock);
  playout_formats_from_plan (receive->formats, plan);
  receive->formats_changed = TRUE;
  pthread_mutex_unlock (&receive->lock);
}

void
media_receive_set_dtmf_handler (MediaReceive *receive, MediaReceiveDtmf handler, gpointer data)
{
  pthread_mutex_lock (&receive->lock);
  receive->dtmf = handler;
  receive->dtmf_data = data;
  pthread_mutex_unlock (&receive->lock);
}

gboolean
media_receive_pull (MediaReceive *receive, gint16 *frame, gint64 now)
{
  Packet *packets[RING];
  guint count;
  MediaReceiveStats stats;
  MediaReceiveDtmf dtmf;
  gpointer dtmf_data;
  gboolean playing;
  char digit;
  guint ms;

  pthread_mutex_lock (&receive->lock);
  count = receive->count;
  for (guint i = 0; i < count; i++)
    packets[i] = receive->ring[(receive->first + i) % RING];
  receive->first = receive->count = 0;
  if (receive->formats_changed)
    playout_stream_set_formats (receive->stream, receive->formats);
  receive->formats_changed = FALSE;
  dtmf = receive->dtmf;
  dtmf_data = receive->dtmf_data;
  pthread_mutex_unlock (&receive->lock);

  for (guint i = 0; i < count; i++)
    {
      playout_stream_insert (receive->stream, packets[i]->data, packets[i]->length, packets[i]->arrival);
      g_free (packets[i]);
    }
  playing = playout_stream_pull (receive->stream, frame, now);
  while (playout_stream_take_digit (receive->stream, &digit, &ms))
    if (dtmf)
      dtmf (digit, ms, dtmf_data);

  playout_stream_get_stats (receive->stream, &stats);
  pthread_mutex_lock (&receive->lock);
  receive->stats = stats;
  pthread_mutex_unlock (&receive->lock);
  return playing;
}

void
media_receive_get_stats (MediaReceive *receive, MediaReceiveStats *ret_stats)
{
  pthread_mutex_lock (&receive->lock);
  *ret_stats = receive->stats;
  ret_stats->overflows = receive->overflows;
  pthread_mutex_unlock (&receive->lock);
}
