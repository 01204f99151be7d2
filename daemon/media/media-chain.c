/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Candidates are tried in order: the device that was asked for, then what `default` means here and now
 * (media_device_find_defaults()). When one fails the next is opened; after the last there is silence, and
 * the clock of the outlet beats by timer all the while. As long as the chain is on and plays something
 * other than the first candidate, that one is tried again beside it, less and less often and whenever a device appears; when its
 * first samples flow it takes over.
 *
 * A slot is one attempt. Its serial goes with every event, so that what a freed device still had to say
 * finds nobody. */

#include "media/media-chain.h"
#include "media/media-plug.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define RETRY_FIRST 2           /* s, doubled each time */
#define RETRY_LAST 30
#define SETTLE_MS 200           /* from the news of a device until it can be opened */

typedef struct
{
  MediaChain *chain;
  MediaLive *live;
  guint serial;
  guint candidate;
  gboolean started;             /* samples flowed */
  char *place;                  /* NULL: not known yet */
  atomic_bool active;           /* its samples count; a trial's do not */
} Slot;

struct _MediaChain
{
  MediaRole role;
  MediaLiveDemand demand;
  MediaLiveCaptured captured;
  MediaChainLost lost;
  gpointer data;
  void (*placed) (gpointer data);
  gpointer placed_data;
  MediaChainFaded faded;
  gpointer faded_data;
  int fader[MEDIA_FADER_N_PARTS];       /* -1: nobody has said anything yet, and the server may have it as it likes */
  MediaNotify *notify;
  guint serial;
  MediaDevice *device;
  MediaChainState state;
  GPtrArray *candidates;        /* MediaDevice */
  Slot *current, *trial;
  guint retry_source, retry_seconds;
  MediaPlug *plug;              /* while the first candidate is waited for */
};

static void
on_demand (gpointer data, gint16 *ret_frame)
{
  Slot *slot = data;

  if (atomic_load (&slot->active))
    slot->chain->demand (slot->chain->data, ret_frame);
  else if (ret_frame != NULL)
    memset (ret_frame, 0, MEDIA_FRAME * sizeof *ret_frame);
}

static void
on_captured (gpointer data, const gint16 *samples, guint n, double age)
{
  Slot *slot = data;

  if (atomic_load (&slot->active))
    slot->chain->captured (slot->chain->data, samples, n, age);
}

static Slot *
slot_new (MediaChain *chain, guint candidate, gboolean active)
{
  Slot *slot = g_new0 (Slot, 1);

  slot->chain = chain;
  slot->serial = ++chain->serial;
  slot->candidate = candidate;
  atomic_init (&slot->active, active);
  slot->live = media_live_new (
      chain->role, g_ptr_array_index (chain->candidates, candidate), chain->demand != NULL ? on_demand : NULL,
      chain->captured != NULL ? on_captured : NULL, slot, chain->notify, slot->serial);
  for (guint i = 0; i < MEDIA_FADER_N_PARTS; i++)
    if (chain->fader[i] >= 0)
      media_live_set_fader (slot->live, i, chain->fader[i]);
  media_live_set_state (slot->live, chain->state == MEDIA_CHAIN_ON ? MEDIA_LIVE_ON : MEDIA_LIVE_WARM);
  return slot;
}

static void
slot_free (Slot *slot)
{
  if (slot == NULL)
    return;
  media_live_free (slot->live);
  g_free (slot->place);
  g_free (slot);
}

static char *
describe (MediaDevice *device)
{
  return device->name != NULL
             ? g_strconcat (media_device_kind_to_string (device->kind), ":", device->name, NULL)
             : g_strdup (media_device_kind_to_string (device->kind));
}

static void
tell_place (MediaChain *chain)
{
  if (chain->placed != NULL)
    chain->placed (chain->placed_data);
}

static gboolean on_retry (gpointer data);

static void
on_plugged (gpointer data)
{
  MediaChain *chain = data;

  /* While one is tried already that may be too early for this one: soon again. */
  chain->retry_seconds = RETRY_FIRST;
  if (chain->trial != NULL || chain->retry_source == 0)
    return;
  g_clear_handle_id (&chain->retry_source, g_source_remove);
  chain->retry_source = g_timeout_add (SETTLE_MS, on_retry, chain);
}

static void
stop_waiting (MediaChain *chain)
{
  g_clear_handle_id (&chain->retry_source, g_source_remove);
  g_clear_pointer (&chain->plug, media_plug_free);
}

static void
plan_retry (MediaChain *chain)
{
  gboolean content = chain->current != NULL && chain->current->candidate == 0;

  if (content || chain->state != MEDIA_CHAIN_ON)
    {
      stop_waiting (chain);
      return;
    }
  if (chain->plug == NULL && chain->candidates->len > 0)
    chain->plug = media_plug_new (((MediaDevice *) g_ptr_array_index (chain->candidates, 0))->kind, on_plugged, chain);
  if (chain->trial != NULL || chain->retry_source != 0)
    return;
  chain->retry_source = g_timeout_add_seconds (chain->retry_seconds, on_retry, chain);
  chain->retry_seconds = MIN (2 * chain->retry_seconds, RETRY_LAST);
}

static void
open_candidate (MediaChain *chain, guint candidate)
{
  g_autofree char *text = NULL;

  g_clear_pointer (&chain->current, slot_free);
  if (candidate < chain->candidates->len)
    {
      text = describe (g_ptr_array_index (chain->candidates, candidate));
      if (candidate > 0)
        g_message ("Audio %s: %s stands in", media_role_to_string (chain->role), text);
      chain->current = slot_new (chain, candidate, TRUE);
    }
  else
    g_message ("Audio %s: no device works: silence", media_role_to_string (chain->role));
  tell_place (chain);
  plan_retry (chain);
}

static void
find_candidates (MediaChain *chain)
{
  g_clear_pointer (&chain->candidates, g_ptr_array_unref);
  chain->candidates = media_device_find_candidates (chain->role, chain->device);
}

static gboolean
on_retry (gpointer data)
{
  MediaChain *chain = data;

  chain->retry_source = 0;
  /* The server may have come up since; but what plays now keeps its place in the list. */
  if (chain->current == NULL)
    {
      find_candidates (chain);
      if (chain->candidates->len > 0)
        chain->current = slot_new (chain, 0, TRUE);
    }
  else
    chain->trial = slot_new (chain, 0, FALSE);
  plan_retry (chain);
  return G_SOURCE_REMOVE;
}

static void
on_started (MediaChain *chain, Slot *slot)
{
  g_autofree char *text = describe (g_ptr_array_index (chain->candidates, slot->candidate));

  slot->started = TRUE;
  if (slot == chain->trial)
    {
      g_clear_pointer (&chain->current, slot_free);
      chain->current = g_steal_pointer (&chain->trial);
      atomic_store (&slot->active, TRUE);
      plan_retry (chain);
      tell_place (chain);
    }
  if (slot->candidate == 0)
    chain->retry_seconds = RETRY_FIRST;
  g_message ("Audio %s: %s is open", media_role_to_string (chain->role), text);
}

static void
on_failed (MediaChain *chain, Slot *slot, const char *why)
{
  MediaDevice *device = g_ptr_array_index (chain->candidates, slot->candidate);
  g_autofree char *text = describe (device);
  guint candidate = slot->candidate;
  /* What worked and works no more was lost, and so was what somebody asked for by name; that a default is
   * not there is no event. */
  gboolean lost = slot->started || (candidate == 0 && chain->device->kind != MEDIA_DEVICE_DEFAULT);

  if (slot == chain->trial)
    {
      g_debug ("Audio %s: %s is still not there: %s", media_role_to_string (chain->role), text, why);
      g_clear_pointer (&chain->trial, slot_free);
      plan_retry (chain);
      return;
    }
  /* A silent retry of what was told as lost before. */
  if (!slot->started && chain->retry_seconds > RETRY_FIRST)
    lost = FALSE;
  if (!lost)
    g_message ("Audio %s: %s does not work: %s", media_role_to_string (chain->role), text, why);
  open_candidate (chain, candidate + 1);
  if (lost)
    chain->lost (chain->data, text, why);
}

/* One that is tried beside it has a stream of its own. */
static void
on_fader (MediaChain *chain, Slot *slot, MediaFaderPart part, const char *text)
{
  Slot *other = slot == chain->current ? chain->trial : chain->current;
  guint value;

  if (!media_live_hear_fader (slot->live, part, text, &value) || chain->fader[part] == (int) value)
    return;
  chain->fader[part] = value;
  if (other != NULL)
    media_live_set_fader (other->live, part, value);
  if (chain->faded != NULL)
    chain->faded (chain->faded_data, part, value);
}

static void
on_notify (gpointer data, guint code, const char *text)
{
  MediaChain *chain = data;
  guint serial = code / MEDIA_LIVE_N_EVENTS;
  Slot *slot = NULL;

  if (chain->current != NULL && chain->current->serial == serial)
    slot = chain->current;
  else if (chain->trial != NULL && chain->trial->serial == serial)
    slot = chain->trial;
  if (slot == NULL)
    return;

  switch ((MediaLiveEvent) (code % MEDIA_LIVE_N_EVENTS))
    {
    case MEDIA_LIVE_STARTED:
      on_started (chain, slot);
      break;
    case MEDIA_LIVE_PLACED:
      g_free (slot->place);
      slot->place = g_strdup (text);
      tell_place (chain);
      break;
    case MEDIA_LIVE_MUTE:
      on_fader (chain, slot, MEDIA_FADER_MUTE, text);
      break;
    case MEDIA_LIVE_VOLUME:
      on_fader (chain, slot, MEDIA_FADER_VOLUME, text);
      break;
    case MEDIA_LIVE_FAILED:
      on_failed (chain, slot, text);
      break;
    case MEDIA_LIVE_N_EVENTS:
      break;
    }
}

MediaChain *
media_chain_new (MediaRole role, MediaLiveDemand demand, MediaLiveCaptured captured, MediaChainLost lost,
                 gpointer data)
{
  MediaChain *chain = g_new0 (MediaChain, 1);

  chain->role = role;
  chain->demand = demand;
  chain->captured = captured;
  chain->lost = lost;
  chain->data = data;
  chain->retry_seconds = RETRY_FIRST;
  for (guint i = 0; i < MEDIA_FADER_N_PARTS; i++)
    chain->fader[i] = -1;
  chain->notify = media_notify_new (on_notify, chain);
  chain->device = media_device_copy (NULL);
  return chain;
}

static void
close_all (MediaChain *chain)
{
  stop_waiting (chain);
  chain->retry_seconds = RETRY_FIRST;
  g_clear_pointer (&chain->trial, slot_free);
  g_clear_pointer (&chain->current, slot_free);
}

void
media_chain_free (MediaChain *chain)
{
  if (chain == NULL)
    return;
  close_all (chain);
  media_notify_close (chain->notify);
  g_clear_pointer (&chain->candidates, g_ptr_array_unref);
  media_device_free (chain->device);
  g_free (chain);
}

void
media_chain_set_device (MediaChain *chain, const MediaDevice *device)
{
  MediaChainState state = chain->state;

  media_chain_set_state (chain, MEDIA_CHAIN_OFF);
  media_device_free (chain->device);
  chain->device = media_device_copy (device);
  media_chain_set_state (chain, state);
}

void
media_chain_set_state (MediaChain *chain, MediaChainState state)
{
  MediaLiveState live = state == MEDIA_CHAIN_ON ? MEDIA_LIVE_ON : MEDIA_LIVE_WARM;
  MediaChainState before = chain->state;

  if (state == before)
    return;
  chain->state = state;
  if (state == MEDIA_CHAIN_OFF)
    {
      close_all (chain);
      return;
    }
  if (before == MEDIA_CHAIN_OFF)
    {
      find_candidates (chain);
      if (chain->candidates->len > 0)
        chain->current = slot_new (chain, 0, TRUE);
      else if (chain->device->kind == MEDIA_DEVICE_DEFAULT)
        g_message ("Audio %s: no sound server and no ALSA device: silence",
                   media_role_to_string (chain->role));
    }
  else if (chain->current != NULL)
    media_live_set_state (chain->current->live, live);

  if (state != MEDIA_CHAIN_ON)
    {
      stop_waiting (chain);
      g_clear_pointer (&chain->trial, slot_free);
    }
  else if (media_device_is_live (chain->device))
    plan_retry (chain);
}

const char *
media_chain_get_place (MediaChain *chain)
{
  return chain->state == MEDIA_CHAIN_ON && chain->current != NULL ? chain->current->place : NULL;
}

void
media_chain_on_place (MediaChain *chain, void (*callback) (gpointer data), gpointer data)
{
  chain->placed = callback;
  chain->placed_data = data;
}

void
media_chain_on_fader (MediaChain *chain, MediaChainFaded callback, gpointer data)
{
  chain->faded = callback;
  chain->faded_data = data;
}

void
media_chain_set_fader (MediaChain *chain, MediaFaderPart part, guint value)
{
  if (chain->fader[part] == (int) value)
    return;
  chain->fader[part] = value;
  if (chain->current != NULL)
    media_live_set_fader (chain->current->live, part, value);
  if (chain->trial != NULL)
    media_live_set_fader (chain->trial->live, part, value);
}

double
media_chain_get_delay (MediaChain *chain)
{
  return chain->current != NULL ? media_live_get_delay (chain->current->live) : 0;
}
