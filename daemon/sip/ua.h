/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The signalling engine: SIP on sofia-sip behind core's PhoneSignallingOps. One nua per account, all in one GMainContext and one
 * thread. What happens on the wire is reported by phone_account_on_*, phone_call_on_* and phone_registry_on_incoming. */

#include "core/ports.h"
#include "core/registry.h"

typedef struct _UaEngine UaEngine;

/* For PhonePorts.sig; the engine itself is PhonePorts.ua. */
extern const PhoneSignallingOps ua_signalling_ops;

/* ua_platform_init must have succeeded before. registry is borrowed and must outlive the engine. The events come on
 * context (NULL: the default one), whose thread must be the caller's. */
UaEngine *ua_engine_new (PhoneRegistry *registry, GMainContext *context, GError **error);
/* The network changed: addresses are looked up again, accounts register at once from the new address, dialogs tell their
 * peers the new contact. */
void ua_engine_network_changed (UaEngine *engine);
/* Daemon settings were reloaded (log level of the SIP trace). */
void ua_engine_settings_changed (UaEngine *engine);
/* Closes what core did not close. done comes when no stack is left, at the latest after deadline ms plus the
 * time that sofia needs to let go (one turn of the loop unless it is in the middle of something). */
void ua_engine_stop (UaEngine *engine, guint deadline, void (*done) (gpointer data), gpointer data);
/* Only after done. Accepts NULL. */
void ua_engine_free (UaEngine *engine);

/* Number of open stacks, for tests and the health page. */
guint ua_engine_count_stacks (UaEngine *engine);
