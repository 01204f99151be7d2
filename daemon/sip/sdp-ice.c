/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   a=candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type>
 *               [raddr <address> rport <port>] [tcptype <role>] *(<extension> <value>)          RFC 8839 section 5.1
 *
 * Candidates with a name instead of an address are skipped: RFC 8839 allows it, and the names are either those of a browser that hides
 * its address (mDNS; the checks that it sends show it to us all the same) or would need a resolver and a policy. Extensions that we do not
 * know (generation, network-id, ufrag ...) are passed over. */

#include "sip/sdp-ice.h"

#include <arpa/inet.h>
#include <string.h>

#define MIN_UFRAG 4
#define MIN_PWD 22
#define MAX_COMPONENT 256
#define MAX_PACING 10000                /* ms */

/* Numeric, in its shortest form. FALSE: a name, or nothing. *ret_host: it may be one host's. */
static gboolean
parse_address (UaSlice slice, char ret_text[PHONE_ICE_MAX_ADDRESS], gboolean *ret_host)
{
  char text[INET6_ADDRSTRLEN];
  struct in_addr v4;
  struct in6_addr v6;

  G_STATIC_ASSERT (PHONE_ICE_MAX_ADDRESS >= INET6_ADDRSTRLEN);
  if (slice.length == 0 || slice.length >= sizeof text)
    return FALSE;
  memcpy (text, slice.at, slice.length);
  text[slice.length] = '\0';
  if (inet_pton (AF_INET, text, &v4) == 1)
    {
      *ret_host = v4.s_addr != htonl (INADDR_ANY) && v4.s_addr != htonl (INADDR_BROADCAST) && !IN_MULTICAST (ntohl (v4.s_addr));
      return inet_ntop (AF_INET, &v4, ret_text, PHONE_ICE_MAX_ADDRESS) != NULL;
    }
  if (inet_pton (AF_INET6, text, &v6) != 1)
    return FALSE;
  *ret_host = !IN6_IS_ADDR_UNSPECIFIED (&v6) && !IN6_IS_ADDR_MULTICAST (&v6);
  return inet_ntop (AF_INET6, &v6, ret_text, PHONE_ICE_MAX_ADDRESS) != NULL;
}

static gboolean
parse_port (UaSlice slice, guint16 *ret_port)
{
  guint64 number;

  if (!ua_slice_number (slice, G_MAXUINT16, &number))
    return FALSE;
  *ret_port = (guint16) number;
  return TRUE;
}

static gboolean
copy_token (UaSlice slice, gsize min, char *ret_text, gsize max)
{
  if (slice.length < min || slice.length > max || !ua_slice_is_token (slice))
    return FALSE;
  memcpy (ret_text, slice.at, slice.length);
  ret_text[slice.length] = '\0';
  return TRUE;
}

static gboolean
parse_type (UaSlice word, PhoneCandidateType *ret_type)
{
  for (int i = 0; i < phone_candidate_type_n_values; i++)
    if (ua_slice_is (word, phone_candidate_type_to_string ((PhoneCandidateType) i)))
      {
        *ret_type = (PhoneCandidateType) i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
parse_tcp_type (UaSlice word, PhoneCandidateTransport *ret_transport)
{
  for (int i = PHONE_CANDIDATE_TCP_ACTIVE; i < phone_candidate_transport_n_values; i++)
    if (ua_slice_is (word, phone_candidate_transport_to_string ((PhoneCandidateTransport) i)))
      {
        *ret_transport = (PhoneCandidateTransport) i;
        return TRUE;
      }
  return FALSE;
}

gboolean
ua_sdp_candidate_parse (UaSlice value, PhoneCandidate *ret_candidate, const char **ret_why)
{
  PhoneCandidate candidate = { 0 };
  UaSlice rest = value, foundation, component, transport, priority, address, port, typ, type, name, word;
  gboolean host, any, tcp, has_role = FALSE;
  guint64 number;

  *ret_why = "not of the form foundation component transport priority address port typ type";
  if (!ua_slice_word (&rest, &foundation) || !ua_slice_word (&rest, &component) || !ua_slice_word (&rest, &transport)
      || !ua_slice_word (&rest, &priority) || !ua_slice_word (&rest, &address) || !ua_slice_word (&rest, &port)
      || !ua_slice_word (&rest, &typ) || !ua_slice_word (&rest, &type) || !ua_slice_is (typ, "typ")
      || !copy_token (foundation, 1, candidate.foundation, PHONE_ICE_MAX_FOUNDATION)
      || !ua_slice_number (component, MAX_COMPONENT, &number) || number == 0)
    return FALSE;
  candidate.component = (guint) number;
  if (!ua_slice_number (priority, G_MAXUINT32, &number) || number == 0 || !parse_port (port, &candidate.port) || candidate.port == 0)
    return FALSE;
  candidate.priority = (guint32) number;

  tcp = ua_slice_is (transport, "tcp");
  *ret_why = "unknown transport or type";
  if ((!tcp && !ua_slice_is (transport, "udp")) || !parse_type (type, &candidate.type))
    return FALSE;
  *ret_why = "not a numeric address of one host";
  if (!parse_address (address, candidate.address, &host) || !host)
    return FALSE;

  while (ua_slice_word (&rest, &name) && ua_slice_word (&rest, &word))
    if (ua_slice_is (name, "raddr"))
      {
        if (!parse_address (word, candidate.related_address, &any))
          candidate.related_address[0] = '\0';
      }
    else if (ua_slice_is (name, "rport"))
      parse_port (word, &candidate.related_port);
    else if (tcp && ua_slice_is (name, "tcptype"))
      has_role = parse_tcp_type (word, &candidate.transport);
  if (candidate.related_address[0] == '\0')
    candidate.related_port = 0;
  *ret_why = "a TCP candidate without tcptype";
  if (tcp && !has_role)
    return FALSE;
  *ret_candidate = candidate;
  return TRUE;
}

static void
read_candidate (PhoneIceDesc *ice, UaSlice value)
{
  PhoneCandidate candidate;
  const char *why;

  if (ice->n_candidates == PHONE_ICE_MAX_CANDIDATES)
    return;
  if (ua_sdp_candidate_parse (value, &candidate, &why))
    ice->candidates[ice->n_candidates++] = candidate;
  else
    g_debug ("SDP: a=candidate skipped: %s", why);
}

static void
read_remote (PhoneIceDesc *ice, UaSlice value)
{
  UaSlice component, address, port;
  guint64 number;
  gboolean host;

  while (ice->n_remote < PHONE_ICE_MAX_REMOTE && ua_slice_word (&value, &component) && ua_slice_word (&value, &address)
         && ua_slice_word (&value, &port))
    {
      PhoneRemoteCandidate remote = { 0 };

      if (!ua_slice_number (component, MAX_COMPONENT, &number) || number == 0 || !parse_address (address, remote.address, &host)
          || !host || !parse_port (port, &remote.port) || remote.port == 0)
        return;
      remote.component = (guint) number;
      ice->remote[ice->n_remote++] = remote;
    }
}

static void
read_options (PhoneIceDesc *ice, UaSlice value)
{
  UaSlice word;

  while (ua_slice_word (&value, &word))
    if (ua_slice_is (word, "trickle"))
      ice->trickle = TRUE;
    else if (ua_slice_is (word, "ice2"))
      ice->ice2 = TRUE;
}

static void
read_secret (UaSlice value, gsize min, char *secret, const char *what)
{
  if (secret[0] == '\0' && !copy_token (value, min, secret, PHONE_ICE_MAX_SECRET))
    g_debug ("SDP: %s of %" G_GSIZE_FORMAT " characters skipped", what, value.length);
}

gboolean
ua_sdp_ice_read (PhoneIceDesc *ice, UaSlice name, UaSlice value, gboolean session)
{
  guint64 number;

  if (ua_slice_is (name, "candidate"))
    {
      if (!session)
        read_candidate (ice, value);
    }
  else if (ua_slice_is (name, "remote-candidates"))
    {
      if (!session)
        read_remote (ice, value);
    }
  else if (ua_slice_is (name, "ice-ufrag"))
    read_secret (value, MIN_UFRAG, ice->ufrag, "a=ice-ufrag");
  else if (ua_slice_is (name, "ice-pwd"))
    read_secret (value, MIN_PWD, ice->pwd, "a=ice-pwd");
  else if (ua_slice_is (name, "ice-options"))
    read_options (ice, value);
  else if (ua_slice_is (name, "ice-lite"))
    ice->lite = TRUE;
  else if (ua_slice_is (name, "ice-mismatch"))
    ice->mismatch = TRUE;
  else if (ua_slice_is (name, "end-of-candidates"))
    ice->end_of_candidates = TRUE;
  else if (ua_slice_is (name, "ice-pacing"))
    {
      if (ua_slice_number (value, MAX_PACING, &number))
        ice->pacing = (guint) number;
    }
  else
    return FALSE;
  return TRUE;
}

void
ua_sdp_ice_merge (PhoneIceDesc *ice, const PhoneIceDesc *session)
{
  if (ice->ufrag[0] == '\0' && ice->pwd[0] == '\0')
    {
      memcpy (ice->ufrag, session->ufrag, sizeof ice->ufrag);
      memcpy (ice->pwd, session->pwd, sizeof ice->pwd);
    }
  if (ice->ufrag[0] == '\0' || ice->pwd[0] == '\0')
    {
      explicit_bzero (ice, sizeof *ice);
      return;
    }

  ice->lite |= session->lite;
  ice->trickle |= session->trickle;
  ice->ice2 |= session->ice2;
  ice->mismatch |= session->mismatch;
  ice->end_of_candidates |= session->end_of_candidates;
  if (ice->pacing == 0)
    ice->pacing = session->pacing;
}

/* ---- writing ---- */

static void
write_candidate (const PhoneCandidate *candidate, GString *text)
{
  g_string_append_printf (text, "a=candidate:%s %u %s %u %s %u typ %s", candidate->foundation, candidate->component,
                          candidate->transport == PHONE_CANDIDATE_UDP ? "UDP" : "TCP", candidate->priority, candidate->address,
                          candidate->port, phone_candidate_type_to_string (candidate->type));
  if (candidate->related_address[0] != '\0')
    g_string_append_printf (text, " raddr %s rport %u", candidate->related_address, candidate->related_port);
  if (candidate->transport != PHONE_CANDIDATE_UDP)
    g_string_append_printf (text, " tcptype %s", phone_candidate_transport_to_string (candidate->transport));
  g_string_append (text, "\r\n");
}

void
ua_sdp_ice_write_session (const PhoneIceDesc *ice, GString *text)
{
  if (ice->ufrag[0] == '\0')
    return;
  if (ice->lite)
    g_string_append (text, "a=ice-lite\r\n");
  if (ice->pacing != 0)
    g_string_append_printf (text, "a=ice-pacing:%u\r\n", ice->pacing);
}

void
ua_sdp_ice_write (const PhoneIceDesc *ice, GString *text)
{
  if (ice->ufrag[0] == '\0')
    return;
  g_string_append_printf (text, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", ice->ufrag, ice->pwd);
  if (ice->trickle || ice->ice2)
    g_string_append_printf (text, "a=ice-options:%s%s%s\r\n", ice->trickle ? "trickle" : "", ice->trickle && ice->ice2 ? " " : "",
                            ice->ice2 ? "ice2" : "");
  if (ice->mismatch)
    g_string_append (text, "a=ice-mismatch\r\n");
  for (guint i = 0; i < ice->n_candidates; i++)
    write_candidate (&ice->candidates[i], text);
  if (ice->end_of_candidates)
    g_string_append (text, "a=end-of-candidates\r\n");
  for (guint i = 0; i < ice->n_remote; i++)
    g_string_append_printf (text, "%s%u %s %u", i == 0 ? "a=remote-candidates:" : " ", ice->remote[i].component,
                            ice->remote[i].address, ice->remote[i].port);
  if (ice->n_remote > 0)
    g_string_append (text, "\r\n");
}
