/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An account and its life in the signalling engine:
 *
 *   stopped -> running -> stopping -> stopped        (start, account_remove, on_stopped)
 *
 * New settings are saved first and shown at once. Those that a call reads (codecs, encryption ...) count from the next call on. For the others
 * the stack is restarted as soon as the account has no call: a change of the display name must not cost a conversation.
 *
 * A restart takes a moment, and so does the first registration after any start. Until it is known what comes of it the account is settling, and
 * whoever asks it for something meanwhile waits for that instead of being turned away: messages and subscriptions in their queues, a call in
 * its first state (call.c), Register and Unregister here. */

#include "core/model-private.h"
#include "core/quality-outbox.h"
#include "core/subscriber.h"

#include <string.h>

typedef enum
{
  LIFE_STOPPED,
  LIFE_RUNNING,
  LIFE_STOPPING,
} Life;

struct _PhoneAccount
{
  GObject parent_instance;
  PhoneRegistry *registry;      /* not owned: the registry owns us */
  PhoneAccountSettings *settings;
  PhoneSecret *password;
  PhoneRegistration registration;
  PhoneRegistrationDetail detail;
  PhoneTlsInfo *tls;
  gboolean over_tls;            /* the way to the server, where the DNS leads transport=auto */
  char **capabilities;
  PhoneAccountPresence presence;
  gpointer engine_data;
  Life life;
  gboolean restart_wanted;      /* once it is stopped (or has no call), start with the settings of now */
  gboolean unregister_wanted;   /* once it is started again */
  gboolean settled;             /* running, and the registration was heard of since the start, or since somebody asked for it */
};

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (PhoneAccount, phone_account, G_TYPE_OBJECT)

static void
tls_info_free (PhoneTlsInfo *info)
{
  if (!info)
    return;
  g_free (info->version);
  g_free (info->cipher);
  g_free (info->subject);
  g_free (info->issuer);
  g_free (info);
}

static void
phone_account_finalize (GObject *object)
{
  PhoneAccount *account = PHONE_ACCOUNT (object);

  phone_account_settings_free (account->settings);
  phone_secret_unref (account->password);
  g_free (account->detail.phrase);
  g_free (account->detail.reason);
  tls_info_free (account->tls);
  g_strfreev (account->capabilities);
  phone_account_presence_clear (&account->presence);
  G_OBJECT_CLASS (phone_account_parent_class)->finalize (object);
}

static void
phone_account_class_init (PhoneAccountClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = phone_account_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new (PHONE_SIGNAL_CHANGED, PHONE_TYPE_ACCOUNT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
phone_account_init (PhoneAccount *account)
{
  account->capabilities = g_new0 (char *, 1);
  account->detail.since = g_get_real_time () / G_USEC_PER_SEC;
}

static void
emit_changed (PhoneAccount *account, guint mask)
{
  g_signal_emit (account, signals[SIGNAL_CHANGED], 0, mask);
}

static PhoneLogFields
log_fields (PhoneAccount *account)
{
  return (PhoneLogFields){ .account = account->settings->id };
}

PhoneAccount *
phone_account_new (PhoneRegistry *registry, const PhoneAccountSettings *settings)
{
  PhoneAccount *account = g_object_new (PHONE_TYPE_ACCOUNT, NULL);

  account->registry = registry;
  account->settings = phone_account_settings_copy (settings);
  phone_account_presence_load (account);
  return account;
}

PhoneRegistry *
phone_account_get_registry (PhoneAccount *account)
{
  return account->registry;
}

PhoneAccountPresence *
phone_account_presence (PhoneAccount *account)
{
  return &account->presence;
}

void
phone_account_emit_changed (PhoneAccount *account, guint mask)
{
  emit_changed (account, mask);
}

/* ---- life ---- */

static void
load_password (PhoneAccount *account)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);
  g_autoptr (GError) error = NULL;
  PhoneLogFields fields = log_fields (account);

  g_clear_pointer (&account->password, phone_secret_unref);
  account->password = ports->store->secret_load (ports->store_data, account->settings, &error);
  if (error)
    phone_log_warning (&fields, "Account %s: cannot read the password: %s", account->settings->id, error->message);
}

static void
report_failure (PhoneAccount *account, const char *reason, const char *phrase)
{
  PhoneRegistrationDetail detail = { .reason = (char *) reason, .phrase = (char *) phrase };

  phone_account_on_registration (account, PHONE_REGISTRATION_FAILED, &detail);
}

gboolean
phone_account_start (PhoneAccount *account, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);
  g_autoptr (GError) failure = NULL;

  if (!account->settings->enabled || phone_registry_get_state (account->registry) == PHONE_DAEMON_STOPPING)
    return TRUE;
  if (account->life != LIFE_STOPPED)
    {
      account->restart_wanted = TRUE;
      return TRUE;
    }
  load_password (account);
  account->restart_wanted = FALSE;
  account->settled = FALSE;
  account->life = LIFE_RUNNING;
  if (ports->sig->account_add (ports->ua, account, &failure))
    {
      if (account->unregister_wanted)
        ports->sig->account_unregister (ports->ua, account);
      account->unregister_wanted = FALSE;
      phone_quality_resume (account);
      /* Without a registrar there is no other news of it. */
      phone_registry_account_ready (account->registry, account);
      return TRUE;
    }
  account->life = LIFE_STOPPED;
  report_failure (account, "stack", failure->message);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static void
close_stack (PhoneAccount *account)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);

  if (account->life != LIFE_RUNNING)
    return;
  account->life = LIFE_STOPPING;
  ports->sig->account_remove (ports->ua, account);
}

void
phone_account_stop (PhoneAccount *account)
{
  account->restart_wanted = FALSE;
  close_stack (account);
}

gboolean
phone_account_is_running (PhoneAccount *account)
{
  return account->life != LIFE_STOPPED;
}

gboolean
phone_account_is_open (PhoneAccount *account)
{
  return account->life == LIFE_RUNNING;
}

gboolean
phone_account_is_settling (PhoneAccount *account)
{
  if (account->life != LIFE_RUNNING)
    return account->restart_wanted;
  return account->settings->do_register && !account->settled;
}

char *
phone_account_explain (PhoneAccount *account)
{
  const char *why = account->detail.reason && *account->detail.reason ? account->detail.reason : NULL;
  const char *phrase = account->detail.phrase && *account->detail.phrase ? account->detail.phrase : NULL;

  if (!account->settings->enabled)
    return g_strdup_printf ("Account %s is disabled", account->settings->id);
  return g_strdup_printf ("Account %s is %s%s%s%s%s%s", account->settings->id, phone_registration_to_string (account->registration),
                          why ? ": " : "", why ? why : "", phrase ? " (" : "", phrase ? phrase : "", phrase ? ")" : "");
}

void
phone_account_on_stopped (PhoneAccount *account)
{
  g_autoptr (PhoneAccount) keep = g_object_ref (account);
  PhoneRegistrationDetail none = { 0 };

  account->life = LIFE_STOPPED;
  phone_account_on_tls (account, NULL);
  /* Why the registrar refused is no news any more once the account does without one. */
  if (!account->restart_wanted || !account->settings->do_register)
    phone_account_on_registration (account, PHONE_REGISTRATION_UNREGISTERED, &none);
  if (account->restart_wanted)
    phone_account_start (account, NULL);
  phone_registry_account_stopped (account->registry, account);
}

static void
restart (PhoneAccount *account)
{
  if (account->life == LIFE_STOPPED)
    {
      phone_account_start (account, NULL);
      return;
    }
  account->restart_wanted = account->settings->enabled;
  account->unregister_wanted = FALSE;
  if (phone_registry_count_calls (account->registry, account, TRUE) > 0)
    return;
  close_stack (account);
  if (account->life == LIFE_STOPPING && account->restart_wanted && account->registration == PHONE_REGISTRATION_REGISTERED)
    {
      PhoneRegistrationDetail detail = { .reason = (char *) "restarting" };

      phone_account_on_registration (account, PHONE_REGISTRATION_REGISTERING, &detail);
    }
}

void
phone_account_calls_gone (PhoneAccount *account)
{
  if (account->life != LIFE_RUNNING)
    return;
  if (account->restart_wanted || !account->settings->enabled)
    restart (account);
}

void
phone_account_reload (PhoneAccount *account, const PhoneAccountSettings *settings)
{
  gboolean same_stack = phone_account_settings_same_stack (account->settings, settings);

  phone_account_settings_free (account->settings);
  account->settings = phone_account_settings_copy (settings);
  emit_changed (account, PHONE_ACCOUNT_SETTINGS);
  phone_account_judge_subscribers (account);
  if (!same_stack)
    restart (account);
}

/* What a person put into a file or what the credentials now say. A password that cannot be read right now does not take the old one away. */
static gboolean
password_changed (PhoneAccount *account)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneSecret) now = ports->store->secret_load (ports->store_data, account->settings, &error);

  if (error || !now || !account->password)
    return !error && now != account->password;
  return !phone_secret_equal (now, account->password);
}

gboolean
phone_account_check_password (PhoneAccount *account)
{
  PhoneLogFields fields = log_fields (account);

  if (account->life != LIFE_RUNNING || !password_changed (account))
    return FALSE;
  phone_log_notice (&fields, "Account %s: the password changed", account->settings->id);
  restart (account);
  return TRUE;
}

/* ---- getters ---- */

const char *
phone_account_get_id (PhoneAccount *account)
{
  return account->settings->id;
}

const PhoneAccountSettings *
phone_account_get_settings (PhoneAccount *account)
{
  return account->settings;
}

PhoneSecret *
phone_account_get_password (PhoneAccount *account)
{
  return account->password;
}

PhoneRegistration
phone_account_get_registration (PhoneAccount *account)
{
  return account->registration;
}

const PhoneRegistrationDetail *
phone_account_get_registration_detail (PhoneAccount *account)
{
  return &account->detail;
}

const PhoneTlsInfo *
phone_account_get_tls (PhoneAccount *account)
{
  return account->tls;
}

PhoneSrtpPolicy
phone_account_get_srtp (PhoneAccount *account)
{
  return phone_account_settings_srtp (account->settings, account->over_tls);
}

gboolean
phone_account_is_over_tls (PhoneAccount *account)
{
  return account->over_tls;
}

const char *const *
phone_account_get_capabilities (PhoneAccount *account)
{
  return (const char *const *) account->capabilities;
}

gpointer
phone_account_get_engine_data (PhoneAccount *account)
{
  return account->engine_data;
}

void
phone_account_set_engine_data (PhoneAccount *account, gpointer data)
{
  account->engine_data = data;
}

/* ---- actions ---- */

static gboolean
require_running (PhoneAccount *account, GError **error)
{
  if (account->life == LIFE_RUNNING)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Account %s is %s", account->settings->id,
               account->settings->enabled ? "not running" : "disabled");
  return FALSE;
}

gboolean
phone_account_register (PhoneAccount *account, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);

  if (account->life == LIFE_STOPPED && account->settings->enabled)
    return phone_account_start (account, error);
  account->unregister_wanted = FALSE;
  if (account->life == LIFE_STOPPING && account->restart_wanted)
    return TRUE;        /* it does, as soon as it is up again */
  if (!require_running (account, error))
    return FALSE;
  if (!account->settings->do_register)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Account %s is set not to register (register=false)",
                   account->settings->id);
      return FALSE;
    }
  if (!phone_account_check_password (account))
    {
      account->settled = FALSE;
      ports->sig->account_register (ports->ua, account);
    }
  return TRUE;
}

gboolean
phone_account_unregister (PhoneAccount *account, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);

  if (account->life == LIFE_STOPPING && account->restart_wanted)
    {
      account->unregister_wanted = TRUE;
      return TRUE;
    }
  if (!require_running (account, error))
    return FALSE;
  ports->sig->account_unregister (ports->ua, account);
  return TRUE;
}

gboolean
phone_account_update (PhoneAccount *account, const char *const *updates, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);
  g_autoptr (PhoneAccountSettings) settings = phone_account_settings_copy (account->settings);

  for (gsize i = 0; updates[i]; i += 2)
    if (!phone_account_settings_set (settings, updates[i], updates[i + 1], error))
      return FALSE;
  if (!phone_account_settings_validate (settings, error)
      || !phone_machine_check_greeting (account->registry, settings, account->settings, error))
    return FALSE;
  if (!ports->store->account_save (ports->store_data, settings, error))
    return FALSE;
  phone_account_reload (account, settings);
  return TRUE;
}

gboolean
phone_account_set_enabled (PhoneAccount *account, gboolean enabled, GError **error)
{
  const char *const updates[] = { "enabled", enabled ? "true" : "false", NULL };

  if (account->settings->enabled == enabled)
    return TRUE;
  return phone_account_update (account, updates, error);
}

gboolean
phone_account_set_password (PhoneAccount *account, PhoneSecret *secret, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);

  if (!ports->store->secret_save (ports->store_data, account->settings->id, secret, error))
    return FALSE;
  restart (account);
  return TRUE;
}

gboolean
phone_account_set_turn_password (PhoneAccount *account, PhoneSecret *secret, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (account->registry);

  /* Each call loads it. */
  if (ports->store->turn_secret_save)
    return ports->store->turn_secret_save (ports->store_data, account->settings->id, secret, error);
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "No password of a TURN server can be kept here");
  return FALSE;
}

/* ---- events ---- */

void
phone_account_on_registration (PhoneAccount *account, PhoneRegistration state, const PhoneRegistrationDetail *detail)
{
  gboolean changed = account->registration != state;
  gint64 since = changed || !account->detail.since ? g_get_real_time () / G_USEC_PER_SEC : account->detail.since;
  PhoneLogFields fields = log_fields (account);
  g_autofree char *phrase = g_strdup (detail->phrase);
  g_autofree char *reason = g_strdup (detail->reason);

  if (account->life == LIFE_RUNNING && state != PHONE_REGISTRATION_REGISTERING)
    account->settled = TRUE;
  if (!changed && account->detail.code == detail->code && account->detail.expires == detail->expires
      && account->detail.retry_at == detail->retry_at && g_strcmp0 (account->detail.phrase, phrase) == 0
      && g_strcmp0 (account->detail.reason, reason) == 0)
    return;

  if (changed)
    phone_log_at_ (state == PHONE_REGISTRATION_FAILED ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_MESSAGE, &fields,
                   "Account %s: %s -> %s (%u %s%s%s)", account->settings->id,
                   phone_registration_to_string (account->registration), phone_registration_to_string (state), detail->code,
                   phrase ? phrase : "-", reason ? ", " : "", reason ? reason : "");
  account->registration = state;
  g_free (account->detail.phrase);
  g_free (account->detail.reason);
  account->detail = *detail;
  account->detail.phrase = g_steal_pointer (&phrase);
  account->detail.reason = g_steal_pointer (&reason);
  account->detail.since = since;
  emit_changed (account, PHONE_ACCOUNT_REGISTRATION);
}

void
phone_account_on_located (PhoneAccount *account)
{
  phone_registry_account_ready (account->registry, account);
}

void
phone_account_on_tls (PhoneAccount *account, const PhoneTlsInfo *info)
{
  PhoneTlsInfo *copy = NULL;

  if (!info && !account->tls)
    return;
  if (info)
    {
      copy = g_new0 (PhoneTlsInfo, 1);
      copy->version = g_strdup (info->version);
      copy->cipher = g_strdup (info->cipher);
      copy->subject = g_strdup (info->subject);
      copy->issuer = g_strdup (info->issuer);
      copy->expires = info->expires;
    }
  tls_info_free (account->tls);
  account->tls = copy;
  emit_changed (account, PHONE_ACCOUNT_TLS);
}

void
phone_account_on_transport (PhoneAccount *account, PhoneTransport transport)
{
  PhoneSrtpPolicy before = phone_account_get_srtp (account);

  account->over_tls = transport == PHONE_TRANSPORT_TLS;
  if (phone_account_get_srtp (account) != before)
    emit_changed (account, PHONE_ACCOUNT_SRTP);
}

void
phone_account_on_capabilities (PhoneAccount *account, const char *const *capabilities)
{
  if (g_strv_equal ((const char *const *) account->capabilities, capabilities))
    return;
  g_strfreev (account->capabilities);
  account->capabilities = g_strdupv ((char **) capabilities);
  emit_changed (account, PHONE_ACCOUNT_CAPABILITIES);
}
