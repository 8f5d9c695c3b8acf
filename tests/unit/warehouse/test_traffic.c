/* Tests of traffic: what a client counts, and under which names. */
#include "support/prelude.h"

#include "fixture.h"
#include "warehouse/retry.h"
#include "warehouse/traffic.h"

#include <stdio.h>

static void test_every_reason_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < TRAFFIC_REASONS; i++) {
        const char *name = traffic_reason_name((enum traffic_reason)i);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(name, traffic_reason_name((enum traffic_reason)j));
    }
    for (size_t i = 0; i < TRAFFIC_CALLS; i++)
        assert_non_null(traffic_call_name((enum traffic_call)i));
}

/* The error that a failure fitting the row ends as. */
static struct error error_of(const struct retry_row *row)
{
    struct error err;

    error_set(&err, row->code, "BigQuery: %s", row->text == NULL ? "" : row->text);
    err.http_status = row->status;
    snprintf(err.reason, sizeof err.reason, "%s", row->reason == NULL ? "" : row->reason);
    return err;
}

static void test_whatever_is_tried_again_has_a_reason(void **state)
{
    size_t count = 0;
    const struct retry_row *rows = retry_table(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        bool tells = rows[i].text == NULL || strstr(rows[i].text, "Retrying the job") == NULL;
        if (rows[i].action == RETRY_GIVE_UP || rows[i].places == RETRY_TOKEN || !tells)
            continue;
        struct error err = error_of(&rows[i]);
        enum traffic_reason reason = traffic_reason_of(&err);
        if (reason == TRAFFIC_OTHER)
            fail_msg("row %zu (%d %s) has no reason", i, rows[i].status, err.reason);
        if (rows[i].reason != NULL && rows[i].text == NULL)
            assert_string_equal(traffic_reason_name(reason), rows[i].reason);
    }
}

static void test_what_nobody_has_heard_of_is_other(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_TRANSIENT, "BigQuery: job j failed: Retrying the job may solve it");
    snprintf(err.reason, sizeof err.reason, "brandNew");
    assert_int_equal(traffic_reason_of(&err), TRAFFIC_OTHER);
    err.http_status = 418;
    assert_int_equal(traffic_reason_of(&err), TRAFFIC_OTHER);
}

static void test_jobs_that_are_started_anew_are_counted_by_what_their_failure_says(void **state)
{
    static const struct {
        const char *reason;
        const char *message;
        enum traffic_reason expected;
    } cases[] = {
        {"backendError", "try again", TRAFFIC_BACKEND_ERROR},
        {"invalidQuery", "Could not serialize access to table t", TRAFFIC_CONCURRENT},
        {"invalidQuery", "Transaction is aborted due to concurrent update", TRAFFIC_CONCURRENT},
        {"resourcesExceeded", "Too many DML statements outstanding", TRAFFIC_DML_QUEUE},
        {"notFound", "Not found: Table p:d.t", TRAFFIC_TOO_EARLY},
        {"claimed", "given up", TRAFFIC_CLAIMED},
    };
    struct fixture *fixture = *state;
    struct error err;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        error_set(&err, ERROR_TRANSIENT, "BigQuery: job j failed: %s", cases[i].message);
        snprintf(err.reason, sizeof err.reason, "%s", cases[i].reason);
        struct bigquery_counters before = bigquery_counters(fixture->bigquery);
        bigquery_count_retry(fixture->bigquery, &err);
        struct bigquery_counters after = bigquery_counters(fixture->bigquery);
        assert_int_equal(
            after.traffic.retries[cases[i].expected],
            before.traffic.retries[cases[i].expected] + 1);
    }
    struct bigquery_counters counters = bigquery_counters(fixture->bigquery);
    assert_int_equal(count_retries(&counters.traffic), 6);
    assert_int_equal(traffic_requests(&counters.traffic), 0);
}

static void test_each_kind_of_failure_is_counted_as_what_it_is(void **state)
{
    static const struct {
        struct fake_reply reply;
        enum traffic_outcome outcome;
        enum traffic_reason reason;
    } cases[] = {
        {{.status = 503}, TRAFFIC_ERROR, TRAFFIC_HTTP_503},
        {{.status = 503, .body = REFUSAL(503, "backendError", "busy")},
         TRAFFIC_ERROR,
         TRAFFIC_BACKEND_ERROR},
        {{.status = 403, .body = REFUSAL(403, "rateLimitExceeded", "slow down")},
         TRAFFIC_ERROR,
         TRAFFIC_RATE_LIMIT},
        {{.status = 429}, TRAFFIC_ERROR, TRAFFIC_HTTP_429},
        {{.status = 200, .body = "<html>"}, TRAFFIC_OK, TRAFFIC_NOT_JSON},
        {{.failure = HTTP_NOT_SENT}, TRAFFIC_NO_ANSWER, TRAFFIC_REFUSED},
        {{.failure = HTTP_BROKEN}, TRAFFIC_NO_ANSWER, TRAFFIC_BROKEN},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_reply replies[] = {cases[i].reply, {.status = 200, .body = "{}"}};
        struct error err = {0};
        cJSON *table = NULL;
        void *fresh = NULL;

        assert_int_equal(fixture_setup(&fresh), 0);
        struct fixture *fixture = fresh;
        fake_http_script(&fixture->http, replies, 2);
        expect_ok(bigquery_table_get(fixture->bigquery, "t", &table, &err));
        cJSON_Delete(table);

        struct traffic traffic = bigquery_counters(fixture->bigquery).traffic;
        assert_int_equal(traffic_requests(&traffic), 2);
        assert_true(traffic.requests[TRAFFIC_TABLES_GET][cases[i].outcome] >= 1);
        assert_int_equal(traffic.retries[cases[i].reason], 1);
        assert_int_equal(count_retries(&traffic), 1);
        fixture_teardown(&fresh);
    }
}

static void test_counts_add_up(void **state)
{
    struct traffic sum = {0};
    struct traffic one = {0};

    (void)state;
    one.requests[TRAFFIC_LOAD][TRAFFIC_OK] = 2;
    one.requests[TRAFFIC_JOBS_GET][TRAFFIC_NO_ANSWER] = 1;
    one.retries[TRAFFIC_OTHER] = 1;
    traffic_add(&sum, &one);
    traffic_add(&sum, &one);

    assert_int_equal(sum.requests[TRAFFIC_LOAD][TRAFFIC_OK], 4);
    assert_int_equal(traffic_requests(&sum), 6);
    assert_int_equal(sum.retries[TRAFFIC_OTHER], 2);
    assert_int_equal(count_retries(&sum), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_reason_has_a_name_of_its_own),
        cmocka_unit_test(test_whatever_is_tried_again_has_a_reason),
        cmocka_unit_test(test_what_nobody_has_heard_of_is_other),
        FIXTURE_TEST(test_jobs_that_are_started_anew_are_counted_by_what_their_failure_says),
        cmocka_unit_test(test_each_kind_of_failure_is_counted_as_what_it_is),
        cmocka_unit_test(test_counts_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
