/* What has been billed today and this month, and what the budget leaves. */
#include "scene.h"

#include "source/tracking_bill.h"
#include "sync/spending.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_days_and_months_of_all_tables),
        SCENE_TEST(test_a_budget_is_over_when_the_least_bill_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
