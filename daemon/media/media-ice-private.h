/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of an ICE session share. */

#include "media/media-ice.h"

#include <agent.h>
#include <pthread.h>

#include "media/media-thread.h"
#include "media/media-tunnel.h"
#include "util/log.h"

typedef struct
{
  NiceComponentState state;
  gboolean open;                        /* there is a pair, and consent */
  int fd;                               /* ours (a duplicate), -1: by way of libnice */
  MediaAddress to;
  char local[64], remote[64];
  gboolean relayed;
} Path;

struct _MediaIce
{
  gint references;                      /* atomic: the owner's and the thread's */
  MediaIceCallbacks callbacks;
  gpointer data;
  pthread_mutex_t gate;
  gboolean closed;                      /* under gate */

  NiceAgent *agent;
  guint stream, n_components;
  GMainContext *context;
  GMainLoop *loop;
  MediaTunnel *tunnel;
  MediaThread *thread;
  GSource *trickle_end;                 /* due when the peer's candidates are taken for all, while it trickles */
  guint trickle_ms;
  char *call_id;
  MediaAddress wanted_default;          /* port 0 */
  gboolean any_loopback;                /* we stand on loopback, and so may the peer */

  pthread_mutex_t lock;
  gboolean gathered, have_remote, have_candidates;      /* of the peer; such as can be tried */
  gboolean restarted;                   /* by us, and the peer's new credentials are still to come */
  guint in_use;                         /* components */
  Path paths[MEDIA_ICE_COMPONENTS];
  char *remote_ufrag, *remote_pwd;
  pthread_t worker;
  gboolean has_worker, restored;
  gint64 guard_at, guard_cpu;
};

PhoneLogFields media_ice_log_fields (MediaIce *ice);
PhoneCandidateType media_ice_type_of (NiceCandidateType type);
void media_ice_to_address (const NiceAddress *address, MediaAddress *ret_address);

/* ---- what libnice reports ---- */

void media_ice_listen (MediaIce *ice);                  /* before gathering begins */
gboolean media_ice_on_gathering_late (gpointer ice);    /* a source of the thread's */
/* From any thread: what is reported is reported on ICE's. */
void media_ice_post_change (MediaIce *ice);
/* Due when there is no way to the peer by then, and its candidates are taken for all: attached to the context, for media_ice_wait_for_end(). */
GSource *media_ice_trickle_end_new (MediaIce *ice);
void media_ice_wait_for_end (MediaIce *ice, gboolean open);
