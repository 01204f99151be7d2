/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The outward arrows of the model. core/ knows nobody outside: it calls signalling, media and storage through these
 * tables, which main.c fills in. What the engines report back enters through the phone_*_on_* functions of
 * account.h, call.h and registry.h. Everything here happens on the main loop's thread.
 *
 * No function blocks. A function that can fail at once says so by GError; the later outcome is an event. */

#include "core/account-settings.h"
#include "core/daemon-settings.h"
#include "core/fader.h"
#include "core/ice-server.h"
#include "core/history-entry.h"
#include "core/media-desc.h"
#include "core/message.h"
#include "core/offer-answer.h"
#include "core/reason.h"
#include "core/recording.h"
#include "core/voice-metrics.h"
#include "util/secret.h"

typedef struct _PhoneAccount PhoneAccount;
typedef struct _PhoneCall PhoneCall;
typedef struct _PhoneWatch PhoneWatch;
typedef struct _PhoneSubscriber PhoneSubscriber;
typedef struct _PhoneConference PhoneConference;

/* ---- signalling (implemented by sip/ua.c) ---- */

typedef struct
{
  const char *target;           /* complete SIP(S) URI */
  const char *display_name;     /* of the callee, may be NULL */
  gboolean privacy;             /* Privacy: id, anonymous From (RFC 3323) */
  const char *const *headers;   /* NULL-terminated pairs name, value; already vetted by core; may be NULL */
  const char *replaces;         /* Replaces header value or NULL */
  gboolean follow_redirects;    /* 300, 301, 302: calls go to the addresses that are named */
  const char *referred_by;      /* Referred-By header value or NULL (RFC 3892) */
} PhoneInviteParams;

#define PHONE_MESSAGE_CONTENT_LIST(X) \
  X (PHONE_MESSAGE_TEXT, "text") X (PHONE_MESSAGE_REPORT, "report") X (PHONE_MESSAGE_COMPOSING, "composing")
PHONE_DECLARE_ENUM (PhoneMessageContent, phone_message_content, PHONE_MESSAGE_CONTENT_LIST)

typedef struct
{
  const char *id;               /* for phone_messages_on_answer; NULL: nobody wants to know the answer */
  PhoneMessageContent content;
  const char *target;           /* complete SIP(S) URI */
  PhoneCall *call;              /* in the dialog of this one; NULL: outside of any */
  const char *text;             /* TEXT */
  gboolean in_cpim;             /* TEXT, REPORT: in an envelope with message_id and asks */
  const char *message_id;       /* TEXT: its own; REPORT: what it is about */
  guint asks;                   /* TEXT: PhoneReport */
  gint64 time;                  /* Unix s */
  PhoneReport report;           /* REPORT */
  gboolean active;              /* COMPOSING */
} PhoneMessageParams;

typedef struct
{
  /* Account life. add: opens the account's stack and registers if its settings say so. remove: un-REGISTERs and closes; the
   * engine keeps what it needs and calls phone_account_on_stopped() when all is gone. */
  gboolean (*account_add) (gpointer ua, PhoneAccount *account, GError **error);
  void (*account_remove) (gpointer ua, PhoneAccount *account);
  void (*account_register) (gpointer ua, PhoneAccount *account);        /* now, forgetting any back-off */
  void (*account_unregister) (gpointer ua, PhoneAccount *account);
  /* Our numeric address as the account's proxy/registrar (or target, a URI, when there is none) sees us; NULL if there is no route.
   * Caller frees. */
  char *(*account_local_address) (gpointer ua, PhoneAccount *account, const char *target);
  /* The same for a numeric address. */
  char *(*local_address_towards) (gpointer ua, const char *address);

  /* Whether it is known by what kind of address target can be reached, on which account_local_address depends. FALSE: that is being found out,
   * and phone_account_on_located() follows. May be NULL: it always is. */
  gboolean (*call_is_located) (gpointer ua, PhoneAccount *account, const char *target);
  /* Whether that is over TLS, in an account without a registrar whose transport is auto. May be NULL: it never is. */
  gboolean (*call_is_over_tls) (gpointer ua, PhoneAccount *account, const char *target);
  /* Calls. The engine keeps its dialog under the call pointer until phone_call_on_ended(). offer may be NULL only in answer. After
   * phone_call_on_rerouted() call_invite goes on with the dialog that there is, which knows the target. */
  gboolean (*call_invite) (gpointer ua, PhoneCall *call, const PhoneInviteParams *params, const PhoneMediaDesc *offer,
                           GError **error);
  /* In place of that call_invite: there is no offer, or no way. The call goes on to whom else it was sent, or ends with reason. */
  void (*call_give_up) (gpointer ua, PhoneCall *call, const PhoneReason *reason);
  void (*call_ring) (gpointer ua, PhoneCall *call, guint status, const PhoneMediaDesc *early);  /* 180, 182, 183 (with PRACK when asked) */
  void (*call_answer) (gpointer ua, PhoneCall *call, const PhoneMediaDesc *desc);               /* 200 OK with answer, or offer when there was none */
  void (*call_reject) (gpointer ua, PhoneCall *call, guint status, const char *phrase);         /* 300-699 */
  /* 302: the caller shall call target, a complete URI. reason: unconditional, user-busy, no-answer or deflection (RFC 5806). */
  void (*call_divert) (gpointer ua, PhoneCall *call, const char *target, const char *reason);
  void (*call_hangup) (gpointer ua, PhoneCall *call, const PhoneReason *reason);                /* CANCEL or BYE as the state wants */
  /* re-INVITE. Outcome: phone_call_on_reoffer_answered / _failed. 491 glare is retried inside (RFC 3261 section 14.1). */
  gboolean (*call_reoffer) (gpointer ua, PhoneCall *call, const PhoneMediaDesc *offer, GError **error);
  /* REFER in the call's dialog (RFC 3515): the peer shall call target, a complete URI, and replace our other call there by it (RFC 3891;
   * NULL: a new call). Outcome: phone_call_on_transfer. */
  gboolean (*call_refer) (gpointer ua, PhoneCall *call, const char *target, PhoneCall *replaced, GError **error);
  /* What became of the call that a REFER of theirs asked for (phone_call_on_refer): 100-699. From 200 on the referral is over, and gone. */
  void (*referral_progress) (gpointer ua, gpointer referral, guint status);
  gboolean (*call_dtmf_info) (gpointer ua, PhoneCall *call, char digit, guint ms, GError **error);

  /* Presence. start: subscribes as soon as the account can, and keeps at it until stop; the outcome is phone_watch_on_*. An account that is
   * added takes up the registry's watches of it by itself. presence_changed: what phone_account_get_status() says is another. */
  void (*watch_start) (gpointer ua, PhoneWatch *watch);
  void (*watch_stop) (gpointer ua, PhoneWatch *watch);
  void (*presence_changed) (gpointer ua, PhoneAccount *account);
  /* Those who watch us (core/subscriber.h). subscriber_changed: its right is another. subscriber_end: with that reason (RFC 6665 section 4.1.3); core
   * has let go of it. dialogs_changed: a call of the account began, changed its state or ended. */
  void (*subscriber_changed) (gpointer ua, PhoneSubscriber *subscriber);
  void (*subscriber_end) (gpointer ua, PhoneSubscriber *subscriber, const char *reason);
  void (*dialogs_changed) (gpointer ua, PhoneAccount *account);

  /* Whether its peer is to know that the call is part of a conference here (phone_call_is_hosted) is another. May be NULL. */
  void (*call_hosted_changed) (gpointer ua, PhoneCall *call);

  /* MESSAGE (RFC 3428). TRUE: phone_messages_on_answer follows, later, unless the account goes. FALSE: nothing was sent, and never will be
   * (NOT_SUPPORTED: it is too long for the transport, or its call has ended). */
  gboolean (*message_send) (gpointer ua, PhoneAccount *account, const PhoneMessageParams *params, GError **error);
  /* What phone_messages_on_incoming left open. */
  void (*message_answer) (gpointer ua, gpointer transaction, guint status, guint retry_after);

  /* How a call sounded, for the collector target, a complete URI (RFC 6035): sent when it can be, tried again within limits, told in the journal if it cannot.
   * phone_quality_on_reported() when that is over, unless the account goes before. May be NULL. */
  void (*quality_report) (gpointer ua, PhoneAccount *account, const char *id, const char *target, const char *body);
} PhoneSignallingOps;

/* ---- media (implemented by media/media.c) ---- */

typedef struct _PhoneMedia PhoneMedia;  /* one per call; opaque to core */

/* How the paths of a call are to be found; borrowed while the call lasts that hands it over. */
typedef struct
{
  const char *local_address;    /* numeric: ours towards the peer's side, where a peer without ICE sends to */
  guint components;             /* 1: RTCP is multiplexed for sure, else 2 */
  gboolean controlling;         /* we offered, or the peer is lite (RFC 8445 section 6.1.1) */
  const PhoneIceServer *stun, *turn;    /* NULL: none */
  const char *turn_user;
  PhoneSecret *turn_secret;
  const char *tls_ca;           /* of a TURN server by TLS; NULL: the system's */
  gboolean tls_verify;
} PhoneIceParams;

typedef struct
{
  const char *call_id;          /* for log fields */
  const char *bind_address;     /* numeric local address or NULL for any */
  gboolean ipv6;
  const char *country;          /* tones */
  const PhoneIceParams *ice;    /* NULL: plain RTP */
} PhoneMediaParams;

#define PHONE_TONE_LIST(X) \
  X (PHONE_TONE_NONE, "none") X (PHONE_TONE_RINGBACK, "ringback") X (PHONE_TONE_BUSY, "busy") \
  X (PHONE_TONE_CONGESTION, "congestion") X (PHONE_TONE_CALL_WAITING, "call-waiting") X (PHONE_TONE_RING, "ring") \
  X (PHONE_TONE_RING_SHORT, "ring-short") X (PHONE_TONE_RING_DOUBLE, "ring-double") X (PHONE_TONE_RING_TRIPLE, "ring-triple") \
  X (PHONE_TONE_RING_LONG, "ring-long") X (PHONE_TONE_BEEP, "beep")
PHONE_DECLARE_ENUM (PhoneTone, phone_tone, PHONE_TONE_LIST)

static inline gboolean
phone_tone_is_ring (PhoneTone tone)
{
  return tone >= PHONE_TONE_RING && tone <= PHONE_TONE_RING_LONG;
}

/* One report of a running stream. Plain values; unknown numbers are NAN or -1. */
typedef struct
{
  gint64 at;                    /* CLOCK_MONOTONIC us */
  char codec[8];                /* send codec name, "" before there is one */
  guint64 packets_sent, octets_sent, packets_received, octets_received;
  gint64 packets_lost;          /* as our receiver counts (RFC 3550 A.3), may be negative with duplicates */
  double loss_local, loss_remote;       /* fraction 0..1: lost on the way to us / to the peer (its last RR) */
  double jitter_local, jitter_remote;   /* ms */
  double round_trip;            /* ms, NAN until the first RR */
  double playout_target, playout_delay; /* ms: wanted and actual delay between arrival and playout */
  double capture_delay, output_delay;   /* ms: device buffers on the way */
  double concealed, accelerated, expanded;      /* share of samples played, 0..1, whole call */
  guint64 fec_used, late_packets, duplicates, auth_failures, replayed;
  guint red;                    /* copies of earlier packets in each that is sent now (RFC 2198) */
  guint64 copies_sent, copies_used;     /* used: packets of the peer's that were lost and played from a copy */
  double send_queue;            /* ms that our packets wait on the way, as the peer's feedback shows; NAN: it sends none */
  const char *feedback;         /* static string: how the peer tells when packets came: "ccfb", "transport-cc", "reports" */
  guint breaks;                 /* times that sending was stopped because the way does not carry it (RFC 8083) */
  double level_in, level_out;   /* dBFS of microphone and loudspeaker, -127..0 */
  double mos;                   /* E-model estimate, 1..4.5, NAN if unknown */
  PhoneVoiceMetrics metrics, peer_metrics;      /* of the whole call: how the peer is heard here, how we are heard there (RTCP XR) */
  gboolean have_peer_metrics;
  guint32 local_ssrc, remote_ssrc;      /* 0: none yet */
  guint bitrate, bitrate_target;        /* bit/s sent, and what the rate control wants */
  const char *rate_reason;      /* static string: why the target is what it is */
  gint64 input_origin, output_origin;   /* CLOCK_MONOTONIC us of the first sample of a file input/output, 0: none */
  guint64 key_changes;
  PhoneIceState ice;
  char ice_local[64], ice_remote[64];   /* the pair in use, "host 192.0.2.1:4000"; "" without ICE or before there is one */
} PhoneMediaReport;

/* Where a recording goes: made by storage, written by media on one thread of its own, which need not be the main one. */
typedef struct _PhoneByteSink PhoneByteSink;
struct _PhoneByteSink
{
  gboolean (*write) (PhoneByteSink *sink, gconstpointer data, gsize length, GError **error);
  /* What was written so far survives a crash. */
  gboolean (*sync) (PhoneByteSink *sink, GError **error);
  /* The last call; frees the sink. complete: the stream ended as it should. ms: length of what is in it. */
  void (*close) (PhoneByteSink *sink, gboolean complete, guint64 ms);
};

/* What is recorded: both sides of the call, or a message. */
typedef struct
{
  PhoneRecordingFormat format;
  gboolean announce;            /* the peer hears a tone every 15 s */
  const char *prompt;           /* or instead this WAV file, once, and where it cannot be played the tone; NULL: the tone. Borrowed for the call */
  gboolean message;             /* a tone for the peer, then what he says and nothing else, on one channel */
  guint quiet_ms;               /* message: without a voice for so long is the event quiet, once; 0: never */
} PhoneRecordParams;

/* The sound of a call for a client: signed 16 bit PCM of the machine's byte order over a socket. */
typedef struct
{
  gboolean listens, speaks;     /* hears the peer; is heard in place of the microphone */
  guint rate;                   /* Hz: 8000, 16000, 48000 */
  guint channels;               /* towards the client: 1 the peer, 2 we left and the peer right; from it always 1 */
  gboolean live;                /* it writes by a clock of its own; else what it writes waits until it is due */
} PhoneStreamParams;

/* Events of one media session, always on the main loop. user is the call. */
typedef struct
{
  void (*dtmf) (PhoneCall *call, char digit, guint ms);         /* RFC 4733 digit complete */
  void (*rtp_timeout) (PhoneCall *call, guint seconds);         /* nothing arrives any more */
  void (*first_rtp) (PhoneCall *call);                          /* first authenticated packet */
  void (*ice) (PhoneCall *call);        /* candidates are gathered, the state or the pair is another one */
  void (*secured) (PhoneCall *call, PhoneSrtpSuite suite);      /* the DTLS handshake is done: the peer has the certificate of its SDP */
  void (*failed) (PhoneCall *call, const GError *error);        /* NETWORK_DOWN: nobody answers; it goes on trying */
  void (*played) (PhoneCall *call, const char *path);           /* a file has been played to its end */
  void (*quiet) (PhoneCall *call);      /* nobody has spoken into the message that is recorded for PhoneRecordParams.quiet_ms */
  void (*recording_failed) (PhoneCall *call, const GError *error);      /* the call goes on; record_stop is still due */
} PhoneMediaEvents;

/* A conference's sound: we and the media of its calls, each of which hears all but itself. */
typedef struct _PhoneRoom PhoneRoom;
typedef void (*PhoneRoomFailed) (const GError *error, gpointer data);   /* a recording; record_stop is still due */

typedef struct
{
  /* Opens sockets; nothing flows. MEDIA_FAILED when no port is free. */
  PhoneMedia *(*media_new) (gpointer engine, PhoneCall *call, const PhoneMediaParams *params, const PhoneMediaEvents *events,
                            GError **error);
  /* Our side of ICE as it stands, and the address of media_ports() that goes with it (caller frees). FALSE: plain RTP, address untouched. The
   * six about ICE may be NULL together: there is none. */
  gboolean (*media_ice) (PhoneMedia *media, PhoneIceDesc *ret_local, char **ret_address);
  PhoneIceState (*media_ice_state) (PhoneMedia *media);
  void (*media_ice_restart) (PhoneMedia *media);        /* other credentials on the same sockets */
  /* The plan that runs, with more candidates of the peer's. */
  gboolean (*media_ice_trickle) (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error);
  /* Other sockets beside those that carry the call, which end when a plan with the new ones works. drop: no such plan will come. */
  gboolean (*media_ice_renew) (PhoneMedia *media, const PhoneIceParams *params, GError **error);
  void (*media_ice_drop) (PhoneMedia *media);
  void (*media_ports) (PhoneMedia *media, guint16 *ret_rtp, guint16 *ret_rtcp);
  /* Our side of DTLS: fingerprint of the call's certificate, tls-id. MEDIA_FAILED. May be NULL: no DTLS. */
  gboolean (*media_dtls) (PhoneMedia *media, PhoneDtlsDesc *ret_local, GError **error);
  /* Starts, or changes what runs: codec, address, keys, direction, one at a time without restarting the rest. */
  gboolean (*media_apply) (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error);
  void (*media_set_muted) (PhoneMedia *media, gboolean muted);
  /* Connects the call to microphone and loudspeaker, or parts it (held, waiting). */
  void (*media_set_attached) (PhoneMedia *media, gboolean attached);
  void (*media_set_tone) (PhoneMedia *media, PhoneTone tone);   /* played locally: ringback, busy ... */
  void (*media_beep) (PhoneMedia *media);       /* once, heard by both sides: the line was opened by itself. May be NULL */
  gboolean (*media_send_dtmf) (PhoneMedia *media, const char *digits, guint ms, GError **error);
  /* *ret_fd: the client's end, the caller's. It ends with the call. */
  gboolean (*open_stream) (PhoneMedia *media, const PhoneStreamParams *params, int *ret_fd, GError **error);
  /* A WAV file in place of the microphone; queue: after those that play or wait, else in place of them. */
  gboolean (*play) (PhoneMedia *media, const char *path, gboolean queue, GError **error);
  void (*stop_playing) (PhoneMedia *media);
  /* Whether play would work on that file now, and how long it lasts. NO_DEVICE, INVALID_OPTION. May be NULL: nobody knows. */
  gboolean (*check_sound) (const char *path, double *ret_seconds, GError **error);
  /* One recording at a time. record_start takes the sink over, whatever comes. media_free ends a recording too. */
  gboolean (*record_start) (PhoneMedia *media, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error);
  void (*record_pause) (PhoneMedia *media, gboolean paused);
  void (*record_stop) (PhoneMedia *media);
  /* Conferences; all NULL together: there are none. A room must have been left by all before it is freed. media_set_room: NULL: out of it.
   * media_set_voice: the others, and we, hear it or do not. Levels: RMS in dBov, -127..0 (RFC 6465), of what the peer says and of what we say. */
  PhoneRoom *(*room_new) (gpointer engine, PhoneRoomFailed recording_failed, gpointer data);
  void (*room_free) (PhoneRoom *room);
  void (*room_set) (PhoneRoom *room, gboolean muted, gboolean away);    /* muted: we are not heard; away: nor do we hear */
  double (*room_level) (PhoneRoom *room);
  /* As those of a call: we left, all others right; the tone is heard by all. */
  gboolean (*room_record_start) (PhoneRoom *room, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error);
  void (*room_record_pause) (PhoneRoom *room, gboolean paused);
  void (*room_record_stop) (PhoneRoom *room);
  gboolean (*room_open_stream) (PhoneRoom *room, const PhoneStreamParams *params, int *ret_fd, GError **error);
  void (*media_set_room) (PhoneMedia *media, PhoneRoom *room);
  void (*media_set_voice) (PhoneMedia *media, gboolean voice);
  double (*media_level) (PhoneMedia *media);
  gboolean (*media_report) (PhoneMedia *media, PhoneMediaReport *ret_report);   /* FALSE: not running */
  void (*media_free) (PhoneMedia *media);       /* no event after this; teardown happens off the SIP path; accepts NULL */
  /* The ring device; one ring at a time, the engine counts nobody: core says what should sound now. sound: a WAV file in place of the tone, which
   * is heard if that cannot be read; NULL: the one of the settings, if any. */
  void (*set_ring) (gpointer engine, PhoneTone tone, const char *country, const char *sound);

  /* Audio settings (org.phoned.Phone1.Audio). role: "input", "output", "ring" with a device, "echo-cancel" with
   * "off", "on" or "auto", "follow-default" with "true" or "false". */
  gboolean (*audio_select) (gpointer engine, const char *role, const char *device, GError **error);
  char *(*audio_selected) (gpointer engine, const char *role);
  /* GPtrArray of GHashTable string->string: id, name, role, driver, default. Caller unrefs. */
  GPtrArray *(*audio_devices) (gpointer engine);
  gboolean (*audio_test_tone) (gpointer engine, const char *role, GError **error);
  void (*audio_set_fader) (gpointer engine, PhoneFader fader, guint value);
  /* A pipe of a recording, taken over, in whatever format, becomes one of that format: the reading end, the caller's; -1: it cannot. */
  int (*export_sound) (int sound, PhoneRecordingFormat format, GError **error);
} PhoneMediaOps;

/* ---- settings and choices (implemented by daemon/config-store.c) ---- */

typedef struct
{
  gboolean (*account_save) (gpointer store, const PhoneAccountSettings *settings, GError **error);      /* atomic */
  gboolean (*account_delete) (gpointer store, const char *id, GError **error);
  /* The password, or NULL with error (STORAGE) / NULL without (none is set). */
  PhoneSecret *(*secret_load) (gpointer store, const PhoneAccountSettings *settings, GError **error);
  /* The password of the TURN server, the same way; NULL without error: none is set. May be NULL itself. */
  PhoneSecret *(*turn_secret_load) (gpointer store, const PhoneAccountSettings *settings, GError **error);
  gboolean (*secret_save) (gpointer store, const char *account_id, PhoneSecret *secret, GError **error);
  gboolean (*turn_secret_save) (gpointer store, const char *account_id, PhoneSecret *secret, GError **error);  /* may be NULL */
  /* What the user chose last through a client, and what outranks the configuration therefore: "default-account", "input", "output",
   * "ring". load: NULL if nothing was chosen; caller frees. save: value NULL forgets. Both may be NULL: nothing is kept. */
  char *(*choice_load) (gpointer store, const char *key);
  gboolean (*choice_save) (gpointer store, const char *key, const char *value, GError **error);
  /* When the last call for help went out (Unix s; 0: none is known). save returns when it is kept or has failed, and in half a second whatever the
   * disk does. Both may be NULL. */
  gint64 (*emergency_load) (gpointer store);
  gboolean (*emergency_save) (gpointer store, gint64 at, GError **error);
} PhoneStoreOps;

/* ---- recordings (implemented by store/vault.c) ---- */

typedef void (*PhoneVaultDone) (const GError *error, gpointer data);
typedef void (*PhoneVaultOpened) (int fd, const GError *error, gpointer data);          /* fd: -1 with error; the callee closes it */
/* state: whole, truncated or damaged; octets: of sound that is good; NULL with error: it cannot be read at all. */
typedef void (*PhoneVaultVerified) (const char *state, guint64 octets, const GError *error, gpointer data);
typedef void (*PhoneVaultKeyState) (const char *state, gpointer data);                  /* none, ready, locked, absent */
typedef void (*PhoneVaultChanged) (const char *id, gpointer data);                      /* came, changed or went */

/* Callbacks come once, on the main loop, for some functions before they return. */
typedef struct
{
  /* Makes the key that recordings are sealed to, if there is none yet. */
  void (*prepare) (gpointer vault, PhoneVaultDone done, gpointer data);
  /* A recording that runs; it is in the list until it is removed. */
  PhoneByteSink *(*create) (gpointer vault, const PhoneRecording *recording, GError **error);
  GPtrArray *(*list) (gpointer vault);          /* PhoneRecording, newest first; borrowed until the main loop turns */
  gboolean (*remove) (gpointer vault, const char *id, GError **error);
  gboolean (*set_heard) (gpointer vault, const char *id, gboolean heard, GError **error);
  /* The sound, as it is unsealed, through a pipe; up to a fault if there is one. The keyring may ask the user for it. */
  void (*open) (gpointer vault, const char *id, PhoneVaultOpened done, gpointer data);
  void (*verify) (gpointer vault, const char *id, PhoneVaultVerified done, gpointer data);
  /* The pass phrase of a key that is behind one; the first one makes such a key where there is none. */
  void (*unlock) (gpointer vault, PhoneSecret *pass_phrase, PhoneVaultDone done, gpointer data);
  void (*lock) (gpointer vault);
  void (*key_state) (gpointer vault, PhoneVaultKeyState done, gpointer data);
  void (*watch) (gpointer vault, PhoneVaultChanged changed, gpointer data);
} PhoneVaultOps;

/* ---- the archive: what outlives the process (implemented by store/store.c) ----
 *
 * Nothing here waits for a disk. Each callback fires once, later, on the main loop; after the archive was closed, at once with an error.
 * Requests are carried out in the order in which they were made. */

/* error NULL: it is on the disk and survives a power cut. STORAGE with *kept: the disk does not take it now; it is held in memory and
 * written when the disk takes it again, and this was the only word about it. */
typedef void (*PhoneArchiveDone) (gboolean kept, const GError *error, gpointer data);
/* entries: PhoneHistoryEntry, newest first; NULL with an error. Borrowed. */
typedef void (*PhoneHistoryListed) (GPtrArray *entries, const GError *error, gpointer data);
typedef void (*PhoneArchiveCounted) (guint n, const GError *error, gpointer data);
/* is_copy: that message is there already, and was not added. */
typedef void (*PhoneMessageAdded) (gboolean is_copy, const GError *error, gpointer data);
/* messages: PhoneMessage; NULL with an error. Borrowed. */
typedef void (*PhoneMessagesListed) (GPtrArray *messages, const GError *error, gpointer data);
/* conversations: PhoneConversation; NULL with an error. Borrowed. */
typedef void (*PhoneConversationsListed) (GPtrArray *conversations, const GError *error, gpointer data);

/* A report of voice quality that is still to be delivered. */
typedef struct
{
  char *id;                     /* UUID */
  char *account, *target, *body;
} PhoneStoredReport;

#define PHONE_MAX_STORED_REPORTS 64     /* of an account; the eldest go */
/* reports: PhoneStoredReport, eldest first; NULL with an error. Borrowed. */
typedef void (*PhoneReportsListed) (GPtrArray *reports, const GError *error, gpointer data);

typedef struct
{
  /* Takes entry. done may be NULL here and below. */
  void (*history_add) (gpointer archive, PhoneHistoryEntry *entry, PhoneArchiveDone done, gpointer data);
  void (*history_list) (gpointer archive, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneHistoryListed done,
                        gpointer data);
  void (*history_get) (gpointer archive, const char *id, PhoneHistoryListed done, gpointer data);       /* one or none */
  /* ids NULL: all. Those that do not exist are no error. */
  void (*history_mark_seen) (gpointer archive, const char *const *ids, PhoneArchiveDone done, gpointer data);
  void (*history_delete) (gpointer archive, const char *const *ids, PhoneArchiveDone done, gpointer data);
  /* Deletes what started before that time (0: nothing), and the oldest beyond a number of entries (0: no limit). */
  void (*history_expire) (gpointer archive, gint64 before, guint max_entries, PhoneArchiveDone done, gpointer data);
  void (*history_count_unseen) (gpointer archive, PhoneArchiveCounted done, gpointer data);

  /* Messages. Takes message. It is on the disk, or it is refused (STORAGE): it does not wait in memory. */
  void (*message_add) (gpointer archive, PhoneMessage *message, PhoneMessageAdded done, gpointer data);
  /* must: the same; else it may wait in memory. State, what the answer said and attempts of the message with that id; a state that it may not come to from where it is
   * stays as it is. messages: it as it is then; none when it was deleted. */
  void (*message_update) (gpointer archive, const PhoneMessage *message, gboolean must, PhoneMessagesListed done, gpointer data);
  /* What a report of that party says about one of ours. messages: it, if that is news. */
  void (*message_report) (gpointer archive, const char *id, const char *party, PhoneDisposition disposition, PhoneMessagesListed done,
                          gpointer data);
  /* That report about one of theirs is not due any more. */
  void (*message_reported) (gpointer archive, const char *id, PhoneReport report);
  /* ids NULL: all. messages: those that were not read before; what their senders ask to hear is due then. */
  void (*message_mark_read) (gpointer archive, const char *const *ids, PhoneMessagesListed done, gpointer data);
  void (*message_list) (gpointer archive, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneMessagesListed done,
                        gpointer data);
  /* conversations: PhoneConversation, that with the newest message first. */
  void (*message_conversations) (gpointer archive, gboolean unread_only, guint offset, guint limit, PhoneConversationsListed done,
                                 gpointer data);
  void (*message_get) (gpointer archive, const char *id, PhoneMessagesListed done, gpointer data);      /* one or none */
  /* Those that are queued or being sent, and those of which reports are due, oldest first. */
  void (*message_open) (gpointer archive, PhoneMessagesListed done, gpointer data);
  void (*message_delete) (gpointer archive, const char *const *ids, PhoneArchiveDone done, gpointer data);
  /* Those that came or went before that time. */
  void (*message_expire) (gpointer archive, gint64 before, PhoneArchiveDone done, gpointer data);
  void (*message_count_unread) (gpointer archive, PhoneArchiveCounted done, gpointer data);

  /* Reports of voice quality; all NULL together: they are not kept. add copies. remove: that one, or with id NULL all of the account. */
  void (*report_add) (gpointer archive, const PhoneStoredReport *report);
  void (*report_list) (gpointer archive, const char *account, PhoneReportsListed done, gpointer data);
  void (*report_remove) (gpointer archive, const char *account, const char *id);
} PhoneArchiveOps;

typedef struct
{
  const PhoneSignallingOps *sig;
  gpointer ua;
  const PhoneMediaOps *media;
  gpointer engine;
  const PhoneStoreOps *store;
  gpointer store_data;
  const PhoneVaultOps *vault;   /* NULL: nothing can be recorded */
  gpointer vault_data;
  const PhoneArchiveOps *archive;       /* NULL: nothing is kept */
  gpointer archive_data;
} PhonePorts;
