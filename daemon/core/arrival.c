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
 * What rings then may be answered by the phone itself: at the caller's wish (Answer-Mode and its kin), if the account's list names who calls, no other
 * call is active and the ring was not silenced; else as the setting auto-answer says, unless the caller wants a person. A wish that must be fulfilled
 * and cannot be is refused (403, RFC 5373 section 4.2.3). intercom-privileged is the list of those who go by rule 6 with it.
 *
 * What cannot be sent on (it came round, the target leads nowhere) is treated as if nothing were forwarded. */

#include "core/arrival.h"
#include "core/dnd-model.h"
#include "core/number-list.h"

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

/* ---- who answers ---- */

/* A microphone is opened for who calls: for a name that the account's server stands for, not for what anybody may write into From. A phone
 * without a server has nothing else. */
static const char *
identity_of (PhoneAccount *account, const PhoneIncoming *incoming)
{
  if (incoming->asserted_id && *incoming->asserted_id)
    return incoming->asserted_id;
  if (g_strcmp0 (incoming->verstat, "failed") == 0)
    return NULL;
  return incoming->from_server || !phone_account_get_settings (account)->do_register ? incoming->remote_uri : NULL;
}

static gboolean
is_privileged (PhoneAccount *account, const PhoneIncoming *incoming)
{
  return incoming->wish.ms && incoming->wish.privileged
         && phone_number_list_matches (phone_account_get_settings (account)->intercom_privileged, identity_of (account, incoming));
}

static gboolean
may_ask (PhoneAccount *account, const PhoneIncoming *incoming)
{
  return is_privileged (account, incoming)
         || phone_number_list_matches (phone_account_get_settings (account)->intercom, identity_of (account, incoming));
}

static void
judge_answer (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, PhoneArrival *arrival)
{
  const PhoneAnswerWish *wish = &incoming->wish;
  gboolean possible = arrival->fate == PHONE_ARRIVAL_RING && !phone_registry_is_talking (registry, NULL);

  if (incoming->replaced || (arrival->fate != PHONE_ARRIVAL_RING && arrival->fate != PHONE_ARRIVAL_SILENT))
    return;
  if (wish->ms && possible && may_ask (account, incoming))
    {
      arrival->answer_after = (int) wish->ms;
      arrival->intercom = TRUE;
    }
  else if (wish->ms && wish->required)
    refuse (arrival, 403, "");
  else if (!wish->manual)
    arrival->answer_after = phone_account_get_settings (account)->auto_answer;
}

/* ---- the verdict ---- */

static void
judge_fate (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, const PhoneArrivalLimits *limits,
            PhoneArrival *ret_arrival)
{
  gboolean busy = limits->full || limits->engaged;

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
  else if (!is_privileged (account, incoming))
    judge_dnd (registry, account, incoming, ret_arrival);
}

void
phone_arrival_judge (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, const PhoneArrivalLimits *limits,
                     PhoneArrival *ret_arrival)
{
  *ret_arrival = (PhoneArrival){ .fate = PHONE_ARRIVAL_RING, .answer_after = -1 };
  ret_arrival->for_help = !incoming->replaced && phone_dnd_is_for_help (phone_registry_get_dnd (registry), account, incoming);
  judge_fate (registry, account, incoming, limits, ret_arrival);
  judge_answer (registry, account, incoming, ret_arrival);
}

void
phone_arrival_clear (PhoneArrival *arrival)
{
  g_clear_pointer (&arrival->target, g_free);
}
