/* What has been billed today and this month, and what the budget leaves. */
#include "scene.h"

#include "source/tracking_bill.h"
#include "sync/spending.h"

#include <string.h>

#define DAY_US INT64_C(86400000000)
#define MIB    INT64_C(1048576)

static struct spending read_at(struct scene *scene, int64_t now_us)
{
    struct spending spending;
    struct error err;

    expect_ok(spending_read(&scene->config, &scene->tracking, now_us, &spending, &err));
    return spending;
}

static void add(struct scene *scene, const char *table, int64_t now_us, int64_t bytes)
{
    struct error err;

    expect_ok(tracking_bill_add(&scene->tracking, table, now_us, bytes, &err));
}

static void test_days_and_months_of_all_tables(void **state)
{
    struct scene *scene = *state;
    int64_t now_us = scene->clock.clock.wall_us(&scene->clock); // 2026-01-02

    add(scene, "accounts", now_us - 2 * DAY_US, 1);
    add(scene, "accounts", now_us - DAY_US, 20);
    add(scene, "accounts", now_us, 300);
    add(scene, "events", now_us, 4000);

    struct spending today = read_at(scene, now_us);
    assert_int_equal(today.today, 4300);
    assert_int_equal(today.month, 4320);
    assert_int_equal(today.day_ends_us, INT64_C(1767398400000000));
    assert_int_equal(read_at(scene, today.day_ends_us).today, 0);
    assert_int_equal(read_at(scene, today.day_ends_us).month, 4320);
}

static void test_days_to_come_do_not_count(void **state)
{
    struct scene *scene = *state;
    int64_t now_us = scene->clock.clock.wall_us(&scene->clock); // 2026-01-02

    add(scene, "accounts", now_us, 300);
    add(scene, "accounts", now_us + DAY_US, 4000);
    add(scene, "accounts", now_us + 40 * DAY_US, 50000);

    assert_int_equal(read_at(scene, now_us).month, 300);
    assert_int_equal(read_at(scene, now_us + DAY_US).month, 4300);
}

static void test_a_month_is_projected_from_the_first_day_that_billed(void **state)
{
    struct scene *scene = *state;
    int64_t noon_us = INT64_C(1767355200000000); // 2026-01-02

    struct spending none = read_at(scene, noon_us);
    assert_int_equal(none.month_projected, SPENDING_UNKNOWN);
    assert_int_equal(
        spending_micro_dollars(&scene->config, none.month_projected), SPENDING_UNKNOWN);

    add(scene, "accounts", noon_us, 1000);
    assert_int_equal(read_at(scene, noon_us).month_projected, 31000);
    assert_int_equal(read_at(scene, noon_us).measured_us, DAY_US / 2);
    // Two and a half days.
    assert_int_equal(read_at(scene, noon_us + 2 * DAY_US).month_projected, 12400);
    add(scene, "accounts", noon_us + 40 * DAY_US, 100);
    assert_int_equal(read_at(scene, noon_us + 40 * DAY_US).month_projected, 2800);
}

static void test_a_forecast_rests_on_the_last_seven_days_and_today(void **state)
{
    struct scene *scene = *state;
    int64_t noon_us = INT64_C(1769947200000000); // 2026-02-01

    add(scene, "accounts", noon_us - 8 * DAY_US, 1000000);
    add(scene, "accounts", noon_us - 7 * DAY_US, 7500);
    add(scene, "events", noon_us - DAY_US, 7500);
    struct spending found = read_at(scene, noon_us);
    // Also on the first of a month, of which nothing is known yet.
    assert_int_equal(found.month, 0);
    assert_int_equal(found.month_projected, 56000);
    assert_int_equal(found.measured_us, 7 * DAY_US + DAY_US / 2);
    assert_int_equal(read_at(scene, noon_us + 6 * DAY_US).month_projected, 28000);
    assert_int_equal(read_at(scene, noon_us + 7 * DAY_US).month_projected, SPENDING_UNKNOWN);
}

static void test_bytes_last_while_less_than_half_of_the_budget_is_left(void **state)
{
    struct spending spending = {.budget = 1000 * MIB, .day_ends_us = DAY_US};
    int64_t noon_us = DAY_US / 2;
    int64_t hour_ms = 3600000;

    (void)state;
    // Half of it is left: as fast as commits come.
    spending.today = 500 * MIB;
    assert_false(spending_runs_out(&spending));
    assert_int_equal(spending_lasts_ms(&spending, noon_us, 100 * MIB), 0);
    // 300 MiB for the next twelve hours.
    spending.today = 600 * MIB;
    spending.of_intents = 100 * MIB;
    assert_true(spending_runs_out(&spending));
    assert_int_equal(spending_lasts_ms(&spending, noon_us, 25 * MIB), hour_ms);
    assert_int_equal(spending_lasts_ms(&spending, noon_us + DAY_US / 4, 25 * MIB), hour_ms / 2);
    assert_int_equal(spending_lasts_ms(&spending, noon_us, 0), 0);
    assert_int_equal(spending_lasts_ms(&spending, noon_us, 400 * MIB), 12 * hour_ms);
    assert_int_equal(spending_lasts_ms(&spending, DAY_US + 1, 25 * MIB), 0);
    // Not even the least bill is left: until the next day, whatever the pass has billed.
    spending.today = 995 * MIB;
    assert_int_equal(spending_lasts_ms(&spending, noon_us, 0), 12 * hour_ms);
    spending.budget = 0;
    assert_false(spending_runs_out(&spending));
    assert_int_equal(spending_lasts_ms(&spending, noon_us, 25 * MIB), 0);
}

static void test_a_budget_is_over_when_the_least_bill_does_not_fit(void **state)
{
    struct scene *scene = *state;
    int64_t now_us = scene->clock.clock.wall_us(&scene->clock);

    add(scene, "accounts", now_us, 90 * MIB);
    struct spending none = read_at(scene, now_us);
    assert_true(spending_left(&none) == INT64_MAX);
    assert_false(spending_is_over(&none));

    scene->config.max_bytes_a_day = 100 * MIB;
    struct spending last = read_at(scene, now_us);
    assert_int_equal(spending_left(&last), 10 * MIB);
    assert_false(spending_is_over(&last));

    scene->config.max_bytes_a_day = 80 * MIB;
    struct spending over = read_at(scene, now_us);
    assert_int_equal(spending_left(&over), 0);
    assert_true(spending_is_over(&over));
    struct spending tomorrow = read_at(scene, now_us + DAY_US);
    assert_false(spending_is_over(&tomorrow));
}

static void test_a_query_reserves_an_eighth_more_than_it_needs_if_that_is_left(void **state)
{
    struct scene *scene = *state;
    struct spending spending = {.budget = 100 * MIB, .today = 10 * MIB, .of_intents = 10 * MIB};

    assert_int_equal(spending_grant(&spending, &scene->config, 40 * MIB), 45 * MIB);
    assert_int_equal(spending_grant(&spending, &scene->config, 78 * MIB), 80 * MIB);
    assert_int_equal(spending_grant(&spending, &scene->config, 81 * MIB), 0);
    // BigQuery refuses what BQ_MAX_BYTES_BILLED does not allow.
    scene->config.max_bytes_billed = 42 * MIB;
    assert_int_equal(spending_grant(&spending, &scene->config, 40 * MIB), 42 * MIB);
    assert_int_equal(spending_grant(&spending, &scene->config, 90 * MIB), 42 * MIB);
}

static void test_a_refusal_says_what_a_query_needs(void **state)
{
    struct scene *scene = *state;
    struct error refusal = {
        .reason = "bytesBilledLimitExceeded",
        .message =
            "Query exceeded limit for bytes billed: 7. 9007199254740993 or higher required."};
    const struct error silent = {.reason = "bytesBilledLimitExceeded", .message = "too much"};
    const struct error other = {.reason = "invalid", .message = "9 or higher required"};

    assert_int_equal(spending_needed(&scene->config, &refusal, 7), INT64_C(9007199254740993));
    assert_int_equal(spending_needed(&scene->config, &silent, 7), 14);
    assert_int_equal(spending_needed(&scene->config, &other, 7), 0);
    assert_int_equal(spending_needed(&scene->config, &refusal, 0), 0);
    scene->config.max_bytes_billed = 7;
    assert_int_equal(spending_needed(&scene->config, &refusal, 7), 0);
}

static void test_what_is_more_than_a_whole_day_never_fits(void **state)
{
    struct spending spending = {.budget = 30 * MIB, .today = 25 * MIB, .day_ends_us = DAY_US};
    struct error err;

    (void)state;
    assert_false(spending_refuse(&spending, 30 * MIB, &err));
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_non_null(strstr(err.message, "the next UTC day begins at 1970-01-02T00:00:00.000Z"));
    assert_false(spending_refuse(&spending, 30 * MIB + 1, &err));
    assert_int_equal(err.code, ERROR_BUDGET);
    assert_non_null(strstr(
        err.message,
        "may bill 31457281 bytes never fits into BQ_MAX_BYTES_BILLED_PER_DAY=31457280"));
    assert_non_null(strstr(err.message, "Raise it to 31457281 or more"));
    assert_null(strstr(err.message, "next UTC day"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_days_and_months_of_all_tables),
        SCENE_TEST(test_days_to_come_do_not_count),
        SCENE_TEST(test_a_query_reserves_an_eighth_more_than_it_needs_if_that_is_left),
        SCENE_TEST(test_a_refusal_says_what_a_query_needs),
        SCENE_TEST(test_a_month_is_projected_from_the_first_day_that_billed),
        SCENE_TEST(test_a_forecast_rests_on_the_last_seven_days_and_today),
        SCENE_TEST(test_bytes_last_while_less_than_half_of_the_budget_is_left),
        SCENE_TEST(test_a_budget_is_over_when_the_least_bill_does_not_fit),
        SCENE_TEST(test_what_is_more_than_a_whole_day_never_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
