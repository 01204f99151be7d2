/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "util/config-parse.h"

/* "LINE [section] key=value|..." of what parses, then "! LINE message|" and "? LINE message|" for errors and warnings. */
static char *
parse_to_text (const char *data, gsize length)
{
  /* An exact copy, so that a read beyond the end shows. */
  g_autofree char *copy = g_memdup2 (data, length);
  g_autoptr (PhoneConfigFile) file = phone_config_parse (copy, length);
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < file->entries->len; i++)
    {
      const PhoneConfigEntry *entry = g_ptr_array_index (file->entries, i);
      g_string_append_printf (out, "%u [%s] %s=%s|", entry->line, entry->section, entry->key, entry->value);
    }
  for (guint i = 0; i < file->problems->len; i++)
    {
      const PhoneConfigProblem *problem = g_ptr_array_index (file->problems, i);
      g_string_append_printf (out, "%c %u %s|", problem->is_warning ? '?' : '!', problem->line, problem->message);
    }
  return g_string_free (out, FALSE);
}

static void
test_good (void)
{
  static const struct { const char *text, *expected; } cases[] = {
    { "", "" },
    { "\n\n", "" },
    { "# c\n ; d\n", "" },
    { "[a]\nk=v", "2 [a] k=v|" },
    { "\xef\xbb\xbf[a]\r\nk = v w \r\n", "2 [a] k=v w|" },
    { "[a]\n\tk\t=\t# not a comment; neither\n", "2 [a] k=# not a comment; neither|" },
    { "[a]\nk==\nl=\nm= [x]\n", "2 [a] k==|3 [a] l=|4 [a] m=[x]|" },
    { "[a]\nk=\xc3\xa4\n[ b-2 ]\nk=1\n[a]\nl=\"2\"\n", "2 [a] k=\xc3\xa4|4 [b-2] k=1|6 [a] l=\"2\"|" },
    { "[a]\nk=1\nl=2\nk=3\nk=4\n",
      "3 [a] l=2|5 [a] k=4|? 4 [a] k: stands in line 2 too; this one counts|? 5 [a] k: stands in line 4 too; this one counts|" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = parse_to_text (cases[i].text, strlen (cases[i].text));
      g_assert_cmpstr (text, ==, cases[i].expected);
    }
}

static void
test_bad (void)
{
  static const struct { const char *text; gsize length; const char *expected; } cases[] = {
#define CASE(text, expected) { text, sizeof text - 1, expected }
    CASE ("k=v\n[a]\nl=w\n", "3 [a] l=w|! 1 k: stands before any [section]|"),
    CASE ("[a]\nnonsense\nk=v\n", "3 [a] k=v|! 2 [a]: neither a comment, nor [section], nor key=value|"),
    CASE ("[a]\nKey=v\n", "! 2 [a] Key: a key is made of lower-case letters, digits and '-'|"),
    CASE ("[a]\n=v\n", "! 2 [a]: a key is made of lower-case letters, digits and '-'|"),
    CASE ("[a]\na\x1b[1mb=v\n", "! 2 [a] a [1mb: a key is made of lower-case letters, digits and '-'|"),
    CASE ("[a]\nk=a\x1b[1m\n", "! 2 [a] k: the value has control characters|"),
    CASE ("[a]\nk=\xff\n", "! 2 [a]: the line is not UTF-8|"),
    CASE ("[a\nk=v\n", "! 1 a section does not end with ']'|"),
    CASE ("[a]\nk=v\n[b\nl=w\n[c]\nm=x\n", "2 [a] k=v|6 [c] m=x|! 3 [a]: a section does not end with ']'|"),
    CASE ("[A b]\n", "! 1 the name of a section is made of lower-case letters, digits and '-'|"),
    CASE ("[]\n", "! 1 the name of a section is made of lower-case letters, digits and '-'|"),
    CASE ("[", "! 1 a section does not end with ']'|"),
    CASE ("[a]\nk=v\0w\n", "! 0 the file contains a NUL octet|"),
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = parse_to_text (cases[i].text, cases[i].length);
      g_assert_cmpstr (text, ==, cases[i].expected);
    }
}

static void
test_limits (void)
{
  g_autoptr (GString) text = g_string_new ("[a]\nk=");
  g_autoptr (PhoneConfigFile) file = NULL;

  while (text->len < 4 + PHONE_CONFIG_MAX_LINE)
    g_string_append_c (text, 'x');
  g_string_append (text, "\nl=1\n");
  file = phone_config_parse (text->str, text->len);
  g_assert_cmpuint (file->problems->len, ==, 0);
  g_assert_cmpuint (file->entries->len, ==, 2);
  g_clear_pointer (&file, phone_config_file_free);

  g_string_insert_c (text, 10, 'x');
  file = phone_config_parse (text->str, text->len);
  g_assert_cmpuint (file->problems->len, ==, 1);
  g_assert_cmpuint (((PhoneConfigProblem *) file->problems->pdata[0])->line, ==, 2);
  g_assert_cmpuint (file->entries->len, ==, 1);
  g_clear_pointer (&file, phone_config_file_free);

  g_string_assign (text, "[a]\n");
  while (text->len <= PHONE_CONFIG_MAX_FILE)
    g_string_append (text, "# 45678\n");
  g_string_truncate (text, PHONE_CONFIG_MAX_FILE);
  file = phone_config_parse (text->str, text->len);
  g_assert_cmpuint (file->problems->len, ==, 0);
  g_clear_pointer (&file, phone_config_file_free);
  g_string_append_c (text, '#');
  file = phone_config_parse (text->str, text->len);
  g_assert_cmpuint (file->problems->len, ==, 1);
  g_clear_pointer (&file, phone_config_file_free);

  /* Neither problems nor entries grow without end. */
  g_string_assign (text, "[a]\n");
  while (text->len < PHONE_CONFIG_MAX_FILE - 8)
    g_string_append (text, "x\n");
  file = phone_config_parse (text->str, text->len);
  g_assert_cmpuint (file->problems->len, ==, PHONE_CONFIG_MAX_PROBLEMS);
  g_clear_pointer (&file, phone_config_file_free);

  g_string_assign (text, "[a]\n");
  for (guint i = 0; i < PHONE_CONFIG_MAX_ENTRIES + 1; i++)
    g_string_append_printf (text, "k%u=1\n", i);
  file = phone_config_parse (text->str, text->len);
  g_assert_cmpuint (file->entries->len, ==, PHONE_CONFIG_MAX_ENTRIES);
  g_assert_cmpuint (file->problems->len, ==, 1);
  g_clear_pointer (&file, phone_config_file_free);

  /* A warning that is the last that fits must not hide that the rest was not read. */
  g_string_assign (text, "[a]\n");
  for (guint i = 0; i < PHONE_CONFIG_MAX_PROBLEMS + 10; i++)
    g_string_append (text, "k=1\n");
  file = phone_config_parse (text->str, text->len);
  g_assert_cmpuint (file->problems->len, ==, PHONE_CONFIG_MAX_PROBLEMS);
  g_assert_false (((PhoneConfigProblem *) file->problems->pdata[PHONE_CONFIG_MAX_PROBLEMS - 1])->is_warning);
}

static void
test_rewrite (void)
{
  static const char *const none[] = { NULL };
  static const char *const two[] = { "aor", "sip:a@b", "name", "", NULL };
  static const struct { const char *old; const char *const *pairs; const char *expected; } cases[] = {
    { NULL, none, "[account]\n" },
    { NULL, two, "[account]\naor=sip:a@b\nname=\n" },
    { "", two, "[account]\naor=sip:a@b\nname=\n" },
    { "# mine\n\n[account]\n# who\n aor = sip:x@y\n\n# end\n", two, "# mine\n\n[account]\n# who\naor=sip:a@b\nname=\n\n# end\n" },
    { "[account]\n aor = sip:a@b \nname=x\nexpires=60\n", two, "[account]\n aor = sip:a@b \nname=\n" },
    { "[account]\naor=1\nname=2\naor=3\n", two, "[account]\naor=sip:a@b\nname=\n" },
    { "[account]\naor=1\n# between\nname=2", none, "[account]\n# between\n" },
    { "[other]\naor=1\n", two, "[other]\naor=1\n[account]\naor=sip:a@b\nname=\n" },
    { "aor=1\nrubbish\n[broken\nk=v\n[account]\n", two, "# aor=1\n# rubbish\n# [broken\n# k=v\n[account]\naor=sip:a@b\nname=\n" },
    { "[account]\r\nname=x\r\n", two, "[account]\nname=\naor=sip:a@b\n" },
    { "[account]\n\xff=1\nx\xff\n", none, "[account]\n" },
    { "[account]\n[other]\n", two, "[account]\naor=sip:a@b\nname=\n[other]\n" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = phone_config_rewrite (cases[i].old, cases[i].old != NULL ? strlen (cases[i].old) : 0, "account", cases[i].pairs);
      g_assert_cmpstr (text, ==, cases[i].expected);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/config-parse/good", test_good);
  g_test_add_func ("/config-parse/bad", test_bad);
  g_test_add_func ("/config-parse/limits", test_limits);
  g_test_add_func ("/config-parse/rewrite", test_rewrite);
  return g_test_run ();
}
