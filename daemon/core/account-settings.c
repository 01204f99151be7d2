/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table of account keys. The order is the one in which keys are listed and saved; the words are those of the
 * keyfile, of AddAccount/Update and of phonectl. Man page phoned.conf(5) is compared with it by a test. */

#include "core/account-settings.h"

#include <string.h>

#include "core/ice-server.h"
#include "core/dial-plan.h"
#include "core/emergency.h"
#include "core/number-list.h"
#include "core/quality-alarm.h"
#include "core/service-code.h"
#include "core/settings-table.h"
#include "util/phone-uri.h"
#include "util/text.h"

#define MAX_ID 32
#define MAX_NAME 128            /* characters */
#define MAX_DIDS 32
#define MAX_PREFIX 16
#define NEVER_AUTO_ANSWER -1
#define MAX_AUTO_ANSWER 60000   /* ms */

#define WORD(id, text) text,
static const char *const record_words[] = { PHONE_RECORD_POLICY_LIST (WORD) NULL };
static const char *const transport_words[] = { PHONE_TRANSPORT_LIST (WORD) NULL };
static const char *const dtmf_words[] = { PHONE_DTMF_MODE_LIST (WORD) NULL };
static const char *const redirects_words[] = { PHONE_REDIRECTS_LIST (WORD) NULL };
static const char *const referral_words[] = { PHONE_REFERRALS_LIST (WORD) NULL };
static const char *const park_words[] = { PHONE_PARK_METHOD_LIST (WORD) NULL };
static const char *const report_words[] = { PHONE_MESSAGE_REPORTS_LIST (WORD) NULL };
static const char *const receipt_words[] = { PHONE_MESSAGE_RECEIPTS_LIST (WORD) NULL };
static const char *const publish_words[] = { PHONE_PUBLISH_LIST (WORD) NULL };
static const char *const subscriber_words[] = { PHONE_SUBSCRIBERS_LIST (WORD) NULL };
#undef WORD
/* PHONE_SETTING_WORD writes through a guint pointer. */
G_STATIC_ASSERT (sizeof (PhoneTransport) == sizeof (guint) && sizeof (PhoneDtmfMode) == sizeof (guint)
                 && sizeof (PhoneRedirects) == sizeof (guint) && sizeof (PhoneReferrals) == sizeof (guint)
                 && sizeof (PhonePublish) == sizeof (guint) && sizeof (PhoneParkMethod) == sizeof (guint));

/* ---- checks ---- */

static char *
check_name (const char *value, GError **error)
{
  return g_utf8_strlen (value, -1) <= MAX_NAME ? g_strdup (value) : phone_setting_refuse (value, "at most 128 characters", error);
}

/* RFC 7616 section 4 (A1): user:realm:password, so a colon cannot be part of it. */
static char *
check_auth_user (const char *value, GError **error)
{
  if (strchr (value, ':') != NULL)
    return phone_setting_refuse (value, "a user name without ':'", error);
  return check_name (value, error);
}

/* The message of a URI that cannot be parsed does not repeat it: it may hold a password. */
static PhoneUri *
parse_sip_uri (const char *value, GError **error)
{
  /* alice@example.org is what people write. */
  g_autofree char *text = g_ascii_strncasecmp (value, "sip:", 4) == 0 || g_ascii_strncasecmp (value, "sips:", 5) == 0
                              ? g_strdup (value) : g_strconcat ("sip:", value, NULL);
  return phone_uri_parse (text, error);
}

static char *
check_aor (const char *value, GError **error)
{
  g_autoptr (PhoneUri) uri = parse_sip_uri (value, error);

  if (uri == NULL)
    return NULL;
  if (uri->user == NULL || uri->params->len > 0 || uri->headers->len > 0)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                           "an address of record is sip:USER@DOMAIN without parameters");
      return NULL;
    }
  return phone_uri_to_string (uri);
}

/* URI or host[:port]; kept as it was written. */
static char *
check_server (const char *value, GError **error)
{
  g_autoptr (PhoneUri) uri = parse_sip_uri (value, error);

  if (uri == NULL)
    return NULL;
  if (uri->user != NULL || uri->headers->len > 0)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                           "a server is HOST[:PORT] or sip:HOST[:PORT], without user and headers");
      return NULL;
    }
  return g_strdup (value);
}

static char *
check_domain (const char *value, GError **error)
{
  g_autofree char *text = g_strconcat ("sip:", value, NULL);
  g_autoptr (PhoneUri) uri = phone_uri_parse (text, error);

  if (uri == NULL)
    return NULL;
  if (uri->user != NULL || uri->params->len > 0 || uri->headers->len > 0)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "a domain is HOST[:PORT]");
      return NULL;
    }
  g_free (text);
  text = phone_uri_to_string (uri);
  return g_strdup (text + strlen ("sip:"));
}

/* The number without visual separators, or NULL. */
static char *
plain_number (const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (const char *p = text; *p != '\0'; p++)
    if (g_ascii_isdigit (*p) || (*p == '+' && out->len == 0) || *p == '*' || *p == '#')
      g_string_append_c (out, *p);
    else if (strchr ("-.() ", *p) == NULL)
      return NULL;
  return strpbrk (out->str, "0123456789") != NULL ? g_strdup (out->str) : NULL;
}

static char *
check_did (const char *value, GError **error)
{
  g_auto (GStrv) numbers = g_strsplit (value, ",", MAX_DIDS + 1);

  if (g_strv_length (numbers) > MAX_DIDS)
    return phone_setting_refuse (value, "a list of at most 32 numbers", error);
  for (guint i = 0; numbers[i] != NULL; i++)
    {
      char *number = plain_number (numbers[i]);
      if (number == NULL)
        return phone_setting_refuse (value, "a list of numbers, separated by commas", error);
      g_free (numbers[i]);
      numbers[i] = number;
    }
  return g_strjoinv (",", numbers);
}

/* What it is worth shows when all settings are known: phone_account_settings_validate. */
static char *
check_forward (const char *value, GError **error)
{
  if (strlen (value) > PHONE_DIAL_MAX || !phone_text_is_clean (value))
    return phone_setting_refuse (value, "a number or URI that can be dialled", error);
  return g_strdup (value);
}

static char *check_slot_code (const char *value, GError **error) { return phone_service_code_check (value, "{slot}", error); }
static char *check_target_code (const char *value, GError **error) { return phone_service_code_check (value, "{target}", error); }

static char *
check_prefix (const char *value, GError **error)
{
  if (strlen (value) > MAX_PREFIX || strspn (value + (value[0] == '+'), "0123456789*#") != strlen (value + (value[0] == '+')))
    return phone_setting_refuse (value, "a prefix of at most 16 digits, '*' and '#', with at most a leading '+'", error);
  return g_strdup (value);
}

/* What can be dialled; whether it can be is the dial plan's to say. */
static char *
check_mailbox (const char *value, GError **error)
{
  return strpbrk (value, " <>\"") ? phone_setting_refuse (value, "a number or a SIP URI", error) : check_name (value, error);
}

static char *
check_collector (const char *value, GError **error)
{
  g_autoptr (PhoneUri) uri = parse_sip_uri (value, error);

  if (uri == NULL)
    return NULL;
  if (g_ascii_strncasecmp (value, "tel:", 4) == 0 || uri->host == NULL || uri->headers->len > 0)
    return phone_setting_refuse (value, "a SIP URI without headers", error);
  return phone_uri_to_string (uri);
}

static char *
check_quality_alerts (const char *value, GError **error)
{
  PhoneQualityAlarm alarm;

  return phone_quality_alarm_parse (value, &alarm, error) ? g_strdup (value) : NULL;
}

/* ---- keys with a form of their own ---- */

static gboolean
parse_codecs (gpointer data, const char *value, GError **error)
{
  PhoneAccountSettings *settings = data;
  g_auto (GStrv) words = g_strsplit (value, ",", PHONE_MAX_CODECS + 1);
  PhoneCodecId codecs[PHONE_MAX_CODECS];
  guint n = 0;

  for (guint i = 0; words[i] != NULL; i++)
    {
      gboolean twice = FALSE;
      if (n == PHONE_MAX_CODECS || !phone_codec_id_from_string (g_strstrip (words[i]), &codecs[n]))
        {
          phone_setting_refuse (words[i], "one of opus, g722, pcma, pcmu", error);
          return FALSE;
        }
      for (guint k = 0; k < n; k++)
        twice = twice || codecs[k] == codecs[n];
      if (twice)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" stands twice", words[i]);
          return FALSE;
        }
      n++;
    }
  memcpy (settings->codecs, codecs, n * sizeof codecs[0]);
  settings->n_codecs = n;
  return TRUE;
}

static char *
format_codecs (gconstpointer data)
{
  const PhoneAccountSettings *settings = data;
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < settings->n_codecs; i++)
    g_string_append_printf (out, "%s%s", i > 0 ? "," : "", phone_codec_id_to_string (settings->codecs[i]));
  return g_string_free (out, FALSE);
}

static gboolean
parse_ptime (gpointer data, const char *value, GError **error)
{
  /* What Opus and G.711 both have. */
  static const char *const known[] = { "10", "20", "40", "60", NULL };

  if (!g_strv_contains (known, value))
    {
      phone_setting_refuse (value, "one of 10, 20, 40, 60", error);
      return FALSE;
    }
  return phone_setting_parse_uint (value, 10, 60, &((PhoneAccountSettings *) data)->ptime);
}

static char *
format_ptime (gconstpointer data)
{
  return g_strdup_printf ("%u", ((const PhoneAccountSettings *) data)->ptime);
}

static gboolean
parse_srtp (gpointer data, const char *value, GError **error)
{
  PhoneAccountSettings *settings = data;

  if (value != NULL && !phone_srtp_policy_from_string (value, &settings->srtp))
    {
      phone_setting_refuse (value, "one of required, preferred, off", error);
      return FALSE;
    }
  settings->srtp_set = value != NULL;
  if (value == NULL)
    settings->srtp = PHONE_SRTP_OFF;
  return TRUE;
}

static char *
format_srtp (gconstpointer data)
{
  const PhoneAccountSettings *settings = data;
  return settings->srtp_set ? g_strdup (phone_srtp_policy_to_string (settings->srtp)) : NULL;
}

static gboolean
parse_keying (gpointer data, const char *value, GError **error)
{
  PhoneKeying keying;

  if (!phone_keying_from_string (value, &keying))
    {
      phone_setting_refuse (value, "one of any, sdes, dtls", error);
      return FALSE;
    }
  ((PhoneAccountSettings *) data)->keying = keying;
  return TRUE;
}

static char *
format_keying (gconstpointer data)
{
  return g_strdup (phone_keying_to_string (((const PhoneAccountSettings *) data)->keying));
}

static gboolean
parse_ice (gpointer data, const char *value, GError **error)
{
  gboolean on = g_str_equal (value, "on");

  if (!on && !g_str_equal (value, "off"))
    {
      phone_setting_refuse (value, "on or off", error);
      return FALSE;
    }
  ((PhoneAccountSettings *) data)->ice = on;
  return TRUE;
}

static char *
format_ice (gconstpointer data)
{
  return g_strdup (((const PhoneAccountSettings *) data)->ice ? "on" : "off");
}

static char *
check_ice_server (const char *value, gboolean relay, GError **error)
{
  g_autoptr (PhoneIceServer) server = phone_ice_server_parse (value, relay, error);
  return server != NULL ? g_strdup (value) : NULL;
}

static char *
check_stun (const char *value, GError **error)
{
  return check_ice_server (value, FALSE, error);
}

static char *
check_turn (const char *value, GError **error)
{
  return check_ice_server (value, TRUE, error);
}

static gboolean
parse_auto_answer (gpointer data, const char *value, GError **error)
{
  PhoneAccountSettings *settings = data;
  guint ms;

  if (g_str_equal (value, "off"))
    settings->auto_answer = NEVER_AUTO_ANSWER;
  else if (phone_setting_parse_uint (value, 0, MAX_AUTO_ANSWER, &ms))
    settings->auto_answer = (int) ms;
  else
    {
      phone_setting_refuse (value, "off or a number of milliseconds from 0 to 60000", error);
      return FALSE;
    }
  return TRUE;
}

static char *
format_auto_answer (gconstpointer data)
{
  const PhoneAccountSettings *settings = data;
  return settings->auto_answer < 0 ? g_strdup ("off") : g_strdup_printf ("%d", settings->auto_answer);
}

/* ---- the table ---- */

#define AT(member) .offset = G_STRUCT_OFFSET (PhoneAccountSettings, member)
#define TEXT(name, member, checker, text) { .key = name, .kind = PHONE_SETTING_TEXT, AT (member), .check = checker, .help = text }
#define BOOL(name, member, value, text) { .key = name, .kind = PHONE_SETTING_BOOL, AT (member), .def = value, .help = text }
#define CUSTOM(name, value, what, text) \
  { .key = name, .kind = PHONE_SETTING_CUSTOM, .def = value, .parse = parse_##what, .format = format_##what, .help = text }

static const PhoneSetting rows[] = {
  BOOL ("enabled", enabled, "true", "whether the account is used at all"),
  TEXT ("name", name, check_name, "name shown to people; default: the address of record"),
  TEXT ("aor", aor, check_aor, "address of record, sip:USER@DOMAIN; required"),
  TEXT ("display-name", display_name, check_name, "name that the called party sees"),
  TEXT ("auth-user", auth_user, check_auth_user, "user name for authentication; default: the user part of aor"),
  TEXT ("password-file", password_file, phone_setting_check_path, "file with the password, readable by its owner only"),
  TEXT ("registrar", registrar, check_server, "HOST[:PORT] or SIP URI; default: the domain of aor"),
  TEXT ("outbound-proxy", outbound_proxy, check_server, "HOST[:PORT] or SIP URI that all requests go through"),
  { .key = "transport", .kind = PHONE_SETTING_WORD, AT (transport), .words = transport_words, .def = "auto",
    .help = "udp, tcp, tls, or auto: what DNS says (NAPTR, SRV), else udp" },
  BOOL ("register", do_register, "true", "false for a phone that is reached directly, without a registrar"),
  { .key = "expires", .kind = PHONE_SETTING_UINT, AT (expires), .min = 60, .max = 86400, .def = "3600",
    .help = "seconds that a registration is asked for" },
  { .key = "keep-alive", .kind = PHONE_SETTING_UINT, AT (keep_alive), .min = 10, .max = 3600, .zero_too = TRUE, .def = "29",
    .help = "seconds between keep-alives of the connection to the server; 0: none" },
  { .key = "reg-id", .kind = PHONE_SETTING_UINT, AT (reg_id), .min = 1, .max = 1000, .def = "1",
    .help = "number of this flow among those of the phone (RFC 5626)" },
  TEXT ("tls-ca", tls_ca, phone_setting_check_path, "file or directory of trusted certificates; default: those of the system"),
  TEXT ("tls-cert", tls_cert, phone_setting_check_path, "PEM file with our certificate and key: for servers that ask, and for direct calls"),
  BOOL ("tls-verify", tls_verify, "true", "whether the server's certificate is verified; false is for experiments"),
  BOOL ("tls-verify-callers", tls_verify_callers, "false", "with register=false: whether callers need a certificate that tls-ca trusts"),
  CUSTOM ("codecs", "opus,g722,pcma,pcmu", codecs, "codecs in the order of preference"),
  CUSTOM ("ptime", "20", ptime, "milliseconds of sound in a packet: 10, 20, 40 or 60"),
  CUSTOM ("srtp", NULL, srtp, "required, preferred or off; default: required over TLS, else off"),
  BOOL ("sdes-in-clear", sdes_in_clear, "false", "whether media keys may travel over unencrypted signalling"),
  CUSTOM ("keying", "any", keying, "how media keys are agreed on: sdes, dtls or any"),
  CUSTOM ("ice", "off", ice, "on: media find their way through NATs and firewalls by ICE; off: they go where the peer says"),
  TEXT ("stun-server", stun_server, check_stun, "stun:HOST[:PORT] that tells our address outside; used with ice=on"),
  TEXT ("turn-server", turn_server, check_turn, "turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT], a relay for media; used with ice=on"),
  TEXT ("turn-user", turn_user, check_auth_user, "user name at the TURN server; default: name and password of the account"),
  TEXT ("turn-password-file", turn_password_file, phone_setting_check_path, "file with the password of turn-user, readable by its owner only"),
  { .key = "dtmf", .kind = PHONE_SETTING_WORD, AT (dtmf), .words = dtmf_words, .def = "auto",
    .help = "rfc4733, info, or auto: rfc4733 if the peer has it, else info" },
  { .key = "redirects", .kind = PHONE_SETTING_WORD, AT (redirects), .words = redirects_words, .def = "follow",
    .help = "follow or refuse: what becomes of a call that is sent on to another address (3xx)" },
  CUSTOM ("auto-answer", "off", auto_answer, "off, or milliseconds after which an incoming call is answered"),
  TEXT ("intercom", intercom, phone_number_list_check, "callers, separated by commas, whose calls the phone answers by itself if they ask for it"),
  TEXT ("intercom-privileged", intercom_privileged, phone_number_list_check, "those of whom it does so in spite of do not disturb (Priv-Answer-Mode)"),
  { .key = "max-calls", .kind = PHONE_SETTING_UINT, AT (max_calls), .min = 1, .max = 1000, .def = "8",
    .help = "calls of this account at the same time" },
  { .key = "record", .kind = PHONE_SETTING_WORD, AT (record), .words = record_words, .def = "on-demand",
    .help = "calls that are recorded: incoming, outgoing, all, on-demand (and those of [recording] numbers), or never" },
  { .key = "transfers", .kind = PHONE_SETTING_WORD, AT (referrals), .words = referral_words, .def = "ask",
    .help = "when the peer of a call transfers us to another: ask, accept or refuse" },
  BOOL ("transfer-news", transfer_news, "true", "false: a peer that we transfer is asked not to tell what came of it (RFC 4488)"),
  TEXT ("forward", forward, check_forward, "every incoming call is sent on to this number or URI"),
  TEXT ("forward-busy", forward_busy, check_forward, "incoming calls that would get busy are sent on to this number or URI"),
  TEXT ("forward-no-reply", forward_no_reply, check_forward, "incoming calls that nobody answers are sent on to this number or URI"),
  { .key = "forward-no-reply-timeout", .kind = PHONE_SETTING_UINT, AT (forward_timeout), .min = 1, .max = 600, .def = "20",
    .help = "seconds after which nobody has answered, for forward-no-reply" },
  TEXT ("forward-on", forward_on, check_target_code, "dialled to have the server send every call on, {target} in it for the number"),
  TEXT ("forward-off", forward_off, check_forward, "dialled to end that"),
  TEXT ("forward-busy-on", forward_busy_on, check_target_code, "dialled to have the server send calls on that would get busy"),
  TEXT ("forward-busy-off", forward_busy_off, check_forward, "dialled to end that"),
  TEXT ("forward-no-reply-on", forward_no_reply_on, check_target_code, "dialled to have the server send calls on that nobody answers"),
  TEXT ("forward-no-reply-off", forward_no_reply_off, check_forward, "dialled to end that"),
  TEXT ("park", park, check_slot_code, "where the server parks calls: number, URI or feature code, {slot} in it for the slot that is asked for"),
  { .key = "park-method", .kind = PHONE_SETTING_WORD, AT (park_method), .words = park_words, .def = "refer",
    .help = "refer: the call is transferred to park; dtmf: the keys of park are pressed in the call" },
  TEXT ("retrieve", retrieve, check_slot_code, "dialled to take a parked call, {slot} in it for the slot; default: the slot itself"),
  TEXT ("pickup", pickup, check_target_code, "dialled to take the call that rings at a phone, {target} in it for its user; default: by dialog-info"),
  TEXT ("pickup-group", pickup_group, check_forward, "dialled to take the call that rings at any phone of the group"),
  TEXT ("did", did, check_did, "numbers, separated by commas, that this account also answers for"),
  TEXT ("prefix", prefix, check_prefix, "put before plain numbers that are dialled"),
  TEXT ("default-domain", default_domain, check_domain, "HOST[:PORT] for numbers and names without one; default: that of aor"),
  TEXT ("country", country, phone_setting_check_country, "ISO 3166-1 code for tones and emergency numbers; default: [daemon] country"),
  { .key = "publish", .kind = PHONE_SETTING_WORD, AT (publish), .words = publish_words, .def = "auto",
    .help = "whether presence is published to the server: on, off, or auto: once a status was set" },
  { .key = "subscribers", .kind = PHONE_SETTING_WORD, AT (subscribers), .words = subscriber_words, .def = "refuse",
    .help = "peers that subscribe to our presence or our calls and are on no list: refuse, ask or accept" },
  TEXT ("subscribers-allow", subscribers_allow, phone_number_list_check, "parties who may: numbers and USER@HOST, separated by commas; * is any text"),
  TEXT ("subscribers-block", subscribers_block, phone_number_list_check, "parties who may not, written in the same way"),
  BOOL ("roster", roster, "true", "whether to ask a server's conference who is in it (conference package)"),
  BOOL ("focus", focus, "false", "whether the parties of a conference held here are told that it is one (isfocus), and who is in it if they ask"),
  BOOL ("winfo", winfo, "false", "whether to ask the server who watches our presence there (presence.winfo)"),
  BOOL ("mwi", mwi, "true", "whether to ask the server about messages in the mailbox (message-summary)"),
  BOOL ("answering", answering, "false", "the answering machine of this phone, for an account whose provider has no mailbox"),
  { .key = "answering-after", .kind = PHONE_SETTING_UINT, AT (answering_after), .min = 1, .max = 600, .def = "25",
    .help = "seconds of ringing after which the answering machine takes a call" },
  BOOL ("answering-busy", answering_busy, "true", "whether it takes calls that would get busy"),
  BOOL ("answering-away", answering_away, "true", "whether it takes calls at once while the status is away"),
  TEXT ("greeting", greeting, phone_setting_check_path, "WAV file that callers hear first; default: that of [voicemail] sounds"),
  TEXT ("mailbox", mailbox, check_mailbox, "number or SIP URI of the mailbox; default: what the server says"),
  TEXT ("quality-collector", quality_collector, check_collector, "SIP URI that is told at the end of each call how it sounded (RFC 6035)"),
  { .key = "quality-interval", .kind = PHONE_SETTING_UINT, AT (quality_interval), .min = 5, .max = 3600, .zero_too = TRUE, .def = "0",
    .help = "seconds between what it is told while a call lasts; 0: only at the end" },
  TEXT ("quality-alerts", quality_alerts, check_quality_alerts,
        "METRIC=WARNING/CRITICAL, separated by commas, of loss, jitter, round-trip, mos: it is told when a call gets that bad, and good again"),
  { .key = "message-reports", .kind = PHONE_SETTING_WORD, AT (message_reports), .words = report_words, .def = "auto",
    .help = "whether messages ask for delivery and display reports: on, off, or auto: of peers that understand it" },
  { .key = "message-receipts", .kind = PHONE_SETTING_WORD, AT (message_receipts), .words = receipt_words, .def = "delivered",
    .help = "what peers who ask are told of their messages: none, delivered, or displayed: also when they were read" },
};
static const PhoneSettingTable table = { rows, G_N_ELEMENTS (rows), sizeof (PhoneAccountSettings) };

/* ---- the interface ---- */

static gboolean
is_valid_id (const char *id)
{
  gsize n = strspn (id, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return n > 0 && n <= MAX_ID && id[n] == '\0' && id[0] != '-';
}

PhoneAccountSettings *
phone_account_settings_new (const char *id, GError **error)
{
  PhoneAccountSettings *settings;

  g_return_val_if_fail (id != NULL, NULL);

  if (!is_valid_id (id))
    {
      g_autofree char *shown = phone_text_clean (id, -1, MAX_ID * 2);
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                   "id: \"%s\" is not made of 1 to %d lower-case letters, digits and '-' (not first)", shown != NULL ? shown : "", MAX_ID);
      return NULL;
    }
  settings = g_new0 (PhoneAccountSettings, 1);
  settings->id = g_strdup (id);
  phone_setting_reset_all (&table, settings);
  return settings;
}

PhoneAccountSettings *
phone_account_settings_copy (const PhoneAccountSettings *settings)
{
  PhoneAccountSettings *copy;

  g_return_val_if_fail (settings != NULL, NULL);
  copy = phone_setting_copy_all (&table, settings);
  copy->id = g_strdup (settings->id);
  return copy;
}

void
phone_account_settings_free (PhoneAccountSettings *settings)
{
  if (settings == NULL)
    return;
  phone_setting_clear_all (&table, settings);
  g_free (settings->id);
  g_free (settings);
}

gboolean
phone_account_settings_equal (const PhoneAccountSettings *a, const PhoneAccountSettings *b)
{
  g_return_val_if_fail (a != NULL && b != NULL, FALSE);
  return g_str_equal (a->id, b->id) && phone_setting_equal_all (&table, a, b);
}

/* What a call reads when it begins; everything else is part of the account's registration and connections. */
static const char *const per_call_keys[] = {
  "name", "codecs", "ptime", "srtp", "sdes-in-clear", "keying", "ice", "stun-server", "turn-server",
  "turn-user", "turn-password-file", "dtmf", "redirects", "auto-answer", "intercom", "intercom-privileged", "max-calls", "record", "transfers", "transfer-news", "roster", "focus", "forward",
  "forward-busy", "forward-no-reply", "forward-no-reply-timeout", "forward-on", "forward-off", "forward-busy-on",
  "forward-busy-off", "forward-no-reply-on", "forward-no-reply-off", "park", "park-method",
  "retrieve", "pickup", "pickup-group", "did", "prefix", "default-domain", "country", "mailbox", "quality-collector", "quality-interval", "quality-alerts",
  "message-reports", "message-receipts", "subscribers", "subscribers-allow", "subscribers-block", "answering", "answering-after",
  "answering-busy", "answering-away", "greeting", NULL,
};

gboolean
phone_account_settings_same_stack (const PhoneAccountSettings *a, const PhoneAccountSettings *b)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text_a = NULL, *text_b = NULL;

      if (g_strv_contains (per_call_keys, rows[i].key))
        continue;
      text_a = phone_setting_format (&rows[i], a);
      text_b = phone_setting_format (&rows[i], b);
      if (g_strcmp0 (text_a, text_b) != 0)
        return FALSE;
    }
  return TRUE;
}

/* Keys that people try, with an answer that is better than "unknown". */
static gboolean
explain_key (const char *key, GError **error)
{
  static const struct { const char *key, *answer; } answers[] = {
    { "password", "passwords do not stand in settings; use password-file, or `phonectl account passwd`" },
    { "secret", "passwords do not stand in settings; use password-file, or `phonectl account passwd`" },
    { "turn-password", "passwords do not stand in settings; use turn-password-file, or `phonectl account passwd --turn`" },
    { "id", "the id is the name of the file and cannot be changed" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    if (g_str_equal (answers[i].key, key))
      {
        g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: %s", key, answers[i].answer);
        return TRUE;
      }
  return FALSE;
}

gboolean
phone_account_settings_set (PhoneAccountSettings *settings, const char *key, const char *value, GError **error)
{
  const PhoneSetting *row;

  g_return_val_if_fail (settings != NULL && key != NULL, FALSE);

  row = phone_setting_find (&table, NULL, key);
  if (row != NULL)
    return phone_setting_set (row, settings, value, error);
  if (!explain_key (key, error))
    phone_setting_set_unknown (&table, NULL, key, error);
  return FALSE;
}

/* A URI that names a transport must not contradict the account's: media keys and passwords would take a way that the user did not choose. */
static gboolean
check_server_transport (const PhoneAccountSettings *settings, const char *key, const char *server, GError **error)
{
  g_autoptr (PhoneUri) uri = server != NULL ? parse_sip_uri (server, NULL) : NULL;
  const char *named = uri != NULL ? phone_uri_get_param (uri, "transport") : NULL;
  const char *ours = phone_transport_to_string (settings->transport);

  if (uri == NULL || settings->transport == PHONE_TRANSPORT_AUTO)
    return TRUE;
  if (uri->scheme == PHONE_URI_SIPS && settings->transport != PHONE_TRANSPORT_TLS)
    named = "tls";
  if (named == NULL || g_ascii_strcasecmp (named, ours) == 0)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: its transport contradicts transport=%s", key, ours);
  return FALSE;
}

/* A call that is sent on must have somewhere to go, and help is not called for others. */
static gboolean
check_forwards (const PhoneAccountSettings *settings, GError **error)
{
  const struct { const char *key, *target; } forwards[] = {
    { "forward", settings->forward }, { "forward-busy", settings->forward_busy }, { "forward-no-reply", settings->forward_no_reply },
  };

  for (guint i = 0; i < G_N_ELEMENTS (forwards); i++)
    {
      g_autoptr (GError) why = NULL;
      g_autofree char *uri = forwards[i].target ? phone_dial_plan_resolve (settings, forwards[i].target, &why) : NULL;

      if (uri != NULL && phone_is_emergency_number (uri, settings->country))
        g_set_error_literal (&why, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "an emergency number");
      if (why != NULL)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: %s", forwards[i].key, why->message);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
are_keys (const char *code)
{
  g_autofree char *keys = code ? phone_service_code_expand (code, "{slot}", strstr (code, "{slot}") ? "0" : NULL) : NULL;

  return keys && keys[strspn (keys, "0123456789*#ABCDabcd")] == '\0';
}

gboolean
phone_account_settings_validate (const PhoneAccountSettings *settings, GError **error)
{
  const char *problem = NULL;

  g_return_val_if_fail (settings != NULL, FALSE);

  if (settings->aor == NULL)
    problem = "aor: is required";
  else if (g_str_has_prefix (settings->aor, "sips:") && settings->transport != PHONE_TRANSPORT_TLS)
    problem = "aor: sips: needs transport=tls";
  else if (settings->park_method == PHONE_PARK_DTMF && !are_keys (settings->park))
    problem = "park: with park-method=dtmf it is made of the keys 0-9 * # A-D, with {slot}";
  else if (phone_account_settings_srtp (settings, FALSE) == PHONE_SRTP_REQUIRED && settings->keying == PHONE_KEYING_SDES
           && !phone_account_settings_sdes_allowed (settings, FALSE))
    problem = "srtp: required with keying=sdes needs transport=tls, or sdes-in-clear=true";
  if (problem != NULL)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, problem);
      return FALSE;
    }
  return check_server_transport (settings, "registrar", settings->registrar, error)
         && check_server_transport (settings, "outbound-proxy", settings->outbound_proxy, error) && check_forwards (settings, error);
}

char *
phone_account_settings_get (const PhoneAccountSettings *settings, const char *key)
{
  const PhoneSetting *row;
  g_autofree char *value = NULL;
  g_autofree char *def = NULL;

  g_return_val_if_fail (settings != NULL && key != NULL, NULL);

  row = phone_setting_find (&table, NULL, key);
  if (row == NULL)
    return NULL;
  value = phone_setting_format (row, settings);
  def = phone_setting_dup_default (row);
  return g_strcmp0 (value, def) != 0 ? g_steal_pointer (&value) : NULL;
}

const char *const *
phone_account_settings_keys (void)
{
  static const char *keys[G_N_ELEMENTS (rows) + 1];

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    keys[i] = rows[i].key;
  return keys;
}

const char *
phone_account_settings_help (const char *key)
{
  const PhoneSetting *row;

  g_return_val_if_fail (key != NULL, NULL);
  row = phone_setting_find (&table, NULL, key);
  return row != NULL ? row->help : NULL;
}

const char *
phone_account_settings_default (const char *key)
{
  const PhoneSetting *row;

  g_return_val_if_fail (key != NULL, NULL);
  row = phone_setting_find (&table, NULL, key);
  return row != NULL ? row->def : NULL;
}

PhoneSrtpPolicy
phone_account_settings_srtp (const PhoneAccountSettings *settings, gboolean over_tls)
{
  g_return_val_if_fail (settings != NULL, PHONE_SRTP_REQUIRED);
  if (settings->srtp_set)
    return settings->srtp;
  return over_tls || settings->transport == PHONE_TRANSPORT_TLS ? PHONE_SRTP_REQUIRED : PHONE_SRTP_OFF;
}

gboolean
phone_account_settings_sdes_allowed (const PhoneAccountSettings *settings, gboolean over_tls)
{
  g_return_val_if_fail (settings != NULL, FALSE);
  return over_tls || settings->transport == PHONE_TRANSPORT_TLS || settings->sdes_in_clear;
}
