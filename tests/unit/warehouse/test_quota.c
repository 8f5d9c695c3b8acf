#include "support/prelude.h"

#include "fixture.h"
#include "warehouse/quota.h"

#include <stdio.h>

struct scene {
    struct manual_clock clock;
    struct quota *quota;
};

static int setup(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);

    manual_clock_init(&scene->clock);
    scene->quota = quota_new(&scene->clock.clock);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;

    quota_free(scene->quota);
    free(scene);
    return 0;
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_five_metadata_updates_fit_into_ten_seconds(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};

    for (int i = 0; i < 5; i++) {
        expect_ok(quota_enter(scene->quota, "t", QUOTA_METADATA, &err));
        scene->clock.ms += 1000;
    }
    assert_int_equal(scene->clock.sleep_count, 0);
    expect_ok(quota_enter(scene->quota, "u", QUOTA_METADATA, &err));
    assert_int_equal(scene->clock.sleep_count, 0);

    expect_ok(quota_enter(scene->quota, "t", QUOTA_METADATA, &err));
    assert_int_equal(scene->clock.ms, 10000);
    expect_ok(quota_enter(scene->quota, "t", QUOTA_METADATA, &err));
    assert_int_equal(scene->clock.ms, 11000);
}

static void test_twenty_five_dml_statements_fit_into_ten_seconds(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};

    for (int i = 0; i < 25; i++) {
        expect_ok(quota_enter(scene->quota, "t", QUOTA_DML, &err));
        quota_dml_done(scene->quota, "t");
    }
    assert_int_equal(scene->clock.ms, 0);
    expect_ok(quota_enter(scene->quota, "t", QUOTA_DML, &err));

    assert_int_equal(scene->clock.ms, 10000);
}

static void test_a_day_of_modifications_ends_with_the_quota(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};

    for (int i = 0; i < 1500; i++)
        expect_ok(quota_enter(scene->quota, "t", QUOTA_MODIFICATION, &err));
    expect_error(
        quota_enter(scene->quota, "t", QUOTA_MODIFICATION, &err), ERROR_QUOTA,
        "table t: 1500 loads and copies today, the most that BigQuery allows for a table in a day; "
        "its next sync is at 2026-01-02T08:00:00.000Z");
    expect_ok(quota_enter(scene->quota, "u", QUOTA_MODIFICATION, &err));

    scene->clock.ms += (int64_t)86400 * 1000;
    expect_ok(quota_enter(scene->quota, "t", QUOTA_MODIFICATION, &err));
    assert_int_equal(quota_count(scene->quota, "t").modifications, 1);
}

static void test_counts_survive_a_restart_within_the_day(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};

    expect_ok(quota_enter(scene->quota, "t", QUOTA_MODIFICATION, &err));
    struct quota_count saved = quota_count(scene->quota, "t");
    quota_free(scene->quota);
    scene->quota = quota_new(&scene->clock.clock);
    quota_restore(scene->quota, "t", saved);
    quota_restore(scene->quota, "t", saved); // the same count, not one more
    quota_restore(
        scene->quota, "old", (struct quota_count){.day = saved.day - 1, .modifications = 1499});
    expect_ok(quota_enter(scene->quota, "t", QUOTA_MODIFICATION, &err));

    assert_int_equal(quota_count(scene->quota, "t").modifications, 2);
    assert_int_equal(quota_count(scene->quota, "old").modifications, 0);
}

static void test_a_schedule_tells_its_day(void **state)
{
    (void)state;
    assert_int_equal(quota_forecast(15 * 60 * 1000, 1), 96);
    assert_int_equal(quota_forecast(50 * 1000, 1), 1728);
    assert_int_equal(quota_forecast(0, 1), 0);
}

static void test_a_silent_endpoint_is_left_alone_for_all_tables(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *other = NULL;
    struct bigquery *third = NULL;
    struct error err = {0};
    cJSON *table = NULL;

    options.quota = quota_new(&fixture->clock.clock);
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
    quota_free(options.quota);
}

static void test_one_caller_at_a_time_looks_after_a_silent_endpoint(void **state)
{
    struct scene *scene = *state;

    quota_circuit_silent(scene->quota);
    assert_false(quota_circuit_allows(scene->quota));
    scene->clock.ms += 6000;
    assert_true(quota_circuit_allows(scene->quota));
    assert_false(quota_circuit_allows(scene->quota));
    quota_answered_well(scene->quota);
    assert_true(quota_circuit_allows(scene->quota));
    assert_true(quota_circuit_allows(scene->quota));
}

static void test_trouble_is_one_for_all_and_ends_with_a_good_answer(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(quota_trouble_left(scene->quota, 30000), 30000);
    scene->clock.ms += 10000;
    assert_int_equal(quota_trouble_left(scene->quota, 30000), 20000);
    scene->clock.ms += 25000;
    assert_int_equal(quota_trouble_left(scene->quota, 30000), -5000);
    assert_true(quota_is_silent_since(scene->quota, 0));

    quota_answered_well(scene->quota);
    assert_false(quota_is_silent_since(scene->quota, scene->clock.ms));
    assert_true(quota_is_silent_since(scene->quota, scene->clock.ms + 1));
    assert_int_equal(quota_trouble_left(scene->quota, 30000), 30000);
}

static void test_a_failure_long_after_the_last_one_is_another_trouble(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(quota_trouble_left(scene->quota, 30000), 30000);
    scene->clock.ms += 30001;
    assert_int_equal(quota_trouble_left(scene->quota, 30000), 30000);
}

static void test_a_new_pass_has_the_whole_budget(void **state)
{
    struct scene *scene = *state;

    assert_int_equal(quota_trouble_left(scene->quota, 30000), 30000);
    scene->clock.ms += 29000;
    quota_circuit_silent(scene->quota);
    quota_forget_trouble(scene->quota);
    assert_true(quota_circuit_allows(scene->quota));
    assert_int_equal(quota_trouble_left(scene->quota, 30000), 30000);
}

static void test_a_server_that_fails_everybody_costs_one_budget(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *table = NULL;

    options.quota = quota_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503});
    expect_error(bigquery_table_get(bigquery, "a", &table, &err), ERROR_UNREACHABLE, "http 503");
    expect_error(
        bigquery_table_get(bigquery, "b", &table, &err), ERROR_UNREACHABLE,
        "has stopped answering");
    assert_true(fixture->clock.ms <= options.retry_budget_ms);
    bigquery_close(bigquery);
    quota_free(options.quota);
}

static void test_a_late_call_shares_what_is_left_of_the_budget(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *table = NULL;

    options.quota = quota_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    quota_trouble_left(options.quota, options.retry_budget_ms);
    fixture->clock.ms += options.retry_budget_ms * 3 / 4;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503});
    expect_error(bigquery_table_get(bigquery, "a", &table, &err), ERROR_UNREACHABLE, "http 503");
    assert_true(fixture->clock.ms <= options.retry_budget_ms);
    bigquery_close(bigquery);
    quota_free(options.quota);
}

static void test_a_new_table_that_is_not_found_is_asked_for_again(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *resource = cJSON_CreateObject();

    options.quota = quota_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{}"}, {.status = 404}, {.status = 404},
        {.status = 200, .body = "{}"}, {.status = 404});
    expect_ok(bigquery_table_insert(bigquery, "t", resource, NULL, &err));
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
    quota_free(options.quota);
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

    options.quota = quota_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = failed});
    expect_ok(bigquery_job_get(bigquery, "j", &job, &err));
    assert_int_equal(job.failure.code, ERROR_NOT_FOUND);
    quota_note_created(options.quota, "staging_1");
    expect_ok(bigquery_job_get(bigquery, "j", &job, &err));
    assert_int_equal(job.state, JOB_FAILED);
    assert_int_equal(job.failure.code, ERROR_TRANSIENT);
    bigquery_close(bigquery);
    quota_free(options.quota);
}

static void test_loads_and_ddl_are_counted_where_they_count(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    struct spool *file = NULL;
    uint64_t sent = 0;
    cJSON *resource = cJSON_CreateObject();

    options.quota = quota_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = "{\"status\":{\"state\":\"DONE\"}}"});
    expect_ok(spool_new(100, &file, &err));
    const struct load_request request = {.job_id = "j", .table = "t", .file = file};
    expect_ok(bigquery_load(bigquery, &request, &sent, &err));
    spool_free(file);
    assert_int_equal(quota_count(options.quota, "t").modifications, 1);
    assert_int_equal(quota_count(options.quota, "s").modifications, 0);

    const struct query_request merge = {
        .job_id = "m", .sql = "merge", .kind = QUERY_DML, .target = "t", .label_phase = "merge"};
    const struct query_request alter = {
        .job_id = "a", .sql = "alter", .kind = QUERY_DDL, .target = "t", .label_phase = "alter"};
    expect_ok(bigquery_query(bigquery, &merge, &err));
    assert_int_equal(quota_count(options.quota, "t").modifications, 1);
    for (int i = 0; i < 5; i++)
        expect_ok(bigquery_query(bigquery, &alter, &err));
    assert_int_equal(fixture->clock.sleep_count, 0);
    expect_ok(bigquery_table_patch(bigquery, "t", resource, &err));
    assert_int_equal(fixture->clock.ms, 10000);
    cJSON_Delete(resource);
    bigquery_close(bigquery);
    quota_free(options.quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE_TEST(test_five_metadata_updates_fit_into_ten_seconds),
        SCENE_TEST(test_twenty_five_dml_statements_fit_into_ten_seconds),
        SCENE_TEST(test_a_day_of_modifications_ends_with_the_quota),
        SCENE_TEST(test_counts_survive_a_restart_within_the_day),
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
        FIXTURE_TEST(test_loads_and_ddl_are_counted_where_they_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
