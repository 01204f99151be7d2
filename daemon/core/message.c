/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/message.h"

static const gsize texts[] = {
  G_STRUCT_OFFSET (PhoneMessage, id),          G_STRUCT_OFFSET (PhoneMessage, account), G_STRUCT_OFFSET (PhoneMessage, remote_uri),
  G_STRUCT_OFFSET (PhoneMessage, remote_name), G_STRUCT_OFFSET (PhoneMessage, party),   G_STRUCT_OFFSET (PhoneMessage, body),
  G_STRUCT_OFFSET (PhoneMessage, phrase),      G_STRUCT_OFFSET (PhoneMessage, imdn_id), G_STRUCT_OFFSET (PhoneMessage, transaction),
};

PhoneMessage *
phone_message_new (void)
{
  PhoneMessage *message = g_new0 (PhoneMessage, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    G_STRUCT_MEMBER (char *, message, texts[i]) = g_strdup ("");
  return message;
}

PhoneMessage *
phone_message_copy (const PhoneMessage *message)
{
  PhoneMessage *copy = g_new (PhoneMessage, 1);

  *copy = *message;
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    G_STRUCT_MEMBER (char *, copy, texts[i]) = g_strdup (G_STRUCT_MEMBER (char *, message, texts[i]));
  return copy;
}

void
phone_message_free (PhoneMessage *message)
{
  if (!message)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (G_STRUCT_MEMBER (char *, message, texts[i]));
  g_free (message);
}

#define BIT(state) (1u << (state))

gboolean
phone_message_may_become (PhoneMessageState from, PhoneMessageState to)
{
  /* A report is proof of arrival, whatever we believed: it lifts even a message that failed, or whose 2xx has not come yet. */
  static const guint next[] = {
    [PHONE_MESSAGE_QUEUED] = BIT (PHONE_MESSAGE_SENDING) | BIT (PHONE_MESSAGE_FAILED),
    [PHONE_MESSAGE_SENDING] = BIT (PHONE_MESSAGE_QUEUED) | BIT (PHONE_MESSAGE_SENT) | BIT (PHONE_MESSAGE_FAILED)
                              | BIT (PHONE_MESSAGE_DELIVERED) | BIT (PHONE_MESSAGE_DISPLAYED),
    [PHONE_MESSAGE_SENT] = BIT (PHONE_MESSAGE_DELIVERED) | BIT (PHONE_MESSAGE_DISPLAYED) | BIT (PHONE_MESSAGE_FAILED),
    [PHONE_MESSAGE_DELIVERED] = BIT (PHONE_MESSAGE_DISPLAYED),
    [PHONE_MESSAGE_DISPLAYED] = 0,
    [PHONE_MESSAGE_FAILED] = BIT (PHONE_MESSAGE_DELIVERED) | BIT (PHONE_MESSAGE_DISPLAYED),
    [PHONE_MESSAGE_RECEIVED] = 0,
  };

  return (next[from] & BIT (to)) != 0;
}

static gboolean
come_to (PhoneMessage *message, PhoneMessageState state, gint64 now)
{
  if (!phone_message_may_become (message->state, state))
    return FALSE;
  message->state = state;
  message->changed = now;
  message->uncertain = FALSE;
  return TRUE;
}

gboolean
phone_message_take_report (PhoneMessage *message, PhoneDisposition disposition, gint64 now)
{
  gboolean out = message->state == PHONE_MESSAGE_SENDING || message->state == PHONE_MESSAGE_SENT, news = FALSE;

  switch (disposition)
    {
    case PHONE_DISPOSITION_NONE:
      break;
    case PHONE_DISPOSITION_DELIVERED:
      news = come_to (message, PHONE_MESSAGE_DELIVERED, now);
      break;
    case PHONE_DISPOSITION_DISPLAYED:
      news = come_to (message, PHONE_MESSAGE_DISPLAYED, now);
      break;
    case PHONE_DISPOSITION_FAILED:
      news = come_to (message, PHONE_MESSAGE_FAILED, now);
      break;
    case PHONE_DISPOSITION_PROCESSED:
    case PHONE_DISPOSITION_STORED:
    case PHONE_DISPOSITION_DELIVERY_FORBIDDEN:
    case PHONE_DISPOSITION_DELIVERY_ERROR:
      news = out && message->disposition != disposition;
      break;
    case PHONE_DISPOSITION_DISPLAY_FORBIDDEN:
    case PHONE_DISPOSITION_DISPLAY_ERROR:
      news = (out || message->state == PHONE_MESSAGE_DELIVERED) && message->disposition != disposition;
      break;
    }
  if (news)
    message->disposition = disposition;
  return news;
}

void
phone_conversation_free (PhoneConversation *conversation)
{
  if (!conversation)
    return;
  phone_message_free (conversation->newest);
  g_free (conversation);
}
