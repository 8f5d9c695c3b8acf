#include "source/filter_step.h"

#include "base/clock.h"
#include "source/row_name.h"
#include "source/sqlite_sql.h"
#include "source/statement.h"

/* What SQLite says is kept up to this length. */
#define WORDS_SIZE 200

/* Two walks over the table, with and without the filter. Their text is the same, so that SQLite
 * visits the rows of both in the same order. */
enum walk { WALK_WITHOUT_FILTER, WALK_WITH_FILTER };

static bool prepare(
    struct database *source, const struct table *table, enum walk kind, sqlite3_stmt **out_walk,
    struct error *err)
{
    struct buffer sql;

    buffer_init(&sql, SQLITE_SQL_CEILING);
    buffer_append_text(&sql, "select ");
    for (size_t i = 0; i < table->key_count; i++)
        sqlite_sql_append(&sql, "$n, ", sqlite_sql_key_name(table, i));
    // On lines of its own: the filter may end in a comment.
    buffer_printf(&sql, "case when ?1 then (\n%s\n) end", table->where);
    sqlite_sql_append(&sql, " from $n", table->name);
    bool ok = statement_prepare_buffer(source, &sql, out_walk, err);
    buffer_clear(&sql);
    if (ok)
        sqlite3_bind_int(*out_walk, 1, kind == WALK_WITH_FILTER);
    return ok;
}

static void name_row(
    const struct table *table, sqlite3_stmt *row, int64_t number, struct error *err)
{
    if (table->key_count > 0)
        row_name(table, row, NULL, err->row, sizeof err->row);
    else
        row_name_by_number(number, err->row, sizeof err->row);
}

/* Walks until the filter fails. If it fails for none, err stays as it is. */
static void walk(
    struct database *source, const struct table *table, sqlite3_stmt *plain, sqlite3_stmt *filtered,
    struct error *err)
{
    char words[WORDS_SIZE];
    struct error ignored;
    bool row = false;

    for (int64_t number = 1; !clock_stopped(); number++) {
        if (!database_step(source, plain, &row, &ignored) || !row)
            return;
        if (database_step(source, filtered, &row, &ignored)) {
            if (!row)
                return;
            continue;
        }
        if (!database_is_own_fault(source))
            return;
        error_set(
            err, ERROR_SCHEMA,
            "%s.where: the filter fails for a row: %s. Correct the row, or let `where` in "
            "schemas/%s.json pass over it, and rebuild",
            table->name, database_words(source, words, sizeof words), table->definition);
        name_row(table, plain, number, err);
        return;
    }
}

static void blame(struct database *source, const struct table *table, struct error *err)
{
    sqlite3_stmt *plain = NULL;
    sqlite3_stmt *filtered = NULL;
    struct error ignored;

    if (prepare(source, table, WALK_WITHOUT_FILTER, &plain, &ignored) &&
        prepare(source, table, WALK_WITH_FILTER, &filtered, &ignored))
        walk(source, table, plain, filtered, err);
    sqlite3_finalize(plain);
    sqlite3_finalize(filtered);
}

bool filter_step(
    struct database *source, const struct table *table, sqlite3_stmt *statement, bool *out_row,
    struct error *err)
{
    if (database_step(source, statement, out_row, err))
        return true;
    if (table->where != NULL && database_is_own_fault(source))
        blame(source, table, err);
    return false;
}

bool filter_wrap(struct error *err, const char *what, const struct table *table)
{
    return err->code != ERROR_SCHEMA && error_wrap(err, "%s %s", what, table->name);
}
