/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keeps the way from the server to us open, and notices when it is not: an OPTIONS to the registrar every so often, over whatever
 * transport the registration uses (sofia has no CRLF keep-alive on TLS). Any answer will do; none, and the phone registers again, in the
 * spirit of RFC 5626 section 4.4. */

#include "sip/ua-walk.h"

struct _UaKeepalive
{
  UaAccount *account;
  nua_handle_t *nh;             /* while a probe is out */
  GSource *timer;
};

UaKeepalive *
ua_keepalive_new (UaAccount *account)
{
  UaKeepalive *keepalive = g_new0 (UaKeepalive, 1);

  keepalive->account = account;
  return keepalive;
}

void
ua_keepalive_free (UaKeepalive *keepalive)
{
  ua_timer_clear (&keepalive->timer);
  g_free (keepalive);
}

static gboolean
on_timer (gpointer data)
{
  UaKeepalive *keepalive = data;
  UaAccount *account = keepalive->account;
  g_autofree char *from = ua_account_from (account, FALSE);

  ua_timer_clear (&keepalive->timer);
  if (!keepalive->nh)
    {
      keepalive->nh = nua_handle (account->stack->nua, NULL, NUTAG_URL (account->registrar), SIPTAG_TO_STR (account->registrar),
                                  SIPTAG_FROM_STR (from), TAG_END ());
      ua_stack_adopt (account->stack, keepalive->nh, UA_OWNER_KEEPALIVE, keepalive);
      nua_options (keepalive->nh, NUTAG_PROXY (account->route), TAG_END ());
    }
  return G_SOURCE_REMOVE;
}

void
ua_keepalive_start (UaKeepalive *keepalive)
{
  guint seconds = ua_account_settings (keepalive->account)->keep_alive;

  if (seconds && !keepalive->timer && !keepalive->nh)
    keepalive->timer = ua_timer_new (keepalive->account->engine, seconds * 1000, on_timer, keepalive);
}

void
ua_keepalive_stop (UaKeepalive *keepalive)
{
  ua_timer_clear (&keepalive->timer);
}

void
ua_keepalive_abandon (UaKeepalive *keepalive)
{
  ua_timer_clear (&keepalive->timer);
  keepalive->nh = NULL;
}

void
ua_keepalive_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaKeepalive *keepalive = owner;
  UaRegistration *registration = keepalive->account->registration;

  if (event->status < 200)
    return;
  ua_stack_drop (stack, keepalive->nh);
  keepalive->nh = NULL;
  if (!ua_registration_is_registered (registration))
    return;
  if (ua_event_is_local (event) || event->status == 408)
    {
      phone_log_notice (&stack->log, "Account %s: keep-alive failed: %d %s", stack->id, event->status, event->phrase);
      ua_account_flow_failed (keepalive->account);
      ua_registration_start (registration);
      return;
    }
  ua_keepalive_start (keepalive);
}
