/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One SIP account of the user: immutable settings, the password, and the state of its registration as the signalling
 * engine reports it. Emits "changed" (guint mask of PhoneAccountField) after every change. */

#include <glib-object.h>
#include "core/ports.h"

#define PHONE_REGISTRATION_LIST(X) \
  X (PHONE_REGISTRATION_UNREGISTERED, "unregistered") X (PHONE_REGISTRATION_REGISTERING, "registering") \
  X (PHONE_REGISTRATION_REGISTERED, "registered") X (PHONE_REGISTRATION_FAILED, "failed") \
  X (PHONE_REGISTRATION_SUSPENDED, "suspended")
PHONE_DECLARE_ENUM (PhoneRegistration, phone_registration, PHONE_REGISTRATION_LIST)

typedef enum
{
  PHONE_ACCOUNT_SETTINGS = 1 << 0,      /* name, AoR, enabled, transport ... */
  PHONE_ACCOUNT_REGISTRATION = 1 << 1,  /* registration and its detail */
  PHONE_ACCOUNT_TLS = 1 << 2,
  PHONE_ACCOUNT_CAPABILITIES = 1 << 3,
  PHONE_ACCOUNT_PRESENCE = 1 << 4,      /* see account-presence.h */
  PHONE_ACCOUNT_MAILBOX = 1 << 5,
  PHONE_ACCOUNT_MESSAGES = 1 << 6,      /* those that our own answering machine took */
  PHONE_ACCOUNT_SUBSCRIBERS = 1 << 7,   /* see subscriber.h */
  PHONE_ACCOUNT_FORWARDS = 1 << 9,      /* those at the server */
  PHONE_ACCOUNT_SRTP = 1 << 8,          /* the default of it, by the way to the server */
} PhoneAccountField;

typedef struct
{
  guint code;           /* SIP status of the last final response, 0: none came */
  char *phrase;         /* owned */
  char *reason;         /* owned: ok, auth-failed, tls-expired, tls-unknown-issuer, tls-name-mismatch, refused, timeout, dns, ... */
  gint64 since;         /* Unix s: in this state since */
  guint expires;        /* s granted by the registrar */
  gint64 retry_at;      /* Unix s of the next attempt, 0: none planned */
} PhoneRegistrationDetail;

typedef struct
{
  char *version, *cipher, *subject, *issuer;    /* owned, NULL: no TLS connection */
  gint64 expires;       /* Unix s: notAfter of the server's certificate */
} PhoneTlsInfo;

#define PHONE_TYPE_ACCOUNT (phone_account_get_type ())
G_DECLARE_FINAL_TYPE (PhoneAccount, phone_account, PHONE, ACCOUNT, GObject)

const char *phone_account_get_id (PhoneAccount *account);
const PhoneAccountSettings *phone_account_get_settings (PhoneAccount *account);        /* borrowed until the next update */
PhoneSecret *phone_account_get_password (PhoneAccount *account);                        /* borrowed, may be NULL */
PhoneRegistration phone_account_get_registration (PhoneAccount *account);
const PhoneRegistrationDetail *phone_account_get_registration_detail (PhoneAccount *account);
const PhoneTlsInfo *phone_account_get_tls (PhoneAccount *account);
/* What a call that begins now is held to: the setting, or its default for the transport that the registration has found. */
PhoneSrtpPolicy phone_account_get_srtp (PhoneAccount *account);
/* The way to the server, whether or not there is a connection now. */
gboolean phone_account_is_over_tls (PhoneAccount *account);
/* What the registrar and we support: option tags and methods; static or owned by the account, NULL-terminated. */
const char *const *phone_account_get_capabilities (PhoneAccount *account);

/* Reads the password again. TRUE: it changed, and the account starts anew with it as soon as it has no call. */
gboolean phone_account_check_password (PhoneAccount *account);

/* Actions for clients (D-Bus). register: with the password as it is stored now. */
gboolean phone_account_register (PhoneAccount *account, GError **error);
gboolean phone_account_unregister (PhoneAccount *account, GError **error);
/* updates: NULL-terminated pairs key, value (value "" resets). All or nothing; saved before it takes effect. */
gboolean phone_account_update (PhoneAccount *account, const char *const *updates, GError **error);
/* Settings that changed in their file: takes a copy; the stack follows once the account has no call. */
void phone_account_reload (PhoneAccount *account, const PhoneAccountSettings *settings);
gboolean phone_account_set_turn_password (PhoneAccount *account, PhoneSecret *secret, GError **error);     /* of turn-server, from the next call on */
gboolean phone_account_set_password (PhoneAccount *account, PhoneSecret *secret, GError **error);
gboolean phone_account_set_enabled (PhoneAccount *account, gboolean enabled, GError **error);

/* Engine data, owned by sip/. */
gpointer phone_account_get_engine_data (PhoneAccount *account);
void phone_account_set_engine_data (PhoneAccount *account, gpointer data);

/* Events from the engine. The strings are copied. */
void phone_account_on_registration (PhoneAccount *account, PhoneRegistration state, const PhoneRegistrationDetail *detail);
void phone_account_on_tls (PhoneAccount *account, const PhoneTlsInfo *info);            /* NULL: connection gone */
void phone_account_on_transport (PhoneAccount *account, PhoneTransport transport);       /* to the server, from now on */
void phone_account_on_capabilities (PhoneAccount *account, const char *const *capabilities);
void phone_account_on_located (PhoneAccount *account);                                  /* the target of a call: see PhoneSignallingOps */
void phone_account_on_stopped (PhoneAccount *account);                                  /* after account_remove: all is closed */
