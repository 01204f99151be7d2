/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The folder of recordings: for each an ID.seal (the sound, sealed) and an ID.info (what a list shows, a keyfile). Every recording stands for
 * itself: a list needs no key, a lost or damaged info costs the description and not the sound, and what was cut off by a crash is found and
 * said so at the next start. The implementation of PhoneVaultOps; main thread, except the sinks. */

#include "core/ports.h"

typedef struct _StoreVault StoreVault;

/* folder: absolute; made when it is needed. credentials: $CREDENTIALS_DIRECTORY or NULL. */
StoreVault *store_vault_new (const char *folder, const char *credentials);
/* Results that are due do not come any more; sinks that are open may still be written and closed. */
void store_vault_free (StoreVault *vault);                      /* accepts NULL */
/* What of that kind is older than so many days, or what is oldest beyond so many octets, is deleted: now, and whenever a recording ends. 0: no
 * limit. */
void store_vault_set_limits (StoreVault *vault, PhoneRecordingKind kind, guint days, guint64 octets);

extern const PhoneVaultOps store_vault_ops;
