/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a collector of voice quality is told of a call, at its end and in between: application/vq-rtcpxr (RFC 6035 section 4.6). */

#include "core/ports.h"
#include "core/quality-alarm.h"

#define PHONE_QUALITY_KIND_LIST(X) \
  X (PHONE_QUALITY_SESSION, "session") X (PHONE_QUALITY_INTERVAL, "interval") X (PHONE_QUALITY_ALERT, "alert")
PHONE_DECLARE_ENUM (PhoneQualityKind, phone_quality_kind, PHONE_QUALITY_KIND_LIST)

typedef struct
{
  PhoneQualityKind kind;
  const PhoneQualityAlert *alert;       /* of an alert: what it is about */
  const char *call_id;          /* Call-ID of the dialog */
  const char *local_uri, *remote_uri;
  gboolean incoming;
  const char *local_address, *remote_address;   /* numeric, of RTP */
  guint16 local_port, remote_port;
  gint64 start, stop;           /* Unix s: of what the figures are about */
  PhoneCodec sent, received;
  guint ptime;                  /* ms that we send */
  const PhoneMediaReport *media;
} PhoneQualityReport;

char *phone_quality_report_write (const PhoneQualityReport *report);    /* pure; caller frees */

/* Of a call that has or had media, if the account has a collector: hands the report to signalling, which does not hold anything up. FALSE: there is
 * nobody to tell, or nothing. */
gboolean phone_quality_report_call (PhoneCall *call, const PhonePorts *ports, PhoneQualityKind kind, const PhoneQualityAlert *alert);
