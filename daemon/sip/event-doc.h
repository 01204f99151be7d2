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

/* ---- documents that come in versions: info-version.c ---- */

/* What NOTIFY after NOTIFY has told of dialogs, of a conference or of watchers. */
typedef struct _UaInfo UaInfo;
struct _UaInfo
{
  GPtrArray *entries;
  gint64 version;               /* of the last document; -1: none yet */
};

typedef enum
{
  UA_INFO_APPLIED,
  UA_INFO_OLD,                  /* came late or twice: ignored */
  UA_INFO_GAP,                  /* a partial document before this one was lost: the state is to be asked for anew */
  UA_INFO_BAD,                  /* error is set */
} UaInfoResult;

void ua_info_free (UaInfo *info);               /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaInfo, ua_info_free)
void ua_info_reset (UaInfo *info);              /* a new subscription: versions begin anew, the entries stay until it speaks */

/* ---- application/dialog-info+xml: dialog-info.c ---- */

UaInfo *ua_dialog_info_new (void);             /* of PhoneDialogEntry, none of them terminated */
UaInfoResult ua_dialog_info_apply (UaInfo *info, const char *data, gsize length, GError **error);
/* A full document of dialogs (PhoneDialogEntry) that we have ourselves; terminated ones are left out. detailed: with whom, and what a pickup needs. Caller
 * frees. */
char *ua_dialog_info_write (const char *entity, guint version, const GPtrArray *dialogs, gboolean detailed);

/* ---- application/conference-info+xml: conference-info.c ---- */

#define UA_MAX_PARTICIPANTS 256

UaInfo *ua_conference_info_new (void);         /* of PhoneParticipant, none of them disconnected */
UaInfoResult ua_conference_info_apply (UaInfo *info, const char *data, gsize length, GError **error);
/* A full document of participants (PhoneParticipant); with before, a partial one of what has changed since the document of that. Caller frees. */
char *ua_conference_info_write (const char *entity, guint version, const GPtrArray *participants, const GPtrArray *before);

/* ---- application/watcherinfo+xml: watcher-info.c ---- */

UaInfo *ua_watcher_info_new (void);            /* of PhoneWatcher, none of them terminated */
UaInfoResult ua_watcher_info_apply (UaInfo *info, const char *data, gsize length, GError **error);

/* ---- application/simple-message-summary: message-summary.c ---- */

/* *ret_state is assigned only on success; a text without Messages-Waiting is none. */
gboolean ua_message_summary_read (const char *data, gsize length, PhoneMailboxState *ret_state, GError **error);

/* ---- multipart/related with application/rlmi+xml: rlmi.c ---- */

/* What NOTIFY after NOTIFY has told of a list. */
typedef struct
{
  GHashTable *resources;        /* uri -> PhoneResource */
  gint64 version;               /* as of UaInfo */
} UaRlmi;

UaRlmi *ua_rlmi_new (void);
void ua_rlmi_free (UaRlmi *list);               /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaRlmi, ua_rlmi_free)
void ua_rlmi_reset (UaRlmi *list);              /* a new subscription: nobody is on it */

/* content_type: the whole value of the header. APPLIED: resources are changed as the document says, or replaced by a full one; else nothing is. */
UaInfoResult ua_rlmi_apply (UaRlmi *list, const char *content_type, const char *data, gsize length, GError **error);
