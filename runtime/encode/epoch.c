#include "encode/epoch.h"

#include "encode/civil.h"
#include "encode/number.h"

#include <assert.h>
#include <math.h>

/* The Julian date of 1970-01-01 00:00, whose days begin at noon. */
#define EPOCH_JULIAN 2440587.5

#define YEAR_1601 INT64_C(-11644473600000000)
#define YEAR_2001 INT64_C(978307200000000)

/* What a format counts; all but Julian days count powers of ten of a microsecond. */
struct unit {
    int power;        /* a unit is 10^power microseconds */
    int64_t begin_us; /* where the count is 0 */
};

static const struct unit units[TIME_FORMAT_COUNT] = {
    [TIME_FORMAT_UNIX_S] = {6, 0},
    [TIME_FORMAT_UNIX_MS] = {3, 0},
    [TIME_FORMAT_UNIX_US] = {0, 0},
    [TIME_FORMAT_UNIX_NS] = {-3, 0},
    [TIME_FORMAT_DOTNET_TICKS] = {-1, CIVIL_US_MIN},
    [TIME_FORMAT_APPLE_S] = {6, YEAR_2001},
    [TIME_FORMAT_APPLE_NS] = {-3, YEAR_2001},
    [TIME_FORMAT_WEBKIT_US] = {0, YEAR_1601},
    [TIME_FORMAT_FILETIME] = {-1, YEAR_1601},
};

bool epoch_is_count(enum time_format format)
{
    return format != TIME_FORMAT_ISO8601 && format != TIME_FORMAT_GO;
}

static int64_t power_of_ten(int power)
{
    static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

    assert(power >= 0 && power <= 6);
    return powers[power];
}

/* us is counted from where the unit begins. */
static const char *from_begin(const struct unit *unit, int64_t us, int64_t *out_us)
{
    if (__builtin_add_overflow(us, unit->begin_us, &us) || us < CIVIL_US_MIN || us > CIVIL_US_MAX)
        return CIVIL_OUT_OF_RANGE;
    *out_us = us;
    return NULL;
}

static const char *julian_of_integer(int64_t count, int64_t *out_us)
{
    static const struct unit noon = {0, CIVIL_US_PER_DAY / 2};
    int64_t us;

    // A whole Julian date is noon.
    if (__builtin_sub_overflow(count, (int64_t)(EPOCH_JULIAN + 0.5), &count) ||
        __builtin_mul_overflow(count, CIVIL_US_PER_DAY, &us))
        return CIVIL_OUT_OF_RANGE;
    return from_begin(&noon, us, out_us);
}

const char *epoch_us_of_integer(
    int64_t count, enum time_format format, bool truncate, int64_t *out_us)
{
    const struct unit *unit = &units[format];
    int64_t us;

    if (format == TIME_FORMAT_JULIAN)
        return julian_of_integer(count, out_us);
    if (unit->power >= 0) {
        if (__builtin_mul_overflow(count, power_of_ten(unit->power), &us))
            return CIVIL_OUT_OF_RANGE;
        return from_begin(unit, us, out_us);
    }
    int64_t parts = power_of_ten(-unit->power);
    int64_t part = count % parts;
    if (part != 0 && !truncate)
        return CIVIL_TOO_FINE;
    return from_begin(unit, count / parts - (part < 0), out_us);
}

static const char *of_number(
    const struct number *number, const struct unit *unit, bool truncate, int64_t *out_us)
{
    int64_t us;
    bool exact;

    if (!number_floor(number, unit->power, &us, &exact))
        return CIVIL_OUT_OF_RANGE;
    return exact || truncate ? from_begin(unit, us, out_us) : CIVIL_TOO_FINE;
}

/* count, of units of unit_us microseconds, to the nearest microsecond. */
static const char *round_real(
    double count, long double unit_us, const struct unit *unit, int64_t *out_us)
{
    double lowest = (double)((long double)(CIVIL_US_MIN - unit->begin_us) / unit_us);
    double highest = (double)((long double)(CIVIL_US_MAX - unit->begin_us) / unit_us);

    // Also refuses infinities; the bounds leave room for rounding, the exact range comes below.
    if (!(count >= lowest - 1 && count <= highest + 1))
        return CIVIL_OUT_OF_RANGE;
    if (unit_us < 1)
        return from_begin(unit, llroundl((long double)count * unit_us), out_us);
    // Split before scaling, so that the whole part is exact and the product's rounding error stays
    // far below a microsecond.
    double whole = floor(count);
    int64_t us =
        (int64_t)whole * (int64_t)unit_us + llroundl((long double)(count - whole) * unit_us);
    return from_begin(unit, us, out_us);
}

const char *epoch_us_of_real(double count, enum time_format format, bool truncate, int64_t *out_us)
{
    static const struct unit day = {0, 0};
    const struct unit *unit = &units[format];
    struct number number;

    // Exact: both are multiples of the smaller one's last bit and the difference is not larger.
    if (format == TIME_FORMAT_JULIAN)
        return round_real(count - EPOCH_JULIAN, CIVIL_US_PER_DAY, &day, out_us);
    if (truncate && isfinite(count)) {
        number_of_real(count, &number);
        return of_number(&number, unit, true, out_us);
    }
    long double unit_us = unit->power >= 0 ? (long double)power_of_ten(unit->power)
                                           : 1 / (long double)power_of_ten(-unit->power);
    return round_real(count, unit_us, unit, out_us);
}

const char *epoch_us_of_text(
    struct slice text, enum time_format format, bool truncate, int64_t *out_us)
{
    struct number number;

    if (format == TIME_FORMAT_JULIAN || memchr(text.data, 'e', text.length) != NULL ||
        memchr(text.data, 'E', text.length) != NULL || !number_parse(text, &number))
        return EPOCH_NOT_COUNT;
    return of_number(&number, &units[format], truncate, out_us);
}
