/* findings: what reading a table found out besides its rows, made durable before the rows are sent:
 * rejects, and the shadow of a scan. Called on a worker's thread. */
#ifndef BQSYNC_SYNC_COMMIT_FINDINGS_H
#define BQSYNC_SYNC_COMMIT_FINDINGS_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>

/* Publishes the rejects of the task's batch and ends its shadow. *out_done: there is nothing to
 * send (all rows that were read were rejected, or they came and went, or the target was just
 * created and the table is empty). The watermark has been moved and the outcome's status is set
 * then. */
MUST_CHECK bool findings_record(
    struct worker *worker, struct task *task, bool *out_done, struct error *err);

#endif
