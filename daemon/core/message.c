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

void
phone_conversation_free (PhoneConversation *conversation)
{
  if (!conversation)
    return;
  phone_message_free (conversation->newest);
  g_free (conversation);
}
