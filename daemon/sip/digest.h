/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Digest authentication, client side, as a pure kernel: challenge in, Authorization value out. No I/O, no
 * sofia-sip. RFC 7616 (Digest), RFC 8760 (SHA-256 and SHA-512-256 in SIP), RFC 3261 section 22. */

#include "util/phone-enum.h"
#include "util/secret.h"

/* Weakest first: the strongest of a list of challenges wins. */
#define UA_DIGEST_ALGORITHM_LIST(X) \
  X (UA_DIGEST_MD5, "MD5") X (UA_DIGEST_MD5_SESS, "MD5-sess") \
  X (UA_DIGEST_SHA_256, "SHA-256") X (UA_DIGEST_SHA_256_SESS, "SHA-256-sess") \
  X (UA_DIGEST_SHA_512_256, "SHA-512-256") X (UA_DIGEST_SHA_512_256_SESS, "SHA-512-256-sess")
PHONE_DECLARE_ENUM (UaDigestAlgorithm, ua_digest_algorithm, UA_DIGEST_ALGORITHM_LIST)

enum { UA_DIGEST_MAX_CHALLENGES = 16, UA_DIGEST_MAX_TEXT = 8192 };

/* One challenge that we could answer. Strings are unquoted and owned. */
typedef struct
{
  char *realm, *nonce;
  char *opaque;                 /* NULL: none came */
  UaDigestAlgorithm algorithm;
  gboolean algorithm_given;     /* the header named it (the answer names it too then) */
  gboolean stale, userhash;
  gboolean qop_auth, qop_auth_int;      /* both FALSE: no qop, the form of RFC 2069 */
} UaDigestChallenge;

void ua_digest_challenge_free (UaDigestChallenge *challenge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaDigestChallenge, ua_digest_challenge_free)
UaDigestChallenge *ua_digest_challenge_copy (const UaDigestChallenge *challenge);

/* Parses the value of one or more WWW-/Proxy-Authenticate headers (several challenges separated by commas).
 * Other schemes, malformed challenges and algorithms or qops that we do not know are left out. Never NULL;
 * elements are UaDigestChallenge. */
GPtrArray *ua_digest_parse (const char *text);
/* The strongest challenge of the list, the first of equals; borrowed. NULL when the list is empty. */
const UaDigestChallenge *ua_digest_choose (GPtrArray *challenges);

/* What one answer is made from; all borrowed. */
typedef struct
{
  const char *user;             /* UTF-8, unquoted */
  const PhoneSecret *password;
  const char *method, *uri;
  const char *nonce, *cnonce;
  const char *session_nonce;    /* -sess: the nonce of the challenge that began the session; NULL: nonce */
  guint32 nc;
  const void *body;             /* for auth-int */
  gsize body_length;
} UaDigestInput;

/* The value of the Authorization header, from "Digest " on. NULL when the crypto library refuses the
 * algorithm. Caller frees. */
char *ua_digest_authorize (const UaDigestChallenge *challenge, const UaDigestInput *input);
/* 32 hexadecimal digits from the kernel's random source. */
char *ua_digest_make_cnonce (void);

/* ---- one realm over time: nonces, their count, and when an answer counts as refused ---- */

typedef struct _UaDigestSession UaDigestSession;

typedef enum
{
  UA_DIGEST_ANSWER,             /* the first challenge, or the last nonce ran out: answer it */
  UA_DIGEST_SAME,               /* nothing new in it */
  UA_DIGEST_REFUSED,            /* our answer to a fresh nonce was refused: user name or password is wrong */
} UaDigestVerdict;

UaDigestSession *ua_digest_session_new (void);
void ua_digest_session_free (UaDigestSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaDigestSession, ua_digest_session_free)
UaDigestVerdict ua_digest_session_challenge (UaDigestSession *session, const UaDigestChallenge *challenge);
/* Authentication-Info: nextnonce. */
void ua_digest_session_next_nonce (UaDigestSession *session, const char *nonce);
/* Fills nonce, cnonce, session_nonce and nc of input, counts nc up, and makes the header value. NULL: no
 * challenge yet. */
char *ua_digest_session_authorize (UaDigestSession *session, UaDigestInput *input);
const UaDigestChallenge *ua_digest_session_get_challenge (const UaDigestSession *session);
