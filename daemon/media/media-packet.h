/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When a packet reached our socket, carried on its GstBuffer from the source element through SRTP and rtpsession to playout. The
 * offset fields travel with every buffer copy and mean nothing in RTP; OFFSET_END tags ours, so that a buffer of a foreign element
 * (a test, a plain udpsrc) is not misread. */

#include <gst/gst.h>

#define MEDIA_PACKET_ARRIVAL_TAG G_GUINT64_CONSTANT (0x70686f6e65642e61)

/* now: monotonic us, as the kernel's receive timestamp or g_get_monotonic_time() right after recvmsg. The buffer must be writable. */
static inline void
media_packet_set_arrival (GstBuffer *buffer, gint64 now)
{
  GST_BUFFER_OFFSET (buffer) = (guint64) now;
  GST_BUFFER_OFFSET_END (buffer) = MEDIA_PACKET_ARRIVAL_TAG;
}

/* Monotonic us; the present time for a buffer that carries none. */
static inline gint64
media_packet_get_arrival (GstBuffer *buffer)
{
  if (GST_BUFFER_OFFSET_END (buffer) != MEDIA_PACKET_ARRIVAL_TAG)
    return g_get_monotonic_time ();
  return (gint64) GST_BUFFER_OFFSET (buffer);
}
