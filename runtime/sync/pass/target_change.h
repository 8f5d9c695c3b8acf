/* target_change: what changes of a target and of the log of its history have in common: a statement
 * that is run as a job, expirations that a dataset gives to its new tables, and what the state has
 * to know before rows or versions turn out to be missing. */
#ifndef BQSYNC_SYNC_PASS_TARGET_CHANGE_H
#define BQSYNC_SYNC_PASS_TARGET_CHANGE_H

#include "base/error.h"
#include "base/table.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

/* Runs DDL, a statement or a script, and waits for it. table: by whose name it is paced. */
MUST_CHECK bool target_change_run(
    struct bigquery *bigquery, const struct table *table, const char *sql, struct error *err);

/* Removes the expirations that a table has got from its dataset when it was created, but for the
 * one of partitions that keep_days asks for. live: the table as BigQuery has created it. */
MUST_CHECK bool target_change_keep(
    struct bigquery *bigquery, const struct table *table, const cJSON *live, struct error *err);

/* Columns are about to be added, or the log is: rows that did not change would stay empty in them,
 * or out of it. The state knows it first, because once they are there nothing else says that they
 * were missing. Reads the task's watermark again. */
MUST_CHECK bool target_change_distrust(struct worker *worker, struct task *task, struct error *err);

#endif
