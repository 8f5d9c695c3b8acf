/* extract: reads one table in the open snapshot, row by row, through its generated reader and
 * encoder into an Avro file in a spool. Rows with values that do not fit are collected as rejects.
 * Runs on the thread that owns the source connection. Contacts nobody. */
#ifndef BQSYNC_SYNC_PASS_EXTRACT_H
#define BQSYNC_SYNC_PASS_EXTRACT_H

#include "base/error.h"
#include "source/database.h"
#include "sync/pass/extract_options.h"
#include "sync/pass/task.h"

#include <stdbool.h>

/* Reads what task->plan asks for, as of task->source.position, into task->batch, and counts
 * rejected rows in the task's outcome. What a scan finds out revises the plan, and the table is
 * read again if the new plan needs another file. On success the batch is complete and made for the
 * plan, unless the task is outdated. ERROR_REJECTED when the table says on_reject: fail;
 * ERROR_SOURCE, ERROR_DISK, ERROR_STOPPED. */
MUST_CHECK bool extract_table(
    struct database *source, const struct extract_options *options, struct task *task,
    struct error *err);

#endif
