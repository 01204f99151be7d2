/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A peer's RTCP on its way into rate control: whatever it says, what comes out is a rate that can be sent. The first octet says which number of a header
 * extension is looked for, and how much was sent before. */
#include <math.h>
#include <string.h>

#include "media/media-monitor.h"
#include "media/media-rtp.h"
#include "media/rate-control.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define SSRC 0x12345678

static void
check (gboolean condition)
{
  if (!condition)
    g_abort ();
}

static void
control_with (const guint8 *packet, gsize length, const PhoneMediaPlan *plan, guint sent)
{
  static MediaMonitor monitor;
  static RateControl control;
  RateSample samples[MEDIA_MONITOR_SAMPLES];
  gint64 now = 1000 * G_USEC_PER_SEC;

  memset (&monitor, 0, sizeof monitor);
  media_monitor_init (&monitor);
  media_monitor_apply (&monitor, plan);
  rate_control_init (&control, plan, 28000, 5);
  for (guint i = 0; i < sent; i++)
    {
      if (i % 16 == 3)
        rate_history_sent_rtcp (&monitor.history, 120, 0);
      media_monitor_sent (&monitor, (guint16) (65500 + i), 90, now += 20000);
    }
  for (guint i = 0; i < 3; i++)
    {
      media_monitor_told (&monitor, packet, length, SSRC, now += 100000);
      guint n = media_monitor_take (&monitor, samples);
      check (n <= MEDIA_MONITOR_SAMPLES);
      for (guint j = 0; j < n; j++)
        check (samples[j].sent <= now && samples[j].octets == 90);
      rate_control_feedback (&control, samples, n, now);
      check (isnan (monitor.report_delay) || monitor.report_delay >= 0);
      check (control.rate.bitrate >= 6000 && control.rate.bitrate <= 28000 && control.rate.frame_ms <= 60 && isfinite (control.wire));
    }
}

/* What was understood can be written again, and says the same. */
static void
write_again (const MediaFeedback *feedback)
{
  static MediaFeedback again;
  guint8 packet[1200];
  gsize length = media_feedback_write (feedback->kind, 1, SSRC, feedback->items, feedback->n, feedback->wrap, 0, packet, sizeof packet);

  if (length == 0)
    return;
  check (length <= sizeof packet && length % 4 == 0);
  check (media_feedback_parse (packet, length, SSRC, &again) && again.kind == feedback->kind && again.n == feedback->n);
  for (guint i = 0; i < again.n; i++)
    check (again.items[i].seq == (guint16) (feedback->items[0].seq + i) && again.items[i].received == feedback->items[i].received);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static const PhoneMediaPlan plans[] = { { .send = { .id = PHONE_CODEC_OPUS }, .ptime = 20, .ccfb = TRUE },
                                          { .send = { .id = PHONE_CODEC_OPUS }, .ptime = 20, .transport_cc = 3 } };
  static MediaFeedback feedback;
  const guint8 *found;
  gsize n;

  if (size < 1 || size > 2048)
    return 0;
  g_autofree guint8 *packet = g_memdup2 (data + 1, size - 1);   /* so that a sanitizer sees its ends */
  size--;
  if (media_feedback_parse (packet, size, SSRC, &feedback))
    {
      check (feedback.kind != MEDIA_FEEDBACK_NONE && feedback.n > 0 && feedback.n <= MEDIA_FEEDBACK_MAX);
      for (guint i = 0; i < feedback.n; i++)
        check (feedback.items[i].arrival >= 0 && feedback.items[i].arrival < feedback.wrap);
      write_again (&feedback);
    }
  for (guint i = 0; i < G_N_ELEMENTS (plans); i++)
    control_with (packet, size, &plans[i], data[0]);
  if (media_rtp_find_extension (packet, size, data[0] & 0x0f, &found, &n))
    check (found > packet && found + n <= packet + size);
  return 0;
}
