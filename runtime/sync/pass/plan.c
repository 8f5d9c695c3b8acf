#include "sync/pass/plan.h"

#include "source/rejects.h"
#include "source/shadow.h"
#include "sync/pass/content.h"
#include "sync/pass/sent_form.h"
#include "warehouse/googlesql.h"

#include <stdio.h>
#include <string.h>

/* A MERGE reads and bills the whole target, so when more than this share of the rows has changed,
 * sending all of them is cheaper. For small tables the difference does not matter. */
#define REPLACE_SHARE      2 /* one in two */
#define REPLACE_LEAST_ROWS 10000

#define MANY_PARTITIONS "its changes lie in more partitions than one job may change"

static bool check_source(const struct config *config, const struct task *task, struct error *err)
{
    const struct table *table = task->table;
    const struct source_shape *shape = &task->source.shape;

    if (!capture_check_columns(table, shape, config->sqlite_path, err))
        return false;
    if (shape->extra_problem[0] != '\0')
        return error_set(err, ERROR_SCHEMA, "%s: %s", table->name, shape->extra_problem);
    if (shape->filter_problem[0] != '\0')
        return error_set(err, ERROR_SCHEMA, "%s: %s", table->name, shape->filter_problem);
    if (shape->key_problem[0] != '\0' && table->mode != SEND_REPLACE)
        return error_set(err, ERROR_SCHEMA, "%s: %s", table->name, shape->key_problem);
    return true;
}

bool plan_capture(
    const struct config *config, const struct table *table, const struct source_shape *shape,
    struct plan_capture *out_capture, struct error *err)
{
    if (table->capture == CAPTURE_TRIGGERS && !config->state_is_source)
        return error_set(
            err, ERROR_SCHEMA,
            "%s asks for capture by triggers, but BQ_STATE_PATH says that %s may not be written. "
            "Let `capture` be \"auto\", or unset BQ_STATE_PATH",
            table->name, config->sqlite_path);
    *out_capture = (struct plan_capture){.by = CAPTURE_SCAN};
    if (table->capture == CAPTURE_SCAN)
        out_capture->why = "its definition says so";
    else if (!config->state_is_source)
        out_capture->why = "BQ_STATE_PATH says that the source is not written";
    if (out_capture->why != NULL)
        return true;

    if (shape->why_scan[0] != '\0' && table->capture == CAPTURE_TRIGGERS)
        return error_set(
            err, ERROR_SCHEMA,
            "%s asks for capture by triggers, but %s. Let `capture` be \"auto\" or \"scan\"",
            table->name, shape->why_scan);
    if (shape->why_scan[0] != '\0') {
        out_capture->why = shape->why_scan;
        return true;
    }
    bool intact = shape->capture == CAPTURE_INTACT;
    if (!intact && config->capture_manual) {
        out_capture->why = "BQ_CAPTURE=manual, and its triggers are not in place";
        return true;
    }
    *out_capture = (struct plan_capture){.by = CAPTURE_TRIGGERS, .broken = !intact};
    return true;
}

/* A file that goes straight into the target has to agree with it on what is REQUIRED. Besides, the
 * target is compared when its label names another shape than the definition's, and when a job or
 * the last sync failed: somebody may have altered the table by hand. */
static bool has_to_inspect(const struct task *task)
{
    enum send_mode mode = task->plan.mode;

    return mode == SEND_APPEND || mode == SEND_REPLACE || task_is_out_of_line(task) ||
           task->warehouse.doubtful || task->source.watermark.last_error[0] != '\0';
}

bool plan_has_json(const struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type == COLUMN_JSON)
            return true;
    return false;
}

/* Every decision ends here. A file that was read for another one is discarded. */
static void decide(struct task *task, enum send_mode mode, const char *why)
{
    struct plan *plan = &task->plan;

    plan->mode = mode;
    plan->why = why;
    plan->only_if_changed = false;
    plan->only_state = false;
    plan->json_as_text = task->source.json_as_text && plan_has_json(task->table);
    // What the target holds and the source does not has to stay.
    bool keeps = mode == SEND_REPLACE && task->table->deletes != DELETES_MIRROR &&
                 (task->warehouse.exists || task->warehouse.prepared);
    plan->staged = mode == SEND_MERGE || keeps ||
                   (mode != SEND_NOTHING && (plan->in_transaction || plan->in_parts ||
                                             plan->json_as_text || task->table->history != NULL)) ||
                   (mode == SEND_REPLACE && task->source.holds_versions &&
                    task->outcome->rows_rejected_before > 0);
    plan->inspect_target = has_to_inspect(task);
    batch_clear(&task->batch);
}

/* How changes are sent as long as nothing calls for a replacement. New rows of an append table are
 * loaded straight into the target if rows can be told to be new to it: by their INTEGER PRIMARY KEY
 * or by a scan. A transaction takes staged rows only, and a MERGE is not counted by the daily quota
 * for load jobs or by that for updates of metadata. */
static enum send_mode mode_of_changes(const struct task *task)
{
    bool tells_new = task->plan.capture.by == CAPTURE_SCAN || task->source.shape.integer_key;
    bool through = task->plan.in_transaction || task->table->history != NULL ||
                   (task->source.json_as_text && plan_has_json(task->table));
    bool direct = tells_new && task->table->add_sql != NULL && !through &&
                  !task->warehouse.near_quota && !task->warehouse.frequent;

    return task->table->mode == SEND_APPEND && !direct ? SEND_MERGE : task->table->mode;
}

/* Why everything has to be sent again, or NULL. */
static const char *replace_reason(const struct config *config, const struct task *task, bool full)
{
    const struct watermark *watermark = &task->source.watermark;
    char target[512];

    googlesql_plain_name(
        target, sizeof target, config->project, config->dataset, task->table->target);
    if (!watermark->found && !task->warehouse.exists)
        return "never synced";
    if (!watermark->found)
        return task->warehouse.label.generation > 0
                   ? "no progress is known: it was reset, or synced by another state database"
               : task->table->deletes != DELETES_MIRROR
                   ? "never synced; rows that only BigQuery has stay"
                   : "never synced; what the table in BigQuery holds is replaced";
    if (!task->warehouse.exists)
        return "no such table in BigQuery";
    if (task->table->history != NULL && !task->warehouse.history.log_exists)
        return "its change log is not in BigQuery";
    if (full)
        return "full sync";
    if (task->plan.in_parts)
        return MANY_PARTITIONS;
    if (strcmp(watermark->target, target) != 0)
        return "another target than before; two programs with one state need a BQ_STATE_PATH each";
    const char *change = sent_form_change(task->table, watermark, task->plan.content_hash);
    if (change != NULL)
        return change;
    if (task->warehouse.label.generation == 0)
        return "the table in BigQuery was made by somebody else";
    if (task->warehouse.label.generation > watermark->label.generation || task->warehouse.ahead)
        return "BigQuery is ahead of this database: restored from a backup?";
    if (task->warehouse.label.generation < watermark->label.generation)
        return "BigQuery is behind this database: was an older version of the table restored "
               "there?";
    if (task_label_is_strange(task))
        return "BigQuery was written by another copy of this database";
    if (task->plan.capture.broken)
        return "change capture was interrupted";
    if (task_has_shadow(task) && !task->source.has_shadow)
        return "nothing is known of the rows sent before";
    return NULL;
}

/* Whether the target holds rows that this table was sent to, all of them under the definition of
 * today: an older version may show what the definition hides now. A target that was restored in
 * BigQuery to a version of itself may be from before. */
static bool holds_versions(const struct config *config, const struct task *task)
{
    const struct watermark *watermark = &task->source.watermark;
    const char *hash = task->table->content_hash;
    char target[512];

    googlesql_plain_name(
        target, sizeof target, config->project, config->dataset, task->table->target);
    return task->table->mode != SEND_REPLACE && task->warehouse.exists &&
           task->warehouse.label.generation > 0 &&
           task->warehouse.label.generation >= watermark->held_since &&
           strncmp(watermark->held_content, hash, strlen(hash)) == 0 &&
           strcmp(watermark->held_target, target) == 0 &&
           (watermark->content_hash[0] == '\0' || sent_form_has_definition(task->table, watermark));
}

enum shadow_mode plan_kept(const struct task *task)
{
    const struct task_source *known = &task->source;

    // A row that is rejected is not to be marked as deleted, whatever version the target holds.
    if (!known->holds_versions && task->table->deletes == DELETES_MARK && task->plan.staged &&
        !known->shape.keeps_keys)
        return SHADOW_REPLACE_KEEP_ALL;
    if (!known->holds_versions)
        return SHADOW_REPLACE;
    if (known->shape.keeps_keys)
        return known->has_shadow ? SHADOW_REPLACE_KEEP_KNOWN : SHADOW_REPLACE;
    // A shadow may be there and know nothing: of a first scan that was interrupted.
    return known->has_shadow && strcmp(known->watermark.held_content, task->plan.content_hash) == 0
               ? SHADOW_REPLACE_KEEP_KNOWN
               : SHADOW_REPLACE_KEEP_ALL;
}

bool plan_prefers_replace(const struct task *task, int64_t changed)
{
    int64_t rows = task->source.watermark.source_rows;

    // A replacement that keeps rows of the target bills all of it as well, and one that is logged
    // is compared with all versions.
    return task->table->deletes == DELETES_MIRROR && task->table->history == NULL &&
           rows >= REPLACE_LEAST_ROWS && changed > rows / REPLACE_SHARE;
}

bool plan_is_billed(const struct task *task)
{
    const struct plan *plan = &task->plan;

    return task_has_work(task) && !plan->only_state && !plan->only_if_changed &&
           (plan->mode == SEND_MERGE || plan->staged);
}

/* Rows with a NULL in their key are in the list of rejects. If no fingerprint tells of them, the
 * pass that has listed them was cut short; they may be gone since. */
static bool has_keyless_rejects(
    struct tracking *tracking, const struct task *task, bool *out_any, struct error *err)
{
    int64_t published = 0;
    int64_t listed = 0;

    if (!task->source.shape.nullable_key || task->table->mode == SEND_REPLACE)
        return true;
    if (!rejects_count(tracking, task->table->name, &published, err) ||
        !rejects_count_listed(tracking, task->table->name, &listed, err))
        return false;
    *out_any = published > listed;
    return true;
}

/* No trigger can list a row with a NULL in its key. In mode replace such rows are sent, else they
 * are rejected; in both they are compared with those of the last sync, here, before the snapshot is
 * sealed: if they are the same, nothing has to be written. *out_changed: they are not, or those of
 * the last sync are gone. */
static bool find_keyless_changes(
    struct database *source, struct tracking *tracking, const struct task *task, bool *out_changed,
    struct error *err)
{
    const struct source_table in = {source, task->table, &task->source.shape};
    bool any = false;
    bool same = true;

    if (!capture_has_keyless(&in, &task->source.watermark, &any, err))
        return false;
    any = any || task->source.watermark.fingerprint[0] != '\0';
    if ((!any && !has_keyless_rejects(tracking, task, &any, err)) ||
        (any && !content_is_same(source, tracking, task, &same, err)))
        return false;
    *out_changed = !same;
    return true;
}

/* Whether there is anything to send or to note. Rejected keys are listed as well, and are read
 * again with every change of the table. Alone they are no work, so that a pass without changes
 * writes nothing: a row that has not changed fits no better than before. Should the published
 * rejects be other ones than those that are listed, somebody has deleted some. If they fail the
 * table, they are read again, so that a definition that now says "fail" counts for those on record
 * too. */
static bool find_listed(
    const struct source_table *in, struct tracking *tracking, const struct watermark *watermark,
    struct capture_look *out_look, struct error *err)
{
    int64_t published = 0;

    if (!capture_look(in, watermark, out_look, err))
        return false;
    if (in->table->reject_fails && out_look->rejected_keys > 0)
        out_look->pending = true;
    if (out_look->pending || in->table->mode == SEND_REPLACE)
        return true;
    if (!rejects_count_listed(tracking, in->table->name, &published, err))
        return false;
    out_look->pending = out_look->rejected_keys != published;
    return true;
}

/* The changes that triggers have listed. */
static bool plan_listed(
    struct database *source, struct tracking *tracking, struct task *task, struct error *err)
{
    const struct task_source *known = &task->source;
    const struct source_table in = {source, task->table, &known->shape};
    struct capture_look look;
    bool keyless = false;
    struct pending counts;

    if (!find_listed(&in, tracking, &known->watermark, &look, err) ||
        (!look.pending && !find_keyless_changes(source, tracking, task, &keyless, err)))
        return false;
    if (!look.pending && !keyless) {
        // A table of mode replace keeps its rejects, which such a pass would forget.
        task->plan.only_state =
            (look.left_out ||
             sent_form_notes_less(task->table, &known->watermark, task->plan.content_hash)) &&
            task->table->mode != SEND_REPLACE;
        return true;
    }

    decide(task, mode_of_changes(task), task->table->mode == SEND_REPLACE ? "mode replace" : NULL);
    if (task->plan.mode == SEND_REPLACE || known->watermark.source_rows < REPLACE_LEAST_ROWS)
        return true;
    if (!capture_pending(&in, &known->watermark, &counts, err))
        return false;
    if (plan_prefers_replace(task, counts.dirty_keys))
        plan_revise(task, PLAN_FOUND_MOST_CHANGED);
    return true;
}

bool plan_changes_by_commits(const struct task *task)
{
    const struct source_shape *shape = &task->source.shape;

    return shape->exists && !shape->is_view && !shape->is_virtual &&
           task->outcome->rows_rejected == 0;
}

/* A scan would find what this process has read before, so there is nothing to read. */
static bool is_as_read(const struct task *task)
{
    const struct task_source *known = &task->source;

    return plan_changes_by_commits(task) && known->watermark.last_error[0] == '\0' &&
           scan_memory_holds(known->scans, task->table, &known->mark, &known->watermark);
}

/* The cookie first: whatever is altered from here on, the snapshot has another one. */
static bool know_shape(struct database *source, struct task *task, struct error *err)
{
    struct task_source *known = &task->source;

    if (known->memory == NULL)
        return capture_schema_cookie(source, &known->schema_cookie, err) &&
               capture_inspect(source, task->table, &known->shape, err);
    known->schema_cookie = known->memory->schema_cookie;
    return shape_memory_inspect(known->memory, task->table, &known->shape, err);
}

bool plan_table(
    const struct config *config, struct database *source, struct tracking *tracking,
    struct task *task, bool full, struct error *err)
{
    struct task_source *known = &task->source;
    bool same = false;

    task->plan = (struct plan){
        .in_transaction = config->sync_atomic, .in_parts = task->warehouse.many_partitions};
    if (!know_shape(source, task, err) || !check_source(config, task, err))
        return false;
    if (!tracking_load(tracking, task->table->name, &known->watermark, err) ||
        !tracking_json_text(tracking, task->table->name, &known->json_as_text, err))
        return false;
    if (!plan_capture(config, task->table, &known->shape, &task->plan.capture, err))
        return false;
    if (task_has_shadow(task) && !shadow_known(
                                     &tracking->database, task->table,
                                     shadow_form_of(&known->shape), &known->has_shadow, err))
        return false;
    sent_form_write(task->table, &known->shape, task->plan.capture.by, task->plan.content_hash);
    known->holds_versions = holds_versions(config, task);

    const char *why = replace_reason(config, task, full);
    if (why != NULL)
        decide(task, SEND_REPLACE, why);
    else if (task->plan.capture.by == CAPTURE_TRIGGERS)
        return plan_listed(source, tracking, task, err);
    else if (is_as_read(task))
        return true;
    else if (task->table->mode == SEND_REPLACE) {
        if (!content_is_same(source, tracking, task, &same, err))
            return false;
        if (!same)
            decide(task, SEND_REPLACE, "mode replace");
    } else {
        decide(task, mode_of_changes(task), NULL);
        task->plan.only_if_changed = true;
    }
    return true;
}

static bool same_shape(const struct source_shape *a, const struct source_shape *b)
{
    return a->exists == b->exists && a->is_view == b->is_view && a->integer_key == b->integer_key &&
           a->missing_count == b->missing_count && strcmp(a->missing, b->missing) == 0 &&
           strcmp(a->layout, b->layout) == 0 && strcmp(a->key_problem, b->key_problem) == 0 &&
           strcmp(a->filter_problem, b->filter_problem) == 0 &&
           strcmp(a->extra_problem, b->extra_problem) == 0;
}

bool plan_check_schema(
    const struct config *config, struct database *source, struct task *task, bool installed,
    struct error *err)
{
    struct task_source *known = &task->source;
    const struct plan_capture *planned = &task->plan.capture;
    struct source_shape shape;
    struct plan_capture capture;
    int64_t cookie = 0;

    if (!capture_schema_cookie(source, &cookie, err))
        return false;
    if (cookie == known->schema_cookie)
        return true;
    if (!capture_inspect(source, task->table, &shape, err) ||
        !plan_capture(config, task->table, &shape, &capture, err))
        return false;
    if (!same_shape(&known->shape, &shape))
        task->outdated = "its definition in SQLite was changed";
    else if (capture.by != planned->by || (capture.broken && (installed || !planned->broken)))
        task->outdated = "its triggers were changed";
    else
        known->schema_cookie = cookie;
    return true;
}

bool plan_in_snapshot(struct database *source, struct task *task, struct error *err)
{
    const struct task_source *known = &task->source;
    const struct source_table in = {source, task->table, &known->shape};
    struct pending pending;
    struct capture_look look;

    if (task->plan.only_state) {
        if (!capture_look(&in, &known->watermark, &look, err))
            return false;
        if (look.pending)
            task->outdated = "rows were added";
        return true;
    }
    if (task->plan.mode != SEND_APPEND || task->plan.capture.by != CAPTURE_TRIGGERS)
        return true;
    if (!capture_pending(&in, &known->watermark, &pending, err))
        return false;
    if (pending.dirty_keys + pending.rejected_keys > 0)
        plan_revise(task, PLAN_FOUND_CHANGED_ROWS);
    return true;
}

/* A scan without rows leaves nothing to do, unless the state says something that is no longer true:
 * rejects that have come or gone, or the error of the last pass. */
static void plan_no_rows(struct task *task)
{
    bool idle = task->outcome->rows_rejected == 0 && task->outcome->rows_rejected_before == 0 &&
                task->source.watermark.last_error[0] == '\0';

    if (idle) {
        decide(task, SEND_NOTHING, NULL);
        return;
    }
    // The batch stays: it holds the rejects.
    task->plan.mode = SEND_NOTHING;
    task->plan.only_if_changed = false;
    task->plan.only_state = true;
}

/* A MERGE of rows in many partitions cannot be split, because it does not know in which of them a
 * row was before: all rows are sent. */
static bool plan_in_parts(struct task *task)
{
    struct plan *plan = &task->plan;

    if (plan->mode == SEND_REPLACE && plan->staged)
        return false;
    plan->in_parts = true;
    decide(task, SEND_REPLACE, plan->mode == SEND_REPLACE ? plan->why : MANY_PARTITIONS);
    return true;
}

bool plan_revise(struct task *task, enum plan_finding finding)
{
    struct plan *plan = &task->plan;
    enum send_mode before = plan->mode;

    switch (finding) {
    case PLAN_FOUND_ROWS:
        plan->only_if_changed = false;
        return false;
    case PLAN_FOUND_NO_ROWS:
        plan_no_rows(task);
        return false;
    case PLAN_FOUND_CHANGED_ROWS:
        // Whether anything is left to send is as open as before: they may all be rejected.
        if (before == SEND_APPEND) {
            bool open = plan->only_if_changed;
            decide(task, SEND_MERGE, NULL);
            plan->only_if_changed = open;
        }
        break;
    case PLAN_FOUND_MOST_CHANGED:
        if (before != SEND_REPLACE)
            decide(task, SEND_REPLACE, "most rows changed");
        break;
    case PLAN_FOUND_VERSION_TO_KEEP:
        // A load job replaces all rows; a statement can leave some.
        plan->staged = true;
        return true;
    case PLAN_FOUND_NEW_COLUMNS:
        if (before != SEND_REPLACE)
            decide(task, SEND_REPLACE, "columns were missing in BigQuery");
        break;
    case PLAN_FOUND_TARGET:
        plan->staged =
            plan->staged || (before == SEND_REPLACE && task->table->deletes != DELETES_MIRROR);
        return false;
    case PLAN_FOUND_MANY_PARTITIONS:
        return plan_in_parts(task);
    }
    return plan->mode != before;
}
