/* rowtext: a canonical text of a row, made once here from SQLite's values and once by BigQuery from
 * its own with an expression of GoogleSQL, so that hashes of the two can be compared. Each value is
 * a text of its type's exact content (times as microseconds, doubles with 17 digits, bytes as hex),
 * led by its length in bytes, or "n" for NULL; so no two different rows share a text, except that
 * of a GEOGRAPHY only NULL is told from a value. Pure. */
#ifndef BQSYNC_SYNC_VERIFY_ROW_TEXT_H
#define BQSYNC_SYNC_VERIFY_ROW_TEXT_H

#include "base/buffer.h"
#include "base/table.h"
#include "encode/column.h"

#include <stdbool.h>
#include <stddef.h>

enum rowtext_columns {
    ROWTEXT_KEY,      /* the key columns, in the key's order */
    ROWTEXT_ALL,      /* every column; JSON as BigQuery would print it */
    ROWTEXT_COMPARED, /* every column but those of type JSON, whose text BigQuery may write
                         differently */
};

/* Appends the text of the reader's current row. A value that does not fit is noted in the reader as
 * ever. */
void rowtext_append(
    struct buffer *out, struct column_reader *in, const struct table *table,
    enum rowtext_columns which);

/* Appends the GoogleSQL expression (a STRING) that computes the same from a row of alias t. */
void rowtext_expression(struct buffer *out, const struct table *table, enum rowtext_columns which);

#endif
