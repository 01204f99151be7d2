/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The talker: Opus at 48 kHz, 20 ms, encoded once at the start and sent in a loop to every call, protected as each call negotiated (SDES,
 * RFC 4568). What comes back is unprotected, so that a phone which sends rubbish shows, and then dropped. */

#include "peer.h"

#include <arpa/inet.h>
#include <opus/opus.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define FRAME 960               /* samples: 20 ms at 48 kHz */
#define FRAME_NS 20000000
#define PAYLOAD_TYPE 96
#define FIRST_PORT 40000

static const struct
{
  const char *name;
  gsize length;                 /* octets of key and salt */
} suites[] = {
  [PEER_SRTP_NONE] = { NULL, 0 },
  [PEER_SRTP_AES_CM_128] = { "AES_CM_128_HMAC_SHA1_80", 30 },
  [PEER_SRTP_AEAD_256] = { "AEAD_AES_256_GCM", 44 },
};

/* speech: raw samples, 16 bits, 48 kHz, mono. */
gboolean
peer_media_init (Peer *self, const char *speech)
{
  g_autofree char *data = NULL;
  gsize length;
  int error;
  OpusEncoder *encoder;

  if (srtp_init () != srtp_err_status_ok || !g_file_get_contents (speech, &data, &length, NULL))
    return FALSE;
  encoder = opus_encoder_create (48000, 1, OPUS_APPLICATION_VOIP, &error);
  if (!encoder)
    return FALSE;
  opus_encoder_ctl (encoder, OPUS_SET_BITRATE (28000));
  self->frames = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (gsize at = 0; at + FRAME * 2 <= length; at += FRAME * 2)
    {
      guint8 packet[400];
      opus_int32 n = opus_encode (encoder, (const opus_int16 *) (data + at), FRAME, packet, sizeof packet);

      if (n > 0)
        g_ptr_array_add (self->frames, g_bytes_new (packet, (gsize) n));
    }
  opus_encoder_destroy (encoder);
  return self->frames->len > 0;
}

static int
open_socket (Peer *self, guint16 port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int one = 1;

  inet_pton (AF_INET, self->address, &address.sin_addr);
  setsockopt (fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
  if (bind (fd, (struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

gboolean
peer_media_open (Peer *self, PeerCall *call, PeerSuite suite)
{
  call->port = (guint16) (FIRST_PORT + 2 * (call - self->calls));
  call->rtp = open_socket (self, call->port);
  call->rtcp = open_socket (self, call->port + 1);
  call->suite = suite;
  call->ssrc = g_random_int ();
  call->sequence = (guint16) g_random_int_range (0, 1000);
  for (gsize i = 0; i < sizeof call->key; i++)
    call->key[i] = (guint8) g_random_int ();
  return call->rtp >= 0 && call->rtcp >= 0;
}

char *
peer_media_offer (Peer *self, PeerCall *call)
{
  g_autofree char *key = g_base64_encode (call->key, suites[call->suite].length);
  g_autofree char *crypto = call->suite ? g_strdup_printf ("a=crypto:1 %s inline:%s\r\n", suites[call->suite].name, key) : g_strdup ("");

  return g_strdup_printf ("v=0\r\no=- %u 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u %s %u\r\n"
                          "a=rtpmap:%u opus/48000/2\r\na=fmtp:%u useinbandfec=1;stereo=0;sprop-stereo=0\r\na=ptime:20\r\n%sa=sendrecv\r\n",
                          call->number, self->address, self->address, call->port, call->suite ? "RTP/SAVP" : "RTP/AVP", PAYLOAD_TYPE,
                          PAYLOAD_TYPE, PAYLOAD_TYPE, crypto);
}

static gboolean
make_session (PeerSuite suite, guint8 *key, guint32 ssrc, srtp_t *ret_session)
{
  srtp_policy_t policy;

  memset (&policy, 0, sizeof policy);
  if (suite == PEER_SRTP_AEAD_256)
    {
      srtp_crypto_policy_set_aes_gcm_256_16_auth (&policy.rtp);
      srtp_crypto_policy_set_aes_gcm_256_16_auth (&policy.rtcp);
    }
  else
    {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80 (&policy.rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80 (&policy.rtcp);
    }
  policy.ssrc.type = ssrc ? ssrc_specific : ssrc_any_inbound;
  policy.ssrc.value = ssrc;
  policy.key = key;
  policy.window_size = 128;
  return srtp_create (ret_session, &policy) == srtp_err_status_ok;
}

gboolean
peer_media_answered (Peer *self, PeerCall *call, const char *sdp)
{
  const char *m = strstr (sdp, "m=audio ");
  const char *c = m ? strstr (m, "c=IN IP4 ") : NULL;
  char host[64];
  guint port;

  c = c ? c : strstr (sdp, "c=IN IP4 ");
  if (!m || !c || sscanf (m, "m=audio %u", &port) != 1 || sscanf (c, "c=IN IP4 %63[0-9.]", host) != 1 || port == 0)
    return FALSE;
  call->to_rtp = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons ((guint16) port) };
  inet_pton (AF_INET, host, &call->to_rtp.sin_addr);
  if (call->suite)
    {
      g_autofree char *wanted = g_strdup_printf (" %s inline:", suites[call->suite].name);
      const char *at = strstr (m, wanted);
      g_autofree char *text = NULL;
      g_autofree guint8 *key = NULL;
      gsize length;

      if (!at)
        return FALSE;
      at += strlen (wanted);
      text = g_strndup (at, strcspn (at, "|\r\n "));
      key = g_base64_decode (text, &length);
      if (length != suites[call->suite].length || !make_session (call->suite, key, 0, &call->in)
          || !make_session (call->suite, call->key, call->ssrc, &call->out))
        return FALSE;
    }
  call->frame = call->number * 7 % self->frames->len;
  call->talking = TRUE;
  return TRUE;
}

static void
talk (Peer *self, PeerCall *call)
{
  gsize length;
  const void *frame = g_bytes_get_data (g_ptr_array_index (self->frames, call->frame), &length);
  guint8 packet[12 + 400 + SRTP_MAX_TRAILER_LEN] = { 0x80, PAYLOAD_TYPE };
  int size = 12 + (int) length;
  guint16 sequence = htons (call->sequence++);
  guint32 timestamp = htonl (call->timestamp), ssrc = htonl (call->ssrc);

  memcpy (packet + 2, &sequence, 2);
  memcpy (packet + 4, &timestamp, 4);
  memcpy (packet + 8, &ssrc, 4);
  memcpy (packet + 12, frame, length);
  call->timestamp += FRAME;
  call->frame = (call->frame + 1) % self->frames->len;
  if (call->out && srtp_protect (call->out, packet, &size) != srtp_err_status_ok)
    return;
  if (sendto (call->rtp, packet, (gsize) size, 0, (struct sockaddr *) &call->to_rtp, sizeof call->to_rtp) > 0)
    self->sent++;
}

void
peer_media_pace (Peer *self)
{
  struct itimerspec every = { { 0, 0 }, { 0, 0 } };
  gboolean wanted = FALSE;

  for (guint i = 0; i < PEER_MAX_CALLS && !wanted; i++)
    wanted = self->calls[i].talking;
  if (wanted == self->paced)
    return;
  self->paced = wanted;
  if (wanted)
    every.it_interval.tv_nsec = every.it_value.tv_nsec = FRAME_NS / PEER_SLOTS;
  timerfd_settime (self->timer, 0, &every, NULL);
}

void
peer_media_tick (Peer *self)
{
  self->slot = (self->slot + 1) % PEER_SLOTS;
  for (guint i = self->slot; i < PEER_MAX_CALLS; i += PEER_SLOTS)
    if (self->calls[i].talking)
      talk (self, &self->calls[i]);
}

void
peer_media_read (Peer *self, PeerCall *call)
{
  guint8 packet[2048];
  struct sockaddr_in from;
  gint64 at;
  gssize n;

  while (call->rtp >= 0 && (n = peer_receive (call->rtp, packet, sizeof packet, &from, &at)) >= 12)
    {
      int size = (int) n;

      if (!call->first_rtp)
        call->first_rtp = at;
      self->received++;
      if (call->in && srtp_unprotect (call->in, packet, &size) != srtp_err_status_ok)
        self->bad++;
    }
  while (call->rtcp >= 0 && recv (call->rtcp, packet, sizeof packet, MSG_DONTWAIT) >= 0)
    ;
}

void
peer_media_close (PeerCall *call)
{
  if (call->rtp >= 0)
    close (call->rtp);
  if (call->rtcp >= 0)
    close (call->rtcp);
  if (call->in)
    srtp_dealloc (call->in);
  if (call->out)
    srtp_dealloc (call->out);
  call->in = call->out = NULL;
  call->rtp = call->rtcp = -1;
  call->talking = FALSE;
}
