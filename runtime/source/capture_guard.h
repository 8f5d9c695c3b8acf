/* capture_guard: the triggers that note rows which REPLACE is about to remove through another
 * unique constraint than the key. SQLite fires no delete trigger for those unless the application's
 * connection has recursive_triggers on. They are made from SQLite's own list of a table's unique
 * indexes, so they belong to one database and not to the definition. Internal to source. Belongs to
 * the connection's thread. */
#ifndef BQSYNC_SOURCE_CAPTURE_GUARD_H
#define BQSYNC_SOURCE_CAPTURE_GUARD_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "source/capture.h"
#include "source/database.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the CREATE TRIGGER statements of the table's guards, none if the key is all that is
 * unique, and those of capture_keyless. A guard names columns and literals and compares them; it
 * contains no expression of the application's, so it can neither fail nor call a function. Where
 * that is not enough to find the rows that REPLACE removes, *out_problem (of size bytes) says why,
 * else it is "": the table has to be scanned then, whatever was appended. in->shape->integer_key
 * has to be known. */
MUST_CHECK bool capture_guard_append_sql(
    const struct source_table *in, struct buffer *out_sql, char *out_problem, size_t size,
    struct error *err);

#endif
