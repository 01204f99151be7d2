/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small files that are either the old or the new one after a crash or a power cut, never half of each. */

#include <glib.h>
#include "util/phone-error.h"

/* Writes a temporary file with mode (whatever the umask) beside path, syncs it, renames it over path and syncs the directory. The directory
 * must exist. A symbolic link at path is replaced, not followed. STORAGE names the file. */
gboolean phone_atomic_write (const char *path, const char *data, gsize length, guint mode, GError **error);
/* Removes path and syncs the directory. TRUE if it did not exist. */
gboolean phone_atomic_remove (const char *path, GError **error);
/* Creates the directory and its parents, those that are missing with mode. */
gboolean phone_make_directory (const char *path, guint mode, GError **error);
