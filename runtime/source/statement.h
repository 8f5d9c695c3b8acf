/* statement: a prepared statement with its parameters bound by kind, for the many small reads and
 * writes of the control tables. Errors are those of database_prepare and database_step. Belongs to
 * the thread of its connection. Internal to source. */
#ifndef BQSYNC_SOURCE_STATEMENT_H
#define BQSYNC_SOURCE_STATEMENT_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/table.h"
#include "source/database.h"

#include <stdbool.h>
#include <stddef.h>

/* Prepares and binds: kinds has one letter a parameter, 's' for a const char * (borrowed until the
 * statement is finalized) or 'i' for an int64_t. The statement may have fewer of them. Returns
 * owned. */
MUST_CHECK bool statement_bind(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err,
    const char *kinds, ...);

/* The same with a statement that stays prepared (database_keep). Borrowed until database_give_back,
 * to which the texts are borrowed as well. */
MUST_CHECK bool statement_keep(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err,
    const char *kinds, ...);

/* Prepares, binds, steps once and finalizes: for a statement that returns no row, or whose rows do
 * not matter. */
MUST_CHECK bool statement_run(
    struct database *database, const char *sql, struct error *err, const char *kinds, ...);

/* The same for a question: *out_row says whether it returns a row. */
MUST_CHECK bool statement_has_row(
    struct database *database, const char *sql, bool *out_row, struct error *err, const char *kinds,
    ...);

/* A text column into the caller's bytes, cut to size; NULL is "". */
void statement_text(sqlite3_stmt *statement, int column, char *out_text, size_t size);
/* The same without a copy, borrowed until the next step. */
const char *statement_borrow_text(sqlite3_stmt *statement, int column);
/* Whether the texts of the row are right. Of UTF-16 they are converted, and without memory they are
 * "" (SQLite documentation, "sqlite3_column_text"): ERROR_MEMORY. The next step says so, too, so
 * only who takes none has to ask, before any other call on the connection. */
MUST_CHECK bool statement_check(struct database *database, struct error *err);

/* Executes or prepares what was built with sqlite_sql; ERROR_MEMORY or ERROR_LIMIT if the buffer
 * failed. *out_statement is owned. */
MUST_CHECK bool statement_exec_buffer(
    struct database *database, struct buffer *sql, struct error *err);
MUST_CHECK bool statement_prepare_buffer(
    struct database *database, struct buffer *sql, sqlite3_stmt **out_statement, struct error *err);

/* The same with a statement about one table: a format of sqlite_sql_expand. */
MUST_CHECK bool statement_exec_expanded(
    struct database *database, const struct table *table, const char *format, struct error *err);
MUST_CHECK bool statement_prepare_expanded(
    struct database *database, const struct table *table, const char *format,
    sqlite3_stmt **out_statement, struct error *err);

#endif
