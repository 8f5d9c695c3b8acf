/* comparison: compares one table of both sides. Both hash every row (row_text, row_hash) and
 * add the hashes up in 4096 buckets by key; only the rows of buckets that differ are then compared
 * one by one (drill_down).
 *
 * A table that is equal costs one query, which bills the whole table once; a table that differs
 * costs a second one. Belongs to the thread of its connections. */
#ifndef BQSYNC_SYNC_VERIFY_COMPARISON_H
#define BQSYNC_SYNC_VERIFY_COMPARISON_H

#include "base/error.h"
#include "sync/verify/comparison_sides.h"
#include "sync/verify/verify_report.h"

#include <stdbool.h>

/* Compares out->table and fills the rest of an entry made by verify_report_new. A table that
 * BigQuery lacks is compared as an empty one; of one that lacks columns of the definition, only
 * these are noted. On failure the entry may be filled in part. */
MUST_CHECK bool comparison_run(
    const struct comparison_sides *sides, struct verify_table *out, struct error *err);

#endif
