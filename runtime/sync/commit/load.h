/* load: sends the file of a task into a table of the dataset by a load job, and keeps the pass's
 * progress and the task's outcome up to date. Called on a worker's thread. */
#ifndef BQSYNC_SYNC_COMMIT_LOAD_H
#define BQSYNC_SYNC_COMMIT_LOAD_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

struct load {
    const char *job_id;
    const char *destination; /* a table of the dataset */
    enum load_disposition disposition;
    const char *phase; /* for the job's label: "load", "append", "replace" */
};

/* Sends the file and starts the job; its end is not waited for. An id that exists already is this
 * very job, sent before. */
MUST_CHECK bool load_start(
    struct worker *worker, struct task *task, const struct load *load, struct error *err);

#endif
