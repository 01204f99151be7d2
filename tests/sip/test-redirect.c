/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that are sent on to other addresses (RFC 3261 section 8.1.3.4). The scripted peer is all of the addresses. */

#include "bed.h"
#include "name-server.h"
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
    gboolean takes_tls, by_server;
    const char *to;
    gboolean allowed;
  } rows[] = {
    { "sips:bob@example.org", PHONE_TRANSPORT_TLS, FALSE, FALSE, "sips:carol@example.org", TRUE },
    { "sips:bob@example.org", PHONE_TRANSPORT_TLS, FALSE, FALSE, "sip:carol@example.org", FALSE },
    { "SIPS:bob@example.org", PHONE_TRANSPORT_TLS, FALSE, FALSE, "sip:carol@example.org;transport=tls", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_TLS, FALSE, FALSE, "sip:carol@example.org", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_TLS, FALSE, FALSE, "sip:carol@example.org;transport=TLS", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_TLS, FALSE, FALSE, "sip:carol@example.org;transport=udp", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, FALSE, FALSE, "sip:carol@example.org;transport=tcp", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, FALSE, FALSE, "sips:carol@example.org", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, FALSE, FALSE, "http://example.org/", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, FALSE, FALSE, "sip:carol@example.org;transport=TLS", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_AUTO, FALSE, FALSE, "sip:carol@example.org;transport=tls", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_AUTO, TRUE, FALSE, "sip:carol@example.org;transport=tls", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_AUTO, TRUE, FALSE, "sip:carol@example.org;transport=udp", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_AUTO, FALSE, TRUE, "sip:carol@example.org;transport=tls", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_AUTO, TRUE, FALSE, "sips:carol@example.org", TRUE },
    { "sip:bob@example.org", PHONE_TRANSPORT_AUTO, FALSE, TRUE, "sips:carol@example.org", FALSE },
    { "sip:bob@example.org", PHONE_TRANSPORT_UDP, FALSE, FALSE, "*", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      su_home_t home[1] = { SU_HOME_INIT (home) };
      const char *why = ua_redirect_refusal (rows[i].from, rows[i].transport, rows[i].takes_tls, rows[i].by_server, url_hdup (home, (const url_t *) rows[i].to));

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

/* ---- without a server: to where another stack leads ---- */

#define OUR_SIX "2001:db8:74::1"        /* a way into the world, or an address with AAAA would not be tried */
#define FOUR "127.20.3.9:5070"
#define SIX "[::1]:5071"

static const NameRecord zone[] = {
  { "four.test", NAME_A, "127.20.3.9" },
  { "six.test", NAME_AAAA, "::1" },
};

typedef struct
{
  Agent *agent;
  Peer *four, *six;
} Families;

static void
families_open (Families *families)
{
  families->agent = agent_new ("", NULL);
  families->four = peer_new ("127.20.3.9", 5070, NULL, NULL);
  families->six = peer_new ("::1", 5071, NULL, NULL);
  agent_add_account (families->agent, "alice", "aor", "sip:alice@example.org", "register", "false", "transport", "udp", NULL);
}

static void
families_close (Families *families)
{
  peer_set_handler (families->four, bed_on_farewell, NULL);
  peer_set_handler (families->six, bed_on_farewell, NULL);
  agent_free (families->agent);
  peer_free (families->four);
  peer_free (families->six);
}

static const PeerMessage *
await_invite (Peer *peer, guint n, const char *user)
{
  g_autofree char *start = g_strdup_printf ("INVITE sip:%s@", user);

  wait_for (peer_request (peer, "INVITE", n) != NULL);
  g_assert_true (g_str_has_prefix (peer_request (peer, "INVITE", n)->text, start));
  return peer_request (peer, "INVITE", n);
}

/* Of one family throughout: who calls, who answers, and where the media is. */
static void
answer_in_family (Peer *peer, const PeerMessage *invite, gboolean six)
{
  g_autofree char *ours = peer_header (invite, "Contact");
  g_autofree char *theirs = g_strdup_printf ("Contact: <sip:x@%s>\r\n", six ? SIX : FOUR);
  const char *sdp = six ? "v=0\r\no=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\n"
                        : peer_sdp ("127.20.3.9", 30000, "sendrecv");

  g_assert_nonnull (strstr (peer_body (invite), six ? "\r\nc=IN IP6 " : "\r\nc=IN IP4 "));
  g_assert_cmpint (strchr (ours, '[') != NULL, ==, six);
  peer_reply (peer, invite, 200, "OK", "one", theirs, sdp);
}

typedef struct
{
  const char *path, *from, *to;
  gboolean six;                 /* from */
} FamilyRow;

static const FamilyRow family_rows[] = {
  { "six", "sip:bob@" FOUR, "sip:carol@" SIX, FALSE },
  { "four", "sip:bob@" SIX, "sip:carol@" FOUR, TRUE },
  { "six-by-name", "sip:bob@four.test:5070", "sip:carol@six.test:5071", FALSE },
  { "four-by-name", "sip:bob@six.test:5071", "sip:carol@four.test:5070", TRUE },
};

static void
test_family (gconstpointer data)
{
  const FamilyRow *row = data;
  Families families;
  Peer *first, *second;
  PhoneCall *call;
  g_autofree char *contact = g_strdup_printf ("Contact: <%s>\r\n", row->to);

  families_open (&families);
  first = row->six ? families.six : families.four;
  second = row->six ? families.four : families.six;
  call = agent_dial (families.agent, row->from);
  peer_reply (first, await_invite (first, 0, "bob"), 302, "Moved", "one", contact, NULL);
  answer_in_family (second, await_invite (second, 0, "carol"), !row->six);
  wait_for (phone_call_get_state (call) == PHONE_CALL_ACTIVE);
  g_assert_cmpstr (phone_call_get_remote_uri (call), ==, row->to);
  g_assert_cmpstr (phone_call_get_diverter (call), ==, row->from);
  g_assert_cmpuint (families.agent->n_media_open, ==, 1);
  g_assert_cmpint (families.agent->media_ip6, ==, !row->six);
  wait_for (peer_count (second, "ACK") == 1);
  phone_call_hangup (call, NULL);
  wait_for (peer_count (second, "BYE") == 1);
  g_assert_cmpuint (peer_count (first, "INVITE"), ==, 1);
  families_close (&families);
}

/* Back to where the first call went, from the other family: what the redirections allow does not begin anew with the offer. */
static void
test_family_and_back (void)
{
  Families families;
  PhoneCall *call;

  families_open (&families);
  call = agent_dial (families.agent, "sip:bob@" FOUR);
  peer_reply (families.four, await_invite (families.four, 0, "bob"), 302, "Moved", "one",
              "Contact: <sip:carol@" SIX ">, <sip:dave@" FOUR ">;q=0.5\r\n", NULL);
  peer_reply (families.six, await_invite (families.six, 0, "carol"), 302, "Moved", "one", "Contact: <sip:bob@" FOUR ">\r\n", NULL);
  answer_in_family (families.four, await_invite (families.four, 1, "dave"), FALSE);
  wait_for (phone_call_get_state (call) == PHONE_CALL_ACTIVE);
  families_close (&families);
}

/* Hung up while the DNS is asked where that is. */
static void
test_family_hung_up (void)
{
  Families families;
  PhoneCall *call;

  families_open (&families);
  call = agent_dial (families.agent, "sip:bob@" FOUR);
  peer_reply (families.four, await_invite (families.four, 0, "bob"), 302, "Moved", "one", "Contact: <sip:carol@six.test:5071>\r\n", NULL);
  wait_for (*phone_call_get_diverter (call));
  phone_call_hangup (call, NULL);
  wait_for (families.agent->n_ended == 1);
  assert_cause (call, PHONE_CAUSE_CANCELLED);
  harness_settle ();
  g_assert_cmpuint (peer_count (families.six, "INVITE"), ==, 0);
  g_assert_cmpuint (families.agent->n_media_open, ==, 0);
  families_close (&families);
}

/* The account goes, with a call that waits for the DNS. */
static void
test_family_closed (void)
{
  Families families;

  families_open (&families);
  agent_dial (families.agent, "sip:bob@" FOUR);
  peer_reply (families.four, await_invite (families.four, 0, "bob"), 302, "Moved", "one", "Contact: <sip:carol@six.test:5071>\r\n", NULL);
  wait_for (*phone_call_get_diverter (agent_call (families.agent, 0)));
  families_close (&families);
}

/* An account that is told to speak IPv4 alone passes over what is not, and says so at the end. */
static void
test_out_of_reach (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  expect (&bed, 0, "bob", 302, "Contact: <sip:six@[::1]>, <" TO ("carol") ">;q=0.5, <sip:other@[::2]>;q=0.1\r\n");
  expect (&bed, 1, "carol", 404, NULL);
  assert_ended (&bed, 2, PHONE_CAUSE_FAILED);
  g_assert_cmpstr (phone_call_get_reason (bed.call)->phrase, ==, "::2 is an IPv6 address, and account alice speaks IPv4");
  bed_close (&bed);
}

/* A server is asked whatever the address is: it may know a way. */
static void
test_by_server (void)
{
  Bed bed = { 0 };
  const PeerMessage *invite;

  bed_open (&bed);
  set_account (&bed, "outbound-proxy", PEER);
  bed.call = agent_dial (bed.agent, TO ("bob"));
  peer_reply (bed.peer, bed_await_request (&bed, "INVITE", 0), 302, "Moved", "one", "Contact: <sip:carol@[::1]>\r\n", NULL);
  invite = bed_await_request (&bed, "INVITE", 1);
  g_assert_true (g_str_has_prefix (invite->text, "INVITE sip:carol@[::1] "));
  bed_answer (&bed, invite, NULL);
  wait_for (bed.agent->n_active == 1);
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  gboolean resolver;

  harness_init (&argc, &argv);
  resolver = harness_set_resolver ("127.0.0.53");
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
  g_test_add_func ("/sip/redirect/out-of-reach", test_out_of_reach);
  g_test_add_func ("/sip/redirect/by-server", test_by_server);
  if (!resolver || !harness_ip ("-6 addr add " OUR_SIX "/128 dev lo nodad") || !harness_ip ("-6 route add default dev lo src " OUR_SIX))
    return g_test_run ();
  name_server_start ("127.0.0.53", zone, G_N_ELEMENTS (zone));
  for (guint i = 0; i < G_N_ELEMENTS (family_rows); i++)
    {
      g_autofree char *path = g_strconcat ("/sip/redirect/family/", family_rows[i].path, NULL);

      g_test_add_data_func (path, &family_rows[i], test_family);
    }
  g_test_add_func ("/sip/redirect/family/and-back", test_family_and_back);
  g_test_add_func ("/sip/redirect/family/hung-up", test_family_hung_up);
  g_test_add_func ("/sip/redirect/family/closed", test_family_closed);
  return g_test_run ();
}
