/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/xml-tree.h"

#include <string.h>

#include "util/text.h"

typedef struct
{
  char *prefix;                 /* "" for the default namespace */
  const char *uri;
  guint depth;
} Binding;

/* The namespaces that the parsers know; others are told apart from these, and from each other by nobody. */
static const char *const known[] = {
  "urn:ietf:params:xml:ns:pidf",
  "urn:ietf:params:xml:ns:pidf:data-model",
  "urn:ietf:params:xml:ns:pidf:rpid",
  "urn:ietf:params:xml:ns:dialog-info",
  "urn:ietf:params:xml:ns:watcherinfo",
  "urn:ietf:params:xml:ns:conference-info",
  "urn:ietf:params:xml:ns:rlmi",
  "urn:ietf:params:xml:ns:imdn",
  "urn:ietf:params:xml:ns:im-iscomposing",
};
static const char other[] = "other";

typedef struct
{
  UaXml *root;
  GPtrArray *open;              /* UaXml, borrowed: from the root to the current element */
  GArray *bindings;             /* Binding; those of the innermost elements last */
  guint n_nodes;
} Reader;

static void
binding_clear (gpointer data)
{
  g_free (((Binding *) data)->prefix);
}

static const char *
intern (const char *uri)
{
  if (*uri == '\0')
    return "";
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i], uri))
      return known[i];
  return other;
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error_literal (error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, what);
  return FALSE;
}

static void
bind_prefix (Reader *reader, const char *prefix, const char *uri)
{
  Binding binding = { g_strdup (prefix), intern (uri), reader->open->len };

  g_array_append_val (reader->bindings, binding);
}

static const char *
look_up (Reader *reader, const char *prefix, gsize length)
{
  for (guint i = reader->bindings->len; i-- > 0;)
    {
      const Binding *binding = &g_array_index (reader->bindings, Binding, i);

      if (strlen (binding->prefix) == length && strncmp (binding->prefix, prefix, length) == 0)
        return binding->uri;
    }
  return length ? NULL : "";
}

static void
node_free (gpointer data)
{
  UaXml *node = data;

  g_clear_pointer (&node->children, g_ptr_array_unref);
  g_string_free (node->text, TRUE);
  g_strfreev (node->attributes);
  g_free (node->name);
  g_free (node);
}

void
ua_xml_free (UaXml *root)
{
  if (root)
    node_free (root);           /* the depth is limited, and so is this recursion */
}

static gboolean
read_attributes (Reader *reader, const char **names, const char **values, char ***ret_attributes, GError **error)
{
  g_autoptr (GPtrArray) attributes = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; names[i]; i++)
    {
      if (i >= UA_XML_MAX_ATTRIBUTES)
        return fail (error, "too many attributes");
      if (g_str_equal (names[i], "xmlns"))
        bind_prefix (reader, "", values[i]);
      else if (g_str_has_prefix (names[i], "xmlns:"))
        bind_prefix (reader, names[i] + strlen ("xmlns:"), values[i]);
      else if (!strchr (names[i], ':'))
        {
          g_ptr_array_add (attributes, g_strdup (names[i]));
          g_ptr_array_add (attributes, g_strdup (values[i]));
        }
    }
  g_ptr_array_add (attributes, NULL);
  *ret_attributes = (char **) g_ptr_array_steal (attributes, NULL);
  return TRUE;
}

static void
on_start (GMarkupParseContext *context, const char *element, const char **names, const char **values, gpointer data, GError **error)
{
  Reader *reader = data;
  const char *colon = strchr (element, ':');
  g_auto (GStrv) attributes = NULL;
  const char *ns;
  UaXml *node;

  if (reader->open->len >= UA_XML_MAX_DEPTH)
    {
      fail (error, "elements too deep in each other");
      return;
    }
  if (++reader->n_nodes > UA_XML_MAX_NODES)
    {
      fail (error, "too many elements");
      return;
    }
  if (!read_attributes (reader, names, values, &attributes, error))
    return;
  ns = look_up (reader, element, colon ? (gsize) (colon - element) : 0);
  if (!ns)
    {
      fail (error, "a prefix without a namespace");
      return;
    }
  node = g_new0 (UaXml, 1);
  node->ns = ns;
  node->name = g_strdup (colon ? colon + 1 : element);
  node->attributes = g_steal_pointer (&attributes);
  node->text = g_string_new (NULL);
  if (reader->open->len == 0)
    reader->root = node;        /* GMarkup refuses a second one */
  else
    {
      UaXml *parent = g_ptr_array_index (reader->open, reader->open->len - 1);

      if (!parent->children)
        parent->children = g_ptr_array_new_with_free_func (node_free);
      g_ptr_array_add (parent->children, node);
    }
  g_ptr_array_add (reader->open, node);
}

static void
on_end (GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
  Reader *reader = data;

  g_ptr_array_set_size (reader->open, (int) reader->open->len - 1);
  while (reader->bindings->len > 0
         && g_array_index (reader->bindings, Binding, reader->bindings->len - 1).depth >= reader->open->len)
    g_array_set_size (reader->bindings, reader->bindings->len - 1);
}

static void
on_text (GMarkupParseContext *context, const char *text, gsize length, gpointer data, GError **error)
{
  Reader *reader = data;
  UaXml *node = reader->open->len ? g_ptr_array_index (reader->open, reader->open->len - 1) : NULL;

  if (node && node->text->len < UA_XML_MAX_TEXT)
    g_string_append_len (node->text, text, (gssize) MIN (length, UA_XML_MAX_TEXT - node->text->len));
}

/* Comments, the XML declaration, processing instructions: nothing to us. */
static void
on_passthrough (GMarkupParseContext *context, const char *text, gsize length, gpointer data, GError **error)
{
  if (length >= 9 && g_ascii_strncasecmp (text, "<!DOCTYPE", 9) == 0)
    fail (error, "a document type declaration");
}

UaXml *
ua_xml_parse (const char *data, gsize length, const char *ns, const char *name, GError **error)
{
  static const GMarkupParser parser = { on_start, on_end, on_text, on_passthrough, NULL };
  g_autoptr (GPtrArray) open = g_ptr_array_new ();
  g_autoptr (GArray) bindings = g_array_new (FALSE, FALSE, sizeof (Binding));
  Reader reader = { .open = open, .bindings = bindings };
  g_autoptr (GMarkupParseContext) context = NULL;
  g_autoptr (GError) local = NULL;
  g_autoptr (UaXml) root = NULL;

  g_array_set_clear_func (bindings, binding_clear);
  if (length >= 3 && memcmp (data, "\xef\xbb\xbf", 3) == 0)
    {
      data += 3;
      length -= 3;
    }
  if (length > UA_XML_MAX_SIZE)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "XML: larger than %d octets", UA_XML_MAX_SIZE);
      return NULL;
    }
  context = g_markup_parse_context_new (&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, &reader, NULL);
  if (g_markup_parse_context_parse (context, data, (gssize) length, &local))
    g_markup_parse_context_end_parse (context, &local);
  root = reader.root;
  if (local)
    {
      g_autofree char *clean = phone_text_clean (local->message, -1, 128);

      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "XML: %s", clean ? clean : "not well-formed");
      return NULL;
    }
  if (!root || !ua_xml_is (root, ns, name))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "XML: not a document of the kind %s", name);
      return NULL;
    }
  return g_steal_pointer (&root);
}

gboolean
ua_xml_is (const UaXml *node, const char *ns, const char *name)
{
  return g_str_equal (node->ns, ns) && g_str_equal (node->name, name);
}

const UaXml *
ua_xml_child (const UaXml *node, const char *ns, const char *name)
{
  for (guint i = 0; node && node->children && i < node->children->len; i++)
    if (ua_xml_is (g_ptr_array_index (node->children, i), ns, name))
      return g_ptr_array_index (node->children, i);
  return NULL;
}

const char *
ua_xml_attribute (const UaXml *node, const char *name)
{
  for (gsize i = 0; node && node->attributes[i]; i += 2)
    if (g_str_equal (node->attributes[i], name))
      return node->attributes[i + 1];
  return NULL;
}

char *
ua_xml_dup_text (const UaXml *node, gsize max)
{
  return node ? phone_text_clean (node->text->str, (gssize) node->text->len, max) : NULL;
}

char *
ua_xml_dup_attribute (const UaXml *node, const char *name, gsize max)
{
  const char *value = ua_xml_attribute (node, name);

  return value ? phone_text_clean (value, -1, max) : NULL;
}
