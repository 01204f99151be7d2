/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A device that asks for frames, and when that is too late. No clock. */

#include "media/media-shortage.h"

#define FRAME 10000
#define BUFFER 20000

typedef struct
{
  MediaShortage shortage;
  gint64 now;
  guint short_of;
} Device;

static void
ask (Device *device, guint frames)
{
  for (guint i = 0; i < frames; i++)
    device->short_of += media_shortage_add (&device->shortage, device->now, BUFFER, FRAME);
}

/* Fills its buffer, then asks for a frame whenever one was played. */
static Device
started (void)
{
  Device device = { .now = 1000000 };

  media_shortage_init (&device.shortage);
  ask (&device, BUFFER / FRAME);
  return device;
}

static void
play (Device *device, guint frames, gint64 late)
{
  for (guint i = 0; i < frames; i++)
    {
      device->now += FRAME + late;
      ask (device, 1);
      device->now -= late;
    }
}

static void
test_in_time (void)
{
  Device device = started ();

  play (&device, 3000, 0);
  /* As late as the buffer can bear, once and for long. */
  play (&device, 1, BUFFER - FRAME);
  play (&device, 10, 0);
  play (&device, 200, BUFFER - FRAME);
  play (&device, 3000, 0);
  g_assert_cmpuint (device.short_of, ==, 0);
}

static void
test_late (void)
{
  Device device = started ();

  play (&device, 1000, 0);
  play (&device, 1, BUFFER - FRAME + 3000);
  g_assert_cmpuint (device.short_of, ==, 1);
  /* The device plays what comes late and goes on by that: no second one for the same. */
  device.now += BUFFER - FRAME + 3000;
  play (&device, 3000, 0);
  g_assert_cmpuint (device.short_of, ==, 1);
  play (&device, 1, 25000);
  g_assert_cmpuint (device.short_of, ==, 2);
}

/* A crystal that is wrong by 300 ppm moves all by 180 ms in ten minutes. */
static void
test_crystal (void)
{
  for (int sign = -1; sign <= 1; sign += 2)
    {
      Device device = started ();

      for (guint i = 0; i < 60000; i++)
        {
          device.now += FRAME + sign * 3;
          ask (&device, 1);
        }
      g_assert_cmpuint (device.short_of, ==, 0);
      play (&device, 1, 20000);
      g_assert_cmpuint (device.short_of, ==, 1);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shortage/in-time", test_in_time);
  g_test_add_func ("/shortage/late", test_late);
  g_test_add_func ("/shortage/crystal", test_crystal);
  return g_test_run ();
}
