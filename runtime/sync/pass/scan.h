/* scan: finds the changes of a table without triggers by one full read of the open snapshot,
 * compared with the shadow in the state database (source/shadow.h). Hands on what differs; decides
 * nothing and contacts nobody. Runs on the thread that owns the source connection. */
#ifndef BQSYNC_SYNC_PASS_SCAN_H
#define BQSYNC_SYNC_PASS_SCAN_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "source/shadow.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct scan_counts {
    int64_t read; /* rows of the table */
    int64_t new_rows;
    int64_t changed;
    int64_t deleted;
};

struct scan {
    const char *state_path;
    const struct table *table;
    enum shadow_mode mode;

    /* Called for each row that differs; may be NULL. The row's first result columns are the
     * table's. deleted, with SHADOW_CHANGED: the key is gone. *out_rejected: the row is not sent,
     * so the next scan has to find it different again. */
    bool (*row)(
        void *context, sqlite3_stmt *row, enum shadow_change change, bool deleted,
        bool *out_rejected, struct error *err);
    /* Called every few thousand rows; false, with *err set, ends the scan. May be NULL. */
    bool (*look)(void *context, int64_t rows_read, struct error *err);
    void *context;

    /* The scan ends, as a success, at the first changed or deleted row. */
    bool until_changed;
    /* The same at the first difference of any kind. */
    bool until_any;
};

/* *out_ended: it ended before all rows were read, because of until_changed or until_any; else the
 * counts are complete. *out_shadow: returned owned, with what was found and has to be made durable
 * by shadow_end before it is sent; NULL if there is nothing (in SHADOW_COMPARE there never is). The
 * caller calls shadow_end, because it can do so only after the snapshot has ended: the state may
 * live in the source. */
MUST_CHECK bool scan_run(
    const struct scan *scan, struct database *source, struct scan_counts *out_counts,
    bool *out_ended, struct shadow **out_shadow, struct error *err);

#endif
