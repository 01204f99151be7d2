/* SPDX-License-Identifier: LGPL-2.1-or-later */

typedef struct _BenchPhone BenchPhone;
#define NUA_MAGIC_T BenchPhone

#include "sip-bench.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_tagarg.h>
#include <string.h>

enum { DEADLINE_S = 30 };

static gboolean
on_deadline (gpointer data)
{
  g_error ("what the test waits for did not come within %d s", DEADLINE_S);
  return G_SOURCE_REMOVE;
}

void
bench_wait (const gboolean *flag)
{
  guint deadline = g_timeout_add_seconds (DEADLINE_S, on_deadline, NULL);

  while (!*flag)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (deadline);
}

void
bench_wait_count (const guint *counter, guint at_least)
{
  guint deadline = g_timeout_add_seconds (DEADLINE_S, on_deadline, NULL);

  while (*counter < at_least)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (deadline);
}

static void
on_event (nua_event_t event, int status, const char *phrase, nua_t *nua, BenchPhone *phone, nua_handle_t *nh,
          nua_hmagic_t *hmagic, const sip_t *sip, tagi_t tags[])
{
  if (event == nua_r_shutdown)
    {
      if (status >= 200)
        phone->gone = TRUE;
      return;
    }
  if (status < 200 || nh == NULL || nh != phone->nh || event < nua_r_set_params)
    return;
  phone->status = status;
  if (phone->on_final != NULL)
    phone->on_final (phone, event, status, nh, sip);
  phone->n_finals++;
}

void
bench_phone_start (BenchPhone *phone, const char *url, tag_type_t tag, tag_value_t value, ...)
{
  ta_list ta;

  su_init ();
  phone->root = su_glib_root_create (NULL);
  su_root_threading (phone->root, 0);
  phone->source = su_glib_root_gsource (phone->root);
  g_source_attach (phone->source, NULL);

  ta_start (ta, tag, value);
  phone->nua
      = nua_create (phone->root, on_event, phone, NUTAG_URL (url), NUTAG_MEDIA_ENABLE (0), ta_tags (ta));
  ta_end (ta);
  g_assert_nonnull (phone->nua);
}

void
bench_phone_stop (BenchPhone *phone)
{
  if (phone->nh != NULL)
    nua_handle_destroy (phone->nh);
  phone->nh = NULL;
  phone->gone = FALSE;
  nua_shutdown (phone->nua);
  bench_wait (&phone->gone);
  nua_destroy (phone->nua);
  g_source_destroy (phone->source);     /* the reference goes with the root */
  su_root_destroy (phone->root);
  su_deinit ();
}

/* ---- the other side ---- */

GSocket *
bench_udp_new (const char *address, GSocketSourceFunc func, gpointer data, guint16 *ret_port,
               GSource **ret_source)
{
  g_autoptr (GInetAddress) host = g_inet_address_new_from_string (address);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (host, 0), bound = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  g_assert_true (g_socket_bind (socket, any, TRUE, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  *ret_port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  *ret_source = g_socket_create_source (socket, G_IO_IN, NULL);
  g_source_set_callback (*ret_source, (GSourceFunc) (void (*) (void)) func, data, NULL);
  g_source_attach (*ret_source, NULL);
  return socket;
}

GStrv
bench_header_fields (const char *message, const char *name)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) lines = g_strsplit (message, "\r\n", -1);
  gsize length = strlen (name);

  for (char **line = lines; *line != NULL && **line != '\0'; line++)
    if (g_ascii_strncasecmp (*line, name, length) == 0 && (*line)[length] == ':')
      g_strv_builder_add (builder, g_strstrip (*line + length + 1));
  return g_strv_builder_end (builder);
}

char *
bench_header_field (const char *message, const char *name)
{
  g_auto (GStrv) all = bench_header_fields (message, name);

  return g_strdup (all[0]);
}

char *
bench_response (const char *request, int status, const char *headers)
{
  static const char *const copied[] = { "Via", "From", "Call-ID", "CSeq", NULL };
  GString *response = g_string_new (NULL);
  g_autofree char *to = bench_header_field (request, "To"),
                  *contact = bench_header_field (request, "Contact");

  g_string_append_printf (response, "SIP/2.0 %d Scripted\r\n", status);
  for (guint i = 0; copied[i] != NULL; i++)
    {
      g_autofree char *value = bench_header_field (request, copied[i]);
      g_string_append_printf (response, "%s: %s\r\n", copied[i], value);
    }
  g_string_append_printf (response, "To: %s%s\r\n", to, strstr (to, "tag=") != NULL ? "" : ";tag=scripted");
  if (status == 200 && g_str_has_prefix (request, "REGISTER ") && contact != NULL)
    g_string_append_printf (response, "Contact: %s;expires=3600\r\n", contact);
  g_string_append_printf (response, "%sContent-Length: 0\r\n\r\n", headers != NULL ? headers : "");
  return g_string_free (response, FALSE);
}
