#include "sync/deployment.h"

#include "warehouse/foreign_value.h"
#include "warehouse/link.h"
#include "warehouse/quota.h"

#include <string.h>

bool deployment_init(
    struct deployment *deployment, const struct config *config, const struct table *const *tables,
    size_t table_count, int64_t default_retry_budget_ms, struct error *err)
{
    *deployment = (struct deployment){
        .config = config,
        .tables = tables,
        .table_count = table_count,
        .clock = clock_system(),
        .retry_budget_ms =
            config->retry_budget_ms >= 0 ? config->retry_budget_ms : default_retry_budget_ms,
    };
    foreign_value_know(tables, table_count);
    deployment->quota = quota_new(deployment->clock);
    deployment->link = link_new(deployment->clock);
    if (deployment->quota == NULL || deployment->link == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (config->emulator_host != NULL)
        return true;
    return credentials_open(
        &(struct credentials_options){
            .file = config->credentials,
            .clock = deployment->clock,
            .allow_any_host = config->allow_any_host,
        },
        &deployment->credentials, err);
}

void deployment_clear(struct deployment *deployment)
{
    foreign_value_forget(deployment->tables);
    if (deployment->credentials != NULL)
        credentials_close(deployment->credentials);
    quota_free(deployment->quota);
    link_free(deployment->link);
    *deployment = (struct deployment){0};
}

void deployment_begin_pass(const struct deployment *deployment)
{
    quota_forget_trouble(deployment->quota);
}

struct database_place deployment_state(const struct deployment *deployment)
{
    const struct config *config = deployment->config;

    return (struct database_place){
        .path = config->state_path,
        .commits = config->state_is_source ? deployment->commits : NULL,
    };
}

const struct table *deployment_table(const struct deployment *deployment, const char *name)
{
    for (size_t i = 0; i < deployment->table_count; i++)
        if (strcmp(deployment->tables[i]->name, name) == 0)
            return deployment->tables[i];
    return NULL;
}

bool deployment_bigquery_at(
    const struct deployment *deployment, const struct deployment_place *place, const char *run_id,
    struct bigquery **out_bigquery, struct error *err)
{
    const struct config *config = deployment->config;
    const char *endpoint = config->emulator_host;

    if (endpoint == NULL && deployment->credentials != NULL)
        endpoint = credentials_endpoint(deployment->credentials);
    return bigquery_open(
        &(struct bigquery_options){
            .project = place->project,
            .dataset = place->dataset,
            .location = place->location,
            .endpoint = endpoint,
            .credentials = deployment->credentials,
            .quota = deployment->quota,
            .link = deployment->link,
            .clock = deployment->clock,
            .retry_budget_ms = deployment->retry_budget_ms,
            .job_timeout_ms = config->job_timeout_ms,
            .max_bytes_billed = config->max_bytes_billed,
            .run_id = run_id,
            .http = deployment->http,
        },
        out_bigquery, err);
}

bool deployment_bigquery(
    const struct deployment *deployment, const char *location, const char *run_id,
    struct bigquery **out_bigquery, struct error *err)
{
    const struct deployment_place place = {
        deployment->config->project, deployment->config->dataset, location};

    return deployment_bigquery_at(deployment, &place, run_id, out_bigquery, err);
}
