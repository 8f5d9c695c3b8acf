/* Grisu2: Florian Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers",
 * PLDI 2010, with the constants alpha = -60 and gamma = -32 and the rounding of nlohmann::json. The
 * names are those of the paper where it has any. */
#include "base/json_number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A double needs at most 17 digits. */
#define DIGITS_MAX 17

/* Numbers from 10^FIXED_LEAST up to 10^FIXED_MOST are printed without an exponent. */
#define FIXED_LEAST (-4)
#define FIXED_MOST  15

#define ALPHA (-60)

/* f * 2^e. */
struct scaled {
    uint64_t f;
    int e;
};

/* A digit string times 10^exponent. */
struct decimal {
    char digits[DIGITS_MAX + 1];
    int length;
    int exponent;
};

/* --- powers of ten ----------------------------------------------------------------------- */

#define POWERS_FIRST (-300)
#define POWERS_STEP  8

/* 10^-300, 10^-292, ... 10^324, each rounded to 64 bits. */
static const struct scaled powers[] = {
    {0xAB70FE17C79AC6CA, -1060}, {0xFF77B1FCBEBCDC4F, -1034}, {0xBE5691EF416BD60C, -1007},
    {0x8DD01FAD907FFC3C, -980},  {0xD3515C2831559A83, -954},  {0x9D71AC8FADA6C9B5, -927},
    {0xEA9C227723EE8BCB, -901},  {0xAECC49914078536D, -874},  {0x823C12795DB6CE57, -847},
    {0xC21094364DFB5637, -821},  {0x9096EA6F3848984F, -794},  {0xD77485CB25823AC7, -768},
    {0xA086CFCD97BF97F4, -741},  {0xEF340A98172AACE5, -715},  {0xB23867FB2A35B28E, -688},
    {0x84C8D4DFD2C63F3B, -661},  {0xC5DD44271AD3CDBA, -635},  {0x936B9FCEBB25C996, -608},
    {0xDBAC6C247D62A584, -582},  {0xA3AB66580D5FDAF6, -555},  {0xF3E2F893DEC3F126, -529},
    {0xB5B5ADA8AAFF80B8, -502},  {0x87625F056C7C4A8B, -475},  {0xC9BCFF6034C13053, -449},
    {0x964E858C91BA2655, -422},  {0xDFF9772470297EBD, -396},  {0xA6DFBD9FB8E5B88F, -369},
    {0xF8A95FCF88747D94, -343},  {0xB94470938FA89BCF, -316},  {0x8A08F0F8BF0F156B, -289},
    {0xCDB02555653131B6, -263},  {0x993FE2C6D07B7FAC, -236},  {0xE45C10C42A2B3B06, -210},
    {0xAA242499697392D3, -183},  {0xFD87B5F28300CA0E, -157},  {0xBCE5086492111AEB, -130},
    {0x8CBCCC096F5088CC, -103},  {0xD1B71758E219652C, -77},   {0x9C40000000000000, -50},
    {0xE8D4A51000000000, -24},   {0xAD78EBC5AC620000, 3},     {0x813F3978F8940984, 30},
    {0xC097CE7BC90715B3, 56},    {0x8F7E32CE7BEA5C70, 83},    {0xD5D238A4ABE98068, 109},
    {0x9F4F2726179A2245, 136},   {0xED63A231D4C4FB27, 162},   {0xB0DE65388CC8ADA8, 189},
    {0x83C7088E1AAB65DB, 216},   {0xC45D1DF942711D9A, 242},   {0x924D692CA61BE758, 269},
    {0xDA01EE641A708DEA, 295},   {0xA26DA3999AEF774A, 322},   {0xF209787BB47D6B85, 348},
    {0xB454E4A179DD1877, 375},   {0x865B86925B9BC5C2, 402},   {0xC83553C5C8965D3D, 428},
    {0x952AB45CFA97A0B3, 455},   {0xDE469FBD99A05FE3, 481},   {0xA59BC234DB398C25, 508},
    {0xF6C69A72A3989F5C, 534},   {0xB7DCBF5354E9BECE, 561},   {0x88FCF317F22241E2, 588},
    {0xCC20CE9BD35C78A5, 614},   {0x98165AF37B2153DF, 641},   {0xE2A0B5DC971F303A, 667},
    {0xA8D9D1535CE3B396, 694},   {0xFB9B7CD9A4A7443C, 720},   {0xBB764C4CA7A44410, 747},
    {0x8BAB8EEFB6409C1A, 774},   {0xD01FEF10A657842C, 800},   {0x9B10A4E5E9913129, 827},
    {0xE7109BFBA19C0C9D, 853},   {0xAC2820D9623BF429, 880},   {0x80444B5E7AA7CF85, 907},
    {0xBF21E44003ACDD2D, 933},   {0x8E679C2F5E44FF8F, 960},   {0xD433179D9C8CB841, 986},
    {0x9E19DB92B4E31BA9, 1013},
};

/* The cached power c = 10^k for which the product with a number of the binary exponent e has an
 * exponent between ALPHA and gamma. 78913 / 2^18 is log10(2). */
static struct scaled find_power(int e, int *out_k)
{
    int f = ALPHA - e - 1;
    int k = (f * 78913) / (1 << 18) + (f > 0 ? 1 : 0);
    int index = (k - POWERS_FIRST + POWERS_STEP - 1) / POWERS_STEP;

    *out_k = POWERS_FIRST + index * POWERS_STEP;
    return powers[index];
}

/* --- arithmetic -------------------------------------------------------------------------- */

/* The upper 64 bits of the product, rounded, ties up. */
static struct scaled multiply(struct scaled a, struct scaled b)
{
    uint64_t a_low = a.f & UINT32_MAX;
    uint64_t a_high = a.f >> 32;
    uint64_t b_low = b.f & UINT32_MAX;
    uint64_t b_high = b.f >> 32;
    uint64_t cross_one = a_low * b_high;
    uint64_t cross_two = a_high * b_low;
    uint64_t middle = (a_low * b_low >> 32) + (cross_one & UINT32_MAX) + (cross_two & UINT32_MAX) +
                      (UINT64_C(1) << 31);

    return (struct scaled){
        a_high * b_high + (cross_one >> 32) + (cross_two >> 32) + (middle >> 32), a.e + b.e + 64};
}

static struct scaled normalize(struct scaled x)
{
    while (x.f >> 63 == 0) {
        x.f <<= 1;
        x.e--;
    }
    return x;
}

/* The number and the middles between it and its two neighbours, all of one exponent. */
struct interval {
    struct scaled minus;
    struct scaled number;
    struct scaled plus;
};

static struct interval find_interval(double number)
{
    const uint64_t hidden = UINT64_C(1) << 52;
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    uint64_t biased = bits >> 52;
    uint64_t fraction = bits & (hidden - 1);
    struct scaled v = biased == 0 ? (struct scaled){fraction, -1074}
                                  : (struct scaled){fraction + hidden, (int)biased - 1075};

    // Below a power of two doubles are closer together.
    bool closer = fraction == 0 && biased > 1;
    struct scaled plus = normalize((struct scaled){2 * v.f + 1, v.e - 1});
    struct scaled minus =
        closer ? (struct scaled){4 * v.f - 1, v.e - 2} : (struct scaled){2 * v.f - 1, v.e - 1};
    minus.f <<= minus.e - plus.e;
    minus.e = plus.e;
    return (struct interval){minus, normalize(v), plus};
}

/* --- digits ------------------------------------------------------------------------------ */

/* Lowers the last digit while that brings the text closer to the number. rest: how far the digits
 * are below the upper end of the interval; unit: the weight of the last digit. */
static void round_last(
    struct decimal *out, uint64_t distance, uint64_t delta, uint64_t rest, uint64_t unit)
{
    while (rest < distance && delta - rest >= unit &&
           (rest + unit < distance || distance - rest > rest + unit - distance)) {
        out->digits[out->length - 1]--;
        rest += unit;
    }
}

static void append_digit(struct decimal *out, uint64_t digit)
{
    out->digits[out->length++] = (char)('0' + digit);
}

/* The digits of the upper end of the interval, until what is left of it fits into the interval.
 * First those of the part left of the binary point, then those right of it. */
static void generate(
    struct decimal *out, struct scaled minus, struct scaled number, struct scaled plus)
{
    const int shift = -plus.e;
    const uint64_t one = UINT64_C(1) << shift;
    uint64_t delta = plus.f - minus.f;
    uint64_t distance = plus.f - number.f;
    uint64_t whole = plus.f >> shift;
    uint64_t part = plus.f & (one - 1);
    uint64_t weight = 1;
    int left = 1;

    for (; whole / weight >= 10; left++)
        weight *= 10;
    for (; left > 0; weight /= 10) {
        append_digit(out, whole / weight);
        whole %= weight;
        left--;
        uint64_t rest = (whole << shift) + part;
        if (rest <= delta) {
            out->exponent += left;
            round_last(out, distance, delta, rest, weight << shift);
            return;
        }
    }
    do {
        part *= 10;
        delta *= 10;
        distance *= 10;
        append_digit(out, part >> shift);
        part &= one - 1;
        out->exponent--;
    } while (part > delta);
    round_last(out, distance, delta, part, one);
}

static struct decimal find_digits(double number)
{
    struct decimal out = {.length = 0};
    struct interval in = find_interval(number);
    int k = 0;
    struct scaled power = find_power(in.plus.e, &k);
    struct scaled minus = multiply(in.minus, power);
    struct scaled plus = multiply(in.plus, power);

    // The products are off by one at most, so the interval is made smaller by that.
    minus.f++;
    plus.f--;
    out.exponent = -k;
    generate(&out, minus, multiply(in.number, power), plus);
    return out;
}

/* --- the text ---------------------------------------------------------------------------- */

static void append_zeros(struct buffer *out, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append_byte(out, '0');
}

static void append_with_exponent(struct buffer *out, const struct decimal *decimal, int point)
{
    buffer_append_byte(out, (uint8_t)decimal->digits[0]);
    if (decimal->length > 1) {
        buffer_append_byte(out, '.');
        buffer_append(out, decimal->digits + 1, (size_t)decimal->length - 1);
    }
    buffer_printf(out, "e%c%02d", point - 1 < 0 ? '-' : '+', abs(point - 1));
}

void json_number_append(struct buffer *out, double number)
{
    if (signbit(number))
        buffer_append_byte(out, '-');
    if (number == 0) {
        buffer_append_text(out, "0.0");
        return;
    }
    struct decimal decimal = find_digits(fabs(number));
    size_t length = (size_t)decimal.length;

    // Digits left of the decimal point.
    int point = decimal.length + decimal.exponent;
    if (point <= FIXED_LEAST || point > FIXED_MOST) {
        append_with_exponent(out, &decimal, point);
    } else if (point <= 0) {
        buffer_append_text(out, "0.");
        append_zeros(out, -point);
        buffer_append(out, decimal.digits, length);
    } else if (decimal.exponent >= 0) {
        buffer_append(out, decimal.digits, length);
        append_zeros(out, decimal.exponent);
        buffer_append_text(out, ".0");
    } else {
        buffer_append(out, decimal.digits, (size_t)point);
        buffer_append_byte(out, '.');
        buffer_append(out, decimal.digits + point, length - (size_t)point);
    }
}

/* --- comparison -------------------------------------------------------------------------- */

/* Digits from the first that is not 0, and the power of ten of that one. */
struct written {
    const char *at;
    const char *end;
    bool negative;
    int64_t power;
};

/* Capped far beyond any double. */
static int64_t read_exponent(const char *at, const char *end)
{
    bool negative = *at == '-';
    int64_t power = 0;

    if (*at == '-' || *at == '+')
        at++;
    for (; at < end && power < 100000000; at++)
        power = power * 10 + (*at - '0');
    return negative ? -power : power;
}

static struct written read_written(struct slice text)
{
    struct written out = {.at = text.data, .end = text.data + text.length};
    const char *point = NULL;
    const char *first = NULL;

    if (out.at < out.end && *out.at == '-') {
        out.negative = true;
        out.at++;
    }
    const char *stop = out.at;
    for (; stop < out.end && *stop != 'e' && *stop != 'E'; stop++) {
        point = *stop == '.' ? stop : point;
        first = first == NULL && *stop >= '1' && *stop <= '9' ? stop : first;
    }
    if (stop < out.end)
        out.power = read_exponent(stop + 1, out.end);
    out.end = stop;
    out.at = first == NULL ? stop : first;
    if (first == NULL)
        out.power = 0;
    else if (point == NULL || first < point)
        out.power += (point == NULL ? stop : point) - first - 1;
    else
        out.power -= first - point;
    return out;
}

/* Zeros follow the last digit. */
static char next_digit(struct written *in)
{
    if (in->at < in->end && *in->at == '.')
        in->at++;
    return in->at < in->end ? *in->at++ : '0';
}

bool json_number_equals(struct slice one, struct slice other)
{
    struct written left = read_written(one);
    struct written right = read_written(other);

    if (left.negative != right.negative || left.power != right.power)
        return false;
    while (left.at < left.end || right.at < right.end)
        if (next_digit(&left) != next_digit(&right))
            return false;
    return true;
}
