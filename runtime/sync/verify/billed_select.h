/* billed_select: the queries of a comparison and of forget, whose price goes on the table's bill in
 * the state database (source/tracking_bill.h). A verification only reads otherwise, so the state is
 * opened for writing for one short transaction after each of them, and for one before it if there
 * is a budget of the day to reserve from. */
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
    /* NULL: a SELECT. Else DML or a script of such, which is run as a job with this in its label.
     */
    const char *phase;
};

/* Runs the query as bigquery_select does, or waits for its job, and adds what it billed to
 * out->bytes_billed and to the bill of out->table. A state database without control tables gets
 * none; a bill that cannot be written is logged. With a budget both are errors, and the query
 * reserves of it what it needs: ERROR_BUDGET. The reservation of a query whose answer is lost
 * stays. */
MUST_CHECK bool billed_select(
    const struct comparison_sides *sides, const struct billed_select *query,
    struct verify_table *out, struct error *err);

#endif
