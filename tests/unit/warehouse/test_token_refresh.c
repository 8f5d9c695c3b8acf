/* Tokens in use: the cache, refusals of the token endpoint, and calls to BigQuery. */
#include "support/prelude.h"

#include "token_endpoint.h"

#include <pthread.h>

/* --- the cache --------------------------------------------------------------------------- */

static void test_a_token_is_kept_until_shortly_before_its_end(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);

    endpoint->answers[0] = TOKEN("t1");
    endpoint->answers[1] = TOKEN("t2");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    endpoint->clock.ms += 3300 * 1000;
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    assert_int_equal(endpoint->requests, 1);
    endpoint->clock.ms += 100 * 1000;
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t2");
    credentials_close(credentials);
}

static void test_a_failed_renewal_uses_the_old_token_to_its_end(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct error err = {0};
    char *header = NULL;

    endpoint->answers[0] = TOKEN("t1");
    endpoint->answers[1] = "400 {\"error\":\"invalid_grant\",\"error_description\":\"gone\"}";
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    endpoint->clock.ms += 3500 * 1000;
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    assert_int_equal(endpoint->requests, 2);
    endpoint->clock.ms += 101 * 1000;
    expect_error(
        credentials_authorization(credentials, NULL, &header, &err), ERROR_AUTH, "invalid_grant");
    credentials_close(credentials);
}

static void test_an_endpoint_that_refuses_is_not_asked_again_at_once(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct error err = {0};
    char *header = NULL;

    endpoint->answers[0] = "400 {\"error\":\"invalid_grant\",\"error_description\":\"gone\"}";
    endpoint->answers[1] = TOKEN("t1");
    for (int i = 0; i < 3; i++)
        expect_error(
            credentials_authorization(credentials, NULL, &header, &err), ERROR_AUTH,
            "invalid_grant");
    assert_int_equal(endpoint->requests, 1);

    endpoint->clock.ms += 10 * 1000;
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    credentials_close(credentials);
}

static void test_only_the_refused_token_is_dropped(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);

    endpoint->answers[0] = TOKEN("t1");
    endpoint->answers[1] = TOKEN("t2");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    credentials_invalidate(credentials, "Bearer older");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t1");
    credentials_invalidate(credentials, "Bearer " ACCESS_TOKEN "t1");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t2");
    credentials_invalidate(credentials, "Bearer " ACCESS_TOKEN "t1");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t2");
    credentials_close(credentials);
}

static void *ask(void *context)
{
    struct error err = {0};
    char *header = NULL;

    if (credentials_authorization(context, NULL, &header, &err))
        return header;
    return NULL;
}

static void test_many_threads_lead_to_one_refresh(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    pthread_t threads[8];

    endpoint->answers[0] = TOKEN("t1");
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, credentials), 0);
    for (size_t i = 0; i < 8; i++) {
        void *header = NULL;
        pthread_join(threads[i], &header);
        assert_non_null(header);
        assert_string_equal(header, "Bearer " ACCESS_TOKEN "t1");
        credentials_wipe(header);
    }

    assert_int_equal(endpoint->requests, 1);
    credentials_close(credentials);
}

/* --- refusals ---------------------------------------------------------------------------- */

static void test_refusals_of_the_endpoint_say_what_to_do(void **state)
{
    static const struct {
        const char *content;
        const char *answer;
        const char *message;
    } cases[] = {
        {SERVICE_ACCOUNT,
         "400 {\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}",
         "127.0.0.1: http 400 invalid_grant: Invalid JWT Signature. (the key or its account was "
         "deleted or disabled; create a new key)"},
        {SERVICE_ACCOUNT,
         "400 {\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT: Token must be a "
         "short-lived token and in a reasonable timeframe.\"}",
         "(if the key is in order, this machine's clock is wrong; it says 2026-01-02T03:04:05"},
        {USER,
         "400 {\"error\":\"invalid_grant\",\"error_description\":\"Token has been revoked.\"}",
         "Token has been revoked. (the login has ended; run: gcloud auth application-default "
         "login)"},
        {USER, "401 {\"error\":\"invalid_client\"}", "127.0.0.1: http 401 invalid_client"},
        {USER, "{\"token\":1}", "127.0.0.1: the answer holds no access_token"},
        {USER, "<html>", "127.0.0.1: the answer holds no access_token"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        char *header = NULL;
        void *fresh = NULL;
        assert_int_equal(setup(&fresh), 0);
        struct endpoint *endpoint = fresh;
        struct credentials *credentials = open_content(endpoint, cases[i].content);
        endpoint->answers[0] = cases[i].answer;
        expect_error(
            credentials_authorization(credentials, NULL, &header, &err), ERROR_AUTH,
            cases[i].message);
        assert_int_equal(endpoint->requests, 1);
        assert_memory_equal(err.message, "credentials: ", 13);
        credentials_close(credentials);
        teardown(&fresh);
    }
    (void)state;
}

static void test_a_token_endpoint_in_trouble_is_asked_three_times(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct error err = {0};
    char *header = NULL;

    endpoint->answers[0] = "503 busy";
    endpoint->answers[1] = "400 {\"error\":\"temporarily_unavailable\"}";
    endpoint->answers[2] = TOKEN("t");
    expect_header(credentials, "Bearer " ACCESS_TOKEN "t");
    assert_int_equal(endpoint->clock.sleep_count, 2);

    credentials_invalidate(credentials, "Bearer " ACCESS_TOKEN "t");
    endpoint->answers[3] = "500 x";
    struct traffic traffic = {0};
    expect_error(
        credentials_authorization(credentials, &traffic, &header, &err), ERROR_TRANSIENT, "500");
    assert_int_equal(endpoint->requests, 6);
    assert_int_equal(traffic.retries[TRAFFIC_TOKEN], 2);
    credentials_close(credentials);
}

static void test_nobody_at_the_token_endpoint_is_unreachable(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(
        endpoint, "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
                  "\"refresh_token\":\"r\",\"token_uri\":\"http://127.0.0.1:1/token\"}");
    struct error err = {0};
    char *header = NULL;

    expect_error(
        credentials_authorization(credentials, NULL, &header, &err), ERROR_UNREACHABLE,
        "http://127.0.0.1:1");
    credentials_close(credentials);
}

/* --- with BigQuery ----------------------------------------------------------------------- */

static void test_a_refused_token_is_renewed_once_and_the_call_repeated_once(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct fixture fixture = {.bigquery = NULL};
    struct error err = {0};
    cJSON *table = NULL;

    manual_clock_init(&fixture.clock);
    fake_http_init(&fixture.http);
    struct bigquery_options options = fixture_options(&fixture);
    options.credentials = credentials;
    expect_ok(bigquery_open(&options, &fixture.bigquery, &err));
    endpoint->answers[0] = TOKEN("t1");
    endpoint->answers[1] = TOKEN("t2");
    FAKE_HTTP_SCRIPT(&fixture.http, {.status = 401}, {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_get(fixture.bigquery, "t", &table, &err));
    cJSON_Delete(table);
    assert_string_equal(
        fake_http_header(&fixture.http.requests[0], "Authorization"), "Bearer " ACCESS_TOKEN "t1");
    assert_string_equal(
        fake_http_header(&fixture.http.requests[1], "Authorization"), "Bearer " ACCESS_TOKEN "t2");
    assert_int_equal(fixture.clock.sleep_count, 0);

    FAKE_HTTP_SCRIPT(&fixture.http, {.status = 401});
    expect_error(bigquery_table_get(fixture.bigquery, "t", &table, &err), ERROR_AUTH, "http 401");
    assert_int_equal(fixture.http.request_count, 2);
    struct traffic traffic = bigquery_counters(fixture.bigquery).traffic;
    assert_int_equal(traffic.retries[TRAFFIC_TOKEN], 2);
    assert_int_equal(count_retries(&traffic), 2);
    bigquery_close(fixture.bigquery);
    fake_http_clear(&fixture.http);
    credentials_close(credentials);
}

static void test_the_quota_project_goes_with_every_request(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(
        endpoint, "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
                  "\"refresh_token\":\"r\",\"token_uri\":\"@URL@/t\",\"quota_project_id\":\"q1\"}");
    struct fixture fixture = {.bigquery = NULL};
    struct error err = {0};
    cJSON *table = NULL;

    manual_clock_init(&fixture.clock);
    fake_http_init(&fixture.http);
    struct bigquery_options options = fixture_options(&fixture);
    options.credentials = credentials;
    expect_ok(bigquery_open(&options, &fixture.bigquery, &err));
    endpoint->answers[0] = TOKEN("t1");
    FAKE_HTTP_SCRIPT(&fixture.http, {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_get(fixture.bigquery, "t", &table, &err));

    assert_string_equal(fake_http_header(&fixture.http.requests[0], "x-goog-user-project"), "q1");
    cJSON_Delete(table);
    bigquery_close(fixture.bigquery);
    fake_http_clear(&fixture.http);
    credentials_close(credentials);
}

static void elsewhere(
    void *context, const struct fake_request *request, struct fake_reply *out_reply)
{
    (void)context;
    *out_reply =
        strstr(request->url, "/upload/") != NULL
            ? (struct fake_reply){.status = 200, .location = "http://other.example/s"}
            : (struct fake_reply){.status = 201, .body = "{\"status\":{\"state\":\"RUNNING\"}}"};
}

static void test_a_session_elsewhere_does_not_see_the_token(void **state)
{
    struct endpoint *endpoint = *state;
    struct credentials *credentials = open_content(endpoint, USER);
    struct fixture fixture = {.bigquery = NULL};
    struct error err = {0};
    struct spool *file = NULL;
    uint64_t sent = 0;

    manual_clock_init(&fixture.clock);
    fake_http_init(&fixture.http);
    struct bigquery_options options = fixture_options(&fixture);
    options.credentials = credentials;
    options.upload_multipart_bytes = 1;
    expect_ok(bigquery_open(&options, &fixture.bigquery, &err));
    expect_ok(spool_new(100, &file, &err));
    expect_ok(spool_write(file, slice_of("bytes"), &err));
    endpoint->answers[0] = TOKEN("t1");
    fake_http_script(&fixture.http, NULL, 0);
    fixture.http.handler = elsewhere;
    const struct load_request request = {.job_id = "j", .table = "t", .file = file};
    expect_ok(bigquery_load(fixture.bigquery, &request, &sent, &err));

    assert_string_equal(
        fake_http_header(&fixture.http.requests[0], "Authorization"), "Bearer " ACCESS_TOKEN "t1");
    assert_null(fake_http_header(&fixture.http.requests[1], "Authorization"));
    spool_free(file);
    bigquery_close(fixture.bigquery);
    fake_http_clear(&fixture.http);
    credentials_close(credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENDPOINT_TEST(test_a_token_is_kept_until_shortly_before_its_end),
        ENDPOINT_TEST(test_a_failed_renewal_uses_the_old_token_to_its_end),
        ENDPOINT_TEST(test_an_endpoint_that_refuses_is_not_asked_again_at_once),
        ENDPOINT_TEST(test_only_the_refused_token_is_dropped),
        ENDPOINT_TEST(test_many_threads_lead_to_one_refresh),
        cmocka_unit_test(test_refusals_of_the_endpoint_say_what_to_do),
        ENDPOINT_TEST(test_a_token_endpoint_in_trouble_is_asked_three_times),
        ENDPOINT_TEST(test_nobody_at_the_token_endpoint_is_unreachable),
        ENDPOINT_TEST(test_a_refused_token_is_renewed_once_and_the_call_repeated_once),
        ENDPOINT_TEST(test_the_quota_project_goes_with_every_request),
        ENDPOINT_TEST(test_a_session_elsewhere_does_not_see_the_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
