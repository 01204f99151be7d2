/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The small XML documents of event packages as a tree with namespaces.
 *
 * Read with GMarkup rather than a full XML parser: it knows no DTD, no entities but the five of XML itself and no external anything, so that
 * the classical attacks (entity expansion, external entities) have nothing to work with; a document type declaration is refused.
 * What it lacks, namespaces, is little. Size, depth and number of elements and attributes have limits. Pure; what comes in is hostile. */

#include "util/phone-error.h"

#define UA_XML_MAX_SIZE (256 * 1024)
#define UA_XML_MAX_DEPTH 24
#define UA_XML_MAX_NODES 8192
#define UA_XML_MAX_TEXT 4096            /* octets kept of the text of one element */
#define UA_XML_MAX_ATTRIBUTES 32

typedef struct _UaXml UaXml;
struct _UaXml
{
  const char *ns;               /* "": none; interned in the document */
  char *name;                   /* without the prefix */
  GString *text;                /* direct text, in one piece */
  char **attributes;            /* name, value, ...; NULL ends. Those without a prefix: no other is of interest */
  GPtrArray *children;          /* UaXml; NULL: none */
};

/* The root, which must be name in ns. FAILED, with a message for the log. */
UaXml *ua_xml_parse (const char *data, gsize length, const char *ns, const char *name, GError **error);
void ua_xml_free (UaXml *root); /* accepts NULL; the root only */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaXml, ua_xml_free)

gboolean ua_xml_is (const UaXml *node, const char *ns, const char *name);
const UaXml *ua_xml_child (const UaXml *node, const char *ns, const char *name);        /* the first; NULL: none; node may be NULL */
const char *ua_xml_attribute (const UaXml *node, const char *name);                     /* NULL: none; node may be NULL */
/* Text and attributes as they may be shown: clean, at most max characters; NULL: nothing left. Caller frees. */
char *ua_xml_dup_text (const UaXml *node, gsize max);
char *ua_xml_dup_attribute (const UaXml *node, const char *name, gsize max);
