/* unlisted: columns of the source that a definition neither lists nor ignores, and columns that it
 * ignores in vain. Internal to source, but for unlisted_find_absent. Belongs to the connection's
 * thread. */
#ifndef BQSYNC_SOURCE_UNLISTED_H
#define BQSYNC_SOURCE_UNLISTED_H

#include "base/error.h"
#include "base/table.h"
#include "source/database.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether the definition ignores a column of this name; case does not count. */
bool unlisted_is_ignored(const struct table *table, const char *name);

/* Says which columns of an existing table are neither listed nor ignored, and the lines to add to
 * the definition, into out (of size bytes): the line of each column, with a type that follows from
 * its declaration, as far as they fit. Leaves out alone if there are none. */
MUST_CHECK bool unlisted_describe(
    struct database *source, const struct table *table, char *out, size_t size, struct error *err);

/* The ignored columns that an existing table lacks, ", " between, into out_names (of size bytes),
 * cut if there are many; "" if there are none. */
MUST_CHECK bool unlisted_find_absent(
    struct database *source, const struct table *table, char *out_names, size_t size,
    struct error *err);

#endif
