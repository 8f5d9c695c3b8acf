/* worker: what one thread of a pass works with: a connection to BigQuery, which is its own, and
 * what all of them share, the connection to the state database above all. Opened and closed by
 * workers.h. */
#ifndef BQSYNC_SYNC_PASS_WORKER_H
#define BQSYNC_SYNC_PASS_WORKER_H

#include "base/clock.h"
#include "base/config.h"
#include "source/tracking.h"
#include "sync/pass/progress.h"
#include "warehouse/bigquery.h"
#include "warehouse/job_id.h"

#include <pthread.h>
#include <stdbool.h>

struct worker {
    /* The worker's own, opened and closed with it. */
    struct bigquery *bigquery;
    /* Shared: SQLite keeps the parsed schema of the source, half a megabyte for some dozens of
     * tables, once for each connection. For the thread of a step only between worker_take_state
     * and worker_give_state. */
    struct tracking *tracking;
    pthread_mutex_t *turn; /* NULL: nobody else is there */
    /* The state database is open for reading only: failures are not recorded there. */
    bool reads_only;

    /* The pass follows commits, so that it may begin or continue a series. */
    bool follows;
    /* The pass commits all tables by one script; its jobs are named by this nonce. "": each table
     * has a commit job of its own. */
    char transaction[JOB_ID_NONCE_SIZE];

    /* Borrowed from the deployment. */
    struct series *series; /* NULL: there are none */
    const struct config *config;
    const struct clock *clock;
    int64_t retry_budget_ms;
    const char *run_id; /* may be NULL */
    const char *project;
    const char *dataset;
    const char *location; /* "" until it is known */
    /* Borrowed from the pass. NULL: nobody watches. */
    struct pass_progress *progress;
};

/* The state database for a few statements, to be given back soon: never during a request. */
static inline struct tracking *worker_take_state(struct worker *worker)
{
    if (worker->turn != NULL)
        pthread_mutex_lock(worker->turn);
    return worker->tracking;
}

static inline void worker_give_state(struct worker *worker)
{
    if (worker->turn != NULL)
        pthread_mutex_unlock(worker->turn);
}

#endif
