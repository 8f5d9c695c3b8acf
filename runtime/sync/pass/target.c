#include "sync/pass/target.h"

#include "base/log.h"
#include "base/text_fit.h"
#include "sync/pass/label_jobs.h"
#include "sync/pass/plan.h"
#include "sync/pass/target_change.h"
#include "sync/pass/target_diff.h"
#include "sync/pass/target_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *labels_of(cJSON *resource)
{
    cJSON *labels = cJSON_GetObjectItemCaseSensitive(resource, "labels");

    return labels != NULL ? labels : cJSON_AddObjectToObject(resource, "labels");
}

static void add_labels(cJSON *resource, const struct table *table, const struct label *label)
{
    char number[24];
    cJSON *labels = labels_of(resource);

    snprintf(number, sizeof number, "%lld", (long long)label->generation);
    cJSON_AddStringToObject(labels, LABEL_GENERATION, number);
    cJSON_AddStringToObject(labels, LABEL_JOBS, label->jobs);
    cJSON_AddStringToObject(labels, LABEL_SHAPE, table->shape_hash);
}

static bool create(const struct worker *worker, struct task *task, struct error *err)
{
    const struct table *table = task->table;
    struct task_warehouse *warehouse = &task->warehouse;
    struct label label = {.generation = task_next_generation(task)};

    if (!job_id_nonce(warehouse->created_for, err))
        return false;
    label_jobs_name(worker, warehouse->created_for, label.jobs);
    cJSON *resource = cJSON_Parse(table->resource_json);
    cJSON *schema = cJSON_AddObjectToObject(resource, "schema");
    cJSON_AddItemToObject(schema, "fields", cJSON_Parse(table->schema_json));
    add_labels(resource, table, &label);
    cJSON *live = NULL;
    bool ok = bigquery_table_insert(worker->bigquery, table->target, resource, &live, err);
    cJSON_Delete(resource);
    warehouse->created = ok;
    if (ok) {
        ok = target_change_keep(worker->bigquery, table, live, err);
        cJSON_Delete(live);
        return ok;
    }

    // A table that somebody, or an earlier try of ours, has made meanwhile is compared like any
    // other.
    return err->code == ERROR_CONFLICT;
}

static bool has_shape(const cJSON *live, const struct table *table)
{
    const cJSON *labels = cJSON_GetObjectItemCaseSensitive(live, "labels");
    const char *shape = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(labels, LABEL_SHAPE));

    return shape != NULL && strcmp(shape, table->shape_hash) == 0;
}

/* The label of the generation stays as it is: a pass that turns out to have nothing to send spends
 * no generation, and the next pass would find BigQuery ahead of it. An intent raises the label. */
static bool bring_in_line(
    struct bigquery *bigquery, const struct task *task, const cJSON *live, struct target_diff *diff,
    struct error *err)
{
    const struct table *table = task->table;

    if (diff->blocked[0] != '\0')
        return error_set(err, ERROR_SCHEMA, "%s", diff->blocked);
    if (diff->extra[0] != '\0')
        log_warn(
            "columns exist only in BigQuery and are left alone", LOG_TEXT("table", table->name),
            LOG_TEXT("columns", diff->extra));
    if (diff->clustering[0] != '\0')
        log_info(
            "the clustering differs from the definition", LOG_TEXT("table", table->name),
            LOG_TEXT("clustering", diff->clustering));
    if (task->warehouse.expires)
        log_warn(
            "the target would have expired; it is kept now", LOG_TEXT("table", table->name),
            LOG_TEXT("target", table->target));
    if (target_diff_changes(diff))
        text_format(
            task->outcome->altered, sizeof task->outcome->altered, "%s",
            diff->set[0] != '\0' ? diff->set : "columns");
    if (diff->widen_sql != NULL && !target_change_run(bigquery, table, diff->widen_sql, err))
        return false;
    // Every patch counts against the quota of the table's metadata updates.
    if (diff->patch == NULL && has_shape(live, table))
        return true;
    if (diff->patch == NULL)
        diff->patch = cJSON_CreateObject();
    cJSON_AddStringToObject(labels_of(diff->patch), LABEL_SHAPE, table->shape_hash);
    return bigquery_table_patch(bigquery, table->target, diff->patch, err);
}

/* Takes the columns. */
static void know(struct task *task, cJSON *fields)
{
    cJSON_Delete(task->warehouse.fields);
    task->warehouse.fields = fields;
}

/* The target exists and has to be looked at. */
static bool inspect(struct worker *worker, struct task *task, struct error *err)
{
    const struct table *table = task->table;
    struct target_diff diff = {0};
    cJSON *live = NULL;

    bool ok =
        bigquery_table_get(worker->bigquery, table->target, &live, err) &&
        target_compare(table, worker->project, worker->dataset, live, &diff, err) &&
        (!diff.added || diff.blocked[0] != '\0' || target_change_distrust(worker, task, err)) &&
        (live == NULL || bring_in_line(worker->bigquery, task, live, &diff, err));
    if (ok && live == NULL) {
        task_lost_target(task);
    } else if (ok) {
        know(task, diff.fields);
        diff.fields = NULL;
        if (diff.added)
            plan_revise(task, PLAN_FOUND_NEW_COLUMNS);
    }
    target_diff_clear(&diff);
    cJSON_Delete(live);
    return ok;
}

bool target_prepare(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct task_warehouse *warehouse = &task->warehouse;
    bool ok = true;

    (void)context;
    progress_phase(worker->progress, task->index, PHASE_PREPARING);
    if (!warehouse->exists)
        ok = create(worker, task, err);
    if (ok && warehouse->created)
        know(task, cJSON_Parse(task->table->schema_json));
    else if (ok && (!warehouse->exists || task->plan.inspect_target || task_is_out_of_line(task)))
        ok = inspect(worker, task, err);
    if (ok && !warehouse->exists && !warehouse->created)
        plan_revise(task, PLAN_FOUND_TARGET);
    if (ok && task->table->history != NULL && !task_is_outdated(task))
        ok = target_history_prepare(worker, task, err);
    warehouse->prepared = ok;
    return ok || error_wrap(err, "target table %s", task->table->target);
}

/* No table has a pass each millisecond, so the time in them is above every generation so far. */
void target_distrust_generations(const struct clock *clock, struct task *task)
{
    if (task->table->history != NULL)
        task->warehouse.unknown_generation = clock->wall_us(clock->context) / 1000;
}

bool target_label(
    struct bigquery *bigquery, const struct table *table, const struct label *label,
    struct error *err)
{
    cJSON *patch = cJSON_CreateObject();

    add_labels(patch, table, label);
    bool ok = bigquery_table_patch(bigquery, table->target, patch, err);
    cJSON_Delete(patch);
    return ok;
}

const cJSON *target_field(const struct task *task, size_t column)
{
    return target_diff_field(task->warehouse.fields, task->table->columns[column].name);
}

bool target_is_nullable(const struct task *task, size_t column)
{
    const cJSON *field = target_field(task, column);

    return field == NULL ? !task->table->columns[column].required : !target_diff_required(field);
}
