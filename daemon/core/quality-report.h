/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a collector of voice quality is told at the end of a call: application/vq-rtcpxr (RFC 6035 section 4.6). Pure. */

#include "core/ports.h"

typedef struct
{
  const char *call_id;          /* Call-ID of the dialog */
  const char *local_uri, *remote_uri;
  gboolean incoming;
  const char *local_address, *remote_address;   /* numeric, of RTP */
  guint16 local_port, remote_port;
  gint64 start, stop;           /* Unix s */
  PhoneCodec codec;             /* that we sent */
  guint ptime;                  /* ms */
  const PhoneMediaReport *media;
} PhoneQualityReport;

char *phone_quality_report_write (const PhoneQualityReport *report);    /* caller frees */

/* At the end of a call that had media, if the account has a collector: hands the report to signalling, which does not hold anything up. */
void phone_quality_report_call (PhoneCall *call, const PhonePorts *ports);
