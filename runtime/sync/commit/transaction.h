/* transaction: makes all batches of a pass visible in BigQuery at one moment (BQ_SYNC_ATOMIC=1).
 * Every batch is staged, several at once; then one script of one transaction merges all of them and
 * notes in _bqsync_snapshots the snapshot that they come from ("Multi-statement transactions" of
 * the BigQuery documentation). The script is the commit job of every table's intent, so after any
 * crash each table is recovered on its own, and all with the same result. A table that cannot be
 * staged is left out; when the transaction fails, every table in it fails. If one of its tables is
 * outdated, none changes: the pass plans all of them again. */
#ifndef BQSYNC_SYNC_COMMIT_TRANSACTION_H
#define BQSYNC_SYNC_COMMIT_TRANSACTION_H

#include "sync/pass/task.h"
#include "sync/pass/workers.h"

#include <stddef.h>
#include <stdint.h>

/* A table for anyone to query: one row a table and pass. */
#define SNAPSHOTS_TABLE "_bqsync_snapshots"

/* "Quotas and limits": a transaction changes at most this many tables, SNAPSHOTS_TABLE included. */
#define TRANSACTION_TABLES_MAX 100

struct transaction_snapshot {
    const char *run_id;
    int64_t taken_us; /* wall clock of when the SQLite snapshot was opened */
};

/* Commits the batches of all tasks that have work. Results and failures go into the tasks'
 * outcomes; the tasks' intents are theirs to free. */
void transaction_commit(
    struct workers *workers, struct task *const *tasks, size_t count,
    const struct transaction_snapshot *snapshot);

#endif
