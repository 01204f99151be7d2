/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that are sent on to other addresses (RFC 3261 section 8.1.3.4). The scripted peer is all of the addresses. */

#include "bed.h"
#include "sip/ua-dialog.h"

#include <string.h>

#define TO(user) "sip:" user "@" PEER

static char *diverter;          /* while the last INVITE was open */

/* The nth INVITE is for user; it is answered with status and these header lines. */
static void
expect (Bed *bed, guint n, const char *user, guint status, const char *extra)
{
  const PeerMessage *invite = n == 0 ? bed_dial (bed) : bed_await_request (bed, "INVITE", n);
  g_autofree char *start = g_strdup_printf ("INVITE sip:%s@" PEER " ", user);
  g_autofree char *to = peer_header (invite, "To");

  if (!g_str_has_prefix (invite->text, start))
    g_error ("INVITE %u: %s expected, got %.60s", n, start, invite->text);
  g_assert_nonnull (strstr (to, TO ("bob")));
  harness_settle ();
  g_free (diverter);
  diverter = g_strdup (phone_call_get_diverter (bed->call));
  peer_reply (bed->peer, invite, status, "Scripted", "one", extra, status == 200 ? peer_sdp (PEER, 30000, "sendrecv") : NULL);
}

#define assert_diverter(user) g_assert_cmpstr (diverter, ==, TO (user))

static void
assert_ended (Bed *bed, guint n_invites, PhoneCause cause)
{
  wait_for (bed->agent->n_ended == 1);
  assert_cause (bed->call, cause);
  harness_settle ();
  g_assert_cmpuint (peer_count (bed->peer, "INVITE"), ==, n_invites);
}

static void
set_account (Bed *bed, const char *key, const char *value)
{
  const char *updates[] = { key, value, NULL };
  g_autoptr (GError) error = NULL;

  phone_account_update (g_ptr_array_index (phone_registry_get_accounts (bed->agent->registry), 0), updates, &error);
  g_assert_no_error (error);
}

static void
test_followed (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  expect (&bed, 0, "bob", 302, "Contact: <" TO ("carol") ">\r\n");
  expect (&bed, 1, "carol", 200, bed_contact);
  wait_for (bed.agent->n_active == 1);
  g_assert_cmpstr (phone_call_get_remote_uri (bed.call), ==, TO ("carol"));
  g_assert_cmpstr (phone_call_get_diverter (bed.call), ==, TO ("bob"));
  bed_await_request (&bed, "ACK", 1);
  bed_close (&bed);
}

/* One after the other, the best first; one that sends the call on again goes before those that are left; what came before is not called again. */
static void
test_order (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  expect (&bed, 0, "bob", 300,
          "Contact: <" TO ("low") ">;q=0.1, <" TO ("high") ">;q=0.9\r\nContact: <" TO ("middle") ">;q=0.5, <" TO ("BOB") ">;q=0.01\r\n");
  expect (&bed, 1, "high", 486, NULL);
  assert_diverter ("bob");
  expect (&bed, 2, "middle", 301, "Contact: <" TO ("bob") ">, <" TO ("further") ">, <" TO ("low") ">, <tel:+49301234>\r\n");
  assert_diverter ("bob");
  expect (&bed, 3, "further", 404, NULL);
  assert_diverter ("middle");
  expect (&bed, 4, "low", 480, NULL);
  assert_diverter ("bob");
  expect (&bed, 5, "BOB", 404, NULL);
  assert_diverter ("bob");
  assert_ended (&bed, 6, PHONE_CAUSE_NOT_FOUND);
  bed_close (&bed);
}

static void
assert_carried (Bed *bed, guint n, const char *name, const char *value)
{
  const PeerMessage *invite = bed_await_request (bed, "INVITE", n);
  g_autofree char *carried = peer_header (invite, name);

  g_assert_cmpstr (carried, ==, value);
}

/* Who sent the call on goes with it; also when the next one says nothing of it; what cannot be read does not. */
static void
test_carried (void)
{
  static const char first[] = "<" TO ("bob") ">;reason=unconditional;counter=1";
  static const char history[] = "<" TO ("bob") ">;index=1, <" TO ("carol") ";cause=302>;index=1.1;mp=1";
  Bed bed = { 0 };

  bed_open (&bed);
  expect (&bed, 0, "bob", 302, "Contact: <" TO ("carol") ">\r\nDiversion: <" TO ("bob") ">;reason=unconditional;counter=1, nonsense\r\n"
          "History-Info: <" TO ("bob") ">;index=1\r\nHistory-Info: <" TO ("carol") ";cause=302>;index=1.1;mp=1\r\n");
  assert_carried (&bed, 1, "Diversion", first);
  assert_carried (&bed, 1, "History-Info", history);
  expect (&bed, 1, "carol", 302, "Contact: <" TO ("dave") ">\r\nDiversion: <" TO ("carol") ">;reason=user-busy\r\n");
  assert_carried (&bed, 2, "Diversion", "<" TO ("carol") ">;reason=user-busy");
  assert_carried (&bed, 2, "History-Info", history);
  expect (&bed, 2, "dave", 486, NULL);
  assert_ended (&bed, 3, PHONE_CAUSE_BUSY);
  bed_close (&bed);
}

static void
test_global_failure (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  expect (&bed, 0, "bob", 302, "Contact: <" TO ("carol") ">, <" TO ("dave") ">\r\n");
  expect (&bed, 1, "carol", 603, NULL);
  assert_ended (&bed, 2, PHONE_CAUSE_DECLINED);
  bed_close (&bed);
}

static void
test_loop (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  expect (&bed, 0, "bob", 302, "Contact: <" TO ("carol") ">\r\n");
  expect (&bed, 1, "carol", 302, "Contact: <" TO ("bob") ">\r\n");
  assert_ended (&bed, 2, PHONE_CAUSE_REDIRECTED);
  bed_close (&bed);
}

static void
test_endless (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  expect (&bed, 0, "bob", 302, "Contact: <" TO ("x1") ">\r\n");
  for (guint i = 1; i <= 5; i++)
    {
      g_autofree char *user = g_strdup_printf ("x%u", i);
      g_autofree char *next = g_strdup_printf ("Contact: <sip:x%u@" PEER ">\r\n", i + 1);

      expect (&bed, i, user, 302, next);
    }
  assert_ended (&bed, 6, PHONE_CAUSE_REDIRECTED);
  bed_close (&bed);
}

static void
test_many (void)
{
  Bed bed = { 0 };
  g_autoptr (GString) contacts = g_string_new ("Contact: <sip:x0@" PEER ">");

  for (guint i = 1; i < 40; i++)
    g_string_append_printf (contacts, ", <sip:x%u@" PEER ">", i);
  g_string_append (contacts, "\r\n");
  bed_open (&bed);
  expect (&bed, 0, "bob", 300, contacts->str);
  for (guint i = 0; i < 9; i++)
    {
      g_autofree char *user = g_strdup_printf ("x%u", i);

      expect (&bed, i + 1, user, 404, NULL);
    }
  assert_ended (&bed, 10, PHONE_CAUSE_NOT_FOUND);
  bed_close (&bed);
}

/* What the address says about headers, and a password, do not get into our request. */
static void
test_cleaned (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;

  bed_open (&bed);
  expect (&bed, 0, "bob", 302, "Contact: <sip:carol:pw@" PEER ";method=MESSAGE?Subject=hello&Replaces=1>\r\n");
  invite = bed_await_request (&bed, "INVITE", 1);
  g_assert_true (g_str_has_prefix (invite->text, "INVITE " TO ("carol") " SIP/2.0\r\n"));
  g_assert_null (strstr (invite->text, "Subject"));
  g_assert_null (strstr (invite->text, "Replaces"));
  peer_reply (bed.peer, invite, 486, "Busy", "one", NULL, NULL);
  assert_ended (&bed, 2, PHONE_CAUSE_BUSY);
  bed_close (&bed);
}

static void
test_refused (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  set_account (&bed, "redirects", "refuse");
  expect (&bed, 0, "bob", 302, "Contact: <" TO ("carol") ">\r\n");
  assert_ended (&bed, 1, PHONE_CAUSE_REDIRECTED);
  bed_close (&bed);
}

/* Whatever the setting. */
static void
test_emergency (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;

  bed_open (&bed);
  set_account (&bed, "redirects", "refuse");
  set_account (&bed, "default-domain", PEER);
  bed.call = agent_dial (bed.agent, "112");
  invite = bed_await_request (&bed, "INVITE", 0);
  peer_reply (bed.peer, invite, 302, "Moved", "one", "Contact: <" TO ("centre") ">\r\n", NULL);
  invite = bed_await_request (&bed, "INVITE", 1);
  g_assert_true (g_str_has_prefix (invite->text, "INVITE " TO ("centre") " "));
  bed_answer (&bed, invite, NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

/* A call is not sent on to anything less secure. */
static void
test_downgrade (void)
{
  static const struct
  {
    const char *from;
    PhoneTransport transport;
    const char *to;
    gboolean allowed;
  } rows[] = {
    { "sips:bob@example.org", PHONE_TRANSPORT_TLS, "sips:carol@example.org", TRUE },
    { "sips:bob@example.org", PHONE_TRANSPORT_TLS, "sip:carol@example.org", FALSE },
    { "SIPS:bob@example.org", PHONE_TRANSPORT_TLS, "sip:carol@example.org;transport=tls", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_TLS, "sip:carol@example.org", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_TLS, "sip:carol@example.org;transport=TLS", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_TLS, "sip:carol@example.org;transport=udp", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, "sip:carol@example.org;transport=tcp", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, "sips:carol@example.org", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, "http://example.org/", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, "*", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      su_home_t home[1] = { SU_HOME_INIT (home) };
      const char *why = ua_redirect_refusal (rows[i].from, rows[i].transport, url_hdup (home, (const url_t *) rows[i].to));

      g_test_message ("%s to %s: %s", rows[i].from, rows[i].to, why ? why : "allowed");
      g_assert_cmpint (why == NULL, ==, rows[i].allowed);
      su_home_deinit (home);
    }
}

/* Hung up while the redirection was on its way. */
static void
test_too_late (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;

  bed_open (&bed);
  invite = bed_dial (&bed);
  phone_call_hangup (bed.call, NULL);
  peer_reply (bed.peer, invite, 302, "Moved", "one", "Contact: <" TO ("carol") ">\r\n", NULL);
  assert_ended (&bed, 1, PHONE_CAUSE_CANCELLED);
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/redirect/followed", test_followed);
  g_test_add_func ("/sip/redirect/order", test_order);
  g_test_add_func ("/sip/redirect/carried", test_carried);
  g_test_add_func ("/sip/redirect/global-failure", test_global_failure);
  g_test_add_func ("/sip/redirect/loop", test_loop);
  g_test_add_func ("/sip/redirect/endless", test_endless);
  g_test_add_func ("/sip/redirect/many", test_many);
  g_test_add_func ("/sip/redirect/cleaned", test_cleaned);
  g_test_add_func ("/sip/redirect/refused", test_refused);
  g_test_add_func ("/sip/redirect/emergency", test_emergency);
  g_test_add_func ("/sip/redirect/downgrade", test_downgrade);
  g_test_add_func ("/sip/redirect/too-late", test_too_late);
  return g_test_run ();
}
