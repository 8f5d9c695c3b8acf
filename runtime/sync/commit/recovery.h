/* recover: settles what an earlier pass left open. The intent names the one job that changes the
 * target: if it succeeded the watermark moves now, if it runs it is waited for, if it failed the
 * intent is withdrawn; and if BigQuery does not know it, its id is claimed with a query that does
 * nothing, so that a request still on its way can never start it later. Only then may new work be
 * planned. */
#ifndef BQSYNC_SYNC_COMMIT_RECOVERY_H
#define BQSYNC_SYNC_COMMIT_RECOVERY_H

#include "base/error.h"
#include "sync/commit/table_commit.h"
#include "sync/pass/task.h"

#include <stdbool.h>

/* Settles the table's open intent, if there is one, and reloads task->watermark. */
MUST_CHECK bool recover_table(struct worker *worker, struct task *task, struct error *err);

#endif
