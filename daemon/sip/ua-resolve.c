/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   host, no transport --NAPTR--> services --SRV for each--> hosts and ports --A or AAAA for each--> targets
 *   host and transport ------------------/                 /
 *   no SRV, or a port ------------------------------------/
 *
 * The questions of one step go out together, and the next step begins when all of them are answered. What a name server can make us ask and
 * keep is limited. sofia does all this too, but what it finds stays inside one transaction. */

#include "sip/ua-resolve.h"

#include <arpa/inet.h>
#include <string.h>

#define SRES_CONTEXT_T struct _Lookup
typedef struct _Lookup Lookup;
#include <sofia-resolv/sres.h>
#include <sofia-resolv/sres_record.h>
#include <sofia-sip/sresolv.h>

#define PATIENCE_MS 6000        /* for all of it; a question is repeated after 1, 2 and 4 s */
#define MAX_SERVICES 4
#define MAX_HOSTS 16            /* SRV records that are followed, of all services */
#define MAX_NAPTR 32            /* looked at, of one answer */
#define MAX_ADDRESSES 8         /* of one host */
#define MAX_TARGETS 32
#define DEFAULT_SIP_PORT 5060
#define DEFAULT_SIPS_PORT 5061

/* A service that SRV is asked for, or a host that has addresses. */
struct _Lookup
{
  UaResolve *resolve;
  sres_query_t *query;          /* NULL: answered */
  sres_record_t **answers;      /* owned; NULL: none */
  guint16 type;
  char *name;
  PhoneTransport transport;
  guint16 port;                 /* A, AAAA */
  guint rank;
};

struct _UaResolve
{
  UaEngine *engine;
  char *host;
  guint16 port;
  PhoneTransport transport;
  gboolean with_tls;
  int family;
  UaResolvedFunc func;
  gpointer data;
  GPtrArray *lookups;           /* of the present step */
  guint n_open;
  void (*next) (UaResolve *resolve);    /* step */
  GSource *turn;                /* the next step is due */
  GSource *patience;
};

static void
free_lookup (gpointer data)
{
  Lookup *lookup = data;

  if (lookup->query)
    sres_query_bind (lookup->query, NULL, NULL);
  if (lookup->answers)
    sres_free_answers (lookup->resolve->engine->resolver, lookup->answers);
  g_free (lookup->name);
  g_free (lookup);
}

void
ua_resolve_cancel (UaResolve *resolve)
{
  if (!resolve)
    return;
  ua_timer_clear (&resolve->turn);
  ua_timer_clear (&resolve->patience);
  g_ptr_array_unref (resolve->lookups);
  g_free (resolve->host);
  g_free (resolve);
}

static void
finish (UaResolve *resolve, GPtrArray *targets)
{
  UaResolvedFunc func = resolve->func;
  gpointer data = resolve->data;

  ua_resolve_cancel (resolve);
  func (targets, data);
}

static gboolean
on_turn (gpointer data)
{
  UaResolve *resolve = data;

  ua_timer_clear (&resolve->turn);
  /* The first question of the step may have been answered from memory, and others not. */
  if (resolve->n_open == 0)
    resolve->next (resolve);
  return G_SOURCE_REMOVE;
}

static gboolean
on_patience (gpointer data)
{
  UaResolve *resolve = data;
  g_autoptr (GPtrArray) targets = ua_targets_new ();

  phone_log_notice (NULL, "DNS: no answer about %s", resolve->host);
  finish (resolve, targets);
  return G_SOURCE_REMOVE;
}

/* ---- questions ---- */

static void
check (UaResolve *resolve)
{
  if (resolve->n_open == 0 && !resolve->turn)
    resolve->turn = ua_timer_new (resolve->engine, 0, on_turn, resolve);
}

static void
on_answer (Lookup *lookup, sres_query_t *query, sres_record_t **answers)
{
  lookup->query = NULL;
  lookup->answers = answers;
  lookup->resolve->n_open--;
  check (lookup->resolve);
}

static void
ask (UaResolve *resolve, guint16 type, const char *name, PhoneTransport transport, guint16 port, guint rank)
{
  sres_resolver_t *resolver = resolve->engine->resolver;
  Lookup *lookup = g_new0 (Lookup, 1);

  lookup->resolve = resolve;
  lookup->type = type;
  lookup->name = g_strdup (name);
  lookup->transport = transport;
  lookup->port = port;
  lookup->rank = rank;
  g_ptr_array_add (resolve->lookups, lookup);
  lookup->answers = sres_cached_answers (resolver, type, name);
  if (!lookup->answers)
    lookup->query = sres_query (resolver, on_answer, lookup, type, name);
  if (lookup->query)
    resolve->n_open++;
  check (resolve);
}

/* The step is over: what it found, to be freed by the caller after the next questions are out. */
static GPtrArray *
begin_step (UaResolve *resolve, void (*next) (UaResolve *resolve))
{
  GPtrArray *found = g_steal_pointer (&resolve->lookups);

  resolve->lookups = g_ptr_array_new_with_free_func (free_lookup);
  resolve->next = next;
  return found;
}

static gboolean
is_good (const sres_record_t *record, guint16 type)
{
  return record->sr_record->r_status == SRES_OK && record->sr_record->r_type == type && record->sr_record->r_class == sres_class_in;
}

static guint16
default_port (PhoneTransport transport)
{
  return transport == PHONE_TRANSPORT_TLS ? DEFAULT_SIPS_PORT : DEFAULT_SIP_PORT;
}

/* ---- steps, the last one first ---- */

static gboolean
is_known (GPtrArray *targets, const UaTarget *target)
{
  g_autofree char *key = ua_target_key (target);

  for (guint i = 0; i < targets->len; i++)
    {
      g_autofree char *other = ua_target_key (g_ptr_array_index (targets, i));

      if (g_str_equal (key, other))
        return TRUE;
    }
  return FALSE;
}

static void
collect_targets (UaResolve *resolve)
{
  g_autoptr (GPtrArray) targets = ua_targets_new ();

  for (guint i = 0; i < resolve->lookups->len; i++)
    {
      const Lookup *lookup = g_ptr_array_index (resolve->lookups, i);
      guint n = 0;

      for (guint a = 0; lookup->answers && lookup->answers[a] && n < MAX_ADDRESSES && targets->len < MAX_TARGETS; a++)
        {
          const sres_record_t *record = lookup->answers[a];
          char text[INET6_ADDRSTRLEN];
          UaTarget *target;

          if (!is_good (record, lookup->type)
              || !inet_ntop (lookup->type == sres_type_aaaa ? AF_INET6 : AF_INET, lookup->type == sres_type_aaaa ? (const void *) &record->sr_aaaa->aaaa_addr
                                                                         : (const void *) &record->sr_a->a_addr,
                             text, sizeof text))
            continue;
          target = ua_target_new (lookup->transport, resolve->host, text, lookup->port, lookup->rank);
          if (is_known (targets, target))
            ua_target_free (target);
          else
            g_ptr_array_add (targets, target);
          n++;
        }
    }
  finish (resolve, targets);
}

static void
ask_address (UaResolve *resolve, const char *host, PhoneTransport transport, guint16 port, guint rank)
{
  if (resolve->family != AF_INET6)
    ask (resolve, sres_type_a, host, transport, port, rank);
  if (resolve->family != AF_INET)
    ask (resolve, sres_type_aaaa, host, transport, port, rank);
}

static void
ask_host_itself (UaResolve *resolve)
{
  ask_address (resolve, resolve->host, resolve->transport, resolve->port ? resolve->port : default_port (resolve->transport), 0);
}

static double
on_chance (gpointer data)
{
  return g_random_double ();
}

static void
ask_hosts_of_service (UaResolve *resolve, const Lookup *lookup, guint *rank, gboolean *is_refused)
{
  g_autoptr (GArray) records = g_array_new (FALSE, FALSE, sizeof (UaSrv));

  for (guint a = 0; lookup->answers && lookup->answers[a] && records->len < MAX_HOSTS; a++)
    if (is_good (lookup->answers[a], sres_type_srv))
      {
        const sres_srv_record_t *srv = lookup->answers[a]->sr_srv;
        UaSrv record = { srv->srv_priority, srv->srv_weight, srv->srv_port, srv->srv_target };

        /* "." and nothing else: the service is decidedly not offered (RFC 2782) */
        if (!*record.host || g_str_equal (record.host, "."))
          *is_refused = TRUE;
        else if (record.port)
          g_array_append_val (records, record);
      }
  ua_srv_order ((UaSrv *) (gpointer) records->data, records->len, on_chance, NULL);
  for (guint i = 0; i < records->len && resolve->lookups->len < 2 * MAX_HOSTS; i++)
    {
      const UaSrv *record = &g_array_index (records, UaSrv, i);

      if (i > 0 && record->priority != (record - 1)->priority)
        ++*rank;
      ask_address (resolve, record->host, lookup->transport, record->port, *rank);
    }
  ++*rank;
}

static void
on_services (UaResolve *resolve)
{
  g_autoptr (GPtrArray) found = begin_step (resolve, collect_targets);
  gboolean is_refused = FALSE;
  guint rank = 0;

  for (guint i = 0; i < found->len; i++)
    ask_hosts_of_service (resolve, g_ptr_array_index (found, i), &rank, &is_refused);
  if (resolve->lookups->len == 0 && !is_refused)
    ask_host_itself (resolve);
  check (resolve);
}

static void
ask_default_services (UaResolve *resolve)
{
  static const struct
  {
    PhoneTransport transport;
    const char *prefix;
  } services[] = {
    { PHONE_TRANSPORT_UDP, "_sip._udp." },
    { PHONE_TRANSPORT_TCP, "_sip._tcp." },
    { PHONE_TRANSPORT_TLS, "_sips._tcp." },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (services); i++)
    if (resolve->transport == services[i].transport
        || (resolve->transport == PHONE_TRANSPORT_AUTO && services[i].transport != PHONE_TRANSPORT_TLS))
      {
        g_autofree char *name = g_strconcat (services[i].prefix, resolve->host, NULL);

        ask (resolve, sres_type_srv, name, services[i].transport, 0, 0);
      }
}

static void
on_naptr (UaResolve *resolve)
{
  g_autoptr (GPtrArray) found = begin_step (resolve, on_services);
  const Lookup *lookup = g_ptr_array_index (found, 0);
  UaNaptr records[MAX_NAPTR];
  UaService services[MAX_SERVICES];
  guint n = 0;

  for (guint a = 0; lookup->answers && lookup->answers[a] && n < MAX_NAPTR; a++)
    if (is_good (lookup->answers[a], sres_type_naptr))
      {
        const sres_naptr_record_t *naptr = lookup->answers[a]->sr_naptr;

        records[n++] = (UaNaptr) { naptr->na_order, naptr->na_prefer, naptr->na_flags, naptr->na_services, naptr->na_replace };
      }
  n = ua_naptr_choose (records, n, resolve->transport, resolve->with_tls, services, MAX_SERVICES);
  for (guint i = 0; i < n; i++)
    ask (resolve, sres_type_srv, services[i].name, services[i].transport, 0, 0);
  if (n == 0)
    ask_default_services (resolve);
}

UaResolve *
ua_resolve_start (UaEngine *engine, const UaQuestion *question, UaResolvedFunc func, gpointer data)
{
  UaResolve *resolve = g_new0 (UaResolve, 1);

  if (!engine->resolver)
    engine->resolver = sres_resolver_create (engine->root, NULL, TAG_END ());
  resolve->engine = engine;
  resolve->host = g_strdup (question->host);
  resolve->port = question->port;
  resolve->transport = question->transport;
  resolve->with_tls = question->with_tls;
  resolve->family = question->family;
  resolve->func = func;
  resolve->data = data;
  resolve->patience = ua_timer_new (engine, PATIENCE_MS, on_patience, resolve);
  resolve->lookups = g_ptr_array_new_with_free_func (free_lookup);
  resolve->next = collect_targets;
  if (resolve->port)
    ask_host_itself (resolve);
  else if (resolve->transport == PHONE_TRANSPORT_AUTO || resolve->transport == PHONE_TRANSPORT_TLS)
    {
      resolve->next = on_naptr;
      ask (resolve, sres_type_naptr, resolve->host, PHONE_TRANSPORT_AUTO, 0, 0);
    }
  else
    {
      resolve->next = on_services;
      ask_default_services (resolve);
    }
  return resolve;
}
