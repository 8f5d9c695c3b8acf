#include "fuzz/oracle_decimal.h"

#include "fuzz/fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits before the point that are worth an integer of 128 bits. */
#define WHOLE_MAX 36

__extension__ typedef __int128 wide;

/* Puts digits into the form that oracle_decimal.h promises. */
static void normalize(struct oracle_decimal *number)
{
    size_t zeros = 0;

    while (zeros < number->whole && number->digits[zeros] == '0')
        zeros++;
    memmove(number->digits, number->digits + zeros, number->count - zeros);
    number->whole -= zeros;
    number->count -= zeros;
    while (number->count > number->whole && number->digits[number->count - 1] == '0')
        number->count--;
}

/* Moves the point by the exponent, to the right if it is positive. */
static void shift(struct oracle_decimal *number, int64_t exponent)
{
    size_t zeros = 0;

    while (zeros < number->count && number->digits[zeros] == '0')
        zeros++;

    if (zeros == number->count) {
        number->count = number->whole = 0;
    } else if (exponent > ORACLE_DECIMAL_MAX / 2) {
        number->size = ORACLE_SIZE_HUGE;
    } else if (exponent < -ORACLE_DECIMAL_MAX / 2) {
        number->size = ORACLE_SIZE_TINY;
    } else {
        for (; exponent > 0; exponent--) {
            if (number->whole == number->count)
                number->digits[number->count++] = '0';
            number->whole++;
        }
        for (; exponent < 0; exponent++) {
            if (number->whole > 0) {
                number->whole--;
                continue;
            }
            memmove(number->digits + 1, number->digits, number->count++);
            number->digits[0] = '0';
        }
    }
}

bool oracle_decimal_read(struct slice text, struct oracle_decimal *out)
{
    size_t at = 0;
    bool point = false;
    char exponent[32];

    FUZZ_REQUIRE(text.length < ORACLE_DECIMAL_MAX / 2, "the oracle has too few digits");
    out->negative = false;
    out->size = ORACLE_SIZE_KNOWN;
    out->whole = out->count = 0;
    if (at < text.length && (text.data[at] == '+' || text.data[at] == '-'))
        out->negative = text.data[at++] == '-';
    for (; at < text.length &&
           (isdigit((unsigned char)text.data[at]) || (text.data[at] == '.' && !point));
         at++) {
        if (text.data[at] == '.') {
            point = true;
            continue;
        }
        out->digits[out->count++] = text.data[at];
        out->whole += !point;
    }
    if (out->count == 0)
        return false;
    if (at == text.length) {
        normalize(out);
        return true;
    }
    if (text.data[at] != 'e' && text.data[at] != 'E')
        return false;
    at++;
    size_t sign = at < text.length && (text.data[at] == '+' || text.data[at] == '-');
    bool minus = sign == 1 && text.data[at] == '-';
    at += sign;
    if (at == text.length)
        return false;
    size_t start = at;
    for (; at < text.length; at++) {
        if (!isdigit((unsigned char)text.data[at]))
            return false;
        if (text.data[at] == '0' && start == at)
            start++;
    }
    size_t length = at - start < 9 ? at - start : 9;
    snprintf(exponent, sizeof exponent, "%.*s", (int)length, text.data + start);
    int64_t power = strtoll(exponent, NULL, 10);
    shift(out, minus ? -power : power);
    normalize(out);
    return true;
}

bool oracle_decimal_equals(const struct oracle_decimal *a, const struct oracle_decimal *b)
{
    bool zero = a->size == ORACLE_SIZE_KNOWN && a->count == 0;

    FUZZ_REQUIRE(
        a->size == ORACLE_SIZE_KNOWN || b->size == ORACLE_SIZE_KNOWN,
        "the oracle cannot compare these");
    return a->size == b->size && a->whole == b->whole && a->count == b->count &&
           memcmp(a->digits, b->digits, a->count) == 0 && (zero || a->negative == b->negative);
}

bool oracle_decimal_exceeds(const struct oracle_decimal *a, const struct oracle_decimal *b)
{
    if (a->size != ORACLE_SIZE_KNOWN || b->size != ORACLE_SIZE_KNOWN)
        return a->size == ORACLE_SIZE_HUGE;
    if (a->whole != b->whole)
        return a->whole > b->whole;
    size_t common = a->count < b->count ? a->count : b->count;
    int order = memcmp(a->digits, b->digits, common);
    return order > 0 || (order == 0 && a->count > common);
}

bool oracle_decimal_scale(
    const struct oracle_decimal *number, const struct oracle_scale *scale,
    enum oracle_rounding rounding, int64_t *out_value, bool *out_exact)
{
    struct oracle_decimal product = *number;
    uint64_t carry = 0;
    wide whole = 0;

    if (number->size == ORACLE_SIZE_HUGE || number->whole > WHOLE_MAX)
        return false;
    // As on paper, from the right; what is carried out of the first digit gets digits of its own.
    for (size_t i = product.count; i-- > 0;) {
        carry += (uint64_t)(product.digits[i] - '0') * (uint64_t)scale->numerator;
        product.digits[i] = (char)('0' + carry % 10);
        carry /= 10;
    }
    for (; carry > 0; carry /= 10) {
        memmove(product.digits + 1, product.digits, product.count++);
        product.digits[0] = (char)('0' + carry % 10);
        product.whole++;
    }
    for (int64_t left = scale->denominator; left > 1; left /= 10)
        shift(&product, -1);
    normalize(&product);
    if (product.whole > WHOLE_MAX)
        return false;
    for (size_t i = 0; i < product.whole; i++)
        whole = whole * 10 + (product.digits[i] - '0');
    bool tiny = number->size == ORACLE_SIZE_TINY;
    bool rest = tiny || product.count > product.whole;
    int tenth = rest && !tiny ? product.digits[product.whole] - '0' : 0;
    bool above_half = tenth > 5 || (tenth == 5 && product.count > product.whole + 1);
    if (number->negative)
        whole = -whole - (rounding == ORACLE_FLOOR ? rest : above_half);
    else
        whole += rounding == ORACLE_FLOOR ? 0 : tenth >= 5;
    whole += scale->begin;
    *out_exact = !rest;
    *out_value = (int64_t)whole;
    return whole >= INT64_MIN && whole <= INT64_MAX;
}

void oracle_decimal_of_real(double real, struct oracle_decimal *out)
{
    char text[ORACLE_DECIMAL_MAX / 2];

    // The smallest double has 1,074 digits behind the point.
    snprintf(text, sizeof text, "%.1080f", real);
    FUZZ_REQUIRE(oracle_decimal_read(slice_of(text), out), "printf printed %s", text);
}

void oracle_decimal_shortest(double real, struct oracle_decimal *out)
{
    char text[64];

    for (int precision = 0; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, real);
        if (strtod(text, NULL) == real)
            break;
    }
    FUZZ_REQUIRE(oracle_decimal_read(slice_of(text), out), "printf printed %s", text);
}
