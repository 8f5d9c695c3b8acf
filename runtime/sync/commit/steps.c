#include "sync/commit/steps.h"

#include "base/log.h"
#include "source/rejects.h"
#include "sync/pass/target.h"
#include "warehouse/googlesql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Staging tables remove themselves after a day, should nobody else. */
#define STAGING_LIFETIME_MS ((int64_t)24 * 3600 * 1000)

/* A failed job is tried again under a new generation at most so often in one pass. */
#define GENERATIONS_MAX     3
#define GENERATION_PAUSE_MS 1000

int64_t apply_next_generation(const struct task *task)
{
    int64_t past = task->watermark.generation;

    return (task->label_generation > past ? task->label_generation : past) + 1;
}

/* --- the intent -------------------------------------------------------------------------- */

static enum send_mode kind_of(const struct task *task)
{
    if (task->work == WORK_REPLACE)
        return SEND_REPLACE;
    return task->batch.staging ? SEND_MERGE : SEND_APPEND;
}

/* Job ids take letters, digits, _ and - ("Running jobs programmatically"). */
static void job_safe(const char *name, char *out, size_t size)
{
    size_t length = 0;

    for (; *name != '\0' && length + 1 < size; name++)
        out[length++] =
            strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *name) !=
                    NULL
                ? *name
                : '_';
    out[length] = '\0';
}

void step_job_id(const struct intent *intent, const char *step, char out[320])
{
    char table[200];

    job_safe(intent->table, table, sizeof table);
    snprintf(
        out, 320, "bqsync_%s_%" PRId64 "_%s_%s", table, intent->generation, intent->nonce, step);
}

static bool make_intent(
    const struct worker *worker, const struct task *task, struct intent *out, struct error *err)
{
    static const char *const steps[] = {
        [SEND_APPEND] = "append", [SEND_MERGE] = "merge", [SEND_REPLACE] = "replace"};
    const struct table *table = task->table;
    uint64_t nonce;

    if (getrandom(&nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
        return error_set(err, ERROR_SOURCE, "no random numbers from the kernel");

    *out = (struct intent){
        .mode = kind_of(task),
        .generation = apply_next_generation(task),
        .upper_sequence = task->position.sequence,
        .upper_row_id = task->position.row_id,
        .rows = task->batch.rows,
    };
    snprintf(out->table, sizeof out->table, "%s", table->name);
    snprintf(out->nonce, sizeof out->nonce, "%016" PRIx64, nonce);
    snprintf(out->content_hash, sizeof out->content_hash, "%s", task->content_mark);
    snprintf(out->shape_hash, sizeof out->shape_hash, "%s", table->shape_hash);
    snprintf(
        out->target, sizeof out->target, "%s.%s.%s", worker->project, worker->dataset,
        table->target);
    step_job_id(out, steps[out->mode], out->commit_job);
    if (task->batch.staging && task->batch.rows > 0) {
        char safe[200];
        job_safe(table->target, safe, sizeof safe);
        snprintf(
            out->staging, sizeof out->staging, "bqsync_staging_%s_%" PRId64 "_%s", safe,
            out->generation, out->nonce);
    }
    return true;
}

bool step_intend(
    struct worker *worker, struct task *task, struct intent *out_intent, struct error *err)
{
    if (!make_intent(worker, task, out_intent, err))
        return false;
    if (!tracking_intend(worker->tracking, out_intent, err))
        return false;
    task->watermark.generation = out_intent->generation;
    task->result->attempts++;

    // A target made in this pass was made with this generation's label or a lower one: raise it
    // unless equal.
    bool labelled = task->created && task->result->attempts == 1;
    return labelled || target_label(worker->bigquery, task->table, out_intent->generation, err);
}

/* --- the staging table ------------------------------------------------------------------- */

static bool create_staging(
    struct worker *worker, const struct task *task, const struct intent *intent, struct error *err)
{
    char expiration[24];
    cJSON *resource = cJSON_CreateObject();
    int64_t now_ms = worker->clock->wall_us(worker->clock->context) / 1000;

    snprintf(expiration, sizeof expiration, "%" PRId64, now_ms + STAGING_LIFETIME_MS);
    cJSON_AddStringToObject(resource, "expirationTime", expiration);
    cJSON_AddItemToObject(resource, "schema", target_staging_schema(task->table));
    bool ok = bigquery_table_insert(worker->bigquery, intent->staging, resource, err);
    cJSON_Delete(resource);

    // The name is ours alone: one that exists was made by a request whose answer got lost.
    return ok || err->code == ERROR_CONFLICT;
}

bool step_send(
    struct worker *worker, struct task *task, const char *job, const char *destination,
    enum load_disposition disposition, const char *phase, struct error *err)
{
    uint64_t sent = 0;

    progress_phase(worker->progress, task->index, PHASE_SENDING);
    bool ok = bigquery_load(
        worker->bigquery,
        &(struct load_request){
            .job_id = job,
            .table = destination,
            .disposition = disposition,
            .file = task->batch.spool,
            .label_table = task->table->name,
            .label_phase = phase,
        },
        &sent, err);
    task->result->bytes_sent += (int64_t)sent;
    progress_bytes(worker->progress, task->index, task->result->bytes_sent);
    progress_phase(worker->progress, task->index, PHASE_RUNNING);
    return ok;
}

bool step_stage(
    struct worker *worker, struct task *task, const struct intent *intent, struct job *out_job,
    struct error *err)
{
    char load_job[320];

    step_job_id(intent, "load", load_job);
    return create_staging(worker, task, intent, err) &&
           step_send(worker, task, load_job, intent->staging, LOAD_APPEND, "load", err) &&
           bigquery_job_wait(worker->bigquery, load_job, out_job, err);
}

void step_append_merge(
    struct buffer *sql, const struct worker *worker, const struct task *task,
    const struct intent *intent)
{
    const struct table *table = task->table;

    // Rows that are all new need no second look at the whole target, which an update would bill.
    const char *statement = task->batch.changed_rows == 0 ? table->merge_new_sql : table->merge_sql;
    googlesql_render(sql, statement, worker->project, worker->dataset, intent->staging);
}

void step_drop_staging(struct worker *worker, const struct intent *intent)
{
    struct error ignored;

    if (intent->staging[0] == '\0')
        return;
    if (!bigquery_table_delete(worker->bigquery, intent->staging, &ignored))
        log_warn(
            "staging table is left to expire", LOG_TEXT("table", intent->table),
            LOG_TEXT("staging", intent->staging), LOG_TEXT("reason", ignored.message));
}

/* --- before and after -------------------------------------------------------------------- */

bool step_acknowledge(
    struct worker *worker, struct task *task, const struct intent *intent, struct error *err)
{
    int64_t now_us = worker->clock->wall_us(worker->clock->context);

    if (!tracking_acknowledge(worker->tracking, intent, now_us, err))
        return false;
    if (intent->upper_row_id > task->result->last_synced_row_id)
        task->result->last_synced_row_id = intent->upper_row_id;
    return true;
}

static bool publish_rejects(struct worker *worker, struct task *task, struct error *err)
{
    struct tracking *tracking = worker->tracking;
    int64_t now_us = worker->clock->wall_us(worker->clock->context);
    int64_t rows = 0;

    if (task->batch.has_rejects)
        tracking = &task->batch.rejects;
    else if (!rejects_begin(tracking, task->table, err))
        return false;
    return rejects_publish(tracking, task->table, task->position.sequence, now_us, &rows, err);
}

/* Nothing to send: all that was read was rejected, or rows came and went. The watermark moves all
 * the same. */
static bool acknowledge_nothing(struct worker *worker, struct task *task, struct error *err)
{
    struct intent intent;

    if (!make_intent(worker, task, &intent, err))
        return false;
    intent.generation = task->watermark.generation;
    return tracking_intend(worker->tracking, &intent, err) &&
           step_acknowledge(worker, task, &intent, err);
}

/* What a scan found out is on disk before the intent that will make it effective. */
static bool keep_shadow(struct task *task, struct error *err)
{
    bool ok = task->batch.shadow == NULL || shadow_end(task->batch.shadow, err);

    shadow_free(task->batch.shadow);
    task->batch.shadow = NULL;
    return ok;
}

bool step_begin(struct worker *worker, struct task *task, bool *out_done, struct error *err)
{
    if (!publish_rejects(worker, task, err) || !keep_shadow(task, err))
        return false;

    // An empty table that was just created is a replacement by nothing, and done.
    *out_done = task->batch.rows == 0 && (task->work == WORK_CHANGES || task->created);
    if (!*out_done)
        return true;
    task->result->status = task->created ? TABLE_SYNCED : TABLE_UNCHANGED;
    if (task->created)
        task->watermark.generation = apply_next_generation(task);
    return acknowledge_nothing(worker, task, err);
}

bool step_may_help(const struct error *failure)
{
    return error_is_retryable(failure->code) && failure->code != ERROR_QUOTA;
}

bool step_tries(struct worker *worker, struct task *task, step_try *once, struct error *err)
{
    bool again = false;

    for (;;) {
        if (once(worker, task, &again, err))
            return true;
        if (!again || task->result->attempts >= GENERATIONS_MAX)
            return false;
        log_warn(
            "job failed, trying again", LOG_TEXT("table", task->table->name),
            LOG_NUMBER("attempt", task->result->attempts), LOG_TEXT("reason", err->message));
        bigquery_count_retry(worker->bigquery, err);
        int64_t pause = (int64_t)GENERATION_PAUSE_MS << (task->result->attempts - 1);
        if (!worker->clock->sleep_ms(worker->clock->context, pause))
            return error_set(err, ERROR_STOPPED, "stopped before %s was sent", task->table->name);
    }
}
