/* statement: a prepared statement with its parameters bound by kind, for the control tables' many
 * small reads and writes. Internal to source. */
#ifndef BQSYNC_SOURCE_STATEMENT_H
#define BQSYNC_SOURCE_STATEMENT_H

#include "base/error.h"
#include "source/database.h"

#include <stdbool.h>
#include <stddef.h>

/* Prepares and binds: kinds has one letter a parameter, 's' for a const char * (borrowed until the
 * statement is finalized) or 'i' for an int64_t. Returns owned. */
MUST_CHECK bool statement_bind(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err,
    const char *kinds, ...);

/* The same, stepped once and finalized, for a statement whose rows do not matter. */
MUST_CHECK bool statement_run(
    struct database *database, const char *sql, struct error *err, const char *kinds, ...);

/* A text column into the caller's bytes, cut to size; NULL is "". */
void statement_text(sqlite3_stmt *statement, int column, char *out_text, size_t size);

/* SQL text by sqlite3_mprintf's rules (%w inside double quotes is an identifier, %Q a literal).
 * Returns owned (sqlite3_free), NULL after setting ERROR_MEMORY. */
char *statement_format(struct error *err, const char *format, ...);

/* Formats as above and executes. */
MUST_CHECK bool statement_execf(
    struct database *database, struct error *err, const char *format, ...);

#endif
