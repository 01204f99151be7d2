/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long to wait before the next attempt to register: RFC 5626 section 4.5.
 *
 *   W = min (max-time, base-time * 2 ^ consecutive-failures),   the wait is uniform in 50..100 % of W
 *
 * base-time is 30 s when every flow of the account has failed, 90 s when another one still works; max-time is 1800 s. So the first failure
 * of a phone with one flow waits 30..60 s. A Retry-After of the server is a floor. Pure: the random number is an argument. */

#include <glib.h>

#define PHONE_BACKOFF_BASE_ALL_FAILED 30        /* s */
#define PHONE_BACKOFF_BASE_OTHERS_WORK 90       /* s */
#define PHONE_BACKOFF_MAX 1800                  /* s */
#define PHONE_BACKOFF_RETRY_AFTER_MAX 86400     /* s: more than a day is taken for a mistake of the server */

typedef struct
{
  guint failures;               /* consecutive; 0: the last attempt succeeded or there was none */
} PhoneBackoff;

/* One more failure: counts it and returns the wait in ms. retry_after: s, 0 if the server named none. random: 0 <= random < 1. */
guint phone_backoff_fail (PhoneBackoff *backoff, gboolean all_flows_failed, guint retry_after, double random);
/* The flow works (RFC 5626: after it has been up long enough), or the user asked for an attempt now. */
void phone_backoff_reset (PhoneBackoff *backoff);

/* The distance between two times of something that others can make us do: 3 s after the first time, twice as long after each one, at most
 * PHONE_BACKOFF_MAX. When it was not wanted for a good while it begins anew. Pure. */
#define PHONE_PACE_FIRST_MS 3000
#define PHONE_PACE_QUIET_MS 60000       /* beyond twice the distance */

typedef struct
{
  gint64 last;                  /* us, monotonic; 0: never */
  guint ms;
} PhonePace;

guint phone_pace_wait (const PhonePace *pace, gint64 now);      /* ms from now; 0: now */
void phone_pace_take (PhonePace *pace, gint64 now);             /* it is done now */
