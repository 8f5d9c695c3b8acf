/* Objects of NDJSON, member by member, without building a tree: 64-bit integers keep their digits.
 */
#include "base/json_normal.h"
#include "bqlocal/store/value.h"

#include <stdlib.h>
#include <string.h>

struct cursor {
    const char *at;
    const char *end;
};

static void skip_space(struct cursor *in)
{
    while (in->at < in->end && (*in->at == ' ' || (*in->at >= '\t' && *in->at <= '\r')))
        in->at++;
}

static bool take(struct cursor *in, char letter)
{
    skip_space(in);
    if (in->at == in->end || *in->at != letter)
        return false;
    in->at++;
    return true;
}

/* From after the opening quote to after the closing one. */
static bool skip_string(struct cursor *in)
{
    while (in->at < in->end && *in->at != '"')
        in->at += *in->at == '\\' && in->at + 1 < in->end ? 2 : 1;
    return take(in, '"');
}

/* The text of a string with its quotes. */
static bool string_span(struct cursor *in, struct slice *out)
{
    skip_space(in);
    const char *start = in->at;
    if (!take(in, '"') || !skip_string(in))
        return false;
    *out = (struct slice){start, (size_t)(in->at - start)};
    return true;
}

static bool skip_nested(struct cursor *in)
{
    int depth = 0;

    while (in->at < in->end) {
        char letter = *in->at++;
        if (letter == '"' && !skip_string(in))
            return false;
        depth += (letter == '{' || letter == '[') - (letter == '}' || letter == ']');
        if (depth == 0)
            return true;
    }
    return false;
}

static bool value_span(struct cursor *in, struct slice *out)
{
    static const char ends[] = {',', '}', ']', ' ', '\t', '\r', '\n'};

    skip_space(in);
    const char *start = in->at;
    if (in->at == in->end)
        return false;
    if (*in->at == '"')
        return string_span(in, out);
    if (*in->at == '{' || *in->at == '[') {
        if (!skip_nested(in))
            return false;
    } else {
        while (in->at < in->end && memchr(ends, *in->at, sizeof ends) == NULL)
            in->at++;
    }
    *out = (struct slice){start, (size_t)(in->at - start)};
    return out->length > 0;
}

bool value_json_decode(struct slice string, struct buffer *out)
{
    static const char letters[] = "b\bf\fn\nr\rt\t";
    struct buffer normal;

    // Normalised, the only escapes are these, those of quote and backslash, and \u00XX.
    buffer_init(&normal, SIZE_MAX / 4);
    bool ok = string.length > 0 && string.data[0] == '"' && json_normal(string, &normal, NULL);
    const char *at = buffer_text(&normal) + 1;
    for (; ok && at + 1 < buffer_text(&normal) + normal.length; at++) {
        const char *letter = *at == '\\' ? strchr(letters, at[1]) : NULL;
        if (*at != '\\') {
            buffer_append_byte(out, (uint8_t)*at);
        } else if (at[1] == 'u') {
            const char digits[] = {at[4], at[5], '\0'};
            buffer_append_byte(out, (uint8_t)strtol(digits, NULL, 16));
            at += 5;
        } else {
            buffer_append_byte(out, (uint8_t)(letter != NULL ? letter[1] : at[1]));
            at++;
        }
    }
    buffer_clear(&normal);
    return ok;
}

static bool is_json(struct slice value, struct buffer *scratch)
{
    buffer_reset(scratch);
    return json_normal(value, scratch, NULL);
}

static bool walk(
    struct cursor *in, value_json_member *member, void *context, struct buffer *key,
    struct buffer *scratch)
{
    struct slice name, value;

    if (take(in, '}'))
        return true;
    for (;;) {
        buffer_reset(key);
        if (!string_span(in, &name) || !value_json_decode(name, key) || !take(in, ':') ||
            !value_span(in, &value) || !is_json(value, scratch) ||
            !member(context, buffer_slice(key), value))
            return false;
        if (take(in, '}'))
            return true;
        if (!take(in, ','))
            return false;
    }
}

bool value_json_walk(struct slice text, value_json_member *member, void *context)
{
    struct cursor in = {text.data, text.data + text.length};
    struct buffer key, scratch;

    buffer_init(&key, SIZE_MAX / 4);
    buffer_init(&scratch, SIZE_MAX / 4);
    bool ok =
        value_utf8_is_valid(text) && take(&in, '{') && walk(&in, member, context, &key, &scratch);
    skip_space(&in);
    buffer_clear(&key);
    buffer_clear(&scratch);
    return ok && in.at == in.end;
}
