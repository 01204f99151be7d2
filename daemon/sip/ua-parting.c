/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/ua-parting.h"

#define TIMER_N_MS 32000                /* 64*T1 */
#define MAX_PARTING 64                  /* of a stack; beyond that there is no waiting */

typedef struct
{
  UaStack *stack;
  nua_handle_t *nh;
  GSource *timer;
} UaParting;

static void
over (UaParting *parting)
{
  ua_timer_clear (&parting->timer);
  ua_stack_drop (parting->stack, parting->nh);
  g_free (parting);
}

static gboolean
on_timer (gpointer data)
{
  over (data);
  return G_SOURCE_REMOVE;
}

static void
count (gpointer owner, gpointer data)
{
  ++*(guint *) data;
}

void
ua_parting_begin (UaStack *stack, nua_handle_t *nh, const char *event)
{
  UaParting *parting;
  guint n = 0;

  ua_stack_foreach (stack, UA_OWNER_PARTING, count, &n);
  if (n >= MAX_PARTING)
    {
      ua_stack_drop (stack, nh);        /* sofia un-SUBSCRIBEs */
      return;
    }
  parting = g_new0 (UaParting, 1);
  parting->stack = stack;
  parting->nh = nh;
  parting->timer = ua_timer_new (stack->engine, TIMER_N_MS, on_timer, parting);
  ua_stack_rehome (stack, nh, UA_OWNER_PARTING, parting);
  nua_unsubscribe (nh, SIPTAG_EVENT_STR (event), TAG_END ());
}

/* A notifier that does not take the un-SUBSCRIBE has nothing more to tell. */
void
ua_parting_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  if (event->status < 300)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip && stack->account
      && ua_credentials_answer (stack->account->credentials, event->nh, event->sip) == UA_ANSWER_SENT)
    return;
  over (owner);
}

/* sofia has answered it. sip NULL: sofia has waited long enough. */
void
ua_parting_on_notify (UaStack *stack, const UaEvent *event, gpointer owner)
{
  const sip_subscription_state_t *state = event->sip ? event->sip->sip_subscription_state : NULL;

  if (!event->sip || (state && g_ascii_strcasecmp (state->ss_substate, "terminated") == 0))
    over (owner);
}

void
ua_parting_abandon (gpointer owner, gpointer data)
{
  UaParting *parting = owner;

  ua_timer_clear (&parting->timer);
  g_free (parting);
}
