/* shadow_sift: steps through the rows of a table that differ from its shadow (source/shadow.h).
 *
 * Where the shadow is packed and the table has no filter, SQLite passes over the other rows itself:
 * the comparison is an SQL function in the WHERE clause of the statement. A step of a statement and
 * the functions that ask for its columns cost as much as hashing the row, and nearly no row
 * differs. A filter would stand beside the function, and SQLite may evaluate the two in any order;
 * then, as for other forms of shadow, each row is stepped to. Internal to source and
 * sync/pass/scan; belongs to the thread of the source's connection. */
#ifndef BQSYNC_SOURCE_SHADOW_SIFT_H
#define BQSYNC_SOURCE_SHADOW_SIFT_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"
#include "source/shadow.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct shadow_sift {
    struct database *source; /* borrowed, like the rest */
    struct shadow *shadow;
    const struct table *table;
    enum shadow_form form;
    enum shadow_mode mode; /* of a replacement: each row differs, so none is passed over */
    /* Called every few thousand rows; false, with *err set, ends the read. May be NULL. */
    bool (*look)(void *context, int64_t rows_read, struct error *err);
    void *context;

    /* What follows is the module's own; the row and the number of rows read may be looked at. */
    sqlite3_stmt *row;
    int64_t rows;
    bool by_function;
    enum shadow_change change; /* of the row */
    struct error failure;      /* of the function */
    bool failed;
};

/* The fields up to context are set by the caller. On failure too, shadow_sift_close frees what
 * there is. */
MUST_CHECK bool shadow_sift_open(struct shadow_sift *sift, struct error *err);
/* Goes to the next row that differs. *out_row: there is one; sift->row stands on it, and
 * *out_change says how it differs. */
MUST_CHECK bool shadow_sift_next(
    struct shadow_sift *sift, bool *out_row, enum shadow_change *out_change, struct error *err);
void shadow_sift_close(struct shadow_sift *sift);

#endif
