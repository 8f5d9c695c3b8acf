#include "sync/commit/recovery.h"

#include "base/log.h"
#include "sync/commit/intent.h"
#include "sync/commit/transaction.h"
#include "sync/pass/target.h"

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
    if (strncmp(intent->commit_job, TRANSACTION_JOB_PREFIX, strlen(TRANSACTION_JOB_PREFIX)) == 0)
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
 * that an earlier recovery has claimed did no work.
 */
static bool resolve(struct worker *worker, struct intent *intent, bool *out_done, struct error *err)
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
 * label is raised now, so that a label that is behind always means an older version of the table.
 */
static bool raise_label(struct worker *worker, struct task *task, struct error *err)
{
    struct task_warehouse *warehouse = &task->warehouse;

    if (!load_watermark(worker, task, err))
        return false;
    int64_t labelled = task->source.watermark.labelled;
    if (!warehouse->exists || warehouse->label_generation >= labelled)
        return true;
    if (!target_label(worker->bigquery, task->table, labelled, err))
        return false;
    warehouse->label_generation = labelled;
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

/* Resolves an intent about the target of this pass. */
static bool resolve_here(
    struct worker *worker, struct task *task, struct intent *intent, struct error *err)
{
    bool done = false;

    if (!resolve(worker, intent, &done, err) || (!done && !raise_label(worker, task, err)))
        return error_wrap(err, "resolving the open intent of an earlier run");
    return end(worker, task, intent, done, err);
}

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

/* An intent of another dataset is not this pass's to judge from afar: its job may run at any
 * moment, and the dataset may be synced again from this state. So it is resolved where it belongs.
 */
static bool resolve_elsewhere(
    const struct worker *worker, const struct deployment *deployment, struct task *task,
    struct intent *intent, struct error *err)
{
    struct place place;
    struct worker there = *worker;

    place_of(intent, &place);
    there.project = place.project;
    there.dataset = place.dataset;
    there.location = place.location;
    const struct deployment_place at = {
        place.project, place.dataset, place.location[0] == '\0' ? NULL : place.location};
    if (!deployment_bigquery_at(deployment, &at, NULL, &there.bigquery, err))
        return false;
    bool done = false;
    bool ok = find_location(there.bigquery, &place, err) && resolve(&there, intent, &done, err) &&
              end(&there, task, intent, done, err);
    bigquery_close(there.bigquery);
    return ok ||
           error_wrap(
               err,
               "an earlier sync has left an intent open for %s (job %s), which has to be resolved "
               "there first. Sync once with BQ_PROJECT_NAME=%s BQ_DATASET_NAME=%s, or, if that "
               "dataset is gone for good, run DELETE FROM bq_sync_intents WHERE table_name='%s'",
               intent->target, intent->commit_job, place.project, place.dataset, intent->table);
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
              : resolve_elsewhere(worker, recovery->deployment, task, &intent, err)))
        return false;
    return load_watermark(worker, task, err);
}
