/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The reports of voice quality that a collector gets while a call lasts, and the last one. */

#include "core/ports.h"

typedef struct _PhoneQualityWatch PhoneQualityWatch;

/* A call of the account began, changed its state or ended: starts the watch over it when it is up, and ends it. */
void phone_quality_watch_update (PhoneCall *call, const PhonePorts *ports);
void phone_quality_watch_free (PhoneQualityWatch *watch);       /* accepts NULL */
