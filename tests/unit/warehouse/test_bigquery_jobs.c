#include "support/prelude.h"

#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DONE    "{\"status\":{\"state\":\"DONE\"},\"configuration\":{\"query\":{\"query\":\"x\"}}}"
#define RUNNING "{\"status\":{\"state\":\"RUNNING\"},\"configuration\":{\"load\":{}}}"
#define NOT_FOUND                                                                                  \
    {                                                                                              \
        .status = 404, .body = REFUSAL(404, "notFound", "Not found: Job p:j")                      \
    }
#define DUPLICATE                                                                                  \
    {                                                                                              \
        .status = 409, .body = REFUSAL(409, "duplicate", "Already Exists: Job p:EU.j")             \
    }

static cJSON *body_of(const struct fixture *fixture, size_t request)
{
    cJSON *body = cJSON_Parse(fixture->http.requests[request].body);

    assert_non_null(body);
    return body;
}

static void expect_text(const cJSON *root, const char *path, const char *expected)
{
    char copy[200];
    const cJSON *at = root;

    snprintf(copy, sizeof copy, "%s", path);
    for (char *name = strtok(copy, "."); name != NULL; name = strtok(NULL, "."))
        at = cJSON_GetObjectItemCaseSensitive(at, name);
    char *text = cJSON_IsString(at) ? strdup(at->valuestring) : cJSON_PrintUnformatted(at);
    if (text == NULL || strcmp(text, expected) != 0)
        fail_msg("%s is %s, not %s", path, text == NULL ? "absent" : text, expected);
    free(text);
}

static struct query_request merge_of(const char *job_id)
{
    return (struct query_request){
        .job_id = job_id,
        .sql = "merge x",
        .kind = QUERY_DML,
        .target = "t",
        .label_table = "Order Items!",
        .label_phase = "merge",
    };
}

static bool start_merge(struct bigquery *bigquery, const char *job_id, struct error *err)
{
    const struct query_request request = merge_of(job_id);

    return bigquery_query(bigquery, &request, err);
}

static void test_a_query_job_carries_our_id_place_labels_and_dialect(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = RUNNING});
    expect_ok(start_merge(fixture->bigquery, "j1", &err));

    cJSON *body = body_of(fixture, 0);
    expect_text(body, "jobReference.projectId", "p");
    expect_text(body, "jobReference.jobId", "j1");
    expect_text(body, "jobReference.location", "EU");
    expect_text(body, "configuration.query.query", "merge x");
    expect_text(body, "configuration.query.useLegacySql", "false");
    expect_text(body, "configuration.labels.tool", "bqsync");
    expect_text(body, "configuration.labels.table", "order_items_");
    expect_text(body, "configuration.labels.phase", "merge");
    expect_text(body, "configuration.labels.run", "run1");
    assert_null(cJSON_GetObjectItem(
        cJSON_GetObjectItem(cJSON_GetObjectItem(body, "configuration"), "query"),
        "maximumBytesBilled"));
    cJSON_Delete(body);
}

static void test_a_cap_on_billed_bytes_goes_with_every_query(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *bigquery = NULL;
    struct error err = {0};

    options.max_bytes_billed = 5000000000;
    expect_ok(bigquery_open(&options, &bigquery, &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = RUNNING});
    expect_ok(start_merge(bigquery, "j", &err));

    cJSON *body = body_of(fixture, 0);
    expect_text(body, "configuration.query.maximumBytesBilled", "5000000000");
    cJSON_Delete(body);
    bigquery_close(bigquery);
}

static void test_a_job_id_that_exists_is_our_own_job(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(&fixture->http, DUPLICATE);
    expect_ok(start_merge(fixture->bigquery, "j", &err));
}

static void test_a_lost_acknowledgement_is_met_with_the_same_id(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.failure = HTTP_BROKEN}, {.status = 503}, {.status = 200, .body = "{\"st"},
        DUPLICATE);
    expect_ok(start_merge(fixture->bigquery, "j", &err));

    assert_int_equal(fixture->http.request_count, 4);
    for (size_t i = 1; i < 4; i++)
        assert_string_equal(fixture->http.requests[i].body, fixture->http.requests[0].body);
}

static void test_a_job_that_ended_with_its_start_is_not_asked_for(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body =
             "{\"status\":{\"state\":\"DONE\"},\"configuration\":{\"query\":{}},\"statistics\":{"
             "\"query\":{\"totalBytesBilled\":\"10485760\",\"dmlStats\":{\"insertedRowCount\":"
             "\"3\",\"updatedRowCount\":\"2\",\"deletedRowCount\":\"1\"}}}}"});
    expect_ok(start_merge(fixture->bigquery, "j", &err));
    expect_ok(bigquery_job_wait(fixture->bigquery, "j", &job, &err));

    assert_int_equal(fixture->http.request_count, 1);
    assert_int_equal(job.state, JOB_SUCCEEDED);
    assert_false(job.is_claim);
    assert_string_equal(job.kind, "query");
    assert_int_equal(job.inserted, 3);
    assert_int_equal(job.updated, 2);
    assert_int_equal(job.deleted, 1);
    assert_int_equal(job.bytes_billed, 10485760);
}

static void test_a_running_job_is_polled_with_growing_pauses(void **state)
{
    struct fixture *fixture = *state;
    static struct fake_reply replies[60];
    struct error err = {0};
    struct job job;

    for (size_t i = 0; i < 59; i++)
        replies[i] = (struct fake_reply){.status = 200, .body = RUNNING};
    replies[59] = (struct fake_reply){.status = 200, .body = DONE};
    fake_http_script(&fixture->http, replies, 60);
    expect_ok(bigquery_job_wait(fixture->bigquery, "j", &job, &err));

    assert_int_equal(fixture->http.request_count, 60);
    assert_non_null(strstr(fixture->http.requests[0].url, "/projects/p/jobs/j?"));
    assert_non_null(strstr(fixture->http.requests[0].url, "&location=EU"));
    assert_in_range(fixture->clock.sleeps[0], 112, 150);
    assert_in_range(fixture->clock.sleeps[58], 7500, 10000);
    // No pause adds more than a fifth to what the job took; the shortest are let be.
    int64_t waited = 0;
    for (size_t i = 0; i < fixture->clock.sleep_count; i++) {
        assert_true(fixture->clock.sleeps[i] <= (waited < 750 ? 150 : waited / 5));
        waited += fixture->clock.sleeps[i];
    }
    assert_true(fixture->clock.ms > 2 * FIXTURE_BUDGET_MS);
}

static const struct query_request merge_request = {
    .job_id = "q",
    .sql = "select 1",
    .target = "t",
    .label_table = "t",
    .label_phase = "merge",
};

/* A query's end is known as soon as it is there: the server holds a request until then. */
static void test_the_end_of_a_query_is_waited_for_by_the_server(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = RUNNING},
        {.status = 200, .body = "{\"jobComplete\":true}"}, {.status = 200, .body = DONE});
    expect_ok(bigquery_query(fixture->bigquery, &merge_request, &err));
    expect_ok(bigquery_job_wait(fixture->bigquery, "q", &job, &err));

    assert_int_equal(job.state, JOB_SUCCEEDED);
    assert_int_equal(fixture->http.request_count, 3);
    assert_non_null(strstr(fixture->http.requests[1].url, "/projects/p/queries/q?"));
    assert_non_null(strstr(fixture->http.requests[1].url, "&timeoutMs=10000"));
    assert_int_equal(fixture->clock.sleep_count, 0);
}

static void test_a_query_whose_end_nobody_waits_for_is_polled(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 200, .body = RUNNING}, {.status = 403, .body = "{}"},
        {.status = 200, .body = RUNNING}, {.status = 200, .body = DONE});
    expect_ok(bigquery_query(fixture->bigquery, &merge_request, &err));
    expect_ok(bigquery_job_wait(fixture->bigquery, "q", &job, &err));

    assert_int_equal(job.state, JOB_SUCCEEDED);
    assert_int_equal(fixture->http.request_count, 4);
    assert_int_equal(fixture->clock.sleep_count, 1);
}

/* A statement's rows are read from the spool while the request is sent, around the job's own text.
 */
static void test_rows_of_a_statement_are_values_of_its_parameter(void **state)
{
    struct fixture *fixture = *state;
    struct spool *rows = NULL;
    struct error err = {0};
    uint64_t sent = 0;

    expect_ok(spool_new(4, &rows, &err));
    expect_ok(spool_write(rows, slice_of("{\"structValues\":{\"id\":{\"value\":\"1\"}}}"), &err));
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = RUNNING});
    const struct query_request request = {
        .job_id = "q",
        .sql = "merge",
        .rows = rows,
        .row_type = "{\"type\":\"STRUCT\"}",
        .sent = &sent,
        .target = "t",
    };
    expect_ok(bigquery_query(fixture->bigquery, &request, &err));

    cJSON *job = body_of(fixture, 0);
    expect_text(
        job, "configuration.query.queryParameters",
        "[{\"name\":\"rows\",\"parameterType\":{\"type\":\"ARRAY\",\"arrayType\":"
        "{\"type\":\"STRUCT\"}},\"parameterValue\":{\"arrayValues\":"
        "[{\"structValues\":{\"id\":{\"value\":\"1\"}}}]}}]");
    assert_int_equal(sent, spool_size(rows));
    cJSON_Delete(job);
    spool_free(rows);
}

/* What is logged meanwhile, in a buffer that the caller frees. */
static char *logged_while_waiting(struct bigquery *bigquery, struct error *err)
{
    char *text = calloc(1, 65536);
    FILE *file = tmpfile();
    int console = dup(STDERR_FILENO);
    struct job job;

    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    log_configure(LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
    assert_false(bigquery_job_wait(bigquery, "j", &job, err));
    log_configure(LOG_LEVEL_OFF, LOG_FORMAT_TEXT);
    fflush(stderr);
    dup2(console, STDERR_FILENO);
    close(console);
    rewind(file);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

static void test_a_job_that_never_ends_is_logged_and_given_up(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *patient = NULL;
    struct error err = {0};
    size_t lines = 0;

    options.job_timeout_ms = 3600000;
    expect_ok(bigquery_open(&options, &patient, &err));
    log_use_clock(&fixture->clock.clock);
    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200, .body = "{\"status\":{\"state\":\"PENDING\"},\"configuration\":{}}"});
    char *text = logged_while_waiting(patient, &err);
    log_use_clock(NULL);
    bigquery_close(patient);

    assert_int_equal(err.code, ERROR_TRANSIENT);
    assert_non_null(strstr(err.message, "job j is still pending after 36"));
    assert_non_null(strstr(err.message, "BQ_JOB_TIMEOUT"));
    assert_in_range(fixture->clock.ms, 3600000, 3611000);
    for (const char *at = text; (at = strstr(at, "still waiting for a job")) != NULL; at++)
        lines++;
    // After half a minute, and then every five minutes of an hour.
    assert_int_equal(lines, 12);
    assert_non_null(strstr(text, "job=j state=pending waited_s=3"));
    free(text);
}

static void test_a_known_job_that_is_not_seen_yet_is_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(
        &fixture->http, NOT_FOUND, NOT_FOUND, NOT_FOUND, {.status = 200, .body = DONE});
    expect_ok(bigquery_job_wait(fixture->bigquery, "j", &job, &err));

    assert_int_equal(job.state, JOB_SUCCEEDED);
}

static void test_a_job_of_an_earlier_run_is_not_waited_for_without_a_budget(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct bigquery *hasty = NULL;
    struct error err = {0};
    struct job job;

    options.retry_budget_ms = 0;
    expect_ok(bigquery_open(&options, &hasty, &err));
    fixture->clock.stop_at_ms = 3600000;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = RUNNING});
    expect_error(
        bigquery_job_wait_briefly(hasty, "j", &job, &err), ERROR_TRANSIENT, "BQ_RETRY_BUDGET");
    bigquery_close(hasty);
}

static void test_a_job_that_never_appears_is_not_found_in_the_end(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(&fixture->http, NOT_FOUND);
    expect_error(
        bigquery_job_wait(fixture->bigquery, "j", &job, &err), ERROR_NOT_FOUND, "no such job");
    expect_ok(bigquery_job_get(fixture->bigquery, "j", &job, &err));

    assert_int_equal(job.state, JOB_MISSING);
}

static void test_waiting_ends_when_asked_to_stop(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    fixture->clock.stop_at_ms = 100;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = RUNNING});
    expect_error(bigquery_job_wait(fixture->bigquery, "j", &job, &err), ERROR_STOPPED, "stop");
}

static void test_a_failed_job_says_whether_a_new_one_may_help(void **state)
{
    static const struct {
        const char *reason;
        const char *message;
        enum error_code code;
    } cases[] = {
        {"backendError", "m", ERROR_TRANSIENT},
        {"internalError", "m", ERROR_TRANSIENT},
        {"jobRateLimitExceeded", "m", ERROR_TRANSIENT},
        {"invalidQuery", "Could not serialize access to table p:d.t", ERROR_TRANSIENT},
        {"invalidQuery", "Transaction is aborted due to concurrent update", ERROR_TRANSIENT},
        {"quotaExceeded", "m", ERROR_QUOTA},
        {"notFound", "Not found: Table p:d.t", ERROR_NOT_FOUND},
        {"accessDenied", "m", ERROR_AUTH},
        {"invalid", "m", ERROR_WAREHOUSE},
        {"stopped", "m", ERROR_WAREHOUSE},
        {"resourcesExceeded", "m", ERROR_WAREHOUSE},
    };
    struct fixture *fixture = *state;
    struct error err = {0};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static char body[600];
        static struct fake_reply reply;
        struct job job;
        snprintf(
            body, sizeof body,
            "{\"configuration\":{\"load\":{}},\"status\":{\"state\":\"DONE\",\"errorResult\":{"
            "\"reason\":\"%s\",\"message\":\"%s\"}}}",
            cases[i].reason, cases[i].message);
        reply = (struct fake_reply){.status = 200, .body = body};
        fake_http_script(&fixture->http, &reply, 1);
        expect_ok(bigquery_job_wait(fixture->bigquery, "j", &job, &err));
        assert_int_equal(job.state, JOB_FAILED);
        assert_string_equal(job.failure.reason, cases[i].reason);
        if (job.failure.code != cases[i].code)
            fail_msg("%s: %s", cases[i].reason, error_code_name(job.failure.code));
    }
}

static void test_a_failed_load_shows_the_line_that_helps(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body = "{\"configuration\":{\"load\":{}},\"status\":{\"state\":\"DONE\",\"errorResult\":{"
                 "\"reason\":\"invalid\",\"message\":\"Error while reading data\"},\"errors\":[{"
                 "\"reason\":\"invalid\",\"message\":\"Error while reading data\"},{\"reason\":"
                 "\"invalid\",\"message\":\"Missing required\\nfield: id\"}]}}"});
    expect_ok(bigquery_job_wait(fixture->bigquery, "j", &job, &err));

    assert_string_equal(
        job.failure.message,
        "BigQuery: job j failed: invalid: Error while reading data (Missing required field: id)");
}

static void test_warnings_alone_are_success(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body =
             "{\"configuration\":{\"load\":{}},\"statistics\":{\"load\":{\"outputRows\":\"12\"}}"
             ",\"status\":{\"state\":\"DONE\",\"errors\":[{\"message\":\"a warning\"}]}}"});
    expect_ok(bigquery_job_wait(fixture->bigquery, "j", &job, &err));

    assert_int_equal(job.state, JOB_SUCCEEDED);
    assert_string_equal(job.kind, "load");
    assert_int_equal(job.output_rows, 12);
}

static void test_the_rows_of_a_script_are_those_of_its_statements(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(
        &fixture->http,
        {.status = 200,
         .body =
             "{\"configuration\":{\"query\":{}},\"status\":{\"state\":\"DONE\"},\"statistics\":{"
             "\"numChildJobs\":\"2\",\"query\":{\"statementType\":\"SCRIPT\",\"totalBytesBilled"
             "\":\"77\"}}}"},
        {.status = 200,
         .body = "{\"nextPageToken\":\"n\",\"jobs\":[{\"statistics\":{\"query\":{\"dmlStats\":{"
                 "\"insertedRowCount\":\"5\"}}}}]}"},
        {.status = 200,
         .body = "{\"jobs\":[{\"statistics\":{\"query\":{\"dmlStats\":{\"insertedRowCount\":\"1\","
                 "\"deletedRowCount\":\"4\"}}}},{\"statistics\":{}}]}"});
    expect_ok(bigquery_job_wait(fixture->bigquery, "j", &job, &err));

    assert_non_null(strstr(fixture->http.requests[1].url, "&parentJobId=j"));
    assert_non_null(strstr(fixture->http.requests[2].url, "&pageToken=n"));
    assert_int_equal(job.inserted, 6);
    assert_int_equal(job.deleted, 4);
    assert_int_equal(job.bytes_billed, 77);
}

static void test_an_unused_id_is_claimed_by_a_query_that_does_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    bool claimed = false;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = RUNNING});
    expect_ok(bigquery_job_claim(fixture->bigquery, "j", &claimed, &err));

    assert_true(claimed);
    cJSON *body = body_of(fixture, 0);
    expect_text(body, "configuration.query.query", "select 1 as claimed_by_bqsync");
    cJSON_Delete(body);
}

static void test_a_used_id_cannot_be_claimed(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    bool claimed = true;

    FAKE_HTTP_SCRIPT(&fixture->http, DUPLICATE, {.status = 200, .body = RUNNING});
    expect_ok(bigquery_job_claim(fixture->bigquery, "j", &claimed, &err));

    assert_false(claimed);
}

#define CLAIMED                                                                                    \
    "{\"status\":{\"state\":\"DONE\"},\"configuration\":{\"query\":{\"query\":\"select 1 as "      \
    "claimed_by_bqsync\"}}}"

static void test_a_claim_whose_answer_was_lost_is_still_ours(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    bool claimed = false;

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.failure = HTTP_BROKEN}, DUPLICATE, {.status = 200, .body = CLAIMED});
    expect_ok(bigquery_job_claim(fixture->bigquery, "j", &claimed, &err));

    assert_true(claimed);
}

static void test_a_claimed_id_never_passes_for_a_finished_merge(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    struct job job;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = CLAIMED});
    expect_ok(bigquery_job_get(fixture->bigquery, "j", &job, &err));

    assert_int_equal(job.state, JOB_FAILED);
    assert_int_equal(job.failure.code, ERROR_TRANSIENT);
    assert_string_equal(job.failure.reason, "claimed");
    assert_true(job.is_claim);
}

static void test_a_third_merge_into_a_table_waits_for_one_of_two(void **state)
{
    struct fixture *fixture = *state;
    struct bigquery_options options = fixture_options(fixture);
    struct quota *quota = quota_new(&fixture->clock.clock);
    struct bigquery *clients[3];
    struct error err = {0};
    struct job job;

    options.quota = quota;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = RUNNING});
    for (size_t i = 0; i < 3; i++)
        expect_ok(bigquery_open(&options, &clients[i], &err));
    expect_ok(start_merge(clients[0], "j0", &err));
    expect_ok(start_merge(clients[1], "j1", &err));
    fixture->clock.stop_at_ms = 500;
    expect_error(start_merge(clients[2], "j2", &err), ERROR_STOPPED, "table t");

    fixture->clock.stop_at_ms = 0;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 200, .body = DONE});
    expect_ok(bigquery_job_wait(clients[0], "j0", &job, &err));
    expect_ok(start_merge(clients[2], "j2", &err));
    for (size_t i = 0; i < 3; i++)
        bigquery_close(clients[i]);
    quota_free(quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_query_job_carries_our_id_place_labels_and_dialect),
        FIXTURE_TEST(test_a_cap_on_billed_bytes_goes_with_every_query),
        FIXTURE_TEST(test_a_job_id_that_exists_is_our_own_job),
        FIXTURE_TEST(test_a_lost_acknowledgement_is_met_with_the_same_id),
        FIXTURE_TEST(test_a_job_that_ended_with_its_start_is_not_asked_for),
        FIXTURE_TEST(test_a_running_job_is_polled_with_growing_pauses),
        FIXTURE_TEST(test_the_end_of_a_query_is_waited_for_by_the_server),
        FIXTURE_TEST(test_a_query_whose_end_nobody_waits_for_is_polled),
        FIXTURE_TEST(test_rows_of_a_statement_are_values_of_its_parameter),
        FIXTURE_TEST(test_a_job_that_never_ends_is_logged_and_given_up),
        FIXTURE_TEST(test_a_known_job_that_is_not_seen_yet_is_waited_for),
        FIXTURE_TEST(test_a_job_of_an_earlier_run_is_not_waited_for_without_a_budget),
        FIXTURE_TEST(test_a_job_that_never_appears_is_not_found_in_the_end),
        FIXTURE_TEST(test_waiting_ends_when_asked_to_stop),
        FIXTURE_TEST(test_a_failed_job_says_whether_a_new_one_may_help),
        FIXTURE_TEST(test_a_failed_load_shows_the_line_that_helps),
        FIXTURE_TEST(test_warnings_alone_are_success),
        FIXTURE_TEST(test_the_rows_of_a_script_are_those_of_its_statements),
        FIXTURE_TEST(test_an_unused_id_is_claimed_by_a_query_that_does_nothing),
        FIXTURE_TEST(test_a_used_id_cannot_be_claimed),
        FIXTURE_TEST(test_a_claim_whose_answer_was_lost_is_still_ours),
        FIXTURE_TEST(test_a_claimed_id_never_passes_for_a_finished_merge),
        FIXTURE_TEST(test_a_third_merge_into_a_table_waits_for_one_of_two),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
