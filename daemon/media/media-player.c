/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-player.h"

#include <pthread.h>
#include <string.h>

#include "media/media-file.h"
#include "media/media-thread.h"

typedef struct
{
  char *path;
  MediaFileInput *input;
} Item;

struct _MediaPlayer
{
  MediaTaps *taps;
  MediaPlayerEnded ended;
  gpointer ended_data;
  gboolean on;                          /* main thread: our source is on the taps */

  pthread_mutex_t lock;
  GQueue queue, over;                   /* of Item; over: to be told and freed by the main thread */
};

static void
item_free (gpointer data)
{
  Item *item = data;

  media_file_input_free (item->input);
  g_free (item->path);
  g_free (item);
}

static gboolean
on_source (gpointer data, gint16 *frame, gboolean *ret_only)
{
  MediaPlayer *player = data;
  gboolean told = FALSE;

  *ret_only = TRUE;
  pthread_mutex_lock (&player->lock);
  while (player->queue.length > 0 && media_file_input_is_over (((Item *) player->queue.head->data)->input))
    {
      g_queue_push_tail_link (&player->over, g_queue_pop_head_link (&player->queue));
      told = TRUE;
    }
  gboolean playing = player->queue.length > 0;
  if (playing && !media_file_input_read (((Item *) player->queue.head->data)->input, frame))
    memset (frame, 0, MEDIA_FRAME * sizeof *frame);     /* the disk is slow */
  pthread_mutex_unlock (&player->lock);
  if (told)
    player->ended (player->ended_data);
  return playing;
}

MediaPlayer *
media_player_new (MediaTaps *taps, MediaPlayerEnded ended, gpointer data)
{
  MediaPlayer *player = g_new0 (MediaPlayer, 1);

  player->taps = taps;
  player->ended = ended;
  player->ended_data = data;
  media_mutex_init (&player->lock);
  return player;
}

void
media_player_free (MediaPlayer *player)
{
  if (player == NULL)
    return;
  media_taps_remove (player->taps, player);
  g_queue_clear_full (&player->queue, item_free);
  g_queue_clear_full (&player->over, item_free);
  pthread_mutex_destroy (&player->lock);
  g_free (player);
}

gboolean
media_player_add (MediaPlayer *player, const char *path, GError **error)
{
  MediaFileInput *input;
  Item *item;

  pthread_mutex_lock (&player->lock);
  guint n = player->queue.length;
  pthread_mutex_unlock (&player->lock);
  if (n >= MEDIA_PLAYER_MAX)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "%d files wait to be played already", MEDIA_PLAYER_MAX);
      return FALSE;
    }
  input = media_file_input_new_once (path, error);
  if (input == NULL)
    return FALSE;
  item = g_new (Item, 1);
  *item = (Item) { g_strdup (path), input };
  pthread_mutex_lock (&player->lock);
  g_queue_push_tail (&player->queue, item);
  pthread_mutex_unlock (&player->lock);
  if (!player->on)
    media_taps_add_source (player->taps, on_source, player);
  player->on = TRUE;
  return TRUE;
}

void
media_player_clear (MediaPlayer *player)
{
  GQueue gone;

  pthread_mutex_lock (&player->lock);
  gone = player->queue;
  g_queue_init (&player->queue);
  pthread_mutex_unlock (&player->lock);
  g_queue_clear_full (&gone, item_free);
}

char *
media_player_take_ended (MediaPlayer *player)
{
  char *path;
  Item *item;

  pthread_mutex_lock (&player->lock);
  item = g_queue_pop_head (&player->over);
  pthread_mutex_unlock (&player->lock);
  if (item == NULL)
    return NULL;
  path = g_steal_pointer (&item->path);
  item_free (item);
  return path;
}
