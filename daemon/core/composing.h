/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who is writing to whom just now (RFC 3994), as two small state machines. Pure: times are monotonic us and arguments.
 *
 *   ours    IDLE --a key--> ACTIVE --no key for 15 s--> IDLE (said), --sent--> IDLE (not said: the message itself says it)
 *           while ACTIVE it is said again a little before the refresh interval is over
 *   theirs  IDLE --active--> ACTIVE --idle, a message, no refresh in time--> IDLE */

#include <glib.h>

#define PHONE_COMPOSING_IDLE_S 15               /* RFC 3994 section 3.2 */
#define PHONE_COMPOSING_REFRESH_S 120           /* section 3.3; also that of documents which do not name one */
#define PHONE_COMPOSING_MAX_REFRESH_S 3600

typedef enum
{
  PHONE_COMPOSING_NOTHING,
  PHONE_COMPOSING_SAY_ACTIVE,
  PHONE_COMPOSING_SAY_IDLE,
} PhoneComposingAction;

typedef struct
{
  gboolean active;
  gint64 touched, said;
} PhoneComposer;

PhoneComposingAction phone_composer_touch (PhoneComposer *composer, gint64 now);        /* the user writes */
PhoneComposingAction phone_composer_stop (PhoneComposer *composer);                     /* and does so no longer */
void phone_composer_sent (PhoneComposer *composer);
PhoneComposingAction phone_composer_tick (PhoneComposer *composer, gint64 now);
gint64 phone_composer_wake (const PhoneComposer *composer);                             /* of the next tick; -1: none needed */

typedef struct
{
  gboolean active;
  gint64 until;
} PhoneComposingPeer;

/* refresh: s, 0: not named. All three: TRUE when the state is another one now. */
gboolean phone_composing_peer_said (PhoneComposingPeer *peer, gboolean active, guint refresh, gint64 now);
gboolean phone_composing_peer_sent (PhoneComposingPeer *peer);
gboolean phone_composing_peer_tick (PhoneComposingPeer *peer, gint64 now);
