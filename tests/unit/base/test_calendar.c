/* Tests of calendar: days of years and months, against timegm. */
#include "support/prelude.h"

#include "base/calendar.h"

#include <time.h>

static int64_t days_by_libc(int year, int month)
{
    struct tm first = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1};

    return timegm(&first) / 86400;
}

static void test_months_begin_where_libc_says_so(void **state)
{
    (void)state;
    for (int year = 1; year <= 2800; year++)
        for (int month = 1; month <= 12; month++)
            assert_int_equal(
                calendar_days_to_year(year) + calendar_days_through(year, month - 1),
                days_by_libc(year, month));
}

static void test_only_every_fourth_century_is_leap(void **state)
{
    (void)state;
    assert_true(calendar_is_leap(2000));
    assert_false(calendar_is_leap(1900));
    assert_true(calendar_is_leap(2024));
    assert_false(calendar_is_leap(2023));
    assert_int_equal(calendar_days_through(2024, 12), 366);
    assert_int_equal(calendar_days_through(2100, 12), 365);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_months_begin_where_libc_says_so),
        cmocka_unit_test(test_only_every_fourth_century_is_leap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
