#include "sync/pass/target_history.h"

#include "base/log.h"
#include "base/text_fit.h"
#include "sync/pass/history_log.h"
#include "sync/pass/plan.h"
#include "sync/pass/target_change.h"
#include "sync/pass/target_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Notes what was changed, for people; all of it is new with a new target. */
static void tell_altered(struct task *task, const char *of, const char *what)
{
    char *told = task->outcome->altered;
    size_t used = strlen(told);

    if (!task->warehouse.created)
        text_format(
            told + used, sizeof task->outcome->altered - used, "%s%s of %s", used > 0 ? ", " : "",
            what, of);
}

/* All rows are to be sent, and to be logged. */
static bool distrust(struct worker *worker, struct task *task, struct error *err)
{
    bool ok = tracking_begin_log(worker_take_state(worker), task->table->name, err);

    worker_give_state(worker);
    return ok && target_change_distrust(worker, task, err);
}

/* The log's label comes last: as long as it is missing, view and function are made again. */
static bool create_log(
    struct worker *worker, struct task *task, const struct table *log, struct error *err)
{
    cJSON *live = NULL;

    if (!distrust(worker, task, err))
        return false;
    cJSON *resource = cJSON_Parse(log->resource_json);
    cJSON *schema = cJSON_AddObjectToObject(resource, "schema");
    cJSON_AddItemToObject(schema, "fields", cJSON_Parse(log->schema_json));
    bool ok = bigquery_table_insert(worker->bigquery, log->target, resource, &live, err);
    cJSON_Delete(resource);
    task->warehouse.history.log_created = ok;
    if (ok)
        tell_altered(task, task->table->target, "change log");
    if (ok)
        ok = target_change_keep(worker->bigquery, log, live, err);
    else
        // A log that an earlier try of ours has made is compared like any other.
        ok = err->code == ERROR_CONFLICT;
    cJSON_Delete(live);
    return ok;
}

static void tell(struct task *task, const struct table *log, const struct target_diff *diff)
{
    if (diff->extra[0] != '\0')
        log_warn(
            "columns of the change log are not in the definition",
            LOG_TEXT("table", task->table->name), LOG_TEXT("log", log->target),
            LOG_TEXT("columns", diff->extra));
    if (target_diff_changes(diff))
        tell_altered(task, log->target, diff->set[0] != '\0' ? diff->set : "columns");
}

static bool bring_in_line(
    struct worker *worker, struct task *task, const struct table *log, struct target_diff *diff,
    struct error *err)
{
    if (diff->blocked[0] != '\0')
        return error_set(err, ERROR_SCHEMA, "%s", diff->blocked);
    tell(task, log, diff);
    if (diff->added) {
        if (!target_change_distrust(worker, task, err))
            return false;
        plan_revise(task, PLAN_FOUND_NEW_COLUMNS);
    }
    return (diff->widen_sql == NULL ||
            target_change_run(worker->bigquery, log, diff->widen_sql, err)) &&
           (diff->patch == NULL ||
            bigquery_table_patch(worker->bigquery, log->target, diff->patch, err));
}

static bool inspect_log(
    struct worker *worker, struct task *task, const struct table *log, struct error *err)
{
    struct target_diff diff = {0};
    cJSON *live = NULL;

    bool ok = bigquery_table_get(worker->bigquery, log->target, &live, err) &&
              target_compare(log, worker->project, worker->dataset, live, &diff, err) &&
              (live == NULL || bring_in_line(worker, task, log, &diff, err));
    if (ok && live == NULL) {
        task->warehouse.history = (struct task_history){0};
        task->outdated = "its change log in BigQuery was dropped";
    }
    target_diff_clear(&diff);
    cJSON_Delete(live);
    return ok;
}

/* Makes view and function again, and notes at the log for which definition. */
static bool make_readers(
    struct worker *worker, struct task *task, const struct table *log, struct error *err)
{
    struct task_history *seen = &task->warehouse.history;
    char *script = history_readers_sql(task->table, worker->project, worker->dataset);

    bool ok = script != NULL ? target_change_run(worker->bigquery, log, script, err)
                             : error_set(err, ERROR_MEMORY, "out of memory");
    free(script);
    if (ok && strcmp(seen->log_shape, log->shape_hash) != 0) {
        cJSON *patch = cJSON_CreateObject();
        cJSON *labels = cJSON_AddObjectToObject(patch, "labels");
        cJSON_AddStringToObject(labels, LABEL_SHAPE, log->shape_hash);
        ok = bigquery_table_patch(worker->bigquery, log->target, patch, err);
        cJSON_Delete(patch);
    }
    if (ok && !seen->log_created)
        tell_altered(task, task->table->target, "view and function");
    if (ok) {
        snprintf(seen->log_shape, sizeof seen->log_shape, "%s", log->shape_hash);
        seen->view_exists = true;
    }
    return ok;
}

/* Somebody may have altered the log by hand. */
static bool is_doubtful(const struct task *task)
{
    return task->warehouse.doubtful || task->source.watermark.last_error[0] != '\0';
}

bool target_history_prepare(struct worker *worker, struct task *task, struct error *err)
{
    const struct table log = history_log(task->table);
    struct task_history *seen = &task->warehouse.history;
    bool ok = true;

    bool missing = !seen->log_exists && !seen->log_created;
    if (missing)
        ok = create_log(worker, task, &log, err);
    if (ok && !(missing && seen->log_created) &&
        (task_history_is_out_of_line(task) || is_doubtful(task)))
        ok = inspect_log(worker, task, &log, err);
    if (ok && !task_is_outdated(task) && task_lacks_readers(task))
        ok = make_readers(worker, task, &log, err);
    if (ok && !task_is_outdated(task)) {
        seen->log_expires = false;
        seen->log_forgets = task->table->history->keep_days > 0;
    }
    return ok || error_wrap(err, "history of %s", task->table->target);
}
