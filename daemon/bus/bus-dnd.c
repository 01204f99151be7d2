/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Dnd: properties only. */

#include "bus/bus-private.h"

#include <string.h>

#define MAX_ITEMS 1000

static PhoneDnd *
dnd_of (Bus *self)
{
  return phone_registry_get_dnd (self->registry);
}

/* ---- reading ---- */

/* A window of the schedule may be a whole calendar, longer than other texts are let be. */
static int
append_list (sd_bus_message *reply, const char *const *items)
{
  int r = sd_bus_message_open_container (reply, 'a', "s");

  for (gsize i = 0; r >= 0 && items[i]; i++)
    r = sd_bus_message_append_basic (reply, 's', items[i]);
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

BUS_GETTER (get_enabled, Bus, sd_bus_message_append (reply, "b", (int) phone_dnd_get_enabled (dnd_of (self))))
BUS_GETTER (get_active, Bus, sd_bus_message_append (reply, "b", (int) phone_dnd_is_active (dnd_of (self))))
BUS_GETTER (get_cause, Bus, sd_bus_message_append (reply, "s", phone_dnd_get_cause (dnd_of (self))))
BUS_GETTER (get_next_change, Bus, sd_bus_message_append (reply, "t", (guint64) phone_dnd_get_next_change (dnd_of (self))))
BUS_GETTER (get_mode, Bus, sd_bus_message_append (reply, "s", phone_dnd_mode_to_string (phone_dnd_get_mode (dnd_of (self)))))
BUS_GETTER (get_until, Bus, sd_bus_message_append (reply, "t", (guint64) phone_dnd_get_until (dnd_of (self))))
BUS_GETTER (get_schedule, Bus, append_list (reply, phone_dnd_get_schedule (dnd_of (self))))
BUS_GETTER (get_allow_list, Bus, append_list (reply, phone_dnd_get_allow_list (dnd_of (self))))
BUS_GETTER (get_accounts, Bus, append_list (reply, phone_dnd_get_accounts (dnd_of (self))))
BUS_GETTER (get_repeat, Bus, sd_bus_message_append (reply, "u", (guint32) phone_dnd_get_repeat (dnd_of (self))))
BUS_GETTER (get_follow, Bus, sd_bus_message_append (reply, "b", (int) phone_dnd_get_follow_desktop (dnd_of (self))))
BUS_GETTER (get_mailbox, Bus, bus_append_text (reply, phone_dnd_get_mailbox (dnd_of (self))))

/* ---- writing ---- */

#define SETTER(name) \
  static int name (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data, \
                   sd_bus_error *ret_error)

typedef gboolean (*SetBool) (PhoneDnd *dnd, gboolean on, GError **error);

static int
set_bool (Bus *self, sd_bus_message *value, sd_bus_error *ret_error, SetBool set)
{
  g_autoptr (GError) error = NULL;
  int on, r = sd_bus_message_read (value, "b", &on);

  if (r < 0)
    return r;
  return set (dnd_of (self), on, &error) ? 0 : bus_error_set (ret_error, error);
}

SETTER (set_enabled) { return set_bool (data, value, ret_error, phone_dnd_set_enabled); }
SETTER (set_follow) { return set_bool (data, value, ret_error, phone_dnd_set_follow_desktop); }

SETTER (set_mode)
{
  g_autoptr (GError) error = NULL;
  PhoneDndMode mode;
  const char *word;
  int r = sd_bus_message_read (value, "s", &word);

  if (r < 0)
    return r;
  if (!phone_dnd_mode_from_string (word, &mode))
    error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The mode is silent, busy or voicemail");
  else
    phone_dnd_set_mode (dnd_of (data), mode, &error);
  return error ? bus_error_set (ret_error, error) : 0;
}

SETTER (set_until)
{
  g_autoptr (GError) error = NULL;
  guint64 until;
  int r = sd_bus_message_read (value, "t", &until);

  if (r < 0)
    return r;
  return phone_dnd_set_until (dnd_of (data), (gint64) MIN (until, (guint64) G_MAXINT32 * 64), &error) ? 0 : bus_error_set (ret_error, error);
}

SETTER (set_repeat)
{
  g_autoptr (GError) error = NULL;
  guint32 minutes;
  int r = sd_bus_message_read (value, "u", &minutes);

  if (r < 0)
    return r;
  return phone_dnd_set_repeat (dnd_of (data), minutes, &error) ? 0 : bus_error_set (ret_error, error);
}

SETTER (set_mailbox)
{
  g_autoptr (GError) error = NULL;
  const char *uri;
  int r = sd_bus_message_read (value, "s", &uri);

  if (r < 0)
    return r;
  return phone_dnd_set_mailbox (dnd_of (data), uri, &error) ? 0 : bus_error_set (ret_error, error);
}

typedef gboolean (*SetList) (PhoneDnd *dnd, const char *const *items, GError **error);

static int
set_list (Bus *self, sd_bus_message *value, sd_bus_error *ret_error, SetList set)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  const char *item;
  int r = sd_bus_message_enter_container (value, 'a', "s");

  while (r >= 0 && (r = sd_bus_message_read_basic (value, 's', &item)) > 0)
    if (items->len < MAX_ITEMS)
      g_ptr_array_add (items, (gpointer) item);
    else if (!error)
      g_set_error (&error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "More than %d items", MAX_ITEMS);
  if (r >= 0)
    r = sd_bus_message_exit_container (value);
  if (r < 0)
    return r;
  g_ptr_array_add (items, NULL);
  if (!error)
    set (dnd_of (self), (const char *const *) items->pdata, &error);
  return error ? bus_error_set (ret_error, error) : 0;
}

SETTER (set_schedule) { return set_list (data, value, ret_error, phone_dnd_set_schedule); }
SETTER (set_allow_list) { return set_list (data, value, ret_error, phone_dnd_set_allow_list); }
SETTER (set_accounts) { return set_list (data, value, ret_error, phone_dnd_set_accounts); }

/* ---- the interface ---- */

void
bus_dnd_changed_properties (guint mask, GPtrArray *ret_names)
{
  static const char *const settings[] = { "Enabled", "Mode", "Until", "Schedule", "AllowList", "Accounts", "RepeatMinutes", "FollowDesktop",
                                          "Mailbox" };
  static const char *const active[] = { "Active", "Cause", "NextChange" };

  for (gsize i = 0; mask & PHONE_DND_SETTINGS && i < G_N_ELEMENTS (settings); i++)
    g_ptr_array_add (ret_names, (char *) settings[i]);
  for (gsize i = 0; mask & PHONE_DND_ACTIVE && i < G_N_ELEMENTS (active); i++)
    g_ptr_array_add (ret_names, (char *) active[i]);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define WRITABLE (CHANGES | SD_BUS_VTABLE_UNPRIVILEGED)
const sd_bus_vtable bus_dnd_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_WRITABLE_PROPERTY ("Enabled", "b", get_enabled, set_enabled, 0, WRITABLE),
  SD_BUS_PROPERTY ("Active", "b", get_active, 0, CHANGES),
  SD_BUS_PROPERTY ("Cause", "s", get_cause, 0, CHANGES),
  SD_BUS_PROPERTY ("NextChange", "t", get_next_change, 0, CHANGES),
  SD_BUS_WRITABLE_PROPERTY ("Mode", "s", get_mode, set_mode, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("Until", "t", get_until, set_until, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("Schedule", "as", get_schedule, set_schedule, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("AllowList", "as", get_allow_list, set_allow_list, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("Accounts", "as", get_accounts, set_accounts, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("RepeatMinutes", "u", get_repeat, set_repeat, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("FollowDesktop", "b", get_follow, set_follow, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("Mailbox", "s", get_mailbox, set_mailbox, 0, WRITABLE),
  SD_BUS_VTABLE_END,
};
