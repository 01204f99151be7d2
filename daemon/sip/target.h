/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where a request may go (RFC 3263), best first, and the arithmetic of the DNS records that say so: no queries here. */

#include <glib.h>

#include "core/account-settings.h"

typedef struct
{
  PhoneTransport transport;     /* AUTO: nothing said so, sofia takes UDP */
  guint16 port;
  guint rank;                   /* equal: as good as each other */
  char *host;                   /* whose address it is: what a certificate is asked for when no server's name is set */
  char *address;                /* numeric, without brackets */
} UaTarget;

UaTarget *ua_target_new (PhoneTransport transport, const char *host, const char *address, guint16 port, guint rank);
UaTarget *ua_target_copy (const UaTarget *target);
void ua_target_free (UaTarget *target);
GPtrArray *ua_targets_new (void);       /* of UaTarget, owned */
/* "udp 192.0.2.1:5060": equal for the same place. Caller frees. */
char *ua_target_key (const UaTarget *target);
/* The URI to send to. by_name: sofia is to look for the host in the certificate. Caller frees. */
char *ua_target_route (const UaTarget *target, gboolean by_name);

/* ---- NAPTR, RFC 3263 section 4.1 ---- */

typedef struct
{
  guint16 order, preference;
  const char *flags, *service, *replacement;
} UaNaptr;

typedef struct
{
  PhoneTransport transport;
  const char *name;             /* borrowed: replacement */
} UaService;

/* The records that say how to reach a stack of that transport (AUTO: UDP and TCP; with_tls: and TLS), in their order, those of the lowest usable order alone.
 * Returns how many; ret_services has room for max. */
guint ua_naptr_choose (const UaNaptr *records, guint n, PhoneTransport transport, gboolean with_tls, UaService *ret_services, guint max);

/* ---- SRV, RFC 2782 ---- */

typedef struct
{
  guint16 priority, weight, port;
  const char *host;
} UaSrv;

/* By priority; inside one, by chance in proportion to the weights. chance: 0..1, called for each draw. */
void ua_srv_order (UaSrv *records, guint n, double (*chance) (gpointer data), gpointer data);
