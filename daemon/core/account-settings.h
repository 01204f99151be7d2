/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The settings of one account: one table of keys serves the keyfile, AddAccount/Update dictionaries and
 * `phonectl account set`. A value is text everywhere; it is validated when it is set. Immutable once an account uses it. */

#include "core/offer-answer.h"
#include "util/phone-enum.h"
#include "util/phone-error.h"

#define PHONE_TRANSPORT_LIST(X) \
  X (PHONE_TRANSPORT_AUTO, "auto") X (PHONE_TRANSPORT_UDP, "udp") X (PHONE_TRANSPORT_TCP, "tcp") X (PHONE_TRANSPORT_TLS, "tls")
PHONE_DECLARE_ENUM (PhoneTransport, phone_transport, PHONE_TRANSPORT_LIST)

#define PHONE_DTMF_MODE_LIST(X) X (PHONE_DTMF_AUTO, "auto") X (PHONE_DTMF_RFC4733, "rfc4733") X (PHONE_DTMF_INFO, "info")
PHONE_DECLARE_ENUM (PhoneDtmfMode, phone_dtmf_mode, PHONE_DTMF_MODE_LIST)

#define PHONE_REDIRECTS_LIST(X) X (PHONE_REDIRECTS_FOLLOW, "follow") X (PHONE_REDIRECTS_REFUSE, "refuse")
PHONE_DECLARE_ENUM (PhoneRedirects, phone_redirects, PHONE_REDIRECTS_LIST)

/* What becomes of a peer that asks us to call another (RFC 3515). */
#define PHONE_REFERRALS_LIST(X) X (PHONE_REFERRALS_ASK, "ask") X (PHONE_REFERRALS_ACCEPT, "accept") X (PHONE_REFERRALS_REFUSE, "refuse")
PHONE_DECLARE_ENUM (PhoneReferrals, phone_referrals, PHONE_REFERRALS_LIST)

/* How the server is asked to park a call: by a transfer, or by keys that are pressed in the call. */
#define PHONE_PARK_METHOD_LIST(X) X (PHONE_PARK_REFER, "refer") X (PHONE_PARK_DTMF, "dtmf")
PHONE_DECLARE_ENUM (PhoneParkMethod, phone_park_method, PHONE_PARK_METHOD_LIST)

/* Whether presence is published (RFC 3903): auto once the user has set a status. */
#define PHONE_PUBLISH_LIST(X) X (PHONE_PUBLISH_AUTO, "auto") X (PHONE_PUBLISH_ON, "on") X (PHONE_PUBLISH_OFF, "off")
PHONE_DECLARE_ENUM (PhonePublish, phone_publish, PHONE_PUBLISH_LIST)

/* Peers that subscribe to us, and are on no list (core/subscriber.h). */
#define PHONE_SUBSCRIBERS_LIST(X) X (PHONE_SUBSCRIBERS_REFUSE, "refuse") X (PHONE_SUBSCRIBERS_ASK, "ask") X (PHONE_SUBSCRIBERS_ACCEPT, "accept")
PHONE_DECLARE_ENUM (PhoneSubscribers, phone_subscribers, PHONE_SUBSCRIBERS_LIST)

/* Whether messages ask for delivery and display reports (RFC 5438), which needs an envelope (CPIM) that not everybody can open. auto: once
 * the peer has shown that it can. */
#define PHONE_MESSAGE_REPORTS_LIST(X) \
  X (PHONE_MESSAGE_REPORTS_AUTO, "auto") X (PHONE_MESSAGE_REPORTS_ON, "on") X (PHONE_MESSAGE_REPORTS_OFF, "off")
PHONE_DECLARE_ENUM (PhoneMessageReports, phone_message_reports, PHONE_MESSAGE_REPORTS_LIST)

/* What peers who ask are told: nothing, that a message is here, also that it was read. */
#define PHONE_MESSAGE_RECEIPTS_LIST(X) \
  X (PHONE_MESSAGE_RECEIPTS_NONE, "none") X (PHONE_MESSAGE_RECEIPTS_DELIVERED, "delivered") X (PHONE_MESSAGE_RECEIPTS_DISPLAYED, "displayed")
PHONE_DECLARE_ENUM (PhoneMessageReceipts, phone_message_receipts, PHONE_MESSAGE_RECEIPTS_LIST)

/* Which calls are recorded without being asked. on-demand: none, but it may be asked for, and [recording] numbers counts. */
#define PHONE_RECORD_POLICY_LIST(X) \
  X (PHONE_RECORD_ON_DEMAND, "on-demand") X (PHONE_RECORD_INCOMING, "incoming") X (PHONE_RECORD_OUTGOING, "outgoing") \
  X (PHONE_RECORD_ALL, "all") X (PHONE_RECORD_NEVER, "never")
PHONE_DECLARE_ENUM (PhoneRecordPolicy, phone_record_policy, PHONE_RECORD_POLICY_LIST)

/* All strings owned by the settings; NULL: not set. Defaults in account-settings.c's table. */
typedef struct
{
  char *id;                     /* [a-z0-9-]{1,32}; file name and D-Bus path element */
  gboolean enabled;
  char *name;                   /* shown to people; default: the AoR */
  char *aor;                    /* sip:user@domain, required */
  char *display_name;
  char *auth_user;              /* default: user part of the AoR */
  char *password_file;          /* absolute path, mode 0600; the credential phoned-ID goes before it, the state folder after */
  char *registrar;              /* sip: URI or host[:port]; default: the AoR's domain */
  char *outbound_proxy;         /* sip: URI or host[:port] */
  PhoneTransport transport;
  gboolean do_register;         /* key "register" */
  guint expires;                /* s */
  guint keep_alive;             /* s */
  guint reg_id;
  char *tls_ca;                 /* file or directory */
  char *tls_cert;               /* PEM with certificate and key */
  gboolean tls_verify;
  gboolean tls_verify_callers;  /* incoming connections, register=false */
  guint n_codecs;
  PhoneCodecId codecs[PHONE_MAX_CODECS];
  guint ptime;                  /* ms */
  gboolean srtp_set;            /* FALSE: srtp is the default for the transport (required over TLS, else off) */
  PhoneSrtpPolicy srtp;
  gboolean sdes_in_clear;       /* key "sdes-in-clear": allow SDES keys over UDP/TCP */
  PhoneKeying keying;
  gboolean ice;
  char *stun_server, *turn_server;      /* as written; phone_ice_server_parse() takes them */
  char *turn_user;              /* default: the account's own name and password for authentication */
  char *turn_password_file;     /* absolute path, mode 0600; the credential phoned-ID-turn goes before it */
  PhoneDtmfMode dtmf;
  PhoneRedirects redirects;
  int auto_answer;              /* ms, -1: off */
  char *intercom, *intercom_privileged; /* phone_number_list_matches(); NULL: nobody */
  guint max_calls;
  PhoneRecordPolicy record;
  PhoneReferrals referrals;     /* key "transfers" */
  gboolean transfer_news;       /* peers that we transfer shall tell what came of it */
  char *forward, *forward_busy, *forward_no_reply;      /* whom calls go to instead, as a user dials; NULL: nobody */
  /* What the server's own forwarding is switched with, the first of each with a place for {target} */
  char *forward_on, *forward_off, *forward_busy_on, *forward_busy_off, *forward_no_reply_on, *forward_no_reply_off;
  guint forward_timeout;        /* s; key "forward-no-reply-timeout" */
  char *park, *retrieve;        /* codes with a place for {slot}: phone_service_code_expand() */
  PhoneParkMethod park_method;
  char *pickup, *pickup_group;  /* codes, the first with a place for {target} */
  char *did;                    /* comma-separated numbers that this account also answers for */
  char *prefix;                 /* dial plan: put before plain numbers */
  char *default_domain;         /* default: the AoR's domain */
  char *country;                /* ISO 3166-1 alpha-2, upper case */
  PhonePublish publish;
  PhoneSubscribers subscribers;
  char *subscribers_allow, *subscribers_block;          /* as phone_number_list_check() makes them; NULL: nobody */
  gboolean focus;               /* parties of our conferences are told that it is one, and who is in it */
  gboolean roster;              /* subscribe to conference when the peer is one */
  gboolean winfo;               /* subscribe to presence.winfo */
  gboolean mwi;                 /* subscribe to message-summary */
  gboolean answering;           /* our own answering machine */
  guint answering_after;        /* s of ringing */
  gboolean answering_busy, answering_away;
  char *greeting;               /* WAV file; NULL: the one of [voicemail] sounds */
  char *mailbox;                /* number or URI; default: what the server says */
  char *quality_collector;      /* SIP URI that is told how calls sounded; NULL: nobody is */
  guint quality_interval;       /* s between what it is told while they last; 0: only at the end */
  char *quality_alerts;         /* phone_quality_alarm_parse(); NULL: it is told of none */
  PhoneMessageReports message_reports;
  PhoneMessageReceipts message_receipts;
} PhoneAccountSettings;

PhoneAccountSettings *phone_account_settings_new (const char *id, GError **error);      /* all defaults; INVALID_OPTION for a bad id */
PhoneAccountSettings *phone_account_settings_copy (const PhoneAccountSettings *settings);
void phone_account_settings_free (PhoneAccountSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneAccountSettings, phone_account_settings_free)

gboolean phone_account_settings_equal (const PhoneAccountSettings *a, const PhoneAccountSettings *b);

/* TRUE: from a to b neither the registration nor a connection has to change; the next call sees the difference. */
gboolean phone_account_settings_same_stack (const PhoneAccountSettings *a, const PhoneAccountSettings *b);
/* Sets one key; NULL or "" resets it to its default. INVALID_OPTION names key and value. */
gboolean phone_account_settings_set (PhoneAccountSettings *settings, const char *key, const char *value, GError **error);
/* Checks that the whole is usable (aor present, ...). The error names the key. */
gboolean phone_account_settings_validate (const PhoneAccountSettings *settings, GError **error);
/* The value as text, or NULL if it stands at its default / the key is unknown. Caller frees. */
char *phone_account_settings_get (const PhoneAccountSettings *settings, const char *key);
/* NULL-terminated static list of all keys in table order. */
const char *const *phone_account_settings_keys (void);
/* The default as text; NULL: the key is unknown or not set by default. */
const char *phone_account_settings_default (const char *key);
/* One line of help for a key, for man pages and error messages; NULL: unknown key. */
const char *phone_account_settings_help (const char *key);
/* Effective policies: the default for the transport, and whether SDES keys may travel over it. over_tls: the signalling goes over TLS, where
 * transport=auto leaves that open; with transport=tls it always does. */
PhoneSrtpPolicy phone_account_settings_srtp (const PhoneAccountSettings *settings, gboolean over_tls);
gboolean phone_account_settings_sdes_allowed (const PhoneAccountSettings *settings, gboolean over_tls);
