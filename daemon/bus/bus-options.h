/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Readers of a{sv} arguments. An unknown key, a key given twice or a value of another type is InvalidOption
 * and names the key. */

#include <systemd/sd-bus.h>
#include "util/phone-error.h"

/* One key that a method knows. ret points to a variable that keeps its value when the key is absent:
 *   "b" int   "u" guint32   "s", "o" const char * (lives as long as the message)
 *   "a{ss}" GPtrArray * (pairs, NULL-terminated, owned) */
typedef struct
{
  const char *key;
  const char *signature;
  void *ret;
} BusOption;

/* Reads the a{sv} that the message stands at; n options. */
gboolean bus_options_read (sd_bus_message *m, const BusOption *options, gsize n, GError **error);

/* Reads an a{sv} of settings into pairs key, text (a NULL-terminated GPtrArray that owns its strings): s as
 * it is; b as true or false; u, i, d in decimal; as joined by commas. The keys are not judged here. */
GPtrArray *bus_options_read_settings (sd_bus_message *m, GError **error);
