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
        "table t: 1500 loads and copies today, as many as BigQuery allows a table in a day; it "
        "goes "
        "on at 2026-01-02T08:00:00.000Z");
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
    governor_restore(scene->governor, "t", saved); // the same count, not one more
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
    governor_answered_well(scene->governor);
    assert_true(governor_circuit_allows(scene->governor));
    assert_true(governor_circuit_allows(scene->governor));
}

static void test_trouble_is_one_for_all_and_ends_with_a_good_answer(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(governor_trouble_left(scene->governor, 30000), 30000);
    scene->clock.ms += 10000;
    assert_int_equal(governor_trouble_left(scene->governor, 30000), 20000);
    scene->clock.ms += 25000;
    assert_int_equal(governor_trouble_left(scene->governor, 30000), -5000);
    assert_true(governor_is_silent_since(scene->governor, 0));

    governor_answered_well(scene->governor);
    assert_false(governor_is_silent_since(scene->governor, scene->clock.ms));
    assert_true(governor_is_silent_since(scene->governor, scene->clock.ms + 1));
    assert_int_equal(governor_trouble_left(scene->governor, 30000), 30000);
}

static void test_a_failure_long_after_the_last_one_is_another_trouble(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(governor_trouble_left(scene->governor, 30000), 30000);
    scene->clock.ms += 30001;
    assert_int_equal(governor_trouble_left(scene->governor, 30000), 30000);
}

static void test_a_new_pass_has_the_whole_budget(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(governor_trouble_left(scene->governor, 30000), 30000);
    scene->clock.ms += 29000;
    governor_circuit_silent(scene->governor);
    governor_forget_trouble(scene->governor);
    assert_true(governor_circuit_allows(scene->governor));
    assert_int_equal(governor_trouble_left(scene->governor, 30000), 30000);
}

static void test_a_server_that_fails_everybody_costs_one_budget(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *table = NULL;

    options.governor = governor_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503});
    expect_error(bigquery_table_get(bigquery, "a", &table, &err), ERROR_UNREACHABLE, "http 503");
    expect_error(
        bigquery_table_get(bigquery, "b", &table, &err), ERROR_UNREACHABLE,
        "has stopped answering");
    assert_true(fixture->clock.ms <= options.retry_budget_ms);
    bigquery_close(bigquery);
    governor_free(options.governor);
}

static void test_a_late_call_shares_what_is_left_of_the_budget(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *table = NULL;

    options.governor = governor_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    governor_trouble_left(options.governor, options.retry_budget_ms);
    fixture->clock.ms += options.retry_budget_ms * 3 / 4;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503});
    expect_error(bigquery_table_get(bigquery, "a", &table, &err), ERROR_UNREACHABLE, "http 503");
    assert_true(fixture->clock.ms <= options.retry_budget_ms);
    bigquery_close(bigquery);
    governor_free(options.governor);
}

static void test_a_new_table_that_is_not_found_is_asked_for_again(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *resource = cJSON_CreateObject();

    options.governor = governor_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{}"}, {.status = 404}, {.status = 404},
        {.status = 200, .body = "{}"}, {.status = 404});
    expect_ok(bigquery_table_insert(bigquery, "t", resource, &err));
    expect_ok(bigquery_table_patch(bigquery, "t", resource, &err));
    assert_int_equal(fixture->http.request_count, 4);
    expect_error(
        bigquery_table_patch(bigquery, "other", resource, &err), ERROR_NOT_FOUND, "http 404");
    assert_int_equal(fixture->http.request_count, 5);

    fixture->clock.ms += 60000;
    expect_error(bigquery_table_patch(bigquery, "t", resource, &err), ERROR_NOT_FOUND, "http 404");
    assert_int_equal(fixture->http.request_count, 6);
    cJSON_Delete(resource);
    bigquery_close(bigquery);
    governor_free(options.governor);
}

static void test_a_job_that_misses_a_new_table_may_be_tried_anew(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct job job;
    struct error err = {0};
    static const char failed[] =
        "{\"status\":{\"state\":\"DONE\",\"errorResult\":{\"reason\":\"notFound\","
        "\"message\":\"Not found: Table p:d.staging_1 was not found in location US\"}}}";

    options.governor = governor_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = failed});
    expect_ok(bigquery_job_get(bigquery, "j", &job, &err));
    assert_int_equal(job.failure.code, ERROR_NOT_FOUND);
    governor_note_created(options.governor, "staging_1");
    expect_ok(bigquery_job_get(bigquery, "j", &job, &err));
    assert_int_equal(job.state, JOB_FAILED);
    assert_int_equal(job.failure.code, ERROR_TRANSIENT);
    bigquery_close(bigquery);
    governor_free(options.governor);
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
    assert_int_equal(governor_use(options.governor, "t").modifications, 1);
    assert_int_equal(governor_use(options.governor, "s").modifications, 0);

    const struct query_request merge = {
        .job_id = "m", .sql = "merge", .kind = QUERY_DML, .target = "t", .label_phase = "merge"};
    const struct query_request alter = {
        .job_id = "a", .sql = "alter", .kind = QUERY_DDL, .target = "t", .label_phase = "alter"};
    expect_ok(bigquery_query(bigquery, &merge, &err));
    assert_int_equal(governor_use(options.governor, "t").modifications, 1);
    for (int i = 0; i < 5; i++)
        expect_ok(bigquery_query(bigquery, &alter, &err));
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
        SCENE_TEST(test_trouble_is_one_for_all_and_ends_with_a_good_answer),
        SCENE_TEST(test_a_failure_long_after_the_last_one_is_another_trouble),
        SCENE_TEST(test_a_new_pass_has_the_whole_budget),
        FIXTURE_TEST(test_a_server_that_fails_everybody_costs_one_budget),
        FIXTURE_TEST(test_a_late_call_shares_what_is_left_of_the_budget),
        FIXTURE_TEST(test_a_new_table_that_is_not_found_is_asked_for_again),
        FIXTURE_TEST(test_a_job_that_misses_a_new_table_may_be_tried_anew),
        FIXTURE_TEST(test_loads_copies_and_ddl_are_counted_where_they_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
