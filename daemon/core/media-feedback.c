/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two ways to tell when packets came do the same for us. "ack ccfb" (RFC 8888) needs nothing in the media packets, so it is always offered and
 * always preferred; transport-cc is what browsers do, costs 8 octets in every packet, and is offered where a browser may be: with DTLS.
 *
 * The reports are only worth it when they are small and come often, alone in their packet: without a=rtcp-rsize (RFC 5506) neither is used.
 *
 * RFC 4585 has a=rtcp-fb for the profiles AVPF and SAVPF only. An m-line with one of those is refused by phones that do not know it, while an
 * attribute that is not known is passed over, whatever the profile: so it is said in every profile, and holds if both sides have said it.
 *
 * How each hears the other is told in extended reports (RFC 3611): a=rtcp-xr:voip-metrics says that its writer wants to be told (section 5.2), so each side may
 * want it or not; we always do, where the peer's offer shows that it knows them. The round trip of one that only receives takes both sides, and
 * so has to be in both descriptions (rcvr-rtt). */

#include "core/media-feedback.h"

#define FIRST_ID 3              /* of transport-cc, as browsers number it */
#define LAST_ID 14              /* of a header extension of one octet (RFC 8285 section 4.2) */

static const PhoneFeedback *
find_feedback (const PhoneMediaDesc *desc, PhoneFeedbackType type)
{
  for (guint i = 0; i < desc->n_feedback; i++)
    if (desc->feedback[i].type == type)
      return &desc->feedback[i];
  return NULL;
}

/* 0: there is none that can be used both ways. */
static guint8
find_extension (const PhoneMediaDesc *desc)
{
  for (guint i = 0; i < desc->n_extensions; i++)
    if (desc->extensions[i].type == PHONE_EXTENSION_TRANSPORT_CC)
      return desc->extensions[i].direction == PHONE_DIRECTION_SENDRECV && desc->extensions[i].id <= LAST_ID
               ? (guint8) desc->extensions[i].id
               : 0;
  return 0;
}

static void
add_feedback (PhoneMediaDesc *desc, int payload_type, PhoneFeedbackType type)
{
  if (desc->n_feedback < PHONE_MAX_FEEDBACK)
    desc->feedback[desc->n_feedback++] = (PhoneFeedback) { .payload_type = payload_type, .type = type };
}

static void
add_extension (PhoneMediaDesc *desc, guint8 id)
{
  if (desc->n_extensions < PHONE_MAX_EXTENSIONS)
    desc->extensions[desc->n_extensions++]
        = (PhoneExtension) { .type = PHONE_EXTENSION_TRANSPORT_CC, .id = id, .direction = PHONE_DIRECTION_SENDRECV };
}

/* The payload type is one of the answer's, too. */
static gboolean
applies (const PhoneFeedback *feedback, const PhoneMediaDesc *answer)
{
  if (feedback == NULL)
    return FALSE;
  if (feedback->payload_type < 0)
    return TRUE;
  for (guint i = 0; i < answer->n_codecs; i++)
    if (answer->codecs[i].payload_type == feedback->payload_type)
      return TRUE;
  return FALSE;
}

static gboolean
is_for_browsers (PhoneProfile profile)
{
  return profile == PHONE_PROFILE_DTLS_SAVP || profile == PHONE_PROFILE_DTLS_SAVPF;
}

void
phone_media_feedback_offer (const PhoneMediaDesc *previous, PhoneMediaDesc *offer)
{
  guint8 id = previous != NULL ? find_extension (previous) : 0;

  offer->rtcp_rsize = offer->voip_metrics = TRUE;
  offer->rcvr_rtt = PHONE_RCVR_RTT_ALL;
  add_feedback (offer, -1, PHONE_FEEDBACK_CCFB);
  if (!is_for_browsers (offer->profile))
    return;
  add_feedback (offer, -1, PHONE_FEEDBACK_TRANSPORT_CC);
  add_extension (offer, id != 0 ? id : FIRST_ID);
}

void
phone_media_feedback_answer (const PhoneMediaDesc *offer, PhoneMediaDesc *answer, PhoneMediaPlan *plan)
{
  const PhoneFeedback *ccfb = find_feedback (offer, PHONE_FEEDBACK_CCFB);
  const PhoneFeedback *transport_cc = find_feedback (offer, PHONE_FEEDBACK_TRANSPORT_CC);

  answer->rtcp_rsize = offer->rtcp_rsize;
  answer->voip_metrics = plan->voip_metrics = offer->voip_metrics;
  answer->rcvr_rtt = plan->rcvr_rtt = offer->rcvr_rtt;
  if (!offer->rtcp_rsize)
    return;
  if (applies (ccfb, answer))
    {
      add_feedback (answer, ccfb->payload_type, PHONE_FEEDBACK_CCFB);
      plan->ccfb = TRUE;
    }
  else if (applies (transport_cc, answer) && find_extension (offer) != 0)
    {
      add_feedback (answer, transport_cc->payload_type, PHONE_FEEDBACK_TRANSPORT_CC);
      add_extension (answer, find_extension (offer));
      plan->transport_cc = find_extension (offer);
    }
}

void
phone_media_feedback_complete (const PhoneMediaDesc *offer, const PhoneMediaDesc *answer, PhoneMediaPlan *plan)
{
  plan->voip_metrics = answer->voip_metrics;
  plan->rcvr_rtt = MIN (offer->rcvr_rtt, answer->rcvr_rtt);
  if (!offer->rtcp_rsize || !answer->rtcp_rsize)
    return;
  if (find_feedback (offer, PHONE_FEEDBACK_CCFB) != NULL && find_feedback (answer, PHONE_FEEDBACK_CCFB) != NULL)
    plan->ccfb = TRUE;
  else if (find_feedback (offer, PHONE_FEEDBACK_TRANSPORT_CC) != NULL && find_feedback (answer, PHONE_FEEDBACK_TRANSPORT_CC) != NULL
           && find_extension (offer) != 0 && find_extension (answer) == find_extension (offer))
    plan->transport_cc = find_extension (answer);
}
