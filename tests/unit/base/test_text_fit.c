/* Tests of text_fit: texts are cut between characters. */
#include "support/prelude.h"

#include "base/text_fit.h"

#include <stdio.h>
#include <string.h>

static void test_no_character_is_cut_in_two(void **state)
{
    static const struct {
        const char *label;
        const char *text;
        size_t limit;
        int bytes;
    } rows[] = {
        {"fits", "abc", 3, 3},
        {"fits with room", "abc", 100, 3},
        {"plain", "abcd", 3, 3},
        {"nothing", "abc", 0, 0},
        {"two bytes fit", "aü.", 3, 3},
        {"two bytes cut", "aü.", 2, 1},
        {"three bytes fit", "€€", 3, 3},
        {"three bytes cut after one", "€€", 4, 3},
        {"three bytes cut after two", "€€", 5, 3},
        {"four bytes fit", "😀.", 4, 4},
        {"four bytes cut after three", "x😀", 4, 1},
        {"four bytes cut after one", "x😀", 2, 1},
        {"first of all", "😀", 3, 0},
        {"no UTF-8: Latin-1 at the end", "M\xfc", 2, 2},
        {"no UTF-8: only continuations", "\x80\x80\x80\x80\x80\x80", 5, 5},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int bytes = text_fit(rows[i].text, rows[i].limit);
        if (bytes != rows[i].bytes)
            fail_msg("%s: %d bytes instead of %d", rows[i].label, bytes, rows[i].bytes);
    }
}

static void test_a_formatted_text_ends_with_a_whole_character(void **state)
{
    char out[6];
    (void)state;

    assert_string_equal(text_format(out, sizeof out, "%s", "abc€"), "abc");
    assert_string_equal(text_format(out, sizeof out, "%s", "ab€d"), "ab€");
    assert_string_equal(text_format(out, sizeof out, "%.*s!", TEXT_FIT("ab€d", 4)), "ab!");
    assert_string_equal(text_format(out, 1, "%s", "€"), "");
}

static void test_a_formatted_text_is_utf8(void **state)
{
    char out[40];
    (void)state;

    assert_string_equal(text_format(out, sizeof out, "%s", "M\xfcller ü€😀"), "M?ller ü€😀");
    assert_string_equal(text_format(out, sizeof out, "%s", "\xc3"), "?");
    assert_string_equal(text_format(out, sizeof out, "%s", "\xe2\x82.\xf0\x9f\x98"), "??.???");
    // Overlong, a surrogate, beyond the last code point, never a byte.
    assert_string_equal(text_format(out, sizeof out, "%s", "\xc0\x80"), "??");
    assert_string_equal(text_format(out, sizeof out, "%s", "\xed\xa0\x80"), "???");
    assert_string_equal(text_format(out, sizeof out, "%s", "\xf4\x90\x80\x80\xff"), "?????");
}

static void test_control_characters_are_shown(void **state)
{
    char out[40];
    (void)state;

    assert_string_equal(
        text_visible(out, sizeof out, "\x1b[31mü\r\x7f\n\t€"),
        "\\u001b[31mü\\u000d\\u007f\n\\u0009€");
    // U+009B begins a sequence as ESC [ does; U+00A0 does not.
    assert_string_equal(text_visible(out, sizeof out, "\xc2\x9b\xc2\xa0"), "\\u009b\xc2\xa0");
    assert_string_equal(text_visible(out, sizeof out, "\xfc\xc2"), "??");
    assert_string_equal(text_visible(out, 9, "ab\x1b\x1b"), "ab\\u001b");
    assert_string_equal(text_visible(out, 8, "ab\x1b\x1b"), "ab");
    assert_string_equal(text_visible(out, 4, "ab€"), "ab");
    assert_string_equal(text_visible(out, 1, "a"), "");
}

static void test_an_empty_text_can_be_seen(void **state)
{
    (void)state;
    assert_string_equal(text_or_quotes(""), "''");
    assert_string_equal(text_or_quotes("a"), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_character_is_cut_in_two),
        cmocka_unit_test(test_a_formatted_text_ends_with_a_whole_character),
        cmocka_unit_test(test_a_formatted_text_is_utf8),
        cmocka_unit_test(test_control_characters_are_shown),
        cmocka_unit_test(test_an_empty_text_can_be_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
