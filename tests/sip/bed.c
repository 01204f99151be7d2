/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed.h"

#include <string.h>

const char bed_contact[] = "Contact: <sip:bob@" PEER ":5060>\r\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO\r\n";

void
bed_open (Bed *bed)
{
  g_autofree char *bind = NULL;
  g_autofree char *aor = NULL;

  bed->phone = bed->phone ? bed->phone : PHONE;
  bed->bob = bed->bob ? bed->bob : PEER;
  bind = g_strdup_printf ("%s:%u", bed->phone, PORT);
  aor = g_strdup_printf ("sip:alice@%s", bed->phone);
  bed->agent = agent_new (bind, NULL);
  bed->agent->password = g_strdup ("secret");
  bed->peer = peer_new (bed->bob, PORT, NULL, NULL);
  agent_add_account (bed->agent, "alice", "aor", aor, "register", "false", "transport", "udp", NULL);
}

void
bed_on_farewell (Peer *peer, const PeerMessage *message, gpointer data)
{
  if (message->method && !g_str_equal (message->method, "ACK"))
    peer_reply (peer, message, 200, "OK", NULL, NULL, NULL);
}

void
bed_close (Bed *bed)
{
  peer_set_handler (bed->peer, bed_on_farewell, NULL);
  agent_free (bed->agent);
  peer_free (bed->peer);
}

const PeerMessage *
bed_await_request (Bed *bed, const char *method, guint n)
{
  wait_for (peer_request (bed->peer, method, n) != NULL);
  return peer_request (bed->peer, method, n);
}

const PeerMessage *
bed_await_response (Bed *bed, guint status, const char *method)
{
  wait_for (peer_count_status (bed->peer, status, method) > 0);
  return peer_response (bed->peer, status, method);
}

/* ---- calls of the phone ---- */

const PeerMessage *
bed_dial (Bed *bed)
{
  g_autofree char *target = g_strdup_printf ("sip:bob@%s", bed->bob);

  bed->call = agent_dial (bed->agent, target);
  return bed_await_request (bed, "INVITE", 0);
}

void
bed_answer (Bed *bed, const PeerMessage *invite, const char *extra)
{
  g_autofree char *all = g_strdup_printf ("Contact: <sip:bob@%s:%u>\r\nAllow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO\r\n%s", bed->bob,
                                          PORT, extra ? extra : "");

  peer_reply (bed->peer, invite, 200, "OK", "one", all, peer_sdp (bed->bob, 30000, "sendrecv"));
}

void
bed_dial_and_answer (Bed *bed, const char *extra)
{
  bed_answer (bed, bed_dial (bed), extra);
  wait_for (bed->agent->n_active == 1);
  bed_await_request (bed, "ACK", 0);
}

/* ---- requests of the peer's inside the dialog that the phone began ---- */

char *
bed_tag_of (const PeerMessage *message, const char *name)
{
  g_autofree char *value = peer_header (message, name);
  const char *tag = strstr (value, ";tag=");

  return tag ? g_strndup (tag + 5, strcspn (tag + 5, "; ")) : NULL;
}

static char *
uri_of (const PeerMessage *message, const char *name)
{
  g_autofree char *value = peer_header (message, name);
  const char *open = value ? strchr (value, '<') : NULL;

  return open ? g_strndup (open + 1, strcspn (open + 1, ">")) : NULL;
}

BedDialog
bed_dialog_from (const PeerMessage *invite)
{
  return (BedDialog){ peer_header (invite, "Call-ID"), bed_tag_of (invite, "From"), uri_of (invite, "Contact") };
}

void
bed_dialog_clear (BedDialog *dialog)
{
  g_free (dialog->call_id);
  g_free (dialog->phone_tag);
  g_free (dialog->phone_uri);
}

void
bed_send_in_dialog (Bed *bed, const BedDialog *dialog, const char *method, guint cseq, const char *extra, const char *type,
                    const char *body)
{
  g_autofree char *content = body ? g_strdup_printf ("Content-Type: %s\r\n", type) : g_strdup ("");

  peer_send (bed->peer, bed->phone, PORT,
             "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK-%s-%u\r\nMax-Forwards: 70\r\n"
             "From: <sip:bob@%s>;tag=one\r\nTo: <sip:alice@%s>;tag=%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
             "%s%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
             method, dialog->phone_uri, bed->bob, method, cseq, bed->bob, bed->phone, dialog->phone_tag, dialog->call_id, cseq, method,
             extra ? extra : "", content, body ? strlen (body) : 0, body ? body : "");
}

/* ---- requests of the peer's from outside ---- */

void
bed_send_invite_full (Bed *bed, const char *uri, const char *to, const char *branch, const char *extra, const char *type,
                      const char *body)
{
  g_autofree char *content = body ? g_strdup_printf ("Content-Type: %s\r\n", type) : g_strdup ("");

  peer_send (bed->peer, bed->phone, PORT,
             "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK-%s\r\nMax-Forwards: 70\r\n"
             "From: \"Bob B.\" <sip:bob@%s>;tag=one\r\nTo: <%s>\r\nCall-ID: %s@%s\r\nCSeq: 1 INVITE\r\n"
             "Contact: <sip:bob@%s:5060>\r\n%s%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
             uri, bed->bob, branch, bed->bob, to, branch, bed->bob, bed->bob, extra ? extra : "", content, body ? strlen (body) : 0,
             body ? body : "");
}

void
bed_send_invite (Bed *bed, const char *branch, const char *extra, const char *body)
{
  g_autofree char *uri = g_strdup_printf ("sip:alice@%s", bed->phone);

  bed_send_invite_full (bed, uri, uri, branch, extra, "application/sdp", body);
}

void
bed_send_ack (Bed *bed, const PeerMessage *response, const char *branch, const char *body)
{
  g_autofree char *tag = bed_tag_of (response, "To");

  peer_send (bed->peer, bed->phone, PORT,
             "ACK sip:alice@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK-%s-ack\r\nMax-Forwards: 70\r\n"
             "From: \"Bob B.\" <sip:bob@%s>;tag=one\r\nTo: <sip:alice@%s>;tag=%s\r\nCall-ID: %s@%s\r\nCSeq: 1 ACK\r\n"
             "%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n%s",
             bed->phone, bed->bob, branch, bed->bob, bed->phone, tag, branch, bed->bob,
             body ? "Content-Type: application/sdp\r\n" : "", body ? strlen (body) : 0, body ? body : "");
}

PhoneCall *
bed_await_call (Bed *bed)
{
  wait_for (bed->agent->n_incoming == 1);
  return agent_call (bed->agent, 0);
}
