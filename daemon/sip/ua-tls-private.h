/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of TLS share: ua-tls-policy.c, ua-tls-connection.c, ua-tls-outgoing.c, ua-tls-incoming.c, and ua-tls.c, which sofia calls. */

#include <openssl/ssl.h>
#include <sofia-sip/tport.h>

#include "sip/ua-tls.h"

#define UA_TLS_CIPHERS "DEFAULT:!aNULL:!eNULL:!MD5"
#define UA_TLS_MAX_CHAIN 8

/* ---- our certificate: ua-tls-own.c ---- */

typedef struct _UaTlsOwn UaTlsOwn;
UaTlsOwn *ua_tls_own_new (const char *file, GError **error);
void ua_tls_own_free (UaTlsOwn *own);           /* accepts NULL */
SSL_CTX *ua_tls_own_get (UaTlsOwn *own);        /* holds the certificate as the file has it now; NULL for NULL */
gboolean ua_tls_own_is_valid (UaTlsOwn *own, GError **error);   /* at this time */

/* ---- policy ---- */

struct _UaTlsPolicy
{
  guint refs;                   /* the owner, the SSL_CTXs, the connections, the reports under way */
  char *path;
  char *domain;                 /* normalized; NULL: the host that the connection is for */
  gboolean verify;
  gboolean serve, verify_clients;
  X509_STORE *store;
  UaTlsOwn *own;                /* NULL: none */
  UaTlsOutcomeFunc on_outcome;  /* NULL once the owner freed the policy */
  gpointer data;
};

void ua_tls_policy_init (void);
UaTlsPolicy *ua_tls_policy_ref (UaTlsPolicy *policy);
void ua_tls_policy_unref (UaTlsPolicy *policy);         /* accepts NULL */
void ua_tls_policy_bind (SSL_CTX *ctx, const char *path);
UaTlsPolicy *ua_tls_policy_of (const SSL *ssl);         /* NULL: none was bound */
/* Ours instead of what sofia's context may have brought. own: NULL: none. */
gboolean ua_tls_set_certificate (SSL *ssl, SSL_CTX *own);
char *ua_tls_last_error (void);         /* takes it out of OpenSSL's queue; caller frees */

/* ---- connection ---- */

typedef struct
{
  UaTlsPolicy *policy;          /* NULL: none was bound, nothing is allowed */
  gboolean incoming;
  char *expected;               /* NULL if incoming: the request has to say who calls */
  tport_t *transport;           /* that it serves, for the host that was expected and no other; NULL: for any */
  gboolean named;               /* the name in the server's certificate was looked at */
  int verify_error;             /* X509_V_...: the first that was found, 0: none */
  char *verify_text;
  gboolean asked_for_ours;      /* the server wants a certificate */
  gboolean up, heard, failed;
  gpointer read_buffer;         /* sofia's, with what it read last, NULL: nothing */
  gsize n_read;
} UaTlsConnection;

void ua_tls_connection_init (void);
UaTlsConnection *ua_tls_connection_new (SSL *ssl);      /* owned by ssl */
UaTlsConnection *ua_tls_connection_find (const SSL *ssl);
/* Takes text. The callback comes from the main loop, ahead of sofia's events for the requests that fail. */
void ua_tls_connection_report (UaTlsConnection *connection, SSL *ssl, UaTlsReason reason, char *text);
void ua_tls_connection_fail (UaTlsConnection *connection, SSL *ssl, UaTlsReason reason, char *text);   /* the same, and nothing goes over it any more */
int ua_tls_on_verify (int ok, X509_STORE_CTX *store);   /* for SSL_set_verify */
UaTlsReason ua_tls_reason_of_verify_error (int error);

/* ---- handshakes: in place of the OpenSSL function that is real ---- */

int ua_tls_connect (SSL *ssl, int (*real) (SSL *));
void ua_tls_set_connecting (tport_t *transport);        /* whose handshake follows; NULL: it is over */
/* FALSE: it was checked for another host. */
gboolean ua_tls_connection_serves (const tport_t *transport, const char *host);
void ua_tls_connection_reserve (UaTlsConnection *connection, tport_t *transport);      /* for the host that it is made to */
void ua_tls_look_at_read_error (UaTlsConnection *connection, SSL *ssl, int result);
int ua_tls_accept (SSL *ssl, int (*real) (SSL *));
int ua_tls_refuse_io (void);            /* -1, as OpenSSL fails on a connection that is shut down */
