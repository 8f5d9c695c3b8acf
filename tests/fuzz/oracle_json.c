#include "fuzz/oracle_json.h"

#include "fuzz/fuzz.h"
#include "fuzz/oracle_decimal.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct oracle_json values[ORACLE_JSON_VALUES];
static size_t value_count;
static char bytes[1 << 18];
static size_t byte_count;

struct reader {
    const char *at;
    const char *end;
    size_t depth;
    struct oracle_json_findings *findings;
};

void oracle_json_reset(void)
{
    value_count = byte_count = 0;
}

static void put(uint32_t byte)
{
    FUZZ_REQUIRE(byte_count < sizeof bytes, "the oracle has no room for such texts");
    bytes[byte_count++] = (char)byte;
}

static void put_point(uint32_t point)
{
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0 | point >> 6);
        put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        put(0xe0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    } else {
        put(0xf0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3f));
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    }
}

static void skip_space(struct reader *in)
{
    while (in->at < in->end && *in->at != '\0' && strchr(" \t\n\r", *in->at) != NULL)
        in->at++;
}

static bool take(struct reader *in, const char *text)
{
    size_t length = strlen(text);

    if ((size_t)(in->end - in->at) < length || memcmp(in->at, text, length) != 0)
        return false;
    in->at += length;
    return true;
}

/* The four hex digits of a \u. */
static bool take_unit(struct reader *in, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = in->at < in->end ? strchr(digits, *in->at) : NULL;
        if (digit == NULL || *digit == '\0')
            return false;
        uint32_t value = (uint32_t)(digit - digits);
        *out = *out << 4 | (value < 16 ? value : value - 6);
    }
    return true;
}

static bool take_escape(struct reader *in)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    uint32_t unit;
    uint32_t low;

    if (in->at == in->end)
        return false;
    const char *name = strchr(names, *in->at);
    if (name != NULL && *name != '\0') {
        in->at++;
        put((unsigned char)meanings[name - names]);
        return true;
    }
    if (!take(in, "u") || !take_unit(in, &unit))
        return false;
    if (unit < 0xd800 || unit > 0xdfff) {
        put_point(unit);
        return true;
    }
    const char *before = in->at;
    if (unit < 0xdc00 && take(in, "\\u")) {
        if (!take_unit(in, &low))
            return false;
        if (low >= 0xdc00 && low <= 0xdfff) {
            put_point(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
            return true;
        }
        in->at = before;
    }
    in->findings->lone_surrogate = true;
    return true;
}

static bool read_string(struct reader *in, struct slice *out)
{
    size_t start = byte_count;

    if (!take(in, "\""))
        return false;
    while (!take(in, "\"")) {
        if (in->at == in->end || (unsigned char)*in->at < 0x20)
            return false;
        if (take(in, "\\")) {
            if (!take_escape(in))
                return false;
        } else {
            put((unsigned char)*in->at++);
        }
    }
    *out = (struct slice){bytes + start, byte_count - start};
    return true;
}

static size_t take_digits(struct reader *in)
{
    size_t count = 0;

    for (; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++)
        count++;
    return count;
}

/* What a double would make of the number. */
static void judge_number(struct slice text, bool integer, struct oracle_json_findings *findings)
{
    // Too large for the stack of every level that is open.
    static struct oracle_decimal number;
    static struct oracle_decimal limit;
    static struct oracle_decimal shortest;
    static char copy[ORACLE_DECIMAL_MAX / 2];
    bool negative = text.data[0] == '-';

    FUZZ_REQUIRE(text.length < sizeof copy, "the oracle has no room for such a number");
    snprintf(copy, sizeof copy, "%.*s", (int)text.length, text.data);
    FUZZ_REQUIRE(oracle_decimal_read(text, &number), "\"%s\" is no number", copy);
    FUZZ_REQUIRE(
        oracle_decimal_read(
            slice_of(negative ? "9223372036854775808" : "18446744073709551615"), &limit),
        "no limit");
    double real = strtod(copy, NULL);
    bool long_integer = integer && oracle_decimal_exceeds(&number, &limit);
    findings->long_integer = findings->long_integer || long_integer;
    findings->beyond_real = findings->beyond_real || isinf(real);
    if (integer || isinf(real))
        return;
    oracle_decimal_shortest(real, &shortest);
    shortest.negative = number.negative;
    findings->inexact = findings->inexact || !oracle_decimal_equals(&shortest, &number);
}

static bool read_number(struct reader *in, struct oracle_json *out)
{
    const char *start = in->at;
    bool integer = true;

    take(in, "-");
    if (!take(in, "0") && take_digits(in) == 0)
        return false;
    if (take(in, ".")) {
        integer = false;
        if (take_digits(in) == 0)
            return false;
    }
    if (take(in, "e") || take(in, "E")) {
        integer = false;
        if (!take(in, "+"))
            take(in, "-");
        if (take_digits(in) == 0)
            return false;
    }
    out->kind = ORACLE_JSON_NUMBER;
    out->text = (struct slice){start, (size_t)(in->at - start)};
    judge_number(out->text, integer, in->findings);
    return true;
}

static struct oracle_json *read_value(struct reader *in);

static void look_for_double(
    const struct oracle_json *object, const struct oracle_json *member,
    struct oracle_json_findings *findings)
{
    for (const struct oracle_json *one = object->first; one != NULL; one = one->next)
        findings->doubled = findings->doubled || slice_equals(one->name, member->name);
}

/* An array or an object. */
static bool read_container(struct reader *in, struct oracle_json *out, bool object)
{
    struct oracle_json **last = &out->first;
    const char *closing = object ? "}" : "]";
    struct slice name = {"", 0};

    out->kind = object ? ORACLE_JSON_OBJECT : ORACLE_JSON_ARRAY;
    in->depth++;
    in->findings->depth = in->depth > in->findings->depth ? in->depth : in->findings->depth;
    skip_space(in);
    if (!take(in, closing)) {
        do {
            skip_space(in);
            if (object && !read_string(in, &name))
                return false;
            skip_space(in);
            if (object && !take(in, ":"))
                return false;
            struct oracle_json *value = read_value(in);
            if (value == NULL)
                return false;
            value->name = name;
            if (object)
                look_for_double(out, value, in->findings);
            *last = value;
            last = &value->next;
            skip_space(in);
        } while (take(in, ","));
        if (!take(in, closing))
            return false;
    }
    in->depth--;
    return true;
}

static struct oracle_json *read_value(struct reader *in)
{
    static const char *const words[] = {"null", "true", "false"};

    FUZZ_REQUIRE(value_count < ORACLE_JSON_VALUES, "the oracle has no room for such texts");
    struct oracle_json *out = &values[value_count++];
    *out = (struct oracle_json){.kind = ORACLE_JSON_WORD};
    skip_space(in);
    for (size_t i = 0; i < 3; i++)
        if (take(in, words[i])) {
            out->text = slice_of(words[i]);
            return out;
        }
    bool ok;
    if (take(in, "{")) {
        ok = read_container(in, out, true);
    } else if (take(in, "[")) {
        ok = read_container(in, out, false);
    } else if (in->at < in->end && *in->at == '"') {
        out->kind = ORACLE_JSON_STRING;
        ok = read_string(in, &out->text);
    } else {
        ok = read_number(in, out);
    }
    return ok ? out : NULL;
}

const struct oracle_json *oracle_json_read(
    struct slice text, struct oracle_json_findings *out_findings)
{
    struct reader in = {text.data, text.data + text.length, 0, out_findings};

    *out_findings = (struct oracle_json_findings){0};
    const struct oracle_json *root = read_value(&in);
    skip_space(&in);
    return in.at == in.end ? root : NULL;
}

static const struct oracle_json *first_of_name(const struct oracle_json *object, struct slice name)
{
    const struct oracle_json *one = object->first;

    while (one != NULL && !slice_equals(one->name, name))
        one = one->next;
    return one;
}

static int compare(struct slice a, struct slice b)
{
    size_t common = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.data, b.data, common);

    return order != 0 ? order : a.length < b.length ? -1 : a.length > b.length;
}

/* b has the members of a, each once and in order. */
static bool same_sorted(const struct oracle_json *a, const struct oracle_json *b)
{
    for (const struct oracle_json *one = a->first; one != NULL; one = one->next)
        if (first_of_name(b, one->name) == NULL)
            return false;
    for (const struct oracle_json *one = b->first; one != NULL; one = one->next) {
        const struct oracle_json *other = first_of_name(a, one->name);
        if (other == NULL || !oracle_json_same(other, one, true) ||
            (one->next != NULL && compare(one->name, one->next->name) >= 0))
            return false;
    }
    return true;
}

bool oracle_json_same(const struct oracle_json *a, const struct oracle_json *b, bool sorted)
{
    if (a->kind != b->kind)
        return false;
    if (sorted && a->kind == ORACLE_JSON_NUMBER)
        return true;
    if (a->kind < ORACLE_JSON_ARRAY)
        return slice_equals(a->text, b->text);
    if (sorted && a->kind == ORACLE_JSON_OBJECT)
        return same_sorted(a, b);
    const struct oracle_json *one = a->first;
    const struct oracle_json *other = b->first;
    for (; one != NULL && other != NULL; one = one->next, other = other->next)
        if (!slice_equals(one->name, other->name) || !oracle_json_same(one, other, sorted))
            return false;
    return one == NULL && other == NULL;
}
