/* reading: reads all tables of a pass that have work, in one SQLite snapshot, into their batches,
 * and ends the snapshot. What a scan finds out only by reading is followed up here: the target of a
 * table that has rows after all is brought in line, and a batch that does not fit its target or its
 * plan any more is read again. Runs on the thread that owns the source connection. */
#ifndef BQSYNC_SYNC_PASS_READING_H
#define BQSYNC_SYNC_PASS_READING_H

#include "base/error.h"
#include "source/database.h"
#include "sync/deployment.h"
#include "sync/pass/extract_options.h"
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
    struct extract_codec codec; /* set when anything is to be read */
    bool dry_run;               /* nothing is kept, and no target is touched */

    int64_t taken_us; /* out: wall clock of when the last snapshot was opened */
};

/* On success every task that has not failed and has work has a complete batch; tasks whose tables
 * are not as planned any more are outdated and have none. One table's failure goes into its
 * outcome; false if nothing can be read at all. */
MUST_CHECK bool reading_run(struct reading *reading, struct error *err);

#endif
