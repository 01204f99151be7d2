/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the 200 to a REGISTER grants: for how long, what the registrar can do, and how it was reached. */

#include "sip/ua-private.h"

#include <string.h>

#define MAX_EXPIRES 604800      /* s; a week */
#define MAX_CAPABILITIES 32
#define MIN_REFRESH_MS 1000

static gboolean
is_our_contact (const sip_contact_t *contact, const url_t *sent, const char *instance)
{
  const char *theirs = msg_params_find (contact->m_params, "+sip.instance=");

  return url_cmp (contact->m_url, sent) == 0 || (theirs && strstr (theirs, instance));
}

guint
ua_binding_granted (const sip_t *sip, const char *sent_contact, const char *instance, guint asked)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const url_t *sent = url_hdup (home, (const url_t *) sent_contact);
  gint64 ours = -1, shortest = -1;
  gint64 fallback = sip->sip_expires ? (gint64) sip->sip_expires->ex_delta : asked;

  for (const sip_contact_t *m = sip->sip_contact; m && sent; m = m->m_next)
    {
      gint64 seconds = m->m_expires ? g_ascii_strtoll (m->m_expires, NULL, 10) : fallback;

      if (seconds <= 0)
        continue;
      if (shortest < 0 || seconds < shortest)
        shortest = seconds;
      if (is_our_contact (m, sent, instance) && (ours < 0 || seconds < ours))
        ours = seconds;
    }
  su_home_deinit (home);
  return (guint) CLAMP (ours >= 0 ? ours : shortest >= 0 ? shortest : fallback, 0, MAX_EXPIRES);
}

guint
ua_binding_refresh_delay (guint granted, double chance)
{
  double ms = granted > 20 ? MIN (granted * 800.0, (granted - 10) * 1000.0) : granted * 500.0;

  return MAX ((guint) (ms * (0.9 + 0.1 * chance)), MIN_REFRESH_MS);
}

void
ua_binding_report_capabilities (PhoneAccount *account, const sip_t *sip)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (const sip_supported_t *s = sip->sip_supported; s; s = s->k_next)
    for (gsize i = 0; s->k_items && s->k_items[i] && list->len < MAX_CAPABILITIES; i++)
      g_ptr_array_add (list, (gpointer) s->k_items[i]);
  if (sip->sip_service_route)
    g_ptr_array_add (list, (gpointer) "service-route");
  g_ptr_array_add (list, NULL);
  phone_account_on_capabilities (account, (const char *const *) list->pdata);
}

PhoneTransport
ua_via_transport (const sip_via_t *via)
{
  const char *slash = strrchr (via->v_protocol, '/');
  g_autofree char *lower = slash ? g_ascii_strdown (slash + 1, -1) : NULL;
  PhoneTransport transport = PHONE_TRANSPORT_AUTO;

  if (lower)
    phone_transport_from_string (lower, &transport);
  return transport;
}
