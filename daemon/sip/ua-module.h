/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who calls? Functions that we put in front of a library's stand there for everybody in the process:
 * GStreamer, GLib and OpenSSL's other users too. This tells sofia-sip's calls from theirs. */

#include <glib.h>

/* The address range of one loaded library. All zero: not found, and nothing is inside. */
typedef struct
{
  guintptr start, end;
} UaModule;

/* The library that defines symbol; FALSE if none does, or if it is the program itself. */
gboolean ua_module_find (const char *symbol, UaModule *ret_module);

/* Does that library, in its own relocations, refer to name? */
gboolean ua_module_imports (const UaModule *module, const char *name);

/* To be used in the function called, so that no inlining comes in between. */
#define UA_CALLED_FROM(module) \
  ((guintptr) __builtin_return_address (0) - (module)->start < (module)->end - (module)->start)
