/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whole phones in one process: core and the signalling engine as they are, media and storage faked. Scripts act when a call
 * changes; the tests wait for conditions, never for time. */

#include "core/registry.h"
#include "sip/ua.h"

typedef struct _Agent Agent;

/* What an agent does by itself with its calls. */
typedef struct
{
  gboolean answer;              /* incoming: at once */
  PhoneCause reject;            /* incoming: BUSY, DECLINED, UNAVAILABLE */
  gboolean hangup_on_active;
  void (*on_call_changed) (Agent *agent, PhoneCall *call, guint mask);
} Script;

struct _Agent
{
  PhoneRegistry *registry;
  UaEngine *ua;
  PhonePorts ports;
  PhoneDaemonSettings *settings;
  Script script;
  char *password;
  gpointer user;

  GPtrArray *calls;             /* every call ever seen, references */
  guint n_incoming, n_active, n_ended, n_held;
  guint n_alerting;             /* state changes to alerting */
  GString *digits;
  guint n_media_open, n_applied;
  gboolean media_ip6;           /* of the sockets that were opened last */
  gboolean ice;                 /* the media have it */
  PhoneIceDesc peer_ice;        /* as the media were told last */
  guint n_trickled;
  guint16 next_port;
  gboolean stopped;
};

/* bind: "127.20.1.1:5070" or so. settings: pairs section.key, value for the daemon; NULL ends. */
Agent *agent_new (const char *bind, ...) G_GNUC_NULL_TERMINATED;
/* Stops everything and waits for it. */
void agent_free (Agent *agent);
/* pairs key, value. */
PhoneAccount *agent_add_account (Agent *agent, const char *id, ...) G_GNUC_NULL_TERMINATED;
PhoneCall *agent_dial (Agent *agent, const char *target);
PhoneCall *agent_call (Agent *agent, guint index);      /* in order of appearance; NULL: not there yet */

/* Turns the main loop until the condition holds. The watchdog ends the test. */
#define wait_for(condition) \
  G_STMT_START \
  { \
    gint64 deadline_ = harness_deadline (); \
    while (!(condition)) \
      harness_turn (deadline_, #condition, __FILE__, __LINE__); \
  } \
  G_STMT_END
gint64 harness_deadline (void);
void harness_turn (gint64 deadline, const char *condition, const char *file, int line);
/* Turns the loop until nothing is left to do right now. */
void harness_settle (void);

#define assert_state(call, state) \
  g_assert_cmpstr (phone_call_state_to_string (phone_call_get_state (call)), ==, phone_call_state_to_string (state))
#define assert_cause(call, wanted) \
  g_assert_cmpstr (phone_cause_to_string (phone_call_get_reason (call)->cause), ==, phone_cause_to_string (wanted))
#define assert_actor(call, wanted) \
  g_assert_cmpstr (phone_actor_to_string (phone_call_get_reason (call)->actor), ==, phone_actor_to_string (wanted))

/* After harness_init: this process asks the name server at address and no other. FALSE: the kernel does not let us. */
gboolean harness_set_resolver (const char *address);
/* iproute2 in the loopback of our own: "addr add ... dev lo". FALSE: not isolated, or no such tool. */
gboolean harness_ip (const char *arguments);
/* First in main (): the sofia repairs, GTest, a locale. */
void harness_init (int *argc, char ***argv);
