/* column: typed, checked reads of SQLite result columns, called by the generated readers. A value
 * converts to its column's type if nothing is lost; numbers that stand for a time are rounded to
 * the nearest microsecond. Any other value is noted in the reader as a problem and read as NULL,
 * and the row is then rejected, unless the table has a column for such values (column_unfit).
 * docs/schema.md, "Values" and "Times", lists what each type accepts. One thread at a time. */
#ifndef BQSYNC_ENCODE_COLUMN_H
#define BQSYNC_ENCODE_COLUMN_H

#include "base/slice.h"
#include "base/value.h"
#include "encode/column_reader.h"

#include <stddef.h>

/* index: of the column in table->columns and in the statement's result. A column may be read more
 * than once. Text, bytes and JSON are borrowed until the statement's next step. */
struct value_int64 column_int64(struct column_reader *in, size_t index);
struct value_float64 column_float64(struct column_reader *in, size_t index);
struct value_bool column_bool(struct column_reader *in, size_t index);
struct slice column_string(struct column_reader *in, size_t index);
struct slice column_bytes(struct column_reader *in, size_t index);
struct value_decimal column_numeric(struct column_reader *in, size_t index);
struct value_decimal column_bignumeric(struct column_reader *in, size_t index);
struct value_int64 column_date(struct column_reader *in, size_t index);
struct value_int64 column_time(struct column_reader *in, size_t index);
struct value_int64 column_datetime(struct column_reader *in, size_t index);
struct value_int64 column_timestamp(struct column_reader *in, size_t index);
struct slice column_json(struct column_reader *in, size_t index);
struct slice column_geography(struct column_reader *in, size_t index);

/* The column _bqsync_unfit, whose result column is NULL: the values that did not fit, of those that
 * were read since column_reader_next; none if all did. column_json reads it, too. */
struct slice column_unfit(struct column_reader *in, size_t index);

#endif
