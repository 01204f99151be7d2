/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/playout-stream.h"

#include <string.h>
#include "media/dtmf-core.h"
#include "media/media-comfort.h"
#include "media/media-gaps.h"
#include "media/media-level.h"
#include "media/media-octets.h"
#include "media/media-red.h"
#include "media/media-stretch.h"
#include "media/playout-core.h"

/* Decoded samples stand in `pcm` until they are played: never more than a packet and what stretching needs. Every decision appends to
 * it; every pull takes 480 from its front. */

#define HISTORY MEDIA_STRETCH_MAX
#define PCM_MAX (48 * (MEDIA_MAX_FRAME_MS + 100))       /* a packet behind what shortening needs: 158 ms (tests/media/playout-check) */
#define QUIET_FRAMES 10         /* of low level in a row are a pause, and no stop consonant */
#define SHORTEN_NEEDS (MEDIA_STRETCH_MAX + MEDIA_STRETCH_FADE)
#define SEAM 240                /* samples: 5 ms */
#define RTP_HEADER 12
#define NOISE_TYPE 13           /* RFC 3551 table 4 */

typedef struct
{
  PhoneCodecId codec;
  guint32 ssrc;
  guint16 seq;
  gsize length;
  guint8 *data;                 /* NULL: none */
} Payload;

struct _PlayoutStream
{
  PlayoutFormat formats[128];
  Playout *playout;
  Payload payloads[PLAYOUT_SLOTS];
  MediaDecoder *decoders[phone_codec_id_n_values];
  MediaDecoder *decoder;        /* the one in use, or NULL */
  PhoneCodecId codec;
  MediaComfort *comfort;
  gboolean comforting;
  gint16 tail[SEAM];            /* concealment as it would have gone on, to fade from */
  gboolean concealing, have_tail;
  DtmfReceiver dtmf;
  MediaGaps gaps;
  gint16 buffer[HISTORY + PCM_MAX];     /* what was played last, then what waits */
  gint16 *pcm;                          /* buffer + HISTORY */
  guint n_pcm;
  double floor, floor_now;              /* level of the quietest stretches, dBFS */
  guint floor_frames, quiet_run;
  MediaReceiveStats stats;
};

PlayoutStream *
playout_stream_new (void)
{
  PlayoutStream *stream = g_new0 (PlayoutStream, 1);

  stream->playout = playout_new ();
  stream->comfort = media_comfort_new ();
  stream->pcm = stream->buffer + HISTORY;
  stream->floor = stream->floor_now = -60;
  stream->stats.level = -127;
  return stream;
}

void
playout_stream_free (PlayoutStream *stream)
{
  if (!stream)
    return;
  for (guint i = 0; i < PLAYOUT_SLOTS; i++)
    g_free (stream->payloads[i].data);
  for (guint i = 0; i < G_N_ELEMENTS (stream->decoders); i++)
    media_decoder_free (stream->decoders[i]);
  playout_free (stream->playout);
  media_comfort_free (stream->comfort);
  g_free (stream);
}

void
playout_stream_set_bounds (PlayoutStream *stream, guint min_ms, guint max_ms)
{
  playout_set_bounds (stream->playout, min_ms, max_ms);
}

void
playout_formats_from_plan (PlayoutFormat ret_formats[128], const PhoneMediaPlan *plan)
{
  memset (ret_formats, 0, 128 * sizeof ret_formats[0]);
  ret_formats[NOISE_TYPE] = (PlayoutFormat) { .kind = PLAYOUT_FORMAT_NOISE, .clock_rate = 8000 };
  for (guint i = 0; i < plan->n_receive; i++)
    ret_formats[plan->receive[i].payload_type & 127] = (PlayoutFormat) {
      .kind = PLAYOUT_FORMAT_CODEC, .codec = plan->receive[i].id, .clock_rate = phone_codec_clock_rate (plan->receive[i].id) };
  if (plan->receive_dtmf_8000 >= 0)
    ret_formats[plan->receive_dtmf_8000 & 127] = (PlayoutFormat) { .kind = PLAYOUT_FORMAT_EVENT, .clock_rate = 8000 };
  if (plan->receive_dtmf_48000 >= 0)
    ret_formats[plan->receive_dtmf_48000 & 127] = (PlayoutFormat) { .kind = PLAYOUT_FORMAT_EVENT, .clock_rate = 48000 };
  if (plan->receive_red != 0)
    ret_formats[plan->receive_red & 127] = (PlayoutFormat) { .kind = PLAYOUT_FORMAT_RED, .codec = PHONE_CODEC_OPUS, .clock_rate = 48000 };
}

void
playout_stream_set_formats (PlayoutStream *stream, const PlayoutFormat formats[128])
{
  memcpy (stream->formats, formats, sizeof stream->formats);
}

/* RFC 3550 section 5.1. FALSE: malformed. */
static gboolean
find_payload (const guint8 *packet, gsize length, const guint8 **ret_payload, gsize *ret_length)
{
  gsize header = RTP_HEADER, padding = 0;

  if (length < RTP_HEADER || packet[0] >> 6 != 2)
    return FALSE;
  header += 4u * (packet[0] & 0x0f);
  if (packet[0] & 0x10)
    {
      if (length < header + 4)
        return FALSE;
      header += 4 + 4u * media_read16 (packet + header + 2);
    }
  if (length < header)
    return FALSE;
  if (packet[0] & 0x20)
    {
      padding = packet[length - 1];
      if (padding == 0 || padding > length - header)
        return FALSE;
    }
  *ret_payload = packet + header;
  *ret_length = length - header - padding;
  return *ret_length > 0;
}

/* info: the packet's place; what the payload says is filled in here. */
static void
insert_payload (PlayoutStream *stream, guint8 payload_type, const guint8 *payload, gsize n, PlayoutPacket *info)
{
  const PlayoutFormat *format = &stream->formats[payload_type & 0x7f];
  PlayoutVerdict verdict;
  guint slot;

  info->clock_rate = format->clock_rate;
  switch (format->kind)
    {
    case PLAYOUT_FORMAT_NONE:
    case PLAYOUT_FORMAT_RED:    /* within another */
      return;
    case PLAYOUT_FORMAT_CODEC:
      info->duration = media_decoder_duration (format->codec, payload, n);
      if (info->duration == 0)
        return;
      info->kind = media_decoder_is_dtx (format->codec, payload, n) ? PLAYOUT_DTX : PLAYOUT_SPEECH;
      info->fec = media_decoder_has_fec (format->codec, payload, n);
      break;
    case PLAYOUT_FORMAT_NOISE:
      info->kind = PLAYOUT_NOISE;
      break;
    case PLAYOUT_FORMAT_EVENT:
      info->kind = PLAYOUT_EVENT;
      dtmf_receiver_packet (&stream->dtmf, payload, n, info->timestamp, info->clock_rate, info->arrival);
      break;
    }
  verdict = playout_insert (stream->playout, info, &slot);
  if (verdict == PLAYOUT_STORED || (verdict == PLAYOUT_LATE && !info->copy))
    media_gaps_note (&stream->gaps, info->ssrc, info->seq, info->duration / 48.0, verdict == PLAYOUT_LATE);
  if (verdict != PLAYOUT_STORED)
    return;
  g_free (stream->payloads[slot].data);
  stream->payloads[slot].codec = format->codec;
  stream->payloads[slot].ssrc = info->ssrc;
  stream->payloads[slot].seq = info->seq;
  stream->payloads[slot].length = n;
  stream->payloads[slot].data = g_memdup2 (payload, n);
}

/* The packet first: what is older is placed by it. A copy has no sequence number of its own: it is as many packets back as its timestamp is
 * durations, if packets are all alike there; else nobody knows, and it is left. */
static void
insert_red (PlayoutStream *stream, const guint8 *payload, gsize n, const PlayoutPacket *packet)
{
  MediaRedBlock blocks[MEDIA_RED_MAX];
  guint n_blocks = media_red_parse (payload, n, blocks), duration;
  PlayoutPacket own = *packet;

  if (n_blocks == 0 || stream->formats[blocks[n_blocks - 1].payload_type].kind != PLAYOUT_FORMAT_CODEC)
    return;
  insert_payload (stream, blocks[n_blocks - 1].payload_type, blocks[n_blocks - 1].data, blocks[n_blocks - 1].length, &own);
  for (guint i = 0; i + 1 < n_blocks; i++)
    {
      const MediaRedBlock *b = &blocks[i];
      PlayoutPacket copy = *packet;

      if (stream->formats[b->payload_type].kind != PLAYOUT_FORMAT_CODEC || stream->formats[b->payload_type].codec != PHONE_CODEC_OPUS)
        continue;
      duration = media_decoder_duration (PHONE_CODEC_OPUS, b->data, b->length);
      if (duration == 0 || duration != own.duration || b->offset % duration != 0)
        continue;
      copy.copy = TRUE;
      copy.seq = (guint16) (packet->seq - b->offset / duration);
      copy.timestamp = packet->timestamp - b->offset;
      insert_payload (stream, b->payload_type, b->data, b->length, &copy);
    }
}

void
playout_stream_insert (PlayoutStream *stream, const guint8 *packet, gsize length, gint64 arrival)
{
  PlayoutPacket info = { .arrival = arrival };
  const guint8 *payload;
  gsize n;

  if (!find_payload (packet, length, &payload, &n))
    return;
  info.seq = (guint16) media_read16 (packet + 2);
  info.timestamp = media_read32 (packet + 4);
  info.ssrc = media_read32 (packet + 8);
  if (stream->formats[packet[1] & 0x7f].kind == PLAYOUT_FORMAT_RED)
    insert_red (stream, payload, n, &info);
  else if (n <= MEDIA_MAX_PAYLOAD)
    insert_payload (stream, packet[1] & 0x7f, payload, n, &info);
}

static MediaDecoder *
decoder_for (PlayoutStream *stream, PhoneCodecId codec, gboolean reset)
{
  if (reset)
    g_clear_pointer (&stream->decoders[codec], media_decoder_free);
  if (!stream->decoders[codec])
    {
      g_autoptr (GError) error = NULL;

      stream->decoders[codec] = media_decoder_new (codec, &error);
      if (!stream->decoders[codec])
        g_warning ("%s", error->message);
    }
  stream->decoder = stream->decoders[codec];
  stream->codec = codec;
  g_strlcpy (stream->stats.codec, phone_codec_id_to_string (codec), sizeof stream->stats.codec);
  return stream->decoder;
}

static void
fade_tail (PlayoutStream *stream, gint16 *pcm, guint samples)
{
  if (!stream->have_tail || samples == 0)
    return;
  media_stretch_fade (pcm, stream->tail, MIN (SEAM, samples));
  stream->have_tail = FALSE;
}

/* Appends `samples` made by the decoder's concealment, or silence when there is no decoder yet. */
static void
append_concealed (PlayoutStream *stream, guint samples)
{
  guint rounded = MIN ((samples + 119) / 120 * 120, PCM_MAX - stream->n_pcm);
  gint16 *to = stream->pcm + stream->n_pcm;

  if (!stream->decoder || media_decoder_conceal (stream->decoder, to, rounded / 120 * 120) < 0)
    memset (to, 0, samples * sizeof to[0]);
  fade_tail (stream, to, samples);
  stream->n_pcm += samples;
}

static void
append_comfort (PlayoutStream *stream, const PlayoutDecision *decision)
{
  gint16 *to = stream->pcm + stream->n_pcm;

  if (decision->slot != PLAYOUT_NO_SLOT)
    media_comfort_describe (stream->comfort, stream->payloads[decision->slot].data, stream->payloads[decision->slot].length);
  /* Opus makes its own noise when it is asked to conceal a pause; the others fade out and ours takes over. */
  append_concealed (stream, decision->samples);
  if (!stream->decoder || stream->codec != PHONE_CODEC_OPUS)
    media_comfort_add (stream->comfort, to, decision->samples, !stream->comforting);
  stream->comforting = TRUE;
  stream->concealing = FALSE;
  if (stream->decoder)
    media_decoder_drop (stream->decoder);
  stream->stats.comfort_samples += decision->samples;
}

static void
append_decoded (PlayoutStream *stream, const PlayoutDecision *decision)
{
  Payload *payload = &stream->payloads[decision->slot];
  gint16 pcm[MEDIA_MAX_FRAME_MS * 48], *to = stream->pcm + stream->n_pcm;
  guint wanted = decision->samples + decision->skip;
  MediaDecoder *decoder;
  int n = -1;

  /* The decoder itself smooths what follows its concealment without a jump in time. Where time does jump, fade from what the
   * concealment would have gone on to be. */
  if (stream->concealing && stream->decoder && (decision->rewind || decision->skip > 0))
    stream->have_tail = media_decoder_conceal (stream->decoder, stream->tail, SEAM) == SEAM;
  if (stream->decoder && decision->rewind)
    media_decoder_restore (stream->decoder);
  decoder = decoder_for (stream, payload->codec, decision->reset);
  if (decoder)
    media_decoder_drop (decoder);
  stream->concealing = FALSE;

  if (decoder && decision->action == PLAYOUT_DECODE_FEC)
    n = media_decoder_decode_fec (decoder, payload->data, payload->length, pcm, wanted);
  else if (decoder)
    n = media_decoder_decode (decoder, payload->data, payload->length, pcm, G_N_ELEMENTS (pcm));
  if (n != (int) wanted)
    {
      append_concealed (stream, decision->samples);
      stream->stats.concealed_samples += decision->samples;
      return;
    }
  if (decision->action == PLAYOUT_DECODE_FEC && decision->samples > 0)
    media_gaps_note (&stream->gaps, payload->ssrc, (guint16) (payload->seq - 1), 0, FALSE);
  memcpy (to, pcm + decision->skip, decision->samples * sizeof pcm[0]);
  stream->n_pcm += decision->samples;
  fade_tail (stream, to, decision->samples);
  stream->comforting = FALSE;
  media_comfort_listen (stream->comfort, pcm, wanted);
}

static gboolean
append (PlayoutStream *stream, gint64 now)
{
  PlayoutDecision decision;

  playout_pull (stream->playout, now, stream->n_pcm, &decision);
  switch (decision.action)
    {
    case PLAYOUT_SILENCE:
      memset (stream->pcm + stream->n_pcm, 0, decision.samples * sizeof stream->pcm[0]);
      stream->n_pcm += decision.samples;
      return FALSE;
    case PLAYOUT_COMFORT:
      append_comfort (stream, &decision);
      break;
    case PLAYOUT_DECODE:
    case PLAYOUT_DECODE_FEC:
      append_decoded (stream, &decision);
      break;
    case PLAYOUT_CONCEAL:
      if (stream->decoder && decision.first)
        media_decoder_save (stream->decoder);
      stream->concealing = TRUE;
      append_concealed (stream, decision.samples);
      stream->stats.concealed_samples += decision.samples;
      break;
    }
  return TRUE;
}

static gboolean
is_quiet (PlayoutStream *stream)
{
  double level = media_level (stream->pcm, MEDIA_FRAME);

  stream->floor_now = MIN (stream->floor_now, level);
  if (level < stream->floor)
    stream->floor = MAX (level, -80);
  if (++stream->floor_frames == 200)
    {
      stream->floor = CLAMP (stream->floor_now, -80, -45);
      stream->floor_now = level;
      stream->floor_frames = 0;
    }
  stream->quiet_run = level < MAX (stream->floor + 6, -65) ? stream->quiet_run + 1 : 0;
  return stream->quiet_run >= QUIET_FRAMES;
}

static void
stretch (PlayoutStream *stream, gint64 now)
{
  double wanted_match, match = 1;
  gboolean quiet = is_quiet (stream);
  int wanted = playout_stretch (stream->playout, now, stream->n_pcm, quiet, &wanted_match), lag = -wanted;

  if (wanted == 0)
    return;
  if (wanted < 0)
    {
      while (stream->n_pcm < MEDIA_FRAME + SHORTEN_NEEDS && playout_ready (stream->playout))
        append (stream, now);
      /* After the jump a frame must be left. */
      int most = MIN (MEDIA_STRETCH_MAX, (int) stream->n_pcm - MEDIA_FRAME - (quiet ? 0 : MEDIA_STRETCH_FADE));

      if (quiet)
        most = MIN (most, -wanted);
      if (most < (quiet ? 1 : MEDIA_STRETCH_MIN) || (int) stream->n_pcm < most + MEDIA_STRETCH_FADE)
        return;
      if (quiet)
        lag = most;
      else
        match = media_stretch_match (stream->pcm, MEDIA_STRETCH_MIN, most, &lag);
    }
  else if (!quiet)
    match = media_stretch_match (stream->pcm, -MEDIA_STRETCH_MAX, -MEDIA_STRETCH_MIN, &lag);
  if (match < wanted_match)
    return;
  stream->n_pcm = media_stretch_jump (stream->pcm, stream->n_pcm, lag);
  playout_stretched (stream->playout, -lag);
  if (lag > 0)
    stream->stats.accelerated_samples += (guint) lag;
  else
    stream->stats.expanded_samples += (guint) -lag;
}

gboolean
playout_stream_pull (PlayoutStream *stream, gint16 ret_frame[MEDIA_FRAME], gint64 now)
{
  gboolean playing = TRUE;

  dtmf_receiver_poll (&stream->dtmf, now);
  while (stream->n_pcm < MEDIA_FRAME)
    playing = append (stream, now);
  stretch (stream, now);
  memcpy (ret_frame, stream->pcm, MEDIA_FRAME * sizeof ret_frame[0]);
  memmove (stream->buffer, stream->buffer + MEDIA_FRAME, (HISTORY + stream->n_pcm - MEDIA_FRAME) * sizeof stream->pcm[0]);
  stream->n_pcm -= MEDIA_FRAME;
  stream->stats.level = media_level (ret_frame, MEDIA_FRAME);
  if (playing)
    stream->stats.played_samples += MEDIA_FRAME;
  return playing;
}

gboolean
playout_stream_take_digit (PlayoutStream *stream, char *ret_digit, guint *ret_ms)
{
  return dtmf_receiver_take (&stream->dtmf, ret_digit, ret_ms);
}

void
playout_stream_get_stats (const PlayoutStream *stream, MediaReceiveStats *ret_stats)
{
  PlayoutStats core;

  playout_get_stats (stream->playout, &core);
  *ret_stats = stream->stats;
  ret_stats->received = core.received;
  ret_stats->late = core.late;
  ret_stats->duplicates = core.duplicates;
  ret_stats->lost = core.lost;
  ret_stats->fec_used = core.fec_used;
  ret_stats->copies_used = core.copies_used;
  ret_stats->resets = core.resets;
  ret_stats->target_ms = core.target / 48.0;
  ret_stats->delay_ms = core.delay / 48.0;
  media_gaps_get (&stream->gaps, &ret_stats->gaps);
}
