/* settle: ends what may still change a target though the state knows nothing of it: jobs that an
 * earlier process started after a label (sync/pass/label_jobs.h), if the source has been restored
 * from a backup since, or the state was lost. And ends series (sync/series.h): those that this
 * process did not leave in the state, because it was killed, another process made them, or the
 * source was restored from a backup of the seconds in which the label stayed behind; and those
 * whose time is over. Called on a worker's thread. */
#ifndef BQSYNC_SYNC_COMMIT_SETTLE_H
#define BQSYNC_SYNC_COMMIT_SETTLE_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "sync/pass/worker.h"
#include "sync/series.h"

#include <stdbool.h>

/* Whether the planned task's target may hold, or come to hold, more than the state knows: its label
 * is another than the state's, or a series is open that is not as this process has left it. */
bool settle_is_doubtful(struct series *series, const struct task *task);

/* A step of workers_run for such tasks; context is not used. Asks BigQuery for the jobs that may
 * have followed the label, or the series after the generation of the state, and waits briefly for
 * those that it has. The id of the first that it has not is claimed, so that no request that is
 * still under way can start one. If there is a job of the series, the source was restored from an
 * older backup: the task is outdated, and its next plan replaces the table. */
MUST_CHECK bool settle_doubt(
    struct worker *worker, struct task *task, void *context, struct error *err);

/* Whether the label of a table without changes has to be raised at the end of the pass: a series is
 * open. A pass that follows commits leaves it behind for SERIES_MS. */
bool settle_is_due(struct series *series, const struct task *task, bool follows);

/* A step of workers_run for such tasks; context is not used. Raises the label. */
MUST_CHECK bool settle_label(
    struct worker *worker, struct task *task, void *context, struct error *err);

#endif
