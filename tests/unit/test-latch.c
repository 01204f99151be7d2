/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "media/media-latch.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static MediaAddress
address (const char *host, guint16 port)
{
  MediaAddress a;
  g_assert_true (media_address_parse (host, port, AF_INET, &a));
  return a;
}

static void
assert_destination (const MediaLatch *latch, const char *wanted)
{
  g_autofree char *text = media_address_to_string (media_latch_destination (latch));
  g_assert_cmpstr (text, ==, wanted);
}

/* The whole way of one packet. */
static gboolean
packet (MediaLatch *latch, const MediaAddress *from, guint32 ssrc, guint16 seq, gint64 now)
{
  gboolean moved;
  return media_latch_may_enter (latch, from, now) && media_latch_valid (latch, from, ssrc, seq, now, &moved);
}

static void
test_address (void)
{
  MediaAddress a, b;

  g_assert_true (media_address_parse ("192.0.2.1", 4000, AF_INET6, &a));
  g_autofree char *mapped = media_address_to_string (&a);
  g_assert_cmpstr (mapped, ==, "192.0.2.1:4000");
  g_assert_true (media_address_is_usable (&a));
  g_assert_true (media_address_parse ("2001:db8::1", 4000, AF_INET6, &b));
  g_autofree char *six = media_address_to_string (&b);
  g_assert_cmpstr (six, ==, "[2001:db8::1]:4000");
  g_assert_false (media_address_equal (&a, &b));
  g_assert_true (media_address_parse ("2001:db8::1", 4002, AF_INET6, &a));
  g_assert_false (media_address_equal (&a, &b));
  g_assert_true (media_address_same_host (&a, &b));
  g_assert_false (media_address_parse ("2001:db8::1", 4000, AF_INET, &a));
  g_assert_false (media_address_parse ("example.org", 4000, AF_INET, &a));
  g_assert_false (media_address_parse ("", 4000, AF_INET, &a));

  static const struct
  {
    const char *host;
    guint16 port;
    int family;
  } unusable[] = { { "0.0.0.0", 4000, AF_INET }, { "192.0.2.1", 0, AF_INET }, { "::", 4000, AF_INET6 }, { "0.0.0.0", 4000, AF_INET6 } };
  for (guint i = 0; i < G_N_ELEMENTS (unusable); i++)
    {
      g_assert_true (media_address_parse (unusable[i].host, unusable[i].port, unusable[i].family, &a));
      g_assert_false (media_address_is_usable (&a));
    }
  MediaAddress none = { 0 };
  g_assert_false (media_address_is_usable (&none));
}

static void
test_clear (void)
{
  MediaAddress told = address ("192.0.2.1", 4000), nat = address ("198.51.100.9", 61000), other = address ("203.0.113.5", 7000);
  MediaLatch latch = { 0 };
  gint64 now = 100 * SECOND;

  media_latch_negotiate (&latch, &told, FALSE, now);
  assert_destination (&latch, "192.0.2.1:4000");

  /* A stranger needs two packets in sequence; sprayed ones do not add up. */
  g_assert_false (packet (&latch, &other, 1, 10, now));
  g_assert_false (packet (&latch, &nat, 2, 50, now));
  g_assert_false (packet (&latch, &other, 1, 11, now));
  g_assert_false (packet (&latch, &nat, 2, 51, now));
  g_assert_false (packet (&latch, &nat, 3, 52, now));
  g_assert_false (packet (&latch, &nat, 3, 52, now));
  g_assert_true (packet (&latch, &nat, 3, 53, now));
  assert_destination (&latch, "198.51.100.9:61000");

  /* Nobody takes it over while it lives, not even with the right stream. */
  for (guint i = 54; i < 70; i++)
    {
      g_assert_true (packet (&latch, &nat, 3, (guint16) i, now += SECOND));
      g_assert_false (packet (&latch, &other, 3, (guint16) i, now));
      g_assert_false (packet (&latch, &other, 3, (guint16) (i + 1), now));
    }
  /* A re-INVITE with the same address keeps it. */
  media_latch_negotiate (&latch, &told, FALSE, now);
  assert_destination (&latch, "198.51.100.9:61000");

  /* The NAT forgets: silence, then the same stream from another port; another stream does not get in. */
  MediaAddress rebound = address ("198.51.100.9", 61500);
  now += MEDIA_LATCH_PAUSE;
  g_assert_false (packet (&latch, &other, 9, 70, now));
  g_assert_false (packet (&latch, &other, 9, 71, now));
  g_assert_false (packet (&latch, &rebound, 3, 75, now));
  g_assert_true (packet (&latch, &rebound, 3, 76, now));
  assert_destination (&latch, "198.51.100.9:61500");

  /* The negotiated address speaks: it wins, and for good. */
  g_assert_true (packet (&latch, &told, 5, 1, now));
  assert_destination (&latch, "192.0.2.1:4000");
  g_assert_false (packet (&latch, &rebound, 3, 77, now + SECOND));
  g_assert_false (packet (&latch, &rebound, 3, 78, now + SECOND));
  assert_destination (&latch, "192.0.2.1:4000");

  /* A new address in SDP starts anew. */
  media_latch_negotiate (&latch, &other, FALSE, now);
  assert_destination (&latch, "203.0.113.5:7000");
  g_assert_true (packet (&latch, &other, 5, 2, now));
}

static void
test_secure (void)
{
  MediaAddress told = address ("192.0.2.1", 4000), nat = address ("198.51.100.9", 61000), other = address ("203.0.113.5", 7000);
  MediaLatch latch = { 0 };
  gint64 now = 100 * SECOND;
  gboolean moved;

  media_latch_negotiate (&latch, &told, TRUE, now);
  g_assert_true (media_latch_may_enter (&latch, &nat, now));
  assert_destination (&latch, "192.0.2.1:4000");        /* entering alone moves nothing */
  g_assert_true (media_latch_valid (&latch, &nat, 1, 1, now, &moved));
  g_assert_true (moved);
  assert_destination (&latch, "198.51.100.9:61000");

  /* Authentic packets by another way are taken, but move nothing while the first way lives, by a replay too. */
  for (guint i = 0; i < 20; i++)
    {
      now += SECOND;
      g_assert_true (packet (&latch, &other, 1, (guint16) (2 + i), now));
      media_latch_replayed (&latch, &nat, now);
    }
  assert_destination (&latch, "198.51.100.9:61000");
  now += MEDIA_LATCH_SILENCE;
  g_assert_true (media_latch_valid (&latch, &other, 1, 30, now, &moved));
  g_assert_true (moved);
  assert_destination (&latch, "203.0.113.5:7000");
  /* Not again so soon. */
  now += MEDIA_LATCH_SILENCE;
  g_assert_true (media_latch_valid (&latch, &nat, 1, 31, now, &moved));
  g_assert_false (moved);

  /* Strangers have a budget; the known have none. */
  guint entered = 0;
  now += 10 * SECOND;
  for (guint i = 0; i < 5000; i++)
    {
      MediaAddress stranger = address ("203.0.113.77", (guint16) (1000 + i));
      entered += media_latch_may_enter (&latch, &stranger, now);
      g_assert_true (media_latch_may_enter (&latch, &other, now));
      g_assert_true (media_latch_may_enter (&latch, &told, now));
    }
  g_assert_cmpuint (entered, ==, MEDIA_LATCH_STRANGERS);
}

/* The peer moves by re-INVITE while packets from the old place are under way, and some keep coming. */
static void
test_moved (gconstpointer data)
{
  MediaAddress old = address ("192.0.2.1", 4000), told = address ("192.0.2.2", 4000), nat = address ("198.51.100.9", 61000);
  gboolean secure = GPOINTER_TO_INT (data), moved;
  gint64 now = 100 * SECOND;

  for (guint way = 0; way < 2; way++)   /* the new place is as told; is behind a NAT */
    {
      const MediaAddress *place = way == 0 ? &told : &nat;
      MediaLatch latch = { 0 };
      media_latch_negotiate (&latch, &old, secure, now);
      for (guint i = 0; i < 5; i++)
        g_assert_true (packet (&latch, &old, 1, (guint16) i, now));
      media_latch_negotiate (&latch, &told, secure, now);
      for (guint i = 5; i < 10; i++)
        g_assert_true (packet (&latch, &old, 1, (guint16) i, now));
      assert_destination (&latch, "192.0.2.2:4000");
      packet (&latch, place, 2, 100, now);
      g_assert_true (packet (&latch, place, 2, 101, now));
      for (guint i = 10; i < 500; i++)
        {
          now += SECOND / 50;
          g_assert_false (media_latch_may_enter (&latch, &old, now)
                          && media_latch_valid (&latch, &old, 1, (guint16) i, now, &moved));
          g_assert_true (packet (&latch, place, 2, (guint16) (100 + i), now));
        }
      assert_destination (&latch, way == 0 ? "192.0.2.2:4000" : "198.51.100.9:61000");
    }

  /* SDP has moved, the peer has not, and never appears where he said: we find him where he was. */
  MediaLatch latch = { 0 };
  media_latch_negotiate (&latch, &old, secure, now);
  packet (&latch, &old, 1, 0, now);
  media_latch_negotiate (&latch, &told, secure, now);
  for (guint i = 1; i < 200; i++)
    packet (&latch, &old, 1, (guint16) i, now += SECOND / 50);
  g_assert_true (packet (&latch, &old, 1, 200, now));
  assert_destination (&latch, "192.0.2.1:4000");
  /* Now he does: negotiated wins. */
  packet (&latch, &told, 1, 201, now);
  assert_destination (&latch, "192.0.2.2:4000");
}

static void
test_rtcp (void)
{
  MediaAddress told = address ("192.0.2.1", 4000), told_rtcp = address ("192.0.2.1", 4001);
  MediaAddress nat = address ("198.51.100.9", 61000), nat_rtcp = address ("198.51.100.9", 61777), other = address ("203.0.113.5", 1);
  MediaLatch rtp = { 0 }, rtcp = { 0 };
  gint64 now = 100 * SECOND;
  gboolean moved;

  media_latch_negotiate (&rtp, &told, FALSE, now);
  media_latch_negotiate (&rtcp, &told_rtcp, FALSE, now);
  g_assert_false (media_latch_valid_rtcp (&rtcp, &rtp, &nat_rtcp, 3, now, &moved));
  g_assert_false (packet (&rtp, &nat, 3, 1, now));
  g_assert_true (packet (&rtp, &nat, 3, 2, now));
  g_assert_false (media_latch_valid_rtcp (&rtcp, &rtp, &other, 3, now, &moved));
  g_assert_false (media_latch_valid_rtcp (&rtcp, &rtp, &nat_rtcp, 4, now, &moved));
  g_assert_true (media_latch_valid_rtcp (&rtcp, &rtp, &nat_rtcp, 3, now, &moved));
  assert_destination (&rtcp, "198.51.100.9:61777");
  g_assert_true (media_latch_valid_rtcp (&rtcp, &rtp, &told_rtcp, 8, now, &moved));
  assert_destination (&rtcp, "192.0.2.1:4001");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/latch/address", test_address);
  g_test_add_func ("/latch/clear", test_clear);
  g_test_add_func ("/latch/secure", test_secure);
  g_test_add_data_func ("/latch/moved/clear", GINT_TO_POINTER (FALSE), test_moved);
  g_test_add_data_func ("/latch/moved/secure", GINT_TO_POINTER (TRUE), test_moved);
  g_test_add_func ("/latch/rtcp", test_rtcp);
  return g_test_run ();
}
