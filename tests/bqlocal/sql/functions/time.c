/* Dates and times: differences, truncation, parts, intervals. Weeks start on Sunday unless they are
 * ISOWEEK or WEEK(MONDAY). */
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

/* Microseconds of a fixed unit, 0 if the part is none. */
static int64_t unit_of(const char *part)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcasecmp(part, units[i].name) == 0)
            return units[i].us;
    return 0;
}

/* The weekday a week starts on (0 Sunday), -1 if the part is no week. */
static int week_start(const char *part)
{
    static const char *const days[] = {"SUNDAY",   "MONDAY", "TUESDAY", "WEDNESDAY",
                                       "THURSDAY", "FRIDAY", "SATURDAY"};
    char name[32];

    if (strcasecmp(part, "WEEK") == 0)
        return 0;
    if (strcasecmp(part, "ISOWEEK") == 0)
        return 1;
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "WEEK(%s)", days[i]);
        if (strcasecmp(part, name) == 0)
            return i;
    }
    return -1;
}

/* Months in a part that is a number of them, 0 if it is none. */
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
    sql_udf_error(context, "Unsupported date part: %.60s", part);
}

/* bq_time_diff(type, a, b, part): boundaries of the part between b and a; TIMESTAMP and TIME count
 * whole units instead. */
static void udf_diff(sqlite3_context *context, int count, sqlite3_value **args)
{
    int type = sqlite3_value_int(args[0]);
    int64_t a = sqlite3_value_int64(args[1]);
    int64_t b = sqlite3_value_int64(args[2]);
    const char *part = (const char *)sqlite3_value_text(args[3]);

    if (sql_udf_null(context, count, args))
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
static void udf_trunc(sqlite3_context *context, int count, sqlite3_value **args)
{
    int type = sqlite3_value_int(args[0]);
    int64_t value = sqlite3_value_int64(args[1]);
    const char *part = (const char *)sqlite3_value_text(args[2]);

    if (sql_udf_null(context, count, args))
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
static void udf_add(sqlite3_context *context, int count, sqlite3_value **args)
{
    int type = sqlite3_value_int(args[0]);
    int64_t value = sqlite3_value_int64(args[1]);
    int64_t amount = sqlite3_value_int64(args[2]);
    const char *part = (const char *)sqlite3_value_text(args[3]);
    int64_t sum = 0;

    if (sql_udf_null(context, count, args))
        return;
    int64_t unit = unit_of(part);
    int months = months_of(part);
    int64_t scale = type == STORE_DATE ? VALUE_DAY_US : 1;
    if (week_start(part) >= 0)
        unit = 7 * VALUE_DAY_US;
    if ((unit == 0 && months == 0) || (months > 0 && type == STORE_TIME) ||
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
        sql_udf_error(context, "Adding an interval gives a value out of range");
}

static int64_t iso_week(int64_t days, int64_t *out_year)
{
    // The week belongs to the year its Thursday is in.
    int64_t thursday = week_number(days, 1) * 7;
    int64_t year;
    int month;
    int day;

    value_civil(thursday, &year, &month, &day);
    *out_year = year;
    return (thursday - value_days(year, 1, 1)) / 7 + 1;
}

static bool extract_date(int64_t days, const char *part, int64_t *out)
{
    int64_t year;
    int64_t iso_year;
    int month;
    int day;

    value_civil(days, &year, &month, &day);
    int64_t january = value_days(year, 1, 1);
    int64_t week = iso_week(days, &iso_year);
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
        {"ISOWEEK", week},
        {"ISOYEAR", iso_year},
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
static void udf_extract(sqlite3_context *context, int count, sqlite3_value **args)
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

    if (sql_udf_null(context, count, args))
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

static void udf_date(sqlite3_context *context, int count, sqlite3_value **args)
{
    int64_t year = sqlite3_value_int64(args[0]);
    int64_t month = sqlite3_value_int64(args[1]);
    int64_t day = sqlite3_value_int64(args[2]);

    if (sql_udf_null(context, count, args))
        return;
    bool ok = year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
    int64_t days = ok ? value_days(year, (int)month, (int)day) : 0;
    int64_t back_year = 0;
    int back_month = 0;
    int back_day = 0;
    value_civil(days, &back_year, &back_month, &back_day);
    if (ok && back_month == month && back_day == day)
        sqlite3_result_int64(context, days);
    else
        sql_udf_error(
            context, "Input calculates to invalid date: %lld-%lld-%lld", (long long)year,
            (long long)month, (long long)day);
}

static void udf_check_timestamp(sqlite3_context *context, int count, sqlite3_value **args)
{
    if (sql_udf_null(context, count, args))
        return;
    int64_t value = sqlite3_value_int64(args[0]);
    if (in_range(STORE_TIMESTAMP, value))
        sqlite3_result_int64(context, value);
    else
        sql_udf_error(
            context, "TIMESTAMP_MICROS: %lld is out of the range of TIMESTAMP", (long long)value);
}

bool sql_udf_register_times(sqlite3 *handle)
{
    static const struct sql_udf functions[] = {
        {"bq_time_diff", 4, udf_diff, NULL, false},
        {"bq_time_trunc", 3, udf_trunc, NULL, false},
        {"bq_time_add", 4, udf_add, NULL, false},
        {"bq_extract", 3, udf_extract, NULL, false},
        {"bq_date", 3, udf_date, NULL, false},
        {"bq_check_timestamp", 1, udf_check_timestamp, NULL, false},
    };

    return sql_udf_add(handle, functions, sizeof functions / sizeof *functions);
}
