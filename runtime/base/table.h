/* table: the description of one synced table that generated code fills in and everything else
 * reads. Types only; descriptors are static and immutable, so any thread may read them. */
#ifndef BQSYNC_BASE_TABLE_H
#define BQSYNC_BASE_TABLE_H

#include "base/send_mode.h"

#include <stdbool.h>
#include <stddef.h>

struct avro_writer;
struct column_reader;

/* Generated files assert this number, so that one made for another layout does not compile. */
#define TABLE_DESCRIPTOR_VERSION 5

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
    COLUMN_GEOGRAPHY, /* as WKT, the well-known text of geometries */
    COLUMN_TYPE_LAST = COLUMN_GEOGRAPHY,
};

/* For arrays with one row for each column type. */
#define COLUMN_TYPE_COUNT (COLUMN_TYPE_LAST + 1)

/* How a DATE, TIME, DATETIME or TIMESTAMP is stored in SQLite. */
enum time_format {
    TIME_FORMAT_ISO8601,
    TIME_FORMAT_GO, /* what Go's Time.String prints */
    TIME_FORMAT_UNIX_S,
    TIME_FORMAT_UNIX_MS,
    TIME_FORMAT_UNIX_US,
    TIME_FORMAT_UNIX_NS,
    TIME_FORMAT_JULIAN,
    TIME_FORMAT_DOTNET_TICKS, /* 100 ns since 0001-01-01 */
    TIME_FORMAT_APPLE_S,      /* since 2001-01-01 */
    TIME_FORMAT_APPLE_NS,
    TIME_FORMAT_WEBKIT_US, /* since 1601-01-01 */
    TIME_FORMAT_FILETIME,  /* 100 ns since 1601-01-01 */
    TIME_FORMAT_LAST = TIME_FORMAT_FILETIME,
};

#define TIME_FORMAT_COUNT (TIME_FORMAT_LAST + 1)

/* What a blob in a column of text is. */
enum blob_form {
    BLOB_REJECTED,
    BLOB_UUID,  /* 16 bytes in the order of the text */
    BLOB_GUID,  /* 16 bytes, the first three groups in little-endian order, as .NET writes them */
    BLOB_UTF8,  /* the text */
    BLOB_JSONB, /* SQLite's binary JSON */
};

enum column_transform {
    TRANSFORM_NONE,
    TRANSFORM_SHA256,
    TRANSFORM_HMAC_SHA256,
    TRANSFORM_REDACT,
    TRANSFORM_TRUNCATE,
};

/* What becomes in the target of a row that is deleted in SQLite, or that the filter leaves out. */
enum deletes_choice {
    DELETES_MIRROR, /* it is deleted */
    DELETES_MARK,   /* it stays, and its _bqsync_deleted_at says since when it is gone */
    DELETES_KEEP,   /* it stays as it was */
};

/* With DELETES_MARK: a column of the target that is not among the table's columns, since no row
 * brings a value for it. */
#define TABLE_DELETED_AT "_bqsync_deleted_at"

enum capture_choice { CAPTURE_AUTO, CAPTURE_TRIGGERS, CAPTURE_SCAN };

struct column {
    const char *name;   /* in BigQuery, and the Avro field */
    const char *source; /* in SQLite; of an unfit column the same as name */
    enum column_type type;
    bool required;
    bool key;
    /* A key column whose values have an order: a MERGE says between which they lie (bounds_sql). */
    bool bounded;
    /* The column partitions the table, and its values are declared never to change. */
    bool immutable;
    /* How a time may be stored, tried in order; none: as ISO 8601. */
    unsigned char format_count;
    unsigned char formats[TIME_FORMAT_COUNT]; /* enum time_format */
    /* TIMESTAMP: the time zone of a text that has none, a name of the tz database; NULL: UTC. */
    const char *zone;
    bool fraction_truncates; /* what is finer than a microsecond is dropped */
    bool date_drops;         /* TIME: a date may stand in front */
    bool empty_is_null;      /* an empty text, or a date of zeros */
    bool bool_words;         /* BOOL: also t, f, y, n, yes, no, on, off */
    enum blob_form blob;
    enum column_transform transform;
    bool tagged; /* a policy tag says who may read it */
    /* JSON: SQLite has no such column, it holds the values of the row that do not fit the others.
     */
    bool unfit;
    /* JSON: BigQuery may round numbers and drop members named twice. */
    bool json_rounds;
    /* TRANSFORM_TRUNCATE: the maximum number of code points. */
    size_t truncate_to;
    /* TRANSFORM_HMAC_SHA256: the environment variable that holds the key. */
    const char *transform_key;
};

/* sync.history: every version of every row is kept in BigQuery, in a table of its own (the log). */
struct table_history {
    const char *log;  /* <target>_changes: a row for each version */
    const char *view; /* <target>_history: versions with the times between which they were valid */
    const char *function; /* <target>_at(at TIMESTAMP): the table as it was */
    int keep_days;        /* partitions of the log expire after so many days; 0: never */
    /* 12 hex digits: all that follows. */
    const char *shape_hash;

    /* GoogleSQL with ${project} and ${dataset} inside backticks. */
    const char *log_ddl_sql;
    const char *view_sql;     /* create or replace view */
    const char *function_sql; /* create or replace table function */

    /* As schema_json and resource_json of struct table: the table's columns, NULLABLE but for the
     * key, then _bqsync_operation (insert, update, delete), _bqsync_at (when the snapshot was
     * taken), _bqsync_generation, _bqsync_run and _bqsync_abandoned (TRUE: the source was restored
     * to a state before this version). A deletion has the key and NULL in the other columns. */
    const char *log_schema_json;
    const char *log_resource_json;
};

struct table {
    const char *name;       /* in SQLite, and in every message */
    const char *target;     /* in BigQuery */
    const char *definition; /* the name of its file in schemas/, without .json */
    enum send_mode mode;    /* as declared, never SEND_NOTHING */
    enum capture_choice capture;
    /* Anything but DELETES_MIRROR only with a key, and then mode is not SEND_REPLACE. */
    enum deletes_choice deletes;
    bool reject_fails; /* on_reject: "fail"; with "column", the last column is the unfit one */

    /* columns_not_listed: "error": a column of the source that is neither among columns nor ignored
     * fails the table. ignored: names in SQLite, NULL and 0 if there are none. */
    bool unlisted_fails;
    const char *const *ignored;
    size_t ignored_count;

    const struct table_history *history; /* NULL: none is kept */

    /* In the order of the schema file, which is that of the SELECT lists and the Avro fields. */
    const struct column *columns;
    size_t column_count;
    /* Indexes into columns, in the order of the schema's "key". A table of mode replace may have
     * none: NULL and 0, and then no statement below that needs a key. */
    const size_t *key;
    size_t key_count;
    /* The definition names no clustering, so that of resource_json is the key's. */
    bool clusters_by_default;
    const char *where; /* the row filter as SQLite sees it, NULL if none */

    /* 12 hex digits each. content: what the rows hold (columns, types, transforms, key, filter);
     * when it changes, all rows have to be sent again. shape: that and all else that is visible in
     * BigQuery (descriptions, labels, clustering). */
    const char *content_hash;
    const char *shape_hash;

    /* SQLite statements. Result columns are the table's columns in order. */
    /* Every row that passes the filter. */
    const char *scan_sql;
    /* Those with a key above ?1; NULL unless the key is one INT64 column. */
    const char *new_rows_sql;
    /* NULL without a key. One row for each dirty key with a sequence above ?1. With a key of one
     * INT64 column only keys up to ?2, or all of them if ?2 is NULL. One more result column follows
     * the others: 1 if the row is deleted or outside the filter, when only its key columns are set,
     * else 0; with history then another: 1 if the source had the row when ?1 was sealed, 0 if that
     * is not known. */
    const char *changes_sql;
    /* The tables and triggers of change capture, idempotent. NULL without a key. */
    const char *capture_install_sql;

    /* GoogleSQL with ${project}, ${dataset}, ${staging} inside backticks. */
    const char *ddl_sql;
    /* Update, insert and delete from staging; NULL without a key. With DELETES_MARK @snapshot_at is
     * when the rows were read. */
    const char *merge_sql;
    /* The same for rows none of which is deleted, bounded by the immutable column, too: @low_2 and
     * @high_2. It fails, and changes nothing, if a row up to the key @known is not in the target
     * within these bounds. NULL without such a column. */
    const char *merge_within_sql;
    /* The same for rows that are all new: an INSERT in mode append, which reads nothing of the
     * target, else a MERGE that only inserts. NULL without a key, and where the target keeps
     * deleted rows: a row that is new in SQLite may have the key of one of them. */
    const char *add_sql;
    /* The part of each MERGE that bounds each key column by parameters, for the n-th (from 1)
     * @low_n and @high_n. A statement that leaves it out does the same and reads more of the
     * target. NULL: there is none. */
    const char *bounds_sql;

    /* BigQuery's schema array, and the rest of a tables.insert body: description, labels,
     * clustering, partitioning, constraints. */
    const char *schema_json;
    const char *resource_json;

    /* A row in memory: row_size bytes, which read fills and encode writes. Texts in it are borrowed
     * from the reader's statement until its next step. */
    size_t row_size;
    void (*read)(struct column_reader *in, void *row);
    void (*encode)(struct avro_writer *out, const void *row);
};

#endif
