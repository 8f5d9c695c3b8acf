/* recovery: resolves the intent that an earlier run has left open, before anything new is planned
 * for its table. The intent names the one job that changes the target, so BigQuery can say what
 * became of it, however the earlier run ended. Called on a worker's thread. */
#ifndef BQSYNC_SYNC_COMMIT_RECOVERY_H
#define BQSYNC_SYNC_COMMIT_RECOVERY_H

#include "base/error.h"
#include "sync/deployment.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>

/* The context of the step. */
struct recovery {
    const struct deployment *deployment; /* borrowed, for connections to other datasets */
};

/* A step of workers_run; context is a struct recovery. Acknowledges or withdraws the table's open
 * intent, if there is one, drops its staging table and reloads the task's watermark. Waits for a
 * job that still runs. An intent of another dataset is resolved in that dataset's project and
 * location; if BigQuery refuses that and the table was reset, the intent is given up. On an error
 * the intent stays open. */
MUST_CHECK bool recover_table(
    struct worker *worker, struct task *task, void *context, struct error *err);

/* Shows the task the label that the next pass plans by, where recover_table will have raised it for
 * an intent that was open. Writes nothing. */
MUST_CHECK bool recovery_foresee_label(
    const struct config *config, struct tracking *tracking, struct task *task, struct error *err);

/* Whether the next pass could resolve the table's open intent, if that is one of another dataset;
 * else err says what the pass will say. Asks BigQuery only if there is such an intent, and changes
 * nothing. */
MUST_CHECK bool recovery_is_possible(
    const struct deployment *deployment, struct tracking *tracking, const char *table,
    struct error *err);

#endif
