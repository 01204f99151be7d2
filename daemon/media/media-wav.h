/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The RIFF/WAVE container, no files and no threads: a strict reader of headers, the conversion of any PCM
 * or float layout to mono, and the header of the recordings that we write. Input may come from anywhere:
 * everything in it is bounded before it is used. */

#include "media/media-types.h"
#include "util/phone-error.h"

typedef enum { MEDIA_WAV_U8, MEDIA_WAV_S16, MEDIA_WAV_S24, MEDIA_WAV_S32, MEDIA_WAV_F32 } MediaWavFormat;

#define MEDIA_WAV_MAX_CHANNELS 32
#define MEDIA_WAV_MIN_RATE 1000
#define MEDIA_WAV_MAX_RATE 384000

typedef struct
{
  MediaWavFormat format;
  guint channels;
  guint rate;                   /* Hz */
  guint frame_size;             /* octets of one sample of all channels */
  guint64 data_offset;          /* octets from the start of the file */
  guint64 frames;               /* at least 1, all inside the file */
} MediaWavInfo;

/* Reads up to n octets at offset; returns how many, fewer only at the end of the file, or -1 with errno. */
typedef gssize (*MediaWavRead) (gpointer data, guint64 offset, void *ret_octets, gsize n);

/* size: octets of the whole file. A data chunk that claims more than there is (a recording that was cut
 * off) ends with the file. INVALID_OPTION says what is wrong with the header. */
gboolean media_wav_parse (MediaWavRead read, gpointer data, guint64 size, MediaWavInfo *ret_info,
                          GError **error);

/* The mean of all channels, -1..1; a NaN counts as 0. octets holds n * frame_size octets. */
void media_wav_convert (const MediaWavInfo *info, const guint8 *octets, guint n, float *ret_mono);

/* The header of a MEDIA_RATE 16 bit file with so many samples in each channel (as many as the header can say: in one channel MEDIA_WAV_MAX_SAMPLES). */
#define MEDIA_WAV_HEADER 44
#define MEDIA_WAV_MAX_SAMPLES ((G_MAXUINT32 - MEDIA_WAV_HEADER) / 2)
void media_wav_header (guint8 ret_header[MEDIA_WAV_HEADER], guint channels, guint32 samples);
