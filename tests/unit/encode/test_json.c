/* Tests of json: the texts that are JSON and those that are not. */
#include "support/prelude.h"

#include "encode/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_valid_texts_pass(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "10",
        "1.5",
        "-1.5e+10",
        "1E-5",
        "0e0",
        "1e308",
        "1e-400",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u0000\"",
        "\"\x7f\"",
        "\"\u00e9\U0001f600\"",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[[],{}]",
        "[1,2]",
        " [ 1 , 2 ] ",
        "\t\r\n1\n",
        "{\"a\":1}",
        "{\"a\":1,\"a\":2}",
        "{\"\":{\"\":[]}}",
        "{\"a\":[1,{\"b\":null}],\"c\":\"d\"}",
        "[[1],[2,[3]],4]",
        "123456789012345678901234567890",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *reason = json_check(slice_of(texts[i]));
        if (reason != NULL)
            fail_msg("%s: %s", texts[i], reason);
    }
}

static const char *const invalid_texts[] = {
    " ",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "-",
    "+1",
    "01",
    "-01",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x10",
    "1 2",
    "\"",
    "\"a",
    "'a'",
    "\"\n\"",
    "\"\t\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1}",
    "{",
    "}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "{1:1}",
    "{\"a\" 1}",
    "{\"a\":1]",
    "{\"a\":1 \"b\":2}",
    "[1]]",
    "{}{}",
    "// c\n1",
    "\xef\xbb\xbf"
    "1",
    "[1],",
    "\"\\ud83d\\u12\"",
};

static void test_invalid_texts_do_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof invalid_texts / sizeof invalid_texts[0]; i++) {
        const char *reason = json_check(slice_of(invalid_texts[i]));
        if (reason == NULL || strcmp(reason, "is not valid JSON") != 0)
            fail_msg("%s: %s", invalid_texts[i], reason);
    }
}

static void test_other_reasons_are_told(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
        {"", "is empty, which is not JSON"},
        {"\"\xff\"", "is not valid UTF-8"},
        {"\"\\ud83d\"", "is JSON with an escaped lone surrogate"},
        {"\"\\ude00\\ud83d\"", "is JSON with an escaped lone surrogate"},
        {"\"\\ud83d\\u0041\"", "is JSON with an escaped lone surrogate"},
        {"[1e309]", "is JSON with a number out of the range of FLOAT64"},
        {"-1e999999999999", "is JSON with a number out of the range of FLOAT64"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(json_check(slice_of(rows[i].text)), rows[i].reason);
}

static void test_what_bigquery_holds_exactly(void **state)
{
    static const char *const held[] = {
        "[0,-0,1.50,67.174118,1685019801.1016695,1e3,-9223372036854775808,18446744073709551615]",
        "[0.1,5e-324,1.7976931348623157e308,123456789012345.6,-0.0,0.0000000000000000000]",
        "{\"a\":1,\"b\":{\"a\":1,\"b\":{\"a\":1}},\"c\":[{\"a\":1},{\"a\":1}]}",
        "{\"\\u0061\":1,\"b\":1}",
    };
    static const struct {
        const char *text;
        const char *reason;
    } rejected[] = {
        {"[1,18446744073709551616]", "is JSON with an integer beyond 64 bits"},
        {"-9223372036854775809", "is JSON with an integer beyond 64 bits"},
        {"123456789012345678901234567890", "is JSON with an integer beyond 64 bits"},
        {"{\"a\":0.10000000000000000001}",
         "is JSON with a number that FLOAT64 cannot hold exactly"},
        {"1685019801.10166951", "is JSON with a number that FLOAT64 cannot hold exactly"},
        {"1e-400", "is JSON with a number that FLOAT64 cannot hold exactly"},
        {"1e400", "is JSON with a number out of the range of FLOAT64"},
        {"{\"a\":1,\"b\":2,\"a\":1}", "is JSON with a member named twice"},
        {"[{\"x\":{\"a\":1,\"\\u0061\":1}}]", "is JSON with a member named twice"},
        {"{\"a\":1,\"a\" :1}", "is JSON with a member named twice"},
        {"{\"a\"\n:1, \"a\":1}", "is JSON with a member named twice"},
        {"{\"a\":1,}", "is not valid JSON"},
        {"", "is empty, which is not JSON"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        const char *reason = json_check_exact(slice_of(held[i]));
        if (reason != NULL)
            fail_msg("%s: %s", held[i], reason);
    }
    for (size_t i = 0; i < sizeof rejected / sizeof rejected[0]; i++)
        assert_string_equal(json_check_exact(slice_of(rejected[i].text)), rejected[i].reason);
}

/* More names than the hash has bits: none is twice, then the last is. */
static void test_many_members_are_told_apart(void **state)
{
    char *text = malloc(200000);
    char *at = stpcpy(text, "{\"m0\":0");

    (void)state;
    for (int i = 1; i < 10000; i++)
        at += sprintf(at, ",\"m%d\":0", i);
    strcpy(at, "}");
    assert_null(json_check_exact(slice_of(text)));
    strcpy(at, ",\"m77\":0}");
    assert_string_equal(json_check_exact(slice_of(text)), "is JSON with a member named twice");
    free(text);
}

/* So many arrays, or objects where every third level is one, around a number. name: how an object
 * begins. */
static const char *check_nested(
    const char *check(struct slice), const char *name, size_t depth, bool objects)
{
    char *text = malloc(depth * 12 + 2);
    char *at = text;

    assert_non_null(text);
    for (size_t i = 0; i < depth; i++)
        at = stpcpy(at, objects && i % 3 == 0 ? name : "[");
    *at++ = '1';
    for (size_t i = depth; i-- > 0;)
        *at++ = objects && i % 3 == 0 ? '}' : ']';
    const char *reason = check((struct slice){text, (size_t)(at - text)});
    free(text);
    return reason;
}

static void test_five_hundred_levels_and_no_more(void **state)
{
    (void)state;
    assert_null(check_nested(json_check, "{\"a\":", 500, false));
    assert_null(check_nested(json_check, "{\"a\":", 500, true));
    // Names with escapes are compared by the text's normal form, which has to be as deep.
    assert_null(check_nested(json_check_exact, "{\"\\u0061\":", 500, true));
    assert_string_equal(
        check_nested(json_check, "{\"a\":", 501, false), "is JSON of more than 500 levels");
    assert_string_equal(
        check_nested(json_check, "{\"a\":", 100000, true), "is JSON of more than 500 levels");
}

static void test_a_text_ends_where_its_slice_ends(void **state)
{
    const char *text = "[12345]";
    (void)state;
    assert_null(json_check((struct slice){text, 7}));
    for (size_t length = 1; length < 7; length++)
        assert_non_null(json_check((struct slice){text, length}));
    assert_null(json_check((struct slice){text + 1, 3}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_texts_pass),
        cmocka_unit_test(test_invalid_texts_do_not),
        cmocka_unit_test(test_other_reasons_are_told),
        cmocka_unit_test(test_what_bigquery_holds_exactly),
        cmocka_unit_test(test_many_members_are_told_apart),
        cmocka_unit_test(test_five_hundred_levels_and_no_more),
        cmocka_unit_test(test_a_text_ends_where_its_slice_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
