/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ice.h"

#include <string.h>

gboolean
phone_candidate_equal (const PhoneCandidate *a, const PhoneCandidate *b)
{
  return strcmp (a->foundation, b->foundation) == 0 && a->component == b->component && a->transport == b->transport
         && a->priority == b->priority && strcmp (a->address, b->address) == 0 && a->port == b->port && a->type == b->type
         && strcmp (a->related_address, b->related_address) == 0 && a->related_port == b->related_port;
}

gboolean
phone_ice_desc_equal (const PhoneIceDesc *a, const PhoneIceDesc *b)
{
  if (strcmp (a->ufrag, b->ufrag) != 0 || strcmp (a->pwd, b->pwd) != 0 || !a->lite != !b->lite || !a->trickle != !b->trickle
      || !a->ice2 != !b->ice2 || !a->end_of_candidates != !b->end_of_candidates || !a->mismatch != !b->mismatch
      || a->pacing != b->pacing || a->n_candidates != b->n_candidates || a->n_remote != b->n_remote)
    return FALSE;
  for (guint i = 0; i < a->n_candidates; i++)
    if (!phone_candidate_equal (&a->candidates[i], &b->candidates[i]))
      return FALSE;
  for (guint i = 0; i < a->n_remote; i++)
    if (a->remote[i].component != b->remote[i].component || strcmp (a->remote[i].address, b->remote[i].address) != 0
        || a->remote[i].port != b->remote[i].port)
      return FALSE;
  return TRUE;
}

static gboolean
has_candidate (const PhoneIceDesc *desc, const PhoneCandidate *candidate)
{
  for (guint i = 0; i < desc->n_candidates; i++)
    if (phone_candidate_equal (&desc->candidates[i], candidate))
      return TRUE;
  return FALSE;
}

gboolean
phone_ice_desc_trickle (PhoneIceDesc *peer, const PhoneIceDesc *news)
{
  gboolean changed = FALSE;

  if (peer->ufrag[0] == '\0' || peer->end_of_candidates || strcmp (peer->ufrag, news->ufrag) != 0 || strcmp (peer->pwd, news->pwd) != 0)
    return FALSE;
  for (guint i = 0; i < news->n_candidates && peer->n_candidates < PHONE_ICE_MAX_CANDIDATES; i++)
    if (!has_candidate (peer, &news->candidates[i]))
      {
        peer->candidates[peer->n_candidates++] = news->candidates[i];
        changed = TRUE;
      }
  if (news->end_of_candidates)
    peer->end_of_candidates = changed = TRUE;
  return changed;
}
