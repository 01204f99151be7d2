/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/subscriber.h"

#include <string.h>

#include "core/conference.h"
#include "core/model-private.h"
#include "core/number-list.h"
#include "util/phone-uri.h"

#define MAX_PENDING 16                  /* of an account: more than anybody will answer */
#define MAX_OF_ONE 8                    /* of one party, or of one address */
#define ASK_BURST 10
#define ASK_PER_MINUTE 30
#define MAX_SOURCES 128
#define FULL_RETRY_AFTER 60             /* s */

PhoneAllowance *
phone_subscriber_allowance_new (void)
{
  return phone_allowance_new (ASK_BURST, ASK_PER_MINUTE, MAX_SOURCES);
}

void
phone_subscriber_free (PhoneSubscriber *subscriber)
{
  if (!subscriber)
    return;
  g_free (subscriber->uri);
  g_free (subscriber->name);
  g_free (subscriber->source);
  g_free (subscriber);
}

static GPtrArray *
list_of (PhoneAccount *account)
{
  return phone_account_presence (account)->subscribers;
}

const GPtrArray *
phone_account_get_subscribers (PhoneAccount *account)
{
  return list_of (account);
}

PhoneSubscriber *
phone_account_find_subscriber (PhoneAccount *account, guint number)
{
  GPtrArray *list = list_of (account);

  for (guint i = 0; i < list->len; i++)
    if (((PhoneSubscriber *) g_ptr_array_index (list, i))->number == number)
      return g_ptr_array_index (list, i);
  return NULL;
}

/* ---- who may ---- */

static PhoneRight
judge (PhoneAccount *account, const char *uri, gboolean vouched)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);

  if ((settings->do_register && !vouched) || phone_number_list_matches (settings->subscribers_block, uri))
    return PHONE_RIGHT_NONE;
  if (phone_number_list_matches (settings->subscribers_allow, uri))
    return PHONE_RIGHT_FULL;
  switch (settings->subscribers)
    {
    case PHONE_SUBSCRIBERS_REFUSE:
      return PHONE_RIGHT_NONE;
    case PHONE_SUBSCRIBERS_ASK:
      return PHONE_RIGHT_PENDING;
    case PHONE_SUBSCRIBERS_ACCEPT:
      break;
    }
  return PHONE_RIGHT_STATE;
}

/* *ret_call: the one that the party is in a conference with. */
static PhoneRight
judge_party (PhoneAccount *account, const PhoneSubscribeRequest *request, guint *ret_call)
{
  gboolean believed = request->vouched || !phone_account_get_settings (account)->do_register;
  PhoneCall *call = request->call ? request->call : believed ? phone_conference_find_party (account, request->uri) : NULL;

  if (!call || phone_call_get_account (call) != account || !phone_call_is_hosted (call))
    return PHONE_RIGHT_NONE;
  *ret_call = phone_call_get_number (call);
  return PHONE_RIGHT_FULL;
}

static const char *
kind_text (PhoneWatchKind kind)
{
  switch (kind)
    {
    case PHONE_WATCH_PRESENCE:
      return "our presence";
    case PHONE_WATCH_DIALOG:
      return "our calls";
    case PHONE_WATCH_CONFERENCE:
      break;
    }
  return "the conference";
}

static gboolean
is_full (PhoneAccount *account, const PhoneSubscribeRequest *request, PhoneRight right)
{
  GPtrArray *list = list_of (account);
  guint pending = 0, of_one = 0;

  for (guint i = 0; i < list->len; i++)
    {
      const PhoneSubscriber *other = g_ptr_array_index (list, i);

      pending += other->right == PHONE_RIGHT_PENDING;
      of_one += g_str_equal (other->uri, request->uri) || (!request->vouched && g_str_equal (other->source, request->source));
    }
  return list->len >= PHONE_MAX_SUBSCRIBERS || of_one >= MAX_OF_ONE || (right == PHONE_RIGHT_PENDING && pending >= MAX_PENDING);
}

static const char *
right_text (PhoneRight right)
{
  switch (right)
    {
    case PHONE_RIGHT_NONE:
      return "refused";
    case PHONE_RIGHT_PENDING:
      return "waits for the user";
    case PHONE_RIGHT_STATE:
    case PHONE_RIGHT_FULL:
      break;
    }
  return "allowed";
}

PhoneSubscriber *
phone_account_on_subscribe (PhoneAccount *account, const PhoneSubscribeRequest *request, gpointer engine_data, guint *ret_status,
                            guint *ret_retry_after)
{
  PhoneLogFields fields = { .account = phone_account_get_id (account) };
  PhoneAccountPresence *presence = phone_account_presence (account);
  guint call = 0;
  PhoneRight right = request->kind == PHONE_WATCH_CONFERENCE ? judge_party (account, request, &call)
                                                             : judge (account, request->uri, request->vouched);
  PhoneSubscriber *subscriber;

  *ret_status = 0;
  *ret_retry_after = phone_allowance_take (presence->askers, request->vouched ? request->uri : request->source, g_get_monotonic_time ());
  if (!*ret_retry_after && right != PHONE_RIGHT_NONE && is_full (account, request, right))
    *ret_retry_after = FULL_RETRY_AFTER;
  if (*ret_retry_after)
    {
      *ret_status = 503;
      phone_log_debug (&fields, "Account %s: %s subscribes too often", fields.account, request->uri);
      return NULL;
    }
  phone_log_info (&fields, "Account %s: %s (%s) subscribes to %s: %s", fields.account, request->uri, request->source,
                  kind_text (request->kind), right_text (right));
  if (right == PHONE_RIGHT_NONE)
    {
      *ret_status = 403;
      return NULL;
    }
  subscriber = g_new0 (PhoneSubscriber, 1);
  subscriber->number = ++presence->last_subscriber;
  subscriber->kind = request->kind;
  subscriber->uri = g_strdup (request->uri);
  subscriber->name = g_strdup (request->name);
  subscriber->source = g_strdup (request->source);
  subscriber->vouched = request->vouched;
  subscriber->right = right;
  subscriber->call = call;
  subscriber->expires = g_get_real_time () / G_USEC_PER_SEC + request->expires;
  subscriber->engine_data = engine_data;
  g_ptr_array_add (presence->subscribers, subscriber);
  phone_account_emit_changed (account, PHONE_ACCOUNT_SUBSCRIBERS);
  return subscriber;
}

void
phone_account_on_resubscribed (PhoneAccount *account, PhoneSubscriber *subscriber, guint expires)
{
  subscriber->expires = g_get_real_time () / G_USEC_PER_SEC + expires;
  phone_account_emit_changed (account, PHONE_ACCOUNT_SUBSCRIBERS);
}

void
phone_account_on_unsubscribed (PhoneAccount *account, PhoneSubscriber *subscriber, const char *why)
{
  phone_log_info (&(PhoneLogFields){ .account = phone_account_get_id (account) }, "Account %s: the subscription of %s is over: %s",
                  phone_account_get_id (account), subscriber->uri, why);
  g_ptr_array_remove (list_of (account), subscriber);
  phone_account_emit_changed (account, PHONE_ACCOUNT_SUBSCRIBERS);
}

/* ---- what the user wants ---- */

static void
end (PhoneAccount *account, PhoneSubscriber *subscriber, const char *reason, const char *why)
{
  const PhonePorts *ports = phone_registry_get_ports (phone_account_get_registry (account));

  ports->sig->subscriber_end (ports->ua, subscriber, reason);
  phone_account_on_unsubscribed (account, subscriber, why);
}

void
phone_account_end_subscriber (PhoneAccount *account, PhoneSubscriber *subscriber)
{
  end (account, subscriber, "rejected", "ended here");
}

void
phone_account_rosters_changed (PhoneAccount *account)
{
  PhoneRegistry *registry = phone_account_get_registry (account);
  const PhonePorts *ports = phone_registry_get_ports (registry);
  GPtrArray *list = list_of (account);

  for (guint i = list->len; i-- > 0;)
    {
      PhoneSubscriber *subscriber = g_ptr_array_index (list, i);
      PhoneCall *call = subscriber->call ? phone_registry_find_call (registry, subscriber->call) : NULL;

      if (!subscriber->call)
        continue;
      if (call && phone_call_is_hosted (call))
        ports->sig->subscriber_changed (ports->ua, subscriber);
      else
        end (account, subscriber, "noresource", "no more in the conference");
    }
}

void
phone_account_judge_subscribers (PhoneAccount *account)
{
  const PhonePorts *ports = phone_registry_get_ports (phone_account_get_registry (account));
  GPtrArray *list = list_of (account);

  for (guint i = list->len; i-- > 0;)
    {
      PhoneSubscriber *subscriber = g_ptr_array_index (list, i);
      if (subscriber->kind == PHONE_WATCH_CONFERENCE)
        continue;
      PhoneRight right = judge (account, subscriber->uri, subscriber->vouched);

      if (right == subscriber->right)
        continue;
      if (right == PHONE_RIGHT_NONE)
        {
          phone_account_end_subscriber (account, subscriber);
          continue;
        }
      subscriber->right = right;
      ports->sig->subscriber_changed (ports->ua, subscriber);
      phone_account_emit_changed (account, PHONE_ACCOUNT_SUBSCRIBERS);
    }
  phone_account_rosters_changed (account);
}

/* The list without item, and then with it if it is to be there. NULL: empty. */
static char *
edit_list (const char *list, const char *item, gboolean there)
{
  g_auto (GStrv) items = g_strsplit (list ? list : "", ",", -1);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; items[i]; i++)
    if (*items[i] && g_ascii_strcasecmp (items[i], item) != 0)
      g_string_append_printf (text, "%s%s", text->len ? "," : "", items[i]);
  if (there)
    g_string_append_printf (text, "%s%s", text->len ? "," : "", item);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
phone_account_allow_subscriber (PhoneAccount *account, const char *uri, gboolean allow, GError **error)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);
  g_autoptr (PhoneUri) parsed = phone_uri_parse (uri, NULL);
  g_autofree char *item = NULL, *allowed = NULL, *blocked = NULL;

  if (parsed && parsed->user && *parsed->user && !strpbrk (parsed->user, ",*?"))
    item = parsed->host ? g_strdup_printf ("%s@%s", parsed->user, parsed->host) : g_strdup (parsed->user);
  if (!item)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "\"%s\" is not the URI of a person", uri);
      return FALSE;
    }
  allowed = edit_list (settings->subscribers_allow, item, allow);
  blocked = edit_list (settings->subscribers_block, item, !allow);
  return phone_account_update (account, (const char *[]){ "subscribers-allow", allowed, "subscribers-block", blocked, NULL }, error);
}
