/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The other side of every measurement: a registrar, a caller and a talker on one address, for any SIP phone.
 *
 * It is deliberately simple (one thread, one poll, fixed messages, no retransmissions: loopback loses nothing that a measurement may
 * survive), so that what is measured is the phone. Times of packets are the kernel's (SO_TIMESTAMPNS): how soon this process is
 * scheduled does not count. CLOCK_REALTIME throughout, because that is the kernel's clock for packets. */

#include <glib.h>
#include <netinet/in.h>
#include <srtp2/srtp.h>
#include <systemd/sd-bus.h>

#define PEER_MAX_CALLS 64
#define PEER_MESSAGE 8192
#define PEER_SLOTS 10           /* the packets of all calls are spread over a frame of 20 ms */

typedef enum
{
  PEER_SRTP_NONE,
  PEER_SRTP_AES_CM_128,
  PEER_SRTP_AEAD_256,
} PeerSuite;

typedef struct
{
  gboolean used;
  guint number;
  /* signalling */
  char *call_id, *local_tag, *branch, *to;      /* to: value with the peer's tag, once there is one */
  char *remote_target;
  char *path;                   /* of the phone's call object on D-Bus */
  guint status;                 /* highest response to the INVITE so far, 0: none */
  gboolean ended;               /* BYE or CANCEL is through */
  gint64 invited, ringing, added, accept_sent, accepted, first_rtp;     /* ns, 0: not yet */
  /* media */
  int rtp, rtcp;                /* sockets */
  guint16 port;
  PeerSuite suite;
  guint8 key[46];
  struct sockaddr_in to_rtp;
  srtp_t in, out;
  gboolean talking;
  guint frame;                  /* of the looped speech */
  guint16 sequence;
  guint32 timestamp, ssrc;
} PeerCall;

typedef struct
{
  const char *address;
  int sip, timer;
  struct sockaddr_in phone;     /* where its last REGISTER came from */
  char *contact;
  gint64 registered;            /* ns, arrival of the REGISTER that was accepted */
  guint seen_register, seen_options, seen_keepalive, seen_other;
  PeerCall calls[PEER_MAX_CALLS];
  guint next_call;              /* number of the next one */
  /* what opens and accepts calls at the phone */
  sd_bus *bus;
  int control;
  char *last_path;
  gint64 last_added;
  /* media */
  GPtrArray *frames;            /* GBytes: encoded speech, 20 ms each */
  guint slot;
  gboolean paced;               /* the timer runs */
  guint64 sent, received, bad;  /* packets; bad: did not authenticate */
} Peer;

gint64 peer_now (void);         /* CLOCK_REALTIME, ns */
gssize peer_receive (int fd, void *buffer, gsize size, struct sockaddr_in *ret_from, gint64 *ret_at);

/* signalling: peer-sip.c */
gboolean peer_sip_open (Peer *self, guint16 port);
void peer_sip_read (Peer *self);
PeerCall *peer_sip_invite (Peer *self, PeerSuite suite, gboolean media);
void peer_sip_cancel (Peer *self, PeerCall *call);
void peer_sip_bye (Peer *self, PeerCall *call);
void peer_call_clear (PeerCall *call);

/* media: peer-media.c */
gboolean peer_media_init (Peer *self, const char *speech);
gboolean peer_media_open (Peer *self, PeerCall *call, PeerSuite suite);
char *peer_media_offer (Peer *self, PeerCall *call);
gboolean peer_media_answered (Peer *self, PeerCall *call, const char *sdp);
void peer_media_pace (Peer *self);      /* the timer runs while somebody talks, and only then */
void peer_media_tick (Peer *self);
void peer_media_read (Peer *self, PeerCall *call);
void peer_media_close (PeerCall *call);
