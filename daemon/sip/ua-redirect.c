/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call that is sent elsewhere: RFC 3261 section 8.1.3.4.
 *
 * 300, 301 and 302 name other addresses; they are tried one after the other, the best q first, and what one of them names in turn before those
 * that are left. No address is tried twice, there are at most MAX_HOPS redirections and MAX_TARGETS addresses; a 6xx ends it all. 305 would have
 * the far end choose our proxy, and 380 wants another service: neither is followed. A call to a sips: URI stays with sips:, and a stack that
 * speaks TLS is not led to another transport, nor an account that does not speak it to TLS.
 *
 * The new INVITE goes the way of every other one, through the account's server, and has the same To. Without a server it may have to go by another
 * stack than the one before (ua-locate.h), and then takes another offer with it. What the URI says about headers and
 * method (section 19.1.5) is left out: it is our request, not theirs. Who sent the call on, and why, goes with it, as the answer has it: so that
 * whoever is called sees for whom, and no circle is closed (RFC 5806, RFC 7044 section 4). */

#include "sip/diversion.h"
#include "sip/ua-dialog.h"

#include <sofia-sip/url.h>
#include <string.h>

#define MAX_HOPS 5
#define MAX_TARGETS 10
#define MAX_CONTACTS 20         /* of one response that are looked at */
#define MAX_TARGET 512          /* octets */

typedef struct
{
  char *target;
  char *by;                     /* whose answer named it, however many others are tried before it */
  guint status;                 /* of that answer */
  char *diversion, *history;    /* in it, else in the INVITE that it answers; NULL: none */
} Waiting;

struct _UaRedirect
{
  GPtrArray *waiting;           /* Waiting, the next one first */
  GPtrArray *tried;             /* char * */
  guint hops;
};

static void
free_waiting (gpointer data)
{
  Waiting *waiting = data;

  g_free (waiting->target);
  g_free (waiting->by);
  g_free (waiting->diversion);
  g_free (waiting->history);
  g_free (waiting);
}

UaRedirect *
ua_redirect_new (const char *target)
{
  UaRedirect *redirect = g_new0 (UaRedirect, 1);

  redirect->waiting = g_ptr_array_new_with_free_func (free_waiting);
  redirect->tried = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (redirect->tried, g_strdup (target));
  return redirect;
}

void
ua_redirect_free (UaRedirect *redirect)
{
  if (!redirect)
    return;
  g_ptr_array_unref (redirect->waiting);
  g_ptr_array_unref (redirect->tried);
  g_free (redirect);
}

static gboolean
is_same (const char *target, const url_t *url)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  url_t *other = url_hdup (home, (const url_t *) target);
  gboolean same = other && url_cmp_all (url, other) == 0;

  su_home_deinit (home);
  return same;
}

static gboolean
is_known (const UaRedirect *redirect, const url_t *url)
{
  for (guint i = 0; i < redirect->tried->len; i++)
    if (is_same (g_ptr_array_index (redirect->tried, i), url))
      return TRUE;
  for (guint i = 0; i < redirect->waiting->len; i++)
    if (is_same (((const Waiting *) g_ptr_array_index (redirect->waiting, i))->target, url))
      return TRUE;
  return FALSE;
}

const char *
ua_redirect_refusal (const char *from, PhoneTransport transport, gboolean takes_tls, gboolean by_server, const url_t *to)
{
  char wanted[8] = "";
  gboolean is_named, is_tls;

  if (to->url_type != url_sip && to->url_type != url_sips)
    return "not a SIP URI";
  if (!to->url_host || !*to->url_host)
    return "no host";
  if (g_ascii_strncasecmp (from, "sips:", 5) == 0 && to->url_type != url_sips)
    return "less secure than sips:";
  if (to->url_type == url_sips && transport != PHONE_TRANSPORT_TLS && !takes_tls)
    return "sips: needs an account with transport=tls";
  is_named = url_param (to->url_params, "transport", wanted, sizeof wanted) > 0;
  is_tls = g_ascii_strcasecmp (wanted, "tls") == 0;
  if (is_named && !is_tls && transport == PHONE_TRANSPORT_TLS)
    return "less secure than TLS";
  if (is_tls && transport != PHONE_TRANSPORT_TLS && !takes_tls && !by_server)
    return "the account calls nobody by TLS";
  return NULL;
}

/* NULL: may be called. */
static const char *
why_not (UaDialog *dialog, const url_t *url)
{
  UaAccount *account = dialog->stack->account;
  gboolean by_server = account->server_uri != NULL;
  const char *refusal = ua_redirect_refusal (dialog->target, dialog->stack->transport, account->takes_tls && !by_server, by_server, url);

  if (refusal)
    return refusal;
  if (is_known (dialog->redirect, url))
    return "named before";
  if (dialog->redirect->tried->len + dialog->redirect->waiting->len >= MAX_TARGETS)
    return "too many";
  return NULL;
}

static char *
clean_target (const url_t *url)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  url_t copy = *url;
  char *text;
  char *target = NULL;

  copy.url_headers = NULL;
  copy.url_fragment = NULL;
  copy.url_password = NULL;
  copy.url_params = url->url_params ? url_strip_param_string (su_strdup (home, url->url_params), "method") : NULL;
  text = url_as_string (home, &copy);
  if (text && strlen (text) <= MAX_TARGET && ua_header_is_safe (text) && !strpbrk (text, "<> \t"))
    target = g_strdup (text);
  su_home_deinit (home);
  return target;
}

static guint
parse_q (const char *text)
{
  double q = text ? g_ascii_strtod (text, NULL) : 1.0;

  return q >= 0 && q <= 1 ? (guint) (q * 1000 + 0.5) : 0;
}

static int
by_q (gconstpointer a, gconstpointer b)
{
  const sip_contact_t *first = *(const sip_contact_t *const *) a, *second = *(const sip_contact_t *const *) b;

  return (int) parse_q (second->m_q) - (int) parse_q (first->m_q);
}

/* The addresses of one response in front of those that wait. */
static void
collect (UaDialog *dialog, const sip_t *sip)
{
  g_autoptr (GPtrArray) contacts = g_ptr_array_new ();
  g_autofree char *diversions = ua_sip_unknown_all (sip, "Diversion"), *histories = ua_sip_unknown_all (sip, "History-Info");
  g_autofree char *diversion = ua_diversion_keep (diversions), *history = ua_diversion_keep (histories);
  guint n = 0;

  for (const sip_contact_t *contact = sip->sip_contact; contact && contacts->len < MAX_CONTACTS; contact = contact->m_next)
    g_ptr_array_add (contacts, (gpointer) contact);
  g_ptr_array_sort (contacts, by_q);
  for (guint i = 0; i < contacts->len; i++)
    {
      const url_t *url = ((const sip_contact_t *) g_ptr_array_index (contacts, i))->m_url;
      g_autofree char *target = clean_target (url);
      const char *why = target ? why_not (dialog, url) : "not usable";

      if (why)
        phone_log_notice (&dialog->log, "Call %s: redirection to %s not followed: %s", dialog->call_number, target ? target : "an address",
                          why);
      else
        {
          Waiting *waiting = g_new0 (Waiting, 1);

          waiting->target = g_steal_pointer (&target);
          waiting->by = g_strdup (dialog->target);
          waiting->status = (guint) sip->sip_status->st_status;
          waiting->diversion = g_strdup (diversion ? diversion : dialog->diversion);
          waiting->history = g_strdup (history ? history : dialog->history);
          g_ptr_array_insert (dialog->redirect->waiting, (int) n++, waiting);
        }
    }
}

static gboolean
is_redirection (guint status)
{
  return status == 300 || status == 301 || status == 302;
}

static gboolean
call_next (UaDialog *dialog)
{
  UaRedirect *redirect = dialog->redirect;
  Waiting *next;

  if (!redirect || redirect->waiting->len == 0)
    return FALSE;
  next = g_ptr_array_steal_index (redirect->waiting, 0);
  g_free (dialog->target);
  dialog->target = g_strdup (next->target);
  g_free (dialog->diversion);
  dialog->diversion = g_steal_pointer (&next->diversion);
  g_free (dialog->history);
  dialog->history = g_steal_pointer (&next->history);
  g_ptr_array_add (redirect->tried, g_strdup (next->target));
  ua_dialog_renew (dialog);
  phone_call_on_redirected (dialog->call, next->status, next->by, next->target);
  free_waiting (next);
  if (dialog->state == DIALOG_CALLING)
    ua_dialog_call_again (dialog);
  return TRUE;
}

static gboolean
can_go_on (const UaDialog *dialog)
{
  return dialog->stack->account && dialog->stack->state == UA_STACK_RUNNING && dialog->call;
}

gboolean
ua_redirect_skip (UaDialog *dialog)
{
  return can_go_on (dialog) && call_next (dialog);
}

gboolean
ua_redirect_next (UaDialog *dialog, const UaEvent *event)
{
  UaRedirect *redirect = dialog->redirect;
  guint status = (guint) event->status;
  gboolean theirs = !ua_event_is_local (event);

  if (!can_go_on (dialog))
    return FALSE;
  if (theirs && is_redirection (status) && event->sip->sip_contact)
    {
      if (!dialog->follow_redirects)
        {
          phone_log_notice (&dialog->log, "Call %s: redirected (%u), not followed: redirects=refuse", dialog->call_number, status);
          return FALSE;
        }
      if (!redirect)
        redirect = dialog->redirect = ua_redirect_new (dialog->target);
      if (++redirect->hops > MAX_HOPS)
        {
          phone_log_notice (&dialog->log, "Call %s: redirected more than %d times", dialog->call_number, MAX_HOPS);
          return FALSE;
        }
      collect (dialog, event->sip);
    }
  return (!theirs || status < 600) && call_next (dialog);
}
