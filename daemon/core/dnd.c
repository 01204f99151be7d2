/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The verdict on a call is always made from the settings and the clock of that moment, never from what was announced last: a timer that comes
 * late, a suspend or a jump of the clock cannot let a call ring or keep one out. The timer only keeps Active true for those who look. */

#include "core/dnd-model.h"

#include <string.h>

#include "core/dnd-guests.h"
#include "core/emergency.h"
#include "util/phone-uri.h"
#include "util/text.h"
#include "util/wall-timer.h"

#define MAX_ACCOUNTS 64
#define MAX_REPEAT_MIN 60
#define MAX_MAILBOX 512
#define CALLBACK_S G_GINT64_CONSTANT (3600)
#define LOOK_AGAIN_S 86400              /* at the latest, whatever the next change is */

struct _PhoneDnd
{
  GObject parent_instance;
  PhoneRegistry *registry;              /* not owned; NULL after it has gone */
  const PhoneDndClock *clock;
  gpointer clock_data;
  PhoneWallTimer *timer;

  /* settings */
  gboolean enabled, follow_desktop;
  PhoneDndMode mode;
  gint64 until;
  guint repeat;
  char *mailbox;
  char **schedule_items, **accounts;
  PhoneDndGuests guests;

  PhoneDndSchedule *schedule;
  gboolean desktop;

  /* as announced last */
  gboolean active;
  const char *cause;
  gint64 next_change;

  gint64 emergency_until;               /* monotonic us: so long may whoever was called for help call back; 0: nobody was */
};

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (PhoneDnd, phone_dnd, G_TYPE_OBJECT)

static void
phone_dnd_finalize (GObject *object)
{
  PhoneDnd *dnd = PHONE_DND (object);

  phone_wall_timer_free (dnd->timer);
  phone_dnd_schedule_free (dnd->schedule);
  phone_dnd_guests_clear (&dnd->guests);
  g_free (dnd->mailbox);
  g_strfreev (dnd->schedule_items);
  g_strfreev (dnd->accounts);
  G_OBJECT_CLASS (phone_dnd_parent_class)->finalize (object);
}

static void
phone_dnd_class_init (PhoneDndClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = phone_dnd_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new (PHONE_SIGNAL_CHANGED, PHONE_TYPE_DND, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                          G_TYPE_UINT);
}

static gint64 real_now (gpointer data) { return g_get_real_time () / G_USEC_PER_SEC; }

/* The file itself: where it is no link, GLib believes /etc/timezone instead, and what it has read once. */
static GTimeZone *
real_zone (gpointer data)
{
  GTimeZone *zone = g_getenv ("TZ") ? NULL : g_time_zone_new_identifier ("/etc/localtime");

  return zone ? zone : g_time_zone_new_local ();
}

static const PhoneDndClock real_clock = { real_now, real_zone };

static void
phone_dnd_init (PhoneDnd *dnd)
{
  dnd->clock = &real_clock;
  dnd->mode = PHONE_DND_BUSY;
  dnd->mailbox = g_strdup ("");
  dnd->cause = "";
  dnd->schedule = phone_dnd_schedule_new (NULL, NULL);
  dnd->schedule_items = g_new0 (char *, 1);
  phone_dnd_guests_init (&dnd->guests);
  dnd->accounts = g_new0 (char *, 1);
}

gboolean phone_dnd_get_enabled (PhoneDnd *dnd) { return dnd->enabled; }
PhoneDndMode phone_dnd_get_mode (PhoneDnd *dnd) { return dnd->mode; }
gint64 phone_dnd_get_until (PhoneDnd *dnd) { return dnd->until; }
gboolean phone_dnd_get_follow_desktop (PhoneDnd *dnd) { return dnd->follow_desktop; }
guint phone_dnd_get_repeat (PhoneDnd *dnd) { return dnd->repeat; }
const char *phone_dnd_get_mailbox (PhoneDnd *dnd) { return dnd->mailbox; }
const char *const *phone_dnd_get_schedule (PhoneDnd *dnd) { return (const char *const *) dnd->schedule_items; }
const char *const *phone_dnd_get_allow_list (PhoneDnd *dnd) { return (const char *const *) dnd->guests.items; }
const char *const *phone_dnd_get_accounts (PhoneDnd *dnd) { return (const char *const *) dnd->accounts; }
gboolean phone_dnd_is_active (PhoneDnd *dnd) { return dnd->active; }
const char *phone_dnd_get_cause (PhoneDnd *dnd) { return dnd->cause; }
gint64 phone_dnd_get_next_change (PhoneDnd *dnd) { return dnd->next_change; }

/* ---- now ---- */

static gint64
now_of (PhoneDnd *dnd)
{
  return dnd->clock->now (dnd->clock_data);
}

/* "" or who switches it on at that moment. *ret_next: when the answer may change by itself, 0: not as far as is known. */
static const char *
find_cause (PhoneDnd *dnd, gint64 now, gint64 *ret_next)
{
  g_autoptr (GTimeZone) zone = dnd->clock->local_zone (dnd->clock_data);
  gint64 schedule_next;
  gboolean scheduled = phone_dnd_schedule_is_open (dnd->schedule, now, zone, &schedule_next);
  gboolean by_user = dnd->enabled && (dnd->until == 0 || now < dnd->until);
  gboolean by_desktop = dnd->follow_desktop && dnd->desktop;

  *ret_next = 0;
  if (by_user && dnd->until && !by_desktop)
    *ret_next = scheduled ? (schedule_next ? MAX (dnd->until, schedule_next) : 0) : dnd->until;
  else if (!by_user && !by_desktop)
    *ret_next = schedule_next;
  return by_user ? "user" : scheduled ? "schedule" : by_desktop ? "desktop" : "";
}

static gboolean save (PhoneDnd *dnd, const char *key, const char *value, GError **error);

static void
look_again (PhoneDnd *dnd)
{
  gint64 now = now_of (dnd), next;
  const char *cause;
  guint mask = 0;

  if (dnd->enabled && dnd->until && now >= dnd->until)
    {
      dnd->enabled = FALSE;
      dnd->until = 0;
      mask |= PHONE_DND_SETTINGS;
      /* If it cannot be kept, the time that has passed says the same at the next start. */
      save (dnd, "dnd-enabled", NULL, NULL);
      save (dnd, "dnd-until", NULL, NULL);
    }
  cause = find_cause (dnd, now, &next);
  if (dnd->active != (*cause != '\0') || strcmp (cause, dnd->cause) != 0 || next != dnd->next_change)
    mask |= PHONE_DND_ACTIVE;
  if (dnd->active != (*cause != '\0'))
    phone_log_notice (NULL, "Do-not-disturb is %s%s%s%s%s", *cause ? "on (" : "off", cause, *cause ? ", " : "",
                      *cause ? phone_dnd_mode_to_string (dnd->mode) : "", *cause ? ")" : "");
  dnd->active = *cause != '\0';
  dnd->cause = cause;
  dnd->next_change = next;
  if (dnd->timer)
    {
      gint64 at = now + LOOK_AGAIN_S;

      if (next > now)
        at = MIN (at, next);
      if (dnd->enabled && dnd->until > now)
        at = MIN (at, dnd->until);
      phone_wall_timer_set (dnd->timer, at);
    }
  if (mask)
    g_signal_emit (dnd, signals[SIGNAL_CHANGED], 0, mask);
}

static void
on_timer (gpointer data)
{
  look_again (data);
}

void
phone_dnd_on_time_changed (PhoneDnd *dnd)
{
  look_again (dnd);
}

void
phone_dnd_on_desktop (PhoneDnd *dnd, gboolean active)
{
  dnd->desktop = !!active;
  look_again (dnd);
}

/* ---- settings ---- */

static gboolean
save (PhoneDnd *dnd, const char *key, const char *value, GError **error)
{
  const PhonePorts *ports = dnd->registry ? phone_registry_get_ports (dnd->registry) : NULL;

  return !ports || !ports->store || !ports->store->choice_save || ports->store->choice_save (ports->store_data, key, value, error);
}

static void
settings_changed (PhoneDnd *dnd)
{
  g_signal_emit (dnd, signals[SIGNAL_CHANGED], 0, (guint) PHONE_DND_SETTINGS);
  look_again (dnd);
}

gboolean
phone_dnd_set_enabled (PhoneDnd *dnd, gboolean enabled, GError **error)
{
  if (!save (dnd, "dnd-enabled", enabled ? "true" : NULL, error) || (!enabled && !save (dnd, "dnd-until", NULL, error)))
    return FALSE;
  dnd->enabled = !!enabled;
  if (!enabled)
    dnd->until = 0;
  settings_changed (dnd);
  return TRUE;
}

gboolean
phone_dnd_set_mode (PhoneDnd *dnd, PhoneDndMode mode, GError **error)
{
  if (!save (dnd, "dnd-mode", phone_dnd_mode_to_string (mode), error))
    return FALSE;
  dnd->mode = mode;
  settings_changed (dnd);
  return TRUE;
}

gboolean
phone_dnd_set_until (PhoneDnd *dnd, gint64 until, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, until);

  if (until < 0 || (until > 0 && until <= now_of (dnd)))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The time is over already");
      return FALSE;
    }
  if (!save (dnd, "dnd-until", until ? text : NULL, error))
    return FALSE;
  dnd->until = until;
  settings_changed (dnd);
  return TRUE;
}

gboolean
phone_dnd_set_follow_desktop (PhoneDnd *dnd, gboolean follow, GError **error)
{
  if (!save (dnd, "dnd-follow-desktop", follow ? "true" : NULL, error))
    return FALSE;
  dnd->follow_desktop = !!follow;
  settings_changed (dnd);
  return TRUE;
}

gboolean
phone_dnd_set_repeat (PhoneDnd *dnd, guint minutes, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%u", minutes);

  if (minutes > MAX_REPEAT_MIN)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "0 to %d minutes, not %u", MAX_REPEAT_MIN, minutes);
      return FALSE;
    }
  if (!save (dnd, "dnd-repeat", minutes ? text : NULL, error))
    return FALSE;
  dnd->repeat = minutes;
  settings_changed (dnd);
  return TRUE;
}

gboolean
phone_dnd_set_mailbox (PhoneDnd *dnd, const char *uri, GError **error)
{
  g_autoptr (PhoneUri) parsed = NULL;
  g_autofree char *canonical = NULL;

  if (*uri && (strlen (uri) > MAX_MAILBOX || !(parsed = phone_uri_parse (uri, NULL))))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The mailbox is a sip: or tel: URI");
      return FALSE;
    }
  canonical = parsed ? phone_uri_to_string (parsed) : g_strdup ("");
  if (!save (dnd, "dnd-mailbox", parsed ? canonical : NULL, error))
    return FALSE;
  g_free (dnd->mailbox);
  dnd->mailbox = g_steal_pointer (&canonical);
  settings_changed (dnd);
  return TRUE;
}

/* Lists are kept one item after the other, escaped; NULL for an empty one. */
static char *
join (const char *const *items)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; items && items[i]; i++)
    {
      g_autofree char *item = g_strescape (items[i], NULL);

      g_string_append_printf (text, "%s\"%s\"", i ? " " : "", item);
    }
  return text->len ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

static char **
split (const char *text)
{
  GPtrArray *items = g_ptr_array_new ();
  const char *p = text ? text : "";

  while (*p == '"')
    {
      const char *end = ++p;

      while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
      if (*end)
        {
          g_autofree char *raw = g_strndup (p, (gsize) (end - p));

          g_ptr_array_add (items, g_strcompress (raw));
          end++;
        }
      p = end + strspn (end, " ");
    }
  g_ptr_array_add (items, NULL);
  return (char **) g_ptr_array_free (items, FALSE);
}

static char **
copy_list (const char *const *items)
{
  return items ? g_strdupv ((char **) items) : g_new0 (char *, 1);
}

static gboolean
take_list (PhoneDnd *dnd, const char *key, char ***where, const char *const *items, GError **error)
{
  g_autofree char *text = join (items);
  char **copy;

  if (!save (dnd, key, text, error))
    return FALSE;
  copy = copy_list (items);
  g_strfreev (*where);
  *where = copy;
  return TRUE;
}

gboolean
phone_dnd_set_schedule (PhoneDnd *dnd, const char *const *items, GError **error)
{
  g_autoptr (PhoneDndSchedule) schedule = phone_dnd_schedule_new (items, error);

  if (!schedule || !take_list (dnd, "dnd-schedule", &dnd->schedule_items, items, error))
    return FALSE;
  phone_dnd_schedule_free (dnd->schedule);
  dnd->schedule = g_steal_pointer (&schedule);
  settings_changed (dnd);
  return TRUE;
}

gboolean
phone_dnd_set_allow_list (PhoneDnd *dnd, const char *const *items, GError **error)
{
  g_autofree char *text = join (items);

  if (!phone_dnd_guests_check (&dnd->guests, items, error) || !save (dnd, "dnd-allow-list", text, error))
    return FALSE;
  phone_dnd_guests_set (&dnd->guests, items);
  settings_changed (dnd);
  return TRUE;
}

void
phone_dnd_set_contacts (PhoneDnd *dnd, const PhoneContacts *contacts)
{
  phone_dnd_guests_set_contacts (&dnd->guests, contacts);
}

gboolean
phone_dnd_set_accounts (PhoneDnd *dnd, const char *const *ids, GError **error)
{
  gsize n = ids ? g_strv_length ((char **) ids) : 0;

  if (n > MAX_ACCOUNTS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "More than %d accounts", MAX_ACCOUNTS);
      return FALSE;
    }
  for (gsize i = 0; dnd->registry && i < n; i++)
    if (!phone_registry_find_account (dnd->registry, ids[i]))
      {
        g_autofree char *shown = phone_text_clean (ids[i], -1, 64);

        g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ACCOUNT, "There is no account %s", shown ? shown : "");
        return FALSE;
      }
  if (!take_list (dnd, "dnd-accounts", &dnd->accounts, ids, error))
    return FALSE;
  settings_changed (dnd);
  return TRUE;
}

/* ---- the verdict ---- */

static void
fill_refusal (PhoneDnd *dnd, gint64 now, PhoneRefusal *ret_refusal)
{
  *ret_refusal = (PhoneRefusal){ .status = 486 };
  if (dnd->mode == PHONE_DND_VOICEMAIL && *dnd->mailbox)
    *ret_refusal = (PhoneRefusal){ .status = 302, .contact = dnd->mailbox };
  else if (dnd->enabled && dnd->until > now)
    *ret_refusal = (PhoneRefusal){ .status = 480, .retry_after = (guint) MIN (dnd->until - now, G_MAXINT) };
}

static const char *
caller_of (const PhoneIncoming *incoming)
{
  return incoming->asserted_id && *incoming->asserted_id ? incoming->asserted_id : incoming->remote_uri;
}

gboolean
phone_dnd_is_for_help (PhoneDnd *dnd, PhoneAccount *account, const PhoneIncoming *incoming)
{
  const char *country = phone_registry_country (dnd->registry, account);

  return phone_is_emergency_number (caller_of (incoming), country) || phone_is_emergency_number (incoming->remote_uri, country)
         || (dnd->emergency_until && g_get_monotonic_time () < dnd->emergency_until);
}

PhoneDndVerdict
phone_dnd_judge (PhoneDnd *dnd, PhoneAccount *account, const PhoneIncoming *incoming, PhoneRefusal *ret_refusal)
{
  const char *caller = caller_of (incoming);
  gint64 now = now_of (dnd), next;

  if (*find_cause (dnd, now, &next) == '\0')
    return DND_PASS;
  if (dnd->accounts[0] && !g_strv_contains ((const char *const *) dnd->accounts, phone_account_get_id (account)))
    return DND_PASS;
  if (phone_dnd_is_for_help (dnd, account, incoming))
    return DND_PASS;
  if (phone_dnd_guests_has (&dnd->guests, caller))
    return DND_PASS;
  if (dnd->repeat > 0 && phone_dnd_guests_note_caller (&dnd->guests, caller, now, dnd->repeat))
    return DND_PASS;
  if (dnd->mode == PHONE_DND_SILENT)
    return DND_SILENCE;
  fill_refusal (dnd, now, ret_refusal);
  return DND_REFUSE;
}

/* Whoever calls back may do so after a crash of this daemon or of the machine, too: it is kept before the call goes out. */
void
phone_dnd_note_emergency (PhoneDnd *dnd)
{
  const PhonePorts *ports = phone_registry_get_ports (dnd->registry);
  g_autoptr (GError) error = NULL;

  dnd->emergency_until = g_get_monotonic_time () + CALLBACK_S * G_USEC_PER_SEC;
  if (ports->store && ports->store->emergency_save && !ports->store->emergency_save (ports->store_data, now_of (dnd), &error))
    phone_log_warning (NULL, "The time of the emergency call is not kept: %s", error->message);
}

/* A clock that was set back since then makes it look like a call of the future: that counts as one of just now. */
static void
load_emergency (PhoneDnd *dnd)
{
  const PhonePorts *ports = phone_registry_get_ports (dnd->registry);
  gint64 at = ports->store && ports->store->emergency_load ? ports->store->emergency_load (ports->store_data) : 0;
  gint64 age = now_of (dnd) - at;

  dnd->emergency_until = 0;
  if (at > 0 && age > -CALLBACK_S && age < CALLBACK_S)
    dnd->emergency_until = g_get_monotonic_time () + (CALLBACK_S - MAX (age, 0)) * G_USEC_PER_SEC;
}

/* ---- life ---- */

PhoneDnd *
phone_dnd_new (PhoneRegistry *registry)
{
  PhoneDnd *dnd = g_object_new (PHONE_TYPE_DND, NULL);

  dnd->registry = registry;
  return dnd;
}

static char *
load (PhoneDnd *dnd, const char *key)
{
  const PhonePorts *ports = phone_registry_get_ports (dnd->registry);

  return ports->store && ports->store->choice_load ? ports->store->choice_load (ports->store_data, key) : NULL;
}

/* What cannot be understood any more is said and left out; the rest counts. */
static void
load_lists (PhoneDnd *dnd)
{
  g_autofree char *schedule = load (dnd, "dnd-schedule"), *allow = load (dnd, "dnd-allow-list"), *accounts = load (dnd, "dnd-accounts");
  g_auto (GStrv) windows = split (schedule), numbers = split (allow);
  g_autoptr (PhoneDndSchedule) parsed = NULL;
  g_autoptr (GError) error = NULL;

  parsed = phone_dnd_schedule_new ((const char *const *) windows, &error);
  if (parsed)
    {
      phone_dnd_schedule_free (dnd->schedule);
      dnd->schedule = g_steal_pointer (&parsed);
      g_strfreev (dnd->schedule_items);
      dnd->schedule_items = g_steal_pointer (&windows);
    }
  else
    phone_log_warning (NULL, "Do-not-disturb: the schedule is left out: %s", error->message);
  phone_dnd_guests_set (&dnd->guests, (const char *const *) numbers);
  g_strfreev (dnd->accounts);
  dnd->accounts = split (accounts);
}

void
phone_dnd_start (PhoneDnd *dnd)
{
  g_autofree char *enabled = load (dnd, "dnd-enabled"), *mode = load (dnd, "dnd-mode"), *until = load (dnd, "dnd-until");
  g_autofree char *follow = load (dnd, "dnd-follow-desktop"), *repeat = load (dnd, "dnd-repeat"), *mailbox = load (dnd, "dnd-mailbox");

  dnd->enabled = enabled != NULL;
  dnd->until = until ? g_ascii_strtoll (until, NULL, 10) : 0;
  dnd->follow_desktop = follow != NULL;
  dnd->repeat = repeat ? (guint) CLAMP (g_ascii_strtoll (repeat, NULL, 10), 0, MAX_REPEAT_MIN) : 0;
  if (mode)
    phone_dnd_mode_from_string (mode, &dnd->mode);
  phone_text_take (&dnd->mailbox, mailbox);
  load_emergency (dnd);
  load_lists (dnd);
  if (!dnd->timer)
    dnd->timer = phone_wall_timer_new (on_timer, dnd);
  look_again (dnd);
}

void
phone_dnd_stop (PhoneDnd *dnd)
{
  g_clear_pointer (&dnd->timer, phone_wall_timer_free);
  dnd->registry = NULL;
}

void
phone_dnd_set_clock (PhoneDnd *dnd, const PhoneDndClock *clock, gpointer data)
{
  dnd->clock = clock;
  dnd->clock_data = data;
  look_again (dnd);
}
