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

/* One row that differs. */
struct scan_row {
    /* Its first result columns are the table's. */
    sqlite3_stmt *row;
    enum shadow_change change;
    /* With SHADOW_CHANGED: the key is gone. */
    bool deleted;
    /* Open, if keys are kept: shadow_claim decides whether the row can be sent. */
    struct shadow *shadow;
};

enum scan_fate {
    SCAN_SENT,
    /* Sent in place of a row of another key that BigQuery holds. */
    SCAN_TOOK_PLACE,
    /* Not sent, and shadow_reject has been told, so that the next scan finds it different again. */
    SCAN_REJECTED,
    /* What the scan is for has turned out to be wrong: it ends. */
    SCAN_STOPPED,
};

struct scan {
    struct database_place state;
    const struct table *table;
    enum shadow_form form;
    enum shadow_mode mode;

    /* Called for each row that differs; may be NULL. */
    bool (*row)(
        void *context, const struct scan_row *row, enum scan_fate *out_fate, struct error *err);
    /* Called every few thousand rows; false, with *err set, ends the scan. May be NULL. */
    bool (*look)(void *context, int64_t rows_read, struct error *err);
    void *context;

    /* The scan ends, as a success, at the first row that is changed, deleted or took a place. */
    bool until_changed;
};

/* *out_ended: it ended before all rows were read, because of until_changed; else the counts are
 * complete. *out_shadow: returned owned, with what was found and has to be made durable
 * by shadow_end before it is sent; NULL if there is nothing (in SHADOW_COMPARE there never is). The
 * caller calls shadow_end, because it can do so only after the snapshot has ended: the state may
 * live in the source. */
MUST_CHECK bool scan_run(
    const struct scan *scan, struct database *source, struct scan_counts *out_counts,
    bool *out_ended, struct shadow **out_shadow, struct error *err);

#endif
