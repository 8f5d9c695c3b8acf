#include "sync/gather.h"

#include "source/capture.h"
#include "source/shadow.h"
#include "sync/extract.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A pass compresses on at most so many threads besides the one that reads. */
#define COMPRESSORS_MAX 4

static bool is_unprepared(const struct task *task)
{
    return task_has_work(task) && !task->prepared &&
           (task->batch.rows > 0 || task->work == WORK_REPLACE);
}

static bool is_to_reread(const struct task *task)
{
    return task->reread;
}

static void fail(struct gather *gather, struct task *task, const struct error *why)
{
    crew_fail(gather->dry_run ? NULL : &gather->crew->appliers[0], task, why);
}

/* What a scan writes to the state has to be written before the snapshot (source/shadow.h). */
static void settle_shadows(struct gather *gather)
{
    struct error err;

    for (size_t i = 0; i < gather->count; i++) {
        struct task *task = gather->tasks[i];
        if (task_failed(task) || !task_has_work(task) || task->capture != TASK_SCAN)
            continue;
        if (!shadow_settle(gather->engine->config->state_path, task->table, &err))
            fail(gather, task, &err);
    }
}

/* Seals the wanted tables and opens the snapshot in which all of them are read. */
static bool open_snapshot(
    struct gather *gather, bool (*wanted)(const struct task *task), size_t *out_count,
    struct error *err)
{
    const struct table **tables = calloc(gather->count + 1, sizeof *tables);
    struct source_shape *shapes = calloc(gather->count + 1, sizeof *shapes);
    struct position *positions = calloc(gather->count + 1, sizeof *positions);
    size_t count = 0;
    bool ok = false;

    if (tables == NULL || shapes == NULL || positions == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory");
        goto cleanup;
    }
    for (size_t i = 0; i < gather->count; i++) {
        struct task *task = gather->tasks[i];
        if (task_failed(task) || !wanted(task))
            continue;
        tables[count] = task->table;
        shapes[count++] = task->shape;
    }
    bool write = gather->engine->config->state_is_source && !gather->dry_run;
    *out_count = count;
    if (count > 0 && !capture_seal(gather->source, tables, shapes, count, write, positions, err))
        goto cleanup;

    size_t at = 0;
    for (size_t i = 0; i < gather->count; i++) {
        struct task *task = gather->tasks[i];
        if (!task_failed(task) && wanted(task))
            task->position = positions[at++];
    }
    ok = true;

cleanup:
    free(tables);
    free(shapes);
    free(positions);
    return ok;
}

static int compressors(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores <= 1 ? 0 : cores - 1 > COMPRESSORS_MAX ? COMPRESSORS_MAX : (int)(cores - 1);
}

/* All wanted tables in one snapshot. It is let go before anything is sent, so that neither a slow
 * network nor a busy BigQuery keeps SQLite from checkpointing. */
static bool extract(
    struct gather *gather, bool (*wanted)(const struct task *task), struct error *err)
{
    const struct clock *clock = gather->engine->clock;
    struct extract_options options = {
        .state_path = gather->dry_run ? NULL : gather->engine->config->state_path,
        .shadow_path = gather->engine->config->state_path,
        .board = gather->board,
        .compressors = compressors(),
        .staging_only = gather->engine->config->sync_atomic,
        .discard = gather->dry_run,
    };
    size_t count = 0;

    if (!open_snapshot(gather, wanted, &count, err))
        return false;
    gather->taken_us = clock->wall_us(clock->context);
    for (size_t i = 0; i < gather->count; i++) {
        struct task *task = gather->tasks[i];
        struct error why;
        if (task_failed(task) || !wanted(task))
            continue;
        int64_t began = clock->monotonic_ms(clock->context);
        bool ok = extract_table(gather->source, &options, task, &why);
        task->result->duration_ms += clock->monotonic_ms(clock->context) - began;
        if (!ok)
            fail(gather, task, &why);
        else if (task->work == WORK_CHANGES)
            task->result->way = task->batch.staging ? WAY_MERGE : WAY_APPEND;
        else
            task->result->way = WAY_REPLACE;
    }
    if (count > 0)
        database_rollback(gather->source);
    return true;
}

/* A scan that found nothing, and nothing is left of an earlier pass that a sync would clear. */
static bool is_idle_scan(const struct task *task)
{
    return task->capture == TASK_SCAN && task->work == WORK_CHANGES && task->batch.rows == 0 &&
           task->result->rows_rejected == 0 && !task->had_rejects &&
           task->progress.last_error[0] == '\0';
}

/* A file that was made for a target as the definition has it, while the target has been relaxed by
 * hand. */
static bool is_misfit(const struct task *task)
{
    if (!task->batch.guessed || task->batch.rows == 0 || task->nullable == NULL)
        return false;
    for (size_t i = 0; i < task->table->column_count; i++)
        if (task->nullable[i] == task->table->columns[i].required)
            return true;
    return false;
}

/* Scans that found nothing. */
static void drop_idle(struct gather *gather)
{
    for (size_t i = 0; i < gather->count; i++) {
        struct task *task = gather->tasks[i];
        if (task_failed(task) || !is_idle_scan(task))
            continue;
        batch_clear(&task->batch);
        task->work = WORK_NONE;
        task->result->status = TABLE_UNCHANGED;
    }
}

/* Scans that found work for a target that has not been looked at yet. */
static bool follow_scans(struct gather *gather, struct error *err)
{
    bool again = false;

    crew_run(gather->crew, gather->tasks, gather->count, is_unprepared, gather->prepare);
    for (size_t i = 0; i < gather->count; i++) {
        struct task *task = gather->tasks[i];
        task->reread = !task_failed(task) && is_misfit(task);
        again = again || task->reread;
        if (task->reread)
            batch_clear(&task->batch);
    }
    return !again || extract(gather, is_to_reread, err);
}

bool gather_read(struct gather *gather, struct error *err)
{
    if (!gather->dry_run)
        settle_shadows(gather);
    if (!extract(gather, task_has_work, err))
        return false;
    drop_idle(gather);
    return gather->dry_run || follow_scans(gather, err);
}
