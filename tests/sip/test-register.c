/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Registration against a scripted registrar. */

#include "harness.h"
#include "peer.h"
#include "sip/ua-private.h"

#include <string.h>

#define REGISTRAR "127.20.2.9"
#define PORT 5060

typedef struct
{
  Agent *agent;
  PhoneAccount *account;
  Peer *server;
  guint fail_status;            /* answered to every REGISTER while set */
  const char *fail_extra;
  gboolean challenge, silent;
  const char *refuse_password;
  const char *rewritten;        /* the contact that the registrar says it holds; NULL: ours */
  guint granted;
} Bed;

static void
on_request (Peer *peer, const PeerMessage *message, gpointer data)
{
  Bed *bed = data;
  g_autofree char *contact = NULL;
  g_autofree char *authorization = NULL;
  g_autofree char *expires = NULL;
  g_autofree char *extra = NULL;

  if (!message->method || bed->silent)
    return;
  if (!g_str_equal (message->method, "REGISTER"))
    {
      peer_reply (peer, message, 200, "OK", NULL, NULL, NULL);
      return;
    }
  contact = peer_header (message, "Contact");
  authorization = peer_header (message, "Authorization");
  expires = peer_header (message, "Expires");
  if (bed->fail_status)
    {
      peer_reply (peer, message, bed->fail_status, "Scripted", NULL, bed->fail_extra, NULL);
      return;
    }
  if ((bed->challenge && !authorization) || bed->refuse_password)
    {
      static guint nonce;

      extra = g_strdup_printf ("WWW-Authenticate: Digest realm=\"test\", nonce=\"n%u\", qop=\"auth\", algorithm=SHA-256\r\n", nonce++);
      peer_reply (peer, message, 401, "Unauthorized", NULL, extra, NULL);
      return;
    }
  if (g_strcmp0 (expires, "0") == 0)
    extra = g_strdup ("");
  else
    {
      char *cut = strchr (contact, ',');

      if (cut && !strchr (cut, '"'))
        *cut = '\0';
      extra = g_strdup_printf ("Contact: %s;expires=%u\r\nSupported: path, outbound\r\n", bed->rewritten ? bed->rewritten : contact, bed->granted);
    }
  peer_reply (peer, message, 200, "OK", NULL, extra, NULL);
}

static void
bed_open (Bed *bed)
{
  bed->server = peer_new (REGISTRAR, PORT, on_request, bed);
  bed->agent = agent_new ("127.20.2.1:5060", NULL);
  bed->agent->password = g_strdup ("secret");
  bed->granted = bed->granted ? bed->granted : 600;
}

static void
bed_register (Bed *bed)
{
  bed->account = agent_add_account (bed->agent, "alice", "aor", "sip:alice@example.org", "registrar", REGISTRAR, "transport", "udp", NULL);
}

static void
bed_close (Bed *bed)
{
  agent_free (bed->agent);
  peer_free (bed->server);
}

static PhoneRegistration
state (Bed *bed)
{
  return phone_account_get_registration (bed->account);
}

static const PhoneRegistrationDetail *
detail (Bed *bed)
{
  return phone_account_get_registration_detail (bed->account);
}

static void
test_plain (void)
{
  Bed bed = { 0 };
  g_autofree char *contact = NULL;
  g_autofree char *to = NULL;
  g_autofree char *supported = NULL;

  bed_open (&bed);
  bed_register (&bed);
  g_assert_cmpint (state (&bed), ==, PHONE_REGISTRATION_REGISTERING);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  g_assert_cmpuint (detail (&bed)->expires, ==, 600);
  g_assert_cmpuint (detail (&bed)->code, ==, 200);
  g_assert_cmpstr (detail (&bed)->reason, ==, "ok");
  contact = peer_header (peer_last (bed.server, "REGISTER"), "Contact");
  to = peer_header (peer_last (bed.server, "REGISTER"), "To");
  g_assert_nonnull (strstr (contact, "sip:alice@127.20.2.1:5060"));
  g_assert_nonnull (strstr (contact, "+sip.instance=\"<urn:uuid:"));
  g_assert_nonnull (strstr (contact, "reg-id=1"));
  g_assert_nonnull (strstr (to, "sip:alice@example.org"));
  supported = peer_header (peer_last (bed.server, "REGISTER"), "Supported");
  g_assert_nonnull (strstr (supported, "path"));        /* else no proxy on the way may stand in it (RFC 3327) */
  g_assert_true (g_str_has_prefix (peer_last (bed.server, "REGISTER")->text, "REGISTER sip:" REGISTRAR " SIP/2.0\r\n"));
  g_assert_cmpuint (peer_count (bed.server, "REGISTER"), ==, 1);
  bed_close (&bed);
}

static void
test_unregister (void)
{
  Bed bed = { 0 };

  bed_open (&bed);
  bed_register (&bed);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  phone_account_unregister (bed.account, NULL);
  wait_for (state (&bed) == PHONE_REGISTRATION_UNREGISTERED);
  g_assert_cmpuint (peer_count (bed.server, "REGISTER"), ==, 2);
  phone_account_register (bed.account, NULL);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  agent_free (bed.agent);
  {
    g_autofree char *expires = peer_header (peer_last (bed.server, "REGISTER"), "Expires");

    g_assert_cmpstr (expires, ==, "0");
    g_assert_cmpuint (peer_count (bed.server, "REGISTER"), ==, 4);
  }
  peer_free (bed.server);
}

static void
test_challenge (void)
{
  Bed bed = { .challenge = TRUE };

  bed_open (&bed);
  bed_register (&bed);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  g_assert_cmpuint (peer_count (bed.server, "REGISTER"), ==, 2);
  bed_close (&bed);
}

static void
test_wrong_password (void)
{
  Bed bed = { .challenge = TRUE, .refuse_password = "always" };

  bed_open (&bed);
  bed_register (&bed);
  wait_for (state (&bed) == PHONE_REGISTRATION_FAILED);
  g_assert_cmpstr (detail (&bed)->reason, ==, "auth-failed");
  g_assert_cmpuint (detail (&bed)->code, ==, 401);
  g_assert_cmpint (detail (&bed)->retry_at, >, g_get_real_time () / G_USEC_PER_SEC + 600);
  g_assert_cmpuint (peer_count (bed.server, "REGISTER"), ==, 2);
  /* the server changes its mind, the user asks */
  bed.refuse_password = NULL;
  phone_account_register (bed.account, NULL);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  bed_close (&bed);
}

static void
test_forbidden (void)
{
  Bed bed = { .fail_status = 403 };

  bed_open (&bed);
  bed_register (&bed);
  wait_for (state (&bed) == PHONE_REGISTRATION_FAILED);
  g_assert_cmpstr (detail (&bed)->reason, ==, "forbidden");
  g_assert_cmpstr (detail (&bed)->phrase, ==, "Scripted");
  /* about a minute, not the half hour of a wrong password */
  g_assert_cmpint (detail (&bed)->retry_at, >=, g_get_real_time () / G_USEC_PER_SEC + 55);
  g_assert_cmpint (detail (&bed)->retry_at, <=, g_get_real_time () / G_USEC_PER_SEC + 65);
  bed.fail_status = 0;
  phone_account_register (bed.account, NULL);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  bed_close (&bed);
}

static void
test_retry_after (void)
{
  Bed bed = { .fail_status = 503, .fail_extra = "Retry-After: 1000\r\n" };

  bed_open (&bed);
  bed_register (&bed);
  wait_for (state (&bed) == PHONE_REGISTRATION_FAILED);
  g_assert_cmpstr (detail (&bed)->reason, ==, "unavailable");
  g_assert_cmpint (detail (&bed)->retry_at, >=, g_get_real_time () / G_USEC_PER_SEC + 990);
  bed_close (&bed);
}

static void
test_min_expires (void)
{
  Bed bed = { .fail_status = 423, .fail_extra = "Min-Expires: 4000\r\n" };
  g_autofree char *expires = NULL;

  bed_open (&bed);
  bed_register (&bed);
  wait_for (peer_count (bed.server, "REGISTER") >= 1);
  bed.fail_status = 0;
  bed.granted = 4000;
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  expires = peer_header (peer_last (bed.server, "REGISTER"), "Expires");
  g_assert_cmpstr (expires, ==, "4000");
  g_assert_cmpuint (detail (&bed)->expires, ==, 4000);
  bed_close (&bed);
}

static void
test_refresh (void)
{
  Bed bed = { .granted = 2 };
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  bed_open (&bed);
  bed_register (&bed);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  g_assert_cmpuint (detail (&bed)->expires, ==, 2);
  wait_for (peer_count (bed.server, "REGISTER") >= 2);
  first = peer_header (peer_request (bed.server, "REGISTER", 0), "Call-ID");
  second = peer_header (peer_request (bed.server, "REGISTER", 1), "Call-ID");
  g_assert_cmpstr (first, ==, second);
  g_assert_cmpint (state (&bed), ==, PHONE_REGISTRATION_REGISTERED);
  bed_close (&bed);
}

/* A registrar that holds another contact than ours, as it says: sofia finds no expiry in that, and would not refresh. */
static void
test_refresh_rewritten (void)
{
  Bed bed = { .granted = 2, .rewritten = "<sip:alice@192.0.2.77:1234>" };

  bed_open (&bed);
  bed_register (&bed);
  wait_for (peer_count (bed.server, "REGISTER") >= 3);
  g_assert_cmpint (state (&bed), ==, PHONE_REGISTRATION_REGISTERED);
  g_assert_cmpuint (detail (&bed)->expires, ==, 2);
  bed_close (&bed);
}

/* Before the end, with time for a lost packet, and not so early that it costs the server. */
static void
test_refresh_delay (void)
{
  static const guint granted[] = { 1, 2, 10, 20, 21, 30, 60, 600, 3600, 604800 };

  for (guint i = 0; i < G_N_ELEMENTS (granted); i++)
    for (double chance = 0; chance <= 1; chance += 0.25)
      {
        guint ms = ua_binding_refresh_delay (granted[i], chance);

        g_assert_cmpuint (ms, <=, MAX (granted[i] * 800, 1000));
        g_assert_cmpuint (ms, >=, MIN (granted[i] * 450, 604800u * 450));
        if (granted[i] > 20)
          g_assert_cmpuint (ms + 10000, <=, granted[i] * 1000);
      }
  g_assert_cmpuint (ua_binding_refresh_delay (3600, 0), <, ua_binding_refresh_delay (3600, 1));
}

/* A refresh that fails costs no un-REGISTER. (That it comes back by itself takes half a minute: test-patience.) */
static void
test_recovery (void)
{
  Bed bed = { .granted = 2 };
  guint n;

  bed_open (&bed);
  bed_register (&bed);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  bed.fail_status = 500;
  n = peer_count (bed.server, "REGISTER");
  wait_for (state (&bed) == PHONE_REGISTRATION_FAILED);
  harness_settle ();
  g_assert_cmpuint (peer_count (bed.server, "REGISTER"), ==, n + 1);
  g_assert_cmpstr (detail (&bed)->reason, ==, "server-error");
  bed.fail_status = 0;
  bed.granted = 600;
  phone_account_register (bed.account, NULL);
  wait_for (state (&bed) == PHONE_REGISTRATION_REGISTERED);
  bed_close (&bed);
}

/* A dead registrar: the reason is said, and stopping does not wait for it. */
static void
test_timeout (void)
{
  Bed bed = { .silent = TRUE };
  gint64 before;

  bed_open (&bed);
  bed_register (&bed);
  wait_for (state (&bed) == PHONE_REGISTRATION_FAILED);
  g_assert_cmpstr (detail (&bed)->reason, ==, "timeout");
  g_assert_cmpint (detail (&bed)->retry_at, >, 0);
  phone_account_register (bed.account, NULL);
  wait_for (peer_count (bed.server, "REGISTER") > 0);
  before = g_get_monotonic_time ();
  bed_close (&bed);
  g_assert_cmpint (g_get_monotonic_time () - before, <, 10 * G_USEC_PER_SEC);
}

/* As `account set` and `dial` in one line of a script: the call goes out with the new settings, as soon as they count. */
static void
test_dial_into_restart (void)
{
  Bed bed = { 0 };
  const char *const updates[] = { "display-name", "Alice of the Day", NULL };
  g_autofree char *from = NULL;

  bed_open (&bed);
  bed_register (&bed);
  agent_dial (bed.agent, "sip:bob@example.org");        /* no answer to the first REGISTER yet */
  wait_for (peer_count (bed.server, "INVITE") == 1);
  wait_for (bed.agent->n_ended == 1);                   /* a 200 without a description is no use */
  g_assert_true (phone_account_update (bed.account, updates, NULL));
  agent_dial (bed.agent, "sip:bob@example.org");
  wait_for (peer_count (bed.server, "INVITE") == 2);
  from = peer_header (peer_last (bed.server, "INVITE"), "From");
  g_assert_nonnull (strstr (from, "Alice of the Day"));
  bed_close (&bed);
}

static void
test_refused (void)
{
  Bed bed = { 0 };

  bed.agent = agent_new ("127.20.2.1:5060", NULL);
  bed.account = agent_add_account (bed.agent, "alice", "aor", "sip:alice@example.org", "registrar", "127.20.2.8", "transport", "tcp", NULL);
  wait_for (state (&bed) == PHONE_REGISTRATION_FAILED);
  g_assert_cmpstr (detail (&bed)->reason, ==, "refused");
  agent_free (bed.agent);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/register/plain", test_plain);
  g_test_add_func ("/sip/register/unregister", test_unregister);
  g_test_add_func ("/sip/register/challenge", test_challenge);
  g_test_add_func ("/sip/register/wrong-password", test_wrong_password);
  g_test_add_func ("/sip/register/forbidden", test_forbidden);
  g_test_add_func ("/sip/register/retry-after", test_retry_after);
  g_test_add_func ("/sip/register/min-expires", test_min_expires);
  g_test_add_func ("/sip/register/refresh", test_refresh);
  g_test_add_func ("/sip/register/refresh-rewritten", test_refresh_rewritten);
  g_test_add_func ("/sip/register/refresh-delay", test_refresh_delay);
  g_test_add_func ("/sip/register/recovery", test_recovery);
  g_test_add_func ("/sip/register/dial-into-restart", test_dial_into_restart);
  g_test_add_func ("/sip/register/refused", test_refused);
  g_test_add_func ("/sip/register/timeout", test_timeout);
  return g_test_run ();
}
