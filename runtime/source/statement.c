#include "source/statement.h"

#include "base/text_fit.h"

#include <assert.h>
#include <string.h>

static void bind_all(sqlite3_stmt *statement, const char *kinds, va_list args)
{
    for (int i = 0; kinds[i] != '\0'; i++) {
        if (kinds[i] == 's') {
            sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1, SQLITE_STATIC);
        } else {
            assert(kinds[i] == 'i');
            sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
        }
    }
}

bool statement_bind(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err,
    const char *kinds, ...)
{
    va_list args;

    if (!database_prepare(database, sql, out_statement, err))
        return false;
    va_start(args, kinds);
    bind_all(*out_statement, kinds, args);
    va_end(args);
    return true;
}

bool statement_keep(
    struct database *database, const char *sql, sqlite3_stmt **out_statement, struct error *err,
    const char *kinds, ...)
{
    va_list args;

    if (!database_keep(database, sql, out_statement, err))
        return false;
    va_start(args, kinds);
    bind_all(*out_statement, kinds, args);
    va_end(args);
    return true;
}

bool statement_run(
    struct database *database, const char *sql, struct error *err, const char *kinds, ...)
{
    sqlite3_stmt *statement = NULL;
    bool row = false;
    va_list args;

    if (!database_prepare(database, sql, &statement, err))
        return false;
    va_start(args, kinds);
    bind_all(statement, kinds, args);
    va_end(args);
    bool ok = database_step(database, statement, &row, err);
    sqlite3_finalize(statement);
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

bool statement_exec_buffer(struct database *database, struct buffer *sql, struct error *err)
{
    return buffer_check(sql, "statement", err) && database_exec(database, buffer_text(sql), err);
}
