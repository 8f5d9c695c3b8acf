#include "sync/commit/findings.h"

#include "source/rejects.h"
#include "source/shadow.h"
#include "sync/commit/intent.h"

/* A pass whose only news are rows that the filter leaves out has read none, so it knows of the
 * rejects what the last one knew. A scan has always read all rows. */
static bool has_read_rows(const struct task *task)
{
    return !task->plan.only_state || task->plan.capture.by == CAPTURE_SCAN;
}

static bool publish_rejects(
    struct worker *worker, struct task *task, bool *out_changed, struct error *err)
{
    bool own = task->batch.has_rejects;
    struct tracking *tracking = own ? &task->batch.rejects : worker_take_state(worker);
    const struct rejects_pass pass = {
        .by = task->plan.capture.by,
        .sequence = task->source.position.sequence,
        .now_us = worker->clock->wall_us(worker->clock->context),
    };

    // A batch without rejects publishes an empty list, which removes those of an earlier pass.
    // Counted as they are published: rows that have a NULL for their key are one.
    bool ok = (own || rejects_begin(tracking, task->table, err)) &&
              rejects_publish(tracking, task->table, &pass, out_changed, err) &&
              rejects_count(tracking, task->table->name, &task->outcome->rows_rejected, err);
    if (!own)
        worker_give_state(worker);
    return ok;
}

/* What a scan found out is on disk before the intent that makes it effective. If no row is sent or
 * left out, it has found only rows that are rejected, as before. */
static bool end_shadow(struct task *task, struct error *err)
{
    bool empty = task->batch.rows + task->batch.left_out == 0 && task->batch.mode != SEND_REPLACE;
    bool ok = task->batch.shadow == NULL || empty || shadow_end(task->batch.shadow, err);

    shadow_free(task->batch.shadow);
    task->batch.shadow = NULL;
    return ok;
}

/* A scan that found nothing to send moves no watermark, so unless it ends an error of before there
 * is nothing to write, as in a pass without rejects. */
static bool is_idle(const struct task *task, bool changed)
{
    return !changed && !task->warehouse.created && task->batch.left_out == 0 &&
           task->plan.capture.by == CAPTURE_SCAN && task->source.watermark.last_error[0] == '\0';
}

bool findings_record(struct worker *worker, struct task *task, bool *out_done, struct error *err)
{
    const struct batch *batch = &task->batch;
    bool created = task->warehouse.created;
    bool changed = false;

    if ((has_read_rows(task) && !publish_rejects(worker, task, &changed, err)) ||
        !end_shadow(task, err))
        return false;

    // A replacement by no rows has to empty the target, unless that was created in this pass; but
    // the log of a target that was dropped may have versions of its rows.
    bool empty = created && (task->table->history == NULL || task->warehouse.history.log_created);
    *out_done = batch->rows == 0 && (batch->mode != SEND_REPLACE || empty);
    if (!*out_done)
        return true;
    bool idle = is_idle(task, changed);
    if (!idle && !intent_acknowledge_nothing(worker, task, err))
        return false;
    task->acknowledged_nothing = !idle && !task_is_outdated(task);
    if (!task_is_outdated(task))
        task->outcome->status = created ? TABLE_SYNCED : TABLE_UNCHANGED;
    return true;
}
