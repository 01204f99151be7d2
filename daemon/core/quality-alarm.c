/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/quality-alarm.h"

#include <math.h>
#include <string.h>

PHONE_DEFINE_ENUM (PhoneQualityMetric, phone_quality_metric, PHONE_QUALITY_METRIC_LIST)
PHONE_DEFINE_ENUM (PhoneQualitySeverity, phone_quality_severity, PHONE_QUALITY_SEVERITY_LIST)

static const struct
{
  const char *key;
  double most;
  gboolean less_is_worse;
} metrics[] = {
  [PHONE_QUALITY_LOSS] = { "loss", 100, FALSE },
  [PHONE_QUALITY_JITTER] = { "jitter", 10000, FALSE },
  [PHONE_QUALITY_ROUND_TRIP] = { "round-trip", 10000, FALSE },
  [PHONE_QUALITY_MOS] = { "mos", 5, TRUE },
};
G_STATIC_ASSERT (G_N_ELEMENTS (metrics) == PHONE_QUALITY_METRICS);

/* ---- limits ---- */

static gboolean
read_number (const char **at, double most, double *ret_number)
{
  char *end;

  if (!g_ascii_isdigit (**at))
    return FALSE;
  *ret_number = g_ascii_strtod (*at, &end);
  *at = end;
  return *ret_number <= most;
}

static gboolean
read_limit (const char *text, PhoneQualityAlarm *alarm)
{
  const char *equals = strchr (text, '='), *at = equals != NULL ? equals + 1 : NULL;
  PhoneQualityLimit limit = { .used = TRUE };

  for (guint i = 0; at != NULL && i < PHONE_QUALITY_METRICS; i++)
    if (strncmp (text, metrics[i].key, (gsize) (equals - text)) == 0 && metrics[i].key[equals - text] == '\0')
      {
        if (alarm->limits[i].used || !read_number (&at, metrics[i].most, &limit.warning) || *at++ != '/'
            || !read_number (&at, metrics[i].most, &limit.critical) || *at != '\0')
          return FALSE;
        alarm->limits[i] = limit;
        return metrics[i].less_is_worse ? limit.critical <= limit.warning : limit.critical >= limit.warning;
      }
  return FALSE;
}

gboolean
phone_quality_alarm_parse (const char *text, PhoneQualityAlarm *ret_alarm, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", PHONE_QUALITY_METRICS + 1);

  *ret_alarm = (PhoneQualityAlarm) { 0 };
  for (gsize i = 0; i == 0 || words[i] != NULL; i++)
    if (words[i] == NULL || !read_limit (g_strstrip (words[i]), ret_alarm))
      {
        g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                     "\"%.64s\" is not loss, jitter, round-trip or mos with =WARNING/CRITICAL, each once, the second limit being the worse one",
                     words[i] != NULL ? words[i] : "");
        return FALSE;
      }
  return TRUE;
}

/* ---- figures ---- */

static PhoneQualitySeverity
grade (PhoneQualityMetric metric, const PhoneQualityLimit *limit, double value)
{
  double sign = metrics[metric].less_is_worse ? -1 : 1;

  return sign * value >= sign * limit->critical  ? PHONE_QUALITY_CRITICAL
         : sign * value >= sign * limit->warning ? PHONE_QUALITY_WARNING
                                                 : PHONE_QUALITY_CLEAR;
}

guint
phone_quality_alarm_judge (PhoneQualityAlarm *alarm, const double values[PHONE_QUALITY_METRICS],
                           PhoneQualityAlert ret_alerts[PHONE_QUALITY_METRICS])
{
  guint n = 0;

  for (guint i = 0; i < PHONE_QUALITY_METRICS; i++)
    {
      PhoneQualitySeverity now, before = alarm->seen[i];

      if (!alarm->limits[i].used || isnan (values[i]))
        continue;
      now = grade ((PhoneQualityMetric) i, &alarm->limits[i], values[i]);
      alarm->seen[i] = now;
      if (now != before || now == alarm->told[i])
        continue;
      alarm->told[i] = now;
      ret_alerts[n++] = (PhoneQualityAlert) { (PhoneQualityMetric) i, now };
    }
  return n;
}
