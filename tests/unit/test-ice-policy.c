/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Servers as they are written in settings, and which addresses ICE has to do with. */

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/ice-server.h"
#include "media/media-ice-policy.h"
#include "util/phone-error.h"

static void
test_servers (void)
{
  static const struct
  {
    const char *text;
    gboolean relay;
    const char *host;
    guint16 port;
    PhoneIceServerTransport transport;
  } good[] = {
    { "stun:stun.example.org", FALSE, "stun.example.org", 3478, PHONE_ICE_SERVER_UDP },
    { "STUN:Stun.Example.org:19302", FALSE, "stun.example.org", 19302, PHONE_ICE_SERVER_UDP },
    { "192.0.2.1", FALSE, "192.0.2.1", 3478, PHONE_ICE_SERVER_UDP },
    { "turn:[2001:db8::1]:4000?transport=udp", TRUE, "2001:db8::1", 4000, PHONE_ICE_SERVER_UDP },
    { "turn:relay.example.org?transport=tcp", TRUE, "relay.example.org", 3478, PHONE_ICE_SERVER_TCP },
    { "turns:relay.example.org", TRUE, "relay.example.org", 5349, PHONE_ICE_SERVER_TLS },
    { "turns:relay.example.org:443?transport=tcp", TRUE, "relay.example.org", 443, PHONE_ICE_SERVER_TLS },
  };
  static const struct
  {
    const char *text;
    gboolean relay;
  } bad[] = {
    { "", FALSE }, { "stun:", FALSE }, { "stun:alice@example.org", FALSE }, { "stun:example.org:0", FALSE }, { "stun:example.org:99999", FALSE },
    { "stun:example.org?transport=udp", FALSE }, { "turn:example.org", FALSE }, { "stun:example.org", TRUE }, { "turns:example.org", FALSE },
    { "turns:example.org?transport=udp", TRUE }, { "turn:example.org?transport=sctp", TRUE }, { "turn:example.org;lr", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PhoneIceServer) server = phone_ice_server_parse (good[i].text, good[i].relay, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (server->host, ==, good[i].host);
      g_assert_cmpuint (server->port, ==, good[i].port);
      g_assert_cmpint (server->transport, ==, good[i].transport);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (PhoneIceServer) server = phone_ice_server_parse (bad[i].text, bad[i].relay, &error);
      if (server != NULL)
        g_error ("“%s” was taken", bad[i].text);
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
    }
}

static void
test_acceptable (void)
{
  static const char *const bad[] = { "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "::", "ff02::1",
                                     "::ffff:192.0.2.1", "::192.0.2.1", "", "example.org", "0a1b2c3d-0000-4000-8000-0123456789ab.local",
                                     "192.0.2.1:80", "fe80::1%eth0" };
  static const char *const good[] = { "192.0.2.1", "10.0.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "2001:db8::1", "fd00::1", "fe80::1" };
  static const char *const loopback[] = { "127.0.0.1", "127.64.3.2", "::1" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (media_ice_is_acceptable (bad[i], TRUE));
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (media_ice_is_acceptable (good[i], FALSE));
  for (gsize i = 0; i < G_N_ELEMENTS (loopback); i++)
    {
      g_assert_true (media_ice_is_acceptable (loopback[i], TRUE));
      g_assert_false (media_ice_is_acceptable (loopback[i], FALSE));
    }
}

static void
free_list (char **list, guint n)
{
  while (n > 0)
    g_free (list[--n]);
}

static gboolean
has_address (int family, const char *text)
{
  struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
  struct sockaddr_in v4 = { .sin_family = AF_INET };
  int fd = socket (family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean there = FALSE;

  if (fd < 0)
    return FALSE;
  if (family == AF_INET && inet_pton (AF_INET, text, &v4.sin_addr) == 1)
    there = bind (fd, (const struct sockaddr *) &v4, sizeof v4) == 0;
  else if (inet_pton (AF_INET6, text, &v6.sin6_addr) == 1)
    there = bind (fd, (const struct sockaddr *) &v6, sizeof v6) == 0;
  close (fd);
  return there;
}

static void
test_addresses (void)
{
  char *list[MEDIA_ICE_MAX_ADDRESSES + 1];
  guint n;

  /* On loopback there is nothing else but the other family's, for a peer who has only that. */
  n = media_ice_choose_addresses (NULL, "127.64.9.1", list);
  g_assert_cmpuint (n, ==, has_address (AF_INET6, "::1") ? 2 : 1);
  g_assert_cmpstr (list[0], ==, "127.64.9.1");
  if (n > 1)
    g_assert_cmpstr (list[1], ==, "::1");
  free_list (list, n);
  n = media_ice_choose_addresses (NULL, "::1", list);
  g_assert_cmpstr (list[0], ==, "::1");
  for (guint i = 1; i < n; i++)
    g_assert_true (media_ice_is_loopback (list[i]) && strchr (list[i], ':') == NULL);
  g_assert_cmpuint (n > 1, ==, has_address (AF_INET, "127.0.0.1"));
  free_list (list, n);
  n = media_ice_choose_addresses ("127.64.9.1", "127.64.9.1", list);
  g_assert_cmpuint (n, ==, 1);
  free_list (list, n);

  n = media_ice_choose_addresses ("192.0.2.7", "192.0.2.8", list);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpstr (list[0], ==, "192.0.2.7");
  free_list (list, n);

  /* The way to the server is the first, and no other is loopback. */
  n = media_ice_choose_addresses (NULL, "192.0.2.7", list);
  g_assert_cmpuint (n, >=, 1);
  g_assert_cmpuint (n, <=, MEDIA_ICE_MAX_ADDRESSES);
  g_assert_null (list[n]);
  g_assert_cmpstr (list[0], ==, "192.0.2.7");
  for (guint i = 1; i < n; i++)
    {
      g_assert_false (media_ice_is_loopback (list[i]));
      g_assert_cmpstr (list[i], !=, list[0]);
    }
  free_list (list, n);
}

/* Many addresses of one family leave room for the other. */
static void
test_turns (void)
{
  static const char *const many[] = { "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7", "2001:db8::1", "fd00::1" };
  static const char *const expected[] = { "10.0.0.2", "2001:db8::1", "10.0.0.1", "fd00::1", "10.0.0.3", "10.0.0.4" };
  char *list[MEDIA_ICE_MAX_ADDRESSES + 1] = { g_strdup ("10.0.0.2") };
  guint n = media_ice_take_turns (many, G_N_ELEMENTS (many), list, 1);

  g_assert_cmpuint (n, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < n; i++)
    g_assert_cmpstr (list[i], ==, expected[i]);
  free_list (list, n);

  n = media_ice_take_turns (many + 7, 1, list, media_ice_take_turns (many, 1, list, 0));
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpstr (list[1], ==, "2001:db8::1");
  free_list (list, n);
  g_assert_cmpuint (media_ice_take_turns (NULL, 0, list, 0), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ice/servers", test_servers);
  g_test_add_func ("/ice/acceptable", test_acceptable);
  g_test_add_func ("/ice/addresses", test_addresses);
  g_test_add_func ("/ice/turns", test_turns);
  return g_test_run ();
}
