/* Tests of error: messages, context in front of them, and what each code decides. */
#include "support/prelude.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

static void test_setting_an_error_forgets_the_one_before(void **state)
{
    struct error err = {
        .code = ERROR_QUOTA, .http_status = 403, .retry_after_ms = 5, .reason = "quotaExceeded"};
    (void)state;

    assert_false(error_set(&err, ERROR_DISK, "cannot write %s", "/x"));

    assert_int_equal(err.code, ERROR_DISK);
    assert_int_equal(err.http_status, 0);
    assert_int_equal(err.retry_after_ms, 0);
    assert_string_equal(err.reason, "");
    assert_string_equal(err.message, "cannot write /x");
}

static void test_context_goes_in_front_and_keeps_the_rest(void **state)
{
    struct error err;
    (void)state;

    error_set(&err, ERROR_AUTH, "access denied");
    err.http_status = 403;
    assert_false(error_wrap(&err, "load job %d", 17));
    assert_false(error_wrap(&err, "%s", "orders"));

    assert_string_equal(err.message, "orders: load job 17: access denied");
    assert_int_equal(err.code, ERROR_AUTH);
    assert_int_equal(err.http_status, 403);
}

static void test_messages_longer_than_their_field_are_cut(void **state)
{
    struct error err;
    char text[3000];
    (void)state;

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    error_set(&err, ERROR_CONFIG, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);

    error_wrap(&err, "users");
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "users: xxx", 10);

    error_wrap(&err, "%s", text);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "xxx", 3);
}

/* "ü" has two bytes, so that one of two lengths of the text in front would cut it. */
static void test_a_message_is_cut_between_characters(void **state)
{
    struct error err;
    char text[3001] = "";
    (void)state;

    for (size_t i = 0; i < 1500; i++)
        memcpy(text + 2 * i, "ü", sizeof "ü");
    for (int width = 0; width < 2; width++) {
        error_set(&err, ERROR_CONFIG, "%.*s%s", width, "x", text);
        assert_int_equal(strlen(err.message), sizeof err.message - 1 - (size_t)(1 - width));
        assert_string_equal(err.message + strlen(err.message) - 2, "ü");

        error_set(&err, ERROR_CONFIG, "%s", text);
        error_wrap(&err, "%.*s", width, "x");
        assert_string_equal(err.message + strlen(err.message) - 2, "ü");
    }
}

static void test_codes_decide_exit_status_and_retries(void **state)
{
    static const struct {
        const char *label;
        enum error_code code;
        int exit_status;
        bool retryable;
    } rows[] = {
        {"none", ERROR_NONE, 0, false},
        {"usage", ERROR_USAGE, 2, false},
        {"config", ERROR_CONFIG, 3, false},
        {"auth", ERROR_AUTH, 4, false},
        {"unreachable", ERROR_UNREACHABLE, 5, true},
        {"source", ERROR_SOURCE, 6, false},
        {"busy", ERROR_BUSY, 6, true},
        {"locked", ERROR_LOCKED, 7, true},
        {"rejected", ERROR_REJECTED, 1, false},
        {"warehouse", ERROR_WAREHOUSE, 1, false},
        {"transient", ERROR_TRANSIENT, 1, true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(error_code_name(rows[i].code), rows[i].label);
        assert_int_equal(error_exit_status(rows[i].code), rows[i].exit_status);
        assert_int_equal(error_is_retryable(rows[i].code), rows[i].retryable);
    }
}

static void test_every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < ERROR_CODE_COUNT; i++) {
        assert_non_null(error_code_name((enum error_code)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(
                error_code_name((enum error_code)i), error_code_name((enum error_code)j));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setting_an_error_forgets_the_one_before),
        cmocka_unit_test(test_context_goes_in_front_and_keeps_the_rest),
        cmocka_unit_test(test_messages_longer_than_their_field_are_cut),
        cmocka_unit_test(test_a_message_is_cut_between_characters),
        cmocka_unit_test(test_codes_decide_exit_status_and_retries),
        cmocka_unit_test(test_every_code_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
