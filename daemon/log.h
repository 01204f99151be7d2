/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Installs the writer of all GLib log messages: journald with fields when stderr is the journal, else one line on
 * stderr; below max_level nothing is written. Every message is redacted here, whoever wrote it. Call once. */
void log_init (GLogLevelFlags max_level);
void log_set_level (GLogLevelFlags max_level);
/* "error", "warning", "notice", "info", "debug"; FALSE: none of these. */
gboolean log_level_from_string (const char *name, GLogLevelFlags *ret_level);
