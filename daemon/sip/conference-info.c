/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* conference-info: who is in a conference. A full document is the whole truth; a partial one counts only right after its predecessor, and in it
 * a user is told as a whole, in part, or that he has gone (RFC 4575 section 4). Of a user with several endpoints the one that is most there counts. */

#include "sip/event-doc.h"

#include <string.h>

#include "sip/info-version.h"

#define NS "urn:ietf:params:xml:ns:conference-info"
#define MAX_URI 512
#define MAX_NAME 128

UaInfo *
ua_conference_info_new (void)
{
  return ua_info_new ((GDestroyNotify) phone_participant_free);
}

/* From the one who has gone to the one who talks. */
static guint
rank (PhoneParticipantStatus status)
{
  switch (status)
    {
    case PHONE_PARTICIPANT_DISCONNECTED:
      return 0;
    case PHONE_PARTICIPANT_DISCONNECTING:
      return 1;
    case PHONE_PARTICIPANT_PENDING:
      return 2;
    case PHONE_PARTICIPANT_DIALING_OUT:
    case PHONE_PARTICIPANT_DIALING_IN:
      return 3;
    case PHONE_PARTICIPANT_ALERTING:
      return 4;
    case PHONE_PARTICIPANT_ON_HOLD:
      return 5;
    case PHONE_PARTICIPANT_MUTED:
      return 6;
    case PHONE_PARTICIPANT_CONNECTED:
      return 7;
    }
  g_assert_not_reached ();
}

/* FALSE: no endpoint says anything. */
static gboolean
read_status (const UaXml *user, PhoneParticipantStatus *ret_status)
{
  gboolean any = FALSE;

  for (guint i = 0; user->children && i < user->children->len; i++)
    {
      const UaXml *endpoint = g_ptr_array_index (user->children, i);
      g_autofree char *word = ua_xml_is (endpoint, NS, "endpoint") ? ua_xml_dup_text (ua_xml_child (endpoint, NS, "status"), 32) : NULL;
      PhoneParticipantStatus status;

      if (!word || !phone_participant_status_from_string (word, &status) || (any && rank (status) <= rank (*ret_status)))
        continue;
      *ret_status = status;
      any = TRUE;
    }
  return any;
}

static guint
find (const GPtrArray *participants, const char *uri)
{
  guint i = 0;

  while (i < participants->len && !g_str_equal (((PhoneParticipant *) g_ptr_array_index (participants, i))->uri, uri))
    i++;
  return i;
}

static void
take_user (GPtrArray *participants, const UaXml *user)
{
  g_autofree char *uri = ua_xml_dup_attribute (user, "entity", MAX_URI);
  g_autofree char *name = ua_xml_dup_text (ua_xml_child (user, NS, "display-text"), MAX_NAME);
  const char *state = ua_xml_attribute (user, "state");
  PhoneParticipantStatus status = PHONE_PARTICIPANT_CONNECTED;
  gboolean told = read_status (user, &status);
  gboolean gone = (state && g_str_equal (state, "deleted")) || (told && status == PHONE_PARTICIPANT_DISCONNECTED);
  PhoneParticipant *known;
  guint at;

  if (!uri)
    return;
  at = find (participants, uri);
  known = at < participants->len ? g_ptr_array_index (participants, at) : NULL;
  if (gone && known)
    g_ptr_array_remove_index (participants, at);
  else if (gone)
    return;
  else if (!known && participants->len < UA_MAX_PARTICIPANTS)
    g_ptr_array_add (participants, phone_participant_new (uri, name, status));
  else if (known)
    {
      gboolean partial = state && g_str_equal (state, "partial");

      if (name || !partial)
        {
          g_free (known->name);
          known->name = g_steal_pointer (&name);
        }
      if (told || !partial)
        known->status = status;
    }
}

UaInfoResult
ua_conference_info_apply (UaInfo *info, const char *data, gsize length, GError **error)
{
  g_autoptr (UaXml) root = ua_xml_parse (data, length, NS, "conference-info", error);
  const UaXml *users = ua_xml_child (root, NS, "users");
  const char *users_state = ua_xml_attribute (users, "state");
  gboolean partial;
  UaInfoResult result;

  if (!root)
    return UA_INFO_BAD;
  result = ua_info_advance (&info->version, root, "conference-info", &partial, error);
  if (result != UA_INFO_APPLIED)
    return result;
  if (!partial || (users && (!users_state || g_str_equal (users_state, "full"))))
    g_ptr_array_set_size (info->entries, 0);
  for (guint i = 0; users && users->children && i < users->children->len; i++)
    if (ua_xml_is (g_ptr_array_index (users->children, i), NS, "user"))
      take_user (info->entries, g_ptr_array_index (users->children, i));
  return UA_INFO_APPLIED;
}

/* ---- writing ---- */

/* A user is named once: of two calls with one party, who has two endpoints then, the later is an endpoint of the same user. */
static gboolean
is_first (const GPtrArray *participants, guint at)
{
  return find (participants, ((PhoneParticipant *) g_ptr_array_index (participants, at))->uri) == at;
}

static guint
count_users (const GPtrArray *participants)
{
  guint users = 0;

  for (guint i = 0; i < participants->len; i++)
    users += is_first (participants, i);
  return users;
}

/* An endpoint is named by a URI (RFC 4575 section 5.7), of which some peers make an address. That of its call would tell where it is. */
static void
add_user (GString *out, const GPtrArray *participants, guint at)
{
  const PhoneParticipant *user = g_ptr_array_index (participants, at);
  g_autofree char *uri = g_markup_escape_text (user->uri, -1);
  g_autofree char *name = user->name ? g_markup_escape_text (user->name, -1) : NULL;
  guint endpoints = 0;

  g_string_append_printf (out, "<user entity=\"%s\" state=\"full\">", uri);
  if (name)
    g_string_append_printf (out, "<display-text>%s</display-text>", name);
  for (guint i = at; i < participants->len; i++)
    {
      const PhoneParticipant *one = g_ptr_array_index (participants, i);

      if (!g_str_equal (one->uri, user->uri))
        continue;
      g_string_append_printf (out, "<endpoint entity=\"%s", uri);
      if (endpoints++)
        g_string_append_printf (out, ";endpoint=%u", endpoints);
      g_string_append_printf (out, "\"><status>%s</status></endpoint>", phone_participant_status_to_string (one->status));
    }
  g_string_append (out, "</user>\n");
}

/* All that is told of a user: whole users are compared, not their parts. */
static gboolean
is_told (const GPtrArray *before, const GPtrArray *participants, guint at)
{
  guint was = find (before, ((PhoneParticipant *) g_ptr_array_index (participants, at))->uri);
  g_autoptr (GString) old = g_string_new (NULL), new = g_string_new (NULL);

  if (was == before->len)
    return FALSE;
  add_user (old, before, was);
  add_user (new, participants, at);
  return g_string_equal (old, new);
}

static void
add_gone (GString *out, const GPtrArray *before, const GPtrArray *participants)
{
  for (guint i = 0; i < before->len; i++)
    {
      const PhoneParticipant *one = g_ptr_array_index (before, i);
      g_autofree char *uri = g_markup_escape_text (one->uri, -1);

      if (is_first (before, i) && find (participants, one->uri) == participants->len)
        g_string_append_printf (out, "<user entity=\"%s\" state=\"deleted\"/>\n", uri);
    }
}

char *
ua_conference_info_write (const char *entity, guint version, const GPtrArray *participants, const GPtrArray *before)
{
  GString *out = g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
  g_autofree char *about = g_markup_escape_text (entity, -1);
  const char *state = before ? "partial" : "full";
  guint users = count_users (participants);

  g_string_append_printf (out, "<conference-info xmlns=\"" NS "\" entity=\"%s\" state=\"%s\" version=\"%u\">\n", about, state, version);
  if (!before || users != count_users (before))
    g_string_append_printf (out, "<conference-state><user-count>%u</user-count></conference-state>\n", users);
  g_string_append_printf (out, "<users state=\"%s\">\n", state);
  if (before)
    add_gone (out, before, participants);
  for (guint i = 0; i < participants->len; i++)
    if (is_first (participants, i) && !(before && is_told (before, participants, i)))
      add_user (out, participants, i);
  g_string_append (out, "</users>\n</conference-info>\n");
  return g_string_free (out, FALSE);
}
