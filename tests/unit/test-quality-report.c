/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The body of RFC 6035 section 4.6, octet by octet. */

#include <math.h>

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
  return media;
}

static PhoneQualityReport
make_report (const PhoneMediaReport *media)
{
  return (PhoneQualityReport) {
    .call_id = "12345678@alice.example.org", .local_uri = "sip:alice@example.org", .remote_uri = "sip:bill@example.net",
    .local_address = "10.10.1.100", .local_port = 5000, .remote_address = "2001:db8::7", .remote_port = 5002,
    .start = 1097432623, .stop = 1097432762, .codec = { .id = PHONE_CODEC_PCMA, .payload_type = 8 }, .ptime = 20, .media = media,
  };
}

#define HEAD \
  "VQSessionReport: CallTerm\r\nCallID: 12345678@alice.example.org\r\nLocalID: <sip:alice@example.org>\r\n" \
  "RemoteID: <sip:bill@example.net>\r\n"
#define PLACES \
  "LocalGroup: example.org\r\nRemoteGroup: example.net\r\nLocalAddr: IP=10.10.1.100 PORT=5000 SSRC=0x1a3b5c7d\r\n" \
  "RemoteAddr: IP=2001:db8::7 PORT=5002 SSRC=0x2468abcd\r\n"
#define SESSION \
  "Timestamps:START=2004-10-10T18:23:43Z STOP=2004-10-10T18:26:02Z\r\nSessionDesc:PT=8 PD=PCMA SR=8000 FD=20 FPP=1 PPS=50 PLC=2\r\n"
#define LOCAL \
  "LocalMetrics:\r\n" SESSION "JitterBuffer:JBA=3 JBN=40 JBM=80 JBX=120\r\nPacketLoss:NLR=5.0 JDR=2.0\r\n" \
  "BurstGapLoss:BLD=50.0 BD=120 GLD=2.0 GD=500 GMIN=16\r\nDelay:RTD=200 ESD=140 IAJ=2\r\nSignal:SL=-18 NL=-50\r\n" \
  "QualityEst:RCQ=85 MOSLQ=4.1 MOSCQ=4.0\r\n"

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
  report.incoming = TRUE;
  g_autofree char *text = phone_quality_report_write (&report);
  g_assert_cmpstr (text, ==, HEAD "OrigID: <sip:bill@example.net>\r\n" PLACES LOCAL "RemoteMetrics:\r\n" SESSION
                   "JitterBuffer:JBA=3\r\nPacketLoss:NLR=0.0\r\nQualityEst:MOSLQ=4.2\r\n");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quality-report/local", test_local);
  g_test_add_func ("/quality-report/both", test_both);
  return g_test_run ();
}
