/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A sound server of the test's own, in a runtime folder of its own, with null sinks for devices; killed by
 * its process id. */

#include <glib.h>

typedef struct _SoundServer SoundServer;

typedef enum { SOUND_SERVER_PULSE, SOUND_SERVER_PIPEWIRE } SoundServerKind;

/* Sets XDG_RUNTIME_DIR of this process to a fresh folder, and takes away what else could lead to the user's
 * real sound server. Before anything else. */
void sound_server_isolate (void);
void sound_server_isolate_over (void);          /* removes the folder */
/* NULL: the programs are not installed. Otherwise it answers, and has the sinks "out" (the default) and
 * "other". */
SoundServer *sound_server_start (SoundServerKind kind);
void sound_server_stop (SoundServer *server);   /* kills it; accepts NULL */
/* Runs pactl with these words; returns what it printed. Caller frees. Aborts if it fails. */
char *sound_server_pactl (const char *words);
