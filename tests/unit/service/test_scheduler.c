/* When passes run: at the start, by the interval, by the day, when asked for. */
#include "support/prelude.h"

#include "scheduler_world.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
