/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Negotiations over arbitrary descriptions, among them many that no reader of ours would return: the same
 * payload type twice, every codec four times, keys without a secure profile. What comes out must keep the
 * promises of offer-answer.h. */

#include "core/offer-answer.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  const uint8_t *at;
  size_t left;
} Input;

static guint
next (Input *input)
{
  if (input->left == 0)
    return 0;
  input->left--;
  return *input->at++;
}

static const PhoneDtlsDesc own_dtls = { .n_fingerprints = 1, .tls_id = "abcdefghijklmnopqrst" };

static PhoneMediaCaps
next_caps (Input *input)
{
  PhoneMediaCaps caps = { .address = "192.0.2.1", .port = 4000 };
  guint flags = next (input);

  caps.srtp = (PhoneSrtpPolicy) (flags % 3);
  caps.sdes_allowed = (flags & 4) != 0;
  caps.direction = (PhoneDirection) (flags >> 3 & 3);
  caps.rtcp_mux = (flags & 32) != 0;
  caps.rtcp_port = flags & 64 ? 4001 : 0;
  caps.ptime = next (input);
  caps.keying = (PhoneKeying) (next (input) % phone_keying_n_values);
  caps.dtls_first = (next (input) & 1) != 0;
  caps.dtls = next (input) & 1 ? &own_dtls : NULL;
  caps.n_codecs = next (input) % (PHONE_MAX_CODECS + 1);
  for (guint i = 0; i < caps.n_codecs; i++)
    caps.codecs[i] = (PhoneCodecId) (next (input) % phone_codec_id_n_values);
  return caps;
}

static PhoneMediaDesc *
next_desc (Input *input)
{
  static const char *const addresses[] = { "192.0.2.2", "0.0.0.0", "::", "2001:db8::2" };
  PhoneMediaDesc *desc = phone_media_desc_new ();
  guint flags = next (input);

  desc->address = g_strdup (addresses[flags & 3]);
  desc->direction = (PhoneDirection) (flags >> 2 & 3);
  desc->rtcp_mux = (flags & 16) != 0;
  desc->port = flags & 32 ? 0 : 5000;
  desc->rtcp_port = (guint16) next (input);
  desc->profile = (PhoneProfile) (next (input) % phone_profile_n_values);
  desc->ptime = next (input);
  desc->maxptime = next (input);
  desc->dtmf_8000 = (int) next (input) % 129 - 1;
  desc->dtmf_48000 = (int) next (input) % 129 - 1;
  desc->dtls.n_fingerprints = next (input) % (PHONE_MAX_FINGERPRINTS + 1);
  for (guint i = 0; i < desc->dtls.n_fingerprints; i++)
    desc->dtls.fingerprints[i] = (PhoneFingerprint) { .hash = (PhoneHash) (next (input) % phone_hash_n_values), .octets = { (guint8) i } };
  desc->dtls.has_setup = (next (input) & 1) != 0;
  desc->dtls.setup = (PhoneSetup) (next (input) % phone_setup_n_values);
  if (next (input) & 1)
    memset (desc->dtls.tls_id, 'a' + (int) (next (input) % 2), 20);
  desc->red = next (input) % 128;
  desc->n_codecs = next (input) % (PHONE_MAX_CODECS + 1);
  for (guint i = 0; i < desc->n_codecs; i++)
    {
      desc->codecs[i].id = (PhoneCodecId) (next (input) % phone_codec_id_n_values);
      desc->codecs[i].payload_type = (guint8) (next (input) & 127);
    }
  desc->n_cryptos = next (input) % (PHONE_MAX_CRYPTOS + 1);
  for (guint i = 0; i < desc->n_cryptos; i++)
    {
      desc->cryptos[i].tag = next (input);
      desc->cryptos[i].suite = (PhoneSrtpSuite) (next (input) % phone_srtp_suite_n_values);
      memset (desc->cryptos[i].key, (int) next (input), sizeof desc->cryptos[i].key);
    }
  return desc;
}

static gboolean
has_codec (const PhoneMediaDesc *desc, PhoneCodecId id, guint payload_type)
{
  for (guint i = 0; i < desc->n_codecs; i++)
    if (desc->codecs[i].id == id && (payload_type > 127 || desc->codecs[i].payload_type == payload_type))
      return TRUE;
  return FALSE;
}

static gboolean
has_key (const PhoneMediaDesc *desc, const PhoneSrtpKey *key)
{
  for (guint i = 0; i < desc->n_cryptos; i++)
    if (phone_srtp_key_equal (&desc->cryptos[i], key))
      return TRUE;
  return FALSE;
}

/* A description of ours is unambiguous, whatever the peer's was. */
static void
check_ours (const PhoneMediaDesc *desc, const PhoneMediaCaps *caps)
{
  gboolean seen[128] = { FALSE };

  g_assert (desc->n_codecs >= 1 && desc->n_codecs <= phone_codec_id_n_values);
  for (guint i = 0; i < desc->n_codecs; i++)
    {
      g_assert (!seen[desc->codecs[i].payload_type]);
      seen[desc->codecs[i].payload_type] = TRUE;
      for (guint j = 0; j < i; j++)
        g_assert (desc->codecs[i].id != desc->codecs[j].id);
    }
  g_assert (desc->dtmf_8000 < 0 || !seen[desc->dtmf_8000]);
  g_assert (desc->dtmf_48000 < 0 || !seen[desc->dtmf_48000]);
  g_assert (desc->dtmf_8000 < 0 || desc->dtmf_8000 != desc->dtmf_48000);
  g_assert (desc->red == 0 || (!seen[desc->red] && desc->red != desc->dtmf_8000 && desc->red != desc->dtmf_48000));
  g_assert ((desc->direction & ~caps->direction) == 0);
  g_assert (desc->n_cryptos == 0 || (caps->srtp != PHONE_SRTP_OFF && caps->sdes_allowed && caps->keying != PHONE_KEYING_DTLS));
  g_assert (desc->dtls.n_fingerprints == 0
            || (caps->srtp != PHONE_SRTP_OFF && caps->dtls != NULL && caps->keying != PHONE_KEYING_SDES && desc->n_cryptos == 0
                && desc->dtls.has_setup));
  g_assert (desc->port == 0 || caps->srtp != PHONE_SRTP_REQUIRED || desc->n_cryptos > 0 || desc->dtls.n_fingerprints > 0);
}

static void
check_plan (const PhoneMediaPlan *plan, const PhoneMediaCaps *caps, const PhoneMediaDesc *local,
            const PhoneMediaDesc *remote)
{
  gboolean seen[128] = { FALSE };

  if (plan->refused)
    {
      g_assert (remote->port == 0 && !plan->encrypted);
      return;
    }
  g_assert (has_codec (remote, plan->send.id, plan->send.payload_type)
            && has_codec (local, plan->send.id, 128));
  g_assert (plan->n_receive >= 1 && plan->n_receive <= PHONE_MAX_CODECS);
  for (guint i = 0; i < plan->n_receive; i++)
    {
      g_assert (!seen[plan->receive[i].payload_type]);
      seen[plan->receive[i].payload_type] = TRUE;
    }
  for (guint i = 0; i < local->n_codecs; i++)
    g_assert (seen[local->codecs[i].payload_type]);
  g_assert (plan->receive_dtmf_8000 < 0 || !seen[plan->receive_dtmf_8000]);
  g_assert (plan->receive_dtmf_48000 < 0 || !seen[plan->receive_dtmf_48000]);
  g_assert (plan->receive_red == 0 || !seen[plan->receive_red]);
  g_assert (plan->send_red == 0 || (plan->send_red == remote->red && plan->send.id == PHONE_CODEC_OPUS));
  g_assert (plan->ptime == 10 || plan->ptime == 20 || plan->ptime == 40 || plan->ptime == 60);
  g_assert ((plan->direction & ~caps->direction) == 0);
  g_assert ((plan->direction & ~phone_direction_reverse (remote->direction)) == 0);
  g_assert (!(plan->direction & PHONE_DIRECTION_SENDONLY) || strpbrk (remote->address, "123456789") != NULL);
  g_assert ((plan->send_dtmf >= 0) == (plan->send_dtmf_rate != 0));
  g_assert (plan->encrypted
            || (caps->srtp != PHONE_SRTP_REQUIRED && !phone_profile_is_secure (local->profile)));
  g_assert (!plan->dtls || plan->encrypted);
  if (plan->dtls)
    {
      const PhoneDtlsPlan *handshake = &plan->handshake;

      g_assert (handshake->n_fingerprints > 0 && handshake->association > 0);
      g_assert (local->dtls.n_fingerprints > 0 && remote->dtls.n_fingerprints > 0);
      for (guint i = 0; i < handshake->n_fingerprints; i++)
        g_assert (handshake->fingerprints[i].hash == handshake->fingerprints[0].hash);
      for (guint i = 0; i < remote->dtls.n_fingerprints; i++)
        g_assert (remote->dtls.fingerprints[i].hash <= handshake->fingerprints[0].hash);
      g_assert (local->dtls.setup == PHONE_SETUP_ACTPASS || (local->dtls.setup == PHONE_SETUP_ACTIVE) == handshake->client);
    }
  else if (plan->encrypted)
    {
      g_assert (has_key (local, &plan->send_key) && has_key (remote, &plan->receive_key));
      g_assert (plan->send_key.tag == plan->receive_key.tag
                && plan->send_key.suite == plan->receive_key.suite);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Input input = { data, size };
  PhoneMediaCaps caps = next_caps (&input);
  g_autoptr (PhoneMediaDesc) local = NULL;
  g_autoptr (PhoneMediaPlan) plan = NULL;

  for (guint turn = 0; turn < 8 && (turn == 0 || input.left > 0); turn++)
    {
      g_autoptr (PhoneMediaDesc) remote = next_desc (&input);
      guint how = next (&input);
      PhoneMediaDesc *ours;
      PhoneMediaPlan *outcome = NULL;

      caps.running = how & 1 ? plan : NULL;
      if (how & 2)
        caps.direction = (PhoneDirection) (how >> 2 & 3);
      if (how & 64)
        {
          ours = phone_offer_create (&caps, local, (how & 32) != 0, NULL);
          if (ours != NULL)
            {
              check_ours (ours, &caps);
              outcome = phone_offer_complete (&caps, ours, remote, NULL);
            }
        }
      else
        {
          ours = phone_answer_create (&caps, remote, local, &outcome, NULL);
          g_assert ((ours != NULL) == (outcome != NULL));
          if (ours != NULL)
            {
              check_ours (ours, &caps);
              g_assert (ours->profile == remote->profile && (ours->port == 0) == (remote->port == 0));
            }
        }
      if (outcome != NULL)
        {
          check_plan (outcome, &caps, ours, remote);
          phone_media_plan_free (plan);
          plan = outcome;
          phone_media_desc_free (local);
          local = ours;
        }
      else
        phone_media_desc_free (ours);
    }
  return 0;
}
