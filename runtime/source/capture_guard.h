/* capture_guard: the triggers that note rows which REPLACE is about to remove through another
 * unique constraint than the key. SQLite fires no delete trigger for those unless the application's
 * connection has recursive_triggers on. They are made from SQLite's own list of a table's unique
 * indexes, so they belong to one database and not to the definition. Internal to source. */
#ifndef BQSYNC_SOURCE_CAPTURE_GUARD_H
#define BQSYNC_SOURCE_CAPTURE_GUARD_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "source/capture.h"
#include "source/database.h"

#include <stdbool.h>

/* Appends the CREATE TRIGGER statements of the table's guards; none if the key is all that is
 * unique. */
MUST_CHECK bool capture_guard_append_sql(
    const struct source_table *in, struct buffer *out_sql, struct error *err);

#endif
