/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the engine share among themselves.
 *
 *   UaEngine ---- UaAccount ---- UaStack (one nua) ---- handle table ---- UaRegistration
 *     su root       settings,      sockets, shutdown                      UaDialog ---- PhoneCall
 *                   route          state machine
 *
 * sofia hands out nua_handle_t pointers with every event, and events may come after the handle was given up. So nothing is
 * ever read through a handle: each stack has a table of the handles that are ours, and what is not in it is either new (an
 * incoming request) or dead. */

#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_wait.h>

#include "core/registry.h"
#include "sip/ua.h"
#include "sip/ua-digest.h"
#include "sip/sdp-fragment.h"
#include "sip/sdp.h"
#include "sip/target.h"
#include "sip/ua-tls.h"
#include "util/backoff.h"
#include "util/log.h"

typedef struct _UaAccount UaAccount;
typedef struct _UaStack UaStack;
typedef struct _UaRegistration UaRegistration;
typedef struct _UaKeepalive UaKeepalive;
typedef struct _UaDialog UaDialog;
typedef struct _UaSubscription UaSubscription;
typedef struct _UaPublication UaPublication;
typedef struct _UaQuality UaQuality;
typedef struct _UaDeadList UaDeadList;
typedef struct _UaProbe UaProbe;

struct _UaEngine
{
  PhoneRegistry *registry;
  GMainContext *context;
  su_root_t *root;
  GSource *source;              /* owned by root */
  su_timer_t *kick;             /* see ua.c */
  gboolean kick_armed, kicked;
  struct sres_resolver_s *resolver;     /* NULL: no question yet */
  UaDeadList *dead;             /* targets that do not answer: ua-walk.h */
  GPtrArray *accounts;          /* UaAccount */
  GPtrArray *stacks;            /* UaStack, draining ones too */
  GPtrArray *transactions;      /* incoming MESSAGEs that wait for core; see ua-messaging.c */
  GSource *stop_timer, *network_timer;
  void (*stop_done) (gpointer data);
  gpointer stop_data;
  gboolean stopping;
};

void ua_engine_stack_gone (UaEngine *engine);   /* the last one ends ua_engine_stop */

/* ---- an event of sofia ---- */

typedef struct
{
  nua_event_t type;
  int status;
  const char *phrase;
  nua_handle_t *nh;             /* borrowed for the length of the event */
  const sip_t *sip;             /* NULL: made by the stack */
} UaEvent;

/* A response that came from nobody: sofia's own 408 and 503 (timers B and F, a dead route, no address), or its 9xx. */
gboolean ua_event_is_local (const UaEvent *event);

typedef enum
{
  UA_OWNER_NONE,                /* the handle is not ours (yet) */
  UA_OWNER_REGISTRATION,
  UA_OWNER_DIALOG,
  UA_OWNER_KEEPALIVE,
  UA_OWNER_REFERRAL,            /* a subscription to what became of a REFER, without a call */
  UA_OWNER_SUBSCRIPTION,
  UA_OWNER_PARTING,             /* one that we have ended: ua-parting.h */
  UA_OWNER_PUBLICATION,
  UA_OWNER_QUALITY,             /* a report to a collector */
  UA_OWNER_NOTIFIER,            /* a subscription of somebody else to us */
  UA_OWNER_MESSAGE,             /* of ours, until it is answered */
  UA_OWNER_INCOMING_MESSAGE,    /* of theirs, until we answer it */
  UA_OWNER_PROBE,
  UA_N_OWNERS
} UaOwnerKind;

typedef void (*UaEventFunc) (UaStack *stack, const UaEvent *event, gpointer owner);

/* ---- account: ua-account.c ---- */

struct _UaAccount
{
  UaEngine *engine;
  PhoneAccount *account;        /* reference */
  char *id;
  PhoneLogFields log;           /* .account = id */
  PhoneTransport transport;     /* of the settings, or what the outbound proxy's URI says; else what the DNS did */
  gboolean finds_transport;     /* it is the DNS that says so: AUTO for UDP and TCP, or TLS */
  gboolean takes_tls;           /* without a registrar: so does that of the proxy, or of each target, or its URI insists on TLS */
  gboolean can_tls;             /* as it was when that was looked at last: */
  gint64 tls_checked;           /* monotonic us; 0: never */
  char *aor;                    /* sip:user@domain, canonical */
  char *user, *domain;
  char *registrar;              /* Request-URI of REGISTER */
  char *server_uri;             /* of the outbound proxy or the registrar, as in the settings; NULL: none */
  char *route;                  /* URI that requests outside dialogs are sent to: of the present target; NULL: to their own target */
  char *target;                 /* key of the present one; NULL: sofia finds the way */
  GPtrArray *targets;           /* UaTarget: what the DNS said of the server last; empty: nothing */
  char *route_host;             /* as it stands in the settings: whom a certificate must name */
  char *route_address;          /* numeric, when route_host is or /etc/hosts knows it; else NULL */
  UaCredentials *credentials;
  char *instance;               /* urn:uuid:... */
  UaStack *stack;               /* the current one; NULL while it is closed */
  GPtrArray *beside;            /* UaStack, of the other address family or by TLS: ua-locate.h */
  GHashTable *places;           /* of ua-locate.c */
  UaProbe *probe;               /* of TLS, while the account is elsewhere; NULL: none */
  UaRegistration *registration; /* NULL: register=false */
  int family;                   /* to bind to, when neither server nor sip.bind says; AF_UNSPEC: what has a route */
  guint n_families;             /* how often the other one was tried */
  struct sockaddr_storage server;       /* where the last answer to a REGISTER came from; ss_family 0: unknown */
  UaTlsReason tls_reason;       /* of the last handshake; UA_TLS_OK if there was none */
  char *tls_text;
  gboolean removing;
  GPtrArray *subscriptions;     /* UaSubscription, borrowed */
  GPtrArray *foci;              /* UaFocus, borrowed */
  guint n_subscribing;          /* of them have a SUBSCRIBE open */
  UaSubscription *mailbox;      /* NULL: none */
  UaSubscription *watchers;     /* to who watches us at the server; NULL: none */
  struct _UaInfo *watcher_info;
  UaPublication *publication;
  UaQuality *quality;           /* NULL: nothing was reported yet */
};

UaAccount *ua_account_new (UaEngine *engine, PhoneAccount *account, GError **error);
void ua_account_free (UaAccount *account);
const PhoneAccountSettings *ua_account_settings (UaAccount *account);
/* Contact header value for requests and responses outside REGISTER; target may be NULL. The stack has an account. Caller frees. */
char *ua_stack_contact (UaStack *stack, const char *target);
char *ua_stack_contact_uri (UaStack *stack, const char *target);
/* From header value; anonymous as RFC 3323 section 4.1 has it. Caller frees. */
char *ua_account_from (UaAccount *account, gboolean anonymous);
gboolean ua_account_is_registered (UaAccount *account);
/* To whom the DNS says so. What cannot speak TLS must not be offered by TLS, and then fail. A certificate goes bad while we run, and another takes
 * its place. */
gboolean ua_account_takes_tls (UaAccount *account);
/* Whether the user part of a Request-URI or To means this account: AoR user, or one of the DIDs. */
gboolean ua_account_matches_user (UaAccount *account, const char *user);
/* Whether a request came from the server that we registered with (over its flow). */
gboolean ua_account_trusts (UaAccount *account, const struct sockaddr *from);
/* Our numeric address towards the account's server, or towards target when it has none. Caller frees. */
char *ua_account_local_address (UaAccount *account, const char *target);
/* The server's name has no address of our family: a stack of the other one takes over. FALSE: there is no point in it. */
gboolean ua_account_try_other_family (UaAccount *account);
/* The registration goes to that target: a stack that speaks its transport takes over, if need be. FALSE: not now. */
gboolean ua_account_fit_transport (UaAccount *account, const UaTarget *target);
void ua_account_network_changed (UaAccount *account);
void ua_account_close (UaAccount *account, guint deadline);      /* all its stacks */
/* The stack is gone. It was the last: forgets the account, tells core, and frees it. */
void ua_account_stack_gone (UaAccount *account, UaStack *stack);

/* ---- local addresses: ua-route.c ---- */

/* Our address towards host (numeric; anything else: towards the world), as the routing table sees it now. No packet is sent. NULL:
 * no route. family: AF_UNSPEC, AF_INET, AF_INET6. Caller frees. */
char *ua_route_source (const char *host, int family);
char *ua_route_source_for (const struct sockaddr *peer);
/* host[:port] of a URI or of a "host[:port]" setting; brackets of IPv6 are taken off. FALSE: not usable. */
gboolean ua_route_split (const char *uri, char **ret_host, guint16 *ret_port);
/* A UDP and TCP port that is free on address (NULL: any) right now; 0: none. */
guint16 ua_route_free_port (const char *address, int family);
/* The address that /etc/hosts has for host, or NULL. Caller frees. The other one for tests: text in place of the file. */
char *ua_route_hosts (const char *host, int family);
char *ua_route_find_in_hosts (const char *text, const char *host, int family);
gboolean ua_route_port_is_free (const char *address, int family, guint16 port);
gboolean ua_address_equal (const struct sockaddr *a, const struct sockaddr *b);      /* without the ports */
/* Where a request without a server goes; NULL: sofia finds the way by itself. Caller frees. */
char *ua_direct_route (UaStack *stack, const char *target);
int ua_address_family (const char *numeric);    /* AF_UNSPEC: not a numeric address */

/* ---- stack: ua-stack.c ---- */

typedef enum
{
  UA_STACK_RUNNING,
  UA_STACK_CLOSING,             /* BYE, un-REGISTER; until all are answered or the deadline */
  UA_STACK_SHUTDOWN,            /* nua_shutdown () */
  UA_STACK_DEAD,                /* nua is freed in the next turn of the loop */
} UaStackState;

struct _UaStack
{
  UaEngine *engine;
  UaAccount *account;           /* NULL once the account has let go of it */
  char *id;                     /* of the account, for the log */
  PhoneLogFields log;
  nua_t *nua;
  UaStackState state;
  UaTlsPolicy *tls;
  PhoneTransport transport;     /* AUTO: UDP and TCP */
  int family;
  gboolean bound;               /* to address; else to any */
  char *address;                /* what we tell others to be: numeric, without brackets */
  guint16 port;
  char *public_host;            /* as the registrar sees us, if it differs (RFC 3581); NULL: not known to differ */
  guint16 public_port;
  PhoneTransport flow;          /* what the registrar was reached by; AUTO: not known yet */
  GHashTable *handles;          /* nua_handle_t -> Slot */
  guint n_dialogs;
  guint n_messages;             /* of ours, not answered yet; a last NOTIFY among them */
  GSource *deadline;
  GSource *reaper;
};

/* AF_UNSPEC: as the settings and the network say. */
UaStack *ua_stack_new (UaAccount *account, int family, PhoneTransport transport, GError **error);
gboolean ua_stack_can_tls (UaAccount *account, GError **error);         /* its certificates are there, and good for a stack of TLS at this time */
/* Binds and creates the nua; fills nua, family, address, port, bound. ua-sockets.c */
gboolean ua_stack_open_sockets (UaStack *stack, nua_callback_f on_event, GError **error);
/* A handle of ours. tags of nua_handle () come after. The caller gives it to ua_stack_adopt. */
void ua_stack_adopt (UaStack *stack, nua_handle_t *nh, UaOwnerKind kind, gpointer owner);
/* A handle of ours changes hands. */
void ua_stack_rehome (UaStack *stack, nua_handle_t *nh, UaOwnerKind kind, gpointer owner);
/* Takes the handle out of the table and destroys it: no event of it comes through any more. */
void ua_stack_drop (UaStack *stack, nua_handle_t *nh);
gpointer ua_stack_find (UaStack *stack, nua_handle_t *nh, UaOwnerKind kind);
void ua_stack_foreach (UaStack *stack, UaOwnerKind kind, void (*func) (gpointer owner, gpointer data), gpointer data);
/* Starts the way down; deadline in ms for BYE and un-REGISTER. */
void ua_stack_close (UaStack *stack, guint deadline);
/* A dialog or the registration is done; goes on with closing when it was the last. */
void ua_stack_check (UaStack *stack);
void ua_stack_set_trace (UaStack *stack, gboolean trace);
gboolean ua_stack_is_full (UaStack *stack);      /* no room for another dialog */
/* Address where the message of the event came from, or NULL. Only inside an event. */
const struct sockaddr *ua_stack_peer (UaStack *stack);
/* Looks up our address again. TRUE: it changed. */
gboolean ua_stack_update_address (UaStack *stack);

/* ---- registration: ua-registration.c ---- */

UaRegistration *ua_registration_new (UaAccount *account);
void ua_registration_free (UaRegistration *registration);
void ua_registration_start (UaRegistration *registration);      /* now, forgetting any back-off */
void ua_registration_move (UaRegistration *registration);       /* the target of this registration is dead: to the next */
void ua_registration_stop (UaRegistration *registration);       /* un-REGISTER */
gboolean ua_registration_is_wanted (UaRegistration *registration);      /* not stopped by the user */
gboolean ua_registration_is_busy (UaRegistration *registration);
gboolean ua_registration_is_registered (UaRegistration *registration);
void ua_registration_abandon (UaRegistration *registration);     /* its handles are about to go */
void ua_registration_let_go (UaRegistration *registration);      /* of the stack; what it is about to send goes by the next */
void ua_registration_on_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_registration_on_unregistered (UaStack *stack, const UaEvent *event, gpointer owner);

/* ---- what a 200 to REGISTER grants: ua-binding.c ---- */

/* Seconds (RFC 3261 section 10.2.4): the expires parameter of our contact, else the Expires header, else what we asked for. A registrar that
 * rewrote our contact beyond recognition is given the shortest time of any. */
guint ua_binding_granted (const sip_t *sip, const char *sent_contact, const char *instance, guint asked);
/* Milliseconds until the refresh. Late enough to spare the server, early enough for a lost packet and a second attempt: at 4/5, but no later
 * than 10 s before the end, and up to a tenth earlier by chance (0..1) so that phones do not march in step. */
guint ua_binding_refresh_delay (guint granted, double chance);
void ua_binding_report_capabilities (PhoneAccount *account, const sip_t *sip);
PhoneTransport ua_via_transport (const sip_via_t *via);        /* AUTO: some other */

/* ---- keep-alive: ua-keepalive.c ---- */

UaKeepalive *ua_keepalive_new (UaAccount *account);
void ua_keepalive_free (UaKeepalive *keepalive);
void ua_keepalive_start (UaKeepalive *keepalive);
void ua_keepalive_stop (UaKeepalive *keepalive);
void ua_keepalive_abandon (UaKeepalive *keepalive);     /* its handle is about to go */
void ua_keepalive_on_response (UaStack *stack, const UaEvent *event, gpointer owner);

/* ---- a look at TLS from beside: ua-probe.c ---- */

void ua_probe_start (UaAccount *account, const UaTarget *target);       /* in place of the last one */
void ua_probe_free (UaProbe *probe);    /* accepts NULL */
gboolean ua_probe_is_asking (UaAccount *account);
gboolean ua_probe_is_good (UaAccount *account);         /* it went well, lately */
/* FALSE: the stack is no probe. The outcome is not of the account then. */
gboolean ua_probe_on_tls (UaStack *stack, const UaTlsOutcome *outcome);
void ua_probe_on_response (UaStack *stack, const UaEvent *event, gpointer owner);

/* ---- log: ua-log.c ---- */

void ua_log_init (void);
void ua_log_set_trace (gboolean trace);

/* ---- what ends a dialog: ua-rules.c ---- */

gboolean ua_rules_init (GError **error);
/* Before nua_authenticate (): should that have nothing for the challenge, the request fails with 401 (event->sip is NULL), and the dialog goes on. */
void ua_rules_spare (nua_t *nua, nua_handle_t *nh);
/* Inside the event of a REFER outside of any dialog: no NOTIFY of sofia's own for it. */
void ua_rules_hush (nua_t *nua, nua_handle_t *nh);
/* nua is gone, and with it what has been asked for its handles: their addresses will be those of others. */
void ua_rules_forget (nua_t *nua);

/* ---- timers on the engine's context ---- */
GSource *ua_timer_new (UaEngine *engine, guint ms, GSourceFunc func, gpointer data);
void ua_timer_clear (GSource **timer);
