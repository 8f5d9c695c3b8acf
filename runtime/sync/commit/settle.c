#include "sync/commit/settle.h"

#include "base/log.h"
#include "sync/commit/intent.h"
#include "sync/pass/label_jobs.h"
#include "sync/pass/target.h"

static bool is_open(const struct task *task)
{
    return task->source.watermark.series[0] != '\0';
}

static bool is_strange(const struct task *task)
{
    return task->warehouse.exists && task_label_is_strange(task);
}

bool settle_is_doubtful(struct series *series, const struct task *task)
{
    const struct task_warehouse *warehouse = &task->warehouse;

    if (warehouse->settled)
        return false;
    return is_strange(task)
               ? warehouse->label.jobs[0] != '\0'
               : is_open(task) && !series_is_own(series, task->table, &task->source.watermark);
}

/* Ends the jobs of that name from this number on; *out_done is how many of them did their work. */
static bool end_jobs(
    struct worker *worker, const struct task *task, const char *jobs, int64_t number, int *out_done,
    struct error *err)
{
    char id[LABEL_JOB_ID_SIZE];
    struct job job = {.state = JOB_MISSING};
    bool claimed = false;

    for (*out_done = 0;; number++) {
        label_jobs_id(jobs, task->table->name, number, id);
        if (!bigquery_job_claim(worker->bigquery, id, &claimed, err))
            return false;
        if (claimed)
            return true;
        if (!bigquery_job_wait_briefly(worker->bigquery, id, &job, err))
            return false;
        if (job.is_claim)
            return true;
        log_warn(
            "BigQuery has a job of which this database knows nothing",
            LOG_TEXT("table", task->table->name), LOG_TEXT("job", id));
        *out_done += job.state == JOB_SUCCEEDED ? 1 : 0;
    }
}

/* What was sent after a label that is strange is replaced in any case, as soon as nothing can
 * change the target any more. */
bool settle_doubt(struct worker *worker, struct task *task, void *context, struct error *err)
{
    const struct watermark *watermark = &task->source.watermark;
    struct task_warehouse *warehouse = &task->warehouse;
    bool strange = is_strange(task);
    const char *jobs = strange ? warehouse->label.jobs : watermark->series;
    int done = 0;

    (void)context;
    int64_t first =
        strange ? label_jobs_first(jobs, warehouse->label.generation) : watermark->generation + 1;
    if (!end_jobs(worker, task, jobs, first, &done, err))
        return error_wrap(
            err, "waiting for what an earlier sync, of which this database knows "
                 "nothing, has started");
    warehouse->settled = true;
    if (strange || done == 0)
        return true;
    warehouse->ahead = true;
    target_distrust_generations(worker->clock, task);
    task->outdated = "BigQuery turned out to be ahead of this database";
    return true;
}

bool settle_is_due(struct series *series, const struct task *task, bool follows)
{
    return is_open(task) && task->outcome->status == TABLE_UNCHANGED &&
           !(follows && series_goes_on(series, task->table, &task->source.watermark));
}

/* What this pass has acknowledged without sending anything has moved the watermark. */
static bool renew_watermark(struct worker *worker, struct task *task, struct error *err)
{
    bool ok =
        tracking_load(worker_take_state(worker), task->table->name, &task->source.watermark, err);

    worker_give_state(worker);
    return ok;
}

bool settle_label(struct worker *worker, struct task *task, void *context, struct error *err)
{
    (void)context;
    return (!task->acknowledged_nothing || renew_watermark(worker, task, err)) &&
           intent_raise_label(worker, task, err);
}
