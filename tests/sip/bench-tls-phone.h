/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bare phone with a TLS policy, and what it reports. */

#include "bench-tls-server.h"
#include "sip-bench.h"
#include "sip/ua-tls.h"

#define BENCH_TLS_SERVER "127.10.2.1"
#define BENCH_TLS_PHONE "sips:127.10.2.2:*"

typedef enum { BENCH_TRUST_CA, BENCH_TRUST_OTHER_CA, BENCH_TRUST_SYSTEM, BENCH_TRUST_CERT } BenchTrust;

typedef struct
{
  const char *domain;           /* of the policy */
  const char *host;             /* in the URI, with maddr; NULL: the address itself */
  BenchTrust trust;
  const BenchCert *trusted;     /* BENCH_TRUST_CERT: this alone */
  gboolean no_verify;
  const char *cert;
  const char *resolv_conf;
} BenchTlsPhoneSpec;

typedef struct
{
  BenchPhone phone;
  UaTlsPolicy *policy;
  guint n_outcomes;
  guint outcomes_at_final;      /* how many had come when the last final event came */
  UaTlsReason reasons[4];       /* the first ones */
  /* the last one */
  UaTlsReason reason;
  char *text, *subject, *version;
  gboolean verified;
} BenchTlsPhone;

void bench_tls_phone_start (BenchTlsPhone *phone, const BenchTlsPhoneSpec *spec);
void bench_tls_phone_stop (BenchTlsPhone *phone);
/* OPTIONS on a new handle; returns when the final event has come. */
void bench_tls_phone_send (BenchTlsPhone *phone, const char *url);
char *bench_tls_url (const char *host, guint16 port);

/* Instead of the messages' text on the terminal: the last warning. NULL: none yet. */
void bench_log_init (void);
const char *bench_log_warning (void);
