/* billed_select: the queries of a comparison, whose price goes on the table's bill in the state
 * database (source/tracking_bill.h). A verification only reads otherwise, so the state is opened
 * for writing after each of them, for one short transaction. */
#ifndef BQSYNC_SYNC_VERIFY_BILLED_SELECT_H
#define BQSYNC_SYNC_VERIFY_BILLED_SELECT_H

#include "base/error.h"
#include "sync/verify/comparison_sides.h"
#include "sync/verify/verify_report.h"
#include "warehouse/bigquery.h"

#include <stdbool.h>

struct billed_select {
    const char *sql;
    bigquery_row_visit *visit;
    void *context;
};

/* Runs the query as bigquery_select does, and adds what it billed to out->bytes_billed and to the
 * bill of out->table. A state database without control tables gets none. A bill that cannot be
 * written is logged. */
MUST_CHECK bool billed_select(
    const struct comparison_sides *sides, const struct billed_select *query,
    struct verify_table *out, struct error *err);

#endif
