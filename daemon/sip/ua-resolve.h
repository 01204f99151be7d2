/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The DNS part of RFC 3263, on sofia's resolver: NAPTR, SRV, A or AAAA. */

#include "sip/target.h"
#include "sip/ua-private.h"

typedef struct
{
  const char *host;             /* a name */
  guint16 port;                 /* 0: as the DNS says */
  PhoneTransport transport;     /* AUTO: as the DNS says */
  gboolean with_tls;            /* AUTO: by NAPTR, TLS too (RFC 3263 section 4.1) */
  int family;                   /* AF_INET or AF_INET6; AF_UNSPEC: both */
} UaQuestion;

typedef struct _UaResolve UaResolve;

/* targets: UaTarget, best first; a new reference would keep it. Empty: nothing was found, or the name servers were silent. The UaResolve is
 * gone when it returns. */
typedef void (*UaResolvedFunc) (GPtrArray *targets, gpointer data);

/* Never calls back before it returns. */
UaResolve *ua_resolve_start (UaEngine *engine, const UaQuestion *question, UaResolvedFunc func, gpointer data);
void ua_resolve_cancel (UaResolve *resolve);    /* accepts NULL */
