/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bench-tls-phone.h"

#include <glib/gstdio.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sresolv.h>

static void
on_outcome (const UaTlsOutcome *outcome, gpointer data)
{
  BenchTlsPhone *phone = data;

  if (phone->n_outcomes < G_N_ELEMENTS (phone->reasons))
    g_test_message ("%s: %s", ua_tls_reason_to_string (outcome->reason), outcome->text);
  if (phone->n_outcomes < G_N_ELEMENTS (phone->reasons))
    phone->reasons[phone->n_outcomes] = outcome->reason;
  phone->n_outcomes++;
  phone->reason = outcome->reason;
  phone->verified = outcome->verified;
  g_free (phone->text);
  phone->text = g_strdup (outcome->text);
  g_free (phone->subject);
  phone->subject = g_strdup (outcome->subject);
  g_free (phone->version);
  phone->version = g_strdup (outcome->version);
  if (outcome->subject != NULL)
    g_assert_cmpint (outcome->not_after, >, outcome->not_before);
}

static void
on_final (BenchPhone *base, nua_event_t event, int status, nua_handle_t *nh, const sip_t *sip)
{
  BenchTlsPhone *phone = base->data;

  phone->outcomes_at_final = phone->n_outcomes;
}

void
bench_tls_phone_start (BenchTlsPhone *phone, const BenchTlsPhoneSpec *spec)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  UaTlsParams params = { .cert = spec->cert, .verify = !spec->no_verify, .domain = spec->domain };

  switch (spec->trust)
    {
    case BENCH_TRUST_CA:
      params.ca = bench_authorities.ca_path;
      break;
    case BENCH_TRUST_OTHER_CA:
      params.ca = bench_authorities.other_ca_path;
      break;
    case BENCH_TRUST_CERT:
      params.ca = path = bench_authorities_write (spec->trusted, FALSE, "trusted.pem");
      break;
    case BENCH_TRUST_SYSTEM:
      break;
    }
  phone->policy = ua_tls_policy_new (&params, on_outcome, phone, &error);
  g_assert_no_error (error);
  phone->phone.data = phone;
  phone->phone.on_final = on_final;
  bench_phone_start (&phone->phone, BENCH_TLS_PHONE,
                     NUTAG_CERTIFICATE_DIR (ua_tls_policy_get_path (phone->policy)),
                     TAG_IF (spec->resolv_conf != NULL, SRESTAG_RESOLV_CONF (spec->resolv_conf)), TAG_END ());
  if (path != NULL)
    g_unlink (path);
}

void
bench_tls_phone_stop (BenchTlsPhone *phone)
{
  bench_phone_stop (&phone->phone);
  ua_tls_policy_free (phone->policy);
  ua_tls_flush ();
  g_free (phone->text);
  g_free (phone->subject);
  g_free (phone->version);
}

void
bench_tls_phone_send (BenchTlsPhone *phone, const char *url)
{
  guint before = phone->phone.n_finals;

  if (phone->phone.nh != NULL)
    nua_handle_destroy (phone->phone.nh);
  phone->phone.nh
      = nua_handle (phone->phone.nua, NULL, NUTAG_URL (url), SIPTAG_TO_STR ("sip:a@example.org"), TAG_END ());
  nua_options (phone->phone.nh, TAG_END ());
  bench_wait_count (&phone->phone.n_finals, before + 1);
}

/* The last warning that was logged. */
static char *warning;

static GLogWriterOutput
on_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO))   /* GLib's own goes to where TAP is */
    return G_LOG_WRITER_HANDLED;
  if (!(level & G_LOG_LEVEL_WARNING))
    return g_log_writer_standard_streams (level, fields, n_fields, NULL);
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      {
        g_free (warning);
        warning = g_strdup (fields[i].value);
      }
  return G_LOG_WRITER_HANDLED;
}

char *
bench_tls_url (const char *host, guint16 port)
{
  if (host == NULL)
    return g_strdup_printf ("sip:" BENCH_TLS_SERVER ":%u;transport=tls", port);
  return g_strdup_printf ("sip:%s:%u;maddr=" BENCH_TLS_SERVER ";transport=tls", host, port);
}

void
bench_log_init (void)
{
  g_log_set_writer_func (on_log, NULL, NULL);
}

const char *
bench_log_warning (void)
{
  return warning;
}
