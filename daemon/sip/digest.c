/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Three steps, each a pure function of its input: read the challenges, choose one, compute the answer (RFC
 * 7616 section 3.4). A session on top follows one realm: which nonce is current, how often it was used, and
 * what a new challenge means:
 *
 *   used once, straight after its challenge, and challenged again without stale  -> refused: wrong password
 *   used before with success, or handed out by nextnonce, and challenged again   -> it ran out, said or not
 *   stale=true                                                                   -> answer, but not for ever
 *
 * Servers that forget to say stale=true are common; servers that say it for ever exist in attacks.
 *
 * What comes from the network and goes back into a header (realm, nonce, opaque) never holds control
 * characters: such a challenge is dropped while reading. */

#include "sip/digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

PHONE_DEFINE_ENUM (UaDigestAlgorithm, ua_digest_algorithm, UA_DIGEST_ALGORITHM_LIST)

enum { MAX_STALE_RUN = 1, HEX_SIZE = 2 * EVP_MAX_MD_SIZE + 1 };

/* ---- reading ---- */

typedef struct
{
  UaDigestChallenge *challenge;
  gboolean broken, algorithm_known, qop_given, qop_known;
  guint seen;                   /* bit per known parameter: a second one of a kind breaks the challenge */
} Draft;

void
ua_digest_challenge_free (UaDigestChallenge *challenge)
{
  if (challenge == NULL)
    return;
  g_free (challenge->realm);
  g_free (challenge->nonce);
  g_free (challenge->opaque);
  g_free (challenge);
}

UaDigestChallenge *
ua_digest_challenge_copy (const UaDigestChallenge *challenge)
{
  UaDigestChallenge *copy = g_memdup2 (challenge, sizeof *challenge);

  copy->realm = g_strdup (challenge->realm);
  copy->nonce = g_strdup (challenge->nonce);
  copy->opaque = g_strdup (challenge->opaque);
  return copy;
}

static gboolean
is_token_char (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("-.!%*_+`'~", c) != NULL);
}

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *
skip_spaces (const char *p)
{
  while (is_space (*p))
    p++;
  return p;
}

/* A token or a quoted string at *p; *ret_value is its unquoted value, or NULL if it is not usable. */
static const char *
read_value (const char *p, char **ret_value)
{
  gboolean good = TRUE, quoted = *p == '"';
  g_autoptr (GString) value = g_string_new (NULL);

  *ret_value = NULL;
  if (quoted)
    {
      for (p++; *p != '\0' && *p != '"'; p++)
        {
          if (*p == '\\' && *++p == '\0')
            break;
          good = good && ((guchar) *p >= 0x20 || *p == '\t') && *p != 0x7f;
          g_string_append_c (value, *p);
        }
      if (*p == '\0')
        return p;
      p++;
    }
  else
    for (; *p != '\0' && *p != ',' && !is_space (*p); p++)
      {
        good = good && (guchar) *p > 0x20 && *p != 0x7f && *p != '"' && *p != '\\';
        g_string_append_c (value, *p);
      }

  if (good && (quoted || value->len > 0))
    *ret_value = g_string_free (g_steal_pointer (&value), FALSE);
  return p;
}

static void
set_algorithm (Draft *draft, const char *value)
{
  draft->challenge->algorithm_given = TRUE;
  draft->algorithm_known = FALSE;
  for (int i = 0; i < ua_digest_algorithm_n_values; i++)
    if (g_ascii_strcasecmp (value, ua_digest_algorithm_to_string (i)) == 0)
      {
        draft->challenge->algorithm = i;
        draft->algorithm_known = TRUE;
      }
}

static void
set_qop (Draft *draft, const char *value)
{
  g_auto (GStrv) words = g_strsplit_set (value, ", \t", 32);

  for (char **word = words; *word != NULL; word++)
    {
      draft->qop_given |= **word != '\0';
      draft->challenge->qop_auth |= g_ascii_strcasecmp (*word, "auth") == 0;
      draft->challenge->qop_auth_int |= g_ascii_strcasecmp (*word, "auth-int") == 0;
    }
  draft->qop_known = draft->challenge->qop_auth || draft->challenge->qop_auth_int;
}

static void
set_param (Draft *draft, const char *name, char *value_full)
{
  static const char *const names[]
      = { "realm", "nonce", "opaque", "algorithm", "qop", "stale", "userhash", NULL };
  g_autofree char *value = value_full;
  UaDigestChallenge *challenge = draft->challenge;
  guint i = 0;

  while (names[i] != NULL && g_ascii_strcasecmp (name, names[i]) != 0)
    i++;
  if (names[i] == NULL)
    return;
  if (value == NULL || draft->seen & 1u << i)
    {
      draft->broken = TRUE;
      return;
    }
  draft->seen |= 1u << i;

  switch (names[i][0])
    {
    case 'r':
      challenge->realm = g_steal_pointer (&value);
      break;
    case 'n':
      challenge->nonce = g_steal_pointer (&value);
      break;
    case 'o':
      challenge->opaque = g_steal_pointer (&value);
      break;
    case 'a':
      set_algorithm (draft, value);
      break;
    case 'q':
      set_qop (draft, value);
      break;
    case 's':
      challenge->stale = g_ascii_strcasecmp (value, "true") == 0;
      break;
    case 'u':
      challenge->userhash = g_ascii_strcasecmp (value, "true") == 0;
      break;
    }
}

/* Puts a finished draft into the list if we could answer it. */
static void
finish (Draft *draft, GPtrArray *challenges)
{
  g_autoptr (UaDigestChallenge) challenge = g_steal_pointer (&draft->challenge);

  if (challenge == NULL || draft->broken || challenge->realm == NULL || challenge->nonce == NULL)
    return;
  if (!draft->algorithm_known || (draft->qop_given && !draft->qop_known))
    return;
  if (challenges->len < UA_DIGEST_MAX_CHALLENGES)
    g_ptr_array_add (challenges, g_steal_pointer (&challenge));
}

static void
begin (Draft *draft, const char *scheme)
{
  *draft = (Draft) { .algorithm_known = TRUE };
  if (g_ascii_strcasecmp (scheme, "Digest") == 0)
    draft->challenge = g_new0 (UaDigestChallenge, 1);
}

GPtrArray *
ua_digest_parse (const char *text)
{
  GPtrArray *challenges = g_ptr_array_new_with_free_func ((GDestroyNotify) ua_digest_challenge_free);
  Draft draft = { 0 };

  g_return_val_if_fail (text != NULL, challenges);
  if (strnlen (text, UA_DIGEST_MAX_TEXT + 1) > UA_DIGEST_MAX_TEXT)
    return challenges;

  for (const char *p = text; *p != '\0';)
    {
      const char *start;
      g_autofree char *word = NULL;

      if (is_space (*p) || *p == ',')
        {
          p++;
          continue;
        }
      for (start = p; is_token_char (*p);)
        p++;
      if (p == start)
        {
          /* Not a token: spoils what it stands in. A string is skipped whole, so that what it quotes is not
           * read. */
          g_autofree char *junk = NULL;
          draft.broken = TRUE;
          p = *p == '"' ? read_value (p, &junk) : p + 1;
          continue;
        }
      word = g_strndup (start, p - start);
      p = skip_spaces (p);
      if (*p == '=')
        {
          char *value = NULL;
          p = read_value (skip_spaces (p + 1), &value);
          if (draft.challenge != NULL)
            set_param (&draft, word, value);
          else
            g_free (value);
        }
      else
        {
          finish (&draft, challenges);
          begin (&draft, word);
        }
    }
  finish (&draft, challenges);
  return challenges;
}

/* The plain and the -sess form of a hash are equally strong. */
static int
strength (UaDigestAlgorithm algorithm)
{
  switch (algorithm)
    {
    case UA_DIGEST_MD5:
    case UA_DIGEST_MD5_SESS:
      return 0;
    case UA_DIGEST_SHA_256:
    case UA_DIGEST_SHA_256_SESS:
      return 1;
    case UA_DIGEST_SHA_512_256:
    case UA_DIGEST_SHA_512_256_SESS:
      return 2;
    }
  g_assert_not_reached ();
}

const UaDigestChallenge *
ua_digest_choose (GPtrArray *challenges)
{
  const UaDigestChallenge *best = NULL;

  for (guint i = 0; i < challenges->len; i++)
    {
      const UaDigestChallenge *challenge = challenges->pdata[i];
      if (best == NULL || strength (challenge->algorithm) > strength (best->algorithm))
        best = challenge;
    }
  return best;
}

/* ---- answering ---- */

static gboolean
is_session (UaDigestAlgorithm algorithm)
{
  return algorithm == UA_DIGEST_MD5_SESS || algorithm == UA_DIGEST_SHA_256_SESS ||
         algorithm == UA_DIGEST_SHA_512_256_SESS;
}

typedef struct
{
  const void *data;
  gsize length;
} Part;

#define TEXT(string) { string, strlen (string) }

/* H (part0 ":" part1 ":" ...), in lower-case hexadecimal. */
static gboolean
hash_parts (UaDigestAlgorithm algorithm, const Part *parts, guint n_parts, char ret_hex[HEX_SIZE])
{
  const EVP_MD *types[] = { EVP_md5 (), EVP_sha256 (), EVP_sha512_256 () };
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  guchar digest[EVP_MAX_MD_SIZE];
  guint length = 0;
  gboolean ok = EVP_DigestInit_ex (context, types[strength (algorithm)], NULL) == 1;

  for (guint i = 0; ok && i < n_parts; i++)
    ok = (i == 0 || EVP_DigestUpdate (context, ":", 1) == 1) &&
         EVP_DigestUpdate (context, parts[i].data, parts[i].length) == 1;
  ok = ok && EVP_DigestFinal_ex (context, digest, &length) == 1;
  EVP_MD_CTX_free (context);
  if (!ok)
    ERR_clear_error (); /* what is left in the queue would be taken for an error of the next SSL_read */
  for (guint i = 0; i < length; i++)
    snprintf (ret_hex + 2 * i, 3, "%02x", digest[i]);
  OPENSSL_cleanse (digest, sizeof digest);
  return ok;
}

#define HASH(algorithm, hex, ...)                                                                            \
  hash_parts (algorithm, (const Part[]){ __VA_ARGS__ },                                                      \
              sizeof ((const Part[]){ __VA_ARGS__ }) / sizeof (Part), hex)

/* RFC 7616 section 3.4.2; the password never leaves this function. */
static gboolean
compute_ha1 (const UaDigestChallenge *challenge, const UaDigestInput *input, char ret_hex[HEX_SIZE])
{
  UaDigestAlgorithm algorithm = challenge->algorithm;
  const char *nonce = input->session_nonce != NULL ? input->session_nonce : input->nonce;
  Part password = { phone_secret_peek (input->password), phone_secret_length (input->password) };

  if (!HASH (algorithm, ret_hex, TEXT (input->user), TEXT (challenge->realm), password))
    return FALSE;
  return !is_session (algorithm) ||
         HASH (algorithm, ret_hex, TEXT (ret_hex), TEXT (nonce), TEXT (input->cnonce));
}

static void
append_quoted (GString *header, const char *name, const char *value)
{
  g_string_append_printf (header, "%s%s=\"", header->str[header->len - 1] == ' ' ? "" : ", ", name);
  for (; *value != '\0'; value++)
    {
      if (*value == '"' || *value == '\\')
        g_string_append_c (header, '\\');
      g_string_append_c (header, *value);
    }
  g_string_append_c (header, '"');
}

char *
ua_digest_authorize (const UaDigestChallenge *challenge, const UaDigestInput *input)
{
  UaDigestAlgorithm algorithm = challenge->algorithm;
  gboolean with_qop = challenge->qop_auth || challenge->qop_auth_int;
  const char *qop = challenge->qop_auth ? "auth" : "auth-int";
  char ha1[HEX_SIZE] = "", ha2[HEX_SIZE] = "", response[HEX_SIZE] = "", user[HEX_SIZE] = "", nc[9];
  Part body = { input->body != NULL ? input->body : "", input->body != NULL ? input->body_length : 0 };
  gboolean ok = compute_ha1 (challenge, input, ha1);
  GString *header;

  if (with_qop && !challenge->qop_auth)
    ok = ok && hash_parts (algorithm, &body, 1, ha2) &&
         HASH (algorithm, ha2, TEXT (input->method), TEXT (input->uri), TEXT (ha2));
  else
    ok = ok && HASH (algorithm, ha2, TEXT (input->method), TEXT (input->uri));

  snprintf (nc, sizeof nc, "%08x", input->nc);
  if (with_qop)
    ok = ok && HASH (algorithm, response, TEXT (ha1), TEXT (input->nonce), TEXT (nc), TEXT (input->cnonce),
                     TEXT (qop), TEXT (ha2));
  else
    ok = ok && HASH (algorithm, response, TEXT (ha1), TEXT (input->nonce), TEXT (ha2));
  OPENSSL_cleanse (ha1, sizeof ha1);
  if (challenge->userhash)
    ok = ok && HASH (algorithm, user, TEXT (input->user), TEXT (challenge->realm));
  if (!ok)
    return NULL;

  header = g_string_new ("Digest ");
  append_quoted (header, "username", challenge->userhash ? user : input->user);
  append_quoted (header, "realm", challenge->realm);
  append_quoted (header, "nonce", input->nonce);
  append_quoted (header, "uri", input->uri);
  append_quoted (header, "response", response);
  if (challenge->algorithm_given)
    g_string_append_printf (header, ", algorithm=%s", ua_digest_algorithm_to_string (algorithm));
  /* RFC 7616 section 3.4: no cnonce without qop; but no key of a -sess algorithm without cnonce. */
  if (with_qop || is_session (algorithm))
    append_quoted (header, "cnonce", input->cnonce);
  if (with_qop)
    g_string_append_printf (header, ", qop=%s, nc=%s", qop, nc);
  if (challenge->opaque != NULL)
    append_quoted (header, "opaque", challenge->opaque);
  if (challenge->userhash)
    g_string_append (header, ", userhash=true");
  return g_string_free (header, FALSE);
}

char *
ua_digest_make_cnonce (void)
{
  guchar random[16];
  GString *cnonce = g_string_sized_new (2 * sizeof random + 1);

  /* 16 octets come whole or not at all. */
  if (getrandom (random, sizeof random, 0) != sizeof random)
    g_error ("the kernel gives no random numbers");
  for (guint i = 0; i < sizeof random; i++)
    g_string_append_printf (cnonce, "%02x", random[i]);
  return g_string_free (cnonce, FALSE);
}

/* ---- one realm over time ---- */

struct _UaDigestSession
{
  UaDigestChallenge *challenge; /* NULL: none yet */
  char *nonce;                  /* the challenge's, or the nextnonce that followed it */
  char *cnonce;
  guint32 nc;                   /* answers made with nonce */
  gboolean handed_out;          /* nonce came by nextnonce */
  guint stale_run; /* fresh nonces that were called stale at their first use, one after the other */
};

UaDigestSession *
ua_digest_session_new (void)
{
  return g_new0 (UaDigestSession, 1);
}

void
ua_digest_session_free (UaDigestSession *session)
{
  if (session == NULL)
    return;
  ua_digest_challenge_free (session->challenge);
  g_free (session->nonce);
  g_free (session->cnonce);
  g_free (session);
}

static UaDigestVerdict
judge (UaDigestSession *session, const UaDigestChallenge *challenge)
{
  gboolean same;

  if (session->challenge == NULL)
    return UA_DIGEST_ANSWER;

  same = g_str_equal (challenge->nonce, session->nonce)
         && challenge->algorithm == session->challenge->algorithm;
  if (session->nc == 0 && !session->handed_out)
    return same ? UA_DIGEST_SAME : UA_DIGEST_ANSWER;
  if (session->nc != 1 || session->handed_out)
    session->stale_run = 0;
  if (challenge->stale && !same)
    return session->nc == 1 && session->stale_run++ >= MAX_STALE_RUN ? UA_DIGEST_REFUSED : UA_DIGEST_ANSWER;
  return same || (session->nc == 1 && !session->handed_out) ? UA_DIGEST_REFUSED : UA_DIGEST_ANSWER;
}

UaDigestVerdict
ua_digest_session_challenge (UaDigestSession *session, const UaDigestChallenge *challenge)
{
  UaDigestVerdict verdict = judge (session, challenge);

  if (verdict == UA_DIGEST_SAME)
    return verdict;
  if (verdict == UA_DIGEST_REFUSED)
    session->stale_run = 0;
  if (session->challenge == NULL || !g_str_equal (challenge->nonce, session->nonce))
    session->nc = 0;
  ua_digest_challenge_free (session->challenge);
  session->challenge = ua_digest_challenge_copy (challenge);
  g_free (session->nonce);
  session->nonce = g_strdup (challenge->nonce);
  g_free (session->cnonce);
  session->cnonce = ua_digest_make_cnonce ();
  session->handed_out = FALSE;
  return verdict;
}

void
ua_digest_session_next_nonce (UaDigestSession *session, const char *nonce)
{
  if (session->challenge == NULL || g_str_equal (nonce, session->nonce))
    return;
  for (const char *p = nonce; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p) || p - nonce > UA_DIGEST_MAX_TEXT)
      return;
  g_free (session->nonce);
  session->nonce = g_strdup (nonce);
  session->nc = 0;
  session->handed_out = TRUE;
}

char *
ua_digest_session_authorize (UaDigestSession *session, UaDigestInput *input)
{
  if (session->challenge == NULL)
    return NULL;
  input->nonce = session->nonce;
  input->cnonce = session->cnonce;
  input->session_nonce = session->challenge->nonce;
  input->nc = ++session->nc;
  return ua_digest_authorize (session->challenge, input);
}

const UaDigestChallenge *
ua_digest_session_get_challenge (const UaDigestSession *session)
{
  return session->challenge;
}
