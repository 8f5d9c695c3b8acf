#include "encode/decimal.h"

#include <string.h>

/* 256 bits, least significant limb first. */
#define LIMBS 8

/* 10^77 is above 2^255, so nothing of more digits is worth adding up. */
#define DIGITS_MAX 77

struct kind {
    int scale;
    uint32_t limit[LIMBS]; /* the largest positive unscaled value */
    bool one_more;         /* the negative range reaches one further, as two's complement does */
    const char *scale_reason;
    const char *range_reason;
};

static const struct kind kinds[] = {
    // 10^38 - 1
    [DECIMAL_NUMERIC] =
        {.scale = DECIMAL_NUMERIC_SCALE,
         .limit = {0xffffffff, 0x098a223f, 0x5a86c47a, 0x4b3b4ca8},
         .scale_reason = "has more than 9 digits after the point",
         .range_reason = "is out of the range of NUMERIC"},
    // 2^255 - 1
    [DECIMAL_BIGNUMERIC] =
        {.scale = DECIMAL_BIGNUMERIC_SCALE,
         .limit =
             {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
              0x7fffffff},
         .one_more = true,
         .scale_reason = "has more than 38 digits after the point",
         .range_reason = "is out of the range of BIGNUMERIC"},
};
_Static_assert(sizeof kinds / sizeof kinds[0] == DECIMAL_BIGNUMERIC + 1, "a row for each kind");

/* value * factor + summand; what is beyond 256 bits is the result. */
static uint32_t multiply_add(uint32_t value[LIMBS], uint32_t factor, uint32_t summand)
{
    uint64_t carry = summand;

    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)value[i] * factor;
        value[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint32_t)carry;
}

static bool exceeds(const uint32_t a[LIMBS], const uint32_t b[LIMBS])
{
    for (int i = LIMBS - 1; i >= 0; i--) {
        if (a[i] != b[i])
            return a[i] > b[i];
    }
    return false;
}

static void negate(uint32_t value[LIMBS])
{
    for (int i = 0; i < LIMBS; i++)
        value[i] = ~value[i];
    multiply_add(value, 1, 1);
}

/* The digits followed by zeros up to length, at most DIGITS_MAX: below 10^77 < 2^256. */
static void add_up(const struct number *number, size_t length, uint32_t out[LIMBS])
{
    memset(out, 0, LIMBS * sizeof out[0]);
    for (size_t i = 0; i < length;) {
        // Nine digits a step: 10^9 is the largest power of ten in a limb.
        uint32_t factor = 1;
        uint32_t chunk = 0;
        for (; i < length && factor < 1000000000; i++, factor *= 10)
            chunk = chunk * 10 + (i < number->count ? (uint32_t)(number->digits[i] - '0') : 0);
        multiply_add(out, factor, chunk);
    }
}

/* The fewest bytes that keep the sign. */
static void store(const uint32_t value[LIMBS], struct value_decimal *out_value)
{
    uint8_t bytes[32];

    for (int i = 0; i < LIMBS; i++) {
        uint32_t limb = value[LIMBS - 1 - i];
        for (int j = 0; j < 4; j++)
            bytes[i * 4 + j] = (uint8_t)(limb >> (24 - 8 * j));
    }
    size_t start = 0;
    while (start < 31 && ((bytes[start] == 0x00 && bytes[start + 1] < 0x80) ||
                          (bytes[start] == 0xff && bytes[start + 1] >= 0x80)))
        start++;
    out_value->length = (uint8_t)(32 - start);
    memcpy(out_value->bytes, bytes + start, 32 - start);
    out_value->null = false;
}

const char *decimal_of_number(
    const struct number *number, enum decimal_kind kind, struct value_decimal *out_value)
{
    const struct kind *rules = &kinds[kind];
    uint32_t value[LIMBS];

    int64_t shift = number->exponent + rules->scale;
    if (number->count > 0 && shift < 0)
        return rules->scale_reason;
    if (number->more || (number->count > 0 && (int64_t)number->count + shift > DIGITS_MAX))
        return rules->range_reason;

    add_up(number, number->count > 0 ? number->count + (size_t)shift : 0, value);
    if (number->negative) {
        // Compared one lower where the range is one longer, which needs no wider arithmetic.
        uint32_t lowered[LIMBS];
        memcpy(lowered, value, sizeof lowered);
        if (rules->one_more && number->count > 0) {
            negate(lowered);
            for (int i = 0; i < LIMBS; i++)
                lowered[i] = ~lowered[i];
        }
        if (exceeds(lowered, rules->limit))
            return rules->range_reason;
        negate(value);
    } else if (exceeds(value, rules->limit)) {
        return rules->range_reason;
    }
    store(value, out_value);
    return NULL;
}

/* --- text -------------------------------------------------------------------------------- */

/* As many digits as fit in a limb. */
#define CHUNK_DIGITS 9
#define CHUNK        1000000000u

/* The unscaled integer that its big-endian bytes hold; store is the way back. */
static void load(const struct value_decimal *value, uint32_t out[LIMBS])
{
    bool negative = value->length > 0 && (value->bytes[0] & 0x80) != 0;

    memset(out, negative ? 0xff : 0, LIMBS * sizeof out[0]);
    for (size_t i = 0; i < value->length; i++) {
        uint32_t *limb = &out[i / 4];
        unsigned place = 8 * (unsigned)(i % 4);
        *limb = (*limb & ~(0xffu << place)) | (uint32_t)value->bytes[value->length - 1 - i]
                                                  << place;
    }
}

/* Divides the limbs in use by CHUNK in place; returns the remainder. *used: how many there are, the
 * highest of which is not 0. */
static uint32_t take_chunk(uint32_t value[LIMBS], size_t *used)
{
    uint64_t rest = 0;

    for (size_t i = *used; i-- > 0;) {
        uint64_t part = rest << 32 | value[i];
        value[i] = (uint32_t)(part / CHUNK);
        rest = part % CHUNK;
    }
    while (*used > 0 && value[*used - 1] == 0)
        (*used)--;
    return (uint32_t)rest;
}

/* C has no integer of up to 32 bytes, so the digits are taken from the right, nine by a division.
 * Zeros are skipped until the first digit that counts; the digits left of the point count always.
 */
const char *decimal_text(struct value_decimal value, int scale, char room[static DECIMAL_TEXT_SIZE])
{
    char *at = room + DECIMAL_TEXT_SIZE - 1;
    bool negative = value.length > 0 && (value.bytes[0] & 0x80) != 0;
    uint32_t limbs[LIMBS];
    size_t used = LIMBS;
    bool significant = false;
    int digit = 0;

    load(&value, limbs);
    if (negative)
        negate(limbs);
    *at = '\0';
    while (used > 0 || digit <= scale) {
        uint32_t chunk = take_chunk(limbs, &used);
        for (int i = 0; i < CHUNK_DIGITS && (used > 0 || chunk > 0 || digit <= scale); i++) {
            unsigned rest = chunk % 10;
            chunk /= 10;
            if (digit == scale && significant)
                *--at = '.';
            if (digit >= scale || rest != 0 || significant) {
                *--at = (char)('0' + rest);
                significant = true;
            }
            digit++;
        }
    }
    if (negative)
        *--at = '-';
    return at;
}
