/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ice-server.h"

#include <string.h>

#include "core/settings-table.h"
#include "util/phone-uri.h"

#define STUN_PORT 3478
#define TURNS_PORT 5349

static PhoneIceServer *
refuse (const char *text, gboolean relay, GError **error)
{
  return phone_setting_refuse (text, relay ? "turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT]" : "stun:HOST[:PORT]", error);
}

static gboolean
take_scheme (const char **text, const char *scheme)
{
  gsize n = strlen (scheme);

  if (g_ascii_strncasecmp (*text, scheme, n) != 0)
    return FALSE;
  *text += n;
  return TRUE;
}

PhoneIceServer *
phone_ice_server_parse (const char *text, gboolean relay, GError **error)
{
  const char *rest = text;
  gboolean tls = relay && take_scheme (&rest, "turns:");
  PhoneIceServerTransport transport = tls ? PHONE_ICE_SERVER_TLS : PHONE_ICE_SERVER_UDP;

  if (!tls)
    take_scheme (&rest, relay ? "turn:" : "stun:");
  const char *query = strchr (rest, '?');
  g_autofree char *server = query != NULL ? g_strndup (rest, (gsize) (query - rest)) : g_strdup (rest);
  /* The rules for host and port are those of a SIP URI (both take them from RFC 3986). */
  g_autofree char *sip = g_strconcat ("sip:", server, NULL);
  g_autoptr (PhoneUri) uri = phone_uri_parse (sip, NULL);

  if (uri == NULL || uri->user != NULL || uri->params->len > 0 || uri->headers->len > 0)
    return refuse (text, relay, error);
  if (query != NULL)
    {
      gboolean tcp = g_ascii_strcasecmp (query, "?transport=tcp") == 0;
      if (!relay || (!tcp && (tls || g_ascii_strcasecmp (query, "?transport=udp") != 0)))
        return refuse (text, relay, error);
      if (tcp && !tls)
        transport = PHONE_ICE_SERVER_TCP;
    }
  PhoneIceServer *result = g_new0 (PhoneIceServer, 1);
  result->host = g_strdup (uri->host);
  result->port = uri->port != 0 ? (guint16) uri->port : tls ? TURNS_PORT : STUN_PORT;
  result->transport = transport;
  return result;
}

void
phone_ice_server_free (PhoneIceServer *server)
{
  if (server == NULL)
    return;
  g_free (server->host);
  g_free (server);
}
