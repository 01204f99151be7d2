/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A provider who challenges inside calls too: those that the far end began as well as ours. And the caller who tries to collect digests that
 * way. */

#include "bed.h"
#include "sip/ua-dialog.h"

#include <string.h>

typedef struct
{
  const char *name;
  const char *header;           /* WWW-Authenticate or Proxy-Authenticate */
  const char *register_as, *inside_as;  /* algorithms */
  const char *inside_realm;
  gboolean answered;
} Case;

typedef struct
{
  Bed bed;
  const Case *row;
  guint nonce;
} Provider;

static void
challenge (Provider *provider, const PeerMessage *message, const char *realm, const char *algorithm)
{
  gboolean proxy = provider->row->header[0] == 'P';
  g_autofree char *extra = g_strdup_printf ("%s: Digest realm=\"%s\", nonce=\"n%u\", qop=\"auth\", algorithm=%s\r\n", provider->row->header,
                                            realm, ++provider->nonce, algorithm);

  peer_reply (provider->bed.peer, message, proxy ? 407 : 401, "Who are you", NULL, extra, NULL);
}

/* Nothing passes without an answer to a challenge. */
static void
on_message (Peer *peer, const PeerMessage *message, gpointer data)
{
  Provider *provider = data;
  const Case *row = provider->row;
  g_autofree char *answer = message->method ? peer_header (message, row->header[0] == 'P' ? "Proxy-Authorization" : "Authorization") : NULL;
  g_autofree char *contact = message->method ? peer_header (message, "Contact") : NULL;
  gboolean registers = message->method && g_str_equal (message->method, "REGISTER");

  if (!message->method || g_str_equal (message->method, "ACK"))
    return;
  if (!answer)
    challenge (provider, message, registers ? "home" : row->inside_realm, registers ? row->register_as : row->inside_as);
  else if (registers)
    {
      g_autofree char *extra = g_strdup_printf ("Contact: %s;expires=600\r\n", contact);

      peer_reply (peer, message, 200, "OK", NULL, extra, NULL);
    }
  else
    peer_reply (peer, message, 200, "OK", NULL, bed_contact,
                g_str_equal (message->method, "INVITE") ? peer_sdp (PEER, 30000, "recvonly") : NULL);
}

static void
open_provider (Provider *provider, const Case *row, const char *dtmf)
{
  Bed *bed = &provider->bed;
  PhoneAccount *account;

  provider->row = row;
  bed->phone = PHONE;
  bed->bob = PEER;
  bed->agent = agent_new (PHONE ":5060", NULL);
  bed->agent->password = g_strdup ("secret");
  bed->agent->script.answer = TRUE;
  bed->peer = peer_new (PEER, PORT, on_message, provider);
  account = agent_add_account (bed->agent, "alice", "aor", "sip:alice@" PEER, "transport", "udp", "dtmf", dtmf, NULL);
  wait_for (phone_account_get_registration (account) == PHONE_REGISTRATION_REGISTERED);
}

static PhoneCall *
be_called (Provider *provider)
{
  Bed *bed = &provider->bed;

  bed_send_invite (bed, "inside", "Allow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO\r\n", peer_sdp (PEER, 30000, "sendrecv"));
  bed_send_ack (bed, bed_await_response (bed, 200, "INVITE"), "inside", NULL);
  wait_for (bed->agent->n_active == 1);
  return agent_call (bed->agent, 0);
}

static void
test_inside (gconstpointer data)
{
  const Case *row = data;
  Provider provider = { 0 };
  Bed *bed = &provider.bed;
  PhoneCall *call;
  g_autofree char *used = NULL;

  open_provider (&provider, row, "info");
  call = be_called (&provider);
  g_assert_true (phone_call_send_dtmf (call, "5", 0, NULL));
  wait_for (peer_count (bed->peer, "INFO") == (row->answered ? 2 : 1));
  harness_settle ();
  g_assert_true (phone_call_hold (call, NULL, NULL, NULL));
  if (row->answered)
    wait_for (phone_call_get_state (call) == PHONE_CALL_HELD);
  else
    wait_for (peer_count (bed->peer, "INVITE") == 1);
  phone_call_hangup (call, NULL);
  wait_for (bed->agent->n_ended == 1);
  harness_settle ();
  /* after the first answer the others need no challenge any more, as the realm is known to the dialog */
  if (row->answered)
    {
      used = peer_header (peer_last (bed->peer, "BYE"), row->header[0] == 'P' ? "Proxy-Authorization" : "Authorization");
      g_assert_nonnull (used);
      g_assert_nonnull (strstr (used, row->inside_as));
      g_assert_nonnull (strstr (used, "username=\"alice\""));
    }
  else
    {
      g_assert_cmpuint (peer_count (bed->peer, "BYE"), ==, 1);
      g_assert_cmpuint (peer_count (bed->peer, "INFO"), ==, 1);
      g_assert_cmpuint (peer_count (bed->peer, "INVITE"), ==, 1);
    }
  bed_close (bed);
}

/* The BYE alone, as most calls have nothing else: the first challenge of the dialog comes at its end. */
static void
test_bye (gconstpointer data)
{
  const Case *row = data;
  Provider provider = { 0 };
  Bed *bed = &provider.bed;

  open_provider (&provider, row, "auto");
  phone_call_hangup (be_called (&provider), NULL);
  wait_for (peer_count (bed->peer, "BYE") == 2);
  wait_for (bed->agent->n_ended == 1);
  bed_close (bed);
}

/* The re-INVITE is the first that is challenged. An answer that is not given leaves the session as it was, and the next change possible. */
static void
test_hold (gconstpointer data)
{
  const Case *row = data;
  Provider provider = { 0 };
  Bed *bed = &provider.bed;
  PhoneCall *call;
  g_autofree char *used = NULL;

  open_provider (&provider, row, "auto");
  call = be_called (&provider);
  g_assert_true (phone_call_hold (call, NULL, NULL, NULL));
  if (row->answered)
    {
      wait_for (phone_call_get_state (call) == PHONE_CALL_HELD);
      used = peer_header (peer_last (bed->peer, "INVITE"), row->header[0] == 'P' ? "Proxy-Authorization" : "Authorization");
      g_assert_nonnull (strstr (used, row->inside_as));
      g_assert_cmpuint (peer_count (bed->peer, "INVITE"), ==, 2);
    }
  else
    {
      wait_for (peer_count (bed->peer, "INVITE") == 1 && peer_count (bed->peer, "ACK") > 0);
      harness_settle ();
      g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
      g_assert_true (phone_call_hold (call, NULL, NULL, NULL));
      wait_for (peer_count (bed->peer, "INVITE") == 2);
    }
  bed_close (bed);
}

/* An UPDATE, as it refreshes the session or tells of a new address, and what comes after it. */
static void
test_update (gconstpointer data)
{
  const Case *row = data;
  Provider provider = { 0 };
  Bed *bed = &provider.bed;
  UaAccount *account;
  PhoneCall *call;
  g_autofree char *used = NULL;

  open_provider (&provider, row, "auto");
  call = be_called (&provider);
  account = phone_account_get_engine_data (phone_call_get_account (call));
  ua_stack_foreach (account->stack, UA_OWNER_DIALOG, ua_dialog_network_changed, NULL);
  wait_for (peer_count (bed->peer, "UPDATE") == (row->answered ? 2 : 1));
  if (row->answered)
    {
      used = peer_header (peer_last (bed->peer, "UPDATE"), row->header[0] == 'P' ? "Proxy-Authorization" : "Authorization");
      g_assert_nonnull (strstr (used, row->inside_as));
      g_assert_nonnull (strstr (used, "username=\"alice\""));
    }
  g_assert_true (phone_call_hold (call, NULL, NULL, NULL));
  wait_for (peer_count (bed->peer, "INVITE") >= 1);
  if (row->answered)
    wait_for (phone_call_get_state (call) == PHONE_CALL_HELD);
  g_assert_cmpuint (peer_count (bed->peer, "UPDATE"), ==, row->answered ? 2 : 1);
  bed_close (bed);
}

static const Case cases[] = {
  { "md5", "WWW-Authenticate", "MD5", "MD5", "home", TRUE },
  { "sha256", "WWW-Authenticate", "SHA-256", "SHA-256", "home", TRUE },
  { "proxy-sha256", "Proxy-Authenticate", "SHA-256", "SHA-256", "home", TRUE },
  { "stronger", "WWW-Authenticate", "MD5", "SHA-256", "home", TRUE },
  { "weaker", "WWW-Authenticate", "SHA-256", "MD5", "home", FALSE },
  { "other-realm", "WWW-Authenticate", "MD5", "MD5", "elsewhere", FALSE },
};

int
main (int argc, char **argv)
{
  harness_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *name = g_strdup_printf ("/sip/inside/%s", cases[i].name);
      g_autofree char *bye = g_strdup_printf ("/sip/inside/bye/%s", cases[i].name);

      g_autofree char *hold = g_strdup_printf ("/sip/inside/hold/%s", cases[i].name);
      g_autofree char *update = g_strdup_printf ("/sip/inside/update/%s", cases[i].name);

      g_test_add_data_func (name, &cases[i], test_inside);
      g_test_add_data_func (hold, &cases[i], test_hold);
      g_test_add_data_func (update, &cases[i], test_update);
      if (cases[i].answered)
        g_test_add_data_func (bye, &cases[i], test_bye);
    }
  return g_test_run ();
}
