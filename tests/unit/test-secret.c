/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib.h>

#include "util/phone-error.h"
#include "util/secret.h"

static void
test_new (void)
{
  g_autoptr (PhoneSecret) text = phone_secret_new ("s3cret", -1);
  g_autoptr (PhoneSecret) binary = phone_secret_new ("a\0b", 3);
  g_autoptr (PhoneSecret) empty = phone_secret_new (NULL, 0);
  g_autoptr (PhoneSecret) other = phone_secret_new ("s3creT", -1);
  g_autoptr (PhoneSecret) again = phone_secret_ref (text);

  g_assert_cmpstr (phone_secret_peek (text), ==, "s3cret");
  g_assert_cmpuint (phone_secret_length (text), ==, 6);
  g_assert_cmpmem (phone_secret_peek (binary), phone_secret_length (binary), "a\0b", 3);
  g_assert_cmpstr (phone_secret_peek (empty), ==, "");
  g_assert_true (phone_secret_equal (text, again));
  g_assert_false (phone_secret_equal (text, other));
  g_assert_false (phone_secret_equal (text, binary));
  phone_secret_unref (NULL);
}

/* A secret that fills its page has room for its NUL. */
static void
test_page (void)
{
  gsize page = (gsize) sysconf (_SC_PAGESIZE);
  g_autofree char *data = g_malloc (page);
  g_autoptr (PhoneSecret) secret = NULL;

  memset (data, 'x', page);
  secret = phone_secret_new (data, (gssize) page);
  g_assert_cmpuint (strlen (phone_secret_peek (secret)), ==, page);
}

/* "VmFlags" of the mapping that holds address, from /proc/self/smaps. */
static char *
mapping_flags (const void *address)
{
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean inside = FALSE;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      unsigned long first, last;
      if (sscanf (lines[i], "%lx-%lx ", &first, &last) == 2)
        inside = (unsigned long) address >= first && (unsigned long) address < last;
      else if (inside && g_str_has_prefix (lines[i], "VmFlags:"))
        return g_strconcat (lines[i], " ", NULL);
    }
  return NULL;
}

static void
test_not_dumped (void)
{
  g_autoptr (PhoneSecret) secret = phone_secret_new ("s3cret", -1);
  g_autofree char *flags = mapping_flags (phone_secret_peek (secret));

  if (flags == NULL)
    {
      g_test_skip ("no VmFlags in /proc/self/smaps");
      return;
    }
  g_assert_nonnull (strstr (flags, " dd "));
}

static PhoneSecret *
read_from_pipe (const char *data, gsize length, gboolean close_writer, GError **error)
{
  int ends[2];
  PhoneSecret *secret;

  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_cmpint (write (ends[1], data, length), ==, (gssize) length);
  if (close_writer)
    close (ends[1]);
  secret = phone_secret_read_fd (ends[0], error);
  g_assert_cmpint (fcntl (ends[0], F_GETFD), !=, -1);
  close (ends[0]);
  if (!close_writer)
    close (ends[1]);
  return secret;
}

static void
test_read (void)
{
  static const struct { const char *data; gsize length; const char *expected; } cases[] = {
    { "", 0, "" }, { "\n", 1, "" }, { "pw", 2, "pw" }, { "pw\n", 3, "pw" }, { "pw\n\n", 4, "pw\n" }, { " p w ", 5, " p w " },
    { "pw\r\n", 4, "pw\r" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PhoneSecret) secret = read_from_pipe (cases[i].data, cases[i].length, TRUE, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (phone_secret_peek (secret), ==, cases[i].expected);
      g_assert_cmpuint (phone_secret_length (secret), ==, strlen (cases[i].expected));
    }
}

static void
test_read_limits (void)
{
  g_autofree char *data = g_malloc (8192);
  g_autoptr (PhoneSecret) longest = NULL, with_newline = NULL;
  g_autoptr (GError) error = NULL;

  memset (data, 'p', 8192);
  longest = read_from_pipe (data, 4096, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (phone_secret_length (longest), ==, 4096);

  for (gsize length = 4097; length <= 8192; length += 4095)
    {
      g_assert_null (read_from_pipe (data, length, TRUE, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_assert_null (strstr (error->message, "ppp"));
      g_clear_error (&error);
    }

  data[4096] = '\n';
  with_newline = read_from_pipe (data, 4097, TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (phone_secret_length (with_newline), ==, 4096);
  g_assert_null (read_from_pipe (data, 4098, TRUE, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);

  g_assert_null (read_from_pipe ("a\0b", 3, TRUE, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
}

/* A writer that stays open must not stop the caller; neither must one that has written nothing. */
static void
test_read_never_waits (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (read_from_pipe ("pw", 2, FALSE, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);
  g_assert_null (read_from_pipe ("", 0, FALSE, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
}

static void
test_read_file (void)
{
  int fd = memfd_create ("secret", MFD_CLOEXEC);
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneSecret) secret = NULL;

  g_assert_cmpint (write (fd, "pw\n", 3), ==, 3);
  lseek (fd, 0, SEEK_SET);
  secret = phone_secret_read_fd (fd, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (phone_secret_peek (secret), ==, "pw");
  close (fd);

  g_assert_null (phone_secret_read_fd (fd, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/secret/new", test_new);
  g_test_add_func ("/secret/page", test_page);
  g_test_add_func ("/secret/not-dumped", test_not_dumped);
  g_test_add_func ("/secret/read", test_read);
  g_test_add_func ("/secret/read-limits", test_read_limits);
  g_test_add_func ("/secret/read-never-waits", test_read_never_waits);
  g_test_add_func ("/secret/read-file", test_read_file);
  return g_test_run ();
}
