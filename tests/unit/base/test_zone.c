#include "support/prelude.h"

#include "base/zone.h"
#include "base/zone_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A reading of a clock, as seconds as if it were UTC. */
static int64_t at(int year, int month, int day, int hour, int minute)
{
    struct tm parts = {
        .tm_year = year - 1900,
        .tm_mon = month - 1,
        .tm_mday = day,
        .tm_hour = hour,
        .tm_min = minute,
    };

    return (int64_t)timegm(&parts);
}

static struct zone *load(const char *name)
{
    struct zone *zone = NULL;
    struct error err;

    expect_ok(zone_load(name, &zone, &err));
    return zone;
}

static void test_wall_clock_times_become_the_right_instants(void **state)
{
    const struct {
        const char *label;
        const char *zone;
        int64_t local;
        int64_t utc;
    } cases[] = {
        {"no summer time", "Asia/Kolkata", at(2026, 7, 1, 7, 30), at(2026, 7, 1, 2, 0)},
        {"winter", "Europe/Berlin", at(2026, 1, 15, 7, 30), at(2026, 1, 15, 6, 30)},
        {"summer", "Europe/Berlin", at(2026, 7, 15, 7, 30), at(2026, 7, 15, 5, 30)},
        {"west of Greenwich", "America/New_York", at(2026, 7, 4, 7, 30), at(2026, 7, 4, 11, 30)},
        {"UTC", "UTC", at(2026, 7, 4, 7, 30), at(2026, 7, 4, 7, 30)},
        {"skipped hour", "Europe/Berlin", at(2026, 3, 29, 2, 30), at(2026, 3, 29, 1, 0)},
        {"last minute before a gap", "Europe/Berlin", at(2026, 3, 29, 1, 59),
         at(2026, 3, 29, 0, 59)},
        {"first minute after a gap", "Europe/Berlin", at(2026, 3, 29, 3, 0), at(2026, 3, 29, 1, 0)},
        {"doubled hour, first", "Europe/Berlin", at(2026, 10, 25, 2, 30), at(2026, 10, 25, 0, 30)},
        {"after a doubled hour", "Europe/Berlin", at(2026, 10, 25, 3, 0), at(2026, 10, 25, 2, 0)},
        {"skipped, New York", "America/New_York", at(2026, 3, 8, 2, 30), at(2026, 3, 8, 7, 0)},
        {"doubled, New York", "America/New_York", at(2026, 11, 1, 1, 30), at(2026, 11, 1, 5, 30)},
        {"half an hour skipped", "Australia/Lord_Howe", at(2026, 10, 4, 2, 15),
         at(2026, 10, 3, 15, 30)},
        {"half an hour doubled", "Australia/Lord_Howe", at(2026, 4, 5, 1, 45),
         at(2026, 4, 4, 14, 45)},
        {"a day that was skipped", "Pacific/Apia", at(2011, 12, 30, 7, 30),
         at(2011, 12, 30, 10, 0)},
        {"far future, winter", "Europe/Berlin", at(2120, 1, 15, 7, 30), at(2120, 1, 15, 6, 30)},
        {"far future, summer", "Europe/Berlin", at(2120, 7, 15, 7, 30), at(2120, 7, 15, 5, 30)},
        {"far future, south", "America/Santiago", at(2090, 1, 15, 7, 30), at(2090, 1, 15, 10, 30)},
        {"before any rule", "Asia/Kolkata", at(1800, 1, 1, 12, 0), at(1800, 1, 1, 6, 6) + 32},
        {"negative summer time", "Europe/Dublin", at(2060, 1, 15, 7, 30), at(2060, 1, 15, 7, 30)},
        {"three quarters", "Asia/Kathmandu", at(2026, 1, 1, 7, 30), at(2026, 1, 1, 1, 45)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zone *zone = load(cases[i].zone);
        int64_t utc = zone_to_utc(zone, cases[i].local);
        if (utc != cases[i].utc)
            fail_msg(
                "%s: %lld is off by %lld s", cases[i].label, (long long)utc,
                (long long)(utc - cases[i].utc));
        zone_free(zone);
    }
}

/* The C library reads the same files by other code; a process of its own may set TZ. */
static void test_offsets_equal_those_of_the_c_library(void **state)
{
    static const char *const names[] = {
        "Asia/Kolkata",   "Europe/Berlin",     "America/New_York",  "Australia/Lord_Howe",
        "Europe/Dublin",  "Africa/Casablanca", "America/Sao_Paulo", "Asia/Tehran",
        "Pacific/Apia",   "Antarctica/Troll",  "America/Nuuk",      "Africa/Cairo",
        "Pacific/Easter", "Asia/Gaza",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *zone = load(names[i]);
        setenv("TZ", names[i], 1);
        tzset();
        // Every 37 hours and a bit from 1950 to 2110, so that all hours of the day come up.
        for (int64_t utc = at(1950, 1, 1, 0, 0); utc < at(2110, 1, 1, 0, 0); utc += 133337) {
            time_t seconds = (time_t)utc;
            struct tm parts;
            localtime_r(&seconds, &parts);
            if (zone_offset(zone, utc) != parts.tm_gmtoff)
                fail_msg(
                    "%s at %lld: %d, the C library says %ld", names[i], (long long)utc,
                    (int)zone_offset(zone, utc), parts.tm_gmtoff);
        }
        zone_free(zone);
    }
    unsetenv("TZ");
    tzset();
}

static void test_changes_are_found_in_order_by_entry_and_by_rule(void **state)
{
    struct zone *zone = load("Europe/Berlin");

    (void)state;
    assert_int_equal(zone_next_change(zone, at(2026, 1, 1, 0, 0)), at(2026, 3, 29, 1, 0));
    assert_int_equal(zone_next_change(zone, at(2026, 3, 29, 1, 0)), at(2026, 10, 25, 1, 0));
    assert_int_equal(zone_next_change(zone, at(2101, 1, 1, 0, 0)), at(2101, 3, 27, 1, 0));
    zone_free(zone);
    zone = load("Asia/Kolkata");
    assert_true(zone_next_change(zone, at(2026, 1, 1, 0, 0)) == INT64_MAX);
    zone_free(zone);
}

static void test_summer_time_that_ends_as_it_starts_is_none(void **state)
{
    struct zone_rule rule;

    (void)state;
    // 3 o'clock in summer is 2 o'clock in winter.
    assert_true(zone_rule_parse("NZST-11NDT,M2.1.0,M2.1.0/3", &rule));
    for (int month = 1; month <= 12; month++)
        assert_int_equal(zone_rule_offset(&rule, at(2026, month, 1, 0, 0)), 11 * 3600);
    // Between the years it goes on: it is summer all the time.
    assert_true(zone_rule_parse("XST0XDT,J1/0,J365/25", &rule));
    for (int month = 1; month <= 12; month++)
        assert_int_equal(zone_rule_offset(&rule, at(2026, month, 1, 0, 0)), 3600);
}

static void test_a_name_that_leads_out_of_the_folder_is_refused(void **state)
{
    struct zone *zone = NULL;
    struct error err;

    (void)state;
    expect_error(zone_load("../../../etc/passwd", &zone, &err), ERROR_CONFIG, "not the name");
    expect_error(zone_load("/etc/passwd", &zone, &err), ERROR_CONFIG, "not the name");
    expect_error(zone_load("Mars/Olympus", &zone, &err), ERROR_CONFIG, "cannot read");
}

/* A folder of zone files with one that was cut after so many bytes of a good one. */
static void test_a_damaged_file_is_an_error_at_any_length(void **state)
{
    char folder[] = "/tmp/bqsync-zone-XXXXXX";
    char path[64];
    static char bytes[8192];
    struct zone *zone = NULL;
    struct error err;

    (void)state;
    FILE *good = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
    assert_non_null(good);
    size_t length = fread(bytes, 1, sizeof bytes, good);
    fclose(good);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/Cut", folder);
    setenv("TZDIR", folder, 1);

    for (size_t kept = 0; kept < length; kept += 7) {
        FILE *file = fopen(path, "wb");
        fwrite(bytes, 1, kept, file);
        fclose(file);
        if (zone_load("Cut", &zone, &err))
            fail_msg("%zu of %zu bytes were taken for a zone", kept, length);
        assert_int_equal(err.code, ERROR_CONFIG);
    }
    unsetenv("TZDIR");
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wall_clock_times_become_the_right_instants),
        cmocka_unit_test(test_offsets_equal_those_of_the_c_library),
        cmocka_unit_test(test_changes_are_found_in_order_by_entry_and_by_rule),
        cmocka_unit_test(test_summer_time_that_ends_as_it_starts_is_none),
        cmocka_unit_test(test_a_name_that_leads_out_of_the_folder_is_refused),
        cmocka_unit_test(test_a_damaged_file_is_an_error_at_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
