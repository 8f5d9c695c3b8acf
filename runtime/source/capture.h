/* capture: finds out which rows changed since the last sync. With triggers, a table's dirty set
 * bq_sync_dirty_<table> holds one row a changed key with the sequence of its newest change; rows of
 * an INTEGER PRIMARY KEY table above the watermark are found by id alone. The sequence is a counter
 * that only bqsync moves: `seal` raises it, so whatever the application changes afterwards counts
 * as newer than the pass that sealed. Works on a connection to the source database; belongs to that
 * connection's thread. */
#ifndef BQSYNC_SOURCE_CAPTURE_H
#define BQSYNC_SOURCE_CAPTURE_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "source/tracking.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

enum capture_state {
    CAPTURE_ABSENT,      /* nothing installed for the table */
    CAPTURE_INTACT,      /* exactly what this build would install */
    CAPTURE_INTERRUPTED, /* installed once, but altered or gone in part: changes may have been
                            missed */
};

/* What SQLite says of a table. */
struct source_shape {
    bool exists;
    bool is_view;
    bool integer_key;     /* the definition's key is the table's INTEGER PRIMARY KEY */
    size_t missing_count; /* columns of the definition that SQLite lacks */
    char missing[512];    /* their names, ", " between */
    char
        extra[1024]; /* columns of SQLite that the definition lacks, ", " between; cut with "..." */
    char key_problem[512]; /* "" or why the key columns cannot serve as a key here (no unique index
                              ...) */
};
MUST_CHECK bool capture_inspect(
    struct database *source, const struct table *table, struct source_shape *out_shape,
    struct error *err);

MUST_CHECK bool capture_check(
    struct database *source, const struct table *table, enum capture_state *out_state,
    struct error *err);

/* Creates what is missing or altered, in one transaction of a few milliseconds; guards against rows
 * that REPLACE removes through other UNIQUE constraints are made from SQLite's own list of them.
 * The caller must replace or compare the whole table afterwards. */
MUST_CHECK bool capture_install(
    struct database *source, const struct table *table, struct error *err);
/* Drops triggers first, then tables; nothing of bqsync's capture is left behind. */
MUST_CHECK bool capture_remove(
    struct database *source, const struct table *table, struct error *err);
/* Drops the capture of tables that are no longer in the registry. */
MUST_CHECK bool capture_remove_unknown(
    struct database *source, const struct table *const *tables, size_t count, struct error *err);
/* Names those tables, ", " between and cut if there are many; "" if there are none. */
MUST_CHECK bool capture_list_unknown(
    struct database *source, const struct table *const *tables, size_t count, char *out_names,
    size_t size, struct error *err);

/* Counts of what is pending for a table as of the connection's view: rows above the watermark
 * (integer_key) and dirty keys newer than synced_sequence at or below it. */
struct pending {
    int64_t new_rows;
    int64_t dirty_keys;
};
MUST_CHECK bool capture_pending(
    struct database *source, const struct table *table, const struct source_shape *shape,
    const struct watermark *watermark, struct pending *out_pending, struct error *err);
/* The same as a yes or no, O(1). */
MUST_CHECK bool capture_has_pending(
    struct database *source, const struct table *table, const struct source_shape *shape,
    const struct watermark *watermark, bool *out_pending, struct error *err);

/* Whether rows have a NULL in their key: triggers cannot list those, and BigQuery cannot hold them.
 * Looked up by the key's index. */
MUST_CHECK bool capture_has_keyless(
    struct database *source, const struct table *table, const struct source_shape *shape,
    bool *out_keyless, struct error *err);

/* Position of a table: what a snapshot covers. */
struct position {
    int64_t sequence; /* changes stamped with this or less were made before the seal */
    int64_t row_id; /* highest INTEGER PRIMARY KEY in the snapshot, 0 if none or not integer_key */
};

/* Seals the given tables and opens a snapshot on the same connection, in which positions hold: one
 * short write transaction that raises each table's sequence and trigger watermark, then BEGIN;
 * repeated if rows above the watermark slipped in between. With write == false (nothing may be
 * written: `--dry-run`, reports) only the snapshot is opened and positions are what it shows. The
 * caller ends the snapshot with database_rollback. */
MUST_CHECK bool capture_seal(
    struct database *source, const struct table *const *tables, const struct source_shape *shapes,
    size_t count, bool write, struct position *out_positions, struct error *err);

/* Lists a key as changed now, as if the application had touched it: what a repair wants to be sent
 * again. key: JSON of one value, or of an array of as many as the key has columns, raw or parsed;
 * integers and texts only. */
MUST_CHECK bool capture_mark(
    struct database *source, const struct table *table, const cJSON *key, struct error *err);

/* Deletes dirty keys up to the acknowledged sequence, a few thousand a transaction, so that the
 * write lock is never held for 50 ms. */
MUST_CHECK bool capture_clean(
    struct database *source, const struct table *table, int64_t synced_sequence, struct error *err);

#endif
