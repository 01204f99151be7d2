/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Messages of an agent, sent as its user would: an archive that keeps them as they were told last, and nothing else. */

#include "core/message.h"
#include "harness.h"

typedef struct _Archive Archive;

/* Before the first message. */
Archive *archive_new (Agent *agent);
void archive_free (Archive *archive);   /* after the agent */
void archive_send (Archive *archive, PhoneAccount *account, const char *to, const char *text);
/* The one with that text. */
const PhoneMessage *archive_find (Archive *archive, const char *text);
