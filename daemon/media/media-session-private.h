/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of a call's media share. */

#include "media/media-session.h"

#include <pthread.h>

#include "media/media-metrics.h"
#include "media/media-mix.h"
#include "media/media-player.h"
#include "media/media-receive.h"
#include "media/media-recorder.h"
#include "media/media-send.h"
#include "media/media-stream.h"
#include "media/media-taps.h"
#include "media/media-tone.h"
#include "media/media-transport.h"
#include "media/media-watch.h"
#include "media/rate-control.h"
#include "util/log.h"

#define MEDIA_SESSION_WINDOW 10                       /* ticks over which loss and bit rate are taken */

/* Counters at one tick. */
typedef struct
{
  gint64 at;
  guint64 sent_octets, received, concealed, played;
  gint64 lost;
  guint32 ssrc;
} MediaSessionSample;

struct _PhoneMedia
{
  gint references;                      /* atomic */
  MediaSessionHost host;
  PhoneCall *call;                      /* borrowed until close */
  PhoneMediaEvents events;
  char *call_id, *country, *bind_address;
  guint port_first, port_last;
  gboolean closed;

  MediaTransport *transport;
  MediaReceive *receive;
  MediaSend *send;
  gboolean started;                     /* there was a plan that carries sound */
  MediaPort *port;
  PhoneMediaPlan *plan;
  MediaTaps *taps;
  MediaTone beep;               /* to the peer; the hub's, once it is on the taps */
  MediaRecorder *recorder;
  MediaPlayer *player;
  GPtrArray *streams;                   /* MediaStream */
  guint rtp_timeout, opus_bitrate, opus_complexity;     /* of the settings when the call began */
  gint listening;                       /* atomic: the hub may pull */

  pthread_mutex_t lock;                 /* of the queue */
  GQueue hops;                          /* of Hop */
  gboolean hop_due;                     /* the main loop will look */

  GSource *tick;
  MediaWatch watch;
  RateControl rate;
  guint32 report_serial;
  double round_trip;                    /* ms, of the last report; NAN: unknown */
  gint64 begun;                         /* when there was a plan first */
  guint breaks;                         /* of the rate, that have been told of */
  gboolean stopped;
  MediaSessionSample samples[MEDIA_SESSION_WINDOW + 1];
  guint n_samples;
  MediaMetrics metrics;
};

PhoneLogFields media_session_log_fields (PhoneMedia *media);

/* ---- what other threads have to tell: data is the session, the main loop hears of it ---- */

void media_session_on_dtmf (char digit, guint ms, gpointer data);
void media_session_on_first_rtp (gpointer data);
void media_session_on_secured (PhoneSrtpSuite suite, gpointer data);
void media_session_on_unsecured (const char *why, gboolean silent, gpointer data);
void media_session_on_ice_changed (gpointer data);
void media_session_on_played (gpointer data);
void media_session_on_stream_gone (gpointer data);
void media_session_on_told (gpointer data);
extern const MediaRecorderEvents media_session_recorder_events;
void media_session_drop_streams (PhoneMedia *media);    /* whose clients have gone */
void media_session_clear_events (PhoneMedia *media);    /* those that nobody has heard of */

/* ---- numbers ---- */

/* The peer has told when packets of ours came. */
void media_session_take_feedback (PhoneMedia *media);
/* Looks at everything twice a second. */
void media_session_set_ticking (PhoneMedia *media, gboolean ticking);
