#include "sync/commit/table_commit.h"

#include "base/log.h"
#include "sync/commit/steps.h"
#include "warehouse/googlesql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the three ways ---------------------------------------------------------------------- */

/* A replacement by no rows: BigQuery wants no empty files, but empties a table for free. */
static bool truncate_target(
    struct worker *worker, const struct task *task, const struct intent *intent, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, STEP_STATEMENT_CEILING);
    buffer_append_text(&sql, "truncate table ");
    googlesql_path(&sql, worker->project, worker->dataset, task->table->target);
    bool ok = bigquery_query(
        worker->bigquery,
        &(struct query_request){
            .job_id = intent->commit_job,
            .sql = buffer_text(&sql),
            .kind = QUERY_DML,
            .target = task->table->target,
            .label_table = task->table->name,
            .label_phase = "truncate",
        },
        err);
    buffer_clear(&sql);
    return ok;
}

static bool merge_staging(
    struct worker *worker, const struct task *task, const struct intent *intent, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, STEP_STATEMENT_CEILING);
    step_append_merge(&sql, worker, task, intent);
    bool ok =
        buffer_check(&sql, "the MERGE statement", err) && bigquery_query(
                                                              worker->bigquery,
                                                              &(struct query_request){
                                                                  .job_id = intent->commit_job,
                                                                  .sql = buffer_text(&sql),
                                                                  .kind = QUERY_DML,
                                                                  .target = task->table->target,
                                                                  .label_table = task->table->name,
                                                                  .label_phase = "merge",
                                                              },
                                                              err);
    buffer_clear(&sql);
    return ok;
}

/* Everything up to the start of the commit job. *out_failed: a job before it failed, so it will
 * never be started. */
static bool start_commit(
    struct worker *worker, struct task *task, const struct intent *intent, struct job *out_job,
    struct error *err)
{
    *out_job = (struct job){.state = JOB_RUNNING};
    switch (intent->mode) {
    case SEND_APPEND:
        return step_send(
            worker, task, intent->commit_job, task->table->target, LOAD_APPEND, "append", err);
    case SEND_REPLACE:
        if (task->batch.spool == NULL)
            return truncate_target(worker, task, intent, err);
        return step_send(
            worker, task, intent->commit_job, task->table->target, LOAD_TRUNCATE_DATA, "replace",
            err);
    case SEND_NOTHING:
    case SEND_MERGE:
        break;
    }

    if (!step_stage(worker, task, intent, out_job, err))
        return false;
    if (out_job->state == JOB_FAILED)
        return true;
    *out_job = (struct job){.state = JOB_RUNNING};
    return merge_staging(worker, task, intent, err);
}

static bool run_commit(
    struct worker *worker, struct task *task, const struct intent *intent, struct job *out_job,
    struct error *err)
{
    if (!start_commit(worker, task, intent, out_job, err))
        return false;
    if (out_job->state == JOB_FAILED)
        return true;
    return bigquery_job_wait(worker->bigquery, intent->commit_job, out_job, err);
}

/* --- around them ------------------------------------------------------------------------- */

static void count(struct task *task, const struct job *job)
{
    struct table_result *result = task->result;

    result->bytes_billed += job->bytes_billed;
    if (strcmp(job->kind, "query") == 0 && task->work != WORK_REPLACE) {
        result->rows_inserted = job->inserted;
        result->rows_updated = job->updated;
        result->rows_deleted = job->deleted;
    } else {
        result->rows_inserted = task->batch.rows;
    }
}

/* One generation. *out_again: it failed for good, but a new one may succeed. */
static bool apply_generation(
    struct worker *worker, struct task *task, bool *out_again, struct error *err)
{
    struct intent intent;
    struct job job;

    *out_again = false;
    if (!step_intend(worker, task, &intent, err))
        return false;
    if (!run_commit(worker, task, &intent, &job, err))
        return false;
    if (job.state == JOB_SUCCEEDED) {
        count(task, &job);
        if (!step_acknowledge(worker, task, &intent, err))
            return false;
        step_drop_staging(worker, &intent);
        return true;
    }

    if (!tracking_withdraw(worker->tracking, &intent, err))
        return false;
    step_drop_staging(worker, &intent);
    *err = job.failure;
    *out_again = step_may_help(&job.failure);
    return false;
}

bool apply_batch(struct worker *worker, struct task *task, struct error *err)
{
    bool done = false;

    if (!step_begin(worker, task, &done, err))
        return false;
    if (done)
        return true;
    if (!step_tries(worker, task, apply_generation, err))
        return false;
    task->result->status = TABLE_SYNCED;
    return true;
}
