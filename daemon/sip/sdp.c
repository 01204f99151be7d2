/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The dialog's memory between two SDP texts.
 *
 * m-lines (RFC 3264 sections 5.1, 6, 8): their number never shrinks and their order never changes; an answer
 * has exactly those of the offer. A Layout is that list with what is needed to repeat a line that we refuse
 * (media, protocol, one format, mid) and which of them carries our audio. What ua_sdp_read() saw is only
 * `pending`: it counts once it is answered, so that an offer which we refuse with 488, or an answer, leaves
 * no trace.
 *
 * BUNDLE (RFC 9143): with one accepted m-line there is nothing to bundle, yet a peer that asked for it wants
 * to see the group with that one in it. It is repeated when the audio's mid is a member and RTCP is
 * multiplexed, which bundling presupposes.
 *
 * o= (RFC 3264 section 8): id and address stay for the life of the dialog, the version goes up by one when
 * the text below it changed. */

#include "sip/sdp.h"
#include "sip/sdp-fragment.h"
#include "sip/sdp-audio.h"

#include <string.h>

typedef struct
{
  char *media, *protocol, *format, *mid;        /* owned; mid may be NULL */
} Slot;

typedef struct
{
  guint n;
  int audio;                    /* slot of our stream, -1: none yet */
  gboolean bundle;              /* the audio slot's mid is in the peer's BUNDLE group */
  Slot slots[UA_SDP_MAX_MEDIA];
} Layout;

struct _UaSdp
{
  guint32 id;
  guint64 version;
  char *origin;                 /* "IP4 address" of the first text */
  char *body;                   /* the last text below o=; holds keys */
  Layout *layout, *pending;     /* pending may be NULL */
  guint codecs;                 /* bit 1 << PhoneCodecId */
  PhoneSrtpPolicy srtp;
  gboolean sdes_allowed;
  PhoneKeying keying;
};

/* ---- layout ---- */

static Layout *
layout_new (void)
{
  Layout *layout = g_new0 (Layout, 1);

  layout->audio = -1;
  return layout;
}

static void
layout_free (Layout *layout)
{
  if (layout == NULL)
    return;
  for (guint i = 0; i < layout->n; i++)
    {
      g_free (layout->slots[i].media);
      g_free (layout->slots[i].protocol);
      g_free (layout->slots[i].format);
      g_free (layout->slots[i].mid);
    }
  g_free (layout);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Layout, layout_free)

static Slot *
layout_add (Layout *layout, UaSlice media, UaSlice protocol, UaSlice format, UaSlice mid)
{
  Slot *slot = &layout->slots[layout->n++];

  slot->media = g_strndup (media.at, media.length);
  slot->protocol = g_strndup (protocol.at, protocol.length);
  slot->format = ua_slice_is_token (format) ? g_strndup (format.at, format.length) : g_strdup ("0");
  slot->mid = mid.length > 0 ? g_strndup (mid.at, mid.length) : NULL;
  return slot;
}

static gboolean
in_group (UaSlice group, UaSlice mid)
{
  UaSlice word;

  while (mid.length > 0 && ua_slice_word (&group, &word))
    if (word.length == mid.length && memcmp (word.at, mid.at, mid.length) == 0)
      return TRUE;
  return FALSE;
}

static Layout *
layout_from_scan (const UaSdpScan *scan, int audio)
{
  Layout *layout = layout_new ();

  for (guint i = 0; i < scan->n_media; i++)
    {
      const UaSdpSection *section = &scan->media[i];
      UaSlice formats = section->formats, format;

      ua_slice_word (&formats, &format);
      layout_add (layout, section->media, section->protocol, format, section->mid);
    }
  layout->audio = audio;
  layout->bundle = audio >= 0 && in_group (scan->bundle, scan->media[audio].mid);
  return layout;
}

/* ---- object ---- */

UaSdp *
ua_sdp_new (void)
{
  UaSdp *sdp = g_new0 (UaSdp, 1);

  /* 31 bits: some peers keep it in an int. */
  sdp->id = (guint32) g_random_int_range (1, G_MAXINT32);
  sdp->layout = layout_new ();
  sdp->codecs = (1u << phone_codec_id_n_values) - 1;
  sdp->srtp = PHONE_SRTP_PREFERRED;
  sdp->sdes_allowed = TRUE;
  sdp->keying = PHONE_KEYING_ANY;
  return sdp;
}

void
ua_sdp_set_policy (UaSdp *sdp, const PhoneCodecId *codecs, guint n_codecs, PhoneSrtpPolicy srtp,
                   gboolean sdes_allowed, PhoneKeying keying)
{
  sdp->codecs = 0;
  for (guint i = 0; i < n_codecs; i++)
    sdp->codecs |= 1u << codecs[i];
  sdp->srtp = srtp;
  sdp->sdes_allowed = sdes_allowed;
  sdp->keying = keying;
}

void
ua_sdp_free_text (char *text)
{
  if (text == NULL)
    return;
  explicit_bzero (text, strlen (text));
  g_free (text);
}

void
ua_sdp_free (UaSdp *sdp)
{
  if (sdp == NULL)
    return;
  ua_sdp_free_text (sdp->body);
  layout_free (sdp->layout);
  layout_free (sdp->pending);
  g_free (sdp->origin);
  g_free (sdp);
}

/* ---- reading ---- */

typedef enum
{
  RANK_NONE,
  RANK_CLOSED,                  /* port 0 */
  RANK_OPEN,                    /* nothing that we could accept */
  RANK_CLEAR,                   /* acceptable, in the clear although keys would be welcome */
  RANK_GOOD,
  RANK_IN_USE,                  /* acceptable, and our stream already */
} Rank;

static Rank
rank_security (const UaSdp *sdp, const PhoneMediaDesc *desc)
{
  gboolean prints = desc->dtls.n_fingerprints > 0 && sdp->keying != PHONE_KEYING_SDES;
  gboolean keys = prints || (desc->n_cryptos > 0 && sdp->sdes_allowed && sdp->keying != PHONE_KEYING_DTLS);

  switch (desc->profile)
    {
    case PHONE_PROFILE_AVP:
    case PHONE_PROFILE_AVPF:
      if (sdp->srtp == PHONE_SRTP_REQUIRED)
        return RANK_OPEN;
      return sdp->srtp == PHONE_SRTP_OFF || keys ? RANK_GOOD : RANK_CLEAR;
    case PHONE_PROFILE_SAVP:
    case PHONE_PROFILE_SAVPF:
      return sdp->srtp != PHONE_SRTP_OFF && keys ? RANK_GOOD : RANK_OPEN;
    case PHONE_PROFILE_DTLS_SAVP:
    case PHONE_PROFILE_DTLS_SAVPF:
      return sdp->srtp != PHONE_SRTP_OFF && prints ? RANK_GOOD : RANK_OPEN;
    }
  g_assert_not_reached ();
}

static Rank
rank_audio (const UaSdp *sdp, const PhoneMediaDesc *desc, gboolean in_use)
{
  gboolean known = FALSE;
  Rank rank;

  if (desc->port == 0)
    return RANK_CLOSED;
  for (guint i = 0; i < desc->n_codecs; i++)
    known = known || (sdp->codecs >> desc->codecs[i].id & 1);
  rank = known ? rank_security (sdp, desc) : RANK_OPEN;
  return in_use && rank > RANK_OPEN ? RANK_IN_USE : rank;
}

/* The first of the best audio sections. If none can be accepted, an error of the first one that could not
 * even be read tells more. */
static PhoneMediaDesc *
choose_audio (const UaSdp *sdp, const UaSdpScan *scan, int *ret_index, GError **error)
{
  g_autoptr (PhoneMediaDesc) session = ua_sdp_audio_read_session (scan);
  g_autoptr (PhoneMediaDesc) best = NULL;
  g_autoptr (GError) first_error = NULL;
  Rank best_rank = RANK_NONE;

  *ret_index = -1;
  for (guint i = 0; i < scan->n_media; i++)
    {
      g_autoptr (PhoneMediaDesc) desc = NULL;
      Rank rank;

      if (!ua_slice_is (scan->media[i].media, "audio"))
        continue;
      desc = ua_sdp_audio_read (scan, &scan->media[i], session, first_error == NULL ? &first_error : NULL);
      if (desc == NULL)
        continue;
      rank = rank_audio (sdp, desc, (int) i == sdp->layout->audio);
      if (rank > best_rank)
        {
          phone_media_desc_free (best);
          best = g_steal_pointer (&desc);
          best_rank = rank;
          *ret_index = (int) i;
        }
    }

  if (first_error != NULL && best_rank < RANK_OPEN)
    {
      g_propagate_error (error, g_steal_pointer (&first_error));
      return NULL;
    }
  if (best == NULL)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "SDP without an audio stream");
  return g_steal_pointer (&best);
}

gboolean
ua_sdp_read (UaSdp *sdp, const char *text, gsize length, PhoneMediaDesc **ret_desc, GError **error)
{
  g_return_val_if_fail (sdp != NULL && text != NULL && ret_desc != NULL, FALSE);
  g_autofree UaSdpScan *scan = g_new (UaSdpScan, 1);
  PhoneMediaDesc *desc;
  int audio;

  *ret_desc = NULL;
  g_clear_pointer (&sdp->pending, layout_free);
  if (!ua_sdp_scan (text, length, scan, error))
    return FALSE;
  desc = choose_audio (sdp, scan, &audio, error);
  if (desc == NULL)
    return FALSE;
  sdp->pending = layout_from_scan (scan, audio);
  *ret_desc = desc;
  return TRUE;
}

/* ---- writing ---- */

static gsize
estimate_length (const Layout *layout)
{
  gsize length = 1024 + UA_SDP_AUDIO_MAX_TEXT;

  for (guint i = 0; i < layout->n; i++)
    {
      const Slot *slot = &layout->slots[i];
      length += 32 + strlen (slot->media) + strlen (slot->protocol) + strlen (slot->format);
      length += slot->mid != NULL ? 2 * strlen (slot->mid) : 0;
    }
  return length;
}

static void
write_refused (const Slot *slot, GString *text)
{
  g_string_append_printf (text, "m=%s 0 %s %s\r\n", slot->media, slot->protocol, slot->format);
  if (slot->mid != NULL)
    g_string_append_printf (text, "a=mid:%s\r\n", slot->mid);
}

static const char *
address_type (const PhoneMediaDesc *desc)
{
  return desc->address != NULL && strchr (desc->address, ':') != NULL ? "IP6" : "IP4";
}

static const char *
address_text (const PhoneMediaDesc *desc)
{
  return desc->address != NULL ? desc->address : "0.0.0.0";
}

static char *
write_body (const Layout *layout, const PhoneMediaDesc *desc)
{
  /* Sized at once: a string that grew would leave keys behind in freed memory. */
  GString *text = g_string_sized_new (estimate_length (layout));

  g_string_append_printf (text, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", address_type (desc), address_text (desc));
  if (layout->bundle && desc->rtcp_mux && desc->port != 0)
    g_string_append_printf (text, "a=group:BUNDLE %s\r\n", layout->slots[layout->audio].mid);
  if (desc->port != 0)
    ua_sdp_ice_write_session (&desc->ice, text);
  for (guint i = 0; i < layout->n; i++)
    if ((int) i == layout->audio && desc->port != 0)
      ua_sdp_audio_write (desc, layout->slots[i].mid, text);
    else
      write_refused (&layout->slots[i], text);
  return g_string_free (text, FALSE);
}

static char *
write_text (UaSdp *sdp, const PhoneMediaDesc *desc)
{
  char *body = write_body (sdp->layout, desc);
  g_autofree char *head = NULL;
  gsize head_length, body_length = strlen (body);
  char *text;

  if (sdp->origin == NULL)
    sdp->origin = g_strdup_printf ("%s %s", address_type (desc), address_text (desc));
  if (g_strcmp0 (body, sdp->body) != 0)
    {
      sdp->version++;
      ua_sdp_free_text (sdp->body);
      sdp->body = g_strdup (body);
    }
  head = g_strdup_printf ("v=0\r\no=- %u %" G_GUINT64_FORMAT " IN %s\r\n", sdp->id, sdp->version,
                          sdp->origin);
  head_length = strlen (head);
  text = g_malloc (head_length + body_length + 1);
  memcpy (text, head, head_length);
  memcpy (text + head_length, body, body_length + 1);
  ua_sdp_free_text (body);
  return text;
}

char *
ua_sdp_write_answer (UaSdp *sdp, const PhoneMediaDesc *answer)
{
  g_return_val_if_fail (sdp != NULL && answer != NULL, NULL);

  if (sdp->pending != NULL)
    {
      layout_free (sdp->layout);
      sdp->layout = g_steal_pointer (&sdp->pending);
    }
  g_return_val_if_fail (sdp->layout->audio >= 0, NULL);
  return write_text (sdp, answer);
}

gboolean
ua_sdp_read_fragment (const UaSdp *sdp, const char *text, gsize length, PhoneIceDesc *ret_ice, GError **error)
{
  const Layout *layout = sdp->pending != NULL ? sdp->pending : sdp->layout;
  const char *mid = layout->audio >= 0 ? layout->slots[layout->audio].mid : NULL;

  return ua_sdp_fragment_read (text, length, mid, ret_ice, error);
}

char *
ua_sdp_write_offer (UaSdp *sdp, const PhoneMediaDesc *offer)
{
  g_return_val_if_fail (sdp != NULL && offer != NULL, NULL);
  Layout *layout = sdp->layout;

  g_clear_pointer (&sdp->pending, layout_free);
  if (layout->audio < 0)
    {
      /* Browsers, and whoever trickles candidates (RFC 8840), speak of a stream by its mid. */
      const char *name = offer->dtls.n_fingerprints > 0 || phone_media_desc_has_ice (offer) ? "0" : "";
      const UaSlice none = { NULL, 0 }, media = { "audio", 5 }, mid = { name, strlen (name) };
      const char *profile = phone_profile_to_string (offer->profile);

      layout->audio = (int) layout->n;
      layout_add (layout, media, (UaSlice) { profile, strlen (profile) }, none, mid);
    }
  return write_text (sdp, offer);
}
