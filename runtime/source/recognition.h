/* recognition: whether the source is the database of the definitions. bqsync has yet to write its
 * first control table then, so that a wrong BQ_SQLITE_PATH leaves no trace. Any thread that owns
 * the connection. */
#ifndef BQSYNC_SOURCE_RECOGNITION_H
#define BQSYNC_SOURCE_RECOGNITION_H

#include "base/config.h"
#include "base/error.h"
#include "base/table.h"
#include "source/database.h"

/* ERROR_SCHEMA if there are no control tables yet and the database has none of the tables, which
 * are all that the program was built with. */
MUST_CHECK bool recognition_check(
    struct database *source, const struct config *config, const struct table *const *tables,
    size_t count, struct error *err);

#endif
