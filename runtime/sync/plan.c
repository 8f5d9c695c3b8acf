#include "sync/plan.h"

#include <stdio.h>
#include <string.h>

/* When so large a part of a table has changed, sending all of it is cheaper than a MERGE that reads
 * and bills the whole target besides. Small tables are not worth the thought. */
#define REPLACE_SHARE      2 /* one changed row in so many */
#define REPLACE_LEAST_ROWS 10000

static bool check_source(const struct config *config, const struct task *task, struct error *err)
{
    const struct table *table = task->table;
    const struct source_shape *shape = &task->shape;

    if (!shape->exists)
        return error_set(
            err, ERROR_SCHEMA,
            "table %s does not exist in %s. Create it, or remove schemas/%s.json and rebuild",
            table->name, config->sqlite_path, table->name);
    if (shape->missing_count > 0)
        return error_set(
            err, ERROR_SCHEMA,
            "%s in %s lacks the column%s %s. Add %s there, or take %s out of schemas/%s.json and "
            "rebuild",
            table->name, config->sqlite_path, shape->missing_count > 1 ? "s" : "", shape->missing,
            shape->missing_count > 1 ? "them" : "it", shape->missing_count > 1 ? "them" : "it",
            table->name);
    if (shape->key_problem[0] != '\0' && table->mode != SYNC_REPLACE)
        return error_set(err, ERROR_SCHEMA, "%s: %s", table->name, shape->key_problem);
    return true;
}

static bool choose_capture(
    const struct config *config, struct database *source, struct task *task, struct error *err)
{
    const struct table *table = task->table;
    enum capture_state state;

    if (table->capture == CAPTURE_TRIGGERS && !config->state_is_source)
        return error_set(
            err, ERROR_SCHEMA,
            "%s asks for capture by triggers, but BQ_STATE_PATH says that %s may not be written. "
            "Let "
            "`capture` be \"auto\", or unset BQ_STATE_PATH",
            table->name, config->sqlite_path);
    if (table->capture == CAPTURE_SCAN || !config->state_is_source || task->shape.is_view) {
        task->capture = TASK_SCAN;
        return true;
    }

    if (!capture_check(source, table, &state, err))
        return false;
    task->capture = TASK_TRIGGERS;
    task->capture_broken = state != CAPTURE_INTACT;
    if (task->capture_broken && config->capture_manual)
        task->capture = TASK_UNWATCHED;
    return true;
}

/* Why everything has to be sent again, or NULL. */
static const char *replace_reason(const struct config *config, const struct task *task, bool full)
{
    const struct progress *progress = &task->progress;
    char target[512];

    snprintf(
        target, sizeof target, "%s.%s.%s", config->project, config->dataset, task->table->target);
    if (!progress->found)
        return "never synced";
    if (!task->in_warehouse)
        return "no such table in BigQuery";
    if (full)
        return "full sync";
    if (strcmp(progress->target, target) != 0)
        return "another target than before";
    if (progress->content_hash[0] == '\0')
        return "change capture was interrupted";
    if (strcmp(progress->content_hash, task->table->content_hash) != 0)
        return "the definition changed";
    if (task->label_generation > progress->generation)
        return "BigQuery is ahead of this database: restored from a backup?";
    if (task->capture == TASK_UNWATCHED)
        return "changes are not captured";
    if (task->capture == TASK_TRIGGERS && task->capture_broken)
        return "change capture was interrupted";
    return NULL;
}

static bool plan_changes(struct database *source, struct task *task, struct error *err)
{
    bool pending = false;
    struct pending counts;

    if (task->capture == TASK_SCAN) {
        task->work = WORK_CHANGES;
        return true;
    }
    if (!capture_has_pending(source, task->table, &task->shape, &task->progress, &pending, err))
        return false;
    if (!pending)
        return true;

    task->work = WORK_CHANGES;
    if (task->table->mode == SYNC_REPLACE) {
        task->work = WORK_REPLACE;
        task->why = "mode replace";
        return true;
    }
    if (task->progress.source_rows < REPLACE_LEAST_ROWS)
        return true;
    if (!capture_pending(source, task->table, &task->shape, &task->progress, &counts, err))
        return false;
    if (counts.dirty_keys > task->progress.source_rows / REPLACE_SHARE) {
        task->work = WORK_REPLACE;
        task->why = "most rows changed";
    }
    return true;
}

bool plan_table(
    const struct config *config, struct database *source, struct tracking *tracking,
    struct task *task, bool full, struct error *err)
{
    task->work = WORK_NONE;
    task->why = NULL;
    if (!capture_inspect(source, task->table, &task->shape, err))
        return false;
    if (!check_source(config, task, err))
        return false;
    if (!tracking_load(tracking, task->table->name, &task->progress, err))
        return false;
    if (!choose_capture(config, source, task, err))
        return false;

    task->why = replace_reason(config, task, full);
    if (task->why != NULL) {
        task->work = WORK_REPLACE;
        return true;
    }
    return plan_changes(source, task, err);
}
