/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the srtp policy of an account means on the wire.
 *
 *   policy      we offer                      we accept in an offer
 *   off         RTP/AVP                       RTP/AVP; a=crypto beside it is ignored
 *   preferred   RTP/SAVP (RTP/AVP when keys   RTP/SAVP; RTP/AVP; RTP/AVP with a=crypto ("best effort" of
 *               may not travel)               several providers), answered in kind
 *   required    RTP/SAVP                      RTP/SAVP
 *
 * An m-line has one profile and an answer cannot change it (RFC 3264 section 6): a peer without SRTP refuses
 * the offer of "preferred" with 488, and the caller decides whether to try again in the clear. Inside a
 * session the profile stays what it was, because a re-offer with another one would only risk the call. The
 * feedback profiles (RFC 4585, RFC 5124) are answered in kind and then kept.
 *
 * Keys (RFC 4568). Every side makes the key with which it sends. An offer carries one line per suite,
 * strongest first, each with a key of its own, so that no key ever serves two suites; the answer carries one
 * line: the chosen offer line's tag and suite, and the answerer's key. We choose the strongest suite of an
 * offer, whatever its order, except that the context in force stays when its key is offered again.
 *
 * Re-offers (section 7.1.4): the same key means the same SRTP context with its roll-over counter; another key
 * means a new one. So what has not changed is repeated octet by octet. When the peer brings another key or
 * suite we change ours too: such an offer often means that a different device took over the far end, and that
 * one cannot know our roll-over counter; a new key starts it at 0. */

#include "core/media-security.h"

#include <string.h>

static gboolean fail (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Always FALSE. */
static gboolean
fail (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, format, args);
  va_end (args);
  return FALSE;
}

static gboolean
is_dtls (PhoneProfile profile)
{
  return profile == PHONE_PROFILE_DTLS_SAVP || profile == PHONE_PROFILE_DTLS_SAVPF;
}

static gboolean
has_feedback (PhoneProfile profile)
{
  return profile == PHONE_PROFILE_AVPF || profile == PHONE_PROFILE_SAVPF
         || profile == PHONE_PROFILE_DTLS_SAVPF;
}

static const PhoneSrtpKey *
find_suite (const PhoneMediaDesc *desc, PhoneSrtpSuite suite)
{
  for (guint i = 0; desc != NULL && i < desc->n_cryptos; i++)
    if (desc->cryptos[i].suite == suite)
      return &desc->cryptos[i];
  return NULL;
}

static const PhoneSrtpKey *
find_tag (const PhoneMediaDesc *desc, guint tag)
{
  for (guint i = 0; i < desc->n_cryptos; i++)
    if (desc->cryptos[i].tag == tag)
      return &desc->cryptos[i];
  return NULL;
}

/* ---- offer ---- */

/* Sets the profile; *ret_keys: a=crypto goes along with it. */
static gboolean
choose_offer_profile (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous, PhoneProfile *ret_profile,
                      gboolean *ret_keys, GError **error)
{
  gboolean feedback = previous != NULL && has_feedback (previous->profile);
  gboolean secure = FALSE;

  *ret_keys = FALSE;
  switch (caps->srtp)
    {
    case PHONE_SRTP_OFF:
      break;
    case PHONE_SRTP_PREFERRED:
      if (!caps->sdes_allowed)
        break;
      secure = previous == NULL || phone_profile_is_secure (previous->profile);
      *ret_keys = secure || previous->n_cryptos > 0;
      break;
    case PHONE_SRTP_REQUIRED:
      if (!caps->sdes_allowed)
        return fail (error, "SRTP is required, and its keys may not travel over signalling in clear text");
      secure = *ret_keys = TRUE;
      break;
    }

  if (secure)
    *ret_profile = feedback ? PHONE_PROFILE_SAVPF : PHONE_PROFILE_SAVP;
  else
    *ret_profile = feedback ? PHONE_PROFILE_AVPF : PHONE_PROFILE_AVP;
  return TRUE;
}

static gboolean
add_key (PhoneMediaDesc *desc, PhoneSrtpSuite suite, guint tag, GError **error)
{
  g_assert (desc->n_cryptos < PHONE_MAX_CRYPTOS);
  if (!phone_srtp_key_generate (&desc->cryptos[desc->n_cryptos], suite, tag, error))
    return FALSE;
  desc->n_cryptos++;
  return TRUE;
}

gboolean
phone_media_security_offer (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous, gboolean new_keys,
                            PhoneMediaDesc *offer, GError **error)
{
  gboolean with_keys;
  guint next_tag = 1;

  if (!choose_offer_profile (caps, previous, &offer->profile, &with_keys, error))
    return FALSE;
  if (!with_keys)
    return TRUE;

  /* The lines that the peer knows come first and unchanged: a peer that takes the first it supports stays
   * where it is. */
  for (guint i = 0; previous != NULL && i < previous->n_cryptos; i++)
    {
      const PhoneSrtpKey *old = &previous->cryptos[i];

      if (new_keys)
        {
          if (!add_key (offer, old->suite, old->tag, error))
            return FALSE;
        }
      else
        offer->cryptos[offer->n_cryptos++] = *old;
    }
  for (int suite = 0; suite < phone_srtp_suite_n_values; suite++)
    {
      if (find_suite (offer, (PhoneSrtpSuite) suite) != NULL || offer->n_cryptos == PHONE_MAX_CRYPTOS)
        continue;
      while (find_tag (offer, next_tag) != NULL)
        next_tag++;
      if (!add_key (offer, (PhoneSrtpSuite) suite, next_tag++, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- answer ---- */

static const PhoneSrtpKey *
choose_key (const PhoneMediaDesc *offer, const PhoneMediaPlan *running)
{
  const PhoneSrtpKey *best = NULL;

  for (guint i = 0; i < offer->n_cryptos; i++)
    {
      const PhoneSrtpKey *key = &offer->cryptos[i];

      if (running != NULL && running->encrypted && phone_srtp_key_same (key, &running->receive_key))
        return key;
      if (best == NULL || key->suite < best->suite)
        best = key;
    }
  return best;
}

/* *ret_chosen: the peer's line to answer, NULL: clear text. */
static gboolean
judge_offer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneSrtpKey **ret_chosen,
             GError **error)
{
  const char *profile = phone_profile_to_string (offer->profile);

  *ret_chosen = NULL;
  if (is_dtls (offer->profile))
    return fail (error, "the peer offers %s: DTLS-SRTP is not supported yet", profile);

  if (!phone_profile_is_secure (offer->profile))
    {
      /* RTP/AVP with keys: many phones offer encryption that way when they would do without (baresip, linphone, desk phones).
       * Answered with a key it is as encrypted as RTP/SAVP, so it satisfies "required" too. */
      if (caps->srtp != PHONE_SRTP_OFF && caps->sdes_allowed)
        *ret_chosen = choose_key (offer, caps->running);
      if (caps->srtp == PHONE_SRTP_REQUIRED && *ret_chosen == NULL)
        return fail (error, "SRTP is required, and the peer offers %s", profile);
      return TRUE;
    }

  if (caps->srtp == PHONE_SRTP_OFF)
    return fail (error, "SRTP is off, and the peer offers %s", profile);
  if (!caps->sdes_allowed)
    return fail (error, "the peer offers %s with keys over signalling in clear text, which is not allowed",
                 profile);
  *ret_chosen = choose_key (offer, caps->running);
  if (*ret_chosen == NULL)
    return fail (error, "the peer offers %s without a usable a=crypto line", profile);
  return TRUE;
}

/* Our key for the chosen line while the peer's is unchanged: the one in force, or the one offered earlier. */
static const PhoneSrtpKey *
keep_key (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous, const PhoneSrtpKey *chosen)
{
  const PhoneMediaPlan *running = caps->running;

  if (running == NULL)
    return find_suite (previous, chosen->suite);
  if (running->encrypted && phone_srtp_key_same (chosen, &running->receive_key))
    return &running->send_key;
  return NULL;
}

gboolean
phone_media_security_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer,
                             const PhoneMediaDesc *previous, PhoneMediaDesc *answer, PhoneMediaPlan *plan,
                             GError **error)
{
  const PhoneSrtpKey *chosen, *kept;

  answer->profile = offer->profile;
  if (!judge_offer (caps, offer, &chosen, error))
    return FALSE;
  if (chosen == NULL)
    return TRUE;

  kept = keep_key (caps, previous, chosen);
  if (kept != NULL)
    {
      answer->cryptos[0] = *kept;
      answer->cryptos[0].tag = chosen->tag;
      answer->n_cryptos = 1;
    }
  else if (!add_key (answer, chosen->suite, chosen->tag, error))
    return FALSE;

  plan->encrypted = TRUE;
  plan->send_key = answer->cryptos[0];
  plan->receive_key = *chosen;
  return TRUE;
}

/* ---- completion ---- */

gboolean
phone_media_security_complete (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer,
                               const PhoneMediaDesc *answer, PhoneMediaPlan *plan, GError **error)
{
  gboolean secure = phone_profile_is_secure (offer->profile);

  if (is_dtls (answer->profile) || phone_profile_is_secure (answer->profile) != secure)
    return fail (error, "the answer has profile %s where %s was offered",
                 phone_profile_to_string (answer->profile), phone_profile_to_string (offer->profile));
  if (offer->n_cryptos > 0 && answer->n_cryptos > 0)
    {
      const PhoneSrtpKey *theirs = &answer->cryptos[0];

      /* There should be one line. Of several, the first that answers one of ours. */
      for (guint i = 0; i < answer->n_cryptos; i++)
        {
          const PhoneSrtpKey *ours = find_tag (offer, answer->cryptos[i].tag);

          if (ours != NULL && ours->suite == answer->cryptos[i].suite)
            {
              plan->encrypted = TRUE;
              plan->send_key = *ours;
              plan->receive_key = answer->cryptos[i];
              return TRUE;
            }
        }
      return fail (error, "the answer's a=crypto:%u %s was not offered",
                   theirs->tag, phone_srtp_suite_to_string (theirs->suite));
    }
  if (secure || caps->srtp == PHONE_SRTP_REQUIRED)
    return fail (error, "the answer has no usable a=crypto line, and %s was offered",
                 phone_profile_to_string (offer->profile));
  return TRUE;
}
