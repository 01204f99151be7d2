/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a failure response does to a dialog and its usages: our table in place of sofia's.
 *
 * sofia's own makes an end of too much: any 5xx without an entry "gracefully terminates" the usage. A registrar that answers 503 to a
 * refresh would get an un-REGISTER for a binding that is still good, and a re-INVITE (a hold) that the peer answers with 500 or 503 would
 * hang up the call, where RFC 3261 section 14.1 leaves the session as it was.
 *
 * sofia calls this function through its procedure linkage table, so that the executable's is used instead of the library's, as long as
 * the linker took it in and exports it: ua_rules_init() sees to the first and checks the second. The rest follows RFC 5057.
 *
 * And a challenge inside a call that we do not answer. sofia holds the request back until it is told that there is no password; it then fails with
 * a status of its own (904), after which sofia hangs up. Anybody could end calls that way by challenging a hold. Such a request fails
 * with the 401 that it got, through two more functions that sofia looks up in the same way.
 *
 * And a REFER outside of any dialog: before anybody has said whether it is welcome, sofia tells of it in a NOTIFY, to whatever address its Contact
 * names, and repeats that for half a minute. Where we refuse, and where no news is wanted, it is taken back.
 *
 * And a SUBSCRIBE that renews from another address (RFC 6665 section 4.4.1: a target refresh). sofia answers it, and repeats
 * its NOTIFY, before it tells of it or looks at the new Contact: its dialog has it from here.
 *
 * And 100 (Trying), which says that a server lives. sofia has it delivered on demand (NTATAG_PASS_100), but then forgets to let go of the message
 * (nua_invite_client_report): it is taken here, and sofia's user agent knows as little of it as it does by default. */

#include "sip/ua-walk.h"
#include "sip/ua-module.h"
#include "sip/ua-presence.h"

#include <dlfcn.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/sip_status.h>
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

/* ---- unanswered challenges ---- */

static GHashTable *handles_spared;      /* nua_handle_t -> nua_t: an nua_authenticate () of ours is under way */
static gboolean sparing;        /* this one is */

/* sofia's own, in nua_stack.h and nua_client.h, which it does not install. */
int nua_client_response (void *request, int status, const char *phrase, const sip_t *sip);
void nua_stack_authenticate (nua_t *nua, nua_handle_t *nh, nua_event_t event, const tagi_t *tags);

__attribute__ ((visibility ("default"))) int
nua_client_response (void *request, int status, const char *phrase, const sip_t *sip)
{
  static __typeof__ (&nua_client_response) next;

  if (G_UNLIKELY (next == NULL))
    next = (__typeof__ (next)) dlsym (RTLD_NEXT, "nua_client_response");
  if (status == 100 && sip)
    {
      ua_walk_on_trying (sip);
      return 0;
    }
  if (sparing && status == 904)
    return next (request, SIP_401_UNAUTHORIZED, sip);
  return next (request, status, phrase, sip);
}

__attribute__ ((visibility ("default"))) void
nua_stack_authenticate (nua_t *nua, nua_handle_t *nh, nua_event_t event, const tagi_t *tags)
{
  static __typeof__ (&nua_stack_authenticate) next;

  if (G_UNLIKELY (next == NULL))
    next = (__typeof__ (next)) dlsym (RTLD_NEXT, "nua_stack_authenticate");
  sparing = handles_spared && g_hash_table_remove (handles_spared, nh);
  next (nua, nh, event, tags);
  sparing = FALSE;
}

void
ua_rules_spare (nua_t *nua, nua_handle_t *nh)
{
  if (!handles_spared)
    handles_spared = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (handles_spared, nh, nua);
}

/* ---- news that nobody wants ---- */

static GHashTable *handles_hushed;      /* nua_handle_t -> nua_t: sofia's own NOTIFY, which is on its way to this file */

int nua_stack_notify (nua_t *nua, nua_handle_t *nh, nua_event_t event, const tagi_t *tags);

__attribute__ ((visibility ("default"))) int
nua_stack_notify (nua_t *nua, nua_handle_t *nh, nua_event_t event, const tagi_t *tags)
{
  static __typeof__ (&nua_stack_notify) next;

  if (G_UNLIKELY (next == NULL))
    next = (__typeof__ (next)) dlsym (RTLD_NEXT, "nua_stack_notify");
  if (handles_hushed && g_hash_table_remove (handles_hushed, nh))
    return 0;
  return next (nua, nh, event, tags);
}

void
ua_rules_hush (nua_t *nua, nua_handle_t *nh)
{
  if (!handles_hushed)
    handles_hushed = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (handles_hushed, nh, nua);
}

/* ---- a target that moves ---- */

/* sofia's own, as above. */
int nua_stack_process_request (nua_handle_t *nh, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip);

__attribute__ ((visibility ("default"))) int
nua_stack_process_request (nua_handle_t *nh, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
  static __typeof__ (&nua_stack_process_request) next;
  UaMove move = UA_MOVE_NONE;

  if (G_UNLIKELY (next == NULL))
    next = (__typeof__ (next)) dlsym (RTLD_NEXT, "nua_stack_process_request");
  if (sip->sip_request->rq_method == sip_method_subscribe && sip->sip_contact)
    {
      msg_t *msg = nta_incoming_getrequest (irq);

      move = ua_notifier_judge_move (nh, sip, &msg_addr (msg)->su_sa);
      msg_destroy (msg);
    }
  if (move == UA_MOVE_REFUSED)
    return 403;
  if (move == UA_MOVE_TAKEN)
    nta_leg_server_route (leg, NULL, sip->sip_contact);
  return next (nh, leg, irq, sip);
}

/* ---- the end ---- */

static gboolean
is_of (gpointer nh, gpointer nua, gpointer gone)
{
  return nua == gone;
}

void
ua_rules_forget (nua_t *nua)
{
  if (handles_spared)
    g_hash_table_foreach_remove (handles_spared, is_of, nua);
  if (handles_hushed)
    g_hash_table_foreach_remove (handles_hushed, is_of, nua);
}

gboolean
ua_rules_init (GError **error)
{
  static const struct
  {
    const char *name;
    void *ours;
  } needed[] = {
    { "sip_response_terminates_dialog", sip_response_terminates_dialog },
    { "nua_client_response", nua_client_response },
    { "nua_stack_authenticate", nua_stack_authenticate },
    { "nua_stack_notify", nua_stack_notify },
    { "nua_stack_process_request", nua_stack_process_request },
  };
  UaModule sofia;
  gboolean ok = ua_module_find ("su_now", &sofia);

  for (gsize i = 0; i < G_N_ELEMENTS (needed); i++)
    ok = ok && ua_module_imports (&sofia, needed[i].name) && dlsym (RTLD_DEFAULT, needed[i].name) == needed[i].ours;
  if (ok)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "sofia-sip does not use our rules for failed requests in a dialog");
  return FALSE;
}
