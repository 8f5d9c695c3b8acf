/* target: what a BigQuery table has to look like, what separates it from that, and how it gets
 * there: created when missing, new columns added, REQUIRED relaxed, types widened, descriptions and
 * labels brought up to date; anything else is refused with the statement that a person would have
 * to decide on
 * ("Modifying table schemas" of the BigQuery documentation). */
#ifndef BQSYNC_SYNC_PASS_TARGET_H
#define BQSYNC_SYNC_PASS_TARGET_H

#include "base/error.h"
#include "base/table.h"
#include "sync/pass/task.h"
#include "warehouse/bigquery.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* What separates a table from its definition. */
struct target_diff {
    bool missing;
    bool added; /* columns of the definition were missing: rows that are there lack their values */
    cJSON *patch;      /* body of tables.patch that settles all but widenings; NULL if not needed */
    char *widen_sql;   /* ALTER TABLE ... SET DATA TYPE ..., NULL if not needed */
    char **statements; /* the same as DDL for people, in order */
    size_t statement_count;
    char blocked[1024]; /* "" or why the table cannot be brought in line, with the statement */
    char extra[512];    /* columns that only BigQuery has, ", " between */
    bool *nullable;     /* column_count + 1 entries: which columns will be NULLABLE */
};

/* Compares. live: the Table resource, NULL if there is none. ERROR_MEMORY only. */
MUST_CHECK bool target_compare(
    const struct table *table, const char *project, const char *dataset, const cJSON *live,
    struct target_diff *out_diff, struct error *err);
void target_diff_clear(struct target_diff *diff);

/* Brings the task's target in line and sets task->created and task->nullable. generation goes into
 * the label. With inspect false the target is known to be in line (its shape label says so) and is
 * not read: only a missing one is created. A target to which columns had to be added is replaced:
 * task->work says so then. ERROR_SCHEMA when it is blocked. */
MUST_CHECK bool target_prepare(
    struct bigquery *bigquery, struct task *task, const char *project, const char *dataset,
    int64_t generation, bool inspect, struct error *err);

/* Raises the generation label (and notes the shape as current). */
MUST_CHECK bool target_label(
    struct bigquery *bigquery, const struct table *table, int64_t generation, struct error *err);

/* The schema of a staging table for this table's MERGE: every column NULLABLE, and _bqsync_deleted;
 * to be deleted by the caller. */
cJSON *target_staging_schema(const struct table *table);

#endif
