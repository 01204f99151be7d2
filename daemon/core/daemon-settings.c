/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/daemon-settings.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/ring-list.h"

#include "core/message.h"
#include "core/number-list.h"
#include "core/settings-table.h"
#include "util/phone-uri.h"
#include "util/text.h"

#define MAX_BINDS 8

#define WORD(name, word) word,
static const char *const format_words[] = { PHONE_RECORDING_FORMAT_LIST (WORD) NULL };
static const char *const signal_words[] = { PHONE_RECORD_SIGNAL_LIST (WORD) NULL };
static const char *const taken_words[] = { PHONE_TAKEN_LIST (WORD) NULL };

/* ---- checks ---- */

static char *
check_user_agent (const char *value, GError **error)
{
  return g_str_is_ascii (value) && strlen (value) <= 128 ? g_strdup (value)
                                                          : phone_setting_refuse (value, "at most 128 ASCII characters", error);
}

static gboolean
is_numeric_address (const char *value)
{
  struct in6_addr address;
  return inet_pton (AF_INET, value, &address) == 1 || inet_pton (AF_INET6, value, &address) == 1;
}

static char *
check_address (const char *value, GError **error)
{
  return is_numeric_address (value) ? g_strdup (value) : phone_setting_refuse (value, "a numeric IPv4 or IPv6 address", error);
}

/* ADDRESS[:PORT][,...]; IPv6 with a port in brackets. */
static char *
check_binds (const char *value, GError **error)
{
  g_auto (GStrv) binds = g_strsplit (value, ",", MAX_BINDS + 1);

  if (g_strv_length (binds) > MAX_BINDS)
    return phone_setting_refuse (value, "a list of at most 8 addresses", error);
  for (guint i = 0; binds[i] != NULL; i++)
    {
      g_autofree char *text = NULL;
      g_autoptr (PhoneUri) uri = NULL;

      g_strstrip (binds[i]);
      if (is_numeric_address (binds[i]))
        continue;
      text = g_strconcat ("sip:", binds[i], NULL);
      uri = phone_uri_parse (text, NULL);
      if (uri == NULL || uri->user != NULL || uri->params->len > 0 || uri->headers->len > 0 || !is_numeric_address (uri->host))
        return phone_setting_refuse (binds[i], "ADDRESS[:PORT] with a numeric address", error);
    }
  return g_strjoinv (",", binds);
}

static char *
check_device (const char *value, gboolean is_input, GError **error)
{
  static const char *const plain[] = { "default", "silence", "pipewire", "pulse", "alsa", NULL };
  static const char *const named[] = { "pipewire", "pulse", "alsa", NULL };
  const char *colon = strchr (value, ':');
  g_autofree char *driver = g_strndup (value, colon != NULL ? (gsize) (colon - value) : strlen (value));
  guint hz;
  gboolean ok;

  if (colon == NULL)
    ok = g_strv_contains (plain, driver) || (is_input && g_str_equal (driver, "tone"));
  else if (g_str_equal (driver, "file"))
    ok = g_path_is_absolute (colon + 1);
  else if (g_str_equal (driver, "tone"))
    ok = is_input && phone_setting_parse_uint (colon + 1, 20, 20000, &hz);
  else
    ok = g_strv_contains (named, driver) && colon[1] != '\0';
  if (ok)
    return g_strdup (value);
  return phone_setting_refuse (value, is_input ? "default, pipewire[:NAME], pulse[:NAME], alsa[:NAME], file:/PATH, tone[:HZ] or silence"
                                               : "default, pipewire[:NAME], pulse[:NAME], alsa[:NAME], file:/PATH or silence", error);
}

static char *
check_input (const char *value, GError **error)
{
  return check_device (value, TRUE, error);
}

static char *
check_output (const char *value, GError **error)
{
  return check_device (value, FALSE, error);
}

static char *
check_echo_cancel (const char *value, GError **error)
{
  static const char *const modes[] = { "off", "on", "auto", NULL };

  return g_strv_contains (modes, value) ? g_strdup (value) : phone_setting_refuse (value, "off, on or auto", error);
}

static gboolean
parse_ports (gpointer data, const char *value, GError **error)
{
  PhoneDaemonSettings *settings = data;
  const char *dash = strchr (value, '-');
  g_autofree char *first_text = g_strndup (value, dash != NULL ? (gsize) (dash - value) : 0);
  guint first, last;

  if (dash == NULL || !phone_setting_parse_uint (first_text, 1024, 65534, &first)
      || !phone_setting_parse_uint (dash + 1, first + 1, 65535, &last))
    {
      phone_setting_refuse (value, "a range FIRST-LAST of ports from 1024 to 65535", error);
      return FALSE;
    }
  settings->port_first = first;
  settings->port_last = last;
  return TRUE;
}

static char *
format_ports (gconstpointer data)
{
  const PhoneDaemonSettings *settings = data;
  return g_strdup_printf ("%u-%u", settings->port_first, settings->port_last);
}

/* The territory of the locale in the environment, "de_AT.UTF-8" -> "AT". LC_TELEPHONE is the category that is about this. */
static char *
country_of_locale (void)
{
  static const char *const variables[] = { "LC_ALL", "LC_TELEPHONE", "LANG" };

  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    {
      const char *locale = g_getenv (variables[i]);
      const char *underscore = locale != NULL ? strchr (locale, '_') : NULL;
      if (underscore != NULL && g_ascii_isalpha (underscore[1]) && g_ascii_isalpha (underscore[2]) && !g_ascii_isalnum (underscore[3]))
        return g_ascii_strup (underscore + 1, 2);
      /* The first that is set decides, as in setlocale(3). */
      if (locale != NULL && locale[0] != '\0')
        break;
    }
  return g_strdup ("US");
}

/* ---- the table ---- */

#define AT(member) .offset = G_STRUCT_OFFSET (PhoneDaemonSettings, member)
#define TEXT(part, name, member, checker, value, text) \
  { .section = part, .key = name, .kind = PHONE_SETTING_TEXT, AT (member), .check = checker, .def = value, .help = text }
#define BOOL(part, name, member, value, text) \
  { .section = part, .key = name, .kind = PHONE_SETTING_BOOL, AT (member), .def = value, .help = text }
#define UINT(part, name, member, low, high, zero, value, text) \
  { .section = part, .key = name, .kind = PHONE_SETTING_UINT, AT (member), .min = low, .max = high, .zero_too = zero, .def = value, \
    .help = text }

static const PhoneSetting rows[] = {
  UINT ("daemon", "max-calls", max_calls, 1, 1000, FALSE, "32", "calls of all accounts at the same time"),
  UINT ("daemon", "linger", linger, 1, 3600, TRUE, "5", "seconds that an ended call stays visible"),
  UINT ("daemon", "ring-timeout", ring_timeout, 5, 3600, FALSE, "120", "seconds after which an unanswered incoming call is refused"),
  UINT ("daemon", "transfer-timeout", transfer_timeout, 1, 600, FALSE, "32", "seconds without news of a transfer after which it has failed"),
  BOOL ("daemon", "call-waiting", call_waiting, "true", "false: a second call gets busy"),
  { .section = "daemon", .key = "country", .kind = PHONE_SETTING_TEXT, AT (country), .check = phone_setting_check_country,
    .make_def = country_of_locale, .help = "ISO 3166-1 code for tones and emergency numbers; default: that of the locale, else US" },
  TEXT ("audio", "input", input, check_input, "default", "microphone"),
  TEXT ("audio", "output", output, check_output, "default", "loudspeaker"),
  TEXT ("audio", "ring", ring, check_output, "default", "where the phone rings"),
  TEXT ("audio", "echo-cancel", echo_cancel, check_echo_cancel, "auto", "takes the loudspeaker out of the microphone: off, on, auto"),
  BOOL ("audio", "follow-default", follow_default, "true", "calls on a default device move when the desktop's default changes"),
  BOOL ("audio", "noise-suppression", noise_suppression, "true", "takes steady noise out of the microphone"),
  BOOL ("audio", "gain-control", gain_control, "false", "brings the voice to the same loudness wherever the mouth is"),
  TEXT ("audio", "rings", rings, phone_ring_list_check,
        "bellcore-dr2=double,bellcore-dr3=triple,bellcore-dr4=long,bellcore-dr5=short,urn:alert:source:internal=double,"
        "urn:alert:priority:high=triple,urn:alert:duration:long=long,urn:alert:duration:short=short",
        "WORD=RING, separated by commas: how calls ring whose Alert-Info has that word"),
  TEXT ("audio", "ring-tone", ring_tone, phone_setting_check_path, NULL, "WAV file; default: the ring tone of the country"),
  { .section = "media", .key = "ports", .kind = PHONE_SETTING_CUSTOM, .parse = parse_ports, .format = format_ports, .def = "16384-32767",
    .help = "range of UDP ports for RTP and RTCP" },
  TEXT ("media", "bind", media_bind, check_address, NULL, "numeric address for RTP; default: any"),
  UINT ("media", "rtp-timeout", rtp_timeout, 5, 3600, TRUE, "60", "seconds without any packet after which a call ends; 0: never"),
  UINT ("media", "opus-bitrate", opus_bitrate, 6000, 510000, FALSE, "28000", "bit/s of Opus on a good path"),
  { .section = "media", .key = "opus-complexity", .kind = PHONE_SETTING_UINT, AT (opus_complexity), .min = 0, .max = 10, .def = "7",
    .help = "effort of the Opus encoder, 0 to 10" },
  TEXT ("sip", "bind", sip_bind, check_binds, NULL, "ADDRESS[:PORT][,...] to listen on; default: any address, a free port"),
  TEXT ("sip", "user-agent", user_agent, check_user_agent, "phoned/" PHONED_VERSION, "what the phone calls itself in requests"),
  UINT ("sip", "session-expires", session_expires, 90, 86400, TRUE, "1800", "seconds between refreshes of a call (RFC 4028); 0: none"),
  BOOL ("sip", "trace", trace, "false", "SIP messages to the journal at debug level, without secrets"),
  { .section = "recording", .key = "format", .kind = PHONE_SETTING_WORD, AT (record_format), .words = format_words, .def = "opus",
    .help = "how calls and conferences are recorded: opus (in Ogg), or wav, which is twenty-five times as large" },
  BOOL ("recording", "announce", record_announce, "true", "whether the other party hears a tone every 15 s while it is recorded"),
  TEXT ("recording", "prompt", record_prompt, phone_setting_check_path, NULL, "WAV file that it hears at the beginning instead; default: the tone"),
  { .section = "recording", .key = "signal", .kind = PHONE_SETTING_WORD, AT (record_signal), .words = signal_words, .def = "always",
    .help = "whether the other party's phone is told of it (a=record, RFC 7866): off, offers: whenever something is negotiated, or always: at once" },
  TEXT ("recording", "numbers", record_numbers, phone_number_list_check, NULL, "parties whose calls are recorded without being asked"),
  UINT ("recording", "keep-days", record_days, 1, 36500, TRUE, "0", "days after which a recording is deleted; 0: never"),
  UINT ("recording", "max-megabytes", record_megabytes, 1, 4000000, TRUE, "0",
        "megabytes beyond which the oldest recordings are deleted; 0: no limit"),
  TEXT ("voicemail", "sounds", voicemail_sounds, phone_setting_check_path, NULL,
        "folder with greeting.wav, full.wav, sorry.wav and goodbye.wav of the answering machine"),
  UINT ("voicemail", "max-seconds", voicemail_seconds, 5, 3600, FALSE, "180", "seconds after which a message ends"),
  UINT ("voicemail", "silence-seconds", voicemail_silence, 2, 600, TRUE, "10", "seconds without a voice after which a message ends; 0: never"),
  UINT ("voicemail", "min-seconds", voicemail_least, 1, 60, TRUE, "2", "seconds below which a message is not kept"),
  UINT ("voicemail", "max-messages", voicemail_max, 1, 10000, FALSE, "50", "messages that the box holds; then callers are told that it is full"),
  UINT ("voicemail", "max-megabytes", voicemail_megabytes, 1, 4000000, TRUE, "0", "megabytes that messages may take; 0: no limit"),
  UINT ("voicemail", "keep-days", voicemail_days, 1, 36500, TRUE, "0", "days after which a message is deleted; 0: never"),
  { .section = "voicemail", .key = "taken-over", .kind = PHONE_SETTING_WORD, AT (voicemail_taken), .words = taken_words, .def = "keep",
    .help = "what becomes of the message when the call is taken from the answering machine: keep or delete" },
  UINT ("history", "keep", history_keep, 1, 36500, TRUE, "0", "days after which an entry is deleted; 0: never"),
  UINT ("history", "max-entries", history_max, 100, 10000000, TRUE, "200000", "the oldest beyond this number are deleted; 0: no limit"),
  UINT ("messages", "keep", message_keep, 1, 36500, TRUE, "0", "days after which a message is deleted; 0: never"),
  UINT ("messages", "max-size", message_max_size, 160, PHONE_MESSAGE_MAX_BODY, FALSE, "20000", "octets of text that a message may have"),
  UINT ("messages", "give-up", message_give_up, 1, 8760, FALSE, "48", "hours after which a message that could not be sent has failed"),
};
static const PhoneSettingTable table = { rows, G_N_ELEMENTS (rows), sizeof (PhoneDaemonSettings) };

/* ---- the interface ---- */

PhoneDaemonSettings *
phone_daemon_settings_new (void)
{
  PhoneDaemonSettings *settings = g_new0 (PhoneDaemonSettings, 1);
  phone_setting_reset_all (&table, settings);
  return settings;
}

PhoneDaemonSettings *
phone_daemon_settings_copy (const PhoneDaemonSettings *settings)
{
  g_return_val_if_fail (settings != NULL, NULL);
  return phone_setting_copy_all (&table, settings);
}

void
phone_daemon_settings_free (PhoneDaemonSettings *settings)
{
  if (settings == NULL)
    return;
  phone_setting_clear_all (&table, settings);
  g_free (settings);
}

gboolean
phone_daemon_settings_equal (const PhoneDaemonSettings *a, const PhoneDaemonSettings *b)
{
  g_return_val_if_fail (a != NULL && b != NULL, FALSE);
  return phone_setting_equal_all (&table, a, b);
}

/* "[daemon], [audio], ..." */
static char *
list_sections (void)
{
  GString *list = g_string_new (NULL);

  for (gsize i = 0; i < table.n_rows; i++)
    if (i == 0 || !g_str_equal (rows[i].section, rows[i - 1].section))
      g_string_append_printf (list, "%s[%s]", i > 0 ? ", " : "", rows[i].section);
  return g_string_free (list, FALSE);
}

static gboolean
is_section (const char *section)
{
  for (gsize i = 0; i < table.n_rows; i++)
    if (g_str_equal (rows[i].section, section))
      return TRUE;
  return FALSE;
}

gboolean
phone_daemon_settings_set (PhoneDaemonSettings *settings, const char *section, const char *key, const char *value, GError **error)
{
  const PhoneSetting *row;
  g_autoptr (GError) local = NULL;
  g_autofree char *shown = NULL;

  g_return_val_if_fail (settings != NULL && section != NULL && key != NULL, FALSE);

  shown = phone_text_clean (section, -1, 32);
  row = phone_setting_find (&table, section, key);
  if (!is_section (section))
    {
      g_autofree char *sections = list_sections ();
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "[%s]: there is no such section; there are %s", shown != NULL ? shown : "",
                   sections);
      return FALSE;
    }
  if (row != NULL && phone_setting_set (row, settings, value, &local))
    return TRUE;
  if (row == NULL)
    phone_setting_set_unknown (&table, section, key, &local);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "[%s] %s", shown, local->message);
  return FALSE;
}

char *
phone_daemon_settings_get (const PhoneDaemonSettings *settings, const char *section, const char *key)
{
  const PhoneSetting *row;
  g_autofree char *value = NULL;
  g_autofree char *def = NULL;

  g_return_val_if_fail (settings != NULL && section != NULL && key != NULL, NULL);

  row = phone_setting_find (&table, section, key);
  if (row == NULL)
    return NULL;
  value = phone_setting_format (row, settings);
  def = phone_setting_dup_default (row);
  return g_strcmp0 (value, def) != 0 ? g_steal_pointer (&value) : NULL;
}

const char *const *
phone_daemon_settings_keys (void)
{
  static const char *keys[G_N_ELEMENTS (rows) + 1];

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *full = g_strdup_printf ("%s.%s", rows[i].section, rows[i].key);
      keys[i] = g_intern_string (full);
    }
  return keys;
}

const char *
phone_daemon_settings_help (const char *section, const char *key)
{
  const PhoneSetting *row = phone_setting_find (&table, section, key);
  return row != NULL ? row->help : NULL;
}

const char *
phone_daemon_settings_default (const char *section, const char *key)
{
  const PhoneSetting *row = phone_setting_find (&table, section, key);
  return row != NULL ? row->def : NULL;
}
