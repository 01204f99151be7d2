/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What becomes of a call that comes in: the one place where limits, forwarding and do-not-disturb meet. */

#include "core/model-private.h"

typedef enum
{
  PHONE_ARRIVAL_RING,
  PHONE_ARRIVAL_SILENT,         /* it is shown and rings nowhere */
  PHONE_ARRIVAL_FORWARD,
  PHONE_ARRIVAL_MACHINE,        /* the answering machine takes it at once; if that fails it rings nowhere */
  PHONE_ARRIVAL_REFUSE,
} PhoneArrivalFate;

typedef struct
{
  PhoneArrivalFate fate;
  gboolean for_help;            /* it may be somebody who was called for help: it stays here until it is answered */
  char *target;                 /* FORWARD: complete URI, owned */
  const char *reason;           /* FORWARD: as of PhoneSignallingOps.call_divert; MACHINE: for the log; static */
  PhoneRefusal refusal;         /* REFUSE */
  const char *refused_by;       /* REFUSE: as of PhoneHistoryEntry; static */
  int answer_after;             /* RING, SILENT: ms after which the phone answers by itself; -1: a person does */
  gboolean intercom;            /* ... because the caller asked for it */
} PhoneArrival;

/* What stands in the way of another call, apart from anybody's wishes. */
typedef struct
{
  gboolean closed;              /* the daemon stops, or the account is disabled */
  gboolean full;                /* max-calls is reached */
  gboolean engaged;             /* there is a call, and a second one shall not wait */
} PhoneArrivalLimits;

/* Not pure: do-not-disturb remembers whom it turned away. */
void phone_arrival_judge (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, const PhoneArrivalLimits *limits,
                          PhoneArrival *ret_arrival);
void phone_arrival_clear (PhoneArrival *arrival);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PhoneArrival, phone_arrival_clear)
