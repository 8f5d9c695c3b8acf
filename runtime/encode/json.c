#include "encode/json.h"

#include "base/fnv.h"
#include "base/hex.h"
#include "base/json_normal.h"
#include "encode/number.h"
#include "encode/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NOT_JSON       "is not valid JSON"
#define IS_EMPTY       "is empty, which is not JSON"
#define TOO_DEEP       "is JSON of more than 500 levels"
#define LONE_SURROGATE "is JSON with an escaped lone surrogate"
#define NUMBER_RANGE   "is JSON with a number out of the range of FLOAT64"
#define INTEGER_RANGE  "is JSON with an integer beyond 64 bits"
#define NOT_EXACT      "is JSON with a number that FLOAT64 cannot hold exactly"
#define TWICE          "is JSON with a member named twice"

/* Names of members are noted by a few bits of a hash; most objects have no two that collide. */
#define NAME_BITS 4096

struct scanner {
    const char *at;
    const char *end;
    const char *reason; /* why the value last tried is none */
    int depth;
    uint64_t objects[JSON_DEPTH_MAX / 64 + 1]; /* one bit a level: object rather than array */
    bool exact;
    /* With exact: some object may name a member twice. */
    bool suspect;
    uint32_t opened;                  /* objects so far */
    uint32_t numbers[JSON_DEPTH_MAX]; /* of each level, which of them it is */
    uint64_t names[NAME_BITS / 64];
};

static bool fail(struct scanner *in, const char *reason)
{
    in->reason = reason;
    return false;
}

static void skip_space(struct scanner *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
        in->at++;
}

static bool skip(struct scanner *in, char c)
{
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

static bool scan_word(struct scanner *in, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0)
        return fail(in, NOT_JSON);
    in->at += length;
    return true;
}

static size_t scan_digits(struct scanner *in)
{
    const char *start = in->at;

    while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
        in->at++;
    return (size_t)(in->at - start);
}

/* -2^63 to 2^64-1. */
static bool is_64_bits(struct slice text)
{
    bool negative = text.data[0] == '-';
    uint64_t value = 0;

    for (size_t i = negative ? 1 : 0; i < text.length; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value))
            return false;
    return !negative || value <= UINT64_C(1) << 63;
}

/* long_text: it may be beyond a double. */
static bool check_number(struct scanner *in, struct slice text, bool whole, bool long_text)
{
    struct number number;

    if (in->exact && whole)
        return is_64_bits(text) || fail(in, INTEGER_RANGE);
    // A number of 15 digits without an exponent survives any double.
    if (!long_text && !(in->exact && text.length > 15))
        return true;
    if (!number_parse(text, &number))
        return true;
    if (number_is_beyond_real(&number))
        return fail(in, NUMBER_RANGE);
    return !in->exact || number_survives_real(&number) || fail(in, NOT_EXACT);
}

static bool scan_number(struct scanner *in)
{
    const char *start = in->at;
    bool exponent = false;
    bool whole = true;

    skip(in, '-');
    if (!skip(in, '0') && scan_digits(in) == 0)
        return fail(in, NOT_JSON);
    if (skip(in, '.')) {
        whole = false;
        if (scan_digits(in) == 0)
            return fail(in, NOT_JSON);
    }
    if (skip(in, 'e') || skip(in, 'E')) {
        exponent = true;
        if (!skip(in, '+'))
            skip(in, '-');
        if (scan_digits(in) == 0)
            return fail(in, NOT_JSON);
    }

    // Only an exponent or some 300 digits reach beyond a double, so most numbers cost no more.
    struct slice text = {start, (size_t)(in->at - start)};
    return check_number(in, text, whole && !exponent, exponent || text.length > 300);
}

/* The four hex digits behind \u; -1 if they are not. */
static int scan_hex(struct scanner *in)
{
    int value = 0;

    if (in->end - in->at < 4)
        return -1;
    for (int i = 0; i < 4; i++, in->at++) {
        int digit = hex_digit(*in->at);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static bool scan_escape(struct scanner *in)
{
    if (in->at == in->end)
        return fail(in, NOT_JSON);
    char c = *in->at++;
    if (c != 'u')
        return (c != '\0' && strchr("\"\\/bfnrt", c) != NULL) || fail(in, NOT_JSON);
    int unit = scan_hex(in);
    if (unit < 0)
        return fail(in, NOT_JSON);
    if ((unit & 0xf800) != 0xd800)
        return true;
    // A high surrogate has to be followed by an escaped low one.
    if (unit >= 0xdc00 || !skip(in, '\\') || !skip(in, 'u'))
        return fail(in, LONE_SURROGATE);
    unit = scan_hex(in);
    if (unit < 0)
        return fail(in, NOT_JSON);
    return (unit & 0xfc00) == 0xdc00 || fail(in, LONE_SURROGATE);
}

static bool scan_string(struct scanner *in)
{
    if (!skip(in, '"'))
        return fail(in, NOT_JSON);
    while (in->at < in->end) {
        unsigned char c = (unsigned char)*in->at++;
        if (c == '"')
            return true;
        if (c < 0x20)
            return fail(in, NOT_JSON);
        if (c == '\\' && !scan_escape(in))
            return false;
    }
    return fail(in, NOT_JSON);
}

static bool in_object(const struct scanner *in)
{
    int level = in->depth - 1;

    return (in->objects[level / 64] >> (level % 64) & 1) != 0;
}

/* The name of a member of the innermost object, with its quotes. */
static void note_name(struct scanner *in, struct slice name)
{
    uint64_t hash = FNV_OFFSET ^ in->numbers[in->depth - 1];

    for (size_t i = 0; i < name.length; i++)
        hash = fnv_add_byte(hash, name.data[i]);
    hash = (hash ^ hash >> 32) % NAME_BITS;
    uint64_t bit = UINT64_C(1) << (hash % 64);
    // An escape may stand for any letter.
    in->suspect = in->suspect || (in->names[hash / 64] & bit) != 0 ||
                  memchr(name.data, '\\', name.length) != NULL;
    in->names[hash / 64] |= bit;
}

static bool scan_name(struct scanner *in)
{
    skip_space(in);
    const char *start = in->at;
    if (!scan_string(in))
        return false;
    if (in->exact)
        note_name(in, (struct slice){start, (size_t)(in->at - start)});
    skip_space(in);
    return skip(in, ':') || fail(in, NOT_JSON);
}

/* Steps into an array or object; *out_empty says that it was empty and has been left again. */
static bool scan_open(struct scanner *in, bool *out_empty)
{
    bool object = *in->at++ == '{';

    if (in->depth == JSON_DEPTH_MAX)
        return fail(in, TOO_DEEP);
    skip_space(in);
    *out_empty = skip(in, object ? '}' : ']');
    if (*out_empty)
        return true;
    uint64_t bit = UINT64_C(1) << (in->depth % 64);
    if (object)
        in->objects[in->depth / 64] |= bit;
    else
        in->objects[in->depth / 64] &= ~bit;
    in->numbers[in->depth] = in->opened++;
    in->depth++;
    return !object || scan_name(in);
}

/* One value, or the beginning of an array or object; *out_open: the next thing is a value inside.
 */
static bool scan_value(struct scanner *in, bool *out_open)
{
    bool empty;

    *out_open = false;
    skip_space(in);
    if (in->at == in->end)
        return fail(in, NOT_JSON);
    switch (*in->at) {
    case '{':
    case '[':
        if (!scan_open(in, &empty))
            return false;
        *out_open = !empty;
        return true;
    case '"':
        return scan_string(in);
    case 't':
        return scan_word(in, "true");
    case 'f':
        return scan_word(in, "false");
    case 'n':
        return scan_word(in, "null");
    default:
        return scan_number(in);
    }
}

/* Behind a value: leaves what ends here; true and *out_more if another value has to follow. */
static bool scan_close(struct scanner *in, bool *out_more)
{
    *out_more = false;
    while (in->depth > 0) {
        skip_space(in);
        if (skip(in, ',')) {
            *out_more = true;
            return !in_object(in) || scan_name(in);
        }
        if (!skip(in, in_object(in) ? '}' : ']'))
            return fail(in, NOT_JSON);
        in->depth--;
    }
    return true;
}

/* Reads the whole text; NULL or the reason. */
static const char *scan(struct scanner *in, struct slice text)
{
    bool more = true;

    if (text.length == 0)
        return IS_EMPTY;
    const char *reason = text_check(text);
    if (reason != NULL)
        return reason;
    in->at = text.data;
    in->end = text.data + text.length;
    while (more) {
        bool open;
        if (!scan_value(in, &open))
            return in->reason;
        if (!open && !scan_close(in, &more))
            return in->reason;
    }
    skip_space(in);
    return in->at == in->end ? NULL : NOT_JSON;
}

const char *json_check(struct slice text)
{
    struct scanner in = {.exact = false};

    return scan(&in, text);
}

/* Compares the names themselves. */
static const char *check_names(struct slice text)
{
    struct json_losses losses;
    struct buffer normal;

    buffer_init(&normal, SIZE_MAX / 4);
    bool ok = json_normal(text, &normal, &losses);
    buffer_clear(&normal);
    return !ok                ? "is JSON too large to look for members named twice"
           : losses.duplicate ? TWICE
                              : NULL;
}

const char *json_check_exact(struct slice text)
{
    struct scanner in = {.exact = true};
    const char *reason = scan(&in, text);

    return reason == NULL && in.suspect ? check_names(text) : reason;
}
