/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The first look at an SDP text: lines, sections, m-lines. Slices point into it. Used by sdp*.c only. */

#include "sip/sdp.h"
#include "sip/slice.h"

typedef struct
{
  char type;
  UaSlice value;
  guint number;                 /* of the line in the text, from 1 */
} UaSdpLine;

/* Walks over lines; ends at CRLF, LF or CR. */
typedef struct
{
  UaSlice rest;
  guint number;                 /* of the line returned last */
} UaSdpCursor;

/* One m-line and what follows it, or the session part. */
typedef struct
{
  guint number;                 /* of the m= line */
  UaSlice media, protocol;
  UaSlice formats;              /* all of them */
  guint16 port;
  UaSdpCursor body;             /* the lines behind m= (the session: all) */
  UaSdpLine connection;         /* c=, type 0: absent */
  UaSlice mid;                  /* a=mid, length 0: absent */
} UaSdpSection;

typedef struct
{
  UaSdpSection session;
  UaSlice bundle;               /* what follows a=group:BUNDLE */
  guint n_media;
  UaSdpSection media[UA_SDP_MAX_MEDIA];
} UaSdpScan;

/* FALSE at the end. A line that is not of the form x=... has type 0; after ua_sdp_scan() there is none. */
gboolean ua_sdp_next_line (UaSdpCursor *cursor, UaSdpLine *ret_line);
/* For type 'a': splits "name:value" or "name". */
void ua_sdp_attribute (const UaSdpLine *line, UaSlice *ret_name, UaSlice *ret_value);

gboolean ua_sdp_scan (const char *text, gsize length, UaSdpScan *ret_scan, GError **error);
void ua_sdp_fail (GError **error, guint line, const char *format, ...) G_GNUC_PRINTF (3, 4);
