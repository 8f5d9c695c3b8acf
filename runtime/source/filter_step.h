/* filter_step: steps through a statement that holds a table's filter. A filter may fail for a row,
 * as json_extract does for a text that is no JSON, and SQLite does not say for which one; this
 * module finds it. Belongs to the thread of the connection. */
#ifndef BQSYNC_SOURCE_FILTER_STEP_H
#define BQSYNC_SOURCE_FILTER_STEP_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"

#include <sqlite3.h>
#include <stdbool.h>

/* database_step. If the table's filter has failed, the error is ERROR_SCHEMA and names the row
 * (err->row); to find it the table is read up to that row, in the snapshot of the connection. */
MUST_CHECK bool filter_step(
    struct database *source, const struct table *table, sqlite3_stmt *statement, bool *out_row,
    struct error *err);

/* error_wrap with "what TABLE", unless the filter has failed: that error names the table itself.
 * Returns false. */
bool filter_wrap(struct error *err, const char *what, const struct table *table);

#endif
