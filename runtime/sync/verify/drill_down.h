/* drill_down: compares rows of both sides key by key, in a temporary SQLite database that spills to
 * disk, so that memory does not grow with the number of differences. comparison uses it for the
 * rows of the buckets whose checksums differ. Belongs to one thread. */
#ifndef BQSYNC_SYNC_VERIFY_DRILL_DOWN_H
#define BQSYNC_SYNC_VERIFY_DRILL_DOWN_H

#include "base/error.h"
#include "base/slice.h"
#include "base/table.h"
#include "encode/column.h"
#include "sync/verify/row_hash.h"
#include "sync/verify/verify_report.h"

#include <stdbool.h>
#include <stddef.h>

/* The temporary database with the rows that were added. */
struct drill_down;

/* Borrows table and hash. Returned owned. */
MUST_CHECK bool drill_down_new(
    const struct table *table, struct row_hash *hash, struct drill_down **out_drill_down,
    struct error *err);
/* NULL is fine. */
void drill_down_free(struct drill_down *drill_down);

/* Adds the row of SQLite that the reader is on. key_text: the row_text of its key. fits: every
 * value fits its column; otherwise it is a rejected row, whose key is not compared. */
MUST_CHECK bool drill_down_add_source(
    struct drill_down *drill_down, struct column_reader *in, struct slice key_text, bool fits,
    struct error *err);

/* Adds a row of BigQuery, the cells of one row of checksum_sql_rows. */
MUST_CHECK bool drill_down_add_warehouse(
    struct drill_down *drill_down, size_t count, const char *const *cells, struct error *err);

/* Adds a key with changes that are not synced yet, as often as `entries` says; a negative number
 * takes some back. It is not compared if any are left in the end. */
MUST_CHECK bool drill_down_add_pending(
    struct drill_down *drill_down, struct slice key_text, int entries, struct error *err);

/* Counts and lists the keys that differ in out (of a table without a key it counts rows), adds the
 * number of pending keys to out->pending, with DELETES_KEEP the keys that only BigQuery has to
 * out->kept, and to out->rejected the rows of SQLite beyond the first that share one key: BigQuery
 * can hold only one of them, except in mode replace, where rows count as often as they occur.
 * owners_known: of rows that share a key with one another, all but the one that was sent were added
 * as rows that do not fit. Call it once, when all rows are added. */
MUST_CHECK bool drill_down_compare(
    struct drill_down *drill_down, bool owners_known, struct verify_table *out, struct error *err);

/* After drill_down_compare: whether a bucket holds a key which differs, is kept, is pending, or
 * belongs to a rejected row, or a row whose JSON BigQuery prints in another way than json_normal:
 * such a row has another checksum and the same content. */
MUST_CHECK bool drill_down_explain(
    struct drill_down *drill_down, bool explained[ROW_HASH_BUCKETS], struct error *err);

#endif
