/* tracking_quota: hourly counts for each BigQuery table, kept in bq_sync_loads of the state
 * database so that processes that run one after another share them. The caller decides what is
 * counted and how long an hour counts (warehouse/quota). One struct tracking belongs to one thread.
 */
#ifndef BQSYNC_SOURCE_TRACKING_QUOTA_H
#define BQSYNC_SOURCE_TRACKING_QUOTA_H

#include "base/error.h"
#include "source/tracking.h"

#include <stdint.h>

typedef void tracking_quota_visit(void *context, int64_t hour, int64_t count);

/* Tells the counts of a table since an hour; name is "project.dataset.table". */
MUST_CHECK bool tracking_quota_load(
    struct tracking *tracking, const char *name, int64_t first_hour, tracking_quota_visit *visit,
    void *context, struct error *err);
/* Replaces the count of an hour, and forgets those before first_hour. */
MUST_CHECK bool tracking_quota_save(
    struct tracking *tracking, const char *name, int64_t first_hour, int64_t hour, int64_t count,
    struct error *err);

#endif
