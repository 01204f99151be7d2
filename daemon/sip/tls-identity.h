/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whom does a certificate speak for? Pure questions to an X509. RFC 5922 section 7, RFC 5924. */

#include <glib.h>
#include <openssl/x509.h>

/* Is domain (host name, IP address or [IPv6], any case, a final dot allowed) named by the certificate? A SIP
 * URI without user part names its host; then DNS names, where "*" may stand for the first label; then IP
 * addresses; the common name only if there is no subjectAltName at all. */
gboolean tls_identity_matches (X509 *certificate, const char *domain);
gboolean tls_identity_is_address (const char *domain);
/* The host as it goes into SNI and comparisons: lower case, no brackets, no final dot. Caller frees. */
char *tls_identity_normalize (const char *domain);
/* Made for SIP domains (extended key usage id-kp-sipDomain): it may do without serverAuth. */
gboolean tls_identity_is_for_sip (X509 *certificate);

/* For people: printable, of bounded length, never NULL. Caller frees. */
char *tls_identity_names (X509 *certificate);           /* "sip.example.org, *.example.org" */
char *tls_identity_print_name (const X509_NAME *name);
gint64 tls_identity_time (const ASN1_TIME *time);       /* Unix s, 0: unreadable */
