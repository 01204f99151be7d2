/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a call reads out of SIP messages: why something ended, the session description, who the other party is. Every string that goes
 * further is clean and bounded. */

#include "sip/ua-dialog.h"

#include <sofia-sip/sip_extra.h>
#include <string.h>

#include "util/name-addr.h"
#include "util/text.h"

#define MAX_SDP (64 * 1024)
#define MAX_HEADER_TEXT 32768          /* octets of one header, its name counted */
#define MAX_HEADER (16 * 1024)
#define MAX_URI 1024

/* sofia's Reason is a list; a CANCEL or BYE may carry one value for each protocol. */
void
ua_dialog_read_reason (PhoneReason *reason, const sip_t *sip)
{
  for (const sip_reason_t *r = sip ? sip->sip_reason : NULL; r; r = r->re_next)
    {
      gint64 cause = r->re_cause ? g_ascii_strtoll (r->re_cause, NULL, 10) : 0;

      if (!r->re_protocol || cause <= 0 || cause > 999)
        continue;
      if (g_ascii_strcasecmp (r->re_protocol, "SIP") == 0 && cause == 200)
        reason->answered_elsewhere = TRUE;
      else if (g_ascii_strcasecmp (r->re_protocol, "Q.850") == 0 && cause <= 127)
        reason->q850 = (guint) cause;
      else if (g_ascii_strcasecmp (r->re_protocol, "SIP") == 0 && !reason->sip)
        reason->sip = (guint) cause;
      if (r->re_text && !reason->phrase)
        {
          g_autofree char *bare = g_strdup (r->re_text);
          gsize length = strlen (bare);

          if (length >= 2 && bare[0] == '"' && bare[length - 1] == '"')
            {
              bare[length - 1] = '\0';
              reason->phrase = phone_text_clean (bare + 1, -1, UA_MAX_PHRASE);
            }
          else
            reason->phrase = phone_text_clean (bare, -1, UA_MAX_PHRASE);
        }
    }
}

PhoneReason *
ua_dialog_reason_from_response (UaDialog *dialog, const UaEvent *event)
{
  UaAccount *account = dialog->stack->account;
  g_autofree char *phrase = phone_text_clean (event->phrase, -1, UA_MAX_PHRASE);
  PhoneReason *reason;

  if (ua_event_is_local (event))
    {
      if (account && account->tls_reason != UA_TLS_OK)
        return phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_TLS, 0, account->tls_text);
      return phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_UNREACHABLE, event->status < 700 ? (guint) event->status : 0,
                               phrase);
    }
  if (event->status == 401 || event->status == 407)
    return phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_AUTH_FAILED, (guint) event->status, phrase);
  reason = phone_reason_from_status ((guint) event->status, phrase);
  if (!reason->phrase)
    reason->phrase = g_steal_pointer (&phrase);
  ua_dialog_read_reason (reason, event->sip);
  return reason;
}

gboolean
ua_sip_has_sdp (const sip_t *sip)
{
  const sip_content_type_t *type = sip ? sip->sip_content_type : NULL;

  return sip && sip->sip_payload && sip->sip_payload->pl_len > 0 && type && type->c_type
         && g_ascii_strcasecmp (type->c_type, "application/sdp") == 0;
}

PhoneMediaDesc *
ua_dialog_read_sdp (UaDialog *dialog, const sip_t *sip, GError **error)
{
  PhoneMediaDesc *desc = NULL;

  if (!ua_sip_has_sdp (sip))
    return NULL;
  if (dialog->stack->account)
    {
      const PhoneAccountSettings *settings = ua_account_settings (dialog->stack->account);

      gboolean over_tls = dialog->stack->transport == PHONE_TRANSPORT_TLS;

      ua_sdp_set_policy (dialog->sdp, settings->codecs, settings->n_codecs, phone_account_settings_srtp (settings, over_tls),
                         phone_account_settings_sdes_allowed (settings, over_tls), settings->keying);
    }
  if (sip->sip_payload->pl_len > MAX_SDP)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "Session description of %lu octets",
                   (gulong) sip->sip_payload->pl_len);
      return NULL;
    }
  if (!ua_sdp_read (dialog->sdp, sip->sip_payload->pl_data, sip->sip_payload->pl_len, &desc, error))
    return NULL;
  return desc;
}

const char *
ua_sip_unknown (const sip_t *sip, const char *name)
{
  for (const sip_unknown_t *h = sip->sip_unknown; h; h = h->un_next)
    if (h->un_name && g_ascii_strcasecmp (h->un_name, name) == 0)
      return h->un_value;
  return NULL;
}

char *
ua_sip_header_text (su_home_t *home, const void *header)
{
  for (gsize size = 512; size <= MAX_HEADER_TEXT; size *= 4)
    {
      char *text = su_alloc (home, (isize_t) size), *value;
      issize_t length = text ? msg_header_e (text, (isize_t) size, header, 0) : -1;

      if (length < 0 || (gsize) length >= size)
        continue;
      text[length] = '\0';
      value = strchr (text, ':');
      return value ? g_strstrip (value + 1) : NULL;
    }
  return NULL;
}

/* sofia knows that header, and keeps it from sip_unknown, as soon as its nua has used it. */
gboolean
ua_sip_wants_no_news (const sip_t *sip)
{
  const sip_refer_sub_t *known = sip_refer_sub (sip);
  const char *value = known ? known->rs_value : ua_sip_unknown (sip, "Refer-Sub");

  return value && g_ascii_strncasecmp (value, "false", 5) == 0;
}

char *
ua_sip_unknown_all (const sip_t *sip, const char *name)
{
  GString *all = g_string_new (NULL);

  for (const sip_unknown_t *h = sip->sip_unknown; h && all->len < MAX_HEADER; h = h->un_next)
    if (h->un_name && h->un_value && g_ascii_strcasecmp (h->un_name, name) == 0)
      g_string_append_printf (all, "%s%s", all->len ? ", " : "", h->un_value);
  return g_string_free (all, all->len == 0);
}

char *
ua_sip_uri_text (const url_t *url)
{
  char buffer[MAX_URI];
  issize_t length = url_e (buffer, sizeof buffer, url);

  if (length < 0 || (gsize) length >= sizeof buffer)
    return NULL;
  return phone_text_clean (buffer, -1, MAX_URI);
}

char *
ua_sip_display_name (const sip_addr_t *from)
{
  g_autofree char *quoted = from->a_display && *from->a_display ? g_strdup_printf ("%s <sip:x@x.invalid>", from->a_display) : NULL;
  g_autoptr (PhoneNameAddr) addr = quoted ? phone_name_addr_parse (quoted, NULL) : NULL;

  return addr ? g_steal_pointer (&addr->display) : NULL;
}

/* The provider's remark on a number is no part of it. */
static char *
without_verstat (char *uri)
{
  char *at = uri;

  while (at && *at && g_ascii_strncasecmp (at, ";verstat=", strlen (";verstat=")) != 0)
    at++;
  if (at && *at)
    {
      const char *end = at + strlen (";verstat=");

      end += strspn (end, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");
      memmove (at, end, strlen (end) + 1);
    }
  return uri;
}

char *
ua_sip_party_uri (const sip_addr_t *from)
{
  return without_verstat (ua_sip_uri_text (from->a_url));
}

/* RFC 3325 section 9.1: only from a node in our trust domain, which is the server that we registered with. */
char *
ua_sip_asserted_id (UaStack *stack, const sip_t *sip, char **ret_name)
{
  const char *value = ua_sip_unknown (sip, "P-Asserted-Identity");
  g_auto (GStrv) entries = NULL;
  g_autoptr (PhoneNameAddr) addr = NULL;

  *ret_name = NULL;
  if (!value || !stack->account || !ua_account_trusts (stack->account, ua_stack_peer (stack)))
    return NULL;
  entries = ua_header_split (value);
  addr = entries[0] ? phone_name_addr_parse (without_verstat (entries[0]), NULL) : NULL;
  if (!addr)
    return NULL;
  *ret_name = g_steal_pointer (&addr->display);
  return phone_uri_to_string (addr->uri);
}

/* A parameter of a telephone number stands in the user part of a SIP URI, and some servers put it behind the host. */
static const char *
verstat_of (const char *uri)
{
  static const struct
  {
    const char *token, *verstat;
  } known[] = { { "TN-Validation-Passed", "passed" }, { "TN-Validation-Failed", "failed" }, { "No-TN-Validation", "none" } };
  g_autofree char *lower = g_ascii_strdown (uri, -1);
  const char *at = strstr (lower, ";verstat=");

  for (gsize i = 0; at && i < G_N_ELEMENTS (known); i++)
    {
      const char *value = at + strlen (";verstat=");
      gsize length = strlen (known[i].token);

      /* More may follow: TN-Validation-Passed-A says how sure (ATIS-1000074). */
      if (g_ascii_strncasecmp (value, known[i].token, length) == 0 && !g_ascii_isalnum (value[length]))
        return known[i].verstat;
    }
  return "";
}

const char *
ua_sip_verstat (UaStack *stack, const sip_t *sip)
{
  const char *asserted = ua_sip_unknown (sip, "P-Asserted-Identity"), *verstat = "";
  g_autofree char *from = sip->sip_from ? ua_sip_uri_text (sip->sip_from->a_url) : NULL;

  if (!stack->account || !ua_account_trusts (stack->account, ua_stack_peer (stack)))
    return "";
  if (asserted)
    verstat = verstat_of (asserted);
  return *verstat || !from ? verstat : verstat_of (from);
}

void
ua_dialog_read_party (UaDialog *dialog, const sip_t *sip)
{
  g_autofree char *name = NULL;
  g_autofree char *id = dialog->call && sip ? ua_sip_asserted_id (dialog->stack, sip, &name) : NULL;

  if (id)
    phone_call_on_party (dialog->call, NULL, name, id);
}
