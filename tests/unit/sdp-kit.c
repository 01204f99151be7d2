/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sdp-kit.h"

#include <string.h>

PhoneMediaDesc *
kit_read_with (UaSdp *sdp, const char *text)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *desc = NULL;

  if (!ua_sdp_read (sdp, text, strlen (text), &desc, &error))
    g_error ("%s\n%s", error->message, text);
  g_assert_no_error (error);
  g_assert_nonnull (desc);
  return desc;
}

PhoneMediaDesc *
kit_read (const char *text)
{
  g_autoptr (UaSdp) sdp = ua_sdp_new ();
  return kit_read_with (sdp, text);
}

PhoneMediaCaps
kit_caps (const char *address, guint16 port, PhoneSrtpPolicy srtp)
{
  return (PhoneMediaCaps) {
    .n_codecs = 4,
    .codecs = { PHONE_CODEC_OPUS, PHONE_CODEC_G722, PHONE_CODEC_PCMA, PHONE_CODEC_PCMU },
    .srtp = srtp, .sdes_allowed = TRUE, .ptime = 20, .direction = PHONE_DIRECTION_SENDRECV,
    .address = address, .port = port, .rtcp_port = port + 1, .rtcp_mux = TRUE,
  };
}

char *
kit_answer (UaSdp *sdp, const PhoneMediaCaps *caps, const char *offer, const PhoneMediaDesc *previous,
            PhoneMediaPlan **ret_plan)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) theirs = kit_read_with (sdp, offer);
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (PhoneMediaDesc) ours = phone_answer_create (caps, theirs, previous, &plan, &error);

  g_assert_no_error (error);
  if (ret_plan != NULL)
    *ret_plan = g_steal_pointer (&plan);
  return ua_sdp_write_answer (sdp, ours);
}

void
kit_expect (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("no \"%s\" in:\n%s", part, text);
}

void
kit_expect_not (const char *text, const char *part)
{
  if (strstr (text, part) != NULL)
    g_error ("\"%s\" in:\n%s", part, text);
}

char *
kit_media_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);
  GString *found = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++)
    if (g_str_has_prefix (lines[i], "m="))
      g_string_append_printf (found, "%s\n", lines[i]);
  return g_string_free (found, FALSE);
}

guint64
kit_version (const char *text, guint64 *ret_id)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", 3);
  g_auto (GStrv) fields = g_strsplit (lines[1], " ", -1);

  g_assert_cmpstr (lines[0], ==, "v=0");
  g_assert_cmpuint (g_strv_length (fields), ==, 6);
  g_assert_cmpstr (fields[0], ==, "o=-");
  g_assert_cmpstr (fields[5], ==, "192.0.2.1");
  *ret_id = g_ascii_strtoull (fields[1], NULL, 10);
  return g_ascii_strtoull (fields[2], NULL, 10);
}

void
kit_side_set (KitSide *side, PhoneMediaDesc *local, PhoneMediaPlan *plan)
{
  phone_media_desc_free (side->local);
  phone_media_plan_free (side->plan);
  side->local = local;
  side->plan = plan;
  side->caps.running = plan;
}

void
kit_side_clear (KitSide *side)
{
  kit_side_set (side, NULL, NULL);
  ua_sdp_free (side->sdp);
}
