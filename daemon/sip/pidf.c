/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A presentity has devices (tuples, open or closed) and is a person who does something (RPID activities). One open device makes
 * the person reachable; the activity that hinders a call most is the one to show. Servers put activities into the person (RFC 4479), phones of
 * old put them into the tuple or its status: they are found in all three. */

#include "sip/event-doc.h"

#include <string.h>

#include "sip/xml-tree.h"
#include "util/text.h"

#define NS_PIDF "urn:ietf:params:xml:ns:pidf"
#define NS_MODEL "urn:ietf:params:xml:ns:pidf:data-model"
#define NS_RPID "urn:ietf:params:xml:ns:pidf:rpid"

static const struct
{
  const char *name;
  PhoneStatus status;
} activities[] = {
  { "on-the-phone", PHONE_STATUS_ON_THE_PHONE },
  { "do-not-disturb", PHONE_STATUS_DND },
  { "dnd", PHONE_STATUS_DND },
  { "busy", PHONE_STATUS_BUSY },
  { "meeting", PHONE_STATUS_BUSY },
  { "appointment", PHONE_STATUS_BUSY },
  { "presentation", PHONE_STATUS_BUSY },
  { "performance", PHONE_STATUS_BUSY },
  { "steering", PHONE_STATUS_BUSY },
  { "away", PHONE_STATUS_AWAY },
  { "meal", PHONE_STATUS_AWAY },
  { "breakfast", PHONE_STATUS_AWAY },
  { "dinner", PHONE_STATUS_AWAY },
  { "holiday", PHONE_STATUS_AWAY },
  { "vacation", PHONE_STATUS_AWAY },
  { "permanent-absence", PHONE_STATUS_AWAY },
  { "in-transit", PHONE_STATUS_AWAY },
  { "travel", PHONE_STATUS_AWAY },
  { "sleeping", PHONE_STATUS_AWAY },
};

/* Which of two to show. */
static guint
weight (PhoneStatus status)
{
  switch (status)
    {
    case PHONE_STATUS_ON_THE_PHONE:
      return 5;
    case PHONE_STATUS_DND:
      return 4;
    case PHONE_STATUS_BUSY:
      return 3;
    case PHONE_STATUS_AWAY:
      return 2;
    case PHONE_STATUS_AVAILABLE:
      return 1;
    case PHONE_STATUS_OFFLINE:
    case PHONE_STATUS_UNKNOWN:
      break;
    }
  return 0;
}

static PhoneStatus
activity_status (const UaXml *activity)
{
  g_autofree char *word = g_str_equal (activity->name, "other") ? ua_xml_dup_text (activity, 32) : g_strdup (activity->name);

  for (gsize i = 0; word && i < G_N_ELEMENTS (activities); i++)
    if (g_ascii_strcasecmp (activities[i].name, word) == 0)
      return activities[i].status;
  return PHONE_STATUS_AVAILABLE;
}

static PhoneStatus
strongest (PhoneStatus status, const UaXml *parent)
{
  const UaXml *list = ua_xml_child (parent, NS_RPID, "activities");

  for (guint i = 0; list && list->children && i < list->children->len; i++)
    {
      PhoneStatus one = activity_status (g_ptr_array_index (list->children, i));

      if (weight (one) > weight (status))
        status = one;
    }
  return status;
}

static void
take_note (char **note, const UaXml *parent, const char *ns)
{
  if (!*note)
    *note = ua_xml_dup_text (ua_xml_child (parent, ns, "note"), UA_MAX_NOTE);
}

gboolean
ua_pidf_read (const char *data, gsize length, PhonePresenceInfo *ret_info, GError **error)
{
  g_autoptr (UaXml) root = ua_xml_parse (data, length, NS_PIDF, "presence", error);
  PhoneStatus activity = PHONE_STATUS_AVAILABLE;
  gboolean open = FALSE, closed = FALSE;
  g_autofree char *note = NULL, *closed_note = NULL;

  if (!root)
    return FALSE;
  for (guint i = 0; root->children && i < root->children->len; i++)
    {
      const UaXml *node = g_ptr_array_index (root->children, i);

      if (ua_xml_is (node, NS_MODEL, "person"))
        {
          activity = strongest (activity, node);
          take_note (&note, node, NS_MODEL);
          take_note (&note, ua_xml_child (node, NS_RPID, "activities"), NS_RPID);
        }
      else if (ua_xml_is (node, NS_PIDF, "tuple"))
        {
          const UaXml *status = ua_xml_child (node, NS_PIDF, "status");
          g_autofree char *basic = ua_xml_dup_text (ua_xml_child (status, NS_PIDF, "basic"), 16);
          gboolean is_open = basic && g_ascii_strcasecmp (basic, "open") == 0;

          open = open || is_open;
          closed = closed || (basic && !is_open);
          activity = strongest (strongest (activity, node), status);
          take_note (is_open ? &note : &closed_note, node, NS_PIDF);
        }
    }
  take_note (&note, root, NS_PIDF);
  phone_presence_info_clear (ret_info);
  ret_info->status = open ? activity : closed ? PHONE_STATUS_OFFLINE : PHONE_STATUS_UNKNOWN;
  ret_info->note = note ? g_steal_pointer (&note) : g_steal_pointer (&closed_note);
  return TRUE;
}

/* ---- writing ---- */

static const char *
activity_xml (PhoneStatus status)
{
  switch (status)
    {
    case PHONE_STATUS_AWAY:
      return "<rpid:away/>";
    case PHONE_STATUS_BUSY:
      return "<rpid:busy/>";
    case PHONE_STATUS_ON_THE_PHONE:
      return "<rpid:on-the-phone/>";
    case PHONE_STATUS_DND:
      return "<rpid:busy/><rpid:other>do-not-disturb</rpid:other>";     /* RPID has no word for it */
    case PHONE_STATUS_AVAILABLE:
    case PHONE_STATUS_OFFLINE:
    case PHONE_STATUS_UNKNOWN:
      break;
    }
  return NULL;
}

char *
ua_pidf_write (const char *entity, const char *id, const PhonePresenceInfo *info)
{
  const char *activity = activity_xml (info->status);
  gboolean open = info->status != PHONE_STATUS_OFFLINE && info->status != PHONE_STATUS_UNKNOWN;
  g_autofree char *clean = info->note ? phone_text_clean (info->note, -1, UA_MAX_NOTE) : NULL;
  g_autofree char *uri = g_markup_escape_text (entity, -1);
  g_autofree char *note = clean ? g_markup_escape_text (clean, -1) : NULL;
  GString *out = g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");

  g_string_append_printf (out, "<presence xmlns=\"" NS_PIDF "\" xmlns:dm=\"" NS_MODEL "\" xmlns:rpid=\"" NS_RPID "\" entity=\"%s\">\n", uri);
  g_string_append_printf (out, "<tuple id=\"%s\"><status><basic>%s</basic></status><contact>%s</contact>", id, open ? "open" : "closed", uri);
  if (note)
    g_string_append_printf (out, "<note>%s</note>", note);
  g_string_append (out, "</tuple>\n");
  if (activity || note)
    {
      g_string_append_printf (out, "<dm:person id=\"p-%s\">", id);
      if (activity)
        g_string_append_printf (out, "<rpid:activities>%s</rpid:activities>", activity);
      if (note)
        g_string_append_printf (out, "<dm:note>%s</dm:note>", note);
      g_string_append (out, "</dm:person>\n");
    }
  g_string_append (out, "</presence>\n");
  return g_string_free (out, FALSE);
}
