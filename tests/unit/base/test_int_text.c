/* The text of integers, as printf writes it. */
#include "support/prelude.h"

#include "base/int_text.h"

#include <inttypes.h>
#include <stdio.h>

static void check(int64_t number)
{
    char room[INT_TEXT_SIZE];
    char text[32];
    char expected[32];
    struct slice slice = int_text(number, room);

    snprintf(text, sizeof text, "%.*s", (int)slice.length, slice.data);
    snprintf(expected, sizeof expected, "%" PRId64, number);
    assert_string_equal(text, expected);
}

static void test_every_length_and_both_ends(void **state)
{
    (void)state;
    check(0);
    check(INT64_MIN);
    check(INT64_MAX);
    for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10) {
        check(power);
        check(power - 1);
        check(-power);
        check(1 - power);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_length_and_both_ends)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
