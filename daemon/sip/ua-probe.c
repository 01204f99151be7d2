/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whether the TLS server that the DNS prefers would have us, asked from beside.
 *
 * An account that finds its transport (transport=auto) and is registered by UDP or TCP goes to TLS when it can. But a stack has one of both, so going
 * there means that nobody can call until it has worked; and a certificate that is wrong stays wrong, and is tried again every few minutes. So the
 * handshake is made by a stack of its own first, which has no other purpose, and the account moves once that went well.
 *
 *   none --refresh finds TLS in front--> ASKING --handshake--> GOOD --next REGISTER: the account moves--> none
 *                                          +--refused, wrong, PATIENCE_MS--> none, and the target among the dead
 */

#include "sip/ua-walk.h"

#define PATIENCE_MS 5000
#define GOOD_FOR (60 * G_USEC_PER_SEC)

struct _UaProbe
{
  UaAccount *account;
  char *key;                    /* of the target */
  UaStack *stack;               /* NULL: it went well */
  nua_handle_t *nh;
  GSource *patience;
  gint64 until;                 /* monotonic us, GOOD */
};

static void
close_stack (UaProbe *probe)
{
  UaStack *stack = g_steal_pointer (&probe->stack);

  ua_timer_clear (&probe->patience);
  if (!stack)
    return;
  ua_stack_drop (stack, g_steal_pointer (&probe->nh));
  stack->account = NULL;
  ua_stack_close (stack, 0);
}

void
ua_probe_free (UaProbe *probe)
{
  if (!probe)
    return;
  close_stack (probe);
  g_free (probe->key);
  g_free (probe);
}

static void
fail (UaProbe *probe, const char *why)
{
  UaAccount *account = probe->account;

  phone_log_notice (&account->log, "Account %s: %s (%s): %s, staying where it is", account->id, probe->key, account->route_host, why);
  ua_dead_list_add (account->engine->dead, probe->key, 0, g_get_monotonic_time ());
  account->probe = NULL;
  ua_probe_free (probe);
}

static gboolean
on_patience (gpointer data)
{
  fail (data, "no answer");
  return G_SOURCE_REMOVE;
}

void
ua_probe_start (UaAccount *account, const UaTarget *target)
{
  g_autofree char *route = ua_target_route (target, FALSE);
  g_autofree char *from = NULL;
  g_autoptr (GError) error = NULL;
  UaStack *stack;
  UaProbe *probe;

  ua_probe_free (g_steal_pointer (&account->probe));
  stack = ua_stack_new (account, account->stack->family, PHONE_TRANSPORT_TLS, &error);
  if (!stack)
    {
      phone_log_warning (&account->log, "Account %s: %s", account->id, error->message);
      return;
    }
  probe = account->probe = g_new0 (UaProbe, 1);
  probe->account = account;
  probe->key = ua_target_key (target);
  probe->stack = stack;
  from = ua_account_from (account, FALSE);
  probe->nh = nua_handle (stack->nua, NULL, NUTAG_URL (account->registrar), SIPTAG_TO_STR (account->registrar), SIPTAG_FROM_STR (from), TAG_END ());
  ua_stack_adopt (stack, probe->nh, UA_OWNER_PROBE, probe);
  probe->patience = ua_timer_new (account->engine, PATIENCE_MS, on_patience, probe);
  nua_options (probe->nh, NUTAG_PROXY (route), TAG_END ());
}

gboolean
ua_probe_is_asking (UaAccount *account)
{
  return account->probe && account->probe->stack;
}

gboolean
ua_probe_is_good (UaAccount *account)
{
  return account->probe && !account->probe->stack && g_get_monotonic_time () < account->probe->until;
}

gboolean
ua_probe_on_tls (UaStack *stack, const UaTlsOutcome *outcome)
{
  UaProbe *probe = stack->account->probe;

  if (!probe || probe->stack != stack)
    return FALSE;
  if (outcome->reason != UA_TLS_OK)
    {
      fail (probe, outcome->text);
      return TRUE;
    }
  close_stack (probe);
  probe->until = g_get_monotonic_time () + GOOD_FOR;
  ua_registration_move (probe->account->registration);
  return TRUE;
}

/* The handshake tells first, whatever comes of it: what ends without one has not got there. */
void
ua_probe_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  if (event->status >= 200)
    fail (owner, event->phrase);
}
