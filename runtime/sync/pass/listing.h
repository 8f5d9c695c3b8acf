/* listing: reads the names and labels of all tables of the dataset, and notes in each task whether
 * its target exists, which generation of changes it may hold, and which shape it was made for. It
 * is the only request of a pass that has nothing to do. */
#ifndef BQSYNC_SYNC_PASS_LISTING_H
#define BQSYNC_SYNC_PASS_LISTING_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "warehouse/bigquery.h"

/* ignores_case: a name that differs in case only is the same table. Sets exists, label_generation,
 * label_shape and history of each task->warehouse by tables.list, all pages. ERROR_CONFIG if the
 * dataset does not exist. */
MUST_CHECK bool listing_read(
    struct bigquery *bigquery, bool ignores_case, struct task *const *tasks, size_t count,
    struct error *err);

#endif
