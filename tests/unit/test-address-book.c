/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cards come, change and go while it runs, in folders that are there, come later, or are links. */

#include "address-book.h"

#include <unistd.h>

#include <glib/gstdio.h>

#define PATIENCE_S 30
#define CARD(name) "BEGIN:VCARD\nFN:" name "\nTEL:+49301234567\nEND:VCARD\n"

/* What reads the files, as the linker has it: it may be held up when it has read, but has not told yet. */
static struct
{
  GMutex mutex;
  GCond cond;
  gboolean hold, held;
} reader;

PhoneContacts *__real_phone_config_load_contacts (const PhoneConfigDirs *dirs, GPtrArray *problems);
PhoneContacts *__wrap_phone_config_load_contacts (const PhoneConfigDirs *dirs, GPtrArray *problems);

PhoneContacts *
__wrap_phone_config_load_contacts (const PhoneConfigDirs *dirs, GPtrArray *problems)
{
  PhoneContacts *contacts = __real_phone_config_load_contacts (dirs, problems);

  g_mutex_lock (&reader.mutex);
  while (reader.hold)
    {
      reader.held = TRUE;
      g_cond_broadcast (&reader.cond);
      g_cond_wait (&reader.cond, &reader.mutex);
    }
  g_mutex_unlock (&reader.mutex);
  return contacts;
}

typedef struct
{
  char *root;
  PhoneConfigDirs *dirs;
  AddressBook *book;
  PhoneContacts *contacts;
  GPtrArray *problems;
  guint reads;
  gboolean late;
} Fixture;

static char *
path_of (Fixture *f, const char *name)
{
  return g_build_filename (f->root, name, NULL);
}

static void
on_contacts (PhoneContacts *contacts, GPtrArray *problems, gpointer data)
{
  Fixture *f = data;

  phone_contacts_unref (f->contacts);
  g_clear_pointer (&f->problems, g_ptr_array_unref);
  f->contacts = contacts;
  f->problems = problems;
  f->reads++;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *user = NULL, *system = NULL;

  f->root = g_dir_make_tmp ("phoned-book-XXXXXX", NULL);
  user = path_of (f, "home/config/phoned");
  system = path_of (f, "etc");
  f->dirs = phone_config_dirs_new_for (user, system, user, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  const char *argv[] = { "rm", "-r", f->root, NULL };

  address_book_free (f->book);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  phone_contacts_unref (f->contacts);
  g_clear_pointer (&f->problems, g_ptr_array_unref);
  phone_config_dirs_free (f->dirs);
  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  g_free (f->root);
}

static void
start (Fixture *f)
{
  f->book = address_book_new (f->dirs, on_contacts, f);
  address_book_read (f->book);
  g_assert_cmpuint (f->reads, ==, 1);
}

static void
make_folder (Fixture *f, const char *name)
{
  g_autofree char *path = path_of (f, name);

  g_assert_cmpint (g_mkdir_with_parents (path, 0755), ==, 0);
}

/* As an editor does: beside it, then over it. */
static void
put (Fixture *f, const char *name, const char *content)
{
  g_autofree char *path = path_of (f, name);

  g_assert_true (g_file_set_contents (path, content, -1, NULL));
}

static gboolean
on_late (gpointer data)
{
  ((Fixture *) data)->late = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean on_tick (gpointer data) { return G_SOURCE_CONTINUE; }

static void
wait_name (Fixture *f, const char *name)
{
  guint patience = g_timeout_add_seconds (PATIENCE_S, on_late, f);

  while (!f->late && g_strcmp0 (phone_contacts_name (f->contacts, "tel:+49301234567"), name) != 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpstr (phone_contacts_name (f->contacts, "tel:+49301234567"), ==, name);
  g_source_remove (patience);
}

static gboolean
on_over (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Time for what should not come: three times that of a synchronization. On a busy machine it may come later still, and nobody notices. */
static void
idle (void)
{
  gboolean over = FALSE;

  g_timeout_add (1000, on_over, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

static void
hold_reader (gboolean hold)
{
  g_mutex_lock (&reader.mutex);
  reader.hold = hold;
  reader.held = FALSE;
  g_cond_broadcast (&reader.cond);
  g_mutex_unlock (&reader.mutex);
}

static gboolean
is_held (void)
{
  gboolean held;

  g_mutex_lock (&reader.mutex);
  held = reader.held;
  g_mutex_unlock (&reader.mutex);
  return held;
}

/* What changes while it is read is not in what was read: one more look, and one at a time. */
static void
test_change_in_between (Fixture *f, gconstpointer data)
{
  guint tick = g_timeout_add (20, on_tick, NULL);

  make_folder (f, "home/config/phoned/contacts.d");
  start (f);
  hold_reader (TRUE);
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Early"));
  while (!is_held ())
    g_main_context_iteration (NULL, TRUE);
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Later"));
  idle ();
  g_assert_cmpuint (f->reads, ==, 1);
  hold_reader (FALSE);
  wait_name (f, "Early");
  wait_name (f, "Later");
  g_assert_cmpuint (f->reads, ==, 3);
  g_source_remove (tick);
}

/* A card counts when it is closed, and only what is one: nobody reads half of it, nor because of a picture beside it. */
static void
test_what_is_left_alone (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, "home/config/phoned/contacts.d/slow.vcf");
  FILE *file;

  make_folder (f, "home/config/phoned/contacts.d");
  put (f, "home/config/phoned/contacts.d/slow.vcf", CARD ("Old"));
  start (f);
  put (f, "home/config/phoned/contacts.d/picture.png", "PNG");
  put (f, "home/config/phoned/contacts.d/a.vcf.part", CARD ("Part"));
  idle ();
  g_assert_cmpuint (f->reads, ==, 1);
  file = g_fopen (path, "w");
  fputs ("BEGIN:VCARD\nFN:Slow\n", file);
  fflush (file);
  idle ();
  g_assert_cmpuint (f->reads, ==, 1);
  fputs ("TEL:+49301234567\nEND:VCARD\n", file);
  fclose (file);
  wait_name (f, "Slow");
  g_assert_cmpuint (f->problems->len, ==, 0);
}

static void
test_life (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, "home/config/phoned/contacts.d/a.vcf"), *other = path_of (f, "home/config/phoned/contacts.d/a.old");
  FILE *file;

  make_folder (f, "home/config/phoned/contacts.d");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("First"));
  start (f);
  wait_name (f, "First");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Second"));
  wait_name (f, "Second");
  /* in place */
  file = g_fopen (path, "w");
  fputs (CARD ("Third"), file);
  fclose (file);
  wait_name (f, "Third");
  g_assert_cmpint (g_rename (path, other), ==, 0);
  wait_name (f, "");
  g_assert_cmpint (g_rename (other, path), ==, 0);
  wait_name (f, "Third");
  put (f, "home/config/phoned/contacts.d/b.vcf", "BEGIN:VCARD\nFN:Half\n");
  while (f->problems->len == 0)
    g_main_context_iteration (NULL, TRUE);
  wait_name (f, "Third");
  g_assert_cmpint (g_unlink (path), ==, 0);
  wait_name (f, "");
}

/* None of its parents is there; it goes away with everything and comes back. */
static void
test_awaited (Fixture *f, gconstpointer data)
{
  g_autofree char *path = path_of (f, "home/config/phoned/contacts.d/a.vcf"), *folder = path_of (f, "home/config/phoned/contacts.d");

  start (f);
  make_folder (f, "home");
  make_folder (f, "home/config/phoned/contacts.d");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Late"));
  wait_name (f, "Late");
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  wait_name (f, "");
  make_folder (f, "home/config/phoned/contacts.d");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Again"));
  wait_name (f, "Again");
  /* the administrator's comes later still, and the user's goes before it */
  make_folder (f, "etc/contacts.d");
  put (f, "etc/contacts.d/office.vcf", CARD ("Office"));
  while (phone_contacts_count (f->contacts) < 2)
    g_main_context_iteration (NULL, TRUE);
  wait_name (f, "Again");
}

static void
test_link (Fixture *f, gconstpointer data)
{
  g_autofree char *target = path_of (f, "elsewhere"), *link = path_of (f, "home/config/phoned/contacts.d");

  make_folder (f, "elsewhere");
  make_folder (f, "home/config/phoned");
  g_assert_cmpint (symlink (target, link), ==, 0);
  start (f);
  wait_name (f, "");
  put (f, "elsewhere/a.vcf", CARD ("Linked"));
  wait_name (f, "Linked");
}

/* It points to another folder now, and the old one goes: what is watched was the folder, not the link. */
static void
test_link_moves (Fixture *f, gconstpointer data)
{
  g_autofree char *target = path_of (f, "old"), *next = path_of (f, "new"), *link = path_of (f, "home/config/phoned/contacts.d");
  g_autofree char *fresh = path_of (f, "home/config/phoned/fresh");

  make_folder (f, "old");
  make_folder (f, "new");
  make_folder (f, "home/config/phoned");
  g_assert_cmpint (symlink (target, link), ==, 0);
  start (f);
  put (f, "new/a.vcf", CARD ("Moved"));
  g_assert_cmpint (symlink (next, fresh), ==, 0);
  g_assert_cmpint (g_rename (fresh, link), ==, 0);
  g_assert_cmpint (g_rmdir (target), ==, 0);
  wait_name (f, "Moved");
  put (f, "new/a.vcf", CARD ("There"));
  wait_name (f, "There");
}

/* It may be freed or asked again in the middle; what was read for the older question is not heard of any more. */
static void
test_cut_off (Fixture *f, gconstpointer data)
{
  guint reads;

  make_folder (f, "home/config/phoned/contacts.d");
  start (f);
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Soon"));
  wait_name (f, "Soon");
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Sooner"));
  address_book_read (f->book);
  g_assert_cmpstr (phone_contacts_name (f->contacts, "tel:+49301234567"), ==, "Sooner");
  reads = f->reads;
  put (f, "home/config/phoned/contacts.d/a.vcf", CARD ("Never"));
  g_main_context_iteration (NULL, FALSE);
  g_clear_pointer (&f->book, address_book_free);
  g_assert_cmpuint (f->reads, ==, reads);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/address-book/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("life", test_life);
  ADD ("awaited", test_awaited);
  ADD ("link", test_link);
  ADD ("link-moves", test_link_moves);
  ADD ("cut-off", test_cut_off);
  ADD ("change-in-between", test_change_in_between);
  ADD ("what-is-left-alone", test_what_is_left_alone);
  return g_test_run ();
}
