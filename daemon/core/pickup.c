/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a call is picked up, the first that is possible:
 *
 *   parked      the setting retrieve, else the slot is dialled as it is
 *   anybody's   the setting pickup-group; else what rings at a phone that the user watches, if it is one
 *   somebody's  a watch on that phone; the setting pickup; else its calls are asked for now (dialog-info, RFC 4235) and the one that rings is
 *               replaced (RFC 3891)
 *
 * What is asked for now is a watch that nobody sees: it ends with the first full answer, a refusal, or after some seconds. */

#include "core/pickup.h"

#include "core/dial-plan.h"
#include "core/model-private.h"
#include "core/service-code.h"
#include "util/phone-uri.h"

#define ASK_S 10
#define DATA_KEY "phone-pickup"

typedef struct
{
  PhoneRegistry *registry;
  PhoneWatch *watch;            /* reference */
  PhonePickedUp done;
  gpointer data;
  guint timer;
} Pickup;

static gboolean
dial (PhoneRegistry *registry, PhoneAccount *account, const char *code, PhonePickedUp done, gpointer data, GError **error)
{
  g_autofree char *uri = phone_dial_plan_resolve_code (phone_account_get_settings (account), code, error);
  PhoneCall *call = uri ? phone_registry_dial (registry, uri, &(PhoneDialOptions){ .account = account }, error) : NULL;

  if (call)
    done (call, NULL, data);
  return call != NULL;
}

static gboolean
pick_up_watched (PhoneWatch *watch, PhonePickedUp done, gpointer data, GError **error)
{
  PhoneCall *call = phone_watch_pick_up (watch, error);

  if (call)
    done (call, NULL, data);
  return call != NULL;
}

/* ---- asking now ---- */

static void
finish (Pickup *pickup, PhoneCall *call, const GError *error)
{
  const PhonePorts *ports = phone_registry_get_ports (pickup->registry);

  g_clear_handle_id (&pickup->timer, g_source_remove);
  g_signal_handlers_disconnect_by_data (pickup->watch, pickup);
  ports->sig->watch_stop (ports->ua, pickup->watch);
  g_ptr_array_remove (phone_registry_get_passing_watches (pickup->registry), pickup->watch);
  pickup->done (call, error, pickup->data);
  g_object_unref (pickup->watch);
  g_free (pickup);
}

static gboolean
on_idle (gpointer data)
{
  Pickup *pickup = data;
  const PhoneSubscriptionDetail *detail = phone_watch_get_subscription (pickup->watch);
  g_autoptr (GError) error = NULL;
  PhoneCall *call = NULL;

  pickup->timer = 0;
  if (detail->state == PHONE_SUBSCRIPTION_WAITING)
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_REJECTED, "%s: the server does not say what rings there%s%s", phone_watch_get_uri (pickup->watch),
                 detail->reason ? ": " : "", detail->reason ? detail->reason : "");
  else
    call = phone_watch_pick_up (pickup->watch, &error);
  finish (pickup, call, error);
  return G_SOURCE_REMOVE;
}

static gboolean
on_silence (gpointer data)
{
  Pickup *pickup = data;
  g_autoptr (GError) error = NULL;

  pickup->timer = 0;
  g_set_error (&error, PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN, "%s: the server did not say in time what rings there",
               phone_watch_get_uri (pickup->watch));
  finish (pickup, NULL, error);
  return G_SOURCE_REMOVE;
}

/* The engine is in the middle of what it tells us: what follows from it waits for the next turn. */
static void
on_changed (PhoneWatch *watch, guint mask, Pickup *pickup)
{
  const PhoneSubscriptionDetail *detail = phone_watch_get_subscription (watch);

  if (!(mask & PHONE_WATCH_DIALOGS) && phone_watch_get_lamp (watch) == PHONE_LAMP_UNKNOWN && detail->state != PHONE_SUBSCRIPTION_WAITING)
    return;
  g_clear_handle_id (&pickup->timer, g_source_remove);
  pickup->timer = g_idle_add (on_idle, pickup);
}

static gboolean
ask (PhoneRegistry *registry, PhoneAccount *account, const char *uri, PhonePickedUp done, gpointer data, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (registry);
  GPtrArray *passing = phone_registry_get_passing_watches (registry);
  Pickup *pickup;

  if (phone_account_get_settings (account)->do_register && phone_account_get_registration (account) != PHONE_REGISTRATION_REGISTERED)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NOT_REGISTERED, "Account %s is not registered", phone_account_get_id (account));
      return FALSE;
    }
  if (passing->len >= PHONE_MAX_PICKUPS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "%d calls are being picked up already", PHONE_MAX_PICKUPS);
      return FALSE;
    }
  pickup = g_new0 (Pickup, 1);
  pickup->registry = registry;
  pickup->watch = phone_watch_new (registry, account, 0, uri, PHONE_WATCH_DIALOG);
  pickup->done = done;
  pickup->data = data;
  pickup->timer = g_timeout_add_seconds (ASK_S, on_silence, pickup);
  g_object_set_data (G_OBJECT (pickup->watch), DATA_KEY, pickup);
  g_signal_connect (pickup->watch, PHONE_SIGNAL_CHANGED, G_CALLBACK (on_changed), pickup);
  g_ptr_array_add (passing, pickup->watch);
  ports->sig->watch_start (ports->ua, pickup->watch);
  return TRUE;
}

void
phone_registry_drop_pickups (PhoneRegistry *registry, PhoneAccount *account)
{
  GPtrArray *passing = phone_registry_get_passing_watches (registry);

  for (guint i = passing->len; i-- > 0;)
    {
      PhoneWatch *watch = g_ptr_array_index (passing, i);
      g_autoptr (GError) error = NULL;

      if (phone_watch_get_account (watch) != account)
        continue;
      g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Account %s has gone", phone_account_get_id (account));
      finish (g_object_get_data (G_OBJECT (watch), DATA_KEY), NULL, error);
    }
}

/* ---- which way ---- */

/* A watch of the account on calls, with one to pick up: on that phone, or on any. */
static PhoneWatch *
find_ringing (PhoneRegistry *registry, PhoneAccount *account, const char *uri)
{
  GPtrArray *watches = phone_registry_get_watches (registry);

  for (guint i = 0; i < watches->len; i++)
    {
      PhoneWatch *watch = g_ptr_array_index (watches, i);

      if (phone_watch_get_account (watch) == account && (!uri || g_str_equal (phone_watch_get_uri (watch), uri)) && phone_watch_can_pick_up (watch))
        return watch;
    }
  return NULL;
}

static gboolean
pick_up_any (PhoneRegistry *registry, PhoneAccount *account, PhonePickedUp done, gpointer data, GError **error)
{
  const char *code = phone_account_get_settings (account)->pickup_group;
  PhoneWatch *watch = code ? NULL : find_ringing (registry, account, NULL);

  if (code)
    return dial (registry, account, code, done, data, error);
  if (watch)
    return pick_up_watched (watch, done, data, error);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE,
               "No phone that account %s watches has a call that can be picked up, and it has no code for the group (setting pickup-group)",
               phone_account_get_id (account));
  return FALSE;
}

static gboolean
pick_up_parked (PhoneRegistry *registry, PhoneAccount *account, const char *slot, PhonePickedUp done, gpointer data, GError **error)
{
  const char *retrieve = phone_account_get_settings (account)->retrieve;
  g_autofree char *code = NULL;

  if (slot && !phone_service_about_is_good (slot))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "A slot is made of letters, digits and - . _ + * #");
      return FALSE;
    }
  if (!slot && !retrieve)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "Account %s does not say how a parked call is taken (setting retrieve): which slot?",
                   phone_account_get_id (account));
      return FALSE;
    }
  code = retrieve ? phone_service_code_expand (retrieve, "{slot}", slot) : NULL;
  return dial (registry, account, code ? code : slot, done, data, error);
}

static gboolean
pick_up_from (PhoneRegistry *registry, PhoneAccount *account, const char *target, PhonePickedUp done, gpointer data, GError **error)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);
  g_autofree char *uri = phone_dial_plan_resolve_in (settings, target, phone_registry_country (registry, account), error);
  PhoneWatch *watch = uri ? find_ringing (registry, account, uri) : NULL;
  g_autoptr (PhoneUri) parsed = uri && settings->pickup ? phone_uri_parse (uri, error) : NULL;
  g_autofree char *code = NULL;

  if (!uri)
    return FALSE;
  if (watch)
    return pick_up_watched (watch, done, data, error);
  if (!settings->pickup)
    return ask (registry, account, uri, done, data, error);
  if (!parsed || !parsed->user || !phone_service_about_is_good (parsed->user))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "%s cannot stand in the pickup code", target);
      return FALSE;
    }
  code = phone_service_code_expand (settings->pickup, "{target}", parsed->user);
  return dial (registry, account, code ? code : settings->pickup, done, data, error);
}

gboolean
phone_registry_pick_up (PhoneRegistry *registry, const PhonePickupParams *params, PhonePickedUp done, gpointer data, GError **error)
{
  PhoneAccount *account = params->account ? params->account : phone_registry_choose_account (registry, params->target ? params->target : "");

  if (!account)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ACCOUNT, "There is no account to call with");
      return FALSE;
    }
  if (params->parked)
    return pick_up_parked (registry, account, params->target, done, data, error);
  return params->target ? pick_up_from (registry, account, params->target, done, data, error)
                        : pick_up_any (registry, account, done, data, error);
}
