/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One nua: the table of handles, the dispatch of events, and the way down. Sockets and parameters: ua-sockets.c.
 *
 *     RUNNING -> CLOSING    BYE, CANCEL, 480 for the dialogs, un-REGISTER; until all are answered, or the deadline
 *             -> SHUTDOWN   every handle destroyed, which ends what is open without waiting, then nua_shutdown ()
 *             -> DEAD       nua_r_shutdown came; nua_destroy () from the loop, since it must not happen inside an event
 *
 * nua_shutdown () alone would wait up to 30 s for a dead registrar, and nua_destroy () before its answer aborts. */

#include "sip/ua-dialog.h"
#include "sip/ua-messaging.h"
#include "sip/ua-parting.h"
#include "sip/ua-presence.h"
#include "sip/ua-quality.h"

#include <netinet/in.h>
#include <string.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/tport_tag.h>

#define MAX_DIALOGS 64          /* per account, calls that core has forgotten but sofia still ends included */

typedef struct
{
  UaOwnerKind kind;
  gpointer owner;
} Slot;

/* ---- events ---- */

static void on_shutdown (UaStack *stack, const UaEvent *event, gpointer owner);

#define LAST_EVENT nua_i_register

/* Rows by owner. What is missing needs nothing from us: sofia answers it (405, 481, 501), or it repeats what another event says. */
static const UaEventFunc handlers[UA_N_OWNERS][LAST_EVENT + 1] = {
  [UA_OWNER_NONE] = {
    [nua_r_shutdown] = on_shutdown,
    [nua_i_invite] = ua_incoming_on_invite,
    [nua_i_options] = ua_incoming_on_options,
    [nua_i_info] = ua_incoming_on_stray,
    [nua_i_update] = ua_incoming_on_stray,
    [nua_i_refer] = ua_referral_on_refer,
    [nua_i_notify] = ua_mailbox_on_unsolicited,
    [nua_i_message] = ua_messaging_on_request,
    [nua_i_subscribe] = ua_notifier_on_subscribe,
  },
  [UA_OWNER_REGISTRATION] = {
    [nua_r_register] = ua_registration_on_response,
    [nua_r_unregister] = ua_registration_on_unregistered,
  },
  [UA_OWNER_DIALOG] = {
    [nua_r_invite] = ua_dialog_on_invite_response,
    [nua_r_bye] = ua_dialog_on_bye_response,
    [nua_r_cancel] = ua_dialog_on_cancel_response,
    [nua_r_update] = ua_dialog_on_update_response,
    [nua_r_prack] = ua_dialog_on_other_response,
    [nua_r_info] = ua_dialog_on_other_response,
    [nua_i_invite] = ua_dialog_on_reinvite,
    [nua_i_update] = ua_dialog_on_update,
    [nua_i_ack] = ua_dialog_on_ack,
    [nua_i_cancel] = ua_dialog_on_cancel,
    [nua_i_bye] = ua_dialog_on_bye,
    [nua_i_info] = ua_dialog_on_info,
    [nua_i_options] = ua_incoming_on_options,
    [nua_r_refer] = ua_dialog_on_refer_response,
    [nua_i_refer] = ua_referral_on_refer,
    [nua_i_notify] = ua_dialog_on_notify,
    [nua_r_notify] = ua_dialog_on_notify_response,
    [nua_i_message] = ua_messaging_on_request,
    [nua_r_message] = ua_messaging_on_dialog_response,
    [nua_i_error] = ua_dialog_on_error,
    [nua_i_terminated] = ua_dialog_on_terminated,
  },
  [UA_OWNER_KEEPALIVE] = {
    [nua_r_options] = ua_keepalive_on_response,
  },
  [UA_OWNER_REFERRAL] = {
    [nua_r_notify] = ua_referral_on_response,
  },
  [UA_OWNER_SUBSCRIPTION] = {
    [nua_r_subscribe] = ua_subscription_on_response,
    [nua_i_notify] = ua_subscription_on_notify,
  },
  [UA_OWNER_PARTING] = {
    [nua_r_subscribe] = ua_parting_on_response,
    [nua_r_unsubscribe] = ua_parting_on_response,
    [nua_i_notify] = ua_parting_on_notify,
  },
  [UA_OWNER_PUBLICATION] = {
    [nua_r_method] = ua_publication_on_response,
  },
  [UA_OWNER_QUALITY] = {
    [nua_r_method] = ua_quality_on_response,
  },
  [UA_OWNER_NOTIFIER] = {
    [nua_i_subscribe] = ua_notifier_on_subscribe,
    [nua_r_notify] = ua_notifier_on_response,
  },
  [UA_OWNER_MESSAGE] = {
    [nua_r_message] = ua_messaging_on_response,
  },
  [UA_OWNER_PROBE] = {
    [nua_r_options] = ua_probe_on_response,
  },
};

static void
on_event (nua_event_t type, int status, char const *phrase, nua_t *nua, nua_magic_t *magic, nua_handle_t *nh,
          nua_hmagic_t *hmagic, sip_t const *sip, tagi_t tags[])
{
  UaStack *stack = (UaStack *) magic;
  UaEvent event = { .type = type, .status = status, .phrase = phrase ? phrase : "", .nh = nh, .sip = sip };
  const Slot *slot = nh ? g_hash_table_lookup (stack->handles, nh) : NULL;
  UaOwnerKind kind = slot ? slot->kind : UA_OWNER_NONE;

  phone_log_debug (&stack->log, "SIP event %s %d %s", nua_event_name (type), status, event.phrase);
  if (type >= 0 && type <= LAST_EVENT && handlers[kind][type])
    handlers[kind][type] (stack, &event, slot ? slot->owner : NULL);
  /* A handle that sofia made for an incoming request becomes ours to destroy as soon as we see it. */
  if (nh && kind == UA_OWNER_NONE && (stack->state == UA_STACK_RUNNING || stack->state == UA_STACK_CLOSING)
      && !g_hash_table_contains (stack->handles, nh))
    nua_handle_destroy (nh);
}

gboolean
ua_event_is_local (const UaEvent *event)
{
  return event->sip == NULL || event->status >= 700 || nta_sip_is_internal (event->sip);
}

void
ua_stack_adopt (UaStack *stack, nua_handle_t *nh, UaOwnerKind kind, gpointer owner)
{
  Slot *slot = g_new (Slot, 1);

  *slot = (Slot){ kind, owner };
  g_hash_table_insert (stack->handles, nh, slot);
  if (kind == UA_OWNER_DIALOG)
    stack->n_dialogs++;
}

void
ua_stack_rehome (UaStack *stack, nua_handle_t *nh, UaOwnerKind kind, gpointer owner)
{
  const Slot *slot = g_hash_table_lookup (stack->handles, nh);

  if (slot && slot->kind == UA_OWNER_DIALOG)
    stack->n_dialogs--;
  ua_stack_adopt (stack, nh, kind, owner);
}

void
ua_stack_drop (UaStack *stack, nua_handle_t *nh)
{
  const Slot *slot = g_hash_table_lookup (stack->handles, nh);

  if (!slot)
    return;
  if (slot->kind == UA_OWNER_DIALOG)
    stack->n_dialogs--;
  g_hash_table_remove (stack->handles, nh);
  nua_handle_destroy (nh);
}

gpointer
ua_stack_find (UaStack *stack, nua_handle_t *nh, UaOwnerKind kind)
{
  const Slot *slot = g_hash_table_lookup (stack->handles, nh);

  return slot && slot->kind == kind ? slot->owner : NULL;
}

void
ua_stack_foreach (UaStack *stack, UaOwnerKind kind, void (*func) (gpointer owner, gpointer data), gpointer data)
{
  g_autoptr (GPtrArray) owners = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, stack->handles);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Slot *) value)->kind == kind)
      g_ptr_array_add (owners, ((Slot *) value)->owner);
  for (guint i = 0; i < owners->len; i++)
    func (g_ptr_array_index (owners, i), data);
}

void
ua_stack_set_trace (UaStack *stack, gboolean trace)
{
  if (stack->state == UA_STACK_RUNNING)
    nua_set_params (stack->nua, TPTAG_LOG (trace), TAG_END ());
}

gboolean
ua_stack_is_full (UaStack *stack)
{
  return stack->n_dialogs >= MAX_DIALOGS;
}

const struct sockaddr *
ua_stack_peer (UaStack *stack)
{
  msg_t *message = nua_current_request (stack->nua);
  const su_sockaddr_t *address = message ? msg_addr (message) : NULL;

  return address && (address->su_family == AF_INET || address->su_family == AF_INET6) ? &address->su_sa : NULL;
}

/* ---- TLS ---- */

static void
on_tls_outcome (const UaTlsOutcome *outcome, gpointer data)
{
  UaStack *stack = data;
  UaAccount *account = stack->account;
  PhoneTlsInfo info = {
    .version = (char *) outcome->version,
    .cipher = (char *) outcome->cipher,
    .subject = (char *) outcome->subject,
    .issuer = (char *) outcome->issuer,
    .expires = outcome->not_after,
  };

  if (!account || stack->state != UA_STACK_RUNNING || ua_probe_on_tls (stack, outcome))
    return;
  account->tls_reason = outcome->reason;
  g_free (account->tls_text);
  account->tls_text = g_strdup (outcome->text);
  if (outcome->reason == UA_TLS_OK)
    {
      phone_account_on_tls (account->account, &info);
      return;
    }
  phone_log_warning (&account->log, "Account %s: TLS: %s", account->id, outcome->text);
  phone_account_on_tls (account->account, NULL);
}

static UaTlsParams
tls_params (UaAccount *account)
{
  const PhoneAccountSettings *settings = ua_account_settings (account);

  return (UaTlsParams){
    .ca = settings->tls_ca,
    .cert = settings->tls_cert,
    .verify = settings->tls_verify,
    .domain = account->route_host,      /* without a server: whom each call is for */
    /* What a registrar has for us comes over the connection that we made to it (RFC 5626). */
    .serve = !settings->do_register && settings->tls_cert,
    .verify_clients = settings->tls_verify_callers,
  };
}

gboolean
ua_stack_can_tls (UaAccount *account, GError **error)
{
  const UaTlsParams params = tls_params (account);
  g_autoptr (UaTlsPolicy) policy = NULL;

  for (guint i = 0; account->beside && i < account->beside->len; i++)
    if (((UaStack *) account->beside->pdata[i])->tls)
      return ua_tls_policy_is_valid (((UaStack *) account->beside->pdata[i])->tls, error);
  policy = ua_tls_policy_new (&params, NULL, NULL, error);
  return policy != NULL && ua_tls_policy_is_valid (policy, error);
}

static gboolean
make_tls_policy (UaStack *stack, GError **error)
{
  UaAccount *account = stack->account;
  const PhoneAccountSettings *settings = ua_account_settings (account);
  const UaTlsParams params = tls_params (account);
  g_autoptr (GError) invalid = NULL;

  if (!settings->do_register && !settings->tls_cert)
    phone_log_warning (&account->log,
                       "Account %s: no tls-cert, so incoming TLS is refused: nobody can call this account, or hang up on it, directly",
                       account->id);
  stack->tls = ua_tls_policy_new (&params, on_tls_outcome, stack, error);
  if (stack->tls && !ua_tls_policy_is_valid (stack->tls, &invalid))
    phone_log_warning (&account->log, "Account %s: %s", account->id, invalid->message);
  return stack->tls != NULL;
}

/* ---- creation ---- */

static void
stack_free (UaStack *stack)
{
  ua_timer_clear (&stack->deadline);
  ua_timer_clear (&stack->reaper);
  ua_tls_policy_free (stack->tls);
  g_hash_table_unref (stack->handles);
  g_free (stack->public_host);
  g_free (stack->address);
  g_free (stack->id);
  g_free (stack);
}

UaStack *
ua_stack_new (UaAccount *account, int family, PhoneTransport transport, GError **error)
{
  UaStack *stack = g_new0 (UaStack, 1);

  stack->engine = account->engine;
  stack->account = account;
  stack->id = g_strdup (account->id);
  stack->log.account = stack->id;
  stack->transport = transport;
  stack->family = family;
  stack->flow = PHONE_TRANSPORT_AUTO;
  stack->handles = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if ((stack->transport == PHONE_TRANSPORT_TLS && !make_tls_policy (stack, error)) || !ua_stack_open_sockets (stack, on_event, error))
    {
      stack_free (stack);
      return NULL;
    }
  g_ptr_array_add (stack->engine->stacks, stack);
  phone_log_info (&stack->log, "Account %s: SIP on %s port %u (%s)", stack->id, stack->bound ? stack->address : "any address",
                  stack->port, phone_transport_to_string (stack->transport));
  return stack;
}

gboolean
ua_stack_update_address (UaStack *stack)
{
  g_autofree char *address = NULL;

  if (stack->bound)
    return FALSE;
  /* Where the registrar saw us, and by which address we reach it, was true of the old network. */
  memset (&stack->account->server, 0, sizeof stack->account->server);
  g_clear_pointer (&stack->public_host, g_free);
  address = ua_route_source (stack->account->route_address, stack->family);
  if (!address || g_str_equal (address, stack->address))
    return FALSE;
  phone_log_notice (&stack->log, "Account %s: our address was %s, is %s", stack->id, stack->address, address);
  g_free (stack->address);
  stack->address = g_steal_pointer (&address);
  return TRUE;
}

/* ---- the way down ---- */

static gboolean
on_reap (gpointer data)
{
  UaStack *stack = data;
  UaEngine *engine = stack->engine;
  UaAccount *account = stack->account;

  nua_destroy (stack->nua);
  ua_rules_forget (stack->nua);
  g_ptr_array_remove_fast (engine->stacks, stack);
  if (account)
    ua_account_stack_gone (account, stack);
  stack_free (stack);
  ua_engine_stack_gone (engine);
  return G_SOURCE_REMOVE;
}

static void
on_shutdown (UaStack *stack, const UaEvent *event, gpointer owner)
{
  if (event->status < 200 || stack->state != UA_STACK_SHUTDOWN)
    return;
  stack->state = UA_STACK_DEAD;
  stack->reaper = ua_timer_new (stack->engine, 0, on_reap, stack);
}

static void
begin_shutdown (UaStack *stack)
{
  GHashTableIter iter;
  gpointer nh;

  ua_timer_clear (&stack->deadline);
  stack->state = UA_STACK_SHUTDOWN;
  ua_stack_foreach (stack, UA_OWNER_DIALOG, ua_dialog_abandon, NULL);
  ua_stack_foreach (stack, UA_OWNER_REFERRAL, ua_referral_abandon, NULL);
  ua_stack_foreach (stack, UA_OWNER_PARTING, ua_parting_abandon, NULL);
  ua_messaging_abandon (stack);
  ua_notifiers_abandon (stack);
  if (stack->account && stack->account->registration)
    ua_registration_abandon (stack->account->registration);
  if (stack->account)
    {
      ua_subscriptions_abandon (stack->account);
      ua_publication_abandon (stack->account->publication);
      if (stack->account->quality)
        ua_quality_abandon (stack->account->quality);
    }
  g_hash_table_iter_init (&iter, stack->handles);
  while (g_hash_table_iter_next (&iter, &nh, NULL))
    {
      g_hash_table_iter_remove (&iter);
      nua_handle_destroy (nh);
    }
  nua_shutdown (stack->nua);
}

static gboolean
on_deadline (gpointer data)
{
  UaStack *stack = data;

  phone_log_warning (&stack->log, "Account %s: gave up waiting for the answers to BYE or un-REGISTER", stack->id);
  begin_shutdown (stack);
  return G_SOURCE_REMOVE;
}

void
ua_stack_check (UaStack *stack)
{
  if (stack->state != UA_STACK_CLOSING || stack->n_dialogs > 0 || stack->n_messages > 0)
    return;
  if (stack->account && stack->account->registration && ua_registration_is_busy (stack->account->registration))
    return;
  if (stack->account && ua_publication_is_busy (stack->account->publication))
    return;
  begin_shutdown (stack);
}

void
ua_stack_close (UaStack *stack, guint deadline)
{
  if (stack->state != UA_STACK_RUNNING)
    return;
  stack->state = UA_STACK_CLOSING;
  stack->deadline = ua_timer_new (stack->engine, deadline, on_deadline, stack);
  ua_stack_foreach (stack, UA_OWNER_DIALOG, ua_dialog_shutdown, NULL);
  ua_notifiers_close (stack);
  if (stack->account)
    ua_publication_stop (stack->account->publication);
  if (stack->account && stack->account->registration)
    ua_registration_stop (stack->account->registration);
  ua_stack_check (stack);
}
