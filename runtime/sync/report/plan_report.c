#include "sync/report/plan_report.h"

#include "base/json_exact.h"
#include "source/capture.h"
#include "source/filter_step.h"
#include "source/tracking.h"
#include "source/tracking_bill.h"
#include "source/tracking_schema.h"
#include "sync/commit/recovery.h"
#include "sync/pass/history_diff.h"
#include "sync/pass/listing.h"
#include "sync/pass/location.h"
#include "sync/pass/plan.h"
#include "sync/pass/quota_record.h"
#include "sync/pass/scan.h"
#include "sync/pass/target_diff.h"
#include "sync/pass/workers.h"
#include "sync/report/spending_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A statement whose rows are counted. */
struct count_query {
    const char *sql;
    /* Its parameters ?1 and ?2, NULL: not bound. */
    const int64_t *first;
    const int64_t *second;
    /* The result column that is not 0 for deleted rows, -1: there is none. */
    int deleted_column;
};

static bool count_query(
    struct database *source, const struct table *table, const struct count_query *query,
    int64_t *out_present, int64_t *out_deleted, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    bool ok = false;

    if (!database_prepare(source, query->sql, &statement, err))
        return false;
    if (query->first != NULL)
        sqlite3_bind_int64(statement, 1, *query->first);
    if (query->second != NULL)
        sqlite3_bind_int64(statement, 2, *query->second);
    while ((ok = filter_step(source, table, statement, &row, err)) && row) {
        bool deleted =
            query->deleted_column >= 0 && sqlite3_column_int(statement, query->deleted_column) != 0;
        (*(deleted ? out_deleted : out_present))++;
    }
    sqlite3_finalize(statement);
    return ok;
}

/* The next sync finds the changes of this table by reading all of it, so the plan does the same. */
static bool count_scanned(
    const struct config *config, struct database *source, struct task *task,
    struct plan_report_table *out, struct error *err)
{
    struct scan_counts found;
    struct shadow *none = NULL;
    bool ended = false;

    if (!scan_run(
            &(struct scan){
                .state = {.path = config->state_path},
                .table = task->table,
                .form = shadow_form_of(&task->source.shape),
                .mode = SHADOW_COMPARE},
            source, &found, &ended, &none, err))
        return false;
    out->insert = found.new_rows;
    out->update = found.changed;
    out->delete = found.deleted;
    bool any = found.new_rows + found.changed + found.deleted > 0;
    bool most = any && plan_prefers_replace(task, found.changed + found.deleted) &&
                plan_revise(task, PLAN_FOUND_MOST_CHANGED);
    if (most || (any && plan_revise(task, PLAN_FOUND_ROWS))) {
        out->insert = found.read;
        out->update = 0;
        out->delete = 0;
    }
    return true;
}

/* In a table with an INTEGER PRIMARY KEY a new row is known by its id. In other tables a changed
 * key may be new or not, and counts as updated. */
static bool count(
    const struct config *config, struct database *source, struct task *task,
    struct plan_report_table *out, struct error *err)
{
    const struct table *table = task->table;
    const int64_t *row_id =
        task->source.shape.integer_key ? &task->source.watermark.last_synced_row_id : NULL;
    int64_t none = 0;

    if (task->plan.mode == SEND_NOTHING)
        return true;
    if (task->plan.mode == SEND_REPLACE && !task->plan.only_if_changed)
        return count_query(
            source, table, &(struct count_query){.sql = table->scan_sql, .deleted_column = -1},
            &out->insert, &none, err);
    if (task->plan.capture.by == CAPTURE_SCAN)
        return count_scanned(config, source, task, out, err);
    if (task->source.shape.integer_key &&
        !count_query(
            source, table,
            &(struct count_query){
                .sql = table->new_rows_sql, .first = row_id, .deleted_column = -1},
            &out->insert, &none, err))
        return false;
    return count_query(
        source, table,
        &(struct count_query){
            .sql = table->changes_sql,
            .first = &task->source.watermark.synced_sequence,
            .second = row_id,
            .deleted_column = (int)table->column_count,
        },
        &out->update, &out->delete, err);
}

/* What becomes of the rows that were counted as deleted. */
static void sort_deleted(struct plan_report_table *out)
{
    enum deletes_choice deletes = out->table->deletes;

    if (deletes == DELETES_MIRROR)
        return;
    *(deletes == DELETES_MARK ? &out->mark : &out->keep) = out->delete;
    out->delete = 0;
}

static const char *mode_name(const struct task *task, const struct plan_report_table *counts)
{
    if (task->plan.mode == SEND_REPLACE || task->table->mode == SEND_REPLACE)
        return send_mode_name(SEND_REPLACE);
    bool exact = task->source.shape.integer_key || task->plan.capture.by == CAPTURE_SCAN;
    bool only_new = exact && task->table->add_sql != NULL && counts->update + counts->delete == 0 &&
                    !task->warehouse.near_quota;
    return send_mode_name(task->table->mode == SEND_APPEND && only_new ? SEND_APPEND : SEND_MERGE);
}

/* The last day comes last. */
static void keep_mean(void *context, const struct table_bill *bill)
{
    struct plan_report_table *out = context;

    if (strcmp(bill->table, out->table->name) == 0 && bill->queries > 0)
        out->bytes_billed = bill->bytes / bill->queries;
}

static bool estimate_bill(
    struct tracking *tracking, const struct task *task, int64_t now_us,
    struct plan_report_table *out, struct error *err)
{
    char today[BILL_DAY_SIZE];

    out->bytes_billed = 0;
    if (out->insert + out->update + out->delete + out->mark == 0 ||
        (strcmp(out->mode, send_mode_name(SEND_MERGE)) != 0 && !task->plan.staged))
        return true;
    out->bytes_billed = SPENDING_UNKNOWN;
    return tracking_bill_each(tracking, "", tracking_bill_day(now_us, today), keep_mean, out, err);
}

struct planner {
    const struct deployment *deployment;
    struct database source;
    struct tracking tracking;
    struct workers workers;
    bool full;
    struct plan_report *report;
};

/* One table and what BigQuery says about its target. */
struct preview {
    struct task task;
    struct table_result result;
    /* The target as it is, NULL: it does not exist. */
    cJSON *live;
    /* The log of its history in the same way, if it has one. */
    cJSON *live_log;
    /* Why live could not be read, or the next pass cannot begin; else ERROR_NONE. */
    struct error failure;
};

/* A failure is kept for the table's report and does not fail the task: a failed task would be
 * recorded in the state. */
static bool get_target(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct preview *previews = context;
    struct preview *preview = &previews[task->index];
    const struct table_history *history = task->table->history;

    if (!bigquery_table_get(worker->bigquery, task->table->target, &preview->live, err) ||
        (history != NULL &&
         !bigquery_table_get(worker->bigquery, history->log, &preview->live_log, err)))
        preview->failure = *err;
    return true;
}

/* The next pass resolves what is open before it plans. A table whose intent of another dataset
 * cannot be resolved waits for it. */
static void look_for_intents(struct planner *p, struct preview *previews)
{
    for (size_t i = 0; i < p->report->count; i++) {
        struct preview *preview = &previews[i];
        struct task *task = &preview->task;
        struct error err;
        if (!recovery_is_possible(p->deployment, &p->tracking, task->table->name, &err) ||
            !recovery_foresee_label(p->deployment->config, &p->tracking, task, &err))
            preview->failure = err;
    }
}

static bool is_any(const struct task *task)
{
    (void)task;
    return true;
}

static bool compare_target(
    const struct planner *p, const struct preview *preview, struct target_diff *out_diff,
    struct error *err)
{
    const struct config *config = p->deployment->config;

    if (preview->failure.code != ERROR_NONE) {
        *err = preview->failure;
        return false;
    }
    bool ok = target_compare(
        preview->task.table, config->project, config->dataset, preview->live, out_diff, err);
    // What was set by hand under the same definition is nothing that a pass looks for.
    if (!task_is_out_of_line(&preview->task) && !preview->task.plan.inspect_target)
        out_diff->set[0] = '\0';
    if (ok && preview->task.table->history != NULL)
        ok = history_compare(
            &preview->task, config->project, config->dataset, preview->live_log, out_diff, err);
    return ok;
}

/* The plan goes by what is left of the day's quota, as that of a pass does. */
static bool find_quota(
    const struct config *config, struct tracking *tracking, struct task *task, int64_t now_us,
    struct plan_report_table *out, struct error *err)
{
    if (!quota_record_used(config, tracking, task->table, now_us, &out->modifications_24h, err))
        return false;
    task->warehouse.near_quota = quota_record_is_near(task->table, out->modifications_24h);
    return true;
}

static void plan_one(struct planner *p, struct preview *preview, struct plan_report_table *out)
{
    const struct config *config = p->deployment->config;
    const struct clock *clock = p->deployment->clock;
    int64_t now_us = clock->wall_us(clock->context);
    struct tracking *tracking = &p->tracking;
    struct task *task = &preview->task;
    struct error err = {0};

    out->table = task->table;
    if (!find_quota(config, tracking, task, now_us, out, &err) ||
        !plan_table(config, &p->source, tracking, task, p->full, &err) ||
        !count(config, &p->source, task, out, &err) ||
        !compare_target(p, preview, &out->diff, &err))
        out->error = err;
    sort_deleted(out);
    out->mode = mode_name(task, out);
    if (err.code == ERROR_NONE && !estimate_bill(tracking, task, now_us, out, &err))
        out->error = err;
    if (out->error.code != ERROR_NONE)
        out->bytes_billed = SPENDING_UNKNOWN;
    out->why = task->plan.why;
    if (task->plan.capture.why != NULL)
        snprintf(out->why_scan, sizeof out->why_scan, "%s", task->plan.capture.why);
    out->modifications_a_day = quota_record_forecast(config, task->table);
}

/* BigQuery is asked before the snapshot begins: an open snapshot keeps SQLite from truncating its
 * log. */
static bool plan_all(
    struct planner *p, struct preview *previews, struct task **order, struct error *err)
{
    struct worker *worker = &p->workers.each[0];
    struct location location = {
        .config = p->deployment->config, .tracking = worker->tracking, .reads_only = true};
    size_t count = p->report->count;

    if (!location_find(&location, worker->bigquery, err) ||
        !listing_read(&location, worker->bigquery, order, count, err))
        return false;
    p->report->creates_dataset = location.absent;
    if (!location.absent) {
        const struct step ask = {.wanted = is_any, .run = get_target, .context = previews};
        workers_run(&p->workers, order, count, &ask);
    }
    look_for_intents(p, previews);
    if (!database_begin_snapshot(&p->source, err))
        return false;
    for (size_t i = 0; i < count; i++)
        plan_one(p, &previews[i], &p->report->tables[i]);
    database_rollback(&p->source);
    return true;
}

static bool plan_tables(
    struct planner *p, const struct table *const *tables, size_t count, struct error *err)
{
    struct preview *previews = calloc(count + 1, sizeof *previews);
    struct task **order = calloc(count + 1, sizeof(struct task *));
    bool ok = false;

    p->report->tables = calloc(count + 1, sizeof *p->report->tables);
    p->report->count = count;
    if (previews == NULL || order == NULL || p->report->tables == NULL) {
        p->report->count = 0;
        error_set(err, ERROR_MEMORY, "out of memory");
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) {
        previews[i].task =
            (struct task){.table = tables[i], .outcome = &previews[i].result, .index = i};
        order[i] = &previews[i].task;
    }
    ok = plan_all(p, previews, order, err);

cleanup:
    for (size_t i = 0; i < count && previews != NULL; i++) {
        cJSON_Delete(previews[i].live);
        cJSON_Delete(previews[i].live_log);
    }
    free(previews);
    free(order);
    return ok;
}

bool plan_report_run(
    const struct deployment *deployment, const struct table *const *tables, size_t count, bool full,
    struct plan_report *out_report, struct error *err)
{
    const struct config *config = deployment->config;
    const struct clock *clock = deployment->clock;
    struct plan_report report = {0};
    struct planner p = {.deployment = deployment, .full = full, .report = &report};
    bool ok = false;

    if (!database_open(config->sqlite_path, DATABASE_READ, DATABASE_PATIENCE_MS, &p.source, err))
        return false;
    const struct workers_options options = {
        .deployment = deployment,
        .tracking = &p.tracking,
        .size = (size_t)config->parallel,
        .reads_only = true};
    if (tracking_open_read(config->state_path, &p.tracking, err)) {
        // The next sync would refuse it too.
        if (tracking_schema_refuse_newer(&p.tracking.database, err) &&
            workers_open(&p.workers, &options, err))
            ok = plan_tables(&p, tables, count, err) &&
                 spending_read(
                     config, &p.tracking, clock->wall_us(clock->context), &report.spending, err);
        workers_close(&p.workers);
        tracking_close(&p.tracking);
    }
    database_close(&p.source);
    if (ok)
        *out_report = report;
    else
        plan_report_clear(&report);
    return ok;
}

void plan_report_clear(struct plan_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        target_diff_clear(&report->tables[i].diff);
    free(report->tables);
    *report = (struct plan_report){0};
}

const char *plan_report_blocked(
    const struct plan_report_table *table, char text[static ERROR_TEXT_SIZE])
{
    if (table->error.code != ERROR_NONE)
        return error_text(&table->error, text);
    return table->diff.blocked[0] != '\0' ? table->diff.blocked : NULL;
}

bool plan_report_ok(const struct plan_report *report)
{
    char text[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < report->count; i++)
        if (plan_report_blocked(&report->tables[i], text) != NULL)
            return false;
    return true;
}

static cJSON *table_json(const struct plan_report_table *table)
{
    char text[ERROR_TEXT_SIZE];
    const char *blocked = plan_report_blocked(table, text);
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "table", table->table->name);
    json_add_int64(json, "insert", table->insert);
    json_add_int64(json, "update", table->update);
    json_add_int64(json, "delete", table->delete);
    if (table->table->deletes == DELETES_MARK)
        json_add_int64(json, "mark", table->mark);
    if (table->table->deletes == DELETES_KEEP)
        json_add_int64(json, "keep", table->keep);
    cJSON_AddStringToObject(json, "mode", table->mode);
    cJSON *ddl = cJSON_AddArrayToObject(json, "ddl");
    for (size_t i = 0; i < table->diff.statement_count; i++)
        cJSON_AddItemToArray(ddl, cJSON_CreateString(table->diff.statements[i]));
    if (blocked != NULL)
        cJSON_AddStringToObject(json, "blocked", blocked);
    else
        cJSON_AddNullToObject(json, "blocked");
    if (table->why != NULL)
        cJSON_AddStringToObject(json, "why", table->why);
    if (table->why_scan[0] != '\0')
        cJSON_AddStringToObject(json, "why_scan", table->why_scan);
    if (table->diff.set[0] != '\0')
        cJSON_AddStringToObject(json, "sets", table->diff.set);
    if (table->diff.clustering[0] != '\0')
        cJSON_AddStringToObject(json, "clustering", table->diff.clustering);
    if (table->bytes_billed == SPENDING_UNKNOWN)
        cJSON_AddNullToObject(json, "bytes_billed");
    else
        json_add_int64(json, "bytes_billed", table->bytes_billed);
    quota_record_add_forecast(json, table->modifications_a_day);
    json_add_int64(json, "modifications_24h", table->modifications_24h);
    return json;
}

cJSON *plan_report_json(const struct plan_report *report, const struct config *config)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *array = cJSON_AddArrayToObject(json, "tables");

    cJSON_AddBoolToObject(json, "creates_dataset", report->creates_dataset);
    for (size_t i = 0; i < report->count; i++)
        cJSON_AddItemToArray(array, table_json(&report->tables[i]));
    spending_json_add(json, config, &report->spending);
    return json;
}
