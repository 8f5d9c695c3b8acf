#include "sync/pass/plan.h"

#include "source/rejects.h"
#include "source/shadow.h"

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
    if (shape->key_problem[0] != '\0' && table->mode != SEND_REPLACE)
        return error_set(err, ERROR_SCHEMA, "%s: %s", table->name, shape->key_problem);
    return true;
}

bool plan_capture(
    const struct config *config, struct database *source, const struct table *table,
    const struct source_shape *shape, enum task_capture *out_capture, bool *out_broken,
    struct error *err)
{
    enum capture_state state;

    if (table->capture == CAPTURE_TRIGGERS && !config->state_is_source)
        return error_set(
            err, ERROR_SCHEMA,
            "%s asks for capture by triggers, but BQ_STATE_PATH says that %s may not be written. "
            "Let `capture` be \"auto\", or unset BQ_STATE_PATH",
            table->name, config->sqlite_path);
    *out_capture = TASK_SCAN;
    *out_broken = false;
    if (table->capture == CAPTURE_SCAN || !config->state_is_source || shape->is_view)
        return true;

    // A dirty set needs a key that tells rows apart.
    if (shape->key_problem[0] != '\0' && table->capture == CAPTURE_AUTO)
        return true;
    if (!capture_check(source, table, &state, err))
        return false;
    if (state != CAPTURE_INTACT && config->capture_manual)
        return true;
    *out_capture = TASK_TRIGGERS;
    *out_broken = state != CAPTURE_INTACT;
    return true;
}

/* The hash of the definition that the rows are sent under, marked with the way their changes are
 * found: another way knows nothing of what was sent. */
static void mark_content(struct task *task)
{
    snprintf(
        task->content_mark, sizeof task->content_mark, "%.14s%s", task->table->content_hash,
        task->capture == TASK_SCAN ? "s" : "");
}

static bool same_definition(const struct task *task)
{
    const char *hash = task->table->content_hash;

    return strncmp(task->watermark.content_hash, hash, strlen(hash)) == 0;
}

/* Why everything has to be sent again, or NULL. */
static const char *replace_reason(const struct config *config, const struct task *task, bool full)
{
    const struct watermark *watermark = &task->watermark;
    char target[512];

    snprintf(
        target, sizeof target, "%s.%s.%s", config->project, config->dataset, task->table->target);
    if (!watermark->found)
        return "never synced";
    if (!task->in_warehouse)
        return "no such table in BigQuery";
    if (full)
        return "full sync";
    if (strcmp(watermark->target, target) != 0)
        return "another target than before";
    if (watermark->content_hash[0] == '\0')
        return "change capture or a replacement was interrupted";
    if (!same_definition(task))
        return "the definition changed";
    if (strcmp(watermark->content_hash, task->content_mark) != 0)
        return "changes were found in another way before";
    if (task->label_generation == 0)
        return "the table in BigQuery was made by somebody else";
    if (task->label_generation > watermark->generation)
        return "BigQuery is ahead of this database: restored from a backup?";
    if (task->capture == TASK_TRIGGERS && task->capture_broken)
        return "change capture was interrupted";
    if (task->capture == TASK_SCAN && !task->has_shadow)
        return "nothing is known of the rows sent before";
    return NULL;
}

bool plan_prefers_replace(const struct task *task, int64_t changed)
{
    int64_t rows = task->watermark.source_rows;

    return rows >= REPLACE_LEAST_ROWS && changed > rows / REPLACE_SHARE;
}

/* Rows with a NULL in their key are rejected, and have to be looked at again at each pass until
 * they are gone; a pass later than that their rejects go. */
static bool is_keyless(
    struct database *source, struct tracking *tracking, const struct task *task, bool *out_keyless,
    struct error *err)
{
    return capture_has_keyless(source, task->table, &task->shape, out_keyless, err) &&
           (*out_keyless || task->shape.integer_key ||
            rejects_keyless(tracking, task->table->name, out_keyless, err));
}

static bool plan_changes(
    struct database *source, struct tracking *tracking, struct task *task, struct error *err)
{
    bool pending = false;
    struct pending counts;

    // Only a full read tells; it happens in the pass's snapshot.
    if (task->capture == TASK_SCAN) {
        task->work = WORK_CHANGES;
        return true;
    }
    if (!is_keyless(source, tracking, task, &pending, err))
        return false;
    if (pending) {
        task->work = WORK_REPLACE;
        task->why = "rows have no key, so their changes cannot be listed";
        return true;
    }
    if (!capture_has_pending(source, task->table, &task->shape, &task->watermark, &pending, err))
        return false;
    if (!pending)
        return true;

    task->work = WORK_CHANGES;
    if (task->table->mode == SEND_REPLACE) {
        task->work = WORK_REPLACE;
        task->why = "mode replace";
        return true;
    }
    if (task->watermark.source_rows < REPLACE_LEAST_ROWS)
        return true;
    if (!capture_pending(source, task->table, &task->shape, &task->watermark, &counts, err))
        return false;
    if (plan_prefers_replace(task, counts.dirty_keys)) {
        task->work = WORK_REPLACE;
        task->why = "most rows changed";
    }
    return true;
}

/* What a column that is gone held is gone as well, and no trigger fires for it: when the column is
 * back, the rows sent before cannot be told from those that lost a value. Returns false: *err stays
 * what the caller set. */
static bool forget_content(struct tracking *tracking, const struct task *task, struct error *err)
{
    struct error ignored;

    if (task->shape.missing_count > 0 &&
        sqlite3_db_readonly(tracking->database.handle, "main") == 0 &&
        !tracking_invalidate(tracking, task->table->name, &ignored))
        error_wrap(err, "%s; besides", ignored.message);
    return false;
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
        return forget_content(tracking, task, err);
    if (!tracking_load(tracking, task->table->name, &task->watermark, err))
        return false;
    if (!plan_capture(
            config, source, task->table, &task->shape, &task->capture, &task->capture_broken, err))
        return false;
    if (task->capture == TASK_SCAN &&
        !shadow_known(&tracking->database, task->table, &task->has_shadow, err))
        return false;
    mark_content(task);

    task->why = replace_reason(config, task, full);
    if (task->why != NULL) {
        task->work = WORK_REPLACE;
        return true;
    }
    return plan_changes(source, tracking, task, err);
}
