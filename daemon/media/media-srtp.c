/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keys, as one call needs them.
 *
 * Sending has one key. Receiving has up to three, because a re-INVITE hands us a key at one moment and the peer starts to use it
 * at another, and the network reorders what was sent around that moment (RFC 4568 section 7.1.4 leaves both open):
 *
 *    set_receive_key ()          a packet authenticates with next         5 s or 512 packets later
 *   ------------------> next  ---------------------------------> current ---------------------------> (wiped)
 *                                       current ---> old
 *
 * A packet is tried with current, next, old, in this order; each try is a complete libsrtp session with its own replay windows.
 * Nobody without a key can move anything: promotion, new sources and counters all follow an authenticated packet.
 *
 * Rollover counters. libsrtp starts a source at 0, which is wrong in two cases that are met in the field and that end in a call that is
 * silent for good. (1) After a rekey RFC 3711 section 3.3.1 lets the counter go on, while RFC 4568 section 7.1.4 restarts it
 * when the address changed, and peers are known that always restart it: for a source that an elder key knows, the counter that continues
 * is tried first, then 0. (2) The packets before the first wrap may never have reached us (sender starts at 65530, we open late):
 * an unknown source with a small number gets one more try with counter 1, within a budget, so that a flood does not double its price.
 *
 * RTP and RTCP have a libsrtp session each, so that a report which arrives first does not create a source whose counter stands at 0.
 *
 * A master key identifier is put in and taken out here: libsrtp 2.5 looks for it in the wrong place of a GCM report. It stands before the
 * auth tag with HMAC-SHA1 (RFC 3711 section 3.1) and at the very end with GCM (RFC 7714 sections 8.2 and 9.2); it is not authenticated.
 *
 * The auth tag of SRTCP is always 80 bits with the HMAC-SHA1 suites, the _32 ones too (RFC 4568 section 6.2, RFC 6188 section 4). */

#include "media/media-srtp.h"

#include <pthread.h>
#include <srtp2/srtp.h>
#include <srtp2/cipher.h>
#include <string.h>

#include "media/media-octets.h"
#include "media/media-srtp-streams.h"
#include "util/secret.h"

#define RTP_WINDOW 1024                         /* packets; RFC 3711 section 3.3.2 asks for 64 at least */
#define OLD_KEY_TIME (5 * G_USEC_PER_SEC)
#define LATER_KEY_TIME (300 * 1000)      /* us */
#define OLD_KEY_PACKETS 512
#define WRAP_TRIES_PER_SECOND 20

#define RTP_HEADER 12
#define RTCP_HEADER 8
#define RTCP_INDEX 4
#define MAX_MKI 128                             /* RFC 4568 section 6.1 */

typedef struct
{
  srtp_t session;
  MediaSrtpStreams streams;
} Half;

/* One receive key. */
typedef struct
{
  PhoneSrtpKey key;
  Half rtp, rtcp;
} Context;

struct _MediaSrtp
{
  gboolean has_send_key;
  PhoneSrtpKey send_key;
  srtp_t send;
  gint64 later_until;           /* us, 0: no key waits */
  PhoneSrtpKey later_key;

  Context *current, *next, *old;
  gint64 old_until;
  guint old_packets;

  gint64 wrap_second;
  guint wrap_tries;
  MediaSrtpStats stats;
  guint8 saved[MEDIA_SRTP_MAX_PACKET];          /* the packet as it came, for the next key to try; a failed try spoils it */
  guint8 retry[MEDIA_SRTP_MAX_PACKET];          /* the same within one key */
};

/* Exported by libsrtp with every cryptographic library that it can stand on; its header is not installed. */
extern const srtp_cipher_type_t srtp_aes_icm_128;

static srtp_err_status_t start_status;

static void
start_libsrtp (void)
{
  /* Where libsrtp stands on NSS (Debian), NSS loads its modules for the first cipher and unloads them after the last one. The start-up
   * tests have one cipher at a time: 14 times load and unload, some 40 ms, and once more for every first key after a silence. This
   * cipher is never used and never freed: it keeps them. */
  static srtp_cipher_t *keeper;

  if (srtp_aes_icm_128.alloc (&keeper, SRTP_AES_ICM_128_KEY_LEN_WSALT, 0) != srtp_err_status_ok)
    keeper = NULL;
  start_status = srtp_init ();
}

gboolean
media_srtp_init (GError **error)
{
  /* Not g_once_init_enter (): the thread sanitizer knows pthread_once (), and not how GLib hands over what was made once. */
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once (&once, start_libsrtp);
  if (start_status != srtp_err_status_ok)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "libsrtp failed its start-up tests (status %d)", start_status);
      return FALSE;
    }
  return TRUE;
}

static void
policies_for_suite (PhoneSrtpSuite suite, srtp_crypto_policy_t *ret_rtp, srtp_crypto_policy_t *ret_rtcp)
{
  switch (suite)
    {
    case PHONE_SRTP_AEAD_AES_256_GCM:
      srtp_crypto_policy_set_aes_gcm_256_16_auth (ret_rtp);
      srtp_crypto_policy_set_aes_gcm_256_16_auth (ret_rtcp);
      return;
    case PHONE_SRTP_AEAD_AES_128_GCM:
      srtp_crypto_policy_set_aes_gcm_128_16_auth (ret_rtp);
      srtp_crypto_policy_set_aes_gcm_128_16_auth (ret_rtcp);
      return;
    case PHONE_SRTP_AES_256_CM_HMAC_SHA1_80:
      srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 (ret_rtp);
      srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 (ret_rtcp);
      return;
    case PHONE_SRTP_AES_256_CM_HMAC_SHA1_32:
      srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32 (ret_rtp);
      srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80 (ret_rtcp);
      return;
    case PHONE_SRTP_AES_CM_128_HMAC_SHA1_80:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80 (ret_rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80 (ret_rtcp);
      return;
    case PHONE_SRTP_AES_CM_128_HMAC_SHA1_32:
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32 (ret_rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80 (ret_rtcp);
      return;
    }
  g_assert_not_reached ();
}

/* A libsrtp policy with what it points to; lives on the stack and is wiped with policy_clear(). */
typedef struct
{
  srtp_policy_t policy;
  guint8 key[PHONE_SRTP_MAX_KEY];
} Policy;

static void
policy_init (Policy *p, const PhoneSrtpKey *key, srtp_ssrc_type_t type, guint32 ssrc)
{
  memset (p, 0, sizeof *p);
  memcpy (p->key, key->key, sizeof p->key);
  policies_for_suite (key->suite, &p->policy.rtp, &p->policy.rtcp);
  p->policy.ssrc.type = type;
  p->policy.ssrc.value = ssrc;
  p->policy.window_size = RTP_WINDOW;
  p->policy.key = p->key;
}

static void
policy_clear (Policy *p)
{
  explicit_bzero (p, sizeof *p);
  phone_secret_wipe_stack ();   /* key schedules of libsrtp and the ciphers below it */
}

static srtp_t
session_new (const PhoneSrtpKey *key, srtp_ssrc_type_t type, GError **error)
{
  Policy p;
  srtp_t session = NULL;

  policy_init (&p, key, type, 0);
  srtp_err_status_t status = srtp_create (&session, &p.policy);
  policy_clear (&p);
  if (status != srtp_err_status_ok)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "libsrtp takes no %s key (status %d)",
                   phone_srtp_suite_to_string (key->suite), status);
      return NULL;
    }
  return session;
}

static gboolean
key_is_sane (const PhoneSrtpKey *key, GError **error)
{
  if (key->mki_length <= MAX_MKI)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "MKI of %u octets is longer than RFC 4568 allows (%u)",
               key->mki_length, MAX_MKI);
  return FALSE;
}

static gboolean
key_equal (const PhoneSrtpKey *a, const PhoneSrtpKey *b)
{
  if (a->suite != b->suite || a->mki_length != b->mki_length || (a->mki_length > 0 && a->mki != b->mki))
    return FALSE;
  srtp_crypto_policy_t rtp, rtcp;
  policies_for_suite (a->suite, &rtp, &rtcp);
  return memcmp (a->key, b->key, MIN ((gsize) rtp.cipher_key_len, sizeof a->key)) == 0;
}

/* Octets of the packet that follow the MKI. */
static gsize
mki_tail (const PhoneSrtpKey *key, gboolean rtcp)
{
  srtp_crypto_policy_t rtp_policy, rtcp_policy;

  if (key->suite == PHONE_SRTP_AEAD_AES_256_GCM || key->suite == PHONE_SRTP_AEAD_AES_128_GCM)
    return 0;
  policies_for_suite (key->suite, &rtp_policy, &rtcp_policy);
  return (gsize) (rtcp ? rtcp_policy.auth_tag_len : rtp_policy.auth_tag_len);
}

static void
mki_write (const PhoneSrtpKey *key, guint8 *ret)
{
  guint32 value = key->mki;
  for (guint i = key->mki_length; i > 0; i--, value >>= 8)
    ret[i - 1] = value & 0xff;
}

/* FALSE: another MKI than the key's. The caller has checked the length. */
static gboolean
mki_remove (const PhoneSrtpKey *key, gboolean rtcp, guint8 *packet, gsize *length)
{
  guint8 wanted[MAX_MKI];
  gsize tail = mki_tail (key, rtcp);
  guint8 *mki = packet + *length - tail - key->mki_length;

  mki_write (key, wanted);
  if (memcmp (mki, wanted, key->mki_length) != 0)
    return FALSE;
  memmove (mki, mki + key->mki_length, tail);
  *length -= key->mki_length;
  return TRUE;
}

static void
mki_insert (const PhoneSrtpKey *key, gboolean rtcp, guint8 *packet, gsize *length)
{
  gsize tail = mki_tail (key, rtcp);
  guint8 *mki = packet + *length - tail;

  memmove (mki + key->mki_length, mki, tail);
  mki_write (key, mki);
  *length += key->mki_length;
}

static void
context_free (Context *context)
{
  if (context == NULL)
    return;
  if (context->rtp.session != NULL)
    srtp_dealloc (context->rtp.session);
  if (context->rtcp.session != NULL)
    srtp_dealloc (context->rtcp.session);
  explicit_bzero (context, sizeof *context);
  g_free (context);
}

static Context *
context_new (const PhoneSrtpKey *key, GError **error)
{
  Context *context = g_new0 (Context, 1);

  context->key = *key;
  if ((context->rtp.session = session_new (key, ssrc_any_inbound, error)) == NULL
      || (context->rtcp.session = session_new (key, ssrc_any_inbound, error)) == NULL)
    g_clear_pointer (&context, context_free);
  return context;
}

MediaSrtp *
media_srtp_new (void)
{
  return g_new0 (MediaSrtp, 1);
}

void
media_srtp_free (MediaSrtp *srtp)
{
  if (srtp == NULL)
    return;
  if (srtp->send != NULL)
    srtp_dealloc (srtp->send);
  context_free (srtp->current);
  context_free (srtp->next);
  context_free (srtp->old);
  explicit_bzero (srtp, sizeof *srtp);
  g_free (srtp);
}

gboolean
media_srtp_can_send (const MediaSrtp *srtp)
{
  return srtp->has_send_key;
}

void
media_srtp_get_stats (const MediaSrtp *srtp, MediaSrtpStats *ret_stats)
{
  *ret_stats = srtp->stats;
}

static void
forget_later (MediaSrtp *srtp)
{
  srtp->later_until = 0;
  explicit_bzero (&srtp->later_key, sizeof srtp->later_key);
}

gboolean
media_srtp_set_send_key (MediaSrtp *srtp, const PhoneSrtpKey *key, gboolean restart, GError **error)
{
  if (!key_is_sane (key, error) || !media_srtp_init (error))
    return FALSE;
  if (key != &srtp->later_key)
    forget_later (srtp);
  /* The same key with its counters set back would use a key stream twice, which gives both texts away. */
  if (srtp->has_send_key && key_equal (&srtp->send_key, key))
    return TRUE;

  if (srtp->has_send_key && !restart)
    {
      Policy p;
      policy_init (&p, key, ssrc_any_outbound, 0);
      srtp_err_status_t status = srtp_update (srtp->send, &p.policy);
      policy_clear (&p);
      if (status != srtp_err_status_ok)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "libsrtp takes no new %s key (status %d)",
                       phone_srtp_suite_to_string (key->suite), status);
          return FALSE;
        }
    }
  else
    {
      srtp_t session = session_new (key, ssrc_any_outbound, error);
      if (session == NULL)
        return FALSE;
      if (srtp->send != NULL)
        srtp_dealloc (srtp->send);
      srtp->send = session;
    }
  if (srtp->has_send_key)
    srtp->stats.send_key_changes++;
  srtp->send_key = *key;
  srtp->has_send_key = TRUE;
  return TRUE;
}

/* It was found sane, and what libsrtp might refuse leaves the old one in place. */
static void
use_later (MediaSrtp *srtp)
{
  g_autoptr (GError) error = NULL;

  if (!media_srtp_set_send_key (srtp, &srtp->later_key, FALSE, &error))
    g_warning ("%s", error->message);
  forget_later (srtp);
}

gboolean
media_srtp_set_send_key_later (MediaSrtp *srtp, const PhoneSrtpKey *key, gint64 now, GError **error)
{
  if (!srtp->has_send_key || srtp->next == NULL)
    return media_srtp_set_send_key (srtp, key, FALSE, error);
  if (!key_is_sane (key, error))
    return FALSE;
  forget_later (srtp);
  if (key_equal (&srtp->send_key, key))
    return TRUE;
  srtp->later_key = *key;
  srtp->later_until = now + LATER_KEY_TIME;
  return TRUE;
}

gboolean
media_srtp_set_receive_key (MediaSrtp *srtp, const PhoneSrtpKey *key, GError **error)
{
  if (!key_is_sane (key, error) || !media_srtp_init (error))
    return FALSE;
  if (srtp->current != NULL && key_equal (&srtp->current->key, key))
    {
      /* Back to what runs: an offer with another key came to nothing. */
      g_clear_pointer (&srtp->next, context_free);
      return TRUE;
    }
  if (srtp->next != NULL && key_equal (&srtp->next->key, key))
    return TRUE;
  if (srtp->old != NULL && key_equal (&srtp->old->key, key))
    {
      /* The replay windows of a key live as long as we know the key. */
      context_free (srtp->next);
      srtp->next = g_steal_pointer (&srtp->old);
      return TRUE;
    }

  Context *context = context_new (key, error);
  if (context == NULL)
    return FALSE;
  if (srtp->current == NULL)
    srtp->current = context;
  else
    {
      context_free (srtp->next);
      srtp->next = context;
    }
  return TRUE;
}

/* ---- receiving ---- */

static MediaSrtpResult
result_from_status (srtp_err_status_t status)
{
  if (status == srtp_err_status_ok)
    return MEDIA_SRTP_OK;
  if (status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old)
    return MEDIA_SRTP_REPLAYED;
  return MEDIA_SRTP_AUTH_FAILED;
}

/* libsrtp computes the place of tag and MKI by unsigned subtraction: whatever is shorter than header, tag and MKI must not get there. */
static gboolean
has_room_for_trailer (const Context *context, gboolean rtcp, const guint8 *packet, gsize length)
{
  srtp_crypto_policy_t rtp_policy, rtcp_policy;
  gsize header;

  policies_for_suite (context->key.suite, &rtp_policy, &rtcp_policy);
  gsize trailer = context->key.mki_length + (rtcp ? rtcp_policy.auth_tag_len + RTCP_INDEX : rtp_policy.auth_tag_len);
  if (rtcp)
    header = RTCP_HEADER;
  else
    {
      header = RTP_HEADER + 4 * (packet[0] & 0x0f);
      if (packet[0] & 0x10)
        {
          if (length < header + 4)
            return FALSE;
          header += 4 + 4 * ((gsize) packet[header + 2] << 8 | packet[header + 3]);
        }
    }
  return length >= header + trailer;
}

static MediaSrtpResult
half_unprotect (Half *half, gboolean rtcp, guint8 *packet, gsize *length)
{
  int octets = (int) *length;
  srtp_err_status_t status = rtcp ? srtp_unprotect_rtcp (half->session, packet, &octets)
                                  : srtp_unprotect (half->session, packet, &octets);
  if (status == srtp_err_status_ok)
    *length = (gsize) octets;
  return result_from_status (status);
}

/* An unknown source with a rollover counter that libsrtp would not assume. */
static MediaSrtpResult
unprotect_with_roc (Context *context, guint32 ssrc, guint32 roc, guint8 *packet, gsize *length)
{
  Policy p;

  policy_init (&p, &context->key, ssrc_specific, ssrc);
  srtp_err_status_t status = srtp_add_stream (context->rtp.session, &p.policy);
  policy_clear (&p);
  if (status != srtp_err_status_ok)
    return MEDIA_SRTP_AUTH_FAILED;
  srtp_set_stream_roc (context->rtp.session, ssrc, roc);
  MediaSrtpResult result = half_unprotect (&context->rtp, FALSE, packet, length);
  if (result != MEDIA_SRTP_OK)
    srtp_remove_stream (context->rtp.session, g_htonl (ssrc));
  return result;
}

static gboolean
may_try_wrapped (MediaSrtp *srtp, gint64 now)
{
  gint64 second = now / G_USEC_PER_SEC;
  if (second != srtp->wrap_second)
    {
      srtp->wrap_second = second;
      srtp->wrap_tries = 0;
    }
  return srtp->wrap_tries++ < WRAP_TRIES_PER_SECOND;
}

static MediaSrtpResult
context_unprotect (MediaSrtp *srtp, Context *context, gboolean rtcp, guint8 *packet, gsize *length, gint64 now)
{
  Half *half = rtcp ? &context->rtcp : &context->rtp;
  guint32 ssrc = media_read32 (packet + (rtcp ? 4 : 8));
  guint16 seq = rtcp ? 0 : (guint16) (packet[2] << 8 | packet[3]);
  guint8 *retry = srtp->retry;
  guint32 roc = 0, evicted;
  MediaSrtpResult result = MEDIA_SRTP_AUTH_FAILED;

  if (!has_room_for_trailer (context, rtcp, packet, *length))
    return MEDIA_SRTP_MALFORMED;
  if (context->key.mki_length > 0 && !mki_remove (&context->key, rtcp, packet, length))
    return MEDIA_SRTP_AUTH_FAILED;

  gboolean known = media_srtp_streams_find (&half->streams, ssrc) != NULL;
  if (!known && !media_srtp_streams_may_enter (&half->streams, ssrc))
    return MEDIA_SRTP_REFUSED;

  if (!known && !rtcp && context == srtp->next)
    {
      const MediaSrtpStream *elder = media_srtp_streams_find (&srtp->current->rtp.streams, ssrc);
      if (elder != NULL && (roc = media_srtp_stream_guess_roc (elder, seq)) > 0)
        {
          memcpy (retry, packet, *length);
          result = unprotect_with_roc (context, ssrc, roc, packet, length);
          if (result != MEDIA_SRTP_OK)
            memcpy (packet, retry, *length);
        }
    }
  gboolean try_wrapped = !known && !rtcp && seq < 0x8000;
  if (result != MEDIA_SRTP_OK)
    {
      roc = 0;
      if (try_wrapped)
        memcpy (retry, packet, *length);
      result = half_unprotect (half, rtcp, packet, length);
    }
  if (result == MEDIA_SRTP_AUTH_FAILED && try_wrapped && may_try_wrapped (srtp, now))
    {
      memcpy (packet, retry, *length);
      roc = 1;
      result = unprotect_with_roc (context, ssrc, roc, packet, length);
    }
  if (result == MEDIA_SRTP_OK && media_srtp_streams_seen (&half->streams, ssrc, seq, roc, &evicted))
    srtp_remove_stream (half->session, g_htonl (evicted));
  return result;
}

static void
promote_next (MediaSrtp *srtp, gint64 now)
{
  context_free (srtp->old);
  srtp->old = srtp->current;
  srtp->current = g_steal_pointer (&srtp->next);
  srtp->old_until = now + OLD_KEY_TIME;
  srtp->old_packets = OLD_KEY_PACKETS;
  srtp->stats.receive_key_changes++;
  if (srtp->later_until != 0)
    use_later (srtp);
}

static MediaSrtpResult
unprotect (MediaSrtp *srtp, gboolean rtcp, guint8 *packet, gsize *length, gint64 now)
{
  gsize received = *length;

  if (received < (rtcp ? RTCP_HEADER : RTP_HEADER) || received > MEDIA_SRTP_MAX_PACKET || packet[0] >> 6 != 2)
    {
      srtp->stats.malformed++;
      return MEDIA_SRTP_MALFORMED;
    }
  if (srtp->current == NULL)
    return MEDIA_SRTP_NO_KEY;
  if (srtp->old != NULL && (now >= srtp->old_until || srtp->old_packets == 0))
    g_clear_pointer (&srtp->old, context_free);

  Context *const contexts[] = { srtp->current, srtp->next, srtp->old };
  MediaSrtpResult worst = MEDIA_SRTP_AUTH_FAILED;

  memcpy (srtp->saved, packet, received);
  for (guint i = 0; i < G_N_ELEMENTS (contexts); i++)
    {
      if (contexts[i] == NULL)
        continue;
      MediaSrtpResult result = context_unprotect (srtp, contexts[i], rtcp, packet, length, now);
      if (result == MEDIA_SRTP_OK)
        {
          if (contexts[i] == srtp->next)
            promote_next (srtp, now);
          else if (srtp->old != NULL)
            srtp->old_packets--;
          return MEDIA_SRTP_OK;
        }
      if (result != MEDIA_SRTP_AUTH_FAILED && worst == MEDIA_SRTP_AUTH_FAILED)
        worst = result;
      memcpy (packet, srtp->saved, received);
      *length = received;
    }

  switch (worst)
    {
    case MEDIA_SRTP_REPLAYED: srtp->stats.replayed++; break;
    case MEDIA_SRTP_REFUSED: srtp->stats.refused++; break;
    case MEDIA_SRTP_MALFORMED: srtp->stats.malformed++; break;
    case MEDIA_SRTP_AUTH_FAILED: srtp->stats.auth_failures++; break;
    case MEDIA_SRTP_OK:
    case MEDIA_SRTP_NO_KEY:
      g_assert_not_reached ();
    }
  return worst;
}

MediaSrtpResult
media_srtp_unprotect_rtp (MediaSrtp *srtp, guint8 *packet, gsize *length, gint64 now)
{
  return unprotect (srtp, FALSE, packet, length, now);
}

MediaSrtpResult
media_srtp_unprotect_rtcp (MediaSrtp *srtp, guint8 *packet, gsize *length, gint64 now)
{
  return unprotect (srtp, TRUE, packet, length, now);
}

/* ---- sending ---- */

static MediaSrtpResult
protect (MediaSrtp *srtp, gboolean rtcp, guint8 *packet, gsize *length, gsize capacity)
{
  g_return_val_if_fail (capacity >= *length + MEDIA_SRTP_TRAILER, MEDIA_SRTP_MALFORMED);

  if (!srtp->has_send_key)
    return MEDIA_SRTP_NO_KEY;
  if (srtp->later_until != 0 && g_get_monotonic_time () >= srtp->later_until)
    use_later (srtp);
  if (*length < (rtcp ? RTCP_HEADER : RTP_HEADER) || *length > MEDIA_SRTP_MAX_PACKET)
    return MEDIA_SRTP_MALFORMED;

  int octets = (int) *length;
  srtp_err_status_t status = rtcp ? srtp_protect_rtcp (srtp->send, packet, &octets) : srtp_protect (srtp->send, packet, &octets);
  if (status != srtp_err_status_ok)
    return result_from_status (status);
  *length = (gsize) octets;
  if (srtp->send_key.mki_length > 0)
    mki_insert (&srtp->send_key, rtcp, packet, length);
  return MEDIA_SRTP_OK;
}

MediaSrtpResult
media_srtp_protect_rtp (MediaSrtp *srtp, guint8 *packet, gsize *length, gsize capacity)
{
  return protect (srtp, FALSE, packet, length, capacity);
}

MediaSrtpResult
media_srtp_protect_rtcp (MediaSrtp *srtp, guint8 *packet, gsize *length, gsize capacity)
{
  return protect (srtp, TRUE, packet, length, capacity);
}
