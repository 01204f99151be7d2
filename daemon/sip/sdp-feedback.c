/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   a=rtcp-fb:<payload type or *> <type> [<parameter>]        RFC 4585 section 4.2
 *   a=extmap:<id>[/<direction>] <URI> [<attributes>]          RFC 8285 section 5
 *   a=rtcp-xr:[<format> ...]                                  RFC 3611 section 5.1; more than one line adds up */

#include "sip/sdp-feedback.h"

#include <string.h>

#define DLRR_OCTETS 16          /* of a block with one entry */
#define MAX_EXTENSION 255
#define FIRST_PROPOSED 4096
#define LAST_PROPOSED 4351

/* "smaxpr=120" */
static guint32
read_smaxpr (UaSlice word)
{
  UaSlice name;
  guint64 number;

  ua_slice_until (&word, '=', &name);
  return ua_slice_is (name, "smaxpr") && ua_slice_number (word, G_MAXUINT32, &number) ? (guint32) number : 0;
}

static gboolean
parse_feedback (UaSlice value, PhoneFeedback *ret_feedback)
{
  UaSlice format, type, parameter = { NULL, 0 };
  guint64 number;

  if (!ua_slice_word (&value, &format) || !ua_slice_word (&value, &type))
    return FALSE;
  ua_slice_word (&value, &parameter);
  *ret_feedback = (PhoneFeedback) { .payload_type = -1 };
  if (!ua_slice_is (format, "*"))
    {
      if (!ua_slice_number (format, 127, &number))
        return FALSE;
      ret_feedback->payload_type = (int) number;
    }

  if (ua_slice_is (type, "nack") && parameter.length == 0)
    ret_feedback->type = PHONE_FEEDBACK_NACK;
  else if (ua_slice_is (type, "transport-cc"))
    ret_feedback->type = PHONE_FEEDBACK_TRANSPORT_CC;
  else if (ua_slice_is (type, "ack") && ua_slice_is (parameter, "ccfb"))
    ret_feedback->type = PHONE_FEEDBACK_CCFB;
  else if (ua_slice_is (type, "trr-int") && ua_slice_number (parameter, G_MAXUINT32, &number))
    {
      ret_feedback->type = PHONE_FEEDBACK_TRR_INT;
      ret_feedback->value = (guint32) number;
    }
  else if (ua_slice_is (type, "ccm") && ua_slice_is (parameter, "tmmbr"))
    {
      ret_feedback->type = PHONE_FEEDBACK_TMMBR;
      ua_slice_word (&value, &parameter);
      ret_feedback->value = read_smaxpr (parameter);
    }
  else
    return FALSE;
  return TRUE;
}

static void
read_feedback (PhoneMediaDesc *desc, UaSlice value)
{
  PhoneFeedback feedback;

  if (!parse_feedback (value, &feedback) || desc->n_feedback == PHONE_MAX_FEEDBACK)
    return;
  for (guint i = 0; i < desc->n_feedback; i++)
    if (desc->feedback[i].payload_type == feedback.payload_type && desc->feedback[i].type == feedback.type)
      return;
  desc->feedback[desc->n_feedback++] = feedback;
}

static gboolean
parse_direction (UaSlice word, PhoneDirection *ret_direction)
{
  for (int i = 0; i < phone_direction_n_values; i++)
    if (ua_slice_is (word, phone_direction_to_string ((PhoneDirection) i)))
      {
        *ret_direction = (PhoneDirection) i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
parse_extension (UaSlice value, PhoneExtension *ret_extension)
{
  UaSlice id, uri, number_text;
  guint64 number;

  if (!ua_slice_word (&value, &id) || !ua_slice_word (&value, &uri))
    return FALSE;
  ua_slice_until (&id, '/', &number_text);
  *ret_extension = (PhoneExtension) { .direction = PHONE_DIRECTION_SENDRECV };
  if (!ua_slice_number (number_text, LAST_PROPOSED, &number) || number == 0 || (number > MAX_EXTENSION && number < FIRST_PROPOSED)
      || (id.length > 0 && !parse_direction (id, &ret_extension->direction)))
    return FALSE;
  ret_extension->id = (guint16) number;
  /* URIs compare octet by octet. */
  for (int i = 0; i < phone_extension_type_n_values; i++)
    {
      const char *known = phone_extension_type_to_string ((PhoneExtensionType) i);

      if (uri.length == strlen (known) && memcmp (uri.at, known, uri.length) == 0)
        {
          ret_extension->type = (PhoneExtensionType) i;
          return TRUE;
        }
    }
  return FALSE;
}

static void
read_extension (PhoneMediaDesc *desc, UaSlice value)
{
  PhoneExtension extension;

  if (!parse_extension (value, &extension) || desc->n_extensions == PHONE_MAX_EXTENSIONS)
    return;
  for (guint i = 0; i < desc->n_extensions; i++)
    if (desc->extensions[i].id == extension.id || desc->extensions[i].type == extension.type)
      return;
  desc->extensions[desc->n_extensions++] = extension;
}

/* "all", "sender:16"; the number is how many octets a block may have. */
static PhoneRcvrRtt
read_rcvr_rtt (UaSlice value)
{
  UaSlice mode;
  guint64 octets;

  ua_slice_until (&value, ':', &mode);
  if (value.length > 0 && (!ua_slice_number (value, G_MAXUINT32, &octets) || octets < DLRR_OCTETS))
    return PHONE_RCVR_RTT_NONE;
  return ua_slice_is (mode, "all") ? PHONE_RCVR_RTT_ALL : ua_slice_is (mode, "sender") ? PHONE_RCVR_RTT_SENDER : PHONE_RCVR_RTT_NONE;
}

static void
read_extended_reports (PhoneMediaDesc *desc, UaSlice value)
{
  UaSlice format, name;

  while (ua_slice_word (&value, &format))
    if (ua_slice_is (format, "voip-metrics"))
      desc->voip_metrics = TRUE;
    else if (ua_slice_until (&format, '=', &name) && ua_slice_is (name, "rcvr-rtt"))
      desc->rcvr_rtt = read_rcvr_rtt (format);
}

static void
write_extended_reports (const PhoneMediaDesc *desc, GString *text)
{
  static const char *const modes[] = { "", "rcvr-rtt=sender", "rcvr-rtt=all" };

  if (desc->voip_metrics || desc->rcvr_rtt != PHONE_RCVR_RTT_NONE)
    g_string_append_printf (text, "a=rtcp-xr:%s%s%s\r\n", modes[desc->rcvr_rtt],
                            desc->voip_metrics && desc->rcvr_rtt != PHONE_RCVR_RTT_NONE ? " " : "", desc->voip_metrics ? "voip-metrics" : "");
}

gboolean
ua_sdp_feedback_read (PhoneMediaDesc *desc, UaSlice name, UaSlice value)
{
  if (ua_slice_is (name, "rtcp-fb"))
    read_feedback (desc, value);
  else if (ua_slice_is (name, "extmap"))
    read_extension (desc, value);
  else if (ua_slice_is (name, "extmap-allow-mixed"))
    desc->mixed_extensions = TRUE;
  else if (ua_slice_is (name, "rtcp-xr"))
    read_extended_reports (desc, value);
  else
    return FALSE;
  return TRUE;
}

static void
write_feedback (const PhoneFeedback *feedback, GString *text)
{
  if (feedback->payload_type < 0)
    g_string_append (text, "a=rtcp-fb:*");
  else
    g_string_append_printf (text, "a=rtcp-fb:%d", feedback->payload_type);
  g_string_append_printf (text, " %s", phone_feedback_type_to_string (feedback->type));
  switch (feedback->type)
    {
    case PHONE_FEEDBACK_TRR_INT:
      g_string_append_printf (text, " %u", feedback->value);
      break;
    case PHONE_FEEDBACK_TMMBR:
      if (feedback->value != 0)
        g_string_append_printf (text, " smaxpr=%u", feedback->value);
      break;
    case PHONE_FEEDBACK_NACK:
    case PHONE_FEEDBACK_CCFB:
    case PHONE_FEEDBACK_TRANSPORT_CC:
      break;
    }
  g_string_append (text, "\r\n");
}

void
ua_sdp_feedback_write (const PhoneMediaDesc *desc, GString *text)
{
  for (guint i = 0; i < desc->n_feedback; i++)
    write_feedback (&desc->feedback[i], text);
  write_extended_reports (desc, text);
  if (desc->mixed_extensions)
    g_string_append (text, "a=extmap-allow-mixed\r\n");
  for (guint i = 0; i < desc->n_extensions; i++)
    {
      const PhoneExtension *extension = &desc->extensions[i];

      g_string_append_printf (text, "a=extmap:%u", extension->id);
      if (extension->direction != PHONE_DIRECTION_SENDRECV)
        g_string_append_printf (text, "/%s", phone_direction_to_string (extension->direction));
      g_string_append_printf (text, " %s\r\n", phone_extension_type_to_string (extension->type));
    }
}
