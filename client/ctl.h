/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* phonectl: one verb, one connection, one exit status. A verb is a row of a table; it gets its words and options and talks to the
 * bus through the few calls below. Every text output has a JSON twin made of the same values. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "ctl-args.h"
#include "ctl-value.h"
#include "phone-dbus.h"

typedef enum
{
  CTL_EXIT_OK = 0,
  CTL_EXIT_OTHER = 1,
  CTL_EXIT_USAGE = 2,
  CTL_EXIT_BUSY = 3,
  CTL_EXIT_NO_ANSWER = 4,
  CTL_EXIT_DECLINED = 5,
  CTL_EXIT_NETWORK = 6,
  CTL_EXIT_NO_OBJECT = 7,
  CTL_EXIT_STATE = 8,
  CTL_EXIT_MEDIA = 9,
  CTL_EXIT_AUTH = 10,
} CtlExit;

typedef struct
{
  sd_bus *bus;
  bool json;
  bool color;                   /* stdout is a terminal and nobody objected */
  const char *host;             /* -H, NULL: this machine */
  uint64_t timeout_us;          /* for one method call */
} Ctl;

typedef struct
{
  const char *name;
  const char *words;            /* after the verb, for the help */
  const char *summary;
  const CtlOption *options;     /* NULL: none */
  int (*run) (Ctl *ctl, const CtlArgs *args);   /* words[0] is the verb; returns a CtlExit */
} CtlVerb;

extern const CtlVerb ctl_status_verbs[], ctl_account_verbs[], ctl_call_verbs[], ctl_dial_verbs[], ctl_stats_verbs[],
    ctl_audio_verbs[], ctl_monitor_verbs[];     /* each ends with a row without a name */

/* ---- ctl-bus.c ---- */

int ctl_connect (Ctl *ctl);                     /* CtlExit; says why on stderr */
/* A method call with arguments in sd-bus notation. *ret_reply may be NULL. Errors are printed; the result is a CtlExit. */
int ctl_call_method (Ctl *ctl, const char *path, const char *interface, const char *member, sd_bus_message **ret_reply,
                     const char *types, ...);
/* The same for a message that was built by hand; unrefs it. */
int ctl_send (Ctl *ctl, sd_bus_message *message, sd_bus_message **ret_reply);
sd_bus_message *ctl_new_call (Ctl *ctl, const char *path, const char *interface, const char *member);
int ctl_set_property (Ctl *ctl, const char *path, const char *interface, const char *name, const char *types, ...);
/* All objects: dictionary path -> dictionary interface -> dictionary of properties. */
int ctl_get_objects (Ctl *ctl, CtlValue **ret_objects);
/* Those below a path ("/org/phoned/Phone1/call"): array of flat dictionaries with all properties of the phone's interfaces, plus
 * "object" and "number" or "id". */
int ctl_get_list (Ctl *ctl, const char *parent, CtlValue **ret_list);
CtlValue *ctl_flatten (const char *path, const CtlValue *interfaces);
/* Prints what went wrong; the exit status of the error's name. */
int ctl_report (const sd_bus_error *error, int negative_errno);
int ctl_exit_from_name (const char *dbus_error_name);
/* Exit status of a call that ended for `reason` (a word of Call.Reason). */
int ctl_exit_from_reason (const CtlValue *reason);

/* ---- ctl-output.c ---- */

typedef enum
{
  CTL_PLAIN,
  CTL_GOOD,
  CTL_BAD,
  CTL_WARN,
  CTL_DIM,
  CTL_BOLD,
} CtlStyle;

void ctl_print_json (const CtlValue *value);                    /* with newline, flushed */
/* Text of anybody's, made safe for a terminal: control characters become U+FFFD. Caller frees. */
char *ctl_clean (const char *text);
CtlStyle ctl_style_of_state (const char *state);

/* A table: cells are added row by row, printed aligned. */
typedef struct CtlTable CtlTable;
CtlTable *ctl_table_new (const Ctl *ctl, size_t columns);
void ctl_table_add (CtlTable *table, CtlStyle style, const char *format, ...) __attribute__ ((format (printf, 3, 4)));
void ctl_table_print (CtlTable *table);                         /* and frees */
void ctl_error (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/* ---- ctl-call.c ---- */

/* A dictionary as name and value, nested names joined by a dot. */
void ctl_print_dict (Ctl *ctl, const CtlValue *dict);

/* The call that is meant: word is a number, or NULL: the only one that `action` (a word of Can, NULL: any) fits. On failure prints the
 * candidates. *ret_call is a flat dictionary. */
int ctl_choose_call (Ctl *ctl, const char *word, const char *action, CtlValue **ret_call);
char *ctl_reason_text (const CtlValue *reason);                 /* "busy (486 Busy Here)"; caller frees */
