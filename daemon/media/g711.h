/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The companding laws of ITU-T G.711 on 16-bit linear samples. Pure. */

#include <glib.h>

guint8 g711_ulaw_encode (gint16 linear);
guint8 g711_alaw_encode (gint16 linear);
gint16 g711_ulaw_decode (guint8 code);
gint16 g711_alaw_decode (guint8 code);
