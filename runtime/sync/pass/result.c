#include "sync/pass/result.h"

#include "base/clock.h"
#include "base/json_exact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char *const kind_names[] = {"incremental", "full", "tables"};
_Static_assert(sizeof kind_names / sizeof kind_names[0] == RUN_TABLES + 1, "a name for each kind");
static const char *const status_names[] = {"skipped", "unchanged", "synced", "failed"};
_Static_assert(
    sizeof status_names / sizeof status_names[0] == TABLE_FAILED + 1, "a name for each status");

void run_id_make(int64_t started_us, char out_id[RUN_ID_SIZE])
{
    char time[CLOCK_TEXT_SIZE];
    uint8_t salt[3] = {0};

    clock_format(started_us, time);
    if (getrandom(salt, sizeof salt, 0) < 0)
        memcpy(salt, &started_us, sizeof salt);

    // 2026-01-02T03:04:05.678Z becomes 20260102-030405-1f2e3d: sorts by time and fits a job label.
    snprintf(
        out_id, RUN_ID_SIZE, "%.4s%.2s%.2s-%.2s%.2s%.2s-%02x%02x%02x", time, time + 5, time + 8,
        time + 11, time + 14, time + 17, salt[0], salt[1], salt[2]);
}

void run_result_clear(struct run_result *run)
{
    free(run->tables);
    *run = (struct run_result){0};
}

bool run_result_ok(const struct run_result *run)
{
    if (run->error.code != ERROR_NONE)
        return false;
    for (size_t i = 0; i < run->table_count; i++) {
        const struct table_result *table = &run->tables[i];
        if (table->status != TABLE_SYNCED && table->status != TABLE_UNCHANGED)
            return false;
        if (table->rows_rejected > 0)
            return false;
    }
    return true;
}

int run_result_exit_status(const struct run_result *run)
{
    if (run->error.code != ERROR_NONE)
        return error_exit_status(run->error.code);
    if (run_result_ok(run))
        return 0;

    // "BigQuery cannot be reached" says more than "all tables failed", when that is why all did.
    enum error_code common = run->table_count > 0 ? run->tables[0].error.code : ERROR_NONE;
    for (size_t i = 0; i < run->table_count; i++)
        if (run->tables[i].status != TABLE_FAILED || run->tables[i].error.code != common)
            return 1;
    return common == ERROR_NONE ? 1 : error_exit_status(common);
}

const char *run_kind_name(enum run_kind kind)
{
    return kind_names[kind];
}

const char *table_status_name(enum table_status status)
{
    return status_names[status];
}

bool table_status_is_fresh(const char *name)
{
    return strcmp(name, status_names[TABLE_SYNCED]) == 0 ||
           strcmp(name, status_names[TABLE_UNCHANGED]) == 0;
}

cJSON *result_error_json(const struct error *error)
{
    if (error->code == ERROR_NONE)
        return cJSON_CreateNull();
    char text[ERROR_TEXT_SIZE];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "code", error_code_name(error->code));
    cJSON_AddStringToObject(json, "message", error_text(error, text));
    cJSON_AddBoolToObject(json, "retryable", error_is_retryable(error->code));
    return json;
}

/* With two decimals. */
static double rounded(double value)
{
    return (double)(int64_t)(value * 100 + 0.5) / 100;
}

static void add_codec(cJSON *json, const struct table_result *table)
{
    if (table->codec == NULL) {
        cJSON_AddNullToObject(json, "codec");
        cJSON_AddNullToObject(json, "compression_ratio");
        return;
    }
    cJSON_AddStringToObject(json, "codec", table->codec);
    cJSON_AddNumberToObject(json, "compression_ratio", rounded(table->compression_ratio));
}

static cJSON *table_json(const struct table_result *table)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "table", table->table->name);
    cJSON_AddStringToObject(json, "status", table_status_name(table->status));
    cJSON_AddItemToObject(
        json, "mode",
        table->mode == SEND_NOTHING ? cJSON_CreateNull()
                                    : cJSON_CreateString(send_mode_name(table->mode)));
    json_add_int64(json, "rows_inserted", table->rows_inserted);
    json_add_int64(json, "rows_updated", table->rows_updated);
    json_add_int64(json, "rows_deleted", table->rows_deleted);
    json_add_int64(json, "rows_rejected", table->rows_rejected);
    json_add_int64(json, "rows_unfit", table->rows_unfit);
    cJSON_AddItemToObject(
        json, "altered",
        table->altered[0] != '\0' ? cJSON_CreateString(table->altered) : cJSON_CreateNull());
    json_add_int64(json, "bytes_sent", table->bytes_sent);
    add_codec(json, table);
    json_add_int64(json, "bytes_billed", table->bytes_billed);
    json_add_int64(json, "duration_ms", table->duration_ms);
    json_add_int64(json, "last_synced_row_id", table->last_synced_row_id);
    cJSON_AddItemToObject(json, "error", result_error_json(&table->error));
    return json;
}

int64_t run_result_bytes_billed(const struct run_result *run)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < run->table_count; i++)
        bytes += run->tables[i].bytes_billed;
    return bytes;
}

cJSON *run_result_json(const struct run_result *run)
{
    char time[CLOCK_TEXT_SIZE];
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "run_id", run->id);
    cJSON_AddStringToObject(json, "kind", run_kind_name(run->kind));
    if (run->finished_us == 0)
        cJSON_AddNullToObject(json, "ok");
    else
        cJSON_AddBoolToObject(json, "ok", run_result_ok(run));
    cJSON_AddStringToObject(json, "started_at", clock_format(run->started_us, time));
    if (run->finished_us == 0) {
        cJSON_AddNullToObject(json, "finished_at");
        cJSON_AddNullToObject(json, "duration_ms");
    } else {
        cJSON_AddStringToObject(json, "finished_at", clock_format(run->finished_us, time));
        json_add_int64(
            json, "duration_ms", clock_since_us(run->started_us, run->finished_us) / 1000);
    }
    if (run->error.code != ERROR_NONE)
        cJSON_AddItemToObject(json, "error", result_error_json(&run->error));
    json_add_int64(json, "bytes_billed", run_result_bytes_billed(run));
    if (run->link_bytes > 0)
        cJSON_AddNumberToObject(json, "link_mbit", rounded((double)run->link_bytes * 8 / 1e6));
    else
        cJSON_AddNullToObject(json, "link_mbit");

    cJSON *tables = cJSON_AddArrayToObject(json, "tables");
    for (size_t i = 0; i < run->table_count; i++)
        cJSON_AddItemToArray(tables, table_json(&run->tables[i]));
    return json;
}
