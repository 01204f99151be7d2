/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Others that subscribe to a phone: who may, what they are told, and how it ends. Scripted peers. */

#include "core/account-presence.h"
#include "core/subscriber.h"
#include "harness.h"
#include "peer.h"
#include "sip/event-doc.h"

#include <string.h>

#define PHONE "127.82.1.1"
#define BOB "127.82.1.9"
#define STRANGER "127.82.1.77"
#define SERVER "127.82.1.8"
#define PORT 5060

typedef struct
{
  Agent *agent;
  PhoneAccount *account;
  Peer *bob;
  guint notify_status;          /* what bob answers; 0: nothing */
  guint cseq;
  char *to_tag;
} Bed;

static void
on_request (Peer *peer, const PeerMessage *message, gpointer data)
{
  Bed *bed = data;

  if (!message->method)
    return;
  if (g_str_equal (message->method, "REGISTER"))
    {
      g_autofree char *contact = peer_header (message, "Contact");
      g_autofree char *expires = peer_header (message, "Expires");
      g_autofree char *extra = g_strdup_printf ("Contact: %s;expires=%s\r\n", contact, expires && *expires != '0' ? "600" : "0");

      peer_reply (peer, message, 200, "OK", NULL, extra, NULL);
    }
  else if (g_str_equal (message->method, "INVITE"))
    peer_reply (peer, message, 180, "Ringing", "bt", "Contact: <sip:bob@" BOB ":5060>\r\n", NULL);
  else if (g_str_equal (message->method, "CANCEL"))
    {
      peer_reply (peer, message, 200, "OK", "bt", NULL, NULL);
      peer_reply (peer, peer_last (peer, "INVITE"), 487, "Request Terminated", "bt", NULL, NULL);
    }
  else if (g_str_equal (message->method, "NOTIFY") && bed->notify_status)
    peer_reply (peer, message, bed->notify_status, "Scripted", NULL, NULL, NULL);
}

static void
bed_open (Bed *bed, const char *policy, const char *allow)
{
  *bed = (Bed){ .notify_status = 200 };
  bed->bob = peer_new (BOB, PORT, on_request, bed);
  bed->agent = agent_new (PHONE ":5060", NULL);
  bed->account = agent_add_account (bed->agent, "alice", "aor", "sip:alice@" PHONE, "register", "false", "transport", "udp", "subscribers", policy,
                                    "subscribers-allow", allow, NULL);
}

static void
bed_close (Bed *bed)
{
  agent_free (bed->agent);
  peer_free (bed->bob);
  g_free (bed->to_tag);
}

/* from: user@host; a dialog is a Call-ID. */
static void
subscribe (Bed *bed, const char *from, const char *event, const char *call_id, const char *contact_host, const char *extra)
{
  const char *tag = bed->to_tag ? bed->to_tag : "";

  peer_send (bed->bob, PHONE, PORT,
             "SUBSCRIBE sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " BOB ":5060;branch=z9hG4bKs%s%u\r\nMax-Forwards: 70\r\n"
             "From: \"Bob\" <sip:%s>;tag=b%s\r\nTo: <sip:alice@" PHONE ">%s%s\r\nCall-ID: %s\r\nCSeq: %u SUBSCRIBE\r\n"
             "Contact: <sip:bob@%s%s>\r\nEvent: %s\r\n%sContent-Length: 0\r\n\r\n",
             call_id, bed->cseq, from, call_id, *tag ? ";tag=" : "", tag, call_id, bed->cseq + 1, contact_host,
             strchr (contact_host, ':') ? "" : ":5060", event, extra);
  bed->cseq++;
}

/* The dialog that the last 200 made is the one for what follows. */
static void
stay (Bed *bed)
{
  g_autofree char *to = NULL;

  wait_for (peer_response (bed->bob, 200, "SUBSCRIBE") != NULL);
  to = peer_header (peer_response (bed->bob, 200, "SUBSCRIBE"), "To");
  g_free (bed->to_tag);
  bed->to_tag = g_strdup (strstr (to, "tag=") + 4);
}

static guint
n_subscribers (Bed *bed)
{
  return phone_account_get_subscribers (bed->account)->len;
}

static const PhoneSubscriber *
subscriber (Bed *bed, guint index)
{
  return g_ptr_array_index (phone_account_get_subscribers (bed->account), index);
}

static char *
last_state (Bed *bed)
{
  return peer_header (peer_last (bed->bob, "NOTIFY"), "Subscription-State");
}

static gboolean
last_is (Bed *bed, const char *state)
{
  g_autofree char *text = peer_last (bed->bob, "NOTIFY") ? last_state (bed) : NULL;

  return text && strstr (text, state) != NULL;
}

static PhoneStatus
told_status (Bed *bed)
{
  const char *body = peer_last (bed->bob, "NOTIFY") ? peer_body (peer_last (bed->bob, "NOTIFY")) : "";
  PhonePresenceInfo info = { PHONE_STATUS_UNKNOWN, NULL };
  PhoneStatus status = PHONE_STATUS_UNKNOWN;

  if (ua_pidf_read (body, strlen (body), &info, NULL))
    status = info.status;
  phone_presence_info_clear (&info);
  return status;
}

#define BOB_AOR "bob@" BOB

static void
test_presence (void)
{
  Bed bed;
  g_autofree char *expires = NULL;

  bed_open (&bed, "refuse", BOB_AOR);
  subscribe (&bed, BOB_AOR, "presence", "c1", BOB, "Expires: 99999\r\nAccept: application/pidf+xml\r\n");
  wait_for (told_status (&bed) == PHONE_STATUS_AVAILABLE);
  g_assert_true (last_is (&bed, "active;expires=3600"));
  expires = peer_header (peer_response (bed.bob, 200, "SUBSCRIBE"), "Expires");
  g_assert_cmpstr (expires, ==, "3600");
  g_assert_cmpuint (n_subscribers (&bed), ==, 1);
  g_assert_cmpstr (subscriber (&bed, 0)->uri, ==, "sip:" BOB_AOR);
  g_assert_cmpstr (subscriber (&bed, 0)->name, ==, "Bob");
  g_assert_cmpstr (subscriber (&bed, 0)->source, ==, BOB);
  g_assert_false (subscriber (&bed, 0)->vouched);
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_AWAY, NULL));
  wait_for (told_status (&bed) == PHONE_STATUS_AWAY);
  /* a call: on the phone, by itself. What changes at once after a change is told later, and only what is true then */
  g_assert_nonnull (agent_dial (bed.agent, "sip:" BOB_AOR));
  wait_for (told_status (&bed) == PHONE_STATUS_ON_THE_PHONE);
  /* renewed: the same subscription, told again */
  stay (&bed);
  g_assert_cmpuint (peer_count (bed.bob, "NOTIFY"), ==, 3);
  subscribe (&bed, BOB_AOR, "presence", "c1", BOB, "Expires: 600\r\n");
  wait_for (peer_count (bed.bob, "NOTIFY") == 4 && last_is (&bed, "active;expires="));
  g_assert_cmpuint (n_subscribers (&bed), ==, 1);
  g_assert_cmpint (told_status (&bed), ==, PHONE_STATUS_ON_THE_PHONE);
  /* ended by the peer: the last word, and nothing more */
  subscribe (&bed, BOB_AOR, "presence", "c1", BOB, "Expires: 0\r\n");
  wait_for (last_is (&bed, "terminated"));
  wait_for (n_subscribers (&bed) == 0);
  g_assert_cmpuint (peer_count (bed.bob, "NOTIFY"), ==, 5);
  bed_close (&bed);
}

static void
test_dialog (void)
{
  Bed bed;
  g_autoptr (UaInfo) info = ua_dialog_info_new ();
  const PhoneDialogEntry *entry;
  g_autofree char *out_call_id = NULL, *out_from = NULL;
  g_autofree char *replaces = NULL, *target = NULL, *sdp = g_strdup (peer_sdp (BOB, 4000, "sendrecv"));
  PhoneCall *call;
  const char *body;

  bed_open (&bed, "refuse", BOB_AOR);
  subscribe (&bed, BOB_AOR, "dialog", "c2", BOB, "Expires: 600\r\n");
  wait_for (peer_count (bed.bob, "NOTIFY") == 1);
  body = peer_body (peer_last (bed.bob, "NOTIFY"));
  g_assert_cmpint (ua_dialog_info_apply (info, body, strlen (body), NULL), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 0);
  peer_send (bed.bob, PHONE, PORT,
             "INVITE sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " BOB ":5060;branch=z9hG4bKi\r\nMax-Forwards: 70\r\n"
             "From: <sip:carol@" BOB ">;tag=ct\r\nTo: <sip:alice@" PHONE ">\r\nCall-ID: i@b\r\nCSeq: 1 INVITE\r\n"
             "Contact: <sip:carol@" BOB ":5060>\r\nContent-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
             strlen (sdp), sdp);
  wait_for (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "early") != NULL);
  call = agent_call (bed.agent, 0);
  body = peer_body (peer_last (bed.bob, "NOTIFY"));
  g_assert_cmpint (ua_dialog_info_apply (info, body, strlen (body), NULL), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 1);
  entry = info->entries->pdata[0];
  g_assert_cmpint (entry->direction, ==, PHONE_DIALOG_RECIPIENT);
  g_assert_cmpstr (entry->remote_uri, ==, "sip:carol@" BOB);
  replaces = phone_dialog_entry_replaces (entry, &target);
  g_assert_true (replaces && g_str_has_prefix (replaces, "i@b;to-tag=ct;from-tag="));
  g_assert_cmpstr (target, ==, "sip:carol@" BOB);
  g_assert_true (phone_call_reject (call, PHONE_CAUSE_BUSY, NULL));
  wait_for (!strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "<state>"));
  /* one that rings at the other end is told with all that names it */
  call = agent_dial (bed.agent, "sip:carol@" BOB);
  wait_for (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "early") != NULL);
  body = peer_body (peer_last (bed.bob, "NOTIFY"));
  ua_info_reset (info);
  g_assert_cmpint (ua_dialog_info_apply (info, body, strlen (body), NULL), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 1);
  entry = info->entries->pdata[0];
  g_assert_cmpint (entry->direction, ==, PHONE_DIALOG_INITIATOR);
  g_assert_cmpstr (entry->remote_tag, ==, "bt");
  out_call_id = peer_header (peer_last (bed.bob, "INVITE"), "Call-ID");
  out_from = peer_header (peer_last (bed.bob, "INVITE"), "From");
  g_assert_cmpstr (entry->call_id, ==, out_call_id);
  g_assert_true (entry->local_tag && g_str_has_suffix (out_from, entry->local_tag));
  g_assert_true (phone_call_hangup (call, NULL));
  wait_for (!strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "<state>"));
  /* not for anybody else's eyes any more: told without names */
  g_assert_true (phone_account_update (bed.account, (const char *[]){ "subscribers", "accept", "subscribers-allow", "", NULL }, NULL));
  g_assert_cmpuint (n_subscribers (&bed), ==, 1);
  agent_dial (bed.agent, "sip:carol@" BOB);
  wait_for (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "early") != NULL);
  g_assert_null (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "carol"));
  g_assert_null (strstr (peer_body (peer_last (bed.bob, "NOTIFY")), "call-id"));
  bed_close (&bed);
}

static void
test_asked (void)
{
  Bed bed;

  bed_open (&bed, "ask", "");
  subscribe (&bed, BOB_AOR, "presence", "c3", BOB, "Expires: 600\r\n");
  wait_for (last_is (&bed, "pending"));
  g_assert_cmpstr (peer_body (peer_last (bed.bob, "NOTIFY")), ==, "");
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_BUSY, NULL));
  g_assert_cmpint (subscriber (&bed, 0)->right, ==, PHONE_RIGHT_PENDING);
  g_assert_true (phone_account_allow_subscriber (bed.account, subscriber (&bed, 0)->uri, TRUE, NULL));
  wait_for (told_status (&bed) == PHONE_STATUS_BUSY);
  g_assert_true (last_is (&bed, "active"));
  g_assert_cmpuint (peer_count (bed.bob, "NOTIFY"), ==, 2);     /* nothing was told before */
  g_assert_true (phone_account_allow_subscriber (bed.account, subscriber (&bed, 0)->uri, FALSE, NULL));
  g_assert_cmpuint (n_subscribers (&bed), ==, 0);
  wait_for (last_is (&bed, "terminated;reason=rejected"));
  g_assert_cmpstr (phone_account_get_settings (bed.account)->subscribers_allow, ==, NULL);
  g_assert_cmpstr (phone_account_get_settings (bed.account)->subscribers_block, ==, BOB_AOR);
  g_clear_pointer (&bed.to_tag, g_free);
  subscribe (&bed, BOB_AOR, "presence", "c4", BOB, "Expires: 600\r\n");
  wait_for (peer_count_status (bed.bob, 403, "SUBSCRIBE") == 1);
  bed_close (&bed);
}

static void
test_refused (void)
{
  static const struct
  {
    const char *from, *event, *host, *extra;
    guint status;
  } rows[] = {
    { "eve@" BOB, "presence", BOB, "Expires: 600\r\n", 403 },
    { BOB_AOR, "presence", STRANGER, "Expires: 600\r\n", 403 },    /* have it sent to somebody else */
    { BOB_AOR, "presence", "phone.invalid", "Expires: 600\r\n", 403 },
    { BOB_AOR, "presence", BOB, "Expires: 30\r\n", 423 },
    { BOB_AOR, "presence", BOB, "Accept: text/plain\r\n", 406 },
    { BOB_AOR, "conference", BOB, "Expires: 600\r\n", 403 },           /* whoever may watch us: he is in none */
    { BOB_AOR, "reg", BOB, "Expires: 600\r\n", 489 },
  };
  Bed bed;

  bed_open (&bed, "refuse", BOB_AOR);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *call_id = g_strdup_printf ("r%zu", i);
      guint before = peer_count_status (bed.bob, rows[i].status, "SUBSCRIBE");

      subscribe (&bed, rows[i].from, rows[i].event, call_id, rows[i].host, rows[i].extra);
      wait_for (peer_count_status (bed.bob, rows[i].status, "SUBSCRIBE") == before + 1);
    }
  g_assert_cmpuint (n_subscribers (&bed), ==, 0);
  g_assert_cmpuint (peer_count (bed.bob, "NOTIFY"), ==, 0);
  bed_close (&bed);
}

/* So many from one address, and no more; one that does not take its NOTIFY is forgotten. */
static void
test_limits (void)
{
  Bed bed;
  g_autofree char *after = NULL;

  bed_open (&bed, "accept", "");
  for (guint i = 0; i < 9; i++)
    {
      g_autofree char *call_id = g_strdup_printf ("l%u", i);
      g_autofree char *from = g_strdup_printf ("u%u@" BOB, i);

      subscribe (&bed, from, "presence", call_id, BOB, "Expires: 600\r\n");
    }
  wait_for (peer_count_status (bed.bob, 503, "SUBSCRIBE") == 1 && peer_count (bed.bob, "NOTIFY") == 8);
  after = peer_header (peer_response (bed.bob, 503, "SUBSCRIBE"), "Retry-After");
  g_assert_nonnull (after);
  g_assert_cmpuint (n_subscribers (&bed), ==, 8);
  bed.notify_status = 481;
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_AWAY, NULL));
  wait_for (n_subscribers (&bed) == 0);
  bed_close (&bed);
}

static void
test_once (void)
{
  Bed bed;

  bed_open (&bed, "refuse", BOB_AOR);
  subscribe (&bed, BOB_AOR, "presence", "o1", BOB, "Expires: 0\r\n");
  wait_for (told_status (&bed) == PHONE_STATUS_AVAILABLE);
  g_assert_true (last_is (&bed, "terminated"));
  g_assert_cmpuint (n_subscribers (&bed), ==, 0);
  /* the phone goes: who watched is told to come back */
  subscribe (&bed, BOB_AOR, "presence", "o2", BOB, "Expires: 600\r\n");
  wait_for (n_subscribers (&bed) == 1 && last_is (&bed, "active"));
  g_assert_true (phone_account_set_enabled (bed.account, FALSE, NULL));
  wait_for (last_is (&bed, "terminated;reason=probation;retry-after=60"));
  g_assert_cmpuint (n_subscribers (&bed), ==, 0);
  bed_close (&bed);
}

/* With a server nobody but that server is heard, and it may say who asks. */
static void
test_server (void)
{
  Bed bed = { .notify_status = 200 };
  Peer *server = peer_new (SERVER, PORT, on_request, &bed);

  bed.bob = peer_new (BOB, PORT, on_request, &bed);
  bed.agent = agent_new (PHONE ":5060", NULL);
  bed.account = agent_add_account (bed.agent, "alice", "aor", "sip:alice@" PHONE, "registrar", SERVER, "transport", "udp", "mwi", "false",
                                   "subscribers-allow", "bob@example.org", NULL);
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_REGISTERED);
  subscribe (&bed, "bob@example.org", "presence", "s1", BOB, "Expires: 600\r\n");
  wait_for (peer_count_status (bed.bob, 403, "SUBSCRIBE") == 1);
  peer_send (server, PHONE, PORT,
             "SUBSCRIBE sip:alice@" PHONE " SIP/2.0\r\nVia: SIP/2.0/UDP " SERVER ":5060;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
             "From: <sip:anonymous@anonymous.invalid>;tag=x\r\nTo: <sip:alice@" PHONE ">\r\nCall-ID: s2\r\nCSeq: 1 SUBSCRIBE\r\n"
             "Record-Route: <sip:" SERVER ";lr>\r\nP-Asserted-Identity: <sip:bob@example.org>\r\nContact: <sip:bob@192.0.2.9>\r\n"
             "Event: presence\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n");
  wait_for (peer_count (server, "NOTIFY") == 1);        /* by the way that it came */
  g_assert_true (subscriber (&bed, 0)->vouched);
  g_assert_cmpstr (subscriber (&bed, 0)->uri, ==, "sip:bob@example.org");
  agent_free (bed.agent);
  peer_free (bed.bob);
  peer_free (server);
}

/* A subscriber that moves says so when it renews (RFC 6665 section 4.4.1: its Contact is the target of the dialog). */
static void
test_moved (void)
{
  Bed bed;
  Peer *other, *stranger;

  bed_open (&bed, "refuse", BOB_AOR);
  other = peer_new (BOB, 5070, on_request, &bed);
  stranger = peer_new (STRANGER, PORT, on_request, &bed);
  subscribe (&bed, BOB_AOR, "presence", "m1", BOB, "Expires: 600\r\n");
  wait_for (peer_count (bed.bob, "NOTIFY") == 1);
  stay (&bed);
  subscribe (&bed, BOB_AOR, "presence", "m1", BOB ":5070", "Expires: 600\r\n");
  wait_for (peer_count (bed.bob, "NOTIFY") == 2 || peer_count (other, "NOTIFY") == 1);
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_AWAY, NULL));
  wait_for (peer_count (bed.bob, "NOTIFY") == 3 || peer_count (other, "NOTIFY") == 2 || peer_count (bed.bob, "NOTIFY") + peer_count (other, "NOTIFY") == 3);
  g_assert_cmpuint (peer_count (other, "NOTIFY"), ==, 2);
  /* but not to somebody else */
  subscribe (&bed, BOB_AOR, "presence", "m1", STRANGER, "Expires: 600\r\n");
  wait_for (peer_count_status (bed.bob, 403, "SUBSCRIBE") == 1 || peer_count (stranger, "NOTIFY") == 1);
  g_assert_cmpuint (peer_count (stranger, "NOTIFY"), ==, 0);
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_AVAILABLE, NULL));
  wait_for (peer_count (other, "NOTIFY") == 3 || peer_count (stranger, "NOTIFY") == 1);
  g_assert_cmpuint (peer_count (stranger, "NOTIFY"), ==, 0);
  bed_close (&bed);
  peer_free (other);
  peer_free (stranger);
}

#define WINFO \
  "<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" version=\"0\" state=\"full\"><watcher-list resource=\"sip:alice@" PHONE "\" " \
  "package=\"presence\"><watcher id=\"1\" event=\"subscribe\" status=\"pending\">sip:eve@example.org</watcher></watcher-list></watcherinfo>"

static void
on_server_request (Peer *peer, const PeerMessage *message, gpointer data)
{
  g_autofree char *from = NULL, *to = NULL, *call_id = NULL, *expires = NULL;

  if (!message->method || !g_str_equal (message->method, "SUBSCRIBE"))
    {
      on_request (peer, message, data);
      return;
    }
  expires = peer_header (message, "Expires");
  peer_reply (peer, message, 200, "OK", "srv", "Expires: 600\r\nContact: <sip:srv@" SERVER ">\r\n", NULL);
  if (expires && *expires == '0')
    return;
  from = peer_header (message, "From");
  to = peer_header (message, "To");
  call_id = peer_header (message, "Call-ID");
  peer_send (peer, PHONE, PORT,
             "NOTIFY sip:alice@" PHONE ":5060 SIP/2.0\r\nVia: SIP/2.0/UDP " SERVER ":5060;branch=z9hG4bKw\r\nMax-Forwards: 70\r\n"
             "From: %s;tag=srv\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 NOTIFY\r\nContact: <sip:srv@" SERVER ">\r\nEvent: presence.winfo\r\n"
             "Subscription-State: active;expires=600\r\nContent-Type: application/watcherinfo+xml\r\nContent-Length: %zu\r\n\r\n%s",
             to, from, call_id, strlen (WINFO), WINFO);
}

/* Who watches at the server; forgotten when the server does not tell any more. */
static void
test_watchers (void)
{
  Bed bed = { .notify_status = 200 };
  Peer *server = peer_new (SERVER, PORT, on_server_request, &bed);
  const PhoneAccountPresence *presence;
  g_autofree char *event = NULL;

  bed.agent = agent_new (PHONE ":5060", NULL);
  bed.account = agent_add_account (bed.agent, "alice", "aor", "sip:alice@" PHONE, "registrar", SERVER, "transport", "udp", "mwi", "false",
                                   "winfo", "true", NULL);
  presence = phone_account_get_presence (bed.account);
  wait_for (presence->watchers->len == 1);
  event = peer_header (peer_last (server, "SUBSCRIBE"), "Event");
  g_assert_cmpstr (event, ==, "presence.winfo");
  g_assert_cmpstr (((PhoneWatcher *) presence->watchers->pdata[0])->uri, ==, "sip:eve@example.org");
  g_assert_cmpint (((PhoneWatcher *) presence->watchers->pdata[0])->state, ==, PHONE_WATCHER_PENDING);
  g_assert_true (phone_account_set_enabled (bed.account, FALSE, NULL));
  wait_for (presence->watchers->len == 0);
  agent_free (bed.agent);
  peer_free (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/subscriber/presence", test_presence);
  g_test_add_func ("/subscriber/dialog", test_dialog);
  g_test_add_func ("/subscriber/asked", test_asked);
  g_test_add_func ("/subscriber/refused", test_refused);
  g_test_add_func ("/subscriber/limits", test_limits);
  g_test_add_func ("/subscriber/once", test_once);
  g_test_add_func ("/subscriber/server", test_server);
  g_test_add_func ("/subscriber/moved", test_moved);
  g_test_add_func ("/subscriber/watchers", test_watchers);
  return g_test_run ();
}
