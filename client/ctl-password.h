/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl.h"

#define CTL_PASSWORD_MAX 4096

typedef struct
{
  size_t length;
  char text[CTL_PASSWORD_MAX];
} CtlPassword;

#define CTL_PASSWORD_NONE { 0, "" }

/* From standard input up to the first newline; from a terminal with a prompt and without echo. A CtlExit; says what is wrong. */
int ctl_password_read (CtlPassword *password);
/* To the account, by Account.SetSecret; for another host by that host's own phonectl. A CtlExit. */
int ctl_password_send (Ctl *ctl, const char *account_path, bool turn, const CtlPassword *password);
/* To any method of this machine's phone that takes a descriptor. */
int ctl_password_hand_over (Ctl *ctl, const char *path, const char *interface, const char *member, const CtlPassword *password);
void ctl_password_clear (CtlPassword *password);
