/* staging: the table of the dataset through which the rows of a MERGE pass. It belongs to one
 * intent and carries its nonce in its name. Its columns are those of the target, all NULLABLE, and
 * one more: _bqsync_deleted, true in a row that says that its key is gone, or in a replacement,
 * that what the target holds of its key stays. Of a table with history they have another:
 * _bqsync_operation, what the row is to its log, NULL where only the target can tell. Called on a
 * worker's thread. */
#ifndef BQSYNC_SYNC_COMMIT_STAGING_H
#define BQSYNC_SYNC_COMMIT_STAGING_H

#include "base/buffer.h"
#include "base/error.h"
#include "source/tracking.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Returns owned the schema: the target's columns without what only a target needs, and the one that
 * marks tombstones. Policy tags stay: what is protected there is not to lie open here to all
 * readers of the dataset. */
cJSON *staging_schema(const struct task *task);

/* Creates the intent's staging table. It expires after a day, in case nothing drops it before. */
MUST_CHECK bool staging_create(
    struct worker *worker, const struct task *task, const struct intent *intent, struct error *err);

/* Appends what a statement reads: the rows of the batch, in the staging table or in the statement's
 * parameter, with the JSON parsed where it was sent as text. */
void staging_append_source(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent);

/* Appends a query of the rows that stay in the target when a replacement keeps the versions of
 * rejected rows, with the table's columns. */
void staging_append_kept(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent);

/* Appends the names of the table's columns with commas in between, each behind "alias" ("t.", or
 * ""). */
void staging_append_columns(struct buffer *sql, const struct table *table, const char *alias);

/* Appends one more column, _bqsync_number, to the select list of a query from the target as t: the
 * number of the row among those with its key, from 1. What takes rows from the target takes number
 * 1 of each key: somebody may have doubled it. */
void staging_append_number(struct buffer *sql, const struct table *table);

/* Appends the statement that brings changes into the target, from the staging table or from its own
 * parameter: the MERGE, or for rows that are all new the one that adds them. */
void staging_append_change(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent);

/* Whether the task's batch replaces a target that holds rows which the source does not have any
 * more, and keeps them (table.h: deletes). */
bool staging_keeps_deleted(const struct task *task);

/* Appends statements that empty the target and fill it from the staging table, or the first alone
 * if the intent has none: no row was sent. None of them changes more partitions than a job may, as
 * long as the rows that stay lie in few others. Exactly one row of the target stays for each kept
 * key of the batch, and, where the table keeps deleted rows, for each key that no row was sent for,
 * also if somebody has doubled it. */
void staging_append_replacement(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent);

/* Whether these statements are one, so that they need no transaction around them. */
bool staging_replaces_at_once(const struct task *task);

/* Whether the statement of the task's batch has the parameter @snapshot_at, when its rows were read
 * (batch.h: taken_us). */
bool staging_needs_snapshot(const struct task *task);

/* A load job of the task failed. If it may have been for a number in JSON, which BigQuery either
 * rounds or refuses when it loads, the table's JSON is loaded as text from now on, and the task is
 * outdated: it has to be planned and read again. */
MUST_CHECK bool staging_adopt_text(
    struct worker *worker, struct task *task, const struct error *failure, struct error *err);

/* A job of the task failed. If it would have changed too many partitions, as a MERGE may that
 * deletes rows in many, the task is outdated: all rows have to be sent. Returns whether that is so.
 */
bool staging_adopt_parts(struct task *task, const struct error *failure);

/* A job of the task failed. If it was a MERGE that the immutable column has bounded, and a changed
 * row was not within these bounds, that is logged, and the task is outdated: its next plan does
 * without them. Returns whether that is so. */
bool staging_adopt_unbounded(struct task *task, const struct error *failure);

/* Drops the intent's staging table, if it has one. It expires by itself, so a failure is only
 * logged. */
void staging_drop(struct worker *worker, const struct intent *intent);

#endif
