/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-send.h"

#include <string.h>
#include "media/dtmf-core.h"
#include "media/media-level.h"
#include "media/media-octets.h"
#include "media/media-red.h"
#include "media/media-thread.h"
#include "util/phone-error.h"

/* Three threads meet here. The hub pushes frames, the main thread changes settings, the I/O thread drains. One short lock guards the
 * ring and the settings; encoding and pushing happen outside it, with state that only drain() touches. A new encoder is made on the main
 * thread and handed over ("incoming"); the one that it replaces is freed by drain().
 *
 * Media time counts 10 ms frames that the hub ticked, sent or not: `position`. RTP timestamps follow it at the clock rate of the codec.
 * When the rate changes the SSRC stays and the timestamps go on from where they are at the new rate, so they never run backwards
 * (RFC 7160 section 4.2 calls this the monotonous method). Frames that never came (the hub did not tick: nothing attached) move
 * the position by the clock of their stamps.
 *
 * A marker bit says that a talkspurt begins (RFC 3551 section 4.1): first packet, after DTX, after events, after a hold. */

#define RING 24                 /* frames: a stall of the I/O thread of 240 ms loses nothing */
#define GAP_US (200 * 1000)     /* ticks further apart were a pause */
#define RTP_HEADER 12
#define SEGMENT_MAX_MS 60
#define MEDIA_SEND_COPIES 2
#define MEDIA_SEND_MAX_RED 1200         /* octets: more would not fit one packet */
#define MAX_PAYLOAD MAX (MEDIA_SEND_MAX_RED, MEDIA_MAX_PAYLOAD)

typedef struct
{
  PhoneCodec codec;
  int dtmf_type;                /* payload type, -1: none */
  guint8 red_type;              /* payload type, 0: none */
  guint ptime;
  MediaEncoder *encoder;        /* NULL: keep the present one */
} Format;

/* A packet that went out. length 0: none, or none that may be sent again. */
typedef struct
{
  guint32 timestamp;
  gsize length;
  guint8 payload[MEDIA_RED_MAX_LENGTH];
} Copy;

struct _MediaSend
{
  pthread_mutex_t lock;
  gint16 ring[RING][MEDIA_FRAME];
  gint64 stamps[RING];
  guint first, count;
  guint64 position;             /* frames ticked before ring[first] */
  gint64 last_push;
  MediaSendWake wake;
  MediaSendPacket packet;
  gpointer data;
  gboolean have_format, enabled, fresh;  /* fresh: the next packet begins a talkspurt */
  PhoneCodec codec;             /* as last set, for comparison */
  Format *incoming;
  MediaRate rate;
  gboolean rate_changed;
  guint frame_ms;               /* of a packet now */
  DtmfSender dtmf;
  int dtmf_type;
  guint dtmf_rate;              /* Hz that durations count in; with Opus not always the codec's */
  guint32 ssrc;
  MediaSendStats stats;

  /* drain() only */
  Format *format;
  MediaEncoder *encoder;
  guint16 seq;
  guint32 timestamp;            /* at base_position */
  guint64 base_position;
  gboolean talking;             /* the packet before this one was audio */
  Copy copies[MEDIA_SEND_COPIES];       /* of the packets before this one, newest first */
};

static void
format_free (Format *format)
{
  if (!format)
    return;
  media_encoder_free (format->encoder);
  g_free (format);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Format, format_free)

MediaSend *
media_send_new (void)
{
  MediaSend *send = g_new0 (MediaSend, 1);

  media_mutex_init (&send->lock);
  send->ssrc = g_random_int ();
  send->seq = (guint16) (g_random_int () & 0x7fff);     /* away from the wrap: old SRTP stacks guess the ROC wrongly (RFC 3711 3.3.1) */
  send->timestamp = g_random_int ();
  send->frame_ms = 20;
  send->dtmf_type = -1;
  send->fresh = TRUE;
  send->stats.level = -127;
  return send;
}

void
media_send_free (MediaSend *send)
{
  if (send == NULL)
    return;
  format_free (send->incoming);
  format_free (send->format);
  media_encoder_free (send->encoder);
  pthread_mutex_destroy (&send->lock);
  g_free (send);
}

guint32
media_send_get_ssrc (MediaSend *send)
{
  return send->ssrc;
}

void
media_send_set_callbacks (MediaSend *send, MediaSendWake wake, MediaSendPacket packet, gpointer data)
{
  pthread_mutex_lock (&send->lock);
  send->wake = wake;
  send->packet = packet;
  send->data = data;
  pthread_mutex_unlock (&send->lock);
}

static gboolean
codec_equal (const PhoneCodec *a, const PhoneCodec *b)
{
  return a->id == b->id && a->max_playback_rate == b->max_playback_rate && a->max_average_bitrate == b->max_average_bitrate
         && a->use_inband_fec == b->use_inband_fec && a->use_dtx == b->use_dtx && a->stereo == b->stereo && a->cbr == b->cbr;
}

static void
update_frame_ms (MediaSend *send, guint ptime)
{
  guint ms = send->rate.frame_ms ? send->rate.frame_ms : ptime ? ptime : 20;

  send->frame_ms = media_encoder_frame_ms (send->codec.id, ms);
}

gboolean
media_send_set_format (MediaSend *send, const PhoneMediaPlan *plan, const MediaRate *rate, GError **error)
{
  g_autoptr (Format) format = g_new0 (Format, 1);
  gboolean same;

  pthread_mutex_lock (&send->lock);
  same = send->have_format && codec_equal (&send->codec, &plan->send);
  pthread_mutex_unlock (&send->lock);

  format->codec = plan->send;
  format->dtmf_type = plan->send_dtmf;
  format->red_type = plan->send_red;
  format->ptime = plan->ptime;
  if (!same)
    {
      format->encoder = media_encoder_new (&plan->send, rate, error);
      if (!format->encoder)
        return FALSE;
    }

  pthread_mutex_lock (&send->lock);
  if (send->incoming && send->incoming->encoder && !format->encoder)
    format->encoder = g_steal_pointer (&send->incoming->encoder);
  format_free (send->incoming);
  if (send->dtmf_type != plan->send_dtmf || (send->have_format && send->codec.id != plan->send.id))
    dtmf_sender_break (&send->dtmf);
  send->have_format = TRUE;
  send->codec = plan->send;
  send->dtmf_type = plan->send_dtmf;
  send->dtmf_rate = plan->send_dtmf_rate != 0 ? plan->send_dtmf_rate : phone_codec_clock_rate (plan->send.id);
  send->rate = *rate;
  send->rate_changed = TRUE;
  update_frame_ms (send, plan->ptime);
  g_strlcpy (send->stats.codec, phone_codec_id_to_string (plan->send.id), sizeof send->stats.codec);
  send->incoming = g_steal_pointer (&format);
  pthread_mutex_unlock (&send->lock);
  return TRUE;
}

void
media_send_set_rate (MediaSend *send, const MediaRate *rate)
{
  pthread_mutex_lock (&send->lock);
  if (rate->stopped)
    {
      send->position += send->count;
      send->count = 0;
      send->fresh = TRUE;
    }
  send->rate = *rate;
  send->rate_changed = TRUE;
  pthread_mutex_unlock (&send->lock);
}

void
media_send_set_enabled (MediaSend *send, gboolean enabled)
{
  pthread_mutex_lock (&send->lock);
  if (send->enabled != enabled)
    {
      send->enabled = enabled;
      send->fresh = TRUE;
      send->position += send->count;
      send->count = 0;
      if (!enabled)
        send->dtmf = (DtmfSender) { 0 };
    }
  pthread_mutex_unlock (&send->lock);
}

void
media_send_push (MediaSend *send, const gint16 *frame, gint64 now)
{
  MediaSendWake wake = NULL;
  gpointer data = NULL;

  pthread_mutex_lock (&send->lock);
  if (send->last_push != 0 && now - send->last_push > GAP_US)
    {
      /* Whatever waits is from before the pause; its media time is over. */
      send->position += send->count + (guint64) (now - send->last_push) / (MEDIA_FRAME_MS * 1000) - 1;
      send->count = 0;
      send->fresh = TRUE;
    }
  send->last_push = now;
  if (!send->enabled || !send->have_format || send->rate.stopped)
    send->position++;
  else
    {
      guint at;

      if (send->count == RING)
        {
          send->first = (send->first + 1) % RING;
          send->count--;
          send->position++;
          send->stats.dropped_frames++;
        }
      at = (send->first + send->count++) % RING;
      memcpy (send->ring[at], frame, sizeof send->ring[at]);
      send->stamps[at] = now;
      if (send->count * MEDIA_FRAME_MS >= send->frame_ms)
        {
          wake = send->wake;
          data = send->data;
        }
    }
  pthread_mutex_unlock (&send->lock);
  if (wake)
    wake (data);
}

typedef struct
{
  gint16 pcm[MEDIA_FRAME * (SEGMENT_MAX_MS / MEDIA_FRAME_MS)];
  guint frames;
  guint64 position;
  gint64 stamp;
  gboolean fresh;
  gboolean event, event_marker; /* a telephone event takes the place of the audio */
  guint8 event_payload[DTMF_PAYLOAD];
  guint32 event_timestamp;
  int event_type;
  guint copies;                 /* of earlier packets, wanted; then those that there are */
} Work;

static guint32
timestamp_at (const MediaSend *send, guint64 position)
{
  return send->timestamp + (guint32) ((position - send->base_position) * (phone_codec_clock_rate (send->format->codec.id) / 100));
}

/* With the lock. Takes over settings that changed. */
static void
take_settings (MediaSend *send)
{
  if (send->incoming)
    {
      Format *format = g_steal_pointer (&send->incoming);

      if (send->format && phone_codec_clock_rate (send->format->codec.id) != phone_codec_clock_rate (format->codec.id))
        {
          send->timestamp = timestamp_at (send, send->position);
          send->base_position = send->position;
        }
      if (!send->format || format->encoder || send->format->codec.payload_type != format->codec.payload_type)
        {
          send->fresh = TRUE;
        }
      if (format->encoder)
        {
          media_encoder_free (send->encoder);
          send->encoder = g_steal_pointer (&format->encoder);
        }
      format_free (send->format);
      send->format = format;
    }
  if (send->rate_changed && send->encoder)
    {
      media_encoder_set_rate (send->encoder, &send->rate);
      update_frame_ms (send, send->format->ptime);
      send->rate_changed = FALSE;
    }
}

static gboolean
take_work (MediaSend *send, Work *work)
{
  guint frames;

  pthread_mutex_lock (&send->lock);
  take_settings (send);
  frames = send->frame_ms / MEDIA_FRAME_MS;
  if (!send->encoder || send->count < frames)
    {
      pthread_mutex_unlock (&send->lock);
      return FALSE;
    }
  work->frames = frames;
  work->position = send->position;
  work->stamp = send->stamps[send->first];
  for (guint i = 0; i < frames; i++)
    {
      memcpy (work->pcm + i * MEDIA_FRAME, send->ring[send->first], sizeof send->ring[0]);
      send->first = (send->first + 1) % RING;
    }
  send->count -= frames;
  send->position += frames;
  work->fresh = send->fresh;
  work->copies = send->rate.copies;
  send->fresh = FALSE;
  work->event_type = send->dtmf_type;
  work->event = send->dtmf_type >= 0
                && dtmf_sender_step (&send->dtmf, send->frame_ms, timestamp_at (send, work->position), send->dtmf_rate,
                                     work->event_payload, &work->event_timestamp, &work->event_marker);
  pthread_mutex_unlock (&send->lock);
  return TRUE;
}

static void
send_packet (MediaSend *send, guint8 type, gboolean marker, guint32 timestamp, const guint8 *payload, gsize length)
{
  guint8 packet[RTP_HEADER + MAX_PAYLOAD];

  packet[0] = 0x80;             /* RFC 3550 section 5.1: version 2 */
  packet[1] = (guint8) ((marker ? 0x80 : 0) | type);
  media_write16 (packet + 2, send->seq++);
  media_write32 (packet + 4, timestamp);
  media_write32 (packet + 8, send->ssrc);
  memcpy (packet + RTP_HEADER, payload, length);
  if (send->packet != NULL)
    send->packet (packet, RTP_HEADER + length, send->data);
}

/* What went out becomes the newest copy; an event leaves a hole, since a copy must be as many packets back as durations. */
static void
remember (MediaSend *send, const guint8 *payload, gsize length, guint32 timestamp)
{
  memmove (send->copies + 1, send->copies, (MEDIA_SEND_COPIES - 1) * sizeof send->copies[0]);
  send->copies[0].length = length <= MEDIA_RED_MAX_LENGTH ? length : 0;
  send->copies[0].timestamp = timestamp;
  if (send->copies[0].length > 0)
    memcpy (send->copies[0].payload, payload, length);
}

/* Copies of the packets before this one in front of its own payload (RFC 2198). Returns the new length, 0: it goes out as it is. */
static gsize
add_copies (MediaSend *send, guint *copies, const guint8 *payload, gsize length, guint32 timestamp, guint frame, guint8 *ret, gsize capacity)
{
  MediaRedBlock blocks[MEDIA_SEND_COPIES + 1];
  guint8 type = send->format->codec.payload_type;
  guint n = 0, wanted = *copies;
  gsize written;

  *copies = 0;
  if (send->format->red_type == 0 || send->format->codec.id != PHONE_CODEC_OPUS)
    return 0;
  for (guint i = MIN (wanted, MEDIA_SEND_COPIES); i-- > 0;)
    if (send->copies[i].length > 0 && timestamp - send->copies[i].timestamp == (i + 1) * frame)
      blocks[n++] = (MediaRedBlock) { .payload_type = type, .offset = (i + 1) * frame, .data = send->copies[i].payload,
                                      .length = send->copies[i].length };
  if (n == 0)
    return 0;
  blocks[n++] = (MediaRedBlock) { .payload_type = type, .data = payload, .length = length };
  written = media_red_write (blocks, n, ret, capacity);
  *copies = written > 0 ? n - 1 : 0;
  return written;
}

static void
send_audio (MediaSend *send, Work *work, const guint8 *payload, gsize length)
{
  guint8 red[MEDIA_SEND_MAX_RED];
  guint32 timestamp = timestamp_at (send, work->position);
  gsize with_copies = add_copies (send, &work->copies, payload, length, timestamp, work->frames * MEDIA_FRAME, red, sizeof red);
  gboolean marker = work->fresh || !send->talking;

  if (with_copies > 0)
    send_packet (send, send->format->red_type, marker, timestamp, red, with_copies);
  else
    send_packet (send, send->format->codec.payload_type, marker, timestamp, payload, length);
  remember (send, payload, length, timestamp);
}

static void
send_event (MediaSend *send, const Work *work)
{
  send_packet (send, (guint8) work->event_type, work->event_marker, work->event_timestamp, work->event_payload, DTMF_PAYLOAD);
  remember (send, NULL, 0, 0);
}

void
media_send_drain (MediaSend *send)
{
  Work work;

  while (take_work (send, &work))
    {
      guint samples = work.frames * MEDIA_FRAME;
      guint8 payload[MEDIA_MAX_PAYLOAD];
      int length = work.event ? DTMF_PAYLOAD : media_encoder_encode (send->encoder, work.pcm, samples, payload);
      double level = media_level (work.pcm, samples);

      if (work.event)
        send_event (send, &work);
      else if (length > 0)
        send_audio (send, &work, payload, (gsize) length);
      else
        memset (send->copies, 0, sizeof send->copies);
      send->talking = !work.event && length > 0;

      pthread_mutex_lock (&send->lock);
      send->stats.level = level;
      send->stats.packets += length > 0;
      send->stats.copies += send->talking ? work.copies : 0;
      send->stats.octets += (guint64) MAX (length, 0);
      send->stats.not_sent += length <= 0;
      pthread_mutex_unlock (&send->lock);
    }
}

gboolean
media_send_dtmf (MediaSend *send, const char *digits, guint ms, GError **error)
{
  gboolean queued = FALSE;

  pthread_mutex_lock (&send->lock);
  if (send->dtmf_type < 0)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the peer takes no telephone events");
  else if (!send->enabled)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "nothing is sent while the call is on hold");
  else if (!(queued = dtmf_sender_queue (&send->dtmf, digits, ms)))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "not digits 0-9 * # A-D, or more than %d of them", DTMF_MAX_QUEUE);
  pthread_mutex_unlock (&send->lock);
  return queued;
}

void
media_send_get_stats (MediaSend *send, MediaSendStats *ret_stats)
{
  pthread_mutex_lock (&send->lock);
  *ret_stats = send->stats;
  pthread_mutex_unlock (&send->lock);
}
