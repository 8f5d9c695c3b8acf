/* column: typed, checked reads of SQLite result columns, called by the generated readers. A value
 * that its column's type cannot hold exactly is noted as a problem and read as NULL; the row is
 * then a reject. Conversions are exact or they are problems (docs/schema.md lists them). One thread
 * at a time. */
#ifndef BQSYNC_ENCODE_COLUMN_H
#define BQSYNC_ENCODE_COLUMN_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/table.h"
#include "base/value.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define COLUMN_PROBLEMS_MAX 16

/* One value that does not fit. */
struct column_problem {
    size_t column;             /* index into table->columns */
    const char *storage_class; /* "null", "integer", "real", "text" or "blob"; static */
    const char *reason; /* for people, static: "is not an integer", "is not valid UTF-8" ... */
};

struct column_reader {
    const struct table *table;
    sqlite3_stmt *row;
    bool tombstone;        /* the row is gone: NULL is no problem outside of key columns */
    struct buffer scratch; /* results of transforms, valid until column_reader_next */
    size_t problem_count;
    struct column_problem problems[COLUMN_PROBLEMS_MAX];
    void *digest; /* OpenSSL state of the hashing transforms, made once */
    bool utf16;   /* the database stores text as UTF-16, where a surrogate may stand alone */
};

/* Binds the reader to a statement whose first result columns are the table's columns in order. Both
 * are borrowed. Keys of hmac_sha256 columns are read from their environment variables here:
 * ERROR_CONFIG names the table, the column and the variable that is not set. */
MUST_CHECK bool column_reader_init(
    struct column_reader *in, const struct table *table, sqlite3_stmt *row, struct error *err);
void column_reader_clear(struct column_reader *in);

/* To be called after each step: forgets the problems and scratch of the row before. */
void column_reader_next(struct column_reader *in, bool tombstone);

/* Whether every value of the row read since column_reader_next fits. */
bool column_reader_row_fits(const struct column_reader *in);

/* What a value must be to fit, per type: docs/schema.md, "Values" and "Times". index: of the column
 * in table->columns and of the result column. Each column is read once a row. Text, bytes and JSON
 * are borrowed until the next step or column_reader_next. */
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

#endif
