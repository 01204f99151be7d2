/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A SIP server over TLS on threads, with any certificate, that says 200 to every request. */

#include "bench-certs.h"

#include <openssl/ssl.h>

typedef enum { BENCH_FROM_CA, BENCH_FROM_INTERMEDIATE, BENCH_FROM_OTHER, BENCH_FROM_ITSELF } BenchIssuer;
typedef enum { BENCH_SPEAKS_TLS, BENCH_SPEAKS_PLAIN, BENCH_HANGS_UP } BenchManner;

typedef struct
{
  BenchCertSpec cert;
  BenchIssuer issuer;
  BenchManner manner;
  int max_version;              /* TLS1_1_VERSION ...; 0: the newest */
  gboolean wants_client;        /* a certificate from the test's CA */
} BenchServerSpec;

typedef struct
{
  BenchServerSpec spec;
  BenchCert *cert;
  SSL_CTX *ctx;
  int listener;
  guint16 port;
  GThread *thread;
  gboolean stays_open;          /* else: one request for each connection */
  GAsyncQueue *second_half;     /* not NULL: a response comes in two pieces, the second after a push */
  char *sni;                    /* of the last connection; to be read when it is closed */
  /* atomic; the default main loop turns when they change */
  guint n_accepted, n_requests, n_closed;
  guint n_halves;               /* first halves sent */
} BenchServer;

/* port 0: any. */
void bench_server_start (BenchServer *server, const BenchServerSpec *spec, const char *address, guint16 port);
void bench_server_stop (BenchServer *server);
