/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Registrar and caller: just as much of RFC 3261 as a phone needs to register and to be called. Digests are demanded, so that the phone has
 * the work of answering them, and not checked. */

#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

gint64
peer_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

gssize
peer_receive (int fd, void *buffer, gsize size, struct sockaddr_in *ret_from, gint64 *ret_at)
{
  char space[256];
  struct iovec iov = { buffer, size };
  struct msghdr message = {
    .msg_name = ret_from, .msg_namelen = sizeof *ret_from, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = space,
    .msg_controllen = sizeof space,
  };
  gssize n = recvmsg (fd, &message, MSG_DONTWAIT);

  if (n < 0)
    return n;
  *ret_at = 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR (&message); c; c = CMSG_NXTHDR (&message, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
      {
        struct timespec at;

        memcpy (&at, CMSG_DATA (c), sizeof at);
        *ret_at = at.tv_sec * G_GINT64_CONSTANT (1000000000) + at.tv_nsec;
      }
  if (*ret_at == 0)
    *ret_at = peer_now ();
  return n;
}

gboolean
peer_sip_open (Peer *self, guint16 port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  int one = 1;

  inet_pton (AF_INET, self->address, &address.sin_addr);
  self->sip = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  setsockopt (self->sip, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
  return bind (self->sip, (struct sockaddr *) &address, sizeof address) == 0;
}

/* ---- messages ---- */

/* All values of a header (or its compact form), or of the first only; NULL: there is none. */
static char *
header (const char *message, const char *name, char compact, gboolean all)
{
  GString *values = NULL;
  gsize length = strlen (name);

  for (const char *line = strstr (message, "\r\n"); line && strncmp (line, "\r\n\r\n", 4) != 0; line = strstr (line + 2, "\r\n"))
    {
      const char *at = line + 2;

      if (g_ascii_strncasecmp (at, name, length) == 0 && at[length] == ':')
        at += length + 1;
      else if (compact && g_ascii_tolower (at[0]) == compact && at[1] == ':')
        at += 2;
      else
        continue;
      at += strspn (at, " \t");
      if (values)
        g_string_append (values, ", ");
      else
        values = g_string_new (NULL);
      g_string_append_len (values, at, (gssize) strcspn (at, "\r\n"));
      if (!all)
        break;
    }
  return values ? g_string_free (values, FALSE) : NULL;
}

static void
send_text (Peer *self, const struct sockaddr_in *to, const char *text)
{
  if (sendto (self->sip, text, strlen (text), 0, (const struct sockaddr *) to, sizeof *to) < 0)
    fprintf (stderr, "bench-peer: cannot send: %s\n", g_strerror (errno));
}

static void
respond (Peer *self, const struct sockaddr_in *from, const char *request, const char *status, const char *more)
{
  g_autofree char *via = header (request, "Via", 'v', TRUE);
  g_autofree char *caller = header (request, "From", 'f', FALSE);
  g_autofree char *to = header (request, "To", 't', FALSE);
  g_autofree char *id = header (request, "Call-ID", 'i', FALSE);
  g_autofree char *cseq = header (request, "CSeq", 0, FALSE);
  g_autofree char *text = NULL;

  if (!via || !caller || !to || !id || !cseq)
    return;
  text = g_strdup_printf ("SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n%sContent-Length: 0\r\n\r\n",
                          status, via, caller, to, strstr (to, "tag=") ? "" : ";tag=bench", id, cseq, more);
  send_text (self, from, text);
}

static void
on_register (Peer *self, const char *request, const struct sockaddr_in *from, gint64 at)
{
  g_autofree char *authorization = header (request, "Authorization", 0, FALSE);
  g_autofree char *contact = header (request, "Contact", 'm', FALSE);
  g_autofree char *expires = header (request, "Expires", 0, FALSE);
  g_autofree char *more = NULL;
  gboolean leaves = g_strcmp0 (expires, "0") == 0 || (contact && strstr (contact, "expires=0"));
  const char *begin, *end;

  self->seen_register++;
  if (!authorization)
    {
      respond (self, from, request, "401 Unauthorized",
               "WWW-Authenticate: Digest realm=\"bench\", nonce=\"5c1a4a2e9f7d\", algorithm=MD5, qop=\"auth\"\r\n");
      return;
    }
  begin = contact ? strchr (contact, '<') : NULL;
  end = begin ? strchr (begin, '>') : NULL;
  if (leaves)
    {
      respond (self, from, request, "200 OK", "");
      return;
    }
  if (end)
    {
      g_free (self->contact);
      self->contact = g_strndup (begin + 1, (gsize) (end - begin - 1));
      more = g_strdup_printf ("Contact: <%s>;expires=3600\r\n", self->contact);
    }
  self->phone = *from;
  respond (self, from, request, "200 OK", more ? more : "");
  self->registered = at;
}

static void
send_request (Peer *self, PeerCall *call, const char *method, guint cseq, const char *branch, const char *sdp)
{
  g_autofree char *text = NULL;

  text = g_strdup_printf ("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=%s;rport\r\nMax-Forwards: 70\r\n"
                          "From: <sip:caller@bench.test>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:caller@%s:5060>\r\n"
                          "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n%sContent-Length: %zu\r\n\r\n%s",
                          method, call->remote_target ? call->remote_target : self->contact, self->address, branch, call->local_tag,
                          call->to, call->call_id, cseq, g_str_equal (method, "ACK") ? "ACK" : method, self->address,
                          sdp ? "Content-Type: application/sdp\r\n" : "", sdp ? strlen (sdp) : 0, sdp ? sdp : "");
  send_text (self, &self->phone, text);
}

PeerCall *
peer_sip_invite (Peer *self, PeerSuite suite, gboolean media)
{
  PeerCall *call = NULL;
  g_autofree char *sdp = NULL;

  for (guint i = 0; i < PEER_MAX_CALLS && !call; i++)
    if (!self->calls[i].used)
      call = &self->calls[i];
  if (!call || !self->contact)
    return NULL;
  *call = (PeerCall){ .used = TRUE, .number = self->next_call++, .rtp = -1, .rtcp = -1 };
  if (media && !peer_media_open (self, call, suite))
    {
      peer_call_clear (call);
      return NULL;
    }
  call->call_id = g_strdup_printf ("%08x%08x@bench", g_random_int (), g_random_int ());
  call->local_tag = g_strdup_printf ("%08x", g_random_int ());
  call->branch = g_strdup_printf ("z9hG4bK%08x%08x", g_random_int (), g_random_int ());
  call->to = g_strdup ("<sip:bench@bench.test>");
  sdp = media ? peer_media_offer (self, call) : NULL;
  g_clear_pointer (&self->last_path, g_free);
  self->last_added = 0;
  call->invited = peer_now ();
  send_request (self, call, "INVITE", 1, call->branch, sdp);
  return call;
}

void
peer_sip_cancel (Peer *self, PeerCall *call)
{
  g_autofree char *to = call->to;

  call->to = g_strdup ("<sip:bench@bench.test>");
  g_clear_pointer (&call->remote_target, g_free);
  send_request (self, call, "CANCEL", 1, call->branch, NULL);
}

void
peer_sip_bye (Peer *self, PeerCall *call)
{
  g_autofree char *branch = g_strdup_printf ("z9hG4bK%08x%08x", g_random_int (), g_random_int ());

  call->talking = FALSE;
  send_request (self, call, "BYE", 2, branch, NULL);
}

void
peer_call_clear (PeerCall *call)
{
  peer_media_close (call);
  g_free (call->call_id);
  g_free (call->local_tag);
  g_free (call->branch);
  g_free (call->to);
  g_free (call->remote_target);
  g_free (call->path);
  *call = (PeerCall){ .rtp = -1, .rtcp = -1 };
}

static PeerCall *
find (Peer *self, const char *message)
{
  g_autofree char *id = header (message, "Call-ID", 'i', FALSE);

  for (guint i = 0; i < PEER_MAX_CALLS; i++)
    if (self->calls[i].used && g_strcmp0 (self->calls[i].call_id, id) == 0)
      return &self->calls[i];
  return NULL;
}

static void
on_invite_response (Peer *self, PeerCall *call, const char *message, guint status, gint64 at)
{
  g_autofree char *to = header (message, "To", 't', FALSE);
  g_autofree char *contact = header (message, "Contact", 'm', FALSE);
  const char *begin = contact ? strchr (contact, '<') : NULL;
  const char *end = begin ? strchr (begin, '>') : NULL;

  if (status == 180 && !call->ringing)
    call->ringing = at;
  if (to && strstr (to, "tag="))
    {
      g_free (call->to);
      call->to = g_steal_pointer (&to);
    }
  if (status < 200)
    {
      call->status = MAX (call->status, status);
      return;
    }
  if (status < 300)
    {
      g_autofree char *branch = g_strdup_printf ("z9hG4bK%08x%08x", g_random_int (), g_random_int ());

      if (end)
        {
          g_free (call->remote_target);
          call->remote_target = g_strndup (begin + 1, (gsize) (end - begin - 1));
        }
      send_request (self, call, "ACK", 1, branch, NULL);
      if (call->status < 200)
        {
          const char *body = strstr (message, "\r\n\r\n");

          call->accepted = at;
          if (call->rtp >= 0 && body && !peer_media_answered (self, call, body + 4))
            fprintf (stderr, "bench-peer: unusable answer:\n%s\n", body + 4);
        }
    }
  else
    {
      send_request (self, call, "ACK", 1, call->branch, NULL);
      call->ended = TRUE;
    }
  call->status = status;
}

void
peer_sip_read (Peer *self)
{
  char message[PEER_MESSAGE + 1];
  struct sockaddr_in from;
  gint64 at;
  gssize n;

  while ((n = peer_receive (self->sip, message, PEER_MESSAGE, &from, &at)) >= 0)
    {
      guint status = 0;
      PeerCall *call;

      message[n] = '\0';
      if (n < 16)
        {
          self->seen_keepalive++;
          if (n == 4)           /* RFC 5626: CRLF for a double CRLF */
            send_text (self, &from, "\r\n");
          continue;
        }
      call = find (self, message);
      if (sscanf (message, "SIP/2.0 %u", &status) == 1)
        {
          g_autofree char *cseq = header (message, "CSeq", 0, FALSE);

          if (call && cseq && strstr (cseq, "INVITE"))
            on_invite_response (self, call, message, status, at);
          else if (call && cseq && strstr (cseq, "BYE") && status >= 200)
            call->ended = TRUE;
        }
      else if (g_str_has_prefix (message, "REGISTER "))
        on_register (self, message, &from, at);
      else if (g_str_has_prefix (message, "OPTIONS "))
        {
          self->seen_options++;
          respond (self, &from, message, "200 OK", "");
        }
      else if (g_str_has_prefix (message, "BYE "))
        {
          respond (self, &from, message, "200 OK", "");
          if (call)
            call->ended = TRUE;
        }
      else if (!g_str_has_prefix (message, "ACK "))
        {
          self->seen_other++;
          respond (self, &from, message, "200 OK", "");
        }
    }
}
