/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Taking a call that rings at somebody else's phone, or that is parked. */

#include "core/registry.h"

#define PHONE_MAX_PICKUPS 16            /* under way at the same time */

typedef struct
{
  PhoneAccount *account;        /* NULL: the one whose domain fits the target, else the default one */
  const char *target;           /* whose call, as it would be dialled; NULL: any of the group's. A slot, if parked */
  gboolean parked;
} PhonePickupParams;

/* call: the one that takes it, borrowed; NULL with error. */
typedef void (*PhonePickedUp) (PhoneCall *call, const GError *error, gpointer data);

/* FALSE: error, and done is not called. Else it is, once, for some before this returns. */
gboolean phone_registry_pick_up (PhoneRegistry *registry, const PhonePickupParams *params, PhonePickedUp done, gpointer data, GError **error);
