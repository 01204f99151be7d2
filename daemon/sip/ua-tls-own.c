/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Our certificate. A phone runs for longer than a certificate lives these days: the file is looked at before every use, and read again when it is
 * another. What cannot be read leaves the last good one in place: a file that is being replaced is half written for a moment. */

#include "sip/ua-tls-private.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include "util/log.h"

struct _UaTlsOwn
{
  char *file;
  SSL_CTX *ctx;                 /* holds certificate, chain and key */
  struct stat seen;             /* of the file, when it was read last */
};

/* A daemon has nobody to ask for a passphrase; the default would ask on the terminal. */
static int
on_passphrase (char *buffer, int size, int writing, void *data)
{
  return 0;
}

static SSL_CTX *
load (const char *file, GError **error)
{
  SSL_CTX *ctx = SSL_CTX_new (TLS_client_method ());
  g_autofree char *why = NULL;

  SSL_CTX_set_default_passwd_cb (ctx, on_passphrase);
  if (SSL_CTX_use_certificate_chain_file (ctx, file) == 1 && SSL_CTX_use_PrivateKey_file (ctx, file, SSL_FILETYPE_PEM) == 1
      && SSL_CTX_check_private_key (ctx) == 1)
    return ctx;
  why = ua_tls_last_error ();
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "tls-cert: cannot use certificate and key in %s: %s", file, why);
  SSL_CTX_free (ctx);
  return NULL;
}

UaTlsOwn *
ua_tls_own_new (const char *file, GError **error)
{
  UaTlsOwn *own;
  struct stat seen = { 0 };
  SSL_CTX *ctx;

  stat (file, &seen);
  ctx = load (file, error);
  if (ctx == NULL)
    return NULL;
  own = g_new0 (UaTlsOwn, 1);
  *own = (UaTlsOwn){ .file = g_strdup (file), .ctx = ctx, .seen = seen };
  return own;
}

void
ua_tls_own_free (UaTlsOwn *own)
{
  if (own == NULL)
    return;
  SSL_CTX_free (own->ctx);
  g_free (own->file);
  g_free (own);
}

static gboolean
is_same_file (const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
         && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

SSL_CTX *
ua_tls_own_get (UaTlsOwn *own)
{
  g_autoptr (GError) error = NULL;
  struct stat now = { 0 };
  SSL_CTX *ctx;

  if (own == NULL)
    return NULL;
  if (stat (own->file, &now) < 0 || is_same_file (&now, &own->seen))
    return own->ctx;
  own->seen = now;
  ctx = load (own->file, &error);
  if (ctx == NULL)
    {
      phone_log_warning (NULL, "%s: the one that was there before stays in use", error->message);
      return own->ctx;
    }
  phone_log_notice (NULL, "tls-cert: %s is another one now, and in use", own->file);
  SSL_CTX_free (own->ctx);
  own->ctx = ctx;
  return ctx;
}

gboolean
ua_tls_own_is_valid (UaTlsOwn *own, GError **error)
{
  const X509 *cert = SSL_CTX_get0_certificate (ua_tls_own_get (own));
  gboolean expired = X509_cmp_current_time (X509_get0_notAfter (cert)) < 0;

  if (!expired && X509_cmp_current_time (X509_get0_notBefore (cert)) < 0)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "tls-cert: the certificate in %s %s", own->file,
               expired ? "has expired" : "is not valid yet");
  return FALSE;
}
