/* load: sends the file of a task into a table of the dataset by a load job, and keeps the pass's
 * progress and the task's outcome up to date. Called on a worker's thread. */
#ifndef BQSYNC_SYNC_COMMIT_LOAD_H
#define BQSYNC_SYNC_COMMIT_LOAD_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

/* What is loaded where. Strings are borrowed for the call. */
struct load {
    /* Made from the task's intent. */
    const char *job_id;
    /* A table of the dataset, which exists. */
    const char *destination;
    enum load_disposition disposition;
    /* For the job's label: "load" into a staging table, or "append" or "replace". */
    const char *phase;
};

/* Sends the file and starts the job; its end is not waited for. An id that exists already is this
 * very job, sent before. */
MUST_CHECK bool load_start(
    struct worker *worker, struct task *task, const struct load *load, struct error *err);

#endif
