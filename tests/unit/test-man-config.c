/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* phoned.conf(5) against the tables: every key is there with its default, under its section, and nothing else is. A key
 * stands in the page as a line "*key*=_FORM_ (default: *value*)" under "## [section]" (the daemon's) or "# SETTINGS OF AN ACCOUNT". */

#include <string.h>

#include "core/account-settings.h"
#include "core/daemon-settings.h"

/* "section.key" -> default, "" where the page gives none. */
static GHashTable *
read_page (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "phoned.conf.5.scd", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GRegex) key_line = g_regex_new ("^\\*([a-z-]+)\\*=\\S.*?(?: \\(default: \\*(.*)\\*\\))?$", 0, 0, NULL);
  g_autofree char *section = NULL;
  GHashTable *found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_autoptr (GMatchInfo) match = NULL;

      if (g_str_has_prefix (lines[i], "# "))
        {
          g_free (section);
          section = g_str_equal (lines[i], "# SETTINGS OF AN ACCOUNT") ? g_strdup ("account") : NULL;
        }
      else if (g_str_has_prefix (lines[i], "## ["))
        {
          g_free (section);
          section = g_strndup (lines[i] + 4, strlen (lines[i]) - 5);
        }
      else if (section != NULL && g_regex_match (key_line, lines[i], 0, &match))
        {
          g_autofree char *key = g_match_info_fetch (match, 1);
          char *def = g_match_info_fetch (match, 2);
          char *full = g_strdup_printf ("%s.%s", section, key);
          if (g_hash_table_contains (found, full))
            g_error ("%s stands twice", full);
          g_hash_table_insert (found, full, def != NULL ? def : g_strdup (""));
        }
    }
  return found;
}

static void
check_key (GHashTable *page, const char *full, const char *def)
{
  const char *written = g_hash_table_lookup (page, full);

  if (written == NULL)
    g_error ("%s is not in phoned.conf(5)", full);
  /* What depends on the version stands in the text. */
  if (!g_str_equal (full, "sip.user-agent") && g_strcmp0 (written, def != NULL ? def : "") != 0)
    g_error ("%s: the page says the default is \"%s\", the table says \"%s\"", full, written, def);
  g_hash_table_remove (page, full);
}

static void
test_keys (void)
{
  g_autoptr (GHashTable) page = read_page ();
  GHashTableIter iter;
  gpointer left;

  for (const char *const *key = phone_account_settings_keys (); *key != NULL; key++)
    {
      g_autofree char *full = g_strdup_printf ("account.%s", *key);
      check_key (page, full, phone_account_settings_default (*key));
    }
  for (const char *const *full = phone_daemon_settings_keys (); *full != NULL; full++)
    {
      g_auto (GStrv) parts = g_strsplit (*full, ".", 2);
      check_key (page, *full, phone_daemon_settings_default (parts[0], parts[1]));
    }
  g_hash_table_iter_init (&iter, page);
  while (g_hash_table_iter_next (&iter, &left, NULL))
    g_error ("phoned.conf(5) has %s, which is not a key", (char *) left);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/man/phoned.conf", test_keys);
  return g_test_run ();
}
