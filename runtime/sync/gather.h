/* gather: reads all tables of a pass that have work, in one SQLite snapshot, into their batches,
 * and lets the snapshot go. What a scan finds out only by reading is followed up here: a table
 * without changes has no work after all, and the target of one with changes is brought in line.
 * Runs on the thread that owns the source connection. */
#ifndef BQSYNC_SYNC_GATHER_H
#define BQSYNC_SYNC_GATHER_H

#include "base/error.h"
#include "source/database.h"
#include "sync/board.h"
#include "sync/crew.h"
#include "sync/engine.h"
#include "sync/task.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gather {
    const struct engine *engine;
    struct database *source;
    struct crew *crew;
    struct task *const *tasks; /* in the order in which they are read */
    size_t count;
    crew_step *prepare; /* brings a target in line, on a worker */
    struct board *board;
    bool dry_run;

    int64_t taken_us; /* out: when the snapshot was opened */
};

/* One table's failure goes into its result; false if nothing can be read at all. */
MUST_CHECK bool gather_read(struct gather *gather, struct error *err);

#endif
