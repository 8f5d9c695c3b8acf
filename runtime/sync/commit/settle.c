#include "sync/commit/settle.h"

#include "base/log.h"
#include "sync/commit/intent.h"
#include "sync/pass/target.h"

static bool is_open(const struct task *task)
{
    return task->source.watermark.series[0] != '\0';
}

bool settle_is_doubtful(struct series *series, const struct task *task)
{
    return is_open(task) && task->plan.mode != SEND_REPLACE && !task->warehouse.ahead &&
           !series_is_own(series, task->table, &task->source.watermark);
}

/* The commit jobs of a series are started one after the other, each after the one before has
 * succeeded, and whatever else changes the target raises its label first. So if there is none of
 * the next generation, there is none of a later one. */
bool settle_doubt(struct worker *worker, struct task *task, void *context, struct error *err)
{
    const struct watermark *watermark = &task->source.watermark;
    char job_id[INTENT_JOB_ID_SIZE];
    struct job job;
    bool claimed = false;

    (void)context;
    intent_series_job(task->table->name, watermark->generation + 1, watermark->series, job_id);
    if (!bigquery_job_claim(worker->bigquery, job_id, &claimed, err) ||
        (!claimed && !bigquery_job_wait_briefly(worker->bigquery, job_id, &job, err)))
        return error_wrap(err, "asking whether the source was restored from a backup");
    if (claimed)
        return true;
    log_warn(
        "BigQuery has a job of which this database knows nothing",
        LOG_TEXT("table", task->table->name), LOG_TEXT("job", job_id));
    task->warehouse.ahead = true;
    target_distrust_generations(worker->clock, task);
    task->outdated = "BigQuery turned out to be ahead of this database";
    return true;
}

bool settle_is_due(struct series *series, const struct task *task, bool follows)
{
    return is_open(task) && task->outcome->status == TABLE_UNCHANGED &&
           !(follows && series_goes_on(series, task->table, &task->source.watermark));
}

bool settle_label(struct worker *worker, struct task *task, void *context, struct error *err)
{
    (void)context;
    return intent_raise_label(worker, task, err);
}
