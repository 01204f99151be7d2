/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/dial-plan.h"

#include <string.h>

#include "core/emergency.h"
#include "util/phone-uri.h"
#include "util/text.h"

#define VISUAL_SEPARATORS "-.()"
#define SERVICE_MARKS "*#"
/* What a name without a domain may hold beside letters, digits and UTF-8. */
#define WORD_MARKS "-_.!~'"

static gpointer G_GNUC_PRINTF (2, 3)
refuse (GError **error, const char *format, ...)
{
  va_list args;
  g_autofree char *message = NULL;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, message);
  return NULL;
}

static gboolean
has_scheme (const char *target, const char *scheme)
{
  return g_ascii_strncasecmp (target, scheme, strlen (scheme)) == 0;
}

static gboolean
has_space (const char *target)
{
  for (const char *p = target; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_isspace (g_utf8_get_char (p)))
      return TRUE;
  return FALSE;
}

static gboolean
check_characters (const char *target, GError **error)
{
  if (target[0] == '\0')
    refuse (error, "nothing to dial");
  else if (strnlen (target, PHONE_DIAL_MAX + 1) > PHONE_DIAL_MAX)
    refuse (error, "the target is longer than %d octets", PHONE_DIAL_MAX);
  else if (!phone_text_is_clean (target))
    refuse (error, "the target has control characters or is not UTF-8");
  else if (has_space (target))
    refuse (error, "a target has no spaces; write a number as 030-1234 or 0301234");
  else
    return TRUE;
  return FALSE;
}

/* Without a server the address alone says how to get there. */
static gboolean
calls_directly (const PhoneAccountSettings *settings)
{
  return !settings->do_register && settings->registrar == NULL && settings->outbound_proxy == NULL;
}

/* And the account's sockets have to be of that kind. */
static gboolean
check_transport (const PhoneAccountSettings *settings, const PhoneUri *uri, GError **error)
{
  const char *wanted = phone_uri_get_param (uri, "transport");
  g_autofree char *lower = wanted ? g_ascii_strdown (wanted, -1) : NULL;
  PhoneTransport transport = PHONE_TRANSPORT_AUTO;
  gboolean fits;

  if (wanted == NULL || !calls_directly (settings))
    return TRUE;
  fits = phone_transport_from_string (lower, &transport) && transport != PHONE_TRANSPORT_AUTO;
  /* "tcp" there is what TLS runs over (RFC 3261 section 26.2.2). */
  if (uri->scheme == PHONE_URI_SIPS)
    {
      if (!fits || transport == PHONE_TRANSPORT_UDP)
        refuse (error, "transport=%s in an address that begins with sips:", wanted);
      return fits && transport != PHONE_TRANSPORT_UDP;
    }
  fits = fits && (settings->transport == PHONE_TRANSPORT_AUTO || settings->transport == transport);
  if (!fits)
    refuse (error, "transport=%s in an address needs an account with that transport, and this one has transport=%s", wanted,
            phone_transport_to_string (settings->transport));
  return fits;
}

/* A URI that was given or made whole: the last word about what may be dialled. */
static char *
finish_uri (const PhoneAccountSettings *settings, const char *text, GError **error)
{
  g_autoptr (PhoneUri) uri = phone_uri_parse (text, error);

  if (uri == NULL)
    return NULL;
  if (uri->scheme == PHONE_URI_SIPS && settings->transport != PHONE_TRANSPORT_TLS
      && !(settings->transport == PHONE_TRANSPORT_AUTO && calls_directly (settings)))
    return refuse (error, "sips: needs an account with transport=tls");
  /* They would let whoever wrote a link set headers of our request (RFC 3261 section 19.1.5). */
  if (uri->headers->len > 0 || phone_uri_has_param (uri, "method"))
    return refuse (error, "headers and methods in a URI cannot be dialled");
  if (!check_transport (settings, uri, error))
    return NULL;
  return phone_uri_to_string (uri);
}

/* user: plain text; after it, parameters of the user part as they go out (";ext=5"), or "". */
static char *
at_domain (const PhoneAccountSettings *settings, const char *user, const char *user_params, gboolean is_phone, GError **error)
{
  g_autoptr (PhoneUri) aor = settings->aor != NULL ? phone_uri_parse (settings->aor, NULL) : NULL;
  g_autoptr (PhoneUri) uri = NULL;
  PhoneUriScheme scheme = aor != NULL ? aor->scheme : PHONE_URI_SIP;
  g_autofree char *whole = NULL;

  if (settings->default_domain != NULL)
    uri = phone_uri_new (scheme, user, settings->default_domain, 0, error);
  else if (aor != NULL)
    uri = phone_uri_new (scheme, user, aor->host, aor->port, error);
  else
    refuse (error, "the account has neither aor nor default-domain: dial a complete URI");
  if (uri == NULL)
    return NULL;

  whole = g_strconcat (uri->user, user_params, NULL);
  g_free (uri->user);
  uri->user = g_steal_pointer (&whole);
  if (is_phone)
    phone_uri_set_param (uri, "user", "phone");
  whole = phone_uri_to_string (uri);
  return finish_uri (settings, whole, error);
}

/* NULL: not a number. Otherwise without visual separators; *ret_service: it has a '*' or '#'. */
static char *
plain_number (const char *target, gboolean *ret_service)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gboolean digits = FALSE, service = FALSE;

  for (const char *p = target; *p != '\0'; p++)
    {
      if (strchr (VISUAL_SEPARATORS, *p) != NULL)
        continue;
      if (g_ascii_isdigit (*p))
        digits = TRUE;
      else if (strchr (SERVICE_MARKS, *p) != NULL)
        service = TRUE;
      else if (*p != '+' || out->len > 0)
        return NULL;
      g_string_append_c (out, *p);
    }
  *ret_service = service;
  return digits ? g_strdup (out->str) : NULL;
}

static char *
resolve_number (const PhoneAccountSettings *settings, const char *number, gboolean service, const char *user_params,
                const char *country, GError **error)
{
  g_autofree char *user = NULL;
  gboolean as_it_is = settings->prefix == NULL || service || number[0] == '+' || g_str_has_prefix (number, settings->prefix)
                      || phone_is_emergency_number (number, settings->country != NULL ? settings->country : country);

  user = g_strconcat (as_it_is ? "" : settings->prefix, number, NULL);
  return at_domain (settings, user, user_params, !service, error);
}

static int
compare_params (gconstpointer a, gconstpointer b)
{
  const PhoneUriParam *first = *(const PhoneUriParam *const *) a, *second = *(const PhoneUriParam *const *) b;
  const char *const order[] = { "isub", "ext", "phone-context" };

  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    {
      gboolean is_first = g_str_equal (first->name, order[i]), is_second = g_str_equal (second->name, order[i]);
      if (is_first != is_second)
        return is_first ? -1 : 1;
    }
  return strcmp (first->name, second->name);
}

/* RFC 3261 section 19.1.6: the parameters go into the user part, isub and ext first, then phone-context, then by name. */
static char *
resolve_tel (const PhoneAccountSettings *settings, const char *target, const char *country, GError **error)
{
  g_autoptr (PhoneUri) tel = phone_uri_parse (target, error);
  g_autoptr (GString) params = g_string_new (NULL);

  if (tel == NULL)
    return NULL;
  g_ptr_array_sort (tel->params, compare_params);
  for (guint i = 0; i < tel->params->len; i++)
    {
      const PhoneUriParam *param = g_ptr_array_index (tel->params, i);
      g_string_append_printf (params, ";%s", param->name);
      if (param->value != NULL)
        g_string_append_printf (params, "=%s", param->value);
    }
  /* Brackets and colons may stand in a parameter but not in a user part. */
  if (strpbrk (params->str, "[]:") != NULL)
    return refuse (error, "a parameter of the tel: URI cannot be part of a SIP URI");
  return resolve_number (settings, tel->user, strpbrk (tel->user, SERVICE_MARKS) != NULL, params->str, country, error);
}

/* RFC 5031. A provider of SIP lines knows numbers, so the request for help becomes the number that works in the country. */
static char *
resolve_sos (const PhoneAccountSettings *settings, const char *country, GError **error)
{
  static const char *const north_american[] = { "US", "CA", "MX", "PR", NULL };
  const char *where = settings->country != NULL ? settings->country : country;
  const char *number = where != NULL && g_strv_contains (north_american, where) ? "911" : "112";

  return at_domain (settings, number, "", TRUE, error);
}

static char *
resolve_word (const PhoneAccountSettings *settings, const char *word, GError **error)
{
  for (const char *p = word; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && (guchar) *p < 0x80 && strchr (WORD_MARKS, *p) == NULL)
      return refuse (error, "%s is not allowed in a name or number", phone_text_octet ((guchar) *p));
  return at_domain (settings, word, "", FALSE, error);
}

/* user@host: what stands before '@' must not be a scheme that we do not have ("mailto:bob@example.org"). */
static char *
resolve_address (const PhoneAccountSettings *settings, const char *target, GError **error)
{
  const char *at = strchr (target, '@');
  g_autofree char *text = NULL;

  if (memchr (target, ':', (gsize) (at - target)) != NULL)
    return refuse (error, "the target begins with neither sip:, sips: nor tel:");
  text = g_strconcat ("sip:", target, NULL);
  return finish_uri (settings, text, error);
}

char *
phone_dial_plan_resolve_in (const PhoneAccountSettings *settings, const char *target, const char *country, GError **error)
{
  g_autofree char *number = NULL;
  gboolean service;

  g_return_val_if_fail (settings != NULL && target != NULL, NULL);

  if (!check_characters (target, error))
    return NULL;
  if (has_scheme (target, "sip:") || has_scheme (target, "sips:"))
    return finish_uri (settings, target, error);
  if (has_scheme (target, "tel:"))
    return resolve_tel (settings, target, country, error);
  if (has_scheme (target, "urn:service:sos") && (target[15] == '\0' || target[15] == '.'))
    return resolve_sos (settings, country, error);
  if (strchr (target, '@') != NULL)
    return resolve_address (settings, target, error);
  number = plain_number (target, &service);
  if (number != NULL)
    return resolve_number (settings, number, service, "", country, error);
  return resolve_word (settings, target, error);
}

char *
phone_dial_plan_resolve (const PhoneAccountSettings *settings, const char *target, GError **error)
{
  return phone_dial_plan_resolve_in (settings, target, NULL, error);
}

char *
phone_dial_plan_resolve_code (const PhoneAccountSettings *settings, const char *code, GError **error)
{
  if (!check_characters (code, error))
    return NULL;
  return strpbrk (code, "@:") ? phone_dial_plan_resolve (settings, code, error) : at_domain (settings, code, "", FALSE, error);
}
