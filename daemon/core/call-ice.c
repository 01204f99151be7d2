/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The call and the paths of its media. Without servers our candidates are known at once; with them the offer or the answer waits until they
 * are gathered, and the engine says when that is, at the latest after a second and a half. A callee gathers while it rings.
 *
 *   the network changes         other sockets beside the old ones, an offer with them, and the call goes on over the old ones if it can
 *   consent is lost             one attempt to begin anew on the same sockets (RFC 7675 section 5.2), then the call ends
 *   no pair works at all        the call ends, and says so */

#include "core/call-private.h"

#include "core/media-paths.h"
#include "util/phone-uri.h"

#define MAX_EARLY 8                     /* branches of a forked call */
#define RESTART_PATIENCE_S 20           /* in which a restart must have found a way */

static gboolean
is_wanted (PhoneCall *call)
{
  if (!phone_account_get_settings (call->account)->ice)
    return FALSE;
  return call->remote_offer == NULL || phone_media_paths_usable (call->remote_offer);
}

static PhoneSecret *
load_turn_secret (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);
  g_autoptr (GError) error = NULL;
  PhoneSecret *secret = NULL;

  if (ports->store->turn_secret_load)
    secret = ports->store->turn_secret_load (ports->store_data, settings, &error);
  if (error)
    phone_log_warning (&call->log, "Call %u: no TURN: %s", call->number, error->message);
  else if (!secret && !settings->turn_user && phone_account_get_password (call->account))
    return phone_secret_ref (phone_account_get_password (call->account));
  else if (!secret)
    phone_log_warning (&call->log, "Call %u: no TURN: there is no password for turn-user", call->number);
  return secret;
}

static char *
dup_turn_user (PhoneCall *call)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);
  g_autoptr (PhoneUri) aor = NULL;

  if (settings->turn_user || settings->auth_user)
    return g_strdup (settings->turn_user ? settings->turn_user : settings->auth_user);
  aor = phone_uri_parse (settings->aor, NULL);
  return aor ? phone_uri_dup_user (aor) : NULL;
}

/* What the engine is told; parts are owned by the struct. */
typedef struct
{
  PhoneIceParams params;
  PhoneIceServer *stun, *turn;
  PhoneSecret *secret;
  char *user;
} IceSetup;

static void
setup_init (IceSetup *setup, PhoneCall *call)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);

  *setup = (IceSetup){ 0 };
  setup->stun = settings->stun_server ? phone_ice_server_parse (settings->stun_server, FALSE, NULL) : NULL;
  setup->turn = settings->turn_server ? phone_ice_server_parse (settings->turn_server, TRUE, NULL) : NULL;
  setup->secret = setup->turn ? load_turn_secret (call) : NULL;
  setup->user = setup->secret ? dup_turn_user (call) : NULL;
  setup->params = (PhoneIceParams){
    .local_address = call->local_address,
    .components = call->remote_offer && call->remote_offer->rtcp_mux ? 1 : 2,
    .controlling = !call->remote_offer || call->remote_offer->ice.lite,
    .stun = setup->stun,
    .turn = setup->user ? setup->turn : NULL,
    .turn_user = setup->user,
    .turn_secret = setup->secret,
    .tls_ca = settings->tls_ca,
    .tls_verify = settings->tls_verify,
  };
}

static void
setup_clear (IceSetup *setup)
{
  phone_ice_server_free (setup->stun);
  phone_ice_server_free (setup->turn);
  phone_secret_unref (setup->secret);
  g_free (setup->user);
}

PhoneMedia *
phone_call_new_media (PhoneCall *call, PhoneMediaParams *params, const PhoneMediaEvents *events, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  IceSetup setup = { 0 };
  PhoneMedia *media;

  if (is_wanted (call) && ports->media->media_ice)
    {
      setup_init (&setup, call);
      params->ice = &setup.params;
    }
  media = ports->media->media_new (ports->engine, call, params, events, error);
  setup_clear (&setup);
  params->ice = NULL;
  return media;
}

PhoneIceState
phone_call_get_ice_state (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  return call->media && ports->media->media_ice_state ? ports->media->media_ice_state (call->media) : PHONE_ICE_OFF;
}

void
phone_call_fill_ice (PhoneCall *call, PhoneMediaCaps *caps)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autofree char *address = NULL;

  if (!call->media || !ports->media->media_ice)
    return;
  if (!call->ice_local)
    call->ice_local = g_new0 (PhoneIceDesc, 1);
  if (ports->media->media_ice (call->media, call->ice_local, &address))
    {
      caps->ice = call->ice_local;
      g_free (call->ice_address);
      call->ice_address = g_steal_pointer (&address);
    }
  /* It stays when ICE is over: the sockets are still those. */
  if (call->ice_address)
    caps->address = call->ice_address;
}

void
phone_call_follow_ice_restart (PhoneCall *call, const PhoneMediaDesc *offer)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (!call->media || !phone_media_paths_restarted (call->plan, offer) || phone_call_get_ice_state (call) == PHONE_ICE_OFF)
    return;
  phone_log_info (&call->log, "Call %u: the peer restarts ICE", call->number);
  ports->media->media_ice_restart (call->media);
}

static gboolean
is_same_session (const PhoneIceDesc *a, const PhoneIceDesc *b)
{
  return g_str_equal (a->ufrag, b->ufrag) && g_str_equal (a->pwd, b->pwd);
}

static void
free_early (gpointer data)
{
  PhoneIceDesc *early = data;

  explicit_bzero (early, sizeof *early);
  g_free (early);
}

/* What comes later of the same branch has all of this in it (RFC 8840 section 4.1). */
static void
keep_early (PhoneCall *call, const PhoneIceDesc *news)
{
  guint at = 0;

  if (!call->ice_early)
    call->ice_early = g_ptr_array_new_with_free_func (free_early);
  while (at < call->ice_early->len && !is_same_session (call->ice_early->pdata[at], news))
    at++;
  if (at < call->ice_early->len)
    g_ptr_array_remove_index (call->ice_early, at);
  else if (at == MAX_EARLY)
    g_ptr_array_remove_index (call->ice_early, 0);
  g_ptr_array_add (call->ice_early, g_memdup2 (news, sizeof *news));
}

/* Whichever of its descriptions they belong to: of an offer that is not answered they wait there. */
void
phone_call_on_trickle (PhoneCall *call, const PhoneIceDesc *news)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (GError) error = NULL;

  if (call->remote_offer)
    phone_ice_desc_trickle (&call->remote_offer->ice, news);
  /* A response was lost, and this has overtaken it; or it is of one branch, and another answers before it comes back to this one. */
  if (phone_call_is_trying (call))
    keep_early (call, news);
  if (!call->plan || !phone_ice_desc_trickle (&call->plan->ice, news) || !call->media || !ports->media->media_ice_trickle)
    return;
  phone_log_debug (&call->log, "Call %u: %u candidates of the peer so far%s", call->number, call->plan->ice.n_candidates,
                   call->plan->ice.end_of_candidates ? ", and no more will come" : "");
  if (!ports->media->media_ice_trickle (call->media, call->plan, &error))
    phone_log_warning (&call->log, "Call %u: the candidates that came later cannot be used: %s", call->number, error->message);
}

void
phone_call_forget_early_ice (PhoneCall *call)
{
  g_clear_pointer (&call->ice_early, g_ptr_array_unref);
}

void
phone_call_take_early_ice (PhoneCall *call)
{
  g_autoptr (GPtrArray) early = g_steal_pointer (&call->ice_early);

  for (guint i = 0; early && i < early->len; i++)
    phone_call_on_trickle (call, early->pdata[i]);      /* while it is tried they all wait on */
}

/* ---- waiting for candidates ---- */

gboolean
phone_call_await_ice (PhoneCall *call, IceWait wait)
{
  if (phone_call_get_ice_state (call) != PHONE_ICE_GATHERING)
    return FALSE;
  call->ice_wait = wait;
  return TRUE;
}

/* ---- the network ---- */

void
phone_call_renew_ice (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (GError) error = NULL;
  IceSetup setup;

  if (phone_call_get_ice_state (call) == PHONE_ICE_OFF)
    return;
  setup_init (&setup, call);
  /* Roles and multiplexing are settled. */
  setup.params.components = call->plan && call->plan->rtcp_mux ? 1 : 2;
  setup.params.controlling = TRUE;
  if (!ports->media->media_ice_renew (call->media, &setup.params, &error))
    phone_log_warning (&call->log, "Call %u: ICE stays on the old network: %s", call->number, error->message);
  setup_clear (&setup);
}

static void
offer_anew (PhoneCall *call, const char *why)
{
  g_autoptr (GError) error = NULL;

  if (phone_call_offer_paths (call, &error))
    phone_log_info (&call->log, "Call %u: ICE begins anew: %s", call->number, why);
  else
    phone_log_warning (&call->log, "Call %u: ICE cannot begin anew: %s", call->number, error->message);
}

static gboolean
on_restart_over (gpointer data)
{
  PhoneCall *call = data;
  g_autoptr (PhoneReason) reason = NULL;

  call->ice_timer = 0;
  if (phone_call_get_ice_state (call) == PHONE_ICE_CONNECTED || phone_call_get_ice_state (call) == PHONE_ICE_OFF)
    return G_SOURCE_REMOVE;
  reason = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_MEDIA_FAILED, 0, "The way to the peer is lost (ICE)");
  phone_call_end (call, reason);
  return G_SOURCE_REMOVE;
}

static void
on_failed (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (PhoneReason) reason = NULL;

  if (call->state != PHONE_CALL_ACTIVE && call->state != PHONE_CALL_HELD)
    return;             /* the answer may yet bring another peer */
  if (call->ice_connected && !call->ice_timer)
    {
      phone_log_notice (&call->log, "Call %u: the peer no longer answers on the path of its media", call->number);
      call->ice_timer = g_timeout_add_seconds (RESTART_PATIENCE_S, on_restart_over, call);
      ports->media->media_ice_restart (call->media);
      offer_anew (call, "consent was lost");
      return;
    }
  if (call->ice_timer)
    return;
  reason = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_MEDIA_FAILED, 0, "No way to the peer was found (ICE)");
  phone_call_end (call, reason);
}

void
phone_call_on_ice (PhoneCall *call)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  PhoneIceState state = phone_call_get_ice_state (call);
  IceWait wait = call->ice_wait;

  if (phone_call_is_ended (call) || !call->media)
    return;
  if (state == PHONE_ICE_CONNECTED)
    {
      call->ice_connected = TRUE;
      g_clear_handle_id (&call->ice_timer, g_source_remove);
    }
  phone_call_emit_changed (call, PHONE_CALL_FIELD_MEDIA);
  if (wait != ICE_WAIT_NONE && state != PHONE_ICE_GATHERING)
    {
      call->ice_wait = ICE_WAIT_NONE;
      switch (wait)
        {
        case ICE_WAIT_NONE:
          break;
        case ICE_WAIT_INVITE:
          phone_call_continue_invite (call);
          break;
        case ICE_WAIT_ANSWER:
          phone_call_continue_answer (call);
          break;
        case ICE_WAIT_REOFFER:
          offer_anew (call, "the network changed");
          break;
        }
    }
  else if (state == PHONE_ICE_FAILED)
    on_failed (call);
}

/* A state that came while the call could not act on it yet. */
void
phone_call_recheck_ice (PhoneCall *call)
{
  if (call->media && phone_call_get_ice_state (call) == PHONE_ICE_FAILED)
    on_failed (call);
}
