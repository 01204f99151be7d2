/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Credentials of an account for sofia-sip, whose own Digest knows MD5 only and cuts user and password at ':';
 * ours takes its place as an authentication client plugin. Neither user nor password goes through sofia:
 * NUTAG_AUTH carries a random token that names the UaCredentials, and the plugin looks them up when it makes
 * the header.
 *
 * Use, for every response event with status 401 or 407 on any handle (sofia holds the request back):
 *
 *   switch (ua_credentials_answer (credentials, nh, sip))
 *     {
 *     case UA_ANSWER_SENT:        return;        the request goes out again; its response comes as usual
 *     case UA_ANSWER_REFUSED:     wrong user or password
 *     case UA_ANSWER_NO_PASSWORD:
 *     case UA_ANSWER_UNSUPPORTED: no algorithm or qop that we know
 *     }
 *
 * In the last three cases nothing is sent, and sofia ends the request that it held back: its final event
 * follows with status 904. Without this call the request would hang for ever. nua_r_authenticate (904, or 202
 * after "sent") means that sofia held nothing back, because it was asked too often (NUTAG_RETRY_COUNT, 3):
 * the 401 was the end of the request.
 *
 * Stale nonces, nextnonce, nonce counts, later requests on the same handle, and keep-alive OPTIONS are
 * answered inside sofia without an event.
 *
 * A challenge to a request inside a dialog that the far end began is a known way to collect digests for guessing
 * passwords off line: call, be answered, challenge the BYE. Providers who challenge inside dialogs exist all the
 * same. So such a challenge is answered only if it comes from the server that we registered with, for a realm that
 * this server has named for a REGISTER, and with an algorithm that is not weaker than the one named there
 * (ua_credentials_knows). What a caller behind the same provider can still forge is what he could forge anyway in
 * calls that we place to him. */

#include <sofia-sip/nua.h>
#include <sofia-sip/sip.h>
#include "util/phone-enum.h"
#include "util/phone-error.h"
#include "util/secret.h"

typedef struct _UaCredentials UaCredentials;

#define UA_ANSWER_LIST(X) \
  X (UA_ANSWER_SENT, "sent") X (UA_ANSWER_REFUSED, "refused") X (UA_ANSWER_NO_PASSWORD, "no-password") \
  X (UA_ANSWER_UNSUPPORTED, "unsupported")
PHONE_DECLARE_ENUM (UaAnswer, ua_answer, UA_ANSWER_LIST)

/* user: copied, UTF-8, any characters. password: a reference is taken; NULL: none known. */
UaCredentials *ua_credentials_new (const char *user, PhoneSecret *password);
void ua_credentials_free (UaCredentials *credentials); /* handles that still use it send no more answers */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaCredentials, ua_credentials_free)
/* Takes effect with the next request, on all handles; forgets what was refused before. */
void ua_credentials_set (UaCredentials *credentials, const char *user, PhoneSecret *password);
/* For NUTAG_AUTH, when a call of nua_authenticate of one's own is wanted. Holds nothing secret. */
const char *ua_credentials_get_auth (const UaCredentials *credentials);
/* sip: the 401 or 407. */
UaAnswer ua_credentials_answer (UaCredentials *credentials, nua_handle_t *nh, const sip_t *sip);
/* The answer goes out under that number, "N METHOD": for a request whose own was not left to sofia. */
UaAnswer ua_credentials_answer_as (UaCredentials *credentials, nua_handle_t *nh, const sip_t *sip, const char *cseq);

/* sip: a challenge to our REGISTER. Remembers its realms and the strongest algorithm of each. */
void ua_credentials_learn (UaCredentials *credentials, const sip_t *sip);
/* Whether every realm that sip challenges for is known, and asks for no weaker algorithm than before. */
gboolean ua_credentials_knows (const UaCredentials *credentials, const sip_t *sip);

/* Called by ua_platform_init: registers the plugin, then puts a SHA-256 challenge through sofia and checks
 * the answer. */
gboolean ua_digest_init (GError **error);
