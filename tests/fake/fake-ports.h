/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Ports that record what the model asks of them, so that a test of the model needs no network, device or file. The test plays the
 * engines' part by calling the phone_*_on_* functions. */

#include "core/registry.h"

typedef struct
{
  /* one word per call of a port, in order: "add alice", "invite sip:..", "ring 180", "answer", "reject 486", "hangup", ... */
  GPtrArray *journal;
  PhoneMediaDesc *last_desc;            /* of the last invite, answer or reoffer */
  char *fail_next;                      /* word of the port that fails once with PHONE_ERROR_FAILED */
  PhoneTone ring;
  guint media_open;                     /* sessions alive */
  guint16 next_port;
  const PhoneMediaEvents *media_events;
  gboolean attached;                    /* of the session touched last */
  PhoneTone tone;
  char *country;                        /* of the tones of the session made last */
  const char *password;                 /* of every account; static */
} FakePorts;

FakePorts *fake_ports_new (void);
void fake_ports_free (FakePorts *fake);
void fake_ports_fill (FakePorts *fake, PhonePorts *ret_ports);
/* TRUE if the word stands in the journal; the journal is cleared up to and with it. */
gboolean fake_ports_took (FakePorts *fake, const char *word);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakePorts, fake_ports_free)
