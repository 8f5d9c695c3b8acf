#include "sync/commit/recovery.h"

#include "base/log.h"
#include "warehouse/googlesql.h"

#include <stdio.h>
#include <string.h>

/* Whether the intent is about the table this pass would write to: one about another dataset is
 * settled there or not at all, and must not hold up this one. */
static bool same_target(const struct worker *worker, const struct task *task, const char *target)
{
    char ours[512];

    googlesql_plain_name(ours, sizeof ours, worker->project, worker->dataset, task->table->target);
    return strcmp(ours, target) == 0;
}

static bool settle(
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
        !bigquery_job_wait(worker->bigquery, intent->commit_job, &job, err))
        return false;

    // What an earlier recovery claimed never did what the intent was about.
    *out_done = job.state == JOB_SUCCEEDED && !job.is_claim;
    return true;
}

bool recover_table(struct worker *worker, struct task *task, struct error *err)
{
    struct intent intent;
    bool found = false;
    bool done = false;

    if (!tracking_intent(worker->tracking, task->table->name, &found, &intent, err))
        return false;
    if (!found)
        return true;
    if (same_target(worker, task, intent.target) && !settle(worker, &intent, &done, err)) {
        error_wrap(err, "settling what an earlier run left open");
        return false;
    }

    int64_t now_us = worker->clock->wall_us(worker->clock->context);
    bool ok = done ? tracking_acknowledge(worker->tracking, &intent, now_us, err)
                   : tracking_withdraw(worker->tracking, &intent, err);
    if (!ok)
        return false;
    log_info(
        done ? "adopted a job of an earlier run" : "withdrew the intent of an earlier run",
        LOG_TEXT("table", intent.table), LOG_TEXT("job", intent.commit_job));
    if (intent.staging[0] != '\0') {
        struct error ignored;
        if (!bigquery_table_delete(worker->bigquery, intent.staging, &ignored))
            log_warn(
                "staging table is left to expire", LOG_TEXT("table", intent.table),
                LOG_TEXT("staging", intent.staging), LOG_TEXT("reason", ignored.message));
    }
    return tracking_load(worker->tracking, task->table->name, &task->watermark, err);
}
