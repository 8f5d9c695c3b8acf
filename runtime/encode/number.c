#include "encode/number.h"

#include <assert.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_INTEGER "is not an integer"
#define NOT_NUMBER  "is not a number"
#define INT64_RANGE "is out of the range of INT64"
#define REAL_RANGE  "is out of the range of FLOAT64"
#define NOT_EXACT   "is an integer that FLOAT64 cannot hold exactly"

/* Exponents are capped here: far beyond any type, and far from overflow. */
#define EXPONENT_CAP 1000000

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One digit of the mantissa, left or right of the point. */
static void add_digit(struct number *number, char digit, bool fraction)
{
    if (number->count < NUMBER_DIGITS_MAX) {
        // Zeros in front of the first digit move only the point.
        if (digit != '0' || number->count > 0)
            number->digits[number->count++] = digit;
        number->exponent -= fraction ? 1 : 0;
    } else {
        number->more = number->more || digit != '0';
        number->exponent += fraction ? 0 : 1;
    }
}

static bool parse_exponent(const char **at, const char *end, struct number *number)
{
    bool negative = false;
    int64_t exponent = 0;

    if (*at < end && (**at == '+' || **at == '-'))
        negative = *(*at)++ == '-';
    if (*at == end || !is_digit(**at))
        return false;
    for (; *at < end && is_digit(**at); (*at)++) {
        if (exponent < EXPONENT_CAP)
            exponent = exponent * 10 + (**at - '0');
    }
    number->exponent += negative ? -exponent : exponent;
    return true;
}

/* Makes the form unique: no trailing zeros, zero is zero. */
static void normalize(struct number *number)
{
    while (!number->more && number->count > 0 && number->digits[number->count - 1] == '0') {
        number->count--;
        number->exponent++;
    }
    if (number->count == 0)
        number->exponent = 0;
}

bool number_parse(struct slice text, struct number *out_number)
{
    const char *at = text.data;
    const char *end = at + text.length;
    size_t mantissa = 0;

    out_number->negative = out_number->more = false;
    out_number->plain = true;
    out_number->count = 0;
    out_number->exponent = 0;
    if (at < end && (*at == '+' || *at == '-'))
        out_number->negative = *at++ == '-';
    for (; at < end && is_digit(*at); at++, mantissa++)
        add_digit(out_number, *at, false);
    if (at < end && *at == '.') {
        out_number->plain = false;
        for (at++; at < end && is_digit(*at); at++, mantissa++)
            add_digit(out_number, *at, true);
    }
    if (mantissa == 0)
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        out_number->plain = false;
        at++;
        if (!parse_exponent(&at, end, out_number))
            return false;
    }
    normalize(out_number);
    return at == end;
}

void number_of_real(double real, struct number *out_number)
{
    char text[NUMBER_TEXT_SIZE];

    assert(isfinite(real));
    // 15 digits survive the way through a double, so a number of no more is found at once; 17
    // always come back. A denormal double has fewer.
    for (int precision = fabs(real) < DBL_MIN ? 0 : 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, real);
        if (strtod(text, NULL) == real)
            break;
    }

    // Taken by position, because the point may be another character in some locales.
    out_number->negative = text[0] == '-';
    out_number->plain = out_number->more = false;
    out_number->count = 0;
    out_number->exponent = 0;
    const char *at = text;
    for (; *at != 'e'; at++) {
        if (is_digit(*at))
            add_digit(out_number, *at, out_number->count > 0);
    }
    out_number->exponent += strtol(at + 1, NULL, 10);
    normalize(out_number);
}

bool number_floor(const struct number *number, int power, int64_t *out_value, bool *out_exact)
{
    int64_t whole = (int64_t)number->count + number->exponent + power; // digits before the point
    int64_t value = 0;

    *out_exact = number->count == 0 || (!number->more && number->exponent + power >= 0);
    for (int64_t i = 0; i < whole; i++) {
        int digit = i < (int64_t)number->count ? number->digits[i] - '0' : 0;
        // Counted below zero, where there is one more.
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
        if (value == 0)
            break; // of zeros, however many
    }
    if (number->negative && !*out_exact && __builtin_sub_overflow(value, 1, &value))
        return false;
    if (!number->negative && __builtin_sub_overflow(0, value, &value))
        return false;
    *out_value = value;
    return true;
}

const char *number_int64_of_text(struct slice text, int64_t *out_value)
{
    const char *at = text.data;
    const char *end = at + text.length;
    bool negative = false;
    int64_t value = 0;
    bool overflow = false;

    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end)
        return NOT_INTEGER;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return NOT_INTEGER;
        int digit = *at - '0';
        overflow = overflow || __builtin_mul_overflow(value, 10, &value) ||
                   __builtin_add_overflow(value, negative ? -digit : digit, &value);
    }
    if (overflow)
        return INT64_RANGE;
    *out_value = value;
    return NULL;
}

/* Both bounds are powers of two, so they are exact; INT64_MAX is not a double. */
static bool fits_int64(double real)
{
    return real >= -0x1p63 && real < 0x1p63;
}

const char *number_int64_of_real(double real, int64_t *out_value)
{
    if (!fits_int64(real))
        return INT64_RANGE;
    if (real != trunc(real))
        return "has a fraction";
    *out_value = (int64_t)real;
    return NULL;
}

/* Whether a double is the integer that the digits spell. */
static bool real_equals(const struct number *number, double real)
{
    char text[NUMBER_DIGITS_MAX];

    // printf writes all digits of the exact value when no fraction is asked for.
    size_t length = (size_t)snprintf(text, sizeof text, "%.0f", fabs(real));
    if (number->count == 0)
        return real == 0;
    if (number->more || length != number->count + (size_t)number->exponent)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != (i < number->count ? number->digits[i] : '0'))
            return false;
    }
    return true;
}

/* The nearest double; an infinity where there is none. */
static double nearest_real(const struct number *number)
{
    char digits[NUMBER_DIGITS_MAX + 32];

    if (number->count == 0)
        return number->negative ? -0.0 : 0.0;
    // Digits and an exponent without a point read the same in every locale. A last digit 1 stands
    // for all that did not fit: it can only break a tie.
    int length = snprintf(
        digits, sizeof digits, "%s%.*s%se%" PRId64, number->negative ? "-" : "", (int)number->count,
        number->digits, number->more ? "1" : "", number->exponent - (number->more ? 1 : 0));
    assert(length > 0 && (size_t)length < sizeof digits);
    (void)length;
    return strtod(digits, NULL);
}

bool number_is_beyond_real(const struct number *number)
{
    return isinf(nearest_real(number));
}

bool number_survives_real(const struct number *number)
{
    struct number shortest;

    // DBL_DIG digits survive wherever a double is not denormal.
    if (number->count <= 15 && llabs(number->exponent) < 290)
        return true;
    double real = nearest_real(number);
    if (isinf(real))
        return false;
    number_of_real(real, &shortest);
    return !number->more && shortest.count == number->count &&
           shortest.exponent == number->exponent &&
           memcmp(shortest.digits, number->digits, number->count) == 0;
}

const char *number_real_of_text(struct slice text, double *out_value)
{
    struct number number;

    if (!number_parse(text, &number))
        return NOT_NUMBER;
    double real = nearest_real(&number);
    if (isinf(real) || (real == 0 && number.count > 0))
        return REAL_RANGE;
    if (number.plain && !real_equals(&number, real))
        return NOT_EXACT;
    *out_value = real;
    return NULL;
}

const char *number_real_of_int64(int64_t integer, double *out_value)
{
    double real = (double)integer;

    if (!fits_int64(real) || (int64_t)real != integer)
        return NOT_EXACT;
    *out_value = real;
    return NULL;
}

/* A number in JSON's scientific notation. */
static size_t scientific_text(const struct number *number, char out[NUMBER_TEXT_SIZE])
{
    int length = snprintf(
        out, NUMBER_TEXT_SIZE, "%s%c.%.*se%+03" PRId64, number->negative ? "-" : "",
        number->digits[0], number->count > 1 ? (int)number->count - 1 : 1,
        number->count > 1 ? number->digits + 1 : "0",
        number->exponent + (int64_t)number->count - 1);
    return (size_t)length;
}

size_t number_json_text(double real, char out[NUMBER_TEXT_SIZE])
{
    struct number number;
    size_t length = 0;

    number_of_real(real, &number);
    // Digits left of the point; at most 16 are written out, zeros right of it at most 4.
    int64_t whole = (int64_t)number.count + number.exponent;
    if (number.count > 0 && (whole > 16 || whole < -3))
        return scientific_text(&number, out);

    if (number.negative)
        out[length++] = '-';
    if (whole <= 0)
        out[length++] = '0';
    for (int64_t i = 0; i < whole; i++)
        out[length++] = i < (int64_t)number.count ? number.digits[i] : '0';
    out[length++] = '.';
    if (number.exponent >= 0)
        out[length++] = '0';
    for (int64_t i = whole; i < (int64_t)number.count; i++)
        out[length++] = i < 0 ? '0' : number.digits[i];
    return length;
}
