#include "sync/crew.h"

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* One more worker with its two connections. */
static bool open_worker(struct crew *crew, struct error *err)
{
    const struct engine *engine = crew->engine;
    const char *state = engine->config->state_path;
    struct applier *applier = &crew->appliers[crew->count];

    *applier = (struct applier){
        .clock = engine->clock,
        .project = engine->config->project,
        .dataset = engine->config->dataset,
        .board = crew->board,
        .tracking = calloc(1, sizeof *applier->tracking),
    };
    if (applier->tracking == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (!(crew->reads_only ? tracking_open_read(state, applier->tracking, err)
                           : tracking_open(state, applier->tracking, err))) {
        free(applier->tracking);
        return false;
    }
    const char *location = crew->location[0] == '\0' ? NULL : crew->location;
    if (!engine_bigquery(engine, location, crew->run_id, &applier->bigquery, err)) {
        tracking_close(applier->tracking);
        free(applier->tracking);
        return false;
    }
    crew->count++;
    return true;
}

bool crew_open(
    struct crew *crew, const struct engine *engine, size_t size, const char *run_id,
    struct board *board, bool reads_only, struct error *err)
{
    *crew = (struct crew){
        .appliers = calloc(size, sizeof *crew->appliers),
        .size = size,
        .engine = engine,
        .run_id = run_id,
        .board = board,
        .reads_only = reads_only,
    };
    if (crew->appliers == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory");
    if (open_worker(crew, err))
        return true;
    crew_close(crew);
    return false;
}

void crew_set_location(struct crew *crew, const char *location)
{
    snprintf(crew->location, sizeof crew->location, "%s", location);
    for (size_t i = 0; i < crew->count; i++)
        bigquery_set_location(crew->appliers[i].bigquery, location);
}

void crew_close(struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++) {
        bigquery_close(crew->appliers[i].bigquery);
        tracking_close(crew->appliers[i].tracking);
        free(crew->appliers[i].tracking);
    }
    free(crew->appliers);
    *crew = (struct crew){0};
}

struct bigquery_counters crew_counters(const struct crew *crew)
{
    struct bigquery_counters sum = {0};

    for (size_t i = 0; i < crew->count; i++) {
        struct bigquery_counters one = bigquery_counters(crew->appliers[i].bigquery);
        traffic_add(&sum.traffic, &one.traffic);
        sum.bytes_sent += one.bytes_sent;
        sum.bytes_received += one.bytes_received;
    }
    return sum;
}

void crew_fail(struct applier *applier, struct task *task, const struct error *why)
{
    struct error ignored;

    task->result->status = TABLE_FAILED;
    task->result->error = *why;
    log_error(
        "table failed", LOG_TEXT("table", task->table->name),
        LOG_TEXT("code", error_code_name(why->code)), LOG_TEXT("error", why->message));
    if (applier != NULL &&
        !tracking_note(applier->tracking, task->table->name, why->message, &ignored))
        log_warn(
            "error not recorded", LOG_TEXT("table", task->table->name),
            LOG_TEXT("reason", ignored.message));
}

struct shift {
    struct task *const *tasks;
    size_t count;
    bool (*wanted)(const struct task *task);
    crew_step *step;
    atomic_size_t next;
};

struct worker {
    struct shift *shift;
    struct applier *applier;
    pthread_t thread;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct shift *shift = worker->shift;

    for (;;) {
        size_t i = atomic_fetch_add(&shift->next, 1);
        if (i >= shift->count)
            return NULL;
        struct task *task = shift->tasks[i];
        if (task_failed(task) || !shift->wanted(task))
            continue;

        struct error err;
        const struct clock *clock = worker->applier->clock;
        int64_t began = clock->monotonic_ms(clock->context);
        if (!shift->step(worker->applier, task, &err))
            crew_fail(worker->applier, task, &err);
        task->result->duration_ms += clock->monotonic_ms(clock->context) - began;
    }
}

void crew_run(
    struct crew *crew, struct task *const *tasks, size_t count,
    bool (*wanted)(const struct task *task), crew_step *step)
{
    struct shift shift = {.tasks = tasks, .count = count, .wanted = wanted, .step = step};
    size_t todo = 0;

    for (size_t i = 0; i < count; i++)
        if (!task_failed(tasks[i]) && wanted(tasks[i]))
            todo++;
    if (todo == 0)
        return;

    // The caller is the first worker; a connection that cannot be opened or a thread that cannot be
    // started is one worker less, not a failure.
    struct error ignored;
    while (crew->count < crew->size && crew->count < todo && open_worker(crew, &ignored))
        continue;
    struct worker *workers = calloc(crew->count + 1, sizeof *workers);
    size_t started = 0;
    while (workers != NULL && started + 1 < crew->count && started + 1 < todo) {
        workers[started] = (struct worker){&shift, &crew->appliers[started + 1], 0};
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0)
            break;
        started++;
    }
    work(&(struct worker){.shift = &shift, .applier = &crew->appliers[0]});
    for (size_t i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    free(workers);
}
