/* Dates and times: differences, truncation, parts, intervals. Weeks start on Sunday unless they are
 * ISOWEEK. */
#include "bqlocal/sql/functions/functions.h"
#include "bqlocal/store/store.h"
#include "bqlocal/store/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    int64_t us;
} units[] = {
    {"MICROSECOND", 1},
    {"MILLISECOND", 1000},
    {"SECOND", 1000000},
    {"MINUTE", INT64_C(60000000)},
    {"HOUR", INT64_C(3600000000)},
    {"DAY", VALUE_DAY_US},
};

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Microseconds of a unit of fixed length, 0 for other parts. */
static int64_t unit_of(const char *part)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(part, units[i].name) == 0)
            return units[i].us;
    return 0;
}

/* The weekday on which a week starts (0 Sunday), -1 if the part is not a week. */
static int week_start(const char *part)
{
    return strcasecmp(part, "WEEK") == 0 ? 0 : strcasecmp(part, "ISOWEEK") == 0 ? 1 : -1;
}

/* Months in a part of whole months, 0 for other parts. */
static int months_of(const char *part)
{
    return strcasecmp(part, "MONTH") == 0     ? 1
           : strcasecmp(part, "QUARTER") == 0 ? 3
           : strcasecmp(part, "YEAR") == 0    ? 12
                                              : 0;
}

/* 1970-01-01 was a Thursday. */
static int64_t week_number(int64_t days, int start)
{
    return floor_divide(days + 4 - start, 7);
}

static int64_t month_number(int64_t days)
{
    int64_t year;
    int month;
    int day;

    value_civil(days, &year, &month, &day);
    return year * 12 + month - 1;
}

static int64_t first_of_month(int64_t months)
{
    int64_t year = floor_divide(months, 12);

    return value_days(year, (int)(months - year * 12) + 1, 1);
}

static bool in_range(int type, int64_t number)
{
    if (type == STORE_DATE)
        return number >= VALUE_DATE_MIN && number <= VALUE_DATE_MAX;
    return number >= VALUE_TIMESTAMP_MIN && number <= VALUE_TIMESTAMP_MAX;
}

static void bad_part(sqlite3_context *context, const char *part)
{
    sql_result_error(context, "Unsupported date part: %.60s", part);
}

/* bq_time_diff(type, a, b, part): boundaries of the part between b and a; TIMESTAMP and TIME count
 * whole units instead. */
static void bq_diff(sqlite3_context *context, int count, sqlite3_value **args)
{
    int type = sqlite3_value_int(args[0]);
    int64_t a = sqlite3_value_int64(args[1]);
    int64_t b = sqlite3_value_int64(args[2]);
    const char *part = (const char *)sqlite3_value_text(args[3]);

    if (sql_result_null_if_any(context, count, args))
        return;
    int64_t unit = unit_of(part);
    if (unit > 0 && (type == STORE_TIMESTAMP || type == STORE_TIME)) {
        sqlite3_result_int64(context, (a - b) / unit);
        return;
    }
    if (unit > 0 && type == STORE_DATETIME) {
        sqlite3_result_int64(context, floor_divide(a, unit) - floor_divide(b, unit));
        return;
    }
    int64_t day_a = type == STORE_DATE ? a : floor_divide(a, VALUE_DAY_US);
    int64_t day_b = type == STORE_DATE ? b : floor_divide(b, VALUE_DAY_US);
    int start = week_start(part);
    int months = months_of(part);
    if (type == STORE_TIMESTAMP || type == STORE_TIME)
        bad_part(context, part);
    else if (unit == VALUE_DAY_US)
        sqlite3_result_int64(context, day_a - day_b);
    else if (start >= 0)
        sqlite3_result_int64(context, week_number(day_a, start) - week_number(day_b, start));
    else if (months > 0)
        sqlite3_result_int64(
            context,
            floor_divide(month_number(day_a), months) - floor_divide(month_number(day_b), months));
    else
        bad_part(context, part);
}

/* bq_time_trunc(type, value, part) */
static void bq_trunc(sqlite3_context *context, int count, sqlite3_value **args)
{
    int type = sqlite3_value_int(args[0]);
    int64_t value = sqlite3_value_int64(args[1]);
    const char *part = (const char *)sqlite3_value_text(args[2]);

    if (sql_result_null_if_any(context, count, args))
        return;
    int64_t unit = unit_of(part);
    if (unit > 0 && type != STORE_DATE) {
        sqlite3_result_int64(context, floor_divide(value, unit) * unit);
        return;
    }
    int64_t days = type == STORE_DATE ? value : floor_divide(value, VALUE_DAY_US);
    int start = week_start(part);
    int months = months_of(part);
    if (start >= 0 && type != STORE_TIME) {
        days = week_number(days, start) * 7 - 4 + start;
    } else if (months > 0 && type != STORE_TIME) {
        days = first_of_month(floor_divide(month_number(days), months) * months);
    } else if (unit != VALUE_DAY_US) {
        bad_part(context, part);
        return;
    }
    sqlite3_result_int64(context, type == STORE_DATE ? days : days * VALUE_DAY_US);
}

/* Adds calendar months; a day past the month's end becomes its last day. */
static int64_t add_months(int64_t days, int64_t months)
{
    int64_t year;
    int month;
    int day;

    value_civil(days, &year, &month, &day);
    int64_t total = year * 12 + month - 1 + months;
    int64_t first = first_of_month(total);
    int64_t length = first_of_month(total + 1) - first;
    return first + (day > length ? length : day) - 1;
}

/* bq_time_add(type, value, amount, part) */
static void bq_add(sqlite3_context *context, int count, sqlite3_value **args)
{
    int type = sqlite3_value_int(args[0]);
    int64_t value = sqlite3_value_int64(args[1]);
    int64_t amount = sqlite3_value_int64(args[2]);
    const char *part = (const char *)sqlite3_value_text(args[3]);
    int64_t sum = 0;

    if (sql_result_null_if_any(context, count, args))
        return;
    int64_t unit = unit_of(part);
    int months = months_of(part);
    int64_t scale = type == STORE_DATE ? VALUE_DAY_US : 1;
    if (week_start(part) >= 0)
        unit = 7 * VALUE_DAY_US;
    bool calendar = months > 0 || week_start(part) >= 0;
    if ((unit == 0 && months == 0) ||
        (calendar && (type == STORE_TIME || type == STORE_TIMESTAMP)) ||
        strcasecmp(part, "ISOWEEK") == 0 ||
        (type == STORE_DATE && unit > 0 && unit < VALUE_DAY_US)) {
        bad_part(context, part);
        return;
    }
    bool ok = true;
    if (months > 0) {
        ok = amount > -200000 && amount < 200000;
        int64_t days = type == STORE_DATE ? value : floor_divide(value, VALUE_DAY_US);
        int64_t moved = ok ? add_months(days, amount * months) : 0;
        sum = type == STORE_DATE ? moved : value + (moved - days) * VALUE_DAY_US;
    } else {
        int64_t delta = 0;
        ok = !__builtin_mul_overflow(amount, unit / scale, &delta) &&
             !__builtin_add_overflow(value, delta, &sum);
    }
    if (ok && type == STORE_TIME)
        sum = sum - floor_divide(sum, VALUE_DAY_US) * VALUE_DAY_US;
    if (ok && (type == STORE_TIME || in_range(type, sum)))
        sqlite3_result_int64(context, sum);
    else
        sql_result_error(context, "Adding an interval gives a value out of range");
}

static bool extract_date(int64_t days, const char *part, int64_t *out)
{
    int64_t year;
    int month;
    int day;

    value_civil(days, &year, &month, &day);
    int64_t january = value_days(year, 1, 1);
    const struct {
        const char *name;
        int64_t value;
    } parts[] = {
        {"YEAR", year},
        {"QUARTER", (month + 2) / 3},
        {"MONTH", month},
        {"DAY", day},
        {"DAYOFYEAR", days - january + 1},
        {"DAYOFWEEK", days + 4 - floor_divide(days + 4, 7) * 7 + 1},
        {"WEEK", week_number(days, 0) - week_number(january - 1, 0)}, // Sundays so far
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcasecmp(part, parts[i].name) == 0) {
            *out = parts[i].value;
            return true;
        }
    return false;
}

/* bq_extract(type, value, part) */
static void bq_extract(sqlite3_context *context, int count, sqlite3_value **args)
{
    static const struct {
        const char *name;
        int64_t unit;
        int64_t modulus;
    } parts[] = {
        {"MICROSECOND", 1, 1000000},
        {"MILLISECOND", 1000, 1000},
        {"SECOND", 1000000, 60},
        {"MINUTE", INT64_C(60000000), 60},
        {"HOUR", INT64_C(3600000000), 24}};
    int type = sqlite3_value_int(args[0]);
    int64_t value = sqlite3_value_int64(args[1]);
    const char *part = (const char *)sqlite3_value_text(args[2]);
    int64_t result = 0;

    if (sql_result_null_if_any(context, count, args))
        return;
    for (size_t i = 0; type != STORE_DATE && i < sizeof parts / sizeof *parts; i++)
        if (strcasecmp(part, parts[i].name) == 0) {
            int64_t whole = floor_divide(value, parts[i].unit);
            sqlite3_result_int64(
                context, whole - floor_divide(whole, parts[i].modulus) * parts[i].modulus);
            return;
        }
    int64_t days = type == STORE_DATE ? value : floor_divide(value, VALUE_DAY_US);
    if (type != STORE_TIME && extract_date(days, part, &result))
        sqlite3_result_int64(context, result);
    else
        bad_part(context, part);
}

static void bq_check_timestamp(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (sql_result_null_if_any(context, count, args))
        return;
    int64_t value = sqlite3_value_int64(args[0]);
    if (in_range(STORE_TIMESTAMP, value))
        sqlite3_result_int64(context, value);
    else
        sql_result_error(
            context, "TIMESTAMP_MICROS: %lld is out of the range of TIMESTAMP", (long long)value);
}

/* bq_utc(value, zone): the value, if the zone is the only one that there is. */
static void bq_utc(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (sql_result_null_if_any(context, count, args))
        return;
    const char *zone = (const char *)sqlite3_value_text(args[1]);
    if (strcasecmp(zone, "UTC") == 0)
        sqlite3_result_value(context, args[0]);
    else
        sql_result_error(context, "bqlocal has the time zone UTC only, not %s", zone);
}

bool sql_register_times(sqlite3 *handle)
{
    static const struct sql_function functions[] = {
        {"bq_time_diff", 4, bq_diff, NULL, false},
        {"bq_time_trunc", 3, bq_trunc, NULL, false},
        {"bq_time_add", 4, bq_add, NULL, false},
        {"bq_extract", 3, bq_extract, NULL, false},
        {"bq_check_timestamp", 1, bq_check_timestamp, NULL, false},
        {"bq_utc", 2, bq_utc, NULL, false},
    };

    return sql_add_functions(handle, functions, sizeof functions / sizeof *functions);
}
