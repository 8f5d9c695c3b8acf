/* pass: one sync of all or some tables, from the lock to its record. Steps: one listing of the
 * dataset; open intents of earlier runs are resolved; every table is planned; targets are brought
 * in line; the changes are sealed and all tables are read in one SQLite snapshot; the snapshot
 * ends; the batches are committed. Tables whose plan was overtaken, by a reset, a repair, a
 * restored backup or a changed trigger, go through these steps again, at most three times. One
 * table's failure never stops the others. */
#ifndef BQSYNC_SYNC_PASS_PASS_H
#define BQSYNC_SYNC_PASS_PASS_H

#include "base/error.h"
#include "sync/deployment.h"
#include "sync/pass/progress.h"
#include "sync/pass/result.h"

#include <stdbool.h>
#include <stddef.h>

struct pass_options {
    enum run_kind kind;
    /* Replace the content of the tables, whatever has changed. */
    bool full;
    /* Read and encode everything, write nothing anywhere. */
    bool dry_run;
    /* NULL: all of the deployment's. */
    const struct table *const *tables;
    size_t table_count;
    /* It follows a commit: the tables are all of which something may be sent now. What was
     * committed before it plans them counts as followed, as it does for a pass over all tables. */
    bool follow;
    /* NULL: a fresh one. */
    const char *run_id;
    struct pass_progress *progress; /* may be NULL */
    /* For the lock, which names its holder. */
    const char *command;
};

/* Runs a pass on the calling thread. *out_result is filled in any case and is the caller's to
 * clear. out_result->error says why the pass as a whole ended early, if it did. */
void pass_run(
    const struct deployment *deployment, const struct pass_options *options,
    struct run_result *out_result);

#endif
