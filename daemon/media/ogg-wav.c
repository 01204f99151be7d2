/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/ogg-wav.h"

#include <ogg/ogg.h>
#include <opus_multistream.h>
#include <string.h>

#include "media/media-wav.h"

#define MAX_CHANNELS 2
#define MAX_FRAMES 5760                 /* 120 ms, the longest packet (RFC 6716) */
#define MAX_WAITING 16384               /* octets of one packet, over however many pages */
#define PIECE 4096

struct _MediaOggWav
{
  MediaOggWrite write;
  gpointer data;
  ogg_sync_state sync;
  ogg_stream_state stream;
  gboolean begun;                       /* the stream is known */
  guint headers;                        /* read: 1: OpusHead, 2: OpusTags */
  OpusMSDecoder *decoder;
  guint channels, skip;
  guint64 decoded;                      /* samples of a channel, those that are skipped counted */
};

MediaOggWav *
media_ogg_wav_new (MediaOggWrite write, gpointer data)
{
  MediaOggWav *wav = g_new0 (MediaOggWav, 1);

  wav->write = write;
  wav->data = data;
  ogg_sync_init (&wav->sync);
  return wav;
}

/* ---- headers ---- */

static gboolean
refuse (GError **error, const char *why)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "This is no recording: %s", why);
  return FALSE;
}

/* RFC 7845 section 5.1. Family 0 is one stream, coupled if there are two channels; family 1 says which channel comes from where. */
static gboolean
read_head (MediaOggWav *wav, const guint8 *head, gsize length, GError **error)
{
  unsigned char mapping[MAX_CHANNELS] = { 0, 1 };
  guint8 header[MEDIA_WAV_HEADER];
  int streams = 1, coupled, code = OPUS_OK;

  if (length < 19 || memcmp (head, "OpusHead", 8) != 0 || (head[8] & 0xf0) != 0)
    return refuse (error, "it does not begin with the header of Opus");
  wav->channels = head[9];
  if (wav->channels < 1 || wav->channels > MAX_CHANNELS)
    return refuse (error, "it has more than two channels");
  wav->skip = head[10] | (guint) head[11] << 8;
  coupled = (int) wav->channels - 1;
  if (head[18] == 1)
    {
      if (length < 21 + wav->channels)
        return refuse (error, "its header is cut off");
      streams = head[19];
      coupled = head[20];
      memcpy (mapping, head + 21, wav->channels);
    }
  if (head[18] > 1 || streams > MAX_CHANNELS)
    return refuse (error, "its channels are those of something else");
  wav->decoder = opus_multistream_decoder_create (MEDIA_RATE, (int) wav->channels, streams, coupled, mapping, &code);
  if (!wav->decoder)
    return refuse (error, opus_strerror (code));
  media_wav_header (header, wav->channels, G_MAXUINT32);
  return wav->write (wav->data, header, sizeof header, error);
}

/* ---- sound ---- */

/* What stands before the pre-skip, and behind the last granule position, is no sound (RFC 7845 sections 4.2 and 4.4). */
static gboolean
decode (MediaOggWav *wav, const ogg_packet *packet, GError **error)
{
  opus_int16 samples[MAX_CHANNELS * MAX_FRAMES];
  int n = opus_multistream_decode (wav->decoder, packet->packet, (opus_int32) packet->bytes, samples, MAX_FRAMES, 0);
  guint from, to;
  gboolean done;

  if (n <= 0)
    return TRUE;
  from = (guint) MIN ((guint64) n, wav->skip > wav->decoded ? wav->skip - wav->decoded : 0);
  to = (guint) n;
  if (packet->e_o_s && packet->granulepos >= 0)
    to = (guint) CLAMP (packet->granulepos - (gint64) wav->decoded, 0, n);
  wav->decoded += (guint) n;
  for (guint i = 0; i < (guint) n * wav->channels; i++)
    samples[i] = (opus_int16) GINT16_TO_LE (samples[i]);
  done = to <= from || wav->write (wav->data, samples + from * wav->channels, (to - from) * wav->channels * sizeof *samples, error);
  explicit_bzero (samples, sizeof samples);
  return done;
}

static gboolean
take_packet (MediaOggWav *wav, const ogg_packet *packet, GError **error)
{
  switch (wav->headers)
    {
    case 0:
      wav->headers++;
      return read_head (wav, packet->packet, (gsize) MAX (packet->bytes, 0), error);
    case 1:
      wav->headers++;
      return TRUE;
    }
  return decode (wav, packet, error);
}

static gboolean
take_page (MediaOggWav *wav, ogg_page *page, GError **error)
{
  ogg_packet packet;
  int r;

  if (!wav->begun)
    {
      if (!ogg_page_bos (page))
        return refuse (error, "its beginning is missing");
      ogg_stream_init (&wav->stream, ogg_page_serialno (page));
      wav->begun = TRUE;
    }
  if (ogg_stream_pagein (&wav->stream, page) != 0)      /* of another stream */
    return TRUE;
  while ((r = ogg_stream_packetout (&wav->stream, &packet)) != 0)
    if (r > 0 && !take_packet (wav, &packet, error))
      return FALSE;
  return wav->stream.body_fill - wav->stream.body_returned <= MAX_WAITING || refuse (error, "its packets are too large");
}

gboolean
media_ogg_wav_add (MediaOggWav *wav, const guint8 *octets, gsize length, GError **error)
{
  ogg_page page;
  int r;

  for (gsize n; length > 0; octets += n, length -= n)
    {
      n = MIN (length, PIECE);
      memcpy (ogg_sync_buffer (&wav->sync, (long) n), octets, n);
      ogg_sync_wrote (&wav->sync, (long) n);
      while ((r = ogg_sync_pageout (&wav->sync, &page)) != 0)
        if (r > 0 && !take_page (wav, &page, error))
          return FALSE;
    }
  return TRUE;
}

void
media_ogg_wav_free (MediaOggWav *wav)
{
  if (!wav)
    return;
  g_clear_pointer (&wav->decoder, opus_multistream_decoder_destroy);
  if (wav->begun)
    ogg_stream_clear (&wav->stream);
  ogg_sync_clear (&wav->sync);
  g_free (wav);
}
