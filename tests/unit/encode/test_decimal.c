/* The text of decimals: that of BigQuery's CAST(x AS STRING). */
#include "support/prelude.h"

#include "encode/decimal.h"

#include <stdio.h>
#include <string.h>

/* Reads the text as the kind and writes it again. */
static void check(enum decimal_kind kind, const char *text, const char *expected)
{
    struct number number;
    struct value_decimal value = {.null = true};
    char room[DECIMAL_TEXT_SIZE];
    int scale = kind == DECIMAL_NUMERIC ? DECIMAL_NUMERIC_SCALE : DECIMAL_BIGNUMERIC_SCALE;

    assert_true(number_parse(slice_of(text), &number));
    assert_null(decimal_of_number(&number, kind, &value));
    assert_string_equal(decimal_text(value, scale, room), expected);
}

static void test_no_zeros_that_do_not_count(void **state)
{
    (void)state;
    for (int kind = DECIMAL_NUMERIC; kind <= DECIMAL_BIGNUMERIC; kind++) {
        check((enum decimal_kind)kind, "0", "0");
        check((enum decimal_kind)kind, "-0.0", "0");
        check((enum decimal_kind)kind, "1.50", "1.5");
        check((enum decimal_kind)kind, "-0.25", "-0.25");
        check((enum decimal_kind)kind, "1000000000", "1000000000");
        check(
            (enum decimal_kind)kind, "-1000000000000000000.000000001",
            "-1000000000000000000.000000001");
    }
}

/* Each length, and each place of the point, with zeros inside and without. */
static void check_lengths(enum decimal_kind kind, int whole, int scale)
{
    char text[2 * DECIMAL_TEXT_SIZE];

    for (int left = 1; left <= whole; left++)
        for (int right = 1; right <= scale; right++)
            for (int sparse = 0; sparse <= 1; sparse++) {
                int length = snprintf(text, sizeof text, "%s", sparse ? "-" : "");
                for (int i = 0; i < left + right; i++) {
                    bool end = i == 0 || i == left + right - 1;
                    const char digit = "0123456789"[end || !sparse ? 1 + i % 9 : 0];
                    if (i == left)
                        text[length++] = '.';
                    text[length++] = digit;
                }
                text[length] = '\0';
                check(kind, text, text);
            }
}

static void test_every_length_comes_back(void **state)
{
    (void)state;
    check_lengths(DECIMAL_NUMERIC, 29, 9);
    check_lengths(DECIMAL_BIGNUMERIC, 38, 38);
}

static void test_the_ends_of_both_ranges(void **state)
{
    static const char most[] =
        "578960446186580977117854925043439539266.34992332820282019728792003956564819967";
    static const char least[] =
        "-578960446186580977117854925043439539266.34992332820282019728792003956564819968";

    (void)state;
    check(
        DECIMAL_NUMERIC, "-99999999999999999999999999999.999999999",
        "-99999999999999999999999999999.999999999");
    check(DECIMAL_BIGNUMERIC, most, most);
    check(DECIMAL_BIGNUMERIC, least, least);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_zeros_that_do_not_count),
        cmocka_unit_test(test_every_length_comes_back),
        cmocka_unit_test(test_the_ends_of_both_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
