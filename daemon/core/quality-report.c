/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*     VQSessionReport: CallTerm                     or VQIntervalReport, or VQAlertReport: Type=NLR Severity=Warning Dir=local
 *     CallID, LocalID, RemoteID, OrigID, LocalAddr, RemoteAddr, LocalGroup, RemoteGroup
 *     LocalMetrics:          how the peer was heard here
 *       Timestamps, SessionDesc, JitterBuffer, PacketLoss, BurstGapLoss, Delay, Signal, QualityEst
 *     RemoteMetrics:         the same as the peer told by RTCP XR, if it did
 *
 * Where the grammar of section 4.6.1 and the examples of section 4.7 differ, which is in the order of the first lines and in the 0x of an SSRC, it is
 * done as the grammar says. A parameter that is not known is left out, and a line without any: 127 and 0 would be taken for measured. No line is
 * folded. Groups are what a collector sorts by: the domains. */

#include "core/quality-report.h"

#include <math.h>

#include "core/call-private.h"
#include "core/quality-outbox.h"
#include "util/phone-uri.h"

PHONE_DEFINE_ENUM (PhoneQualityKind, phone_quality_kind, PHONE_QUALITY_KIND_LIST)

static char *
time_text (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);

  return time != NULL ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup ("1970-01-01T00:00:00Z");
}

typedef struct
{
  const char *name;
  int digits;                   /* behind the point */
  double value;                 /* NAN: not known */
  double least, most;           /* that the grammar has room for */
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
        g_ascii_formatd (number, sizeof number, format, CLAMP (parameters[i].value, parameters[i].least, parameters[i].most));
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

#define MS(name, value) { name, 0, value, 0, G_MAXUINT16 }
#define LONG_MS(name, value) { name, 0, value, 0, 3600000 }
#define PER_CENT(name, value) { name, 1, 100 * (value), 0, 100 }
#define CODE(name, value) { name, 0, (value) != 0 ? (value) : NAN, 0, 15 }
#define LEVEL(name, value) { name, 0, value, -99, 99 }
#define SCORE(name, value) { name, 1, value, 1, 5 }

/* What the codec took in, which is not what RTP counts by (RFC 3551 section 4.5.2). */
static guint
sample_rate (PhoneCodecId codec)
{
  switch (codec)
    {
    case PHONE_CODEC_G722: return 16000;
    case PHONE_CODEC_OPUS:
    case PHONE_CODEC_PCMU:
    case PHONE_CODEC_PCMA: return phone_codec_clock_rate (codec);
    }
  g_assert_not_reached ();
}

/* One end: what came to it, and what it told of that. */
typedef struct
{
  const char *title;
  const PhoneVoiceMetrics *metrics;
  const PhoneCodec *codec;
  double packet_ms, jitter;
  double one_way;               /* from mouth to ear, as good as it can be told from here */
  const char *algorithm;        /* of the estimates; NULL: not known */
} Ear;

static void
add_metrics (GString *text, const PhoneQualityReport *report, const Ear *ear)
{
  const PhoneVoiceMetrics *m = ear->metrics;
  g_autofree char *start = time_text (report->start), *stop = time_text (MAX (report->stop, report->start));
  g_autofree char *name = g_ascii_strup (phone_codec_id_to_string (ear->codec->id), -1);
  g_autofree char *description = g_strdup_printf ("PT=%u PD=%s SR=%u", ear->codec->payload_type, name, sample_rate (ear->codec->id));
  gsize before;

  g_string_append_printf (text, "%s:\r\nTimestamps:START=%s STOP=%s\r\n", ear->title, start, stop);
  LINE (text, "SessionDesc", description, { "PPS", 0, ear->packet_ms > 0 ? 1000 / ear->packet_ms : NAN, 0, 99999 }, { "FD", 0, ear->packet_ms, 0, 9999 },
        { "FPP", 0, isnan (ear->packet_ms) ? NAN : 1, 1, 1 }, CODE ("PLC", m->concealment));
  LINE (text, "JitterBuffer", "", CODE ("JBA", m->adaptation), CODE ("JBR", m->adaptation_rate), MS ("JBN", m->playout_nominal),
        MS ("JBM", m->playout_max), MS ("JBX", m->playout_abs_max));
  LINE (text, "PacketLoss", "", PER_CENT ("NLR", m->loss), PER_CENT ("JDR", m->discard));
  LINE (text, "BurstGapLoss", "", PER_CENT ("BLD", m->burst_density), LONG_MS ("BD", m->burst_ms), PER_CENT ("GLD", m->gap_density),
        LONG_MS ("GD", m->gap_ms), { "GMIN", 0, m->gmin, 1, 255 });
  LINE (text, "Delay", "", MS ("RTD", m->round_trip), MS ("ESD", m->end_delay), MS ("SOWD", ear->one_way), MS ("IAJ", ear->jitter));
  LINE (text, "Signal", "", LEVEL ("SL", m->signal), LEVEL ("NL", m->noise), { "RERL", 0, m->echo_return, 0, 127 });
  before = text->len;
  LINE (text, "QualityEst", "", { "RCQ", 0, m->rating, 0, 120 }, SCORE ("MOSLQ", m->mos_lq), SCORE ("MOSCQ", m->mos_cq));
  if (text->len > before && ear->algorithm != NULL)
    {
      g_string_truncate (text, text->len - 2);
      g_string_append_printf (text, " QoEEstAlg=%s\r\n", ear->algorithm);
    }
}

static char *
domain_of (const char *text)
{
  g_autoptr (PhoneUri) uri = phone_uri_parse (text, NULL);

  return g_strdup (uri != NULL && uri->host != NULL ? uri->host : "unknown");
}

/* RFC 3611 section 4.7.3. */
static double
one_way (const PhoneMediaReport *media)
{
  return media->have_peer_metrics ? (media->metrics.round_trip + media->metrics.end_delay + media->peer_metrics.end_delay) / 2 : NAN;
}

static void
add_kind (GString *text, const PhoneQualityReport *report)
{
  switch (report->kind)
    {
    case PHONE_QUALITY_SESSION:
      g_string_append (text, "VQSessionReport: CallTerm\r\n");
      break;
    case PHONE_QUALITY_INTERVAL:
      g_string_append (text, "VQIntervalReport\r\n");
      break;
    case PHONE_QUALITY_ALERT:
      g_string_append_printf (text, "VQAlertReport: Type=%s Severity=%s Dir=local\r\n", phone_quality_metric_to_string (report->alert->metric),
                              phone_quality_severity_to_string (report->alert->severity));
      break;
    }
}

char *
phone_quality_report_write (const PhoneQualityReport *report)
{
  const PhoneMediaReport *media = report->media;
  GString *text = g_string_new (NULL);
  g_autofree char *local = domain_of (report->local_uri), *remote = domain_of (report->remote_uri);
  Ear here = { .title = "LocalMetrics", .metrics = &media->metrics, .codec = &report->received, .packet_ms = media->metrics.packet_ms,
               .jitter = media->jitter_local < 0 ? NAN : media->jitter_local, .one_way = one_way (media), .algorithm = "G.107" };
  Ear there = { .title = "RemoteMetrics", .metrics = &media->peer_metrics, .codec = &report->sent, .packet_ms = report->ptime,
                .jitter = media->jitter_remote < 0 ? NAN : media->jitter_remote, .one_way = one_way (media) };

  add_kind (text, report);
  g_string_append_printf (text, "CallID: %s\r\nLocalID: <%s>\r\nRemoteID: <%s>\r\nOrigID: <%s>\r\n", report->call_id, report->local_uri,
                          report->remote_uri, report->incoming ? report->remote_uri : report->local_uri);
  g_string_append_printf (text, "LocalAddr: IP=%s PORT=%u SSRC=0x%08x\r\n", report->local_address, report->local_port, media->local_ssrc);
  g_string_append_printf (text, "RemoteAddr: IP=%s PORT=%u SSRC=0x%08x\r\n", report->remote_address, report->remote_port, media->remote_ssrc);
  g_string_append_printf (text, "LocalGroup: %s\r\nRemoteGroup: %s\r\n", local, remote);
  add_metrics (text, report, &here);
  if (media->have_peer_metrics)
    add_metrics (text, report, &there);
  return g_string_free (text, FALSE);
}

/* Which of ours arrives is not known from here: the one that we send is the first that we asked for, too. */
static PhoneCodec
received_codec (const PhoneMediaPlan *plan)
{
  for (guint i = 0; i < plan->n_receive; i++)
    if (plan->receive[i].id == plan->send.id)
      return plan->receive[i];
  return plan->send;
}

gboolean
phone_quality_report_call (PhoneCall *call, const PhonePorts *ports, PhoneQualityKind kind, const PhoneQualityAlert *alert)
{
  PhoneAccount *account = phone_call_get_account (call);
  const PhoneAccountSettings *settings = phone_account_get_settings (account);
  const PhoneMediaPlan *plan = call->plan;
  PhoneMediaReport media;

  if (settings->quality_collector == NULL || ports->sig->quality_report == NULL || plan == NULL || plan->refused || call->local == NULL
      || call->log.sip_call_id == NULL || !phone_call_get_last_report (call, &media))
    return FALSE;
  PhoneQualityReport report = {
    .kind = kind,
    .alert = alert,
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
    .sent = plan->send,
    .received = received_codec (plan),
    .ptime = plan->ptime,
    .media = &media,
  };
  g_autofree char *body = phone_quality_report_write (&report);
  phone_quality_send (account, settings->quality_collector, body);
  return TRUE;
}
