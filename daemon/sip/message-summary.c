/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* simple-message-summary (RFC 3842 section 5.2):
 *
 *   Messages-Waiting: yes
 *   Message-Account: sip:alice@vmail.example.com
 *   Voice-Message: 2/8 (0/2)              new/old (urgent new/urgent old)
 *
 * Servers that say only Voice-Message are believed; a text with neither is not a summary. */

#include "sip/event-doc.h"

#include <string.h>

#include "util/text.h"

#define MAX_SIZE 16384
#define MAX_COUNT 999999
#define MAX_URI 512

static gboolean
read_count (const char **at, guint *ret_count)
{
  const char *p = *at;
  guint64 count = 0;

  while (*p == ' ' || *p == '\t')
    p++;
  if (!g_ascii_isdigit (*p))
    return FALSE;
  for (; g_ascii_isdigit (*p); p++)
    count = MIN (count * 10 + (guint) (*p - '0'), MAX_COUNT);
  while (*p == ' ' || *p == '\t')
    p++;
  *at = p;
  *ret_count = (guint) count;
  return TRUE;
}

static gboolean
read_pair (const char **at, guint *ret_first, guint *ret_second)
{
  if (!read_count (at, ret_first) || **at != '/')
    return FALSE;
  (*at)++;
  return read_count (at, ret_second);
}

static gboolean
read_counts (const char *value, PhoneMailboxState *state)
{
  const char *at = value;

  if (!read_pair (&at, &state->fresh, &state->old))
    return FALSE;
  if (*at != '(')
    return TRUE;
  at++;
  if (!read_pair (&at, &state->fresh_urgent, &state->old_urgent))
    state->fresh_urgent = state->old_urgent = 0;
  return TRUE;
}

gboolean
ua_message_summary_read (const char *data, gsize length, PhoneMailboxState *ret_state, GError **error)
{
  g_autofree char *text = g_strndup (data, MIN (length, MAX_SIZE));
  g_auto (GStrv) lines = g_strsplit (text, "\n", 128);
  PhoneMailboxState state = { 0 };
  gboolean counted = FALSE;

  for (gsize i = 0; lines[i]; i++)
    {
      char *colon = strchr (lines[i], ':');
      char *value = colon ? g_strstrip (colon + 1) : NULL;

      if (*lines[i] == '\r' || *lines[i] == '\0')
        {
          if (state.known || counted)
            break;              /* headers of single messages follow */
          continue;
        }
      if (!value)
        continue;
      *colon = '\0';
      g_strchomp (lines[i]);
      if (g_ascii_strcasecmp (lines[i], "Messages-Waiting") == 0)
        {
          state.known = TRUE;
          state.waiting = g_ascii_strcasecmp (value, "yes") == 0;
        }
      else if (g_ascii_strcasecmp (lines[i], "Message-Account") == 0 && !state.account)
        state.account = phone_text_clean (value, -1, MAX_URI);
      else if (g_ascii_strcasecmp (lines[i], "Voice-Message") == 0)
        counted = read_counts (value, &state) || counted;
    }
  if (!state.known && counted)
    state.waiting = state.fresh > 0;
  state.known = state.known || counted;
  if (!state.known)
    {
      phone_mailbox_state_clear (&state);
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "message-summary: says nothing about messages");
      return FALSE;
    }
  phone_mailbox_state_clear (ret_state);
  *ret_state = state;
  return TRUE;
}
