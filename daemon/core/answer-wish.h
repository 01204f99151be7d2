/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What a caller wants about who answers: a person, or the phone by itself (RFC 5373, and what phones sent before there was one). */
typedef struct
{
  guint ms;                     /* after which the phone shall answer, at least 1; 0: it need not */
  gboolean privileged;          /* whatever the user has set (Priv-Answer-Mode) */
  gboolean manual;              /* a person shall answer */
  gboolean required;            /* as wished, or not at all */
} PhoneAnswerWish;
