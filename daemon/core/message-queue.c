/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/message-queue.h"

#include <string.h>

#include "util/backoff.h"

#define MAX_OUT 16              /* of all lanes */

typedef struct
{
  char *id, *account, *lane;
  gint64 due;
  gboolean out;
  PhoneBackoff backoff;
} Item;

struct _PhoneMessageQueue
{
  GQueue items;                 /* Item, in the order in which they came */
  GHashTable *by_id;            /* id -> its link */
  GHashTable *ready;            /* set of account ids */
  guint n_out;
};

/* ---- what an answer means ---- */

/* RFC 3261 section 20.33: the responses in which Retry-After says when the peer can be reached, and not only that it cannot. */
static gboolean
may_name_time (guint status)
{
  switch (status)
    {
    case 404:
    case 413:
    case 480:
    case 486:
    case 500:
    case 503:
    case 600:
    case 603:
      return TRUE;
    default:
      return FALSE;
    }
}

PhoneMessageVerdict
phone_message_judge (const PhoneMessageAnswer *answer)
{
  if (answer->status >= 200 && answer->status < 300)
    return PHONE_MESSAGE_TAKEN;
  /* RFC 3428 section 8: who hears nothing knows nothing. 408 and 504 of a server: it heard nothing from the next. */
  if (answer->status == 408 || answer->status == 504)
    return PHONE_MESSAGE_LOST_SIGHT;
  if (answer->local)
    return answer->status == 503 ? PHONE_MESSAGE_LATER : PHONE_MESSAGE_REFUSED;
  if (answer->status == 480 || answer->status == 500 || answer->status == 502 || answer->status == 503)
    return PHONE_MESSAGE_LATER;
  return answer->retry_after > 0 && may_name_time (answer->status) ? PHONE_MESSAGE_LATER : PHONE_MESSAGE_REFUSED;
}

/* ---- the items ---- */

static void
item_free (Item *item)
{
  g_free (item->id);
  g_free (item->account);
  g_free (item->lane);
  g_free (item);
}

PhoneMessageQueue *
phone_message_queue_new (void)
{
  PhoneMessageQueue *queue = g_new0 (PhoneMessageQueue, 1);

  g_queue_init (&queue->items);
  queue->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  queue->ready = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return queue;
}

void
phone_message_queue_free (PhoneMessageQueue *queue)
{
  if (!queue)
    return;
  g_hash_table_unref (queue->by_id);
  g_hash_table_unref (queue->ready);
  g_queue_clear_full (&queue->items, (GDestroyNotify) item_free);
  g_free (queue);
}

static Item *
find (PhoneMessageQueue *queue, const char *id)
{
  GList *link = g_hash_table_lookup (queue->by_id, id);

  return link ? link->data : NULL;
}

void
phone_message_queue_add (PhoneMessageQueue *queue, const char *id, const char *account, const char *lane)
{
  Item *item;

  if (find (queue, id))
    return;
  item = g_new0 (Item, 1);
  item->id = g_strdup (id);
  item->account = g_strdup (account);
  item->lane = g_strdup (lane);
  g_queue_push_tail (&queue->items, item);
  g_hash_table_insert (queue->by_id, item->id, queue->items.tail);
}

gboolean
phone_message_queue_remove (PhoneMessageQueue *queue, const char *id)
{
  GList *link = g_hash_table_lookup (queue->by_id, id);
  Item *item = link ? link->data : NULL;

  if (!item)
    return FALSE;
  if (item->out)
    queue->n_out--;
  g_hash_table_remove (queue->by_id, id);
  g_queue_delete_link (&queue->items, link);
  item_free (item);
  return TRUE;
}

gboolean
phone_message_queue_is_out (PhoneMessageQueue *queue, const char *id)
{
  const Item *item = find (queue, id);

  return item && item->out;
}

guint
phone_message_queue_get_length (PhoneMessageQueue *queue)
{
  return queue->items.length;
}

void
phone_message_queue_set_ready (PhoneMessageQueue *queue, const char *account, gboolean ready)
{
  if (!ready)
    g_hash_table_remove (queue->ready, account);
  else if (g_hash_table_add (queue->ready, g_strdup (account)))
    phone_message_queue_hurry (queue, account, NULL);
}

void
phone_message_queue_hurry (PhoneMessageQueue *queue, const char *account, const char *lane)
{
  for (GList *l = queue->items.head; l; l = l->next)
    {
      Item *item = l->data;

      if ((!account || g_str_equal (item->account, account)) && (!lane || g_str_equal (item->lane, lane)))
        {
          item->due = 0;
          phone_backoff_reset (&item->backoff);
        }
    }
}

/* ---- turns ---- */

typedef void (*HeadFunc) (Item *head, gpointer data);

/* Calls func for the first item of every lane. The keys are those of the lanes seen so far. */
static void
foreach_head (PhoneMessageQueue *queue, HeadFunc func, gpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (GList *l = queue->items.head; l; l = l->next)
    {
      Item *item = l->data;

      if (g_hash_table_contains (queue->ready, item->account) && g_hash_table_add (seen, g_strconcat (item->account, "\n", item->lane, NULL)))
        func (item, data);
    }
}

typedef struct
{
  gint64 now, wake;
  Item *chosen;
} Search;

static void
choose (Item *head, gpointer data)
{
  Search *search = data;

  if (!search->chosen && !head->out && head->due <= search->now)
    search->chosen = head;
}

const char *
phone_message_queue_next (PhoneMessageQueue *queue, gint64 now)
{
  Search search = { .now = now };

  if (queue->n_out >= MAX_OUT)
    return NULL;
  foreach_head (queue, choose, &search);
  if (!search.chosen)
    return NULL;
  search.chosen->out = TRUE;
  queue->n_out++;
  return search.chosen->id;
}

gint64
phone_message_queue_put_back (PhoneMessageQueue *queue, const char *id, guint retry_after, gint64 now, double random)
{
  Item *item = find (queue, id);

  if (!item || !item->out)
    return now;
  item->out = FALSE;
  queue->n_out--;
  item->due = now + (gint64) phone_backoff_fail (&item->backoff, TRUE, 0, random) * 1000;
  /* Whoever names a time knows it better. */
  if (retry_after)
    item->due = now + (gint64) MIN (retry_after, PHONE_BACKOFF_RETRY_AFTER_MAX) * G_USEC_PER_SEC;
  return item->due;
}

static void
take_earliest (Item *head, gpointer data)
{
  Search *search = data;

  if (!head->out && (search->wake < 0 || head->due < search->wake))
    search->wake = head->due;
}

gint64
phone_message_queue_wake (PhoneMessageQueue *queue, gint64 now)
{
  Search search = { .now = now, .wake = -1 };

  if (queue->n_out < MAX_OUT)
    foreach_head (queue, take_earliest, &search);
  return search.wake >= 0 ? MAX (search.wake, now) : -1;
}
