/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a failure response does to a dialog and its usages: our table in place of sofia's.
 *
 * sofia's own makes an end of too much: any 5xx without an entry "gracefully terminates" the usage. A registrar that answers 503 to a
 * refresh would get an un-REGISTER for a binding that is still good, and a re-INVITE (a hold) that the peer answers with 500 or 503 would
 * hang up the call, where RFC 3261 section 14.1 leaves the session as it was.
 *
 * sofia calls this function through its procedure linkage table, so that the executable's is used instead of the library's, as long as
 * the linker took it in and exports it: ua_rules_init() sees to the first and checks the second. The rest follows RFC 5057. */

#include "sip/ua-private.h"

#include <dlfcn.h>
#include <sofia-sip/sip_util.h>

enum
{
  NO_EFFECT = 0,
  ENDS_USAGE = 1,
  ENDS_DIALOG = -1,
};

int
sip_response_terminates_dialog (int response_code, sip_method_t method, int *return_graceful_terminate_usage)
{
  if (return_graceful_terminate_usage)
    *return_graceful_terminate_usage = 0;
  if (method == sip_method_register)
    return NO_EFFECT;           /* ua-registration.c decides */
  switch (response_code)
    {
    case 408:
    case 481:
      return ENDS_USAGE;        /* RFC 3261 section 12.2.1.2 */
    case 405:
    case 480:
    case 489:
    case 501:
      return method == sip_method_notify || method == sip_method_subscribe ? ENDS_USAGE : NO_EFFECT;
    case 404:
    case 410:
    case 416:
    case 482:
    case 484:
    case 485:
    case 502:
    case 604:
      /* the remote target itself is refused (RFC 5057 section 5.1); a REFER or INFO may be about something else */
      return method == sip_method_refer || method == sip_method_info || method == sip_method_message ? NO_EFFECT : ENDS_DIALOG;
    default:
      return NO_EFFECT;
    }
}

gboolean
ua_rules_init (GError **error)
{
  if (dlsym (RTLD_DEFAULT, "sip_response_terminates_dialog") == (void *) sip_response_terminates_dialog)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "sofia-sip does not use our rules for failed requests in a dialog");
  return FALSE;
}
