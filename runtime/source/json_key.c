#include "source/json_key.h"

#include "base/hex.h"
#include "source/database.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at `text` (RFC 3629, table 3-7 of the Unicode standard),
 * 0 if there is none. */
static size_t sequence_length(const unsigned char *text, size_t length)
{
    unsigned char lead = text[0];
    size_t expected = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    if (expected == 0 || lead > 0xf4 || length < expected)
        return 0;
    for (size_t i = 1; i < expected; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    // Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte.
    if ((lead == 0xe0 && text[1] < 0xa0) || (lead == 0xed && text[1] > 0x9f) ||
        (lead == 0xf0 && text[1] < 0x90) || (lead == 0xf4 && text[1] > 0x8f))
        return 0;
    return expected;
}

static bool is_utf8(const unsigned char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t step = sequence_length(text + i, length - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

static void append_string(struct buffer *out, const unsigned char *text, size_t length)
{
    buffer_append_byte(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buffer_printf(out, "\\%c", text[i]);
        else if (text[i] < 0x20)
            buffer_printf(out, "\\u%04x", text[i]);
        else
            buffer_append_byte(out, text[i]);
    }
    buffer_append_byte(out, '"');
}

static void append_hex(struct buffer *out, const unsigned char *bytes, size_t length)
{
    buffer_append_text(out, "x'");
    hex_append(out, bytes, length);
    buffer_append_byte(out, '\'');
}

static bool begins_with(const unsigned char *text, size_t length, const char *word)
{
    return length >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

/* Whether a JSON string shows the text, and shows no other value. */
static bool is_plain(const unsigned char *text, size_t length)
{
    return is_utf8(text, length) && !begins_with(text, length, "x'") &&
           !begins_with(text, length, "cast(x'") && !begins_with(text, length, "Infinity") &&
           !begins_with(text, length, "-Infinity");
}

/* With a point or an exponent, so that it differs from an integer. */
static void append_real(struct buffer *out, double value)
{
    char text[32];

    if (!isfinite(value)) {
        buffer_append_text(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    snprintf(text, sizeof text, "%.17g", value);
    buffer_append_text(out, text);
    buffer_append_text(out, strpbrk(text, ".e") == NULL ? ".0" : "");
}

/* Of UTF-16, SQLite makes one character of a lone surrogate and whatever follows it, so several
 * texts become one in UTF-8. Then the way back leads elsewhere. */
static bool is_lossless(sqlite3_value *value, const sqlite3_value *utf8)
{
    sqlite3_value *before = sqlite3_value_dup(value);
    sqlite3_value *after = sqlite3_value_dup(utf8);
    const void *was = before == NULL ? NULL : sqlite3_value_text16(before);
    const void *is = after == NULL ? NULL : sqlite3_value_text16(after);
    int size = was == NULL ? 0 : sqlite3_value_bytes16(before);
    bool same = was != NULL && is != NULL && sqlite3_value_bytes16(after) == size &&
                memcmp(was, is, (size_t)size) == 0;

    sqlite3_value_free(before);
    sqlite3_value_free(after);
    return same;
}

/* The bytes as the database stores them, so that this literal finds the row again. */
static bool append_cast(
    struct buffer *out, sqlite3_stmt *row, sqlite3_value *value, struct error *err)
{
    struct database source = {.handle = sqlite3_db_handle(row), .path = ""};
    int64_t encoding = 0; /* 0: UTF-8, 1: UTF-16le, 2: UTF-16be */

    if (!database_query_int64(
            &source,
            "select case encoding when 'UTF-16le' then 1 when 'UTF-16be' then 2 else 0 end"
            " from pragma_encoding",
            0, &encoding, err))
        return false;
    const void *bytes = encoding == 0   ? (const void *)sqlite3_value_text(value)
                        : encoding == 1 ? sqlite3_value_text16le(value)
                                        : sqlite3_value_text16be(value);
    if (bytes == NULL)
        return error_set(err, ERROR_MEMORY, "out of memory showing a key");
    int size = encoding == 0 ? sqlite3_value_bytes(value) : sqlite3_value_bytes16(value);
    buffer_append_text(out, "\"cast(");
    append_hex(out, bytes, (size_t)size);
    buffer_append_text(out, " as text)\"");
    return true;
}

/* The entry of a rejected row is found by this text, so two keys must not share one: a text that
 * JSON cannot show, or that reads like what stands for another kind of value, is shown as a cast of
 * its bytes. From copies: reading the row's own value as UTF-8 would convert it in place, and of
 * UTF-16 that is not valid only the original finds the row again. */
static bool append_text(
    struct buffer *out, sqlite3_stmt *row, sqlite3_value *value, struct error *err)
{
    sqlite3_value *stored = sqlite3_value_dup(value);
    sqlite3_value *utf8 = sqlite3_value_dup(value);
    const unsigned char *text = utf8 == NULL ? NULL : sqlite3_value_text(utf8);
    size_t length = text == NULL ? 0 : (size_t)sqlite3_value_bytes(utf8);
    bool ok = stored != NULL && text != NULL;

    if (!ok)
        error_set(err, ERROR_MEMORY, "out of memory showing a key");
    else if (is_plain(text, length) && is_lossless(value, utf8))
        append_string(out, text, length);
    else
        ok = append_cast(out, row, stored, err);
    sqlite3_value_free(stored);
    sqlite3_value_free(utf8);
    return ok;
}

static bool append_value(struct buffer *out, sqlite3_stmt *row, int column, struct error *err)
{
    const unsigned char *bytes;

    switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
        buffer_printf(out, "%lld", (long long)sqlite3_column_int64(row, column));
        break;
    case SQLITE_FLOAT:
        append_real(out, sqlite3_column_double(row, column));
        break;
    case SQLITE_TEXT:
        return append_text(out, row, sqlite3_column_value(row, column), err);
    case SQLITE_BLOB:
        bytes = sqlite3_column_blob(row, column);
        buffer_append_byte(out, '"');
        append_hex(out, bytes, (size_t)sqlite3_column_bytes(row, column));
        buffer_append_byte(out, '"');
        break;
    default:
        buffer_append_text(out, "null");
    }
    return true;
}

bool json_key_append(
    struct buffer *out, const struct table *table, sqlite3_stmt *row, int64_t row_number,
    struct error *err)
{
    buffer_append_byte(out, '{');
    for (size_t i = 0; i < table->key_count; i++) {
        const char *name = table->columns[table->key[i]].name;
        if (i > 0)
            buffer_append_byte(out, ',');
        append_string(out, (const unsigned char *)name, slice_of(name).length);
        buffer_append_byte(out, ':');
        if (!append_value(out, row, (int)table->key[i], err))
            return false;
    }
    if (row_number > 0)
        buffer_printf(
            out, "%s\"row_number\":%lld", table->key_count > 0 ? "," : "", (long long)row_number);
    buffer_append_byte(out, '}');
    return buffer_check(out, "key", err);
}
