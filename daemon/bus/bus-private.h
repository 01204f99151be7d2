/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the bus room share among themselves. */

#include <systemd/sd-bus.h>
#include "bus/bus.h"
#include "bus/bus-client.h"
#include "bus/bus-error.h"
#include "bus/bus-value.h"
#include "phone-dbus.h"

#define BUS_MAX_ALL_SUBSCRIPTIONS 256

typedef struct _BusSecret BusSecret;
typedef struct _BusSubscribers BusSubscribers;

struct _Bus
{
  PhoneRegistry *registry;
  const BusHooks *hooks;
  gpointer data;
  sd_bus *bus;
  GSource *source;
  gboolean ready, lost;
  BusClients *clients;

  /* objects, owned, by path */
  GHashTable *accounts;         /* BusAccount */
  GHashTable *calls;            /* BusCall */
  GHashTable *watches;          /* BusWatched */
  GHashTable *conferences;      /* BusConference */
  guint flush_id;               /* source that sends what the masks below and in the objects remember */
  guint manager_pending;        /* mask of PhoneRegistryField */
  char *default_account;        /* path as announced last: it may follow from a change of any account */
  gboolean audio_pending;
  guint dnd_pending;            /* mask of PhoneDndField */
  guint history_pending;        /* mask of PhoneHistoryField */
  guint messages_pending;       /* mask of PhoneMessagesField */
  guint n_subscriptions;        /* of all clients to all objects */
};

typedef struct
{
  Bus *bus;
  PhoneAccount *account;
  char *path;
  guint pending;                /* mask of PhoneAccountField not announced yet */
  PhoneRegistration shown;      /* as announced last */
  BusSecret *secret;            /* SetSecret under way, NULL: none */
} BusAccount;

typedef struct
{
  Bus *bus;
  PhoneCall *call;
  char *path;
  char *account_path;           /* stays after the account has gone */
  guint pending;                /* mask of PhoneCallField not announced yet */
  PhoneCallState shown;         /* as announced last */
  BusSubscribers *subscribers;  /* to statistics */
} BusCall;

typedef struct
{
  Bus *bus;
  PhoneWatch *watch;
  char *path;
  char *account_path;
  guint pending;                /* mask of PhoneWatchField not announced yet */
} BusWatched;

typedef struct
{
  Bus *bus;
  PhoneConference *conference;
  char *path;
  guint pending;                /* mask of PhoneConferenceField not announced yet */
  BusSubscribers *subscribers;  /* to levels */
} BusConference;

/* ---- bus-object.c: which objects there are, and what of them has changed ---- */
int bus_objects_export (Bus *bus); /* vtables, enumerators, and what the registry has already */
void bus_objects_clear (Bus *bus);
BusAccount *bus_require_account (Bus *bus, const char *path, GError **error);   /* NO_SUCH_ACCOUNT, by the name that people know */
BusCall *bus_find_call (Bus *bus, const char *path);
const char *bus_watch_path (Bus *bus, PhoneWatch *watch);       /* "/" for one that is not exported */
const char *bus_account_path (Bus *bus, PhoneAccount *account); /* "/" for NULL or one that is not exported */
const char *bus_call_path (Bus *bus, PhoneCall *call);
BusConference *bus_find_conference (Bus *bus, const char *path);
const char *bus_conference_path (Bus *bus, PhoneConference *conference);        /* "/" for NULL or one that is not exported */
/* Announces all that is pending: in the next turn of the main loop, or now. */
void bus_flush_later (Bus *bus);
void bus_flush (Bus *bus);

/* Beside the PhoneCallFields: what may be done has changed. */
#define BUS_CALL_CAN (1u << 31)
/* The properties that a mask stands for; each appends names to a GPtrArray of static strings. */
void bus_account_changed_properties (guint mask, GPtrArray *ret_names);
void bus_presence_changed_properties (guint mask, GPtrArray *ret_names);
void bus_voicemail_changed_properties (guint mask, GPtrArray *ret_names);
void bus_forwarding_changed_properties (guint mask, GPtrArray *ret_names);
void bus_conference_changed_properties (guint mask, GPtrArray *ret_names);
void bus_watch_changed_properties (guint mask, GPtrArray *ret_names);
void bus_call_changed_properties (guint mask, GPtrArray *ret_names);
void bus_media_changed_properties (guint mask, GPtrArray *ret_names);
void bus_recording_changed_properties (gboolean changed, GPtrArray *ret_names);
void bus_manager_changed_properties (guint mask, GPtrArray *ret_names);
void bus_dnd_changed_properties (guint mask, GPtrArray *ret_names);
void bus_history_changed_properties (guint mask, GPtrArray *ret_names);
void bus_messages_changed_properties (guint mask, GPtrArray *ret_names);
void bus_audio_changed_properties (guint mask, gboolean devices, GPtrArray *ret_names);

/* ---- one vtable each ---- */
extern const sd_bus_vtable bus_manager_vtable[], bus_audio_vtable[], bus_history_vtable[], bus_dnd_vtable[];     /* userdata: Bus */
extern const sd_bus_vtable bus_recordings_vtable[], bus_messages_vtable[];      /* userdata: Bus */
extern const sd_bus_vtable bus_account_vtable[], bus_presence_vtable[], bus_voicemail_vtable[];     /* userdata: BusAccount */
extern const sd_bus_vtable bus_forwarding_vtable[];                             /* userdata: BusAccount */
extern const sd_bus_vtable bus_conference_vtable[], bus_conference_recording_vtable[];                             /* userdata: BusConference */
extern const sd_bus_vtable bus_watch_vtable[];                                  /* userdata: BusWatched */
extern const sd_bus_vtable bus_call_vtable[], bus_media_vtable[];               /* userdata: BusCall */
extern const sd_bus_vtable bus_recording_vtable[];                              /* userdata: BusCall */

/* ---- bus-presence.c ---- */
int bus_append_subscription (sd_bus_message *reply, const PhoneSubscriptionDetail *detail);     /* a{sv}: code, reason, retry-at */

/* ---- bus-call.c ---- */
void bus_call_emit_dtmf (BusCall *self, char digit, guint ms, const char *method);

/* ---- bus-history.c ---- */
void bus_history_emit_added (Bus *self, const PhoneHistoryEntry *entry, gboolean kept);

/* ---- bus-messages.c ---- */
void bus_messages_emit_received (Bus *self, const PhoneMessage *message);
void bus_messages_emit_state (Bus *self, const PhoneMessage *message);
void bus_messages_emit_composing (Bus *self, const PhoneComposingNews *news);

/* ---- bus-secret.c: Account.SetSecret ---- */
/* Reads fd (borrowed) to its end, has the password taken and finishes request. FALSE: nothing started, request
 * untouched. */
typedef gboolean (*BusSecretTake) (PhoneAccount *account, PhoneSecret *secret, GError **error);
gboolean bus_secret_start (BusAccount *account, int fd, BusSecretTake take, BusRequest *request, GError **error);
void bus_secret_cancel (BusSecret *secret, const GError *error); /* the account goes; accepts NULL */

/* ---- bus-recordings.c ---- */
void bus_recordings_emit_changed (Bus *bus, const char *id);

/* ---- bus-subscription.c ---- */
typedef void (*BusSubscriptionSend) (gpointer object, const char *client);
BusSubscribers *bus_subscribers_new (Bus *bus, BusSubscriptionSend send, gpointer object);
void bus_subscribers_clear (BusSubscribers *self);      /* nobody is subscribed any more */
void bus_subscribers_free (BusSubscribers *self);
/* The methods Subscribe (u ms) and Unsubscribe. */
int bus_subscribers_add (BusSubscribers *self, sd_bus_message *m, sd_bus_error *ret_error);
int bus_subscribers_remove (BusSubscribers *self, sd_bus_message *m);

/* ---- bus-conference.c ---- */
void bus_conference_send_levels (gpointer self, const char *client);    /* of a BusConference */

/* ---- bus-media.c ---- */
gboolean bus_media_read_stream (sd_bus_message *m, PhoneStreamParams *ret_params, GError **error);      /* the options of OpenStream */
void bus_media_send_stats (gpointer self, const char *client);  /* of a BusCall */
void bus_media_emit_played (BusCall *self, const char *path);
int bus_media_on_collect (sd_bus_message *m, void *data, sd_bus_error *ret_error);       /* CollectDigits: bus-collect.c */
int bus_media_on_stop_collecting (sd_bus_message *m, void *data, sd_bus_error *ret_error);

/* A getter of sd-bus: the body appends to reply, self is the object. */
#define BUS_GETTER(Name, Type, expression) \
  static int Name (sd_bus *bus_, const char *path, const char *interface, const char *property, \
                   sd_bus_message *reply, void *data, sd_bus_error *ret_error) \
  { \
    Type *self = data; \
    return expression; \
  }
