/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the leak checker is to overlook in the libraries below us; linked into every test of the media room. */

#ifdef __SANITIZE_ADDRESS__
/* libpulse loses the operations that were under way when a stream was closed, and GLib its first table of
 * quarks when it needs a larger one. The stacks must be whole for these lines to fit. */
const char *__lsan_default_suppressions (void);
const char *__asan_default_options (void);

const char *
__lsan_default_suppressions (void)
{
  return "leak:libpulse.so\nleak:call_init\n";
}

const char *
__asan_default_options (void)
{
  return "fast_unwind_on_malloc=0";
}
#endif

/* A file needs something. */
typedef int MediaTestSanitizers;
