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
