#include "sync/pass/reading.h"

#include "source/capture.h"
#include "source/shadow.h"
#include "sync/pass/extract.h"
#include "sync/pass/target.h"

#include <stdlib.h>
#include <unistd.h>

/* Compressor threads of a pass, besides the thread that reads. */
#define COMPRESSORS_MAX 4

static bool is_to_read(const struct task *task)
{
    return !task_failed(task) && task_has_work(task) && !task->batch.complete;
}

/* What a shadow writes to the state has to be written before the snapshot (source/shadow.h). */
static void complete_shadows(struct reading *reading)
{
    struct error err;

    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
        bool keeps_keys = task->source.shape.keeps_keys;
        if (!is_to_read(task) || (task->plan.capture.by != CAPTURE_SCAN && !keeps_keys))
            continue;
        if (!shadow_complete(
                reading->deployment->config->state_path, task->table, keeps_keys, &err))
            workers_fail(&reading->workers->each[0], task, &err);
    }
}

/* Seals the tables that are to be read and opens the snapshot in which all of them are. */
static bool open_snapshot(struct reading *reading, size_t *out_count, struct error *err)
{
    struct snapshot_table *tables = calloc(reading->count + 1, sizeof *tables);
    size_t count = 0;

    if (tables == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < reading->count; i++) {
        const struct task *task = reading->tasks[i];
        if (is_to_read(task))
            tables[count++] =
                (struct snapshot_table){.table = task->table, .shape = &task->source.shape};
    }
    bool write = reading->deployment->config->state_is_source && !reading->dry_run;
    bool ok = count == 0 || (write ? capture_seal(reading->source, tables, count, err)
                                   : capture_snapshot(reading->source, tables, count, err));
    *out_count = count;
    size_t at = 0;
    for (size_t i = 0; ok && i < reading->count; i++)
        if (is_to_read(reading->tasks[i]))
            reading->tasks[i]->source.position = tables[at++].position;
    free(tables);
    return ok;
}

static int compressors(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores <= 1 ? 0 : cores - 1 > COMPRESSORS_MAX ? COMPRESSORS_MAX : (int)(cores - 1);
}

static void extract(struct reading *reading, struct task *task)
{
    const struct clock *clock = reading->deployment->clock;
    const struct extract_options options = {
        .state_path = reading->deployment->config->state_path,
        .progress = reading->workers->each[0].progress,
        .compressors = compressors(),
        .discard = reading->dry_run,
    };
    int64_t began = clock->monotonic_ms(clock->context);
    struct error err;

    bool ok = extract_table(reading->source, &options, task, &err);
    task->outcome->duration_ms += clock->monotonic_ms(clock->context) - began;
    if (!ok)
        workers_fail(&reading->workers->each[0], task, &err);
    else if (!task_has_work(task))
        task->outcome->status = TABLE_UNCHANGED;
}

/* All tables in one snapshot. It ends before anything is sent, so that neither a slow network nor a
 * busy BigQuery keeps SQLite from checkpointing. */
static bool read_snapshot(struct reading *reading, struct error *err)
{
    const struct clock *clock = reading->deployment->clock;
    size_t count = 0;

    if (!open_snapshot(reading, &count, err))
        return false;
    reading->taken_us = clock->wall_us(clock->context);
    for (size_t i = 0; i < reading->count; i++)
        if (is_to_read(reading->tasks[i]))
            extract(reading, reading->tasks[i]);
    if (count > 0)
        database_rollback(reading->source);
    return true;
}

/* A scan that found rows for a target that nobody has looked at yet. */
static bool is_unprepared(const struct task *task)
{
    return task_has_work(task) && !task->warehouse.prepared &&
           (task->batch.rows > 0 || task->batch.mode == SEND_REPLACE);
}

/* A file that was made for a target as the definition has it, while the target has been relaxed by
 * hand. */
static bool is_misfit(const struct task *task)
{
    const bool *nullable = task->warehouse.nullable;

    if (!task->batch.guessed || task->batch.rows == 0 || nullable == NULL)
        return false;
    for (size_t i = 0; i < task->table->column_count; i++)
        if (nullable[i] == task->table->columns[i].required)
            return true;
    return false;
}

/* Discards files that do not fit their targets. Returns whether any table has to be read again: one
 * of these, or one whose plan was revised when its target was looked at. */
static bool discard_misfits(struct reading *reading)
{
    bool any = false;

    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
        if (is_misfit(task))
            batch_clear(&task->batch);
        any = any || is_to_read(task);
    }
    return any;
}

/* The tables of a transaction have to come from one snapshot. */
static void discard_all(struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++)
        if (reading->tasks[i]->plan.mode != SEND_NOTHING)
            batch_clear(&reading->tasks[i]->batch);
}

/* What a scan decides by reading comes too late for the preparation of targets that precedes the
 * snapshot: that leaves the target of a scanned table alone, so that an idle pass makes one
 * request. So targets that turned out to be needed are prepared now, and a file that does not go
 * with what was found there is read again: in a second snapshot, since the first is gone, and a
 * table that has changed in between is sent as it is then. */
static bool follow_up(struct reading *reading, struct error *err)
{
    const struct step prepare = {.wanted = is_unprepared, .run = target_prepare};

    workers_run(reading->workers, reading->tasks, reading->count, &prepare);
    if (!discard_misfits(reading))
        return true;
    if (reading->deployment->config->sync_atomic)
        discard_all(reading);
    return read_snapshot(reading, err);
}

bool reading_run(struct reading *reading, struct error *err)
{
    if (!reading->dry_run)
        complete_shadows(reading);
    if (!read_snapshot(reading, err))
        return false;
    return reading->dry_run || follow_up(reading, err);
}
