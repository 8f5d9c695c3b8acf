/* Tests of column: dates and times, as texts and as counts. */
#include "support/prelude.h"

#include "conversion.h"

#define NOT_TIMESTAMP "is not a time (expected YYYY-MM-DD HH:MM:SS[.ffffff][zone])"
#define NO_SUCH_DATE  "is a date that does not exist"
#define NO_SUCH_TIME  "is a time that does not exist"
#define OUT_OF_RANGE  "is out of the range 0001-01-01 to 9999-12-31"
#define TOO_FINE      "is finer than microseconds"

#define STORED_AS(...)                                                                             \
    .format_count = sizeof((unsigned char[]){__VA_ARGS__}), .formats = {__VA_ARGS__}

static const struct conversion iso_forms[] = {
    {"NULL", "NULL", NULL},
    {"'1970-01-01'", "0", NULL},
    {"'1970-01-01 00:00'", "0", NULL},
    {"'1970-01-01T00:00:01'", "1000000", NULL},
    {"'1970-01-01 00:00:00.5'", "500000", NULL},
    {"'1970-01-01 00:00:00.000001'", "1", NULL},
    {"'1970-01-01 00:00:00.1234560000000000'", "123456", NULL},
    {"'1970-01-01 00:00:00.1234567'", NULL, "is finer than microseconds"},
    {"'1970-01-01 00:00:00.'", NULL, NOT_TIMESTAMP},
    {"'1970-01-01 00:00:00,5'", NULL, NOT_TIMESTAMP},
    {"'1969-12-31 23:59:59.999999'", "-1", NULL},
    {"'2024-02-29T12:34:56Z'", "1709210096000000", NULL},
    {"'2024-02-29T12:34:56+05:30'", "1709190296000000", NULL},
    {"'2024-02-29 12:34:56+0530'", "1709190296000000", NULL},
    {"'2024-02-29 12:34:56+05'", "1709192096000000", NULL},
    {"'2024-02-29 12:34:56-05:30'", "1709229896000000", NULL},
    {"'2024-02-29 12:34Z'", "1709210040000000", NULL},
    {"'2024-02-29 12:34:56.789-00:00'", "1709210096789000", NULL},
    {"'2024-02-29 12:34:56+24:00'", NULL, "has a zone that does not exist"},
    {"'2024-02-29 12:34:56+05:60'", NULL, "has a zone that does not exist"},
    {"'2024-02-29 12:34:56+5'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 12:34:56+05:'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 12:34:56+053'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 12:34:56 +05:30'", "1709190296000000", NULL},
    {"'2024-02-29 12:34:56.5  Z'", "1709210096500000", NULL},
    {"'2024-02-29 12:34:56 '", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 12:34:56 +05:30 '", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 12:34:56+05 30'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 +05:30'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 12:34:56 UTC'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 12:34:56Z '", NULL, NOT_TIMESTAMP},
    {"' 2024-02-29 12:34:56'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29  12:34:56'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 '", NULL, NOT_TIMESTAMP},
    {"'2024-02-29Z'", NULL, NOT_TIMESTAMP},
    {"'2024-2-29'", NULL, NOT_TIMESTAMP},
    {"'24-02-29'", NULL, NOT_TIMESTAMP},
    {"'2024/02/29'", NULL, NOT_TIMESTAMP},
    {"'20240229'", NULL, NOT_TIMESTAMP},
    {"'12024-02-29'", NULL, NOT_TIMESTAMP},
    {"'-2024-02-29'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 1:00'", NULL, NOT_TIMESTAMP},
    {"'2024-02-29 12'", NULL, NOT_TIMESTAMP},
    {"''", NULL, NOT_TIMESTAMP},
    {"'now'", NULL, NOT_TIMESTAMP},
    {"'1709210096'", NULL, NOT_TIMESTAMP},
    {"'2023-02-29'", NULL, NO_SUCH_DATE},
    {"'1900-02-29'", NULL, NO_SUCH_DATE},
    {"'2000-02-29'", "951782400000000", NULL},
    {"'2024-04-31'", NULL, NO_SUCH_DATE},
    {"'2024-00-01'", NULL, NO_SUCH_DATE},
    {"'2024-13-01'", NULL, NO_SUCH_DATE},
    {"'2024-01-00'", NULL, NO_SUCH_DATE},
    {"'2024-01-01 24:00:00'", NULL, NO_SUCH_TIME},
    {"'2024-01-01 23:60:00'", NULL, NO_SUCH_TIME},
    {"'2016-12-31 23:59:60'", NULL, NO_SUCH_TIME},
    {"'0000-01-01'", NULL, OUT_OF_RANGE},
    {"'0001-01-01'", "-62135596800000000", NULL},
    {"'0001-01-01 00:00:00+00:01'", NULL, OUT_OF_RANGE},
    {"'0001-01-01 01:00:00+01:00'", "-62135596800000000", NULL},
    {"'9999-12-31 23:59:59.999999'", "253402300799999999", NULL},
    {"'9999-12-31 23:59:59-00:01'", NULL, OUT_OF_RANGE},
    {"1709210096", NULL, "is a number where the column's format is iso8601"},
    {"1709210096.5", NULL, "is a number where the column's format is iso8601"},
    {"x'32'", NULL, "is a blob, not a time"},
};

static void test_timestamp_reads_every_iso_form(void **state)
{
    (void)state;
    CHECK_ALL(iso_forms, .type = COLUMN_TIMESTAMP);
}

static void test_datetime_has_no_zone(void **state)
{
    static const struct conversion conversions[] = {
        {"'2024-02-29'", "1709164800000000", NULL},
        {"'2024-02-29T12:34'", "1709210040000000", NULL},
        {"'2024-02-29 12:34:56.000001'", "1709210096000001", NULL},
        {"'2024-02-29 12:34:56Z'", NULL, "has a zone"},
        {"'2024-02-29 12:34:56 +00:00'", NULL, "has a zone"},
        {"'2024-02-29 12:34:56+05:30'", NULL, "has a zone"},
        {"'2024-02-29 12:34:56x'", NULL, "is not a time (expected YYYY-MM-DD HH:MM:SS[.ffffff])"},
        {"'0000-12-31'", NULL, OUT_OF_RANGE},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_DATETIME);
}

static void test_date_loses_no_time_of_day(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"'1970-01-01'", "0", NULL},
        {"'1969-12-31'", "-1", NULL},
        {"'0001-01-01'", "-719162", NULL},
        {"'9999-12-31'", "2932896", NULL},
        {"'1970-01-02 00:00:00.000'", "1", NULL},
        {"'1970-01-02T00:00'", "1", NULL},
        {"'1970-01-02 00:00:01'", NULL, "has a time of day"},
        {"'1970-01-02 00:00Z'", NULL, "has a zone"},
        {"'1970-01-02x'", NULL, "is not a date (expected YYYY-MM-DD)"},
        {"0", NULL, "is a number where the column's format is iso8601"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_DATE);
}

static void test_time_is_a_time_of_day_alone(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"'00:00'", "0", NULL},
        {"'23:59:59.999999'", "86399999999", NULL},
        {"'12:34:56'", "45296000000", NULL},
        {"'12:34:56Z'", NULL, "has a zone"},
        {"'24:00'", NULL, NO_SUCH_TIME},
        {"'1970-01-01 12:34'", NULL, "is not a time (expected HH:MM:SS[.ffffff])"},
        {"'12'", NULL, "is not a time (expected HH:MM:SS[.ffffff])"},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIME);
}

#define NOT_COUNT "is not a number, as the column's time format requires"

static void test_seconds_become_microseconds(void **state)
{
    static const struct conversion conversions[] = {
        {"NULL", "NULL", NULL},
        {"0", "0", NULL},
        {"-1", "-1000000", NULL},
        {"1700000000.123456", "1700000000123456", NULL},
        {"-0.0000004", "0", NULL},
        {"-0.0000006", "-1", NULL},
        {"0.0000015", "2", NULL},
        {"253402300799", "253402300799000000", NULL},
        {"253402300800", NULL, OUT_OF_RANGE},
        {"-62135596800", "-62135596800000000", NULL},
        {"-62135596801", NULL, OUT_OF_RANGE},
        {"9223372036854775807", NULL, OUT_OF_RANGE},
        {"-9223372036854775808", NULL, OUT_OF_RANGE},
        {"1e300", NULL, OUT_OF_RANGE},
        {"-9e999", NULL, OUT_OF_RANGE},
        {"'1700000000'", "1700000000000000", NULL},
        {"'-1.5'", "-1500000", NULL},
        {"'1700000000.123456'", "1700000000123456", NULL},
        {"'1700000000.1234567'", NULL, "is finer than microseconds"},
        {"'99999999999999999999999'", NULL, OUT_OF_RANGE},
        {"'1e3'", NULL, NOT_COUNT},
        {"' 1'", NULL, NOT_COUNT},
        {"''", NULL, NOT_COUNT},
        {"'2024-01-01'", NULL, NOT_COUNT},
        {"x'00'", NULL, NOT_COUNT},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_S));
}

/* Reals next to half a microsecond, and half of one: the exact value decides, not what is left of
 * it in floating point. Worked out by hand in integers. */
static void test_reals_are_rounded_by_their_exact_value(void **state)
{
    static const struct conversion seconds[] = {
        // The nearest double is above -3.5 us by 5e-17 us, below -1.5 us by 4e-17 us.
        {"-3.5e-6", "-3", NULL},
        {"-1.5e-6", "-2", NULL},
        {"-4.99999999999e-7", "0", NULL},
    };
    static const struct conversion nanoseconds[] = {
        {"-500.0", "0", NULL},
        {"-1500.0", "-1", NULL},
        {"500.0", "1", NULL},
    };
    (void)state;
    CHECK_ALL(seconds, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_S));
    CHECK_ALL(nanoseconds, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_NS));
}

static void test_milliseconds_become_microseconds(void **state)
{
    static const struct conversion conversions[] = {
        {"1700000000123", "1700000000123000", NULL},
        {"1700000000123.25", "1700000000123250", NULL},
        {"-1.5", "-1500", NULL},
        {"253402300799999", "253402300799999000", NULL},
        {"253402300800000", NULL, OUT_OF_RANGE},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_MS));
}

static void test_microseconds_stay(void **state)
{
    static const struct conversion conversions[] = {
        {"1700000000123456", "1700000000123456", NULL},
        {"2.5", "3", NULL},
        {"253402300799999999", "253402300799999999", NULL},
        {"253402300800000000", NULL, OUT_OF_RANGE},
        {"-62135596800000001", NULL, OUT_OF_RANGE},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_UNIX_US));
}

static void test_julian_days_begin_at_noon(void **state)
{
    static const struct conversion conversions[] = {
        {"2440587.5", "0", NULL},
        {"2440588", "43200000000", NULL},
        {"2440587", "-43200000000", NULL},
        {"julianday('2024-02-29 12:00:00')", "1709208000000000", NULL},
        {"1721425.5", "-62135596800000000", NULL},
        {"1721425", NULL, OUT_OF_RANGE},
        {"5373484.25", "253402279200000000", NULL},
        {"5373484.5", NULL, OUT_OF_RANGE},
        {"-9223372036854775808", NULL, OUT_OF_RANGE},
        {"9223372036854775807", NULL, OUT_OF_RANGE},
    };
    (void)state;
    CHECK_ALL(conversions, .type = COLUMN_TIMESTAMP, STORED_AS(TIME_FORMAT_JULIAN));
}

static void test_counts_make_dates_and_times_only_where_nothing_is_lost(void **state)
{
    static const struct conversion dates[] = {
        {"86400", "1", NULL},
        {"-86400", "-1", NULL},
        {"86401", NULL, "has a time of day"},
    };
    static const struct conversion times[] = {
        {"0", "0", NULL},
        {"86399.5", "86399500000", NULL},
        {"86400", NULL, "is not within one day"},
        {"-1", NULL, "is not within one day"},
    };
    (void)state;
    CHECK_ALL(dates, .type = COLUMN_DATE, STORED_AS(TIME_FORMAT_UNIX_S));
    CHECK_ALL(times, .type = COLUMN_TIME, STORED_AS(TIME_FORMAT_UNIX_S));
}

static uint64_t next_random(uint64_t *seed)
{
    // xorshift64*
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

/* SQLite's own calendar judges ours; it knows years 0 to 9999. */
static void test_random_times_agree_with_sqlite(void **state)
{
    static const struct column column = {.name = "c", .type = COLUMN_TIMESTAMP};
    sqlite3 *db = open_memory("UTF-8");
    uint64_t seed = (uint64_t)time(NULL) | 1;
    const char *given = getenv("TEST_SEED");
    (void)state;

    if (given != NULL)
        seed = strtoull(given, NULL, 10) | 1;
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    for (int i = 0; i < 2000; i++) {
        int64_t second = (int64_t)(next_random(&seed) % UINT64_C(315537811200)) - 62135510400;
        char expression[96];
        char expected[32];
        snprintf(expression, sizeof expression, "datetime(%lld, 'unixepoch')", (long long)second);
        snprintf(expected, sizeof expected, "%lld000000", (long long)second);
        if (second == 0)
            snprintf(expected, sizeof expected, "0");
        check_one(db, &column, &(struct conversion){expression, expected, NULL});
    }
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timestamp_reads_every_iso_form),
        cmocka_unit_test(test_datetime_has_no_zone),
        cmocka_unit_test(test_date_loses_no_time_of_day),
        cmocka_unit_test(test_time_is_a_time_of_day_alone),
        cmocka_unit_test(test_seconds_become_microseconds),
        cmocka_unit_test(test_reals_are_rounded_by_their_exact_value),
        cmocka_unit_test(test_milliseconds_become_microseconds),
        cmocka_unit_test(test_microseconds_stay),
        cmocka_unit_test(test_julian_days_begin_at_noon),
        cmocka_unit_test(test_counts_make_dates_and_times_only_where_nothing_is_lost),
        cmocka_unit_test(test_random_times_agree_with_sqlite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
