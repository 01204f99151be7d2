/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A recording of something that sounds, as a state: off, being prepared (the key may have to be made first, and that may take a keyring some
 * time), running, paused. What it is of is the owner's business, a GObject that has the tape inside. */

#include "core/model-private.h"

typedef struct
{
  const char *what;             /* "call": for errors and the log, before the number */
  PhoneRecording *(*describe) (gpointer owner, PhoneRecordingKind kind);
  /* Takes the sink over, whatever comes. */
  gboolean (*start) (gpointer owner, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error);
  void (*pause) (gpointer owner, gboolean paused);
  void (*stop) (gpointer owner);
  void (*changed) (gpointer owner);
  void (*started) (gpointer owner, const GError *error);        /* of phone_tape_start(): once, maybe before it returns */
} PhoneTapeOps;

typedef struct
{
  const PhoneTapeOps *ops;
  gpointer owner;
  PhoneRegistry *registry;
  guint number;
  PhoneLogFields log;           /* borrowed */
  PhoneCallRecording state;
  char *id;                     /* of the last one, NULL: none */
} PhoneTape;

void phone_tape_init (PhoneTape *tape, const PhoneTapeOps *ops, gpointer owner, PhoneRegistry *registry, guint number,
                      const PhoneLogFields *log);
void phone_tape_clear (PhoneTape *tape);
/* Whether start is possible as far as the tape goes; says why not. */
gboolean phone_tape_check (PhoneTape *tape, GError **error);
/* After that: starts, or goes on with one that pauses. */
void phone_tape_start (PhoneTape *tape);
/* Instead of both: a message of the answering machine, at once, which the vault is ready for. quiet_ms: of PhoneRecordParams. */
gboolean phone_tape_start_message (PhoneTape *tape, guint quiet_ms, GError **error);
gboolean phone_tape_pause (PhoneTape *tape, GError **error);
gboolean phone_tape_stop (PhoneTape *tape, GError **error);
void phone_tape_end (PhoneTape *tape, const char *why);         /* no error if there is nothing to stop */
