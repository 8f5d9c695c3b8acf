/* capture_collation: tells the collations that SQLite has of its own from those that an application
 * gives to its connections. Triggers must not use the latter: a program that lacks one could not
 * write the table any more. Internal to source. Belongs to the connection's thread. */
#ifndef BQSYNC_SOURCE_CAPTURE_COLLATION_H
#define BQSYNC_SOURCE_CAPTURE_COLLATION_H

#include "base/error.h"
#include "source/database.h"

#include <stdbool.h>

/* The declared collation of an existing table's column, borrowed until the schema changes. */
MUST_CHECK bool capture_collation_of_column(
    struct database *source, const char *table, const char *column, const char **out_collation,
    struct error *err);

/* Whether the declared collation of an existing table's column is built in. */
MUST_CHECK bool capture_collation_of_column_is_builtin(
    struct database *source, const char *table, const char *column, bool *out_builtin,
    struct error *err);

#endif
