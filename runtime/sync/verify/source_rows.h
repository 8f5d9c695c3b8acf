/* source_rows: SQLite's side of a comparison. Reads one table and gives each row with the texts of
 * its key and its content (row_text), apart from the rows whose changes are not synced yet. Those
 * are known by the watermark and the dirty set, or for a table without triggers by the shadow of
 * the rows that were sent. Only reads; belongs to the thread of its connections. */
#ifndef BQSYNC_SYNC_VERIFY_SOURCE_ROWS_H
#define BQSYNC_SYNC_VERIFY_SOURCE_ROWS_H

#include "base/buffer.h"
#include "base/config.h"
#include "base/error.h"
#include "encode/column.h"
#include "source/capture.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "sync/row_text.h"

#include <stdbool.h>
#include <stdint.h>

/* One table during a comparison. Callers read key_text, row_text and pending only. */
struct source_rows {
    const struct config *config;
    const struct table *table;
    struct database *source;
    struct tracking *tracking;
    struct watermark watermark;
    struct source_shape shape;
    /* The dirty set lists the changes that are not synced yet. */
    bool captured;
    bool by_scan;
    /* There are no triggers; the shadow of the sent rows shows what has changed since. */
    bool scanned;
    /* Open during a read of a scanned table. */
    struct shadow *shadow;
    /* During a read of a table with triggers, some of whose rows were rejected and whose conversion
     * of keys is not one-to-one: says whether a stored key is one of theirs. NULL otherwise. */
    sqlite3_stmt *rejected;
    /* Of rows that share a key in BigQuery, all but the one that was sent are visited as rejected.
     */
    bool owners_known;
    /* In mode replace, without triggers or if rows have no key: the rows that the last read found
     * are not those of the last sync. Which of them changed is not known; the next sync sends them
     * all.
     */
    bool changed;
    struct fingerprint fingerprint;
    bool keyless; /* a row without a key was read */
    /* Of the row that is being visited. */
    struct buffer key_text;
    struct buffer row_text;
    /* Rows that the last read counted as pending without visiting them. */
    int64_t pending;
};

/* Called for one row; the texts are in source_rows. fits: every value fits its column; otherwise
 * the row is a rejected one. False ends the read. */
typedef bool source_rows_visit(
    void *context, struct column_reader *in, bool fits, struct error *err);

struct source_rows_visitor {
    void *context;
    /* Rows that BigQuery should hold as they are, and rejected rows. */
    source_rows_visit *synced;
    /* Keys with changes that are not synced yet; NULL: they are only counted. */
    source_rows_visit *pending;
    /* Keys that were visited as pending, and are listed only because their rows were rejected. */
    source_rows_visit *rejected;
};

/* Looks up the table's shape, progress and kind of capture. Borrows config, source, tracking and
 * table. ERROR_SCHEMA if the table in SQLite does not fit its definition. Always clear it
 * afterwards. */
MUST_CHECK bool source_rows_init(
    struct source_rows *rows, const struct config *config, struct database *source,
    struct tracking *tracking, const struct table *table, struct error *err);
/* Frees the texts; the connections are the caller's. */
void source_rows_clear(struct source_rows *rows);

/* Reads the whole table once. which: the columns of row_text. ERROR_STOPPED after clock_stop. */
MUST_CHECK bool source_rows_read(
    struct source_rows *rows, enum row_text_columns which,
    const struct source_rows_visitor *visitor, struct error *err);

/* Visits the keys of the dirty set as pending, and then those of rejected rows as rejected; nothing
 * if there is no dirty set. */
MUST_CHECK bool source_rows_read_dirty(
    struct source_rows *rows, const struct source_rows_visitor *visitor, struct error *err);

/* Counts the keys with unsynced changes, rejected rows included. *out_known is false, and the count
 * unchanged, if there is no dirty set to count them by. */
MUST_CHECK bool source_rows_count_pending(
    struct source_rows *rows, int64_t *out_count, bool *out_known, struct error *err);

#endif
