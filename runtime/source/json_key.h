/* json_key: a row's key as people see it, {"id":1}. Internal to source. Belongs to the connection's
 * thread. */
#ifndef BQSYNC_SOURCE_JSON_KEY_H
#define BQSYNC_SOURCE_JSON_KEY_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"

#include <sqlite3.h>
#include <stdint.h>

/* Appends the key of the row that `row` stands on (its first result columns are the table's columns
 * in order): integers and reals as numbers, reals with a point or an exponent; text as JSON
 * strings; blobs as SQL literals in a string; text that is no valid Unicode, or reads like one of
 * these literals or an infinity, as "cast(x'...' as text)" with the bytes that the row's database
 * stores; NULL as null. Different keys of a database have different texts. A row_number above 0 is
 * a further member of that name, for rows without a key of their own. Leaves the row's values as
 * they are. ERROR_MEMORY; ERROR_LIMIT if the buffer is too small; the database's errors. */
MUST_CHECK bool json_key_append(
    struct buffer *out, const struct table *table, sqlite3_stmt *row, int64_t row_number,
    struct error *err);

#endif
