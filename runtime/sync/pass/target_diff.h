/* target_diff: what a BigQuery table has to look like by its definition, and what separates it from
 * that: columns to add, REQUIRED to relax, types to widen, descriptions, labels and clustering to
 * update, or a difference that BigQuery cannot change in place ("Modifying table schemas" of the
 * BigQuery documentation). Pure: compares documents and contacts nobody. */
#ifndef BQSYNC_SYNC_PASS_TARGET_DIFF_H
#define BQSYNC_SYNC_PASS_TARGET_DIFF_H

#include "base/error.h"
#include "base/table.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* What separates a table from its definition. */
struct target_diff {
    bool missing;
    /* Columns of the definition were missing: the rows that are there lack their values. */
    bool added;
    /* Body of the tables.patch that makes all changes but widenings; NULL if there are none. */
    cJSON *patch;
    /* ALTER TABLE ... SET DATA TYPE ...; NULL if no column is widened. */
    char *widen_sql;
    /* All changes as DDL for people, in order. */
    char **statements;
    size_t statement_count;
    /* "", or why the table cannot be brought in line, with the statement that would help. */
    char blocked[1024];
    /* Columns that only BigQuery has, ", " between. */
    char extra[512];
    /* What is set without a statement, for people: "description, labels, description of a"; cut if
     * there is much; "" if nothing is. */
    char set[512];
    /* What becomes of the clustering and why, for people; "" if it is as the definition says. */
    char clustering[2048];
    /* The table's columns after the changes, as tables.get shows them. */
    cJSON *fields;
};

/* Compares. live: the Table resource, NULL if there is no table. *out_diff is the caller's to clear
 * in any case. ERROR_MEMORY only. */
MUST_CHECK bool target_compare(
    const struct table *table, const char *project, const char *dataset, const cJSON *live,
    struct target_diff *out_diff, struct error *err);

/* The field of that name in a list as tables.get shows it, borrowed; NULL if there is none, or no
 * list. */
cJSON *target_diff_field(const cJSON *fields, const char *name);
bool target_diff_required(const cJSON *field);

/* Appends a statement. Takes it; NULL, or without memory for it, it is left out. */
void target_diff_add_statement(struct target_diff *diff, char *statement);

/* Whether the target is changed at all. */
bool target_diff_changes(const struct target_diff *diff);

/* Frees what the diff owns. */
void target_diff_clear(struct target_diff *diff);

#endif
