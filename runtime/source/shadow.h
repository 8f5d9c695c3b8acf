/* shadow: finds changes where no triggers may be installed. For each key that BigQuery holds, the
 * state database keeps a 64-bit hash of the row as it was sent; a full read of the table is
 * compared with it. What a read finds is kept apart until the intent that sends it is acknowledged
 * (tracking_intend and tracking_acknowledge see to that), so that a pass that fails or is killed
 * leaves the shadow as BigQuery is.
 *
 * A change goes unnoticed if the new row's hash equals the old one's: once in 2^64 changes, about
 * 1.8 * 10^19. The hash is keyed with random bytes, so nobody can make it happen.
 *
 * How an entry is kept depends on the key (source/shadow_form.h). An INTEGER PRIMARY KEY is the
 * order in which SQLite reads the table anyway: its shadow is packed, and compared in one walk
 * along both.
 *
 * Where two keys of SQLite can become one key in BigQuery (source_shape.keeps_keys), an entry also
 * holds the converted key, and the rule is kept here that one converted key stands for one row: a
 * row whose converted key belongs to another row that is still there is not sent (shadow_claim). A
 * table with triggers then has a shadow too, of which only the keys count.
 *
 * Usage: shadow_begin; shadow_row for each row of shadow_scan_sql, shadow_reject for those that are
 * not sent after all; shadow_deleted; shadow_end; then tracking_intend. Belongs to one thread; has
 * a connection of its own to the state database and holds no lock while rows are read. Memory does
 * not grow with the table. */
#ifndef BQSYNC_SOURCE_SHADOW_H
#define BQSYNC_SOURCE_SHADOW_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "base/table.h"
#include "source/database.h"
#include "source/shadow_claim.h"
#include "source/shadow_form.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct shadow;

enum shadow_change { SHADOW_SAME, SHADOW_NEW, SHADOW_CHANGED };

enum shadow_mode {
    /* Only look: nothing is written (`--dry-run`, `plan`), and shadow_end does nothing. */
    SHADOW_COMPARE,
    SHADOW_CHANGES, /* the pass sends what differs */
    /* Triggers list what differs, deleted keys as well (shadow_gone); only keys are looked up. */
    SHADOW_LISTED,
    SHADOW_LISTED_COMPARE, /* the same, and nothing is written (`--dry-run`) */
    /* The pass replaces the content: every row is new, none is deleted. What BigQuery holds of a
     * rejected row goes, */
    SHADOW_REPLACE,
    /* or stays if the shadow knows the row, */
    SHADOW_REPLACE_KEEP_KNOWN,
    /* or stays if there is any, because nothing is known of what was sent (not if keys are kept).
     */
    SHADOW_REPLACE_KEEP_ALL,
};

static inline bool shadow_replaces(enum shadow_mode mode)
{
    return mode >= SHADOW_REPLACE;
}

/* Merges the changes of an acknowledged pass into the shadow and deletes those of a failed one, in
 * short transactions. If the state is in the source and that has a rollback journal, call this
 * before the snapshot is opened, and shadow_end after it ended. */
MUST_CHECK bool shadow_complete(
    struct database_place state, const struct table *table, enum shadow_form form,
    struct error *err);

/* Does shadow_complete first, except in SHADOW_COMPARE and SHADOW_LISTED_COMPARE: then the path
 * of the state may be NULL, and every row is new. Returns owned (shadow_free). */
MUST_CHECK bool shadow_begin(
    struct database_place state, const struct table *table, enum shadow_form form,
    enum shadow_mode mode, struct shadow **out_shadow, struct error *err);

/* Whether the shadow keeps converted keys, so that shadow_claim has to be called. */
bool shadow_keeps_keys(const struct shadow *shadow);

/* Appends the statement whose rows are to be compared: the table's scan_sql, in the order that the
 * form needs. */
void shadow_scan_sql(const struct table *table, enum shadow_form form, struct buffer *out);

/* Compares the row that `row` stands on, a result of shadow_scan_sql. ERROR_SOURCE if rows do not
 * come in the order of their INTEGER PRIMARY KEY. */
MUST_CHECK bool shadow_row(
    struct shadow *shadow, sqlite3_stmt *row, enum shadow_change *out_change, struct error *err);

/* The same for the values of such a row, in SHADOW_FORM_PACKED. source: its connection. */
MUST_CHECK bool shadow_values(
    struct shadow *shadow, sqlite3 *source, sqlite3_value **values, enum shadow_change *out_change,
    struct error *err);

/* Claims the converted key for the row last given to shadow_row, which is to be sent. source: the
 * snapshot, where the other row is looked up. With SHADOW_CLAIM_TAKEN out_other (appended to) names
 * the other row: "id = '7'". Only if keys are kept. */
MUST_CHECK bool shadow_claim(
    struct shadow *shadow, struct database *source, struct slice converted,
    enum shadow_claim *out_claim, struct buffer *out_other, struct error *err);

/* The row last given to shadow_row was rejected: it stays new or changed for the next read.
 * key_fits: its key is not why. converted: its converted key, with no data if that does not fit or
 * keys are not kept; a row that was sent under another one before loses that. *out_kept: a
 * replacement has to leave the version of the row that BigQuery holds, and the shadow goes on
 * knowing it. */
MUST_CHECK bool shadow_reject(
    struct shadow *shadow, bool key_fits, struct slice converted, bool *out_kept,
    struct error *err);

/* SHADOW_LISTED: the key in `row`, a result of changes_sql, has no row any more. */
MUST_CHECK bool shadow_gone(struct shadow *shadow, sqlite3_stmt *row, struct error *err);

/* To be called after the last row, in a replacement too, where it visits nothing but ends what the
 * reads hold in both databases. Calls visit with each key that the shadow holds and that was in no
 * row (the row was deleted, or the filter excludes it now), unless its converted key now belongs to
 * another row. The statement has the table's columns in order, only those of the key set, and one
 * more that is 1, as changes_sql gives them. visit returns false, with *err set, to stop. */
MUST_CHECK bool shadow_deleted(
    struct shadow *shadow, bool (*visit)(void *context, sqlite3_stmt *row, struct error *err),
    void *context, struct error *err);

/* Makes what was found out durable; it becomes effective with the next intent of the table, when
 * that is acknowledged. If nothing differs it need not be called. */
MUST_CHECK bool shadow_end(struct shadow *shadow, struct error *err);

/* Forgets what was not ended. NULL is fine. */
void shadow_free(struct shadow *shadow);

/* Whether there is a shadow of the table. Without one every row would look new. */
MUST_CHECK bool shadow_known(
    struct database *state, const struct table *table, enum shadow_form form, bool *out_known,
    struct error *err);

/* Drops the shadow of a table that is no longer scanned. */
MUST_CHECK bool shadow_drop(
    struct database_place state, const struct table *table, struct error *err);

#endif
