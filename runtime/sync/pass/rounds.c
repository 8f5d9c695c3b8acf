#include "sync/pass/rounds.h"

#include "base/log.h"
#include "source/capture.h"
#include "source/rejects.h"
#include "sync/commit/settle.h"
#include "sync/commit/table_commit.h"
#include "sync/commit/transaction.h"
#include "sync/pass/plan.h"
#include "sync/pass/reading.h"
#include "sync/pass/target.h"
#include "sync/spending.h"

#include <stdlib.h>

/* How often a pass plans a table, if what the plan rests on changes each time. */
#define ROUNDS_MAX 3

static void fail(struct rounds *rounds, struct task *task, const struct error *why)
{
    workers_fail(&rounds->workers->each[0], task, why);
}

static void run_step(struct rounds *rounds, bool (*wanted)(const struct task *), step_run *run)
{
    const struct step step = {.wanted = wanted, .run = run};

    workers_run(rounds->workers, rounds->tasks, rounds->open, &step);
}

/* A column that is dropped takes its values with it, and no trigger fires for that; it may also be
 * one that only the filter names. When the column is back, rows that lost a value look like rows
 * that were sent with it, so the watermark has to be invalidated now. Returns false: *err stays
 * what the plan has set. */
static bool forget_content(struct rounds *rounds, const struct task *task, struct error *err)
{
    const struct source_shape *shape = &task->source.shape;
    bool lacks = shape->missing_count > 0 ||
                 (shape->filter_problem[0] != '\0' && shape->capture != CAPTURE_ABSENT);
    struct error ignored;

    if (lacks && !rounds->dry_run &&
        !tracking_invalidate(rounds->tracking, task->table->name, &ignored))
        error_wrap(err, "%s; besides", ignored.message);
    return false;
}

/* Fails a table whose statement the budget does not allow before its rows are read. */
static bool check_budget(const struct rounds *rounds, const struct task *task, struct error *err)
{
    const struct clock *clock = rounds->deployment->clock;
    const struct config *config = rounds->deployment->config;
    struct spending spending;

    if (config->max_bytes_a_day == 0 || rounds->dry_run || !plan_is_billed(task))
        return true;
    if (!spending_read(config, rounds->tracking, clock->wall_us(clock->context), &spending, err))
        return false;
    return !spending_is_over(&spending) ||
           spending_refuse(&spending, CONFIG_LEAST_BILLED_BYTES, err);
}

/* In one read transaction, because SQLite locks and unlocks the file for each. */
static bool read_plan(struct rounds *rounds, struct task *task, bool first, struct error *err)
{
    struct table_result *outcome = task->outcome;

    if (!database_exec(rounds->source, "begin", err))
        return false;
    bool ok = rejects_count(rounds->tracking, task->table->name, &outcome->rows_rejected, err);
    if (first)
        outcome->rows_rejected_before = outcome->rows_rejected;
    ok = ok &&
         plan_table(
             rounds->deployment->config, rounds->source, rounds->tracking, task, rounds->full, err);
    database_rollback(rounds->source);
    return ok;
}

static bool plan_one(struct rounds *rounds, struct task *task, bool first, struct error *err)
{
    struct table_result *outcome = task->outcome;

    if (!read_plan(rounds, task, first, err))
        return forget_content(rounds, task, err);
    outcome->last_synced_row_id = task->source.watermark.last_synced_row_id;
    if (first && task->warehouse.history.log_exists && task_may_have_other_versions(task))
        target_distrust_generations(rounds->deployment->clock, task);
    if (task_has_work(task))
        return check_budget(rounds, task, err);

    // The error of an earlier pass is over if there is nothing left to do.
    if (outcome->status != TABLE_SYNCED)
        outcome->status = TABLE_UNCHANGED;
    return rounds->dry_run || task->source.watermark.last_error[0] == '\0' ||
           tracking_note(rounds->tracking, task->table->name, "", err);
}

static void plan(struct rounds *rounds, bool first)
{
    struct shape_memory memory;
    struct error err;
    // If not even the schema can be read, each table says so.
    bool remembers = shape_memory_open(&memory, rounds->source, rounds->tracking, &err);

    for (size_t i = 0; i < rounds->open; i++) {
        struct task *task = rounds->tasks[i];
        if (task_failed(task))
            continue;
        task->source.memory = remembers ? &memory : NULL;
        if (!plan_one(rounds, task, first, &err))
            fail(rounds, task, &err);
        task->source.memory = NULL;
    }
}

/* Before anything rests on the plans. */
static void settle_doubts(struct rounds *rounds)
{
    for (size_t i = 0; i < rounds->open; i++)
        rounds->tasks[i]->unsettled =
            settle_is_doubtful(rounds->deployment->series, rounds->tasks[i]);
    run_step(rounds, task_is_unsettled, settle_doubt);
}

/* The target of a scanned table is left alone until the scan has found something, so that an idle
 * pass makes one request. */
static bool is_sure_of_work(const struct task *task)
{
    return task_has_work(task) && !task->plan.only_if_changed;
}

static bool is_to_prepare(const struct task *task)
{
    return is_sure_of_work(task) || task_is_out_of_line(task) || task_history_is_out_of_line(task);
}

/* A table that is gone may have been renamed in the old way (`legacy_alter_table`), which leaves
 * its guards looking for the old name: nobody could write the table until they are removed. */
static void remove_left_capture(struct rounds *rounds)
{
    struct error err;

    for (size_t i = 0; i < rounds->open; i++) {
        const struct task *task = rounds->tasks[i];
        const struct source_shape *shape = &task->source.shape;
        if (!shape->exists && shape->capture != CAPTURE_ABSENT &&
            rounds->deployment->config->state_is_source &&
            !capture_remove(rounds->source, task->table, &err))
            log_warn(
                "triggers of a table that is gone are left in place",
                LOG_TEXT("table", task->table->name), LOG_TEXT("reason", err.message));
    }
}

static bool has_lost_shadow(const struct task *task)
{
    return task_has_shadow(task) && !task->source.has_shadow;
}

/* The watermark is invalidated first: if this pass fails after the triggers or an empty shadow are
 * there, the next one must not believe that they know of the rows and changes before. What the plan
 * rests on is read again, because this changes it. */
static void install_capture(struct rounds *rounds)
{
    struct error err;

    for (size_t i = 0; i < rounds->open; i++) {
        struct task *task = rounds->tasks[i];
        bool broken = task->plan.capture.broken;
        if (task_failed(task) || !(broken || has_lost_shadow(task)))
            continue;
        if (!tracking_invalidate(rounds->tracking, task->table->name, &err) ||
            (broken && !capture_install(rounds->source, task->table, &err)) ||
            !tracking_load(rounds->tracking, task->table->name, &task->source.watermark, &err))
            fail(rounds, task, &err);
    }
}

/* While the source is read in its snapshot, the state has to be written beside it. */
static bool part_from_source(struct rounds *rounds, struct error *err)
{
    bool work = false;

    for (size_t i = 0; i < rounds->open; i++)
        work = work || (!task_failed(rounds->tasks[i]) && task_has_work(rounds->tasks[i]));
    return !work || tracking_part(rounds->tracking, rounds->deployment->config->state_path, err);
}

static bool read_tables(struct rounds *rounds, struct error *err)
{
    struct reading reading = {
        .deployment = rounds->deployment,
        .source = rounds->source,
        .workers = rounds->workers,
        .tasks = rounds->tasks,
        .count = rounds->open,
        .dry_run = rounds->dry_run,
    };
    bool ok = part_from_source(rounds, err) && reading_run(&reading, err);

    rounds->snapshot_us = reading.taken_us;
    return ok;
}

static bool is_larger(const struct task *a, const struct task *b)
{
    return batch_bytes(&a->batch) > batch_bytes(&b->batch);
}

/* The largest first, so that the pass ends soon after its slowest table. For a few dozen tables an
 * insertion sort is enough. */
static void sort_by_size(struct rounds *rounds)
{
    for (size_t i = 1; i < rounds->open; i++) {
        struct task *task = rounds->tasks[i];
        size_t at = i;
        for (; at > 0 && is_larger(task, rounds->tasks[at - 1]); at--)
            rounds->tasks[at] = rounds->tasks[at - 1];
        rounds->tasks[at] = task;
    }
}

static void commit(struct rounds *rounds)
{
    sort_by_size(rounds);
    if (!rounds->deployment->config->sync_atomic) {
        run_step(rounds, task_has_work, table_commit);
        return;
    }
    const struct transaction_snapshot snapshot = {
        .run_id = rounds->run_id, .taken_us = rounds->snapshot_us};
    transaction_commit(rounds->workers, rounds->tasks, rounds->open, &snapshot);
}

/* A dry run ends where sending would begin: what was read is counted as what would be inserted or
 * merged. */
static void finish_dry(struct rounds *rounds)
{
    for (size_t i = 0; i < rounds->open; i++) {
        struct task *task = rounds->tasks[i];
        if (task_failed(task) || !task_has_work(task))
            continue;
        task->outcome->status = task->plan.only_state ? TABLE_UNCHANGED : TABLE_SYNCED;
        task->outcome->rows_inserted = task->batch.new_rows;
        task->outcome->rows_updated = task->batch.changed_rows;
        task->outcome->rows_unfit = task->batch.unfit_rows;
    }
}

static bool run_round(struct rounds *rounds, bool first, struct error *err)
{
    plan(rounds, first);
    if (!rounds->dry_run) {
        settle_doubts(rounds);
        run_step(rounds, is_to_prepare, target_prepare);
        remove_left_capture(rounds);
        install_capture(rounds);
    }
    if (!read_tables(rounds, err))
        return false;
    if (rounds->dry_run)
        finish_dry(rounds);
    else
        commit(rounds);
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
        warehouse->label.generation = task_next_generation(task);
        warehouse->created = false;
    }
    if (warehouse->history.log_created)
        warehouse->history.log_exists = true;
    warehouse->prepared = false;
    batch_clear(&task->batch);
    free(task->intent);
    task->intent = NULL;
    task->outdated = NULL;
}

static void give_up(struct rounds *rounds, struct task *task)
{
    struct error why;

    error_set(
        &why, ERROR_CONFLICT,
        "while %s was being synced, %s; that happened %d times in a row. Sync again when it has "
        "ended",
        task->table->name, task->outdated, ROUNDS_MAX);
    fail(rounds, task, &why);
}

/* Puts the tables that have to be planned again first, as the only ones that are open. A
 * transaction is of all tables or none. */
static void keep_outdated(struct rounds *rounds, bool last)
{
    bool all = false;
    size_t open = 0;

    for (size_t i = 0; i < rounds->open; i++)
        all =
            all || (rounds->deployment->config->sync_atomic && task_is_outdated(rounds->tasks[i]));
    for (size_t i = 0; i < rounds->open; i++) {
        struct task *task = rounds->tasks[i];
        if (task_failed(task) || !(all || task_is_outdated(task)))
            continue;
        if (last && task_is_outdated(task))
            give_up(rounds, task);
        if (last)
            continue;
        start_over(task);
        rounds->tasks[i] = rounds->tasks[open];
        rounds->tasks[open++] = task;
    }
    rounds->open = open;
}

bool rounds_run(struct rounds *rounds, struct error *err)
{
    for (int round = 1; rounds->open > 0; round++) {
        if (!run_round(rounds, round == 1, err))
            return false;
        keep_outdated(rounds, round == ROUNDS_MAX);
    }
    return true;
}
