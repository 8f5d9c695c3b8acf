#include "support/prelude.h"

#include "service/error_report_body.h"

#include "support/freed.h"
#include "support/printed.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct error_report failure = {
    .event_id = "0123456789abcdef0123456789abcdef",
    .at_us = INT64_C(1767323045678000),
    .table = "orders",
    .run_id = "20260102-030405-abcdef",
    .kind = "incremental",
    .mode = "merge",
    .code = "quota",
    .reason = "quotaExceeded",
    .message = "orders: merge: quota exceeded",
    .http_status = 403,
    .retryable = true,
    .attempts = 3,
    .environment = "staging",
    .host = "box",
};

/* The value at a path of names and indexes, as text. */
static const char *text_at(const cJSON *json, const char *path)
{
    char copy[128];
    char *rest = copy;

    snprintf(copy, sizeof copy, "%s", path);
    for (const char *part = strsep(&rest, "."); part != NULL; part = strsep(&rest, "."))
        json = part[0] >= '0' && part[0] <= '9' ? cJSON_GetArrayItem(json, atoi(part))
                                                : cJSON_GetObjectItemCaseSensitive(json, part);
    return cJSON_GetStringValue(json);
}

static bool has_header(const struct error_report_body *body, const char *header)
{
    for (size_t i = 0; i < body->header_count; i++)
        if (strcmp(body->headers[i], header) == 0)
            return true;
    return false;
}

static void test_bugsnag_gets_one_event_with_everything_it_requires(void **state)
{
    struct error_report_body body;
    struct error err;

    (void)state;
    expect_ok(bugsnag_body(
        &failure, "abcdefabcdefabcdefabcdefabcdefab", "http://127.0.0.1:1/x", &body, &err));
    assert_string_equal(body.url, "http://127.0.0.1:1/x");
    assert_true(has_header(&body, "Content-Type: application/json"));
    assert_true(has_header(&body, "Bugsnag-Api-Key: abcdefabcdefabcdefabcdefabcdefab"));
    assert_true(has_header(&body, "Bugsnag-Payload-Version: 4"));
    assert_true(has_header(&body, "Bugsnag-Sent-At: 2026-01-02T03:04:05.678Z"));
    cJSON *json = cJSON_ParseWithLength(body.text, body.length);
    assert_string_equal(text_at(json, "payloadVersion"), "4");
    assert_string_equal(text_at(json, "notifier.name"), "bqsync");
    assert_string_equal(text_at(json, "events.0.exceptions.0.errorClass"), "quota");
    assert_string_equal(
        text_at(json, "events.0.exceptions.0.message"), "orders: merge: quota exceeded");
    assert_string_equal(text_at(json, "events.0.exceptions.0.stacktrace.0.file"), "orders");
    assert_string_equal(text_at(json, "events.0.app.releaseStage"), "staging");
    assert_string_equal(text_at(json, "events.0.metaData.sync.run_id"), "20260102-030405-abcdef");
    assert_string_equal(text_at(json, "events.0.severity"), "warning");
    assert_string_equal(text_at(json, "events.0.groupingHash"), "orders/quota/quotaExceeded");
    cJSON_Delete(json);
    error_report_body_clear(&body);
}

static void test_nothing_that_is_freed_holds_the_key(void **state)
{
    static const char key[] = "fedcbafedcbafedcbafedcbafedcbafe";
    struct error_report_body body;
    struct error err;

    (void)state;
    if (!freed_watch(key))
        skip();

    expect_ok(bugsnag_body(&failure, key, NULL, &body, &err));
    error_report_body_clear(&body);

    assert_int_equal(0, freed_holding());
}

static void test_a_bugsnag_key_finds_its_endpoint(void **state)
{
    struct error_report_body body;
    struct error err;

    (void)state;
    expect_ok(bugsnag_body(&failure, "abcdefabcdefabcdefabcdefabcdefab", NULL, &body, &err));
    assert_string_equal(body.url, "https://notify.bugsnag.com/");
    error_report_body_clear(&body);
    expect_ok(bugsnag_body(&failure, "00000fabcdefabcdefabcdefabcdefab", NULL, &body, &err));
    assert_string_equal(body.url, "https://notify.insighthub.smartbear.com/");
    error_report_body_clear(&body);
}

static void test_sentry_gets_an_envelope_whose_length_is_true(void **state)
{
    struct error_report_body body;
    struct error err;

    (void)state;
    printed_secret("SENTRY_DSN", "k3y-of-the-dsn");
    expect_ok(
        sentry_body(&failure, "https://k3y-of-the-dsn@sentry.example:8443/sub/42", &body, &err));
    assert_string_equal(body.url, "https://sentry.example:8443/sub/api/42/envelope/");
    assert_true(has_header(&body, "Content-Type: application/x-sentry-envelope"));
    assert_true(has_header(
        &body, "X-Sentry-Auth: Sentry sentry_key=k3y-of-the-dsn, sentry_version=7, "
               "sentry_client=bqsync/" BQSYNC_VERSION));

    char *second = strchr(body.text, '\n') + 1;
    char *payload = strchr(second, '\n') + 1;
    cJSON *head = cJSON_Parse(body.text);
    cJSON *item = cJSON_Parse(second);
    cJSON *event = cJSON_Parse(payload);
    assert_string_equal(text_at(head, "event_id"), failure.event_id);
    assert_string_equal(text_at(item, "type"), "event");
    assert_int_equal(
        cJSON_GetObjectItem(item, "length")->valueint,
        body.length - (size_t)(payload - body.text) - 1);
    assert_string_equal(text_at(event, "event_id"), failure.event_id);
    assert_string_equal(text_at(event, "level"), "warning");
    assert_string_equal(text_at(event, "environment"), "staging");
    assert_string_equal(text_at(event, "release"), "bqsync@" BQSYNC_VERSION);
    assert_string_equal(text_at(event, "exception.values.0.type"), "quota");
    assert_string_equal(text_at(event, "tags.table"), "orders");
    assert_string_equal(text_at(event, "fingerprint.2"), "quotaExceeded");
    assert_null(strstr(body.text, "k3y-of-the-dsn"));
    cJSON_Delete(head);
    cJSON_Delete(item);
    cJSON_Delete(event);
    error_report_body_clear(&body);
}

static void test_a_dsn_of_another_form_is_refused_without_showing_it(void **state)
{
    static const char *const dsns[] = {
        "",
        "nonsense",
        "https://host/42",
        "https://@host/42",
        "https://key@host",
        "https://key@/42",
        "https://key@host/",
        "ftp://key@host/42",
        "key@host/42",
    };
    struct error_report_body body;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof dsns / sizeof dsns[0]; i++) {
        if (sentry_body(&failure, dsns[i], &body, &err))
            fail_msg("%s was taken for a DSN", dsns[i]);
        assert_int_equal(err.code, ERROR_CONFIG);
        assert_null(strstr(err.message, "host/42"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bugsnag_gets_one_event_with_everything_it_requires),
        cmocka_unit_test(test_nothing_that_is_freed_holds_the_key),
        cmocka_unit_test(test_a_bugsnag_key_finds_its_endpoint),
        cmocka_unit_test(test_sentry_gets_an_envelope_whose_length_is_true),
        cmocka_unit_test(test_a_dsn_of_another_form_is_refused_without_showing_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
