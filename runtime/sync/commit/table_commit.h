/* table_commit: sends one table's batch to BigQuery, exactly once. The intent is on disk before the
 * first request that changes anything (intent.h). One job of it changes the target, the commit job:
 * if it succeeds, the watermark moves in the transaction that removes the intent; if its outcome is
 * not known, a later run asks about it (recovery.h). */
#ifndef BQSYNC_SYNC_COMMIT_TABLE_COMMIT_H
#define BQSYNC_SYNC_COMMIT_TABLE_COMMIT_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>

/* A step of workers_run; context is not used. Publishes the task's rejects, sends its batch in the
 * way that the batch was made for, and moves the watermark; counts go into the task's outcome, and
 * the batch is cleared in any case. A job that failed for a passing reason is tried again under a
 * new intent. An error that leaves the outcome open leaves the intent for the next pass. */
MUST_CHECK bool table_commit(
    struct worker *worker, struct task *task, void *context, struct error *err);

#endif
