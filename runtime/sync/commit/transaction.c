#include "sync/commit/transaction.h"

#include "base/log.h"
#include "encode/parameter.h"
#include "sync/commit/budget.h"
#include "sync/commit/change_log.h"
#include "sync/commit/findings.h"
#include "sync/commit/intent.h"
#include "sync/commit/job_retry.h"
#include "sync/commit/load.h"
#include "sync/commit/refusal.h"
#include "sync/commit/staging.h"
#include "sync/pass/label_jobs.h"
#include "sync/spending.h"
#include "warehouse/googlesql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "Quotas and limits": a query with its parameters has at most 10 MB. 100 tables with keys of 16
 * texts have less than 4 MB of them. */
#define PARAMETERS_CEILING (8 << 20)

struct transaction {
    struct workers *workers;
    struct task *const *tasks;
    size_t count;
    const struct transaction_snapshot *snapshot;
    char job_id[LABEL_JOB_ID_SIZE]; /* of the script's last run */
};

/* --- staging ----------------------------------------------------------------------------- */

static bool is_staged(const struct task *task)
{
    return task->intent != NULL;
}

/* One intent of one table, up to its filled staging table. The commit job that the intent names is
 * never started: the id of the script takes its place when all tables are ready. *out_withdrawn:
 * the load failed, and the intent is gone. */
static bool attempt(
    struct worker *worker, struct task *task, bool *out_withdrawn, struct error *err)
{
    char load_job[LABEL_JOB_ID_SIZE];
    struct intent intent;
    struct job job = {.state = JOB_SUCCEEDED};

    *out_withdrawn = false;
    if (!intent_begin(worker, task, &intent, err))
        return false;
    if (task_is_outdated(task))
        return true;
    intent_load_job(&intent, load_job);
    const struct load load = {
        .job_id = load_job,
        .destination = intent.staging,
        .disposition = LOAD_APPEND,
        .phase = "load",
    };
    // A replacement by no rows needs no staging table.
    if (intent.staging[0] != '\0' &&
        !(staging_create(worker, task, &intent, err) && load_start(worker, task, &load, err) &&
          bigquery_job_wait(worker->bigquery, load_job, &job, err)))
        return false;
    if (job.state == JOB_FAILED) {
        *out_withdrawn = intent_withdraw(worker, &intent, err);
        if (!*out_withdrawn || !refusal_adopt(worker, task, &job.failure, err))
            return false;
        *err = job.failure;
        return task_is_outdated(task);
    }
    task->intent = malloc(sizeof *task->intent);
    if (task->intent == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    *task->intent = intent;
    return true;
}

/* A step of workers_run. The file is freed; the batch still says how its rows are to be committed.
 */
static bool stage(struct worker *worker, struct task *task, void *context, struct error *err)
{
    struct job_retry retry = {0};
    bool done = false;
    bool withdrawn = false;

    (void)context;
    bool ok = findings_record(worker, task, &done, err);
    if (ok && !done) {
        do {
            ok = attempt(worker, task, &withdrawn, err);
        } while (!ok && withdrawn && job_retry_again(worker, &retry, task->table->name, err));
    }
    batch_release(&task->batch);
    return ok;
}

/* --- the script -------------------------------------------------------------------------- */

static void append_snapshot(
    struct buffer *sql, const struct task *task, const struct transaction_snapshot *snapshot)
{
    buffer_append_text(sql, "(");
    googlesql_string(sql, snapshot->run_id);
    buffer_append_text(sql, ", ");
    googlesql_string(sql, task->table->target);
    buffer_printf(
        sql, ", %" PRId64 ", %" PRId64 ", timestamp_micros(%" PRId64 "))",
        task->source.position.sequence, task->intent->generation, snapshot->taken_us);
}

/* DDL is not allowed inside of a transaction. */
static void append_script(struct buffer *sql, const struct transaction *t)
{
    const struct worker *worker = &t->workers->each[0];
    bool first = true;

    buffer_append_text(sql, "create table if not exists ");
    googlesql_path(sql, worker->project, worker->dataset, SNAPSHOTS_TABLE);
    buffer_append_text(
        sql, " (run_id string, table_name string, sequence int64, generation int64, "
             "snapshot_at timestamp);\nbegin transaction;\n");
    for (size_t i = 0; i < t->count; i++) {
        const struct task *task = t->tasks[i];
        if (!is_staged(task))
            continue;
        change_log_append(sql, worker, task, task->intent);
        if (task->batch.mode == SEND_REPLACE)
            staging_append_replacement(sql, worker, task, task->intent);
        else
            staging_append_change(sql, worker, task, task->intent);
        buffer_append_text(sql, ";\n");
    }
    buffer_append_text(sql, "insert into ");
    googlesql_path(sql, worker->project, worker->dataset, SNAPSHOTS_TABLE);
    buffer_append_text(sql, " (run_id, table_name, sequence, generation, snapshot_at)\nvalues ");
    for (size_t i = 0; i < t->count; i++) {
        if (!is_staged(t->tasks[i]))
            continue;
        buffer_append_text(sql, first ? "" : ", ");
        append_snapshot(sql, t->tasks[i], t->snapshot);
        first = false;
    }
    buffer_append_text(sql, ";\ncommit transaction;\n");
}

/* --- the commit -------------------------------------------------------------------------- */

/* Every intent has to name the script before the script is sent: after a crash each table asks
 * about the job that its own intent names. If the process dies half way through this, no script has
 * been sent. Intents that name it already find no such job, claim the id and are withdrawn; the
 * others do the same with a commit job of their own that was never started. */
static bool name_script(struct transaction *t, struct error *err)
{
    struct worker *worker = &t->workers->each[0];
    char jobs[TRACKING_JOBS_SIZE];

    label_jobs_name(worker, "", jobs);
    label_jobs_id(jobs, "", ++t->workers->scripts, t->job_id);
    for (size_t i = 0; i < t->count; i++) {
        struct task *task = t->tasks[i];
        if (!is_staged(task))
            continue;
        memcpy(task->intent->commit_job, t->job_id, sizeof task->intent->commit_job);
        bool ok = tracking_intend_job(
            worker_take_state(worker), task->intent, budget_limit(worker), &task->outdated, err);
        worker_give_state(worker);
        if (!ok)
            return false;
    }
    return true;
}

static bool any_outdated(const struct transaction *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (task_is_outdated(t->tasks[i]))
            return true;
    return false;
}

static int64_t reserved(const struct transaction *t)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < t->count; i++)
        if (is_staged(t->tasks[i]))
            bytes += t->tasks[i]->intent->bytes_reserved;
    return bytes;
}

/* There is one. */
static struct task *first_staged(const struct transaction *t)
{
    size_t i = 0;

    while (!is_staged(t->tasks[i]))
        i++;
    return t->tasks[i];
}

static bool needs_snapshot(const struct transaction *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (is_staged(t->tasks[i]) && staging_needs_snapshot(t->tasks[i]))
            return true;
    return false;
}

static bool start_script(struct transaction *t, struct buffer *sql, struct error *err)
{
    struct buffer parameters;

    bigquery_set_cap(t->workers->each[0].bigquery, reserved(t));
    buffer_init(&parameters, PARAMETERS_CEILING);
    for (size_t i = 0; i < t->count; i++)
        if (is_staged(t->tasks[i]))
            bounds_append_parameters(&parameters, &t->tasks[i]->batch.bounds);
    if (needs_snapshot(t))
        parameter_append_timestamp(&parameters, "snapshot_at", t->snapshot->taken_us);
    bool ok = buffer_check(&parameters, "the parameters of the transaction", err) &&
              bigquery_query(
                  t->workers->each[0].bigquery,
                  &(struct query_request){
                      .job_id = t->job_id,
                      .sql = buffer_text(sql),
                      .parameters = buffer_text(&parameters),
                      .kind = QUERY_DML,
                      .target = SNAPSHOTS_TABLE,
                      .label_table = SNAPSHOTS_TABLE,
                      .label_phase = "atomic",
                  },
                  err);
    buffer_clear(&parameters);
    return ok;
}

/* *out_job is JOB_MISSING if a table turned out to be outdated and no script was sent. */
static bool run_script(struct transaction *t, struct job *out_job, struct error *err)
{
    struct worker *worker = &t->workers->each[0];
    struct buffer sql;

    buffer_init(&sql, GOOGLESQL_STATEMENT_CEILING);
    append_script(&sql, t);
    struct error ignored;
    bool ok = buffer_check(&sql, "the transaction", &ignored) ||
              error_set(
                  err, ERROR_CONFIG,
                  "the transaction of all tables is longer than the 1,024 KB that BigQuery takes: "
                  "sync fewer tables at once, or unset BQ_SYNC_ATOMIC");
    ok = ok && name_script(t, err);
    *out_job = (struct job){.state = JOB_MISSING};
    if (ok && !any_outdated(t))
        ok = start_script(t, &sql, err) &&
             bigquery_job_wait(worker->bigquery, t->job_id, out_job, err);
    buffer_clear(&sql);
    return ok;
}

/* *out_job is that of the last run: it succeeded, or failed for good, or is JOB_MISSING as above.
 * False: the outcome is open, and the intents stay; with ERROR_BUDGET no script runs. */
static bool run_until_done(struct transaction *t, struct job *out_job, struct error *err)
{
    struct worker *worker = &t->workers->each[0];
    struct job_retry retry = {0};

    for (;;) {
        if (!run_script(t, out_job, err))
            return false;
        if (out_job->state != JOB_FAILED)
            return true;
        *err = out_job->failure;
        int64_t needed = spending_needed(worker->config, err, reserved(t));
        if (needed > 0) {
            if (!budget_reserve_more(worker, first_staged(t)->intent, reserved(t), needed, err))
                return false;
            continue;
        }
        if (!job_retry_again(worker, &retry, "the transaction", err))
            return err->code != ERROR_STOPPED;
    }
}

/* --- afterwards -------------------------------------------------------------------------- */

/* New rows of an append table are inserted, all other changes are merged. */
static bool changes_rows(const char *statement)
{
    return strcmp(statement, "MERGE") == 0 || strcmp(statement, "INSERT") == 0;
}

/* The rows of a table are counted by its statement, which is a job of its own in the script. */
static void count_child(void *context, const struct job_child *child)
{
    const struct transaction *t = context;

    for (size_t i = 0; i < t->count; i++) {
        const struct task *task = t->tasks[i];
        struct table_result *outcome = task->outcome;
        if (!is_staged(task) || strcmp(task->table->target, child->table) != 0)
            continue;
        task->intent->bytes_billed += child->bytes_billed;
        outcome->bytes_billed += child->bytes_billed;
        if (task->batch.mode == SEND_REPLACE || !changes_rows(child->statement))
            continue;
        outcome->rows_inserted = child->inserted;
        outcome->rows_updated = child->updated;
        outcome->rows_deleted = child->deleted;
    }
}

/* What the script has billed and none of its statements says goes on the bill of its first table,
 * so that nothing is left out. */
static void count_rest(struct transaction *t, int64_t bytes_billed)
{
    struct task *first = first_staged(t);

    for (size_t i = 0; i < t->count; i++)
        if (is_staged(t->tasks[i]))
            bytes_billed -= t->tasks[i]->intent->bytes_billed;
    if (bytes_billed <= 0)
        return;
    first->intent->bytes_billed += bytes_billed;
    first->outcome->bytes_billed += bytes_billed;
}

static void count_rows(struct transaction *t, const struct job *job)
{
    struct error err;

    for (size_t i = 0; i < t->count; i++) {
        const struct task *task = t->tasks[i];
        if (is_staged(task))
            task->outcome->rows_unfit = task->batch.unfit_rows;
        if (is_staged(task) && task->batch.mode == SEND_REPLACE)
            task->outcome->rows_inserted = task->batch.rows - task->batch.kept_keys;
    }
    if (!bigquery_job_children(t->workers->each[0].bigquery, t->job_id, count_child, t, &err))
        log_warn("rows are not counted", LOG_TEXT("reason", err.message));
    count_rest(t, job->bytes_billed);
}

/* Steps of workers_run. */

static bool acknowledge(struct worker *worker, struct task *task, void *context, struct error *err)
{
    (void)context;
    if (!intent_acknowledge(worker, task, task->intent, err))
        return false;
    if (!task_is_outdated(task))
        task->outcome->status = TABLE_SYNCED;
    return true;
}

static bool withdraw(struct worker *worker, struct task *task, void *context, struct error *err)
{
    (void)context;
    return intent_withdraw(worker, task->intent, err);
}

static void fail_staged(struct transaction *t, const struct error *why)
{
    for (size_t i = 0; i < t->count; i++)
        if (is_staged(t->tasks[i]) && !task_failed(t->tasks[i]))
            workers_fail(&t->workers->each[0], t->tasks[i], why);
}

static void run_staged(struct transaction *t, step_run *run)
{
    const struct step step = {.wanted = is_staged, .run = run};

    workers_run(t->workers, t->tasks, t->count, &step);
}

/* The transaction will not happen: none of the staged tables changes. */
static void give_up(struct transaction *t, const struct error *why)
{
    run_staged(t, withdraw);
    fail_staged(t, why);
}

/* The script failed for good, and nothing says because of which table. */
static void conclude_failure(struct transaction *t, const struct error *why)
{
    bool again = false;

    for (size_t i = 0; i < t->count; i++)
        if (is_staged(t->tasks[i]) &&
            (staging_adopt_parts(t->tasks[i], why) || job_retry_after_comparison(t->tasks[i], why)))
            again = true;
    if (again)
        run_staged(t, withdraw);
    else
        give_up(t, why);
}

static size_t count_staged(const struct transaction *t)
{
    size_t staged = 0;

    for (size_t i = 0; i < t->count; i++)
        staged += is_staged(t->tasks[i]) ? 1 : 0;
    return staged;
}

/* The transaction changes the log of a table with history beside the table. */
static size_t count_logs(const struct transaction *t)
{
    size_t logs = 0;

    for (size_t i = 0; i < t->count; i++)
        logs += is_staged(t->tasks[i]) && t->tasks[i]->table->history != NULL ? 1 : 0;
    return logs;
}

void transaction_commit(
    struct workers *workers, struct task *const *tasks, size_t count,
    const struct transaction_snapshot *snapshot)
{
    struct transaction t = {
        .workers = workers, .tasks = tasks, .count = count, .snapshot = snapshot};
    const struct step stage_all = {.wanted = task_has_work, .run = stage};
    struct job job = {0};
    struct error err = {0};

    if (!any_outdated(&t))
        workers_run(workers, tasks, count, &stage_all);
    size_t staged = count_staged(&t);
    size_t changed = staged + count_logs(&t);
    if (any_outdated(&t)) {
        run_staged(&t, withdraw);
        return;
    }
    if (staged == 0)
        return;
    if (changed >= TRANSACTION_TABLES_MAX) {
        error_set(
            &err, ERROR_CONFIG,
            "%zu tables would change, change logs included, but a transaction of BigQuery changes "
            "at most %d, one of them %s: sync fewer tables at once, or unset BQ_SYNC_ATOMIC",
            changed, TRANSACTION_TABLES_MAX, SNAPSHOTS_TABLE);
        give_up(&t, &err);
    } else if (!run_until_done(&t, &job, &err)) {
        if (err.code == ERROR_BUDGET)
            give_up(&t, &err);
        else
            fail_staged(&t, &err);
    } else if (job.state == JOB_MISSING) {
        run_staged(&t, withdraw);
    } else if (job.state == JOB_FAILED) {
        conclude_failure(&t, &job.failure);
    } else {
        count_rows(&t, &job);
        run_staged(&t, acknowledge);
    }
}
