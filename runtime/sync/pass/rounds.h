/* rounds: plans the tables of a pass, brings their targets in line, reads them in one SQLite
 * snapshot and commits what was read. Tables whose plan was overtaken meanwhile, by a reset, a
 * repair, a restored backup, a changed trigger or a changed target, go through another round, at
 * most three in all. One table's failure never stops the others. Runs on the thread that owns the
 * source connection. */
#ifndef BQSYNC_SYNC_PASS_ROUNDS_H
#define BQSYNC_SYNC_PASS_ROUNDS_H

#include "base/error.h"
#include "source/database.h"
#include "source/tracking.h"
#include "sync/deployment.h"
#include "sync/pass/task.h"
#include "sync/pass/workers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All borrowed. */
struct rounds {
    const struct deployment *deployment;
    struct workers *workers;
    struct database *source;
    /* May share the source's connection; parted from it before the first snapshot. */
    struct tracking *tracking;
    const char *run_id;
    bool full;    /* all content is wanted, whatever has changed */
    bool dry_run; /* ends where sending would begin, and writes nothing */

    /* The tasks that rounds still have to do something about are the first `open`. The array is put
     * into another order, of what is to be done again and then of size, and keeps every task. */
    struct task **tasks;
    size_t open;
    int64_t snapshot_us; /* when the last snapshot was opened */
};

/* Labels and open intents of the tasks are known and resolved. What becomes of a table is in its
 * task's outcome; false if nothing can be read at all. */
MUST_CHECK bool rounds_run(struct rounds *rounds, struct error *err);

#endif
