/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Subscriptions of others to us (RFC 6665, the notifier's side): "presence" (RFC 3856), "dialog" (RFC 4235), and
 * "conference" (RFC 4575) for the parties of one that we hold. core/subscriber.h says who may.
 *
 *   SUBSCRIBE --core: yes--> 200, NOTIFY --every change, no more often than the package allows--> NOTIFY ...
 *                                 |--SUBSCRIBE again--> 200, and sofia repeats the last NOTIFY; of a conference, all of it follows
 *                                 |--Expires: 0, or no SUBSCRIBE in time--> sofia's NOTIFY with "terminated" --answer--> gone
 *                                 '--core ends it----> our NOTIFY with "terminated" --answer, or none in time--> gone
 *
 * Whole documents: state is told, not a history of it, and what is lost does no harm. Only of a conference changes are told (RFC 4575 section 4),
 * after all of it at first and whenever the peer asks again. A peer that does not take a NOTIFY is forgotten.
 *
 * A NOTIFY goes to where the SUBSCRIBE says. So that nobody has us write to others, a peer that no server of ours speaks for has to name the address
 * that it sends from. */

#include "sip/ua-presence.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sofia-sip/sip_status.h>
#include <string.h>

#include "core/subscriber.h"
#include "sip/ua-dialog.h"

#define LAST_NOTIFY_MS 33000            /* more than timer F */
#define EXPIRY_GRACE_MS 5000            /* sofia ends it in time by itself */

typedef struct
{
  const char *name, *type;
  guint pace_ms;                        /* between two changes (RFC 3856 section 6.10, RFC 4235 and RFC 4575 section 3.10) */
} Package;

static const Package packages[phone_watch_kind_n_values] = {
  [PHONE_WATCH_PRESENCE] = { "presence", "application/pidf+xml", 5000 },
  [PHONE_WATCH_DIALOG] = { "dialog", "application/dialog-info+xml", 1000 },
  [PHONE_WATCH_CONFERENCE] = { "conference", "application/conference-info+xml", 5000 },
};

typedef struct
{
  UaStack *stack;
  PhoneAccount *account;                /* reference: the stack may have been let go of */
  nua_handle_t *nh;
  PhoneSubscriber *subscriber;          /* NULL: core has let go of it, the last NOTIFY is out */
  PhoneWatchKind kind;
  guint version;                        /* of the next document */
  char *target;                         /* where the peer is told: which address of ours it knows depends on it */
  char *told, *contact;                 /* what the peer was sent last */
  GPtrArray *roster;                    /* of a conference, what the peer knows: changes are told against it; NULL: nothing */
  gboolean whole;                       /* it asked for all of it while a NOTIFY was open */
  gboolean open;                        /* a NOTIFY of ours is not answered yet */
  gboolean dirty;                       /* there may be more to say when it is */
  gint64 changed_at;                    /* monotonic us: a change was told; 0: never */
  gboolean farewell;                    /* the stack closes as soon as the last NOTIFY is answered */
  GSource *pace, *expiry;
} UaNotifier;

static GHashTable *notifiers;           /* nua_handle_t -> UaNotifier, of all stacks */

static void
notifier_free (UaNotifier *notifier)
{
  UaStack *stack = notifier->farewell ? notifier->stack : NULL;

  ua_timer_clear (&notifier->pace);
  ua_timer_clear (&notifier->expiry);
  if (notifier->nh)
    {
      g_hash_table_remove (notifiers, notifier->nh);
      ua_stack_drop (notifier->stack, notifier->nh);
    }
  g_free (notifier->target);
  g_free (notifier->told);
  g_free (notifier->contact);
  g_clear_pointer (&notifier->roster, g_ptr_array_unref);
  g_object_unref (notifier->account);
  g_free (notifier);
  if (!stack)
    return;
  stack->n_messages--;
  ua_stack_check (stack);
}

static void
let_go (UaNotifier *notifier, const char *why)
{
  PhoneSubscriber *subscriber = g_steal_pointer (&notifier->subscriber);

  if (subscriber)
    phone_account_on_unsubscribed (notifier->account, subscriber, why);
}

/* ---- documents ---- */

static PhoneCall *
hosted_call (UaNotifier *notifier)
{
  return phone_registry_find_call (notifier->stack->engine->registry, notifier->subscriber->call);
}

/* What there is to tell; NULL: nothing yet. before: what was told of a conference, to tell only what is new; NULL: all of it. contact: ours, which is
 * the URI of a conference, too. */
static char *
write_state (UaNotifier *notifier, const char *contact, guint version, const GPtrArray *before)
{
  if (notifier->subscriber->right == PHONE_RIGHT_PENDING)
    return NULL;
  switch (notifier->kind)
    {
    case PHONE_WATCH_PRESENCE:
      return ua_presence_document (notifier->stack->account);
    case PHONE_WATCH_DIALOG:
      return ua_dialog_document (notifier->stack, version, notifier->subscriber->right == PHONE_RIGHT_FULL);
    case PHONE_WATCH_CONFERENCE:
      return hosted_call (notifier) ? ua_hosting_document (hosted_call (notifier), contact, version, before) : NULL;
    }
  g_assert_not_reached ();
}

/* ---- NOTIFY ---- */

static void
keep_roster (UaNotifier *notifier)
{
  PhoneCall *call = notifier->kind == PHONE_WATCH_CONFERENCE ? hosted_call (notifier) : NULL;

  g_clear_pointer (&notifier->roster, g_ptr_array_unref);
  notifier->roster = call ? phone_call_get_hosted_roster (call) : NULL;
}

static void
notify (UaNotifier *notifier)
{
  gboolean pending = notifier->subscriber->right == PHONE_RIGHT_PENDING;
  g_autofree char *contact = ua_stack_contact (notifier->stack, notifier->target), *uri = ua_stack_contact_uri (notifier->stack, notifier->target);
  gboolean moved = g_strcmp0 (uri, notifier->contact) != 0;     /* to the peer it is another conference, of which it knows nothing */
  g_autofree char *document = write_state (notifier, uri, notifier->version, moved ? NULL : notifier->roster);

  ua_timer_clear (&notifier->pace);
  g_free (notifier->told);
  notifier->told = write_state (notifier, uri, 0, NULL);
  keep_roster (notifier);
  g_free (notifier->contact);
  notifier->contact = g_steal_pointer (&uri);
  notifier->version += document != NULL;
  notifier->open = TRUE;
  notifier->dirty = notifier->whole = FALSE;
  nua_notify (notifier->nh, NUTAG_SUBSTATE (pending ? nua_substate_pending : nua_substate_active),
              SIPTAG_CONTACT_STR (contact),
              TAG_IF (document, SIPTAG_CONTENT_TYPE_STR (packages[notifier->kind].type)), TAG_IF (document, SIPTAG_PAYLOAD_STR (document)),
              TAG_END ());
}

static gboolean
on_pace (gpointer data)
{
  UaNotifier *notifier = data;

  notifier->changed_at = g_get_monotonic_time ();
  if (notifier->stack->account)
    notify (notifier);
  else
    ua_timer_clear (&notifier->pace);
  return G_SOURCE_REMOVE;
}

static gboolean
has_news (UaNotifier *notifier)
{
  g_autofree char *contact = ua_stack_contact_uri (notifier->stack, notifier->target);
  g_autofree char *now = write_state (notifier, contact, 0, NULL);

  return notifier->whole || g_strcmp0 (now, notifier->told) != 0 || g_strcmp0 (contact, notifier->contact) != 0;
}

static void
update (UaNotifier *notifier)
{
  gint64 wait;

  if (!notifier->subscriber || notifier->pace || !notifier->stack->account || !has_news (notifier))
    return;
  if (notifier->open)
    {
      notifier->dirty = TRUE;
      return;
    }
  wait = notifier->changed_at && !notifier->whole ? notifier->changed_at / 1000 + packages[notifier->kind].pace_ms - g_get_monotonic_time () / 1000 : 0;
  notifier->pace = ua_timer_new (notifier->stack->engine, (guint) MAX (wait, 0), on_pace, notifier);
}

static gboolean
on_unanswered (gpointer data)
{
  notifier_free (data);
  return G_SOURCE_REMOVE;
}

static void
end (UaNotifier *notifier, const char *state)
{
  notifier->subscriber = NULL;
  ua_timer_clear (&notifier->pace);
  ua_timer_clear (&notifier->expiry);
  notifier->expiry = ua_timer_new (notifier->stack->engine, LAST_NOTIFY_MS, on_unanswered, notifier);
  if (state)
    nua_notify (notifier->nh, SIPTAG_SUBSCRIPTION_STATE_STR (state), TAG_END ());
}

void
ua_notifier_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaNotifier *notifier = owner;

  if (event->status < 200)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip && stack->account
      && ua_credentials_answer (stack->account->credentials, event->nh, event->sip) == UA_ANSWER_SENT)
    return;
  notifier->open = FALSE;
  if (event->status >= 300)
    let_go (notifier, "the peer does not take what it is told");
  else if (notifier->subscriber && notifier->subscriber->expires <= g_get_real_time () / G_USEC_PER_SEC)
    let_go (notifier, "not renewed");
  if (!notifier->subscriber)
    notifier_free (notifier);
  else if (notifier->dirty)
    update (notifier);
}

static gboolean
on_expiry (gpointer data)
{
  UaNotifier *notifier = data;

  let_go (notifier, "not renewed");
  notifier_free (notifier);
  return G_SOURCE_REMOVE;
}

static void
arm_expiry (UaNotifier *notifier, guint expires)
{
  ua_timer_clear (&notifier->expiry);
  notifier->expiry = ua_timer_new (notifier->stack->engine, expires * 1000 + EXPIRY_GRACE_MS, on_expiry, notifier);
}

/* ---- SUBSCRIBE ---- */

static void
respond (UaStack *stack, const UaEvent *event, guint status, guint expires, guint retry_after)
{
  g_autofree char *target = event->sip && event->sip->sip_contact ? ua_sip_uri_text (event->sip->sip_contact->m_url) : NULL;
  g_autofree char *contact = stack->account && status < 300 ? ua_stack_contact (stack, target) : NULL;
  g_autofree char *seconds = g_strdup_printf ("%u", retry_after);
  char granted[16], least[16];

  g_snprintf (granted, sizeof granted, "%u", expires);
  g_snprintf (least, sizeof least, "%d", PHONE_SUBSCRIBER_MIN_EXPIRES);
  nua_respond (event->nh, (int) status, sip_status_phrase ((int) status), NUTAG_WITH_THIS (stack->nua),
               TAG_IF (contact, SIPTAG_CONTACT_STR (contact)), TAG_IF (status < 300, SIPTAG_EXPIRES_STR (granted)),
               TAG_IF (status == 423, SIPTAG_MIN_EXPIRES_STR (least)), TAG_IF (retry_after, SIPTAG_RETRY_AFTER_STR (seconds)), TAG_END ());
}

static gboolean
accepts (const sip_t *sip, const char *type)
{
  for (const sip_accept_t *a = sip->sip_accept; a; a = a->ac_next)
    if (a->ac_type
        && (g_ascii_strcasecmp (a->ac_type, type) == 0 || g_str_equal (a->ac_type, "*/*") || g_ascii_strcasecmp (a->ac_type, "application/*") == 0))
      return TRUE;
  return !sip->sip_accept;
}

static gboolean
find_kind (const sip_event_t *event, PhoneWatchKind *ret_kind)
{
  for (guint kind = 0; event && event->o_type && kind < G_N_ELEMENTS (packages); kind++)
    if (g_ascii_strcasecmp (event->o_type, packages[kind].name) == 0)
      {
        *ret_kind = kind;
        return TRUE;
      }
  return FALSE;
}

static gboolean
is_at (const url_t *url, const struct sockaddr *peer)
{
  struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found = NULL;
  g_autofree char *host = g_strdup (url->url_host ? url->url_host : "");
  gsize length = strlen (host);
  gboolean same;

  if (length > 2 && host[0] == '[' && host[length - 1] == ']')
    {
      memmove (host, host + 1, length - 2);
      host[length - 2] = '\0';
    }
  if (getaddrinfo (host, NULL, &hints, &found) != 0)
    return FALSE;
  same = ua_address_equal (found->ai_addr, peer);
  freeaddrinfo (found);
  return same;
}

static guint
read_expires (const sip_t *sip)
{
  return sip->sip_expires ? (guint) MIN (sip->sip_expires->ex_delta, PHONE_SUBSCRIBER_EXPIRES) : PHONE_SUBSCRIBER_EXPIRES;
}

static guint
screen (UaStack *stack, const sip_t *sip, gboolean trusted, PhoneWatchKind *ret_kind)
{
  guint expires = sip ? read_expires (sip) : 0;

  if (!sip || !sip->sip_from || !sip->sip_to || !sip->sip_contact || sip->sip_contact->m_url->url_type == url_any)
    return 400;
  if (stack->state != UA_STACK_RUNNING || !stack->account || stack->account->removing)
    return 480;
  if (!ua_incoming_is_for_us (stack->account, sip))
    return 404;
  if (!find_kind (sip->sip_event, ret_kind))
    return 489;
  if (!accepts (sip, packages[*ret_kind].type))
    return 406;
  if (expires && expires < PHONE_SUBSCRIBER_MIN_EXPIRES)
    return 423;
  if (!trusted && !(ua_stack_peer (stack) && is_at (sip->sip_contact->m_url, ua_stack_peer (stack))))
    return 403;
  return 0;
}

UaMove
ua_notifier_judge_move (nua_handle_t *nh, const sip_t *sip, const struct sockaddr *peer)
{
  UaNotifier *notifier = notifiers ? g_hash_table_lookup (notifiers, nh) : NULL;
  UaAccount *account = notifier ? notifier->stack->account : NULL;
  g_autofree char *target = account && sip->sip_contact->m_url->url_type != url_any ? ua_sip_uri_text (sip->sip_contact->m_url) : NULL;

  if (!target || g_str_equal (target, notifier->target))
    return UA_MOVE_NONE;
  if (!ua_account_trusts (account, peer) && !is_at (sip->sip_contact->m_url, peer))
    return UA_MOVE_REFUSED;
  g_free (notifier->target);
  notifier->target = g_steal_pointer (&target);
  return UA_MOVE_TAKEN;
}

/* What sofia has just repeated tells changes only, and the peer has counted it already. */
static void
tell_anew (UaNotifier *notifier)
{
  g_clear_pointer (&notifier->roster, g_ptr_array_unref);
  if (notifier->open)
    notifier->dirty = notifier->whole = TRUE;
  else
    notify (notifier);
}

static void
on_again (UaStack *stack, const UaEvent *event, UaNotifier *notifier)
{
  PhoneWatchKind kind;
  guint expires = event->sip ? read_expires (event->sip) : 0;

  if (!event->sip || !find_kind (event->sip->sip_event, &kind) || kind != notifier->kind)
    respond (stack, event, 489, 0, 0);
  else if (!notifier->subscriber || !stack->account)
    respond (stack, event, 481, 0, 0);
  else if (expires && expires < PHONE_SUBSCRIBER_MIN_EXPIRES)
    respond (stack, event, 423, 0, 0);
  else
    {
      respond (stack, event, 200, expires, 0);
      if (expires && notifier->kind == PHONE_WATCH_CONFERENCE)
        tell_anew (notifier);
      if (!expires)
        {
          let_go (notifier, "the peer ended it");
          end (notifier, NULL);
          return;
        }
      phone_account_on_resubscribed (notifier->account, notifier->subscriber, expires);
      arm_expiry (notifier, expires);
    }
}

void
ua_notifier_on_subscribe (UaStack *stack, const UaEvent *event, gpointer owner)
{
  const sip_t *sip = event->sip;
  const struct sockaddr *peer = ua_stack_peer (stack);
  gboolean trusted = stack->account && peer && ua_account_trusts (stack->account, peer);
  g_autofree char *asserted_name = NULL, *asserted = NULL, *uri = NULL, *display = NULL;
  char source[NI_MAXHOST] = "";
  PhoneSubscribeRequest request = { .vouched = trusted, .source = source };
  guint status, retry_after = 0;
  UaNotifier *notifier;

  if (owner)
    {
      on_again (stack, event, owner);
      return;
    }
  status = screen (stack, sip, trusted, &request.kind);
  if (status)
    {
      respond (stack, event, status, 0, 0);
      return;
    }
  if (peer)
    getnameinfo (peer, peer->sa_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in), source, sizeof source, NULL, 0,
                 NI_NUMERICHOST);
  asserted = ua_sip_asserted_id (stack, sip, &asserted_name);
  uri = asserted ? NULL : ua_sip_party_uri (sip->sip_from);
  display = ua_sip_display_name (sip->sip_from);
  request.uri = asserted ? asserted : uri ? uri : "sip:anonymous@anonymous.invalid";
  request.name = asserted_name ? asserted_name : display;
  request.expires = read_expires (sip);
  request.call = ua_dialog_targeted_call (stack, sip);
  notifier = g_new0 (UaNotifier, 1);
  notifier->stack = stack;
  notifier->account = g_object_ref (stack->account->account);
  notifier->kind = request.kind;
  notifier->target = ua_sip_uri_text (sip->sip_contact->m_url);
  notifier->subscriber = phone_account_on_subscribe (notifier->account, &request, notifier, &status, &retry_after);
  respond (stack, event, notifier->subscriber ? 200 : status, request.expires, retry_after);
  if (!notifier->subscriber)
    {
      notifier_free (notifier);
      return;
    }
  notifier->nh = event->nh;
  if (!notifiers)
    notifiers = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (notifiers, notifier->nh, notifier);
  ua_stack_adopt (stack, event->nh, UA_OWNER_NOTIFIER, notifier);
  arm_expiry (notifier, request.expires);
  notify (notifier);
  if (!request.expires)         /* asked once: sofia says "terminated" in it */
    {
      let_go (notifier, "it was to be told once");
      end (notifier, NULL);
    }
}

/* ---- what core wants ---- */

void
ua_notifier_changed (gpointer ua, PhoneSubscriber *subscriber)
{
  update (subscriber->engine_data);
}

void
ua_notifier_end (gpointer ua, PhoneSubscriber *subscriber, const char *reason)
{
  g_autofree char *state = g_strconcat ("terminated;reason=", reason, NULL);

  end (subscriber->engine_data, state);
}

static void
update_one (gpointer owner, gpointer data)
{
  update (owner);
}

void
ua_notifiers_update (UaAccount *account)
{
  GPtrArray *stacks = account->engine->stacks;

  for (guint i = 0; i < stacks->len; i++)
    if (((UaStack *) g_ptr_array_index (stacks, i))->account == account)
      ua_stack_foreach (g_ptr_array_index (stacks, i), UA_OWNER_NOTIFIER, update_one, NULL);
}

static void
close_one (gpointer owner, gpointer data)
{
  UaNotifier *notifier = owner;

  if (!notifier->subscriber)
    return;
  let_go (notifier, "the account closes");
  notifier->farewell = TRUE;
  notifier->stack->n_messages++;
  end (notifier, "terminated;reason=probation;retry-after=60");
}

void
ua_notifiers_close (UaStack *stack)
{
  ua_stack_foreach (stack, UA_OWNER_NOTIFIER, close_one, NULL);
}

static void
abandon_one (gpointer owner, gpointer data)
{
  UaNotifier *notifier = owner;

  let_go (notifier, "the account closes");
  g_hash_table_remove (notifiers, notifier->nh);
  notifier->nh = NULL;          /* the stack destroys it */
  notifier_free (notifier);
}

void
ua_notifiers_abandon (UaStack *stack)
{
  ua_stack_foreach (stack, UA_OWNER_NOTIFIER, abandon_one, NULL);
}
