/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Between MEDIA_RATE and the 8 or 16 kHz of the telephone codecs. Linear-phase polyphase FIR with a Kaiser window (60 dB), exact sample
 * counts on every call (a 10 ms frame in is a 10 ms frame out), state per stream, a delay that is stated and constant. */

#include "media/media-types.h"

typedef struct _MediaResampler MediaResampler;

/* factor: 6 (8 kHz) or 3 (16 kHz). up: towards MEDIA_RATE. */
MediaResampler *media_resampler_new (guint factor, gboolean up);
/* Group delay in samples at MEDIA_RATE: 72 (1.5 ms) for 8 kHz, 45 (0.94 ms) for 16 kHz. */
guint media_resampler_delay (const MediaResampler *resampler);
/* down: n_in must be a multiple of factor; writes n_in / factor. up: writes n_in * factor. in and out must not overlap. Returns
 * the samples written. */
guint media_resampler_run (MediaResampler *resampler, const gint16 *in, guint n_in, gint16 *ret_out);
gsize media_resampler_size (void);                                        /* octets: the object may be copied as a whole */
void media_resampler_free (MediaResampler *resampler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaResampler, media_resampler_free)
