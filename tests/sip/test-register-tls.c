/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Registration over TLS as a whole: the account says whom it talks to, or, at once, why it does not. */

#include <string.h>

#include "bench-tls-server.h"
#include "harness.h"

#define SERVER "127.20.5.9"

typedef struct
{
  BenchServer server;
  Agent *agent;
  PhoneAccount *account;
} Bed;

static void
bed_open (Bed *bed, const BenchServerSpec *spec, const char *key, const char *value)
{
  g_autofree char *registrar = NULL;

  bench_server_start (&bed->server, spec, SERVER, 0);
  bed->server.stays_open = TRUE;
  registrar = g_strdup_printf (SERVER ":%u", bed->server.port);
  bed->agent = agent_new ("127.20.5.1:5060", NULL);
  bed->account
      = agent_add_account (bed->agent, "alice", "aor", "sip:alice@example.org", "registrar", registrar,
                           "transport", "tls", "tls-ca", bench_authorities.ca_path, key, value, NULL);
}

static void
bed_close (Bed *bed)
{
  agent_free (bed->agent);
  bench_server_stop (&bed->server);
}

static void
test_registered (void)
{
  static const BenchServerSpec spec = { .cert = { .name = "x", .san = "IP:" SERVER } };
  Bed bed = { 0 };
  const PhoneTlsInfo *tls;

  bed_open (&bed, &spec, NULL, NULL);
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_REGISTERED);
  tls = phone_account_get_tls (bed.account);
  g_assert_cmpstr (tls->version, ==, "TLSv1.3");
  g_assert_cmpstr (tls->subject, ==, "CN=x");
  g_assert_cmpstr (tls->issuer, ==, "CN=Test CA");
  g_assert_cmpint (tls->expires, >, g_get_real_time () / G_USEC_PER_SEC);
  bed_close (&bed);
}

static void
test_client_certificate (void)
{
  static const BenchServerSpec spec = { .cert = { .name = "x", .san = "IP:" SERVER }, .wants_client = TRUE };
  Bed bed = { 0 };

  bed_open (&bed, &spec, "tls-cert", bench_authorities.client_path);
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_REGISTERED);
  bed_close (&bed);
}

static void
test_not_verified (void)
{
  static const BenchServerSpec spec = { .cert = { .name = "somebody else" }, .issuer = BENCH_FROM_ITSELF };
  Bed bed = { 0 };

  bed_open (&bed, &spec, "tls-verify", "no");
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_REGISTERED);
  bed_close (&bed);
}

typedef struct
{
  const char *reason;
  BenchServerSpec spec;
} Failure;

static const Failure failures[] = {
  { "tls-expired", { .cert = { .name = "x", .san = "IP:" SERVER, .from = -20, .until = -10 } } },
  { "tls-not-yet-valid", { .cert = { .name = "x", .san = "IP:" SERVER, .from = 10, .until = 20 } } },
  { "tls-unknown-issuer", { .cert = { .name = "x", .san = "IP:" SERVER }, .issuer = BENCH_FROM_OTHER } },
  { "tls-self-signed", { .cert = { .name = "x", .san = "IP:" SERVER }, .issuer = BENCH_FROM_ITSELF } },
  { "tls-name-mismatch", { .cert = { .name = "x", .san = "DNS:example.net" } } },
  { "tls-protocol", { .cert = { .name = "x", .san = "IP:" SERVER }, .max_version = TLS1_1_VERSION } },
  { "tls-refused", { .cert = { .name = "x", .san = "IP:" SERVER }, .manner = BENCH_HANGS_UP } },
  { "tls-client-cert", { .cert = { .name = "x", .san = "IP:" SERVER }, .wants_client = TRUE } },
};

static void
test_failure (gconstpointer data)
{
  const Failure *failure = data;
  const PhoneRegistrationDetail *detail;
  Bed bed = { 0 };

  bed_open (&bed, &failure->spec, NULL, NULL);
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_FAILED);
  detail = phone_account_get_registration_detail (bed.account);
  g_assert_cmpstr (detail->reason, ==, failure->reason);
  g_assert_cmpstr (detail->phrase, !=, "");
  g_assert_cmpint (detail->retry_at, >, 0);
  g_assert_cmpuint (g_atomic_int_get (&bed.server.n_requests), ==, 0);
  bed_close (&bed);
}

/* A call over such a connection ends at once, and says why. */
static void
test_call (void)
{
  static const BenchServerSpec spec = { .cert = { .name = "x", .san = "DNS:example.net" } };
  Bed bed = { 0 };
  g_autofree char *proxy = NULL;
  PhoneCall *call;

  bench_server_start (&bed.server, &spec, SERVER, 0);
  proxy = g_strdup_printf (SERVER ":%u", bed.server.port);
  bed.agent = agent_new ("127.20.5.1:5060", NULL);
  agent_add_account (bed.agent, "alice", "aor", "sip:alice@example.org", "outbound-proxy", proxy, "register", "no", "transport", "tls",
                     "tls-ca", bench_authorities.ca_path, NULL);
  call = agent_dial (bed.agent, "bob");
  wait_for (bed.agent->n_ended == 1);
  assert_cause (call, PHONE_CAUSE_TLS);
  assert_actor (call, PHONE_ACTOR_NETWORK);
  g_assert_nonnull (phone_call_get_reason (call)->phrase);
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  int result;

  harness_init (&argc, &argv);
  bench_authorities_make ();
  g_test_add_func ("/sip/register-tls/registered", test_registered);
  g_test_add_func ("/sip/register-tls/client-certificate", test_client_certificate);
  g_test_add_func ("/sip/register-tls/not-verified", test_not_verified);
  g_test_add_func ("/sip/register-tls/call", test_call);
  for (guint i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_autofree char *path = g_strconcat ("/sip/register-tls/failure/", failures[i].reason, NULL);
      g_test_add_data_func (path, &failures[i], test_failure);
    }
  result = g_test_run ();
  bench_authorities_remove ();
  return result;
}
