/* recovery: resolves the intent that an earlier run has left open, before anything new is planned
 * for its table. The intent names the one job that changes the target, so BigQuery can say what
 * became of it, however the earlier run ended. Called on a worker's thread. */
#ifndef BQSYNC_SYNC_COMMIT_RECOVERY_H
#define BQSYNC_SYNC_COMMIT_RECOVERY_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>

/* A step of workers_run; context is not used. Acknowledges or withdraws the table's open intent, if
 * there is one, drops its staging table and reloads the task's watermark. Waits for a job that
 * still runs. On an error the intent stays open. */
MUST_CHECK bool recover_table(
    struct worker *worker, struct task *task, void *context, struct error *err);

#endif
