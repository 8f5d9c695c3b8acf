#include "sync/pass/pass.h"

#include "base/log.h"
#include "source/capture.h"
#include "source/database.h"
#include "source/lock.h"
#include "source/rejects.h"
#include "source/shadow.h"
#include "source/tracking.h"
#include "sync/commit/recovery.h"
#include "sync/commit/table_commit.h"
#include "sync/commit/transaction.h"
#include "sync/pass/listing.h"
#include "sync/pass/location.h"
#include "sync/pass/plan.h"
#include "sync/pass/quota_record.h"
#include "sync/pass/reading.h"
#include "sync/pass/run_record.h"
#include "sync/pass/target.h"
#include "sync/pass/workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often a pass plans a table, if what the plan rests on changes each time. */
#define ROUNDS_MAX 3

struct pass {
    const struct deployment *deployment;
    const struct pass_options *options;
    struct run_result *result;
    struct task *tasks;
    size_t count;
    /* The tasks that steps still have to do something about, in the order in which they take them.
     */
    struct task **order;
    size_t open;

    struct lock lock;
    bool locked;
    struct tracking tracking;
    bool tracking_open;
    struct database source;
    bool source_open;
    struct workers workers;
    struct location location;
    int64_t snapshot_us; /* when the snapshot was opened */
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
    pass->open = count;
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

static bool open_state(struct pass *pass, struct error *err)
{
    const char *path = pass->deployment->config->state_path;
    char started_at[CLOCK_TEXT_SIZE];

    if (pass->options->dry_run) {
        pass->tracking_open = tracking_open_read(path, &pass->tracking, err);
        return pass->tracking_open;
    }
    if (!lock_acquire(path, pass->options->command, &pass->lock, err))
        return false;
    pass->locked = true;
    lock_tell_run(
        &pass->lock, pass->result->id, run_kind_name(pass->result->kind),
        clock_format(pass->result->started_us, started_at));
    pass->tracking_open = tracking_open(path, &pass->tracking, err);
    return pass->tracking_open;
}

static bool open_source(struct pass *pass, struct error *err)
{
    const struct config *config = pass->deployment->config;
    bool write = config->state_is_source && !pass->options->dry_run;

    pass->source_open = database_open(
        config->sqlite_path, write ? DATABASE_WRITE : DATABASE_READ, DATABASE_PATIENCE_MS,
        &pass->source, err);
    return pass->source_open;
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
    if (!location_find(&pass->location, pass->workers.each[0].bigquery, err))
        return false;
    use_location(pass);
    return true;
}

static bool open_all(struct pass *pass, struct error *err)
{
    const struct deployment *deployment = pass->deployment;

    if (!open_source(pass, err) || !open_state(pass, err))
        return false;
    size_t size = (size_t)deployment->config->parallel;
    if (size > pass->count)
        size = pass->count > 0 ? pass->count : 1;
    if (pass->options->dry_run)
        size = 1;
    const struct workers_options options = {
        .deployment = deployment,
        .size = size,
        .run_id = pass->result->id,
        .progress = pass->options->progress,
        .reads_only = pass->options->dry_run,
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
    if (pass->source_open)
        database_close(&pass->source);
    if (pass->tracking_open)
        tracking_close(&pass->tracking);
    if (pass->locked)
        lock_release(&pass->lock);
    free(pass->tasks);
    free(pass->order);
}

/* --- steps ------------------------------------------------------------------------------- */

static void fail(struct pass *pass, struct task *task, const struct error *why)
{
    workers_fail(&pass->workers.each[0], task, why);
}

static void run_step(struct pass *pass, bool (*wanted)(const struct task *), step_run *run)
{
    const struct step step = {.wanted = wanted, .run = run};

    workers_run(&pass->workers, pass->order, pass->open, &step);
}

static bool has_open_intent(const struct task *task)
{
    return task->source.has_open_intent;
}

/* Intents first: what became of them decides what is left to do. Few passes find any. */
static void recover(struct pass *pass)
{
    struct intent ignored;
    struct error err;

    if (pass->options->dry_run)
        return;
    for (size_t i = 0; i < pass->count; i++) {
        struct task *task = &pass->tasks[i];
        if (!tracking_intent(
                &pass->tracking, task->table->name, &task->source.has_open_intent, &ignored, &err))
            fail(pass, task, &err);
    }
    struct recovery recovery = {.deployment = pass->deployment};
    const struct step step = {
        .wanted = has_open_intent, .run = recover_table, .context = &recovery};
    workers_run(&pass->workers, pass->order, pass->open, &step);
}

static bool plan_one(struct pass *pass, struct task *task, struct error *err)
{
    struct table_result *outcome = task->outcome;

    if (!plan_table(
            pass->deployment->config, &pass->source, &pass->tracking, task, pass->options->full,
            err))
        return false;
    outcome->last_synced_row_id = task->source.watermark.last_synced_row_id;
    if (!rejects_count(&pass->tracking, task->table->name, &outcome->rows_rejected, err))
        return false;
    outcome->rows_rejected_before = outcome->rows_rejected;
    if (task_has_work(task))
        return true;

    // The error of an earlier pass is over if there is nothing left to do.
    if (outcome->status != TABLE_SYNCED)
        outcome->status = TABLE_UNCHANGED;
    return pass->options->dry_run || task->source.watermark.last_error[0] == '\0' ||
           tracking_note(&pass->tracking, task->table->name, "", err);
}

static void plan(struct pass *pass)
{
    struct error err;

    for (size_t i = 0; i < pass->open; i++)
        if (!task_failed(pass->order[i]) && !plan_one(pass, pass->order[i], &err))
            fail(pass, pass->order[i], &err);
}

/* The target of a scanned table is left alone until the scan has found something, so that an idle
 * pass makes one request. */
static bool is_sure_of_work(const struct task *task)
{
    return task_has_work(task) && !task->plan.only_if_changed;
}

static bool is_to_prepare(const struct task *task)
{
    return is_sure_of_work(task) || task_is_out_of_line(task);
}

/* The watermark is invalidated first: if this pass fails after the triggers are back, the next one
 * must not believe that the changes of the time between were captured. What the plan rests on is
 * read again, because this changes it. */
static void install_capture(struct pass *pass)
{
    struct error err;

    for (size_t i = 0; i < pass->open; i++) {
        struct task *task = pass->order[i];
        if (task_failed(task) || !task->plan.capture.broken)
            continue;
        if (!tracking_invalidate(&pass->tracking, task->table->name, &err) ||
            !capture_install(&pass->source, task->table, &err) ||
            !tracking_load(&pass->tracking, task->table->name, &task->source.watermark, &err))
            fail(pass, task, &err);
    }
}

static bool read_tables(struct pass *pass, struct error *err)
{
    struct reading reading = {
        .deployment = pass->deployment,
        .source = &pass->source,
        .workers = &pass->workers,
        .tasks = pass->order,
        .count = pass->open,
        .dry_run = pass->options->dry_run,
    };
    bool ok = reading_run(&reading, err);

    pass->snapshot_us = reading.taken_us;
    return ok;
}

static bool is_larger(const struct task *a, const struct task *b)
{
    uint64_t a_size = a->batch.spool == NULL ? 0 : spool_size(a->batch.spool);
    uint64_t b_size = b->batch.spool == NULL ? 0 : spool_size(b->batch.spool);

    return a_size > b_size;
}

/* The largest first, so that the pass ends soon after its slowest table. For a few dozen tables an
 * insertion sort is enough. */
static void sort_by_size(struct pass *pass)
{
    for (size_t i = 1; i < pass->open; i++) {
        struct task *task = pass->order[i];
        size_t at = i;
        for (; at > 0 && is_larger(task, pass->order[at - 1]); at--)
            pass->order[at] = pass->order[at - 1];
        pass->order[at] = task;
    }
}

static void commit(struct pass *pass)
{
    sort_by_size(pass);
    if (!pass->deployment->config->sync_atomic) {
        run_step(pass, task_has_work, table_commit);
        return;
    }
    const struct transaction_snapshot snapshot = {
        .run_id = pass->result->id, .taken_us = pass->snapshot_us};
    transaction_commit(&pass->workers, pass->order, pass->open, &snapshot);
}

/* After a replacement the other way of finding changes, should it have been in use before, is
 * removed. */
static void remove_other_capture(struct pass *pass, const struct task *task)
{
    enum capture_state state = CAPTURE_ABSENT;
    struct error err;
    bool ok = true;

    if (task->plan.capture.by == CAPTURE_TRIGGERS && !task->source.shape.keeps_keys)
        ok = shadow_drop(pass->deployment->config->state_path, task->table, &err);
    else if (
        task->plan.capture.by == CAPTURE_SCAN &&
        (task->table->capture == CAPTURE_SCAN || task->source.shape.why_scan[0] != '\0') &&
        pass->deployment->config->state_is_source)
        ok = capture_check(&pass->source, task->table, &state, &err) &&
             (state == CAPTURE_ABSENT || capture_remove(&pass->source, task->table, &err));
    if (!ok)
        log_warn(
            "an earlier way of finding changes is left in place",
            LOG_TEXT("table", task->table->name), LOG_TEXT("reason", err.message));
}

static bool clean_table(struct pass *pass, const struct task *task, struct error *err)
{
    struct watermark watermark;

    bool by_scan = task->plan.capture.by == CAPTURE_SCAN;
    bool keeps_keys = task->source.shape.keeps_keys;

    if ((by_scan || keeps_keys) &&
        !shadow_complete(pass->deployment->config->state_path, task->table, keeps_keys, err))
        return false;
    if (by_scan)
        return true;
    return tracking_load(&pass->tracking, task->table->name, &watermark, err) &&
           capture_clean(&pass->source, task->table, watermark.synced_sequence, err);
}

/* Acknowledged changes need not be listed any longer, and what a scan has found becomes part of its
 * shadow, so that the next pass has nothing to write if nothing changes. A failure costs nothing
 * but space. */
static void clean(struct pass *pass)
{
    struct error err;

    for (size_t i = 0; i < pass->count; i++) {
        struct task *task = &pass->tasks[i];
        if (task->outcome->status != TABLE_SYNCED)
            continue;
        if (task->plan.mode == SEND_REPLACE)
            remove_other_capture(pass, task);
        if (!clean_table(pass, task, &err))
            log_warn(
                "synced changes are left listed", LOG_TEXT("table", task->table->name),
                LOG_TEXT("reason", err.message));
    }
}

/* A dry run ends where sending would begin: what was read is counted as what would be inserted or
 * merged. */
static void finish_dry(struct pass *pass)
{
    for (size_t i = 0; i < pass->open; i++) {
        struct task *task = pass->order[i];
        if (task_failed(task) || !task_has_work(task))
            continue;
        task->outcome->status = task->plan.only_state ? TABLE_UNCHANGED : TABLE_SYNCED;
        task->outcome->rows_inserted = task->batch.new_rows;
        task->outcome->rows_updated = task->batch.changed_rows;
    }
}

static bool run_round(struct pass *pass, struct error *err)
{
    plan(pass);
    if (!pass->options->dry_run) {
        run_step(pass, is_to_prepare, target_prepare);
        install_capture(pass);
    }
    if (!read_tables(pass, err))
        return false;
    if (pass->options->dry_run)
        finish_dry(pass);
    else
        commit(pass);
    return true;
}

/* Forgets what this pass has planned and read of a table, but not what it has done in BigQuery. */
static void start_over(struct task *task)
{
    struct task_warehouse *warehouse = &task->warehouse;

    log_warn(
        "table is planned again", LOG_TEXT("table", task->table->name),
        LOG_TEXT("reason", task_is_outdated(task) ? task->outdated : "it shares a transaction"));
    if (warehouse->created) {
        warehouse->exists = true;
        warehouse->label_generation = task_next_generation(task);
        warehouse->created = false;
    }
    warehouse->prepared = false;
    batch_clear(&task->batch);
    free(task->intent);
    task->intent = NULL;
    task->outdated = NULL;
}

static void give_up(struct pass *pass, struct task *task)
{
    struct error why;

    error_set(
        &why, ERROR_CONFLICT,
        "while %s was being synced, %s; that happened %d times in a row. Sync again when it has "
        "ended",
        task->table->name, task->outdated, ROUNDS_MAX);
    fail(pass, task, &why);
}

/* Keeps the tables that have to be planned again as the only ones that are open. A transaction is
 * of all tables or none. */
static void keep_outdated(struct pass *pass, bool last)
{
    bool all = false;
    size_t open = 0;

    for (size_t i = 0; i < pass->open; i++)
        all = all || (pass->deployment->config->sync_atomic && task_is_outdated(pass->order[i]));
    for (size_t i = 0; i < pass->open; i++) {
        struct task *task = pass->order[i];
        if (task_failed(task) || !(all || task_is_outdated(task)))
            continue;
        if (last && task_is_outdated(task))
            give_up(pass, task);
        if (!last)
            start_over(pass->order[open++] = task);
    }
    pass->open = open;
}

/* Targets that are gone may have gone with their dataset, which may be somewhere else now. */
static bool list(struct pass *pass, struct error *err)
{
    struct bigquery *bigquery = pass->workers.each[0].bigquery;
    bool gone = false;

    if (!listing_read(bigquery, pass->location.dataset.ignores_case, pass->order, pass->count, err))
        return false;
    for (size_t i = 0; i < pass->count; i++)
        gone = gone || !pass->order[i]->warehouse.exists;
    if (!gone || !pass->location.kept)
        return true;
    if (!location_refresh(&pass->location, bigquery, err))
        return false;
    use_location(pass);
    return !pass->location.dataset.ignores_case ||
           listing_read(bigquery, true, pass->order, pass->count, err);
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
    if (!open_all(pass, err) ||
        !quota_record_restore(pass->deployment, &pass->tracking, pass->tasks, pass->count, err))
        return false;
    if (!list(pass, err))
        return false;
    recover(pass);
    for (int round = 1; pass->open > 0; round++) {
        if (!run_round(pass, err))
            return false;
        keep_outdated(pass, round == ROUNDS_MAX);
    }
    doubt_location(pass);
    if (!pass->options->dry_run)
        clean(pass);
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
    tell_modes(&pass);
    run_record_log(out_result, options->progress, pass.tracking_open ? &pass.tracking : NULL);
    if (pass.locked && pass.tracking_open)
        save(&pass);
    close_all(&pass);
}
