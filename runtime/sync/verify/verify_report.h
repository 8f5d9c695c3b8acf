/* verify_report: what verify found about each table, and the document of `verify --json`. Plain
 * data; does not compare anything. */
#ifndef BQSYNC_SYNC_VERIFY_VERIFY_REPORT_H
#define BQSYNC_SYNC_VERIFY_VERIFY_REPORT_H

#include "base/error.h"
#include "base/table.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A list holds at most this many keys; the counts are exact. */
#define VERIFY_KEYS_MAX 100

struct verify_table {
    const struct table *table;
    bool equal; /* false if it could not be compared */
    /* Rows that were compared: all but those that are not synced yet and the rejected ones. */
    int64_t source_rows;
    /* All rows of the BigQuery table. */
    int64_t warehouse_rows;
    /* Keys that only SQLite has. */
    int64_t missing_count;
    /* Keys that only BigQuery has, apart from those of rows that it keeps. */
    int64_t extra_count;
    /* Keys whose rows differ. */
    int64_t different_count;
    /* Keys that BigQuery has more than once. */
    int64_t duplicated_count;
    /* Columns that the definition has and the BigQuery table lacks; no row is compared then. */
    int64_t missing_columns_count;
    /* Groups of rows whose checksums differ although none of their rows does. */
    int64_t unexplained_count;
    /* Rows that SQLite does not have any more, and that BigQuery keeps by the definition. */
    int64_t kept;
    /* Keys with changes that are not synced yet. */
    int64_t pending;
    /* Rows that cannot be synced because a value does not fit its column. */
    int64_t rejected;
    int64_t bytes_billed;
    /* Lists of the keys and columns counted above, owned. A key is a value, or an array of values
     * if the table's key has several columns. Of a table without a key rows are counted, and the
     * lists are empty. */
    cJSON *missing;
    cJSON *extra;
    cJSON *different;
    cJSON *duplicated;
    cJSON *missing_columns;
    /* Why the table could not be compared; ERROR_NONE if it was. */
    struct error error;
};

/* An entry for each table with empty lists. *out_report is returned owned, an array of count
 * entries. ERROR_MEMORY. */
MUST_CHECK bool verify_report_new(
    const struct table *const *tables, size_t count, struct verify_table **out_report,
    struct error *err);
/* NULL is fine. */
void verify_report_free(struct verify_table *report, size_t count);

/* Empties an entry for another comparison; only what it has cost stays. */
void verify_report_restart(struct verify_table *entry);

/* Counts all differences as pending: the rows of the table have changed since it was synced, and
 * which of them is not known. */
void verify_report_defer(struct verify_table *entry);

/* What was found to differ: keys, columns and groups of rows. 0 if nothing was compared. */
int64_t verify_report_differences(const struct verify_table *entry);

/* Whether all tables are equal. A table that could not be compared is not. */
bool verify_report_ok(const struct verify_table *report, size_t count);

/* Whether a table was compared and is not equal. */
bool verify_report_differs(const struct verify_table *report, size_t count);

/* Rejected rows of all tables. */
int64_t verify_report_rejected(const struct verify_table *report, size_t count);

/* 0 if all tables are equal, 1 if one differs. If none differs, but some could not be compared: the
 * exit status of their error if it is the same for all, else 1. */
int verify_report_exit_status(const struct verify_table *report, size_t count);

/* The document of `verify --json`, returned owned. "equal" of a table that could not be compared is
 * null. */
cJSON *verify_report_json(const struct verify_table *report, size_t count);

#endif
