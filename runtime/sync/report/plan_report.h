/* plan_report: what the next sync would do with each table, without doing it: the rows to insert,
 * update and delete, the statements that would bring the target in line with its definition, or why
 * the table cannot be synced. Reads only and takes no lock. */
#ifndef BQSYNC_SYNC_REPORT_PLAN_REPORT_H
#define BQSYNC_SYNC_REPORT_PLAN_REPORT_H

#include "base/error.h"
#include "sync/deployment.h"
#include "sync/pass/quota_record.h"
#include "sync/pass/target_diff.h"
#include "sync/spending.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the next sync would do with one table. */
struct plan_report_table {
    const struct table *table;
    /* Rows. For a table without an INTEGER PRIMARY KEY, a new row counts as an update. */
    int64_t insert;
    int64_t update;
    int64_t delete;
    /* Rows that are deleted in SQLite, where the target marks or keeps them. */
    int64_t mark;
    int64_t keep;
    /* "append", "merge" or "replace". */
    const char *mode;
    /* The statements that bring the target in line, and the reason if none can. */
    struct target_diff diff;
    /* Why the table could not be planned; ERROR_NONE if it was. */
    struct error error;
    /* Why the whole content is replaced, NULL if it is not; static. */
    const char *why;
    /* Why changes are found by reading the whole table; "" if triggers list them. */
    char why_scan[512];
    /* Load jobs that the schedule makes in a day (quota_record_forecast), and those of the last 24
     * hours, in changed partitions if the target is partitioned. */
    int64_t modifications_a_day;
    int64_t modifications_24h;
    /* What its query will bill, by the last day that has a bill; 0 if it needs none,
     * SPENDING_UNKNOWN if that is not known or the table could not be planned. */
    int64_t bytes_billed;
};

/* The report of plan, in the order of the given tables. */
struct plan_report {
    struct plan_report_table *tables;
    size_t count;
    /* The dataset does not exist, and the next sync makes it (BQ_CREATE_DATASET). */
    bool creates_dataset;
    /* What queries have billed until now. */
    struct spending spending;
};

/* Plans all tables. full: as for `sync --full`. *out_report is the caller's to clear. Fails when
 * nothing can be planned: SQLite or BigQuery is not readable. */
MUST_CHECK bool plan_report_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count, bool full,
    struct plan_report *out_report, struct error *err);
/* Frees the tables; a zeroed struct is fine. */
void plan_report_clear(struct plan_report *report);

/* Why the table cannot be synced, NULL if it can; in text or borrowed from the table. */
const char *plan_report_blocked(
    const struct plan_report_table *table, char text[static ERROR_TEXT_SIZE]);
/* Whether every table can be synced. */
bool plan_report_ok(const struct plan_report *report);

/* The document of `plan --json`, returned owned. config: for the price. */
cJSON *plan_report_json(const struct plan_report *report, const struct config *config);

#endif
