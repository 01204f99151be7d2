/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A disk that loses, when the power goes, whatever was not synced. Every database and its log get a shadow, FILE.durable, to which
 * writes go only when SQLite has asked for a sync: what the shadow holds is what the worst disk would have kept. */

/* Makes it the process's default. */
void cut_vfs_register (void);
