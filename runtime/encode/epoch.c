#include "encode/epoch.h"

#include "encode/civil.h"
#include "encode/number.h"

#include <assert.h>
#include <float.h>
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

/* us is counted from begin_us, where the unit begins. */
static const char *from_begin(int64_t begin_us, int64_t us, int64_t *out_us)
{
    if (__builtin_add_overflow(us, begin_us, &us) || us < CIVIL_US_MIN || us > CIVIL_US_MAX)
        return CIVIL_OUT_OF_RANGE;
    *out_us = us;
    return NULL;
}

static const char *julian_of_integer(int64_t count, int64_t *out_us)
{
    int64_t us;

    // A whole Julian date is noon.
    if (__builtin_sub_overflow(count, (int64_t)(EPOCH_JULIAN + 0.5), &count) ||
        __builtin_mul_overflow(count, CIVIL_US_PER_DAY, &us))
        return CIVIL_OUT_OF_RANGE;
    return from_begin(CIVIL_US_PER_DAY / 2, us, out_us);
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
        return from_begin(unit->begin_us, us, out_us);
    }
    int64_t parts = power_of_ten(-unit->power);
    int64_t part = count % parts;
    if (part != 0 && !truncate)
        return CIVIL_TOO_FINE;
    return from_begin(unit->begin_us, count / parts - (part < 0), out_us);
}

static const char *of_number(
    const struct number *number, const struct unit *unit, bool truncate, int64_t *out_us)
{
    int64_t us;
    bool exact;

    if (!number_floor(number, unit->power, &us, &exact))
        return CIVIL_OUT_OF_RANGE;
    return exact || truncate ? from_begin(unit->begin_us, us, out_us) : CIVIL_TOO_FINE;
}

__extension__ typedef __int128 wide;

/* count * numerator / denominator, to the nearest integer; of two equally near ones the higher. A
 * double is an integer of 53 bits times a power of two, so the product is a fraction of two
 * integers. In floating point, long double too, it would be rounded first, and a count close to
 * half a microsecond could then end up on the wrong side of it. The fraction fits into 128 bits:
 * |count| is below 2^68, numerator below 2^37, denominator below 2^10. */
static int64_t round_scaled(double count, int64_t numerator, int64_t denominator)
{
    int exponent;
    wide dividend = (wide)ldexp(frexp(count, &exponent), DBL_MANT_DIG) * numerator;
    wide divisor = denominator;

    exponent -= DBL_MANT_DIG;
    if (exponent < -100)
        return 0;
    if (exponent < 0)
        divisor <<= -exponent;
    else
        dividend *= (wide)1 << exponent;
    dividend = 2 * dividend + divisor;
    divisor *= 2;
    wide quotient = dividend / divisor;
    return (int64_t)(quotient - (dividend % divisor < 0));
}

/* count, of units of numerator / denominator microseconds, to the nearest microsecond. */
static const char *round_real(
    double count, int64_t numerator, int64_t denominator, int64_t begin_us, int64_t *out_us)
{
    double per_us = (double)denominator / (double)numerator;

    // Also refuses infinities; the bounds leave room for rounding, the exact range comes below.
    if (!(count >= (double)(CIVIL_US_MIN - begin_us) * per_us - per_us - 1 &&
          count <= (double)(CIVIL_US_MAX - begin_us) * per_us + per_us + 1))
        return CIVIL_OUT_OF_RANGE;
    return from_begin(begin_us, round_scaled(count, numerator, denominator), out_us);
}

const char *epoch_us_of_real(double count, enum time_format format, bool truncate, int64_t *out_us)
{
    const struct unit *unit = &units[format];
    struct number number;

    // Exact: both are multiples of the smaller one's last bit and the difference is not larger.
    if (format == TIME_FORMAT_JULIAN)
        return round_real(count - EPOCH_JULIAN, CIVIL_US_PER_DAY, 1, 0, out_us);
    if (truncate && isfinite(count)) {
        number_of_real(count, &number);
        return of_number(&number, unit, truncate, out_us);
    }
    return unit->power >= 0
               ? round_real(count, power_of_ten(unit->power), 1, unit->begin_us, out_us)
               : round_real(count, 1, power_of_ten(-unit->power), unit->begin_us, out_us);
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
