/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bare sofia-sip phone in the test's main loop: no account, no call, only the stack under our three
 * repairs. */

#include <gio/gio.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_wait.h>

typedef struct _BenchPhone BenchPhone;
/* Called for every response event of the phone's handle with a final status. */
typedef void (*BenchFinalFunc) (BenchPhone *phone, nua_event_t event, int status, nua_handle_t *nh,
                                const sip_t *sip);

struct _BenchPhone
{
  su_root_t *root;
  GSource *source;
  nua_t *nua;
  nua_handle_t *nh;             /* one handle serves a test; destroyed with the phone */
  BenchFinalFunc on_final;
  int status;                   /* of the last final response */
  guint n_finals;
  gboolean gone;
  gpointer data;
};

/* url: where it binds; then more tags for nua_create, to TAG_END (). */
void bench_phone_start (BenchPhone *phone, const char *url, tag_type_t tag, tag_value_t value, ...);
/* The whole teardown, waited for. */
void bench_phone_stop (BenchPhone *phone);
/* Runs the main loop until *flag or the deadline; the test fails at the deadline. */
void bench_wait (const gboolean *flag);
void bench_wait_count (const guint *counter, guint at_least);

/* ---- the other side: plain sockets and text ---- */

/* A UDP socket on address with a port of its own; func is called when it is readable. Destroy and unref the
 * source, unref the socket. */
GSocket *bench_udp_new (const char *address, GSocketSourceFunc func, gpointer data, guint16 *ret_port,
                        GSource **ret_source);
/* Values of all header fields of that name, in order; of the first. */
GStrv bench_header_fields (const char *message, const char *name);
char *bench_header_field (const char *message, const char *name);
/* A response to a request; headers: more lines, each with its CRLF, or NULL. A REGISTER gets its binding. */
char *bench_response (const char *request, int status, const char *headers);
