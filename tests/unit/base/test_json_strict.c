/* JSON from outside: nothing behind the document, and no U+0000. */
#include "support/prelude.h"

#include "base/json_strict.h"

static void test_one_document_is_parsed(void **state)
{
    static const char *const texts[] = {
        "{\"a\":[1,\"x\"]}", " 1 \r\n\t", "\"\\\\u0000\"", "[\"\\u0001\"]"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *wrong = NULL;
        cJSON *root = json_parse_strict(slice_of(texts[i]), &wrong);
        if (root == NULL)
            fail_msg("%s: refused", texts[i]);
        cJSON_Delete(root);
    }
}

static void test_everything_else_is_refused_at_its_place(void **state)
{
    static const struct {
        const char *text;
        size_t length;
        size_t wrong;
    } cases[] = {
        {"", 0, 0},     {"{\"a\":", 5, 4},          {"{} {}", 5, 3},
        {"[1]x", 4, 3}, {"[\"a\\u0000b\"]", 12, 3}, {"[\"\\\\\\u0000\"]", 12, 4},
        {"{}\0", 3, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *wrong = NULL;
        const struct slice text = {cases[i].text, cases[i].length};
        if (json_parse_strict(text, &wrong) != NULL)
            fail_msg("%s: accepted", text.data);
        assert_int_equal(wrong - text.data, cases[i].wrong);
    }
    const char *wrong = NULL;
    assert_null(json_parse_strict(slice_of(NULL), &wrong));
}

static void test_an_answer_may_hold_any_value(void **state)
{
    static const char *const texts[] = {
        "{\"rows\":[{\"f\":[{\"v\":\"a\\u0000b\"},{\"v\":null}]}]}\n",
        "{\"a\":{\"a\":1},\"A\":{\"b\":[{\"b\":1},{\"b\":1}]}}", "[]", "1"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cJSON *root = json_parse_answer(slice_of(texts[i]));
        if (root == NULL)
            fail_msg("%s: refused", texts[i]);
        cJSON_Delete(root);
    }
}

static void test_an_answer_is_one_document_without_doubled_members(void **state)
{
    static const char *const texts[] = {
        "",
        "{\"a\":1",
        "{\"a\":1}{\"a\":1}",
        "{\"a\":1}<html>",
        "{\"a\":1,\"b\":2,\"a\":1}",
        "{\"rows\":[{\"f\":[]},{\"f\":[],\"f\":[]}]}",
        "[[{\"x\":{\"y\":{\"n\":1,\"n\":2}}}]]",
        "{\"a\":1,\"\\u0061\":2}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (json_parse_answer(slice_of(texts[i])) != NULL)
            fail_msg("%s: accepted", texts[i]);
    assert_null(json_parse_answer((struct slice){"{}\0", 3}));
    assert_null(json_parse_answer(slice_of(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_document_is_parsed),
        cmocka_unit_test(test_everything_else_is_refused_at_its_place),
        cmocka_unit_test(test_an_answer_may_hold_any_value),
        cmocka_unit_test(test_an_answer_is_one_document_without_doubled_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
