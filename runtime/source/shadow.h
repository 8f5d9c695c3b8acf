/* shadow: finds changes where no triggers may be installed. For each key that BigQuery holds, the
 * state database keeps a 64-bit hash of the row as it was sent; a full read of the table is
 * compared with it. What a read finds is kept apart until the intent that sends it is acknowledged
 * (tracking_intend and tracking_acknowledge see to that), so that a pass that fails or is killed
 * leaves the shadow as BigQuery is.
 *
 * A change goes unnoticed if the new row's hash equals the old one's: once in 2^64 changes, about
 * 1.8 * 10^19. The hash is keyed with random bytes, so nobody can make it happen.
 *
 * Usage: shadow_begin; shadow_row for each row of scan_sql, shadow_reject for those that are not
 * sent after all; shadow_deleted; shadow_end; then tracking_intend. Belongs to one thread; has a
 * connection of its own to the state database and holds no lock while rows are read. Memory does
 * not grow with the table. */
#ifndef BQSYNC_SOURCE_SHADOW_H
#define BQSYNC_SOURCE_SHADOW_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct shadow;

enum shadow_change { SHADOW_SAME, SHADOW_NEW, SHADOW_CHANGED };

enum shadow_mode {
    /* Only look: nothing is written (`--dry-run`, `plan`), and shadow_end does nothing. */
    SHADOW_COMPARE,
    SHADOW_CHANGES, /* the pass sends what differs */
    SHADOW_REPLACE, /* the pass replaces the content: every row is new, none is deleted */
};

/* Merges the changes of an acknowledged pass into the shadow and deletes those of a failed one, in
 * short transactions. If the state is in the source and that has a rollback journal, call this
 * before the snapshot is opened, and shadow_end after it ended. */
MUST_CHECK bool shadow_complete(
    const char *state_path, const struct table *table, struct error *err);

/* Does shadow_complete first, except in SHADOW_COMPARE. Returns owned (shadow_free). */
MUST_CHECK bool shadow_begin(
    const char *state_path, const struct table *table, enum shadow_mode mode,
    struct shadow **out_shadow, struct error *err);

/* Compares the row that `row` stands on, a result of the table's scan_sql. */
MUST_CHECK bool shadow_row(
    struct shadow *shadow, sqlite3_stmt *row, enum shadow_change *out_change, struct error *err);

/* The row last given to shadow_row was rejected: it stays new or changed for the next read. */
MUST_CHECK bool shadow_reject(struct shadow *shadow, struct error *err);

/* After the last row: calls visit with each key that the shadow holds and that was in no row (the
 * row was deleted, or the filter excludes it now). The statement has the table's columns in order,
 * only those of the key set, and one more that is 1, as changes_sql gives them. visit returns
 * false, with *err set, to stop. */
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
    struct database *state, const struct table *table, bool *out_known, struct error *err);

/* Drops the shadow of a table that is no longer scanned. */
MUST_CHECK bool shadow_drop(const char *state_path, const struct table *table, struct error *err);

#endif
