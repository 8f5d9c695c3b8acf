/* capture: finds out which rows changed since the last sync. With triggers, a table's dirty set
 * bq_sync_dirty_<table> holds one row for each changed key, with the sequence of its newest change;
 * rows of an INTEGER PRIMARY KEY table above the watermark are found by id alone. The sequence is a
 * counter that only bqsync moves: capture_seal raises it, so whatever the application changes
 * afterwards counts as newer than the pass that sealed. Works on a connection to the source
 * database and belongs to that connection's thread. Implemented in capture_*.c, one file a task. */
#ifndef BQSYNC_SOURCE_CAPTURE_H
#define BQSYNC_SOURCE_CAPTURE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "source/tracking.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* The sequence of a rejected key in the dirty set, as a number and in SQL: later than every pass,
 * so that the key is tried again at each of them without being written each time. A trigger that
 * fires for the key puts the current sequence in its place. */
#define CAPTURE_SEQUENCE_REJECTED     INT64_MAX
#define CAPTURE_SEQUENCE_REJECTED_SQL "9223372036854775807"

enum capture_state {
    CAPTURE_ABSENT, /* nothing installed for the table */
    CAPTURE_INTACT, /* what this build would install, or what an earlier one did that misses nothing
                     */
    /* Installed once, but altered or gone in part: changes may have been missed. */
    CAPTURE_INTERRUPTED,
};

/* What SQLite says of a table. */
struct source_shape {
    bool exists;
    /* A view or a virtual table: it has no triggers, and nothing says whether a key is one. */
    bool is_view;
    bool is_virtual;
    /* The definition's key is the table's INTEGER PRIMARY KEY. */
    bool integer_key;
    /* Some column of the key is not declared NOT NULL. */
    bool nullable_key;
    /* How many columns of the definition SQLite lacks, and their names, ", " between. */
    size_t missing_count;
    char missing[512];
    /* Columns of SQLite that the definition neither lists nor ignores, ", " between; cut with
     * "...". */
    char extra[1024];
    /* If the definition forbids such columns and there are any: which, and the lines to add; else
     * "". */
    char extra_problem[960];
    /* Why the key columns cannot serve as a key here (no unique index ...); "" if they can. */
    char key_problem[512];
    /* Why SQLite cannot evaluate the definition's filter here; "" if it can. */
    char filter_problem[512];
    /* Of the columns on which the rows that bqsync reads depend: eight hex digits for where those
     * of the definition stand, then 16 for how all of them are declared
     * (source/capture_declared.h). It changes when two columns swap their names, or one is dropped
     * and added again: no trigger fires for either. Earlier versions have noted less of it. */
    char layout[25];
    /* Keys of two rows may become one in BigQuery, so the shadow keeps the converted keys of all
     * rows that were sent (source/key_conversion.h). Never in mode replace, where no MERGE needs a
     * key. */
    bool keeps_keys;
    /* Why triggers could not be exact for this table, or could make a statement of the application
     * fail; "" if they are exact and harmless. */
    char why_scan[512];
    /* The table's triggers and dirty set compared with what this build would install. Never
     * CAPTURE_INTACT if why_scan is set. */
    enum capture_state capture;
};

#define CAPTURE_MISSING_SIZE 2048

/* Says which columns the table lacks and what to do: "lacks the column note. Add it there, or ...".
 * A single unlisted column beside a single missing one was probably renamed. Returns out. */
const char *capture_describe_missing(
    const struct table *table, const struct source_shape *shape,
    char out[static CAPTURE_MISSING_SIZE]);

/* Whether the table is there with all columns of its definition. ERROR_SCHEMA if not; the message
 * names the file and says what to do. */
MUST_CHECK bool capture_check_columns(
    const struct table *table, const struct source_shape *shape, const char *path,
    struct error *err);

/* One table in its source: the connection, the definition, and what SQLite says of the table. All
 * borrowed. */
struct source_table {
    struct database *source;
    const struct table *table;
    const struct source_shape *shape;
};

/* Reads the shape of a table. A table that does not exist is a success (exists == false). */
MUST_CHECK bool capture_inspect(
    struct database *source, const struct table *table, struct source_shape *out_shape,
    struct error *err);

/* Creates what is missing or altered, in one transaction of a few milliseconds; guards against rows
 * that REPLACE removes through other UNIQUE constraints are made from SQLite's own list of them.
 * The caller must replace or compare the whole table afterwards. ERROR_SCHEMA if the table can't be
 * captured with triggers: it or a column is missing, or its shape says why_scan. */
MUST_CHECK bool capture_install(
    struct database *source, const struct table *table, struct error *err);
/* Drops the table's triggers, dirty set and counter; other tables keep theirs. */
MUST_CHECK bool capture_remove(
    struct database *source, const struct table *table, struct error *err);
/* Drops the capture of every table that is not among the count given ones, and its shadow if that
 * is in the same database. */
MUST_CHECK bool capture_remove_unknown(
    struct database *source, const struct table *const *tables, size_t count, struct error *err);
/* Adds the names of those tables to out_names, an array of JSON, in their order. */
MUST_CHECK bool capture_list_unknown(
    struct database *source, const struct table *const *tables, size_t count, cJSON *out_names,
    struct error *err);

/* How much is pending for a table in the connection's present view: rows above the watermark
 * (integer_key), and dirty keys newer than synced_sequence and at or below the watermark. Of the
 * dirty keys, those of rows that were rejected and have not changed since are counted apart: each
 * pass tries them again, but there is nothing to wait for. */
struct pending {
    int64_t new_rows;
    int64_t dirty_keys;
    int64_t rejected_keys;
};
MUST_CHECK bool capture_pending(
    const struct source_table *in, const struct watermark *watermark, struct pending *out_pending,
    struct error *err);
/* Prepares a statement that returns a row if the dirty set lists a key (?1, ?2 ... as stored) only
 * because its row was rejected and has not changed since. *out_statement is owned, NULL if there is
 * no dirty set. */
MUST_CHECK bool capture_prepare_rejected(
    const struct source_table *in, sqlite3_stmt **out_statement, struct error *err);
/* All rows of the table that pass its filter. */
MUST_CHECK bool capture_count_rows(
    const struct source_table *in, int64_t *out_count, struct error *err);
/* Whether anything is pending, and what else tells whether a pass has to do something about the
 * table; cheaper than counting. */
struct capture_look {
    bool pending; /* apart from the rejected keys */
    int64_t rejected_keys;
    /* The table has a filter, and there are rows above the watermark at all, those included that
     * the filter leaves out: as long as the watermark stays, each look reads them. */
    bool left_out;
};
MUST_CHECK bool capture_look(
    const struct source_table *in, const struct watermark *watermark, struct capture_look *out_look,
    struct error *err);

/* Appends a SELECT of the rows with a NULL in their key, with the columns of scan_sql: triggers
 * cannot list those. SQLite finds them by the key's index. */
void capture_append_keyless_sql(struct buffer *sql, const struct table *table);

/* Whether rows have a NULL in their key: triggers cannot list those, and BigQuery cannot hold them.
 * With a key of several columns, only looked for if a trigger has noted such a row since
 * synced_sequence; earlier ones are among the rejects. */
MUST_CHECK bool capture_has_keyless(
    const struct source_table *in, const struct watermark *watermark, bool *out_keyless,
    struct error *err);

/* Position of a table: what a snapshot covers. */
struct position {
    /* Changes stamped with this sequence or a lower one are in the snapshot. */
    int64_t sequence;
    /* The table's counter as capture_seal has raised it; 0 if it has none, or nothing was raised.
     */
    int64_t sealed_sequence;
    /* Highest INTEGER PRIMARY KEY in the snapshot; 0 if there are no rows or not integer_key. */
    int64_t row_id;
};

/* A table of a snapshot. position is the result, written on success only. */
struct snapshot_table {
    const struct table *table;
    const struct source_shape *shape;
    struct position position;
};

/* Seals the given tables and opens a snapshot on the same connection, in which their positions
 * hold: one short write transaction raises each table's sequence and trigger watermark, then a read
 * transaction begins; repeated if rows above the watermark slipped in between. The caller ends the
 * snapshot with database_rollback. ERROR_BUSY if the application inserts faster than that. */
MUST_CHECK bool capture_seal(
    struct database *source, struct snapshot_table *tables, size_t count, struct error *err);
/* Opens a snapshot without writing anything (`--dry-run`, reports); positions are what it shows. */
MUST_CHECK bool capture_snapshot(
    struct database *source, struct snapshot_table *tables, size_t count, struct error *err);

/* The schema cookie of the source as the connection sees it: a number that SQLite changes with
 * every change of a table, an index or a trigger ("PRAGMA schema_version"). As long as it is the
 * same, shapes and captures are the same. */
MUST_CHECK bool capture_schema_cookie(
    struct database *source, int64_t *out_cookie, struct error *err);

/* Lists a key as changed now, as if the application had touched its row; a repair has rows sent
 * again this way. key: JSON of one value, or of an array of as many as the key has columns;
 * integers and texts only, else ERROR_LIMIT. */
MUST_CHECK bool capture_touch(
    struct database *source, const struct table *table, const cJSON *key, struct error *err);

/* Deletes dirty keys up to the acknowledged sequence, a few thousand a transaction, so that the
 * write lock is never held for 50 ms. */
MUST_CHECK bool capture_clean(
    struct database *source, const struct table *table, int64_t synced_sequence, struct error *err);

#endif
