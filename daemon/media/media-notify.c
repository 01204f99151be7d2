/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-notify.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_WAITING 64          /* a device that fails again and again does not fill the memory of a busy main loop */

typedef struct
{
  guint code;
  char *text;
} Message;

struct _MediaNotify
{
  atomic_int references;
  GMainContext *context;
  MediaNotifyFunc func;         /* NULL: closed; main thread */
  gpointer data;

  pthread_mutex_t lock;         /* of all below */
  Message waiting[MAX_WAITING];
  guint n_waiting;
};

MediaNotify *
media_notify_new (MediaNotifyFunc func, gpointer data)
{
  MediaNotify *notify = g_new0 (MediaNotify, 1);

  atomic_init (&notify->references, 1);
  notify->context = g_main_context_ref_thread_default ();
  notify->func = func;
  notify->data = data;
  pthread_mutex_init (&notify->lock, NULL);
  return notify;
}

MediaNotify *
media_notify_ref (MediaNotify *notify)
{
  atomic_fetch_add (&notify->references, 1);
  return notify;
}

void
media_notify_unref (MediaNotify *notify)
{
  if (notify == NULL || atomic_fetch_sub (&notify->references, 1) > 1)
    return;
  for (guint i = 0; i < notify->n_waiting; i++)
    g_free (notify->waiting[i].text);
  pthread_mutex_destroy (&notify->lock);
  g_main_context_unref (notify->context);
  g_free (notify);
}

static gboolean
on_idle (gpointer data)
{
  MediaNotify *notify = data;
  Message message = { 0, NULL };
  gboolean have;

  pthread_mutex_lock (&notify->lock);
  have = notify->n_waiting > 0;
  if (have)
    {
      message = notify->waiting[0];
      notify->n_waiting--;
      for (guint i = 0; i < notify->n_waiting; i++)
        notify->waiting[i] = notify->waiting[i + 1];
    }
  pthread_mutex_unlock (&notify->lock);

  if (have && notify->func != NULL)
    notify->func (notify->data, message.code, message.text);
  g_free (message.text);
  return G_SOURCE_REMOVE;
}

static void
on_source_gone (gpointer data)
{
  media_notify_unref (data);
}

void
media_notify_post (MediaNotify *notify, guint code, const char *text)
{
  GSource *source;
  gboolean room;

  pthread_mutex_lock (&notify->lock);
  room = notify->n_waiting < MAX_WAITING;
  if (room)
    notify->waiting[notify->n_waiting++] = (Message) { code, g_strdup (text) };
  pthread_mutex_unlock (&notify->lock);
  if (!room)
    return;

  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_idle, media_notify_ref (notify), on_source_gone);
  g_source_attach (source, notify->context);
  g_source_unref (source);
}

void
media_notify_close (MediaNotify *notify)
{
  if (notify == NULL)
    return;
  notify->func = NULL;
  media_notify_unref (notify);
}
