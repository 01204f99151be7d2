/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Forwarding that the server does, so that it works while this phone is off: its feature codes are dialled. What the server makes of them it tells
 * whoever listens to the call. That it answered is the most that can be known here: then the code counts as taken, and what it said is kept, over
 * restarts, too. A code that another phone dials, or somebody by hand, is not seen. */

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

/* ---- what the server took ---- */

#define DATA_KEY "phone-forwards-at-server"

typedef struct
{
  char *targets[G_N_ELEMENTS (codes)];  /* "": off; NULL: nothing was ever said */
} Taken;

static void
free_taken (gpointer data)
{
  Taken *taken = data;

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    g_free (taken->targets[i]);
  g_free (taken);
}

static char *
storage_key (PhoneAccount *account)
{
  return g_strconcat ("forwards-", phone_account_get_id (account), NULL);
}

/* "KIND=TARGET", separated by commas, neither of which stands in a target. */
static void
load (PhoneAccount *account, Taken *taken)
{
  const PhonePorts *ports = phone_registry_get_ports (phone_account_get_registry (account));
  g_autofree char *key = storage_key (account);
  g_autofree char *text = ports->store->choice_load ? ports->store->choice_load (ports->store_data, key) : NULL;
  g_auto (GStrv) entries = g_strsplit (text ? text : "", ",", -1);

  for (gsize i = 0; entries[i]; i++)
    for (gsize at = 0; at < G_N_ELEMENTS (codes); at++)
      {
        gsize length = strlen (codes[at].kind);

        if (strncmp (entries[i], codes[at].kind, length) != 0 || entries[i][length] != '=')
          continue;
        g_free (taken->targets[at]);
        taken->targets[at] = g_strdup (entries[i] + length + 1);
      }
}

static Taken *
taken_of (PhoneAccount *account)
{
  Taken *taken = g_object_get_data (G_OBJECT (account), DATA_KEY);

  if (!taken)
    {
      taken = g_new0 (Taken, 1);
      load (account, taken);
      g_object_set_data_full (G_OBJECT (account), DATA_KEY, taken, free_taken);
    }
  return taken;
}

static void
save (PhoneAccount *account, const Taken *taken)
{
  const PhonePorts *ports = phone_registry_get_ports (phone_account_get_registry (account));
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *key = storage_key (account);
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (taken->targets[i])
      g_string_append_printf (text, "%s%s=%s", text->len ? "," : "", codes[i].kind, taken->targets[i]);
  if (ports->store->choice_save && !ports->store->choice_save (ports->store_data, key, text->len ? text->str : NULL, &error))
    phone_log_warning (NULL, "Account %s: what the server forwards is not kept: %s", phone_account_get_id (account), error->message);
}

char **
phone_account_get_forwards_at_server (PhoneAccount *account)
{
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();
  const Taken *taken = taken_of (account);

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (taken->targets[i])
      g_strv_builder_add_many (list, codes[i].kind, taken->targets[i], NULL);
  return g_strv_builder_end (list);
}

void
phone_account_forget_forwards_at_server (PhoneAccount *account)
{
  g_object_set_data (G_OBJECT (account), DATA_KEY, NULL);
  save (account, &(Taken){ 0 });
}

typedef struct
{
  PhoneAccount *account;                /* reference */
  gsize code;
  char *target;
} Asked;

static void
free_asked (gpointer data, GClosure *closure)
{
  Asked *asked = data;

  g_object_unref (asked->account);
  g_free (asked->target);
  g_free (asked);
}

static void
on_call_changed (PhoneCall *call, guint mask, Asked *asked)
{
  Taken *taken;

  switch (phone_call_get_state (call))
    {
    case PHONE_CALL_DIALING:
    case PHONE_CALL_ALERTING:
    case PHONE_CALL_INCOMING:
    case PHONE_CALL_WAITING:
    case PHONE_CALL_DISCONNECTING:
      return;
    case PHONE_CALL_ACTIVE:
    case PHONE_CALL_HELD:
      taken = taken_of (asked->account);
      g_free (taken->targets[asked->code]);
      taken->targets[asked->code] = g_strdup (asked->target);
      phone_log_notice (&(PhoneLogFields){ .account = phone_account_get_id (asked->account) }, "Account %s: the server took it: forwarding, %s: %s",
                        phone_account_get_id (asked->account), codes[asked->code].kind, *asked->target ? asked->target : "off");
      save (asked->account, taken);
      phone_account_emit_changed (asked->account, PHONE_ACCOUNT_FORWARDS);
      break;
    case PHONE_CALL_DISCONNECTED:
      break;
    }
  g_signal_handlers_disconnect_by_data (call, asked);
}

static void
await_answer (PhoneCall *call, PhoneAccount *account, gsize code, const char *target)
{
  Asked *asked = g_new (Asked, 1);

  *asked = (Asked){ g_object_ref (account), code, without_separators (target) };
  g_signal_connect_data (call, PHONE_SIGNAL_CHANGED, G_CALLBACK (on_call_changed), asked, free_asked, 0);
  on_call_changed (call, 0, asked);
}

/* ---- what it is told ---- */

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
  PhoneCall *call;

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
      call = phone_registry_dial (registry, uri, &(PhoneDialOptions){ .account = account }, error);
      if (call)
        await_answer (call, account, i, target);
      return call;
    }
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "unconditional, busy or no-reply can be forwarded");
  return NULL;
}
