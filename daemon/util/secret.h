/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A string that is wiped when the last reference goes, is kept out of core dumps and swap where the kernel allows
 * (mlock, MADV_DONTDUMP), and has no path into a log: there is no to_string. */

#include <glib.h>

typedef struct _PhoneSecret PhoneSecret;

PhoneSecret *phone_secret_new (const char *data, gssize length);        /* copies; -1: NUL-terminated */
PhoneSecret *phone_secret_ref (PhoneSecret *secret);
void phone_secret_unref (PhoneSecret *secret);                          /* accepts NULL */
const char *phone_secret_peek (const PhoneSecret *secret);              /* NUL-terminated, borrowed; never NULL */
gsize phone_secret_length (const PhoneSecret *secret);
/* In a time that depends on the lengths only. */
gboolean phone_secret_equal (const PhoneSecret *a, const PhoneSecret *b);
/* Reads fd to its end (at most 4096 octets, one trailing newline dropped); does not close it. Never waits: a pipe must hold everything and
 * its writing end must be closed already, so that a client that never writes cannot stop the loop. INVALID_OPTION: too long, a NUL,
 * not complete; STORAGE: cannot be read. The message does not contain what was read. */
PhoneSecret *phone_secret_read_fd (int fd, GError **error);
/* What functions that have returned left of secrets on the stack of this thread: those that we called, not those that called us. */
void phone_secret_wipe_stack (void);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneSecret, phone_secret_unref)
