#include "sync/commit/table_commit.h"

#include "encode/parameter.h"
#include "sync/commit/budget.h"
#include "sync/commit/change_log.h"
#include "sync/commit/findings.h"
#include "sync/commit/intent.h"
#include "sync/commit/job_retry.h"
#include "sync/commit/load.h"
#include "sync/commit/refusal.h"
#include "sync/commit/staging.h"
#include "sync/pass/progress.h"

/* Longer than any statement and its parameters that are made here. BigQuery refuses what it finds
 * too long (GOOGLESQL_STATEMENT_CEILING), and says so better than a buffer can. */
#define TEXT_CEILING (64 << 20)

/* --- the commit job ---------------------------------------------------------------------- */

/* Starts a statement on the target as the intent's commit job, with the rows if they travel in it.
 */
static bool start_statement(
    struct worker *worker, struct task *task, const struct intent *intent, struct buffer *sql,
    struct error *err)
{
    uint64_t sent = 0;
    struct buffer parameters;
    struct buffer type;

    buffer_init(&parameters, TEXT_CEILING);
    buffer_init(&type, TEXT_CEILING);
    bounds_append_parameters(&parameters, &task->batch.bounds);
    if (staging_needs_snapshot(task))
        parameter_append_timestamp(&parameters, "snapshot_at", task->batch.taken_us);
    parameter_append_type(&type, task->table);
    progress_phase(worker->progress, task->index, PHASE_SENDING);
    bigquery_set_cap(worker->bigquery, intent->bytes_reserved);
    bool ok =
        buffer_check(sql, "a statement", err) && buffer_check(&type, "a parameter's type", err) &&
        buffer_check(&parameters, "a statement's parameters", err) &&
        bigquery_query(
            worker->bigquery,
            &(struct query_request){
                .job_id = intent->commit_job,
                .sql = buffer_text(sql),
                .parameters = buffer_text(&parameters),
                .rows = task->batch.inlined,
                .row_type = buffer_text(&type),
                .sent = &sent,
                .kind = QUERY_DML,
                .target = task->table->target,
                .label_table = task->table->name,
                .label_phase = task->batch.rows > 0 ? send_mode_name(intent->mode) : "truncate",
            },
            err);
    buffer_clear(&type);
    buffer_clear(&parameters);
    task->outcome->bytes_sent += (int64_t)sent;
    progress_bytes(worker->progress, task->index, task->outcome->bytes_sent);
    progress_phase(worker->progress, task->index, PHASE_RUNNING);
    return ok;
}

/* A replacement by no rows: a load job takes no empty file. */
static bool start_emptying(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, TEXT_CEILING);
    staging_append_replacement(&sql, worker, task, intent);
    bool ok = start_statement(worker, task, intent, &sql, err);
    buffer_clear(&sql);
    return ok;
}

/* From the staging table or the statement itself into the target. */
static bool start_change(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err)
{
    struct buffer sql;
    bool replaces = intent->mode == SEND_REPLACE;
    bool at_once = task->table->history == NULL && (!replaces || staging_replaces_at_once(task));

    buffer_init(&sql, TEXT_CEILING);
    buffer_append_text(&sql, at_once ? "" : "begin transaction;\n");
    change_log_append(&sql, worker, task, intent);
    if (replaces)
        staging_append_replacement(&sql, worker, task, intent);
    else
        staging_append_change(&sql, worker, task, intent);
    buffer_append_text(&sql, at_once ? "" : ";\ncommit transaction;\n");
    bool ok = start_statement(worker, task, intent, &sql, err);
    buffer_clear(&sql);
    return ok;
}

/* --- one intent -------------------------------------------------------------------------- */

static bool is_staged(const struct intent *intent)
{
    return intent->staging[0] != '\0';
}

/* Where the file is sent first, and as which job: into the staging table, or straight into the
 * target, and then the load is the commit job itself. */
static struct load load_of(const struct task *task, const struct intent *intent, char *staging_job)
{
    if (is_staged(intent))
        return (struct load){
            .job_id = staging_job,
            .destination = intent->staging,
            .disposition = LOAD_APPEND,
            .phase = "load",
        };
    return (struct load){
        .job_id = intent->commit_job,
        .destination = task->table->target,
        .disposition = intent->mode == SEND_APPEND ? LOAD_APPEND : LOAD_TRUNCATE_DATA,
        .phase = send_mode_name(intent->mode),
    };
}

static void count(struct task *task, const struct job *job)
{
    struct table_result *outcome = task->outcome;

    outcome->rows_unfit = task->batch.unfit_rows;
    if (task->batch.mode == SEND_MERGE) {
        outcome->rows_inserted = job->inserted;
        outcome->rows_updated = job->updated;
        outcome->rows_deleted = job->deleted;
    } else {
        outcome->rows_inserted = task->batch.rows - task->batch.kept_keys;
    }
}

/* The commit job has ended, or a load before it failed. *out_withdrawn: it failed, and the intent
 * is gone. */
static bool conclude(
    struct worker *worker, struct task *task, struct intent *intent, const struct job *job,
    bool *out_withdrawn, struct error *err)
{
    intent->bytes_billed = job->bytes_billed;
    task->outcome->bytes_billed += job->bytes_billed;
    if (job->state == JOB_SUCCEEDED) {
        count(task, job);
        return intent_acknowledge(worker, task, intent, err);
    }
    struct error refusal;
    bool learned = budget_learn(worker, intent, &job->failure, &refusal);
    *out_withdrawn = intent_withdraw(worker, intent, err);
    if (*out_withdrawn && learned) {
        *err = refusal;
        return false;
    }
    if (!*out_withdrawn || !refusal_adopt(worker, task, &job->failure, err))
        return false;
    *err = job->failure;
    return task_is_outdated(task) || staging_adopt_parts(task, &job->failure) ||
           staging_adopt_unbounded(task, &job->failure);
}

/* A request of an intent has failed. If BigQuery refused it for a missing right, no job of this
 * intent was ever made: the intent is withdrawn. Kept, it would have to be resolved where the right
 * is missing, also after a wrong project was corrected. */
static bool fail(
    struct worker *worker, const struct intent *intent, bool *out_withdrawn, struct error *err)
{
    const struct error refusal = *err;

    if (err->refused) {
        *out_withdrawn = intent_withdraw(worker, intent, err);
        if (*out_withdrawn)
            *err = refusal;
    }
    return false;
}

/* One intent from its record to its end. Everything about how the batch is sent comes from the
 * batch, by way of the intent: the plan may say something else by now. A job before the commit job
 * that fails is as good as a commit job that failed, since it is the last that is started. On any
 * error that is not *out_withdrawn the intent stays, because a request may have reached BigQuery
 * without an answer. */
static bool attempt(
    struct worker *worker, struct task *task, bool *out_withdrawn, struct error *err)
{
    struct bigquery *bigquery = worker->bigquery;
    struct intent intent;
    struct job job = {.state = JOB_SUCCEEDED};
    char staging_job[LABEL_JOB_ID_SIZE];

    *out_withdrawn = false;
    if (!intent_begin(worker, task, &intent, err))
        return false;
    if (task_is_outdated(task))
        return true;
    intent_load_job(&intent, staging_job);
    if (is_staged(&intent) && !staging_create(worker, task, &intent, err))
        return fail(worker, &intent, out_withdrawn, err);

    if (task->batch.rows == 0 && task->table->history == NULL) {
        if (!start_emptying(worker, task, &intent, err))
            return fail(worker, &intent, out_withdrawn, err);
    } else if (task->batch.rows == 0 || task->batch.inlined != NULL) {
        if (!start_change(worker, task, &intent, err))
            return fail(worker, &intent, out_withdrawn, err);
    } else {
        const struct load load = load_of(task, &intent, staging_job);
        if (!load_start(worker, task, &load, err))
            return fail(worker, &intent, out_withdrawn, err);
    }
    if (is_staged(&intent) &&
        !(bigquery_job_wait(bigquery, staging_job, &job, err) &&
          (job.state == JOB_FAILED || start_change(worker, task, &intent, err))))
        return false;
    bool started = job.state != JOB_FAILED;
    if (started && !bigquery_job_wait(bigquery, intent.commit_job, &job, err))
        return false;
    return conclude(worker, task, &intent, &job, out_withdrawn, err) ||
           (started && *out_withdrawn && job_retry_after_comparison(task, err));
}

bool table_commit(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct job_retry retry = {0};
    bool done = false;
    bool withdrawn = false;

    (void)context;
    bool ok = findings_record(worker, task, &done, err);
    if (ok && !done) {
        do {
            ok = attempt(worker, task, &withdrawn, err);
        } while (
            !ok && withdrawn &&
            (err->code == ERROR_BUDGET || job_retry_again(worker, &retry, task->table->name, err)));
        if (ok && !task_is_outdated(task))
            task->outcome->status = TABLE_SYNCED;
    }
    batch_clear(&task->batch);
    return ok;
}
