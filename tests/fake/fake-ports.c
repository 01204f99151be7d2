/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-ports.h"
#include "core/account-presence.h"
#include "core/subscriber.h"

#include <string.h>

struct _PhoneMedia
{
  FakePorts *fake;
  guint16 port;
};

static void
note (FakePorts *fake, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (FakePorts *fake, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (fake->journal, g_strdup_vprintf (format, args));
  va_end (args);
}

static gboolean
fails (FakePorts *fake, const char *word, GError **error)
{
  if (g_strcmp0 (fake->fail_next, word) != 0)
    return FALSE;
  g_clear_pointer (&fake->fail_next, g_free);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "%s fails as told", word);
  return TRUE;
}

static void
keep_desc (FakePorts *fake, const PhoneMediaDesc *desc)
{
  phone_media_desc_free (fake->last_desc);
  fake->last_desc = desc ? phone_media_desc_copy (desc) : NULL;
}

/* ---- signalling ---- */

static gboolean
account_add (gpointer ua, PhoneAccount *account, GError **error)
{
  note (ua, "add %s", phone_account_get_id (account));
  return !fails (ua, "add", error);
}

static void
account_remove (gpointer ua, PhoneAccount *account)
{
  note (ua, "remove %s", phone_account_get_id (account));
}

static void
account_register (gpointer ua, PhoneAccount *account)
{
  note (ua, "register %s", phone_account_get_id (account));
}

static void
account_unregister (gpointer ua, PhoneAccount *account)
{
  note (ua, "unregister %s", phone_account_get_id (account));
}

static char *
local_address_towards (gpointer ua, const char *address)
{
  return NULL;
}

static char *
account_local_address (gpointer ua, PhoneAccount *account, const char *target)
{
  return g_strdup (target && strchr (target, '[') ? "2001:db8::1" : "192.0.2.1");
}

static gboolean
call_invite (gpointer ua, PhoneCall *call, const PhoneInviteParams *params, const PhoneMediaDesc *offer, GError **error)
{
  note (ua, "invite %s", params->target);
  keep_desc (ua, offer);
  return !fails (ua, "invite", error);
}

static void
call_give_up (gpointer ua, PhoneCall *call, const PhoneReason *reason)
{
  note (ua, "give up");
}

static void
call_ring (gpointer ua, PhoneCall *call, guint status, const PhoneMediaDesc *early)
{
  note (ua, "ring %u", status);
}

static void
call_answer (gpointer ua, PhoneCall *call, const PhoneMediaDesc *desc)
{
  note (ua, "answer");
  keep_desc (ua, desc);
}

static void
call_reject (gpointer ua, PhoneCall *call, guint status, const char *phrase)
{
  note (ua, "reject %u", status);
}

static void
call_hangup (gpointer ua, PhoneCall *call, const PhoneReason *reason)
{
  note (ua, "hangup");
}

static gboolean
call_reoffer (gpointer ua, PhoneCall *call, const PhoneMediaDesc *offer, GError **error)
{
  note (ua, "reoffer %s", phone_direction_to_string (offer->direction));
  keep_desc (ua, offer);
  return !fails (ua, "reoffer", error);
}

static gboolean
call_dtmf_info (gpointer ua, PhoneCall *call, char digit, guint ms, GError **error)
{
  note (ua, "info %c %u", digit, ms);
  return !fails (ua, "info", error);
}

static void
call_divert (gpointer ua, PhoneCall *call, const char *target, const char *reason)
{
  note (ua, "divert %s %s", reason, target);
}

static gboolean
call_refer (gpointer ua, PhoneCall *call, const char *target, PhoneCall *replaced, GError **error)
{
  if (replaced)
    note (ua, "refer %s replaces %u", target, phone_call_get_number (replaced));
  else
    note (ua, "refer %s", target);
  return !fails (ua, "refer", error);
}

static void
referral_progress (gpointer ua, gpointer referral, guint status)
{
  note (ua, "progress %u", status);
}

static void
watch_start (gpointer ua, PhoneWatch *watch)
{
  note (ua, "watch %s", phone_watch_get_uri (watch));
}

static void
watch_stop (gpointer ua, PhoneWatch *watch)
{
  note (ua, "unwatch %s", phone_watch_get_uri (watch));
}

static void
presence_changed (gpointer ua, PhoneAccount *account)
{
  note (ua, "presence %s", phone_status_to_string (phone_account_get_status (account)));
}

static void
subscriber_changed (gpointer ua, PhoneSubscriber *subscriber)
{
  note (ua, "tell %s", subscriber->uri);
}

static void
subscriber_end (gpointer ua, PhoneSubscriber *subscriber, const char *reason)
{
  note (ua, "end %s %s", subscriber->uri, reason);
}

static void
dialogs_changed (gpointer ua, PhoneAccount *account)
{
}

static const PhoneSignallingOps signalling_ops = {
  .account_add = account_add,
  .account_remove = account_remove,
  .account_register = account_register,
  .account_unregister = account_unregister,
  .account_local_address = account_local_address,
  .local_address_towards = local_address_towards,
  .call_invite = call_invite,
  .call_give_up = call_give_up,
  .call_ring = call_ring,
  .call_answer = call_answer,
  .call_reject = call_reject,
  .call_hangup = call_hangup,
  .call_reoffer = call_reoffer,
  .call_dtmf_info = call_dtmf_info,
  .call_divert = call_divert,
  .call_refer = call_refer,
  .referral_progress = referral_progress,
  .watch_start = watch_start,
  .watch_stop = watch_stop,
  .presence_changed = presence_changed,
  .subscriber_changed = subscriber_changed,
  .subscriber_end = subscriber_end,
  .dialogs_changed = dialogs_changed,
};

/* ---- media ---- */

static PhoneMedia *
media_new (gpointer engine, PhoneCall *call, const PhoneMediaParams *params, const PhoneMediaEvents *events, GError **error)
{
  FakePorts *fake = engine;
  PhoneMedia *media;

  if (fails (fake, "media", error))
    return NULL;
  media = g_new0 (PhoneMedia, 1);
  media->fake = fake;
  media->port = fake->next_port;
  fake->next_port = (guint16) (fake->next_port + 2);
  fake->media_open++;
  fake->media_events = events;
  g_free (fake->country);
  fake->country = g_strdup (params->country);
  return media;
}

static void
media_ports (PhoneMedia *media, guint16 *ret_rtp, guint16 *ret_rtcp)
{
  *ret_rtp = media->port;
  *ret_rtcp = (guint16) (media->port + 1);
}

static gboolean
media_dtls (PhoneMedia *media, PhoneDtlsDesc *ret_local, GError **error)
{
  *ret_local = (PhoneDtlsDesc) { .n_fingerprints = 1, .fingerprints = { { .hash = PHONE_HASH_SHA256, .octets = { 1 } } } };
  return !fails (media->fake, "dtls", error);
}

static gboolean
media_apply (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error)
{
  note (media->fake, "apply %s", phone_direction_to_string (plan->direction));
  return !fails (media->fake, "apply", error);
}

static void
media_set_muted (PhoneMedia *media, gboolean muted)
{
  note (media->fake, muted ? "mute" : "unmute");
}

static void
media_set_attached (PhoneMedia *media, gboolean attached)
{
  media->fake->attached = attached;
}

static void
media_set_tone (PhoneMedia *media, PhoneTone tone)
{
  media->fake->tone = tone;
}

static void
media_beep (PhoneMedia *media)
{
  note (media->fake, "beep");
}

static gboolean
media_send_dtmf (PhoneMedia *media, const char *digits, guint ms, GError **error)
{
  note (media->fake, "dtmf %s %u", digits, ms);
  return !fails (media->fake, "dtmf", error);
}

static gboolean
media_report (PhoneMedia *media, PhoneMediaReport *ret_report)
{
  memset (ret_report, 0, sizeof *ret_report);
  ret_report->rate_reason = "none";
  return TRUE;
}

static void
media_free (PhoneMedia *media)
{
  if (!media)
    return;
  media->fake->media_open--;
  g_free (media);
}

static void
set_ring (gpointer engine, PhoneTone tone, const char *country, const char *sound)
{
  FakePorts *fake = engine;

  fake->ring = tone;
  note (fake, "ring-tone %s%s%s", phone_tone_to_string (tone), sound ? " " : "", sound ? sound : "");
}

static gboolean
audio_select (gpointer engine, const char *role, const char *device, GError **error)
{
  note (engine, "select %s %s", role, device);
  return !fails (engine, "select", error);
}

static char *
audio_selected (gpointer engine, const char *role)
{
  return g_strdup ("silence");
}

static GPtrArray *
audio_devices (gpointer engine)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
}

static gboolean
audio_test_tone (gpointer engine, const char *role, GError **error)
{
  note (engine, "test-tone %s", role);
  return !fails (engine, "test-tone", error);
}

static void
audio_set_fader (gpointer engine, PhoneFader fader, guint value)
{
  note (engine, "%s %u", phone_fader_to_string (fader), value);
}

struct _PhoneRoom
{
  FakePorts *fake;
};

static PhoneRoom *
room_new (gpointer engine, PhoneRoomFailed failed, gpointer data)
{
  PhoneRoom *room = g_new0 (PhoneRoom, 1);

  room->fake = engine;
  note (engine, "room");
  return room;
}

static void
room_free (PhoneRoom *room)
{
  note (room->fake, "no-room");
  g_free (room);
}

static void
room_set (PhoneRoom *room, gboolean muted, gboolean away)
{
  note (room->fake, "room-set%s%s", muted ? " muted" : "", away ? " away" : "");
}

static double
room_level (PhoneRoom *room)
{
  return -30;
}

static void
media_set_room (PhoneMedia *media, PhoneRoom *room)
{
  note (media->fake, room ? "enter %u" : "leave %u", media->port);
}

static void
media_set_voice (PhoneMedia *media, gboolean voice)
{
  note (media->fake, voice ? "voice %u" : "no-voice %u", media->port);
}

static double
media_level (PhoneMedia *media)
{
  return -20;
}

static const PhoneMediaOps fake_media_ops = {
  .media_new = media_new,
  .media_ports = media_ports,
  .media_dtls = media_dtls,
  .media_apply = media_apply,
  .media_set_muted = media_set_muted,
  .media_set_attached = media_set_attached,
  .media_set_tone = media_set_tone,
  .media_beep = media_beep,
  .media_send_dtmf = media_send_dtmf,
  .room_new = room_new,
  .room_free = room_free,
  .room_set = room_set,
  .room_level = room_level,
  .media_set_room = media_set_room,
  .media_set_voice = media_set_voice,
  .media_level = media_level,
  .media_report = media_report,
  .media_free = media_free,
  .set_ring = set_ring,
  .audio_select = audio_select,
  .audio_selected = audio_selected,
  .audio_devices = audio_devices,
  .audio_test_tone = audio_test_tone,
  .audio_set_fader = audio_set_fader,
};

/* ---- storage ---- */

static gboolean
account_save (gpointer store, const PhoneAccountSettings *settings, GError **error)
{
  note (store, "save %s", settings->id);
  return !fails (store, "save", error);
}

static gboolean
account_delete (gpointer store, const char *id, GError **error)
{
  note (store, "delete %s", id);
  return !fails (store, "delete", error);
}

static PhoneSecret *
secret_load (gpointer store, const PhoneAccountSettings *settings, GError **error)
{
  return phone_secret_new (((FakePorts *) store)->password, -1);
}

static gboolean
secret_save (gpointer store, const char *id, PhoneSecret *secret, GError **error)
{
  note (store, "save-secret %s", id);
  return !fails (store, "save-secret", error);
}

static const PhoneStoreOps store_ops = {
  .account_save = account_save,
  .account_delete = account_delete,
  .secret_load = secret_load,
  .secret_save = secret_save,
};

FakePorts *
fake_ports_new (void)
{
  FakePorts *fake = g_new0 (FakePorts, 1);

  fake->journal = g_ptr_array_new_with_free_func (g_free);
  fake->next_port = 20000;
  fake->password = "secret";
  return fake;
}

void
fake_ports_free (FakePorts *fake)
{
  if (!fake)
    return;
  g_ptr_array_unref (fake->journal);
  phone_media_desc_free (fake->last_desc);
  g_free (fake->fail_next);
  g_free (fake->country);
  g_free (fake);
}

void
fake_ports_fill (FakePorts *fake, PhonePorts *ret_ports)
{
  *ret_ports = (PhonePorts){ &signalling_ops, fake, &fake_media_ops, fake, &store_ops, fake };
}

gboolean
fake_ports_took (FakePorts *fake, const char *word)
{
  for (guint i = 0; i < fake->journal->len; i++)
    if (g_str_has_prefix (g_ptr_array_index (fake->journal, i), word))
      {
        g_ptr_array_remove_range (fake->journal, 0, i + 1);
        return TRUE;
      }
  return FALSE;
}
