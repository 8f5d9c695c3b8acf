#include "sync/commit/findings.h"

#include "source/rejects.h"
#include "source/shadow.h"
#include "sync/commit/intent.h"

static bool publish_rejects(struct worker *worker, struct task *task, struct error *err)
{
    struct tracking *tracking = worker->tracking;
    int64_t now_us = worker->clock->wall_us(worker->clock->context);
    int64_t sequence = task->source.position.sequence;

    // A batch without rejects publishes an empty list, which removes those of an earlier pass.
    if (task->batch.has_rejects)
        tracking = &task->batch.rejects;
    else if (!rejects_begin(tracking, task->table, err))
        return false;
    return rejects_publish(tracking, task->table, sequence, now_us, err);
}

/* What a scan found out is on disk before the intent that makes it effective. */
static bool end_shadow(struct task *task, struct error *err)
{
    bool ok = task->batch.shadow == NULL || shadow_end(task->batch.shadow, err);

    shadow_free(task->batch.shadow);
    task->batch.shadow = NULL;
    return ok;
}

bool findings_record(struct worker *worker, struct task *task, bool *out_done, struct error *err)
{
    const struct batch *batch = &task->batch;
    bool created = task->warehouse.created;

    if (!publish_rejects(worker, task, err) || !end_shadow(task, err))
        return false;

    // A replacement by no rows has to empty the target, unless that was created in this pass.
    *out_done = batch->rows == 0 && (batch->mode != SEND_REPLACE || created);
    if (!*out_done)
        return true;
    task->outcome->status = created ? TABLE_SYNCED : TABLE_UNCHANGED;
    return intent_acknowledge_nothing(worker, task, err);
}
