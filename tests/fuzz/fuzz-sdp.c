/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A dialog with a hostile peer: an octet of policy, then texts separated by NUL. The first and every second
 * one after it are the peer's offers, the others its answers to offers of ours. Whatever we write must be
 * well-formed, have the m-lines that RFC 3264 asks for, and be readable by ourselves to the same meaning. */

#include "core/offer-answer.h"
#include "sip/sdp.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct
{
  UaSdp *sdp;
  PhoneMediaCaps caps;
  PhoneMediaDesc *local;
  PhoneMediaPlan *plan;
} Phone;

static void
take (Phone *phone, PhoneMediaDesc *local, PhoneMediaPlan *plan)
{
  phone_media_desc_free (phone->local);
  phone_media_plan_free (phone->plan);
  phone->local = local;
  phone->plan = plan;
  phone->caps.running = plan;
}

/* m-lines of any text, as a line reader would see them. */
static guint
count_media (const char *text, gsize length)
{
  guint n = 0;
  gboolean start = TRUE;

  for (gsize i = 0; i < length; i++)
    {
      if (start && text[i] == 'm' && i + 1 < length && text[i + 1] == '=')
        n++;
      start = text[i] == '\r' || text[i] == '\n';
    }
  return n;
}

static void
check_desc (const PhoneMediaDesc *desc)
{
  g_assert (desc->n_codecs <= PHONE_MAX_CODECS && desc->n_cryptos <= PHONE_MAX_CRYPTOS);
  g_assert (desc->port == 0 || desc->address != NULL);
  g_assert (desc->direction <= PHONE_DIRECTION_SENDRECV);
  g_assert (desc->dtmf_8000 >= -1 && desc->dtmf_8000 <= 127 && desc->dtmf_48000 >= -1
            && desc->dtmf_48000 <= 127);
  for (guint i = 0; i < desc->n_codecs; i++)
    {
      g_assert (desc->codecs[i].payload_type <= 127);
      g_assert (desc->codecs[i].payload_type != desc->dtmf_8000
                && desc->codecs[i].payload_type != desc->dtmf_48000);
      for (guint j = 0; j < i; j++)
        g_assert (desc->codecs[i].payload_type != desc->codecs[j].payload_type);
    }
  g_assert (desc->red <= 127 && (desc->red == 0 || (desc->red != desc->dtmf_8000 && desc->red != desc->dtmf_48000)));
  for (guint i = 0; desc->red != 0 && i < desc->n_codecs; i++)
    g_assert (desc->codecs[i].payload_type != desc->red);
  for (guint i = 0; i < desc->n_cryptos; i++)
    for (guint j = 0; j < i; j++)
      g_assert (desc->cryptos[i].tag != desc->cryptos[j].tag);

  g_assert (desc->n_feedback <= PHONE_MAX_FEEDBACK && desc->n_extensions <= PHONE_MAX_EXTENSIONS);
  for (guint i = 0; i < desc->n_extensions; i++)
    g_assert (desc->extensions[i].id > 0 && desc->extensions[i].id <= 4351);
  g_assert (desc->dtls.n_fingerprints <= PHONE_MAX_FINGERPRINTS && strlen (desc->dtls.tls_id) <= PHONE_MAX_TLS_ID);
  g_assert (desc->ice.n_candidates <= PHONE_ICE_MAX_CANDIDATES && desc->ice.n_remote <= PHONE_ICE_MAX_REMOTE);
  g_assert ((desc->ice.ufrag[0] != '\0') == (desc->ice.pwd[0] != '\0'));
  g_assert (desc->ice.ufrag[0] != '\0' || desc->ice.n_candidates == 0);
  for (guint i = 0; i < desc->ice.n_candidates; i++)
    {
      const PhoneCandidate *candidate = &desc->ice.candidates[i];

      g_assert (candidate->component >= 1 && candidate->component <= 256 && candidate->priority != 0 && candidate->port != 0);
      g_assert (g_hostname_is_ip_address (candidate->address) && candidate->foundation[0] != '\0');
    }
}

/* Lines end in CRLF, are printable, have the form x=..., and we read what we meant. */
static void
check_written (const char *text, const PhoneMediaDesc *meant)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  g_autoptr (UaSdp) reader = ua_sdp_new ();
  g_autoptr (PhoneMediaDesc) seen = NULL;
  g_autoptr (GError) error = NULL;
  guint n = g_strv_length (lines);

  g_assert (n > 5 && lines[n - 1][0] == '\0');
  for (guint i = 0; i + 1 < n; i++)
    {
      g_assert (g_ascii_islower (lines[i][0]) && lines[i][1] == '=');
      for (const char *c = lines[i]; *c != '\0'; c++)
        g_assert (g_ascii_isprint (*c));
    }
  if (meant->port == 0)
    return;
  if (!ua_sdp_read (reader, text, strlen (text), &seen, &error))
    g_error ("%s", error->message);
  check_desc (seen);
  g_assert (seen->port == meant->port && seen->direction == meant->direction
            && seen->profile == meant->profile);
  g_assert (seen->n_codecs == meant->n_codecs && seen->n_cryptos == meant->n_cryptos);
  for (guint i = 0; i < seen->n_codecs; i++)
    g_assert (phone_codec_equal (&seen->codecs[i], &meant->codecs[i]));
  for (guint i = 0; i < seen->n_cryptos; i++)
    g_assert (phone_srtp_key_equal (&seen->cryptos[i], &meant->cryptos[i]));
}

/* What we understood, written and read again, is what we understood. */
static void
check_round_trip (const PhoneMediaDesc *desc)
{
  g_autoptr (UaSdp) writer = ua_sdp_new (), reader = ua_sdp_new ();
  g_autoptr (PhoneMediaDesc) seen = NULL;
  g_autoptr (GError) error = NULL;
  char *text;

  if (desc->port == 0 || desc->n_codecs == 0)
    return;
  text = ua_sdp_write_offer (writer, desc);
  if (!ua_sdp_read (reader, text, strlen (text), &seen, &error))
    g_error ("%s\n%s", error->message, text);
  if (desc->rtcp_mux && desc->rtcp_port == desc->port)
    seen->rtcp_port = desc->rtcp_port;  /* nobody will use it */
  if (!phone_media_desc_equal (desc, seen))
    g_error ("not what was written:\n%s", text);
  ua_sdp_free_text (text);
}

static void
their_offer (Phone *phone, const char *text, gsize length)
{
  g_autoptr (PhoneMediaDesc) offer = NULL;
  PhoneMediaDesc *answer;
  PhoneMediaPlan *plan;
  char *written;

  if (!ua_sdp_read (phone->sdp, text, length, &offer, NULL))
    return;
  check_desc (offer);
  check_round_trip (offer);
  answer = phone_answer_create (&phone->caps, offer, phone->local, &plan, NULL);
  if (answer == NULL)
    return;
  written = ua_sdp_write_answer (phone->sdp, answer);
  g_assert (count_media (written, strlen (written)) == count_media (text, length));
  check_written (written, answer);
  ua_sdp_free_text (written);
  take (phone, answer, plan);
}

static void
their_answer (Phone *phone, const char *text, gsize length)
{
  g_autoptr (PhoneMediaDesc) offer = phone_offer_create (&phone->caps, phone->local, length & 1, NULL);
  g_autoptr (PhoneMediaDesc) answer = NULL;
  PhoneMediaPlan *plan;
  char *written, *again;

  if (offer == NULL)
    return;
  written = ua_sdp_write_offer (phone->sdp, offer);
  check_written (written, offer);
  again = ua_sdp_write_offer (phone->sdp, offer);
  g_assert_cmpstr (written, ==, again);
  ua_sdp_free_text (written);
  ua_sdp_free_text (again);
  if (!ua_sdp_read (phone->sdp, text, length, &answer, NULL))
    return;
  plan = phone_offer_complete (&phone->caps, offer, answer, NULL);
  if (plan != NULL)
    take (phone, g_steal_pointer (&offer), plan);
}

static const PhoneDtlsDesc own_dtls = { .n_fingerprints = 1, .tls_id = "abcdefghijklmnopqrst" };

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Phone phone
      = { .caps = { .n_codecs = 4,
                    .codecs = { PHONE_CODEC_OPUS, PHONE_CODEC_PCMA, PHONE_CODEC_G722, PHONE_CODEC_PCMU },
                    .ptime = 20,
                    .port = 4000,
                    .rtcp_port = 4001 } };
  guint policy;

  if (size == 0)
    return 0;
  policy = data[0];
  phone.sdp = ua_sdp_new ();
  phone.caps.srtp = (PhoneSrtpPolicy) (policy % 3);
  phone.caps.sdes_allowed = (policy & 4) != 0;
  phone.caps.dtls = &own_dtls;
  phone.caps.direction = (PhoneDirection) (policy >> 3 & 3);
  phone.caps.rtcp_mux = (policy & 32) != 0;
  phone.caps.address = policy & 64 ? "2001:db8::1" : "192.0.2.1";
  phone.caps.n_codecs = policy & 128 ? 2 : 4;
  ua_sdp_set_policy (phone.sdp, phone.caps.codecs, phone.caps.n_codecs, phone.caps.srtp,
                     phone.caps.sdes_allowed, phone.caps.keying);

  data++;
  size--;
  for (guint turn = 0; turn < 8; turn++)
    {
      const uint8_t *end = size > 0 ? memchr (data, 0, size) : NULL;
      gsize length = end != NULL ? (gsize) (end - data) : size;
      /* An exact copy, so that reading past its end is seen. */
      g_autofree char *text = g_malloc (length + (length == 0));

      if (length > 0)
        memcpy (text, data, length);
      if (turn % 2 == 0)
        their_offer (&phone, text, length);
      else
        their_answer (&phone, text, length);
      if (end == NULL)
        break;
      data = end + 1;
      size -= length + 1;
    }
  take (&phone, NULL, NULL);
  ua_sdp_free (phone.sdp);
  return 0;
}
