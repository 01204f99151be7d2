/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/sdp-fragment.h"
#include "sip/sdp-ice.h"
#include "sip/sdp-scan.h"

#include <string.h>

typedef struct
{
  PhoneIceDesc session;
  PhoneIceDesc stream;          /* the one that is read now */
  PhoneIceDesc chosen;
  UaSlice media, mid;           /* of stream; before the first m-line media is empty */
  gboolean is_named;            /* some stream has a mid */
  gboolean has_chosen, by_name;
} Fragment;

static gboolean
is_text (UaSlice slice, const char *text)
{
  return text != NULL && strlen (text) == slice.length && memcmp (text, slice.at, slice.length) == 0;
}

/* A stream has been read to its end. A name beats a kind. */
static void
close_stream (Fragment *fragment, const char *mid)
{
  gboolean by_name = fragment->mid.length > 0 && is_text (fragment->mid, mid);

  if (fragment->media.length == 0)
    return;
  fragment->is_named |= fragment->mid.length > 0;
  if (!fragment->by_name && (by_name || (!fragment->has_chosen && ua_slice_is (fragment->media, "audio"))))
    {
      fragment->chosen = fragment->stream;
      fragment->has_chosen = TRUE;
      fragment->by_name = by_name;
    }
  explicit_bzero (&fragment->stream, sizeof fragment->stream);
  fragment->mid = (UaSlice) { NULL, 0 };
}

static gboolean
read_line (Fragment *fragment, const UaSdpLine *line, const char *mid, GError **error)
{
  UaSlice rest = line->value, name, value;

  switch (line->type)
    {
    case 'm':
      close_stream (fragment, mid);
      if (ua_slice_word (&rest, &fragment->media))
        return TRUE;
      ua_sdp_fail (error, line->number, "m= needs media, port, protocol and formats");
      return FALSE;
    case 'a':
      ua_sdp_attribute (line, &name, &value);
      if (ua_slice_is (name, "mid") && fragment->media.length > 0 && ua_slice_is_token (value))
        fragment->mid = value;
      else if (fragment->media.length > 0)
        ua_sdp_ice_read (&fragment->stream, name, value, FALSE);
      else
        ua_sdp_ice_read (&fragment->session, name, value, TRUE);
      return TRUE;
    case '\0':
      ua_sdp_fail (error, line->number, "not of the form x=...");
      return FALSE;
    default:
      return TRUE;
    }
}

static gboolean
read_lines (Fragment *fragment, const char *text, gsize length, const char *mid, GError **error)
{
  UaSdpCursor cursor = { .rest = { text, length } };
  UaSdpLine line;

  while (ua_sdp_next_line (&cursor, &line))
    if (!read_line (fragment, &line, mid, error))
      return FALSE;
  close_stream (fragment, mid);
  return TRUE;
}

gboolean
ua_sdp_fragment_read (const char *text, gsize length, const char *mid, PhoneIceDesc *ret_ice, GError **error)
{
  Fragment fragment = { 0 };
  gboolean ok = FALSE;

  memset (ret_ice, 0, sizeof *ret_ice);
  if (length > UA_SDP_FRAGMENT_MAX_LENGTH)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "candidates in %" G_GSIZE_FORMAT " octets", length);
  else if (read_lines (&fragment, text, length, mid, error))
    {
      if (fragment.has_chosen && (fragment.by_name || mid == NULL || !fragment.is_named))
        *ret_ice = fragment.chosen;
      ua_sdp_ice_merge (ret_ice, &fragment.session);
      ok = ret_ice->ufrag[0] != '\0';
      if (!ok)
        g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "candidates without a=ice-ufrag and a=ice-pwd");
    }
  explicit_bzero (&fragment, sizeof fragment);
  return ok;
}
