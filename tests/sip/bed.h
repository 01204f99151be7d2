/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One whole phone ("alice") and one scripted peer ("bob"), and the messages that the peer sends. */

#include "harness.h"
#include "peer.h"

#define PHONE "127.20.3.1"
#define PEER "127.20.3.9"
#define PORT 5060

typedef struct
{
  Agent *agent;
  Peer *peer;
  PhoneCall *call;
  const char *phone, *bob;      /* addresses; NULL: PHONE and PEER */
} Bed;

void bed_open (Bed *bed);
void bed_close (Bed *bed);      /* the peer answers 200 to what comes on the way out */
void bed_on_farewell (Peer *peer, const PeerMessage *message, gpointer data);
extern const char bed_contact[];        /* Contact and Allow of the peer */

const PeerMessage *bed_await_request (Bed *bed, const char *method, guint n);
const PeerMessage *bed_await_response (Bed *bed, guint status, const char *method);
const PeerMessage *bed_dial (Bed *bed);         /* places a call; returns the INVITE */
void bed_answer (Bed *bed, const PeerMessage *invite, const char *extra);
void bed_dial_and_answer (Bed *bed, const char *extra);

/* The dialog as the peer sees it. */
typedef struct
{
  char *call_id, *phone_tag, *phone_uri;
} BedDialog;
BedDialog bed_dialog_from (const PeerMessage *invite);
void bed_dialog_clear (BedDialog *dialog);
void bed_send_in_dialog (Bed *bed, const BedDialog *dialog, const char *method, guint cseq, const char *extra, const char *type,
                         const char *body);

void bed_send_invite_full (Bed *bed, const char *uri, const char *to, const char *branch, const char *extra, const char *type,
                           const char *body);
void bed_send_invite (Bed *bed, const char *branch, const char *extra, const char *body);
void bed_send_ack (Bed *bed, const PeerMessage *response, const char *branch, const char *body);
PhoneCall *bed_await_call (Bed *bed);
char *bed_tag_of (const PeerMessage *message, const char *name);
