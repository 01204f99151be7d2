/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/reason.h"

#include <string.h>

#define MAX_PHRASE 256

typedef struct
{
  guint sip;
  PhoneCause cause;
  guint q850;           /* RFC 3398 section 8.2.6.1 read backwards, ITU-T Q.850 */
} StatusRow;

static const StatusRow status_table[] = {
  { 400, PHONE_CAUSE_FAILED, 41 },         { 401, PHONE_CAUSE_AUTH_FAILED, 21 },
  { 402, PHONE_CAUSE_FORBIDDEN, 21 },      { 403, PHONE_CAUSE_FORBIDDEN, 21 },
  { 404, PHONE_CAUSE_NOT_FOUND, 1 },       { 405, PHONE_CAUSE_FAILED, 63 },
  { 406, PHONE_CAUSE_NOT_ACCEPTABLE, 79 }, { 407, PHONE_CAUSE_AUTH_FAILED, 21 },
  { 408, PHONE_CAUSE_NO_ANSWER, 102 },     { 410, PHONE_CAUSE_NOT_FOUND, 22 },
  { 413, PHONE_CAUSE_FAILED, 127 },        { 414, PHONE_CAUSE_FAILED, 127 },
  { 415, PHONE_CAUSE_NOT_ACCEPTABLE, 79 }, { 416, PHONE_CAUSE_NOT_FOUND, 127 },
  { 420, PHONE_CAUSE_FAILED, 127 },        { 421, PHONE_CAUSE_FAILED, 127 },
  { 423, PHONE_CAUSE_FAILED, 127 },        { 480, PHONE_CAUSE_UNAVAILABLE, 18 },
  { 481, PHONE_CAUSE_FAILED, 41 },         { 482, PHONE_CAUSE_SERVER_ERROR, 25 },
  { 483, PHONE_CAUSE_SERVER_ERROR, 25 },   { 484, PHONE_CAUSE_NOT_FOUND, 28 },
  { 485, PHONE_CAUSE_NOT_FOUND, 1 },       { 486, PHONE_CAUSE_BUSY, 17 },
  { 487, PHONE_CAUSE_CANCELLED, 127 },     { 488, PHONE_CAUSE_NOT_ACCEPTABLE, 127 },
  { 491, PHONE_CAUSE_FAILED, 41 },         { 500, PHONE_CAUSE_SERVER_ERROR, 41 },
  { 501, PHONE_CAUSE_SERVER_ERROR, 79 },   { 502, PHONE_CAUSE_SERVER_ERROR, 38 },
  { 503, PHONE_CAUSE_SERVER_ERROR, 41 },   { 504, PHONE_CAUSE_SERVER_ERROR, 102 },
  { 505, PHONE_CAUSE_SERVER_ERROR, 127 },  { 600, PHONE_CAUSE_BUSY, 17 },
  { 603, PHONE_CAUSE_DECLINED, 21 },       { 604, PHONE_CAUSE_NOT_FOUND, 1 },
  { 606, PHONE_CAUSE_NOT_ACCEPTABLE, 88 },
};

static const StatusRow *
find_status (guint sip)
{
  for (gsize i = 0; i < G_N_ELEMENTS (status_table); i++)
    if (status_table[i].sip == sip)
      return &status_table[i];
  return NULL;
}

/* The phrase comes from the wire: printable and of bounded length, whatever the peer sent. */
static char *
clean_phrase (const char *phrase)
{
  g_autofree char *valid = NULL;

  if (!phrase || !*phrase)
    return NULL;
  valid = g_utf8_make_valid (phrase, (gssize) strnlen (phrase, MAX_PHRASE));
  for (char *p = valid; *p; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      *p = ' ';
  return g_steal_pointer (&valid);
}

guint
phone_q850_from_status (guint sip_status)
{
  const StatusRow *row = find_status (sip_status);

  return row ? row->q850 : 0;
}

PhoneReason *
phone_reason_new (PhoneActor actor, PhoneCause cause, guint sip, const char *phrase)
{
  PhoneReason *reason = g_new0 (PhoneReason, 1);

  reason->actor = actor;
  reason->cause = cause;
  reason->sip = sip;
  reason->q850 = cause == PHONE_CAUSE_HANGUP ? 16 : phone_q850_from_status (sip);
  reason->phrase = clean_phrase (phrase);
  return reason;
}

PhoneReason *
phone_reason_from_status (guint sip_status, const char *phrase)
{
  const StatusRow *row = find_status (sip_status);
  PhoneCause cause;

  if (row)
    cause = row->cause;
  else if (sip_status < 300)
    cause = PHONE_CAUSE_NONE;
  else if (sip_status < 400)
    cause = PHONE_CAUSE_REDIRECTED;
  else if (sip_status < 500)
    cause = PHONE_CAUSE_FAILED;
  else if (sip_status < 600)
    cause = PHONE_CAUSE_SERVER_ERROR;
  else
    cause = PHONE_CAUSE_DECLINED;
  return phone_reason_new (PHONE_ACTOR_REMOTE, cause, sip_status, phrase);
}

PhoneReason *
phone_reason_copy (const PhoneReason *reason)
{
  PhoneReason *copy = g_new0 (PhoneReason, 1);

  *copy = *reason;
  copy->phrase = g_strdup (reason->phrase);
  return copy;
}

void
phone_reason_free (PhoneReason *reason)
{
  if (!reason)
    return;
  g_free (reason->phrase);
  g_free (reason);
}
