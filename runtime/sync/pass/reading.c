#include "sync/pass/reading.h"

#include "source/capture.h"
#include "source/shadow.h"
#include "sync/pass/extract.h"

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

static void fail(struct reading *reading, struct task *task, const struct error *why)
{
    workers_fail(reading->dry_run ? NULL : &reading->workers->each[0], task, why);
}

/* What a scan writes to the state has to be written before the snapshot (source/shadow.h). */
static void settle_shadows(struct reading *reading)
{
    struct error err;

    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
        if (task_failed(task) || !task_has_work(task) || task->capture != TASK_SCAN)
            continue;
        if (!shadow_settle(reading->deployment->config->state_path, task->table, &err))
            fail(reading, task, &err);
    }
}

/* Seals the wanted tables and opens the snapshot in which all of them are read. */
static bool open_snapshot(
    struct reading *reading, bool (*wanted)(const struct task *task), size_t *out_count,
    struct error *err)
{
    const struct table **tables = calloc(reading->count + 1, sizeof *tables);
    struct source_shape *shapes = calloc(reading->count + 1, sizeof *shapes);
    struct position *positions = calloc(reading->count + 1, sizeof *positions);
    size_t count = 0;
    bool ok = false;

    if (tables == NULL || shapes == NULL || positions == NULL) {
        error_set(err, ERROR_MEMORY, "out of memory");
        goto cleanup;
    }
    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
        if (task_failed(task) || !wanted(task))
            continue;
        tables[count] = task->table;
        shapes[count++] = task->shape;
    }
    bool write = reading->deployment->config->state_is_source && !reading->dry_run;
    *out_count = count;
    if (count > 0 && !capture_seal(reading->source, tables, shapes, count, write, positions, err))
        goto cleanup;

    size_t at = 0;
    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
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
    struct reading *reading, bool (*wanted)(const struct task *task), struct error *err)
{
    const struct clock *clock = reading->deployment->clock;
    struct extract_options options = {
        .state_path = reading->dry_run ? NULL : reading->deployment->config->state_path,
        .shadow_path = reading->deployment->config->state_path,
        .progress = reading->progress,
        .compressors = compressors(),
        .staging_only = reading->deployment->config->sync_atomic,
        .discard = reading->dry_run,
    };
    size_t count = 0;

    if (!open_snapshot(reading, wanted, &count, err))
        return false;
    reading->taken_us = clock->wall_us(clock->context);
    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
        struct error why;
        if (task_failed(task) || !wanted(task))
            continue;
        int64_t began = clock->monotonic_ms(clock->context);
        bool ok = extract_table(reading->source, &options, task, &why);
        task->result->duration_ms += clock->monotonic_ms(clock->context) - began;
        if (!ok)
            fail(reading, task, &why);
        else if (task->work == WORK_CHANGES)
            task->result->mode = task->batch.staging ? SEND_MERGE : SEND_APPEND;
        else
            task->result->mode = SEND_REPLACE;
    }
    if (count > 0)
        database_rollback(reading->source);
    return true;
}

/* A scan that found nothing, and nothing is left of an earlier pass that a sync would clear. */
static bool is_idle_scan(const struct task *task)
{
    return task->capture == TASK_SCAN && task->work == WORK_CHANGES && task->batch.rows == 0 &&
           task->result->rows_rejected == 0 && !task->had_rejects &&
           task->watermark.last_error[0] == '\0';
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
static void drop_idle(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
        if (task_failed(task) || !is_idle_scan(task))
            continue;
        batch_clear(&task->batch);
        task->work = WORK_NONE;
        task->result->status = TABLE_UNCHANGED;
    }
}

/* Scans that found work for a target that has not been looked at yet. */
static bool follow_scans(struct reading *reading, struct error *err)
{
    bool again = false;

    workers_run(reading->workers, reading->tasks, reading->count, is_unprepared, reading->prepare);
    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
        task->reread = !task_failed(task) && is_misfit(task);
        again = again || task->reread;
        if (task->reread)
            batch_clear(&task->batch);
    }
    return !again || extract(reading, is_to_reread, err);
}

bool reading_run(struct reading *reading, struct error *err)
{
    if (!reading->dry_run)
        settle_shadows(reading);
    if (!extract(reading, task_has_work, err))
        return false;
    drop_idle(reading);
    return reading->dry_run || follow_scans(reading, err);
}
