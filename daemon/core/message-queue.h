/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When which message goes out, and what the answer to it means. Pure: no clock, no disk, no network; times are monotonic us and arguments.
 *
 * An item stands in the lane of its account and peer. Lanes know nothing of each other; in a lane there is order, and one item at a time is
 * out:
 *
 *   WAITING --account ready, its turn, due--> (phone_message_queue_next) OUT --2xx, final refusal--> gone
 *      ^                                                                 |
 *      +------------- the server says later, or never had it ------------+ */

#include "core/message.h"

typedef struct _PhoneMessageQueue PhoneMessageQueue;

typedef enum
{
  PHONE_MESSAGE_TAKEN,          /* 2xx */
  PHONE_MESSAGE_LATER,          /* the peer has not got it, and may get it later */
  PHONE_MESSAGE_REFUSED,        /* it has not got it, and will not */
  PHONE_MESSAGE_LOST_SIGHT,     /* it may have got it: another attempt could be a second copy */
} PhoneMessageVerdict;

/* status: of the final response. local: no server said that; the stack did. retry_after: s, 0: none. */
typedef struct
{
  guint status;
  gboolean local;
  guint retry_after;
} PhoneMessageAnswer;

PhoneMessageVerdict phone_message_judge (const PhoneMessageAnswer *answer);

PhoneMessageQueue *phone_message_queue_new (void);
void phone_message_queue_free (PhoneMessageQueue *queue);       /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneMessageQueue, phone_message_queue_free)

/* At the end of its lane. */
void phone_message_queue_add (PhoneMessageQueue *queue, const char *id, const char *account, const char *lane);
gboolean phone_message_queue_remove (PhoneMessageQueue *queue, const char *id);         /* FALSE: it is not there */
gboolean phone_message_queue_is_out (PhoneMessageQueue *queue, const char *id);
guint phone_message_queue_get_length (PhoneMessageQueue *queue);
/* No message of an account goes out before it is ready. */
void phone_message_queue_set_ready (PhoneMessageQueue *queue, const char *account, gboolean ready);
/* What waits for its time does not any more: the user asks for it, or the peer has shown life. NULL: any. */
void phone_message_queue_hurry (PhoneMessageQueue *queue, const char *account, const char *lane);
/* The id of an item that is to go out now; it is OUT from here on. NULL: none. Borrowed until it is removed. */
const char *phone_message_queue_next (PhoneMessageQueue *queue, gint64 now);
/* Back to WAITING, at the head of its lane. retry_after: s, 0: none named. random: 0 <= random < 1. Returns the time of the next attempt. */
gint64 phone_message_queue_put_back (PhoneMessageQueue *queue, const char *id, guint retry_after, gint64 now, double random);
/* When phone_message_queue_next() has something again if nothing else happens; -1: never. */
gint64 phone_message_queue_wake (PhoneMessageQueue *queue, gint64 now);
