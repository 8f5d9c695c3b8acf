/* key_conversion: whether two different keys of SQLite can become one in BigQuery. SQLite tells
 * keys apart as they are stored ('1.0' from '1.00', 7 from '7'), BigQuery compares what they are
 * converted to. Where the declared type of a column leaves one stored form for each value, the
 * conversion is one-to-one and nothing has to be watched; elsewhere a shadow keeps the converted
 * keys (source/shadow.h). Pure. Internal to source. */
#ifndef BQSYNC_SOURCE_KEY_CONVERSION_H
#define BQSYNC_SOURCE_KEY_CONVERSION_H

#include "base/table.h"

#include <stdbool.h>

/* How a key column is declared in SQLite. */
struct key_declaration {
    const char *type; /* as written, "" if there is none */
    bool strict;      /* in a STRICT table */
    bool rowid_alias; /* the INTEGER PRIMARY KEY */
};

/* Whether different values that SQLite can store in the column stay different in BigQuery. False if
 * in doubt. */
bool key_conversion_is_one_to_one(
    const struct column *column, const struct key_declaration *declared);

#endif
