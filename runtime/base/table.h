/* table: the description of one synced table that generated code fills in and everything else
 * reads. Types only; descriptors are static and immutable, so any thread may read them. */
#ifndef BQSYNC_BASE_TABLE_H
#define BQSYNC_BASE_TABLE_H

#include "base/send_mode.h"

#include <stdbool.h>
#include <stddef.h>

struct avro_writer;
struct column_reader;

/* Generated files assert this number: one that was made for another layout does not compile. */
#define TABLE_DESCRIPTOR_VERSION 1

enum column_type {
    COLUMN_INT64,
    COLUMN_FLOAT64,
    COLUMN_BOOL,
    COLUMN_STRING,
    COLUMN_BYTES,
    COLUMN_NUMERIC,
    COLUMN_BIGNUMERIC,
    COLUMN_DATE,
    COLUMN_TIME,
    COLUMN_DATETIME,
    COLUMN_TIMESTAMP,
    COLUMN_JSON,
};

/* How a DATE, TIME, DATETIME or TIMESTAMP is stored in SQLite. */
enum time_format {
    TIME_FORMAT_ISO8601,
    TIME_FORMAT_UNIX_S,
    TIME_FORMAT_UNIX_MS,
    TIME_FORMAT_UNIX_US,
    TIME_FORMAT_JULIAN,
};

enum column_transform {
    TRANSFORM_NONE,
    TRANSFORM_SHA256,
    TRANSFORM_HMAC_SHA256,
    TRANSFORM_REDACT,
    TRANSFORM_TRUNCATE,
};

enum capture_choice { CAPTURE_AUTO, CAPTURE_TRIGGERS, CAPTURE_SCAN };

struct column {
    const char *name;   /* in BigQuery, and the Avro field */
    const char *source; /* in SQLite */
    enum column_type type;
    bool required;
    bool key;
    enum time_format format;
    enum column_transform transform;
    size_t truncate_to;        /* TRANSFORM_TRUNCATE: at most so many code points */
    const char *transform_key; /* TRANSFORM_HMAC_SHA256: the environment variable with the key */
};

struct table {
    const char *name;    /* in SQLite, and in every message */
    const char *target;  /* in BigQuery */
    enum send_mode mode; /* as declared, never SEND_NOTHING */
    enum capture_choice capture;
    bool reject_fails; /* on_reject: "fail" */

    const struct column
        *columns; /* in the order of the schema file, of the SELECT lists, of the Avro fields */
    size_t column_count;
    const size_t *key; /* indexes into columns, in the order of the schema's "key" */
    size_t key_count;
    const char *where; /* the row filter as SQLite sees it, NULL if none */

    /* 12 hex digits each. content: what the rows hold (columns, types, transforms, key, filter);
     * when it changes, all rows have to be sent again. shape: that and all else that shows in
     * BigQuery (descriptions, labels, clustering). */
    const char *content_hash;
    const char *shape_hash;

    /* SQLite statements. Result columns are the table's columns in order. */
    const char *scan_sql;     /* every row that passes the filter */
    const char *new_rows_sql; /* those with key > ?1; NULL unless the key is one INT64 column */
    const char *changes_sql;  /* one row a dirty key with sequence > ?1 (and, for one INT64 key, not
                                 above  ?2; ?2 NULL: all); one more result column behind the others:
                                 1  if the  row is gone or outside of the filter (then only key
                                 columns  are set),  else 0 */
    const char *capture_install_sql; /* tables and triggers of change capture, idempotent */
    const char *capture_remove_sql;

    /* GoogleSQL with ${project}, ${dataset}, ${staging} inside backticks. */
    const char *ddl_sql;
    const char *merge_sql;     /* update, insert and delete from staging */
    const char *merge_new_sql; /* insert-only */

    const char *schema_json;   /* BigQuery's schema array */
    const char *resource_json; /* the rest of a tables.insert body: description, labels, clustering,
                                  partitioning, constraints */

    size_t row_size; /* of the generated row struct */
    void (*read)(struct column_reader *in, void *row);
    void (*encode)(struct avro_writer *out, const void *row);
};

#endif
