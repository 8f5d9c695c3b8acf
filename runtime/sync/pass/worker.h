/* worker: what one thread of a pass works with: a connection to BigQuery and one to the state
 * database, which are its own, and what all of them share. Opened and closed by workers.h. */
#ifndef BQSYNC_SYNC_PASS_WORKER_H
#define BQSYNC_SYNC_PASS_WORKER_H

#include "base/clock.h"
#include "source/tracking.h"
#include "sync/pass/progress.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

struct worker {
    /* The worker's own, opened and closed with it. */
    struct bigquery *bigquery;
    struct tracking *tracking;
    /* The state database is open for reading only: failures are not recorded there. */
    bool reads_only;

    /* Borrowed from the deployment. */
    const struct clock *clock;
    int64_t retry_budget_ms;
    const char *project;
    const char *dataset;
    const char *location; /* "" until it is known */
    /* Borrowed from the pass. NULL: nobody watches. */
    struct pass_progress *progress;
};

#endif
