/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which of the DNS records count, and in which order (RFC 3263, RFC 2782, RFC 3403). */

#include "sip/target.h"

static void
check_naptr (PhoneTransport transport, gboolean with_tls, const char *wanted)
{
  static const UaNaptr records[] = {
    { 20, 1, "s", "SIP+D2U", "later" },
    { 10, 3, "S", "sip+d2u", "u" },
    { 10, 1, "s", "SIPS+D2T", "s" },
    { 10, 2, "s", "SIP+D2T", "t" },
    { 5, 1, "s", "SIP+D2S", "sctp" },
    { 5, 1, "u", "E2U+sip", "enum" },
    { 5, 1, "u", "SIP+D2U", "" },
  };
  UaService services[3];
  guint n = ua_naptr_choose (records, G_N_ELEMENTS (records), transport, with_tls, services, G_N_ELEMENTS (services));
  g_autoptr (GString) got = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (got, "%s%s:%s", i ? " " : "", phone_transport_to_string (services[i].transport), services[i].name);
  g_assert_cmpstr (got->str, ==, wanted);
}

static void
test_naptr (void)
{
  check_naptr (PHONE_TRANSPORT_AUTO, FALSE, "tcp:t udp:u");
  check_naptr (PHONE_TRANSPORT_AUTO, TRUE, "tls:s tcp:t udp:u");
  check_naptr (PHONE_TRANSPORT_TLS, FALSE, "tls:s");
  check_naptr (PHONE_TRANSPORT_UDP, TRUE, "udp:u");
  check_naptr (PHONE_TRANSPORT_TCP, TRUE, "tcp:t");
}

static double
on_chance (gpointer data)
{
  return g_rand_double (data);
}

static double
on_zero (gpointer data)
{
  return 0;
}

static void
test_srv_priority (void)
{
  UaSrv records[] = { { 30, 9, 1, "c" }, { 10, 0, 2, "a" }, { 20, 1, 3, "b" } };

  ua_srv_order (records, 3, on_zero, NULL);
  g_assert_cmpstr (records[0].host, ==, "a");
  g_assert_cmpstr (records[1].host, ==, "b");
  g_assert_cmpstr (records[2].host, ==, "c");
  ua_srv_order (records, 0, on_zero, NULL);
}

/* The first place in proportion to the weights, the second among those that are left; weight 0 seldom and not never. */
static void
test_srv_weight (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  guint first[4] = { 0 }, second[4] = { 0 };

  for (guint i = 0; i < 20000; i++)
    {
      UaSrv records[] = { { 1, 10, 0, "" }, { 1, 30, 1, "" }, { 1, 60, 2, "" }, { 1, 0, 3, "" } };

      ua_srv_order (records, 4, on_chance, rand);
      first[records[0].port]++;
      if (records[0].port == 2)
        second[records[1].port]++;
    }
  g_assert_cmpuint (first[0], >, 1700);
  g_assert_cmpuint (first[0], <, 2300);
  g_assert_cmpuint (first[1], >, 5500);
  g_assert_cmpuint (first[1], <, 6400);
  g_assert_cmpuint (first[2], >, 11400);
  g_assert_cmpuint (first[2], <, 12400);
  g_assert_cmpuint (first[3], >, 0);
  g_assert_cmpuint (first[3], <, 400);
  g_assert_cmpuint (second[1], >, 2 * second[0]);
}

static void
check_route (PhoneTransport transport, const char *address, gboolean by_name, const char *wanted)
{
  UaTarget *target = ua_target_new (transport, "example.org", address, 5061, 0);
  g_autofree char *route = ua_target_route (target, by_name);

  g_assert_cmpstr (route, ==, wanted);
  ua_target_free (target);
}

static void
test_route (void)
{
  check_route (PHONE_TRANSPORT_AUTO, "192.0.2.1", FALSE, "sip:192.0.2.1:5061");
  check_route (PHONE_TRANSPORT_UDP, "192.0.2.1", FALSE, "sip:192.0.2.1:5061;transport=udp");
  check_route (PHONE_TRANSPORT_TLS, "2001:db8::1", FALSE, "sip:[2001:db8::1]:5061;transport=tls");
  check_route (PHONE_TRANSPORT_TLS, "192.0.2.1", TRUE, "sip:example.org:5061;maddr=192.0.2.1;transport=tls");
  check_route (PHONE_TRANSPORT_TLS, "2001:db8::1", TRUE, "sip:example.org:5061;maddr=[2001:db8::1];transport=tls");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/target/naptr", test_naptr);
  g_test_add_func ("/target/srv-priority", test_srv_priority);
  g_test_add_func ("/target/srv-weight", test_srv_weight);
  g_test_add_func ("/target/route", test_route);
  return g_test_run ();
}
