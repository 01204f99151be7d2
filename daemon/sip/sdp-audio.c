/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From text to value. Whatever can be ignored without harm is (an unknown format, a broken fmtp, a crypto
 * line that we cannot use); an error is only what would make us send to the wrong place or misunderstand the
 * stream.
 *
 *   c=         numeric unicast address. 0.0.0.0 is hold (RFC 3264 section 8.4) and takes the receiving away
 *              from the direction. Names are refused: resolving them would need a moment and a policy.
 *   a=rtpmap   may be absent for the static types 0, 8, 9 (RFC 3551 section 6)
 *   a=fmtp     Opus: RFC 7587 section 6.1, and minptime of older drafts
 *   red        redundancy (RFC 2198) of nothing but Opus; of other codecs it is passed over
 *   direction, ptime, crypto and what is said about DTLS and ICE in the session part hold for a section that has none of its own
 *   a=ssrc, a=msid and whatever else is not mentioned here is passed over */

#include "sip/sdp-audio.h"
#include "sip/sdes.h"

#include <arpa/inet.h>
#include <string.h>

#define MAX_PAYLOAD_TYPE 127
#define MAX_PTIME 1000                  /* ms */

typedef struct
{
  guint8 payload_type;
  UaSlice map;                  /* name/rate[/channels], length 0: none */
  UaSlice fmtp;
} Format;

typedef struct
{
  PhoneMediaDesc *desc;
  Format formats[UA_SDP_MAX_FORMATS];
  guint n_formats;
  gint8 index[MAX_PAYLOAD_TYPE + 1];    /* into formats, -1: not in the m-line */
  gboolean has_rtcp;
} Reader;

static gboolean
parse_payload_type (UaSlice text, guint8 *ret_type)
{
  guint64 number;

  if (!ua_slice_number (text, MAX_PAYLOAD_TYPE, &number))
    return FALSE;
  *ret_type = (guint8) number;
  return TRUE;
}

static void
read_formats (Reader *reader, UaSlice formats)
{
  UaSlice word;
  guint8 type;

  memset (reader->index, -1, sizeof reader->index);
  for (guint n = 0; n < UA_SDP_MAX_FORMATS && ua_slice_word (&formats, &word); n++)
    if (parse_payload_type (word, &type) && reader->index[type] < 0)
      {
        reader->index[type] = (gint8) reader->n_formats;
        reader->formats[reader->n_formats++].payload_type = type;
      }
}

/* "PT rest" of rtpmap and fmtp: the format that it is about, the first time. */
static void
note_format (Reader *reader, UaSlice value, gsize member)
{
  UaSlice word, *slot;
  guint8 type;

  if (!ua_slice_word (&value, &word) || !parse_payload_type (word, &type) || reader->index[type] < 0)
    return;
  slot = (UaSlice *) ((char *) &reader->formats[reader->index[type]] + member);
  if (slot->length == 0)
    *slot = ua_slice_trim (value);
}

static void
read_ms (UaSlice value, guint *ret_ms)
{
  UaSlice whole;
  guint64 number;

  ua_slice_until (&value, '.', &whole);         /* RFC 8866 allows fractions */
  if (ua_slice_number (whole, MAX_PTIME, &number) && number > 0)
    *ret_ms = (guint) number;
}

static void
read_crypto (PhoneMediaDesc *desc, const UaSdpLine *line, UaSlice value)
{
  PhoneSrtpKey key;
  const char *why;
  gboolean known = FALSE;

  if (!ua_sdes_parse (value, &key, &why))
    {
      g_debug ("SDP line %u: a=crypto skipped: %s", line->number, why);
      return;
    }
  for (guint i = 0; i < desc->n_cryptos; i++)
    known = known || desc->cryptos[i].tag == key.tag;
  if (!known && desc->n_cryptos < PHONE_MAX_CRYPTOS)
    desc->cryptos[desc->n_cryptos++] = key;
  phone_srtp_key_clear (&key);
}

static void
read_rtcp (Reader *reader, UaSlice value)
{
  UaSlice word;
  guint64 port;

  /* Another address for RTCP (RFC 3605) is not followed: everything comes from and goes to one host. */
  if (ua_slice_word (&value, &word) && ua_slice_number (word, G_MAXUINT16, &port) && port != 0)
    {
      reader->desc->rtcp_port = (guint16) port;
      reader->has_rtcp = TRUE;
    }
}

static gboolean
read_direction (UaSlice name, PhoneDirection *ret_direction)
{
  for (int i = 0; i < phone_direction_n_values; i++)
    if (ua_slice_is (name, phone_direction_to_string ((PhoneDirection) i)))
      {
        *ret_direction = (PhoneDirection) i;
        return TRUE;
      }
  return FALSE;
}

static void
read_record (PhoneMediaDesc *desc, UaSlice value)
{
  for (guint mark = PHONE_RECORD_MARK_OFF; mark < phone_record_mark_n_values; mark++)
    if (ua_slice_is (value, phone_record_mark_to_string (mark)))
      desc->record = mark;
}

static void
read_attributes (Reader *reader, UaSdpCursor cursor, gboolean session)
{
  PhoneMediaDesc *desc = reader->desc;
  UaSdpLine line;
  UaSlice name, value;

  while (ua_sdp_next_line (&cursor, &line))
    {
      if (line.type != 'a')
        continue;
      ua_sdp_attribute (&line, &name, &value);
      if (read_direction (name, &desc->direction))
        ;
      else if (ua_slice_is (name, "ptime"))
        read_ms (value, &desc->ptime);
      else if (ua_slice_is (name, "maxptime"))
        read_ms (value, &desc->maxptime);
      else if (ua_slice_is (name, "crypto"))
        read_crypto (desc, &line, value);
      else if (ua_sdp_dtls_read (&desc->dtls, name, value) || ua_sdp_ice_read (&desc->ice, name, value, session)
               || ua_sdp_feedback_read (desc, name, value))
        ;
      else if (ua_slice_is (name, "record"))    /* linphone says it for the session */
        read_record (desc, value);
      else if (session)
        ;
      else if (ua_slice_is (name, "rtpmap"))
        note_format (reader, value, G_STRUCT_OFFSET (Format, map));
      else if (ua_slice_is (name, "fmtp"))
        note_format (reader, value, G_STRUCT_OFFSET (Format, fmtp));
      else if (ua_slice_is (name, "rtcp"))
        read_rtcp (reader, value);
      else if (ua_slice_is (name, "rtcp-mux"))
        desc->rtcp_mux = TRUE;
      else if (ua_slice_is (name, "rtcp-mux-only"))
        desc->rtcp_mux = desc->rtcp_mux_only = TRUE;
      else if (ua_slice_is (name, "rtcp-rsize"))
        desc->rtcp_rsize = TRUE;
    }
}

/* ---- formats ---- */

static void
read_opus_parameter (UaSlice name, UaSlice value, PhoneCodec *codec)
{
  guint64 number;

  if (!ua_slice_number (value, G_MAXUINT32, &number))
    return;
  if (ua_slice_is (name, "maxplaybackrate") && number > 0)
    codec->max_playback_rate = (guint32) CLAMP (number, 8000, 48000);
  else if (ua_slice_is (name, "maxaveragebitrate") && number > 0)
    codec->max_average_bitrate = (guint32) CLAMP (number, 6000, 510000);
  else if (ua_slice_is (name, "minptime") && number > 0)
    codec->min_ptime = (guint) MIN (number, 120);
  else if (ua_slice_is (name, "useinbandfec"))
    codec->use_inband_fec = number == 1;
  else if (ua_slice_is (name, "usedtx"))
    codec->use_dtx = number == 1;
  else if (ua_slice_is (name, "stereo"))
    codec->stereo = number == 1;
  else if (ua_slice_is (name, "cbr"))
    codec->cbr = number == 1;
}

static void
read_opus_parameters (UaSlice fmtp, PhoneCodec *codec)
{
  UaSlice part, name;

  while (ua_slice_until (&fmtp, ';', &part))
    {
      ua_slice_until (&part, '=', &name);
      read_opus_parameter (ua_slice_trim (name), ua_slice_trim (part), codec);
    }
}

static const struct
{
  PhoneCodecId id;
  const char *name;
  guint rate;                   /* as in rtpmap */
  int static_type;              /* RFC 3551 section 6, -1: none */
  const char *map;
} codecs[] = {
  { PHONE_CODEC_OPUS, "opus", 48000, -1, "opus/48000/2" },      /* always two channels: RFC 7587 section 7 */
  { PHONE_CODEC_G722, "G722", 8000, 9, "G722/8000" },
  { PHONE_CODEC_PCMU, "PCMU", 8000, 0, "PCMU/8000" },
  { PHONE_CODEC_PCMA, "PCMA", 8000, 8, "PCMA/8000" },
};
G_STATIC_ASSERT (G_N_ELEMENTS (codecs) == phone_codec_id_n_values);

static void
add_format (PhoneMediaDesc *desc, const Format *format)
{
  UaSlice map = format->map, name, rate_text;
  guint64 rate = 0;

  ua_slice_until (&map, '/', &name);
  ua_slice_until (&map, '/', &rate_text);
  if (format->map.length > 0 && !ua_slice_number (rate_text, G_MAXUINT32, &rate))
    return;

  if (ua_slice_is (name, "telephone-event"))
    {
      int *slot = rate == 8000 ? &desc->dtmf_8000 : rate == 48000 ? &desc->dtmf_48000 : NULL;
      if (slot != NULL && *slot < 0)
        *slot = format->payload_type;
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (codecs); i++)
    if (format->map.length > 0 ? ua_slice_is (name, codecs[i].name) && rate == codecs[i].rate
                               : format->payload_type == codecs[i].static_type)
      {
        PhoneCodec codec = { .id = codecs[i].id, .payload_type = format->payload_type };

        if (codec.id == PHONE_CODEC_OPUS)
          read_opus_parameters (format->fmtp, &codec);
        if (desc->n_codecs < PHONE_MAX_CODECS)
          desc->codecs[desc->n_codecs++] = codec;
        return;
      }
}

/* a=fmtp:RED OPUS/OPUS[/OPUS...] (RFC 2198 section 5). It may stand before the format that it is about. */
static gboolean
is_opus_alone (const PhoneMediaDesc *desc, UaSlice fmtp)
{
  UaSlice part;
  guint8 type;
  guint n = 0;

  for (; ua_slice_until (&fmtp, '/', &part); n++)
    {
      gboolean opus = FALSE;

      if (!parse_payload_type (ua_slice_trim (part), &type))
        return FALSE;
      for (guint i = 0; i < desc->n_codecs; i++)
        opus = opus || (desc->codecs[i].id == PHONE_CODEC_OPUS && desc->codecs[i].payload_type == type);
      if (!opus)
        return FALSE;
    }
  return n > 1;
}

static void
find_redundancy (Reader *reader)
{
  for (guint i = 0; i < reader->n_formats && reader->desc->red == 0; i++)
    {
      const Format *format = &reader->formats[i];
      UaSlice map = format->map, name, rate_text;
      guint64 rate = 0;

      ua_slice_until (&map, '/', &name);
      ua_slice_until (&map, '/', &rate_text);
      if (ua_slice_is (name, "red") && ua_slice_number (rate_text, G_MAXUINT32, &rate) && rate == 48000
          && is_opus_alone (reader->desc, format->fmtp))
        reader->desc->red = format->payload_type;
    }
}

/* ---- address ---- */

static char *
parse_address (const UaSdpLine *line, gboolean *ret_nowhere, GError **error)
{
  UaSlice rest = line->value, net, type, address;
  g_autofree char *quoted = NULL;
  char text[INET6_ADDRSTRLEN];
  union { struct in_addr v4; struct in6_addr v6; } parsed;
  gboolean v6, multicast;

  if (!ua_slice_word (&rest, &net) || !ua_slice_word (&rest, &type) || !ua_slice_word (&rest, &address)
      || !ua_slice_is (net, "IN") || !(ua_slice_is (type, "IP4") || ua_slice_is (type, "IP6")))
    {
      ua_sdp_fail (error, line->number, "c= is not of the form IN IP4 or IN IP6 and an address");
      return NULL;
    }
  quoted = ua_slice_quote (address);
  v6 = ua_slice_is (type, "IP6");
  if (address.length < sizeof text)
    {
      memcpy (text, address.at, address.length);
      text[address.length] = '\0';
    }
  if (address.length >= sizeof text || inet_pton (v6 ? AF_INET6 : AF_INET, text, &parsed) != 1)
    {
      ua_sdp_fail (error, line->number, "\"%s\" in c= is not a numeric unicast %s address", quoted,
                   v6 ? "IPv6" : "IPv4");
      return NULL;
    }
  multicast = v6 ? IN6_IS_ADDR_MULTICAST (&parsed.v6)
                 : IN_MULTICAST (ntohl (parsed.v4.s_addr)) || parsed.v4.s_addr == htonl (INADDR_BROADCAST);
  if (multicast)
    {
      ua_sdp_fail (error, line->number, "%s in c= is not a unicast address", quoted);
      return NULL;
    }
  *ret_nowhere = v6 ? IN6_IS_ADDR_UNSPECIFIED (&parsed.v6) : parsed.v4.s_addr == htonl (INADDR_ANY);
  inet_ntop (v6 ? AF_INET6 : AF_INET, &parsed, text, sizeof text);
  return g_strdup (text);
}

static gboolean
read_address (const UaSdpScan *scan, const UaSdpSection *section, PhoneMediaDesc *desc, GError **error)
{
  const UaSdpLine *line = section->connection.type != 0 ? &section->connection : &scan->session.connection;
  gboolean nowhere;

  if (line->type == 0)
    {
      ua_sdp_fail (error, section->number, "the audio stream has no c=");
      return FALSE;
    }
  desc->address = parse_address (line, &nowhere, error);
  if (desc->address == NULL)
    return FALSE;
  /* With ICE it only says that no default candidate is known yet (RFC 8840 section 4.1.1). */
  if (nowhere && !phone_media_desc_has_ice (desc))
    desc->direction = (PhoneDirection) (desc->direction & ~PHONE_DIRECTION_RECVONLY);
  return TRUE;
}

static gboolean
read_profile (const UaSdpSection *section, PhoneMediaDesc *desc, GError **error)
{
  g_autofree char *quoted = NULL;

  for (int i = 0; i < phone_profile_n_values; i++)
    if (ua_slice_is (section->protocol, phone_profile_to_string ((PhoneProfile) i)))
      {
        desc->profile = (PhoneProfile) i;
        return TRUE;
      }
  if (section->port == 0)
    return TRUE;
  quoted = ua_slice_quote (section->protocol);
  ua_sdp_fail (error, section->number, "the profile %s is not supported", quoted);
  return FALSE;
}

PhoneMediaDesc *
ua_sdp_audio_read_session (const UaSdpScan *scan)
{
  Reader reader = { .desc = phone_media_desc_new () };

  read_attributes (&reader, scan->session.body, TRUE);
  return reader.desc;
}

PhoneMediaDesc *
ua_sdp_audio_read (const UaSdpScan *scan, const UaSdpSection *section, const PhoneMediaDesc *session,
                   GError **error)
{
  g_autoptr (PhoneMediaDesc) desc = phone_media_desc_new ();
  Reader reader = { .desc = desc };

  desc->direction = session->direction;
  desc->ptime = session->ptime;
  desc->record = session->record;
  desc->maxptime = session->maxptime;
  desc->port = section->port;
  read_formats (&reader, section->formats);
  read_attributes (&reader, section->body, FALSE);
  for (guint i = 0; i < reader.n_formats; i++)
    add_format (desc, &reader.formats[i]);
  find_redundancy (&reader);
  if (desc->n_cryptos == 0)
    {
      desc->n_cryptos = session->n_cryptos;
      memcpy (desc->cryptos, session->cryptos, sizeof desc->cryptos);
    }
  ua_sdp_dtls_merge (&desc->dtls, &session->dtls);
  ua_sdp_ice_merge (&desc->ice, &session->ice);
  desc->voip_metrics |= session->voip_metrics;
  desc->rcvr_rtt = MAX (desc->rcvr_rtt, session->rcvr_rtt);
  if (desc->n_extensions == 0)
    {
      desc->n_extensions = session->n_extensions;
      memcpy (desc->extensions, session->extensions, sizeof desc->extensions);
    }
  desc->mixed_extensions |= session->mixed_extensions;

  if (!read_profile (section, desc, error))
    return NULL;
  if (desc->port == 0)
    {
      desc->direction = PHONE_DIRECTION_INACTIVE;
      desc->rtcp_port = 0;
    }
  else if (!read_address (scan, section, desc, error))
    return NULL;
  else if (!reader.has_rtcp && desc->port < G_MAXUINT16)
    desc->rtcp_port = desc->port + 1;
  return g_steal_pointer (&desc);
}

/* ---- writing ---- */

static void
write_opus_parameters (const PhoneCodec *codec, GString *text)
{
  const struct { const char *name; guint32 value; } parameters[] = {
    { "maxplaybackrate", codec->max_playback_rate }, { "maxaveragebitrate", codec->max_average_bitrate },
    { "minptime", codec->min_ptime },
    { "stereo", codec->stereo ? 1 : 0 }, { "cbr", codec->cbr ? 1 : 0 },
    { "useinbandfec", codec->use_inband_fec ? 1 : 0 }, { "usedtx", codec->use_dtx ? 1 : 0 },
  };
  gboolean first = TRUE;

  for (gsize i = 0; i < G_N_ELEMENTS (parameters); i++)
    if (parameters[i].value != 0)
      {
        if (first)
          g_string_append_printf (text, "a=fmtp:%u ", codec->payload_type);
        g_string_append_printf (text, "%s%s=%u", first ? "" : ";", parameters[i].name, parameters[i].value);
        first = FALSE;
      }
  if (!first)
    g_string_append (text, "\r\n");
}

static void
write_event (int payload_type, guint rate, GString *text)
{
  if (payload_type >= 0)
    g_string_append_printf (text, "a=rtpmap:%d telephone-event/%u\r\na=fmtp:%d 0-16\r\n", payload_type, rate,
                            payload_type);
}

static void
write_redundancy (const PhoneMediaDesc *desc, GString *text)
{
  for (guint i = 0; desc->red != 0 && i < desc->n_codecs; i++)
    if (desc->codecs[i].id == PHONE_CODEC_OPUS)
      {
        g_string_append_printf (text, "a=rtpmap:%u red/48000/2\r\na=fmtp:%u %u/%u\r\n", desc->red, desc->red, desc->codecs[i].payload_type,
                                desc->codecs[i].payload_type);
        return;
      }
}

void
ua_sdp_audio_write (const PhoneMediaDesc *desc, const char *mid, GString *text)
{
  g_string_append_printf (text, "m=audio %u %s", desc->port, phone_profile_to_string (desc->profile));
  for (guint i = 0; i < desc->n_codecs; i++)
    g_string_append_printf (text, " %u", desc->codecs[i].payload_type);
  if (desc->red != 0)
    g_string_append_printf (text, " %u", desc->red);
  if (desc->dtmf_48000 >= 0)
    g_string_append_printf (text, " %d", desc->dtmf_48000);
  if (desc->dtmf_8000 >= 0)
    g_string_append_printf (text, " %d", desc->dtmf_8000);
  if (desc->n_codecs == 0 && desc->dtmf_48000 < 0 && desc->dtmf_8000 < 0)
    g_string_append (text, " 0");       /* one must stand there */
  g_string_append (text, "\r\n");
  if (mid != NULL)
    g_string_append_printf (text, "a=mid:%s\r\n", mid);
  if (desc->port == 0)
    return;

  for (guint i = 0; i < desc->n_codecs; i++)
    {
      const PhoneCodec *codec = &desc->codecs[i];

      for (gsize j = 0; j < G_N_ELEMENTS (codecs); j++)
        if (codecs[j].id == codec->id)
          g_string_append_printf (text, "a=rtpmap:%u %s\r\n", codec->payload_type, codecs[j].map);
      if (codec->id == PHONE_CODEC_OPUS)
        write_opus_parameters (codec, text);
    }
  write_redundancy (desc, text);
  write_event (desc->dtmf_48000, 48000, text);
  write_event (desc->dtmf_8000, 8000, text);
  if (desc->ptime != 0)
    g_string_append_printf (text, "a=ptime:%u\r\n", desc->ptime);
  if (desc->maxptime != 0)
    g_string_append_printf (text, "a=maxptime:%u\r\n", desc->maxptime);
  if (desc->rtcp_port != 0 && desc->rtcp_port != desc->port + 1
      && !(desc->rtcp_mux && desc->rtcp_port == desc->port))
    g_string_append_printf (text, "a=rtcp:%u\r\n", desc->rtcp_port);
  if (desc->rtcp_mux)
    g_string_append (text, "a=rtcp-mux\r\n");
  if (desc->rtcp_mux_only)
    g_string_append (text, "a=rtcp-mux-only\r\n");
  if (desc->rtcp_rsize)
    g_string_append (text, "a=rtcp-rsize\r\n");
  if (desc->record != PHONE_RECORD_MARK_NONE)
    g_string_append_printf (text, "a=record:%s\r\n", phone_record_mark_to_string (desc->record));
  ua_sdp_feedback_write (desc, text);
  for (guint i = 0; i < desc->n_cryptos; i++)
    {
      g_string_append (text, "a=crypto:");
      ua_sdes_format (&desc->cryptos[i], text);
      g_string_append (text, "\r\n");
    }
  ua_sdp_dtls_write (&desc->dtls, text);
  ua_sdp_ice_write (&desc->ice, text);
  g_string_append_printf (text, "a=%s\r\n", phone_direction_to_string (desc->direction));
}
