/* Tests of clock: the text of a moment, and sleeps that end when the process is asked to stop. */
#include "support/prelude.h"

#include "base/clock.h"

#include <pthread.h>

static void test_a_moment_is_written_in_utc_and_cut_to_milliseconds(void **state)
{
    static const struct {
        int64_t wall_us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.000Z"},
        {1767323045678999, "2026-01-02T03:04:05.678Z"},
        {951782400000000, "2000-02-29T00:00:00.000Z"},
        {INT64_C(253402300799999999), "9999-12-31T23:59:59.999Z"},
    };
    char text[CLOCK_TEXT_SIZE];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(clock_format(cases[i].wall_us, text), cases[i].text);
}

static void test_monotonic_time_does_not_go_back(void **state)
{
    const struct clock *clock = clock_system();
    int64_t last = clock->monotonic_ms(clock->context);
    (void)state;

    for (int i = 0; i < 1000; i++) {
        int64_t now = clock->monotonic_ms(clock->context);
        assert_true(now >= last);
        last = now;
    }
}

static void test_a_sleep_lasts_at_least_as_long_as_asked(void **state)
{
    const struct clock *clock = clock_system();
    int64_t start = clock->monotonic_ms(clock->context);
    (void)state;

    assert_true(clock->sleep_ms(clock->context, 20));

    assert_true(clock->monotonic_ms(clock->context) - start >= 20);
}

static void test_no_age_is_negative(void **state)
{
    (void)state;
    assert_int_equal(clock_since_us(10, 25), 15);
    assert_int_equal(clock_since_us(25, 25), 0);
    assert_int_equal(clock_since_us(26, 25), 0);
    assert_int_equal(clock_since_us(INT64_MAX, INT64_MIN), 0);
}

static void *sleep_long(void *out_finished)
{
    const struct clock *clock = clock_system();

    *(bool *)out_finished = clock->sleep_ms(clock->context, 3600000);
    return NULL;
}

/* Last: the process stays stopped. */
static void test_a_stop_ends_a_sleep_early_and_for_good(void **state)
{
    const struct clock *clock = clock_system();
    bool finished = true;
    pthread_t sleeper;
    (void)state;
    assert_false(clock_stopped());
    assert_int_equal(pthread_create(&sleeper, NULL, sleep_long, &finished), 0);

    clock_stop();

    assert_int_equal(pthread_join(sleeper, NULL), 0);
    assert_false(finished);
    assert_true(clock_stopped());
    assert_false(clock->sleep_ms(clock->context, 3600000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_moment_is_written_in_utc_and_cut_to_milliseconds),
        cmocka_unit_test(test_monotonic_time_does_not_go_back),
        cmocka_unit_test(test_no_age_is_negative),
        cmocka_unit_test(test_a_sleep_lasts_at_least_as_long_as_asked),
        cmocka_unit_test(test_a_stop_ends_a_sleep_early_and_for_good),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
