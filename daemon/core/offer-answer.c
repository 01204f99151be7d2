/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Offer/answer on values (RFC 3264). What matters and is easy to get wrong:
 *
 * Direction (section 6.1). Descriptions speak for their own side; an answer can only take away. With the
 * enum's bits the table of
 * the RFC is  answer = reverse (offer) & what we want:
 *
 *     offer      we want: sendrecv    sendonly    recvonly    inactive
 *     sendrecv            sendrecv    sendonly    recvonly    inactive
 *     sendonly            recvonly    inactive    recvonly    inactive
 *     recvonly            sendonly    sendonly    inactive    inactive
 *     inactive            inactive    inactive    inactive    inactive
 *
 * An address of 0.0.0.0 is hold as RFC 2543 wrote it: the peer does not receive, whatever the direction says
 * (section 8.4).
 *
 * Payload types (section 5.1, 8.3.2). A number in a description is what that side wants to see in packets
 * that it receives. So we send with the peer's numbers and receive ours, which may differ for the same codec.
 * An answer takes over the offer's numbers; but a number never changes its meaning inside a session, so a
 * number that stood for another format in our previous description is not taken over, and old numbers stay
 * receivable while packets with them may still be under way. Peers that send with their own number instead of
 * ours are common enough to be understood where the number is free.
 *
 * Codecs. Answering, we list what both support in our order of preference. Completing, we send the first of
 * the answer that we offered. Telephone events (RFC 4733) belong to a clock rate: 48000 beside Opus, 8000
 * beside the others; a peer that has Opus but only events at 8000 (most of them) gets its digits at 8000.
 *
 * Redundancy (RFC 2198) stands beside Opus where both take it; whether it is used is rate control's business. */

#include "core/media-feedback.h"
#include "core/media-paths.h"
#include "core/media-security.h"

#include <string.h>

#define USUAL_PTIME 20          /* ms (RFC 7587 section 6.1: what is taken if nothing is said) */
#define SHORT_PTIME 10

/* Everything that has a payload type: the codecs, then the two kinds of telephone-event. */
enum
{
  FORMAT_EVENT_8000 = phone_codec_id_n_values,
  FORMAT_EVENT_48000,
  FORMAT_RED,
  N_FORMATS
};

#define FIRST_DYNAMIC 96
#define N_PAYLOAD_TYPES 128

/* Our numbers as long as nothing speaks against them: RFC 3551 section 6 where it has one. */
static const guint8 own_numbers[N_FORMATS] = {
  [PHONE_CODEC_OPUS] = 96,
  [PHONE_CODEC_G722] = 9,
  [PHONE_CODEC_PCMU] = 0,
  [PHONE_CODEC_PCMA] = 8,
  [FORMAT_EVENT_8000] = 101,
  [FORMAT_EVENT_48000] = 102,
  [FORMAT_RED] = 103,
};

static const PhoneCodec *
find_codec (const PhoneMediaDesc *desc, PhoneCodecId id)
{
  for (guint i = 0; i < desc->n_codecs; i++)
    if (desc->codecs[i].id == id)
      return &desc->codecs[i];
  return NULL;
}

/* -1: the description has no such format. */
static int
number_of (const PhoneMediaDesc *desc, int format)
{
  const PhoneCodec *codec;

  if (desc == NULL)
    return -1;
  if (format == FORMAT_EVENT_8000)
    return desc->dtmf_8000;
  if (format == FORMAT_EVENT_48000)
    return desc->dtmf_48000;
  if (format == FORMAT_RED)
    return desc->red != 0 ? desc->red : -1;
  codec = find_codec (desc, (PhoneCodecId) format);
  return codec != NULL ? codec->payload_type : -1;
}

/* Does the number stand for another format in desc? */
static gboolean
means_other (const PhoneMediaDesc *desc, int number, int format)
{
  if (desc == NULL)
    return FALSE;
  for (guint i = 0; i < desc->n_codecs; i++)
    if (desc->codecs[i].payload_type == number && (int) desc->codecs[i].id != format)
      return TRUE;
  return (desc->dtmf_8000 == number && format != FORMAT_EVENT_8000)
         || (desc->dtmf_48000 == number && format != FORMAT_EVENT_48000)
         || (desc->red != 0 && desc->red == number && format != FORMAT_RED);
}

/* 64-95 would be taken for RTCP on a multiplexed port (RFC 5761 section 4). */
static gboolean
number_fits (const PhoneMediaDesc *desc, const PhoneMediaDesc *previous, int number, int format)
{
  return number >= 0 && number < N_PAYLOAD_TYPES && !(desc->rtcp_mux && number >= 64 && number <= 95)
         && !means_other (desc, number, format) && !means_other (previous, number, format);
}

/* offer NULL: desc is an offer itself. */
static guint8
choose_number (const PhoneMediaDesc *desc, const PhoneMediaDesc *offer, const PhoneMediaDesc *previous,
               int format)
{
  const int wishes[] = { number_of (offer, format), number_of (previous, format) };
  int number = own_numbers[format];

  for (gsize i = 0; i < G_N_ELEMENTS (wishes); i++)
    if (number_fits (desc, previous, wishes[i], format))
      return (guint8) wishes[i];
  /* A number of our own, and none that means something else to the peer. There is always one: desc, previous
   * and offer have at most 7, 7 and 19 formats, and there are 32 dynamic numbers. */
  for (int next = FIRST_DYNAMIC; next < N_PAYLOAD_TYPES; number = next++)
    if (number_fits (desc, previous, number, format) && !means_other (offer, number, format))
      return (guint8) number;
  g_assert_not_reached ();
}

/* ---- what we describe ---- */

static PhoneMediaDesc *
describe (const PhoneMediaCaps *caps)
{
  PhoneMediaDesc *desc = phone_media_desc_new ();

  desc->address = g_strdup (caps->address);
  desc->port = caps->port;
  desc->rtcp_port = caps->rtcp_port;
  if (desc->rtcp_port == 0 && caps->port < G_MAXUINT16)
    desc->rtcp_port = caps->port + 1;
  desc->rtcp_mux = caps->rtcp_mux;
  desc->direction = caps->direction;
  desc->ptime = caps->ptime;
  return desc;
}

static void
add_codec (PhoneMediaDesc *desc, const PhoneMediaCaps *caps, PhoneCodecId id, const PhoneMediaDesc *offer,
           const PhoneMediaDesc *previous)
{
  PhoneCodec codec = { .id = id, .payload_type = choose_number (desc, offer, previous, (int) id) };

  if (id == PHONE_CODEC_OPUS)
    {
      codec.use_inband_fec = TRUE;
      codec.max_average_bitrate = caps->opus_max_bitrate;
      codec.min_ptime = caps->ptime <= USUAL_PTIME ? SHORT_PTIME : 0;
    }
  g_assert (desc->n_codecs < PHONE_MAX_CODECS);
  desc->codecs[desc->n_codecs++] = codec;
}

/* offer NULL: all that we may use; else what both have, or all if there is nothing in common. */
static void
add_formats (PhoneMediaDesc *desc, const PhoneMediaCaps *caps, const PhoneMediaDesc *offer,
             const PhoneMediaDesc *previous)
{
  gboolean has_48000 = FALSE, has_8000 = FALSE;

  for (guint i = 0; i < caps->n_codecs; i++)
    if (find_codec (desc, caps->codecs[i]) == NULL
        && (offer == NULL || find_codec (offer, caps->codecs[i]) != NULL))
      {
        add_codec (desc, caps, caps->codecs[i], offer, previous);
        if (phone_codec_clock_rate (caps->codecs[i]) == 48000)
          has_48000 = TRUE;
        else
          has_8000 = TRUE;
      }

  if (offer != NULL)
    {
      has_48000 = has_48000 && offer->dtmf_48000 >= 0;
      has_8000 = offer->dtmf_8000 >= 0 && (has_8000 || offer->dtmf_48000 < 0);
    }
  if (find_codec (desc, PHONE_CODEC_OPUS) != NULL && (offer == NULL || offer->red != 0))
    desc->red = choose_number (desc, offer, previous, FORMAT_RED);
  if (has_48000)
    desc->dtmf_48000 = choose_number (desc, offer, previous, FORMAT_EVENT_48000);
  if (has_8000)
    desc->dtmf_8000 = choose_number (desc, offer, previous, FORMAT_EVENT_8000);
}

/* ---- what follows from two descriptions ---- */

/* What the peer asks for, else our own; never more than it takes at most; in steps that every codec of ours
 * can do. */
static guint
choose_ptime (const PhoneMediaCaps *caps, const PhoneMediaDesc *remote)
{
  static const guint steps[] = { 60, 40, 20 };
  guint wish = remote->ptime != 0 ? remote->ptime : caps->ptime != 0 ? caps->ptime : USUAL_PTIME;

  if (remote->maxptime != 0)
    wish = MIN (wish, remote->maxptime);
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i] <= wish)
      return steps[i];
  return 10;
}

static void
add_receive (PhoneMediaPlan *plan, const PhoneCodec *codec, guint8 number)
{
  if (plan->n_receive == PHONE_MAX_CODECS || plan->receive_dtmf_8000 == number
      || plan->receive_dtmf_48000 == number || (plan->receive_red != 0 && plan->receive_red == number))
    return;
  for (guint i = 0; i < plan->n_receive; i++)
    if (plan->receive[i].payload_type == number)
      return;
  plan->receive[plan->n_receive] = *codec;
  plan->receive[plan->n_receive++].payload_type = number;
}

static PhoneMediaPlan *
new_plan (void)
{
  PhoneMediaPlan *plan = g_new0 (PhoneMediaPlan, 1);

  plan->send_dtmf = plan->receive_dtmf_8000 = plan->receive_dtmf_48000 = -1;
  return plan;
}

/* `chosen` is the codec that we send, out of remote. */
static void
fill_plan (PhoneMediaPlan *plan, const PhoneMediaCaps *caps, const PhoneMediaDesc *local,
           const PhoneMediaDesc *remote, const PhoneCodec *chosen, const PhoneMediaDesc *previous)
{
  plan->remote_address = g_strdup (remote->address);
  plan->remote_port = remote->port;
  plan->rtcp_mux = local->rtcp_mux && remote->rtcp_mux;
  plan->remote_rtcp_port = plan->rtcp_mux ? remote->port : remote->rtcp_port;
  plan->direction = (PhoneDirection) (local->direction & phone_direction_reverse (phone_media_desc_stated_direction (remote)));
  plan->ptime = choose_ptime (caps, remote);
  plan->send = *chosen;
  /* Who asks for long packets, here or there, has a reason. */
  plan->least_ptime = plan->ptime == USUAL_PTIME && caps->ptime <= USUAL_PTIME && chosen->min_ptime > 0 && chosen->min_ptime <= SHORT_PTIME
                          ? SHORT_PTIME : plan->ptime;

  if (phone_codec_clock_rate (chosen->id) == 48000 && local->dtmf_48000 >= 0 && remote->dtmf_48000 >= 0)
    {
      plan->send_dtmf = remote->dtmf_48000;
      plan->send_dtmf_rate = 48000;
    }
  else if (local->dtmf_8000 >= 0 && remote->dtmf_8000 >= 0)
    {
      plan->send_dtmf = remote->dtmf_8000;
      plan->send_dtmf_rate = 8000;
    }
  plan->receive_dtmf_8000 = local->dtmf_8000;
  plan->receive_dtmf_48000 = local->dtmf_48000;
  if (local->red != 0 && remote->red != 0)
    {
      plan->send_red = chosen->id == PHONE_CODEC_OPUS ? remote->red : 0;
      plan->receive_red = local->red;
    }

  /* The likeliest first: in common, the rest of ours, what we accepted before, the peer's own numbers. */
  for (guint i = 0; i < local->n_codecs; i++)
    if (find_codec (remote, local->codecs[i].id) != NULL)
      add_receive (plan, &local->codecs[i], local->codecs[i].payload_type);
  for (guint i = 0; i < local->n_codecs; i++)
    add_receive (plan, &local->codecs[i], local->codecs[i].payload_type);
  for (guint i = 0; previous != NULL && i < previous->n_codecs; i++)
    add_receive (plan, &previous->codecs[i], previous->codecs[i].payload_type);
  for (guint i = 0; i < remote->n_codecs; i++)
    {
      const PhoneCodec *own = find_codec (local, remote->codecs[i].id);
      if (own != NULL)
        add_receive (plan, own, remote->codecs[i].payload_type);
    }
}

static gboolean
check_caps (const PhoneMediaCaps *caps, GError **error)
{
  if (caps->n_codecs == 0 || caps->n_codecs > PHONE_MAX_CODECS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no codec is allowed on this call");
      return FALSE;
    }
  if (caps->port == 0 || caps->address == NULL)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED,
                   "there is no local address and port for RTP");
      return FALSE;
    }
  return TRUE;
}

/* A socket for IPv6 reaches IPv4 too, and not the other way round. Candidates of ICE are another matter, and nothing is sent to the
 * unspecified address, which puts us on hold. */
static gboolean
check_family (const PhoneMediaCaps *caps, const PhoneMediaDesc *remote, GError **error)
{
  if (!caps->address || !remote->address || phone_media_desc_has_ice (remote) || strchr (caps->address, ':')
      || !strchr (remote->address, ':') || g_str_equal (remote->address, "::"))
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the peer's media is at %s (IPv6), which cannot be reached from %s (IPv4)",
               remote->address, caps->address);
  return FALSE;
}

static char *
codec_names (const PhoneMediaDesc *desc)
{
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < desc->n_codecs; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", phone_codec_id_to_string (desc->codecs[i].id));
  return g_string_free (names, FALSE);
}

/* ---- the three functions ---- */

PhoneMediaDesc *
phone_offer_create (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous, gboolean new_keys,
                    GError **error)
{
  g_return_val_if_fail (caps != NULL, NULL);
  g_autoptr (PhoneMediaDesc) offer = NULL;

  if (!check_caps (caps, error))
    return NULL;
  offer = describe (caps);
  add_formats (offer, caps, NULL, previous);
  phone_media_paths_offer (caps, offer);
  if (!phone_media_security_offer (caps, previous, new_keys, offer, error))
    return NULL;
  phone_media_feedback_offer (previous, offer);
  return g_steal_pointer (&offer);
}

/* A stream that the peer has closed is closed on our side too (section 8.2); its formats mean nothing, but
 * one must stand there. */
static PhoneMediaDesc *
refuse (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *previous,
        PhoneMediaPlan **ret_plan)
{
  g_autoptr (PhoneMediaDesc) answer = describe (caps);
  PhoneMediaPlan *plan = new_plan ();

  answer->port = answer->rtcp_port = 0;
  answer->rtcp_mux = FALSE;
  answer->direction = PHONE_DIRECTION_INACTIVE;
  answer->profile = offer->profile;
  add_formats (answer, caps, offer, previous);
  if (answer->n_codecs == 0)
    add_formats (answer, caps, NULL, previous);
  plan->refused = TRUE;
  *ret_plan = plan;
  return g_steal_pointer (&answer);
}

PhoneMediaDesc *
phone_answer_create (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *previous,
                     PhoneMediaPlan **ret_plan, GError **error)
{
  g_return_val_if_fail (caps != NULL && offer != NULL && ret_plan != NULL, NULL);
  g_autoptr (PhoneMediaDesc) answer = NULL;
  g_autoptr (PhoneMediaPlan) plan = NULL;

  *ret_plan = NULL;
  if (!check_caps (caps, error))
    return NULL;
  if (offer->port == 0)
    return refuse (caps, offer, previous, ret_plan);
  if (!check_family (caps, offer, error))
    return NULL;

  answer = describe (caps);
  answer->rtcp_mux = caps->rtcp_mux && offer->rtcp_mux;
  if (answer->rtcp_mux)
    answer->rtcp_port = answer->port;
  answer->direction = (PhoneDirection) (caps->direction & phone_direction_reverse (phone_media_desc_stated_direction (offer)));
  add_formats (answer, caps, offer, previous);
  if (answer->n_codecs == 0)
    {
      g_autofree char *names = codec_names (offer);
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no codec in common: the peer offers %s",
                   names[0] != '\0' ? names : "none that is known");
      return NULL;
    }

  plan = new_plan ();
  plan->answered = TRUE;
  if (!phone_media_security_answer (caps, offer, previous, answer, plan, error))
    return NULL;
  fill_plan (plan, caps, answer, offer, find_codec (offer, answer->codecs[0].id), previous);
  phone_media_paths_answer (caps, offer, answer, plan);
  phone_media_feedback_answer (offer, answer, plan);
  plan->remote_hold = (phone_media_desc_stated_direction (offer) & PHONE_DIRECTION_RECVONLY) == 0;
  *ret_plan = g_steal_pointer (&plan);
  return g_steal_pointer (&answer);
}

PhoneMediaPlan *
phone_offer_complete (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *answer,
                      GError **error)
{
  g_return_val_if_fail (caps != NULL && offer != NULL && answer != NULL, NULL);
  g_autoptr (PhoneMediaPlan) plan = new_plan ();
  const PhoneCodec *chosen = NULL;

  if (answer->port == 0)
    {
      plan->refused = TRUE;
      return g_steal_pointer (&plan);
    }
  if (!check_family (caps, answer, error))
    return NULL;
  for (guint i = 0; i < answer->n_codecs && chosen == NULL; i++)
    if (find_codec (offer, answer->codecs[i].id) != NULL)
      chosen = &answer->codecs[i];
  if (chosen == NULL)
    {
      g_autofree char *names = codec_names (answer);
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED,
                   "the answer has no codec that was offered: it has %s",
                   names[0] != '\0' ? names : "none that is known");
      return NULL;
    }
  if (!phone_media_security_complete (caps, offer, answer, plan, error))
    return NULL;

  fill_plan (plan, caps, offer, answer, chosen, NULL);
  phone_media_paths_complete (offer, answer, plan);
  phone_media_feedback_complete (offer, answer, plan);
  /* Only where we proposed to send does the answer say whether the peer listens. */
  if (offer->direction & PHONE_DIRECTION_SENDONLY)
    plan->remote_hold = (phone_media_desc_stated_direction (answer) & PHONE_DIRECTION_RECVONLY) == 0;
  else
    plan->remote_hold = caps->running != NULL && caps->running->remote_hold;
  return g_steal_pointer (&plan);
}
