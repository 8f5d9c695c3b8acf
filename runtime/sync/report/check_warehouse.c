#include "sync/report/check_warehouse.h"

#include "base/json_text.h"
#include "source/tracking.h"
#include "sync/commit/recovery.h"
#include "sync/pass/history_log.h"
#include "sync/pass/target_diff.h"
#include "sync/pass/task.h"
#include "sync/report/check_permissions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rows of a table that bqsync has never written, "" if there are none: the first sync replaces
 * them. tables.get has the number as text. */
static const char *foreign_rows(const struct table *table, const cJSON *live)
{
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(live, "labels");
    const char *rows = json_text_of(live, "numRows", "0");
    bool ours = history_is_log(table) || cJSON_HasObjectItem(labels, LABEL_GENERATION);

    return ours || strcmp(rows, "0") == 0 ? "" : rows;
}

static void compare_target(
    const struct checker *c, const struct table *table, const char *name, const cJSON *live)
{
    const struct config *config = c->deployment->config;
    struct target_diff diff = {0};
    struct error err;

    if (!target_compare(table, config->project, config->dataset, live, &diff, &err))
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", err.message);
    else if (diff.blocked[0] != '\0')
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", diff.blocked);
    else if (diff.missing)
        check_findings_add(c->findings, name, CHECK_OK, "does not exist; the next sync creates it");
    else if (foreign_rows(table, live)[0] != '\0')
        check_findings_add(
            c->findings, name, CHECK_WARN,
            "holds %s rows that bqsync has not written: the first sync replaces them. Choose "
            "another `target` or dataset to keep them",
            foreign_rows(table, live));
    else if (diff.statement_count > 0)
        check_findings_add(
            c->findings, name, CHECK_OK, "the next sync runs: %s", diff.statements[0]);
    else if (diff.extra[0] != '\0')
        check_findings_add(
            c->findings, name, CHECK_WARN, "has columns that the definition lacks: %s", diff.extra);
    else
        check_findings_add(c->findings, name, CHECK_OK, "fits its definition");
    target_diff_clear(&diff);
}

static void check_target(
    const struct checker *c, struct bigquery *bigquery, const struct table *table, bool missing)
{
    char name[300];
    cJSON *live = NULL;
    struct error err;

    snprintf(name, sizeof name, "target %s", table->target);
    if (missing || bigquery_table_get(bigquery, table->target, &live, &err))
        compare_target(c, table, name, live);
    else if (err.http_status == 403)
        check_findings_add(
            c->findings, name, CHECK_WARN, "not compared: see permission bigquery.tables.get");
    else
        check_findings_add(c->findings, name, CHECK_FAIL, "%s", err.message);
    cJSON_Delete(live);
}

static void check_log(const struct checker *c, struct bigquery *bigquery, const struct table *table)
{
    const struct table log = history_log(table);

    check_target(c, bigquery, &log, false);
}

/* DML on a table with row access policies needs one that grants all rows, and a query sees what is
 * granted ("Using row-level security with other BigQuery features"). Who is granted what cannot be
 * listed, so this is a warning. False: it may not be listed, so other tables need not be asked. */
static bool check_policies(
    const struct checker *c, struct bigquery *bigquery, const struct table *table)
{
    char name[320];
    bool has = false;
    struct error err;

    bool ok = bigquery_table_has_policies(bigquery, table->target, &has, &err);
    if (!ok && err.http_status == 403) {
        check_findings_add(
            c->findings, "row access policies", CHECK_OK,
            "not looked for: that takes bigquery.rowAccessPolicies.list, which a sync does not "
            "need");
        return false;
    }
    snprintf(name, sizeof name, "row access policies %s", table->target);
    if (!ok && err.code != ERROR_NOT_FOUND)
        check_findings_add(c->findings, name, CHECK_WARN, "not listed: %s", err.message);
    else if (has)
        check_findings_add(
            c->findings, name, CHECK_WARN,
            "%s.%s has row access policies. Unless one with `filter using (true)` is granted to "
            "bqsync, BigQuery refuses its MERGE, and verify misses rows",
            c->deployment->config->dataset, table->target);
    return true;
}

/* Tables that cannot be synced until an intent of another dataset is resolved. */
static void check_intents(const struct checker *c)
{
    struct tracking tracking;
    struct error err;

    // check_source has said so if the state cannot be read.
    if (!tracking_open_read(c->deployment->config->state_path, &tracking, &err))
        return;
    for (size_t i = 0; i < c->count; i++) {
        char name[300];
        snprintf(name, sizeof name, "open intent %s", c->tables[i]->name);
        if (!recovery_is_possible(c->deployment, &tracking, c->tables[i]->name, &err))
            check_findings_add(c->findings, name, CHECK_FAIL, "%s", err.message);
    }
    tracking_close(&tracking);
}

void check_warehouse(const struct checker *c)
{
    struct bigquery *bigquery = NULL;
    struct check_rights rights = {.exists = calloc(c->count + 1, sizeof *rights.exists)};
    struct error err;

    if (rights.exists == NULL || !deployment_bigquery(c->deployment, NULL, NULL, &bigquery, &err))
        check_findings_add(
            c->findings, "BigQuery", CHECK_FAIL, "%s",
            rights.exists == NULL ? "out of memory" : err.message);
    else if (check_permissions(c, bigquery, &rights)) {
        bool ask = true;
        for (size_t i = 0; i < c->count; i++) {
            bool missing = rights.listed && !rights.exists[i];
            check_target(c, bigquery, c->tables[i], missing);
            if (c->tables[i]->history != NULL)
                check_log(c, bigquery, c->tables[i]);
            if (ask && !missing)
                ask = check_policies(c, bigquery, c->tables[i]);
        }
    }
    if (bigquery != NULL)
        check_intents(c);
    bigquery_close(bigquery);
    free(rights.exists);
}
