/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* vCard (RFC 6350, RFC 2426, and the 2.1 before them that phones still write) as the sequence of its properties. Pure; any octets may come
 * in. */

#include <glib.h>

#define PHONE_VCARD_MAX_VALUE 2048      /* octets; of what is longer (pictures) the beginning */

typedef struct
{
  /* the property, until the next one */
  const char *name;             /* upper case, without the group before it */
  const char *value;            /* folds and quoted-printable undone; valid UTF-8 */
  guint line;                   /* where it begins, 1 is the first */

  /* the reader's own */
  const char *at, *end;
  guint next_line;
  GString *text, *decoded;
} PhoneVcardReader;

void phone_vcard_reader_init (PhoneVcardReader *reader, const char *data, gsize length);        /* borrows data */
void phone_vcard_reader_clear (PhoneVcardReader *reader);
/* FALSE: that was the last. Lines that are no property are left out. */
gboolean phone_vcard_reader_next (PhoneVcardReader *reader);

/* The parts of a value between separators (',' of a list, ';' of a structure), escapes undone, at most max of them. */
GStrv phone_vcard_split (const char *value, char separator, guint max);
