/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Two sessions of one engine that talk to each other over loopback, as two calls would. */

#include "fake-hub.h"
#include "media/media.h"

#define PAIR_CLEAR -1           /* in the place of a suite */

typedef struct
{
  char name[32];
  PhoneMedia *media;
  PhoneMediaPlan *plan;         /* as last applied */
  guint16 rtp_port, rtcp_port;
  const char *address;
  gint16 *speech;
  /* events */
  GString *digits;
  guint first_rtp, timeouts, failures, secured;
  PhoneSrtpSuite suite;         /* of the last handshake */
  char why[160];                /* of the last failure */
} Side;

typedef struct
{
  PhoneCodecId codec;
  int suite;                    /* PhoneSrtpSuite or PAIR_CLEAR */
  guint association;            /* not 0: keys by DTLS, of this handshake; suite is not looked at */
  gboolean mux;
  guint ptime;
  guint8 key;                   /* seed */
  gboolean send, receive;       /* of alice; bob mirrors */
} PairOptions;

typedef struct
{
  MediaEngine *engine;
  Side alice, bob;
  PairOptions options;
} Pair;

#define PAIR_DEFAULTS { .codec = PHONE_CODEC_OPUS, .suite = PAIR_CLEAR, .mux = TRUE, .ptime = 20, .key = 1, .send = TRUE, .receive = TRUE }
#define PAIR_SPEECH (10 * MEDIA_RATE)   /* samples of each side's text before it repeats */

PhoneDaemonSettings *pair_settings (void);                      /* a port range of their own */
void side_init (Side *side, MediaEngine *engine, const char *name, const char *address);
void side_clear (Side *side);
PhoneMediaPlan *side_plan (const Side *to, const PairOptions *options, gboolean reversed);
void side_apply (Side *side, PhoneMediaPlan *plan);             /* takes it */

/* Ready to be applied. */
void pair_init (Pair *pair, MediaEngine *engine, const char *name, const char *alice, const char *bob);
void pair_apply (Pair *pair, const PairOptions *options);
void pair_clear (Pair *pair);

/* Runs the main loop until so many ms of the hub's time have passed for this side. */
void pair_run (const Side *side, guint ms);
/* Runs the main loop until check says so; fails the test after seconds. */
typedef gboolean (*PairCheck) (gpointer data);
void pair_wait (PairCheck check, gpointer data, guint seconds);

/* How well `listener` has heard `speaker` since the last pair_restart_recording(): upper quartile of the best correlation of each half
 * second in which something is said, leaving out the first skip ms. 0: nothing was said, or heard. Not a mean, because a machine that
 * stalls spoils a window and not the call, and because Opus renders a hiss by another hiss. */
double pair_heard (const Side *listener, const Side *speaker, guint skip);
void pair_restart_recording (Pair *pair);
