/* JSON texts as Google's SQL engine prints them. tests/conformance/test_json_text.py compares many
 * more with the library that the engine uses. */
#include "support/prelude.h"

#include "base/json_normal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_normal(const char *text, const char *expected)
{
    struct buffer out;

    buffer_init(&out, 1 << 20);
    assert_true(json_normal(slice_of(text), &out, NULL));
    assert_string_equal(buffer_text(&out), expected);
    buffer_clear(&out);
}

static void test_doubles_are_printed_as_grisu2_finds_them(void **state)
{
    (void)state;
    expect_normal("67.174118", "67.17411800000001");
    expect_normal("0.1", "0.1");
    expect_normal("1.50", "1.5");
    expect_normal("1e0", "1.0");
    expect_normal("1E5", "100000.0");
    expect_normal("123456789012345.0", "123456789012345.0");
    expect_normal("1e15", "1e+15");
    expect_normal("1234567890123456789.0", "1.2345678901234568e+18");
    expect_normal("0.0001", "0.0001");
    expect_normal("0.00001", "1e-05");
    expect_normal("0.000012", "1.2e-05");
    expect_normal("-2.5e-300", "-2.5e-300");
    expect_normal("0.0", "0.0");
    expect_normal("-0.0", "-0.0");
    expect_normal("5e-324", "5e-324");
    expect_normal("2.2250738585072014e-308", "2.2250738585072014e-308");
    expect_normal("1.7976931348623157e308", "1.7976931348623157e+308");
    expect_normal("9007199254740993.0", "9.007199254740992e+15");
    expect_normal("18446744073709551616", "1.8446744073709552e+19");
}

static void test_integers_are_kept(void **state)
{
    (void)state;
    expect_normal("-0", "0");
    expect_normal("18446744073709551615", "18446744073709551615");
    expect_normal("-9223372036854775808", "-9223372036854775808");
}

static void test_every_double_reads_back_as_itself(void **state)
{
    struct buffer out;
    uint64_t seed = 88172645463325252;

    (void)state;
    buffer_init(&out, 4000);
    for (int i = 0; i < 200000; i++) {
        double number;
        char text[40];
        // xorshift64
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        memcpy(&number, &seed, sizeof number);
        snprintf(text, sizeof text, "%.17e", number);
        buffer_reset(&out);
        if (strchr(text, 'n') != NULL)
            continue;
        assert_true(json_normal(slice_of(text), &out, NULL));
        assert_true(strtod(buffer_text(&out), NULL) == number);
    }
    buffer_clear(&out);
}

static void test_members_are_sorted_by_the_bytes_of_their_names(void **state)
{
    (void)state;
    expect_normal("{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}");
    expect_normal("{\"a!\":1,\"a\":2,\"a \":3}", "{\"a\":2,\"a \":3,\"a!\":1}");
    expect_normal("{\"\\n\":1,\"A\":2,\"\\u0001\":3}", "{\"\\u0001\":3,\"\\n\":1,\"A\":2}");
    expect_normal("{\"\\\\\":1,\"[\":2,\"]\":3}", "{\"[\":2,\"\\\\\":1,\"]\":3}");
    expect_normal(
        "{\"\xc3\xa9\":1,\"z\":2,\"\\u00e8\":3}", "{\"z\":2,\"\xc3\xa8\":3,\"\xc3\xa9\":1}");
    expect_normal(
        "{\"\\u0000b\":1,\"\":2,\"\\u0000a\":3}", "{\"\":2,\"\\u0000a\":3,\"\\u0000b\":1}");
    expect_normal("{\"\\\"\":1,\"!\":2,\"#\":3}", "{\"!\":2,\"\\\"\":1,\"#\":3}");
}

static void test_the_first_of_equal_names_counts(void **state)
{
    (void)state;
    expect_normal("{\"a\":1,\"b\":0,\"\\u0061\":2}", "{\"a\":1,\"b\":0}");
}

static struct json_losses losses_of(const char *text)
{
    struct json_losses losses;
    struct buffer out;

    buffer_init(&out, 1 << 20);
    assert_true(json_normal(slice_of(text), &out, &losses));
    buffer_clear(&out);
    return losses;
}

static void test_what_is_lost_is_told(void **state)
{
    static const char *const kept[] = {
        "[1,2.5,1.50,-0.0,0.0,0e7,1e3,100.0E-2]",
        "18446744073709551615",
        "-9223372036854775808",
        "{\"a\":1,\"b\":{\"a\":2}}",
        "1.7976931348623157e308",
        "5e-324",
        "0.1e-3"};
    static const char *const lost[] = {
        "18446744073709551616",
        "67.174118",
        "1685019801.1016695",
        "-9223372036854775809",
        "0.10000000000000000001",
        "1e-400",
        "123456789012345678901234567890"};

    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        assert_int_equal(losses_of(kept[i]).number.length, 0);
        assert_false(losses_of(kept[i]).duplicate);
    }
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++)
        assert_int_equal(losses_of(lost[i]).number.length, strlen(lost[i]));
    assert_true(losses_of("[{\"a\":1,\"b\":2,\"\\u0061\":1}]").duplicate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_are_printed_as_grisu2_finds_them),
        cmocka_unit_test(test_integers_are_kept),
        cmocka_unit_test(test_every_double_reads_back_as_itself),
        cmocka_unit_test(test_members_are_sorted_by_the_bytes_of_their_names),
        cmocka_unit_test(test_the_first_of_equal_names_counts),
        cmocka_unit_test(test_what_is_lost_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
