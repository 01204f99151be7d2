/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A string that is wiped when the last reference goes, is kept out of core dumps and swap where the kernel allows
 * (mlock, MADV_DONTDUMP), and has no path into a log: there is no to_string. */

#include <glib.h>

typedef struct _PhoneSecret PhoneSecret;

PhoneSecret *phone_secret_new (const char *data, gssize length);        /* copies; -1: NUL-terminated */
PhoneSecret *phone_secret_ref (PhoneSecret *secret);
void phone_secret_unref (PhoneSecret *secret);                          /* accepts NULL */
const char *phone_secret_peek (const PhoneSecret *secret);              /* NUL-terminated, borrowed */
gsize phone_secret_length (const PhoneSecret *secret);
/* Reads fd to its end (at most 4096 octets, one trailing newline dropped); does not close it. */
PhoneSecret *phone_secret_read_fd (int fd, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneSecret, phone_secret_unref)
