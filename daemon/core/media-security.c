/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the srtp policy of an account means on the wire.
 *
 *   policy      we offer                      we accept in an offer
 *   off         RTP/AVP                       RTP/AVP; a=crypto and a=fingerprint beside it are ignored
 *   preferred   encrypted (RTP/AVP when keys  encrypted; RTP/AVP; RTP/AVP with a=crypto or a=fingerprint ("best effort" of
 *               may not travel)               several providers, RFC 8643), answered in kind
 *   required    encrypted                     encrypted, also as RTP/AVP with a=crypto or a=fingerprint
 *
 * What encrypted means is the keying of the account:
 *
 *   sdes        RTP/SAVP with a=crypto, if keys may travel
 *   dtls        UDP/TLS/RTP/SAVPF with a=fingerprint (dtls-agreement.c); its fingerprints are no secret
 *   any         either in an offer, whatever the profile is, and SDES where both stand in it; we offer SDES, and DTLS if the peer
 *               refused that, or if encryption is required where keys may not travel
 *
 * An m-line has one profile and an answer cannot change it (RFC 3264 section 6): a peer that does not know ours refuses
 * the offer with 488, and the caller decides what to try next: the other keying, and with "preferred" the clear. Inside a
 * session the profile stays what it was, because a re-offer with another one would only risk the call. The
 * feedback profiles (RFC 4585, RFC 5124) are answered in kind and then kept.
 *
 * SDES keys (RFC 4568). Every side makes the key with which it sends. An offer carries one line per suite,
 * strongest first, each with a key of its own, so that no key ever serves two suites; the answer carries one
 * line: the chosen offer line's tag and suite, and the answerer's key. We choose the strongest suite of an
 * offer, whatever its order, except that the context in force stays when its key is offered again.
 *
 * Re-offers (section 7.1.4): the same key means the same SRTP context with its roll-over counter; another key
 * means a new one. So what has not changed is repeated octet by octet. When the peer brings another key or
 * suite we change ours too: such an offer often means that a different device took over the far end, and that
 * one cannot know our roll-over counter; a new key starts it at 0. */

#include "core/media-security.h"
#include "core/dtls-agreement.h"

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

static gboolean
may_dtls (const PhoneMediaCaps *caps)
{
  return caps->srtp != PHONE_SRTP_OFF && caps->keying != PHONE_KEYING_SDES && caps->dtls != NULL;
}

static gboolean
may_sdes (const PhoneMediaCaps *caps)
{
  return caps->srtp != PHONE_SRTP_OFF && caps->keying != PHONE_KEYING_DTLS && caps->sdes_allowed;
}

/* A session keeps its keying; a new one has that of the account. */
static gboolean
wants_dtls (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous)
{
  if (!may_dtls (caps))
    return FALSE;
  if (previous != NULL)
    return previous->dtls.n_fingerprints > 0;
  return caps->keying == PHONE_KEYING_DTLS || caps->dtls_first || (caps->srtp == PHONE_SRTP_REQUIRED && !may_sdes (caps));
}

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
      if (!may_sdes (caps))
        break;
      secure = previous == NULL || phone_profile_is_secure (previous->profile);
      *ret_keys = secure || previous->n_cryptos > 0;
      break;
    case PHONE_SRTP_REQUIRED:
      if (caps->keying == PHONE_KEYING_DTLS)
        return fail (error, "SRTP with keys by DTLS is required, and this call cannot do DTLS");
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

  if (wants_dtls (caps, previous))
    {
      offer->profile = previous != NULL ? previous->profile : PHONE_PROFILE_DTLS_SAVPF;
      phone_dtls_offer (caps, offer);
      return TRUE;
    }
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

      if (running != NULL && running->encrypted && !running->dtls && phone_srtp_key_same (key, &running->receive_key))
        return key;
      if (best == NULL || key->suite < best->suite)
        best = key;
    }
  return best;
}

static gboolean
judge_dtls_offer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, GError **error)
{
  const char *profile = phone_profile_to_string (offer->profile);

  if (caps->srtp == PHONE_SRTP_OFF)
    return fail (error, "SRTP is off, and the peer offers %s", profile);
  if (caps->keying == PHONE_KEYING_SDES)
    return fail (error, "the peer offers %s, and keys are to be agreed on by SDES only", profile);
  if (offer->dtls.n_fingerprints == 0)
    return fail (error, "the peer offers %s without a usable a=fingerprint", profile);
  if (caps->dtls == NULL)
    return fail (error, "the peer offers %s, and this call cannot do DTLS", profile);
  return TRUE;
}

/* *ret_dtls: by handshake; *ret_chosen: the peer's line to answer; neither: clear text. */
static gboolean
judge_offer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, gboolean *ret_dtls, const PhoneSrtpKey **ret_chosen,
             GError **error)
{
  const char *profile = phone_profile_to_string (offer->profile);
  gboolean running_dtls = caps->running != NULL && caps->running->dtls;

  *ret_chosen = NULL;
  *ret_dtls = is_dtls (offer->profile);
  if (*ret_dtls)
    return judge_dtls_offer (caps, offer, error);

  /* Whatever the profile says, keys and fingerprints mean encryption: many phones offer RTP/AVP with keys when they would do without
   * (baresip, linphone, desk phones). Answered in kind it is as encrypted as RTP/SAVP, so it satisfies "required" too. */
  if (may_sdes (caps) && !(running_dtls && offer->dtls.n_fingerprints > 0))
    *ret_chosen = choose_key (offer, caps->running);
  *ret_dtls = *ret_chosen == NULL && may_dtls (caps) && offer->dtls.n_fingerprints > 0;
  if (*ret_dtls || *ret_chosen != NULL)
    return TRUE;

  if (!phone_profile_is_secure (offer->profile))
    {
      if (caps->srtp == PHONE_SRTP_REQUIRED)
        return fail (error, "SRTP is required, and the peer offers %s", profile);
      return TRUE;
    }
  if (caps->srtp == PHONE_SRTP_OFF)
    return fail (error, "SRTP is off, and the peer offers %s", profile);
  if (caps->keying == PHONE_KEYING_DTLS)
    return fail (error, "the peer offers %s, and keys are to be agreed on by DTLS only", profile);
  if (!caps->sdes_allowed)
    return fail (error, "the peer offers %s with keys over signalling in clear text, which is not allowed",
                 profile);
  return fail (error, "the peer offers %s without a usable a=crypto line", profile);
}

/* Our key for the chosen line while the peer's is unchanged: the one in force, or the one offered earlier. */
static const PhoneSrtpKey *
keep_key (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous, const PhoneSrtpKey *chosen)
{
  const PhoneMediaPlan *running = caps->running;

  if (running == NULL)
    return find_suite (previous, chosen->suite);
  if (running->encrypted && !running->dtls && phone_srtp_key_same (chosen, &running->receive_key))
    return &running->send_key;
  return NULL;
}

gboolean
phone_media_security_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer,
                             const PhoneMediaDesc *previous, PhoneMediaDesc *answer, PhoneMediaPlan *plan,
                             GError **error)
{
  const PhoneSrtpKey *chosen, *kept;
  gboolean dtls;

  answer->profile = offer->profile;
  if (!judge_offer (caps, offer, &dtls, &chosen, error))
    return FALSE;
  if (dtls)
    return phone_dtls_answer (caps, offer, answer, plan, error);
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

  if (is_dtls (answer->profile) != is_dtls (offer->profile) || phone_profile_is_secure (answer->profile) != secure)
    return fail (error, "the answer has profile %s where %s was offered",
                 phone_profile_to_string (answer->profile), phone_profile_to_string (offer->profile));
  if (offer->dtls.n_fingerprints > 0)
    {
      if (answer->dtls.n_fingerprints > 0)
        return phone_dtls_complete (caps, answer, plan, error);
      if (secure || caps->srtp == PHONE_SRTP_REQUIRED)
        return fail (error, "the answer has no usable a=fingerprint, and %s was offered", phone_profile_to_string (offer->profile));
      return TRUE;
    }
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
