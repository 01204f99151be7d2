/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-monitor.h"

#include <math.h>
#include <string.h>

#include "media/media-octets.h"
#include "media/media-rtp.h"

#define RTCP_SR 200
#define RTCP_RR 201
#define REPORT_BLOCK 24
#define SILENT (5 * G_USEC_PER_SEC)     /* since when we are no sender: no report of the peer tells the round trip */
#define METRICS_INTERVAL (5 * G_USEC_PER_SEC)

void
media_monitor_init (MediaMonitor *monitor)
{
  monitor->report_delay = NAN;
  media_xr_times_init (&monitor->times);
}

void
media_monitor_apply (MediaMonitor *monitor, const PhoneMediaPlan *plan)
{
  MediaFeedbackKind kind = plan->ccfb              ? MEDIA_FEEDBACK_CCFB
                           : plan->transport_cc > 0 ? MEDIA_FEEDBACK_TRANSPORT_CC
                                                    : MEDIA_FEEDBACK_NONE;

  monitor->wants_metrics = plan->voip_metrics;
  monitor->rcvr_rtt = plan->rcvr_rtt;
  monitor->extension = plan->transport_cc;
  if (kind == monitor->kind)
    return;
  monitor->kind = kind;
  media_arrivals_start (&monitor->arrivals, kind);
  monitor->history.synchronised = FALSE;
}

/* RFC 8285 section 4.2, one element of two octets and padding. */
void
media_monitor_mark (const MediaMonitor *monitor, guint8 *packet, gsize *length)
{
  guint8 *p = packet + MEDIA_RTP_HEADER;

  if (monitor->kind != MEDIA_FEEDBACK_TRANSPORT_CC || *length < MEDIA_RTP_HEADER || (packet[0] & 0x1f) != 0)
    return;
  memmove (p + MEDIA_MONITOR_MARK, p, *length - MEDIA_RTP_HEADER);
  memcpy (p, "\xbe\xde\0\1", 4);
  p[4] = (guint8) (monitor->extension << 4 | 1);
  p[5] = packet[2];
  p[6] = packet[3];
  p[7] = 0;
  packet[0] |= 0x10;
  *length += MEDIA_MONITOR_MARK;
}

void
media_monitor_sent (MediaMonitor *monitor, guint16 seq, gsize octets, gint64 now)
{
  rate_history_sent (&monitor->history, seq, octets, now);
  monitor->sent_at = now;
}

gboolean
media_monitor_number (const MediaMonitor *monitor, const guint8 *packet, gsize length, guint16 *ret_number)
{
  const guint8 *found;
  gsize n;

  switch (monitor->kind)
    {
    case MEDIA_FEEDBACK_NONE:
      return FALSE;
    case MEDIA_FEEDBACK_CCFB:
      if (length < MEDIA_RTP_HEADER)
        return FALSE;
      *ret_number = (guint16) (packet[2] << 8 | packet[3]);
      return TRUE;
    case MEDIA_FEEDBACK_TRANSPORT_CC:
      if (!media_rtp_find_extension (packet, length, monitor->extension, &found, &n) || n != 2)
        return FALSE;
      *ret_number = (guint16) (found[0] << 8 | found[1]);
      return TRUE;
    }
  g_assert_not_reached ();
}

void
media_monitor_arrived (MediaMonitor *monitor, guint32 ssrc, guint16 number, gsize octets, gint64 now)
{
  media_arrivals_note (&monitor->arrivals, ssrc, number, octets, now);
}

/* The extended highest sequence number of a report on our stream: how long ago that packet went out. */
static void
read_reports (MediaMonitor *monitor, const guint8 *packet, gsize length, guint32 local_ssrc, gint64 now)
{
  for (gsize at = 0; length - at >= 8;)
    {
      const guint8 *p = packet + at;
      gsize octets = 4 * (((gsize) p[2] << 8 | p[3]) + 1), first = p[1] == RTCP_SR ? 28 : 8;
      guint count = p[1] == RTCP_SR || p[1] == RTCP_RR ? p[0] & 0x1f : 0;

      if (octets > length - at)
        return;
      for (guint i = 0; i < count && first + REPORT_BLOCK * ((gsize) i + 1) <= octets; i++)
        {
          const guint8 *block = p + first + REPORT_BLOCK * (gsize) i;
          gint64 sent = rate_history_when (&monitor->history, (guint16) media_read32 (block + 8));

          if (media_read32 (block) == local_ssrc)
            monitor->report_delay = sent != 0 && now >= sent ? (double) (now - sent) / 1000 : NAN;
        }
      at += octets;
    }
}

gboolean
media_monitor_told (MediaMonitor *monitor, const guint8 *packet, gsize length, guint32 local_ssrc, gint64 now)
{
  RateSample samples[MEDIA_FEEDBACK_MAX];
  guint n;

  read_reports (monitor, packet, length, local_ssrc, now);
  media_xr_times_read (&monitor->times, packet, length, local_ssrc, now);
  monitor->have_peer_metrics |= media_xr_parse (packet, length, local_ssrc, &monitor->peer_metrics);
  if (monitor->kind == MEDIA_FEEDBACK_NONE || !media_feedback_parse (packet, length, local_ssrc, &monitor->feedback)
      || monitor->feedback.kind != monitor->kind)
    return FALSE;
  n = rate_history_match (&monitor->history, &monitor->feedback, samples);
  n = MIN (n, MEDIA_MONITOR_SAMPLES - monitor->n_samples);
  memcpy (monitor->samples + monitor->n_samples, samples, n * sizeof samples[0]);
  monitor->n_samples += n;
  return n > 0;
}

static gboolean
is_silent (const MediaMonitor *monitor, gint64 now)
{
  return monitor->sent_at == 0 || now - monitor->sent_at > SILENT;
}

double
media_monitor_round_trip (const MediaMonitor *monitor, gint64 now)
{
  return is_silent (monitor, now) ? media_xr_times_get (&monitor->times, now) : NAN;
}

/* Asked is who has agreed to it. Whoever asks is answered, unless that is left to those who send. */
static void
tell_times (MediaMonitor *monitor, guint8 *packet, gsize *length, gsize capacity, guint32 sender, gint64 now)
{
  gboolean silent = is_silent (monitor, now), ask = silent && monitor->rcvr_rtt != PHONE_RCVR_RTT_NONE;
  guint8 times[MEDIA_XR_TIMES_LENGTH];
  gsize n;

  if (media_rtcp_has_bye (packet, *length))
    return;
  if (silent && monitor->rcvr_rtt == PHONE_RCVR_RTT_SENDER)
    monitor->times.reference = 0;
  n = media_xr_times_write (&monitor->times, sender, ask, now, times);
  if (n > 0)
    media_xr_insert (packet, length, capacity, times, n);
}

void
media_monitor_tell (MediaMonitor *monitor, guint8 *packet, gsize *length, gsize capacity, guint32 sender, guint32 ssrc, gint64 now)
{
  guint8 extended[MEDIA_XR_LENGTH];

  tell_times (monitor, packet, length, capacity, sender, now);
  if (ssrc == 0 || !monitor->wants_metrics || !monitor->have_metrics
      || (monitor->told_metrics != 0 && now - monitor->told_metrics < METRICS_INTERVAL && !media_rtcp_has_bye (packet, *length)))
    return;
  media_xr_write (sender, ssrc, &monitor->metrics, extended);
  if (media_xr_insert (packet, length, capacity, extended, sizeof extended))
    monitor->told_metrics = now;
}

guint
media_monitor_take (MediaMonitor *monitor, RateSample ret_samples[MEDIA_MONITOR_SAMPLES])
{
  guint n = monitor->n_samples;

  memcpy (ret_samples, monitor->samples, n * sizeof ret_samples[0]);
  monitor->n_samples = 0;
  return n;
}
