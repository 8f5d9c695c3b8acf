/* The daily quota of load jobs, known across processes. */
#include "scene.h"

#include "sync/pass/quota_record.h"
#include "warehouse/quota.h"

#define DAY_US ((int64_t)24 * 3600 * 1000000)

static void open_quota(struct scene *scene)
{
    quota_free(scene->deployment.quota);
    scene->deployment.quota = quota_new(&scene->clock.clock);
    assert_non_null(scene->deployment.quota);
}

static void close_quota(struct scene *scene)
{
    quota_free(scene->deployment.quota);
    scene->deployment.quota = NULL;
}

static void use(struct scene *scene, const char *table, int64_t modifications)
{
    const struct quota_load load = {.modifications = modifications, .limit = modifications};
    struct error err;

    expect_ok(quota_modify(scene->deployment.quota, table, &load, &err));
}

static void test_what_one_process_has_used_the_next_one_knows(void **state)
{
    struct scene *scene = *state;
    int64_t used = 0;
    struct error err;

    scene_pass(scene, "accounts", "events", NULL);
    open_quota(scene);
    use(scene, "accounts", 7);
    expect_ok(quota_record_save(&scene->deployment, &scene->tracking, scene->tasks, 2, &err));
    close_quota(scene);

    open_quota(scene);
    expect_ok(quota_record_restore(&scene->deployment, &scene->tracking, scene->tasks, 2, &err));
    assert_int_equal(quota_used(scene->deployment.quota, "accounts"), 7);
    assert_int_equal(quota_used(scene->deployment.quota, "events"), 0);
    // Nothing is recorded of a table that has used nothing.
    assert_string_equal(
        scene_state(scene, "select group_concat(table_name) from bq_sync_loads"), "p.d.accounts");

    int64_t now_us = scene->clock.clock.wall_us(&scene->clock);
    const struct table *accounts = scene->tasks[0].table;
    expect_ok(quota_record_used(&scene->config, &scene->tracking, accounts, now_us, &used, &err));
    assert_int_equal(used, 7);
    expect_ok(quota_record_used(
        &scene->config, &scene->tracking, accounts, now_us + 25 * DAY_US / 24, &used, &err));
    assert_int_equal(used, 0);
    close_quota(scene);
}

static void test_the_last_of_a_day_are_kept_for_replacements(void **state)
{
    struct scene *scene = *state;
    struct error err;

    scene_pass(scene, "accounts", "events", NULL);
    open_quota(scene);
    use(scene, "accounts", QUOTA_DAILY_LIMIT - QUOTA_RESERVE - 1);
    use(scene, "events", QUOTA_DAILY_LIMIT - QUOTA_RESERVE);
    expect_ok(quota_record_restore(&scene->deployment, &scene->tracking, scene->tasks, 2, &err));
    assert_false(scene->tasks[0].warehouse.near_quota);
    assert_true(scene->tasks[1].warehouse.near_quota);
    close_quota(scene);
}

static void test_a_merge_uses_nothing_and_a_daily_pass_is_counted(void **state)
{
    struct scene *scene = *state;

    scene->config.sync_interval_ms = 60 * 60 * 1000;
    assert_int_equal(quota_record_loads_a_day(&scene->config, SEND_MERGE), 0);
    assert_int_equal(quota_record_loads_a_day(&scene->config, SEND_APPEND), 24);
    assert_int_equal(quota_record_loads_a_day(&scene->config, SEND_REPLACE), 24);
    scene->config.daily_minute = 30;
    assert_int_equal(quota_record_loads_a_day(&scene->config, SEND_MERGE), 1);
    assert_int_equal(quota_record_loads_a_day(&scene->config, SEND_APPEND), 25);
    // How often the application commits is not known.
    scene->config.sync_follow_ms = 2000;
    assert_int_equal(quota_record_loads_a_day(&scene->config, SEND_MERGE), 1);
    assert_int_equal(quota_record_loads_a_day(&scene->config, SEND_APPEND), QUOTA_UNKNOWN);
    assert_int_equal(quota_record_loads_a_day(&scene->config, SEND_REPLACE), QUOTA_UNKNOWN);
}

static void test_how_many_partitions_the_loads_change_is_not_known(void **state)
{
    struct scene *scene = *state;
    static const char partitioning[] = "{\"timePartitioning\":{\"type\":\"DAY\",\"field\":\"at\"}}";
    const struct table table = {.mode = SEND_MERGE, .resource_json = "{}"};
    const struct table partitioned = {.mode = SEND_MERGE, .resource_json = partitioning};

    scene->config.daily_minute = -1;
    scene->config.sync_interval_ms = 60 * 60 * 1000;
    assert_int_equal(quota_record_forecast(&scene->config, &partitioned), 0);
    scene->config.daily_minute = 30;
    assert_int_equal(quota_record_forecast(&scene->config, &table), 1);
    assert_int_equal(quota_record_forecast(&scene->config, &partitioned), QUOTA_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_what_one_process_has_used_the_next_one_knows),
        SCENE_TEST(test_the_last_of_a_day_are_kept_for_replacements),
        SCENE_TEST(test_a_merge_uses_nothing_and_a_daily_pass_is_counted),
        SCENE_TEST(test_how_many_partitions_the_loads_change_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
