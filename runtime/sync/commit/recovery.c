#include "sync/commit/recovery.h"

#include "base/log.h"
#include "sync/commit/intent.h"
#include "sync/pass/target.h"
#include "warehouse/googlesql.h"

#include <string.h>

/* Whether the intent is about the table that this pass would write to. One about another project or
 * dataset cannot be asked about from here, and must not hold up this one. */
static bool same_target(const struct worker *worker, const struct task *task, const char *target)
{
    char ours[512];

    googlesql_plain_name(ours, sizeof ours, worker->project, worker->dataset, task->table->target);
    return strcmp(ours, target) == 0;
}

/* Whether the intent's commit job has done its work, once and for all. A job that has ended, or
 * that runs, answers by itself; all tables of the pass wait for one that runs, so that they do not
 * wait long: a table whose job goes on fails, and the next pass asks again. If BigQuery does not
 * know the job, the request that starts it may still be on its way (a proxy, a queue, a process
 * that only hangs), and would change the target after this run has sent newer rows. So its id is
 * claimed: a job that does nothing is started under it, and BigQuery refuses every later job of
 * that id. If the claim comes too late, the job is there after all, and is waited for. A job id
 * that an earlier recovery has claimed did no work.
 */
static bool resolve(
    struct worker *worker, const struct intent *intent, bool *out_done, struct error *err)
{
    struct job job;
    bool claimed = false;

    if (!bigquery_job_get(worker->bigquery, intent->commit_job, &job, err))
        return false;
    if (job.state == JOB_MISSING) {
        if (!bigquery_job_claim(worker->bigquery, intent->commit_job, &claimed, err))
            return false;
        *out_done = false;
        if (claimed)
            return true;
    }
    if (job.state != JOB_SUCCEEDED && job.state != JOB_FAILED &&
        !bigquery_job_wait_briefly(worker->bigquery, intent->commit_job, &job, err))
        return false;
    *out_done = job.state == JOB_SUCCEEDED && !job.is_claim;
    return true;
}

/* An intent is on disk before the target's label is raised. If the run ended between the two, the
 * label is raised now, so that a label that is behind always means an older version of the table.
 */
static bool raise_label(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err)
{
    struct task_warehouse *warehouse = &task->warehouse;

    if (!warehouse->exists || warehouse->label_generation >= intent->generation)
        return true;
    if (!target_label(worker->bigquery, task->table, intent->generation, err))
        return false;
    warehouse->label_generation = intent->generation;
    return true;
}

/* Resolves an intent about the target of this pass. */
static bool resolve_here(
    struct worker *worker, struct task *task, const struct intent *intent, bool *out_done,
    struct error *err)
{
    return resolve(worker, intent, out_done, err) &&
           (*out_done || raise_label(worker, task, intent, err));
}

bool recover_table(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct intent intent;
    bool found = false;
    bool done = false;

    (void)context;
    if (!tracking_intent(worker->tracking, task->table->name, &found, &intent, err))
        return false;
    if (!found)
        return true;
    if (same_target(worker, task, intent.target) &&
        !resolve_here(worker, task, &intent, &done, err))
        return error_wrap(err, "resolving the open intent of an earlier run");

    bool ok = done ? intent_acknowledge(worker, task, &intent, err)
                   : intent_withdraw(worker, &intent, err);
    if (!ok)
        return false;
    log_info(
        done ? "adopted a job of an earlier run" : "withdrew the intent of an earlier run",
        LOG_TEXT("table", intent.table), LOG_TEXT("job", intent.commit_job));
    return tracking_load(worker->tracking, task->table->name, &task->source.watermark, err);
}
