/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Values on their way out. Text may come from a peer on the network, and a message bus throws out a client
 * that sends text which is not UTF-8: everything that the model calls a string goes through bus_text(). */

#include <glib.h>
#include <systemd/sd-bus.h>

#define BUS_MAX_TEXT 4096               /* octets of one string that we send */

/* text as D-Bus allows it (UTF-8, no noncharacters, at most BUS_MAX_TEXT octets), NULL as "": the same
 * pointer if it was good, else a copy that *ret_copy owns. */
const char *bus_text (const char *text, char **ret_copy);

/* All return negative errno. */
int bus_append_text (sd_bus_message *m, const char *text);
int bus_append_texts (sd_bus_message *m, const char *const *texts);      /* as; NULL: empty */

/* An a{sv}: begin, entries, end. The entry functions for what may be unknown add nothing then. */
int bus_dict_begin (sd_bus_message *m);
int bus_dict_end (sd_bus_message *m);
int bus_dict_text (sd_bus_message *m, const char *key, const char *text);      /* NULL or "": nothing */
int bus_dict_bool (sd_bus_message *m, const char *key, gboolean value);
int bus_dict_u32 (sd_bus_message *m, const char *key, guint32 value);
int bus_dict_u64 (sd_bus_message *m, const char *key, guint64 value);
int bus_dict_i64 (sd_bus_message *m, const char *key, gint64 value);
int bus_dict_double (sd_bus_message *m, const char *key, double value);        /* NAN: nothing */
int bus_dict_time (sd_bus_message *m, const char *key, gint64 seconds);        /* t; 0 or less: nothing */
