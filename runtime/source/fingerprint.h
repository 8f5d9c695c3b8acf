/* fingerprint: what a read of rows has found, as one short text. Two reads have the same text only
 * if they found the same rows, each as often, in any order: it holds the number of rows and the sum
 * of a keyed 128-bit hash of each. The key is random and part of the text; a later read has to take
 * it from there. With it, a table whose rows no key tells apart is known to be as it was sent.
 * Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_FINGERPRINT_H
#define BQSYNC_SOURCE_FINGERPRINT_H

#include "base/error.h"
#include "source/siphash.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed at first. All rows that are hashed with it are of one database. */
struct value_hash {
    bool encoding_known;
    bool utf16; /* the database stores its texts so */
};

/* Appends values of a row of the database to a hash that siphash13_finish ends. */
MUST_CHECK bool value_hash_values(
    struct value_hash *hashing, struct siphash *hash, sqlite3 *source, sqlite3_value **values,
    size_t count, struct error *err);
/* Appends the first result columns of the row to a hash that siphash13_finish ends. Its connection
 * is one without mutexes (database.h). */
MUST_CHECK bool value_hash_row(
    struct value_hash *hashing, struct siphash *hash, sqlite3_stmt *row, size_t columns,
    struct error *err);

/* Two numbers of 20 digits, two of 32 hex digits, three points and a terminator. */
#define FINGERPRINT_SIZE 112

/* A read under way. */
struct fingerprint {
    unsigned char key[SIPHASH_KEY_SIZE];
    struct value_hash values;
    uint64_t rows;
    uint64_t sum[2]; /* of 128 bits, the lower half first */
};

/* known: the text to compare with, whose key is used; a new key is drawn if it is not one. */
void fingerprint_begin(struct fingerprint *out_fingerprint, const char *known);

/* Adds the first result columns of the row. */
MUST_CHECK bool fingerprint_add(
    struct fingerprint *fingerprint, sqlite3_stmt *row, size_t columns, struct error *err);

/* The text. rejected: how many of the rows were not sent, so that the text differs when that does.
 */
void fingerprint_text(
    const struct fingerprint *fingerprint, int64_t rejected, char out[static FINGERPRINT_SIZE]);

#endif
