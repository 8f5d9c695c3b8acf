/* scheduler_world: a scheduler of two tables on a clock that stands still, with passes that end
 * when the test says so. */
#ifndef TESTS_UNIT_SERVICE_SCHEDULER_WORLD_H
#define TESTS_UNIT_SERVICE_SCHEDULER_WORLD_H

#include "support/prelude.h"

#include "service/scheduler.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US   INT64_C(1000000)
#define HOUR (3600 * US)
/* 2026-05-01 10:00:00 UTC, 15:30 in India. */
#define START (INT64_C(1777629600) * US)

static const struct table users = {.name = "users", .target = "users"};
static const struct table tasks = {.name = "tasks", .target = "tasks"};
static const struct table *const tables[] = {&users, &tasks};

/* A clock that stands still, and passes that end when the test says so. */
struct world {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int64_t now_us;
    int started;         /* passes */
    int allowed;         /* to end */
    enum error_code end; /* how they end */
    struct pass_options last;
    char last_table[32];
    int64_t commit_ms;          /* of the first commit that is not covered, FOLLOW_NEVER */
    const struct table *broken; /* fails in each pass */
    enum error_code broken_by;
    int64_t bills[2]; /* what a pass bills for each table */
    struct spending spending;
    int ended;
    int postponed;
    struct clock clock;
    struct scheduler *scheduler;
};

static inline int64_t world_wall(void *context)
{
    struct world *world = context;

    pthread_mutex_lock(&world->mutex);
    int64_t now_us = world->now_us;
    pthread_mutex_unlock(&world->mutex);
    return now_us;
}

static inline int64_t world_monotonic_ms(void *context)
{
    return world_wall(context) / 1000;
}

static inline int64_t world_commit_ms(void *context)
{
    struct world *world = context;

    pthread_mutex_lock(&world->mutex);
    int64_t commit_ms = world->commit_ms;
    pthread_mutex_unlock(&world->mutex);
    return commit_ms;
}

static inline void commit_now(struct world *world)
{
    pthread_mutex_lock(&world->mutex);
    world->commit_ms = world->now_us / 1000;
    pthread_mutex_unlock(&world->mutex);
    scheduler_committed(world->scheduler);
}

static inline void run(
    void *context, const struct pass_options *options, struct run_result *out_result)
{
    struct world *world = context;
    const struct table *const *wanted = options->tables != NULL ? options->tables : tables;
    size_t count = options->tables != NULL ? options->table_count : 2;

    *out_result = (struct run_result){.kind = options->kind, .started_us = world_wall(world)};
    strcpy(out_result->id, options->run_id);
    out_result->table_count = count;
    out_result->tables = calloc(count + 1, sizeof *out_result->tables);
    for (size_t i = 0; i < count; i++) {
        out_result->tables[i].table = wanted[i];
        out_result->tables[i].status = wanted[i] == world->broken ? TABLE_FAILED : TABLE_UNCHANGED;
        out_result->tables[i].error.code =
            wanted[i] == world->broken ? world->broken_by : ERROR_NONE;
        out_result->tables[i].bytes_billed = world->bills[wanted[i] == &tasks];
    }
    struct error err;
    assert_true(progress_begin(options->progress, out_result, &err));

    pthread_mutex_lock(&world->mutex);
    world->last = *options;
    world->last_table[0] = '\0';
    if (options->tables != NULL)
        strcpy(world->last_table, options->tables[0]->name);
    if (world->end == ERROR_NONE && (options->tables == NULL || options->follow))
        world->commit_ms = FOLLOW_NEVER;
    world->started++;
    pthread_cond_broadcast(&world->changed);
    while (world->allowed < world->started)
        pthread_cond_wait(&world->changed, &world->mutex);
    if (world->end != ERROR_NONE)
        error_set(&out_result->error, world->end, "as the test wanted");
    pthread_mutex_unlock(&world->mutex);
    out_result->finished_us = world_wall(world);
}

static inline void ended(void *context, const struct run_result *result, bool postponed)
{
    struct world *world = context;

    (void)result;
    pthread_mutex_lock(&world->mutex);
    world->ended++;
    world->postponed += postponed ? 1 : 0;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

static inline bool world_budget(void *context, struct spending *out_spending)
{
    const struct world *world = context;

    *out_spending = world->spending;
    return world->spending.budget > 0;
}

/* Waits for a condition on the world for a minute at most. */
static inline void wait_for(struct world *world, const int *counter, int value)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&world->mutex);
    while (*counter < value)
        if (pthread_cond_timedwait(&world->changed, &world->mutex, &until) != 0)
            break;
    int reached = *counter;
    pthread_mutex_unlock(&world->mutex);
    assert_int_equal(reached, value);
}

static inline void allow(struct world *world, int count)
{
    pthread_mutex_lock(&world->mutex);
    world->allowed += count;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

/* Until the scheduler has taken note of the end of a pass. */
static inline void wait_idle(struct world *world)
{
    for (;;) {
        cJSON *running = scheduler_running(world->scheduler);
        if (running == NULL)
            return;
        cJSON_Delete(running);
        sched_yield();
    }
}

/* The scheduler looks at its clock at least once a second. */
static inline void advance(struct world *world, int64_t us)
{
    pthread_mutex_lock(&world->mutex);
    world->now_us += us;
    pthread_mutex_unlock(&world->mutex);
}

static const struct config settings = {
    .project = "p",
    .dataset = "d",
    .sqlite_path = "/tmp/app.db",
    .sync_interval_ms = 900000,
    .daily_minute = 7 * 60 + 30,
    .timezone = "Asia/Kolkata",
};

static inline struct world *begin(const struct config *config, int64_t full_since_us)
{
    struct world *world = calloc(1, sizeof *world);
    struct error err;

    pthread_mutex_init(&world->mutex, NULL);
    pthread_cond_init(&world->changed, NULL);
    world->now_us = START;
    world->commit_ms = FOLLOW_NEVER;
    world->clock =
        (struct clock){.context = world, .wall_us = world_wall, .monotonic_ms = world_monotonic_ms};
    expect_ok(scheduler_new(
        &(struct scheduler_options){
            .ops =
                {.context = world,
                 .run = run,
                 .ended = ended,
                 .commit_since_ms = world_commit_ms,
                 .budget = world_budget},
            .tables = tables,
            .table_count = 2,
            .clock = &world->clock,
            .config = config,
            .full_since_us = full_since_us,
        },
        &world->scheduler, &err));
    expect_ok(scheduler_start(world->scheduler, &err));
    return world;
}

static inline void end(struct world *world)
{
    scheduler_stop(world->scheduler);
    allow(world, 1000);
    assert_true(scheduler_join(world->scheduler, 10000));
    scheduler_free(world->scheduler);
    pthread_mutex_destroy(&world->mutex);
    pthread_cond_destroy(&world->changed);
    free(world);
}

/* Past the incremental pass of the start. */
static inline struct world *begin_idle(const struct config *config)
{
    struct world *world = begin(config, SCHEDULE_NEVER);

    allow(world, 1);
    wait_for(world, &world->ended, 1);
    wait_idle(world);
    return world;
}

#endif
