/* Tests of civil: times of which one character is any other, judged by the C library. What each
 * column type makes of times is in test_column_time.c. */
#include "support/prelude.h"

#include "encode/civil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct civil_rules plain = {.zone = NULL};

/* The form of a text: 0 for a digit, else the character itself. */
static bool has_form(const char *text, const char *form)
{
    for (; *form != '\0'; text++, form++)
        if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
            return false;
    return *text == '\0';
}

/* Microseconds since 1970 of YYYY-MM-DD HH:MM:SS.ffffff, false if it is no such time. */
static bool judge(const char *text, int64_t *out_us)
{
    struct tm time = {0};
    long us;

    if (!has_form(text, "0000-00-00 00:00:00.000000") &&
        !has_form(text, "0000-00-00T00:00:00.000000"))
        return false;
    time.tm_year = atoi(text) - 1900;
    time.tm_mon = atoi(text + 5) - 1;
    time.tm_mday = atoi(text + 8);
    time.tm_hour = atoi(text + 11);
    time.tm_min = atoi(text + 14);
    time.tm_sec = atoi(text + 17);
    us = atol(text + 20);
    struct tm real = time;
    time_t seconds = timegm(&real);
    *out_us = (int64_t)seconds * 1000000 + us;
    // A time that does not exist becomes one that does.
    return real.tm_year == time.tm_year && real.tm_mon == time.tm_mon &&
           real.tm_mday == time.tm_mday && real.tm_hour == time.tm_hour &&
           real.tm_min == time.tm_min && real.tm_sec == time.tm_sec && time.tm_year > -1900;
}

static void check(const char *text)
{
    int64_t expected = 0;
    int64_t us = -1;
    bool is_time = judge(text, &expected);
    const char *reason = civil_datetime_of_text(slice_of(text), &plain, &us);

    if ((reason == NULL) != is_time)
        fail_msg("\"%s\": %s", text, reason != NULL ? reason : "is read");
    if (is_time && us != expected)
        fail_msg("\"%s\": %lld, not %lld", text, (long long)us, (long long)expected);
}

static void test_a_character_is_the_right_one_or_no_time_is_read(void **state)
{
    static const char *const times[] = {
        "2024-02-28 12:30:45.123456", "1999-12-31T23:59:59.999999", "0001-01-01 00:00:00.000001",
        "9999-10-09 09:19:08.000000", "1900-02-19 20:05:50.100000",
    };
    (void)state;

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        for (size_t at = 0; at < strlen(times[i]); at++) {
            // Blanks and signs behind it could begin a zone, digits cannot; an end is a time, too.
            for (int byte = 1; byte < 256; byte++) {
                char text[32];
                bool ends_fraction = at > 20 && strchr(" +-Z", byte) != NULL;
                strcpy(text, times[i]);
                text[at] = (char)byte;
                if (!ends_fraction)
                    check(text);
            }
        }
    }
}

static void test_random_digits_are_times_of_the_calendar(void **state)
{
    const char *given = getenv("TEST_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    (void)state;

    print_message("TEST_SEED=%u\n", seed);
    srandom(seed);
    for (int i = 0; i < 300000; i++) {
        char text[64];
        snprintf(
            text, sizeof text, "%04ld-%02ld-%02ld %02ld:%02ld:%02ld.%06ld", random() % 10000,
            random() % 14, random() % 33, random() % 25, random() % 61, random() % 61,
            random() % 1000000);
        check(text);
    }
}

static void test_a_fraction_has_any_number_of_digits(void **state)
{
    static const char *const fractions[] = {"123456", "908070", "000001", "999999", "010203"};
    (void)state;

    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
        for (int digits = 1; digits <= 6; digits++) {
            char text[64];
            char padded[80];
            int64_t us = -1;
            int64_t expected = 0;
            snprintf(text, sizeof text, "2024-02-28 12:30:45.%.*s", digits, fractions[i]);
            snprintf(padded, sizeof padded, "%s%.*s", text, 6 - digits, "000000");
            assert_true(judge(padded, &expected));
            assert_null(civil_datetime_of_text(slice_of(text), &plain, &us));
            assert_int_equal(us, expected);
        }
    }
}

/* Only these ends are times; each of the others is refused for its form. */
static void test_a_time_ends_behind_a_whole_part(void **state)
{
    static const char whole[] = "2024-02-28 12:30:45.123456";
    (void)state;

    for (size_t length = 0; length < strlen(whole); length++) {
        int64_t us;
        bool ends = length == 10 || length == 16 || length == 19 || length > 20;
        // Nothing may be read behind the end, so the text is as large as its memory.
        char *text = malloc(length > 0 ? length : 1);
        memcpy(text, whole, length);
        const char *reason = civil_datetime_of_text((struct slice){text, length}, &plain, &us);
        free(text);
        if ((reason == NULL) != ends)
            fail_msg("%.*s: %s", (int)length, whole, reason != NULL ? reason : "is read");
    }
}

static void test_a_date_of_zeros_has_nothing_but_zeros_and_signs(void **state)
{
    static const char *const zeros[] = {
        "0000-00-00", "0000-00-00 00:00", "0000-00-00T00:00:00.000Z"};
    static const char *const others[] = {
        "", "0000-00-0", "0000-00-01", "0000-00-00x", "0000-00-00 00:00:01", "0001-00-00"};

    (void)state;
    for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++)
        assert_true(civil_is_date_of_zeros(slice_of(zeros[i])));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(civil_is_date_of_zeros(slice_of(others[i])));
    assert_false(civil_is_date_of_zeros((struct slice){"0000-00-00\0", 11}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_character_is_the_right_one_or_no_time_is_read),
        cmocka_unit_test(test_random_digits_are_times_of_the_calendar),
        cmocka_unit_test(test_a_fraction_has_any_number_of_digits),
        cmocka_unit_test(test_a_time_ends_behind_a_whole_part),
        cmocka_unit_test(test_a_date_of_zeros_has_nothing_but_zeros_and_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
