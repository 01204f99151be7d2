/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Structured logging bound to an object: the fields reach journald as ACCOUNT=, CALL= and SIP_CALL_ID=, so that
 * `journalctl --user -u phoned CALL=7` shows one call. Every message passes phone_log_redact() before it is written. */

#include <glib.h>

typedef struct
{
  const char *account;          /* any may be NULL */
  const char *call;
  const char *sip_call_id;
} PhoneLogFields;

void phone_log (GLogLevelFlags level, const char *file, const char *line, const char *func, const PhoneLogFields *fields,
                const char *format, ...) G_GNUC_PRINTF (6, 7);

#define phone_log_at_(level, fields, ...) \
  phone_log ((level), __FILE__, G_STRINGIFY (__LINE__), G_STRFUNC, (fields), __VA_ARGS__)
#define phone_log_debug(fields, ...) phone_log_at_ (G_LOG_LEVEL_DEBUG, (fields), __VA_ARGS__)
#define phone_log_info(fields, ...) phone_log_at_ (G_LOG_LEVEL_INFO, (fields), __VA_ARGS__)
#define phone_log_notice(fields, ...) phone_log_at_ (G_LOG_LEVEL_MESSAGE, (fields), __VA_ARGS__)
#define phone_log_warning(fields, ...) phone_log_at_ (G_LOG_LEVEL_WARNING, (fields), __VA_ARGS__)

/* Returns text with secrets blanked: SDES keys (inline:...), digest responses and credentials of (Proxy-)Authorization lines,
 * ICE passwords, DTMF bodies (Signal=). Pure. Caller frees. */
char *phone_log_redact (const char *text);
