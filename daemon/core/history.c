/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Turns ends of calls into entries. The archive works behind a queue, so nothing here waits, and the object lives on (a reference for each
 * question under way) until every answer has come. */

#include "core/history-private.h"

#include <math.h>
#include <string.h>

#include "core/call-private.h"

#define EXPIRE_EVERY_S 3600
#define EXPIRE_EVERY_ENTRIES 500
#define DAY_S 86400

struct _PhoneHistory
{
  GObject parent_instance;
  PhoneRegistry *registry;              /* not owned: it owns us; NULL after it has gone */
  guint unseen;
  char *fault;
  guint waiting;
  guint expire_timer, since_expire;
};

enum
{
  SIGNAL_ADDED,
  SIGNAL_CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (PhoneHistory, phone_history, G_TYPE_OBJECT)

static void
phone_history_finalize (GObject *object)
{
  PhoneHistory *history = PHONE_HISTORY (object);

  g_free (history->fault);
  G_OBJECT_CLASS (phone_history_parent_class)->finalize (object);
}

static void
phone_history_class_init (PhoneHistoryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = phone_history_finalize;
  signals[SIGNAL_ADDED] = g_signal_new ("added", PHONE_TYPE_HISTORY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                                        G_TYPE_POINTER, G_TYPE_BOOLEAN);
  signals[SIGNAL_CHANGED] = g_signal_new (PHONE_SIGNAL_CHANGED, PHONE_TYPE_HISTORY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
phone_history_init (PhoneHistory *history)
{
  history->fault = g_strdup ("");
}

guint phone_history_get_unseen (PhoneHistory *history) { return history->unseen; }
const char *phone_history_get_fault (PhoneHistory *history) { return history->fault; }
guint phone_history_get_waiting (PhoneHistory *history) { return history->waiting; }

static const PhonePorts *
ports_of (PhoneHistory *history)
{
  const PhonePorts *ports = history->registry ? phone_registry_get_ports (history->registry) : NULL;

  return ports && ports->archive ? ports : NULL;
}

/* ---- what is unseen ---- */

static void
set_unseen (PhoneHistory *history, guint unseen)
{
  if (history->unseen == unseen)
    return;
  history->unseen = unseen;
  g_signal_emit (history, signals[SIGNAL_CHANGED], 0, (guint) PHONE_HISTORY_UNSEEN);
}

static void
on_counted (guint n, const GError *error, gpointer data)
{
  g_autoptr (PhoneHistory) history = data;

  if (!error)
    set_unseen (history, n);
}

static void
count (PhoneHistory *history)
{
  const PhonePorts *ports = ports_of (history);

  if (ports)
    ports->archive->history_count_unseen (ports->archive_data, on_counted, g_object_ref (history));
}

void
phone_history_on_fault (PhoneHistory *history, const char *text, guint waiting)
{
  gboolean works_again = history->waiting > 0 && waiting == 0;

  if (g_strcmp0 (history->fault, text ? text : "") == 0 && history->waiting == waiting)
    return;
  phone_text_take (&history->fault, text);
  history->waiting = waiting;
  g_signal_emit (history, signals[SIGNAL_CHANGED], 0, (guint) PHONE_HISTORY_FAULT);
  if (works_again)
    count (history);
}

/* ---- how long entries stay ---- */

static void
expire (PhoneHistory *history)
{
  const PhonePorts *ports = ports_of (history);
  const PhoneDaemonSettings *settings = history->registry ? phone_registry_get_settings (history->registry) : NULL;
  gint64 before;

  history->since_expire = 0;
  if (!ports || (!settings->history_keep && !settings->history_max))
    return;
  before = settings->history_keep ? g_get_real_time () / G_USEC_PER_SEC - (gint64) settings->history_keep * DAY_S : 0;
  ports->archive->history_expire (ports->archive_data, before, settings->history_max, NULL, NULL);
  count (history);
}

static gboolean
on_expire_timer (gpointer data)
{
  expire (data);
  return G_SOURCE_CONTINUE;
}

/* ---- recording ---- */

typedef struct
{
  PhoneHistory *history;
  PhoneHistoryEntry *entry;
} Adding;

static void
on_added (gboolean kept, const GError *error, gpointer data)
{
  Adding *adding = data;
  g_autoptr (PhoneHistory) history = adding->history;
  g_autoptr (PhoneHistoryEntry) entry = adding->entry;

  g_free (adding);
  if (error)
    {
      phone_log_warning (NULL, "History: the entry of a call is lost: %s", error->message);
      return;
    }
  if (!entry->seen)
    set_unseen (history, history->unseen + 1);
  g_signal_emit (history, signals[SIGNAL_ADDED], 0, entry, kept);
  if (++history->since_expire >= EXPIRE_EVERY_ENTRIES)
    expire (history);
}

static void
add (PhoneHistory *history, PhoneHistoryEntry *entry)
{
  const PhonePorts *ports = ports_of (history);
  Adding *adding;

  g_free (entry->party);
  entry->party = phone_party_key (*entry->asserted_id ? entry->asserted_id : entry->remote_uri);
  entry->seen = !entry->incoming || entry->outcome == PHONE_OUTCOME_ANSWERED || entry->outcome == PHONE_OUTCOME_ELSEWHERE
                || g_str_equal (entry->refused_by, "user");
  if (!ports)
    {
      phone_history_entry_free (entry);
      return;
    }
  adding = g_new0 (Adding, 1);
  adding->history = g_object_ref (history);
  adding->entry = phone_history_entry_copy (entry);
  ports->archive->history_add (ports->archive_data, entry, on_added, adding);
}

static PhoneOutcome
judge_incoming (const PhoneReason *reason, gboolean *ret_by_user)
{
  gboolean local = reason->actor == PHONE_ACTOR_LOCAL;

  *ret_by_user = local
                 && (reason->cause == PHONE_CAUSE_BUSY || reason->cause == PHONE_CAUSE_DECLINED
                     || reason->cause == PHONE_CAUSE_UNAVAILABLE);
  if (*ret_by_user)
    return PHONE_OUTCOME_REFUSED;
  if (reason->answered_elsewhere || reason->cause == PHONE_CAUSE_ANSWERED_ELSEWHERE)
    return PHONE_OUTCOME_ELSEWHERE;
  if (reason->cause == PHONE_CAUSE_CANCELLED || reason->cause == PHONE_CAUSE_NO_ANSWER || reason->cause == PHONE_CAUSE_SHUTDOWN
      || reason->cause == PHONE_CAUSE_HANGUP)
    return PHONE_OUTCOME_MISSED;
  return PHONE_OUTCOME_FAILED;
}

static void
take_media (PhoneHistoryEntry *entry, PhoneCall *call)
{
  const PhoneMediaPlan *plan = phone_call_get_plan (call);
  PhoneMediaReport report;
  PhoneSrtpSuite suite;
  double lost;

  if (plan && !plan->refused)
    {
      phone_text_take (&entry->codec, phone_codec_id_to_string (plan->send.id));
      if (phone_call_get_suite (call, &suite))
        {
          phone_text_take (&entry->keying, phone_keying_to_string (plan->dtls ? PHONE_KEYING_DTLS : PHONE_KEYING_SDES));
          phone_text_take (&entry->suite, phone_srtp_suite_to_string (suite));
        }
    }
  if (!phone_call_get_last_report (call, &report))
    return;
  /* Of the whole call: the report's own share is of the last moments only. */
  lost = report.packets_lost > 0 ? (double) report.packets_lost : 0;
  entry->loss_local = report.packets_received ? lost / ((double) report.packets_received + lost) : NAN;
  /* -1: unknown */
  entry->loss_remote = report.loss_remote < 0 ? NAN : report.loss_remote;
  entry->jitter_local = report.jitter_local < 0 ? NAN : report.jitter_local;
  entry->jitter_remote = report.jitter_remote < 0 ? NAN : report.jitter_remote;
  entry->round_trip = report.round_trip < 0 ? NAN : report.round_trip;
  entry->mos = report.mos;
  entry->measures[PHONE_MEASURE_PLAYOUT_TARGET] = report.playout_target;
  entry->measures[PHONE_MEASURE_PLAYOUT_DELAY] = report.playout_delay;
  entry->measures[PHONE_MEASURE_CONCEALED] = report.concealed;
  entry->measures[PHONE_MEASURE_ACCELERATED] = report.accelerated;
  entry->measures[PHONE_MEASURE_EXPANDED] = report.expanded;
  entry->measures[PHONE_MEASURE_FEC_USED] = (double) report.fec_used;
  entry->measures[PHONE_MEASURE_COPIES_USED] = (double) report.copies_used;
  entry->measures[PHONE_MEASURE_BITRATE_TARGET] = report.bitrate_target;
  entry->measures[PHONE_MEASURE_HERE_SIGNAL] = report.metrics.signal;
  entry->measures[PHONE_MEASURE_HERE_NOISE] = report.metrics.noise;
  entry->measures[PHONE_MEASURE_HERE_RATING] = report.metrics.rating;
  if (report.have_peer_metrics)
    {
      entry->measures[PHONE_MEASURE_PEER_RATING] = report.peer_metrics.rating;
      entry->measures[PHONE_MEASURE_PEER_MOS] = report.peer_metrics.mos_cq;
    }
  phone_text_take (&entry->rate_reason, report.rate_reason);
}

void
phone_history_record_call (PhoneHistory *history, PhoneCall *call)
{
  const PhoneReason *reason = phone_call_get_reason (call);
  PhoneHistoryEntry *entry = phone_history_entry_new ();
  gboolean by_user = FALSE;

  phone_text_take (&entry->id, phone_call_get_id (call));
  phone_text_take (&entry->account, phone_account_get_id (phone_call_get_account (call)));
  entry->incoming = phone_call_get_direction (call) == PHONE_CALL_INBOUND;
  phone_text_take (&entry->remote_uri, phone_call_get_remote_uri (call));
  phone_text_take (&entry->remote_name, phone_call_get_remote_name (call));
  phone_text_take (&entry->asserted_id, phone_call_get_asserted_id (call));
  phone_text_take (&entry->diverter, phone_call_get_diverter (call));
  entry->start = phone_call_get_start (call);
  entry->answered = phone_call_get_answered (call);
  entry->ended = g_get_real_time () / G_USEC_PER_SEC;
  entry->actor = reason->actor;
  entry->cause = reason->cause;
  entry->sip = reason->sip;
  entry->q850 = reason->q850;
  phone_text_take (&entry->phrase, reason->phrase);
  if (entry->answered)
    {
      entry->outcome = !phone_call_was_machines (call) ? PHONE_OUTCOME_ANSWERED
                       : phone_call_has_message (call) ? PHONE_OUTCOME_VOICEMAIL
                                                       : PHONE_OUTCOME_MISSED;
      take_media (entry, call);
    }
  else if (entry->incoming)
    entry->outcome = judge_incoming (reason, &by_user);
  else
    entry->outcome = reason->actor == PHONE_ACTOR_LOCAL && reason->cause == PHONE_CAUSE_CANCELLED ? PHONE_OUTCOME_CANCELLED
                                                                                                  : PHONE_OUTCOME_FAILED;
  /* The machine answers for nobody. */
  if (entry->outcome == PHONE_OUTCOME_MISSED)
    entry->answered = 0;
  if (by_user)
    phone_text_take (&entry->refused_by, "user");
  add (history, entry);
}

void
phone_history_record_refused (PhoneHistory *history, PhoneAccount *account, const PhoneIncoming *incoming, guint status, const char *by)
{
  g_autoptr (PhoneReason) reason = phone_reason_from_status (status, NULL);
  PhoneHistoryEntry *entry = phone_history_entry_new ();

  g_free (entry->id);
  entry->id = g_uuid_string_random ();
  phone_text_take (&entry->account, phone_account_get_id (account));
  entry->incoming = TRUE;
  phone_text_take (&entry->remote_uri, incoming->remote_uri);
  phone_text_take (&entry->remote_name, incoming->remote_name);
  phone_text_take (&entry->asserted_id, incoming->asserted_id);
  phone_text_take (&entry->diverter, incoming->diverter);
  entry->start = entry->ended = g_get_real_time () / G_USEC_PER_SEC;
  entry->actor = PHONE_ACTOR_LOCAL;
  entry->cause = reason->cause;
  entry->sip = status;
  entry->q850 = reason->q850;
  entry->outcome = *by ? PHONE_OUTCOME_REFUSED : PHONE_OUTCOME_FAILED;
  phone_text_take (&entry->refused_by, by);
  add (history, entry);
}

void
phone_history_note_message (PhoneHistory *history, const PhoneMessage *message)
{
  g_autoptr (PhoneHistoryEntry) entry = phone_history_entry_new ();

  entry->kind = PHONE_ENTRY_MESSAGE;
  phone_text_take (&entry->id, message->id);
  phone_text_take (&entry->account, message->account);
  entry->incoming = message->incoming;
  entry->outcome = message->incoming ? PHONE_OUTCOME_RECEIVED : PHONE_OUTCOME_PENDING;
  phone_text_take (&entry->remote_uri, message->remote_uri);
  phone_text_take (&entry->remote_name, message->remote_name);
  phone_text_take (&entry->party, message->party);
  g_free (entry->text);
  entry->text = phone_history_cut_text (message->body);
  entry->start = message->time;
  entry->seen = message->read;
  g_signal_emit (history, signals[SIGNAL_ADDED], 0, entry, FALSE);
}

/* ---- what clients ask ---- */

static const PhonePorts *
require_archive (PhoneHistory *history, GError **error)
{
  const PhonePorts *ports = ports_of (history);

  if (!ports)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "This phone keeps no history");
  return ports;
}

gboolean
phone_history_list (PhoneHistory *history, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneHistoryListed done,
                    gpointer data, GError **error)
{
  const PhonePorts *ports = require_archive (history, error);
  g_autoptr (PhoneContactSearch) called = NULL;
  PhoneHistoryFilter full = *filter;

  if (!ports || !phone_page_check ("entries", offset, limit, PHONE_HISTORY_MAX_PAGE, error))
    return FALSE;
  full.called = called = phone_registry_search_contacts (history->registry, filter->text);
  ports->archive->history_list (ports->archive_data, &full, offset, limit, done, data);
  return TRUE;
}

gboolean
phone_history_find (PhoneHistory *history, const char *id, PhoneHistoryListed done, gpointer data, GError **error)
{
  const PhonePorts *ports = require_archive (history, error);

  if (ports)
    ports->archive->history_get (ports->archive_data, id, done, data);
  return ports != NULL;
}

typedef struct
{
  PhoneHistory *history;
  PhoneArchiveDone done;
  gpointer data;
} Changing;

static void
on_changed (gboolean kept, const GError *error, gpointer data)
{
  Changing *changing = data;
  g_autoptr (PhoneHistory) history = changing->history;

  if (!error)
    count (history);
  if (changing->done)
    changing->done (kept, error, changing->data);
  g_free (changing);
}

static gboolean
change (PhoneHistory *history, void (*op) (gpointer archive, const char *const *ids, PhoneArchiveDone done, gpointer data),
        const PhonePorts *ports, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error)
{
  Changing *changing;

  if (ids && g_strv_length ((char **) ids) > PHONE_HISTORY_MAX_IDS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "More than %d entries at a time", PHONE_HISTORY_MAX_IDS);
      return FALSE;
    }
  changing = g_new0 (Changing, 1);
  *changing = (Changing){ g_object_ref (history), done, data };
  op (ports->archive_data, ids, on_changed, changing);
  return TRUE;
}

gboolean
phone_history_mark_seen (PhoneHistory *history, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error)
{
  const PhonePorts *ports = require_archive (history, error);

  return ports && change (history, ports->archive->history_mark_seen, ports, ids, done, data, error);
}

gboolean
phone_history_delete (PhoneHistory *history, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error)
{
  const PhonePorts *ports = require_archive (history, error);

  return ports && change (history, ports->archive->history_delete, ports, ids, done, data, error);
}

/* ---- life ---- */

PhoneHistory *
phone_history_new (PhoneRegistry *registry)
{
  PhoneHistory *history = g_object_new (PHONE_TYPE_HISTORY, NULL);

  history->registry = registry;
  return history;
}

void
phone_history_start (PhoneHistory *history)
{
  if (!ports_of (history))
    return;
  if (!history->expire_timer)
    history->expire_timer = g_timeout_add_seconds (EXPIRE_EVERY_S, on_expire_timer, history);
  expire (history);
  count (history);
}

void
phone_history_stop (PhoneHistory *history)
{
  g_clear_handle_id (&history->expire_timer, g_source_remove);
  history->registry = NULL;
}
