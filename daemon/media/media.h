/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The media engine: what main.c puts into PhonePorts. Owns the hub and the threads on which calls are taken down. */

#include "core/ports.h"

typedef struct _MediaEngine MediaEngine;

extern const PhoneMediaOps media_ops;   /* engine is a MediaEngine */

/* Starts GStreamer (with a plugin registry of our own below $XDG_CACHE_HOME) and loads what a call needs, so that the first one is not
 * late. Copies settings. Events of sessions go to the thread-default main context of the caller. MEDIA_FAILED: a plugin is missing. */
MediaEngine *media_engine_new (const PhoneDaemonSettings *settings, GError **error);
/* For calls that begin after it. */
void media_engine_set_settings (MediaEngine *engine, const PhoneDaemonSettings *settings);
/* Somebody touched it in the mixer of the sound server; audio_set_fader() is expected to follow. On the main loop. */
void media_engine_on_fader (MediaEngine *engine, void (*callback) (PhoneFader fader, guint value, gpointer data), gpointer data);
/* A device went away: role "input", "output" or "ring". On the main loop. */
void media_engine_on_device_lost (MediaEngine *engine, void (*callback) (const char *role, const char *device, gpointer data),
                                  gpointer data);
/* Calls whose media is still being taken down. */
guint media_engine_get_retiring (MediaEngine *engine);
/* Waits for them, some seconds at most. All sessions must have been freed. Accepts NULL. */
void media_engine_free (MediaEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaEngine, media_engine_free)
