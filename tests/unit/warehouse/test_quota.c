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

static bool load(struct scene *scene, const char *table, struct error *err)
{
    const struct quota_load one = {.modifications = 1, .limit = QUOTA_DAILY_LIMIT};

    return quota_modify(scene->quota, table, &one, err);
}

#define HOUR_MS ((int64_t)3600 * 1000)

static void test_loads_count_until_24_hours_after_their_hour(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};

    // From 03:04:05 on.
    for (int i = 0; i < 1000; i++)
        expect_ok(load(scene, "t", &err));
    scene->clock.ms += HOUR_MS;
    for (int i = 0; i < 500; i++)
        expect_ok(load(scene, "t", &err));
    expect_error(
        load(scene, "t", &err), ERROR_QUOTA,
        "table t: 1500 loads and copies in the last 24 hours, and BigQuery allows 1500 for a "
        "table; its next sync is at 2026-01-03T04:00:00.000Z");
    expect_ok(load(scene, "u", &err));

    scene->clock.ms = 24 * HOUR_MS + 55 * 60 * 1000; // 03:59:05 of the next day
    expect_error(load(scene, "t", &err), ERROR_QUOTA, "2026-01-03T04:00:00.000Z");
    scene->clock.ms += 60 * 1000;
    for (int i = 0; i < 1000; i++)
        expect_ok(load(scene, "t", &err));
    expect_error(load(scene, "t", &err), ERROR_QUOTA, "2026-01-03T05:00:00.000Z");
    assert_int_equal(quota_used(scene->quota, "t"), 1500);
}

static void test_partitions_that_loads_change_have_a_limit_of_their_own(void **state)
{
    struct scene *scene = *state;
    struct quota_load replacement = {.modifications = 3500, .limit = QUOTA_PARTITIONS_LIMIT};
    struct error err = {0};

    for (int i = 0; i < 8; i++)
        expect_ok(quota_modify(scene->quota, "t", &replacement, &err));
    expect_error(
        quota_modify(scene->quota, "t", &replacement, &err), ERROR_QUOTA,
        "table t: 28000 partitions changed in the last 24 hours by loads, and BigQuery allows "
        "30000 for a table; its next sync is at 2026-01-03T04:00:00.000Z");
    replacement.modifications = 2000;
    expect_ok(quota_modify(scene->quota, "t", &replacement, &err));
}

static void test_counts_survive_a_restart(void **state)
{
    struct scene *scene = *state;
    struct quota_hour saved[QUOTA_HOURS];
    struct error err = {0};

    expect_ok(load(scene, "t", &err));
    scene->clock.ms += HOUR_MS;
    expect_ok(load(scene, "t", &err));
    assert_int_equal(quota_hours(scene->quota, "t", saved), 2);
    quota_free(scene->quota);
    scene->quota = quota_new(&scene->clock.clock);
    for (int i = 0; i < 4; i++) // the same counts, not more
        quota_restore(scene->quota, "t", saved[i % 2]);
    saved[0].hour -= 24;
    quota_restore(scene->quota, "old", saved[0]);
    saved[0].hour += 30;
    quota_restore(scene->quota, "of a clock that was ahead", saved[0]);
    expect_ok(load(scene, "t", &err));

    assert_int_equal(quota_used(scene->quota, "t"), 3);
    assert_int_equal(quota_used(scene->quota, "old"), 0);
    assert_int_equal(quota_used(scene->quota, "of a clock that was ahead"), 0);
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

static void test_an_outage_goes_on_until_somebody_has_a_good_answer(void **state)
{
    struct scene *scene = *state;
    struct quota_outage outage;

    quota_outage(scene->quota, &outage);
    assert_int_equal(outage.attempts, 0);
    quota_note_attempt(scene->quota, 1, "one call");
    quota_note_attempt(scene->quota, 2, "one call again");
    quota_note_attempt(scene->quota, 1, "another call beside it");
    quota_outage(scene->quota, &outage);
    assert_int_equal(outage.attempts, 2);
    assert_string_equal(outage.message, "another call beside it");

    // The pass gives up, and the next one tries on.
    quota_forget_trouble(scene->quota);
    quota_note_attempt(scene->quota, 1, "the next pass");
    quota_outage(scene->quota, &outage);
    assert_int_equal(outage.attempts, 3);

    quota_answered_well(scene->quota);
    quota_outage(scene->quota, &outage);
    assert_int_equal(outage.attempts, 0);
    quota_note_attempt(scene->quota, 1, "another outage");
    quota_outage(scene->quota, &outage);
    assert_int_equal(outage.attempts, 1);
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

/* A proxy that answers all requests itself is no better than one that answers none. */
static void test_pages_in_the_place_of_answers_cost_one_budget(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};
    cJSON *table = NULL;

    options.quota = quota_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = "<html>Log in</html>"});
    expect_error(
        bigquery_table_get(bigquery, "a", &table, &err), ERROR_UNREACHABLE,
        "http 200, but the answer is not one JSON object");
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
    quota_note_created(options.quota, "t");
    quota_note_created(options.quota, "staging");
    expect_ok(bigquery_job_get(bigquery, "j", &job, &err));
    assert_int_equal(job.failure.code, ERROR_NOT_FOUND);
    quota_note_created(options.quota, "staging_1");
    expect_ok(bigquery_job_get(bigquery, "j", &job, &err));
    assert_int_equal(job.state, JOB_FAILED);
    assert_int_equal(job.failure.code, ERROR_TRANSIENT);
    bigquery_close(bigquery);
    quota_free(options.quota);
}

static void test_a_table_that_is_updated_too_often_is_left_alone_for_the_window(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *resource = cJSON_CreateObject();

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 403,
         .body = "{\"error\":{\"code\":403,\"message\":\"Exceeded rate limits: too many table "
                 "update operations for this table.\",\"errors\":[{\"reason\":"
                 "\"rateLimitExceeded\"}]}}"},
        {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_patch(fixture->bigquery, "t", resource, &err));
    assert_true(fixture->clock.ms >= 10000);
    cJSON_Delete(resource);
}

static void test_a_table_that_is_too_new_is_no_outage(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct quota_outage outage;
    struct error err = {0};
    cJSON *resource = cJSON_CreateObject();

    options.quota = quota_new(&fixture->clock.clock);
    expect_ok(bigquery_open(&options, &bigquery, &err));
    quota_note_created(options.quota, "t");
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 404});
    expect_error(bigquery_table_patch(bigquery, "t", resource, &err), ERROR_NOT_FOUND, "http 404");
    assert_true(fixture->http.request_count > 2);
    quota_outage(options.quota, &outage);
    assert_int_equal(outage.attempts, 0);

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503});
    expect_error(bigquery_table_patch(bigquery, "u", resource, &err), ERROR_TRANSIENT, "http 503");
    quota_outage(options.quota, &outage);
    assert_true(outage.attempts > 2);
    cJSON_Delete(resource);
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
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 400, .body = "{}"});
    const struct load_request failing = {
        .job_id = "k", .table = "p", .file = file, .partitions = 7};
    assert_false(bigquery_load(bigquery, &failing, &sent, &err));
    assert_int_equal(quota_used(options.quota, "p"), 7);
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = "{\"status\":{\"state\":\"DONE\"}}"});
    spool_free(file);
    assert_int_equal(quota_used(options.quota, "t"), 1);
    assert_int_equal(quota_used(options.quota, "s"), 0);

    const struct query_request merge = {
        .job_id = "m", .sql = "merge", .kind = QUERY_DML, .target = "t", .label_phase = "merge"};
    const struct query_request alter = {
        .job_id = "a", .sql = "alter", .kind = QUERY_DDL, .target = "t", .label_phase = "alter"};
    expect_ok(bigquery_query(bigquery, &merge, &err));
    assert_int_equal(quota_used(options.quota, "t"), 1);
    // The load has counted as well.
    for (int i = 0; i < 4; i++)
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
        SCENE_TEST(test_loads_count_until_24_hours_after_their_hour),
        SCENE_TEST(test_partitions_that_loads_change_have_a_limit_of_their_own),
        SCENE_TEST(test_counts_survive_a_restart),
        cmocka_unit_test(test_a_schedule_tells_its_day),
        FIXTURE_TEST(test_a_silent_endpoint_is_left_alone_for_all_tables),
        SCENE_TEST(test_one_caller_at_a_time_looks_after_a_silent_endpoint),
        SCENE_TEST(test_trouble_is_one_for_all_and_ends_with_a_good_answer),
        SCENE_TEST(test_a_failure_long_after_the_last_one_is_another_trouble),
        SCENE_TEST(test_a_new_pass_has_the_whole_budget),
        SCENE_TEST(test_an_outage_goes_on_until_somebody_has_a_good_answer),
        FIXTURE_TEST(test_a_server_that_fails_everybody_costs_one_budget),
        FIXTURE_TEST(test_pages_in_the_place_of_answers_cost_one_budget),
        FIXTURE_TEST(test_a_late_call_shares_what_is_left_of_the_budget),
        FIXTURE_TEST(test_a_new_table_that_is_not_found_is_asked_for_again),
        FIXTURE_TEST(test_a_job_that_misses_a_new_table_may_be_tried_anew),
        FIXTURE_TEST(test_a_table_that_is_updated_too_often_is_left_alone_for_the_window),
        FIXTURE_TEST(test_a_table_that_is_too_new_is_no_outage),
        FIXTURE_TEST(test_loads_and_ddl_are_counted_where_they_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
