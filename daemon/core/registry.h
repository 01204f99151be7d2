/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* All accounts and calls of the daemon, and the policies that span them: default account, limits, call waiting, who is
 * put on hold when another is answered, what rings. Emits "account-added/-removed" (PhoneAccount), "call-added/-removed"
 * (PhoneCall; added once it is complete), "conference-added/-removed" (PhoneConference), "watch-added/-removed" (PhoneWatch), "changed" (guint mask of PhoneRegistryField), "audio-changed". */

#include <glib-object.h>
#include "core/answer-wish.h"
#include "core/call.h"
#include "core/conference.h"
#include "core/dnd.h"
#include "core/history.h"
#include "core/messages.h"
#include "core/watch.h"

#define PHONE_DAEMON_STATE_LIST(X) \
  X (PHONE_DAEMON_IDLE, "idle") X (PHONE_DAEMON_RINGING, "ringing") X (PHONE_DAEMON_IN_CALL, "in-call") X (PHONE_DAEMON_STOPPING, "stopping")
PHONE_DECLARE_ENUM (PhoneDaemonState, phone_daemon_state, PHONE_DAEMON_STATE_LIST)

#define PHONE_NETWORK_STATE_LIST(X) X (PHONE_NETWORK_OFFLINE, "offline") X (PHONE_NETWORK_LOCAL, "local") X (PHONE_NETWORK_ONLINE, "online")
PHONE_DECLARE_ENUM (PhoneNetworkState, phone_network_state, PHONE_NETWORK_STATE_LIST)

typedef enum
{
  PHONE_REGISTRY_STATE = 1 << 0,
  PHONE_REGISTRY_DEFAULT_ACCOUNT = 1 << 1,
  PHONE_REGISTRY_NETWORK = 1 << 2,
  PHONE_REGISTRY_FIRST_FADER = 1 << 3,  /* and one for each further PhoneFader */
} PhoneRegistryField;

#define PHONE_TYPE_REGISTRY (phone_registry_get_type ())
G_DECLARE_FINAL_TYPE (PhoneRegistry, phone_registry, PHONE, REGISTRY, GObject)

PhoneRegistry *phone_registry_new (const PhoneDaemonSettings *settings);        /* copies */
/* The tables must outlive the registry. Called once, before anything else. */
void phone_registry_set_ports (PhoneRegistry *registry, const PhonePorts *ports);
const PhonePorts *phone_registry_get_ports (PhoneRegistry *registry);
const PhoneDaemonSettings *phone_registry_get_settings (PhoneRegistry *registry);
/* Reload; copies. Audio devices whose setting changed are selected, where the user has not chosen another. */
void phone_registry_set_settings (PhoneRegistry *registry, const PhoneDaemonSettings *settings);

/* History, messages and do-not-disturb live as long as the registry. */
PhoneMessages *phone_registry_get_messages (PhoneRegistry *registry);
PhoneHistory *phone_registry_get_history (PhoneRegistry *registry);
PhoneDnd *phone_registry_get_dnd (PhoneRegistry *registry);

/* The address book; takes it. Calls whose party has another name in it emit "changed". */
void phone_registry_set_contacts (PhoneRegistry *registry, PhoneContacts *contacts);
/* How the address book calls somebody, "" if it does not: by the identity that the network vouches for if there is one (NULL or "": there is
 * not), and then never by what the caller claims. Borrowed until the book is another. */
const char *phone_registry_name_party (PhoneRegistry *registry, const char *asserted_id, const char *uri);
/* What a list of what has that text in it looks for among the contacts; NULL: nothing. Caller owns it. */
PhoneContactSearch *phone_registry_search_contacts (PhoneRegistry *registry, const char *text);

/* Takes up what the user chose in an earlier life: default account, audio devices. After set_ports. */
void phone_registry_restore_choices (PhoneRegistry *registry);
/* Selects a device for "input", "output" or "ring" and remembers it; "" goes back to the configured one. */
gboolean phone_registry_select_audio (PhoneRegistry *registry, const char *role, const char *device, GError **error);

/* Accounts. The arrays are borrowed; do not keep them across the main loop. */
GPtrArray *phone_registry_get_accounts (PhoneRegistry *registry);
PhoneAccount *phone_registry_find_account (PhoneRegistry *registry, const char *id);    /* borrowed or NULL */
/* From a file at start-up or reload (save FALSE), or from a client (save TRUE). Takes a copy of settings. */
PhoneAccount *phone_registry_add_account (PhoneRegistry *registry, const PhoneAccountSettings *settings, gboolean save, GError **error);
gboolean phone_registry_remove_account (PhoneRegistry *registry, PhoneAccount *account, gboolean delete_saved, GError **error);
PhoneAccount *phone_registry_get_default_account (PhoneRegistry *registry);             /* NULL: no account */
gboolean phone_registry_set_default_account (PhoneRegistry *registry, PhoneAccount *account, GError **error);

/* Calls. */
GPtrArray *phone_registry_get_calls (PhoneRegistry *registry);
PhoneCall *phone_registry_find_call (PhoneRegistry *registry, guint number);

typedef struct
{
  PhoneAccount *account;        /* NULL: default, or the one whose domain fits the target */
  gboolean privacy;
  const char *display_name;
  const char *const *headers;   /* pairs; only X-*, P-Early-Media and a short list pass, else INVALID_OPTION */
  const char *replaces;
  gboolean when_registered;     /* wait (30 s at most) until the account is registered, even if it failed to just now */
  gboolean keep_others;
  gboolean intercom;            /* the callee's phone shall answer by itself, if it may */
  PhoneConference *conference;  /* that the call joins, which we do not leave for it; NULL: none */
  PhoneCall *referrer;          /* the call whose peer asked for this one; replaces and referred_by are taken as they are */
  const char *referred_by;
} PhoneDialOptions;
PhoneCall *phone_registry_dial (PhoneRegistry *registry, const char *target, const PhoneDialOptions *options, GError **error);
/* Dials the server's code for it: forward-code.c. kind: unconditional, busy, no-reply; target "": off. NOT_SUPPORTED: the account has no such code.
 * Borrowed. */
/* Kind and target ("": off), kind and target ...: what the server answered to, whenever that was. Caller frees. */
char **phone_account_get_forwards_at_server (PhoneAccount *account);
PhoneCall *phone_registry_forward_at_server (PhoneRegistry *registry, PhoneAccount *account, const char *kind, const char *target, GError **error);
void phone_registry_hangup_all (PhoneRegistry *registry);
/* With which account a target is meant, when nobody says: the one whose domain it names, else the default one; NULL: there is none. */
PhoneAccount *phone_registry_choose_account (PhoneRegistry *registry, const char *target);

/* Conferences. Of calls as phone_conference_add() takes them, two at least, or one if it is to be kept. */
GPtrArray *phone_registry_get_conferences (PhoneRegistry *registry);
PhoneConference *phone_registry_find_conference (PhoneRegistry *registry, guint number);        /* borrowed or NULL */
PhoneConference *phone_registry_add_conference (PhoneRegistry *registry, PhoneCall *const *calls, guint n, gboolean keep, GError **error);

/* Recordings: what storage has, borrowed until the main loop turns; emits "recording-changed" (const char *id: came, changed or went). */
GPtrArray *phone_registry_get_recordings (PhoneRegistry *registry);     /* PhoneRecording, newest first; NULL: there is no storage */

/* Watches. target is resolved as one that is dialled; one that is there already is returned again. Saved before it takes effect. */
GPtrArray *phone_registry_get_watches (PhoneRegistry *registry);
GPtrArray *phone_registry_get_passing_watches (PhoneRegistry *registry);         /* those of pickup.c, which nobody sees; not owned */
PhoneWatch *phone_registry_find_watch (PhoneRegistry *registry, guint number);  /* borrowed or NULL */
PhoneWatch *phone_registry_add_watch (PhoneRegistry *registry, PhoneAccount *account, const char *target, PhoneWatchKind kind,
                                      GError **error);
gboolean phone_registry_remove_watch (PhoneRegistry *registry, PhoneWatch *watch, GError **error);

PhoneDaemonState phone_registry_get_state (PhoneRegistry *registry);
PhoneNetworkState phone_registry_get_network (PhoneRegistry *registry);
void phone_registry_set_network (PhoneRegistry *registry, PhoneNetworkState state);
guint phone_registry_get_fader (PhoneRegistry *registry, PhoneFader fader);
void phone_registry_set_fader (PhoneRegistry *registry, PhoneFader fader, guint value);
/* The media engine's devices or selection changed: emits "audio-changed". */
void phone_registry_audio_changed (PhoneRegistry *registry);
/* No new calls; ends all calls, removes all accounts; done() when nothing is left or after deadline ms. */
void phone_registry_stop (PhoneRegistry *registry, guint deadline, void (*done) (gpointer data), gpointer data);

/* An INVITE outside a dialog, matched to an account by the engine (Request-URI, To, DID, or the registered flow). offer NULL: delayed
 * offer. Calls call_ring (180) before it returns. Returns the new call (borrowed), or NULL with *ret_refusal what to answer with and nothing created. Strings are copied. */
typedef struct
{
  const char *remote_uri, *remote_name, *asserted_id, *diverter;
  const char *verstat;          /* as phone_call_get_verstat(); static; NULL: "" */
  const char *request_uri;
  guint diversions;             /* how often it was sent on before */
  gboolean diverted_by_us;      /* the account is one of those who did */
  PhoneCall *replaced;          /* RFC 3891: the call that this one takes the place of; matched by the engine. NULL: none */
  PhoneAnswerWish wish;         /* the caller's; core's policy decides */
  const char *alert;            /* words of Alert-Info, lower case, separated by spaces; NULL: none */
  gboolean over_tls;
  gboolean from_server;         /* the account's own, which vouches for remote_uri as far as anybody does */
} PhoneIncoming;
typedef struct
{
  guint status;                 /* 300-699 */
  guint retry_after;            /* s, 0: none */
  const char *contact;          /* of a 302, borrowed until the next turn of the main loop; NULL: none */
} PhoneRefusal;
PhoneCall *phone_registry_on_incoming (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming,
                                       const PhoneMediaDesc *offer, gpointer engine_data, PhoneRefusal *ret_refusal);
