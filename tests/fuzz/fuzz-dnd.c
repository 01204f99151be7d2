/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Windows of do-not-disturb, words and iCalendar: whatever is accepted can be asked for any time, and the next change lies ahead. */

#include <stddef.h>
#include <stdint.h>

#include "core/dnd-schedule.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const gint64 times[] = { 0, 1774746000, 1795867200, 4102444800 };
  g_autofree char *text = g_strndup ((const char *) data, size);
  const char *items[] = { text, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneDndSchedule) schedule = phone_dnd_schedule_new (items, &error);
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier ("Europe/Berlin");

  g_assert_true ((schedule == NULL) == (error != NULL));
  for (gsize i = 0; schedule && i < G_N_ELEMENTS (times); i++)
    {
      gint64 next;

      phone_dnd_schedule_is_open (schedule, times[i], zone, &next);
      g_assert_true (next == 0 || next > times[i]);
    }
  return 0;
}
