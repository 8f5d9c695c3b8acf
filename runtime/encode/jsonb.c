#include "encode/jsonb.h"

#include "base/hex.h"
#include "encode/json.h"
#include "encode/json_write.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NOT_JSONB "is a blob, but not JSONB"
#define TOO_DEEP  "is JSONB of more than 500 levels"

enum element {
    ELEMENT_NULL,
    ELEMENT_TRUE,
    ELEMENT_FALSE,
    ELEMENT_INT,
    ELEMENT_INT5,
    ELEMENT_FLOAT,
    ELEMENT_FLOAT5,
    ELEMENT_TEXT,
    ELEMENT_TEXTJ,
    ELEMENT_TEXT5,
    ELEMENT_TEXTRAW,
    ELEMENT_ARRAY,
    ELEMENT_OBJECT,
};

/* An array or object that is being written. */
struct level {
    const char *end;
    bool object;
    size_t count; /* of the values so far, names of members too */
};

struct reader {
    const char *at;
    const char *end;
    struct buffer *out;
    int depth;
    struct level levels[JSON_DEPTH_MAX];
};

/* --- numbers and texts --------------------------------------------------------------------- */

/* Digits behind 0x, of 64 bits at most, as SQLite reads them. */
static bool write_hexadecimal(struct buffer *out, struct slice digits)
{
    uint64_t value = 0;

    if (digits.length > 16)
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        int digit = hex_digit(digits.data[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    buffer_printf(out, "%" PRIu64, value);
    return true;
}

/* A number of JSON5: a sign +, hexadecimal digits, a point without a digit before or behind it. */
static bool write_number5(struct buffer *out, struct slice text)
{
    const char *at = text.data;
    const char *end = at + text.length;

    if (at < end && (*at == '-' || *at == '+'))
        if (*at++ == '-')
            buffer_append_byte(out, '-');
    if (end - at > 2 && at[0] == '0' && (at[1] | 0x20) == 'x')
        return write_hexadecimal(out, (struct slice){at + 2, (size_t)(end - at) - 2});
    if (at < end && *at == '.')
        buffer_append_byte(out, '0');
    for (; at < end; at++) {
        buffer_append_byte(out, (uint8_t)*at);
        if (*at == '.' && (at + 1 == end || (at[1] | 0x20) == 'e'))
            buffer_append_byte(out, '0');
    }
    return true;
}

/* Any form of a number. What would end it is refused here: json_check reads the whole text, and
 * would take what is behind for further values. */
static bool write_number(struct buffer *out, enum element element, struct slice text)
{
    size_t start = out->length;

    if (element == ELEMENT_INT || element == ELEMENT_FLOAT)
        buffer_append_slice(out, text);
    else if (!write_number5(out, text))
        return false;
    for (size_t i = start; i < out->length; i++)
        if (out->data[i] == '\0' || strchr("+-.0123456789eE", out->data[i]) == NULL)
            return false;
    return out->length > start || out->failure != BUFFER_OK;
}

/* A text that goes between quotes as it is: with JSON's escapes (TEXTJ), or without any (TEXT).
 * What would end it there is refused, as above. */
static bool write_plain(struct buffer *out, enum element element, struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\\') {
            i++;
            if (element != ELEMENT_TEXTJ || i == text.length)
                return false;
        } else if (text.data[i] == '"') {
            return false;
        }
    }
    buffer_append_slice(out, text);
    return true;
}

/* The bytes of a line's end behind a backslash, which JSON5 leaves out: LF, CR, CR LF, U+2028 or
 * U+2029; 0 if there is none. */
static size_t line_end(const char *at, const char *end)
{
    if (*at == '\n')
        return 1;
    if (*at == '\r')
        return end - at > 1 && at[1] == '\n' ? 2 : 1;
    return end - at > 2 &&
                   (memcmp(at, "\xe2\x80\xa8", 3) == 0 || memcmp(at, "\xe2\x80\xa9", 3) == 0)
               ? 3
               : 0;
}

/* The escape behind a backslash; *at is moved behind it. */
static bool write_escape5(struct buffer *out, const char **at, const char *end)
{
    size_t line = *at < end ? line_end(*at, end) : 0;

    if (*at == end)
        return false;
    if (line > 0) {
        *at += line;
        return true;
    }
    char c = *(*at)++;
    switch (c) {
    case '\'':
        buffer_append_byte(out, '\'');
        return true;
    case 'v':
        buffer_append_text(out, "\\u000b");
        return true;
    case '0':
        buffer_append_text(out, "\\u0000");
        return true;
    case 'x':
        if (end - *at < 2 || hex_digit((*at)[0]) < 0 || hex_digit((*at)[1]) < 0)
            return false;
        buffer_printf(out, "\\u00%.2s", *at);
        *at += 2;
        return true;
    default:
        buffer_append_byte(out, '\\');
        buffer_append_byte(out, (uint8_t)c);
        return true;
    }
}

/* A text with escapes of JSON5; in single quotes a double quote may stand alone. */
static bool write_text5(struct buffer *out, struct slice text)
{
    const char *at = text.data;
    const char *end = at + text.length;

    while (at < end) {
        const char *special = at;
        while (special < end && *special != '\\' && (unsigned char)*special >= 0x20 &&
               *special != '"')
            special++;
        buffer_append(out, at, (size_t)(special - at));
        at = special;
        if (at == end)
            break;
        if (*at != '\\') {
            json_write_escaped(out, (struct slice){at++, 1});
            continue;
        }
        at++;
        if (!write_escape5(out, &at, end))
            return false;
    }
    return true;
}

/* --- elements ------------------------------------------------------------------------------ */

/* Reads a header; the payload, of which nothing is read, has to end where its container does. */
static bool take_header(
    struct reader *in, const char *limit, enum element *out_element, struct slice *out_payload)
{
    if (in->at == limit)
        return false;
    unsigned char first = (unsigned char)*in->at++;
    uint64_t size = first >> 4;
    if (size > 11) {
        size_t width = (size_t)1 << (size - 12);
        size = 0;
        if ((size_t)(limit - in->at) < width)
            return false;
        for (size_t i = 0; i < width; i++)
            size = size << 8 | (unsigned char)*in->at++;
    }
    *out_element = first & 0xf;
    *out_payload = (struct slice){in->at, (size_t)size};
    return size <= (uint64_t)(limit - in->at);
}

static bool write_quoted(struct buffer *out, enum element element, struct slice payload)
{
    bool ok = true;

    buffer_append_byte(out, '"');
    if (element == ELEMENT_TEXT5)
        ok = write_text5(out, payload);
    else if (element == ELEMENT_TEXTRAW)
        json_write_escaped(out, payload);
    else
        ok = write_plain(out, element, payload);
    buffer_append_byte(out, '"');
    return ok;
}

static bool write_scalar(struct buffer *out, enum element element, struct slice payload)
{
    static const char *const words[] = {"null", "true", "false"};

    switch (element) {
    case ELEMENT_NULL:
    case ELEMENT_TRUE:
    case ELEMENT_FALSE:
        buffer_append_text(out, words[element]);
        return true;
    case ELEMENT_INT:
    case ELEMENT_INT5:
    case ELEMENT_FLOAT:
    case ELEMENT_FLOAT5:
        return write_number(out, element, payload);
    case ELEMENT_TEXT:
    case ELEMENT_TEXTJ:
    case ELEMENT_TEXT5:
    case ELEMENT_TEXTRAW:
        return write_quoted(out, element, payload);
    default:
        return false;
    }
}

/* What separates a value from the one before it. */
static void write_separator(struct reader *in)
{
    if (in->depth == 0)
        return;
    struct level *level = &in->levels[in->depth - 1];
    if (level->count > 0)
        buffer_append_byte(in->out, level->object && level->count % 2 == 1 ? ':' : ',');
    level->count++;
}

/* Whether the next value names a member. */
static bool expects_name(const struct reader *in)
{
    return in->depth > 0 && in->levels[in->depth - 1].object &&
           in->levels[in->depth - 1].count % 2 == 0;
}

static const char *write_element(struct reader *in)
{
    const char *limit = in->depth == 0 ? in->end : in->levels[in->depth - 1].end;
    bool name = expects_name(in);
    enum element element;
    struct slice payload;

    if (!take_header(in, limit, &element, &payload) ||
        (name && (element < ELEMENT_TEXT || element > ELEMENT_TEXTRAW)))
        return NOT_JSONB;
    write_separator(in);
    if (element != ELEMENT_ARRAY && element != ELEMENT_OBJECT) {
        in->at += payload.length;
        return write_scalar(in->out, element, payload) ? NULL : NOT_JSONB;
    }
    if (in->depth == JSON_DEPTH_MAX)
        return TOO_DEEP;
    in->levels[in->depth++] =
        (struct level){payload.data + payload.length, element == ELEMENT_OBJECT, 0};
    buffer_append_byte(in->out, element == ELEMENT_OBJECT ? '{' : '[');
    return NULL;
}

/* Closes what ends here. */
static const char *close_levels(struct reader *in)
{
    while (in->depth > 0 && in->at == in->levels[in->depth - 1].end) {
        const struct level *level = &in->levels[--in->depth];
        if (level->object && level->count % 2 == 1)
            return NOT_JSONB;
        buffer_append_byte(in->out, level->object ? '}' : ']');
    }
    return NULL;
}

const char *jsonb_text(struct slice blob, struct buffer *out)
{
    struct reader in;
    const char *reason;

    // The levels are set as they are opened.
    in.at = blob.data;
    in.end = blob.data + blob.length;
    in.out = out;
    in.depth = 0;
    do {
        reason = write_element(&in);
        if (reason == NULL)
            reason = close_levels(&in);
    } while (reason == NULL && in.depth > 0);
    if (reason == NULL && in.at != in.end)
        reason = NOT_JSONB;
    if (reason == NULL && out->failure != BUFFER_OK)
        reason = "cannot be read: out of memory";
    return reason;
}
