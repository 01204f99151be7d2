/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The call that another gives way to. The new one is an INVITE that replaces a call of ours: it is answered at once, then that call ends (RFC 3891). Or
 * it is the one that the peer sent us on to: then the old one goes when the peer hangs up, which it does when it hears of the success. */

#include "core/call-private.h"

#define GRACE_S 4               /* for a peer that transferred us to hang up */

static PhoneCall *
find_replaced (PhoneCall *call)
{
  return call->replaces_number ? phone_registry_find_call (call->registry, call->replaces_number) : NULL;
}

gboolean
phone_call_gives_way (PhoneCall *call)
{
  PhoneCall *fresh = call->replaced_by ? phone_registry_find_call (call->registry, call->replaced_by) : NULL;

  return fresh && phone_call_is_established (fresh);
}

static void
end_replaced (PhoneCall *call)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_REPLACED, 0, NULL);

  phone_call_end (call, reason);
}

static gboolean
on_grace_over (gpointer data)
{
  PhoneCall *call = data;

  call->transfer_timer = 0;
  end_replaced (call);
  return G_SOURCE_REMOVE;
}

void
phone_call_take_over (PhoneCall *call, PhoneCall *replaced)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  g_autoptr (GError) error = NULL;

  phone_log_notice (&call->log, "Call %u takes the place of call %u", call->number, replaced->number);
  call->replaces_number = replaced->number;
  call->local_hold = replaced->local_hold;
  call->muted = replaced->muted;
  replaced->replaced_by = call->number;
  if (replaced->conference)
    {
      call->voice_muted = replaced->voice_muted;
      phone_conference_join (replaced->conference, call);
    }
  phone_call_emit_changed (replaced, PHONE_CALL_FIELD_TRANSFER);
  if (!phone_call_answer (call, TRUE, NULL, NULL, &error))
    phone_log_warning (&call->log, "Call %u: %s", call->number, error->message);
}

void
phone_call_replacing_up (PhoneCall *call)
{
  PhoneCall *replaced = find_replaced (call);

  if (!replaced || replaced->replaced_by != call->number || phone_call_is_ended (replaced))
    return;
  if (call->direction == PHONE_CALL_INBOUND)
    {
      end_replaced (replaced);
      return;
    }
  /* The transferor hangs up when it hears of the success (RFC 5589 section 6.1). Until then nobody speaks there. */
  phone_call_update_attachment (replaced);
  g_clear_handle_id (&replaced->transfer_timer, g_source_remove);
  replaced->transfer_timer = g_timeout_add_seconds (GRACE_S, on_grace_over, replaced);
}

void
phone_call_replacing_failed (PhoneCall *call)
{
  PhoneCall *replaced = find_replaced (call);

  if (!replaced || replaced->replaced_by != call->number || call->answered)
    return;
  replaced->replaced_by = 0;
  phone_call_emit_changed (replaced, PHONE_CALL_FIELD_TRANSFER);
}
