/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "sip/refer.h"

static const struct { const char *type, *body; guint status; } frags[] = {
  { "message/sipfrag", "SIP/2.0 100 Trying\r\n", 100 },
  { "Message/SIPfrag;version=2.0", "sip/2.0 486 Busy Here", 486 },
  { "message/sipfrag ; version=2.0", "SIP/2.0 200\r\nContact: <sip:a@b>\r\n", 200 },
  { "message/sipfrag2", "SIP/2.0 200 OK", 0 },
  { "application/sdp", "SIP/2.0 200 OK", 0 },
  { NULL, "SIP/2.0 200 OK", 0 },
  { "message/sipfrag", "SIP/2.0 2000 OK", 0 },
  { "message/sipfrag", "SIP/2.0 20", 0 },
  { "message/sipfrag", "SIP/2.0 -20 OK", 0 },
  { "message/sipfrag", "SIP/2.0 099 Low", 0 },
  { "message/sipfrag", "SIP/2.0 700 High", 0 },
  { "message/sipfrag", "SIP/2.0 20x OK", 0 },
  { "message/sipfrag", "INVITE sip:a@b SIP/2.0", 0 },
  { "message/sipfrag", "", 0 },
};

static void
test_sipfrag (void)
{
  g_autofree char *written = ua_sipfrag_write (180, "Ringing");

  for (gsize i = 0; i < G_N_ELEMENTS (frags); i++)
    g_assert_cmpuint (ua_sipfrag_status (frags[i].type, frags[i].body, strlen (frags[i].body)), ==, frags[i].status);
  g_assert_cmpstr (written, ==, "SIP/2.0 180 Ringing\r\n");
}

/* target NULL: refused */
static const struct { const char *value, *target, *replaces; } refer_tos[] = {
  { "<sip:carol@example.org>", "sip:carol@example.org", NULL },
  { "sip:carol@example.org", "sip:carol@example.org", NULL },
  { "\"Carol\" <sip:carol@example.org;transport=tcp>;x=y", "sip:carol@example.org;transport=tcp", NULL },
  { "<sip:c@b?Replaces=1%402%3Bto-tag%3Da%3Bfrom-tag%3Db>", "sip:c@b", "1@2;to-tag=a;from-tag=b" },
  { "<sip:c@b?Subject=x&replaces=1%3Bfrom-tag%3Db%3Bto-tag%3Da%3Bearly-only>", "sip:c@b", "1;from-tag=b;to-tag=a;early-only" },
  { "<sip:c@b;method=INVITE?Route=%3Csip:evil%3E>", "sip:c@b", NULL },
  { "<sip:c@b;method=BYE>", NULL, NULL },
  { "<sip:c@b;method>", NULL, NULL },
  { "<sip:c@b?Replaces=1%3Bto-tag%3Da>", NULL, NULL },
  { "<sip:c@b?Replaces=1%3Bto-tag%3Da%3Bfrom-tag%3Db%0d%0aVia:x>", NULL, NULL },
  { "<sip:c@b?Replaces=1%3Bto-tag%3Da%3Bfrom-tag%3Db&Replaces=1%3Bto-tag%3Da%3Bfrom-tag%3Db>", NULL, NULL },
  { "<http://example.org/>", NULL, NULL },
  { "", NULL, NULL },
};

static void
test_refer_to (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (refer_tos); i++)
    {
      g_autofree char *target = NULL;
      g_autofree char *replaces = NULL;
      g_autofree char *written = NULL;
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", refer_tos[i].value);
      g_assert_cmpint (ua_refer_to_parse (refer_tos[i].value, &target, &replaces, &error), ==, refer_tos[i].target != NULL);
      g_assert_cmpstr (target, ==, refer_tos[i].target);
      g_assert_cmpstr (replaces, ==, refer_tos[i].replaces);
      if (!refer_tos[i].target)
        {
          g_assert_nonnull (error);
          continue;
        }
      written = ua_refer_to_write (target, replaces, &error);
      g_assert_no_error (error);
      g_free (target);
      g_free (replaces);
      g_assert_true (ua_refer_to_parse (written, &target, &replaces, &error));
      g_assert_cmpstr (target, ==, refer_tos[i].target);
      g_assert_cmpstr (replaces, ==, refer_tos[i].replaces);
    }
}

static void
test_contact (void)
{
  static const struct { const char *body, *uri; } cases[] = {
    { "SIP/2.0 200 OK\r\nContact: <sip:701@pbx.example.org>\r\n", "sip:701@pbx.example.org" },
    { "SIP/2.0 200 OK\r\nServer: x\r\nm : \"Park\" <sip:5@h>;x=y", "sip:5@h" },
    { "SIP/2.0 200 OK\r\n", NULL },
    { "SIP/2.0 200 OK\r\nContact: <not a uri>\r\n", NULL },
    { "SIP/2.0 200 OK\r\nContact\r\n", NULL },
    { "Contact: <sip:701@pbx>\r\n", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *uri = ua_sipfrag_contact ("message/sipfrag", cases[i].body, strlen (cases[i].body));

      g_assert_cmpstr (uri, ==, cases[i].uri);
    }
}

static void
test_ids (void)
{
  UaDialogId id;

  g_assert_true (ua_replaces_parse (" a@b ; To-Tag = x ;from-tag=y;early-only", &id));
  g_assert_cmpstr (id.call_id, ==, "a@b");
  g_assert_cmpstr (id.local_tag, ==, "x");      /* To is who gets it */
  g_assert_cmpstr (id.remote_tag, ==, "y");
  g_assert_true (id.early_only);
  ua_dialog_id_clear (&id);
  g_assert_true (ua_target_dialog_parse ("a@b;local-tag=theirs;remote-tag=ours", &id));
  g_assert_cmpstr (id.local_tag, ==, "ours");
  g_assert_cmpstr (id.remote_tag, ==, "theirs");
  g_assert_false (id.early_only);
  ua_dialog_id_clear (&id);
  g_assert_false (ua_replaces_parse ("a@b;to-tag=x;to-tag=x;from-tag=y", &id));
  g_assert_false (ua_replaces_parse ("a@b;to-tag=;from-tag=y", &id));
  g_assert_false (ua_replaces_parse (";to-tag=x;from-tag=y", &id));
  g_assert_false (ua_replaces_parse ("a b;to-tag=x;from-tag=y", &id));
  g_assert_false (ua_replaces_parse ("", &id));
  g_assert_null (id.call_id);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/refer/contact", test_contact);
  g_test_add_func ("/refer/sipfrag", test_sipfrag);
  g_test_add_func ("/refer/refer-to", test_refer_to);
  g_test_add_func ("/refer/ids", test_ids);
  return g_test_run ();
}
