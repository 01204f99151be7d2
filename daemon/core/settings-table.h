/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private to the two settings files: a setting is one row (key, kind, where it lives, limits, default, help), and all
 * that one can do with settings is done by walking the rows. A default is text in the form in which the setting is
 * formatted, so "stands at its default" is a comparison of strings. */

#include "util/phone-error.h"

typedef enum
{
  PHONE_SETTING_TEXT,           /* char *, owned */
  PHONE_SETTING_BOOL,           /* gboolean */
  PHONE_SETTING_UINT,           /* guint, min..max, and 0 when zero_too */
  PHONE_SETTING_WORD,           /* an enum whose members count from 0 in the order of words */
  PHONE_SETTING_CUSTOM,         /* parse and format; no member of its own to free */
} PhoneSettingKind;

/* Returns the value in the form to keep, or NULL with an error whose message says what is wrong with it. */
typedef char *(*PhoneSettingCheck) (const char *value, GError **error);

typedef struct
{
  const char *section;          /* NULL in the table of account settings */
  const char *key;
  PhoneSettingKind kind;
  gsize offset;
  const char *def;              /* NULL: not set */
  const char *help;             /* one line */
  guint min, max;
  gboolean zero_too;
  const char *const *words;     /* NULL-terminated */
  PhoneSettingCheck check;      /* TEXT; NULL: any clean text */
  gboolean (*parse) (gpointer settings, const char *value, GError **error);    /* value NULL: not set */
  char *(*format) (gconstpointer settings);                                      /* NULL: not set */
  char *(*make_def) (void);     /* a default that depends on the environment; instead of def */
} PhoneSetting;

typedef struct
{
  const PhoneSetting *rows;
  gsize n_rows;
  gsize size;                   /* of the struct */
} PhoneSettingTable;

const PhoneSetting *phone_setting_find (const PhoneSettingTable *table, const char *section, const char *key);
/* INVALID_OPTION for a key that is not there, with the nearest one as a suggestion. */
void phone_setting_set_unknown (const PhoneSettingTable *table, const char *section, const char *key, GError **error);
/* White space at both ends is dropped. NULL or "" is the default. The error begins with the key. */
gboolean phone_setting_set (const PhoneSetting *row, gpointer settings, const char *value, GError **error);
char *phone_setting_format (const PhoneSetting *row, gconstpointer settings);    /* NULL: not set */
char *phone_setting_dup_default (const PhoneSetting *row);                        /* NULL: not set */

void phone_setting_reset_all (const PhoneSettingTable *table, gpointer settings);
gpointer phone_setting_copy_all (const PhoneSettingTable *table, gconstpointer settings);
void phone_setting_clear_all (const PhoneSettingTable *table, gpointer settings);       /* frees texts */
gboolean phone_setting_equal_all (const PhoneSettingTable *table, gconstpointer a, gconstpointer b);

/* ---- what the checks of both tables share ---- */

/* Error: "VALUE" is not EXPECTED. Always returns NULL. */
gpointer phone_setting_refuse (const char *value, const char *expected, GError **error);
gboolean phone_setting_parse_uint (const char *value, guint min, guint max, guint *ret_number);
char *phone_setting_check_path (const char *value, GError **error);             /* absolute */
char *phone_setting_check_country (const char *value, GError **error);          /* two letters, made upper case */
