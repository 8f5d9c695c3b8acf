/* value_hash: feeds a hash with a row of SQLite as it is stored, so that equal hashes mean the same
 * values of the same storage classes: 1, 1.0 and '1' are three values. Internal to source. */
#ifndef BQSYNC_SOURCE_VALUE_HASH_H
#define BQSYNC_SOURCE_VALUE_HASH_H

#include "base/error.h"
#include "source/siphash.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed at first. All rows that are hashed with it are of one database. */
struct value_hash {
    bool encoding_known;
    bool utf16; /* the database stores its texts so */
};

/* Appends the first result columns of the row. */
MUST_CHECK bool value_hash_row(
    struct value_hash *values, struct siphash *hash, sqlite3_stmt *row, size_t columns,
    struct error *err);

#endif
