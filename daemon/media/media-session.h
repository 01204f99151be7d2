/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One call's media as core/ports.h has it: PhoneMedia. All functions on the main thread. */

#include "core/ports.h"
#include "media/media-hub.h"

/* What a session borrows from its engine. */
typedef struct
{
  MediaHub *hub;
  const PhoneDaemonSettings *settings;  /* only during media_session_new() */
  GMainContext *context;                /* where events go */
  /* Takes over a session that must be stopped and freed off the main thread: call media_session_finish() on any other thread. */
  void (*retire) (PhoneMedia *media, gpointer data);
  gpointer data;
} MediaSessionHost;

PhoneMedia *media_session_new (const MediaSessionHost *host, PhoneCall *call, const PhoneMediaParams *params,
                               const PhoneMediaEvents *events, GError **error);
void media_session_get_ports (PhoneMedia *media, guint16 *ret_rtp, guint16 *ret_rtcp);
/* ICE: see the table in core/ports.h. */
gboolean media_session_get_ice (PhoneMedia *media, PhoneIceDesc *ret_local, char **ret_address);
PhoneIceState media_session_get_ice_state (PhoneMedia *media);
void media_session_restart_ice (PhoneMedia *media);
gboolean media_session_trickle_ice (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error);
gboolean media_session_renew_ice (PhoneMedia *media, const PhoneIceParams *ice, GError **error);
void media_session_drop_ice (PhoneMedia *media);
gboolean media_session_get_dtls (PhoneMedia *media, PhoneDtlsDesc *ret_local, GError **error);
/* Bit 1 << PhoneSrtpSuite: what later handshakes may agree on; 0: all. */
void media_session_set_dtls_suites (PhoneMedia *media, guint suites);
gboolean media_session_apply (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error);
void media_session_set_muted (PhoneMedia *media, gboolean muted);
gboolean media_session_open_stream (PhoneMedia *media, const PhoneStreamParams *params, int *ret_fd, GError **error);
gboolean media_session_play (PhoneMedia *media, const char *path, gboolean queue, GError **error);
void media_session_stop_playing (PhoneMedia *media);
/* One at a time. Takes the sink over, whatever comes. */
gboolean media_session_record_start (PhoneMedia *media, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error);
void media_session_record_pause (PhoneMedia *media, gboolean paused);
void media_session_record_stop (PhoneMedia *media);             /* or by close */
void media_session_set_attached (PhoneMedia *media, gboolean attached);
void media_session_set_room (PhoneMedia *media, MediaRoom *room);       /* NULL: out of it */
void media_session_set_voice (PhoneMedia *media, gboolean voice);
double media_session_get_level (PhoneMedia *media);
void media_session_set_tone (PhoneMedia *media, PhoneTone tone);
void media_session_beep (PhoneMedia *media);
gboolean media_session_send_dtmf (PhoneMedia *media, const char *digits, guint ms, GError **error);
gboolean media_session_report (PhoneMedia *media, PhoneMediaReport *ret_report);
/* No event and no callback of the hub after this. Hands the rest to host->retire. */
void media_session_close (PhoneMedia *media);
/* Not on the main thread; blocks until its threads are gone, then lets the session go. */
void media_session_finish (PhoneMedia *media);
/* For the watchdog, between close and finish: its thread has not ended. */
gboolean media_session_is_stuck (PhoneMedia *media);
const char *media_session_get_name (PhoneMedia *media);         /* the call's id, for logs */
PhoneMedia *media_session_ref (PhoneMedia *media);
/* For threads that hold none, and that media_session_unref() waits for: FALSE once the last one has gone. */
gboolean media_session_ref_live (PhoneMedia *media);
void media_session_unref (PhoneMedia *media);
/* RTP goes to this place now: "host:port"; for diagnosis and tests. The caller frees. */
char *media_session_get_destination (PhoneMedia *media);
