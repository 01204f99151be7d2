/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an account's settings mean on the wire: whom requests are sent to, and who we say that we are.
 *
 * Requests outside a dialog go to the outbound proxy, else to the registrar, else (an account that does not register) straight
 * to their target, by sofia's default proxy and without a Route header: a preloaded Route is what RFC 3261 section 8.1.2
 * suggests, but widely used proxy configurations answer it with 403. Requests inside a dialog follow its route set
 * (ua-dialog.c sees to that).
 *
 * The Contact is ours rather than sofia's, so that one REGISTER suffices, a change of the network needs no new socket, and a request
 * that a proxy rewrote to a public address (RFC 3581) still names us. */

#include "sip/ua-dialog.h"
#include "sip/ua-locate.h"
#include "sip/ua-presence.h"
#include "sip/ua-quality.h"
#include "sip/ua-walk.h"
#include "sip/target.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TLS_CHECK_US (2 * G_USEC_PER_SEC)       /* longer than what one call asks in a row */
#define MACHINE_ID_FILE "/etc/machine-id"
/* Name space of our version 5 UUIDs: a random UUID, made once for phoned. */
static const guint8 uuid_space[16]
    = { 0x5b, 0x0c, 0x7c, 0x63, 0x0f, 0x84, 0x4d, 0x0e, 0x9d, 0x4e, 0x1e, 0x23, 0x6f, 0x4f, 0x3a, 0x92 };

/* RFC 5626 section 4.1 wants one URN per device that survives reboots; made from the machine's id and the account, by RFC 4122
 * section 4.3, so nothing has to be stored and the machine id itself does not go out. */
static char *
make_instance (const char *id)
{
  g_autofree char *machine = NULL;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA1);
  guint8 d[20];
  gsize length = sizeof d;

  if (!g_file_get_contents (MACHINE_ID_FILE, &machine, NULL, NULL))
    machine = g_strdup (g_get_host_name ());
  g_strstrip (machine);
  g_checksum_update (sum, uuid_space, sizeof uuid_space);
  g_checksum_update (sum, (const guchar *) machine, -1);
  g_checksum_update (sum, (const guchar *) "/", 1);
  g_checksum_update (sum, (const guchar *) g_get_user_name (), -1);
  g_checksum_update (sum, (const guchar *) "/", 1);
  g_checksum_update (sum, (const guchar *) id, -1);
  g_checksum_get_digest (sum, d, &length);
  d[6] = (d[6] & 0x0f) | 0x50;
  d[8] = (d[8] & 0x3f) | 0x80;
  return g_strdup_printf ("urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", d[0], d[1], d[2],
                          d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15]);
}

/* ---- settings ---- */

static char *
uri_host (const char *address)
{
  return strchr (address, ':') ? g_strdup_printf ("[%s]", address) : g_strdup (address);
}

typedef struct
{
  char *host;                   /* with brackets if IPv6 */
  char *port;                   /* "" or ":N" */
  PhoneTransport transport;     /* AUTO: the URI does not say */
} Server;

static void
server_clear (Server *server)
{
  g_clear_pointer (&server->host, g_free);
  g_clear_pointer (&server->port, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Server, server_clear)

static gboolean
parse_server (const char *key, const char *text, Server *ret_server, GError **error)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  gboolean has_scheme = g_ascii_strncasecmp (text, "sip:", 4) == 0 || g_ascii_strncasecmp (text, "sips:", 5) == 0;
  url_t *url = has_scheme ? url_hdup (home, (const url_t *) text) : url_format (home, "sip:%s", text);
  char transport[8] = "";

  if (!url || (url->url_type != url_sip && url->url_type != url_sips) || !url->url_host || !*url->url_host)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: \"%s\" is not a SIP URI or host[:port]", key, text);
      su_home_deinit (home);
      return FALSE;
    }
  ret_server->host = g_strdup (url->url_host);
  ret_server->port = url->url_port && *url->url_port ? g_strconcat (":", url->url_port, NULL) : g_strdup ("");
  ret_server->transport = PHONE_TRANSPORT_AUTO;
  if (url->url_type == url_sips)
    ret_server->transport = PHONE_TRANSPORT_TLS;
  else if (url_param (url->url_params, "transport", transport, sizeof transport) > 0)
    {
      g_autofree char *lower = g_ascii_strdown (transport, -1);

      phone_transport_from_string (lower, &ret_server->transport);
    }
  su_home_deinit (home);
  return TRUE;
}

static gboolean
parse_aor (UaAccount *account, const char *aor, GError **error)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  url_t *url = url_hdup (home, (const url_t *) aor);
  gboolean ok = url && (url->url_type == url_sip || url->url_type == url_sips) && url->url_host && *url->url_host;

  if (ok)
    {
      account->user = g_strdup (url->url_user ? url->url_user : "");
      account->domain = g_strdup (url->url_host);
      account->aor = g_strdup_printf ("sip:%s%s%s%s%s", account->user, *account->user ? "@" : "", account->domain,
                                      url->url_port ? ":" : "", url->url_port ? url->url_port : "");
    }
  else
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "aor: \"%s\" is not a SIP URI", aor);
  su_home_deinit (home);
  return ok;
}

static const char *
transport_param (PhoneTransport transport)
{
  switch (transport)
    {
    case PHONE_TRANSPORT_UDP:
      return ";transport=udp";
    case PHONE_TRANSPORT_TCP:
      return ";transport=tcp";
    case PHONE_TRANSPORT_TLS:
      return ";transport=tls";
    case PHONE_TRANSPORT_AUTO:
      break;
    }
  return "";
}

static gboolean
parse_route (UaAccount *account, const PhoneAccountSettings *settings, GError **error)
{
  g_auto (Server) registrar = { 0 };
  g_auto (Server) proxy = { 0 };
  const Server *server = NULL;

  account->transport = settings->transport;
  if (settings->registrar)
    {
      if (!parse_server ("registrar", settings->registrar, &registrar, error))
        return FALSE;
      server = &registrar;
    }
  else if (settings->do_register && !parse_server ("aor", settings->aor, &registrar, error))
    return FALSE;
  else if (settings->do_register)
    server = &registrar;
  if (settings->outbound_proxy)
    {
      if (!parse_server ("outbound-proxy", settings->outbound_proxy, &proxy, error))
        return FALSE;
      server = &proxy;
    }
  if (account->transport == PHONE_TRANSPORT_AUTO && server)
    account->transport = server->transport;
  account->finds_transport = account->transport == PHONE_TRANSPORT_AUTO && settings->do_register;
  account->takes_tls = account->transport == PHONE_TRANSPORT_AUTO && !settings->do_register;
  if (registrar.host)
    account->registrar = g_strdup_printf ("sip:%s%s", registrar.host, registrar.port);
  if (server)
    {
      guint16 port;
      g_autofree char *host = NULL;

      account->route = g_strdup_printf ("sip:%s%s%s", server->host, server->port, transport_param (account->transport));
      ua_route_split (account->route, &account->route_host, &port);
      account->route_address = ua_address_family (account->route_host) != AF_UNSPEC ? g_strdup (account->route_host)
                                                                                     : ua_route_hosts (account->route_host, AF_UNSPEC);
      if (account->route_address && !g_str_equal (account->route_address, account->route_host))
        {
          host = uri_host (account->route_address);
          g_free (account->route);
          account->route = g_strdup_printf ("sip:%s%s%s", host, server->port, transport_param (account->transport));
        }
      account->server_uri = g_strdup (account->route);
    }
  return TRUE;
}

gboolean
ua_account_takes_tls (UaAccount *account)
{
  g_autoptr (GError) error = NULL;
  gint64 now = g_get_monotonic_time ();
  gboolean could = account->can_tls;

  /* Whoever is called by TLS makes a connection of its own to tell us anything, a BYE for one: without a certificate it could not. */
  if (!account->takes_tls || !ua_account_settings (account)->tls_cert)
    return FALSE;
  if (account->tls_checked != 0 && now - account->tls_checked < TLS_CHECK_US)
    return could;
  account->can_tls = ua_stack_can_tls (account, &error);
  if (!account->can_tls && (could || account->tls_checked == 0))
    phone_log_warning (&account->log, "Account %s: calls nobody by TLS that does not insist: %s", account->id, error->message);
  else if (account->can_tls && !could && account->tls_checked != 0)
    phone_log_notice (&account->log, "Account %s: can call by TLS again", account->id);
  account->tls_checked = now;
  return account->can_tls;
}

UaAccount *
ua_account_new (UaEngine *engine, PhoneAccount *phone_account, GError **error)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (phone_account);
  UaAccount *account = g_new0 (UaAccount, 1);

  account->engine = engine;
  account->account = g_object_ref (phone_account);
  account->id = g_strdup (phone_account_get_id (phone_account));
  account->log.account = account->id;
  account->instance = make_instance (account->id);
  account->subscriptions = g_ptr_array_new ();
  account->foci = g_ptr_array_new ();
  account->targets = ua_targets_new ();
  if (!parse_aor (account, settings->aor, error) || !parse_route (account, settings, error))
    {
      ua_account_free (account);
      return NULL;
    }
  account->credentials = ua_credentials_new (settings->auth_user ? settings->auth_user : account->user,
                                             phone_account_get_password (phone_account));
  account->places = ua_places_new ();
  account->beside = g_ptr_array_new ();
  account->stack = ua_stack_new (account, AF_UNSPEC, account->transport, error);
  if (!account->stack)
    {
      ua_account_free (account);
      return NULL;
    }
  ua_account_takes_tls (account);       /* says so before anybody is called */
  if (settings->do_register)
    account->registration = ua_registration_new (account);
  phone_account_on_transport (phone_account, account->transport);
  return account;
}

void
ua_account_free (UaAccount *account)
{
  if (account->publication)
    ua_presence_close (account);
  g_clear_pointer (&account->quality, ua_quality_free);
  ua_foci_close (account);
  g_ptr_array_unref (account->foci);
  g_ptr_array_unref (account->subscriptions);
  ua_probe_free (account->probe);
  if (account->registration)
    ua_registration_free (account->registration);
  if (account->stack)
    account->stack->account = NULL;
  for (guint i = 0; account->beside && i < account->beside->len; i++)
    ((UaStack *) account->beside->pdata[i])->account = NULL;
  g_clear_pointer (&account->beside, g_ptr_array_unref);
  g_clear_pointer (&account->places, g_hash_table_unref);
  ua_credentials_free (account->credentials);
  g_free (account->tls_text);
  g_free (account->instance);
  g_free (account->route_address);
  g_free (account->route_host);
  g_free (account->route);
  g_free (account->server_uri);
  g_free (account->target);
  g_ptr_array_unref (account->targets);
  g_free (account->registrar);
  g_free (account->domain);
  g_free (account->user);
  g_free (account->aor);
  g_free (account->id);
  g_clear_object (&account->account);
  g_free (account);
}

void
ua_account_close (UaAccount *account, guint deadline)
{
  g_hash_table_remove_all (account->places);
  ua_probe_free (g_steal_pointer (&account->probe));
  for (guint i = account->beside->len; i-- > 0;)
    ua_stack_close (account->beside->pdata[i], deadline);
  ua_stack_close (account->stack, deadline);
}

void
ua_account_stack_gone (UaAccount *account, UaStack *stack)
{
  g_autoptr (PhoneAccount) phone_account = g_object_ref (account->account);

  if (!g_ptr_array_remove (account->beside, stack))
    account->stack = NULL;
  if (account->stack || account->beside->len > 0)
    return;
  g_ptr_array_remove_fast (account->engine->accounts, account);
  phone_account_set_engine_data (phone_account, NULL);
  ua_account_free (account);
  phone_account_on_stopped (phone_account);
}

const PhoneAccountSettings *
ua_account_settings (UaAccount *account)
{
  return phone_account_get_settings (account->account);
}

/* ---- who we are ---- */

char *
ua_stack_contact_uri (UaStack *stack, const char *target)
{
  UaAccount *account = stack->account;
  g_autofree char *towards = NULL;
  g_autofree char *host = NULL;
  PhoneTransport transport = stack->transport == PHONE_TRANSPORT_AUTO ? stack->flow : stack->transport;

  if (!account->route && target && !stack->bound)
    towards = ua_locate_source (stack, target);
  /* The other side will look for this name in our certificate when it has something to say. */
  if (!account->route && stack->tls && !ua_tls_policy_names (stack->tls, towards ? towards : stack->address)
      && ua_tls_policy_names (stack->tls, account->domain))
    {
      g_free (towards);
      towards = g_strdup (account->domain);
    }
  host = uri_host (stack->public_host ? stack->public_host : towards ? towards : stack->address);
  return g_strdup_printf ("sip:%s%s%s:%u%s", account->user, *account->user ? "@" : "", host,
                          stack->public_host ? stack->public_port : stack->port,
                          transport == PHONE_TRANSPORT_TCP || transport == PHONE_TRANSPORT_TLS ? transport_param (transport)
                                                                                               : "");
}

char *
ua_stack_contact (UaStack *stack, const char *target)
{
  g_autofree char *uri = ua_stack_contact_uri (stack, target);

  return g_strdup_printf ("<%s>", uri);
}

/* A display name as quoted-string (RFC 3261 section 25.1). Control characters would end the header: they are left out. */
static char *
quote (const char *text)
{
  GString *quoted = g_string_new ("\"");

  for (const char *p = text; *p; p++)
    {
      if ((guchar) *p < 0x20 || *p == 0x7f)
        continue;
      if (*p == '"' || *p == '\\')
        g_string_append_c (quoted, '\\');
      g_string_append_c (quoted, *p);
    }
  g_string_append_c (quoted, '"');
  return g_string_free (quoted, FALSE);
}

char *
ua_account_from (UaAccount *account, gboolean anonymous)
{
  const char *name = ua_account_settings (account)->display_name;
  g_autofree char *quoted = name && *name ? quote (name) : NULL;

  if (anonymous)
    return g_strdup ("\"Anonymous\" <sip:anonymous@anonymous.invalid>");
  return g_strdup_printf ("%s%s<%s>", quoted ? quoted : "", quoted ? " " : "", account->aor);
}

gboolean
ua_account_is_registered (UaAccount *account)
{
  return account->registration && ua_registration_is_registered (account->registration);
}

/* Digits of a number, without visual separators (RFC 3966 section 5.1.1) and the + of the global form. */
static char *
bare_number (const char *text)
{
  GString *digits = g_string_new (NULL);

  for (const char *p = text; *p && *p != ';'; p++)
    if (g_ascii_isdigit (*p) || *p == '*' || *p == '#')
      g_string_append_c (digits, *p);
    else if (!strchr ("+-.() ", *p))
      return g_string_free (digits, TRUE);      /* not a number */
  return g_string_free (digits, FALSE);
}

static gboolean
same_number (const char *a, const char *b)
{
  g_autofree char *bare_a = bare_number (a);
  g_autofree char *bare_b = bare_number (b);

  return bare_a && bare_b && *bare_a && g_str_equal (bare_a, bare_b);
}

gboolean
ua_account_matches_user (UaAccount *account, const char *user)
{
  const char *did = ua_account_settings (account)->did;
  const char *end = strchr (user, ';');
  g_autofree char *bare = end ? g_strndup (user, (gsize) (end - user)) : g_strdup (user);
  g_auto (GStrv) numbers = NULL;

  if (g_str_equal (bare, account->user) || same_number (bare, account->user))
    return TRUE;
  if (!did)
    return FALSE;
  numbers = g_strsplit (did, ",", -1);
  for (gsize i = 0; numbers[i]; i++)
    if (g_str_equal (g_strstrip (numbers[i]), bare) || same_number (numbers[i], bare))
      return TRUE;
  return FALSE;
}

gboolean
ua_account_trusts (UaAccount *account, const struct sockaddr *from)
{
  return from && ua_account_is_registered (account) && ua_address_equal (from, (const struct sockaddr *) &account->server);
}

/* ---- the network ---- */

char *
ua_account_local_address (UaAccount *account, const char *target)
{
  UaStack *located = account->stack && target ? ua_locate_stack (account, target, NULL) : NULL;
  UaStack *stack = located ? located : account->stack;

  if (!stack)
    return NULL;
  if (stack->bound)
    return g_strdup (stack->address);
  if (account->server.ss_family != AF_UNSPEC)
    return ua_route_source_for ((struct sockaddr *) &account->server);
  if (account->route_host)
    return ua_route_source (account->route_address, stack->family);
  return target ? ua_locate_source (stack, target) : ua_route_source (NULL, stack->family);
}

static void
replace_stack (UaAccount *account, UaStack *stack)
{
  UaStack *old = account->stack;

  ua_subscriptions_abandon (account);
  ua_publication_abandon (account->publication);
  if (account->quality)
    ua_quality_abandon (account->quality);
  old->account = NULL;
  account->stack = stack;
  ua_stack_close (old, 0);
}

/* sofia resolves to A or AAAA only, as its sockets are; both in one nua do not go together with IPv6 literals (503). So there is one family at a
 * time, IPv4 first, and when a name turns out to have none of it the other is tried, once between two back-offs. */
gboolean
ua_account_try_other_family (UaAccount *account)
{
  UaStack *old = account->stack;
  UaStack *stack;
  int other = old->family == AF_INET ? AF_INET6 : AF_INET;
  g_autofree char *source = ua_route_source (NULL, other);
  g_autoptr (GError) error = NULL;

  if (account->route_address || old->bound || old->n_dialogs > 0 || !source || account->n_families++ % 2 == 1)
    return FALSE;
  account->family = other;
  stack = ua_stack_new (account, AF_UNSPEC, account->transport, &error);
  if (!stack)
    {
      phone_log_warning (&account->log, "Account %s: %s", account->id, error->message);
      account->family = old->family;
      return FALSE;
    }
  ua_registration_abandon (account->registration);
  g_ptr_array_set_size (account->targets, 0);
  replace_stack (account, stack);
  return TRUE;
}

gboolean
ua_account_fit_transport (UaAccount *account, const UaTarget *target)
{
  UaStack *old = account->stack;
  UaStack *stack;
  gboolean tls = target->transport == PHONE_TRANSPORT_TLS;
  g_autoptr (GError) error = NULL;

  if (!account->finds_transport || (old->transport == PHONE_TRANSPORT_TLS) == tls)
    return TRUE;
  if (old->state != UA_STACK_RUNNING || old->n_dialogs > 0)
    return FALSE;
  /* Who can be called is not put out of reach for a try. */
  if (tls && ua_account_is_registered (account) && !ua_probe_is_good (account))
    {
      if (!ua_probe_is_asking (account))
        ua_probe_start (account, target);
      return FALSE;
    }
  ua_probe_free (g_steal_pointer (&account->probe));
  account->transport = tls ? PHONE_TRANSPORT_TLS : PHONE_TRANSPORT_AUTO;
  stack = ua_stack_new (account, old->family, account->transport, &error);
  if (!stack)
    {
      phone_log_warning (&account->log, "Account %s: %s", account->id, error->message);
      account->transport = old->transport;
      return FALSE;
    }
  phone_log_info (&account->log, "Account %s: the DNS leads to %s", account->id, phone_transport_to_string (target->transport));
  ua_registration_let_go (account->registration);
  phone_account_on_tls (account->account, NULL);
  phone_account_on_transport (account->account, account->transport);
  replace_stack (account, stack);
  return TRUE;
}

void
ua_account_network_changed (UaAccount *account)
{
  if (account->removing || !account->stack || account->stack->state != UA_STACK_RUNNING)
    return;
  g_hash_table_remove_all (account->places);
  ua_probe_free (g_steal_pointer (&account->probe));
  if (ua_stack_update_address (account->stack))
    ua_stack_foreach (account->stack, UA_OWNER_DIALOG, ua_dialog_network_changed, NULL);
  for (guint i = 0; i < account->beside->len; i++)
    if (ua_stack_update_address (account->beside->pdata[i]))
      ua_stack_foreach (account->beside->pdata[i], UA_OWNER_DIALOG, ua_dialog_network_changed, NULL);
  if (account->registration && ua_registration_is_wanted (account->registration))
    ua_registration_start (account->registration);
  else if (!account->registration)
    {
      ua_subscriptions_resume (account, TRUE);
      ua_notifiers_update (account);
    }
  phone_account_on_located (account->account);  /* what was being asked is asked anew */
}
