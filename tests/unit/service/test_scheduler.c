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

static int64_t world_wall(void *context)
{
    struct world *world = context;

    pthread_mutex_lock(&world->mutex);
    int64_t now_us = world->now_us;
    pthread_mutex_unlock(&world->mutex);
    return now_us;
}

static int64_t world_monotonic_ms(void *context)
{
    return world_wall(context) / 1000;
}

static int64_t world_commit_ms(void *context)
{
    struct world *world = context;

    pthread_mutex_lock(&world->mutex);
    int64_t commit_ms = world->commit_ms;
    pthread_mutex_unlock(&world->mutex);
    return commit_ms;
}

static void commit_now(struct world *world)
{
    pthread_mutex_lock(&world->mutex);
    world->commit_ms = world->now_us / 1000;
    pthread_mutex_unlock(&world->mutex);
    scheduler_committed(world->scheduler);
}

static void run(void *context, const struct pass_options *options, struct run_result *out_result)
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

static void ended(void *context, const struct run_result *result, bool postponed)
{
    struct world *world = context;

    (void)result;
    pthread_mutex_lock(&world->mutex);
    world->ended++;
    world->postponed += postponed ? 1 : 0;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

static bool world_budget(void *context, struct spending *out_spending)
{
    const struct world *world = context;

    *out_spending = world->spending;
    return world->spending.budget > 0;
}

/* Waits for a condition on the world for a minute at most. */
static void wait_for(struct world *world, const int *counter, int value)
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

static void allow(struct world *world, int count)
{
    pthread_mutex_lock(&world->mutex);
    world->allowed += count;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

/* Until the scheduler has taken note of the end of a pass. */
static void wait_idle(struct world *world)
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
static void advance(struct world *world, int64_t us)
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

static struct world *begin(const struct config *config, int64_t full_since_us)
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

static void end(struct world *world)
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
static struct world *begin_idle(const struct config *config)
{
    struct world *world = begin(config, SCHEDULE_NEVER);

    allow(world, 1);
    wait_for(world, &world->ended, 1);
    wait_idle(world);
    return world;
}

static void test_a_start_runs_an_incremental_pass_at_once(void **state)
{
    struct world *world = begin(&settings, SCHEDULE_NEVER);

    (void)state;
    wait_for(world, &world->started, 1);
    assert_int_equal(world->last.kind, RUN_INCREMENTAL);
    assert_false(world->last.full);
    end(world);
}

static void test_a_request_while_a_pass_runs_is_refused_with_the_id_in_the_way(void **state)
{
    struct world *world = begin(&settings, SCHEDULE_NEVER);
    char id[RUN_ID_SIZE];

    (void)state;
    wait_for(world, &world->started, 1);
    assert_int_equal(scheduler_request(world->scheduler, RUN_FULL, NULL, 0, id), SCHEDULER_BUSY);
    assert_string_equal(id, world->last.run_id);
    allow(world, 1);
    wait_for(world, &world->ended, 1);
    wait_idle(world);
    assert_int_equal(world->started, 1);
    end(world);
}

static void test_a_request_runs_at_once_under_the_id_it_was_given(void **state)
{
    struct world *world = begin_idle(&settings);
    char id[RUN_ID_SIZE];

    (void)state;
    assert_int_equal(
        scheduler_request(world->scheduler, RUN_TABLES, tables + 1, 1, id), SCHEDULER_ACCEPTED);
    wait_for(world, &world->started, 2);
    assert_string_equal(world->last.run_id, id);
    assert_int_equal(world->last.kind, RUN_TABLES);
    assert_string_equal(world->last_table, "tasks");
    cJSON *running = scheduler_running(world->scheduler);
    assert_string_equal(cJSON_GetObjectItem(running, "run_id")->valuestring, id);
    assert_string_equal(cJSON_GetObjectItem(running, "state")->valuestring, "running");
    cJSON_Delete(running);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    end(world);
}

static void test_the_next_pass_comes_when_the_clock_reaches_it(void **state)
{
    struct world *world = begin_idle(&settings);
    struct scheduler_view view;

    (void)state;
    scheduler_view(world->scheduler, &view);
    assert_string_equal(view.incremental_text, "every 15m");
    assert_string_equal(view.full_text, "07:30 Asia/Kolkata");
    advance(world, view.incremental_us - START);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    assert_int_equal(world->last.kind, RUN_INCREMENTAL);
    end(world);
}

static void test_the_daily_pass_is_a_full_one(void **state)
{
    struct world *world = begin_idle(&settings);
    struct scheduler_view view;

    (void)state;
    scheduler_view(world->scheduler, &view);
    // 02:00 UTC of the next day.
    assert_int_equal(view.full_us - START, INT64_C(16) * 3600 * US);
    advance(world, view.full_us - START);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    assert_int_equal(world->last.kind, RUN_FULL);
    assert_true(world->last.full);
    end(world);
}

static void test_a_scheduled_pass_that_finds_the_lock_taken_is_postponed(void **state)
{
    struct world *world = begin(&settings, SCHEDULE_NEVER);
    struct scheduler_view view;

    (void)state;
    pthread_mutex_lock(&world->mutex);
    world->end = ERROR_LOCKED;
    pthread_mutex_unlock(&world->mutex);
    allow(world, 1);
    wait_for(world, &world->ended, 1);
    wait_idle(world);
    assert_int_equal(world->postponed, 1);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.incremental_us, START + 5 * US);
    cJSON *recent = scheduler_recent(world->scheduler, SCHEDULER_RECENT_MAX);
    assert_int_equal(cJSON_GetArraySize(recent), 0);
    cJSON_Delete(recent);

    pthread_mutex_lock(&world->mutex);
    world->end = ERROR_NONE;
    pthread_mutex_unlock(&world->mutex);
    advance(world, 5 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    assert_int_equal(world->postponed, 1);
    end(world);
}

static void test_a_pass_asked_for_that_finds_the_lock_taken_has_failed(void **state)
{
    struct world *world = begin_idle(&settings);
    char id[RUN_ID_SIZE];

    (void)state;
    world->end = ERROR_LOCKED;
    allow(world, 1);
    scheduler_request(world->scheduler, RUN_FULL, NULL, 0, id);
    wait_for(world, &world->ended, 2);
    wait_idle(world);
    cJSON *recent = scheduler_recent(world->scheduler, SCHEDULER_RECENT_MAX);
    const cJSON *run_json = cJSON_GetArrayItem(recent, 0);
    assert_string_equal(cJSON_GetObjectItem(run_json, "run_id")->valuestring, id);
    assert_string_equal(cJSON_GetObjectItem(run_json, "state")->valuestring, "failed");
    cJSON_Delete(recent);
    end(world);
}

static void test_a_full_pass_that_could_not_reach_bigquery_is_tried_again_soon(void **state)
{
    struct world *world = begin_idle(&settings);
    struct scheduler_view view;

    (void)state;
    scheduler_view(world->scheduler, &view);
    world->end = ERROR_UNREACHABLE;
    int64_t due_us = view.full_us;
    advance(world, due_us - START);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    wait_idle(world);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.full_us, due_us + 60 * US);
    advance(world, 60 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 3);
    wait_idle(world);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.full_us, due_us + (60 + 120) * US);
    end(world);
}

static void test_sync_now_while_a_pass_runs_adds_one_more_however_often_it_is_asked(void **state)
{
    struct world *world = begin(&settings, SCHEDULE_NEVER);

    (void)state;
    wait_for(world, &world->started, 1);
    for (int i = 0; i < 5; i++)
        scheduler_sync_now(world->scheduler);
    allow(world, 1);
    wait_for(world, &world->started, 2);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    wait_idle(world);
    assert_int_equal(world->started, 2);
    end(world);
}

static void test_a_reload_changes_the_times_and_a_bad_one_changes_nothing(void **state)
{
    struct world *world = begin_idle(&settings);
    struct config changed = settings;
    struct scheduler_view view;
    struct error err;

    (void)state;
    changed.sync_interval_ms = 60000;
    changed.timezone = "Europe/Berlin";
    expect_ok(scheduler_reload(world->scheduler, &changed, &err));
    scheduler_view(world->scheduler, &view);
    assert_string_equal(view.incremental_text, "every 1m");
    assert_string_equal(view.full_text, "07:30 Europe/Berlin");
    assert_true(view.incremental_us <= START + 63 * US);

    changed.timezone = "Nowhere/Land";
    expect_error(scheduler_reload(world->scheduler, &changed, &err), ERROR_CONFIG, "Nowhere/Land");
    scheduler_view(world->scheduler, &view);
    assert_string_equal(view.full_text, "07:30 Europe/Berlin");
    end(world);
}

static void test_after_a_stop_nothing_starts_and_requests_are_refused(void **state)
{
    struct world *world = begin_idle(&settings);
    char id[RUN_ID_SIZE];

    (void)state;
    scheduler_stop(world->scheduler);
    assert_int_equal(
        scheduler_request(world->scheduler, RUN_FULL, NULL, 0, id), SCHEDULER_STOPPING);
    assert_true(scheduler_join(world->scheduler, 10000));
    assert_int_equal(world->started, 1);
    end(world);
}

static void test_a_pass_that_does_not_end_is_not_waited_for_forever(void **state)
{
    struct world *world = begin(&settings, SCHEDULE_NEVER);

    (void)state;
    wait_for(world, &world->started, 1);
    scheduler_stop(world->scheduler);
    assert_false(scheduler_join(world->scheduler, 50));
    end(world);
}

static void test_a_forecast_equals_what_a_scheduler_would_say(void **state)
{
    struct world *world = begin_idle(&settings);
    struct scheduler_view view;
    struct scheduler_view forecast;
    struct error err;

    (void)state;
    scheduler_view(world->scheduler, &view);
    expect_ok(scheduler_forecast(&settings, START, &forecast, &err));
    assert_int_equal(forecast.incremental_us, view.incremental_us);
    assert_int_equal(forecast.full_us, view.full_us);
    assert_string_equal(forecast.full_text, view.full_text);
    end(world);
}

/* --- commits that are followed ------------------------------------------------------------ */

static struct world *begin_following(void)
{
    struct config follows = settings;

    follows.sync_follow_ms = 2000;
    // So long that no regular pass comes between.
    follows.sync_interval_ms = INT64_C(86400000);
    return begin_idle(&follows);
}

static int64_t follow_us(struct world *world)
{
    struct scheduler_view view;

    scheduler_view(world->scheduler, &view);
    return view.follow_us;
}

static void test_a_commit_is_followed_after_the_delay_and_the_interval_goes_on(void **state)
{
    struct world *world = begin_following();
    struct scheduler_view view;

    (void)state;
    scheduler_view(world->scheduler, &view);
    assert_string_equal(view.follow_text, "2s after a commit");
    assert_int_equal(view.follow_us, SCHEDULE_NEVER);
    int64_t interval_us = view.incremental_us;
    commit_now(world);
    assert_int_equal(follow_us(world), START + 2 * US);
    // The first commit starts the delay, and the time of the next one changes nothing.
    advance(world, 2 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    wait_idle(world);
    assert_int_equal(world->last.kind, RUN_INCREMENTAL);
    assert_true(world->last.follow);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.follow_us, SCHEDULE_NEVER);
    assert_int_equal(view.incremental_us, interval_us);
    advance(world, interval_us - START);
    allow(world, 1);
    wait_for(world, &world->ended, 3);
    assert_false(world->last.follow);
    end(world);
}

static void test_commits_wait_after_a_failed_pass(void **state)
{
    static const enum error_code codes[] = {ERROR_UNREACHABLE, ERROR_AUTH};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world *world = begin_following();
        world->end = codes[i];
        commit_now(world);
        advance(world, 2 * US);
        allow(world, 1);
        wait_for(world, &world->ended, 2);
        wait_idle(world);
        assert_int_equal(follow_us(world), START + 62 * US);
        commit_now(world);
        assert_int_equal(follow_us(world), START + 62 * US);
        // The pass that is tried again fails as well.
        advance(world, 60 * US);
        allow(world, 1);
        wait_for(world, &world->ended, 3);
        wait_idle(world);
        assert_int_equal(follow_us(world), START + (62 + 120) * US);
        pthread_mutex_lock(&world->mutex);
        world->end = ERROR_NONE;
        pthread_mutex_unlock(&world->mutex);
        advance(world, 120 * US);
        allow(world, 1);
        wait_for(world, &world->ended, 4);
        wait_idle(world);
        assert_int_equal(follow_us(world), SCHEDULE_NEVER);
        commit_now(world);
        assert_int_equal(follow_us(world), START + (62 + 120 + 2) * US);
        end(world);
    }
}

static void test_a_commit_waits_while_the_lock_is_taken(void **state)
{
    struct world *world = begin_following();

    (void)state;
    world->end = ERROR_LOCKED;
    commit_now(world);
    advance(world, 2 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    wait_idle(world);
    assert_int_equal(world->postponed, 1);
    assert_int_equal(follow_us(world), START + 7 * US);
    end(world);
}

static void test_a_table_that_failed_is_left_out_until_all_are_tried_again(void **state)
{
    struct world *world = begin_following();
    struct scheduler_view view;

    (void)state;
    world->broken = &users;
    commit_now(world);
    advance(world, 2 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    wait_idle(world);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.incremental_us, START + 62 * US);
    // The other tables are followed as before.
    commit_now(world);
    advance(world, 2 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 3);
    wait_idle(world);
    assert_int_equal(world->last.kind, RUN_TABLES);
    assert_string_equal(world->last_table, "tasks");
    assert_int_equal(world->last.table_count, 1);
    advance(world, 58 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 4);
    wait_idle(world);
    assert_null(world->last.tables);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.incremental_us, START + (62 + 120) * US);
    // Once it is well, it is followed again.
    pthread_mutex_lock(&world->mutex);
    world->broken = NULL;
    pthread_mutex_unlock(&world->mutex);
    advance(world, 120 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 5);
    wait_idle(world);
    commit_now(world);
    advance(world, 2 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 6);
    assert_int_equal(world->last.kind, RUN_INCREMENTAL);
    assert_null(world->last.tables);
    end(world);
}

/* 14 hours before the next UTC day, with 1,400 MiB of 3,000 left: 100 MiB last an hour. */
static const struct spending running_out = {
    .budget = INT64_C(3000) << 20,
    .today = INT64_C(1600) << 20,
    .day_ends_us = START + 14 * HOUR,
};

static void follow_one(struct world *world)
{
    int seen = world->ended;

    commit_now(world);
    advance(world, 2 * US);
    allow(world, 1);
    wait_for(world, &world->ended, seen + 1);
    wait_idle(world);
}

static void test_while_the_budget_runs_out_tables_that_bill_are_followed_less_often(void **state)
{
    struct world *world = begin_following();
    struct scheduler_view view;

    (void)state;
    world->bills[0] = INT64_C(100) << 20;
    world->spending = running_out;
    // Of the budget of which half is left, a pass takes nothing that others would need.
    world->spending.today = INT64_C(1500) << 20;
    follow_one(world);
    scheduler_view(world->scheduler, &view);
    assert_true(view.slowed_until_us == SCHEDULE_NEVER);
    follow_one(world);
    assert_null(world->last.tables);

    world->spending = running_out;
    world->spending.day_ends_us += 6 * US;
    follow_one(world);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.slowed_until_us, START + 6 * US + HOUR);
    // The table that bills nothing is followed as before.
    world->bills[0] = 0;
    follow_one(world);
    assert_int_equal(world->last.kind, RUN_TABLES);
    assert_string_equal(world->last_table, "tasks");
    assert_int_equal(world->last.table_count, 1);
    // What was left out is synced when the hour is over.
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.incremental_us, START + 6 * US + HOUR);
    advance(world, HOUR - 2 * US);
    allow(world, 1);
    wait_for(world, &world->ended, 6);
    wait_idle(world);
    assert_null(world->last.tables);
    assert_false(world->last.follow);
    scheduler_view(world->scheduler, &view);
    assert_true(view.slowed_until_us == SCHEDULE_NEVER);
    follow_one(world);
    assert_null(world->last.tables);
    end(world);
}

static void test_if_all_tables_bill_commits_wait_while_the_budget_runs_out(void **state)
{
    struct world *world = begin_following();
    struct scheduler_view view;

    (void)state;
    world->spending = running_out;
    world->spending.day_ends_us += 2 * US;
    world->bills[0] = world->bills[1] = INT64_C(50) << 20;
    follow_one(world);
    commit_now(world);
    assert_int_equal(follow_us(world), START + 2 * US + HOUR);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.slowed_until_us, START + 2 * US + HOUR);
    advance(world, HOUR);
    allow(world, 1);
    wait_for(world, &world->ended, 3);
    assert_true(world->last.follow);
    assert_null(world->last.tables);
    end(world);
}

static void test_tables_that_change_at_one_moment_are_slowed_down_together(void **state)
{
    struct config atomic = settings;
    struct scheduler_view view;

    (void)state;
    atomic.sync_follow_ms = 2000;
    atomic.sync_atomic = true;
    atomic.sync_interval_ms = 0;
    struct world *world = begin(&atomic, SCHEDULE_NEVER);
    world->spending = running_out;
    world->spending.day_ends_us += 2 * US;
    world->bills[0] = INT64_C(100) << 20;
    follow_one(world);
    commit_now(world);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.follow_us, START + 2 * US + HOUR);
    assert_true(view.incremental_us == SCHEDULE_NEVER);
    advance(world, HOUR);
    allow(world, 1);
    wait_for(world, &world->ended, 2);
    assert_null(world->last.tables);
    end(world);
}

static void test_a_table_that_waits_for_the_next_days_budget_is_not_tried_until_then(void **state)
{
    struct config off = settings;
    struct scheduler_view view;

    (void)state;
    off.sync_follow_ms = 2000;
    off.sync_interval_ms = 0;
    off.daily_minute = -1;
    struct world *world = begin(&off, SCHEDULE_NEVER);
    world->broken = &users;
    world->broken_by = ERROR_BUDGET;
    world->spending = running_out;
    world->spending.today = running_out.budget;
    follow_one(world);
    scheduler_view(world->scheduler, &view);
    assert_int_equal(view.incremental_us, running_out.day_ends_us);
    assert_int_equal(view.slowed_until_us, running_out.day_ends_us);
    follow_one(world);
    assert_string_equal(world->last_table, "tasks");
    // The next day has a budget of its own.
    world->broken = NULL;
    world->spending.today = 0;
    world->spending.day_ends_us += 24 * HOUR;
    advance(world, 14 * HOUR);
    allow(world, 1);
    wait_for(world, &world->ended, 3);
    wait_idle(world);
    assert_null(world->last.tables);
    follow_one(world);
    assert_null(world->last.tables);
    end(world);
}

static void test_following_is_turned_on_and_off_by_a_reload(void **state)
{
    struct world *world = begin_idle(&settings);
    struct config follows = settings;
    struct error err;

    (void)state;
    commit_now(world);
    assert_int_equal(follow_us(world), SCHEDULE_NEVER);
    follows.sync_follow_ms = 5000;
    expect_ok(scheduler_reload(world->scheduler, &follows, &err));
    assert_int_equal(follow_us(world), START + 5 * US);
    expect_ok(scheduler_reload(world->scheduler, &settings, &err));
    assert_int_equal(follow_us(world), SCHEDULE_NEVER);
    end(world);
}

static void test_what_is_off_says_so(void **state)
{
    struct config off = settings;
    struct scheduler_view view;
    struct error err;

    (void)state;
    off.sync_interval_ms = 0;
    off.daily_minute = -1;
    expect_ok(scheduler_forecast(&off, START, &view, &err));
    assert_string_equal(view.incremental_text, "off");
    assert_string_equal(view.full_text, "off");
    assert_true(view.incremental_us == SCHEDULE_NEVER && view.full_us == SCHEDULE_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_start_runs_an_incremental_pass_at_once),
        cmocka_unit_test(test_a_request_while_a_pass_runs_is_refused_with_the_id_in_the_way),
        cmocka_unit_test(test_a_request_runs_at_once_under_the_id_it_was_given),
        cmocka_unit_test(test_the_next_pass_comes_when_the_clock_reaches_it),
        cmocka_unit_test(test_the_daily_pass_is_a_full_one),
        cmocka_unit_test(test_a_scheduled_pass_that_finds_the_lock_taken_is_postponed),
        cmocka_unit_test(test_a_pass_asked_for_that_finds_the_lock_taken_has_failed),
        cmocka_unit_test(test_a_full_pass_that_could_not_reach_bigquery_is_tried_again_soon),
        cmocka_unit_test(test_sync_now_while_a_pass_runs_adds_one_more_however_often_it_is_asked),
        cmocka_unit_test(test_a_reload_changes_the_times_and_a_bad_one_changes_nothing),
        cmocka_unit_test(test_after_a_stop_nothing_starts_and_requests_are_refused),
        cmocka_unit_test(test_a_pass_that_does_not_end_is_not_waited_for_forever),
        cmocka_unit_test(test_a_forecast_equals_what_a_scheduler_would_say),
        cmocka_unit_test(test_a_commit_is_followed_after_the_delay_and_the_interval_goes_on),
        cmocka_unit_test(test_commits_wait_after_a_failed_pass),
        cmocka_unit_test(test_a_commit_waits_while_the_lock_is_taken),
        cmocka_unit_test(test_a_table_that_failed_is_left_out_until_all_are_tried_again),
        cmocka_unit_test(test_while_the_budget_runs_out_tables_that_bill_are_followed_less_often),
        cmocka_unit_test(test_if_all_tables_bill_commits_wait_while_the_budget_runs_out),
        cmocka_unit_test(test_tables_that_change_at_one_moment_are_slowed_down_together),
        cmocka_unit_test(test_a_table_that_waits_for_the_next_days_budget_is_not_tried_until_then),
        cmocka_unit_test(test_following_is_turned_on_and_off_by_a_reload),
        cmocka_unit_test(test_what_is_off_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
