/* Texts: which bytes are UTF-8 or UTF-16, what STRING and BYTES columns read in databases of either
 * encoding, and how texts are cut, measured and quoted for a shell, a log and JSON. The oracle
 * decodes one code point after the other. */
#include "fuzz/fuzz.h"
#include "fuzz/one_value.h"

#include "base/buffer.h"
#include "base/shell_word.h"
#include "base/text_fit.h"
#include "base/text_width.h"
#include "encode/column.h"
#include "encode/json_write.h"
#include "encode/text.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRING, BYTES, SHORT, BLOB, COUNT };

#define SHORT_POINTS 3

static const struct column columns[] = {
    [STRING] = {.name = "s", .type = COLUMN_STRING},
    [BYTES] = {.name = "b", .type = COLUMN_BYTES},
    [SHORT] =
        {.name = "t",
         .type = COLUMN_STRING,
         .transform = TRANSFORM_TRUNCATE,
         .truncate_to = SHORT_POINTS},
    [BLOB] = {.name = "u", .type = COLUMN_STRING, .blob = BLOB_UTF8},
};

static const struct table table = {.name = "t", .columns = columns, .column_count = COUNT};

static struct one_value_reader readers[2]; /* of UTF-8 and of UTF-16 */

/* The code point at the front of the text, of *out_length bytes; -1 if there is none. RFC 3629:
 * what it stands for, and no longer form than it needs. */
static int32_t decode(struct slice text, size_t *out_length)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = text.length == 0 ? 0xff : (unsigned char)text.data[0];
    size_t length = first < 0x80 ? 1 : first < 0xc0 ? 9 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t point = length == 1 ? first : first & (0x7fu >> length);

    if (first > 0xf7 || length > 4 || length > text.length)
        return -1;
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text.data[i];
        if (next >> 6 != 2)
            return -1;
        point = point << 6 | (next & 0x3fu);
    }
    *out_length = length;
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < lowest[length] || point > 0x10ffff || surrogate ? -1 : (int32_t)point;
}

static struct slice behind(struct slice text, size_t length)
{
    return (struct slice){text.data + length, text.length - length};
}

/* How many code points; -1 if it is no UTF-8 or has U+0000. */
static int64_t count_points(struct slice text)
{
    int64_t count = 0;
    size_t length = 0;

    for (; text.length > 0; text = behind(text, length), count++)
        if (decode(text, &length) <= 0)
            return -1;
    return count;
}

/* The beginning of so many code points of a valid text. */
static struct slice first_points(struct slice text, size_t points)
{
    struct slice rest = text;
    size_t length = 0;

    for (; points > 0 && rest.length > 0; points--, rest = behind(rest, length))
        decode(rest, &length);
    return (struct slice){text.data, text.length - rest.length};
}

static void check_string(struct one_value_reader *reader, struct slice expected, bool valid)
{
    struct slice got = column_string(&reader->in, STRING);
    struct slice cut = column_string(&reader->in, SHORT);

    FUZZ_REQUIRE(
        (got.data != NULL) == valid && one_value_refused(reader, STRING) != valid &&
            (!valid || slice_equals(got, expected)),
        "\"%.*s\": STRING \"%.*s\"", FUZZ_TEXT(expected), FUZZ_TEXT(got));
    FUZZ_REQUIRE(
        !valid || slice_equals(cut, first_points(expected, SHORT_POINTS)),
        "\"%.*s\": cut to \"%.*s\"", FUZZ_TEXT(expected), FUZZ_TEXT(cut));
}

static void check_utf8(struct slice text)
{
    bool valid = count_points(text) >= 0;
    struct one_value value = {.storage = SQLITE_TEXT, .bytes = text};

    FUZZ_REQUIRE((text_check(text) == NULL) == valid, "\"%.*s\"", FUZZ_TEXT(text));
    one_value_set(&readers[0], &value);
    check_string(&readers[0], text, valid);
    struct slice bytes = column_bytes(&readers[0].in, BYTES);
    FUZZ_REQUIRE(slice_equals(bytes, text), "BYTES of \"%.*s\"", FUZZ_TEXT(text));
    value.storage = SQLITE_BLOB;
    one_value_set(&readers[0], &value);
    bytes = column_string(&readers[0].in, BLOB);
    FUZZ_REQUIRE(
        valid ? slice_equals(bytes, text) : bytes.data == NULL, "text of the blob \"%.*s\"",
        FUZZ_TEXT(text));
}

static void append_point(struct buffer *out, uint32_t point)
{
    if (point < 0x80) {
        buffer_append_byte(out, (uint8_t)point);
        return;
    }
    int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    buffer_append_byte(out, (uint8_t)(0xff00 >> (more + 1) | point >> (6 * more)));
    while (more-- > 0)
        buffer_append_byte(out, (uint8_t)(0x80 | (point >> (6 * more) & 0x3f)));
}

/* UTF-16 as UTF-8; false if a surrogate stands alone. */
static bool convert(const uint16_t *units, size_t count, struct buffer *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t point = units[i];
        if (point >= 0xdc00 && point < 0xe000)
            return false;
        if (point >= 0xd800 && point < 0xdc00) {
            if (++i == count || units[i] < 0xdc00 || units[i] >= 0xe000)
                return false;
            point = 0x10000 + ((point - 0xd800) << 10) + (units[i] - 0xdc00u);
        }
        append_point(out, point);
    }
    return true;
}

/* A text as a database of UTF-16 stores it. SQLite drops a byte order mark in front. */
static void check_utf16(struct slice bytes)
{
    size_t count = bytes.length / 2;
    uint16_t *units = malloc(2 * count + 2);
    struct buffer expected;

    FUZZ_REQUIRE(units != NULL, "out of memory");
    memcpy(units, bytes.data, 2 * count);
    if (count > 0 && (units[0] == 0xfeff || units[0] == 0xfffe))
        units[0] = 'a';
    buffer_init(&expected, 1 << 20);
    buffer_append_text(&expected, "");
    bool valid = convert(units, count, &expected);
    FUZZ_REQUIRE(text_utf16_is_valid(units, 2 * count) == valid, "UTF-16 of %zu units", count);
    struct slice text = {buffer_text(&expected), expected.length};
    one_value_set(
        &readers[1],
        &(struct one_value){
            .storage = SQLITE_TEXT, .bytes = {(const char *)units, 2 * count}, .utf16 = true});
    check_string(&readers[1], text, valid && count_points(text) >= 0);
    buffer_clear(&expected);
    free(units);
}

/* A C string: what is cut ends between two code points, and fits. */
static void check_cuts(const char *text, size_t limit)
{
    struct slice whole = slice_of(text);
    size_t kept = (size_t)text_fit(text, limit);
    size_t shown = text_width_fit(text, limit);
    char *copy = strndup(text, shown);

    FUZZ_REQUIRE(copy != NULL, "out of memory");
    FUZZ_REQUIRE(kept <= limit && kept <= whole.length, "%zu of %zu bytes", kept, limit);
    FUZZ_REQUIRE(shown <= whole.length && text_width(copy) <= limit, "%zu columns", limit);
    if (count_points(whole) >= 0) {
        struct slice rest = behind(whole, kept);
        size_t next = 0;
        FUZZ_REQUIRE(
            count_points((struct slice){text, kept}) >= 0 &&
                (rest.length == 0 || (decode(rest, &next) > 0 && kept + next > limit)),
            "\"%s\" cut at %zu", text, kept);
    }
    free(copy);
}

/* A word that a shell reads back: quotes alternate, and outside of them stands nothing but letters
 * that mean nothing. */
static void check_shell(const char *text)
{
    char room[SHELL_WORD_SIZE];
    const char *word = shell_word(text, room);
    struct buffer read;

    if (word == text && strlen(text) > SHELL_WORD_SIZE / 8)
        return;
    buffer_init(&read, 1 << 20);
    for (const char *at = word; *at != '\0'; at++) {
        if (*at == '\'') {
            const char *end = strchr(at + 1, '\'');
            FUZZ_REQUIRE(end != NULL, "%s", word);
            buffer_append(&read, at + 1, (size_t)(end - at - 1));
            at = end;
        } else if (*at == '\\') {
            buffer_append_byte(&read, (uint8_t) * ++at);
        } else {
            FUZZ_REQUIRE(
                strchr(" \t\n|&;<>()$`\"*?[#~%!{}", *at) == NULL, "a shell reads %s otherwise",
                word);
            buffer_append_byte(&read, (uint8_t)*at);
        }
    }
    FUZZ_REQUIRE(
        word[0] != '\0' && strcmp(buffer_text(&read), text) == 0, "\"%s\" becomes %s", text, word);
    buffer_clear(&read);
}

static void check_base64(struct slice bytes, const char *text, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    size_t at = 0;

    FUZZ_REQUIRE(
        length == (bytes.length + 2) / 3 * 4 + 2 && text[0] == '"' && text[length - 1] == '"',
        "base64 of %zu bytes", bytes.length);
    for (size_t i = 0; i < length - 2; i++) {
        const char *digit = strchr(digits, text[i + 1]);
        FUZZ_REQUIRE(digit != NULL || (text[i + 1] == '=' && i + 4 >= length - 2), "%s", text);
        bits = bits << 6 | (digit == NULL ? 0 : (uint32_t)(digit - digits));
        for (int shift = 16; i % 4 == 3 && shift >= 0; shift -= 8, at++)
            FUZZ_REQUIRE(
                at >= bytes.length || (uint8_t)(bits >> shift) == (uint8_t)bytes.data[at],
                "byte %zu of %s", at, text);
    }
}

static void check_json(struct slice text)
{
    struct buffer out;

    buffer_init(&out, 1 << 20);
    json_write_base64(&out, text);
    check_base64(text, buffer_text(&out), out.length);
    if (count_points(text) >= 0) {
        buffer_reset(&out);
        json_write_string(&out, text);
        cJSON *read = cJSON_ParseWithLength(buffer_text(&out), out.length);
        const char *value = cJSON_GetStringValue(read);
        FUZZ_REQUIRE(
            value != NULL && slice_equals(slice_of(value), text), "JSON %s", buffer_text(&out));
        cJSON_Delete(read);
    }
    buffer_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = fuzz_of(data, size);

    if (readers[0].db == NULL) {
        one_value_open(&readers[0], &table, "UTF-8");
        one_value_open(&readers[1], &table, "UTF-16");
    }
    size_t limit = fuzz_byte(&in);
    struct slice text = fuzz_rest(&in);
    check_utf8(text);
    check_utf16(text);
    check_json(text);
    struct fuzz again = fuzz_of((const uint8_t *)text.data, text.length);
    char *terminated = fuzz_rest_text(&again);
    check_cuts(terminated, limit);
    check_shell(terminated);
    free(terminated);
    return 0;
}
