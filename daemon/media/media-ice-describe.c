/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An ICE session as the two descriptions have it: ours out of libnice, the peer's into it. */

#include "media/media-ice-private.h"

#include <string.h>

#include "media/media-ice-policy.h"

PhoneCandidateType
media_ice_type_of (NiceCandidateType type)
{
  switch (type)
    {
    case NICE_CANDIDATE_TYPE_HOST: return PHONE_CANDIDATE_HOST;
    case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE: return PHONE_CANDIDATE_SRFLX;
    case NICE_CANDIDATE_TYPE_PEER_REFLEXIVE: return PHONE_CANDIDATE_PRFLX;
    case NICE_CANDIDATE_TYPE_RELAYED: return PHONE_CANDIDATE_RELAY;
    }
  g_assert_not_reached ();
}

static NiceCandidateType
nice_type_of (PhoneCandidateType type)
{
  switch (type)
    {
    case PHONE_CANDIDATE_HOST: return NICE_CANDIDATE_TYPE_HOST;
    case PHONE_CANDIDATE_SRFLX: return NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
    case PHONE_CANDIDATE_PRFLX: return NICE_CANDIDATE_TYPE_PEER_REFLEXIVE;
    case PHONE_CANDIDATE_RELAY: return NICE_CANDIDATE_TYPE_RELAYED;
    }
  g_assert_not_reached ();
}

void
media_ice_to_address (const NiceAddress *address, MediaAddress *ret_address)
{
  memset (ret_address, 0, sizeof *ret_address);
  nice_address_copy_to_sockaddr (address, &ret_address->any);
}

/* ---- our side ---- */

static void
to_text (const NiceAddress *address, char *text, gsize size, guint16 *ret_port)
{
  char host[NICE_ADDRESS_STRING_LEN] = "";

  if (nice_address_is_valid (address))
    nice_address_to_string (address, host);
  g_strlcpy (text, host, size);
  *ret_port = (guint16) nice_address_get_port (address);
}

static void
add_local (PhoneIceDesc *local, const NiceCandidate *candidate)
{
  if (local->n_candidates == PHONE_ICE_MAX_CANDIDATES || candidate->transport != NICE_CANDIDATE_TRANSPORT_UDP)
    return;
  PhoneCandidate *entry = &local->candidates[local->n_candidates++];
  *entry = (PhoneCandidate) { .component = candidate->component_id, .priority = candidate->priority,
                              .type = media_ice_type_of (candidate->type) };
  g_strlcpy (entry->foundation, candidate->foundation, sizeof entry->foundation);
  to_text (&candidate->addr, entry->address, sizeof entry->address, &entry->port);
  if (entry->type != PHONE_CANDIDATE_HOST)
    to_text (&candidate->base_addr, entry->related_address, sizeof entry->related_address, &entry->related_port);
}

void
media_ice_get_local (MediaIce *ice, PhoneIceDesc *ret_local)
{
  g_autofree char *ufrag = NULL;
  g_autofree char *pwd = NULL;

  memset (ret_local, 0, sizeof *ret_local);
  if (nice_agent_get_local_credentials (ice->agent, ice->stream, &ufrag, &pwd))
    {
      g_strlcpy (ret_local->ufrag, ufrag, sizeof ret_local->ufrag);
      g_strlcpy (ret_local->pwd, pwd, sizeof ret_local->pwd);
      explicit_bzero (pwd, strlen (pwd));
    }
  for (guint c = 1; c <= ice->n_components; c++)
    {
      GSList *candidates = nice_agent_get_local_candidates (ice->agent, ice->stream, c);
      /* Those that checks have found are the peer's business alone. */
      for (GSList *l = candidates; l != NULL; l = l->next)
        if (((const NiceCandidate *) l->data)->type != NICE_CANDIDATE_TYPE_PEER_REFLEXIVE)
          add_local (ret_local, l->data);
      g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
    }
}

void
media_ice_get_defaults (MediaIce *ice, MediaAddress ret_defaults[MEDIA_ICE_COMPONENTS])
{
  memset (ret_defaults, 0, MEDIA_ICE_COMPONENTS * sizeof ret_defaults[0]);
  for (guint c = 1; c <= ice->n_components; c++)
    {
      GSList *candidates = nice_agent_get_local_candidates (ice->agent, ice->stream, c);
      for (GSList *l = candidates; l != NULL; l = l->next)
        {
          const NiceCandidate *candidate = l->data;
          MediaAddress address;
          if (candidate->type != NICE_CANDIDATE_TYPE_HOST || candidate->transport != NICE_CANDIDATE_TRANSPORT_UDP)
            continue;
          media_ice_to_address (&candidate->addr, &address);
          if (ret_defaults[c - 1].any.sa_family == 0 || media_address_same_host (&address, &ice->wanted_default))
            ret_defaults[c - 1] = address;
        }
      g_slist_free_full (candidates, (GDestroyNotify) nice_candidate_free);
    }
}

void
media_ice_restart (MediaIce *ice)
{
  pthread_mutex_lock (&ice->lock);
  ice->restarted = TRUE;
  pthread_mutex_unlock (&ice->lock);
  media_ice_wait_for_end (ice, FALSE);
  nice_agent_restart_stream (ice->agent, ice->stream);
}

/* ---- the peer's side ---- */

static GSList *
remote_candidates (MediaIce *ice, const PhoneIceDesc *remote, guint component)
{
  GSList *list = NULL;

  for (guint i = 0; i < remote->n_candidates; i++)
    {
      const PhoneCandidate *entry = &remote->candidates[i];
      NiceAddress address;

      nice_address_init (&address);
      if (entry->component != component || entry->transport != PHONE_CANDIDATE_UDP || entry->port == 0
          || !media_ice_is_acceptable (entry->address, ice->any_loopback)
          || !nice_address_set_from_string (&address, entry->address))
        continue;
      nice_address_set_port (&address, entry->port);
      NiceCandidate *candidate = nice_candidate_new (nice_type_of (entry->type));
      candidate->transport = NICE_CANDIDATE_TRANSPORT_UDP;
      candidate->component_id = component;
      candidate->stream_id = ice->stream;
      candidate->priority = entry->priority;
      candidate->addr = address;
      candidate->base_addr = address;
      g_strlcpy (candidate->foundation, entry->foundation, NICE_CANDIDATE_MAX_FOUNDATION);
      list = g_slist_append (list, candidate);
    }
  return list;
}

/* Another device has answered than before (forking): ours stays as it was described, theirs is forgotten. */
static void
forget_peer (MediaIce *ice)
{
  g_autofree char *ufrag = NULL;
  g_autofree char *pwd = NULL;

  pthread_mutex_lock (&ice->lock);
  for (guint i = 0; i < MEDIA_ICE_COMPONENTS; i++)
    {
      ice->paths[i].open = FALSE;
      ice->paths[i].local[0] = ice->paths[i].remote[0] = '\0';
    }
  pthread_mutex_unlock (&ice->lock);
  if (!nice_agent_get_local_credentials (ice->agent, ice->stream, &ufrag, &pwd))
    return;
  nice_agent_restart_stream (ice->agent, ice->stream);
  nice_agent_set_local_credentials (ice->agent, ice->stream, ufrag, pwd);
  explicit_bzero (pwd, strlen (pwd));
}

gboolean
media_ice_set_remote (MediaIce *ice, const PhoneIceDesc *remote, guint n_components, GError **error)
{
  guint n = MIN (n_components, ice->n_components);
  gboolean trickles = remote->trickle && !remote->end_of_candidates, usable = FALSE;

  pthread_mutex_lock (&ice->lock);
  gboolean had = ice->have_remote, restarted = ice->restarted;
  gboolean news = g_strcmp0 (ice->remote_ufrag, remote->ufrag) != 0 || g_strcmp0 (ice->remote_pwd, remote->pwd) != 0;
  g_free (ice->remote_ufrag);
  g_free (ice->remote_pwd);
  ice->remote_ufrag = g_strdup (remote->ufrag);
  ice->remote_pwd = g_strdup (remote->pwd);
  ice->have_remote = TRUE;
  ice->have_candidates = ice->have_candidates && !news;
  ice->in_use = n;
  ice->restarted = FALSE;
  pthread_mutex_unlock (&ice->lock);
  if (news && had && !restarted)
    forget_peer (ice);

  if (news)
    g_object_set (ice->agent, "ice-trickle", trickles, NULL);
  if (news && !nice_agent_set_remote_credentials (ice->agent, ice->stream, remote->ufrag, remote->pwd))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the peer's ICE credentials cannot be used");
      return FALSE;
    }
  for (guint c = 1; c <= n; c++)
    {
      GSList *list = remote_candidates (ice, remote, c);
      if (list != NULL)
        nice_agent_set_remote_candidates (ice->agent, ice->stream, c, list);
      usable = usable || list != NULL;
      g_slist_free_full (list, (GDestroyNotify) nice_candidate_free);
    }
  pthread_mutex_lock (&ice->lock);
  usable = ice->have_candidates = ice->have_candidates || usable;
  pthread_mutex_unlock (&ice->lock);
  /* With nothing to try only a check of the peer's own can still find a way. */
  media_ice_wait_for_end (ice, trickles || !usable);
  if (!trickles)
    nice_agent_peer_candidate_gathering_done (ice->agent, ice->stream);
  media_ice_post_change (ice);
  return TRUE;
}

gboolean
media_ice_trickle (MediaIce *ice, const PhoneIceDesc *remote, guint n_components, GError **error)
{
  pthread_mutex_lock (&ice->lock);
  gboolean ours = ice->have_remote && !ice->restarted && g_strcmp0 (ice->remote_ufrag, remote->ufrag) == 0
                  && g_strcmp0 (ice->remote_pwd, remote->pwd) == 0;
  pthread_mutex_unlock (&ice->lock);
  return !ours || media_ice_set_remote (ice, remote, n_components, error);
}
