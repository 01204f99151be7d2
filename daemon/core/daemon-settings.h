/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Settings of the daemon as a whole (phoned.conf): same habits as account settings; keys are "section.key". */

#include "core/recording.h"
#include "util/phone-error.h"
#include "util/phone-enum.h"

/* When a peer is told by a=record that it is recorded: in what is offered or answered anyway; always: by an offer for that, if it understands it. */
#define PHONE_RECORD_SIGNAL_LIST(X) \
  X (PHONE_RECORD_SIGNAL_OFF, "off") X (PHONE_RECORD_SIGNAL_OFFERS, "offers") X (PHONE_RECORD_SIGNAL_ALWAYS, "always")
PHONE_DECLARE_ENUM (PhoneRecordSignal, phone_record_signal, PHONE_RECORD_SIGNAL_LIST)

/* What becomes of a message when the user takes the call from the answering machine. */
#define PHONE_TAKEN_LIST(X) X (PHONE_TAKEN_KEEP, "keep") X (PHONE_TAKEN_DELETE, "delete")
PHONE_DECLARE_ENUM (PhoneTaken, phone_taken, PHONE_TAKEN_LIST)

typedef struct
{
  /* [daemon] */
  guint max_calls;              /* over all accounts */
  guint linger;                 /* s that an ended call stays visible, default 5 */
  guint transfer_timeout;       /* s without news of a transfer until it has failed, default 32 */
  guint ring_timeout;           /* s until an unanswered incoming call is ended with 480, default 120 */
  gboolean call_waiting;        /* FALSE: a second call gets 486 */
  char *country;                /* tones when the account says nothing; default from the locale, else US */
  /* [audio] */
  char *input, *output, *ring;  /* default, pipewire[:NAME], pulse[:NAME], alsa[:NAME], file:PATH, tone[:HZ], silence */
  char *echo_cancel;            /* "off", "on", "auto": default, where there are a loudspeaker and a microphone in one room */
  gboolean follow_default;      /* calls on a default device move with the desktop's default */
  gboolean noise_suppression;   /* default TRUE */
  gboolean gain_control;        /* default FALSE: the desktop sets the microphone */
  char *rings;                  /* phone_ring_list_choose() */
  char *ring_tone;              /* WAV file, NULL: built-in by country */
  /* [media] */
  guint port_first, port_last;  /* RTP range, default 16384-32767 */
  char *media_bind;             /* numeric address for RTP, NULL: any */
  guint rtp_timeout;            /* s without any RTP or RTCP until the call ends, default 60, 0: never */
  guint opus_bitrate;           /* bit/s, default 28000 */
  guint opus_complexity;        /* 0..10, default 5 */
  /* [sip] */
  char *sip_bind;               /* address[:port][,...]; NULL: any, ephemeral */
  char *user_agent;             /* default "phoned/VERSION" */
  guint session_expires;        /* s, RFC 4028, default 1800, 0: off */
  gboolean trace;               /* SIP messages to the journal at debug level, secrets redacted */
  /* [recording] */
  PhoneRecordingFormat record_format;   /* of what comes next; messages are Opus in any case */
  gboolean record_announce;     /* the peer hears a tone every 15 s */
  char *record_prompt;          /* or, when it begins, this WAV file; NULL: the tone */
  PhoneRecordSignal record_signal;
  char *record_numbers;         /* PhoneNumberList of parties whose calls are recorded; NULL: none */
  guint record_days;            /* days that recordings are kept, 0: for ever */
  guint record_megabytes;       /* that they may take together, 0: no limit */
  /* [voicemail] */
  char *voicemail_sounds;       /* folder with greeting.wav, full.wav, sorry.wav, goodbye.wav; NULL: ours */
  guint voicemail_seconds, voicemail_silence, voicemail_least;  /* s: longest message, longest silence in it, shortest that is kept */
  guint voicemail_max;          /* messages that the box holds */
  guint voicemail_megabytes;    /* that they may take, 0: no limit */
  guint voicemail_days;         /* days that messages are kept, 0: for ever */
  PhoneTaken voicemail_taken;
  /* [history] */
  guint history_keep;           /* days, 0: for ever */
  guint history_max;            /* entries, 0: no limit */
  /* [messages] */
  guint message_keep;           /* days, 0: for ever */
  guint message_max_size;       /* octets of text, in and out */
  guint message_give_up;        /* hours that one of ours waits to go out */
} PhoneDaemonSettings;

PhoneDaemonSettings *phone_daemon_settings_new (void);
PhoneDaemonSettings *phone_daemon_settings_copy (const PhoneDaemonSettings *settings);
void phone_daemon_settings_free (PhoneDaemonSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneDaemonSettings, phone_daemon_settings_free)
/* section: "daemon", "audio", "media", "sip", "history", "messages". NULL or "" value: default. INVALID_OPTION names section, key, value. */
gboolean phone_daemon_settings_set (PhoneDaemonSettings *settings, const char *section, const char *key, const char *value,
                                    GError **error);
gboolean phone_daemon_settings_equal (const PhoneDaemonSettings *a, const PhoneDaemonSettings *b);
/* The value as text, or NULL if it stands at its default / there is no such key. Caller frees. */
char *phone_daemon_settings_get (const PhoneDaemonSettings *settings, const char *section, const char *key);
/* NULL-terminated static list of "section.key" in table order. */
const char *const *phone_daemon_settings_keys (void);
/* Static; NULL: no such key (or, for the default, none that does not depend on the environment). */
const char *phone_daemon_settings_help (const char *section, const char *key);
const char *phone_daemon_settings_default (const char *section, const char *key);
