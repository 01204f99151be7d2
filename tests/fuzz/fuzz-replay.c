/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Feeds every file of the directories (or files) named on the command line, each once whole and once cut short at every of its first 64
 * lengths, to a fuzz target: the corpus as an ordinary test, with any compiler. TAP on stdout. */

#include <gio/gio.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
feed (const char *data, gsize size)
{
  /* An exact heap copy: a read past the end is seen by sanitizers and valgrind. */
  g_autofree uint8_t *copy = g_malloc (size > 0 ? size : 1);
  if (size > 0)
    memcpy (copy, data, size);
  LLVMFuzzerTestOneInput (copy, size);
}

static guint
replay (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  if (dir != NULL)
    {
      guint n = 0;
      for (const char *name; (name = g_dir_read_name (dir)) != NULL;)
        {
          g_autofree char *child = g_build_filename (path, name, NULL);
          n += replay (child);
        }
      return n;
    }

  if (!g_file_get_contents (path, &data, &size, &error))
    g_error ("%s", error->message);
  feed (data, size);
  for (gsize cut = 0; cut < MIN (size, 64); cut++)
    feed (data, cut);
  return 1;
}

int
main (int argc, char **argv)
{
  guint n = 0;

  for (int i = 1; i < argc; i++)
    n += replay (argv[i]);
  g_print ("1..1\n%s 1 - %u inputs\n", n > 0 ? "ok" : "not ok", n);
  return n > 0 ? 0 : 1;
}
