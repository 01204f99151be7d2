/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A name server with a table: authoritative for everything, UDP only. */

#include <glib.h>

enum { NAME_A = 1, NAME_AAAA = 28, NAME_SRV = 33, NAME_NAPTR = 35 };

typedef struct
{
  const char *name;
  guint16 type;
  const char *data;             /* address; "priority weight port target"; "order preference service replacement" */
} NameRecord;

/* Port 53 of address, on the main loop, until the process ends; a second one answers the same. */
void name_server_start (const char *address, const NameRecord *records, guint n);
guint name_server_count (void);         /* questions so far */
