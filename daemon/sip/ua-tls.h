/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* TLS as SIP needs it, in front of sofia-sip's own, which verifies nothing by default, knows no wildcards, IP
 * addresses or SNI, hides the reason of a failure for 32 s and leaks 54 kB per connection. A policy per nua:
 *
 *   policy = ua_tls_policy_new (&params, on_tls, account, &error);
 *   nua = nua_create (root, on_event, magic, NUTAG_CERTIFICATE_DIR (ua_tls_policy_get_path (policy)), ...);
 *   ...
 *   nua_destroy (nua);           any order with the next line
 *   ua_tls_policy_free (policy);
 *
 * The path is no path but the name of the policy. A TLS connection of a nua without it is refused: nothing
 * falls back to sofia's behaviour; set none of its TPTAG_TLS_* tags. Minimum is TLS 1.2; SNI is sent for host
 * names. A failure also fails the waiting SIP requests at once (sofia tries the next SRV target, or ends them
 * with 503), always after on_outcome has said why.
 *
 * Incoming connections are served with our certificate if the policy says so; otherwise their handshake ends
 * with an alert. */

#include <glib.h>
#include "util/phone-enum.h"
#include "util/phone-error.h"

#define UA_TLS_REASON_LIST(X) \
  X (UA_TLS_OK, "ok") \
  X (UA_TLS_EXPIRED, "tls-expired") \
  X (UA_TLS_NOT_YET_VALID, "tls-not-yet-valid") \
  X (UA_TLS_UNKNOWN_ISSUER, "tls-unknown-issuer") \
  X (UA_TLS_SELF_SIGNED, "tls-self-signed") \
  X (UA_TLS_NAME_MISMATCH, "tls-name-mismatch") \
  X (UA_TLS_REVOKED, "tls-revoked") \
  X (UA_TLS_BAD_CERTIFICATE, "tls-bad-certificate") \
  X (UA_TLS_CLIENT_CERT, "tls-client-cert") \
  X (UA_TLS_PROTOCOL, "tls-protocol") \
  X (UA_TLS_REFUSED, "tls-refused")
/* bad-certificate: wrong purpose, weak key, bad signature ...; client-cert: the server wants one or refuses
 * ours; protocol: no common version or cipher; refused: alert or close by the peer, or the port does not
 * speak TLS. */
PHONE_DECLARE_ENUM (UaTlsReason, ua_tls_reason, UA_TLS_REASON_LIST)

typedef struct
{
  const char *ca;               /* PEM file, or directory with hashed names; NULL: the system's store */
  const char *cert;             /* PEM file with our certificate, its chain and its key; NULL: none */
  gboolean verify;              /* FALSE: accept anything, but say so in the outcome and in the log */
  const char *domain;           /* whom the certificate must name: host of the outbound proxy or registrar
                                 * URI, else the AoR's domain (RFC 5922 section 7.1). An IP address or [IPv6]
                                 * is matched with IP entries. NULL: the host of the URI that each connection
                                 * was made for; it then serves one request, because sofia would use it for
                                 * any other host at the same address too. */
  gboolean serve;               /* take incoming connections; needs cert */
  gboolean verify_clients;      /* ... only from peers with a certificate that ca issued */
} UaTlsParams;

/* Strings are borrowed for the length of the callback; NULL: unknown (always so if the handshake did not get
 * that far). */
typedef struct
{
  UaTlsReason reason;           /* UA_TLS_OK: connected */
  const char *text;             /* one line for people: what was wrong with which certificate; never NULL */
  const char *expected;         /* the domain that was looked for */
  const char *version, *cipher;
  const char *subject, *issuer; /* of the server's certificate */
  gint64 not_before, not_after; /* Unix s, 0: unknown */
  gboolean verified;            /* chain and name were right (may be TRUE or FALSE when verify is off) */
} UaTlsOutcome;

/* On the main loop, never from inside a call of yours; once for each connection attempt that got as far as
 * TLS. Twice, first UA_TLS_OK and then UA_TLS_CLIENT_CERT, if a TLS 1.3 server does not like our certificate:
 * it says so only afterwards. */
typedef void (*UaTlsOutcomeFunc) (const UaTlsOutcome *outcome, gpointer data);

typedef struct _UaTlsPolicy UaTlsPolicy;

/* Loads CA and certificate now: INVALID_OPTION names key and file when they cannot be used. */
UaTlsPolicy *ua_tls_policy_new (const UaTlsParams *params, UaTlsOutcomeFunc on_outcome, gpointer data,
                                GError **error);
/* No callback after this; connections that are still open go on, new ones are refused. Accepts NULL. */
void ua_tls_policy_free (UaTlsPolicy *policy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaTlsPolicy, ua_tls_policy_free)
/* For NUTAG_CERTIFICATE_DIR. */
const char *ua_tls_policy_get_path (const UaTlsPolicy *policy);
/* Whether our certificate, if there is one, is good at this time. */
gboolean ua_tls_policy_is_valid (const UaTlsPolicy *policy, GError **error);
/* Does our certificate speak for host? FALSE without one. */
gboolean ua_tls_policy_names (const UaTlsPolicy *policy, const char *host);

/* Called by ua_platform_init: fails if the libraries do not go through our functions. */
gboolean ua_tls_init (GError **error);
/* Frees what sofia left of closed connections; for the end of the program and for leak checks. The main loop
 * does it otherwise. */
void ua_tls_flush (void);
