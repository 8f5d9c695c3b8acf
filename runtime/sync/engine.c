#include "sync/engine.h"

#include "warehouse/governor.h"

#include <string.h>

bool engine_init(
    struct engine *engine, const struct config *config, const struct table *const *tables,
    size_t table_count, int64_t default_retry_budget_ms, struct error *err)
{
    *engine = (struct engine){
        .config = config,
        .tables = tables,
        .table_count = table_count,
        .clock = clock_system(),
        .retry_budget_ms =
            config->retry_budget_ms >= 0 ? config->retry_budget_ms : default_retry_budget_ms,
    };
    engine->governor = governor_new(engine->clock);
    if (engine->governor == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (config->emulator_host != NULL)
        return true;
    return credentials_open(
        &(struct credentials_options){
            .file = config->credentials_file,
            .clock = engine->clock,
            .allow_any_host = config->allow_any_host,
        },
        &engine->credentials, err);
}

void engine_clear(struct engine *engine)
{
    if (engine->credentials != NULL)
        credentials_close(engine->credentials);
    governor_free(engine->governor);
    *engine = (struct engine){0};
}

void engine_begin_pass(const struct engine *engine)
{
    governor_forget_trouble(engine->governor);
}

const struct table *engine_table(const struct engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->table_count; i++)
        if (strcmp(engine->tables[i]->name, name) == 0)
            return engine->tables[i];
    return NULL;
}

bool engine_bigquery(
    const struct engine *engine, const char *location, const char *run_id,
    struct bigquery **out_bigquery, struct error *err)
{
    const struct config *config = engine->config;
    const char *endpoint = config->emulator_host;

    if (endpoint == NULL && engine->credentials != NULL)
        endpoint = credentials_endpoint(engine->credentials);
    return bigquery_open(
        &(struct bigquery_options){
            .project = config->project,
            .dataset = config->dataset,
            .location = location,
            .endpoint = endpoint,
            .credentials = engine->credentials,
            .governor = engine->governor,
            .clock = engine->clock,
            .retry_budget_ms = engine->retry_budget_ms,
            .max_bytes_billed = config->max_bytes_billed,
            .run_id = run_id,
        },
        out_bigquery, err);
}
