/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The first of these rules that fits decides. phoned(1) tells the user the same under INCOMING CALLS, and a test walks through the table.
 *
 *   1. the daemon stops, the account is disabled     refused
 *   2. it takes the place of another call            as that call
 *   3. a call-back from help                         rings, and no rule below touches it; only max-calls stops it
 *   4. forward                                       sent on
 *   5. max-calls, or a call and no call waiting      forward-busy, else the answering machine (answering-busy), else busy
 *   6. do not disturb, unless the allow list or a    silent, busy, or voicemail: the answering machine, else the mailbox, else busy
 *      repeated call lets it through
 *   7. the user is away (answering-away)             the answering machine
 *   8. anything else                                 rings; then forward-no-reply or the answering machine, whichever comes first
 *
 * What cannot be sent on (it came round, the target leads nowhere) is treated as if nothing were forwarded. */

#include "core/arrival.h"
#include "core/dnd-model.h"

static void
refuse (PhoneArrival *arrival, guint status, const char *by)
{
  arrival->fate = PHONE_ARRIVAL_REFUSE;
  arrival->refusal = (PhoneRefusal){ .status = status };
  arrival->refused_by = by;
}

static gboolean
send_on (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, PhoneForward forward, PhoneArrival *arrival)
{
  arrival->target = phone_forward_target (registry, account, incoming, forward);
  if (!arrival->target)
    return FALSE;
  arrival->fate = PHONE_ARRIVAL_FORWARD;
  arrival->reason = phone_forward_reason (forward);
  return TRUE;
}

static gboolean
give_to_machine (PhoneRegistry *registry, PhoneAccount *account, const char *why, PhoneArrival *arrival)
{
  if (!phone_machine_is_ready (registry, account))
    return FALSE;
  arrival->fate = PHONE_ARRIVAL_MACHINE;
  arrival->reason = why;
  return TRUE;
}

static void
judge_dnd (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, PhoneArrival *arrival)
{
  switch (phone_dnd_judge (phone_registry_get_dnd (registry), account, incoming, &arrival->refusal))
    {
    case DND_PASS:
      if (phone_machine_is_alone (account))
        give_to_machine (registry, account, "away", arrival);
      break;
    case DND_SILENCE:
      arrival->fate = PHONE_ARRIVAL_SILENT;
      break;
    case DND_REFUSE:
      if (phone_dnd_get_mode (phone_registry_get_dnd (registry)) == PHONE_DND_VOICEMAIL
          && give_to_machine (registry, account, "do not disturb", arrival))
        break;
      arrival->fate = PHONE_ARRIVAL_REFUSE;
      arrival->refused_by = "dnd";
      break;
    }
}

void
phone_arrival_judge (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, const PhoneArrivalLimits *limits,
                     PhoneArrival *ret_arrival)
{
  gboolean busy = limits->full || limits->engaged;

  *ret_arrival = (PhoneArrival){ .fate = PHONE_ARRIVAL_RING };
  ret_arrival->for_help = !incoming->replaced && phone_dnd_is_for_help (phone_registry_get_dnd (registry), account, incoming);
  if (incoming->replaced && phone_call_is_ended (incoming->replaced))
    refuse (ret_arrival, 603, "");              /* RFC 3891 section 3 */
  else if (limits->closed)
    refuse (ret_arrival, 480, incoming->replaced ? "" : "limit");
  else if (incoming->replaced || (ret_arrival->for_help && !limits->full))
    return;
  else if (send_on (registry, account, incoming, PHONE_FORWARD_ALL, ret_arrival)
           || (busy && send_on (registry, account, incoming, PHONE_FORWARD_BUSY, ret_arrival)))
    return;
  else if (busy && phone_account_get_settings (account)->answering_busy && give_to_machine (registry, account, "busy", ret_arrival))
    return;
  else if (busy)
    refuse (ret_arrival, 486, "limit");
  else
    judge_dnd (registry, account, incoming, ret_arrival);
}

void
phone_arrival_clear (PhoneArrival *arrival)
{
  g_clear_pointer (&arrival->target, g_free);
}
