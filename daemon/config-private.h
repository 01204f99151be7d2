/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Shared by config.c (reading) and config-store.c (writing). */

#include "config.h"

/* One file on the way to the settings of an account or of the daemon, lowest first. */
typedef struct
{
  char *path;
  gboolean is_user;             /* below dirs->user */
  gboolean is_dropin;
} PhoneConfigLayer;

/* name: "phoned.conf" or "accounts.d/ID.conf". Files that do not exist are left out. problems may be NULL. Array owns its layers. */
GPtrArray *phone_config_layers (const PhoneConfigDirs *dirs, const char *name, GPtrArray *problems);
/* Applies the file to settings, key by key. FALSE if anything in it was wrong. origins (may be NULL): key -> "FILE:LINE" of what counts. */
gboolean phone_config_apply_account_file (const char *path, PhoneAccountSettings *settings, GHashTable *origins, GPtrArray *problems);
/* The settings that the files give, or NULL with everything that is wrong in problems (may be NULL). Disabled accounts too. */
PhoneAccountSettings *phone_config_load_account (const PhoneConfigDirs *dirs, const char *id, GPtrArray *problems);
/* NULL without error: no such file. Regular files and /dev/null only; somewhat more than max octets at most. */
char *phone_config_read (const char *path, gsize max, gsize *ret_length, GError **error);
/* Names in directory that end so (".conf"), sorted; more than max are a problem. A directory that is not there is empty. */
GPtrArray *phone_config_list (const char *directory, const char *suffix, guint max, GPtrArray *problems);
/* problems NULL: nobody wants to know. */
void phone_config_add_problem (GPtrArray *problems, const char *format, ...) G_GNUC_PRINTF (2, 3);
char *phone_config_account_name (const char *id);               /* "accounts.d/ID.conf" */
