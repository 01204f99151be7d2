/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The body of RFC 6035 section 4.6, octet by octet, and what makes it one of an alert. */

#include <math.h>
#include <string.h>

#include "core/quality-report.h"

static PhoneMediaReport
make_media (void)
{
  PhoneMediaReport media = { .jitter_local = 2.4, .jitter_remote = -1, .local_ssrc = 0x1a3b5c7d, .remote_ssrc = 0x2468abcd };

  phone_voice_metrics_clear (&media.metrics);
  media.metrics.playout_nominal = 40;
  media.metrics.playout_max = 80;
  media.metrics.playout_abs_max = 120;
  media.metrics.loss = 0.05;
  media.metrics.discard = 0.02;
  media.metrics.burst_density = 0.5;
  media.metrics.burst_ms = 120;
  media.metrics.gap_density = 0.02;
  media.metrics.gap_ms = 500;
  media.metrics.gmin = 16;
  media.metrics.round_trip = 200;
  media.metrics.end_delay = 140;
  media.metrics.signal = -18;
  media.metrics.noise = -50;
  media.metrics.rating = 85;
  media.metrics.mos_lq = 4.1;
  media.metrics.mos_cq = 4.04;
  media.metrics.packet_ms = 30;
  media.metrics.concealment = 2;
  media.metrics.adaptation = 3;
  return media;
}

static PhoneQualityReport
make_report (const PhoneMediaReport *media)
{
  return (PhoneQualityReport) {
    .call_id = "12345678@alice.example.org", .local_uri = "sip:alice@example.org", .remote_uri = "sip:bill@example.net",
    .local_address = "10.10.1.100", .local_port = 5000, .remote_address = "2001:db8::7", .remote_port = 5002,
    .start = 1097432623, .stop = 1097432762, .sent = { .id = PHONE_CODEC_G722, .payload_type = 9 },
    .received = { .id = PHONE_CODEC_OPUS, .payload_type = 96 }, .ptime = 20, .media = media,
  };
}

#define WHO \
  "CallID: 12345678@alice.example.org\r\nLocalID: <sip:alice@example.org>\r\nRemoteID: <sip:bill@example.net>\r\n"
#define HEAD "VQSessionReport: CallTerm\r\n" WHO
#define PLACES \
  "LocalAddr: IP=10.10.1.100 PORT=5000 SSRC=0x1a3b5c7d\r\nRemoteAddr: IP=2001:db8::7 PORT=5002 SSRC=0x2468abcd\r\n" \
  "LocalGroup: example.org\r\nRemoteGroup: example.net\r\n"
#define TIMES "Timestamps:START=2004-10-10T18:23:43Z STOP=2004-10-10T18:26:02Z\r\n"
#define LOCAL_(delay) \
  "LocalMetrics:\r\n" TIMES "SessionDesc:PT=96 PD=OPUS SR=48000 PPS=33 FD=30 FPP=1 PLC=2\r\n" \
  "JitterBuffer:JBA=3 JBN=40 JBM=80 JBX=120\r\nPacketLoss:NLR=5.0 JDR=2.0\r\n" \
  "BurstGapLoss:BLD=50.0 BD=120 GLD=2.0 GD=500 GMIN=16\r\nDelay:RTD=200 ESD=140 " delay "IAJ=2\r\nSignal:SL=-18 NL=-50\r\n" \
  "QualityEst:RCQ=85 MOSLQ=4.1 MOSCQ=4.0 QoEEstAlg=G.107\r\n"
#define LOCAL LOCAL_ ("")

static void
test_local (void)
{
  PhoneMediaReport media = make_media ();
  PhoneQualityReport report = make_report (&media);
  g_autofree char *text = phone_quality_report_write (&report);

  g_assert_cmpstr (text, ==, HEAD "OrigID: <sip:alice@example.org>\r\n" PLACES LOCAL);
}

static void
test_both (void)
{
  PhoneMediaReport media = make_media ();
  PhoneQualityReport report = make_report (&media);

  media.have_peer_metrics = TRUE;
  phone_voice_metrics_clear (&media.peer_metrics);
  media.peer_metrics.loss = 0;
  media.peer_metrics.mos_lq = 4.2;
  media.peer_metrics.end_delay = 60;
  media.peer_metrics.adaptation = 2;
  media.peer_metrics.adaptation_rate = 7;
  report.incoming = TRUE;
  g_autofree char *text = phone_quality_report_write (&report);
  /* What the peer did not tell is not made up; G.722 samples twice as often as it counts. */
  g_assert_cmpstr (text, ==, HEAD "OrigID: <sip:bill@example.net>\r\n" PLACES LOCAL_ ("SOWD=200 ") "RemoteMetrics:\r\n" TIMES
                   "SessionDesc:PT=9 PD=G722 SR=16000 PPS=50 FD=20 FPP=1\r\nJitterBuffer:JBA=2 JBR=7\r\nPacketLoss:NLR=0.0\r\n"
                   "Delay:ESD=60 SOWD=200\r\nQualityEst:MOSLQ=4.2\r\n");
}

static void
test_kinds (void)
{
  PhoneMediaReport media = make_media ();
  PhoneQualityReport report = make_report (&media);
  PhoneQualityAlert alert = { PHONE_QUALITY_LOSS, PHONE_QUALITY_CRITICAL };

  report.kind = PHONE_QUALITY_INTERVAL;
  g_autofree char *interval = phone_quality_report_write (&report);
  g_assert_cmpstr (interval, ==, "VQIntervalReport\r\n" WHO "OrigID: <sip:alice@example.org>\r\n" PLACES LOCAL);
  report.kind = PHONE_QUALITY_ALERT;
  report.alert = &alert;
  g_autofree char *text = phone_quality_report_write (&report);
  g_assert_cmpstr (text, ==, "VQAlertReport: Type=NLR Severity=Critical Dir=local\r\n" WHO "OrigID: <sip:alice@example.org>\r\n" PLACES LOCAL);
}

/* The grammar has room for so many digits only, and a clock that was set back makes no call end before it began. */
static void
test_bounds (void)
{
  PhoneMediaReport media = make_media ();
  PhoneQualityReport report = make_report (&media);

  report.stop = report.start - 60;
  media.metrics.signal = -120;
  media.metrics.loss = 1.2;
  media.metrics.round_trip = 1e6;
  media.metrics.gap_ms = 1e9;
  media.metrics.mos_cq = 0;
  g_autofree char *text = phone_quality_report_write (&report);
  g_assert_nonnull (strstr (text, "START=2004-10-10T18:23:43Z STOP=2004-10-10T18:23:43Z\r\n"));
  g_assert_nonnull (strstr (text, "SL=-99 "));
  g_assert_nonnull (strstr (text, "NLR=100.0 "));
  g_assert_nonnull (strstr (text, "RTD=65535 "));
  g_assert_nonnull (strstr (text, "GD=3600000 "));
  g_assert_nonnull (strstr (text, "MOSCQ=1.0 "));
}

/* ---- alerts ---- */

static void
test_limits (void)
{
  static const char *const wrong[] = { "", "loss", "loss=", "loss=3", "loss=3/", "loss=10/3", "mos=3/3.5", "loss=3/10,loss=4/9", "los=3/10", "loss=-1/3",
                                       "loss=3/101", "loss=3/10/20", "loss=nan/inf", "loss=3/10,", "mos=3.5/3,jitter=1/2,loss=1/2,round-trip=1/2,mos=1/1" };
  PhoneQualityAlarm alarm;
  g_autoptr (GError) error = NULL;

  g_assert_true (phone_quality_alarm_parse ("loss=3/10, mos=3.5/3 ,jitter=40/80,round-trip=300/500", &alarm, &error));
  g_assert_no_error (error);
  g_assert_cmpfloat (alarm.limits[PHONE_QUALITY_MOS].critical, ==, 3);
  g_assert_cmpfloat (alarm.limits[PHONE_QUALITY_ROUND_TRIP].warning, ==, 300);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) refused = NULL;

      g_assert_false (phone_quality_alarm_parse (wrong[i], &alarm, &refused));
      g_assert_error (refused, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
    }
}

/* One call: loss and MOS a look. Returns what was told, "NLR Warning;" each. */
static char *
judge (PhoneQualityAlarm *alarm, double loss, double mos)
{
  double values[PHONE_QUALITY_METRICS] = { [PHONE_QUALITY_LOSS] = loss, [PHONE_QUALITY_JITTER] = NAN, [PHONE_QUALITY_ROUND_TRIP] = 1000,
                                           [PHONE_QUALITY_MOS] = mos };
  PhoneQualityAlert alerts[PHONE_QUALITY_METRICS];
  GString *text = g_string_new (NULL);
  guint n = phone_quality_alarm_judge (alarm, values, alerts);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s %s;", phone_quality_metric_to_string (alerts[i].metric),
                            phone_quality_severity_to_string (alerts[i].severity));
  return g_string_free (text, FALSE);
}

static void
test_alarm (void)
{
  static const struct
  {
    double loss, mos;
    const char *told;
  } looks[] = {
    { 0, 4.4, "" }, { 5, 4.4, "" }, { 0, 4.4, "" },             /* once is an accident */
    { 3, 4.4, "" }, { 3, 4.4, "NLR Warning;" }, { 3, 4.4, "" }, /* told once */
    { 50, 2.9, "" }, { 50, NAN, "NLR Critical;" }, { 50, 2.9, "MOSCQ Critical;" },
    { 4, 4.4, "" }, { 0, 4.4, "MOSCQ Clear;" }, { 0, 4.4, "NLR Clear;" }, { 0, 4.4, "" },
  };
  PhoneQualityAlarm alarm;

  g_assert_true (phone_quality_alarm_parse ("loss=3/10,mos=3.5/3,jitter=1/2", &alarm, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++)
    {
      g_autofree char *told = judge (&alarm, looks[i].loss, looks[i].mos);

      g_test_message ("look %zu", i);
      g_assert_cmpstr (told, ==, looks[i].told);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quality-report/local", test_local);
  g_test_add_func ("/quality-report/both", test_both);
  g_test_add_func ("/quality-report/kinds", test_kinds);
  g_test_add_func ("/quality-report/bounds", test_bounds);
  g_test_add_func ("/quality-report/limits", test_limits);
  g_test_add_func ("/quality-report/alarm", test_alarm);
  return g_test_run ();
}
