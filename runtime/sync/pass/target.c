#include "sync/pass/target.h"

#include "base/log.h"
#include "sync/pass/plan.h"
#include "sync/pass/target_diff.h"
#include "warehouse/job_id.h"

#include <stdio.h>
#include <stdlib.h>

static cJSON *labels_of(cJSON *resource)
{
    cJSON *labels = cJSON_GetObjectItemCaseSensitive(resource, "labels");

    return labels != NULL ? labels : cJSON_AddObjectToObject(resource, "labels");
}

/* generation 0: the target has no such label, and gets none. */
static void add_labels(cJSON *resource, const struct table *table, int64_t generation)
{
    char number[24];
    cJSON *labels = labels_of(resource);

    snprintf(number, sizeof number, "%lld", (long long)generation);
    if (generation > 0)
        cJSON_AddStringToObject(labels, LABEL_GENERATION, number);
    cJSON_AddStringToObject(labels, LABEL_SHAPE, table->shape_hash);
}

/* The patch that takes away what would delete rows by and by, NULL if there is nothing: a dataset's
 * defaultTableExpirationMs and defaultPartitionExpirationMs are inherited by each table that is
 * created in it ("Dataset" in the API reference). */
static cJSON *keep_for_ever(const cJSON *live)
{
    const cJSON *partitions = cJSON_GetObjectItemCaseSensitive(live, "timePartitioning");
    bool expires = cJSON_HasObjectItem(live, "expirationTime");
    bool forgets = cJSON_HasObjectItem(partitions, "expirationMs");

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

static bool keep_created(
    struct bigquery *bigquery, const struct table *table, const cJSON *live, struct error *err)
{
    cJSON *patch = keep_for_ever(live);

    if (patch == NULL)
        return true;
    log_warn(
        "the dataset lets new tables expire; this one is kept", LOG_TEXT("table", table->name),
        LOG_TEXT("target", table->target));
    bool ok = bigquery_table_patch(bigquery, table->target, patch, err);
    cJSON_Delete(patch);
    return ok;
}

static bool create(
    struct bigquery *bigquery, const struct table *table, int64_t generation, bool *out_created,
    struct error *err)
{
    cJSON *resource = cJSON_Parse(table->resource_json);
    cJSON *schema = cJSON_AddObjectToObject(resource, "schema");

    cJSON_AddItemToObject(schema, "fields", cJSON_Parse(table->schema_json));
    add_labels(resource, table, generation);
    cJSON *live = NULL;
    bool ok = bigquery_table_insert(bigquery, table->target, resource, &live, err);
    cJSON_Delete(resource);
    *out_created = ok;
    if (ok) {
        ok = keep_created(bigquery, table, live, err);
        cJSON_Delete(live);
        return ok;
    }

    // A table that somebody, or an earlier try of ours, has made meanwhile is compared like any
    // other.
    return err->code == ERROR_CONFLICT;
}

/* ALTER TABLE under an id that no other try has: a job that failed (a rate limit, a permission that
 * is granted later) would be found again under its id for ever. Doing it twice is harmless, so the
 * id need not be durable. */
static bool widen(
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

/* The label of the generation stays as it is: a pass that turns out to have nothing to send spends
 * no generation, and the next pass would find BigQuery ahead of it. An intent raises the label. */
static bool bring_in_line(
    struct bigquery *bigquery, const struct task *task, struct target_diff *diff, struct error *err)
{
    const struct table *table = task->table;

    if (diff->blocked[0] != '\0')
        return error_set(err, ERROR_SCHEMA, "%s", diff->blocked);
    if (diff->extra[0] != '\0')
        log_warn(
            "columns exist only in BigQuery and are left alone", LOG_TEXT("table", table->name),
            LOG_TEXT("columns", diff->extra));
    if (task->warehouse.expires)
        log_warn(
            "the target would have expired; it is kept now", LOG_TEXT("table", table->name),
            LOG_TEXT("target", table->target));
    if (diff->widen_sql != NULL && !widen(bigquery, table, diff->widen_sql, err))
        return false;
    if (diff->patch == NULL)
        diff->patch = cJSON_CreateObject();
    // The generation is the next intent's to raise, and there may be none.
    cJSON_AddStringToObject(labels_of(diff->patch), LABEL_SHAPE, table->shape_hash);
    return bigquery_table_patch(bigquery, table->target, diff->patch, err);
}

/* The target exists and has to be looked at. */
static bool inspect(struct worker *worker, struct task *task, struct error *err)
{
    const struct table *table = task->table;
    struct target_diff diff = {0};
    cJSON *live = NULL;

    bool ok = bigquery_table_get(worker->bigquery, table->target, &live, err) &&
              target_compare(table, worker->project, worker->dataset, live, &diff, err) &&
              (live == NULL || bring_in_line(worker->bigquery, task, &diff, err));
    if (ok) {
        free(task->warehouse.nullable);
        task->warehouse.nullable = diff.nullable;
        diff.nullable = NULL;
        // Rows that did not change would stay empty in a column that was dropped by hand.
        if (live != NULL && diff.added)
            plan_revise(task, PLAN_FOUND_NEW_COLUMNS);
    }
    target_diff_clear(&diff);
    cJSON_Delete(live);
    return ok;
}

/* A target that this pass has made is as its definition says. */
static bool know_created(struct task *task, struct error *err)
{
    const struct table *table = task->table;
    bool *nullable = calloc(table->column_count + 1, sizeof *nullable);

    if (nullable == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < table->column_count; i++)
        nullable[i] = !table->columns[i].required;
    nullable[table->column_count] = true;
    free(task->warehouse.nullable);
    task->warehouse.nullable = nullable;
    return true;
}

bool target_prepare(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct task_warehouse *warehouse = &task->warehouse;
    bool ok = true;

    (void)context;
    progress_phase(worker->progress, task->index, PHASE_PREPARING);
    if (!warehouse->exists)
        ok = create(
            worker->bigquery, task->table, task_next_generation(task), &warehouse->created, err);
    if (ok && warehouse->created)
        ok = know_created(task, err);
    else if (ok && (!warehouse->exists || task->plan.inspect_target || task_is_out_of_line(task)))
        ok = inspect(worker, task, err);
    warehouse->prepared = ok;
    return ok || error_wrap(err, "target table %s", task->table->target);
}

bool target_label(
    struct bigquery *bigquery, const struct table *table, int64_t generation, struct error *err)
{
    cJSON *patch = cJSON_CreateObject();

    add_labels(patch, table, generation);
    bool ok = bigquery_table_patch(bigquery, table->target, patch, err);
    cJSON_Delete(patch);
    return ok;
}
