/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/media-paths.h"

#include <string.h>

static gboolean
is_default (const PhoneMediaDesc *desc, const PhoneCandidate *candidate)
{
  return candidate->component == 1 && candidate->port == desc->port && g_strcmp0 (candidate->address, desc->address) == 0;
}

gboolean
phone_media_paths_usable (const PhoneMediaDesc *desc)
{
  if (!phone_media_desc_has_ice (desc) || desc->ice.mismatch)
    return FALSE;
  /* Whoever trickles may know no default yet (RFC 8840 section 4.1.1), and a browser that hides its addresses never does. */
  if (g_strcmp0 (desc->address, "0.0.0.0") == 0 || g_strcmp0 (desc->address, "::") == 0)
    return TRUE;
  for (guint i = 0; i < desc->ice.n_candidates; i++)
    if (is_default (desc, &desc->ice.candidates[i]))
      return TRUE;
  return desc->ice.n_candidates == PHONE_ICE_MAX_CANDIDATES;    /* it may be among those that were not looked at */
}

gboolean
phone_media_paths_restarted (const PhoneMediaPlan *running, const PhoneMediaDesc *desc)
{
  return running != NULL && phone_media_plan_has_ice (running) && phone_media_desc_has_ice (desc)
         && (strcmp (running->ice.ufrag, desc->ice.ufrag) != 0 || strcmp (running->ice.pwd, desc->ice.pwd) != 0);
}

static void
describe (const PhoneMediaCaps *caps, gboolean rtp_only, gboolean trickle, PhoneMediaDesc *desc)
{
  const PhoneIceDesc *ours = caps->ice;
  guint n = 0;

  desc->ice = *ours;
  desc->ice.ice2 = TRUE;
  /* Ours are all here, the peer's may come one by one (half trickle, RFC 8838 section 16). */
  desc->ice.trickle = desc->ice.end_of_candidates = trickle;
  for (guint i = 0; i < ours->n_candidates; i++)
    if (!rtp_only || ours->candidates[i].component == 1)
      desc->ice.candidates[n++] = ours->candidates[i];
  desc->ice.n_candidates = n;
}

void
phone_media_paths_offer (const PhoneMediaCaps *caps, PhoneMediaDesc *offer)
{
  if (caps->ice != NULL)
    describe (caps, caps->running != NULL && caps->running->rtcp_mux && phone_media_plan_has_ice (caps->running), TRUE, offer);
}

void
phone_media_paths_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, PhoneMediaDesc *answer, PhoneMediaPlan *plan)
{
  if (caps->ice == NULL || !phone_media_desc_has_ice (offer))
    return;
  if (!phone_media_paths_usable (offer))
    {
      answer->ice.mismatch = TRUE;
      return;
    }
  describe (caps, answer->rtcp_mux, offer->ice.trickle, answer);
  plan->ice = offer->ice;
}

void
phone_media_paths_complete (const PhoneMediaDesc *offer, const PhoneMediaDesc *answer, PhoneMediaPlan *plan)
{
  if (!phone_media_desc_has_ice (offer) || !phone_media_paths_usable (answer))
    return;
  plan->ice = answer->ice;
}
