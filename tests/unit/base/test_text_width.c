/* Tests of text_width: columns of a terminal, not bytes. */
#include "support/prelude.h"

#include "base/text_width.h"

#include <stdio.h>
#include <string.h>

static void test_columns_are_those_of_a_terminal(void **state)
{
    static const struct {
        const char *label;
        const char *text;
        size_t columns;
    } rows[] = {
        {"empty", "", 0},
        {"plain", "users", 5},
        {"an umlaut", "müll", 4},
        {"an umlaut of two characters", "mu\u0308ll", 4},
        {"Greek", "αβγ", 3},
        {"ideographs", "日本", 4},
        {"Hangul", "한국", 4},
        {"Hangul of jamo", "\u1112\u1161\u11ab", 2},
        {"Devanagari with a vowel sign", "\u0915\u0941", 1},
        {"full width", "\uff21\uff22", 4},
        {"half width", "\uff76\uff85", 2},
        {"emoji", "😀", 2},
        {"a joiner", "a\u200db", 2},
        {"a rare ideograph", "\U00020000", 2},
        {"the last ideograph", "\U0003fffd", 2},
        {"the euro sign", "€", 1},
        {"a block", "█", 1},
        {"no UTF-8: Latin-1", "m\xfcll", 4},
        {"no UTF-8: a cut character", "a\xe6\x97", 3},
        {"no UTF-8: only continuations", "\x80\x80", 2},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t columns = text_width(rows[i].text);
        if (columns != rows[i].columns)
            fail_msg("%s: %zu columns instead of %zu", rows[i].label, columns, rows[i].columns);
    }
}

static void test_a_text_is_cut_between_characters(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
        size_t bytes;
    } rows[] = {
        {"users", 5, 5}, {"users", 9, 5},    {"users", 3, 3},         {"users", 0, 0},
        {"日本", 4, 6},  {"日本", 3, 3},     {"日本", 1, 0},          {"müll", 2, 3},
        {"x日", 2, 1},   {"u\u0308l", 1, 3}, {"u\u0308\u0308", 1, 5},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t bytes = text_width_fit(rows[i].text, rows[i].columns);
        if (bytes != rows[i].bytes)
            fail_msg(
                "%s in %zu: %zu bytes instead of %zu", rows[i].text, rows[i].columns, bytes,
                rows[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_those_of_a_terminal),
        cmocka_unit_test(test_a_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests_name("text_width", tests, NULL, NULL);
}
