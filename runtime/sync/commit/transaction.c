#include "sync/commit/transaction.h"

#include "base/log.h"
#include "sync/commit/steps.h"
#include "sync/pass/extract.h"
#include "warehouse/googlesql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* "Quotas and limits": a query has at most 1,024 KB of text. */
#define SCRIPT_CEILING (1 << 20)

/* A transaction that another one got in the way of is tried again so often. */
#define COMMITS_MAX     3
#define COMMIT_PAUSE_MS 1000

struct commit {
    struct workers *workers;
    struct task *const *tasks;
    size_t count;
    const struct atomic_snapshot *snapshot;
    char job_id[320];
};

/* --- staging ----------------------------------------------------------------------------- */

static bool is_staged(const struct task *task)
{
    return task->intent != NULL;
}

/* One generation of one table, up to its filled staging table. Its own commit job is never started:
 * the shared one takes its place when all are ready. */
static bool stage_once(struct worker *worker, struct task *task, bool *out_again, struct error *err)
{
    struct intent intent;
    struct job job = {.state = JOB_SUCCEEDED};

    *out_again = false;
    if (!step_intend(worker, task, &intent, err))
        return false;
    if (intent.staging[0] != '\0' && !step_stage(worker, task, &intent, &job, err))
        return false;
    if (job.state == JOB_FAILED) {
        if (!tracking_withdraw(worker->tracking, &intent, err))
            return false;
        step_drop_staging(worker, &intent);
        *err = job.failure;
        *out_again = step_may_help(&job.failure);
        return false;
    }
    task->intent = malloc(sizeof *task->intent);
    if (task->intent == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    *task->intent = intent;
    return true;
}

static bool stage(struct worker *worker, struct task *task, struct error *err)
{
    bool done = false;

    if (!step_begin(worker, task, &done, err))
        return false;
    bool ok = done || step_tries(worker, task, stage_once, err);
    batch_release(&task->batch);
    return ok;
}

/* --- the script -------------------------------------------------------------------------- */

static void append_columns(struct buffer *sql, const struct table *table, const char *alias)
{
    for (size_t i = 0; i < table->column_count; i++) {
        buffer_append_text(sql, i > 0 ? ", " : "");
        buffer_append_text(sql, alias);
        googlesql_identifier(sql, table->columns[i].name);
    }
}

/* TRUNCATE needs no filter where the table requires one for its partitions. */
static void append_replacement(
    struct buffer *sql, const struct worker *worker, const struct task *task)
{
    const struct table *table = task->table;

    buffer_append_text(sql, "truncate table ");
    googlesql_path(sql, worker->project, worker->dataset, table->target);
    if (task->intent->staging[0] == '\0')
        return;
    buffer_append_text(sql, ";\ninsert into ");
    googlesql_path(sql, worker->project, worker->dataset, table->target);
    buffer_append_text(sql, " (");
    append_columns(sql, table, "");
    buffer_append_text(sql, ")\nselect ");
    append_columns(sql, table, "s.");
    buffer_append_text(sql, "\nfrom ");
    googlesql_path(sql, worker->project, worker->dataset, task->intent->staging);
    buffer_append_text(sql, " as s");
}

static void append_snapshot(
    struct buffer *sql, const struct task *task, const struct atomic_snapshot *snapshot)
{
    buffer_append_text(sql, "(");
    googlesql_string(sql, snapshot->run_id);
    buffer_append_text(sql, ", ");
    googlesql_string(sql, task->table->target);
    buffer_printf(
        sql, ", %" PRId64 ", %" PRId64 ", timestamp_micros(%" PRId64 "))", task->position.sequence,
        task->intent->generation, snapshot->taken_us);
}

/* DDL is not allowed inside of a transaction. */
static void append_script(struct buffer *sql, const struct commit *commit)
{
    const struct worker *worker = &commit->workers->each[0];
    bool first = true;

    buffer_append_text(sql, "create table if not exists ");
    googlesql_path(sql, worker->project, worker->dataset, ATOMIC_SNAPSHOTS);
    buffer_append_text(
        sql, " (run_id string, table_name string, sequence int64, generation int64, "
             "snapshot_at timestamp);\nbegin transaction;\n");
    for (size_t i = 0; i < commit->count; i++) {
        const struct task *task = commit->tasks[i];
        if (!is_staged(task))
            continue;
        if (task->work == WORK_REPLACE)
            append_replacement(sql, worker, task);
        else
            step_append_merge(sql, worker, task, task->intent);
        buffer_append_text(sql, ";\n");
    }
    buffer_append_text(sql, "insert into ");
    googlesql_path(sql, worker->project, worker->dataset, ATOMIC_SNAPSHOTS);
    buffer_append_text(sql, " (run_id, table_name, sequence, generation, snapshot_at)\nvalues ");
    for (size_t i = 0; i < commit->count; i++) {
        if (!is_staged(commit->tasks[i]))
            continue;
        buffer_append_text(sql, first ? "" : ", ");
        append_snapshot(sql, commit->tasks[i], commit->snapshot);
        first = false;
    }
    buffer_append_text(sql, ";\ncommit transaction;\n");
}

/* --- the commit -------------------------------------------------------------------------- */

/* The shared job takes its place in every intent before it is sent. Should that fail half way, none
 * has been sent, and the next pass claims the id. */
static bool name_commit(struct commit *commit, struct error *err)
{
    struct worker *worker = &commit->workers->each[0];
    uint64_t nonce;

    if (getrandom(&nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
        return error_set(err, ERROR_SOURCE, "no random numbers from the kernel");
    snprintf(commit->job_id, sizeof commit->job_id, "bqsync_atomic_%016" PRIx64 "_commit", nonce);
    for (size_t i = 0; i < commit->count; i++) {
        struct task *task = commit->tasks[i];
        if (!is_staged(task))
            continue;
        memcpy(task->intent->commit_job, commit->job_id, sizeof task->intent->commit_job);
        if (!tracking_intend(worker->tracking, task->intent, err))
            return false;
    }
    return true;
}

static bool run_script(struct commit *commit, struct job *out_job, struct error *err)
{
    struct worker *worker = &commit->workers->each[0];
    struct buffer sql;

    buffer_init(&sql, SCRIPT_CEILING);
    append_script(&sql, commit);
    struct error ignored;
    bool ok = buffer_check(&sql, "the transaction", &ignored) ||
              error_set(
                  err, ERROR_CONFIG,
                  "the transaction of all tables is longer than the 1,024 KB that BigQuery takes: "
                  "sync fewer tables at once, or unset BQ_SYNC_ATOMIC");
    ok = ok && name_commit(commit, err) &&
         bigquery_query(
             worker->bigquery,
             &(struct query_request){
                 .job_id = commit->job_id,
                 .sql = buffer_text(&sql),
                 .kind = QUERY_DML,
                 .target = ATOMIC_SNAPSHOTS,
                 .label_table = ATOMIC_SNAPSHOTS,
                 .label_phase = "atomic",
             },
             err) &&
         bigquery_job_wait(worker->bigquery, commit->job_id, out_job, err);
    buffer_clear(&sql);
    return ok;
}

/* *out_job of the last try: succeeded, or failed for good. False: the outcome is open, and the
 * intents stay. */
static bool run_tries(struct commit *commit, struct job *out_job, struct error *err)
{
    const struct worker *worker = &commit->workers->each[0];
    const struct clock *clock = worker->clock;

    for (int attempt = 1;; attempt++) {
        if (!run_script(commit, out_job, err))
            return false;
        if (out_job->state == JOB_SUCCEEDED || attempt == COMMITS_MAX ||
            !error_is_retryable(out_job->failure.code))
            return true;
        log_warn(
            "transaction failed, trying again", LOG_NUMBER("attempt", attempt),
            LOG_TEXT("reason", out_job->failure.message));
        bigquery_count_retry(worker->bigquery, &out_job->failure);
        if (!clock->sleep_ms(clock->context, (int64_t)COMMIT_PAUSE_MS << (attempt - 1)))
            return error_set(err, ERROR_STOPPED, "stopped before the transaction was tried again");
    }
}

/* --- afterwards -------------------------------------------------------------------------- */

static void count_child(void *context, const struct job_child *child)
{
    const struct commit *commit = context;

    for (size_t i = 0; i < commit->count; i++) {
        struct task *task = commit->tasks[i];
        if (!is_staged(task) || strcmp(task->table->target, child->table) != 0)
            continue;
        task->result->bytes_billed += child->bytes_billed;
        if (task->work == WORK_REPLACE || strcmp(child->statement, "MERGE") != 0)
            continue;
        task->result->rows_inserted = child->inserted;
        task->result->rows_updated = child->updated;
        task->result->rows_deleted = child->deleted;
    }
}

static void count_rows(struct commit *commit)
{
    struct error err;

    for (size_t i = 0; i < commit->count; i++)
        if (is_staged(commit->tasks[i]) && commit->tasks[i]->work == WORK_REPLACE)
            commit->tasks[i]->result->rows_inserted = commit->tasks[i]->batch.rows;
    if (!bigquery_job_children(
            commit->workers->each[0].bigquery, commit->job_id, count_child, commit, &err))
        log_warn("rows are not counted", LOG_TEXT("reason", err.message));
}

static bool acknowledge(struct worker *worker, struct task *task, struct error *err)
{
    if (!step_acknowledge(worker, task, task->intent, err))
        return false;
    task->result->status = TABLE_SYNCED;
    step_drop_staging(worker, task->intent);
    return true;
}

static bool withdraw(struct worker *worker, struct task *task, struct error *err)
{
    if (!tracking_withdraw(worker->tracking, task->intent, err))
        return false;
    step_drop_staging(worker, task->intent);
    return true;
}

static void fail_all(struct commit *commit, const struct error *why)
{
    for (size_t i = 0; i < commit->count; i++)
        if (is_staged(commit->tasks[i]) && !task_failed(commit->tasks[i]))
            workers_fail(&commit->workers->each[0], commit->tasks[i], why);
}

/* None of the staged tables will be changed by what was recorded. */
static void give_up(struct commit *commit, const struct error *why)
{
    workers_run(commit->workers, commit->tasks, commit->count, is_staged, withdraw);
    fail_all(commit, why);
}

static size_t count_staged(const struct commit *commit)
{
    size_t staged = 0;

    for (size_t i = 0; i < commit->count; i++)
        staged += is_staged(commit->tasks[i]) ? 1 : 0;
    return staged;
}

void atomic_apply(
    struct workers *workers, struct task *const *tasks, size_t count,
    const struct atomic_snapshot *snapshot)
{
    struct commit commit = {
        .workers = workers, .tasks = tasks, .count = count, .snapshot = snapshot};
    struct job job = {0};
    struct error err = {0};

    workers_run(workers, tasks, count, task_has_work, stage);
    size_t staged = count_staged(&commit);
    if (staged == 0)
        return;
    if (staged >= ATOMIC_TABLES_MAX) {
        error_set(
            &err, ERROR_CONFIG,
            "%zu tables have changes, but a transaction of BigQuery changes at most %d, one of "
            "them "
            "%s: sync fewer tables at once, or unset BQ_SYNC_ATOMIC",
            staged, ATOMIC_TABLES_MAX, ATOMIC_SNAPSHOTS);
        give_up(&commit, &err);
    } else if (!run_tries(&commit, &job, &err)) {
        fail_all(&commit, &err);
    } else if (job.state == JOB_FAILED) {
        give_up(&commit, &job.failure);
    } else {
        count_rows(&commit);
        workers_run(workers, tasks, count, is_staged, acknowledge);
    }
}
