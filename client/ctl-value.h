/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Any D-Bus value as a tree: what phonectl reads from the bus, prints as JSON and picks its text output from. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-bus.h>

typedef enum
{
  CTL_BOOL,
  CTL_INT,
  CTL_UINT,
  CTL_DOUBLE,
  CTL_STRING,
  CTL_ARRAY,
  CTL_DICT,
} CtlKind;

typedef struct CtlValue CtlValue;
struct CtlValue
{
  CtlKind kind;
  union
  {
    bool b;
    int64_t i;
    uint64_t u;
    double d;
    char *s;                    /* owned */
  };
  /* arrays and dictionaries, in order */
  size_t n;
  char **keys;                  /* dictionaries only, owned */
  CtlValue **items;             /* owned */
};

/* All constructors abort when memory is out: a command that small has nothing better to do. */
CtlValue *ctl_value_new_string (const char *text);
CtlValue *ctl_value_new_uint (uint64_t number);
CtlValue *ctl_value_new_bool (bool truth);
CtlValue *ctl_value_new_array (void);
CtlValue *ctl_value_new_dict (void);
void ctl_value_append (CtlValue *array, CtlValue *item);                        /* takes item */
void ctl_value_set (CtlValue *dict, const char *key, CtlValue *item);           /* takes item; replaces */
void ctl_value_merge (CtlValue *dict, const CtlValue *from);                    /* copies */
CtlValue *ctl_value_copy (const CtlValue *value);
void ctl_value_free (CtlValue *value);                                          /* accepts NULL */

/* The next complete value of the message, variants unwrapped. 0 and *ret_value, or a negative errno. */
int ctl_value_read (sd_bus_message *message, CtlValue **ret_value);

const CtlValue *ctl_value_get (const CtlValue *dict, const char *key);          /* NULL: no such key */
/* Text of a string member, "" if it is absent or of another kind. */
const char *ctl_value_string (const CtlValue *dict, const char *key);
uint64_t ctl_value_uint (const CtlValue *dict, const char *key);                /* 0 if absent; signed ones clipped at 0 */
bool ctl_value_bool (const CtlValue *dict, const char *key);
double ctl_value_double (const CtlValue *dict, const char *key, double fallback);
bool ctl_value_has (const CtlValue *array, const char *text);                   /* an array of strings */

void ctl_value_json (FILE *out, const CtlValue *value);                         /* one line, without the newline */
/* The same for people: a string without its quotes, what is in a container as JSON. Not cleaned. */
void ctl_value_text (FILE *out, const CtlValue *value);
