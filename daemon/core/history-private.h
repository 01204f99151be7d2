/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the registry does with its history. */

#include "core/history.h"
#include "core/model-private.h"

PhoneHistory *phone_history_new (PhoneRegistry *registry);
/* When there are ports, and whenever the settings have changed: expires what is old, counts what is unseen. */
void phone_history_start (PhoneHistory *history);
void phone_history_stop (PhoneHistory *history);                /* the registry goes */

/* One that is on the disk already. */
void phone_history_note_message (PhoneHistory *history, const PhoneMessage *message);
void phone_history_record_call (PhoneHistory *history, PhoneCall *call);       /* it has just ended */
/* by: "dnd" or "limit"; "" when it was not a matter of will (488). */
void phone_history_record_refused (PhoneHistory *history, PhoneAccount *account, const PhoneIncoming *incoming, guint status,
                                   const char *by);
