#include "sync/commit/recovery.h"

#include "base/log.h"
#include "base/shell_word.h"
#include "sync/commit/intent.h"
#include "sync/pass/label_jobs.h"
#include "sync/pass/target.h"
#include "warehouse/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where an intent's commit job runs. */
struct place {
    char project[128];
    char dataset[128];
    char location[64];
};

/* An intent of a version that kept no place has the names in its target, "project.dataset.table"; a
 * project may have dots in its name, the others may not. */
static void place_of(const struct intent *intent, struct place *out)
{
    snprintf(out->project, sizeof out->project, "%s", intent->project);
    snprintf(out->dataset, sizeof out->dataset, "%s", intent->dataset);
    snprintf(out->location, sizeof out->location, "%s", intent->location);
    const char *table = strrchr(intent->target, '.');
    if (out->dataset[0] != '\0' || table == NULL)
        return;
    const char *dataset = table;
    while (dataset > intent->target && dataset[-1] != '.')
        dataset--;
    snprintf(out->dataset, sizeof out->dataset, "%.*s", (int)(table - dataset), dataset);
    if (dataset > intent->target)
        snprintf(
            out->project, sizeof out->project, "%.*s", (int)(dataset - 1 - intent->target),
            intent->target);
}

static bool is_here(const struct worker *worker, const struct place *place)
{
    return strcmp(place->project, worker->project) == 0 &&
           strcmp(place->dataset, worker->dataset) == 0 &&
           (place->location[0] == '\0' || strcmp(place->location, worker->location) == 0);
}

static void add_child(void *context, const struct job_child *child)
{
    struct intent *intent = context;
    const char *table = strrchr(intent->target, '.');

    if (strcmp(table == NULL ? intent->target : table + 1, child->table) == 0)
        intent->bytes_billed += child->bytes_billed;
}

/* Notes what the intent's commit job has billed, of the script of a transaction the part that is
 * the table's own. */
static bool read_bill(
    struct worker *worker, struct intent *intent, const struct job *job, struct error *err)
{
    if (label_jobs_is_of_transactions(intent->commit_job))
        return job->bytes_billed == 0 ||
               bigquery_job_children(worker->bigquery, intent->commit_job, add_child, intent, err);
    intent->bytes_billed = job->bytes_billed;
    return true;
}

/* Whether the intent's commit job has done its work, once and for all. A job that has ended, or
 * that runs, answers by itself; all tables of the pass wait for one that runs, so that they do not
 * wait long: a table whose job goes on fails, and the next pass asks again. If BigQuery does not
 * know the job, the request that starts it may still be on its way (a proxy, a queue, a process
 * that only hangs), and would change the target after this run has sent newer rows. So its id is
 * claimed: a job that does nothing is started under it, and BigQuery refuses every later job of
 * that id. If the claim comes too late, the job is there after all, and is waited for. A job id
 * that an earlier recovery has claimed did no work. out_claims: the request that failed was not
 * about the job, but to start one of its id. */
static bool resolve(
    struct worker *worker, struct intent *intent, bool *out_done, bool *out_claims,
    struct error *err)
{
    struct job job;
    bool claimed = false;

    *out_claims = false;
    if (!bigquery_job_get(worker->bigquery, intent->commit_job, &job, err))
        return false;
    if (job.state == JOB_MISSING) {
        if (!bigquery_job_claim(worker->bigquery, intent->commit_job, &claimed, err)) {
            *out_claims = true;
            return false;
        }
        *out_done = false;
        if (claimed)
            return true;
    }
    if (job.state != JOB_SUCCEEDED && job.state != JOB_FAILED &&
        !bigquery_job_wait_briefly(worker->bigquery, intent->commit_job, &job, err))
        return false;
    *out_done = job.state == JOB_SUCCEEDED && !job.is_claim;
    return read_bill(worker, intent, &job, err);
}

static bool load_watermark(struct worker *worker, struct task *task, struct error *err)
{
    bool ok =
        tracking_load(worker_take_state(worker), task->table->name, &task->source.watermark, err);

    worker_give_state(worker);
    return ok;
}

/* An intent is on disk before the target's label is raised. If the run ended between the two, the
 * target still has the label that it had then, and gets the intent's: so a label that is behind
 * always means an older version of the table. Any other label was put there since, with other rows,
 * by somebody else, and is left for the plan to see. */
static bool has_label_from_before(const struct task *task)
{
    const struct task_warehouse *warehouse = &task->warehouse;
    const struct label *before = &task->source.watermark.label_before;

    return warehouse->exists && before->generation != 0 &&
           warehouse->label.generation == before->generation &&
           strcmp(warehouse->label.jobs, before->jobs) == 0;
}

static bool raise_label(struct worker *worker, struct task *task, struct error *err)
{
    const struct label *label = &task->source.watermark.label;

    if (!load_watermark(worker, task, err))
        return false;
    if (!has_label_from_before(task))
        return true;
    if (!target_label(worker->bigquery, task->table, label, err))
        return false;
    task->warehouse.label = *label;
    return true;
}

/* Ends the intent; there is connected to the intent's own place. */
static bool end(
    struct worker *there, struct task *task, const struct intent *intent, bool done,
    struct error *err)
{
    if (!(done ? intent_acknowledge(there, task, intent, err)
               : intent_withdraw(there, intent, err)))
        return false;
    task->outcome->bytes_billed += intent->bytes_billed;
    // A watermark that did not move is what the plan will find.
    task->outdated = NULL;
    log_info(
        done ? "adopted a job of an earlier run" : "withdrew the intent of an earlier run",
        LOG_TEXT("table", intent->table), LOG_TEXT("job", intent->commit_job));
    return true;
}

/* Whether BigQuery has answered that this login may not ask there, or that there is nothing to ask
 * about. A token that it does not accept (401) says neither. */
static bool is_refusal(const struct error *err)
{
    return err->http_status >= 400 && err->http_status < 500 && err->http_status != 401 &&
           !error_is_retryable(err->code);
}

/* Resolves an intent about the target of this pass. */
static bool resolve_here(
    struct worker *worker, struct task *task, struct intent *intent, struct error *err)
{
    bool done = false;
    bool claims = false;

    if (resolve(worker, intent, &done, &claims, err))
        return (done || raise_label(worker, task, err)) && end(worker, task, intent, done, err);
    // The starter of a job may see it; others need a role for all jobs ("Understand jobs", "Manage
    // jobs").
    if (is_refusal(err) && err->http_status == 403 && !claims)
        return error_wrap(
            err,
            "%s waits for an intent that an earlier sync has left open (job %s). If another login "
            "started that job, sync once with it, or give this one roles/bigquery.resourceAdmin on "
            "project %s",
            intent->table, intent->commit_job, worker->project);
    return error_wrap(err, "resolving the open intent of an earlier run");
}

/* --- another dataset ---------------------------------------------------------------------- */

static bool find_location(struct bigquery *bigquery, struct place *place, struct error *err)
{
    struct dataset dataset;

    if (place->location[0] != '\0')
        return true;
    if (!bigquery_dataset_get(bigquery, &dataset, err))
        return false;
    memcpy(place->location, dataset.location, sizeof place->location);
    bigquery_set_location(bigquery, place->location);
    return true;
}

/* A connection for jobs of that place, owned. */
static bool connect(
    const struct deployment *deployment, struct place *place, struct bigquery **out_bigquery,
    struct error *err)
{
    struct bigquery *bigquery = NULL;
    const struct deployment_place at = {
        place->project, place->dataset, place->location[0] == '\0' ? NULL : place->location};

    if (!deployment_bigquery_at(deployment, &at, NULL, &bigquery, err))
        return false;
    if (!find_location(bigquery, place, err)) {
        bigquery_close(bigquery);
        return false;
    }
    *out_bigquery = bigquery;
    return true;
}

/* Says what to do about an intent that could not be resolved in its place. */
static bool explain(const struct intent *intent, const struct place *place, struct error *err)
{
    char word[SHELL_WORD_SIZE];

    if (!is_refusal(err))
        return error_wrap(
            err, "resolving the intent that an earlier sync has left open for %s (job %s)",
            intent->target, intent->commit_job);
    return error_wrap(
        err,
        "%s waits for an intent that an earlier sync has left open for %s (job %s). Let this login "
        "run queries in project %s again, or, if that dataset is gone for good, run bqsync reset "
        "%s",
        intent->table, intent->target, intent->commit_job, place->project,
        shell_word(intent->table, word));
}

/* After a reset the table is replaced whatever became of the intent, so the operator does not need
 * that place any more. An intent is given up only there, and only if BigQuery refuses to resolve
 * it. What it has reserved of the budget counts as billed. */
static bool give_up(
    struct worker *worker, struct intent *intent, const struct error *why, bool *out_done,
    struct error *err)
{
    struct tracking *tracking = worker_take_state(worker);
    int64_t now_us = worker->clock->wall_us(worker->clock->context);
    bool awaited = true;

    bool ok = tracking_awaits(tracking, intent, &awaited, err);
    if (ok && !awaited) {
        intent->bytes_billed = intent->bytes_reserved;
        ok = tracking_withdraw(tracking, intent, now_us, err);
    }
    worker_give_state(worker);
    *out_done = ok && !awaited;
    if (*out_done)
        log_warn(
            "gave up an intent of an earlier run, because its table was reset",
            LOG_TEXT("table", intent->table), LOG_TEXT("target", intent->target),
            LOG_TEXT("job", intent->commit_job), LOG_TEXT("reason", why->message));
    return ok;
}

/* An intent of another dataset is not this pass's to judge from afar: its job may run at any
 * moment, and the dataset may be synced again from this state. So it is resolved where it belongs.
 */
static bool resolve_elsewhere(
    const struct worker *worker, const struct deployment *deployment, struct task *task,
    struct place *place, struct intent *intent, struct error *err)
{
    struct worker there = *worker;
    bool done = false;
    bool claims = false;

    there.project = place->project;
    there.dataset = place->dataset;
    there.location = place->location;
    if (!connect(deployment, place, &there.bigquery, err))
        return false;
    bool ok = resolve(&there, intent, &done, &claims, err) && end(&there, task, intent, done, err);
    bigquery_close(there.bigquery);
    return ok;
}

static bool recover_elsewhere(
    struct worker *worker, const struct deployment *deployment, struct task *task,
    struct place *place, struct intent *intent, struct error *err)
{
    struct error why;
    bool done = false;

    if (resolve_elsewhere(worker, deployment, task, place, intent, &why))
        return true;
    if (is_refusal(&why) && !give_up(worker, intent, &why, &done, err))
        return false;
    if (done)
        return true;
    *err = why;
    return explain(intent, place, err);
}

bool recover_table(struct worker *worker, struct task *task, void *context, struct error *err)
{
    const struct recovery *recovery = context;
    struct intent intent;
    struct place place;
    bool found = false;

    bool ok = tracking_intent(worker_take_state(worker), task->table->name, &found, &intent, err);
    worker_give_state(worker);
    if (!ok || !found)
        return ok;
    place_of(&intent, &place);
    if (!(is_here(worker, &place)
              ? resolve_here(worker, task, &intent, err)
              : recover_elsewhere(worker, recovery->deployment, task, &place, &intent, err)))
        return false;
    return load_watermark(worker, task, err);
}

/* Asks what resolve would ask, and whether it could claim the job's id. */
static bool ask(
    const struct deployment *deployment, struct place *place, const struct intent *intent,
    struct error *err)
{
    struct bigquery *bigquery = NULL;
    struct job job;

    if (!connect(deployment, place, &bigquery, err))
        return false;
    bool ok = bigquery_job_get(bigquery, intent->commit_job, &job, err) &&
              (job.state != JOB_MISSING || bigquery_dry_run(bigquery, JOB_CLAIM_SQL, err));
    bigquery_close(bigquery);
    return ok;
}

static bool is_of(const struct config *config, const struct place *place)
{
    return strcmp(place->project, config->project) == 0 &&
           strcmp(place->dataset, config->dataset) == 0;
}

bool recovery_foresee_label(
    const struct config *config, struct tracking *tracking, struct task *task, struct error *err)
{
    const char *name = task->table->name;
    struct intent intent;
    struct place place;
    bool found = false;

    if (!tracking_intent(tracking, name, &found, &intent, err))
        return false;
    if (!found)
        return true;
    place_of(&intent, &place);
    if (!is_of(config, &place))
        return true;
    if (!tracking_load(tracking, name, &task->source.watermark, err))
        return false;
    if (has_label_from_before(task))
        task->warehouse.label = task->source.watermark.label;
    return true;
}

bool recovery_is_possible(
    const struct deployment *deployment, struct tracking *tracking, const char *table,
    struct error *err)
{
    struct intent intent;
    struct place place;
    bool awaited = false;

    if (!tracking_intent(tracking, table, &awaited, &intent, err))
        return false;
    if (!awaited)
        return true;
    place_of(&intent, &place);
    if (is_of(deployment->config, &place))
        return true;
    return tracking_awaits(tracking, &intent, &awaited, err) &&
           (!awaited || ask(deployment, &place, &intent, err) || explain(&intent, &place, err));
}
