/* listing: reads the names and labels of all tables of the dataset, and notes in each task whether
 * its target exists, which generation of changes it may hold, and which shape it was made for. It
 * is the only request of a pass that has nothing to do. */
#ifndef BQSYNC_SYNC_PASS_LISTING_H
#define BQSYNC_SYNC_PASS_LISTING_H

#include "base/error.h"
#include "sync/pass/location.h"
#include "sync/pass/task.h"
#include "warehouse/bigquery.h"

/* location is what location_find has found, by which names may differ in case only. Sets exists,
 * label, label_shape and history of each task->warehouse by tables.list, all pages. In a
 * dataset that is absent there is nothing. One that the state knows and that is gone is created as
 * location_find does it, and location is set anew: every pass lists, so every pass notices.
 * ERROR_CONFIG if the dataset does not exist and is not to be created. */
MUST_CHECK bool listing_read(
    struct location *location, struct bigquery *bigquery, struct task *const *tasks, size_t count,
    struct error *err);

#endif
