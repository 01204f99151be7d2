/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Roles (RFC 5763 section 5, RFC 8842 section 5). We offer actpass and answer active, so that our ClientHello goes out together with the
 * answer; where an association runs its roles stay.
 *
 *     offer        we answer                      answer to us     we are
 *     actpass      active (the role that runs)    active           server
 *     active       passive                        passive          client
 *     passive      active                         none             client (RFC 4145 section 4: passive is meant)
 *     none         passive (RFC 4145: active)     actpass          client: it will take either
 *     holdconn     488: it wants no connection    holdconn         failed
 *
 * An association lives on through re-offers (hold, other codecs). A new one begins when the peer's fingerprints or its tls-id change, when
 * the roles do, or, if it does not name its associations by tls-id, when it moves to another address without ICE (RFC 8842 section 3).
 *
 * Fingerprints. Of several hashes the strongest that the peer names counts, down to sha-1: who wants to be taken for the peer needs
 * a certificate with a given hash, a second preimage, which nobody can make for sha-1 either. md5 and md2 are not looked at (RFC 8122
 * section 5). Ours is sha-256. */

#include "core/dtls-agreement.h"

#include <string.h>

void
phone_dtls_offer (const PhoneMediaCaps *caps, PhoneMediaDesc *offer)
{
  offer->dtls = *caps->dtls;
  offer->dtls.has_setup = TRUE;
  offer->dtls.setup = PHONE_SETUP_ACTPASS;
}

static gboolean
same_prints (const PhoneDtlsPlan *a, const PhoneDtlsPlan *b)
{
  if (a->n_fingerprints != b->n_fingerprints)
    return FALSE;
  for (guint i = 0; i < a->n_fingerprints; i++)
    if (!phone_fingerprint_equal (&a->fingerprints[i], &b->fingerprints[i]))
      return FALSE;
  return TRUE;
}

static gboolean
goes_on (const PhoneDtlsPlan *old, const PhoneDtlsPlan *new)
{
  if (!old->client != !new->client || !same_prints (old, new) || strcmp (old->tls_id, new->tls_id) != 0)
    return FALSE;
  return new->tls_id[0] != '\0' || (strcmp (old->address, new->address) == 0 && old->port == new->port);
}

static void
fill_plan (const PhoneMediaCaps *caps, const PhoneMediaDesc *remote, gboolean client, PhoneMediaPlan *plan)
{
  const PhoneMediaPlan *running = caps->running != NULL && caps->running->dtls ? caps->running : NULL;
  PhoneDtlsPlan *handshake = &plan->handshake;
  gboolean nowhere = phone_media_desc_stated_direction (remote) != remote->direction;

  plan->encrypted = plan->dtls = TRUE;
  handshake->client = client;
  handshake->n_fingerprints = phone_fingerprints_strongest (&remote->dtls, handshake->fingerprints);
  memcpy (handshake->tls_id, remote->dtls.tls_id, sizeof handshake->tls_id);
  if (nowhere && running != NULL)
    {
      /* Held in the old way: it has not moved. */
      memcpy (handshake->address, running->handshake.address, sizeof handshake->address);
      handshake->port = running->handshake.port;
    }
  else if (!phone_media_desc_has_ice (remote) && remote->address != NULL)
    {
      g_strlcpy (handshake->address, remote->address, sizeof handshake->address);
      handshake->port = remote->port;
    }
  handshake->association = running == NULL ? 1 : running->handshake.association;
  if (running != NULL && !goes_on (&running->handshake, handshake))
    handshake->association++;
}

gboolean
phone_dtls_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, PhoneMediaDesc *answer, PhoneMediaPlan *plan,
                   GError **error)
{
  PhoneSetup theirs = offer->dtls.has_setup ? offer->dtls.setup : PHONE_SETUP_ACTIVE;
  gboolean client = TRUE;

  switch (theirs)
    {
    case PHONE_SETUP_ACTPASS:
      client = caps->running == NULL || !caps->running->dtls || caps->running->handshake.client;
      break;
    case PHONE_SETUP_ACTIVE:
      client = FALSE;
      break;
    case PHONE_SETUP_PASSIVE:
      break;
    case PHONE_SETUP_HOLDCONN:
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the peer offers DTLS-SRTP with a=setup:holdconn: no connection");
      return FALSE;
    }
  answer->dtls = *caps->dtls;
  answer->dtls.has_setup = TRUE;
  answer->dtls.setup = client ? PHONE_SETUP_ACTIVE : PHONE_SETUP_PASSIVE;
  if (offer->dtls.tls_id[0] == '\0')
    memset (answer->dtls.tls_id, 0, sizeof answer->dtls.tls_id);        /* RFC 8842 section 5.3 */
  fill_plan (caps, offer, client, plan);
  return TRUE;
}

gboolean
phone_dtls_complete (const PhoneMediaCaps *caps, const PhoneMediaDesc *answer, PhoneMediaPlan *plan, GError **error)
{
  PhoneSetup theirs = answer->dtls.has_setup ? answer->dtls.setup : PHONE_SETUP_PASSIVE;

  if (theirs == PHONE_SETUP_HOLDCONN)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the answer has a=setup:holdconn: no connection");
      return FALSE;
    }
  fill_plan (caps, answer, theirs != PHONE_SETUP_ACTIVE, plan);
  return TRUE;
}
