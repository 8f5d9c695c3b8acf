/* target_history: brings what keeps the history of a table in line with its definition: the log,
 * the view and the table function (struct table_history). A pass that finds them as they should be
 * makes no request for it. */
#ifndef BQSYNC_SYNC_PASS_TARGET_HISTORY_H
#define BQSYNC_SYNC_PASS_TARGET_HISTORY_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <stdbool.h>

/* Of a table with history, whose target has been prepared. Sets task->warehouse.history. A log that
 * was missing, or lacked columns, invalidates the watermark: all rows are compared with it. One
 * that has gone since it was listed outdates the task. ERROR_SCHEMA when BigQuery cannot make the
 * change. */
MUST_CHECK bool target_history_prepare(struct worker *worker, struct task *task, struct error *err);

#endif
