/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who wins when a call comes in: the table of phoned(1), INCOMING CALLS, through the registry. */

#include "core/call-private.h"
#include "core/dnd-model.h"
#include "fake/fake-ports.h"

#include <string.h>

typedef enum
{
  CALLER_ANYBODY,
  CALLER_ALLOWED,               /* on the allow list */
  CALLER_HELP,                  /* a number that one calls for help */
  CALLER_CAME_ROUND,            /* sent on by us before */
  CALLER_INTERCOM,              /* on the list "intercom" */
  CALLER_PRIVILEGED,            /* on the list "intercom-privileged" */
} Caller;

typedef struct
{
  const char *name;
  Caller caller;
  const char *forward, *busy, *no_reply;        /* settings of the account; NULL: none */
  const char *dnd;              /* mode, NULL: off */
  gboolean engaged;             /* there is another call, and none shall wait */
  gboolean full;                /* max-calls */
  gboolean disabled;
  const char *fate;             /* what the engine was asked for, or "refused STATUS" */
  gboolean rings;
  PhoneAnswerWish wish;
  const char *auto_answer;      /* setting; NULL: off */
  gboolean vouched;             /* the account's server passes the call on */
  int after;                    /* ms after which the phone answers by itself; 0: it does not */
} Case;

#define ALL .forward = "sip:all@example.org"
#define BUSY .busy = "sip:busy@example.org"
#define NO_REPLY .no_reply = "sip:later@example.org"
#define TO_ALL "divert unconditional sip:all@example.org"
#define TO_BUSY "divert user-busy sip:busy@example.org"

#define WISH .wish = { .ms = 1 }
#define REQUIRED .wish = { .ms = 1, .required = TRUE }
#define PRIVILEGED .wish = { .ms = 1, .privileged = TRUE }

static const Case cases[] = {
  { "plain", .fate = "ring 180", .rings = TRUE },
  { "disabled", ALL, .disabled = TRUE, .fate = "refused 480" },
  { "help-and-forward", CALLER_HELP, ALL, .fate = "ring 180", .rings = TRUE },
  { "help-and-dnd", CALLER_HELP, .dnd = "busy", .fate = "ring 180", .rings = TRUE },
  { "help-and-all-of-it", CALLER_HELP, ALL, BUSY, NO_REPLY, .dnd = "busy", .fate = "ring 180", .rings = TRUE },
  { "help-while-engaged", CALLER_HELP, BUSY, .engaged = TRUE, .fate = "ring 180", .rings = TRUE },
  { "help-while-full", CALLER_HELP, .full = TRUE, .fate = "refused 486" },
  { "help-while-full-and-forward", CALLER_HELP, BUSY, .full = TRUE, .fate = TO_BUSY },
  { "forward", ALL, BUSY, NO_REPLY, .fate = TO_ALL },
  { "forward-and-allowed", CALLER_ALLOWED, ALL, .dnd = "busy", .fate = TO_ALL },
  { "forward-and-dnd", ALL, .dnd = "busy", .fate = TO_ALL },
  { "forward-while-full", ALL, BUSY, .full = TRUE, .fate = TO_ALL },
  { "came-round", CALLER_CAME_ROUND, ALL, BUSY, NO_REPLY, .fate = "ring 180", .rings = TRUE },
  { "came-round-while-full", CALLER_CAME_ROUND, ALL, BUSY, .full = TRUE, .fate = "refused 486" },
  { "full", .full = TRUE, .fate = "refused 486" },
  { "engaged", .engaged = TRUE, .fate = "refused 486" },
  { "forward-busy-while-full", BUSY, .full = TRUE, .fate = TO_BUSY },
  { "forward-busy-while-engaged", BUSY, .engaged = TRUE, .fate = TO_BUSY },
  { "forward-busy-and-dnd-while-engaged", BUSY, .dnd = "busy", .engaged = TRUE, .fate = TO_BUSY },
  { "allowed-while-engaged", CALLER_ALLOWED, .dnd = "busy", .engaged = TRUE, .fate = "refused 486" },
  { "forward-busy-only", BUSY, .fate = "ring 180", .rings = TRUE },
  { "dnd-busy", .dnd = "busy", .fate = "refused 486" },
  { "dnd-busy-and-forward-busy", BUSY, NO_REPLY, .dnd = "busy", .fate = "refused 486" },
  { "dnd-silent", .dnd = "silent", .fate = "ring 180" },
  { "dnd-voicemail", .dnd = "voicemail", .fate = "refused 302" },
  { "dnd-allowed", CALLER_ALLOWED, .dnd = "busy", .fate = "ring 180", .rings = TRUE },
  { "intercom", CALLER_INTERCOM, WISH, .vouched = TRUE, .fate = "ring 180", .after = 1 },
  { "intercom-later", CALLER_INTERCOM, .wish = { .ms = 3000 }, .vouched = TRUE, .fate = "ring 180", .rings = TRUE, .after = 3000 },
  { "intercom-of-anybody", CALLER_ANYBODY, WISH, .vouched = TRUE, .fate = "ring 180", .rings = TRUE },
  { "intercom-only-says-so", CALLER_INTERCOM, WISH, .fate = "ring 180", .rings = TRUE },
  { "intercom-of-anybody-required", CALLER_ANYBODY, REQUIRED, .vouched = TRUE, .fate = "refused 403" },
  { "intercom-required", CALLER_INTERCOM, REQUIRED, .vouched = TRUE, .fate = "ring 180", .after = 1 },
  { "intercom-and-dnd", CALLER_INTERCOM, WISH, .vouched = TRUE, .dnd = "busy", .fate = "refused 486" },
  { "intercom-and-dnd-silent", CALLER_INTERCOM, WISH, .vouched = TRUE, .dnd = "silent", .fate = "ring 180" },
  { "intercom-required-and-dnd-silent", CALLER_INTERCOM, REQUIRED, .vouched = TRUE, .dnd = "silent", .fate = "refused 403" },
  { "intercom-and-forward", CALLER_INTERCOM, WISH, .vouched = TRUE, ALL, .fate = TO_ALL },
  { "privileged", CALLER_PRIVILEGED, PRIVILEGED, .vouched = TRUE, .dnd = "busy", .fate = "ring 180", .after = 1 },
  { "privileged-says-not-so", CALLER_PRIVILEGED, WISH, .vouched = TRUE, .dnd = "busy", .fate = "refused 486" },
  { "privileged-of-others", CALLER_INTERCOM, PRIVILEGED, .vouched = TRUE, .dnd = "busy", .fate = "refused 486" },
  { "auto-answer", .auto_answer = "500", .fate = "ring 180", .rings = TRUE, .after = 500 },
  { "auto-answer-not-wanted", .auto_answer = "500", .wish = { .manual = TRUE }, .fate = "ring 180", .rings = TRUE },
  { "auto-answer-and-wish", .auto_answer = "500", WISH, .fate = "ring 180", .rings = TRUE, .after = 500 },
};

typedef struct
{
  FakePorts *fake;
  PhoneRegistry *registry;
  PhoneAccount *alice;
} Fixture;

static void
set_dnd (PhoneDnd *dnd, const char *word)
{
  PhoneDndMode mode;

  g_assert_true (phone_dnd_set_allow_list (dnd, (const char *const[]){ "sip:allowed@example.org", NULL }, NULL));
  g_assert_true (phone_dnd_set_mailbox (dnd, "sip:box@example.org", NULL));
  if (!word)
    return;
  g_assert_true (phone_dnd_mode_from_string (word, &mode));
  g_assert_true (phone_dnd_set_mode (dnd, mode, NULL) && phone_dnd_set_enabled (dnd, TRUE, NULL));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  const Case *c = data;
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();
  g_autoptr (PhoneAccountSettings) account = phone_account_settings_new ("alice", NULL);
  const char *pairs[] = { "aor", "sip:alice@example.org", "country", "DE", "forward", c->forward, "forward-busy", c->busy,
                          "forward-no-reply", c->no_reply, "forward-no-reply-timeout", "1", "max-calls", c->full ? "1" : "8",
                          "enabled", c->disabled ? "false" : "true", "auto-answer", c->auto_answer,
                          "intercom", "sip:boss@example.org", "intercom-privileged", "sip:chief@example.org" };
  g_autoptr (GError) error = NULL;
  PhonePorts ports;

  f->fake = fake_ports_new ();
  fake_ports_fill (f->fake, &ports);
  settings->linger = 0;
  settings->call_waiting = !c->engaged;
  f->registry = phone_registry_new (settings);
  phone_registry_set_ports (f->registry, &ports);
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i += 2)
    g_assert_true (phone_account_settings_set (account, pairs[i], pairs[i + 1], &error));
  f->alice = phone_registry_add_account (f->registry, account, FALSE, &error);
  g_assert_no_error (error);
  if (c->engaged || c->full)
    {
      PhoneRegistrationDetail detail = { .code = 200 };

      phone_account_on_registration (f->alice, PHONE_REGISTRATION_REGISTERED, &detail);
      g_assert_nonnull (phone_registry_dial (f->registry, "sip:carol@example.org", &(PhoneDialOptions){ 0 }, &error));
    }
  set_dnd (phone_registry_get_dnd (f->registry), c->dnd);
}

static void
end_all (Fixture *f)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_HANGUP, 0, NULL);

  while (phone_registry_get_calls (f->registry)->len)
    {
      phone_call_on_ended (g_ptr_array_index (phone_registry_get_calls (f->registry), 0), reason);
      g_main_context_iteration (NULL, TRUE);
    }
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  end_all (f);
  g_object_unref (f->registry);
  fake_ports_free (f->fake);
}

static PhoneCall *
call_in (Fixture *f, const Case *c, PhoneRefusal *ret_refusal)
{
  static const char *const uris[] = { "sip:bob@example.org", "sip:allowed@example.org", "sip:112@example.org", "sip:bob@example.org",
                                      "sip:boss@example.org", "sip:chief@example.org" };
  const PhoneIncoming incoming = { .remote_uri = uris[c->caller], .remote_name = "", .asserted_id = "", .diverter = "",
                                   .request_uri = "sip:alice@example.org", .diverted_by_us = c->caller == CALLER_CAME_ROUND,
                                   .wish = c->wish, .from_server = c->vouched };

  return phone_registry_on_incoming (f->registry, f->alice, &incoming, NULL, NULL, ret_refusal);
}

static void
test_case (Fixture *f, gconstpointer data)
{
  const Case *c = data;
  PhoneRefusal refusal = { 0 };
  PhoneCall *call = call_in (f, c, &refusal);

  if (g_str_has_prefix (c->fate, "refused "))
    {
      g_assert_null (call);
      g_assert_cmpuint (refusal.status, ==, (guint) atoi (c->fate + strlen ("refused ")));
      return;
    }
  g_assert_nonnull (call);
  g_assert_true (fake_ports_took (f->fake, c->fate));
  g_assert_cmpint (f->fake->ring != PHONE_TONE_NONE, ==, c->rings);
  g_assert_cmpint (call->answer_after, ==, c->after ? c->after : -1);
  g_assert_cmpint (phone_call_get_intercom (call), ==, c->after && !c->auto_answer);
}

static gboolean
on_seconds (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Nobody answers: the call goes on, unless it may be help. */
static void
test_no_reply (Fixture *f, gconstpointer data)
{
  const Case *c = data;
  PhoneRefusal refusal;
  gboolean late = FALSE;

  g_assert_nonnull (call_in (f, c, &refusal));
  g_timeout_add_seconds_full (G_PRIORITY_LOW, 2, on_seconds, &late, NULL);
  while (!late && !fake_ports_took (f->fake, "divert no-answer sip:later@example.org"))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (late, ==, c->caller != CALLER_ANYBODY);
  while (!late)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc, char **argv)
{
  static const Case nobody = { .caller = CALLER_ANYBODY, NO_REPLY }, help = { .caller = CALLER_HELP, NO_REPLY },
                    round = { .caller = CALLER_CAME_ROUND, NO_REPLY };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/arrival/", cases[i].name, NULL);

      g_test_add (path, Fixture, &cases[i], set_up, test_case, tear_down);
    }
  g_test_add ("/arrival/no-reply", Fixture, &nobody, set_up, test_no_reply, tear_down);
  g_test_add ("/arrival/no-reply-and-help", Fixture, &help, set_up, test_no_reply, tear_down);
  g_test_add ("/arrival/no-reply-came-round", Fixture, &round, set_up, test_no_reply, tear_down);
  return g_test_run ();
}
