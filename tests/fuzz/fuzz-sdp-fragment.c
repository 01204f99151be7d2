/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies of INFO with candidates of ICE: what is read is within its limits, and is taken once. */

#include "sip/sdp-fragment.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const mids[] = { "0", "audio", NULL };
  g_autofree char *text = g_memdup2 (data, size);       /* so that a sanitizer sees its ends */

  for (gsize i = 0; i < G_N_ELEMENTS (mids); i++)
    {
      g_autoptr (GError) error = NULL;
      PhoneIceDesc news, peer = { 0 };

      if (!ua_sdp_fragment_read (text, size, mids[i], &news, &error))
        {
          g_assert (error != NULL);
          continue;
        }
      g_assert (size <= UA_SDP_FRAGMENT_MAX_LENGTH && news.n_candidates <= PHONE_ICE_MAX_CANDIDATES && news.ufrag[0] != '\0' && news.pwd[0] != '\0');
      for (guint c = 0; c < news.n_candidates; c++)
        g_assert (news.candidates[c].port > 0 && news.candidates[c].component > 0 && news.candidates[c].address[0] != '\0');
      memcpy (peer.ufrag, news.ufrag, sizeof peer.ufrag);
      memcpy (peer.pwd, news.pwd, sizeof peer.pwd);
      g_assert (phone_ice_desc_trickle (&peer, &news) == (news.n_candidates > 0 || news.end_of_candidates));
      g_assert (peer.n_candidates <= news.n_candidates && !phone_ice_desc_trickle (&peer, &news));
    }
  return 0;
}
