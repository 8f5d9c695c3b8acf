/* Tests of number: shortest forms come back, exact conversions are exact. */
#include "support/prelude.h"

#include "encode/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t seed;

static uint64_t next_random(void)
{
    // xorshift64*
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

/* Any finite double: random bits. */
static double random_real(void)
{
    for (;;) {
        uint64_t bits = next_random();
        double real;
        memcpy(&real, &bits, sizeof real);
        if (real - real == 0)
            return real;
    }
}

static void test_json_text_reads_back_as_the_same_double(void **state)
{
    (void)state;
    for (int i = 0; i < 50000; i++) {
        double real = i % 2 == 0 ? random_real() : (double)(int64_t)next_random() / 1e9;
        char text[NUMBER_TEXT_SIZE + 1];
        size_t length = number_json_text(real, text);
        assert_true(length <= NUMBER_TEXT_SIZE);
        text[length] = '\0';
        if (strtod(text, NULL) != real)
            fail_msg("%.17g became %s", real, text);
    }
}

static void test_short_numbers_keep_their_digits(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[64];
        char json[NUMBER_TEXT_SIZE + 1];
        snprintf(
            text, sizeof text, "%u.%06u", (unsigned)(next_random() % 1000000),
            (unsigned)(next_random() % 1000000));
        json[number_json_text(strtod(text, NULL), json)] = '\0';
        size_t length = strlen(text);
        while (text[length - 1] == '0' && text[length - 2] != '.')
            text[--length] = '\0';
        if (strcmp(text, json) != 0 && strtod(text, NULL) >= 0.0001)
            fail_msg("%s became %s", text, json);
    }
}

static void test_digits_are_written_out_up_to_16_before_the_point_and_4_zeros_behind(void **state)
{
    static const struct {
        double real;
        const char *text;
    } cases[] = {
        {0, "0.0"},
        {-0.5, "-0.5"},
        {1e15, "1000000000000000.0"},
        {1234567890123456, "1234567890123456.0"},
        {1e16, "1.0e+16"},
        {12345678901234568, "1.2345678901234568e+16"},
        {0.0001, "0.0001"},
        {-0.00012, "-0.00012"},
        {0.00001, "1.0e-05"},
        {1.5e300, "1.5e+300"},
        // Denormal doubles have fewer digits.
        {5e-324, "5.0e-324"},
        {1e-310, "1.0e-310"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[NUMBER_TEXT_SIZE + 1];
        text[number_json_text(cases[i].real, text)] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void test_texts_round_as_strtod_does(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[64];
        double real;
        snprintf(
            text, sizeof text, "%llu.%llue%d", (unsigned long long)next_random(),
            (unsigned long long)next_random(), (int)(next_random() % 600) - 300);
        double expected = strtod(text, NULL);
        const char *reason = number_real_of_text(slice_of(text), &real);
        if (expected - expected == 0 && expected != 0) {
            if (reason != NULL || real != expected)
                fail_msg("%s: %s", text, reason);
        } else {
            assert_non_null(reason);
        }
    }
}

/* Half way between 1 and the next double, spelled in full; what follows decides. */
static void test_digits_beyond_the_kept_ones_break_ties(void **state)
{
    char text[2000];
    double real;
    (void)state;

    int length =
        snprintf(text, sizeof text, "1.00000000000000011102230246251565404236316680908203125");
    memset(text + length, '0', 1500);
    assert_null(number_real_of_text((struct slice){text, (size_t)length + 1500}, &real));
    assert_true(real == 1.0);
    text[length + 1400] = '1';
    assert_null(number_real_of_text((struct slice){text, (size_t)length + 1500}, &real));
    assert_true(real == 1.0 + 0x1p-52);
}

static void test_exact_integers_are_told_from_rounded_ones(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        int64_t integer = (int64_t)(next_random() >> (next_random() % 40));
        char text[32];
        double by_text = 0;
        double by_value = 0;
        snprintf(text, sizeof text, "%lld", (long long)integer);
        bool exact = (long double)integer == (long double)(double)integer;
        assert_true((number_real_of_int64(integer, &by_value) == NULL) == exact);
        assert_true((number_real_of_text(slice_of(text), &by_text) == NULL) == exact);
        assert_true(by_text == by_value);
    }
}

static int set_seed(void **state)
{
    const char *given = getenv("TEST_SEED");
    (void)state;

    seed = (given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL)) | 1;
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_text_reads_back_as_the_same_double),
        cmocka_unit_test(test_short_numbers_keep_their_digits),
        cmocka_unit_test(test_digits_are_written_out_up_to_16_before_the_point_and_4_zeros_behind),
        cmocka_unit_test(test_texts_round_as_strtod_does),
        cmocka_unit_test(test_digits_beyond_the_kept_ones_break_ties),
        cmocka_unit_test(test_exact_integers_are_told_from_rounded_ones),
    };
    return cmocka_run_group_tests(tests, set_seed, NULL);
}
