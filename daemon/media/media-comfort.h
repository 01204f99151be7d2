/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Comfort noise for codecs that make none themselves: RFC 3389 descriptions (level and, where given, the spectrum), or noise at the level
 * of the quietest stretches heard. Pure. */

#include "media/media-types.h"

typedef struct _MediaComfort MediaComfort;

MediaComfort *media_comfort_new (void);
/* A comfort noise payload: level in -dBov, reflection coefficients (RFC 3389 section 3). Anything malformed is ignored. */
void media_comfort_describe (MediaComfort *comfort, const guint8 *payload, gsize length);
/* What was decoded, to learn the background from. */
void media_comfort_listen (MediaComfort *comfort, const gint16 *pcm, guint samples);
/* Adds noise to pcm. fade: begin softly. */
void media_comfort_add (MediaComfort *comfort, gint16 *pcm, guint samples, gboolean fade);
void media_comfort_free (MediaComfort *comfort);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaComfort, media_comfort_free)
