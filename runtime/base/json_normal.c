#include "base/json_normal.h"

#include "base/json_number.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 500

struct reader {
    const char *at;
    const char *end;
    int depth; /* arrays and objects that are open */
    struct json_losses losses;
};

/* A member of an object: its key as a JSON string and its value, both as normalised text. */
struct member {
    char *key;
    char *value;
    size_t order;
};

static bool read_value(struct reader *in, struct buffer *out);

static void skip_space(struct reader *in)
{
    while (in->at < in->end && strchr(" \t\r\n", *in->at) != NULL && *in->at != '\0')
        in->at++;
}

static bool take(struct reader *in, char letter)
{
    skip_space(in);
    if (in->at == in->end || *in->at != letter)
        return false;
    in->at++;
    return true;
}

static bool read_word(struct reader *in, const char *word, struct buffer *out)
{
    size_t length = strlen(word);

    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0)
        return false;
    in->at += length;
    buffer_append(out, word, length);
    return true;
}

static bool read_hex(struct reader *in, uint32_t *out_unit)
{
    *out_unit = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        if (in->at == in->end)
            return false;
        char letter = *in->at;
        uint32_t digit = letter >= '0' && letter <= '9'   ? (uint32_t)(letter - '0')
                         : letter >= 'a' && letter <= 'f' ? (uint32_t)(letter - 'a' + 10)
                         : letter >= 'A' && letter <= 'F' ? (uint32_t)(letter - 'A' + 10)
                                                          : 16;
        if (digit == 16)
            return false;
        *out_unit = *out_unit << 4 | digit;
    }
    return true;
}

/* One character as it stands inside a JSON string. */
static void append_character(struct buffer *out, uint32_t code)
{
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";

    for (size_t i = 0; i + 1 < sizeof shorts; i += 2)
        if (code == (uint32_t)shorts[i]) {
            buffer_append_byte(out, '\\');
            buffer_append_byte(out, (uint8_t)shorts[i + 1]);
            return;
        }
    if (code < 0x20) {
        buffer_printf(out, "\\u%04x", code);
    } else if (code < 0x80) {
        buffer_append_byte(out, (uint8_t)code);
    } else if (code < 0x800) {
        buffer_append_byte(out, (uint8_t)(0xC0 | code >> 6));
        buffer_append_byte(out, (uint8_t)(0x80 | (code & 63)));
    } else if (code < 0x10000) {
        buffer_append_byte(out, (uint8_t)(0xE0 | code >> 12));
        buffer_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 63)));
        buffer_append_byte(out, (uint8_t)(0x80 | (code & 63)));
    } else {
        buffer_append_byte(out, (uint8_t)(0xF0 | code >> 18));
        buffer_append_byte(out, (uint8_t)(0x80 | (code >> 12 & 63)));
        buffer_append_byte(out, (uint8_t)(0x80 | (code >> 6 & 63)));
        buffer_append_byte(out, (uint8_t)(0x80 | (code & 63)));
    }
}

/* Behind a backslash. */
static bool read_escape(struct reader *in, struct buffer *out)
{
    static const char shorts[] = "b\bt\tn\nf\fr\r\"\"\\\\//";
    uint32_t code, low;

    if (in->at == in->end)
        return false;
    char letter = *in->at++;
    for (size_t i = 0; i + 1 < sizeof shorts; i += 2)
        if (letter == shorts[i]) {
            append_character(out, (uint32_t)shorts[i + 1]);
            return true;
        }
    if (letter != 'u' || !read_hex(in, &code) || (code >= 0xDC00 && code <= 0xDFFF))
        return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
        if (in->end - in->at < 6 || in->at[0] != '\\' || in->at[1] != 'u')
            return false;
        in->at += 2;
        if (!read_hex(in, &low) || low < 0xDC00 || low > 0xDFFF)
            return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_character(out, code);
    return true;
}

static bool read_string(struct reader *in, struct buffer *out)
{
    if (!take(in, '"'))
        return false;
    buffer_append_byte(out, '"');
    while (in->at < in->end && *in->at != '"') {
        const char *start = in->at;
        while (in->at < in->end && *in->at != '"' && *in->at != '\\' &&
               (unsigned char)*in->at >= 0x20)
            in->at++;
        buffer_append(out, start, (size_t)(in->at - start));
        if (in->at < in->end && *in->at != '"') {
            if (*in->at++ != '\\' || !read_escape(in, out))
                return false;
        }
    }
    buffer_append_byte(out, '"');
    return take(in, '"');
}

static size_t count_digits(struct reader *in)
{
    const char *start = in->at;

    while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
        in->at++;
    return (size_t)(in->at - start);
}

/* -2^63 to 2^64-1 are kept as they are ("Data types", "JSON type"). */
static bool fits_integer(struct slice digits)
{
    char copy[24];

    if (digits.length >= sizeof copy)
        return false;
    memcpy(copy, digits.data, digits.length);
    copy[digits.length] = '\0';
    errno = 0;
    if (copy[0] == '-')
        (void)strtoll(copy, NULL, 10);
    else
        (void)strtoull(copy, NULL, 10);
    return errno == 0;
}

static void append_integer(struct slice digits, struct buffer *out)
{
    bool negative_zero = digits.length == 2 && memcmp(digits.data, "-0", 2) == 0;

    buffer_append_slice(out, negative_zero ? slice_of("0") : digits);
}

static bool append_double(struct reader *in, struct slice digits, struct buffer *out)
{
    size_t start = out->length;
    char *copy = strndup(digits.data, digits.length);

    if (copy == NULL)
        return false;
    double number = strtod(copy, NULL);
    free(copy);
    if (isinf(number))
        return false;
    json_number_append(out, number);
    struct slice printed = {buffer_text(out) + start, out->length - start};
    if (in->losses.number.length == 0 && !json_number_equals(digits, printed))
        in->losses.number = digits;
    return true;
}

static bool read_number(struct reader *in, struct buffer *out)
{
    const char *start = in->at;
    bool integer = true;

    if (*in->at == '-')
        in->at++;
    bool zero = in->at < in->end && *in->at == '0';
    size_t digits = count_digits(in);
    if (digits == 0 || (zero && digits > 1))
        return false;
    if (in->at < in->end && *in->at == '.') {
        integer = false;
        in->at++;
        if (count_digits(in) == 0)
            return false;
    }
    if (in->at < in->end && (*in->at == 'e' || *in->at == 'E')) {
        integer = false;
        in->at++;
        if (in->at < in->end && (*in->at == '+' || *in->at == '-'))
            in->at++;
        if (count_digits(in) == 0)
            return false;
    }
    struct slice raw = {start, (size_t)(in->at - start)};
    if (integer && fits_integer(raw)) {
        append_integer(raw, out);
        return true;
    }
    return append_double(in, raw, out);
}

static bool read_array(struct reader *in, struct buffer *out)
{
    in->at++;
    buffer_append_byte(out, '[');
    if (!take(in, ']')) {
        for (;;) {
            if (!read_value(in, out))
                return false;
            if (take(in, ']'))
                break;
            if (!take(in, ','))
                return false;
            buffer_append_byte(out, ',');
        }
    }
    buffer_append_byte(out, ']');
    return true;
}

/* The next byte of the name that a normalised JSON string stands for, -1 at its end. The string
 * escapes only what append_character does. */
static int next_byte(const char **at)
{
    static const char letters[] = "b\bt\tn\nf\fr\r\"\"\\\\";
    const char *letter = *at;

    if (*letter == '"')
        return -1;
    *at = letter + 1;
    if (*letter != '\\')
        return (unsigned char)*letter;
    letter++;
    if (*letter == 'u') {
        *at = letter + 5;
        return (int)strtol((const char[]){letter[3], letter[4], '\0'}, NULL, 16);
    }
    *at = letter + 1;
    return strchr(letters, *letter)[1];
}

/* Names are ordered by their bytes, not by the text that stands for them in JSON. */
static int compare_names(const char *one, const char *other)
{
    int left, right;

    one++;
    other++;
    do {
        left = next_byte(&one);
        right = next_byte(&other);
    } while (left == right && left >= 0);
    return left - right;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *one = a;
    const struct member *other = b;
    int order = compare_names(one->key, other->key);

    return order != 0 ? order : one->order < other->order ? -1 : 1;
}

static bool read_member(struct reader *in, struct member *member)
{
    struct buffer key, value;

    buffer_init(&key, SIZE_MAX / 4);
    buffer_init(&value, SIZE_MAX / 4);
    bool ok = read_string(in, &key) && take(in, ':') && read_value(in, &value);
    member->key = buffer_take(&key);
    member->value = buffer_take(&value);
    return ok && member->key != NULL && member->value != NULL;
}

static void append_members(
    struct reader *in, struct member *members, size_t count, struct buffer *out)
{
    bool first = true;

    if (count > 1)
        qsort(members, count, sizeof *members, compare_members);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(members[i].key, members[i - 1].key) == 0) {
            in->losses.duplicate = true;
            continue;
        }
        if (!first)
            buffer_append_byte(out, ',');
        first = false;
        buffer_append_text(out, members[i].key);
        buffer_append_byte(out, ':');
        buffer_append_text(out, members[i].value);
    }
}

static bool read_object(struct reader *in, struct buffer *out)
{
    struct member *members = NULL;
    size_t count = 0;
    bool ok = false;

    in->at++;
    bool open = !take(in, '}');
    while (open) {
        // Room grows at powers of two, so that the array need not carry its capacity.
        if ((count & (count - 1)) == 0) {
            struct member *grown = realloc(members, (count == 0 ? 1 : count * 2) * sizeof *members);
            if (grown == NULL)
                goto cleanup;
            members = grown;
        }
        members[count] = (struct member){.order = count};
        if (!read_member(in, &members[count++]))
            goto cleanup;
        open = !take(in, '}');
        if (open && !take(in, ','))
            goto cleanup;
    }
    buffer_append_byte(out, '{');
    append_members(in, members, count, out);
    buffer_append_byte(out, '}');
    ok = true;

cleanup:
    for (size_t i = 0; i < count; i++) {
        free(members[i].key);
        free(members[i].value);
    }
    free(members);
    return ok;
}

/* An array or object, unless it is inside of as many as there may be. */
static bool read_container(struct reader *in, struct buffer *out)
{
    if (in->depth == DEPTH_MAX)
        return false;
    in->depth++;
    bool ok = *in->at == '{' ? read_object(in, out) : read_array(in, out);
    in->depth--;
    return ok;
}

static bool read_value(struct reader *in, struct buffer *out)
{
    skip_space(in);
    if (in->at == in->end)
        return false;
    switch (*in->at) {
    case '{':
    case '[':
        return read_container(in, out);
    case '"':
        return read_string(in, out);
    case 't':
        return read_word(in, "true", out);
    case 'f':
        return read_word(in, "false", out);
    case 'n':
        return read_word(in, "null", out);
    default:
        return read_number(in, out);
    }
}

bool json_normal(struct slice text, struct buffer *out, struct json_losses *out_losses)
{
    struct reader in = {.at = text.data, .end = text.data + text.length};

    if (!read_value(&in, out))
        return false;
    skip_space(&in);
    if (out_losses != NULL)
        *out_losses = in.losses;
    return in.at == in.end && out->failure == BUFFER_OK;
}
