#include "support/failing_sql.h"

#include <sqlite3.h>
#include <stddef.h>
#include <strings.h>

/* The names that the linker gives to the functions of SQLite and to these (--wrap). */
#define PAIR(name, ...)                                                                            \
    int real_##name(__VA_ARGS__) __asm__("__real_" #name);                                         \
    int failing_##name(__VA_ARGS__) __asm__("__wrap_" #name);

typedef int visit(void *, int, char **, char **);
PAIR(sqlite3_step, sqlite3_stmt *)
PAIR(sqlite3_exec, sqlite3 *, const char *, visit *, void *, char **)
PAIR(sqlite3_prepare_v2, sqlite3 *, const char *, int, sqlite3_stmt **, const char **)

static int failing;
static int calls;

void failing_sql_at(int n)
{
    calls = 0;
    failing = n;
}

bool failing_sql_end(void)
{
    int n = failing;

    failing = 0;
    return n != 0 && calls >= n;
}

static void fail_now(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    (void)values;
    sqlite3_result_error_code(context, SQLITE_FULL);
}

/* Whether this is the call that fails. Then the connection says so, too. */
static bool is_due(sqlite3 *handle)
{
    if (failing == 0 || ++calls != failing)
        return false;
    sqlite3_create_function(handle, "fail_now", 0, SQLITE_UTF8, NULL, fail_now, NULL, NULL);
    real_sqlite3_exec(handle, "select fail_now()", NULL, NULL, NULL);
    return true;
}

int failing_sqlite3_step(sqlite3_stmt *statement)
{
    if (strcasecmp(sqlite3_sql(statement), "rollback") != 0 && is_due(sqlite3_db_handle(statement)))
        return SQLITE_FULL;
    return real_sqlite3_step(statement);
}

int failing_sqlite3_exec(
    sqlite3 *handle, const char *sql, visit *each, void *context, char **out_message)
{
    if (is_due(handle))
        return SQLITE_FULL;
    return real_sqlite3_exec(handle, sql, each, context, out_message);
}

int failing_sqlite3_prepare_v2(
    sqlite3 *handle, const char *sql, int length, sqlite3_stmt **out_statement, const char **tail)
{
    if (is_due(handle))
        return SQLITE_FULL;
    return real_sqlite3_prepare_v2(handle, sql, length, out_statement, tail);
}
