#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"
#include "warehouse/governor.h"

#include <stdio.h>

struct scene {
    struct manual_clock clock;
    struct governor *governor;
};

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    manual_clock_init(&scene->clock);
    scene->governor = governor_new(&scene->clock.clock);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    governor_free(scene->governor);
    free(scene);
    return 0;
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_five_metadata_updates_fit_into_ten_seconds(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};

    for (int i = 0; i < 5; i++) {
        expect_ok(governor_enter(scene->governor, "t", GOVERNOR_METADATA, &err));
        scene->clock.ms += 1000;
    }
    assert_int_equal(scene->clock.sleep_count, 0);
    expect_ok(governor_enter(scene->governor, "u", GOVERNOR_METADATA, &err));
    assert_int_equal(scene->clock.sleep_count, 0);

    expect_ok(governor_enter(scene->governor, "t", GOVERNOR_METADATA, &err));
    assert_int_equal(scene->clock.ms, 10000);
    expect_ok(governor_enter(scene->governor, "t", GOVERNOR_METADATA, &err));
    assert_int_equal(scene->clock.ms, 11000);
}

static void test_twenty_five_dml_statements_fit_into_ten_seconds(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};

    for (int i = 0; i < 25; i++) {
        expect_ok(governor_enter(scene->governor, "t", GOVERNOR_DML, &err));
        governor_dml_done(scene->governor, "t");
    }
    assert_int_equal(scene->clock.ms, 0);
    expect_ok(governor_enter(scene->governor, "t", GOVERNOR_DML, &err));

    assert_int_equal(scene->clock.ms, 10000);
}

static void test_a_day_of_modifications_ends_with_the_quota(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};

    for (int i = 0; i < 1500; i++)
        expect_ok(governor_enter(scene->governor, "t", GOVERNOR_MODIFICATION, &err));
    expect_error(
        governor_enter(scene->governor, "t", GOVERNOR_MODIFICATION, &err), ERROR_QUOTA,
        "table t: 1500 loads and copies today");
    expect_ok(governor_enter(scene->governor, "u", GOVERNOR_MODIFICATION, &err));

    scene->clock.ms += (int64_t)86400 * 1000;
    expect_ok(governor_enter(scene->governor, "t", GOVERNOR_MODIFICATION, &err));
    assert_int_equal(governor_use(scene->governor, "t").modifications, 1);
}

static void note(void *context, const char *table, struct governor_use use)
{
    char *text = context;
    size_t length = strlen(text);

    snprintf(text + length, 100 - length, "%s=%d;", table, (int)use.modifications);
}

static void test_counts_survive_a_restart_within_the_day(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    char text[100] = "";

    expect_ok(governor_enter(scene->governor, "t", GOVERNOR_MODIFICATION, &err));
    struct governor_use saved = governor_use(scene->governor, "t");
    governor_free(scene->governor);
    scene->governor = governor_new(&scene->clock.clock);
    governor_restore(scene->governor, "t", saved);
    governor_restore(
        scene->governor, "old", (struct governor_use){.day = saved.day - 1, .modifications = 1499});
    expect_ok(governor_enter(scene->governor, "t", GOVERNOR_MODIFICATION, &err));
    governor_visit(scene->governor, note, text);

    assert_string_equal(text, "t=2;");
}

static void test_staging_tables_of_other_days_are_forgotten(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    char text[100] = "";

    for (int i = 0; i < 50; i++) {
        char name[20];
        snprintf(name, sizeof name, "staging_%d", i);
        expect_ok(governor_enter(scene->governor, name, GOVERNOR_MODIFICATION, &err));
    }
    scene->clock.ms += (int64_t)86400 * 1000;
    expect_ok(governor_enter(scene->governor, "t", GOVERNOR_MODIFICATION, &err));
    governor_visit(scene->governor, note, text);

    assert_string_equal(text, "t=1;");
}

static void test_a_schedule_tells_its_day(void **state)
{
    (void)state;
    assert_int_equal(governor_forecast(15 * 60 * 1000, 1), 96);
    assert_int_equal(governor_forecast(50 * 1000, 1), 1728);
    assert_int_equal(governor_forecast(0, 1), 0);
}

static void test_a_silent_endpoint_is_left_alone_for_all_tables(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *other = NULL;
    struct bigquery *third = NULL;
    struct error err = {0};
    cJSON *table = NULL;

    options.governor = governor_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &other, &err));
    expect_ok(bigquery_open(&options, &third, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.failure = HTTP_NOT_SENT});
    expect_error(bigquery_table_get(other, "a", &table, &err), ERROR_UNREACHABLE, "tries in");

    size_t requests = fixture->http.request_count;
    int64_t now = fixture->clock.ms;
    expect_error(
        bigquery_table_get(third, "b", &table, &err), ERROR_UNREACHABLE,
        "BigQuery: tables.get b: not tried, http://bq.test has stopped answering");
    assert_int_equal(fixture->http.request_count, requests);
    assert_int_equal(fixture->clock.ms, now);

    // After the pause one caller looks again; its answer lets everybody in.
    fixture->clock.ms += 6000;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 404});
    expect_ok(bigquery_table_get(third, "b", &table, &err));
    expect_ok(bigquery_table_get(other, "a", &table, &err));
    bigquery_close(other);
    bigquery_close(third);
    governor_free(options.governor);
}

static void test_one_caller_at_a_time_looks_after_a_silent_endpoint(void **state)
{
    struct scene *scene = *state;

    governor_circuit_silent(scene->governor);
    assert_false(governor_circuit_allows(scene->governor));
    scene->clock.ms += 6000;
    assert_true(governor_circuit_allows(scene->governor));
    assert_false(governor_circuit_allows(scene->governor));
    governor_circuit_answered(scene->governor);
    assert_true(governor_circuit_allows(scene->governor));
    assert_true(governor_circuit_allows(scene->governor));
}

static void test_loads_copies_and_ddl_are_counted_where_they_count(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *resource = cJSON_CreateObject();

    options.governor = governor_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = "{\"status\":{\"state\":\"DONE\"}}"});
    expect_ok(bigquery_copy(bigquery, "j", "s", "t", "t", &err));
    expect_ok(bigquery_query(bigquery, "k", "select 1", "t", "x", &err));
    assert_int_equal(governor_use(options.governor, "t").modifications, 1);
    assert_int_equal(governor_use(options.governor, "s").modifications, 0);

    for (int i = 0; i < 5; i++)
        expect_ok(bigquery_query(bigquery, "d", " ALTER TABLE t", "t", "ddl", &err));
    assert_int_equal(fixture->clock.sleep_count, 0);
    expect_ok(bigquery_table_patch(bigquery, "t", resource, &err));
    assert_int_equal(fixture->clock.ms, 10000);
    cJSON_Delete(resource);
    bigquery_close(bigquery);
    governor_free(options.governor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_five_metadata_updates_fit_into_ten_seconds),
        SCENE_TEST(test_twenty_five_dml_statements_fit_into_ten_seconds),
        SCENE_TEST(test_a_day_of_modifications_ends_with_the_quota),
        SCENE_TEST(test_counts_survive_a_restart_within_the_day),
        SCENE_TEST(test_staging_tables_of_other_days_are_forgotten),
        cmocka_unit_test(test_a_schedule_tells_its_day),
        FIXTURE_TEST(test_a_silent_endpoint_is_left_alone_for_all_tables),
        SCENE_TEST(test_one_caller_at_a_time_looks_after_a_silent_endpoint),
        FIXTURE_TEST(test_loads_copies_and_ddl_are_counted_where_they_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
