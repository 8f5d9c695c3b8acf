#include "support/prelude.h"

#include "fixture.h"
#include "warehouse/retry.h"

#include <stdio.h>

static enum retry_action decide(
    enum retry_place place, int status, const char *reason, const char *message,
    enum error_code *code)
{
    const struct retry_event event = {
        .place = place, .status = status, .reason = reason, .message = message};

    return retry_decide(&event, code);
}

static void test_every_row_decides_for_an_event_of_its_own(void **state)
{
    size_t count = 0;
    const struct retry_row *rows = retry_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (unsigned place = 1; place <= RETRY_TOKEN; place <<= 1) {
            if ((rows[i].places & place) == 0)
                continue;
            const struct retry_event event = {
                .place = (enum retry_place)place,
                .failure = rows[i].failure,
                .status = rows[i].status,
                .reason = rows[i].reason == NULL ? "" : rows[i].reason,
                .message = rows[i].text == NULL ? "" : rows[i].text,
            };
            enum error_code code = ERROR_NONE;
            enum retry_action action = retry_decide(&event, &code);
            if (action != rows[i].action || code != rows[i].code)
                fail_msg(
                    "row %zu (%d %s) is hidden by an earlier one at place %u", i, rows[i].status,
                    event.reason, place);
        }
    }
}

static void test_the_documented_reasons_lead_to_the_documented_actions(void **state)
{
    static const struct {
        enum retry_place place;
        int status;
        const char *reason;
        const char *message;
        enum retry_action action;
        enum error_code code;
    } cases[] = {
        {RETRY_CALL, 403, "rateLimitExceeded", "", RETRY_AGAIN, ERROR_TRANSIENT},
        {RETRY_CALL, 429, "", "", RETRY_AGAIN, ERROR_TRANSIENT},
        {RETRY_CALL, 403, "quotaExceeded", "", RETRY_WAIT_QUOTA, ERROR_QUOTA},
        {RETRY_CALL, 403, "accessDenied", "", RETRY_GIVE_UP, ERROR_AUTH},
        {RETRY_CALL, 403, "", "", RETRY_GIVE_UP, ERROR_AUTH},
        {RETRY_CALL, 503, "backendError", "", RETRY_AGAIN, ERROR_TRANSIENT},
        {RETRY_CALL, 500, "", "", RETRY_AGAIN, ERROR_TRANSIENT},
        {RETRY_CALL, 501, "notImplemented", "", RETRY_GIVE_UP, ERROR_WAREHOUSE},
        {RETRY_CALL, 400, "invalidQuery", "", RETRY_GIVE_UP, ERROR_WAREHOUSE},
        {RETRY_CALL, 400, "jobBackendError", "", RETRY_NEW_JOB, ERROR_TRANSIENT},
        {RETRY_CALL, 401, "", "", RETRY_REFRESH_TOKEN, ERROR_AUTH},
        {RETRY_CALL, 404, "notFound", "", RETRY_GIVE_UP, ERROR_NOT_FOUND},
        {RETRY_CALL, 409, "duplicate", "", RETRY_GIVE_UP, ERROR_CONFLICT},
        {RETRY_CALL, 412, "", "", RETRY_GIVE_UP, ERROR_CONFLICT},
        {RETRY_CALL, 413, "", "", RETRY_GIVE_UP, ERROR_LIMIT},
        {RETRY_SESSION, 503, "", "", RETRY_PROBE, ERROR_TRANSIENT},
        {RETRY_SESSION, 404, "", "", RETRY_NEW_SESSION, ERROR_TRANSIENT},
        {RETRY_SESSION, 410, "", "", RETRY_NEW_SESSION, ERROR_TRANSIENT},
        {RETRY_SESSION, 409, "duplicate", "", RETRY_GIVE_UP, ERROR_CONFLICT},
        {RETRY_SESSION, 403, "accessDenied", "", RETRY_GIVE_UP, ERROR_AUTH},
        {RETRY_JOB, 0, "backendError", "", RETRY_NEW_JOB, ERROR_TRANSIENT},
        {RETRY_JOB, 0, "invalid", "Could not serialize access to table", RETRY_NEW_JOB,
         ERROR_TRANSIENT},
        {RETRY_JOB, 0, "resourcesExceeded", "Too many DML statements outstanding", RETRY_NEW_JOB,
         ERROR_TRANSIENT},
        {RETRY_JOB, 0, "resourcesExceeded", "too heavy", RETRY_GIVE_UP, ERROR_WAREHOUSE},
        {RETRY_JOB, 0, "quotaExceeded", "", RETRY_WAIT_QUOTA, ERROR_QUOTA},
        {RETRY_JOB, 0, "notFound", "", RETRY_GIVE_UP, ERROR_NOT_FOUND},
        {RETRY_JOB, 0, "stopped", "", RETRY_GIVE_UP, ERROR_WAREHOUSE},
        {RETRY_TOKEN, 400, "invalid_grant", "", RETRY_GIVE_UP, ERROR_AUTH},
        {RETRY_TOKEN, 500, "", "", RETRY_AGAIN, ERROR_TRANSIENT},
        {RETRY_TOKEN, 400, "temporarily_unavailable", "", RETRY_AGAIN, ERROR_TRANSIENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum error_code code = ERROR_NONE;
        enum retry_action action =
            decide(cases[i].place, cases[i].status, cases[i].reason, cases[i].message, &code);
        if (action != cases[i].action || code != cases[i].code)
            fail_msg(
                "case %zu (%d %s): action %d, code %s", i, cases[i].status, cases[i].reason,
                (int)action, error_code_name(code));
    }
}

/* Makes one call that meets the row's event twice, then success, and tells what it did. */
static void run_call_row(struct fixture *fixture, const struct retry_row *row)
{
    static char body[400];
    static struct fake_reply replies[2];
    struct error err = {0};
    cJSON *table = NULL;

    snprintf(
        body, sizeof body, "{\"error\":{\"message\":\"%s\",\"errors\":[{\"reason\":\"%s\"}]}}",
        row->text == NULL ? "m" : row->text, row->reason == NULL ? "" : row->reason);
    int status = row->failure != HTTP_OK ? 0 : row->status == 0 ? 418 : row->status;
    replies[0] = (struct fake_reply){.status = status, .failure = row->failure, .body = body};
    replies[1] = (struct fake_reply){.status = 200, .body = "{}"};
    fake_http_script(&fixture->http, replies, 2);
    // Time has moved on since the row before.
    bool ok = bigquery_table_get(fixture->bigquery, "t", &table, &err);
    cJSON_Delete(table);

    bool again = row->action == RETRY_AGAIN;
    size_t expected = again ? 2 : 1;
    if (fixture->http.request_count != expected)
        fail_msg(
            "status %d reason %s: %zu requests", row->status,
            row->reason == NULL ? "" : row->reason, fixture->http.request_count);
    if (again)
        assert_true(ok);
    else if (row->code == ERROR_NOT_FOUND)
        assert_true(ok); // no such table is an answer
    else if (row->failure == HTTP_LOCAL)
        assert_false(ok); // keeps the code of what our side met
    else
        assert_int_equal(err.code, row->code);
}

static void test_a_call_follows_every_row_that_holds_for_calls(void **state)
{
    struct fixture *fixture = *state;
    size_t count = 0;
    const struct retry_row *rows = retry_table(&count);

    for (size_t i = 0; i < count; i++)
        if ((rows[i].places & RETRY_CALL) != 0)
            run_call_row(fixture, &rows[i]);
}

static void test_pauses_double_to_half_a_minute_and_stay_within_the_budget(void **state)
{
    struct manual_clock clock;
    struct retry retry;
    uint64_t random = 7;
    int64_t steps[] = {1000, 2000, 4000, 8000, 16000, 32000, 32000};
    int64_t total = 0;

    (void)state;
    manual_clock_init(&clock);
    retry_begin(&retry, &clock.clock, 3600000, &random);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        int64_t pause = retry_next(&retry, false, 0);
        assert_in_range(pause, 0, steps[i]);
        total += pause;
    }
    assert_true(total > 1000);
}

static void test_jitter_spreads_over_the_whole_step(void **state)
{
    uint64_t random = retry_seed();
    unsigned low = 0;
    unsigned high = 0;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        int64_t value = retry_random(&random, 1001);
        assert_in_range(value, 0, 1000);
        low += value < 200;
        high += value > 800;
    }
    assert_in_range(low, 200, 700);
    assert_in_range(high, 200, 700);
}

static void test_retry_after_is_obeyed(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(
        &fixture->http, {.status = 429, .retry_after_ms = 7000}, {.status = 200, .body = "{}"});
    expect_ok(bigquery_table_get(fixture->bigquery, "t", &table, &err));
    cJSON_Delete(table);

    assert_int_equal(fixture->clock.sleep_count, 1);
    assert_true(fixture->clock.sleeps[0] >= 7000);
}

static void test_a_retry_after_beyond_the_budget_ends_the_call_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503, .retry_after_ms = 60000});
    expect_error(
        bigquery_table_get(fixture->bigquery, "t", &table, &err), ERROR_TRANSIENT, "http 503");

    assert_int_equal(fixture->http.request_count, 1);
    assert_int_equal(err.retry_after_ms, 60000);
}

static void test_silence_ends_as_unreachable_when_the_budget_does(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(&fixture->http, {.failure = HTTP_NOT_SENT});
    expect_error(
        bigquery_table_get(fixture->bigquery, "t", &table, &err), ERROR_UNREACHABLE, "tries in");

    assert_in_range(fixture->clock.ms, FIXTURE_BUDGET_MS - 1000, FIXTURE_BUDGET_MS);
    assert_in_range(fixture->http.request_count, 5, 40);
}

static void test_a_silent_server_leaves_less_and_less_patience(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    fixture->http.advance_ms = &fixture->clock.ms;
    fixture->http.silence_ms = 12000;
    FAKE_HTTP_SCRIPT(&fixture->http, {.failure = HTTP_BROKEN});
    expect_error(
        bigquery_table_get(fixture->bigquery, "t", &table, &err), ERROR_UNREACHABLE, "tries in");

    for (size_t i = 1; i < fixture->http.request_count; i++)
        assert_true(
            fixture->http.requests[i].stall_timeout_ms <
            fixture->http.requests[i - 1].stall_timeout_ms);
    assert_true(fixture->http.requests[0].stall_timeout_ms <= FIXTURE_BUDGET_MS);
}

static void test_one_answer_among_silence_means_that_somebody_is_there(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503}, {.failure = HTTP_BROKEN});
    expect_error(
        bigquery_table_get(fixture->bigquery, "t", &table, &err), ERROR_TRANSIENT, "no answer");
}

static void test_a_stop_ends_the_wait_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};
    cJSON *table = NULL;

    fixture->clock.stop_at_ms = 1;
    FAKE_HTTP_SCRIPT(&fixture->http, {.status = 503, .retry_after_ms = 1000});
    expect_error(
        bigquery_table_get(fixture->bigquery, "t", &table, &err), ERROR_STOPPED, "asked to stop");

    assert_int_equal(fixture->http.request_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_decides_for_an_event_of_its_own),
        cmocka_unit_test(test_the_documented_reasons_lead_to_the_documented_actions),
        FIXTURE_TEST(test_a_call_follows_every_row_that_holds_for_calls),
        cmocka_unit_test(test_pauses_double_to_half_a_minute_and_stay_within_the_budget),
        cmocka_unit_test(test_jitter_spreads_over_the_whole_step),
        FIXTURE_TEST(test_retry_after_is_obeyed),
        FIXTURE_TEST(test_a_retry_after_beyond_the_budget_ends_the_call_at_once),
        FIXTURE_TEST(test_silence_ends_as_unreachable_when_the_budget_does),
        FIXTURE_TEST(test_a_silent_server_leaves_less_and_less_patience),
        FIXTURE_TEST(test_one_answer_among_silence_means_that_somebody_is_there),
        FIXTURE_TEST(test_a_stop_ends_the_wait_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
