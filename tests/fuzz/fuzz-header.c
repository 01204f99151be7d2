/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The pieces of SIP messages that we read ourselves. Every input goes through all of them; lines are separate headers. */

#include <stdint.h>
#include <string.h>

#include "sip/diversion.h"
#include "sip/ua-header.h"
#include "util/phone-uri.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 4);
  const char *first = lines[0];
  const char *second = first ? lines[1] : NULL;
  const char *third = second ? lines[2] : NULL;
  char digit;
  guint ms;

  if (ua_dtmf_info_parse ("application/dtmf-relay", (const char *) data, size, &digit, &ms))
    {
      g_assert (strchr ("0123456789*#ABCD", digit) && digit && ms <= 6000);
    }
  if (ua_dtmf_info_parse ("application/dtmf", (const char *) data, size, &digit, &ms))
    g_assert (strchr ("0123456789*#ABCD", digit) && digit && ms == 0);
  if (first)
    {
      g_auto (GStrv) entries = ua_header_split (first);
      g_autofree char *uri = ua_diverter (first, second);
      g_autoptr (PhoneUri) parsed = uri ? phone_uri_parse (uri, NULL) : NULL;

      g_autofree char *diversion = ua_diversion_add (first, "sip:a@b", "deflection");
      g_autofree char *kept = ua_diversion_keep (first);
      g_autofree char *history = ua_history_add (first, second ? second : "sip:a@b", "sip:c@d", "no-answer");

      g_assert (g_strv_length (entries) <= 32);
      g_assert (ua_header_is_safe (diversion) && ua_diversion_names (diversion, NULL, "sip:a@b"));
      g_assert (kept == NULL || ua_header_is_safe (kept));
      g_assert (history == NULL || (ua_header_is_safe (history) && ua_diversion_count (NULL, history) > 0));
      ua_diversion_count (first, second);
      g_autofree char *alert = ua_alert_words (first);
      g_assert (alert == NULL || (*alert && strlen (alert) <= UA_MAX_ALERT && ua_header_is_safe (alert)));
      for (gsize i = 0; entries[i]; i++)
        g_assert (*entries[i]);
      g_assert (uri == NULL || parsed != NULL);
      g_assert (ua_answer_wish (first, second, third, text).ms <= UA_MAX_AUTO_ANSWER_S * 1000);
      g_assert (!ua_answer_wish (first, second, third, text).manual || ua_answer_wish (first, second, third, text).ms == 0);
    }
  ua_header_is_safe (text);
  return 0;
}
