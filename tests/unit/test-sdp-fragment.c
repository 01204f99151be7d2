/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Candidates that come after the description (RFC 8838, RFC 8840). */

#include "sip/sdp-fragment.h"

#include <string.h>

#define SECRETS "a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
#define HOST "a=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host\r\n"
#define RELAY "a=candidate:2 1 UDP 1694498815 203.0.113.1 5002 typ relay raddr 192.0.2.1 rport 5000\r\n"

static void
test_which_stream (void)
{
  static const struct
  {
    const char *text, *mid;
    guint n;                    /* candidates */
    guint16 port;               /* of the first */
    gboolean end;
  } rows[] = {
    { SECRETS "m=audio 9 RTP/AVP 0\r\na=mid:1\r\n" HOST RELAY, "1", 2, 5000, FALSE },
    { SECRETS "m=audio 9 RTP/AVP 0\na=mid:1\n" HOST "a=end-of-candidates\n", "1", 1, 5000, TRUE },
    { SECRETS "m=video 9 RTP/AVP 99\r\na=mid:v\r\n" RELAY "m=audio 9 RTP/AVP 0\r\na=mid:1\r\n" HOST, "1", 1, 5000, FALSE },
    { SECRETS "m=audio 9 RTP/AVP 0\r\na=mid:2\r\n" RELAY "m=audio 9 RTP/AVP 0\r\na=mid:1\r\n" HOST, "1", 1, 5000, FALSE },
    { SECRETS "m=audio 9 RTP/AVP 0\r\na=mid:2\r\n" RELAY, "1", 0, 0, FALSE },
    { SECRETS "m=audio 9 RTP/AVP 0\r\na=mid:2\r\n" RELAY, NULL, 1, 5002, FALSE },
    { SECRETS "m=audio 9 RTP/AVP 0\r\n" RELAY, "1", 1, 5002, FALSE },
    { SECRETS "m=video 9 RTP/AVP 0\r\n" RELAY, NULL, 0, 0, FALSE },
    { SECRETS "a=end-of-candidates\r\n", "1", 0, 0, TRUE },
    { SECRETS HOST "m=audio 9 RTP/AVP 0\r\na=mid:1\r\n", "1", 0, 0, FALSE },    /* in no stream */
    { "m=audio 9 RTP/AVP 0\r\na=mid:1\r\n" SECRETS HOST, "1", 1, 5000, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      PhoneIceDesc ice;

      if (!ua_sdp_fragment_read (rows[i].text, strlen (rows[i].text), rows[i].mid, &ice, &error))
        g_error ("row %" G_GSIZE_FORMAT ": %s", i, error->message);
      g_assert_cmpstr (ice.ufrag, ==, "8hhY");
      g_assert_cmpstr (ice.pwd, ==, "asd88fgpdd777uzjYhagZg");
      if (ice.n_candidates != rows[i].n || ice.end_of_candidates != rows[i].end || ice.candidates[0].port != rows[i].port)
        g_error ("row %" G_GSIZE_FORMAT ": %u candidates, the first at %u, end %d", i, ice.n_candidates, ice.candidates[0].port,
                 ice.end_of_candidates);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *text, *why;
  } rows[] = {
    { "", "without a=ice-ufrag" },
    { "m=audio 9 RTP/AVP 0\r\n" HOST, "without a=ice-ufrag" },
    { "a=ice-ufrag:8hhY\r\nm=audio 9 RTP/AVP 0\r\n" HOST, "without a=ice-ufrag" },
    { "a=ice-ufrag:8\r\na=ice-pwd:short\r\n", "without a=ice-ufrag" },
    { SECRETS "m=\r\n", "line 3: m= needs" },
    { SECRETS "candidate\r\n", "line 3: not of the form" },
    { "x", "line 1: not of the form" },
  };
  g_autofree char *much = g_strnfill (UA_SDP_FRAGMENT_MAX_LENGTH + 1, '\n');
  g_autoptr (GError) error = NULL;
  PhoneIceDesc ice;

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_assert_false (ua_sdp_fragment_read (rows[i].text, strlen (rows[i].text), "1", &ice, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
      if (!strstr (error->message, rows[i].why))
        g_error ("row %" G_GSIZE_FORMAT ": %s", i, error->message);
      g_clear_error (&error);
    }
  g_assert_false (ua_sdp_fragment_read (much, UA_SDP_FRAGMENT_MAX_LENGTH + 1, "1", &ice, &error));
  g_assert_nonnull (strstr (error->message, "octets"));
}

static PhoneIceDesc
described (guint first, guint n)
{
  PhoneIceDesc ice = { .ufrag = "8hhY", .pwd = "asd88fgpdd777uzjYhagZg", .n_candidates = n };

  for (guint i = 0; i < n; i++)
    ice.candidates[i] = (PhoneCandidate) { .foundation = "1", .component = 1, .priority = 1, .address = "192.0.2.1", .port = (guint16) (first + i) };
  return ice;
}

static void
test_merge (void)
{
  PhoneIceDesc peer = described (5000, 1), news = described (5000, 1), none = { 0 };

  g_assert_false (phone_ice_desc_trickle (&peer, &news));
  news = described (5000, 3);
  g_assert_true (phone_ice_desc_trickle (&peer, &news));
  g_assert_cmpuint (peer.n_candidates, ==, 3);
  g_assert_cmpuint (peer.candidates[2].port, ==, 5002);

  news = described (6000, 1);
  news.pwd[0] = 'x';
  g_assert_false (phone_ice_desc_trickle (&peer, &news));
  news = described (6000, 1);
  news.ufrag[0] = 'x';
  g_assert_false (phone_ice_desc_trickle (&peer, &news));
  g_assert_false (phone_ice_desc_trickle (&none, &news));
  g_assert_false (phone_ice_desc_trickle (&none, &none));

  news = described (6000, PHONE_ICE_MAX_CANDIDATES);
  g_assert_true (phone_ice_desc_trickle (&peer, &news));
  g_assert_cmpuint (peer.n_candidates, ==, PHONE_ICE_MAX_CANDIDATES);
  news = described (7000, PHONE_ICE_MAX_CANDIDATES);
  g_assert_false (phone_ice_desc_trickle (&peer, &news));
  news.end_of_candidates = TRUE;
  g_assert_true (phone_ice_desc_trickle (&peer, &news));
  g_assert_true (peer.end_of_candidates);
  g_assert_false (phone_ice_desc_trickle (&peer, &news));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sdp/fragment/which-stream", test_which_stream);
  g_test_add_func ("/sdp/fragment/refused", test_refused);
  g_test_add_func ("/sdp/fragment/merge", test_merge);
  return g_test_run ();
}
