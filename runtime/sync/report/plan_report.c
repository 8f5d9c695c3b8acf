#include "sync/report/plan_report.h"

#include "source/capture.h"
#include "source/tracking.h"
#include "sync/pass/listing.h"
#include "sync/pass/plan.h"
#include "sync/pass/quota_record.h"
#include "sync/pass/scan.h"
#include "sync/pass/target_diff.h"
#include "sync/pass/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counts {
    int64_t insert;
    int64_t update;
    int64_t delete;
};

/* Every row that the statement gives; those whose last column says so are gone. */
static bool count_rows(
    struct database *source, sqlite3_stmt *statement, int gone_column, int64_t *out_present,
    int64_t *out_gone, struct error *err)
{
    for (;;) {
        bool row = false;
        if (!database_step(source, statement, &row, err))
            return false;
        if (!row)
            return true;
        if (gone_column >= 0 && sqlite3_column_int(statement, gone_column) != 0)
            (*out_gone)++;
        else
            (*out_present)++;
    }
}

static bool count_statement(
    struct database *source, const char *sql, const int64_t *first, const int64_t *second,
    int gone_column, int64_t *out_present, int64_t *out_gone, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (!database_prepare(source, sql, &statement, err))
        return false;
    if (first != NULL)
        sqlite3_bind_int64(statement, 1, *first);
    if (second != NULL)
        sqlite3_bind_int64(statement, 2, *second);
    bool ok = count_rows(source, statement, gone_column, out_present, out_gone, err);
    sqlite3_finalize(statement);
    return ok;
}

/* Only a full read tells what the scan of the next sync will find. */
static bool count_scanned(
    const struct config *config, struct database *source, struct task *task, struct counts *out,
    struct error *err)
{
    struct scan_counts found;
    struct shadow *none = NULL;
    bool ended = false;

    if (!scan_run(
            &(struct scan){
                .state_path = config->state_path, .table = task->table, .mode = SHADOW_COMPARE},
            source, &found, &ended, &none, err))
        return false;
    *out = (struct counts){found.new_rows, found.changed, found.deleted};
    bool any = found.new_rows + found.changed + found.deleted > 0;
    bool most = any && plan_prefers_replace(task, found.changed + found.deleted) &&
                plan_revise(task, PLAN_FOUND_MOST_CHANGED);
    if (most || (any && plan_revise(task, PLAN_FOUND_ROWS)))
        *out = (struct counts){.insert = found.read};
    return true;
}

/* A row that is new to an INTEGER PRIMARY KEY table is told by its id; in other tables a key that
 * has changed may be new or not, and counts as updated. */
static bool count(
    const struct config *config, struct database *source, struct task *task, struct counts *out,
    struct error *err)
{
    const struct table *table = task->table;
    const int64_t *row_id =
        task->source.shape.integer_key ? &task->source.watermark.last_synced_row_id : NULL;
    int64_t none = 0;

    if (task->plan.mode == SEND_NOTHING)
        return true;
    if (task->plan.mode == SEND_REPLACE && !task->plan.only_if_changed)
        return count_statement(source, table->scan_sql, NULL, NULL, -1, &out->insert, &none, err);
    if (task->plan.capture.by == CAPTURE_SCAN)
        return count_scanned(config, source, task, out, err);
    if (task->source.shape.integer_key &&
        !count_statement(source, table->new_rows_sql, row_id, NULL, -1, &out->insert, &none, err))
        return false;
    return count_statement(
        source, table->changes_sql, &task->source.watermark.synced_sequence, row_id,
        (int)table->column_count, &out->update, &out->delete, err);
}

static const char *way_name(const struct task *task, const struct counts *counts)
{
    if (task->plan.mode == SEND_REPLACE || task->table->mode == SEND_REPLACE)
        return send_mode_name(SEND_REPLACE);
    bool told = task->source.shape.integer_key || task->plan.capture.by == CAPTURE_SCAN;
    bool only_new = told && counts->update + counts->delete == 0;
    return send_mode_name(task->table->mode == SEND_APPEND && only_new ? SEND_APPEND : SEND_MERGE);
}

struct previewer {
    const struct deployment *deployment;
    struct database source;
    struct workers workers;
    bool full;
};

/* One table and what BigQuery says of its target. */
struct preview {
    struct task task;
    struct table_result result;
    cJSON *live;          /* NULL: there is no such table */
    struct error failure; /* of asking, ERROR_NONE if there was an answer */
};

/* A failure is told with the table's preview instead of failing the task: nothing is recorded. */
static bool get_target(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct preview *previews = context;
    struct preview *preview = &previews[task->index];

    if (!bigquery_table_get(worker->bigquery, task->table->target, &preview->live, err))
        preview->failure = *err;
    return true;
}

static bool is_any(const struct task *task)
{
    (void)task;
    return true;
}

static bool compare_target(
    const struct previewer *p, const struct preview *preview, struct target_diff *out_diff,
    struct error *err)
{
    const struct config *config = p->deployment->config;

    if (preview->failure.code != ERROR_NONE) {
        *err = preview->failure;
        return false;
    }
    return target_compare(
        preview->task.table, config->project, config->dataset, preview->live, out_diff, err);
}

static cJSON *preview_table(struct previewer *p, struct preview *preview, bool *out_blocked)
{
    const struct clock *clock = p->deployment->clock;
    struct tracking *tracking = p->workers.each[0].tracking;
    struct task *task = &preview->task;
    struct counts counts = {0};
    struct target_diff diff = {0};
    struct error err = {0};
    struct quota_record use = {0};
    cJSON *json = cJSON_CreateObject();

    bool ok = plan_table(p->deployment->config, &p->source, tracking, task, p->full, &err) &&
              count(p->deployment->config, &p->source, task, &counts, &err) &&
              compare_target(p, preview, &diff, &err) &&
              quota_record_load(p->deployment->config, tracking, task->table, &use, &err);
    const char *way = way_name(task, &counts);

    cJSON_AddStringToObject(json, "table", task->table->name);
    cJSON_AddNumberToObject(json, "insert", (double)counts.insert);
    cJSON_AddNumberToObject(json, "update", (double)counts.update);
    cJSON_AddNumberToObject(json, "delete", (double)counts.delete);
    cJSON_AddStringToObject(json, "mode", way);
    cJSON *ddl = cJSON_AddArrayToObject(json, "ddl");
    for (size_t i = 0; i < diff.statement_count; i++)
        cJSON_AddItemToArray(ddl, cJSON_CreateString(diff.statements[i]));

    const char *blocked = !ok ? err.message : diff.blocked[0] != '\0' ? diff.blocked : NULL;
    if (blocked != NULL)
        cJSON_AddStringToObject(json, "blocked", blocked);
    else
        cJSON_AddNullToObject(json, "blocked");
    *out_blocked = *out_blocked || blocked != NULL;
    if (task->plan.why != NULL)
        cJSON_AddStringToObject(json, "why", task->plan.why);
    int64_t a_day = quota_record_forecast(p->deployment->config, task->table->mode);
    cJSON_AddNumberToObject(json, "modifications_a_day", (double)a_day);
    cJSON_AddNumberToObject(
        json, "modifications_today",
        (double)quota_record_today(use, clock->wall_us(clock->context)));
    target_diff_clear(&diff);
    return json;
}

/* BigQuery is asked before the snapshot begins, which would keep SQLite from truncating its log. */
static bool preview_all(
    struct previewer *p, struct preview *previews, struct task **order, size_t count, cJSON *array,
    bool *out_blocked, struct error *err)
{
    if (!listing_read(p->workers.each[0].bigquery, order, count, err))
        return false;
    const struct step ask = {.wanted = is_any, .run = get_target, .context = previews};
    workers_run(&p->workers, order, count, &ask);
    if (!database_begin_snapshot(&p->source, err))
        return false;
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(array, preview_table(p, &previews[i], out_blocked));
    database_rollback(&p->source);
    return true;
}

static bool preview_tables(
    struct previewer *p, const struct table *const *tables, size_t count, cJSON *array,
    bool *out_blocked, struct error *err)
{
    struct preview *previews = calloc(count + 1, sizeof *previews);
    struct task **order = calloc(count + 1, sizeof(struct task *));
    bool ok = false;

    if (previews == NULL || order == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory");
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) {
        previews[i].task =
            (struct task){.table = tables[i], .outcome = &previews[i].result, .index = i};
        order[i] = &previews[i].task;
    }
    ok = preview_all(p, previews, order, count, array, out_blocked, err);

cleanup:
    for (size_t i = 0; i < count && previews != NULL; i++)
        cJSON_Delete(previews[i].live);
    free(previews);
    free(order);
    return ok;
}

bool preview_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count, bool full,
    cJSON **out_json, bool *out_blocked, struct error *err)
{
    const struct config *config = deployment->config;
    struct previewer p = {.deployment = deployment, .full = full};
    cJSON *json = cJSON_CreateObject();
    bool ok = false;

    *out_blocked = false;
    if (!database_open(config->sqlite_path, DATABASE_READ, DATABASE_PATIENCE_MS, &p.source, err)) {
        cJSON_Delete(json);
        return false;
    }
    const struct workers_options options = {
        .deployment = deployment, .size = (size_t)config->parallel, .reads_only = true};
    if (workers_open(&p.workers, &options, err))
        ok = preview_tables(
            &p, tables, count, cJSON_AddArrayToObject(json, "tables"), out_blocked, err);
    workers_close(&p.workers);
    database_close(&p.source);
    if (ok)
        *out_json = json;
    else
        cJSON_Delete(json);
    return ok;
}
