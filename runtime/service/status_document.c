#include "service/status_document.h"

#include "base/clock.h"
#include "base/json_exact.h"
#include "source/lock.h"
#include "sync/pass/quota_record.h"
#include "sync/report/table_report.h"

#include <string.h>
#include <unistd.h>

static void add_text_or_null(cJSON *object, const char *name, const char *text)
{
    if (text[0] == '\0')
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, text);
}

static void add_time(cJSON *object, const char *name, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];

    if (us == 0 || us == SCHEDULE_NEVER)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, clock_format(us, text));
}

/* The service that runs on the state database, if one does. Returns whether one does: without it
 * nobody keeps the schedule. The service itself knows it without its lock file, which cannot be
 * made while the folder of the database is missing. */
static bool add_service(cJSON *json, const char *state_path, int64_t serves_since_us)
{
    struct lock_service service;

    if (!lock_find_service(state_path, &service)) {
        if (serves_since_us == 0) {
            cJSON_AddNullToObject(json, "service");
            return false;
        }
        service.pid = getpid();
        clock_format(serves_since_us, service.since);
    }
    cJSON *object = cJSON_AddObjectToObject(json, "service");
    json_add_int64(object, "pid", service.pid);
    cJSON_AddStringToObject(object, "since", service.since);
    return true;
}

static cJSON *add_job(cJSON *jobs, const char *id, int64_t next_us, const char *schedule)
{
    cJSON *job = cJSON_CreateObject();

    cJSON_AddStringToObject(job, "id", id);
    add_time(job, "next_run", next_us);
    cJSON_AddStringToObject(job, "schedule", schedule);
    cJSON_AddItemToArray(jobs, job);
    return job;
}

/* The age of the data in BigQuery: the time since the start of the last pass after which the table
 * equalled its source. */
static void add_freshness(cJSON *json, const struct ledger_table *ledger, int64_t now_us)
{
    add_time(json, "fresh_at", ledger->fresh_us);
    if (ledger->fresh_us == 0)
        cJSON_AddNullToObject(json, "lag_seconds");
    else
        json_add_int64(json, "lag_seconds", clock_since_us(ledger->fresh_us, now_us) / 1000000);
}

static cJSON *table_json(
    const struct config *config, const struct status_table *row, const struct ledger_table *ledger)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "table", row->table->name);
    cJSON_AddStringToObject(json, "mode", table_report_mode(row->table->mode));
    json_add_int64(json, "last_synced_row_id", row->last_synced_row_id);
    add_text_or_null(json, "last_synced_at", row->last_synced_at);
    if (row->pending == STATUS_UNKNOWN)
        cJSON_AddNullToObject(json, "pending_changes");
    else
        json_add_int64(json, "pending_changes", row->pending);
    cJSON_AddBoolToObject(json, "scanned", row->scanned);
    json_add_int64(json, "rejected", row->rejected);
    add_text_or_null(json, "last_error", ledger_last_error(ledger, row->last_error));
    add_text_or_null(json, "problem", row->problem);
    json_add_int64(json, "source_rows", row->source_rows);
    json_add_int64(json, "bytes_billed_today", row->billed_today);
    json_add_int64(json, "bytes_billed_month", row->billed_month);
    json_add_int64(json, "modifications_24h", row->modifications);
    json_add_int64(json, "modifications_limit", partitions_daily_limit(row->table));
    quota_record_add_forecast(json, quota_record_forecast(config, row->table));
    return json;
}

static cJSON *bare_table_json(const struct table *table)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "table", table->name);
    cJSON_AddStringToObject(json, "mode", table_report_mode(table->mode));
    return json;
}

cJSON *status_document_last_run(const cJSON *recorded, const cJSON *recent, int64_t now_us)
{
    char now[CLOCK_TEXT_SIZE];
    const cJSON *own = cJSON_GetArrayItem(recent, 0);
    const char *field = "started_at";
    const char *own_time = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(own, field));
    const char *time = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(recorded, field));

    // Times in the same format and zone can be compared as texts.
    if (own_time != NULL && (time == NULL || strcmp(own_time, time) >= 0 ||
                             strcmp(time, clock_format(now_us, now)) > 0))
        return cJSON_Duplicate(own, true);
    return recorded == NULL ? cJSON_CreateNull() : cJSON_Duplicate(recorded, true);
}

static void add_error(cJSON *json, const struct error *err)
{
    cJSON *error = cJSON_AddObjectToObject(json, "error");

    cJSON_AddStringToObject(error, "code", error_code_name(err->code));
    cJSON_AddStringToObject(error, "message", err->message);
}

static cJSON *outage_json(unsigned attempts, const char *since, const char *message)
{
    if (attempts == 0)
        return cJSON_CreateNull();
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "since", since);
    json_add_int64(json, "attempts", attempts);
    cJSON_AddStringToObject(json, "message", message);
    return json;
}

void status_document_elsewhere(const char *state_path, cJSON **out_running, cJSON **out_outage)
{
    struct lock_run run;

    *out_running = *out_outage = NULL;
    if (!lock_find_run(state_path, &run))
        return;
    *out_outage = outage_json(run.outage.attempts, run.outage.since, run.outage.message);
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "run_id", run.run_id);
    cJSON_AddStringToObject(json, "kind", run.kind);
    cJSON_AddNullToObject(json, "ok");
    cJSON_AddStringToObject(json, "started_at", run.started_at);
    cJSON_AddNullToObject(json, "finished_at");
    cJSON_AddNullToObject(json, "duration_ms");
    cJSON_AddArrayToObject(json, "tables");
    cJSON_AddStringToObject(json, "state", "running");
    cJSON_AddStringToObject(json, "holder", run.holder);
    *out_running = json;
}

cJSON *status_document_outage(const struct quota_outage *outage)
{
    char since[CLOCK_TEXT_SIZE];

    return outage_json(outage->attempts, clock_format(outage->since_us, since), outage->message);
}

static void add_place(cJSON *json, const struct config *config)
{
    const struct {
        const char *name;
        const char *value;
    } texts[] = {
        {"project", config->project},
        {"dataset", config->dataset},
        {"source", config->sqlite_path},
        {"environment", config->environment},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add_text_or_null(json, texts[i].name, texts[i].value == NULL ? "" : texts[i].value);
}

void status_document_begin(cJSON *json, const struct config *config, struct status_live *live)
{
    const struct scheduler_view *view = live->view;

    add_place(json, config);
    cJSON *running = live->running;
    cJSON *outage = NULL;
    live->running = NULL;
    if (running == NULL)
        status_document_elsewhere(config->state_path, &running, &outage);
    if (outage == NULL || live->outage.attempts > 0) {
        cJSON_Delete(outage);
        outage = status_document_outage(&live->outage);
    }
    cJSON_AddItemToObject(json, "running", running == NULL ? cJSON_CreateNull() : running);
    cJSON_AddItemToObject(json, "outage", outage);
    bool serves = add_service(json, config->state_path, live->serves_since_us);
    cJSON *jobs = cJSON_AddArrayToObject(json, "jobs");
    add_job(
        jobs, "incremental", serves ? view->incremental_us : SCHEDULE_NEVER,
        view->incremental_text);
    add_job(jobs, "full", serves ? view->full_us : SCHEDULE_NEVER, view->full_text);
    if (view->follow_text[0] != '\0')
        add_time(
            add_job(jobs, "follow", view->follow_us, view->follow_text), "slowed_until",
            view->slowed_until_us);
}

static cJSON *followed_table(const struct status_table *row, bool done)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "table", row->table->name);
    // How the other process sends it is not known here.
    cJSON_AddNullToObject(json, "mode");
    cJSON_AddStringToObject(json, "status", done ? "synced" : "running");
    cJSON_AddStringToObject(json, "phase", done ? "done" : "running");
    return json;
}

/* A table that the pass has found unchanged is not among them: nothing is written for it. */
void status_document_follow(cJSON *json, const struct status_table *rows, size_t count)
{
    cJSON *running = cJSON_GetObjectItemCaseSensitive(json, "running");
    cJSON *tables = cJSON_GetObjectItemCaseSensitive(running, "tables");
    const char *started =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(running, "started_at"));
    int64_t done = 0;

    if (cJSON_GetObjectItemCaseSensitive(running, "holder") == NULL || started == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        // Times in the same format and zone can be compared as texts.
        bool synced = strcmp(rows[i].last_synced_at, started) >= 0;
        if (!rows[i].has_intent && !synced)
            continue;
        cJSON_AddItemToArray(tables, followed_table(&rows[i], !rows[i].has_intent));
        done += rows[i].has_intent ? 0 : 1;
    }
    json_add_int64(running, "tables_done", done);
}

cJSON *status_document_table(
    const struct config *config, const struct status_table *row, bool read,
    const struct ledger_table *ledger, int64_t now_us)
{
    cJSON *json = read ? table_json(config, row, ledger) : bare_table_json(row->table);

    add_freshness(json, ledger, now_us);
    return json;
}

void status_document_end(cJSON *json, const struct error *err, const struct status_live *live)
{
    if (err != NULL)
        add_error(json, err);
    add_time(json, "now", live->now_us);
    cJSON_AddStringToObject(json, "version", BQSYNC_VERSION);
}
