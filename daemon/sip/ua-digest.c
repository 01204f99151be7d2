/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The authentication client plugin around the kernel in digest.c.
 *
 * sofia keeps one auth_client_t per scheme, realm and header kind (WWW- or Proxy-) in each handle, and calls
 *
 *   challenge   once for EACH header of a 401/407, although the headers of one response for one realm are
 *               alternatives of which one is to be answered (RFC 8760 section 2.4). So the first call looks
 *               ahead along the list, decides, and remembers the others so that their calls change nothing.
 *   save        with what NUTAG_AUTH held. Ours holds "*" for the realm: one tag serves all challenges.
 *   authorize   for every request on the handle from then on.
 *   clear       when an answer to a fresh challenge was refused.
 *   copy        from a handle to its keep-alive OPTIONS. Given the head of the source list, whichever
 *               element was meant.
 *   info        for Authentication-Info.
 *
 * auc_register_plugin() of 1.12 and 1.13 takes the first slot that does NOT hold the name, where it means the
 * first that does: a plugin that is to replace Digest in slot 0 lands on slot 1 and is never found. A
 * placeholder registered first makes it right: with the fault it takes slot 0 and gives it up to us, without
 * the fault it takes a free slot and we take Digest's.
 *
 * RFC 7616, RFC 8760, RFC 3261 section 22. */

#define SOFIA_EXTEND_AUTH_CLIENT 1

#include "sip/ua-digest.h"

#include <sofia-sip/auth_client.h>
#include <sofia-sip/auth_client_plugin.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>
#include <sofia-sip/su_string.h>
#include <string.h>

#include "sip/digest.h"

PHONE_DEFINE_ENUM (UaAnswer, ua_answer, UA_ANSWER_LIST)

enum { N_REFUSED = 8, MAX_REALMS = 8 };

/* ---- the table of credentials ---- */

struct _UaCredentials
{
  char *token;                  /* names this in the table */
  char *auth;                   /* for NUTAG_AUTH */
  char *user;
  PhoneSecret *password;
  char *refused[N_REFUSED];     /* nonces of challenges that said no; a ring */
  guint next_refused;
  GHashTable *realms;           /* char * -> UaDigestAlgorithm + 1: what our own server asks for */
};

static GHashTable *credentials_by_token;        /* char * -> UaCredentials *, both borrowed from the value */

UaCredentials *
ua_credentials_new (const char *user, PhoneSecret *password)
{
  UaCredentials *credentials = g_new0 (UaCredentials, 1);

  credentials->token = ua_digest_make_cnonce ();
  credentials->auth = g_strdup_printf ("Digest:\"*\":phone:%s", credentials->token);
  credentials->realms = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (credentials_by_token == NULL)
    credentials_by_token = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (credentials_by_token, credentials->token, credentials);
  ua_credentials_set (credentials, user, password);
  return credentials;
}

static void
forget_refused (UaCredentials *credentials)
{
  for (guint i = 0; i < N_REFUSED; i++)
    g_clear_pointer (&credentials->refused[i], g_free);
}

void
ua_credentials_set (UaCredentials *credentials, const char *user, PhoneSecret *password)
{
  g_return_if_fail (user != NULL);

  if (password != NULL)
    phone_secret_ref (password);
  phone_secret_unref (credentials->password);
  credentials->password = password;
  g_free (credentials->user);
  credentials->user = g_strdup (user);
  forget_refused (credentials);
}

void
ua_credentials_free (UaCredentials *credentials)
{
  if (credentials == NULL)
    return;
  g_hash_table_remove (credentials_by_token, credentials->token);
  if (g_hash_table_size (credentials_by_token) == 0)
    g_clear_pointer (&credentials_by_token, g_hash_table_unref);
  forget_refused (credentials);
  g_hash_table_unref (credentials->realms);
  phone_secret_unref (credentials->password);
  g_free (credentials->user);
  g_free (credentials->auth);
  g_free (credentials->token);
  g_free (credentials);
}

const char *
ua_credentials_get_auth (const UaCredentials *credentials)
{
  return credentials->auth;
}

static UaCredentials *
find_credentials (const char *token)
{
  if (token == NULL || credentials_by_token == NULL)
    return NULL;
  return g_hash_table_lookup (credentials_by_token, token);
}

static void
remember_refused (UaCredentials *credentials, const char *nonce)
{
  char **slot = &credentials->refused[credentials->next_refused++ % N_REFUSED];

  g_free (*slot);
  *slot = g_strdup (nonce);
}

static gboolean
is_refused (const UaCredentials *credentials, const char *nonce)
{
  for (guint i = 0; i < N_REFUSED; i++)
    if (credentials->refused[i] != NULL && g_str_equal (credentials->refused[i], nonce))
      return TRUE;
  return FALSE;
}

/* ---- the plugin ---- */

typedef struct
{
  const msg_auth_t *header;     /* compared, never followed: the response is long gone when it matters */
  char *text;
} Follower;

typedef struct
{
  UaDigestSession *session;
  GArray *followers;            /* Follower: headers of the last response that are yet to come as calls */
} State;

typedef struct
{
  auth_client_t base;
  State *state;                 /* NULL until the first challenge; freed with base.ca_home */
} Client;

static void
on_follower_clear (gpointer data)
{
  g_free (((Follower *) data)->text);
}

static void
on_client_destroy (void *data)
{
  Client *client = data;

  if (client->state == NULL)
    return;
  ua_digest_session_free (client->state->session);
  g_array_unref (client->state->followers);
  g_clear_pointer (&client->state, g_free);
}

static State *
client_state (auth_client_t *ca)
{
  Client *client = (Client *) ca;

  if (client->state == NULL)
    {
      client->state = g_new0 (State, 1);
      client->state->session = ua_digest_session_new ();
      client->state->followers = g_array_new (FALSE, FALSE, sizeof (Follower));
      g_array_set_clear_func (client->state->followers, on_follower_clear);
      su_home_destructor (ca->ca_home, on_client_destroy);
    }
  return client->state;
}

/* One header as text again, or NULL if it is too long to be true. */
static char *
header_text (const msg_auth_t *header)
{
  g_autoptr (GString) text = g_string_new (header->au_scheme);

  for (guint i = 0; header->au_params != NULL && header->au_params[i] != NULL; i++)
    {
      g_string_append_printf (text, "%s %s", i > 0 ? "," : "", header->au_params[i]);
      if (text->len > UA_DIGEST_MAX_TEXT)
        return NULL;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
is_follower (State *state, const msg_auth_t *header, const char *text)
{
  for (guint i = 0; i < state->followers->len; i++)
    {
      const Follower *follower = &g_array_index (state->followers, Follower, i);
      if (follower->header == header && g_str_equal (follower->text, text))
        {
          g_array_remove_index (state->followers, i);
          return TRUE;
        }
    }
  return FALSE;
}

static void
add_challenges (GPtrArray *list, const char *text)
{
  g_autoptr (GPtrArray) parsed = ua_digest_parse (text);

  for (guint i = 0; i < parsed->len && list->len < UA_DIGEST_MAX_CHALLENGES; i++)
    g_ptr_array_add (list, g_steal_pointer (&parsed->pdata[i]));
}

/* All that header and those behind it in the same response offer for the realm of ca. */
static GPtrArray *
collect_alternatives (auth_client_t *ca, const msg_auth_t *header, const char *text)
{
  State *state = client_state (ca);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) ua_digest_challenge_free);
  guint n = 0;

  g_array_set_size (state->followers, 0);
  add_challenges (list, text);
  for (const msg_auth_t *other = header->au_next; other != NULL && n < UA_DIGEST_MAX_CHALLENGES;
       other = other->au_next, n++)
    {
      Follower follower = { .header = other };
      const char *realm = msg_header_find_param (other->au_common, "realm=");

      if (realm == NULL || !su_strmatch (realm, ca->ca_realm) || !su_casematch (other->au_scheme, "Digest"))
        continue;
      follower.text = header_text (other);
      if (follower.text == NULL)
        continue;
      add_challenges (list, follower.text);
      g_array_append_val (state->followers, follower);
    }
  return list;
}

/* 2: answer it; 1: nothing new, or refused; sofia tells the last two apart by whether an answer had been
 * sent. Never negative, which would make sofia ignore the whole response. */
static int
on_challenge (auth_client_t *ca, const msg_auth_t *header)
{
  State *state = client_state (ca);
  g_autofree char *text = header_text (header);
  g_autoptr (GPtrArray) alternatives = NULL;
  const UaDigestChallenge *best;
  UaCredentials *credentials = find_credentials (ca->ca_pass);

  if (text == NULL || is_follower (state, header, text))
    return 1;
  alternatives = collect_alternatives (ca, header, text);
  best = ua_digest_choose (alternatives);
  if (best == NULL)
    return 1;

  switch (ua_digest_session_challenge (state->session, best))
    {
    case UA_DIGEST_ANSWER:
      return 2;
    case UA_DIGEST_SAME:
      return 1;
    case UA_DIGEST_REFUSED:
      if (credentials != NULL)
        for (guint i = 0; i < alternatives->len; i++)
          remember_refused (credentials, ((UaDigestChallenge *) alternatives->pdata[i])->nonce);
      return 1;
    }
  g_assert_not_reached ();
}

static int
on_authorize (auth_client_t *ca, su_home_t *home, const char *method, const url_t *url,
              const msg_payload_t *body, msg_header_t **ret_header)
{
  const UaCredentials *credentials = find_credentials (ca->ca_pass);
  g_autofree char *text = NULL;
  UaDigestInput input = { 0 };

  if (credentials == NULL || credentials->password == NULL || ca->ca_clear)
    return 0;

  input.user = credentials->user;
  input.password = credentials->password;
  input.method = method;
  input.uri = url_as_string (home, url);
  input.body = body != NULL ? body->pl_data : NULL;
  input.body_length = body != NULL ? body->pl_len : 0;
  if (input.uri == NULL)
    return -1;

  text = ua_digest_session_authorize (client_state (ca)->session, &input);
  su_free (home, (void *) input.uri);
  if (text == NULL)
    return 0;
  *ret_header = msg_header_make (home, ca->ca_credential_class, text);
  return *ret_header != NULL ? 0 : -1;
}

static int
on_info (auth_client_t *ca, const msg_auth_info_t *info)
{
  const char *quoted = msg_header_find_param (info->ai_common, "nextnonce=");
  char *nonce;

  if (quoted == NULL || *quoted != '"')
    return 0;
  nonce = msg_unquote_dup (ca->ca_home, quoted);
  if (nonce == NULL)
    return 0;
  ua_digest_session_next_nonce (client_state (ca)->session, nonce);
  su_free (ca->ca_home, nonce);
  return 1;
}

static int
on_clear (auth_client_t *ca)
{
  State *state = client_state (ca);

  /* The next request goes out without an answer, so its challenge cannot be a refusal. */
  g_clear_pointer (&state->session, ua_digest_session_free);
  state->session = ua_digest_session_new ();
  ca->ca_clear = 1;
  return 1;
}

static int
save_token (auth_client_t *ca, const char *token)
{
  if (!su_strmatch (token, ca->ca_pass) && auth_client_save_credentials (ca, NULL, NULL, "phone", token) < 0)
    return -1;
  ca->ca_clear = 0;
  return 1;
}

static int
on_save_credentials (auth_client_t *ca, const char *scheme, const char *realm, const char *user,
                     const char *pass)
{
  if (scheme != NULL && !su_casematch (scheme, "Digest"))
    return 0;
  if (find_credentials (pass) == NULL)
    return 0;
  return save_token (ca, pass);
}

static int
on_copy_credentials (auth_client_t *ca, const auth_client_t *source)
{
  for (; source != NULL; source = source->ca_next)
    if (su_casematch (source->ca_scheme, ca->ca_scheme) && su_strmatch (source->ca_realm, ca->ca_realm) &&
        find_credentials (source->ca_pass) != NULL && !source->ca_clear)
      return save_token (ca, source->ca_pass);
  return 0;
}

static const auth_client_plugin_t digest_plugin = {
  .auc_plugin_size = sizeof digest_plugin,
  .auc_size = sizeof (Client),
  .auc_name = "Digest",
  .auc_challenge = on_challenge,
  .auc_authorize = on_authorize,
  .auc_info = on_info,
  .auc_clear = on_clear,
  .auc_save_credentials = on_save_credentials,
  .auc_copy_credentials = on_copy_credentials,
};

static int
on_authorize_nothing (auth_client_t *ca, su_home_t *home, const char *method, const url_t *url,
                      const msg_payload_t *body, msg_header_t **ret_header)
{
  return 0;
}

static const auth_client_plugin_t placeholder_plugin = {
  .auc_plugin_size = sizeof placeholder_plugin,
  .auc_size = sizeof (auth_client_t),
  .auc_name = "X-Placeholder",
  .auc_authorize = on_authorize_nothing,
};

/* ---- answering a response ---- */

typedef struct
{
  gboolean any, unsupported, refused;
} Survey;

/* Is there, for the realm of header, a challenge in list that we can answer? */
static gboolean
realm_is_supported (const msg_auth_t *list, const char *realm, const UaCredentials *credentials,
                    gboolean *refused)
{
  gboolean supported = FALSE;

  for (; list != NULL; list = list->au_next)
    {
      const char *other = msg_header_find_param (list->au_common, "realm=");
      g_autofree char *text = NULL;
      g_autoptr (GPtrArray) challenges = NULL;

      if (other == NULL || !su_strmatch (other, realm) || (text = header_text (list)) == NULL)
        continue;
      challenges = ua_digest_parse (text);
      supported |= challenges->len > 0;
      for (guint i = 0; i < challenges->len; i++)
        *refused |= is_refused (credentials, ((UaDigestChallenge *) challenges->pdata[i])->nonce);
    }
  return supported;
}

static void
survey_headers (const msg_auth_t *list, const UaCredentials *credentials, Survey *survey)
{
  for (const msg_auth_t *header = list; header != NULL; header = header->au_next)
    {
      const char *realm = msg_header_find_param (header->au_common, "realm=");

      if (realm == NULL)
        continue;
      survey->any = TRUE;
      if (!realm_is_supported (list, realm, credentials, &survey->refused))
        survey->unsupported = TRUE;
    }
}

static UaAnswer
decide (const UaCredentials *credentials, const sip_t *sip)
{
  Survey survey = { 0 };

  if (credentials->password == NULL)
    return UA_ANSWER_NO_PASSWORD;
  if (sip != NULL)
    {
      survey_headers (sip->sip_www_authenticate, credentials, &survey);
      survey_headers (sip->sip_proxy_authenticate, credentials, &survey);
    }
  if (!survey.any || survey.unsupported)
    return UA_ANSWER_UNSUPPORTED;
  return survey.refused ? UA_ANSWER_REFUSED : UA_ANSWER_SENT;
}

UaAnswer
ua_credentials_answer_as (UaCredentials *credentials, nua_handle_t *nh, const sip_t *sip, const char *cseq)
{
  UaAnswer answer = decide (credentials, sip);

  /* Credentials that fit nothing make sofia give up the request that it holds back. */
  nua_authenticate (nh, NUTAG_AUTH (answer == UA_ANSWER_SENT ? credentials->auth : "Digest:\"*\":phone:none"),
                    TAG_IF (cseq, SIPTAG_CSEQ_STR (cseq)), TAG_END ());
  return answer;
}

UaAnswer
ua_credentials_answer (UaCredentials *credentials, nua_handle_t *nh, const sip_t *sip)
{
  return ua_credentials_answer_as (credentials, nh, sip, NULL);
}

/* ---- what our own server asks for ---- */

/* Every realm of the challenges in list, with the strongest algorithm offered for it. */
static void
collect_realms (const msg_auth_t *list, GHashTable *realms)
{
  for (const msg_auth_t *header = list; header != NULL; header = header->au_next)
    {
      g_autofree char *text = header_text (header);
      g_autoptr (GPtrArray) parsed = text != NULL ? ua_digest_parse (text) : NULL;

      for (guint i = 0; parsed != NULL && i < parsed->len; i++)
        {
          const UaDigestChallenge *challenge = parsed->pdata[i];
          guint best = GPOINTER_TO_UINT (g_hash_table_lookup (realms, challenge->realm));

          if (best > 0 || g_hash_table_size (realms) < MAX_REALMS)
            g_hash_table_insert (realms, g_strdup (challenge->realm), GUINT_TO_POINTER (MAX (best, challenge->algorithm + 1)));
        }
    }
}

void
ua_credentials_learn (UaCredentials *credentials, const sip_t *sip)
{
  collect_realms (sip->sip_www_authenticate, credentials->realms);
  collect_realms (sip->sip_proxy_authenticate, credentials->realms);
}

gboolean
ua_credentials_knows (const UaCredentials *credentials, const sip_t *sip)
{
  g_autoptr (GHashTable) asked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer realm, algorithm;

  /* a header that offers what we do not know may stand beside one that we do */
  collect_realms (sip->sip_www_authenticate, asked);
  collect_realms (sip->sip_proxy_authenticate, asked);
  g_hash_table_iter_init (&iter, asked);
  while (g_hash_table_iter_next (&iter, &realm, &algorithm))
    {
      guint known = GPOINTER_TO_UINT (g_hash_table_lookup (credentials->realms, realm));

      if (known == 0 || GPOINTER_TO_UINT (algorithm) < known)
        return FALSE;
    }
  return g_hash_table_size (asked) > 0;
}

/* ---- start-up ---- */

/* A strong and a weak challenge in, the strong one answered: the whole way that a response takes through
 * sofia. */
static gboolean
self_test (su_home_t *home)
{
  g_autoptr (PhoneSecret) password = phone_secret_new ("a:b", -1);
  g_autoptr (UaCredentials) credentials = ua_credentials_new ("self:test", password);
  auth_client_t *clients = NULL;
  sip_www_authenticate_t *weak
      = sip_www_authenticate_make (home, "Digest realm=\"self\", nonce=\"n1\", algorithm=MD5");
  sip_www_authenticate_t *strong =
    sip_www_authenticate_make (home, "Digest realm=\"self\", nonce=\"n2\", algorithm=SHA-256, qop=\"auth\"");
  url_t *url = url_make (home, "sip:self.invalid");
  sip_authorization_t *header = NULL;
  const char *algorithm, *user, *nonce;

  if (weak == NULL || strong == NULL || url == NULL)
    return FALSE;
  weak->au_next = strong;
  if (auc_challenge (&clients, home, weak, sip_authorization_class) != 1
      || auc_credentials (&clients, home, credentials->auth) != 1 || !auc_has_authorization (&clients)
      || auc_authorization_headers (&clients, home, "REGISTER", url, NULL, (msg_header_t **)&header) != 1
      || header == NULL)
    return FALSE;
  algorithm = msg_header_find_param (header->au_common, "algorithm=");
  user = msg_header_find_param (header->au_common, "username=");
  nonce = msg_header_find_param (header->au_common, "nonce=");
  return su_strmatch (algorithm, "SHA-256") && su_strmatch (user, "\"self:test\"")
         && su_strmatch (nonce, "\"n2\"");
}

gboolean
ua_digest_init (GError **error)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  gboolean ok;

  if (auc_register_plugin (&placeholder_plugin) < 0 || auc_register_plugin (&digest_plugin) < 0)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED,
                   "digest: sofia-sip refuses our authentication plugin: %s", g_strerror (errno));
      return FALSE;
    }
  su_home_init (home);
  ok = self_test (home);
  su_home_deinit (home);
  if (!ok)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED,
                         "digest: this version of sofia-sip does not use our authentication plugin");
  return ok;
}
