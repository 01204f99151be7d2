/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The call and its media: what we are able to offer (account settings and call state become PhoneMediaCaps), the outcome of the
 * negotiation, and the media session that acts on it. */

#include "core/call-private.h"

#include <string.h>

/* ---- events of the media session ---- */

static void
on_media_dtmf (PhoneCall *call, char digit, guint ms)
{
  phone_call_emit_dtmf (call, digit, ms, "rfc4733");
}

static void
on_media_rtp_timeout (PhoneCall *call, guint seconds)
{
  g_autofree char *phrase = g_strdup_printf ("No media from the peer for %u s", seconds);
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_RTP_TIMEOUT, 0, phrase);

  /* Many gateways describe early media and then send none while it rings: whether it rings for too long is not for us to say. */
  if (call->state != PHONE_CALL_ACTIVE && call->state != PHONE_CALL_HELD)
    {
      call->silent_early = TRUE;
      return;
    }
  phone_call_end (call, reason);
}

static void
on_media_first_rtp (PhoneCall *call)
{
  phone_log_info (&call->log, "Call %u: media flows", call->number);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_MEDIA);
}

static void
on_media_secured (PhoneCall *call, PhoneSrtpSuite suite)
{
  call->secured = TRUE;
  call->suite = suite;
  phone_log_info (&call->log, "Call %u: DTLS handshake done, the certificate is the peer's, %s", call->number,
                  phone_srtp_suite_to_string (suite));
  phone_call_emit_changed (call, PHONE_CALL_FIELD_MEDIA);
  phone_call_beep_if_due (call);
}

static void
on_media_failed (PhoneCall *call, const GError *error)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_MEDIA_FAILED, 0, error->message);

  /* While it rings a peer may have described its media and not be there yet. */
  if (g_error_matches (error, PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN) && call->state != PHONE_CALL_ACTIVE
      && call->state != PHONE_CALL_HELD)
    return;
  phone_log_warning (&call->log, "Call %u: media failed: %s", call->number, error->message);
  phone_call_end (call, reason);
}

static const PhoneMediaEvents media_events = {
  .ice = phone_call_on_ice,
  .dtmf = on_media_dtmf,
  .rtp_timeout = on_media_rtp_timeout,
  .first_rtp = on_media_first_rtp,
  .secured = on_media_secured,
  .failed = on_media_failed,
  .played = phone_call_emit_played,
  .quiet = phone_call_on_quiet,
  .recording_failed = phone_call_on_recording_failed,
};

/* ---- session ---- */

static gboolean
is_ip6 (const char *address)
{
  return strchr (address, ':') != NULL;
}

/* Where the peer's media is of the other address family than its signalling (RFC 6157), ours is too, if there is a way. */
static char *
find_local_address (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  /* who the peer turns out to be does not say where the INVITE goes */
  const char *peer = phone_call_is_trying (call) ? phone_call_goes_to (call) : call->remote_uri;
  g_autofree char *usual = ports->sig->account_local_address (ports->ua, call->account, peer);
  const PhoneMediaDesc *offer = call->remote_offer;
  const char *remote = call->plan ? call->plan->remote_address : offer && !phone_media_desc_has_ice (offer) ? offer->address : NULL;
  char *towards = NULL;

  if (usual && remote && is_ip6 (usual) != is_ip6 (remote))
    towards = ports->sig->local_address_towards (ports->ua, remote);
  return towards ? towards : g_steal_pointer (&usual);
}

gboolean
phone_call_open_media (PhoneCall *call, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  const PhoneDaemonSettings *settings = phone_registry_get_settings (call->registry);
  PhoneMediaParams params = { 0 };

  if (!call->local_address)
    call->local_address = find_local_address (call);
  if (!call->local_address)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN, "No route to %s", call->remote_uri);
      return FALSE;
    }
  if (call->media)
    return TRUE;
  params.call_id = call->log.call;
  params.bind_address = settings->media_bind;
  params.ipv6 = is_ip6 (call->local_address);
  params.country = phone_registry_country (call->registry, call->account);
  call->media = phone_call_new_media (call, &params, &media_events, error);
  if (!call->media)
    return FALSE;
  ports->media->media_set_muted (call->media, call->muted);
  return TRUE;
}

void
phone_call_dispose_media (PhoneCall *call)
{
  const PhonePorts *ports;
  PhoneMedia *media = g_steal_pointer (&call->media);

  if (!media)
    return;
  ports = phone_registry_get_ports (call->registry);
  call->has_last_report |= ports->media->media_report (media, &call->last_report);
  ports->media->media_free (media);
}

void
phone_call_set_tone (PhoneCall *call, PhoneTone tone)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (call->media)
    ports->media->media_set_tone (call->media, tone);
}

void
phone_call_update_attachment (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  gboolean early = call->state == PHONE_CALL_DIALING || call->state == PHONE_CALL_ALERTING;
  gboolean machine = phone_call_is_machines (call);
  gboolean talking = call->state == PHONE_CALL_ACTIVE || (call->answering && !call->local_hold);
  gboolean leaving = call->reoffer == REOFFER_HOLD || call->due == REOFFER_HOLD || phone_call_gives_way (call);

  if (call->media)
    ports->media->media_set_attached (call->media, call->plan && !machine && (early || (talking && !leaving)));
  phone_call_update_room (call);
}

static gboolean
apply_plan (PhoneCall *call, PhoneMediaPlan *plan, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  gboolean same = call->plan && phone_media_plan_equal (call->plan, plan);

  if (!call->media)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "Call %u has no media session", call->number);
      return FALSE;
    }
  if (!same && !ports->media->media_apply (call->media, plan, error))
    return FALSE;
  phone_media_plan_free (call->plan);
  call->plan = phone_media_plan_copy (plan);
  phone_call_update_attachment (call);
  if (!same)
    phone_call_emit_changed (call, PHONE_CALL_FIELD_MEDIA);
  return TRUE;
}

/* The watch over the media fires once until something arrives; a plan begins it anew. */
void
phone_call_rearm_media (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (GError) error = NULL;

  if (!call->silent_early || !call->media || !call->plan)
    return;
  call->silent_early = FALSE;
  if (!ports->media->media_apply (call->media, call->plan, &error))
    phone_log_warning (&call->log, "Call %u: %s", call->number, error->message);
}

/* ---- negotiation ---- */

PhoneDirection
phone_call_wanted_direction (PhoneCall *call)
{
  return call->local_hold ? PHONE_DIRECTION_SENDONLY : PHONE_DIRECTION_SENDRECV;
}

/* The certificate is made when it is asked for first. */
static const PhoneDtlsDesc *
local_dtls (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (GError) error = NULL;

  if (call->dtls.n_fingerprints == 0 && ports->media->media_dtls && !ports->media->media_dtls (call->media, &call->dtls, &error))
    phone_log_warning (&call->log, "Call %u: no DTLS: %s", call->number, error->message);
  return call->dtls.n_fingerprints > 0 ? &call->dtls : NULL;
}

/* An account with a server goes one way; one without goes another with each call. */
static gboolean
goes_over_tls (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);

  if (settings->do_register || settings->transport != PHONE_TRANSPORT_AUTO)
    return phone_account_is_over_tls (call->account);
  if (call->direction == PHONE_CALL_INBOUND)
    return call->over_tls;
  return ports->sig->call_is_over_tls && ports->sig->call_is_over_tls (ports->ua, call->account, phone_call_goes_to (call));
}

PhoneSrtpPolicy
phone_call_srtp_policy (PhoneCall *call)
{
  /* A session goes on as it began, wherever the account goes meanwhile. */
  if (!call->plan)
    call->over_tls = goes_over_tls (call);
  return phone_account_settings_srtp (phone_account_get_settings (call->account), call->over_tls);
}

void
phone_call_fill_caps (PhoneCall *call, PhoneDirection direction, PhoneMediaCaps *ret_caps)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);
  const char *bind = phone_registry_get_settings (call->registry)->media_bind;
  PhoneSrtpPolicy srtp = phone_call_srtp_policy (call);
  gboolean bound = bind != NULL && strcmp (bind, "0.0.0.0") != 0 && strcmp (bind, "::") != 0;

  /* Before there is a session an offer may be judged; what is in this never leaves. */
  static const PhoneDtlsDesc unmade = { .n_fingerprints = 1 };

  *ret_caps = (PhoneMediaCaps){
    .n_codecs = settings->n_codecs,
    .srtp = call->clear_retry ? PHONE_SRTP_OFF : srtp,
    .sdes_allowed = phone_account_settings_sdes_allowed (settings, call->over_tls),
    .keying = settings->keying,
    .dtls_first = call->dtls_retry,
    .ptime = settings->ptime,
    .direction = direction,
    /* Sockets that are bound to one address hear nothing at another. */
    .address = bound && call->local_address ? bind : call->local_address,
    .rtcp_mux = TRUE,
    .running = call->plan,
  };
  memcpy (ret_caps->codecs, settings->codecs, sizeof settings->codecs);
  if (call->media)
    ports->media->media_ports (call->media, &ret_caps->port, &ret_caps->rtcp_port);
  phone_call_fill_ice (call, ret_caps);
  if (!call->media)
    ret_caps->dtls = ports->media->media_dtls ? &unmade : NULL;
  else if (ret_caps->srtp != PHONE_SRTP_OFF && ret_caps->keying != PHONE_KEYING_SDES)
    ret_caps->dtls = local_dtls (call);
}

/* A session of ours has sound: an offer that closes the audio stream (port 0) is refused, and an existing session goes on as it was. */
static PhoneMediaDesc *
create_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, const PhoneMediaDesc *previous, PhoneMediaPlan **ret_plan,
               GError **error)
{
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autoptr (PhoneMediaDesc) answer = phone_answer_create (caps, offer, previous, &plan, error);

  if (!answer)
    return NULL;
  if (plan->refused)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the peer offers no audio");
      return NULL;
    }
  *ret_plan = g_steal_pointer (&plan);
  return g_steal_pointer (&answer);
}

/* An offer may be tried against our policy before anything is opened for it. */
gboolean
phone_call_check_offer (PhoneCall *call, const PhoneMediaDesc *offer, GError **error)
{
  PhoneMediaCaps caps;
  g_autoptr (PhoneMediaDesc) answer = NULL;
  g_autoptr (PhoneMediaPlan) plan = NULL;
  g_autofree char *address = call->local_address ? NULL : find_local_address (call);

  phone_call_fill_caps (call, PHONE_DIRECTION_SENDRECV, &caps);
  if (!caps.address)
    caps.address = address ? address : "0.0.0.0";
  if (!caps.port)
    caps.port = caps.rtcp_port = 9;     /* the discard port: never on the wire */
  answer = create_answer (&caps, offer, NULL, &plan, error);
  return answer != NULL;
}

/* When keys are renewed: when we resume, since the stream starts anew there and a peer that mishandles a rekey costs nobody a word; and
 * when the peer wants an offer inside the session, since that offer may well go to a new device that cannot know our roll-over counter. */
PhoneMediaDesc *
phone_call_make_offer (PhoneCall *call, PhoneDirection direction, gboolean new_keys, GError **error)
{
  PhoneMediaCaps caps;
  PhoneMediaDesc *offer;

  phone_call_fill_caps (call, direction, &caps);
  offer = phone_offer_create (&caps, call->local, new_keys, error);
  if (!offer)
    return NULL;
  offer->record = call->record_told = phone_call_record_mark (call);
  phone_media_desc_free (call->pending_offer);
  call->pending_offer = phone_media_desc_copy (offer);
  return offer;
}

PhoneMediaDesc *
phone_call_make_reoffer (PhoneCall *call, GError **error)
{
  PhoneDirection direction = call->reoffer == REOFFER_HOLD     ? PHONE_DIRECTION_SENDONLY
                             : call->reoffer == REOFFER_RESUME ? PHONE_DIRECTION_SENDRECV
                                                               : phone_call_wanted_direction (call);
  PhoneMediaDesc *offer = phone_call_make_offer (call, direction, call->reoffer != REOFFER_HOLD && call->reoffer != REOFFER_PATHS, error);

  call->reoffer_open = offer && call->reoffer != REOFFER_NONE;
  return offer;
}

static void
set_remote_hold (PhoneCall *call, gboolean held)
{
  if (call->remote_hold == held)
    return;
  call->remote_hold = held;
  phone_call_update_room (call);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_HOLD);
}

gboolean
phone_call_complete_offer (PhoneCall *call, const PhoneMediaDesc *answer, GError **error)
{
  PhoneMediaCaps caps;
  g_autoptr (PhoneMediaPlan) plan = NULL;

  if (!call->pending_offer)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "An answer came for which there was no offer");
      return FALSE;
    }
  phone_call_fill_caps (call, call->pending_offer->direction, &caps);
  plan = phone_offer_complete (&caps, call->pending_offer, answer, error);
  if (!plan)
    return FALSE;
  if (plan->refused)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "The peer refused the audio stream");
      return FALSE;
    }
  if (!apply_plan (call, plan, error))
    return FALSE;
  phone_media_desc_free (call->local);
  call->local = phone_media_desc_copy (call->pending_offer);
  phone_call_take_early_ice (call);
  set_remote_hold (call, plan->remote_hold);
  phone_call_note_remote_record (call, answer);
  return TRUE;
}

PhoneMediaDesc *
phone_call_make_answer (PhoneCall *call, const PhoneMediaDesc *offer, GError **error)
{
  PhoneMediaCaps caps;
  g_autoptr (PhoneMediaDesc) answer = NULL;
  g_autoptr (PhoneMediaPlan) plan = NULL;

  phone_call_follow_ice_restart (call, offer);
  phone_call_fill_caps (call, phone_call_wanted_direction (call), &caps);
  answer = create_answer (&caps, offer, call->local, &plan, error);
  if (!answer || !apply_plan (call, plan, error))
    return NULL;
  answer->record = call->record_told = phone_call_record_mark (call);
  phone_media_desc_free (call->local);
  call->local = phone_media_desc_copy (answer);
  set_remote_hold (call, plan->remote_hold);
  phone_call_note_remote_record (call, offer);
  return g_steal_pointer (&answer);
}
