/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The rows of store_archive_ops about reports of voice quality; see core/ports.h. */

#include "store/store-job.h"

void store_report_add (gpointer store, const PhoneStoredReport *report);
void store_report_list (gpointer store, const char *account, PhoneReportsListed done, gpointer data);
void store_report_remove (gpointer store, const char *account, const char *id);
