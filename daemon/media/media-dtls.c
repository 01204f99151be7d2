/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DTLS 1.2 (RFC 6347) with use_srtp (RFC 5764 section 4.1, RFC 7714 section 14.2) and nothing else: no renegotiation, no tickets, no
 * resumption, no application data. The certificates of both sides are self-signed; that one belongs to the peer is seen from its
 * fingerprint, which came by signalling (RFC 8122), inside the handshake: a wrong one is answered with the alert bad_certificate and never
 * becomes CONNECTED, so no key of such an association exists for anybody.
 *
 *   receive -> [one datagram] -> BIO -> OpenSSL -> BIO -> queue of datagrams -> take_output
 *
 * The BIO is ours because a memory BIO joins datagrams together. OpenSSL's retransmission timer asks the wall clock; a step of that clock
 * in the second of the handshake only costs a late or a needless repetition. */

#include "media/media-dtls.h"

#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

#define FIRST_TIMEOUT (200 * 1000)      /* us; RFC 6347 section 4.2.4.1 suggests 1 s, and here somebody waits to hear something */
#define LAST_TIMEOUT (3 * 1000 * 1000)
#define MAX_OUTPUT 64                   /* datagrams that wait */
#define MAX_CERTIFICATE 16384           /* octets of the peer's chain */
#define EXPORTER "EXTRACTOR-dtls_srtp"  /* RFC 5764 section 4.2 */

#define CIPHERS "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:" \
  "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

static const struct
{
  PhoneSrtpSuite suite;
  unsigned long profile;
  const char *name;
  gsize key, salt;
} profiles[] = {                        /* strongest first */
  { PHONE_SRTP_AEAD_AES_256_GCM, SRTP_AEAD_AES_256_GCM, "SRTP_AEAD_AES_256_GCM", 32, 12 },
  { PHONE_SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_128_GCM, "SRTP_AEAD_AES_128_GCM", 16, 12 },
  { PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, SRTP_AES128_CM_SHA1_80, "SRTP_AES128_CM_SHA1_80", 16, 14 },
};

struct _MediaDtls
{
  SSL_CTX *context;
  SSL *ssl;
  gboolean client, started, impostor, final;
  MediaDtlsState state;
  char reason[160];
  guint n_fingerprints;
  PhoneFingerprint fingerprints[PHONE_MAX_FINGERPRINTS];
  const guint8 *input;                  /* the datagram that is being taken in */
  gsize input_length;
  GQueue output;                        /* of GBytes */
};

/* ---- BIO ---- */

static int
bio_write (BIO *bio, const char *data, int length)
{
  MediaDtls *self = BIO_get_data (bio);

  BIO_clear_retry_flags (bio);
  if (length > 0 && self->output.length < MAX_OUTPUT)
    g_queue_push_tail (&self->output, g_bytes_new (data, (gsize) length));
  return length;
}

static int
bio_read (BIO *bio, char *data, int capacity)
{
  MediaDtls *self = BIO_get_data (bio);
  gsize n = MIN (self->input_length, (gsize) MAX (capacity, 0));

  BIO_clear_retry_flags (bio);
  if (n == 0)
    {
      BIO_set_retry_read (bio);
      return -1;
    }
  memcpy (data, self->input, n);
  self->input_length = 0;               /* one read is one datagram */
  return (int) n;
}

static long
bio_ctrl (BIO *bio, int command, long number, void *pointer)
{
  switch (command)
    {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return MEDIA_DTLS_MTU;
    default:                            /* OpenSSL's commands, not ours */
      return 0;
    }
}

/* What all sessions share, made once. Not g_once_init_enter (): the thread sanitizer knows pthread_once (), and not how GLib hands it over. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;
static int own_index;

static void
make_shared (void)
{
  method = BIO_meth_new (BIO_get_new_index () | BIO_TYPE_SOURCE_SINK, "phoned datagram");
  BIO_meth_set_write (method, bio_write);
  BIO_meth_set_read (method, bio_read);
  BIO_meth_set_ctrl (method, bio_ctrl);
  own_index = SSL_get_ex_new_index (0, NULL, NULL, NULL, NULL);
}

/* ---- set-up ---- */

/* Chain, names and dates mean nothing here; the fingerprint of the peer's own certificate is all. */
static int
on_verify (int preverified, X509_STORE_CTX *store)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data (store, SSL_get_ex_data_X509_STORE_CTX_idx ());
  MediaDtls *self = SSL_get_ex_data (ssl, own_index);
  X509 *certificate = X509_STORE_CTX_get0_cert (store);

  for (guint i = 0; i < self->n_fingerprints; i++)
    {
      PhoneFingerprint seen;

      if (media_certificate_fingerprint (certificate, self->fingerprints[i].hash, &seen)
          && phone_fingerprint_equal (&seen, &self->fingerprints[i]))
        {
          X509_STORE_CTX_set_error (store, X509_V_OK);
          return 1;
        }
    }
  self->impostor = TRUE;
  X509_STORE_CTX_set_error (store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

static unsigned int
on_timer (SSL *ssl, unsigned int last)
{
  return last == 0 ? FIRST_TIMEOUT : MIN (2 * last, LAST_TIMEOUT);
}

static char *
profile_names (guint suites)
{
  GString *names = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (profiles); i++)
    if (suites == 0 || (suites >> profiles[i].suite & 1))
      g_string_append_printf (names, "%s%s", names->len > 0 ? ":" : "", profiles[i].name);
  return g_string_free (names, FALSE);
}

static gboolean
set_up (MediaDtls *self, const MediaDtlsParams *params)
{
  g_autofree char *names = profile_names (params->suites);
  SSL_CTX *context = self->context = SSL_CTX_new (DTLS_method ());
  BIO *bio;

  if (context == NULL || SSL_CTX_set_min_proto_version (context, DTLS1_2_VERSION) != 1
      || SSL_CTX_set_max_proto_version (context, DTLS1_2_VERSION) != 1 || SSL_CTX_set_cipher_list (context, CIPHERS) != 1
      || SSL_CTX_use_certificate (context, params->certificate->certificate) != 1
      || SSL_CTX_use_PrivateKey (context, params->certificate->key) != 1
      || SSL_CTX_set_tlsext_use_srtp (context, names) != 0)     /* 0 is success, in this function alone */
    return FALSE;
  SSL_CTX_set_options (context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_QUERY_MTU | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list (context, MAX_CERTIFICATE);
  SSL_CTX_set_read_ahead (context, 1);
  SSL_CTX_set_verify (context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_verify);
  SSL_CTX_set_verify_depth (context, 4);

  self->ssl = SSL_new (context);
  bio = BIO_new (method);
  if (self->ssl == NULL || bio == NULL)
    {
      BIO_free (bio);
      return FALSE;
    }
  BIO_set_data (bio, self);
  BIO_set_init (bio, 1);
  SSL_set_bio (self->ssl, bio, bio);
  SSL_set_ex_data (self->ssl, own_index, self);
  SSL_set_mtu (self->ssl, MEDIA_DTLS_MTU);
  DTLS_set_timer_cb (self->ssl, on_timer);
  if (self->client)
    SSL_set_connect_state (self->ssl);
  else
    SSL_set_accept_state (self->ssl);
  return TRUE;
}

MediaDtls *
media_dtls_new (const MediaDtlsParams *params, GError **error)
{
  g_autoptr (MediaDtls) self = g_new0 (MediaDtls, 1);

  g_return_val_if_fail (params->n_fingerprints <= PHONE_MAX_FINGERPRINTS, NULL);
  pthread_once (&once, make_shared);
  ERR_clear_error ();
  self->client = params->client;
  self->n_fingerprints = params->n_fingerprints;
  memcpy (self->fingerprints, params->fingerprints, params->n_fingerprints * sizeof params->fingerprints[0]);
  if (!set_up (self, params))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "OpenSSL cannot do DTLS-SRTP: %s",
                   ERR_reason_error_string (ERR_peek_last_error ()));
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
media_dtls_free (MediaDtls *self)
{
  if (self == NULL)
    return;
  SSL_free (self->ssl);
  SSL_CTX_free (self->context);
  g_queue_clear_full (&self->output, (GDestroyNotify) g_bytes_unref);
  g_free (self);
}

/* ---- life ---- */

static void
fail (MediaDtls *self, unsigned long code)
{
  const char *why = code != 0 ? ERR_reason_error_string (code) : NULL;

  self->state = MEDIA_DTLS_FAILED;
  self->final = self->impostor;
  if (self->impostor)
    g_strlcpy (self->reason, "the peer's certificate does not have the fingerprint that its SDP says", sizeof self->reason);
  else
    g_snprintf (self->reason, sizeof self->reason, "%s", why != NULL ? why : "the peer broke the handshake off");
}

/* TRUE: it goes on. */
static gboolean
check (MediaDtls *self, int result)
{
  if (result > 0)
    return TRUE;
  switch (SSL_get_error (self->ssl, result))
    {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return TRUE;
    case SSL_ERROR_ZERO_RETURN:
      self->state = MEDIA_DTLS_CLOSED;
      return FALSE;
    default:                            /* OpenSSL's numbers, not ours */
      fail (self, ERR_peek_error ());
      return FALSE;
    }
}

static void
advance (MediaDtls *self)
{
  guint8 unused[256];
  int n;

  ERR_clear_error ();
  if (self->state == MEDIA_DTLS_HANDSHAKE)
    {
      gboolean going = check (self, SSL_do_handshake (self->ssl));

      if (!going || !SSL_is_init_finished (self->ssl))
        return;
      if (SSL_get_selected_srtp_profile (self->ssl) == NULL)
        {
          self->state = MEDIA_DTLS_FAILED;
          self->final = TRUE;
          g_strlcpy (self->reason, "the peer has no SRTP suite in common with us", sizeof self->reason);
          return;
        }
      self->state = MEDIA_DTLS_CONNECTED;
    }
  /* Nobody sends data here; reading answers a repeated flight, and sees the end. What goes wrong now (a forged alert cannot) is no reason
   * to give up keys that work. */
  if (self->state == MEDIA_DTLS_CONNECTED)
    {
      for (guint i = 0; i < 8 && (n = SSL_read (self->ssl, unused, sizeof unused)) > 0; i++)
        ;
      if (n <= 0 && SSL_get_error (self->ssl, n) == SSL_ERROR_ZERO_RETURN)
        self->state = MEDIA_DTLS_CLOSED;
    }
  explicit_bzero (unused, sizeof unused);
}

void
media_dtls_start (MediaDtls *self)
{
  if (self->started || self->state != MEDIA_DTLS_HANDSHAKE)
    return;
  self->started = TRUE;
  if (self->client)
    advance (self);
}

void
media_dtls_receive (MediaDtls *self, const guint8 *data, gsize length)
{
  if (self->state == MEDIA_DTLS_FAILED || self->state == MEDIA_DTLS_CLOSED || (self->client && !self->started))
    return;
  self->started = TRUE;
  self->input = data;
  self->input_length = length;
  advance (self);
  self->input = NULL;
  self->input_length = 0;
}

gint64
media_dtls_timeout (MediaDtls *self)
{
  struct timeval left;

  if (!self->started || self->state != MEDIA_DTLS_HANDSHAKE || DTLSv1_get_timeout (self->ssl, &left) != 1)
    return -1;
  return (gint64) left.tv_sec * G_USEC_PER_SEC + left.tv_usec;
}

void
media_dtls_tick (MediaDtls *self)
{
  if (!self->started || self->state != MEDIA_DTLS_HANDSHAKE)
    return;
  ERR_clear_error ();
  if (DTLSv1_handle_timeout (self->ssl) < 0)
    {
      self->state = MEDIA_DTLS_FAILED;
      g_strlcpy (self->reason, "the peer does not answer", sizeof self->reason);
    }
}

void
media_dtls_close (MediaDtls *self)
{
  ERR_clear_error ();
  if (self->state == MEDIA_DTLS_CONNECTED)
    SSL_shutdown (self->ssl);
}

GBytes *
media_dtls_take_output (MediaDtls *self)
{
  return g_queue_pop_head (&self->output);
}

/* ---- what came of it ---- */

MediaDtlsState
media_dtls_get_state (const MediaDtls *self)
{
  return self->state;
}

const char *
media_dtls_get_reason (const MediaDtls *self)
{
  return self->reason;
}

gboolean
media_dtls_is_final (const MediaDtls *self)
{
  return self->final;
}

/* client_write_key | server_write_key | client_write_salt | server_write_salt: RFC 5764 section 4.2 */
gboolean
media_dtls_get_keys (MediaDtls *self, PhoneSrtpKey *ret_send, PhoneSrtpKey *ret_receive, GError **error)
{
  const SRTP_PROTECTION_PROFILE *chosen = SSL_get_selected_srtp_profile (self->ssl);
  guint8 material[2 * PHONE_SRTP_MAX_KEY];
  PhoneSrtpKey *keys[2] = { self->client ? ret_send : ret_receive, self->client ? ret_receive : ret_send };

  memset (ret_send, 0, sizeof *ret_send);
  memset (ret_receive, 0, sizeof *ret_receive);
  for (gsize i = 0; chosen != NULL && self->state == MEDIA_DTLS_CONNECTED && i < G_N_ELEMENTS (profiles); i++)
    {
      gsize key = profiles[i].key, salt = profiles[i].salt;

      if (profiles[i].profile != chosen->id)
        continue;
      g_assert (2 * (key + salt) <= sizeof material && key + salt == phone_srtp_suite_key_length (profiles[i].suite));
      if (SSL_export_keying_material (self->ssl, material, 2 * (key + salt), EXPORTER, strlen (EXPORTER), NULL, 0, 0) != 1)
        break;
      for (gsize side = 0; side < 2; side++)
        {
          keys[side]->suite = profiles[i].suite;
          keys[side]->tag = 1;
          memcpy (keys[side]->key, material + side * key, key);
          memcpy (keys[side]->key + key, material + 2 * key + side * salt, salt);
        }
      explicit_bzero (material, sizeof material);
      return TRUE;
    }
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the DTLS handshake gave no SRTP key");
  return FALSE;
}
