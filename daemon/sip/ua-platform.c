/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "sip/ua-platform.h"

#include <signal.h>

#include "sip/ua-admission.h"
#include "sip/ua-clock.h"
#include "sip/ua-datagram.h"
#include "sip/ua-digest.h"
#include "sip/ua-tls.h"

gboolean
ua_platform_init (GError **error)
{
  /* OpenSSL writes to sockets with write(): a peer that is gone must be an error, not the end of us. */
  signal (SIGPIPE, SIG_IGN);
  return ua_clock_init (error) && ua_datagram_init (error) && ua_admission_init (error) && ua_tls_init (error) && ua_digest_init (error);
}
