#include "encode/text.h"

#include <stdint.h>
#ifdef __SSE2__
#include <tmmintrin.h>
#endif

#define NOT_UTF8 "is not valid UTF-8"
#define HAS_NUL  "contains U+0000"

/* Skips ASCII other than U+0000, as far as whole steps of 16 (8) bytes reach. */
static const unsigned char *skip_ascii(const unsigned char *at, const unsigned char *end)
{
#ifdef __SSE2__
    // Read as signed bytes, the wanted ones are exactly those above zero.
    const __m128i zero = _mm_setzero_si128();
    while (end - at >= 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        if (_mm_movemask_epi8(_mm_cmpgt_epi8(bytes, zero)) != 0xffff)
            break;
        at += 16;
    }
#else
    const uint64_t ones = UINT64_C(0x0101010101010101);
    while (end - at >= 8) {
        uint64_t bytes;
        memcpy(&bytes, at, sizeof bytes);
        // The high bit of a byte stays clear through both terms only for 0x01..0x7f.
        if (((bytes | (bytes - ones)) & (ones << 7)) != 0)
            break;
        at += 8;
    }
#endif
    return at;
}

/* The length of the multi-byte sequence at `at`, 0 if it is none (RFC 3629, section 4). */
static size_t sequence_length(const unsigned char *at, size_t left)
{
    unsigned char first = at[0];

    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return left >= 2 && (at[1] & 0xc0) == 0x80 ? 2 : 0;
    if (first < 0xf0) {
        if (left < 3 || (at[1] & 0xc0) != 0x80 || (at[2] & 0xc0) != 0x80)
            return 0;
        // Overlong forms, and the surrogates.
        if ((first == 0xe0 && at[1] < 0xa0) || (first == 0xed && at[1] >= 0xa0))
            return 0;
        return 3;
    }
    if (first > 0xf4 || left < 4 || (at[1] & 0xc0) != 0x80 || (at[2] & 0xc0) != 0x80 ||
        (at[3] & 0xc0) != 0x80)
        return 0;
    // Overlong forms, and what lies above U+10FFFF.
    if ((first == 0xf0 && at[1] < 0x90) || (first == 0xf4 && at[1] >= 0x90))
        return 0;
    return 4;
}

#ifdef __SSE2__

/* What two bytes in a row can do wrong. A table for each of three nibbles says which errors it
 * allows; those that all three allow are there. */
enum {
    SHORT = 1 << 0,      /* a first byte without a continuation behind it */
    LONG = 1 << 1,       /* a continuation behind ASCII */
    OVERLONG_3 = 1 << 2, /* e0 80..9f */
    LARGE = 1 << 3,      /* f4 90..bf, f5..ff 90..bf */
    SURROGATE = 1 << 4,  /* ed a0..bf */
    OVERLONG_2 = 1 << 5, /* c0 or c1 */
    LARGE_LOW = 1 << 6,  /* f5..ff 80..8f */
    OVERLONG_4 = 1 << 6, /* f0 80..8f; told from the one above by its low nibble */
    TWO = 1 << 7,        /* two continuations: right only where three or four bytes go together */
    ANY = SHORT | LONG | TWO,
};

/* How far behind `at`, where a code point begins, the text is surely valid and without U+0000: in
 * whole steps of 16 bytes, back to the end of a code point. `at` itself if anything is wrong on the
 * way; finding out what is left to the caller. */
__attribute__((target("ssse3"))) static const unsigned char *skip_valid(
    const unsigned char *at, const unsigned char *end)
{
    const __m128i first_high = _mm_setr_epi8(
        LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, (char)TWO, (char)TWO, (char)TWO, (char)TWO,
        SHORT | OVERLONG_2, SHORT, SHORT | OVERLONG_3 | SURROGATE,
        SHORT | LARGE | LARGE_LOW | OVERLONG_4);
    const __m128i first_low = _mm_setr_epi8(
        (char)(ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4), (char)(ANY | OVERLONG_2), (char)ANY,
        (char)ANY, (char)(ANY | LARGE), (char)(ANY | LARGE | LARGE_LOW),
        (char)(ANY | LARGE | LARGE_LOW), (char)(ANY | LARGE | LARGE_LOW),
        (char)(ANY | LARGE | LARGE_LOW), (char)(ANY | LARGE | LARGE_LOW),
        (char)(ANY | LARGE | LARGE_LOW), (char)(ANY | LARGE | LARGE_LOW),
        (char)(ANY | LARGE | LARGE_LOW), (char)(ANY | LARGE | LARGE_LOW | SURROGATE),
        (char)(ANY | LARGE | LARGE_LOW), (char)(ANY | LARGE | LARGE_LOW));
    const __m128i second_high = _mm_setr_epi8(
        SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT,
        (char)(LONG | TWO | OVERLONG_2 | OVERLONG_3 | OVERLONG_4 | LARGE_LOW),
        (char)(LONG | TWO | OVERLONG_2 | OVERLONG_3 | LARGE),
        (char)(LONG | TWO | OVERLONG_2 | SURROGATE | LARGE),
        (char)(LONG | TWO | OVERLONG_2 | SURROGATE | LARGE), SHORT, SHORT, SHORT, SHORT);
    const __m128i nibble = _mm_set1_epi8(0x0f);
    const __m128i zero = _mm_setzero_si128();
    __m128i wrong = zero;
    __m128i before = zero;
    const unsigned char *next = at;

    for (; end - next >= 16; next += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)next);
        __m128i back1 = _mm_alignr_epi8(bytes, before, 15);
        __m128i back2 = _mm_alignr_epi8(bytes, before, 14);
        __m128i back3 = _mm_alignr_epi8(bytes, before, 13);
        __m128i found = _mm_and_si128(
            _mm_and_si128(
                _mm_shuffle_epi8(first_high, _mm_and_si128(_mm_srli_epi16(back1, 4), nibble)),
                _mm_shuffle_epi8(first_low, _mm_and_si128(back1, nibble))),
            _mm_shuffle_epi8(second_high, _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble)));
        // The high bit is set where a third or fourth byte belongs: TWO has to be found there, and
        // nowhere else.
        __m128i third = _mm_subs_epu8(back2, _mm_set1_epi8(0xe0 - 0x80));
        __m128i fourth = _mm_subs_epu8(back3, _mm_set1_epi8(0xf0 - 0x80));
        __m128i wanted = _mm_and_si128(_mm_or_si128(third, fourth), _mm_set1_epi8((char)0x80));
        wrong = _mm_or_si128(wrong, _mm_xor_si128(found, wanted));
        wrong = _mm_or_si128(wrong, _mm_cmpeq_epi8(bytes, zero));
        before = bytes;
    }
    if (_mm_movemask_epi8(_mm_cmpeq_epi8(wrong, zero)) != 0xffff)
        return at;
    // The last code point may not have ended yet.
    for (int back = 1; back <= 3 && next - at >= back; back++) {
        unsigned char byte = next[-back];
        if (byte >= 0xc0)
            return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? next - back : next;
        if (byte < 0x80)
            break;
    }
    return next;
}

static const unsigned char *skip_fast(const unsigned char *at, const unsigned char *end)
{
    return end - at >= 64 && __builtin_cpu_supports("ssse3") ? skip_valid(at, end) : at;
}

#else

static const unsigned char *skip_fast(const unsigned char *at, const unsigned char *end)
{
    (void)end;
    return at;
}

#endif

const char *text_check(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    const unsigned char *end = at + text.length;

    // Most texts are ASCII, most others are valid: each of these is left for the next at its first
    // byte that is not, and the last of them decides.
    at = skip_ascii(at, end);
    at = skip_fast(at, end);
    while (at < end) {
        if (*at - 1U < 0x7fU) {
            at = skip_ascii(at + 1, end);
        } else if (*at == 0) {
            return HAS_NUL;
        } else {
            size_t length = sequence_length(at, (size_t)(end - at));
            if (length == 0)
                return NOT_UTF8;
            at += length;
        }
    }
    return NULL;
}

bool text_utf16_is_valid(const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    bool high = false;

    for (size_t i = 0; i + 1 < length; i += 2) {
        uint16_t unit;
        memcpy(&unit, at + i, sizeof unit);
        bool low = (unit & 0xfc00) == 0xdc00;
        if (low != high)
            return false;
        high = (unit & 0xfc00) == 0xd800;
    }
    return !high;
}

struct slice text_prefix(struct slice text, size_t code_points)
{
    // Never fewer bytes than code points: most texts are short enough without counting.
    if (text.length <= code_points)
        return text;

    size_t at = 0;
    while (at < text.length) {
        bool starts = ((unsigned char)text.data[at] & 0xc0) != 0x80;
        if (starts && code_points-- == 0)
            break;
        at++;
    }
    return (struct slice){text.data, at};
}
