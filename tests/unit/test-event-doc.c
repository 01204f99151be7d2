/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The documents of event packages: examples as servers send them, and what hostile ones try. */

#include "sip/event-doc.h"
#include "sip/xml-tree.h"

#include <string.h>

#define PIDF(body) \
  "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" " \
  "xmlns:r=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:bob@example.org\">" body "</presence>"
#define OPEN "<tuple id=\"a\"><status><basic>open</basic></status></tuple>"
#define CLOSED "<tuple id=\"b\"><status><basic>closed</basic></status><note>gone</note></tuple>"

static void
check_pidf (const char *text, PhoneStatus status, const char *note)
{
  PhonePresenceInfo info = { PHONE_STATUS_UNKNOWN, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_true (ua_pidf_read (text, strlen (text), &info, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (phone_status_to_string (info.status), ==, phone_status_to_string (status));
  g_assert_cmpstr (info.note, ==, note);
  phone_presence_info_clear (&info);
}

static void
test_pidf (void)
{
  check_pidf (PIDF (OPEN), PHONE_STATUS_AVAILABLE, NULL);
  check_pidf (PIDF (CLOSED), PHONE_STATUS_OFFLINE, "gone");
  check_pidf (PIDF (CLOSED OPEN), PHONE_STATUS_AVAILABLE, "gone");
  check_pidf (PIDF (""), PHONE_STATUS_UNKNOWN, NULL);
  check_pidf (PIDF (OPEN "<dm:person id=\"p\"><r:activities><r:away/></r:activities><dm:note>lunch</dm:note></dm:person>"),
              PHONE_STATUS_AWAY, "lunch");
  /* the prefix is nothing, the namespace is all */
  check_pidf (PIDF (OPEN "<person xmlns=\"urn:ietf:params:xml:ns:pidf:data-model\" id=\"p\">"
                         "<activities xmlns=\"urn:ietf:params:xml:ns:pidf:rpid\"><meal/><on-the-phone/></activities></person>"),
              PHONE_STATUS_ON_THE_PHONE, NULL);
  check_pidf (PIDF (OPEN "<dm:person id=\"p\"><r:activities><other:away xmlns:other=\"urn:x\"/></r:activities></dm:person>"),
              PHONE_STATUS_AWAY, NULL);
  check_pidf (PIDF ("<tuple id=\"a\"><status><basic>open</basic><r:activities><r:busy/></r:activities></status></tuple>"),
              PHONE_STATUS_BUSY, NULL);
  /* an activity of a person whose devices are all closed does not make her reachable */
  check_pidf (PIDF (CLOSED "<dm:person id=\"p\"><r:activities><r:busy/></r:activities></dm:person>"), PHONE_STATUS_OFFLINE, "gone");
}

static void
test_pidf_round (void)
{
  for (int i = 0; i < phone_status_n_values; i++)
    {
      PhonePresenceInfo info = { (PhoneStatus) i, (char *) "a < b & \"c\" \xe2\x82\xac" };
      g_autofree char *text = ua_pidf_write ("sip:o'neill&co@example.org", "t1", &info);

      check_pidf (text, i == PHONE_STATUS_UNKNOWN ? PHONE_STATUS_OFFLINE : (PhoneStatus) i, info.note);
    }
}

static void
refuse (const char *text)
{
  PhonePresenceInfo info = { PHONE_STATUS_BUSY, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_false (ua_pidf_read (text, strlen (text), &info, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_FAILED);
  g_assert_cmpint (info.status, ==, PHONE_STATUS_BUSY);
}

static void
test_hostile (void)
{
  g_autoptr (GString) deep = g_string_new (NULL);
  g_autoptr (GString) many = g_string_new (NULL);
  g_autofree char *text = NULL;
  g_autofree char *wide = NULL;

  refuse ("");
  refuse ("<presence/>");
  refuse ("<presence xmlns=\"urn:ietf:params:xml:ns:pidf\">");
  refuse ("<p:presence/>");
  refuse ("<!DOCTYPE x [<!ENTITY a \"b\">]>" PIDF (OPEN));
  refuse (PIDF ("&a;"));
  refuse (PIDF ("\xff"));
  for (int i = 0; i < 100; i++)
    g_string_append (deep, "<a>");
  for (int i = 0; i < 100; i++)
    g_string_append (deep, "</a>");
  text = g_strconcat ("<presence xmlns=\"urn:ietf:params:xml:ns:pidf\">", deep->str, "</presence>", NULL);
  refuse (text);
  for (int i = 0; i < UA_XML_MAX_NODES + 1; i++)
    g_string_append (many, "<a/>");
  wide = g_strconcat ("<presence xmlns=\"urn:ietf:params:xml:ns:pidf\">", many->str, "</presence>", NULL);
  refuse (wide);
}

/* ---- dialog-info ---- */

#define INFO(version, state, body) \
  "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"" version "\" state=\"" state "\" entity=\"sip:bob@example.org\">" \
  body "</dialog-info>"
#define RINGS \
  "<dialog id=\"d1\" call-id=\"abc@host\" local-tag=\"l1\" remote-tag=\"r1\" direction=\"recipient\"><state>early</state>" \
  "<remote><identity display=\"Carol\">sip:carol@example.org</identity><target uri=\"sip:carol@192.0.2.7:5062\"/></remote></dialog>"
#define DIALOG(id, direction, state) "<dialog id=\"" id "\" direction=\"" direction "\"><state>" state "</state></dialog>"

static UaInfoResult
apply (UaInfo *info, const char *text)
{
  return ua_dialog_info_apply (info, text, strlen (text), NULL);
}

static void
test_dialog_info (void)
{
  g_autoptr (UaInfo) info = ua_dialog_info_new ();
  g_autofree char *target = NULL;
  g_autofree char *replaces = NULL;

  /* a part, of what? Also the one that counts from nought. */
  g_assert_cmpint (apply (info, INFO ("0", "partial", RINGS)), ==, UA_INFO_GAP);
  g_assert_cmpuint (info->entries->len, ==, 0);
  g_assert_cmpint (apply (info, INFO ("0", "full", "")), ==, UA_INFO_APPLIED);
  g_assert_cmpint (phone_lamp_from_dialogs (info->entries), ==, PHONE_LAMP_IDLE);
  g_assert_cmpint (apply (info, INFO ("1", "partial", RINGS)), ==, UA_INFO_APPLIED);
  g_assert_cmpint (phone_lamp_from_dialogs (info->entries), ==, PHONE_LAMP_RINGING);
  replaces = phone_dialog_entry_replaces (g_ptr_array_index (info->entries, 0), &target);
  g_assert_cmpstr (replaces, ==, "abc@host;to-tag=r1;from-tag=l1;early-only");
  g_assert_cmpstr (target, ==, "sip:carol@192.0.2.7:5062");
  g_assert_cmpstr (((PhoneDialogEntry *) g_ptr_array_index (info->entries, 0))->remote_name, ==, "Carol");
  /* twice, late, lost */
  g_assert_cmpint (apply (info, INFO ("1", "partial", DIALOG ("d1", "recipient", "terminated"))), ==, UA_INFO_OLD);
  g_assert_cmpint (apply (info, INFO ("0", "full", "")), ==, UA_INFO_OLD);
  g_assert_cmpint (apply (info, INFO ("3", "partial", DIALOG ("d1", "recipient", "terminated"))), ==, UA_INFO_GAP);
  g_assert_cmpuint (info->entries->len, ==, 1);
  g_assert_cmpint (apply (info, INFO ("2", "partial", DIALOG ("d2", "initiator", "confirmed"))), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 2);
  g_assert_cmpint (apply (info, INFO ("3", "partial", DIALOG ("d1", "recipient", "terminated"))), ==, UA_INFO_APPLIED);
  g_assert_cmpint (phone_lamp_from_dialogs (info->entries), ==, PHONE_LAMP_BUSY);
  /* a server that numbers every full document alike */
  g_assert_cmpint (apply (info, INFO ("3", "full", "")), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 0);
  g_assert_cmpint (apply (info, INFO ("4", "full", DIALOG ("d3", "initiator", "early"))), ==, UA_INFO_APPLIED);
  g_assert_cmpint (phone_lamp_from_dialogs (info->entries), ==, PHONE_LAMP_BUSY);
  g_assert_cmpint (apply (info, INFO ("5", "full", DIALOG ("d3", "recipient", "trying"))), ==, UA_INFO_APPLIED);
  g_assert_cmpint (phone_lamp_from_dialogs (info->entries), ==, PHONE_LAMP_RINGING);
  /* a new subscription begins with a full one, whatever its number */
  ua_info_reset (info);
  g_assert_cmpint (apply (info, INFO ("1", "partial", "")), ==, UA_INFO_GAP);
  g_assert_cmpint (apply (info, INFO ("0", "partial", "")), ==, UA_INFO_GAP);
  g_assert_cmpint (apply (info, INFO ("0", "full", "")), ==, UA_INFO_APPLIED);
  g_assert_cmpint (apply (info, INFO ("x", "full", "")), ==, UA_INFO_BAD);
}

/* What could end the header, or add to it, is never put there. */
static void
test_replaces_hostile (void)
{
  static const char *const wrong[] = { "a;early-only", "a\r\nX: y", "a,b", "a\"b", "", NULL };

  for (gsize i = 0; wrong[i]; i++)
    {
      PhoneDialogEntry entry = { .state = PHONE_DIALOG_EARLY, .call_id = (char *) wrong[i], .local_tag = (char *) "l",
                                 .remote_tag = (char *) "r", .remote_uri = (char *) "sip:x@y" };
      g_autofree char *target = NULL;

      g_assert_null (phone_dialog_entry_replaces (&entry, &target));
      entry.call_id = (char *) "good";
      entry.local_tag = (char *) wrong[i];
      g_assert_null (phone_dialog_entry_replaces (&entry, &target));
    }
}

/* ---- message-summary ---- */

static void
check_summary (const char *text, const char *wanted)
{
  PhoneMailboxState state = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *found = NULL;

  if (!ua_message_summary_read (text, strlen (text), &state, &error))
    {
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_FAILED);
      g_assert_null (wanted);
      return;
    }
  found = g_strdup_printf ("%d %u/%u (%u/%u) %s", state.waiting, state.fresh, state.old, state.fresh_urgent, state.old_urgent,
                           state.account ? state.account : "-");
  g_assert_cmpstr (found, ==, wanted);
  phone_mailbox_state_clear (&state);
}

static void
test_summary (void)
{
  check_summary ("Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n",
                 "1 2/8 (0/2) sip:alice@vmail.example.com");
  check_summary ("Messages-Waiting: no\r\n", "0 0/0 (0/0) -");
  check_summary ("messages-waiting : YES\nvoice-message:  1 / 0 ( 1 / 0 )\n", "1 1/0 (1/0) -");
  check_summary ("Voice-Message: 3/1\r\n", "1 3/1 (0/0) -");
  check_summary ("Messages-Waiting: yes\r\nFax-Message: 1/0\r\n\r\nTo: x\r\nMessages-Waiting: no\r\n", "1 0/0 (0/0) -");
  check_summary ("Messages-Waiting: yes\r\nVoice-Message: 99999999999999999999/1\r\n", "1 999999/1 (0/0) -");
  check_summary ("Messages-Waiting: yes\r\nVoice-Message: x/1\r\n", "1 0/0 (0/0) -");
  check_summary ("", NULL);
  check_summary ("\r\n\r\n", NULL);
  check_summary ("hello\r\n", NULL);
}

/* ---- resource lists ---- */

#define PART(id, type, body) "\r\n--b0\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <" id ">\r\nContent-Type: " type "\r\n\r\n" body
#define LIST(version, full, body) \
  "<list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"sip:friends@example.org\" version=\"" version "\" fullState=\"" full "\">" body "</list>"
#define RESOURCE(uri, state, cid) \
  "<resource uri=\"" uri "\"><name>N</name><instance id=\"i\" state=\"" state "\" cid=\"" cid "\"/></resource>"

static const char type[] = "multipart/related;type=\"application/rlmi+xml\";start=\"<list@x>\";boundary=\"b0\"";

static UaInfoResult
apply_list (UaRlmi *list, const char *text)
{
  return ua_rlmi_apply (list, type, text, strlen (text), NULL);
}

/* One that came late or twice, and a partial one behind one that was lost, change nothing; a full one needs none before it. */
static void
test_rlmi_versions (void)
{
#define ONLY(version, full, uri) PART ("list@x", "application/rlmi+xml", LIST (version, full, RESOURCE (uri, "active", "1@x"))) "\r\n--b0--\r\n"
  static const struct
  {
    const char *text;
    UaInfoResult result;
    guint size;
    gint64 version;
  } steps[] = {
    { ONLY ("4294967290", "true", "sip:a@x"), UA_INFO_APPLIED, 1, 4294967290 },
    { ONLY ("4294967291", "false", "sip:b@x"), UA_INFO_APPLIED, 2, 4294967291 },
    { ONLY ("4294967291", "false", "sip:c@x"), UA_INFO_OLD, 2, 4294967291 },
    { ONLY ("4294967290", "true", "sip:c@x"), UA_INFO_OLD, 2, 4294967291 },
    { ONLY ("4294967293", "false", "sip:c@x"), UA_INFO_GAP, 2, 4294967291 },
    { ONLY ("4294967293", "1", "sip:c@x"), UA_INFO_APPLIED, 1, 4294967293 },
    { ONLY ("4294967294", "0", "sip:d@x"), UA_INFO_APPLIED, 2, 4294967294 },
    { ONLY ("4294967296", "true", "sip:e@x"), UA_INFO_BAD, 2, 4294967294 },
    { ONLY ("-1", "true", "sip:e@x"), UA_INFO_BAD, 2, 4294967294 },
    { ONLY ("", "true", "sip:e@x"), UA_INFO_BAD, 2, 4294967294 },
  };
  g_autoptr (UaRlmi) list = ua_rlmi_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_test_message ("step %zu", i);
      g_assert_cmpint (apply_list (list, steps[i].text), ==, steps[i].result);
      g_assert_cmpuint (g_hash_table_size (list->resources), ==, steps[i].size);
      g_assert_cmpint (list->version, ==, steps[i].version);
    }
  /* whom the old subscription told of is nobody's news any more */
  ua_rlmi_reset (list);
  g_assert_cmpuint (g_hash_table_size (list->resources), ==, 0);
  g_assert_cmpint (apply_list (list, ONLY ("0", "false", "sip:z@x")), ==, UA_INFO_GAP);
  g_assert_cmpuint (g_hash_table_size (list->resources), ==, 0);
  g_assert_cmpint (apply_list (list, steps[1].text), ==, UA_INFO_GAP);
  g_assert_cmpint (apply_list (list, steps[0].text), ==, UA_INFO_APPLIED);
}

static void
test_rlmi (void)
{
  g_autoptr (UaRlmi) list = ua_rlmi_new ();
  GHashTable *resources = list->resources;
  static const char full[] = "preamble"
      PART ("list@x", "application/rlmi+xml;charset=\"UTF-8\"",
            LIST ("1", "true", RESOURCE ("sip:bob@example.org", "active", "1@x") RESOURCE ("sip:dave@example.org", "pending", "9@x")))
      PART ("1@x", "application/pidf+xml", PIDF (OPEN)) "\r\n--b0--\r\n";
  static const char partial[] = PART ("list@x", "application/rlmi+xml", LIST ("2", "false", RESOURCE ("sip:dave@example.org", "active", "2@x")))
      PART ("2@x", "application/pidf+xml", PIDF (CLOSED)) "\r\n--b0--\r\n";
  PhoneResource *bob, *dave;

  g_assert_cmpint (apply_list (list, partial), ==, UA_INFO_GAP);  /* of what? */
  g_assert_cmpint (apply_list (list, full), ==, UA_INFO_APPLIED);
  bob = g_hash_table_lookup (resources, "sip:bob@example.org");
  dave = g_hash_table_lookup (resources, "sip:dave@example.org");
  g_assert_cmpint (bob->presence.status, ==, PHONE_STATUS_AVAILABLE);
  g_assert_cmpint (bob->lamp, ==, PHONE_LAMP_IDLE);
  g_assert_true (bob->active && !dave->active);
  g_assert_cmpstr (bob->name, ==, "N");
  g_assert_cmpint (dave->presence.status, ==, PHONE_STATUS_UNKNOWN);
  g_assert_cmpint (apply_list (list, partial), ==, UA_INFO_APPLIED);
  dave = g_hash_table_lookup (resources, "sip:dave@example.org");
  g_assert_cmpuint (g_hash_table_size (resources), ==, 2);
  g_assert_cmpint (dave->lamp, ==, PHONE_LAMP_OFFLINE);
  g_assert_cmpint (ua_rlmi_apply (list, "multipart/related", partial, strlen (partial), NULL), ==, UA_INFO_BAD);
  g_assert_cmpint (ua_rlmi_apply (list, "multipart/related;boundary=b1", partial, strlen (partial), NULL), ==, UA_INFO_BAD);
  g_assert_cmpuint (g_hash_table_size (resources), ==, 2);
}

#define CONFERENCE(version, state, body) \
  "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"sip:c@h\" state=\"" state "\" version=\"" version "\">" body \
  "</conference-info>"
#define USER(uri, state, name, status) \
  "<user entity=\"" uri "\" state=\"" state "\"><display-text>" name "</display-text><endpoint entity=\"" uri "\"><status>" status \
  "</status></endpoint></user>"

static UaInfoResult
apply_conference (UaInfo *info, const char *text)
{
  return ua_conference_info_apply (info, text, strlen (text), NULL);
}

static void
assert_participant (UaInfo *info, guint at, const char *uri, const char *name, PhoneParticipantStatus status)
{
  const PhoneParticipant *one;

  g_assert_cmpuint (at, <, info->entries->len);
  one = g_ptr_array_index (info->entries, at);
  g_assert_cmpstr (one->uri, ==, uri);
  g_assert_cmpstr (one->name, ==, name);
  g_assert_cmpint (one->status, ==, status);
}

/* What we write of a conference of ours reads the same; a party with two calls is one user, as much there as the more active of them. */
static void
test_conference_written (void)
{
  g_autoptr (UaInfo) info = ua_conference_info_new ();
  g_autoptr (GPtrArray) participants = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_participant_free);
  g_autofree char *text = NULL;

  g_ptr_array_add (participants, phone_participant_new ("sip:us@h", "Us & \"them\" <x>", PHONE_PARTICIPANT_CONNECTED));
  g_ptr_array_add (participants, phone_participant_new ("sip:a@h;x=\"'&", NULL, PHONE_PARTICIPANT_ON_HOLD));
  g_ptr_array_add (participants, phone_participant_new ("sip:b@h", NULL, PHONE_PARTICIPANT_ALERTING));
  g_ptr_array_add (participants, phone_participant_new ("sip:b@h", NULL, PHONE_PARTICIPANT_MUTED));
  text = ua_conference_info_write ("sip:us@h:5060;transport=tcp", 4, participants, NULL);
  g_assert_nonnull (strstr (text, "<user-count>3</user-count>"));
  g_assert_nonnull (strstr (text, "version=\"4\""));
  g_assert_nonnull (strstr (text, "<endpoint entity=\"sip:b@h\"><status>alerting<"));
  g_assert_nonnull (strstr (text, "<endpoint entity=\"sip:b@h;endpoint=2\"><status>muted-via-focus<"));
  g_assert_cmpint (apply_conference (info, text), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 3);
  assert_participant (info, 0, "sip:us@h", "Us & \"them\" <x>", PHONE_PARTICIPANT_CONNECTED);
  assert_participant (info, 1, "sip:a@h;x=\"'&", NULL, PHONE_PARTICIPANT_ON_HOLD);
  assert_participant (info, 2, "sip:b@h", NULL, PHONE_PARTICIPANT_MUTED);
}

static GPtrArray *
new_roster (const PhoneParticipant *rows, guint n)
{
  GPtrArray *roster = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_participant_free);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (roster, phone_participant_new (rows[i].uri, rows[i].name, rows[i].status));
  return roster;
}

/* Of what changes only that is told, whole users of it, and whoever was told the rest knows all. */
static void
test_conference_changes (void)
{
  static const PhoneParticipant first[] = {
    { (char *) "sip:us@h", (char *) "Us", PHONE_PARTICIPANT_CONNECTED }, { (char *) "sip:a@h", NULL, PHONE_PARTICIPANT_CONNECTED },
    { (char *) "sip:b@h", (char *) "B", PHONE_PARTICIPANT_CONNECTED },   { (char *) "sip:b@h", NULL, PHONE_PARTICIPANT_ALERTING },
    { (char *) "sip:c@h", NULL, PHONE_PARTICIPANT_CONNECTED },
  };
  static const PhoneParticipant second[] = {
    { (char *) "sip:us@h", (char *) "Us", PHONE_PARTICIPANT_CONNECTED }, { (char *) "sip:b@h", (char *) "B", PHONE_PARTICIPANT_ON_HOLD },
    { (char *) "sip:c@h", NULL, PHONE_PARTICIPANT_CONNECTED },           { (char *) "sip:d@h", NULL, PHONE_PARTICIPANT_DIALING_OUT },
  };
  g_autoptr (UaInfo) info = ua_conference_info_new ();
  g_autoptr (GPtrArray) before = new_roster (first, G_N_ELEMENTS (first)), after = new_roster (second, G_N_ELEMENTS (second));
  g_autofree char *full = ua_conference_info_write ("sip:us@h", 4, before, NULL);
  g_autofree char *none = ua_conference_info_write ("sip:us@h", 5, before, before);
  g_autofree char *changes = ua_conference_info_write ("sip:us@h", 6, after, before);

  g_assert_cmpint (apply_conference (info, full), ==, UA_INFO_APPLIED);
  g_assert_null (strstr (none, "<user "));
  g_assert_null (strstr (none, "user-count"));
  g_assert_cmpint (apply_conference (info, changes), ==, UA_INFO_GAP);
  g_assert_cmpint (apply_conference (info, none), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 4);
  g_assert_null (strstr (changes, "<user entity=\"sip:us@h\""));
  g_assert_null (strstr (changes, "sip:c@h"));
  g_assert_nonnull (strstr (changes, "<user entity=\"sip:a@h\" state=\"deleted\"/>"));
  g_assert_null (strstr (changes, "user-count"));       /* one has gone, one has come */
  g_assert_cmpint (apply_conference (info, changes), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 4);
  assert_participant (info, 0, "sip:us@h", "Us", PHONE_PARTICIPANT_CONNECTED);
  assert_participant (info, 1, "sip:b@h", "B", PHONE_PARTICIPANT_ON_HOLD);
  assert_participant (info, 2, "sip:c@h", NULL, PHONE_PARTICIPANT_CONNECTED);
  assert_participant (info, 3, "sip:d@h", NULL, PHONE_PARTICIPANT_DIALING_OUT);
}

static void
test_conference_info (void)
{
  g_autoptr (UaInfo) info = ua_conference_info_new ();

  g_assert_cmpint (apply_conference (info, CONFERENCE ("3", "partial", "")), ==, UA_INFO_GAP);
  g_assert_cmpint (apply_conference (info, CONFERENCE ("3", "full", "<users>" USER ("sip:a@h", "full", "Ann", "connected")
                                                      USER ("sip:b@h", "full", "", "on-hold") "<user entity=\"sip:c@h\"/><user/>"
                                                      USER ("sip:d@h", "full", "Gone", "disconnected") "</users>")), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 3);
  assert_participant (info, 0, "sip:a@h", "Ann", PHONE_PARTICIPANT_CONNECTED);
  assert_participant (info, 1, "sip:b@h", NULL, PHONE_PARTICIPANT_ON_HOLD);
  assert_participant (info, 2, "sip:c@h", NULL, PHONE_PARTICIPANT_CONNECTED);
  /* partial: one changes in part, one goes, one comes; the others stay */
  g_assert_cmpint (apply_conference (info, CONFERENCE ("4", "partial", "<users state=\"partial\">"
                                                      "<user entity=\"sip:a@h\" state=\"partial\"><endpoint><status>muted-via-focus</status>"
                                                      "</endpoint><endpoint><status>pending</status></endpoint></user>"
                                                      "<user entity=\"sip:b@h\" state=\"deleted\"/>" USER ("sip:e@h", "full", "Eve", "alerting")
                                                      "</users>")), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 3);
  assert_participant (info, 0, "sip:a@h", "Ann", PHONE_PARTICIPANT_MUTED);
  assert_participant (info, 1, "sip:c@h", NULL, PHONE_PARTICIPANT_CONNECTED);
  assert_participant (info, 2, "sip:e@h", "Eve", PHONE_PARTICIPANT_ALERTING);
  g_assert_cmpint (apply_conference (info, CONFERENCE ("4", "partial", "")), ==, UA_INFO_OLD);
  g_assert_cmpint (apply_conference (info, CONFERENCE ("6", "partial", "")), ==, UA_INFO_GAP);
  g_assert_cmpint (apply_conference (info, CONFERENCE ("x", "full", "")), ==, UA_INFO_BAD);
  /* nothing about the users is no news of them; a full document is */
  g_assert_cmpint (apply_conference (info, CONFERENCE ("5", "partial", "")), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 3);
  g_assert_cmpint (apply_conference (info, CONFERENCE ("6", "full", "")), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 0);
}

static void
test_conference_limit (void)
{
  g_autoptr (UaInfo) info = ua_conference_info_new ();
  g_autoptr (GString) text = g_string_new ("<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" state=\"full\" version=\"0\"><users>");

  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "<user entity=\"sip:%u@h\"/>", i);
  g_string_append (text, "</users></conference-info>");
  g_assert_cmpint (apply_conference (info, text->str), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, UA_MAX_PARTICIPANTS);
}

#define WINFO(version, state, watchers) \
  "<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" version=\"" version "\" state=\"" state "\">" \
  "<watcher-list resource=\"sip:a@b\" package=\"presence\">" watchers "</watcher-list>" \
  "<watcher-list resource=\"sip:a@b\" package=\"dialog\"><watcher id=\"x\" event=\"subscribe\" status=\"active\">sip:no@b</watcher>" \
  "</watcher-list></watcherinfo>"
#define WATCHER(id, status, uri) "<watcher id=\"" id "\" event=\"subscribe\" status=\"" status "\" display-name=\"N\">" uri "</watcher>"

static UaInfoResult
apply_winfo (UaInfo *info, const char *document)
{
  return ua_watcher_info_apply (info, document, strlen (document), NULL);
}

static void
test_watcher_info (void)
{
  g_autoptr (UaInfo) info = ua_watcher_info_new ();
  const PhoneWatcher *first;

  g_assert_cmpint (apply_winfo (info, WINFO ("3", "partial", "")), ==, UA_INFO_GAP);
  g_assert_cmpint (apply_winfo (info, WINFO ("3", "full", WATCHER ("1", "pending", " sip:eve@b\n") WATCHER ("2", "active", "sip:bob@b"))), ==,
                   UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 2);
  first = info->entries->pdata[0];
  g_assert_cmpstr (first->uri, ==, "sip:eve@b");
  g_assert_cmpstr (first->name, ==, "N");
  g_assert_cmpint (first->state, ==, PHONE_WATCHER_PENDING);
  g_assert_cmpint (apply_winfo (info, WINFO ("3", "partial", "")), ==, UA_INFO_OLD);
  g_assert_cmpint (apply_winfo (info, WINFO ("5", "partial", "")), ==, UA_INFO_GAP);
  g_assert_cmpint (apply_winfo (info, WINFO ("4", "partial", WATCHER ("1", "terminated", "sip:eve@b") WATCHER ("3", "sleepy", "sip:c@b"))), ==,
                   UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 1);
  g_assert_cmpint (apply_winfo (info, WINFO ("x", "full", "")), ==, UA_INFO_BAD);
  ua_info_reset (info);
  g_assert_cmpint (apply_winfo (info, WINFO ("0", "full", "")), ==, UA_INFO_APPLIED);
  g_assert_cmpuint (info->entries->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/event-doc/pidf", test_pidf);
  g_test_add_func ("/event-doc/pidf-round", test_pidf_round);
  g_test_add_func ("/event-doc/hostile", test_hostile);
  g_test_add_func ("/event-doc/dialog-info", test_dialog_info);
  g_test_add_func ("/event-doc/replaces-hostile", test_replaces_hostile);
  g_test_add_func ("/event-doc/conference-info", test_conference_info);
  g_test_add_func ("/event-doc/conference-written", test_conference_written);
  g_test_add_func ("/event-doc/conference-changes", test_conference_changes);
  g_test_add_func ("/event-doc/conference-limit", test_conference_limit);
  g_test_add_func ("/event-doc/watcher-info", test_watcher_info);
  g_test_add_func ("/event-doc/message-summary", test_summary);
  g_test_add_func ("/event-doc/rlmi", test_rlmi);
  g_test_add_func ("/event-doc/rlmi-versions", test_rlmi_versions);
  return g_test_run ();
}
