/* listing: the one request of an idle pass. Reads the names and labels of all tables of the dataset
 * and notes on each task whether its target exists and which position it is labelled with. */
#ifndef BQSYNC_SYNC_PASS_LISTING_H
#define BQSYNC_SYNC_PASS_LISTING_H

#include "base/error.h"
#include "sync/pass/task.h"
#include "warehouse/bigquery.h"

/* tables.list of the dataset; ERROR_CONFIG if the dataset does not exist. */
MUST_CHECK bool listing_read(
    struct bigquery *bigquery, struct task *const *tasks, size_t count, struct error *err);

#endif
