#include "service/run_progress.h"

#include "base/json_exact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies the rows, so that the JSON is made without holding the progress's mutex. */
static struct progress_row *copy_rows(
    struct pass_progress *progress, const char *run_id, size_t *out_count, int64_t *out_started_us)
{
    struct progress_row *rows = NULL;

    pthread_mutex_lock(&progress->mutex);
    if (strcmp(progress->run_id, run_id) == 0)
        rows = calloc(progress->count + 1, sizeof *rows);
    if (rows != NULL) {
        memcpy(rows, progress->rows, progress->count * sizeof *rows);
        *out_count = progress->count;
        *out_started_us = progress->started_us;
    }
    pthread_mutex_unlock(&progress->mutex);
    return rows;
}

static void replace_text(cJSON *object, const char *name, const char *text)
{
    cJSON_ReplaceItemInObjectCaseSensitive(object, name, cJSON_CreateString(text));
}

static void add_progress(cJSON *table, const struct progress_row *row)
{
    bool done = row->phase == PHASE_DONE;

    if (!done)
        replace_text(table, "status", row->phase == PHASE_WAITING ? "waiting" : "running");
    cJSON_AddStringToObject(table, "phase", progress_phase_name(row->phase));
    json_add_int64(table, "rows_read", row->rows_read);
    if (row->rows_expected > 0)
        json_add_int64(table, "rows_expected", row->rows_expected);
    else
        cJSON_AddNullToObject(table, "rows_expected");
    if (!done)
        cJSON_ReplaceItemInObjectCaseSensitive(table, "bytes_sent", json_int64(row->bytes_sent));
}

cJSON *run_progress_json(
    struct pass_progress *progress, const char *run_id, enum run_kind kind, bool running)
{
    size_t count = 0;
    int64_t started_us = 0;
    struct progress_row *rows = copy_rows(progress, run_id, &count, &started_us);
    struct run_result run = {.kind = kind, .started_us = started_us, .table_count = count};
    size_t done = 0;

    snprintf(run.id, sizeof run.id, "%s", run_id);
    run.tables = calloc(count + 1, sizeof *run.tables);
    if (run.tables == NULL) {
        free(rows);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        run.tables[i] = rows[i].result;
        done += rows[i].phase == PHASE_DONE ? 1 : 0;
    }

    cJSON *json = run_result_json(&run);
    if (started_us == 0)
        cJSON_ReplaceItemInObjectCaseSensitive(json, "started_at", cJSON_CreateNull());
    cJSON_AddStringToObject(json, "state", running ? "running" : "queued");
    json_add_int64(json, "tables_done", (int64_t)done);
    cJSON *tables = cJSON_GetObjectItemCaseSensitive(json, "tables");
    size_t at = 0;
    cJSON *table = NULL;
    cJSON_ArrayForEach(table, tables) add_progress(table, &rows[at++]);
    run_result_clear(&run);
    free(rows);
    return json;
}
