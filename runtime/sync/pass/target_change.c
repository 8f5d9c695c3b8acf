#include "sync/pass/target_change.h"

#include "base/log.h"
#include "sync/pass/history_log.h"
#include "warehouse/job_id.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* The patch that removes expirations that the definition does not ask for, NULL if there are none:
 * a dataset's defaultTableExpirationMs and defaultPartitionExpirationMs are inherited by each table
 * that is created in it ("Dataset" in the API reference). */
static cJSON *keep_for_ever(const struct table *table, const cJSON *live)
{
    const cJSON *partitions = cJSON_GetObjectItemCaseSensitive(live, "timePartitioning");
    bool limited = history_is_log(table) && table->history->keep_days > 0;
    bool expires = cJSON_HasObjectItem(live, "expirationTime");
    bool forgets = cJSON_HasObjectItem(partitions, "expirationMs") && !limited;

    if (!expires && !forgets)
        return NULL;
    cJSON *patch = cJSON_CreateObject();
    if (expires)
        cJSON_AddNullToObject(patch, "expirationTime");
    if (forgets) {
        cJSON *kept = cJSON_Duplicate(partitions, true);
        cJSON_DeleteItemFromObjectCaseSensitive(kept, "expirationMs");
        cJSON_AddNullToObject(kept, "expirationMs");
        cJSON_AddItemToObject(patch, "timePartitioning", kept);
    }
    return patch;
}

bool target_change_keep(
    struct bigquery *bigquery, const struct table *table, const cJSON *live, struct error *err)
{
    cJSON *patch = keep_for_ever(table, live);

    if (patch == NULL)
        return true;
    log_warn(
        "the dataset lets new tables expire; this one is kept", LOG_TEXT("table", table->name),
        LOG_TEXT("target", table->target));
    bool ok = bigquery_table_patch(bigquery, table->target, patch, err);
    cJSON_Delete(patch);
    return ok;
}

/* Under an id that no other try has: a job that failed (a rate limit, a permission that is granted
 * later) would be found again under its id for ever. Doing it twice is harmless, so the id need not
 * be durable. */
bool target_change_run(
    struct bigquery *bigquery, const struct table *table, const char *sql, struct error *err)
{
    char safe[200];
    char nonce[JOB_ID_NONCE_SIZE];
    char id[sizeof "bqsync__alter" + sizeof safe + sizeof nonce];
    struct job job;

    if (!job_id_nonce(nonce, err))
        return false;
    job_id_safe_name(table->name, safe, sizeof safe);
    snprintf(id, sizeof id, "bqsync_%s_%s_alter", safe, nonce);
    if (!bigquery_query(
            bigquery,
            &(struct query_request){
                .job_id = id,
                .sql = sql,
                .kind = QUERY_DDL,
                .target = table->target,
                .label_table = table->name,
                .label_phase = "alter",
            },
            err))
        return false;
    if (!bigquery_job_wait(bigquery, id, &job, err))
        return false;
    if (job.state == JOB_FAILED) {
        *err = job.failure;
        return false;
    }
    return true;
}

bool target_change_distrust(struct worker *worker, struct task *task, struct error *err)
{
    const char *name = task->table->name;

    struct tracking *tracking = worker_take_state(worker);
    bool ok = tracking_invalidate(tracking, name, err) &&
              tracking_load(tracking, name, &task->source.watermark, err);

    worker_give_state(worker);
    return ok;
}
