#include "bqlocal/sql/functions/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sql_decimal_compare(struct slice a, struct slice b)
{
    bool minus_a = a.length > 0 && a.data[0] == '-';
    bool minus_b = b.length > 0 && b.data[0] == '-';

    if (minus_a != minus_b)
        return minus_a ? -1 : 1;
    if (minus_a) {
        struct slice other = a;
        a = (struct slice){b.data + 1, b.length - 1};
        b = (struct slice){other.data + 1, other.length - 1};
    }
    const char *dot_a = a.length == 0 ? NULL : memchr(a.data, '.', a.length);
    const char *dot_b = b.length == 0 ? NULL : memchr(b.data, '.', b.length);
    size_t whole_a = dot_a == NULL ? a.length : (size_t)(dot_a - a.data);
    size_t whole_b = dot_b == NULL ? b.length : (size_t)(dot_b - b.data);
    if (whole_a != whole_b)
        return whole_a < whole_b ? -1 : 1;
    // No leading and no trailing zeros: from here on digits compare as text.
    size_t shared = a.length < b.length ? a.length : b.length;
    int order = shared == 0 ? 0 : memcmp(a.data, b.data, shared);
    if (order != 0 || a.length == b.length)
        return order;
    return a.length < b.length ? -1 : 1;
}

BIGNUM *sql_decimal_read(struct slice text)
{
    char digits[VALUE_TEXT_SIZE * 2];
    size_t length = 0;
    size_t fraction = 0;
    bool after_dot = false;
    BIGNUM *number = NULL;

    for (size_t i = 0; i < text.length && length < VALUE_TEXT_SIZE; i++) {
        if (text.data[i] == '.') {
            after_dot = true;
            continue;
        }
        digits[length++] = text.data[i];
        fraction += after_dot;
    }
    for (; fraction < SQL_DECIMAL_SCALE; fraction++)
        digits[length++] = '0';
    digits[length] = '\0';
    return BN_dec2bn(&number, digits) == 0 ? NULL : number;
}

/* number = number / 10^digits, half away from zero. */
static bool shrink(BIGNUM *number, int digits, BN_CTX *context)
{
    BIGNUM *power = BN_new();
    BIGNUM *half = BN_new();
    BIGNUM *ten = BN_new();
    BIGNUM *exponent = BN_new();
    bool negative = BN_is_negative(number);
    bool ok = power != NULL && half != NULL && ten != NULL && exponent != NULL &&
              BN_set_word(ten, 10) && BN_set_word(exponent, (BN_ULONG)digits) &&
              BN_exp(power, ten, exponent, context) && BN_rshift1(half, power);

    BN_set_negative(number, 0);
    ok = ok && BN_add(number, number, half) && BN_div(number, NULL, number, power, context);
    BN_set_negative(number, negative);
    BN_free(power);
    BN_free(half);
    BN_free(ten);
    BN_free(exponent);
    return ok;
}

/* Digits of an integer with `fraction` of them behind the point, as the store writes it. */
static bool place_point(const char *digits, size_t fraction, bool big, char out[VALUE_TEXT_SIZE])
{
    char text[512];
    bool negative = digits[0] == '-';
    size_t length = strlen(digits + negative);

    if (length > 300)
        return false;
    size_t missing = length <= fraction ? fraction + 1 - length : 0;
    char padded[512];
    memset(padded, '0', missing);
    memcpy(padded + missing, digits + negative, length + 1);
    size_t whole = missing + length - fraction;
    snprintf(
        text, sizeof text, "%s%.*s.%s", negative ? "-" : "", (int)whole, padded, padded + whole);
    return value_parse_decimal(slice_of(text), big, out);
}

bool sql_decimal_write(
    const BIGNUM *number, int scale, bool big, int digits, char out[VALUE_TEXT_SIZE])
{
    int wanted = big ? 38 : 9;
    BIGNUM *copy = BN_dup(number);
    BN_CTX *context = BN_CTX_new();
    char *text = NULL;
    bool ok = copy != NULL && context != NULL;

    if (digits < wanted)
        wanted = digits;
    ok = ok && (wanted >= scale || shrink(copy, scale - wanted, context));
    int kept = wanted >= scale ? scale : wanted;
    // Rounding to tens and hundreds: what was cut off comes back as zeros.
    for (; ok && kept < 0; kept++)
        ok = BN_mul_word(copy, 10);
    text = ok ? BN_bn2dec(copy) : NULL;
    ok = text != NULL && place_point(text, (size_t)kept, big, out);
    OPENSSL_free(text);
    BN_free(copy);
    BN_CTX_free(context);
    return ok;
}
