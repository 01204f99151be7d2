/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The files of phoned: settings in, settings and passwords out.
 *
 *   /etc/phoned/phoned.conf            < /etc/phoned/phoned.conf.d/ *.conf            the administrator's
 *   $XDG_CONFIG_HOME/phoned/phoned.conf < $XDG_CONFIG_HOME/phoned/phoned.conf.d/ *.conf   the user's, key by key over those
 *   .../accounts.d/ID.conf              < .../accounts.d/ID.conf.d/ *.conf              one account each, in the same two places
 *   .../contacts.d/ *.vcf               people (vCard), in the same two places
 *   $XDG_STATE_HOME/phoned/secrets/ID   passwords that a client has set
 *   $XDG_STATE_HOME/phoned/emergency-call when the last call for help went out
 *   $XDG_STATE_HOME/phoned/choices.conf what a client chose last: default account, audio devices
 *
 * Drop-ins are read in the order of their names; one of the user's hides one of the same name in /etc. An account exists when there is an
 * ID.conf in either place. What is wrong in a file costs the key (phoned.conf) or the account (accounts.d), never more. */

#include "core/contacts.h"
#include "core/ports.h"

/* All absolute, owned. */
typedef struct
{
  char *user;                   /* $XDG_CONFIG_HOME/phoned */
  char *system;                 /* /etc/phoned */
  char *state;                  /* $XDG_STATE_HOME/phoned */
  char *credentials;            /* $CREDENTIALS_DIRECTORY, NULL: there is none */
} PhoneConfigDirs;

PhoneConfigDirs *phone_config_dirs_new (void);                  /* from the environment */
/* For tests. Copies; credentials may be NULL. */
PhoneConfigDirs *phone_config_dirs_new_for (const char *user, const char *system, const char *state, const char *credentials);
void phone_config_dirs_free (PhoneConfigDirs *dirs);            /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneConfigDirs, phone_config_dirs_free)

typedef struct
{
  PhoneDaemonSettings *daemon;
  GPtrArray *accounts;          /* PhoneAccountSettings, by id; the good ones, disabled ones too */
  GPtrArray *broken;            /* char *: ids of accounts that have files but no usable settings */
  GPtrArray *problems;          /* char *: "FILE:LINE: [section] key: message", fit for a log */
} PhoneConfig;

/* Never NULL, never fails: what cannot be read is a problem. */
PhoneConfig *phone_config_load (const PhoneConfigDirs *dirs);
void phone_config_free (PhoneConfig *config);                   /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneConfig, phone_config_free)

/* Those of all files in contacts.d, of the administrator and of the user; adds to problems. Never NULL. Any thread. */
PhoneContacts *phone_config_load_contacts (const PhoneConfigDirs *dirs, GPtrArray *problems);

const PhoneAccountSettings *phone_config_find_account (const PhoneConfig *config, const char *id);      /* borrowed or NULL */

/* What a reload must do to the accounts that run (const PhoneAccountSettings * each; clients may have added some since the last load). One
 * that is broken in the new configuration is in none of the lists: a slip of the pen in an editor does not take a working phone off the
 * network. */
typedef struct
{
  GStrv added, removed, changed;                /* account ids; never NULL */
} PhoneConfigDiff;

PhoneConfigDiff *phone_config_diff (const GPtrArray *running, const PhoneConfig *next);
void phone_config_diff_free (PhoneConfigDiff *diff);            /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneConfigDiff, phone_config_diff_free)

/* The store of core/ports.h; store_data is a PhoneConfigStore *.
 *
 * account_save writes the user's ID.conf with what differs from the defaults and from /etc; POLICY_DENIED when one of the user's own drop-ins
 * would undo it. account_delete removes the user's files and the password; POLICY_DENIED for an account that /etc has. secret_load: the
 * credential phoned-ID, then password-file, then the state folder. secret_save: the state folder; an empty secret removes; POLICY_DENIED when
 * one of the other two would hide it. */
typedef struct _PhoneConfigStore PhoneConfigStore;

PhoneConfigStore *phone_config_store_new (const PhoneConfigDirs *dirs);         /* copies dirs */
void phone_config_store_free (PhoneConfigStore *store);         /* accepts NULL */
extern const PhoneStoreOps phone_config_store_ops;
