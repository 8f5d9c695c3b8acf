/* json_key: a row's key as people see it, {"id":1}. Internal to source. */
#ifndef BQSYNC_SOURCE_JSON_KEY_H
#define BQSYNC_SOURCE_JSON_KEY_H

#include "base/buffer.h"
#include "base/table.h"

#include <sqlite3.h>

/* Appends the key of the row that `row` stands on (its first result columns are the table's columns
 * in order): integers and reals as numbers, text as JSON strings with U+FFFD for bytes that are no
 * UTF-8, blobs as SQL literals in a string, NULL as null. */
void json_key_append(struct buffer *out, const struct table *table, sqlite3_stmt *row);

#endif
