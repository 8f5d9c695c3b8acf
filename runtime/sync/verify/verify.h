/* verify: proves that BigQuery equals SQLite as of the last synced position, or names the keys that
 * differ. comparison compares one table; this module opens both sides and goes through the tables.
 * Rows with changes that are not synced yet, and rejected rows, are counted apart. Writes nothing
 * but what its queries have billed (billed_select), takes no lock and may run during a sync. Memory
 * does not grow with the tables. */
#ifndef BQSYNC_SYNC_VERIFY_VERIFY_H
#define BQSYNC_SYNC_VERIFY_VERIFY_H

#include "base/error.h"
#include "sync/deployment.h"
#include "sync/verify/verify_report.h"

#include <stdbool.h>
#include <stddef.h>

/* Called on the thread that verifies, before and after each table. */
struct verify_watch {
    void *context;
    void (*table_begins)(void *context, size_t index);
    void (*table_ends)(void *context, const struct verify_table *table);
};

/* Compares the tables one after the other. watch may be NULL. *out_report is returned owned, an
 * array of count entries for verify_report_free. A table that cannot be compared has its error in
 * its entry; verify_run fails only if nothing can be compared (SQLite or BigQuery cannot be opened)
 * and, with ERROR_STOPPED, after clock_stop. */
MUST_CHECK bool verify_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count,
    const struct verify_watch *watch, struct verify_table **out_report, struct error *err);

#endif
