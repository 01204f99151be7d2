/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/service-code.h"

#include <string.h>

#include "util/text.h"

#define MAX_CODE 128

char *
phone_service_code_check (const char *code, const char *place, GError **error)
{
  const char *found = strstr (code, place);
  const char *rest = found ? found + strlen (place) : NULL;
  gboolean good = strlen (code) <= MAX_CODE && phone_text_is_clean (code) && !strpbrk (code, " <>\"");

  if (found)
    good = good && !memchr (code, '{', (gsize) (found - code)) && !strpbrk (rest, "{}");
  else
    good = good && !strpbrk (code, "{}");
  if (good)
    return g_strdup (code);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" is not a number, URI or code, with at most one %s", code, place);
  return NULL;
}

char *
phone_service_code_expand (const char *code, const char *place, const char *about)
{
  const char *found = strstr (code, place);

  if (!about)
    about = "";
  if (!found)
    return *about ? NULL : g_strdup (code);
  return g_strdup_printf ("%.*s%s%s", (int) (found - code), code, about, found + strlen (place));
}

gboolean
phone_service_about_is_good (const char *about)
{
  gsize length = strlen (about);

  return length > 0 && length <= PHONE_SERVICE_ABOUT_MAX
         && strspn (about, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._+*#") == length;
}
