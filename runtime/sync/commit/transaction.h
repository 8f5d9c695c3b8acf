/* atomic: all batches of a pass become visible in BigQuery in one moment (BQ_SYNC_ATOMIC=1). Every
 * batch is staged, many at once; then one script of one transaction merges all of them and notes
 * the snapshot they come from in _bqsync_snapshots ("Multi-statement transactions" of the BigQuery
 * documentation). The script is the commit job of every table's intent, so after any crash the
 * tables are settled one by one and all alike. A table that cannot be staged is left out; when the
 * transaction fails, every table in it fails. */
#ifndef BQSYNC_SYNC_COMMIT_TRANSACTION_H
#define BQSYNC_SYNC_COMMIT_TRANSACTION_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/workers.h"

#include <stddef.h>
#include <stdint.h>

/* Queryable by anyone: one row a table and pass. */
#define ATOMIC_SNAPSHOTS "_bqsync_snapshots"

/* A transaction changes at most so many tables. */
#define ATOMIC_TABLES_MAX 100

struct atomic_snapshot {
    const char *run_id;
    int64_t taken_us; /* when the SQLite snapshot was opened */
};

/* Applies the batches of all tasks that have work. Failures go into the tasks' results. */
void atomic_apply(
    struct workers *workers, struct task *const *tasks, size_t count,
    const struct atomic_snapshot *snapshot);

#endif
