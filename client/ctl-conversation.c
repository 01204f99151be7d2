/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With whom there are messages: one row a peer, and how many of its messages nobody has read. */

#include "ctl.h"

#include <stdlib.h>
#include <string.h>

static void
print_conversations (Ctl *ctl, const CtlValue *conversations)
{
  CtlTable *table = ctl_table_new (ctl, 5);

  for (size_t i = 0; i < conversations->n; i++)
    {
      const CtlValue *row = conversations->items[i];
      char *party = ctl_name_text (ctl_value_string (row, "contact-name"), ctl_value_string (row, "remote-name"),
                                   ctl_value_string (row, "party"));
      bool incoming = strcmp (ctl_value_string (row, "direction"), "incoming") == 0;
      unsigned long unread = (unsigned long) ctl_value_uint (row, "unread");
      char *when = ctl_local_time (ctl_value_uint (row, "time")), *line = ctl_one_line (ctl_value_string (row, "body"));
      char *news = unread ? ctl_format ("%lu unread", unread) : ctl_format ("%s", "");

      ctl_table_add (table, CTL_DIM, "%s", when);
      ctl_table_add (table, CTL_BOLD, "%s", party);
      ctl_table_add (table, unread ? CTL_WARN : CTL_DIM, "%s", news);
      ctl_table_add (table, CTL_DIM, "of %lu", (unsigned long) ctl_value_uint (row, "messages"));
      ctl_table_add (table, CTL_PLAIN, "%s%s", incoming ? "" : "> ", line);
      free (when);
      free (party);
      free (line);
      free (news);
    }
  ctl_table_print (table);
}

int
ctl_list_conversations (Ctl *ctl, bool unread_only, uint32_t offset, uint32_t limit)
{
  sd_bus_message *m = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "ListConversations"), *reply = NULL;
  CtlValue *conversations = NULL;
  int status, r = sd_bus_message_append (m, "a{sv}uu", 1, "unread", "b", (int) unread_only, offset, limit);

  if (r < 0)
    {
      sd_bus_message_unref (m);
      return ctl_report (ctl, NULL, NULL, r);
    }
  status = ctl_send (ctl, m, &reply);
  if (status == CTL_EXIT_OK && (r = ctl_value_read (reply, &conversations)) < 0)
    status = ctl_report (ctl, NULL, NULL, r);
  if (status == CTL_EXIT_OK && ctl->json)
    ctl_print_json (conversations);
  else if (status == CTL_EXIT_OK)
    print_conversations (ctl, conversations);
  ctl_value_free (conversations);
  sd_bus_message_unref (reply);
  return status;
}
