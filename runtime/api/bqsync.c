#include "api/bqsync.h"

#include "api/handle.h"
#include "base/json_memory.h"
#include "base/log.h"
#include "base/text_fit.h"
#include "registry.h"
#include "sync/pass/pass.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

/* The same as for a command: the calling program waits for the answer. */
#define RETRY_BUDGET_MS 30000

#define SETTINGS_MAX 64

static bool give(const struct error *inner, struct bqsync_error *err)
{
    err->code = error_code_name(inner->code);
    err->exit_status = error_exit_status(inner->code);
    err->retryable = error_is_retryable(inner->code);
    text_format(err->message, sizeof err->message, "%s", inner->message);
    return false;
}

static bool load(const struct bqsync_options *options, struct config *out_config, struct error *err)
{
    struct config_flag flags[SETTINGS_MAX];

    if (options->setting_count > SETTINGS_MAX)
        return error_set(err, ERROR_USAGE, "more than %d settings", SETTINGS_MAX);
    for (size_t i = 0; i < options->setting_count; i++)
        flags[i] = (struct config_flag){options->settings[i].name, options->settings[i].value};
    return config_load(options->env_file, flags, options->setting_count, out_config, err) &&
           config_export(out_config, err) && config_require(out_config, true, true, err);
}

bool bqsync_open(
    const struct bqsync_options *options, struct bqsync **out_handle, struct bqsync_error *err)
{
    struct bqsync *handle = calloc(1, sizeof *handle);
    struct error inner;

    if (handle == NULL) {
        error_set(&inner, ERROR_MEMORY, "out of memory");
        return give(&inner, err);
    }
    json_memory_watch();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(handle);
        error_set(&inner, ERROR_MEMORY, "libcurl cannot be initialised");
        return give(&inner, err);
    }
    if (!load(options, &handle->config, &inner))
        goto failed;
    log_configure(handle->config.log_level, handle->config.log_format);
    if (!deployment_init(
            &handle->deployment, &handle->config, registry_tables, registry_count, RETRY_BUDGET_MS,
            &inner))
        goto failed;
    *out_handle = handle;
    return true;

failed:
    bqsync_close(handle);
    return give(&inner, err);
}

void bqsync_close(struct bqsync *handle)
{
    if (handle == NULL)
        return;
    deployment_clear(&handle->deployment);
    config_clear(&handle->config);
    free(handle);
    log_flush();
    curl_global_cleanup();
}

static bool find_tables(
    const struct deployment *deployment, const struct bqsync_sync_options *options,
    const struct table **out_tables, struct error *err)
{
    for (size_t i = 0; i < options->table_count; i++) {
        out_tables[i] = deployment_table(deployment, options->tables[i]);
        if (out_tables[i] == NULL)
            return error_set(err, ERROR_USAGE, "unknown table %s", options->tables[i]);
    }
    return true;
}

bool bqsync_sync_deployment(
    const struct deployment *deployment, const struct bqsync_sync_options *options,
    struct pass_progress *progress, struct bqsync_result **out_result, struct bqsync_error *err)
{
    static const struct bqsync_sync_options everything = {0};
    struct bqsync_result *result = calloc(1, sizeof *result);
    const struct table **tables = NULL;
    struct error inner = {.code = ERROR_MEMORY, .message = "out of memory"};

    if (options == NULL)
        options = &everything;
    tables = calloc(options->table_count + 1, sizeof *tables);
    if (result == NULL || tables == NULL || !find_tables(deployment, options, tables, &inner))
        goto failed;
    pass_run(
        deployment,
        &(struct pass_options){
            .kind = options->tables != NULL ? RUN_TABLES
                    : options->full         ? RUN_FULL
                                            : RUN_INCREMENTAL,
            .full = options->full,
            .dry_run = options->dry_run,
            .tables = options->tables == NULL ? NULL : tables,
            .table_count = options->table_count,
            .progress = progress,
            .command = "sync",
        },
        &result->run);
    free(tables);
    *out_result = result;
    return result->run.error.code == ERROR_NONE || give(&result->run.error, err);

failed:
    free(tables);
    free(result);
    *out_result = NULL;
    return give(&inner, err);
}

bool bqsync_sync(
    struct bqsync *handle, const struct bqsync_sync_options *options,
    struct bqsync_result **out_result, struct bqsync_error *err)
{
    return bqsync_sync_deployment(&handle->deployment, options, NULL, out_result, err);
}

bool bqsync_result_ok(const struct bqsync_result *result)
{
    return run_result_ok(&result->run);
}

size_t bqsync_result_count(const struct bqsync_result *result)
{
    return result->run.table_count;
}

struct bqsync_table bqsync_result_table(const struct bqsync_result *result, size_t index)
{
    const struct table_result *table = &result->run.tables[index];

    return (struct bqsync_table){
        .name = table->table->name,
        .status = table_status_name(table->status),
        .mode = send_mode_name(table->mode),
        .rows_inserted = table->rows_inserted,
        .rows_updated = table->rows_updated,
        .rows_deleted = table->rows_deleted,
        .rows_rejected = table->rows_rejected,
        .rows_unfit = table->rows_unfit,
        .bytes_sent = table->bytes_sent,
        .duration_ms = table->duration_ms,
        .last_synced_row_id = table->last_synced_row_id,
        .error = table->error.message,
    };
}

const char *bqsync_result_json(struct bqsync_result *result)
{
    if (result->json == NULL) {
        cJSON *json = run_result_json(&result->run);
        result->json = json_print(json);
        cJSON_Delete(json);
    }
    return result->json;
}

void bqsync_result_free(struct bqsync_result *result)
{
    if (result == NULL)
        return;
    run_result_clear(&result->run);
    cJSON_free(result->json);
    free(result);
}
