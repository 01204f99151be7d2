/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/handshake-rate.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define S ((gint64) G_USEC_PER_SEC)

static guint
take (HandshakeRate *rate, const char *text, guint n, gint64 now)
{
  struct sockaddr_in ip4 = { .sin_family = AF_INET };
  struct sockaddr_in6 ip6 = { .sin6_family = AF_INET6 };
  gboolean is_ip4 = inet_pton (AF_INET, text, &ip4.sin_addr) == 1;
  guint taken = 0;

  g_assert_true (is_ip4 || inet_pton (AF_INET6, text, &ip6.sin6_addr) == 1);
  for (guint i = 0; i < n; i++)
    taken += handshake_rate_take (rate, is_ip4 ? (struct sockaddr *) &ip4 : (struct sockaddr *) &ip6, now);
  return taken;
}

static void
test_source (void)
{
  HandshakeRate *rate = handshake_rate_new ();

  g_assert_cmpuint (take (rate, "192.0.2.1", 100, 0), ==, HANDSHAKE_SOURCE_BURST);
  g_assert_cmpuint (take (rate, "::ffff:192.0.2.1", 1, 0), ==, 0);
  g_assert_cmpuint (take (rate, "192.0.2.2", 1, 0), ==, 1);
  g_assert_cmpuint (take (rate, "192.0.2.1", 100, S), ==, HANDSHAKE_SOURCE_PER_S);
  g_assert_cmpuint (take (rate, "192.0.2.1", 100, 3600 * S), ==, HANDSHAKE_SOURCE_BURST);
  g_assert_cmpuint (take (rate, "192.0.2.1", 1, 0), ==, 0);     /* a clock that goes back gives nothing */
  handshake_rate_free (rate);
}

/* A subscriber has as many addresses as he likes. */
static void
test_ip6 (void)
{
  HandshakeRate *rate = handshake_rate_new ();

  g_assert_cmpuint (take (rate, "2001:db8::1", 100, 0), ==, HANDSHAKE_SOURCE_BURST);
  g_assert_cmpuint (take (rate, "2001:db8::ffff:1", 100, 0), ==, 0);
  g_assert_cmpuint (take (rate, "2001:db8:0:1::1", 100, 0), ==, HANDSHAKE_SOURCE_BURST);
  handshake_rate_free (rate);
}

/* Many sources: the sum holds, and who has used up his own is not forgotten for those who have not. */
static void
test_total (void)
{
  HandshakeRate *rate = handshake_rate_new ();
  guint n = take (rate, "192.0.2.1", HANDSHAKE_SOURCE_BURST, 0);

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *address = g_strdup_printf ("10.0.%u.%u", i / 250, i % 250);

      n += take (rate, address, 1, 0);
    }
  g_assert_cmpuint (n, ==, HANDSHAKE_TOTAL_BURST);
  g_assert_cmpuint (take (rate, "192.0.2.9", 1, 0), ==, 0);
  /* after a second there is something again, and not for him alone */
  g_assert_cmpuint (take (rate, "192.0.2.1", 100, S), ==, HANDSHAKE_SOURCE_PER_S);
  g_assert_cmpuint (take (rate, "192.0.2.9", 100, S), ==, HANDSHAKE_TOTAL_PER_S - HANDSHAKE_SOURCE_PER_S);
  handshake_rate_free (rate);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handshake-rate/source", test_source);
  g_test_add_func ("/handshake-rate/ip6", test_ip6);
  g_test_add_func ("/handshake-rate/total", test_total);
  return g_test_run ();
}
