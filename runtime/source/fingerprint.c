#include "source/fingerprint.h"

#include "base/hex.h"
#include "source/database.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Each value is one word that says its storage class and, of a text or a blob, its length, followed
 * by the words that it takes: the sequence of words can be read back in one way only, so different
 * rows are different messages. Text is hashed in the encoding that it is stored in:
 * sqlite3_value_text would convert UTF-16 in place and replace a lone surrogate by U+FFFD, before
 * the row's reader can see and reject it.
 *
 * A column is asked for once, as a value: each sqlite3_column function looks the column up and
 * takes a mutex that is not there, which costs as much as hashing a short value. SQLite allows it
 * on a connection without mutexes (c3ref/value.html), as all of bqsync's are. */
static void hash_value(struct siphash *hash, sqlite3_value *value, bool utf16)
{
    uint64_t kind = (uint64_t)sqlite3_value_type(value);
    double real;
    uint64_t word;
    uint64_t size;

    switch (kind) {
    case SQLITE_INTEGER:
        siphash13_word(hash, kind);
        siphash13_word(hash, (uint64_t)sqlite3_value_int64(value));
        break;
    case SQLITE_FLOAT:
        real = sqlite3_value_double(value);
        memcpy(&word, &real, sizeof word);
        siphash13_word(hash, kind);
        siphash13_word(hash, word);
        break;
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
        bool wide = kind == SQLITE_TEXT && utf16;
        const void *bytes = wide                  ? sqlite3_value_text16(value)
                            : kind == SQLITE_TEXT ? (const void *)sqlite3_value_text(value)
                                                  : sqlite3_value_blob(value);
        size = (uint64_t)(wide ? sqlite3_value_bytes16(value) : sqlite3_value_bytes(value));
        siphash13_word(hash, kind | size << 8);
        // Without memory there are no bytes, and the next step of the statement fails.
        if (bytes != NULL)
            siphash13_bytes(hash, bytes, (size_t)size);
        break;
    }
    default:
        siphash13_word(hash, kind);
        break;
    }
}

/* Looks once. */
static bool read_encoding(struct value_hash *hashing, sqlite3 *handle, struct error *err)
{
    enum database_encoding encoding = DATABASE_UTF8;

    if (hashing->encoding_known)
        return true;
    if (!database_read_encoding(handle, &encoding, err))
        return false;
    hashing->utf16 = encoding != DATABASE_UTF8;
    hashing->encoding_known = true;
    return true;
}

bool value_hash_row(
    struct value_hash *hashing, struct siphash *hash, sqlite3_stmt *row, size_t columns,
    struct error *err)
{
    if (!read_encoding(hashing, sqlite3_db_handle(row), err))
        return false;
    for (size_t i = 0; i < columns; i++)
        hash_value(hash, sqlite3_column_value(row, (int)i), hashing->utf16);
    return true;
}

bool value_hash_values(
    struct value_hash *hashing, struct siphash *hash, sqlite3 *source, sqlite3_value **values,
    size_t count, struct error *err)
{
    if (!read_encoding(hashing, source, err))
        return false;
    for (size_t i = 0; i < count; i++)
        hash_value(hash, values[i], hashing->utf16);
    return true;
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
    siphash13_finish_128(&hash, word);
    fingerprint->rows++;
    fingerprint->sum[0] += word[0];
    fingerprint->sum[1] += word[1] + (fingerprint->sum[0] < word[0]);
    return true;
}

void fingerprint_text(
    const struct fingerprint *fingerprint, int64_t rejected, char out[static FINGERPRINT_SIZE])
{
    const size_t at = 2 * SIPHASH_KEY_SIZE;

    hex_write(fingerprint->key, SIPHASH_KEY_SIZE, out);
    snprintf(
        out + at, FINGERPRINT_SIZE - at, ".%" PRIu64 ".%016" PRIx64 "%016" PRIx64 ".%" PRId64,
        fingerprint->rows, fingerprint->sum[1], fingerprint->sum[0], rejected);
}
