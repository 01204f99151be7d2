/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Documents that come in versions: dialog-info, watcherinfo, conference-info, resource lists. */

#include "sip/event-doc.h"
#include "sip/xml-tree.h"

UaInfo *ua_info_new (GDestroyNotify free_entry);
/* Whether a document counts after the last one, whose version is *version (-1: none yet). APPLIED: *version is that of this one, and *ret_partial
 * whether it only changes what was there. what: names the document in an error. */
UaInfoResult ua_info_advance (gint64 *version, const UaXml *root, const char *what, gboolean *ret_partial, GError **error);
/* The same where the root says it in other words; number NULL: it says none. */
UaInfoResult ua_info_step (gint64 *version, const char *number, gboolean partial, const char *what, GError **error);
