/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Two liberties against RFC 5922, both of which providers' certificates need: a wildcard stands for one label
 * (section 7.2 forbids it), and DNS names count beside a SIP URI (section 7.1 lets the URI silence them,
 * which keeps nobody out: a certificate without the URI would do). */

#include "sip/tls-identity.h"

#include <gio/gio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

enum { MAX_NAMES = 5, MAX_PRINTED = 256 };

/* RFC 5924: id-kp-sipDomain */
#define SIP_DOMAIN_OID "1.3.6.1.5.5.7.3.20"

char *
tls_identity_normalize (const char *domain)
{
  gsize length = strlen (domain);

  if (length > 2 && domain[0] == '[' && domain[length - 1] == ']')
    return g_ascii_strdown (domain + 1, length - 2);
  if (length > 1 && domain[length - 1] == '.')
    length--;
  return g_ascii_strdown (domain, length);
}

gboolean
tls_identity_is_address (const char *domain)
{
  g_autofree char *host = tls_identity_normalize (domain);
  ASN1_OCTET_STRING *address = a2i_IPADDRESS (host);
  gboolean is_address = address != NULL;

  ASN1_OCTET_STRING_free (address);
  ERR_clear_error ();
  return is_address;
}

/* The string of a name, or NULL if it holds a NUL or is no string. */
static char *
dup_string (const ASN1_STRING *string)
{
  int length = ASN1_STRING_length (string);
  const char *data = (const char *) ASN1_STRING_get0_data (string);

  if (length <= 0 || memchr (data, '\0', length) != NULL)
    return NULL;
  return g_strndup (data, length);
}

/* The host of a SIP URI without user part; NULL: this is none. */
static char *
sip_uri_host (const char *uri)
{
  const char *host = uri + 4;
  gsize length;

  if (g_ascii_strncasecmp (uri, "sip:", 4) != 0 || strchr (host, '@') != NULL)
    return NULL;
  length = *host == '[' ? strcspn (host, "]") + 1 : strcspn (host, ":;?");
  if (length == 0 || length > strlen (host))
    return NULL;
  return g_strndup (host, length);
}

static gboolean
uri_matches (const GENERAL_NAMES *names, const char *host)
{
  for (int i = 0; i < sk_GENERAL_NAME_num (names); i++)
    {
      const GENERAL_NAME *name = sk_GENERAL_NAME_value (names, i);
      g_autofree char *uri = NULL, *named = NULL, *normal = NULL;

      if (name->type != GEN_URI || (uri = dup_string (name->d.uniformResourceIdentifier)) == NULL ||
          (named = sip_uri_host (uri)) == NULL)
        continue;
      normal = tls_identity_normalize (named);
      if (g_str_equal (normal, host))
        return TRUE;
    }
  return FALSE;
}

gboolean
tls_identity_matches (X509 *certificate, const char *domain)
{
  g_autofree char *host = tls_identity_normalize (domain);
  gboolean has_names = X509_get_ext_by_NID (certificate, NID_subject_alt_name, -1) >= 0;
  GENERAL_NAMES *names = X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);
  unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                   (has_names ? X509_CHECK_FLAG_NEVER_CHECK_SUBJECT : X509_CHECK_FLAG_ALWAYS_CHECK_SUBJECT);
  gboolean matches = *host != '\0' && names != NULL && uri_matches (names, host);

  GENERAL_NAMES_free (names);
  if (!matches && *host != '\0')
    matches = tls_identity_is_address (host) ? X509_check_ip_asc (certificate, host, 0) == 1
                                             : X509_check_host (certificate, host, 0, flags, NULL) == 1;
  ERR_clear_error ();
  return matches;
}

gboolean
tls_identity_is_for_sip (X509 *certificate)
{
  EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i (certificate, NID_ext_key_usage, NULL, NULL);
  gboolean found = FALSE;

  for (int i = 0; usages != NULL && i < sk_ASN1_OBJECT_num (usages); i++)
    {
      char oid[64];
      OBJ_obj2txt (oid, sizeof oid, sk_ASN1_OBJECT_value (usages, i), 1);
      found |= g_str_equal (oid, SIP_DOMAIN_OID);
    }
  EXTENDED_KEY_USAGE_free (usages);
  ERR_clear_error ();
  return found;
}

/* ---- for people ---- */

/* What a stranger wrote into a certificate, fit for a terminal and a log. */
static char *
make_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *printable = g_string_new (NULL);

  for (const char *p = valid; *p != '\0' && printable->len < MAX_PRINTED; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      g_string_append_unichar (printable, g_unichar_isprint (c) ? c : '?');
    }
  return g_string_free (printable, FALSE);
}

static char *
print_general_name (const GENERAL_NAME *name)
{
  g_autofree char *text = NULL;

  if (name->type == GEN_DNS)
    text = dup_string (name->d.dNSName);
  else if (name->type == GEN_URI)
    text = dup_string (name->d.uniformResourceIdentifier);
  else if (name->type == GEN_IPADD)
    {
      const ASN1_OCTET_STRING *address = name->d.iPAddress;
      int length = ASN1_STRING_length (address);
      GSocketFamily family = length == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6;
      g_autoptr (GInetAddress) inet = NULL;

      if (length == 4 || length == 16)
        inet = g_inet_address_new_from_bytes (ASN1_STRING_get0_data (address), family);
      if (inet != NULL)
        text = g_inet_address_to_string (inet);
    }
  return text != NULL ? make_printable (text) : NULL;
}

char *
tls_identity_names (X509 *certificate)
{
  GENERAL_NAMES *names = X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);
  g_autoptr (GString) list = g_string_new (NULL);
  int n = 0;

  for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num (names) && n <= MAX_NAMES; i++)
    {
      g_autofree char *printed = print_general_name (sk_GENERAL_NAME_value (names, i));
      if (printed == NULL)
        continue;
      g_string_append_printf (list, "%s%s", n > 0 ? ", " : "", n < MAX_NAMES ? printed : "...");
      n++;
    }
  GENERAL_NAMES_free (names);
  ERR_clear_error ();
  if (n > 0)
    return g_string_free (g_steal_pointer (&list), FALSE);
  return tls_identity_print_name (X509_get_subject_name (certificate));
}

char *
tls_identity_print_name (const X509_NAME *name)
{
  BIO *memory = BIO_new (BIO_s_mem ());
  char *data = NULL, *printable;
  long length;
  g_autofree char *text = NULL;

  X509_NAME_print_ex (memory, name, 0, (XN_FLAG_RFC2253 | ASN1_STRFLGS_UTF8_CONVERT) & ~ASN1_STRFLGS_ESC_MSB);
  length = BIO_get_mem_data (memory, &data);
  text = g_strndup (data != NULL ? data : "", MIN (MAX (length, 0), 4 * MAX_PRINTED));
  printable = make_printable (text);
  BIO_free (memory);
  ERR_clear_error ();
  return printable;
}

gint64
tls_identity_time (const ASN1_TIME *time)
{
  struct tm tm;

  if (time == NULL || ASN1_TIME_to_tm (time, &tm) != 1)
    return 0;
  return timegm (&tm);
}
