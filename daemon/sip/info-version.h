/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Documents that come in versions: dialog-info, watcherinfo, conference-info. */

#include "sip/event-doc.h"
#include "sip/xml-tree.h"

UaInfo *ua_info_new (GDestroyNotify free_entry);
/* Whether a document counts after the last one, whose version is *version (-1: none yet). APPLIED: *version is that of this one, and *ret_partial
 * whether it only changes what was there. what: names the document in an error. */
UaInfoResult ua_info_advance (gint64 *version, const UaXml *root, const char *what, gboolean *ret_partial, GError **error);
