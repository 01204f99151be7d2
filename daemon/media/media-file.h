/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* WAV files in place of microphone and loudspeaker. The disk is touched by a thread of each file's own;
 * between it and the hub stands a ring. A disk that is too slow costs silence on the input and a gap of
 * silence on the recording, never a late tick. */

#include "media/media-types.h"
#include "util/phone-error.h"

typedef struct _MediaFileInput MediaFileInput;
typedef struct _MediaFileOutput MediaFileOutput;

/* Any WAV that media-wav reads, converted to MEDIA_RATE mono and repeated without end. Reads the header at
 * once: NO_DEVICE for a file that is not there or not a plain file, INVALID_OPTION for one that is no WAV. */
MediaFileInput *media_file_input_new (const char *path, GError **error);
/* The same, but it ends with the file. */
MediaFileInput *media_file_input_new_once (const char *path, GError **error);
gboolean media_file_input_is_over (MediaFileInput *input);                      /* hub thread */
/* Whether media_file_input_new() would work now. ret_seconds: how long the file lasts; NULL: no matter. */
gboolean media_file_input_check (const char *path, double *ret_seconds, GError **error);
/* Hub thread; FALSE: nothing there yet, frame untouched. */
gboolean media_file_input_read (MediaFileInput *input, gint16 *ret_frame);
void media_file_input_free (MediaFileInput *input);                             /* accepts NULL */

/* Records to a WAV file, made with mode 0600 or emptied if it is there. Never follows a symbolic link,
 * never empties a file that is no WAV, never shares one with another writer. The header is brought up to
 * date every second, so a recording that is cut short can be played. on_failed comes once at most, on the
 * writing thread, and not after media_file_output_free() has returned. */
typedef void (*MediaFileFailed) (gpointer data, const char *message);
MediaFileOutput *media_file_output_new (const char *path, MediaFileFailed on_failed, gpointer data,
                                        GError **error);
/* Whether the path is one that could be recorded to; makes nothing. */
gboolean media_file_output_check (const char *path, GError **error);
void media_file_output_write (MediaFileOutput *output, const gint16 *frame);    /* hub thread */
/* Returns at once; the rest is written and the header finalised behind its back. */
void media_file_output_free (MediaFileOutput *output);

/* pread() until n octets or the end; data is the descriptor (GINT_TO_POINTER). Fits media_wav_parse(). */
gssize media_file_read_at (gpointer data, guint64 offset, void *ret_octets, gsize n);
