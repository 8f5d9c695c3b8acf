/* inline_rows: the rows of a small set of changes as values of a query parameter, so that they
 * travel in the statement that commits them: one job, and neither a staging table nor a load. Which
 * rows do is decided by size alone. Internal to extract. */
#ifndef BQSYNC_SYNC_PASS_INLINE_ROWS_H
#define BQSYNC_SYNC_PASS_INLINE_ROWS_H

#include "base/error.h"
#include "base/slice.h"
#include "base/spool.h"
#include "sync/pass/task.h"

#include <stdbool.h>
#include <stdint.h>

/* A request may have 10 MB, parameters included ("Quotas and limits": query jobs). The limits stay
 * far below: rows and megabytes at which a load is no slower than the parsing of parameters, and a
 * bound for the names and quotes around short values. */
#define INLINE_ROWS_MAX 5000
#define INLINE_DATA_MAX (1 << 20) /* bytes of the rows as Avro encodes them */
#define INLINE_TEXT_MAX (4 << 20) /* bytes of the parameter's values */

struct inline_rows {
    struct spool *text; /* NULL: the rows do not travel in the statement */
    struct buffer row;  /* scratch */
    int64_t rows;
    uint64_t data_bytes;
};

/* Begins with no rows, in which the batch of a plan that merges a table outside of a transaction
 * may be inlined; any other has none. The rows are cleared by the caller. */
MUST_CHECK bool inline_rows_begin(
    struct inline_rows *rows, const struct task *task, struct error *err);

/* Adds the row that this record (avro.h) holds, or gives up beyond a limit. */
MUST_CHECK bool inline_rows_add(
    struct inline_rows *rows, const struct table *table, struct slice record, struct error *err);

/* Takes: the text, NULL if the rows do not travel in the statement. */
struct spool *inline_rows_take(struct inline_rows *rows);

void inline_rows_clear(struct inline_rows *rows);

#endif
