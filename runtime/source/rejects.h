/* rejects: rows that could not be encoded, in the control table bq_sync_rejects. A pass collects
 * those of one table in a temporary table (spilling to disk, never into the main file, so that it
 * can go on while a snapshot is held), then publishes them in place of the table's old ones;
 * "since" of a value that was rejected before is kept. Belongs to the thread of its struct
 * tracking. */
#ifndef BQSYNC_SOURCE_REJECTS_H
#define BQSYNC_SOURCE_REJECTS_H

#include "base/error.h"
#include "base/table.h"
#include "source/tracking.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Empties the collection. */
MUST_CHECK bool rejects_begin(
    struct tracking *tracking, const struct table *table, struct error *err);

/* A value that cannot be sent; the texts are borrowed. */
struct bad_value {
    size_t column; /* index among the table's columns */
    const char *storage_class;
    const char *reason;
    /* Of a row that its key does not tell from others: a number that does, from 1; else 0. */
    int64_t row_number;
};

/* The one reason that holds a key, that of another row: "and that of the row with id = 7 are one
 * key in BigQuery". */
#define REJECTS_OTHER_ROW "and that of the row with "
#define REJECTS_ONE_KEY   " are one key in BigQuery"

/* The reason as logs and reports may show it, without the other row's key; a static string or
 * `reason` itself. */
const char *rejects_reason_without_key(const char *reason);

/* Adds one bad value of the row that `row` stands on (its first result columns are the table's
 * columns in order; the key's raw values are taken from there). The texts are copied. */
MUST_CHECK bool rejects_add(
    struct tracking *tracking, const struct table *table, sqlite3_stmt *row,
    const struct bad_value *value, struct error *err);

/* The pass that publishes. */
struct rejects_pass {
    enum capture_choice by; /* how it found the table's changes: CAPTURE_TRIGGERS or CAPTURE_SCAN */
    int64_t sequence;       /* changes up to it were read */
    int64_t now_us;         /* wall clock; becomes "since" of new rejects */
};
/* Makes the table's published rejects those of the collection; *out_changed says whether anything
 * had to be written. With triggers, also lists the rejected keys as changed for good, so that every
 * pass with a change tries them again; not in mode replace, where that would send the whole table
 * at every pass. Keys that are not rejected any longer become changes of this pass. A scan leaves
 * the dirty set alone: it tries every row, and a dirty set that is still there may be that of
 * another key. Writes only what differs from what is published, in transactions of a few thousand
 * rows. */
MUST_CHECK bool rejects_publish(
    struct tracking *tracking, const struct table *table, const struct rejects_pass *pass,
    bool *out_changed, struct error *err);

/* Distinct rejected rows of a table. */
MUST_CHECK bool rejects_count(
    struct tracking *tracking, const char *table, int64_t *out_rows, struct error *err);

/* Why the first rejected value of a table does not fit, without a value or a key, its row's or
 * another's; "" if there is none. */
MUST_CHECK bool rejects_first_reason(
    struct tracking *tracking, const char *table, char *out_reason, size_t size, struct error *err);

/* Distinct rejected rows of a table whose keys have no NULL, so that a dirty set can list them. */
MUST_CHECK bool rejects_count_listed(
    struct tracking *tracking, const char *table, int64_t *out_rows, struct error *err);

/* One rejected value as `bqsync rejects` shows it; the texts live for the call. */
struct reject {
    const char *table;
    const char *key_json; /* {"id":1} */
    const char *column;
    const char *storage_class;
    const char *reason;
    const char *since; /* ISO 8601 UTC */
};

/* Where a listing stands: behind this value. The texts are borrowed. */
struct reject_place {
    const char *table;
    const char *key_json;
    const char *column;
};

/* All of them, or one table's, by table, key and column; those behind a place, or from the first
 * one if it is NULL. Ends when visit returns false. */
MUST_CHECK bool rejects_each_after(
    struct tracking *tracking, const char *table_or_null, const struct reject_place *after,
    bool (*visit)(void *context, const struct reject *reject), void *context, struct error *err);

/* The same from the first one. */
MUST_CHECK bool rejects_each(
    struct tracking *tracking, const char *table_or_null,
    bool (*visit)(void *context, const struct reject *reject), void *context, struct error *err);

#endif
