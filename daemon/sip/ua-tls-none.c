/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accounts with TLS are refused as long as nothing verifies certificates: sofia's own TLS checks nothing. The functions are weak, so that the real
 * ones take their place wherever they are linked. */

#include "sip/ua-tls.h"

#define WEAK __attribute__ ((weak))

WEAK const char *
ua_tls_reason_to_string (UaTlsReason value)
{
  return value == UA_TLS_OK ? "ok" : "tls";
}

WEAK UaTlsPolicy *
ua_tls_policy_new (const UaTlsParams *params, UaTlsOutcomeFunc on_outcome, gpointer data, GError **error)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "transport: TLS is not available in this build");
  return NULL;
}

WEAK void
ua_tls_policy_free (UaTlsPolicy *policy)
{
}

WEAK const char *
ua_tls_policy_get_path (const UaTlsPolicy *policy)
{
  return "";
}

WEAK void
ua_tls_flush (void)
{
}
