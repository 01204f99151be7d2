/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Opens a nua: where it listens, and with what parameters.
 *
 * sofia binds to ADDRESS with maddr=0.0 in the URL of the bind: ADDRESS goes into Via, the socket takes any address. A
 * socket bound to one address would answer 503 to everything after an address change; this one keeps calls alive, and the
 * response finds us by rport (RFC 3581). "0.0" instead of "0.0.0.0": sofia reads the latter as "every interface by itself".
 *
 * sofia marks what it sends with TPTAG_TOS over IPv4 only: its tport_set_tos () is replaced by one that knows the traffic class too. */

#include "sip/ua-private.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su.h>
#include <sofia-sip/tport_tag.h>

#define MAX_MESSAGE 65535       /* octets; RFC 3261 section 18.1.1 */
#define MAX_PROCEEDING 64       /* server transactions without a final response; more get 503 */
#define DSCP_CS3 0x60           /* TOS octet: RFC 4594 section 4.2, signalling */
#define MIN_SE 90               /* s; RFC 4028 section 5 */
#define BIND_TRIES 5
#define DEFAULT_SIP_PORT 5060
#define DEFAULT_SIPS_PORT 5061

static const char allow[] = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, SUBSCRIBE, NOTIFY, MESSAGE";
#define SUPPORTED "timer, 100rel, path, outbound, replaces, norefersub, tdialog, record-aware"

/* ---- interposed ---- */

int tport_set_tos (su_socket_t fd, su_addrinfo_t *info, int tos);       /* its header is not installed */

__attribute__ ((visibility ("default"))) int
tport_set_tos (su_socket_t fd, su_addrinfo_t *info, int tos)
{
  gboolean six = info->ai_family == AF_INET6;

  if (tos >= 0 && setsockopt (fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TCLASS : IP_TOS, &tos, sizeof tos) < 0)
    phone_log_debug (NULL, "sip: a socket could not be marked: %s", g_strerror (errno));
  return 0;
}

static gboolean
create_nua (UaStack *stack, nua_callback_f on_event)
{
  const PhoneDaemonSettings *settings = phone_registry_get_settings (stack->engine->registry);
  gboolean tls = stack->transport == PHONE_TRANSPORT_TLS;
  gboolean ip6 = stack->family == AF_INET6;
  gboolean ice = stack->account && ua_account_settings (stack->account)->ice;
  g_autofree char *maddr = NULL;
  g_autofree char *second = NULL;
  g_autofree char *url = NULL;

  if (!stack->bound)
    maddr = g_strdup_printf (";maddr=%s", ip6 ? "[::0]" : "0.0");
  url = g_strdup_printf ("%s:%s%s%s:%u%s;transport=%s", tls ? "sips" : "sip", ip6 ? "[" : "", stack->address, ip6 ? "]" : "",
                         stack->port, maddr ? maddr : "",
                         stack->transport == PHONE_TRANSPORT_AUTO ? "udp" : phone_transport_to_string (stack->transport));
  /* sofia crashes over "transport=udp,tcp", and without the parameter it opens SCTP too: the second URL it takes, meant for sips, does it */
  if (stack->transport == PHONE_TRANSPORT_AUTO)
    second = g_strdup_printf ("sip:%s%s%s:%u%s;transport=tcp", ip6 ? "[" : "", stack->address, ip6 ? "]" : "", stack->port,
                              maddr ? maddr : "");
  stack->nua = nua_create (stack->engine->root, on_event, (nua_magic_t *) stack,
                           NUTAG_URL (url),
                           TAG_IF (second, NUTAG_SIPS_URL (second)),
                           TAG_IF (tls, NUTAG_CERTIFICATE_DIR (tls ? ua_tls_policy_get_path (stack->tls) : NULL)),
                           NUTAG_MEDIA_ENABLE (0),
                           SIPTAG_ALLOW_STR (allow),
                           SIPTAG_SUPPORTED_STR (ice ? SUPPORTED ", " UA_SDP_FRAGMENT_PACKAGE : SUPPORTED),
                           SIPTAG_ALLOW_EVENTS_STR ("presence, dialog, conference"),
                           /* only tokens that are not there by default: others make sofia read past an array */
                           NUTAG_APPL_METHOD ("UPDATE, INFO, OPTIONS, REFER, NOTIFY, MESSAGE"),
                           NUTAG_AUTOACK (0), NUTAG_AUTOANSWER (0), NUTAG_AUTOALERT (0), NUTAG_AUTO302 (0), NUTAG_AUTO305 (0),
                           NUTAG_EARLY_MEDIA (0), NUTAG_ENABLEMESSAGE (1),
                           NUTAG_SESSION_TIMER (settings->session_expires),
                           NUTAG_MIN_SE (MIN_SE),
                           NUTAG_SESSION_REFRESHER (nua_any_refresher),
                           NUTAG_UPDATE_REFRESH (1),
                           NUTAG_INVITE_TIMER (0),
                           NUTAG_MAX_RETRY_AFTER (0),
                           NUTAG_PATH_ENABLE (0),       /* in "supported" already */
                           NUTAG_OUTBOUND ("no-outbound no-natify no-validate no-options-keepalive"),
                           NUTAG_DEFERRABLE_TIMERS (1),
                           SIPTAG_USER_AGENT_STR (settings->user_agent),
                           NTATAG_MAXSIZE (MAX_MESSAGE),
                           NTATAG_MAX_PROCEEDING (MAX_PROCEEDING),
                           NTATAG_UDP_MTU (MAX_MESSAGE),
                           NTATAG_PASS_100 (1), /* a target that says 100 lives */
                           NTATAG_TCP_RPORT (1), NTATAG_TLS_RPORT (1),
                           TPTAG_TOS (DSCP_CS3),
                           TPTAG_PONG2PING (1),
                           TPTAG_LOG (settings->trace),
                           TAG_END ());
  return stack->nua != NULL;
}

/* The address to bind to from "address[:port][,...]": the first whose family fits and whose port is free. */
static gboolean
choose_bind (UaStack *stack, const char *list, guint16 *ret_port, GError **error)
{
  g_auto (GStrv) entries = g_strsplit (list, ",", -1);
  gboolean registers = ua_account_settings (stack->account)->do_register;
  const char *refused = NULL;

  for (gsize i = 0; entries[i]; i++)
    {
      g_autofree char *host = NULL;
      guint16 port;
      int family;
      const char *entry = g_strstrip (entries[i]);

      if (!*entry || !ua_route_split (entry, &host, &port) || (family = ua_address_family (host)) == AF_UNSPEC)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "sip.bind: \"%s\" is not address[:port]", entry);
          return FALSE;
        }
      if (stack->family != AF_UNSPEC && stack->family != family)
        continue;
      if (stack->transport != stack->account->transport)
        port = 0;               /* the account's other stack has it */
      if (port && !ua_route_port_is_free (host, family, port))
        {
          refused = entry;
          if (!registers)
            continue;
          port = 0;             /* another account has it: one that registers can be found anywhere */
        }
      stack->family = family;
      stack->bound = !g_str_equal (host, "0.0.0.0") && !g_str_equal (host, "::");
      if (stack->bound)
        stack->address = g_steal_pointer (&host);
      *ret_port = port;
      return TRUE;
    }
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN, "sip.bind: no usable address in \"%s\"%s%s", list,
               refused ? ", in use: " : "", refused ? refused : "");
  return FALSE;
}

gboolean
ua_stack_open_sockets (UaStack *stack, nua_callback_f on_event, GError **error)
{
  UaAccount *account = stack->account;
  const char *bind = phone_registry_get_settings (stack->engine->registry)->sip_bind;
  guint16 wanted = 0;

  if (account->route_address)
    stack->family = ua_address_family (account->route_address);
  if (bind && *bind && !choose_bind (stack, bind, &wanted, error))
    return FALSE;
  if (stack->family == AF_UNSPEC)
    stack->family = account->family;
  if (!stack->address)
    stack->address = ua_route_source (account->route_address, stack->family);
  if (!stack->address && stack->family == AF_UNSPEC)
    stack->family = AF_INET;
  if (!stack->address)          /* offline: register later, from the address that we have then */
    stack->address = g_strdup (stack->family == AF_INET6 ? "::1" : "127.0.0.1");
  if (stack->family == AF_UNSPEC)
    stack->family = ua_address_family (stack->address);
  if (!wanted && !ua_account_settings (account)->do_register)
    {
      wanted = stack->transport == PHONE_TRANSPORT_TLS ? DEFAULT_SIPS_PORT : DEFAULT_SIP_PORT;
      if (!ua_route_port_is_free (stack->bound ? stack->address : NULL, stack->family, wanted))
        {
          phone_log_warning (&stack->log, "Account %s: port %u is in use, taking another", stack->id, wanted);
          wanted = 0;
        }
    }
  for (int i = 0; i < BIND_TRIES; i++)
    {
      stack->port = wanted ? wanted : ua_route_free_port (stack->bound ? stack->address : NULL, stack->family);
      if (stack->port && create_nua (stack, on_event))
        return TRUE;
      if (wanted)
        break;
    }
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN, "Cannot open SIP sockets on %s port %u", stack->address,
               stack->port);
  return FALSE;
}
