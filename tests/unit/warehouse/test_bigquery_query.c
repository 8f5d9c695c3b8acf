#include "support/prelude.h"

#include "base/json_exact.h"
#include "base/secrets.h"
#include "fixture.h"

#include <stdio.h>

#define SCHEMA    "\"schema\":{\"fields\":[{\"name\":\"a\"},{\"name\":\"b\"}]}"
#define ROW(a, b) "{\"f\":[{\"v\":" a "},{\"v\":" b "}]}"
#define REFERENCE "\"jobReference\":{\"projectId\":\"p\",\"jobId\":\"q1\",\"location\":\"US\"}"

struct seen {
    char text[1000];
    unsigned stop_after;
    unsigned rows;
};

static bool note(void *context, size_t count, const char *const *cells)
{
    struct seen *seen = context;

    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(seen->text);
        snprintf(
            seen->text + length, sizeof seen->text - length, "%s%c",
            cells[i] == NULL ? "NULL" : cells[i], i + 1 < count ? ',' : ';');
    }
    seen->rows++;
    return seen->rows != seen->stop_after;
}

static void test_rows_come_as_text_with_null_told_apart(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};
    int64_t billed = -1;

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body = "{\"jobComplete\":true," REFERENCE "," SCHEMA ",\"totalBytesBilled\":\"10485760\","
                 "\"rows\":[" ROW("\"1\"", "null") "," ROW("\"\"", "\"x\"") "]}"});
    expect_ok(bigquery_select(fixture->bigquery, "select a, b", note, &seen, &billed, &err));

    assert_string_equal(seen.text, "1,NULL;,x;");
    assert_int_equal(billed, 10485760);
    cJSON *body = cJSON_Parse(fixture->http.requests[0].body);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(body, "useLegacySql")));
    assert_true(cJSON_IsTrue(
        cJSON_GetObjectItem(cJSON_GetObjectItem(body, "formatOptions"), "useInt64Timestamp")));
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(body, "location")), "EU");
    assert_in_range(strlen(cJSON_GetStringValue(cJSON_GetObjectItem(body, "requestId"))), 20, 36);
    assert_int_equal(cJSON_GetNumberValue(cJSON_GetObjectItem(body, "maxResults")), 10000);
    cJSON_Delete(body);
}

static void test_a_slow_query_is_waited_for_and_read_page_by_page(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};
    int64_t billed = -1;

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{\"jobComplete\":false," REFERENCE "}"},
        {.status = 200, .body = "{\"jobComplete\":false," REFERENCE "}"},
        {.status = 200,
         .body = "{\"jobComplete\":true," REFERENCE "," SCHEMA ",\"pageToken\":\"n/1\",\"rows\":"
                 "[" ROW("\"1\"", "\"2\"") "]}"},
        {.status = 200,
         .body = "{\"jobComplete\":true," REFERENCE "," SCHEMA
                 ",\"rows\":[" ROW("\"3\"", "\"4\"") "]}"},
        {.status = 200,
         .body =
             "{\"status\":{\"state\":\"DONE\"},\"configuration\":{\"query\":{}},\"statistics\":{"
             "\"query\":{\"totalBytesBilled\":\"99\"}}}"});
    expect_ok(bigquery_select(fixture->bigquery, "select a, b", note, &seen, &billed, &err));

    assert_string_equal(seen.text, "1,2;3,4;");
    assert_int_equal(billed, 99);
    const char *second = fixture->http.requests[1].url;
    assert_non_null(strstr(second, "/projects/p/queries/q1?"));
    assert_non_null(strstr(second, "&location=US"));
    assert_non_null(strstr(second, "formatOptions.useInt64Timestamp=true"));
    assert_non_null(strstr(second, "&maxResults=10000"));
    assert_non_null(strstr(fixture->http.requests[3].url, "&pageToken=n%2F1"));
}

static void test_a_job_id_is_taken_as_it_is_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};

    secrets_keep(fixture, "job_secret");
    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body = "{\"jobComplete\":false,\"jobReference\":{\"projectId\":\"p\",\"jobId\":"
                 "\"job_secret\",\"location\":\"US\"}}"},
        {.status = 404, .body = REFUSAL(404, "notFound", "gone")},
        {.status = 200,
         .body = "{\"jobComplete\":false,\"jobReference\":{\"projectId\":\"p\",\"jobId\":"
                 "\"job/2\",\"location\":\"US\"}}"});
    assert_false(bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err));
    assert_non_null(strstr(fixture->http.requests[1].url, "/queries/job_secret?"));
    assert_null(strstr(err.message, "job_secret"));
    assert_false(bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err));
    assert_string_equal(
        err.message, "BigQuery: the job that an answer names has no id that is one");
    secrets_forget(fixture);
}

static void test_a_repeated_start_uses_the_same_request_id(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.failure = HTTP_BROKEN},
        {.status = 200, .body = "{\"jobComplete\":true," SCHEMA "}"});
    expect_ok(bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err));

    assert_string_equal(fixture->http.requests[0].body, fixture->http.requests[1].body);
    assert_string_equal(seen.text, "");
}

static void test_a_query_that_failed_inside_bigquery_is_run_afresh(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = "{\"jobComplete\":false," REFERENCE "}"},
        {.status = 400, .body = REFUSAL(400, "jobBackendError", "try again")},
        {.status = 200,
         .body = "{\"jobComplete\":true," SCHEMA ",\"rows\":[" ROW("\"1\"", "\"2\"") "]}"});
    expect_ok(bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err));

    assert_string_equal(seen.text, "1,2;");
    assert_string_not_equal(fixture->http.requests[0].body, fixture->http.requests[2].body);
    struct traffic traffic = bigquery_counters(fixture->bigquery).traffic;
    assert_int_equal(traffic.retries[TRAFFIC_JOB_BACKEND_ERROR], 1);
}

static void test_a_query_is_run_three_times_and_not_waited_for_a_fourth(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 400, .body = REFUSAL(400, "jobBackendError", "try again")});
    expect_error(
        bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err), ERROR_TRANSIENT,
        "BigQuery: jobs.query: http 400 jobBackendError: try again");

    assert_int_equal(fixture->http.request_count, 3);
    struct traffic traffic = bigquery_counters(fixture->bigquery).traffic;
    assert_int_equal(traffic.retries[TRAFFIC_JOB_BACKEND_ERROR], 2);
    assert_int_equal(fixture->clock.sleep_count, 2);
}

static void test_a_wrong_query_shows_googles_words(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 400, .body = REFUSAL(400, "invalidQuery", "Unrecognized name: x at [1:8]")});
    expect_error(
        bigquery_select(fixture->bigquery, "select x", note, &seen, NULL, &err), ERROR_WAREHOUSE,
        "BigQuery: jobs.query: http 400 invalidQuery: Unrecognized name: x at [1:8]");

    assert_int_equal(fixture->http.request_count, 1);
}

static void test_a_visitor_may_have_seen_enough(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.stop_after = 1};

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body = "{\"jobComplete\":true," SCHEMA ",\"pageToken\":\"n\",\"rows\":[" ROW(
             "\"1\"", "\"2\"") "," ROW("\"3\"", "\"4\"") "]}"});
    expect_ok(bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err));

    assert_string_equal(seen.text, "1,2;");
    assert_int_equal(fixture->http.request_count, 1);
}

static void test_a_row_that_lacks_cells_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body = "{\"jobComplete\":true," SCHEMA ",\"rows\":[{\"f\":[{\"v\":\"1\"}]}]}"},
        {.status = 200,
         .body = "{\"jobComplete\":true," SCHEMA ",\"rows\":[" ROW("[]", "\"1\"") "]}"});
    expect_error(
        bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err), ERROR_WAREHOUSE,
        "lacks columns");
    expect_error(
        bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err), ERROR_WAREHOUSE,
        "plain values");
}

static void test_an_answer_that_leaves_rows_out_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body = "{\"jobComplete\":true," REFERENCE "," SCHEMA ",\"totalRows\":\"1\"}"});
    assert_false(bigquery_select(fixture->bigquery, "select a, b", note, &seen, NULL, &err));

    assert_int_equal(err.code, ERROR_WAREHOUSE);
    assert_string_equal(err.message, "BigQuery: the query q1 has 1 rows, but 0 were returned");
}

static void test_a_page_that_comes_again_and_again_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.stop_after = 5};

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body = "{\"jobComplete\":true," REFERENCE "," SCHEMA ",\"totalRows\":\"3\","
                 "\"pageToken\":\"n\",\"rows\":[" ROW("\"1\"", "\"2\"") "," ROW(
                     "\"3\"", "\"4\"") "]}"});
    expect_error(
        bigquery_select(fixture->bigquery, "select", note, &seen, NULL, &err), ERROR_WAREHOUSE,
        "BigQuery: the query q1 has 3 rows, but 4 were returned");
}

/* However little of the budget is left, a query that BigQuery still computes is not cut. */
static void test_no_try_is_shorter_than_the_hold_that_it_asks_for(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct seen seen = {.rows = 0};

    fixture->http.advance_ms = &fixture->clock.ms;
    fixture->http.silence_ms = 12000;
    FAKE_HTTP_SCRIPT(&fixture->http, {.failure = HTTP_BROKEN});
    assert_false(bigquery_select(fixture->bigquery, "select a, b", note, &seen, NULL, &err));

    assert_true(fixture->http.request_count > 1);
    for (size_t i = 0; i < fixture->http.request_count; i++) {
        cJSON *body = cJSON_Parse(fixture->http.requests[i].body);
        int64_t hold = json_int64_of(cJSON_GetObjectItem(body, "timeoutMs"), 0);
        assert_true(hold >= 1000);
        assert_true(fixture->http.requests[i].stall_timeout_ms >= hold + 5000);
        cJSON_Delete(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_rows_come_as_text_with_null_told_apart),
        FIXTURE_TEST(test_a_slow_query_is_waited_for_and_read_page_by_page),
        FIXTURE_TEST(test_a_job_id_is_taken_as_it_is_or_not_at_all),
        FIXTURE_TEST(test_a_repeated_start_uses_the_same_request_id),
        FIXTURE_TEST(test_a_query_that_failed_inside_bigquery_is_run_afresh),
        FIXTURE_TEST(test_a_query_is_run_three_times_and_not_waited_for_a_fourth),
        FIXTURE_TEST(test_a_wrong_query_shows_googles_words),
        FIXTURE_TEST(test_a_visitor_may_have_seen_enough),
        FIXTURE_TEST(test_a_row_that_lacks_cells_is_an_error),
        FIXTURE_TEST(test_an_answer_that_leaves_rows_out_is_an_error),
        FIXTURE_TEST(test_a_page_that_comes_again_and_again_is_an_error),
        FIXTURE_TEST(test_no_try_is_shorter_than_the_hold_that_it_asks_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
