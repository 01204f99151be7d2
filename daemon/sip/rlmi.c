/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Resource lists (RFC 4662): multipart/related whose root says who is on the list and which other part has the state of whom. Parts are
 * PIDF or dialog-info; a list inside a list is left alone. */

#include "sip/event-doc.h"

#include <string.h>

#include "sip/info-version.h"
#include "sip/xml-tree.h"
#include "util/text.h"

#define NS "urn:ietf:params:xml:ns:rlmi"
#define MAX_BOUNDARY 70         /* RFC 2046 section 5.1.1 */
#define MAX_PARTS 1024
#define MAX_URI 512
#define MAX_NAME 128
#define MAX_SIZE (512 * 1024)

typedef struct
{
  char *type;                   /* lower case, without parameters; NULL: not said */
  char *id;                     /* Content-ID without the angle brackets; NULL: none */
  const char *body;             /* into the data */
  gsize length;
} Part;

static void
part_free (gpointer data)
{
  Part *part = data;

  g_free (part->type);
  g_free (part->id);
  g_free (part);
}

UaRlmi *
ua_rlmi_new (void)
{
  UaRlmi *list = g_new (UaRlmi, 1);

  list->resources = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) phone_resource_free);
  list->version = -1;
  return list;
}

void
ua_rlmi_free (UaRlmi *list)
{
  if (!list)
    return;
  g_hash_table_unref (list->resources);
  g_free (list);
}

void
ua_rlmi_reset (UaRlmi *list)
{
  g_hash_table_remove_all (list->resources);
  list->version = -1;
}

/* A parameter of a header value, unquoted; NULL: not there. */
static char *
parameter (const char *value, const char *name)
{
  gsize length = strlen (name);

  for (const char *p = strchr (value, ';'); p; p = strchr (p, ';'))
    {
      p++;
      while (*p == ' ' || *p == '\t')
        p++;
      if (g_ascii_strncasecmp (p, name, length) != 0 || p[length] != '=')
        continue;
      p += length + 1;
      if (*p == '"')
        return strchr (p + 1, '"') ? g_strndup (p + 1, (gsize) (strchr (p + 1, '"') - p - 1)) : NULL;
      return g_strndup (p, strcspn (p, "; \t\r\n"));
    }
  return NULL;
}

static char *
bare_id (const char *value)
{
  const char *end = strrchr (value, '>');

  return *value == '<' && end ? g_strndup (value + 1, (gsize) (end - value - 1)) : g_strdup (value);
}

static Part *
read_part (const char *data, gsize length)
{
  Part *part = g_new0 (Part, 1);
  gsize at = 0;

  while (at < length)
    {
      const char *line = data + at;
      const char *end = memchr (line, '\n', length - at);
      gsize n = end ? (gsize) (end - line) : length - at;
      g_autofree char *text = g_strndup (line, MIN (n, 1024));
      char *colon = strchr (text, ':');

      at += n + (end ? 1 : 0);
      g_strchomp (text);
      if (*text == '\0')
        break;
      if (!colon)
        continue;
      *colon = '\0';
      g_strchomp (text);
      if (g_ascii_strcasecmp (text, "Content-Type") == 0 && !part->type)
        {
          g_autofree char *bare = g_strndup (g_strstrip (colon + 1), strcspn (g_strstrip (colon + 1), "; \t"));

          part->type = g_ascii_strdown (bare, -1);
        }
      else if (g_ascii_strcasecmp (text, "Content-ID") == 0 && !part->id)
        part->id = bare_id (g_strstrip (colon + 1));
    }
  part->body = data + at;
  part->length = length - at;
  return part;
}

static const char *
find (const char *data, gsize length, const char *needle, gsize needle_length)
{
  return memmem (data, length, needle, needle_length);
}

/* RFC 2046 section 5.1: parts stand between lines of "--boundary". */
static GPtrArray *
split (const char *data, gsize length, const char *boundary)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (part_free);
  g_autofree char *mark = g_strconcat ("--", boundary, NULL);
  gsize mark_length = strlen (mark);
  const char *end = data + length;
  const char *at = find (data, length, mark, mark_length);

  while (at && parts->len < MAX_PARTS)
    {
      const char *begin = at + mark_length;
      const char *next;

      if (end - begin >= 2 && memcmp (begin, "--", 2) == 0)
        break;
      while (begin < end && *begin != '\n')
        begin++;
      if (begin >= end)
        break;
      begin++;
      next = find (begin, (gsize) (end - begin), mark, mark_length);
      g_ptr_array_add (parts, read_part (begin, (gsize) ((next ? next : end) - begin)));
      at = next;
    }
  return g_steal_pointer (&parts);
}

static const Part *
find_part (const GPtrArray *parts, const char *id)
{
  for (guint i = 0; id && i < parts->len; i++)
    if (g_strcmp0 (((Part *) g_ptr_array_index (parts, i))->id, id) == 0)
      return g_ptr_array_index (parts, i);
  return NULL;
}

static const Part *
find_root (const GPtrArray *parts, const char *start)
{
  g_autofree char *id = start ? bare_id (start) : NULL;
  const Part *root = find_part (parts, id);

  if (root)
    return root;
  for (guint i = 0; i < parts->len; i++)
    if (g_strcmp0 (((Part *) g_ptr_array_index (parts, i))->type, "application/rlmi+xml") == 0)
      return g_ptr_array_index (parts, i);
  return NULL;
}

static void
read_state (PhoneResource *resource, const Part *part)
{
  if (g_strcmp0 (part->type, "application/pidf+xml") == 0)
    {
      if (ua_pidf_read (part->body, part->length, &resource->presence, NULL))
        resource->lamp = phone_lamp_from_status (resource->presence.status);
    }
  else if (g_strcmp0 (part->type, "application/dialog-info+xml") == 0)
    {
      g_autoptr (UaInfo) info = ua_dialog_info_new ();

      if (ua_dialog_info_apply (info, part->body, part->length, NULL) == UA_INFO_APPLIED)
        resource->lamp = phone_lamp_from_dialogs (info->entries);
    }
}

static void
read_resource (GHashTable *resources, const UaXml *node, const GPtrArray *parts)
{
  g_autofree char *uri = ua_xml_dup_attribute (node, "uri", MAX_URI);
  const UaXml *instance = ua_xml_child (node, NS, "instance");
  const char *state = ua_xml_attribute (instance, "state");
  const char *cid = ua_xml_attribute (instance, "cid");
  g_autofree char *id = cid ? bare_id (cid) : NULL;
  const Part *part = find_part (parts, id);
  PhoneResource *resource;

  if (!uri)
    return;
  resource = g_hash_table_lookup (resources, uri);
  if (!resource)
    {
      if (g_hash_table_size (resources) >= UA_MAX_RESOURCES)
        return;
      resource = g_new0 (PhoneResource, 1);
      resource->uri = g_steal_pointer (&uri);
      resource->presence.status = PHONE_STATUS_UNKNOWN;
      g_hash_table_insert (resources, resource->uri, resource);
    }
  g_free (resource->name);
  resource->name = ua_xml_dup_text (ua_xml_child (node, NS, "name"), MAX_NAME);
  if (instance)
    resource->active = state && g_str_equal (state, "active");
  if (part)
    read_state (resource, part);
  else if (instance && !resource->active)
    {
      phone_presence_info_clear (&resource->presence);
      resource->lamp = PHONE_LAMP_UNKNOWN;
    }
}

/* xs:boolean */
static gboolean
is_full (const UaXml *root)
{
  const char *full = ua_xml_attribute (root, "fullState");

  return full && (g_str_equal (full, "true") || g_str_equal (full, "1"));
}

UaInfoResult
ua_rlmi_apply (UaRlmi *list, const char *content_type, const char *data, gsize length, GError **error)
{
  g_autofree char *boundary = parameter (content_type, "boundary");
  g_autofree char *start = parameter (content_type, "start");
  g_autoptr (GPtrArray) parts = NULL;
  g_autoptr (UaXml) xml = NULL;
  const Part *root;
  UaInfoResult result;

  if (!boundary || !*boundary || strlen (boundary) > MAX_BOUNDARY || length > MAX_SIZE)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "multipart: no usable boundary, or too large");
      return UA_INFO_BAD;
    }
  parts = split (data, length, boundary);
  root = find_root (parts, start);
  if (!root)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "multipart: no list in it");
      return UA_INFO_BAD;
    }
  xml = ua_xml_parse (root->body, root->length, NS, "list", error);
  if (!xml)
    return UA_INFO_BAD;
  /* Section 5.2: by one from document to document; a partial one behind a gap says nothing of those that it does not name. */
  result = ua_info_step (&list->version, ua_xml_attribute (xml, "version"), !is_full (xml), "rlmi", error);
  if (result != UA_INFO_APPLIED)
    return result;
  if (is_full (xml))
    g_hash_table_remove_all (list->resources);
  for (guint i = 0; xml->children && i < xml->children->len; i++)
    if (ua_xml_is (g_ptr_array_index (xml->children, i), NS, "resource"))
      read_resource (list->resources, g_ptr_array_index (xml->children, i), parts);
  return UA_INFO_APPLIED;
}
