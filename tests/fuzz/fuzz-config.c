/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any file: parses within its limits, its entries go into settings or are refused with a text that fits a log, what was accepted can be
 * written over that very file and comes back. The targets of the dial plan take the values, being there. */

#include <stdint.h>
#include <string.h>

#include "core/account-settings.h"
#include "core/daemon-settings.h"
#include "core/dial-plan.h"
#include "util/config-parse.h"
#include "util/phone-uri.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_error (const GError *error)
{
  g_assert (error != NULL);
  g_assert (phone_text_is_clean (error->message));
}

static void
check_dial (const PhoneAccountSettings *settings, const char *target)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *uri = phone_dial_plan_resolve (settings, target, &error);
  g_autoptr (PhoneUri) parsed = NULL;

  if (uri == NULL)
    {
      check_error (error);
      return;
    }
  parsed = phone_uri_parse (uri, NULL);
  g_assert (parsed != NULL && parsed->scheme != PHONE_URI_TEL && parsed->headers->len == 0);
}

/* Puts what settings holds over the text and reads it back. */
static void
check_rewrite (const PhoneAccountSettings *settings, const char *text, gsize length)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) pairs = NULL;
  g_autofree char *rewritten = NULL;
  g_autofree char *again = NULL;
  g_autoptr (PhoneConfigFile) file = NULL;
  g_autoptr (PhoneAccountSettings) got = phone_account_settings_new (settings->id, NULL);

  for (const char *const *key = phone_account_settings_keys (); *key != NULL; key++)
    {
      g_autofree char *value = phone_account_settings_get (settings, *key);
      if (value != NULL)
        g_strv_builder_add_many (builder, *key, value, NULL);
    }
  pairs = g_strv_builder_end (builder);
  rewritten = phone_config_rewrite (text, length, "account", (const char *const *) pairs);
  again = phone_config_rewrite (rewritten, strlen (rewritten), "account", (const char *const *) pairs);
  g_assert (g_str_equal (rewritten, again));

  file = phone_config_parse (rewritten, strlen (rewritten));
  for (guint i = 0; i < file->problems->len; i++)
    g_assert (((const PhoneConfigProblem *) g_ptr_array_index (file->problems, i))->is_warning);
  for (guint i = 0; i < file->entries->len; i++)
    {
      const PhoneConfigEntry *entry = g_ptr_array_index (file->entries, i);
      if (g_str_equal (entry->section, "account"))
        g_assert (phone_account_settings_set (got, entry->key, entry->value, NULL));
    }
  g_assert (phone_account_settings_equal (got, settings));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (PhoneConfigFile) file = phone_config_parse ((const char *) data, size);
  g_autoptr (PhoneAccountSettings) account = phone_account_settings_new ("fuzz", NULL);
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();

  g_assert (file->problems->len <= PHONE_CONFIG_MAX_PROBLEMS && file->entries->len <= PHONE_CONFIG_MAX_ENTRIES);
  for (guint i = 0; i < file->problems->len; i++)
    g_assert (phone_text_is_clean (((const PhoneConfigProblem *) g_ptr_array_index (file->problems, i))->message));
  for (guint i = 0; i < file->entries->len; i++)
    {
      const PhoneConfigEntry *entry = g_ptr_array_index (file->entries, i);
      g_autoptr (GError) account_error = NULL;
      g_autoptr (GError) daemon_error = NULL;

      g_assert (phone_text_is_clean (entry->value));
      if (g_str_equal (entry->section, "account") && !phone_account_settings_set (account, entry->key, entry->value, &account_error))
        check_error (account_error);
      if (!phone_daemon_settings_set (settings, entry->section, entry->key, entry->value, &daemon_error))
        check_error (daemon_error);
      check_dial (account, entry->value);
    }
  (void) phone_account_settings_validate (account, NULL);
  check_rewrite (account, (const char *) data, size);
  return 0;
}
