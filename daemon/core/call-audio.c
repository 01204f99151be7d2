/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What clients do with the sound of a call: take it over a socket, and play files into it. */

#include "core/call-private.h"

gboolean
phone_call_can_play (PhoneCall *call)
{
  return phone_call_is_established (call) && call->media && call->plan && !phone_call_is_machines (call);
}

gboolean
phone_call_require_sound (PhoneCall *call, GError **error)
{
  if (phone_call_can_play (call))
    return TRUE;
  if (phone_call_is_ended (call))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Call %u has ended", call->number);
  else if (phone_call_is_machines (call))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The answering machine has call %u", call->number);
  else
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is %s: it has no sound yet", call->number,
                 phone_call_state_to_string (call->state));
  return FALSE;
}

gboolean
phone_call_open_stream (PhoneCall *call, const PhoneStreamParams *params, int *ret_fd, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  return phone_call_require_sound (call, error) && ports->media->open_stream (call->media, params, ret_fd, error);
}

/* file:///a%20b or /a b -> /a b */
static char *
path_of (const char *uri, GError **error)
{
  g_autofree char *path = g_path_is_absolute (uri) ? g_strdup (uri) : g_filename_from_uri (uri, NULL, NULL);

  if (!path)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Only files can be played: file:///PATH or an absolute path");
  return g_steal_pointer (&path);
}

gboolean
phone_call_play (PhoneCall *call, const char *uri, gboolean queue, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autofree char *path = NULL;
  guint before = call->playing;

  if (!phone_call_require_sound (call, error) || !(path = path_of (uri, error)))
    return FALSE;
  call->playing = queue ? before + 1 : 1;
  if (ports->media->play (call->media, path, queue, error))
    return TRUE;
  call->playing = before;
  return FALSE;
}

void
phone_call_file_played (PhoneCall *call)
{
  if (call->playing > 0 && --call->playing == 0)
    phone_call_collect_quiet (call);
}

gboolean
phone_call_stop_playing (PhoneCall *call, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (!phone_call_require_sound (call, error))
    return FALSE;
  call->playing = 0;
  ports->media->stop_playing (call->media);
  phone_call_collect_quiet (call);
  return TRUE;
}
