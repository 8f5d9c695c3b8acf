/* plan: decides what has to be sent for a table, and the cheapest correct way of sending it:
 * nothing, new rows, changed rows, or all of it. The only writer of struct plan. What a later step
 * finds out is reported here, and the plan is revised here. Reads the source and the state;
 * contacts nobody and writes nothing. */
#ifndef BQSYNC_SYNC_PASS_PLAN_H
#define BQSYNC_SYNC_PASS_PLAN_H

#include "base/config.h"
#include "base/error.h"
#include "source/database.h"
#include "source/tracking.h"
#include "sync/pass/task.h"

#include <stdbool.h>

/* Fills task->source (but for its position) and task->plan. The labels of task->warehouse have been
 * read. full: the whole content is wanted. ERROR_SCHEMA names what the source lacks and the fix. */
MUST_CHECK bool plan_table(
    const struct config *config, struct database *source, struct tracking *tracking,
    struct task *task, bool full, struct error *err);

/* How changes of a table are found. ERROR_SCHEMA when the definition asks for what the
 * configuration forbids. */
MUST_CHECK bool plan_capture(
    const struct config *config, const struct table *table, const struct source_shape *shape,
    struct plan_capture *out_capture, struct error *err);

/* Whether a scan of the table finds nothing new unless something was committed since the last one.
 * A view and a virtual table may show what is not in the database; a rejected row is tried again in
 * each scan. */
bool plan_changes_by_commits(const struct task *task);

/* Called in the open snapshot, before the table is read: if the source's schema has changed since
 * plan_table, looks again at the table's shape and its capture. The task is outdated if they are
 * not as planned, or if rows without a key have come. installed: capture that the plan found broken
 * has been installed since. */
MUST_CHECK bool plan_check_schema(
    const struct config *config, struct database *source, struct task *task, bool installed,
    struct error *err);

/* Looks again in the open snapshot: keys of an append table that changed since plan_table make its
 * new rows a MERGE; the task is outdated if it had no rows to send and has some now. Called before
 * the table's file is opened. */
MUST_CHECK bool plan_in_snapshot(struct database *source, struct task *task, struct error *err);

/* What turns out after plan_table. */
enum plan_finding {
    /* A scan that had to find out whether there is anything to send has ended: it has rows. */
    PLAN_FOUND_ROWS,
    /* The same, and it has none. */
    PLAN_FOUND_NO_ROWS,
    /* Rows that were sent before have changed or are gone. */
    PLAN_FOUND_CHANGED_ROWS,
    /* So many rows have changed that sending all of them is cheaper. */
    PLAN_FOUND_MOST_CHANGED,
    /* A row is rejected whose earlier version may be in the target, and all rows are being sent. */
    PLAN_FOUND_VERSION_TO_KEEP,
    /* The target lacked columns, which are empty in the rows that it holds. */
    PLAN_FOUND_NEW_COLUMNS,
    /* The target was not listed, but is there: somebody has just created it. */
    PLAN_FOUND_TARGET,
    /* The rows lie in more partitions of the target than one job may change. */
    PLAN_FOUND_MANY_PARTITIONS,
};

/* Revises the plan. Returns true if the rows have to be read in another way than before: a file in
 * task->batch has been discarded then. */
bool plan_revise(struct task *task, enum plan_finding finding);

/* What a replacement does about versions of rejected rows that the target holds. They stay, unless
 * the definition has changed since they were sent. */
enum shadow_mode plan_kept(const struct task *task);

/* Whether sending all rows is cheaper than a MERGE of this number of changed ones. */
bool plan_prefers_replace(const struct task *task, int64_t changed);

/* Whether what is to be sent needs a statement, which BigQuery bills. It is not known of a scan
 * that has to find out whether there is anything to send. */
bool plan_is_billed(const struct task *task);

/* Whether it has a JSON column. */
bool plan_has_json(const struct table *table);

#endif
