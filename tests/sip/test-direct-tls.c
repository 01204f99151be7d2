/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two phones that call each other over TLS without a server, and strangers who connect to them. */

#include <arpa/inet.h>
#include <dirent.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench-tls-phone.h"
#include "harness.h"
#include "name-server.h"

#define ALICE "127.69.1.1"
#define BOB "127.69.1.2"
#define STRANGER "127.69.1.66"
#define FLOODER "127.69.1.67"
#define NEIGHBOUR "127.69.2.%u"
#define NOWHERE "192.0.2.66"
#define PORT 5061

typedef enum { CERT_GOOD, CERT_OTHER_CA, CERT_OTHER_NAME, CERT_NONE } CertKind;

typedef struct
{
  Agent *alice, *bob;
  char *alice_cert, *bob_cert;
} Pair;

static char *
write_cert (CertKind kind, const char *who, const char *address)
{
  g_autofree char *san = g_strdup_printf ("IP:%s", kind == CERT_OTHER_NAME ? "127.69.1.99" : address);
  g_autofree char *file = g_strconcat (who, ".pem", NULL);
  g_autoptr (BenchCert) cert = NULL;

  if (kind == CERT_NONE)
    return NULL;
  cert = bench_cert_new (&(BenchCertSpec) { .name = who, .san = san },
                         kind == CERT_OTHER_CA ? bench_authorities.other_ca : bench_authorities.ca);
  return bench_authorities_write (cert, TRUE, file);
}

static Agent *
make_agent (const char *id, const char *address, const char *cert, const char *verify_callers)
{
  Agent *agent = agent_new (address, NULL);
  g_autofree char *aor = g_strdup_printf ("sip:%s@%s", id, address);

  agent_add_account (agent, id, "aor", aor, "register", "false", "transport", "tls", "tls-ca", bench_authorities.ca_path,
                     "tls-verify-callers", verify_callers, cert ? "tls-cert" : NULL, cert, NULL);
  return agent;
}

static void
pair_open (Pair *pair, CertKind alice, CertKind bob, const char *bob_verifies)
{
  pair->alice_cert = write_cert (alice, "alice", ALICE);
  pair->bob_cert = write_cert (bob, "bob", BOB);
  pair->alice = make_agent ("alice", ALICE, pair->alice_cert, "no");
  pair->bob = make_agent ("bob", BOB, pair->bob_cert, bob_verifies);
  pair->bob->script.answer = TRUE;
}

static void
pair_close (Pair *pair)
{
  agent_free (pair->alice);
  agent_free (pair->bob);
  if (pair->alice_cert)
    g_unlink (pair->alice_cert);
  if (pair->bob_cert)
    g_unlink (pair->bob_cert);
  g_free (pair->alice_cert);
  g_free (pair->bob_cert);
}

/* ---- calls ---- */

/* Connections of our loopback that are made to address. */
static guint
count_connections (const char *address)
{
  g_autofree char *table = NULL;
  g_autofree char *wanted = g_strdup_printf (" %08X:%04X 01 ", inet_addr (address), PORT);
  g_auto (GStrv) lines = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents ("/proc/thread-self/net/tcp", &table, NULL, NULL));
  lines = g_strsplit (table, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    n += strstr (lines[i], wanted) != NULL;
  return n;
}

/* One connection carries what the caller says, however much it is; the callee says what it has to say over one that it makes. */
static void
test_call (gconstpointer data)
{
  gboolean callee_hangs_up = GPOINTER_TO_INT (data);
  Pair pair;
  PhoneCall *out, *in;

  pair_open (&pair, CERT_GOOD, CERT_GOOD, "yes");
  out = agent_dial (pair.alice, "sip:bob@" BOB);
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  in = agent_call (pair.bob, 0);
  g_assert_cmpstr (phone_call_get_remote_uri (in), ==, "sip:alice@" ALICE);
  g_assert_true (phone_call_hold (out, NULL, NULL, NULL));
  wait_for (pair.alice->n_held == 1);
  g_assert_true (phone_call_resume (out, NULL, NULL, NULL));
  wait_for (phone_call_get_state (out) == PHONE_CALL_ACTIVE);
  g_assert_cmpuint (count_connections (BOB), ==, 1);
  g_assert_cmpuint (count_connections (ALICE), ==, 0);
  phone_call_hangup (callee_hangs_up ? in : out, NULL);
  wait_for (pair.alice->n_ended == 1 && pair.bob->n_ended == 1);
  assert_cause (out, PHONE_CAUSE_HANGUP);
  assert_cause (in, PHONE_CAUSE_HANGUP);
  assert_actor (out, callee_hangs_up ? PHONE_ACTOR_REMOTE : PHONE_ACTOR_LOCAL);
  assert_actor (in, callee_hangs_up ? PHONE_ACTOR_LOCAL : PHONE_ACTOR_REMOTE);
  pair_close (&pair);
}

static const NameRecord zone[] = { { "bob.test", NAME_A, BOB }, { "other.test", NAME_A, BOB } };

/* Two names at one address: the connection that was made to the one, and checked for it, does not serve the other. */
static void
test_two_names (void)
{
  g_autoptr (BenchCert) cert = bench_cert_new (&(BenchCertSpec) { .name = "bob", .san = "DNS:bob.test" }, bench_authorities.ca);
  g_autofree char *bob_cert = bench_authorities_write (cert, TRUE, "bob.pem");
  g_autofree char *alice_cert = write_cert (CERT_GOOD, "alice", ALICE);
  Agent *alice = make_agent ("alice", ALICE, alice_cert, "no"), *bob = agent_new (BOB, NULL);
  PhoneCall *first, *second;

  agent_add_account (bob, "bob", "aor", "sip:bob@bob.test", "register", "false", "transport", "tls", "tls-ca", bench_authorities.ca_path, "tls-cert",
                     bob_cert, NULL);
  bob->script.answer = TRUE;
  first = agent_dial (alice, "sip:bob@bob.test");
  wait_for (alice->n_active == 1 && bob->n_active == 1);
  second = agent_dial (alice, "sip:bob@other.test");
  wait_for (phone_call_get_state (second) == PHONE_CALL_DISCONNECTED);
  assert_cause (second, PHONE_CAUSE_TLS);
  g_assert_nonnull (strstr (phone_call_get_reason (second)->phrase, "not for other.test"));
  g_assert_cmpuint (bob->n_incoming, ==, 1);
  wait_for (phone_call_get_state (first) == PHONE_CALL_HELD);   /* as another was dialled */
  /* and the one that is open takes the next call to its host */
  second = agent_dial (alice, "sip:bob@BOB.test");
  wait_for (bob->n_incoming == 2 && phone_call_get_state (second) == PHONE_CALL_ACTIVE);
  g_assert_cmpuint (count_connections (BOB), ==, 1);
  agent_free (alice);
  agent_free (bob);
  g_unlink (bob_cert);
  g_unlink (alice_cert);
}

/* A call that gets no answer of any kind: it ends with timer B. What ends before it has not waited for a timer. */
static PhoneCall *
call_nowhere (Agent *agent)
{
  static gboolean added;

  if (!added)
    g_assert_true (harness_ip ("route add " NOWHERE "/32 dev lo"));
  added = TRUE;
  return agent_dial (agent, "sip:nobody@" NOWHERE);
}

typedef struct
{
  const char *path;
  CertKind alice, bob;
  const char *bob_verifies;
  const char *phrase;           /* part of what alice is told */
} Refusal;

static const Refusal refusals[] = {
  { "unknown-issuer", CERT_GOOD, CERT_OTHER_CA, "no", "not trusted" },
  { "name-mismatch", CERT_GOOD, CERT_OTHER_NAME, "no", "not for " BOB },
  { "no-certificate", CERT_GOOD, CERT_NONE, "no", "ended TLS" },
  { "caller-unknown", CERT_OTHER_CA, CERT_GOOD, "yes", "tls-cert" },
  { "caller-without", CERT_NONE, CERT_GOOD, "yes", "tls-cert" },
};

static void
test_refusal (gconstpointer data)
{
  const Refusal *refusal = data;
  Pair pair;
  PhoneCall *out, *witness;

  pair_open (&pair, refusal->alice, refusal->bob, refusal->bob_verifies);
  witness = call_nowhere (pair.alice);
  if (refusal->bob == CERT_NONE)
    g_assert_nonnull (strstr (bench_log_warning (), "no tls-cert"));
  out = agent_dial (pair.alice, "sip:bob@" BOB);
  wait_for (pair.alice->n_ended == 1);
  assert_cause (out, PHONE_CAUSE_TLS);
  assert_actor (out, PHONE_ACTOR_NETWORK);
  assert_state (witness, PHONE_CALL_DIALING);
  g_assert_cmpuint (phone_call_get_reason (out)->sip, ==, 0);
  g_assert_nonnull (strstr (phone_call_get_reason (out)->phrase, refusal->phrase));

  /* The next one is refused for the same reason: nothing was kept of the first, least of all its connection. */
  out = agent_dial (pair.alice, "sip:bob@" BOB);
  wait_for (pair.alice->n_ended == 2);
  assert_cause (out, PHONE_CAUSE_TLS);
  g_assert_nonnull (strstr (phone_call_get_reason (out)->phrase, refusal->phrase));
  assert_state (witness, PHONE_CALL_DIALING);
  g_assert_cmpuint (pair.bob->n_incoming, ==, 0);
  g_assert_cmpuint (pair.alice->n_active, ==, 0);
  pair_close (&pair);
}

/* Nobody listens there: not TLS's fault, and told at once. */
static void
test_nobody (void)
{
  Pair pair;
  PhoneCall *out, *witness;

  pair_open (&pair, CERT_GOOD, CERT_GOOD, "no");
  witness = call_nowhere (pair.alice);
  out = agent_dial (pair.alice, "sip:carol@127.69.1.3");
  wait_for (pair.alice->n_ended == 1);
  assert_cause (out, PHONE_CAUSE_UNREACHABLE);
  assert_actor (out, PHONE_ACTOR_NETWORK);
  assert_state (witness, PHONE_CALL_DIALING);
  g_assert_cmpuint (phone_call_get_reason (out)->sip, ==, 503);
  agent_dial (pair.alice, "sip:bob@" BOB);
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  pair_close (&pair);
}

/* Without tls-verify-callers the caller needs no certificate. */
static void
test_anonymous_caller (void)
{
  Pair pair;

  pair_open (&pair, CERT_NONE, CERT_GOOD, "no");
  phone_call_hangup (agent_dial (pair.alice, "sip:bob@" BOB), NULL);
  agent_dial (pair.alice, "sip:bob@" BOB);
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  phone_call_hangup (agent_call (pair.alice, 1), NULL);
  wait_for (pair.alice->n_ended == 2 && pair.bob->n_ended == pair.bob->n_incoming);
  pair_close (&pair);
}

/* ---- strangers ---- */

static int
connect_to_bob (const char *from)
{
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons (PORT), .sin_addr.s_addr = inet_addr (BOB) };
  struct sockaddr_in ours = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr (from) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (bind (fd, (struct sockaddr *) &ours, sizeof ours), ==, 0);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &to, sizeof to), ==, 0);
  return fd;
}

typedef struct
{
  guint n;                      /* connections, one after the other */
  const char *from;             /* NULL: STRANGER */
  guint n_sources;              /* or so many NEIGHBOURs in turn */
  int max_version;
  int answered, refused;        /* atomic */
  int done;
} Stranger;

static const char options[] = "OPTIONS sip:bob@" BOB " SIP/2.0\r\n"
                              "Via: SIP/2.0/TLS " STRANGER ":5061;branch=z9hG4bK%u;rport\r\n"
                              "From: <sip:x@" STRANGER ">;tag=1\r\nTo: <sip:bob@" BOB ">\r\nCall-ID: c%u@x\r\n"
                              "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

static gpointer
run_stranger (gpointer data)
{
  Stranger *stranger = data;
  SSL_CTX *ctx = SSL_CTX_new (TLS_client_method ());

  SSL_CTX_set_security_level (ctx, 0);
  SSL_CTX_set_max_proto_version (ctx, stranger->max_version);
  for (guint i = 0; i < stranger->n; i++)
    {
      g_autofree char *request = g_strdup_printf (options, i, i);
      char response[4096] = "";
      g_autofree char *from = g_strdup_printf (NEIGHBOUR, i % MAX (stranger->n_sources, 1) + 1);
      int fd = connect_to_bob (stranger->n_sources ? from : stranger->from ? stranger->from : STRANGER);
      SSL *ssl = SSL_new (ctx);

      SSL_set_fd (ssl, fd);
      if (SSL_connect (ssl) == 1 && SSL_write (ssl, request, (int) strlen (request)) > 0
          && SSL_read (ssl, response, sizeof response - 1) > 0 && g_str_has_prefix (response, "SIP/2.0 200"))
        {
          g_atomic_int_inc (&stranger->answered);
          SSL_shutdown (ssl);
          /* until the phone has closed too */
          shutdown (fd, SHUT_WR);
          while (read (fd, response, sizeof response) > 0)
            ;
        }
      else
        g_atomic_int_inc (&stranger->refused);
      SSL_free (ssl);
      close (fd);
    }
  SSL_CTX_free (ctx);
  g_atomic_int_set (&stranger->done, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

static void
visit (Stranger *stranger)
{
  GThread *thread = g_thread_new ("stranger", run_stranger, stranger);

  wait_for (g_atomic_int_get (&stranger->done));
  g_thread_join (thread);
}

static void
test_versions (void)
{
  Stranger old = { .n = 1, .max_version = TLS1_1_VERSION }, lowest = { .n = 1, .max_version = TLS1_2_VERSION };
  Pair pair;

  pair_open (&pair, CERT_GOOD, CERT_GOOD, "no");
  visit (&old);
  g_assert_cmpint (old.answered, ==, 0);
  visit (&lowest);
  g_assert_cmpint (lowest.answered, ==, 1);
  pair_close (&pair);
}

static guint
count_descriptors (void)
{
  DIR *folder = opendir ("/proc/self/fd");
  guint n = 0;

  while (readdir (folder))
    n++;
  closedir (folder);
  return n;
}

/* Finished transactions stay with sofia for 32 s; an SSL is some 50 kB. */
enum { N_WARM_UP = 50, N_VISITS = 300, N_SOURCES = 10, MAX_GROWTH = 4096 };

static void
test_leak (void)
{
  Stranger warm_up = { .n = N_WARM_UP, .n_sources = N_SOURCES }, many = { .n = N_VISITS, .n_sources = N_SOURCES };
  Pair pair;
  gsize before, after;
  guint descriptors;

  pair_open (&pair, CERT_GOOD, CERT_GOOD, "no");
  visit (&warm_up);
  harness_settle ();
  before = mallinfo2 ().uordblks;
  descriptors = count_descriptors ();
  visit (&many);
  harness_settle ();
  after = mallinfo2 ().uordblks;
  g_test_message ("%.0f octets for each of %d connections", ((double) after - (double) before) / N_VISITS, N_VISITS);
  g_assert_cmpint (many.answered, ==, N_VISITS);
  g_assert_cmpuint (count_descriptors (), ==, descriptors);
  g_assert_cmpfloat (((double) after - (double) before) / N_VISITS, <, MAX_GROWTH);
  pair_close (&pair);
}

/* One who shakes hands without end is refused after a while; others are not. */
static void
test_flood (void)
{
  Stranger flooder = { .n = 400, .from = FLOODER }, other = { .n = 1, .from = "127.69.1.68" };
  Pair pair;

  pair_open (&pair, CERT_GOOD, CERT_GOOD, "no");
  visit (&flooder);
  g_assert_cmpint (flooder.answered, >=, 40);
  g_assert_cmpint (flooder.refused, >, 0);
  visit (&other);
  g_assert_cmpint (other.answered, ==, 1);
  agent_dial (pair.alice, "sip:bob@" BOB);
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  pair_close (&pair);
}

static gboolean
is_closed (int fd)
{
  char octet;
  gssize n = recv (fd, &octet, 1, MSG_DONTWAIT);

  return n == 0 || (n < 0 && errno != EAGAIN);
}

static guint
count_open (const int *fds, guint n)
{
  guint open = 0;

  for (guint i = 0; i < n; i++)
    open += !is_closed (fds[i]);
  return open;
}

/* A crowd that connects and says nothing, or nonsense, or half a handshake: it is kept small, it does not keep a call from coming
 * through, and those who stay are cut off in the end. */
static void
test_crowd (void)
{
  enum { N_CROWD = 40, MAX_FROM_ONE = 16 };
  static const guint8 half_hello[] = { 0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3 };
  int fds[N_CROWD];
  guint before;
  Pair pair;

  pair_open (&pair, CERT_GOOD, CERT_GOOD, "no");
  before = count_descriptors ();
  for (guint i = 0; i < N_CROWD; i++)
    {
      fds[i] = connect_to_bob (STRANGER);
      if (i % 3 == 1)
        send (fds[i], half_hello, sizeof half_hello, MSG_NOSIGNAL);
      else if (i % 3 == 2)
        send (fds[i], "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
      harness_settle ();
    }
  wait_for (count_open (fds, N_CROWD) <= MAX_FROM_ONE);
  wait_for (count_descriptors () <= before + N_CROWD + MAX_FROM_ONE);

  agent_dial (pair.alice, "sip:bob@" BOB);
  wait_for (pair.alice->n_active == 1 && pair.bob->n_active == 1);
  wait_for (count_open (fds, N_CROWD) == 0);
  assert_state (agent_call (pair.bob, 0), PHONE_CALL_ACTIVE);
  for (guint i = 0; i < N_CROWD; i++)
    close (fds[i]);
  pair_close (&pair);
}

int
main (int argc, char **argv)
{
  int result;

  harness_init (&argc, &argv);
  bench_log_init ();
  bench_authorities_make ();
  g_test_add_data_func ("/sip/direct-tls/call/caller-hangs-up", GINT_TO_POINTER (FALSE), test_call);
  g_test_add_data_func ("/sip/direct-tls/call/callee-hangs-up", GINT_TO_POINTER (TRUE), test_call);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *path = g_strconcat ("/sip/direct-tls/refusal/", refusals[i].path, NULL);
      g_test_add_data_func (path, &refusals[i], test_refusal);
    }
  if (harness_set_resolver ("127.0.0.53"))
    {
      name_server_start ("127.0.0.53", zone, G_N_ELEMENTS (zone));
      g_test_add_func ("/sip/direct-tls/two-names", test_two_names);
    }
  g_test_add_func ("/sip/direct-tls/nobody", test_nobody);
  g_test_add_func ("/sip/direct-tls/anonymous-caller", test_anonymous_caller);
  g_test_add_func ("/sip/direct-tls/versions", test_versions);
  g_test_add_func ("/sip/direct-tls/leak", test_leak);
  g_test_add_func ("/sip/direct-tls/crowd", test_crowd);
  g_test_add_func ("/sip/direct-tls/flood", test_flood);
  result = g_test_run ();
  bench_authorities_remove ();
  return result;
}
