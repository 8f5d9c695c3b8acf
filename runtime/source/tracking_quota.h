/* tracking_quota: a daily count for each BigQuery table, kept in bq_sync_quota of the state
 * database so that processes that run one after another share it. The caller decides what is
 * counted and when a day begins (warehouse/quota). One struct tracking belongs to one thread. */
#ifndef BQSYNC_SOURCE_TRACKING_QUOTA_H
#define BQSYNC_SOURCE_TRACKING_QUOTA_H

#include "base/error.h"
#include "source/tracking.h"

#include <stdint.h>

/* Reads the record of a table; name is "project.dataset.table". Day and count are 0 if nothing is
 * recorded. */
MUST_CHECK bool tracking_quota_load(
    struct tracking *tracking, const char *name, int64_t *out_day, int64_t *out_count,
    struct error *err);
/* Replaces the record of a table. */
MUST_CHECK bool tracking_quota_save(
    struct tracking *tracking, const char *name, int64_t day, int64_t count, struct error *err);

#endif
