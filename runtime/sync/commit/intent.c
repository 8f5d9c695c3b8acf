#include "sync/commit/intent.h"

#include "sync/commit/budget.h"
#include "sync/commit/staging.h"
#include "sync/pass/target.h"
#include "sync/series.h"
#include "warehouse/googlesql.h"
#include "warehouse/job_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- making ------------------------------------------------------------------------------ */

void intent_load_job(const struct intent *intent, char out[static LABEL_JOB_ID_SIZE])
{
    char safe[200];

    job_id_safe_name(intent->table, safe, sizeof safe);
    snprintf(
        out, LABEL_JOB_ID_SIZE, "bqsync_%s_%" PRId64 "_%s_load", safe, intent->generation,
        intent->nonce);
}

static void name_staging(const struct table *table, struct intent *intent)
{
    char safe[200];

    job_id_safe_name(table->target, safe, sizeof safe);
    snprintf(
        intent->staging, sizeof intent->staging, "bqsync_staging_%s_%" PRId64 "_%s", safe,
        intent->generation, intent->nonce);
}

/* A batch of a scan that only compared holds nothing; adding no rows is what moves the watermark
 * and leaves the count of rows as it is. */
static enum send_mode mode_of(const struct batch *batch)
{
    return batch->mode == SEND_NOTHING ? SEND_APPEND : batch->mode;
}

static void choose_label(const struct worker *worker, const struct task *task, struct intent *out)
{
    label_jobs_name(worker, out->nonce, out->jobs);
    out->label_before = task->warehouse.label;
}

/* A replacement raises the label in any case: it may be what the label calls for. So does the first
 * intent of a target that was created with that label. */
static void choose_series(const struct worker *worker, const struct task *task, struct intent *out)
{
    const struct watermark *watermark = &task->source.watermark;
    bool changes = task->batch.mode == SEND_MERGE || task->batch.mode == SEND_APPEND;

    out->raises_label = true;
    if (!worker->follows || !changes || task->warehouse.created)
        return;
    if (series_goes_on(worker->series, task->table, watermark)) {
        out->raises_label = false;
        memcpy(out->series, watermark->series, sizeof out->series);
    } else if (series_is_worthwhile(worker->series, task->table)) {
        memcpy(out->series, out->nonce, sizeof out->series);
    }
}

/* Versions of a table with history. A clock that was set back, or another machine's, may show a
 * time that older versions have. A label or an intent beyond the versions of this database says
 * that the log may have later ones, which a restore of the source undid; so does one that is gone
 * or strange. */
static void choose_versions(const struct task *task, struct intent *out)
{
    const struct watermark *watermark = &task->source.watermark;
    int64_t last = watermark->logged_generation;
    bool undone =
        last > 0 && (task->warehouse.label.generation > last || watermark->generation > last ||
                     task->warehouse.ahead || task_may_have_other_versions(task));

    out->log_whole = watermark->log_whole && strcmp(watermark->held_target, out->target) == 0;
    if (task->table->history == NULL)
        return;
    out->logged_at_us = task->batch.taken_us > watermark->logged_at_us
                            ? task->batch.taken_us
                            : watermark->logged_at_us + 1;
    out->abandons_above = undone && out->mode == SEND_REPLACE ? last : 0;
}

/* A target that this pass created carries the label of the first intent already. */
static bool is_labelled(const struct task *task)
{
    return task->warehouse.created && task->outcome->attempts == 0;
}

static bool make(
    const struct worker *worker, const struct task *task, struct intent *out, struct error *err)
{
    const struct table *table = task->table;

    *out = (struct intent){
        .mode = mode_of(&task->batch),
        .generation = task_next_generation(task),
        .upper_sequence = task->source.position.sequence,
        .upper_row_id = task->source.position.row_id,
        .rows = task->batch.rows,
    };
    if (is_labelled(task))
        memcpy(out->nonce, task->warehouse.created_for, sizeof out->nonce);
    else if (!job_id_nonce(out->nonce, err))
        return false;
    snprintf(out->table, sizeof out->table, "%s", table->name);
    snprintf(out->content_hash, sizeof out->content_hash, "%s", task->plan.content_hash);
    snprintf(out->fingerprint, sizeof out->fingerprint, "%s", task->batch.fingerprint);
    snprintf(out->shape_hash, sizeof out->shape_hash, "%s", table->shape_hash);
    snprintf(out->project, sizeof out->project, "%s", worker->project);
    snprintf(out->dataset, sizeof out->dataset, "%s", worker->dataset);
    snprintf(out->location, sizeof out->location, "%s", worker->location);
    googlesql_plain_name(
        out->target, sizeof out->target, worker->project, worker->dataset, table->target);
    choose_label(worker, task, out);
    choose_series(worker, task, out);
    choose_versions(task, out);
    label_jobs_id(
        out->raises_label ? out->nonce : out->series, table->name, out->generation,
        out->commit_job);
    if (task->batch.staged && task->batch.spool != NULL)
        name_staging(table, out);
    return true;
}

static struct label label_of(const struct intent *intent)
{
    struct label label = {.generation = intent->generation};

    memcpy(label.jobs, intent->jobs, sizeof label.jobs);
    return label;
}

/* What the record itself changes belongs to what the task's next intent rests on. */
static void know_recorded(struct task *task, const struct intent *intent)
{
    struct watermark *watermark = &task->source.watermark;

    watermark->has_row = true;
    watermark->generation = intent->generation;
    if (intent->raises_label) {
        watermark->label = label_of(intent);
        watermark->label_before = intent->label_before;
        memcpy(watermark->series, intent->series, sizeof watermark->series);
    }
    if (intent->mode == SEND_REPLACE)
        watermark->content_hash[0] = '\0';
}

static bool record(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err)
{
    const struct tracking_basis basis = {
        .watermark = &task->source.watermark,
        .sealed_sequence = task->source.position.sealed_sequence,
        .limit = budget_limit(worker),
    };

    series_forget(worker->series, task->table);
    bool ok = tracking_intend(worker_take_state(worker), intent, &basis, &task->outdated, err);
    worker_give_state(worker);
    if (!ok)
        return false;
    if (!task_is_outdated(task))
        know_recorded(task, intent);
    return true;
}

/* The label follows the record and precedes every change of the target. If the process dies between
 * the two, the generation is known here and not there, which is harmless: the next one is higher
 * still. The other way round, a source restored from a backup could reuse a generation that
 * BigQuery has seen. A target that is gone outdates the task; nothing has been started for this
 * intent yet. */
static bool label(
    struct worker *worker, struct task *task, const struct intent *intent, bool labelled,
    struct error *err)
{
    if (!intent->raises_label)
        return true;
    // If the table is planned again, it has to be against this label.
    task->warehouse.label = label_of(intent);
    task->warehouse.ahead = false;
    series_note_label(worker->series, task->table);
    if (labelled || target_label(worker->bigquery, task->table, &task->warehouse.label, err))
        return true;
    if (err->code != ERROR_NOT_FOUND || !intent_withdraw(worker, intent, err))
        return false;
    task_lost_target(task);
    return true;
}

bool intent_begin(
    struct worker *worker, struct task *task, struct intent *out_intent, struct error *err)
{
    if (!make(worker, task, out_intent, err))
        return false;
    // Another process may take what was left a moment ago.
    bool recorded = false;
    while (!recorded) {
        if (!budget_reserve(worker, task, out_intent, err))
            return false;
        recorded = record(worker, task, out_intent, err);
        if (!recorded && err->code != ERROR_BUDGET)
            return false;
    }
    if (task_is_outdated(task))
        return true;
    bool labelled = is_labelled(task);
    task->outcome->attempts++;
    return label(worker, task, out_intent, labelled, err);
}

bool intent_raise_label(struct worker *worker, struct task *task, struct error *err)
{
    struct intent intent;

    if (!make(worker, task, &intent, err))
        return false;
    intent.raises_label = true;
    intent.series[0] = '\0';
    if (!record(worker, task, &intent, err))
        return false;
    return task_is_outdated(task) ||
           (label(worker, task, &intent, false, err) &&
            (task_is_outdated(task) || intent_withdraw(worker, &intent, err)));
}

/* --- ending ------------------------------------------------------------------------------ */

static bool move_watermark(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err)
{
    int64_t now_us = worker->clock->wall_us(worker->clock->context);

    bool ok = tracking_acknowledge(worker_take_state(worker), intent, now_us, &task->outdated, err);
    worker_give_state(worker);
    if (!ok)
        return false;
    if (task_is_outdated(task))
        return true;
    series_note_intent(worker->series, task->table, intent);
    if (intent->upper_row_id > task->outcome->last_synced_row_id)
        task->outcome->last_synced_row_id = intent->upper_row_id;
    return true;
}

bool intent_acknowledge(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err)
{
    if (!move_watermark(worker, task, intent, err))
        return false;
    staging_drop(worker, intent);
    return true;
}

bool intent_withdraw(struct worker *worker, const struct intent *intent, struct error *err)
{
    int64_t now_us = worker->clock->wall_us(worker->clock->context);

    bool ok = tracking_withdraw(worker_take_state(worker), intent, now_us, err);
    worker_give_state(worker);
    if (ok)
        staging_drop(worker, intent);
    return ok;
}

bool intent_acknowledge_nothing(struct worker *worker, struct task *task, struct error *err)
{
    struct intent intent;

    if (!make(worker, task, &intent, err))
        return false;
    // A target that this pass created is labelled with the next generation, so that one is used.
    if (!task->warehouse.created) {
        intent.generation = task->source.watermark.generation;
        intent.raises_label = false;
        if (!series_is_own(worker->series, task->table, &task->source.watermark))
            intent.series[0] = '\0';
        else
            memcpy(intent.series, task->source.watermark.series, sizeof intent.series);
    }
    return record(worker, task, &intent, err) &&
           (task_is_outdated(task) || move_watermark(worker, task, &intent, err));
}
