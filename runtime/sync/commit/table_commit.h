/* apply: one table's batch to BigQuery, exactly once. An intent with a random nonce is committed in
 * SQLite before the first request that changes anything; job ids and the staging table's name are
 * pure functions of it; the one job that changes the target (the commit job) either succeeds, and
 * then the watermark moves in the transaction that removes the intent, or can be asked about after
 * any crash (recover). Runs on a worker thread with its own connections. */
#ifndef BQSYNC_SYNC_COMMIT_TABLE_COMMIT_H
#define BQSYNC_SYNC_COMMIT_TABLE_COMMIT_H

#include "base/clock.h"
#include "base/error.h"
#include "source/tracking.h"
#include "sync/pass/progress.h"
#include "sync/pass/task.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

/* What a worker works with. */
struct worker {
    struct bigquery *bigquery;
    struct tracking *tracking;
    const struct clock *clock;
    const char *project;
    const char *dataset;
    struct pass_progress *progress;
};

/* Publishes the task's rejects, sends its batch and moves its watermark; counts go into the task's
 * result. A job that BigQuery failed for a passing reason is tried again under a new generation. On
 * an error that leaves the outcome open the intent stays for the next pass to resolve. */
MUST_CHECK bool apply_batch(struct worker *worker, struct task *task, struct error *err);

/* The generation that the task's next intent will have: above its own past and above the label. */
int64_t apply_next_generation(const struct task *task);

#endif
