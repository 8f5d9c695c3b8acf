#include "source/fingerprint.h"

#include "source/database.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Text is hashed in the encoding that it is stored in. sqlite3_column_text would convert UTF-16 in
 * place and replace a lone surrogate by U+FFFD, before the row's reader can see and reject it. */
static void hash_value(struct siphash *hash, sqlite3_stmt *row, int column, bool utf16)
{
    int64_t integer;
    double real;
    int64_t size;
    unsigned char kind = (unsigned char)sqlite3_column_type(row, column);

    siphash_update(hash, &kind, 1);
    switch (kind) {
    case SQLITE_INTEGER:
        integer = sqlite3_column_int64(row, column);
        siphash_update(hash, &integer, sizeof integer);
        break;
    case SQLITE_FLOAT:
        real = sqlite3_column_double(row, column);
        siphash_update(hash, &real, sizeof real);
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
        bool wide = kind == SQLITE_TEXT && utf16;
        const void *bytes = wide                  ? sqlite3_column_text16(row, column)
                            : kind == SQLITE_TEXT ? (const void *)sqlite3_column_text(row, column)
                                                  : sqlite3_column_blob(row, column);
        size = wide ? sqlite3_column_bytes16(row, column) : sqlite3_column_bytes(row, column);
        siphash_update(hash, &size, sizeof size);
        siphash_update(hash, bytes, (size_t)size);
        break;
    }
    default:
        break;
    }
}

/* Looks once. */
static bool read_encoding(struct value_hash *values, sqlite3_stmt *row, struct error *err)
{
    struct database source = {.handle = sqlite3_db_handle(row), .path = ""};
    int64_t utf16 = 0;

    if (values->encoding_known)
        return true;
    if (!database_query_int64(
            &source, "select encoding like 'UTF-16%' from pragma_encoding", 0, &utf16, err))
        return false;
    values->utf16 = utf16 != 0;
    values->encoding_known = true;
    return true;
}

bool value_hash_row(
    struct value_hash *values, struct siphash *hash, sqlite3_stmt *row, size_t columns,
    struct error *err)
{
    if (!read_encoding(values, row, err))
        return false;
    for (size_t i = 0; i < columns; i++)
        hash_value(hash, row, (int)i, values->utf16);
    return true;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)(at - digits);
}

static bool read_key(const char *text, unsigned char key[SIPHASH_KEY_SIZE])
{
    for (size_t i = 0; i < SIPHASH_KEY_SIZE; i++) {
        int high = hex_digit(text[2 * i]);
        int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
        if (low < 0)
            return false;
        key[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void fingerprint_begin(struct fingerprint *out_fingerprint, const char *known)
{
    *out_fingerprint = (struct fingerprint){0};
    if (!read_key(known, out_fingerprint->key))
        sqlite3_randomness(SIPHASH_KEY_SIZE, out_fingerprint->key);
}

bool fingerprint_add(
    struct fingerprint *fingerprint, sqlite3_stmt *row, size_t columns, struct error *err)
{
    struct siphash hash;
    uint64_t word[2];

    siphash_init_128(&hash, fingerprint->key);
    if (!value_hash_row(&fingerprint->values, &hash, row, columns, err))
        return false;
    siphash_finish_128(&hash, word);
    fingerprint->rows++;
    fingerprint->sum[0] += word[0];
    fingerprint->sum[1] += word[1] + (fingerprint->sum[0] < word[0]);
    return true;
}

void fingerprint_text(
    const struct fingerprint *fingerprint, int64_t rejected, char out[static FINGERPRINT_SIZE])
{
    int at = 0;

    for (size_t i = 0; i < SIPHASH_KEY_SIZE; i++)
        at += snprintf(out + at, FINGERPRINT_SIZE - (size_t)at, "%02x", fingerprint->key[i]);
    snprintf(
        out + at, FINGERPRINT_SIZE - (size_t)at,
        ".%" PRIu64 ".%016" PRIx64 "%016" PRIx64 ".%" PRId64, fingerprint->rows,
        fingerprint->sum[1], fingerprint->sum[0], rejected);
}
