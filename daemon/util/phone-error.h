/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one error domain that crosses module boundaries. The message is for people and names the thing that was
 * wrong; the code decides the D-Bus error name, phonectl's exit code and the SIP status (table in dbus/errors.def). */

#include <glib.h>

#define PHONE_ERROR (phone_error_quark ())
GQuark phone_error_quark (void);

typedef enum
{
  PHONE_ERROR_FAILED,          /* something unforeseen; the message says what */
  PHONE_ERROR_NOT_REGISTERED,  /* the account has no registration and the action needs one */
  PHONE_ERROR_INVALID_STATE,   /* the object is not in a state in which this is allowed */
  PHONE_ERROR_INVALID_TARGET,  /* not a SIP URI, tel URI or number that the account can dial */
  PHONE_ERROR_INVALID_OPTION,  /* unknown key, wrong type or value; the message names the key */
  PHONE_ERROR_NO_SUCH_ACCOUNT,
  PHONE_ERROR_NO_SUCH_ENTRY,   /* of the history, the messages, the recordings, the subscribers */
  PHONE_ERROR_IN_PROGRESS,     /* the same action is already under way */
  PHONE_ERROR_NOT_SUPPORTED,
  PHONE_ERROR_BUSY,
  PHONE_ERROR_REJECTED,        /* the peer or the server refused */
  PHONE_ERROR_TOO_MANY,        /* a limit on calls, accounts or clients was hit */
  PHONE_ERROR_NETWORK_DOWN,
  PHONE_ERROR_MEDIA_FAILED,    /* no codec or key in common, no socket, pipeline fault */
  PHONE_ERROR_AUTH_FAILED,
  PHONE_ERROR_POLICY_DENIED,
  PHONE_ERROR_NO_DEVICE,
  PHONE_ERROR_CALL_ENDED,      /* the call ended before the action was complete */
  PHONE_ERROR_STORAGE,         /* file or database could not be read or written */
} PhoneError;
