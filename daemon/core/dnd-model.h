/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the registry does with do-not-disturb. */

#include "core/dnd.h"
#include "core/model-private.h"

PhoneDnd *phone_dnd_new (PhoneRegistry *registry);
void phone_dnd_start (PhoneDnd *dnd);                   /* takes up the choices of an earlier life; after set_ports */
void phone_dnd_stop (PhoneDnd *dnd);                    /* the registry goes */
void phone_dnd_set_clock (PhoneDnd *dnd, const PhoneDndClock *clock, gpointer data);    /* for tests */

typedef enum
{
  DND_PASS,
  DND_SILENCE,
  DND_REFUSE,
} PhoneDndVerdict;

/* What is to happen to a call. ret_refusal counts for DND_REFUSE; its contact is borrowed. */
PhoneDndVerdict phone_dnd_judge (PhoneDnd *dnd, PhoneAccount *account, const PhoneIncoming *incoming, PhoneRefusal *ret_refusal);
/* A call from a number that one calls for help, or any call for an hour after one to such a number, whether it is on or off. */
gboolean phone_dnd_is_for_help (PhoneDnd *dnd, PhoneAccount *account, const PhoneIncoming *incoming);
/* A call for help goes out or ended just now: for an hour nobody is turned away. */
void phone_dnd_note_emergency (PhoneDnd *dnd);
