/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the parties of a conference are told of it, if their account has focus=true: that it is one (RFC 4579), and who is in it, for those who ask
 * (RFC 4575). Whoever asks must be one of them: by naming the dialog that he is in it with, or by being, as far as we know, the peer of such a call.
 * A party is named as it is known to us by From; what only the network asserted of it stays with us. */

#include "core/conference-private.h"
#include "core/subscriber.h"

gboolean
phone_call_is_hosted (PhoneCall *call)
{
  return call->conference && phone_call_is_established (call) && phone_account_get_settings (call->account)->focus;
}

PhoneCall *
phone_conference_find_party (PhoneAccount *account, const char *uri)
{
  GPtrArray *calls = phone_registry_get_calls (phone_account_get_registry (account));

  for (guint i = 0; i < calls->len; i++)
    {
      PhoneCall *call = g_ptr_array_index (calls, i);

      if (call->account == account && phone_call_is_hosted (call) && (g_str_equal (call->remote_uri, uri) || g_str_equal (call->asserted_id, uri)))
        return call;
    }
  return NULL;
}

static PhoneParticipantStatus
status_of (PhoneConference *conference, PhoneCall *call)
{
  switch (call->state)
    {
    case PHONE_CALL_DIALING:
      return PHONE_PARTICIPANT_DIALING_OUT;
    case PHONE_CALL_ALERTING:
      return PHONE_PARTICIPANT_ALERTING;
    case PHONE_CALL_ACTIVE:
    case PHONE_CALL_HELD:
      break;
    case PHONE_CALL_INCOMING:
    case PHONE_CALL_WAITING:
      return PHONE_PARTICIPANT_DIALING_IN;
    case PHONE_CALL_DISCONNECTING:
      return PHONE_PARTICIPANT_DISCONNECTING;
    case PHONE_CALL_DISCONNECTED:
      return PHONE_PARTICIPANT_DISCONNECTED;
    }
  if (call->remote_hold || call->local_hold)
    return PHONE_PARTICIPANT_ON_HOLD;
  return call->voice_muted ? PHONE_PARTICIPANT_MUTED : PHONE_PARTICIPANT_CONNECTED;
}

static void
add (GPtrArray *roster, const char *uri, const char *name, PhoneParticipantStatus status)
{
  g_ptr_array_add (roster, phone_participant_new (uri, name && *name ? name : NULL, status));
}

GPtrArray *
phone_call_get_hosted_roster (PhoneCall *call)
{
  GPtrArray *roster = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_participant_free);
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);
  PhoneConference *conference = call->conference;

  if (!phone_call_is_hosted (call))
    return roster;
  add (roster, settings->aor, settings->display_name, conference->away ? PHONE_PARTICIPANT_ON_HOLD : PHONE_PARTICIPANT_CONNECTED);
  for (guint i = 0; i < conference->calls->len; i++)
    {
      PhoneCall *one = g_ptr_array_index (conference->calls, i);

      add (roster, one->remote_uri, one->remote_name, status_of (conference, one));
    }
  return roster;
}

void
phone_registry_rosters_changed (PhoneRegistry *registry)
{
  GPtrArray *accounts = phone_registry_get_accounts (registry);

  for (guint i = 0; i < accounts->len; i++)
    phone_account_rosters_changed (g_ptr_array_index (accounts, i));
}

/* The next message of the dialog says it, or a message of its own now, if the peer takes one that does nothing else. */
void
phone_conference_tell_party (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (phone_account_get_settings (call->account)->focus && phone_call_is_established (call) && ports->sig->call_hosted_changed)
    ports->sig->call_hosted_changed (ports->ua, call);
}
