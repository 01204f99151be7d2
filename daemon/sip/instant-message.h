/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bodies of MESSAGE: text, its envelope (CPIM, RFC 3862), reports (IMDN, RFC 5438) and who is writing (RFC 3994), read into and written
 * from plain values. Pure; what comes in is hostile. */

#include "core/message.h"

#define UA_CPIM_MAX (96 * 1024)
#define UA_IM_MAX_ID 255                /* octets of a Message-ID */

/* ---- message/cpim: cpim.c ---- */

typedef struct
{
  char *from, *to;              /* URIs as they stand there: claims, no more; NULL: none */
  char *message_id;             /* imdn.Message-ID, a token; NULL: none */
  guint asks;                   /* PhoneReport, of imdn.Disposition-Notification */
  char *content_type;           /* of what is inside; never NULL */
  const char *body;             /* inside what was parsed */
  gsize length;
} UaCpim;

/* FAILED: what is wrong with it. *ret_cpim is assigned only on success. */
gboolean ua_cpim_read (const char *data, gsize length, UaCpim *ret_cpim, GError **error);
void ua_cpim_clear (UaCpim *cpim);

typedef struct
{
  const char *from, *to;        /* URIs */
  const char *message_id;       /* NULL: none */
  guint asks;
  gint64 time;                  /* Unix s */
  const char *content_type;
  gboolean is_report;
  const char *body;
} UaCpimParams;
char *ua_cpim_write (const UaCpimParams *params);       /* caller frees */

/* ---- message/imdn+xml: imdn.c ---- */

typedef struct
{
  char *message_id;             /* of the message that it is about */
  PhoneDisposition disposition; /* NONE: a word that is not known */
} UaImdn;

gboolean ua_imdn_read (const char *data, gsize length, UaImdn *ret_imdn, GError **error);
void ua_imdn_clear (UaImdn *imdn);
char *ua_imdn_write (const char *message_id, gint64 time, PhoneReport kind);

/* ---- application/im-iscomposing+xml: is-composing.c ---- */

/* *ret_refresh: s, 0: not named. */
gboolean ua_is_composing_read (const char *data, gsize length, gboolean *ret_active, guint *ret_refresh, GError **error);
char *ua_is_composing_write (gboolean active, guint refresh);   /* refresh 0: not named */

/* ---- the body of a MESSAGE: instant-message.c ---- */

typedef enum
{
  UA_IM_TEXT,
  UA_IM_REPORT,
  UA_IM_COMPOSING,
} UaImKind;

typedef struct
{
  UaImKind kind;
  char *text;                   /* TEXT: clean; also when nothing is left of it */
  char *message_id;             /* TEXT: theirs, NULL: none */
  guint asks;                   /* TEXT: PhoneReport */
  gboolean in_cpim;             /* the sender speaks CPIM */
  UaImdn report;                /* REPORT */
  gboolean active;              /* COMPOSING */
  guint refresh;
} UaIm;

/* Types that are understood, for Accept. */
#define UA_IM_ACCEPT "text/plain, message/cpim, message/imdn+xml, application/im-iscomposing+xml"

/* content_type: the whole value of the header, NULL: none (text/plain). Returns 0, or the status to answer with (400, 413, 415), and *ret_why
 * a static text for the log. max: octets of text. */
guint ua_im_read (const char *content_type, const char *data, gsize length, gsize max, UaIm *ret_im, const char **ret_why);
void ua_im_clear (UaIm *im);
