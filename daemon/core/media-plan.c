/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/offer-answer.h"

#include <string.h>

PhoneMediaPlan *
phone_media_plan_copy (const PhoneMediaPlan *plan)
{
  g_return_val_if_fail (plan != NULL, NULL);
  PhoneMediaPlan *copy = g_memdup2 (plan, sizeof *plan);

  copy->remote_address = g_strdup (plan->remote_address);
  return copy;
}

gboolean
phone_media_plan_has_ice (const PhoneMediaPlan *plan)
{
  return plan->ice.ufrag[0] != '\0';
}

gboolean
phone_media_plan_equal (const PhoneMediaPlan *a, const PhoneMediaPlan *b)
{
  if (a == b)
    return TRUE;
  if (a == NULL || b == NULL)
    return FALSE;
  if (!a->refused != !b->refused || g_strcmp0 (a->remote_address, b->remote_address) != 0
      || a->remote_port != b->remote_port || a->remote_rtcp_port != b->remote_rtcp_port
      || !a->rtcp_mux != !b->rtcp_mux || a->direction != b->direction
      || !phone_codec_equal (&a->send, &b->send) || a->n_receive != b->n_receive
      || a->ptime != b->ptime || a->send_dtmf != b->send_dtmf || a->send_dtmf_rate != b->send_dtmf_rate
      || a->send_red != b->send_red || a->receive_red != b->receive_red
      || a->receive_dtmf_8000 != b->receive_dtmf_8000 || a->receive_dtmf_48000 != b->receive_dtmf_48000
      || !a->ccfb != !b->ccfb || a->transport_cc != b->transport_cc || !a->voip_metrics != !b->voip_metrics
      || a->rcvr_rtt != b->rcvr_rtt
      || !a->remote_hold != !b->remote_hold || !a->encrypted != !b->encrypted || !a->dtls != !b->dtls)
    return FALSE;
  for (guint i = 0; i < a->n_receive; i++)
    if (!phone_codec_equal (&a->receive[i], &b->receive[i]))
      return FALSE;
  if (!phone_ice_desc_equal (&a->ice, &b->ice))
    return FALSE;
  if (a->dtls)
    return phone_dtls_plan_equal (&a->handshake, &b->handshake);
  return !a->encrypted
         || (phone_srtp_key_equal (&a->send_key, &b->send_key)
             && phone_srtp_key_equal (&a->receive_key, &b->receive_key));
}

void
phone_media_plan_clear_keys (PhoneMediaPlan *plan)
{
  PhoneSrtpKey *const keys[] = { &plan->send_key, &plan->receive_key };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      PhoneSrtpSuite suite = keys[i]->suite;

      phone_srtp_key_clear (keys[i]);
      keys[i]->suite = suite;
    }
}

void
phone_media_plan_free (PhoneMediaPlan *plan)
{
  if (plan == NULL)
    return;
  g_free (plan->remote_address);
  explicit_bzero (plan, sizeof *plan);
  g_free (plan);
}
