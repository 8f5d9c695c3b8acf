/* usage: a daily count per BigQuery table, kept in bq_sync_quota of the state database so that a
 * quota is known across processes. What is counted and what a day is, the caller says. */
#ifndef BQSYNC_SOURCE_TRACKING_QUOTA_H
#define BQSYNC_SOURCE_TRACKING_QUOTA_H

#include "base/error.h"
#include "source/tracking.h"

#include <stdint.h>

/* name: "project.dataset.table". Day and count are 0 if nothing is recorded. */
MUST_CHECK bool tracking_quota_load(
    struct tracking *tracking, const char *name, int64_t *out_day, int64_t *out_count,
    struct error *err);
MUST_CHECK bool tracking_quota_save(
    struct tracking *tracking, const char *name, int64_t day, int64_t count, struct error *err);

#endif
