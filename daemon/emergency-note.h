/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When the last call for help was made, in a file of its own: whoever calls back is let through after a crash of this daemon or of the machine,
 * too. It is written before the call goes out, and a disk that hangs holds up no such call. */

#include "util/phone-error.h"

#define EMERGENCY_NOTE_WAIT_MS 500

typedef struct _EmergencyNote EmergencyNote;

EmergencyNote *emergency_note_new (const char *path);
void emergency_note_free (EmergencyNote *note);                 /* does not wait for the disk; accepts NULL */
gint64 emergency_note_load (EmergencyNote *note);               /* Unix s; 0: none is known */
/* Returns when it is on the disk, or after EMERGENCY_NOTE_WAIT_MS: FALSE then (STORAGE), and writing goes on. Main loop only. */
gboolean emergency_note_save (EmergencyNote *note, gint64 at, GError **error);
