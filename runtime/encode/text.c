#include "encode/text.h"

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
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

const char *text_check(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    const unsigned char *end = at + text.length;

    while (at < end) {
        if (*at - 1U < 0x7fU) {
            at = skip_ascii(at, end);
            // What is left of the step that was not whole.
            while (at < end && *at - 1U < 0x7fU)
                at++;
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
