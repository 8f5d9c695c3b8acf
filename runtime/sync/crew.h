/* crew: a few worker threads with a connection to BigQuery and one to the state database each,
 * which do one thing to many tasks at once. The connections outlive a run, so that every step of a
 * pass finds them warm. */
#ifndef BQSYNC_SYNC_CREW_H
#define BQSYNC_SYNC_CREW_H

#include "base/error.h"
#include "sync/apply.h"
#include "sync/engine.h"
#include "sync/task.h"

#include <stddef.h>

struct crew {
    struct applier *appliers; /* the first `count` are open; the first is the caller's own */
    size_t count;
    size_t size;
    const struct engine *engine;
    char location[64];
    const char *run_id;
    struct board *board;
    bool reads_only;
};

/* Opens the first worker; up to `size` are opened when there is work for them. location and run_id
 * as of engine_bigquery; run_id is borrowed. reads_only: the state database is not written, not
 * even to make its tables. */
MUST_CHECK bool crew_open(
    struct crew *crew, const struct engine *engine, size_t size, const char *run_id,
    struct board *board, bool reads_only, struct error *err);
/* Where the dataset is, for every worker. */
void crew_set_location(struct crew *crew, const char *location);
void crew_close(struct crew *crew);

/* Adds up the requests of all its connections. */
struct bigquery_counters crew_counters(const struct crew *crew);

/* What is done to a task; a failure fails that task only. */
typedef bool crew_step(struct applier *applier, struct task *task, struct error *err);

/* Does it to every task that has not failed and for which wanted says yes, in the order given, as
 * many at once as there are workers; returns when all are done. A failure is noted in the task's
 * result. */
void crew_run(
    struct crew *crew, struct task *const *tasks, size_t count,
    bool (*wanted)(const struct task *task), crew_step *step);

/* Notes a failure of one table: in its result, its tracking row and the log. */
void crew_fail(struct applier *applier, struct task *task, const struct error *why);

#endif
