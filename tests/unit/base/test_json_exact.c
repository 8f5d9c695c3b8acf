/* 64-bit integers in JSON. */
#include "support/prelude.h"

#include "base/json_exact.h"

#include <stdlib.h>
#include <string.h>

static void test_an_integer_keeps_all_its_digits(void **state)
{
    static const int64_t values[] = {
        0, -1, INT64_C(9007199254740993), INT64_C(-9007199254740993), INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        cJSON *object = cJSON_CreateObject();
        json_add_int64(object, "id", values[i]);
        char *text = cJSON_PrintUnformatted(object);
        cJSON *again = json_parse_exact(text);

        assert_int_equal(
            json_int64_of(cJSON_GetObjectItemCaseSensitive(again, "id"), 5), values[i]);

        cJSON_Delete(again);
        free(text);
        cJSON_Delete(object);
    }
}

static void test_a_document_is_printed_again_as_it_was_written(void **state)
{
    static const char *const documents[] = {
        "{\"id\":9007199254740993,\"a\":[1,-2.50,{\"b\":1e400}],\"c\":null}",
        "{\"3\":\"4 \\\" 5\",\"text\":\"-6\\\\\",\"n\":9223372036854775807}",
        "{\"same\":1,\"same\":0.1,\"deep\":[[[18446744073709551615]]]}",
        "7",
        "[]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        cJSON *parsed = json_parse_exact(documents[i]);
        assert_non_null(parsed);
        char *text = cJSON_PrintUnformatted(parsed);

        assert_string_equal(text, documents[i]);

        free(text);
        cJSON_Delete(parsed);
    }
    assert_null(json_parse_exact("{\"id\":"));
    assert_null(json_parse_exact(""));
}

static void test_what_is_no_integer_has_the_fallback(void **state)
{
    cJSON *text = cJSON_CreateString("7");
    cJSON *number = cJSON_CreateNumber(7);
    cJSON *raw = cJSON_CreateRaw("null");

    (void)state;
    assert_int_equal(json_int64_of(NULL, -1), -1);
    assert_int_equal(json_int64_of(text, -1), -1);
    assert_int_equal(json_int64_of(number, -1), 7);
    assert_int_equal(json_int64_of(raw, -1), -1);
    cJSON_Delete(text);
    cJSON_Delete(number);
    cJSON_Delete(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_integer_keeps_all_its_digits),
        cmocka_unit_test(test_a_document_is_printed_again_as_it_was_written),
        cmocka_unit_test(test_what_is_no_integer_has_the_fallback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
