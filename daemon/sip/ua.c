/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The engine object: sofia's root on GLib, the table of accounts, and the operations that core calls.
 *
 * su_glib_root makes sofia a GSource of our context. su_root_threading (root, 0) comes before the first nua_create, which would start a thread
 * otherwise. On the way down the order is: every nua shut down and destroyed, the GSource destroyed (never unreferenced: it
 * belongs to the root), the root, su_deinit. */

#include "sip/ua-presence.h"
#include "sip/ua-quality.h"
#include "sip/ua-dialog.h"
#include "sip/ua-locate.h"
#include "sip/ua-messaging.h"
#include "sip/ua-walk.h"

#include <sys/socket.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/sresolv.h>

#define CLOSE_DEADLINE_MS 1500  /* un-REGISTER and BYE get this long: systemd gives the whole daemon 2 s */

/* sofia looks after its handles once a second, for each nua. Deferrable timers (NUTAG_DEFERRABLE_TIMERS) that may be deferred for MAX_DEFER
 * make that nothing while the phone idles. But what a packet or a lost connection left to be done in "the next second" (the new
 * REGISTER after a connection broke) would then wait for the next packet. So every turn of sofia's source winds up one
 * ordinary timer, whose own turn winds up nothing: one more turn after the last event, then silence. */
#define MAX_DEFER_MS (3600 * 1000)
#define KICK_MS 1100
#define NETWORK_SETTLE_MS 300

GSource *
ua_timer_new (UaEngine *engine, guint ms, GSourceFunc func, gpointer data)
{
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, engine->context);
  return source;
}

void
ua_timer_clear (GSource **timer)
{
  GSource *source = g_steal_pointer (timer);

  if (!source)
    return;
  g_source_destroy (source);
  g_source_unref (source);
}

static void
on_kick (su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
  UaEngine *engine = (UaEngine *) argument;

  engine->kick_armed = FALSE;
  engine->kicked = TRUE;
}

/* After each dispatch of sofia's source. */
static gboolean
on_turn (gpointer data)
{
  UaEngine *engine = data;

  if (engine->kicked)
    engine->kicked = FALSE;
  else if (!engine->kick_armed)
    {
      engine->kick_armed = TRUE;
      su_timer_set (engine->kick, on_kick, (su_timer_arg_t *) engine);
    }
  return G_SOURCE_CONTINUE;
}

UaEngine *
ua_engine_new (PhoneRegistry *registry, GMainContext *context, GError **error)
{
  UaEngine *engine;

  if (!ua_rules_init (error))
    return NULL;
  if (su_init () < 0)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "sofia-sip does not start");
      return NULL;
    }
  engine = g_new0 (UaEngine, 1);
  engine->registry = registry;
  engine->context = context ? g_main_context_ref (context) : g_main_context_ref (g_main_context_default ());
  engine->accounts = g_ptr_array_new ();
  engine->stacks = g_ptr_array_new ();
  engine->dead = ua_dead_list_new ();
  engine->transactions = g_ptr_array_new ();
  ua_log_init ();
  engine->root = su_glib_root_create (NULL);
  if (!engine->root)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "sofia-sip cannot create its event loop");
      ua_engine_free (engine);
      return NULL;
    }
  su_root_threading (engine->root, 0);
  su_root_set_max_defer (engine->root, MAX_DEFER_MS);
  engine->kick = su_timer_create (su_root_task (engine->root), KICK_MS);
  /* sofia's source reads the heap of ordinary timers without looking whether there is one: set now, so that there is */
  su_timer_set (engine->kick, on_kick, (su_timer_arg_t *) engine);
  engine->kick_armed = TRUE;
  engine->source = su_glib_root_gsource (engine->root);
  g_source_set_callback (engine->source, on_turn, engine, NULL);
  g_source_attach (engine->source, engine->context);
  ua_engine_settings_changed (engine);
  return engine;
}

void
ua_engine_settings_changed (UaEngine *engine)
{
  gboolean trace = phone_registry_get_settings (engine->registry)->trace;

  ua_log_set_trace (trace);
  for (guint i = 0; i < engine->stacks->len; i++)
    ua_stack_set_trace (g_ptr_array_index (engine->stacks, i), trace);
}

void
ua_engine_free (UaEngine *engine)
{
  if (!engine)
    return;
  g_assert (engine->stacks->len == 0);
  ua_timer_clear (&engine->stop_timer);
  ua_timer_clear (&engine->network_timer);
  while (engine->accounts->len > 0)
    ua_account_free (g_ptr_array_steal_index_fast (engine->accounts, 0));
  g_ptr_array_unref (engine->accounts);
  g_ptr_array_unref (engine->stacks);
  ua_dead_list_free (engine->dead);
  if (engine->resolver)
    sres_resolver_destroy (engine->resolver);
  /* core has been told that all is over, and has answered them: its archive is closed before us */
  g_ptr_array_unref (engine->transactions);
  if (engine->root)
    {
      su_timer_destroy (engine->kick);
      g_source_destroy (engine->source);
      su_root_destroy (engine->root);
    }
  su_deinit ();
  g_main_context_unref (engine->context);
  g_free (engine);
}

guint
ua_engine_count_stacks (UaEngine *engine)
{
  return engine->stacks->len;
}

static gboolean
on_network_settled (gpointer data)
{
  UaEngine *engine = data;

  ua_timer_clear (&engine->network_timer);
  ua_dead_list_clear (engine->dead);
  for (guint i = 0; i < engine->accounts->len; i++)
    ua_account_network_changed (g_ptr_array_index (engine->accounts, i));
  return G_SOURCE_REMOVE;
}

/* An interface that comes up is a dozen changes of routes within moments; one REGISTER is enough. */
void
ua_engine_network_changed (UaEngine *engine)
{
  if (!engine->network_timer && !engine->stopping)
    engine->network_timer = ua_timer_new (engine, NETWORK_SETTLE_MS, on_network_settled, engine);
}

/* ---- stopping ---- */

void
ua_engine_stack_gone (UaEngine *engine)
{
  void (*done) (gpointer data) = engine->stop_done;

  if (!engine->stopping || engine->stacks->len > 0 || !done)
    return;
  engine->stop_done = NULL;
  done (engine->stop_data);
}

static gboolean
on_nothing_to_stop (gpointer data)
{
  UaEngine *engine = data;

  ua_timer_clear (&engine->stop_timer);
  ua_engine_stack_gone (engine);
  return G_SOURCE_REMOVE;
}

void
ua_engine_stop (UaEngine *engine, guint deadline, void (*done) (gpointer data), gpointer data)
{
  engine->stopping = TRUE;
  ua_timer_clear (&engine->network_timer);
  engine->stop_done = done;
  engine->stop_data = data;
  for (guint i = 0; i < engine->stacks->len; i++)
    ua_stack_close (g_ptr_array_index (engine->stacks, i), deadline);
  if (engine->stacks->len == 0)
    engine->stop_timer = ua_timer_new (engine, 0, on_nothing_to_stop, engine);
}

/* ---- operations ---- */

static UaAccount *
find_account (PhoneAccount *account)
{
  return phone_account_get_engine_data (account);
}

static gboolean
account_add (gpointer ua, PhoneAccount *account, GError **error)
{
  UaEngine *engine = ua;
  UaAccount *entry;

  if (engine->stopping)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The SIP engine is stopping");
      return FALSE;
    }
  g_return_val_if_fail (find_account (account) == NULL, FALSE);
  entry = ua_account_new (engine, account, error);
  if (!entry)
    return FALSE;
  g_ptr_array_add (engine->accounts, entry);
  phone_account_set_engine_data (account, entry);
  ua_presence_open (entry);
  if (entry->registration)
    ua_registration_start (entry->registration);
  return TRUE;
}

static void
account_remove (gpointer ua, PhoneAccount *account)
{
  UaAccount *entry = find_account (account);

  if (!entry || entry->removing)
    return;
  entry->removing = TRUE;
  ua_account_close (entry, CLOSE_DEADLINE_MS);
}

static void
account_register (gpointer ua, PhoneAccount *account)
{
  UaAccount *entry = find_account (account);

  if (entry && !entry->removing && entry->registration)
    ua_registration_start (entry->registration);
}

static void
account_unregister (gpointer ua, PhoneAccount *account)
{
  UaAccount *entry = find_account (account);

  if (entry && !entry->removing && entry->registration)
    ua_registration_stop (entry->registration);
}

static char *
account_local_address (gpointer ua, PhoneAccount *account, const char *target)
{
  UaAccount *entry = find_account (account);

  return entry ? ua_account_local_address (entry, target) : NULL;
}

static gboolean
call_is_located (gpointer ua, PhoneAccount *account, const char *target)
{
  UaAccount *entry = find_account (account);

  return !entry || !entry->stack || ua_locate_is_known (entry, target);
}

static gboolean
call_is_over_tls (gpointer ua, PhoneAccount *account, const char *target)
{
  UaAccount *entry = find_account (account);

  return entry && entry->stack && ua_locate_is_tls (entry, target);
}

static char *
local_address_towards (gpointer ua, const char *address)
{
  return ua_route_source (address, ua_address_family (address));
}

static void
presence_changed (gpointer ua, PhoneAccount *account)
{
  UaAccount *entry = find_account (account);

  if (entry && !entry->removing && entry->publication)
    {
      ua_publication_update (entry->publication);
      ua_notifiers_update (entry);
    }
}

static void
dialogs_changed (gpointer ua, PhoneAccount *account)
{
  UaAccount *entry = find_account (account);

  if (entry)
    ua_notifiers_update (entry);
}

const PhoneSignallingOps ua_signalling_ops = {
  .account_add = account_add,
  .account_remove = account_remove,
  .account_register = account_register,
  .account_unregister = account_unregister,
  .account_local_address = account_local_address,
  .local_address_towards = local_address_towards,
  .call_is_located = call_is_located,
  .call_is_over_tls = call_is_over_tls,
  .call_invite = ua_dialog_invite,
  .call_give_up = ua_dialog_give_up,
  .call_ring = ua_dialog_ring,
  .call_answer = ua_dialog_answer,
  .call_reject = ua_dialog_reject,
  .call_divert = ua_dialog_divert,
  .call_hangup = ua_dialog_hangup,
  .call_reoffer = ua_dialog_reoffer,
  .call_dtmf_info = ua_dialog_dtmf_info,
  .call_refer = ua_dialog_refer,
  .referral_progress = ua_referral_progress,
  .watch_start = ua_watch_start,
  .watch_stop = ua_watch_stop,
  .presence_changed = presence_changed,
  .subscriber_changed = ua_notifier_changed,
  .subscriber_end = ua_notifier_end,
  .dialogs_changed = dialogs_changed,
  .call_hosted_changed = ua_dialog_hosted_changed,
  .message_send = ua_messaging_send,
  .message_answer = ua_messaging_answer,
  .quality_report = ua_quality_report,
};
