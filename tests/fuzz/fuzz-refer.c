/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What REFER and NOTIFY carry: sipfrag, Refer-To, Replaces and Target-Dialog. What was read is written and read again. */

#include <stdint.h>
#include <string.h>

#include "sip/refer.h"
#include "sip/ua-header.h"
#include "util/phone-uri.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
try_refer_to (const char *text)
{
  g_autofree char *target = NULL;
  g_autofree char *replaces = NULL;
  g_autofree char *written = NULL;
  g_autofree char *target_again = NULL;
  g_autofree char *replaces_again = NULL;
  g_autoptr (PhoneUri) uri = NULL;

  if (!ua_refer_to_parse (text, &target, &replaces, NULL))
    {
      g_assert (target == NULL && replaces == NULL);
      return;
    }
  uri = phone_uri_parse (target, NULL);
  g_assert (uri != NULL && uri->headers->len == 0 && ua_header_is_safe (target));
  g_assert (replaces == NULL || ua_header_is_safe (replaces));
  if (uri->scheme == PHONE_URI_TEL)
    return;
  written = ua_refer_to_write (target, replaces, NULL);
  g_assert (written != NULL);
  if (strlen (written) > PHONE_URI_MAX)
    return;
  g_assert (ua_refer_to_parse (written, &target_again, &replaces_again, NULL));
  g_assert (g_str_equal (target, target_again) && g_strcmp0 (replaces, replaces_again) == 0);
}

static void
try_id (gboolean (*parse) (const char *value, UaDialogId *ret_id), const char *text)
{
  UaDialogId id;

  if (parse (text, &id))
    g_assert (*id.call_id && *id.local_tag && *id.remote_tag && ua_header_is_safe (id.call_id) && !strpbrk (id.local_tag, ";= \t"));
  else
    g_assert (id.call_id == NULL && id.local_tag == NULL && id.remote_tag == NULL);
  ua_dialog_id_clear (&id);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  guint status = ua_sipfrag_status ("message/sipfrag;version=2.0", (const char *) data, size);

  g_autofree char *contact = ua_sipfrag_contact ("message/sipfrag;version=2.0", (const char *) data, size);

  g_assert (status == 0 || (status >= 100 && status < 700));
  g_assert (contact == NULL || (status != 0 && ua_header_is_safe (contact)));
  ua_sipfrag_status (text, (const char *) data, size);
  try_refer_to (text);
  try_id (ua_replaces_parse, text);
  try_id (ua_target_dialog_parse, text);
  return 0;
}
