#include "sync/pass/run_record.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/json_exact.h"
#include "base/json_memory.h"
#include "base/json_text.h"
#include "base/log.h"
#include "source/rejects.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The documents of passes over thousands of tables. */
#define IDLE_CEILING ((size_t)16 << 20)

/* Whether nothing was sent, nothing failed, and no row was rejected or fixed. */
static bool is_idle(const struct run_result *result)
{
    if (result->error.code != ERROR_NONE || result->kind == RUN_FULL)
        return false;
    for (size_t i = 0; i < result->table_count; i++)
        if (result->tables[i].status != TABLE_UNCHANGED ||
            result->tables[i].rows_rejected != result->tables[i].rows_rejected_before)
            return false;
    return true;
}

static bool look_for_failure(void *context, const char *run_id, const char *state, const char *json)
{
    (void)run_id;
    (void)json;
    *(bool *)context = strcmp(state, "failed") == 0;
    return false;
}

/* A set of names of tables; adds those that the run leaves equal to their source. Returns whether
 * there are any that it did not hold. */
static bool add_fresh(cJSON *names, const cJSON *run)
{
    const cJSON *table = NULL;
    bool added = false;

    cJSON_ArrayForEach(table, cJSON_GetObjectItemCaseSensitive(run, "tables"))
    {
        const char *name = json_text_of(table, "table", "");
        if (!table_status_is_fresh(json_text_of(table, "status", "")) ||
            cJSON_GetObjectItemCaseSensitive(names, name) != NULL)
            continue;
        cJSON_AddTrueToObject(names, name);
        added = true;
    }
    return added;
}

/* Whether no older pass knows more of any table than this one. */
static bool tells_all(const struct run_result *result)
{
    if (result->kind == RUN_TABLES || result->error.code != ERROR_NONE)
        return false;
    for (size_t i = 0; i < result->table_count; i++)
        if (!table_status_is_fresh(table_status_name(result->tables[i].status)))
            return false;
    return true;
}

/* Leaves those documents of earlier idle passes in the lock file that know of a table what neither
 * this pass nor a newer one does, after that of this pass. own: its text, NULL: it is recorded.
 */
static bool keep_idle(
    const struct run_result *result, const cJSON *json, const char *own, struct lock *lock,
    struct error *err)
{
    cJSON *names = cJSON_CreateObject();
    char *earlier = lock->idle != NULL && !tells_all(result) ? strdup(lock->idle) : NULL;
    char *rest = earlier;
    struct buffer text;
    const char *line = NULL;

    buffer_init(&text, IDLE_CEILING);
    if (own != NULL)
        buffer_printf(&text, "%s\n", own);
    add_fresh(names, json);
    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL) {
        cJSON *run = json_parse_exact(line);
        if (add_fresh(names, run))
            buffer_printf(&text, "%s\n", line);
        cJSON_Delete(run);
    }
    free(earlier);
    cJSON_Delete(names);
    if (!buffer_check(&text, "documents of idle passes", err)) {
        buffer_clear(&text);
        return false;
    }
    lock_keep_idle(lock, text.length == 0 ? NULL : buffer_take(&text));
    buffer_clear(&text);
    return true;
}

/* A write into the source, however small, makes a transaction of the application fail that has read
 * before it and writes after it (SQLITE_BUSY_SNAPSHOT). So a pass that has changed nothing is not
 * recorded there: its document stays in the lock file, where `status` finds it, until later passes
 * have seen its tables. It is recorded only if it is well and the newest record says that passes
 * fail: that failure has ended. If rejected rows are why it is not well, their list says so. */
static bool save_text(
    const struct run_result *result, const cJSON *json, const char *text, struct tracking *tracking,
    struct lock *lock, struct error *err)
{
    bool idle = is_idle(result);
    bool well = run_result_ok(result);
    bool failed = false;

    if (idle && well && !tracking_each_run(tracking, 1, look_for_failure, &failed, err))
        return false;
    bool records = !idle || failed;
    return keep_idle(result, json, records ? NULL : text, lock, err) &&
           (!records ||
            tracking_save_run(tracking, result->id, well ? "done" : "failed", text, err));
}

bool run_record_save(
    const struct run_result *result, struct tracking *tracking, struct lock *lock,
    struct error *err)
{
    cJSON *json = run_result_json(result);
    char *text = json_print(json);

    bool ok = text != NULL ? save_text(result, json, text, tracking, lock, err)
                           : error_set(err, ERROR_MEMORY, "out of memory");
    cJSON_free(text);
    cJSON_Delete(json);
    return ok;
}

static void warn_of_rejects(
    const struct run_result *run, const struct table_result *table, struct tracking *tracking)
{
    char reason[512];
    struct error ignored;

    if (table->rows_rejected == 0)
        return;
    if (tracking == NULL ||
        !rejects_first_reason(tracking, table->table->name, reason, sizeof reason, &ignored))
        reason[0] = '\0';
    log_warn(
        "rows rejected", LOG_TEXT("table", table->table->name),
        LOG_NUMBER("rows", table->rows_rejected), LOG_TEXT("first_reason", reason),
        LOG_TEXT("run", run->id));
}

static void log_synced(const struct run_result *run, const struct table_result *table)
{
    char ratio[32] = "";

    if (table->codec != NULL)
        snprintf(ratio, sizeof ratio, "%.2f", table->compression_ratio);
    log_info(
        "table synced", LOG_TEXT("table", table->table->name),
        LOG_TEXT("mode", send_mode_name(table->mode)), LOG_NUMBER("inserted", table->rows_inserted),
        LOG_NUMBER("updated", table->rows_updated), LOG_NUMBER("deleted", table->rows_deleted),
        LOG_NUMBER("rejected", table->rows_rejected), LOG_NUMBER("unfit", table->rows_unfit),
        LOG_NUMBER("bytes_sent", table->bytes_sent),
        LOG_TEXT("codec", table->codec == NULL ? "" : table->codec),
        LOG_NUMBER("codec_level", table->codec_level), LOG_TEXT("compression_ratio", ratio),
        LOG_NUMBER("bytes_billed", table->bytes_billed),
        LOG_NUMBER("duration_ms", table->duration_ms), LOG_TEXT("run", run->id));
}

void run_record_log(
    const struct run_result *result, struct pass_progress *progress, struct tracking *tracking)
{
    size_t counts[TABLE_FAILED + 1] = {0};

    for (size_t i = 0; i < result->table_count; i++) {
        const struct table_result *table = &result->tables[i];
        progress_done(progress, i, table);
        counts[table->status]++;
        if (table->status == TABLE_SYNCED && table->why_replaced != NULL)
            log_info(
                "whole table sent", LOG_TEXT("table", table->table->name),
                LOG_TEXT("why", table->why_replaced), LOG_TEXT("run", result->id));
        if (table->status == TABLE_SYNCED)
            log_synced(result, table);
        warn_of_rejects(result, table, tracking);
    }
    // What an early end has left undone is not counted: "failed=0" would read as if all was well.
    if (result->error.code != ERROR_NONE) {
        log_error(
            "pass ended early", LOG_TEXT("kind", run_kind_name(result->kind)),
            LOG_TEXT("code", error_code_name(result->error.code)),
            LOG_TEXT("error", result->error.message), LOG_NUMBER("synced", counts[TABLE_SYNCED]),
            LOG_NUMBER(
                "duration_ms", clock_since_us(result->started_us, result->finished_us) / 1000),
            LOG_TEXT("run", result->id));
        return;
    }
    log_info(
        "pass done", LOG_TEXT("kind", run_kind_name(result->kind)),
        LOG_NUMBER("synced", counts[TABLE_SYNCED]),
        LOG_NUMBER("unchanged", counts[TABLE_UNCHANGED]),
        LOG_NUMBER("failed", counts[TABLE_FAILED]),
        LOG_NUMBER("duration_ms", clock_since_us(result->started_us, result->finished_us) / 1000),
        LOG_NUMBER("requests", traffic_requests(&result->traffic)),
        LOG_NUMBER("link_mbit", result->link_bytes * 8 / 1000000), LOG_TEXT("run", result->id));
}
