/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Parking: the peer waits at the server, under a slot, until somebody of the house takes it from there. The server does it when the call is
 * transferred to where it parks (a blind REFER), or when it hears a feature code in the call. Which slot it is says the server (the Contact in the
 * last sipfrag), else whoever asked for one, else the setting. */

#include "core/call-private.h"
#include "core/dial-plan.h"
#include "core/service-code.h"
#include "util/phone-uri.h"

gboolean
phone_call_can_park (PhoneCall *call)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);

  if (settings->park && settings->park_method == PHONE_PARK_DTMF)
    return call->state == PHONE_CALL_ACTIVE && !call->parking && !phone_call_is_machines (call);
  return phone_call_can_transfer (call);
}

static void
set_parked (PhoneCall *call, char *slot)
{
  g_free (call->parked);
  call->parked = slot;
  phone_log_notice (&call->log, "Call %u: parked at %s", call->number, *slot ? slot : "a slot that the server did not name");
}

static char *
user_of (const char *uri)
{
  g_autoptr (PhoneUri) parsed = uri ? phone_uri_parse (uri, NULL) : NULL;

  return parsed && parsed->user ? g_strdup (parsed->user) : NULL;
}

void
phone_call_park_over (PhoneCall *call, gboolean done)
{
  g_autoptr (GError) error = NULL;
  char *slot;

  if (!call->parking)
    return;
  call->parking = FALSE;
  if (done)
    {
      slot = user_of (call->transfer_reached);
      if (!slot)
        slot = call->park_slot ? g_steal_pointer (&call->park_slot) : user_of (call->transfer_target);
      set_parked (call, slot ? slot : g_strdup (""));
      phone_call_emit_changed (call, PHONE_CALL_FIELD_TRANSFER);
    }
  else
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_REJECTED, "The server did not park call %u (%u)", call->number, call->transfer_sip);
  phone_call_fire (call, &call->park_waiter, error);
}

/* Where the call goes: as the setting says; a slot that has no place in it is a number of its own. */
static char *
park_code (PhoneCall *call, const char *slot, GError **error)
{
  const char *park = phone_account_get_settings (call->account)->park;
  char *code;

  if (slot && !phone_service_about_is_good (slot))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "A slot is made of letters, digits and - . _ + * #");
      return NULL;
    }
  if (!park && !slot)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "Account %s does not say where calls are parked (setting park)",
                   phone_account_get_id (call->account));
      return NULL;
    }
  code = park ? phone_service_code_expand (park, "{slot}", slot) : NULL;
  return code ? code : g_strdup (slot);
}

gboolean
phone_call_park (PhoneCall *call, const char *slot, PhoneCallDone done, gpointer data, GError **error)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);
  gboolean by_keys = settings->park && settings->park_method == PHONE_PARK_DTMF;
  g_autofree char *code = NULL;
  g_autofree char *uri = NULL;

  if (!phone_call_require (call, "park", error) || !(code = park_code (call, slot, error)))
    return FALSE;
  if (by_keys)
    {
      if (!phone_call_send_dtmf (call, code, 0, error))
        return FALSE;
      set_parked (call, g_strdup (slot ? slot : ""));
      phone_call_emit_changed (call, PHONE_CALL_FIELD_TRANSFER);
      if (done)
        done (call, NULL, data);
      return TRUE;
    }
  g_free (call->park_slot);
  call->park_slot = g_strdup (slot);
  uri = phone_dial_plan_resolve_code (settings, code, error);
  if (!uri || !phone_call_transfer (call, uri, error))
    return FALSE;
  call->parking = TRUE;
  call->park_waiter = (CallWaiter){ done, data };
  return TRUE;
}

const char *
phone_call_get_parked (PhoneCall *call)
{
  return call->parked ? call->parked : "";
}
