/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watches, the mailbox and the publication of a phone against a scripted server: refusals, ends of every kind, and how much it costs. */

#include "core/pickup.h"
#include "core/account-presence.h"
#include "core/watch.h"
#include "harness.h"
#include "peer.h"

#include <string.h>

#define SERVER "127.67.1.9"
#define PHONE "127.67.1.1"
#define PORT 5060

typedef struct
{
  Agent *agent;
  PhoneAccount *account;
  Peer *server;
  GHashTable *subscribes;       /* user -> number of SUBSCRIBE with Expires over 0 */
  GHashTable *calls;            /* Call-IDs of them */
  guint n_subscribes, n_unsubscribes, n_publishes, n_unpublishes;
  gboolean late_farewell;       /* no NOTIFY follows an un-SUBSCRIBE by itself */
  gboolean hold_answers;        /* SUBSCRIBE is not answered */
  guint notify_cseq;
  guint publish_status;         /* answered once */
  const char *publish_extra;
  char *last_match, *last_body, *last_etag_sent;
  guint granted;
} Bed;

/* Whom it is about: inside a dialog the request's own URI is ours. */
static char *
user_of (const PeerMessage *message)
{
  g_autofree char *to = peer_header (message, "To");
  const char *at = strstr (to, "sip:");

  return g_strndup (at + 4, strcspn (at + 4, "@"));
}

static guint
count (Bed *bed, const char *user)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (bed->subscribes, user));
}

/* A NOTIFY inside the dialog that the SUBSCRIBE began; the tag of the server is that of peer_reply. */
static void
notify (Bed *bed, const PeerMessage *subscribe, const char *state, const char *type, const char *body)
{
  g_autofree char *from = peer_header (subscribe, "From");
  g_autofree char *to = peer_header (subscribe, "To");
  g_autofree char *call_id = peer_header (subscribe, "Call-ID");
  g_autofree char *event = peer_header (subscribe, "Event");
  g_autofree char *tagged = strstr (to, "tag=") ? g_strdup (to) : g_strdup_printf ("%s;tag=srv", to);
  static guint branch;

  peer_send (bed->server, PHONE, PORT,
             "NOTIFY sip:alice@" PHONE ":5060 SIP/2.0\r\nVia: SIP/2.0/UDP " SERVER ":5060;branch=z9hG4bKn%u\r\nMax-Forwards: 70\r\n"
             "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u NOTIFY\r\nContact: <sip:srv@" SERVER ":5060>\r\nEvent: %s\r\n"
             "Subscription-State: %s\r\n%s%s%sContent-Length: %zu\r\n\r\n%s",
             branch++, tagged, from, call_id, ++bed->notify_cseq, event, state, type ? "Content-Type: " : "", type ? type : "",
             type ? "\r\n" : "", body ? strlen (body) : 0, body ? body : "");
}

#define PIDF(activity) \
  "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" " \
  "xmlns:r=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:x@y\"><tuple id=\"a\"><status><basic>open</basic></status></tuple>" \
  "<dm:person id=\"p\"><r:activities>" activity "</r:activities><dm:note>note</dm:note></dm:person></presence>"
#define INFO(version, state, dialogs) \
  "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"" version "\" state=\"" state "\" entity=\"sip:x@y\">" dialogs \
  "</dialog-info>"
#define RINGING \
  "<dialog id=\"d\" call-id=\"c@h\" local-tag=\"l\" remote-tag=\"r\" direction=\"recipient\"><state>early</state><remote>" \
  "<identity>sip:carol@" SERVER "</identity></remote></dialog>"

/* As a widely used list server writes it: long, with the boundary at the end, and requiring what the SUBSCRIBE said is supported. */
#define LIST_TYPE \
  "multipart/related;type=\"application/rlmi+xml\";start=\"<1795915681.sip:a-team-with-a-long-name@example.org.1394798824>\";" \
  "boundary=\"ck3E1PRUJPPgg4YxECiuvbAw\"\r\nRequire: eventlist"
#define LIST_BODY \
  "--ck3E1PRUJPPgg4YxECiuvbAw\r\nContent-ID: <1795915681.sip:a-team-with-a-long-name@example.org.1394798824>\r\n" \
  "Content-Type: application/rlmi+xml;charset=\"UTF-8\"\r\n\r\n<list uri=\"sip:team@example.org\" xmlns=\"urn:ietf:params:xml:ns:rlmi\" " \
  "version=\"1\" fullState=\"true\"><resource uri=\"sip:a@example.org\"><instance id=\"i\" state=\"active\" cid=\"c1\"/></resource>" \
  "<resource uri=\"sip:b@example.org\"><instance id=\"j\" state=\"active\" cid=\"c2\"/></resource></list>\r\n" \
  "--ck3E1PRUJPPgg4YxECiuvbAw\r\nContent-ID: <c1>\r\nContent-Type: application/pidf+xml\r\n\r\n" PIDF ("<r:away/>") "\r\n" \
  "--ck3E1PRUJPPgg4YxECiuvbAw\r\nContent-ID: <c2>\r\nContent-Type: application/pidf+xml\r\n\r\n" PIDF ("<r:busy/>") "\r\n" \
  "--ck3E1PRUJPPgg4YxECiuvbAw--\r\n"

/* Full, with the number of the SUBSCRIBE as version; then one that names one of the two, with a version that leaves a gap, and another one after it. */
#define GAP_BODY(version, full, resource, activity) \
  "--x\r\nContent-ID: <r>\r\nContent-Type: application/rlmi+xml\r\n\r\n<list uri=\"sip:gaps@example.org\" " \
  "xmlns=\"urn:ietf:params:xml:ns:rlmi\" version=\"" version "\" fullState=\"" full "\"><resource uri=\"" resource "\"><instance id=\"i\" " \
  "state=\"active\" cid=\"c\"/></resource></list>\r\n--x\r\nContent-ID: <c>\r\nContent-Type: application/pidf+xml\r\n\r\n" PIDF (activity) \
  "\r\n--x--\r\n"

static void
notify_gap (Bed *bed, const PeerMessage *message, guint n)
{
  static const char type[] = "multipart/related;type=\"application/rlmi+xml\";start=\"<r>\";boundary=\"x\"\r\nRequire: eventlist";

  notify (bed, message, "active;expires=600", type,
          n == 1 ? GAP_BODY ("1", "true", "sip:a@example.org", "<r:away/>") : GAP_BODY ("7", "true", "sip:b@example.org", "<r:busy/>"));
  notify (bed, message, "active;expires=600", type,
          n == 1 ? GAP_BODY ("5", "false", "sip:c@example.org", "<r:away/>") : GAP_BODY ("8", "false", "sip:d@example.org", "<r:away/>"));
}

static void
accept_subscribe (Bed *bed, const PeerMessage *message)
{
  g_autofree char *extra = g_strdup_printf ("Expires: %u\r\nContact: <sip:srv@" SERVER ":5060>\r\n", bed->granted);

  peer_reply (bed->server, message, 200, "OK", "srv", extra, NULL);
}

static void
on_subscribe (Bed *bed, const PeerMessage *message)
{
  g_autofree char *user = user_of (message);
  g_autofree char *expires = peer_header (message, "Expires");
  g_autofree char *event = peer_header (message, "Event");
  g_autofree char *call_id = peer_header (message, "Call-ID");
  guint n;

  if (g_str_equal (expires, "0"))
    {
      bed->n_unsubscribes++;
      peer_reply (bed->server, message, 200, "OK", "srv", "Expires: 0\r\nContact: <sip:srv@" SERVER ":5060>\r\n", NULL);
      if (!bed->late_farewell)
        notify (bed, message, "terminated;reason=timeout", NULL, NULL);
      return;
    }
  bed->n_subscribes++;
  n = count (bed, user) + 1;
  g_hash_table_insert (bed->subscribes, g_strdup (user), GUINT_TO_POINTER (n));
  g_hash_table_add (bed->calls, g_steal_pointer (&call_id));
  if (bed->hold_answers)
    return;
  if (g_str_has_prefix (user, "status-"))
    {
      peer_reply (bed->server, message, (guint) atoi (user + 7), "Scripted", "srv", strstr (user, "after") ? "Retry-After: 900\r\n" : NULL, NULL);
      return;
    }
  if (g_str_has_prefix (user, "lists-") && strstr (message->text, "eventlist"))
    {
      g_assert_nonnull (strstr (message->text, "multipart/related"));
      peer_reply (bed->server, message, (guint) atoi (user + 6), "Scripted", "srv", NULL, NULL);
      return;
    }
  g_assert_true (g_str_equal (event, "presence") || !strstr (message->text, "eventlist"));
  g_assert_true (strstr (message->text, "eventlist") || !strstr (message->text, "multipart/related"));
  if (g_str_equal (user, "short") && !g_str_equal (expires, "7200"))
    {
      peer_reply (bed->server, message, 423, "Too Brief", "srv", "Min-Expires: 7200\r\n", NULL);
      return;
    }
  if (g_str_equal (user, "secret") && !strstr (message->text, "Authorization: Digest"))
    {
      peer_reply (bed->server, message, 407, "Proxy Authentication Required", "srv",
                  "Proxy-Authenticate: Digest realm=\"test\", nonce=\"n\", qop=\"auth\", algorithm=MD5\r\n", NULL);
      return;
    }
  accept_subscribe (bed, message);
  if (g_str_has_prefix (user, "end-"))
    {
      const char *dot = strchr (user, '.');     /* end-REASON[.RETRY-AFTER] */
      g_autofree char *state = g_strdup_printf ("terminated;reason=%.*s%s%s", (int) strcspn (user + 4, "."), user + 4,
                                                dot ? ";retry-after=" : "", dot ? dot + 1 : "");

      notify (bed, message, state, NULL, NULL);
    }
  else if (g_str_equal (user, "pending"))
    notify (bed, message, "pending;expires=600", NULL, NULL);
  else if (g_str_equal (user, "gaps"))
    notify_gap (bed, message, n);
  else if (g_str_equal (user, "team"))
    notify (bed, message, "active;expires=600", LIST_TYPE, LIST_BODY);
  else if (g_str_equal (event, "presence"))
    notify (bed, message, "active;expires=600", "application/pidf+xml", PIDF ("<r:away/>"));
  else if (g_str_equal (event, "dialog"))
    notify (bed, message, "active;expires=600", "application/dialog-info+xml", g_str_equal (user, "ringing") ? INFO ("0", "full", RINGING) : INFO ("0", "full", ""));
  else
    notify (bed, message, "active;expires=600", NULL, NULL);    /* as widely used servers do: nothing at first */
}

static void
on_publish (Bed *bed, const PeerMessage *message)
{
  g_autofree char *expires = peer_header (message, "Expires");
  g_autofree char *extra = NULL;

  g_free (bed->last_match);
  bed->last_match = peer_header (message, "SIP-If-Match");
  g_free (bed->last_body);
  bed->last_body = g_strdup (peer_body (message));
  if (g_str_equal (expires, "0"))
    bed->n_unpublishes++;
  else
    bed->n_publishes++;
  if (bed->publish_status)
    {
      guint status = bed->publish_status;

      bed->publish_status = 0;
      peer_reply (bed->server, message, status, "Scripted", "srv", bed->publish_extra, NULL);
      return;
    }
  g_free (bed->last_etag_sent);
  bed->last_etag_sent = g_strdup_printf ("tag%u", bed->n_publishes);
  extra = g_strdup_printf ("SIP-ETag: %s\r\nExpires: %s\r\n", bed->last_etag_sent, expires);
  peer_reply (bed->server, message, 200, "OK", "srv", extra, NULL);
}

static void
on_request (Peer *peer, const PeerMessage *message, gpointer data)
{
  Bed *bed = data;
  g_autofree char *contact = NULL;
  g_autofree char *expires = NULL;
  g_autofree char *extra = NULL;

  if (!message->method)
    return;
  if (g_str_equal (message->method, "SUBSCRIBE"))
    on_subscribe (bed, message);
  else if (g_str_equal (message->method, "PUBLISH"))
    on_publish (bed, message);
  else if (g_str_equal (message->method, "REGISTER"))
    {
      contact = peer_header (message, "Contact");
      expires = peer_header (message, "Expires");
      extra = g_strdup_printf ("Contact: %s;expires=%s\r\n", contact, expires && *expires != '0' ? "600" : "0");
      peer_reply (peer, message, 200, "OK", NULL, extra, NULL);
    }
  else if (g_str_equal (message->method, "INVITE"))
    peer_reply (peer, message, 486, "Busy Here", "srv", NULL, NULL);
  else if (!g_str_equal (message->method, "ACK"))
    peer_reply (peer, message, 200, "OK", NULL, NULL, NULL);
}

static void
bed_open (Bed *bed, const char *publish)
{
  bed->subscribes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  bed->calls = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  bed->granted = 600;
  bed->server = peer_new (SERVER, PORT, on_request, bed);
  bed->agent = agent_new (PHONE ":5060", NULL);
  bed->agent->password = g_strdup ("secret");
  bed->account = agent_add_account (bed->agent, "alice", "aor", "sip:alice@example.org", "registrar", SERVER, "transport", "udp", "publish",
                                    publish, NULL);
  wait_for (phone_account_get_registration (bed->account) == PHONE_REGISTRATION_REGISTERED);
}

static void
bed_close (Bed *bed)
{
  bed->hold_answers = FALSE;
  agent_free (bed->agent);
  peer_free (bed->server);
  g_hash_table_unref (bed->subscribes);
  g_hash_table_unref (bed->calls);
  g_free (bed->last_match);
  g_free (bed->last_body);
  g_free (bed->last_etag_sent);
}

static PhoneWatch *
watch (Bed *bed, const char *uri, PhoneWatchKind kind)
{
  g_autoptr (GError) error = NULL;
  PhoneWatch *made = phone_registry_add_watch (bed->agent->registry, bed->account, uri, kind, &error);

  g_assert_no_error (error);
  return made;
}

static PhoneSubscription
state (PhoneWatch *one)
{
  return phone_watch_get_subscription (one)->state;
}

/* ---- watches ---- */

static void
test_presence (void)
{
  Bed bed = { 0 };
  PhoneWatch *bob, *carol;
  guint before;
  g_autofree char *accept = NULL;

  bed_open (&bed, "off");
  bob = watch (&bed, "sip:bob@example.org", PHONE_WATCH_PRESENCE);
  g_assert_cmpint (phone_watch_get_lamp (bob), ==, PHONE_LAMP_UNKNOWN);
  wait_for (phone_watch_get_presence (bob)->status == PHONE_STATUS_AWAY);
  g_assert_cmpstr (phone_watch_get_presence (bob)->note, ==, "note");
  g_assert_cmpint (phone_watch_get_lamp (bob), ==, PHONE_LAMP_IDLE);
  g_assert_cmpint (state (bob), ==, PHONE_SUBSCRIPTION_ACTIVE);
  notify (&bed, peer_last (bed.server, "SUBSCRIBE"), "active;expires=500", "application/pidf+xml", PIDF ("<r:on-the-phone/>"));
  wait_for (phone_watch_get_lamp (bob) == PHONE_LAMP_BUSY);
  /* nonsense changes nothing, and is answered all the same: it is the subscription's */
  notify (&bed, peer_last (bed.server, "SUBSCRIBE"), "active;expires=500", "application/pidf+xml", "<presence>");
  wait_for (peer_count_status (bed.server, 200, "NOTIFY") >= 3);
  g_assert_cmpint (phone_watch_get_lamp (bob), ==, PHONE_LAMP_BUSY);
  accept = peer_header (peer_last (bed.server, "SUBSCRIBE"), "Accept");
  g_assert_nonnull (strstr (accept, "application/pidf+xml"));
  /* the same again is the same */
  g_assert_true (watch (&bed, "sip:bob@example.org", PHONE_WATCH_PRESENCE) == bob);
  /* the last NOTIFY is awaited, however late: it is no stranger's; and then there is nothing more to come */
  bed.late_farewell = TRUE;
  g_assert_true (phone_registry_remove_watch (bed.agent->registry, bob, NULL));
  wait_for (bed.n_unsubscribes == 1);
  carol = watch (&bed, "sip:carol@example.org", PHONE_WATCH_PRESENCE);
  wait_for (phone_watch_get_presence (carol)->status == PHONE_STATUS_AWAY);
  before = peer_count_status (bed.server, 200, "NOTIFY");
  notify (&bed, peer_request (bed.server, "SUBSCRIBE", 1), "terminated;reason=timeout", NULL, NULL);
  wait_for (peer_count_status (bed.server, 200, "NOTIFY") == before + 1);
  g_assert_cmpuint (peer_count_status (bed.server, 481, "NOTIFY"), ==, 0);
  notify (&bed, peer_request (bed.server, "SUBSCRIBE", 1), "terminated;reason=timeout", NULL, NULL);
  wait_for (peer_count_status (bed.server, 481, "NOTIFY") == 1);
  g_assert_cmpuint (count (&bed, "bob"), ==, 1);
  bed_close (&bed);
}

static void
test_dialog (void)
{
  Bed bed = { 0 };
  PhoneWatch *bob;
  const PeerMessage *subscribe, *invite;
  g_autofree char *replaces = NULL;
  g_autofree char *require = NULL;
  g_autoptr (GError) error = NULL;

  bed_open (&bed, "off");
  bob = watch (&bed, "sip:bob@example.org", PHONE_WATCH_DIALOG);
  wait_for (phone_watch_get_lamp (bob) == PHONE_LAMP_IDLE);
  g_assert_null (phone_watch_pick_up (bob, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE);
  subscribe = peer_last (bed.server, "SUBSCRIBE");
  notify (&bed, subscribe, "active;expires=500", "application/dialog-info+xml", INFO ("1", "partial", RINGING));
  wait_for (phone_watch_get_lamp (bob) == PHONE_LAMP_RINGING);
  g_assert_true (phone_watch_can_pick_up (bob));
  g_assert_nonnull (phone_watch_pick_up (bob, NULL));
  wait_for (peer_request (bed.server, "INVITE", 0) != NULL);
  invite = peer_request (bed.server, "INVITE", 0);
  replaces = peer_header (invite, "Replaces");
  require = peer_header (invite, "Require");
  g_assert_cmpstr (replaces, ==, "c@h;to-tag=r;from-tag=l;early-only");
  g_assert_cmpstr (require, ==, "replaces");
  g_assert_true (g_str_has_prefix (invite->text, "INVITE sip:carol@" SERVER));
  wait_for (bed.agent->n_ended == 1);
  /* version 2 got lost: the phone asks for all of it again, inside the subscription */
  notify (&bed, subscribe, "active;expires=500", "application/dialog-info+xml",
          INFO ("3", "partial", "<dialog id=\"d\"><state>terminated</state></dialog>"));
  wait_for (count (&bed, "bob") == 2);
  g_assert_cmpuint (g_hash_table_size (bed.calls), ==, 2);      /* the mailbox is the other one */
  g_assert_cmpint (phone_watch_get_lamp (bob), ==, PHONE_LAMP_RINGING);
  bed_close (&bed);
}

typedef struct
{
  gboolean done, called;
  GError *error;
} Picked;

static void
on_picked_up (PhoneCall *call, const GError *error, gpointer data)
{
  Picked *picked = data;

  g_assert_false (picked->done);
  *picked = (Picked){ TRUE, call != NULL, error ? g_error_copy (error) : NULL };
}

static Picked
pick_up (Bed *bed, const char *target)
{
  Picked picked = { 0 };

  g_assert_true (phone_registry_pick_up (bed->agent->registry, &(PhonePickupParams){ .target = target }, on_picked_up, &picked, NULL));
  wait_for (picked.done);
  return picked;
}

/* What rings there is asked for once, without a watch that anybody could see, and the subscription ends. */
static void
test_pickup (void)
{
  Bed bed = { 0 };
  g_autofree char *replaces = NULL;
  Picked picked;

  bed_open (&bed, "off");
  picked = pick_up (&bed, "sip:ringing@example.org");
  g_assert_true (picked.called);
  wait_for (peer_request (bed.server, "INVITE", 0) != NULL);
  replaces = peer_header (peer_request (bed.server, "INVITE", 0), "Replaces");
  g_assert_cmpstr (replaces, ==, "c@h;to-tag=r;from-tag=l;early-only");
  wait_for (bed.n_unsubscribes == 1);
  g_assert_cmpuint (phone_registry_get_watches (bed.agent->registry)->len, ==, 0);
  picked = pick_up (&bed, "sip:bob@example.org");
  g_assert_error (picked.error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE);
  g_clear_error (&picked.error);
  picked = pick_up (&bed, "sip:status-403@example.org");
  g_assert_error (picked.error, PHONE_ERROR, PHONE_ERROR_REJECTED);
  g_clear_error (&picked.error);
  g_assert_cmpuint (phone_registry_get_passing_watches (bed.agent->registry)->len, ==, 0);
  bed_close (&bed);
}

/* The account goes while the server is asked: nobody is left with what has gone. */
static void
test_pickup_and_no_account (void)
{
  Bed bed = { 0 };
  Picked picked = { 0 };

  bed_open (&bed, "off");
  bed.hold_answers = TRUE;
  g_assert_true (phone_registry_pick_up (bed.agent->registry, &(PhonePickupParams){ .target = "sip:bob@example.org" }, on_picked_up, &picked, NULL));
  wait_for (count (&bed, "bob") >= 1);
  g_assert_true (phone_registry_remove_account (bed.agent->registry, bed.account, TRUE, NULL));
  wait_for (picked.done);
  g_assert_nonnull (picked.error);
  g_clear_error (&picked.error);
  bed_close (&bed);
}

typedef struct
{
  const char *user;
  guint code;
  const char *reason;
  guint least, most;            /* s until the next attempt */
  PhoneLamp lamp;
} Refusal;

static const Refusal refusals[] = {
  { "status-404", 404, "not-found", 30, 60, PHONE_LAMP_UNKNOWN },
  { "status-489", 489, "bad-event", 1800, 1800, PHONE_LAMP_UNKNOWN },
  { "status-403", 403, "forbidden", 1800, 1800, PHONE_LAMP_UNKNOWN },
  { "status-480", 480, "unavailable", 30, 60, PHONE_LAMP_OFFLINE },
  { "status-503", 503, "unavailable", 30, 60, PHONE_LAMP_UNKNOWN },
  { "status-503-after", 503, "unavailable", 900, 900, PHONE_LAMP_UNKNOWN },
  { "status-500", 500, "server-error", 30, 60, PHONE_LAMP_UNKNOWN },
  { "end-rejected", 0, "rejected", 1800, 1800, PHONE_LAMP_UNKNOWN },
  { "end-noresource", 0, "noresource", 1800, 1800, PHONE_LAMP_UNKNOWN },
  { "end-giveup.300", 0, "giveup", 300, 300, PHONE_LAMP_UNKNOWN },
  { "end-probation.120", 0, "probation", 120, 120, PHONE_LAMP_UNKNOWN },
  { "end-strange", 0, "strange", 30, 60, PHONE_LAMP_UNKNOWN },
};

static void
test_list (void)
{
  Bed bed = { 0 };
  PhoneWatch *team;
  const GPtrArray *resources;

  bed_open (&bed, "off");
  team = watch (&bed, "sip:team@example.org", PHONE_WATCH_PRESENCE);
  wait_for (phone_watch_get_resources (team)->len == 2);
  resources = phone_watch_get_resources (team);
  g_assert_cmpint (((PhoneResource *) resources->pdata[0])->presence.status, ==, PHONE_STATUS_AWAY);
  g_assert_cmpint (((PhoneResource *) resources->pdata[1])->presence.status, ==, PHONE_STATUS_BUSY);
  g_assert_cmpuint (count (&bed, "team"), ==, 1);
  bed_close (&bed);
}

/* A partial document behind a gap says nothing of those that it does not name: it is left out, and the whole is asked for inside the same
 * subscription. What follows the whole without a gap counts. */
static void
test_list_gap (void)
{
  Bed bed = { 0 };
  PhoneWatch *team;
  const GPtrArray *resources;

  bed_open (&bed, "off");
  team = watch (&bed, "sip:gaps@example.org", PHONE_WATCH_PRESENCE);
  wait_for (count (&bed, "gaps") == 2);
  wait_for (phone_watch_get_resources (team)->len == 2);
  resources = phone_watch_get_resources (team);
  g_assert_cmpstr (((PhoneResource *) resources->pdata[0])->uri, ==, "sip:b@example.org");
  g_assert_cmpstr (((PhoneResource *) resources->pdata[1])->uri, ==, "sip:d@example.org");
  g_assert_cmpuint (g_hash_table_size (bed.calls), ==, 2);      /* the mailbox is the other one */
  harness_settle ();
  g_assert_cmpuint (count (&bed, "gaps"), ==, 2);
  bed_close (&bed);
}

/* A server that does not know lists has persons all the same: it is asked again at once, as if we knew none. */
static void
test_without_lists (gconstpointer data)
{
  Bed bed = { 0 };
  PhoneWatch *one;
  g_autofree char *uri = g_strdup_printf ("sip:%s@example.org", (const char *) data);

  bed_open (&bed, "off");
  one = watch (&bed, uri, PHONE_WATCH_PRESENCE);
  wait_for (state (one) == PHONE_SUBSCRIPTION_ACTIVE);
  wait_for (phone_watch_get_presence (one)->status == PHONE_STATUS_AWAY);
  g_assert_cmpuint (count (&bed, data), ==, 2);
  bed_close (&bed);
}

/* What was refused is remembered and tried again later: once, not in a loop. */
static void
test_refused (gconstpointer data)
{
  const Refusal *refusal = data;
  Bed bed = { 0 };
  PhoneWatch *one;
  g_autofree char *uri = g_strdup_printf ("sip:%s@example.org", refusal->user);
  const PhoneSubscriptionDetail *detail;
  gint64 wait;

  bed_open (&bed, "off");
  one = watch (&bed, uri, PHONE_WATCH_PRESENCE);
  wait_for (state (one) == PHONE_SUBSCRIPTION_WAITING);
  detail = phone_watch_get_subscription (one);
  g_assert_cmpuint (detail->code, ==, refusal->code);
  g_assert_cmpstr (detail->reason, ==, refusal->reason);
  wait = detail->retry_at - g_get_real_time () / G_USEC_PER_SEC;
  g_assert_cmpint (wait, >=, refusal->least - 2);
  g_assert_cmpint (wait, <=, refusal->most + 2);
  g_assert_cmpint (phone_watch_get_lamp (one), ==, refusal->lamp);
  harness_settle ();
  g_assert_cmpuint (count (&bed, refusal->user), ==, refusal->code == 489 ? 2 : 1);     /* the second one without lists */
  bed_close (&bed);
}

/* Ends that allow another attempt at once get it, but only one: a server that always ends the subscription must not make us spin. */
static void
test_renewed (gconstpointer data)
{
  const char *user = data;
  Bed bed = { 0 };
  PhoneWatch *one;
  g_autofree char *uri = g_strdup_printf ("sip:%s@example.org", user);

  bed_open (&bed, "off");
  one = watch (&bed, uri, PHONE_WATCH_PRESENCE);
  wait_for (state (one) == PHONE_SUBSCRIPTION_WAITING);
  harness_settle ();
  g_assert_cmpuint (count (&bed, user), ==, 2);
  bed_close (&bed);
}

static void
test_423_407 (void)
{
  Bed bed = { 0 };
  PhoneWatch *one, *two, *three;

  bed_open (&bed, "off");
  one = watch (&bed, "sip:short@example.org", PHONE_WATCH_PRESENCE);
  two = watch (&bed, "sip:secret@example.org", PHONE_WATCH_PRESENCE);
  three = watch (&bed, "sip:pending@example.org", PHONE_WATCH_PRESENCE);
  wait_for (state (one) == PHONE_SUBSCRIPTION_ACTIVE);
  wait_for (state (two) == PHONE_SUBSCRIPTION_ACTIVE);
  wait_for (state (three) == PHONE_SUBSCRIPTION_PENDING);
  g_assert_cmpint (phone_watch_get_lamp (three), ==, PHONE_LAMP_UNKNOWN);
  g_assert_cmpuint (count (&bed, "short"), ==, 2);
  bed_close (&bed);
}

/* Without a registration there is no subscription, and with another one there is again. */
static void
test_unregistered (void)
{
  Bed bed = { 0 };
  PhoneWatch *one;

  bed_open (&bed, "off");
  one = watch (&bed, "sip:bob@example.org", PHONE_WATCH_PRESENCE);
  wait_for (state (one) == PHONE_SUBSCRIPTION_ACTIVE);
  g_assert_true (phone_account_unregister (bed.account, NULL));
  wait_for (phone_account_get_registration (bed.account) == PHONE_REGISTRATION_UNREGISTERED);
  g_assert_cmpint (state (one), ==, PHONE_SUBSCRIPTION_IDLE);
  g_assert_cmpint (phone_watch_get_lamp (one), ==, PHONE_LAMP_UNKNOWN);
  g_assert_true (phone_account_register (bed.account, NULL));
  wait_for (state (one) == PHONE_SUBSCRIPTION_ACTIVE);
  g_assert_cmpuint (count (&bed, "bob"), ==, 2);
  bed_close (&bed);
}

/* Hundreds cost one subscription each, a few are open at a time, and then there is silence: no timer, no packet. */
static void
test_many (void)
{
  enum { N = 300 };
  Bed bed = { 0 };
  guint active = 0, turns = 0;
  gint64 begin;
  PhoneWatch *all[N];

  bed_open (&bed, "off");
  bed.hold_answers = TRUE;
  for (guint i = 0; i < N; i++)
    {
      g_autofree char *uri = g_strdup_printf ("sip:u%u@example.org", i);

      all[i] = watch (&bed, uri, i % 2 ? PHONE_WATCH_DIALOG : PHONE_WATCH_PRESENCE);
    }
  wait_for (bed.n_subscribes >= 8);
  harness_settle ();
  g_assert_cmpuint (g_hash_table_size (bed.subscribes), <=, 9);  /* the mailbox among them */
  bed.hold_answers = FALSE;
  wait_for (g_hash_table_size (bed.calls) >= N);
  for (guint i = 0; i < N; i++)
    wait_for (state (all[i]) == PHONE_SUBSCRIPTION_ACTIVE);
  for (guint i = 0; i < N; i++)
    active += state (all[i]) == PHONE_SUBSCRIPTION_ACTIVE;
  g_assert_cmpuint (active, ==, N);
  g_assert_cmpuint (g_hash_table_size (bed.calls), ==, N + 1);  /* and the mailbox */
  harness_settle ();
  begin = g_get_monotonic_time ();
  {
    guint before = bed.n_subscribes;

    while (g_get_monotonic_time () - begin < G_USEC_PER_SEC)
      {
        guint id = g_timeout_add (1000, G_SOURCE_FUNC (g_main_context_wakeup), NULL);

        g_main_context_iteration (NULL, TRUE);
        g_source_remove (id);
        turns++;
      }
    g_test_message ("%u turns of the loop in a second with %u watches", turns, N);
    g_assert_cmpuint (bed.n_subscribes, ==, before);
  }
  bed_close (&bed);
}

/* ---- the mailbox ---- */

static void
unsolicited (Peer *from, const char *address, const char *event, const char *body, const char *branch)
{
  peer_send (from, PHONE, PORT,
             "NOTIFY sip:alice@" PHONE ":5060 SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
             "From: <sip:vm@example.org>;tag=%s\r\nTo: <sip:alice@example.org>\r\nCall-ID: %s\r\nCSeq: 1 NOTIFY\r\n"
             "Contact: <sip:vm@%s:5060>\r\nEvent: %s\r\nSubscription-State: active\r\nContent-Type: application/simple-message-summary\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             address, branch, branch, branch, address, event, strlen (body), body);
}

static void
test_mailbox (void)
{
  Bed bed = { 0 };
  const PhoneMailboxState *mailbox;
  Peer *stranger;

  bed_open (&bed, "off");
  wait_for (phone_account_get_presence (bed.account)->mailbox_subscription.state == PHONE_SUBSCRIPTION_ACTIVE);
  mailbox = &phone_account_get_presence (bed.account)->mailbox;
  g_assert_false (mailbox->known);      /* an empty NOTIFY says nothing */
  notify (&bed, peer_last (bed.server, "SUBSCRIBE"), "active;expires=500", "application/simple-message-summary",
          "Messages-Waiting: yes\r\nMessage-Account: sip:vm@" SERVER "\r\nVoice-Message: 3/1 (1/0)\r\n");
  wait_for (mailbox->known);
  g_assert_true (mailbox->waiting && mailbox->fresh == 3 && mailbox->old == 1 && mailbox->fresh_urgent == 1);
  /* unasked, from the server and from somebody else */
  unsolicited (bed.server, SERVER, "message-summary", "Messages-Waiting: no\r\nVoice-Message: 0/4\r\n", "u1");
  wait_for (!mailbox->waiting);
  g_assert_cmpuint (mailbox->old, ==, 4);
  stranger = peer_new ("127.67.1.66", PORT, NULL, NULL);
  unsolicited (stranger, "127.67.1.66", "message-summary", "Messages-Waiting: yes\r\nVoice-Message: 9/9\r\n", "u2");
  wait_for (peer_count_status (stranger, 403, "NOTIFY") == 1);
  unsolicited (stranger, "127.67.1.66", "presence", "x", "u3");
  wait_for (peer_count_status (stranger, 481, "NOTIFY") == 1);
  g_assert_false (mailbox->waiting);
  peer_free (stranger);
  {
    g_autoptr (GError) error = NULL;

    g_assert_nonnull (phone_account_call_mailbox (bed.account, &error));
    g_assert_no_error (error);
  }
  wait_for (peer_request (bed.server, "INVITE", 0) != NULL);
  g_assert_true (g_str_has_prefix (peer_request (bed.server, "INVITE", 0)->text, "INVITE sip:vm@" SERVER));
  bed_close (&bed);
}

/* ---- publication ---- */

static PhoneSubscription
published (Bed *bed)
{
  return phone_account_get_presence (bed->account)->publication.state;
}

static void
test_publish (void)
{
  Bed bed = { 0 };

  bed_open (&bed, "auto");
  harness_settle ();
  g_assert_cmpuint (bed.n_publishes, ==, 0);    /* nobody has asked for it */
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_AWAY, NULL));
  wait_for (published (&bed) == PHONE_SUBSCRIPTION_ACTIVE);
  g_assert_nonnull (strstr (bed.last_body, "<rpid:away/>"));
  g_assert_null (bed.last_match);
  g_assert_true (phone_account_set_note (bed.account, "back at <3", NULL));
  wait_for (bed.n_publishes == 2);
  g_assert_cmpstr (bed.last_match, ==, "tag1");
  g_assert_nonnull (strstr (bed.last_body, "back at &lt;3"));
  harness_settle ();
  /* the server forgot us: the whole of it again, without the tag */
  bed.publish_status = 412;
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_BUSY, NULL));
  wait_for (bed.n_publishes == 4);
  g_assert_null (bed.last_match);
  g_assert_nonnull (strstr (bed.last_body, "<rpid:busy/>"));
  wait_for (published (&bed) == PHONE_SUBSCRIPTION_ACTIVE);
  harness_settle ();
  /* on the phone, and what was before after that */
  agent_dial (bed.agent, "sip:carol@" SERVER);
  g_assert_cmpint (phone_account_get_status (bed.account), ==, PHONE_STATUS_ON_THE_PHONE);
  wait_for (bed.agent->n_ended == 1);
  g_assert_cmpint (phone_account_get_status (bed.account), ==, PHONE_STATUS_BUSY);
  wait_for (strstr (bed.last_body, "<rpid:busy/>") != NULL && published (&bed) == PHONE_SUBSCRIPTION_ACTIVE);
  harness_settle ();
  bed_close (&bed);
}

static void
test_publish_refused (void)
{
  Bed bed = { 0 };
  const PhoneSubscriptionDetail *detail;

  bed_open (&bed, "off");
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_AWAY, NULL));
  harness_settle ();
  g_assert_cmpuint (bed.n_publishes, ==, 0);
  bed_close (&bed);

  bed = (Bed){ .publish_status = 489 };
  bed_open (&bed, "on");
  wait_for (published (&bed) == PHONE_SUBSCRIPTION_WAITING);
  detail = &phone_account_get_presence (bed.account)->publication;
  g_assert_cmpuint (detail->code, ==, 489);
  g_assert_cmpint (detail->retry_at - g_get_real_time () / G_USEC_PER_SEC, >=, 1798);
  g_assert_true (phone_account_set_status (bed.account, PHONE_STATUS_DND, NULL));
  harness_settle ();
  g_assert_cmpuint (bed.n_publishes, ==, 1);
  bed_close (&bed);

  bed = (Bed){ .publish_status = 423, .publish_extra = "Min-Expires: 7200\r\n" };
  bed_open (&bed, "on");
  wait_for (published (&bed) == PHONE_SUBSCRIPTION_ACTIVE);
  g_assert_cmpuint (bed.n_publishes, ==, 2);
  /* who goes is not shown as there */
  g_assert_true (phone_account_unregister (bed.account, NULL));
  wait_for (bed.n_unpublishes == 1);
  g_assert_cmpstr (bed.last_match, ==, "tag2");
  bed_close (&bed);
}

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  g_test_add_func ("/sip/presence/watch", test_presence);
  g_test_add_func ("/sip/presence/dialog", test_dialog);
  g_test_add_func ("/sip/presence/pickup", test_pickup);
  g_test_add_func ("/sip/presence/pickup-and-no-account", test_pickup_and_no_account);
  g_test_add_func ("/sip/presence/list", test_list);
  g_test_add_func ("/sip/presence/list-gap", test_list_gap);
  g_test_add_data_func ("/sip/presence/without-lists/420", "lists-420", test_without_lists);
  g_test_add_data_func ("/sip/presence/without-lists/501", "lists-501", test_without_lists);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals); i++)
    {
      g_autofree char *name = g_strdup_printf ("/sip/presence/refused/%s", refusals[i].user);

      g_test_add_data_func (name, &refusals[i], test_refused);
    }
  g_test_add_data_func ("/sip/presence/renewed/deactivated", "end-deactivated", test_renewed);
  g_test_add_data_func ("/sip/presence/renewed/timeout", "end-timeout", test_renewed);
  g_test_add_data_func ("/sip/presence/renewed/481", "status-481", test_renewed);
  g_test_add_func ("/sip/presence/423-407", test_423_407);
  g_test_add_func ("/sip/presence/unregistered", test_unregistered);
  g_test_add_func ("/sip/presence/many", test_many);
  g_test_add_func ("/sip/presence/mailbox", test_mailbox);
  g_test_add_func ("/sip/presence/publish", test_publish);
  g_test_add_func ("/sip/presence/publish-refused", test_publish_refused);
  return g_test_run ();
}
