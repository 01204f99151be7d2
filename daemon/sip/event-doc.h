/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The documents that event packages carry, read and written: PIDF with RPID (RFC 3863, 4479, 4480), dialog-info (RFC 4235),
 * simple-message-summary (RFC 3842), watcherinfo (RFC 3858), resource lists (RFC 4662). Pure: no sofia types, no I/O; what comes in is hostile. Errors are FAILED with a
 * message for the log. */

#include "core/participant.h"
#include "core/presence.h"
#include "util/phone-error.h"

#define UA_MAX_DIALOGS 32               /* of one watched phone */
#define UA_MAX_RESOURCES 512            /* of one resource list */
#define UA_MAX_WATCHERS 512             /* of us */
#define UA_MAX_NOTE 256                 /* characters */

/* ---- application/pidf+xml: pidf.c ---- */

/* *ret_info is assigned (what it held is freed) only on success. */
gboolean ua_pidf_read (const char *data, gsize length, PhonePresenceInfo *ret_info, GError **error);
/* entity: the AoR; id: names this device among those of the user (a letter first). Caller frees. */
char *ua_pidf_write (const char *entity, const char *id, const PhonePresenceInfo *info);

/* ---- application/dialog-info+xml: dialog-info.c ---- */

typedef struct
{
  GPtrArray *dialogs;           /* PhoneDialogEntry, none of them terminated */
  gint64 version;               /* of the last document; -1: none yet */
} UaDialogInfo;

typedef enum
{
  UA_DIALOG_INFO_APPLIED,
  UA_DIALOG_INFO_OLD,           /* came late or twice: ignored */
  UA_DIALOG_INFO_GAP,           /* a partial document before this one was lost: the state is to be asked for anew */
  UA_DIALOG_INFO_BAD,           /* error is set */
} UaDialogInfoResult;

UaDialogInfo *ua_dialog_info_new (void);
void ua_dialog_info_free (UaDialogInfo *info);  /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaDialogInfo, ua_dialog_info_free)
void ua_dialog_info_reset (UaDialogInfo *info); /* a new subscription: versions begin anew, the dialogs stay until it speaks */
UaDialogInfoResult ua_dialog_info_apply (UaDialogInfo *info, const char *data, gsize length, GError **error);
/* A full document of dialogs (PhoneDialogEntry) that we have ourselves; terminated ones are left out. detailed: with whom, and what a pickup needs. Caller
 * frees. */
char *ua_dialog_info_write (const char *entity, guint version, const GPtrArray *dialogs, gboolean detailed);

/* ---- application/conference-info+xml: conference-info.c ---- */

#define UA_MAX_PARTICIPANTS 256

typedef struct
{
  GPtrArray *participants;      /* PhoneParticipant, none of them disconnected */
  gint64 version;               /* of the last document; -1: none yet */
} UaConferenceInfo;

UaConferenceInfo *ua_conference_info_new (void);
void ua_conference_info_free (UaConferenceInfo *info);  /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaConferenceInfo, ua_conference_info_free)
void ua_conference_info_reset (UaConferenceInfo *info); /* as ua_dialog_info_reset() */
UaDialogInfoResult ua_conference_info_apply (UaConferenceInfo *info, const char *data, gsize length, GError **error);

/* ---- application/watcherinfo+xml: watcher-info.c ---- */

typedef struct _UaWatcherInfo UaWatcherInfo;
struct _UaWatcherInfo
{
  GPtrArray *watchers;          /* PhoneWatcher, none of them terminated */
  gint64 version;               /* of the last document; -1: none yet */
};

UaWatcherInfo *ua_watcher_info_new (void);
void ua_watcher_info_free (UaWatcherInfo *info);        /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaWatcherInfo, ua_watcher_info_free)
void ua_watcher_info_reset (UaWatcherInfo *info);       /* as with dialog-info */
UaDialogInfoResult ua_watcher_info_apply (UaWatcherInfo *info, const char *data, gsize length, GError **error);

/* ---- application/simple-message-summary: message-summary.c ---- */

/* *ret_state is assigned only on success; a text without Messages-Waiting is none. */
gboolean ua_message_summary_read (const char *data, gsize length, PhoneMailboxState *ret_state, GError **error);

/* ---- multipart/related with application/rlmi+xml: rlmi.c ---- */

/* content_type: the whole value of the header. resources: uri -> PhoneResource, changed as the document says; a full list replaces it.
 * FALSE: nothing was changed. */
gboolean ua_rlmi_apply (GHashTable *resources, const char *content_type, const char *data, gsize length, GError **error);
GHashTable *ua_rlmi_new_resources (void);
