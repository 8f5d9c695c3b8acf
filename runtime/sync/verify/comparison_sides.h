/* comparison_sides: what a comparison of a table works with. Plain data; belongs to the thread of
 * its connections. */
#ifndef BQSYNC_SYNC_VERIFY_COMPARISON_SIDES_H
#define BQSYNC_SYNC_VERIFY_COMPARISON_SIDES_H

#include "base/clock.h"
#include "base/config.h"
#include "source/database.h"
#include "source/tracking.h"
#include "warehouse/bigquery.h"

/* Both sides, opened; all borrowed. */
struct comparison_sides {
    const struct config *config;
    /* In a read transaction, so that progress and rows are of one moment. comparison_run ends it as
     * soon as the rows are read, before it asks BigQuery, and may open another one. */
    struct database *source;
    struct tracking *tracking;
    struct bigquery *bigquery;
    const struct clock *clock;
};

#endif
