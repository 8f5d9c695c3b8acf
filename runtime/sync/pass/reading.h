/* reading: reads all tables of a pass that have work, in one SQLite snapshot, into their batches,
 * and lets the snapshot go. What a scan finds out only by reading is followed up here: a table
 * without changes has no work after all, and the target of one with changes is brought in line.
 * Runs on the thread that owns the source connection. */
#ifndef BQSYNC_SYNC_PASS_READING_H
#define BQSYNC_SYNC_PASS_READING_H

#include "base/error.h"
#include "source/database.h"
#include "sync/deployment.h"
#include "sync/pass/progress.h"
#include "sync/pass/task.h"
#include "sync/pass/workers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reading {
    const struct deployment *deployment;
    struct database *source;
    struct workers *workers;
    struct task *const *tasks; /* in the order in which they are read */
    size_t count;
    worker_step *prepare; /* brings a target in line, on a worker */
    struct pass_progress *progress;
    bool dry_run;

    int64_t taken_us; /* out: when the snapshot was opened */
};

/* One table's failure goes into its result; false if nothing can be read at all. */
MUST_CHECK bool reading_run(struct reading *reading, struct error *err);

#endif
