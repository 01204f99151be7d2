/* SPDX-License-Identifier: LGPL-2.1-or-later */

typedef struct _BenchPhone BenchPhone;
#define NUA_MAGIC_T BenchPhone

#include "sip-bench.h"

#include <sofia-sip/nua_tag.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_tagarg.h>

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
  phone->nua = nua_create (phone->root, on_event, phone, NUTAG_URL (url), NUTAG_MEDIA_ENABLE (0), ta_tags (ta));
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
