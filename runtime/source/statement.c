#include "source/statement.h"

#include "base/text_fit.h"
#include "source/sqlite_sql.h"

#include <assert.h>
#include <string.h>

static bool bind_all(
    struct database *database, sqlite3_stmt *statement, const char *kinds, va_list args,
    struct error *err)
{
    int count = sqlite3_bind_parameter_count(statement);
    bool ok = true;

    for (int i = 0; ok && i < count && kinds[i] != '\0'; i++) {
        if (kinds[i] == 's') {
            const char *text = va_arg(args, const char *);
            ok = database_bound(
                database, sqlite3_bind_text(statement, i + 1, text, -1, SQLITE_STATIC), err);
        } else {
            assert(kinds[i] == 'i');
            sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
        }
    }
    return ok;
}

bool statement_bind(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err,
    const char *kinds, ...)
{
    sqlite3_stmt *statement = NULL;
    va_list args;

    if (!database_prepare(database, sql, &statement, err))
        return false;
    va_start(args, kinds);
    bool ok = bind_all(database, statement, kinds, args, err);
    va_end(args);
    if (ok)
        *out_statement = statement;
    else
        sqlite3_finalize(statement);
    return ok;
}

bool statement_keep(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err,
    const char *kinds, ...)
{
    sqlite3_stmt *statement = NULL;
    va_list args;

    if (!database_keep(database, sql, &statement, err))
        return false;
    va_start(args, kinds);
    bool ok = bind_all(database, statement, kinds, args, err);
    va_end(args);
    if (ok)
        *out_statement = statement;
    else
        database_give_back(statement);
    return ok;
}

static bool step_once(
    struct database *database, const char *sql, bool *out_row, const char *kinds, va_list args,
    struct error *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = database_prepare(database, sql, &statement, err) &&
              bind_all(database, statement, kinds, args, err) &&
              database_step(database, statement, out_row, err);

    sqlite3_finalize(statement);
    return ok;
}

bool statement_run(
    struct database *database, const char *sql, struct error *err, const char *kinds, ...)
{
    bool ignored = false;
    va_list args;

    va_start(args, kinds);
    bool ok = step_once(database, sql, &ignored, kinds, args, err);
    va_end(args);
    return ok;
}

bool statement_has_row(
    struct database *database, const char *sql, bool *out_row, struct error *err, const char *kinds,
    ...)
{
    va_list args;

    va_start(args, kinds);
    bool ok = step_once(database, sql, out_row, kinds, args, err);
    va_end(args);
    return ok;
}

const char *statement_borrow_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text == NULL ? "" : (const char *)text;
}

void statement_text(sqlite3_stmt *statement, int column, char *out_text, size_t size)
{
    text_format(out_text, size, "%s", statement_borrow_text(statement, column));
}

bool statement_check(struct database *database, struct error *err)
{
    return sqlite3_errcode(database->handle) != SQLITE_NOMEM ||
           error_set(err, ERROR_MEMORY, "out of memory reading %s", database->path);
}

bool statement_exec_buffer(struct database *database, struct buffer *sql, struct error *err)
{
    return buffer_check(sql, "statement", err) && database_exec(database, buffer_text(sql), err);
}

bool statement_prepare_buffer(
    struct database *database, struct buffer *sql, sqlite3_stmt **out_statement, struct error *err)
{
    return buffer_check(sql, "statement", err) &&
           database_prepare(database, buffer_text(sql), out_statement, err);
}

bool statement_exec_expanded(
    struct database *database, const struct table *table, const char *format, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, table, format);
    bool ok = statement_exec_buffer(database, &sql, err);
    buffer_clear(&sql);
    return ok;
}

bool statement_prepare_expanded(
    struct database *database, const struct table *table, const char *format,
    sqlite3_stmt **out_statement, struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    sqlite_sql_expand(&sql, table, format);
    bool ok = statement_prepare_buffer(database, &sql, out_statement, err);
    buffer_clear(&sql);
    return ok;
}
