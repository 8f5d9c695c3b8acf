/* Passes that follow commits, and what makes them wait. */
#include "support/prelude.h"

#include "scheduler_world.h"

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
