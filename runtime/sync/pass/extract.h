/* extract: reads one table in the open snapshot, row by row, through its generated reader and
 * encoder into an Avro file in a spool; rows with values that do not fit are collected as rejects.
 * Runs on the thread that owns the source connection. Contacts nobody. */
#ifndef BQSYNC_SYNC_PASS_EXTRACT_H
#define BQSYNC_SYNC_PASS_EXTRACT_H

#include "base/error.h"
#include "source/database.h"
#include "sync/pass/progress.h"
#include "sync/pass/task.h"

#include <stdbool.h>

struct extract_options {
    const char *state_path; /* where rejects are collected; NULL: they are only counted (dry run) */
    const char *shadow_path;        /* the state database, for tables that are scanned */
    struct pass_progress *progress; /* may be NULL */
    int compressors;                /* helper threads */
    bool staging_only;              /* no file goes straight into its target */
    bool discard;                   /* encode but keep nothing (dry run) */
};

/* Reads what task->work asks for as of task->position into task->batch, and counts rejected rows in
 * the task's result. A scan may find that the whole content has to be replaced: task->work then
 * says so. ERROR_REJECTED when the table says on_reject: fail; ERROR_SOURCE, ERROR_DISK,
 * ERROR_STOPPED. */
MUST_CHECK bool extract_table(
    struct database *source, const struct extract_options *options, struct task *task,
    struct error *err);

/* Frees the file and all that is open, but keeps the counts. */
void batch_release(struct batch *batch);

/* Frees what extract_table made. */
void batch_clear(struct batch *batch);

#endif
