/* SQLite's binary JSON ("The SQLite JSONB Format"): a blob that is read has one meaning, and the
 * text that becomes of it has the same. The oracle decodes the blob by recursion and refuses what
 * the format does not allow; the text is read by another. */
#include "fuzz/fuzz.h"
#include "fuzz/oracle_json.h"

#include "encode/json.h"
#include "encode/jsonb.h"

#include <string.h>

/* Decodes the element at the front of *in. what: the text's value, or NULL inside something that
 * has none. */
static bool matches(struct slice *in, const struct oracle_json *value, bool name);

/* The size of the payload behind a header; false if it is not all there. */
static bool take_header(struct slice *in, unsigned *out_kind, struct slice *out_payload)
{
    if (in->length == 0)
        return false;
    unsigned first = (unsigned char)in->data[0];
    size_t width = first >> 4 <= 11 ? 0 : (size_t)1 << ((first >> 4) - 12);
    uint64_t size = width == 0 ? first >> 4 : 0;
    if (in->length < 1 + width)
        return false;
    for (size_t i = 1; i <= width; i++)
        size = size << 8 | (unsigned char)in->data[i];
    if (size > in->length - 1 - width)
        return false;
    *out_kind = first & 15;
    *out_payload = (struct slice){in->data + 1 + width, (size_t)size};
    in->data += 1 + width + size;
    in->length -= 1 + width + (size_t)size;
    return true;
}

static bool matches_container(struct slice payload, const struct oracle_json *value, bool object)
{
    const struct oracle_json *child = value->first;

    if (value->kind != (object ? ORACLE_JSON_OBJECT : ORACLE_JSON_ARRAY))
        return false;
    for (; payload.length > 0; child = child->next) {
        if (child == NULL)
            return false;
        struct oracle_json name = {.kind = ORACLE_JSON_STRING, .text = child->name};
        if (object && !matches(&payload, &name, true))
            return false;
        if (!matches(&payload, child, false))
            return false;
    }
    return child == NULL;
}

/* A text with escapes of JSON, which is what stands between its quotes. */
static bool matches_escaped(struct slice payload, const struct oracle_json *value)
{
    char quoted[4096];
    struct oracle_json_findings ignored;

    FUZZ_REQUIRE(payload.length + 2 < sizeof quoted, "the oracle has no room for such a text");
    quoted[0] = '"';
    memcpy(quoted + 1, payload.data, payload.length);
    quoted[payload.length + 1] = '"';
    const struct oracle_json *read =
        oracle_json_read((struct slice){quoted, payload.length + 2}, &ignored);
    return read != NULL && read->kind == ORACLE_JSON_STRING &&
           slice_equals(read->text, value->text);
}

static bool is_digits(struct slice text, const char *allowed)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] == '\0' || strchr(allowed, text.data[i]) == NULL)
            return false;
    return text.length > 0;
}

static bool matches(struct slice *in, const struct oracle_json *value, bool name)
{
    static const char *const words[] = {"null", "true", "false"};
    struct slice payload;
    unsigned kind;

    if (!take_header(in, &kind, &payload) || (name && (kind < 7 || kind > 10)))
        return false;
    switch (kind) {
    case 0:
    case 1:
    case 2:
        return value->kind == ORACLE_JSON_WORD && slice_equals(value->text, slice_of(words[kind]));
    case 3:
    case 5:
        return value->kind == ORACLE_JSON_NUMBER && slice_equals(value->text, payload);
    case 4: // INT5: hexadecimal, or with a plus
    case 6: // FLOAT5
        return value->kind == ORACLE_JSON_NUMBER &&
               is_digits(payload, "+-.0123456789abcdefABCDEFxX");
    case 7: // TEXT needs no escape
        return value->kind == ORACLE_JSON_STRING && slice_equals(value->text, payload);
    case 8:
        return value->kind == ORACLE_JSON_STRING && matches_escaped(payload, value);
    case 9: // TEXT5: escapes of JSON5, of which only this is checked: a text it is
        return value->kind == ORACLE_JSON_STRING;
    case 10:
        return value->kind == ORACLE_JSON_STRING && slice_equals(value->text, payload);
    case 11:
    case 12:
        return matches_container(payload, value, kind == 12);
    default:
        return false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oracle_json_findings ignored;
    struct buffer out;

    if (size > 1000)
        return 0;
    buffer_init(&out, 1 << 20);
    struct slice blob = {size == 0 ? "" : (const char *)data, size};
    const char *reason = jsonb_text(blob, &out);
    struct slice text = {buffer_text(&out), out.length};
    // A column asks both.
    if (reason == NULL && json_check(text) == NULL) {
        oracle_json_reset();
        const struct oracle_json *value = oracle_json_read(text, &ignored);
        FUZZ_REQUIRE(value != NULL, "printed as %.*s", FUZZ_TEXT(text));
        FUZZ_REQUIRE(
            matches(&blob, value, false) && blob.length == 0, "printed as %.*s", FUZZ_TEXT(text));
    }
    buffer_clear(&out);
    return 0;
}
