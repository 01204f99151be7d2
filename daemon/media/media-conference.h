/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A conference's sound as core/ports.h has it: PhoneRoom. All functions on the main thread. */

#include "core/ports.h"
#include "media/media-hub.h"

PhoneRoom *media_conference_new (MediaHub *hub, PhoneRoomFailed recording_failed, gpointer data);
void media_conference_free (PhoneRoom *room);           /* accepts NULL */
MediaRoom *media_conference_get_room (PhoneRoom *room);
void media_conference_set (PhoneRoom *room, gboolean muted, gboolean away);
double media_conference_get_level (PhoneRoom *room);
/* One at a time. Takes the sink over, whatever comes. */
gboolean media_conference_record_start (PhoneRoom *room, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error);
void media_conference_record_pause (PhoneRoom *room, gboolean paused);
void media_conference_record_stop (PhoneRoom *room);
gboolean media_conference_open_stream (PhoneRoom *room, const PhoneStreamParams *params, int *ret_fd, GError **error);
