/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One call in place of another: transfers that we begin, and the answer to those that the peer asks for. */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a status of the target means, and the exit status that a call to it would have. */
static const struct
{
  unsigned long sip;
  int exit_status;
  const char *text;
} outcomes[] = {
  { 403, CTL_EXIT_DECLINED, "declined" },
  { 404, CTL_EXIT_NO_OBJECT, "nobody has that address" },
  { 408, CTL_EXIT_NO_ANSWER, "no answer" },
  { 480, CTL_EXIT_NO_ANSWER, "not reachable" },
  { 481, CTL_EXIT_OTHER, "the other call has ended" },
  { 486, CTL_EXIT_BUSY, "busy" },
  { 487, CTL_EXIT_OTHER, "cancelled" },
  { 600, CTL_EXIT_BUSY, "busy" },
  { 603, CTL_EXIT_DECLINED, "declined" },
  { 604, CTL_EXIT_NO_OBJECT, "nobody has that address" },
};

char *
ctl_transfer_text (const CtlValue *call)
{
  const CtlValue *transfer = ctl_value_get (call, "Transfer");
  const char *state = ctl_value_string (transfer, "state");
  unsigned long sip = (unsigned long) ctl_value_uint (transfer, "sip");

  if (strcmp (state, "none") == 0)
    state = "";
  for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
    if (sip == outcomes[i].sip && strcmp (state, "failed") == 0)
      return ctl_format ("failed: %s (%lu)", outcomes[i].text, sip);
  return sip ? ctl_format ("%s (%lu)", state, sip) : ctl_format ("%s", state);
}

/* ---- waiting for the outcome ---- */

static int
on_changed (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  *(bool *) data = true;
  return 0;
}

static int
exit_from_status (uint64_t sip)
{
  for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
    if (sip == outcomes[i].sip)
      return outcomes[i].exit_status;
  return CTL_EXIT_OTHER;
}

static int
show_outcome (Ctl *ctl, const CtlValue *call)
{
  const CtlValue *transfer = ctl_value_get (call, "Transfer");
  bool done = strcmp (ctl_value_string (transfer, "state"), "done") == 0;
  char *text = ctl_transfer_text (call);

  if (ctl->json)
    ctl_print_json (transfer);
  else
    ctl_print (ctl, done ? CTL_GOOD : CTL_BAD, "transfer %s", text);
  free (text);
  return done ? CTL_EXIT_OK : exit_from_status (ctl_value_uint (transfer, "sip"));
}

/* 0: go on. */
static int
look (Ctl *ctl, const char *path, bool *ret_over)
{
  sd_bus_message *reply = NULL;
  CtlValue *call = NULL;
  const char *state;
  int status = ctl_call_method (ctl, path, "org.freedesktop.DBus.Properties", "GetAll", &reply, "s", PHONE_DBUS_CALL);

  *ret_over = true;
  if (status != CTL_EXIT_OK)
    return status;
  if (ctl_value_read (reply, &call) < 0)
    status = ctl_report (ctl, NULL, NULL, -EBADMSG);
  sd_bus_message_unref (reply);
  if (status == CTL_EXIT_OK)
    {
      state = ctl_value_string (ctl_value_get (call, "Transfer"), "state");
      *ret_over = strcmp (state, "done") == 0 || strcmp (state, "failed") == 0;
      if (*ret_over)
        status = show_outcome (ctl, call);
    }
  ctl_value_free (call);
  return status;
}

static int
wait_for_outcome (Ctl *ctl, const char *path, bool *changed)
{
  bool over = false;
  int status = CTL_EXIT_OK, r;

  while (!over)
    {
      *changed = false;
      status = look (ctl, path, &over);
      while (!over && !*changed)
        {
          r = sd_bus_process (ctl->bus, NULL);
          if (r == 0)
            r = sd_bus_wait (ctl->bus, UINT64_MAX);
          if (r < 0 && r != -EINTR)
            return ctl_report (ctl, NULL, NULL, r);
        }
    }
  return status;
}

static int
send_and_wait (Ctl *ctl, const char *path, sd_bus_message *message)
{
  sd_bus_slot *slot = NULL;
  bool changed = false;
  int status, r;

  /* What changes is listened to before the request goes out. */
  r = sd_bus_match_signal (ctl->bus, &slot, PHONE_DBUS_NAME, path, "org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed,
                           &changed);
  if (r < 0)
    {
      sd_bus_message_unref (message);
      return ctl_report (ctl, NULL, NULL, r);
    }
  status = ctl_send (ctl, message, NULL);
  if (status == CTL_EXIT_OK)
    status = wait_for_outcome (ctl, path, &changed);
  sd_bus_slot_unref (slot);
  return status;
}

/* ---- the verb ---- */

static int
answer_request (Ctl *ctl, const char *path, bool accept)
{
  sd_bus_message *reply = NULL;
  const char *fresh;
  CtlValue *value;
  int status;

  if (!accept)
    return ctl_call_method (ctl, path, PHONE_DBUS_CALL, "DeclineTransfer", NULL, NULL);
  status = ctl_call_method (ctl, path, PHONE_DBUS_CALL, "AcceptTransfer", &reply, NULL);
  if (status == CTL_EXIT_OK && sd_bus_message_read (reply, "o", &fresh) < 0)
    status = ctl_report (ctl, NULL, NULL, -EBADMSG);
  if (status == CTL_EXIT_OK)
    {
      value = ctl_value_new_dict ();
      ctl_value_set (value, "call", ctl_value_new_uint (strtoul (strrchr (fresh, '/') + 1, NULL, 10)));
      ctl_value_set (value, "object", ctl_value_new_string (fresh));
      if (ctl->json)
        ctl_print_json (value);
      else
        ctl_print (ctl, CTL_PLAIN, "call %s", strrchr (fresh, '/') + 1);
      ctl_value_free (value);
    }
  sd_bus_message_unref (reply);
  return status;
}

static int
ask_peer (Ctl *ctl, const CtlArgs *args, const char *path, const char *target, const char *other)
{
  sd_bus_message *message = ctl_new_call (ctl, path, PHONE_DBUS_CALL, other ? "TransferTo" : "Transfer");
  int r = other ? sd_bus_message_append (message, "o", other) : sd_bus_message_append (message, "s", target);

  if (r < 0)
    {
      sd_bus_message_unref (message);
      ctl_error ("transfer: '%s' cannot be sent", target);
      return CTL_EXIT_USAGE;
    }
  return ctl_args_flag (args, "wait") ? send_and_wait (ctl, path, message) : ctl_send (ctl, message, NULL);
}

static int
run_transfer (Ctl *ctl, const CtlArgs *args)
{
  const char *to = ctl_args_value (args, "to");
  bool accept = ctl_args_flag (args, "accept"), decline = ctl_args_flag (args, "decline");
  size_t kinds = (size_t) (to != NULL) + accept + decline;
  /* the target is the last word, the call the one before it */
  size_t numbers = kinds ? args->n_words - 1 : args->n_words - 2;
  CtlValue *call = NULL, *other = NULL;
  int status;

  if (kinds > 1 || numbers > 1 || args->n_words < 2 - (kinds == 1))
    {
      ctl_error ("transfer: one of TARGET, --to, --accept and --decline");
      return CTL_EXIT_USAGE;
    }
  if (to && numbers == 0)
    {
      ctl_error ("transfer: which call? transfer N --to N");
      return CTL_EXIT_USAGE;
    }
  status = ctl_choose_call (ctl, numbers ? args->words[1] : NULL, accept || decline ? "accept-transfer" : "transfer", &call);
  if (status == CTL_EXIT_OK && to)
    status = ctl_choose_call (ctl, to, "transfer", &other);
  if (status == CTL_EXIT_OK)
    {
      const char *path = ctl_value_string (call, "object");

      status = kinds && !to ? answer_request (ctl, path, accept)
                            : ask_peer (ctl, args, path, args->words[args->n_words - 1], other ? ctl_value_string (other, "object") : NULL);
    }
  ctl_value_free (call);
  ctl_value_free (other);
  return status;
}

static int
run_deflect (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *call = NULL;
  int status = ctl_choose_call (ctl, args->n_words == 3 ? args->words[1] : NULL, ctl->verb->can, &call);

  if (status == CTL_EXIT_OK)
    status = ctl_call_method (ctl, ctl_value_string (call, "object"), PHONE_DBUS_CALL, "Deflect", NULL, "s", args->words[args->n_words - 1]);
  ctl_value_free (call);
  return status;
}

static const CtlOption transfer_options[] = {
  { "to", 't', "N", "to the peer of another call of yours: the two talk to each other" },
  { "wait", 'w', NULL, "stay until the outcome is known; the exit status tells it" },
  { "accept", 0, NULL, "do what the peer asks for: call whom it names instead" },
  { "decline", 0, NULL, "do not; the call goes on" },
  { 0 },
};

const CtlVerb ctl_transfer_verbs[] = {
  { "transfer", "[N] [TARGET]", "give a call to somebody else, or answer a peer that does", transfer_options, run_transfer, "transfer" },
  { "deflect", "[N] TARGET", "send an incoming call on without answering it", NULL, run_deflect, "deflect" },
  { 0 },
};
