#include "fuzz/oracle_time.h"

#include "fuzz/fuzz.h"
#include "fuzz/oracle_decimal.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US_PER_DAY INT64_C(86400000000)

#define DATE   "([0-9]{4})-([0-9]{2})-([0-9]{2})"
#define CLOCK  "([0-9]{2}):([0-9]{2})(:([0-9]{2})(\\.([0-9]+))?)?"
#define OFFSET "([+-])([0-9]{2})(:?([0-9]{2}))?"

/* Where the parts of a text are among the groups of its expression; 0: it has none. */
struct form {
    const char *pattern;
    size_t date;     /* the year; month and day follow */
    size_t clock;    /* the hour; the others follow as CLOCK numbers them */
    size_t offset;   /* the sign; the others follow as OFFSET numbers them */
    size_t utc;      /* a Z */
    regex_t program; /* of the pattern */
};

enum { FORM_DATETIME, FORM_TIMESTAMP, FORM_TIME, FORM_DROP, FORM_GO, FORM_ZEROS, FORM_COUNT };

static struct form forms[] = {
    [FORM_DATETIME] = {.pattern = "^" DATE "([ T]" CLOCK ")?$", .date = 1, .clock = 5},
    [FORM_TIMESTAMP] =
        {.pattern = "^" DATE "([ T]" CLOCK "( *((Z)|" OFFSET "))?)?$",
         .date = 1,
         .clock = 5,
         .utc = 13,
         .offset = 14},
    [FORM_TIME] = {.pattern = "^" CLOCK "$", .clock = 1},
    [FORM_DROP] = {.pattern = "^(" DATE "[ T])?" CLOCK "$", .date = 2, .clock = 5},
    [FORM_GO] =
        {.pattern = "^" DATE " " CLOCK " " OFFSET " [A-Za-z0-9+-]+( m=[+-][0-9.]+)?$",
         .date = 1,
         .clock = 4,
         .offset = 10},
    [FORM_ZEROS] = {.pattern = "^0000-00-00[ T0:.Z]*$"},
    [FORM_COUNT] = {.pattern = "^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)$"},
};

#define FORMS  (sizeof forms / sizeof forms[0])
#define GROUPS 20

/* A text and where the groups of its form are in it. */
struct match {
    char text[ORACLE_DECIMAL_MAX / 2];
    regmatch_t groups[GROUPS];
};

/* From 1970-01-01 to 1 January of each year, counted year by year. */
static int64_t days_to_year[10001];

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);

    return days[month - 1] + (month == 2 && leap);
}

static int days_of_year(int year)
{
    int days = 0;

    for (int month = 1; month <= 12; month++)
        days += days_of_month(year, month);
    return days;
}

void oracle_time_open(void)
{
    for (int year = 1970; year < 10000; year++)
        days_to_year[year + 1] = days_to_year[year] + days_of_year(year);
    for (int year = 1969; year >= 1; year--)
        days_to_year[year] = days_to_year[year + 1] - days_of_year(year);
    setenv("TZ", ORACLE_TIME_ZONE, 1);
    tzset();
    for (size_t i = 0; i < FORMS; i++)
        FUZZ_REQUIRE(
            regcomp(&forms[i].program, forms[i].pattern, REG_EXTENDED) == 0, "the pattern %s",
            forms[i].pattern);
}

static bool match(const struct form *form, struct slice text, struct match *out)
{
    FUZZ_REQUIRE(text.length < sizeof out->text, "the oracle has no room for such a text");
    memcpy(out->text, text.data, text.length);
    out->text[text.length] = '\0';
    return strlen(out->text) == text.length &&
           regexec(&form->program, out->text, GROUPS, out->groups, 0) == 0;
}

static bool has(const struct match *match, size_t group)
{
    return group > 0 && match->groups[group].rm_so >= 0;
}

/* The number that a group of digits is; 0 if the text lacks it. */
static int number(const struct match *match, size_t group)
{
    int value = 0;

    if (has(match, group))
        for (regoff_t i = match->groups[group].rm_so; i < match->groups[group].rm_eo; i++)
            value = value * 10 + (match->text[i] - '0');
    return value;
}

/* Days from 1970-01-01 to a date of the years 1 to 9999; false if there is no such date. */
static bool count_days(int year, int month, int day, int64_t *out_days)
{
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    *out_days = days_to_year[year] + day - 1;
    for (int m = 1; m < month; m++)
        *out_days += days_of_month(year, m);
    return true;
}

/* Microseconds since midnight. */
static bool read_clock(const struct match *match, size_t clock, bool truncate, int64_t *out_us)
{
    int hour = number(match, clock);
    int minute = number(match, clock + 1);
    int second = number(match, clock + 3);
    int64_t us = 0;
    int64_t unit = 100000;

    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (has(match, clock + 5)) {
        for (regoff_t i = match->groups[clock + 5].rm_so; i < match->groups[clock + 5].rm_eo; i++) {
            us += (match->text[i] - '0') * unit;
            if (unit == 0 && match->text[i] != '0' && !truncate)
                return false;
            unit /= 10;
        }
    }
    *out_us = ((hour * INT64_C(60) + minute) * 60 + second) * 1000000 + us;
    return true;
}

/* The earliest moment at which the C library's clock shows this many seconds since 1970. */
static bool local_to_utc(int64_t local_s, int64_t *out_utc_s)
{
    bool found = false;

    for (int64_t day = -1; day <= 1; day++) {
        struct tm tm;
        time_t near = local_s + day * 86400;
        FUZZ_REQUIRE(localtime_r(&near, &tm) != NULL, "localtime_r fails");
        time_t utc = local_s - tm.tm_gmtoff;
        FUZZ_REQUIRE(localtime_r(&utc, &tm) != NULL, "localtime_r fails");
        if (utc + tm.tm_gmtoff == local_s && (!found || utc < *out_utc_s)) {
            *out_utc_s = utc;
            found = true;
        }
    }
    return found;
}

static bool to_utc(const struct match *match, const struct form *form, bool zone, int64_t *us)
{
    if (has(match, form->utc))
        return true;
    if (has(match, form->offset)) {
        int hours = number(match, form->offset + 1);
        int minutes = number(match, form->offset + 3);
        int64_t ahead = (hours * INT64_C(60) + minutes) * 60000000;
        *us -= match->text[match->groups[form->offset].rm_so] == '-' ? -ahead : ahead;
        return hours <= 23 && minutes <= 59;
    }
    if (!zone)
        return true;
    int64_t second = (*us - ((*us % 1000000) + 1000000) % 1000000) / 1000000;
    int64_t utc = 0;
    if (!local_to_utc(second, &utc))
        return false;
    *us += (utc - second) * 1000000;
    return true;
}

static bool in_range(int64_t us)
{
    return us >= days_to_year[1] * US_PER_DAY && us < days_to_year[10000] * US_PER_DAY;
}

/* A text in ISO 8601, or as Go prints it. */
static bool read_text(const struct column *column, bool go, struct slice text, int64_t *out_value)
{
    const struct form *form = go                                 ? &forms[FORM_GO]
                              : column->type == COLUMN_TIMESTAMP ? &forms[FORM_TIMESTAMP]
                              : column->type != COLUMN_TIME      ? &forms[FORM_DATETIME]
                              : column->date_drops               ? &forms[FORM_DROP]
                                                                 : &forms[FORM_TIME];
    struct match found;
    int64_t days = 0;
    int64_t us = 0;

    if (!match(form, text, &found))
        return false;
    if (has(&found, form->date) && !count_days(
                                       number(&found, form->date), number(&found, form->date + 1),
                                       number(&found, form->date + 2), &days))
        return false;
    if (has(&found, form->clock) &&
        !read_clock(&found, form->clock, column->fraction_truncates, &us))
        return false;
    if (column->type == COLUMN_TIME) {
        *out_value = us;
        return true;
    }
    if (column->type == COLUMN_DATE && !go) {
        *out_value = days;
        return us == 0;
    }
    *out_value = days * US_PER_DAY + us;
    bool moment = column->type == COLUMN_TIMESTAMP || go;
    return !moment ||
           (to_utc(&found, form, column->zone != NULL && !go, out_value) && in_range(*out_value));
}

/* What a format counts: units of numerator / denominator microseconds, from a date on. */
struct unit {
    int64_t numerator;
    int64_t denominator;
    int year; /* 0: the Julian date, which is counted from noon */
};

static struct unit unit_of(enum time_format format)
{
    switch (format) {
    case TIME_FORMAT_UNIX_S:
        return (struct unit){1000000, 1, 1970};
    case TIME_FORMAT_UNIX_MS:
        return (struct unit){1000, 1, 1970};
    case TIME_FORMAT_UNIX_US:
        return (struct unit){1, 1, 1970};
    case TIME_FORMAT_UNIX_NS:
        return (struct unit){1, 1000, 1970};
    case TIME_FORMAT_DOTNET_TICKS:
        return (struct unit){1, 10, 1};
    case TIME_FORMAT_APPLE_S:
        return (struct unit){1000000, 1, 2001};
    case TIME_FORMAT_APPLE_NS:
        return (struct unit){1, 1000, 2001};
    case TIME_FORMAT_WEBKIT_US:
        return (struct unit){1, 1, 1601};
    case TIME_FORMAT_FILETIME:
        return (struct unit){1, 10, 1601};
    default:
        return (struct unit){US_PER_DAY, 1, 0};
    }
}

/* Where the count is 0. */
static int64_t begin_of(const struct unit *unit)
{
    if (unit->year == 0)
        return -2440588 * US_PER_DAY + US_PER_DAY / 2;
    return days_to_year[unit->year] * US_PER_DAY;
}

/* A stored count as a decimal number; false if it is none. */
static bool count_of(
    const struct one_value *value, bool julian, bool truncate, struct oracle_decimal *out)
{
    char digits[32];
    struct match found;

    switch (value->storage) {
    case SQLITE_INTEGER:
        snprintf(digits, sizeof digits, "%lld", (long long)value->integer);
        return oracle_decimal_read(slice_of(digits), out);
    case SQLITE_FLOAT:
        if (!isfinite(value->real))
            return false;
        // What is dropped is dropped from the number that people see; what is rounded, from the
        // exact value.
        if (truncate)
            oracle_decimal_shortest(value->real, out);
        else
            oracle_decimal_of_real(value->real, out);
        return true;
    case SQLITE_TEXT:
        return !julian && match(&forms[FORM_COUNT], value->bytes, &found) &&
               oracle_decimal_read(value->bytes, out);
    default:
        return false;
    }
}

static bool read_count(
    const struct column *column, enum time_format format, const struct one_value *value,
    int64_t *out_us)
{
    struct unit unit = unit_of(format);
    struct oracle_scale scale = {unit.numerator, unit.denominator, begin_of(&unit)};
    bool julian = unit.year == 0;
    bool truncate = column->fraction_truncates && !(julian && value->storage == SQLITE_FLOAT);
    bool rounds = value->storage == SQLITE_FLOAT && !truncate;
    struct oracle_decimal count;
    bool exact;

    return count_of(value, julian, truncate, &count) &&
           oracle_decimal_scale(
               &count, &scale, rounds ? ORACLE_LATER : ORACLE_FLOOR, out_us, &exact) &&
           in_range(*out_us) && (exact || truncate || rounds);
}

/* As a count; the unit of a DATE is the day. *out_decides: the value is one in this format, so no
 * later one is asked. */
static bool read_as(
    const struct column *column, enum time_format format, const struct one_value *value,
    int64_t *out_value, bool *out_decides)
{
    bool go = format == TIME_FORMAT_GO;
    bool ok;

    if (format == TIME_FORMAT_ISO8601 || go) {
        ok = value->storage == SQLITE_TEXT && read_text(column, go, value->bytes, out_value);
        *out_decides = ok;
        return ok;
    }
    *out_decides = read_count(column, format, value, out_value);
    ok = *out_decides;
    if (ok && column->type == COLUMN_DATE) {
        ok = *out_value % US_PER_DAY == 0;
        *out_value /= US_PER_DAY;
    }
    return ok;
}

enum oracle_time oracle_time_read(
    const struct column *column, const struct one_value *value, int64_t *out_value)
{
    struct match zeros;

    if (value->storage == SQLITE_NULL)
        return ORACLE_TIME_NULL;
    if (column->empty_is_null && value->storage == SQLITE_TEXT &&
        (value->bytes.length == 0 || match(&forms[FORM_ZEROS], value->bytes, &zeros)))
        return ORACLE_TIME_NULL;
    size_t count = column->format_count == 0 ? 1 : column->format_count;
    for (size_t i = 0; i < count; i++) {
        enum time_format format =
            column->format_count == 0 ? TIME_FORMAT_ISO8601 : column->formats[i];
        bool decides;
        if (read_as(column, format, value, out_value, &decides))
            return ORACLE_TIME_VALUE;
        if (decides)
            break;
    }
    return ORACLE_TIME_REFUSED;
}

bool oracle_time_text_is(enum column_type type, const char *text, int64_t count)
{
    const struct form *form = &forms[type == COLUMN_TIME ? FORM_TIME : FORM_DATETIME];
    struct match found;
    int64_t days = 0;
    int64_t us = 0;

    if (!match(form, slice_of(text), &found) ||
        (has(&found, form->date) && !count_days(
                                        number(&found, form->date), number(&found, form->date + 1),
                                        number(&found, form->date + 2), &days)) ||
        (has(&found, form->clock) && !read_clock(&found, form->clock, false, &us)))
        return false;
    return (type == COLUMN_DATE ? days : days * US_PER_DAY + us) == count;
}
