/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A folder that is not there is awaited: what is watched then is the nearest one above it that is there, for the next step down to appear. GLib
 * would look for it every four seconds, for ever. */

#include "address-book.h"

#include <gio/gio.h>
#include <stdlib.h>

#include "util/log.h"

#define SETTLE_MS 300                   /* a synchronization writes many files: one look at all of them */
#define N_PLACES 2

typedef struct
{
  AddressBook *book;
  char *folder;                 /* as configured; may be a link, may be missing */
  GFileMonitor *monitor;        /* NULL: nothing can be watched */
  char *watched;                /* the real path of what is watched */
  char *awaited;                /* what has to appear in it; NULL: it is the folder */
  gboolean gone;                /* what was watched went away */
} Place;

struct _AddressBook
{
  PhoneConfigDirs *dirs;
  AddressBookRead read;
  gpointer data;
  Place places[N_PLACES];
  GCancellable *reading;        /* NULL: nothing is being read */
  guint settle;
  gboolean again;               /* something changed while it was read */
};

typedef struct
{
  PhoneContacts *contacts;
  GPtrArray *problems;
} Result;

static void
result_free (gpointer data)
{
  Result *result = data;

  phone_contacts_unref (result->contacts);
  g_clear_pointer (&result->problems, g_ptr_array_unref);
  g_free (result);
}

static Result *
read_all (const PhoneConfigDirs *dirs)
{
  Result *result = g_new (Result, 1);

  result->problems = g_ptr_array_new_with_free_func (g_free);
  result->contacts = phone_config_load_contacts (dirs, result->problems);
  return result;
}

static void
hand_over (AddressBook *self, Result *result)
{
  self->read (g_steal_pointer (&result->contacts), g_steal_pointer (&result->problems), self->data);
  result_free (result);
}

/* ---- reading beside the main loop ---- */

static void settle_later (AddressBook *self);

static void
read_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, read_all (data), result_free);
}

static void
on_read (GObject *source, GAsyncResult *async, gpointer data)
{
  Result *result = g_task_propagate_pointer (G_TASK (async), NULL);
  AddressBook *self = data;

  /* Cancelled: self may be gone. */
  if (!result)
    return;
  g_clear_object (&self->reading);
  hand_over (self, result);
  if (self->again)
    settle_later (self);
}

static void
start_reading (AddressBook *self)
{
  const PhoneConfigDirs *dirs = self->dirs;
  g_autoptr (GTask) task = NULL;

  self->again = self->reading != NULL;
  if (self->reading)
    return;
  self->reading = g_cancellable_new ();
  task = g_task_new (NULL, self->reading, on_read, self);
  g_task_set_task_data (task, phone_config_dirs_new_for (dirs->user, dirs->system, dirs->state, dirs->credentials),
                        (GDestroyNotify) phone_config_dirs_free);
  g_task_run_in_thread (task, read_in_thread);
}

static void
stop_reading (AddressBook *self)
{
  if (self->reading)
    g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
  self->again = FALSE;
}

void
address_book_read (AddressBook *self)
{
  stop_reading (self);
  hand_over (self, read_all (self->dirs));
}

/* ---- watching ---- */

static void on_event (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, Place *place);

static void
place_disarm (Place *place)
{
  if (place->monitor)
    {
      g_signal_handlers_disconnect_by_data (place->monitor, place);
      g_file_monitor_cancel (place->monitor);
    }
  g_clear_object (&place->monitor);
  g_clear_pointer (&place->watched, g_free);
  g_clear_pointer (&place->awaited, g_free);
  place->gone = FALSE;
}

/* The folder, or the nearest above it that is there. */
static void
place_find (Place *place)
{
  g_autofree char *path = g_strdup (place->folder), *next = NULL;
  char *real, *parent;

  while (!g_file_test (path, G_FILE_TEST_IS_DIR) && !g_str_equal (path, "/"))
    {
      g_free (next);
      next = g_path_get_basename (path);
      parent = g_path_get_dirname (path);
      g_free (path);
      path = parent;
    }
  real = realpath (path, NULL);
  place->watched = g_strdup (real ? real : path);
  free (real);
  place->awaited = next ? g_build_filename (place->watched, next, NULL) : NULL;
}

static void
place_arm (Place *place)
{
  /* What is awaited may have come in the meantime. */
  do
    {
      g_autoptr (GFile) file = NULL;
      g_autoptr (GError) error = NULL;

      place_disarm (place);
      place_find (place);
      file = g_file_new_for_path (place->watched);
      place->monitor = g_file_monitor_directory (file, G_FILE_MONITOR_WATCH_MOVES, NULL, &error);
      if (place->monitor)
        g_signal_connect (place->monitor, "changed", G_CALLBACK (on_event), place);
      else
        phone_log_warning (NULL, "%s cannot be watched: %s", place->folder, error->message);
    }
  while (place->monitor && place->awaited && g_file_test (place->awaited, G_FILE_TEST_IS_DIR));
}

static gboolean
on_settled (gpointer data)
{
  AddressBook *self = data;

  self->settle = 0;
  for (gsize i = 0; i < N_PLACES; i++)
    if (self->places[i].awaited || self->places[i].gone)
      place_arm (&self->places[i]);
  start_reading (self);
  return G_SOURCE_REMOVE;
}

static void
settle_later (AddressBook *self)
{
  if (!self->settle)
    self->settle = g_timeout_add (SETTLE_MS, on_settled, self);
}

static gboolean
concerns (const Place *place, GFile *file)
{
  g_autofree char *path = file ? g_file_get_path (file) : NULL;

  return path && (place->awaited ? g_str_equal (path, place->awaited) : g_str_has_suffix (path, ".vcf"));
}

/* A file that is being written counts when it is closed; a folder that appears is whole. */
static void
on_event (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, Place *place)
{
  g_autofree char *path = g_file_get_path (file);

  if (g_strcmp0 (path, place->watched) == 0 && !g_file_test (place->watched, G_FILE_TEST_IS_DIR))
    place->gone = TRUE;
  if (event == G_FILE_MONITOR_EVENT_CHANGED || (event == G_FILE_MONITOR_EVENT_CREATED && !place->awaited))
    return;
  if (place->gone || concerns (place, file) || concerns (place, other))
    settle_later (place->book);
}

/* ---- life ---- */

AddressBook *
address_book_new (const PhoneConfigDirs *dirs, AddressBookRead read, gpointer data)
{
  AddressBook *self = g_new0 (AddressBook, 1);

  self->dirs = phone_config_dirs_new_for (dirs->user, dirs->system, dirs->state, dirs->credentials);
  self->read = read;
  self->data = data;
  self->places[0].folder = g_build_filename (dirs->system, "contacts.d", NULL);
  self->places[1].folder = g_build_filename (dirs->user, "contacts.d", NULL);
  for (gsize i = 0; i < N_PLACES; i++)
    {
      self->places[i].book = self;
      place_arm (&self->places[i]);
    }
  return self;
}

void
address_book_free (AddressBook *self)
{
  if (!self)
    return;
  stop_reading (self);
  g_clear_handle_id (&self->settle, g_source_remove);
  for (gsize i = 0; i < N_PLACES; i++)
    {
      place_disarm (&self->places[i]);
      g_free (self->places[i].folder);
    }
  phone_config_dirs_free (self->dirs);
  g_free (self);
}
