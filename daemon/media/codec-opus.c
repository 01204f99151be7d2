/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/codec-impl.h"

#include <opus.h>
#include <string.h>
#include "util/phone-error.h"

/* Opus for speech (RFC 6716, RTP: RFC 7587). Always 48 kHz mono on our side: the codec resamples inside. The peer's fmtp parameters
 * bound what rate control may ask. */

#define WIDE_BAND_BELOW 21000           /* bit/s */
#define ROOM_LEAST 10                   /* octets: Opus at its least in 10 ms */

typedef struct
{
  OpusEncoder *opus;
  PhoneCodec codec;
  MediaRate rate;
  gboolean quiet;               /* the last frame needed no packet */
} OpusState;

static gpointer
fail (int code, const char *what, GError **error)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no Opus %s: %s", what, opus_strerror (code));
  return NULL;
}

/* RFC 6716 table 1; RFC 7587 section 6.1: maxplaybackrate is a hint of what is worth sending. Left to itself libopus goes beyond wide band from
 * 15 kbit/s on, and takes the bits from below: at 16 kbit/s ESTOI is 0.944 with all and 0.960 with wide band. */
static int
bandwidth_for (const PhoneCodec *codec, guint bitrate)
{
  guint32 playback_rate = codec->max_playback_rate;

  if (bitrate < WIDE_BAND_BELOW && (playback_rate == 0 || playback_rate > 12000))
    return OPUS_BANDWIDTH_WIDEBAND;
  if (playback_rate == 0 || playback_rate > 24000)
    return OPUS_BANDWIDTH_FULLBAND;
  if (playback_rate > 16000)
    return OPUS_BANDWIDTH_SUPERWIDEBAND;
  if (playback_rate > 12000)
    return OPUS_BANDWIDTH_WIDEBAND;
  return playback_rate > 8000 ? OPUS_BANDWIDTH_MEDIUMBAND : OPUS_BANDWIDTH_NARROWBAND;
}

static gpointer
opus_state_new (const PhoneCodec *codec, GError **error)
{
  int code;
  OpusEncoder *opus = opus_encoder_create (MEDIA_RATE, 1, OPUS_APPLICATION_VOIP, &code);
  OpusState *state;

  if (!opus)
    return fail (code, "encoder", error);
  state = g_new0 (OpusState, 1);
  state->opus = opus;
  state->codec = *codec;
  opus_encoder_ctl (opus, OPUS_SET_SIGNAL (OPUS_SIGNAL_VOICE));
  opus_encoder_ctl (opus, OPUS_SET_LSB_DEPTH (16));
  opus_encoder_ctl (opus, OPUS_SET_VBR_CONSTRAINT (1));
  return state;
}

static void
opus_set_rate (gpointer encoder, const MediaRate *rate)
{
  OpusState *state = encoder;
  guint bitrate = rate->bitrate;

  if (state->codec.max_average_bitrate > 0)
    bitrate = MIN (bitrate, state->codec.max_average_bitrate);
  opus_encoder_ctl (state->opus, OPUS_SET_BITRATE ((opus_int32) CLAMP (bitrate, 6000, 510000)));
  opus_encoder_ctl (state->opus, OPUS_SET_MAX_BANDWIDTH (bandwidth_for (&state->codec, bitrate)));
  opus_encoder_ctl (state->opus, OPUS_SET_VBR (!state->codec.cbr && !rate->cbr));
  opus_encoder_ctl (state->opus, OPUS_SET_COMPLEXITY ((opus_int32) MIN (rate->complexity, 10)));
  opus_encoder_ctl (state->opus, OPUS_SET_PACKET_LOSS_PERC ((opus_int32) MIN (rate->loss_percent, 100)));
  opus_encoder_ctl (state->opus, OPUS_SET_INBAND_FEC (rate->fec && state->codec.use_inband_fec));
  opus_encoder_ctl (state->opus, OPUS_SET_DTX (rate->dtx && state->codec.use_dtx));
  state->rate = *rate;
}

static int
opus_encode_frame (gpointer encoder, const gint16 *pcm, guint samples, guint8 *ret_payload)
{
  OpusState *state = encoder;
  gsize room = state->rate.bounded ? (gsize) state->rate.bitrate * samples / MEDIA_RATE / 8 : MEDIA_MAX_PAYLOAD;
  int octets = opus_encode (state->opus, pcm, (int) samples, ret_payload, (opus_int32) CLAMP (room, ROOM_LEAST, MEDIA_MAX_PAYLOAD));

  if (octets < 0)
    return -1;
  /* "If the return value is 2 bytes or less, then the packet does not need to be transmitted (DTX)." The first of them goes out all the
   * same: it tells the receiver that a pause begins and not a loss. */
  if (octets <= 2 && state->rate.dtx && state->codec.use_dtx)
    {
      gboolean first = !state->quiet;

      state->quiet = TRUE;
      return first ? octets : 0;
    }
  state->quiet = FALSE;
  return octets;
}

static void
opus_state_free (gpointer encoder)
{
  OpusState *state = encoder;

  opus_encoder_destroy (state->opus);
  g_free (state);
}

static gpointer
opus_decoder_new (GError **error)
{
  int code;
  OpusDecoder *opus = opus_decoder_create (MEDIA_RATE, 1, &code);

  return opus ? opus : fail (code, "decoder", error);
}

static guint
opus_duration (const guint8 *payload, gsize length)
{
  const guint8 *frames[48];
  opus_int16 sizes[48];
  int samples;

  if (opus_packet_parse (payload, (opus_int32) length, NULL, frames, sizes, NULL) < 0)
    return 0;
  samples = opus_packet_get_nb_samples (payload, (opus_int32) length, MEDIA_RATE);
  return samples > 0 ? (guint) samples : 0;
}

/* The first bits of a SILK frame are, for each channel, one VAD flag per 20 ms and then the flag that says that a low bit-rate copy of
 * the frame before follows (RFC 6716 section 4.2.3); they are coded at one bit each, so they stand in the clear at the top of the first
 * octet. CELT-only packets (configurations 16 and up) have none. */
static gboolean
opus_has_fec (const guint8 *payload, gsize length)
{
  const guint8 *frames[48];
  opus_int16 sizes[48];
  int n_frames = opus_packet_parse (payload, (opus_int32) length, NULL, frames, sizes, NULL);
  int frame_samples, silk_frames, channels;

  if (n_frames < 1 || sizes[0] < 1 || payload[0] & 0x80)
    return FALSE;
  frame_samples = opus_packet_get_samples_per_frame (payload, MEDIA_RATE);
  silk_frames = MAX (1, frame_samples / (MEDIA_RATE / 50));
  channels = opus_packet_get_nb_channels (payload);
  for (int channel = 1; channel <= channels; channel++)
    if (frames[0][0] & (0x80 >> (channel * (silk_frames + 1) - 1)))
      return TRUE;
  return FALSE;
}

static gboolean
opus_is_dtx (const guint8 *payload, gsize length)
{
  return length <= 2;
}

static int
opus_decode_frame (gpointer decoder, const guint8 *payload, gsize length, gint16 *ret_pcm, guint capacity)
{
  int samples = opus_decode (decoder, payload, (opus_int32) length, ret_pcm, (int) capacity, 0);

  return samples < 0 ? -1 : samples;
}

static int
opus_conceal (gpointer decoder, gint16 *ret_pcm, guint samples)
{
  int n = opus_decode (decoder, NULL, 0, ret_pcm, (int) samples, 0);

  return n < 0 ? -1 : n;
}

static int
opus_decode_copy (gpointer decoder, const guint8 *payload, gsize length, gint16 *ret_pcm, guint samples)
{
  int n = opus_decode (decoder, payload, (opus_int32) length, ret_pcm, (int) samples, 1);

  return n < 0 ? -1 : n;
}

/* opus_decoder_get_size: "the state is contiguous in memory and only a shallow copy is required to copy it". */
static gsize
opus_saved_size (void)
{
  return (gsize) opus_decoder_get_size (1);
}

static void
opus_save (gpointer decoder, gpointer ret_saved)
{
  memcpy (ret_saved, decoder, opus_saved_size ());
}

static void
opus_restore (gpointer decoder, gconstpointer saved)
{
  memcpy (decoder, saved, opus_saved_size ());
}

static void
opus_decoder_free (gpointer decoder)
{
  opus_decoder_destroy (decoder);
}

const CodecImpl codec_opus = {
  .encoder_new = opus_state_new,
  .encoder_set_rate = opus_set_rate,
  .encode = opus_encode_frame,
  .encoder_free = opus_state_free,
  .decoder_new = opus_decoder_new,
  .duration = opus_duration,
  .has_fec = opus_has_fec,
  .is_dtx = opus_is_dtx,
  .decode = opus_decode_frame,
  .decode_fec = opus_decode_copy,
  .conceal = opus_conceal,
  .saved_size = opus_saved_size,
  .save = opus_save,
  .restore = opus_restore,
  .decoder_free = opus_decoder_free,
};
