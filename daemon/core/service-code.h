/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is dialled for a service of the server: a number, URI or feature code with a place for what it is about, as "*68{slot}" or "**{target}".
 * Pure. */

#include "util/phone-error.h"

#define PHONE_SERVICE_ABOUT_MAX 64

/* A setting; NULL with INVALID_OPTION. place: "{slot}" ... that may stand in it, once. Caller frees. */
char *phone_service_code_check (const char *code, const char *place, GError **error);
/* With about in its place, or without ("" or NULL). A code without a place, about something: NULL. Caller frees. */
char *phone_service_code_expand (const char *code, const char *place, const char *about);
/* Whether that may be put into a code: letters, digits and - . _ + * # only. */
gboolean phone_service_about_is_good (const char *about);
