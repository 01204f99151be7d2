/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much one peer, and all of them, may send: token buckets. Pure: times are monotonic us and arguments. */

#include <glib.h>

typedef struct _PhoneAllowance PhoneAllowance;

/* Each key: burst at once, then per_minute. The number of keys is limited: the one that was silent longest is forgotten. */
PhoneAllowance *phone_allowance_new (guint burst, guint per_minute, guint max_keys);
void phone_allowance_free (PhoneAllowance *allowance);          /* accepts NULL */
/* 0: it may; else the seconds until it may again, and nothing was taken. */
guint phone_allowance_take (PhoneAllowance *allowance, const char *key, gint64 now);
