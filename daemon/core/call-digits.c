/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Digits that a client waits for: a prompt is played, keys are pressed, and it is told what was pressed and why it ended. One wait at a time:
 * two programs that read the same keys would each get half of what was meant.
 *
 * The time for the first digit runs while nothing plays (whoever listens to a prompt does not hesitate), that for the next ones from one digit to
 * the next. The digits themselves are secrets (PINs): they stay out of the log, and are wiped. */

#include "core/call-private.h"

#include <string.h>

struct _PhoneCollector
{
  char digits[PHONE_MAX_COLLECT + 1];
  guint length, min, max, first_ms, next_ms;
  char terminators[PHONE_COLLECT_KEYS + 1];
  gboolean barge_in;
  guint timer;
  PhoneCollected done;
  gpointer data;
};

static void
finish (PhoneCall *call, PhoneCollectEnd end)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  PhoneCollector *collector = g_steal_pointer (&call->collector);

  g_clear_handle_id (&collector->timer, g_source_remove);
  phone_log_info (&call->log, "Call %u: %u digits collected (%s)", call->number, collector->length, phone_collect_end_to_string (end));
  collector->done (call, collector->digits, end, collector->data);
  explicit_bzero (collector, sizeof *collector);
  g_free (collector);
}

static gboolean
on_time_out (gpointer data)
{
  PhoneCall *call = data;

  call->collector->timer = 0;
  finish (call, PHONE_COLLECT_TIMEOUT);
  return G_SOURCE_REMOVE;
}

static void
start_timer (PhoneCall *call)
{
  PhoneCollector *collector = call->collector;

  g_clear_handle_id (&collector->timer, g_source_remove);
  if (collector->length > 0)
    collector->timer = g_timeout_add (collector->next_ms, on_time_out, call);
  else if (call->playing == 0)
    collector->timer = g_timeout_add (collector->first_ms, on_time_out, call);
}

static gboolean
check_params (const PhoneCollectParams *params, GError **error)
{
  const char *wrong = NULL;

  if (params->max < 1 || params->max > PHONE_MAX_COLLECT)
    wrong = "Option 'max' must be 1 to " G_STRINGIFY (PHONE_MAX_COLLECT);
  else if (params->min > params->max)
    wrong = "Option 'min' must not be more than 'max'";
  else if (strlen (params->terminators) > PHONE_COLLECT_KEYS || strspn (params->terminators, "0123456789*#ABCD") != strlen (params->terminators))
    wrong = "Option 'terminators' is made of the keys 0-9 * # A-D";
  else if (params->first_ms > PHONE_MAX_COLLECT_MS)
    wrong = "Option 'first-timeout' must be 0 to " G_STRINGIFY (PHONE_MAX_COLLECT_MS) " ms";
  else if (params->next_ms < 1 || params->next_ms > PHONE_MAX_COLLECT_MS)
    wrong = "Option 'digit-timeout' must be 1 to " G_STRINGIFY (PHONE_MAX_COLLECT_MS) " ms";
  if (wrong)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, wrong);
  return !wrong;
}

gboolean
phone_call_collect (PhoneCall *call, const PhoneCollectParams *params, PhoneCollected done, gpointer data, GError **error)
{
  PhoneCollector *collector;

  if (!check_params (params, error) || !phone_call_require_sound (call, error))
    return FALSE;
  if (call->collector)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "Call %u: its digits are being collected already", call->number);
      return FALSE;
    }
  if (params->prompt && !phone_call_play (call, params->prompt, FALSE, error))
    return FALSE;
  call->collector = collector = g_new0 (PhoneCollector, 1);
  collector->min = params->min;
  collector->max = params->max;
  collector->first_ms = params->first_ms;
  collector->next_ms = params->next_ms;
  collector->barge_in = params->barge_in;
  collector->done = done;
  collector->data = data;
  g_strlcpy (collector->terminators, params->terminators, sizeof collector->terminators);
  start_timer (call);
  return TRUE;
}

void
phone_call_stop_collecting (PhoneCall *call)
{
  if (call->collector)
    finish (call, PHONE_COLLECT_STOPPED);
}

/* A terminator that comes too early is passed over: whoever presses # first has mistaken the question. */
void
phone_call_collect_digit (PhoneCall *call, char digit)
{
  PhoneCollector *collector = call->collector;

  if (!collector || (call->playing > 0 && !collector->barge_in))
    return;
  if (call->playing > 0)
    phone_call_stop_playing (call, NULL);
  if (strchr (collector->terminators, digit))
    {
      if (collector->length >= collector->min)
        finish (call, PHONE_COLLECT_TERMINATOR);
      else
        start_timer (call);
      return;
    }
  collector->digits[collector->length++] = digit;
  if (collector->length == collector->max)
    finish (call, PHONE_COLLECT_MAX);
  else
    start_timer (call);
}

void
phone_call_collect_quiet (PhoneCall *call)
{
  if (call->collector && call->collector->length == 0)
    start_timer (call);
}

void
phone_call_collect_ended (PhoneCall *call)
{
  if (call->collector)
    finish (call, PHONE_COLLECT_HANGUP);
}
