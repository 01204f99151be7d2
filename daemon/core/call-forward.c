/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Incoming calls that go on to somebody else: because the user says so (deflect), or the account's settings do: all of them, those that would
 * get busy, those that nobody answers. The caller is redirected (302); no line of ours is used.
 *
 * Two phones that forward to each other would send a call round and round. So a call that came by this account already, or was sent on
 * PHONE_MAX_DIVERSIONS times, is treated as if nothing were forwarded. */

#include "core/call-private.h"
#include "core/dial-plan.h"
#include "core/emergency.h"
#include "util/phone-uri.h"

void
phone_call_divert (PhoneCall *call, const char *uri, const char *reason)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  g_autoptr (PhoneReason) why = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_REDIRECTED, 302, NULL);

  phone_log_notice (&call->log, "Call %u: sent on (%s)", call->number, reason);
  phone_call_set_reason (call, why);
  phone_call_set_state (call, PHONE_CALL_DISCONNECTING, reason);
  ports->sig->call_divert (ports->ua, call, uri, reason);
}

/* Without parameters: a URI that names us is us, whatever else stands in it. */
static gboolean
is_self (PhoneAccount *account, const char *uri)
{
  g_autoptr (PhoneUri) target = phone_uri_parse (uri, NULL);
  g_autoptr (PhoneUri) self = phone_uri_parse (phone_account_get_settings (account)->aor, NULL);

  return target && self && g_strcmp0 (target->user, self->user) == 0 && g_strcmp0 (target->host, self->host) == 0
         && target->port == self->port;
}

static char *
resolve (PhoneRegistry *registry, PhoneAccount *account, const char *target, GError **error)
{
  const char *country = phone_registry_country (registry, account);
  g_autofree char *uri = phone_dial_plan_resolve_in (phone_account_get_settings (account), target, country, error);

  if (!uri)
    return NULL;
  if (is_self (account, uri) || phone_is_emergency_number (uri, country))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "A call cannot be sent on to %s",
                   is_self (account, uri) ? "the account that it came to" : "an emergency number");
      return NULL;
    }
  return g_steal_pointer (&uri);
}

gboolean
phone_call_deflect (PhoneCall *call, const char *target, GError **error)
{
  g_autofree char *uri = NULL;

  if (!phone_call_require (call, "deflect", error))
    return FALSE;
  uri = resolve (call->registry, call->account, target, error);
  if (!uri)
    return FALSE;
  phone_call_divert (call, uri, "deflection");
  return TRUE;
}

/* A forward that leads nowhere is as good as none: the call rings. */
static char *
resolve_setting (PhoneRegistry *registry, PhoneAccount *account, const char *target)
{
  g_autoptr (GError) error = NULL;
  char *uri = target ? resolve (registry, account, target, &error) : NULL;

  if (error)
    phone_log_warning (NULL, "Account %s: not forwarded: %s", phone_account_get_id (account), error->message);
  return uri;
}

static const char *
setting_of (PhoneAccount *account, PhoneForward forward)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);

  switch (forward)
    {
    case PHONE_FORWARD_ALL:
      return settings->forward;
    case PHONE_FORWARD_BUSY:
      return settings->forward_busy;
    case PHONE_FORWARD_NO_REPLY:
      return settings->forward_no_reply;
    }
  g_assert_not_reached ();
}

const char *
phone_forward_reason (PhoneForward forward)
{
  switch (forward)
    {
    case PHONE_FORWARD_ALL:
      return "unconditional";
    case PHONE_FORWARD_BUSY:
      return "user-busy";
    case PHONE_FORWARD_NO_REPLY:
      return "no-answer";
    }
  g_assert_not_reached ();
}

char *
phone_forward_target (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, PhoneForward forward)
{
  if (incoming->diverted_by_us || incoming->diversions >= PHONE_MAX_DIVERSIONS)
    return NULL;
  return resolve_setting (registry, account, setting_of (account, forward));
}

static gboolean
on_no_reply (gpointer data)
{
  PhoneCall *call = data;
  g_autofree char *uri = NULL;

  call->forward_timer = 0;
  if (!phone_call_require (call, "deflect", NULL))
    return G_SOURCE_REMOVE;
  uri = resolve_setting (call->registry, call->account, setting_of (call->account, PHONE_FORWARD_NO_REPLY));
  if (uri)
    phone_call_divert (call, uri, phone_forward_reason (PHONE_FORWARD_NO_REPLY));
  return G_SOURCE_REMOVE;
}

void
phone_call_await_forward (PhoneCall *call)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);

  if (settings->forward_no_reply && !call->in_a_circle && !call->for_help)
    call->forward_timer = g_timeout_add_seconds (settings->forward_timeout, on_no_reply, call);
}
