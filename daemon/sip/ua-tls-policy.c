/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the settings say about the TLS of a nua: whom to trust, whom to expect, who we are. It is named to sofia as a path (ua-tls.h), and found
 * again by the SSL_CTX that sofia made of that. */

#include "sip/ua-tls-private.h"

#include <openssl/err.h>
#include <string.h>

#include "sip/digest.h"
#include "sip/tls-identity.h"
#include "util/log.h"

#define PATH_PREFIX "/phoned/tls/"

static int policy_index = -1;
static GHashTable *policies;    /* path -> UaTlsPolicy, both borrowed from the value; those not yet freed */

UaTlsPolicy *
ua_tls_policy_ref (UaTlsPolicy *policy)
{
  policy->refs++;
  return policy;
}

void
ua_tls_policy_unref (UaTlsPolicy *policy)
{
  if (policy == NULL || --policy->refs > 0)
    return;
  X509_STORE_free (policy->store);
  ua_tls_own_free (policy->own);
  g_free (policy->domain);
  g_free (policy->path);
  g_free (policy);
}

char *
ua_tls_last_error (void)
{
  unsigned long code = ERR_peek_error ();
  const char *reason = ERR_SYSTEM_ERROR (code) ? g_strerror (ERR_GET_REASON (code)) : ERR_reason_error_string (code);
  char *text = g_strdup (reason != NULL ? reason : "unknown error");

  ERR_clear_error ();
  return text;
}

static gboolean
load_ca (UaTlsPolicy *policy, const char *ca, GError **error)
{
  g_autofree char *why = NULL;
  int ok;

  if (ca == NULL)
    ok = X509_STORE_set_default_paths (policy->store);
  else if (g_file_test (ca, G_FILE_TEST_IS_DIR))
    ok = X509_STORE_load_path (policy->store, ca);
  else
    ok = X509_STORE_load_file (policy->store, ca);
  if (ok == 1)
    return TRUE;
  why = ua_tls_last_error ();
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "tls-ca: cannot read certificates from %s: %s",
               ca != NULL ? ca : "the system", why);
  return FALSE;
}

UaTlsPolicy *
ua_tls_policy_new (const UaTlsParams *params, UaTlsOutcomeFunc on_outcome, gpointer data, GError **error)
{
  UaTlsPolicy *policy = g_new0 (UaTlsPolicy, 1);
  g_autofree char *name = ua_digest_make_cnonce ();

  policy->refs = 1;
  policy->path = g_strconcat (PATH_PREFIX, name, NULL);
  policy->domain = params->domain != NULL ? tls_identity_normalize (params->domain) : NULL;
  policy->verify = params->verify;
  policy->serve = params->serve;
  policy->verify_clients = params->verify_clients;
  policy->on_outcome = on_outcome;
  policy->data = data;
  policy->store = X509_STORE_new ();
  /* What the user put into the CA file is trusted, even if it is no root. */
  X509_STORE_set_flags (policy->store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  if (!load_ca (policy, params->ca, error)
      || (params->cert != NULL && (policy->own = ua_tls_own_new (params->cert, error)) == NULL))
    {
      ua_tls_policy_unref (policy);
      return NULL;
    }

  if (!policy->verify)
    phone_log_warning (NULL, "tls-verify=no: %s may be anybody",
                       policy->domain != NULL ? policy->domain : "whom we call");
  if (policies == NULL)
    policies = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (policies, policy->path, policy);
  return policy;
}

void
ua_tls_policy_free (UaTlsPolicy *policy)
{
  if (policy == NULL)
    return;
  g_hash_table_remove (policies, policy->path);
  if (g_hash_table_size (policies) == 0)
    g_clear_pointer (&policies, g_hash_table_unref);
  policy->on_outcome = NULL;
  ua_tls_policy_unref (policy);
}

const char *
ua_tls_policy_get_path (const UaTlsPolicy *policy)
{
  return policy->path;
}

gboolean
ua_tls_policy_is_valid (const UaTlsPolicy *policy, GError **error)
{
  return policy->own == NULL || ua_tls_own_is_valid (policy->own, error);
}

gboolean
ua_tls_policy_names (const UaTlsPolicy *policy, const char *host)
{
  return policy->own != NULL && tls_identity_matches (SSL_CTX_get0_certificate (ua_tls_own_get (policy->own)), host);
}

gboolean
ua_tls_set_certificate (SSL *ssl, SSL_CTX *own)
{
  STACK_OF (X509) *chain = NULL;

  SSL_certs_clear (ssl);        /* what sofia's context may have brought */
  if (own == NULL)
    return TRUE;
  SSL_CTX_get0_chain_certs (own, &chain);
  return SSL_use_cert_and_key (ssl, SSL_CTX_get0_certificate (own), SSL_CTX_get0_privatekey (own), chain, 1)
         == 1;
}

/* What NUTAG_CERTIFICATE_DIR named: bound to the context, until it goes. */
void
ua_tls_policy_bind (SSL_CTX *ctx, const char *path)
{
  UaTlsPolicy *policy = path != NULL && policies != NULL ? g_hash_table_lookup (policies, path) : NULL;

  if (policy != NULL && policy_index >= 0 && SSL_CTX_get_ex_data (ctx, policy_index) == NULL)
    SSL_CTX_set_ex_data (ctx, policy_index, ua_tls_policy_ref (policy));
}

UaTlsPolicy *
ua_tls_policy_of (const SSL *ssl)
{
  return SSL_CTX_get_ex_data (SSL_get_SSL_CTX (ssl), policy_index);
}

static void
on_policy_gone (void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
  ua_tls_policy_unref (data);
}

void
ua_tls_policy_init (void)
{
  if (policy_index < 0)
    policy_index = SSL_CTX_get_ex_new_index (0, NULL, NULL, NULL, on_policy_gone);
}
