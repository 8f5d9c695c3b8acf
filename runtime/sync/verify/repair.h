/* repair: syncs again what verify found different. Lists the keys as changed and runs an ordinary
 * pass over the tables; a table whose keys cannot be listed is replaced. The part of verify that
 * writes: to the dirty set or the progress in SQLite, and through the pass to BigQuery. */
#ifndef BQSYNC_SYNC_VERIFY_REPAIR_H
#define BQSYNC_SYNC_VERIFY_REPAIR_H

#include "base/error.h"
#include "sync/deployment.h"
#include "sync/verify/verify_report.h"

#include <stdbool.h>
#include <stddef.h>

/* Replaces a table that has duplicated keys, more different keys than the report lists, keys of a
 * type whose exact value the report does not show, or no triggers. Fails when a key cannot be
 * listed or the pass as a whole fails; what became of the tables, another comparison says. */
MUST_CHECK bool repair_differences(
    const struct deployment *deployment, const struct verify_table *report, size_t count,
    struct error *err);

#endif
