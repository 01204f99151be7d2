/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An event descriptor that the main loop watches, rather than sources attached from elsewhere: all of GLib
 * stays on one thread, and the thread sanitizer sees the whole way of a message. */

#include "media/media-notify.h"

#include <glib-unix.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A device that fails again and again does not fill the memory of a busy main loop. */
#define MAX_WAITING 64

typedef struct
{
  guint code;
  char *text;
} Message;

struct _MediaNotify
{
  atomic_int references;
  int fd;
  GSource *source;              /* main thread, as func and data; NULL: closed */
  MediaNotifyFunc func;
  gpointer data;

  pthread_mutex_t lock;         /* of all below */
  Message waiting[MAX_WAITING];
  guint n_waiting;
};

static gboolean
take (MediaNotify *notify, Message *ret_message)
{
  gboolean have;

  pthread_mutex_lock (&notify->lock);
  have = notify->n_waiting > 0;
  if (have)
    {
      *ret_message = notify->waiting[0];
      notify->n_waiting--;
      for (guint i = 0; i < notify->n_waiting; i++)
        notify->waiting[i] = notify->waiting[i + 1];
    }
  pthread_mutex_unlock (&notify->lock);
  return have;
}

static gboolean
on_event (int fd, GIOCondition condition, gpointer data)
{
  MediaNotify *notify = media_notify_ref (data);        /* func may close it */
  eventfd_t count;
  Message message;

  eventfd_read (fd, &count);
  while (notify->source != NULL && take (notify, &message))
    {
      notify->func (notify->data, message.code, message.text);
      g_free (message.text);
    }
  media_notify_unref (notify);
  return G_SOURCE_CONTINUE;
}

MediaNotify *
media_notify_new (MediaNotifyFunc func, gpointer data)
{
  MediaNotify *notify = g_new0 (MediaNotify, 1);

  atomic_init (&notify->references, 1);
  notify->func = func;
  notify->data = data;
  pthread_mutex_init (&notify->lock, NULL);
  notify->fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (notify->fd < 0)
    g_error ("No descriptor for the threads of the media room to report by: %m");
  notify->source = g_unix_fd_source_new (notify->fd, G_IO_IN);
  g_source_set_callback (notify->source, G_SOURCE_FUNC (on_event), notify, NULL);
  g_source_attach (notify->source, g_main_context_get_thread_default ());
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
  close (notify->fd);
  g_free (notify);
}

void
media_notify_post (MediaNotify *notify, guint code, const char *text)
{
  pthread_mutex_lock (&notify->lock);
  if (notify->n_waiting < MAX_WAITING)
    notify->waiting[notify->n_waiting++] = (Message) { code, g_strdup (text) };
  pthread_mutex_unlock (&notify->lock);
  eventfd_write (notify->fd, 1);
}

void
media_notify_close (MediaNotify *notify)
{
  if (notify == NULL)
    return;
  g_source_destroy (notify->source);
  g_clear_pointer (&notify->source, g_source_unref);
  media_notify_unref (notify);
}
