/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Test signals and comparisons for the media tests: no device, no file. All at MEDIA_RATE. */

#include "media/media-types.h"

/* A small generator of its own: the tests need the same numbers everywhere. */
typedef struct { guint64 state; } SignalRandom;
guint32 signal_random (SignalRandom *random);
double signal_uniform (SignalRandom *random);                   /* 0..1 */

/* Something with the structure of speech: syllables of pulses through moving formants, hisses, pauses; about -20 dBFS. */
void signal_speech (gint16 *ret_pcm, guint n, guint64 seed);
void signal_tone (gint16 *ret_pcm, guint n, double hz, double amplitude, guint *phase);

/* Best normalised correlation of b against a over lags 0..max_lag (b is late by the lag), -1..1. */
double signal_correlate (const gint16 *a, const gint16 *b, guint n, guint max_lag, guint *ret_lag);
/* Signal to noise ratio in dB of b, delayed by lag and scaled at best, against a. */
double signal_snr (const gint16 *a, const gint16 *b, guint n, guint lag);
double signal_power_db (const gint16 *pcm, guint n);            /* dBFS, RMS */
