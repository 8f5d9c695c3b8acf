#include "sync/pass/reading.h"

#include "source/capture.h"
#include "source/shadow.h"
#include "sync/pass/codec_record.h"
#include "sync/pass/extract.h"
#include "sync/pass/plan.h"
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
        enum shadow_form form = shadow_form_of(&task->source.shape);
        if (!is_to_read(task) || !task_has_shadow(task))
            continue;
        if (!shadow_complete(deployment_state(reading->deployment), task->table, form, &err))
            workers_fail(&reading->workers->each[0], task, &err);
    }
}

/* Whether the snapshot has to cover tables that seem to have nothing to send. A transaction brings
 * BigQuery to one moment, so once any of its tables has work, one that was idle when it was planned
 * has to be looked at in the same snapshot: its rows may belong to rows that are sent. A scan that
 * may find nothing is not work yet, so that an idle pass seals nothing. */
static bool is_of_all(const struct reading *reading)
{
    if (!reading->deployment->config->sync_atomic || reading->dry_run)
        return false;
    for (size_t i = 0; i < reading->count; i++) {
        const struct plan *plan = &reading->tasks[i]->plan;
        if (is_to_read(reading->tasks[i]) && !plan->only_if_changed && !plan->only_state)
            return true;
    }
    return false;
}

static bool is_covered(const struct task *task, bool of_all)
{
    return is_to_read(task) || (of_all && !task_failed(task));
}

static bool has_triggers(const struct task *task)
{
    return task->plan.capture.by == CAPTURE_TRIGGERS;
}

/* Opens the snapshot in which all tables that are to be read are read. If any of them has triggers,
 * all are sealed before; a scan alone, which may find nothing, writes nothing. */
static bool open_snapshot(
    struct reading *reading, bool of_all, size_t *out_count, struct error *err)
{
    struct snapshot_table *tables = calloc(reading->count + 1, sizeof *tables);
    size_t count = 0;
    bool write = false;

    if (tables == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    for (size_t i = 0; i < reading->count; i++) {
        const struct task *task = reading->tasks[i];
        if (!is_covered(task, of_all))
            continue;
        tables[count++] =
            (struct snapshot_table){.table = task->table, .shape = &task->source.shape};
        write = write || has_triggers(task);
    }
    write = write && reading->deployment->config->state_is_source && !reading->dry_run;
    bool ok = count == 0 || (write ? capture_seal(reading->source, tables, count, err)
                                   : capture_snapshot(reading->source, tables, count, err));
    *out_count = count;
    size_t at = 0;
    for (size_t i = 0; ok && i < reading->count; i++) {
        struct task_source *known = &reading->tasks[i]->source;
        known->in_snapshot = is_covered(reading->tasks[i], of_all);
        if (known->in_snapshot)
            known->position = tables[at++].position;
    }
    free(tables);
    return ok;
}

/* False: the table failed, or it has to be planned again outside of the snapshot. */
static bool is_as_planned(const struct reading *reading, struct task *task)
{
    struct error err;

    if (!plan_check_schema(
            reading->deployment->config, reading->source, task, !reading->dry_run, &err))
        workers_fail_unnoted(task, &err);
    return !task_failed(task) && !task_is_outdated(task);
}

/* Plans the idle tables of a transaction in its snapshot. */
static void plan_idle(struct reading *reading)
{
    struct worker *worker = &reading->workers->each[0];
    struct error err;

    for (size_t i = 0; i < reading->count; i++) {
        struct task *task = reading->tasks[i];
        if (task_failed(task) || task->plan.mode != SEND_NOTHING || task->batch.complete)
            continue;
        if (is_as_planned(reading, task) &&
            !plan_table(
                reading->deployment->config, reading->source, worker->tracking, task, false, &err))
            workers_fail_unnoted(task, &err);
    }
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
        .state = deployment_state(reading->deployment),
        .progress = reading->workers->each[0].progress,
        .compressors = compressors(),
        .codec = reading->codec,
        .discard = reading->dry_run,
    };
    int64_t began = clock->monotonic_ms(clock->context);
    struct error err;

    bool ok = extract_table(reading->source, &options, task, &err);
    task->batch.taken_us = reading->taken_us;
    task->outcome->duration_ms += clock->monotonic_ms(clock->context) - began;
    if (!ok)
        workers_fail_unnoted(task, &err);
    else if (!task_has_work(task) && task->outcome->status != TABLE_SYNCED)
        task->outcome->status = TABLE_UNCHANGED;
}

/* All tables in one snapshot. It ends before anything is sent, so that neither a slow network nor a
 * busy BigQuery keeps SQLite from checkpointing. */
static bool read_snapshot(struct reading *reading, struct error *err)
{
    const struct clock *clock = reading->deployment->clock;
    bool of_all = is_of_all(reading);
    size_t count = 0;

    if (!open_snapshot(reading, of_all, &count, err))
        return false;
    reading->taken_us = clock->wall_us(clock->context);
    if (of_all)
        plan_idle(reading);
    for (size_t i = 0; i < reading->count; i++)
        if (is_to_read(reading->tasks[i]) && is_as_planned(reading, reading->tasks[i]))
            extract(reading, reading->tasks[i]);
    if (count > 0)
        database_rollback(reading->source);
    for (size_t i = 0; i < reading->count; i++)
        workers_note(&reading->workers->each[0], reading->tasks[i]);
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
    if (!task->batch.guessed || task->batch.rows == 0 || task->warehouse.fields == NULL)
        return false;
    for (size_t i = 0; i < task->table->column_count; i++)
        if (target_is_nullable(task, i) == task->table->columns[i].required)
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
        if (!task_failed(reading->tasks[i]))
            batch_clear(&reading->tasks[i]->batch);
}

/* A scan has found work for a transaction of which other tables were not in its snapshot. */
static bool is_partial(const struct reading *reading)
{
    bool work = false;
    bool outside = false;

    if (!reading->deployment->config->sync_atomic)
        return false;
    for (size_t i = 0; i < reading->count; i++) {
        const struct task *task = reading->tasks[i];
        if (task_failed(task))
            continue;
        work = work || (task_has_work(task) && !task->plan.only_state);
        outside = outside || !task->source.in_snapshot;
    }
    return work && outside;
}

/* What a scan decides by reading comes too late for the preparation of targets that precedes the
 * snapshot: that leaves the target of a scanned table alone, so that an idle pass makes one
 * request. So targets that turned out to be needed are prepared now, and a file that does not go
 * with what was found there is read again: in another snapshot, since the first is gone, and a
 * table that has changed in between is sent as it is then. A target is prepared once, so this
 * ends. */
static bool follow_up(struct reading *reading, struct error *err)
{
    const struct step prepare = {.wanted = is_unprepared, .run = target_prepare};

    for (;;) {
        workers_run(reading->workers, reading->tasks, reading->count, &prepare);
        bool misfits = discard_misfits(reading);
        if (!misfits && !is_partial(reading))
            return true;
        if (reading->deployment->config->sync_atomic)
            discard_all(reading);
        if (!read_snapshot(reading, err))
            return false;
    }
}

/* A pass that reads nothing does not ask. */
static bool load_codec(struct reading *reading, struct error *err)
{
    for (size_t i = 0; i < reading->count; i++)
        if (is_to_read(reading->tasks[i]))
            return codec_record_load(
                reading->deployment, reading->workers->each[0].tracking, &reading->codec, err);
    return true;
}

bool reading_run(struct reading *reading, struct error *err)
{
    if (!reading->dry_run)
        complete_shadows(reading);
    if (!load_codec(reading, err))
        return false;
    if (!read_snapshot(reading, err))
        return false;
    return reading->dry_run || follow_up(reading, err);
}
