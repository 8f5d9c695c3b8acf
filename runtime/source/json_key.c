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

/* Nothing is shown then: half a key would be another one. Returns false. */
static bool fail_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "out of memory showing a key");
}

/* Of UTF-16, SQLite makes one character of a lone surrogate and whatever follows it, so several
 * texts become one in UTF-8. Then the way back leads elsewhere. */
static bool find_loss(
    sqlite3_value *value, const sqlite3_value *utf8, bool *out_lossless, struct error *err)
{
    sqlite3_value *before = sqlite3_value_dup(value);
    sqlite3_value *after = sqlite3_value_dup(utf8);
    const void *was = before == NULL ? NULL : sqlite3_value_text16(before);
    const void *is = after == NULL ? NULL : sqlite3_value_text16(after);
    bool ok = was != NULL && is != NULL;

    if (ok) {
        int size = sqlite3_value_bytes16(before);
        *out_lossless = sqlite3_value_bytes16(after) == size && memcmp(was, is, (size_t)size) == 0;
    } else {
        fail_memory(err);
    }
    sqlite3_value_free(before);
    sqlite3_value_free(after);
    return ok;
}

/* The bytes as the database stores them, so that this literal finds the row again. */
static bool append_cast(
    struct buffer *out, sqlite3_stmt *row, sqlite3_value *value, struct error *err)
{
    enum database_encoding encoding = DATABASE_UTF8;

    if (!database_read_encoding(sqlite3_db_handle(row), &encoding, err))
        return false;
    const void *bytes = encoding == DATABASE_UTF8      ? (const void *)sqlite3_value_text(value)
                        : encoding == DATABASE_UTF16LE ? sqlite3_value_text16le(value)
                                                       : sqlite3_value_text16be(value);
    if (bytes == NULL)
        return fail_memory(err);
    int size =
        encoding == DATABASE_UTF8 ? sqlite3_value_bytes(value) : sqlite3_value_bytes16(value);
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
    bool ok = (stored != NULL && text != NULL) || fail_memory(err);
    bool plain = ok && is_plain(text, length);

    ok = ok && (!plain || find_loss(value, utf8, &plain, err));
    if (ok && plain)
        append_string(out, text, length);
    else if (ok)
        ok = append_cast(out, row, stored, err);
    sqlite3_value_free(stored);
    sqlite3_value_free(utf8);
    return ok;
}

static bool append_blob(struct buffer *out, sqlite3_stmt *row, int column, struct error *err)
{
    const unsigned char *bytes = sqlite3_column_blob(row, column);
    size_t length = (size_t)sqlite3_column_bytes(row, column);

    if (bytes == NULL && length > 0)
        return fail_memory(err);
    buffer_append_byte(out, '"');
    append_hex(out, bytes, length);
    buffer_append_byte(out, '"');
    return true;
}

static bool append_value(struct buffer *out, sqlite3_stmt *row, int column, struct error *err)
{
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
        return append_blob(out, row, column, err);
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
