/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-fader.h"
#include "core/fader.h"

#include <math.h>
#include <stdatomic.h>

#define SETTLE_US G_USEC_PER_SEC        /* that a server has to do what it was told */
#define VALUE_BITS 16

static const char *const properties[] = { "mute", "volume" };
static const int neutral[] = { 0, PHONE_VOLUME_NOMINAL };

void
media_fader_init (MediaFader *fader)
{
  for (guint i = 0; i < MEDIA_FADER_N_PARTS; i++)
    {
      atomic_init (&fader->word[i], 0);
      fader->applied[i] = 0;
      fader->seen[i] = -1;
      fader->applied_at[i] = 0;
    }
  fader->prepared = FALSE;
}

/* Only one thread sets: the number cannot be given twice. */
void
media_fader_set (MediaFader *fader, MediaFaderPart part, guint value)
{
  gint64 number = atomic_load (&fader->word[part]) >> VALUE_BITS;

  atomic_store (&fader->word[part], (number + 1) << VALUE_BITS | value);
}

gboolean
media_fader_is_due (const MediaFader *fader)
{
  for (guint i = 0; i < MEDIA_FADER_N_PARTS; i++)
    if ((guint64) (atomic_load (&fader->word[i]) >> VALUE_BITS) != fader->applied[i])
      return TRUE;
  return FALSE;
}

/* GStreamer's volume is linear; pa_sw_volume_from_linear() has the cubic scale. */
static void
write_value (GstElement *element, MediaFaderPart part, int value)
{
  switch (part)
    {
    case MEDIA_FADER_MUTE:
      g_object_set (element, "mute", value, NULL);
      break;
    case MEDIA_FADER_VOLUME:
      g_object_set (element, "volume", pow (value / 100.0, 3), NULL);
      break;
    case MEDIA_FADER_N_PARTS:
      break;
    }
}

static int
read_value (GstElement *element, MediaFaderPart part)
{
  gboolean muted = FALSE;
  double volume = 1;

  switch (part)
    {
    case MEDIA_FADER_MUTE:
      g_object_get (element, "mute", &muted, NULL);
      return muted;
    case MEDIA_FADER_VOLUME:
      g_object_get (element, "volume", &volume, NULL);
      return CLAMP ((int) lrint (100 * cbrt (volume)), 0, PHONE_VOLUME_MAX);
    case MEDIA_FADER_N_PARTS:
      break;
    }
  g_return_val_if_reached (0);
}

static gboolean
has (GstElement *element, MediaFaderPart part)
{
  return element != NULL && g_object_class_find_property (G_OBJECT_GET_CLASS (element), properties[part]) != NULL;
}

static void
apply (MediaFader *fader, GstElement *element, MediaFaderPart part, gint64 word, gint64 now)
{
  int value = word & ((1 << VALUE_BITS) - 1);

  fader->applied[part] = word >> VALUE_BITS;
  if (!has (element, part))
    return;
  write_value (element, part, value);
  fader->seen[part] = value;
  fader->applied_at[part] = now;
}

void
media_fader_prepare (MediaFader *fader, GstElement *element, gint64 now)
{
  for (guint i = 0; i < MEDIA_FADER_N_PARTS; i++)
    {
      gint64 word = atomic_load (&fader->word[i]);

      if ((guint64) (word >> VALUE_BITS) != fader->applied[i])
        apply (fader, element, i, word, now);
      else if (fader->seen[i] >= 0 && has (element, i))
        {
          write_value (element, i, fader->seen[i]);
          fader->applied_at[i] = now;
        }
    }
  fader->prepared = TRUE;
}

static void
check_part (MediaFader *fader, GstElement *element, MediaFaderPart part, gint64 now, MediaFaderNews news, gpointer data)
{
  gint64 word = atomic_load (&fader->word[part]);
  guint64 number = word >> VALUE_BITS;
  char text[64];
  int value;

  if (number != fader->applied[part])
    {
      apply (fader, element, part, word, now);
      return;
    }
  if (!has (element, part))
    return;
  value = read_value (element, part);
  if (value == fader->seen[part])
    return;
  /* What is said while a stream is being connected is lost. */
  if (fader->applied_at[part] != 0 && now - fader->applied_at[part] < SETTLE_US)
    {
      write_value (element, part, fader->seen[part]);
      return;
    }
  if (value != neutral[part] || fader->seen[part] >= 0)
    {
      g_snprintf (text, sizeof text, "%d %" G_GUINT64_FORMAT, value, number);
      news (data, part, text);
    }
  fader->seen[part] = value;
}

void
media_fader_check (MediaFader *fader, GstElement *element, gint64 now, MediaFaderNews news, gpointer data)
{
  for (guint i = 0; i < MEDIA_FADER_N_PARTS; i++)
    {
      /* However long the stream took to come up: a microphone that was muted does not open because the server had lost it. */
      if (fader->prepared && fader->applied_at[i] != 0)
        fader->applied_at[i] = now;
      check_part (fader, element, i, now, news, data);
    }
  fader->prepared = FALSE;
}

gboolean
media_fader_hear (const MediaFader *fader, MediaFaderPart part, const char *text, guint *ret_value)
{
  char *rest;
  guint64 value = g_ascii_strtoull (text, &rest, 10);

  if (g_ascii_strtoull (rest, NULL, 10) != (guint64) (atomic_load (&fader->word[part]) >> VALUE_BITS))
    return FALSE;
  *ret_value = value;
  return TRUE;
}
