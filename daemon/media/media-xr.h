/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The VoIP metrics of RTCP extended reports (RFC 3611 section 4.7), read and written. Pure; a hostile peer's packet is as good as any. */

#include "core/voice-metrics.h"

#define MEDIA_XR_LENGTH (8 + 36)        /* octets of a packet with one such block */

/* Looks through a compound packet for the block on the stream ssrc; the first one counts. FALSE: there is none; *ret_metrics is not touched. */
gboolean media_xr_parse (const guint8 *packet, gsize length, guint32 ssrc, PhoneVoiceMetrics *ret_metrics);
/* ret_packet: MEDIA_XR_LENGTH octets. What is unknown and has no value for that is 0. */
void media_xr_write (guint32 sender, guint32 ssrc, const PhoneVoiceMetrics *metrics, guint8 *ret_packet);
/* Puts the packet into a compound of ours in front of a BYE, else behind all. FALSE: it does not fit. */
gboolean media_xr_insert (guint8 *compound, gsize *length, gsize capacity, const guint8 *packet, gsize packet_length);
