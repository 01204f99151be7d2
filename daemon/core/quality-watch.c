/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/quality-watch.h"

#include <math.h>

#include "core/call-private.h"
#include "core/quality-report.h"
#include "util/log.h"

#define LOOK_S 5                /* between two looks at the limits: as far back as the figures of the moment go */

struct _PhoneQualityWatch
{
  PhoneCall *call;              /* which owns the watch */
  const PhonePorts *ports;
  PhoneQualityAlarm alarm;
  guint interval_timer, alarm_timer;
};

static gboolean
on_interval (gpointer data)
{
  PhoneQualityWatch *watch = data;

  phone_quality_report_call (watch->call, watch->ports, PHONE_QUALITY_INTERVAL, NULL);
  return G_SOURCE_CONTINUE;
}

/* -1 is unknown, too. */
static double
known (double value)
{
  return value < 0 ? NAN : value;
}

static gboolean
on_look (gpointer data)
{
  PhoneQualityWatch *watch = data;
  PhoneQualityAlert alerts[PHONE_QUALITY_METRICS];
  PhoneMediaReport media;
  guint n;

  if (!phone_call_get_report (watch->call, &media))
    return G_SOURCE_CONTINUE;
  double values[PHONE_QUALITY_METRICS] = {
    [PHONE_QUALITY_LOSS] = 100 * known (media.loss_local),
    [PHONE_QUALITY_JITTER] = known (media.jitter_local),
    [PHONE_QUALITY_ROUND_TRIP] = known (media.round_trip),
    [PHONE_QUALITY_MOS] = known (media.mos),
  };
  n = phone_quality_alarm_judge (&watch->alarm, values, alerts);
  for (guint i = 0; i < n; i++)
    {
      phone_log_notice (&watch->call->log, "Call %u: quality: %s %s", watch->call->number, phone_quality_metric_to_string (alerts[i].metric),
                        phone_quality_severity_to_string (alerts[i].severity));
      phone_quality_report_call (watch->call, watch->ports, PHONE_QUALITY_ALERT, &alerts[i]);
    }
  return G_SOURCE_CONTINUE;
}

static void
start (PhoneCall *call, const PhonePorts *ports)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (phone_call_get_account (call));
  PhoneQualityWatch *watch = g_new0 (PhoneQualityWatch, 1);

  watch->call = call;
  watch->ports = ports;
  if (settings->quality_interval > 0)
    watch->interval_timer = g_timeout_add_seconds (settings->quality_interval, on_interval, watch);
  if (settings->quality_alerts != NULL && phone_quality_alarm_parse (settings->quality_alerts, &watch->alarm, NULL))
    watch->alarm_timer = g_timeout_add_seconds (LOOK_S, on_look, watch);
  call->quality = watch;
}

void
phone_quality_watch_free (PhoneQualityWatch *watch)
{
  if (watch == NULL)
    return;
  g_clear_handle_id (&watch->interval_timer, g_source_remove);
  g_clear_handle_id (&watch->alarm_timer, g_source_remove);
  g_free (watch);
}

void
phone_quality_watch_update (PhoneCall *call, const PhonePorts *ports)
{
  if (phone_account_get_settings (phone_call_get_account (call))->quality_collector == NULL)
    return;
  if (phone_call_is_ended (call))
    g_clear_pointer (&call->quality, phone_quality_watch_free);
  else if (call->quality == NULL && phone_call_get_answered (call) != 0)
    start (call, ports);
}
