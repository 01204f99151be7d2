/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies of MESSAGE. The first line is the Content-Type, the rest the body; the body also goes through each reader by itself. What is
 * accepted must be within its limits and fit for D-Bus, and what was written from it must say the same again. */

#include <stdint.h>
#include <string.h>

#include "sip/content-coding.h"
#include "sip/instant-message.h"
#include "util/text.h"

#define MAX_TEXT 4096

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_im (const UaIm *im)
{
  switch (im->kind)
    {
    case UA_IM_TEXT:
      g_assert (im->text && phone_text_is_clean_lines (im->text) && g_utf8_strlen (im->text, -1) <= MAX_TEXT);
      g_assert (!im->message_id || (*im->message_id && phone_text_is_clean (im->message_id) && strlen (im->message_id) <= UA_IM_MAX_ID));
      break;
    case UA_IM_REPORT:
      g_assert (im->report.message_id && phone_text_is_clean (im->report.message_id));
      break;
    case UA_IM_COMPOSING:
      g_assert (im->refresh <= 3600);
      break;
    }
}

static void
check_cpim (const char *body, gsize length)
{
  UaCpim cpim, again;

  if (!ua_cpim_read (body, length, &cpim, NULL))
    return;
  g_assert (cpim.body >= body && cpim.body + cpim.length == body + length);
  if (!memchr (cpim.body, '\0', cpim.length) && phone_text_is_clean (cpim.content_type) && *cpim.content_type)
    {
      g_autofree char *inside = g_strndup (cpim.body, cpim.length);
      UaCpimParams params = { .from = "sip:a@b", .to = "sip:c@d", .message_id = cpim.message_id, .asks = cpim.message_id ? cpim.asks : 0,
                              .content_type = cpim.content_type, .body = inside };
      g_autofree char *written = ua_cpim_write (&params);

      if (ua_cpim_read (written, strlen (written), &again, NULL))
        {
          g_assert (again.length == cpim.length && memcmp (again.body, cpim.body, cpim.length) == 0);
          g_assert (again.asks == params.asks && g_strcmp0 (again.message_id, cpim.message_id) == 0);
          ua_cpim_clear (&again);
        }
      else
        g_assert (strlen (written) > UA_CPIM_MAX);
    }
  ua_cpim_clear (&cpim);
}

/* However few octets stand for however many, there are never more than we have room for. */
static void
check_coding (const char *coding, const char *body, size_t length)
{
  g_autofree char *decoded = NULL;
  gsize n = 0;

  if (ua_content_decode (coding, body, length, MAX_TEXT, &decoded, &n) == 0)
    g_assert (n <= MAX_TEXT && decoded);
  else
    g_assert (!decoded);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *) data, *feed = memchr (text, '\n', size);
  const char *body = feed ? feed + 1 : text;
  gsize length = size - (gsize) (body - text);
  g_autofree char *type = feed ? g_strndup (text, (gsize) (feed - text)) : NULL;
  UaIm im;
  UaImdn imdn;
  gboolean active;
  guint refresh;
  const char *why;

  if (ua_im_read (type, body, length, MAX_TEXT, &im, &why) == 0)
    {
      check_im (&im);
      ua_im_clear (&im);
    }
  check_cpim (body, length);
  if (ua_imdn_read (body, length, &imdn, NULL))
    {
      gboolean displayed = imdn.disposition == PHONE_DISPOSITION_DISPLAYED;
      g_autofree char *written = ua_imdn_write (imdn.message_id, 0, displayed ? PHONE_REPORT_DISPLAYED : PHONE_REPORT_DELIVERED);
      UaImdn again;

      g_assert (ua_imdn_read (written, strlen (written), &again, NULL));
      g_assert (again.disposition == (displayed ? PHONE_DISPOSITION_DISPLAYED : PHONE_DISPOSITION_DELIVERED) && g_str_equal (again.message_id, imdn.message_id));
      ua_imdn_clear (&again);
      ua_imdn_clear (&imdn);
    }
  ua_is_composing_read (body, length, &active, &refresh, NULL);
  check_coding ("deflate", body, length);
  check_coding ("gzip", body, length);
  return 0;
}
