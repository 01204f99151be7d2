/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft, 1991) for RIFF and WAVE,
 * "Multiple Channel Audio Data and WAVE Files" (Microsoft, 2001) for WAVE_FORMAT_EXTENSIBLE. All numbers
 * are little-endian. */

#include "media/media-wav.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define FORMAT_PCM 0x0001
#define FORMAT_FLOAT 0x0003
#define FORMAT_EXTENSIBLE 0xfffe
#define MAX_CHUNKS 256

static guint16
u16 (const guint8 *p)
{
  return p[0] | p[1] << 8;
}

static guint32
u32 (const guint8 *p)
{
  return u16 (p) | (guint32) u16 (p + 2) << 16;
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "not a WAV file that can be played: %s", what);
  return FALSE;
}

static gboolean
parse_format (const guint8 *fmt, gsize length, MediaWavInfo *info, GError **error)
{
  /* The tail of every subformat GUID that wraps a plain format tag. */
  static const guint8 guid_tail[14] = { 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71 };
  guint tag = u16 (fmt), bits = u16 (fmt + 14);

  info->channels = u16 (fmt + 2);
  info->rate = u32 (fmt + 4);
  info->frame_size = u16 (fmt + 12);
  if (tag == FORMAT_EXTENSIBLE)
    {
      if (length < 40 || memcmp (fmt + 26, guid_tail, sizeof guid_tail) != 0)
        return fail (error, "unknown extensible format");
      tag = u16 (fmt + 24);
    }

  if (tag == FORMAT_PCM && bits == 8)
    info->format = MEDIA_WAV_U8;
  else if (tag == FORMAT_PCM && bits == 16)
    info->format = MEDIA_WAV_S16;
  else if (tag == FORMAT_PCM && bits == 24)
    info->format = MEDIA_WAV_S24;
  else if (tag == FORMAT_PCM && bits == 32)
    info->format = MEDIA_WAV_S32;
  else if (tag == FORMAT_FLOAT && bits == 32)
    info->format = MEDIA_WAV_F32;
  else
    return fail (error, "neither PCM of 8, 16, 24 or 32 bits nor 32-bit float");

  if (info->channels < 1 || info->channels > MEDIA_WAV_MAX_CHANNELS)
    return fail (error, "number of channels");
  if (info->rate < MEDIA_WAV_MIN_RATE || info->rate > MEDIA_WAV_MAX_RATE)
    return fail (error, "sampling rate");
  if (info->frame_size != info->channels * bits / 8)
    return fail (error, "block size does not fit channels and bits");
  return TRUE;
}

gboolean
media_wav_parse (MediaWavRead read, gpointer data, guint64 size, MediaWavInfo *ret_info, GError **error)
{
  MediaWavInfo info = { 0 };
  gboolean have_format = FALSE;
  guint64 at = 12;
  guint8 buffer[40];

  errno = 0;
  if (read (data, 0, buffer, 12) != 12 || memcmp (buffer, "RIFF", 4) != 0
      || memcmp (buffer + 8, "WAVE", 4) != 0)
    return fail (error, errno != 0 ? g_strerror (errno) : "no RIFF/WAVE header");

  for (guint chunks = 0; chunks < MAX_CHUNKS; chunks++)
    {
      guint64 length;

      if (read (data, at, buffer, 8) != 8)
        return fail (error, "no data chunk");
      at += 8;
      length = u32 (buffer + 4);

      if (memcmp (buffer, "fmt ", 4) == 0)
        {
          gsize n = MIN (length, sizeof buffer);

          if (n < 16 || read (data, at, buffer, n) != (gssize) n)
            return fail (error, "format chunk too short");
          if (!parse_format (buffer, n, &info, error))
            return FALSE;
          have_format = TRUE;
        }
      else if (memcmp (buffer, "data", 4) == 0)
        {
          if (!have_format)
            return fail (error, "data before format");
          info.data_offset = at;
          info.frames = (at < size ? MIN (length, size - at) : 0) / info.frame_size;
          if (info.frames == 0)
            return fail (error, "no samples");
          *ret_info = info;
          return TRUE;
        }
      at += length + (length & 1);
    }
  return fail (error, "too many chunks");
}

static float
sample (MediaWavFormat format, const guint8 *p)
{
  switch (format)
    {
    case MEDIA_WAV_U8:
      return (*p - 128) / 128.0f;
    case MEDIA_WAV_S16:
      return (gint16) u16 (p) / 32768.0f;
    case MEDIA_WAV_S24:
      return (gint32) ((guint32) p[0] << 8 | (guint32) p[1] << 16 | (guint32) p[2] << 24) / 2147483648.0f;
    case MEDIA_WAV_S32:
      return (gint32) u32 (p) / 2147483648.0f;
    case MEDIA_WAV_F32:
      {
        guint32 bits = u32 (p);
        float value;

        memcpy (&value, &bits, sizeof value);
        return isnan (value) ? 0 : CLAMP (value, -1.0f, 1.0f);
      }
    }
  g_return_val_if_reached (0);
}

void
media_wav_convert (const MediaWavInfo *info, const guint8 *octets, guint n, float *ret_mono)
{
  guint width = info->frame_size / info->channels;

  for (guint i = 0; i < n; i++)
    {
      float sum = 0;

      for (guint channel = 0; channel < info->channels; channel++, octets += width)
        sum += sample (info->format, octets);
      ret_mono[i] = sum / info->channels;
    }
}

static void
put16 (guint8 *p, guint16 value)
{
  p[0] = value & 0xff;
  p[1] = value >> 8;
}

static void
put32 (guint8 *p, guint32 value)
{
  put16 (p, value & 0xffff);
  put16 (p + 2, value >> 16);
}

void
media_wav_header (guint8 ret_header[MEDIA_WAV_HEADER], guint channels, guint32 samples)
{
  guint frame = 2 * channels;
  guint32 octets = MIN (samples, (G_MAXUINT32 - MEDIA_WAV_HEADER) / frame) * frame;

  memcpy (ret_header, "RIFF    WAVEfmt ", 16);
  put32 (ret_header + 4, octets + MEDIA_WAV_HEADER - 8);
  put32 (ret_header + 16, 16);
  put16 (ret_header + 20, FORMAT_PCM);
  put16 (ret_header + 22, channels);
  put32 (ret_header + 24, MEDIA_RATE);
  put32 (ret_header + 28, MEDIA_RATE * frame);
  put16 (ret_header + 32, frame);
  put16 (ret_header + 34, 16);
  memcpy (ret_header + 36, "data", 4);
  put32 (ret_header + 40, octets);
}
