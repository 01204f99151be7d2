/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* phonectl: one verb, one connection, one exit status. A verb is a row of a table; it gets its words and options and talks to the
 * bus through the few calls below. Every text output has a JSON twin made of the same values. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

#include "ctl-args.h"
#include "ctl-text.h"
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

typedef struct CtlVerb CtlVerb;

typedef struct
{
  sd_bus *bus;
  const CtlVerb *verb;          /* the row that runs */
  bool json;
  bool color;                   /* stdout is a terminal and nobody objected */
  const char *host;             /* -H, NULL: this machine */
  uint64_t timeout_us;          /* for one method call */
} Ctl;

/* One row. A verb with actions ("account list") has no words, options or function of its own: its rows have; the first of them is meant
 * when no action is named. */
struct CtlVerb
{
  const char *name;
  const char *words;            /* that follow, as ctl_usage_count() reads them; also the help */
  const char *summary;
  const CtlOption *options;     /* NULL: none */
  int (*run) (Ctl *ctl, const CtlArgs *args);   /* words[0] is the row's name; returns a CtlExit */
  const char *can;              /* verbs for a call: the word of Call.Can that it needs */
  const CtlVerb *actions;
};

extern const CtlVerb ctl_status_verbs[], ctl_account_verbs[], ctl_call_verbs[], ctl_conference_verbs[], ctl_transfer_verbs[], ctl_park_verbs[], ctl_dial_verbs[], ctl_stats_verbs[],
    ctl_audio_verbs[], ctl_presence_verbs[], ctl_voicemail_verbs[], ctl_recording_verbs[], ctl_stream_verbs[], ctl_collect_verbs[],
    ctl_monitor_verbs[];        /* each ends with a row without a name */

extern const CtlVerb ctl_history_verbs[], ctl_dnd_verbs[], ctl_forward_verbs[], ctl_message_verbs[];

/* ---- ctl-line.c: from a command line to a row ---- */

typedef struct
{
  CtlArgs args;
  const CtlVerb *verb;          /* NULL: none was named */
  const CtlVerb *action;        /* of a verb that has actions, else NULL */
} CtlLine;

extern const CtlVerb *const ctl_verb_tables[];  /* NULL-terminated */
extern const CtlOption ctl_global_options[];

/* FALSE: error holds one line for people. Also checks the number of words, unless help is asked for. */
bool ctl_line_parse (CtlLine *ret_line, int argc, char *const *argv, char *error, size_t error_size);
const CtlVerb *ctl_find_row (const CtlVerb *rows, const char *name);            /* NULL: none */
const CtlVerb *ctl_find_verb (const char *name);

/* ---- ctl-complete.c ---- */

/* What could stand in place of the last of these words (behind "phonectl"), one a line, each with a TAB and a short text. Asks the phone
 * for ids and numbers, but never starts it and never says that something is wrong. */
void ctl_complete (int argc, char *const *argv);

/* ---- ctl-bus.c ---- */

int ctl_connect (Ctl *ctl);                     /* CtlExit; says why on stderr */
/* ssh to the host of -H with these words for its shell (NULL-terminated). *ret_fd is its standard input, and its output too if
 * bidirectional. The process id, or a negative errno. */
int ctl_spawn_ssh (const Ctl *ctl, const char *const *words, bool bidirectional, int *ret_fd);
/* A method call with arguments in sd-bus notation. *ret_reply may be NULL. Errors are printed; the result is a CtlExit. */
int ctl_call_method (Ctl *ctl, const char *path, const char *interface, const char *member, sd_bus_message **ret_reply,
                     const char *types, ...);
/* The same for a message that was built by hand; unrefs it. */
int ctl_send (Ctl *ctl, sd_bus_message *message, sd_bus_message **ret_reply);
/* A call of the root object with one argument, an array of the words behind the verb: ids of messages, of history entries. */
int ctl_send_words (Ctl *ctl, const char *interface, const char *member, const CtlArgs *args);
sd_bus_message *ctl_new_call (Ctl *ctl, const char *path, const char *interface, const char *member);
int ctl_set_property (Ctl *ctl, const char *path, const char *interface, const char *name, const char *types, ...);
/* All objects: dictionary path -> dictionary interface -> dictionary of properties. */
int ctl_get_objects (Ctl *ctl, CtlValue **ret_objects);
/* Those below a path ("/org/phoned/Phone1/call") out of all: array of flat dictionaries with all properties of the phone's interfaces,
 * plus "object", and for a call "number". In the order of numbers, or of names. */
CtlValue *ctl_flatten (const char *path, const CtlValue *interfaces);           /* one of them */
/* The properties of one interface into such a dictionary, under the names that they have there. */
void ctl_merge_properties (CtlValue *flat, const char *interface, const CtlValue *properties);
CtlValue *ctl_collect (const CtlValue *objects, const char *parent);
int ctl_get_list (Ctl *ctl, const char *parent, CtlValue **ret_list);
/* Prints what went wrong, about this object if it is not NULL; the exit status of the error's name. */
int ctl_report (const Ctl *ctl, const char *path, const sd_bus_error *error, int negative_errno);
int ctl_exit_from_name (const char *dbus_error_name);
/* Exit status of a call that ended for `reason` (a word of Call.Reason). */
int ctl_exit_from_reason (const CtlValue *reason);
char *ctl_account_path (const char *id);
char *ctl_account_id (const char *path);        /* "" for anything else; caller frees both */
/* "account home", "call 7": an object path for people. Caller frees. */
char *ctl_object_name (const char *path);

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
CtlStyle ctl_style_of_state (const char *state);


/* A table: cells are added row by row and printed aligned. Cells are cleaned. */
typedef struct CtlTable CtlTable;
CtlTable *ctl_table_new (const Ctl *ctl, size_t columns);
void ctl_table_add (CtlTable *table, CtlStyle style, const char *format, ...) __attribute__ ((format (printf, 3, 4)));
/* A row of two: a dim name and a value; nothing if the value is empty. */
void ctl_table_pair (CtlTable *table, const char *name, CtlStyle style, const char *format, ...) __attribute__ ((format (printf, 4, 5)));
void ctl_table_right (CtlTable *table, size_t column);          /* numbers: aligned at the right */
void ctl_table_print (CtlTable *table);                         /* and frees */
/* One line, cleaned and coloured. */
void ctl_print (const Ctl *ctl, CtlStyle style, const char *format, ...) __attribute__ ((format (printf, 3, 4)));
/* One line on stderr, cleaned: "phonectl: ...". */
void ctl_error (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
char *ctl_format (const char *format, ...) __attribute__ ((format (printf, 1, 2)));     /* asprintf that aborts; caller frees */

/* ---- ctl-call.c ---- */

/* The call that is meant: word is a number, or NULL: the only one that `can` (a word of Can, NULL: any that is not over) fits. On failure
 * prints the candidates. *ret_call is a flat dictionary. */
int ctl_choose_call (Ctl *ctl, const char *word, const char *can, CtlValue **ret_call);
char *ctl_reason_text (const CtlValue *reason);                 /* "busy by remote (486 Busy Here)"; caller frees */
/* 'Aunt Mary (says "OFFICE 7") <+49301234567>': the name of the address book before the one that the peer claims, "" if there is none; caller
 * frees. */
char *ctl_name_text (const char *contact, const char *claimed, const char *address);
char *ctl_party_text (const CtlValue *call);                    /* "Bob <sip:bob@example.org>"; caller frees */
/* ", recorded" and the like, of a call or conference; "": it is not. */
const char *ctl_recording_text (const CtlValue *object);
/* A row for the call: number (behind a mark), state, direction, peer, time, codec, encryption. Seven columns. silent: its conference does not
 * hear it. */
void ctl_add_call (CtlTable *table, const CtlValue *call, const char *mark, bool silent);
#define CTL_CALL_COLUMNS 7

/* ---- ctl-conference.c ---- */

/* Rows for conferences with their calls, and for the calls that are in none; CTL_CALL_COLUMNS. */
void ctl_add_call_tree (CtlTable *table, const CtlValue *calls, const CtlValue *conferences);

/* ---- ctl-presence.c ---- */

/* "waiting: not-found (404)", or the state alone. Caller frees. */
char *ctl_subscription_text (const char *state, const CtlValue *detail);
int ctl_print_call (Ctl *ctl, sd_bus_message *reply);           /* the number of the call that a method returned */

/* ---- ctl-recording.c ---- */

/* Recording.Start on a call or conference; prints the id. */
int ctl_start_recording (Ctl *ctl, const char *object);
/* All of a kind, of the account of --account if there is one; NULL: of every kind. *ret_all is an array in any case. */
int ctl_get_recordings (Ctl *ctl, const CtlArgs *args, const char *kind, CtlValue **ret_all);
int ctl_recording_play (Ctl *ctl, const char *id);              /* then it is heard */
char *ctl_recording_length (uint64_t ms);                       /* "3:07", or "" for a length that is not known; caller frees */
char *ctl_recording_party (const CtlValue *recording);          /* one of a conference has names and no address; caller frees */
/* rows of other verbs, too */
int ctl_recording_export (Ctl *ctl, const CtlArgs *args);
int ctl_recording_delete (Ctl *ctl, const CtlArgs *args);
extern const CtlOption ctl_recording_export_options[];

/* ---- ctl-stream.c ---- */

/* What Media.Play takes, for a file as the user names it. NULL: there is none, and it was said. Caller frees. */
char *ctl_sound_path (const Ctl *ctl, const char *file);

/* ---- ctl-transfer.c ---- */

/* "transfer accepted (180)", "" if there is none; caller frees. */
char *ctl_transfer_text (const CtlValue *call);

/* ---- ctl-page.c: pages of the history and of messages ---- */

#define CTL_MAX_OFFSET 100000           /* of a page, as phoned has it */

typedef struct
{
  const char *interface;
  unsigned long most;                   /* of a page */
  const char *const *words;             /* options that go into the filter as they are; NULL-terminated, as columns */
  const char *unseen, *seen;            /* the flag for what nobody has looked at, and what the filter calls it */
  const char *const *columns;           /* of a file */
} CtlPages;

/* The page that the options of the line ask for; before NULL: from the newest on. A CtlExit. */
int ctl_get_page (Ctl *ctl, const CtlPages *pages, const CtlArgs *args, const char *before, unsigned long offset, unsigned long limit,
                  CtlValue **ret_page);
/* All that the options ask for on standard output, as --format says. */
int ctl_export_pages (Ctl *ctl, const CtlPages *pages, const CtlArgs *args);
extern const CtlOption ctl_export_options[];
/* The value of an option, left as it is without one. FALSE: it was said what is wrong. */
bool ctl_read_number (const CtlArgs *args, const char *name, unsigned long min, unsigned long max, unsigned long *ret_number);

/* ---- ctl-history.c ---- */

char *ctl_local_time (uint64_t when);           /* "2026-11-23 04:29", "" for 0; caller frees */
int ctl_follow (Ctl *ctl);                      /* handles signals until the end */

/* ---- ctl-message.c, ctl-conversation.c ---- */

/* The beginning of a text, for a row: ends of lines and tabs become spaces, the table cleans the rest. Caller frees. */
char *ctl_one_line (const char *text);
int ctl_show_message (Ctl *ctl, const CtlArgs *args);   /* all of that one */
int ctl_list_conversations (Ctl *ctl, bool unread_only, uint32_t offset, uint32_t limit);

/* ---- ctl-account.c ---- */

/* The object path of --account, else of the default account. NULL: none, said why, with *ret_status. Caller frees. */
char *ctl_choose_account (Ctl *ctl, const CtlArgs *args, int *ret_status);
/* One interface of every account (or of the one of --account), with "object" and "Id". */
int ctl_get_accounts (Ctl *ctl, const CtlArgs *args, const char *interface, CtlValue **ret_list);
/* Rows for the accounts: id, address, state, transport, what is behind the state. Five columns. */
void ctl_add_accounts (CtlTable *table, const CtlValue *accounts, const char *default_path);
#define CTL_ACCOUNT_COLUMNS 5
void ctl_print_no_account (const Ctl *ctl);
