#include "support/prelude.h"

#include "service/schedule.h"

#include <time.h>

#define US     INT64_C(1000000)
#define MINUTE (60 * US)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static int64_t at(int year, int month, int day, int hour, int minute)
{
    struct tm parts = {
        .tm_year = year - 1900,
        .tm_mon = month - 1,
        .tm_mday = day,
        .tm_hour = hour,
        .tm_min = minute,
    };

    return (int64_t)timegm(&parts) * US;
}

struct fixture {
    struct zone *zone;
    struct schedule_rules rules;
};

/* Every 15 minutes, and 07:30 in a zone. */
static struct fixture fixture(const char *zone)
{
    struct fixture made = {.rules = {.interval_ms = 15 * 60000, .daily_minute = 7 * 60 + 30}};
    struct error err;

    expect_ok(zone_load(zone, &made.zone, &err));
    made.rules.zone = made.zone;
    return made;
}

static void test_incremental_times_are_aligned_and_jittered_by_a_twentieth_at_most(void **state)
{
    struct schedule_rules rules = {.interval_ms = 15 * 60000, .daily_minute = -1};
    bool differ = false;
    int64_t first = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        const char *const text[] = {"project", (const char[]){(char)('a' + seed % 26), '\0'}};
        rules.seed = schedule_seed(text, 2) + seed;
        int64_t next = schedule_next_incremental(&rules, at(2026, 5, 1, 10, 7));
        int64_t into = (next - at(2026, 5, 1, 10, 0)) % (15 * MINUTE);
        assert_true(next > at(2026, 5, 1, 10, 7));
        assert_true(next <= at(2026, 5, 1, 10, 15) + 45 * US);
        assert_in_range(into, 0, 45 * US);
        differ = differ || (first != 0 && next != first);
        first = next;
    }
    assert_true(differ);
}

static void test_one_deployment_always_has_the_same_jitter(void **state)
{
    const char *const texts[] = {"p", "d", "/data/app.db"};
    struct schedule_rules rules = {
        .interval_ms = 60000, .daily_minute = -1, .seed = schedule_seed(texts, 3)};
    int64_t next = schedule_next_incremental(&rules, at(2026, 5, 1, 10, 0));

    (void)state;
    for (int i = 0; i < 100; i++) {
        int64_t after = schedule_next_incremental(&rules, next);
        assert_int_equal(after - next, MINUTE);
        next = after;
    }
}

static void test_the_daily_time_follows_the_zone_through_its_changes(void **state)
{
    struct fixture berlin = fixture("Europe/Berlin");
    int64_t expected[] = {
        at(2026, 3, 27, 6, 30),
        at(2026, 3, 28, 6, 30),
        at(2026, 3, 29, 5, 30),
        at(2026, 3, 30, 5, 30),
    };
    int64_t now = at(2026, 3, 27, 0, 0);

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        now = schedule_next_full(&berlin.rules, now);
        assert_int_equal(now, expected[i]);
    }
    zone_free(berlin.zone);
}

static void test_a_skipped_daily_time_runs_after_the_gap_and_a_doubled_one_once(void **state)
{
    struct fixture berlin = fixture("Europe/Berlin");
    berlin.rules.daily_minute = 2 * 60 + 30;

    (void)state;
    int64_t gap = schedule_next_full(&berlin.rules, at(2026, 3, 28, 12, 0));
    assert_int_equal(gap, at(2026, 3, 29, 1, 0));
    assert_int_equal(schedule_next_full(&berlin.rules, gap), at(2026, 3, 30, 0, 30));

    int64_t doubled = schedule_next_full(&berlin.rules, at(2026, 10, 24, 12, 0));
    assert_int_equal(doubled, at(2026, 10, 25, 0, 30));
    assert_int_equal(schedule_next_full(&berlin.rules, doubled), at(2026, 10, 26, 1, 30));
    zone_free(berlin.zone);
}

static void test_every_day_of_years_has_one_full_pass(void **state)
{
    static const char *const names[] = {
        "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (int minute = 0; minute < 1440; minute += 97) {
            struct fixture made = fixture(names[i]);
            made.rules.daily_minute = minute;
            int64_t now = at(2026, 1, 1, 0, 0);
            for (int day = 0; day < 800; day++) {
                int64_t next = schedule_next_full(&made.rules, now);
                assert_in_range(next - now, 1, 26 * HOUR);
                assert_int_equal(schedule_last_full(&made.rules, next), next);
                assert_true(schedule_last_full(&made.rules, next - 1) < next);
                now = next;
            }
            zone_free(made.zone);
        }
}

static void test_a_start_begins_with_an_incremental_pass(void **state)
{
    struct fixture kolkata = fixture("Asia/Kolkata");
    struct schedule schedule;
    int64_t now = at(2026, 5, 1, 10, 7);

    (void)state;
    schedule_start(&schedule, &kolkata.rules, now, SCHEDULE_NEVER);
    assert_int_equal(schedule_due(&schedule, now), SCHEDULE_INCREMENTAL);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now);
    assert_int_equal(schedule_due(&schedule, now), SCHEDULE_NONE);
    zone_free(kolkata.zone);
}

static void test_a_full_pass_missed_while_down_is_caught_up_once_after_the_first(void **state)
{
    struct fixture kolkata = fixture("Asia/Kolkata");
    struct schedule schedule;
    int64_t now = at(2026, 5, 9, 10, 0);

    (void)state;
    // The last full pass ran eight days ago: eight were missed.
    schedule_start(&schedule, &kolkata.rules, now, at(2026, 5, 1, 2, 0));
    assert_int_equal(schedule_due(&schedule, now + US), SCHEDULE_INCREMENTAL);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now + US);
    assert_int_equal(schedule_due(&schedule, now + 2 * US), SCHEDULE_FULL);
    schedule_took(&schedule, SCHEDULE_FULL, now + 2 * US);
    assert_int_equal(schedule_due(&schedule, now + 3 * US), SCHEDULE_NONE);
    assert_int_equal(schedule.full_us, at(2026, 5, 10, 2, 0));
    zone_free(kolkata.zone);
}

static void test_nothing_is_caught_up_when_nothing_was_missed(void **state)
{
    struct fixture kolkata = fixture("Asia/Kolkata");
    struct schedule schedule;
    int64_t now = at(2026, 5, 9, 10, 0);

    (void)state;
    schedule_start(&schedule, &kolkata.rules, now, at(2026, 5, 9, 2, 0));
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now);
    assert_int_equal(schedule_due(&schedule, now + US), SCHEDULE_NONE);
    schedule_start(&schedule, &kolkata.rules, now, SCHEDULE_NEVER);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now);
    assert_int_equal(schedule_due(&schedule, now + US), SCHEDULE_NONE);
    zone_free(kolkata.zone);
}

static void test_a_machine_that_slept_for_days_runs_each_kind_once(void **state)
{
    struct fixture kolkata = fixture("Asia/Kolkata");
    struct schedule schedule;
    int64_t now = at(2026, 5, 1, 10, 0);

    (void)state;
    schedule_start(&schedule, &kolkata.rules, now, now);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now);
    now += 5 * DAY;
    int full = 0;
    int incremental = 0;
    for (int i = 0; i < 10; i++) {
        enum schedule_job job = schedule_due(&schedule, now);
        full += job == SCHEDULE_FULL ? 1 : 0;
        incremental += job == SCHEDULE_INCREMENTAL ? 1 : 0;
        schedule_took(&schedule, job, now);
    }
    // The full pass has done what the incremental one would have.
    assert_int_equal(full, 1);
    assert_int_equal(incremental, 0);
    zone_free(kolkata.zone);
}

static void test_a_pass_longer_than_the_interval_is_followed_by_one_not_by_many(void **state)
{
    struct schedule_rules rules = {.interval_ms = 60000, .daily_minute = -1};
    struct schedule schedule;
    int64_t now = at(2026, 5, 1, 10, 0);

    (void)state;
    schedule_start(&schedule, &rules, now, SCHEDULE_NEVER);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now);
    now += 10 * MINUTE + 10 * US;
    assert_int_equal(schedule_due(&schedule, now), SCHEDULE_INCREMENTAL);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now);
    assert_int_equal(schedule_due(&schedule, now), SCHEDULE_NONE);
    assert_int_equal(schedule_due(&schedule, now + 49 * US), SCHEDULE_NONE);
    assert_int_equal(schedule_due(&schedule, now + 51 * US), SCHEDULE_INCREMENTAL);
}

static void test_a_clock_set_back_by_years_does_not_stop_passes(void **state)
{
    struct fixture kolkata = fixture("Asia/Kolkata");
    struct schedule schedule;
    int64_t wrong = at(2036, 5, 1, 10, 0);
    int64_t right = at(2026, 5, 1, 10, 0);

    (void)state;
    schedule_start(&schedule, &kolkata.rules, wrong, SCHEDULE_NEVER);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, wrong);
    assert_int_equal(schedule_due(&schedule, right), SCHEDULE_NONE);
    assert_true(schedule_wait_ms(&schedule, right) <= 15 * 60000 + 45000);
    assert_int_equal(schedule.full_us, at(2026, 5, 2, 2, 0));
    zone_free(kolkata.zone);
}

static void test_a_clock_set_back_by_an_hour_does_not_repeat_the_full_pass(void **state)
{
    struct fixture kolkata = fixture("Asia/Kolkata");
    struct schedule schedule;
    int64_t now = at(2026, 5, 1, 2, 5);

    (void)state;
    schedule_start(&schedule, &kolkata.rules, now - HOUR, now - HOUR);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now - HOUR);
    assert_int_equal(schedule_due(&schedule, now), SCHEDULE_FULL);
    schedule_took(&schedule, SCHEDULE_FULL, now);
    now -= HOUR;
    for (int i = 0; i < 120; i++) {
        assert_int_not_equal(schedule_due(&schedule, now), SCHEDULE_FULL);
        schedule_took(&schedule, schedule_due(&schedule, now), now);
        now += MINUTE;
    }
    zone_free(kolkata.zone);
}

static void test_a_retry_comes_also_if_the_interval_is_off(void **state)
{
    struct schedule schedule;
    int64_t now = at(2026, 5, 1, 10, 0);

    (void)state;
    schedule_start(&schedule, &(struct schedule_rules){.daily_minute = -1}, now, SCHEDULE_NEVER);
    assert_int_equal(schedule_due(&schedule, now), SCHEDULE_NONE);
    schedule_retry(&schedule, SCHEDULE_INCREMENTAL, now, 60000);
    assert_int_equal(schedule_due(&schedule, now + 59 * US), SCHEDULE_NONE);
    assert_int_equal(schedule_due(&schedule, now + 60 * US), SCHEDULE_INCREMENTAL);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now + 60 * US);
    assert_int_equal(schedule_wait_ms(&schedule, now + 60 * US), SCHEDULE_NEVER);
}

static void test_a_retry_comes_sooner_but_never_later_than_planned(void **state)
{
    struct schedule_rules rules = {.interval_ms = 60000, .daily_minute = -1};
    struct schedule schedule;
    int64_t now = at(2026, 5, 1, 10, 0) + US;

    (void)state;
    schedule_start(&schedule, &rules, now, SCHEDULE_NEVER);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now);
    schedule_retry(&schedule, SCHEDULE_INCREMENTAL, now, 5000);
    assert_int_equal(schedule_wait_ms(&schedule, now), 5000);
    schedule_retry(&schedule, SCHEDULE_INCREMENTAL, now, 3600000);
    assert_int_equal(schedule_wait_ms(&schedule, now), 5000);
}

static void test_what_is_off_is_never_due(void **state)
{
    struct schedule_rules rules = {.interval_ms = 0, .daily_minute = -1};
    struct schedule schedule;
    int64_t now = at(2026, 5, 1, 10, 0);

    (void)state;
    schedule_start(&schedule, &rules, now, now - 30 * DAY);
    assert_int_equal(schedule_due(&schedule, now + 30 * DAY), SCHEDULE_NONE);
    assert_true(schedule_wait_ms(&schedule, now) == SCHEDULE_NEVER);
}

static void test_other_rules_make_nothing_due_by_themselves(void **state)
{
    struct fixture kolkata = fixture("Asia/Kolkata");
    struct schedule schedule;
    int64_t now = at(2026, 5, 1, 10, 0) + 50 * US;

    (void)state;
    schedule_start(&schedule, &kolkata.rules, now, SCHEDULE_NEVER);
    schedule_took(&schedule, SCHEDULE_INCREMENTAL, now);
    kolkata.rules.interval_ms = 60000;
    schedule_change(&schedule, &kolkata.rules, now);
    assert_int_equal(schedule_due(&schedule, now), SCHEDULE_NONE);
    assert_in_range(schedule_wait_ms(&schedule, now), 1, 60000);
    zone_free(kolkata.zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incremental_times_are_aligned_and_jittered_by_a_twentieth_at_most),
        cmocka_unit_test(test_one_deployment_always_has_the_same_jitter),
        cmocka_unit_test(test_the_daily_time_follows_the_zone_through_its_changes),
        cmocka_unit_test(test_a_skipped_daily_time_runs_after_the_gap_and_a_doubled_one_once),
        cmocka_unit_test(test_every_day_of_years_has_one_full_pass),
        cmocka_unit_test(test_a_start_begins_with_an_incremental_pass),
        cmocka_unit_test(test_a_full_pass_missed_while_down_is_caught_up_once_after_the_first),
        cmocka_unit_test(test_nothing_is_caught_up_when_nothing_was_missed),
        cmocka_unit_test(test_a_machine_that_slept_for_days_runs_each_kind_once),
        cmocka_unit_test(test_a_pass_longer_than_the_interval_is_followed_by_one_not_by_many),
        cmocka_unit_test(test_a_clock_set_back_by_years_does_not_stop_passes),
        cmocka_unit_test(test_a_clock_set_back_by_an_hour_does_not_repeat_the_full_pass),
        cmocka_unit_test(test_a_retry_comes_sooner_but_never_later_than_planned),
        cmocka_unit_test(test_a_retry_comes_also_if_the_interval_is_off),
        cmocka_unit_test(test_what_is_off_is_never_due),
        cmocka_unit_test(test_other_rules_make_nothing_due_by_themselves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
