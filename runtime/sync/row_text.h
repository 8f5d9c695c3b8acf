/* row_text: a canonical text of a row. It is made here from SQLite's values, and by BigQuery from
 * its own with a GoogleSQL expression, so that the hashes of the two can be compared. The text of a
 * value is its exact content (times as microseconds, doubles with 17 digits, bytes as hex) after
 * its length in bytes and a colon, or "n" for NULL, so that different rows never have equal texts,
 * except that of a GEOGRAPHY only NULL differs from a value. Pure. */
#ifndef BQSYNC_SYNC_ROW_TEXT_H
#define BQSYNC_SYNC_ROW_TEXT_H

#include "base/buffer.h"
#include "base/table.h"
#include "encode/column.h"

#include <stdbool.h>
#include <stddef.h>

enum row_text_columns {
    /* The key columns, in the key's order; of a table without a key the same as ROW_TEXT_COMPARED.
     */
    ROW_TEXT_KEY,
    /* Every column; JSON as BigQuery would print it. */
    ROW_TEXT_ALL,
    /* Every column except those of type JSON, whose text BigQuery may write differently. */
    ROW_TEXT_COMPARED,
};

/* Appends the text of the reader's current row. The reader records the values that do not fit, as
 * with every read. */
void row_text_append(
    struct buffer *out, struct column_reader *in, const struct table *table,
    enum row_text_columns which);

/* Appends the GoogleSQL expression that computes the same text, a STRING, from a row with the alias
 * t. */
void row_text_expression(
    struct buffer *out, const struct table *table, enum row_text_columns which);

#endif
