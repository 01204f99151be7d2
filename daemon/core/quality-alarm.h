/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When a call sounds so badly that somebody has to hear of it, and when it does no more: limits as they are configured, and what becomes of the
 * figures of a running call against them. Pure. */

#include "util/phone-enum.h"
#include "util/phone-error.h"

/* As RFC 6035 section 4.6.1 writes them. */
#define PHONE_QUALITY_METRIC_LIST(X) \
  X (PHONE_QUALITY_LOSS, "NLR") X (PHONE_QUALITY_JITTER, "IAJ") X (PHONE_QUALITY_ROUND_TRIP, "RTD") X (PHONE_QUALITY_MOS, "MOSCQ")
PHONE_DECLARE_ENUM (PhoneQualityMetric, phone_quality_metric, PHONE_QUALITY_METRIC_LIST)

#define PHONE_QUALITY_SEVERITY_LIST(X) \
  X (PHONE_QUALITY_CLEAR, "Clear") X (PHONE_QUALITY_WARNING, "Warning") X (PHONE_QUALITY_CRITICAL, "Critical")
PHONE_DECLARE_ENUM (PhoneQualitySeverity, phone_quality_severity, PHONE_QUALITY_SEVERITY_LIST)

#define PHONE_QUALITY_METRICS 4

typedef struct
{
  gboolean used;
  double warning, critical;     /* per cent, ms, MOS */
} PhoneQualityLimit;

typedef struct
{
  PhoneQualityMetric metric;
  PhoneQualitySeverity severity;
} PhoneQualityAlert;

typedef struct
{
  PhoneQualityLimit limits[PHONE_QUALITY_METRICS];
  PhoneQualitySeverity told[PHONE_QUALITY_METRICS];
  PhoneQualitySeverity seen[PHONE_QUALITY_METRICS];     /* the last time */
} PhoneQualityAlarm;

/* "loss=3/10, mos=3.5/3, round-trip=300/500, jitter=40/80", in any order. INVALID_OPTION. ret_alarm is all clear. */
gboolean phone_quality_alarm_parse (const char *text, PhoneQualityAlarm *ret_alarm, GError **error);
/* values: the figures now, in the limits' units, NAN: unknown. What was seen twice in a row and has not been told yet is an alert; returns how many. */
guint phone_quality_alarm_judge (PhoneQualityAlarm *alarm, const double values[PHONE_QUALITY_METRICS],
                                 PhoneQualityAlert ret_alerts[PHONE_QUALITY_METRICS]);
