/* content: whether rows whose changes nothing lists are those that were synced last. These are all
 * rows of a table of mode replace without triggers, and the rows with NULL in their key, which no
 * trigger can list. A fingerprint of them (source/fingerprint.h) is part of the watermark. Only
 * reads; runs on the thread that owns the source connection. */
#ifndef BQSYNC_SYNC_PASS_CONTENT_H
#define BQSYNC_SYNC_PASS_CONTENT_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "source/tracking.h"
#include "sync/pass/task.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether the key of the row, whose first result columns are the table's, is there and has no NULL.
 */
bool content_has_key(const struct table *table, sqlite3_stmt *row);

/* What the fingerprint says of rejected rows, of which there are so many: outside of mode replace
 * only whether there are any, because the others come and go without it. */
int64_t content_rejected(const struct table *table, int64_t rejected);

/* Compares the rows of task's table that nothing lists with watermark.fingerprint. Reads the table
 * to its end if it is one of mode replace; else only the rows with NULL in their key, which are
 * few. Also false if the rejects of these rows are not recorded any more. ERROR_STOPPED after
 * clock_stop. */
MUST_CHECK bool content_is_same(
    struct database *source, struct tracking *tracking, const struct task *task, bool *out_same,
    struct error *err);

#endif
