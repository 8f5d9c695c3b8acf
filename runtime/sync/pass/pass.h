/* pass: one sync of all or some tables, from the lock to the history. Steps: one listing of the
 * dataset; what an earlier run left open is settled; every table is planned; targets are made fit;
 * the changes are sealed and all tables are read in one SQLite snapshot; the snapshot is let go;
 * the batches are applied. One table's failure never stops the others. */
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
    bool full;                         /* replace the content of the tables */
    bool dry_run;                      /* read and encode everything, write nothing anywhere */
    const struct table *const *tables; /* NULL: all of the deployment's */
    size_t table_count;
    const char *run_id;             /* NULL: a fresh one */
    struct pass_progress *progress; /* may be NULL */
    const char *command;            /* for the lock: who holds it */
};

/* Runs a pass on the calling thread. *out_result is filled in any case and is the caller's to
 * clear; why the pass as a whole could not go on is in out_result->error. */
void pass_run(
    const struct deployment *deployment, const struct pass_options *options,
    struct run_result *out_result);

#endif
