/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Concealment for codecs that have none of their own: the lost stretch is filled with repetitions of the last pitch period, fading
 * out, and the first good samples are faded in over its continuation. In the manner of ITU-T G.711 Appendix I, for 8 and 16 kHz, and
 * without its 3.75 ms of delay: here the past is not touched, the repetition is bent to start where the past ended. Pure. */

#include <glib.h>

typedef struct _MediaPlc MediaPlc;

MediaPlc *media_plc_new (guint rate);                                   /* Hz: 8000 or 16000 */
/* Samples that were received. After concealment their beginning is changed in place. */
void media_plc_good (MediaPlc *plc, gint16 *pcm, guint n_samples);
/* Samples that were not. Fades to silence after 60 ms without a good one. */
void media_plc_conceal (MediaPlc *plc, gint16 *ret_pcm, guint n_samples);
gsize media_plc_size (void);                                        /* octets: the object may be copied as a whole */
void media_plc_free (MediaPlc *plc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaPlc, media_plc_free)
