/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*     VQSessionReport: CallTerm
 *     CallID, LocalID, RemoteID, OrigID, LocalGroup, RemoteGroup, LocalAddr, RemoteAddr
 *     LocalMetrics:          how the peer was heard here
 *       Timestamps, SessionDesc, JitterBuffer, PacketLoss, BurstGapLoss, Delay, Signal, QualityEst
 *     RemoteMetrics:         the same as the peer told by RTCP XR, if it did
 *
 * A parameter that is not known is left out, and a line without any. Groups are what a collector sorts by: the domains. */

#include "core/quality-report.h"

#include <math.h>

#include "core/call-private.h"
#include "util/phone-uri.h"

#define JBA_ADAPTIVE 3
#define PLC_ENHANCED 2

static char *
time_text (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);

  return time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup ("1970-01-01T00:00:00Z");
}

typedef struct
{
  const char *name;
  int digits;
  double value, scale;
} Parameter;

static void
add_line (GString *text, const char *name, const char *begin, const Parameter *parameters, gsize n)
{
  gsize start = text->len;
  gboolean any = begin[0] != '\0';

  g_string_append_printf (text, "%s:%s", name, begin);
  for (gsize i = 0; i < n; i++)
    if (!isnan (parameters[i].value))
      {
        char number[G_ASCII_DTOSTR_BUF_SIZE], format[8];

        g_snprintf (format, sizeof format, "%%.%df", parameters[i].digits);
        g_ascii_formatd (number, sizeof number, format, parameters[i].value * parameters[i].scale);
        g_string_append_printf (text, "%s%s=%s", any ? " " : "", parameters[i].name, number);
        any = TRUE;
      }
  if (any)
    g_string_append (text, "\r\n");
  else
    g_string_truncate (text, start);
}

#define LINE(text, name, begin, ...) \
  add_line (text, name, begin, (const Parameter[]) { __VA_ARGS__ }, sizeof ((const Parameter[]) { __VA_ARGS__ }) / sizeof (Parameter))

static void
add_metrics (GString *text, const PhoneQualityReport *report, const char *title, const PhoneVoiceMetrics *m, double jitter)
{
  g_autofree char *start = time_text (report->start), *stop = time_text (report->stop), *buffer = g_strdup_printf ("JBA=%d", JBA_ADAPTIVE);
  g_autofree char *description = NULL;
  const char *codec = phone_codec_id_to_string (report->codec.id);
  g_autofree char *name = g_ascii_strup (codec, -1);

  g_string_append_printf (text, "%s:\r\nTimestamps:START=%s STOP=%s\r\n", title, start, stop);
  description = g_strdup_printf ("PT=%u PD=%s SR=%u FD=%u FPP=1 PPS=%u PLC=%d", report->codec.payload_type, name,
                                 phone_codec_clock_rate (report->codec.id), report->ptime, report->ptime > 0 ? 1000 / report->ptime : 0, PLC_ENHANCED);
  g_string_append_printf (text, "SessionDesc:%s\r\n", description);
  LINE (text, "JitterBuffer", buffer, { "JBN", 0, m->playout_nominal, 1 }, { "JBM", 0, m->playout_max, 1 }, { "JBX", 0, m->playout_abs_max, 1 });
  LINE (text, "PacketLoss", "", { "NLR", 1, m->loss, 100 }, { "JDR", 1, m->discard, 100 });
  LINE (text, "BurstGapLoss", "", { "BLD", 1, m->burst_density, 100 }, { "BD", 0, m->burst_ms, 1 }, { "GLD", 1, m->gap_density, 100 },
        { "GD", 0, m->gap_ms, 1 }, { "GMIN", 0, m->gmin, 1 });
  LINE (text, "Delay", "", { "RTD", 0, m->round_trip, 1 }, { "ESD", 0, m->end_delay, 1 }, { "IAJ", 0, jitter, 1 });
  LINE (text, "Signal", "", { "SL", 0, m->signal, 1 }, { "NL", 0, m->noise, 1 }, { "RERL", 0, m->echo_return, 1 });
  LINE (text, "QualityEst", "", { "RCQ", 0, m->rating, 1 }, { "MOSLQ", 1, m->mos_lq, 1 }, { "MOSCQ", 1, m->mos_cq, 1 });
}

static char *
domain_of (const char *text)
{
  g_autoptr (PhoneUri) uri = phone_uri_parse (text, NULL);

  return g_strdup (uri != NULL && uri->host != NULL ? uri->host : "unknown");
}

char *
phone_quality_report_write (const PhoneQualityReport *report)
{
  GString *text = g_string_new ("VQSessionReport: CallTerm\r\n");
  g_autofree char *local = domain_of (report->local_uri), *remote = domain_of (report->remote_uri);

  g_string_append_printf (text, "CallID: %s\r\nLocalID: <%s>\r\nRemoteID: <%s>\r\nOrigID: <%s>\r\n", report->call_id, report->local_uri,
                          report->remote_uri, report->incoming ? report->remote_uri : report->local_uri);
  g_string_append_printf (text, "LocalGroup: %s\r\nRemoteGroup: %s\r\n", local, remote);
  g_string_append_printf (text, "LocalAddr: IP=%s PORT=%u SSRC=0x%08x\r\n", report->local_address, report->local_port, report->media->local_ssrc);
  g_string_append_printf (text, "RemoteAddr: IP=%s PORT=%u SSRC=0x%08x\r\n", report->remote_address, report->remote_port, report->media->remote_ssrc);
  add_metrics (text, report, "LocalMetrics", &report->media->metrics, report->media->jitter_local < 0 ? NAN : report->media->jitter_local);
  if (report->media->have_peer_metrics)
    add_metrics (text, report, "RemoteMetrics", &report->media->peer_metrics, report->media->jitter_remote < 0 ? NAN : report->media->jitter_remote);
  return g_string_free (text, FALSE);
}

void
phone_quality_report_call (PhoneCall *call, const PhonePorts *ports)
{
  PhoneAccount *account = phone_call_get_account (call);
  const PhoneAccountSettings *settings = phone_account_get_settings (account);
  const PhoneMediaPlan *plan = call->plan;
  PhoneMediaReport media;

  if (settings->quality_collector == NULL || ports->sig->quality_report == NULL || plan == NULL || plan->refused || call->local == NULL
      || call->log.sip_call_id == NULL || !phone_call_get_last_report (call, &media))
    return;
  PhoneQualityReport report = {
    .call_id = call->log.sip_call_id,
    .local_uri = settings->aor,
    .remote_uri = phone_call_get_remote_uri (call),
    .incoming = phone_call_get_direction (call) == PHONE_CALL_INBOUND,
    .local_address = call->local->address,
    .local_port = call->local->port,
    .remote_address = plan->remote_address,
    .remote_port = plan->remote_port,
    .start = phone_call_get_answered (call) != 0 ? phone_call_get_answered (call) : phone_call_get_start (call),
    .stop = g_get_real_time () / G_USEC_PER_SEC,
    .codec = plan->send,
    .ptime = plan->ptime,
    .media = &media,
  };
  g_autofree char *body = phone_quality_report_write (&report);
  ports->sig->quality_report (ports->ua, account, settings->quality_collector, body);
}
