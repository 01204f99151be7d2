/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/ogg-opus.h"

#include <ogg/ogg.h>
#include <opus_multistream.h>
#include <string.h>

#define MAX_CHANNELS 2
#define PACKETS_PER_PAGE 25
#define MAX_PACKET (2 * 1275 + 8)
#define VENDOR "phoned"

struct _MediaOggOpus
{
  OpusMSEncoder *encoder;
  guint channels;               /* 2; 1: the right one only */
  ogg_stream_state stream;
  MediaOggWrite write;
  gpointer data;
  guint skip;                   /* samples before the first one of ours (pre-skip) */
  guint64 samples;              /* of one channel, added */
  gint64 packets;
  /* The last packet waits, since the one that ends the stream must say so. */
  guint8 packet[MAX_PACKET];
  int length;
};

/* ---- pages ---- */

static gboolean
write_page (MediaOggOpus *ogg, const ogg_page *page, GError **error)
{
  return ogg->write (ogg->data, page->header, (gsize) page->header_len, error)
         && ogg->write (ogg->data, page->body, (gsize) page->body_len, error);
}

static gboolean
flush (MediaOggOpus *ogg, GError **error)
{
  ogg_page page;

  while (ogg_stream_flush (&ogg->stream, &page) != 0)
    if (!write_page (ogg, &page, error))
      return FALSE;
  return TRUE;
}

static void
put_u16 (guint8 *at, guint value)
{
  at[0] = value & 0xff;
  at[1] = (guint8) (value >> 8);
}

static void
put_u32 (guint8 *at, guint32 value)
{
  put_u16 (at, value & 0xffff);
  put_u16 (at + 2, value >> 16);
}

/* RFC 7845 section 5.1: version, channels, pre-skip, input rate, gain, mapping family, streams, coupled streams, mapping. */
static gboolean
write_head (MediaOggOpus *ogg, GError **error)
{
  guint8 head[21 + MAX_CHANNELS] = "OpusHead";
  ogg_packet packet = { .packet = head, .bytes = 21 + (long) ogg->channels, .b_o_s = 1, .packetno = 0 };

  head[8] = 1;
  head[9] = (guint8) ogg->channels;
  put_u16 (head + 10, ogg->skip);
  put_u32 (head + 12, MEDIA_RATE);
  head[18] = 1;
  head[19] = (guint8) ogg->channels;    /* streams, none of them coupled */
  head[20] = 0;
  for (guint8 i = 0; i < ogg->channels; i++)
    head[21 + i] = i;
  ogg_stream_packetin (&ogg->stream, &packet);
  return flush (ogg, error);
}

/* Section 5.2: vendor, and no comments. */
static gboolean
write_tags (MediaOggOpus *ogg, GError **error)
{
  guint8 tags[8 + 4 + sizeof VENDOR - 1 + 4] = "OpusTags";
  ogg_packet packet = { .packet = tags, .bytes = sizeof tags, .packetno = 1 };

  put_u32 (tags + 8, sizeof VENDOR - 1);
  memcpy (tags + 12, VENDOR, sizeof VENDOR - 1);
  ogg_stream_packetin (&ogg->stream, &packet);
  return flush (ogg, error);
}

/* ---- packets ---- */

MediaOggOpus *
media_ogg_opus_new (guint channels, guint bitrate, MediaOggWrite write, gpointer data, GError **error)
{
  static const unsigned char mapping[MAX_CHANNELS] = { 0, 1 };
  g_autoptr (MediaOggOpus) ogg = g_new0 (MediaOggOpus, 1);
  int code = OPUS_OK;
  opus_int32 skip = 0;

  ogg->channels = channels;
  ogg->write = write;
  ogg->data = data;
  ogg_stream_init (&ogg->stream, (int) (g_random_int () & G_MAXINT));
  ogg->encoder = opus_multistream_encoder_create (MEDIA_RATE, (int) channels, (int) channels, 0, mapping, OPUS_APPLICATION_VOIP, &code);
  if (ogg->encoder == NULL)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "A recording cannot be encoded: %s", opus_strerror (code));
      return NULL;
    }
  opus_multistream_encoder_ctl (ogg->encoder, OPUS_SET_BITRATE ((opus_int32) (channels * bitrate)));
  opus_multistream_encoder_ctl (ogg->encoder, OPUS_SET_COMPLEXITY (5));
  opus_multistream_encoder_ctl (ogg->encoder, OPUS_SET_SIGNAL (OPUS_SIGNAL_VOICE));
  opus_multistream_encoder_ctl (ogg->encoder, OPUS_GET_LOOKAHEAD (&skip));
  ogg->skip = (guint) skip;
  return write_head (ogg, error) && write_tags (ogg, error) ? g_steal_pointer (&ogg) : NULL;
}

/* Puts the waiting packet into the stream. granule: samples up to its end, pre-skip counted. */
static void
put_packet (MediaOggOpus *ogg, guint64 granule, gboolean last)
{
  ogg_packet packet = { .packet = ogg->packet, .bytes = ogg->length, .granulepos = (ogg_int64_t) granule, .packetno = 2 + ogg->packets++,
                        .e_o_s = last };

  ogg_stream_packetin (&ogg->stream, &packet);
  ogg->length = 0;
}

static gboolean
encode (MediaOggOpus *ogg, const gint16 *left, const gint16 *right, GError **error)
{
  opus_int16 all[MAX_CHANNELS * MEDIA_OGG_PACKET];
  guint n = ogg->channels;

  for (guint i = 0; i < MEDIA_OGG_PACKET; i++)
    {
      all[n * i] = left != NULL ? left[i] : 0;
      all[n * i + n - 1] = right != NULL ? right[i] : 0;
    }
  ogg->length = opus_multistream_encode (ogg->encoder, all, MEDIA_OGG_PACKET, ogg->packet, sizeof ogg->packet);
  if (ogg->length > 0)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "A recording cannot be encoded: %s", opus_strerror (ogg->length));
  ogg->length = 0;
  return FALSE;
}

gboolean
media_ogg_opus_add (MediaOggOpus *ogg, const gint16 *left, const gint16 *right, GError **error)
{
  if (ogg->length > 0)
    {
      put_packet (ogg, ogg->samples, FALSE);
      if (ogg->packets % PACKETS_PER_PAGE == 0 && !flush (ogg, error))
        return FALSE;
    }
  if (!encode (ogg, left, right, error))
    return FALSE;
  ogg->samples += MEDIA_OGG_PACKET;
  return TRUE;
}

/* The encoder is behind by the pre-skip: silence pushes out what it still holds, and the last granule position, before the end of the last
 * packet, cuts that off again (RFC 7845 section 4.4). */
gboolean
media_ogg_opus_finish (MediaOggOpus *ogg, GError **error)
{
  guint64 end = ogg->samples + ogg->skip;

  while (ogg->samples < end)
    if (!media_ogg_opus_add (ogg, NULL, NULL, error))
      return FALSE;
  put_packet (ogg, end, TRUE);
  ogg->samples = end - ogg->skip;
  return flush (ogg, error);
}

guint64
media_ogg_opus_get_ms (const MediaOggOpus *ogg)
{
  return ogg->samples * 1000 / MEDIA_RATE;
}

void
media_ogg_opus_free (MediaOggOpus *ogg)
{
  if (ogg == NULL)
    return;
  g_clear_pointer (&ogg->encoder, opus_multistream_encoder_destroy);
  ogg_stream_clear (&ogg->stream);
  memset (ogg->packet, 0, sizeof ogg->packet);
  g_free (ogg);
}
