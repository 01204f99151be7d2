/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/composing.h"

#define S ((gint64) G_USEC_PER_SEC)
/* The word has to be there before the peer gives up on it. */
#define SAY_AGAIN (PHONE_COMPOSING_REFRESH_S * S * 3 / 4)

PhoneComposingAction
phone_composer_touch (PhoneComposer *composer, gint64 now)
{
  gboolean due = !composer->active || now - composer->said >= SAY_AGAIN;

  composer->touched = now;
  composer->active = TRUE;
  if (due)
    composer->said = now;
  return due ? PHONE_COMPOSING_SAY_ACTIVE : PHONE_COMPOSING_NOTHING;
}

PhoneComposingAction
phone_composer_stop (PhoneComposer *composer)
{
  gboolean was = composer->active;

  composer->active = FALSE;
  return was ? PHONE_COMPOSING_SAY_IDLE : PHONE_COMPOSING_NOTHING;
}

void
phone_composer_sent (PhoneComposer *composer)
{
  composer->active = FALSE;
}

PhoneComposingAction
phone_composer_tick (PhoneComposer *composer, gint64 now)
{
  if (composer->active && now - composer->touched >= PHONE_COMPOSING_IDLE_S * S)
    return phone_composer_stop (composer);
  return PHONE_COMPOSING_NOTHING;
}

gint64
phone_composer_wake (const PhoneComposer *composer)
{
  return composer->active ? composer->touched + PHONE_COMPOSING_IDLE_S * S : -1;
}

gboolean
phone_composing_peer_said (PhoneComposingPeer *peer, gboolean active, guint refresh, gint64 now)
{
  gboolean was = peer->active;

  peer->active = active;
  peer->until = now + (gint64) MIN (refresh ? refresh : PHONE_COMPOSING_REFRESH_S, PHONE_COMPOSING_MAX_REFRESH_S) * S;
  return was != active;
}

gboolean
phone_composing_peer_sent (PhoneComposingPeer *peer)
{
  gboolean was = peer->active;

  peer->active = FALSE;
  return was;
}

gboolean
phone_composing_peer_tick (PhoneComposingPeer *peer, gint64 now)
{
  return peer->active && now >= peer->until && phone_composing_peer_sent (peer);
}
