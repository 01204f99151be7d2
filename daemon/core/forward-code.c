/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Forwarding that the server does, so that it works while this phone is off: its feature codes are dialled. What the server makes of them it tells
 * whoever listens to the call; nothing of it is known here afterwards. */

#include "core/dial-plan.h"
#include "core/emergency.h"
#include "core/model-private.h"
#include "core/service-code.h"

#include <string.h>

#define VISUAL_SEPARATORS "-.() "

static const struct
{
  const char *kind;
  gsize on, off;                /* char * in the settings */
  const char *on_key, *off_key;
} codes[] = {
  { "unconditional", G_STRUCT_OFFSET (PhoneAccountSettings, forward_on), G_STRUCT_OFFSET (PhoneAccountSettings, forward_off), "forward-on",
    "forward-off" },
  { "busy", G_STRUCT_OFFSET (PhoneAccountSettings, forward_busy_on), G_STRUCT_OFFSET (PhoneAccountSettings, forward_busy_off),
    "forward-busy-on", "forward-busy-off" },
  { "no-reply", G_STRUCT_OFFSET (PhoneAccountSettings, forward_no_reply_on), G_STRUCT_OFFSET (PhoneAccountSettings, forward_no_reply_off),
    "forward-no-reply-on", "forward-no-reply-off" },
};

static char *
without_separators (const char *target)
{
  GString *plain = g_string_new (NULL);

  for (; *target; target++)
    if (!strchr (VISUAL_SEPARATORS, *target))
      g_string_append_c (plain, *target);
  return g_string_free (plain, FALSE);
}

/* NULL with error. Caller frees. */
static char *
make_code (PhoneRegistry *registry, PhoneAccount *account, const char *code, const char *key, const char *target, GError **error)
{
  g_autofree char *plain = without_separators (target);
  char *whole;

  if (!code)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "Account %s has no code for that (setting %s)", phone_account_get_id (account), key);
      return NULL;
    }
  if (*target && !phone_service_about_is_good (plain))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "%s cannot stand in a code: a number is wanted", target);
      return NULL;
    }
  if (*target && phone_is_emergency_number (plain, phone_registry_country (registry, account)))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "Calls cannot be sent on to an emergency number");
      return NULL;
    }
  whole = phone_service_code_expand (code, "{target}", plain);
  if (!whole)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "The code of %s has no {target}: the server knows one target only", key);
  return whole;
}

PhoneCall *
phone_registry_forward_at_server (PhoneRegistry *registry, PhoneAccount *account, const char *kind, const char *target, GError **error)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      gboolean on = *target != '\0';
      g_autofree char *code = NULL, *uri = NULL;

      if (!g_str_equal (codes[i].kind, kind))
        continue;
      code = make_code (registry, account, G_STRUCT_MEMBER (char *, settings, on ? codes[i].on : codes[i].off),
                        on ? codes[i].on_key : codes[i].off_key, target, error);
      uri = code ? phone_dial_plan_resolve_code (settings, code, error) : NULL;
      if (!uri)
        return NULL;
      phone_log_notice (&(PhoneLogFields){ .account = phone_account_get_id (account) }, "Account %s: forwarding at the server, %s: %s",
                        phone_account_get_id (account), kind, on ? target : "off");
      return phone_registry_dial (registry, uri, &(PhoneDialOptions){ .account = account }, error);
    }
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "unconditional, busy or no-reply can be forwarded");
  return NULL;
}
