#include "encode/utf8.h"

#include <stdint.h>
#if defined(__SSE2__)
#include <tmmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(__AARCH64EB__)
#include <arm_neon.h>
#endif

/* Compilers make the widest instructions of it that the machine surely has. */
typedef uint8_t vector __attribute__((vector_size(16)));

static inline vector load(const unsigned char *at)
{
    vector bytes;

    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

static inline uint64_t load_word(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline bool has_high_bits(vector bytes)
{
    uint64_t words[2];

    memcpy(words, &bytes, sizeof words);
    return ((words[0] | words[1]) & UINT64_C(0x8080808080808080)) != 0;
}

/* --- ASCII -------------------------------------------------------------------------------- */

/* The high bit of a byte stays clear through both terms only for 0x01..0x7f. */
static inline vector not_ascii(vector bytes)
{
    return bytes | (bytes - 1);
}

/* The same of eight bytes. The difference borrows only from a byte behind a zero. */
static inline bool is_ascii_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    return ((word | (word - ones)) & (ones << 7)) == 0;
}

/* Of fewer than 16 bytes: two reads may overlap, none leaves the text. */
static bool is_short_ascii(const unsigned char *at, size_t length)
{
    if (length >= 8)
        return is_ascii_word(load_word(at)) && is_ascii_word(load_word(at + length - 8));
    if (length >= 4) {
        uint32_t first;
        uint32_t last;
        memcpy(&first, at, sizeof first);
        memcpy(&last, at + length - 4, sizeof last);
        return is_ascii_word((uint64_t)first << 32 | last);
    }
    for (size_t i = 0; i < length; i++) {
        if (at[i] - 1U >= 0x7fU)
            return false;
    }
    return true;
}

bool utf8_is_ascii(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t left = text.length;

    if (left < 16)
        return is_short_ascii(at, left);
    const unsigned char *last = at + left - 16;
    for (; last - at >= 64; at += 64) {
        vector found = not_ascii(load(at)) | not_ascii(load(at + 16)) | not_ascii(load(at + 32)) |
                       not_ascii(load(at + 48));
        if (has_high_bits(found))
            return false;
    }
    vector found = not_ascii(load(last));
    for (; at < last; at += 16)
        found |= not_ascii(load(at));
    return !has_high_bits(found);
}

/* --- one code point after the other ------------------------------------------------------- */

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

size_t utf8_valid_length(struct slice text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    size_t at = 0;

    while (at < text.length) {
        size_t length =
            bytes[at] < 0x80 ? bytes[at] != 0 : sequence_length(bytes + at, text.length - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

/* --- sixteen bytes at once ---------------------------------------------------------------- */

/* The three operations that compilers have no common name for. look_up: entries of a table of 16,
 * by indexes of 0 to 15. beyond: what a byte is more than a limit, else 0. BACK: for each byte the
 * one `n` in front of it, of which the first n are the last of the vector before. SSSE3 is not in
 * the baseline of x86-64, but in every machine since 2006; NEON is in that of 64-bit ARM. */
#if defined(__SSE2__)

#define VECTOR_CODE __attribute__((target("ssse3")))
#define BACK(bytes, before, n)                                                                     \
    ((vector)_mm_alignr_epi8((__m128i)(bytes), (__m128i)(before), 16 - (n)))

VECTOR_CODE static inline vector look_up(vector table, vector indexes)
{
    return (vector)_mm_shuffle_epi8((__m128i)table, (__m128i)indexes);
}

VECTOR_CODE static inline vector beyond(vector bytes, vector limit)
{
    return (vector)_mm_subs_epu8((__m128i)bytes, (__m128i)limit);
}

static bool has_vectors(void)
{
    return __builtin_cpu_supports("ssse3");
}

#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(__AARCH64EB__)

#define VECTOR_CODE
#define BACK(bytes, before, n)                                                                     \
    ((vector)vextq_u8((uint8x16_t)(before), (uint8x16_t)(bytes), 16 - (n)))

static inline vector look_up(vector table, vector indexes)
{
    return (vector)vqtbl1q_u8((uint8x16_t)table, (uint8x16_t)indexes);
}

static inline vector beyond(vector bytes, vector limit)
{
    return (vector)vqsubq_u8((uint8x16_t)bytes, (uint8x16_t)limit);
}

static bool has_vectors(void)
{
    return true;
}

#endif

#ifdef BACK

/* What two bytes in a row can do wrong. A table for each of three nibbles says which errors it
 * allows; those that all three allow are there. (The method is that of Keiser and Lemire,
 * "Validating UTF-8 In Less Than One Instruction Per Byte", 2020.) */
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
    BEYOND = ANY | LARGE | LARGE_LOW,
};

/* By the high nibble of a byte, by its low nibble, and by the high nibble of the byte behind it. */
static const vector by_first_high = {
    LONG,
    LONG,
    LONG,
    LONG,
    LONG,
    LONG,
    LONG,
    LONG,
    TWO,
    TWO,
    TWO,
    TWO,
    SHORT | OVERLONG_2,
    SHORT,
    SHORT | OVERLONG_3 | SURROGATE,
    SHORT | LARGE | LARGE_LOW | OVERLONG_4,
};
static const vector by_first_low = {
    ANY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
    ANY | OVERLONG_2,
    ANY,
    ANY,
    ANY | LARGE,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND,
    BEYOND | SURROGATE,
    BEYOND,
    BEYOND,
};
static const vector by_second_high = {
    SHORT,
    SHORT,
    SHORT,
    SHORT,
    SHORT,
    SHORT,
    SHORT,
    SHORT,
    LONG | TWO | OVERLONG_2 | OVERLONG_3 | OVERLONG_4 | LARGE_LOW,
    LONG | TWO | OVERLONG_2 | OVERLONG_3 | LARGE,
    LONG | TWO | OVERLONG_2 | SURROGATE | LARGE,
    LONG | TWO | OVERLONG_2 | SURROGATE | LARGE,
    SHORT,
    SHORT,
    SHORT,
    SHORT,
};

/* What is wrong with 16 bytes behind 16 others: zero in each byte if nothing is. */
VECTOR_CODE static inline vector errors_of(vector bytes, vector before)
{
    vector first = BACK(bytes, before, 1);
    vector found = look_up(by_first_high, first >> 4) & look_up(by_first_low, first & 0x0f) &
                   look_up(by_second_high, bytes >> 4);
    // The high bit is set where a third or fourth byte belongs: TWO has to be found there, and
    // nowhere else.
    vector wanted = beyond(BACK(bytes, before, 2), (vector){0} + (0xe0 - 0x80)) |
                    beyond(BACK(bytes, before, 3), (vector){0} + (0xf0 - 0x80));

    return (found ^ (wanted & TWO)) | (vector)(bytes == 0);
}

/* Behind the text stands ASCII, in front of which every code point has to be complete. */
VECTOR_CODE static bool is_valid_by_vectors(struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    size_t left = text.length;
    vector before = {0};
    vector errors = {0};
    unsigned char last[16];

    for (; left >= 16; at += 16, left -= 16) {
        vector bytes = load(at);
        errors |= errors_of(bytes, before);
        before = bytes;
    }
    memset(last, 'a', sizeof last);
    memcpy(last, at, left);
    errors |= errors_of(load(last), before);

    uint64_t words[2];
    memcpy(words, &errors, sizeof words);
    return (words[0] | words[1]) == 0;
}

bool utf8_is_valid(struct slice text)
{
    if (utf8_is_ascii(text))
        return true;
    return has_vectors() ? is_valid_by_vectors(text) : utf8_valid_length(text) == text.length;
}

#else

bool utf8_is_valid(struct slice text)
{
    return utf8_is_ascii(text) || utf8_valid_length(text) == text.length;
}

#endif
