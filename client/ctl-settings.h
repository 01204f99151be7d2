/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl.h"

/* `account add` and `account set`. */
int ctl_settings_add (Ctl *ctl, const CtlArgs *args);
int ctl_settings_set (Ctl *ctl, const CtlArgs *args);
