#include "sync/pass/pass.h"

#include "base/log.h"
#include "source/capture.h"
#include "source/commits.h"
#include "source/database.h"
#include "source/lock.h"
#include "source/recognition.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "sync/commit/recovery.h"
#include "sync/commit/settle.h"
#include "sync/pass/codec_record.h"
#include "sync/pass/listing.h"
#include "sync/pass/location.h"
#include "sync/pass/plan.h"
#include "sync/pass/quota_record.h"
#include "sync/pass/rounds.h"
#include "sync/pass/run_record.h"
#include "sync/pass/workers.h"
#include "warehouse/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pass {
    const struct deployment *deployment;
    const struct pass_options *options;
    struct run_result *result;
    struct task *tasks;
    size_t count;
    struct task **order; /* the tasks, as the rounds sort them */

    struct lock lock;
    bool locked;
    struct tracking tracking;
    bool tracking_open;
    struct database source;
    bool source_open;
    struct workers workers;
    struct location location;
};

/* --- opening and closing ---------------------------------------------------------------- */

static bool make_tasks(struct pass *pass, struct error *err)
{
    const struct pass_options *options = pass->options;
    const struct table *const *tables = options->tables;
    size_t count = options->table_count;

    if (tables == NULL) {
        tables = pass->deployment->tables;
        count = pass->deployment->table_count;
    }
    // One more than needed, so that no tables at all do not make a null pointer.
    pass->tasks = calloc(count + 1, sizeof *pass->tasks);
    pass->order = calloc(count + 1, sizeof *pass->order);
    pass->result->tables = calloc(count + 1, sizeof *pass->result->tables);
    if (pass->tasks == NULL || pass->order == NULL || pass->result->tables == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");

    pass->count = count;
    pass->result->table_count = count;
    for (size_t i = 0; i < count; i++) {
        pass->result->tables[i].table = tables[i];
        pass->tasks[i].table = tables[i];
        pass->tasks[i].outcome = &pass->result->tables[i];
        pass->tasks[i].index = i;
        pass->order[i] = &pass->tasks[i];
    }
    return progress_begin(options->progress, pass->result, err);
}

static bool open_source(struct pass *pass, struct error *err)
{
    const struct config *config = pass->deployment->config;
    bool write = config->state_is_source && !pass->options->dry_run;

    pass->source_open = database_open(
        config->sqlite_path, write ? DATABASE_WRITE : DATABASE_READ, DATABASE_PATIENCE_MS,
        &pass->source, err);
    if (write && pass->source_open)
        pass->source.commits = pass->deployment->commits;
    return pass->source_open;
}

/* For `status` of other processes. */
static void tell_outage(void *context, const struct quota_outage *outage)
{
    struct lock_outage told = {.attempts = outage->attempts};

    clock_format(outage->since_us, told.since);
    snprintf(told.message, sizeof told.message, "%s", outage->message);
    lock_tell_outage(context, &told);
}

/* The state in the source needs no connection of its own before the source is read (rounds.h). The
 * lock comes before anything is written. */
static bool open_state(struct pass *pass, struct error *err)
{
    const struct config *config = pass->deployment->config;
    char started_at[CLOCK_TEXT_SIZE];

    if (!pass->options->dry_run) {
        if (!lock_acquire(config->state_path, pass->options->command, &pass->lock, err))
            return false;
        pass->locked = true;
        lock_tell_run(
            &pass->lock, pass->result->id, run_kind_name(pass->result->kind),
            clock_format(pass->result->started_us, started_at));
        quota_watch(pass->deployment->quota, tell_outage, &pass->lock);
    }
    if (config->state_is_source)
        pass->tracking_open = tracking_share(&pass->source, &pass->tracking, err);
    else if (pass->options->dry_run)
        pass->tracking_open = tracking_open_read(config->state_path, &pass->tracking, err);
    else
        pass->tracking_open = tracking_open(config->state_path, &pass->tracking, err);
    return pass->tracking_open;
}

/* "" until it is known. */
static void use_location(struct pass *pass)
{
    workers_set_location(&pass->workers, pass->location.dataset.location);
}

static bool find_location(struct pass *pass, struct error *err)
{
    pass->location = (struct location){
        .config = pass->deployment->config,
        .tracking = &pass->tracking,
        .reads_only = pass->options->dry_run,
    };
    return location_find(&pass->location, pass->workers.each[0].bigquery, err);
}

static bool open_all(struct pass *pass, struct error *err)
{
    const struct deployment *deployment = pass->deployment;

    if (!open_source(pass, err) ||
        !recognition_check(
            &pass->source, deployment->config, deployment->tables, deployment->table_count, err) ||
        !open_state(pass, err))
        return false;
    size_t size = (size_t)deployment->config->parallel;
    if (size > pass->count)
        size = pass->count > 0 ? pass->count : 1;
    if (pass->options->dry_run)
        size = 1;
    const struct workers_options options = {
        .deployment = deployment,
        .tracking = &pass->tracking,
        .size = size,
        .run_id = pass->result->id,
        .progress = pass->options->progress,
        .reads_only = pass->options->dry_run,
        .follows = pass->options->follow && !deployment->config->sync_atomic,
    };
    if (!workers_open(&pass->workers, &options, err))
        return false;
    return find_location(pass, err);
}

static void close_all(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        batch_clear(&pass->tasks[i].batch);
        cJSON_Delete(pass->tasks[i].warehouse.fields);
        free(pass->tasks[i].intent);
    }
    workers_close(&pass->workers);
    if (pass->tracking_open)
        tracking_close(&pass->tracking);
    if (pass->source_open)
        database_close(&pass->source);
    if (pass->locked)
        lock_release(&pass->lock);
    free(pass->tasks);
    free(pass->order);
}

/* --- steps ------------------------------------------------------------------------------- */

static bool has_open_intent(const struct task *task)
{
    return task->source.has_open_intent;
}

/* In one read transaction, because SQLite locks and unlocks the file for each. */
static bool find_intents(struct pass *pass, struct error *err)
{
    struct database *database = &pass->tracking.database;
    struct intent ignored;
    struct error why;

    if (!database_exec(database, "begin", err))
        return false;
    for (size_t i = 0; i < pass->count; i++) {
        struct task *task = &pass->tasks[i];
        if (!tracking_intent(
                &pass->tracking, task->table->name, &task->source.has_open_intent, &ignored, &why))
            workers_fail_unnoted(task, &why);
    }
    database_rollback(database);
    for (size_t i = 0; i < pass->count; i++)
        workers_note(&pass->workers.each[0], &pass->tasks[i]);
    return true;
}

/* Intents first: what became of them decides what is left to do. Few passes find any. */
static bool recover(struct pass *pass, struct error *err)
{
    if (pass->options->dry_run)
        return true;
    if (!find_intents(pass, err))
        return false;
    struct recovery recovery = {.deployment = pass->deployment};
    const struct step step = {
        .wanted = has_open_intent, .run = recover_table, .context = &recovery};
    workers_run(&pass->workers, pass->order, pass->count, &step);
    return true;
}

/* After a replacement the other way of finding changes, should it have been in use before, is
 * removed. */
static void remove_other_capture(struct pass *pass, const struct task *task)
{
    struct error err;
    bool ok = true;

    if (!task_has_shadow(task))
        ok = shadow_drop(deployment_state(pass->deployment), task->table, &err);
    if (ok && task->plan.capture.by == CAPTURE_SCAN &&
        (task->table->capture == CAPTURE_SCAN || task->source.shape.why_scan[0] != '\0') &&
        task->source.shape.capture != CAPTURE_ABSENT && pass->deployment->config->state_is_source)
        ok = capture_remove(&pass->source, task->table, &err);
    if (!ok)
        log_warn(
            "an earlier way of finding changes is left in place",
            LOG_TEXT("table", task->table->name), LOG_TEXT("reason", err.message));
}

static bool clean_table(struct pass *pass, const struct task *task, struct error *err)
{
    struct watermark watermark;

    enum shadow_form form = shadow_form_of(&task->source.shape);

    if (task_has_shadow(task) &&
        !shadow_complete(deployment_state(pass->deployment), task->table, form, err))
        return false;
    if (task->plan.capture.by == CAPTURE_SCAN)
        return true;
    return tracking_load(&pass->tracking, task->table->name, &watermark, err) &&
           capture_clean(&pass->source, task->table, watermark.synced_sequence, err);
}

/* With a budget of the day, loads are worth waiting for: they cost nothing. */
static void note_frequency(struct pass *pass)
{
    const struct config *config = pass->deployment->config;
    bool follows = pass->options->follow && !config->sync_atomic && config->max_bytes_a_day == 0;

    for (size_t i = 0; i < pass->count; i++)
        pass->tasks[i].warehouse.frequent =
            follows && series_is_worthwhile(pass->deployment->series, pass->tasks[i].table);
}

/* The labels that passes have left behind, of tables that have not changed since. */
static void settle(struct pass *pass)
{
    const struct step step = {.wanted = task_is_unsettled, .run = settle_label};

    for (size_t i = 0; i < pass->count; i++)
        pass->tasks[i].unsettled =
            settle_is_due(pass->deployment->series, &pass->tasks[i], pass->options->follow);
    workers_run(&pass->workers, pass->order, pass->count, &step);
}

/* Acknowledged changes need not be listed any longer, and what a scan has found becomes part of its
 * shadow, so that the next pass has nothing to write if nothing changes. A failure costs nothing
 * but space. */
static void clean(struct pass *pass)
{
    struct error err;

    for (size_t i = 0; i < pass->count; i++) {
        struct task *task = &pass->tasks[i];
        if (task->outcome->status != TABLE_SYNCED && !task->acknowledged_nothing)
            continue;
        if (task->plan.mode == SEND_REPLACE)
            remove_other_capture(pass, task);
        if (!clean_table(pass, task, &err))
            log_warn(
                "synced changes are left listed", LOG_TEXT("table", task->table->name),
                LOG_TEXT("reason", err.message));
    }
}

/* A pass that has written anyway notes what there is to know of the schema, for those that write
 * nothing. */
static void remember_shapes(struct pass *pass)
{
    const struct table **tables = calloc(pass->count + 1, sizeof *tables);
    struct error err;
    bool wrote = false;

    for (size_t i = 0; tables != NULL && i < pass->count; i++) {
        tables[i] = pass->tasks[i].table;
        wrote = wrote || pass->tasks[i].outcome->status == TABLE_SYNCED;
    }
    if (wrote && !shape_memory_renew(&pass->source, &pass->tracking, tables, pass->count, &err))
        log_warn("the schema is not remembered", LOG_TEXT("reason", err.message));
    free((void *)tables);
}

/* What was scanned and is in BigQuery need not be read again until something is committed. */
static void remember_scans(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        const struct task *task = &pass->tasks[i];
        enum table_status status = task->outcome->status;
        struct watermark watermark;
        struct error ignored;
        if (task->plan.capture.by != CAPTURE_SCAN || !plan_changes_by_commits(task) ||
            (status != TABLE_SYNCED && status != TABLE_UNCHANGED))
            continue;
        if (tracking_load(&pass->tracking, task->table->name, &watermark, &ignored))
            scan_memory_note(pass->deployment->scans, task->table, &task->source.mark, &watermark);
    }
}

/* Targets that are gone may have gone with their dataset, which may be somewhere else now. */
static bool list(struct pass *pass, struct error *err)
{
    struct bigquery *bigquery = pass->workers.each[0].bigquery;
    bool gone = false;

    if (!listing_read(&pass->location, bigquery, pass->order, pass->count, err))
        return false;
    use_location(pass);
    for (size_t i = 0; i < pass->count; i++)
        gone = gone || !pass->order[i]->warehouse.exists;
    if (!gone || !pass->location.kept)
        return true;
    if (!location_refresh(&pass->location, bigquery, err))
        return false;
    use_location(pass);
    return !pass->location.dataset.ignores_case ||
           listing_read(&pass->location, bigquery, pass->order, pass->count, err);
}

/* What is looked for in the wrong place is not found: the next pass looks in the right one. */
static void doubt_location(struct pass *pass)
{
    struct error err;
    bool lost = false;

    for (size_t i = 0; i < pass->count; i++)
        lost = lost || (task_failed(&pass->tasks[i]) &&
                        pass->tasks[i].outcome->error.code == ERROR_NOT_FOUND);
    if (lost && pass->location.kept &&
        !location_refresh(&pass->location, pass->workers.each[0].bigquery, &err))
        log_warn("the dataset's location is not known", LOG_TEXT("reason", err.message));
}

static bool run(struct pass *pass, struct error *err)
{
    struct commits *commits = pass->deployment->commits;
    bool covers = commits != NULL && (pass->options->tables == NULL || pass->options->follow);
    struct commits_mark mark = {0};

    if (commits != NULL)
        commits_mark(commits, scan_memory_is_used(pass->deployment->scans), &mark);
    for (size_t i = 0; i < pass->count; i++) {
        pass->tasks[i].source.scans = pass->deployment->scans;
        pass->tasks[i].source.mark = mark;
    }

    if (!open_all(pass, err) ||
        !quota_record_restore(pass->deployment, &pass->tracking, pass->tasks, pass->count, err))
        return false;
    if (!list(pass, err) || !recover(pass, err))
        return false;
    note_frequency(pass);
    if (covers)
        commits_cover(commits, &mark);
    struct rounds rounds = {
        .deployment = pass->deployment,
        .workers = &pass->workers,
        .source = &pass->source,
        .tracking = &pass->tracking,
        .run_id = pass->result->id,
        .full = pass->options->full,
        .dry_run = pass->options->dry_run,
        .tasks = pass->order,
        .open = pass->count,
    };
    if (!rounds_run(&rounds, err))
        return false;
    doubt_location(pass);
    if (!pass->options->dry_run) {
        settle(pass);
        clean(pass);
        remember_shapes(pass);
        remember_scans(pass);
    }
    return true;
}

/* --- the record -------------------------------------------------------------------------- */

static void save(struct pass *pass)
{
    struct error err;

    if (!run_record_save(pass->result, &pass->tracking, &pass->lock, &err))
        log_warn(
            "run not recorded", LOG_TEXT("run", pass->result->id), LOG_TEXT("reason", err.message));
    if (!quota_record_save(pass->deployment, &pass->tracking, pass->tasks, pass->count, &err))
        log_warn(
            "quota not recorded", LOG_TEXT("run", pass->result->id),
            LOG_TEXT("reason", err.message));
    if (!codec_record_save(pass->deployment, &pass->tracking, &err))
        log_warn(
            "speed of the link not recorded", LOG_TEXT("run", pass->result->id),
            LOG_TEXT("reason", err.message));
}

/* How rows were sent; of a table without rows to send, or refused before it was read, how they
 * would be by its definition. */
static void tell_modes(struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        struct task *task = &pass->tasks[i];
        bool none =
            task->plan.mode == SEND_NOTHING || (task_failed(task) && !task->source.in_snapshot);
        task->outcome->mode = none ? task->table->mode : task->plan.mode;
        task->outcome->why_replaced = none ? NULL : task->plan.why;
    }
}

void pass_run(
    const struct deployment *deployment, const struct pass_options *options,
    struct run_result *out_result)
{
    const struct clock *clock = deployment->clock;
    struct pass pass = {.deployment = deployment, .options = options, .result = out_result};
    struct error err = {0};

    *out_result =
        (struct run_result){.kind = options->kind, .started_us = clock->wall_us(clock->context)};
    if (options->run_id != NULL)
        snprintf(out_result->id, sizeof out_result->id, "%s", options->run_id);
    else
        run_id_make(out_result->started_us, out_result->id);

    deployment_begin_pass(deployment);
    if (!make_tasks(&pass, &err) || !run(&pass, &err))
        out_result->error = err;
    out_result->finished_us = clock->wall_us(clock->context);
    out_result->traffic = workers_counters(&pass.workers).traffic;
    if (deployment->link != NULL)
        out_result->link_bytes = link_speed(deployment->link);
    tell_modes(&pass);
    if (pass.locked)
        quota_watch(deployment->quota, NULL, NULL);
    run_record_log(out_result, options->progress, pass.tracking_open ? &pass.tracking : NULL);
    if (pass.locked && pass.tracking_open)
        save(&pass);
    close_all(&pass);
}
