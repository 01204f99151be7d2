/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The keyfiles of phoned, line by line:
 *
 *   # comment            ; comment            both only at the beginning of a line
 *   [section]
 *   key = value          all after the first '=', without white space at both ends; no quotes, no escapes, no continuation
 *   key =                back to the default
 *
 * GKeyFile would do but for the line numbers, which are what a person needs who has made a mistake. Pure; any octets may come in. */

#include <glib.h>

#define PHONE_CONFIG_MAX_FILE (1024 * 1024)     /* octets */
#define PHONE_CONFIG_MAX_LINE 4096              /* octets without the newline */
#define PHONE_CONFIG_MAX_ENTRIES 4096
#define PHONE_CONFIG_MAX_PROBLEMS 100

typedef struct
{
  guint line;                   /* 1 is the first */
  char *section, *key;          /* [a-z0-9-]+; owned */
  char *value;                  /* UTF-8 without control characters, may be ""; owned */
} PhoneConfigEntry;

typedef struct
{
  guint line;                   /* 0: the file as a whole */
  gboolean is_warning;          /* nothing was lost */
  char *message;                /* "[section] key: ...", "[section]: ..." or just text; owned */
} PhoneConfigProblem;

typedef struct
{
  GPtrArray *entries;           /* PhoneConfigEntry in file order; of a key that stands twice only the last */
  GPtrArray *problems;          /* PhoneConfigProblem */
} PhoneConfigFile;

/* Never NULL: what is wrong stands in problems, what is right in entries. */
PhoneConfigFile *phone_config_parse (const char *data, gsize length);
void phone_config_file_free (PhoneConfigFile *file);            /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneConfigFile, phone_config_file_free)

/* The text of old with the keys of section replaced by pairs (key, value, ..., NULL): comments, blank lines and the order of lines stay, keys
 * that are not in pairs go, new ones come behind the last of the section; other sections stay. Lines that do not parse become comments. old may be NULL.
 * Keys and values must be such that phone_config_parse() returns them. Caller frees. */
char *phone_config_rewrite (const char *old, gsize length, const char *section, const char *const *pairs);
