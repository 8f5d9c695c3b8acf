/* workers: a few worker threads with a connection to BigQuery and one to the state database each,
 * which do one thing to many tasks at once. The connections outlive a run, so that every step of a
 * pass finds them warm. */
#ifndef BQSYNC_SYNC_PASS_WORKERS_H
#define BQSYNC_SYNC_PASS_WORKERS_H

#include "base/error.h"
#include "sync/commit/table_commit.h"
#include "sync/deployment.h"
#include "sync/pass/task.h"

#include <stddef.h>

struct workers {
    struct worker *each; /* the first `count` are open; the first is the caller's own */
    size_t count;
    size_t size;
    const struct deployment *deployment;
    char location[64];
    const char *run_id;
    struct pass_progress *progress;
    bool reads_only;
};

/* Opens the first worker; up to `size` are opened when there is work for them. location and run_id
 * as of deployment_bigquery; run_id is borrowed. reads_only: the state database is not written, not
 * even to make its tables. */
MUST_CHECK bool workers_open(
    struct workers *workers, const struct deployment *deployment, size_t size, const char *run_id,
    struct pass_progress *progress, bool reads_only, struct error *err);
/* Where the dataset is, for every worker. */
void workers_set_location(struct workers *workers, const char *location);
void workers_close(struct workers *workers);

/* Adds up the requests of all its connections. */
struct bigquery_counters workers_counters(const struct workers *workers);

/* What is done to a task; a failure fails that task only. */
typedef bool worker_step(struct worker *worker, struct task *task, struct error *err);

/* Does it to every task that has not failed and for which wanted says yes, in the order given, as
 * many at once as there are workers; returns when all are done. A failure is noted in the task's
 * result. */
void workers_run(
    struct workers *workers, struct task *const *tasks, size_t count,
    bool (*wanted)(const struct task *task), worker_step *step);

/* Notes a failure of one table: in its result, its tracking row and the log. */
void workers_fail(struct worker *worker, struct task *task, const struct error *why);

#endif
